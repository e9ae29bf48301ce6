"""Connecting a backpack and sending badges there, with every kind of host."""

import re

from sqlalchemy import select, text

from microcred.badges.backpack.models import Backpack
from microcred.credentials.models import Award
from microcred.outbox import OutboxRow
from tests.functional.backpacks.conftest import KINDS, Packs, query_of
from tests.hosts.badge_connect import BadgeConnectHost, BadgrHost
from tests.hosts.oauth import OAuth
from tests.hosts.ob3 import SCOPES, Ob3Host
from tests.hosts.serving import Reply


def held(host: Ob3Host | BadgeConnectHost) -> list[str]:
    """The ids of the badges that a host has."""
    if isinstance(host, Ob3Host):
        return [badge_id for _, badge_id in host.credentials]
    return list(host.assertions)


def test_a_connected_backpack_gets_the_badge_and_says_so(packs: Packs, kind: str) -> None:
    host = KINDS[kind](packs)
    packs.connect(packs.serve(host))
    assert packs.said() == "The badge is on its way."
    packs.work()
    assert [one.rsplit("/", 1)[-1] for one in held(host)] == [packs.award()]
    assert re.fullmatch(r"The badge is there since today at .*\.", packs.said())
    assert packs.pushes() == [("sent", "made")]


def test_a_badge_that_is_there_already_is_no_error(packs: Packs, kind: str) -> None:
    host = KINDS[kind](packs)
    packs.connect(packs.serve(host))
    packs.work()
    assert packs.post("send").status_code == 303
    packs.work()
    expected = {
        "ob3": ("already_there", "same"),
        "badgr": ("already_there", "same"),
        "badge-connect": ("sent", "made"),
    }
    assert packs.pushes() == [expected[kind]]
    assert len(held(host)) == 1


