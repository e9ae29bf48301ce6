"""The OpenWallet Foundation's client takes a badge from an offer; a judge looks at what it got."""

import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser.test_teacher_pages import served
from tests.functional.backpacks.conftest import earn
from tests.functional.web.course import Course, MovingClock, Visitor, build
from tests.interop.badges import install_judges
from tests.interop.badges.judging import judge_ob3
from tests.support.servers import free_port


class NowClock(MovingClock):
    """A clock that stands at the present: the wallet has one of its own."""

    def __init__(self) -> None:
        from microcred.database import SystemClock

        super().__init__(SystemClock().now())


@pytest.fixture
def tool(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Course, Visitor]]:
    """The tool, served, and a teacher with a signed badge."""
    port = free_port()
    course = build(migrated_sqlite_url, tmp_path, NowClock(), origin=f"http://127.0.0.1:{port}")
    teacher = course.visitor()
    teacher.get()
    earn(course, teacher)
    with served(port, course.app):
        yield course, teacher
    course.assembly.close()


def offer_of(teacher: Visitor, **choice: str) -> str:
    """The link on the page with the QR code; after it the transaction code, where there is one."""
    page = teacher.post("badge/wallet", choice)
    assert page.status_code == 200, page.text
    assert 'src="data:image/svg+xml' in page.text
    code = re.findall(r"asks for this code: <b>(\d{3}) (\d{3})</b>", page.text)
    link = html.unescape(re.findall(r'href="(openid-credential-offer:[^"]+)"', page.text)[0])
    return " ".join([link, *("".join(digits) for digits in code)])


def wallet(link: str, *options: str) -> dict[str, Any]:
    """What the wallet says."""
    command = [*install_judges.wallet_command(), *options, link]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_a_wallet_takes_a_badge_bound_to_its_key_once(tool: tuple[Course, Visitor], tmp_path: Path) -> None:
    _, teacher = tool
    link = offer_of(teacher)
    said = wallet(link)
    assert said["valid"], said
    assert said["version"] == "V1"
    credential = said["credential"]
    assert credential["credentialSubject"]["id"] == said["holder"]
    assert credential["credentialSubject"]["identifier"]
    status = credential["credentialStatus"]["statusListCredential"]
    file = tmp_path / "credential.json"
    file.write_text(json.dumps(credential))
    (verdict,) = judge_ob3([file], {status: requests.get(status, timeout=10).json()}, tmp_path)
    assert verdict.valid, verdict.problems
    assert not wallet(link)["valid"]


def test_a_wallet_with_another_key_takes_a_token(tool: tuple[Course, Visitor]) -> None:
    _, teacher = tool
    said = wallet(offer_of(teacher), "--jwt", "--p256")
    assert said["valid"], said
    header, payload, _ = said["credential"].split(".")
    assert header
    assert said["holder"] in json.dumps(_claims(payload))


def test_a_wallet_gives_the_code_of_the_page_where_the_offer_asks_for_it(
    tool: tuple[Course, Visitor],
) -> None:
    _, teacher = tool
    link, code = offer_of(teacher, with_code="1").split()
    assert not wallet(link)["valid"]
    assert not wallet(link, f"--code={(int(code) + 1) % 10**6:06}")["valid"]
    assert wallet(link, f"--code={code}")["valid"]


def _claims(payload: str) -> Any:
    import base64

    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
