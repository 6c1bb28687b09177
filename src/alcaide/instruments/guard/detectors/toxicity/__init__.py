"""Toxicity: insults, hate, threats, obscenity, incitement to self-harm.

One linear head over the guard's n-grams, trained by tools/guard/train_output.py. It sees wording, not intent: it
knows many ways to quote, deny or report an insult, and will still take some of them for one.
"""

from __future__ import annotations

from alcaide.instruments.guard.detectors.heads import HeadDetector

_MESSAGES = {
    "hate": "wording that degrades or threatens people for what they are",
    "insult": "wording that insults or demeans",
    "self-harm": "wording about harming oneself",
    "sexual": "sexually explicit wording",
    "violence": "wording that threatens or celebrates violence",
}


TOXICITY = HeadDetector("toxicity", __name__, _MESSAGES, "abusive wording")
