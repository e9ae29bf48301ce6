"""Alembic's environment: one set of migrations for SQLite and PostgreSQL. Called by `microcred.app.schema`,
never by hand.
"""

from typing import Any, Literal

from alembic import context

from microcred.app.tables import metadata
from microcred.database import UtcDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Own column types as what they are in the database: a migration must not change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot ALTER most things: changed tables are copied.
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_item,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
