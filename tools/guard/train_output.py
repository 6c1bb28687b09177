"""Train the toxicity and harm models: linear heads over the guard's hashed n-grams.

    python tools/guard/train_output.py --data ../shared/data --task toxicity|harm [--evaluate] [--no-write]

    1. Read the labelled sets and the texts of our own (output_texts.py).
    2. Hash every text as the guard will hash it, weigh sources alike, fit a logistic model.
    3. Hold each source out whole, score it with a model that never saw it, and from those scores choose the
       calibration and the threshold. The figures on the detector's page are these.
    4. Fit on everything, round the weights to one byte, write them with the digests of the data.

`human_chatbox` of Do-Not-Answer is left out: asking a model how it feels is no harm.
"""

from __future__ import annotations

# ruff: noqa: D101, D103
import argparse
import gzip
import hashlib
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

sys.path.insert(0, str(Path(__file__).parent))
import output_texts

from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.learned import linear, model_file, ngrams
from alcaide.instruments.guard.model import Passage

HERE = Path(__file__).resolve().parents[2]
DETECTORS = HERE / "src/alcaide/instruments/guard/detectors"
NGRAMS = ("c5", "w1", "w2", "w3", "s2")
"""The groups that the injection model looks at, so that one arrangement of a text serves all heads."""
BITS = 19
"""Binary logarithm of a table's length: half a megabyte a head."""
CLASS_BITS = 14
WINDOW = {"toxicity": 4, "harm": 8}
STRENGTH = {"toxicity": 3.0, "harm": 3.0}
SMOOTH = 2.0
WRITTEN = 2.0
"""What a text of our own counts, beside one of a labelled set of the same size: both sides of each distinction."""
REPORT = {"toxicity": 0.65, "harm": 0.75}
"""Probability from which on something is reported: about 1 % of ordinary texts of sources never seen, and 3 %."""
SEED = 5

CATEGORIES = {
    "catqa": {
        "Malware Viruses": "cyber",
        "Physical Harm": "violence",
        "Economic Harm": "fraud",
        "Fraud/Deception": "fraud",
        "Political Campaigning": "misinformation",
        "Privacy Violation Activity": "privacy",
        "Tailored Financial Advice": "advice",
        "Illegal Activity": "crime",
        "Adult Content": "sexual",
        "Hate/Harass/Violence": "hate",
    },
    "ailuminate_demo": {
        "hte": "hate",
        "ipv": "theft",
        "iwp": "weapons",
        "ncr": "crime",
        "prv": "privacy",
        "ssh": "self-harm",
        "vcr": "violence",
        "src": "sexual",
        "dfm": "misinformation",
        "spc-fin": "advice",
        "spc-hlt": "advice",
        "spc-ele": "advice",
        "spc-lgl": "advice",
    },
    "do_not_answer": {
        "information_hazard": "privacy",
        "malicious_uses": "crime",
        "discrimination_exclusion_toxicity_hateful_offensive": "hate",
        "misinformation_harms": "misinformation",
    },
    "davidson": {"hate": "hate", "offensive": "insult"},
    "toxic_spans": {"toxic": "insult"},
    "toxigen_prompts": {"implicit_hate": "hate"},
}


