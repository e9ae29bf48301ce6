"""What operators see and do at `/desk/`, who may not, and that everything is on record."""

import pytest
from sqlalchemy import select

from lti_tool.models import Deployment, Registration
from microcred.people.models import AuditEvent, EraseRequest, Person
from tests.functional.people.places import Desk, at_desk, officer
from tests.functional.people.test_linking import link
from tests.functional.web.course import Course

Both = tuple[Course, Course]


def platform_of(course: Course) -> str:
    with course.assembly.database.reading() as session:
        return session.get_one(Registration, course.registration_id).public_id


def registration(course: Course) -> Registration:
    with course.assembly.database.reading() as session:
        return session.get_one(Registration, course.registration_id)


def public_id(course: Course, person_id: int) -> str:
    with course.assembly.database.reading() as session:
        return session.get_one(Person, person_id).public_id


def last_event(course: Course) -> AuditEvent:
    with course.assembly.database.reading() as session:
        return session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


def noted(course: Course, name: str = "dep-new") -> int:
    with course.assembly.database.writing() as session:
        row = Deployment(
            registration_id=course.registration_id,
            deployment_id=name,
            state="noted",
            created_at=course.clock.now(),
        )
        session.add(row)
        session.flush()
        return row.id


def organization_operator(course: Course) -> Desk:
    """An operator of the organization that owns this course's system."""
    return officer(course, "operator", "Oscar", registration(course).organization_id)


@pytest.mark.parametrize("path", ["platforms", "people", "people/requests", "people?q=x"])
def test_nobody_else_sees_these_pages(systems: Both, path: str) -> None:
    here, _ = systems
    assert officer(here, "approver", "Avery").get(path).status_code == 403
    assert here.app.test_client().get(f"/desk/{path}").status_code == 401
    assert here.visitor().client.get(f"/desk/{path}").status_code == 401


def test_nobody_else_changes_anything(systems: Both) -> None:
    here, _ = systems
    desk, row = officer(here, "registrar", "Rae"), noted(here)
    person = public_id(here, here.person("Demo Person")[0])
    platform = platform_of(here)
    for path in (
        f"platforms/{platform}/disable",
        f"platforms/{platform}/approve",
        f"platforms/{platform}/hosts",
        f"platforms/{platform}/hosts/remove",
        f"platforms/{platform}/any-deployment",
        f"platforms/{platform}/deployments/{row}/approve",
        f"platforms/{platform}/deployments/{row}/disable",
        f"people/{person}/suspend",
        f"people/{person}/restore",
        f"people/{person}/unlink",
        f"people/{person}/decline",
    ):
        assert desk.post(path).status_code == 403, path
    assert desk.post(f"people/{person}/erase", {"sure": "yes"}).status_code == 403
    assert registration(here).state == "approved"


def test_the_desk_has_the_doors(operator: Desk) -> None:
    page = operator.get()
    assert "/desk/platforms" in page.text
    assert "/desk/people" in page.text


def test_a_platform_shows_what_to_copy(systems: Both, operator: Desk) -> None:
    here, _ = systems
    platform = platform_of(here)
    assert "Demo LMS" in operator.get("platforms").text
    page = operator.get(f"platforms/{platform}").text
    for text in (
        f"http://127.0.0.1:5000/lti/login/{platform}",
        "http://127.0.0.1:5000/lti/launch",
        "/lti/jwks",
    ):
        assert text in page


def test_shutting_a_platform_out_ends_its_open_pages(systems: Both, operator: Desk) -> None:
    here, there = systems
    inside, elsewhere = here.visitor(), there.visitor()
    assert [inside.get().status_code, elsewhere.get().status_code] == [200, 200]
    platform = platform_of(here)
    assert operator.post(f"platforms/{platform}/disable").status_code == 303
    assert inside.get().status_code == 401
    assert elsewhere.get().status_code == 200
    event = last_event(here)
    assert (event.action, event.actor_id, event.after) == (
        "platform_disabled",
        operator.person_id,
        "disabled",
    )
    assert operator.post(f"platforms/{platform}/approve").status_code == 303
    assert inside.get().status_code == 200
    assert last_event(here).action == "platform_enabled"


