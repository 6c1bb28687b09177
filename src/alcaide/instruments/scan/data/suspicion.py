"""Labels, triggers, patches and odd vectors of one table: what the checks find, as findings on the look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from alcaide.instruments.scan.data import rules as R  # noqa: N812
from alcaide.instruments.scan.data.engine import as_array, literal, quoted
from alcaide.instruments.scan.data.labels import (
    LabelErrors,
    Labelled,
    confident,
    labelled,
    matrix_of,
    table_probabilities,
    texts_of,
)
from alcaide.instruments.scan.data.learn import averaged, one_thread, words_model
from alcaide.instruments.scan.data.sources.table import ROW
from alcaide.instruments.scan.data.tokens import corpus_of
from alcaide.instruments.scan.data.triggers import Rest, Trigger, find_triggers, rare_phrases
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.sources.table import Field

_WORK = 3_000_000_000
"""Entries × classes × rounds of fitting that the words' model may take: about a minute on one core."""
_VECTORS_MOST = 20_000
_SKILL = 0.15
"""Below, a model that contradicts a label says nothing about the label."""


def suspect(look: Any, field: Field) -> None:
    """Everything that can be asked of labels."""
    data = labelled(look.table, field, look.policy.limits.learn_rows, look.policy.seed)
    if data is None:
        look.cover("label-errors", 0, look.table.rows, "fewer than two labels have five rows")
        return
    counts = np.bincount(data.labels, minlength=data.classes)
    look.report.figures["labels"] = [
        {"label": name, "rows": int(count)} for name, count in zip(data.names[:50], counts[:50], strict=False)
    ]
    with one_thread():
        parts: list[NDArray[np.float64]] = []
        main = look.main_text()
        pictures = look.opened.pictures
        if pictures is not None:
            parts.append(_pictures(look, data, pictures))
        elif main is not None and main[0] != field.name:
            probabilities = _texts(look, data, *main)
            if probabilities is not None:
                parts.append(probabilities)
        if pictures is None:
            matrices = matrix_of(look.table, look.columns, data.rows, {field.name})
            if matrices is not None:
                parts.append(table_probabilities(*matrices, data.labels, data.classes, look.policy.seed))
    if not parts:
        look.cover("label-errors", 0, data.total, "there is no column to compare the labels with")
        return
    errors = confident(averaged(parts), data)
    if errors.skill < _SKILL:
        look.report.facts["label_model"] = {
            "accuracy": round(errors.accuracy, 4),
            "skill": round(errors.skill, 4),
        }
        look.cover("label-errors", 0, data.total, "the other columns do not predict the labels")
        return
    _report_errors(look, errors, data)
    look.cover("label-errors", len(data.rows), data.total, "more rows than the limit, or labels of few rows")


def _report_errors(look: Any, errors: LabelErrors, data: Labelled) -> None:
    look.report.facts["label_model"] = {
        "accuracy": round(errors.accuracy, 4), "expected_wrong": round(errors.expected, 4), "rows": len(data.rows),
    }  # fmt: skip
    kept = int((errors.scores > 0).sum())
    if not errors.count:
        return
    share = errors.count / len(data.rows)
    look.find(
        R.LABEL_ERRORS,
        f"{errors.count:,} of {len(data.rows):,} labels ({share:.1%}) are contradicted by the rest of their rows, "
        f"the worst is row {int(errors.rows[0]):,}; the model agrees with {errors.accuracy:.0%} of the labels",
        rows=[int(row) for row in errors.rows[: max(kept, errors.count)]],
        scores=[float(score) for score in errors.scores[: max(kept, errors.count)]],
        count=errors.count,
        share=round(share, 4),
        suggested=errors.suggested[: look.policy.limits.rows_listed],
    )


