"""What can go wrong with a backpack, each with a code that pages turn into words."""

from typing import Literal

Code = Literal[
    "address_not_allowed",
    "not_a_backpack",
    "takes_no_badges",
    "unreachable",
    "registration_refused",
    "answer_unclear",
    "grant_refused",
    "throttled",
]


class BackpackError(Exception):
    """A backpack cannot be used, or not now.

    `code` is stable; `after` is how many seconds the host asked to be left alone, where it did. The message
    is for logs and holds nothing secret.
    """

    def __init__(self, code: Code, message: str = "", *, after: float | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code: Code = code
        self.after = after
