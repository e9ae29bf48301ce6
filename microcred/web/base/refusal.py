"""The page of a refused login or launch: what happened, what to do, and a code for the LMS administrator."""

from dataclasses import dataclass

from flask import render_template

_AGAIN = (
    "Go back to your course page.",
    "Click the micro-credential again.",
    "If you see this twice, open it in a new tab.",
)
_ADMIN = (
    "Go back to your course page.",
    "Tell the person who looks after your LMS, and give them the code below.",
)


@dataclass(frozen=True)
class RefusalWords:
    """One refusal for people: a heading, a sentence, steps."""

    title: str
    message: str
    steps: tuple[str, ...]


_TIME = RefusalWords(
    "This page waited too long to open",
    "For safety, the way in from your course lasts a few minutes. "
    "Your work is not affected: everything you saved is still there.",
    _AGAIN,
)
_USED = RefusalWords(
    "This way in was used already",
    "Each click on your course page opens this tool once. Your work is not affected.",
    _AGAIN,
)
_BROWSER = RefusalWords(
    "Your browser did not keep what we need to let you in safely",
    "That happens when cookies are switched off, "
    "or when the page was opened in one browser and finished in another.",
    (
        "Go back to your course page.",
        "Click the micro-credential again, in this browser.",
        "If you see this twice, open it in a new tab.",
    ),
)
_SET_UP = RefusalWords(
    "Your LMS and this tool do not know each other yet",
    "Something in how they were connected does not fit. "
    "It is nothing that you did, and your work is not affected.",
    _ADMIN,
)
_NOT_TRUSTED = RefusalWords(
    "We could not be sure that this came from your LMS",
    "To keep everybody's work safe we did not let it in. "
    "It is nothing that you did, and your work is not affected.",
    (
        *_AGAIN[:2],
        "If you see this twice, tell the person who looks after your LMS, and give them the code below.",
    ),
)
_PLATFORM = RefusalWords(
    "Your LMS stopped the way in",
    "It told us that something went wrong on its side. Your work is not affected.",
    _AGAIN,
)
_ROLE = RefusalWords(
    "Your role in this course does not open this tool",
    "Your LMS lists you in a role that has nothing to do here.",
    ("Go back to your course page.", "Ask the person who runs the course to change your role."),
)
_BLOCKED = RefusalWords(
    "Your account here is closed",
    "The organization that runs this tool has closed it. What you earned stays earned.",
    ("Write to the person who runs your micro-credentials.",),
)
_BUSY = RefusalWords(
    "We cannot let anybody in for a moment",
    "Something we depend on is not answering. Everything you saved is still there.",
    ("Wait a minute.", "Go back to your course page and click the micro-credential again."),
)
_INACTIVE = RefusalWords(
    "This tool is not open to your LMS at the moment",
    "Somebody has still to approve the connection, or has closed it. Your work is not affected.",
    _ADMIN,
)

_WORDS = {
    **dict.fromkeys(("state_expired", "token_expired", "token_too_old", "token_not_yet_valid"), _TIME),
    **dict.fromkeys(("state_used", "nonce_used"), _USED),
    **dict.fromkeys(("browser_not_bound", "session_changed", "state_missing", "state_unknown"), _BROWSER),
    **dict.fromkeys(
        (
            "login_missing_param",
            "login_conflict",
            "registration_unknown",
            "registration_ambiguous",
            "registration_exists",
            "target_link_not_allowed",
            "target_link_mismatch",
            "deployment_unknown",
            "claim_missing",
            "claim_invalid",
            "version_unsupported",
            "message_type_unsupported",
            "return_url_not_allowed",
            "url_not_allowed",
        ),
        _SET_UP,
    ),
    "registration_inactive": _INACTIVE,
    "platform_error": _PLATFORM,
    "role_not_permitted": _ROLE,
    "user_blocked": _BLOCKED,
    **dict.fromkeys(("temporarily_unavailable", "jwks_unavailable"), _BUSY),
}


def refusal_words(code: str) -> RefusalWords:
    """What people are told about a code; codes about tokens and keys share one careful sentence."""
    return _WORDS.get(code, _NOT_TRUSTED)


def render_refusal(code: str, *, return_url: str | None = None, detail: str | None = None) -> str:
    """The refusal page as HTML. `detail` may say what an administrator must look at, never a value from outside.

    `return_url` must have been judged by the caller. The page carries `data-lti-error`; headers and status are
    the caller's.
    """
    return render_template(
        "base/refusal.html", code=code, words=refusal_words(code), return_url=return_url, detail=detail
    )
