"""Narrowing a search: by topic, standard, grade band, hours and why; fast over more than a thousand."""

import copy
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from microcred.credentials import Narrowing, grade_bands, newest_of, search
from microcred.credentials.models import CredentialVersion
from microcred.database import Database
from tests.functional.credentials.test_catalogue_store import RAW, load
from tests.support.catalogue import generate


def codes(database: Database, **narrowing: Any) -> set[str]:
    with database.reading() as session:
        return {
            entry.code for entry in search(session, None, limit=100, narrowing=Narrowing(**narrowing)).entries
        }


def test_each_field_narrows_by_itself(database: Database) -> None:
    load(database, RAW)
    sample = {one["code"]: one for one in RAW["micro_credentials"]}

    assert codes(database) == set(sample)
    assert codes(database, topic="creativity") == {"CI-101"}
    assert codes(database, standard="iste 2.6.d") == {"CI-101"}
    assert codes(database, standard="creativity") == set()
    for band in ("K-5", "6-8", "9-12"):
        wanted = {code for code, one in sample.items() if band in one["grade_bands"]}
        assert codes(database, grade_band=band) == wanted
    assert codes(database, hours_at_most=10) == {
        code for code, one in sample.items() if one["effort"]["clock_hours"] <= 10
    }
    for reason in ("need", "student_challenge", "instructional_shift", "district_priority"):
        assert codes(database, why=frozenset({reason})) == {
            code for code, one in sample.items() if reason in one["why"]
        }
    assert codes(database, why=frozenset({"need"}), hours_at_most=10, grade_band="K-5") <= {
        "CI-101",
        "DT-160",
    }


def test_a_band_is_found_whole_and_a_word_of_it_is_not(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        assert grade_bands(session, None) == ("k-5", "3-5", "6-8", "9-12")
    assert codes(database, grade_band="6") == set()
    assert codes(database, grade_band="' or 1=1 --") == set()


def test_why_is_for_finding_and_may_change_after_publication(database: Database) -> None:
    load(database, RAW)
    changed = copy.deepcopy(RAW)
    for one in changed["micro_credentials"]:
        one["why"] = ["district_priority"] if one["code"] == "CI-101" else []
    load(database, changed)

    assert codes(database, why=frozenset({"district_priority"})) == {"CI-101"}
    assert codes(database, why=frozenset({"need"})) == set()


def test_the_newest_published_version_of_each_key(database: Database) -> None:
    load(database, RAW)
    with database.reading() as session:
        found = newest_of(session, None, ["mc-shape-ideas", "mc-nobody"])
        assert {key: version.code for key, version in found.items()} == {"mc-shape-ideas": "CI-101"}


@pytest.mark.parametrize(
    "narrowing",
    [{}, {"topic": "topic7"}, {"grade_band": "3-5", "hours_at_most": 20}, {"why": frozenset({"need"})}],
)
def test_a_page_of_more_than_a_thousand_comes_at_once(
    big_catalogue: Database, narrowing: dict[str, Any]
) -> None:
    with big_catalogue.reading() as session:
        assert len(session.scalars(select(CredentialVersion.id)).all()) > 1100
        best = 9.0
        for _ in range(3):
            began = time.perf_counter()
            page = search(
                session, None, "up" if "topic" in narrowing else None, narrowing=Narrowing(**narrowing)
            )
            best = min(best, time.perf_counter() - began)
    assert page.entries
    assert best < 0.25


@pytest.fixture(scope="module")
def big_catalogue(migrated_sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The sample, and 1,100 more of its first credential under other names."""
    file = tmp_path_factory.mktemp("big") / "microcred.sqlite3"
    shutil.copyfile(migrated_sqlite_file, file)
    database = Database(f"sqlite:///{file}")
    load(database, RAW)
    generate(database, 1100)
    yield database
    database.dispose()
