"""A backup is the instance at one moment; what is restored from it verifies from the first leaf."""

from __future__ import annotations

import json
import resource
import signal

import pytest
import sqlalchemy as sa
from tests.unit.backup.archives import rewrite

from alcaide.kernel.backup import create_backup, restore_backup
from alcaide.kernel.backup import restore as restoring
from alcaide.kernel.backup.create import data_files
from alcaide.kernel.config import Config
from alcaide.kernel.db import metadata, migrate
from alcaide.kernel.errors import ConfigError, Conflict, Corrupt, InvalidInput, Unavailable
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.ids import new_id
from alcaide.kernel.instance import open_instance
from alcaide.kernel.jobs import store
from alcaide.kernel.ledger.verify import verify_log


def say(instance, n=5):
    """Append statements, each with a job beside it."""
    for i in range(n):

        def work(tx, i=i):
            subject = Subject.described(f"system:s{i}", {"name": f"s{i}"})
            tx.append(Statement((subject,), "urn:alcaide:test:v1", {"at": "2026-06-01T12:00:00Z", "n": i}))
            tx.enqueue("count", {"n": i, "text": 'Zoë → \u2028 "quoted"\n'})

        instance.write(work)


def contents(database):
    with database.read() as conn:
        return {
            table.name: [
                tuple(row) for row in conn.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }


def restored_config(instance, target, url=""):
    return Config(data=target, database_url=url, origin=instance.config.origin)


def restore(instance, path, target, **more):
    more.setdefault("environ", {})
    return restore_backup(path, target, manifests=instance.manifests, migrate=False, **more)


@pytest.fixture
def backup(instance, tmp_path):
    say(instance)
    path = tmp_path / "alcaide.backup"
    create_backup(instance, path)
    return path


@pytest.mark.both_databases
def test_every_row_and_file_comes_back_and_the_log_goes_on(instance, backup, tmp_path, clock):
    target = tmp_path / "restored"

    report = restore(instance, backup, target)

    again = open_instance(
        restored_config(instance, target), manifests=instance.manifests, clock=clock, migrate=False
    )
    try:
        assert contents(again.db) == contents(instance.db)
        assert list(data_files(target)) == list(data_files(instance.config.data))
        assert report.cannot_sign is None
        say(again, 1)
        assert verify_log(again.ledger, processes=1).size == report.log_size + 1
    finally:
        again.close()


@pytest.mark.both_databases
def test_a_backup_of_either_database_restores_into_the_other(
    instance, backup, tmp_path, postgresql_url, clock
):
    target = tmp_path / "restored"

    url = postgresql_url if instance.db.is_sqlite else ""

    restore(instance, backup, target, database_url=url or "sqlite")

    assert f"database_url: '{url}'" in (target / "config.yaml").read_text()
    config = restored_config(instance, target, url)
    again = open_instance(config, manifests=instance.manifests, clock=clock, migrate=False)
    try:
        assert contents(again.db) == contents(instance.db)
        say(again, 1)
        assert verify_log(again.ledger, processes=1).intact
    finally:
        again.close()


@pytest.mark.both_databases
def test_a_backup_is_one_moment_even_while_others_write(instance, tmp_path):
    say(instance, 3)
    path = tmp_path / "x.backup"
    said = []

    def write_meanwhile(fraction, note):
        if not said:
            said.append(note)
            say(instance, 3)

    report = create_backup(instance, path, progress=write_meanwhile)

    assert restore(instance, path, tmp_path / "restored").log_size == report.log_size
    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).size == report.log_size + 3


def test_a_backup_is_private_to_its_owner(backup):
    assert backup.stat().st_mode & 0o777 == 0o600


def test_the_secret_file_can_be_kept_apart_and_the_report_says_what_that_means(instance, tmp_path):
    path = tmp_path / "x.backup"

    report = create_backup(instance, path, with_secret=False)
    restored = restore(instance, path, tmp_path / "restored")

    assert not report.holds_secret
    assert not (tmp_path / "restored" / "keys" / "secret").exists()
    assert "secret file" in restored.cannot_sign


def test_links_hidden_files_logs_and_earlier_backups_stay_out(instance, tmp_path):
    data = instance.config.data
    (data / "policies").mkdir()
    (data / "policies" / "more rules é.cedar").write_text("permit;")
    (data / "logs").mkdir()
    (data / "logs" / "web.log").write_text("x")
    (data / "backups").mkdir()
    (data / "backups" / "old.backup").write_text("x")
    (data / ".hidden").write_text("x")
    (data / "keys" / "cookies.key").write_text("x")
    (data / "link").symlink_to("/etc/hostname")

    names = list(data_files(data))

    assert "policies/more rules é.cedar" in names
    assert not [
        name for name in names if "log" in name or "backup" in name or "hidden" in name or name == "link"
    ]


