"""What the browser tests of this folder share: they run one after another in one process."""

from collections.abc import Iterator

import pytest

from tests.support.demo import Demo, running_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One running demo on plain LTI. Each module adds micro-credentials of its own to the course."""
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running
