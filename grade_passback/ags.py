"""Reading what a platform's Assignment and Grade Services say, whatever they say."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin

from requests.utils import parse_header_links

from grade_passback.scores import Score
from grade_passback.wire import LINE_ITEMS_TYPE, RESULTS_TYPE, service_url, with_query
from lti_tool.dialects import Reading
from lti_tool.facts import RegistrationFacts
from lti_tool.services import ServiceAnswer
from microcred.outbox import Blocked, Outcome, Retry, Throttled

_MOST_PAGES = 50
_PAGE = 100
_TRANSIENT = ("dns", "connect", "timeout", "dropped", "too_large", "token_unavailable")
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+(\.[\w-]*)?"  # a JWT
    r"|(?i:bearer)\s+\S+"
    r'|"(access_token|client_assertion|id_token)"\s*:\s*"[^"]*"'
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"
)


class Caller(Protocol):
    """Requests to one registration's services, with access tokens (`lti_tool.services`)."""

    @property
    def facts(self) -> RegistrationFacts: ...

    def call(
        self,
        method: str,
        url: str,
        *,
        scopes: Sequence[str],
        accept: str | None = None,
        content_type: str | None = None,
        body: bytes | None = None,
    ) -> ServiceAnswer: ...


class Callers(Protocol):
    """Hands out a caller per registration."""

    def caller_for(self, registration: RegistrationFacts) -> Caller: ...


