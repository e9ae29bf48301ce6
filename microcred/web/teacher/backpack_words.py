"""Backpacks in words: how a badge stands there, and why something was refused."""

from microcred.badges.backpack.errors import BackpackError
from microcred.operations.backpacks import Connected, Standing
from microcred.operations.errors import OperationRefused

_REFUSED = {
    "recipient_mismatch": (
        "It knows you by an e-mail address that this badge does not name. Confirm that address here, "
        "let backpacks know you by it, then send again."
    ),
    "invalid_badge": "It could not check the badge. Your badge is valid here; try again tomorrow.",
    "not_accepted": "It does not take this badge as it is. Download the file and add it there yourself.",
    "no_permission": "It does not let us add badges any more. Disconnect it and connect it again.",
    "no_such_service": "Its address for badges is gone. Disconnect it and connect it again.",
    "not_answering": "It has not answered for a long time. Send the badge again when it is back.",
    "address_not_allowed": "Its address leads somewhere we may not go. Disconnect it and connect it again.",
}
_UNCLEAR = "Its answer made no sense to us. Look there whether the badge has arrived; if not, send it again."
_WAITING = {
    "not_answering": "It does not answer just now. We try again by ourselves.",
    "throttled": "It asked us to wait. We try again by ourselves.",
}
_NOT_CONNECTED = {
    "address_not_allowed": (
        "This is not an address that we may ask. Use the https address of your backpack, such as "
        "https://api.badgr.io."
    ),
    "not_a_backpack": "There is no backpack at this address. Check it, or ask who runs your backpack.",
    "takes_no_badges": "This backpack does not take badges from others. Download the file and add it there.",
    "unreachable": "This backpack does not answer just now. Try again later; your badge is safe.",
    "registration_refused": "This backpack does not accept us. Download the file and add it there yourself.",
    "throttled": "This backpack asked us to wait. Try again in a few minutes.",
    "grant_refused": "This backpack did not confirm that you agreed. Nothing was connected. Try again.",
}


def standing(badge: Standing | None, at: str) -> str:
    """How the badge stands, as a sentence; `at` is when that was, in words."""
    if badge is None:
        return "This badge was not sent there yet."
    match badge.state:
        case "sent":
            return f"The badge is there since {at}."
        case "already_there":
            return f"The badge is there. We looked {at}."
        case "needs_reconnect":
            return "It has signed you out. Connect it again, then the badge goes there."
        case "refused":
            return f"Not taken {at}. {_REFUSED.get(badge.reason or '', _UNCLEAR)}"
    return _WAITING.get(badge.reason or "", "The badge is on its way.")


def mark(backpack: Connected) -> str:
    """The icon for it."""
    if backpack.state != "connected" or (backpack.badge and backpack.badge.state == "refused"):
        return "warn"
    done = backpack.badge is not None and backpack.badge.state in ("sent", "already_there")
    return "done" if done else "clock"


def refusal(error: BackpackError) -> OperationRefused:
    """Why no backpack was connected, for the person who asked."""
    otherwise = "The answer of this backpack made no sense to us. Nothing was connected."
    words = _NOT_CONNECTED.get(error.code, otherwise)
    return OperationRefused(f"backpack_{error.code}", words)
