"""What parts of a catalogue file say about one another: ids that exist, levels that fit, rules that work.

Each function yields (path, message). An id that is written, but whose own entry is broken, counts as known:
one mistake is named once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from microcred.credentials.errors import Path
from microcred.credentials.schema import (
    Condition,
    Criterion,
    GraduateCredit,
    MicroCredential,
    Part,
    Rule,
    Scale,
    Stack,
)

Found = Iterator[tuple[Path, str]]
Numbered = Sequence[tuple[int, MicroCredential]]


@dataclass(frozen=True)
class Known:
    """The ids written in a file; a scale is None where its own entry is broken."""

    issuers: frozenset[str]
    universities: frozenset[str]
    frameworks: frozenset[str]
    grade_schemes: frozenset[str]
    micro_credentials: frozenset[str]
    scales: Mapping[str, Scale | None]


def repeated(ids: Sequence[str | None], path: Path, member: str = "id") -> Found:
    """Ids that stand in a list more than once; None where an entry has none."""
    for position, key in enumerate(ids):
        if key is not None and key in ids[:position]:
            yield (*path, position, member), f"`{key}` is here twice."


def check_scale(scale: Scale, path: Path) -> Found:
    """Level keys once each; something passes, something does not, and what passes has more points."""
    yield from repeated([level.key for level in scale.levels], (*path, "levels"), "key")
    passing = [level.points for level in scale.levels if level.passes]
    others = [level.points for level in scale.levels if not level.passes]
    if not passing or not others:
        yield (*path, "levels"), "A scale needs a level that passes and one that does not."
    elif min(passing) <= max(others):
        yield (*path, "levels"), "A level that passes must have more points than one that does not."


def check_versions(entries: Iterable[tuple[Path, str, str, str]]) -> Found:
    """`entries` are (path, id, version, issuer): each version once, one issuer for all of an id."""
    seen: set[tuple[str, str]] = set()
    issuers: dict[str, str] = {}
    for path, key, version, issuer in entries:
        if (key, version) in seen:
            yield (*path, "version"), f"`{key}` {version} is here twice."
        elif issuers.setdefault(key, issuer) != issuer:
            yield (*path, "issuer"), f"All versions of `{key}` have the same issuer."
        seen.add((key, version))


def check_credential(document: MicroCredential, known: Known, path: Path) -> Found:
    """One micro-credential."""
    if document.issuer not in known.issuers:
        yield (*path, "issuer"), f"There is no issuer `{document.issuer}`."
    for index, alignment in enumerate(document.standards_alignment):
        if alignment.framework not in known.frameworks:
            where = (*path, "standards_alignment", index, "framework")
            yield where, f"There is no framework `{alignment.framework}`."
    parts = {part.id: part for part in document.parts}
    yield from repeated([part.id for part in document.parts], (*path, "parts"))
    for index, part in enumerate(document.parts):
        where = (*path, "parts", index)
        if part.number != index + 1:
            yield (*where, "number"), f"Parts are numbered in order: this is number {index + 1}."
        yield from _check_part(part, known, where)
    yield from _check_local_ids(document, path)
    yield from _check_rule(document.passing_rule, parts, known, (*path, "passing_rule"))


def _check_local_ids(document: MicroCredential, path: Path) -> Found:
    for member in ("prompts", "artefact_requirements", "criteria"):
        seen: set[str] = set()
        for number, part in enumerate(document.parts):
            for index, item in enumerate(getattr(part, member)):
                if item.id in seen:
                    where = (*path, "parts", number, member, index, "id")
                    yield where, f"`{item.id}` is here twice in this micro-credential."
                seen.add(item.id)


def _check_part(part: Part, known: Known, path: Path) -> Found:
    if part.scale not in known.scales:
        yield (*path, "scale"), f"There is no scale `{part.scale}`."
    yield from _check_criteria(part.criteria, known, path)
    for index, requirement in enumerate(part.artefact_requirements):
        for group, times in Counter(requirement.accepted_types).items():
            if times > 1:
                where = (*path, "artefact_requirements", index, "accepted_types")
                yield where, f"`{group}` is here twice."


def _check_criteria(criteria: Sequence[Criterion], known: Known, path: Path) -> Found:
    for index, criterion in enumerate(criteria):
        where = (*path, "criteria", index)
        if criterion.scale not in known.scales:
            yield (*where, "scale"), f"There is no scale `{criterion.scale}`."
            continue
        scale = known.scales[criterion.scale]
        if scale is None:
            continue
        keys = [level.key for level in scale.levels]
        for key in keys:
            if key not in criterion.levels:
                yield (*where, "levels", key), f"The scale `{scale.id}` has this level; describe it."
        for key in criterion.levels:
            if key not in keys:
                yield (*where, "levels", key), f"The scale `{scale.id}` has no such level."


def _check_rule(rule: Rule, parts: Mapping[str, Part], known: Known, path: Path) -> Found:
    for index, condition in enumerate(rule.conditions):
        where = (*path, "conditions", index)
        if isinstance(condition, Condition):
            yield from _check_condition(condition, parts, known, where)
        else:
            yield from _check_rule(condition, parts, known, where)


def _check_condition(condition: Condition, parts: Mapping[str, Part], known: Known, path: Path) -> Found:
    if condition.part not in parts:
        yield (*path, "part"), f"There is no part `{condition.part}`."
        return
    scale = known.scales.get(parts[condition.part].scale)
    if scale is None:
        return
    level = scale.level(condition.requires)
    if level is None:
        yield (*path, "requires"), f"The scale `{scale.id}` of this part has no level `{condition.requires}`."
    elif not level.passes:
        yield (*path, "requires"), f"`{condition.requires}` does not pass, so a rule cannot ask for it."


def check_stack(stack: Stack, known: Known, path: Path) -> Found:
    """One stack."""
    if stack.issuer not in known.issuers:
        yield (*path, "issuer"), f"There is no issuer `{stack.issuer}`."
    yield from repeated([group.id for group in stack.groups], (*path, "groups"))
    members: list[str] = []
    for index, group in enumerate(stack.groups):
        where = (*path, "groups", index)
        if group.choose > len(group.micro_credentials):
            yield (*where, "choose"), f"This group has only {len(group.micro_credentials)} to choose from."
        for position, key in enumerate(group.micro_credentials):
            if key not in known.micro_credentials:
                yield (*where, "micro_credentials", position), f"There is no micro-credential `{key}`."
            elif key in members:
                yield (*where, "micro_credentials", position), f"`{key}` is here twice in this stack."
            members.append(key)
    for name, hours in (("total_clock_hours", stack.total_clock_hours), ("ceu", stack.ceu)):
        if hours.minimum > hours.maximum:
            yield (*path, name), "The minimum is more than the maximum."
    if stack.capstone:
        if stack.capstone.scale not in known.scales:
            yield (*path, "capstone", "scale"), f"There is no scale `{stack.capstone.scale}`."
        yield from repeated([item.id for item in stack.capstone.criteria], (*path, "capstone", "criteria"))
        yield from _check_criteria(stack.capstone.criteria, known, (*path, "capstone"))
    if stack.graduate_credit:
        items = {*members, *(["capstone"] if stack.capstone else [])}
        yield from _check_graduate_credit(stack.graduate_credit, items, known, (*path, "graduate_credit"))


def _check_graduate_credit(credit: GraduateCredit, items: set[str], known: Known, path: Path) -> Found:
    if credit.university not in known.universities:
        yield (*path, "university"), f"There is no university `{credit.university}`."
    if credit.grade_scheme not in known.grade_schemes:
        yield (*path, "grade_scheme"), f"There is no grade scheme `{credit.grade_scheme}`."
    yield from repeated([weight.item for weight in credit.weights], (*path, "weights"), "item")
    for index, weight in enumerate(credit.weights):
        if weight.item not in items:
            yield (*path, "weights", index, "item"), f"`{weight.item}` is not in this stack."
    total = sum(weight.percent for weight in credit.weights)
    if credit.weights and total != 100:
        yield (*path, "weights"), f"The weights add up to {total}, not to 100."
    letters = credit.letter_scale
    if any(letters[i].minimum_percent >= letters[i - 1].minimum_percent for i in range(1, len(letters))):
        yield (*path, "letter_scale"), "Letters go from the highest percentage to the lowest."
    if credit.grade_basis == "letter" and credit.minimum_to_grant not in {item.letter for item in letters}:
        yield (*path, "minimum_to_grant"), "This letter is not in the letter scale."
