"""The subject index's nodes: however they are stored, they lead to one root."""

from __future__ import annotations

from hashlib import sha256

import pytest

from alcaide.kernel.ledger import subject_index
from alcaide.kernel.ledger.subject_index import Entry, UpperNodes


def some_entries(count: int) -> list[Entry]:
    return [
        Entry(sha256(b"key %d" % n).digest(), n + 1, sha256(b"acc %d" % n).digest()) for n in range(count)
    ]


def by(entries: list[Entry], shift: int) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        found.setdefault(subject_index.bucket_of(entry.key_hash) >> shift, []).append(entry)
    return found


def test_steps_lead_to_the_root_over_all_buckets() -> None:
    entries = some_entries(3_000)
    lowest = by(entries, 6)
    hashes = {p: subject_index.node_hash(subject_index.lowest_node(found)) for p, found in lowest.items()}

    half = len(hashes) // 2
    upper = UpperNodes().after(dict(list(hashes.items())[:half])).after(dict(list(hashes.items())[half:]))

    buckets = {number: subject_index.bucket_hash(found) for number, found in by(entries, 0).items()}
    assert upper.index_root == subject_index.root_from_buckets(buckets)
    assert UpperNodes.of_rows(upper.rows()) == upper
    assert all(upper.lowest_hash(position) == value for position, value in hashes.items())


def test_an_empty_index_has_the_root_of_nothing() -> None:
    assert UpperNodes().index_root == subject_index.ZERO
    assert UpperNodes.of_rows([]) == UpperNodes()


def test_ranges_of_a_lowest_node_are_those_of_its_buckets() -> None:
    for position in (0, 1, 2_047, subject_index.LOWEST_NODES - 1):
        low, high = subject_index.lowest_node_range(position)
        assert low == subject_index.bucket_range(position * 64)[0]
        assert high == subject_index.bucket_range(position * 64 + 63)[1]


def test_a_step_is_read_as_it_was_written() -> None:
    step = {0: b"a" * 32, 4_095: b"b" * 32}

    assert subject_index.unpack_step(subject_index.pack_step(step)) == step


@pytest.mark.parametrize("packed", [b"x", b"x" * 33, b"x" * 35])
def test_a_step_cut_short_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="step"):
        subject_index.unpack_step(packed)


def test_a_node_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="64 children"):
        UpperNodes.of_rows([(0, b"x" * 32)])
