"""The in-toto Statement v1: who or what it is about, and what is said of it.

Source of the shape: in-toto attestation framework, spec v1, Statement and ResourceDescriptor.
Subjects keep only name and digest: what else a foreign statement says of them stays in its own bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence.canonical import canonical, strict_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_OLD_STATEMENT_TYPE = "https://in-toto.io/Statement/v0.1"
MAX_SUBJECTS = 10_000
_HEX = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a Statement is about: `kind:name@version` and its digests, by algorithm, in lower-case hex."""

    name: str
    digest: Mapping[str, str]

    @property
    def sha256(self) -> str | None:
        """The SHA-256 digest in hex, or None if the subject is named by other digests only."""
        return self.digest.get("sha256")

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys under which the ledger's index finds evidence about this subject."""
        named = (f"name:{self.name}",) if self.name else ()
        digest = self.sha256
        return (*named, f"sha256:{digest}") if digest else named

    @staticmethod
    def described(name: str, description: Mapping[str, Any]) -> Subject:
        """A subject without bytes of its own: its digest is that of its canonical description."""
        return Subject(name, {"sha256": sha256(canonical(description)).hexdigest()})

    @staticmethod
    def of_bytes(name: str, content: bytes) -> Subject:
        return Subject(name, {"sha256": sha256(content).hexdigest()})


@dataclass(frozen=True, slots=True)
class Statement:
    """A signed-to-be claim: `predicate` of type `predicate_type` holds of `subjects`."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "_type": STATEMENT_TYPE,
            "subject": [_subject_json(s) for s in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": dict(self.predicate),
        }

    def to_bytes(self) -> bytes:
        """The canonical bytes that are signed. Raises InvalidInput if there is nothing to speak about."""
        if not self.subjects:
            raise InvalidInput("a statement needs at least one subject")
        return canonical(self.to_json())

    @property
    def keys(self) -> tuple[str, ...]:
        """Every index key of every subject, once each, in order of appearance."""
        return tuple(dict.fromkeys(key for subject in self.subjects for key in subject.keys))


def _subject_json(subject: Subject) -> dict[str, Any]:
    digest = dict(subject.digest)
    return {"name": subject.name, "digest": digest} if subject.name else {"digest": digest}


def parse_statement(payload: bytes, *, max_bytes: int = 16 * 2**20) -> Statement:
    """Read a Statement (v1, or v0.1 from older tools). Raises InvalidInput with the field at fault."""
    document = strict_json(payload, max_bytes=max_bytes, what="statement")
    if not isinstance(document, dict):
        raise InvalidInput("a statement must be a JSON object")
    if document.get("_type") not in (STATEMENT_TYPE, _OLD_STATEMENT_TYPE):
        raise InvalidInput(
            f"`_type` {str(document.get('_type'))[:80]!r} is not an in-toto Statement v1 or v0.1"
        )
    predicate_type = document.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type or len(predicate_type) > 512:
        raise InvalidInput("`predicateType` must be a URI of at most 512 characters")
    predicate = document.get("predicate", {})
    if not isinstance(predicate, dict):
        raise InvalidInput("`predicate` must be a JSON object")
    subjects = document.get("subject")
    if not isinstance(subjects, list) or not subjects:
        raise InvalidInput("`subject` must be a list with at least one entry")
    if len(subjects) > MAX_SUBJECTS:
        raise InvalidInput(f"`subject` has {len(subjects)} entries, over the limit of {MAX_SUBJECTS}")
    return Statement(tuple(_parse_subject(s, i) for i, s in enumerate(subjects)), predicate_type, predicate)


def _parse_subject(value: Any, position: int) -> Subject:
    where = f"`subject[{position}]`"
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} must be a JSON object")
    name = value.get("name", "")
    digest = value.get("digest")
    if not isinstance(name, str) or len(name) > 2048:
        raise InvalidInput(f"{where} `name` must be text of at most 2048 characters")
    if not isinstance(digest, dict) or not digest or len(digest) > 32:
        raise InvalidInput(f"{where} needs a `digest` with at least one algorithm")
    for algorithm, hexadecimal in digest.items():
        if not isinstance(hexadecimal, str) or not _HEX.match(hexadecimal) or len(hexadecimal) > 256:
            raise InvalidInput(f"{where} digest `{algorithm[:40]}` must be lower-case hex")
    if "sha256" in digest and len(digest["sha256"]) != 64:
        raise InvalidInput(f"{where} digest `sha256` must have 64 hex characters")
    return Subject(name, digest)
