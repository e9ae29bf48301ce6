"""What makes the many applications that a test run builds cheaper, without changing what they do."""

import os
import shutil
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import resvg_py
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from microcred.database import Database

MEMORY = Path("/dev/shm")
ROOM = 4 * 1024**3
"""Free bytes that a run must find there."""

KEYS = 16
"""RSA keys of each size that a process makes; the next ones are these again."""

Value = TypeVar("Value")
Builder = Callable[..., tuple[str, str]]


def install() -> None:
    """Statements, rules, templates and keys, for this process."""
    _share_compiled_statements()
    _take_turns_with_keys()
    _compile_builders_late()
    _share_compiled_rules()
    # The same badge art is drawn in test after test, 200 ms each.
    resvg_py.svg_to_bytes = lru_cache(64)(resvg_py.svg_to_bytes)  # type: ignore[assignment]
    Flask.jinja_options = {"bytecode_cache": _Compiled()}


def memory_folder() -> str | None:
    """A folder in memory with enough room for temporary files, if this machine has one.

    Copying a database of a few hundred small files took 20 to 500 ms on a disk, and 16 ms there.
    """
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        return None
    return str(MEMORY)


_made: dict[Hashable, tuple[sqlite3.Connection, Any]] = {}


def kept(database: Database, key: Hashable, make: Callable[[], Value]) -> Value:
    """What `make` puts into an empty, migrated database, and what it returns.

    With SQLite it runs once a process for each `key`; afterwards the rows of that time are copied.
    """
    if not database.is_sqlite:
        return make()
    if key not in _made:
        value = make()
        rows = sqlite3.connect(":memory:", check_same_thread=False)
        with database.engine.connect() as connection:
            connection.connection.driver_connection.backup(rows)  # type: ignore[union-attr]
        _made[key] = rows, value
        return value
    rows, value = _made[key]
    with database.engine.connect() as connection:
        rows.backup(connection.connection.driver_connection)  # type: ignore[arg-type]
    return value


def _take_turns_with_keys() -> None:
    """Let new RSA keys be old ones in turn: each took 100 ms, a twentieth of the run."""
    generate, made = rsa.generate_private_key, defaultdict[tuple[int, int], deque[rsa.RSAPrivateKey]](deque)

    def take(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
        keys = made[public_exponent, key_size]
        key = keys.popleft() if len(keys) == KEYS else generate(public_exponent, key_size)
        keys.append(key)
        return key

    rsa.generate_private_key = take


def _share_compiled_statements() -> None:
    """Let every engine of one kind use the statements that another compiled: nearly each test opens its own
    database, and compiling took a fifth of the run.
    """
    compiled: LRUCache[Any, Any] = LRUCache(4000)
    open_database = Database.__init__

    def sharing(self: Database, *values: Any, **named: Any) -> None:
        open_database(self, *values, **named)
        self.engine._compiled_cache = compiled

    # The dialect is a part of the cache's key.
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    Database.__init__ = sharing  # type: ignore[method-assign]


def _share_compiled_rules() -> None:
    """Let a URL rule take over what another application's rule of the same text was compiled to: a sixth of
    the pages' tests. The parts are read only; converters know their map but use nothing of it.
    """
    compile_rule = Rule.compile
    known: dict[object, dict[str, Any]] = {}

    def compiled(self: Rule) -> None:
        key = (self.rule, self.subdomain, self.host, self.merge_slashes, str(self.defaults), self.alias)
        if key not in known:
            compile_rule(self)
            known[key] = {name: getattr(self, name) for name in ("_parts", "_trace", "_converters")}
            return
        for name, value in known[key].items():
            setattr(self, name, value)
        self.arguments |= self._converters.keys()
        self._build = self._compile_builder(False).__get__(self, None)
        self._build_unknown = self._compile_builder(True).__get__(self, None)

    Rule.compile = compiled  # type: ignore[method-assign]


def _compile_builders_late() -> None:
    """Let a URL rule compile its two builders when an address is first built from it.

    Werkzeug compiles them as the rule is added, 2 ms for each of 200 rules; a test builds few addresses.
    """
    compile_builder = Rule._compile_builder

    def lazily(self: Rule, append_unknown: bool = True) -> Builder:
        made: list[Builder] = []

        def build(*values: Any, **named: Any) -> tuple[str, str]:
            if not made:
                made.append(compile_builder(self, append_unknown))
            return made[0](*values, **named)

        return build

    Rule._compile_builder = lazily  # type: ignore[method-assign]


class _Compiled(BytecodeCache):
    """Templates that another application of this process compiled, once a quarter of the pages' tests."""

    def __init__(self) -> None:
        self._held: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._held:
            bucket.bytecode_from_string(self._held[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._held[bucket.key] = bucket.bytecode_to_string()