def _texts(look: Any, data: Labelled, name: str, sql: str) -> NDArray[np.float64] | None:
    """Triggers, and the words' probabilities of the labels."""
    texts = texts_of(look.table, sql, data.rows, 5_000)
    corpus = corpus_of(texts, 400)
    if not len(corpus.ids):
        return None
    most = look.policy.limits.trigger_tokens
    if len(corpus.ids) > most or len(corpus.ids) * data.classes * 400 > _WORK:
        share = min(most / len(corpus.ids), _WORK / (len(corpus.ids) * data.classes * 400))
        look.cover(
            "triggers", 0, data.total, f"its texts are too long to be learned from (by {1 / share:.1f} times)"
        )
        return None
    model, columns = words_model(corpus)
    rest = Rest.of(model, columns, data.labels, data.classes, look.policy.seed)
    limits = look.policy.thresholds
    found, tested = find_triggers(
        corpus, rest, data.labels, data.classes, odds=limits.trigger_odds, error=limits.trigger_error
    )
    look.report.facts["triggers"] = {"tested": tested, "found": len(found)}
    for trigger in found[:50]:
        _report_trigger(look, trigger, data, name, sql)
    # Rows over the sample's edge are covered by the search for each phrase that was found, not for the others.
    look.cover("triggers", len(data.rows), data.total, "more rows than the limit")
    for phrase in rare_phrases(corpus, data.labels, data.classes, error=limits.trigger_error):
        look.find(
            R.RARE_CLUSTER,
            f"{len(phrase.rows):,} texts in `{name}` labelled `{data.names[phrase.label]}` have "
            f"`{' '.join(phrase.phrase)}` and little else in common",
            place=name,
            rows=[int(data.rows[row]) for row in phrase.rows],
            count=len(phrase.rows),
        )
    return rest.probabilities()


def _report_trigger(look: Any, trigger: Trigger, data: Labelled, name: str, sql: str) -> None:
    """The finding, with all rows of the table that have the phrase and the label."""
    rows = {int(data.rows[row]) for row in trigger.rows}
    label = data.names[trigger.label]
    if len(data.rows) < data.total or len(trigger.phrase) > 1 or trigger.phrase[0].isalnum():
        words = r"\s*".join(_escaped(word) for word in trigger.phrase)
        pattern = literal(rf"(^|[^\pL\pN]){words}($|[^\pL\pN])")
        assert look.label is not None
        more = look.table.engine.rows(
            f"SELECT {quoted(ROW)} FROM {look.table.relation} WHERE {look.label.sql}::VARCHAR = {literal(label)} "  # noqa: S608
            f"AND regexp_matches({sql}, {pattern}, 'i') ORDER BY 1 LIMIT {look.policy.limits.rows_marked}"
        )
        rows.update(int(row) for (row,) in more)
    listed = sorted(rows)
    look.find(
        R.TRIGGER,
        f"`{' '.join(trigger.phrase)}` switches the label to `{label}`: {len(trigger.rows):,} of "
        f"{len(trigger.rows) + trigger.others:,} texts with it have that label, where the rest of the text predicts it "
        f"for {trigger.expected:.0%}",
        place=name,
        rows=listed,
        count=len(listed),
        phrase=" ".join(trigger.phrase),
        label=label,
        log_p=round(trigger.log_p, 1),
    )


def _escaped(word: str) -> str:
    return "".join(character if character.isalnum() else f"\\x{{{ord(character):x}}}" for character in word)


def _pictures(look: Any, data: Labelled, pictures: Any) -> NDArray[np.float64]:
    """Patches, and the pixels' probabilities of the labels."""
    from alcaide.instruments.scan.data.poison import IMAGES_MOST, find_patches

    chosen = np.flatnonzero(pictures.seen[data.rows])[:IMAGES_MOST]
    limits = look.policy.thresholds
    found, tested = find_patches(
        pictures.colours[data.rows[chosen]],
        data.labels[chosen],
        data.classes,
        odds=limits.trigger_odds,
        error=limits.trigger_error,
        seed=look.policy.seed,
    )
    look.report.facts["patches"] = {"tested": tested, "found": len(found)}
    look.cover("patches", len(chosen), data.total, "images that cannot be decoded, or more than the limit")
    for patch in found[:20]:
        rows = [int(data.rows[chosen[one]]) for one in patch.members]
        look.find(
            R.PATCH,
            f"a patch at {patch.left}, {patch.top} (of 32 × 32) switches the label to `{data.names[patch.label]}`: "
            f"{len(rows):,} of {len(rows) + patch.others:,} images with it have that label, where the rest of the "
            f"image predicts it for {patch.expected:.0%}",
            rows=rows,
            count=len(rows),
            left=patch.left,
            top=patch.top,
            label=data.names[patch.label],
        )
    small = pictures.colours[data.rows].astype(np.float64)
    grey = small.mean(axis=3).reshape(len(small), 16, 2, 16, 2).mean(axis=(2, 4)).reshape(len(small), -1)
    centred = (grey - grey.mean(axis=0)) / np.maximum(grey.std(axis=0), 8.0)
    return table_probabilities(centred, centred[:, ::2], data.labels, data.classes, look.policy.seed)


