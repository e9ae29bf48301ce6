"""The domain: the catalogue, what a try lacks, what ratings come to, and the one state machine."""

from microcred.credentials.catalogue import (
    Imported,
    export_catalogue,
    import_catalogue,
    parse,
    sample_text,
    to_yaml,
)
from microcred.credentials.completeness import Answer, Missing, PartProgress, Piece, Work, progress
from microcred.credentials.definition import Definition, definition_of, document_of
from microcred.credentials.errors import (
    CatalogueRefused,
    CredentialError,
    EvidenceRefused,
    NotInCatalogue,
    Problem,
    PublishedVersionChanged,
    Refused,
)
from microcred.credentials.passing import Outcome, PartResult, PartState, Points, evaluate, points
from microcred.credentials.schema import WHY, CatalogueFile, MicroCredential, Stack
from microcred.credentials.search import (
    Entry,
    Narrowing,
    Page,
    grade_bands,
    newest_of,
    published_version,
    search,
)
from microcred.credentials.stacks import StackProgress, earned_keys, members_of, stack_progress
from microcred.credentials.steps import Action, Moment, State
from microcred.credentials.words import count_words
from microcred.credentials.workflow import SYSTEM, Choice, Facts, Party, Plan, choices, may, plan

__all__ = [
    "SYSTEM",
    "WHY",
    "Action",
    "Answer",
    "CatalogueFile",
    "CatalogueRefused",
    "Choice",
    "CredentialError",
    "Definition",
    "Entry",
    "EvidenceRefused",
    "Facts",
    "Imported",
    "MicroCredential",
    "Missing",
    "Moment",
    "Narrowing",
    "NotInCatalogue",
    "Outcome",
    "Page",
    "PartProgress",
    "PartResult",
    "PartState",
    "Party",
    "Piece",
    "Plan",
    "Points",
    "Problem",
    "PublishedVersionChanged",
    "Refused",
    "Stack",
    "StackProgress",
    "State",
    "Work",
    "choices",
    "count_words",
    "definition_of",
    "document_of",
    "earned_keys",
    "evaluate",
    "export_catalogue",
    "grade_bands",
    "import_catalogue",
    "may",
    "members_of",
    "newest_of",
    "parse",
    "plan",
    "points",
    "progress",
    "published_version",
    "sample_text",
    "search",
    "stack_progress",
    "to_yaml",
]
