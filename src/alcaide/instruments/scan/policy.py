"""What an organisation adds to the rules that ship: how bad fails, what it has allowed, what a scan may cost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Any

import msgspec

from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex
from alcaide.kernel.errors import InvalidInput

POLICY_BYTES = 1 << 20
_HEX = regex(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One callable allowed in one file: a person's decision, with a reason.

    It holds for the bytes with this digest and no others: a changed file is a new decision.
    """

    callable: str
    """`module.name` as the pickle names it."""
    sha256: str
    """Hex, of the scanned file."""
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ScanPolicy:
    """How to scan."""

    fail_on: Level = Level.MEDIUM
    limits: Limits = field(default_factory=Limits)
    allowances: tuple[Allowance, ...] = ()
    digest: str = ""
    """SHA-256 of the file it was read from; "" for the policy that ships."""

    def allowance(self, callable_name: str, sha256: str | None) -> Allowance | None:
        """The decision that lets this callable be in this file, if there is one."""
        if sha256 is None:
            return None
        for allowance in self.allowances:
            if allowance.callable == callable_name and allowance.sha256 == sha256:
                return allowance
        return None

    @property
    def needs_digest(self) -> bool:
        """Whether a file's digest must be known before it is looked at."""
        return bool(self.allowances)


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """A policy as people write it."""

    fail_on: Level = Level.MEDIUM
    limits: dict[str, int | float] = {}
    allow: list[Allowance] = []


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
    known = [one.name for one in fields(Limits)]
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
        tuple(written.allow),
        hashlib.sha256(content).hexdigest(),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
