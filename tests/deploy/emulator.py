"""ministack with what it lacks for this template. Run in place of `python -m ministack`; docs/deploying.md lists the gaps."""

import contextvars
import json

from ministack.core import iam_actions, iam_evaluator
from ministack.services import apigateway, lambda_svc
from ministack.services.cloudformation import provisioners


def accept(resource_type):
    """A type that the emulator does not know is made by name alone."""

    def create(logical_id, properties, stack):
        return f"{stack}-{logical_id}", {}

    provisioners._RESOURCE_HANDLERS.setdefault(resource_type, {"create": create, "delete": lambda *_, **__: None})


def name_the_sender():
    """SendEmail is decided by the sender's identity and address (Service Authorization Reference), here by `*`."""
    of_other_calls, decide = iam_actions._ses_v2_resource_arn, iam_evaluator.enforce
    sender = contextvars.ContextVar("sender", default="")

    def resource(method, path, body, region, account):
        if path.rstrip("/").endswith("/outbound-emails"):
            sender.set(iam_actions._safe_json_field(body, "FromEmailAddress").split("<")[-1].rstrip("> "))
            return f"arn:aws:ses:{region}:{account}:identity/{sender.get()}"
        return of_other_calls(method, path, body, region, account)

    def enforce(key, action, *arguments, **named):
        if action == "ses:SendEmail":
            named["service_context"] = (named.get("service_context") or {}) | {"ses:FromAddress": sender.get()}
        return decide(key, action, *arguments, **named)

    iam_actions._ses_v2_resource_arn = resource
    iam_evaluator.enforce = enforce


def read_flags():
    """CloudFormation makes a boolean of a parameter's text; the emulator keeps the text, which no SDK reads."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]

    def reading(make):
        def read(*arguments):
            for argument in arguments:
                if isinstance(argument, dict) and "DeletionProtectionEnabled" in argument:
                    argument["DeletionProtectionEnabled"] = argument["DeletionProtectionEnabled"] in (True, "true")
            return make(*arguments)

        return read

    handler["create"], handler["update"] = reading(handler["create"]), reading(handler["update"])


def match_an_empty_rest():
    """A greedy route takes its path with nothing after the slash, too."""
    of_other_paths = apigateway._extract_path_params

    def parameters(route_path, request_path):
        start, _, greedy = route_path.rpartition("{")
        if greedy.endswith("+}") and request_path == start:
            return {greedy[:-2]: ""}
        return of_other_paths(route_path, request_path)

    apigateway._extract_path_params = parameters


def watch_one_metric():
    """An alarm that computes with several metrics is made for the first of them."""
    handler = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]

    def watching(make):
        def watch(*arguments):
            for argument in arguments:
                if isinstance(argument, dict) and "Metrics" in argument:
                    watched = next(query["MetricStat"] for query in argument.pop("Metrics") if "MetricStat" in query)
                    argument |= watched["Metric"] | {"Statistic": watched["Stat"], "Period": watched["Period"]}
            return make(*arguments)

        return watch

    handler["create"] = watching(handler["create"])
    if "update" in handler:
        handler["update"] = watching(handler["update"])


def deliver_again():
    """A stream delivers a record that failed again, and those after it; the emulator passes over them. Here it delivers
    the whole batch again, as a stream may."""
    poll, run = lambda_svc._poll_dynamodb_streams, lambda_svc._execute_function
    of_stream = contextvars.ContextVar("of_stream", default=False)

    def polling():
        token = of_stream.set(True)
        try:
            return poll()
        finally:
            of_stream.reset(token)

    def running(function, event):
        result = run(function, event)
        body = result.get("body")
        answer = json.loads(body) if isinstance(body, (str, bytes)) and body else body
        if of_stream.get() and isinstance(answer, dict) and answer.get("batchItemFailures"):
            result["error"] = True
        return result

    lambda_svc._poll_dynamodb_streams, lambda_svc._execute_function = polling, running


if __name__ == "__main__":
    accept("AWS::SecretsManager::RotationSchedule")
    name_the_sender()
    read_flags()
    watch_one_metric()
    match_an_empty_rest()
    deliver_again()
    from ministack.app import main

    main()
