"""From an award to a badge: issued once by the worker, signed, served, revoked."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from microcred.badges import integrity, keys, status
from microcred.badges import lifecycle as badges
from microcred.badges.baking import extract
from microcred.badges.errors import BadgeError
from microcred.badges.models import Badge, IssuerKey, StatusList
from microcred.badges.public_award import NoSuchBadge
from microcred.credentials.models import Award, CredentialVersion
from microcred.outbox import OutboxRow
from microcred.outbox.outcomes import Delivered, Job, Superseded
from tests.functional.badges.conftest import BADGES
from tests.support.campus import Campus, campus


@pytest.fixture
def award(anywhere: Campus) -> str:
    """An award whose badge waits for the worker; its public id."""
    return awarded(anywhere)


def awarded(here: Campus, person: str = "terry") -> str:
    links = here.platform.links_in("c-1") or here.add().links
    here.at_link(person, links[0].id)
    return here.earn(person)


def job_of(here: Campus, award_id: str) -> Job:
    """The row as a worker is given it."""
    with here.assembly.database.reading() as session:
        number = session.scalars(select(Award.id).where(Award.public_id == award_id)).one()
        row = session.scalars(select(OutboxRow).where(OutboxRow.order_key == f"badge:{number}")).one()
    now = here.clock.now()
    subject = (row.subject_type, row.subject_id)
    return Job(row.id, row.kind, row.destination, row.order_key, subject, row.payload, 1, 1, now, now)


def badge_row(here: Campus) -> Badge:
    with here.assembly.database.reading() as session:
        return session.scalars(select(Badge)).one()


def get(here: Campus, path: str) -> Any:
    return here.app.test_client().get(path, base_url=BADGES)


def verify(here: Campus, document: dict[str, Any]) -> None:
    """Check a signature as anybody outside can: by the issuer's DID document over HTTP."""
    issuer, fragment = document["proof"]["verificationMethod"].split("#")
    path = "/".join(issuer.removeprefix("did:web:").split(":")[1:])
    published = get(here, f"/{path}/did.json").get_json()
    assert f"{issuer}#{fragment}" in published["assertionMethod"]
    integrity.verify(document, keys.PublicKey.from_multibase(fragment))


def test_an_award_becomes_a_badge_with_one_id_in_every_address(anywhere: Campus, award: str) -> None:
    assert get(anywhere, f"/ob/3.0/credentials/{award}").status_code == 404
    assert "being made" in get(anywhere, f"/badges/{award}").text
    anywhere.work()
    assert "being made" not in get(anywhere, f"/badges/{award}").text
    credential = get(anywhere, f"/ob/3.0/credentials/{award}").get_json(force=True)
    assert credential["id"] == f"{BADGES}/ob/3.0/credentials/{award}"
    verify(anywhere, credential)
    assertion = get(anywhere, f"/ob/2.0/assertions/{award}").get_json(force=True)
    assert assertion["id"] == f"{BADGES}/ob/2.0/assertions/{award}"
    picture = get(anywhere, f"/ob/badges/{award}.png")
    inside = extract(picture.data)
    assert picture.mimetype == "image/png"
    assert inside.ob3 is not None
    assert award in inside.ob3
    assert award in (inside.ob2 or "")


def test_a_changed_byte_is_refused(here: Campus) -> None:
    award_id = awarded(here)
    here.work()
    credential = get(here, f"/ob/3.0/credentials/{award_id}").get_json(force=True)
    credential["credentialSubject"]["achievement"]["name"] += "x"
    with pytest.raises(BadgeError):
        verify(here, credential)


def test_a_repeat_of_the_job_signs_the_same_badge(anywhere: Campus, award: str) -> None:
    """A worker that died after signing: nothing was stored, the next one does it again."""
    store, job = anywhere.assembly.badges, job_of(anywhere, award)
    first = store.issue(job)
    reserved = badge_row(anywhere)
    assert (reserved.public_id, reserved.issued_at) == (award, None)
    anywhere.clock.pass_(seconds=90)
    second = store.issue(replace(job, attempt=2))
    assert isinstance(first, Delivered)
    assert isinstance(second, Delivered)
    assert second.share is not None
    with anywhere.assembly.database.writing() as session:
        second.share.write(session, [second.share.value])
    made = badge_row(anywhere)
    assert (made.id, made.public_id, made.status_index) == (reserved.id, award, reserved.status_index)
    assert made.ob3 is not None
    verify(anywhere, made.ob3)
    # Once stored, another repeat changes nothing.
    third = store.issue(replace(job, attempt=3))
    assert isinstance(third, Superseded)
    assert third.share is None


