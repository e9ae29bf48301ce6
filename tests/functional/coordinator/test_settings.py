"""Changing a placement later: our own record, never the LMS's, and never a version by itself."""

import copy
import html
import re
from datetime import timedelta

from microcred.credentials.models import Credential, CredentialVersion, Pursuit
from microcred.operations.actor import Actor, actor_for_desk
from microcred.operations.reading_queue import queue
from microcred.people import grant, organization_by_code
from microcred.people.models import AuditEvent
from microcred.placements import GradeColumn
from tests.support.campus import SHAPE_IDEAS, Campus, Visitor


def settings(here: Campus, link: str) -> Visitor:
    page = here.at_link("dana", link)
    assert page.get("course/settings").status_code == 200
    return page


def publish_newer(here: Campus, version: str = "1.1") -> str:
    """A newer published version of the sample credential, with a part more."""
    with here.assembly.database.writing() as session:
        query = session.query(CredentialVersion).join(Credential).filter(Credential.key == SHAPE_IDEAS)
        old = query.filter(CredentialVersion.version == "1.0").one()
        document = copy.deepcopy(old.document) | {"version": version}
        document["parts"].append(
            {
                **document["parts"][-1],
                "id": "p-new",
                "number": len(document["parts"]) + 1,
                "title": "Looking back",
            }
        )
        made = CredentialVersion(
            credential_id=old.credential_id,
            version=version,
            state="published",
            code=old.code,
            title=old.title,
            search_text=old.search_text,
            clock_hours=old.clock_hours,
            document=document,
            position=old.position,
            published_at=here.clock.now(),
        )
        session.add(made)
        session.flush()
        return made.public_id


def test_dates_and_grade_change_here_and_the_lms_is_not_asked(here: Campus) -> None:
    (link,) = here.add(scheme="hundred").links
    page = settings(here, link.id)
    calls = len(here.platform.log.all())
    answer = page.post(
        "course/settings",
        {"scheme": "complete", "denied_as": "zero", "submit_by": "2026-12-18", "reviewers": "all"},
    )
    assert answer.status_code == 303
    (placement,) = here.placements()
    assert (placement.grade_scheme, placement.denied_as) == ("complete", "zero")
    assert placement.submit_by is not None
    assert "keeps its points" in settings(here, link.id).page
    assert len(here.platform.log.all()) == calls
    (column,) = here.platform.line_items_in("c-1")
    assert column.score_maximum == 100
    with here.assembly.database.reading() as session:
        event = session.query(AuditEvent).filter_by(action="placement_changed").one()
    assert event.before == "hundred, blank, none"

    here.at_link("terry", link.id)
    here.earn("terry")
    here.work()
    assert here.platform.shown_score(column.id, "terry") == 100  # 1 of 1 on the column's own scale


def test_what_cannot_be_says_why_and_keeps_everything(here: Campus) -> None:
    (link,) = here.add(scheme="hundred").links
    page = settings(here, link.id)
    for change, says in (
        ({"scheme": "per_part"}, "cannot change to that here"),
        ({"scheme": "graduate_letter"}, "cannot change to that here"),
        ({"denied_as": "minus"}, "Choose one of the options"),
        ({"reviewers": "friends"}, "Choose one of the reviewers' pools"),
        ({"submit_by": "18.12."}, "Write the last day like"),
        ({"submit_by": "2020-01-01"}, "has passed already"),
    ):
        answer = page.post(
            "course/settings",
            {"scheme": "hundred", "denied_as": "blank", "submit_by": "", "reviewers": "all"} | change,
        )
        assert answer.status_code == 409
        assert says in html.unescape(answer.text)
        assert "Nothing was changed." in answer.text
    (placement,) = here.placements()
    assert (placement.grade_scheme, placement.denied_as, placement.submit_by) == ("hundred", "blank", None)


