"""Verifying the whole log from zero: every byte, every signature, every hash, and the subject index.

Streams in bounded memory and uses every core: ranges of leaves go to worker processes, each opening the
database for itself, and only hashes come back. Nothing stored beside the leaves is trusted: roots, tiles
and index are computed anew and compared. The first bad leaf is named.

1. leaves: numbered without gaps, bytes have their hash, signatures hold by the key then in force
2. tree: the root over all leaves is the one the signed checkpoint names; tiles agree
3. index: entries are exactly those the leaves imply, and lead to the checkpoint's index root
"""

from __future__ import annotations

import base64
import binascii
import multiprocessing
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from alcaide.kernel.db import Database, open_database
from alcaide.kernel.errors import AlcaideError
from alcaide.kernel.evidence import PAYLOAD_TYPE, parse_envelope, parse_statement
from alcaide.kernel.ledger import merkle, subject_index, tables
from alcaide.kernel.ledger.log import KEY_EVENT, Ledger
from alcaide.kernel.ledger.reader import IMPORTED, TILE_WIDTH, SignedCheckpoint
from alcaide.kernel.ledger.subject_index import Entry

CHUNK = 16_384  # leaves a worker checks at a time: a multiple of the tile width, so its root is one node
_CHUNK_LEVEL = CHUNK.bit_length() - 1
_FETCH = 1_024
_PAGE = 5_000
_MODULUS = 1 << 256

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
        secret = secrets.token_bytes(32)
        total, fault = _verify_leaves(ledger, database, checkpoint, secret, say, processes)
        fault = fault or _verify_upper_tiles(conn, size)
        if fault:
            return report(fault, 0)
        fault, keys = _verify_index(conn, total, secret, checkpoint.checkpoint.index_root, say)
        return report(fault, keys)


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
    ledger: Ledger,
    database: Database,
    checkpoint: SignedCheckpoint,
    secret: bytes,
    say: Progress,
    processes: int | None,
) -> tuple[int, _Fault | None]:
    """Steps 1 and 2; returns the keyed sum over what the leaves say about whom."""
    size = checkpoint.size
    frontier = merkle.Frontier()
    total, done = 0, 0
    in_force: str | None = None
    strangers: dict[int, str] = {}
    vouched: set[int] = set()
    say(0, size, "leaves")
    for result in _chunks(ledger, database, size, secret, processes):
        if result.fault:
            return 0, result.fault
        in_force, fault = _keys_in_force(result, in_force)
        if fault:
            return 0, fault
        strangers.update(result.strangers)
        vouched |= result.vouched
        if len(result.nodes) == 1 and result.count == CHUNK:
            _push(frontier, result.nodes[0])
        else:
            frontier = _join(frontier, result)
        total = (total + result.sum) % _MODULUS
        done += result.count
        say(done, size, "leaves")
    if frontier.size != size or frontier.root() != checkpoint.root:
        return 0, _first_changed(size)
    # Another Alcaide's envelopes look like ours but for the key: only an import tells them from a forgery.
    for index in sorted(strangers.keys() - vouched):
        keyid = strangers[index]
        return 0, _Fault(
            index,
            f"leaf {index} is signed by `{keyid}`, which is no key of this instance, and no import names it",
        )
    return total, None


def _push(frontier: merkle.Frontier, node: bytes) -> None:
    """Append a whole chunk's root: the same carry as one leaf, `CHUNK` leaves at a time."""
    chunks = frontier.size >> _CHUNK_LEVEL
    while chunks & 1:
        node = merkle.node_hash(frontier.nodes.pop(), node)
        chunks >>= 1
    frontier.nodes.append(node)
    frontier.size += CHUNK


def _join(frontier: merkle.Frontier, result: _ChunkResult) -> merkle.Frontier:
    return merkle.Frontier(frontier.size + result.count, [*frontier.nodes, *result.nodes])


