"""Signatures through Sigstore, checked offline: a trust root and an identity that are given, and nothing else.

The trust root is the JSON document that a Sigstore instance publishes (`trusted_root.json`), or a client's trust
configuration with one in it. The bundle must then show, by itself: a certificate by that instance for that identity,
an entry in that instance's log or a timestamp by its authority, and a signature that holds. Needs the `sigstore`
library, of the extra `signing`; without it the answer is Unknown.
"""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime
from typing import Any

from alcaide.instruments.scan.provenance.trust import SignedBy, SigstoreTrust
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.strict import strict_json
from alcaide.predicates.base import at

MAX_ROOT_BYTES = 4 << 20


def by_sigstore(bundle: bytes, trust: SigstoreTrust) -> SignedBy:
    """What a bundle comes to under this trust. Raises InvalidInput where the trust root cannot be read."""
    try:
        from sigstore.errors import VerificationError
        from sigstore.models import Bundle, InvalidBundle
        from sigstore.verify import Verifier
        from sigstore.verify.policy import Identity
    except ImportError as problem:
        told = f"checking Sigstore bundles needs the extra `signing` ({problem.name} is missing)"
        return SignedBy("unknown", f"{told}; `pip install 'alcaide[signing]'`", "sigstore")
    verifier = Verifier(trusted_root=_root(trust))
    try:
        parsed = Bundle.from_json(bundle.decode("utf-8"))
    except (InvalidBundle, ValueError, KeyError, TypeError) as problem:
        return SignedBy("unknown", f"the bundle cannot be read: {_plain(problem)}", "sigstore")
    try:
        verifier.verify_dsse(parsed, Identity(identity=trust.identity, issuer=trust.issuer))
    except VerificationError as problem:
        signer, issuer = _who(parsed)
        told = _plain(problem)
        if signer and (signer, issuer) != (trust.identity, trust.issuer):
            told = f"signed by `{signer}` by the word of `{issuer}`, and not by `{trust.identity}`"
            return SignedBy("unknown", told, "sigstore", (), signer, issuer)
        if told.startswith("DSSE: invalid signature"):  # said only once the certificate is found to be good
            told = f"signed by `{signer}`, and the signature does not hold; the content was altered"
            return SignedBy("failed", told, "sigstore", (), signer, issuer)
        return SignedBy("unknown", f"Sigstore: {told}", "sigstore", (), signer, issuer)
    except Exception as problem:  # noqa: BLE001 - the library raises what it likes on hostile bundles
        return SignedBy("unknown", f"the bundle cannot be checked: {_plain(problem)}", "sigstore")
    signer, issuer = _who(parsed)
    return SignedBy("passed", "", "sigstore", (trust.name,), signer, issuer, _when(bundle))


def _root(trust: SigstoreTrust) -> Any:
    """The library's trust root, which it reads from a file."""
    from sigstore.models import TrustedRoot

    document = strict_json(trust.trust_root, max_bytes=MAX_ROOT_BYTES, what="the trust root")
    if isinstance(document, dict) and isinstance(document.get("trustedRoot"), dict):
        document = document["trustedRoot"]
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            return TrustedRoot.from_file(file.name)
    except Exception as problem:
        raise InvalidInput(
            f"the trust root cannot be used: {_plain(problem)}; give the instance's `trusted_root.json`"
        ) from problem


def _who(bundle: Any) -> tuple[str, str]:
    """Identity and issuer in the signer's certificate, as it states them."""
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, SubjectAlternativeName

    certificate = bundle.signing_certificate
    signer = issuer = ""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        signer = str(next(iter(names)).value)[:300]
    except (ExtensionNotFound, StopIteration, AttributeError):
        pass
    for oid, skip in (("1.3.6.1.4.1.57264.1.8", 2), ("1.3.6.1.4.1.57264.1.1", 0)):
        try:
            raw = certificate.extensions.get_extension_for_oid(ObjectIdentifier(oid)).value.value
        except (ExtensionNotFound, AttributeError):
            continue
        issuer = raw[skip:].decode("utf-8", "replace")[:300]
        break
    return signer, issuer


def _when(bundle: bytes) -> str:
    """The time the log promises, in a bundle that was verified; "" if it promises none."""
    for entry in json.loads(bundle)["verificationMaterial"].get("tlogEntries", ()):
        if entry.get("inclusionPromise") and str(entry.get("integratedTime", "")).isdigit():
            return at(datetime.fromtimestamp(int(entry["integratedTime"]), UTC))
    return ""


def _plain(problem: BaseException) -> str:
    return re.sub(r"\s+", " ", str(problem))[:200].strip().rstrip(".") or type(problem).__name__
