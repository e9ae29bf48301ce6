"""The one way out: a request in, an answer or a coded error out."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from microcred.outgoing.addresses import OutgoingError, check_url, effective_port
from microcred.outgoing.connecting import Connector, Origin, Resolve, verified_tls
from microcred.outgoing.exchange import Reading, exchange, request_head

TOTAL_SECONDS = 20.0
MAX_BYTES = 1024 * 1024
USER_AGENT = "microcred/0.1"
"""Canvas refuses calls without a User-Agent."""

_HEADERS = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Answer:
    """What the server said: any status but a redirect's, headers (looked up without regard to case), whole
    body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    """Seconds."""


class Outgoing:
    """The one way out. Thread-safe; keeps connections open between requests.

    `allow_hosts`: host[:port] names exempt from the ban on private addresses and plain http. `resolve` gives
    the addresses of a host name. `ca_bundle` is a file of certificate authorities to trust in place of the
    usual ones.
    """

    def __init__(
        self, allow_hosts: Iterable[str] = (), *, resolve: Resolve | None = None, ca_bundle: str | None = None
    ) -> None:
        self.allow_hosts = tuple(allow_hosts)
        self._connector = Connector(
            self.allow_hosts, resolve, verified_tls(ca_bundle or DEFAULT_CA_BUNDLE_PATH)
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | str | Mapping[str, str] | None = None,
        deadline: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
        allowed_hosts: Sequence[str] | None = None,
    ) -> Answer:
        """Send one request; the address goes out byte for byte as given.

        `deadline` is in seconds for everything from the look-up of the name to the last byte; `allowed_hosts`
        are the only host[:port] names (`*.` wildcards) that it may go to. Raises OutgoingError.
        """
        started = time.monotonic()
        parts = check_url(url, self.allow_hosts, allowed_hosts)
        form = isinstance(data, Mapping)
        text = urlencode(data) if isinstance(data, Mapping) else data
        body = text.encode() if isinstance(text, str) else text
        given = {**_HEADERS, **(_FORM if form else {}), **(headers or {})}
        request = request_head(method, parts, given, body) + (body or b"")
        origin = Origin(parts.scheme, parts.hostname or "", effective_port(parts))
        reading = Reading(bodyless=method == "HEAD", max_bytes=max_bytes)
        try:
            self._exchange(origin, request, reading, started + deadline)
        except TimeoutError as error:
            raise OutgoingError("timeout") from error
        if 300 <= reading.status < 400 and reading.status != 304:
            raise OutgoingError("unexpected_redirect", reading.headers.get("Location"))
        return Answer(reading.status, reading.headers, reading.body(), time.monotonic() - started)

    def _exchange(self, origin: Origin, request: bytes, reading: Reading, until: float) -> None:
        connection = self._connector.connection(origin, until)
        try:
            exchange(connection, request, reading, until)
        except BaseException:
            connection.close()
            raise
        if reading.is_reusable:
            self._connector.give_back(origin, connection)
        else:
            # What was not read to its end must not serve another request.
            connection.close()

    def close(self) -> None:
        """Close every kept connection."""
        self._connector.close()
