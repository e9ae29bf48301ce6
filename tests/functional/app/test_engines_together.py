"""Pages, worker and test are processes of their own on PostgreSQL, Redis and an object store."""

import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import requests

import demo_lms
from tests.functional.app.processes import Process, running, wait_for
from tests.support.campus import COURSE, Campus, campus
from tests.support.grading import SECRET, SetClock
from tests.support.servers import free_port


class RunningClock(SetClock):
    """The machine's own time, which the other processes go by."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def test_from_a_launch_to_grade_and_badge_over_all_engines(
    tmp_path: Path, migrated_postgres_url: str, redis_url: str, s3_url: str
) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    settings = {
        "MICROCRED_PUBLIC_URL": base,
        "MICROCRED_DATABASE_URL": migrated_postgres_url,
        "MICROCRED_REDIS_URL": redis_url,
        "MICROCRED_STORAGE_URL": s3_url,
        "MICROCRED_SECRET_KEYS": SECRET,
        "MICROCRED_ALLOW_HOSTS": "localhost,127.0.0.1",
    }
    shared = {"public_url": base, "redis_url": redis_url, "storage_url": s3_url}
    with (
        campus(migrated_postgres_url, tmp_path, RunningClock(), **shared) as here,
        running(tmp_path, settings, "serve", "--no-worker", "--port", str(port)) as pages,
        running(tmp_path, settings, "worker") as worker,
    ):
        (link,) = here.add().links
        wait_for(f"{base}/readyz", pages)
        page = launch(here, base, "terry", link.id)
        assert link.title in page.text
        award = here.earn("terry")
        (column,) = here.platform.line_items_in(COURSE)
        until = time.monotonic() + 60
        while here.platform.grade(column.id, "terry").score != 100:
            assert time.monotonic() < until, worker.log.read_text()
            time.sleep(0.1)
        wait_for(f"{base}/ob/3.0/credentials/{award}", pages)
        picture = requests.get(f"{base}/ob/badges/{award}.png", timeout=10)
        assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/png")
        assert requests.get(f"{base}/readyz", timeout=10).json()["worker"] == "alive"
        ends_in_time(worker)
        ends_in_time(pages)


def launch(here: Campus, base: str, person: str, link: str) -> requests.Response:
    """Login and launch over HTTP, carrying cookies as a browser does on a loopback address."""
    start = here.platform.begin_launch(person, link)
    login = requests.post(f"{base}/lti/login", data=start.fields, allow_redirects=False, timeout=10)
    form = here.platform.authorize(login.headers["Location"])
    assert isinstance(form, demo_lms.FormPost)
    answer = requests.post(
        f"{base}/lti/launch",
        data=form.fields,
        headers={"Cookie": cookies(login)},
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 303, answer.headers.get("X-LTI-Error")
    where = urlsplit(answer.headers["Location"]).path
    return requests.get(base + where, headers={"Cookie": cookies(answer)}, timeout=10)


def cookies(answer: requests.Response) -> str:
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


def ends_in_time(process: Process) -> None:
    started = time.monotonic()
    process.end()
    assert time.monotonic() - started < 10
