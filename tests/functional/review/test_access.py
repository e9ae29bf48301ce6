"""Every (role, action, whose) triple: who may do and see what of a try, in each of its states."""

from collections.abc import Callable, Mapping

import pytest
from sqlalchemy import select

from microcred.credentials.models import Attempt
from microcred.operations import appealing
from microcred.operations.access import ALLOWED, Access, Relation, allows, relations
from microcred.operations.actor import Actor
from microcred.people import grant
from tests.functional.review.world import World

A, R = Access, Relation
NOTHING: frozenset[Access] = frozenset()
OWN = frozenset({A.WRITE, A.SEE_STATUS, A.SEE_FEEDBACK, A.OPEN_EVIDENCE, A.SEE_NAME})
ASSIGNED = frozenset({A.SEE_STATUS, A.OPEN_EVIDENCE, A.RATE})
POOL = frozenset({A.TAKE_REVIEW})
APPROVER = frozenset({A.SEE_STATUS, A.SEE_FEEDBACK, A.OPEN_EVIDENCE, A.DECIDE, A.SEE_NAME})
APPEAL = frozenset({A.OPEN_EVIDENCE, A.JUDGE_APPEAL})
STAFF = frozenset({A.SEE_STATUS, A.SEE_NAME})

PEOPLE: dict[str, Callable[[World, Mapping[str, int]], Actor]] = {
    "owner": lambda w, _: w.in_course(w.teacher),
    "another teacher of the course": lambda w, _: w.in_course(w.stranger),
    "staff of the course": lambda w, _: w.in_course(w.stranger, "read", "see_progress"),
    "staff of another course": lambda w, _: w.in_course(w.stranger, "read", "see_progress", context_id=999),
    "assigned reviewer": lambda w, _: w.actor(w.reviewer),
    "reviewer of the pool": lambda w, _: w.actor(w.other_reviewer),
    "approver": lambda w, _: w.actor(w.approver),
    "approver who saw nothing": lambda w, more: w.actor(more["unseen"]),
    "reviewer who is an approver too": lambda w, more: w.actor(more["both"]),
    "author": lambda w, more: w.actor(more["author"]),
    "faculty": lambda w, more: w.actor(more["faculty"]),
    "registrar": lambda w, more: w.actor(more["registrar"]),
    "leader": lambda w, more: w.actor(more["leader"]),
    "operator": lambda w, more: w.actor(more["operator"]),
    "reviewer of another issuer": lambda w, more: w.actor(more["elsewhere"]),
    "nobody": lambda w, _: w.actor(w.stranger),
}
"""Everybody there is, as (world, further people) to the actor."""

BEFORE = {
    "owner": OWN,
    "staff of the course": STAFF,
    "assigned reviewer": POOL,
    "reviewer of the pool": POOL,
    "reviewer who is an approver too": POOL,
}
READING = BEFORE | {"assigned reviewer": ASSIGNED}
DECIDING = READING | {
    "approver": APPROVER,
    "approver who saw nothing": APPROVER,
    "reviewer who is an approver too": POOL | APPROVER,
}
APPEALED = DECIDING | {"approver who saw nothing": APPEAL, "reviewer who is an approver too": POOL | APPEAL}

TABLE = {
    "submitted": BEFORE,
    "in_review": READING,
    "recommended": DECIDING,
    "denied": DECIDING,
    "awarded": DECIDING,
    "appeal_open": APPEALED,
}
"""State to what each person may; whoever is not named may nothing."""


def _to(world: World, state: str) -> str:
    public_id = world.submitted()
    steps: list[tuple[str, Callable[[], object]]] = [
        ("in_review", lambda: world.start(public_id)),
        ("recommended", lambda: world.recommended_by_now(public_id)),
        (
            "awarded" if state == "awarded" else "denied",
            lambda: world.decide(public_id, "award" if state == "awarded" else "deny", "Because."),
        ),
        ("appeal_open", lambda: _appeal(world)),
    ]
    for reached, step in steps:
        if world.state(public_id) == state:
            break
        step()
        assert world.state(public_id) == reached
    return public_id


def _appeal(world: World) -> None:
    with world.database.writing() as session:
        appealing.open_appeal(session, world.in_course(world.teacher), "Look again.", world.clock.now())


def _more(world: World) -> dict[str, int]:
    elsewhere = world.join("Ellis Elsewhere")
    with world.database.writing() as session:
        grant(
            session,
            person_id=elsewhere,
            role="reviewer",
            organization_id=world.district_id,
            now=world.clock.now(),
            by=None,
        )
    return {
        "unseen": world.join("Ariel Approver", "approver"),
        "both": world.join("Kim Both", "reviewer", "approver"),
        **{
            role: world.join(f"{role.capitalize()} Demo", role)
            for role in ("author", "faculty", "registrar", "leader", "operator")
        },
        "elsewhere": elsewhere,
    }


@pytest.mark.parametrize("state", TABLE)
def test_every_person_may_exactly_what_the_table_says(world: World, state: str) -> None:
    more = _more(world)
    public_id = _to(world, state)
    found: dict[str, frozenset[Access]] = {}
    for name, person in PEOPLE.items():
        actor = person(world, more)
        with world.database.reading() as session:
            attempt = session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
            held = relations(session, actor, attempt)
        found[name] = frozenset(access for access in Access if allows(held, access))
    assert found == {name: TABLE[state].get(name, NOTHING) for name in PEOPLE}


def test_each_relation_is_used_and_none_opens_more_than_it_should() -> None:
    given = {relation: {access for access in Access if relation in ALLOWED[access]} for relation in Relation}
    assert set(ALLOWED) == set(Access)
    assert all(given.values())
    masked = (R.ASSIGNED_REVIEWER, R.POOL_REVIEWER, R.APPEAL_READER, R.PRACTISING)
    assert not any(A.SEE_NAME in given[relation] for relation in masked)
    assert given[R.COURSE_STAFF] == STAFF
    assert given[R.PRACTISING] == {A.OPEN_EVIDENCE}
    assert [relation for relation in Relation if A.WRITE in given[relation]] == [R.OWNER]
