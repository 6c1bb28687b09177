"""Whether the key that vouches for a record is still believed.

Evidence of others counts because a key that somebody here trusts has signed it. When such a key turns out to have been
in other hands since a time, what was taken in under it from then on may be anybody's: it is Unknown, whatever it says.
What was taken in before that time stays, and so does what a key signed that was merely put out of use.

What is said about a key is filed under the digest of the key, so a view must be built for those digests too
(`signer_keys`): where it was not, nobody has looked, and that is Unknown as well. Less evidence never helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.policy.reading import moment
from alcaide.kernel.policy.view import EvidenceView, Record

IMPORTED = "urn:alcaide:imported:v1"
SIGNATURE_VERIFIED = "urn:alcaide:signature-verified:v1"
TRUSTED_KEY = "urn:alcaide:trusted-key:v1"


def signer_keys(records: Iterable[Record]) -> frozenset[str]:
    """The index keys under which it is said whether those who vouch for these records are still believed."""
    return frozenset(f"sha256:{digest}" for record in records for _, digest in _vouchers(record))


def doubt_about(record: Record, view: EvidenceView) -> tuple[str, tuple[int, ...]] | None:
    """Why a record must not be believed because of its signer, and the leaf that says so; None if it may be."""
    for name, digest in _vouchers(record):
        key = f"sha256:{digest}"
        if not view.covers([key]):
            return f"whether key `{name}`, which signed it, is still believed was not looked up", ()
        for said in view.about(key):
            if not _says_compromised(said):
                continue
            try:
                since = moment(said.predicate, "since")
            except InvalidInput:
                since = None  # since when cannot be read, so it may have been from the first
            # INVARIANT: the time of taking it in is ours; the times inside were written by whoever held the key.
            if since is None or record.recorded_at >= since:
                when = f" since {rfc3339(since)[:16]}Z" if since else ""
                told = (
                    f"key `{name}`, which signed it, was compromised{when}; have it signed and taken in again"
                )
                return told, (said.index,)
    return None


def _says_compromised(record: Record) -> bool:
    said = record.predicate
    return (
        record.predicate_type == TRUSTED_KEY
        and not record.foreign
        and said.get("event") == "distrusted"
        and said.get("because") == "compromised"
    )


def _vouchers(record: Record) -> Iterator[tuple[str, str]]:
    """Name and digest of the keys whose signature held when the record came in; nobody's for what is our own."""
    relays = record.predicate_type in (IMPORTED, SIGNATURE_VERIFIED)
    own = record.predicate if relays and not record.foreign else None
    imported: Mapping[str, Any] | None = record.imported if record.foreign else own
    listed = imported.get("verified_by") if imported else None
    for one in listed if isinstance(listed, list | tuple) else ():
        digest = one.get("sha256") if isinstance(one, Mapping) else None
        if isinstance(digest, str):
            yield str(one.get("name", "")), digest
