"""The one state machine of a try: from, to, who may, what it needs, what follows.

`plan` says what an action leads to, or refuses it in words; it changes nothing. `microcred.operations` is its
only caller and stores the new state, the audit event and everything that follows in one transaction.
`choices` gives the same answers for buttons: which actions a person may take now, and why not the others.

    draft -> submitted -> checking -> in_review -> [second_review -> adjudication] -> recommended
    checking -> draft (incomplete; the try is not used up)
    in_review | adjudication | recommended -> revisions_requested (a new try follows, passed parts locked)
    recommended -> awarded | denied | returned_to_reviewer -> in_review
    draft | submitted | checking -> withdrawn -> draft
    denied | revoked | revisions_requested (again and again) -> appeal_open -> awarded | upheld
    awarded -> expired -> awarded (renewed) | revoked
"""

from collections.abc import Sequence
from dataclasses import dataclass

from microcred.credentials.errors import Refused
from microcred.credentials.passing import Outcome
from microcred.credentials.steps import (
    ACTOR_WORDS,
    TABLE,
    Action,
    Actor,
    Follow,
    Need,
    NewTry,
    State,
    Transition,
)


@dataclass(frozen=True)
class Facts:
    """What is so about a try, gathered by operations."""

    state: State | None
    """None before the first try exists."""
    owner_id: int
    """The person whose try it is (the person merged into, where two were merged)."""
    reviewer_ids: frozenset[int] = frozenset()
    """Everybody assigned to review this try."""
    decider_ids: frozenset[int] = frozenset()
    """Everybody who decided about this try before."""
    outcome: Outcome | None = None
    """Result of the reviewer's ratings, those of locked parts included."""
    uncommented: int = 0
    """Criteria below passing that have no comment yet."""
    missing: int = 0
    """How many things `completeness` says are missing."""
    statements_confirmed: bool = False
    reason: str = ""
    """The words given with this action: why it is returned, denied, revoked, appealed."""
    tries: int = 1
    tries_before_coaching: int | None = None
    submitting_closed: bool = False
    """The course's last day for submitting has passed."""
    appeal_closed: bool = False
    """The days for an appeal have passed."""
    appeal_beside: bool = False
    """An appeal about the try before is being read."""


@dataclass(frozen=True)
class Party:
    """Who acts, and what they are to the credential's issuer. Owner and reviewer are found from the facts."""

    person_id: int | None
    is_issuer_approver: bool = False
    is_checker: bool = False
    is_appeal_reader: bool = False
    is_system: bool = False


SYSTEM = Party(None, is_system=True)


@dataclass(frozen=True)
class Plan:
    """What an allowed action leads to."""

    action: Action
    source: State | None
    target: State
    audit: str | None
    """The audit event to write; None for `save` and `rate`, which change no state."""
    follows: tuple[Follow, ...]


@dataclass(frozen=True)
class Choice:
    """An action as a button: allowed, or the code and the reason to write beneath it."""

    action: Action
    allowed: bool
    code: str = ""
    reason: str = ""


def plan(facts: Facts, action: Action, by: Party) -> Plan:
    """What `action` by this party leads to. Raises Refused(code, message)."""
    rows = [row for row in TABLE if row.action is action]
    _check_actor(rows, facts, by)
    row = next((row for row in rows if facts.state in row.sources), None)
    if row is None:
        raise _wrong_state(rows, facts)
    _check_actor([row], facts, by)
    _check_judge(row.actor, facts, by)
    for need in row.needs:
        _check_need(need, facts)
    return Plan(
        action, facts.state, row.target, row.audit, tuple(_completed(follow, facts) for follow in row.follows)
    )


def choices(facts: Facts, by: Party, actions: Sequence[Action] = tuple(Action)) -> list[Choice]:
    """Those of `actions` that are this party's business in the present state; where not allowed, why."""
    found = []
    for action in actions:
        rows = [row for row in TABLE if row.action is action and facts.state in row.sources]
        if any(_is(row.actor, facts, by) for row in rows):
            try:
                plan(facts, action, by)
            except Refused as refused:
                found.append(Choice(action, False, refused.code, refused.message))
            else:
                found.append(Choice(action, True))
    return found


def may(facts: Facts, action: Action, by: Party) -> bool:
    """Whether `plan` would allow it."""
    try:
        plan(facts, action, by)
    except Refused:
        return False
    return True


def _is(actor: Actor, facts: Facts, by: Party) -> bool:
    match actor:
        case Actor.OWNER:
            return by.person_id is not None and by.person_id == facts.owner_id
        case Actor.REVIEWER:
            return by.person_id in facts.reviewer_ids
        case Actor.APPROVER:
            return by.is_issuer_approver
        case Actor.CHECKER:
            return by.is_checker or by.is_system
        case Actor.APPEAL_READER:
            return by.is_appeal_reader
        case Actor.SYSTEM:
            return by.is_system


