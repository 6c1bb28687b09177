"""What a rule gets to see: records of the ledger under a few keys, and whether they are all there are.

A rule that asks for "the latest" can be misled by whoever hides the newest record. So a view says of itself
whether the ledger has shown it to be complete up to a checkpoint, and rules answer Unknown of any view that
is not. Building a view, and proving it complete, is the ledger's work (`kernel/ledger`); here are only the
values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alcaide.kernel.evidence import Statement, Subject


@dataclass(frozen=True)
class Record:
    """One statement as it lies in the ledger.

    `recorded_at` is the ledger's own time for the leaf and never runs backwards with `index`. `signed_by` is
    the id of the key whose signature verified. For foreign evidence (`foreign`), the payload was written and
    signed by somebody else and kept byte for byte; `imported` then holds the predicate of the import that
    took it in, whose `imported_at` is the time to trust, since the times inside were chosen by the sender.
    """

    index: int
    statement: Statement
    recorded_at: datetime
    signed_by: str
    foreign: bool = False
    imported: Mapping[str, Any] | None = None

    @property
    def predicate_type(self) -> str:
        return self.statement.predicate_type

    @property
    def predicate(self) -> Mapping[str, Any]:
        return self.statement.predicate

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self.statement.subjects

    def filed_under(self, key: str) -> bool:
        """Whether the ledger finds this record under a key: `name:<name>` or `sha256:<hex>` of a subject."""
        return key in self.statement.keys


@dataclass(frozen=True)
class EvidenceView:
    """Records in ascending index order, found under `keys`.

    `size` and `root` are those of the log they were read at.

    INVARIANT: `complete` means: every leaf below `size` that is filed under any of `keys` is in `records`,
    each one verified against the tree with `root`. Anything less is `complete=False` with the reason in
    `why_incomplete`.
    """

    records: tuple[Record, ...]
    complete: bool
    why_incomplete: str | None
    size: int
    root: bytes
    keys: frozenset[str]
    _by_key: dict[str, tuple[Record, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def about(self, key: str) -> tuple[Record, ...]:
        """The records filed under one index key, ascending.

        Asking for a key the view was not built for is a mistake of the caller, not an absence of evidence;
        rules check `key in view.keys` (or use `covers`) and answer Unknown otherwise.
        """
        if key not in self._by_key:
            self._by_key[key] = tuple(record for record in self.records if record.filed_under(key))
        return self._by_key[key]

    def of(self, predicate_type: str) -> tuple[Record, ...]:
        """The records of one predicate type (in full, as it stands in the statement), ascending."""
        return tuple(record for record in self.records if record.predicate_type == predicate_type)

    def covers(self, keys: Collection[str]) -> bool:
        """Whether the view was built for all of these keys: only then does finding nothing mean something."""
        return self.keys.issuperset(keys)