def test_two_workers_at_once_make_one_badge_and_one_issuer_key(anywhere: Campus, award: str) -> None:
    store, job = anywhere.assembly.badges, job_of(anywhere, award)
    gate, outcomes = threading.Barrier(3), []

    def work() -> None:
        gate.wait()
        outcomes.append(store.issue(job))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(outcome) for outcome in outcomes] == [Delivered] * 3
    with anywhere.assembly.database.writing() as session:
        for outcome in outcomes:
            assert outcome.share is not None
            outcome.share.write(session, [outcome.share.value])
    made = badge_row(anywhere)
    assert made.ob3 is not None
    verify(anywhere, made.ob3)
    with anywhere.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IssuerKey)) == 1
        assert session.scalar(select(func.sum(StatusList.issued))) == 1


def test_many_awards_at_once_share_key_and_list(anywhere: Campus) -> None:
    links = anywhere.add().links
    for number in range(4):
        person = f"p-{number}"
        anywhere.platform.add_person(person, f"Person {number}")
        anywhere.platform.enrol("c-1", person, "Learner")
        anywhere.at_link(person, links[0].id)
        anywhere.earn(person)
    workers = [threading.Thread(target=anywhere.work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    anywhere.work()
    with anywhere.assembly.database.reading() as session:
        made = session.scalars(select(Badge)).all()
        assert session.scalar(select(func.count()).select_from(IssuerKey)) == 1
    assert len(made) == 4
    assert all(badge.issued_at is not None for badge in made)
    assert len({(badge.status_list_id, badge.status_index) for badge in made}) == 4


def test_a_revoked_badge_is_gone_everywhere_with_the_next_request(anywhere: Campus, award: str) -> None:
    anywhere.work()
    number, index = badge_row(anywhere).status_list_id, badge_row(anywhere).status_index
    before = get(anywhere, f"/ob/status/{number}").get_json(force=True)
    verify(anywhere, before)
    assert not bit(before, index)
    revoke(anywhere, award)
    assert get(anywhere, f"/ob/2.0/assertions/{award}").status_code == 410
    assert get(anywhere, f"/ob/badges/{award}.png").status_code == 410
    assert "Not valid any more" in get(anywhere, f"/badges/{award}").text
    # OB 3.0: the credential stays where it is, and its list says that it was revoked.
    assert get(anywhere, f"/ob/3.0/credentials/{award}").status_code == 200
    after = get(anywhere, f"/ob/status/{number}").get_json(force=True)
    verify(anywhere, after)
    assert bit(after, index)
    assert get(anywhere, f"/ob/status/{number}").get_json(force=True) == after


def test_an_award_revoked_before_its_badge_was_made_gets_none(anywhere: Campus, award: str) -> None:
    revoke(anywhere, award)
    anywhere.work()
    with anywhere.assembly.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Badge)) == 0
    with pytest.raises(NoSuchBadge):
        anywhere.assembly.badges.credential(award)
    assert "Not valid any more" in get(anywhere, f"/badges/{award}").text


