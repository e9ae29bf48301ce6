"""From ratings to a result: parts, the passing rule, points.

A part passes when every criterion in it has a level that passes. The passing rule joins parts as data: each
condition names a part and the level it `requires` of that part's scale; the lowest passing level (`passing`,
`yes`) asks for no more than that the part passes, a higher one (`strong`) asks it of every criterion rated on
the same scale. `all_of`, `any_of` and `at_least` n may be nested in one another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from microcred.credentials.definition import Definition
from microcred.credentials.schema import Condition, Level, Part, Rule


class PartState(StrEnum):
    """How a part stands; a part on a yes/no scale reads Yes or No."""

    PASSING = "passing"
    YES = "yes"
    NOT_PASSING = "not_passing"
    NO = "no"
    UNRATED = "unrated"


@dataclass(frozen=True)
class PartResult:
    """The result of one part."""

    part_id: str
    number: int
    title: str
    state: PartState
    levels: Mapping[str, Level | None]
    """Criterion id to the level given, None where there is none yet."""

    @property
    def passes(self) -> bool:
        return self.state in (PartState.PASSING, PartState.YES)

    @property
    def rated(self) -> int:
        """How many criteria have a level."""
        return sum(level is not None for level in self.levels.values())


@dataclass(frozen=True)
class Outcome:
    """The result of a whole try; `passed` is None while anything is unrated."""

    parts: Mapping[str, PartResult]
    passed: bool | None

    @property
    def passed_parts(self) -> tuple[str, ...]:
        """Ids of the parts that pass, in order: those a new try keeps."""
        return tuple(result.part_id for result in self.parts.values() if result.passes)

    @property
    def failed_parts(self) -> tuple[str, ...]:
        """Ids of the fully rated parts that do not pass, in order."""
        return tuple(
            result.part_id
            for result in self.parts.values()
            if result.state in (PartState.NOT_PASSING, PartState.NO)
        )

    @property
    def unrated(self) -> int:
        """How many criteria have no level yet."""
        return sum(len(result.levels) - result.rated for result in self.parts.values())


class Points(NamedTuple):
    """Rubric points given, of how many."""

    given: int
    maximum: int

    @property
    def percent(self) -> float:
        """0 to 100, one decimal."""
        return round(100 * self.given / self.maximum, 1) if self.maximum else 0.0


def evaluate(definition: Definition, ratings: Mapping[str, str]) -> Outcome:
    """The outcome of `ratings` (criterion id to level key). Raises NotInCatalogue for an unknown one."""
    for criterion_id, key in ratings.items():
        definition.level(definition.criterion(criterion_id)[1], key)
    parts = {part.id: _part_result(definition, part, ratings) for part in definition.parts}
    if any(result.state is PartState.UNRATED for result in parts.values()):
        return Outcome(parts, None)
    return Outcome(parts, _holds(definition, definition.document.passing_rule, parts))


def points(definition: Definition, ratings: Mapping[str, str], part_id: str | None = None) -> Points:
    """Rubric points of the whole credential, or of one part. An unrated criterion gives none."""
    given = maximum = 0
    for part, criterion in definition.criteria():
        if part_id is None or part.id == part_id:
            maximum += definition.scales[criterion.scale].highest_points
            if criterion.id in ratings:
                given += definition.level(criterion, ratings[criterion.id]).points
    return Points(given, maximum)


def _part_result(definition: Definition, part: Part, ratings: Mapping[str, str]) -> PartResult:
    levels = {
        criterion.id: definition.level(criterion, ratings[criterion.id]) if criterion.id in ratings else None
        for criterion in part.criteria
    }
    return PartResult(part.id, part.number, part.title, _state(definition, part, levels), levels)


def _state(definition: Definition, part: Part, levels: Mapping[str, Level | None]) -> PartState:
    if any(level is None for level in levels.values()):
        return PartState.UNRATED
    passes = all(level is not None and level.passes for level in levels.values())
    if definition.scales[part.scale].is_yes_no:
        return PartState.YES if passes else PartState.NO
    return PartState.PASSING if passes else PartState.NOT_PASSING


def _holds(definition: Definition, rule: Rule | Condition, parts: Mapping[str, PartResult]) -> bool:
    if isinstance(rule, Condition):
        return _reaches(definition, rule, parts[rule.part])
    held = sum(_holds(definition, condition, parts) for condition in rule.conditions)
    needed = {"all_of": len(rule.conditions), "any_of": 1, "at_least": rule.n or 0}[rule.type]
    return held >= needed


def _reaches(definition: Definition, condition: Condition, result: PartResult) -> bool:
    part = definition.part(condition.part)
    required = definition.scales[part.scale].level(condition.requires)
    if required is None or not result.passes:
        return False
    return all(
        level is not None and level.points >= required.points
        for criterion in part.criteria
        if criterion.scale == part.scale
        for level in (result.levels[criterion.id],)
    )