def test_a_newer_copy_replaces_the_one_that_was_sent(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    packs.work()
    before = next(iter(host.credentials.values()))
    packs.course.clock.move(minutes=5)
    assert packs.teacher.post("badge/choices", {"shared": "p1-q1"}).status_code == 303
    packs.work()
    packs.work()
    (after,) = host.credentials.values()
    assert after["id"] == before["id"]
    assert after["validFrom"] > before["validFrom"]
    assert packs.pushes() == [("sent", "replaced")]


def test_new_badges_go_by_themselves_or_only_when_asked(packs: Packs) -> None:
    host = Ob3Host()
    address = packs.serve(host)
    packs.connect(address)
    packs.work()
    host.credentials.clear()
    assert packs.post("automatic", {"on": "0"}).status_code == 303
    with packs.course.assembly.database.writing() as session:
        session.execute(text("DELETE FROM backpack_push"))
    packs.teacher.post("badge/choices", {"shared": "p1-q1"})
    packs.work()
    packs.work()
    assert not host.credentials
    assert packs.said() == "This badge was not sent there yet."
    assert packs.post("automatic", {"on": "1"}).status_code == 303
    packs.teacher.post("badge/choices", {})
    packs.work()
    packs.work()
    assert len(host.credentials) == 1


def test_the_tool_registers_once_with_a_host_and_asks_only_for_what_it_offers(
    packs: Packs, kind: str
) -> None:
    host = KINDS[kind](packs)
    address = packs.serve(host)
    window = packs.connect(address)
    other = packs.course.visitor()
    other.get()
    asked = query_of(window.sign_in_url)
    (client,) = host.oauth.clients.values()
    assert set(asked["scope"].split()) <= set(host.oauth.scopes)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == client["redirect_uris"][0]
    assert ("offline_access" in client["scope"]) == (kind != "badgr")
    packs.window(address)
    assert len(host.oauth.clients) == 1
    for path in ("logo.svg", "terms", "privacy"):
        assert packs.course.app.test_client().get(f"/backpacks/{path}").status_code == 200


def test_a_host_that_refuses_offline_access_though_it_offers_it_is_asked_without(packs: Packs) -> None:
    host = BadgrHost(fetch=packs.hosted)
    address = packs.serve(host)
    plain = host.manifest
    offered = plain().body.replace(b'"scopesOffered": [', b'"scopesOffered": ["offline_access", ')
    host.manifest = lambda: Reply(200, offered)  # type: ignore[method-assign]
    packs.connect(address)
    packs.work()
    assert packs.pushes() == [("sent", "made")]


def test_access_is_renewed_before_it_ends_and_after_a_401_with_rotation(packs_anywhere: Packs) -> None:
    packs = packs_anywhere
    host = Ob3Host()
    host.oauth.now = lambda: packs.course.clock.now().timestamp()
    packs.connect(packs.serve(host))
    packs.work()
    (grant,) = host.oauth.grants
    first = grant.refresh
    packs.course.clock.move(hours=2)
    packs.post("send")
    packs.work()
    assert packs.pushes() == [("already_there", "same")]
    assert host.oauth.refreshed == 1
    assert grant.refresh != first
    grant.expires_at = 0  # the host ends the token early: the answer is 401
    packs.post("send")
    packs.work()
    assert host.oauth.refreshed == 2
    assert packs.pushes() == [("already_there", "same")]


def test_a_backpack_that_signed_the_person_out_asks_to_be_connected_again(packs: Packs, kind: str) -> None:
    host = KINDS[kind](packs)
    address = packs.serve(host)
    packs.connect(address)
    host.oauth.grants[0].revoked = True
    packs.work()
    assert packs.backpack().state == "needs_reconnect"
    assert packs.said() == "It has signed you out. Connect it again, then the badge goes there."
    assert packs.post("send").status_code == 409
    packs.connect(address)
    packs.work()
    assert packs.pushes() == [("sent", "made")]
    assert packs.backpack().state == "connected"


def test_disconnecting_revokes_and_forgets_the_tokens(packs: Packs, kind: str) -> None:
    host = KINDS[kind](packs)
    packs.connect(packs.serve(host))
    packs.work()
    answer = packs.post("disconnect")
    assert answer.status_code == 303
    packs.work()
    assert host.oauth.grants[0].revoked == (kind != "badgr")  # Badgr offers no revocation
    assert packs.backpack().sealed_tokens is None
    page = packs.teacher.get("badge?ok=disconnected").text
    assert "Badges that are there stay yours." in page
    assert "Send again" not in page
    with packs.course.assembly.database.reading() as session:
        row = session.scalars(select(OutboxRow).where(OutboxRow.subject_type == "backpack")).one()
    assert (row.state, set(row.payload)) == ("delivered", {"host"})


def test_a_host_that_is_down_is_told_of_the_disconnection_later(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    packs.work()
    host.oauth.revokes = False  # 404 for a while
    packs.post("disconnect")
    packs.work()
    assert not host.oauth.grants[0].revoked
    host.oauth.revokes = True
    packs.course.clock.move(minutes=10)
    packs.work()
    assert host.oauth.grants[0].revoked


def test_nothing_secret_stands_in_the_database_in_the_open(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    packs.work()
    packs.post("disconnect")
    (client,) = host.oauth.clients.values()
    (grant,) = host.oauth.grants
    with packs.course.assembly.database.reading() as session:
        for table in ("backpack", "backpack_host", "backpack_sign_in", "backpack_push", "outbox"):
            rows = str(session.execute(text(f"SELECT * FROM {table}")).all())
            for secret in (client["client_secret"], grant.access, grant.refresh):
                assert secret not in rows, table


def test_tokens_are_resealed_when_the_secret_changes(packs: Packs) -> None:
    packs.connect(packs.serve(Ob3Host()))
    assembly = packs.course.assembly
    before = packs.backpack().sealed_tokens
    assert assembly.badges.reseal() == 0
    assembly.keyring._secrets = ("another secret of the tests", *assembly.keyring._secrets)
    assert assembly.badges.reseal() >= 2
    assert packs.backpack().sealed_tokens != before
    packs.work()
    assert packs.pushes() == [("sent", "made")]


def test_erasing_a_person_ends_their_backpacks(packs: Packs) -> None:
    from microcred.operations import privacy

    host = Ob3Host()
    packs.connect(packs.serve(host))
    packs.work()
    with packs.course.assembly.database.writing() as session:
        privacy.erase(
            session,
            packs.teacher.person_id,
            grades=privacy.Grades.CANCEL,
            keep_badges=False,
            by=None,
            now=packs.course.clock.now(),
        )
    packs.work()
    with packs.course.assembly.database.reading() as session:
        assert session.scalars(select(Backpack)).all() == []
    assert host.oauth.grants[0].revoked


def test_a_revoked_badge_is_not_sent(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    with packs.course.assembly.database.writing() as session:
        award = session.scalars(select(Award)).one()
        award.revoked_at, award.revocation_reason = packs.course.clock.now(), "By mistake"
    packs.work()
    assert not host.credentials


def test_a_backpack_that_knows_another_person_says_what_to_do(packs: Packs) -> None:
    host = BadgeConnectHost(fetch=packs.hosted, emails=("pat@example.org",))
    packs.connect(packs.serve(host))
    packs.work()
    assert packs.pushes() == [("refused", "recipient_mismatch")]
    assert "It knows you by an e-mail address that this badge does not name." in packs.said()


def test_a_backpack_without_refresh_tokens_works_until_its_access_ends(packs: Packs) -> None:
    host = Ob3Host(oauth=OAuth(tuple(one for one in SCOPES if one != "offline_access")))
    packs.connect(packs.serve(host))
    packs.work()
    assert packs.pushes() == [("sent", "made")]
