"""Statements about a set of rows, built once and asked many times a second."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Executable, Result, bindparam, func
from sqlalchemy.orm import Session

Among = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""Makes the condition that a column is one of the values."""


class OfMany:
    """A statement with one set of values. `build` is given what makes its condition.

    PostgreSQL takes the set as one array: with a parameter for each value, every size would be a statement of
    its own, read and planned anew by driver and server.
    """

    def __init__(self, build: Callable[[Among], Executable]) -> None:
        self._by_array = build(lambda column: column == func.any(bindparam("many", type_=ARRAY(column.type))))
        self._by_list = build(lambda column: column.in_(bindparam("many", expanding=True)))

    def ask(self, session: Session, values: Collection[Any]) -> Result[Any]:
        """Run it for these values."""
        is_postgresql = session.get_bind().dialect.name == "postgresql"
        return session.execute(self._by_array if is_postgresql else self._by_list, {"many": list(values)})
