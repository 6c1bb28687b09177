"""What a text's outer form says of it: its language, its length, repetition, noise, and answers without end."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.text_shape.detector import TextShape
from alcaide.instruments.guard.detectors.text_shape.language import Guess, language_of

TEXT_SHAPE = TextShape()

__all__ = ["TEXT_SHAPE", "Guess", "TextShape", "language_of"]
