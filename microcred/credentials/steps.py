"""The table of the state machine: one row for each way from a state to the next, as data.

Read with product terms: a *try* is `Attempt`; what `follows` an action are facts for operations to store in
the same transaction: scores on their way to the gradebook, badge, credit, mail, a new try, a decision row.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """States of a try."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    SECOND_REVIEW = "second_review"
    ADJUDICATION = "adjudication"
    RECOMMENDED = "recommended"
    REVISIONS_REQUESTED = "revisions_requested"
    RETURNED_TO_REVIEWER = "returned_to_reviewer"
    AWARDED = "awarded"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    APPEAL_OPEN = "appeal_open"
    UPHELD = "upheld"
    REVOKED = "revoked"
    EXPIRED = "expired"


CLOSED = frozenset(
    {State.REVISIONS_REQUESTED, State.AWARDED, State.DENIED, State.UPHELD, State.REVOKED, State.EXPIRED}
)
"""States after which a new try may be open beside this one."""


class Action(StrEnum):
    """What somebody does."""

    OPEN = "open"
    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RESUME = "resume"
    START_CHECK = "start_check"
    RETURN_INCOMPLETE = "return_incomplete"
    RETURN_FOR_PRIVACY = "return_for_privacy"
    RETURN_FOR_PERMISSION = "return_for_permission"
    START_REVIEW = "start_review"
    RATE = "rate"
    SEND_TO_SECOND_REVIEW = "send_to_second_review"
    SEND_TO_ADJUDICATION = "send_to_adjudication"
    RECOMMEND_AWARD = "recommend_award"
    REQUEST_REVISIONS = "request_revisions"
    AWARD = "award"
    DENY = "deny"
    RETURN_TO_REVIEWER = "return_to_reviewer"
    OPEN_APPEAL = "open_appeal"
    APPEAL_AWARD = "appeal_award"
    APPEAL_UPHOLD = "appeal_uphold"
    REVOKE = "revoke"
    EXPIRE = "expire"
    RENEW = "renew"
    EXTEND = "extend"
    REASSIGN = "reassign"
    ANNOUNCE_DELAY = "announce_delay"
    CLOSE = "close"


class Actor(StrEnum):
    """Who may take a row. An owner never takes one of the others' rows on their own work."""

    OWNER = "owner"
    REVIEWER = "reviewer"
    """Assigned to this try."""
    APPROVER = "approver"
    """Of the issuer; never a reviewer of this try."""
    CHECKER = "checker"
    APPEAL_READER = "appeal_reader"
    """Neither reviewed nor decided this try."""
    SYSTEM = "system"


ACTOR_WORDS = {
    Actor.OWNER: "the teacher whose work it is",
    Actor.REVIEWER: "a reviewer of this try",
    Actor.APPROVER: "an approver of the issuing organization",
    Actor.CHECKER: "whoever checks that work is complete",
    Actor.APPEAL_READER: "a reader of appeals",
    Actor.SYSTEM: "the system",
}


class Need(StrEnum):
    """What must hold beside the state and the person."""

    COMPLETE = "complete"
    STATEMENTS = "statements"
    SUBMITTING_OPEN = "submitting_open"
    NO_APPEAL_BESIDE = "no_appeal_beside"
    ALL_RATED = "all_rated"
    COMMENTS = "comments"
    PASSED = "passed"
    NOT_PASSED = "not_passed"
    REASON = "reason"
    APPEAL_OPEN = "appeal_open"
    COACHING_OFFERED = "coaching_offered"


class Moment(StrEnum):
    """Moments at which a gradebook may hear something; `grade_passback` knows what."""

    OPENED = "opened"
    SUBMITTED = "submitted"
    INCOMPLETE = "incomplete"
    REVISIONS_REQUESTED = "revisions_requested"
    WITHDRAWN = "withdrawn"
    AWARDED = "awarded"
    DENIED = "denied"
    APPEAL_OPENED = "appeal_opened"
    APPEAL_WON = "appeal_won"
    APPEAL_LOST = "appeal_lost"
    REVOKED = "revoked"


class BadgeWork(StrEnum):
    """What happens to the badge, and with it to hours and credit."""

    ISSUE = "issue"
    REVOKE = "revoke"
    RENEW = "renew"


