"""Verifying the whole log from zero: every byte, every signature, every hash, and the subject index.

Streams in bounded memory and uses every core: ranges of leaves go to worker processes, each opening the
database for itself, and only hashes come back. Nothing stored beside the leaves is trusted: roots, tiles
and index are computed anew and compared. The first bad leaf is named.

1. leaves: numbered without gaps, bytes have their hash, signatures hold by the key then in force
2. tree: the root over all leaves is the one the signed checkpoint names; tiles agree
3. index: entries are exactly those the leaves imply, and lead to the checkpoint's index root; so do its nodes
"""

from __future__ import annotations

import binascii
import multiprocessing
import os
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.db import Database, driver_rows, open_database
from alcaide.kernel.errors import AlcaideError
from alcaide.kernel.evidence import PAYLOAD_TYPE, parse_envelope, parse_statement
from alcaide.kernel.ledger import merkle, subject_index, tables
from alcaide.kernel.ledger.index_reader import IndexReader
from alcaide.kernel.ledger.log import KEY_EVENT, Ledger
from alcaide.kernel.ledger.reader import IMPORTED, TILE_WIDTH, SignedCheckpoint
from alcaide.kernel.ledger.verify_index import SHARDS, IndexShard, KeyedSum, LeafHashes, verify_shard

CHUNK = 4_096  # leaves a worker checks at a time: a multiple of the tile width, so its root is one node
_CHUNK_LEVEL = CHUNK.bit_length() - 1
_FETCH = 1_024
_PAGE = 5_000

R = TypeVar("R")
Progress = Callable[[int, int, str], None]
"""(done, of, what): called about once a second of work; may raise to stop the verification."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What verification found. `intact` only if everything was looked at and everything held."""

    intact: bool
    size: int
    root: str
    first_bad: int | None
    reason: str
    checkpoint: str
    keys: int  # subjects' keys in the index


@dataclass(frozen=True, slots=True)
class _Fault:
    index: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class _ChunkResult:
    start: int
    count: int
    nodes: tuple[bytes, ...]  # frontier of the chunk's leaves
    tile_roots: tuple[bytes, ...]  # of the full tiles among them
    sum: int  # keyed sum over (key hash, leaf index), to compare with the index entries
    signed: tuple[tuple[int, str], ...]  # (first leaf, keyid) runs of own signatures
    announced: tuple[tuple[int, str], ...]  # (leaf, keyid) of key events
    strangers: tuple[tuple[int, str], ...]  # (leaf, keyid) of envelopes in our form by a key not ours
    vouched: frozenset[int]  # leaves that an import of ours says it took in
    fault: _Fault | None


class _SubjectHead(msgspec.Struct):
    digest: dict[str, str]
    name: str = ""


class _StatementHead(msgspec.Struct):
    subject: list[_SubjectHead]
    predicateType: str  # noqa: N815 - in-toto's spelling


_decoded = binascii.a2b_base64
_decode_head = msgspec.json.Decoder(_StatementHead).decode
_OWN = re.compile(
    rb'\{"payload":"([A-Za-z0-9+/=]*)","payloadType":"application/vnd\.in-toto\+json",'
    rb'"signatures":\[\{"keyid":"(ed25519:[0-9a-f]{32})","sig":"([A-Za-z0-9+/=]{88})"\}\]\}\Z'
)
_PAE_PREFIX = b"DSSEv1 %d %s " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())


