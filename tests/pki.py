"""A small public key infrastructure for tests: authorities, signers, and whatever may be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CODE_SIGNING = ExtendedKeyUsageOID.CODE_SIGNING
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


def a_key(kind: str = "p256") -> Any:
    curves: dict[str, Any] = {
        "p256": ec.SECP256R1,
        "p384": ec.SECP384R1,
        "p521": ec.SECP521R1,
        "k1": ec.SECP256K1,
    }
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(curves[kind]())


def private_pem(key: Any, password: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    return pem


def public_pem(key: Any) -> bytes:
    pem: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


@dataclass(frozen=True)
class Certified:
    """A key with the certificate for it."""

    key: Any
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def files(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Key and certificate as files."""
        (folder / f"{name}.key").write_bytes(private_pem(self.key))
        (folder / f"{name}.crt").write_bytes(self.pem)
        return folder / f"{name}.key", folder / f"{name}.crt"


def certify(
    name: str,
    by: Certified | None = None,
    *,
    ca: bool = False,
    kind: str = "p256",
    path_length: int | None = None,
    sign: bool | None = True,
    cert_sign: bool | None = None,
    purposes: list[x509.ObjectIdentifier] | None = None,
    begins: datetime = NOON - timedelta(days=30),
    ends: datetime = NOON + timedelta(days=365),
    extra: list[tuple[x509.ExtensionType, bool]] | None = None,
    constrained: bool = True,
    critical_purposes: bool = False,
) -> Certified:
    """A certificate by `by`, or by itself. `sign=None` leaves the key usage out."""
    key = a_key(kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = by.certificate.subject if by else subject
    signer = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if constrained:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if sign is not None:
        certifies = ca if cert_sign is None else cert_sign
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=sign and not ca, content_commitment=False, key_encipherment=not sign,
                data_encipherment=False, key_agreement=False, key_cert_sign=certifies, crl_sign=certifies,
                encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )  # fmt: skip
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical_purposes)
    for extension, critical in extra or []:
        builder = builder.add_extension(extension, critical=critical)
    return Certified(
        key, builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else SHA256())
    )