def _check_actor(rows: Sequence[Transition], facts: Facts, by: Party) -> None:
    """Refuse a party that none of the rows is for. Raises Refused."""
    if not any(_is(row.actor, facts, by) for row in rows):
        whose = " or ".join(dict.fromkeys(ACTOR_WORDS[row.actor] for row in rows))
        raise Refused("not_yours", f"This is for {whose}.")


def _check_judge(actor: Actor, facts: Facts, by: Party) -> None:
    """Refuse a party that must not judge this try, whatever office they hold. Raises Refused."""
    if actor is Actor.OWNER:
        return
    if by.person_id is not None and by.person_id == facts.owner_id:
        raise Refused("own_work", "This is your own work, so somebody else reads and decides it.")
    if actor in (Actor.APPROVER, Actor.APPEAL_READER) and by.person_id in facts.reviewer_ids:
        raise Refused("reviewed_it", "You reviewed this try, so somebody else decides about it.")
    if actor is Actor.APPEAL_READER and by.person_id in facts.decider_ids:
        raise Refused("decided_it", "You decided about this try, so somebody else reads the appeal.")


def _wrong_state(rows: Sequence[Transition], facts: Facts) -> Refused:
    if any(row.target is facts.state and row.target not in row.sources for row in rows):
        return Refused("already_done", f"This has been done already: {_STATE_WORDS[facts.state]}.")
    return Refused("wrong_state", f"This is not possible now: {_STATE_WORDS[facts.state]}.")


_STATE_WORDS: dict[State | None, str] = {
    None: "no try has been started",
    State.DRAFT: "the try is a draft",
    State.SUBMITTED: "the try is submitted and waits for a reviewer",
    State.CHECKING: "the try is being checked for completeness",
    State.IN_REVIEW: "a reviewer is reading the try",
    State.SECOND_REVIEW: "a second reviewer is reading the try",
    State.ADJUDICATION: "a third reviewer is reading the try",
    State.RECOMMENDED: "the review is finished and the issuing organization decides",
    State.REVISIONS_REQUESTED: "revisions were asked for, and a new try has been opened",
    State.RETURNED_TO_REVIEWER: "the review is back with its reviewer",
    State.AWARDED: "the credential is earned",
    State.DENIED: "the try was not awarded",
    State.WITHDRAWN: "the try was taken back",
    State.APPEAL_OPEN: "an appeal is being read",
    State.UPHELD: "the appeal has been decided",
    State.REVOKED: "the award was withdrawn",
    State.EXPIRED: "the award has expired",
}


def _check_need(need: Need, facts: Facts) -> None:
    passed = facts.outcome.passed if facts.outcome else None
    match need:
        case Need.COMPLETE if facts.missing:
            things = "1 thing is" if facts.missing == 1 else f"{facts.missing} things are"
            raise Refused("incomplete", f"{things} missing. Everything you wrote is saved.")
        case Need.STATEMENTS if not facts.statements_confirmed:
            raise Refused("statements_unconfirmed", "Please confirm each statement before you submit.")
        case Need.SUBMITTING_OPEN if facts.submitting_closed:
            raise Refused(
                "submitting_closed",
                "The last day for submitting in this course has passed. Your work is kept.",
            )
        case Need.NO_APPEAL_BESIDE if facts.appeal_beside:
            raise Refused(
                "appeal_beside",
                "Your appeal about the try before is being read. Send this one in when it is decided; "
                "everything is saved.",
            )
        case Need.ALL_RATED if passed is None:
            left = facts.outcome.unrated if facts.outcome else 0
            raise Refused(
                "unrated", f"{left or 'All'} of the points still {'need' if left != 1 else 'needs'} a rating."
            )
        case Need.COMMENTS if facts.uncommented:
            raise Refused("uncommented", "Say what to change for each point that does not pass yet.")
        case Need.PASSED if passed is not True:
            raise Refused("not_passed", "The ratings do not meet the passing rule.")
        case Need.NOT_PASSED if passed is not False:
            raise Refused("passed", "The ratings meet the passing rule, so nothing is left to revise.")
        case Need.REASON if not facts.reason.strip():
            raise Refused("reason_missing", "Say why in a sentence or two.")
        case Need.APPEAL_OPEN if facts.appeal_closed:
            raise Refused("appeal_closed", "The days for an appeal have passed.")
        case Need.COACHING_OFFERED if not 0 < (facts.tries_before_coaching or 0) <= facts.tries:
            raise Refused("tries_left", "You can try again, so there is nothing to appeal yet.")
        case _:
            return


def _completed(follow: Follow, facts: Facts) -> Follow:
    """A follow as the table has it, with what only this try knows."""
    if isinstance(follow, NewTry):
        return NewTry(facts.outcome.passed_parts if facts.outcome else ())
    return follow
