"""What an organisation adds to the rules that ship: how bad fails, what it has allowed, what a scan may cost."""

from __future__ import annotations

from typing import NamedTuple

from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Level


class Allowance(NamedTuple):
    """One callable allowed in one file: a person's decision, with a reason.

    It holds for the bytes with this digest and no others: a changed file is a new decision.
    """

    callable: str
    """`module.name` as the pickle names it."""
    sha256: str
    """Hex, of the scanned file."""
    reason: str
    by: str = ""


class ScanPolicy(NamedTuple):
    """How to scan. `policy_file` reads one that people have written."""

    fail_on: Level = Level.MEDIUM
    limits: Limits = Limits()
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
