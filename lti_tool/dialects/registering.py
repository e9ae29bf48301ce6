"""What an LMS does differently while the tool is being registered (Dynamic Registration 1.0), and by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONTEXT_HISTORY = "context_history"
LINK_HISTORY = "link_history"
"""Custom values that say what a course or a link was copied from; lower case, since Schoology folds case."""
HISTORIES: Mapping[str, str] = {
    CONTEXT_HISTORY: "$Context.id.history",
    LINK_HISTORY: "$ResourceLink.id.history",
}


def as_it_is(request: dict[str, Any]) -> dict[str, Any]:
    """A registration request as the specification has it."""
    return request


@dataclass(frozen=True)
class Registering:
    """The facts of one LMS. The defaults are the specification's."""

    offered: bool = True
    """Whether this LMS has dynamic registration at all."""
    families: tuple[str, ...] = ()
    """What it calls itself (`product_family_code`)."""
    variables: Mapping[str, str] = field(default_factory=lambda: dict(HISTORIES))
    """Custom values that it fills for us: our name, its variable."""
    variables_on_links: bool = False
    """Its links carry only their own custom values, so each link has to ask for the variables."""
    shape: Callable[[dict[str, Any]], dict[str, Any]] = as_it_is
    """Adds the LMS's own members to a registration request."""
    issuers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Issuers that share one address for all customers, and the hosts that speak for them: the known
    exceptions to the rule that issuer and configuration are in one domain (Dynamic Registration 3.5.1).
    """
    test_issuers: tuple[str, ...] = ()
    """Of these, the ones of test sites: nothing earned there counts."""
    names_audience: bool = True
    """`authorization_server` is the audience of client assertions."""
    site_name: str | None = None
    """Where its configuration says what the site is called."""
    where_to_paste: str = (
        "Paste the address where your LMS registers tools by themselves (dynamic registration)."
    )
    """What its administrator does with an invitation, in words."""
    next_steps: tuple[str, ...] = ("If your LMS keeps new tools switched off, switch this one on there.",)
    """What its administrator does after that, in words."""
