"""The word lists of `words.yaml`, ready to be asked, and the form in which names and values are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

_PARTS = re.compile(r"[a-z0-9]+|[^\W_a-zA-Z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def folded(text: str) -> str:
    """Lower case, without accents, words parted by one space: `GeburtsDatum_2` is `geburts datum 2`."""
    parted = _CAMEL.sub(" ", text[:200])
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKD", parted.casefold())
        if not unicodedata.combining(character)
    )
    return " ".join(_PARTS.findall(unicodedata.normalize("NFC", plain)))


@dataclass(frozen=True)
class Words:
    """What names and values mean."""

    edition: str
    names: dict[str, frozenset[str]]
    values: dict[str, frozenset[str]]
    quasi: tuple[str, ...]
    synthetic_self: tuple[str, ...]
    synthetic_style: tuple[str, ...]
    instructions: str
    """One expression (RE2) for all cues, to be matched without regard to case."""

    def by_name(self, name: str) -> list[str]:
        """What a column with this name is likely to hold; the most telling first."""
        whole = folded(name)
        joined = whole.replace(" ", "")
        padded = f" {whole} "
        found = []
        for category, known in self.names.items():
            length = max(
                (len(word) for word in known if f" {word} " in padded or word.replace(" ", "") == joined),
                default=0,
            )
            if length:
                found.append((length, category))
        return [category for _, category in sorted(found, key=lambda pair: (-pair[0], pair[1]))]

    def by_values(self, values: list[str]) -> tuple[str, float] | None:
        """What a column with these distinct values holds, and the share of values that say so."""
        folds = {fold for value in values if (fold := folded(value))}
        if not folds:
            return None
        shares = {category: len(folds & known) / len(folds) for category, known in self.values.items()}
        best = max(shares, key=lambda category: shares[category])
        hits = len(folds & self.values[best])
        return (best, shares[best]) if hits >= 2 and shares[best] >= 0.5 else None


@lru_cache(maxsize=1)
def words() -> Words:
    """The lists that ship."""
    import yaml

    text = files(__package__).joinpath("words.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.safe_load(text)
    return Words(
        edition=str(raw["edition"]),
        names={category: frozenset(map(folded, map(str, known))) for category, known in raw["names"].items()},
        values={
            category: frozenset(map(folded, map(str, known))) for category, known in raw["values"].items()
        },
        quasi=tuple(raw["quasi"]),
        synthetic_self=tuple(raw["synthetic"]["self"]),
        synthetic_style=tuple(raw["synthetic"]["style"]),
        instructions="|".join(f"(?:{cue})" for cue in raw["instructions"]),
    )