def test_a_pending_platform_is_let_in(systems: Both, operator: Desk) -> None:
    here, _ = systems
    with here.assembly.database.writing() as session:
        session.get_one(Registration, here.registration_id).state = "pending"
    platform = platform_of(here)
    assert "Let it in" in operator.get(f"platforms/{platform}").text
    operator.post(f"platforms/{platform}/approve")
    assert registration(here).state == "approved"
    assert last_event(here).action == "platform_approved"


def test_a_noted_deployment_is_given_to_an_organization(systems: Both, operator: Desk) -> None:
    here, there = systems
    row, platform = noted(here), platform_of(here)
    assert "1 deployment" in operator.get("platforms").text
    assert (
        operator.post(
            f"platforms/{platform}/deployments/{row}/approve", {"organization": "nobody"}
        ).status_code
        == 404
    )
    operator.post(f"platforms/{platform}/deployments/{row}/approve", {"organization": "demo-2"})
    with here.assembly.database.reading() as session:
        found = session.get_one(Deployment, row)
    assert (found.state, found.organization_id) == ("approved", registration(there).organization_id)
    assert last_event(here).action == "deployment_approved"
    operator.post(f"platforms/{platform}/deployments/{row}/disable")
    with here.assembly.database.reading() as session:
        assert session.get_one(Deployment, row).state == "disabled"
    assert last_event(here).action == "deployment_disabled"
    other = platform_of(there)
    assert operator.post(f"platforms/{other}/deployments/{row}/disable").status_code == 404


def test_hosts_and_new_deployments(systems: Both, operator: Desk) -> None:
    here, _ = systems
    platform = platform_of(here)
    assert operator.post(f"platforms/{platform}/hosts", {"host": "api.demo.invalid"}).status_code == 303
    assert registration(here).service_hosts == ["api.demo.invalid"]
    page = operator.post(f"platforms/{platform}/hosts", {"host": "https://api.demo.invalid/x"})
    assert page.status_code == 409
    assert "That is no host name" in page.text
    operator.post(f"platforms/{platform}/hosts/remove", {"host": "api.demo.invalid"})
    assert registration(here).service_hosts == []
    assert last_event(here).action == "platform_host_removed"
    operator.post(f"platforms/{platform}/any-deployment", {"allowed": "yes"})
    assert registration(here).any_deployment
    operator.post(f"platforms/{platform}/any-deployment", {"allowed": "no"})
    assert not registration(here).any_deployment
    assert last_event(here).action == "platform_any_deployment"


def test_an_organizations_operator_stays_within_it(systems: Both) -> None:
    here, there = systems
    desk = organization_operator(here)
    mine, theirs = here.person("Demo Mine"), there.person("Demo Theirs")
    page = desk.get("platforms").text
    assert "Demo LMS" in page
    assert "Second Demo LMS" not in page
    assert desk.get(f"platforms/{platform_of(there)}").status_code == 404
    assert desk.post(f"platforms/{platform_of(there)}/disable").status_code == 404
    assert desk.get(f"people/{public_id(here, mine[0])}").status_code == 200
    assert desk.get(f"people/{public_id(here, theirs[0])}").status_code == 404
    row = noted(here)
    path = f"platforms/{platform_of(here)}/deployments/{row}/approve"
    assert desk.post(path, {"organization": "demo-2"}).status_code == 404, "not theirs to give to"
    one, two = here.visitor(mine), there.visitor(theirs)
    link(one, two)
    assert desk.get(f"people/{public_id(here, mine[0])}").status_code == 404, (
        "half of this person is elsewhere"
    )


