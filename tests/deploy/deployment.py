"""Deploys template.yaml to an emulator that enforces IAM, and walks through it: `tests/deploy/run`."""

import base64
import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.parse
import uuid
from datetime import datetime

from samtranslator.yaml_helper import yaml_parse

import black_box
from cloud import REGION, ROOT, Cloud, Local, call, translated, until

STACK = "user-service"
PARAMETERS = {"Architecture": "x86_64", "MailFrom": "no-reply@example.com", "AdminEmails": "root@example.com"}
PASSWORD = "SecurePass123!"
checks = 0


def check(what, actual, expected):
    global checks
    checks += 1
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} and not {expected!r}")


def bearer(token):
    return {"authorization": f"Bearer {token}"}


class Person:
    """Someone with an account, who signs in."""

    def __init__(self, cloud, api, email, find=None):
        self.cloud, self.api, self.email, self.find = cloud, api, email, find or self.sent
        status, body = self.call("POST", "/auth/register", {"email": email, "password": PASSWORD})
        check(f"{email} registers", status, 201)
        token = self.mailed("verify-email")
        check(f"{email} verifies", self.call("POST", "/api/v1/auth/verify-email", {"token": token})[0], 200)
        self.sign_in()

    def sign_in(self):
        status, body = self.call("POST", "/auth/login", {"email": self.email, "password": PASSWORD})
        check(f"{self.email} signs in", status, 200)
        self.id, self.token, self.refresh_token = body["user"]["id"], body["access_token"], body["refresh_token"]

    def call(self, method, path, body=None, headers=None):
        token = bearer(self.token) if hasattr(self, "token") else {}
        return call(method, self.api + path, body, token | (headers or {}))

    def mailed(self, mark):
        """The token of the link that a mail to them has, once it is there."""
        return until(60, f"a mail with {mark} to {self.email}", lambda: self.find(mark))

    def sent(self, mark):
        found = [re.search(rf"{mark}\?token=([\w.-]+)", letter) for letter in self.mails()]
        return next((link.group(1) for link in reversed(found) if link), None)

    def mails(self):
        messages = call("GET", f"{self.cloud.address}/_ministack/ses/messages")[1]
        letters = [json.dumps(letter) for account in messages["messages"].values() for letter in account]
        return [letter for letter in letters if self.email in letter]

    def letters(self):
        return len(self.mails())


