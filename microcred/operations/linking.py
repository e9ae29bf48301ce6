"""One human, two course systems: a one-use code from one, entered and confirmed in the other, joins them.

Both sides consent: one makes the code, the other enters it and confirms. Nothing but `Person.merged_into_id`
changes, so either side, or an operator, can undo it. An e-mail address never joins two people.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.models import Registration
from microcred.credentials.models import Attempt, Pursuit, Review
from microcred.database import random_id
from microcred.operations.actor import Actor
from microcred.operations.errors import NotFound, OperationRefused
from microcred.people import audit, ids_of
from microcred.people.models import AuditEvent, LinkCode, LmsIdentity, Person
from microcred.sealing import Keyring

CODE_LIFE = timedelta(minutes=10)
WRONG_AT_MOST = 5
"""Wrong codes that one human may enter within `CODE_LIFE`."""
_WRONG = "person.link_code_wrong"
_CODE_CHARS = 8
AT_THE_DESK = "this tool's own desk"
"""Where somebody comes from whom no course system knows."""


class TooManyCodes(OperationRefused):
    """Too many wrong codes in a short time."""

    status = 429

    def __init__(self) -> None:
        super().__init__(
            "too_many_codes",
            "That were too many codes. Nothing was linked. Wait ten minutes, then try again.",
        )


@dataclass(frozen=True)
class Known:
    """A person as one or more course systems know them."""

    public_id: str
    name: str
    """Empty where the system does not say it."""
    places: tuple[str, ...]
    is_here: bool = False
    """This is the account the actor came with."""


@dataclass(frozen=True)
class Offer:
    """Two accounts that would become one person."""

    mine: Known
    theirs: Known


def make_code(session: Session, actor: Actor, keyring: Keyring, now: datetime) -> str:
    """A code to enter in the other course system within ten minutes; an older one stops working.

    Raises OperationRefused for a test user.
    """
    _check_is_real(session, actor.own_id)
    code = random_id(_CODE_CHARS)
    session.execute(
        delete(LinkCode).where(or_(LinkCode.person_id == actor.own_id, LinkCode.expires_at <= now))
    )
    session.add(
        LinkCode(
            person_id=actor.own_id, digest=_digest(keyring, code), expires_at=now + CODE_LIFE, created_at=now
        )
    )
    session.flush()
    audit.record(
        session, at=now, actor_id=actor.own_id, action="person.link_code", subject=("person", actor.own_id)
    )
    return f"{code[:4]}-{code[4:]}"


def look_up(session: Session, actor: Actor, keyring: Keyring, code: str, now: datetime) -> Offer | None:
    """What the code would join; None for a code that opens nothing, which is counted: commit it.

    Raises TooManyCodes, and OperationRefused where the two cannot be joined.
    """
    row = _row(session, actor, keyring, code, now)
    if row is None:
        audit.record(session, at=now, actor_id=actor.own_id, action=_WRONG, subject=("person", actor.own_id))
        return None
    _check_may_join(session, actor, row.person_id)
    return Offer(_known(session, actor, actor.own_id), _known(session, actor, row.person_id))


def confirm(session: Session, actor: Actor, keyring: Keyring, code: str, now: datetime) -> Offer | None:
    """Join the two and use the code up; None as in `look_up`. Raises as `look_up`."""
    offer = look_up(session, actor, keyring, code, now)
    if offer is None:
        return None
    other_id = session.scalars(select(Person.id).where(Person.public_id == offer.theirs.public_id)).one()
    _lock(session, actor.person_ids | ids_of(session, other_id))
    used = session.execute(
        delete(LinkCode).where(LinkCode.person_id == other_id).returning(LinkCode.person_id)
    )
    if used.first() is None:
        return None
    _check_may_join(session, actor, other_id)
    mine, theirs = ids_of(session, actor.own_id), ids_of(session, other_id)
    # A chain of links would have to be walked at every read, so one of the two is always a single account.
    if len(mine) > 1 and len(theirs) > 1:
        raise OperationRefused(
            "both_linked",
            "Both accounts are linked with others already. Undo the link of one of them first, "
            "then come back. Nothing was linked.",
        )
    single, group = (actor.own_id, theirs) if len(mine) == 1 else (other_id, mine)
    root_id = session.scalars(
        select(Person.id).where(Person.id.in_(group), Person.merged_into_id.is_(None))
    ).one()
    session.get_one(Person, single, populate_existing=True).merged_into_id = root_id
    session.flush()
    audit.record(
        session,
        at=now,
        actor_id=actor.own_id,
        action="person.link",
        subject=("person", single),
        after=str(root_id),
        detail={"code_of": other_id, "confirmed_by": actor.own_id},
    )
    return offer


def linked(session: Session, actor: Actor) -> tuple[Known, ...]:
    """Every account of this human, the one they came with first; one alone where nothing is linked."""
    ids = sorted(actor.person_ids, key=lambda person_id: (person_id != actor.own_id, person_id))
    return tuple(_known(session, actor, person_id) for person_id in ids)


def undo(session: Session, actor: Actor, public_id: str, now: datetime) -> None:
    """Undo the link between the account `public_id` and the actor's. Raises NotFound."""
    other = session.scalar(
        select(Person).where(Person.public_id == public_id, Person.id.in_(actor.person_ids))
    )
    if other is None or other.id == actor.own_id:
        raise NotFound("not_linked", "These accounts are not linked any more. Nothing was changed.")
    # The one all others point to stays; then it is the actor's own account that leaves.
    leaving = other.id if other.merged_into_id is not None else actor.own_id
    separate(session, leaving, by=actor.own_id, now=now)


