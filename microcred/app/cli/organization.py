"""`microcred organization`: the rules that an organization sets for itself."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.app.cli.common import Failed, application, json_option, show_json, show_table
from microcred.operations import organization_rules
from microcred.operations.organization_rules import RuleRefused, Values
from microcred.operations.rule_words import LABELS
from microcred.people import organization_by_code
from microcred.people.models import Organization
from microcred.people.policies import REVIEWING_SWITCHES, Reviewing

_HOLDS = {"yes": True, "true": True, "no": False, "false": False}


@click.group()
def organization() -> None:
    """Organizations and their rules: time zone, holidays, reviewing, badges from elsewhere. CODE is the name
    that data files use, such as iss-riverbend.
    """


@organization.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Every organization, with its rules."""
    with application() as app, app.database.reading() as session:
        found = [
            _described(session, row)
            for row in session.scalars(select(Organization).order_by(Organization.code))
        ]
    if as_json:
        show_json(found)
    else:
        show_table(
            ("Code", "Name", "Kind", "Time zone"),
            [(one["code"], one["name"], one["kind"], one["time_zone"]) for one in found],
        )


@organization.command()
@click.argument("code", metavar="CODE")
@json_option
def show(code: str, as_json: bool) -> None:
    """One organization's rules."""
    with application() as app, app.database.reading() as session:
        found = _described(session, _organization(session, code))
    _say(found, as_json)


@organization.command("set")
@click.argument("code", metavar="CODE")
@click.option("--time-zone", metavar="ZONE", help="An IANA name, such as America/Chicago.")
@click.option(
    "--holiday",
    "added",
    multiple=True,
    metavar="DAYS",
    help="Days that do not count: 2026-11-26, or '2026-12-21 to 2027-01-01'.",
)
@click.option("--no-holiday", "taken_out", multiple=True, metavar="DAYS", help="Days that count again.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"A rule for reviewing ({', '.join(LABELS)}): a number, yes or no, or nothing for the usual value.",
)
@click.option(
    "--counts-badges-of",
    "issuers",
    multiple=True,
    metavar="ISSUER",
    help="Issuer id whose badges count, '*' for all; takes the place of those named before.",
)
@click.option("--counts-no-badges", is_flag=True, help="Badges from elsewhere count no more.")
@json_option
def set_(
    code: str,
    time_zone: str | None,
    added: tuple[str, ...],
    taken_out: tuple[str, ...],
    rules: tuple[str, ...],
    issuers: tuple[str, ...],
    counts_no_badges: bool,
    as_json: bool,
) -> None:
    """Change rules; what is not named stays as it is. They count from now on."""
    if issuers and counts_no_badges:
        raise click.UsageError("Name issuers, or --counts-no-badges.")
    with application() as app, app.database.writing() as session:
        row = _organization(session, code)
        now = organization_rules.values_of(session, row)
        counted = frozenset(issuers) if issuers else frozenset() if counts_no_badges else now.counted_issuers
        try:
            holidays = organization_rules.read_days(added), organization_rules.read_days(taken_out)
            chosen = Values(
                time_zone or now.time_zone,
                (now.holidays | holidays[0]) - holidays[1],
                counted,
                _changed(now.reviewing, rules),
            )
            organization_rules.set_rules(session, row, chosen, by=None, now=app.clock.now())
        except RuleRefused as refused:
            raise Failed(refused.message) from refused
        found = _described(session, row)
    _say(found, as_json)


def _changed(before: Reviewing, rules: Sequence[str]) -> Reviewing:
    """Raises RuleRefused, click.UsageError."""
    usual = asdict(Reviewing())
    for text in rules:
        name, equals, value = text.partition("=")
        if not equals or name not in usual:
            raise click.UsageError(f"--rule {text}: write NAME=VALUE with one of {', '.join(usual)}.")
        if name not in REVIEWING_SWITCHES:
            number = organization_rules.read_reviewing({name: value})
            before = replace(before, **{name: getattr(number, name)})
        elif value in _HOLDS or not value:
            before = replace(before, **{name: _HOLDS[value] if value else usual[name]})
        else:
            raise RuleRefused(name, f"“{LABELS[name]}” is yes or no.")
    return before


def _organization(session: Session, code: str) -> Organization:
    found = organization_by_code(session, code)
    if found is None:
        raise Failed(f"There is no organization {code!r}. `microcred organization list` names them.")
    return found


def _described(session: Session, row: Organization) -> dict[str, Any]:
    values = organization_rules.values_of(session, row)
    return {
        "code": row.code,
        "name": row.name,
        "kind": row.kind,
        "time_zone": values.time_zone,
        "holidays": sorted(values.holidays),
        "counts_badges_of": sorted(values.counted_issuers),
        "reviewing": asdict(values.reviewing),
    }


def _say(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(found)
        return
    days = ", ".join(day.isoformat() for day in found["holidays"])
    click.echo(f"{found['name']} ({found['code']}), {found['kind']}")
    show_table(
        ("Rule", "Value"),
        [
            ("time zone", found["time_zone"]),
            ("holidays", days or "none"),
            ("counts badges of", ", ".join(found["counts_badges_of"]) or "none"),
            *((name, _plain(value)) for name, value in found["reviewing"].items()),
        ],
    )


def _plain(value: object) -> str:
    if value is None:
        return "as each credential says"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
