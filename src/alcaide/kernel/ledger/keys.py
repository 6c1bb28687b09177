"""The instance's signing keys: made on first run, encrypted at rest, rotated, and verifiable for ever.

One file per key in `<data>/keys/`. The private half is encrypted with ChaCha20-Poly1305 under a key
derived from a secret: a passphrase (scrypt) or a random secret file made beside it (0600). The public
half stays readable, so that the log can be verified by anyone who has the folder and no secret.

What is lost when a key is lost: nothing that was signed. Old statements stay verifiable by the public
half; only new ones cannot be signed, until the key is restored from a backup. `SECURITY.md` says so too.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import ConfigError, Corrupt, NotFound
from alcaide.kernel.evidence import strict_json
from alcaide.kernel.ledger.note import ED25519, NoteKey

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SCRYPT_N, SCRYPT_R, SCRYPT_P = (
    2**15,
    8,
    1,
)  # 32 MiB, about 0.1 s; OWASP password storage sheet's floor is 2^17/8/1 for log-ins
_AAD = b"alcaide signing key v1"


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs with a private key held in memory only. `repr` never shows it."""

    keyid: str
    public: bytes
    _secret: bytes

    def sign(self, message: bytes) -> bytes:
        """A 64-byte Ed25519 signature (RFC 8032)."""
        import nacl.bindings

        return nacl.bindings.crypto_sign(message, self._secret)[:64]

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.keyid})"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of this instance as the outside knows it."""

    keyid: str
    public: bytes
    created_at: str

    def note_key(self, origin: str) -> NoteKey:
        return NoteKey(origin, ED25519, self.public)

    def verifier(self) -> Ed25519PublicKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return Ed25519PublicKey.from_public_bytes(self.public)


def keyid_of(public: bytes) -> str:
    """`ed25519:` and the first 32 hex digits of SHA-256 over the raw public key."""
    return "ed25519:" + sha256(public).hexdigest()[:32]


class KeyStore:
    """The `keys` folder. Reading public halves needs no secret; signing does.

    `passphrase` is what opens and seals private halves; without one, `<folder>/secret` does, made on
    first use and readable by its owner only.
    """

    def __init__(self, folder: Path, passphrase: str | None = None) -> None:
        self.folder = folder
        self._passphrase = passphrase
        self._lock = threading.Lock()
        self._signers: dict[str, Ed25519Signer] = {}
        self._public: dict[str, PublicKey] = {}

    def public_keys(self) -> Mapping[str, PublicKey]:
        """Every key of this instance by id, retired ones too."""
        with self._lock:
            if self.folder.is_dir():
                for path in self.folder.glob("*.key.json"):
                    key = _read_public(path)
                    self._public[key.keyid] = key
            return dict(self._public)

    def public_key(self, keyid: str) -> PublicKey | None:
        """One key, reading the folder only if it is not known yet."""
        return self._public.get(keyid) or self.public_keys().get(keyid)

    def signer(self, keyid: str) -> Ed25519Signer:
        """Unlock a private key. Raises NotFound if it is gone, ConfigError if the secret does not open it."""
        with self._lock:
            if keyid not in self._signers:
                self._signers[keyid] = self._open(keyid)
            return self._signers[keyid]

    def create(self, created_at: str) -> Ed25519Signer:
        """Make a key, seal it into the folder, durably, and return it unlocked."""
        import nacl.bindings

        with self._lock:
            public, secret = nacl.bindings.crypto_sign_keypair()
            signer = Ed25519Signer(keyid_of(public), public, secret)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            document = {
                "keyid": signer.keyid,
                "created_at": created_at,
                "public": base64.b64encode(public).decode(),
                "private": self._seal(secret[:32]),
            }
            _write_durably(self._path(signer.keyid), json.dumps(document, indent=2).encode())
            self._signers[signer.keyid] = signer
            self._public[signer.keyid] = PublicKey(signer.keyid, public, created_at)
            return signer

    def _path(self, keyid: str) -> Path:
        return self.folder / f"{keyid.replace(':', '-')}.key.json"

    def _open(self, keyid: str) -> Ed25519Signer:
        import nacl.bindings

        path = self._path(keyid)
        if not path.is_file():
            raise NotFound(
                f"private key `{keyid}` is not in `{self.folder}`; restore it from a backup, or rotate"
            )
        document = strict_json(path.read_bytes(), max_bytes=65_536, what=f"key file `{path.name}`")
        seed = self._unseal(document.get("private"), path)
        public, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
        if keyid_of(public) != keyid:
            raise Corrupt(f"key file `{path.name}` holds another key than it says; restore it from a backup")
        return Ed25519Signer(keyid, public, secret)

    def _seal(self, seed: bytes) -> dict[str, Any]:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
        kind = "passphrase" if self._passphrase is not None else "secret-file"
        box = ChaCha20Poly1305(self._derive(kind, salt, create=True)).encrypt(nonce, seed, _AAD)
        parts = {"salt": salt, "nonce": nonce, "box": box}
        return {"sealed_by": kind, **{k: base64.b64encode(v).decode() for k, v in parts.items()}}

    def _unseal(self, sealed: Any, path: Path) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            kind = sealed["sealed_by"]
            salt, nonce, box = (base64.b64decode(sealed[k], validate=True) for k in ("salt", "nonce", "box"))
        except (TypeError, KeyError, ValueError):
            raise Corrupt(f"key file `{path.name}` cannot be read; restore it from a backup") from None
        if kind == "passphrase" and self._passphrase is None:
            raise ConfigError(
                "the signing key is sealed by a passphrase; set ALCAIDE_PASSPHRASE or ALCAIDE_PASSPHRASE_FILE"
            )
        try:
            return ChaCha20Poly1305(self._derive(kind, salt, create=False)).decrypt(nonce, box, _AAD)
        except InvalidTag:
            raise ConfigError(
                f"the passphrase or secret does not open key file `{path.name}`; check it"
            ) from None

    def _derive(self, kind: str, salt: bytes, *, create: bool) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        if kind == "passphrase":
            kdf = Scrypt(salt=salt, length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)
            return kdf.derive((self._passphrase or "").encode())
        path = self.folder / "secret"
        if not path.is_file():
            if not create:
                raise ConfigError(
                    f"secret file `{path}` is missing; restore it from a backup, or rotate the key"
                )
            _write_durably(path, secrets.token_bytes(32))
        secret = path.read_bytes()
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=_AAD).derive(secret)


def _read_public(path: Path) -> PublicKey:
    document = strict_json(path.read_bytes(), max_bytes=65_536, what=f"key file `{path.name}`")
    try:
        public = base64.b64decode(document["public"], validate=True)
        key = PublicKey(document["keyid"], public, document["created_at"])
    except (TypeError, KeyError, ValueError):
        raise Corrupt(f"key file `{path.name}` cannot be read; restore it from a backup") from None
    if keyid_of(key.public) != key.keyid:
        raise Corrupt(f"key file `{path.name}` holds another key than it says; restore it from a backup")
    return key


def _write_durably(path: Path, content: bytes) -> None:
    """Write a private file so that it is either whole on the disk or not there."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
