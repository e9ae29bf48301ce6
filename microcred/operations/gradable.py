"""Whether the LMS can keep grades of the people in a course: only learners have cells in a gradebook, and
courses for teachers like to enrol everybody as a teacher. Seen before the first hand-in, not after the award.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.facts import RegistrationFacts
from lti_tool.models import Context, Registration
from lti_tool.roles import NOTHING, READ, rights_of
from lti_tool.roster import Member, Roster
from microcred.operations.actor import Actor
from microcred.operations.coordinating import staff_launch

NAMES_SHOWN = 20


@dataclass(frozen=True)
class Place:
    """A course whose people may be asked for."""

    context_row_id: int
    facts: RegistrationFacts
    memberships_url: str | None


@dataclass(frozen=True)
class Gradable:
    """Who in a course can have a grade, as its roster says."""

    learners: tuple[tuple[str, str], ...]
    """The LMS's id and the name of everybody who has a cell in the gradebook."""
    staff: int
    staff_names: tuple[str, ...]
    """At most `NAMES_SHOWN`, as the LMS gives them."""
    is_whole: bool
    """Every page of the roster was read."""

    @property
    def count(self) -> int:
        """How many can have a grade."""
        return len(self.learners)

    @property
    def nobody(self) -> bool:
        """Nobody can be graded, though somebody beside the coordinator is there."""
        return self.is_whole and not self.learners and self.staff > 1

    @property
    def doubtful(self) -> bool:
        """More staff than any course needs: some of them are likely here to learn."""
        return self.nobody or (self.staff > 2 and self.staff > self.count)

    def knowing(self, staff: Collection[str]) -> "Gradable":
        """The same where these ids of the LMS are known to be staff: a launch knows better than a roster
        (Moodle's calls a non-editing teacher a learner).
        """
        names = [name for sub, name in self.learners if sub in staff]
        return replace(
            self,
            learners=tuple((sub, name) for sub, name in self.learners if sub not in staff),
            staff=self.staff + len(names),
            staff_names=(*self.staff_names, *names)[:NAMES_SHOWN],
        )

    def as_data(self) -> dict[str, Any]:
        """Plain values, to be kept for a while."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Gradable":
        """What `as_data` gave."""
        learners = tuple((sub, name) for sub, name in data["learners"])
        return cls(**{**data, "learners": learners, "staff_names": tuple(data["staff_names"])})


def place_of_course(session: Session, actor: Actor) -> Place | None:
    """The course of a launch by its staff; None outside a course. Raises NotAllowed."""
    launch = staff_launch(actor)
    if launch.context_row_id is None:
        return None
    row = session.get_one(Registration, launch.registration_id)
    context = session.get_one(Context, launch.context_row_id)
    return Place(context.id, RegistrationFacts.of(row), context.memberships_url)


def judge(roster: Roster) -> Gradable:
    """Count a roster: whoever may submit has a cell; observers and people without a role count as neither."""
    active = [member for member in roster.members if member.is_active]
    rights = {member.user_id: rights_of(member.roles) for member in active}
    learners = tuple((m.user_id, _name_of(m)) for m in active if "submit" in rights[m.user_id])
    staff = [
        m for m in active if "submit" not in rights[m.user_id] and rights[m.user_id] not in (NOTHING, READ)
    ]
    names = tuple(_name_of(member) for member in staff[:NAMES_SHOWN])
    return Gradable(learners, len(staff), names, roster.is_whole)


def _name_of(member: Member) -> str:
    composed = " ".join(part for part in (member.given_name, member.family_name) if part)
    return member.name or composed or "Name not shared"
