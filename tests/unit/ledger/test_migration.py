"""A database in its first form becomes one in the present form, with the same log and the same promises."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from alcaide.kernel.config import Config
from alcaide.kernel.db import Database, open_database
from alcaide.kernel.db.migrate import upgrade
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.ledger import subject_index, tables
from alcaide.kernel.ledger.reader import read_leaves
from alcaide.kernel.ledger.subject_index import Entry
from alcaide.kernel.ledger.verify import verify_log
from tests.builders import a_statement
from tests.conftest import Clock, installed

pytestmark = pytest.mark.both_databases


def in_its_first_form(source: Instance, target: Database) -> None:
    """Write the source's log as revisions before 0003 kept it."""
    upgrade(target, "0002")
    with source.read() as conn, target.transaction() as into:
        copied = {
            "ledger__head": sa.select(*(c for c in tables.head.c if c.name != "nodes_size")),
            "ledger__leaf": sa.select(*(c for c in tables.leaf.c if c.name != "index_step")),
            "ledger__tile": sa.select(tables.tile),
            "ledger__entry": sa.select(tables.entry.c.key_hash, tables.entry.c.idx),
        }
        for name, rows in copied.items():
            insert(into, name, [dict(row) for row in conn.execute(rows).mappings()])
        keys = {
            key: subject_index.key_hash(key)
            for leaf in read_leaves(conn, range(600))
            for key in leaf.statement().keys
        }
        subjects, buckets = [], {}
        for key, hashed in keys.items():
            about = sa.select(tables.entry).where(tables.entry.c.key_hash == hashed)
            newest = conn.execute(about.order_by(tables.entry.c.idx.desc())).mappings().first()
            assert newest is not None
            subjects.append(
                {"key_hash": hashed, "key": key, "count": newest["count"], "acc": newest["acc"]}
                | {"last_idx": newest["idx"]}
            )
            bucket = buckets.setdefault(subject_index.bucket_of(hashed), [])
            bucket.append(Entry(hashed, newest["count"], newest["acc"]))
        insert(into, "ledger__subject", subjects)
        row = {number: subject_index.bucket_hash(entries) for number, entries in buckets.items()}
        for level in (2, 1, 0):
            nodes: dict[int, bytes] = {}
            for position, value in row.items():
                node = nodes.get(position >> 6, subject_index.EMPTY_NODE)
                slot = position & 63
                nodes[position >> 6] = node[: slot * 32] + value + node[slot * 32 + 32 :]
            insert(into, "ledger__node", [node_row(level, p, node) for p, node in nodes.items()])
            row = {position: subject_index.node_hash(node) for position, node in nodes.items()}


def node_row(level: int, position: int, children: bytes) -> dict[str, object]:
    return {"node_id": subject_index.node_id(level, position), "children": children}


def insert(conn: sa.Connection, name: str, rows: list[dict[str, object]]) -> None:
    table = sa.Table(name, sa.MetaData(), autoload_with=conn)
    conn.execute(table.insert(), rows)


@pytest.fixture
def migrated(tmp_path: Path, config: Config, clock: Clock) -> Iterator[Instance]:
    """An instance over a database that was in its first form, with 600 leaves about a few subjects."""
    first = Config(data=tmp_path / "first", origin=config.origin)
    source = open_instance(first, manifests=(), clock=clock, migrate=False)
    source.write(lambda tx: [tx.append(a_statement(f"model:{n % 9}@1", n=n)) for n in range(599)])
    config.data.mkdir()
    database = open_database(config.database)
    in_its_first_form(source, database)
    database.close()
    source.close()
    shutil.copytree(first.keys_dir, config.keys_dir)
    opened = open_instance(config, manifests=installed(), clock=clock)
    yield opened
    opened.close()


def test_the_log_is_the_same_and_goes_on(migrated: Instance) -> None:
    index = migrated.write(lambda tx: tx.append(a_statement("model:4@1", n=-1)))

    report = verify_log(migrated.ledger, processes=1)
    with migrated.read() as conn:
        view = migrated.view(conn, ["name:model:4@1"])

    assert index == 600
    assert (report.intact, report.reason) == (True, "")
    assert view.complete
    assert len(view.records) == 68


def test_names_stay_and_digests_are_found_by_their_hash(migrated: Instance) -> None:
    with migrated.read() as conn:
        names = conn.execute(sa.select(tables.subject.c.key).order_by(tables.subject.c.key)).scalars().all()
        view = migrated.view(
            conn, [key for key in a_statement("model:4@1").keys if key.startswith("sha256:")]
        )

    assert [name for name in names if name.startswith("name:model:")] == [
        f"name:model:{n}@1" for n in range(9)
    ]
    assert all(name.startswith("name:") for name in names)
    assert view.complete
    assert len(view.records) == 67


def test_tables_are_as_declared(migrated: Instance) -> None:
    with migrated.read() as conn:
        found = sa.inspect(conn)
        for table in (tables.head, tables.leaf, tables.entry, tables.subject, tables.node, tables.tile):
            assert [c["name"] for c in found.get_columns(table.name)] == list(table.c.keys())
            assert {i["name"] for i in found.get_indexes(table.name)} == {i.name for i in table.indexes}
            assert found.get_pk_constraint(table.name)["constrained_columns"] == [
                c.name for c in table.primary_key
            ]
