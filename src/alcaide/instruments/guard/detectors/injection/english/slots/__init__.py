"""Attacks as slots rather than sentences: what is done × to what × in which state, within a short stretch.

A new attack seldom says a known sentence, but it still has to name what it is after (the prompt, the rules, the
user's keys), what becomes of it (shown, lifted, sent), and in data whom it speaks to. Each row here crosses such
classes of words. `data_score` holds where a tool brought the text: there a line for the machine is near certain to
be an attack, which a person may well type at an assistant of his own.
"""

from __future__ import annotations

from typing import Final

from alcaide.instruments.guard.detectors.injection.english.slots import (
    addressed,
    authority,
    borders,
    extraction,
    passing_on,
    without_rules,
)
from alcaide.instruments.guard.detectors.injection.phrases import Phrase

PHRASES: Final[tuple[Phrase, ...]] = (
    *extraction.PHRASES,
    *without_rules.PHRASES,
    *authority.PHRASES,
    *addressed.PHRASES,
    *passing_on.PHRASES,
    *borders.PHRASES,
)
