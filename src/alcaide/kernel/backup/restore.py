"""Bringing a backup back: into an empty place, checked from the first leaf, or not at all.

Everything grows in a folder beside the target, and tables are filled in one transaction. Only when every
member has its digest, every table its rows, and the whole log verifies up to the checkpoint in the
manifest, is the folder given its name. Interrupted before that, nothing is left that a start would
believe: tables in a database outside the folder carry a mark until then
(`kernel.unfinished_restore`), and a start refuses.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel import unfinished_restore as unfinished
from alcaide.kernel.backup import rows
from alcaide.kernel.backup.archive import Archive, disk_errors, open_archive, sync_folder
from alcaide.kernel.backup.create import DATABASE_FILES, FORMAT, LEFT_OUT, VERSION, Progress, unreported
from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.config import CONFIG_FILE, Config, load_config
from alcaide.kernel.db import Database, metadata, open_database
from alcaide.kernel.db.migrate import MIGRATIONS, head_revision
from alcaide.kernel.errors import AlcaideError, ConfigError, Conflict, Corrupt, InvalidInput
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.keys import KeyStore
from alcaide.kernel.ledger.log import Ledger

if TYPE_CHECKING:
    from alcaide.kernel.slice import Manifest

MAX_CONFIG_BYTES = 1_000_000


@dataclass(frozen=True)
class RestoreReport:
    """What was brought back. `cannot_sign` says why new statements cannot be signed yet, if so."""

    data: Path
    made_at: datetime
    log_size: int
    rows: int
    revision_before: str | None
    revision_now: str | None
    cannot_sign: str | None


def restore_backup(
    path: Path,
    data: Path,
    *,
    manifests: Sequence[Manifest],
    database_url: str | None = None,
    environ: Mapping[str, str] | None = None,
    migrate: bool = True,
    progress: Progress = unreported,
) -> RestoreReport:
    """Restore the backup at `path` into the folder `data`, which must be absent or empty.

    The database is where the restored settings say, or at `database_url` (`sqlite` for a file in the
    folder), which then becomes the setting; it must be empty, and need not be of the kind that the backup
    came from. A backup of an older version is restored in its own form and migrated.

    1. check target and archive  2. put files beside the target  3. load tables in their old form
    4. migrate and commit  5. verify the whole log  6. rename
    """
    from alcaide.kernel.instance import import_tables

    data = data.absolute()
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise Conflict(f"`{data}` is not an empty folder; move it away or give another with --data")
    import_tables(manifests)
    with open_archive(path) as archive:
        manifest = _checked(archive, migrate=migrate)  # 1
        data.parent.mkdir(parents=True, exist_ok=True)
        room = shutil.disk_usage(data.parent).free
        if archive.total_size() > room:
            raise Conflict(
                f"the backup unpacks to {archive.total_size()} bytes and {room} are free; free some space"
            )
        beside = data.with_name(f".{data.name}.{new_id()}.restoring")
        try:
            with disk_errors(f"the data folder `{data}`"):
                _put_files(archive, beside)  # 2
            if database_url is not None:
                _set_database(beside / CONFIG_FILE, database_url)
            config = load_config(beside, environ)
            report = _fill(archive, manifest, config, data, migrate=migrate, progress=progress)  # 3, 4, 5, 6
        finally:
            if beside.exists():
                shutil.rmtree(beside, ignore_errors=True)
    return report


def _checked(archive: Archive, *, migrate: bool) -> dict[str, Any]:
    """The manifest, held to its shape and to what this version can read."""
    manifest = archive.manifest
    if manifest.get("format") != FORMAT or type(manifest.get("version")) is not int:
        raise InvalidInput("this archive is not a backup of Alcaide; give a file made by `alcaide backup`")
    if manifest["version"] > VERSION:
        raise ConfigError(
            "this backup was made by a newer Alcaide; install that version or a newer one to restore it"
        )
    texts = ("created_at", "origin", "checkpoint")
    if (
        any(not isinstance(manifest.get(name), str) for name in texts)
        or type(manifest.get("log_size")) is not int
    ):
        raise InvalidInput("the backup's manifest lacks its time, origin or checkpoint; use another backup")
    parse_rfc3339(manifest["created_at"])
    tables = rows.check_description(manifest.get("tables"))
    named = [table["member"] for table in tables]
    others = [name for name in archive.members if not name.startswith("data/")]
    if sorted(named) != sorted(others):
        raise InvalidInput("the backup's manifest does not account for every member; use another backup")
    if migrate:
        revision = manifest.get("revision")
        if not isinstance(revision, str) or not re.fullmatch(r"[0-9]{4,8}", revision):
            raise InvalidInput("the backup's manifest lacks the revision of its database; use another backup")
        if revision > head_revision():
            raise ConfigError(
                f"this backup is of revision {revision}, this version knows {head_revision()} at most; "
                "install a newer Alcaide to restore it"
            )
    return manifest


def _put_files(archive: Archive, folder: Path) -> None:
    """Unpack the data folder, private to its owner, every file on the disk before the folder is renamed."""
    folder.mkdir(mode=0o700)
    folders = {folder}
    for member in archive.members:
        if not member.startswith("data/"):
            continue
        name = member.removeprefix("data/")
        if not name or name.split("/")[0] in LEFT_OUT:
            raise InvalidInput(f"member `{member}` does not belong into a backup; use another one")
        target = folder / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.add(target.parent)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in archive.read(member):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    for made in folders:
        sync_folder(made)


def _set_database(path: Path, url: str) -> None:
    """Write the database's address into the restored settings, leaving the rest as it was."""
    value = "" if url == "sqlite" else url
    if any(character in value for character in "\r\n'"):
        raise InvalidInput("the database address may hold no quotes or line breaks; check --database")
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    line = f"database_url: '{value}'\n"
    changed, count = re.subn(r"(?m)^database_url[ \t]*:.*(?:\n|\Z)", lambda _: line, text, count=1)
    path.write_text(
        changed if count else text + ("" if text.endswith("\n") or not text else "\n") + line,
        encoding="utf-8",
    )


