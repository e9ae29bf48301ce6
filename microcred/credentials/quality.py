"""What makes a credential worth having, beside being well formed: what can be seen by rule, and what only a
person can say.
"""

from collections.abc import Iterator

from microcred.credentials.schema import MicroCredential, Stack

CHECKLIST: tuple[tuple[str, str], ...] = (
    ("competency", "The competency says what a teacher does, and one can see whether it was done."),
    ("practice", "What it asks for comes from a teacher’s own classroom or work, not from coursework."),
    (
        "levels",
        "Two people would choose the same level for the same work: each level can be told from the next.",
    ),
    ("hours", "The hours match the work that is asked for, and colleagues who tried it agree."),
    ("sources", "The rationale rests on sources that were read, and they still hold."),
    ("links", "Every link opens for somebody without an account, or says what it costs."),
    ("words", "Somebody new to teaching understands every sentence."),
    (
        "privacy",
        "Wherever somebody can be recognized, permission is asked for; nothing asks for a name.",
    ),
    (
        "open",
        "Rubric and rule are fair to people of every subject, school and experience that it is meant for.",
    ),
)
"""(id, statement): what whoever signs off confirms."""

NO_PRACTICE = "no_practice"


def warnings(document: MicroCredential | Stack) -> list[tuple[str, str]]:
    """(code, words) of what a reader by rule finds weak. Nothing of it forbids publishing."""
    if isinstance(document, Stack):
        return []
    return list(_warnings(document))


def _warnings(document: MicroCredential) -> Iterator[tuple[str, str]]:
    asked = [item for part in document.parts for item in part.artefact_requirements if item.min_count]
    if not any(item.about in ("student", "class") for item in asked):
        yield (
            NO_PRACTICE,
            "It asks for no evidence from a classroom. Teachers trust what shows practice, not coursework: "
            "ask for student work, or say why none can be shown.",
        )
    if document.requires_students and not any(item.consent_needed != "none" for item in asked):
        yield "no_permission", "It needs students, but no evidence asks for permission."
    for item in asked:
        if item.about in ("student", "colleague") and item.consent_needed == "none":
            yield "no_permission", f"“{item.label}” shows people and asks for no permission."
    if not document.rationale.sources:
        yield "no_sources", "The rationale names no source."
    if not document.resources:
        yield "no_resources", "There is nothing to read, watch or use on the way."
    for part in document.parts:
        for criterion in part.criteria:
            texts = [text.strip().casefold() for text in criterion.levels.values()]
            if len(set(texts)) < len(texts):
                yield (
                    "same_levels",
                    f"Part {part.number}, “{criterion.title}”: two levels are described in the same words.",
                )
        for prompt in part.prompts:
            if prompt.word_limit is None:
                yield "no_limit", f"Part {part.number}, “{prompt.label}” has no word limit."
    if document.effort.clock_hours > document.effort.typical_hours_high:
        yield "many_hours", "It counts for more hours than it usually takes."
    if document.review_policy.turnaround_business_days > 5:
        yield "slow", "People wait more than five working days for a decision."
