"""A crowd of demo people who do whatever they like with tries, and what must hold all the same."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.codes import permissions_needed
from microcred.credentials.models import (
    Attempt,
    Award,
    CredentialVersion,
    EvidencePermission,
    Response,
    Review,
)
from microcred.credentials.steps import State
from microcred.operations import (
    anchors,
    appealing,
    awards,
    calibrating,
    checking,
    decide,
    permitting,
    privacy_flagging,
    reading_appeals,
    reading_queue,
    reading_review,
    review,
    teacher,
    watching,
)
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_teacher import Loaded, load
from microcred.operations.statements import statements
from tests.functional.review.world import BADGES, SECRETS, SHAPE_IDEAS, World
from tests.support.fairness import broken_rules

LEVELS = ("strong", "passing", "revisions_needed", "not_evident")


@dataclass
class Crowd:
    """The people, and a record of what they got done."""

    world: World
    random: Random
    people: dict[str, list[int]]
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    @classmethod
    def gather(cls, world: World, seed: int) -> "Crowd":
        """Teachers, reviewers, approvers, and people who are several of these."""
        both = world.join("Terrykim Both", "reviewer", "approver")
        colleague = world.join("Terrylou Colleague", "reviewer")
        people = {
            "teacher": [world.teacher, world.join("Terryann Tryout"), both, colleague],
            "reviewer": [
                world.reviewer,
                world.other_reviewer,
                world.join("Reese Reviewer", "reviewer"),
                both,
                colleague,
            ],
            "approver": [
                world.approver,
                world.join("Ariel Approver", "approver"),
                world.join("Avi Approver", "approver"),
                both,
            ],
        }
        world.let_awards_expire(months=1)
        return cls(world, Random(seed), people)

    def step(self) -> None:
        """Somebody does something, or is refused in words."""
        name, said = self.random.choice(list(_DEEDS)), ""
        try:
            with self.world.database.writing() as session:
                done = _DEEDS[name](self, session)
            self.done[done or name] += 1
        except OperationRefused as refused:
            self.refused[refused.code] += 1
            said = refused.message
        assert not said or said.endswith(".")
        if self.random.random() < 0.05:
            number = len(self.people["teacher"])
            self.people["teacher"].append(self.world.join(f"Terry{number} Tryout"))
        if self.random.random() < 0.3:
            self.world.clock.pass_(hours=self.random.choice((1, 5, 20, 60)))

    def actor(self, role: str) -> Actor:
        """Somebody with the office, or, now and then, anybody at all."""
        everybody = [person for group in self.people.values() for person in group]
        group = everybody if self.random.random() < 0.15 else self.people[role]
        return self.world.actor(self.random.choice(group))

    def teacher(self) -> Actor:
        """A teacher in the course."""
        return self.world.in_course(self.random.choice(self.people["teacher"]))

    def attempt(self, session: Session, *states: str) -> str:
        """The public id of a try, mostly of one in these states."""
        query = select(Attempt.public_id).order_by(Attempt.id)
        if states and self.random.random() < 0.9:
            query = query.where(Attempt.state.in_(states))
        found = session.scalars(query).all()
        return self.random.choice(found) if found else "none"

    def ratings(self) -> dict[str, review.Entry]:
        """Levels for all or some points: mostly good ones, so that every way is taken."""
        weights = self.random.choice(((5, 5, 1, 0), (8, 2, 0, 0), (1, 2, 3, 3)))
        keys = ("p1-c1", "p1-c2", "p3-c1", "p4-c1")
        levels = self.random.choices(LEVELS, weights, k=len(keys))
        given = {
            key: review.Entry(level, "Count something.") for key, level in zip(keys, levels, strict=True)
        }
        given["p2-c1"] = review.Entry("yes" if self.random.random() < 0.85 else "no", "Show it.")
        if self.random.random() < 0.1:
            given.pop(self.random.choice(list(given)))
        return given


def _open(crowd: Crowd, session: Session) -> None:
    teacher.open_pursuit(session, crowd.teacher(), crowd.world.clock.now())


def _submit(crowd: Crowd, session: Session) -> None:
    actor, now = crowd.teacher(), crowd.world.clock.now()
    loaded = load(session, actor, lock=True)
    if loaded.attempt.state == State.DRAFT and not loaded.responses:
        crowd.world.write(session, loaded.attempt)
        for needed in permissions_needed(loaded.definition):
            session.add(
                EvidencePermission(
                    pursuit_id=loaded.pursuit.id,
                    student_code=needed.student_code,
                    kind=needed.kind,
                    basis="attested",
                    given_at=now,
                )
            )
        session.flush()
    if loaded.attempt.state == State.DRAFT:
        _mend(session, actor, loaded, now)
    confirmed = [one.id for one in statements(loaded.definition)]
    teacher.submit(session, actor, confirmed=confirmed, now=now)


def _mend(session: Session, actor: Actor, loaded: Loaded, now: datetime) -> None:
    """Change what a reviewer hid, and give again what permission has ended."""
    for needed in permissions_needed(loaded.definition):
        if (needed.student_code, needed.kind) not in loaded.permissions:
            permitting.give(session, actor, student_code=needed.student_code, kind=needed.kind, now=now)
    for prompt_id, code in loaded.flagged:
        row = loaded.responses[prompt_id, code]
        teacher.save_response(
            session,
            actor,
            part_id=row.part_id,
            prompt_id=prompt_id,
            student_code=code,
            text=f"{row.body} And no name.",
            base_revision=row.revision,
            now=now,
        )


def _end_permission(crowd: Crowd, session: Session) -> None:
    if crowd.random.random() < 0.03:
        now = crowd.world.clock.now()
        permitting.withdraw(session, crowd.teacher(), student_code="A", kind="student_family", now=now)


def _check(crowd: Crowd, session: Session) -> None:
    public_id = crowd.attempt(session, "submitted", "checking")
    checking.begin(session, crowd.actor("reviewer"), public_id, crowd.world.clock.now())


def _send_back(crowd: Crowd, session: Session) -> None:
    public_id = crowd.attempt(session, "checking")
    actor, now = crowd.actor("reviewer"), crowd.world.clock.now()
    checking.send_back(session, actor, public_id, "It does not open.", now)


def _hide(crowd: Crowd, session: Session) -> None:
    if crowd.random.random() < 0.05:
        public_id = crowd.attempt(session, *reading_queue.READING)
        actor, now = crowd.actor("reviewer"), crowd.world.clock.now()
        privacy_flagging.flag(session, actor, public_id, because="name", answer=("p1-q1", ""), now=now)


def _withdraw(crowd: Crowd, session: Session) -> None:
    if crowd.random.random() < 0.2:
        teacher.withdraw(session, crowd.teacher(), crowd.world.clock.now())


def _start(crowd: Crowd, session: Session) -> None:
    public_id = crowd.attempt(session, *reading_queue.FREE, *reading_queue.READING)
    review.start(session, crowd.actor("reviewer"), public_id, crowd.world.clock.now())


def _rate(crowd: Crowd, session: Session) -> None:
    """Whoever has a try on their desk rates it; now and then somebody who has not tries."""
    found = session.execute(
        select(Attempt.public_id, Review.reviewer_id)
        .join(Review, Review.attempt_id == Attempt.id)
        .where(Review.finished_at.is_(None), Review.started_at.is_not(None))
        .order_by(Review.id)
    ).all()
    if not found:
        return
    public_id, reviewer_id = crowd.random.choice(found)
    actor = crowd.world.actor(reviewer_id) if crowd.random.random() < 0.9 else crowd.actor("reviewer")
    desk = reading_review.desk(session, actor, public_id)
    assert not any(secret in repr(desk) for secret in SECRETS)
    entries = {key: one for key, one in crowd.ratings().items() if key[:2] not in desk.locked_parts}
    now = crowd.world.clock.now()
    review.save_ratings(session, actor, public_id, entries, now=now)
    passed = reading_review.desk(session, actor, public_id).outcome.passed
    review.finish(session, actor, public_id, "award" if passed else "revise", now, chance=crowd.random.random)


def _look(crowd: Crowd, session: Session) -> None:
    public_id = crowd.attempt(session)
    since = session.scalar(select(Attempt.submitted_at).where(Attempt.public_id == public_id))
    if since is not None:
        watching.look_after(session, public_id, since, crowd.world.clock.now(), crowd.random.random)


def _decide(crowd: Crowd, session: Session) -> str:
    kind = crowd.random.choices(list(decide.KINDS), (6, 3, 2, 2))[0]
    decide.decide(
        session,
        crowd.actor("approver"),
        crowd.attempt(session, "recommended"),
        kind,
        reason="Because of Part 2.",
        badge_url=BADGES,
        now=crowd.world.clock.now(),
    )
    return kind


def _appeal(crowd: Crowd, session: Session) -> None:
    appealing.open_appeal(session, crowd.teacher(), "Look at Part 2.", crowd.world.clock.now())


def _judge(crowd: Crowd, session: Session) -> str:
    actor = crowd.actor("approver")
    public_id = crowd.attempt(session, "appeal_open")
    case = reading_appeals.appeal(session, actor, public_id)
    assert not any(secret in repr(case) for secret in SECRETS)
    outcome = crowd.random.choice(("award", "uphold"))
    appealing.judge(
        session,
        actor,
        public_id,
        outcome,
        reason="Read anew.",
        badge_url=BADGES,
        now=crowd.world.clock.now(),
    )
    return f"appeal_{outcome}"


def _revoke(crowd: Crowd, session: Session) -> None:
    if crowd.random.random() < 0.2:
        public_id = crowd.attempt(session, "awarded", "expired")
        awards.revoke(
            session, crowd.actor("approver"), public_id, "other", "Why.", now=crowd.world.clock.now()
        )


def _expire(crowd: Crowd, session: Session) -> None:
    for award_id in session.scalars(select(Award.id)).all():
        awards.expire(session, award_id, crowd.world.clock.now())


def _renew(crowd: Crowd, session: Session) -> None:
    public_id = crowd.attempt(session, "expired")
    awards.renew(session, crowd.actor("approver"), public_id, now=crowd.world.clock.now())


def _anchor(crowd: Crowd, session: Session) -> None:
    if crowd.random.random() < 0.05:
        public_id = crowd.attempt(session, "awarded", "denied")
        agreed = {
            "p1-c1": "strong",
            "p1-c2": "passing",
            "p2-c1": "yes",
            "p3-c1": "passing",
            "p4-c1": "passing",
        }
        actor = crowd.actor("approver")
        anchors.mark(session, actor, public_id, agreed, {}, teacher_agreed=True, now=crowd.world.clock.now())


def _practise(crowd: Crowd, session: Session) -> None:
    actor, now = crowd.actor("reviewer"), crowd.world.clock.now()
    round_id = calibrating.begin(session, actor, SHAPE_IDEAS, now, crowd.random.random)
    sheet = calibrating.sheet(session, actor, round_id)
    assert not any(secret in repr(sheet) for secret in SECRETS)
    levels = {"p1-c1": "strong", "p1-c2": "passing", "p2-c1": "yes", "p3-c1": "passing", "p4-c1": "passing"}
    if crowd.random.random() < 0.2:
        levels["p1-c1"] = "passing"
    calibrating.rate(session, actor, round_id, sheet.anchor_id, levels, now)


def _queue(crowd: Crowd, session: Session) -> None:
    found = reading_queue.queue(session, crowd.actor("reviewer"), crowd.world.clock.now())
    assert not any(secret in repr(found) for secret in SECRETS)


_DEEDS: dict[str, Callable[[Crowd, Session], str | None]] = {
    "open": _open,
    "submit": _submit,
    "submit too": _submit,
    "withdraw": _withdraw,
    "end permission": _end_permission,
    "check": _check,
    "send back": _send_back,
    "hide": _hide,
    "start": _start,
    "start too": _start,
    "rate": _rate,
    "rate too": _rate,
    "look": _look,
    "decide": _decide,
    "decide too": _decide,
    "appeal": _appeal,
    "appeal too": _appeal,
    "judge": _judge,
    "judge too": _judge,
    "revoke": _revoke,
    "expire": _expire,
    "renew": _renew,
    "anchor": _anchor,
    "practise": _practise,
    "queue": _queue,
}


def published(world: World) -> str:
    """What all versions say, as one text."""
    with world.database.reading() as session:
        rows = session.execute(
            select(CredentialVersion.version, CredentialVersion.document).order_by(CredentialVersion.id)
        )
        return json.dumps([list(row) for row in rows], sort_keys=True)


def check(world: World) -> None:
    """What must hold whatever people do."""
    with world.database.reading() as session:
        broken = broken_rules(session)
    assert not any(broken.values()), broken


def answers(world: World) -> int:
    """How many answers there are: a draft never loses one."""
    with world.database.reading() as session:
        return len(session.scalars(select(Response.id)).all())
