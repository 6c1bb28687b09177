"""A Sigstore instance of one's own in memory: authority, certificate log and signature log, with real signatures.

It stands in for the public one, which a test cannot reach: what it writes is checked by the same library.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from alcaide.kernel.evidence import PAYLOAD_TYPE, pae

SIGNED_AT = datetime(2026, 5, 1, 9, tzinfo=UTC)
ORIGIN = "log.example.org - 1"
_SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Instance:
    """One Sigstore instance."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=key)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sigstore of ours")])
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.authority.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SIGNED_AT - timedelta(days=100))
            .not_valid_after(SIGNED_AT + timedelta(days=3000))
            .add_extension(x509.BasicConstraints(True, None), critical=True)
            .add_extension(_usage(certifies=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.authority.public_key()), critical=False
            )
            .sign(self.authority, SHA256())
        )

    def trusted_root(self) -> bytes:
        """What the instance publishes."""
        begins = {"start": "2020-01-01T00:00:00Z"}

        def log(of: Any) -> dict[str, Any]:
            return {
                "baseUrl": "https://log.example.org",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(spki(of)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": begins,
                },
                "logId": {"keyId": b64(sha256(spki(of)).digest())},
            }

        return json.dumps(
            {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)],
                "ctlogs": [log(self.certificate_log)],
                "certificateAuthorities": [
                    {
                        "subject": {"organization": "ours", "commonName": "sigstore of ours"},
                        "uri": "https://ca.example.org",
                        "certChain": {
                            "certificates": [
                                {"rawBytes": b64(self.root.public_bytes(serialization.Encoding.DER))}
                            ]
                        },
                        "validFor": begins,
                    }
                ],
                "timestampAuthorities": [],
            }
        ).encode()

    def certify(self, public: Any, identity: str, issuer: str) -> x509.Certificate:
        """A certificate of ten minutes for an identity, with the certificate log's promise in it."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(SIGNED_AT - timedelta(minutes=1))
            .not_valid_after(SIGNED_AT + timedelta(minutes=9))
            .add_extension(_usage(certifies=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key()),
                critical=False,
            )
            .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(identity)]), critical=True)
            .add_extension(
                x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), issuer.encode()),
                critical=False,
            )
            .add_extension(
                x509.UnrecognizedExtension(
                    x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8"),
                    b"\x0c" + bytes([len(issuer)]) + issuer.encode(),
                ),
                critical=False,
            )
        )
        bare = builder.sign(self.authority, SHA256()).tbs_certificate_bytes
        moment = int(SIGNED_AT.timestamp() * 1000).to_bytes(8, "big")
        entry = sha256(spki(self.authority)).digest() + len(bare).to_bytes(3, "big") + bare + b"\0\0"
        signature = self.certificate_log.sign(b"\0\0" + moment + b"\0\1" + entry, ec.ECDSA(SHA256()))
        promise = (
            b"\0" + sha256(spki(self.certificate_log)).digest() + moment + b"\0\0\4\3"
            + len(signature).to_bytes(2, "big") + signature
        )  # fmt: skip
        listed = len(promise).to_bytes(2, "big") + promise
        listed = len(listed).to_bytes(2, "big") + listed
        octets = (
            b"\x04" + (bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])) + listed
        )
        return builder.add_extension(x509.UnrecognizedExtension(_SCTS, octets), critical=False).sign(
            self.authority, SHA256()
        )

    def sign(self, payload: bytes, identity: str, issuer: str) -> dict[str, Any]:
        """A bundle: certificate, envelope, and the log's entry with a proof and a promise."""
        signer = key()
        certificate = self.certify(signer.public_key(), identity, issuer)
        signature = signer.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
        envelope = {
            "payload": b64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": b64(signature), "keyid": ""}],
        }
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        body = _canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {
                        "algorithm": "sha256",
                        "value": sha256(_canonical(envelope)).hexdigest(),
                    },
                    "payloadHash": {"algorithm": "sha256", "value": sha256(payload).hexdigest()},
                    "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
                },
            }
        )
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": {"rawBytes": b64(certificate.public_bytes(serialization.Encoding.DER))},
                "tlogEntries": [self._entry(body)],
            },
            "dsseEnvelope": envelope,
        }

    def _entry(self, body: bytes) -> dict[str, Any]:
        log_id = sha256(spki(self.log)).digest()
        moment = int(SIGNED_AT.timestamp())
        promised = _canonical(
            {"body": b64(body), "integratedTime": moment, "logID": log_id.hex(), "logIndex": 0}
        )
        root = sha256(b"\0" + body).digest()
        note = f"{ORIGIN}\n1\n{b64(root)}\n"
        signed = log_id[:4] + self.log.sign(note.encode(), ec.ECDSA(SHA256()))
        return {
            "logIndex": "0",
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(moment),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.log.sign(promised, ec.ECDSA(SHA256())))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} {ORIGIN.split()[0]} {b64(signed)}\n"},
            },
            "canonicalizedBody": b64(body),
        }


def _usage(*, certifies: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certifies, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=certifies, crl_sign=certifies, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
