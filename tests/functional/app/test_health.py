"""`/healthz` and `/readyz`: up, and able to work."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from microcred.app.factory import create_app
from microcred.app.wiring import Assembly
from tests.functional.app.conftest import Command


def ask(assembly: Assembly, path: str = "/readyz", *, has_worker: bool = False) -> TestResponse:
    return create_app(assembly, has_worker=has_worker).test_client().get(path)


@pytest.fixture
def assembly(microcred: Command) -> Assembly:
    return microcred.assembly()


def test_without_its_worker_a_process_is_not_ready(assembly: Assembly) -> None:
    answer = ask(assembly, has_worker=True)
    assert (answer.status_code, answer.get_json()["problems"]) == (503, ["worker"])
    assert ask(assembly).status_code == 200
    worker = assembly.make_worker()
    worker._cycle([])
    assert ask(assembly, has_worker=True).get_json()["worker"] == "alive"
    assembly.close()


def test_with_the_database_broken_nothing_is_ready(assembly: Assembly) -> None:
    with assembly.database.engine.begin() as connection:
        connection.execute(text("DROP TABLE outbox_worker"))
    answer = ask(assembly)
    assert (answer.status_code, answer.get_json()["problems"]) == (503, ["database"])
    assert ask(assembly, "/healthz").status_code == 200
    assembly.close()


def test_with_the_storage_broken_nothing_is_ready(assembly: Assembly, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "files")
    (tmp_path / "files").write_text("in the way")
    answer = ask(assembly)
    assert (answer.status_code, answer.get_json()["problems"]) == (503, ["storage"])
    assembly.close()
