"""The outbox's work for backpacks: send a badge with tokens that are good, renew them, tell how it ended."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from microcred import outbox
from microcred.badges.backpack import connections, oauth
from microcred.badges.backpack.errors import BackpackError
from microcred.badges.backpack.hosts import HostFacts
from microcred.badges.backpack.models import Backpack, BackpackHost
from microcred.badges.backpack.oauth import Client, Tokens
from microcred.badges.backpack.push import Pushed, push
from microcred.badges.models import Badge
from microcred.credentials.models import Award
from microcred.database import Clock, Database
from microcred.outbox.models import OutboxRow
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring, SealBroken

_EARLY = timedelta(seconds=60)
"""Tokens are renewed so long before they end."""
_RENEWING = timedelta(seconds=60)
_PAUSE = 1800.0
"""After an answer that is none: Open Badges 2.1, section 5.3 (retry after 30 minutes, twice, then tell)."""
_TRIES = 3
_GIVE_UP = timedelta(hours=71)
"""Just before the outbox itself would: then the person is told in words."""


@dataclass(frozen=True)
class _Work:
    """Everything one push needs, read in one transaction."""

    award_id: int
    backpack_id: int
    host: HostFacts
    client: Client
    tokens: Tokens
    badge: Mapping[str, Any]


class Deliverer:
    """Handler of outbox kind `backpack`."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock, outgoing: Outgoing) -> None:
        self._database, self._keyring, self._clock, self._outgoing = database, keyring, clock, outgoing

    def deliver(self, job: outbox.Job) -> outbox.Outcome:
        """Send one badge, or have a host forget the tokens of a disconnected backpack."""
        if "revoke" in job.payload:
            return self._revoke(job)
        try:
            work = self._read(job)
            if work is None:
                return outbox.Superseded(reason="nothing_to_send")
            if isinstance(work, str):
                return self._stopped(job, "needs_reconnect", work)
            return self._send(job, work)
        except SealBroken:
            return self._stopped(job, "needs_reconnect", "key_lost")
        except _Renewing:
            return outbox.Retry(reason="renewing", after=5, destination_failed=False)
        except BackpackError as error:
            return self._failed(job, error)

    def _read(self, job: outbox.Job) -> _Work | str | None:
        """What to send; a code where the backpack must be connected again; None for nothing."""
        award_id, backpack_id = int(job.payload["award"]), int(job.payload["backpack"])
        with self._database.reading() as session:
            backpack = session.get(Backpack, backpack_id)
            badge = session.scalar(select(Badge).where(Badge.award_id == award_id))
            award = session.get(Award, award_id)
            if backpack is None or badge is None or award is None or badge.issued_at is None:
                return None
            if backpack.state == "disconnected" or award.revoked_at is not None:
                return None
            if backpack.state == "needs_reconnect" or backpack.sealed_tokens is None:
                return "signed_out"
            host = session.get_one(BackpackHost, backpack.host_id)
            facts = connections.facts_of(host)
            document = badge.ob3 if facts.protocol == "ob3" else badge.ob2_assertion
            assert document is not None
            return _Work(
                award_id,
                backpack_id,
                facts,
                connections.client_of(self._keyring, host),
                connections.open_tokens(self._keyring, backpack.sealed_tokens, backpack.tokens_expire_at),
                document,
            )

    def _send(self, job: outbox.Job, work: _Work) -> outbox.Outcome:
        tokens, renewed = work.tokens, False
        ends = tokens.expires_at
        if ends is not None and ends <= self._clock.now() + _EARLY and tokens.refresh_token:
            tokens, renewed = self._renew(work, tokens), True
        pushed = self._push(work, tokens)
        if pushed.state == "unauthorized" and tokens.refresh_token and not renewed:
            pushed = self._push(work, self._renew(work, tokens))
        return self._outcome(job, pushed)

    def _push(self, work: _Work, tokens: Tokens) -> Pushed:
        return push(self._outgoing, work.host.protocol, work.host.api_base, tokens.access_token, work.badge)

    def _renew(self, work: _Work, tokens: Tokens) -> Tokens:
        """New tokens, kept before they are used. Raises _Renewing while another worker does the same."""
        assert tokens.refresh_token is not None
        now = self._clock.now()
        with self._database.writing() as session:
            mine = session.execute(
                update(Backpack)
                .where(
                    Backpack.id == work.backpack_id,
                    or_(Backpack.renewing_until.is_(None), Backpack.renewing_until <= now),
                )
                .values(renewing_until=now + _RENEWING)
            )
            row = session.get_one(Backpack, work.backpack_id, populate_existing=True)
            if mine.rowcount != 1 or row.sealed_tokens is None:  # type: ignore[attr-defined]
                raise _Renewing
            current = connections.open_tokens(self._keyring, row.sealed_tokens, row.tokens_expire_at)
            if current.access_token != tokens.access_token:  # another worker has renewed them meanwhile
                row.renewing_until = None
                return current
        try:
            fresh = oauth.refresh(self._outgoing, work.host, work.client, tokens.refresh_token, now=now)
        except BackpackError:
            self._keep(work.backpack_id, None)
            raise
        self._keep(work.backpack_id, fresh)
        return fresh

    def _keep(self, backpack_id: int, tokens: Tokens | None) -> None:
        with self._database.writing() as session:
            row = session.get(Backpack, backpack_id)
            if row is None or row.sealed_tokens is None:
                return
            row.renewing_until = None
            if tokens is not None:
                row.sealed_tokens = connections.seal_tokens(self._keyring, tokens)
                row.tokens_expire_at = tokens.expires_at

    def _outcome(self, job: outbox.Job, pushed: Pushed) -> outbox.Outcome:
        match pushed.state:
            case "sent" | "already_there":
                record = self._note(job, pushed.state, pushed.reason)
                return outbox.Delivered(answer=pushed.answer, record=record)
            case "unauthorized":
                return self._stopped(job, "needs_reconnect", "signed_out", pushed.answer)
            case "refused":
                return self._stopped(job, "refused", pushed.reason, pushed.answer)
            case "rest":
                note = self._note(job, "queued", "throttled")
                return outbox.Throttled(after=pushed.after, answer=pushed.answer, record=note)
            case "later":
                if job.attempt >= _TRIES:
                    return self._stopped(job, "refused", "not_answering", pushed.answer)
                return outbox.Retry(
                    reason=pushed.reason,
                    after=pushed.after or _PAUSE,
                    answer=pushed.answer,
                    record=self._note(job, "queued", "not_answering"),
                )

    def _failed(self, job: outbox.Job, error: BackpackError) -> outbox.Outcome:
        match error.code:
            case "grant_refused":
                return self._stopped(job, "needs_reconnect", "signed_out")
            case "throttled":
                note = self._note(job, "queued", "throttled")
                return outbox.Throttled(after=error.after, record=note)
            case "unreachable" if self._clock.now() - job.first_tried_at < _GIVE_UP:
                note = self._note(job, "queued", "not_answering")
                return outbox.Retry(reason="not_answering", after=error.after, record=note)
            case "unreachable":
                return self._stopped(job, "refused", "not_answering")
        return self._stopped(job, "refused", error.code)

    def _stopped(
        self, job: outbox.Job, state: str, reason: str, answer: Mapping[str, Any] | None = None
    ) -> outbox.Outcome:
        """A person must do something first: connect again, or read why."""
        return outbox.Blocked(reason=reason, answer=answer, record=self._note(job, state, reason))

    def _note(self, job: outbox.Job, state: str, reason: str | None) -> Callable[[Session], None]:
        award_id, backpack_id = int(job.payload["award"]), int(job.payload["backpack"])

        def record(session: Session) -> None:
            now = self._clock.now()
            connections.set_push(session, award_id, backpack_id, state, reason, now)
            if state == "needs_reconnect":
                session.execute(
                    update(Backpack)
                    .where(Backpack.id == backpack_id, Backpack.state == "connected")
                    .values(state="needs_reconnect", changed_at=now)
                )

        return record

    def _revoke(self, job: outbox.Job) -> outbox.Outcome:
        with self._database.reading() as session:
            host = session.get_one(BackpackHost, int(job.payload["host"]))
            facts = connections.facts_of(host)
            try:
                client = connections.client_of(self._keyring, host)
                sealed = base64.b64decode(job.payload["revoke"])
                tokens = connections.open_tokens(self._keyring, sealed, None)
            except SealBroken:
                return outbox.Superseded(reason="key_lost", record=_emptied(job))
        if facts.revocation_url is None:
            # Badgr offers no revocation; what was asked of an address it does not name answered 500.
            return outbox.Delivered(answer={"revoked": "not offered"}, record=_emptied(job))
        try:
            done = oauth.revoke(self._outgoing, facts.revocation_url, client, tokens)
        except BackpackError as error:
            return outbox.Retry(reason=error.code, after=error.after)
        if not done:
            return outbox.Retry(reason="not_revoked", destination_failed=False)
        return outbox.Delivered(answer={"revoked": "yes"}, record=_emptied(job))


class _Renewing(Exception):
    """Another worker uses the refresh token just now."""


def _emptied(job: outbox.Job) -> Callable[[Session], None]:
    """Nothing of the tokens stays in the row once they are revoked."""

    def record(session: Session) -> None:
        session.execute(
            update(OutboxRow).where(OutboxRow.id == job.id).values(payload={"host": job.payload["host"]})
        )

    return record
