"""`microcred person`: who works here, one-time links, suspension, export, erasing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Registration
from microcred.app.cli.common import Failed, application, fail, json_option, show_json, show_table
from microcred.app.wiring import Assembly
from microcred.operations import exporting, linking, persons, privacy
from microcred.operations.errors import OperationRefused
from microcred.people import audit, grant, ids_of, links, organization_by_code, standing
from microcred.people.models import (
    OFFICE_ROLES,
    EraseRequest,
    LmsIdentity,
    Organization,
    Person,
    RoleGrant,
)


@click.group()
def person() -> None:
    """People: list, invite by one-time link, suspend, restore, export, erase. ID is `<registration_id>:<sub>`
    or `person:<public id>`.
    """


@person.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Everybody known here, with identities and offices."""
    with application() as app, app.database.reading() as session:
        people = [_described(session, row) for row in session.scalars(select(Person).order_by(Person.id))]
    if as_json:
        show_json(people)
    else:
        show_table(
            ("ID", "Name", "State", "Offices"),
            [
                (
                    ", ".join(p["identities"]) or f"person:{p['person_id']}",
                    p["name"],
                    p["state"],
                    ", ".join(f"{o['role']} at {o['organization']}" for o in p["offices"]),
                )
                for p in people
            ],
        )


@person.command()
@click.option("--name", required=True, help="How the person is called on pages.")
@click.option("--email", help="Where to reach them; nothing is mailed by this command.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(OFFICE_ROLES))
@click.option(
    "--organization", "code", help="Code of the organization the office is in, such as iss-riverbend."
)
@json_option
def invite(name: str, email: str | None, roles: tuple[str, ...], code: str | None, as_json: bool) -> None:
    """Make a person with an office and print a one-time link to the desk (good for 7 days, opens once)."""
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        organization = _organization(session, code, roles)
        invited = Person(name=name, email=email, state="active", created_at=now)
        session.add(invited)
        session.flush()
        for role in roles:
            organization_id = organization.id if organization else None
            grant(session, person_id=invited.id, role=role, organization_id=organization_id, now=now, by=None)
        secret = links.invite(session, invited.id, now)
        audit.record(
            session,
            at=now,
            actor_id=None,
            action="person.invite",
            subject=("person", invited.id),
            detail={"roles": list(roles)},
        )
        answer = {
            "person_id": invited.public_id,
            "url": f"{app.settings.public_url}/desk/enter?t={secret}",
            "expires_at": now + links.LINK_LIFE,
        }
    if as_json:
        show_json(answer)
    else:
        click.echo(f"{name} can enter once with this link, within 7 days:\n{answer['url']}")


@person.command()
@click.argument("id_", metavar="ID")
@json_option
def link(id_: str, as_json: bool) -> None:
    """Print a new one-time link to the desk for a person who is known already."""
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        found = _find(session, id_)
        if found.state != "active":
            fail(f"This person is {found.state}; a link would open nothing.")
        secret = links.invite(session, found.id, now)
        answer = {
            "url": f"{app.settings.public_url}/desk/enter?t={secret}",
            "expires_at": now + links.LINK_LIFE,
        }
    if as_json:
        show_json(answer)
    else:
        click.echo(answer["url"])


@person.command()
@click.argument("id_", metavar="ID")
@click.option("--role", required=True, type=click.Choice(OFFICE_ROLES))
@click.option("--organization", "code", help="Code of the organization the office is in.")
@json_option
def appoint(id_: str, role: str, code: str | None, as_json: bool) -> None:
    """Give an office to a person who is known already."""
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        found = _find(session, id_)
        organization = _organization(session, code, [role])
        organization_id = organization.id if organization else None
        grant(session, person_id=found.id, role=role, organization_id=organization_id, now=now, by=None)
        audit.record(
            session,
            at=now,
            actor_id=None,
            action="person.appoint",
            subject=("person", found.id),
            detail={"role": role},
        )
        shown = _changed(session, found)
    _say_done(shown, as_json)


@person.command()
@click.argument("id_", metavar="ID")
@json_option
def suspend(id_: str, as_json: bool) -> None:
    """Close every page session of a person and refuse new ones."""
    with _managed() as (app, session):
        found = _find(session, id_)
        standing.suspend(session, found.id, now=app.clock.now(), by=None)
        shown = _changed(session, found)
    _say_done(shown, as_json)


@person.command()
@click.argument("id_", metavar="ID")
@json_option
def restore(id_: str, as_json: bool) -> None:
    """Let a suspended person in again."""
    with _managed() as (app, session):
        found = _find(session, id_)
        persons.let_in(session, found.id, by=None, now=app.clock.now())
        shown = _changed(session, found)
    _say_done(shown, as_json)


@person.command()
@click.argument("id_", metavar="ID")
@json_option
def unlink(id_: str, as_json: bool) -> None:
    """Undo the link between this account and others of the same person."""
    with _managed() as (app, session):
        found = _find(session, id_)
        linked = session.scalars(
            select(Person.id).where(
                Person.id.in_(ids_of(session, found.id)), Person.merged_into_id.is_not(None)
            )
        ).all()
        # The account that all others point to has no link of its own: then theirs are undone.
        for person_id in [found.id] if found.merged_into_id is not None else linked:
            linking.separate(session, person_id, by=None, now=app.clock.now())
        if not linked:
            fail("This account is linked with no other.")
        shown = _changed(session, found)
    _say_done(shown, as_json)


@person.command()
@click.argument("id_", metavar="ID")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
def export(id_: str, output: Path | None) -> None:
    """Everything stored about a person, as a zip: your-data.json and their files."""
    with application() as app:
        with app.database.writing() as session:
            made = exporting.export(session, _find(session, id_).id, by=None, now=app.clock.now())
        with click.open_file(str(output) if output else "-", "wb") as target:
            for piece in exporting.archive(made, app.storage):
                target.write(piece)


@person.command()
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--grades",
    type=click.Choice([choice.value for choice in privacy.Grades]),
    default=privacy.Grades.SEND.value,
    show_default=True,
    help="Grades on their way: send them first (the worker then erases), or cancel them.",
)
@click.option("--keep-badges", is_flag=True, help="Leave badge pages where they are, without a name.")
@json_option
def erase(id_: str, yes: bool, grades: str, keep_badges: bool, as_json: bool) -> None:
    """Remove a person: identities, work, evidence, addresses, sessions. It cannot be undone.

    Awards stay with id, credential, dates and decision, without a name. Accounts linked with this one are
    erased with it.
    """
    with _managed() as (app, session):
        found = _find(session, id_)
        others = len(ids_of(session, found.id)) - 1
        waiting = privacy.queued_grades(session, ids_of(session, found.id), app.clock.now())
    if not yes:
        also = f" and {others} linked account(s)" if others else ""
        click.confirm(
            f"Erase {found.name or id_}{also}? {waiting} grade(s) on the way. This cannot be undone.",
            abort=True,
            err=True,
        )
    with _managed() as (app, session):
        result = privacy.erase(
            session,
            found.id,
            grades=privacy.Grades(grades),
            keep_badges=keep_badges,
            by=None,
            now=app.clock.now(),
        )
    if as_json:
        show_json(
            {"person_id": found.public_id, "erased": result.done, "waiting_grades": result.waiting_grades}
        )
    elif result.done:
        click.echo("Erased. The worker deletes the files.")
    else:
        click.echo(f"Shut out. The worker sends {result.waiting_grades} grade(s), then erases.")