def test_a_status_list_signed_while_somebody_revokes_is_not_kept(
    anywhere: Campus, award: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revocation comes between reading the bits and keeping the signed list."""
    anywhere.work()
    badge, store = badge_row(anywhere), anywhere.assembly.badges
    sign = integrity.sign

    def signed_late(*given: Any) -> Any:
        document = sign(*given)
        if "encodedList" in str(document) and not gone:
            gone.append(True)
            revoke(anywhere, award)
        return document

    gone: list[bool] = []
    monkeypatch.setattr(integrity, "sign", signed_late)
    store.status_list(badge.status_list_id)
    assert gone
    with anywhere.assembly.database.reading() as session:
        assert session.get_one(StatusList, badge.status_list_id).credential is None
    assert bit(store.status_list(badge.status_list_id), badge.status_index)


def test_a_revocation_under_way_waits_for_a_list_that_is_being_kept(anywhere: Campus, award: str) -> None:
    """The list is locked while it is kept: whoever revokes meanwhile empties it afterwards, never before."""
    anywhere.work()
    badge, store = badge_row(anywhere), anywhere.assembly.badges
    stale = store.status_list(badge.status_list_id)
    revoking = threading.Thread(target=revoke, args=(anywhere, award))
    with anywhere.assembly.database.writing() as session:
        row = session.get_one(StatusList, badge.status_list_id, with_for_update=True)
        revoking.start()
        revoking.join(0.3)
        assert revoking.is_alive()
        row.credential = None
        session.flush()
        row.credential = stale
    revoking.join()
    assert bit(store.status_list(badge.status_list_id), badge.status_index)


def test_a_new_list_begins_when_one_is_half_full(here: Campus) -> None:
    awarded(here)
    here.work()
    with here.assembly.database.writing() as session:
        numbers = session.scalars(select(StatusList)).one()
        numbers.issued = numbers.size // 2
    awarded(here, "amal")
    here.work()
    with here.assembly.database.reading() as session:
        assert [row.issued for row in session.scalars(select(StatusList).order_by(StatusList.id))][1] == 1


def test_a_badge_names_nobody(here: Campus) -> None:
    award_id = awarded(here)
    here.work()
    for path in (f"/ob/3.0/credentials/{award_id}", f"/ob/2.0/assertions/{award_id}", f"/badges/{award_id}"):
        text = get(here, path).text
        assert "terry" not in text.lower()
        assert "demo-person" not in text.lower()


def test_a_retired_key_still_verifies_what_it_signed(here: Campus) -> None:
    award_id = awarded(here)
    here.work()
    with here.assembly.database.writing() as session:
        session.scalars(select(IssuerKey)).one().retired_at = here.clock.now()
    other = awarded(here, "amal")
    here.work()
    credentials = [get(here, f"/ob/3.0/credentials/{one}").get_json(force=True) for one in (award_id, other)]
    methods = {one["proof"]["verificationMethod"] for one in credentials}
    assert len(methods) == 2
    for one in credentials:
        verify(here, one)


def test_without_a_public_address_it_is_a_test_badge(migrated_sqlite_url: str, tmp_path: Path) -> None:
    with campus(migrated_sqlite_url, tmp_path, badge_url="http://127.0.0.1:5000") as here:
        award_id = awarded(here)
        here.work()
        credential = here.assembly.badges.credential(award_id)
        assert credential["issuer"]["id"].startswith("did:key:z6Mk")
        assert "Valid test badge" in get(here, f"/badges/{award_id}").text


def test_a_stack_has_a_picture_of_its_own_and_no_badge_class_yet(here: Campus) -> None:
    with here.assembly.database.reading() as session:
        stack = session.scalars(
            select(CredentialVersion.public_id).where(
                CredentialVersion.state == "published", CredentialVersion.public_id.in_(stacks(session))
            )
        ).first()
    assert stack is not None
    picture = get(here, f"/ob/2.0/badges/{stack}.png")
    assert (picture.status_code, picture.mimetype) == (200, "image/png")
    assert picture.data != get(here, f"/ob/2.0/badges/{here.version()}.png").data
    for path in (f"/ob/2.0/badges/{stack}", f"/ob/3.0/achievements/{stack}"):
        assert get(here, path).status_code == 404


def test_the_comment_of_the_grade_says_where_the_badge_is_checked(here: Campus) -> None:
    award_id = awarded(here)
    here.work()
    (score,) = here.platform.log.all("scores")
    assert score.json["comment"].endswith(f"{BADGES}/badges/{award_id}")


def stacks(session: Any) -> list[str]:
    rows = session.execute(select(CredentialVersion.public_id, CredentialVersion.document)).all()
    return [public_id for public_id, document in rows if "groups" in document]


def bit(document: dict[str, Any], index: int) -> bool:
    return status.is_revoked(document["credentialSubject"]["encodedList"], index)


def revoke(here: Campus, award_id: str) -> None:
    with here.assembly.database.writing() as session:
        row = session.scalars(select(Award).where(Award.public_id == award_id)).one()
        badges.revoke(session, row, reason="Awarded by mistake", now=here.clock.now())
