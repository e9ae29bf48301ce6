"""Delivering scores: the outbox handler of kind `score`."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grade_passback.ags import Caller, Callers, Refused, Unreadable, reading_of, redacted, result_of, trouble
from grade_passback.gradebook import Again, write_again
from grade_passback.line_items import SETTLES, LineItems, remember
from grade_passback.scores import Score, score_of
from grade_passback.wire import RESULT_SCOPE, SCORE_SCOPE, SCORE_TYPE, service_url
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Registration
from lti_tool.services import ServiceAnswer
from microcred.database import Clock, Database
from microcred.outbox import (
    Accepted,
    Blocked,
    Delivered,
    Handler,
    Job,
    OutboxRow,
    Outcome,
    Superseded,
    Throttled,
    Unverified,
)

_FACTS_KEPT = 5.0
_INACTIVE = 300.0


def make_handler(
    database: Database, clock: Clock, callers: Callers, *, settles: timedelta = SETTLES
) -> Handler:
    """The handler of kind `score`: posts the row's bytes to its line item and reads the answer by the
    platform's dialect. `settles`: after a lost answer to the making of a column, how long the platform may
    take to show it.
    """
    return _Delivery(database, clock, callers, settles)


@dataclass(frozen=True)
class _Post:
    """One score on its way."""

    job: Job
    caller: Caller
    url: str
    found_instead_of: str | None = None
    """The address that was gone, where `url` was found by searching."""

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.job.payload

    @property
    def scopes(self) -> list[str]:
        scopes: list[str] = self.payload["scopes"]
        return scopes

    @property
    def score(self) -> Score | None:
        return score_of(self.payload["content"])


class _Delivery:
    def __init__(self, database: Database, clock: Clock, callers: Callers, settles: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._callers = callers
        self._items = LineItems(database, clock, settles)
        self._registrations = Registrations(database)

    def __call__(self, job: Job) -> Outcome:
        facts = self._registrations.facts(job.payload["registration"])
        if facts is None or not facts.is_approved:
            return Throttled(reason="registration_inactive", after=_INACTIVE)
        if SCORE_SCOPE not in job.payload["scopes"]:
            return Blocked(reason="scope_missing")
        caller = self._callers.caller_for(facts)
        url = job.payload["url"]
        if url is not None:
            return self._send(_Post(job, caller, url))
        column = self._items.known(job.payload["column"], job.payload["line"], tuple(job.payload["scopes"]))
        if column.lineitem_url is not None:
            return self._send(_Post(job, caller, column.lineitem_url))
        found = self._items.find_or_make(caller, column)
        if not isinstance(found, str):
            return found
        return _remembering(self._send(_Post(job, caller, found)), job, found, None)

    def _send(self, post: _Post) -> Outcome:
        settled = self._settled_before(post)
        if settled is not None:
            return settled
        answer = post.caller.call(
            "POST",
            service_url(post.url, "scores"),
            scopes=post.scopes,
            content_type=SCORE_TYPE,
            body=post.payload["body"].encode("ascii"),
        )
        if answer.code is not None:
            return trouble(post.caller, answer)
        reading = reading_of(post.caller, answer)
        match reading.verdict:
            case "delivered":
                return Delivered(answer=redacted(answer))
            case "accepted":
                return Accepted(answer=redacted(answer))
            case "too_old":
                return self._too_old(post, answer)
            case "blocked" if reading.reason == "line_item_missing" and post.found_instead_of is None:
                return self._look_elsewhere(post, answer)
        return trouble(post.caller, answer, reading)

    def _settled_before(self, post: _Post) -> Outcome | None:
        """What a look at the present result says, where the dialect asks for one: a correction does not fight
        a grade that a teacher changed in the LMS, and a post that arrived although its answer was lost is not
        repeated where every post appends its comment."""
        dialect, before = post.caller.facts.dialect, post.payload["read_first"]
        again = post.payload.get("again", False)
        repeated = post.job.attempt > 1 and dialect.comment == "when_changed" and post.score is not None
        if (before is None and not repeated) or RESULT_SCOPE not in post.scopes:
            return None
        try:
            result = result_of(post.caller, post.url, post.payload["sub"], post.scopes)
        except Refused as refused:
            return trouble(post.caller, refused.answer)
        except Unreadable as unreadable:
            return trouble(post.caller, ServiceAnswer("bad_answer", unreadable.answer.status))
        if result.given is None:
            return None
        shown = {"result": result.given, "maximum": result.maximum}
        shown_before = before is not None and result.shows(score_of(before))
        if result.shows(post.score) and (again or (repeated and not shown_before)):
            return Delivered(answer=shown)
        if before is None or any(result.shows(score) for score in self._ours(post)):
            return None
        return Blocked(reason="conflict", answer=shown)

    def _ours(self, post: _Post) -> list[Score | None]:
        """What of ours may stand there: this score, the last one that was delivered, and those after it
        whose answer was lost."""
        contents = [post.payload["content"], post.payload["read_first"]]
        with self._database.reading() as session:
            tried = (
                select(OutboxRow.payload, OutboxRow.state)
                .where(
                    OutboxRow.order_key == post.job.order_key,
                    OutboxRow.id < post.job.id,
                    OutboxRow.attempts > 0,
                )
                .order_by(OutboxRow.id.desc())
                .limit(20)
            )
            for payload, state in session.execute(tried):
                contents.append(payload["content"])
                if state in ("delivered", "accepted"):
                    break
        return [score_of(content) for content in contents]

    def _too_old(self, post: _Post, answer: ServiceAnswer) -> Outcome:
        """The platform has a later timestamp: ours may stand there already (a lost answer), or somebody
        else's."""
        kept = redacted(answer)
        if RESULT_SCOPE not in post.scopes:
            return Unverified(reason="too_old", answer=kept)
        try:
            result = result_of(post.caller, post.url, post.payload["sub"], post.scopes)
        except Refused as refused:
            return trouble(post.caller, refused.answer)
        except Unreadable as unreadable:
            return trouble(post.caller, ServiceAnswer("bad_answer", unreadable.answer.status))
        kept |= {"result": result.given, "maximum": result.maximum}
        score = post.score
        if score is None:
            return Delivered(answer=kept) if result.given is None else Superseded(answer=kept)
        if result.shows(score):
            return Delivered(answer=kept)
        if post.payload.get("restamped"):
            return Blocked(reason="conflict", answer=kept)
        return Superseded(reason="stamped_again", answer=kept, record=self._again(post.job))

    def _again(self, job: Job) -> Callable[[Session], None]:
        def record(session: Session) -> None:
            row = session.get(OutboxRow, job.id)
            write_again(session, row, job.payload["line"], self._clock.now(), Again.RESTAMPED)

        return record

    def _look_elsewhere(self, post: _Post, answer: ServiceAnswer) -> Outcome:
        """The line item is gone: perhaps it has another address now. It is not made anew: somebody deleted
        it."""
        job = post.job
        column = self._items.known(job.payload["column"], job.payload["line"], tuple(post.scopes))
        found = self._items.find(post.caller, column)
        if found is None or found == post.url:
            return Blocked(reason="line_item_missing", answer=redacted(answer))
        if not isinstance(found, str):
            return found
        again = replace(post, url=found, found_instead_of=post.url)
        return _remembering(self._send(again), job, found, post.url)


class Registrations:
    """Registrations as they were within the last seconds: one row more or less must not cost a query."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[int, tuple[float, RegistrationFacts | None]] = {}
        self._lock = threading.Lock()

    def facts(self, registration_id: int) -> RegistrationFacts | None:
        """What is known of it; None where it is gone."""
        with self._lock:
            kept = self._kept.get(registration_id)
            if kept is not None and monotonic() - kept[0] < _FACTS_KEPT:
                return kept[1]
            if kept is not None:
                # One asks; the other threads go on with what they have.
                self._kept[registration_id] = (monotonic(), kept[1])
        with self._database.reading() as session:
            row = session.execute(select(*COLUMNS).where(Registration.id == registration_id)).first()
        facts = RegistrationFacts.of(row) if row is not None else None
        with self._lock:
            self._kept[registration_id] = (monotonic(), facts)
        return facts


def _remembering(outcome: Outcome, job: Job, url: str, instead_of: str | None) -> Outcome:
    """`outcome`, which also keeps the line item's address when it is stored."""
    inner = outcome.record

    def record(session: Session) -> None:
        remember(session, job.payload["column"], job.payload["line"], url, instead_of)
        if inner is not None:
            inner(session)

    return replace(outcome, record=record)
