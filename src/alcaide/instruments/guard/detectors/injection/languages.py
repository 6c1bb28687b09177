"""The same few things an attack says, in 30 languages beside English.

`languages.yaml` is a table of stems, not of sentences: what one does to instructions (ignore, forget), what they are
called, what makes them *those* instructions (previous, all, above), how one asks for them, and what a role without
rules or a secret from the user sounds like. Here each language's stems become patterns. Languages whose verb comes
last are read in both orders. There are no word boundaries: scripts without spaces have none, and stems are long
enough to be told apart without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Any, Final

import yaml

from alcaide.instruments.guard.detectors.injection.phrases import (
    ADDRESS,
    EXTRACT,
    HIDE,
    NEW_TASK,
    OVERRIDE,
    PERSONA,
    SECRET,
    Phrase,
    either,
)

_GAP: Final = r"[^.!?。！？\n]{0,60}?"


def phrases() -> Iterator[Phrase]:
    """Every language's patterns."""
    text = resources.files(__package__).joinpath("languages.yaml").read_text("utf-8")
    for code, stems in yaml.load(text, yaml.CSafeLoader).items():
        yield from _phrases(
            code, {name: tuple(value) for name, value in stems.items() if name != "verb_last"}
        )
        if stems.get("verb_last"):
            yield _verb_last(code, stems)


def _phrases(code: str, stems: dict[str, tuple[str, ...]]) -> Iterator[Phrase]:
    drop, orders, those = either(stems["drop"]), either(stems["orders"]), re.compile(either(stems["those"]))
    yield Phrase(
        f"override/{code}",
        OVERRIDE,
        drop + _GAP + orders,
        stems["drop"],
        0.4,
        after=80,
        strong=those,
        strong_score=0.86,
    )
    show, prompt = either(stems["show"]), either(stems["prompt"])
    yield Phrase(f"extract-prompt/{code}", EXTRACT, show + _GAP + prompt, stems["prompt"], 0.72, 90, 40)
    # In many languages the question ends with the verb: "your instructions again from the start, please repeat".
    yield Phrase(
        f"extract-prompt/{code}-last", EXTRACT, prompt + _GAP + show, stems["prompt"], 0.62, after=80
    )
    for name, rule, score in (("all", OVERRIDE, 0.6), ("without_rules", PERSONA, 0.6), ("hide", HIDE, 0.55)):
        if name in stems:
            yield Phrase(f"{rule}/{code}-{name}", rule, either(stems[name]), stems[name], score, after=4)
    for opening, closing, rule, score, in_data in (
        ("machine", "act", ADDRESS, 0.3, 0.66),
        ("before", "act", ADDRESS, 0.25, 0.62),
        ("as_if", "limits", PERSONA, 0.64, 0.0),
    ):
        if opening in stems:
            yield Phrase(
                f"{rule}/{code}-{opening}",
                rule,
                either(stems[opening]) + _GAP + either(stems[closing]),
                stems[opening],
                score,
                after=76,
                data_score=in_data,
            )
    if "new_task" in stems:
        yield Phrase(
            f"new-task/{code}",
            NEW_TASK,
            either(stems["new_task"]),
            stems["new_task"],
            0.45,
            after=4,
            data_score=0.56,
        )
    if "secret" in stems:
        yield from _secrets(code, show, stems["secret"])


def _secrets(code: str, show: str, secret: tuple[str, ...]) -> Iterator[Phrase]:
    """Asking for what is guarded. People ask for passwords of their own, too, so alone it is not enough."""
    yield Phrase(f"extract-secret/{code}", SECRET, show + _GAP + either(secret), secret, 0.4, 90, 20)


def _verb_last(code: str, stems: dict[str, Any]) -> Phrase:
    drop, orders, those = (tuple(stems[name]) for name in ("drop", "orders", "those"))
    return Phrase(
        f"override/{code}-last",
        OVERRIDE,
        either(orders) + _GAP + either(drop),
        drop,
        0.35,
        90,
        12,
        strong=re.compile(either(those)),
        strong_score=0.8,
        ahead=40,  # "those" comes before what it belongs to, and the verb after
    )
