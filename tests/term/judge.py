"""The referee of a term: reads the database and the folder of mails, and counts what must be zero.

Dates, turns and notices are counted here a second time, by rules of its own.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import (
    Attempt,
    CredentialVersion,
    EvidenceItem,
    Pursuit,
    Response,
    Review,
)
from microcred.credentials.review_models import Anchor, CalibrationRound
from microcred.credentials.steps import TABLE, Reader, SendMail
from microcred.outbox import OutboxRow
from microcred.people.models import AuditEvent, Notice, NoticeChoice
from tests.support.fairness import broken_rules
from tests.term import plan
from tests.term.promises import Promise, promises
from tests.term.teachers import Teacher

_OWNERS = {row.audit for row in TABLE for follow in row.follows if follow == SendMail(Reader.OWNER)}
"""Turns of which the teacher is told."""
_ALWAYS_MAILED = ("try_denied", "award_revoked", "appeal_lost")
"""Decisions against somebody: the days in which they may appeal run from there."""
_MARK = re.compile(r"\bm\d+x\d+\b")
_PATIENCE = timedelta(hours=1)
"""How long something that is due may wait for a worker."""
_EXAMPLES = 20


@dataclass
class Verdict:
    """What a term ended with. Everything in `faults` must be zero."""

    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether the term was as it must be."""
        return not any(self.faults.values())

    def found(self, fault: str, example: str = "", times: int = 1) -> None:
        """Count a fault; `times` 0 says that it was looked for."""
        self.faults[fault] += times
        if times and example and len(self.examples) < _EXAMPLES:
            self.examples.append(f"{fault}: {example}")


def judge(session: Session, teachers: Iterable[Teacher], mails: Path, now: datetime) -> Verdict:
    """Look at everything."""
    verdict = Verdict()
    for one in teachers:
        _judge_draft(session, one, verdict)
    kept = promises(session)
    _judge_promises(kept, now, verdict)
    for rule, times in broken_rules(session).items():
        verdict.found(rule, times=times)
    _judge_practice(session, verdict)
    _judge_notices(session, verdict)
    _judge_mails(session, mails, now, verdict)
    _judge_outbox(session, now, verdict)
    return verdict


def _judge_draft(session: Session, one: Teacher, verdict: Verdict) -> None:
    """Everything that a teacher was told is saved stands in their newest try, once."""
    newest = session.scalar(
        select(Attempt)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .where(Pursuit.person_id == one.person_id)
        .order_by(Attempt.number.desc())
        .limit(1)
    )
    for name in ("draft words lost", "draft words stored twice", "pieces lost", "pieces stored twice"):
        verdict.found(name, times=0)
    if newest is None:
        return
    texts = {
        (row.prompt_id, row.student_code): _MARK.findall(row.body)
        for row in session.scalars(select(Response).where(Response.attempt_id == newest.id))
    }
    for place, marks in one.draft.memory.sentences.items():
        _compare(marks, texts.get(place, []), "draft words", f"teacher {one.number} {place}", verdict)
    captions: dict[str, list[str]] = defaultdict(list)
    for item in session.scalars(
        select(EvidenceItem).where(EvidenceItem.attempt_id == newest.id, EvidenceItem.removed_at.is_(None))
    ):
        captions[item.requirement_id] += _MARK.findall(item.caption)
    for requirement_id, marks in one.draft.memory.pieces.items():
        what = f"teacher {one.number} {requirement_id}"
        _compare(marks, captions[requirement_id], "pieces", what, verdict)


def _compare(remembered: set[str], stored: Sequence[str], what: str, whose: str, verdict: Verdict) -> None:
    lost = remembered - set(stored)
    verdict.found(f"{what} lost", f"{whose}: {sorted(lost)}", len(lost))
    verdict.found(f"{what} stored twice", whose, len(stored) - len(set(stored)))


def _judge_promises(kept: Sequence[Promise], now: datetime, verdict: Verdict) -> None:
    """No day passed that the teacher had been told, without a new one told before."""
    verdict.found("late decision unannounced", times=0)
    verdict.found("promised day not as counted", times=0)
    for one in kept:
        what = f"try {one.attempt_id}, promised {one.days[0]}"
        for day, until in zip(one.days, [*one.announced, one.ended or now], strict=True):
            if until > day:
                verdict.found("late decision unannounced", f"{what}: {day} passed, {until}")
        if one.stored is not None and one.stored != one.days[-1]:
            verdict.found("promised day not as counted", f"{what}: stored {one.stored}, is {one.days[-1]}")


