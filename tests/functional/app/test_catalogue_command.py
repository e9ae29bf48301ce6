"""`microcred catalogue`: in and out as data, all or nothing."""

import json
from pathlib import Path

import yaml

from microcred.credentials import sample_text
from tests.functional.app.conftest import Command
from tests.support.catalogue import plain


def test_what_goes_in_comes_out_again(microcred: Command, catalogue_file: Path) -> None:
    done = microcred.json("catalogue", "import", str(catalogue_file))
    data = plain(sample_text())
    entries = [f"{entry['id']} {entry['version']}" for entry in data["micro_credentials"] + data["stacks"]]
    assert sorted(done["new"]) == sorted(entries)
    assert (done["changed"], done["unchanged"]) == ([], [])
    assert plain(microcred("catalogue", "export").stdout) == data
    assert microcred.json("catalogue", "export") == json.loads(json.dumps(data, default=str))


def test_a_second_import_changes_nothing(microcred: Command, catalogue_file: Path, tmp_path: Path) -> None:
    first = microcred.json("catalogue", "import", str(catalogue_file))
    exported = tmp_path / "exported.yaml"
    exported.write_text(microcred("catalogue", "export").stdout, encoding="utf-8")
    again = microcred.json("catalogue", "import", str(exported))
    assert again == {"new": [], "changed": [], "unchanged": first["new"]}
    said = microcred("catalogue", "import", str(catalogue_file)).stdout
    assert said.endswith(f"0 new, 0 changed, {len(first['new'])} unchanged.\n")


def test_a_broken_file_is_refused_whole_with_every_problem_and_its_place(
    microcred: Command, tmp_path: Path
) -> None:
    data = plain(sample_text())
    data["micro_credentials"][0]["parts"][0]["word_limit"] = "many"
    data["micro_credentials"][1]["issuer"] = "iss-nobody"
    del data["micro_credentials"][2]["title"]
    broken = tmp_path / "broken.yaml"
    broken.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    done = microcred("catalogue", "import", str(broken), "--json", status=1)
    problems = json.loads(done.stdout)["problems"]
    places = " ".join(problem["place"] for problem in problems)
    for place in ("micro_credentials[0].parts[0]", "micro_credentials[1].issuer", "micro_credentials[2]"):
        assert place in places
    assert all("line " in problem["place"] and problem["message"] for problem in problems)
    assert "Nothing was imported." in done.stderr
    assert all(problem["place"] in done.stderr for problem in problems)
    assert "Nothing has been imported yet." in microcred("catalogue", "export", status=1).stderr


def test_what_is_no_catalogue_is_refused(microcred: Command, tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    for content in (b"catalogue: [unclosed", b"", b"just a line", b"\xff\xfe\x00", b"- 1\n- 2\n"):
        file.write_bytes(content)
        assert "Nothing was imported." in microcred("catalogue", "import", str(file), status=1).stderr


def test_a_published_version_does_not_change(
    microcred: Command, catalogue_file: Path, tmp_path: Path
) -> None:
    microcred("catalogue", "import", str(catalogue_file))
    before = microcred.json("catalogue", "export")
    data = plain(sample_text())
    data["micro_credentials"][0]["title"] = "Another title"
    file = tmp_path / "changed.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    assert "new version" in microcred("catalogue", "import", str(file), status=1).stderr
    assert microcred.json("catalogue", "export") == before
