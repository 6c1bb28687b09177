"""Labels that the rest of the data contradict: confident learning (Northcutt, Jiang & Chuang 2021).

Each row gets probabilities from models that did not see it. A class's threshold is the mean probability that rows of
that label have for it; a row whose probability for another class reaches that class's threshold counts as wrongly
labelled, and rows are ranked by how much more the other class is expected than the given one. Thresholds per class
make up for classes that are rare or that the model is timid about.

What it cannot do: tell a wrong label from a rare case. The rows are for a person to look at, worst first.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from alcaide.instruments.scan.data.engine import as_array, quoted
from alcaide.instruments.scan.data.learn import (
    Dense,
    Model,
    Neighbours,
    averaged,
    cross_validated,
    words_model,
)
from alcaide.instruments.scan.data.sources.table import ROW, Field, Table
from alcaide.instruments.scan.data.tokens import corpus_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.report import ColumnProfile

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CLASSES_MOST = 200
_NEIGHBOURS_MOST = 10_000
_WAVES = 300
_COLUMNS_MOST = 800
LABEL_NAMES = frozenset(
    [
        "label",
        "labels",
        "target",
        "class",
        "classes",
        "y",
        "category",
        "outcome",
        "intent",
        "sentiment",
        "topic",
        "etikett",
        "klasse",
        "ziel",
        "etiqueta",
        "classe",
        "clase",
        "etiquette",
        "标签",
        "类别",
        "ラベル",
        "метка",
    ]
)


@dataclass(slots=True)
class Labelled:
    """Rows with a label, ready to learn from."""

    rows: Ints
    """Their row numbers."""
    labels: Ints
    names: list[str]
    total: int
    """Labelled rows there are in the table; more than `rows` where they were sampled."""

    @property
    def classes(self) -> int:
        return len(self.names)


@dataclass(slots=True)
class LabelErrors:
    """Which rows are likely to be labelled wrongly."""

    rows: Ints
    """Row numbers, worst first: those over the threshold, then the others by how doubtful they are."""
    scores: Floats
    """In [-1, 1]: by how much the most likely other label is more likely than the given one."""
    count: int
    """How many of the first are over the threshold."""
    suggested: list[str]
    accuracy: float
    """Share of rows for which the model expects the given label."""
    skill: float
    """How much better than guessing: 0 for guessing, 1 for always right, over classes of equal weight."""
    expected: float
    """Share of rows that confident learning estimates to be wrong."""


def guess_label(table: Table, columns: Sequence[ColumnProfile]) -> str | None:
    """The column that looks like the label, by its name, if it has few enough values."""
    from alcaide.instruments.scan.data.words import folded

    for column, field in zip(columns, table.columns, strict=True):
        if field.is_nested or column.role in {
            "identifier",
            "empty",
            "constant",
            "embedding",
            "binary",
            "time",
        }:
            continue
        name = folded(column.name)
        if (name in LABEL_NAMES or name.split()[-1:] == ["label"]) and 2 <= column.distinct <= CLASSES_MOST:
            return column.name
    return None


def labelled(table: Table, field: Field, most: int, seed: int, least: int = 5) -> Labelled | None:
    """The rows with a label, at most about `most` of them; None if they have fewer than two labels of five rows each.

    Rows of labels with fewer than `least` rows are left out: nothing can be learned of them.
    """
    engine = table.engine
    counts = engine.rows(
        f"SELECT {field.sql}::VARCHAR AS l, count(*) FROM {table.relation} WHERE {field.sql} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {CLASSES_MOST + 1}"
    )
    total = sum(int(count) for _, count in counts)
    names = [str(name) for name, count in counts[:CLASSES_MOST] if count >= least]
    if len(names) < 2:
        return None
    share = min(1.0, most / max(1, total))
    where = "" if share >= 1 else f" AND hash({quoted(ROW)}, {seed}) < {int(share * (1 << 64))}::UBIGINT"
    answer = engine.arrays(
        f"SELECT {quoted(ROW)} AS r, {field.sql}::VARCHAR AS l FROM {table.relation} "
        f"WHERE {field.sql} IS NOT NULL{where} ORDER BY r"
    )
    rows, given = as_array(answer["r"], np.int64), as_array(answer["l"])
    number = {name: index for index, name in enumerate(sorted(names))}
    labels = np.array([number.get(str(one), -1) for one in given], np.int64)
    kept = labels >= 0
    rows, labels = rows[kept], labels[kept]
    if len(np.unique(labels)) < 2 or len(rows) < 20:
        return None
    return Labelled(rows, labels, sorted(names), total)


def texts_of(table: Table, expression: str, rows: Ints, limit: int) -> list[str]:
    """The texts of some rows, in their order. The rows travel as an array, whatever their number."""
    engine = table.engine
    engine.offer("wanted", {"r": rows})
    try:
        answer = engine.rows(
            f"SELECT left({expression}, {limit}) FROM wanted JOIN {table.relation} ON r = {quoted(ROW)} ORDER BY r"
        )
    finally:
        engine.withdraw("wanted")
    return ["" if text is None else str(text) for (text,) in answer]


def matrix_of(
    table: Table, columns: Sequence[ColumnProfile], rows: Ints, without: set[str]
) -> tuple[Floats, Floats] | None:
    """The other columns as numbers, in two views: standardised, and by rank with categories apart.

    None if there is no column to learn from: texts and identifiers are not.
    """
    engine = table.engine
    chosen = [
        (column, field)
        for column, field in zip(columns, table.columns, strict=True)
        if column.name not in without
        and column.role in {"number", "category", "boolean", "time", "embedding"}
    ]
    if not chosen:
        return None
    selected = ", ".join(
        f"{_as_number(column, field)} AS c{index}" for index, (column, field) in enumerate(chosen)
    )
    engine.offer("wanted", {"r": rows})
    try:
        answer = engine.arrays(
            f"SELECT {selected} FROM wanted JOIN {table.relation} ON r = {quoted(ROW)} ORDER BY r"
        )
    finally:
        engine.withdraw("wanted")
    plain: list[Floats] = []
    ranked: list[Floats] = []
    for index, (column, field) in enumerate(chosen):
        values = as_array(answer[f"c{index}"])
        if column.role == "embedding":
            block = np.array([one if one is not None else [] for one in values.tolist()], dtype=np.float64)
            plain.append(_standardised(block))
            ranked.append(_standardised(block))
            continue
        if column.role in {"category", "boolean"} and not field.is_number:
            block = _one_hot(values)
            plain.append(block)
            ranked.append(block)
            continue
        number = values.astype(np.float64)
        plain.append(_standardised(number[:, None]))
        ranked.append(_by_rank(number))
        if column.role == "category":
            ranked.append(_one_hot(values.astype(str)))
        if sum(block.shape[1] for block in ranked) > _COLUMNS_MOST:
            break
    return np.hstack(plain), np.hstack(ranked)


def _as_number(column: ColumnProfile, field: Field) -> str:
    if column.role == "embedding":
        return f"{field.sql}::FLOAT[]"
    if column.role == "time":
        return f"epoch({field.sql}::TIMESTAMP)"
    if field.is_number:
        return f"{field.sql}::DOUBLE"
    return f"{field.sql}::VARCHAR"


def _standardised(block: Floats) -> Floats:
    """Mean 0, deviation 1; what is missing is the mean; nothing lies further out than 8."""
    clean = np.where(np.isfinite(block), block, np.nan)
    with np.errstate(all="ignore"):
        mean = np.nan_to_num(np.nanmean(clean, axis=0)) if len(clean) else np.zeros(block.shape[1])
        deviation = np.nan_to_num(np.nanstd(clean, axis=0))
    filled = np.where(np.isnan(clean), mean, clean)
    found: Floats = np.clip((filled - mean) / np.maximum(deviation, 1e-9), -8, 8)
    return found


def _by_rank(values: Floats) -> Floats:
    """Uniform by rank, ties sharing theirs, beside whether it is missing."""
    missing = ~np.isfinite(values)
    filled = np.where(missing, 0.0, values)
    _, place, counts = np.unique(filled, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(values)
    rank = np.where(missing, 0.0, (middle[place] - 0.5) * 3.46)
    return np.column_stack([rank, missing.astype(float)]) if missing.any() else rank[:, None]


def _one_hot(values: NDArray[Any], most: int = 64) -> Floats:
    """A column for each of the most frequent values."""
    known, counts = np.unique(values.astype(str), return_counts=True)
    top = np.sort(known[np.argsort(-counts, kind="stable")[:most]])
    place = np.minimum(np.searchsorted(top, values.astype(str)), len(top) - 1)
    hit = top[place] == values.astype(str)
    block = np.zeros((len(values), len(top)))
    block[np.flatnonzero(hit), place[hit]] = 1.0
    return block


def table_probabilities(plain: Floats, ranked: Floats, labels: Ints, classes: int, seed: int) -> Floats:
    """Cross-validated probabilities from the columns: three regressions and the neighbours, averaged in log-odds."""
    random = np.random.default_rng(seed)
    count, width = plain.shape
    # Cosines of random directions: a regression on them bends as a Gaussian kernel does (Rahimi & Recht 2007).
    waves = _WAVES if count <= 20_000 else _WAVES // 3
    turned = np.cos(
        plain @ (random.normal(size=(width, waves)) / np.sqrt(width)) + random.uniform(0, 2 * np.pi, waves)
    )
    models: list[Model] = [Dense(plain), Dense(ranked), Dense(turned * np.sqrt(2), 3.0)]
    if count <= _NEIGHBOURS_MOST:
        models.append(Neighbours(plain))
    return averaged([cross_validated(model, labels, classes, seed=seed) for model in models])


def text_probabilities(texts: Sequence[str], labels: Ints, classes: int, seed: int) -> Floats:
    """Cross-validated probabilities from the words of texts."""
    model, _ = words_model(corpus_of(texts, 500))
    return cross_validated(model, labels, classes, seed=seed)


def confident(probabilities: Floats, data: Labelled) -> LabelErrors:
    """Confident learning over cross-validated probabilities."""
    count, classes = probabilities.shape
    each = np.arange(count)
    own = probabilities[each, data.labels]
    thresholds = np.array(
        [
            own[data.labels == label].mean() if (data.labels == label).any() else 1.0
            for label in range(classes)
        ]
    )
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = reached.argmax(axis=1)
    others = probabilities.copy()
    others[each, data.labels] = -1.0
    margin = others.max(axis=1) - own
    wrong = (reached.max(axis=1) > 0) & (likely != data.labels) & (margin > 0)
    order = np.lexsort((data.rows, -margin, ~wrong))
    right = probabilities.argmax(axis=1) == data.labels
    balanced = float(np.mean([right[data.labels == one].mean() for one in np.unique(data.labels)]))
    return LabelErrors(
        data.rows[order],
        margin[order],
        int(wrong.sum()),
        [data.names[label] for label in others.argmax(axis=1)[order[:1000]]],
        float(right.mean()),
        (balanced - 1 / classes) / (1 - 1 / classes),
        float(wrong.mean()),
    )
