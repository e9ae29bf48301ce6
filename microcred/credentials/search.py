"""Finding published credentials: by words, page by page, within what an organization may see."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased

from microcred.credentials.errors import NotInCatalogue
from microcred.credentials.models import Credential, CredentialVersion
from microcred.credentials.schema import BadgeArt, MicroCredential, Stack
from microcred.people.models import Organization

MAX_LIMIT = 100
MAX_WORDS = 20
_WORD = re.compile(r"[^\W_](?:\S*[^\W_])?")
_PIECE = re.compile(r"[^\W_]+")
_BAND = re.compile(r" grade:([^ ;]+);")


@dataclass(frozen=True)
class Entry:
    """A published version as lists show it; `public_id` is its name in addresses and forms."""

    version_id: int
    public_id: str
    key: str
    kind: str
    code: str
    version: str
    title: str
    one_line: str
    clock_hours: int
    issuer_id: int
    issuer_name: str
    grade_bands: tuple[str, ...]
    subject_areas: tuple[str, ...]
    tags: tuple[str, ...]
    requires_students: bool
    badge: BadgeArt


@dataclass(frozen=True)
class Narrowing:
    """What a search is narrowed to beside its words; everything left empty narrows nothing."""

    topic: str = ""
    """Beginnings of words of tags and subject areas."""
    standard: str = ""
    """Beginnings of words of the framework, code or label of a standard."""
    grade_band: str = ""
    """One of `grade_bands`."""
    hours_at_most: int | None = None
    why: frozenset[str] = frozenset()
    """Of `WHY`: an entry that gives any of these reasons."""


@dataclass(frozen=True)
class Page:
    """Some entries, and the key to ask for those after them; None at the end."""

    entries: tuple[Entry, ...]
    next_key: str | None


def search(
    session: Session,
    organization_id: int | None,
    text: str | None = None,
    limit: int = 20,
    after_key: str | None = None,
    kind: str = "micro_credential",
    narrowing: Narrowing = Narrowing(),
) -> Page:
    """Published credentials by title, the newest published version of each, at most `limit` (1 to 100).

    An organization sees its own and those of organizations that share theirs; None sees the shared ones.
    Every word of `text` must begin a word of the entry (title, code, one line, tags, subjects, grades,
    standards). A stale `after_key` begins again at the first page.
    """
    query = _visible(organization_id).where(Credential.kind == kind, ~_has_newer(), *_narrowed(narrowing))
    for word in words_of(text or "")[:MAX_WORDS]:
        query = query.where(_finds(f" {word}"))
    last = after_key and session.scalar(
        select(CredentialVersion).where(CredentialVersion.public_id == after_key)
    )
    if last:
        query = query.where(_after(last))
    limit = max(1, min(limit, MAX_LIMIT))
    query = query.order_by(CredentialVersion.title, CredentialVersion.id).limit(limit + 1)
    entries = [_entry(version, credential, issuer) for version, credential, issuer in session.execute(query)]
    return Page(tuple(entries[:limit]), entries[limit - 1].public_id if len(entries) > limit else None)


def newest_of(
    session: Session, organization_id: int | None, keys: Sequence[str]
) -> Mapping[str, CredentialVersion]:
    """The newest published version of each micro-credential (by catalogue key) that the organization may
    see.
    """
    query = _visible(organization_id).where(Credential.key.in_(keys), ~_has_newer())
    return {credential.key: version for version, credential, _ in session.execute(query)}


def grade_bands(session: Session, organization_id: int | None) -> tuple[str, ...]:
    """The grade bands that any entry of the organization's catalogue names, as `Narrowing` takes them."""
    texts = session.scalars(
        _visible(organization_id).with_only_columns(CredentialVersion.search_text).where(~_has_newer())
    )
    found = {band for text in texts for band in _BAND.findall(text)}
    return tuple(sorted(found, key=lambda band: (not band.startswith(("pk", "k")), len(band), band)))


