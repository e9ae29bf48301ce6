"""Backpacks that lie, answers that are replayed or foreign, addresses we may not ask: refused in words."""

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import select

from microcred.badges.backpack.models import Backpack
from tests.functional.backpacks.conftest import KINDS, Packs, query_of
from tests.hosts.badge_connect import BadgeConnectHost
from tests.hosts.ob3 import Ob3Host
from tests.hosts.serving import Reply, Request


def refused(packs: Packs, address: str) -> tuple[str, str]:
    """Code and page of a refused "Connect"; nothing is stored."""
    answer = packs.ask(address)
    assert answer.status_code == 409, (answer.status_code, answer.text[:300])
    page = html.unescape(answer.text)
    with packs.course.assembly.database.reading() as session:
        assert session.scalars(select(Backpack)).all() == []
    return page.split('data-error="')[1].split('"')[0], page


NOT_TO_BE_ASKED = [
    "http://backpack.example.org",
    "https://10.0.0.1",
    "https://[::1]",
    "https://169.254.169.254/latest",
    "ftp://backpack.example.org",
    "https://user:secret@backpack.example.org",
    "javascript:alert(1)",
    "https://",
    "https://backpack.example.org/?x=1",
    "https://b\u00e4ckpack.example",
]


def test_an_address_that_we_may_not_ask_is_refused(packs: Packs) -> None:
    for address in NOT_TO_BE_ASKED:
        assert refused(packs, address)[0] == "backpack_address_not_allowed", address


def test_a_host_whose_addresses_lead_into_a_private_network_is_refused(packs: Packs, kind: str) -> None:
    host = KINDS[kind](packs)
    address = packs.serve(host)
    for place in ("http://10.1.2.3/token", "file:///etc/passwd", "https://u:p@x.example/token", 7, None):
        lie(host, place)
        assert refused(packs, address)[0].startswith("backpack_a")


def lie(host: Ob3Host | BadgeConnectHost, token_url: Any) -> None:
    """The host names another token address."""
    if isinstance(host, Ob3Host):
        host.discovery = host.document()
        flows = host.discovery["components"]["securitySchemes"]["OAuth2ACG"]["flows"]
        flows["authorizationCode"]["tokenUrl"] = token_url
    else:
        said = json.loads(type(host).manifest(host).body)
        said["badgeConnectAPI"][0]["tokenUrl"] = token_url
        host.manifest = lambda: Reply.of(200, said)  # type: ignore[method-assign]


class Strange:
    """A host that answers everything in one strange way."""

    base = ""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def answer(self, _request: Request) -> Reply:
        return self.reply


STRANGE = [
    (Reply(404), "not_a_backpack"),
    (Reply(200, b"<h1>Welcome</h1>", "text/html"), "not_a_backpack"),
    (Reply(200, b"[1, 2]"), "not_a_backpack"),
    (Reply(200, b"{}"), "not_a_backpack"),
    (Reply(200, b'{"components": 7}'), "answer_unclear"),
    (Reply(200, b'{"badgeConnectAPI": [{"name": "x"}]}'), "answer_unclear"),
    (Reply(200, b"{" + b" " * 600_000 + b"}"), "answer_unclear"),
    (Reply(200, b"[" * 100_000), "not_a_backpack"),
    (Reply.redirect("http://169.254.169.254/latest/meta-data"), "address_not_allowed"),
    (Reply.redirect("/again"), "address_not_allowed"),
    (Reply(503), "unreachable"),
]


def test_what_is_no_backpack_is_told_apart(packs: Packs) -> None:
    for reply, code in STRANGE:
        address = packs.serve(Strange(reply))
        assert refused(packs, address)[0] == f"backpack_{code}", (reply.status, reply.body[:40])


def test_a_host_that_is_away_or_does_not_take_badges_is_named(packs: Packs) -> None:
    assert refused(packs, "http://127.0.0.1:9")[0] == "backpack_unreachable"
    read_only = Ob3Host()
    read_only.oauth.scopes = ("offline_access",)
    assert refused(packs, packs.serve(read_only))[0] == "backpack_takes_no_badges"


