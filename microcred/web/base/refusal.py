"""The page of a refused login or launch: what happened, what to do, and a code for the LMS administrator."""

from flask import render_template

from lti_tool.errors import Refusal

_TITLES = {
    "This page waited too long to open": "state_expired token_expired token_too_old token_not_yet_valid",
    "This way in was used already": "state_used nonce_used",
    "Your browser did not keep what lets you in safely": "browser_not_bound session_changed",
    "This was not opened from your course": "state_missing state_unknown token_missing",
    "Your LMS and this tool do not know each other yet": (
        "login_missing_param login_conflict registration_unknown registration_ambiguous registration_exists "
        "deployment_unknown target_link_not_allowed target_link_mismatch version_unsupported "
        "message_type_unsupported claim_missing claim_invalid return_url_not_allowed url_not_allowed"
    ),
    "This tool is not open to your LMS at the moment": "registration_inactive",
    "Your LMS stopped the way in": "platform_error",
    "Your role in this course does not open this tool": "role_not_permitted",
    "Your account here is closed": "user_blocked",
    "We cannot let anybody in for a moment": "temporarily_unavailable jwks_unavailable",
}
_TITLE_OF = {code: title for title, codes in _TITLES.items() for code in codes.split()}
_OTHERWISE = "We could not be sure that this came from your LMS"


def render_refusal(refusal: Refusal) -> str:
    """The refusal as a page, with `data-lti-error`; status and headers are the caller's."""
    title = _TITLE_OF.get(refusal.code, _OTHERWISE)
    return render_template("base/refusal.html", refusal=refusal, title=title)
