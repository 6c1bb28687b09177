"""What a checkpoint that was left outside says about the log as it is now. Pure: roots are asked for by a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from alcaide.kernel.errors import AlcaideError, InvalidInput, TooLarge
from alcaide.kernel.evidence import strict_json
from alcaide.kernel.ledger.note import Checkpoint, NoteKey, parse_note, verify_note
from alcaide.slices.evidence.model import Anchor, AnchorFinding, AnchorState

STALE_AFTER = timedelta(hours=26)  # a day, and two hours for a machine that was off when it was due
MAX_ANCHOR_FILE = 64 * 2**20
MAX_ANCHOR_LINE = 64 * 2**10


def anchor_line(note: str, at: str) -> bytes:
    """One line of an anchor file: when, and the signed note whole, so that the line proves itself."""
    return json.dumps({"at": at, "note": note}, ensure_ascii=False).encode() + b"\n"


def read_anchor_file(data: bytes) -> list[str]:
    """The notes in an anchor file: one JSON object a line, or plain signed notes one after the other.

    A last line that was cut short (a full disk, a crash) is an error like any other: it is not left out in silence.
    """
    if len(data) > MAX_ANCHOR_FILE:
        raise TooLarge(
            f"the anchor file has {len(data)} bytes, over the limit of {MAX_ANCHOR_FILE}; split it"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise InvalidInput(
            f"the anchor file is not UTF-8 at byte {problem.start}; give another file"
        ) from None
    if not text.lstrip().startswith("{"):
        return [text] if text.strip() else []
    notes = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        value = strict_json(
            line.encode(), max_bytes=MAX_ANCHOR_LINE, what=f"line {number} of the anchor file"
        )
        note = value.get("note") if isinstance(value, dict) else None
        if not isinstance(note, str):
            raise InvalidInput(
                f"line {number} of the anchor file has no `note`; give a file that anchoring wrote"
            )
        notes.append(note)
    return notes


def check_anchored(
    notes: Sequence[str],
    keys: Sequence[NoteKey],
    *,
    origin: str,
    size: int,
    root_at: Callable[[int], bytes],
) -> tuple[AnchorFinding, ...]:
    """Hold each anchored checkpoint against the log of `size`.

    A signed checkpoint that the log is no continuation of is a failure, whoever signed: leaves were taken away, or
    two logs were told under one name.
    """
    return tuple(_check_one(i, note, keys, origin, size, root_at) for i, note in enumerate(notes, 1))


def _check_one(
    line: int, text: str, keys: Sequence[NoteKey], origin: str, size: int, root_at: Callable[[int], bytes]
) -> AnchorFinding:
    try:
        note = parse_note(text)
        checkpoint = Checkpoint.parse(note.text)
        signed = verify_note(note, keys)
    except AlcaideError as problem:
        return AnchorFinding(line, 0, "unknown", f"line {line} cannot be used: {problem}")
    at = checkpoint.size
    if checkpoint.origin != origin:
        return AnchorFinding(line, at, "unknown", f"it is of another log, `{checkpoint.origin[:100]}`")
    if not signed:
        return AnchorFinding(line, at, "unknown", "it is not signed by a key of this log")
    if at > size:
        return AnchorFinding(
            line,
            at,
            "failed",
            f"it vouches for {at} leaves and the log has {size}: the newest {at - size} are gone",
        )
    try:
        same = root_at(at) == checkpoint.root
    except AlcaideError as problem:
        return AnchorFinding(line, at, "failed", f"the log cannot show what it was at {at} leaves: {problem}")
    if not same:
        return AnchorFinding(
            line, at, "failed", f"the first {at} leaves are not those it vouches for: the log was rewritten"
        )
    return AnchorFinding(line, at, "passed", "")


def anchor_state(anchor: Anchor, *, size: int, now: datetime) -> AnchorState:
    """What to think of an anchor: broken, stale, never reached, or as it should be."""
    if anchor.broken:
        return AnchorState(anchor, "failed", anchor.problem)
    if anchor.last_at is None:
        return AnchorState(anchor, "unknown", anchor.problem or "nothing was left there yet")
    behind = size > anchor.next_size
    if behind and now - anchor.last_at > STALE_AFTER:
        reason = f"the last checkpoint there is of size {anchor.last_size}, and the log has {size}"
        return AnchorState(anchor, "unknown", f"{reason}; {anchor.problem}" if anchor.problem else reason)
    return AnchorState(anchor, "passed", anchor.problem)
