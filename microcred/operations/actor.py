"""Who acts: a person with the course rights of a launch and the offices they hold."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.sessions import PageSession
from microcred.people import Office, canonical_id, ids_of, offices_of
from microcred.people.models import LmsIdentity


@dataclass(frozen=True)
class Actor:
    """A person at work. Course rights hold only in `context_id`; offices hold in their organizations.

    Where two identities are linked, `person_id` is the one id of the human (compare by it), `own_id` the
    person of the identity they came with (new rows carry it, so that undoing the link leaves each its own),
    and `person_ids` all ids of the human (read by them).
    """

    person_id: int
    rights: frozenset[str]
    """Course rights of the launch, from: read submit place see_progress."""
    offices: tuple[Office, ...]
    launch: PageSession | None = None
    """None at `/desk/`."""
    came_as: int | None = None
    """The person row of the identity they came with; None where there is but one."""
    linked_ids: frozenset[int] = frozenset()
    """Person rows linked with `person_id`."""

    @property
    def own_id(self) -> int:
        """The person whom rows written now belong to."""
        return self.person_id if self.came_as is None else self.came_as

    @property
    def person_ids(self) -> frozenset[int]:
        """Every person id of this human."""
        return self.linked_ids | {self.person_id}

    def canonical(self, person_id: int) -> int:
        """`person_id`, or the actor's one id where it is the actor."""
        return self.person_id if person_id in self.person_ids else person_id

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
    """The actor behind a page session of a launch; `launch.person_id` is canonical already."""
    ids = ids_of(session, launch.person_id)
    came_as = None
    if len(ids) > 1:
        came_as = session.scalar(select(LmsIdentity.person_id).where(LmsIdentity.id == launch.identity_id))
    return Actor(
        launch.person_id,
        launch.rights,
        offices_of(session, ids, now),
        launch,
        came_as,
        ids - {launch.person_id},
    )


def actor_for_desk(session: Session, person_id: int, now: datetime) -> Actor:
    """The actor behind a first-party session: offices only."""
    ids = ids_of(session, person_id)
    canonical = canonical_id(session, person_id)
    return Actor(
        canonical,
        frozenset(),
        offices_of(session, ids, now),
        came_as=person_id,
        linked_ids=ids - {canonical},
    )
