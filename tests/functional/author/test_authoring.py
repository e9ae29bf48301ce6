"""Writing a credential in the browser: begin, write, check, sign off, publish; what courses have stays."""

import html
import re
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from microcred.credentials import sample_text
from microcred.credentials.catalogue import to_yaml
from microcred.credentials.models import CredentialDraft, CredentialVersion
from microcred.credentials.quality import CHECKLIST
from microcred.credentials.schema import MicroCredential
from microcred.placements.models import Placement
from tests.functional.review.visitor import Visitor
from tests.functional.review.world import World
from tests.support.catalogue import plain

CONFIRMED = [key for key, _ in CHECKLIST]


def entry(**changes: Any) -> dict[str, Any]:
    """A micro-credential that is new."""
    data: dict[str, Any] = plain(sample_text())["micro_credentials"][0]
    return data | {"id": "mc-new", "code": "NEW-1", "title": "A New Practice", "status": "draft"} | changes


def draft(world: World) -> CredentialDraft:
    with world.database.reading() as session:
        found = session.scalars(select(CredentialDraft).order_by(CredentialDraft.id.desc())).first()
        assert found is not None
        return found


def see(visitor: Visitor, path: str) -> TestResponse:
    return visitor.get(f"/desk/{path}")


def send(visitor: Visitor, path: str, **form: Any) -> TestResponse:
    """Send a form, with the token of a page that is open."""
    visitor.get("/desk/")
    return visitor.post(f"/desk/{path}", **form)


def begin(author: Visitor, text: str = "") -> str:
    answer = send(author, "author/new", issuer="iss-riverbend", kind="micro_credential", text=text)
    assert answer.status_code == 303, answer.text
    return str(re.search(r"/author/([^/?]+)", answer.location)[1])  # type: ignore[index]


def text_of(page: str) -> str:
    return html.unescape(page)


def test_from_yaml_to_published(author: Visitor, approver: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    assert "You saved it last" in text_of(see(author, f"author/{key}").text)
    assert send(author, f"author/{key}/publish").status_code == 409
    assert send(author, f"author/{key}/sign", revision="1", confirm=CONFIRMED).status_code == 403
    assert "A New Practice" in see(approver, f"author/{key}/preview").text
    assert send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED[:-1]).status_code == 409
    assert send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED).status_code == 303
    assert send(author, f"author/{key}/publish").status_code == 303
    assert send(author, f"author/{key}/publish").status_code == 303
    with world.database.reading() as session:
        version = session.scalars(
            select(CredentialVersion).where(CredentialVersion.title == "A New Practice")
        ).one()
        assert (version.state, version.version) == ("published", "1.0")
    assert send(author, f"author/{key}/yaml", revision="1", text="x: 1").status_code == 409


def test_a_changed_text_has_to_be_signed_anew(author: Visitor, approver: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED)
    send(author, f"author/{key}/yaml", revision="1", text=to_yaml(entry(title="Another Title")))
    assert send(author, f"author/{key}/publish").status_code == 409
    assert "The text has changed since" in text_of(see(approver, f"author/{key}").text)
    assert send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED).status_code == 409


def test_every_problem_is_named_at_its_place_and_the_draft_is_kept(author: Visitor, world: World) -> None:
    data = entry()
    data["parts"][1]["title"] = ""
    data["effort"]["clock_hours"] = "many"
    del data["badge"]["shape"]
    key = begin(author, to_yaml(data))
    page = text_of(see(author, f"author/{key}/yaml").text)
    assert "parts[1].title (line" in page
    assert "effort.clock_hours (line" in page
    assert "badge.shape" in page
    form = text_of(see(author, f"author/{key}/section/effort").text)
    assert 'name="effort.clock_hours" inputmode="decimal" value="many" aria-invalid="true"' in form
    assert "must be a whole number" in form
    send(author, f"author/{key}/yaml", revision="1", text="a: [1")
    assert "The text cannot be read" in text_of(see(author, f"author/{key}").text)
    assert draft(world).text == "a: [1"


