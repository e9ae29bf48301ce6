"""Mails to a real SMTP server, with and without TLS, and what is made of its refusals."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from microcred.mail import FolderMailer, MailFailed, SmtpMailer, address_of, mailer_for


class Box:
    """Keeps what arrives; refuses as told."""

    def __init__(self, rcpt: str = "250 OK", data: str = "250 OK") -> None:
        self.rcpt, self.data = rcpt, data
        self.mails: list[bytes] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.mails.append(envelope.content)
            self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return self.data


@contextmanager
def serving(box: Box, **options: Any) -> Iterator[int]:
    """A mail server on a free port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and the side of somebody who trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context()
    client.load_verify_locations(pem)
    return server, client


def mail() -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Micro-credentials <no-reply@tool.example.org>"
    message["To"] = "terry@school.example"
    message["Subject"] = "You earned “Idea Shaper”"
    message["Message-ID"] = "<n1@tool.example.org>"
    message.set_content("Übung macht den Meister.\n.\nA line of one dot stands above.\n")
    return message


def refused(mailer: SmtpMailer) -> MailFailed:
    with pytest.raises(MailFailed) as caught:
        mailer.send(mail())
    return caught.value


def test_a_mail_arrives_whole() -> None:
    box = Box()
    with serving(box) as port:
        SmtpMailer("127.0.0.1", port).send(mail())
    (content,) = box.mails
    arrived = message_from_bytes(content)
    assert arrived["Message-ID"] == "<n1@tool.example.org>"
    body = arrived.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "Übung macht den Meister.\r\n.\r\nA line" in body.decode()


def test_tls_is_used_where_the_server_offers_it(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = tls
    box = Box()
    with serving(box, tls_context=server) as port:
        mailer = SmtpMailer("127.0.0.1", port, trust=client)
        mailer.send(mail())
        assert mailer.check().endswith("with TLS")
    assert box.encrypted == [True]


def test_tls_from_the_first_byte(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = tls
    box = Box()
    with serving(box, ssl_context=server) as port:
        SmtpMailer("127.0.0.1", port, from_the_start=True, trust=client).send(mail())
    assert box.encrypted == [True]


def test_a_certificate_nobody_vouches_for_gets_no_mail(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    box = Box()
    with serving(box, tls_context=tls[0]) as port:
        assert refused(SmtpMailer("127.0.0.1", port)).code == "mail_certificate_refused"
    assert box.mails == []


def login(_server: SMTP, _session: Any, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (b"tool", b"secret")
    return AuthResult(success=good, handled=False)


def test_a_password_is_sent_by_tls(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server, client = tls
    box = Box()
    options = {"tls_context": server, "authenticator": login, "auth_required": True}
    with serving(box, **options) as port:
        SmtpMailer("127.0.0.1", port, "tool", "secret", trust=client).send(mail())
        wrong = refused(SmtpMailer("127.0.0.1", port, "tool", "wrong", trust=client))
    assert len(box.mails) == 1
    assert wrong.code == "mail_login_refused"


def test_a_password_is_never_sent_in_the_clear_to_another_machine() -> None:
    asked: list[object] = []

    def listen(*given: object) -> AuthResult:
        asked.append(given)
        return AuthResult(success=True)

    # 127.0.0.2 is this machine under a name that the mailer does not know as such.
    with serving(Box(), authenticator=listen, auth_require_tls=False) as port:
        relay = socket.create_server(("127.0.0.2", 0))
        thread = threading.Thread(target=_relay, args=(relay, port), daemon=True)
        thread.start()
        assert (
            refused(SmtpMailer("127.0.0.2", relay.getsockname()[1], "tool", "secret")).code == "mail_no_tls"
        )
        relay.close()
        thread.join(5)
    assert asked == []


def _relay(listener: socket.socket, port: int) -> None:
    """Pass one connection through."""
    near, _ = listener.accept()
    far = socket.create_connection(("127.0.0.1", port))

    def copy(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):  # whichever side ends first
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=copy, args=(far, near), daemon=True)
    back.start()
    copy(near, far)
    back.join(5)
    near.close()
    far.close()


@pytest.mark.parametrize(
    ("box", "code", "is_final"),
    [
        (Box(rcpt="550 No such person"), "mail_address_refused", True),
        (Box(rcpt="451 Come back later"), "mail_put_off", False),
        (Box(data="554 Looks like junk"), "mail_refused", True),
        (Box(data="452 Disk full"), "mail_put_off", False),
    ],
)
def test_what_a_server_refuses_was_not_sent(box: Box, code: str, is_final: bool) -> None:
    with serving(box) as port:
        failed = refused(SmtpMailer("127.0.0.1", port))
    assert (failed.code, failed.is_final, failed.is_unknown) == (code, is_final, False)


def test_a_server_that_is_not_there_can_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    failed = refused(SmtpMailer("127.0.0.1", port))
    assert (failed.code, failed.is_final) == ("mail_server_away", False)


@pytest.mark.parametrize("says_goodbye", [True, False], ids=["hangs up", "falls silent"])
def test_a_line_that_breaks_after_the_text_leaves_its_fate_unknown(says_goodbye: bool) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        line, _ = listener.accept()
        with line, line.makefile("rb") as heard:
            line.sendall(b"220 here\r\n")
            for words in heard:
                if words.upper().startswith(b"DATA"):
                    line.sendall(b"354 go on\r\n")
                elif words == b".\r\n":
                    break
                elif words.upper().startswith((b"EHLO", b"MAIL", b"RCPT")):
                    line.sendall(b"250 yes\r\n")
            if not says_goodbye:
                done.wait(10)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    failed = refused(SmtpMailer("127.0.0.1", listener.getsockname()[1], seconds=0.5))
    done.set()
    thread.join(5)
    listener.close()
    assert (failed.code, failed.is_unknown) == ("mail_fate_unknown", True)


def test_a_folder_takes_each_mail_once(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path / "mails")
    mailer.send(mail())
    mailer.send(mail())
    (file,) = (tmp_path / "mails").iterdir()
    assert file.name == "n1.eml"
    assert message_from_bytes(file.read_bytes())["To"] == "terry@school.example"


def test_addresses_of_the_setting() -> None:
    assert mailer_for(None) is None
    assert mailer_for("file:///var/mails") == FolderMailer(Path("/var/mails"))
    assert mailer_for("smtp://u%40x:p%2Fw@mail.example.org") == SmtpMailer(
        "mail.example.org", 587, "u@x", "p/w"
    )
    assert mailer_for("smtps://mail.example.org:4650") == SmtpMailer(
        "mail.example.org", 4650, from_the_start=True
    )


@pytest.mark.parametrize("url", ["mail.example.org", "http://x.example", "smtp://", "file://", "smtp://h/x"])
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="must be an address such as"):
        mailer_for(url)


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("terry@school.example", "terry@school.example"),
        (" terry@school.example ", "terry@school.example"),
        ("terry@school.example\r\nBcc: all@x.example", None),
        ("a@x.example, b@x.example", None),
        ("Terry <terry@school.example>", None),
        ("terry", None),
        ("terry@localhost", None),
        ("", None),
        ("töni@school.example", None),
    ],
)
def test_only_one_plain_address_counts(text: str, usable: str | None) -> None:
    assert address_of(text) == usable