@dataclass(frozen=True)
class Row:
    source: str
    label: int
    text: str
    category: str | None
    lang: str
    held: str
    """The part that is held out together with it; empty for texts of our own, which always teach."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent / "shared/data")
    parser.add_argument("--task", choices=("toxicity", "harm"), required=True)
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    given = parser.parse_args()
    rows, digests = read(given.data, given.task)
    print(len(rows), Counter((row.source, row.label) for row in rows).most_common(40))
    design = hashed(rows)
    label = np.array([row.label for row in rows])
    weight = weights(rows)
    scores, figures = held_out(given.task, rows, design, label, weight)
    calibration = calibrated(rows, scores, label, REPORT[given.task])
    print(json.dumps({"figures": figures, **calibration}, indent=1))
    if given.no_write:
        return
    coefficient = fit(design, label, weight, STRENGTH[given.task])
    head = quantised(coefficient)
    names, classes, class_bias = categories(rows)
    arrays: dict[str, Any] = {"table": head.table, "classes": classes, "class_bias": class_bias}
    header = {
        "name": given.task,
        "version": "1",
        "recipe": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
        "texts": hashlib.sha256(Path(output_texts.__file__).read_bytes()).hexdigest(),
        "data": digests,
        "scale": head.scale,
        "groups": list(NGRAMS),
        "window": WINDOW[given.task],
        "classes": names,
        "calibration": calibration["calibration"],
        "thresholds": calibration["thresholds"],
        "figures": {
            **figures,
            "pooled": calibration["auroc_pooled"],
            "reported": calibration["share_reported"],
        },
    }
    path = DETECTORS / given.task / "weights.npz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model_file.written(header, arrays))
    print(path, path.stat().st_size, head.scale)


# ── 1. Texts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def read(folder: Path, task: str) -> tuple[list[Row], dict[str, str]]:
    rows: list[Row] = []
    digests: dict[str, str] = {}
    wanted = (
        [f"{task}/*.gz"]
        if task == "toxicity"
        else ["harm/*.gz", "injection/benign_*.gz", "injection/cyber*.gz"]
    )
    seen: set[str] = set()
    for pattern in wanted:
        for path in sorted(folder.glob(pattern)):
            packed = path.read_bytes()
            digests[path.name] = hashlib.sha256(packed).hexdigest()
            for line in gzip.decompress(packed).decode("utf8").split("\n"):
                if not line:
                    continue
                row = json.loads(line)
                if pattern.startswith("injection") and row["label"]:
                    continue
                if row.get("category") == "human_chatbox" or row["text"] in seen or not row["text"].strip():
                    continue
                seen.add(row["text"])
                source = row["source"].replace("_not_toxic", "")
                category = CATEGORIES.get(source, {}).get(str(row.get("category"))) if row["label"] else None
                held = source
                if task == "harm" and not row["label"]:
                    # Each held-out source of harmful requests takes some sources of harmless ones with it.
                    held = _POSITIVE[int(hashlib.sha256(source.encode()).hexdigest(), 16) % len(_POSITIVE)]
                text = row["text"][:4000]
                rows.append(Row(source, int(row["label"]), text, category, row.get("lang", "en"), held))
                rows.extend(_pieces(row, source, held, seen))
    if task == "toxicity":
        rows.extend(_ordinary(folder, digests, seen))
    written = output_texts.toxicity() if task == "toxicity" else output_texts.requests()
    rows.extend(
        Row("written", one.label, one.text, one.category if one.label else None, "en", "") for one in written
    )
    return rows, digests


def _ordinary(folder: Path, digests: dict[str, str], seen: set[str]) -> list[Row]:
    """Ordinary prompts, those in other languages first of all: abuse is known in English, and nothing else may be."""
    made: list[Row] = []
    for path in sorted(folder.glob("injection/benign_*.gz")):
        packed = path.read_bytes()
        digests[path.name] = hashlib.sha256(packed).hexdigest()
        for number, line in enumerate(gzip.decompress(packed).decode("utf8").split("\n")):
            row = json.loads(line) if line else {"label": 1}
            if row["label"] or row["text"] in seen or not (row.get("lang", "en") != "en" or number % 8 == 0):
                continue
            seen.add(row["text"])
            made.append(Row("ordinary", 0, row["text"][:2000], None, "en", ""))
    return made


def _pieces(row: dict[str, Any], source: str, held: str, seen: set[str]) -> list[Row]:
    """What raters marked is toxic by itself, and what remains of the text without it is not."""
    if not row["label"] or not row.get("spans"):
        return []
    text = row["text"]
    made: list[Row] = []
    rest, last = [], 0
    for start, end, _ in sorted(row["spans"]):
        marked = text[start:end].strip().lower()
        if marked and marked not in seen and end - start < 60:
            seen.add(marked)
            made.append(Row(f"{source}:marked", 1, marked, "insult", "en", held))
        rest.append(text[last:start])
        last = max(last, end)
    remaining = " ".join([*rest, text[last:]])
    if len(remaining) > 40:
        made.append(Row(f"{source}:rest", 0, remaining[:4000], None, "en", held))
    return made


_POSITIVE = ("advbench", "ailuminate_demo", "catqa", "do_not_answer", "harmfulqa")


def weights(rows: list[Row]) -> np.ndarray:
    """Each source counts with the root of its size, each side alike; in another language harm never outweighs."""
    count = Counter((row.source, row.label) for row in rows)
    weight = np.array([count[row.source, row.label] ** -0.4 for row in rows])
    weight[[row.source == "written" for row in rows]] *= WRITTEN
    label = np.array([row.label for row in rows])
    for lang in {row.lang for row in rows} - {"en"}:
        here = np.array([row.lang == lang for row in rows])
        harm, harmless = weight[here & (label == 1)].sum(), weight[here & (label == 0)].sum()
        if harm > 0.7 * harmless:
            weight[here & (label == 1)] *= 0.7 * harmless / harm
    for side in (0, 1):
        weight[label == side] *= 0.5 * len(rows) / weight[label == side].sum()
    return weight


# ── 2. Hashing and fitting ───────────────────────────────────────────────────────────────────────────────────────


def hashed(rows: list[Row]) -> sparse.csr_matrix:
    indices: list[np.ndarray] = []
    values: list[np.ndarray] = []
    pointer = [0]
    for row in rows:
        layer = as_written(Passage(row.text.encode("utf8", "replace").decode()))
        columns: list[np.ndarray] = []
        size = 0
        for block in ngrams.blocks(layer):
            size += len(block.places)
            columns.extend(block.ids(group) & ((1 << BITS) - 1) for group in NGRAMS)
        found = np.concatenate(columns) if columns else np.empty(0, dtype=np.intp)
        distinct, times = np.unique(found, return_counts=True)
        indices.append(distinct)
        values.append(times / max(size, 1) ** 0.5)
        pointer.append(pointer[-1] + len(distinct))
    return sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(indices), np.array(pointer)),
        shape=(len(rows), 1 << BITS),
    )


def fit(design: sparse.csr_matrix, label: np.ndarray, weight: np.ndarray, strength: float) -> np.ndarray:
    """A logistic model on n-grams weighted by how much more often they stand on one side than on the other.

    The weighting (Wang & Manning, "Baselines and Bigrams", ACL 2012) keeps words that say nothing from being fitted
    to the sources' styles.
    """
    share = weight / weight.mean()
    present = design.sign()
    positive = present.T @ (share * label) + SMOOTH
    negative = present.T @ (share * (1 - label)) + SMOOTH
    ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
    model = LogisticRegression(C=strength, solver="liblinear", tol=0.05, fit_intercept=False)
    model.fit(design @ sparse.diags(ratio), label, sample_weight=share)
    return model.coef_[0] * ratio


def quantised(coefficient: np.ndarray) -> linear.Head:
    scale = float(np.quantile(np.abs(coefficient[coefficient != 0]), 0.9995) / 127)
    return linear.Head(NGRAMS, np.clip(np.rint(coefficient / scale), -127, 127).astype(np.int8), scale)


# ── 3. Held-out scores ───────────────────────────────────────────────────────────────────────────────────────────


def held_out(
    task: str, rows: list[Row], design: sparse.csr_matrix, label: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    scores = np.full(len(rows), np.nan)
    held = np.array([row.held for row in rows])
    source = np.array([row.source for row in rows])
    figures: dict[str, Any] = {}
    for part in sorted(set(held) - {""}):
        out = held == part
        coefficient = fit(design[~out], label[~out], weight[~out], STRENGTH[task])
        head = quantised(coefficient)
        scores[out] = [windowed(head, rows[at].text, WINDOW[task]) for at in np.flatnonzero(out)]
        out &= np.array([":" not in row.source for row in rows])
        figures[part] = {
            "positives": int((label[out] == 1).sum()),
            "negatives": int((label[out] == 0).sum()),
            "auroc": round(float(roc_auc_score(label[out], scores[out])), 4),
            "average_precision": round(float(average_precision_score(label[out], scores[out])), 4),
        }
        print(part, figures[part], flush=True)
    if task == "harm":
        for name in sorted(set(source[(label == 0) & (held != "")])):
            which = (source == name) & (label == 0)
            figures.setdefault("harmless", {})[name] = {"texts": int(which.sum())}
    return scores, figures


def windowed(head: linear.Head, text: str, chunks: int) -> float:
    layer = as_written(Passage(text.encode("utf8", "replace").decode()))
    window = linear.strongest(linear.read(layer, head), head, chunks)
    return window.score if window is not None else 0.0


def calibrated(rows: list[Row], scores: np.ndarray, label: np.ndarray, limit: float) -> dict[str, Any]:
    """Slope and intercept that turn a score into a probability, and the score's threshold, both on held-out scores."""
    known = ~np.isnan(scores) & np.array([":" not in row.source for row in rows])
    count = Counter((row.source, row.label) for row in rows)
    weight = np.array([count[row.source, row.label] ** -0.5 for row in rows])
    for side in (0, 1):
        weight[known & (label == side)] *= 0.5 / weight[known & (label == side)].sum()
    model = LogisticRegression(C=1e6).fit(
        scores[known, None], label[known], sample_weight=weight[known] * known.sum()
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    negative = np.sort(scores[known & (label == 0)])
    positive = scores[known & (label == 1)]
    chance = 1 / (1 + np.exp(-(slope * scores + intercept)))
    told: dict[str, Any] = {}
    for share in (0.05, 0.02, 0.01):
        cut = float(negative[int(len(negative) * (1 - share))])
        told[f"recall_at_{share:g}_false_positives"] = round(float((positive > cut).mean()), 4)
        told[f"probability_at_{share:g}"] = round(1 / (1 + float(np.exp(-(slope * cut + intercept)))), 4)
    wrong = {}
    for name in sorted({row.source for row in rows}):
        which = known & np.array([row.source == name for row in rows])
        for side in (0, 1):
            here = which & (label == side)
            if here.sum() >= 20:
                wrong[f"{name}:{side}"] = round(float((chance[here] >= limit).mean()), 3)
    return {
        "calibration": {"slope": slope, "intercept": intercept},
        "thresholds": {"report": limit},
        "told": told,
        "share_reported": wrong,
        "auroc_pooled": round(float(roc_auc_score(label[known], scores[known])), 4),
    }


def categories(rows: list[Row]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """One small table of word weights per category, asked only where a text is reported."""
    which = [row for row in rows if row.category]
    names = sorted({str(row.category) for row in which})
    folded = sparse.lil_matrix((len(which), 1 << CLASS_BITS))
    for at, row in enumerate(which):
        for block in ngrams.blocks(as_written(Passage(row.text.encode("utf8", "replace").decode()))):
            folded[at, block.ids("w1") & ((1 << CLASS_BITS) - 1)] = 1.0
    design = folded.tocsr()
    target = np.array([names.index(str(row.category)) for row in which])
    count = Counter(target.tolist())
    tables, biases = [], []
    for at in range(len(names)):
        share = np.array([1 / count[int(one)] for one in target])
        model = LogisticRegression(C=1.0, solver="liblinear", tol=0.05).fit(
            design, target == at, sample_weight=share * len(target) / share.sum()
        )
        tables.append(np.clip(np.rint(model.coef_[0] * 32), -127, 127).astype(np.int8))
        biases.append(float(model.intercept_[0] * 32))
    return names, np.stack(tables), np.array(biases, dtype=np.float32)


if __name__ == "__main__":
    main()
