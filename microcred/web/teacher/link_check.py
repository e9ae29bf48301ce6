"""Looks at the page behind a link, outside any transaction, before the link becomes evidence."""

from enum import Enum

from microcred.outgoing import Outgoing, OutgoingError

_SECONDS = 6.0
_BYTES = 64 * 1024
_NOTHING = frozenset({404, 410})


class Look(Enum):
    """What a look at a link found."""

    FINE = "fine"
    UNCLEAR = "unclear"
    """It may want a sign-in, answer too slowly, or not like to be asked by a program."""
    NOTHING_THERE = "nothing_there"
    NOT_PUBLIC = "not_public"


def look_at(outgoing: Outgoing, url: str) -> Look:
    """Open the link once, without following redirects; a redirect leads somewhere, which is enough."""
    try:
        answer = outgoing.request("GET", url, deadline=_SECONDS, max_bytes=_BYTES, headers={"Accept": "*/*"})
    except OutgoingError as error:
        match error.code:
            case "url_not_allowed":
                return Look.NOT_PUBLIC
            case "dns" | "connect":
                return Look.NOTHING_THERE
            case "unexpected_redirect" | "too_large":
                return Look.FINE
            case _:
                return Look.UNCLEAR
    if answer.status in _NOTHING:
        return Look.NOTHING_THERE
    return Look.FINE if answer.status < 300 else Look.UNCLEAR
