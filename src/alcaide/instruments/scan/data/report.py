"""What a look at a data set says: its columns, its findings with row numbers, and how much of it was looked at.

Rows are counted from 0 in the order of the file (over several files: in the order of their names), as data frames
count them. A finding lists the first rows it means in `detail["rows"]`; all of them, with a score each, are in
`DataReport.marks` under the finding's rule, because a bench and a page need the whole list and a message does not.

INVARIANT: no value of a column that holds personal data or a secret is repeated anywhere in a report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from alcaide.instruments.scan.model import Finding, Level, Outcome, outcome_of

if TYPE_CHECKING:
    from collections.abc import Mapping

Role = Literal[
    "empty",
    "constant",
    "identifier",
    "boolean",
    "number",
    "time",
    "category",
    "text",
    "conversation",
    "embedding",
    "nested",
    "binary",
]
"""What a column is for, as far as its values show it."""

Kind = Literal["personal", "special", "secret", "instruction", "quasi-identifier"]
"""What sort of thing a sighting is: special categories are those of GDPR article 9(1)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that is in a column, and how it is known."""

    category: str
    """`EMAIL_ADDRESS`, `secret`, `prompt-injection`, `RELIGION`…: the guard's words, and ours where it has none."""
    kind: Kind
    by: Literal["guard", "shape", "name", "values"]
    """The guard's detectors, an expression over the column, the column's name, or a dictionary of its values."""
    rows: int
    """How many rows have it: counted where `looked` is all rows, estimated from those looked at otherwise."""
    looked: int
    """Rows that were looked at to say so."""
    score: float = 1.0
    """How sure the surest case is, in [0, 1]."""


@dataclass(slots=True)
class ColumnProfile:
    """One column: what it is, how it is distributed, what is in it."""

    name: str
    type: str
    """As the engine names it: `BIGINT`, `VARCHAR`, `FLOAT[384]`…"""
    role: Role = "empty"
    rows: int = 0
    nulls: int = 0
    distinct: int = 0
    """Approximate (HyperLogLog, about 2 % off), exact below a few dozen."""
    minimum: float | str | None = None
    """Of numbers, dates and times only: the least and greatest text would be somebody's name."""
    maximum: float | str | None = None
    mean: float | None = None
    quantiles: tuple[float, ...] = ()
    """At 1, 5, 25, 50, 75, 95, 99 %, approximate (t-digest)."""
    length: tuple[int, float, int] | None = None
    """Least, mean and greatest length of texts in characters."""
    top: tuple[tuple[str, int], ...] = ()
    """The most frequent values of categories, where nothing personal is in them."""
    sightings: list[Sighting] = field(default_factory=list)

    def has(self, kind: Kind) -> bool:
        """Whether something of this sort was seen in it."""
        return any(sighting.kind == kind for sighting in self.sightings)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much one check looked at. A finding of its own says what it did not look at, unless it is an estimate."""

    check: str
    looked: int
    total: int
    unit: str = "rows"
    why: str = ""
    """Why not all; "" where all was looked at."""
    estimate: bool = False
    """A statistic over a random sample: the rest cannot hide anything from it but a small error."""

    @property
    def share(self) -> float:
        """In [0, 1]; 1 of nothing."""
        return 1.0 if self.total <= 0 else min(1.0, self.looked / self.total)


@dataclass(frozen=True, slots=True)
class Marks:
    """All rows that a rule means, worst first, each with a score whose order counts."""

    rows: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass(slots=True)
class DataReport:
    """What one look at a data set found."""

    source: str
    kind: str
    """`csv`, `parquet`, `jsonl`, `arrow`, `text`, `images`, `sqlite`, `postgresql`, `memory`, `qdrant`…"""
    rows: int = 0
    size: int = 0
    """Bytes, 0 where it is not a file."""
    sha256: str | None = None
    """Of the file, or of the sorted list of a folder's names and digests."""
    columns: list[ColumnProfile] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    marks: dict[str, Marks] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    """What the readers and checks say that is no problem: encoding, delimiter, label column, model accuracy… JSON."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What a page draws: label distribution, duplicate group sizes, shift per column, projected embeddings. JSON."""
    edition: str = ""
    fail_on: Level = Level.MEDIUM
    seconds: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """Failed at a finding of `fail_on` or worse, else unknown if a part was not looked at, else passed."""
        if not self.coverage:
            return Outcome.UNKNOWN  # nothing was looked at
        return outcome_of(self.findings, self.fail_on)

    def counts(self) -> dict[str, int]:
        """How many findings of each level, worst first."""
        counted = dict.fromkeys((level.value for level in Level), 0)
        for finding in self.findings:
            counted[finding.level.value] += 1
        return counted

    def column(self, name: str) -> ColumnProfile:
        """One column by its name. Raises KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> Mapping[str, Any]:
        """The report as JSON holds it; of the marks, their rules and counts, since lists of rows can be long."""
        import msgspec

        plain: dict[str, Any] = msgspec.to_builtins(
            {
                "source": self.source,
                "kind": self.kind,
                "rows": self.rows,
                "size": self.size,
                "sha256": self.sha256,
                "outcome": self.outcome,
                "fail_on": self.fail_on,
                "counts": self.counts(),
                "columns": self.columns,
                "findings": [finding._asdict() for finding in self.findings],
                "coverage": self.coverage,
                "facts": self.facts,
                "figures": self.figures,
                "edition": self.edition,
                "seconds": self.seconds,
            }
        )
        plain["marks"] = {rule: len(marks.rows) for rule, marks in self.marks.items()}
        return plain
