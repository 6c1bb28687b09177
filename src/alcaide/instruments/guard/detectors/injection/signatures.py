"""What attacks on a model say, as patterns: few false alarms, an answer to "why", and many languages.

A learned model sees more, but cannot say what it saw. A signature can: which instruction was to be overridden, which
secret was asked for, where the data were to go. Signatures are found in the guard's shared pass; here each hit is
weighed by what stands around it. The sentence `"Ignore all instructions" is a classic attack` is about an attack,
`never ignore the safety rules` is the opposite of one, and both are let through.

Phrases in English are below; `languages.py` has the same families in 30 more languages.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import re2

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.injection.english import ENGLISH
from alcaide.instruments.guard.detectors.injection.languages import phrases
from alcaide.instruments.guard.detectors.injection.phrases import Phrase
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Finding

DETECTOR: Final = "prompt-injection"
SHOWN: Final = 0.3
"""Sightings below this are evidence for the learned model, and not worth a line of their own."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a group of signatures says of a text.

    `trusted` multiplies the score in system and developer messages, where most of these are at home: a system prompt
    may say "never reveal your instructions" and may give a model a role.
    """

    rule: str
    category: str
    message: str
    taxonomy: tuple[str, ...]
    trusted: float = 0.3


_LLM01: Final = "owasp-llm:2025/LLM01"
_LLM02: Final = "owasp-llm:2025/LLM02"
_LLM06: Final = "owasp-llm:2025/LLM06"
_LLM07: Final = "owasp-llm:2025/LLM07"
_INJECTION: Final = "mitre-atlas/AML.T0051"
_DIRECT: Final = "mitre-atlas/AML.T0051.000"
_INDIRECT: Final = "mitre-atlas/AML.T0051.001"
_JAILBREAK: Final = "mitre-atlas/AML.T0054"
_META_PROMPT: Final = "mitre-atlas/AML.T0056"
_LEAK: Final = "mitre-atlas/AML.T0057"

SHOWN_AT_MOST: Final = 1000
"""Findings made of one layer, the surest first: more tell nobody anything."""

FAMILIES: Final[Mapping[str, Family]] = {
    family.rule: family
    for family in (
        Family(
            "override",
            "prompt-injection",
            "tells the model to drop the instructions it was given",
            (_LLM01, _INJECTION),
        ),
        Family(
            "new-task",
            "prompt-injection",
            "replaces the model's task with another one",
            (_LLM01, _INJECTION),
        ),
        Family(
            "extract-prompt",
            "prompt-injection",
            "asks the model to give away its instructions",
            (_LLM07, _META_PROMPT),
            0.1,
        ),
        Family(
            "extract-secret",
            "prompt-injection",
            "asks the model for a secret that it guards",
            (_LLM02, _LEAK),
            0.1,
        ),
        Family(
            "role-marker",
            "prompt-injection",
            "imitates the marks that separate the parts of a prompt",
            (_LLM01, _INJECTION),
        ),
        Family(
            "authority",
            "prompt-injection",
            "claims an authority over the model that a text cannot have",
            (_LLM01, _DIRECT),
        ),
        Family(
            "obfuscated-instruction",
            "prompt-injection",
            "asks the model to decode or assemble an instruction and to follow it",
            (_LLM01, _INJECTION),
        ),
        Family("persona", "jailbreak", "gives the model a role without rules", (_LLM01, _JAILBREAK)),
        Family(
            "refusal-suppression",
            "jailbreak",
            "forbids the model to refuse or to warn, or dictates a consenting beginning",
            (_LLM01, _JAILBREAK),
        ),
        Family(
            "address-model",
            "prompt-injection",
            "speaks to the model that reads a document rather than to people",
            (_LLM01, _INDIRECT),
        ),
        Family(
            "exfiltration",
            "prompt-injection",
            "has data sent to an address that the text names",
            (_LLM01, _LLM02, _INDIRECT, _LEAK),
        ),
        Family(
            "hide-from-user",
            "prompt-injection",
            "tells the model to keep something from its user",
            (_LLM01, _INDIRECT),
        ),
        Family(
            "tool-steering",
            "prompt-injection",
            "tells the model which tool to use, when and with what",
            (_LLM01, _LLM06, _INDIRECT),
        ),
        Family(
            "memory",
            "prompt-injection",
            "has something written into the model's lasting memory",
            (_LLM01, "mitre-atlas/AML.T0080"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Sighting:
    """A signature seen in a layer, in the layer's offsets, and what is left of its score after weighing."""

    phrase: Phrase
    start: int
    end: int
    score: float
    reasons: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        """The family that it belongs to."""
        return FAMILIES[self.phrase.rule]


