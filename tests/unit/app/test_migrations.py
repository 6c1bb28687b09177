"""The one history of the database makes what the tables declare, whole or from any form before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alcaide.kernel.db import metadata, open_database
from alcaide.kernel.db.migrate import head_revision, is_current, upgrade
from alcaide.kernel.instance import import_tables
from tests.conftest import installed


@pytest.fixture
def empty(tmp_path: Path, database_kind: str, request: pytest.FixtureRequest) -> Any:
    postgresql = database_kind == "postgresql"
    url = request.getfixturevalue("postgresql_url") if postgresql else f"sqlite:///{tmp_path}/a.db"
    database = open_database(url)
    yield database
    database.close()


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["0001", "head"])
def test_the_history_makes_what_the_tables_declare(empty: Any, first: str):
    import_tables(installed())
    upgrade(empty, first)
    assert is_current(empty) == (first in ("head", head_revision()))
    upgrade(empty)

    with empty.read() as conn:
        differing = compare_metadata(MigrationContext.configure(conn), metadata)

    assert [change for change in differing if "alembic_version" not in str(change)] == []
