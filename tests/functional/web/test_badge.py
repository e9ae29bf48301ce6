"""The badge page and the record: where a badge can be taken, and what its holder lets others see."""

import html
import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import select, update

from microcred.badges import integrity, keys
from microcred.credentials.models import Award
from tests.functional.web.course import Course, Visitor
from tests.functional.web.work import ANSWER, complete, submit


@pytest.fixture
def holder(course: Course, teacher: Visitor) -> Visitor:
    """A teacher whose badge is signed."""
    complete(teacher, course)
    submit(teacher)
    definition = course.definition("mc-shape-ideas")
    levels = {one.id: "yes" if part.id == "p2" else "passing" for part, one in definition.criteria()}
    course.judge(teacher.person_id, levels)
    course.assembly.make_worker().run_due()
    return teacher


def page(visitor: Visitor, path: str = "badge") -> str:
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def award_id(course: Course) -> str:
    with course.assembly.database.reading() as session:
        return session.scalars(select(Award.public_id)).one()


def test_every_way_out_is_filled_in(course: Course, holder: Visitor) -> None:
    text = page(holder)
    where = f"http://127.0.0.1:5000/badges/{award_id(course)}"
    linkedin = html.unescape(re.findall(r'href="(https://www.linkedin.com/[^"]+)"', text)[0])
    asked = {name: found[0] for name, found in parse_qs(urlsplit(linkedin).query).items()}
    assert asked == {
        "startTask": "CERTIFICATION_NAME",
        "name": "Idea Shaper",
        "organizationName": "Riverbend Educator Alliance",
        "issueYear": "2026",
        "issueMonth": "9",
        "certUrl": where,
        "certId": award_id(course),
    }
    (mail,) = re.findall(r'href="(mailto:[^"]+)"', text)
    letter = unquote(html.unescape(mail))
    assert letter.startswith("mailto:?subject=My micro-credential Idea Shaper&body=Hello,\r\n")
    assert where in letter
    assert ANSWER not in letter
    copied = [html.unescape(found) for found in re.findall(r'data-copy="([^"]*)"', text)]
    assert where in copied
    (embed,) = [one for one in copied if one.startswith("<a ")]
    assert f'<a href="{where}"><img src="http://127.0.0.1:5000/ob/2.0/badges/' in embed
    assert 'alt="Idea Shaper, awarded by Riverbend Educator Alliance"' in embed
    assert any(one.startswith("Idea Shaper: ") and where in one for one in copied)


def test_the_holder_shows_a_name_and_one_piece_of_writing(course: Course, holder: Visitor) -> None:
    assert "Student reflection" not in page(holder)
    answer = holder.post("badge/choices", {"shows-name": "on", "shared": "p1-q1"})
    assert answer.status_code == 303
    course.assembly.make_worker().run_due()
    after = page(holder, answer.location.rsplit("/", 1)[-1])
    assert "Your badge is being signed anew" in after
    assert re.search(r'id="shows-name"[^>]* checked', after)
    assert re.search(r'value="p1-q1" checked', after)
    public = course.app.test_client().get(f"/badges/{award_id(course)}").get_data(as_text=True)
    assert "Demo Teacher 1 earned Idea Shaper" in public
    assert ANSWER in public
    assert holder.post("badge/choices", {}).status_code == 303
    public = course.app.test_client().get(f"/badges/{award_id(course)}").get_data(as_text=True)
    assert "Demo Teacher" not in public
    assert ANSWER not in public


def test_what_is_not_the_holders_to_show_is_refused(course: Course, holder: Visitor) -> None:
    for choice in ({"shared": "p3-q1"}, {"shown-address": "1"}):
        assert holder.post("badge/choices", choice).status_code == 409
    stranger = course.visitor()
    stranger.get()
    assert stranger.post("badge/choices", {"shows-name": "on"}).status_code == 404
    with course.assembly.database.reading() as session:
        assert not session.scalars(select(Award.shows_name)).one()


def test_certificate_and_record_are_printed_for_the_holder_alone(course: Course, holder: Visitor) -> None:
    for path in ("badge/certificate.pdf", "record.pdf"):
        answer = holder.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert answer.get_data().startswith(b"%PDF-")
        assert answer.headers["Cache-Control"] == "no-store"
    text = page(holder, "record")
    assert "Demo Teacher 1" in text
    assert "1 badge, 10 hours" in text
    stranger = course.visitor()
    stranger.get()
    assert stranger.get("badge/certificate.pdf").status_code == 404
    assert "There is no badge here yet" in page(stranger, "record")


def test_the_record_is_one_signed_file_of_every_badge_that_stands(course: Course, holder: Visitor) -> None:
    answer = holder.get("record.json")
    document = json.loads(answer.get_data())
    integrity.verify(document, keys.did_key_public(document["issuer"]["id"]))
    (member,) = document["credentialSubject"]["verifiableCredential"]
    integrity.verify(member, keys.did_key_public(member["issuer"]["id"]))
    assert member["name"] == "Idea Shaper"
    assert "Demo Teacher" not in answer.get_data(as_text=True)
    now = course.clock.now()
    with course.assembly.database.writing() as session:
        session.execute(update(Award).values(revoked_at=now, revocation_reason="Awarded by mistake"))
    assert holder.get("record.json").status_code == 404
    assert "Not valid any more" in page(holder, "record")
    assert "0 badges, 0 hours" in page(holder, "record")


def test_an_expired_badge_says_so_on_every_page(course: Course, holder: Visitor) -> None:
    with course.assembly.database.writing() as session:
        session.execute(update(Award).values(valid_until=course.clock.now()))
    assert "This badge expired on September 28, 2026." in page(holder)
    assert "Expired on September 28, 2026." in page(holder, "record")
    public = course.app.test_client().get(f"/badges/{award_id(course)}").get_data(as_text=True)
    assert "<b>Expired</b>" in public
