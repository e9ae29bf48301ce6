"""The sample catalogue, and one as large as a state's: made from its first credential, under other names."""

from functools import cache
from typing import Any

import yaml
from sqlalchemy import select

from microcred.credentials import CatalogueFile, document_of, parse, sample_text
from microcred.credentials.models import Credential, CredentialVersion
from microcred.credentials.search import search_text
from microcred.database import Database

FIRST = "mc-shape-ideas"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def sample() -> CatalogueFile:
    """The sample catalogue, read once a process."""
    return parse(sample_text())


def generate(database: Database, count: int) -> None:
    """Publish `count` more: `Made up number N`, code `MD-N`, grades PK-2 or 3-5, and no reason."""
    with database.writing() as session:
        query = select(CredentialVersion, Credential).join(Credential).where(Credential.key == FIRST)
        model, owner = session.execute(query.where(CredentialVersion.state == "published")).one()
        document = document_of(model)
        for number in range(count):
            changes = {
                "id": f"mc-made-{number}",
                "code": f"MD-{number}",
                "title": f"Made up number {number}",
                "tags": (f"topic{number % 40}",),
                "grade_bands": (("PK-2", "3-5")[number % 2],),
                "why": (),
            }
            credential = Credential(
                key=changes["id"], kind=owner.kind, catalogue_id=owner.catalogue_id, issuer_id=owner.issuer_id
            )
            session.add(credential)
            session.flush()
            version = CredentialVersion(
                credential_id=credential.id,
                version="1.0",
                state="published",
                code=changes["code"],
                title=changes["title"],
                search_text=search_text(document.model_copy(update=changes)),
                clock_hours=model.clock_hours,
                document=model.document | changes,
                position=model.position,
                published_at=model.published_at,
            )
            session.add(version)


def plain(text: str) -> Any:
    """YAML as plain data; ten times as fast as `yaml.safe_load` where libyaml is there."""
    return yaml.load(text, Loader=_Loader)
