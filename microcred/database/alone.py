"""A statement that is a transaction by itself, for the few places where a millisecond counts.

SQLAlchemy compiles it once; it then goes to the driver's own cursor. That is a third of what executing it
costs otherwise, and to PostgreSQL it is one round trip with its commit.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from psycopg import RawCursor
from sqlalchemy.sql.expression import Executable

from microcred.database.engine import Database


class Alone:
    """A writing statement with named parameters (`bindparam`), compiled for one database."""

    def __init__(self, database: Database, statement: Executable) -> None:
        self._database = database
        self._is_sqlite = database.is_sqlite
        # The server's own placeholders: psycopg does not keep its reading of a text of more than 4096
        # characters, and reading it takes longer than the rest of the call.
        style = "qmark" if self._is_sqlite else "numeric_dollar"
        dialect = cast(Any, type(database.engine.dialect))(paramstyle=style)
        compiled: Any = cast(Any, statement).compile(dialect=dialect)
        self._text = str(compiled)
        self._parameters = [
            (name, _adapter(compiled.binds[name].type, dialect)) for name in compiled.positiontup
        ]

    def is_written(self, values: Mapping[str, Any]) -> bool:
        """Run it; whether it wrote a row. Raises the driver's own errors, after which nothing is kept."""
        given = [adapt(values[name]) if adapt else values[name] for name, adapt in self._parameters]
        pooled = self._database.engine.raw_connection()
        connection: Any = pooled.driver_connection
        try:
            run = self._on_sqlite if self._is_sqlite else self._on_postgresql
            with self._database.turn():
                written = run(connection, given)
        except BaseException:
            pooled.invalidate()
            raise
        pooled.close()
        return written

    def _on_postgresql(self, connection: Any, given: list[Any]) -> bool:
        connection.autocommit = True
        cursor = RawCursor(connection)
        cursor.execute(cast(Any, self._text), given, prepare=True)
        connection.autocommit = False
        return cursor.rowcount > 0

    def _on_sqlite(self, connection: Any, given: list[Any]) -> bool:
        cursor = connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(self._text, given)
        written = bool(cursor.rowcount > 0)
        cursor.execute("COMMIT" if written else "ROLLBACK")
        cursor.close()
        return written


def _adapter(of: Any, dialect: Any) -> Callable[[Any], Any] | None:
    """What SQLAlchemy would make of a value of this type for the driver; None where it changes nothing."""
    adapter: Callable[[Any], Any] | None = of.dialect_impl(dialect).bind_processor(dialect)
    return adapter
