"""Trying the whole way to an LMS without touching anybody's grade: keys, token, column, score, people.

A column of the test's own is made and removed. The score names nobody who exists, so that no cell, no mail
and no activity stream of a learner changes: an LMS that answers "no such person" has read our token, our
permission and our score.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from grade_passback.ags import Caller, Unreadable, read_line_item, reading_of
from grade_passback.wire import (
    LINE_ITEM_SCOPE,
    LINE_ITEM_TYPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
    SCORE_TYPE,
    service_url,
    stamp_text,
)
from lti_tool import roster
from lti_tool.facts import RegistrationFacts
from lti_tool.protocol.connector import ServiceClient
from lti_tool.protocol.names import SCOPE_MEMBERS
from lti_tool.services import ServiceAnswer, Services
from microcred.outgoing import Outgoing, OutgoingError

Step = Literal["launch", "key", "token", "line item", "score", "roster"]
LABEL = "Connection check (removed at once)"
_AWAY = ("dns", "connect", "timeout", "dropped", "token_unavailable", "throttled")
_JWKS_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Subject:
    """What is tried: a registration, and the course that it was last opened from."""

    facts: RegistrationFacts
    launched_at: datetime | None
    course: str = ""
    lineitems_url: str | None = None
    scopes: tuple[str, ...] = ()
    memberships_url: str | None = None


@dataclass(frozen=True)
class Tried:
    """What came of one step; `ok` is None where it could not be tried yet."""

    step: Step
    ok: bool | None
    says: str


def try_all(services: Services, subject: Subject, when: str, now: datetime) -> tuple[Tried, ...]:
    """Every step, in the order in which an administrator would mend them. `when` says the last launch in
    words. Outside any transaction; never raises for what the LMS does.
    """
    return tuple(_steps(services, subject, when, now))


def _steps(services: Services, subject: Subject, when: str, now: datetime) -> Iterator[Tried]:
    mend = subject.facts.dialect.mending
    if subject.launched_at is None:
        yield Tried("launch", None, f"Nobody has opened the tool from there yet. {mend['no_launch']}")
    else:
        yield Tried(
            "launch", True, f"Opened last {when}{f' from {subject.course}' if subject.course else ''}."
        )
    yield _key(services.outgoing, subject.facts)
    caller = services.caller_for(subject.facts)
    token = _token(services, subject)
    yield token
    if not token.ok:
        for step in ("line item", "score", "roster"):
            yield Tried(step, None, "Not tried, since the LMS gives us no access.")
        return
    yield from _gradebook(caller, subject, now)
    yield _roster(services, subject)


def _key(outgoing: Outgoing, facts: RegistrationFacts) -> Tried:
    wrong = facts.dialect.mending["keys"]
    try:
        answer = outgoing.request(
            "GET",
            facts.jwks_url,
            headers={"Accept": "application/json"},
            deadline=10,
            max_bytes=_JWKS_BYTES,
        )
        keys = json.loads(answer.body)["keys"] if answer.status == 200 else []
    except (OutgoingError, ValueError, LookupError, TypeError, RecursionError):
        keys = []
    if not isinstance(keys, list) or not keys:
        return Tried("key", False, wrong)
    return Tried("key", True, f"Its key set can be read ({len(keys)} {'key' if len(keys) == 1 else 'keys'}).")


def _token(services: Services, subject: Subject) -> Tried:
    """A fresh token, so that an old one hides no trouble; asks for what is granted."""
    wanted = sorted(set(subject.scopes) | ({SCOPE_MEMBERS} if subject.memberships_url else set()))
    problem = services.tokens.check(subject.facts, wanted or [SCOPE_MEMBERS])
    if problem is None:
        return Tried("token", True, "The LMS knows our signature and gives us access.")
    return Tried("token", False, _say(subject, problem, "token"))


def _gradebook(caller: Caller, subject: Subject, now: datetime) -> Iterator[Tried]:
    mend = subject.facts.dialect.mending
    if subject.lineitems_url is None:
        yield Tried("line item", None if subject.launched_at is None else False, mend["no_gradebook"])
        yield Tried("score", None, "Not tried without a column.")
        return
    if LINE_ITEM_SCOPE not in subject.scopes:
        yield Tried("line item", False, mend["column"])
        yield Tried("score", None, "Not tried without a column of our own.")
        return
    body = {"label": LABEL, "scoreMaximum": 1, "resourceId": "connection-check", "tag": "check"}
    made = _send(caller, "POST", subject.lineitems_url, [LINE_ITEM_SCOPE], LINE_ITEM_TYPE, body)
    try:
        address = read_line_item(made).url if made.ok else None
    except Unreadable:
        address = None
    if address is None:
        yield Tried("line item", False, _say(subject, made, "column"))
        yield Tried("score", None, "Not tried without a column.")
        return
    try:
        score = _score(caller, subject, address, now)
    finally:
        removed = caller.call("DELETE", address, scopes=[LINE_ITEM_SCOPE])
    if removed.ok or removed.status == 404:
        yield Tried("line item", True, "A column was made and removed again.")
    else:
        yield Tried("line item", False, mend["column_left"].format(label=LABEL))
    yield score


def _score(caller: Caller, subject: Subject, address: str, now: datetime) -> Tried:
    if SCORE_SCOPE not in subject.scopes:
        return Tried("score", False, subject.facts.dialect.mending["score"])
    body = {
        "userId": subject.facts.dialect.nobody,
        "scoreGiven": 0,
        "scoreMaximum": 1,
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "timestamp": stamp_text(now),
    }
    answer = _send(caller, "POST", service_url(address, "scores"), [SCORE_SCOPE], SCORE_TYPE, body)
    if answer.code is not None:
        return Tried("score", False, _say(subject, answer, "score"))
    reading = reading_of(caller, answer)
    if reading.verdict in ("throttled", "retry"):
        return Tried("score", None, subject.facts.dialect.mending["away"])
    if answer.status in (401, 403) or reading.reason in ("scope_missing", "auth_failed", "course_closed"):
        return Tried("score", False, subject.facts.dialect.mending["score"])
    says = "Scores are read; this one named nobody, so no grade changed."
    if RESULT_SCOPE not in subject.scopes:
        says += " What the gradebook shows cannot be read back; allow that too."
    return Tried("score", True, says)


def _roster(services: Services, subject: Subject) -> Tried:
    mend = subject.facts.dialect.mending
    if subject.memberships_url is None:
        return Tried("roster", None if subject.launched_at is None else False, mend["no_roster"])
    found = roster.read_roster(ServiceClient(services.caller_for(subject.facts)), subject.memberships_url)
    if not found.is_whole:
        away = found.problem in _AWAY
        return Tried("roster", None if away else False, mend["away" if away else "roster"])
    count = len(found.members)
    named = sum(member.name is not None for member in found.members)
    says = f"{count} {'person' if count == 1 else 'people'} in the course"
    return Tried("roster", True, f"{says}{'' if named == count else f', {count - named} without a name'}.")


def _say(subject: Subject, answer: ServiceAnswer, trouble: str) -> str:
    mend = subject.facts.dialect.mending
    if answer.code in _AWAY or (answer.code is None and (answer.status or 0) >= 500):
        return mend["away"]
    return mend["scope"] if answer.code == "scope_missing" else mend[trouble]


def _send(
    caller: Caller, method: str, url: str, scopes: list[str], media_type: str, body: dict[str, object]
) -> ServiceAnswer:
    # Compact, since Moodle cannot answer a refused body that has newlines.
    data = json.dumps(body, separators=(",", ":")).encode()
    return caller.call(method, url, scopes=scopes, accept=media_type, content_type=media_type, body=data)
