"""What a stack is made of, as its preview says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.definition import document_of
from microcred.credentials.models import Credential, CredentialVersion
from microcred.credentials.schema import MicroCredential, Stack


@dataclass(frozen=True)
class Member:
    """A micro-credential of a stack, as its newest published version has it."""

    document: MicroCredential
    asks_students: bool
    """Whether it needs students to be shown in practice."""


def members(session: Session, stack: Stack) -> Mapping[str, Member]:
    """The stack's micro-credentials by id; one that was never published is left out."""
    keys = [key for group in stack.groups for key in group.micro_credentials]
    rows = session.execute(
        select(Credential.key, CredentialVersion)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(
            Credential.key.in_(keys),
            Credential.kind == "micro_credential",
            CredentialVersion.state == "published",
        )
        .order_by(CredentialVersion.id)
    )
    found: dict[str, Member] = {}
    for key, version in rows:
        document = document_of(version)
        if isinstance(document, MicroCredential):
            found[key] = Member(document, document.requires_students)
    return found
