"""Deep linking: what the picker answers, and what it never does."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from demo_lms import ABSENT, DeepLinkError
from microcred.people.models import Organization
from tests.support.campus import CLIENT, SHAPE_IDEAS, TOOL, Campus, Visitor, campus, response_form

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_database_url, tmp_path) as made:
        yield made


def choose(here: Campus, picker: Visitor, **changes: str) -> Any:
    return picker.post("choose", {"credential": here.version(), "scheme": "hundred"} | changes)


def claims(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(response_form(answer)[1], options={"verify_signature": False})
    return found


@pytest.mark.case("DL-01")
def test_the_answer_is_one_signed_message_to_the_return_address(anywhere: Campus) -> None:
    picker = anywhere.picker()
    (visit,) = anywhere.platform.visits.values()

    answer = choose(anywhere, picker)

    url, token = response_form(answer)
    assert url == visit.settings["deep_link_return_url"]
    header = jwt.get_unverified_header(token)
    published = {key["kid"]: key for key in anywhere.app.test_client().get("/lti/jwks").get_json()["keys"]}
    assert (header["alg"], header["kid"] in published) == ("RS256", True)
    said = jwt.decode(
        token,
        jwt.PyJWK(published[header["kid"]]),
        algorithms=["RS256"],
        audience="https://platform-a.test",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert said["iss"] == CLIENT
    assert 0 < said["exp"] - said["iat"] <= 600
    assert len(said["nonce"]) >= 22
    assert said[CLAIM + "deployment_id"] == "dep-1"
    assert said[CLAIM + "message_type"] == "LtiDeepLinkingResponse"
    assert said[CLAIM + "version"] == "1.3.0"
    assert len(said[DL + "content_items"]) == 1
    outcome = anywhere.platform.take_deep_link_response(url, token)
    assert [link.title for link in outcome.links] == [said[DL + "content_items"][0]["title"]]
    origin = re.match(r"https?://[^/]+", url)
    assert origin
    assert f"form-action 'self' {origin[0]}" in answer.headers["Content-Security-Policy"]


@pytest.mark.case("DL-02")
@pytest.mark.parametrize(
    "data", ['"quotes" <b>& é 😀 \\ ' * 300, ABSENT, ""], ids=["8 KB", "absent", "empty"]
)
def test_data_comes_back_as_it_was_sent(here: Campus, data: object) -> None:
    answer = choose(here, here.picker(settings={"data": data}))
    said = claims(answer)
    assert said.get(DL + "data", ABSENT) == data
    assert here.deliver(answer).links


@pytest.mark.case("DL-05")
def test_a_place_that_takes_no_lti_links_gets_none(here: Campus) -> None:
    picker = here.picker(settings={"accept_types": ["link", "file"]})
    assert "takes files or web links only" in picker.page
    refused = choose(here, picker)
    assert refused.status_code == 409
    assert "data-send" not in refused.text
    assert here.placements() == []


@pytest.mark.case("DL-06")
@pytest.mark.parametrize("accept_multiple", [False, ABSENT, True])
def test_never_more_items_than_asked_for(here: Campus, accept_multiple: object) -> None:
    picker = here.picker(settings={"accept_multiple": accept_multiple})
    three = [here.version(key) for key in (SHAPE_IDEAS, "mc-discussion", "mc-options")]
    said = claims(picker.post("choose", {"credential": three, "scheme": "hundred"}))
    asked = 3 if accept_multiple is True else 1
    assert len(said[DL + "content_items"]) == asked
    assert len(here.placements()) == asked


@pytest.mark.case("DL-13")
def test_who_cancels_adds_nothing(here: Campus) -> None:
    answer = here.picker().post("choose/cancel")
    assert claims(answer)[DL + "content_items"] == []
    outcome = here.deliver(answer)
    assert (outcome.links, outcome.line_items) == ([], [])
    assert here.placements() == []
    assert "Nothing was added." in answer.text


@pytest.mark.case("DL-14")
def test_pressing_twice_makes_one_placement(anywhere: Campus) -> None:
    picker = anywhere.picker()
    first, second = choose(anywhere, picker), choose(anywhere, picker)
    assert len(anywhere.placements()) == 1
    one, two = claims(first), claims(second)
    assert one["nonce"] != two["nonce"]
    assert one[DL + "content_items"] == two[DL + "content_items"]
    anywhere.deliver(first)
    with pytest.raises(DeepLinkError):
        anywhere.deliver(second)


@pytest.mark.case("DL-14")
def test_going_back_and_choosing_otherwise_changes_the_one_placement(here: Campus) -> None:
    picker = here.picker()
    choose(here, picker)
    picker.get("choose")
    said = claims(choose(here, picker, scheme="complete", submit_by="2026-12-18"))
    (placement,) = here.placements()
    assert placement.grade_scheme == "complete"
    (item,) = said[DL + "content_items"]
    assert item["lineItem"]["scoreMaximum"] == 1
    assert item["custom"]["placement"] == placement.public_id


@pytest.mark.case("DL-14")
def test_two_presses_at_the_same_moment_make_one_placement(anywhere: Campus) -> None:
    picker = anywhere.picker()
    # One page, pressed in two windows.
    clients = [Visitor(anywhere.app.test_client(), picker.launch, token=picker.token) for _ in range(2)]
    cookie = picker.client.get_cookie("__Secure-launch", "tool.test", f"/app/{picker.launch}/")
    assert cookie
    for one in clients:
        one.client.set_cookie(
            cookie.key, cookie.value, domain="tool.test", path=f"/app/{picker.launch}/", secure=True
        )
    gate, answers = threading.Barrier(2), []

    def press(who: Visitor) -> None:
        gate.wait()
        answers.append(choose(anywhere, who))

    threads = [threading.Thread(target=press, args=(one,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(anywhere.placements()) == 1


@pytest.mark.case("DL-15")
def test_a_picker_left_open_too_long_signs_nothing(here: Campus) -> None:
    picker = here.picker()
    here.clock.pass_(hours=13)
    answer = choose(here, picker)
    assert answer.status_code == 401
    assert "Open this from your course again" in answer.text
    assert "JWT" not in answer.text
    assert here.placements() == []


@pytest.mark.case("DL-16")
def test_credentials_of_others_cannot_be_named(here: Campus) -> None:
    with here.assembly.database.writing() as session:
        for organization in session.query(Organization).filter(Organization.code.like("iss-%")):
            organization.shares_catalogue = False
    picker = here.picker()
    assert "No micro-credential is published for your organization yet." in picker.page
    for forged in (here.version(), "no-such-id", "", "../../etc"):
        answer = picker.post("choose", {"credential": forged, "scheme": "hundred"})
        assert answer.status_code == 404
        assert "JWT" not in answer.text
        assert (
            picker.client.get(
                f"/app/{picker.launch}/choose/columns?credential={forged}", base_url=TOOL
            ).status_code
            == 404
        )
    assert here.placements() == []


@pytest.mark.case("DL-18")
@pytest.mark.parametrize(
    ("scheme", "maximum", "tag"),
    [("complete", 1, "main"), ("hundred", 100, "main"), ("rubric_points", 0, "main"), ("per_part", 1, "p1")],
)
def test_a_graded_choice_carries_its_column(here: Campus, scheme: str, maximum: float, tag: str) -> None:
    answer = choose(here, here.picker(), scheme=scheme, submit_by="2026-12-18")
    (item,) = claims(answer)[DL + "content_items"]
    (placement,) = here.placements()
    line_item = item["lineItem"]
    assert line_item["scoreMaximum"] == maximum or (maximum == 0 and line_item["scoreMaximum"] > 1)
    assert line_item["label"]
    assert (line_item["resourceId"], line_item["tag"]) == (placement.public_id, tag)
    assert re.fullmatch(r"2026-12-\d\dT\d\d:\d\d:\d\dZ", item["submission"]["endDateTime"])
    assert (item["type"], item["url"]) == ("ltiResourceLink", f"{TOOL}/lti/launch")
    assert item["custom"] == {"placement": placement.public_id, "credential": here.version()}
    assert all(key == key.lower() and "\n" not in value for key, value in item["custom"].items())
    assert item["title"]
    assert item["text"]
    (column,) = here.deliver(answer).line_items
    assert (column.resource_id, column.tag) == (placement.public_id, tag)


@pytest.mark.case("DL-18")
def test_a_place_without_columns_gets_none(here: Campus) -> None:
    picker = here.picker(settings={"accept_lineitem": False})
    assert "Your LMS makes no gradebook column from here." in picker.page
    answer = choose(here, picker)
    assert "lineItem" not in claims(answer)[DL + "content_items"][0]
    assert here.deliver(answer).line_items == []


@pytest.mark.case("DL-20")
def test_a_learner_opens_what_was_chosen(anywhere: Campus) -> None:
    (link,) = anywhere.add("mc-discussion").links
    page = anywhere.at_link("terry", link.id).page
    assert f">{link.title}</h1>" in page
    (placement,) = anywhere.placements()
    assert placement.resource_link_id is not None
    assert "JWT" not in page


@pytest.mark.case("DL-22")
def test_the_certification_request_shows_the_picker(here: Campus) -> None:
    picker = here.picker(claims={"target_link_uri": ABSENT, "tool_platform": ABSENT, "resource_link": ABSENT})
    assert "<h1>Choose a micro-credential</h1>" in picker.page
    assert here.deliver(choose(here, picker)).links
