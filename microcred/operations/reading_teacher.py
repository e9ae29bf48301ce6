"""What a teacher reads: the credential's home, a part with its boxes and evidence, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from microcred.credentials.codes import (
    PermissionNeeded,
    permissions_needed,
    person_label,
    repeat_codes,
    requirement_codes,
)
from microcred.credentials.completeness import (
    Answer,
    Missing,
    PartProgress,
    PartStep,
    Piece,
    Work,
    all_missing,
    progress,
    prompt_place,
)
from microcred.credentials.definition import Definition, definition_of
from microcred.credentials.file_models import EvidenceUpload
from microcred.credentials.models import (
    Attempt,
    CredentialVersion,
    EvidenceItem,
    EvidencePermission,
    PrivacyFlag,
    Pursuit,
    Response,
)
from microcred.credentials.schema import ArtefactRequirement, Part, Prompt
from microcred.credentials.steps import State
from microcred.operations.actor import Actor
from microcred.operations.arriving import placement_of
from microcred.operations.current import CURRENT_FIRST
from microcred.operations.errors import NotAllowed, NotFound
from microcred.operations.reading_work import answers_of
from microcred.placements import Placement


class NotStarted(NotFound):
    """The person has no try here yet: the first page of the credential starts one."""

    def __init__(self) -> None:
        super().__init__(
            "not_started", "You have not started here yet. Open the first page of the credential."
        )


@dataclass(frozen=True)
class Loaded:
    """The rows of a teacher's newest try, and the facts drawn from them."""

    placement: Placement
    pursuit: Pursuit
    attempt: Attempt
    definition: Definition
    responses: Mapping[tuple[str, str], Response]
    items: tuple[EvidenceItem, ...]
    permissions: frozenset[tuple[str, str]]
    flagged: frozenset[tuple[str, str]] = frozenset()
    """Answers in which a reviewer saw a name, not changed since."""
    uploads: tuple[EvidenceUpload, ...] = ()
    """Files that are still on their way, or that did not become evidence."""

    @property
    def work(self) -> Work:
        """The try as `completeness` wants it."""
        return Work(
            responses={place: Answer(row.body, row.words) for place, row in self.responses.items()},
            evidence=[
                Piece(
                    item.requirement_id, item.student_code, item.type_group or "", item.hidden_at is not None
                )
                for item in self.items
            ],
            permissions=self.permissions,
            locked_parts=frozenset(self.attempt.locked_parts),
            flagged=self.flagged,
        )


@dataclass(frozen=True)
class Credential:
    """A credential in a course, for whoever may read it."""

    definition: Definition
    open_from: datetime | None
    submit_by: datetime | None


@dataclass(frozen=True)
class Try:
    """A teacher's newest try, for a page."""

    definition: Definition
    number: int
    state: State
    progress: tuple[PartProgress, ...]
    missing: tuple[Missing, ...]
    saved_at: datetime | None
    submitted_at: datetime | None
    decision_due_at: datetime | None
    decided_at: datetime | None
    submit_by: datetime | None
    incomplete_because: str
    """What a reviewer wrote who sent it back as incomplete; empty once it is sent in again."""
    has_feedback: bool
    """Whether a try of this pursuit has been decided."""

    @property
    def is_open(self) -> bool:
        """Whether the teacher can write."""
        return self.state is State.DRAFT

    def part_progress(self, part_id: str) -> PartProgress:
        """The progress of one part."""
        return next(part for part in self.progress if part.part_id == part_id)


@dataclass(frozen=True)
class Field:
    """One box to write in."""

    prompt: Prompt
    number: int
    student_code: str
    place_id: str
    heading: str
    body: str
    words: int
    revision: int
    """0 where nothing was saved yet."""
    saved_at: datetime | None
    problem: str
    """What `completeness` says about it; empty where all is well."""


@dataclass(frozen=True)
class PermissionChip:
    """A permission for one student code and kind."""

    needed: PermissionNeeded
    given_at: datetime | None


