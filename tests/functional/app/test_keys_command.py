"""`microcred keys`: rotation with an overlap, and moving to a new secret."""

import re

from sqlalchemy import select

from microcred.badges.models import IssuerKey
from microcred.people import ensure_organization
from microcred.people.models import Organization
from tests.functional.app.conftest import Command

OLD, NEW = "the old secret of the tests", "the new secret of the tests"


def test_rotation_keeps_the_old_key_for_the_overlap(microcred: Command) -> None:
    assert microcred.json("keys", "list") == []
    first = microcred.json("keys", "rotate")["kid"]
    second = microcred.json("keys", "rotate")["kid"]
    old, new = microcred.json("keys", "list")
    assert (old["kid"], old["signs"]) == (first, False)
    assert (new["kid"], new["signs"], new["retires_at"]) == (second, True, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", old["retires_at"])
    assert set(old) == {"kid", "created_at", "retires_at", "signs"}
    assert "7 days" in microcred("keys", "rotate").stdout
    assert microcred("keys", "list").stdout.count("yes") == 1


def test_after_resealing_the_old_secret_can_be_dropped(microcred: Command) -> None:
    microcred.settings["MICROCRED_SECRET_KEYS"] = OLD
    microcred("keys", "rotate")
    _make_issuer_key(microcred)

    microcred.settings["MICROCRED_SECRET_KEYS"] = NEW
    assert "`microcred doctor` names them" in " ".join(microcred("keys", "reseal", status=1).stderr.split())
    found = {one["check"]: one for one in microcred.json("doctor", status=1)}
    assert not found["keys"]["ok"]
    named = found["keys"]["says"]
    assert microcred.json("keys", "list")[0]["kid"] in named
    assert "z6Mk" in named

    microcred.settings["MICROCRED_SECRET_KEYS"] = f"{NEW},{OLD}"
    assert microcred.json("keys", "reseal") == {"resealed": 2}
    assert microcred.json("keys", "reseal") == {"resealed": 0}

    microcred.settings["MICROCRED_SECRET_KEYS"] = NEW
    assert {one["check"]: one["ok"] for one in microcred.json("doctor")}["keys"]
    assembly = microcred.assembly()
    assert assembly.lti.keys.sign({"iss": "tool"}).count(".") == 2
    assembly.close()


def _make_issuer_key(microcred: Command) -> None:
    assembly = microcred.assembly()
    with assembly.database.writing() as session:
        ensure_organization(
            session, code="iss", name="Demo issuer", kind="nonprofit", now=assembly.clock.now()
        )
    with assembly.database.reading() as session:
        organization_id = session.scalars(select(Organization.id)).one()
    assembly.badges.keys.signer(organization_id)
    with assembly.database.reading() as session:
        assert session.scalars(select(IssuerKey)).one().fragment.startswith("z6Mk")
    assembly.close()
