"""The self-test button on the course page."""

from tests.support.campus import Campus


def test_a_coordinator_tries_the_connection_and_no_grade_changes(here: Campus) -> None:
    (link,) = here.add().links
    here.at_link("terry", link.id)
    page = here.at_link("dana", link.id)
    page.get("course")
    before = dict(here.platform.line_items)

    answer = page.post("course/self-test")

    assert answer.status_code == 200
    for step in ("Launch", "Key", "Token", "Line item", "Score", "Roster"):
        assert f"<b>{step}</b>" in answer.text
    assert answer.text.count(">works. <") == 6, answer.text
    assert "Opened last today" in answer.text
    assert "3 people in the course" in answer.text
    assert here.platform.line_items == before


def test_learners_cannot_try_it(here: Campus) -> None:
    (link,) = here.add().links
    page = here.at_link("terry", link.id)
    assert page.post("course/self-test").status_code == 403
