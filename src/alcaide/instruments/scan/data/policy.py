"""How a data set is looked at: what it may cost, from where on something counts, and what the organisation accepts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class DataLimits:
    """The most that one look may cost. What they do not pay for is said by an Unknown finding."""

    seconds: float = 900.0
    """Wall clock, over all checks."""
    memory: int = 1 << 30
    """Bytes the query engine may hold; our own arrays add up to about half as much again."""
    disk: int = 64 << 30
    """Bytes of temporary files: staged rows, sorted runs."""
    threads: int = 2
    files: int = 100_000
    columns: int = 2_000
    line: int = 16 << 20
    """Bytes of one CSV line or JSON object."""
    sample_rows: int = 50_000
    """Rows kept at hand for what cannot be asked in SQL; drawn by a hash of the row number, so always the same."""
    text: int = 20_000
    """Characters of one value that are looked at by what reads text."""
    guard_values: int = 1_000
    """Values of a column that the guard reads, once the first 200 have said that it is worth it."""
    guard_seconds: float = 40.0
    """Over all columns."""
    learn_rows: int = 100_000
    similar_rows: int = 1_000_000
    """Rows between which near duplicates are looked for."""
    similar_seconds: float = 180.0
    trigger_tokens: int = 12_000_000
    images: int = 200_000
    vectors: int = 200_000
    rows_listed: int = 50
    """Row numbers in a finding's detail."""
    rows_marked: int = 200_000
    """Row numbers kept per rule in the report."""


@dataclass(frozen=True, slots=True)
class DataThresholds:
    """From where on a figure is a finding. Each number says where it is from."""

    psi_some: float = 0.1
    psi_much: float = 0.25
    """Population stability index: below 0.1 none, above 0.25 a major shift (Siddiqi, Credit Risk Scorecards, 2006)."""
    ks: float = 0.1
    """Kolmogorov-Smirnov distance that matters whatever its p-value: a tenth of the rows lie elsewhere."""
    cramer: float = 0.1
    """Cramér's V: 0.1 is a small effect (Cohen, Statistical Power Analysis, 1988, for one degree of freedom)."""
    near: float = 0.8
    """Jaccard similarity of word 3-grams from which two texts are near duplicates (Lee et al. 2022 use 0.8)."""
    contaminated: float = 0.7
    """Share of a benchmark item's 8-grams found in the data (PaLM, Chowdhery et al. 2022, section 8)."""
    trigger_odds: float = 10.0
    """By how much a word may shift the odds of a label before it is no word of the language but a switch. Ours."""
    trigger_error: float = 0.001
    """Family-wise error rate over all n-grams tested (Bonferroni)."""
    hub: float = 10.0
    """A vector is a hub if it is among the neighbours of this many times more vectors than the average one is."""
    unique: float = 0.05
    """Share of rows that are alone with their birth date, sex and place: 0.87 in the US census (Sweeney 2000)."""


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """How to look, and what is accepted."""

    fail_on: Level = Level.MEDIUM
    limits: DataLimits = field(default_factory=DataLimits)
    thresholds: DataThresholds = field(default_factory=DataThresholds)
    accepts: frozenset[str] = frozenset()
    """Rule ids or `rule:category` pairs (`data/personal-data:EMAIL_ADDRESS`) that a person has accepted here: they
    are still reported, as low."""
    sample_is_enough: frozenset[str] = frozenset()
    """Checks (`guard`, `near-duplicates`, `label-errors`…) for which a sample will do: no Unknown for the rest."""
    encoding: str | None = None
    """Of CSV and text; found out if None."""
    s3: Mapping[str, str] = field(default_factory=dict)
    """`endpoint`, `region`, `key_id`, `secret`, `url_style` for `s3://` sources."""
    seed: int = 7
    digest: str = ""
    """SHA-256 of the file it was read from; "" for the policy that ships."""