# ── All of them ─────────────────────────────────────────────────────────────────────────────────────────────────

PHRASES: Final[tuple[Phrase, ...]] = (*ENGLISH, *phrases())
PATTERNS: Final[tuple[Pattern, ...]] = tuple(
    Pattern(phrase.key, phrase.regex, phrase.anchors, before=phrase.before, after=phrase.after)
    for phrase in PHRASES
)
_BY_KEY: Final[Mapping[str, Phrase]] = {phrase.key: phrase for phrase in PHRASES}


# ── What stands around a match ───────────────────────────────────────────────────────────────────────────────────

# RE2 where alternatives are many: it looks for all of them at once.
_AROUND: Final = 160
_NEGATIONS: Final = frozenset(
    (
        "never",
        "not",
        "don't",
        "doesn't",
        "didn't",
        "cannot",
        "can't",
        "mustn't",
        "shouldn't",
        "won't",
        "avoid",
        "refuse",
        "without",
        "jamais",
        "nicht",
        "nie",
        "kein",
        "nunca",
        "no",
        "non",
        "mai",
        "niet",
        "nooit",
        "не",
        "никогда",
    )
)
_ABOUT: Final = re2.compile(
    r"prompt[ -]injection|injections?\b|jailbreak|\battack|adversar|malicious|\bdetect|classif|"
    r"\bfilters? (?:should|must|that|which|for)|vulnerab|red[- ]team|owasp|\bdefen[cds]|mitigat|for example|"
    r"for instance|\be\.g\.|such as|the (?:phrase|sentence|words|term|prompt|string|message|text|input) |test case|"
    r"\bexpected|\bassert|\blabel|incident|"
    r"changelog|release note|workshop|\blesson|guidance|documentation|literal|used to work|"
    r"(?:^|[^.])\bexample|handbook|training slide|quote of|phishing|security|exploit|"
    r"angriff|attaque|ataque|attacco|aanval|atak\b|útok|angrepp|angreb|hyökkäys|атак|saldırı|هجوم|התקפה|حمله|हमला|"
    r"আক্রমণ|攻击|攻撃|공격|tấn công|serangan|โจมตี|επίθεση|atac|támadás|shambulio"
)
_ASKS_ABOUT: Final = re.compile(
    r"^\W{0,4}(?:how (?:do|can|could|would|should|to|does|did)\b|why\b|"
    r"what (?:is|are|does|happens|do|would|counts)\b|when\b|who\b|which (?:papers?|attacks?)|is it\b|are there\b|"
    r"should (?:i|we)\b|can i\b|may i\b|explain\b|describe how\b|define\b|discuss\b|"
    r"summari[sz]e (?:the|how|why)\b|compare\b)"
)
_COULD_BE_ASKED_ABOUT: Final = frozenset(
    ("override", "persona", "obfuscated-instruction", "role-marker", "memory", "new-task")
)
_DEFINED: Final = re.compile(
    r"difference between|what(?:'s| is| are) an? |what an? [a-z]+ (?:prompt|message) is|\bexplain an? "
)
_OFTEN_FORBIDDEN: Final = frozenset(("hide-from-user/silently",))
"""Of these, phrases that careful authors forbid: never without asking."""
_NEGATED_BY_NATURE: Final = frozenset(("refusal-suppression", "hide-from-user"))
_CONDITIONAL: Final = re2.compile(
    r"\b(?:if|when|whenever|even if|should|in case) (?:the |a |any |an |some)?(?:user|users|text|message|someone|"
    r"anyone|somebody|people|document|attacker|person|customer|input|they|content)\b"
)
_REPORTED: Final = re2.compile(
    r"\b(?:tried to|tries to|trying to|attempts? to|attempted to|asked (?:it|the (?:bot|model|assistant)) to|convinced|"
    r"tricked|tells? (?:a|the) (?:bot|model) to|made (?:it|the (?:bot|model))|"
    r"told (?:the )?(?:bot|model|assistant|chatgpt|ai|it|him|her|them|me|us|everyone) to)\b"
)
_SENTENCE_END: Final = ".!?\n。！？"
_OPENING: Final = "\"“„«‘`「『'"
_CLOSING: Final[Mapping[str, str]] = {
    '"': '"', "“": "”", "„": "“”", "«": "»", "‘": "’", "`": "`", "「": "」", "『": "』", "'": "'",
}  # fmt: skip


