"""Train the tagger of the personal-data detector: names, places, organisations, nationalities, job titles, addresses.

    python tools/guard/train_names.py [--data ../shared/data] [--out …/tagger/weights.npz] [--hold SOURCE] [--seed 7]

Data: the labelled documents of `pii/`, prompts without personal data from `injection/benign_*.jsonl.gz` (as negatives,
leaving out what a first model is sure is a name), and texts made from templates and word lists written for this
purpose. `--hold` leaves one source out and reports entity scores on it; without it the weights are written.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "src"))

sys.path.insert(0, str(ROOT / "tools/guard"))

from personal_data_texts import BENIGN, Document, Maker, Silver  # noqa: E402

from alcaide.instruments.guard.detectors.personal_data.reading import Reading  # noqa: E402
from alcaide.instruments.guard.detectors.personal_data.tagger import features as seeing  # noqa: E402
from alcaide.instruments.guard.detectors.personal_data.tagger import model as tagging  # noqa: E402

PACKAGE = ROOT / "src/alcaide/instruments/guard/detectors/personal_data"
CLASSES = {
    tagging.PERSON: "PERSON NAME DOCTOR CLIENT_NAME LAW",
    tagging.LOCATION: "LOCATION GPE CITY STATE LANDMARK PLACE",
    tagging.ORGANIZATION: "ORGANIZATION COMPANY HOSPITAL SCHOOL UNIVERSITY INSURER BANK MERCHANT COURT UNIVERSITY_NAME "
    "COMPANY_NAME BANK_NAME RESTAURANT RESTAURANT_NAME HOTEL_NAME GYM_NAME INSTITUTE",
    tagging.NRP: "NRP",
    tagging.TITLE: "TITLE POSITION JOB_TITLE",
    tagging.ADDRESS: "STREET_ADDRESS ADDRESS STREET",
}
LABELS = {name: label for label, names in CLASSES.items() for name in names.split()}
UNSURE = frozenset(
    [
        *(
            "DEPARTMENT",
            "USERNAME",
            "EMAIL",
            "EMAIL_ADDRESS",
            "PROJECT",
            "EVENT",
            "BRANCH",
            "MENTION",
            "PREFIX",
        ),
        *("DOMAIN_NAME", "LINK", "ZIP_CODE", "ZIP", "PRODUCT", "SUBJECT", "PLATFORM"),
    ]
)
"""Labels whose words are neither one of the classes nor surely none of them."""
HONORIFIC = re.compile(r"(?i)(?:mr|mrs|ms|dr|miss|prof)\.?")


# ── Labelled documents ───────────────────────────────────────────────────────────────────────────────────────────


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def labelled(data: Path) -> Iterator[Document]:
    """The development documents."""
    for path in sorted((data / "pii").glob("*.jsonl.gz")):
        for row in _rows(path):
            source = "presidio" if row["source"].startswith("presidio") else row["source"]
            spans = [(a, b, kind) for a, b, kind in row.get("spans") or []]
            yield Document(row["text"], spans, source, 1.0 if source == "presidio" else 0.35)


def without_personal_data(data: Path, limit: int, seed: int) -> list[Document]:
    """Prompts of other sets, most of which name nobody."""
    texts: list[str] = []
    for name in ("benign_instructions", "benign_role_prompts", "benign_hard_alcaide"):
        path = data / "injection" / f"{name}.jsonl.gz"
        if path.exists():
            texts += [row["text"] for row in _rows(path)]
    random.Random(seed).shuffle(texts)
    return [Document(text[:1500], [], BENIGN, 0.6) for text in texts[:limit]]


def write_common(data: Path, target: Path) -> None:
    """Words that other people's prompts write small: a capital at a sentence's start says nothing of them."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for document in without_personal_data(data, 100_000, 1):
        for word in re.findall(r"[^\W\d_]+", document.text):
            (small if word == word.lower() else large)[word.lower()] += 1
    words = [
        word for word, count in small.items() if count >= 6 and count > 1.5 * large[word] and len(word) > 1
    ]
    words = sorted(words, key=lambda word: (-small[word], word))[:6000]
    target.write_text(
        "# Words that prompts write in lower case (counted by tools/guard/train_names.py --common).\n"
        + "\n".join(" ".join(words[at : at + 20]) for at in range(0, len(words), 20)) + "\n", "utf-8",
    )  # fmt: skip


# ── Training ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Examples:
    """Candidate words of some documents: feature rows, labels, weights, and what the second model needs."""

    rows: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    document: np.ndarray
    parts: list[tuple[int, int, int, np.ndarray, seeing.Looks]]


_PERSON_LIKE = re.compile(r"[A-ZÀ-Ž][\w'’-]+(?: [A-ZÀ-Ž][\w'’.-]*)*")


