"""Reads a scan policy that people have written: YAML, held to its settings."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.policy import Allowance, ScanPolicy
from alcaide.kernel.errors import InvalidInput

POLICY_BYTES = 1 << 20
_HEX = re.compile(r"[0-9a-f]{64}\Z")


class _Allowed(msgspec.Struct):
    """An allowance as people write it."""

    callable: str
    sha256: str
    reason: str
    by: str = ""


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """A policy as people write it."""

    fail_on: Level = Level.MEDIUM
    limits: dict[str, int | float] = {}
    allow: list[_Allowed] = []


def parse_policy(content: bytes, *, name: str = "the scan policy") -> ScanPolicy:
    """A policy from YAML.

    Raises:
        InvalidInput: it is not YAML, or a setting is unknown or of the wrong kind; names it.
    """
    import yaml

    if len(content) > POLICY_BYTES:
        raise InvalidInput(f"`{name}` is larger than {POLICY_BYTES >> 20} MiB; a scan policy is short")
    try:
        raw: Any = yaml.safe_load(content) or {}
        written = msgspec.convert(raw, _Written)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(
            f"`{name}` is not a scan policy: {_one_line(error)}; see docs/scan/policy.md"
        ) from error
    known = Limits._fields
    for setting, value in written.limits.items():
        if setting not in known:
            raise InvalidInput(f"`{name}`: `limits.{setting}` is no limit; there are: {', '.join(known)}")
        if value <= 0:
            raise InvalidInput(f"`{name}`: `limits.{setting}` is {value}; give a number above 0")
    for allowance in written.allow:
        if not _HEX.match(allowance.sha256):
            raise InvalidInput(
                f"`{name}`: allowing `{allowance.callable}` needs the file's `sha256`, 64 lower-case hex characters"
            )
        if not allowance.reason.strip():
            raise InvalidInput(f"`{name}`: allowing `{allowance.callable}` needs a `reason`")
    if written.fail_on is Level.UNKNOWN:
        raise InvalidInput(
            f"`{name}`: `fail_on` is one of low, medium, high, critical; unknown has its own outcome"
        )
    whole = {key: value if key == "seconds" else int(value) for key, value in written.limits.items()}
    return ScanPolicy(
        written.fail_on,
        Limits(**whole),  # type: ignore[arg-type]
        tuple(Allowance(one.callable, one.sha256, one.reason, one.by) for one in written.allow),
        hashlib.sha256(content).hexdigest(),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
