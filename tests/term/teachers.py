"""What teachers do in a term, each as a story: `life` stops wherever time passes."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from microcred.credentials.codes import permissions_needed, repeat_codes
from microcred.credentials.definition import Definition
from microcred.credentials.schema import Part
from microcred.credentials.steps import State
from microcred.operations import (
    appealing,
    asking,
    bringing,
    evidence,
    permitting,
    reading_notices,
    reading_teacher,
    teacher,
)
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_teacher import Loaded, load
from microcred.operations.statements import statements
from tests.term import plan
from tests.term.plan import CHANCES, GRADES, LEVELS
from tests.term.world import Course, Life, Term
from tests.term.writing import Draft, Place

_LEFT = 2
"""Weeks before the end of the term in which nobody begins any more."""


class Teacher:
    """One teacher, with traits drawn beforehand."""

    def __init__(self, term: Term, number: int, person_id: int) -> None:
        self.term = term
        self.number = number
        self.person_id = person_id
        self.luck: Random = term.chance("teacher", number)
        self.course: Course = term.courses[number % len(term.courses)]
        self.draft = Draft(term, number, self.luck, lambda: self.actor)
        self._struggles = self._is(CHANCES.struggles)
        self._slip = self._drawn_slip()
        self._grade: dict[str, int] = {}
        self._asked_for_coach = False
        for part in self._definition.parts:
            self._grade[part.id] = self._first_grade()

    @property
    def actor(self) -> Actor:
        """The teacher in their course."""
        return self.term.in_course(self.person_id, self.course)

    def life(self) -> Life:
        """From the first look to the end of it."""
        luck, term = self.luck, self.term
        most = max(1, 7 * (term.size.weeks - _LEFT))
        yield self._evening(plan.BEGIN.date() + timedelta(days=int(luck.betavariate(1, 2) * most)))
        term.do("open", lambda session: teacher.open_pursuit(session, self.actor, term.now))
        if self._is(CHANCES.no_mail):
            topics = ["my_work"]
            term.do("choose mails", lambda s: reading_notices.choose(s, self.actor, topics, term.now))
        if self._is(CHANCES.only_looks):
            return
        yield from self._collect()
        if self._is(CHANCES.gives_up):
            return
        yield from self._send_in()
        yield from self._see_it_through()

    # collecting

    def _collect(self) -> Life:
        for code, kind in self._needed():
            self._give(code, kind)
            yield self._minutes(3)
        for number, part in enumerate(self._definition.parts):
            if number and self._is(0.5):
                yield self._another_evening()
            if number == 2 and self._is(CHANCES.opens_next_course):
                self._open_next_course()
            yield from self._fill(part)

    def _fill(self, part: Part) -> Life:
        """Write and add what a part asks for, over an evening."""
        for prompt in part.prompts:
            for code in repeat_codes(part, prompt):
                for _ in range(1 + self._is(0.3)):
                    yield from self.draft.write(part, (prompt.id, code), self._sentence(part))
        for requirement in part.artefact_requirements:
            for _ in range(min(requirement.min_count + self._is(0.1), requirement.max_count)):
                yield self._minutes(self.luck.randint(2, 15))
                self._add_piece(part, requirement.id)
        if self._slip == part.id:
            self._make_slip(part)

    def _sentence(self, part: Part) -> str:
        return (
            f"We tried it for a week and it {GRADES[LEVELS[self._grade[part.id]]]} changed what they wrote."
        )

    def _add_piece(self, part: Part, requirement_id: str, words: str = "") -> None:
        self.draft.add_piece(
            part, requirement_id, f"{GRADES[LEVELS[self._grade[part.id]]]} made {words}".strip()
        )

    # sending in

    def _send_in(self) -> Life:
        if self._is(CHANCES.sends_too_early):
            self._try("submit", lambda s: teacher.submit(s, self.actor, confirmed=[], now=self.term.now))
            yield self._minutes(10)
        yield self._another_evening() if self._is(0.3) else self._minutes(20)
        if not self._submit():
            return
        if self._is(CHANCES.takes_back):
            yield self._minutes(self.luck.randint(20, 600))
            if self._try("take back", lambda s: teacher.withdraw(s, self.actor, self.term.now)):
                part = self._definition.parts[0]
                yield from self.draft.write(part, self._places(part)[0], self._sentence(part))
                yield self._another_evening()
                self._submit()
        elif self._needed() and self._is(CHANCES.permission_ends):
            yield self._later(hours=self.luck.randint(2, 100))
            code, kind = self._needed()[0]
            self._try(
                "end permission",
                lambda s: permitting.withdraw(s, self.actor, student_code=code, kind=kind, now=self.term.now),
            )

    def _submit(self) -> bool:
        confirmed = [one.id for one in statements(self._definition)]
        done = self._try(
            "submit", lambda s: teacher.submit(s, self.actor, confirmed=confirmed, now=self.term.now)
        )
        if done and self._is(CHANCES.line_breaks):  # the answer was lost: once more
            self._try(
                "submit", lambda s: teacher.submit(s, self.actor, confirmed=confirmed, now=self.term.now)
            )
        return done

    # afterwards

    def _see_it_through(self) -> Life:
        """Look for news now and then, and do what the page says is next."""
        while True:
            yield self._another_evening()
            if not self.term.look("notices?", lambda s: reading_notices.unread(s, self.actor)):
                continue
            self.term.do("read notices", lambda s: reading_notices.see_all(s, self.actor, self.term.now))
            found = self.term.look("home", lambda s: reading_teacher.current_try(s, self.actor))
            match found.state:
                case State.DRAFT:
                    yield from self._revise()
                case State.DENIED | State.REVOKED:
                    if not (self._is(CHANCES.appeals) and self._appeal()):
                        return
                case State.EXPIRED:
                    self._try("ask", lambda s: asking.ask(s, self.actor, "Please renew it.", self.term.now))
                case State.UPHELD:
                    return
                case State.AWARDED if self.course.credential != plan.EXPIRING and self._is(0.3):
                    return
                case _:
                    pass

    def _revise(self) -> Life:
        """Change what failed, replace what was hidden, and send it in again."""
        loaded = self.term.look("part", lambda session: load(session, self.actor))
        self.draft.open_pages(loaded)
        yield self._minutes(15)
        for code, kind in self._needed():
            if (code, kind) not in loaded.permissions:
                self._give(code, kind)
        for item in loaded.items:
            if item.hidden_at is not None or plan.UNUSABLE in item.caption:
                self._replace(loaded, item.public_id)
        if loaded.attempt.number >= 4 and not self._asked_for_coach:
            self._asked_for_coach = True
            self._try("ask", lambda s: asking.ask(s, self.actor, "What am I missing?", self.term.now))
        for part in self._definition.parts:
            if part.id in loaded.attempt.locked_parts:
                continue
            if loaded.attempt.number > 1:
                self._grade[part.id] = self._better(self._grade[part.id])
            yield from self._rewrite(part, loaded)
        self._submit()

    def _rewrite(self, part: Part, loaded: Loaded) -> Life:
        """Every answer of the part again, each sentence as good as the teacher is by now."""
        for place in self._places(part):
            box = self.draft.box(place)
            lines = [line.replace(plan.NAME_SLIP, "a student") for line in box.text.splitlines()]
            new = [_graded(line, self._grade[part.id]) for line in lines]
            if new == box.text.splitlines() and place not in loaded.flagged:
                continue
            box.text = "\n".join(new)
            self.draft.save(part, place, box, self._sentence(part) if len(new) < 6 else "")
            yield self._minutes(self.luck.randint(2, 9))
        for item in loaded.items:
            caption = _graded(item.caption, self._grade[part.id])
            if item.part_id == part.id and item.hidden_at is None and caption != item.caption:
                self._caption(item.public_id, caption)

    def _caption(self, public_id: str, caption: str) -> None:
        self._try(
            "name piece",
            lambda s: evidence.set_caption(
                s, self.actor, public_id=public_id, caption=caption, now=self.term.now
            ),
        )

    def _replace(self, loaded: Loaded, public_id: str) -> None:
        item = next(each for each in loaded.items if each.public_id == public_id)
        if item.part_id in loaded.attempt.locked_parts:
            return
        part, requirement = loaded.definition.requirement(item.requirement_id)
        gone = self._try(
            "remove piece",
            lambda s: evidence.remove(s, self.actor, public_id=public_id, now=self.term.now),
        )
        if gone:
            self.draft.removed(requirement.id, item.caption)
            self._add_piece(part, requirement.id)

    def _appeal(self) -> bool:
        return self._try(
            "appeal",
            lambda s: appealing.open_appeal(s, self.actor, "Part 2 shows it, I think.", self.term.now),
        )

    def _open_next_course(self) -> None:
        """The same credential in another course: the draft comes along."""
        others = [
            each
            for each in self.term.courses
            if each.credential == self.course.credential and each != self.course
        ]
        before, self.course = self.course, self.luck.choice(others)
        if not self._try("bring along", lambda s: bringing.bring_along(s, self.actor, self.term.now)):
            self.course = before

    # small things

    @property
    def _definition(self) -> Definition:
        return self.course.definition

    def _is(self, share: float) -> bool:
        return self.luck.random() < share

    def _first_grade(self) -> int:
        weights = (1, 2, 5, 4) if self._struggles else (45, 47, 6, 2)
        return self.luck.choices(range(4), weights)[0]

    def _better(self, grade: int) -> int:
        return max(0, grade - 1) if self._is(0.25 if self._struggles else 0.9) else grade

    def _drawn_slip(self) -> str:
        """The part in which something goes wrong, if anything does."""
        total = CHANCES.names_somebody + CHANCES.does_not_open + CHANCES.copied
        return self.luck.choice(self._definition.parts).id if self._is(total) else ""

    def _make_slip(self, part: Part) -> None:
        shares = (CHANCES.names_somebody, CHANCES.does_not_open, CHANCES.copied)
        slip = self.luck.choices(("names", "does not open", "copied"), shares)[0]
        places = self._places(part)
        if slip == "copied" and places:
            self.draft.save(part, places[0], self.draft.box(places[0]), f"This is {plan.COPIED}.")
        elif slip == "names" and places:
            self.draft.save(part, places[0], self.draft.box(places[0]), f"{plan.NAME_SLIP} said so.")
        elif part.artefact_requirements:
            requirement = part.artefact_requirements[0]
            words = plan.FACE_SLIP if slip == "names" else plan.UNUSABLE
            with suppress(OperationRefused):  # it may be full
                self._add_piece(part, requirement.id, words)

    def _needed(self) -> list[tuple[str, str]]:
        return [(one.student_code, one.kind) for one in permissions_needed(self._definition)]

    def _give(self, code: str, kind: str) -> None:
        last_day: date | None = None
        if self._is(CHANCES.permission_ends):
            last_day = self.term.now.astimezone(plan.ZONE).date() + timedelta(days=self.luck.randint(4, 12))
        self.term.do(
            "give permission",
            lambda s: permitting.give(
                s, self.actor, student_code=code, kind=kind, expires_on=last_day, now=self.term.now
            ),
        )

    def _places(self, part: Part) -> list[Place]:
        return [(prompt.id, code) for prompt in part.prompts for code in repeat_codes(part, prompt)]

    def _try(self, name: str, deed: Callable[[Session], object]) -> bool:
        try:
            self.term.do(name, deed)
        except OperationRefused:
            return False
        return True

    def _minutes(self, minutes: int) -> datetime:
        return self.term.now + timedelta(minutes=minutes)

    def _later(self, hours: int) -> datetime:
        return self.term.now + timedelta(hours=hours)

    def _evening(self, day: date) -> datetime:
        return plan.at(day, self.luck.uniform(15, 21))

    def _another_evening(self) -> datetime:
        today = self.term.now.astimezone(plan.ZONE).date()
        return self._evening(today + timedelta(days=self.luck.choice((1, 2, 3))))


def _graded(line: str, grade: int) -> str:
    """The line with the word for how good it is."""
    for word in GRADES.values():
        line = line.replace(word, GRADES[LEVELS[grade]])
    return line
