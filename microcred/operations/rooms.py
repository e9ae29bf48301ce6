"""Who may enter which room of pages: one table, asked for every request to `/app/<L>/` and `/desk/`.

It is the outer door. Whose work somebody then sees in a room, and what of it, is decided in `access`, by the
operations themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from microcred.operations.actor import Actor
from microcred.operations.errors import NotAllowed
from microcred.operations.operating import is_of_all


@dataclass(frozen=True)
class Door:
    """Opens to whoever has any of these rights in the launch's course, or any of these offices anywhere."""

    rights: frozenset[str] = frozenset()
    offices: frozenset[str] = frozenset()
    everybody: bool = False
    """Opens to everybody with a page session: their own notices, privacy, accounts."""

    def opens_to(self, actor: Actor) -> bool:
        """Whether the actor may enter. An operator of the whole installation holds every office."""
        if self.everybody or self.rights & actor.rights:
            return True
        held = {office.role for office in actor.offices}
        return bool(self.offices & held) or (bool(self.offices) and is_of_all(actor))


def _rights(*names: str) -> Door:
    return Door(rights=frozenset(names))


def _offices(*names: str) -> Door:
    return Door(offices=frozenset(names))


_EVERYBODY = Door(everybody=True)

ROOMS: Mapping[str, Door] = {
    "teacher": _rights("read", "submit"),
    "choosing": _rights("place"),
    "course": _rights("see_progress"),
    "roles": _rights("see_progress"),
    "settings": _rights("see_progress", "place"),
    "review": _offices("reviewer"),
    "approve": _offices("approver"),
    "author": _offices("author", "approver"),
    "rules": _offices("approver", "operator"),
    "platforms": _offices("operator"),
    "setting_up": _offices("operator"),
    "outbox": _offices("operator"),
    "people": _offices("operator"),
    "home": _EVERYBODY,
    "common": _EVERYBODY,
    "notices": _EVERYBODY,
    "privacy": _EVERYBODY,
    "linking": _EVERYBODY,
}
"""By the name of a room's pages."""

PAGES: Mapping[str, Door] = {
    # Where every launch begins; it sends people on by their rights.
    "teacher.home": _EVERYBODY,
    # An approver opens what they decide about.
    **dict.fromkeys(
        ("review.piece", "review.piece_file", "review.piece_captions"), _offices("reviewer", "approver")
    ),
}
"""Pages whose door is not that of their room, by `room.page`."""


def door_of(page: str) -> Door | None:
    """The door of `room.page`; None for a page that the tables do not name, which opens to nobody."""
    return PAGES.get(page) or ROOMS.get(page.partition(".")[0])


def require(actor: Actor, page: str) -> None:
    """Raises NotAllowed where the door of `page` does not open to the actor."""
    door = door_of(page)
    if door is None or not door.opens_to(actor):
        raise NotAllowed("room_closed", "Your role here does not include this page. Nothing was changed.")
