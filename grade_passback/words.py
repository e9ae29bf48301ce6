"""What became of a score, in words for the people who run a course: a sentence, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """A sentence about what happened and, where somebody can do something, what."""

    sentence: str
    advice: str = ""


_REASONS: Mapping[str, Words] = {
    "scope_missing": Words(
        "The LMS does not let this tool write grades.",
        "Ask the LMS administrator to allow Assignment and Grade Services for this tool, then send again.",
    ),
    "line_item_missing": Words(
        "The grade column is gone from the gradebook.",
        "Add the credential to the course again, or ask for the export of results.",
    ),
    "line_item_ambiguous": Words(
        "The gradebook has more than one column for this credential.",
        "Delete the column that is not used, then send again.",
    ),
    "user_not_in_course": Words(
        "The LMS says this person is not a student of the course.",
        "Enrol them with a role that gets grades, then send again.",
    ),
    "course_closed": Words(
        "The course is closed, so the LMS takes no more grades.",
        "The award and the badge stand. Use the export if the grade is needed elsewhere.",
    ),
    "auth_failed": Words(
        "The LMS does not accept this tool's sign-in at the moment.",
        "Everything is kept and tried again. If it goes on, ask the LMS administrator to check its keys.",
    ),
    "config_error": Words(
        "The LMS refused the grade for a reason of its own.",
        "Ask the people who run this tool to look at the answer, then send again.",
    ),
    "conflict": Words(
        "The grade in the LMS is another one than we sent: it was changed in the LMS.",
        "Keep it there, or send ours again.",
    ),
    "unexpected_redirect": Words(
        "The LMS sent the grade on to another address, and grades do not follow.",
        "Ask the LMS administrator whether its address has changed.",
    ),
    "url_not_allowed": Words(
        "The grade column has an address that does not belong to this LMS.",
        "Ask the people who run this tool to approve the address, then send again.",
    ),
    "tls_error": Words(
        "The LMS's certificate could not be trusted.",
        "Ask the LMS administrator to renew it, then send again.",
    ),
    "not_gradable": Words("There is no grade column here.", ""),
    "registration_inactive": Words(
        "This LMS is switched off for the tool.", "Grades are kept and go out when it is switched on again."
    ),
    "throttled": Words("The LMS asked us to slow down. The grade goes out shortly."),
    "too_old": Words(
        "The LMS has a newer entry, and we may not read it.",
        "Look into the gradebook; send again if it differs.",
    ),
}
_BUSY = Words("The LMS did not answer. The grade is kept and sent again by itself.")
_STATES: Mapping[str, Words] = {
    "waiting": Words("On its way to the LMS."),
    "held": Words("On its way to the LMS."),
    "delivered": Words("In the gradebook."),
    "accepted": Words("The LMS took it and will show it soon."),
    "superseded": Words("Replaced by a newer result."),
    "cancelled": Words("Not sent: it was cancelled."),
}


def words_for(state: str, reason: str | None, attempts: int = 0) -> Words:
    """The words for a row in `state`."""
    if state == "waiting" and attempts:
        return _REASONS.get(reason or "", _BUSY)
    if state in ("blocked", "unverified"):
        return _REASONS.get(reason or "", _REASONS["config_error"])
    if state == "dead":
        return Words(
            "The LMS could not be reached for three days.",
            "The grade is kept. Send again when the LMS answers.",
        )
    return _STATES[state]


NO_COLUMN = _REASONS["not_gradable"]


def sent_words(content: Mapping[str, Any]) -> str:
    """What was sent: `85 of 100`, or the progress where there was no number."""
    if "scoreGiven" in content:
        return f"{content['scoreGiven']} of {content['scoreMaximum']}"
    return {
        "Submitted": "Submitted, no grade yet",
        "Completed": "Decided, no grade",
        "InProgress": "In progress, no grade",
        "Started": "Started, no grade",
    }.get(content["activityProgress"], "No grade")
