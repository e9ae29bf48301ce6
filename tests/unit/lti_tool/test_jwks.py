"""Platforms' keys when their host is slow, gone or busy: who waits, how long, and who asks."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from lti_tool import jwks
from lti_tool.cache import InProcessCache
from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from lti_tool.jwks import PlatformKeys
from microcred.outgoing import Outgoing
from tests.support.grading import SetClock
from tests.support.lti import signing_key
from tests.unit.test_outgoing import listening

WAITERS = 6


@dataclass
class Host:
    """A key host: what it serves, how often it was asked; it answers nothing while it hangs."""

    kids: list[str] = field(default_factory=lambda: ["a-1"])
    hangs: bool = False
    asked: int = 0
    url: str = ""

    def answer(self, connection: socket.socket, _head: bytes) -> None:
        self.asked += 1
        if self.hangs:
            return
        body = json.dumps({"keys": [signing_key(kid).public_jwk() for kid in self.kids]}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@dataclass
class Keys:
    """The keys under test, and a registration whose host they come from."""

    host: Host
    clock: SetClock
    platform: PlatformKeys
    facts: RegistrationFacts

    def find(self, kid: str = "a-1") -> str:
        """`found`, or the code of the refusal."""
        try:
            self.platform.find(self.facts, kid, "RS256")
        except LtiRefused as refused:
            return refused.code
        return "found"

    def all_at_once(self, kid: str = "a-1") -> list[tuple[str, float]]:
        """What several launches of the same moment get, and after how many seconds; the slowest last."""
        together = threading.Barrier(WAITERS)

        def ask(_number: int) -> tuple[str, float]:
            together.wait()
            started = time.monotonic()
            return self.find(kid), time.monotonic() - started

        with ThreadPoolExecutor(WAITERS) as pool:
            return sorted(pool.map(ask, range(WAITERS)), key=lambda one: one[1])


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    monkeypatch.setattr(jwks, "DEADLINE", 1.5)
    monkeypatch.setattr(jwks, "JOINING", 0.3)
    host, clock, outgoing = Host(), SetClock(), Outgoing(["127.0.0.1"])
    with listening(host.answer) as port:
        host.url = f"http://127.0.0.1:{port}"
        facts = RegistrationFacts(
            row_id=1,
            public_id="r-1",
            name="Demo LMS",
            lms="other",
            state="approved",
            organization_id=1,
            issuer=host.url,
            client_id="tool",
            separate_site=False,
            auth_url=host.url,
            token_url=host.url,
            jwks_url=f"{host.url}/jwks",
            token_audience=None,
            trusted_audiences=(),
            service_hosts=(),
            algorithms=("RS256",),
            any_deployment=False,
            scopes=None,
            is_test_site=False,
        )
        yield Keys(host, clock, PlatformKeys(outgoing, InProcessCache(clock), clock), facts)
    outgoing.close()


def test_one_asks_for_all(keys: Keys) -> None:
    assert [code for code, _ in keys.all_at_once()] == ["found"] * WAITERS
    assert keys.host.asked == 1


def test_a_host_that_hangs_holds_one_launch_and_the_others_shortly(keys: Keys) -> None:
    keys.host.hangs = True

    came = keys.all_at_once()

    assert [code for code, _ in came] == ["jwks_unavailable"] * WAITERS
    *others, (_, slowest) = came
    assert slowest > 1.4
    assert all(0.2 < took < 1.2 for _, took in others)
    assert keys.host.asked == 1
    # For a while nobody asks, so nobody waits; then somebody does, and all is well.
    started = time.monotonic()
    assert keys.find() == "jwks_unavailable"
    assert time.monotonic() - started < 1.0
    assert keys.host.asked == 1
    keys.host.hangs = False
    keys.clock.time += timedelta(seconds=jwks.HUNG_FOR + 1)
    assert keys.find() == "found"


def test_an_unknown_key_of_a_host_that_hangs_holds_no_more(keys: Keys) -> None:
    assert keys.find() == "found"
    keys.host.hangs = True

    came = keys.all_at_once("made-up")

    assert [code for code, _ in came] == ["kid_unknown"] * WAITERS
    assert all(took < 1.2 for _, took in came[:-1])
    assert keys.host.asked == 2
    # Who comes with a key that is known never waits for it.
    started = time.monotonic()
    assert keys.find() == "found"
    assert time.monotonic() - started < 1.0


def test_a_host_that_is_gone_keeps_nobody_and_is_asked_again(keys: Keys) -> None:
    keys.host.kids = []

    assert [keys.find(), keys.find()] == ["jwks_unavailable"] * 2
    assert keys.host.asked == 2
    keys.host.kids = ["a-1"]
    assert keys.find() == "found"