def walk(cloud, api):
    """What each function does for a person, with no more than its role allows."""
    for path in ["/healthz", "/readyz", "/", "/openapi.json", "/docs", "/.well-known/openid-configuration"]:
        status, told = call("GET", api + path)
        check(f"{path}: {told}"[:300], status, 200)
    check("an unknown path", call("GET", api + "/nothing")[1]["code"], "not_found")
    alice = Person(cloud, api, "alice@example.com")
    check("me", alice.call("GET", "/users/me")[1]["email"], alice.email)

    attempt = {"question_id": 1, "language": "c", "submitted_code": "x", "passed_tests": 1, "total_tests": 1}
    key = {"idempotency-key": str(uuid.uuid4())}
    status, first = alice.call("POST", "/api/v1/attempts", attempt, key)
    check("an attempt", status, 201)
    check("the same attempt", alice.call("POST", "/api/v1/attempts", attempt, key)[1]["id"], first["id"])
    check("the totals", alice.call("GET", "/api/v1/attempts/me/summary")[1]["total_attempts"], 1)
    for path in ["", "/questions", "/activity"]:
        check(f"attempts{path}", len(alice.call("GET", f"/api/v1/attempts/me{path}")[1]), 1)
    check("its code", alice.call("GET", f"/api/v1/attempts/{first['id']}")[1]["submitted_code"], "x")

    check("a name", alice.call("PUT", "/users/me", {"name": "Alice", "username": "alice"})[1]["name"], "Alice")
    check("a preference", alice.call("PATCH", "/api/v1/users/me/preferences", {"theme": "dark"})[1]["theme"], "dark")
    check("a profile", alice.call("PUT", "/api/v1/users/me/profile", {"skills": ["c"]})[0], 200)
    check("premium", alice.call("POST", "/api/v1/users/me/upgrade")[1]["subscription_tier"], "premium")
    check("the stats", alice.call("GET", "/api/v1/users/me/stats")[1]["attempts"], 1)
    found = until(60, "alice is found", lambda: alice.call("GET", "/api/v1/users/search?q=ali")[1])
    check("who is found", found[0]["id"], alice.id)

    status, tokens = alice.call("POST", "/auth/refresh", {"refresh_token": alice.refresh_token})
    check("a refresh", status, 200)
    alice.token = tokens["access_token"]
    check("the sessions", alice.call("GET", "/api/v1/auth/sessions")[0], 200)
    check("a reset is asked for", alice.call("POST", "/auth/forgot-password", {"email": alice.email})[0], 200)
    new = {"token": alice.mailed("reset-password"), "new_password": PASSWORD}
    check("a reset", alice.call("POST", "/auth/reset-password", new)[0], 200)
    check("the session before it", alice.call("GET", "/users/me")[1]["code"], "session_ended")
    alice.sign_in()

    root = Person(cloud, api, "root@example.com")
    check("an admin", root.call("GET", "/users/is-admin")[1], {"is_admin": True})
    check("everyone", len(root.call("GET", "/api/v1/users")[1]), 2)
    check("a decision", root.call("PATCH", f"/api/v1/users/{alice.id}", {"role": "ADMIN"})[1]["role"], "ADMIN")
    check("the trail", root.call("GET", "/api/v1/admin/audit")[1][0]["target"], alice.id)

    check("an export", alice.call("POST", "/api/v1/users/me/export")[0], 202)
    alice.mailed("export")
    bob = Person(cloud, api, "bob@example.com")
    bob.call("POST", "/api/v1/attempts", attempt)
    check("an account is deleted", bob.call("DELETE", "/users/me")[0], 200)
    check("at once", bob.call("GET", "/users/me")[1]["code"], "session_ended")
    attempts = cloud.client("dynamodb").scan
    table = cloud.resources(STACK)["AttemptsTable"]
    gone = lambda: not any(bob.id in str(item) for item in attempts(TableName=table)["Items"])
    cloud.client("lambda").invoke(FunctionName=cloud.resources(STACK)["JanitorFunction"], Payload=b'{"source":"aws.events"}')
    until(90, "nothing of it is left", gone)
    return alice


def services(cloud, api, outputs, alice):
    """What other services go by: introspection, and the examples' APIs."""
    secret = json.loads(
        cloud.client("secretsmanager").get_secret_value(SecretId=cloud.resources(STACK)["Clients"])["SecretString"]
    )["introspection"]
    basic = base64.b64encode(f"introspection:{urllib.parse.quote_plus(secret)}".encode()).decode()
    form = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
    status, told = call("POST", f"{api}/oauth/introspect", f"token={alice.token}", form)
    check(f"introspection: {told}", (status, told.get("active"), told.get("sub")), (200, True, alice.id))

    template = (ROOT / "infra/examples/lambda-authorizer.yaml").read_text()
    status, example, failed = cloud.deploy("orders", template, {"AuthorizerArn": outputs["AuthorizerArn"]})
    check(f"the example deploys {failed}", status, "CREATE_COMPLETE")
    orders = cloud.api(example["ApiUrl"]) + "/orders"
    check("a caller without a token", call("GET", orders)[0], 401)
    check("a caller with another token", call("GET", orders, headers=bearer(alice.token[:-6] + "AAAAAA"))[0], 403)
    status, told = call("GET", orders, headers=bearer(alice.token))
    check("a caller with a token", (status, told), (200, {"caller": alice.id, "scope": "user premium"}))
    return orders


def api_gateways_own(cloud, binaries):
    """API Gateway's own JWT authorizer, which has to reach the issuer: that of a local stack."""
    with Local(binaries / "local") as address:
        eve = Person(cloud, address, "eve@example.com", lambda mark: mailed_locally(address, "eve@example.com", mark))
        template = (ROOT / "infra/examples/jwt-authorizer.yaml").read_text()
        status, example, failed = cloud.deploy("reports", template, {"Issuer": address})
        check(f"the example deploys {failed}", status, "CREATE_COMPLETE")
        api = cloud.api(example["ApiUrl"])
        check("no token", call("GET", f"{api}/orders")[0], 401)
        check("another token", call("GET", f"{api}/orders", headers=bearer(eve.token[:-6] + "AAAAAA"))[0], 401)
        check("a token", call("GET", f"{api}/orders", headers=bearer(eve.token))[1]["caller"], eve.id)
        check("a scope that it has not", call("GET", f"{api}/reports", headers=bearer(eve.token))[0], 403)


