"""`microcred serve` and `microcred worker` as processes: start, readiness, logs, figures, the end."""

import json
import shutil
import time
from pathlib import Path

import pytest
import requests

from tests.functional.app.processes import running, wait_for
from tests.support.servers import free_port


@pytest.fixture
def data(tmp_path: Path, migrated_sqlite_file: Path) -> Path:
    """A data folder with a database."""
    shutil.copyfile(migrated_sqlite_file, tmp_path / "microcred.db")
    return tmp_path


def test_one_process_serves_pages_and_works(tmp_path: Path) -> None:
    """From an empty folder: the schema is made, the worker lives, figures and logs are where they belong."""
    port, figures = free_port(), free_port()
    settings = {
        "MICROCRED_DATA_DIR": "var",
        "MICROCRED_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "MICROCRED_ALLOW_HOSTS": f"127.0.0.1:{port}",
        "MICROCRED_LOG_FORMAT": "json",
        "MICROCRED_METRICS_ADDR": f"127.0.0.1:{figures}",
    }
    base = f"http://127.0.0.1:{port}"
    with running(tmp_path, settings, "serve", "--port", str(port)) as server:
        ready = wait_for(f"{base}/readyz", server).json()
        assert (ready["status"], ready["problems"], ready["worker"]) == ("ready", [], "alive")
        assert requests.get(f"{base}/healthz", timeout=10).json() == {"status": "ok"}
        assert requests.get(f"{base}/metrics", timeout=10).status_code == 404
        refused = requests.post(f"{base}/lti/launch", data={"id_token": "x", "state": "y"}, timeout=10)
        counted = requests.get(f"http://127.0.0.1:{figures}/metrics", timeout=10).text
        for line in (
            'microcred_requests_total{endpoint="lti.launch",status="400"} 1.0',
            f'microcred_launches_total{{result="{refused.headers["X-LTI-Error"]}"}} 1.0',
            'microcred_outbox_rows{state="waiting"} 0.0',
        ):
            assert line in counted
        assert server.end() < 10
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (said,) = [line for line in lines if line["event"] == "launch_refused"]
    assert said["code"] == refused.headers["X-LTI-Error"]
    assert said["request_id"] == refused.headers["X-Request-Id"]
    assert {"level", "timestamp", "registration_id"} <= set(said)
    assert (tmp_path / "var" / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.long
def test_pages_alone_tell_whether_a_worker_is_seen(data: Path) -> None:
    port = free_port()
    settings = {"MICROCRED_DATA_DIR": str(data), "MICROCRED_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    url = f"http://127.0.0.1:{port}/readyz"
    with running(data, settings, "serve", "--no-worker", "--port", str(port)) as server:
        assert wait_for(url, server).json()["worker"] == "not seen"
        with running(data, settings, "worker") as worker:
            until = time.monotonic() + 60
            while requests.get(url, timeout=10).json()["worker"] != "alive":
                assert time.monotonic() < until, worker.log.read_text()
                time.sleep(0.1)
            assert worker.end() < 10
        assert requests.get(url, timeout=10).json()["worker"] == "not seen"
        assert server.end() < 10


@pytest.mark.long
def test_the_end_comes_in_time_with_an_open_connection(data: Path) -> None:
    port = free_port()
    settings = {"MICROCRED_DATA_DIR": str(data), "MICROCRED_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with running(data, settings, "serve", "--port", str(port)) as server, requests.Session() as browser:
        wait_for(f"http://127.0.0.1:{port}/healthz", server)
        assert browser.get(f"http://127.0.0.1:{port}/healthz", timeout=10).ok
        assert server.end() < 10


@pytest.mark.long
def test_a_port_that_is_taken_is_said(data: Path) -> None:
    port = free_port()
    settings = {"MICROCRED_DATA_DIR": str(data)}
    with running(data, settings, "serve", "--port", str(port)) as first:
        wait_for(f"http://127.0.0.1:{port}/healthz", first)
        with running(data, settings, "serve", "--port", str(port)) as second:
            assert second.process.wait(timeout=60) == 1
            said = second.log.read_text()
    assert str(port) in said
    assert "Traceback" not in said
