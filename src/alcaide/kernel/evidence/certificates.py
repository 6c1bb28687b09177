"""Signatures by certificate: does the chain lead to a root that is trusted here, and may it sign this, at that time?

Chains are built and checked by `cryptography`'s verifier (names, signatures, validity, path lengths, name constraints,
critical extensions nobody knows). What it leaves to the caller is decided here: which extensions issuers and signers
must have, and at which time all of it must have been valid.

That time is the difficult part. A signature does not say when it was made in a way that binds whoever holds the key.
So it is the time at which a timestamp authority, itself under a trusted root, has seen it; without one it is now.
A certificate that has ended and has no timestamp is therefore not believed: whoever got hold of the old key could
have signed today.

Pure: times and roots are arguments. Revocation is not looked up, which takes a network; a root or a key that must no
longer count is taken back here instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence.envelope import pae
from alcaide.kernel.evidence.public_keys import MAX_KEY_BYTES, accepted, algorithm_of, signature_holds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from alcaide.kernel.evidence.foreign import SigstoreBundle
    from alcaide.kernel.evidence.public_keys import PublicKey

MAX_CHAIN = 8
"""Issuers between the signer and the root; public hierarchies have one or two."""
_SIGNING = frozenset({"1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.36", "2.5.29.37.0"})
"""Extended key usages under which content may be signed: codeSigning, documentSigning (RFC 9336), any."""


@dataclass(frozen=True, slots=True)
class TrustedSigner:
    """Who signed: a certificate whose chain leads to a trusted root."""

    root: str
    """The name under which the root is trusted here."""
    key: PublicKey
    """The signer's own; whether the signature is by it is still to be checked."""
    subject: str
    issuer: str
    sha256: str
    """Of the signer's certificate in DER."""
    at: datetime
    """The time at which the chain was held to be valid."""
    stamped: bool
    """Whether a timestamp authority vouches for that time."""


@dataclass(frozen=True, slots=True)
class Untrusted:
    """Why a chain is not believed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Certified:
    """What a signature by certificate comes to. `signer` is there if its chain is believed."""

    outcome: Literal["passed", "failed", "unknown"]
    reason: str
    signer: TrustedSigner | None = None


def certified(bundle: SigstoreBundle, roots: Mapping[str, Certificate], *, now: datetime) -> Certified:
    """Whether a trusted root stands behind the signature in a bundle, and the signature holds.

    `failed` only where a trusted signer's signature does not hold: then the content was altered. A chain that leads
    nowhere is `unknown`, whatever the signature: anybody can make one of those.
    """
    signatures = bundle.envelope.signatures
    found = trusted_signer(
        bundle.certificates,
        roots,
        now=now,
        signature=signatures[0].sig if signatures else b"",
        timestamps=bundle.timestamps,
    )
    if isinstance(found, Untrusted):
        through = "; it went through Sigstore's log, which `alcaide verify` checks" if bundle.logged else ""
        return Certified("unknown", f"{found.reason}{through}")
    message = pae(bundle.envelope.payload_type, bundle.envelope.payload)
    if not any(signature_holds(found.key, one.sig, message) for one in signatures):
        reason = f"signed with the certificate of `{found.subject}`, and the signature does not hold; "
        return Certified("failed", reason + "the content was altered")
    return Certified("passed", "", found)


def load_root(pem: bytes) -> Certificate:
    """A certificate that may issue others, from PEM. Raises InvalidInput, or TooLarge.

    It need not be self-signed: whoever trusts an intermediate alone trusts less, which is fine.
    """
    from cryptography import x509

    if len(pem) > MAX_KEY_BYTES:
        raise TooLarge(
            f"the certificate has {len(pem)} bytes, over the limit of {MAX_KEY_BYTES}; give a single one"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd about it shows in the checks
            found = x509.load_pem_x509_certificates(pem)
            if len(found) != 1:
                raise InvalidInput(f"{len(found)} certificates are given; trust them one by one, by name")
            accepted(found[0].public_key())
            extensions = found[0].extensions
    except InvalidInput:
        raise
    except Exception:  # noqa: BLE001 - the parser raises what it likes on hostile bytes
        raise InvalidInput(
            "not a certificate in PEM; give the text that starts `-----BEGIN CERTIFICATE-----`"
        ) from None
    usage = _extension(extensions, x509.KeyUsage)
    if not getattr(_extension(extensions, x509.BasicConstraints), "ca", False) or (
        usage is not None and not usage.key_cert_sign
    ):
        raise InvalidInput(
            "this certificate may not issue others; give that of the authority, not that of the signer"
        )
    return found[0]


def fingerprint(certificate: Certificate) -> str:
    """SHA-256 of its DER, as everybody shows it."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def root_algorithm(certificate: Certificate) -> str:
    """What to call its kind: `x509-ecdsa-p256`."""
    return f"x509-{algorithm_of(accepted(certificate.public_key()))}"


