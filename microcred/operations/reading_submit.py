"""What the last page before submitting shows: what is there, and when a decision will be."""

from datetime import datetime

from sqlalchemy.orm import Session

from microcred.credentials.codes import permissions_needed
from microcred.credentials.due import add_business_days
from microcred.credentials.labels import counted, joined
from microcred.credentials.schema import Part
from microcred.operations.reading_teacher import Loaded
from microcred.people import policies


def decision_by(session: Session, loaded: Loaded, now: datetime) -> datetime:
    """The day by which a try submitted now is decided."""
    organization_id = loaded.placement.organization_id
    return add_business_days(
        now,
        loaded.definition.document.review_policy.turnaround_business_days,
        policies.zone_of(session, organization_id),
        policies.holidays_of(session, organization_id),
    )


def what_is_there(loaded: Loaded) -> dict[str, str]:
    """What each part holds, in a line: `2 answers, 133 and 121 words`, `4 pieces, permission for A and B`."""
    return {part.id: _in_words(loaded, part) for part in loaded.definition.parts}


def _in_words(loaded: Loaded, part: Part) -> str:
    facts = []
    words = [
        row.words
        for (prompt_id, _), row in sorted(loaded.responses.items())
        if row.words and any(prompt.id == prompt_id for prompt in part.prompts)
    ]
    if words:
        facts.append(f"{counted(len(words), 'answer')}, {joined([f'{count:,}' for count in words])} words")
    pieces = sum(item.part_id == part.id for item in loaded.items)
    if pieces:
        facts.append(counted(pieces, "piece"))
    codes = [
        needed.student_code if len(needed.student_code) == 1 else "the class"
        for needed in permissions_needed(loaded.definition)
        if part.id in needed.part_ids and (needed.student_code, needed.kind) in loaded.permissions
    ]
    if codes:
        facts.append(f"permission for {joined(codes)}")
    return ", ".join(facts) or "Nothing yet"
