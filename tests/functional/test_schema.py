"""Migrations and models say the same, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from microcred.app import schema
from microcred.app.tables import metadata
from microcred.database import Database


def test_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    before = schema.versions(database)
    schema.upgrade(database)
    assert schema.versions(database) == before
    schema.check(database)


def test_sqlite_is_tuned_as_designed(migrated_sqlite_url: str) -> None:
    database = Database(migrated_sqlite_url)
    with database.reading() as session:
        asked = {
            name: session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    database.dispose()
    assert asked == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 5000}
