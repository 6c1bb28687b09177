"""The witness protocol (C2SP tlog-witness) as values: reading a request, and what an answer means. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from alcaide.kernel.errors import AlcaideError, InvalidInput
from alcaide.kernel.ledger import merkle
from alcaide.kernel.ledger.note import Checkpoint, Note, NoteKey, parse_note, verify_note

MAX_PROOF = 63  # C2SP tlog-witness: a client sends at most 63 hashes
MAX_REQUEST_BYTES = 64 * 2**10
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A log asks that its newer checkpoint be cosigned."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a checkpoint is not cosigned, as the protocol says it."""

    status: int
    reason: str
    known_size: int | None = None


def write_request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body with which a log asks for a cosignature."""
    lines = [f"old {old}", *(base64.b64encode(node).decode() for node in proof), "", note]
    return "\n".join(lines).encode()


def read_request(body: bytes) -> AddCheckpoint:
    """Read the body of `add-checkpoint`. Raises InvalidInput."""
    if len(body) > MAX_REQUEST_BYTES:
        raise InvalidInput(f"the request has {len(body)} bytes, over the limit of {MAX_REQUEST_BYTES}")
    try:
        head, separator, text = body.decode("utf-8").partition("\n\n")
    except UnicodeDecodeError:
        raise InvalidInput("the request is not UTF-8 text") from None
    first, *hashes = head.split("\n")
    word, _, number = first.partition(" ")
    plain = number.isascii() and number.isdigit() and len(number) < 19 and (number == "0" or number[0] != "0")
    if not separator or word != "old" or not plain:
        raise InvalidInput(
            "the request begins with `old <size>`, then the proof, a blank line and the checkpoint"
        )
    if len(hashes) > MAX_PROOF:
        raise InvalidInput(f"the proof has {len(hashes)} hashes, over the limit of {MAX_PROOF}")
    note = parse_note(text)
    return AddCheckpoint(
        int(number), tuple(_hash(line) for line in hashes), note, Checkpoint.parse(note.text)
    )


def _hash(line: str) -> bytes:
    try:
        raw = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        raise InvalidInput(f"`{line[:60]}` is not a hash of 32 bytes in base64")
    return raw


def judge(asked: AddCheckpoint, key: NoteKey, *, known_size: int, known_root: bytes) -> Refusal | None:
    """None if the checkpoint may be cosigned, in the protocol's order of asking.

    1. signed by the log's key (403)  2. not asking backwards (400)  3. starting from what we know (409)
    4. the same size has the same root (409)  5. the proof holds (422)
    """
    try:
        if key not in verify_note(asked.note, [key]):
            return Refusal(403, "the checkpoint is not signed by the log's key")
    except AlcaideError:
        return Refusal(403, "the checkpoint's signature by the log's key does not hold")
    new = asked.checkpoint
    root = known_root if known_size else merkle.EMPTY_ROOT  # nothing was seen of it yet
    if asked.old > new.size:
        return Refusal(400, f"the old size {asked.old} is larger than the checkpoint's, {new.size}")
    if asked.old != known_size:
        return Refusal(409, f"the newest checkpoint known here is of size {known_size}", known_size)
    if asked.old == new.size and root != new.root:
        return Refusal(409, "another root was seen at the same size: the log tells two stories", known_size)
    if not merkle.verify_consistency(asked.old, new.size, root, new.root, asked.proof):
        return Refusal(422, "the proof does not show that the log only grew")
    return None