def _judge_practice(session: Session, verdict: Verdict) -> None:
    """Nobody was given work of a credential that is practised without a passed round that counts."""
    verdict.found("work given to somebody out of practice", times=0)
    anchors: dict[int, list[datetime]] = defaultdict(list)
    for anchor in session.scalars(select(Anchor).order_by(Anchor.marked_at)):
        anchors[anchor.credential_id].append(anchor.marked_at)
    rounds = session.scalars(select(CalibrationRound).where(CalibrationRound.passed.is_(True))).all()
    rows = session.execute(
        select(Review, CredentialVersion.credential_id)
        .join(Attempt, Attempt.id == Review.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
    )
    for review, credential_id in rows:
        marked = anchors[credential_id]
        if len(marked) < 3 or review.assigned_at <= marked[2]:
            continue
        if not any(
            one.reviewer_id == review.reviewer_id
            and one.credential_id == credential_id
            and one.finished_at is not None
            and one.valid_until is not None
            and one.finished_at <= review.assigned_at < one.valid_until
            for one in rounds
        ):
            verdict.found("work given to somebody out of practice", f"review {review.id}")


def _judge_notices(session: Session, verdict: Verdict) -> None:
    """Each turn is told to its teacher once, and each assigned reading to its reviewer once."""
    verdict.found("notices lost", times=0)
    verdict.found("notices doubled", times=0)
    owners = _owners(session)
    due = Counter[tuple[int, str]]()
    for event in session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "attempt")):
        if event.action in _OWNERS:
            due[int(event.subject_id), event.action] += 1
    told, assigned = Counter[tuple[int, str]](), defaultdict[tuple[int, int, datetime], list[str]](list)
    for notice in session.scalars(select(Notice).where(Notice.attempt_id.is_not(None))):
        assert notice.attempt_id is not None
        if notice.kind in _OWNERS and notice.person_id == owners[notice.attempt_id]:
            told[notice.attempt_id, notice.kind] += 1
        elif notice.topic == "reviews":
            assigned[notice.attempt_id, notice.person_id, notice.created_at].append(notice.kind)
    for key in due | told:
        verdict.found("notices lost", f"try {key}", max(0, due[key] - told[key]))
        verdict.found("notices doubled", f"try {key}", max(0, told[key] - due[key]))
    for review in session.scalars(select(Review)):
        if review.started_at != review.assigned_at:  # given to them, not taken
            told_then = assigned.get((review.attempt_id, review.reviewer_id, review.assigned_at))
            verdict.found("notices lost", f"review {review.id}", int(not told_then))
    for kinds in assigned.values():
        verdict.found("notices doubled", f"to a reviewer: {kinds}", len(kinds) - 1)


def _judge_mails(session: Session, mails: Path, now: datetime, verdict: Verdict) -> None:
    """Each notice left once as a mail where its reader takes mail; no mail says what the work says."""
    for name in ("mails lost", "mails doubled", "evidence in a mail"):
        verdict.found(name, times=0)
    unwanted = {
        (row.person_id, row.topic)
        for row in session.scalars(select(NoticeChoice).where(NoticeChoice.by_mail.is_(False)))
    }
    sent = Counter(file.stem for file in mails.glob("*.eml"))
    known = 0
    for notice in session.scalars(select(Notice).where(Notice.created_at < now - _PATIENCE)):
        wanted = (notice.person_id, notice.topic) not in unwanted or notice.kind in _ALWAYS_MAILED
        found = sum(notice.public_id in stem for stem in (notice.public_id,) if stem in sent)
        known += found
        if found != wanted or (notice.mail == "sent") != wanted:
            verdict.found("mails lost" if wanted else "mails doubled", f"notice {notice.id} {notice.kind}")
    verdict.found("mails doubled", "of no notice", max(0, len(sent) - known - _young(session, now)))
    for file in mails.glob("*.eml"):
        text = _text(file)
        if _MARK.search(text) or any(secret in text for secret in (plan.NAME_SLIP, "Teachername")):
            verdict.found("evidence in a mail", file.name)


def _young(session: Session, now: datetime) -> int:
    return len(session.scalars(select(Notice.id).where(Notice.created_at >= now - _PATIENCE)).all())


def _text(file: Path) -> str:
    message = message_from_bytes(file.read_bytes(), policy=policy.default)
    parts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message["Subject"]), *parts])


def _judge_outbox(session: Session, now: datetime, verdict: Verdict) -> None:
    """All timed work is done when it is due, at the first go."""
    for name in ("timed rows overdue", "rows that need a person", "rows that broke"):
        verdict.found(name, times=0)
    for row in session.scalars(select(OutboxRow)):
        what = f"{row.kind} {row.id} {row.state} {row.reason}"
        if row.state in ("waiting", "held") and row.due_at < now - _PATIENCE:
            verdict.found("timed rows overdue", what)
        if row.state in ("dead", "blocked", "unverified"):
            verdict.found("rows that need a person", what)
        if row.attempts > 1:
            verdict.found("rows that broke", what)


def _owners(session: Session) -> Mapping[int, int]:
    rows = select(Attempt.id, Pursuit.person_id).join(Pursuit, Pursuit.id == Attempt.pursuit_id)
    return {row[0]: row[1] for row in session.execute(rows)}
