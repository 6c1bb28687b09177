"""How a data set is distributed against a reference version of it: effect sizes first, significance second.

With a million rows every difference is significant; so a column has shifted when its effect is large enough to
matter *and* the difference is no accident of the samples. Both sets are sampled by the hash of their row numbers.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alcaide.instruments.scan.data.engine import as_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.policy import DataThresholds
    from alcaide.instruments.scan.data.report import ColumnProfile
    from alcaide.instruments.scan.data.sources.table import Field, Table

    Floats = NDArray[np.float64]

BINS = 10
_VALUES = 50


@dataclass(frozen=True, slots=True)
class Shift:
    """One column, then and now."""

    column: str
    test: str
    """`ks` for numbers, times and the lengths of texts, `chi2` for categories."""
    effect: float
    """Kolmogorov-Smirnov distance, or Cramér's V."""
    p: float
    psi: float
    missing: tuple[float, float]
    """Share of values missing in the reference and now."""

    def matters(self, thresholds: DataThresholds) -> bool:
        """Whether it is large enough to be said, and no accident."""
        least = thresholds.ks if self.test == "ks" else thresholds.cramer
        shifted = self.p < 0.001 and (self.effect >= least or self.psi >= thresholds.psi_some)
        return shifted or abs(self.missing[0] - self.missing[1]) >= 0.1

    def is_major(self, thresholds: DataThresholds) -> bool:
        """Whether it is major."""
        return self.psi >= thresholds.psi_much and self.p < 0.001


def ks(one: Floats, other: Floats) -> tuple[float, float]:
    """Distance of the two empirical distributions, and its asymptotic p-value (Stephens 1970)."""
    if not len(one) or not len(other):
        return 0.0, 1.0
    both = np.sort(np.concatenate([one, other]))
    first = np.searchsorted(np.sort(one), both, "right") / len(one)
    second = np.searchsorted(np.sort(other), both, "right") / len(other)
    distance = float(np.abs(first - second).max())
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.2:
        return distance, 1.0
    p = 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return distance, min(1.0, max(0.0, p))


def psi(expected: Floats, actual: Floats) -> float:
    """Population stability index of two lists of counts; empty cells count as half a row."""
    e = np.maximum(expected, 0.5) / max(1.0, float(np.maximum(expected, 0.5).sum()))
    a = np.maximum(actual, 0.5) / max(1.0, float(np.maximum(actual, 0.5).sum()))
    return float(((a - e) * np.log(a / e)).sum())


def psi_of_numbers(reference: Floats, current: Floats) -> float:
    """In tenths of the reference."""
    if not len(reference) or not len(current):
        return 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, BINS + 1)[1:-1]))
    expected = np.bincount(np.searchsorted(edges, reference, "right"), minlength=len(edges) + 1)
    actual = np.bincount(np.searchsorted(edges, current, "right"), minlength=len(edges) + 1)
    return psi(expected.astype(float), actual.astype(float))


def chi2(one: Floats, other: Floats) -> tuple[float, float]:
    """Cramér's V of two lists of counts, and the p-value of the chi-squared test of their being alike."""
    table = np.vstack([one, other])
    table = table[:, table.sum(axis=0) > 0]
    total = table.sum()
    if table.shape[1] < 2 or not total or not table.sum(axis=1).all():
        return 0.0, 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    statistic = float(((table - expected) ** 2 / expected).sum())
    degrees = table.shape[1] - 1
    # Wilson & Hilferty 1931: the cube root of chi-squared over its degrees is nearly normal.
    z = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))
    return math.sqrt(statistic / total), 0.5 * math.erfc(z / math.sqrt(2))


def shifts(
    current: Table,
    columns: Sequence[ColumnProfile],
    reference: Table,
    reference_columns: Sequence[ColumnProfile],
) -> list[Shift]:
    """Each column that both have, of the same sort; both tables must have been sampled."""
    known = {
        column.name: (column, source)
        for column, source in zip(reference_columns, reference.columns, strict=True)
    }
    found = []
    for column, field in zip(columns, current.columns, strict=True):
        before = known.get(column.name)
        if before is None or column.role in {"identifier", "binary", "embedding"}:
            continue
        then, source = before
        missing = (then.nulls / max(1, then.rows), column.nulls / max(1, column.rows))
        if column.role in {"category", "boolean", "constant"} or then.role in {
            "category",
            "boolean",
            "constant",
        }:
            a, b = _counts(reference, source), _counts(current, field)
            order = sorted({*a, *b}, key=lambda value: (-(a[value] + b[value]), value))[:_VALUES]
            one, other = (np.array([float(counts[value]) for value in order]) for counts in (a, b))
            one, other = (
                np.append(listed, max(0.0, sum(counts.values()) - listed.sum()))
                for listed, counts in ((one, a), (other, b))
            )
            effect, p = chi2(one, other)
            found.append(Shift(column.name, "chi2", effect, p, psi(one, other), missing))
        else:
            first, second = _numbers(reference, source), _numbers(current, field)
            if len(first) and len(second):
                distance, p = ks(first, second)
                found.append(Shift(column.name, "ks", distance, p, psi_of_numbers(first, second), missing))
    return sorted(found, key=lambda one: (-one.psi, one.column))


def _numbers(table: Table, field: Field) -> Floats:
    if field.is_number:
        value = f"{field.sql}::DOUBLE"
    elif field.is_time:
        value = f"epoch({field.sql}::TIMESTAMP)"
    else:
        value = f"length({field.sql}::VARCHAR)::DOUBLE"
    answer = table.engine.arrays(f"SELECT {value} AS v FROM sampled WHERE {field.sql} IS NOT NULL")
    values = as_array(answer["v"], np.float64)
    found: Floats = values[np.isfinite(values)]
    return found


def _counts(table: Table, field: Field) -> Counter[str]:
    return Counter(
        {
            str(value): int(count)
            for value, count in table.engine.rows(
                f"SELECT {field.sql}::VARCHAR, count(*) FROM sampled WHERE {field.sql} IS NOT NULL "
                f"GROUP BY 1 ORDER BY 2 DESC LIMIT 1000"
            )
        }
    )
