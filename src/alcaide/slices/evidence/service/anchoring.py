"""Leaving checkpoints outside, and being the outside for other logs.

A log that only its keeper has can be cut short by its keeper. So its checkpoints are left where the keeper cannot
take them back: in a file on another machine's disk, with a witness that signs only what continues what it saw.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.access import Actor
from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import AlcaideError, Conflict, InvalidInput, NotFound
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.log import Tx
from alcaide.kernel.ledger.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    NoteKey,
    cosign_note,
    parse_note,
    verify_note,
)
from alcaide.kernel.ledger.reader import SignedCheckpoint
from alcaide.predicates.anchored import Anchored
from alcaide.predicates.base import By, at
from alcaide.slices.evidence import queries
from alcaide.slices.evidence import tables as t
from alcaide.slices.evidence.model import Anchor
from alcaide.slices.evidence.rules.anchors import (
    MAX_ANCHOR_LINE,
    anchor_line,
    check_anchored,
    read_anchor_file,
)
from alcaide.slices.evidence.rules.witness import SIZE_TYPE, Refusal, judge, read_request, write_request

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 2**10
MAX_ANCHORS = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,98}\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said."""

    status: int
    content_type: str
    body: bytes


Post = Callable[[str, bytes], Answer]
"""(address, body) -> answer. Raises OSError where there was none."""


def http_post(url: str, body: bytes) -> Answer:
    """Ask over HTTP: bounded in time and size, and never sent on to another address."""
    import httpx2

    try:
        with (
            httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream("POST", url, content=body) as response,
        ):
            received = b""
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > MAX_ANSWER_BYTES:
                    raise OSError(f"its answer is over the limit of {MAX_ANSWER_BYTES} bytes")
            return Answer(response.status_code, response.headers.get("content-type", ""), received)
    except httpx2.HTTPError as problem:
        raise OSError(str(problem) or type(problem).__name__) from None


# -- settings -----------------------------------------------------------------------------------------


def add_anchor(instance: Instance, actor: Actor, name: str, *, kind: str, target: str, vkey: str = "") -> str:
    """Leave checkpoints there from now on; returns the anchor's id. Raises InvalidInput, Conflict.

    A file can only be named at this machine's console: a browser must not choose what this process writes to.
    """
    instance.authorizer.require(actor, "evidence.manage-keys", None)
    name, target = name.strip(), target.strip()
    fields: dict[str, str] = {}
    if not _NAME.match(name):
        fields["name"] = "use letters, digits, spaces and dashes, at most 99 of them"
    if kind == "witness":
        fields |= _witness_faults(target, vkey)
    elif kind == "file":
        fields |= _file_faults(actor, target)
    else:
        fields["kind"] = "choose `file` or `witness`"
    if fields:
        raise InvalidInput("; ".join(f"{k}: {v}" for k, v in fields.items()), fields)
    anchor_id = new_id()

    def work(tx: Tx) -> str:
        names = tx.conn.execute(sa.select(t.anchor.c.name)).scalars().all()
        if name in names:
            raise Conflict(f"there is an anchor named `{name}` already; choose another name")
        if len(names) >= MAX_ANCHORS:
            raise Conflict(f"there are {MAX_ANCHORS} anchors, which is the limit; remove one first")
        tx.conn.execute(
            t.anchor.insert().values(
                id=anchor_id,
                kind=kind,
                name=name,
                target=target,
                vkey=vkey.strip(),
                added_at=tx.now,
                added_by=actor.name,
            )
        )
        return anchor_id

    return instance.write(work)


def _witness_faults(target: str, vkey: str) -> dict[str, str]:
    faults: dict[str, str] = {}
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        faults["target"] = (
            "give the witness's address, as https://witness.example.org/api/v1/evidence/witness"
        )
    try:
        if NoteKey.parse(vkey).algorithm != COSIGNATURE_V1:
            faults["vkey"] = "this key does not cosign; ask the witness for its own verifier key"
    except InvalidInput as problem:
        faults["vkey"] = str(problem)
    return faults


def _file_faults(actor: Actor, target: str) -> dict[str, str]:
    path = Path(target)
    if actor.kind != "system":
        return {
            "kind": "a file is added at this machine's console: `alcaide evidence anchors add-file NAME PATH`"
        }
    if not path.is_absolute() or not path.parent.is_dir():
        return {"target": "give an absolute path in a folder that exists"}
    return {}


def remove_anchor(instance: Instance, actor: Actor, anchor_id: str) -> None:
    """Leave nothing there any more. What lies there stays, and still shows what it shows."""
    instance.authorizer.require(actor, "evidence.manage-keys", None)

    def work(tx: Tx) -> None:
        if tx.conn.execute(t.anchor.delete().where(t.anchor.c.id == anchor_id)).rowcount == 0:
            raise NotFound("there is no such anchor; see the list again")

    instance.write(work)