def verify_log(
    ledger: Ledger, on_progress: Progress | None = None, *, processes: int | None = None
) -> VerifyReport:
    """Verify everything up to the newest checkpoint. Never raises for what is wrong: the report says it.

    `processes` is how many worker processes to use, all cores by default; 1 works in this process.
    """
    say = on_progress or (lambda _done, _of, _what: None)
    with (
        _unmapped(ledger) as database,
        database.read() as conn,
    ):  # one snapshot for what changes; leaves below `size` never do
        try:
            checkpoint = ledger.checkpoint(conn)
        except AlcaideError as problem:
            return VerifyReport(False, 0, "", None, str(problem), "", 0)
        size = checkpoint.size
        report = _report(size, checkpoint.root.hex(), checkpoint.text)
        leaves = conn.execute(
            sa.select(sa.func.count()).select_from(tables.leaf).where(tables.leaf.c.idx < size)
        ).scalar_one()
        if leaves < size:
            missing = _first_missing(conn, size)
            reason = f"leaf {missing} is missing: the checkpoint vouches for {size} leaves"
            return report(_Fault(missing, reason), 0)
        worker = _Worker(database, _public(ledger), secrets.token_bytes(32), LeafHashes())
        with _crew(worker, processes, -(-size // CHUNK)) as crew:
            total, tile_roots, fault = _verify_leaves(crew, checkpoint, say)
            fault = fault or _verify_upper_tiles(conn, tile_roots)
            if fault:
                return report(fault, 0)
            fault, keys = _verify_index(crew, total, size, checkpoint.checkpoint.index_root, say)
        return report(fault or _verify_nodes(conn, checkpoint), keys)


@contextmanager
def _unmapped(ledger: Ledger) -> Iterator[Database]:
    """The ledger's database opened again, without mapping a file that is read from end to end."""
    url = ledger.database.engine.url.render_as_string(hide_password=False)
    database = open_database(url, pool_size=2, mapped=False)
    try:
        yield database
    finally:
        database.close()


def _report(size: int, root: str, checkpoint: str) -> Callable[[_Fault | None, int], VerifyReport]:
    def make(fault: _Fault | None, keys: int) -> VerifyReport:
        if fault is None:
            return VerifyReport(True, size, root, None, "", checkpoint, keys)
        return VerifyReport(False, size, root, fault.index, fault.reason, checkpoint, keys)

    return make


# -- leaves and tree --------------------------------------------------------------------------------


def _verify_leaves(
    crew: Crew, checkpoint: SignedCheckpoint, say: Progress
) -> tuple[int, list[bytes], _Fault | None]:
    """Steps 1 and 2; returns the keyed sum over what the leaves say about whom, and their tiles' roots."""
    size = checkpoint.size
    frontier = merkle.Frontier()
    total, done = 0, 0
    tile_roots: list[bytes] = []
    in_force: str | None = None
    strangers: dict[int, str] = {}
    vouched: set[int] = set()
    say(0, size, "leaves")
    for result in crew(_check_chunk, ((start, min(start + CHUNK, size)) for start in range(0, size, CHUNK))):
        if result.fault:
            return 0, [], result.fault
        in_force, fault = _keys_in_force(result, in_force)
        if fault:
            return 0, [], fault
        strangers.update(result.strangers)
        vouched |= result.vouched
        if result.count == CHUNK:
            frontier.push(result.nodes[0], _CHUNK_LEVEL)
        else:  # the last chunk: its subtrees are smaller than all before them
            frontier = merkle.Frontier(frontier.size + result.count, [*frontier.nodes, *result.nodes])
        tile_roots += result.tile_roots
        total += result.sum
        done += result.count
        say(done, size, "leaves")
    if frontier.size != size or frontier.root() != checkpoint.root:
        return 0, [], _first_changed(size)
    # Another Alcaide's envelopes look like ours but for the key: only an import tells them from a forgery.
    for index in sorted(strangers.keys() - vouched):
        keyid = strangers[index]
        reason = (
            f"leaf {index} is signed by `{keyid}`, which is no key of this instance, and no import names it"
        )
        return 0, [], _Fault(index, reason)
    return total, tile_roots, None


def _public(ledger: Ledger) -> Mapping[str, bytes]:
    return {key.keyid: key.public for key in ledger.keys.public_keys().values()}


@dataclass(frozen=True, slots=True)
class _Worker:
    """What each process of a crew has at hand."""

    database: Database
    public: Mapping[str, bytes]
    secret: bytes
    hashes: LeafHashes


class Crew(Protocol):
    """Runs a task for each tuple of arguments and gives the results in order, a bounded number under way."""

    def __call__(self, task: Callable[..., R], arguments: Iterable[tuple[int, int]]) -> Iterator[R]: ...


@contextmanager
def _crew(worker: _Worker, processes: int | None, tasks: int) -> Iterator[Crew]:
    """This process alone for one task or one processor, else a pool of processes."""
    count = min(processes or os.cpu_count() or 1, tasks)
    if count <= 1:
        yield lambda task, arguments: (task(worker, *one) for one in arguments)
        return
    url = worker.database.engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    shared = (url, worker.public, worker.secret)
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_start, initargs=shared)
    try:
        yield lambda task, arguments: _in_order(pool, count * 2, task, arguments)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, limit: int, task: Callable[..., R], arguments: Iterable[tuple[int, int]]
) -> Iterator[R]:
    under_way: deque[Future[R]] = deque()
    for one in arguments:
        under_way.append(pool.submit(_call, task, *one))
        if len(under_way) > limit:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


