"""Sending one badge to a backpack, and reading what the backpack said.

Open Badges 3.0 API: `POST {apiBase}/credentials`, an upsert: 201 made, 200 replaced, 304 there already.
Badge Connect: `POST {apiBase}/assertions`, and success is what the body says (Badgr answers 201 with a
`statusCode` of 200, and 400 `DUPLICATE_BADGE` for a badge that it has).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from microcred.badges.backpack.errors import BackpackError
from microcred.badges.backpack.hosts import Protocol
from microcred.badges.backpack.transport import ask, json_object, retry_after
from microcred.outgoing import Answer, Outgoing

State = Literal["sent", "already_there", "unauthorized", "refused", "later", "rest"]
_TOLD = 300
_REFUSALS = {
    "RECIPIENT_PROFILE_MISMATCH": "recipient_mismatch",
    "INVALID_BADGE": "invalid_badge",
    "REQUEST_VALIDATION_ERROR": "not_accepted",
    "BAD_REQUEST": "not_accepted",
}


@dataclass(frozen=True)
class Pushed:
    """What became of one try to send. `reason` is a code, `answer` the host's words, cut short."""

    state: State
    reason: str
    answer: Mapping[str, Any]
    after: float | None = None


def push(
    outgoing: Outgoing, protocol: Protocol, api_base: str, access_token: str, badge: Mapping[str, Any]
) -> Pushed:
    """Send a badge: an OB 3.0 credential, or an OB 2.0 assertion for Badge Connect.

    Raises BackpackError: `address_not_allowed`, `unreachable`, `answer_unclear` (too long an answer).
    """
    headers = {
        "Authorization": f"Bearer {access_token}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    path, document = (
        ("credentials", badge) if protocol == "ob3" else ("assertions", {"assertion": dict(badge)})
    )
    answer = ask(outgoing, "POST", f"{api_base}/{path}", headers=headers, data=json.dumps(document))
    try:
        body = json_object(answer.body) if answer.body.strip() else {}
    except BackpackError:
        body = None
    read = _credential_answer if protocol == "ob3" else _assertion_answer
    return _common(answer, body) or read(answer, body, str(badge.get("id")))


def _common(answer: Answer, body: Mapping[str, Any] | None) -> Pushed | None:
    """What both protocols mean by the same status."""
    told, after = _told(answer, body), retry_after(answer.headers, body)
    if answer.status == 304:
        return Pushed("already_there", "same", told)
    if answer.status == 401:
        return Pushed("unauthorized", "unauthorized", told)
    if answer.status == 429:
        return Pushed("rest", "throttled", told, after)
    if answer.status >= 500:
        return Pushed("later", f"http_{answer.status}", told, after)
    if answer.status in (403, 404, 405, 410):
        return Pushed("refused", "no_permission" if answer.status == 403 else "no_such_service", told)
    return None


def _credential_answer(answer: Answer, body: Mapping[str, Any] | None, badge_id: str) -> Pushed:
    told = _told(answer, body)
    if 200 <= answer.status < 300:
        if body is None or (body.get("id") not in (None, badge_id)):
            return Pushed("refused", "answer_unclear", told)
        return Pushed("sent", "replaced" if answer.status == 200 else "made", told)
    words = " ".join(_minor_codes(body or {}))
    reason = "recipient_mismatch" if "recipient" in words.lower() else "not_accepted"
    return Pushed("refused", reason, told)


def _assertion_answer(answer: Answer, body: Mapping[str, Any] | None, _badge_id: str) -> Pushed:
    told = _told(answer, body)
    status = (body or {}).get("status")
    said = status if isinstance(status, Mapping) else {}
    if 200 <= answer.status < 300 and said.get("statusCode") in (200, 201):
        return Pushed("sent", "made", told)
    if "DUPLICATE_BADGE" in json.dumps(said.get("error")):
        return Pushed("already_there", "same", told)
    if not said:
        return Pushed("refused", "answer_unclear", told)
    if said.get("statusCode") == 401:
        return Pushed("unauthorized", "unauthorized", told)
    return Pushed("refused", _REFUSALS.get(str(said.get("statusText")), "not_accepted"), told)


def _minor_codes(body: Mapping[str, Any]) -> Iterator[str]:
    """The words of an `imsx_StatusInfo`."""
    yield str(body.get("imsx_description", ""))
    minor = body.get("imsx_codeMinor")
    fields = minor.get("imsx_codeMinorField") if isinstance(minor, Mapping) else None
    for one in fields if isinstance(fields, list) else []:
        if isinstance(one, Mapping):
            yield str(one.get("imsx_codeMinorFieldValue", ""))


def _told(answer: Answer, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """For the operator: status and the host's own words; nothing of the badge."""
    told: dict[str, Any] = {"status": answer.status}
    said = (body or {}).get("status") or (body or {}).get("imsx_description")
    if said:
        told["said"] = json.dumps(said)[:_TOLD]
    return told
