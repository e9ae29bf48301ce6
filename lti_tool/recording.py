"""The launch's own transaction: who, where, which link, and the launch row whose `state_id` is unique.

The usual ones, of somebody who was here before with nothing changed and (on PostgreSQL) of somebody new, take
one round trip (`known`). For all others one look-up finds everything they have; what is missing is made, what
changed is updated, what a launch leaves out is kept. Two first launches of one person at the same moment
collide on a unique index: the later transaction starts again and finds what the earlier one made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, and_, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from lti_tool import known
from lti_tool.errors import LtiRefused
from lti_tool.facts import COLUMNS, RegistrationFacts
from lti_tool.known import INSERT_KNOWN, RECORD_ANY
from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from lti_tool.protocol.messages import Core, Details, Place
from lti_tool.registrations import note_deployment, note_host
from lti_tool.roles import is_test_user, rights_of
from lti_tool.state import LoginState
from microcred.database import Alone, Base, Clock, Database, random_id
from microcred.people.models import LmsIdentity, Person

_ATTEMPTS = 4
_NOTED_AT_MOST = 10_000
"""Hosts that one process remembers to have noted."""


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
        self._noted: set[tuple[int, str]] = set()
        self._usual = Alone(database, INSERT_KNOWN if database.is_sqlite else RECORD_ANY)

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
        if not isinstance(details, LtiRefused) and login.deployment_id in (None, core.deployment_id):
            public_id = self._record_usual(given, details)
            if public_id is not None:
                return Accepted(public_id, facts.public_id, core.message_type, bound_by)
        for attempt in range(_ATTEMPTS):
            try:
                with self._database.writing() as session:
                    return _record(session.connection(), given, retried=attempt > 0)
            except IntegrityError:
                continue
            except LtiRefused as refused:
                if refused.code == "deployment_unknown":
                    self._note(facts, core.deployment_id)
                raise
        raise LtiRefused("temporarily_unavailable")

    def _record_usual(self, given: _Given, details: Details) -> str | None:
        """Store a launch that contradicts nothing that is stored; None where it is another."""
        public_id = random_id()
        values = known.parameters(
            _brought(given, details, public_id),
            {
                "registration": given.facts.row_id,
                "deployment": given.core.deployment_id,
                "sub": given.core.sub,
                "context": details.context.id if details.context else None,
                "link": details.resource_link.id if details.resource_link else None,
            },
            _profile(details),
            _of_context(details) if details.context else {},
            _of_link(details) if details.resource_link else {},
        )
        try:
            return public_id if self._usual.is_written(values) else None
        except self._database.driver_error:
            # The full transaction meets the same trouble, and says what it is.
            return None

    def note_host(self, facts: RegistrationFacts, host: str, named_for: str) -> None:
        """Remember for the operator a host that a signed launch named and that its registration does not
        reach.
        """
        noted = (facts.row_id, host)
        if noted in self._noted or len(self._noted) >= _NOTED_AT_MOST:
            return
        self._noted.add(noted)
        try:
            with self._database.writing() as session:
                note_host(session, facts.row_id, host, named_for, self._clock)
        except IntegrityError:
            # Another process noted the same host at the same moment.
            return

    def _note(self, facts: RegistrationFacts, deployment_id: str) -> None:
        try:
            with self._database.writing() as session:
                note_deployment(session, facts.row_id, deployment_id, self._clock)
        except IntegrityError:
            # Another launch noted the same deployment at the same moment.
            return


def _record(connection: Connection, given: _Given, *, retried: bool) -> Accepted:
    if retried and connection.scalar(_LAUNCHED, {"state_id": given.login.state_id}):
        raise LtiRefused("state_used")
    details = given.details
    found = _look_up(connection, given, None if isinstance(details, LtiRefused) else details)
    present = RegistrationFacts.of(found)
    if present != given.facts:
        raise RegistrationChanged(present)
    deployment_id = _deployment(connection, given, found)
    _check_named_at_login(connection, given)
    if isinstance(details, LtiRefused):
        raise details
    identity_id, person_id = _person(connection, given, details, found)
    context_id = _context(connection, given, details, found, deployment_id)
    link_id = _link(connection, given, details, found, deployment_id, context_id)
    public_id = random_id()
    rows = {
        "registration_id": given.facts.row_id,
        "deployment_id": deployment_id,
        "identity_id": identity_id,
        "person_id": person_id,
        "context_id": context_id,
        "resource_link_id": link_id,
    }
    connection.execute(_INSERT_LAUNCH, rows | _brought(given, details, public_id))
    return Accepted(public_id, given.facts.public_id, given.core.message_type, given.bound_by)


def _brought(given: _Given, details: Details, public_id: str) -> dict[str, Any]:
    """The columns of the launch row that name no other row."""
    return {
        "public_id": public_id,
        "state_id": given.login.state_id,
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


def _profile(details: Details) -> dict[str, str | None]:
    profile: dict[str, str | None] = {**details.profile}
    if details.locale:
        profile["locale"] = details.locale
    return profile


def _of_context(details: Details) -> dict[str, Any]:
    assert details.context is not None
    return {
        **_called(details.context, "title", "label"),
        "lineitems_url": details.lineitems_url,
        "memberships_url": details.memberships_url,
        "ags_scopes": details.ags_scopes or None,
        "origin_ids": details.context_origins or None,
    }


def _of_link(details: Details) -> dict[str, Any]:
    assert details.resource_link is not None
    return {
        **_called(details.resource_link, "title"),
        "lineitem_url": details.lineitem_url,
        "origin_ids": details.link_origins or None,
    }


def _look_up(connection: Connection, given: _Given, details: Details | None) -> Any:
    context = details.context.id if details and details.context else None
    link = details.resource_link.id if details and details.resource_link else None
    return connection.execute(
        _EVERYTHING,
        {
            "registration": given.facts.row_id,
            "deployment": given.core.deployment_id,
            "sub": given.core.sub,
            "context": context,
            "link": link,
        },
    ).one()


def _deployment(connection: Connection, given: _Given, found: Any) -> int:
    """The approved deployment's row id. Raises LtiRefused(deployment_unknown)."""
    if found.deployment_state == "approved":
        return int(found.deployment_row)
    if not given.facts.any_deployment or found.deployment_state == "disabled":
        raise LtiRefused("deployment_unknown")
    if found.deployment_row is not None:
        connection.execute(
            update(_DEPLOYMENT)
            .where(_DEPLOYMENT.c.id == found.deployment_row)
            .values(state="approved", organization_id=given.facts.organization_id)
        )
        return int(found.deployment_row)
    return _insert(
        connection,
        _DEPLOYMENT,
        registration_id=given.facts.row_id,
        deployment_id=given.core.deployment_id,
        state="approved",
        organization_id=given.facts.organization_id,
        created_at=given.now,
    )


