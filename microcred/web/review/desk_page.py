"""What the review desk shows for one part of one try, worked out from the reading of the operations floor."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from microcred.credentials.labels import outcome_in_words, parts_in_words
from microcred.credentials.schema import Criterion, Part
from microcred.operations.commenting import Kept
from microcred.operations.reading_flags import KINDS as FLAG_KINDS
from microcred.operations.reading_review import Desk
from microcred.operations.reading_work import Item, PartWork
from microcred.web.base import wording
from microcred.web.base.surface import page_url
from microcred.web.review.words import ShownLevel, due, shown_levels, which_try

COMMENT_HINT = "Say what you saw. Needed when the level does not pass."


@dataclass(frozen=True)
class ShownCriterion:
    """A criterion to rate, or as it was rated."""

    id: str
    title: str
    levels: tuple[ShownLevel, ...]
    comment: str


@dataclass(frozen=True)
class Step:
    """A part in the row of parts."""

    number: int
    title: str
    url: str
    done: bool
    current: bool
    state: str
    is_next: bool
    is_previous: bool


@dataclass(frozen=True)
class ToDo:
    """Another part that still needs something."""

    title: str
    number: int
    state: str
    url: str


def chosen_part(desk: Desk, part_id: str | None) -> Part:
    """The part that was asked for, else the first that needs something, else the first that is not kept."""
    parts = desk.definition.parts
    asked = next((part for part in parts if part.id == part_id), None)
    open_parts = [part for part in parts if part.id not in desk.locked_parts]
    needing = [part for part, _ in (*desk.unrated, *desk.uncommented)]
    return asked or next(iter(needing), None) or (open_parts or list(parts))[0]


def desk_page(
    desk: Desk, part: Part, bank: Mapping[str, tuple[Kept, ...]], now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """The template's values; `bank` holds the reviewer's own comments by criterion."""
    works = {work.part_id: work for work in desk.parts}
    saved = desk.saved_at
    criteria = tuple(_criterion(desk, criterion) for criterion in part.criteria)
    return {
        "desk": desk,
        "part": part,
        "work": works[part.id],
        "other_evidence": _evidence_beside(desk, part, works),
        "locked": part.id in desk.locked_parts,
        "criteria": criteria,
        "most_levels": max(len(criterion.levels) for criterion in criteria),
        "comment_hint": COMMENT_HINT,
        "bank": bank,
        "flag_kinds": FLAG_KINDS,
        "which_try": which_try(desk.number).lower(),
        "due_text": due(desk.due_at, now, zone).text,
        "saved_at": wording.clock_time(saved, zone) if saved is not None else None,
        "steps": tuple(_steps(desk, part)),
        "rated": sum(criterion.id in desk.levels for _, criterion in desk.to_rate),
        "to_rate": len(desk.to_rate),
        "to_do_elsewhere": tuple(_to_do_elsewhere(desk, part)),
        "evidence_url": lambda item, file=False: piece_url(desk.public_id, item, file=file),
        "ratings_url": page_url("review.save", public_id=desk.public_id),
        "finish_url": page_url("review.finish", public_id=desk.public_id),
        "surface_path": page_url("review.queue"),
        **_finish(desk),
    }


def piece_url(public_id: str, item: Item, *, file: bool = False) -> str:
    """Where a piece of evidence is shown, or its bytes are."""
    endpoint = "review.piece_file" if file else "review.piece"
    return page_url(endpoint, public_id=public_id, item_id=item.public_id)


def part_url(public_id: str, part_id: str, criterion_id: str | None = None) -> str:
    """The desk at a part, perhaps at one of its criteria."""
    anchor = f"point-{criterion_id}" if criterion_id else None
    return page_url("review.desk", public_id=public_id, part=part_id, _anchor=anchor)


def _criterion(desk: Desk, criterion: Criterion) -> ShownCriterion:
    given = desk.ratings.get(criterion.id)
    return ShownCriterion(
        id=criterion.id,
        title=criterion.title,
        levels=shown_levels(desk.definition, criterion, given.level if given else None),
        comment=given.comment if given else "",
    )


def _evidence_beside(desk: Desk, part: Part, works: dict[str, PartWork]) -> tuple[PartWork, ...]:
    """The evidence of other parts, beneath a part that is only written: claims are read against it."""
    if works[part.id].asked:
        return ()
    return tuple(work for work in desk.parts if work.part_id != part.id and work.items)


def _steps(desk: Desk, current: Part) -> Iterator[Step]:
    parts = desk.definition.parts
    here = [part.id for part in parts].index(current.id)
    open_criteria = {criterion.id for _, criterion in (*desk.unrated, *desk.uncommented)}
    for place, part in enumerate(parts):
        kept = part.id in desk.locked_parts
        done = kept or not any(criterion.id in open_criteria for criterion in part.criteria)
        yield Step(
            number=part.number,
            title=part.title,
            url=part_url(desk.public_id, part.id),
            done=done,
            current=part.id == current.id,
            state="kept" if kept else "rated" if done else "to rate",
            is_next=place == here + 1,
            is_previous=place == here - 1,
        )


def _to_do_elsewhere(desk: Desk, current: Part) -> Iterator[ToDo]:
    for part in desk.definition.parts:
        unrated = [criterion for other, criterion in desk.unrated if other.id == part.id]
        uncommented = [criterion for other, criterion in desk.uncommented if other.id == part.id]
        if part.id == current.id or not (unrated or uncommented):
            continue
        state = "needs a comment"
        if unrated:
            all_of_it = len(unrated) == len(part.criteria)
            state = "not rated yet" if all_of_it else f"{len(unrated)} of {len(part.criteria)} not rated yet"
        url = part_url(desk.public_id, part.id, (unrated or uncommented)[0].id)
        yield ToDo(part.title, part.number, state, url)


def _finish(desk: Desk) -> dict[str, Any]:
    definition, issuer = desk.definition, desk.definition.issuer.name
    if desk.recommendation is not None:
        awarded = desk.recommendation == "award"
        after = (
            f"An approver at {issuer} decides."
            if awarded
            else "The teacher reads your comments and sends it in again."
        )
        if desk.state in ("second_review", "adjudication"):
            after = "Another reviewer reads it on their own before anything is sent."
        return {
            "blockers": (),
            "finished_title": "You have finished this one.",
            "finished_words": f"You recommended {'the award' if awarded else 'revisions'}. {after}",
        }
    if desk.outcome.passed:
        said = {
            "outcome_title": "This passes.",
            "outcome_words": f"{definition.document.passing_rule.text} An approver at {issuer} decides.",
            "finish_label": "Finish and recommend the award",
        }
    else:
        kept = parts_in_words(definition, desk.outcome.passed_parts)
        stay = f" {kept} {'stay' if kept.startswith('Parts') else 'stays'} done." if kept else ""
        said = {
            "outcome_title": outcome_in_words(definition, desk.outcome),
            "outcome_words": f"The teacher reads your comments and sends it in again.{stay}",
            "finish_label": "Finish and ask for revisions",
        }
    return {
        **said,
        "blockers": tuple(_blockers(desk)),
        "finished_title": "It is not with you now.",
        "finished_words": "",
    }


def _blockers(desk: Desk) -> Iterator[str]:
    if desk.unrated:
        yield f"Rate {parts_in_words(desk.definition, {part.id for part, _ in desk.unrated})} first."
    if desk.uncommented:
        where = parts_in_words(desk.definition, {part.id for part, _ in desk.uncommented})
        yield f"Write to the teacher what is missing in {where}."
