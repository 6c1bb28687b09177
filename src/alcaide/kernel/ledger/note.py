"""C2SP signed notes, checkpoints and witness cosignatures. Pure.

Sources: C2SP signed-note, tlog-checkpoint, tlog-cosignature. A verifier key is text, `name+hash+base64`;
the hash is the first four bytes of SHA-256 over name, newline, algorithm byte and public key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from alcaide.kernel.errors import Corrupt, InvalidInput
from alcaide.kernel.evidence.envelope import Signer

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURE_LINES = 100
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A named public key that can check a note's signature lines."""

    name: str
    algorithm: int
    public: bytes

    @property
    def hash(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    def to_text(self) -> str:
        """The vkey: `name+hash+base64`."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.hash.hex()}+{encoded}"

    @staticmethod
    def parse(text: str) -> NoteKey:
        """Read a vkey; raises InvalidInput."""
        wrong = InvalidInput(f"`{text[:80]}` is not a verifier key; it looks like `name+hash+base64`")
        try:
            name, hexadecimal, encoded = text.strip().split("+", 2)
            raw = base64.b64decode(encoded, validate=True)
            key = NoteKey(name, raw[0], raw[1:])
            if not _valid_name(name) or key.hash != bytes.fromhex(hexadecimal) or len(key.public) != 32:
                raise wrong
        except (ValueError, IndexError, binascii.Error):
            raise wrong from None
        if key.algorithm not in (ED25519, COSIGNATURE_V1):
            raise wrong
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: a key's name and hash, and the signature."""

    name: str
    hash: bytes
    signature: bytes

    def to_line(self) -> str:
        return f"{_DASH}{self.name} {base64.b64encode(self.hash + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a newline; the signatures cover exactly its bytes."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_text(self) -> str:
        return self.text + "\n" + "".join(s.to_line() for s in self.signatures)

    def with_signature(self, signature: NoteSignature) -> Note:
        return Note(self.text, (*self.signatures, signature))


def parse_note(data: str | bytes) -> Note:
    """Read a signed note, signatures unchecked. Raises InvalidInput."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise InvalidInput("a signed note must be UTF-8 text") from None
    if len(text) > MAX_NOTE_BYTES:
        raise InvalidInput(f"a signed note may have at most {MAX_NOTE_BYTES} characters")
    if any(ord(c) < 0x20 and c != "\n" for c in text):
        raise InvalidInput("a signed note may hold no control characters but newline")
    body, separator, tail = text.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise InvalidInput("a signed note needs a blank line and then signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURE_LINES:
        raise InvalidInput(f"a signed note may have at most {MAX_SIGNATURE_LINES} signature lines")
    return Note(body + "\n", tuple(_parse_line(line) for line in lines))


def _parse_line(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not line.startswith(_DASH) or not _valid_name(name) or len(raw) < 5:
        raise InvalidInput(f"`{line[:80]}` is not a note signature line")
    return NoteSignature(name, raw[:4], raw[4:])


def _valid_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() for c in name)


def sign_note(text: str, name: str, public: bytes, signer: Signer) -> NoteSignature:
    """A plain Ed25519 signature line over the note's text."""
    key = NoteKey(name, ED25519, public)
    return NoteSignature(name, key.hash, signer.sign(text.encode()))


def cosign_note(text: str, name: str, public: bytes, signer: Signer, *, timestamp: int) -> NoteSignature:
    """A witness's cosignature/v1 at `timestamp` (seconds since the epoch)."""
    key = NoteKey(name, COSIGNATURE_V1, public)
    message = f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    return NoteSignature(name, key.hash, timestamp.to_bytes(8, "big") + signer.sign(message))


def verify_note(note: Note, keys: Iterable[NoteKey]) -> list[NoteKey]:
    """The known keys that signed. Raises Corrupt if a line by a known key does not hold."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = {(key.name, key.hash): key for key in keys}
    good: list[NoteKey] = []
    for line in note.signatures:
        key = known.get((line.name, line.hash))
        if key is None:
            continue
        message, signature = note.text.encode(), line.signature
        if key.algorithm == COSIGNATURE_V1:
            stamp, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {stamp}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise Corrupt(
                f"checkpoint signature does not verify for key `{key.name}`; the note was altered or forged"
            ) from None
        good.append(key)
    return good


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its size and root, and the root of its subject index.

    The index root travels as an extension line (`index sha256:<hex>`), which tlog clients carry along
    unread and signatures cover.
    """

    origin: str
    size: int
    root: bytes
    index_root: bytes | None = None

    def to_text(self) -> str:
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode()]
        if self.index_root is not None:
            lines.append(f"index sha256:{self.index_root.hex()}")
        return "\n".join(lines) + "\n"

    @staticmethod
    def parse(text: str) -> Checkpoint:
        """Read a note's text as a checkpoint; unknown extension lines are ignored. Raises InvalidInput."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise InvalidInput("a checkpoint has an origin, a size and a root, one a line")
        origin, size, root, *extensions = lines[:-1]
        if (
            not size.isascii()
            or not size.isdigit()
            or (size != "0" and size.startswith("0"))
            or len(size) > 19
        ):
            raise InvalidInput(f"checkpoint size `{size[:30]}` is not a decimal number")
        try:
            raw = base64.b64decode(root, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise InvalidInput("a checkpoint's root must be 32 bytes in base64")
        return Checkpoint(origin, int(size), raw, _index_root(extensions))


def _index_root(extensions: list[str]) -> bytes | None:
    for line in extensions:
        if line.startswith("index sha256:"):
            try:
                raw = bytes.fromhex(line.removeprefix("index sha256:"))
            except ValueError:
                raw = b""
            if len(raw) != 32:
                raise InvalidInput("a checkpoint's index root must be 64 hex characters")
            return raw
    return None
