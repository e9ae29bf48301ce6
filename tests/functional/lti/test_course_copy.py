"""A copied course: its links find their credential again and start fresh, whatever the LMS tells about it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import select

from demo_lms.keys import sign_token
from demo_lms.names import CLAIMS
from lti_tool import registrations
from lti_tool.dialects import dialect_named
from lti_tool.models import Context, Registration, ResourceLink
from microcred.people import ensure_organization
from tests.support.campus import CLIENT, COURSE, TOOL, Campus, Visitor, campus
from tests.support.lti import signing_key

BOTH = {"context_history": "$Context.id.history", "link_history": "$ResourceLink.id.history"}
CONTEXT_ALONE = {"context_history": "$Context.id.history"}
COPY = "c-2"


@pytest.fixture
def here(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
def anywhere(migrated_database_url: str, tmp_path: Path) -> Iterator[Campus]:
    with campus(migrated_database_url, tmp_path) as made:
        yield made


def _asks_for(here: Campus, variables: Mapping[str, str]) -> None:
    here.platform.tools[CLIENT].custom = dict(variables)


def _link_by_hand(here: Campus, link: str, title: str = "Shape ideas") -> None:
    """A link that a teacher made without the picker; a coordinator chooses its credential on its page."""
    here.platform.add_link(COURSE, title, link_id=link)
    dana = here.at_link("dana", link)
    chosen = dana.post("choose", {"credential": here.version(), "scheme": "hundred"})
    assert chosen.status_code == 303, chosen.text


def _copied_link(here: Campus, link: str, course: str = COPY) -> str:
    return next(one.id for one in here.platform.links_in(course) if link in one.history)


def _copy(here: Campus, course: str = COURSE, new: str = COPY) -> None:
    here.platform.copy_course(course, new)
    for person, role in (("amal", "Learner"), ("dana", "Instructor")):
        here.platform.enrol(new, person, role)


def _opens_fresh(here: Campus, link: str, ancestor: str) -> Visitor:
    """A learner opens the link: a placement of its own, copied from the one of `ancestor`."""
    amal = here.at_link("amal", link)
    assert "This link has no micro-credential yet" not in amal.page
    by_link = {}
    with here.assembly.database.reading() as session:
        for placement in here.placements():
            row = session.get_one(ResourceLink, placement.resource_link_id)
            by_link[row.resource_link_id] = placement
    copied, original = by_link[link], by_link[ancestor]
    assert (copied.copied_from_id, copied.version_id, copied.grade_scheme) == (
        original.id,
        original.version_id,
        original.grade_scheme,
    )
    assert copied.context_id != original.context_id
    return amal


def test_a_copied_link_is_known_by_its_own_history(anywhere: Campus) -> None:
    _asks_for(anywhere, BOTH)
    _link_by_hand(anywhere, "m-1")
    _link_by_hand(anywhere, "m-2", "Another title")
    assert "Shape" in anywhere.at_link("amal", "m-1").page
    _copy(anywhere)

    _opens_fresh(anywhere, _copied_link(anywhere, "m-1"), "m-1")
    _opens_fresh(anywhere, _copied_link(anywhere, "m-2"), "m-2")


def test_a_copy_of_a_copy_finds_the_nearest_ancestor_that_has_a_credential(here: Campus) -> None:
    _asks_for(here, BOTH)
    _link_by_hand(here, "m-1")
    _copy(here)
    _copy(here, COPY, "c-3")  # nobody ever opened the first copy

    _opens_fresh(here, _copied_link(here, "m-1", "c-3"), "m-1")


@pytest.mark.parametrize("told", ["by the launch", "by a notice"])
def test_a_course_history_alone_finds_the_link_of_the_same_title(here: Campus, told: str) -> None:
    _link_by_hand(here, "m-1")
    _link_by_hand(here, "m-2", "Another title")
    _copy(here)
    if told == "by the launch":
        _asks_for(here, CONTEXT_ALONE)
    else:
        assert _notice_of_copy(here) == 200

    _opens_fresh(here, _copied_link(here, "m-1"), "m-1")


def test_what_is_not_certain_is_left_to_the_coordinator(here: Campus) -> None:
    _asks_for(here, CONTEXT_ALONE)
    for link in ("m-1", "m-2"):
        _link_by_hand(here, link)
    _copy(here)

    link = _copied_link(here, "m-1")
    assert "This link has no micro-credential yet" in here.at_link("amal", link).page
    assert "Shape" in here.at_link("dana", link).page
    assert len(here.placements()) == 2


def test_without_any_history_a_coordinator_chooses(here: Campus) -> None:
    _link_by_hand(here, "m-1")
    _copy(here)

    assert "This link has no micro-credential yet" in here.at_link("amal", _copied_link(here, "m-1")).page


def test_a_history_never_leads_into_another_organization(here: Campus) -> None:
    _asks_for(here, BOTH)
    _link_by_hand(here, "m-1")
    _copy(here)
    link = _copied_link(here, "m-1")
    here.platform.links[link].deployment_id = "dep-2"
    with here.assembly.database.writing() as session:
        now = here.clock.now()
        other = ensure_organization(session, code="other", name="Other", kind="district", now=now)
        public_id = session.scalars(select(Registration.public_id)).one()
        registrations.approve_deployment(
            session, public_id, "dep-2", organization_id=other.id, clock=here.clock
        )

    assert "This link has no micro-credential yet" in here.at_link("amal", link).page
    assert len(here.placements()) == 1


def test_the_custom_value_wins_and_old_work_stays_where_it_is(here: Campus) -> None:
    _asks_for(here, BOTH)
    here.add()
    (link,) = here.platform.links_in(COURSE)
    amal = here.at_link("amal", link.id)
    amal.get("parts/p1")
    _copy(here)

    fresh = _opens_fresh(here, _copied_link(here, link.id), link.id)
    assert fresh.get("parts/p1").status_code == 200
    assert [placement.copied_from_id is None for placement in here.placements()] == [True, False]


def test_histories_are_kept_apart_from_custom_values(here: Campus) -> None:
    here.platform.add_link(COURSE, "Demo link", link_id="m-1")
    told = {
        "context_history": "c-0,b%2F1, ,c-0,$x,truncated",
        "link_history": "$ResourceLink.id.history",
        "other": "kept",
    }
    here.at_link("amal", "m-1", custom=told)

    with here.assembly.database.reading() as session:
        assert session.scalars(select(Context.origin_ids)).one() == ["c-0", "b/1", "$x", "truncated"]
        assert session.scalars(select(ResourceLink.origin_ids)).one() == []
    here.at_link("amal", "m-1", custom={"other": "kept"})
    with here.assembly.database.reading() as session:
        assert session.scalars(select(Context.origin_ids)).one()[0] == "c-0"


def test_a_thousand_ancestors_are_cut(here: Campus) -> None:
    here.platform.add_link(COURSE, "Demo link", link_id="m-1")
    here.at_link("amal", "m-1", custom={"context_history": ",".join(f"{n:040}" for n in range(1000))})

    with here.assembly.database.reading() as session:
        assert len(session.scalars(select(Context.origin_ids)).one()) == 50


def test_each_lms_is_asked_for_what_it_fills() -> None:
    asked = {lms: dialect_named(lms).registering for lms in ("canvas", "moodle", "schoology", "other")}

    assert {lms: set(rules.variables) for lms, rules in asked.items()} == {
        "canvas": {"context_history"},
        "moodle": {"context_history"},
        "schoology": set(BOTH),
        "other": set(BOTH),
    }
    assert [lms for lms, rules in asked.items() if rules.variables_on_links] == ["schoology"]


def test_where_links_carry_their_own_values_alone_each_asks_for_the_histories(here: Campus) -> None:
    with here.assembly.database.writing() as session:
        session.scalars(select(Registration)).one().lms = "schoology"
    here.add()
    (link,) = here.platform.links_in(COURSE)

    (placement,) = here.placements()
    assert link.custom == {**BOTH, "placement": placement.public_id, "credential": here.version()}
    here.at_link("amal", link.id)
    _copy(here)
    _opens_fresh(here, _copied_link(here, link.id), link.id)


def _notice_of_copy(here: Campus) -> int:
    now = int(here.clock.now().timestamp())
    claims = {
        "iss": here.platform.issuer,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 3600,
        "nonce": "once",
        "version": "1.3.0",
        "deployment_id": "dep-1",
        "notice": {"id": "n-1", "timestamp": "2026-03-02T09:00:00Z", "type": "LtiContextCopyNotice"},
        "context": {"id": COPY},
        "origin_contexts": [COURSE],
    }
    token = sign_token({CLAIMS.get(name, name): value for name, value in claims.items()}, signing_key("a-1"))
    answer = here.app.test_client().post("/lti/notices", base_url=TOOL, json={"notices": [{"jwt": token}]})
    return answer.status_code