class Unreadable(Exception):
    """A service answered, but not what the specification says. `answer` as it came."""

    def __init__(self, answer: ServiceAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Refused(Exception):
    """A service did not do what was asked. `answer` as it came."""

    def __init__(self, answer: ServiceAnswer) -> None:
        super().__init__(answer.code or answer.status)
        self.answer = answer


@dataclass(frozen=True)
class LineItem:
    """A line item as a container lists it (AGS 3.2)."""

    url: str
    resource_id: str
    tag: str
    resource_link_id: str


@dataclass(frozen=True)
class Result:
    """A learner's grade as the platform has it now (AGS 3.3); no number: none."""

    given: float | None
    maximum: float

    def shows(self, score: Score | None) -> bool:
        """Whether this is that score, on whichever scale."""
        return score is not None and self.given is not None and score.equals(self.given, self.maximum)


def line_items(
    caller: Caller, container: str, filters: Mapping[str, str], scopes: Sequence[str]
) -> list[LineItem]:
    """Every line item that matches `filters` (resource_id, tag, resource_link_id): asked for, and checked
    again here.

    Raises Refused, and Unreadable for anything that is no list of line items or pages in a circle.
    """
    url = with_query(container, urlencode(filters))
    found: list[LineItem] = []
    seen: set[str] = set()
    while url:
        if url in seen or len(seen) >= _MOST_PAGES:
            raise Unreadable(ServiceAnswer("bad_answer"))
        seen.add(url)
        answer = caller.call("GET", url, scopes=scopes, accept=LINE_ITEMS_TYPE)
        found += [_line_item(item, answer) for item in _list(answer)]
        url = _next_url(url, answer) if caller.facts.dialect.pages_line_items else ""
    return [item for item in found if all(getattr(item, name) == value for name, value in filters.items())]


def result_of(caller: Caller, lineitem_url: str, sub: str, scopes: Sequence[str]) -> Result:
    """The learner's present grade in one column. Raises Refused and Unreadable."""
    url = service_url(lineitem_url, "results", urlencode({"user_id": sub}))
    answer = caller.call("GET", url, scopes=scopes, accept=RESULTS_TYPE)
    return _results(answer).get(sub, Result(None, 1.0))


def results_of(
    caller: Caller, lineitem_url: str, subs: Collection[str], scopes: Sequence[str], until: float
) -> dict[str, Result]:
    """The present grades of one column that are among `subs`, read page by page until all are found or
    `until` (as `time.monotonic` counts) has passed. Raises Refused and Unreadable.
    """
    pages = caller.facts.dialect.pages_line_items
    url = service_url(lineitem_url, "results", urlencode({"limit": _PAGE}) if pages else "")
    found: dict[str, Result] = {}
    seen: set[str] = set()
    while url and not found.keys() >= set(subs):
        if url in seen or len(seen) >= _MOST_PAGES or monotonic() > until:
            raise Unreadable(ServiceAnswer("bad_answer"))
        seen.add(url)
        answer = caller.call("GET", url, scopes=scopes, accept=RESULTS_TYPE)
        found |= {sub: result for sub, result in _results(answer).items() if sub in subs}
        url = _next_url(url, answer) if pages else ""
    return found


def read_line_item(answer: ServiceAnswer) -> LineItem:
    """The line item in the answer to its creation. Raises Unreadable."""
    return _line_item(_json(answer), answer)


def reading_of(caller: Caller, answer: ServiceAnswer) -> Reading:
    """What an answer that came from the service itself means, by the dialect of its platform."""
    return caller.facts.dialect.classify(answer.status or 0, answer.headers, answer.body)


def trouble(caller: Caller, answer: ServiceAnswer, reading: Reading | None = None) -> Outcome:
    """What becomes of a job whose request did not succeed."""
    record = redacted(answer)
    if answer.code is not None:
        if answer.code in _TRANSIENT:
            return Retry(reason=answer.code, after=answer.after, answer=record)
        if answer.code == "bad_answer":
            return Retry(reason="bad_answer", destination_failed=False, answer=record)
        if answer.code in ("throttled", "auth_failed"):
            # One wrong key concerns every row of the registration: it rests as a whole, and nothing is lost.
            return Throttled(reason=answer.code, after=answer.after, answer=record)
        return Blocked(reason=answer.code, answer=record)
    reading = reading or reading_of(caller, answer)
    match reading.verdict:
        case "throttled":
            return Throttled(after=reading.after, answer=record)
        case "retry":
            return Retry(reason=f"http_{answer.status}", after=reading.after, answer=record)
        case "delivered" | "accepted":
            return Retry(reason="bad_answer", destination_failed=False, answer=record)
    return Blocked(reason=reading.reason or "config_error", answer=record)


def redacted(answer: ServiceAnswer) -> dict[str, Any]:
    """What is kept of an answer: status, code and 500 characters, without tokens or addresses."""
    body = _SECRETS.sub("[removed]", answer.body[:2000].decode("utf-8", "replace").replace("\0", " "))[:500]
    kept = {"status": answer.status, "code": answer.code, "body": body, "token_renewed": answer.token_renewed}
    return {name: value for name, value in kept.items() if value}


def _results(answer: ServiceAnswer) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for entry in _list(answer):
        if not isinstance(entry, dict) or not isinstance(entry.get("userId"), str):
            continue
        given, maximum = entry.get("resultScore"), entry.get("resultMaximum", 1)
        if given is not None and not (_is_number(given) and _is_number(maximum) and maximum > 0):
            raise Unreadable(answer)
        results[entry["userId"]] = Result(None if given is None else float(given), float(maximum or 1))
    return results


def _list(answer: ServiceAnswer) -> list[Any]:
    value = _json(answer)
    if not isinstance(value, list):
        raise Unreadable(answer)
    return value


def _json(answer: ServiceAnswer) -> Any:
    if not answer.ok:
        raise Refused(answer)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(answer) from error


def _line_item(value: Any, answer: ServiceAnswer) -> LineItem:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str) or not value["id"]:
        raise Unreadable(answer)
    texts = (value.get(name) for name in ("resourceId", "tag", "resourceLinkId"))
    return LineItem(value["id"], *(text if isinstance(text, str) else "" for text in texts))


def _next_url(url: str, answer: ServiceAnswer) -> str:
    """The next page (RFC 8288), byte for byte; empty on the last."""
    for link in parse_header_links(answer.headers.get("Link", "")):
        if link.get("rel", "").lower() == "next":
            return urljoin(url, link["url"])
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
