"""Badges that the running tool issued, before other people's verifiers, in every state a badge can be in."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from microcred.badges import lifecycle
from microcred.credentials.models import Award
from tests.browser.test_teacher_pages import served
from tests.functional.badges.conftest import BADGES, here
from tests.functional.badges.test_store import awarded, badge_row, get, revoke
from tests.interop.badges.judging import Verdict, judge_ob2, judge_ob3
from tests.support.campus import Campus, campus
from tests.support.servers import free_port

__all__ = ["here"]


@pytest.fixture
def hosted(migrated_sqlite_url: str, tmp_path: Path) -> Iterator[Campus]:
    """The tool, its badges served on loopback, where 1EdTech's validator fetches them."""
    port = free_port()
    with (
        campus(migrated_sqlite_url, tmp_path, badge_url=f"http://127.0.0.1:{port}") as made,
        served(port, made.app),
    ):
        yield made


def save(here: Campus, folder: Path, path: str, name: str = "") -> Path:
    """What the tool serves at a path, as a file."""
    answer = get(here, path)
    assert answer.status_code == 200, path
    file = folder / (name or path.rsplit("/", 1)[-1])
    file.write_bytes(answer.data)
    return file


def changed(file: Path, old: bytes, new: bytes) -> Path:
    """A copy in which something was put in the place of something else of the same length."""
    data = file.read_bytes()
    assert old in data
    assert len(old) == len(new)
    copy = file.with_name(f"changed-{file.name}")
    copy.write_bytes(data.replace(old, new))
    return copy


def shortened(here: Campus) -> None:
    """The award's time is over an hour after it was made; its badge is written anew."""
    with here.assembly.database.writing() as session:
        award = session.scalars(select(Award)).one()
        award.valid_until = award.awarded_at + timedelta(hours=1)
        here.clock.pass_(seconds=5)
        lifecycle.reissue(session, award, now=here.clock.now())
    here.work()


def verdicts(found: list[Verdict]) -> list[bool]:
    """Whether each is valid; a refusal has a reason."""
    assert all(verdict.valid or verdict.problems for verdict in found)
    return [verdict.valid for verdict in found]


def known(here: Campus) -> dict[str, Any]:
    """What a verifier of Open Badges 3.0 looks up, as the tool serves it now."""
    badge = badge_row(here)
    assert badge.ob3 is not None
    issuer = badge.ob3["issuer"]["id"].removeprefix("did:web:").split(":")
    paths = (f"/{'/'.join(issuer[1:])}/did.json", f"/ob/status/{badge.status_list_id}")
    return {BADGES + path: json.loads(get(here, path).data) for path in paths}


def test_digital_bazaars_verifier_judges_every_state_as_we_do(here: Campus, tmp_path: Path) -> None:
    award_id = awarded(here)
    here.work()
    first = save(here, tmp_path, f"/ob/3.0/credentials/{award_id}.json")
    baked = [save(here, tmp_path, f"/ob/badges/{award_id}.{kind}") for kind in ("png", "svg")]
    here.clock.pass_(seconds=5)
    with here.assembly.database.writing() as session:
        lifecycle.reissue(session, session.scalars(select(Award)).one(), now=here.clock.now())
    here.work()
    anew = save(here, tmp_path, f"/ob/3.0/credentials/{award_id}.json", "anew.json")
    assert json.loads(anew.read_text())["validFrom"] > json.loads(first.read_text())["validFrom"]
    shortened(here)
    over = save(here, tmp_path, f"/ob/3.0/credentials/{award_id}.json", "over.json")
    good = [first, *baked, anew]
    tampered = [changed(file, b"Riverbend", b"Riverband") for file in good]
    found = verdicts(judge_ob3([*good, over, *tampered], known(here), tmp_path))
    assert found == [True] * 4 + [False] * 5
    revoke(here, award_id)
    assert not any(verdicts(judge_ob3(good, known(here), tmp_path)))


def test_1edtechs_validator_judges_every_state_as_we_do(hosted: Campus, tmp_path: Path) -> None:
    award_id = awarded(hosted)
    hosted.work()
    base = hosted.assembly.settings.effective_badge_url
    address = f"{base}/ob/2.0/assertions/{award_id}"
    baked = [save(hosted, tmp_path, f"/ob/badges/{award_id}.{kind}") for kind in ("png", "svg")]
    signed = save(hosted, tmp_path, f"/ob/2.0/assertions/{award_id}.jws")
    body = signed.read_text().split(".")[1]
    turned = changed(signed, body[40:44].encode(), body[40:44].swapcase().encode())
    foreign = changed(baked[0], award_id.encode(), award_id[::-1].encode())
    found = verdicts(judge_ob2([address, *baked, signed, turned, foreign]))
    assert found == [True] * 4 + [False] * 2
    shortened(hosted)
    later = save(hosted, tmp_path, f"/ob/2.0/assertions/{award_id}.jws", "later.jws")
    assert verdicts(judge_ob2([address, later])) == [False, False]
    with hosted.assembly.database.writing() as session:
        session.scalars(select(Award)).one().valid_until = None
    revoke(hosted, award_id)
    assert verdicts(judge_ob2([address, baked[0], signed])) == [False] * 3