@dataclass(frozen=True)
class Group:
    """One evidence requirement with what was given for it."""

    requirement: ArtefactRequirement
    items: tuple[EvidenceItem, ...]
    permissions: tuple[PermissionChip, ...]
    problem: str
    uploads: tuple[EvidenceUpload, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether no further piece is taken; those on their way count."""
        coming = sum(upload.state != "refused" for upload in self.uploads)
        return len(self.items) + coming >= self.requirement.max_count

    @property
    def enough(self) -> bool:
        """Whether the least number is there."""
        return len(self.items) >= self.requirement.min_count


@dataclass(frozen=True)
class PartWork:
    """One part with its boxes and evidence."""

    part: Part
    fields: tuple[Field, ...]
    groups: tuple[Group, ...]
    locked: bool


def credential(session: Session, actor: Actor) -> Credential | None:
    """The credential of the launched link; None where the link has none yet. Raises NotAllowed."""
    if "read" not in actor.rights:
        raise NotAllowed("role", "Your role in this course does not open this page.")
    placement = placement_of(session, actor.launch) if actor.launch is not None else None
    if placement is None:
        return None
    version = session.get_one(CredentialVersion, placement.version_id)
    return Credential(definition_of(session, version), placement.open_from, placement.submit_by)


def load(session: Session, actor: Actor, *, lock: bool = False) -> Loaded:
    """The actor's own newest try; with `lock`, no other transaction changes it until this one ends.

    Raises NotAllowed where the role does not submit, NotFound where there is no credential or no try yet.
    """
    if "submit" not in actor.rights:
        raise NotAllowed(
            "role", "Your role in this course does not submit work. You can read the credential."
        )
    placement = placement_of(session, actor.launch) if actor.launch is not None else None
    if placement is None:
        raise NotFound(
            "no_credential", "This link has no micro-credential yet. Open another one in your course."
        )
    pursuit = pursuit_of(session, actor, placement.id)
    attempt = newest_attempt(session, pursuit.id, lock=lock) if pursuit is not None else None
    if pursuit is None or attempt is None:
        raise NotStarted
    return _loaded(session, placement, pursuit, attempt)


def load_try(session: Session, attempt_id: int) -> Loaded:
    """A try by its row, locked against other writers: for work that ends without its owner being there."""
    attempt = session.get_one(Attempt, attempt_id, with_for_update=True)
    pursuit = session.get_one(Pursuit, attempt.pursuit_id)
    return _loaded(session, session.get_one(Placement, pursuit.placement_id), pursuit, attempt)


def _loaded(session: Session, placement: Placement, pursuit: Pursuit, attempt: Attempt) -> Loaded:
    version = session.get_one(CredentialVersion, pursuit.version_id)
    uploads = select(EvidenceUpload).where(EvidenceUpload.attempt_id == attempt.id)
    return Loaded(
        placement,
        pursuit,
        attempt,
        definition_of(session, version),
        answers_of(session, attempt.id),
        _items(session, attempt.id),
        frozenset(_permissions(session, pursuit.id)),
        _flagged(session, attempt.id),
        tuple(session.scalars(uploads.order_by(EvidenceUpload.id))),
    )


def pursuit_of(session: Session, actor: Actor, placement_id: int) -> Pursuit | None:
    """The actor's own pursuit of a placement; begun as somebody linked with them, it is theirs too."""
    return session.scalar(
        select(Pursuit)
        .where(Pursuit.person_id.in_(actor.person_ids), Pursuit.placement_id == placement_id)
        .order_by((Pursuit.person_id != actor.own_id), Pursuit.id)
        .limit(1)
    )


def newest_attempt(session: Session, pursuit_id: int, *, lock: bool = False) -> Attempt | None:
    """The newest try of a pursuit."""
    query = select(Attempt).where(Attempt.pursuit_id == pursuit_id).order_by(*CURRENT_FIRST).limit(1)
    return session.scalar(query.with_for_update() if lock else query)


def current_try(session: Session, actor: Actor) -> Try:
    """The actor's newest try, for a page. Raises as `load`."""
    return try_of(session, load(session, actor))


def try_of(session: Session, loaded: Loaded) -> Try:
    """The page's view of loaded rows."""
    attempt = loaded.attempt
    parts = tuple(_to_fix(loaded, part) for part in progress(loaded.definition, loaded.work))
    saved = [row.saved_at for row in loaded.responses.values()] + [item.created_at for item in loaded.items]
    decided = session.scalar(
        select(func.count())
        .select_from(Attempt)
        .where(Attempt.pursuit_id == loaded.pursuit.id, Attempt.decided_at.is_not(None))
    )
    return Try(
        definition=loaded.definition,
        number=attempt.number,
        state=State(attempt.state),
        progress=parts,
        missing=tuple(all_missing(parts)),
        saved_at=max(saved, default=None),
        submitted_at=attempt.submitted_at,
        decision_due_at=attempt.decision_due_at,
        decided_at=attempt.decided_at,
        submit_by=loaded.placement.submit_by,
        incomplete_because=attempt.incomplete_because if attempt.state == State.DRAFT else "",
        has_feedback=bool(decided),
    )


def _to_fix(loaded: Loaded, part: PartProgress) -> PartProgress:
    """In a later try, a part that came back and was not touched since is work, though nothing is missing."""
    attempt = loaded.attempt
    if attempt.number == 1 or part.state is not PartStep.READY:
        return part
    moments = [row.saved_at for row in loaded.responses.values() if row.part_id == part.part_id]
    moments += [item.created_at for item in loaded.items if item.part_id == part.part_id]
    if any(moment > attempt.created_at for moment in moments):
        return part
    return replace(part, state=PartStep.STARTED, fraction=0.5, note="Changes asked for")


def part_work(
    loaded: Loaded, permissions_given: Mapping[tuple[str, str], datetime], part_id: str
) -> PartWork:
    """One part of loaded rows. Raises NotFound."""
    part = find_part(loaded.definition, part_id)
    found = progress(loaded.definition, loaded.work)
    problems: dict[str, str] = {}
    for missing in next(one.missing for one in found if one.part_id == part_id):
        problems.setdefault(missing.place_id, missing.message)
    return PartWork(
        part,
        tuple(_fields(part, loaded.responses, problems)),
        tuple(
            _group(loaded, requirement, part, permissions_given, problems)
            for requirement in part.artefact_requirements
        ),
        part.id in loaded.attempt.locked_parts,
    )


def find_part(definition: Definition, part_id: str) -> Part:
    """The part with this id. Raises NotFound."""
    for part in definition.parts:
        if part.id == part_id:
            return part
    raise NotFound("no_such_part", "This micro-credential has no such part.")


def permissions_given(session: Session, pursuit_id: int) -> dict[tuple[str, str], datetime]:
    """(student code, kind) of every permission that stands, with its date."""
    return {place: row.given_at for place, row in _permissions(session, pursuit_id).items()}


def _fields(
    part: Part, responses: Mapping[tuple[str, str], Response], problems: Mapping[str, str]
) -> list[Field]:
    fields = []
    for number, prompt in enumerate(part.prompts, start=1):
        for code in repeat_codes(part, prompt):
            row = responses.get((prompt.id, code))
            place = prompt_place(prompt.id, code)
            heading = person_label(code, prompt.repeat_per or "") if code else prompt.label
            fields.append(
                Field(
                    prompt=prompt,
                    number=number,
                    student_code=code,
                    place_id=place,
                    heading=heading,
                    body=row.body if row else "",
                    words=row.words if row else 0,
                    revision=row.revision if row else 0,
                    saved_at=row.saved_at if row else None,
                    problem=problems.get(place, ""),
                )
            )
    return fields


def _group(
    loaded: Loaded,
    requirement: ArtefactRequirement,
    part: Part,
    given: Mapping[tuple[str, str], datetime],
    problems: Mapping[str, str],
) -> Group:
    codes = requirement_codes(loaded.definition, requirement)
    chips = tuple(
        PermissionChip(needed, given.get((needed.student_code, needed.kind)))
        for needed in permissions_needed(loaded.definition)
        if part.id in needed.part_ids
        and needed.kind == requirement.consent_needed
        and needed.student_code in codes
    )
    items = tuple(item for item in loaded.items if item.requirement_id == requirement.id)
    uploads = tuple(one for one in loaded.uploads if one.requirement_id == requirement.id)
    return Group(requirement, items, chips, problems.get(requirement.id, ""), uploads)


def _items(session: Session, attempt_id: int) -> tuple[EvidenceItem, ...]:
    return tuple(
        session.scalars(
            select(EvidenceItem)
            .where(EvidenceItem.attempt_id == attempt_id, EvidenceItem.removed_at.is_(None))
            .options(joinedload(EvidenceItem.file))
            .order_by(EvidenceItem.id)
        )
    )


def _flagged(session: Session, attempt_id: int) -> frozenset[tuple[str, str]]:
    """Answers in which a reviewer saw a name, and that were not changed since."""
    rows = session.execute(
        select(Response.prompt_id, Response.student_code)
        .join(PrivacyFlag, PrivacyFlag.response_id == Response.id)
        .where(PrivacyFlag.attempt_id == attempt_id, Response.saved_at <= PrivacyFlag.raised_at)
    )
    return frozenset((prompt_id, code) for prompt_id, code in rows)


def _permissions(session: Session, pursuit_id: int) -> dict[tuple[str, str], EvidencePermission]:
    rows = session.scalars(
        select(EvidencePermission).where(
            EvidencePermission.pursuit_id == pursuit_id, EvidencePermission.withdrawn_at.is_(None)
        )
    )
    return {(row.student_code, row.kind): row for row in rows}
