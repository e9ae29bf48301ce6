"""Why an operation did not happen, in words for the person who asked."""


class OperationRefused(Exception):
    """The operation was refused and nothing was changed.

    `code` is for programs and tests; `message` says in plain words what happened, what was kept and what to
    do.
    """

    status = 409

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class NotAllowed(OperationRefused):
    """The person has no right to do this, or to see this."""

    status = 403


class NotFound(OperationRefused):
    """There is no such thing for this person; what others may see is not told."""

    status = 404
