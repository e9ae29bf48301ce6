"""Invitations to register a platform dynamically: one use, seven days, kept as a digest (DESIGN section 5).

An invitation is used up in the transaction that stores the registration, so that a registration that went
wrong can be started again with it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.dialects import dialect_named
from lti_tool.errors import LtiRefused, Words
from lti_tool.models import LMS_KINDS, Invitation
from lti_tool.registrations import RegistrationProblem
from microcred.database import random_id

LIFE = timedelta(days=7)
_ASK = "Ask whoever runs this tool for a new address, and start the registration again with it."
_WORDS = {
    "state_missing": "This tool registers an LMS by invitation only, and this address has none.",
    "state_unknown": "This tool does not know the invitation in this address.",
    "state_used": "The invitation in this address was used already.",
    "state_expired": "The invitation in this address ran out; it was good for seven days.",
}


@dataclass(frozen=True)
class Invited:
    """What an invitation is for."""

    row_id: int
    organization_id: int
    lms: str


def invite(session: Session, *, organization_id: int, lms: str, now: datetime) -> tuple[str, datetime]:
    """Make an invitation; gives its secret, which is kept nowhere else, and when it ends.

    Raises RegistrationProblem for an LMS that has no dynamic registration.
    """
    if lms not in LMS_KINDS:
        raise RegistrationProblem("invalid", f"The LMS is one of {', '.join(LMS_KINDS)}.")
    if not dialect_named(lms).registering.offered:
        raise RegistrationProblem(
            "invalid", "This LMS has no dynamic registration; register it with `microcred platform add`."
        )
    secret, expires_at = random_id(), now + LIFE
    session.add(
        Invitation(
            digest=_digest(secret),
            organization_id=organization_id,
            lms=lms,
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return secret, expires_at


def look(session: Session, secret: str, now: datetime) -> Invited:
    """What an invitation is for, without using it up. Raises LtiRefused (403)."""
    row = session.scalars(select(Invitation).where(Invitation.digest == _digest(secret))).one_or_none()
    if row is None:
        raise refusal("state_unknown" if secret else "state_missing")
    if row.used_at is not None:
        raise refusal("state_used")
    if row.expires_at <= now:
        raise refusal("state_expired")
    return Invited(row.id, row.organization_id, row.lms)


def use(session: Session, invited: Invited, now: datetime) -> None:
    """Use it up. Raises LtiRefused(state_used) if somebody else was quicker."""
    used = session.execute(
        update(Invitation)
        .where(Invitation.id == invited.row_id, Invitation.used_at.is_(None))
        .values(used_at=now)
        .returning(Invitation.id)
    )
    if used.one_or_none() is None:
        raise refusal("state_used")


def refusal(code: str) -> LtiRefused:
    """The refusal of an invitation, with its own words."""
    return LtiRefused(code, status=403, words=Words(403, _WORDS[code], _ASK))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