def _fill(
    archive: Archive,
    manifest: Mapping[str, Any],
    config: Config,
    data: Path,
    *,
    migrate: bool,
    progress: Progress,
) -> RestoreReport:
    own_file = config.database == f"sqlite:///{config.data / DATABASE_FILES[0]}"
    database = open_database(config.database)
    try:
        keys = KeyStore(config.keys_dir, None)
        ledger = Ledger(database, keys, manifest["origin"])
        with unfinished.alone(database):
            with database.transaction() as conn:
                unfinished.prepare(conn)
                if not own_file:
                    unfinished.set_mark(conn, data)
                _to_revision(conn, manifest.get("revision") if migrate else None)
                count = _load_tables(conn, archive, manifest, progress)
                _to_revision(conn, "head" if migrate else None)
            try:
                keyid = _verify(ledger, manifest, progress)
            except BaseException:
                if not own_file:
                    _empty(database)
                raise
            if own_file:
                _settle(database)
            else:
                unfinished.set_verified(database, keyid)
            report = _report(config, data, manifest, count, keyid, migrate=migrate)
            _give_name(config.data, data)
            if not own_file:
                unfinished.clear_mark(database)
    finally:
        database.close()
    progress(1.0, "verified and in place")
    return report


def _report(
    config: Config, data: Path, manifest: Mapping[str, Any], count: int, keyid: str, *, migrate: bool
) -> RestoreReport:
    return RestoreReport(
        data=data,
        made_at=parse_rfc3339(manifest["created_at"]),
        log_size=manifest["log_size"],
        rows=count,
        revision_before=manifest.get("revision"),
        revision_now=head_revision() if migrate else None,
        cannot_sign=_why_it_cannot_sign(config, keyid),
    )


def _give_name(beside: Path, data: Path) -> None:
    with disk_errors(f"the data folder `{data}`"):
        if data.exists():
            data.rmdir()
        beside.rename(data)
        sync_folder(data.parent)