def test_an_answer_counts_once(packs: Packs) -> None:
    host = Ob3Host()
    window = packs.window(packs.serve(host))
    url = window.agree()
    assert window.back(url).status_code == 200
    again = window.back(url)
    assert again.status_code == 403
    assert 'data-error="answer_foreign"' in again.text  # the window's cookie is gone with the first
    assert not host.oauth.grants[0].revoked
    with packs.course.assembly.database.reading() as session:
        assert len(session.scalars(select(Backpack)).all()) == 1


def test_an_answer_that_is_kept_and_played_again_with_its_cookie_is_refused(packs: Packs) -> None:
    host = Ob3Host()
    window = packs.window(packs.serve(host))
    url = window.agree()
    cookies = [(c.key, c.value, c.path) for c in (window.client._cookies or {}).values()]
    assert window.back(url).status_code == 200
    for key, value, path in cookies:
        window.client.set_cookie(key, value, path=path)
    assert 'data-error="answer_used"' in window.back(url).text


def test_an_answer_in_another_browser_is_refused(packs: Packs) -> None:
    """Somebody sends a victim their own sign-in, or a victim's answer is taken elsewhere."""
    address = packs.serve(Ob3Host())
    mine, theirs = packs.window(address), packs.window(address, _somebody(packs))
    assert 'data-error="answer_foreign"' in theirs.back(mine.agree()).text
    stranger = packs.course.app.test_client()
    url = urlsplit(mine.agree())
    assert stranger.get(f"{url.path}?{url.query}").status_code == 403
    with packs.course.assembly.database.reading() as session:
        assert session.scalars(select(Backpack)).all() == []


def _somebody(packs: Packs) -> Any:
    from tests.functional.backpacks.conftest import earn

    other = packs.course.visitor()
    other.get()
    earn(packs.course, other)
    return other


@pytest.mark.parametrize("change", [{"state": "f" * 64}, {"iss": "https://other.example"}, {"state": ""}])
def test_another_state_or_issuer_is_refused(packs: Packs, change: dict[str, str]) -> None:
    window = packs.window(packs.serve(Ob3Host()))
    url = urlsplit(window.agree())
    query = query_of(url.geturl()) | change
    answer = window.client.get(f"{url.path}?{urlencode(query)}")
    assert (answer.status_code, 'data-error="answer_foreign"' in answer.text) == (403, True)


def test_an_answer_of_another_host_is_refused(packs: Packs) -> None:
    one, other = packs.window(packs.serve(Ob3Host())), packs.serve(Ob3Host())
    packs.ask(other)
    url = urlsplit(one.agree())
    with packs.course.assembly.database.reading() as session:
        from microcred.badges.backpack.models import BackpackHost

        path = session.scalars(select(BackpackHost.redirect_uri).where(BackpackHost.address == other)).one()
    answer = one.client.get(f"{urlsplit(path).path}?{url.query}")
    assert 'data-error="answer_foreign"' in answer.text


def test_a_window_opens_once_and_not_after_its_time(packs: Packs) -> None:
    address = packs.serve(Ob3Host())
    ticket = packs.ticket(packs.ask(address))
    window = packs.open(ticket)
    assert window.client.get(ticket).status_code == 200  # the same browser may reload
    assert packs.course.app.test_client().get(ticket).status_code == 403
    late = packs.ticket(packs.ask(address))
    packs.course.clock.move(minutes=16)
    assert 'data-error="link_expired"' in packs.course.app.test_client().get(late).text
    assert 'data-error="link_unknown"' in packs.course.app.test_client().get("/backpacks/open?t=x").text


def test_whoever_does_not_agree_connects_nothing(packs: Packs) -> None:
    window = packs.window(packs.serve(Ob3Host()))
    answer = window.back(window.agree("deny"))
    assert 'data-error="declined"' in answer.text


