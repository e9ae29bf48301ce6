"""What a check of a foreign badge gives: what it says, and what could and could not be checked."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from microcred.badges.facts import identity_hash
from microcred.outgoing import Answer, Outgoing, OutgoingError

Outcome = Literal["good", "bad", "unknown"]
_FETCHES = 12
_MAX_BYTES = 2 * 1024 * 1024
_SECONDS = 8.0


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `what`: signature, hosted, issuer, status, dates, recipient."""

    what: str
    outcome: Outcome
    code: str


@dataclass(frozen=True)
class Learned:
    """What a badge says; every text is somebody else's."""

    badge_id: str
    name: str
    issuer_id: str
    issuer_name: str
    issued_at: datetime | None
    expires_at: datetime | None
    hours: int | None
    version: str
    document: Mapping[str, Any]
    checks: tuple[Check, ...]

    @property
    def is_refused(self) -> Check | None:
        """The check that forbids listing it; None where it may be listed."""
        return next((c for c in self.checks if c.outcome == "bad" and c.code != "expired"), None)

    @property
    def standing(self) -> str:
        """`verified` (everything checked and good), `expired`, or `partly`."""
        if any(check.code == "expired" for check in self.checks):
            return "expired"
        return "verified" if all(check.outcome == "good" for check in self.checks) else "partly"


@dataclass
class Web:
    """Other people's servers, asked a few times at most and remembered. One for each badge."""

    outgoing: Outgoing
    left: int = _FETCHES
    known: dict[str, Answer | None] = field(default_factory=dict)

    def get(self, url: str, accept: str = "application/json") -> Answer | None:
        """The answer, or None where there was none, or where we may not ask."""
        if url not in self.known:
            if self.left <= 0:
                return None
            self.left -= 1
            try:
                self.known[url] = self.outgoing.request(
                    "GET", url, headers={"Accept": accept}, deadline=_SECONDS, max_bytes=_MAX_BYTES
                )
            except OutgoingError:
                self.known[url] = None
        return self.known[url]


def text_of(value: object, longest: int = 300) -> str:
    """A text of theirs: one line, cut; empty for anything else (language maps give their first)."""
    if isinstance(value, Mapping):
        value = next(iter(value.values()), "")
    return " ".join(value.split())[:longest] if isinstance(value, str) else ""


def moment_of(value: object) -> datetime | None:
    """A moment with a zone, or None."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def dates(begins: datetime | None, ends: datetime | None, now: datetime) -> Check:
    """Whether the badge is valid now by its own dates."""
    if ends is not None and ends <= now:
        return Check("dates", "bad", "expired")
    if begins is not None and begins > now:
        return Check("dates", "bad", "not_yet_valid")
    return Check("dates", "good", "valid_now")


def recipient(identities: list[Any], emails: Collection[str]) -> Check:
    """Whether one of the identities (`IdentityObject`s) is an address of the person's."""
    kinds: dict[str, Callable[[str], str]] = {"email": str, "emailAddress": str}
    seen = False
    for one in identities:
        if not isinstance(one, Mapping):
            continue
        kind = one.get("identityType", one.get("type"))
        wanted = one.get("identityHash", one.get("identity"))
        if kind not in kinds or not isinstance(wanted, str):
            continue
        seen = True
        salt = one.get("salt")
        for email in emails:
            for form in {email, email.lower()}:
                given = (
                    identity_hash(form, salt if isinstance(salt, str) else "") if one.get("hashed") else form
                )
                if given.lower() == wanted.lower():
                    return Check("recipient", "good", "yours")
    return Check("recipient", "unknown", "another_address" if seen else "not_by_email")
