"""Statements that are a transaction by themselves, for the few places where a millisecond counts.

SQLAlchemy compiles them once; they then go to the driver's own cursor. That is a third of what executing them
costs otherwise, and to PostgreSQL all of them go in one round trip.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, cast

from sqlalchemy import Engine
from sqlalchemy.sql.expression import Executable

from microcred.database.engine import Database


class Alone:
    """Writing statements over shared named parameters (`bindparam`), compiled for one database. They are kept
    if the last of them writes a row; else none is.
    """

    def __init__(self, database: Database, *statements: Executable) -> None:
        self._engine: Engine = database.engine
        self._is_sqlite = database.is_sqlite
        self._adapt: dict[str, Callable[[Any], Any]] = {}
        self._texts = [self._compiled(statement) for statement in statements]

    def _compiled(self, statement: Executable) -> tuple[str, list[str]]:
        """The text, and the names of its parameters (in their order, where the driver goes by that)."""
        dialect = self._engine.dialect
        compiled: Any = cast(Any, statement).compile(dialect=dialect)
        for name, bound in compiled.binds.items():
            adapt = bound.type.dialect_impl(dialect).bind_processor(dialect)
            if adapt is not None:
                self._adapt[name] = adapt
        return str(compiled), compiled.positiontup or list(compiled.binds)

    def is_written(self, values: Mapping[str, Any]) -> bool:
        """Run them; whether the last wrote a row. Raises the driver's own errors, after which nothing is
        kept.
        """
        adapt = self._adapt
        given = {name: adapt[name](value) if name in adapt else value for name, value in values.items()}
        pooled = self._engine.raw_connection()
        connection: Any = pooled.driver_connection
        try:
            run = self._on_sqlite if self._is_sqlite else self._on_postgresql
            written = run(connection, given)
        except BaseException:
            pooled.invalidate()
            raise
        pooled.close()
        return written

    def _on_postgresql(self, connection: Any, given: Mapping[str, Any]) -> bool:
        single = len(self._texts) == 1
        if single:
            connection.autocommit = True
        cursor: Any = None
        with nullcontext() if single else connection.pipeline():
            for text, names in self._texts:
                cursor = connection.cursor()
                cursor.execute(text, {name: given[name] for name in names}, prepare=True)
        written = bool(cursor.rowcount > 0)
        if single:
            connection.autocommit = False
        elif written:
            connection.commit()
        else:
            connection.rollback()
        return written

    def _on_sqlite(self, connection: Any, given: Mapping[str, Any]) -> bool:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        for text, names in self._texts:
            cursor.execute(text, tuple(given[name] for name in names))
        written = bool(cursor.rowcount > 0)
        cursor.execute("COMMIT" if written else "ROLLBACK")
        cursor.close()
        return written
