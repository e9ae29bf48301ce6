"""A credential version with all that its pages need: its document and what its catalogue says for all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from microcred.credentials.errors import NotInCatalogue
from microcred.credentials.models import Catalogue, Credential, CredentialVersion
from microcred.credentials.schema import (
    ArtefactRequirement,
    CatalogueFile,
    Criterion,
    Framework,
    GradeScheme,
    Issuer,
    Level,
    MicroCredential,
    Part,
    PlainLanguageLabels,
    Prompt,
    Scale,
    Stack,
)


@dataclass(frozen=True)
class Definition:
    """One version of a micro-credential, complete: everything a page, the rules and the grades ask of it."""

    public_id: str
    document: MicroCredential
    issuer: Issuer
    scales: Mapping[str, Scale]
    frameworks: Mapping[str, Framework]
    grade_schemes: Mapping[str, GradeScheme]
    labels: PlainLanguageLabels
    part_result_rule: str | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.document.parts

    def part(self, part_id: str) -> Part:
        """The part with this id. Raises NotInCatalogue."""
        for part in self.parts:
            if part.id == part_id:
                return part
        raise NotInCatalogue("part_unknown", "This micro-credential has no such part.")

    def criteria(self) -> Iterator[tuple[Part, Criterion]]:
        """Every criterion with its part, in order."""
        return ((part, criterion) for part in self.parts for criterion in part.criteria)

    def criterion(self, criterion_id: str) -> tuple[Part, Criterion]:
        """The criterion with this id and its part. Raises NotInCatalogue."""
        for part, criterion in self.criteria():
            if criterion.id == criterion_id:
                return part, criterion
        raise NotInCatalogue("criterion_unknown", "This micro-credential has no such criterion.")

    def prompt(self, prompt_id: str) -> tuple[Part, Prompt]:
        """The prompt with this id and its part. Raises NotInCatalogue."""
        for part in self.parts:
            for prompt in part.prompts:
                if prompt.id == prompt_id:
                    return part, prompt
        raise NotInCatalogue("prompt_unknown", "This micro-credential has no such question.")

    def requirement(self, requirement_id: str) -> tuple[Part, ArtefactRequirement]:
        """The evidence requirement with this id and its part. Raises NotInCatalogue."""
        for part in self.parts:
            for requirement in part.artefact_requirements:
                if requirement.id == requirement_id:
                    return part, requirement
        raise NotInCatalogue(
            "requirement_unknown", "This micro-credential does not ask for that piece of evidence."
        )

    def levels(self, criterion: Criterion) -> tuple[tuple[Level, str], ...]:
        """The levels of a criterion, best first, each with what it means for this criterion."""
        return tuple((level, criterion.levels[level.key]) for level in self.scales[criterion.scale].levels)

    def level(self, criterion: Criterion, key: str) -> Level:
        """The level `key` of the criterion's scale. Raises NotInCatalogue."""
        level = self.scales[criterion.scale].level(key)
        if level is None:
            raise NotInCatalogue("level_unknown", "This is not a level of the scale.")
        return level


def define(document: MicroCredential, file: CatalogueFile, public_id: str = "") -> Definition:
    """The definition of a credential as a catalogue file gives it; the file must have passed its checks."""
    return Definition(
        public_id=public_id,
        document=document,
        issuer=next(issuer for issuer in file.issuers if issuer.id == document.issuer),
        scales={scale.id: scale for scale in file.scales},
        frameworks={framework.id: framework for framework in file.frameworks},
        grade_schemes={scheme.id: scheme for scheme in file.grade_schemes},
        labels=file.catalogue.plain_language_labels,
        part_result_rule=file.part_result_rule,
    )


def document_of(version: CredentialVersion) -> MicroCredential | Stack:
    """The version's document, validated."""
    document = version.document | {"status": version.state}
    return (
        Stack.model_validate(document) if "groups" in document else MicroCredential.model_validate(document)
    )


class _Kept:
    """Definitions kept in memory, the oldest dropped first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._definitions: dict[tuple[str, datetime], Definition] = {}

    def get(self, key: tuple[str, datetime]) -> Definition | None:
        with self._lock:
            return self._definitions.get(key)

    def put(self, key: tuple[str, datetime], definition: Definition) -> None:
        with self._lock:
            self._definitions[key] = definition
            while len(self._definitions) > self._most:
                del self._definitions[next(iter(self._definitions))]


_kept = _Kept(most=2000)


def definition_of(session: Session, version: CredentialVersion) -> Definition:
    """The definition of a stored version. Raises NotInCatalogue for a stack.

    Kept in memory while the version cannot change: one small query says whether the catalogue has been
    imported anew.
    """
    catalogue_id, imported_at = session.execute(
        select(Catalogue.id, Catalogue.imported_at)
        .join(Credential, Credential.catalogue_id == Catalogue.id)
        .where(Credential.id == version.credential_id)
    ).one()
    key = (version.public_id, imported_at)
    found = _kept.get(key) if version.state != "draft" else None
    if found is None:
        catalogue = session.get_one(Catalogue, catalogue_id)
        document = document_of(version)
        if isinstance(document, Stack):
            raise NotInCatalogue("not_a_micro_credential", "This is a stack, not a micro-credential.")
        found = define(document, head_of(catalogue), version.public_id)
        _kept.put(key, found)
    return found


def head_of(catalogue: Catalogue) -> CatalogueFile:
    """What the catalogue says once for all its entries, as a file without entries."""
    return CatalogueFile.model_validate(catalogue.document)
