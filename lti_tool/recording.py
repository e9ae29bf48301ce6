"""The launch's own transaction: who, where, which link, and the launch row whose `state_id` is unique.

One look-up finds everything a returning person has; what is missing is made, what changed is updated, what a
launch leaves out is kept. Two first launches of one person at the same moment collide on a unique index: the
later transaction starts again and finds what the earlier one made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.errors import LtiRefused
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from lti_tool.protocol.messages import Core, Details, Place
from lti_tool.registrations import note_deployment
from lti_tool.roles import is_test_user, rights_of
from lti_tool.state import LoginState
from microcred.database import Clock, Database, random_id
from microcred.people.models import LmsIdentity, Person

_ATTEMPTS = 4


class RegistrationChanged(Exception):
    """The launch was verified by facts that are no longer true; `facts` are the present ones."""

    def __init__(self, facts: RegistrationFacts) -> None:
        super().__init__()
        self.facts = facts


@dataclass(frozen=True)
class Accepted:
    """A recorded launch: where its pages are, and how the browser is known to be the right one."""

    launch_public_id: str
    registration_id: str
    message_type: str
    bound_by: str


@dataclass(frozen=True)
class _Given:
    """What one launch brings to the transaction."""

    login: LoginState
    facts: RegistrationFacts
    bound_by: str
    core: Core
    details: Details | LtiRefused
    now: datetime


class Recorder:
    """Records verified launches."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(
        self,
        login: LoginState,
        facts: RegistrationFacts,
        bound_by: str,
        core: Core,
        details: Details | LtiRefused,
    ) -> Accepted:
        """Store the launch. Raises LtiRefused(deployment_unknown, the message's own refusal, user_blocked,
        state_used), RegistrationChanged.
        """
        given = _Given(login, facts, bound_by, core, details, self._clock.now())
        for attempt in range(_ATTEMPTS):
            try:
                with self._database.writing() as session:
                    return _record(session, given, retried=attempt > 0)
            except IntegrityError:
                continue
            except LtiRefused as refused:
                if refused.code == "deployment_unknown":
                    self._note(facts, core.deployment_id)
                raise
        raise LtiRefused("temporarily_unavailable")

    def _note(self, facts: RegistrationFacts, deployment_id: str) -> None:
        try:
            with self._database.writing() as session:
                note_deployment(session, facts.row_id, deployment_id, self._clock)
        except IntegrityError:
            # Another launch noted the same deployment at the same moment.
            return


def _record(session: Session, given: _Given, *, retried: bool) -> Accepted:
    if retried and session.scalar(select(Launch.id).where(Launch.state_id == given.login.state_id)):
        raise LtiRefused("state_used")
    details = given.details
    found = _look_up(session, given, None if isinstance(details, LtiRefused) else details)
    present = RegistrationFacts.of(found)
    if present != given.facts:
        raise RegistrationChanged(present)
    deployment_id = _deployment(session, given, found)
    _check_named_at_login(session, given)
    if isinstance(details, LtiRefused):
        raise details
    identity_id, person_id = _person(session, given, details, found)
    context_id = _context(session, given, details, found, deployment_id)
    link_id = _link(session, given, details, found, deployment_id, context_id)
    public_id = random_id()
    values = {
        "public_id": public_id,
        "state_id": given.login.state_id,
        "registration_id": given.facts.row_id,
        "deployment_id": deployment_id,
        "identity_id": identity_id,
        "person_id": person_id,
        "context_id": context_id,
        "resource_link_id": link_id,
        "message_type": given.core.message_type,
        "rights": sorted(rights_of(given.core.roles)),
        "is_test_user": is_test_user(given.core.roles),
        "target_link_uri": given.login.target,
        "custom": details.custom,
        "lineitem_url": details.lineitem_url,
        "return_url": details.return_url,
        "locale": details.locale,
        "for_user_sub": details.for_user_sub,
        "deep_linking": details.deep_linking,
        "bound_by": given.bound_by,
        "created_at": given.now,
        "last_seen_at": given.now,
    }
    session.execute(insert(Launch.__table__), values)  # type: ignore[arg-type]
    return Accepted(public_id, given.facts.public_id, given.core.message_type, given.bound_by)


def _look_up(session: Session, given: _Given, details: Details | None) -> Any:
    context = details.context.id if details and details.context else None
    link = details.resource_link.id if details and details.resource_link else None
    return session.execute(
        _EVERYTHING,
        {
            "registration": given.facts.row_id,
            "deployment": given.core.deployment_id,
            "sub": given.core.sub,
            "context": context,
            "link": link,
        },
    ).one()


def _deployment(session: Session, given: _Given, found: Any) -> int:
    """The approved deployment's row id. Raises LtiRefused(deployment_unknown)."""
    if found.deployment_state == "approved":
        return int(found.deployment_row)
    if not given.facts.any_deployment or found.deployment_state == "disabled":
        raise LtiRefused("deployment_unknown")
    if found.deployment_row is not None:
        session.execute(
            update(Deployment)
            .where(Deployment.id == found.deployment_row)
            .values(state="approved", organization_id=given.facts.organization_id)
        )
        return int(found.deployment_row)
    return _insert(
        session,
        Deployment,
        registration_id=given.facts.row_id,
        deployment_id=given.core.deployment_id,
        state="approved",
        organization_id=given.facts.organization_id,
        created_at=given.now,
    )