def test_a_folder_or_file_that_is_in_use_is_refused(instance, backup, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").write_text("x")

    with pytest.raises(Conflict, match="not an empty folder"):
        restore(instance, backup, tmp_path / "full")
    with pytest.raises(Conflict, match="exists already"):
        create_backup(instance, backup)
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name or "partial" in p.name] == []


def test_a_database_that_holds_tables_is_refused(instance, backup, tmp_path):
    with pytest.raises(Conflict, match="holds tables already"):
        restore(instance, backup, tmp_path / "restored", database_url=str(instance.db.engine.url))

    assert not (tmp_path / "restored").exists()
    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).size == 6


def test_an_empty_target_folder_is_used(instance, backup, tmp_path):
    (tmp_path / "empty").mkdir()

    restore(instance, backup, tmp_path / "empty")

    assert (tmp_path / "empty" / "keys").is_dir()


def test_an_interrupted_restore_leaves_nothing_that_a_start_would_believe(instance, backup, tmp_path):
    notes = []
    restore(instance, backup, tmp_path / "whole", progress=lambda fraction, note: notes.append(note))
    assert any("verifying" in note for note in notes)

    for stop_at in range(len(notes) - 1):
        said = []

        def interrupt(fraction, note, said=said, stop_at=stop_at):
            said.append(note)
            if len(said) > stop_at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            restore(instance, backup, tmp_path / "restored", progress=interrupt)
        assert not (tmp_path / "restored").exists()


