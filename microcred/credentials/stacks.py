"""How far somebody has come in a stack, counted in micro-credentials."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.models import Award, Credential, CredentialVersion
from microcred.credentials.schema import Stack


@dataclass(frozen=True)
class StackProgress:
    """So many micro-credentials of so many that the stack wants: `0 <= earned <= needed`, `needed >= 1`."""

    earned: int
    needed: int

    @property
    def is_complete(self) -> bool:
        """Whether every group has what it asks for."""
        return self.earned == self.needed


def members_of(stack: Stack) -> tuple[str, ...]:
    """Catalogue keys of the micro-credentials of all groups, in the order of the stack."""
    return tuple(key for group in stack.groups for key in group.micro_credentials)


def stack_progress(stack: Stack, earned: Collection[str]) -> StackProgress:
    """How many of the needed micro-credentials are among the `earned` keys. Each counts once; those beyond
    what their group asks for do not make up for another group, so the count never passes what is needed.
    """
    held = frozenset(earned)
    return StackProgress(
        sum(min(group.choose, len(held & set(group.micro_credentials))) for group in stack.groups),
        sum(group.choose for group in stack.groups),
    )


def earned_keys(
    session: Session, person_ids: Collection[int], keys: Sequence[str], *, is_test: bool
) -> frozenset[str]:
    """Which of the micro-credentials (by catalogue key) these person ids hold an award for, whichever version
    and course it was. A revoked award is none; an expired one was earned all the same. Test awards count
    among themselves alone.
    """
    return frozenset(
        session.scalars(
            select(Credential.key)
            .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
            .join(Award, Award.version_id == CredentialVersion.id)
            .where(
                Award.person_id.in_(person_ids),
                Award.revoked_at.is_(None),
                Award.is_test.is_(is_test),
                Credential.key.in_(keys),
            )
        )
    )