def _check_named_at_login(connection: Connection, given: _Given) -> None:
    """The signed claim decides; but a login for a deployment we do not know is refused all the same."""
    named = given.login.deployment_id
    if named is None or named == given.core.deployment_id:
        return
    known = select(_DEPLOYMENT.c.id).where(
        _DEPLOYMENT.c.registration_id == given.facts.row_id,
        _DEPLOYMENT.c.deployment_id == named.replace("\0", ""),
        _DEPLOYMENT.c.state == "approved",
    )
    if connection.scalar(known) is None:
        raise LtiRefused("deployment_unknown")


def _person(connection: Connection, given: _Given, details: Details, found: Any) -> tuple[int, int]:
    """Row ids of the identity and the person behind it. Raises LtiRefused(user_blocked)."""
    profile = _profile(details)
    if found.identity_row is not None and found.person_state != "erased":
        if found.person_state != "active":
            raise LtiRefused("user_blocked")
        _update(connection, _PERSON, found.person_row, profile, found, "person_")
        if is_test_user(given.core.roles) and not found.identity_is_test:
            connection.execute(
                update(_IDENTITY).where(_IDENTITY.c.id == found.identity_row).values(is_test_user=True)
            )
        return found.identity_row, found.person_row
    person_id = _insert(connection, _PERSON, state="active", created_at=given.now, **profile)
    if found.identity_row is not None:
        # An erased person's next launch starts empty, as somebody new.
        connection.execute(
            update(_IDENTITY).where(_IDENTITY.c.id == found.identity_row).values(person_id=person_id)
        )
        return found.identity_row, person_id
    identity_id = _insert(
        connection,
        _IDENTITY,
        registration_id=given.facts.row_id,
        sub=given.core.sub,
        person_id=person_id,
        is_test_user=is_test_user(given.core.roles),
        created_at=given.now,
    )
    return identity_id, person_id