_here: _Worker | None = None


def _start(url: str, public: Mapping[str, bytes], secret: bytes) -> None:
    global _here  # noqa: PLW0603 - how a pool hands its processes what they share
    _here = _Worker(open_database(url, pool_size=1, mapped=False), public, secret, LeafHashes())


def _call(task: Callable[..., R], *arguments: int) -> R:
    if _here is None:
        raise RuntimeError("the pool did not start this process")
    return task(_here, *arguments)


def _check_chunk(worker: _Worker, start: int, end: int) -> _ChunkResult:
    return _verify_chunk(worker.database, worker.public, worker.secret, start, end)


def _check_shard(worker: _Worker, shard: int, size: int) -> IndexShard:
    return verify_shard(worker.database, worker.hashes, worker.secret, shard, size)


def _verify_chunk(
    database: Database, public: Mapping[str, bytes], secret: bytes, start: int, end: int
) -> _ChunkResult:
    """Everything that can be said of leaves [start, end) without knowing the others."""
    check = _LeafCheck(public, secret)
    fault: _Fault | None = None
    position = start
    try:
        for index, stored, predicate_type, envelope in _stream(database, start, end):
            if index != position:
                fault = _Fault(position, f"leaf {position} is missing")
                break
            reason = check.leaf(index, stored, predicate_type, envelope)
            if reason:
                fault = _Fault(index, f"leaf {index} {reason}")
                break
            position += 1
    except sa.exc.SQLAlchemyError as problem:
        fault = _Fault(position, f"leaf {position} cannot be read: {str(problem.__cause__ or problem)[:120]}")
    frontier, tile_roots, middles = check.fold()
    try:
        fault = fault or check.tiles(database, start, middles)
    except sa.exc.SQLAlchemyError as problem:
        fault = _Fault(None, f"the tiles cannot be read: {str(problem.__cause__ or problem)[:120]}")
    if fault is None and position < end:
        fault = _Fault(position, f"leaf {position} is missing")
    return _ChunkResult(
        start,
        frontier.size,
        tuple(frontier.nodes),
        tuple(tile_roots),
        check.sum.value,
        tuple(check.signed),
        tuple(check.announced),
        tuple(check.strangers),
        frozenset(check.vouched),
        fault,
    )


def _stream(database: Database, start: int, end: int) -> Iterator[tuple[int, bytes, str, bytes]]:
    with database.read() as conn:
        for low in range(start, end, _FETCH):
            rows = driver_rows(
                conn,
                "SELECT idx, leaf_hash, predicate_type, envelope FROM ledger__leaf "
                "WHERE idx >= ? AND idx < ? ORDER BY idx",
                (low, min(low + _FETCH, end)),
            )
            for index, stored, predicate_type, envelope in rows:
                yield index, bytes(stored), predicate_type, bytes(envelope)


