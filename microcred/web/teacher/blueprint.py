"""The blueprint of the teacher's pages, under `/app/<L>/`."""

from flask import Blueprint

blueprint = Blueprint("teacher", __name__)

SAID = {
    "saved": "Saved.",
    "added": "Added.",
    "link_unclear": "Added. We could not look at the page behind it: check that a reviewer can open it.",
    "blurred": "The changed picture took the place of the old one, which is gone.",
    "named": "The title is saved.",
    "removed": "Removed.",
    "transcribed": "What is said in it is saved.",
    "upload_stopped": "The upload is stopped, and nothing of that file is kept.",
    "permission": "The permission is on record.",
    "permission_back": "The permission is taken back.",
    "permission_back_try": "The permission is taken back. It is hidden, and your work is a draft again.",
    "submitted": "Submitted.",
    "brought": "Your draft is here. Its grade goes to this course.",
    "asked": "Sent. You will find the answer here.",
    "appealed": "Your appeal is in. Somebody who has not seen this work reads it.",
    "shown": "Saved. The public page shows it from now on.",
    "written_anew": "Saved. Your badge is being signed anew; files you gave away before stay as they were.",
    "badge_added": "Added. Look what we could check.",
    "badge_removed": "Removed. It stays where it is kept.",
    "confirm_mailed": "We mailed a link there. Open it to confirm the address.",
    "address_removed": "The address is removed.",
    "badge_mailed": "The mail with your badge is on its way.",
    "sending": "Your badge is on its way there.",
    "automatic": "New badges go there by themselves from now on.",
    "on_demand": "From now on badges go there only when you say so.",
    "disconnected": "Disconnected. Badges that are there stay yours.",
    "withdrawn": "You took it back. It is a draft again, and nothing is lost.",
}
"""What a page says after a redirect, by the code in its address: nothing else from the address is shown."""


def said(code: str | None) -> str:
    """The sentence for a code; empty for any other text."""
    return SAID.get(code or "", "")
