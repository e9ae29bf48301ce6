"""Asking a platform for its notices (Platform Notification Service 1.0): a launch names the service, a row of
the outbox subscribes.

A platform may forget (a tool installed anew there has no handlers), so the asking is repeated by the first
launch a week later. Nobody waits for it: the histories that launches carry say the same of a copied course.
"""

import hashlib
import json
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Registration
from lti_tool.protocol.names import CONTEXT_COPY_NOTICE, SCOPE_NOTICES
from lti_tool.registrations import destination_of
from lti_tool.services import ServiceAnswer, Services
from lti_tool.settings import LtiSettings
from microcred import outbox
from microcred.database import Clock, Database

KIND = "notices"
AGAIN = timedelta(days=7)
_LOOK_EVERY = timedelta(hours=1)
"""One process looks at most so often whether a deployment's subscription is due."""
_KEPT = 10_000
_TEMPORARY = ("dns", "connect", "timeout", "dropped", "throttled", "token_unavailable")


class Subscriptions:
    """Plans subscriptions from what launches say."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looked: dict[str, float] = {}

    def offered(self, facts: RegistrationFacts, deployment_id: str, url: str) -> None:
        """A signed launch of a deployment named the address of its notification service."""
        key = _order_key(facts, deployment_id, url)
        now = self._clock.now()
        if self._looked.get(key, 0.0) > now.timestamp():
            return
        if len(self._looked) >= _KEPT:
            self._looked.clear()
        self._looked[key] = (now + _LOOK_EVERY).timestamp()
        with self._database.reading() as session:
            due = _is_due(session, key, self._clock)
        if not due:
            return
        with self._database.writing() as session:
            outbox.add(
                session,
                kind=KIND,
                destination=destination_of(facts.row_id),
                order_key=key,
                subject=("registration", facts.public_id),
                payload={"registration": facts.row_id, "url": url},
                now=now,
            )


def handler(database: Database, services: Services, settings: LtiSettings) -> outbox.Handler:
    """The handler of kind `notices`: tells the platform where its course copies are to be reported."""

    def handle(job: outbox.Job) -> outbox.Outcome:
        with database.reading() as session:
            row = session.execute(
                select(*COLUMNS).where(Registration.id == job.payload["registration"])
            ).one_or_none()
        facts = RegistrationFacts.of(row) if row is not None else None
        if facts is None or not facts.is_approved:
            return outbox.Superseded(reason="registration_inactive")
        wanted = {
            "notice_type": CONTEXT_COPY_NOTICE,
            "handler": f"{settings.notices_url}/{facts.public_id}",
        }
        answer = services.caller_for(facts).call(
            "PUT",
            job.payload["url"],
            scopes=[SCOPE_NOTICES],
            accept="application/json",
            content_type="application/json",
            body=json.dumps(wanted, separators=(",", ":")).encode(),
        )
        return _outcome(answer)

    return handle


def _outcome(answer: ServiceAnswer) -> outbox.Outcome:
    said = {"code": answer.code, "status": answer.status}
    if answer.ok:
        return outbox.Delivered(answer=said)
    status = answer.status or 0
    if answer.code in _TEMPORARY or status == 429 or status >= 500:
        # Grades go to the same platform, and must not wait because this does.
        reason = answer.code or "lms_down"
        return outbox.Retry(reason=reason, after=answer.after, destination_failed=False, answer=said)
    refused = answer.code == "scope_missing" or status in (401, 403)
    return outbox.Blocked(reason="scope_missing" if refused else "config_error", answer=said)


def _order_key(facts: RegistrationFacts, deployment_id: str, url: str) -> str:
    named = hashlib.sha256(f"{deployment_id}\n{url}".encode()).hexdigest()[:32]
    return f"{KIND}:{facts.row_id}:{named}"


def _is_due(session: Session, order_key: str, clock: Clock) -> bool:
    asked = select(outbox.OutboxRow.id).where(
        outbox.OutboxRow.order_key == order_key, outbox.OutboxRow.created_at > clock.now() - AGAIN
    )
    return session.scalar(asked.limit(1)) is None
