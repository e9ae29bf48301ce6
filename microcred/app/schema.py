"""The database schema: upgrade it, or say how far it is from what this version needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from microcred.database import Database

_LOCK = 0x6D6963726F  # advisory lock: two processes starting at once upgrade one after the other


class SchemaStale(Exception):
    """The database's schema is not the one this version works with; the message says what to do."""


def _folder() -> Path:
    """The migrations: beside the packages in a checkout, inside the package in a wheel."""
    packaged = Path(__file__).parent.parent / "_migrations"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_folder()))
    return config


def upgrade(database: Database) -> None:
    """Bring the schema up to this version."""
    config = _config()
    with database.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def versions(database: Database) -> tuple[str | None, str | None]:
    """(the database's revision, the newest revision this version knows)."""
    with database.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(_config()).get_current_head()


def check(database: Database) -> None:
    """Raises SchemaStale unless the database is exactly at this version's schema."""
    current, newest = versions(database)
    if current != newest:
        raise SchemaStale(
            f"The schema is at {current or 'nothing'}; this version needs {newest}. Run: microcred db upgrade"
        )
