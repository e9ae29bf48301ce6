"""The usual launches in one round trip: of somebody who was here before, where nothing has changed since, and
of somebody, some course or some link that is new.

`INSERT_KNOWN` writes the launch row only where registration, deployment and person may come in and everything
that the launch says of person, context and link is stored already. `RECORD_ANY` writes what is not there yet
as well; it is for PostgreSQL, which writes several tables in one statement. Both look at everything
themselves; where they write nothing, the full transaction of `recording` finds out why.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    and_,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
)

from lti_tool.models import Context, Deployment, Launch, Registration, ResourceLink
from microcred.database import random_id
from microcred.people.models import LmsIdentity, Person

_REGISTRATION, _DEPLOYMENT = Registration.__table__.c, Deployment.__table__.c
_IDENTITY, _PERSON = LmsIdentity.__table__.c, Person.__table__.c
_CONTEXT, _LINK, _LAUNCH = Context.__table__.c, ResourceLink.__table__.c, Launch.__table__.c

BROUGHT = (
    "public_id",
    "state_id",
    "message_type",
    "rights",
    "is_test_user",
    "target_link_uri",
    "custom",
    "lineitem_url",
    "return_url",
    "locale",
    "for_user_sub",
    "deep_linking",
    "bound_by",
    "created_at",
    "last_seen_at",
)
"""Columns of the launch row that the launch itself brings; the others name rows that exist."""


def parameters(
    launch: Mapping[str, Any],
    place: Mapping[str, Any],
    profile: Mapping[str, str | None],
    context: Mapping[str, Any],
    link: Mapping[str, Any],
) -> dict[str, Any]:
    """The statement's parameters.

    `launch` holds the columns of `BROUGHT`; `place` says registration (row id), deployment, sub, context and
    link (the platform's ids); the others are the columns as the launch gives them, None for what it left out.
    """
    given: dict[str, Any] = {**_NOTHING}
    given["person_public_id"] = random_id()
    given.update(launch)
    given.update(place)
    for prefix, values in (("person_", profile), ("context_", context), ("link_", link)):
        for name, value in values.items():
            given[prefix + name] = value
    return given


def _unchanged(prefix: str, columns: Any, *names: str) -> list[ColumnElement[bool]]:
    """Each of these columns holds what was given, or nothing was given."""
    found = []
    for name in names:
        column = columns[name]
        given = func.coalesce(bindparam(prefix + name, type_=column.type), column, type_=column.type)
        found.append(column.is_not_distinct_from(given))
    return found


def _same_id(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The row with this id was found, or none was named (no id is empty)."""
    return func.coalesce(column, _EMPTY) == func.coalesce(bindparam(name, type_=column.type), _EMPTY)


_EMPTY: ColumnElement[str] = literal_column("''")
_PROFILE = ("name", "given_name", "family_name", "email", "locale")
_OF_CONTEXT = ("title", "label", "lineitems_url", "memberships_url", "ags_scopes", "origin_ids")
_OF_LINK = ("title", "lineitem_url", "origin_ids")
_COMPARED = (
    *(f"person_{name}" for name in _PROFILE),
    *(f"context_{name}" for name in _OF_CONTEXT),
    *(f"link_{name}" for name in _OF_LINK),
)
_NOTHING: dict[str, Any] = {**dict.fromkeys(_COMPARED), "no_items": []}

_FOUND = (
    _REGISTRATION.id.table.join(_DEPLOYMENT.id.table, _DEPLOYMENT.registration_id == _REGISTRATION.id)
    .join(_IDENTITY.id.table, _IDENTITY.registration_id == _REGISTRATION.id)
    .join(_PERSON.id.table, _PERSON.id == _IDENTITY.person_id)
    .outerjoin(
        _CONTEXT.id.table,
        and_(
            _CONTEXT.deployment_id == _DEPLOYMENT.id,
            _CONTEXT.context_id == bindparam("context", type_=_CONTEXT.context_id.type),
        ),
    )
    .outerjoin(
        _LINK.id.table,
        and_(
            _LINK.deployment_id == _DEPLOYMENT.id,
            _LINK.resource_link_id == bindparam("link", type_=_LINK.resource_link_id.type),
        ),
    )
)
_ROWS = {
    "registration_id": _REGISTRATION.id,
    "deployment_id": _DEPLOYMENT.id,
    "identity_id": _IDENTITY.id,
    "person_id": _PERSON.id,
    "context_id": _CONTEXT.id,
    "resource_link_id": _LINK.id,
}
INSERT_KNOWN = insert(Launch).from_select(
    [*_ROWS, *BROUGHT],
    select(*_ROWS.values(), *(bindparam(name, type_=_LAUNCH[name].type) for name in BROUGHT))
    .select_from(_FOUND)
    .where(
        _REGISTRATION.id == bindparam("registration", type_=_REGISTRATION.id.type),
        _REGISTRATION.state == literal_column("'approved'"),
        _DEPLOYMENT.deployment_id == bindparam("deployment", type_=_DEPLOYMENT.deployment_id.type),
        _DEPLOYMENT.state == literal_column("'approved'"),
        _IDENTITY.sub == bindparam("sub", type_=_IDENTITY.sub.type),
        or_(_IDENTITY.is_test_user, not_(bindparam("is_test_user", type_=_IDENTITY.is_test_user.type))),
        _PERSON.state == literal_column("'active'"),
        *_unchanged("person_", _PERSON, *_PROFILE),
        _same_id(_CONTEXT.context_id, "context"),
        *_unchanged("context_", _CONTEXT, *_OF_CONTEXT),
        _same_id(_LINK.resource_link_id, "link"),
        *_unchanged("link_", _LINK, *_OF_LINK),
        # A link does not move to another course by itself; where it seems to, the full transaction decides.
        or_(_CONTEXT.id.is_(None), _LINK.id.is_(None), _LINK.context_id == _CONTEXT.id),
        # A state that was used already is refused there as well.
        ~exists().where(_LAUNCH.state_id == bindparam("state_id", type_=_LAUNCH.state_id.type)),
    ),
    include_defaults=False,
)


def _param(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return bindparam(name, type_=column.type)


def _given(prefix: str, columns: Any, *names: str) -> dict[str, ColumnElement[Any]]:
    """What was given for these columns; a list that was not given is empty."""
    values: dict[str, ColumnElement[Any]] = {}
    for name in names:
        value = _param(prefix + name, columns[name])
        is_list = name in ("ags_scopes", "origin_ids")
        empty = bindparam("no_items", type_=columns[name].type)
        values[name] = func.coalesce(value, empty, type_=columns[name].type) if is_list else value
    return values


def _made(model: Any, columns: Mapping[str, ColumnElement[Any]], *where: ColumnElement[bool]) -> CTE:
    """Part of a statement: an INSERT of what is missing, giving its id; nothing where nothing is."""
    chosen = select(*columns.values()).where(*where)
    insertion = insert(model).from_select(list(columns), chosen, include_defaults=False)
    return insertion.returning(model.id).cte(f"made_{model.__tablename__}")


_SUB, _IS_TEST = _param("sub", _IDENTITY.sub), _param("is_test_user", _IDENTITY.is_test_user)
_CONTEXT_GIVEN = _param("context", _CONTEXT.context_id)
_LINK_GIVEN = _param("link", _LINK.resource_link_id)
_NOW = _param("created_at", _LAUNCH.created_at)


def _here() -> CTE:
    """One row of what is there, where this launch may come in and contradicts nothing that is stored."""
    found = (
        _REGISTRATION.id.table.join(_DEPLOYMENT.id.table, _DEPLOYMENT.registration_id == _REGISTRATION.id)
        .outerjoin(
            _IDENTITY.id.table, and_(_IDENTITY.registration_id == _REGISTRATION.id, _IDENTITY.sub == _SUB)
        )
        .outerjoin(_PERSON.id.table, _PERSON.id == _IDENTITY.person_id)
        .outerjoin(
            _CONTEXT.id.table,
            and_(_CONTEXT.deployment_id == _DEPLOYMENT.id, _CONTEXT.context_id == _CONTEXT_GIVEN),
        )
        .outerjoin(
            _LINK.id.table,
            and_(_LINK.deployment_id == _DEPLOYMENT.id, _LINK.resource_link_id == _LINK_GIVEN),
        )
    )
    may_enter = (
        _REGISTRATION.id == _param("registration", _REGISTRATION.id),
        _REGISTRATION.state == literal_column("'approved'"),
        _DEPLOYMENT.deployment_id == _param("deployment", _DEPLOYMENT.deployment_id),
        _DEPLOYMENT.state == literal_column("'approved'"),
        ~exists().where(_LAUNCH.state_id == _param("state_id", _LAUNCH.state_id)),
    )
    person = (
        _PERSON.state == literal_column("'active'"),
        or_(_IDENTITY.is_test_user, not_(_IS_TEST)),
        *_unchanged("person_", _PERSON, *_PROFILE),
    )
    link = (
        or_(_CONTEXT_GIVEN.is_(None), _LINK.context_id == _CONTEXT.id),
        *_unchanged("link_", _LINK, *_OF_LINK),
    )
    return (
        select(*(column.label(name) for name, column in _ROWS.items()))
        .select_from(found)
        .where(
            *may_enter,
            or_(_IDENTITY.id.is_(None), and_(*person)),
            or_(_CONTEXT.id.is_(None), and_(*_unchanged("context_", _CONTEXT, *_OF_CONTEXT))),
            or_(_LINK.id.is_(None), and_(*link)),
        )
        .cte("here")
    )


def _or_made(found: ColumnElement[Any], made: CTE) -> ColumnElement[Any]:
    """The id that was found, or that of the row just made."""
    return func.coalesce(found, select(made.c.id).scalar_subquery())


_HERE = _here()
_MADE_PERSON = _made(
    Person,
    {
        "public_id": _param("person_public_id", _PERSON.public_id),
        "state": literal_column("'active'"),
        "created_at": _NOW,
        **_given("person_", _PERSON, *_PROFILE),
    },
    _HERE.c.person_id.is_(None),
)
_MADE_IDENTITY = _made(
    LmsIdentity,
    {
        "registration_id": _HERE.c.registration_id,
        "sub": _SUB,
        "person_id": _MADE_PERSON.c.id,
        "is_test_user": _IS_TEST,
        "created_at": _NOW,
    },
)
_MADE_CONTEXT = _made(
    Context,
    {
        "deployment_id": _HERE.c.deployment_id,
        "context_id": _CONTEXT_GIVEN,
        "created_at": _NOW,
        **_given("context_", _CONTEXT, *_OF_CONTEXT),
    },
    _HERE.c.context_id.is_(None),
    _CONTEXT_GIVEN.is_not(None),
)
_MADE_LINK = _made(
    ResourceLink,
    {
        "deployment_id": _HERE.c.deployment_id,
        "context_id": _or_made(_HERE.c.context_id, _MADE_CONTEXT),
        "resource_link_id": _LINK_GIVEN,
        "created_at": _NOW,
        **_given("link_", _LINK, *_OF_LINK),
    },
    _HERE.c.resource_link_id.is_(None),
    _LINK_GIVEN.is_not(None),
)
_NAMED: dict[str, ColumnElement[Any]] = {
    "registration_id": _HERE.c.registration_id,
    "deployment_id": _HERE.c.deployment_id,
    "identity_id": _or_made(_HERE.c.identity_id, _MADE_IDENTITY),
    "person_id": _or_made(_HERE.c.person_id, _MADE_PERSON),
    "context_id": _or_made(_HERE.c.context_id, _MADE_CONTEXT),
    "resource_link_id": _or_made(_HERE.c.resource_link_id, _MADE_LINK),
}
RECORD_ANY = insert(Launch).from_select(
    [*_NAMED, *BROUGHT],
    select(*_NAMED.values(), *(_param(name, _LAUNCH[name]) for name in BROUGHT)).select_from(_HERE),
    include_defaults=False,
)