def test_who_has_begun_goes_on_when_a_later_first_day_is_set(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    page = settings(here, link.id)
    form = {"scheme": "hundred", "denied_as": "blank", "submit_by": "", "reviewers": "all"}
    assert page.post("course/settings", form | {"open_from": "2026-04-01"}).status_code == 303
    assert 'value="2026-04-01"' in settings(here, link.id).page
    assert "Start with Part 1" in here.at_link("terry", link.id).page
    assert "You can start on" in here.at_link("amal", link.id).page
    page = here.at_link("dana", link.id)
    page.get("course")
    assert "First day to start" in page.page


def test_a_last_day_that_has_passed_may_stay(here: Campus) -> None:
    (link,) = here.add().links
    page = settings(here, link.id)
    form = {"scheme": "hundred", "denied_as": "blank", "submit_by": "2026-12-18", "reviewers": "all"}
    assert page.post("course/settings", form).status_code == 303
    here.clock.time += timedelta(days=400)
    page = settings(here, link.id)
    assert page.post("course/settings", form | {"denied_as": "zero"}).status_code == 303


def test_after_the_first_decision_everybody_is_graded_alike(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    here.earn("terry")
    page = settings(here, link.id)
    assert "graded already" in page.page
    form = {"scheme": "complete", "denied_as": "blank", "submit_by": "", "reviewers": "all"}
    assert page.post("course/settings", form).status_code == 409
    assert page.post("course/settings", form | {"scheme": "hundred"}).status_code == 303


def test_a_version_published_later_is_offered_and_changes_nothing_by_itself(here: Campus) -> None:
    (link,) = here.add(scheme="per_part").links
    here.at_link("terry", link.id)
    assert "is published; this course stays" not in here.at_link("dana", link.id).page
    newer = publish_newer(here)

    course = here.at_link("dana", link.id)
    course.get("course")
    assert "Version 1.1 is published; this course stays on 1.0" in course.page
    page = settings(here, link.id)
    assert "New parts: Looking back" in page.page
    assert "the 1 teacher who has begun stays on theirs" in page.page
    (placement,) = here.placements()
    before = placement.version_id

    assert page.post("course/settings/version", {"version": "no-such"}).status_code == 409
    assert here.placements()[0].version_id == before
    assert page.post("course/settings/version", {"version": newer}).status_code == 303
    assert here.placements()[0].version_id != before
    here.at_link("amal", link.id)
    with here.assembly.database.reading() as session:
        used = {one.person_id: one.version_id for one in session.query(Pursuit)}
        tags = [one.tag for one in session.query(GradeColumn).order_by(GradeColumn.id)]
    assert used[here.person_id("terry")] == before
    assert used[here.person_id("amal")] == here.placements()[0].version_id
    assert tags[-1] == "p-new"
    assert "is published; this course stays" not in settings(here, link.id).page


def test_a_version_that_is_not_the_newest_any_more_is_not_taken(here: Campus) -> None:
    (link,) = here.add().links
    first = publish_newer(here, "1.1")
    page = settings(here, link.id)
    publish_newer(here, "1.2")
    assert page.post("course/settings/version", {"version": first}).status_code == 409


def test_only_who_places_may_change_it(here: Campus) -> None:
    (link,) = here.add().links
    here.platform.add_person("tau", "Tau Demo-Assistant")
    here.platform.enrol("c-1", "tau", "TeachingAssistant")
    for person in ("terry", "tau"):
        page = here.at_link(person, link.id)
        assert page.get("course/settings").status_code == 403
        assert page.post("course/settings", {"scheme": "complete"}).status_code == 403
        assert page.post("course/settings/version", {"version": "x"}).status_code == 403
    assert here.placements()[0].grade_scheme == "hundred"


def test_reviewers_from_outside_alone_read_what_a_course_says_so_of(here: Campus) -> None:
    (link,) = here.deliver(
        here.picker().post(
            "choose", {"credential": here.version(), "scheme": "hundred", "reviewers": "outside"}
        )
    ).links
    here.at_link("terry", link.id)
    here.submit("terry")
    ours, theirs = here.officer("reviewer"), reviewer_with_an_account(here)
    now = here.clock.now()
    with here.assembly.database.reading() as session:
        assert len(queue(session, ours, now).rows) == 1  # of the issuer alone: from outside the district
        assert queue(session, theirs, now).rows == ()

    page = settings(here, link.id)
    assert re.search(r'value="outside" selected', page.page)
    form = {"scheme": "hundred", "denied_as": "blank", "submit_by": "", "reviewers": "all"}
    assert page.post("course/settings", form).status_code == 303
    with here.assembly.database.reading() as session:
        assert len(queue(session, theirs, now).rows) == 1


def reviewer_with_an_account(here: Campus) -> Actor:
    """A reviewer of the issuer who is at home in the district's own LMS."""
    here.platform.add_person("rio", "Rio Demo-Reviewer")
    here.platform.add_course("c-9", "Another course")
    here.platform.enrol("c-9", "rio", "Learner")
    here.platform.add_link("c-9", "Nothing yet", link_id="rl-9")
    here.at_link("rio", "rl-9")
    now, person_id = here.clock.now(), here.person_id("rio")
    with here.assembly.database.writing() as session:
        issuer = organization_by_code(session, "iss-riverbend")
        assert issuer is not None
        grant(session, person_id=person_id, role="reviewer", organization_id=issuer.id, now=now, by=None)
        return actor_for_desk(session, person_id, now)
