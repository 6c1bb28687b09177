"""What a reader makes of a document, whatever its format, and what a reader is.

Left out on purpose: keeping the bytes, signing that they were taken in, and deciding anything on them. A
reader says what a document says; whether that is enough is a rule's question, over evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from alcaide.kernel.evidence import Statement, Subject
from alcaide.predicates.graph import ComponentRef, FlowRef, SystemGraph

Outcome = Literal["passed", "failed", "unknown"]

MAX_SUBJECTS = 2_000
"""Subjects a document may speak about. Each is an entry of the ledger's index; a real ML-BOM has tens."""
MAX_LISTED = 200
"""Entries of any list in a summary. The document itself is kept whole; a summary is for people and rules."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document that was read whole and understood.

    `outcome` is what the document itself claims, read without goodwill: `passed` only if it says so and
    nothing in it says otherwise. `reason` says why it is not passed, and is empty if it is. `subjects` are
    what it speaks about by its own words; naming them costs the writer nothing, so a caller who took it in
    for one thing checks that it is about that thing. `summary` is bounded JSON. `notes` say what was met and
    not understood, or not listed in full. `signed_by` names the trusted keys whose signature was found to
    hold.
    """

    kind: str
    title: str
    media_type: str
    sha256: str
    subjects: tuple[Subject, ...]
    summary: Mapping[str, Any]
    outcome: Outcome
    reason: str = ""
    components: tuple[ComponentRef, ...] = ()
    flows: tuple[FlowRef, ...] = ()
    graph: SystemGraph | None = None
    statements: tuple[Statement, ...] = ()
    signed_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class Reader(Protocol):
    """One format. Built-in readers and a stranger's are held to the same: see `check_reader` in the tests.

    `sniff` is cheap, may be wrong, and never raises. `read` raises InvalidInput or TooLarge and nothing else,
    and touches neither network nor disk. Options it does not know are an error of the caller; one that takes
    `trusted` (names and public keys) says so with an attribute `checks_signatures`.
    """

    name: str
    title: str
    media_types: tuple[str, ...]

    def sniff(self, data: bytes) -> bool: ...

    def read(self, data: bytes, **options: Any) -> ParsedDocument: ...


def subjects_of(found: Mapping[tuple[str, str], Subject], notes: list[str]) -> tuple[Subject, ...]:
    """The first MAX_SUBJECTS of what was found, with a note if that was not all."""
    subjects = tuple(found.values())
    if len(subjects) > MAX_SUBJECTS:
        notes.append(f"{len(subjects)} subjects are named; the first {MAX_SUBJECTS} are indexed")
    return subjects[:MAX_SUBJECTS]
