"""CSV, TSV and their relatives, and plain text by lines.

The dialect is read off the first rows; every field is taken in as text, and a column gets a type only when all its
values have it, asked of the whole column. Rows that are too short or too long are kept and said: a reader that drops
them and one that pads them see two different sets.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import TYPE_CHECKING

from alcaide.instruments.scan.data.engine import Engine, literal, quoted
from alcaide.instruments.scan.data.rules import BROKEN_ROWS, MIXED_TYPES, ODD_CHARACTERS
from alcaide.instruments.scan.data.sources.encodings import open_packed, sniff_encoding, transcode
from alcaide.instruments.scan.data.sources.table import ROW, Field, Remark, Table, described, distinct_names
from alcaide.instruments.scan.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SAMPLE = 1 << 18
_MISSING = "\x01alcaide-missing\x01"
"""Stands for a field that a short row does not have, apart from one that is there and empty."""

_TYPES = ("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP")
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|\.\d+)([eE][-+]?\d+)?%?")


class Dialect:
    """How a delimited file is written."""

    def __init__(self, delimiter: str, quote: str, names: list[str], *, header: bool) -> None:
        self.delimiter = delimiter
        self.quote = quote
        self.names = names
        self.header = header


def sniff_dialect(text: str) -> Dialect | None:
    """The dialect of a text that begins like this; None if it is in no columns."""
    lines = [line for line in text.splitlines()[:400] if line.strip()]
    best: tuple[float, str, list[list[str]]] | None = None
    for delimiter in (",", "\t", ";", "|"):
        quote = '"'
        try:
            parsed = [
                row
                for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, quotechar=quote)
                if row
            ]
        except csv.Error:
            continue
        if not parsed:
            continue
        width, common = Counter(len(row) for row in parsed).most_common(1)[0]
        score = common / len(parsed) * (1 if width > 1 else 0) + min(width, 50) / 1000
        if width > 1 and (best is None or score > best[0]):
            best = (score, delimiter, parsed)
    if best is None or best[0] < 0.6:
        return None
    _, delimiter, parsed = best
    width = max(Counter(len(row) for row in parsed).most_common(1)[0][0], len(parsed[0]))
    header = looks_like_header(parsed[0], parsed[1:50])
    names = parsed[0] if header else [f"column{index}" for index in range(width)]
    names = names + [""] * (width - len(names))
    uses_quotes = any(line.startswith('"') or f'{delimiter}"' in line for line in lines)
    return Dialect(
        delimiter, '"' if uses_quotes or delimiter != "\t" else "", distinct_names(names), header=header
    )


def looks_like_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: distinct short words, no number, unlike what is below."""
    cells = [cell.strip() for cell in first]
    if any(_NUMBER.fullmatch(cell) for cell in cells) or len(set(cells)) < len(cells):
        return False
    if not any(cells) or max(map(len, cells)) > 120 or any("@" in cell for cell in cells):
        return False
    below = [{row[index].strip() for row in others if index < len(row)} for index in range(len(cells))]
    repeated = any(cell in values for cell, values in zip(cells, below, strict=True) if cell)
    return not repeated or not others


def read_delimited(engine: Engine, paths: Sequence[Path], compression: str) -> Table | None:
    """The files as one table; None if the first is in no columns. All of them must have its columns."""
    with open_packed(paths[0], compression) as stream:
        head = stream.read(_SAMPLE)
    encoding, sure = (engine.policy.encoding, True) if engine.policy.encoding else sniff_encoding(head)
    text = head.decode(encoding, "replace")
    dialect = sniff_dialect(text if len(head) < _SAMPLE else text.rpartition("\n")[0] or text)
    if dialect is None:
        return None
    table = Table(engine, "tsv" if dialect.delimiter == "\t" else "csv", "data", [], 0, paths=paths)
    table.facts.update(
        encoding=encoding, encoding_certain=sure, delimiter=dialect.delimiter, header=dialect.header
    )
    if len(dialect.names) > engine.policy.limits.columns:
        raise Malformed(f"it has {len(dialect.names):,} columns")
    columns = ", ".join(f"c{index} VARCHAR" for index in range(len(dialect.names)))
    engine.run(f"CREATE TABLE raw ({columns}, extra VARCHAR)")
    for path in paths:
        _load(table, path, encoding, compression, dialect)
    _remark_on_form(table, len(dialect.names))
    _type_columns(table, dialect.names)
    return table


