"""The sample catalogue, read once."""

import pytest

from microcred.credentials import CatalogueFile, Definition, parse, sample_text
from microcred.credentials.definition import define


@pytest.fixture(scope="session")
def sample() -> CatalogueFile:
    """The sample catalogue as a checked file."""
    return parse(sample_text())


@pytest.fixture(scope="session")
def definitions(sample: CatalogueFile) -> dict[str, Definition]:
    """Every sample credential by its code, such as `CI-101`."""
    return {document.code: define(document, sample) for document in sample.micro_credentials}


@pytest.fixture(scope="session")
def ideas(definitions: dict[str, Definition]) -> Definition:
    """CI-101: Passing on Parts 1, 3 and 4 and Yes on Part 2; work from students A and B."""
    return definitions["CI-101"]
