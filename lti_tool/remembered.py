"""Registrations as this process read them a moment ago.

A platform's logins and launches come in bursts, and asking the database for the same row each time is a
good part of what they cost. What was read is used again for a second, and not after this process has changed
a registration itself. A registration that was disabled elsewhere may so begin logins for that
long; none of them becomes a launch, for the launch's own statement looks at the registration's state again.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from lti_tool import registrations
from lti_tool.errors import LtiRefused
from lti_tool.facts import RegistrationFacts
from lti_tool.models import Registration
from microcred.database import Database

SECONDS = 1.0

_changes = 0
"""How often this process has written a registration."""


class Remembered:
    """Facts of registrations, read at most `SECONDS` ago. Refusals are not remembered."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._read: dict[object, tuple[float, int, RegistrationFacts]] = {}

    def for_login(self, issuer: str, client_id: str | None, public_id: str | None) -> RegistrationFacts:
        """As `registrations.find_for_login`."""
        named = (issuer, client_id, public_id)
        return self._get(named, lambda session: registrations.find_for_login(session, *named))

    def by_public_id(self, public_id: str) -> RegistrationFacts:
        """One registration, whatever its state. Raises LtiRefused(registration_unknown)."""

        def find(session: Session) -> RegistrationFacts:
            facts = registrations.facts_by_public_id(session, public_id)
            if facts is None:
                raise LtiRefused("registration_unknown")
            return facts

        return self._get(public_id, find)

    def forget(self) -> None:
        """Read everything anew: something was found to be old."""
        self._read.clear()

    def _get(self, key: object, find: Callable[[Session], RegistrationFacts]) -> RegistrationFacts:
        now, changes = self._monotonic(), _changes
        kept = self._read.get(key)
        if kept is not None and kept[0] > now and kept[1] == changes:
            return kept[2]
        with self._database.reading() as session:
            facts = find(session)
        if kept is not None and kept[2] == facts:
            # The same object, with what it has worked out already.
            facts = kept[2]
        self._read[key] = (now + SECONDS, changes, facts)
        return facts


@event.listens_for(Registration, "after_insert")
@event.listens_for(Registration, "after_update")
@event.listens_for(Registration, "after_delete")
def _changed(_mapper: Any, _connection: Any, _target: Registration) -> None:
    global _changes
    _changes += 1