def _load(table: Table, path: Path, encoding: str, compression: str, dialect: Dialect) -> None:
    """Take one file in, from a copy in UTF-8 where it is in another encoding or not wholly in its own."""
    engine = table.engine
    direct = encoding in {"utf-8", "utf-8-sig"}
    if direct:
        try:
            _insert(table, path, compression, dialect)
            return
        except Malformed as stop:
            if "unicode" not in stop.message.lower() and "utf-8" not in stop.message.lower():
                raise
            engine.run("DELETE FROM raw" if len(table.paths) == 1 else "SELECT 1")
    copy = engine.scratch / "decoded.txt"
    bad = transcode(path, copy, encoding, compression, engine.policy.limits.disk)
    try:
        _insert(table, copy, "none", dialect)
    finally:
        copy.unlink(missing_ok=True)
    if bad:
        table.remarks.append(
            Remark(
                ODD_CHARACTERS,
                f"{bad:,} places in `{path.name}` cannot be decoded as {encoding}",
                {"count": bad, "encoding": encoding},
            )
        )


def _insert(table: Table, path: Path, compression: str, dialect: Dialect) -> None:
    engine = table.engine
    names = [f"c{index}" for index in range(len(dialect.names))]
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in [*names, "extra"])
    for parallel in ("true", "false"):
        try:
            engine.run(
                f"INSERT INTO raw SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, "
                f"delim={literal(dialect.delimiter)}, quote={literal(dialect.quote)}, "
                f"escape={literal(dialect.quote)}, header={str(dialect.header).lower()}, columns={{{columns}}}, "
                f"nullstr={literal(_MISSING)}, null_padding=true, ignore_errors=true, store_rejects=true, "
                f"strict_mode=false, parallel={parallel}, compression='{compression}', "
                f"max_line_size={engine.policy.limits.line}, buffer_size={4 * engine.policy.limits.line})"
            )
            break
        except Malformed as stop:
            # With padding, a line break inside of quotes can be read only by one thread from the start.
            if parallel == "false" or "unicode" in stop.message.lower():
                raise
            engine.run("DELETE FROM reject_errors")
    rejected = engine.rows("SELECT line, error_type FROM reject_errors ORDER BY line LIMIT 50")
    (count,) = engine.row("SELECT count(DISTINCT line) FROM reject_errors")
    if count:
        table.lost += count
        table.remarks.append(
            Remark(
                BROKEN_ROWS,
                f"{count:,} lines of the file cannot be read as a row and were left out, the first is line "
                f"{rejected[0][0]:,} ({str(rejected[0][1]).lower()})",
                {"count": count, "lines": [line for line, _ in rejected]},
            )
        )
        engine.run("DELETE FROM reject_errors")
        engine.run("DELETE FROM reject_scans")


def _remark_on_form(table: Table, width: int) -> None:
    """Rows of another length than the header's, and NUL characters."""
    engine = table.engine
    every = " OR ".join(f"contains(c{index}, chr(0))" for index in range(width))
    for rule, condition, what in (
        (
            BROKEN_ROWS,
            f"extra IS NOT NULL OR c{width - 1} IS NULL",
            "have more or fewer fields than there are columns",
        ),
        (ODD_CHARACTERS, every, "hold a NUL character"),
    ):
        (count,) = engine.row(f"SELECT count(*) FROM raw WHERE {condition}")
        if count:
            rows = tuple(
                row
                for (row,) in engine.rows(f"SELECT rowid FROM raw WHERE {condition} ORDER BY rowid LIMIT 50")
            )
            table.remarks.append(
                Remark(rule, f"{count:,} rows {what}, the first is row {rows[0]:,}", {"count": count}, rows)
            )


def _type_columns(table: Table, names: list[str]) -> None:
    """Make the relation: each column as the narrowest type that all its values have."""
    engine = table.engine
    (table.rows,) = engine.row("SELECT count(*) FROM raw")
    kinds = [_type_of(table, index, name) for index, name in enumerate(names)]
    selected = [f"rowid AS {quoted(ROW)}"]
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        value = f"nullif(c{index}, '')"
        selected.append(f"{value if kind == 'VARCHAR' else f'try_cast({value} AS {kind})'} AS {quoted(name)}")
    selected_sql = ", ".join(selected)
    engine.run(f"CREATE VIEW data AS SELECT {selected_sql} FROM raw")
    table.columns = [Field(name, kind) for name, kind in zip(names, kinds, strict=True)]


