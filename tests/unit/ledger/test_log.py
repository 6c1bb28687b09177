"""The log keeps what it acknowledged, numbers without gaps, and proves what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from alcaide.kernel.clock import parse_rfc3339
from alcaide.kernel.config import Config
from alcaide.kernel.db import open_database
from alcaide.kernel.errors import Conflict, Corrupt, InvalidInput
from alcaide.kernel.evidence import Envelope, Signature, Statement
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger import merkle, subject_index, tables
from alcaide.kernel.ledger.index_reader import IndexReader
from alcaide.kernel.ledger.keys import KeyStore
from alcaide.kernel.ledger.log import Ledger, Tx
from alcaide.kernel.ledger.reader import TileCache, first_since
from alcaide.kernel.ledger.verify import verify_log
from tests.builders import a_statement, a_subject

pytestmark = pytest.mark.both_databases


def say(instance: Instance, name: str = "model:a@1", count: int = 1) -> int:
    """Append `count` statements about one subject; returns the last index."""
    return instance.write(lambda tx: [tx.append(a_statement(name, n=n)) for n in range(count)][-1])


def test_first_leaf_says_which_key_signs(instance: Instance) -> None:
    with instance.read() as conn:
        statement = instance.ledger.leaf(conn, 0).statement()

    assert statement.predicate["event"] == "created"
    assert statement.predicate["keyid"] in instance.keys.public_keys()


def test_failed_work_leaves_nothing_and_others_are_untouched(instance: Instance) -> None:
    def fails(tx: Tx) -> None:
        tx.append(a_statement("model:lost@1"))
        raise ValueError("no")

    before = say(instance)
    with pytest.raises(ValueError, match="no"):
        instance.write(fails)
    after = say(instance)

    assert after == before + 1
    with instance.read() as conn:
        assert instance.view(conn, ["name:model:lost@1"]).records == ()


def test_concurrent_writers_get_numbers_without_gaps(instance: Instance) -> None:
    indices: list[int] = []
    failures = 0
    lock = threading.Lock()

    def writer(who: int) -> None:
        nonlocal failures
        for turn in range(8):
            try:
                index = instance.write(work(who, turn))
                with lock:
                    indices.append(index)
            except ValueError:
                with lock:
                    failures += 1

    def work(who: int, turn: int) -> Callable[[Tx], int]:
        def run(tx: Tx) -> int:
            index = tx.append(a_statement(f"model:m{who}@1", turn=turn))
            if turn % 4 == 3:
                raise ValueError("undone")
            return index

        return run

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == 24
    assert sorted(indices) == list(range(1, 1 + 12 * 6))
    assert verify_log(instance.ledger, processes=1).intact


def test_two_processes_share_one_log(instance: Instance, config: Config) -> None:
    other = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)
    indices = []
    for turn in range(6):
        ledger = instance.ledger if turn % 2 else other
        indices.append(
            ledger.write(lambda tx, turn=turn: tx.append(a_statement(f"model:{turn % 3}@1", n=turn)))
        )  # type: ignore[misc]
    other.close()
    other.database.close()

    assert indices == [1, 2, 3, 4, 5, 6]
    assert verify_log(instance.ledger, processes=1).intact


def test_work_prepared_for_a_head_that_moved_runs_again(instance: Instance, config: Config) -> None:
    other = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)
    say(instance)
    other.write(lambda tx: tx.append(a_statement("model:b@1")))
    seen: list[int] = []

    def work(tx: Tx) -> int:
        seen.append(tx.size)
        return tx.append(a_statement("model:c@1"))

    index = instance.write(work)
    other.close()
    other.database.close()

    assert (index, seen) == (3, [2, 3])
    assert verify_log(instance.ledger, processes=1).intact


def test_work_that_read_under_a_head_that_moved_runs_again_before_it_reads(
    instance: Instance, config: Config
) -> None:
    other = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)
    say(instance)
    other.write(lambda tx: tx.append(a_statement("model:b@1")))
    count = sa.select(sa.func.count()).select_from(tables.leaf)
    seen: list[int] = []

    def work(tx: Tx) -> None:
        seen.append(tx.conn.execute(count).scalar_one())
        tx.append(a_statement("model:c@1"))

    instance.write(work)
    other.close()
    other.database.close()

    assert seen == [3]


def test_views_follow_the_log_through_commits_of_every_size(instance: Instance, config: Config) -> None:
    reader = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)
    told = 0
    for count in (1, 1, 300, 2, 260, 1):  # some store the index's nodes, some leave a step
        say(instance, "model:a@1", count)
        say(instance, f"model:{count}@1")
        told += count
        for ledger in (reader, instance.ledger):
            with ledger.database.read() as conn:
                view = ledger.view(conn, ["name:model:a@1", f"name:model:{count}@1", "name:model:none@1"])
            assert view.why_incomplete is None
            assert len([r for r in view.records if r.statement.subjects[0].name == "model:a@1"]) == told
    reader.close()
    reader.database.close()


def test_the_first_leaf_since_a_moment(instance: Instance, clock: object) -> None:
    early = say(instance)
    later = clock.advance(hours=1)  # type: ignore[attr-defined]
    index = say(instance)

    with instance.read() as conn:
        assert first_since(conn, later, index + 1) == index
        assert first_since(conn, later - timedelta(hours=2), index + 1) == 0
        assert first_since(conn, later + timedelta(seconds=1), index + 1) == index + 1
    assert early == index - 1


def test_time_never_runs_backwards(instance: Instance, clock: object) -> None:
    first = instance.write(lambda tx: tx.now)
    clock.advance(hours=-3)  # type: ignore[attr-defined]

    say(instance)
    second = instance.write(lambda tx: tx.now)

    assert second >= first - timedelta(0)


def test_a_statement_without_a_time_is_refused(instance: Instance) -> None:
    with pytest.raises(InvalidInput, match="needs `at`"):
        instance.write(lambda tx: tx.append(Statement((a_subject(),), "urn:x", {})))


def test_work_may_not_open_work(instance: Instance) -> None:
    with pytest.raises(RuntimeError, match="may not open another"):
        instance.write(lambda _tx: instance.write(lambda tx: tx.append(a_statement())))


def test_proofs_hold_for_every_leaf_and_every_older_tree(instance: Instance) -> None:
    say(instance, count=300)
    say(instance, count=290)

    with instance.read() as conn:
        ledger, top = instance.ledger, instance.ledger.checkpoint(conn)
        for index in (0, 1, 255, 256, 300, 511, 512, top.size - 1):
            leaf = ledger.leaf(conn, index).leaf_hash
            proof = ledger.inclusion_proof(conn, index)
            assert merkle.verify_inclusion(leaf, index, top.size, proof, top.root)
            assert not merkle.verify_inclusion(leaf, index + 1, top.size, proof, top.root)
        for old in (1, 2, 255, 256, 257, 511, 512, 513, top.size):
            proof = ledger.consistency_proof(conn, old)
            root = ledger.root_at(conn, old)
            assert merkle.verify_consistency(old, top.size, root, top.root, proof)
            assert old == top.size or not merkle.verify_consistency(old, top.size, top.root, root, proof)


def test_a_view_is_complete_and_absence_is_proven(instance: Instance) -> None:
    say(instance, "model:a@1", 3)
    say(instance, "model:b@1")

    with instance.read() as conn:
        view = instance.view(conn, ["name:model:a@1", "name:model:nobody@1"])
        proof = instance.ledger.key_proof(conn, "name:model:nobody@1")
        root = instance.ledger.checkpoint(conn).checkpoint.index_root

    assert view.complete
    assert [r.predicate["n"] for r in view.records] == [0, 1, 2]
    assert root is not None
    assert subject_index.verify_key("name:model:nobody@1", proof, root) is None


def foreign(statement: Statement) -> bytes:
    return Envelope(
        statement.to_bytes(), "application/vnd.in-toto+json", (Signature("theirs", b"x" * 64),)
    ).to_bytes()


def test_foreign_evidence_counts_only_with_its_import(instance: Instance) -> None:
    told = a_statement("model:a@1", "https://slsa.dev/provenance/v1")

    def with_import(tx: Tx) -> None:
        leaf = tx.append_foreign(foreign(told), told)
        tx.append(a_statement("model:a@1", "urn:alcaide:imported:v1", at=tx.now, leaf=leaf))

    instance.write(with_import)
    with instance.read() as conn:
        view = instance.view(conn, ["name:model:a@1"], ["https://slsa.dev/provenance/v1"])
    assert view.complete
    assert view.records[0].foreign

    instance.write(lambda tx: tx.append_foreign(foreign(told), told))
    with instance.read() as conn:
        assert not instance.view(conn, ["name:model:a@1"]).complete
    assert verify_log(instance.ledger, processes=1).intact


def test_own_envelopes_cannot_be_replayed_as_foreign(instance: Instance) -> None:
    index = say(instance)
    with instance.read() as conn:
        leaf = instance.ledger.leaf(conn, index)

    with pytest.raises(Conflict, match="in the log already"):
        instance.write(lambda tx: tx.append_foreign(leaf.envelope, leaf.statement()))


def test_rotation_keeps_old_statements_verifiable_and_reaches_other_processes(
    instance: Instance, config: Config
) -> None:
    other = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)
    other.write(lambda tx: tx.append(a_statement(n=1)))

    new = instance.ledger.rotate_key(by={"kind": "user", "id": "u", "name": "u"}, reason="yearly")
    other.write(lambda tx: tx.append(a_statement(n=2)))
    other.close()
    other.database.close()

    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn).keyid == new
        view = instance.view(conn, ["name:model:fraud-scorer@1"])
    assert [r.signed_by == new for r in view.records] == [False, True]
    assert verify_log(instance.ledger, processes=1).intact


def test_verification_with_several_processes_agrees(instance: Instance) -> None:
    say(instance, count=400)

    told: list[tuple[int, int, str]] = []
    report = verify_log(instance.ledger, lambda *step: told.append(step), processes=2)

    assert report.intact
    assert report.size == 401
    assert (401, 401, "leaves") in told
    assert told[-1] == (64, 64, "index")


NEWEST = "idx = 300 AND key_hash = (SELECT key_hash FROM ledger__subject WHERE key = 'name:model:a@1')"
TAMPERING = {
    "a byte of an envelope": "UPDATE ledger__leaf SET envelope = :blob WHERE idx = 5",
    "a leaf hash": "UPDATE ledger__leaf SET leaf_hash = :hash WHERE idx = 5",
    "a leaf's kind": "UPDATE ledger__leaf SET predicate_type = 'urn:other' WHERE idx = 5",
    "a leaf taken out": "DELETE FROM ledger__leaf WHERE idx = 5",
    "the newest leaf taken out": "DELETE FROM ledger__leaf WHERE idx = 300",
    "an index entry taken out": "DELETE FROM ledger__entry WHERE idx = 5",
    "an index entry moved": "UPDATE ledger__entry SET key_hash = :hash WHERE idx = 5 AND key_hash = "
    "(SELECT key_hash FROM ledger__subject WHERE key = 'name:model:a@1')",
    "a subject's count": f"UPDATE ledger__entry SET count = count + 1 WHERE {NEWEST}",
    "a subject's hash": f"UPDATE ledger__entry SET acc = :hash WHERE {NEWEST}",
    "an older count of a subject's, nobody": "UPDATE ledger__entry SET count = count + 1 WHERE idx = 5",
    "a subject taken out": "DELETE FROM ledger__entry WHERE key_hash = "
    "(SELECT key_hash FROM ledger__subject WHERE key = 'name:model:a@1')",
    "a subject nobody speaks about": "INSERT INTO ledger__entry (key_hash, idx, count, acc) "
    "VALUES (:hash, 5, 1, :hash)",
    "an index step": "UPDATE ledger__leaf SET index_step = :hash WHERE idx = 300",
    "an index node": "UPDATE ledger__node SET children = :node",
    "a tile": "UPDATE ledger__tile SET hashes = :tile WHERE level = 0",
    "an upper tile": "UPDATE ledger__tile SET hashes = :hash WHERE level = 1",
    "the frontier": "UPDATE ledger__head SET frontier = :hash",
}


@pytest.mark.parametrize("what", TAMPERING)
def test_verification_notices(what: str, instance: Instance) -> None:
    say(instance, "model:a@1", 299)
    say(instance, "model:a@1")
    blob = instance.write(lambda tx: tx.conn.execute(sa.select(tables.leaf.c.envelope).limit(1)).scalar_one())
    values = {
        "blob": bytes(blob).replace(b"a", b"b", 1),
        "hash": b"\x07" * 32,
        "node": b"\x07" * 2048,
        "tile": b"\x07" * 8192,
    }
    statement = sa.text(TAMPERING[what])
    with instance.db.transaction() as conn:
        conn.execute(statement, {k: v for k, v in values.items() if f":{k}" in TAMPERING[what]})

    report = verify_log(instance.ledger, processes=1)

    assert not report.intact
    assert report.reason
    if "idx = 5" in TAMPERING[what] and "entry" not in what and "count" not in what:
        assert report.first_bad == 5


@pytest.mark.parametrize(
    "what", [w for w in TAMPERING if not {"tile", "newest", "kind", "nobody"} & set(w.split())]
)
def test_a_view_never_speaks_over_tampering(what: str, instance: Instance) -> None:
    say(instance, "model:a@1", 299)
    say(instance, "model:a@1")
    values = {"blob": b"{}", "hash": b"\x07" * 32, "node": b"\x07" * 2048}
    with instance.db.transaction() as conn:
        conn.execute(
            sa.text(TAMPERING[what]), {k: v for k, v in values.items() if f":{k}" in TAMPERING[what]}
        )
    instance.ledger._verified = None  # as a process that starts now
    instance.ledger._index = IndexReader()

    with instance.read() as conn:
        view = instance.view(conn, ["name:model:a@1"])

    assert not view.complete
    assert view.records == ()


@pytest.mark.parametrize("at", [8192, 8192 + 511])
def test_a_node_stored_with_a_tile_is_verified_and_gives_no_proof_that_holds(
    at: int, instance: Instance
) -> None:
    say(instance, "model:a@1", 299)
    with instance.db.transaction() as conn:
        stored = bytearray(
            conn.execute(sa.select(tables.tile.c.hashes).where(tables.tile.c.level == 0)).scalar_one()
        )
        assert len(stored) == 8192 + 512
        stored[at] ^= 1
        conn.execute(tables.tile.update().where(tables.tile.c.level == 0).values(hashes=bytes(stored)))

    report = verify_log(instance.ledger, processes=1)

    assert not report.intact
    assert "tile 0/0 has nodes" in report.reason


def test_tiles_of_an_older_form_verify_and_prove_the_same(instance: Instance) -> None:
    say(instance, "model:a@1", 599)
    with instance.read() as conn:
        size = instance.ledger.checkpoint(conn).size
        proofs = [instance.ledger.inclusion_proof(conn, index, size) for index in (0, 37, 255, 256, 511, 599)]
        served = instance.ledger.tile(conn, 0, 1)
    with instance.db.transaction() as conn:
        for row in conn.execute(sa.select(tables.tile)).all():
            conn.execute(
                tables.tile.update()
                .where(tables.tile.c.level == row.level, tables.tile.c.idx == row.idx)
                .values(hashes=bytes(row.hashes)[:8192])
            )
    instance.ledger._tiles = TileCache()

    assert verify_log(instance.ledger, processes=1).intact
    with instance.read() as conn:
        again = [instance.ledger.inclusion_proof(conn, index, size) for index in (0, 37, 255, 256, 511, 599)]
        assert instance.ledger.tile(conn, 0, 1) == served
    assert again == proofs
    assert len(served) == 8192


def test_a_leaf_and_its_hash_replaced_together_are_noticed(instance: Instance) -> None:
    say(instance, "model:a@1", 10)
    with instance.db.transaction() as conn:
        other = bytes(
            conn.execute(sa.select(tables.leaf.c.envelope).where(tables.leaf.c.idx == 3)).scalar_one()
        )
        conn.execute(
            tables.leaf.update()
            .where(tables.leaf.c.idx == 7)
            .values(envelope=other, leaf_hash=merkle.leaf_hash(other))
        )

    report = verify_log(instance.ledger, processes=1)

    assert not report.intact


def test_the_writer_will_not_vouch_for_an_altered_index(instance: Instance, config: Config) -> None:
    say(instance, "model:a@1")
    with instance.db.transaction() as conn:
        conn.execute(sa.text("UPDATE ledger__entry SET count = count + 1"))
    fresh = Ledger(open_database(config.database), KeyStore(config.keys_dir), instance.ledger.origin)

    with pytest.raises(Corrupt, match="altered"):
        fresh.write(lambda tx: tx.append(a_statement("model:a@1")))
    fresh.close()
    fresh.database.close()


def test_a_checkpoint_signed_by_somebody_else_is_not_believed(instance: Instance, tmp_path: object) -> None:
    say(instance)
    with instance.db.transaction() as conn:
        text = conn.execute(sa.select(tables.head.c.checkpoint)).scalar_one()
        conn.execute(tables.head.update().values(checkpoint=text.replace("\n2\n", "\n1\n")))
    instance.ledger._verified = None

    with instance.read() as conn, pytest.raises(Corrupt):
        instance.ledger.checkpoint(conn)
    assert not verify_log(instance.ledger, processes=1).intact


def test_recorded_time_is_the_signed_one(instance: Instance) -> None:
    index = say(instance)
    with instance.read() as conn:
        leaf = instance.ledger.leaf(conn, index)
        view = instance.view(conn, ["name:model:a@1"])

    assert view.records[0].recorded_at == parse_rfc3339(leaf.statement().predicate["at"])