@person.command()
@json_option
def requests(as_json: bool) -> None:
    """People who asked to be erased and wait for an answer."""
    with application() as app, app.database.reading() as session:
        shown: list[dict[str, Any]] = [
            {
                "person_id": row.public_id,
                "name": row.name,
                "identities": _identities(session, row),
                "asked_at": request.created_at,
                "keeps_badges": request.keeps_badges,
            }
            for request, row in session.execute(
                select(EraseRequest, Person)
                .join(Person, Person.id == EraseRequest.person_id)
                .where(EraseRequest.closed_at.is_(None))
                .order_by(EraseRequest.id)
            )
        ]
    if as_json:
        show_json(shown)
    else:
        show_table(
            ("ID", "Name", "Asked", "Badges"),
            [
                (
                    ", ".join(one["identities"]) or f"person:{one['person_id']}",
                    one["name"],
                    one["asked_at"],
                    "keep" if one["keeps_badges"] else "withdraw",
                )
                for one in shown
            ],
        )


@contextmanager
def _managed() -> Iterator[tuple[Assembly, Session]]:
    """The application and one writing transaction; a refusal becomes one sentence."""
    try:
        with application() as app, app.database.writing() as session:
            yield app, session
    except OperationRefused as refused:
        raise Failed(refused.message) from refused
    except standing.PersonErased as erased:
        raise Failed("This person was erased; nothing is left to change.") from erased


def _organization(session: Session, code: str | None, roles: Sequence[str]) -> Organization | None:
    """Where these offices are held; None for an operator of the whole installation. Raises UsageError,
    Failed.
    """
    if code is None:
        if set(roles) != {"operator"}:
            raise click.UsageError("--organization is needed for this role.")
        return None
    found = organization_by_code(session, code)
    if found is None:
        raise Failed(f"There is no organization called {code}.")
    return found


def _changed(session: Session, row: Person) -> dict[str, Any]:
    """How a person stands after a change in this transaction."""
    session.flush()
    session.refresh(row)
    return _described(session, row)


def _say_done(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(shown)
    else:
        click.echo("Done.")


def _find(session: Session, id_: str) -> Person:
    """The person called ID. Raises Failed."""
    head, _, tail = id_.partition(":")
    query = select(Person).where(Person.public_id == tail)
    if head != "person":
        query = (
            select(Person)
            .join(LmsIdentity, LmsIdentity.person_id == Person.id)
            .join(Registration, Registration.id == LmsIdentity.registration_id)
            .where(Registration.public_id == head, LmsIdentity.sub == tail)
        )
    found = session.scalar(query)
    if found is None:
        raise Failed(
            f"There is nobody called {id_}. IDs are <registration_id>:<sub>; see `microcred person list`."
        )
    return found


def _described(session: Session, row: Person) -> dict[str, Any]:
    offices = session.execute(
        select(RoleGrant.role, Organization.code, RoleGrant.valid_from, RoleGrant.valid_to)
        .outerjoin(Organization, Organization.id == RoleGrant.organization_id)
        .where(RoleGrant.person_id == row.id)
        .order_by(RoleGrant.id)
    )
    return {
        "person_id": row.public_id,
        "name": row.name,
        "state": row.state,
        "identities": _identities(session, row),
        "linked_with": session.scalar(select(Person.public_id).where(Person.id == row.merged_into_id)),
        "offices": [
            {"role": role, "organization": code, "from": start, "to": end}
            for role, code, start, end in offices
        ],
    }


def _identities(session: Session, row: Person) -> list[str]:
    found = session.execute(
        select(Registration.public_id, LmsIdentity.sub)
        .join(LmsIdentity, LmsIdentity.registration_id == Registration.id)
        .where(LmsIdentity.person_id == row.id)
        .order_by(LmsIdentity.id)
    )
    return [f"{registration}:{sub}" for registration, sub in found]