def mailed_locally(address, email, mark):
    letters = json.dumps([letter for letter in call("GET", f"{address}/_local/mailbox")[1] if letter["to"] == email])
    found = re.search(rf"{mark}\?token=([\w.-]+)", letters)
    return found and found.group(1)


def operated(cloud, api, outputs, alice, binaries):
    """What operators go by: metrics, alarms, bounces, and failures that are replayed."""
    resources = cloud.resources(STACK)
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=resources["ScrapeToken"])["SecretString"]
    scraped = call("GET", f"{api}/metrics", headers=bearer(json.loads(secret)["token"]))
    check(f"the metrics {scraped}", scraped[0], 200)
    settled = lambda: call("GET", f"{api}/metrics", headers=bearer(json.loads(secret)["token"]))[1]["users_total"] == 2
    until(60, "alice and root are counted, and bob no more", settled)
    check("a member asks for them", call("GET", f"{api}/metrics", headers=bearer("x" * 48))[0], 401)

    template = yaml_parse((ROOT / "infra/observability.yaml").read_text())["Resources"]
    alarms = [name for name, resource in template.items() if resource["Type"] == "AWS::CloudWatch::Alarm"]
    made = cloud.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    check("the alarms", len(made), len(alarms))
    check("an alarm tells the topic", all(alarm["AlarmActions"] == [outputs["AlarmTopicArn"]] for alarm in made), True)
    check("the dashboards", len(cloud.client("cloudwatch").list_dashboards()["DashboardEntries"]), 1)
    for name in [name for name in resources if name.endswith("Function")]:
        try:
            policy = cloud.client("lambda").get_policy(FunctionName=resources[name])["Policy"]
        except cloud.client("lambda").exceptions.ResourceNotFoundException:
            continue
        check(f"{name}'s resource policy of {len(policy)} bytes is small", len(policy) <= 16 * 1024, True)

    bounce = json.loads((ROOT / "events/bounces/bounce.json").read_text())
    bounce["detail"]["mail"]["tags"] = {"ses:configuration-set": [resources["MailConfiguration"]]}
    rule = next(rule for rule in cloud.client("events").list_rules()["Rules"] if "aws.ses" in rule.get("EventPattern", ""))
    fits = cloud.client("events").test_event_pattern
    check("a bounce of ours", fits(EventPattern=rule["EventPattern"], Event=json.dumps(bounce))["Result"], True)
    other = json.dumps(bounce).replace(resources["MailConfiguration"], "another stack's")
    check("a bounce of another stack", fits(EventPattern=rule["EventPattern"], Event=other)["Result"], False)
    # Nobody but AWS can send an event of `aws.ses`: what the rule would hand over is handed over.
    cloud.client("lambda").invoke(FunctionName=resources["BouncesFunction"], Payload=json.dumps(bounce))
    tokens = lambda: cloud.client("dynamodb").scan(TableName=resources["TokensTable"])["Items"]
    until(60, "the bounce is noted", lambda: any(item["pk"]["S"].startswith("DEAD#") for item in tokens()))

    # SES refuses for a while; what was due is sent after.
    mapping = lambda: cloud.client("lambda").list_event_source_mappings(FunctionName=resources["MailerFunction"])["EventSourceMappings"][0]
    role = cloud.client("lambda").get_function(FunctionName=resources["MailerFunction"])["Configuration"]["Role"].split("/")[-1]
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ses:SendEmail", "Resource": "*"}]}
    cloud.client("iam").put_role_policy(RoleName=role, PolicyName="refused", PolicyDocument=json.dumps(deny))
    before = alice.letters()
    check("a reset is asked for", alice.call("POST", "/auth/forgot-password", {"email": alice.email})[0], 200)
    until(60, "the mail fails", lambda: mapping()["LastProcessingResult"] == "FAILED")
    check("alice's mails", alice.letters(), before)
    cloud.client("iam").delete_role_policy(RoleName=role, PolicyName="refused")
    until(60, "the mail that was due", lambda: alice.letters() == before + 1)

    # The row that says that alice was mailed her link goes, and Lambda gives the record of it up.
    streams, users = cloud.client("dynamodbstreams"), cloud.client("dynamodb").describe_table(TableName=resources["UsersTable"])
    stream = users["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    of_alice = lambda record: record["dynamodb"].get("NewImage", {}).get("email", {}).get("S") == alice.email
    lost = [record["dynamodb"]["SequenceNumber"] for record in records if of_alice(record)]
    resets = [item for item in tokens() if item["pk"]["S"].startswith("MAIL#") and f"{alice.id}#password_changed" in item["sk"]["S"]]
    check("alice's mails", len(resets), 1)
    cloud.client("dynamodb").delete_item(TableName=resources["TokensTable"], Key={key: resets[0][key] for key in ("pk", "sk")})
    note = {
        "version": "1.0",
        "requestContext": {"functionArn": cloud.client("lambda").get_function(FunctionName=resources["MailerFunction"])["Configuration"]["FunctionArn"]},
        "DDBStreamBatchInfo": {"shardId": shard, "startSequenceNumber": lost[0], "endSequenceNumber": lost[-1], "streamArn": stream},
    }
    keys = {"AWS_ENDPOINT_URL": cloud.address, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    replay = lambda: subprocess.run([binaries / "replay", outputs["MailFailuresUrl"]], env=os.environ | keys, capture_output=True, text=True)
    cloud.client("sqs").send_message(QueueUrl=outputs["MailFailuresUrl"], MessageBody="{}")
    for time in ["first", "second"]:
        check(f"a replay of what nobody knows, the {time} one", replay().stdout.splitlines()[-1:], ["0 replayed, 1 left"])
    unknown = cloud.client("sqs").receive_message(QueueUrl=outputs["MailFailuresUrl"])["Messages"]
    cloud.client("sqs").delete_message(QueueUrl=outputs["MailFailuresUrl"], ReceiptHandle=unknown[0]["ReceiptHandle"])

    before = alice.letters()
    cloud.client("sqs").send_message(QueueUrl=outputs["MailFailuresUrl"], MessageBody=json.dumps(note))
    replayed = replay()
    check(f"a replay {replayed.stdout} {replayed.stderr}", replayed.stdout.splitlines()[-1], "1 replayed, none left")
    check("the mail that was lost is sent, and no other", alice.letters(), before + 1)
    check("a replay of nothing", replay().stdout, "0 replayed, none left\n")


def variant(cloud, template):
    """Another stack in the same account, with all that is optional."""
    status, acl, failed = cloud.deploy("waf", (ROOT / "infra/waf.yaml").read_text(), {})
    check(f"the web ACL deploys {failed}", status, "CREATE_COMPLETE")
    zone = cloud.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    parameters = PARAMETERS | {
        "Edge": "true",
        "WebAclArn": acl["WebAclArn"],
        "DomainName": "users.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1",
        "HostedZoneId": zone.split("/")[-1],
        "MailIdentity": "example.com",
        "AlarmEmail": "ops@example.com",
        "AuthReservedConcurrency": "0",
        "DeletionProtection": "false",
    }
    status, outputs, failed = cloud.deploy("other", template, parameters)
    check(f"the variant deploys {failed}", (status, outputs.get("EdgeUrl")), ("CREATE_COMPLETE", "https://users.example.com"))
    api = cloud.api(outputs["ApiUrl"])
    issuer = call("GET", f"{api}/.well-known/openid-configuration")[1]["issuer"]
    check("the issuer is the domain", issuer, "https://users.example.com")
    distributions = cloud.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    config = cloud.client("cloudfront").get_distribution_config(Id=distributions[0]["Id"])["DistributionConfig"]
    check("the distribution carries the web ACL", config["WebACLId"], acl["WebAclArn"])
    secret = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.resources("other")["OriginSecret"])["SecretString"]
    secret = json.loads(secret)["secret"]
    eve = Person(cloud, api, "eve@example.org")
    for proof, address in [(secret, "203.0.113.7"), ("x" * 48, None)]:
        way = {"x-origin-secret": proof, "x-client-address": "203.0.113.7"}
        eve.call("POST", "/auth/login", {"email": eve.email, "password": PASSWORD}, way)
        newest = max(eve.call("GET", "/api/v1/auth/sessions")[1], key=lambda session: datetime.fromisoformat(session["created_at"]))
        seen = newest["ip_address"] if proof == secret else (newest["ip_address"] == "203.0.113.7" or None)
        check("the client's address", seen, address)


def black_box_tests(cloud, template, tests):
    """The tests of tests/api, in a stack of their own. Answers what there is to say of them."""
    status, outputs, why = cloud.deploy("tests", template, PARAMETERS | black_box.PARAMETERS)
    check(f"a stack for the tests deploys {why}", status, "CREATE_COMPLETE")
    passed, needs, failed = black_box.run(cloud, cloud.api(outputs["ApiUrl"]), tests)
    check("tests of the API that fail at a deployment", failed, {})
    check(f"enough of them run: {passed}", passed > 100, True)
    told = [f"{passed} tests of the API passed at the deployment"]
    told += [f"  {count} need the local stack: {need}" for need, count in needs.most_common()]
    return told + [f"  not run, since {why}: {', '.join(names)}" for why, names in black_box.NOT_RUN.items()]


def rotates(cloud, api, alice):
    """The four steps, which the emulator does not drive by itself: too soon after the deployment they change nothing."""
    resources = cloud.resources(STACK)
    secret = cloud.client("secretsmanager").describe_secret(SecretId=resources["SigningKeys"])["ARN"]
    event = {"Step": "createSecret", "SecretId": secret, "ClientRequestToken": str(uuid.uuid4())}
    answer = cloud.client("lambda").invoke(FunctionName=resources["RotationFunction"], Payload=json.dumps(event))
    told = answer["Payload"].read().decode()
    check(f"a rotation that comes too soon: {told}", "less than 120 minutes ago" in told, True)
    check("a token", alice.call("GET", "/users/me")[0], 200)


def lives_on(cloud, api, template, alice, orders):
    """Updates in place, rolls back, and is deleted: what holds data stays."""
    before = cloud.resources(STACK)
    status, _, failed = cloud.deploy(STACK, template, PARAMETERS | {"AppName": "renamed", "AuthorizerCheckSession": "true"})
    check(f"an update {failed}", status, "UPDATE_COMPLETE")
    check("nothing is replaced", cloud.resources(STACK), before)
    check("the new name", call("GET", f"{api}/")[1]["service"], "renamed")
    check("a caller whose session lives", call("GET", orders, headers=bearer(alice.token))[0], 200)
    check("a logout", alice.call("POST", "/auth/logout")[0], 200)
    check("the same caller after it", call("GET", orders, headers=bearer(alice.token))[0], 403)
    alice.sign_in()
    broken = json.loads(template)
    # The authorizer makes no resources.
    token = {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}
    broken["Resources"]["Broken"] = {"Type": "Custom::Broken", "Properties": {"ServiceToken": token, "ServiceTimeout": "5"}}
    status, _, _ = cloud.deploy(STACK, json.dumps(broken), PARAMETERS | {"AppName": "broken"})
    check("a broken update", status, "UPDATE_ROLLBACK_COMPLETE")
    check("the old name", call("GET", f"{api}/")[1]["service"], "renamed")
    check("who was signed in", alice.call("GET", "/users/me")[0], 200)
    cloud.client("cloudformation").delete_stack(StackName=STACK)
    until(60, "the stack is deleted", lambda: STACK not in [
        stack["StackName"] for stack in cloud.client("cloudformation").describe_stacks()["Stacks"]
        if stack["StackStatus"] != "DELETE_COMPLETE"
    ])
    check("the tables stay", before["UsersTable"] in cloud.client("dynamodb").list_tables()["TableNames"], True)


def main(binaries, tests):
    with Cloud() as cloud:
        cloud.upload(pathlib.Path(binaries))
        cloud.client("ses").verify_email_identity(EmailAddress=PARAMETERS["MailFrom"])
        template = translated(cloud)
        status, outputs, failed = cloud.deploy(STACK, template, PARAMETERS)
        check(f"the template deploys {failed}", status, "CREATE_COMPLETE")
        api = cloud.api(outputs["ApiUrl"])
        alice = walk(cloud, api)
        orders = services(cloud, api, outputs, alice)
        api_gateways_own(cloud, pathlib.Path(binaries))
        operated(cloud, api, outputs, alice, pathlib.Path(binaries))
        rotates(cloud, api, alice)
        variant(cloud, template)
        lives_on(cloud, api, template, alice, orders)
        told = black_box_tests(cloud, template, tests)
    print("\n".join(told))
    print(f"deployment: {checks} checks passed")


if __name__ == "__main__":
    main(*sys.argv[1:])
