"""Who may ask for what: sites, tokens, sessions, people, broken engines."""

from pathlib import Path

import pytest

from microcred.people import links
from microcred.people.models import Person
from tests.functional.web.course import ORIGIN, Course, Visitor
from tests.functional.web.work import picture, upload, write

FORM = {"text-p1-q1": "words to keep", "revision-p1-q1": "0"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
    ],
)
def test_a_change_from_another_site_is_refused(teacher: Visitor, headers: dict[str, str]) -> None:
    form = FORM | {"form_token": teacher.form_token}
    answer = teacher.client.post(teacher.url("parts/p1/responses"), data=form, headers=headers)
    assert answer.status_code == 403
    assert 'data-error="cross_site"' in answer.text


@pytest.mark.parametrize("headers", [{"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_change_from_our_own_page_is_taken(teacher: Visitor, headers: dict[str, str]) -> None:
    form = FORM | {"form_token": teacher.form_token}
    answer = teacher.client.post(teacher.url("parts/p1/responses"), data=form, headers=headers)
    assert answer.status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64, "ü"])
def test_a_form_without_the_token_of_this_launch_is_refused_and_shows_the_text(
    teacher: Visitor, token: str
) -> None:
    answer = teacher.post("parts/p1/responses", FORM | {"form_token": token})
    assert answer.status_code == 403
    assert "words to keep" in answer.text


def test_the_token_of_another_launch_is_refused(teacher: Visitor, course: Course) -> None:
    other = course.visitor()
    assert teacher.post("parts/p1/responses", FORM | {"form_token": other.form_token}).status_code == 403


def test_two_people_in_two_tabs_of_one_browser_stay_apart(teacher: Visitor, course: Course) -> None:
    other = course.visitor(client=teacher.client)
    other.get()
    write(teacher, "p1", "p1-q1", "of the first person")
    write(other, "p1", "p1-q1", "of the second person")
    assert "of the first person" in teacher.get("parts/p1").text
    assert "of the second person" not in teacher.get("parts/p1").text
    assert "of the second person" in other.get("parts/p1").text


def test_without_the_launchs_cookie_a_page_says_how_to_come_back(teacher: Visitor, course: Course) -> None:
    answer = course.app.test_client().get(teacher.url())
    assert answer.status_code == 401
    assert "Open this from your course again" in answer.text


def test_a_new_tab_takes_a_one_use_link(teacher: Visitor, course: Course) -> None:
    made = teacher.post("open", {"place": teacher.url("parts/p2")}, fragment=True)
    assert made.json is not None
    tab = course.app.test_client()
    moved = tab.get(made.json["url"])
    assert moved.status_code == 303
    assert moved.headers["Location"] == teacher.url("parts/p2")
    assert "Partitioned" in moved.headers["Set-Cookie"]
    assert tab.get(teacher.url("parts/p2")).status_code == 200
    assert course.app.test_client().get(made.json["url"]).status_code == 403


def test_a_new_tab_link_is_good_for_a_minute(teacher: Visitor, course: Course) -> None:
    made = teacher.post("open", {"place": ""})
    assert "Open in a new tab" in made.text
    fragment = teacher.post("open", {"place": ""}, fragment=True)
    course.clock.move(seconds=61)
    assert fragment.json is not None
    assert course.app.test_client().get(fragment.json["url"]).status_code == 403


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/desk/", "/app/other/parts"])
def test_a_new_tab_never_leads_elsewhere(teacher: Visitor, course: Course, place: str) -> None:
    made = teacher.post("open", {"place": place}, fragment=True)
    assert made.json is not None
    moved = course.app.test_client().get(made.json["url"])
    assert moved.headers["Location"] == teacher.url()
    forged = made.json["url"].replace("to=", "to=//evil.example/")
    assert "evil" not in course.app.test_client().get(forged).headers.get("Location", "").split("/app/")[0]


def test_a_suspended_person_is_out_at_the_next_click(teacher: Visitor, course: Course) -> None:
    with course.assembly.database.writing() as session:
        session.get_one(Person, teacher.person_id).state = "suspended"
    assert teacher.get().status_code == 401


def test_unknown_pages_and_parts_say_so(teacher: Visitor) -> None:
    for path in ("parts/p9", "nothing", "evidence/unknown", "feedback"):
        answer = teacher.get(path)
        assert answer.status_code == 404, path
        assert 'data-error="' in answer.text


def test_the_desk_opens_by_a_link_that_is_used_once(course: Course) -> None:
    person_id, _ = course.person("Demo Reviewer")
    with course.assembly.database.writing() as session:
        secret = links.invite(session, person_id, course.clock.now())
    client = course.app.test_client()
    assert "Welcome, Demo Reviewer" in client.get(f"/desk/enter?t={secret}").text
    headers = {"Sec-Fetch-Site": "same-origin"}
    assert client.post("/desk/enter", data={"t": secret}).status_code == 403
    opened = client.post("/desk/enter", data={"t": secret}, headers=headers)
    assert opened.status_code == 303
    assert "SameSite=Lax" in opened.headers["Set-Cookie"]
    desk = client.get("/desk/")
    assert desk.status_code == 200
    assert "frame-ancestors 'none'" in desk.headers["Content-Security-Policy"]
    again = client.post("/desk/enter", data={"t": secret}, headers=headers)
    assert again.status_code == 403
    assert "used already" in again.text
    course.clock.move(hours=4)
    assert client.get("/desk/").status_code == 401


def test_static_files_are_kept_for_a_year_and_named_by_content(teacher: Visitor) -> None:
    page = teacher.get().text
    address = page.split('href="')[3].split('"')[0]
    assert address.startswith("/assets/")
    with teacher.client.get(address) as answer:
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


def test_with_the_database_away_nothing_is_half_written(course: Course, tmp_path: Path) -> None:
    visitor = course.visitor()
    visitor.get()
    course.assembly.database.dispose()
    file = Path(str(course.assembly.database.url.database))
    for leftover in file.parent.glob(f"{file.name}*"):
        leftover.rename(leftover.with_suffix(".away"))
    file.mkdir()
    answer = write(visitor, "p1", "p1-q1", "words while it is away")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "words while it is away" in answer.text


def test_with_the_store_away_an_upload_says_so(course: Course) -> None:
    visitor = course.visitor()
    visitor.get()
    folder = Path(course.assembly.settings.effective_storage_url)
    folder.rmdir()
    folder.write_bytes(b"not a folder")
    answer = upload(visitor, picture())
    assert answer.status_code == 503
    assert "Everything you saved is still there" in answer.text


def test_a_huge_body_is_refused_before_it_is_read(teacher: Visitor) -> None:
    answer = write(teacher, "p1", "p1-q1", "x" * 3_000_000)
    assert answer.status_code == 413
