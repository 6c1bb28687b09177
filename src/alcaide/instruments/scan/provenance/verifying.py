"""Hold files against a signature: who signed, and is every file as it was signed?

Keys and certificates are checked with `cryptography` alone, so verifying needs no extra. A Sigstore bundle is checked
with the `sigstore` library (the extra `signing`), offline, against a trust root and for an identity that are given;
without them it is Unknown.

What is not trusted decides nothing: an unknown signer over altered files is Failed because the files are wrong, and
over good files Unknown because anybody could have signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from alcaide.instruments.scan.provenance.folder import FolderCheck, check_folder
from alcaide.instruments.scan.provenance.trust import Outcome, SignedBy, Trust, verified_by
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import pae
from alcaide.kernel.evidence.certificates import certified
from alcaide.kernel.evidence.foreign import SigstoreBundle, read_bundle, statement_of
from alcaide.kernel.evidence.public_keys import key_hint, signature_holds
from alcaide.predicates.base import at
from alcaide.predicates.content import subjects_of_files
from alcaide.predicates.imported import VerifiedBy
from alcaide.predicates.model_signature import Manifest, manifest_of
from alcaide.predicates.signature_verified import MAX_NAMED, Difference, SignatureVerified

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from alcaide.instruments.scan.provenance.folder import Links
    from alcaide.kernel.evidence import Statement
    from alcaide.kernel.evidence.public_keys import PublicKey
    from alcaide.predicates.base import By

MAX_KEYS = 64


@dataclass(frozen=True, slots=True)
class Verification:
    """What files and signature together come to."""

    kind: Literal["model-signature", "slsa-provenance", "in-toto"]
    outcome: Outcome
    reason: str
    signed_by: SignedBy
    signature_sha256: str
    files: tuple[tuple[str, str], ...]
    """Path and SHA-256 of what was held against it, as it is now."""
    check: FolderCheck | None = None
    predicate_type: str = ""
    builder: str = ""
    source: str = ""
    verified_by: tuple[VerifiedBy, ...] = ()

    def statement(self, name: str, *, moment: datetime, by: By, reason: str = "") -> Statement:
        """The Statement of it about `name`, by the digests of the files as they are now.

        Raises InvalidInput where no digest of a file is known.
        """
        check = self.check
        said = SignatureVerified(
            at=at(moment),
            by=by,
            reason=reason,
            kind=self.kind,
            way=self.signed_by.way,
            outcome=self.outcome,
            signature=self.signature_sha256,
            outcome_reason=self.reason[:500],
            verified_by=self.verified_by,
            signer=self.signed_by.signer,
            issuer=self.signed_by.issuer,
            signed_at=self.signed_by.signed_at,
            files=len(self.files),
            changed=_difference(check.changed) if check else None,
            missing=_difference(check.missing) if check else None,
            unsigned=_difference(check.unsigned) if check else None,
            predicate_type=self.predicate_type,
            builder=self.builder,
            source=self.source,
        )
        return said.about(subjects_of_files(name, self.files))


def read_manifest(data: bytes) -> Manifest:
    """The list of files in a signature, whoever signed it. Raises InvalidInput, or TooLarge."""
    return _open(data)[1]


def verify_signature(
    path: Path,
    signature: bytes,
    trust: Trust,
    *,
    now: datetime,
    ignore: Collection[str] = (),
    links: Links = "refuse",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Hold a folder, or one file, against an OpenSSF model signature.

    Args:
        path: what was signed.
        signature: the signature's bytes.
        trust: whose signatures count.
        now: when certificates must be valid, where no trusted timestamp says when it was signed.
        ignore: paths in the folder that need not be signed, such as the signature itself.
        links: what to do with symbolic links to files; refused, they count as changed.
        workers: threads that hash.
        progress: told the files done and the total.

    Raises:
        InvalidInput: the signature cannot be read.
        NotFound: there is nothing at `path`.
        TooLarge: the signature or the folder is over the limits.
    """
    bundle, manifest = _open(signature)
    signed_by = who_signed(bundle, signature, trust, now=now)
    check = check_folder(path, manifest, ignore=ignore, links=links, workers=workers, progress=progress)
    reasons = [one.reason for one in (check, signed_by) if one.reason]
    outcomes = {check.outcome, signed_by.outcome}
    outcome: Outcome = "failed" if "failed" in outcomes else "unknown" if "unknown" in outcomes else "passed"
    return Verification(
        kind="model-signature",
        outcome=outcome,
        reason="; ".join(reasons),
        signed_by=signed_by,
        signature_sha256=sha256(signature).hexdigest(),
        files=_files_now(path, check, links),
        check=check,
        predicate_type="https://model_signing/signature/v1.0",
        verified_by=verified_by(trust, signed_by.names),
    )


