"""What people do beside checking: fingerprint documents, make canaries. The command line is a thin skin over these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alcaide.instruments.guard.detectors.classification import canaries, storage
from alcaide.instruments.guard.detectors.classification.canaries import Canary, CanaryRegister
from alcaide.instruments.guard.detectors.classification.fingerprints import FingerprintStore


@dataclass(frozen=True, slots=True)
class Built:
    """A store on disk: what it holds, and the digest to pin in a policy."""

    path: Path
    sha256: str
    documents: int
    fingerprints: int


def build_fingerprints(paths: Sequence[Path], label: str, store: Path) -> Built:
    """Add documents to a store, which is made if it is not there; a document known by its path is replaced.

    Folders are read whole. Raises NotFound for a path that cannot be read, InvalidInput for what is not UTF-8 text,
    has fewer than four words, or is no store. Nothing is written unless everything was read.
    """
    made = FingerprintStore.of_texts(storage.documents_of(paths, label))
    if store.exists():
        made = storage.open_store(store).merged(made)
    digest = storage.write_store(made, store)
    return Built(store, digest, len(made.documents), len(made))


@dataclass(frozen=True, slots=True)
class Made:
    """A canary that was registered, and the digest of the register to pin in a policy."""

    canary: Canary
    path: Path
    sha256: str


def make_canary(kind: str, label: str, register: Path, *, host: str = "example.org") -> Made:
    """Make a canary, remember it in a register, and give it back to be put where `label` says.

    Raises InvalidInput for a kind there is not or a file that is no register.
    """
    canary = canaries.make_canary(kind, label=label, host=host)
    known = storage.open_register(register) if register.exists() else CanaryRegister()
    digest = storage.write_register(known.with_canary(canary), register)
    return Made(canary, register, digest)
