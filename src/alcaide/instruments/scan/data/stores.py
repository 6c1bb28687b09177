"""Reads vector stores, and nothing but reads: pgvector, Qdrant over HTTP, and exports as files.

    postgresql://user@host/base?table=public.chunks           a table with a column of type `vector`
    qdrant+http://host:6333/collection                        or qdrant+https://
    chunks.parquet, chunks.jsonl, chunks.npz                  with a column of vectors

At most `limits.vectors` points are read, and no more floats than fit into about 400 MB; how many there are is asked,
so that the rest is known to be unseen.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import numpy as np

from alcaide.instruments.scan.limits import Malformed, Unsupported
from alcaide.instruments.scan.source import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.policy import DataPolicy

FLOATS_MOST = 100_000_000
_PAGE = 256
_ANSWER_MOST = 64 << 20
TEXT_KEYS = ("text", "content", "chunk", "page_content", "document", "body", "passage", "_node_content")


@dataclass(slots=True)
class Points:
    """What a store holds, as far as it was read."""

    kind: str
    ids: list[str] = field(default_factory=list)
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """One a point; NaN where a point has none, or one of another length."""
    odd_length: list[int] = field(default_factory=list)
    """Points whose vector has another length than most."""
    payloads: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def texts(self) -> list[str]:
        """Each point's text: of the first field that is known to hold it, or else the longest text of its payload."""
        return [text_of(payload) for payload in self.payloads]


def text_of(payload: Mapping[str, Any]) -> str:
    """The text of a payload."""
    for key in TEXT_KEYS:
        value = payload.get(key)
        if isinstance(value, str) and value:
            return value
    texts = [value for value in payload.values() if isinstance(value, str)]
    return max(texts, key=len, default="")


def read_points(source: str | os.PathLike[str], policy: DataPolicy, api_key: str | None = None) -> Points:
    """Read a store.

    Raises:
        UnreadableError: it cannot be reached, or has no such table or collection.
        ScanStop: what is there cannot be read.
    """
    name = os.fspath(source)
    scheme = urlsplit(name).scheme if "://" in name else ""
    if scheme in {"qdrant+http", "qdrant+https"}:
        store = _Qdrant(name.removeprefix("qdrant+"), api_key)
        try:
            return _gathered("qdrant", store.count(), store.points(), policy)
        finally:
            store.close()
    if scheme.split("+")[0] in {"postgresql", "postgres"}:
        return _pgvector(name, policy)
    if scheme:
        raise Unsupported(f"`{scheme}://` is no vector store that is read; see docs/scan/datasets.md")
    return _export(name, policy)


Point = tuple[str, Any, dict[str, Any]]


def _gathered(kind: str, total: int, points: Iterable[Point], policy: DataPolicy) -> Points:
    """Points in arrays; the length that most of the first vectors have is the store's."""
    found = Points(kind, total=total)
    listed: list[Any] = []
    floats = 0
    for identity, vector, payload in points:
        found.ids.append(identity)
        found.payloads.append(payload)
        listed.append(vector)
        floats += len(vector) if vector is not None else 0
        if len(listed) >= policy.limits.vectors or floats >= FLOATS_MOST:
            break
    lengths: dict[int, int] = {}
    for vector in listed:
        if vector is not None and len(vector):
            lengths[len(vector)] = lengths.get(len(vector), 0) + 1
    width = max(lengths, key=lambda one: lengths[one]) if lengths else 0
    found.vectors = np.full((len(listed), width), np.nan, np.float32)
    for index, vector in enumerate(listed):
        if vector is not None and len(vector) == width:
            with np.errstate(over="ignore"):
                found.vectors[index] = vector
        elif vector is not None and len(vector):
            found.odd_length.append(index)
    found.total = max(total, len(listed))
    return found


