"""What the steps of a run share: the two programs, the people, and what is known so far."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.interop.moodle.people import Account, accounts
from tests.interop.moodle.site import Course, Moodle
from tests.support.story import Files, photograph

ONE = "Helping Students Generate and Shape Ideas"
"""The credential that is put into the course alone."""
TOOLS = "Choosing Digital Tools That Protect Students"
"""One of the three that are put there at once."""


@dataclass
class World:
    """One run. `facts` outlives the process: a run that stopped goes on where it stopped."""

    moodle: Moodle
    folder: Path
    tool_url: str
    patience: int
    """Seconds to wait for what Moodle's cron does."""
    facts: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """What the step under way has seen, in sentences."""

    @classmethod
    def at(cls, moodle: Moodle, folder: Path, tool_url: str, patience: int) -> "World":
        """The run whose facts are in `folder`, or a new one."""
        folder.mkdir(parents=True, exist_ok=True)
        world = cls(moodle, folder, tool_url, patience)
        if world._file.exists():
            world.facts = json.loads(world._file.read_text())
        else:
            now = datetime.now(UTC)
            world.facts = {"stamp": now.strftime("%m%d%H%M"), "password": f"Aa1-{secrets.token_urlsafe(12)}"}
        return world

    @property
    def _file(self) -> Path:
        return self.folder / "facts.json"

    def save(self) -> None:
        """Keep what is known for the next process."""
        self._file.write_text(json.dumps(self.facts, indent=1))

    @property
    def browser(self) -> Browser:
        """Chromium, with third-party cookies blocked."""
        return self.moodle.browser

    @property
    def people(self) -> dict[str, Account]:
        """The accounts of this run."""
        return accounts(self.facts["stamp"], self.facts["password"])

    @property
    def files(self) -> Files:
        """Evidence to hand in."""
        return Files(self.folder)

    @property
    def course(self) -> Course:
        """The course that the credentials are put into."""
        return Course(self.facts["course"], self.facts["course_name"])

    def say(self, sentence: str) -> None:
        """Put down what was seen."""
        self.seen.append(sentence)

    def picture(self, page: Page, name: str) -> None:
        """The whole page as `interop-<name>.png`. Moodle's own pages never fall quite silent."""
        photograph(page, self.folder / f"interop-{name}.png", idle=False)
