"""The detector `text-shape`: what needs no understanding, only a look at the form.

    1. Requests for output without end, or of absurd length, which cost the owner money (patterns of the shared pass).
    2. Strings known to make models stumble.
    3. Repetition: how far the text can be compressed, and what it repeats.
    4. Noise: a stretch that reads like nothing people write.
    5. Where the policy says so: a length, and the languages that are allowed.

None of these is an attack for certain, and some are ordinary (a table compresses well), so scores are moderate and
levels low; a policy that minds them says so by rule.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.injection.surprise import WINDOW, surprises_of
from alcaide.instruments.guard.detectors.text_shape.language import CODES, language_of
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Level, Span
from alcaide.kernel.errors import InvalidInput

NAME: Final = "text-shape"
UNBOUNDED: Final = ("owasp-llm:2025/LLM10", "mitre-atlas/AML.T0034")
LONGEST: Final = 2_000_000
"""Characters above which a text is called long: about half a million tokens, beyond most models' windows."""
MOST_ASKED: Final = 20_000
"""Words, lines or rounds above which an amount asked for is absurd: no common model answers with that many."""
COMPRESSED: Final = 0.1
"""Compressed share below which a text is repetition. Prose stays above 0.35, tables and logs above 0.12."""
SHORTEST_REPEATED: Final = 400
"""Bytes below which compression says nothing."""
SAMPLE: Final = 8192
NOISE: Final = 6.2
"""Bits a character above which a window is noise. On harmless development texts 0.5 % of windows reach it."""

_VERB: Final = (
    r"\b(?:repeat|say|write|print|output|generate|list|count|recite|type|continue|produce|keep|echo|answer|reply|"
    r"respond|send|tell|create|enumerate|spell|translate|call|loop|go on|run)\b"
)
_ENDLESS: Final = (
    "forever", "endlessly", "infinitely", "without end", "without stopping", "never stop", "do not stop", "don't stop",
    "indefinitely", "until you run out", "until the end of time", "for all eternity", "infinite loop", "endless loop",
    "ad infinitum", "non-stop", "nonstop", "never end", "and never finish",
)  # fmt: skip
_UNITS: Final = (
    "words|times|lines|tokens|pages|characters|numbers|paragraphs|essays|poems|"
    "copies|digits|items|rows|sentences"
)
_AMOUNT: Final = (
    r"(?:\d{1,3}(?:[,.' ]\d{3}){1,5}|\d{4,12}|(?:a|one|\d{1,3}|several|ten|"
    r"hundred) ?(?:thousand|million|billion|trillion)|millions|billions)"
)