def _type_of(table: Table, index: int, name: str) -> str:
    engine = table.engine
    column = f"c{index}"
    tried = ", ".join(f"count_if({_fits(column, kind)})" for kind in _TYPES)
    some, zeros, *fitting = engine.row(
        f"SELECT count(*), count_if(regexp_matches({column}, '^[-+]?0[0-9]')), {tried} "
        f"FROM (SELECT {column} FROM raw WHERE {column} <> '' LIMIT 20000)"
    )
    if not some or zeros:
        # 01234 is a code, not a number: as a number it would not be the same again.
        return "VARCHAR"
    for kind, fits in zip(_TYPES, fitting, strict=True):
        if (
            kind == "BOOLEAN"
            and engine.row(
                f"SELECT count(*) FROM (SELECT {column} FROM raw WHERE {column} <> '' LIMIT 20000) "
                f"WHERE lower({column}) NOT IN ('true', 'false')"
            )[0]
        ):
            continue
        if fits < 0.99 * some:
            continue
        odd, leading = engine.row(
            f"SELECT count_if(NOT {_fits(column, kind)}), "
            f"count_if(regexp_matches({column}, '^[-+]?0[0-9]')) FROM raw WHERE {column} <> ''"
        )
        if leading and kind in {"BIGINT", "DOUBLE"}:
            return "VARCHAR"
        if not odd:
            return kind
        wider = _TYPES[_TYPES.index(kind) + 1]
        if kind == "BIGINT" and fitting[1] >= fits and _all_fit(engine, column, wider):
            return wider
        if kind == "DATE" and _all_fit(engine, column, "TIMESTAMP"):
            return "TIMESTAMP"
        rows = tuple(
            row
            for (row,) in engine.rows(
                f"SELECT rowid FROM raw WHERE {column} <> '' AND NOT {_fits(column, kind)} "
                "ORDER BY rowid LIMIT 50"
            )
        )
        table.remarks.append(
            Remark(
                MIXED_TYPES,
                f"{odd:,} values of column `{name}` are not of the type that the others have "
                f"({kind.lower()}), the first is in row {rows[0]:,}",
                {"column": name, "type": kind, "count": odd},
                rows,
            )
        )
        return "VARCHAR"
    return "VARCHAR"


def _fits(column: str, kind: str) -> str:
    """Whether a text is of a type, in SQL. To the engine `31.7` is a whole number, 32; to us it is not."""
    whole = f" AND regexp_full_match({column}, '\\s*[-+]?[0-9]+\\s*')" if kind == "BIGINT" else ""
    return f"(try_cast({column} AS {kind}) IS NOT NULL{whole})"


def _all_fit(engine: Engine, column: str, kind: str) -> bool:
    (odd,) = engine.row(f"SELECT count(*) FROM raw WHERE {column} <> '' AND NOT {_fits(column, kind)}")
    return not odd


def read_lines(engine: Engine, paths: Sequence[Path], compression: str) -> Table:
    """Plain text: one row a line, in a column `text`."""
    table = Table(engine, "text", "data", [], 0, paths=paths)
    engine.run("CREATE TABLE raw (text VARCHAR)")
    for path in paths:
        with open_packed(path, compression) as stream:
            head = stream.read(_SAMPLE)
        encoding, sure = (engine.policy.encoding, True) if engine.policy.encoding else sniff_encoding(head)
        table.facts.update(encoding=encoding, encoding_certain=sure)
        try:
            if encoding not in {"utf-8", "utf-8-sig"}:
                raise Malformed("unicode")
            _insert_lines(engine, path, compression)
        except Malformed as stop:
            if "unicode" not in stop.message.lower() and "utf-8" not in stop.message.lower():
                raise
            copy = engine.scratch / "decoded.txt"
            bad = transcode(path, copy, encoding, compression, engine.policy.limits.disk)
            _insert_lines(engine, copy, "none")
            copy.unlink(missing_ok=True)
            if bad:
                table.remarks.append(
                    Remark(
                        ODD_CHARACTERS, f"{bad:,} places in `{path.name}` cannot be decoded", {"count": bad}
                    )
                )
    (table.rows,) = engine.row("SELECT count(*) FROM raw")
    engine.run(f"CREATE VIEW data AS SELECT rowid AS {quoted(ROW)}, text FROM raw")
    table.columns = described(engine, "data")
    return table


def _insert_lines(engine: Engine, path: Path, compression: str) -> None:
    engine.run(
        f"INSERT INTO raw SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, delim={literal(chr(1))}, "
        "quote='', escape='', header=false, columns={'text': 'VARCHAR'}, strict_mode=false, null_padding=false, "
        f"compression='{compression}', max_line_size={engine.policy.limits.line}, "
        f"buffer_size={4 * engine.policy.limits.line})"
    )
