"""The benchmarks' result files and the small parts that judge windows. Nothing here is timed."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.browser import Connection, get
from benchmarks.engines import PEERS, ports, stub, stub_counts

FILES = sorted(results.FOLDER.glob("*.json"))


def example() -> dict[str, Any]:
    """The smallest result of the launch benchmark."""
    row = {"launches_per_s": 2.0, "quiet": True}
    return results.result(
        "launch", ours={"returning": row}, peers={"ltijs": row}, ratios={"pylti1p3_best": 2.0, "ltijs": 7.0}
    )


def test_result_has_the_documented_shape(tmp_path: Path) -> None:
    path = results.write(example(), tmp_path)
    assert path == tmp_path / "launch.json"
    written = json.loads(path.read_text())
    results.check(written)
    assert written["machine"]["cores"] > 0
    assert written["ratios"] == {"pylti1p3_best": 2.0, "ltijs": 7.0}


def test_document_gets_the_figures_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("Before.\n<!-- launch -->\nold\n<!-- end of launch -->\nAfter.\n")
    for _ in range(2):
        results.note(example(), {"launches_per_s": "launches/s"}, document)
    text = document.read_text()
    assert text.startswith("Before.\n<!-- launch -->\n")
    assert text.endswith("<!-- end of launch -->\nAfter.\n")
    assert "old" not in text
    assert text.count("| returning | 2.00 |") == 1


@pytest.mark.parametrize("missing", ["date", "machine", "ours", "peers", "ratios"])
def test_result_that_lacks_something_is_not_written(tmp_path: Path, missing: str) -> None:
    value = example()
    del value[missing]
    with pytest.raises(results.NotAResult, match=missing):
        results.write(value, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_result_without_a_named_ratio_is_refused() -> None:
    value = example()
    del value["ratios"]["ltijs"]
    with pytest.raises(results.NotAResult, match=r"ratios\.ltijs"):
        results.check(value)


def test_result_knows_when_the_machine_was_not_quiet() -> None:
    value = results.result("launch", ours={"returning": {"quiet": False}}, peers={"ltijs": {}}, ratios={})
    assert value["quiet"] is False


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_result_file_in_the_repository_is_whole(path: Path) -> None:
    value = json.loads(path.read_text())
    results.check(value)
    assert value["benchmark"] == path.stem


def test_medians_are_those_of_quiet_windows() -> None:
    windows = [
        {"rate": rate, "foreign_cores": foreign} for rate, foreign in [(10, 0.1), (12, 0.2), (90, 1.5)]
    ]
    middle = results.middle(windows)
    assert (middle["rate"], middle["windows"], middle["quiet_windows"]) == (11, 3, 2)
    assert middle["quiet"] is True


def test_without_a_quiet_window_the_least_disturbed_ones_count_and_are_marked() -> None:
    windows = [
        {"rate": rate, "foreign_cores": foreign} for rate, foreign in [(10, 0.5), (12, 0.6), (90, 1.5)]
    ]
    middle = results.middle(windows)
    assert (middle["rate"], middle["quiet"]) == (11, False)


def test_stub_counts_what_it_answered() -> None:
    (port,) = ports(1)

    async def ask() -> tuple[int, bytes]:
        connection = Connection(port)
        try:
            answer = await connection.send(get("127.0.0.1", "/jwks"))
            return answer.status, answer.body
        finally:
            connection.close()

    with stub([port], jwks={"keys": []}):
        # A thread of its own: Playwright, where this process has it, keeps a loop running in this one.
        with ThreadPoolExecutor(1) as pool:
            status, body = pool.submit(asyncio.run, ask()).result()
        (counts,) = stub_counts([port])
    assert (status, json.loads(body)) == (200, {"keys": []})
    assert (counts["connections"], counts["scores"], counts["tokens"]) == (1, 0, 0)


def test_peers_are_locked_without_download_addresses() -> None:
    lock = json.loads((PEERS / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert all("resolved" not in package and package["integrity"] for package in packages)
    requirements = (PEERS / "requirements.txt").read_text()
    assert "pylti1p3==2.0.0" in requirements
    assert "--hash=sha256:" in requirements