def test_a_restore_that_fails_takes_back_what_it_put_into_another_database(
    instance, backup, tmp_path, postgresql_server
):
    import psycopg

    def swap(content):
        return content.replace(b"urn:alcaide:test:v1", b"urn:alcaide:best:v1")

    altered = rewrite(backup, tmp_path / "altered.backup", {"tables/ledger__leaf.jsonl": swap}, rehash=True)
    name = f"r{new_id()}"
    with psycopg.connect(postgresql_server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    base, _, query = postgresql_server.partition("?")
    url = f"{base.rpartition('/')[0]}/{name}?{query}"
    try:
        with pytest.raises(Corrupt):
            restore(instance, altered, tmp_path / "restored", database_url=url)

        restore(instance, backup, tmp_path / "restored", database_url=url)
    finally:
        with psycopg.connect(postgresql_server, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)")


# ── Older versions ────────────────────────────────────────────────────────────────────────────────────

FIRST = """
from alembic import op
from alcaide.kernel.db import metadata

revision, down_revision = "0001", None

def upgrade():
    metadata.create_all(op.get_bind())
    with op.batch_alter_table("jobs__job") as table:
        table.drop_column("note")
"""
SECOND = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

def upgrade():
    with op.batch_alter_table("jobs__job") as table:
        table.add_column(sa.Column("note", sa.String(300), nullable=False, server_default="from before"))
"""


@pytest.fixture
def history(tmp_path, monkeypatch):
    """A history of two revisions; the first had jobs without notes."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((migrate.MIGRATIONS / "env.py").read_text())
    (folder / "script.py.mako").write_text("")
    (folder / "versions" / "0001_first.py").write_text(FIRST)
    (folder / "versions" / "0002_notes.py").write_text(SECOND)
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    monkeypatch.setattr(restoring, "MIGRATIONS", folder)


def older(manifest):
    manifest["revision"] = "0001"
    for table in manifest["tables"]:
        if table["name"] == "jobs__job":
            table["columns"] = [c for c in table["columns"] if c["name"] != "note"]


def without_note(content):
    place = [c.name for c in metadata.tables["jobs__job"].columns].index("note")
    rows = [json.loads(line) for line in content.splitlines()]
    return b"".join(json.dumps(row[:place] + row[place + 1 :]).encode() + b"\n" for row in rows)


@pytest.mark.both_databases
def test_a_backup_of_an_older_version_is_restored_in_its_form_and_migrated(
    instance, backup, tmp_path, history
):
    old = rewrite(
        backup, tmp_path / "old.backup", {"tables/jobs__job.jsonl": without_note}, rehash=True, manifest=older
    )
    target = tmp_path / "restored"

    report = restore_backup(old, target, manifests=instance.manifests, environ={})

    assert (report.revision_before, report.revision_now) == ("0001", "0002")
    again = open_instance(restored_config(instance, target), manifests=instance.manifests)
    try:
        with again.read() as conn:
            jobs = store.page(conn)
        assert [job.note for job in jobs] == ["from before"] * 5
        say(again, 1)
    finally:
        again.close()


def test_a_backup_of_a_newer_version_says_what_to_install(instance, backup, tmp_path, history):
    newer = rewrite(backup, tmp_path / "newer.backup", {}, manifest=lambda m: m.update(revision="0003"))

    with pytest.raises(ConfigError, match="install a newer Alcaide"):
        restore_backup(newer, tmp_path / "restored", manifests=instance.manifests, environ={})


# ── Altered and damaged ───────────────────────────────────────────────────────────────────────────────


def refused(instance, path, tmp_path, error=Corrupt, match=None):
    with pytest.raises(error, match=match):
        restore(instance, path, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
    assert [p.name for p in tmp_path.iterdir() if "restoring" in p.name] == []


def test_a_flipped_byte_in_any_member_is_noticed(instance, backup, tmp_path):
    for name in ("tables/ledger__leaf.jsonl", "tables/jobs__job.jsonl", "data/keys/origin"):
        altered = rewrite(backup, tmp_path / "altered.backup", {name: lambda b: bytes([b[0] ^ 1]) + b[1:]})
        refused(instance, altered, tmp_path, match="not what the manifest says")


@pytest.mark.both_databases
def test_an_altered_leaf_with_an_honest_looking_manifest_is_noticed(instance, backup, tmp_path):
    def swap(content):
        lines = content.split(b"\n")
        lines[2] = lines[2].replace(b"urn:alcaide:test:v1", b"urn:alcaide:best:v1")
        return b"\n".join(lines)

    altered = rewrite(backup, tmp_path / "altered.backup", {"tables/ledger__leaf.jsonl": swap}, rehash=True)

    refused(instance, altered, tmp_path, match="leaf 2")


def test_a_log_cut_short_is_noticed_by_its_own_signed_checkpoint(instance, backup, tmp_path):
    def cut(content):
        return b"\n".join(content.split(b"\n")[:-2]) + b"\n"

    def fewer(manifest):
        for table in manifest["tables"]:
            if table["name"] == "ledger__leaf":
                table["rows"] -= 1

    altered = rewrite(
        backup, tmp_path / "altered.backup", {"tables/ledger__leaf.jsonl": cut}, rehash=True, manifest=fewer
    )

    refused(instance, altered, tmp_path, match="leaf 5 is missing")


def test_a_backup_that_quotes_another_checkpoint_is_refused(instance, backup, tmp_path):
    altered = rewrite(
        backup, tmp_path / "altered.backup", {}, manifest=lambda m: m.update(log_size=m["log_size"] + 1)
    )

    refused(instance, altered, tmp_path, match="manifest's checkpoint")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [b"[1,2,3]", *lines[1:]],
        lambda lines: [b"{}", *lines[1:]],
        lambda lines: [b"[" * 100_000, *lines[1:]],
        lambda lines: [b"nonsense", *lines[1:]],
        lambda lines: [lines[0].replace(b'"', b"7", 2), *lines[1:]],
        lambda lines: [lines[0], lines[0], *lines[2:]],
        lambda lines: lines[1:],
    ],
    ids=["too-short", "object", "deep", "no-json", "wrong-type", "same-key-twice", "fewer-rows"],
)
def test_rows_that_are_not_rows_are_refused(instance, backup, tmp_path, change):
    def alter(content):
        return b"\n".join(change(content.split(b"\n")))

    altered = rewrite(backup, tmp_path / "altered.backup", {"tables/jobs__job.jsonl": alter}, rehash=True)

    refused(instance, altered, tmp_path)


def test_a_backup_of_a_newer_format_says_what_to_install(instance, backup, tmp_path):
    newer = rewrite(backup, tmp_path / "newer.backup", {}, manifest=lambda m: m.update(version=99))

    with pytest.raises(Exception, match="newer Alcaide"):
        restore(instance, newer, tmp_path / "restored")


def test_a_table_its_revision_does_not_know_is_refused(instance, backup, tmp_path):
    def rename(manifest):
        manifest["tables"][0]["name"] = "alcaide__invented"

    altered = rewrite(backup, tmp_path / "altered.backup", {}, manifest=rename)

    refused(instance, altered, tmp_path, error=InvalidInput, match="alcaide__invented")


# ── Full disk ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_leaves_no_half_backup_and_says_so(instance, tmp_path, monkeypatch):
    """RLIMIT_FSIZE stands in for a full disk: the write fails in the middle of a member."""
    say(instance, 3)
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    monkeypatch.setattr("alcaide.kernel.backup.archive.CHUNK", 1024)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(Unavailable, match="could not be written"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
            create_backup(instance, tmp_path / "x.backup")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
        signal.signal(signal.SIGXFSZ, old)

    assert [p.name for p in tmp_path.iterdir()] == ["data"]
