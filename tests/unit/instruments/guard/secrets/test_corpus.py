"""Places where people put secrets, and what only looks like one: found, exactly, and nothing else.

The corpus was written for this detector, so these figures are a floor against decay and no measure of quality; that
is measured on sources it never saw (docs/guard/secrets.md).
"""

from __future__ import annotations

from functools import lru_cache

import pytest

from alcaide.instruments.guard.model import Finding
from tests.unit.instruments.guard.secrets.looking import seen
from tests.unit.instruments.guard.secrets.made import Row, rows

SEEDS = (1, 2, 3)


@lru_cache(maxsize=len(SEEDS))
def looked_at(seed: int) -> tuple[tuple[Row, list[Finding]], ...]:
    """The corpus of one seed with what the detector sees in it."""
    return tuple((row, seen(row.text)) for row in rows(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_secret_is_found_with_its_exact_extent(seed):
    wrong = []
    total = 0
    for row, findings in looked_at(seed):
        found = {(finding.span.start, finding.span.end) for finding in findings}
        total += len(row.secrets)
        wrong.extend((row.id, row.text[start:end]) for start, end in row.secrets if (start, end) not in found)
    # Passwords are drawn anew; about one in a thousand reads like a word.
    assert len(wrong) <= total * 0.01, wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_else_is_called_a_secret(seed):
    wrong = []
    for row, findings in looked_at(seed):
        for finding in findings:
            if not any(finding.span.start < end and start < finding.span.end for start, end in row.secrets):
                wrong.append((row.id, finding.rule, row.text[finding.span.start : finding.span.end]))
    assert wrong == []
