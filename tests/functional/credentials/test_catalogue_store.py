"""The catalogue in SQLite and PostgreSQL: all or nothing, equal out again, published versions unchanged."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials import (
    CatalogueRefused,
    Imported,
    NotInCatalogue,
    PublishedVersionChanged,
    definition_of,
    export_catalogue,
    import_catalogue,
    parse,
    published_version,
    sample_text,
    search,
    to_yaml,
)
from microcred.credentials.models import Catalogue, Credential, CredentialVersion
from microcred.database import Database
from microcred.people.models import Organization
from tests.support.catalogue import plain

NOW = datetime(2026, 9, 1, tzinfo=UTC)
LATER = datetime(2026, 9, 2, tzinfo=UTC)
RAW: dict[str, Any] = plain(sample_text())

read = cache(parse)


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(RAW)
    change(data)
    return data


def load(database: Database, data: dict[str, Any], *, shares: bool = True, now: datetime = NOW) -> Imported:
    file = read(json.dumps(data))
    with database.writing() as session:
        return import_catalogue(session, file, now=now, shares_catalogue=shares)


def exported(database: Database) -> dict[str, Any]:
    with database.reading() as session:
        return export_catalogue(session)


def refusals(database: Database, data: dict[str, Any]) -> list[str]:
    before = exported(database)
    with pytest.raises(CatalogueRefused) as refused:
        load(database, data, now=LATER)
    assert exported(database) == before
    return [problem.place.partition(" (line")[0] for problem in refused.value.problems]


def version_of(session: Session, key: str) -> CredentialVersion:
    query = select(CredentialVersion).join(Credential).where(Credential.key == key)
    return session.scalars(query.order_by(CredentialVersion.id)).one()


def test_what_comes_out_is_what_went_in(database: Database) -> None:
    result = load(database, RAW)
    assert (len(result.new), result.changed, result.unchanged) == (10, [], [])
    data = exported(database)
    assert data == RAW
    assert json.dumps(data) == json.dumps(RAW)
    assert plain(to_yaml(data)) == RAW


def test_the_same_file_again_changes_nothing(database: Database) -> None:
    load(database, RAW)
    result = load(database, RAW, now=LATER)
    assert (result.new, result.changed, len(result.unchanged)) == ([], [], 10)
    with database.reading() as session:
        assert session.scalars(select(Catalogue.imported_at)).all() == [NOW]
        assert session.scalar(select(func.count()).select_from(CredentialVersion)) == 10


def test_issuers_and_universities_become_organizations(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        found = {row.code: row for row in session.scalars(select(Organization))}
        assert set(found) == {"iss-riverbend", "iss-lakeshore", "uni-example-state"}
        assert found["iss-riverbend"].name == "Riverbend Educator Alliance"
        assert found["iss-riverbend"].shares_catalogue
        assert (found["uni-example-state"].kind, found["iss-lakeshore"].kind) == ("university", "district")


def test_a_published_version_is_not_overwritten(database: Database) -> None:
    load(database, RAW)
    data = changed(
        lambda d: d["micro_credentials"][0]["parts"][1]["criteria"][0]["levels"].update(yes="Other")
    )
    assert refusals(database, data) == ["micro_credentials[0].parts[1].criteria[0].levels.yes"]


def test_one_refusal_keeps_everything_else_out(database: Database) -> None:
    load(database, RAW)

    def change(data: dict[str, Any]) -> None:
        data["micro_credentials"][0]["title"] = "Other"
        data["micro_credentials"].append(data["micro_credentials"][1] | {"version": "9.0"})
        data["issuers"].append({"id": "iss-new", "name": "New", "kind": "district"})

    assert refusals(database, changed(change)) == ["micro_credentials[0].title"]
    with database.reading() as session:
        assert session.scalar(select(Organization).where(Organization.code == "iss-new")) is None


def test_a_new_version_stands_beside_the_old(database: Database) -> None:
    load(database, RAW)
    new = RAW["micro_credentials"][0] | {"version": "1.10", "title": "A New Title"}
    data = changed(lambda d: d["micro_credentials"].insert(0, new))
    result = load(database, data, now=LATER)
    assert [str(key) for key in result.new] == ["mc-shape-ideas 1.10"]
    assert exported(database) == data
    with database.reading() as session:
        titles = [entry.title for entry in search(session, None, "ci-101").entries]
        assert titles == ["A New Title"]


def test_of_two_versions_in_one_file_the_higher_number_is_newer(database: Database) -> None:
    new = RAW["micro_credentials"][0] | {"version": "1.10", "title": "A New Title"}
    data = changed(lambda d: d["micro_credentials"].insert(0, new))
    load(database, data)
    assert exported(database) == data
    with database.reading() as session:
        assert [entry.version for entry in search(session, None, "ci-101").entries] == ["1.10"]


def test_a_draft_may_change_until_it_is_published(database: Database) -> None:
    load(database, changed(lambda d: d["micro_credentials"][0].update(status="draft")))
    draft = changed(lambda d: d["micro_credentials"][0].update(status="draft", title="Other"))
    assert [str(key) for key in load(database, draft, now=LATER).changed] == ["mc-shape-ideas 1.0"]
    with database.reading() as session:
        assert version_of(session, "mc-shape-ideas").published_at is None
        assert search(session, None, "ci-101").entries == ()
    load(database, RAW, now=LATER)
    with database.reading() as session:
        assert version_of(session, "mc-shape-ideas").published_at == LATER
    assert exported(database) == RAW


def test_a_published_version_may_retire_and_never_is_a_draft_again(database: Database) -> None:
    load(database, RAW)
    retired = changed(lambda d: d["micro_credentials"][0].update(status="retired"))
    assert len(load(database, retired).changed) == 1
    assert len(load(database, retired).unchanged) == 10
    assert exported(database) == retired
    with database.reading() as session:
        assert search(session, None, "ci-101").entries == ()
    back = changed(lambda d: d["micro_credentials"][0].update(status="draft"))
    assert refusals(database, back) == ["micro_credentials[0].status"]


def test_a_scale_that_published_versions_rest_on_is_kept(database: Database) -> None:
    load(database, RAW)
    data = changed(lambda d: d["scales"][0]["levels"][0].update(points=5))
    assert refusals(database, data) == ["scales[0]"]


def test_an_entry_left_out_stays_and_what_it_rests_on_must_stay(database: Database) -> None:
    load(database, RAW)
    without = changed(lambda d: (d["micro_credentials"].clear(), d["stacks"].clear()))
    load(database, without, now=LATER)
    assert exported(database) == RAW
    no_framework = changed(
        lambda d: (d["micro_credentials"].clear(), d["stacks"].clear(), d["frameworks"].pop(3))
    )
    places = refusals(database, no_framework)
    assert places
    assert all("(stored) standards_alignment" in place for place in places)


def test_an_id_of_another_catalogue_is_refused(database: Database) -> None:
    load(database, RAW)
    other = changed(lambda d: (d["catalogue"].update(title="Another"), d["stacks"].clear()))
    with pytest.raises(CatalogueRefused) as refused:
        load(database, other)
    assert len(refused.value.problems) == 8


def test_the_orm_refuses_to_change_a_published_version(database: Database) -> None:
    load(database, RAW)
    changes: list[tuple[str, object]] = [
        *[("document", {}), ("title", "Other"), ("version", "2"), ("clock_hours", 99), ("state", "draft")],
        ("published_at", LATER),
    ]
    for name, value in changes:
        with pytest.raises(PublishedVersionChanged), database.writing() as session:
            setattr(version_of(session, "mc-feedback"), name, value)
    with pytest.raises(PublishedVersionChanged), database.writing() as session:
        session.delete(version_of(session, "mc-feedback"))
    with database.writing() as session:
        version_of(session, "mc-feedback").state = "retired"
    with pytest.raises(PublishedVersionChanged), database.writing() as session:
        version_of(session, "mc-feedback").title = "Other"


def test_a_definition_bundles_all_that_pages_need(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        definition = definition_of(session, version_of(session, "mc-shape-ideas"))
        again = definition_of(session, version_of(session, "mc-shape-ideas"))
        assert again is definition
        assert definition.issuer.name == "Riverbend Educator Alliance"
        assert definition.frameworks["InTASC"].version == "2013"
        assert definition.labels.artefact == "Evidence"
        _part, criterion = definition.criterion("p2-c1")
        assert [(level.label, bool(text)) for level, text in definition.levels(criterion)] == [
            ("Yes", True),
            ("No", True),
        ]
        with pytest.raises(NotInCatalogue):
            definition_of(session, version_of(session, "stack-active-classrooms"))


def test_a_definition_follows_its_catalogue(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        definition_of(session, version_of(session, "mc-shape-ideas"))
    load(database, changed(lambda d: d["issuers"][0].update(name="Riverbend Renamed")), now=LATER)
    with database.reading() as session:
        definition = definition_of(session, version_of(session, "mc-shape-ideas"))
        assert definition.issuer.name == "Riverbend Renamed"


def test_searching_by_the_beginnings_of_words(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:

        def codes(text: str) -> list[str]:
            return [entry.code for entry in search(session, None, text).entries]

        assert codes("ci-101") == codes("CI101") == codes("2.6.d") == ["CI-101"]
        assert codes("feed learn") == ["AS-110"]
        assert codes("vocab") == ["ML-130"]
        assert codes("eedback") == []
        assert codes("50%") == codes("a_b") == codes("no such words") == []
        assert len(codes("")) == len(codes("%")) == 8


def test_every_page_comes_once_and_in_order(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        whole = [entry.code for entry in search(session, None, limit=100).entries]
        paged: list[str] = []
        key: str | None = None
        while True:
            page = search(session, None, limit=3, after_key=key)
            paged += [entry.code for entry in page.entries]
            key = page.next_key
            if key is None:
                break
        assert paged == whole
        assert search(session, None, limit=3, after_key="stale").entries[0].code == whole[0]


def test_an_organization_sees_its_own_and_what_others_share(database: Database) -> None:
    load(database, RAW, shares=False)
    with database.writing() as session:
        issuers = {row.code: row for row in session.scalars(select(Organization))}
        lakeshore = issuers["iss-lakeshore"].id
        assert search(session, None).entries == ()
        own = search(session, lakeshore).entries
        assert {entry.issuer_id for entry in own} == {lakeshore}
        foreign = version_of(session, "mc-shape-ideas")
        with pytest.raises(NotInCatalogue):
            published_version(session, lakeshore, foreign.public_id)
        issuers["iss-riverbend"].shares_catalogue = True
        session.flush()
        assert len(search(session, lakeshore).entries) == 8
        assert published_version(session, lakeshore, foreign.public_id) is foreign


def test_several_catalogues_are_told_apart_by_title(database: Database) -> None:
    with database.reading() as session, pytest.raises(NotInCatalogue):
        export_catalogue(session)
    load(database, RAW)
    load(
        database,
        {"catalogue": RAW["catalogue"] | {"title": "Empty"}, "issuers": RAW["issuers"], "stacks": []},
    )
    with database.reading() as session:
        with pytest.raises(NotInCatalogue):
            export_catalogue(session)
        assert export_catalogue(session, RAW["catalogue"]["title"]) == RAW
        assert export_catalogue(session, "Empty")["stacks"] == []
