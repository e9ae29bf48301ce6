"""The judges, installed before the first test that asks them."""

import pytest

from tests.interop.badges import install_judges


@pytest.fixture(scope="session", autouse=True)
def judges() -> None:
    install_judges.install()
