"""What the pages work with; made once by the application factory and found on the Flask app."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app

from lti_tool.tool import LtiTool
from microcred.badges.backpack.connecting import Connector
from microcred.badges.store import BadgeStore
from microcred.badges.wallet.issuing import Wallets
from microcred.database import Clock, Database
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring
from microcred.storage import Storage

_NAME = "microcred"


@dataclass(frozen=True)
class WebSettings:
    """The settings that pages need."""

    public_url: str
    badge_url: str
    max_upload_bytes: int
    scans_files: bool = False
    """Whether new files are scanned for malware before anybody opens them."""
    sends_mail: bool = False
    """Whether notices go out by mail at all."""


@dataclass(frozen=True)
class Services:
    """Adapters and settings shared by all pages."""

    database: Database
    clock: Clock
    keyring: Keyring
    storage: Storage
    outgoing: Outgoing
    lti: LtiTool
    badges: BadgeStore
    connector: Connector
    wallets: Wallets
    chance: Callable[[], float]
    """Randomness for draws, from 0 up to 1."""
    settings: WebSettings

    def install(self, app: Flask) -> None:
        """Make these the services of `app`."""
        app.extensions[_NAME] = self


def services() -> Services:
    """The services of the current Flask app."""
    found: Services = current_app.extensions[_NAME]
    return found
