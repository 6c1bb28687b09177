"""Signatures by certificate: believed only if the whole chain is in order and leads to a root that is trusted."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence import PAYLOAD_TYPE, Envelope, Signature, pae
from alcaide.kernel.evidence.certificates import (
    TrustedSigner,
    Untrusted,
    certified,
    fingerprint,
    load_root,
    root_algorithm,
    trusted_signer,
)
from alcaide.kernel.evidence.foreign import SigstoreBundle
from tests.pki import CODE_SIGNING, NOON, SERVER, Certified, certify, private_pem, public_pem

ROOT = certify("model root", ca=True)
MIDDLE = certify("model team", ROOT, ca=True, path_length=0)
LEAF = certify("mia", MIDDLE, purposes=[CODE_SIGNING])
LATER = NOON + timedelta(days=3650)


def ask(
    *chain: Certified, roots: dict[str, Certified] | None = None, now: datetime = NOON, **more: Any
) -> Any:
    trusted = {"ours": ROOT} if roots is None else roots
    return trusted_signer(
        [one.der for one in chain], {name: one.certificate for name, one in trusted.items()}, now=now, **more
    )


def refused(*chain: Certified, **more: Any) -> str:
    found = ask(*chain, **more)
    assert isinstance(found, Untrusted), found
    return found.reason


@pytest.mark.parametrize("chain", [(LEAF, MIDDLE), (LEAF, MIDDLE, ROOT), (LEAF, ROOT, MIDDLE)])
def test_a_chain_to_a_trusted_root_names_the_signer_and_the_root(chain: tuple[Certified, ...]) -> None:
    found = ask(*chain)
    assert isinstance(found, TrustedSigner)
    assert (found.root, found.subject, found.issuer) == ("ours", "CN=mia", "CN=model team")
    assert (found.sha256, found.at, found.stamped) == (fingerprint(LEAF.certificate), NOON, False)


@pytest.mark.parametrize("kind", ["p256", "p384", "p521", "rsa"])
def test_authorities_and_signers_may_have_these_keys(kind: str) -> None:
    root = certify("root", ca=True, kind=kind)
    leaf = certify("signer", root, kind=kind)
    assert isinstance(ask(leaf, roots={"r": root}), TrustedSigner)


def test_a_root_in_the_bundle_counts_for_nothing() -> None:
    strangers = certify("model root", ca=True)
    leaf = certify("mia", strangers)
    assert "does not hold" in refused(leaf, strangers)
    other = certify("elsewhere", ca=True)
    assert "leads to no root trusted here" in refused(certify("mia", other), other)
    assert "no root certificate is trusted here" in refused(LEAF, MIDDLE, roots={})
    assert "carries no certificate" in refused()


def test_an_intermediate_may_be_trusted_alone_and_then_only_that() -> None:
    assert isinstance(ask(LEAF, roots={"team": MIDDLE}), TrustedSigner)
    assert "leads to no root" in refused(certify("leo", ROOT), roots={"team": MIDDLE})


def test_a_missing_intermediate_is_missed() -> None:
    assert "leads to no root" in refused(LEAF)


PLAIN = certify("plain", ROOT, ca=False, cert_sign=True)
NO_SIGN = certify("no-sign", ROOT, ca=True, cert_sign=False)
ENDED = certify("ended", ROOT, ca=True, ends=NOON - timedelta(days=1))
SHORT = certify("short", ROOT, ca=True, path_length=0)
BELOW = certify("below", SHORT, ca=True)
NAMED = certify(
    "named", ROOT, ca=True,
    extra=[(x509.NameConstraints([x509.RFC822Name("example.org")], None), True)],
)  # fmt: skip
STRANGE = certify(
    "strange",
    ROOT,
    ca=True,
    extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)],
)


@pytest.mark.parametrize(
    ("issuer", "between"),
    [
        (PLAIN, [PLAIN]),
        (NO_SIGN, [NO_SIGN]),
        (ENDED, [ENDED]),
        (BELOW, [BELOW, SHORT]),
        (STRANGE, [STRANGE]),
        (certify("bare", ROOT, constrained=False, sign=None), None),
    ],
    ids=["no-authority", "may-not-certify", "ended", "too-long", "critical-extension", "no-constraints"],
)
def test_every_issuer_must_be_one(issuer: Certified, between: list[Certified] | None) -> None:
    leaf = certify("mia", issuer, purposes=[CODE_SIGNING])
    assert "mia" in refused(leaf, *(between or [issuer]))


def test_name_constraints_of_an_issuer_hold() -> None:
    def leaf(mail: str) -> Certified:
        return certify("mia", NAMED, extra=[(x509.SubjectAlternativeName([x509.RFC822Name(mail)]), False)])

    assert "mia" in refused(leaf("mia@elsewhere.test"), NAMED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sign": False}, "without digitalSignature"),
        ({"purposes": [SERVER]}, "without codeSigning"),
        ({"sign": None}, "does not say what it may be used for"),
        ({"ca": True}, "without digitalSignature"),
        ({"kind": "k1"}, "kind of key is not accepted"),
    ],
)
def test_a_certificate_for_something_else_signs_nothing(change: dict[str, Any], why: str) -> None:
    assert why in refused(certify("mia", ROOT, **change))


def test_without_a_timestamp_it_must_be_valid_now() -> None:
    told = refused(LEAF, MIDDLE, now=NOON + timedelta(days=400))
    assert "ended on 2027-06-01, and no trusted timestamp shows that it was signed before" in told
    assert isinstance(ask(LEAF, MIDDLE, now=NOON - timedelta(days=40)), Untrusted)


def test_an_ended_root_is_no_root() -> None:
    root = certify("old root", ca=True, ends=NOON - timedelta(days=1))
    assert isinstance(ask(certify("mia", root), roots={"old": root}), Untrusted)


@pytest.mark.parametrize(
    "junk", [b"", b"\x30\x82\xff\xff", b"junk" * 100, LEAF.der[:-5], LEAF.der[: len(LEAF.der) // 2]]
)
def test_hostile_bytes_are_untrusted_and_nothing_else(junk: bytes) -> None:
    found = trusted_signer([junk, MIDDLE.der], {"ours": ROOT.certificate}, now=NOON)
    assert isinstance(found, Untrusted)
    found = trusted_signer([LEAF.der, junk], {"ours": ROOT.certificate}, now=NOON)
    assert isinstance(found, Untrusted)


def test_every_flipped_byte_of_a_certificate_is_noticed() -> None:
    """The chain breaks, or it is still the same signer's key: nobody else's signature can come of it."""
    for position in range(0, len(LEAF.der), 7):
        der = bytearray(LEAF.der)
        der[position] ^= 1
        found = trusted_signer([bytes(der), MIDDLE.der], {"ours": ROOT.certificate}, now=NOON)
        assert isinstance(found, Untrusted)


def a_bundle(signer: Certified, *others: Certified, payload: bytes = b"{}", **more: Any) -> SigstoreBundle:
    signature = signer.key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    envelope = Envelope(payload, PAYLOAD_TYPE, (Signature("", signature),))
    chain = tuple(one.der for one in (signer, *others))
    return SigstoreBundle(envelope, "certificate", certificates=chain, **more)


def test_the_signature_must_be_by_the_certificate_and_over_the_content() -> None:
    roots = {"ours": ROOT.certificate}
    good = a_bundle(LEAF, MIDDLE)
    assert certified(good, roots, now=NOON).outcome == "passed"

    altered = SigstoreBundle(
        Envelope(b"[]", PAYLOAD_TYPE, good.envelope.signatures), "certificate", certificates=good.certificates
    )
    found = certified(altered, roots, now=NOON)
    assert (found.outcome, "altered" in found.reason) == ("failed", True)

    stranger = a_bundle(certify("eve", certify("elsewhere", ca=True)))
    assert certified(stranger, roots, now=NOON).outcome == "unknown"


def a_timestamp(folder: Path, message: bytes, root: Certified) -> bytes:
    """An RFC 3161 response of an authority under `root`, made by openssl now."""
    authority = certify(
        "clock", root, purposes=[ExtendedKeyUsageOID.TIME_STAMPING], critical_purposes=True,
        begins=datetime(2020, 1, 1, tzinfo=NOON.tzinfo), ends=LATER,
    )  # fmt: skip
    key, certificate = authority.files(folder, "tsa")
    (folder / "message").write_bytes(message)
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(
        f"[tsa]\ndefault_tsa = one\n[one]\ndir = {folder}\nserial = {folder}/serial\nsigner_cert = {certificate}\n"
        f"signer_key = {key}\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n"
        "digests = sha256\ness_cert_id_alg = sha256\n"
    )

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", "ts", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("-query", "-data", "message", "-sha256", "-cert", "-out", "query")
    openssl("-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "reply")
    return (folder / "reply").read_bytes()


def test_a_timestamp_under_a_trusted_root_carries_a_signature_past_its_certificate(tmp_path: Path) -> None:
    pytest.importorskip("rfc3161_client")
    long_ago = datetime(2020, 1, 1, tzinfo=NOON.tzinfo)
    root = certify("root", ca=True, begins=long_ago, ends=LATER)
    leaf = certify("mia", root, begins=long_ago, ends=datetime(2040, 1, 1, tzinfo=NOON.tzinfo))
    after = datetime(2041, 1, 1, tzinfo=NOON.tzinfo)
    roots = {"ours": root.certificate}

    plain = a_bundle(leaf)
    stamp = a_timestamp(tmp_path, plain.envelope.signatures[0].sig, root)
    stamped = SigstoreBundle(
        plain.envelope, "certificate", certificates=plain.certificates, timestamps=(stamp,)
    )

    assert certified(plain, roots, now=after).outcome == "unknown"
    found = certified(stamped, roots, now=after)
    assert found.outcome == "passed"
    assert found.signer is not None
    assert found.signer.stamped
    assert found.signer.at < after

    others = a_bundle(leaf, payload=b"[1]", timestamps=(stamp,))
    assert certified(others, roots, now=after).outcome == "unknown", "the stamp is of another signature"
    strangers = a_timestamp(
        tmp_path, plain.envelope.signatures[0].sig, certify("x", ca=True, begins=long_ago, ends=LATER)
    )
    by_stranger = SigstoreBundle(
        plain.envelope, "certificate", certificates=plain.certificates, timestamps=(strangers, b"junk")
    )
    assert certified(by_stranger, roots, now=after).outcome == "unknown", "nobody trusts that clock"


def test_a_root_is_one_certificate_of_an_authority() -> None:
    assert load_root(ROOT.pem) == ROOT.certificate
    assert root_algorithm(ROOT.certificate) == "x509-ecdsa-p256"
    for wrong, why in (
        (LEAF.pem, "may not issue others"),
        (NO_SIGN.pem, "may not issue others"),
        (ROOT.pem + MIDDLE.pem, "2 certificates are given"),
        (public_pem(ROOT.key), "not a certificate"),
        (private_pem(ROOT.key), "not a certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate"),
    ):
        with pytest.raises(InvalidInput, match=why):
            load_root(wrong)
    with pytest.raises(TooLarge):
        load_root(ROOT.pem * 200)