def _check_named_at_login(session: Session, given: _Given) -> None:
    """The signed claim decides; but a login for a deployment we do not know is refused all the same."""
    named = given.login.deployment_id
    if named is None or named == given.core.deployment_id:
        return
    known = select(Deployment.id).where(
        Deployment.registration_id == given.facts.row_id,
        Deployment.deployment_id == named.replace("\0", ""),
        Deployment.state == "approved",
    )
    if session.scalar(known) is None:
        raise LtiRefused("deployment_unknown")


def _person(session: Session, given: _Given, details: Details, found: Any) -> tuple[int, int]:
    """Row ids of the identity and the person behind it. Raises LtiRefused(user_blocked)."""
    profile: dict[str, str | None] = {**details.profile}
    if details.locale:
        profile["locale"] = details.locale
    if found.identity_row is not None and found.person_state != "erased":
        if found.person_state != "active":
            raise LtiRefused("user_blocked")
        _update(session, Person, found.person_row, profile, found, "person_")
        if is_test_user(given.core.roles) and not found.identity_is_test:
            session.execute(
                update(LmsIdentity).where(LmsIdentity.id == found.identity_row).values(is_test_user=True)
            )
        return found.identity_row, found.person_row
    person_id = _insert(session, Person, state="active", created_at=given.now, **profile)
    if found.identity_row is not None:
        # An erased person's next launch starts empty, as somebody new.
        session.execute(
            update(LmsIdentity).where(LmsIdentity.id == found.identity_row).values(person_id=person_id)
        )
        return found.identity_row, person_id
    identity_id = _insert(
        session,
        LmsIdentity,
        registration_id=given.facts.row_id,
        sub=given.core.sub,
        person_id=person_id,
        is_test_user=is_test_user(given.core.roles),
        created_at=given.now,
    )
    return identity_id, person_id


def _context(session: Session, given: _Given, details: Details, found: Any, deployment_id: int) -> int | None:
    if details.context is None:
        return None
    values: dict[str, Any] = {
        **_called(details.context, "title", "label"),
        "lineitems_url": details.lineitems_url,
        "memberships_url": details.memberships_url,
        "ags_scopes": details.ags_scopes or None,
    }
    if found.context_row is not None:
        _update(session, Context, found.context_row, values, found, "context_")
        return int(found.context_row)
    return _insert(
        session,
        Context,
        deployment_id=deployment_id,
        context_id=details.context.id,
        created_at=given.now,
        **{**values, "ags_scopes": details.ags_scopes},
    )


def _link(
    session: Session,
    given: _Given,
    details: Details,
    found: Any,
    deployment_id: int,
    context_id: int | None,
) -> int | None:
    if details.resource_link is None:
        return None
    values: dict[str, Any] = {
        **_called(details.resource_link, "title"),
        "lineitem_url": details.lineitem_url,
        "context_id": context_id,
    }
    if found.link_row is not None:
        _update(session, ResourceLink, found.link_row, values, found, "link_")
        return int(found.link_row)
    return _insert(
        session,
        ResourceLink,
        deployment_id=deployment_id,
        resource_link_id=details.resource_link.id,
        created_at=given.now,
        **values,
    )


def _called(place: Place, *columns: str) -> dict[str, str | None]:
    return {column: getattr(place, column) for column in columns}


def _update(
    session: Session, table: Any, row_id: int, values: Mapping[str, Any], found: Any, prefix: str
) -> None:
    """Write what is given and different; None means that the launch did not say it, and changes nothing."""
    changed = {
        name: value
        for name, value in values.items()
        if value is not None and value != getattr(found, prefix + name)
    }
    if changed:
        session.execute(update(table).where(table.id == row_id).values(**changed))


def _insert(session: Session, table: Any, **values: Any) -> int:
    row_id = session.execute(insert(table).values(**values).returning(table.id)).scalar_one()
    return int(row_id)


def _prefixed(table: Any, prefix: str, *names: str) -> list[Any]:
    return [getattr(table, name).label(prefix + name) for name in names]


_EVERYTHING = (
    select(
        *COLUMNS,
        Deployment.id.label("deployment_row"),
        Deployment.state.label("deployment_state"),
        LmsIdentity.id.label("identity_row"),
        LmsIdentity.is_test_user.label("identity_is_test"),
        Person.id.label("person_row"),
        *_prefixed(Person, "person_", "state", "name", "given_name", "family_name", "email", "locale"),
        Context.id.label("context_row"),
        *_prefixed(Context, "context_", "title", "label", "lineitems_url", "memberships_url", "ags_scopes"),
        ResourceLink.id.label("link_row"),
        *_prefixed(ResourceLink, "link_", "title", "lineitem_url", "context_id"),
    )
    .outerjoin(
        Deployment,
        and_(
            Deployment.registration_id == Registration.id,
            Deployment.deployment_id == bindparam("deployment"),
        ),
    )
    .outerjoin(
        LmsIdentity,
        and_(LmsIdentity.registration_id == Registration.id, LmsIdentity.sub == bindparam("sub")),
    )
    .outerjoin(Person, Person.id == LmsIdentity.person_id)
    .outerjoin(
        Context, and_(Context.deployment_id == Deployment.id, Context.context_id == bindparam("context"))
    )
    .outerjoin(
        ResourceLink,
        and_(
            ResourceLink.deployment_id == Deployment.id,
            ResourceLink.resource_link_id == bindparam("link"),
        ),
    )
    .where(Registration.id == bindparam("registration"))
)
