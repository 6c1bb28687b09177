"""RFC 6962 trees against published roots and against a definition-shaped reference."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.kernel.ledger import merkle

# The eight inputs and roots of the Certificate Transparency reference tests.
INPUTS = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def reference_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962 §2.1 writes it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + reference_root(leaves[:split]) + reference_root(leaves[split:])).digest()


def reader(hashes: list[bytes]) -> merkle.NodeReader:
    return lambda level, position: merkle.fold_perfect(hashes[position << level : (position + 1) << level])


def test_published_roots() -> None:
    assert merkle.root_of([]).hex() == sha256(b"").hexdigest()
    for size, root in enumerate(ROOTS, start=1):
        assert merkle.root_of(map(merkle.leaf_hash, INPUTS[:size])).hex() == root


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_frontier_has_the_reference_root(leaves: list[bytes]) -> None:
    assert merkle.root_of(map(merkle.leaf_hash, leaves)) == reference_root(leaves)


@given(st.integers(1, 90), st.data())
def test_inclusion_holds_only_for_the_leaf_and_place(size: int, data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(bytes([i])) for i in range(size)]
    index = data.draw(st.integers(0, size - 1))
    root = merkle.root_of(hashes)
    proof = merkle.inclusion_proof(reader(hashes), index, size)

    assert merkle.verify_inclusion(hashes[index], index, size, proof, root)
    assert not merkle.verify_inclusion(b"\x00" * 32, index, size, proof, root)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*proof, b"\x00" * 32], root)
    if proof:
        broken = data.draw(st.integers(0, len(proof) - 1))
        altered = [*proof[:broken], bytes(32), *proof[broken + 1 :]]
        assert not merkle.verify_inclusion(hashes[index], index, size, altered, root)
        assert not merkle.verify_inclusion(hashes[index], index, size, proof[:-1], root)


@given(st.integers(1, 90), st.data())
def test_consistency_holds_only_for_appending(new: int, data: st.DataObject) -> None:
    hashes = [merkle.leaf_hash(bytes([i])) for i in range(new)]
    old = data.draw(st.integers(1, new))
    roots = merkle.root_of(hashes[:old]), merkle.root_of(hashes)
    proof = merkle.consistency_proof(reader(hashes), old, new)

    assert merkle.verify_consistency(old, new, *roots, proof)
    if old != new:
        other = merkle.root_of([bytes(32), *hashes[1:old]])
        assert not merkle.verify_consistency(old, new, other, roots[1], proof)
        assert not merkle.verify_consistency(old, new, roots[0], other, proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_no_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        merkle.inclusion_proof(reader([]), index, size)