def add_known_log(instance: Instance, actor: Actor, vkey: str) -> str:
    """Be the witness of this log from now on; returns its origin. Raises InvalidInput, Conflict."""
    instance.authorizer.require(actor, "evidence.manage-keys", None)
    try:
        key = NoteKey.parse(vkey)
    except InvalidInput as problem:
        raise InvalidInput(str(problem), {"vkey": str(problem)}) from None
    if key.algorithm != ED25519:
        raise InvalidInput("this is a witness's key; give the log's", {"vkey": "give the log's verifier key"})
    if key.name == instance.ledger.origin:
        raise InvalidInput("a log cannot be its own witness", {"vkey": "this is this instance's own log"})

    def work(tx: Tx) -> str:
        known = queries.find_known_log(tx.conn, key.name)
        if known is not None and known.vkey == key.to_text():
            raise Conflict(f"log `{key.name}` is witnessed already")
        values = {"vkey": key.to_text(), "added_at": tx.now, "added_by": actor.name}
        if known is not None:  # its key was rotated; what was seen of it stays
            tx.conn.execute(t.known_log.update().where(t.known_log.c.origin == key.name).values(**values))
        else:
            tx.conn.execute(t.known_log.insert().values(origin=key.name, root=b"", **values))
        return key.name

    return instance.write(work)


def remove_known_log(instance: Instance, actor: Actor, origin: str) -> None:
    """Witness this log no longer, and forget what was seen of it."""
    instance.authorizer.require(actor, "evidence.manage-keys", None)

    def work(tx: Tx) -> None:
        if tx.conn.execute(t.known_log.delete().where(t.known_log.c.origin == origin)).rowcount == 0:
            raise NotFound(f"log `{origin[:100]}` is not witnessed here")

    instance.write(work)


# -- being a witness ----------------------------------------------------------------------------------


def witness_checkpoint(instance: Instance, body: bytes) -> str | Refusal:
    """Cosign a checkpoint that continues what was seen of its log; the cosignature line, or why not.

    INVARIANT: what is known of the log is compared and replaced in one transaction, and on the disk before the
    cosignature leaves: two askers at once cannot be given two futures of one log.
    """
    asked = read_request(body)

    def work(tx: Tx) -> str | Refusal:
        known = queries.find_known_log(tx.conn, asked.checkpoint.origin)
        if known is None:
            return Refusal(404, "this witness does not know that log")
        refusal = judge(asked, NoteKey.parse(known.vkey), known_size=known.size, known_root=known.root)
        if refusal is not None:
            return refusal
        keyid = instance.ledger.checkpoint(tx.conn).keyid
        signer = instance.keys.signer(keyid)
        key = queries.witness_key(instance, keyid)
        seconds = int(tx.now.timestamp())
        line = cosign_note(asked.note.text, key.name, signer.public, signer, timestamp=seconds)
        tx.conn.execute(
            t.known_log.update()
            .where(t.known_log.c.origin == known.origin)
            .values(
                size=asked.checkpoint.size,
                root=asked.checkpoint.root,
                note=asked.note.to_text(),
                seen_at=tx.now,
            )
        )
        return line.to_line()

    return instance.write(work)


# -- leaving checkpoints ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Left:
    """How leaving a checkpoint went."""

    cosignature: str = ""
    problem: str = ""
    broken: bool = False

    @property
    def done(self) -> bool:
        return not self.problem


def anchor_now(
    instance: Instance, actor: Actor, *, only: str = "", force: bool = False, post: Post = http_post
) -> list[tuple[str, str]]:
    """Leave the newest checkpoint at every anchor; (name, problem) of each, the problem empty if it went well.

    An anchor at which nothing but its own `anchored` would be new is passed over, or a quiet log would grow for ever.
    Network and disk are reached outside any transaction; only what came of it is written in one.
    """
    instance.authorizer.require(actor, "evidence.view", None)
    with instance.read() as conn:
        checkpoint = instance.ledger.checkpoint(conn)
        waiting = [
            anchor
            for anchor in queries.anchors(conn)
            if (not only or only in (anchor.id, anchor.name))
            and (force or anchor.broken or anchor.problem or checkpoint.size > anchor.next_size)
        ]
        left = [(anchor, _leave(instance, conn, anchor, checkpoint, post)) for anchor in waiting]

    def work(tx: Tx) -> None:
        for anchor, outcome in left:
            _note_anchored(tx, actor, anchor, checkpoint, outcome)
        _settle(tx, [anchor.id for anchor, outcome in left if outcome.done])

    if left:
        instance.write(work)
    return [(anchor.name, outcome.problem) for anchor, outcome in left]


def _leave(
    instance: Instance, conn: Connection, anchor: Anchor, checkpoint: SignedCheckpoint, post: Post
) -> _Left:
    try:
        if anchor.kind == "file":
            return _leave_in_file(instance, conn, anchor, checkpoint)
        return _leave_with_witness(instance, conn, anchor, checkpoint, post)
    except OSError as problem:
        return _Left(problem=f"it could not be reached: {str(problem)[:300]}")
    except AlcaideError as problem:
        return _Left(problem=str(problem)[:600])


