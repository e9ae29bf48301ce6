"""What authors and approvers see of drafts: the lists, one draft with its problems, text to download."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials.catalogue import to_yaml
from microcred.credentials.definition import document_of, head_of
from microcred.credentials.entries import Kind, data_of, parse_entry
from microcred.credentials.errors import CatalogueRefused, Problem
from microcred.credentials.models import Catalogue, Credential, CredentialDraft, CredentialVersion
from microcred.credentials.quality import warnings
from microcred.credentials.schema import CatalogueFile, MicroCredential, Stack
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound
from microcred.people.models import Organization, Person
from microcred.placements import Placement

MOST = 200
"""Drafts, and versions, shown at once."""
WRITES = ("author",)
SIGNS = ("author", "approver")


@dataclass(frozen=True)
class Row:
    """A draft in the list."""

    public_id: str
    title: str
    kind: str
    issuer: str
    saved_at: datetime
    is_signed: bool
    published_at: datetime | None


@dataclass(frozen=True)
class Published:
    """A version that stands, from which a new one can begin."""

    public_id: str
    title: str
    code: str
    version: str
    state: str


@dataclass(frozen=True)
class Draft:
    """One draft with all that its pages show."""

    public_id: str
    kind: Kind
    issuer: str
    title: str
    text: str
    revision: int
    data: dict[str, Any] | None
    """Its members, right or wrong; None where the text is no YAML."""
    document: MicroCredential | Stack | None
    """None while something is wrong."""
    head: CatalogueFile
    problems: tuple[Problem, ...]
    warnings: tuple[tuple[str, str], ...]
    confirmed: tuple[str, ...]
    signed_by: str | None
    signed_at: datetime | None
    is_signed: bool
    """Whether the present text is the one that was signed."""
    may_sign: bool
    published_at: datetime | None
    courses_before: int
    """Courses that use an earlier version and keep it."""


def lists(
    session: Session, actor: Actor
) -> tuple[Sequence[Row], Sequence[Published], Sequence[tuple[str, str]]]:
    """Drafts, published versions, and the issuers (code, name) to write for. Raises NotAllowed."""
    issuers = issuers_of(actor, SIGNS)
    writes = frozenset[int]().union(*(actor.organizations(role) for role in WRITES))
    rows = session.execute(
        select(CredentialDraft, Organization.name)
        .join(Organization, Organization.id == CredentialDraft.issuer_id)
        .where(CredentialDraft.issuer_id.in_(issuers), CredentialDraft.discarded_at.is_(None))
        .order_by(CredentialDraft.published_at.is_not(None), CredentialDraft.id.desc())
        .limit(MOST)
    ).all()
    versions = session.scalars(
        select(CredentialVersion)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(Credential.issuer_id.in_(issuers), CredentialVersion.state != "draft")
        .order_by(CredentialVersion.title, CredentialVersion.id.desc())
        .limit(MOST)
    ).all()
    return (
        [
            Row(
                draft.public_id,
                draft.title,
                draft.kind,
                name,
                draft.saved_at,
                draft.signed_digest == digest_of(draft.text),
                draft.published_at,
            )
            for draft, name in rows
        ],
        [Published(v.public_id, v.title, v.code, v.version, v.state) for v in versions],
        [
            (one.code, one.name)
            for issuer_id in sorted(writes)
            if (one := session.get_one(Organization, issuer_id))
        ],
    )


def version_text(session: Session, actor: Actor, public_id: str) -> tuple[str, str]:
    """A published version as YAML, and a name for the file. Raises NotFound, NotAllowed."""
    found = session.execute(
        select(CredentialVersion, Credential.key)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(
            CredentialVersion.public_id == public_id,
            CredentialVersion.state != "draft",
            Credential.issuer_id.in_(issuers_of(actor, SIGNS)),
        )
    ).one_or_none()
    if found is None:
        raise NotFound("no_such_version", "There is no such credential of yours here.")
    version, key = found
    return to_yaml(document_of(version).as_data()), f"{key}-{version.version}"


def open_draft(session: Session, actor: Actor, public_id: str) -> Draft:
    """A draft with its problems and warnings. Raises NotFound."""
    row = draft_row(session, actor, public_id)
    issuer = session.get_one(Organization, row.issuer_id)
    catalogue = session.get_one(Catalogue, row.catalogue_id)
    head, kind = head_of(catalogue), cast(Kind, row.kind)
    problems: Sequence[Problem] = ()
    document = None
    try:
        document = parsed(session, row, issuer.code, head)
    except CatalogueRefused as refused:
        problems = refused.problems
    data = data_of(row.text)
    signer = session.get(Person, row.signed_by_id) if row.signed_by_id is not None else None
    return Draft(
        row.public_id,
        kind,
        issuer.name,
        row.title,
        row.text,
        row.revision,
        data,
        document,
        head,
        tuple(problems),
        tuple(warnings(document)) if document is not None else (),
        tuple(row.confirmed),
        (signer.name or "Somebody without a name") if signer is not None else None,
        row.signed_at,
        row.signed_digest == digest_of(row.text),
        may_sign(actor, row),
        row.published_at,
        _courses(session, str(data.get("id"))) if data else 0,
    )


def issuers_of(actor: Actor, roles: Sequence[str]) -> frozenset[int]:
    """Organizations in which the actor holds one of the offices. Raises NotAllowed where there is none."""
    found = frozenset[int]().union(*(actor.organizations(role) for role in roles))
    if not found:
        raise NotAllowed("not_an_author", "Your roles do not include writing credentials.")
    return found


def draft_row(session: Session, actor: Actor, public_id: str, *, lock: bool = False) -> CredentialDraft:
    """A draft that the actor may read. Raises NotFound."""
    query = select(CredentialDraft).where(
        CredentialDraft.public_id == public_id,
        CredentialDraft.issuer_id.in_(issuers_of(actor, SIGNS)),
        CredentialDraft.discarded_at.is_(None),
    )
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("no_such_draft", "There is no such draft of yours here.")
    return row


def may_sign(actor: Actor, row: CredentialDraft) -> bool:
    """Whether the actor may sign it off: an office of the issuer, and not whoever saved it last."""
    holds = any(row.issuer_id in actor.organizations(role) for role in SIGNS)
    return holds and row.written_by_id not in actor.person_ids


def parsed(
    session: Session, row: CredentialDraft, issuer: str, head: CatalogueFile
) -> MicroCredential | Stack:
    """The entry that the text holds. Raises CatalogueRefused."""
    keys = session.scalars(
        select(Credential.key).where(
            Credential.catalogue_id == row.catalogue_id, Credential.kind == "micro_credential"
        )
    ).all()
    return parse_entry(row.text, cast(Kind, row.kind), head, issuer=issuer, micro_credentials=keys)


def _courses(session: Session, key: str) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(Placement)
            .join(CredentialVersion, CredentialVersion.id == Placement.version_id)
            .join(Credential, Credential.id == CredentialVersion.credential_id)
            .where(Credential.key == key)
        )
        or 0
    )


def digest_of(text: str) -> str:
    """What a sign-off remembers of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
