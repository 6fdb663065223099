"""ministack with what it lacks for this template. Run in place of `python -m ministack`; docs/deploying.md lists the gaps."""

from ministack.core import iam_actions
from ministack.services.cloudformation import provisioners


def accept(resource_type):
    """A type that the emulator does not know is made by name alone."""

    def create(logical_id, properties, stack):
        return f"{stack}-{logical_id}", {}

    provisioners._RESOURCE_HANDLERS.setdefault(resource_type, {"create": create, "delete": lambda *_, **__: None})


def name_the_sender():
    """SendEmail is decided by the sender's identity (Service Authorization Reference), here by `*`."""
    of_other_calls = iam_actions._ses_v2_resource_arn

    def resource(method, path, body, region, account):
        if path.rstrip("/").endswith("/outbound-emails"):
            sender = iam_actions._safe_json_field(body, "FromEmailAddress").split("<")[-1].rstrip("> ")
            return f"arn:aws:ses:{region}:{account}:identity/{sender}"
        return of_other_calls(method, path, body, region, account)

    iam_actions._ses_v2_resource_arn = resource


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


if __name__ == "__main__":
    accept("AWS::SecretsManager::RotationSchedule")
    name_the_sender()
    read_flags()
    watch_one_metric()
    from ministack.app import main

    main()
