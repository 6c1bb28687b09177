"""Texts with personal data in them, made from templates, a grammar and word lists that were written for this.

`Maker` fills templates; `Silver` marks names in other people's prompts and puts others in their stead.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "src/alcaide/instruments/guard/detectors/personal_data/lists"
TEXTS = ROOT / "tools/guard/texts"
OWN, BENIGN = "own", "benign"

KINDS = {
    "person": "PERSON", "first": "PERSON", "last": "PERSON",
    "city": "LOCATION", "country": "LOCATION", "place": "LOCATION",
    "org": "ORGANIZATION", "nrp": "NRP", "job": "TITLE", "street": "STREET_ADDRESS", "address": "STREET_ADDRESS",
    "email": "EMAIL", "handle": "USERNAME", "url": "DOMAIN_NAME",
}  # fmt: skip
_SMALL = frozenset(["and", "of", "the", "en", "am", "upon", "nad", "sur", "de", "del", "la"])


@dataclass(slots=True)
class Document:
    """A text with its spans, where it comes from, and how much its unmarked words are to be believed."""

    text: str
    spans: list[tuple[int, int, str]]
    source: str
    complete: float = 1.0


def capitals(word: str) -> str:
    """`saint_lucia` as it is written: `Saint Lucia`."""
    parts = [one if one in _SMALL else one[:1].upper() + one[1:] for one in word.split("_")]
    return re.sub(r"(?<=[-'’])\w", lambda match: match[0].upper(), " ".join(parts))


class Maker:
    """Fills templates. Half of the names are in the lists; the rest are blends of two, which no list knows."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lists = {name: _words(name) for name in ("given", "surnames", "places", "nationalities", "jobs")}
        self.templates = [
            line.replace("\\n", "\n")
            for line in _lines("personal_data_templates")
            if not line.startswith("# ")
        ]
        self.grammar = {}
        for line in _lines("personal_data_grammar"):
            if not line.startswith("# "):
                name, _, choices = line.partition(": ")
                self.grammar[name] = [
                    one.strip().replace("~", " ").replace("\\n", "\n") for one in choices.split(" | ")
                ]

    def documents(self, count: int) -> Iterator[Document]:
        """`count` documents of one to three templates each, some in lower case or capitals."""
        for _ in range(count):
            text, spans = "", []
            for _ in range(self.random.choice((1, 1, 1, 2, 3))):
                if text:
                    text += self.random.choice(("\n", "\n\n", " "))
                more, marks = self.filled(self.random.choice(self.templates))
                spans += [(start + len(text), end + len(text), kind) for start, end, kind in marks]
                text += more
            dice = self.random.random()
            if dice < 0.10 and len(text.lower()) == len(text):
                text = text.lower()
            elif dice < 0.12 and len(text.upper()) == len(text):
                text = text.upper()
            yield Document(text, spans, OWN)

    def filled(self, template: str) -> tuple[str, list[tuple[int, int, str]]]:
        """A template with its slots filled, and the spans of those that are entities."""
        text, spans, reached = "", [], 0
        for match in re.finditer(r"\{(\w+)\}", template):
            text += template[reached : match.start()]
            reached = match.end()
            value = self.slot(match[1])
            kind = KINDS.get(match[1].partition("_")[0], "")
            if kind and value != match[0]:
                spans.append((len(text), len(text) + len(value), kind))
            text += value
        return text + template[reached:], spans

    def slot(self, name: str) -> str:
        """One filling of a slot; the slot itself if the grammar does not know it."""
        match name:
            case "city":
                town = self.slot("town")
                return town.upper() if self.random.random() < 0.1 and len(town.upper()) == len(town) else town
            case "place":
                return self.slot("country")
            case "job":
                work = self.slot("work").lower()
                return self.random.choice((work.title(), work.title(), work.capitalize(), work))
        if name not in self.grammar:
            return "{" + name + "}"
        return re.sub(
            r"\{([\w:]+)\}", lambda match: self._part(match[1]), self.random.choice(self.grammar[name])
        )

    def _part(self, name: str) -> str:
        head, _, tail = name.partition(":")
        match head:
            case "9":
                return "".join(self.random.choice("0123456789") for _ in range(int(tail)))
            case "list":
                return capitals(self.random.choice(self.lists[tail]))
            case "low":
                return re.sub(r"\W", "", self.slot(tail).lower())
            case "blend":
                first, second = (self.random.choice(self.lists[tail]).replace("_", "") for _ in range(2))
                joined = first[: max(2, len(first) // 2)] + second[max(1, len(second) // 2) :]
                return capitals(joined[:14])
        return self.slot(name)


def _lines(name: str) -> list[str]:
    return [line for line in (TEXTS / f"{name}.txt").read_text("utf-8").split("\n") if line]


def _words(name: str) -> list[str]:
    text = (LISTS / f"{name}.txt").read_text("utf-8")
    words = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    # The last line of the list of jobs holds what stands before them.
    return words[: words.index("senior")] if name == "jobs" else words


_AMBIGUOUS = frozenset(["reading", "nice", "split", "bath", "mobile", "orange", "surprise"])


class Silver:
    """Marks the names in other people's prompts that the lists are sure of, and puts others in their stead.

    So the tagger meets names in sentences that no template foresaw.
    """

    def __init__(self, maker: Maker) -> None:
        self.maker = maker
        people = set(maker.lists["given"]) | set(maker.lists["surnames"])
        places = [one for one in maker.lists["places"] if one not in people | _AMBIGUOUS and len(one) > 3]
        nations = [one for one in maker.lists["nationalities"] if len(one) > 3]
        self.given = {capitals(one) for one in maker.lists["given"] if len(one) > 3}
        self.kinds = {capitals(one): "LOCATION" for one in places} | {capitals(one): "NRP" for one in nations}
        known = "|".join(re.escape(one) for one in sorted(self.kinds, key=len, reverse=True))
        self.names = re.compile(rf"\b(?:{known})\b|\b[A-Z][a-zà-ž]{{2,}}(?: [A-Z]\.?)? [A-Z][a-zà-ž]+\b")

    def document(self, text: str) -> Document:
        """One prompt, marked; more than half of the marked names are other ones now."""
        dice = self.maker.random
        out, spans, reached = "", [], 0
        for match in self.names.finditer(text):
            written = match[0]
            kind = self.kinds.get(written) or ("PERSON" if written.split()[0] in self.given else "")
            before, after = (
                text[max(0, match.start() - 24) : match.start()],
                text[match.end() : match.end() + 3],
            )
            if not kind or re.search(r"[A-Z][\w'’-]* $", before) or re.match(r"['’]?[ -][A-Z]", after):
                continue
            out += text[reached : match.start()]
            reached = match.end()
            if dice.random() < 0.6:
                written = self.maker.slot(
                    {"LOCATION": dice.choice(("city", "country")), "NRP": "nrp", "PERSON": "person"}[kind]
                )
            spans.append((len(out), len(out) + len(written), kind))
            out += written
        return Document(out + text[reached:], spans, BENIGN, 0.4)