def _chunks(
    ledger: Ledger, database: Database, size: int, secret: bytes, processes: int | None
) -> Iterator[_ChunkResult]:
    """Chunk results in order, computed by several processes with a bounded number under way."""
    url = database.engine.url.render_as_string(hide_password=False)
    public = {key.keyid: key.public for key in ledger.keys.public_keys().values()}
    starts = range(0, size, CHUNK)
    workers = min(processes or os.cpu_count() or 1, len(starts))
    if workers <= 1:
        for start in starts:
            yield _verify_chunk(database, public, secret, start, min(start + CHUNK, size))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start, initargs=(url, public, secret)
    ) as pool:
        under_way: list[Future[_ChunkResult]] = []
        waiting = iter(starts)
        try:
            for start in waiting:
                under_way.append(pool.submit(_work, start, min(start + CHUNK, size)))
                if len(under_way) > workers * 2:
                    yield under_way.pop(0).result()
            while under_way:
                yield under_way.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_worker: tuple[Database, Mapping[str, bytes], bytes] | None = None


def _start(url: str, public: Mapping[str, bytes], secret: bytes) -> None:
    global _worker  # noqa: PLW0603 - how a pool hands its processes what they share
    _worker = (open_database(url, pool_size=1, mapped=False), public, secret)


def _work(start: int, end: int) -> _ChunkResult:
    if _worker is None:
        raise RuntimeError("the pool did not start this process")
    database, public, secret = _worker
    return _verify_chunk(database, public, secret, start, end)


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
        fault = fault or check.tiles(database, start)
    except sa.exc.SQLAlchemyError as problem:
        fault = _Fault(position, f"leaf {position} cannot be read: {str(problem.__cause__ or problem)[:120]}")
    if fault is None and position < end:
        fault = _Fault(position, f"leaf {position} is missing")
    frontier = check.frontier
    return _ChunkResult(
        start,
        frontier.size,
        tuple(frontier.nodes),
        check.sum,
        tuple(check.signed),
        tuple(check.announced),
        tuple(check.strangers),
        frozenset(check.vouched),
        fault,
    )


def _stream(database: Database, start: int, end: int) -> Iterator[tuple[int, bytes, str, bytes]]:
    columns = tables.leaf.c
    query = sa.select(columns.idx, columns.leaf_hash, columns.predicate_type, columns.envelope).order_by(
        columns.idx
    )
    with database.read() as conn:
        for low in range(start, end, _FETCH):
            for row in conn.execute(query.where(columns.idx >= low, columns.idx < min(low + _FETCH, end))):
                yield row[0], bytes(row[1]), row[2], bytes(row[3])


class _LeafCheck:
    """Checks leaves one after the other and gathers what has to be compared across chunks."""

    def __init__(self, public: Mapping[str, bytes], secret: bytes) -> None:
        import nacl.bindings

        self._open = nacl.bindings.crypto_sign_open
        self._public = public
        self._secret = secret
        self.frontier = merkle.Frontier()
        self.sum = 0
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
        self.frontier.append(hashed)
        self._hashes.append(hashed)
        for key in keys:
            self.sum = (self.sum + keyed(self._secret, subject_index.key_hash(key), index)) % _MODULUS
        return None

    def tiles(self, database: Database, start: int) -> _Fault | None:
        """Whether the stored tiles over the leaves seen hold their hashes; names the first that differs."""
        full = len(self._hashes) // TILE_WIDTH
        first = start // TILE_WIDTH
        with database.read() as conn:
            stored = list(_tiles(conn, 0, first, first + full))
        for number in range(full):
            found = stored[number] if number < len(stored) else b""
            for offset in range(TILE_WIDTH):
                position = number * TILE_WIDTH + offset
                if found[offset * 32 : offset * 32 + 32] != self._hashes[position]:
                    index = start + position
                    return _Fault(index, f"leaf {index} is not the one that was logged there")
        return None

    def _own(self, index: int, match: re.Match[bytes]) -> tuple[str | None, str, tuple[str, ...]]:
        payload = base64.b64decode(match[1], validate=True)
        keyid = match[2].decode()
        public = self._public.get(keyid)
        if public is None:
            self.strangers.append((index, keyid))
            head = _decode_head(payload)
            return None, head.predicateType, _keys(head)
        message = b"%s%d %s" % (_PAE_PREFIX, len(payload), payload)
        try:
            self._open(base64.b64decode(match[3], validate=True) + message, public)
        except Exception:  # noqa: BLE001 - the binding's error type is private; any failure is the same no
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


def keyed(secret: bytes, hashed: bytes, index: int) -> int:
    """A term of the sum that compares leaves with index entries: unforgeable without this run's secret."""
    return int.from_bytes(
        blake2b(hashed + index.to_bytes(8, "big"), key=secret, digest_size=32).digest(), "big"
    )


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


