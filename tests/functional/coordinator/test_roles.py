"""Whether people in the course can have a grade, seen by the coordinator at once."""

import pytest
from sqlalchemy import select

from demo_lms import ABSENT, Reply
from demo_lms.names import CLAIMS
from lti_tool.roster import Member, Roster
from microcred.credentials.models import Attempt
from microcred.operations.assigning import bar_for
from microcred.operations.gradable import Gradable, judge
from microcred.people.models import Person
from tests.support.campus import COURSE, Campus

INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
FRAGMENT = {"X-Fragment": "part"}


def everybody_is_a_teacher(here: Campus) -> None:
    for person in ("terry", "amal"):
        here.platform.courses[COURSE].enrolments.pop(person)
        here.platform.enrol(COURSE, person, "Instructor")


def test_a_course_of_learners_says_how_many(here: Campus) -> None:
    (link,) = here.add().links
    page = here.at_link("dana", link.id)
    page.get("course")
    assert 'data-load="' in page.page
    answer = page.get("course/roles", headers=FRAGMENT)
    assert "2 people in this course can have a grade; 1 person with a staff role cannot" in answer.text
    assert "<html" not in answer.text
    assert "Who can have a grade</h1>" in page.get("course/roles").text
    quiet = here.picker().get("course/roles", query_string={"quiet": "1"}, headers=FRAGMENT)
    assert "person" not in quiet.text


def test_a_course_where_all_are_teachers_is_told_at_once_and_what_to_change(here: Campus) -> None:
    everybody_is_a_teacher(here)
    picker = here.picker()
    assert "quiet=1" in picker.page
    answer = picker.get("course/roles", query_string={"quiet": "1"}, headers=FRAGMENT)
    assert "Nobody in this course can have a grade." in answer.text
    assert "Terry Demo-Person" in answer.text
    assert "Enrol whoever wants to earn it as a learner." in answer.text


def test_the_lms_is_asked_once_in_ten_minutes_or_when_told(here: Campus) -> None:
    page = here.picker()
    page.get("course/roles", headers=FRAGMENT)
    everybody_is_a_teacher(here)
    assert "2 people" in page.get("course/roles", headers=FRAGMENT).text
    assert here.platform.log.count("memberships") == 1
    assert "Nobody" in page.get("course/roles", query_string={"fresh": "1"}).text
    here.clock.pass_(minutes=11)
    assert "Nobody" in page.get("course/roles", headers=FRAGMENT).text


def test_an_lms_that_does_not_say_who_is_there(here: Campus) -> None:
    here.platform.tools["tool-a"].scopes = []
    page = here.picker()
    answer = page.get("course/roles", headers=FRAGMENT)
    assert answer.status_code == 200
    assert "does not tell us yet who is in this course" in answer.text


