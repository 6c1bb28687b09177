"""The corpus: texts written for this, which nothing was trained on."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from alcaide.instruments.guard.detectors.personal_data.labels import class_of
from tests.unit.instruments.guard.personal_data.finding import findings

CORPUS = Path(__file__).parents[4] / "corpus/guard/personal_data.jsonl"


@lru_cache(maxsize=1)
def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]


def test_nine_entities_in_ten_are_found_and_nine_findings_in_ten_are_right() -> None:
    counts: Counter[str] = Counter()
    for row in rows():
        truth = [(start, end, class_of(kind)) for start, end, kind in row.get("spans", [])]
        ours = [(one.span.start, one.span.end, class_of(one.category)) for one in findings(row["text"])]
        counts["truth"] += len(truth)
        counts["found"] += len(ours)
        counts["hit"] += sum(any(_meets(one, other) for other in ours) for one in truth)
        counts["right"] += sum(any(_meets(one, other) for other in truth) for one in ours)

    assert counts["hit"] >= 0.9 * counts["truth"]
    assert counts["right"] >= 0.9 * counts["found"]


def test_texts_without_personal_data_raise_no_warning() -> None:
    for row in rows():
        if not row["label"]:
            assert [one for one in findings(row["text"]) if one.level != "note"] == [], row["text"]


def _meets(one: tuple[int, int, str | None], other: tuple[int, int, str | None]) -> bool:
    return one[2] == other[2] and one[0] < other[1] and other[0] < one[1]