def published_version(session: Session, organization_id: int | None, public_id: str) -> CredentialVersion:
    """The published version with this public id, if the organization may see it. Raises NotInCatalogue."""
    query = _visible(organization_id).where(CredentialVersion.public_id == public_id)
    row = session.execute(query).first()
    if row is None:
        raise NotInCatalogue("version_unknown", "This micro-credential is not in your catalogue.")
    return row[0]


def search_text(document: MicroCredential | Stack) -> str:
    """The words an entry is found by, each with a space before it: `ci-101`, and also `ci` and `101`. Words
    of a field of its own follow with its name: `topic:`, `standard:`, `grade:`, `why:`; the last two end
    with a semicolon, since they are found whole.
    """
    texts = [document.title, document.code, document.code.replace("-", ""), document.one_line]
    if isinstance(document, MicroCredential):
        texts += [*document.tags, *document.subject_areas, *document.grade_bands]
        texts += [f"{item.framework} {item.code} {item.label}" for item in document.standards_alignment]
    words = words_of(" ".join(texts))
    pieces = [piece for word in words for piece in _PIECE.findall(word)]
    return "".join(f" {word}" for word in dict.fromkeys([*words, *pieces, *_marked(document)]))


def _marked(document: MicroCredential | Stack) -> Iterator[str]:
    if isinstance(document, MicroCredential):
        for word in words_of(" ".join([*document.tags, *document.subject_areas])):
            yield f"topic:{word}"
        for item in document.standards_alignment:
            yield from (f"standard:{word}" for word in words_of(f"{item.framework} {item.code} {item.label}"))
        for band in document.grade_bands:
            yield f"grade:{_slug(band)};"
        for reason in document.why:
            yield f"why:{reason};"


def _slug(text: str) -> str:
    return "-".join(words_of(text))


def _narrowed(narrowing: Narrowing) -> Iterator[ColumnElement[bool]]:
    for name, text in (("topic", narrowing.topic), ("standard", narrowing.standard)):
        for word in words_of(text)[:MAX_WORDS]:
            yield _finds(f" {name}:{word}")
    if narrowing.grade_band:
        yield _finds(f" grade:{_slug(narrowing.grade_band)};")
    if narrowing.hours_at_most is not None:
        yield CredentialVersion.clock_hours <= narrowing.hours_at_most
    if narrowing.why:
        yield or_(*(_finds(f" why:{reason};") for reason in sorted(narrowing.why)))


def _finds(mark: str) -> ColumnElement[bool]:
    return CredentialVersion.search_text.contains(mark, autoescape=True)


def _has_newer() -> ColumnElement[bool]:
    newer = aliased(CredentialVersion)
    return (
        select(newer.id)
        .where(newer.credential_id == CredentialVersion.credential_id, newer.state == "published")
        .where(newer.id > CredentialVersion.id)
        .exists()
    )


def words_of(text: str) -> list[str]:
    """The words of `text` as they are compared: lower case, accents and outer punctuation taken off."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _WORD.findall(plain.casefold())


def _visible(organization_id: int | None) -> "Select[CredentialVersion, Credential, Organization]":
    allowed = or_(Organization.shares_catalogue, Organization.id == organization_id)
    return (
        select(CredentialVersion, Credential, Organization)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .join(Organization, Organization.id == Credential.issuer_id)
        .where(CredentialVersion.state == "published", allowed)
    )


def _after(last: CredentialVersion) -> ColumnElement[bool]:
    return or_(
        CredentialVersion.title > last.title,
        and_(CredentialVersion.title == last.title, CredentialVersion.id > last.id),
    )


def _entry(version: CredentialVersion, credential: Credential, issuer: Organization) -> Entry:
    document = version.document
    return Entry(
        version_id=version.id,
        public_id=version.public_id,
        key=credential.key,
        kind=credential.kind,
        code=version.code,
        version=version.version,
        title=version.title,
        one_line=document["one_line"],
        clock_hours=version.clock_hours,
        issuer_id=issuer.id,
        issuer_name=issuer.name,
        grade_bands=tuple(document.get("grade_bands", ())),
        subject_areas=tuple(document.get("subject_areas", ())),
        tags=tuple(document.get("tags", ())),
        requires_students=document.get("requires_students", False),
        badge=BadgeArt.model_validate(document["badge"]),
    )
