"""HTTP that leaves the building: hardened, pooled connections for everything the tool asks of other servers.

Every request has a deadline for connecting and one for the whole exchange, a bounded answer and verified TLS.
Redirects are never followed. A host name is resolved once, its addresses are judged, and the connection goes
to exactly those addresses: there is no second look-up between judging and connecting. Private addresses and
plain http are refused, except for `allow_hosts` (development).
"""

from microcred.outgoing.addresses import (
    Code,
    OutgoingError,
    check_url,
    effective_port,
    host_matches,
    is_public,
    split_host,
)
from microcred.outgoing.client import MAX_BYTES, TOTAL_SECONDS, USER_AGENT, Answer, Outgoing
from microcred.outgoing.connecting import CONNECT_SECONDS, Resolve

__all__ = [
    "CONNECT_SECONDS",
    "MAX_BYTES",
    "TOTAL_SECONDS",
    "USER_AGENT",
    "Answer",
    "Code",
    "Outgoing",
    "OutgoingError",
    "Resolve",
    "check_url",
    "effective_port",
    "host_matches",
    "is_public",
    "split_host",
]
