"""The catalogue file as frozen types: what an author may write, member by member, in the file's own order.

Strict: a number in quotes is not a number, an unknown member is refused, text holds no control characters.
What one part of the file says about another (ids that must exist, levels a scale must have) is checked in
`microcred.credentials.checks`. Members that an author may leave out have a default and are not written back
(`as_data` gives out what was put in).
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Strict,
    StringConstraints,
    Tag,
    model_validator,
)

from microcred.credentials.errors import Problem

SCHEMA_VERSION = "1.0"

T = TypeVar("T")
Many = Annotated[tuple[T, ...], Strict(False)]
"""A list in the file, a tuple here."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def _printable(value: str) -> str:
    """Text without control characters: PostgreSQL keeps no NUL, and a page shows none of the others."""
    found = _CONTROL.search(value)
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}")
    return value


_PLAIN = AfterValidator(_printable)
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000), _PLAIN]
Line = Annotated[str, StringConstraints(min_length=1, max_length=300), _PLAIN]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120)]
"""An id that other parts of the file refer to."""
LocalKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
"""An id inside one credential: a part, prompt, requirement or criterion."""
LevelKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
VersionName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length=40)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+\S*$", max_length=2000), _PLAIN]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320), _PLAIN]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Count = Annotated[int, Field(ge=0, le=1000)]
Positive = Annotated[int, Field(ge=1, le=100_000)]
Percent = Annotated[int, Field(ge=0, le=100)]
Status = Literal["draft", "published", "retired"]
EvidenceGroup = Literal["image", "pdf", "document", "audio", "video", "link"]
Consent = Literal["none", "student_family", "colleague"]


class Document(BaseModel):
    """Base of every member of the file."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    def as_data(self) -> dict[str, Any]:
        """Plain JSON data, equal to what was read, members in the order of this schema."""
        return self.model_dump(mode="json", exclude_unset=True)


# said once for the whole catalogue


class PlainLanguageLabels(Document):
    """The words people see for the words of the trade."""

    artefact: Line = "Evidence"
    assessor: Line = "Reviewer"
    issuer: Line = "Issuing organization"
    attempt: Line = "Try"
    revisions_needed: Line = "Revisions needed"
    criteria: Line = "What reviewers look for"


class CatalogueHead(Document):
    """What the file says about itself."""

    title: Line
    schema_version: Literal["1.0"]
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
    note: Text | None = None
    plain_language_labels: PlainLanguageLabels = PlainLanguageLabels()


class Issuer(Document):
    """An organization that stands behind badges."""

    id: Key
    name: Line
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$", max_length=40)]
    url: Url | None = None
    contact_email: Email | None = None
    revocation_policy_url: Url | None = None


class University(Document):
    """A university that grants graduate credit."""

    id: Key
    name: Line
    url: Url | None = None
    registrar_contact: Email | None = None


class Framework(Document):
    """A set of standards that credentials are aligned to."""

    id: Key
    name: Line
    version: Line
    url: Url | None = None


class Level(Document):
    """One level of a scale; `points` count towards grades, `passes` decides."""

    key: LevelKey
    label: Line
    passes: bool
    points: Annotated[int, Field(ge=0, le=1000)]
    meaning: Text


class Scale(Document):
    """Levels, best first."""

    id: Key
    levels: Annotated[Many[Level], Field(min_length=2)]

    def level(self, key: str) -> Level | None:
        """The level with this key, if the scale has it."""
        return next((level for level in self.levels if level.key == key), None)

    @property
    def highest_points(self) -> int:
        return max(level.points for level in self.levels)

    @property
    def is_yes_no(self) -> bool:
        """Whether results on this scale read Yes and No instead of Passing and Revisions needed."""
        return {level.key for level in self.levels} == {"yes", "no"}


class GradeScheme(Document):
    """A way to turn a decision into gradebook numbers, in words; the arithmetic is `grade_passback`'s."""

    id: Key
    label: Line
    line_items: Literal["one", "one per part"]
    score_maximum: Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0)] | Line
    when_awarded: Line
    when_revisions_requested: Line
    when_denied: Line
    rounding: Line | None = None


class CreditRule(Document):
    """How an award counts for one authority, in words."""

    id: Key
    label: Line
    unit: Line
    formula: Text
    jurisdiction: Line
    source: Text


# a micro-credential


class MethodComponent(Document):
    """One step of the method."""

    title: Line
    details: Many[Text] = ()


class Source(Document):
    """Where the rationale comes from."""

    title: Line
    by: Line
    year: Annotated[int, Field(ge=1800, le=2200)]
    published_in: Line | None = None
    url: Url | None = None


class Rationale(Document):
    """Why the method works."""

    summary: Text
    sources: Many[Source] = ()


