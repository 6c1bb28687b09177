"""Harmful requests: somebody asks for what would hurt somebody.

One linear head over the guard's n-grams, trained by tools/guard/train_output.py on harmful requests and on harmless
ones that share their words ("kill a process"). A request dressed as a story or spread over several messages can
escape it; the injection detector looks for the dressing.
"""

from __future__ import annotations

from alcaide.instruments.guard.detectors.heads import HeadDetector, looked, trained
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.model import Passage

_MESSAGES = {
    "advice": "asks for individual advice of a kind that professionals are licensed to give",
    "crime": "asks for help with a crime",
    "cyber": "asks for help to break into or damage computers",
    "drugs": "asks for help with illegal drugs",
    "fraud": "asks for help to deceive somebody out of money",
    "hate": "asks for content that degrades people",
    "misinformation": "asks for content made to mislead",
    "privacy": "asks for what intrudes on somebody's privacy",
    "self-harm": "asks about harming oneself",
    "sexual": "asks for sexual content",
    "theft": "asks for help to take what belongs to others",
    "violence": "asks for help to hurt people",
    "weapons": "asks for help with weapons",
}


HARM = HeadDetector("harm", __name__, _MESSAGES, "a request for something harmful")


def harm_probability(text: str) -> float:
    """How likely a text by itself is a harmful request: for detectors that need to know what was asked."""
    score, _ = looked(as_written(Passage(text)), trained(__name__), 2.0)
    return score
