"""Answers: kept whatever their length, never overwritten unseen, never lost with the session."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from microcred.credentials.models import Response
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import complete, submit, write


def saved(course: Course) -> dict[str, tuple[str, int]]:
    """Every stored answer: prompt to text and revision."""
    with course.assembly.database.reading() as session:
        return {row.prompt_id: (row.body, row.revision) for row in session.scalars(select(Response))}


def test_an_answer_is_saved_and_shown_with_its_words_and_time(teacher: Visitor, course: Course) -> None:
    assert write(teacher, "p1", "p1-q1", "We agreed four rules.\r\nThen we wrote.").status_code == 303
    page = teacher.get("parts/p1?ok=saved")
    assert "7 of 200 words" in page.text
    assert "Saved 10:42 AM" in page.text
    assert saved(course) == {"p1-q1": ("We agreed four rules.\nThen we wrote.", 1)}


def test_a_201_word_answer_is_kept_flagged_and_cannot_be_submitted(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    text = " ".join(["word"] * 201)
    assert write(teacher, "p1", "p1-q1", text, revision=1).status_code == 303
    page = teacher.get("parts/p1").text
    assert "201 of 200 words" in page
    assert "Over the limit of 200 words" in page
    assert saved(course)["p1-q1"][0] == text
    refused = submit(teacher)
    assert refused.status_code == 409
    assert "1 thing is missing" in refused.text
    assert "Take out 1 word" in refused.text
    assert course.attempt(teacher.person_id).state == "draft"


def test_the_saving_script_gets_words_revision_and_time(teacher: Visitor) -> None:
    form = {"text-p1-q1": "two words", "revision-p1-q1": "0"}
    answer = teacher.post("parts/p1/responses", form, fragment=True)
    assert answer.json == {
        "saved": {"p1-q1": {"words": 2, "limit": 200, "over": False, "revision": 1, "at": "10:42 AM"}},
        "stale": {},
    }


def test_a_second_page_never_overwrites_unseen(teacher: Visitor, course: Course) -> None:
    write(teacher, "p1", "p1-q1", "from the first page")
    refused = write(teacher, "p1", "p1-q1", "from the second page")
    assert refused.status_code == 409
    assert "from the first page" in refused.text
    assert "from the second page" in refused.text
    assert "Nothing was overwritten" in refused.text
    assert saved(course)["p1-q1"] == ("from the first page", 1)


@pytest.mark.parametrize(
    ("choice", "kept"),
    [("mine", "second"), ("theirs", "first"), ("both", "first\n\nsecond")],
)
def test_after_a_conflict_the_person_chooses(
    teacher: Visitor, course: Course, choice: str, kept: str
) -> None:
    write(teacher, "p1", "p1-q1", "first")
    assert write(teacher, "p1", "p1-q1", "second").status_code == 409
    form = {"text-p1-q1": "second", "revision-p1-q1": "1", "choose-p1-q1": choice}
    assert teacher.post("parts/p1/responses", form).status_code == 303
    assert saved(course)["p1-q1"][0] == kept


def test_the_script_is_told_of_a_conflict_with_the_other_text(teacher: Visitor) -> None:
    write(teacher, "p1", "p1-q1", "first")
    form = {"text-p1-q1": "second", "revision-p1-q1": "0"}
    answer = teacher.post("parts/p1/responses", form, fragment=True)
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["stale"]["p1-q1"]["theirs"] == "first"
    assert answer.json["stale"]["p1-q1"]["revision"] == 1


def test_sending_the_same_text_again_changes_nothing(teacher: Visitor, course: Course) -> None:
    write(teacher, "p1", "p1-q1", "the same")
    assert write(teacher, "p1", "p1-q1", "the same").status_code == 303
    assert saved(course)["p1-q1"] == ("the same", 1)


def test_text_from_outside_is_text(teacher: Visitor, course: Course) -> None:
    nasty = '</textarea><script>alert("x")</script> \x00 {{ 7 * 7 }}'
    write(teacher, "p1", "p1-q1", nasty)
    page = teacher.get("parts/p1").text
    assert "<script>alert" not in page
    assert "{{ 7 * 7 }}" in page
    assert "\x00" not in saved(course)["p1-q1"][0]


def test_a_text_beyond_all_bounds_is_refused_and_shown_again(teacher: Visitor, course: Course) -> None:
    refused = write(teacher, "p1", "p1-q1", "x" * 20_001)
    assert refused.status_code == 409
    assert "20,000 characters" in refused.text
    assert "x" * 20_001 in refused.text
    assert saved(course) == {}


def test_a_session_that_ended_while_writing_shows_the_text(teacher: Visitor, course: Course) -> None:
    course.clock.move(hours=13)
    page = write(teacher, "p1", "p1-q1", "What I wrote all afternoon.")
    assert page.status_code == 401
    assert "Open this from your course again" in page.text
    assert "What I wrote all afternoon." in page.text
    assert "frame-ancestors http://localhost:8000" in page.headers["Content-Security-Policy"]
    assert saved(course) == {}


def test_after_the_relaunch_the_waiting_page_saves(teacher: Visitor, course: Course) -> None:
    course.clock.move(hours=4)
    form = {"text-p1-q1": "kept in the box", "revision-p1-q1": "0"}
    told = teacher.post("parts/p1/responses", form, fragment=True)
    assert told.status_code == 401
    assert told.json == {
        "ended": True,
        "message": "Go back to your course page and click the micro-credential again.",
    }
    assert teacher.get("again").status_code == 204
    back = course.visitor((teacher.person_id, 1), client=teacher.client)
    found = teacher.get("again")
    assert found.json == {"launch": back.launch}
    token = back.get("form-token").json
    assert token == {"form_token": back.form_token}
    assert back.post("parts/p1/responses", form, fragment=True).status_code == 200
    assert saved(course)["p1-q1"][0] == "kept in the box"


def test_only_the_browser_of_the_old_launch_learns_of_the_next(teacher: Visitor, course: Course) -> None:
    course.clock.move(hours=4)
    course.visitor((teacher.person_id, 1))
    stranger = course.app.test_client()
    assert stranger.get(teacher.url("again")).status_code == 204


def test_somebody_elses_relaunch_is_not_offered(teacher: Visitor, course: Course) -> None:
    course.clock.move(hours=4)
    course.visitor(client=teacher.client)
    assert teacher.get("again").status_code == 204


def test_a_locked_part_stays_as_it_is(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    course.judge(
        teacher.person_id,
        {
            "p1-c1": "passing",
            "p1-c2": "revisions_needed",
            "p2-c1": "yes",
            "p3-c1": "passing",
            "p4-c1": "passing",
        },
    )
    refused = write(teacher, "p4", "p4-q1", "something else", revision=1)
    assert refused.status_code == 409
    assert "passed in an earlier try" in refused.text
    assert "something else" in refused.text


def test_a_submitted_try_cannot_be_written(teacher: Visitor, course: Course) -> None:
    complete(teacher, course)
    submit(teacher)
    assert write(teacher, "p1", "p1-q1", "late", revision=1).status_code == 409
    assert "readonly" in teacher.get("parts/p1").text


def test_saving_keeps_the_session_awake(teacher: Visitor, course: Course) -> None:
    for _ in range(3):
        course.clock.at += timedelta(hours=2)
        assert teacher.get("parts/p1").status_code == 200