def test_who_has_not_started_is_told_by_name(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    page = here.at_link("dana", link.id)
    part = page.get("course/roles", headers=FRAGMENT).text
    assert "1 person has not opened this micro-credential yet." in part
    assert "Amal" not in part
    whole = page.get("course/roles").text
    assert "Who has not started</h2>" in whole
    assert "Amal Demo-Person" in whole
    assert "Terry" not in whole.split("Who has not started</h2>")[1]
    here.at_link("amal", link.id)
    assert "Everybody your LMS shows us as a learner has opened it." in page.get("course/roles").text
    assert "Who has not started" not in here.picker().get("course/roles").text


def test_a_name_that_launches_keep_to_themselves_comes_from_the_roster(anywhere: Campus) -> None:
    here = anywhere
    (link,) = here.add().links
    nameless = dict.fromkeys(("name", "given_name", "family_name", "email"), ABSENT)
    here.at_link("terry", link.id, claims=nameless)
    here.at_link("amal", link.id, claims=nameless | {"name": "A. Person"})
    page = here.at_link("dana", link.id)
    assert "Name not shared" in page.get("course").text
    page.get("course/roles", headers=FRAGMENT)
    course = page.get("course").text
    assert "Terry Demo-Person" in course
    assert "A. Person" in course, "what a launch said stays"
    with here.assembly.database.reading() as session:
        terry = session.get_one(Person, here.person_id("terry"))
        assert terry.email is None, "addresses come from launches alone"


def test_who_launches_as_staff_is_staff_whatever_the_roster_says(anywhere: Campus) -> None:
    """As in Moodle, whose roster calls a non-editing teacher a learner."""
    here = anywhere
    (link,) = here.add().links
    page = here.at_link("dana", link.id)
    assert "2 people in this course can have a grade" in page.get("course/roles").text
    here.at_link("amal", link.id, claims={CLAIMS["roles"]: [INSTRUCTOR]})
    part = page.get("course/roles", headers=FRAGMENT).text
    assert "1 person in this course can have a grade; 2 people with a staff role cannot" in part
    assert "Amal" not in page.get("course/roles").text.split("Who has not started</h2>")[1]
    here.at_link("amal", link.id)
    again = page.get("course/roles").text
    assert "2 people in this course can have a grade" in again, "the newest launch counts"


def test_staff_by_the_roster_read_nobodys_work_from_their_course(anywhere: Campus) -> None:
    """A reviewer who teaches the course, and never opened the tool there."""
    here = anywhere
    (link,) = here.add().links
    here.platform.add_course("c-2", "Another demo course")
    here.platform.add_person("robin", "Robin Demo-Person")
    here.platform.enrol("c-2", "robin", "Learner")
    other = here.platform.add_link("c-2", "elsewhere")
    here.at_link("robin", other.id)
    here.at_link("terry", link.id)
    attempt = here.submit("terry")
    assert bar(here, "robin", attempt) is None

    here.platform.enrol(COURSE, "robin", "Instructor")
    page = here.at_link("dana", link.id)
    page.get("course/roles", headers=FRAGMENT)
    assert bar(here, "robin", attempt) == "course_staff"

    here.platform.courses[COURSE].enrolments.pop("robin")
    here.platform.page_size = 2
    here.platform.script.on("memberships", Reply(500), match=lambda request: bool(request.query))
    page.get("course/roles", query_string={"fresh": "1"}, headers=FRAGMENT)
    assert bar(here, "robin", attempt) == "course_staff", "half a roster takes nobody away"
    page.get("course/roles", query_string={"fresh": "1"}, headers=FRAGMENT)
    assert bar(here, "robin", attempt) is None


def bar(here: Campus, person: str, attempt: str) -> str | None:
    """What keeps somebody from reading a try, as a code."""
    with here.assembly.database.reading() as session:
        row = session.scalars(select(Attempt).where(Attempt.public_id == attempt)).one()
        found = bar_for(session, {here.person_id(person)}, row, here.clock.now())
    return found.code if found else None


def test_learners_see_no_list(here: Campus) -> None:
    (link,) = here.add().links
    assert here.at_link("terry", link.id).get("course/roles").status_code == 403


def test_a_mentor_is_told_in_words_and_led_in_no_circle(here: Campus) -> None:
    (link,) = here.add().links
    mentor = here.at_link("terry", link.id, claims={"roles": [f"{BASE}#Mentor"]})
    assert "Your role in this course does not open this page." in mentor.page
    assert "Back to your" not in mentor.page


BASE = "http://purl.imsglobal.org/vocab/lis/v2/membership"


def members(**roles: list[str]) -> tuple[Member, ...]:
    return tuple(Member(one, tuple(held), True, one, None, None, None) for one, held in roles.items())


@pytest.mark.parametrize(
    ("roles", "learners", "staff", "doubtful"),
    [
        ({"a": ["Learner"], "b": ["Instructor"]}, 1, 1, False),
        ({"a": [f"{BASE}#Instructor"], "b": [f"{BASE}#Instructor"]}, 0, 2, True),
        ({"a": [f"{BASE}#Instructor"]}, 0, 1, False),
        ({"a": [f"{BASE}#Mentor"], "b": ["Learner"]}, 1, 0, False),
        ({"a": ["Learner"], **{f"i{n}": ["Instructor"] for n in range(3)}}, 1, 3, True),
        ({"a": ["Learner", "Instructor"], "b": ["Instructor"]}, 1, 1, False),
    ],
)
def test_who_counts_as_what(roles: dict[str, list[str]], learners: int, staff: int, doubtful: bool) -> None:
    found = judge(Roster(members(**roles)))
    assert (found.count, found.staff, found.doubtful) == (learners, staff, doubtful)
    assert Gradable.of_data(found.as_data()) == found


def test_half_a_roster_accuses_nobody_of_missing() -> None:
    found = judge(Roster(members(a=["Instructor"], b=["Instructor"]), problem="http_500"))
    assert not found.nobody
