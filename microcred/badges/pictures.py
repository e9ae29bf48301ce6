"""The picture of a credential version: rendered once, kept in storage, nobody's award in it."""

from microcred.badges import art
from microcred.credentials import MicroCredential, Stack
from microcred.storage import Storage

_PIXELS = 600


class Pictures:
    """Badge art by version."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def png(self, version_id: str, document: MicroCredential | Stack) -> bytes:
        """The PNG of a version's badge, rendered once and kept."""
        key = f"art/{version_id}-{_PIXELS}.png"
        try:
            return self._storage.read(key)
        except FileNotFoundError:
            pass
        picture = art.badge_png(svg(document), _PIXELS)
        self._storage.put(key, [picture])
        return picture


def svg(document: MicroCredential | Stack) -> str:
    """The same as SVG."""
    return art.badge_svg(_art_facts(document))


def _art_facts(document: MicroCredential | Stack) -> art.ArtFacts:
    badge = document.badge
    return art.ArtFacts(
        name=badge.name,
        code=document.code,
        shape=badge.shape,
        primary_colour=badge.primary_colour,
        accent_colour=badge.accent_colour,
        icon=badge.icon,
        alt=badge.image_alt,
        level="stack" if isinstance(document, Stack) else "credential",
    )