def _to_revision(conn: Connection, revision: str | None) -> None:
    """Bring the database to a revision in the caller's transaction; None makes it from the declarations."""
    if revision is None:
        metadata.create_all(conn)
        return
    from alembic import command
    from alembic.config import Config as AlembicConfig

    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(MIGRATIONS))
    alembic.attributes["connection"] = conn
    try:
        command.upgrade(alembic, revision)
    except AlcaideError:
        raise
    except Exception as problem:  # whatever a migration raises, the restore stops and says so
        cause = str(getattr(problem, "orig", None) or problem).strip().splitlines() or [
            type(problem).__name__
        ]
        raise ConfigError(
            f"the backup could not be migrated: {cause[0][:300]}; nothing was restored"
        ) from problem


def _load_tables(conn: Connection, archive: Archive, manifest: Mapping[str, Any], progress: Progress) -> int:
    """Fill every table. What a migration put into an empty table gives way to what the backup holds."""
    tables = manifest["tables"]
    present = set(sa.inspect(conn).get_table_names())
    if unknown := [t["name"] for t in tables if t["name"] not in present or t["name"] == "alembic_version"]:
        raise InvalidInput(
            f"the backup has a table `{unknown[0]}` that its revision does not know; use another backup"
        )
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    total, done = max(1, sum(table["rows"] for table in tables)), 0
    for table in reversed(tables):
        conn.execute(sa.delete(sa.table(table["name"])))
    for table in tables:
        progress(done / total / 2, f"table {table['name']}")
        try:
            done += rows.load(conn, archive, table)
        except sa.exc.DBAPIError as problem:
            cause = str(problem.orig).strip().splitlines()[0][:200]
            raise Corrupt(
                f"table `{table['name']}` cannot be restored: {cause}; nothing was restored"
            ) from None
    if conn.dialect.name == "postgresql":
        _advance_sequences(conn, tables)
    return done


def _advance_sequences(conn: Connection, tables: Sequence[Mapping[str, Any]]) -> None:
    """PostgreSQL numbers rows from sequences of its own, which inserting numbers does not move."""
    for table in tables:
        for column in table["columns"]:
            if column["kind"] != "integer":
                continue
            values = {"t": f'"{table["name"]}"', "c": column["name"]}
            sequence = conn.execute(sa.text("SELECT pg_get_serial_sequence(:t, :c)"), values).scalar()
            if sequence is None:
                continue
            number: sa.ColumnElement[int] = sa.func.max(sa.column(column["name"], sa.BigInteger()))
            top = conn.execute(sa.select(number).select_from(sa.table(table["name"]))).scalar()
            if top is not None:
                conn.execute(sa.text("SELECT setval(CAST(:s AS regclass), :v)"), {"s": sequence, "v": top})


def _verify(ledger: Ledger, manifest: Mapping[str, Any], progress: Progress) -> str:
    """The whole log, and that its checkpoint is the manifest's; returns the key in force."""
    from alcaide.kernel.ledger.verify import verify_log

    with ledger.database.read() as conn:
        checkpoint = ledger.checkpoint(conn)
    if checkpoint.text != manifest["checkpoint"] or checkpoint.size != manifest["log_size"]:
        raise Corrupt("the restored log does not end at the manifest's checkpoint; the backup was altered")
    report = verify_log(
        ledger, lambda done, of, what: progress(0.5 + done / max(1, of) / 2, f"verifying {what}")
    )
    if not report.intact:
        raise Corrupt(
            f"the backup's log does not verify: {report.reason}; nothing was restored, use another backup"
        )
    return checkpoint.keyid


def _empty(database: Database) -> None:
    """Take back what was put into a database that lies outside the folder; it was empty before."""
    found = sa.MetaData()
    with database.transaction() as conn:
        found.reflect(conn)
        found.drop_all(conn)


def _settle(database: Database) -> None:
    """Fold the write-ahead log into the file, so that the folder moves as one."""
    with database.engine.connect() as conn:
        driver = conn.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _why_it_cannot_sign(config: Config, keyid: str) -> str | None:
    try:
        KeyStore(config.keys_dir, config.secret()).signer(keyid)
    except AlcaideError as problem:
        return str(problem)
    return None
