"""The rules that an organization sets for itself: time zone, days that do not count, reviewing, badges from
elsewhere. Its approvers and operators see and change them; every change is on record.

A rule counts from its change on. Days that were promised before stay as they were promised.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.operating import is_of_all
from microcred.operations.rule_words import LABELS
from microcred.people import audit, policies
from microcred.people.models import AuditEvent, Organization, Person
from microcred.people.policies import REVIEWING_BOUNDS, REVIEWING_SWITCHES, Reviewing

ACTION = "organization.rules"
MOST = 500
"""Organizations shown at once, by name."""
MOST_DAYS = 1000
"""Holidays that an organization may list."""
MOST_ISSUERS = 200
_ROLES = ("approver", "operator")


class RuleRefused(OperationRefused):
    """A rule cannot be set so; `field` names it. Nothing was saved."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("rule_refused", f"{message} Nothing was saved.")
        self.field = field


@dataclass(frozen=True)
class Values:
    """What the rules say."""

    time_zone: str
    """An IANA name."""
    holidays: frozenset[date]
    counted_issuers: frozenset[str]
    """Issuer ids whose badges count; `*` is all."""
    reviewing: Reviewing


@dataclass(frozen=True)
class Rules:
    """An organization with its rules, for their page."""

    public_id: str
    code: str
    name: str
    values: Values
    edition: str
    """Names this state of the rules: a change says which one it was made from."""
    changed_at: datetime | None
    changed_by: str | None


def organizations(session: Session, actor: Actor) -> tuple[Organization, ...]:
    """The organizations whose rules are the actor's business, by name. Raises NotAllowed."""
    query = select(Organization).order_by(Organization.name).limit(MOST)
    if not is_of_all(actor):
        own = frozenset[int]().union(*(actor.organizations(role) for role in _ROLES))
        if not own:
            raise NotAllowed(
                "not_in_charge", "The rules of an organization are for its approvers and operators."
            )
        query = query.where(Organization.id.in_(own))
    return tuple(session.scalars(query))