class _LeafCheck:
    """Checks leaves one after the other and gathers what has to be compared across chunks."""

    def __init__(self, public: Mapping[str, bytes], secret: bytes) -> None:
        # Twice as fast as libsodium, and a million signatures are two thirds of the work. It reads points more
        # generously than RFC 8032 asks (ZIP 215), which matters only for keys that were made to be odd: ours were not.
        import ed25519_zebra

        self._holds = ed25519_zebra.ed_verify
        self._public = public
        self.sum = KeyedSum(secret)
        self.signed: list[tuple[int, str]] = []
        self.announced: list[tuple[int, str]] = []
        self.strangers: list[tuple[int, str]] = []
        self.vouched: list[int] = []
        self._hashes: list[bytes] = []

    def leaf(self, index: int, stored: bytes, predicate_type: str, envelope: bytes) -> str | None:
        """What is wrong with a leaf, or None."""
        hashed = merkle.leaf_hash(envelope)
        if hashed != stored:
            return "was altered: its bytes do not have its hash"
        own = _OWN.match(envelope)
        try:
            reason, said, keys = self._own(index, own) if own else self._foreign(envelope)
        except (AlcaideError, msgspec.MsgspecError, binascii.Error, UnicodeError) as problem:
            return f"cannot be read: {str(problem)[:120]}"
        if reason:
            return reason
        if said != predicate_type:
            return f"is filed as `{predicate_type[:80]}` but says `{said[:80]}`"
        self._hashes.append(hashed)
        for key in keys:
            self.sum.add(subject_index.key_hash(key), index)
        return None

    def tiles(self, database: Database, start: int, middles: Sequence[bytes]) -> _Fault | None:
        """Whether the stored tiles over the leaves seen hold their hashes; names the first that differs."""
        full = len(self._hashes) // TILE_WIDTH
        first = start // TILE_WIDTH
        with database.read() as conn:
            stored = list(_tiles(conn, 0, first, first + full))
        for number in range(full):
            found = stored[number] if number < len(stored) else b""
            hashes, middle = found[: TILE_WIDTH * 32], found[TILE_WIDTH * 32 :]
            if hashes == b"".join(self._hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]):
                if middle in (b"", middles[number]):
                    continue
                return _Fault(None, f"tile 0/{first + number} has nodes that its hashes do not lead to")
            for offset in range(TILE_WIDTH):
                position = number * TILE_WIDTH + offset
                if found[offset * 32 : offset * 32 + 32] != self._hashes[position]:
                    index = start + position
                    return _Fault(index, f"leaf {index} is not the one that was logged there")
        return None

    def fold(self) -> tuple[merkle.Frontier, list[bytes], list[bytes]]:
        """The frontier over the leaves seen, and the roots of their full tiles with the nodes half-way up to them."""
        frontier = merkle.Frontier()
        roots: list[bytes] = []
        middles: list[bytes] = []
        full = len(self._hashes) - len(self._hashes) % TILE_WIDTH
        for start in range(0, full, TILE_WIDTH):
            root, middle = merkle.fold_marked(self._hashes[start : start + TILE_WIDTH], merkle.TILE_MIDDLE)
            middles.append(middle)
            frontier.push(root, TILE_WIDTH.bit_length() - 1)
            roots.append(root)
        for hashed in self._hashes[full:]:
            frontier.append(hashed)
        return frontier, roots, middles

    def _own(self, index: int, match: re.Match[bytes]) -> tuple[str | None, str, tuple[str, ...]]:
        payload = _decoded(match[1], strict_mode=True)
        keyid = match[2].decode()
        public = self._public.get(keyid)
        if public is None:
            self.strangers.append((index, keyid))
            head = _decode_head(payload)
            return None, head.predicateType, _keys(head)
        message = b"%s%d %s" % (_PAE_PREFIX, len(payload), payload)
        signature = _decoded(match[3], strict_mode=True)
        if len(signature) != 64 or not self._holds(signature, message, public):
            return f"has a signature by `{keyid}` that does not hold", "", ()
        if not self.signed or self.signed[-1][1] != keyid:
            self.signed.append((index, keyid))
        head = _decode_head(payload)
        if head.predicateType == KEY_EVENT:
            self.announced.append((index, str(parse_statement(payload).predicate.get("keyid"))))
        elif head.predicateType == IMPORTED:
            leaf = parse_statement(payload).predicate.get("leaf")
            self.vouched += [leaf] if isinstance(leaf, int) else []
        return None, head.predicateType, _keys(head)

    def _foreign(self, data: bytes) -> tuple[str | None, str, tuple[str, ...]]:
        """Somebody else's envelope: its signature was checked when it came in and is not ours to check."""
        envelope = parse_envelope(data)
        for signature in envelope.signatures:
            if signature.keyid in self._public:
                return f"names our key `{signature.keyid}` in a form we never write", "", ()
        statement = parse_statement(envelope.payload)
        return None, statement.predicate_type, statement.keys