def fields_of(page: str) -> dict[str, Any]:
    """The form of a page as a browser would send it."""
    form: dict[str, Any] = {}
    body = page[page.index('name="revision"') - 200 :]
    for tag in re.finditer(r"<input\b[^>]*>", body):
        name = re.search(r'name="([^"]+)"', tag[0])
        value = re.search(r'value="([^"]*)"', tag[0])
        if (
            name
            and not ('type="checkbox"' in tag[0] and " checked" not in tag[0])
            and name[1] != "form_token"
        ):
            form.setdefault(name[1], []).append(html.unescape(value[1] if value else ""))
    for area in re.finditer(r'<textarea\b[^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>', body, re.DOTALL):
        form[area[1]] = [html.unescape(area[2])]
    for menu in re.finditer(r'<select\b[^>]*name="([^"]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', menu[2])
        form[menu[1]] = [chosen[1] if chosen else ""]
    return form


@pytest.mark.parametrize("number", range(8))
def test_opening_and_saving_every_form_changes_nothing(author: Visitor, world: World, number: int) -> None:
    data = plain(sample_text())["micro_credentials"][number]
    author_issuer = data["issuer"]
    if author_issuer != "iss-riverbend":
        data["issuer"] = "iss-riverbend"
    key = begin(author, to_yaml(data))
    sections = ("about", "finding", "method", "preparation", "effort", "parts", "rule", "review", "badge")
    for section in sections:
        form = fields_of(see(author, f"author/{key}/section/{section}").text)
        answer = send(author, f"author/{key}/section/{section}", **form)
        assert answer.status_code == 303, answer.text
    saved = plain(draft(world).text)
    before = MicroCredential.model_validate(data).model_dump()
    assert MicroCredential.model_validate(saved).model_dump() == before


def test_a_stack_has_forms_too(author: Visitor, world: World) -> None:
    data = plain(sample_text())["stacks"][0]
    answer = send(author, "author/new", issuer="iss-riverbend", kind="stack", text=to_yaml(data))
    key = re.search(r"/author/([^/?]+)", answer.location)[1]  # type: ignore[index]
    for section in ("about", "groups", "capstone", "badge", "credit"):
        form = fields_of(see(author, f"author/{key}/section/{section}").text)
        assert send(author, f"author/{key}/section/{section}", **form).status_code == 303
    assert plain(draft(world).text) == data
    page = text_of(see(author, f"author/{key}/preview").text)
    group = data["groups"][0]
    for words in (
        data["title"],
        "All four.",
        "Helping Students Generate and Shape Ideas",
        f"Capstone: {data['capstone']['title']}",
        data["capstone"]["criteria"][0]["levels"]["passing"],
        "EDU 5630",
    ):
        assert words in page
    assert "Not published yet" not in page
    data["groups"] = [group | {"choose": 1}]
    send(author, f"author/{key}/yaml", revision=str(draft(world).revision), text=to_yaml(data))
    assert "Choose one of four." in text_of(see(author, f"author/{key}/preview").text)


def test_a_catalogue_file_becomes_a_draft_for_each_entry_and_versions_are_downloaded(
    author: Visitor, world: World
) -> None:
    whole = plain(sample_text())
    part = {"micro_credentials": whole["micro_credentials"][:2], "stacks": whole["stacks"][:1]}
    answer = send(author, "author/new", issuer="iss-riverbend", kind="stack", text=to_yaml(whole | part))
    assert answer.location.endswith("/desk/author/?ok=begun_several")
    with world.database.reading() as session:
        drafts = session.scalars(select(CredentialDraft).order_by(CredentialDraft.id)).all()
        version = session.get_one(CredentialVersion, world.version_id)
        public_id, title = version.public_id, version.title
    assert [one.kind for one in drafts] == ["micro_credential", "micro_credential", "stack"]
    assert [plain(one.text) for one in drafts[:2]] == part["micro_credentials"]
    many = {"micro_credentials": whole["micro_credentials"][:1] * 51}
    refused = send(author, "author/new", issuer="iss-riverbend", kind="stack", text=to_yaml(whole | many))
    assert refused.status_code == 409
    file = see(author, f"author/versions/{public_id}.yaml")
    assert plain(file.text)["title"] == title
    assert file.headers["Content-Disposition"].startswith("attachment; filename=mc-shape-ideas-")
    key = begin(author, file.text)
    assert see(author, f"author/{key}").status_code == 200


