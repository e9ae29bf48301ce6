"""A badge that the tool issued itself, before other people's verifiers."""

import json
from pathlib import Path

from tests.functional.badges.conftest import BADGES, here
from tests.functional.badges.test_store import awarded, badge_row, get, revoke
from tests.interop.badges.judging import judge_ob3
from tests.support.campus import Campus

__all__ = ["here"]


def test_an_award_verifies_until_it_is_revoked(here: Campus, tmp_path: Path) -> None:
    award_id = awarded(here)
    here.work()
    file = tmp_path / "credential.json"
    file.write_bytes(get(here, f"/ob/3.0/credentials/{award_id}").data)
    (verdict,) = judge_ob3([file], known(here), tmp_path)
    assert verdict.valid, verdict.problems
    revoke(here, award_id)
    (verdict,) = judge_ob3([file], known(here), tmp_path)
    assert not verdict.valid


def known(here: Campus) -> dict[str, object]:
    """What a verifier looks up, as the tool serves it now."""
    badge = badge_row(here)
    assert badge.ob3 is not None
    issuer = badge.ob3["issuer"]["id"].removeprefix("did:web:").split(":")
    paths = (f"/{'/'.join(issuer[1:])}/did.json", f"/ob/status/{badge.status_list_id}")
    return {BADGES + path: json.loads(get(here, path).data) for path in paths}
