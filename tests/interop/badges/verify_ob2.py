"""Judges Open Badges 2.0 with 1EdTech's own validator (`openbadges` 1.1.2).

    python verify_ob2.py [--recipient KIND=VALUE] BADGE...

A BADGE is the address of a hosted assertion, a picture that carries one, or a file (.jws) with a signed
one. The validator reads the OB 2.0 context from the web: here that one address is answered from the copy
inside its package. Loopback addresses are really fetched; any other is refused. Prints one line of JSON a
badge, {badge, valid, problems}; the exit status is 0 when all are valid. Runs in an environment of its own
(install_judges.py).
"""

import argparse
import io
import json
import sys
from typing import Any
from urllib.parse import urlsplit

import png  # type: ignore[import-not-found]
import requests
from openbadges import verify  # type: ignore[import-not-found]
from openbadges.verifier.openbadges_context import (  # type: ignore[import-not-found]
    OPENBADGES_CONTEXT_V2_DICT,
)
from openbadges_bakery import unbake  # type: ignore[import-not-found]
from requests.adapters import HTTPAdapter

CONTEXTS = ("https://w3id.org/openbadges/v2", "https://openbadgespec.org/v2/context.json")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
really_send = HTTPAdapter.send


def send(
    self: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any
) -> requests.Response:
    assert request.url
    if request.url in CONTEXTS:
        return context_answer(request)
    if urlsplit(request.url).hostname not in LOOPBACK:
        raise requests.ConnectionError(f"not fetched, since it is not on this machine: {request.url}")
    return really_send(self, request, *args, **options)


def context_answer(request: requests.PreparedRequest) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.url, answer.encoding = 200, request.url or "", "utf-8"
    answer.request = request
    answer.headers["Content-Type"] = "application/ld+json"
    answer.raw = io.BytesIO(json.dumps(OPENBADGES_CONTEXT_V2_DICT).encode())
    return answer


def judge(badge: str, recipient: dict[str, str] | None) -> dict[str, Any]:
    given: str | io.BytesIO = badge
    if badge.endswith(".jws"):
        with open(badge) as file:
            given = file.read()
    elif not badge.startswith("http"):
        with open(badge, "rb") as file:
            given = io.BytesIO(file.read())
        given.name = badge  # the validator asks for a file's name
        if badge.endswith(".svg"):
            given = unbake(given).decode()  # the bakery gives bytes here, which the validator does not read
    profile = dict(recipient) if recipient else None  # the validator writes into it
    try:
        report = verify(given, recipient_profile=profile, use_cache=False, cache_backend=None)["report"]
    except png.Error as damaged:
        return {"badge": badge, "valid": False, "problems": [str(damaged)]}
    problems = [message["result"] for message in report["messages"] if message["messageLevel"] == "ERROR"]
    if recipient and report.get("recipientProfile") != recipient:
        problems.append("the recipient was not recognised")
    return {"badge": badge, "valid": report["valid"] and not problems, "problems": problems}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("badges", nargs="+")
    arguments.add_argument("--recipient")
    options = arguments.parse_args()
    recipient = dict([tuple(options.recipient.split("=", 1))]) if options.recipient else None
    HTTPAdapter.send = send  # type: ignore[method-assign]
    verdicts = [judge(badge, recipient) for badge in options.badges]
    for verdict in verdicts:
        print(json.dumps(verdict))
    sys.exit(not all(verdict["valid"] for verdict in verdicts))


main()
