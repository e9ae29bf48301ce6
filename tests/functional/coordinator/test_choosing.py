"""The picker: finding a credential, seeing its columns, and putting it into the course."""

import html
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.models import Deployment, Launch
from microcred.credentials import definition_of
from microcred.credentials.models import CredentialVersion, Pursuit
from microcred.placements import Choice, GradeColumn, Place, choose, columns_for
from tests.support.campus import COURSE, TOOL, Campus, Visitor


def titles(picker: Visitor) -> list[str]:
    return [html.unescape(title) for title in re.findall(r'<b class="d-block">([^<]*)</b>', picker.page)]


def columns(picker: Visitor) -> list[tuple[str, str]]:
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th><td class="num">([^<]*)</td>', picker.page)
    return [(html.unescape(label), points) for label, points in rows]


def test_every_published_credential_is_offered_and_no_other(here: Campus) -> None:
    picker = here.picker()
    with here.assembly.database.reading() as session:
        query = select(CredentialVersion.title, CredentialVersion.state, CredentialVersion.document)
        rows = session.execute(query).all()
    wanted = {title for title, state, document in rows if state == "published" and "groups" not in document}
    assert set(titles(picker)) == wanted
    assert len(titles(picker)) == len(wanted)
    assert "Adding to: Active Classrooms" in picker.page


@pytest.mark.parametrize(
    ("words", "finds"),
    [("discussion", True), ("DISCUSSION", True), ("no such words at all", False), ("' OR 1=1", False)],
)
def test_search_finds_by_words(here: Campus, words: str, finds: bool) -> None:
    picker = here.picker()
    everything = len(titles(picker))
    picker.get("choose", query_string={"q": words})
    assert bool(titles(picker)) is finds
    assert len(titles(picker)) < everything
    if not finds:
        assert f"Nothing fits “{words}”" in html.unescape(picker.page)


def test_what_was_searched_for_is_text(here: Campus) -> None:
    picker = here.picker()
    picker.get("choose", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in picker.page


@pytest.mark.parametrize(
    ("scheme", "count", "points"),
    [
        ("complete", 1, "1 of 1"),
        ("hundred", 1, "100 of 100"),
        ("rubric_points", 1, ""),
        ("per_part", 4, "1 of 1"),
    ],
)
def test_the_columns_of_each_scheme_are_shown_before_they_exist(
    here: Campus, scheme: str, count: int, points: str
) -> None:
    picker = here.picker()
    chosen = {"credential": here.version(), "scheme": scheme}
    picker.get("choose", query_string=chosen)
    whole = columns(picker)
    assert len(whole) == count
    assert all(not points or shown == points for _, shown in whole)
    assert ("the others appear when the first grade is sent" in picker.page) is (count > 1)
    picker.get("choose/columns", query_string=chosen)
    assert columns(picker) == whole
    assert "<html" not in picker.page
    assert here.placements() == []


def test_what_the_preview_shows_is_what_the_lms_gets(here: Campus) -> None:
    picker = here.picker()
    picker.get("choose", query_string={"credential": here.version(), "scheme": "per_part"})
    shown = columns(picker)
    (link,) = here.add(scheme="per_part").links
    here.at_link("terry", link.id)
    here.earn("terry")
    here.work()
    made = {item.label: item.score_maximum for item in here.platform.line_items_in(COURSE)}
    assert made == {label: float(points.split()[0]) for label, points in shown}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scheme": "grades-for-all"}, "Choose one of the grade options"),
        ({"submit_by": "18.12.2026"}, "Write the last day like 2026-12-18"),
        ({"submit_by": "2026-02-30"}, "Write the last day like 2026-12-18"),
        ({"submit_by": "2026-03-01"}, "The last day has passed already"),
        ({"open_from": "soon"}, "Write the first day like 2026-12-18"),
        ({"open_from": "2026-12-19", "submit_by": "2026-12-18"}, "The first day is after the last one"),
    ],
)
def test_a_choice_that_cannot_be_made_says_why_and_keeps_the_rest(
    here: Campus, change: dict[str, str], says: str
) -> None:
    picker = here.picker()
    version = here.version("mc-discussion")
    answer = picker.post("choose", {"credential": version, "scheme": "complete"} | change)
    assert answer.status_code == 409
    assert says in answer.text
    assert re.search(rf'value="{version}" checked', answer.text)
    assert here.placements() == []


