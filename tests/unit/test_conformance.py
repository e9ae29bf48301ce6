"""The table that `make cases` writes, made by a real run of a small test file."""

from pathlib import Path

import pytest

from tests.support.conformance import known_cases

pytest_plugins = ["pytester"]

CASES = """
import pytest

@pytest.mark.case("LI-04")
def test_passes(): pass

@pytest.mark.case("LI-05", choice="400")
def test_passes_too(): pass

@pytest.mark.case("LI-05")
@pytest.mark.case("LI-06")
def test_fails(): raise AssertionError
"""
CONFTEST = """
from pathlib import Path
from tests.support.conformance import Conformance

def pytest_configure(config):
    config.addinivalue_line("markers", "case(id): a case")
    config.pluginmanager.register(Conformance(Path("page.md")))
"""


def test_there_are_204_cases_with_an_id_each() -> None:
    assert len(known_cases()) == 204


def test_the_table_tells_passed_failed_and_open_of_all_processes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(CASES)
    pytester.runpytest_subprocess("-n", "2")
    page = Path(pytester.path, "page.md").read_text()
    states = {
        row.split(" | ")[0].removeprefix("| "): row.split(" | ")[-2:]
        for row in page.splitlines()
        if "|" in row
    }
    assert states["LI-04"] == ["", "passed |"]
    assert states["LI-05"] == ["400", "failed |"]
    assert states["LI-06"] == ["", "failed |"]
    assert states["LI-07"] == ["", "open |"]
    assert "204 cases: 1 passed, 2 failed, 201 open." in page


def test_an_unknown_case_stops_the_run(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile('import pytest\n@pytest.mark.case("XX-99")\ndef test_it(): pass\n')
    result = pytester.runpytest_subprocess()
    result.stderr.fnmatch_lines(["*there is no case XX-99*"])
