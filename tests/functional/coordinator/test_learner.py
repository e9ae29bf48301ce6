"""A submission review: the gradebook opens one learner's credential for somebody else."""

from microcred.people import grant, organization_by_code
from tests.functional.coordinator.test_course import PRIVATE, _answer
from tests.support.campus import COURSE, Campus, Visitor


def _review(here: Campus, by: str, of: str) -> Visitor:
    (column,) = here.platform.line_items_in(COURSE)
    return here.visit(here.platform.begin_review(by, column.id, of))


def test_staff_see_state_dates_and_badge_of_that_learner_and_nothing_of_the_work(here: Campus) -> None:
    (link,) = here.add().links
    for person in ("terry", "amal"):
        here.at_link(person, link.id)
    _answer(here, PRIVATE)
    here.earn("terry", comment=PRIVATE)
    here.work()

    terry, amal = _review(here, "dana", "terry"), _review(here, "dana", "amal")

    for shown in ("Terry Demo-Person", "Earned", "Decided", "See the badge", "100"):
        assert shown in terry.page
    for hidden in (PRIVATE, "demo.invalid", "Amal Demo-Person", "Open the case"):
        assert hidden not in terry.page
    assert "Amal Demo-Person" in amal.page
    assert "Working on it" in amal.page
    assert PRIVATE not in amal.page


def test_a_learner_who_has_not_begun_is_told_and_nobody_is_made(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)

    page = _review(here, "dana", "amal").page

    assert "This person has not opened this micro-credential" in page
    assert "Terry" not in page


def test_learners_open_their_own_page_and_nobody_elses(here: Campus) -> None:
    (link,) = here.add().links
    for person in ("terry", "amal"):
        here.at_link(person, link.id)

    own, others = _review(here, "amal", "amal"), _review(here, "amal", "terry")

    assert "Only people who teach or manage this course" not in own.page
    assert own.get("learner").status_code == 403
    assert "Terry" not in others.page
    assert others.get("learner").status_code == 403


def test_an_approver_of_the_course_may_go_on_to_the_case(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    here.earn("terry")
    here.at_link("dana", link.id)
    with here.assembly.database.writing() as session:
        issuer = organization_by_code(session, "iss-riverbend")
        assert issuer is not None
        dana, now = here.person_id("dana"), here.clock.now()
        grant(session, person_id=dana, role="approver", organization_id=issuer.id, now=now, by=None)

    page = _review(here, "dana", "terry").page

    assert "Open the case" in page