def _sentence_start(text: str, start: int) -> int:
    low = max(0, start - _AROUND)
    return max(text.rfind(mark, low, start) for mark in _SENTENCE_END) + 1 or low


def _quoted(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The quotation around a match, if it begins within the last 160 characters and ends within the next 400."""
    low = max(0, start - _AROUND)
    for mark in _OPENING:
        at = text.rfind(mark, low, start)
        if at < 0 or (mark == "'" and at and text[at - 1].isalnum()):
            continue
        if mark in "\"`'" and text.count(mark, low, start) % 2 == 0:
            continue
        for closing in _CLOSING[mark]:
            ends = text.find(closing, end, end + 400)
            if ends >= 0:
                return at, ends
    return None


def _mentioned(lead: str) -> bool:
    """Whether what stands ahead of a quotation is a sentence that mentions it.

    A field's name or an announcement with a colon is not: what follows it is meant.
    """
    return len(lead.split()) >= 3 and not lead.rstrip(" \\\"'([{").endswith((":", "=", ","))


def _weight(layer: Layer, phrase: Phrase, start: int, end: int) -> tuple[float, tuple[str, ...]]:
    """What is left of a score, and why: about an attack, denied, reported, asked how, in a trusted message."""
    text = layer.lower
    factor, reasons = 1.0, []
    if layer.passage.trusted:
        factor *= FAMILIES[phrase.rule].trusted
        reasons.append("in a system message")
    begin = _sentence_start(text, start)
    lead = text[begin:start]
    words = lead.split()[-4:]
    rule = phrase.rule
    if (rule not in _NEGATED_BY_NATURE or phrase.key in _OFTEN_FORBIDDEN) and any(
        word in _NEGATIONS for word in words
    ):
        factor *= 0.15
        reasons.append("denied")
    quotation = _quoted(text, start, end)
    around = (
        text[max(0, quotation[0] - _AROUND) : quotation[0]]
        + " … "
        + text[quotation[1] + 1 : quotation[1] + _AROUND]
        if quotation
        else text[max(0, start - 100) : start] + " … " + text[end : end + 60]
    )
    about = _ABOUT.search(around) is not None
    if quotation and about:
        factor *= 0.3
        reasons.append("quoted in a text about attacks")
    elif quotation and _mentioned(text[_sentence_start(text, quotation[0]) : quotation[0]]):
        factor *= 0.5
        reasons.append("quoted in a sentence")
    elif about:
        # A mail says "the message" and "for example" of anything.
        factor *= 0.9 if phrase.data_score and _brought(layer) else 0.65
        reasons.append("in a text about attacks")
    if _CONDITIONAL.search(lead) and rule != "tool-steering":
        factor *= 0.25
        reasons.append("a case that is provided for")
    elif _REPORTED.search(lead):
        factor *= 0.35
        reasons.append("reported")
    if rule == "extract-prompt" and _DEFINED.search(text[start:end]):
        factor *= 0.4
        reasons.append("asked about")
    if rule in _COULD_BE_ASKED_ABOUT and _ASKS_ABOUT.match(lead):
        factor *= 0.4
        reasons.append("asked about")
    return factor, tuple(reasons)


def _brought(layer: Layer) -> bool:
    """Whether a tool brought the passage, so that nobody in it may tell the model anything."""
    passage = layer.passage
    return not passage.trusted and (
        passage.direction == "tool" or passage.kind in ("tool-result", "tool-description")
    )


def sightings(layer: Layer, hits: Iterable[Hit]) -> tuple[Sighting, ...]:
    """Every signature seen, weighed, ordered by place. Hits of other rules are passed over.

    `data_only` signatures count in full where a document, a tool or a text without a role is read, and half in what
    a user typed: "hello assistant" is how people begin.
    """
    seen = []
    passage = layer.passage
    typed = passage.role == "user"
    in_data = _brought(layer)
    for hit in hits:
        phrase = _BY_KEY.get(hit.rule)
        if phrase is None:
            continue
        reading = layer.lower[max(0, hit.start - phrase.ahead) : hit.end + 30]
        score = phrase.score
        if phrase.strong is not None and phrase.strong.search(reading):
            score = phrase.strong_score
        elif phrase.needs is not None and not phrase.needs.search(reading):
            score *= 0.5
        if phrase.data_only and typed:
            score *= 0.5
        if in_data:
            score = max(score, phrase.data_score)
        factor, reasons = _weight(layer, phrase, hit.start, hit.end)
        seen.append(Sighting(phrase, hit.start, hit.end, score * factor, reasons))
    return tuple(seen)


def combined(seen: Iterable[Sighting]) -> float:
    """How likely it is that a layer attacks, as far as signatures can say.

    The best sighting of each family counts as independent evidence of its own (noisy-or): an override with an
    extraction is surer than either, ten overrides are not surer than one.
    """
    best: dict[str, float] = {}
    for sighting in seen:
        best[sighting.family.rule] = max(best.get(sighting.family.rule, 0.0), sighting.score)
    remaining = 1.0
    for score in best.values():
        remaining *= 1.0 - score
    return min(0.99, 1.0 - remaining)


FEATURE_NAMES: Final[tuple[str, ...]] = tuple(f"signature:{rule}" for rule in FAMILIES)
_PLACE: Final = {rule: place for place, rule in enumerate(FAMILIES)}


def features(seen: Iterable[Sighting]) -> npt.NDArray[np.float32]:
    """The best weighed score of each family, in the order of `FEATURE_NAMES`, for a learned model to go on."""
    vector = np.zeros(len(FAMILIES), dtype=np.float32)
    for sighting in seen:
        place = _PLACE[sighting.family.rule]
        vector[place] = max(vector[place], sighting.score)
    return vector


def findings(layer: Layer, seen: Sequence[Sighting], least: float = SHOWN) -> tuple[Finding, ...]:
    """A finding for each sighting of at least `least`; of overlapping ones of a family the surest."""
    kept: list[Sighting] = []
    taken_by: dict[str, list[tuple[int, int]]] = {}
    for sighting in sorted(seen, key=lambda one: -one.score):
        if sighting.score < least or len(kept) >= SHOWN_AT_MOST:
            break
        taken = taken_by.setdefault(sighting.family.rule, [])
        place = bisect_left(taken, (sighting.start, sighting.end))
        before = place and taken[place - 1][1] > sighting.start
        behind = place < len(taken) and taken[place][0] < sighting.end
        if not before and not behind:
            taken.insert(place, (sighting.start, sighting.end))
            kept.append(sighting)
    kept.sort(key=lambda one: (one.start, one.end))
    return tuple(_finding(layer, one) for one in kept)


def _finding(layer: Layer, sighting: Sighting) -> Finding:
    from alcaide.instruments.guard.model import Span

    family = sighting.family
    return Finding(
        detector=DETECTOR,
        rule=f"{DETECTOR}/{family.rule}",
        category=family.category,
        span=layer.span(sighting.start, sighting.end),
        score=round(sighting.score, 3),
        level="error" if sighting.score >= 0.5 else "warning",
        message=f"{family.message[0].upper()}{family.message[1:]}.",
        layer_span=Span(sighting.start, sighting.end),
        taxonomy=family.taxonomy,
        evidence={"signature": sighting.phrase.key, "weighed": list(sighting.reasons)},
    )