# ── Qdrant ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Qdrant:
    """A collection over HTTP. Two calls are made: what it is, and its points page by page (`points/scroll`)."""

    def __init__(self, url: str, api_key: str | None) -> None:
        import httpx2

        parts = urlsplit(url)
        self._collection = unquote(parts.path.strip("/"))
        if not self._collection or "/" in self._collection:
            raise UnreadableError("the URL names no collection: write `qdrant+http://host:6333/collection`")
        self._base = f"{parts.scheme}://{parts.netloc}/collections/{quote(self._collection, safe='')}"
        # A stranger's store may answer with a redirect elsewhere; it is not followed, and no proxy is asked.
        self._client = httpx2.Client(
            headers={"api-key": api_key} if api_key else {},
            timeout=30,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def count(self) -> int:
        """How many points it says it has."""
        about = self._call("GET", "")
        count = about.get("points_count") if isinstance(about, dict) else None
        return count if isinstance(count, int) else 0

    def points(self) -> Iterator[Point]:
        """All of them; ends if the store leads in a circle."""
        offset: Any = None
        seen: set[str] = set()
        while True:
            asked = {"limit": _PAGE, "offset": offset, "with_payload": True, "with_vector": True}
            page = self._call("POST", "/points/scroll", asked)
            if not isinstance(page, dict) or not isinstance(page.get("points"), list):
                raise Malformed("the store's answer is not what Qdrant answers")
            for point in page["points"]:
                if isinstance(point, dict):
                    payload = point.get("payload")
                    plain = payload if isinstance(payload, dict) else {}
                    yield str(point.get("id")), _vector(point.get("vector")), plain
            offset = page.get("next_page_offset")
            if offset is None or str(offset) in seen:
                return
            seen.add(str(offset))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        import httpx2

        try:
            with self._client.stream(method, self._base + path, json=body) as answer:
                if answer.status_code != 200:
                    raise UnreadableError(
                        f"the store answers {answer.status_code} for collection `{self._collection}`"
                    )
                data = bytearray()
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > _ANSWER_MOST:
                        raise Malformed(f"a page of points is larger than {_ANSWER_MOST >> 20} MiB")
            return json.loads(bytes(data))["result"]
        except httpx2.HTTPError as error:
            raise UnreadableError(f"the store cannot be reached: {error}") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Malformed("the store's answer is not what Qdrant answers") from error


def _vector(value: Any) -> NDArray[np.float32] | None:
    """A point's vector; of several named ones the first that is dense."""
    if isinstance(value, dict):
        value = next((one for one in value.values() if isinstance(one, list)), None)
    if not isinstance(value, list):
        return None
    try:
        with np.errstate(over="ignore"):
            return np.array([np.nan if one is None else one for one in value], np.float32)
    except (TypeError, ValueError, OverflowError):
        return None


# ── pgvector ────────────────────────────────────────────────────────────────────────────────────────────────────


def _pgvector(url: str, policy: DataPolicy) -> Points:
    """A table with a column of vectors, in one read-only transaction."""
    try:
        import psycopg
        from psycopg import sql
    except ImportError as error:
        raise Unsupported("reading PostgreSQL takes the package `psycopg`: install alcaide[pg]") from error
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    table, wanted = options.pop("table", None), options.pop("vector", None)
    plain = urlunsplit(parts._replace(query=urlencode(options), scheme="postgresql"))
    try:
        with psycopg.connect(
            plain, options="-c default_transaction_read_only=on", connect_timeout=10
        ) as connection:
            found = connection.execute(
                "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid "
                "WHERE t.typname IN ('vector', 'halfvec') AND c.relkind IN ('r', 'p', 'm') AND NOT a.attisdropped "
                "ORDER BY 1, 2, 3"
            ).fetchall()
            schema, name, column = _chosen(found, table, wanted)
            source = sql.SQL("{}").format(sql.Identifier(schema, name))
            (total,) = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(source)).fetchone() or (
                0,
            )
            keys = [
                row[0]
                for row in connection.execute(
                    "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
                    "AND a.attnum = ANY(i.indkey) WHERE i.indisprimary AND i.indrelid = %s::regclass",
                    (source.as_string(connection),),
                )
            ]
            with connection.cursor(name="alcaide_scan") as cursor:
                cursor.itersize = 1_000
                cursor.execute(
                    sql.SQL("SELECT {}::text AS alcaide_vector, t.* FROM {} AS t").format(
                        sql.Identifier("t", column), source
                    )
                )
                points = _gathered("pgvector", int(total), _pg_points(cursor, column, keys), policy)
    except psycopg.Error as error:
        said = str(error).strip().split("\n", 1)[0]
        raise UnreadableError(f"the database says: {said}") from error
    points.facts.update(table=f"{schema}.{name}", vector=column)
    return points