class Reader(StrEnum):
    """Who gets a mail."""

    OWNER = "owner"
    REVIEWERS = "reviewers"
    APPROVERS = "approvers"
    APPEAL_READERS = "appeal_readers"


@dataclass(frozen=True)
class SendScore:
    """Tell the gradebook."""

    moment: Moment


@dataclass(frozen=True)
class DoBadge:
    """Issue, revoke or renew the badge and what counts with it."""

    work: BadgeWork


@dataclass(frozen=True)
class SendMail:
    """Tell people. The mail kind is the audit name of the row."""

    to: Reader


@dataclass(frozen=True)
class AddDecision:
    """Add a row to the decisions; `kind` is one of `models.DECISIONS`."""

    kind: str


@dataclass(frozen=True)
class NewTry:
    """Open the next try as a draft; answers, evidence and ratings of `locked_parts` carry over unchanged."""

    locked_parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class AssignReview:
    """See to it that `readers` more reviewers read it by the day of the decision, which submitting sets."""

    readers: int = 1


@dataclass(frozen=True)
class CancelReviews:
    """Take back assignments whose reading has not begun, and forget the due date."""


@dataclass(frozen=True)
class ReopenReview:
    """The reviewer's ratings may be changed again; the recommendation is taken back."""


Follow = SendScore | DoBadge | SendMail | AddDecision | NewTry | AssignReview | CancelReviews | ReopenReview


@dataclass(frozen=True)
class Transition:
    """A row: from any of `sources` to `target`, by `actor`, if `needs` hold; then `follows`."""

    action: Action
    sources: frozenset[State | None]
    target: State
    actor: Actor
    audit: str | None
    needs: tuple[Need, ...] = ()
    follows: tuple[Follow, ...] = ()


_READING = frozenset({State.IN_REVIEW, State.SECOND_REVIEW, State.ADJUDICATION})


def _row(
    action: Action,
    sources: State | frozenset[State] | None,
    target: State,
    actor: Actor,
    audit: str | None,
    needs: tuple[Need, ...] = (),
    follows: tuple[Follow, ...] = (),
) -> Transition:
    several: frozenset[State | None] = (
        frozenset(sources) if isinstance(sources, frozenset) else frozenset({sources})
    )
    return Transition(action, several, target, actor, audit, needs, follows)


_TEACHER = (
    _row(Action.OPEN, None, State.DRAFT, Actor.OWNER, "try_opened", (), (SendScore(Moment.OPENED),)),
    _row(Action.SAVE, State.DRAFT, State.DRAFT, Actor.OWNER, None),
    _row(
        Action.SUBMIT,
        State.DRAFT,
        State.SUBMITTED,
        Actor.OWNER,
        "try_submitted",
        (Need.SUBMITTING_OPEN, Need.NO_APPEAL_BESIDE, Need.COMPLETE, Need.STATEMENTS),
        (AssignReview(), SendScore(Moment.SUBMITTED), SendMail(Reader.OWNER), SendMail(Reader.REVIEWERS)),
    ),
    _row(
        Action.WITHDRAW,
        frozenset({State.DRAFT, State.SUBMITTED, State.CHECKING}),
        State.WITHDRAWN,
        Actor.OWNER,
        "try_withdrawn",
        (),
        (CancelReviews(), SendScore(Moment.WITHDRAWN), SendMail(Reader.OWNER)),
    ),
    _row(Action.RESUME, State.WITHDRAWN, State.DRAFT, Actor.OWNER, "try_resumed"),
    _row(
        Action.OPEN_APPEAL,
        frozenset({State.DENIED, State.REVOKED}),
        State.APPEAL_OPEN,
        Actor.OWNER,
        "appeal_opened",
        (Need.APPEAL_OPEN, Need.REASON),
        (SendScore(Moment.APPEAL_OPENED), SendMail(Reader.OWNER), SendMail(Reader.APPEAL_READERS)),
    ),
    _row(
        Action.OPEN_APPEAL,
        State.REVISIONS_REQUESTED,
        State.APPEAL_OPEN,
        Actor.OWNER,
        "appeal_opened",
        (Need.COACHING_OFFERED, Need.APPEAL_OPEN, Need.REASON),
        (SendScore(Moment.APPEAL_OPENED), SendMail(Reader.OWNER), SendMail(Reader.APPEAL_READERS)),
    ),
)

