"""The tests of tests/api, through the API of a deployment."""

import collections
import os
import re
import subprocess

# What is not run at a deployment, and why. What needs the local stack says so itself.
NOT_RUN = {
    "all tests share one stack": [
        "auth::me::a_token_of_another_stack_is_refused",
        "stack::an_account_with_all_its_sessions_stays_under_two_kib",
        "auth::register::every_path_registers_and_answers_with_tokens_and_the_user",
        "system::metrics::admins_and_scrapers_read_them_and_nobody_else",
        "users::audit::the_trail_is_walked_by_cursor_and_read_by_admins_alone",
        "users::delete_user::deleting_ends_the_account_at_once_and_frees_address_and_username",
        "users::search::",
        "users::update_user::absent_is_unchanged_and_null_clears",
        "users::update_user::the_last_admin_stays_however_they_race",
    ],
    "the issuer's address leads nowhere": [
        "conventions::nothing_of_a_mail_comes_from_the_request",
        "system::openid_configuration::the_issuer_leads_to_keys_and_endpoints_that_answer",
        "system::root::a_program_gets_json_and_a_browser_a_page_of_links",
        "tokens::",
        "users::start_export::one_document_holds_everything_and_a_mail_brings_the_link",
    ],
    "the emulator takes larger bodies than API Gateway": ["conventions::ten_megabytes_are_refused_by_the_gateway_in_its_own_words"],
    "the emulator is one process of Python": [
        "attempts::submit::whoever_reads_while_others_write_finds_no_contradiction",
        "auth::login::two_hundred_guesses_at_once_compare_exactly_three",
        "auth::timing::",
    ],
    "it starts functions of its own": ["runtime::"],
}
# As many admins as tests have one.
ADMINS = ",".join(f"root@a{number}.example.com" for number in range(80))
PARAMETERS = {"AdminEmails": ADMINS, "RateIpPerMinute": "0", "AuthReservedConcurrency": "0"}


def run(cloud, api, tests):
    """Runs every test that can be. Answers how many passed, how many others need what a deployment has not, and which failed."""
    settings = {"DEPLOYED_API": api, "DEPLOYED_MAILS": f"{cloud.address}/_ministack/ses/messages", "RUST_BACKTRACE": "0", "RUST_MIN_STACK": "4194304"}
    skipped = [argument for names in NOT_RUN.values() for name in names for argument in ("--skip", name)]
    command = [tests, "--test-threads", "8", *skipped]
    told = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True).stdout
    words = dict(re.findall(r"^---- (\S+) stdout ----\n(.*?)(?=^---- |^failures:$)", told, re.M | re.S))
    passed = re.search(r"^test result: .* (\d+) passed; (\d+) failed;", told, re.M)
    needs, failed = collections.Counter(), {}
    for name, said in words.items():
        need = re.search(r"this needs the local stack: (.*)", said)
        if need:
            needs[need.group(1)] += 1
        else:
            failed[name] = said
    if not passed or int(passed.group(2)) != len(words):
        failed["the run itself"] = told[-2000:]
        return 0, needs, failed
    return int(passed.group(1)), needs, failed
