"""DuckDB with its doors shut: it reads the files that are looked at and its own scratch folder, and nothing else.

No extension is installed or loaded, no other file can be opened, no setting changed afterwards, whatever a name or a
value in the data says; every query is ours and values travel as parameters or as quoted literals. A thread watches
the clock and the disk and interrupts a query that takes too much of either.

DuckDB's own errors leave here as the scan's: malformed, over budget. They are the only exceptions a check can get.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.limits import Malformed, OverBudget, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.policy import DataPolicy


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A string in SQL."""
    return "'" + value.replace("'", "''") + "'"


class Engine:
    """One shut-in DuckDB over a scratch folder of its own; use as a context manager."""

    def __init__(self, policy: DataPolicy, paths: Sequence[Path] = (), *, remote: str = "") -> None:
        self.policy = policy
        self._began = time.monotonic()
        self._scratch = Path(tempfile.mkdtemp(prefix="alcaide-data-"))
        self.scratch = self._scratch / "files"
        self.scratch.mkdir()
        self._closed = threading.Event()
        self._why = ""
        try:
            self._open(paths, remote)
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        self._watch = threading.Thread(target=self._watching, name="alcaide-data-watch", daemon=True)
        self._watch.start()

    def _open(self, paths: Sequence[Path], remote: str) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise Unsupported("it takes the package `duckdb`, which is not installed") from error
        limits = self.policy.limits
        self._duckdb = duckdb
        self.version = str(duckdb.__version__)
        self._connection = duckdb.connect(
            str(self._scratch / "work.duckdb"),
            config={
                "threads": limits.threads,
                "memory_limit": f"{limits.memory >> 20}MiB",
                "temp_directory": str(self._scratch / "spill"),
                "max_temp_directory_size": f"{limits.disk >> 20}MiB",
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "allow_persistent_secrets": False,
            },
        )
        self._load_remote(remote)
        allowed = [str(self.scratch) + "/", *([remote] if remote else [])]
        # The order matters: after external access is off, the lists of what is allowed cannot be changed.
        for statement in (
            "SET preserve_insertion_order = true",
            f"SET allowed_directories = [{', '.join(literal(one) for one in allowed)}]",
            f"SET allowed_paths = [{', '.join(literal(str(path)) for path in paths)}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def _load_remote(self, remote: str) -> None:
        """Objects over the network, if their reader lies on this machine already; it is never downloaded."""
        if not remote:
            return
        try:
            self._connection.execute("LOAD httpfs")
        except self._duckdb.Error as error:
            raise Unsupported(
                "reading S3 takes DuckDB's extension `httpfs`, which is not on this machine and is not downloaded"
            ) from error
        known = {"endpoint", "region", "key_id", "secret", "url_style", "session_token", "use_ssl"}
        options = "".join(
            f", {name.upper()} {literal(value)}" for name, value in self.policy.s3.items() if name in known
        )
        self._connection.execute(f"CREATE SECRET (TYPE s3{options})")

    # ── asking ──

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of an answer that is known to be small."""
        found: list[tuple[Any, ...]] = self._run(
            lambda: self._connection.execute(sql, parameters or None).fetchall()
        )
        return found

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The one row of an answer."""
        found = self.rows(sql, parameters)
        return found[0] if found else ()

    def batches(self, sql: str, size: int = 4096) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a long answer, some at a time. Nothing else can be asked until it ends."""
        cursor = self._run(lambda: self._connection.execute(sql))
        while True:
            batch = self._run(lambda: cursor.fetchmany(size))
            if not batch:
                return
            yield batch

    def arrays(self, sql: str) -> Mapping[str, NDArray[Any]]:
        """The columns of an answer as arrays; nulls are masked or NaN, as DuckDB gives them."""
        found: Mapping[str, NDArray[Any]] = self._run(lambda: self._connection.execute(sql).fetchnumpy())
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Something that changes the scratch database."""
        self._run(lambda: self._connection.execute(sql, parameters or None))

    def offer(self, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Let queries see arrays as a table until `withdraw`."""
        self._run(lambda: self._connection.register(name, dict(columns)))

    def withdraw(self, name: str) -> None:
        """Let go of arrays."""
        self._run(lambda: self._connection.unregister(name))

    def _run(self, work: Any) -> Any:
        self.check_time()
        try:
            return work()
        except self._duckdb.InterruptException as error:
            raise OverBudget(self._why or "the query was interrupted") from error
        except self._duckdb.OutOfMemoryException as error:
            raise OverBudget(
                f"a query takes more than {self.policy.limits.memory >> 20:,} MiB of memory "
                f"and {self.policy.limits.disk >> 30:,} GiB of disk"
            ) from error
        except self._duckdb.Error as error:
            raise Malformed(_said(error)) from error
        except MemoryError as error:
            raise OverBudget("an answer does not fit into memory") from error
        except UnicodeDecodeError as error:
            raise Malformed("a text in it is not in the encoding it claims") from error

    # ── limits ──

    @property
    def seconds(self) -> float:
        """Since it was opened."""
        return time.monotonic() - self._began

    def check_time(self) -> None:
        """Raises OverBudget once the time is up."""
        if self.seconds > self.policy.limits.seconds:
            raise OverBudget(f"looking at it takes more than {self.policy.limits.seconds:g} seconds")

    def _watching(self) -> None:
        limits = self.policy.limits
        while not self._closed.wait(0.25):
            if self.seconds > limits.seconds:
                self._why = f"looking at it takes more than {limits.seconds:g} seconds"
            elif _used(self._scratch) > limits.disk:
                self._why = f"it takes more than {limits.disk >> 30:,} GiB of temporary disk"
            else:
                continue
            self._connection.interrupt()

    def close(self) -> None:
        """Let go of the database and delete everything that was written."""
        self._closed.set()
        self._watch.join()
        self._connection.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Engine:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it."""
        self.close()


def _used(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def _said(error: Exception) -> str:
    """DuckDB's first line, without its own kind of error and without the query."""
    lines = str(error).splitlines() or [type(error).__name__]
    text = lines[0].strip()
    if "CSV Error" in text:
        # The second line is the data's; the third says what is wrong with it.
        text = " ".join([text, *(line.strip() for line in lines[2:3])])
    for _ in range(2):
        head, colon, rest = text.partition(": ")
        if colon and head.endswith("Error"):
            text = rest
    if not text[1:2].isupper():
        text = text[:1].lower() + text[1:]
    return text[:300] or type(error).__name__


def as_array(column: Any, kind: Any = None) -> NDArray[Any]:
    """A column of `arrays` without its mask: masked numbers become NaN, masked objects None."""
    import numpy as np

    if isinstance(column, np.ma.MaskedArray) and not np.ma.getmaskarray(column).any():
        # Numbers of 64 bits do not survive a way through floats.
        column = column.data
    if isinstance(column, np.ma.MaskedArray):
        if column.dtype == object:
            known: NDArray[Any] = column.data.copy()
            known[np.ma.getmaskarray(column)] = None
            return known
        filled: NDArray[Any] = np.where(np.ma.getmaskarray(column), np.nan, column.data.astype(np.float64))
        return filled if kind is None else filled.astype(kind)
    found: NDArray[Any] = np.asarray(column)
    return found if kind is None else found.astype(kind)
