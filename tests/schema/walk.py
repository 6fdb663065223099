"""Starts a stack in memory, signs an admin in, and hands both to schemathesis."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

EMAIL, PASSWORD = "root@example.com", "correct-horse-battery"
# Operations that end the session that calls them, or take the account away.
ENDING = "^(logout|logout_all|revoke|delete_user|end_session|change_password)"
# Limits so wide that none is met: what is looked at are answers, not the limiter.
SETTINGS = {
    "DATA_DIR": ":memory:",
    "AWS_PORT": "0",
    "LOG_LEVEL": "off",
    "ADMIN_EMAILS": EMAIL,
    "RATE_IP_PER_MINUTE": "1000000",
    "RATE_LOGIN_PER_MINUTE": "1000000",
    "RATE_REGISTER_PER_HOUR": "1000000",
    "RATE_RESET_PER_HOUR": "1000000",
    "RATE_RESET_PER_DAY": "1000000",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url: str, body: object | None = None) -> object:
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "accept": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.load(answer)


def ready(api: str) -> None:
    for _ in range(600):
        try:
            ask(f"{api}/healthz")
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the stack does not answer")


def signed_in(api: str) -> str:
    credentials = {"email": EMAIL, "password": PASSWORD}
    ask(f"{api}/auth/register", credentials)
    letters = ask(f"{api}/_local/mailbox")
    link = re.search(r"/verify-email\?token=(\S+)", letters[0]["text"])
    ask(f"{api}/api/v1/auth/verify-email", {"token": link.group(1)})
    return ask(f"{api}/auth/login", credentials)["access_token"]


def walk(local: str, schemathesis: str, choice: str, more: list[str]) -> int:
    port = free_port()
    api = f"http://127.0.0.1:{port}"
    stack = subprocess.Popen([local], env={**os.environ, **SETTINGS, "PORT": str(port)}, stdout=subprocess.DEVNULL)
    try:
        ready(api)
        config = pathlib.Path(__file__).with_name("schemathesis.toml")
        arguments = [schemathesis, "--config-file", str(config), "run", f"{api}/openapi.json", "--url", api]
        arguments += [choice, ENDING, "--header", f"Authorization: Bearer {signed_in(api)}", *more]
        return subprocess.run(arguments, check=False).returncode
    finally:
        stack.kill()
        stack.wait()


def main() -> int:
    local, schemathesis, *more = sys.argv[1:]
    # Everything that leaves the caller signed in; and then the rest, which ends its own session sooner or later.
    choices = ["--exclude-operation-id-regex", "--include-operation-id-regex"]
    return max(walk(local, schemathesis, choice, more) for choice in choices)


if __name__ == "__main__":
    sys.exit(main())
