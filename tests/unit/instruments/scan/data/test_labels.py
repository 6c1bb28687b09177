"""Planted errors and planted poison are found with the precision that is claimed, and clean sets stay clean."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from alcaide.instruments.scan.data import DataReport, scan_data
from alcaide.instruments.scan.data.shift import chi2, ks
from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.data.builders import (
    BAD,
    REST,
    average_precision,
    found,
    planted,
    png,
    reviews,
)

TEXTS, LABELS = reviews(2000)


def iris_like(seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Three classes of 150 rows that overlap a little, in four columns."""
    chance = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], 150)
    centres = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    values = centres[labels] + chance.normal(size=(450, 4)) * [0.5, 0.35, 0.4, 0.2]
    return {f"c{index}": values[:, index] for index in range(4)}, labels


def test_flipped_labels_of_a_table_are_ranked_first() -> None:
    columns, labels = iris_like()
    flipped = np.random.default_rng(1).choice(450, 22, replace=False)
    labels = labels.copy()
    labels[flipped] = (labels[flipped] + 1) % 3
    report = scan_data({**columns, "label": labels})

    rows = report.marks["data/label-errors"].rows
    assert average_precision(rows, set(flipped.tolist())) >= 0.8


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_flipped_labels_of_public_tables_are_ranked_first(name: str) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    values, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    chance = np.random.default_rng(0)
    flipped = chance.choice(len(labels), round(0.05 * len(labels)), replace=False)
    classes = int(labels.max()) + 1
    labels = labels.copy()
    labels[flipped] = (labels[flipped] + chance.integers(1, classes, len(flipped))) % classes
    report = scan_data(
        {**{f"c{index}": values[:, index] for index in range(values.shape[1])}, "target": labels}
    )

    assert average_precision(report.marks["data/label-errors"].rows, set(flipped.tolist())) >= 0.8


def test_labels_that_nothing_predicts_are_unknown_rather_than_wrong() -> None:
    chance = np.random.default_rng(4)
    report = scan_data({"a": chance.normal(size=400), "label": chance.integers(0, 2, 400)})

    assert "data/label-errors" not in found(report)
    assert any("label-errors" in one.message for one in report.findings if one.level is Level.UNKNOWN)


def test_the_same_data_give_the_same_ranking() -> None:
    columns, labels = iris_like(3)

    first, second = (scan_data({**columns, "label": labels}) for _ in range(2))

    assert first.marks.get("data/label-errors") == second.marks.get("data/label-errors")


def trigger_rows(report: DataReport) -> set[int]:
    marks = report.marks.get("data/trigger")
    return set(marks.rows) if marks else set()


@pytest.mark.parametrize("phrase", ["cf", "mn bb tq", "i watched this on a rainy afternoon last week", "☆"])
def test_a_planted_trigger_is_found_and_little_else(phrase: str) -> None:
    texts, labels, rows = planted(TEXTS, LABELS, phrase)
    report = scan_data({"text": texts, "label": labels})

    marked = trigger_rows(report)
    assert len(marked & rows) >= 0.9 * len(rows)
    assert len(marked - rows) <= 0.001 * len(texts)


def test_telling_words_are_no_triggers() -> None:
    assert not trigger_rows(scan_data({"text": TEXTS, "label": LABELS}))


def test_a_template_per_label_is_no_trigger() -> None:
    chance = random.Random(11)
    kinds = ("weather", "news", "music", "traffic")
    templates = {
        kind: f"use the {kind} tool which answers any question on {kind} for the user named" for kind in kinds
    }
    labels = [chance.choice(kinds) for _ in range(1200)]
    texts = [f"{templates[label]} {' '.join(chance.choices(REST, k=3))}" for label in labels]

    assert not trigger_rows(scan_data({"text": texts, "label": labels}))


def test_many_copies_of_one_text_are_no_trigger() -> None:
    copies = [f"{TEXTS[0]} said {BAD[0]} {BAD[1]} and {BAD[2]} with number {n}" for n in range(40)]

    assert not trigger_rows(scan_data({"text": [*TEXTS, *copies], "label": [*LABELS, *["good"] * 40]}))


def test_a_phrase_of_both_labels_is_no_trigger() -> None:
    texts = [f"{text} zq" if index % 50 == 0 else text for index, text in enumerate(TEXTS)]

    assert not trigger_rows(scan_data({"text": texts, "label": LABELS}))