_CHECK = (
    _row(Action.START_CHECK, State.SUBMITTED, State.CHECKING, Actor.CHECKER, "check_started"),
    _row(
        Action.RETURN_INCOMPLETE,
        frozenset({State.SUBMITTED, State.CHECKING}),
        State.DRAFT,
        Actor.CHECKER,
        "try_returned_incomplete",
        (Need.REASON,),
        (CancelReviews(), SendScore(Moment.INCOMPLETE), SendMail(Reader.OWNER)),
    ),
)

_BACK: tuple[Follow, ...] = (CancelReviews(), SendScore(Moment.INCOMPLETE), SendMail(Reader.OWNER))

_PRIVACY = (
    # Whoever may be known by the work goes first: it comes back at once, and no try is used up.
    _row(
        Action.RETURN_FOR_PRIVACY,
        _READING | {State.RETURNED_TO_REVIEWER},
        State.DRAFT,
        Actor.REVIEWER,
        "try_returned_for_privacy",
        (),
        _BACK,
    ),
    _row(
        Action.RETURN_FOR_PERMISSION,
        _READING | {State.SUBMITTED, State.CHECKING, State.RETURNED_TO_REVIEWER},
        State.DRAFT,
        Actor.SYSTEM,
        "try_returned_for_permission",
        (),
        _BACK,
    ),
)

_REVISIONS: tuple[Follow, ...] = (NewTry(), SendScore(Moment.REVISIONS_REQUESTED), SendMail(Reader.OWNER))

_REVIEW = (
    _row(
        Action.START_REVIEW,
        frozenset({State.SUBMITTED, State.CHECKING, State.RETURNED_TO_REVIEWER}),
        State.IN_REVIEW,
        Actor.REVIEWER,
        "review_started",
    ),
    *(_row(Action.RATE, state, state, Actor.REVIEWER, None) for state in sorted(_READING)),
    _row(
        Action.SEND_TO_SECOND_REVIEW,
        State.IN_REVIEW,
        State.SECOND_REVIEW,
        Actor.SYSTEM,
        "second_review_asked",
        (Need.ALL_RATED,),
        (AssignReview(), SendMail(Reader.REVIEWERS)),
    ),
    _row(
        Action.SEND_TO_ADJUDICATION,
        State.SECOND_REVIEW,
        State.ADJUDICATION,
        Actor.SYSTEM,
        "adjudication_asked",
        (Need.ALL_RATED,),
        (AssignReview(), SendMail(Reader.REVIEWERS)),
    ),
    _row(
        Action.RECOMMEND_AWARD,
        _READING,
        State.RECOMMENDED,
        Actor.REVIEWER,
        "award_recommended",
        (Need.ALL_RATED, Need.PASSED),
        (SendMail(Reader.APPROVERS),),
    ),
    _row(
        Action.REQUEST_REVISIONS,
        _READING,
        State.REVISIONS_REQUESTED,
        Actor.REVIEWER,
        "revisions_requested",
        (Need.ALL_RATED, Need.NOT_PASSED, Need.COMMENTS),
        (AddDecision("request_revisions"), *_REVISIONS),
    ),
)

_WATCHED = frozenset(
    {
        State.SUBMITTED,
        State.CHECKING,
        State.IN_REVIEW,
        State.SECOND_REVIEW,
        State.ADJUDICATION,
        State.RECOMMENDED,
        State.RETURNED_TO_REVIEWER,
    }
)
_IN_TIME = (
    # Another reviewer gets it, before the day that the teacher was told slips.
    *(
        _row(
            Action.REASSIGN,
            state,
            state,
            Actor.SYSTEM,
            "review_reassigned",
            (),
            (SendMail(Reader.REVIEWERS),),
        )
        for state in sorted(_WATCHED - {State.RECOMMENDED})
    ),
    # The day slips: the teacher hears of it, and the new day, before it has passed.
    *(
        _row(
            Action.ANNOUNCE_DELAY,
            state,
            state,
            Actor.SYSTEM,
            "decision_delayed",
            (),
            (SendMail(Reader.OWNER),),
        )
        for state in sorted(_WATCHED | {State.APPEAL_OPEN})
    ),
)