class Resource(Document):
    """Something to read, watch or use on the way."""

    title: Line
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_ -]*$", max_length=40)]
    url: Url
    minutes: Count | None = None
    note: Text | None = None


class Effort(Document):
    """Time: the usual range, and what the award counts for."""

    typical_hours_low: Count
    typical_hours_high: Count
    clock_hours: Count
    ceu: Annotated[float, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _range(self) -> "Effort":
        if self.typical_hours_low > self.typical_hours_high:
            raise ValueError("typical_hours_low is more than typical_hours_high")
        return self


class Alignment(Document):
    """A standard the credential is aligned to."""

    framework: Key
    code: Line
    label: Line


class Condition(Document):
    """A part that must reach a level of its scale (`passing`, `yes`, or a higher one such as `strong`)."""

    part: LocalKey
    requires: LevelKey


def _is_condition(value: Any) -> str:
    members = value if isinstance(value, Mapping) else getattr(value, "model_fields_set", ())
    return "condition" if "part" in members else "rule"


class Rule(Document):
    """Conditions joined: `all_of`, `any_of`, or `at_least` with `n`. A condition may itself be a rule."""

    type: Literal["all_of", "any_of", "at_least"]
    text: Text | None = None
    n: Positive | None = None
    conditions: Annotated[
        Many[
            Annotated[
                Annotated[Condition, Tag("condition")] | Annotated["Rule", Tag("rule")],
                Discriminator(_is_condition),
            ]
        ],
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _number(self) -> "Rule":
        if (self.type == "at_least") != (self.n is not None):
            raise ValueError("n belongs to at_least, and only there")
        if self.n is not None and self.n > len(self.conditions):
            raise ValueError(f"asks for {self.n} of {len(self.conditions)} conditions")
        return self


class PassingRule(Rule):
    """The rule of a whole credential; `text` says it in words and is shown to everyone."""

    text: Text


class Prompt(Document):
    """A question answered in writing, once or once per person."""

    id: LocalKey
    label: Line
    text: Text
    word_limit: Positive | None = None
    required: bool = True
    repeat_per: Literal["student", "colleague"] | None = None
    repeat_count: Annotated[int, Field(ge=1, le=26)] | None = None
    """How many people answer; where it is left out, `codes.repeat_codes` reads the part's instructions."""
    alternative_format: Line | None = None


class ArtefactRequirement(Document):
    """Evidence to hand in: what, how many, of which types, about whom and with whose permission."""

    id: LocalKey
    label: Line
    description: Text
    min_count: Count
    max_count: Annotated[int, Field(ge=1, le=100)]
    accepted_types: Annotated[Many[EvidenceGroup], Field(min_length=1)]
    about: Literal["student", "class", "teacher", "colleague"]
    consent_needed: Consent = "none"
    must_be_deidentified: bool = True
    max_minutes: Positive | None = None
    max_megabytes: Positive | None = None
    """The largest file, in millions of bytes, where it is less than the installation takes."""

    @model_validator(mode="after")
    def _range(self) -> "ArtefactRequirement":
        if self.min_count > self.max_count:
            raise ValueError("min_count is more than max_count")
        return self


class Criterion(Document):
    """What reviewers look for; `levels` describes each level of its scale."""

    id: LocalKey
    title: Line
    scale: Key
    levels: dict[LevelKey, Text]


class Part(Document):
    """A part of a credential, with its questions, evidence and criteria."""

    id: LocalKey
    number: Positive
    title: Line
    kind: Literal[
        "written_response", "artefacts", "student_reflections", "teacher_reflection", "peer_reflections"
    ]
    scale: Key
    instructions: Text
    prompts: Many[Prompt] = ()
    artefact_requirements: Many[ArtefactRequirement] = ()
    criteria: Annotated[Many[Criterion], Field(min_length=1)]
    assessor_note: Text | None = None

    @model_validator(mode="after")
    def _asks(self) -> "Part":
        if not self.prompts and not self.artefact_requirements:
            raise ValueError("asks for nothing: give it a prompt or an artefact requirement")
        return self


class ReviewPolicy(Document):
    """How tries of this credential are reviewed."""

    assessors_per_attempt: Annotated[int, Field(ge=1, le=3)]
    blind: bool
    double_score_percent: Percent
    turnaround_business_days: Annotated[int, Field(ge=1, le=60)]
    attempts_before_coaching: Annotated[int, Field(ge=1, le=100)] | None = None
    issuer_approval_required: bool


class Validity(Document):
    """How long an award is valid; `months` only where it expires."""

    expires: bool
    months: Annotated[int, Field(ge=1, le=1200)] | None = None

    @model_validator(mode="after")
    def _months(self) -> "Validity":
        if self.expires != (self.months is not None):
            raise ValueError("months belongs to a credential that expires, and only there")
        return self


class BadgeArt(Document):
    """Name and looks of the badge; the picture is drawn from shape, colours and icon."""

    name: Line
    image_alt: Line
    shape: Literal["hexagon", "shield", "circle"]
    primary_colour: Colour
    accent_colour: Colour
    icon: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    achievement_type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z:]+$", max_length=60)]


Reason = Literal["need", "student_challenge", "instructional_shift", "district_priority"]
"""A professional need, strengths and challenges of students, a shift in teaching, a district's priority."""
WHY: tuple[Reason, ...] = get_args(Reason)


class MicroCredential(Document):
    """One version of one micro-credential."""

    id: Key
    code: Annotated[Line, StringConstraints(max_length=60)]
    version: VersionName
    status: Status
    title: Line
    one_line: Line
    issuer: Key
    grade_bands: Many[Line] = ()
    subject_areas: Many[Line] = ()
    tags: Many[Line] = ()
    why: Many[Reason] = ()
    """Why a teacher would choose it."""
    requires_students: bool
    competency: Text
    key_method: Text
    method_components: Many[MethodComponent] = ()
    suggested_preparation: Many[Text] = ()
    rationale: Rationale
    resources: Many[Resource] = ()
    effort: Effort
    standards_alignment: Many[Alignment] = ()
    passing_rule: PassingRule
    parts: Annotated[Many[Part], Field(min_length=1)]
    review_policy: ReviewPolicy
    validity: Validity
    badge: BadgeArt


CredentialDocument = MicroCredential

# a stack


class StackGroup(Document):
    """Micro-credentials of which `choose` are needed."""

    id: LocalKey
    label: Line
    choose: Positive
    micro_credentials: Annotated[Many[Key], Field(min_length=1)]


class HoursRange(Document):
    """Fewest and most clock hours over all choices."""

    minimum: Count
    maximum: Count


class CeuRange(Document):
    """Fewest and most CEU over all choices."""

    minimum: Annotated[float, Field(ge=0)]
    maximum: Annotated[float, Field(ge=0)]


class Capstone(Document):
    """The piece of writing that joins the practices of a stack."""

    title: Line
    instructions: Text
    word_limit: Positive
    scale: Key
    criteria: Annotated[Many[Criterion], Field(min_length=1)]


class LetterGrade(Document):
    """The lowest percentage for a letter."""

    letter: Annotated[Line, StringConstraints(max_length=10)]
    minimum_percent: Percent


class Weight(Document):
    """How much of the course grade an item makes up; it is a member of the stack or `capstone`."""

    item: Key
    percent: Percent


class GraduateCredit(Document):
    """The university course a complete stack may count for."""

    university: Key
    course_code: Line
    course_title: Line
    semester_credits: Positive
    minimum_documented_hours: Count
    grade_basis: Literal["letter", "credit_no_credit"]
    grade_scheme: Key
    letter_scale: Many[LetterGrade] = ()
    minimum_to_grant: Annotated[Line, StringConstraints(max_length=10)]
    request_window_days_after_last_award: Positive
    faculty_confirms: bool
    weights: Many[Weight] = ()
    registrar_fields: Many[LocalKey] = ()


class Stack(Document):
    """One version of one stack: groups of micro-credentials, perhaps a capstone and graduate credit."""

    id: Key
    code: Annotated[Line, StringConstraints(max_length=60)]
    version: VersionName
    status: Status
    title: Line
    one_line: Line
    issuer: Key
    groups: Annotated[Many[StackGroup], Field(min_length=1)]
    order: Literal["any", "listed"]
    total_clock_hours: HoursRange
    ceu: CeuRange
    capstone: Capstone | None = None
    badge: BadgeArt
    graduate_credit: GraduateCredit | None = None


# the file


class CatalogueFile(Document):
    """A whole catalogue file."""

    catalogue: CatalogueHead
    issuers: Annotated[Many[Issuer], Field(min_length=1)]
    universities: Many[University] = ()
    frameworks: Many[Framework] = ()
    scales: Many[Scale] = ()
    part_result_rule: Text | None = None
    grade_schemes: Many[GradeScheme] = ()
    credit_rules: Many[CreditRule] = ()
    credit_rule_guard: Text | None = None
    micro_credentials: Many[MicroCredential] = ()
    stacks: Many[Stack] = ()

    _lines: dict[tuple[str | int, ...], int] = PrivateAttr(default_factory=dict)

    def problem(self, path: tuple[str | int, ...], message: str) -> Problem:
        """A problem at `path`, with its line where the file was read from text."""
        return Problem.at(path, message, self._lines)
