"""The texts made for training: reproducible, various, and without a tell-tale of the label."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
TEXTS = ROOT / "tools/guard/texts"
FILES = {
    path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for path in sorted(TEXTS.glob("injection_*.jsonl"))
}
ROWS = [row for rows in FILES.values() for row in rows]


def test_the_files_are_what_their_script_writes():
    done = subprocess.run(
        [sys.executable, "tools/guard/write_texts.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_every_row_has_its_fields():
    fields = {"id", "source", "text", "label", "category", "lang", "licence", "group"}

    assert all(fields <= row.keys() and row["licence"] == "CC0-1.0" and row["text"].strip() for row in ROWS)


def test_no_text_has_two_labels():
    labels = defaultdict(set)
    for row in ROWS:
        labels[" ".join(row["text"].lower().split())].add(row["label"])

    assert [text for text, found in labels.items() if len(found) > 1] == []


@pytest.mark.parametrize("lang", sorted({row["lang"] for row in FILES["injection_multilingual"]}))
def test_a_language_says_nothing_of_the_label(lang):
    labels = Counter(row["label"] for row in FILES["injection_multilingual"] if row["lang"] == lang)

    assert abs(labels[0] - labels[1]) <= 0.1 * labels.total()


def test_twins_stand_in_the_same_containers():
    attacks, twins = (
        Counter(row["group"] for row in FILES["injection_indirect"] if row["label"] == label)
        for label in (1, 0)
    )

    assert attacks.keys() == twins.keys()


def test_spans_mark_where_the_attack_stands():
    for row in FILES["injection_indirect"]:
        assert bool(row.get("spans")) == bool(row["label"])
        for start, end, kind in row.get("spans", ()):
            assert kind == "attack"
            assert 0 <= start < end <= len(row["text"])


def test_the_files_stay_within_six_megabytes():
    assert sum(path.stat().st_size for path in TEXTS.glob("*.jsonl")) < 6_000_000
