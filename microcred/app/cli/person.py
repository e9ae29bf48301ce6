"""`microcred person`: who works here, one-time links, suspension."""

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Registration
from microcred.app.cli.common import Failed, application, fail, json_option, show_json, show_table
from microcred.people import audit, grant, links, organization_by_code
from microcred.people.models import OFFICE_ROLES, LmsIdentity, Organization, Person, RoleGrant


@click.group()
def person() -> None:
    """People: list, invite by one-time link, suspend, restore. ID is `<registration_id>:<sub>` or
    `person:<public id>`.
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
        organization = organization_by_code(session, code) if code else None
        if organization is None and (code or set(roles) != {"operator"}):
            fail(
                f"There is no organization called {code}."
                if code
                else "--organization is needed for this role."
            )
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
        secret = links.invite(session, _find(session, id_).id, now)
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
def appoint(id_: str, role: str, code: str | None) -> None:
    """Give an office to a person who is known already."""
    with application() as app, app.database.writing() as session:
        now = app.clock.now()
        found = _find(session, id_)
        organization = organization_by_code(session, code) if code else None
        if organization is None and (code or role != "operator"):
            fail(
                f"There is no organization called {code}."
                if code
                else "--organization is needed for this role."
            )
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
    click.echo("Done.")


@person.command()
@click.argument("id_", metavar="ID")
def suspend(id_: str) -> None:
    """Close every page session of a person and refuse new ones."""
    _set_state(id_, "suspended", "person.suspend")


@person.command()
@click.argument("id_", metavar="ID")
def restore(id_: str) -> None:
    """Let a suspended person in again."""
    _set_state(id_, "active", "person.restore")


def _set_state(id_: str, state: str, action: str) -> None:
    with application() as app, app.database.writing() as session:
        found = _find(session, id_)
        if found.state == "erased":
            fail("This person was erased; nothing is left to change.")
        before, found.state = found.state, state
        audit.record(
            session,
            at=app.clock.now(),
            actor_id=None,
            action=action,
            subject=("person", found.id),
            before=before,
            after=state,
        )
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
    identities = session.execute(
        select(Registration.public_id, LmsIdentity.sub)
        .join(Registration, Registration.id == LmsIdentity.registration_id)
        .where(LmsIdentity.person_id == row.id)
        .order_by(LmsIdentity.id)
    )
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
        "identities": [f"{registration}:{sub}" for registration, sub in identities],
        "offices": [
            {"role": role, "organization": code, "from": start, "to": end}
            for role, code, start, end in offices
        ],
    }
