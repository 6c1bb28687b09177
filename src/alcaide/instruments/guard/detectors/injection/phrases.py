"""One phrase that attacks use, as a table row: where to look for it, how to recognise it, how much it says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Final

OVERRIDE: Final = "override"
NEW_TASK: Final = "new-task"
EXTRACT: Final = "extract-prompt"
SECRET: Final = "extract-secret"  # noqa: S105 - a rule's name
MARKER: Final = "role-marker"
AUTHORITY: Final = "authority"
OBFUSCATED: Final = "obfuscated-instruction"
PERSONA: Final = "persona"
SUPPRESSION: Final = "refusal-suppression"
ADDRESS: Final = "address-model"
EXFILTRATION: Final = "exfiltration"
HIDE: Final = "hide-from-user"
TOOL: Final = "tool-steering"
MEMORY: Final = "memory"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A pattern of a family. `score` is about the share of development texts with it that were attacks.

    `strong` and `needs` look at the match and the 30 characters after it: with `strong` the score is `strong_score`,
    without `needs` it is halved; `ahead` characters before the match are looked at as well.
    `data_only` phrases are ordinary in what a user types, and count half there. `data_score` is the least score in
    what a tool brought: who speaks to the machine there is not its user.
    """

    key: str
    rule: str
    regex: str
    anchors: tuple[str, ...]
    score: float
    before: int = 0
    after: int = 200
    strong: re.Pattern[str] | None = None
    strong_score: float = 0.0
    needs: re.Pattern[str] | None = None
    data_only: bool = False
    ahead: int = 0
    data_score: float = 0.0


def pairs(first: str, second: str, join: str = " ") -> tuple[str, ...]:
    """Every combination of two lists written with bars: anchors of two words are rare, and looked at seldom."""
    return tuple(join.join(both) for both in product(first.split("|"), second.split("|")))


def either(stems: tuple[str, ...]) -> str:
    """A group that matches any of some literals."""
    return "(?:" + "|".join(re.escape(stem) for stem in stems) + ")"
