"""The phrases of attacks in English.

Each row is looked for around its anchors only, so anchors are two words where one is common: a page of ordinary
English meets a handful of them. What a row cannot tell (who is spoken to, whether it is quoted) is weighed later.
"""

from __future__ import annotations

from typing import Final

from alcaide.instruments.guard.detectors.injection.english import documents, jailbreaks, prompts, slots
from alcaide.instruments.guard.detectors.injection.phrases import Phrase

ENGLISH: Final[tuple[Phrase, ...]] = (
    *prompts.PHRASES,
    *jailbreaks.PHRASES,
    *documents.PHRASES,
    *slots.PHRASES,
)
