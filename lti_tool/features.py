"""What the tool needs each service scope for, in words: what cannot work where an LMS grants fewer."""

from collections.abc import Collection
from dataclasses import dataclass

from lti_tool.protocol.names import (
    SCOPE_LINE_ITEM,
    SCOPE_LINE_ITEM_READ,
    SCOPE_MEMBERS,
    SCOPE_RESULT_READ,
    SCOPE_SCORE,
)


@dataclass(frozen=True)
class Feature:
    """Something the tool does through a service; `any_of` lists the scopes of which one is enough."""

    any_of: tuple[str, ...]
    words: str
    """What it is, as the page of a registration says it."""


FEATURES = (
    Feature((SCOPE_SCORE,), "sending grades to the gradebook"),
    Feature((SCOPE_LINE_ITEM,), "making further gradebook columns, such as one for each part"),
    Feature((SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READ), "finding the gradebook column of a link again"),
    Feature((SCOPE_RESULT_READ,), "checking that a grade arrived and that no teacher has changed it"),
    Feature((SCOPE_MEMBERS,), "reading who is in a course, for names and for who has not started"),
)


def unavailable(scopes: Collection[str] | None) -> tuple[Feature, ...]:
    """The features that the granted scopes leave out; none where nobody said what was granted."""
    if scopes is None:
        return ()
    return tuple(feature for feature in FEATURES if not set(feature.any_of) & set(scopes))