def test_the_last_day_ends_in_the_organizations_zone(here: Campus) -> None:
    picker = here.picker()
    answer = picker.post(
        "choose", {"credential": here.version(), "scheme": "hundred", "submit_by": "2026-12-18"}
    )
    (link,) = here.deliver(answer).links
    assert link.submission == {"endDateTime": "2026-12-19T04:59:59Z"}
    (placement,) = here.placements()
    assert placement.submit_by is not None
    assert placement.submit_by >= datetime(2026, 12, 18, 23, 59, 59, tzinfo=UTC)


def test_nobody_starts_before_the_first_day(here: Campus) -> None:
    answer = here.picker().post(
        "choose", {"credential": here.version(), "scheme": "hundred", "open_from": "2026-03-09"}
    )
    (link,) = here.deliver(answer).links
    assert link.available == {"startDateTime": "2026-03-09T04:00:00Z"}
    early = here.at_link("terry", link.id)
    assert "You can start on" in early.page
    assert "Start with Part 1" not in early.page
    assert early.get("parts/p1").status_code in (200, 303)
    with here.assembly.database.reading() as session:
        assert session.scalars(select(Pursuit)).all() == []
    here.clock.time = datetime(2026, 3, 9, 4, 0, 1, tzinfo=UTC)
    assert "Start with Part 1" in here.at_link("terry", link.id).page


def test_a_learner_and_an_assistant_cannot_choose(here: Campus) -> None:
    (link,) = here.add().links
    before = len(here.placements())
    here.platform.add_person("tau", "Tau Demo-Assistant")
    here.platform.enrol(COURSE, "tau", "TeachingAssistant")
    for person in ("terry", "tau"):
        visitor = here.at_link(person, link.id)
        assert visitor.get("choose").status_code == 403
        answer = visitor.post("choose", {"credential": here.version(), "scheme": "hundred"})
        assert answer.status_code == 403
    assert len(here.placements()) == before


def test_only_our_own_pages_may_choose(here: Campus) -> None:
    picker = here.picker()
    where = f"/app/{picker.launch}/choose"
    data = {"credential": here.version(), "scheme": "hundred"}
    site = {"Sec-Fetch-Site": "same-origin"}
    for headers, token in ((site, ""), (site, "x" * 64), ({"Sec-Fetch-Site": "cross-site"}, None)):
        form = data | ({"form_token": token} if token is not None else {})
        assert picker.client.post(where, base_url=TOOL, data=form, headers=headers).status_code == 403
    assert here.placements() == []


def test_a_picker_that_has_expired_adds_nothing_and_says_so(here: Campus) -> None:
    picker = here.picker()
    here.clock.time += timedelta(hours=4)
    for path in ("choose", "choose/cancel"):
        answer = picker.post(path, {"credential": here.version(), "scheme": "hundred"})
        assert answer.status_code == 401
        assert "Nothing was added. Go back to your course page" in answer.text
        assert "JWT" not in answer.text
    assert here.placements() == []
    assert here.add().links


def test_the_second_press_of_a_double_click_changes_what_the_first_made(anywhere: Campus) -> None:
    """The second begins while the first is not yet stored: it waits, and finds it."""
    anywhere.picker()
    database, now = anywhere.assembly.database, anywhere.clock.now()
    with database.reading() as session:
        launch = session.scalars(select(Launch)).one()
        query = select(CredentialVersion).where(CredentialVersion.public_id == anywhere.version())
        definition = definition_of(session, version := session.scalars(query).one())
        organization_id = session.scalars(select(Deployment.organization_id)).one()
    assert organization_id is not None
    place = Place(launch.deployment_id, organization_id, launch.context_id)
    first_is_under_way = threading.Event()

    def press(session: Session, scheme: str) -> None:
        choice = Choice(version.id, scheme, columns_for(definition, scheme))
        choose(session, place=place, choice=choice, launch_id=launch.id, person_id=launch.person_id, now=now)

    def second_press() -> None:
        first_is_under_way.wait()
        with database.writing() as session:
            press(session, "per_part")

    second = threading.Thread(target=second_press)
    second.start()
    with database.writing() as session:
        press(session, "hundred")
        first_is_under_way.set()
        second.join(0.3)
        assert second.is_alive()
    second.join()
    (placement,) = anywhere.placements()
    assert placement.grade_scheme == "per_part"
    with database.reading() as session:
        tags = session.scalars(select(GradeColumn.tag).order_by(GradeColumn.id)).all()
    assert tags == [part.id for part in definition.parts]