def rules(session: Session, actor: Actor, public_id: str) -> Rules:
    """The rules of one organization. Raises NotFound."""
    row = _organization(session, actor, public_id)
    changed = session.execute(
        select(AuditEvent.at, Person.name)
        .outerjoin(Person, Person.id == AuditEvent.actor_id)
        .where(
            AuditEvent.subject_type == "organization",
            AuditEvent.subject_id == str(row.id),
            AuditEvent.action == ACTION,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    found = values_of(session, row)
    at, by = (changed.at, changed.name) if changed is not None else (None, None)
    return Rules(row.public_id, row.code, row.name, found, _edition(found), at, by)


def change(
    session: Session, actor: Actor, public_id: str, chosen: Values, *, edition: str, now: datetime
) -> None:
    """Set the rules of one organization as the actor, who saw `edition` of them. Raises NotFound,
    RuleRefused, OperationRefused (`rules_changed_elsewhere`).
    """
    row = _organization(session, actor, public_id, lock=True)
    if edition != _edition(values_of(session, row)):
        raise OperationRefused(
            "rules_changed_elsewhere",
            "Somebody changed these rules while you wrote. Nothing was overwritten: what you wrote is below. "
            "Save again to put it in.",
        )
    set_rules(session, row, chosen, by=actor.own_id, now=now)


def set_rules(session: Session, row: Organization, chosen: Values, *, by: int | None, now: datetime) -> bool:
    """Check and keep the rules; whether anything changed. Raises RuleRefused."""
    _check(chosen)
    before = values_of(session, row)
    changes = _changes(before, chosen)
    if not changes:
        return False
    usual = asdict(Reviewing())
    said = {name: value for name, value in asdict(chosen.reviewing).items() if value != usual[name]}
    row.policies = row.policies | {
        "time_zone": chosen.time_zone,
        "holidays": [day.isoformat() for day in sorted(chosen.holidays)],
        "counts_badges_of": sorted(chosen.counted_issuers),
        "reviewing": said,
    }
    audit.record(
        session, at=now, actor_id=by, action=ACTION, subject=("organization", row.id), detail=changes
    )
    session.flush()
    return True


def values_of(session: Session, row: Organization) -> Values:
    """What the rules say now, with a default for what was not said."""
    return Values(
        policies.zone_of(session, row.id).key,
        policies.holidays_of(session, row.id),
        policies.counted_issuers(session, row.id),
        policies.reviewing_of(session, row.id),
    )


def read_reviewing(given: Mapping[str, str]) -> Reviewing:
    """Rules for reviewing from what a person wrote: a whole number, or empty for the usual value; `yes` or
    empty for what holds or does not. Raises RuleRefused.
    """
    read: dict[str, int | bool] = {}
    for name in REVIEWING_BOUNDS:
        text = given.get(name, "").strip().removesuffix("%").strip()
        if text:
            read[name] = _number(name, text)
    read |= {name: given.get(name, "") == "yes" for name in REVIEWING_SWITCHES}
    return Reviewing(**read)  # type: ignore[arg-type]


def read_days(lines: Iterable[str]) -> frozenset[date]:
    """Days from lines such as `2026-11-26` or `2026-12-21 to 2027-01-01`. Raises RuleRefused."""
    found: set[date] = set()
    for line in lines:
        if not (text := " ".join(line.split())):
            continue
        first_text, _, last_text = text.partition(" to ")
        try:
            first = date.fromisoformat(first_text)
            last = date.fromisoformat(last_text) if last_text else first
        except ValueError as error:
            raise RuleRefused(
                "holidays",
                f"“{text[:60]}” is no day. Write year-month-day, such as 2026-11-26, or "
                "2026-12-21 to 2027-01-01.",
            ) from error
        if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
            raise RuleRefused("holidays", f"“{text[:60]}” ends before it begins, or is too long.")
        found |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
    return frozenset(found)


def spans(days: Collection[date]) -> tuple[tuple[date, date], ...]:
    """Days as (first, last) of each run of them, in order."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)


def _number(name: str, text: str) -> int:
    low, high = REVIEWING_BOUNDS[name]
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or not low <= int(text) <= high:
        raise RuleRefused(name, f"“{LABELS[name]}” takes a whole number from {low} to {high}.")
    return int(text)


def _check(chosen: Values) -> None:
    if chosen.time_zone not in available_timezones():
        raise RuleRefused("time_zone", "This time zone is not known. Choose one of the list.")
    if len(chosen.holidays) > MOST_DAYS:
        raise RuleRefused("holidays", f"There may be {MOST_DAYS} holidays. Take out those of past years.")
    if len(chosen.counted_issuers) > MOST_ISSUERS or any(len(one) > 500 for one in chosen.counted_issuers):
        raise RuleRefused(
            "counted_issuers", f"There may be {MOST_ISSUERS} issuers, each up to 500 characters."
        )
    for name in REVIEWING_BOUNDS:
        if (value := getattr(chosen.reviewing, name)) is not None:
            _number(name, str(value))


def _changes(before: Values, after: Values) -> dict[str, Any]:
    """What is different, for the record: name to [before, after]."""
    found: dict[str, Any] = {}
    if before.time_zone != after.time_zone:
        found["time_zone"] = [before.time_zone, after.time_zone]
    was, will = asdict(before.reviewing), asdict(after.reviewing)
    found |= {name: [was[name], will[name]] for name in will if was[name] != will[name]}
    for name, then, now in (
        (
            "holidays",
            {day.isoformat() for day in before.holidays},
            {day.isoformat() for day in after.holidays},
        ),
        ("counted_issuers", before.counted_issuers, after.counted_issuers),
    ):
        if then != now:
            found[name] = {"added": sorted(now - then), "taken_out": sorted(then - now)}
    return found


def _edition(values: Values) -> str:
    said = [
        values.time_zone,
        sorted(day.isoformat() for day in values.holidays),
        sorted(values.counted_issuers),
        asdict(values.reviewing),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:20]


def _organization(session: Session, actor: Actor, public_id: str, *, lock: bool = False) -> Organization:
    query = select(Organization).where(Organization.public_id == public_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None or not (is_of_all(actor) or any(row.id in actor.organizations(role) for role in _ROLES)):
        raise NotFound("no_such_organization", "There is no such organization of yours here.")
    return row