def separate(session: Session, person_id: int, *, by: int | None, now: datetime) -> bool:
    """Make a linked person stand alone again; False where they do already."""
    person = session.scalars(
        select(Person)
        .where(Person.id == person_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if person.merged_into_id is None:
        return False
    before, person.merged_into_id = person.merged_into_id, None
    session.flush()
    audit.record(
        session,
        at=now,
        actor_id=by,
        action="person.unlink",
        subject=("person", person_id),
        before=str(before),
    )
    return True


def _row(session: Session, actor: Actor, keyring: Keyring, code: str, now: datetime) -> LinkCode | None:
    wrong = session.scalar(
        select(func.count())
        .select_from(AuditEvent)
        .where(
            AuditEvent.actor_id.in_(actor.person_ids),
            AuditEvent.action == _WRONG,
            AuditEvent.at > now - CODE_LIFE,
        )
    )
    if (wrong or 0) >= WRONG_AT_MOST:
        raise TooManyCodes
    return session.scalar(
        select(LinkCode)
        .join(Person, Person.id == LinkCode.person_id)
        .where(LinkCode.digest == _digest(keyring, code), LinkCode.expires_at > now, Person.state == "active")
    )


def _digest(keyring: Keyring, code: str) -> str:
    """Keyed, because a code is short: whoever reads the table alone cannot try them all."""
    plain = "".join(character for character in code.lower() if character.isalnum())
    return keyring.mac("form", f"link-code:{plain}")


def _check_may_join(session: Session, actor: Actor, other_id: int) -> None:
    """Raises OperationRefused."""
    if other_id == actor.own_id:
        raise OperationRefused(
            "own_code",
            "You made this code here. Open the other course system and enter it there. Nothing was linked.",
        )
    if other_id in actor.person_ids:
        raise OperationRefused("already_linked", "These two are linked already. Nothing was changed.")
    _check_is_real(session, actor.own_id, other_id)
    theirs = ids_of(session, other_id)
    if _reads_work_of(session, actor.person_ids, theirs) or _reads_work_of(session, theirs, actor.person_ids):
        raise OperationRefused(
            "reviews_the_other",
            "One of these accounts is reviewing work of the other, and nobody reviews their own work. "
            "Ask the organization to give that review to somebody else first. Nothing was linked.",
        )


def _check_is_real(session: Session, *person_ids: int) -> None:
    test_user = select(LmsIdentity.id).where(LmsIdentity.person_id.in_(person_ids), LmsIdentity.is_test_user)
    if session.scalar(test_user.limit(1)) is not None:
        raise OperationRefused(
            "test_user", "Test students of a course system cannot be linked. Nothing was changed."
        )


def _reads_work_of(session: Session, readers: Collection[int], owners: Collection[int]) -> bool:
    """Whether one of `readers` has an unfinished review of a try of one of `owners`."""
    found = session.scalar(
        select(Review.id)
        .join(Attempt, Attempt.id == Review.attempt_id)
        .join(Pursuit, Pursuit.id == Attempt.pursuit_id)
        .where(
            Review.reviewer_id.in_(readers),
            Review.finished_at.is_(None),
            Pursuit.person_id.in_(owners),
            Attempt.decided_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


def _lock(session: Session, person_ids: Collection[int]) -> None:
    """Nobody links or unlinks these persons until the transaction ends."""
    session.execute(select(Person.id).where(Person.id.in_(person_ids)).order_by(Person.id).with_for_update())


def _known(session: Session, actor: Actor, person_id: int) -> Known:
    person = session.get_one(Person, person_id)
    places = session.scalars(
        select(Registration.name)
        .join(LmsIdentity, LmsIdentity.registration_id == Registration.id)
        .where(LmsIdentity.person_id == person_id)
        .order_by(LmsIdentity.id)
    ).all()
    composed = " ".join(name for name in (person.given_name, person.family_name) if name)
    return Known(
        person.public_id,
        person.name or composed,
        tuple(dict.fromkeys(places)) or (AT_THE_DESK,),
        is_here=person_id == actor.own_id,
    )
