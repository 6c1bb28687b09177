"""Reading and writing what the classification detector works with. The detector itself opens no file.

Every file can be pinned by its SHA-256, as a policy does: what was changed after the policy was signed off is then
refused rather than used.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from alcaide.instruments.guard.detectors.classification.canaries import CanaryRegister
from alcaide.instruments.guard.detectors.classification.dictionaries import Dictionary
from alcaide.instruments.guard.detectors.classification.fingerprints import Document, FingerprintStore
from alcaide.kernel.errors import InvalidInput, NotFound

MAGIC = b"ALCFPR1\n"
HEADER_BYTES = 256 * 1024 * 1024
"""Names of a million documents take about 100 MB."""
TERMS_BYTES = 64 * 1024 * 1024
"""A million terms of 60 characters."""
REGISTER_BYTES = 16 * 1024 * 1024


def write_store(store: FingerprintStore, path: Path) -> str:
    """Write a store, all at once or not at all, and give back its SHA-256."""
    header = json.dumps(
        {
            "fingerprints": len(store.hashes),
            "words": len(store.bloom),
            "documents": [[document.id, document.label] for document in store.documents],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    header += b" " * (-(len(MAGIC) + 8 + len(header)) % 8)
    parts = (
        MAGIC,
        len(header).to_bytes(8, "little"),
        header,
        np.ascontiguousarray(store.bloom, dtype="<u8"),
        np.ascontiguousarray(store.hashes, dtype="<u8"),
        np.ascontiguousarray(store.of, dtype="<u4"),
    )
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        try:
            for part in parts:
                octets = part if isinstance(part, bytes) else part.view(np.uint8).data
                file.write(octets)
                digest.update(octets)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return digest.hexdigest()


def open_store(path: Path, *, sha256: str | None = None) -> FingerprintStore:
    """A store from a file, mapped rather than read. Raises NotFound, or InvalidInput if it is none or was changed."""
    _pinned(path, sha256)
    try:
        with path.open("rb") as file:
            magic, length = file.read(len(MAGIC)), int.from_bytes(file.read(8), "little")
            if magic != MAGIC or not 0 < length <= HEADER_BYTES:
                raise InvalidInput(
                    f"`{path}` is not a fingerprint store; make one with `alcaide guard fingerprint`"
                )
            header = json.loads(file.read(length))
        count, words = _size(header, "fingerprints"), _size(header, "words")
        documents = [Document(str(identifier), str(label)) for identifier, label in header["documents"]]
    except OSError as error:
        raise _missing(path, error) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"`{path}` is a damaged fingerprint store; make it again from its documents"
        ) from error
    begins = len(MAGIC) + 8 + length
    if path.stat().st_size != begins + 8 * words + 12 * count or not words:
        raise InvalidInput(
            f"`{path}` is a fingerprint store cut short or added to; make it again from its documents"
        )
    mapped = np.memmap(path, dtype=np.uint8, mode="r")
    bloom = mapped[begins : begins + 8 * words].view("<u8")
    hashes = mapped[begins + 8 * words : begins + 8 * (words + count)].view("<u8")
    of = mapped[begins + 8 * (words + count) :].view("<u4")
    if count and int(of.max()) >= len(documents):
        raise InvalidInput(f"`{path}` names documents it does not list; make it again from its documents")
    return FingerprintStore(np.asarray(hashes), np.asarray(of), np.asarray(bloom), documents)


def open_dictionary(path: Path, *, sha256: str | None = None, **options: Any) -> Dictionary:
    """Terms from a text file, one a line; empty lines and lines that begin with `#` say nothing."""
    octets = _read(path, sha256, TERMS_BYTES)
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"`{path}` is not UTF-8; save it as UTF-8 with one term a line") from error
    terms = [line.strip() for line in text.split("\n")]
    return Dictionary.of(
        (term for term in terms if term and not term.startswith("#")), name=path.stem, **options
    )


def open_register(path: Path, *, sha256: str | None = None) -> CanaryRegister:
    """Canaries from a register. Raises NotFound, or InvalidInput if it is none or was changed."""
    return CanaryRegister.from_json(_read(path, sha256, REGISTER_BYTES), name=str(path))


def write_register(register: CanaryRegister, path: Path) -> str:
    """Write a register, readable for its owner alone, and give back its SHA-256."""
    octets = register.to_json()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
        Path(file.name).replace(path)
    return hashlib.sha256(octets).hexdigest()


def documents_of(paths: Iterable[Path], label: str) -> Iterable[tuple[Document, str]]:
    """The texts of files and of every file in folders, in the order of their names; what is not text is refused."""
    for path in paths:
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in files:
            try:
                text = file.read_text(encoding="utf-8-sig")
            except OSError as error:
                raise _missing(file, error) from error
            except UnicodeDecodeError as error:
                raise InvalidInput(
                    f"`{file}` is not a UTF-8 text; give the text of the document instead"
                ) from error
            yield Document(str(file), label), text


def _size(header: dict[str, Any], name: str) -> int:
    value = header[name]
    if not isinstance(value, int) or not 0 <= value < 1 << 40:
        raise ValueError(name)
    return value


def _read(path: Path, sha256: str | None, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(limit + 1)
    except OSError as error:
        raise _missing(path, error) from error
    if len(octets) > limit:
        raise InvalidInput(f"`{path}` is larger than {limit >> 20} MiB; split it into several files")
    if sha256 is not None and hashlib.sha256(octets).hexdigest() != sha256.lower():
        raise _changed(path)
    return octets


def _pinned(path: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _missing(path, error) from error
    if digest != sha256.lower():
        raise _changed(path)


def _missing(path: Path, error: OSError) -> NotFound:
    return NotFound(f"`{path}` cannot be read: {error.strerror}; correct the path in the policy")


def _changed(path: Path) -> InvalidInput:
    return InvalidInput(
        f"`{path}` is not the file that was pinned: its SHA-256 differs; restore it, or review it and pin it anew"
    )