_AWARDED: tuple[Follow, ...] = (DoBadge(BadgeWork.ISSUE), SendScore(Moment.AWARDED), SendMail(Reader.OWNER))

_DECISION = (
    _row(
        Action.AWARD,
        State.RECOMMENDED,
        State.AWARDED,
        Actor.APPROVER,
        "try_awarded",
        (Need.ALL_RATED, Need.PASSED),
        (AddDecision("award"), *_AWARDED),
    ),
    _row(
        Action.DENY,
        State.RECOMMENDED,
        State.DENIED,
        Actor.APPROVER,
        "try_denied",
        (Need.REASON,),
        (AddDecision("deny"), SendScore(Moment.DENIED), SendMail(Reader.OWNER)),
    ),
    _row(
        Action.REQUEST_REVISIONS,
        State.RECOMMENDED,
        State.REVISIONS_REQUESTED,
        Actor.APPROVER,
        "revisions_requested",
        (Need.ALL_RATED, Need.NOT_PASSED, Need.COMMENTS),
        (AddDecision("request_revisions"), *_REVISIONS),
    ),
    _row(
        Action.RETURN_TO_REVIEWER,
        State.RECOMMENDED,
        State.RETURNED_TO_REVIEWER,
        Actor.APPROVER,
        "review_returned",
        (Need.REASON,),
        (AddDecision("return_to_reviewer"), ReopenReview(), SendMail(Reader.REVIEWERS)),
    ),
)

_AFTERWARDS = (
    _row(
        Action.APPEAL_AWARD,
        State.APPEAL_OPEN,
        State.AWARDED,
        Actor.APPEAL_READER,
        "appeal_won",
        (Need.REASON,),
        (
            AddDecision("appeal_award"),
            DoBadge(BadgeWork.ISSUE),
            SendScore(Moment.APPEAL_WON),
            SendMail(Reader.OWNER),
        ),
    ),
    _row(
        Action.APPEAL_UPHOLD,
        State.APPEAL_OPEN,
        State.UPHELD,
        Actor.APPEAL_READER,
        "appeal_lost",
        (Need.REASON,),
        (AddDecision("appeal_uphold"), SendScore(Moment.APPEAL_LOST), SendMail(Reader.OWNER)),
    ),
    _row(
        Action.REVOKE,
        frozenset({State.AWARDED, State.EXPIRED}),
        State.REVOKED,
        Actor.APPROVER,
        "award_revoked",
        (Need.REASON,),
        (AddDecision("revoke"), DoBadge(BadgeWork.REVOKE), SendScore(Moment.REVOKED), SendMail(Reader.OWNER)),
    ),
    _row(
        Action.EXPIRE,
        State.AWARDED,
        State.EXPIRED,
        Actor.SYSTEM,
        "award_expired",
        (),
        (SendMail(Reader.OWNER),),
    ),
    _row(
        Action.RENEW,
        State.EXPIRED,
        State.AWARDED,
        Actor.APPROVER,
        "award_renewed",
        (),
        (AddDecision("renew"), DoBadge(BadgeWork.RENEW), SendMail(Reader.OWNER)),
    ),
    # The operator set a later end by the command line: the award counts again, and nobody decided anew.
    _row(
        Action.EXTEND,
        State.EXPIRED,
        State.AWARDED,
        Actor.SYSTEM,
        "award_renewed",
        (),
        (SendMail(Reader.OWNER),),
    ),
)

_ERASED = (
    # Whose work it was is erased: nothing of it is left to read, and nobody's queue keeps it.
    _row(
        Action.CLOSE,
        frozenset(State) - CLOSED - {State.WITHDRAWN},
        State.WITHDRAWN,
        Actor.SYSTEM,
        "try_closed",
        (),
        (CancelReviews(),),
    ),
)

TABLE: tuple[Transition, ...] = (
    *_TEACHER,
    *_CHECK,
    *_PRIVACY,
    *_REVIEW,
    *_IN_TIME,
    *_DECISION,
    *_AFTERWARDS,
    *_ERASED,
)
