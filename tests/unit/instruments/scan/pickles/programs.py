"""Small pickles written opcode by opcode, and what a look at one says."""

from __future__ import annotations

import struct

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Artifact, Finding, Level
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import Memory


def text(value: str) -> bytes:
    """A short string."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def named(module: str, name: str) -> bytes:
    """A global by GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    """A global by STACK_GLOBAL."""
    return text(module) + text(name) + b"\x93"


def call(function: bytes, *args: bytes) -> bytes:
    """A call by REDUCE."""
    return function + b"(" + b"".join(args) + b"tR"


def stream(*parts: bytes, version: int = 4) -> bytes:
    """A whole pickle."""
    return b"\x80" + bytes([version]) + b"".join(parts) + b"."


def long_bytes(length: int) -> bytes:
    """The header of a BINBYTES8."""
    return b"\x8e" + struct.pack("<Q", length)


def look(
    data: bytes, name: str = "model.pkl", policy: ScanPolicy | None = None, sha256: str | None = None
) -> Artifact:
    """What a look at these bytes says."""
    return examine_artifact(Memory(data), name, policy=policy, sha256=sha256)


def found(data: bytes, name: str = "model.pkl") -> list[Finding]:
    """The findings of a look."""
    return look(data, name).findings


def worst(data: bytes, name: str = "model.pkl") -> Level | None:
    """The worst level found, or None."""
    findings = found(data, name)
    return findings[0].level if findings else None


def messages(data: bytes, name: str = "model.pkl") -> str:
    """All that is said, one a line."""
    return "\n".join(finding.message for finding in found(data, name))