def _verify_upper_tiles(conn: Connection, size: int) -> _Fault | None:
    """Tiles above level 0 hold the roots of the tiles below; the lowest were compared with the leaves."""
    level, below = 0, size // TILE_WIDTH
    while below:
        level += 1
        for index in range(-(-below // TILE_WIDTH)):
            first = index * TILE_WIDTH
            expected = b"".join(
                merkle.fold_perfect([h[i : i + 32] for i in range(0, len(h), 32)])
                for h in _tiles(conn, level - 1, first, min(first + TILE_WIDTH, below))
            )
            if next(iter(_tiles(conn, level, index, index + 1)), b"") != expected:
                return _Fault(None, f"tile {level}/{index} does not have the hashes of the tiles below it")
        below //= TILE_WIDTH
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
    conn: Connection, total: int, secret: bytes, index_root: bytes | None, say: Progress
) -> tuple[_Fault | None, int]:
    """Step 3: recompute every key's running hash in key order, and from them the root."""
    stored = _stored_entries(conn)
    buckets: dict[int, bytes] = {}
    current: int | None = None
    entries: list[Entry] = []
    found = keys = seen = 0
    for hashed, leaves in _grouped(conn):
        acc = subject_index.ZERO
        for index, leaf in leaves:
            acc = subject_index.extend(acc, index, leaf)
            found = (found + keyed(secret, hashed, index)) % _MODULUS
        entry = Entry(hashed, len(leaves), acc)
        if next(stored, None) != entry:
            index = leaves[-1][0]
            return _Fault(index, f"leaf {index} is not filed under its subject as the index has it"), keys
        bucket = subject_index.bucket_of(hashed)
        if bucket != current:
            if current is not None:
                buckets[current] = subject_index.bucket_hash(entries)
            current, entries = bucket, []
        entries.append(entry)
        keys += 1
        seen += len(leaves)
        if keys % 50_000 == 0:
            say(seen, seen, "index")
    if current is not None:
        buckets[current] = subject_index.bucket_hash(entries)
    if found != total:
        return _Fault(
            None, "the index does not list the leaves that are there; evidence is hidden or invented"
        ), keys
    if index_root is not None and subject_index.root_from_buckets(buckets) != index_root:
        return _Fault(None, "the subject index does not have the root that the checkpoint vouches for"), keys
    return None, keys


def _stored_entries(conn: Connection) -> Iterator[Entry]:
    """What the index says of each key, by key hash."""
    columns = tables.subject.c
    query = sa.select(columns.key_hash, columns.count, columns.acc).order_by(columns.key_hash).limit(_PAGE)
    after = b""
    while rows := conn.execute(query.where(columns.key_hash > after)).all():
        for hashed, count, acc in rows:
            yield Entry(bytes(hashed), count, bytes(acc))
        after = bytes(rows[-1][0])


def _grouped(conn: Connection) -> Iterator[tuple[bytes, list[tuple[int, bytes]]]]:
    """(key hash, its leaves in order), by key hash; one key's leaves in memory at a time."""
    current: bytes | None = None
    group: list[tuple[int, bytes]] = []
    for hashed, index, leaf_hash in _entries(conn):
        if hashed != current:
            if current is not None:
                yield current, group
            current, group = hashed, []
        group.append((index, leaf_hash))
    if current is not None:
        yield current, group


def _entries(conn: Connection) -> Iterator[tuple[bytes, int, bytes]]:
    """(key hash, leaf index, leaf hash) in primary-key order, a page at a time: bounded on both databases."""
    entry, leaf = tables.entry.c, tables.leaf.c
    query = (
        sa.select(entry.key_hash, entry.idx, leaf.leaf_hash)
        .join_from(tables.entry, tables.leaf, leaf.idx == entry.idx, isouter=True)
        .order_by(entry.key_hash, entry.idx)
        .limit(_PAGE)
    )
    after: tuple[bytes, int] = (b"", -1)
    while rows := conn.execute(query.where(sa.tuple_(entry.key_hash, entry.idx) > after)).all():
        for hashed, index, leaf_hash in rows:
            yield bytes(hashed), index, bytes(leaf_hash or b"")
        after = (bytes(rows[-1][0]), rows[-1][1])