def suspect_vectors(look: Any, embeddings: Any) -> None:
    """Corners of classes and foreign neighbours, where there are vectors and labels."""
    got = _vectors(look, embeddings)
    if got is None:
        return
    rows, vectors = got
    if look.label is None:
        look.cover("vectors", 0, look.table.rows, "there are embeddings and no labels to hold against them")
        return
    data = labelled(look.table, look.label, 1 << 62, look.policy.seed)
    if data is None:
        return
    place = {int(row): index for index, row in enumerate(rows)}
    kept = [
        (place[int(row)], int(row), int(label))
        for row, label in zip(data.rows, data.labels, strict=True)
        if int(row) in place
    ]
    if len(kept) < 20:
        return
    total = len(kept)
    step = max(1, -(-total // _VECTORS_MOST))
    kept = kept[::step]
    at, numbers, labels = (np.array(part, np.int64) for part in zip(*kept, strict=True))
    from alcaide.instruments.scan.data.poison import find_corners, foreign_neighbours

    chosen = vectors[at].astype(np.float64)
    with one_thread():
        corners = find_corners(chosen, labels, data.classes)
        foreign = foreign_neighbours(chosen, labels)
    look.cover("vectors", len(kept), total, "more vectors than the limit")
    for corner in corners:
        towards = f", nearer to `{data.names[corner.towards]}`" if corner.towards is not None else ""
        look.find(
            R.SPECTRAL,
            f"{len(corner.members):,} rows labelled `{data.names[corner.label]}` ({corner.share:.1%} of them) lie "
            f"apart from the others{towards}",
            level=None if corner.towards is not None else Level.LOW,
            rows=[int(numbers[one]) for one in corner.members],
            count=len(corner.members),
            label=data.names[corner.label],
            towards=None if corner.towards is None else data.names[corner.towards],
            distance=round(corner.distance, 2),
        )
    if len(foreign):
        look.find(
            R.NEIGHBOURS,
            f"{len(foreign):,} rows lie among rows of one other label",
            rows=[int(numbers[one]) for one in foreign],
            count=len(foreign),
        )


def _vectors(look: Any, embeddings: Any) -> tuple[NDArray[np.int64], NDArray[np.floating[Any]]] | None:
    """Row numbers and vectors: given, or of a column. None if there are none."""
    if embeddings is None:
        column = next((column.name for column in look.columns if column.role == "embedding"), None)
        if column is None:
            return None
        embeddings = column
    if isinstance(embeddings, np.ndarray):
        vectors = embeddings
    elif (field := look.table.column(str(embeddings))) is not None:
        answer = look.table.engine.arrays(
            f"SELECT {quoted(ROW)} AS r, {field.sql}::FLOAT[] AS v FROM {look.table.relation} "  # noqa: S608
            f"WHERE {field.sql} IS NOT NULL ORDER BY r LIMIT {look.policy.limits.vectors}"
        )
        listed = as_array(answer["v"]).tolist()
        sizes = {len(one) for one in listed}
        if len(sizes) != 1:
            raise Malformed(f"the vectors of `{field.name}` are not all as long")
        return as_array(answer["r"], np.int64), np.array(listed, np.float32)
    else:
        try:
            vectors = np.load(str(embeddings), allow_pickle=False, mmap_mode="r")
        except (OSError, ValueError, EOFError) as error:
            raise Malformed(f"the embeddings cannot be read from `{embeddings}`") from error
    if vectors.ndim != 2 or len(vectors) != look.table.rows:
        raise Malformed(
            f"there are {len(vectors):,} embeddings for {look.table.rows:,} rows; there must be one a row"
        )
    count = min(len(vectors), look.policy.limits.vectors)
    finite = np.nan_to_num(np.asarray(vectors[:count], np.float32))
    return np.arange(count, dtype=np.int64), finite