def _keys(head: _StatementHead) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for subject in head.subject:
        if subject.name:
            found[f"name:{subject.name}"] = None
        if digest := subject.digest.get("sha256"):
            found[f"sha256:{digest}"] = None
    return tuple(found)


def _keys_in_force(result: _ChunkResult, in_force: str | None) -> tuple[str | None, _Fault | None]:
    """Follow the chain of keys: each own leaf is signed by the key announced last."""
    changes = dict(result.announced)
    events = sorted([*((i, 0, k) for i, k in result.signed), *((i, 1, k) for i, k in changes.items())])
    for index, kind, keyid in events:
        if kind == 0 and in_force is None:
            in_force = keyid  # the first leaf of the log
        elif kind == 0 and keyid != in_force:
            return in_force, _Fault(
                index, f"leaf {index} is signed by `{keyid}` while `{in_force}` was in force"
            )
        elif kind == 1:
            in_force = keyid
    return in_force, None


def _first_missing(conn: Connection, size: int) -> int:
    """The first number below `size` that no leaf has."""
    position = 0
    query = sa.select(tables.leaf.c.idx).order_by(tables.leaf.c.idx).limit(_PAGE)
    while rows := conn.execute(query.where(tables.leaf.c.idx >= position, tables.leaf.c.idx < size)).all():
        for (index,) in rows:
            if index != position:
                return position
            position += 1
    return position


def _first_changed(size: int) -> _Fault:
    """Leaves and tiles agree with each other but not with what was signed: only the end can be named."""
    start = size - size % TILE_WIDTH
    return _Fault(
        start if start < size else None,
        f"the tree over {size} leaves does not have the checkpoint's root; "
        "leaves were replaced, moved or taken out together with their tiles, or the newest ones were",
    )


def _verify_upper_tiles(conn: Connection, roots: list[bytes]) -> _Fault | None:
    """Tiles above level 0 hold the roots of the tiles below; the lowest were compared with the leaves."""
    level = 0
    while roots:
        level += 1
        tiles = [roots[i : i + TILE_WIDTH] for i in range(0, len(roots), TILE_WIDTH)]
        stored = list(_tiles(conn, level, 0, len(tiles)))
        roots = []
        for index, hashes in enumerate(tiles):
            known, rest = b"".join(hashes), b""
            if len(hashes) == TILE_WIDTH:
                root, rest = merkle.fold_marked(hashes, merkle.TILE_MIDDLE)
                roots.append(root)
            found = stored[index] if index < len(stored) else b""
            if found not in (known, known + rest):
                return _Fault(None, f"tile {level}/{index} does not have the hashes of the tiles below it")
    return None


def _tiles(conn: Connection, level: int, start: int, end: int) -> Iterator[bytes]:
    columns = tables.tile.c
    query = (
        sa.select(columns.hashes)
        .where(columns.level == level, columns.idx >= start, columns.idx < end)
        .order_by(columns.idx)
    )
    return (bytes(row) for row in conn.execute(query).scalars())


# -- index ------------------------------------------------------------------------------------------


def _verify_index(
    crew: Crew, total: int, size: int, index_root: bytes | None, say: Progress
) -> tuple[_Fault | None, int]:
    """Step 3: recompute every key's running hash, and from them the root."""
    buckets: dict[int, bytes] = {}
    found = keys = 0
    for done, shard in enumerate(crew(_check_shard, ((n, size) for n in range(SHARDS))), start=1):
        keys += shard.keys
        if shard.reason:
            return _Fault(shard.bad_leaf, shard.reason), keys
        buckets.update(shard.buckets)
        found += shard.sum
        say(done, SHARDS, "index")
    if found != total:
        reason = "the index does not list the leaves that are there; evidence is hidden or invented"
        return _Fault(None, reason), keys
    if index_root is not None and subject_index.root_from_buckets(buckets) != index_root:
        return _Fault(None, "the subject index does not have the root that the checkpoint vouches for"), keys
    return None, keys


def _verify_nodes(conn: Connection, checkpoint: SignedCheckpoint) -> _Fault | None:
    """The stored nodes are but a short way to a root that was just computed; a wrong one would stop the writer."""
    try:
        IndexReader().check(conn, checkpoint)
    except AlcaideError as problem:
        return _Fault(None, str(problem))
    return None
