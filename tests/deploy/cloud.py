"""The emulator's process, and CloudFormation in it."""

import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

import boto3
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

REGION = "eu-central-1"
HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent


class Cloud:
    """An AWS emulator that enforces IAM, for as long as the `with` block lasts."""

    def __enter__(self):
        self.address = f"http://127.0.0.1:{free_port()}"
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+")
        settings = {
            "AUTH": "true",
            "AWS_ENDPOINT_URL": self.address,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": self.address.rsplit(":", 1)[1],
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "TMPDIR": self.folder.name,
        }
        self.process = subprocess.Popen(
            [sys.executable, HERE / "emulator.py"],
            cwd=self.folder.name,
            env=os.environ | settings,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        until(60, "the emulator answers", lambda: self.answers("/_ministack/health"))
        self.client("s3").create_bucket(
            Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        return self

    def __exit__(self, kind, *_):
        # The functions that it runs are processes of its group.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if kind:
            self.log.seek(0)
            print(self.log.read()[-8000:], file=sys.stderr)
        self.log.close()
        self.folder.cleanup()

    def answers(self, path):
        try:
            return call("GET", self.address + path)[0] < 500
        except OSError:
            return False

    def client(self, service):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **keys)

    def api(self, url):
        """Where the emulator serves the API whose address on AWS is `url`."""
        name = url.split("//")[1].split(".")[0]
        return f"{self.address}/_aws/execute-api/{name}/$default"

    def upload(self, binaries):
        """Puts each function's binary where `sam deploy` would put its zip."""
        for name in functions():
            binary = pathlib.Path(self.folder.name) / name
            subprocess.run(["strip", "-o", binary, binaries / name], check=True)
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o755 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, binary.read_bytes())
            self.client("s3").put_object(Bucket="artifacts", Key=f"{name}.zip", Body=archive.getvalue())

    def deploy(self, stack, template, parameters):
        """Makes or updates a stack. Answers its status, its outputs and why a resource failed."""
        self.client("s3").put_object(Bucket="artifacts", Key=f"{stack}.json", Body=template)
        formation = self.client("cloudformation")
        there = any(found["StackName"] == stack for found in formation.describe_stacks()["Stacks"])
        (formation.update_stack if there else formation.create_stack)(
            StackName=stack,
            TemplateURL=f"{self.address}/artifacts/{stack}.json",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        found = until(180, f"{stack} is deployed", lambda: self.settled(stack))
        events = formation.describe_stack_events(StackName=stack)["StackEvents"]
        failed = [event.get("ResourceStatusReason") for event in events if "FAILED" in event["ResourceStatus"]]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        return found["StackStatus"], outputs, failed

    def settled(self, stack):
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    def resources(self, stack):
        """The physical ids of a stack's resources."""
        found = self.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


class Local:
    """The local stack, for as long as the `with` block lasts; its address, which is the issuer."""

    def __init__(self, binary):
        self.binary = binary

    def __enter__(self):
        address = f"http://localhost:{free_port()}"
        settings = {"DATA_DIR": ":memory:", "PORT": address.rsplit(":", 1)[1], "AWS_PORT": "0", "LOG_LEVEL": "ERROR"}
        self.process = subprocess.Popen([self.binary], env=os.environ | settings, stdout=subprocess.DEVNULL)

        def answers():
            try:
                return call("GET", f"{address}/healthz")[0] == 200
            except OSError:
                return False

        until(60, "the local stack answers", answers)
        return address

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def functions():
    """The binaries that the template deploys."""
    resources = yaml_parse((ROOT / "template.yaml").read_text())["Resources"].values()
    deployed = [resource for resource in resources if resource["Type"] == "AWS::Serverless::Function"]
    return [resource["Metadata"]["BuildProperties"]["Binary"] for resource in deployed]


def translated(cloud):
    """The template as CloudFormation gets it from SAM."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            binary = resource["Metadata"]["BuildProperties"]["Binary"]
            resource["Properties"]["CodeUri"] = f"s3://artifacts/{binary}.zip"
        if resource["Type"] == "AWS::CloudFormation::Stack":
            nested = (ROOT / resource["Properties"]["TemplateURL"]).read_bytes()
            key = resource["Properties"]["TemplateURL"]
            cloud.client("s3").put_object(Bucket="artifacts", Key=key, Body=nested)
            resource["Properties"]["TemplateURL"] = f"{cloud.address}/artifacts/{key}"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    return json.dumps(transform(template, {}, ManagedPolicyLoader(cloud.client("iam"))))


def until(seconds, what, condition):
    """Asks for something until it is there."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.2)


def call(method, url, body=None, headers=None):
    """A request. Answers status and body, as JSON where it is JSON."""
    headers = {"accept": "application/json"} | (headers or {})
    if body is not None and "content-type" not in headers:
        headers["content-type"] = "application/json"
        body = json.dumps(body)
    data = body.encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text