def trusted_signer(
    chain: Sequence[bytes],
    roots: Mapping[str, Certificate],
    *,
    now: datetime,
    signature: bytes = b"",
    timestamps: Sequence[bytes] = (),
) -> TrustedSigner | Untrusted:
    """Whose certificate this is, if its chain leads to one of `roots`; never raises for what is wrong with it.

    Args:
        chain: certificates in DER, the signer's own first, the others in any order.
        roots: trusted certificates by name. Those in `chain` count for nothing by being there.
        now: the time at which to check where no timestamp says another.
        signature: what `timestamps` are over.
        timestamps: RFC 3161 responses in DER.
    """
    from cryptography import x509

    if not chain:
        return Untrusted("it carries no certificate")
    if not roots:
        return Untrusted("signed by certificate, and no root certificate is trusted here")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leaf, *others = [x509.load_der_x509_certificate(der) for der in chain]
            key = accepted(leaf.public_key())
            may_not = why_not_signing(leaf)
            subject, issuer = leaf.subject.rfc4514_string()[:300], leaf.issuer.rfc4514_string()[:300]
    except InvalidInput as problem:
        return Untrusted(f"its certificate cannot be used: {problem}")
    except Exception:  # noqa: BLE001 - the parser raises what it likes on hostile bytes
        return Untrusted("its certificate cannot be read")
    if may_not:
        return Untrusted(f"the certificate of `{subject}` {may_not}")
    stamped = _stamped_at(timestamps, signature, roots)
    moment = stamped or now
    refused = ""
    for name, root in roots.items():
        wrong = _leads(leaf, others, root, moment)
        if wrong is None:
            return TrustedSigner(name, key, subject, issuer, fingerprint(leaf), moment, stamped is not None)
        refused = refused or (wrong if _related(leaf, others, root) else "")
    when = f" at {moment:%Y-%m-%d}" if stamped else ""
    ended = leaf.not_valid_after_utc
    if ended < moment:
        return Untrusted(
            f"the certificate of `{subject}` ended on {ended:%Y-%m-%d}, and no trusted timestamp shows that it was "
            "signed before; have it signed again, with a timestamp"
        )
    if refused:
        return Untrusted(f"the chain of `{subject}` does not hold{when}: {refused}")
    return Untrusted(f"the certificate of `{subject}`, issued by `{issuer}`, leads to no root trusted here")


def _leads(
    leaf: Certificate, others: Sequence[Certificate], root: Certificate, moment: datetime
) -> str | None:
    """None if the chain leads to this root and was valid then; else why not."""
    from cryptography.x509 import verification

    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([root]))
        .time(moment)
        .max_chain_depth(MAX_CHAIN)
        .extension_policies(ca_policy=_issuers(), ee_policy=_signers())
        .build_client_verifier()
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verifier.verify(leaf, [one for one in others if one != root])
    except verification.VerificationError as problem:
        return _short(str(problem))
    except Exception as problem:  # noqa: BLE001 - hostile certificates find new ways to be wrong
        return _short(str(problem)) or type(problem).__name__
    if not root.not_valid_before_utc <= moment <= root.not_valid_after_utc:
        return f"the trusted root ended on {root.not_valid_after_utc:%Y-%m-%d}"
    return None


def _issuers() -> Any:
    """Issuers must be authorities, and may sign certificates if their usage is limited at all."""
    from cryptography import x509
    from cryptography.x509.verification import Criticality, ExtensionPolicy

    def authority(_policy: Any, _certificate: Any, extension: Any) -> None:
        if not extension.ca:
            raise ValueError("an issuer in it is no certificate authority")

    def signs_certificates(_policy: Any, _certificate: Any, extension: Any) -> None:
        if extension is not None and not extension.key_cert_sign:
            raise ValueError("an issuer in it may not sign certificates")

    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, signs_certificates)
    )


def _signers() -> Any:
    """What a signer's own certificate may do is looked at in `why_not_signing`, which says it better."""
    from cryptography.x509.verification import ExtensionPolicy

    return ExtensionPolicy.permit_all()


def why_not_signing(leaf: Certificate) -> str:
    """Why a certificate is not one to sign content with; "" if it is."""
    from cryptography import x509

    extensions = leaf.extensions
    usage = _extension(extensions, x509.KeyUsage)
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    if usage is None and purposes is None:
        return "does not say what it may be used for (no key usage); have one issued for signing"
    if usage is not None and not usage.digital_signature:
        return "may not sign (key usage without digitalSignature)"
    if purposes is not None and not {one.dotted_string for one in purposes} & _SIGNING:
        return "is for another purpose (extended key usage without codeSigning)"
    if getattr(_extension(extensions, x509.BasicConstraints), "ca", False):
        return "is that of an authority, which signs certificates and not content"
    return ""


def _extension(extensions: Any, kind: Any) -> Any:
    from cryptography.x509 import ExtensionNotFound

    try:
        return extensions.get_extension_for_class(kind).value
    except ExtensionNotFound:
        return None


def _related(leaf: Certificate, others: Sequence[Certificate], root: Certificate) -> bool:
    """Whether anything in the chain names this root as its issuer, so that what is wrong with it is worth telling."""
    return any(one.issuer == root.subject for one in (leaf, *others))


def _stamped_at(
    timestamps: Sequence[bytes], signature: bytes, roots: Mapping[str, Certificate]
) -> datetime | None:
    """The earliest time at which an authority under a trusted root saw the signature; None if none did.

    Needs `rfc3161-client`, of the extra `signing`; without it, nothing is stamped and the time is now.
    """
    if not timestamps or not signature:
        return None
    found = [
        moment
        for stamp in timestamps
        for root in roots.values()
        if (moment := _stamp(stamp, signature, root)) is not None
    ]
    return min(found, default=None)


def _stamp(stamp: bytes, signature: bytes, root: Certificate) -> datetime | None:
    """The time in a timestamp, if it holds under this root; a stamp that does not is no stamp."""
    try:
        from rfc3161_client import VerifierBuilder, decode_timestamp_response

        response = decode_timestamp_response(stamp)
        moment: datetime = response.tst_info.gen_time
        VerifierBuilder().add_root_certificate(root).build().verify_message(response, signature)
    except Exception:  # noqa: BLE001 - the library is not there, or finds it wrong in a way of its own
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _short(text: str) -> str:
    """What the verifier says, without the certificate it prints along."""
    return " ".join(text.split())[:200].replace("candidates exhausted: ", "").rstrip(".")
