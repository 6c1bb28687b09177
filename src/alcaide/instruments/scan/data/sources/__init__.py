"""From what a caller names to a table that can be asked: files by content, folders, databases, objects, columns."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alcaide.instruments.scan.data.engine import Engine
from alcaide.instruments.scan.data.sources import arrow, database, delimited, images, jsonl, memory, parquet
from alcaide.instruments.scan.data.sources.encodings import open_packed
from alcaide.instruments.scan.limits import Malformed, OverBudget, Unsupported
from alcaide.instruments.scan.source import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alcaide.instruments.scan.data.policy import DataPolicy
    from alcaide.instruments.scan.data.sources.images import Pictures
    from alcaide.instruments.scan.data.sources.table import Table

Given = str | os.PathLike[str] | Mapping[str, Any]
"""A path, a URL, or columns by name."""

_BESIDE = frozenset({".md", ".yaml", ".yml", ".txt", ".json", ".license", ".lock", ".gitattributes", ""})
"""What lies beside data in a folder and is none, where the folder has files of a data format."""


@dataclass(slots=True)
class Opened:
    """A source, open: close the engine when done."""

    engine: Engine
    table: Table
    pictures: Pictures | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    form: str
    compression: str = "none"


def name_of(source: Given) -> str:
    """How a source is called in a report."""
    if isinstance(source, Mapping):
        return "columns in memory"
    text = os.fspath(source)
    return database.shown_url(text) if "://" in text else text


def files_of(source: Given, policy: DataPolicy) -> list[Path]:
    """The plain files a source consists of, sorted; none for a database, an object store or memory.

    Raises UnreadableError if it is not there, OverBudget if a folder holds too many.
    """
    if isinstance(source, Mapping) or "://" in os.fspath(source):
        return []
    path = Path(source)
    try:
        about = path.stat()
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {(error.strerror or str(error)).lower()}") from error
    if stat.S_ISREG(about.st_mode):
        return [path.resolve()]
    if not stat.S_ISDIR(about.st_mode):
        raise UnreadableError(
            "it is neither a plain file nor a folder; pipes, sockets and devices are not read"
        )
    found: list[Path] = []
    root = path.resolve()
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in names:
            one = Path(folder, name)
            if not name.startswith(".") and one.is_file() and not one.is_symlink():
                found.append(one)
        if len(found) > policy.limits.files:
            raise OverBudget(f"it holds more than {policy.limits.files:,} files")
    return sorted(found)


def open_source(source: Given, policy: DataPolicy) -> Opened:
    """Open a source and make it a table.

    Raises:
        ScanStop: it is malformed, truncated, not readable here, or over the limits.
        UnreadableError: it cannot be had.
    """
    text = "" if isinstance(source, Mapping) else os.fspath(source)
    scheme = urlsplit(text).scheme if "://" in text else ""
    if scheme in {"s3", "gs", "r2"}:
        return _made(policy, (), lambda engine: _remote(engine, text), remote=text)
    if scheme.split("+")[0] in database.SCHEMES:
        return _made(policy, (), lambda engine: database.read_database(engine, text))
    if scheme:
        raise Unsupported(
            f"`{scheme}://` is not read; it can be a path, `s3://`, `sqlite://` or `postgresql://`"
        )
    if isinstance(source, Mapping):
        return _made(policy, (), lambda engine: memory.read_columns(engine, source))
    paths = files_of(source, policy)
    if not paths:
        raise Malformed("the folder is empty")
    root = Path(source).resolve()
    pictured = [path for path in paths if path.suffix.lower() in images.SUFFIXES]
    if root.is_dir() and len(pictured) * 2 > len(paths):
        if len(pictured) > policy.limits.images:
            raise OverBudget(f"it holds more than {policy.limits.images:,} images")
        held: list[Pictures | None] = []

        def read(engine: Engine) -> Table:
            table, pictures = images.read_images(engine, root, pictured)
            held.append(pictures)
            return table

        opened = _made(policy, (), read)
        opened.pictures = held[0]
        return opened
    kind, chosen = _alike(paths)
    opened = _made(policy, chosen, lambda engine: _read(engine, kind, chosen))
    opened.table.size = sum(path.stat().st_size for path in chosen)
    skipped = len(paths) - len(chosen)
    if skipped:
        opened.table.facts["files_beside"] = skipped
    return opened


def _made(policy: DataPolicy, paths: Sequence[Path], read: Any, *, remote: str = "") -> Opened:
    engine = Engine(policy, paths, remote=remote)
    try:
        return Opened(engine, read(engine))
    except BaseException:
        engine.close()
        raise


def _remote(engine: Engine, url: str) -> Table:
    if not url.endswith(".parquet"):
        raise Unsupported(
            "of objects over the network, Parquet is read: name an object, or a pattern, `….parquet`"
        )
    places = [str(row[0]) for row in engine.rows("SELECT file FROM glob(?) ORDER BY 1", (url,))]
    return parquet.read_parquet(engine, places or [url])


def _alike(paths: list[Path]) -> tuple[_Kind, list[Path]]:
    """The kind of data a folder holds, and the files of that kind; what lies beside them is no data."""
    kinds = {path: sniff(path) for path in paths}
    if len(paths) == 1:
        return kinds[paths[0]], paths
    solid = [
        path
        for path in paths
        if path.suffix.lower() not in _BESIDE or kinds[path].form in {"parquet", "arrow"}
    ]
    candidates = solid or paths
    counted: dict[_Kind, int] = {}
    for path in candidates:
        counted[kinds[path]] = counted.get(kinds[path], 0) + 1
    best = max(counted, key=lambda kind: counted[kind])
    return best, [path for path in candidates if kinds[path] == best]


def sniff(path: Path) -> _Kind:
    """What a file is, by its first bytes; its name decides only between CSV and plain text, and tells JSON lines."""
    try:
        with path.open("rb") as stream:
            head = stream.read(8192)
    except OSError as error:
        raise UnreadableError(
            f"`{path.name}` cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    compression = (
        "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else "none"
    )
    name = path.name.lower()
    if compression != "none":
        name = name.rpartition(".")[0] or name
        try:
            with open_packed(path, compression) as stream:
                head = stream.read(8192)
        except (OSError, EOFError, Unsupported, ValueError) as error:
            if isinstance(error, Unsupported):
                return _Kind("lines" if name.endswith(".txt") else "table", compression)
            raise Malformed(f"`{path.name}` does not unpack") from error
    for magic, form in (
        (b"PAR1", "parquet"),
        (arrow.MAGIC, "arrow"),
        (b"SQLite format 3\x00", "sqlite"),
        (b"\x93NUMPY", "numpy"),
        (b"PK\x03\x04", "zip"),
    ):
        if head.startswith(magic):
            return _Kind(form, compression)
    if head.startswith(b"\xff\xff\xff\xff") and name.endswith((".arrow", ".arrows", ".ipc", ".feather")):
        return _Kind("arrow", compression)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{") or (text.startswith(b"[") and name.endswith((".jsonl", ".ndjson"))):
        return _Kind("jsonl", compression)
    if text.startswith(b"["):
        return _Kind("json", compression)
    return _Kind("lines" if name.endswith((".txt", ".text", ".md")) else "table", compression)


def _read(engine: Engine, kind: _Kind, paths: list[Path]) -> Table:
    form = kind.form
    if form == "parquet":
        return parquet.read_parquet(engine, [str(path) for path in paths], paths)
    if form == "arrow":
        if kind.compression != "none":
            raise Unsupported("a packed Arrow file is not read; unpack it first")
        return arrow.read_arrow(engine, paths)
    if form == "sqlite":
        return database.read_sqlite(engine, paths[0], None)
    if form in {"jsonl", "json"}:
        return _read_json(engine, kind, paths)
    if form in {"numpy", "zip"}:
        return _read_arrays(engine, paths[0])
    if form == "table":
        table = delimited.read_delimited(engine, paths, kind.compression)
        if table is not None:
            return table
    return delimited.read_lines(engine, paths, kind.compression)


def _read_json(engine: Engine, kind: _Kind, paths: list[Path]) -> Table:
    if kind.form == "json":
        return jsonl.read_json(engine, paths, kind.compression, "array")
    return jsonl.read_json(engine, paths, kind.compression, "newline_delimited")


def _read_arrays(engine: Engine, path: Path) -> Table:
    """NumPy arrays of numbers; one with two dimensions becomes a column of vectors. No pickle is loaded."""
    import zipfile

    import numpy as np

    columns: dict[str, Any] = {}
    try:
        loaded = np.load(path, allow_pickle=False, mmap_mode="r" if path.suffix == ".npy" else None)
        arrays = (
            {"vector": loaded}
            if isinstance(loaded, np.ndarray)
            else {name: loaded[name] for name in loaded.files}
        )
        for name, array in arrays.items():
            if array.ndim == 1:
                columns[name] = (
                    array if array.dtype.kind in "iufb" else [str(value) for value in array.tolist()]
                )
            elif array.ndim == 2 and array.dtype.kind in "iuf":
                held = np.empty(len(array), dtype=object)
                for index, row in enumerate(array):
                    held[index] = [float(value) for value in row]
                columns[name] = held
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError, MemoryError) as error:
        raise Malformed(
            f"it is no file of arrays that can be read without running code ({type(error).__name__})"
        ) from error
    if not columns:
        raise Malformed("there is no array of one or two dimensions in it")
    memory.append(engine, columns, first=True)
    from alcaide.instruments.scan.data.engine import quoted
    from alcaide.instruments.scan.data.sources.table import ROW, Table, described

    (rows,) = engine.row("SELECT count(*) FROM raw")
    engine.run(f"CREATE VIEW data AS SELECT rowid AS {quoted(ROW)}, * FROM raw")
    return Table(engine, "numpy", "data", described(engine, "data"), int(rows), paths=(path,))
