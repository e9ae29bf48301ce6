"""Getting to know a host, and the two ends of a sign-in; everything here that reaches the network or keys.

State and PKCE verifier are derived from the cookie of the window in which somebody signs in, with a key of
ours: whoever has not that cookie can neither make an answer fit nor use its code.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from microcred.badges.backpack import connections, hosts, oauth
from microcred.badges.backpack.models import BackpackHost
from microcred.badges.backpack.oauth import Client, Tokens, Tool
from microcred.database import Clock, random_id
from microcred.outgoing import Outgoing
from microcred.sealing import Keyring

ANSWER_PATH = "/backpacks/answer"
_FRESH = timedelta(hours=24)
"""A host is asked for its facts again after this."""


@dataclass(frozen=True)
class Met:
    """A host that knows us, ready to be stored."""

    public_id: str
    facts: hosts.HostFacts
    sealed_client: bytes
    client_expires_at: datetime | None
    redirect_uri: str


def digest(secret: str) -> str:
    """What is stored of a ticket or a cookie: SHA-256, hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Connector:
    """Signs people in at hosts. `public_url` is the tool's own origin; `name` is how hosts show it."""

    def __init__(
        self, keyring: Keyring, clock: Clock, outgoing: Outgoing, public_url: str, name: str = "microcred"
    ) -> None:
        self._keyring, self._clock, self._outgoing = keyring, clock, outgoing
        self._public_url, self._name = public_url, name

    def tool(self, host_public_id: str) -> Tool:
        """This installation, as one host knows it."""
        base = self._public_url
        return Tool(
            self._name,
            base,
            f"{base}/backpacks/logo.svg",
            f"{base}/backpacks/terms",
            f"{base}/backpacks/privacy",
            f"{base}{ANSWER_PATH}/{host_public_id}",
        )

    def knows(self, host: BackpackHost) -> bool:
        """Whether a stored host needs no new questions."""
        now = self._clock.now()
        return (
            host.met_at > now - _FRESH
            and host.redirect_uri == self.tool(host.public_id).redirect_uri
            and (host.client_expires_at is None or host.client_expires_at > now + _FRESH)
        )

    def meet(self, address: str, known: BackpackHost | None) -> Met:
        """Ask a host for its facts, and register there unless it knows us already. Raises BackpackError."""
        facts = hosts.discover(self._outgoing, address)
        public_id = known.public_id if known else random_id()
        tool = self.tool(public_id)
        if known is not None and self._is_registered(known, facts, tool):
            return Met(public_id, facts, known.sealed_client, known.client_expires_at, tool.redirect_uri)
        client = oauth.register(self._outgoing, facts, tool)
        sealed = connections.seal_client(self._keyring, client)
        return Met(public_id, facts, sealed, client.expires_at, tool.redirect_uri)

    def _is_registered(self, known: BackpackHost, facts: hosts.HostFacts, tool: Tool) -> bool:
        ends = known.client_expires_at
        before = connections.facts_of(known)
        return (
            known.redirect_uri == tool.redirect_uri
            and before.registration_url == facts.registration_url
            and before.token_url == facts.token_url
            and (ends is None or ends > self._clock.now() + _FRESH)
        )

    def sign_in_url(self, host: BackpackHost, browser: str) -> str:
        """Where the window goes. `browser` is its cookie."""
        return oauth.authorization_url(
            self._outgoing,
            connections.facts_of(host),
            connections.client_of(self._keyring, host),
            self.tool(host.public_id),
            state=self._keyring.mac("backpack", f"state:{browser}"),
            verifier=self._verifier(browser),
        )

    def is_ours(self, host: BackpackHost, browser: str, *, state: str, issuer: str | None) -> bool:
        """Whether an answer belongs to this window and comes from this host (RFC 9207, section 2.4)."""
        if issuer is not None:
            facts = connections.facts_of(host)
            named = {urlsplit(url)[:2] for url in (facts.authorization_url, facts.token_url, facts.address)}
            if urlsplit(issuer)[:2] not in named:
                return False
        return self._keyring.check_mac("backpack", f"state:{browser}", state)

    def exchange(self, host: BackpackHost, browser: str, code: str) -> tuple[bytes, datetime | None]:
        """Sealed tokens for a code, and when they end. Raises BackpackError."""
        tokens: Tokens = oauth.exchange(
            self._outgoing,
            connections.facts_of(host),
            self.client(host),
            self.tool(host.public_id),
            code=code,
            verifier=self._verifier(browser),
            now=self._clock.now(),
        )
        return connections.seal_tokens(self._keyring, tokens), tokens.expires_at

    def client(self, host: BackpackHost) -> Client:
        """What the host gave us."""
        return connections.client_of(self._keyring, host)

    def _verifier(self, browser: str) -> str:
        """43 to 128 unreserved characters (RFC 7636, section 4.1): 64 hex digits."""
        return self._keyring.mac("backpack", f"verifier:{browser}")
