"""Every way a login, launch or registration can be refused: its code, its HTTP status, and plain words for
the person.

Codes are part of the public contract; 401 for signature, issuer, audience and time follows the Security
Framework (5.1.3 step 3).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What a refusal page says: what happened, and what to do next."""

    status: int
    happened: str
    next_step: str


_RELAUNCH = "Go back to your course and open the activity again from there."
_AGAIN = (
    "If it happens again, tell your LMS administrator, and give them the code and the reference shown below."
)
_ADMIN = "Please tell your LMS administrator, and give them the code and the reference shown below."
_SETUP = "Your LMS administrator needs to check how this tool is set up in the LMS."
_TRUST = (
    "Your LMS sent a message that this tool cannot trust, so nobody was signed in and nothing was changed."
)


def _message(status: int, happened: str) -> Words:
    return Words(status, happened, f"{_RELAUNCH} {_AGAIN}")


def _set_up(status: int, happened: str) -> Words:
    return Words(status, happened, f"{_SETUP} {_ADMIN}")


WORDS: dict[str, Words] = {
    "login_missing_param": _message(400, "The LMS did not say everything this tool needs to start."),
    "login_conflict": _set_up(400, "The LMS named two different registrations of this tool at once."),
    "registration_unknown": _set_up(400, "This LMS is not registered with this tool."),
    "registration_ambiguous": _set_up(
        400,
        "This LMS has several registrations of this tool and did not say which one is meant; it must use the"
        " login address of its own registration.",
    ),
    "registration_inactive": _set_up(403, "This LMS's registration is not active at the moment."),
    "registration_exists": _set_up(409, "This LMS is registered already. Nothing was changed."),
    "target_link_not_allowed": _set_up(400, "The LMS asked for a page that is not part of this tool."),
    "target_link_mismatch": _message(400, "The LMS asked for one page and then sent a message for another."),
    "deployment_unknown": _set_up(
        403,
        "This tool does not know this installation of it in your LMS yet. It has been noted; whoever runs"
        " this tool can approve it.",
    ),
    "state_missing": _message(400, "This page was opened without the first step that begins in the LMS."),
    "state_unknown": _message(400, "This tool did not start the sign-in that this message belongs to."),
    "state_used": _message(400, "This link was used already. Your work is safe."),
    "state_expired": _message(400, "Opening the activity took more than ten minutes, so the link ran out."),
    "browser_not_bound": Words(
        401,
        "Your browser did not give back what this tool left with it a moment ago, so it cannot be sure that"
        " it is you.",
        "Open the activity again from your course, if you can in a new tab. If your browser blocks all"
        " cookies, allow them for this site.",
    ),
    "session_changed": _message(409, "Somebody else has opened this tool in this browser since."),
    "platform_error": _message(400, "The LMS reported a problem and did not let this tool open."),
    "token_missing": _message(400, "The LMS sent no message to open this tool with."),
    "token_malformed": _message(400, _TRUST),
    "token_too_large": _message(413, "The LMS sent a message that is too long to be real."),
    "token_expired": _message(401, "The message from the LMS ran out before it arrived."),
    "token_not_yet_valid": _message(401, "The clocks of the LMS and of this tool differ too much."),
    "token_too_old": _message(401, "The message from the LMS is too old."),
    "kid_missing": _set_up(401, _TRUST),
    "kid_unknown": _message(401, _TRUST),
    "kid_ambiguous": _set_up(401, _TRUST),
    "alg_not_allowed": _set_up(401, _TRUST),
    "signature_invalid": _message(401, _TRUST),
    "jwks_unavailable": Words(
        503,
        "This tool could not reach your LMS to check its message.",
        "Please wait a minute and open the activity again from your course.",
    ),
    "iss_mismatch": _set_up(401, _TRUST),
    "aud_missing": _set_up(401, _TRUST),
    "aud_mismatch": _set_up(401, _TRUST),
    "azp_mismatch": _set_up(401, _TRUST),
    "nonce_missing": _set_up(400, _TRUST),
    "nonce_mismatch": _message(401, _TRUST),
    "nonce_used": _message(401, _TRUST),
    "claim_missing": _set_up(400, "The LMS left out something this tool needs to know."),
    "claim_invalid": _set_up(400, "The LMS sent something this tool cannot read."),
    "version_unsupported": _set_up(400, "The LMS speaks another version of LTI; this tool speaks 1.3.0."),
    "message_type_unsupported": _set_up(400, "The LMS asked for something that this tool does not do."),
    "role_not_permitted": Words(
        403,
        "Only somebody who may change this course can choose a credential for it.",
        "Ask the course's teacher or coordinator to do it.",
    ),
    "return_url_not_allowed": _set_up(
        400, "The LMS asked for an answer at an address that does not belong to it."
    ),
    "url_not_allowed": _set_up(400, "An address that was given may not be used by this tool."),
    "issuer_mismatch": _set_up(400, "The LMS's own description does not belong to its address."),
    "user_blocked": Words(
        403,
        "Your access to this tool has been suspended. Your work is kept.",
        "Please ask whoever runs this tool in your organization.",
    ),
    "temporarily_unavailable": Words(
        503,
        "This tool is busy or being looked after at the moment. Nothing was lost.",
        "Please wait a minute and open the activity again from your course.",
    ),
}


ANONYMOUS = Words(
    400,
    "Your LMS did not say who you are. Work here belongs to somebody, so nothing was opened.",
    f"Sign in to your LMS with an account of your own, then open the activity again from there. {_AGAIN}",
)
"""A launch without `sub`, which Core 5.3.6 allows: refused as `claim_missing`."""


class LtiRefused(Exception):
    """A login or launch that is refused. `code` is one of `WORDS`.

    `detail` is a fixed sentence of ours, or the name of a claim or message type that is shown to the
    administrator as text; `words` are others than the code's usual ones; `origins` are the frame-ancestors
    for the refusal page, once the state told whose launch it is; `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        words: Words | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.words = words or WORDS[code]
        self.status = status or self.words.status
        self.detail = detail
        self.retry_after = retry_after if retry_after or self.status != 503 else 30
        self.registration_id: str | None = None
        self.origins: tuple[str, ...] = ()
        self.foreign_host: str | None = None
        """A host that the signed message named and that the registration does not reach."""


@dataclass(frozen=True)
class Refusal:
    """What a refusal page shows; every text is ours, or to be escaped."""

    code: str
    status: int
    happened: str
    next_step: str
    detail: str | None
    request_id: str

    @classmethod
    def of(cls, refused: LtiRefused, request_id: str) -> "Refusal":
        """The page's contents for one refusal."""
        words = refused.words
        return cls(refused.code, refused.status, words.happened, words.next_step, refused.detail, request_id)
