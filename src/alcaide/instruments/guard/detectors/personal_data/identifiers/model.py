"""How a country's identifier is described: its look, its check, and the words people put beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alcaide.instruments.guard.model import Level

Check = Callable[[str], bool]
"""Whether a compact number (separators taken out, letters in upper case) holds its own check."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of number that a state, an insurer or a bank gives a person or a firm.

    Attributes:
        entity: what a pseudonym is made of, `US_SSN`.
        country: ISO 3166-1 alpha-2.
        name: as a person would say it, for the finding's message.
        shapes: how it is written: `9` a digit, `A` a letter, everything else itself. A number of another shape is
            never this identifier.
        check: the checksum or structure test; None where the format has none.
        words: lower-case words that people put beside it.
        plain: probability that a number of the right shape that holds its check is this, with nothing beside it.
            Low where many numbers pass by chance (nine digits and one check digit: one in ten does).
        formatted: the same if it is written with the separators that belong to it.
        unchecked: probability if a word is beside it but the check fails: a typo, a fictional or a redrawn number.
        needs_word: nothing without a word beside it, whatever the country.
        level: how much it matters.
    """

    entity: str
    country: str
    name: str
    shapes: tuple[str, ...]
    words: tuple[str, ...]
    check: Check | None = None
    plain: float = 0.2
    formatted: float = 0.5
    unchecked: float = 0.62
    needs_word: bool = False
    level: Level = "error"


def by_stdnum(module: str) -> Check:
    """The check of a python-stdnum module, imported when first needed: the whole package takes a second to load."""
    loaded: list[Check] = []

    def check(compact: str) -> bool:
        if not loaded:
            import importlib

            loaded.append(importlib.import_module(f"stdnum.{module}").is_valid)
        return loaded[0](compact)

    check.__name__ = f"stdnum.{module}"
    return check
