"""Writing credentials in the browser: drafts, checking, sign-off by a second person, publishing.

The text of a draft is YAML, the same that `catalogue import` reads; the form of a section changes that part
of it. Nothing that teachers see changes until a draft is published, and then as a new version: courses keep
the version they have.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from microcred.credentials.catalogue import import_catalogue, to_yaml
from microcred.credentials.definition import document_of, head_of
from microcred.credentials.entries import Kind, data_of
from microcred.credentials.errors import CatalogueRefused
from microcred.credentials.models import Catalogue, Credential, CredentialDraft, CredentialVersion
from microcred.credentials.quality import CHECKLIST
from microcred.credentials.schema import CatalogueFile, MicroCredential, Stack
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_drafts import WRITES, digest_of, draft_row, issuers_of, may_sign, parsed
from microcred.people import audit
from microcred.people.models import Organization

LONGEST = 400_000


class StaleDraft(OperationRefused):
    """The draft was saved elsewhere since the page was opened; what was sent has not been stored."""

    def __init__(self, revision: int) -> None:
        super().__init__(
            "draft_changed_elsewhere",
            "This draft was saved in another place meanwhile. Nothing was overwritten: what you wrote is "
            "still below. Save again to put it in.",
        )
        self.revision = revision


def begin(session: Session, actor: Actor, *, issuer: str, kind: Kind, text: str, now: datetime) -> str:
    """A new draft with a text of its own; gives its public id. Raises NotAllowed, OperationRefused."""
    organization = session.scalar(select(Organization).where(Organization.code == issuer))
    if organization is None or organization.id not in issuers_of(actor, WRITES):
        raise NotAllowed("not_an_author", "You do not write for this organization.")
    if kind not in ("micro_credential", "stack"):
        raise OperationRefused("unknown_kind", "That is neither a micro-credential nor a stack.")
    catalogue = _catalogue_of(session, organization)
    text = _clean(text)
    draft = CredentialDraft(
        issuer_id=organization.id,
        catalogue_id=catalogue.id,
        kind=kind,
        title=_title(text),
        text=text,
        revision=1,
        written_by_id=actor.own_id,
        created_at=now,
        saved_at=now,
    )
    session.add(draft)
    session.flush()
    _record(session, actor, draft, "draft_begun", now)
    return draft.public_id


def begin_version(session: Session, actor: Actor, *, public_id: str, now: datetime) -> str:
    """A draft of the version after a published one. Raises NotFound, NotAllowed."""
    version = session.scalar(select(CredentialVersion).where(CredentialVersion.public_id == public_id))
    if version is None:
        raise NotFound("no_such_version", "There is no such credential.")
    credential = session.get_one(Credential, version.credential_id)
    issuer = session.get_one(Organization, credential.issuer_id)
    data = document_of(version).as_data()
    taken = set(
        session.scalars(
            select(CredentialVersion.version).where(CredentialVersion.credential_id == credential.id)
        )
    )
    data |= {"version": _next_version(version.version, taken), "status": "draft"}
    kind = cast(Kind, credential.kind)
    return begin(session, actor, issuer=issuer.code, kind=kind, text=to_yaml(data), now=now)


def save(session: Session, actor: Actor, public_id: str, *, text: str, revision: int, now: datetime) -> None:
    """Keep the text, right or wrong. Raises StaleDraft, NotFound, OperationRefused."""
    row = draft_row(session, actor, public_id, lock=True)
    _writer(actor, row)
    text = _clean(text)
    if text == row.text:
        return
    if row.revision != revision:
        raise StaleDraft(row.revision)
    row.text, row.title, row.saved_at, row.written_by_id = text, _title(text), now, actor.own_id
    row.revision += 1
    session.flush()


def save_members(
    session: Session, actor: Actor, public_id: str, *, members: dict[str, Any], revision: int, now: datetime
) -> None:
    """Keep the members of a section; the others stay as they are. Raises as `save`."""
    row = draft_row(session, actor, public_id, lock=True)
    data = data_of(row.text)
    if data is None:
        raise OperationRefused(
            "no_members", "The text of this draft cannot be read as YAML. Mend it in the YAML editor first."
        )
    for name, value in members.items():
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value
    known = MicroCredential if row.kind == "micro_credential" else Stack
    ordered = {name: data[name] for name in known.model_fields if name in data}
    ordered |= {name: value for name, value in data.items() if name not in ordered}
    save(session, actor, public_id, text=to_yaml(ordered), revision=revision, now=now)


def sign_off(
    session: Session,
    actor: Actor,
    public_id: str,
    *,
    confirmed: Collection[str],
    revision: int,
    now: datetime,
) -> None:
    """Confirm the quality checklist for the present text, by somebody who did not write it.

    Raises NotAllowed, StaleDraft, OperationRefused (`problems_left`, `checklist_open`).
    """
    row = draft_row(session, actor, public_id, lock=True)
    _open(row)
    if not may_sign(actor, row):
        raise NotAllowed(
            "wrote_it", "Whoever saved a draft last does not sign it off. Ask a colleague of the issuer."
        )
    if row.revision != revision:
        raise OperationRefused(
            "draft_changed_elsewhere",
            "The draft was changed while you read it. Read it once more, then sign.",
        )
    _checked(session, row)
    if not {key for key, _ in CHECKLIST} <= set(confirmed):
        raise OperationRefused(
            "checklist_open", "Confirm every statement of the checklist, or ask the author to mend it first."
        )
    row.confirmed = [key for key, _ in CHECKLIST]
    row.signed_by_id, row.signed_at, row.signed_digest = actor.own_id, now, digest_of(row.text)
    session.flush()
    _record(session, actor, row, "draft_signed", now, digest=row.signed_digest)


def publish(session: Session, actor: Actor, public_id: str, *, now: datetime) -> str:
    """Publish a signed draft as a version of its catalogue; gives the version's public id. A second press
    changes nothing. Courses keep the version they have.

    Raises OperationRefused (`not_signed`, `problems_left`), NotFound; CatalogueRefused where the catalogue
    forbids it (a version of that name is published).
    """
    row = draft_row(session, actor, public_id, lock=True)
    if row.version_id is not None:
        return session.get_one(CredentialVersion, row.version_id).public_id
    _open(row)
    document = _checked(session, row)
    if row.signed_digest != digest_of(row.text):
        raise OperationRefused(
            "not_signed", "A colleague has to sign off this text before it is published. Nothing was changed."
        )
    catalogue = session.get_one(Catalogue, row.catalogue_id)
    section = "stacks" if isinstance(document, Stack) else "micro_credentials"
    entry = document.as_data() | {"status": "published"}
    file = CatalogueFile.model_validate(head_of(catalogue).as_data() | {section: [entry]})
    last = session.scalar(select(func.max(CredentialVersion.position))) or 0
    import_catalogue(session, file, now=now)
    version = session.scalars(
        select(CredentialVersion)
        .join(Credential, Credential.id == CredentialVersion.credential_id)
        .where(Credential.key == document.id, CredentialVersion.version == document.version)
    ).one()
    version.position = last + 1
    row.version_id, row.published_at = version.id, now
    session.flush()
    _record(session, actor, row, "credential_published", now, digest=row.signed_digest or "")
    return version.public_id


def discard(session: Session, actor: Actor, public_id: str, *, now: datetime) -> None:
    """Put a draft away. Raises NotFound, OperationRefused."""
    row = draft_row(session, actor, public_id, lock=True)
    _writer(actor, row)
    row.discarded_at = now
    _record(session, actor, row, "draft_discarded", now)


def _writer(actor: Actor, row: CredentialDraft) -> None:
    if not any(row.issuer_id in actor.organizations(role) for role in WRITES):
        raise NotAllowed("not_an_author", "Your roles do not include writing this credential.")
    _open(row)


def _open(row: CredentialDraft) -> None:
    if row.published_at is not None:
        raise OperationRefused(
            "draft_published", "This draft is published and stays as it is. Begin a new version to change it."
        )


def _checked(session: Session, row: CredentialDraft) -> MicroCredential | Stack:
    issuer = session.get_one(Organization, row.issuer_id)
    head = head_of(session.get_one(Catalogue, row.catalogue_id))
    try:
        return parsed(session, row, issuer.code, head)
    except CatalogueRefused as refused:
        count = len(refused.problems)
        raise OperationRefused(
            "problems_left",
            f"{'One thing is' if count == 1 else f'{count} things are'} still wrong. Nothing was changed.",
        ) from refused


def _catalogue_of(session: Session, organization: Organization) -> Catalogue:
    """The catalogue in which the organization is an issuer. Raises OperationRefused."""
    for catalogue in session.scalars(select(Catalogue).order_by(Catalogue.id)):
        if any(issuer.id == organization.code for issuer in head_of(catalogue).issuers):
            return catalogue
    raise OperationRefused(
        "no_catalogue",
        f"{organization.name} issues nothing yet: import a catalogue in which it is an issuer first.",
    )


def _next_version(version: str, taken: Collection[str]) -> str:
    """`1.0` gives `1.1`, or the next that is free."""
    front, _, last = version.rpartition(".")
    number = int(last) if last.isdigit() else 0
    stem = front if last.isdigit() else version
    while True:
        number += 1
        name = f"{stem}.{number}" if stem else str(number)
        if name not in taken:
            return name


def _title(text: str) -> str:
    data = data_of(text)
    title = data.get("title") if data else None
    return title.strip()[:300] if isinstance(title, str) and title.strip() else "Without a title"


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    if len(text) > LONGEST:
        raise OperationRefused("text_too_long", "This is too long for one credential. It was not saved.")
    return text.encode("utf-8", "ignore").decode()


def _record(
    session: Session, actor: Actor, row: CredentialDraft, action: str, now: datetime, **detail: str
) -> None:
    subject = ("credential_draft", row.id)
    audit.record(session, at=now, actor_id=actor.own_id, action=action, subject=subject, detail=dict(detail))
