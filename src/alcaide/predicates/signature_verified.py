"""`signature-verified`: files at hand were held against a signature by somebody who is trusted here.

`imported` says that a signature is genuine; this says that the files are those that were signed. A digest says that a
thing is the same, a signature whose it is, and only both together that it is what its maker let out of the house.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.base import Predicate
from alcaide.predicates.imported import VerifiedBy

Outcome = Literal["passed", "failed", "unknown"]
Way = Literal["key", "certificate", "sigstore"]

MAX_NAMED = 50
"""Files named of each kind of difference; the counts are whole."""


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Files that are not as signed: how many, and the first fifty by path."""

    count: int
    files: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.files) > MAX_NAMED or len(self.files) > self.count:
            raise InvalidInput(f"at most {MAX_NAMED} files are named, and no more than there are")


class SignatureVerified(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subjects are the files by their digests as they are now, as `predicates.content` has them.

    `outcome` is `passed` only if a signature by one of `verified_by` holds and every file is as signed; `failed` if a
    signature or a file is wrong; `unknown` if nobody who is trusted here has signed. `kind` is what was signed: an
    OpenSSF model signature, SLSA provenance, another in-toto statement. `verified_by` names the trusted key or the
    trusted root certificate; `signer` is who signed by the signature's own account: the certificate's subject, or an
    identity with its issuer. `signed_at` is a time that somebody else vouches for, and absent without one.
    """

    TYPE: ClassVar[str] = "urn:alcaide:signature-verified:v1"
    TITLE: ClassVar[str] = "Signature verified"

    kind: Literal["model-signature", "slsa-provenance", "in-toto"]
    way: Way
    outcome: Outcome
    signature: str
    outcome_reason: str = ""
    verified_by: tuple[VerifiedBy, ...] = ()
    signer: str = ""
    issuer: str = ""
    signed_at: str = ""
    files: int = 0
    changed: Difference | None = None
    missing: Difference | None = None
    unsigned: Difference | None = None
    predicate_type: str = ""
    builder: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if self.outcome != "passed":
            return
        if not self.verified_by:
            raise InvalidInput("`outcome` cannot be `passed` without a trusted signer in `verified_by`")
        if self.changed or self.missing or self.unsigned:
            raise InvalidInput("`outcome` cannot be `passed` where a file is not as signed")