def who_signed(bundle: SigstoreBundle, data: bytes, trust: Trust, *, now: datetime) -> SignedBy:
    """Which of those who are trusted signed what is in a bundle."""
    if bundle.way == "key":
        return by_key(bundle, trust.keys)
    if trust.sigstore is not None and bundle.logged:
        from alcaide.instruments.scan.provenance.sigstore import by_sigstore

        return by_sigstore(data, trust.sigstore)
    found = certified(bundle, trust.roots, now=now)
    if found.signer is None:
        reason = found.reason
        if bundle.logged:
            reason = "signed through Sigstore; give a trust root and the identity that should have signed"
        return SignedBy(found.outcome, reason, "sigstore" if bundle.logged else "certificate")
    return SignedBy(
        found.outcome,
        found.reason,
        "certificate",
        (found.signer.root,) if found.outcome == "passed" else (),
        found.signer.subject,
        found.signer.issuer,
        at(found.signer.at) if found.signer.stamped else "",
    )


def by_key(bundle: SigstoreBundle, keys: Mapping[str, PublicKey]) -> SignedBy:
    """Which trusted keys signed. A signature that names a trusted key and does not hold is Failed."""
    if len(keys) > MAX_KEYS:
        raise InvalidInput(
            f"{len(keys)} trusted keys are more than the limit of {MAX_KEYS}; give those that matter"
        )
    message = pae(bundle.envelope.payload_type, bundle.envelope.payload)
    names = tuple(
        name
        for name, key in keys.items()
        if any(signature_holds(key, one.sig, message) for one in bundle.envelope.signatures)
    )
    if names:
        return SignedBy("passed", "", "key", names)
    hints = {bundle.hint, *(one.keyid for one in bundle.envelope.signatures)} - {""}
    for name, key in keys.items():
        if key_hint(key) in hints:
            return SignedBy(
                "failed",
                f"names the trusted key `{name}`, and its signature does not hold; it was altered",
                "key",
            )
    hint = f" (signed by the key with hint {bundle.hint[:16]}…)" if bundle.hint else ""
    return SignedBy("unknown", f"no signature by a trusted key{hint}", "key")


def _open(data: bytes) -> tuple[SigstoreBundle, Manifest]:
    bundle = read_bundle(data)
    statement = statement_of(bundle.envelope)
    if statement is None:
        raise InvalidInput("what is signed is not a Statement; this is no model signature")
    return bundle, manifest_of(statement)


def _files_now(path: Path, check: FolderCheck, links: Links) -> tuple[tuple[str, str], ...]:
    """The digests of all that is there now: what was signed, and what was not."""
    if not check.unsigned and not check.missing and check.found:
        return check.found
    from alcaide.instruments.scan.provenance.folder import digest_names, names_of

    try:
        return tuple(digest_names(path, names_of(path, links=links), links=links))
    except InvalidInput:
        return check.found


def _difference(paths: Sequence[str]) -> Difference | None:
    if not paths:
        return None
    shown = (path.encode("utf-8", "backslashreplace").decode()[:300] for path in sorted(paths)[:MAX_NAMED])
    return Difference(count=len(paths), files=tuple(shown))
