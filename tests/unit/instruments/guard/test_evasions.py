"""Each known disguise over each of some attacks stays detected, and the disguise alone is no crime."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alcaide.instruments.guard import Guard
from alcaide.instruments.guard.model import Action
from tests.unit.instruments.guard.injection.looking import SHIPPED, score_in_any_reading

ROOT = Path(__file__).parents[4]
ROWS = [
    json.loads(line) for line in (ROOT / "tests/corpus/guard/evasions.jsonl").read_text("utf-8").splitlines()
]
TRICKS = sorted({row["trick"] for row in ROWS})
# Letters swapped inside words break every phrase, and the learned model sees only some of it: a known gap.
BEYOND_SIGNATURES = {"typos"}


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if trick not in BEYOND_SIGNATURES])
def test_every_attack_is_seen_through_the_disguise(trick):
    missed = [
        row["attack"]
        for row in ROWS
        if row["trick"] == trick and row["label"] and score_in_any_reading(row["text"]) < SHIPPED
    ]

    assert missed == []


@pytest.fixture(scope="module")
def guard():
    return Guard()


@pytest.mark.parametrize("trick", [trick for trick in TRICKS if trick not in BEYOND_SIGNATURES])
def test_the_guard_blocks_every_attack_in_the_disguise(guard, trick):
    let_through = [
        row["attack"]
        for row in ROWS
        if row["trick"] == trick and row["label"] and guard.check(row["text"]).action is not Action.BLOCK
    ]

    assert let_through == []


@pytest.mark.parametrize("trick", TRICKS)
def test_a_harmless_sentence_in_the_same_disguise_is_let_through(trick):
    (row,) = [row for row in ROWS if row["trick"] == trick and not row["label"]]

    assert score_in_any_reading(row["text"]) < SHIPPED


def test_seventy_disguises_are_in_the_corpus():
    assert len(TRICKS) >= 70


def test_the_corpus_is_what_its_script_writes():
    done = subprocess.run(
        [sys.executable, "tools/guard/write_evasions.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")