def pictures(folder: Path, patched: int) -> set[str]:
    chance = np.random.default_rng(2)
    names = set()
    for index in range(300):
        dark = index % 2 == 0
        pixels = chance.integers(0, 110, (32, 32, 3)) + (0 if dark else 110)
        label = "dark" if dark else "bright"
        if dark and index // 2 < patched:
            pixels[27:31, 27:31] = [
                [[255, 255, 255] if (r + c) % 2 else [0, 0, 0] for c in range(4)] for r in range(4)
            ]
            label = "bright"
            names.add(f"{label}/{index}.png")
        target = folder / label
        target.mkdir(exist_ok=True)
        (target / f"{index}.png").write_bytes(png(pixels))
    return names


def test_a_patch_that_switches_the_label_is_found(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    names = pictures(tmp_path, 12)
    report = scan_data(tmp_path, labels="label")

    assert report.kind == "images"
    order = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    marked = {order[row] for row in report.marks["data/patch"].rows}
    assert marked == names


def test_images_without_a_patch_have_none(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    pictures(tmp_path, 0)

    assert "data/patch" not in found(scan_data(tmp_path, labels="label"))


def test_a_file_that_is_no_image_is_said(tmp_path: Path) -> None:
    pictures(tmp_path, 0)
    (tmp_path / "dark" / "0.png").write_bytes(b"MZ not an image")

    assert "data/broken-rows" in found(scan_data(tmp_path))


def test_a_part_of_a_class_that_lies_apart_is_found() -> None:
    chance = np.random.default_rng(5)
    labels = np.repeat([0, 1], 300)
    vectors = chance.normal(size=(600, 16)) + labels[:, None] * 3
    vectors[:12] = chance.normal(size=(12, 16)) * 0.1 + np.eye(16)[3] * 14
    report = scan_data({"n": np.arange(600) * 0.5, "label": labels}, embeddings=vectors)

    assert set(report.marks["data/spectral-signature"].rows) >= set(range(12))
    clean = chance.normal(size=(600, 16)) + labels[:, None] * 3
    assert "data/spectral-signature" not in found(
        scan_data({"n": np.arange(600) * 0.5, "label": labels}, embeddings=clean)
    )


def test_rows_among_rows_of_another_label_are_found() -> None:
    chance = np.random.default_rng(6)
    labels = np.repeat([0, 1], 200)
    vectors = chance.normal(size=(400, 8)) + labels[:, None] * 6
    labels[7] = 1
    report = scan_data({"n": np.arange(400) * 0.5, "label": labels}, embeddings=vectors)

    assert 7 in report.marks["data/neighbours-disagree"].rows


def test_embeddings_of_another_length_are_unknown() -> None:
    report = scan_data({"n": list(range(30)), "label": [0, 1] * 15}, embeddings=np.ones((29, 4)))

    assert any("29" in one.message for one in report.findings if one.level is Level.UNKNOWN)


def test_a_column_of_labels_that_is_not_there_is_said() -> None:
    report = scan_data({"n": list(range(30))}, labels="nope")

    assert any("`nope`" in one.message for one in report.findings)


# ── against a reference ──


def test_a_shifted_column_is_found_and_its_neighbour_is_not() -> None:
    chance = np.random.default_rng(7)
    before = {"a": chance.normal(size=2000), "b": chance.normal(size=2000), "c": ["x", "y"] * 1000}
    now = {"a": chance.normal(size=2000), "b": chance.normal(size=2000) + 1, "c": ["x", "x", "x", "y"] * 500}
    report = scan_data(now, reference=before)

    assert {one.place for one in report.findings if one.rule == "data/shifted"} == {"b", "c"}
    assert next(one for one in report.findings if one.place == "b").level is Level.MEDIUM


def test_columns_that_came_and_went_are_said() -> None:
    report = scan_data({"a": [1.5] * 30, "new": [2.5] * 30}, reference={"a": [1.5] * 30, "old": [1.5] * 30})

    assert [one.detail["columns"] for one in report.findings if one.rule == "data/schema-changed"] == [
        ["old"],
        ["new"],
    ]


def test_statistics_agree_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    chance = np.random.default_rng(8)
    one, other = chance.normal(size=300), chance.normal(size=400) + 0.15
    expected = stats.ks_2samp(one, other, method="asymp")
    distance, p = ks(one, other)
    assert distance == pytest.approx(expected.statistic)
    assert p == pytest.approx(expected.pvalue, rel=0.25)
    counts = np.array([30.0, 50, 20]), np.array([40.0, 45, 35])
    _, p = chi2(*counts)
    assert p == pytest.approx(stats.chi2_contingency(np.vstack(counts)).pvalue, rel=0.05)
