"""What people are told at each turn, in plain words: no evidence, no student, no name, no reason.

Reasons and feedback stay on the pages: a mail goes through other people's machines.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from microcred.credentials.steps import Reader

Topic = Literal["my_work", "reminders", "reviews", "decisions"]
TOPICS: Mapping[Topic, tuple[str, str]] = {
    "my_work": ("My work", "Received, something missing, revisions needed, decided."),
    "reminders": ("Reminders", "A draft that waits, a decision that is due."),
    "reviews": ("Reviews", "Work that waits for you to read it."),
    "decisions": ("Decisions", "Work that waits for your organization to decide, and appeals."),
}
"""Topic to its name and what it covers."""


OBLIGATORY = frozenset({"try_denied", "award_revoked", "appeal_lost"})
"""Kinds that are mailed whatever a person chose: decisions against them. The days in which they may appeal
run from there, or it is the answer to their appeal.
"""


@dataclass(frozen=True)
class Words:
    """A notice with places for `{title}`, `{due}` and `{day}`."""

    topic: Topic
    title: str
    body: str


_O, _R, _A, _P = Reader.OWNER, Reader.REVIEWERS, Reader.APPROVERS, Reader.APPEAL_READERS

TURNS: Mapping[tuple[str, Reader], Words] = {
    ("try_submitted", _O): Words(
        "my_work",
        "We have your evidence for “{title}”",
        "You will have a decision by {due}. You can take it back until a reviewer starts reading.",
    ),
    ("try_submitted", _R): Words(
        "reviews", "“{title}” waits for you to read it", "A decision is due by {due}."
    ),
    ("try_withdrawn", _O): Words(
        "my_work",
        "You took back “{title}”",
        "It is a draft again, nothing is lost, and no try is used up.",
    ),
    ("try_returned_incomplete", _O): Words(
        "my_work",
        "Something is missing in “{title}”",
        "It came back to you before the review. No try is used up and nothing is lost. "
        "The page says what is missing; add it and submit again.",
    ),
    ("try_returned_for_privacy", _O): Words(
        "my_work",
        "“{title}” came back: somebody may be known by it",
        "A reviewer saw a name or a face and hid it at once. No try is used up and nothing is lost. "
        "The page shows what it is; change it and submit again.",
    ),
    ("try_returned_for_permission", _O): Words(
        "my_work",
        "“{title}” came back: a permission has ended",
        "What it covered is hidden from everybody but you. No try is used up. "
        "Renew the permission or take those pieces out, then submit again.",
    ),
    ("second_review_asked", _R): Words(
        "reviews",
        "“{title}” waits for a second reading by you",
        "You read it on your own, without the first review. A decision is due by {due}.",
    ),
    ("adjudication_asked", _R): Words(
        "reviews",
        "“{title}” waits for a third reading by you",
        "Two reviews came to different results, and yours settles it. A decision is due by {due}.",
    ),
    ("review_returned", _R): Words(
        "reviews",
        "Your review of “{title}” came back",
        "The approver asks you to look at it again. The reason is on the review desk.",
    ),
    ("review_reassigned", _R): Words(
        "reviews",
        "“{title}” has been given to you to read",
        "Nobody has finished reading it yet. A decision is due by {due}.",
    ),
    ("decision_delayed", _O): Words(
        "my_work",
        "The decision about “{title}” takes longer",
        "You will have it by {due}. You need to do nothing, and your work is safe.",
    ),
    ("award_recommended", _A): Words(
        "decisions", "“{title}” waits for your decision", "A reviewer recommends the award. Due by {due}."
    ),
    ("revisions_requested", _O): Words(
        "my_work",
        "Revisions needed in “{title}”",
        "Your reviewer says what to change. Parts that passed are kept; you work only on the others.",
    ),
    ("try_awarded", _O): Words(
        "my_work",
        "You earned “{title}”",
        "Your badge and hours are on record, and the grade goes to your course by itself.",
    ),
    ("try_denied", _O): Words(
        "my_work",
        "A decision about “{title}”",
        "It was not awarded this time. The page says why, and how to appeal.",
    ),
    ("appeal_opened", _O): Words(
        "my_work",
        "We have your appeal about “{title}”",
        "Somebody who has not seen this work before reads it.",
    ),
    ("appeal_opened", _P): Words(
        "decisions", "An appeal about “{title}” waits", "Somebody who has not seen this work decides."
    ),
    ("appeal_won", _O): Words(
        "my_work",
        "Your appeal is decided: you earned “{title}”",
        "Your badge and hours are on record, and the grade goes to your course by itself.",
    ),
    ("appeal_lost", _O): Words(
        "my_work", "Your appeal about “{title}” is decided", "The decision stands. The page says why."
    ),
    ("award_revoked", _O): Words(
        "my_work",
        "The award of “{title}” was withdrawn",
        "The page says why, and how to appeal.",
    ),
    ("award_expired", _O): Words(
        "my_work", "Your “{title}” has expired", "That you earned it stays on record. You may renew it."
    ),
    ("award_renewed", _O): Words("my_work", "Your “{title}” is renewed", "Your badge is signed anew."),
}
"""(audit name of the turn, reader) to what they are told: every `SendMail` of the workflow table."""

_WROTE = "Requests shows what they wrote; your answer goes to their page."
_WAITS = "It stands on the page of the credential."
REQUESTS: Mapping[str, Words] = {
    "coaching_asked": Words("decisions", "A teacher asks for a coach in “{title}”", _WROTE),
    "renewal_asked": Words("decisions", "A teacher asks to renew “{title}”", _WROTE),
    "coaching_answered": Words("my_work", "You have an answer about a coach for “{title}”", _WAITS),
    "renewal_answered": Words("my_work", "You have an answer about renewing “{title}”", _WAITS),
}
"""What teachers ask of the issuer, and that it was answered."""
PERMISSION_ENDED = Words(
    "my_work",
    "A permission for “{title}” has ended",
    "What it covered is hidden from everybody but you. The page Permissions shows which one it is.",
)
DRAFT_WAITS = Words(
    "reminders",
    "Your draft of “{title}” waits",
    "Nothing has changed in it since {day}. Everything is saved; go on where you stopped. "
    "There is no hurry unless your course has a last day.",
)
REVISIONS_WAIT = Words(
    "reminders",
    "Your revisions of “{title}” wait",
    "Feedback has been there since {day}. Parts that passed are kept; only the others need you.",
)
REVIEW_DUE = Words(
    "reviews", "“{title}” is due", "A decision was promised by {due}, and your review is not finished."
)
DECISION_DUE = Words(
    "decisions", "A decision about “{title}” is due", "It was promised by {due}, and nobody has decided yet."
)
REVIEWS_WAIT = Words("reviews", "Work waits for a reviewer", "Your review queue shows what is due first.")
DECISIONS_WAIT = Words(
    "decisions", "Work waits for a decision", "Your list shows what is due first, disagreements before all."
)


def filled(words: Words, *, title: str, due: str = "", day: str = "") -> tuple[str, str]:
    """Title and body; a sentence about a due date is left out where there is none."""
    body = words.body
    if not due:
        body = "".join(part for part in re.findall(r"[^.]+[.]", body) if "{due}" not in part)
    # Not str.format on anything from outside: only our own words hold places.
    return words.title.format(title=title), body.format(title=title, due=due, day=day).strip()


def day(moment: datetime, zone: ZoneInfo) -> str:
    """`Monday, October 5`, in the organization's time zone."""
    local = moment.astimezone(zone)
    return f"{local:%A, %B} {local.day}"
