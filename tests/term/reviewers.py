"""What reviewers do in a term: practise, take work from the queue, read, rate; and now and then sleep.

Whatever they are shown is searched for names (`Term.look(blind=True)`).
"""

from datetime import date, datetime, timedelta
from random import Random

from microcred.credentials.schema import Criterion
from microcred.operations import (
    calibrating,
    checking,
    flagging,
    privacy_flagging,
    reading_calibration,
    reading_notices,
    reading_queue,
    reading_review,
    review,
)
from microcred.operations.actor import Actor
from microcred.operations.errors import OperationRefused
from microcred.operations.reading_review import Desk
from microcred.operations.reading_work import PartWork
from tests.term import plan
from tests.term.plan import CHANCES, GRADES, LEVELS
from tests.term.world import Life, Term


class Reviewer:
    """One reviewer; some are away for a while in the middle of the term, with work on their desk."""

    def __init__(self, term: Term, number: int, person_id: int, reads_a_day: int) -> None:
        self.term = term
        self.person_id = person_id
        self.luck: Random = term.chance("reviewer", number)
        self._most = reads_a_day
        self._careful = self.luck.uniform(0.5, 1.5)
        self._wants_mail = number % 2 == 0
        self._away: tuple[date, date] | None = None
        if number % 5 == 2:
            first = plan.BEGIN.date() + timedelta(days=self.luck.randint(9, 16))
            self._away = (first, first + timedelta(days=self.luck.randint(6, 11)))

    @property
    def actor(self) -> Actor:
        """The reviewer at the desk."""
        return self.term.at_desk(self.person_id)

    def life(self) -> Life:
        """A session on most school days; every second reviewer goes by the queue alone and takes no mail."""
        day = plan.BEGIN.date()
        if not self._wants_mail:
            self.term.do("choose mails", lambda s: reading_notices.choose(s, self.actor, [], self.term.now))
        while True:
            if self._works_on(day):
                yield plan.at(day, self.luck.uniform(8, 18))
                self._practise()
                yield from self._read(leaves_it=self._away is not None and day == self._away[0])
            else:
                yield plan.at(day, 12)
            day = max(day, self.term.now.astimezone(plan.ZONE).date()) + timedelta(days=1)

    def _works_on(self, day: date) -> bool:
        if self._away is not None and self._away[0] < day <= self._away[1]:
            return False
        return (plan.school_day(day) and self.luck.random() < 0.85) or self.luck.random() < 0.1

    def _practise(self) -> None:
        """A round for what the page says is due; not always on the first day."""
        rows = self.term.look(
            "practice", lambda s: reading_calibration.standing(s, self.actor, self.term.now)
        )
        for row in rows:
            if row.state != "ready" and self.luck.random() < 0.5:
                self._round(row.credential_key)

    def _round(self, key: str) -> None:
        term, chance = self.term, self.luck.random
        round_id = term.do("practise", lambda s: calibrating.begin(s, self.actor, key, term.now, chance))
        done = False
        while not done:
            sheet = term.look("anchor", lambda s: calibrating.sheet(s, self.actor, round_id), blind=True)
            levels = {
                criterion.id: self._level(part, criterion)
                for part, (_, criterion) in (
                    (_part(sheet.parts, each[0].id), each) for each in sheet.definition.criteria()
                )
            }
            done = term.do(
                "practise",
                lambda s, anchor=sheet.anchor_id, levels=levels: calibrating.rate(  # type: ignore[misc]
                    s, self.actor, round_id, anchor, levels, term.now
                ),
            )

    def _read(self, *, leaves_it: bool) -> Life:
        """Work through the top of the queue, as far as it was when the page was opened."""
        found = self.term.look(
            "queue", lambda s: reading_queue.queue(s, self.actor, self.term.now), blind=True
        )
        for row in found.rows[: self._most]:
            try:
                yield from self._read_one(row.public_id, leaves_it=leaves_it)
            except OperationRefused:
                continue  # somebody was quicker, or the teacher took it back

    def _read_one(self, public_id: str, *, leaves_it: bool) -> Life:
        term, luck = self.term, self.luck
        if luck.random() < CHANCES.looks_first and self._sends_back(public_id):
            return
        term.do("start", lambda s: review.start(s, self.actor, public_id, term.now))
        if leaves_it:
            return
        desk = self._desk(public_id)
        yield self._minutes(luck.randint(10, 40))
        if luck.random() < CHANCES.knows_whose:
            chance = luck.random
            term.do(
                "conflict",
                lambda s: flagging.declare_conflict(s, self.actor, public_id, term.now, chance),
            )
            return
        if self._hides(desk):
            return
        self._open_pieces(desk)
        entries = {
            criterion.id: self._entry(_part(desk.parts, part.id), criterion)
            for part, criterion in desk.to_rate
        }
        if luck.random() < CHANCES.leaves_it:
            self._save(public_id, dict(list(entries.items())[:2]))
            return  # the lid is closed; it goes on another day
        yield self._minutes(luck.randint(5, 30))
        self._save(public_id, entries)
        self._finish(public_id)

    def _desk(self, public_id: str) -> Desk:
        return self.term.look("desk", lambda s: reading_review.desk(s, self.actor, public_id), blind=True)

    def _open_pieces(self, desk: Desk) -> None:
        """Every opening is on record."""
        for item in [item for part in desk.parts for item in part.items][:1]:
            piece = self.term.look(
                "piece",
                lambda s, item_id=item.public_id: reading_review.piece(  # type: ignore[misc]
                    s, self.actor, desk.public_id, item_id
                ),
                blind=True,
            )
            self.term.do(
                "open piece",
                lambda s, piece=piece: review.record_opening(  # type: ignore[misc]
                    s, self.actor, piece, self.term.now
                ),
            )

    def _hides(self, desk: Desk) -> bool:
        """Whether a name or a face was seen, and the work went back for it."""
        for part in desk.parts:
            for item in part.items:
                if plan.FACE_SLIP in item.caption:
                    self._hide(desk.public_id, "face", item_id=item.public_id)
                    return True
            for answer in part.answers:
                if plan.NAME_SLIP in _text(answer.paragraphs):
                    self._hide(desk.public_id, "name", answer=(answer.prompt_id, answer.student_code))
                    return True
        return False

    def _hide(
        self,
        public_id: str,
        because: str,
        *,
        item_id: str | None = None,
        answer: tuple[str, str] | None = None,
    ) -> None:
        self.term.do(
            "hide",
            lambda s: privacy_flagging.flag(
                s, self.actor, public_id, because=because, item_id=item_id, answer=answer, now=self.term.now
            ),
        )

    def _sends_back(self, public_id: str) -> bool:
        """Look first whether everything opens; whether something did not, and the work went back for it."""
        try:
            self.term.do("check", lambda s: checking.begin(s, self.actor, public_id, self.term.now))
        except OperationRefused:
            return False  # it is being read already
        desk = self._desk(public_id)
        if not any(plan.UNUSABLE in item.caption for part in desk.parts for item in part.items):
            return False
        self.term.do(
            "send back",
            lambda s: checking.send_back(s, self.actor, public_id, "One piece does not open.", self.term.now),
        )
        return True

    def _entry(self, part: PartWork, criterion: Criterion) -> review.Entry:
        level = self._level(part, criterion)
        return review.Entry(
            level, "Well shown." if level in ("strong", "passing", "yes") else "Show how often."
        )

    def _level(self, part: PartWork, criterion: Criterion) -> str:
        """What the work shows, or now and then the level beside it."""
        text = " ".join(
            [*(_text(answer.paragraphs) for answer in part.answers), *(i.caption for i in part.items)]
        )
        seen = max(LEVELS, key=lambda level: text.count(GRADES[level]))
        place = LEVELS.index(seen)
        if self.luck.random() < CHANCES.misjudges * self._careful:
            place = min(3, max(0, place + self.luck.choice((-1, 1))))
        if criterion.scale == "yes_no":
            return "yes" if place < 2 else "no"
        return LEVELS[place]

    def _save(self, public_id: str, entries: dict[str, review.Entry]) -> None:
        self.term.do(
            "rate", lambda s: review.save_ratings(s, self.actor, public_id, entries, now=self.term.now)
        )

    def _finish(self, public_id: str) -> None:
        desk = self._desk(public_id)
        if any(plan.COPIED in _text(answer.paragraphs) for part in desk.parts for answer in part.answers):
            self.term.do(
                "flag",
                lambda s: flagging.raise_flag(
                    s, self.actor, public_id, "copying", "It is in the handbook.", self.term.now
                ),
            )
        expected, chance = "award" if desk.outcome.passed else "revise", self.luck.random
        self.term.do(
            "finish",
            lambda s: review.finish(s, self.actor, public_id, expected, self.term.now, chance=chance),
        )

    def _minutes(self, minutes: int) -> datetime:
        return self.term.now + timedelta(minutes=minutes)


def _part(parts: tuple[PartWork, ...], part_id: str) -> PartWork:
    return next(part for part in parts if part.part_id == part_id)


def _text(paragraphs: tuple[tuple[object, ...], ...]) -> str:
    return " ".join(getattr(run, "text", "") for paragraph in paragraphs for run in paragraph)
