"""`microcred person suspend|restore|unlink|export|erase|requests`."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from microcred.app.cli import main
from tests.functional.people.test_linking import link
from tests.functional.web.course import Course
from tests.functional.web.work import write

Both = tuple[Course, Course]
Run = Callable[..., Result]


@pytest.fixture
def run(systems: Both, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on the same database and files."""
    settings = systems[0].assembly.settings
    monkeypatch.setenv("MICROCRED_DATABASE_URL", settings.effective_database_url)
    monkeypatch.setenv("MICROCRED_STORAGE_URL", settings.effective_storage_url)
    monkeypatch.setenv("MICROCRED_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("MICROCRED_SECRET_KEYS", settings.secret_keys[0])
    monkeypatch.setenv("MICROCRED_PUBLIC_URL", settings.public_url)

    def invoke(*words: str, **options: object) -> Result:
        return CliRunner().invoke(main, ["person", *words], **options)  # type: ignore[arg-type]

    return invoke


def id_of(run: Run, name: str) -> str:
    listed = json.loads(run("list", "--json").stdout)
    return str(next(one for one in listed if one["name"] == name)["identities"][0])


def test_suspend_and_restore(systems: Both, run: Run) -> None:
    visitor = systems[0].visitor(systems[0].person("Terry Tryout"))
    name = id_of(run, "Terry Tryout")
    assert run("suspend", name).exit_code == 0
    assert visitor.get().status_code == 401
    assert run("restore", name).exit_code == 0
    assert visitor.get().status_code == 200
    assert run("suspend", "nobody:here").exit_code == 1


def test_unlink(systems: Both, run: Run) -> None:
    here, there = systems
    one, two = here.visitor(here.person("Terry Tryout")), there.visitor()
    link(one, two)
    assert run("unlink", id_of(run, "Terry Tryout")).exit_code == 0
    assert "Your linked accounts" not in one.get("accounts").text
    assert run("unlink", id_of(run, "Terry Tryout")).exit_code == 1


def test_export_and_erase(systems: Both, run: Run, tmp_path: Path) -> None:
    here, _ = systems
    visitor = here.visitor(here.person("Terry Tryout"))
    visitor.get()
    write(visitor, "p1", "p1-q1", "Mine alone.")
    visitor.post("privacy/erase")
    name, file = id_of(run, "Terry Tryout"), tmp_path / "terry.zip"
    assert run("export", name, "--output", str(file)).exit_code == 0
    with zipfile.ZipFile(file) as packed:
        assert b"Mine alone." in packed.read("your-data.json")
    assert run("export", name).stdout_bytes.startswith(b"PK")
    wishes = json.loads(run("requests", "--json").stdout)
    assert [(one["name"], one["keeps_badges"]) for one in wishes] == [("Terry Tryout", False)]
    assert run("erase", name, input="n\n").exit_code == 1
    assert visitor.get().status_code == 200
    done = run("erase", name, "--yes", "--grades", "cancel", "--json")
    assert json.loads(done.stdout) | {"person_id": ""} == {
        "person_id": "",
        "erased": True,
        "waiting_grades": 0,
    }
    assert visitor.get().status_code == 401
    assert json.loads(run("requests", "--json").stdout) == []
    assert run("erase", name, "--yes").exit_code == 1, "nobody has this id any more"
