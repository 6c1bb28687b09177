"""`dataset-scanned`: the rows of a dataset were looked at, and this is what was found.

The figures are about these bytes and no others: a dataset that grew is another subject. Rows are named by the numbers
or keys that the dataset gives them, never by their content, since what was found may be personal data.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.artifact_scanned import Level, Outcome, check_outcome
from alcaide.predicates.base import Predicate

MAX_FINDINGS = 500
MAX_ROWS = 20
MAX_COLUMNS = 1_000


class DataFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem, in how many rows, and some of them.

    `columns` are those concerned; `count` is how many rows have it, `rows` the identifiers of at most twenty.
    """

    rule: str
    level: Level
    message: str
    columns: tuple[str, ...] = ()
    count: int | None = None
    rows: tuple[str, ...] = ()
    fingerprint: str = ""
    taxonomy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.rows) > MAX_ROWS:
            raise InvalidInput(
                f"`rows` names {len(self.rows)} rows, over the limit of {MAX_ROWS}; name the first"
            )


class ColumnClass(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is in a column: its type, and the classes of data that were found in it with the share of rows."""

    name: str
    type: str
    classes: dict[str, float] = msgspec.field(default_factory=dict)


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure by name: `exact-duplicate-share`, `label-error-share`; without `value`, the rows could not give it."""

    name: str
    value: float | None = None


class DatasetScanned(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are the dataset by its digests, as `predicates.content` has them, or by that of its description.

    `outcome` follows from the findings as in `artifact-scanned`. `rows` is how many there are; `rows_read` how many of
    them were looked at, where that is fewer. `against` names the datasets it was compared with, by digest.
    """

    TYPE: ClassVar[str] = "urn:alcaide:dataset-scanned:v1"
    TITLE: ClassVar[str] = "Dataset scanned"

    edition: str
    fail_on: Level
    outcome: Outcome
    counts: dict[str, int]
    findings: tuple[DataFinding, ...]
    findings_total: int
    rows: int
    root: str
    columns: tuple[ColumnClass, ...] = ()
    columns_total: int = 0
    measures: tuple[Measure, ...] = ()
    outcome_reason: str = ""
    policy: str = ""
    rows_read: int | None = None
    files: int = 1
    bytes: int = 0
    format: str = ""
    source: str = ""
    against: dict[str, str] = msgspec.field(default_factory=dict)
    facts: dict[str, Any] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        check_outcome(self.outcome, self.counts, self.fail_on, looked_at=self.rows > 0)
        if len(self.findings) > MAX_FINDINGS or len(self.columns) > MAX_COLUMNS:
            raise InvalidInput(
                f"at most {MAX_FINDINGS} findings and {MAX_COLUMNS} columns are listed; list the worst"
            )
        if self.findings_total != sum(self.counts.values()) or len(self.findings) > self.findings_total:
            raise InvalidInput("`findings_total` must be the sum of `counts`, and no fewer than are listed")
