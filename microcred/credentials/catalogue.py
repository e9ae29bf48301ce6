"""The catalogue in and out of the database: all or nothing, and out again equal to what went in."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Any, NamedTuple

import yaml
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from microcred.credentials import checks
from microcred.credentials.definition import document_of, head_of
from microcred.credentials.errors import CatalogueRefused, NotInCatalogue, Path, Problem, written
from microcred.credentials.models import Catalogue, Credential, CredentialVersion
from microcred.credentials.parsing import known_ids, parse
from microcred.credentials.schema import CatalogueFile, Issuer, MicroCredential, Stack, University
from microcred.credentials.search import search_text
from microcred.people.models import Organization

__all__ = ["Imported", "export_catalogue", "import_catalogue", "parse", "sample_text", "to_yaml"]

_ENTRIES = ("micro_credentials", "stacks")


class VersionKey(NamedTuple):
    """A version in the file: `mc-shape-ideas`, `1.0`."""

    key: str
    version: str

    def __str__(self) -> str:
        return f"{self.key} {self.version}"


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    title: str
    new: list[VersionKey] = field(default_factory=list)
    changed: list[VersionKey] = field(default_factory=list)
    """Drafts with another text, and versions whose status changed."""
    unchanged: list[VersionKey] = field(default_factory=list)


class _Entry(NamedTuple):
    path: Path
    kind: str
    document: MicroCredential | Stack

    @property
    def name(self) -> VersionKey:
        return VersionKey(self.document.id, self.document.version)


_Stored = dict[VersionKey, tuple[Credential, CredentialVersion]]


def sample_text() -> str:
    """The sample catalogue that comes with the program, as YAML."""
    return files("microcred.credentials").joinpath("sample/catalogue.yaml").read_text("utf-8")


def import_catalogue(
    session: Session, file: CatalogueFile, *, now: datetime, shares_catalogue: bool = True
) -> Imported:
    """Store a checked file in the session's transaction. Raises CatalogueRefused, having changed nothing.

    A catalogue is known by its title. Issuers and universities become organizations (`code` is their id);
    `shares_catalogue` applies to those that are new. Entries that the file leaves out stay as they are.
    """
    catalogue = session.scalar(select(Catalogue).where(Catalogue.title == file.catalogue.title))
    entries = list(_entries(file))
    stored = _stored(session, entries, catalogue)
    problems = [*_refusals(file, catalogue, entries, stored), *_left_behind(file, entries, stored, catalogue)]
    if problems:
        raise CatalogueRefused(problems)
    catalogue = _keep_catalogue(session, catalogue, file, now)
    organizations = _keep_organizations(session, file, now, shares_catalogue)
    result = Imported(file.catalogue.title)
    credentials = {credential.key: credential for credential, _version in stored.values()}
    # Rows are numbered in the order of the versions: of two published together, 2.0 is the newer one.
    for position, entry in sorted(enumerate(entries), key=lambda pair: natural(pair[1].document.version)):
        credential = credentials.get(entry.document.id)
        if credential is None:
            issuer = organizations[entry.document.issuer]
            credential = Credential(
                key=entry.document.id, kind=entry.kind, catalogue_id=catalogue.id, issuer_id=issuer.id
            )
            session.add(credential)
            session.flush()
            credentials[credential.key] = credential
        version = stored[entry.name][1] if entry.name in stored else None
        _keep_version(session, credential, version, entry, position, now, result)
    session.flush()
    return result


def export_catalogue(session: Session, title: str | None = None) -> dict[str, Any]:
    """A stored catalogue as plain data, equal to the file that went in. Raises NotInCatalogue.

    `title` may be left out where there is only one.
    """
    query = select(Catalogue).order_by(Catalogue.id)
    found = list(session.scalars(query if title is None else query.where(Catalogue.title == title)))
    if not found:
        raise NotInCatalogue("catalogue_unknown", "There is no such catalogue.")
    if len(found) > 1:
        titles = ", ".join(f"“{catalogue.title}”" for catalogue in found)
        raise NotInCatalogue("catalogue_ambiguous", f"There are several catalogues; say which one: {titles}.")
    data = head_of(found[0]).as_data()
    rows = session.execute(
        select(Credential.kind, CredentialVersion)
        .join(CredentialVersion, CredentialVersion.credential_id == Credential.id)
        .where(Credential.catalogue_id == found[0].id)
        .order_by(CredentialVersion.position, CredentialVersion.id)
    ).all()
    for kind, section in (("micro_credential", "micro_credentials"), ("stack", "stacks")):
        documents = [
            _in_scale_order(document_of(version).as_data(), data) for k, version in rows if k == kind
        ]
        if documents or section in found[0].document:
            data[section] = documents
    return {name: data[name] for name in CatalogueFile.model_fields if name in data}


def to_yaml(data: Mapping[str, Any]) -> str:
    """Catalogue data as YAML text that `parse` reads again."""
    return yaml.dump(dict(data), Dumper=_WithoutAliases, allow_unicode=True, sort_keys=False, width=110)


def natural(version: str) -> list[tuple[int, int, str]]:
    """A sorting key under which 1.10 comes after 1.9."""
    return [
        (1, int(run), "") if run.isdigit() else (0, 0, run) for run in re.findall(r"[0-9]+|[^0-9.]+", version)
    ]


_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _WithoutAliases(_Dumper):  # type: ignore[misc]
    """Writes every value out; `parse` refuses aliases."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _in_scale_order(document: dict[str, Any], head: Mapping[str, Any]) -> dict[str, Any]:
    """Level descriptors, best level first: PostgreSQL's jsonb keeps no order of members."""
    order = {scale["id"]: [level["key"] for level in scale["levels"]] for scale in head.get("scales", [])}
    holders = [*document.get("parts", []), *filter(None, [document.get("capstone")])]
    for criterion in (criterion for holder in holders for criterion in holder["criteria"]):
        levels = criterion["levels"]
        criterion["levels"] = {key: levels[key] for key in order[criterion["scale"]]}
    return document