def _pg_points(cursor: Any, column: str, keys: Sequence[str]) -> Iterator[Point]:
    names: list[str] = []
    for number, row in enumerate(cursor):
        names = names or [one.name for one in cursor.description]
        values = dict(zip(names[1:], row[1:], strict=True))
        values.pop(column, None)
        identity = "/".join(str(values[key]) for key in keys if key in values) or str(number)
        yield identity, _parsed(row[0]), {name: _plain(value) for name, value in values.items()}


def _parsed(text: str | None) -> NDArray[np.float32] | None:
    """`[1,2,3]`, as pgvector writes a vector."""
    if not text:
        return None
    try:
        return np.array(text.strip("[]").split(","), np.float32)
    except ValueError:
        return None


def _chosen(found: list[tuple[Any, ...]], table: str | None, column: str | None) -> tuple[str, str, str]:
    wanted = None if table is None else table if "." in table else f"public.{table}"
    fitting = [
        (str(schema), str(name), str(one))
        for schema, name, one in found
        if wanted in {None, f"{schema}.{name}"} and column in {None, one}
    ]
    if len(fitting) == 1 or (fitting and table is not None and column is None):
        return fitting[0]
    listed = ", ".join(f"`{schema}.{name}`" for schema, name, _ in found[:10]) or "none"
    said = "several tables have a column of vectors" if fitting else "no such table has a column of vectors"
    raise UnreadableError(f"{said}; those that do are {listed}: add `?table=` and one of them")


# ── Exports ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _export(path: str, policy: DataPolicy) -> Points:
    """A file with a column of vectors; every other column is payload."""
    from alcaide.instruments.scan.data.engine import quoted
    from alcaide.instruments.scan.data.sources import open_source
    from alcaide.instruments.scan.data.sources.table import ROW

    opened = open_source(path, policy)
    try:
        table = opened.table
        vectors = [field for field in table.columns if field.is_vector]
        named = [
            one for one in vectors if one.name.lower() in {"vector", "embedding", "embeddings", "values"}
        ]
        if not vectors:
            raise Malformed("there is no column of vectors in it")
        column = (named or vectors)[0]
        others = [field for field in table.columns if not field.is_vector]
        listed = ", ".join([f"{column.sql}::FLOAT[]", *(field.sql for field in others)])

        def points() -> Iterator[Point]:
            for batch in opened.engine.batches(
                f"SELECT {quoted(ROW)}, {listed} FROM {table.relation} LIMIT {policy.limits.vectors}"  # noqa: S608
            ):
                for row, vector, *values in batch:
                    payload = {field.name: _plain(value) for field, value in zip(others, values, strict=True)}
                    for name in ("payload", "metadata"):
                        inner = payload.get(name)
                        if isinstance(inner, dict):
                            payload = {**payload, **inner}
                    identity = next(
                        (str(payload[name]) for name in ("id", "_id", "point_id") if payload.get(name)),
                        str(row),
                    )
                    yield identity, vector, payload

        gathered = _gathered(table.kind, table.rows, points(), policy)
        gathered.facts.update(vector=column.name, **table.facts)
        return gathered
    finally:
        opened.engine.close()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float | dict | list):
        return value
    return str(value)
