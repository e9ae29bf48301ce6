"""What approvers and coordinators do in a term."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Attempt, Credential, CredentialVersion, Pursuit
from microcred.credentials.review_models import Anchor
from microcred.operations import (
    anchors,
    appealing,
    asking,
    awards,
    coordinating,
    decide,
    flagging,
    placement_settings,
    reading_appeals,
    reading_decide,
    reading_quality,
)
from microcred.operations.actor import Actor
from microcred.operations.awards import AwardRow
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_decide import Case
from tests.functional.review.world import BADGES
from tests.term import plan
from tests.term.plan import CHANCES
from tests.term.world import Course, Life, Term

_ANCHORS = 3


class Approver:
    """One approver: decides what waits, judges appeals, answers, withdraws, marks tries for practice."""

    def __init__(self, term: Term, number: int, person_id: int) -> None:
        self.term = term
        self.number = number
        self.person_id = person_id
        self.luck: Random = term.chance("approver", number)

    @property
    def actor(self) -> Actor:
        """The approver at the desk."""
        return self.term.at_desk(self.person_id)

    def life(self) -> Life:
        """A session on most school days."""
        day = plan.BEGIN.date()
        while True:
            yield plan.at(day, self.luck.uniform(9, 17))
            if plan.school_day(day) and self.luck.random() < 0.8:
                self._decide_what_waits()
                self._judge_appeals()
                if day.weekday() == self.number % 5:
                    self._answer()
                    self._look_back(day)
            day += timedelta(days=1)

    def _decide_what_waits(self) -> None:
        found = self.term.look("decisions", lambda s: reading_decide.waiting_list(s, self.actor))
        for row in found.rows[: self.luck.randint(5, 20)]:
            try:
                case = self.term.look(
                    "case",
                    lambda s, one=row.public_id: reading_decide.case(s, self.actor, one),  # type: ignore[misc]
                )
                self._decide(case)
            except OperationRefused:
                continue  # another approver was quicker

    def _decide(self, case: Case) -> None:
        kind, reason = "award", ""
        if case.flags:
            kind, reason = "deny", "Parts of it are not your own words."
            for flag in case.flags:
                flag_id = flag.id
                self.term.do(
                    "settle",
                    lambda s, flag_id=flag_id: flagging.settle(  # type: ignore[misc]
                        s, self.actor, case.public_id, flag_id, self.term.now
                    ),
                )
        elif self.luck.random() < CHANCES.returned:
            kind, reason = "return_to_reviewer", "Say more about Part 2."
        self.term.do(
            "decide",
            lambda s: decide.decide(
                s, self.actor, case.public_id, kind, reason=reason, badge_url=BADGES, now=self.term.now
            ),
        )

    def _judge_appeals(self) -> None:
        for row in self.term.look(
            "appeals", lambda s: reading_appeals.open_appeals(s, self.actor), blind=True
        ):
            if self.luck.random() < 0.3:
                self._judge(row.public_id)

    def _judge(self, public_id: str) -> None:
        self.term.look("appeal", lambda s: reading_appeals.appeal(s, self.actor, public_id), blind=True)
        outcome = self.luck.choice(("award", "uphold"))
        self.term.do(
            "judge",
            lambda s: appealing.judge(
                s,
                self.actor,
                public_id,
                outcome,
                reason="Read anew, without a name.",
                badge_url=BADGES,
                now=self.term.now,
            ),
        )

    def _answer(self) -> None:
        """Name a coach, say that something is renewed."""
        for row in self.term.look("requests", lambda s: asking.open_requests(s, self.actor)):
            self._try(
                "answer",
                lambda s, row_id=row.id: asking.answer(  # type: ignore[misc]
                    s, self.actor, row_id, "We will call you.", self.term.now
                ),
            )

    def _look_back(self, day: date) -> None:
        """Once a week: how reviewing goes, awards to take back, tries to practise on."""
        self.term.look("quality", lambda s: reading_quality.quality(s, self.actor, self.term.now))
        found, revoked = self._awards(), False
        for award in found:
            if award.state == "expired" and self.luck.random() < 0.6:
                self._try(
                    "renew",
                    lambda s, one=award.attempt_public_id: awards.renew(  # type: ignore[misc]
                        s, self.actor, one, now=self.term.now
                    ),
                )
            elif award.state == "awarded" and not revoked and self.luck.random() < CHANCES.revoked:
                revoked = True
                self._try(
                    "revoke",
                    lambda s, one=award.attempt_public_id: awards.revoke(  # type: ignore[misc]
                        s, self.actor, one, "evidence", "The plan was somebody else's.", now=self.term.now
                    ),
                )
        self._mark_anchors()

    def _awards(self) -> list[AwardRow]:
        """All pages of the list."""
        rows: list[AwardRow] = []
        after: str | None = None
        while True:
            page = self.term.look("awards", lambda s, after=after: awards.awards(s, self.actor, after=after))  # type: ignore[misc]
            rows += page.rows
            if page.after is None:
                return rows
            after = page.after

    def _try(self, name: str, deed: Callable[[Session], object]) -> None:
        """What another approver may have done already."""
        with suppress(OperationRefused):
            self.term.do(name, deed)

    def _mark_anchors(self) -> None:
        """Three decided tries whose teachers agreed, with the levels of the reading that counted."""
        for public_id in self.term.look("anchors", _fit_for_practice):
            with suppress(OperationRefused):  # this approver has read it, or it is their own
                case = self.term.look(
                    "case",
                    lambda s, one=public_id: reading_decide.case(s, self.actor, one),  # type: ignore[misc]
                )
                agreed = {key: given.level for key, given in case.readings[-1].ratings.items() if given.level}
                self.term.do(
                    "anchor",
                    lambda s, one=public_id, agreed=agreed: anchors.mark(  # type: ignore[misc]
                        s, self.actor, one, agreed, {}, teacher_agreed=True, now=self.term.now
                    ),
                )


class Coordinator:
    """One coordinator: looks at a course, and sets its last day near the end."""

    def __init__(self, term: Term, number: int, person_id: int) -> None:
        self.term = term
        self.person_id = person_id
        self.luck: Random = term.chance("coordinator", number)
        self.course: Course = term.courses[number % len(term.courses)]

    @property
    def actor(self) -> Actor:
        """The coordinator in the course."""
        return self.term.in_course(self.person_id, self.course, "read", "place", "see_progress")

    def life(self) -> Life:
        """Twice a week."""
        day = plan.BEGIN.date()
        while True:
            yield plan.at(day, self.luck.uniform(8, 16))
            after: str | None = None
            while True:
                view = self.term.look(
                    "course",
                    lambda s, after=after: coordinating.course(s, self.actor, after=after),  # type: ignore[misc]
                )
                if view is None or view.next_key is None:
                    break
                after = view.next_key
            if self.term.now > self.term.size.end - timedelta(days=8):
                self._set_last_day()
            day += timedelta(days=3)

    def _set_last_day(self) -> None:
        last = self.term.size.end.date() - timedelta(days=2)
        self.term.do(
            "set last day",
            lambda s: placement_settings.change(
                s,
                self.actor,
                scheme="hundred",
                denied_as="blank",
                submit_by=last.isoformat(),
                pool="all",
                zone=plan.ZONE,
                now=self.term.now,
            ),
        )


def _fit_for_practice(session: Session) -> list[str]:
    """As many awarded tries of the practised credential as still lack to a round."""
    used = select(Anchor.attempt_id)
    have = len(session.scalars(used.where(Anchor.retired_at.is_(None))).all())
    return list(
        session.scalars(
            select(Attempt.public_id)
            .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
            .join(CredentialVersion, CredentialVersion.id == Pursuit.version_id)
            .join(Credential, Credential.id == CredentialVersion.credential_id)
            .where(
                Credential.key == plan.PRACTISED,
                Attempt.state == "awarded",
                Attempt.number == 1,
                Attempt.id.not_in(used),
            )
            .order_by(Attempt.id)
            .limit(max(0, _ANCHORS - have))
        )
    )
