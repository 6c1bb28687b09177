"""Signers of other people's documents, made for tests."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from alcaide.kernel.evidence import pae

IN_TOTO = "application/vnd.in-toto+json"
DIGEST = "c" * 64


@dataclass
class Signer:
    """Somebody with a key of one kind."""

    kind: str = "ed25519"
    keyid: str = "theirs"
    private: Any = field(init=False)

    def __post_init__(self) -> None:
        self.private = {
            "ed25519": ed25519.Ed25519PrivateKey.generate,
            "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
            "rsa": lambda: rsa.generate_private_key(65537, 2048),
        }[self.kind]()

    @property
    def pem(self) -> str:
        return (
            self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )

    def sign(self, message: bytes) -> bytes:
        match self.kind:
            case "ed25519":
                return self.private.sign(message)
            case "ecdsa-p256":
                return self.private.sign(message, ec.ECDSA(hashes.SHA256()))
            case "ecdsa-p384":
                return self.private.sign(message, ec.ECDSA(hashes.SHA384()))
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def envelope(self, statement: dict[str, Any], *, indent: int | None = 1) -> bytes:
        """Written as others write it: with spaces, and keys in another order than ours."""
        payload = json.dumps(statement).encode()
        return json.dumps(
            {
                "payloadType": IN_TOTO,
                "payload": base64.b64encode(payload).decode(),
                "signatures": [
                    {"keyid": self.keyid, "sig": base64.b64encode(self.sign(pae(IN_TOTO, payload))).decode()}
                ],
            },
            indent=indent,
        ).encode()


def a_test_result(
    result: str = "PASSED", name: str = "model:theirs@1", digest: str = DIGEST, **more: Any
) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {"result": result, "configuration": [], **more},
    }


def a_pem() -> str:
    return Signer().pem