_PATTERNS: Final[tuple[Pattern, ...]] = (
    Pattern(
        "endless/verb-first",
        _VERB + r"[^.!?\n]{0,120}?\b(?:" + "|".join(map(re.escape, _ENDLESS)) + ")",
        _ENDLESS,
        before=140,
        after=2,
    ),
    Pattern(
        "endless/elsewhere",
        r"(?:immer wieder ohne ende|für immer wiederhol|"
            r"wiederhole[^.!?\n]{0,60}?(?:für immer|endlos)|"
            r"répète[^.!?\n]{0,60}?(?:à l'infini|pour toujours|sans arrêt)|"
        r"repite[^.!?\n]{0,60}?(?:para siempre|sin parar|infinitamente)|"
            r"ripeti[^.!?\n]{0,60}?(?:per sempre|all'infinito)|"
            r"repita[^.!?\n]{0,60}?(?:para sempre|sem parar)|"
        r"повторяй[^.!?\n]{0,60}?(?:бесконечно|вечно|без остановки)|"
        r"永远重复|无限重复|不停地重复|永遠に繰り返|무한히 반복)",
        (
            "immer wieder ohne ende", "für immer wiederhol", "wiederhole", "répète", "repite", "ripeti", "repita",
            "повторяй", "永远重复", "无限重复", "不停地重复", "永遠に繰り返", "무한히 반복",
        ),
        after=90,
    ),
    Pattern(
        "amount/units",
        rf"{_AMOUNT}[ -]?(?:{_UNITS})\b",
        tuple(
            f"{ending}{join}{unit}"
            for unit in _UNITS.split("|")
            for ending in ("0", "million", "billion", "thousand", "millions of", "trillion")
            for join in (" ", "-")
        ),
        before=24,
        after=1,
    ),
    Pattern(
        "amount/range",
        rf"(?:(?:from|between) (?:1|0|one|zero) (?:to|and|through|until) |"
            rf"\bcount(?:ing)? (?:up )?to |\bup to ){_AMOUNT}",
        ("from 1 ", "from 0 ", "from one ", "from zero ", "between 1 ", "between 0 ", "count to ", "count up to ",
         "counting to ", "up to "),
        after=40,
    ),
    Pattern(
        "amount/growing",
        r"\b(?:twice|double|ten times) (?:as long|the length)[^.!?\n]{0,30}?(?:each|every) (?:time|round|turn)|"
        r"\b(?:ask|answer)(?:ing)? (?:yourself|"
            r"your own question)[^.!?\n]{0,60}?(?:again and again|over and over|never|endless|"
            r"loop)|"
        r"\b(?:once )?for (?:each|every) (?:word|entry|line) (?:in|of) the (?:dictionary|bible|encyclop|internet)",
        ("twice as long", "double the length", "twice the length", "ten times as long", "yourself", "your own question",

         "in the dictionary", "of the dictionary",
         "in the bible", "of the bible", "of the internet", "of the encyclop"),
        before=40,
        after=90,
    ),
    # Published by J. Rumbelow and M. Watkins, "SolidGoldMagikarp" (2023): tokens a model's training hardly saw.
    Pattern(
        "glitch",
        r"solidgoldmagikarp|thenitromefan|attrot\b|\bpetertodd\b|rawdownload|"
            r"externaltoeva|streamerbot|guiactiveun|dragonmagazine|"
        r"quickshipavailable|embedreportprint|thenitrome|reportprint\b|itemthumbnailimage|"
            r"instoreandonline|smartstocks|adinida",
        ("solidgoldmagikarp", "thenitromefan", "attrot", "petertodd", "rawdownload", "externaltoeva", "streamerbot",
         "guiactiveun", "dragonmagazine", "quickshipavailable", "embedreportprint", "thenitrome", "reportprint",
         "itemthumbnailimage", "instoreandonline", "smartstocks", "adinida"),
        after=2,
    ),
)  # fmt: skip

_ASKED: Final = re.compile(_VERB)
_NOT_ASKED: Final = re.compile(
    r"\b(?:how|why|my|our|it|he|she|they|which|the (?:script|program|server|code|"
    r"model|bot|budget)|stops?|prevent|avoid|does|did|was|were|has|have)\b"
)
_NUMBER: Final = re.compile(r"\d[\d,.' ]*")
_SCALES: Final = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6), ("thousand", 10**3))