def examples(documents: Iterable[Document]) -> Examples:
    """Every word near one that could be a name's or an address's."""
    rows: list[np.ndarray] = []
    labels, weights, owner, parts, total = [], [], [], [], 0
    for number, document in enumerate(documents):
        words = seeing.Words(Reading(document.text, _lower(document.text)))
        seen = seeing.looks(words)
        if seen is None:
            continue
        marks, trust = _marked(document, words, seen)
        at = np.flatnonzero(seeing.neighbourhood(seen.seeds, words.count))
        rows += [part.T.astype(np.int32) for part in seeing.features(words, seen, at)]
        labels.append(marks[at])
        weights.append(trust[at])
        owner.append(np.full(at.size, number))
        parts.append((total, total + at.size, words.count, at, seen))
        total += at.size
    return Examples(
        np.concatenate(rows), np.concatenate(labels), np.concatenate(weights), np.concatenate(owner), parts
    )


def _marked(document: Document, words: seeing.Words, seen: seeing.Looks) -> tuple[np.ndarray, np.ndarray]:
    """The label of each word, and how much it is to be believed."""
    marks = np.zeros(words.count, dtype=np.int8)
    trust = np.full(words.count, 1.0, dtype=np.float32)
    capital = words.kinds[words.starts] == seeing.UPPER
    # In a set that marks few organisations a capital without a mark proves little.
    trust[capital] = document.complete
    if document.source in (BENIGN, "contextual_anonymizer"):
        # Neither set marks nationalities, and few places: their silence about a listed one says nothing.
        listed = seeing.PLACE | seeing.NATIONALITY | (seeing.GIVEN if document.source == BENIGN else 0)
        trust[capital & ((seen.flags & np.uint16(listed)) != 0)] = 0.02
    for start, end, kind in document.spans:
        inside = (words.starts >= start) & (words.ends <= end)
        label, belief = _label(document, document.text[start:end], kind)
        marks[inside] = label
        if belief is not None:
            trust[inside] = belief
        places = np.flatnonzero(inside)
        if label == tagging.PERSON and places.size:
            first = document.text[words.starts[places[0]] : words.ends[places[0]]]
            marks[places[0]] = 0 if HONORIFIC.fullmatch(first) else label
    return marks, trust


def _label(document: Document, written: str, kind: str) -> tuple[int, float | None]:
    """The class of a span, and how far to believe it; None leaves what its words had."""
    label = LABELS.get(kind, 0)
    if kind in UNSURE or written.startswith("["):
        if kind == "USERNAME" and _PERSON_LIKE.fullmatch(written):
            return tagging.PERSON, 0.6
        return label, 0.1
    if kind == "ADDRESS" and not any(map(str.isdigit, written)) and document.source != "presidio":
        label = tagging.LOCATION if "," in written or " " not in written else tagging.ADDRESS
    elif kind == "TITLE" and HONORIFIC.fullmatch(written):
        return 0, None
    return label, (0.7 if document.source == BENIGN else 1.0) if label else None


def _lower(text: str) -> str:
    lowered = text.lower()
    return (
        lowered if len(lowered) == len(text) else "".join(b if len(b := a.lower()) == 1 else a for a in text)
    )


DROPPED = 0.3
"""Share of features left out of each example while training."""


