"""`microcred demo`: the tool and the demo LMS, registered with each other, with the sample catalogue and
people to be.

The LMS runs as a program of its own on `localhost`; the tool is served on `127.0.0.1`. For a browser these
are different sites, as a district's LMS and this tool are.
"""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any, TypedDict

import click
from sqlalchemy import select

from lti_tool import registrations
from lti_tool.models import Registration
from microcred.app import server
from microcred.app.schema import upgrade
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.credentials import import_catalogue, parse, sample_text
from microcred.people import ensure_organization, grant, links, organization_by_code
from microcred.people.models import Person

_ISSUERS = ("iss-riverbend", "iss-lakeshore")
_STAFF = (
    ("Remy Demo-Reviewer", "reviewer"),
    ("Rowan Demo-Reviewer", "reviewer"),
    ("Reese Demo-Reviewer", "reviewer"),
    ("Avery Demo-Approver", "approver"),
    ("Ariel Demo-Approver", "approver"),
    ("Alex Demo-Author", "author"),
)
_REVIEWING = {
    # One person clicks through a demo: what happens next must not hang on a draw. A second reader is met with
    # a borderline result of Lakeshore's.
    "iss-riverbend": {"double_score_percent": 0, "double_score_borderline": False},
    "iss-lakeshore": {"double_score_percent": 0},
}


class Invited(TypedDict):
    """Somebody of the demo who works at the desk."""

    name: str
    role: str
    url: str


def run(*, port: int, lms_port: int, lms: str, as_json: bool) -> None:
    """Serve the demo until a signal ends it; `lms` is one of the demo LMS's dialects. Raises
    click.ClickException where the demo LMS is not there (an installed wheel).
    """
    if find_spec("demo_lms") is None:
        raise click.ClickException("The demo LMS is part of the source checkout. Run `make demo` there.")
    settings = _settings(port, lms_port, lms)
    stand_in, facts = _start_lms(settings, lms_port, lms)
    try:
        assembly = assemble(settings)
        upgrade(assembly.database)
        registration_id = _register(assembly, facts)
        _import_catalogue(assembly)
        staff = _invite(assembly)
        assembly.close()
        _announce(settings, facts, registration_id, staff, as_json)
        server.run(settings, host="127.0.0.1", port=port, worker=True, processes=1, threads=16)
    finally:
        stand_in.terminate()
        stand_in.wait(timeout=10)


def _settings(port: int, lms_port: int, lms: str) -> Settings:
    """The embedded default, in a folder of its own for each kind of LMS; the two loopback addresses are
    allowed as platform and as self.
    """
    folder = Settings(database_url=None).data_dir / ("demo" if lms == "plain" else f"demo-{lms}")
    return Settings(
        public_url=f"http://127.0.0.1:{port}",
        data_dir=folder,
        database_url=None,
        redis_url=None,
        storage_url=None,
        mail_url=f"file://{(folder / 'mail').absolute()}",
        allow_hosts=[f"localhost:{lms_port}", f"127.0.0.1:{port}"],
    )


def _start_lms(settings: Settings, lms_port: int, lms: str) -> "tuple[subprocess.Popen[str], dict[str, Any]]":
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    started = subprocess.Popen(  # noqa: S603
        [
            *(sys.executable, "-m", "demo_lms", "--json", "--port", str(lms_port)),
            *("--tool-url", settings.public_url, "--data", str(settings.data_dir / "lms.json")),
            *("--dialect", lms),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    line = started.stdout.readline()
    if not line:
        raise click.ClickException(f"The demo LMS did not start. Is port {lms_port} free? Try --lms-port.")
    facts: dict[str, Any] = json.loads(line)
    return started, facts


def _register(assembly: Assembly, facts: dict[str, Any]) -> str:
    tool = facts["tools"][0]
    with assembly.database.writing() as session:
        now = assembly.clock.now()
        known = session.scalar(
            select(Registration).where(
                Registration.issuer == facts["issuer"], Registration.client_id == tool["client_id"]
            )
        )
        if known is not None:
            return known.public_id
        district = ensure_organization(
            session, code="demo-district", name="Demo District", kind="district", now=now
        )
        is_plain = facts["dialect"] == "plain"
        made = registrations.add(
            session,
            registrations.NewRegistration(
                name="Demo LMS" if is_plain else f"Demo {facts['dialect'].capitalize()}",
                lms="other" if is_plain else facts["dialect"],
                issuer=facts["issuer"],
                client_id=tool["client_id"],
                auth_url=facts["auth_url"],
                token_url=facts["token_url"],
                jwks_url=facts["jwks_url"],
                deployment_ids=tuple(tool["deployment_ids"]),
            ),
            organization_id=district.id,
            clock=assembly.clock,
            allow_hosts=assembly.settings.allow_hosts,
        )
        return made.public_id


def _import_catalogue(assembly: Assembly) -> None:
    parsed = parse(sample_text())
    with assembly.database.writing() as session:
        import_catalogue(session, parsed, now=assembly.clock.now(), shares_catalogue=True)
        for code, rules in _REVIEWING.items():
            issuer = organization_by_code(session, code)
            assert issuer is not None
            issuer.policies = {"reviewing": rules} | issuer.policies


def _invite(assembly: Assembly) -> list[Invited]:
    """The people who judge, each with a fresh one-time link to the desk."""
    invited: list[Invited] = []
    with assembly.database.writing() as session:
        now = assembly.clock.now()
        for name, role in _STAFF:
            person = session.scalar(select(Person).where(Person.name == name))
            if person is None:
                person = Person(name=name, state="active", created_at=now)
                session.add(person)
                session.flush()
            for code in _ISSUERS:
                issuer = organization_by_code(session, code)
                assert issuer is not None
                grant(session, person_id=person.id, role=role, organization_id=issuer.id, now=now, by=None)
            secret = links.invite(session, person.id, now)
            url = f"{assembly.settings.public_url}/desk/enter?t={secret}"
            invited.append({"name": name, "role": role, "url": url})
    return invited


def _announce(
    settings: Settings, facts: dict[str, Any], registration_id: str, staff: list[Invited], as_json: bool
) -> None:
    if as_json:
        answer = {
            "tool_url": settings.public_url,
            "registration_id": registration_id,
            "lms": facts,
            "desk": staff,
        }
        click.echo(json.dumps(answer))
    else:
        click.echo(
            f"\n  Open the course:  {facts['url']}  (choose who to be: a coordinator adds, a teacher submits)"
        )
        click.echo("  Judge the work (each link opens once):")
        for person in staff:
            click.echo(f"    {person['name']}, {person['role']}:  {person['url']}")
        click.echo(f"\n  Mails are not sent but written into {settings.data_dir / 'mail'}")
        click.echo("\n  Ctrl-C ends the demo. What you do is kept in " + str(settings.data_dir) + "\n")
    sys.stdout.flush()