@dataclass(frozen=True, slots=True)
class TextShape:
    """The detector. `languages` empty means that any language is welcome."""

    languages: frozenset[str] = frozenset()
    longest: int = LONGEST
    most_asked: int = MOST_ASKED

    @property
    def name(self) -> str:
        """`text-shape`."""
        return NAME

    @property
    def version(self) -> str:
        """Rises when a finding could change."""
        return "1"

    @property
    def patterns(self) -> Sequence[Pattern]:
        """Requests without end and strings that make models stumble, for the shared pass."""
        return _PATTERNS

    @property
    def reads_guesses(self) -> bool:
        """Leet, rot13 and the like are readings of words; the form is that of the text itself."""
        return False

    def configured(self, options: dict[str, Any]) -> TextShape:
        """Options: `languages` (ISO 639-1 codes), `longest` (characters), `most_asked` (words, lines, rounds)."""
        for option in options:
            if option not in ("languages", "longest", "most_asked"):
                raise InvalidInput(
                    f"detector `{NAME}` has no option `{option}`; use `languages`, `longest` or `most_asked`"
                )
        languages = options.get("languages", list(self.languages))
        if not isinstance(languages, list) or not all(isinstance(code, str) for code in languages):
            raise InvalidInput(
                f"option `languages` of `{NAME}` is not a list of codes; write for example [en, de]"
            )
        if strange := sorted(set(languages) - CODES):
            raise InvalidInput(
                f"detector `{NAME}` does not recognise the language `{strange[0]}`; "
                f"it knows {', '.join(sorted(CODES))}"
            )
        numbers = {}
        for option in ("longest", "most_asked"):
            value = options.get(option, getattr(self, option))
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidInput(f"option `{option}` of `{NAME}` is `{value}`; give a whole number above 0")
            numbers[option] = value
        return replace(
            self,
            languages=frozenset(languages),
            longest=numbers["longest"],
            most_asked=numbers["most_asked"],
        )

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        """What the form of one layer says. Only the text as written is measured; decoded layers are matched."""
        if not layer.text:
            return NOTHING
        found = list(self._requests(layer, hits))
        if not layer.path:
            found.extend(self._measures(layer))
        return Examination(tuple(found), max((finding.score for finding in found), default=0.0))

    def _requests(self, layer: Layer, hits: Sequence[Hit]) -> Iterator[Finding]:
        if layer.passage.trusted:
            return
        lower = layer.lower
        for hit in hits:
            kind, _, _ = hit.rule.partition("/")
            begin = max(lower.rfind(mark, max(0, hit.start - 120), hit.start) for mark in ".!?\n") + 1
            lead = lower[begin : hit.start]
            if kind == "glitch":
                yield _finding(
                    layer,
                    "glitch-token",
                    hit.start,
                    hit.end,
                    0.6,
                    "holds a string that makes some models stumble",
                )
            elif kind == "endless" or hit.rule == "amount/growing":
                score = 0.3 if _NOT_ASKED.search(lead) else 0.8
                yield _finding(
                    layer,
                    "endless-output",
                    hit.start,
                    hit.end,
                    score,
                    "asks for an answer without end",
                    "warning",
                )
            elif _ASKED.search(lead) or _ASKED.match(lower[hit.start : hit.end]):
                amount = _amount(lower[hit.start : hit.end])
                if amount > self.most_asked:
                    score = 0.3 if _NOT_ASKED.search(lead) else 0.75
                    yield _finding(
                        layer,
                        "huge-output",
                        hit.start,
                        hit.end,
                        score,
                        f"asks for an answer of {amount:,} pieces",
                        "warning",
                    )

    def _measures(self, layer: Layer) -> Iterator[Finding]:
        text, octets = layer.text, layer.octets
        if len(text) > self.longest:
            yield _finding(
                layer,
                "length",
                self.longest,
                len(text),
                0.9,
                f"is {len(text):,} characters long; {self.longest:,} are usual",
            )
        if len(octets) >= SHORTEST_REPEATED:
            middle = len(octets) // 2
            sample = (
                octets if len(octets) <= 2 * SAMPLE else octets[:SAMPLE] + octets[middle : middle + SAMPLE]
            )
            share = len(zlib.compress(sample, 1)) / len(sample)
            if share < COMPRESSED:
                repeated = _repeats_one(text[: 2 * SAMPLE])
                yield _finding(
                    layer,
                    "repetition",
                    0,
                    len(text),
                    round(min(0.95, 0.5 + 4 * (COMPRESSED - share)), 3),
                    "is mostly one line or word again and again" if repeated else "repeats itself",
                )
        _, most, at = surprises_of(layer)
        if most > NOISE and len(octets) > WINDOW:
            start = (
                at
                if text.isascii()
                else len(text.encode("utf-8", "surrogatepass")[:at].decode("utf-8", "ignore"))
            )
            yield _finding(
                layer,
                "noise",
                start,
                min(len(text), start + WINDOW),
                round(min(0.9, 0.4 + (most - NOISE) / 8), 3),
                "has a stretch that reads like nothing people write",
            )
        if self.languages and layer.passage.direction != "tool":
            guess = language_of(text)
            if guess.certainty >= 0.5 and guess.code not in self.languages:
                yield _finding(
                    layer,
                    "language",
                    0,
                    len(text),
                    guess.certainty,
                    f"is in the language `{guess.code}`, which this policy does not allow",
                    "warning",
                )


def _amount(words: str) -> int:
    """The number that a phrase names."""
    scale = next((value for name, value in _SCALES if name in words), 1)
    numbers = [int("".join(filter(str.isdigit, found))) for found in _NUMBER.findall(words)]
    largest = max(numbers, default=1)
    return min(10**15, max(1, largest) * scale)


def _repeats_one(text: str) -> bool:
    """Whether one line or one word makes up a third of a text."""
    for pieces in (text.splitlines(), text.split()):
        counted = Counter(piece.strip() for piece in pieces if piece.strip())
        if counted:
            piece, times = counted.most_common(1)[0]
            if times >= 5 and times * len(piece) * 3 > len(text):
                return True
    return False


def _finding(
    layer: Layer, rule: str, start: int, end: int, score: float, said: str, level: Level = "note"
) -> Finding:
    costly = rule in ("endless-output", "huge-output")
    return Finding(
        detector=NAME,
        rule=f"{NAME}/{rule}",
        category="denial-of-wallet" if costly else rule,
        span=layer.span(start, end),
        score=score,
        level=level,
        message=f"This text {said}.",
        layer_span=Span(start, end),
        taxonomy=UNBOUNDED if costly or rule in ("length", "repetition") else (),
    )
