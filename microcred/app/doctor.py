"""The self-examination behind `microcred doctor`: each check gives a tick or a sentence that says what to
do.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.models import Registration, ToolKey
from microcred.app.schema import SchemaStale, check, upgrade
from microcred.app.settings import Settings
from microcred.app.trials import try_platforms
from microcred.app.wiring import Assembly, CannotAssemble, assemble
from microcred.mail import MailFailed, mailer_for
from microcred.media import Clamd, ScannerAway, find_ffmpeg
from microcred.outgoing import OutgoingError
from microcred.storage import StorageError

_CLOCK_TOLERANCE = 30.0
_JWKS_LIMIT = 1024 * 1024


@dataclass(frozen=True)
class Finding:
    """What one check found: `ok`, and a sentence for the operator."""

    name: str
    ok: bool
    says: str


def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order an operator would mend things."""
    try:
        assembly = assemble(settings)
    except CannotAssemble as problem:
        return [Finding("settings", False, str(problem))]
    findings = [_settings(settings)]
    try:
        checks: tuple[tuple[str, Callable[[Assembly], str]], ...] = (
            ("database", _database),
            ("redis", _redis),
            ("storage", _storage),
            ("keys", _keys),
            ("public URL", _public_url),
            ("files", _files),
            ("mail", _mail),
        )
        findings += [_run(name, look, assembly) for name, look in checks]
        if all(f.ok for f in findings if f.name == "database"):
            findings += list(_platforms(assembly))
            findings += [Finding(*tried) for tried in try_platforms(assembly)]
    finally:
        assembly.close()
    return findings


class _Bad(Exception):
    pass


def _run(name: str, look: Callable[[Assembly], str], assembly: Assembly) -> Finding:
    try:
        return Finding(name, True, look(assembly))
    except _Bad as bad:
        return Finding(name, False, str(bad))


def _settings(settings: Settings) -> Finding:
    engine = "SQLite, one machine" if settings.embedded else "PostgreSQL"
    return Finding("settings", True, f"public address {settings.public_url}, {engine}")


def _database(assembly: Assembly) -> str:
    try:
        with assembly.database.reading() as session:
            session.execute(text("SELECT 1"))
        if assembly.settings.embedded:  # as every start does
            upgrade(assembly.database)
        check(assembly.database)
    except SchemaStale as stale:
        raise _Bad(str(stale)) from stale
    except SQLAlchemyError as error:
        raise _Bad("cannot be reached; check MICROCRED_DATABASE_URL and that the server runs") from error
    return "reached, schema as it should be"


def _redis(assembly: Assembly) -> str:
    if assembly.redis is None:
        return "not set; caches are kept in the process"
    try:
        assembly.redis.ping()
    except RedisError as error:
        raise _Bad("cannot be reached; check MICROCRED_REDIS_URL. Work goes on without it, slower") from error
    return "reached"


def _storage(assembly: Assembly) -> str:
    try:
        assembly.storage.check()
    except (StorageError, OSError) as error:
        raise _Bad(
            f"cannot be written and read back ({type(error).__name__}); check MICROCRED_STORAGE_URL"
        ) from error
    return "written and read back"


def _files(assembly: Assembly) -> str:
    """What evidence is prepared with."""
    if find_ffmpeg() is None:
        raise _Bad("no ffmpeg found: recordings of phones will not play in browsers. Install ffmpeg")
    url = assembly.settings.clamd_url
    if url is None:
        return "ffmpeg found; no malware scan (MICROCRED_CLAMD_URL is not set)"
    try:
        Clamd(url).ping()
    except ScannerAway as away:
        raise _Bad("clamd does not answer; new files stay locked away. Check MICROCRED_CLAMD_URL") from away
    return "ffmpeg found, clamd answers"


def _keys(assembly: Assembly) -> str:
    try:
        with assembly.database.reading() as session:
            rows = session.scalars(select(ToolKey)).all()
            stale = assembly.badges.unopened_keys(session)
    except SQLAlchemyError as error:
        raise _Bad("cannot be read from the database") from error
    stale += [row.kid for row in rows if not assembly.lti.keys.opens(row)]
    if stale:
        raise _Bad(
            f"not opened by MICROCRED_SECRET_KEYS: {', '.join(stale)}. Put back the secret that sealed them"
        )
    return f"{len(rows)} tool keys, all can be opened" if rows else "none yet; the first start makes one"


def _public_url(assembly: Assembly) -> str:
    parts = urlsplit(assembly.settings.public_url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise _Bad(
            "is not https: browsers will not keep the tool's cookies inside an LMS. Set MICROCRED_PUBLIC_URL"
        )
    return assembly.settings.public_url


def _mail(assembly: Assembly) -> str:
    mailer = mailer_for(assembly.settings.mail_url)
    if mailer is None:
        return "not set; people read notices on their pages alone"
    try:
        return mailer.check()
    except MailFailed as failed:
        raise _Bad(f"cannot be used ({failed.code}); check MICROCRED_MAIL_URL") from failed


def _platforms(assembly: Assembly) -> Iterator[Finding]:
    with assembly.database.reading() as session:
        registrations = session.scalars(select(Registration).where(Registration.state == "approved")).all()
    for registration in registrations:
        name = f"platform {registration.name}"
        asked = assembly.clock.now()
        try:
            answer = assembly.outgoing.request(
                "GET",
                registration.jwks_url,
                headers={"Accept": "application/json"},
                deadline=10,
                max_bytes=_JWKS_LIMIT,
            )
        except OutgoingError as error:
            yield Finding(
                name,
                False,
                f"its key set cannot be read ({error.code}); check its JWKS address and the network",
            )
            continue
        if answer.status != 200:
            yield Finding(name, False, f"its key set answers {answer.status}; check its JWKS address")
            continue
        yield Finding(name, True, "its key set can be read")
        yield _clock(name, answer.headers.get("Date"), asked)


def _clock(name: str, date: str | None, asked: datetime) -> Finding:
    title = f"clock against {name}"
    if date is None:
        return Finding(title, True, "the platform does not say its time")
    theirs = parsedate_to_datetime(date).astimezone(UTC)
    apart = abs((theirs - asked).total_seconds())
    if apart > _CLOCK_TOLERANCE:
        return Finding(title, False, f"{apart:.0f} seconds apart; set this machine's clock by NTP")
    return Finding(title, True, "agrees")
