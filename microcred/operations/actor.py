"""Who acts: a person with the course rights of a launch and the offices they hold."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from lti_tool.sessions import PageSession
from microcred.people import Office, offices_of


@dataclass(frozen=True)
class Actor:
    """A person at work. Course rights hold only in `context_id`; offices hold in their organizations."""

    person_id: int
    rights: frozenset[str]
    """Course rights of the launch, from: read submit place see_progress."""
    offices: tuple[Office, ...]
    launch: PageSession | None = None
    """None at `/desk/`."""

    @property
    def is_test(self) -> bool:
        """Whether what this actor does is for trying out: an LMS test user, or a test site."""
        return self.launch is not None and (self.launch.is_test_user or self.launch.is_test_site)

    def holds(self, role: str, organization_id: int | None) -> bool:
        """Whether the actor holds an office in the organization (an installation-wide operator holds it
        everywhere).
        """
        return Office(role, organization_id) in self.offices or (
            role == "operator" and Office("operator", None) in self.offices
        )

    def organizations(self, role: str) -> frozenset[int]:
        """The organizations in which the actor holds `role`."""
        return frozenset(
            office.organization_id
            for office in self.offices
            if office.role == role and office.organization_id is not None
        )


def actor_for_launch(session: Session, launch: PageSession, now: datetime) -> Actor:
    """The actor behind a page session of a launch."""
    return Actor(launch.person_id, launch.rights, offices_of(session, launch.person_id, now), launch)


def actor_for_desk(session: Session, person_id: int, now: datetime) -> Actor:
    """The actor behind a first-party session: offices only."""
    return Actor(person_id, frozenset(), offices_of(session, person_id, now))
