"""Finding what a course may have: searching the catalogue, and what a choice stands for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.sessions import PageSession
from microcred.credentials import (
    Definition,
    Entry,
    Narrowing,
    NotInCatalogue,
    Stack,
    definition_of,
    document_of,
    grade_bands,
    members_of,
    newest_of,
    published_version,
    search,
)
from microcred.credentials.models import Credential, CredentialVersion
from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed, NotFound
from microcred.people import holders
from microcred.placements import Column, has_stack_column, stack_column

PAGE_SIZE = 20
MOST = 50
"""Micro-credentials that one answer to the LMS may hold."""
KINDS = ("micro_credential", "stack")


@dataclass(frozen=True)
class Offered:
    """A page of what may be put into this course."""

    entries: tuple[Entry, ...]
    next_key: str | None
    grade_bands: tuple[str, ...]


@dataclass(frozen=True)
class Picked:
    """One micro-credential that was picked, by itself or with its stack."""

    version_id: int
    issuer_id: int
    definition: Definition
    reviewers: int
    """How many the issuer's pool has now."""


@dataclass(frozen=True)
class PickedStack:
    """A stack that was picked."""

    version_id: int
    document: Stack
    has_column: bool
    """Whether this course counts what is earned of it already."""

    @property
    def column(self) -> Column:
        """The column that counts it."""
        return stack_column(self.document)


@dataclass(frozen=True)
class Selection:
    """What was picked, each micro-credential once and in the order of picking."""

    picked: tuple[Picked, ...]
    stacks: tuple[PickedStack, ...]
    """Stacks among what was picked; their micro-credentials are in `picked`."""
    not_for_you: int
    """Members of those stacks that this course cannot have."""

    @property
    def letters(self) -> bool:
        """Whether a letter grade is asked for: a stack that counts for a graded university course."""
        credit = [stack.document.graduate_credit for stack in self.stacks]
        return bool(credit) and all(one is not None and one.grade_basis == "letter" for one in credit)


NOTHING = Selection((), (), 0)


def offered(
    session: Session,
    actor: Actor,
    *,
    text: str,
    narrowing: Narrowing,
    kind: str = "micro_credential",
    after: str | None,
) -> Offered:
    """Published credentials (or stacks) of the course's organization, and of those that share with it, by
    words and paged by key. Raises NotAllowed.
    """
    own = may_place(actor).organization_id
    page = search(
        session, own, text=text or None, limit=PAGE_SIZE, after_key=after, kind=kind, narrowing=narrowing
    )
    return Offered(page.entries, page.next_key, grade_bands(session, own))


def select_versions(session: Session, actor: Actor, ids: Sequence[str], now: datetime) -> Selection:
    """What the public ids of versions stand for; a stack stands for its micro-credentials. Raises NotAllowed,
    NotFound.
    """
    launch = may_place(actor)
    versions: dict[int, CredentialVersion] = {}
    stacks: list[PickedStack] = []
    missing = 0
    for public_id in dict.fromkeys(ids[:MOST]):
        version = _version(session, launch, public_id)
        document = document_of(version)
        if not isinstance(document, Stack):
            versions[version.id] = version
            continue
        counted = has_stack_column(session, launch.context_row_id, version.id)
        stacks.append(PickedStack(version.id, document, counted))
        keys = members_of(document)
        found = newest_of(session, launch.organization_id, keys)
        versions |= {found[key].id: found[key] for key in keys if key in found}
        missing += len(set(keys) - set(found))
    pools = {one: _pool(session, one, now) for one in {_issuer(session, one) for one in versions.values()}}
    picked = tuple(
        Picked(one.id, issuer_id, definition_of(session, one), pools[issuer_id])
        for one in versions.values()
        for issuer_id in [_issuer(session, one)]
    )
    return Selection(picked[:MOST], tuple(stacks), missing)


def may_place(actor: Actor) -> PageSession:
    """The launch of somebody who may add credentials to its course. Raises NotAllowed."""
    if actor.launch is None or "place" not in actor.rights:
        raise NotAllowed(
            "not_staff", "Only people who teach or manage this course can add a credential to it."
        )
    return actor.launch


def _version(session: Session, launch: PageSession, version_id: str) -> CredentialVersion:
    try:
        return published_version(session, launch.organization_id, version_id)
    except NotInCatalogue as missing:
        message = "There is no such micro-credential for this course. Nothing was added."
        raise NotFound("no_such_credential", message) from missing


def _issuer(session: Session, version: CredentialVersion) -> int:
    return session.scalars(select(Credential.issuer_id).where(Credential.id == version.credential_id)).one()


def _pool(session: Session, issuer_id: int, now: datetime) -> int:
    return len(set(holders(session, "reviewer", issuer_id, now)))
