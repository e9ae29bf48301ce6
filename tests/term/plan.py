"""What a term is made of, known beforehand: how many people, when, and how often each thing happens."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

BEGIN = datetime(2026, 10, 19, 12, 0, tzinfo=UTC)
"""A Monday morning. Six weeks from here hold two holidays, and the end of summer time."""
ZONE = ZoneInfo("America/Chicago")
HOLIDAYS = (date(2026, 11, 11), date(2026, 11, 26), date(2026, 11, 27))
COURSES = (("mc-shape-ideas", 6), ("mc-feedback", 2), ("mc-academic-language", 2))
"""Credentials of one issuer, and how many courses hold each."""
EXPIRING = "mc-academic-language"
"""In this term it counts for a month, so that some of its awards expire."""
PRACTISED = "mc-shape-ideas"
"""The credential that reviewers practise for, once three of its tries are anchors."""
PRACTICE_MONTHS = 1
"""How long a passed round counts: shorter than the term, so that it lapses."""


@dataclass(frozen=True)
class Size:
    """How much happens."""

    teachers: int = 500
    reviewers: int = 12
    approvers: int = 4
    coordinators: int = 3
    weeks: int = 6
    seed: int = 1

    @property
    def end(self) -> datetime:
        """When the term is over."""
        return BEGIN + timedelta(weeks=self.weeks)


@dataclass(frozen=True)
class Chances:
    """How often things happen, as shares of 1."""

    only_looks: float = 0.03
    """Opens the credential and never writes."""
    gives_up: float = 0.07
    """Writes, and never sends it in."""
    line_breaks: float = 0.08
    """Of all saves: the request is lost on its way; half as often again only the answer is."""
    second_tab: float = 0.06
    """Of all saves: another tab or the phone saved meanwhile."""
    sends_too_early: float = 0.15
    takes_back: float = 0.08
    names_somebody: float = 0.03
    """Of all first tries: a name in an answer, or a face in a piece."""
    does_not_open: float = 0.03
    """Of all first tries: a piece that nobody can use."""
    copied: float = 0.02
    permission_ends: float = 0.04
    """Withdrawn, or over, while somebody reads."""
    struggles: float = 0.05
    """Teachers who do not get it right for several tries."""
    appeals: float = 0.7
    """Of those whose work was not awarded."""
    no_mail: float = 0.05
    looks_first: float = 0.3
    """Of all readings: the reviewer looks first whether everything opens."""
    knows_whose: float = 0.01
    """Of all readings: the reviewer recognises the work."""
    leaves_it: float = 0.04
    """Of all readings: the reviewer stops in the middle, and goes on another day."""
    misjudges: float = 0.10
    """Of all points: one level beside what the work shows."""
    returned: float = 0.04
    """Of all recommendations: the approver asks the reviewer to look again."""
    revoked: float = 0.02
    opens_next_course: float = 0.02
    """Of all teachers: the draft moves to another course."""


CHANCES = Chances()
GRADES = {"strong": "thoroughly", "passing": "clearly", "revisions_needed": "partly", "not_evident": "hardly"}
"""How well the work shows something stands in the work itself, in a word; reviewers read it there."""
LEVELS = tuple(GRADES)
NAME_SLIP = "Jordan Pupil"
FACE_SLIP = "with a face"
UNUSABLE = "that does not open"
COPIED = "word for word from the handbook"


def school_day(day: date) -> bool:
    """Whether people work on that day."""
    return day.weekday() < 5 and day not in HOLIDAYS


def at(day: date, hour: float) -> datetime:
    """An hour of a day, such as 16.5, where these people live."""
    moment = datetime(day.year, day.month, day.day, tzinfo=ZONE) + timedelta(hours=hour)
    return moment.astimezone(UTC)
