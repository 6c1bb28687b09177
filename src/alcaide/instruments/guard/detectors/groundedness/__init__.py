"""Groundedness: is what the answer says in its sources?

`words` cuts texts into comparable words, `lexicon` knows which words mean the same or the opposite, `features` says
how each sentence is covered, `model` turns that into a probability, `detector` reports.
"""

from __future__ import annotations

from alcaide.instruments.guard.detectors.groundedness.detector import GROUNDEDNESS, Groundedness

__all__ = ["GROUNDEDNESS", "Groundedness"]
