"""A restore into PostgreSQL that is killed: no start believes what it left, and the same restore mends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.unit.backup.test_backup import contents, restore, restored_config, say

from alcaide.kernel import unfinished_restore
from alcaide.kernel.backup import create_backup
from alcaide.kernel.db import open_database
from alcaide.kernel.errors import ConfigError, Conflict
from alcaide.kernel.instance import Instance, open_instance

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from tests.conftest import installed
    from alcaide.kernel.backup import restore as restoring
    from alcaide.kernel.backup import restore_backup

    backup, data, url, at = sys.argv[1:]

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def progress(fraction, note):
        if at in note:
            die()

    if at == "naming":
        restoring._give_name = die
    if at == "clearing":
        restoring.unfinished.clear_mark = die
    restore_backup(
        Path(backup), Path(data), manifests=installed(), migrate=False, database_url=url, environ={},
        progress=progress,
    )
"""


@pytest.fixture
def backup(instance: Instance, tmp_path: Path) -> Path:
    say(instance, 3)
    create_backup(instance, tmp_path / "alcaide.backup")
    return tmp_path / "alcaide.backup"


def killed(backup: Path, target: Path, url: str, at: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(backup), str(target), url, at],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def opened(instance: Instance, target: Path, url: str) -> Instance:
    return open_instance(
        restored_config(instance, target, url),
        manifests=instance.manifests,
        clock=instance.clock,
        migrate=False,
    )


def holds_what_was_backed_up(instance: Instance, target: Path, url: str) -> None:
    again = opened(instance, target, url)
    try:
        assert contents(again.db) == contents(instance.db)
        with again.read() as conn:
            assert not unfinished_restore.is_marked(conn)
        say(again, 1)
    finally:
        again.close()


@pytest.mark.parametrize("at", ["table ", "verifying", "naming"])
def test_what_a_killed_restore_left_is_not_believed_and_the_same_restore_mends_it(
    instance: Instance, backup: Path, tmp_path: Path, postgresql_url: str, at: str
):
    target = tmp_path / "restored"
    killed(backup, target, postgresql_url, at)
    assert not target.exists()

    if at == "table ":  # nothing was committed: an empty database is no half-believed one
        database = open_database(postgresql_url)
        with database.read() as conn:
            assert sa.inspect(conn).get_table_names() == []
        database.close()
    else:
        with pytest.raises(ConfigError, match=r"was cut off.*run the same `alcaide restore` again"):
            opened(instance, tmp_path / "hasty", postgresql_url)
    restore(instance, backup, target, database_url=postgresql_url)

    holds_what_was_backed_up(instance, target, postgresql_url)


def test_one_killed_after_its_folder_had_its_name_is_whole(
    instance: Instance, backup: Path, tmp_path: Path, postgresql_url: str
):
    target = tmp_path / "restored"
    killed(backup, target, postgresql_url, "clearing")

    with pytest.raises(ConfigError, match="was cut off"):
        opened(instance, tmp_path / "another", postgresql_url)
    holds_what_was_backed_up(instance, target, postgresql_url)


def test_two_restores_into_one_database_do_not_meet(
    instance: Instance, backup: Path, tmp_path: Path, postgresql_url: str
):
    refused: list[Any] = []

    def second(fraction: float, note: str) -> None:
        if "verifying" in note and not refused:
            with pytest.raises(Conflict, match="another restore") as found:
                restore(instance, backup, tmp_path / "second", database_url=postgresql_url)
            refused.append(found)

    restore(instance, backup, tmp_path / "first", database_url=postgresql_url, progress=second)

    assert refused
    holds_what_was_backed_up(instance, tmp_path / "first", postgresql_url)


def test_tables_that_no_restore_left_are_never_emptied(
    instance: Instance, backup: Path, tmp_path: Path, postgresql_url: str
):
    database = open_database(postgresql_url)
    with database.transaction() as conn:
        conn.execute(sa.text("CREATE TABLE somebody_elses (n integer)"))

    with pytest.raises(Conflict, match="`somebody_elses`"):
        restore(instance, backup, tmp_path / "restored", database_url=postgresql_url)

    with database.read() as conn:
        assert sa.inspect(conn).get_table_names() == ["somebody_elses"]
    database.close()
