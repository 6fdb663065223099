"""The tests of tests/api, through the API of a deployment."""

import collections
import os
import re
import subprocess

# Tests that go through the API alone and still fail there, for a reason that lies in the emulator.
KNOWN = {}
# As many admins as tests have one.
ADMINS = ",".join(f"root@a{number}.example.com" for number in range(80))
PARAMETERS = {"AdminEmails": ADMINS, "RateIpPerMinute": "0", "AuthReservedConcurrency": "0"}


def run(cloud, api, tests):
    """Runs every test. Answers how many passed, what others need that a deployment has not, and which failed."""
    settings = {"DEPLOYED_API": api, "DEPLOYED_MAILS": f"{cloud.address}/_ministack/ses/messages", "RUST_BACKTRACE": "0"}
    told = subprocess.run([tests, "--test-threads", "8"], env=os.environ | settings, capture_output=True, text=True).stdout
    outcomes = dict(re.findall(r"^test (\S+) \.\.\. (?:.*\n)??.*?(ok|FAILED)$", told, re.M))
    words = dict(re.findall(r"^---- (\S+) stdout ----\n(.*?)(?=^---- |^failures:$)", told, re.M | re.S))
    needs, failed = collections.defaultdict(list), {}
    for name, outcome in outcomes.items():
        need = re.search(r"this needs the local stack: (.*)", words.get(name, ""))
        if outcome == "FAILED" and need:
            needs[need.group(1)].append(name)
        elif outcome == "FAILED" and name not in KNOWN:
            failed[name] = words.get(name, "")
    passed = sum(outcome == "ok" for outcome in outcomes.values())
    return passed, needs, failed
