"""A set against another: rows and texts that both have (leakage), and items of a benchmark (contamination)."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data import rules as R  # noqa: N812
from alcaide.instruments.scan.data.copies import Benchmark, near_shared, shared_rows
from alcaide.instruments.scan.data.engine import quoted
from alcaide.instruments.scan.data.sources.table import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.data.policy import DataPolicy
    from alcaide.instruments.scan.data.sources import Given, Opened
    from alcaide.instruments.scan.data.sources.table import Table

_ITEMS_MOST = 200_000
_NEAR_MOST = 100_000
_CONTAMINATION_SECONDS = 120.0


@contextmanager
def open_other(source: Given, policy: DataPolicy) -> Iterator[Opened]:
    """Another set, open while it is compared with."""
    from alcaide.instruments.scan.data.sources import open_source

    opened = open_source(source, policy)
    try:
        yield opened
    finally:
        opened.engine.close()


def compare(look: Any, name: str, source: Given) -> None:
    """Everything a set can share with another; findings go onto the look."""
    with open_other(source, look.policy) as other:
        _rows(look, name, other.table)
        _texts(look, name, other.table)


def _rows(look: Any, name: str, other: Table) -> None:
    """Rows whose shared columns are all the same, with and without the label."""
    mine = look.comparable()
    pairs = [(field, theirs) for field in mine if (theirs := other.column(field.name)) is not None]
    if not pairs:
        look.cover(f"leakage:{name}", 0, look.table.rows, "the two sets have no column in common")
        return
    rows = shared_rows(
        look.table,
        other,
        [one for one, _ in pairs],
        [two for _, two in pairs],
        look.policy.limits.rows_marked,
    )
    look.cover(f"leakage:{name}", look.table.rows, look.table.rows)
    if len(rows):
        share = len(rows) / max(1, look.table.rows)
        look.find(
            R.LEAKAGE,
            f"{len(rows):,} rows ({share:.1%}) are in `{name}` too, compared by {len(pairs)} columns",
            place=name,
            rows=[int(row) for row in rows],
            count=len(rows),
            columns=[one.name for one, _ in pairs][:50],
        )


def _texts(look: Any, name: str, other: Table) -> None:
    """Texts that are near copies of the other's, and the other's items found piece by piece in the data."""
    theirs = _their_texts(other, look)
    main = look.main_text()
    if not theirs or main is None:
        return
    column, sql = main
    got = look.rows_and_texts(_NEAR_MOST)
    if got is not None:
        rows, texts, _ = got
        found = near_shared(texts, rows, theirs[:_NEAR_MOST], look.policy.thresholds.near, look.policy.seed)
        filled = next(one.rows - one.nulls for one in look.columns if one.name == column)
        look.cover(f"near-leakage:{name}", len(rows), filled, "more texts than the limit")
        if found:
            look.find(
                R.LEAKAGE,
                f"{len(found):,} texts in `{column}` are copies or near copies of texts in `{name}`",
                place=name,
                rows=[row for row, _, _ in found],
                scores=[similarity for *_, similarity in found],
                count=len(found),
                pairs=[[row, item, round(similarity, 3)] for row, item, similarity in found[:50]],
            )
    _contamination(look, name, theirs, column, sql)


def _contamination(look: Any, name: str, theirs: list[str], column: str, sql: str) -> None:
    benchmark = Benchmark(theirs[:_ITEMS_MOST])
    engine = look.table.engine
    deadline = engine.seconds + _CONTAMINATION_SECONDS
    fed = 0
    for batch in engine.batches(
        f"SELECT {quoted(ROW)}, left({sql}, {look.policy.limits.text}) FROM {look.table.relation} "
        f"WHERE {sql} IS NOT NULL"
    ):
        benchmark.feed([str(text) for _, text in batch], [int(row) for row, _ in batch])
        fed += len(batch)
        if engine.seconds > deadline:
            break
    filled = next(one.rows - one.nulls for one in look.columns if one.name == column)
    look.cover(f"contamination:{name}", fed, filled, "the time for it was up")
    result = benchmark.result(look.policy.thresholds.contaminated)
    look.report.facts.setdefault("contamination", {})[name] = {
        "items": result.items, "too_short": result.short, "found": len(result.found),
    }  # fmt: skip
    if result.found:
        rows = sorted({row for listed in result.rows.values() for row in listed})
        look.find(
            R.CONTAMINATION,
            f"{len(result.found):,} of {result.items:,} items of `{name}` are in `{column}` (at least "
            f"{look.policy.thresholds.contaminated:.0%} of their runs of eight words)",
            place=name,
            rows=rows,
            count=len(result.found),
            items=[item for item, _ in result.found[:50]],
        )


def _their_texts(other: Table, look: Any) -> list[str]:
    """The other's texts: of the columns that this set reads too, or else of its longest column of text."""
    shared = [field for name in look.texts if (field := other.column(name)) is not None and field.is_text]
    if not shared:
        texts = [field for field in other.columns if field.is_text]
        if not texts:
            return []
        lengths = other.engine.row(
            "SELECT "
            + ", ".join(f"coalesce(avg(length({field.sql})), 0)" for field in texts)
            + f" FROM {other.relation}"
        )
        shared = [max(zip(lengths, range(len(texts)), texts, strict=True))[2]]
        if max(lengths) < 20:
            return []
    joined = " || ' ' || ".join(f"coalesce({field.sql}, '')" for field in shared[:1])
    limit = look.policy.limits.text
    return [
        str(text)
        for (text,) in other.engine.rows(
            f"SELECT left({joined}, {limit}) FROM {other.relation} ORDER BY {quoted(ROW)} LIMIT {_ITEMS_MOST}"
        )
    ]