def test_entries_are_added_moved_and_taken_out_without_script(author: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))

    def press(do: str) -> dict[str, Any]:
        form = fields_of(see(author, f"author/{key}/section/parts").text)
        assert send(author, f"author/{key}/section/parts", **form, do=do).status_code == 303
        data: dict[str, Any] = plain(draft(world).text)
        return data

    before = len(entry()["parts"][0]["prompts"])
    assert len(press("add:parts.0.prompts")["parts"][0]["prompts"]) == before + 1
    assert len(press(f"remove:parts.0.prompts.{before}")["parts"][0]["prompts"]) == before
    second = entry()["parts"][1]["title"]
    assert press("up:parts.1")["parts"][0]["title"] == second
    assert len(press("remove:parts.99")["parts"]) == len(entry()["parts"])


def test_two_tabs_overwrite_nothing(author: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    send(author, f"author/{key}/yaml", revision="1", text=to_yaml(entry(title="First")))
    answer = send(author, f"author/{key}/yaml", revision="1", text=to_yaml(entry(title="Second")))
    assert answer.status_code == 409
    assert "title: Second" in answer.text
    assert draft(world).title == "First"
    assert (
        send(author, f"author/{key}/yaml", revision="2", text=to_yaml(entry(title="Second"))).status_code
        == 303
    )


def test_a_new_version_leaves_courses_as_they_are(author: Visitor, approver: Visitor, world: World) -> None:
    with world.database.reading() as session:
        old = session.get_one(CredentialVersion, world.version_id)
    answer = send(author, f"author/versions/{old.public_id}")
    key = re.search(r"/author/([^/?]+)", answer.location)[1]  # type: ignore[index]
    assert "1 course uses an earlier version and keeps it" in text_of(see(author, f"author/{key}").text)
    assert draft(world).text.count("version: '1.1'") == 1
    assert send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED).status_code == 303
    assert send(author, f"author/{key}/publish").status_code == 303
    with world.database.reading() as session:
        assert session.get_one(Placement, world.placement_id).version_id == world.version_id
        again = session.get_one(CredentialVersion, world.version_id)
        assert (again.state, again.document) == ("published", old.document)


def test_a_published_version_is_not_published_over(author: Visitor, approver: Visitor, world: World) -> None:
    data = plain(sample_text())["micro_credentials"][0] | {"title": "Changed", "status": "draft"}
    key = begin(author, to_yaml(data))
    send(approver, f"author/{key}/sign", revision="1", confirm=CONFIRMED)
    answer = send(author, f"author/{key}/publish")
    assert answer.status_code == 409
    assert "publish it under a new version" in text_of(answer.text)


def test_no_classroom_evidence_is_warned_of(author: Visitor, world: World) -> None:
    data = entry(requires_students=False)
    for part in data["parts"]:
        for item in part.get("artefact_requirements", []):
            item |= {"about": "teacher", "consent_needed": "none"}
    key = begin(author, to_yaml(data))
    assert "It asks for no evidence from a classroom" in text_of(see(author, f"author/{key}").text)
    whole = begin(author, to_yaml(entry()))
    assert "It asks for no evidence from a classroom" not in text_of(see(author, f"author/{whole}").text)


def test_drafts_are_for_their_issuer_alone(author: Visitor, reviewer_less: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    assert see(reviewer_less, "author/").status_code == 403
    assert see(reviewer_less, f"author/{key}").status_code == 403
    assert send(author, "author/new", issuer="iss-lakeshore", kind="micro_credential").status_code == 403


@pytest.fixture
def reviewer_less(app: Any, world: World) -> Visitor:
    """Robin, who reviews and does not write."""
    return Visitor.at_desk(app, world.database, world.clock, world.reviewer)


def test_what_is_downloaded_can_be_brought_again(author: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    answer = see(author, f"author/{key}.yaml")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert plain(answer.text) == entry()
    whole = plain(sample_text())
    whole |= {"micro_credentials": [entry(title="From a file")], "stacks": []}
    begin(author, to_yaml(whole))
    assert draft(world).title == "From a file"


def test_a_draft_put_away_is_gone_from_the_list(author: Visitor, world: World) -> None:
    key = begin(author, to_yaml(entry()))
    assert send(author, f"author/{key}/discard").status_code == 303
    assert see(author, f"author/{key}").status_code == 404