def _entries(file: CatalogueFile) -> Iterator[_Entry]:
    for index, document in enumerate(file.micro_credentials):
        yield _Entry(("micro_credentials", index), "micro_credential", document)
    for index, stack in enumerate(file.stacks):
        yield _Entry(("stacks", index), "stack", stack)


def _stored(session: Session, entries: list[_Entry], catalogue: Catalogue | None) -> _Stored:
    """All stored versions of the catalogue, and those of other catalogues under the same ids."""
    keys = {entry.document.id for entry in entries}
    mine = or_(Credential.key.in_(keys), Credential.catalogue_id == (catalogue.id if catalogue else None))
    query = select(Credential, CredentialVersion).join(
        CredentialVersion, CredentialVersion.credential_id == Credential.id
    )
    return {
        VersionKey(credential.key, version.version): (credential, version)
        for credential, version in session.execute(query.where(mine))
    }


def _refusals(
    file: CatalogueFile, catalogue: Catalogue | None, entries: list[_Entry], stored: _Stored
) -> Iterator[Problem]:
    """What the stored versions forbid about the file's own entries."""
    owners = {credential.key: credential for credential, _version in stored.values()}
    issuers = {name.key: version.document["issuer"] for name, (_credential, version) in stored.items()}
    for entry in entries:
        document, owner = entry.document, owners.get(entry.document.id)
        if owner is None:
            continue
        if catalogue is None or owner.catalogue_id != catalogue.id:
            yield file.problem((*entry.path, "id"), f"`{owner.key}` is in another catalogue already.")
        elif owner.kind != entry.kind:
            yield file.problem(
                (*entry.path, "id"), f"`{owner.key}` is stored as a {owner.kind.replace('_', '-')}."
            )
        elif issuers[owner.key] != document.issuer:
            message = f"The stored versions of `{owner.key}` are from `{issuers[owner.key]}`."
            yield file.problem((*entry.path, "issuer"), message)
        elif entry.name in stored:
            yield from _frozen(file, entry, stored[entry.name][1])


def _frozen(file: CatalogueFile, entry: _Entry, version: CredentialVersion) -> Iterator[Problem]:
    if version.state == "draft":
        return
    if entry.document.status == "draft":
        message = f"{entry.name} is {version.state} and cannot become a draft again."
        yield file.problem((*entry.path, "status"), message)
    kept, new = _without_reasons(version.document), _without_reasons(entry.document.as_data())
    for path in _differences(kept | {"status": entry.document.status}, new):
        message = f"{entry.name} is published and cannot change; publish it under a new version."
        yield file.problem((*entry.path, *path), message)
        return


