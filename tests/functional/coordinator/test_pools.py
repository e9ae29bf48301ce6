"""Reviewers under a name: made by the issuer's approver, chosen by a course; nobody else reads its work."""

import re

import pytest

from microcred.credentials.models import Attempt, Pursuit
from microcred.operations import assigning, pools
from microcred.operations.actor import Actor, actor_for_desk
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_queue import queue
from microcred.people import grant, organization_by_code
from microcred.people.models import Person
from tests.functional.coordinator.test_settings import settings
from tests.support.campus import Campus

ISSUER = "iss-riverbend"
CHOICE = {"scheme": "hundred", "denied_as": "blank", "submit_by": ""}


def reviewer(here: Campus, name: str) -> Actor:
    now = here.clock.now()
    with here.assembly.database.writing() as session:
        issuer = organization_by_code(session, ISSUER)
        assert issuer is not None
        person = Person(name=name, created_at=now)
        session.add(person)
        session.flush()
        grant(session, person_id=person.id, role="reviewer", organization_id=issuer.id, now=now, by=None)
        return actor_for_desk(session, person.id, now)


def public_ids(here: Campus) -> dict[str, str]:
    """Of the issuer's reviewers, by name."""
    approver = here.officer("approver")
    with here.assembly.database.reading() as session:
        (issuer,) = pools.managed(session, approver, here.clock.now())
    return {name: key for key, name in issuer.reviewers.items()}


def make_pool(here: Campus, name: str, *members: str, public_id: str | None = None) -> str:
    """A pool with the reviewers of these names; its public id."""
    approver, known, now = here.officer("approver"), public_ids(here), here.clock.now()
    with here.assembly.database.writing() as session:
        chosen = [known.get(one, one) for one in members]
        pools.save(session, approver, issuer=ISSUER, public_id=public_id, name=name, members=chosen, now=now)
    with here.assembly.database.reading() as session:
        (issuer,) = pools.managed(session, approver, now)
        return next(pool.public_id for pool in issuer.pools if pool.name == name)


def waiting_for(here: Campus, actor: Actor) -> int:
    with here.assembly.database.reading() as session:
        return len(queue(session, actor, here.clock.now()).rows)


def test_only_the_reviewers_of_the_chosen_pool_read_the_work(anywhere: Campus) -> None:
    here = anywhere
    ours, other = reviewer(here, "Rio Demo-Reviewer"), reviewer(here, "Ruby Demo-Reviewer")
    pool = make_pool(here, "Early readers", "Rio Demo-Reviewer")
    picker = here.picker()
    assert "Early readers (" in picker.page
    key = f"pool:{pool}"
    picker.get("choose/columns", query_string={"credential": here.version(), "reviewers": key})
    assert "Early readers: 1 reviewer." in picker.page
    answer = picker.post("choose", {"credential": here.version(), "scheme": "hundred", "reviewers": key})
    (link,) = here.deliver(answer).links
    here.at_link("terry", link.id)
    public_id = here.submit("terry")
    assert (waiting_for(here, ours), waiting_for(here, other)) == (1, 0)
    now = here.clock.now()
    with here.assembly.database.reading() as session:
        attempt = session.query(Attempt).join(Pursuit).filter(Attempt.public_id == public_id).one()
        assert assigning.bar_for(session, ours.person_ids, attempt, now) is None
        assert assigning.bar_for(session, other.person_ids, attempt, now) is assigning.OTHER_POOL
        assert assigning.next_reader(session, attempt, now, lambda: 0.999) == ours.person_id

    make_pool(here, "Early readers", "Ruby Demo-Reviewer", public_id=pool)
    assert (waiting_for(here, ours), waiting_for(here, other)) == (0, 1)
    page = settings(here, link.id)
    assert re.search(rf'value="{key}" selected', page.page)
    assert page.post("course/settings", CHOICE | {"reviewers": "all"}).status_code == 303
    assert (waiting_for(here, ours), waiting_for(here, other)) == (1, 1)


def test_a_pool_reads_the_credentials_of_its_own_issuer_alone(here: Campus) -> None:
    reviewer(here, "Rio Demo-Reviewer")
    key = f"pool:{make_pool(here, 'Early readers', 'Rio Demo-Reviewer')}"
    picker = here.picker()
    for chosen in (
        {"credential": here.version("mc-options")},
        {"with": here.version("mc-options"), "credential": here.version()},
    ):
        answer = picker.post("choose", chosen | {"scheme": "hundred", "reviewers": key})
        assert answer.status_code == 409
        assert "of their own issuer alone" in answer.text
    assert picker.post("choose", {"credential": here.version(), "reviewers": "pool:none"}).status_code == 409
    assert here.placements() == []


def test_what_makes_no_pool_says_why(here: Campus) -> None:
    reviewer(here, "Rio Demo-Reviewer")
    pool = make_pool(here, "Early readers", "Rio Demo-Reviewer")
    for name, members, code in (
        ("  ", ["Rio Demo-Reviewer"], "pool_incomplete"),
        ("Nobody", [], "pool_incomplete"),
        ("Strangers", ["no-such-person"], "pool_incomplete"),
        ("Early  readers", ["Rio Demo-Reviewer"], "pool_name_taken"),
    ):
        with pytest.raises(OperationRefused) as refused:
            make_pool(here, name, *members)
        assert refused.value.code == code
    now, approver, someone = here.clock.now(), here.officer("approver"), reviewer(here, "Ruby Demo-Reviewer")
    with here.assembly.database.reading() as session:
        with pytest.raises(NotAllowed):
            pools.remove(session, someone, pool, now)
        with pytest.raises(NotFound):
            pools.remove(session, approver, "no-such", now)


def test_a_pool_in_use_stays(here: Campus) -> None:
    reviewer(here, "Rio Demo-Reviewer")
    pool = make_pool(here, "Early readers", "Rio Demo-Reviewer")
    here.picker().post(
        "choose", {"credential": here.version(), "scheme": "hundred", "reviewers": f"pool:{pool}"}
    )
    approver, now = here.officer("approver"), here.clock.now()
    with here.assembly.database.writing() as session:
        with pytest.raises(OperationRefused, match="stays"):
            pools.remove(session, approver, pool, now)
        (issuer,) = pools.managed(session, approver, now)
        assert [one.courses for one in issuer.pools] == [1]
