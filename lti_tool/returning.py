"""The way back to the LMS (LTI Core 5.4.4), with a word about what happened."""

from urllib.parse import quote, urlencode, urlsplit, urlunsplit


def return_link(return_url: str, *, message: str | None = None, problem: str | None = None) -> str:
    """A launch's `return_url` with `lti_msg` or `lti_errormsg` added; the query it already has is kept as it
    is.

    `return_url` was judged at launch: it is on a host of the registration.
    """
    said = {"lti_msg": message, "lti_errormsg": problem}
    added = urlencode({name: text for name, text in said.items() if text}, quote_via=quote)
    parts = urlsplit(return_url)
    query = "&".join(part for part in (parts.query, added) if part)
    return urlunsplit(parts._replace(query=query))
