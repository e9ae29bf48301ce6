"""Engine, sessions, base class and column types: the ground every table stands on."""

from microcred.database.alone import Alone
from microcred.database.base import BIGINT, Base, Json, UtcDateTime, Version, utc
from microcred.database.clock import Clock, SystemClock, random_id
from microcred.database.engine import Database, after_commit
from microcred.database.texts import is_storable

__all__ = [
    "BIGINT",
    "Alone",
    "Base",
    "Clock",
    "Database",
    "Json",
    "SystemClock",
    "UtcDateTime",
    "Version",
    "after_commit",
    "is_storable",
    "random_id",
    "utc",
]
