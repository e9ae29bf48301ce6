"""Sending one mail: by SMTP, or into a folder of `.eml` files. The address of either is `MICROCRED_MAIL_URL`.

`smtp://user:password@host:587` begins in plain text and turns to TLS where the server offers it; a password
is never sent without TLS except to this machine itself. `smtps://host:465` is TLS from the first byte.
`file:///folder` writes each mail into a file, for trying out.
"""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address, BaseHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

_SECONDS = 20.0
"""To connect, and for every answer of the server."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"smtp": 587, "smtps": 465}


class MailFailed(Exception):
    """The mail was not sent. `code` is a short name; `is_final` says that trying again is pointless.

    `is_unknown`: the connection broke after the text had been handed over, so it may have been sent.
    """

    def __init__(self, code: str, *, is_final: bool = False, is_unknown: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_final = is_final
        self.is_unknown = is_unknown


class Mailer(Protocol):
    """Sends mails."""

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over. Raises MailFailed."""

    def check(self) -> str:
        """Say in words that the server can be reached. Raises MailFailed."""


@dataclass(frozen=True)
class SmtpMailer:
    """A mail server."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    from_the_start: bool = False
    """TLS from the first byte (`smtps`)."""
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False, compare=False)
    seconds: float = _SECONDS

    def send(self, message: EmailMessage) -> None:
        """Send by one connection of its own. Raises MailFailed."""
        with _named():
            server = self._open()
        try:
            _hand_over(server, message)
        finally:
            _leave(server)

    def check(self) -> str:
        """Connect, turn to TLS, log in. Raises MailFailed."""
        with _named():
            server = self._open()
        encrypted = isinstance(server.sock, ssl.SSLSocket)
        _leave(server)
        return f"{self.host}:{self.port} answers, {'with' if encrypted else 'without'} TLS"

    def _open(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self.from_the_start:
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=self.trust)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        try:
            server.ehlo()
            if not self.from_the_start and server.has_extn("starttls"):
                server.starttls(context=self.trust)
                server.ehlo()
            if self.user:
                if not isinstance(server.sock, ssl.SSLSocket) and self.host not in _LOOPBACK:
                    raise MailFailed("mail_no_tls", is_final=True)
                server.login(self.user, self.password)
        except BaseException:
            _leave(server)
            raise
        return server


@dataclass(frozen=True)
class FolderMailer:
    """A folder that takes each mail as an `.eml` file, which mail programs open."""

    folder: Path

    def send(self, message: EmailMessage) -> None:
        """Write the mail; the same mail lands in the same file. Raises MailFailed."""
        name = "".join(c for c in str(message["Message-ID"]).split("@")[0] if c.isalnum() or c in "-_")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{name}.eml").write_bytes(message.as_bytes(policy=SMTP))
        except OSError as error:
            raise MailFailed("mail_folder_unusable") from error

    def check(self) -> str:
        """Say where mails go. Raises MailFailed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MailFailed("mail_folder_unusable") from error
        return f"mails are written into {self.folder}"


def mailer_for(url: str | None) -> Mailer | None:
    """The mailer of a setting; None without one. Raises ValueError with what is wrong about the address."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.strip("/"):
        return FolderMailer(Path(unquote(parts.path)))
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(
            "must be an address such as smtp://user:password@mail.example.org:587, "
            "smtps://mail.example.org or file:///var/mails"
        )
    return SmtpMailer(
        parts.hostname,
        parts.port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.scheme == "smtps",
    )


def address_of(text: str) -> str | None:
    """An e-mail address as it may stand in a header; None for anything that is not exactly one."""
    try:
        found = Address(addr_spec=text.strip())
    except (ValueError, IndexError):
        return None
    usable = found.username and "." in found.domain and found.addr_spec.isascii()
    return found.addr_spec if usable else None


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A header with a long address in it: folded as the library does, mail programs could not read it."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def offer_unsubscribing(message: EmailMessage, url: str) -> None:
    """Let mail programs offer to stop such mails with one click: a POST to `url` (RFC 8058)."""
    message["List-Unsubscribe"] = _Unfolded("List-Unsubscribe", f"<{url}>")
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


class _named:  # noqa: N801 - a context manager, used like a function
    """Turns what smtplib raises before the text is handed over into MailFailed: nothing was sent."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        match error:
            case smtplib.SMTPAuthenticationError():
                raise MailFailed("mail_login_refused", is_final=True) from error
            case ssl.SSLCertVerificationError():
                raise MailFailed("mail_certificate_refused", is_final=True) from error
            case smtplib.SMTPException() | OSError():
                raise MailFailed("mail_server_away") from error
            case _:
                return


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    """One recipient, step by step: only a break after the text was begun leaves the mail's fate unknown."""
    with _named():
        _judge("mail_refused", *server.mail(message["From"].addresses[0].addr_spec))
        _judge("mail_address_refused", *server.rcpt(message["To"].addresses[0].addr_spec))
    try:
        answer = server.data(message.as_bytes(policy=SMTP))
    except smtplib.SMTPDataError as refused:  # said before the text was sent
        answer = (refused.smtp_code, b"")
    except (smtplib.SMTPException, OSError) as broken:
        raise MailFailed("mail_fate_unknown", is_unknown=True) from broken
    _judge("mail_refused", *answer)


def _judge(refusal: str, status: int, _words: bytes) -> None:
    """Raises MailFailed unless the server said yes (RFC 5321: 4yz is worth another try, 5yz is not)."""
    if status >= 500:
        raise MailFailed(refusal, is_final=True)
    if not 200 <= status < 300:
        raise MailFailed("mail_put_off")


def _leave(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