def test_people_are_found_by_exact_id(systems: Both, operator: Desk) -> None:
    here, _ = systems
    person_id, _ = here.person("Demo Person")
    for text in (f"sub-{person_id}", f"{platform_of(here)}:sub-{person_id}", public_id(here, person_id)):
        assert "Demo Person" in operator.get(f"people?q={text}").text, text
    assert "Nobody has this id" in operator.get(f"people?q=SUB-{person_id}").text


def test_a_person_is_shut_out_everywhere_and_let_in_again(systems: Both, operator: Desk) -> None:
    here, _ = systems
    visitor = here.visitor()
    visitor.get()
    desk = at_desk(here, visitor.person_id)
    person = public_id(here, visitor.person_id)
    assert operator.post(f"people/{person}/suspend").status_code == 303
    assert [visitor.get().status_code, desk.get().status_code] == [401, 401]
    assert last_event(here).action == "person.suspend"
    assert "Shut out" in operator.get(f"people/{person}").text
    operator.post(f"people/{person}/restore")
    assert [visitor.get().status_code, desk.get().status_code] == [200, 200]
    assert last_event(here).action == "person.restore"


def test_operators_do_not_shut_themselves_out(systems: Both, operator: Desk) -> None:
    here, _ = systems
    me = public_id(here, operator.person_id)
    assert operator.post(f"people/{me}/suspend").status_code == 409
    assert operator.post(f"people/{me}/erase", {"sure": "yes"}).status_code == 409
    assert operator.get().status_code == 200


def test_links_are_seen_and_undone(systems: Both, operator: Desk) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    link(one, two)
    first, second = public_id(here, one.person_id), public_id(here, two.person_id)
    page = operator.get(f"people/{first}").text
    assert "Linked accounts" in page
    assert "Accounts linked" in page
    assert operator.post(f"people/{first}/unlink", {"account": second}).status_code == 303
    assert "Link undone" in operator.get(f"people/{second}").text
    assert "Your linked accounts" not in one.get("accounts").text


def test_a_wish_to_be_erased_is_answered(systems: Both, operator: Desk) -> None:
    here, _ = systems
    yes, no = here.visitor(), here.visitor()
    for visitor in (yes, no):
        visitor.get()
        visitor.post("privacy/erase")
    assert "2 wishes to be erased" in operator.get().text
    listed = operator.get("people/requests").text
    wanted, unwanted = public_id(here, yes.person_id), public_id(here, no.person_id)
    assert wanted in listed
    assert unwanted in listed
    assert operator.post(f"people/{wanted}/erase", {"grades": "cancel"}).status_code == 409, "not sure"
    done = operator.post(f"people/{wanted}/erase", {"grades": "cancel", "sure": "yes"})
    assert done.status_code == 303
    operator.post(f"people/{unwanted}/decline")
    with here.assembly.database.reading() as session:
        outcomes = session.scalars(select(EraseRequest.outcome).order_by(EraseRequest.id)).all()
    assert outcomes == ["erased", "declined"]
    assert yes.get().status_code == 401
    assert no.get().status_code == 200
    assert "Nobody waits" in operator.get("people/requests").text
    assert operator.get(f"people/{wanted}").status_code == 200


def test_letting_somebody_in_stops_an_erasing_that_waits(systems: Both, operator: Desk) -> None:
    here, _ = systems
    visitor = here.visitor()
    visitor.get()
    person = public_id(here, visitor.person_id)
    from microcred import outbox
    from microcred.operations.privacy import ERASE
    from microcred.people import standing

    with here.assembly.database.writing() as session:
        now = here.clock.now()
        standing.suspend(session, visitor.person_id, now=now, by=None)
        outbox.add(
            session,
            kind=ERASE,
            destination="local",
            order_key=None,
            subject=("person", str(visitor.person_id)),
            payload={"person": visitor.person_id, "keep_badges": False, "by": None},
            now=now,
        )
    assert "Is being erased" in operator.get(f"people/{person}").text
    operator.post(f"people/{person}/restore")
    here.assembly.make_worker().run_due()
    assert visitor.get().status_code == 200
