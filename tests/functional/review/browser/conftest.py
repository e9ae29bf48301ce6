"""The tool served to a real browser, with the district of the review tests in it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug.serving import make_server

from microcred.app.factory import create_app
from microcred.app.settings import Settings
from microcred.app.wiring import Assembly, assemble
from microcred.people import links
from tests.functional.review.world import NOT_DRAWN, PICTURE, World
from tests.support.servers import free_port


@pytest.fixture
def origin() -> str:
    """Where the tool is served."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def assembly(world: World, tmp_path: Path, origin: str) -> Iterator[Assembly]:
    """The tool's parts over the same database."""
    settings = Settings(
        public_url=origin,
        database_url=str(world.database.url),
        secret_keys=["a secret for tests that is long enough"],
        storage_url=str(tmp_path / "files"),
        data_dir=tmp_path,
    )
    assembled = assemble(settings, world.clock, lambda: NOT_DRAWN)
    assembled.storage.put("evidence/picture", [PICTURE])
    yield assembled
    assembled.close()


@pytest.fixture
def served(assembly: Assembly, origin: str) -> Iterator[str]:
    """The tool's address, while it is served."""
    server = make_server("127.0.0.1", int(origin.rsplit(":", 1)[1]), create_app(assembly), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield origin
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(page: Page, origin: str, world: World, person_id: int) -> None:
    """Let a person come in by a one-time link."""
    with world.database.writing() as session:
        secret = links.invite(session, person_id, world.clock.now())
    page.goto(f"{origin}/desk/enter?t={secret}")
    page.get_by_role("button", name="Open my desk").click()
    page.wait_for_url("**/desk/")