def test_a_code_that_the_host_does_not_take_connects_nothing(packs: Packs) -> None:
    host = Ob3Host()
    window = packs.window(packs.serve(host))
    url = window.agree()
    host.oauth.codes.clear()
    answer = window.back(url)
    assert (answer.status_code, 'data-error="grant_refused"' in answer.text) == (502, True)


ANSWERS = [
    (Reply(201, b"<h1>ok</h1>"), "refused", "answer_unclear"),
    (Reply.of(201, {"id": "https://other.example/credential"}), "refused", "answer_unclear"),
    (Reply(200, b"x" * 600_000), "refused", "answer_unclear"),
    (Reply.of(400, {"imsx_description": "no recipient here"}), "refused", "recipient_mismatch"),
    (Reply.of(400, {"imsx_codeMinor": {"imsx_codeMinorField": [7]}}), "refused", "not_accepted"),
    (Reply(403), "refused", "no_permission"),
    (Reply(404), "refused", "no_such_service"),
    (Reply.redirect("http://10.0.0.1/"), "refused", "address_not_allowed"),
    (Reply(429, headers={"Retry-After": "30"}), "queued", "throttled"),
    (Reply(503), "queued", "not_answering"),
    (Reply(200), "sent", "replaced"),
]


def test_every_answer_to_a_badge_is_read(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    for reply, state, reason in ANSWERS:
        host.scripted = [reply]
        packs.work()
        assert packs.pushes() == [(state, reason)], (reply.status, reply.body[:40])
        assert packs.said()
        packs.course.clock.move(minutes=31)
        if state == "queued":  # the same row again
            packs.work()
            assert packs.pushes()[0][0] in ("sent", "already_there")
        assert packs.post("send").status_code == 303


@pytest.mark.parametrize(
    ("reply", "state", "reason"),
    [
        (Reply(200, b""), "refused", "answer_unclear"),
        (
            Reply.of(200, {"status": {"statusCode": 400, "statusText": "INVALID_BADGE"}}),
            "refused",
            "invalid_badge",
        ),
        (Reply.of(200, {"status": {"statusCode": 500}}), "refused", "not_accepted"),
        (Reply.of(400, {"status": "no"}), "refused", "answer_unclear"),
    ],
)
def test_badge_connect_is_believed_only_as_far_as_its_body(
    packs: Packs, reply: Reply, state: str, reason: str
) -> None:
    host = BadgeConnectHost(fetch=packs.hosted)
    packs.connect(packs.serve(host))
    host.scripted = [reply]
    packs.work()
    assert packs.pushes() == [(state, reason)]


def test_a_host_in_trouble_is_tried_three_times_then_the_person_is_told(packs: Packs) -> None:
    host = Ob3Host()
    packs.connect(packs.serve(host))
    host.scripted = [Reply(500)] * 9
    for _ in range(4):
        packs.work()
        packs.course.clock.move(minutes=31)
    assert packs.pushes() == [("refused", "not_answering")]
    assert len(host.scripted) == 6
    host.scripted = []
    packs.post("send")
    packs.work()
    assert packs.pushes() == [("sent", "made")]


def test_a_slow_host_holds_nothing_up(packs: Packs) -> None:
    """It drips one byte after the other, for ever: the deadline is for the whole answer."""
    stop = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not stop.wait(0.2):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        from microcred.badges.backpack import transport

        before, transport._SECONDS = transport._SECONDS, 1.0
        try:
            assert refused(packs, f"http://127.0.0.1:{server.server_port}")[0] == "backpack_unreachable"
        finally:
            transport._SECONDS = before
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_too_many_tries_in_an_hour_are_stopped(packs: Packs) -> None:
    address = packs.serve(Ob3Host())
    for _ in range(20):
        assert packs.ask(address).status_code == 200
    answer = packs.ask(address)
    assert (answer.status_code, 'data-error="too_many"' in answer.text) == (409, True)
