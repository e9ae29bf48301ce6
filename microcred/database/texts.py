"""Which texts a database can hold."""


def is_storable(text: str) -> bool:
    """No NUL (PostgreSQL keeps none) and no half of a surrogate pair. None is looked for by others."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))
