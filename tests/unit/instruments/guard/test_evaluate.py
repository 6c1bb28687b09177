"""The figures, against values worked out by hand, and the reading of rows."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from alcaide.instruments.guard import evaluate
from alcaide.kernel.errors import InvalidInput, TooLarge


def scores(*values: float) -> evaluate.Floats:
    return np.array(values, dtype=np.float64)


def labels(*values: int) -> evaluate.Labels:
    return np.array(values, dtype=np.bool_)


# Positives 0.9, 0.6, 0.4; negatives 0.7, 0.4, 0.1. Of 9 pairs, 0.9 wins 3, 0.6 wins 2, 0.4 wins 1 and ties 1.
SCORES = scores(0.9, 0.7, 0.6, 0.4, 0.4, 0.1)
LABELS = labels(1, 0, 1, 1, 0, 0)


def test_auroc_counts_won_pairs_and_half_of_ties():
    assert evaluate.auroc(SCORES, LABELS) == pytest.approx(6.5 / 9)


def test_auroc_of_one_kind_alone_is_unknown():
    assert evaluate.auroc(scores(0.1, 0.2), labels(0, 0)) is None
    assert evaluate.auroc(scores(0.1, 0.2), labels(1, 1)) is None


def test_auroc_is_one_when_all_positives_stand_above_and_half_when_scores_say_nothing():
    assert evaluate.auroc(scores(0.9, 0.8, 0.2), labels(1, 1, 0)) == 1.0
    assert evaluate.auroc(scores(0.5, 0.5, 0.5, 0.5), labels(1, 0, 1, 0)) == 0.5


def test_average_precision_weighs_precision_by_the_recall_gained():
    # thresholds 0.9: P 1/1 R 1/3; 0.6: P 2/3 R 2/3; 0.4: P 3/5 R 1.
    assert evaluate.average_precision(SCORES, LABELS) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)


def test_average_precision_without_positives_is_unknown():
    assert evaluate.average_precision(scores(0.5), labels(0)) is None


def test_recall_at_a_rate_takes_the_best_threshold_within_it():
    negatives = np.arange(100) / 1000  # 0.000 … 0.099
    with_two = np.append(negatives, (0.0985, 0.5))
    truth = np.append(np.zeros(100, dtype=np.bool_), (True, True))
    # One false alarm (0.099) is allowed: 0.0985 is then flagged too.
    assert evaluate.recall_at(with_two, truth, 0.01) == 1.0
    with_lower = np.append(negatives, (0.0975, 0.5))
    assert evaluate.recall_at(with_lower, truth, 0.01) == 0.5


def test_recall_at_a_rate_that_so_few_negatives_cannot_show_is_unknown():
    assert evaluate.recall_at(SCORES, LABELS, 0.01) is None


def test_counts_and_rates_at_a_threshold():
    at = evaluate.at_threshold(SCORES, LABELS, 0.6)

    assert (at.true_positives, at.false_positives, at.false_negatives, at.true_negatives) == (2, 1, 1, 2)
    assert at.precision == pytest.approx(2 / 3)
    assert at.recall == pytest.approx(2 / 3)
    assert at.f1 == pytest.approx(2 / 3)
    assert at.false_positive_rate == pytest.approx(1 / 3)


def test_a_rate_over_nothing_is_unknown_rather_than_zero():
    at = evaluate.at_threshold(scores(0.1), labels(0), 0.5)
    assert at.precision is None
    assert at.recall is None
    assert at.f1 is None


def test_calibration_error_is_the_gap_weighted_by_how_many_texts_it_concerns():
    # Bar 0.2–0.3: mean 0.25, share 0.5, two texts; bar 0.9–1: mean 0.95, share 1, two texts.
    error = evaluate.calibration_error(scores(0.2, 0.3 - 1e-9, 0.9, 1.0), labels(0, 1, 1, 1))
    assert error == pytest.approx((2 * 0.25 + 2 * 0.05) / 4)


def test_reliability_puts_every_score_into_one_bar():
    bars = evaluate.reliability(scores(0.0, 0.1, 0.999, 1.0), labels(0, 0, 1, 1))
    assert [bar.count for bar in bars] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bars[5].mean_score is None
    assert bars[9].share_positive == 1.0


def test_an_interval_holds_the_figure_and_is_the_same_for_the_same_seed():
    generator = np.random.default_rng(3)
    truth = generator.random(400) < 0.5
    given = generator.random(400) * 0.5 + truth * 0.3

    first = evaluate.estimated(evaluate.auroc, given, truth, draws=200, seed=1)
    again = evaluate.estimated(evaluate.auroc, given, truth, draws=200, seed=1)

    assert first == again
    assert first.low is not None
    assert first.value is not None
    assert first.high is not None
    assert first.low < first.value < first.high
    assert first.high - first.low < 0.15


def test_the_interval_of_an_unknown_figure_is_unknown():
    assert evaluate.estimated(evaluate.auroc, scores(0.1), labels(0)) == evaluate.Estimate(None)


def test_exact_spans_need_both_ends_and_the_type():
    wanted = [[(0, 4, "NAME"), (10, 15, "NAME")], []]
    found = [[(0, 4, "NAME"), (10, 14, "NAME"), (20, 25, "IBAN")], [(3, 5, "NAME")]]

    figures = evaluate.span_figures(wanted, found)

    assert figures.expected == 2
    assert figures.found == 4
    assert figures.precision == pytest.approx(1 / 4)
    assert figures.recall == pytest.approx(1 / 2)
    assert figures.f1 == pytest.approx(1 / 3)


def test_overlapping_spans_count_if_they_share_a_character_of_one_type():
    wanted = [[(0, 4, "NAME"), (10, 15, "NAME"), (30, 40, "IBAN")]]
    found = [[(0, 20, "NAME"), (35, 36, "NAME"), (40, 41, "IBAN")]]

    figures = evaluate.span_figures(wanted, found, overlap=True)

    assert figures.recall == pytest.approx(2 / 3)
    assert figures.precision == pytest.approx(1 / 3)


def test_a_long_span_that_begins_first_is_seen_behind_a_short_one():
    figures = evaluate.span_figures([[(50, 60, "A")]], [[(0, 100, "A"), (10, 12, "A")]], overlap=True)
    assert figures.recall == 1.0


def test_spans_of_nothing_have_no_figures_and_missed_ones_have_zero():
    assert evaluate.span_figures([[]], [[]]).f1 is None
    assert evaluate.span_figures([[(0, 1, "A")]], [[]]).f1 == 0.0


def test_speed_is_over_all_bytes_and_all_time():
    timing = evaluate.speed(np.array([0.001] * 99 + [0.101]), np.full(100, 1000))
    assert timing.p50 == 0.001
    assert timing.megabytes_per_second == pytest.approx(0.1 / 0.2)


def test_everything_at_once_refuses_scores_that_are_no_numbers():
    with pytest.raises(InvalidInput, match="not a finite number"):
        evaluate.evaluated(scores(float("nan")), labels(1), threshold=0.5)
    with pytest.raises(InvalidInput, match="2 scores for 1 labels"):
        evaluate.evaluated(scores(0.1, 0.2), labels(1), threshold=0.5)


def test_everything_at_once_holds_each_figure():
    result = evaluate.evaluated(SCORES, LABELS, threshold=0.6, draws=50)
    assert result.positives == 3
    assert result.auroc.value == pytest.approx(6.5 / 9)
    assert result.at_threshold.true_positives == 2
    assert result.recall_at_1_percent.value is None


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_read_from_plain_and_compressed_files(tmp_path: Path):
    content = (
        b'{"text": "hello", "label": 0}\n\n{"text": "x", "label": 1, "spans": [[0, 1, "A"]], "lang": "en"}\n'
    )
    plain, packed = tmp_path / "rows.jsonl", tmp_path / "rows.jsonl.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))

    read = list(evaluate.rows(plain))

    assert read == list(evaluate.rows(packed))
    assert [row.label for row in read] == [False, True]
    assert read[1].spans == ((0, 1, "A"),)
    assert read[1].lang == "en"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "not a JSON object"),
        ('{"label": 1}', "no `text`"),
        ('{"text": 3, "label": 1}', "no `text`"),
        ('{"text": "a"}', "label `None`"),
        ('{"text": "a", "label": 2}', "label `2`"),
        ('{"text": "a", "label": "1"}', "label `1`"),
        ('{"text": "a", "label": 1, "spans": [[0, 2, "A"]]}', "in a text of 1 characters"),
        ('{"text": "a", "label": 1, "spans": [[0, "1"]]}', r"write \[start, end, type\]"),
        ('{"text": "a", "label": 1, "spans": {}}', "not a list"),
        ('{"text": "a", "label": 1, "lang": 5}', "`lang`"),
    ],
)
def test_a_bad_row_is_named_by_its_line(line: str, message: str):
    with pytest.raises(InvalidInput, match=message) as caught:
        evaluate.from_text('{"text": "fine", "label": 0}\n' + line, name="bad.jsonl")
    assert "`bad.jsonl` line 2" in str(caught.value)


def test_a_line_over_the_bound_is_refused_without_reading_all_of_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluate, "LONGEST_LINE", 100)
    with pytest.raises(TooLarge, match="line 1"):
        list(evaluate.parsed(io.BytesIO(b'{"text": "' + b"a" * 1000), name="long"))


def test_a_file_that_unfolds_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluate, "LARGEST_FILE", 1000)
    path = tmp_path / "bomb.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "aaaa", "label": 0}\n' * 100))
    with pytest.raises(TooLarge, match="too long"):
        list(evaluate.rows(path))


def test_a_broken_archive_and_a_missing_file_are_errors_for_a_person(tmp_path: Path):
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"not gzip at all")
    for path in (broken, tmp_path / "missing.jsonl"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            list(evaluate.rows(path))


def test_half_a_character_in_a_text_is_replaced_rather_than_carried_on():
    (row,) = evaluate.from_text('{"text": "a\\ud800", "label": 0}')
    assert row.text == "a?"