def _differences(old: Any, new: Any) -> Iterator[Path]:
    """The paths at which two documents differ, deepest first found."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        for key in new:
            yield from ((key, *path) for path in _differences(old[key], new[key]))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, item in enumerate(new):
            yield from ((index, *path) for path in _differences(old[index], item))
    elif old != new:
        yield ()


def _left_behind(
    file: CatalogueFile, entries: list[_Entry], stored: _Stored, catalogue: Catalogue | None
) -> Iterator[Problem]:
    """What stored versions rest on and the file would take away or change: scales, issuers, frameworks."""
    if catalogue is None:
        return
    old = {scale.id: scale for scale in head_of(catalogue).scales}
    new = {scale.id: scale for scale in file.scales}
    changed = {key for key, scale in old.items() if key in new and new[key] != scale}
    in_file = {entry.name for entry in entries}
    sections = ("issuers", "universities", "frameworks", "grade_schemes", "scales")
    ids: dict[str, list[str | None]] = {name: [item.id for item in getattr(file, name)] for name in sections}
    ids["micro_credentials"] = [*(entry.document.id for entry in entries), *(name.key for name in stored)]
    known = known_ids(ids, new)
    for name, (credential, version) in stored.items():
        document = document_of(version)
        if version.state != "draft":
            for key in sorted(changed & _scales_of(document)):
                index = [scale.id for scale in file.scales].index(key)
                message = (
                    f"{name} is published on this scale, so it cannot change; give the new scale another id."
                )
                yield file.problem(("scales", index), message)
            changed -= _scales_of(document)
        if name not in in_file and credential.catalogue_id == catalogue.id:
            found = (
                checks.check_stack(document, known, ())
                if isinstance(document, Stack)
                else checks.check_credential(document, known, ())
            )
            for path, message in found:
                yield Problem(f"{name} (stored) {written(path)}", message)


def _scales_of(document: MicroCredential | Stack) -> set[str]:
    if isinstance(document, Stack):
        holders: list[Any] = [document.capstone] if document.capstone else []
    else:
        holders = list(document.parts)
    return {holder.scale for holder in holders} | {
        item.scale for holder in holders for item in holder.criteria
    }


def _keep_catalogue(
    session: Session, catalogue: Catalogue | None, file: CatalogueFile, now: datetime
) -> Catalogue:
    head = {name: value for name, value in file.as_data().items() if name not in _ENTRIES}
    # Empty lists are written back where the file had them.
    head |= {name: [] for name in _ENTRIES if name in file.model_fields_set and not getattr(file, name)}
    if catalogue is None:
        catalogue = Catalogue(title=file.catalogue.title, document=head, imported_at=now)
        session.add(catalogue)
    elif catalogue.document != head:
        catalogue.document, catalogue.imported_at = head, now
    session.flush()
    return catalogue


def _keep_organizations(
    session: Session, file: CatalogueFile, now: datetime, shares_catalogue: bool
) -> dict[str, Organization]:
    given: list[Issuer | University] = [*file.issuers, *file.universities]
    query = select(Organization).where(Organization.code.in_([item.id for item in given]))
    found = {organization.code: organization for organization in session.scalars(query)}
    for item in given:
        organization = found.get(item.id)
        if organization is None:
            organization = Organization(code=item.id, shares_catalogue=shares_catalogue, created_at=now)
            session.add(organization)
            found[item.id] = organization
        organization.name, organization.url = item.name, item.url
        if isinstance(item, Issuer):
            organization.kind, organization.contact_email = item.kind, item.contact_email
        else:
            organization.kind, organization.contact_email = "university", item.registrar_contact
    session.flush()
    return found


def _keep_version(
    session: Session,
    credential: Credential,
    version: CredentialVersion | None,
    entry: _Entry,
    position: int,
    now: datetime,
    result: Imported,
) -> None:
    document = entry.document
    if version is None:
        result.new.append(entry.name)
        version = CredentialVersion(credential_id=credential.id, version=document.version, state="draft")
        session.add(version)
    elif _without_reasons(version.document) | {"status": version.state} == _without_reasons(
        document.as_data()
    ):
        result.unchanged.append(entry.name)
    else:
        result.changed.append(entry.name)
    version.position = position
    if version.state == "draft":
        _write(version, document)
    version.search_text = search_text(document)
    if version.state != document.status:
        version.state = document.status
        version.published_at = version.published_at or now
    session.flush()


def _without_reasons(document: dict[str, Any]) -> dict[str, Any]:
    """All of a document but why one would choose it, which is for finding it and may change."""
    return {name: value for name, value in document.items() if name != "why"}


def _write(version: CredentialVersion, document: MicroCredential | Stack) -> None:
    version.document = document.as_data()
    version.code, version.title = document.code, document.title
    version.search_text = search_text(document)
    hours = (
        document.effort.clock_hours
        if isinstance(document, MicroCredential)
        else document.total_clock_hours.maximum
    )
    version.clock_hours = hours
