"""Two accounts of one human: joined by a code with both sides' consent, undone by either, work left alone."""

import re

import pytest
from sqlalchemy import func, select

from microcred.credentials.models import Attempt, Pursuit, Review
from microcred.operations import linking, review
from microcred.operations.actor import Actor, actor_for_desk
from microcred.operations.errors import OperationRefused
from microcred.operations.judging import facts
from microcred.operations.reading_decide import case
from microcred.operations.reading_queue import queue
from microcred.operations.reading_review import find_attempt
from microcred.people import grant, ids_of, standing
from microcred.people.models import AuditEvent, LinkCode, LmsIdentity, Person
from tests.functional.people.places import at_desk, dump, officer
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import write

Both = tuple[Course, Course]


def code_of(visitor: Visitor) -> str:
    page = visitor.post("accounts/code")
    assert page.status_code == 200
    found = re.search(r"[2-9a-z]{4}-[2-9a-z]{4}", page.text[page.text.index('id="code"') :])
    assert found is not None
    return found.group()


def link(first: Visitor, second: Visitor) -> None:
    """Make a code as `first`, enter and confirm it as `second`."""
    code = code_of(first)
    assert second.post("accounts/check", {"code": code}).status_code == 200
    assert second.post("accounts/confirm", {"code": code}).status_code == 303


def events(course: Course, *actions: str) -> list[str]:
    with course.assembly.database.reading() as session:
        query = select(AuditEvent.action).where(AuditEvent.action.in_(actions)).order_by(AuditEvent.id)
        return list(session.scalars(query))


def actor(course: Course, person_id: int) -> Actor:
    with course.assembly.database.reading() as session:
        return actor_for_desk(session, person_id, course.clock.now())


def test_both_sides_see_who_would_be_joined_and_agree(systems_anywhere: Both) -> None:
    here, there = systems_anywhere
    one, two = here.visitor(here.person("Terry Tryout")), there.visitor(there.person("Theresa Tryout"))
    code = code_of(one)
    page = two.post("accounts/check", {"code": f" {code.upper()} "})
    for text in ("Terry Tryout", "Theresa Tryout", "Demo LMS", "Second Demo LMS", "Yes, both are mine"):
        assert text in page.text
    with here.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).where(Person.merged_into_id.is_not(None))) == 0
    assert two.post("accounts/confirm", {"code": code}).status_code == 303
    with here.assembly.database.reading() as session:
        assert ids_of(session, one.person_id) == {one.person_id, two.person_id}
        assert session.get_one(Person, two.person_id).merged_into_id == one.person_id
    for visitor in (one, two):
        assert "Your linked accounts" in visitor.get("accounts").text
    assert events(here, "person.link") == ["person.link"]


@pytest.mark.parametrize("who", [0, 1])
def test_either_side_undoes_it(systems: Both, who: int) -> None:
    here, there = systems
    pair = here.visitor(), there.visitor()
    link(*pair)
    with here.assembly.database.reading() as session:
        other = session.get_one(Person, pair[1 - who].person_id).public_id
    assert pair[who].post("accounts/undo", {"account": other}).status_code == 303
    assert "Your linked accounts" not in pair[who].get("accounts").text
    with here.assembly.database.reading() as session:
        assert ids_of(session, pair[0].person_id) == {pair[0].person_id}
    assert events(here, "person.unlink") == ["person.unlink"]
    assert pair[who].post("accounts/undo", {"account": other}).status_code == 404


def test_a_code_works_once_and_for_ten_minutes(systems: Both) -> None:
    here, there = systems
    one, two, three = here.visitor(), there.visitor(), there.visitor()
    late = code_of(one)
    here.clock.move(minutes=10)
    assert two.post("accounts/confirm", {"code": late}).status_code == 409
    first, second = code_of(one), code_of(one)
    assert two.post("accounts/confirm", {"code": first}).status_code == 409, "a newer code replaces it"
    assert two.post("accounts/confirm", {"code": second}).status_code == 303
    assert three.post("accounts/confirm", {"code": second}).status_code == 409
    with here.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LinkCode)) == 0


def test_a_code_is_not_stored_and_its_own_maker_cannot_use_it(systems: Both) -> None:
    here, _ = systems
    one = here.visitor()
    code = code_of(one)
    assert code not in str(dump(here.assembly.database))
    assert code.replace("-", "") not in str(dump(here.assembly.database))
    page = one.post("accounts/check", {"code": code})
    assert page.status_code == 409
    assert "You made this code here" in page.text


