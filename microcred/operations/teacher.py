"""What a teacher does: start, write, confirm permission, submit, take back. Evidence is in `evidence`."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from microcred.credentials.aliases import alias_for
from microcred.credentials.codes import repeat_codes
from microcred.credentials.completeness import all_missing, progress
from microcred.credentials.errors import Refused
from microcred.credentials.models import Attempt, Pursuit, Response
from microcred.credentials.schema import Prompt
from microcred.credentials.steps import Action, State
from microcred.credentials.words import count_words
from microcred.credentials.workflow import Facts, Party, Plan, plan
from microcred.operations import consequences, permitting
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.errors import NotAllowed, NotFound, OperationRefused
from microcred.operations.reading_teacher import Loaded, find_part, load, pursuit_of
from microcred.operations.statements import all_confirmed, statements

LONGEST_TEXT = 20_000
"""Characters kept of one answer: far beyond every word limit, so that a draft is never cut."""


class StaleText(OperationRefused):
    """The answer was changed elsewhere since the page was opened; both texts still exist.

    `theirs` is what is saved now, at `revision`; what was sent has not been stored.
    """

    def __init__(self, theirs: str, revision: int, saved_at: datetime) -> None:
        super().__init__(
            "text_changed_elsewhere",
            "This answer was changed in another place meanwhile. "
            "Nothing was overwritten: both texts are below.",
        )
        self.theirs = theirs
        self.revision = revision
        self.saved_at = saved_at


@dataclass(frozen=True)
class Saved:
    """An answer as it stands now."""

    words: int
    word_limit: int | None
    revision: int
    saved_at: datetime

    @property
    def is_over(self) -> bool:
        """Whether it is longer than may be submitted."""
        return self.word_limit is not None and self.words > self.word_limit


def open_pursuit(session: Session, actor: Actor, now: datetime) -> None:
    """See to it that the actor has a try here: the first visit makes it, later ones change nothing.

    Raises NotAllowed where the role does not submit, NotFound where the link has no credential.
    """
    if "submit" not in actor.rights or actor.launch is None:
        raise NotAllowed(
            "role", "Your role in this course does not submit work. You can read the credential."
        )
    placement = placement_of(session, actor.launch)
    if placement is None:
        raise NotFound(
            "no_credential", "This link has no micro-credential yet. Open another one in your course."
        )
    if pursuit_of(session, actor, placement.id) is not None:
        return
    if placement.open_from is not None and now < placement.open_from:
        raise OperationRefused(
            "not_open_yet", "This course starts later. You can read the micro-credential until then."
        )
    try:
        with session.begin_nested():
            pursuit = Pursuit(
                person_id=actor.own_id,
                placement_id=placement.id,
                version_id=placement.version_id,
                alias="",
                is_test=actor.is_test,
                created_at=now,
            )
            session.add(pursuit)
            session.flush()
    except IntegrityError:  # a second first visit at the same moment was quicker
        return
    pursuit.alias = alias_for(pursuit.id)
    opened = plan(Facts(state=None, owner_id=actor.person_id), Action.OPEN, Party(actor.person_id))
    attempt = Attempt(pursuit_id=pursuit.id, number=1, state=opened.target, locked_parts=[], created_at=now)
    session.add(attempt)
    session.flush()
    consequences.apply(session, attempt, opened, actor_id=actor.own_id, now=now)


def save_response(
    session: Session,
    actor: Actor,
    *,
    part_id: str,
    prompt_id: str,
    student_code: str,
    text: str,
    base_revision: int,
    now: datetime,
) -> Saved:
    """Keep an answer as a draft, whatever its length in words.

    `base_revision` is the revision that the page showed (0: none). Raises StaleText where another page
    saved meanwhile, OperationRefused where the try is not open, the part is locked, or the text is past
    `LONGEST_TEXT`.
    """
    loaded = load(session, actor, lock=True)
    prompt = _prompt(loaded, part_id, prompt_id, student_code)
    may_change(loaded, actor, part_id)
    body = _clean(text)
    if len(body) > LONGEST_TEXT:
        raise OperationRefused(
            "text_too_long",
            f"This is longer than {LONGEST_TEXT:,} characters and was not saved. Shorten it, then save.",
        )
    words = count_words(body)
    row = loaded.responses.get((prompt.id, student_code))
    if row is not None and row.body == body:
        return Saved(row.words, prompt.word_limit, row.revision, row.saved_at)
    if row is not None and row.revision != base_revision:
        raise StaleText(row.body, row.revision, row.saved_at)
    if row is None:
        row = Response(
            attempt_id=loaded.attempt.id,
            part_id=part_id,
            prompt_id=prompt.id,
            student_code=student_code,
            revision=0,
        )
        session.add(row)
    row.body, row.words, row.saved_at = body, words, now
    row.revision += 1
    session.flush()
    return Saved(words, prompt.word_limit, row.revision, now)


def submit(session: Session, actor: Actor, *, confirmed: Collection[str], now: datetime) -> None:
    """Hand the try in for review. A second press changes nothing.

    Raises OperationRefused (`incomplete`, `statements_unconfirmed`, `submitting_closed`, ...); the draft is
    kept.
    """
    loaded = load(session, actor, lock=True)
    if loaded.attempt.state == State.SUBMITTED:
        return
    if permitting.end_expired(session, loaded.pursuit, now):
        loaded = load(session, actor, lock=True)
    _check_arrived(loaded)
    ready = all_confirmed(loaded.definition, confirmed)
    beside = select(Attempt.id).where(
        Attempt.pursuit_id == loaded.pursuit.id, Attempt.state == State.APPEAL_OPEN
    )
    facts = _facts(loaded, actor, now=now, confirmed=ready)
    facts = replace(facts, appeal_beside=session.scalar(beside.limit(1)) is not None)
    planned = _planned(facts, actor, Action.SUBMIT)
    loaded.attempt.confirmed_statements = [statement.id for statement in statements(loaded.definition)]
    consequences.apply(session, loaded.attempt, planned, actor_id=actor.own_id, now=now)


def withdraw(session: Session, actor: Actor, now: datetime) -> None:
    """Take the try back, as long as no reviewer has begun, and go on with it as a draft.

    A second press changes nothing. Raises OperationRefused.
    """
    loaded = load(session, actor, lock=True)
    if loaded.attempt.state == State.SUBMITTED or loaded.attempt.state == State.CHECKING:
        taken = _plan(loaded, actor, Action.WITHDRAW, now=now)
        consequences.apply(session, loaded.attempt, taken, actor_id=actor.own_id, now=now)
    if loaded.attempt.state == State.WITHDRAWN:
        resumed = _plan(loaded, actor, Action.RESUME, now=now)
        consequences.apply(session, loaded.attempt, resumed, actor_id=actor.own_id, now=now)
    elif loaded.attempt.state != State.DRAFT:
        _plan(loaded, actor, Action.WITHDRAW, now=now)


def may_change(loaded: Loaded, actor: Actor, part_id: str | None) -> None:
    """Refuse changes to a try that is not open, or to a part that passed. Raises OperationRefused."""
    _plan(loaded, actor, Action.SAVE)
    if part_id is not None and part_id in loaded.attempt.locked_parts:
        raise OperationRefused(
            "part_locked", "This part passed in an earlier try and stays as it is. Nothing was changed."
        )


def _check_arrived(loaded: Loaded) -> None:
    """Refuse to hand in what is not all there. Raises OperationRefused."""
    for upload in loaded.uploads:
        if upload.state == "joining":
            raise OperationRefused(
                "file_being_added",
                f"“{upload.file_name}” has arrived and is being added. Wait a moment, then submit.",
            )
        if upload.state == "receiving":
            raise OperationRefused(
                "file_on_its_way",
                f"“{upload.file_name}” has not arrived whole yet. Let it finish or stop it, then submit.",
            )
    for item in loaded.items:
        if item.file is not None and item.file.state == "infected":
            raise OperationRefused(
                "infected",
                f"“{item.file_name}” held malware and was deleted. Remove that piece, then submit.",
            )


def _plan(loaded: Loaded, actor: Actor, action: Action, *, now: datetime | None = None) -> Plan:
    return _planned(_facts(loaded, actor, now=now), actor, action)


def _facts(loaded: Loaded, actor: Actor, *, now: datetime | None, confirmed: bool = False) -> Facts:
    submit_by = loaded.placement.submit_by
    return Facts(
        state=State(loaded.attempt.state),
        owner_id=actor.canonical(loaded.pursuit.person_id),
        missing=len(all_missing(progress(loaded.definition, loaded.work))),
        statements_confirmed=confirmed,
        submitting_closed=now is not None and submit_by is not None and now > submit_by,
        tries=loaded.attempt.number,
    )


def _planned(facts: Facts, actor: Actor, action: Action) -> Plan:
    try:
        return plan(facts, action, Party(actor.person_id))
    except Refused as refused:
        raise OperationRefused(refused.code, refused.message) from refused


def _prompt(loaded: Loaded, part_id: str, prompt_id: str, student_code: str) -> Prompt:
    part = find_part(loaded.definition, part_id)
    for prompt in part.prompts:
        if prompt.id == prompt_id and student_code in repeat_codes(part, prompt):
            return prompt
    raise NotFound("no_such_question", "This part has no such question.")


def _clean(text: str) -> str:
    """Text as it is kept: one kind of line end, no characters that a database cannot hold."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return text.encode("utf-8", "ignore").decode()
