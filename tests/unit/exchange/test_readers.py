"""Every reader, built in or not, is held to the same: it recognises its own, and hostile bytes raise only refusals."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.exchange.corpus import HOSTILE, VALID

from alcaide.instruments.exchange import READERS, ParsedDocument, Reader, read_document, reader_for
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import canonical

READ_WELL = [(kind, path) for kind, paths in VALID.items() for path in paths]
IDS = [f"{kind}/{path.name}" for kind, path in READ_WELL]
OUTCOMES = {"passed", "failed", "unknown"}


def checked(document: ParsedDocument) -> ParsedDocument:
    """What every reader promises of what it returns."""
    assert document.outcome in OUTCOMES
    assert bool(document.reason) == (document.outcome != "passed")
    assert len(document.title) <= 200
    assert len(canonical(dict(document.summary))) < 512 * 1024
    assert all(subject.digest for subject in document.subjects)
    return document


@pytest.mark.parametrize("reader", READERS, ids=lambda r: r.name)
def test_a_reader_has_what_the_protocol_asks(reader: Reader) -> None:
    assert isinstance(reader, Reader)
    assert all((reader.name, reader.title, reader.media_types))
    assert not reader.sniff(b"")
    with pytest.raises(TypeError, match="takes no"):
        reader.read(b"{}", colour="blue")


@pytest.mark.parametrize(("kind", "path"), READ_WELL, ids=IDS)
def test_each_kept_document_finds_its_reader(kind: str, path: Path) -> None:
    document = checked(read_document(path.read_bytes()))
    assert document.kind == kind
    assert document == read_document(path.read_bytes(), kind=kind, trusted={})
    assert document == read_document(path.read_bytes(), media_type=document.media_type)


def test_an_unknown_document_or_kind_is_refused_with_what_is_read() -> None:
    with pytest.raises(InvalidInput, match="give one of `cyclonedx`"):
        read_document(b'{"spdxVersion": "SPDX-2.3"}')
    with pytest.raises(InvalidInput, match="`pdf` is no format"):
        reader_for(b"", kind="pdf")


@pytest.mark.parametrize("path", HOSTILE, ids=lambda p: f"{p.parts[-3]}/{p.name}")
def test_the_hostile_corpus_is_refused(path: Path) -> None:
    data = path.read_bytes()
    with pytest.raises(InvalidInput):
        reader_for(b"", kind=path.parts[-3].replace("_", "-")).read(data)
    for other in READERS:
        with contextlib.suppress(InvalidInput):
            checked(other.read(data))


@pytest.mark.parametrize(("kind", "path"), READ_WELL, ids=IDS)
def test_a_truncated_document_is_refused(kind: str, path: Path) -> None:
    data = path.read_bytes().rstrip()
    for cut in {0, 1, 2, len(data) // 3, len(data) // 2, len(data) - 1}:
        with pytest.raises(InvalidInput):
            reader_for(b"", kind=kind).read(data[:cut])


JUNK: list[Any] = [
    None,
    True,
    -1,
    1.5,
    2**62,
    "",
    "x" * 5_000,
    "\u0000",
    "é",
    [],
    {},
    [[]],
    [{}],
    [1],
    {"a": 1},
    {"name": 1},
]


def mutate(value: Any, dice: random.Random) -> Any:
    """The document with one node replaced, removed, doubled or moved."""
    value = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        node = pending.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        for key in keys:
            places.append((node, key))
            pending.append(node[key])
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0:
            holder[key] = copy.deepcopy(dice.choice(JUNK))
        case 1:
            del holder[key]
        case 2:
            other, at = dice.choice(places)
            holder[key] = (
                copy.deepcopy(other[at])
                if at in other or (isinstance(other, list) and at < len(other))
                else None
            )
        case _ if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        case _:
            holder[key] = [holder[key]]
    return value


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(READ_WELL), st.integers(0, 2**32), st.integers(1, 3))
def test_a_mutated_document_is_read_or_refused(case: tuple[str, Path], seed: int, times: int) -> None:
    kind, path = case
    dice = random.Random(seed)
    value = json.loads(path.read_bytes())
    for _ in range(times):
        value = mutate(value, dice) if value else value
    with contextlib.suppress(InvalidInput):
        checked(reader_for(b"", kind=kind).read(json.dumps(value).encode()))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READ_WELL), st.integers(0, 2**32))
def test_flipped_bytes_are_read_or_refused(case: tuple[str, Path], seed: int) -> None:
    kind, path = case
    dice = random.Random(seed)
    data = bytearray(path.read_bytes())
    for _ in range(dice.randrange(1, 6)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    with contextlib.suppress(InvalidInput):
        checked(reader_for(b"", kind=kind).read(bytes(data)))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READERS), st.binary(max_size=400))
def test_arbitrary_bytes_are_refused(reader: Reader, data: bytes) -> None:
    reader.sniff(data)
    with pytest.raises(InvalidInput):
        reader.read(data)