def _context(
    connection: Connection, given: _Given, details: Details, found: Any, deployment_id: int
) -> int | None:
    if details.context is None:
        return None
    values = _of_context(details)
    if found.context_row is not None:
        _update(connection, _CONTEXT, found.context_row, values, found, "context_")
        return int(found.context_row)
    return _insert(
        connection,
        _CONTEXT,
        deployment_id=deployment_id,
        context_id=details.context.id,
        created_at=given.now,
        **{**values, "ags_scopes": details.ags_scopes, "origin_ids": details.context_origins},
    )


def _link(
    connection: Connection,
    given: _Given,
    details: Details,
    found: Any,
    deployment_id: int,
    context_id: int | None,
) -> int | None:
    if details.resource_link is None:
        return None
    values = {**_of_link(details), "context_id": context_id}
    if found.link_row is not None:
        _update(connection, _LINK, found.link_row, values, found, "link_")
        return int(found.link_row)
    return _insert(
        connection,
        _LINK,
        deployment_id=deployment_id,
        resource_link_id=details.resource_link.id,
        created_at=given.now,
        **{**values, "origin_ids": details.link_origins},
    )


def _called(place: Place, *columns: str) -> dict[str, str | None]:
    return {column: getattr(place, column) for column in columns}


def _update(
    connection: Connection, table: Table, row_id: int, values: Mapping[str, Any], found: Any, prefix: str
) -> None:
    """Write what is given and different; None means that the launch did not say it, and changes nothing."""
    changed = {
        name: value
        for name, value in values.items()
        if value is not None and value != getattr(found, prefix + name)
    }
    if changed:
        connection.execute(update(table).where(table.c.id == row_id).values(**changed))


def _insert(connection: Connection, table: Table, **values: Any) -> int:
    return int(connection.execute(_INSERTS[table], values).scalar_one())


def _table(model: type[Base]) -> Table:
    return cast(Table, model.__table__)


def _prefixed(table: Table, prefix: str, *names: str) -> list[Any]:
    return [table.c[name].label(prefix + name) for name in names]


# Statements are written once: building one for each launch takes longer than running it.
_DEPLOYMENT, _IDENTITY, _PERSON = _table(Deployment), _table(LmsIdentity), _table(Person)
_CONTEXT, _LINK = _table(Context), _table(ResourceLink)
_REGISTRATION, _LAUNCH = _table(Registration), _table(Launch)
_INSERT_LAUNCH = insert(_LAUNCH)
_INSERTS = {
    table: insert(table).returning(table.c.id) for table in (_DEPLOYMENT, _IDENTITY, _PERSON, _CONTEXT, _LINK)
}
_LAUNCHED = select(_LAUNCH.c.id).where(_LAUNCH.c.state_id == bindparam("state_id"))
_EVERYTHING = (
    select(
        *COLUMNS,
        _DEPLOYMENT.c.id.label("deployment_row"),
        _DEPLOYMENT.c.state.label("deployment_state"),
        _IDENTITY.c.id.label("identity_row"),
        _IDENTITY.c.is_test_user.label("identity_is_test"),
        _PERSON.c.id.label("person_row"),
        *_prefixed(_PERSON, "person_", "state", "name", "given_name", "family_name", "email", "locale"),
        _CONTEXT.c.id.label("context_row"),
        *_prefixed(
            _CONTEXT,
            "context_",
            *("title", "label", "lineitems_url", "memberships_url", "ags_scopes", "origin_ids"),
        ),
        _LINK.c.id.label("link_row"),
        *_prefixed(_LINK, "link_", "title", "lineitem_url", "origin_ids", "context_id"),
    )
    .select_from(_REGISTRATION)
    .outerjoin(
        _DEPLOYMENT,
        and_(
            _DEPLOYMENT.c.registration_id == _REGISTRATION.c.id,
            _DEPLOYMENT.c.deployment_id == bindparam("deployment"),
        ),
    )
    .outerjoin(
        _IDENTITY,
        and_(_IDENTITY.c.registration_id == _REGISTRATION.c.id, _IDENTITY.c.sub == bindparam("sub")),
    )
    .outerjoin(_PERSON, _PERSON.c.id == _IDENTITY.c.person_id)
    .outerjoin(
        _CONTEXT,
        and_(_CONTEXT.c.deployment_id == _DEPLOYMENT.c.id, _CONTEXT.c.context_id == bindparam("context")),
    )
    .outerjoin(
        _LINK,
        and_(_LINK.c.deployment_id == _DEPLOYMENT.c.id, _LINK.c.resource_link_id == bindparam("link")),
    )
    .where(_REGISTRATION.c.id == bindparam("registration"))
)