def fit_first(
    found: Examples, chosen: np.ndarray, *, epochs: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression by AdaGrad with a little weight decay."""
    generator = np.random.default_rng(seed)
    size = 1 << seeing.HASH_BITS
    table = np.zeros(
        (size + 1, tagging.CLASSES), dtype=np.float32
    )  # the last row stands for a feature left out
    squares = np.full_like(table, 1e-3)
    bias = np.zeros(tagging.CLASSES, dtype=np.float32)
    bias_squares = np.full_like(bias, 1e-3)
    bias[-1] = -30
    places = np.flatnonzero(chosen)
    for epoch in range(epochs):
        generator.shuffle(places)
        rate = 0.15 / (1 + 0.4 * epoch)
        for at in range(0, places.size, 8192):
            batch = places[at : at + 8192]
            rows = found.rows[batch].copy()
            # Features are left out at random, so that no single one is relied on: a stranger's text lacks most.
            rows[generator.random(rows.shape, dtype=np.float32) < DROPPED] = size
            probabilities = tagging.softmax(table[rows].sum(axis=1) / np.float32(1 - DROPPED) + bias)
            probabilities[np.arange(batch.size), found.labels[batch]] -= 1
            error = probabilities * found.weights[batch][:, None]
            flat = rows.ravel()
            gradient = np.empty_like(table)
            for label in range(tagging.CLASSES):
                spread = np.repeat(error[:, label], rows.shape[1])
                gradient[:, label] = np.bincount(flat, weights=spread, minlength=size + 1)
            gradient *= 64 / batch.size
            gradient[size] = 0
            squares += gradient * gradient
            table -= rate * gradient / np.sqrt(squares)
            table *= np.float32(1 - 1e-4 * rate)
            slope = error.mean(axis=0)
            bias_squares += slope * slope
            bias[:-1] -= (rate * slope / np.sqrt(bias_squares))[:-1]
    return table[:size], bias


def packed(
    table: np.ndarray, bias: np.ndarray, second: np.ndarray, calibration: np.ndarray
) -> tagging.Weights:
    """Weights in eight bits."""
    limit = float(np.quantile(np.abs(table[table != 0]), 0.9995)) if (table != 0).any() else 1.0
    scale = limit / 127
    small = np.clip(np.round(table / scale), -127, 127).astype(np.int16)
    return tagging.Weights(small, scale, bias, second, calibration)


def probabilities_of(found: Examples, table: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The first model's answers for all examples."""
    out = np.empty((found.rows.shape[0], tagging.CLASSES), dtype=np.float32)
    for at in range(0, out.shape[0], 20000):
        out[at : at + 20000] = tagging.softmax(table[found.rows[at : at + 20000]].sum(axis=1) + bias)
    return out


def fit_second(found: Examples, probabilities: np.ndarray, chosen: np.ndarray, seed: int) -> np.ndarray:
    """The second model, on answers of a first one that did not see these documents."""
    inputs, labels, weights = [], [], []
    for start, end, count, places, seen in found.parts:
        if not chosen[start]:
            continue
        field = tagging.empty_field(count)
        field[places + 2] = probabilities[start:end]
        inputs.append(tagging.second_inputs(field, places, seen))
        labels.append(found.labels[start:end])
        weights.append(found.weights[start:end])
    x, y, w = np.concatenate(inputs), np.concatenate(labels), np.concatenate(weights)
    generator = np.random.default_rng(seed)
    matrix = np.zeros((tagging.SECOND_INPUTS, tagging.CLASSES), dtype=np.float32)
    for label in range(tagging.CLASSES):
        matrix[2 * tagging.CLASSES + label, label] = 1
    first, second = np.zeros_like(matrix), np.zeros_like(matrix)
    step = 0
    order = np.arange(y.size)
    for epoch in range(12):
        generator.shuffle(order)
        for at in range(0, y.size, 4096):
            batch = order[at : at + 4096]
            error = tagging.softmax(x[batch] @ matrix)
            error[np.arange(batch.size), y[batch]] -= 1
            gradient = x[batch].T @ (error * w[batch][:, None]) / batch.size + 1e-5 * matrix
            step += 1
            first = 0.9 * first + 0.1 * gradient
            second = 0.99 * second + 0.01 * gradient * gradient
            matrix -= (
                (0.02 / (1 + epoch / 4))
                * (first / (1 - 0.9**step))
                / (np.sqrt(second / (1 - 0.99**step)) + 1e-7)
            )
    matrix[:, -1] = 0
    return matrix


def train(documents: list[Document], seed: int, *, quick: bool = False) -> tagging.Weights:
    """Both models and the calibration, on all of `documents`."""
    found = examples(documents)
    generator = np.random.default_rng(seed)
    part = generator.integers(0, 3, size=len(documents))[found.document]
    print(
        f"{len(documents)} documents, {found.labels.size} words; labels {np.bincount(found.labels).tolist()}",
        flush=True,
    )
    # 1. A model of two thirds answers for the third it did not see.
    table, bias = fit_first(found, part != 0, epochs=4, seed=seed)
    guesses = probabilities_of(found, table, bias)
    # 2. Words of benign prompts that it is sure are names are not held against the next one.
    benign = np.array([document.source == BENIGN for document in documents])[found.document]
    sure = benign & (guesses[:, 0] < 0.3) & (found.labels == 0)
    found.weights[sure] *= 0.1
    second = fit_second(found, guesses, part == 0, seed)
    # 3. Calibration on the same third, 4. and the first model once more on everything.
    calibration = calibrated(documents, found, part, table, bias, second)
    if not quick:
        table, bias = fit_first(found, np.ones(found.labels.size, dtype=bool), epochs=5, seed=seed)
    else:
        table, bias = fit_first(found, np.ones(found.labels.size, dtype=bool), epochs=4, seed=seed)
    return packed(table, bias, second, calibration)


def calibrated(
    documents: list[Document],
    found: Examples,
    part: np.ndarray,
    table: np.ndarray,
    bias: np.ndarray,
    second: np.ndarray,
) -> np.ndarray:
    """How often entities of each mean probability were right, on documents the models did not see, made monotone."""
    weights = packed(table, bias, second, np.linspace(0, 1, 11, dtype=np.float32))
    unseen = sorted(set(found.document[part == 0].tolist()))
    right, count = np.full(11, 0.0), np.full(11, 0.0)
    for number in unseen:
        document = documents[number]
        if document.source == BENIGN:
            continue
        truth = [(a, b, LABELS[kind]) for a, b, kind in document.spans if kind in LABELS]
        for one in tagging.tag(Reading(document.text, _lower(document.text)), weights):
            if one.entity not in tagging.LABELS or one.rule == "honorific":
                continue
            bin_ = round(one.score * 10)
            count[bin_] += 1
            right[bin_] += any(
                tagging.LABELS[label] == one.entity and a < one.end and one.start < b for a, b, label in truth
            )
    # A little of the identity where there was little to see.
    values = (right + 5 * np.linspace(0, 1, 11)) / (count + 5)
    print("calibration", np.round(values, 3).tolist(), count.astype(int).tolist(), flush=True)
    return np.maximum.accumulate(values).astype(np.float32)


def report(weights: tagging.Weights, documents: Iterable[Document]) -> None:
    """Entity scores by kind: same kind, spans that overlap by half (exact ones beside)."""
    names = dict(enumerate(tagging.LABELS))
    counts: dict[str, Counter[str]] = {name: Counter() for name in tagging.LABELS[1:]}
    for document in documents:
        truth = [(a, b, names[LABELS[kind]]) for a, b, kind in document.spans if kind in LABELS]
        truth = [one for one in truth if not HONORIFIC.fullmatch(document.text[one[0] : one[1]])]
        found = [
            (one.start, one.end, one.entity)
            for one in tagging.tag(Reading(document.text, _lower(document.text)), weights)
            if one.score >= 0.5 and one.rule != "honorific" and one.entity in counts
        ]
        for a, b, kind in truth:
            hit = [one for one in found if one[2] == kind and _overlap(one, (a, b)) >= 0.5]
            counts[kind]["truth"] += 1
            counts[kind]["hit"] += bool(hit)
            counts[kind]["exact"] += any(one[:2] == (a, b) for one in hit)
        for a, b, kind in found:
            counts[kind]["found"] += 1
            counts[kind]["good"] += any(one[2] == kind and a < one[1] and one[0] < b for one in truth)
    for kind, one in counts.items():
        recall, precision = one["hit"] / max(1, one["truth"]), one["good"] / max(1, one["found"])
        f1 = 2 * recall * precision / max(1e-9, recall + precision)
        exact = one["exact"] / max(1, one["truth"])
        print(
            f"  {kind:15} n={one['truth']:6} recall {recall:.3f} (exact {exact:.3f})",
            f"precision {precision:.3f} F1 {f1:.3f}",
        )


def _overlap(one: Any, other: Any) -> float:
    both = min(one[1], other[1]) - max(one[0], other[0])
    return both / max(1, max(one[1], other[1]) - min(one[0], other[0])) if both > 0 else 0.0


def main() -> None:
    """Train, and report or write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=ROOT / "../shared/data")
    arguments.add_argument("--out", type=Path, default=PACKAGE / "tagger/weights.npz")
    arguments.add_argument("--hold", default="")
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--own", type=int, default=18000)
    arguments.add_argument("--benign", type=int, default=8000)
    arguments.add_argument("--share", type=float, default=0.6, help="of the LLM-written documents")
    arguments.add_argument("--common", action="store_true", help="count the common words anew and stop")
    given = arguments.parse_args()
    if given.common:
        write_common(given.data, PACKAGE / "lists/common.txt")
        return
    documents = [*labelled(given.data)]
    held = [one for one in documents if one.source == given.hold]
    kept = [one for one in documents if one.source != given.hold]
    # The templated set is small and varied, the LLM-written one large and alike: a document of either counts the same.
    generator = random.Random(given.seed)
    kept = [one for one in kept if one.source == "presidio" or generator.random() < given.share] + [
        one for one in kept if one.source == "presidio"
    ]
    maker = Maker(given.seed)
    kept += maker.documents(given.own)
    silver = Silver(maker)
    prompts = without_personal_data(given.data, given.benign, given.seed)
    kept += [silver.document(one.text) for one in prompts]
    weights = train(kept, given.seed, quick=bool(given.hold))
    if given.hold and given.out == PACKAGE / "tagger/weights.npz":
        report(weights, held)
        return
    given.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        given.out,
        table=weights.table.astype(np.int8),
        scale=np.float32(weights.scale),
        bias=weights.bias,
        second=weights.second,
        calibration=weights.calibration,
    )
    print(
        f"{given.out}: {given.out.stat().st_size} bytes, sha256 {hashlib.sha256(given.out.read_bytes()).hexdigest()}",
        flush=True,
    )
    if given.hold:
        report(weights, held)


if __name__ == "__main__":
    main()
