"""What can go wrong with a badge, each with a code that pages and logs turn into words."""


class BadgeError(Exception):
    """A badge, or a part of one, that cannot be made or must not be trusted.

    `code` is stable and safe to show; the message is for logs.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class IntegrityError(BadgeError):
    """A document that cannot be signed as it stands, or a proof that does not hold."""


class BakingError(BadgeError):
    """A picture that cannot carry a badge, or does not carry a readable one."""


class ArtError(BadgeError):
    """Badge art facts that cannot be drawn, such as a colour that is no colour."""


class StatusError(BadgeError):
    """A status list that cannot be built or read."""


class FactsError(BadgeError):
    """Award facts that no honest badge can be written from."""
