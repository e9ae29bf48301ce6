"""Outgoing HTTP: what may be asked, how long, how much, and where a name leads."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from microcred.outgoing import Outgoing, OutgoingError, check_url, host_matches, is_public

Handler = Callable[[socket.socket, bytes], None]


@contextmanager
def listening(handle: Handler, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A raw TCP server on 127.0.0.1; `handle` gets each connection and the head of its first request."""
    server = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        try:
            with tls.wrap_socket(connection, server_side=True) if tls else connection as opened:
                while head := opened.recv(65536):
                    handle(opened, head)
        except OSError:
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        stopped.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(2)


def certificate(name: str) -> bytes:
    """A key and a certificate of its own making for one host, as one PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + made.public_bytes(Encoding.PEM)


def reply(body: bytes = b"ok", head: bytes = b"") -> Handler:
    def handle(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), head, body))

    return handle


@pytest.fixture
def outgoing() -> Iterator[Outgoing]:
    made = Outgoing(["127.0.0.1"])
    yield made
    made.close()


def refused(outgoing: Outgoing, url: str, **options: object) -> str:
    with pytest.raises(OutgoingError) as error:
        outgoing.request("GET", url, **options)  # type: ignore[arg-type]
    return error.value.code


def test_an_answer_comes_whole(outgoing: Outgoing) -> None:
    with listening(reply(b"\x00body", b"X-Thing: 1\r\n")) as port:
        answer = outgoing.request("POST", f"http://127.0.0.1:{port}/x", data=b"{}", headers={"X-A": "b"})

    assert (answer.status, answer.body, answer.headers["x-thing"]) == (200, b"\x00body", "1")
    assert 0 < answer.elapsed < 5


@pytest.mark.parametrize(
    "target", ["/Members?pAge=AbC%2B", "/a%2fb/%7Euser?x=%e2%82%ac&y=[1]", "/", "/?", "/a//b/../c"]
)
def test_an_address_goes_out_byte_for_byte(outgoing: Outgoing, target: str) -> None:
    heads = []

    def handle(connection: socket.socket, head: bytes) -> None:
        heads.append(head)
        reply()(connection, head)

    with listening(handle) as port:
        outgoing.request("GET", f"http://127.0.0.1:{port}{target}")

    assert heads[0].split(b" ")[1].decode() == target.rstrip("?")


def test_connections_are_kept_and_cookies_are_not(outgoing: Outgoing) -> None:
    peers, heads = set(), []

    def handle(connection: socket.socket, head: bytes) -> None:
        peers.add(connection.getpeername())
        heads.append(head.lower())
        reply(head=b"Set-Cookie: a=b; Path=/\r\n")(connection, head)

    with listening(handle) as port:
        for _ in range(3):
            outgoing.request("GET", f"http://127.0.0.1:{port}/")

    assert len(peers) == 1
    assert not any(b"cookie" in head for head in heads)
    assert all(b"user-agent: microcred" in head for head in heads)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(outgoing: Outgoing, status: int) -> None:
    def handle(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(
            b"HTTP/1.1 %d Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" % status
        )

    with listening(handle) as port:
        assert refused(outgoing, f"http://127.0.0.1:{port}/") == "unexpected_redirect"


@pytest.mark.parametrize("slow", ["silent", "head", "body"])
def test_a_slow_answer_ends_at_the_deadline(outgoing: Outgoing, slow: str) -> None:
    def handle(connection: socket.socket, _head: bytes) -> None:
        text = (
            b"HTTP/1.1 200 OK\r\nX: " if slow == "head" else b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
        )
        if slow == "silent":
            time.sleep(3)
            return
        connection.sendall(text)
        for _ in range(30):
            time.sleep(0.1)
            connection.sendall(b"x")

    with listening(handle) as port:
        started = time.monotonic()
        assert refused(outgoing, f"http://127.0.0.1:{port}/", deadline=0.7) == "timeout"
        assert time.monotonic() - started < 2


def test_an_answer_is_bounded(outgoing: Outgoing) -> None:
    with listening(reply(b"x" * 5000)) as port:
        assert refused(outgoing, f"http://127.0.0.1:{port}/", max_bytes=4999) == "too_large"
        assert outgoing.request("GET", f"http://127.0.0.1:{port}/", max_bytes=5000).status == 200


@pytest.mark.parametrize(
    "text", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", b"nonsense\r\n\r\n"]
)
def test_a_broken_answer_is_an_error(outgoing: Outgoing, text: bytes) -> None:
    def handle(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_RDWR)

    with listening(handle) as port:
        assert refused(outgoing, f"http://127.0.0.1:{port}/") == "dropped"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1;x=y\r\n!\r\n0\r\n\r\n", b"ok!"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
            % (len(gzip.compress(b"small", mtime=0)), gzip.compress(b"small", mtime=0)),
            b"small",
        ),
    ],
    ids=["chunked", "to the end", "after 100", "none", "compressed"],
)
def test_every_way_to_frame_a_body_is_read(outgoing: Outgoing, text: bytes, body: bytes) -> None:
    def handle(connection: socket.socket, _head: bytes) -> None:
        for at in range(0, len(text), 7):
            connection.sendall(text[at : at + 7])
        if text.startswith(b"HTTP/1.0"):
            connection.shutdown(socket.SHUT_RDWR)

    with listening(handle) as port:
        answer = outgoing.request("GET", f"http://127.0.0.1:{port}/")
    assert (answer.body, answer.headers.get("X")) == (body, None)


def test_what_is_compressed_is_bounded_when_unpacked(outgoing: Outgoing) -> None:
    packed = gzip.compress(bytes(100_000))
    with listening(reply(packed, b"Content-Encoding: gzip\r\n")) as port:
        assert refused(outgoing, f"http://127.0.0.1:{port}/", max_bytes=50_000) == "too_large"


def test_what_comes_after_an_answer_is_nobodys_answer(outgoing: Outgoing) -> None:
    more = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake"

    def handle(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal" + more)

    with listening(handle) as port:
        for _ in range(2):
            assert outgoing.request("GET", f"http://127.0.0.1:{port}/").body == b"real"


def test_nobody_there_is_connect_and_no_tls_is_tls_error(outgoing: Outgoing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refused(outgoing, f"http://127.0.0.1:{port}/") == "connect"
    with listening(reply()) as port:
        assert refused(outgoing, f"https://127.0.0.1:{port}/") == "tls_error"


def test_no_way_to_an_address_is_connect_for_nothing_was_sent() -> None:
    # An address of no network; the kernel refuses at once.
    outgoing = Outgoing(["lms.test"], resolve=lambda _host, _port: ["255.255.255.255"])
    assert refused(outgoing, "http://lms.test/") == "connect"
    outgoing.close()


def test_a_certificate_must_be_of_the_host_and_of_a_trusted_authority(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_bytes(certificate("lms.test"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")

    def over_tls(connection: socket.socket, head: bytes) -> None:
        if not head.startswith(b"GET /slow"):
            reply()(connection, head)

    with listening(over_tls, context) as port:

        def asked(name: str, ca_bundle: Path | None) -> Outgoing:
            return Outgoing(
                [name],
                resolve=lambda _host, _port: ["127.0.0.1"],
                ca_bundle=str(ca_bundle) if ca_bundle else None,
            )

        trusted, elsewhere = asked("lms.test", tmp_path / "own.pem"), asked("lms.test", None)
        misnamed = asked("other.test", tmp_path / "own.pem")
        assert trusted.request("GET", f"https://lms.test:{port}/").body == b"ok"
        assert refused(elsewhere, f"https://lms.test:{port}/") == "tls_error"
        assert refused(misnamed, f"https://other.test:{port}/") == "tls_error"
        assert refused(trusted, f"https://lms.test:{port}/slow", deadline=0.3) == "timeout"
        for one in (trusted, elsewhere, misnamed):
            one.close()


def test_fields_go_out_as_a_form_and_nothing_is_said_that_was_not_asked(outgoing: Outgoing) -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket, head: bytes) -> None:
        while not head.endswith(b"%26"):  # the body may come after its head
            head += connection.recv(100)
        heads.append(head)
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with listening(handle) as port:
        answer = outgoing.request(
            "POST",
            f"http://127.0.0.1:{port}/token",
            headers={"Accept": "text/x"},
            data={"a": "1 2", "b": "&"},
        )
    sent = heads[0].split(b"\r\n\r\n")
    names = [line.partition(b":")[0].lower() for line in sent[0].split(b"\r\n")[1:]]
    assert answer.status == 204
    assert sorted(names) == sorted(
        [b"host", b"user-agent", b"accept-encoding", b"content-type", b"content-length", b"accept"]
    )
    assert sent[1] == b"a=1+2&b=%26"


def test_a_header_that_would_be_two_is_never_sent(outgoing: Outgoing) -> None:
    with listening(reply()) as port:
        url = f"http://127.0.0.1:{port}/"
        assert refused(outgoing, url, headers={"X": "a\r\nY: b"}) == "url_not_allowed"


def test_a_name_is_resolved_once_and_private_addresses_are_refused_before_connecting() -> None:
    asked, connected = [], []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return {"private.test": ["10.0.0.1"], "mixed.test": ["93.184.216.34", "127.0.0.1"], "none.test": []}[
            host
        ]

    with listening(lambda connection, head: connected.append(head)):
        outgoing = Outgoing(resolve=resolve)
        assert refused(outgoing, "https://private.test/") == "url_not_allowed"
        assert refused(outgoing, "https://mixed.test/") == "url_not_allowed"
        assert refused(outgoing, "https://none.test/") == "dns"
        assert refused(outgoing, "https://127.0.0.1/") == "url_not_allowed"
        assert refused(outgoing, "https://[::1]/") == "url_not_allowed"
        outgoing.close()

    assert asked == ["private.test", "mixed.test", "none.test"]
    assert connected == []


def test_the_judged_address_is_the_one_connected_to() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.1"]])
    outgoing = Outgoing(["lms.test"], resolve=lambda _host, _port: next(answers))
    with listening(reply()) as port:
        assert outgoing.request("GET", f"http://lms.test:{port}/").status == 200
        assert outgoing.request("GET", f"http://lms.test:{port}/").status == 200
    assert len(list(answers)) == 1
    outgoing.close()


def test_a_resolver_that_fails_or_hangs_is_dns() -> None:
    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such name")

    def hang(_host: str, _port: int) -> list[str]:
        time.sleep(2)
        return []

    assert refused(Outgoing(resolve=fail), "https://x.test/") == "dns"
    assert refused(Outgoing(resolve=hang), "https://x.test/", deadline=0.3) == "dns"


@pytest.mark.parametrize(
    "url",
    [
        "http://lms.test/",
        "ftp://lms.test/",
        "file:///etc/passwd",
        "gopher://lms.test/",
        "//lms.test/",
        "lms.test",
        "https://",
        "https://user@lms.test/",
        "https://lms.test:99999/",
        "https://lms.test/a b",
        "https://lms.test/\r\nX: y",
        "https://lms.test\\@evil.test/",
        "https://tést.test/",
        "https://[::1",
        "",
    ],
)
def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises(OutgoingError) as error:
        check_url(url)
    assert error.value.code == "url_not_allowed"


def test_only_allowed_hosts_are_asked() -> None:
    allowed = ["lms.test:443", "*.schoology.com", "api.test:8443"]
    for url in (
        "https://lms.test/",
        "https://LMS.test:443/x",
        "https://a.b.schoology.com/",
        "https://api.test:8443/",
    ):
        check_url(url, allowed_hosts=allowed)
    for url in (
        "https://lms.test:444/",
        "https://schoology.com/",
        "https://evilschoology.com/",
        "https://api.test/",
    ):
        with pytest.raises(OutgoingError):
            check_url(url, allowed_hosts=allowed)


def test_host_patterns() -> None:
    assert host_matches("lms.test", 8443, ["lms.test"])
    assert host_matches("lms.test.", 443, ["LMS.test:443"])
    assert host_matches("::1", 5000, ["[::1]:5000"])
    assert not host_matches("lms.test", 443, ["lms.test:8443", "*.lms.test", ""])


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d822", True),
        ("2002:0a00:0001::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public