def _leave_in_file(
    instance: Instance, conn: Connection, anchor: Anchor, checkpoint: SignedCheckpoint
) -> _Left:
    """Append a line, after its last one was compared with the log: a log that was cut short must not go on."""
    path = Path(anchor.target)
    last = _last_line(path)
    if last.strip():
        keys = [key.note_key(instance.ledger.origin) for key in instance.keys.public_keys().values()]
        findings = check_anchored(
            read_anchor_file(last),
            keys,
            origin=instance.ledger.origin,
            size=checkpoint.size,
            root_at=lambda size: instance.ledger.root_at(conn, size),
        )
        bad = next((f for f in findings if f.outcome == "failed"), None)
        if bad is not None:
            return _Left(problem=f"its last line contradicts this log: {bad.reason}", broken=True)
    line = anchor_line(checkpoint.text, rfc3339(instance.clock()))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    with os.fdopen(descriptor, "ab") as file:
        file.write(line if not last or last.endswith(b"\n") else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())
    return _Left()


def _last_line(path: Path) -> bytes:
    """The last line of a file, with its newline if it has one; empty for no file."""
    if not path.exists():
        return b""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - MAX_ANCHOR_LINE, 0))
        end = file.read(MAX_ANCHOR_LINE)
    lines = end.splitlines(keepends=True)
    return lines[-1] if lines else b""


def _leave_with_witness(
    instance: Instance, conn: Connection, anchor: Anchor, checkpoint: SignedCheckpoint, post: Post
) -> _Left:
    """Ask a witness, from the size it had last; if it knows another, once more from there."""
    url = f"{anchor.target.rstrip('/')}/add-checkpoint"
    old = min(anchor.last_size, checkpoint.size)
    answer = Answer(0, "", b"no answer")
    for _ in range(2):
        proof = instance.ledger.consistency_proof(conn, old, checkpoint.size)
        answer = post(url, write_request(old, proof, checkpoint.text))
        if answer.status == 200:
            return _Left(cosignature=_cosignature(answer.body, anchor, checkpoint))
        known = _known_size(answer)
        if known is None or known == old:
            break
        if known > checkpoint.size:
            gone = known - checkpoint.size
            return _Left(
                problem=f"the witness has seen {known} leaves and this log has {checkpoint.size}: "
                f"the newest {gone} are gone",
                broken=True,
            )
        old = known
    said = answer.body[:200].decode("utf-8", "replace").strip()
    contradicts = answer.status == 422 or (answer.status == 409 and _known_size(answer) == checkpoint.size)
    return _Left(problem=f"the witness refused ({answer.status}): {said}", broken=contradicts)


def _known_size(answer: Answer) -> int | None:
    if answer.status != 409 or not answer.content_type.startswith(SIZE_TYPE):
        return None
    text = answer.body[:30].decode("ascii", "replace").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _cosignature(body: bytes, anchor: Anchor, checkpoint: SignedCheckpoint) -> str:
    """The line by the witness's key, checked. Raises InvalidInput if it is not among what was answered."""
    key = NoteKey.parse(anchor.vkey)
    text = checkpoint.text[: checkpoint.text.rindex("\n\n") + 1]
    note = parse_note(f"{text}\n{body.decode('utf-8', 'replace')}")
    if key not in verify_note(note, [key]):
        raise InvalidInput("the witness answered with a cosignature by another key than it is known by")
    return next(s.to_line() for s in note.signatures if (s.name, s.hash) == (key.name, key.hash))


def _note_anchored(
    tx: Tx, actor: Actor, anchor: Anchor, checkpoint: SignedCheckpoint, outcome: _Left
) -> None:
    values: dict[str, Any] = {"tried_at": tx.now, "problem": outcome.problem, "broken": outcome.broken}
    if outcome.done:
        text = checkpoint.text + outcome.cosignature
        values |= {"last_size": checkpoint.size, "last_at": tx.now, "note": text}
        body = checkpoint.checkpoint.to_text()
        tx.append(
            Anchored(
                at=at(tx.now),
                by=By.of(actor),
                anchor=anchor.name,
                kind=anchor.kind,
                size=checkpoint.size,
                root=checkpoint.root.hex(),
                cosignature=outcome.cosignature.strip(),
            ).about([Subject.of_bytes(f"log:{checkpoint.checkpoint.origin}", body.encode())])
        )
    tx.conn.execute(t.anchor.update().where(t.anchor.c.id == anchor.id).values(**values))


def _settle(tx: Tx, anchored: list[str]) -> None:
    """Remember how large the log is with the `anchored` of this round, which need no round of their own."""
    if anchored:
        tx.conn.execute(t.anchor.update().where(t.anchor.c.id.in_(anchored)).values(next_size=tx.size))


def cosign(instance: Instance, note: str, post: Post) -> Iterator[tuple[NoteKey, str]]:
    """Have the witnesses cosign one checkpoint, for a bundle; those that do not answer are passed over."""
    with instance.read() as conn:
        current = instance.ledger.checkpoint(conn)
        if current.text != note:
            checkpoint = Checkpoint.parse(parse_note(note).text)
            current = replace(current, text=note, checkpoint=checkpoint)
        for anchor in queries.anchors(conn):
            if anchor.kind != "witness":
                continue
            outcome = _leave(instance, conn, anchor, current, post)
            if outcome.done:
                yield NoteKey.parse(anchor.vkey), outcome.cosignature
