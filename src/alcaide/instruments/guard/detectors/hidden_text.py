"""Text that its reader does not see: smuggled in invisible characters, turned around, or hidden by a page.

That something is hidden is a fact, not a guess, and where it can carry a message it is reported whatever the message
says; what it says is for the other detectors, which look at the layer it makes. What has an ordinary use (a soft
hyphen, a joiner in Persian, an HTML comment) is scored low or not at all.

Sources: Unicode 16 §23.9 (tag characters), UTS #55 §4 (bidirectional controls in source, "Trojan Source",
CVE-2021-42574), HTML Living Standard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Level, Span
from alcaide.kernel.errors import InvalidInput

_OVERRIDE = re.compile("[\u202d\u202e]")
_EMBED = re.compile("[\u202a\u202b\u2066-\u2068]")
# An invisible character with a Latin letter or figure on both sides: there it spells nothing.
_WITHIN = re.compile("(?<=[0-9A-Za-z])[\u200b-\u200d\u2060-\u2064\ufeff\u00ad\u180e](?=[0-9A-Za-z])")
_WITHIN_FROM = 3
_OCTETS = tuple(
    chr(point).encode()
    for point in (
        *range(0x200B, 0x200E),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2069),
        0xFEFF,
        0xAD,
        0x180E,
    )
)
"""What is looked for, as bytes: a text without any of them is told in a fraction of the time a pattern takes."""
_BY_STEM = {
    stem: tuple(octets for octets in _OCTETS if octets[:2] == stem) for stem in {one[:2] for one in _OCTETS}
}
"""By the two bytes that they begin with, so that most are not looked for at all."""
_TURNED = "a control that makes text read in another order than it is written"
_NEEDLESS = "a bidirectional control in a text that needs none"
_TAXONOMY = ("owasp-llm:2025/LLM01", "mitre-atlas/AML.T0068")


class HiddenText:
    """Reports characters and page elements that carry text nobody sees."""

    name = "hidden-text"
    version = "1"
    patterns: Sequence[Pattern] = ()

    def configured(self, options: dict[str, Any]) -> HiddenText:
        """It has no options. Raises InvalidInput for any."""
        if options:
            raise InvalidInput(f"detector `hidden-text` has no option `{min(options)}`; remove it")
        return self

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        if not layer.path:
            return self._as_written(layer)
        match layer.path[-1]:
            case "tag characters":
                return self._carried(
                    layer, "tag-characters", 0.98, "error", "text in tag characters, which no font shows"
                )
            case "variation selectors":
                return self._carried(
                    layer,
                    "variation-selectors",
                    0.95,
                    "error",
                    "bytes in variation selectors, which no font shows",
                )
            case "hidden":
                # Every page has comments; that there is one is worth a note, no more.
                return self._carried(
                    layer, "page-element", 0.3, "note", "text that the page carries and does not show"
                )
        return NOTHING

    def _as_written(self, layer: Layer) -> Examination:
        if layer.ascii or not _any_in(layer.octets):
            return NOTHING
        text = layer.text
        found = [
            self._finding("bidi-override", _line_from(layer, match), 0.85, "warning", _TURNED)
            for match in _few(_OVERRIDE, text)
        ]
        if not _right_to_left(text):
            found += [
                self._finding("bidi-embedding", _line_from(layer, match), 0.6, "warning", _NEEDLESS)
                for match in _few(_EMBED, text)
            ]
        within = _few(_WITHIN, text)
        if len(within) >= _WITHIN_FROM:
            span = layer.span(within[0].start(), within[-1].end())
            found.append(
                self._finding("within-words", span, 0.8, "warning", "invisible characters within words")
            )
        return Examination(tuple(found), max((one.score for one in found), default=0.0))

    def _carried(self, layer: Layer, rule: str, score: float, level: Level, message: str) -> Examination:
        finding = self._finding(rule, layer.span(0, len(layer.text)), score, level, message)
        return Examination((finding,), score)

    def _finding(self, rule: str, span: Span, score: float, level: Level, message: str) -> Finding:
        return Finding(
            detector=self.name,
            rule=f"{self.name}/{rule}",
            category="hidden-text",
            span=span,
            score=score,
            level=level,
            message=message,
            taxonomy=_TAXONOMY,
        )


def _any_in(octets: bytes) -> bool:
    return any(stem in octets and any(one in octets for one in ones) for stem, ones in _BY_STEM.items())


def _few(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    found = []
    for match in pattern.finditer(text):
        found.append(match)
        if len(found) >= 100:
            break
    return found


def _line_from(layer: Layer, match: re.Match[str]) -> Span:
    """From a control to the end of its line, which is as far as it works."""
    text, start = layer.text, match.end()
    end = text.find("\n", start, start + 200)
    return layer.span(match.start(), min(len(text), start + 200) if end < 0 else end)


def _right_to_left(text: str) -> bool:
    """Whether there is Hebrew, Arabic, Syriac or the like, which bidirectional controls are made for."""
    return re.search("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]", text.replace("\ufeff", "")) is not None


HIDDEN_TEXT = HiddenText()