def test_wrong_codes_are_limited(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    code = code_of(one)
    for number in range(5):
        assert two.post("accounts/check", {"code": f"aaaa-aaa{number + 2}"}).status_code == 409
    assert two.post("accounts/check", {"code": code}).status_code == 429
    assert two.post("accounts/confirm", {"code": code}).status_code == 429
    here.clock.move(minutes=10, seconds=1)
    assert two.post("accounts/check", {"code": code_of(one)}).status_code == 200


def test_test_students_are_not_linked(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    with here.assembly.database.writing() as session:
        identity = session.scalars(select(LmsIdentity).where(LmsIdentity.person_id == two.person_id)).one()
        identity.is_test_user = True
    assert two.post("accounts/code").status_code == 409
    assert two.post("accounts/check", {"code": code_of(one)}).status_code == 409


def test_the_same_address_joins_nobody(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    with here.assembly.database.writing() as session:
        for person_id in (one.person_id, two.person_id):
            session.get_one(Person, person_id).email = "terry@demo.invalid"
    one.get(), two.get()
    with here.assembly.database.reading() as session:
        assert ids_of(session, one.person_id) == {one.person_id}


def test_three_systems_stay_one_step_deep(systems: Both) -> None:
    here, there = systems
    one, two, three, four = here.visitor(), there.visitor(), there.visitor(), there.visitor()
    link(one, two)
    link(three, two)  # the code of somebody alone: they join the group
    with here.assembly.database.reading() as session:
        assert ids_of(session, three.person_id) == {one.person_id, two.person_id, three.person_id}
        for person in session.scalars(select(Person).where(Person.merged_into_id.is_not(None))):
            assert person.merged_into_id == one.person_id
    five = here.visitor()
    link(four, five)
    page = two.post("accounts/confirm", {"code": code_of(four)})
    assert page.status_code == 409
    assert "Both accounts are linked with others" in page.text


def test_work_stays_where_it_was_and_counts_for_both(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    one.get(), write(one, "p1", "p1-q1", "Written in the first system.")
    link(one, two)
    assert "Start with Part 1" in two.get().text, "another course, another try"
    write(two, "p1", "p1-q1", "Written in the second system while linked.")
    with here.assembly.database.reading() as session:
        owners = session.scalars(select(Pursuit.person_id).order_by(Pursuit.id)).all()
    assert owners == [one.person_id, two.person_id]
    assert "Written in the first system." in one.get("parts/p1").text
    with here.assembly.database.reading() as session:
        first = session.get_one(Person, one.person_id).public_id
    two.post("accounts/undo", {"account": first})
    assert "Written in the second system while linked." in two.get("parts/p1").text
    assert "Written in the first system." in one.get("parts/p1").text


def test_an_office_counts_whichever_system_one_comes_from(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    with here.assembly.database.writing() as session:
        grant(
            session,
            person_id=one.person_id,
            role="reviewer",
            organization_id=here.issuer_id,
            now=here.clock.now(),
            by=None,
        )
    assert "Reviews" not in two.get().text
    link(one, two)
    assert "Reviews" in two.get().text
    author = here.visitor()
    author.get()
    submit(here, author.person_id)
    public_id = here.attempt(author.person_id).public_id
    two.post(f"review/{public_id}/start")
    with here.assembly.database.reading() as session:
        assert session.scalars(select(Review.reviewer_id)).one() == two.person_id
    assert one.get(f"review/{public_id}").status_code == 200, "begun there, gone on with here"


def submit(course: Course, person_id: int) -> None:
    """Put the newest try of a person into the reviewers' queue."""
    with course.assembly.database.writing() as session:
        attempt = session.get_one(Attempt, course.attempt(person_id).id)
        attempt.state, attempt.submitted_at = "submitted", course.clock.now()
        attempt.decision_due_at = course.clock.now()


def test_nobody_reads_or_decides_their_own_work_through_a_second_account(systems_anywhere: Both) -> None:
    here, _ = systems_anywhere
    teacher = here.visitor()
    teacher.get()
    submit(here, teacher.person_id)
    public_id = here.attempt(teacher.person_id).public_id
    reviewer, approver = (
        officer(here, "reviewer", "Terry at the desk"),
        officer(here, "approver", "Terry too"),
    )
    with here.assembly.database.reading() as session:
        assert len(queue(session, actor(here, reviewer.person_id), here.clock.now()).rows) == 1
    for desk in (reviewer, approver):
        code = code_of(teacher)
        assert desk.post("accounts/confirm", {"code": code}).status_code == 303
    assert f"{public_id}" not in reviewer.get("review/").text
    me = actor(here, reviewer.person_id)
    with here.assembly.database.reading() as session:
        assert queue(session, me, here.clock.now()).rows == ()
        attempt = find_attempt(session, public_id)
        assert facts(session, attempt, reviewer_ids=[]).owner_id == me.person_id
    assert reviewer.post(f"review/{public_id}/start").status_code == 403
    with here.assembly.database.writing() as session:
        session.get_one(Attempt, here.attempt(teacher.person_id).id).state = "recommended"
    assert approver.get(f"approve/{public_id}").status_code == 403


def test_accounts_of_which_one_reviews_the_other_are_not_linked(systems: Both) -> None:
    here, _ = systems
    teacher = here.visitor()
    teacher.get()
    submit(here, teacher.person_id)
    public_id = here.attempt(teacher.person_id).public_id
    reviewer = officer(here, "reviewer", "Robin Reviewer")
    with here.assembly.database.writing() as session:
        review.start(session, actor(here, reviewer.person_id), public_id, here.clock.now())
    page = reviewer.post("accounts/check", {"code": code_of(teacher)})
    assert page.status_code == 409
    assert "nobody reviews their own work" in page.text


def test_what_was_reviewed_before_linking_is_not_decided_by_the_same_human(systems: Both) -> None:
    here, there = systems
    teacher = here.visitor()
    teacher.get()
    submit(here, teacher.person_id)
    public_id = here.attempt(teacher.person_id).public_id
    reader, decider = officer(here, "reviewer", "Reader"), officer(here, "approver", "Decider")
    with here.assembly.database.writing() as session:
        review.start(session, actor(here, reader.person_id), public_id, here.clock.now())
    second = there.visitor()
    link_desk = code_of(second)
    reader.post("accounts/confirm", {"code": link_desk})
    decider.post("accounts/confirm", {"code": code_of(second)})
    with here.assembly.database.writing() as session:
        session.get_one(Attempt, here.attempt(teacher.person_id).id).state = "recommended"
    assert decider.get(f"approve/{public_id}").status_code in (403, 404)
    me = actor(here, decider.person_id)
    with here.assembly.database.reading() as session, pytest.raises(OperationRefused):
        case(session, me, public_id)


def test_linking_and_undoing_changes_no_row(systems_anywhere: Both) -> None:
    here, there = systems_anywhere
    one, two = here.visitor(), there.visitor()
    for visitor in (one, two):
        visitor.get()
        write(visitor, "p1", "p1-q1", f"Mine, {visitor.person_id}")
    submit(here, one.person_id)
    here.judge(
        one.person_id,
        dict.fromkeys(("p1-c1", "p1-c2", "p2-c1", "p3-c1", "p4-c1"), "passing") | {"p2-c1": "yes"},
    )
    before = dump(here.assembly.database, "audit_event", "link_code")
    link(one, two)
    one.get(), two.get(), one.get("privacy"), two.get("badge")
    with here.assembly.database.reading() as session:
        first = session.get_one(Person, one.person_id).public_id
    two.post("accounts/undo", {"account": first})
    assert dump(here.assembly.database, "audit_event", "link_code") == before


def test_a_suspended_half_shuts_out_the_whole_human(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    link(one, two)
    desk = at_desk(here, one.person_id)
    with here.assembly.database.writing() as session:
        standing.suspend(session, two.person_id, now=here.clock.now(), by=None)
    assert one.get().status_code == 401
    assert two.get().status_code == 401
    assert desk.get().status_code == 401
    with here.assembly.database.writing() as session:
        standing.restore(session, one.person_id, now=here.clock.now(), by=None)
    assert [one.get().status_code, two.get().status_code, desk.get().status_code] == [200, 200, 200]


def test_linking_is_one_function_for_page_and_operator(systems: Both) -> None:
    here, there = systems
    one, two = here.visitor(), there.visitor()
    link(one, two)
    with here.assembly.database.writing() as session:
        assert linking.separate(session, two.person_id, by=None, now=here.clock.now())
        assert not linking.separate(session, two.person_id, by=None, now=here.clock.now())
    assert "Your linked accounts" not in one.get("accounts").text
