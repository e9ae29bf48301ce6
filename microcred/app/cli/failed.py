"""How a command says that it could not do its work."""


class Failed(Exception):
    """The command could not do its work; the message says why and what to do."""
