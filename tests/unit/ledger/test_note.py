"""Signed notes, checkpoints and cosignatures as C2SP writes them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.kernel.errors import Corrupt, InvalidInput
from alcaide.kernel.ledger.keys import Ed25519Signer, KeyStore
from alcaide.kernel.ledger.note import (
    COSIGNATURE_V1,
    Checkpoint,
    Note,
    NoteKey,
    cosign_note,
    parse_note,
    sign_note,
    verify_note,
)

# The example of golang.org/x/mod/sumdb/note's documentation, which C2SP signed-note describes.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519Signer:
    return KeyStore(tmp_path).create("2026-06-01T12:00:00Z")


def test_the_published_note_verifies_and_its_altered_twin_does_not() -> None:
    key = NoteKey.parse(GO_KEY)

    assert verify_note(parse_note(GO_NOTE), [key]) == [key]
    with pytest.raises(Corrupt, match="PeterNeumann"):
        verify_note(parse_note(GO_NOTE.replace("answer", "cause")), [key])


def test_a_vkey_reads_back_and_a_damaged_one_is_refused() -> None:
    assert NoteKey.parse(GO_KEY).to_text() == GO_KEY
    for damaged in ("", "a", GO_KEY[:-4], GO_KEY.replace("c74f", "c74e"), GO_KEY.replace("Peter", "P ter")):
        with pytest.raises(InvalidInput):
            NoteKey.parse(damaged)


def test_a_cosignature_covers_its_time(signer: Ed25519Signer) -> None:
    text = Checkpoint("log.example/1", 5, bytes(32)).to_text()
    line = cosign_note(text, "witness.example", signer.public, signer, timestamp=1_790_000_000)
    key = NoteKey("witness.example", COSIGNATURE_V1, signer.public)

    assert verify_note(Note(text, (line,)), [key]) == [key]
    later = type(line)(line.name, line.hash, (1_790_000_001).to_bytes(8, "big") + line.signature[8:])
    with pytest.raises(Corrupt):
        verify_note(Note(text, (later,)), [key])


def test_unknown_signers_are_ignored_and_known_ones_must_hold(signer: Ed25519Signer) -> None:
    text = "a log\n1\n\n"[:-1]
    own = sign_note(text, "us", signer.public, signer)
    foreign = sign_note(text, "them", bytes(32), signer)
    note = Note(text, (foreign, own))

    assert [k.name for k in verify_note(note, [NoteKey("us", 1, signer.public)])] == ["us"]
    with pytest.raises(Corrupt, match="them"):
        verify_note(note, [NoteKey("them", 1, bytes(32))])


@given(
    st.integers(0, 2**62),
    st.binary(min_size=32, max_size=32),
    st.none() | st.binary(min_size=32, max_size=32),
)
def test_checkpoints_read_back(size: int, root: bytes, index: bytes | None) -> None:
    checkpoint = Checkpoint("log.example/a", size, root, index)
    assert Checkpoint.parse(checkpoint.to_text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "a\n1\nAAAA\n",
        "a\n\n1\nAAAA\n",
        "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nindex sha256:zz\n",
    ],
)
def test_broken_checkpoints_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Checkpoint.parse(text)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_parsing_raises_nothing_but_its_own(data: str | bytes) -> None:
    with contextlib.suppress(InvalidInput):
        Checkpoint.parse(parse_note(data).text)
