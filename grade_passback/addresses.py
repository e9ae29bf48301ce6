"""Where a learner's badge can be verified, for the comment beside the grade."""

from microcred.credentials.models import Award

_base = ""


def use_badge_address(url: str) -> None:
    """Let verification links begin with `url` (no slash at the end); called by the wiring. Without it
    there are none."""
    global _base
    _base = url.rstrip("/")


def verify_address(award: Award) -> str | None:
    """The public page of an award; None for a test award, which has none."""
    return f"{_base}/badges/{award.public_id}" if _base and not award.is_test else None
