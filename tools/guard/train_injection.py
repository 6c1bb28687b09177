"""Train the prompt-injection model: weights, thresholds and model card, the same bit for bit on the same machine.

    python tools/guard/train_injection.py [--data ../shared/data]

    1. Read the labelled rows of `injection/`, the requests of `harm/` as neutral, documents of other tasks as plain
       documents, and the texts written for the purpose (tools/guard/texts).
    2. Cut every row into windows and count its hashed n-grams (instruments/guard/learned/ngrams.py).
    3. For each group of sources: fit the heads on all *other* sources, and score the group with the code that runs in
       the guard.
    4. From these held-out scores fit the combination, its calibration and the thresholds.
    5. Fit the heads on everything, write the weights and the model card.

Every figure in the card is of sources the weights behind it never saw. Documents are read as what a tool brought, so
that the sums for data see the signatures as the guard weighs them there; the sums for prompts see the same documents as
somebody pasted them.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from injection_card import Style, card, figures
from injection_corpus import (
    EVERYTHING,
    GROUPS,
    NGRAMS,
    Corpus,
    Hashed,
    Row,
    Window,
    joined,
    read_corpus,
    windows_of,
    words,
)
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from alcaide.instruments.guard.detectors.injection import combination, evidence, signatures
from alcaide.instruments.guard.detectors.injection.detector import (
    NAME,
    SURE,
    TREE_PARTS,
    log_odds,
    weights_of,
)
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import as_written
from alcaide.instruments.guard.learned import linear, model_file
from alcaide.instruments.guard.model import Direction, Passage

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "src/alcaide/instruments/guard/detectors/injection/weights.npz"
CARD = ROOT / "docs/guard/model-card-injection.md"
STYLES = ROOT / "tests/corpus/guard/injection_styles.jsonl"
"""Texts that are only ever reported on; no weight and no threshold is fitted on them."""
SEED = 20261125
RECIPE = ("injection_corpus.py", "train_injection.py")
"""What the weights depend on, beside the package itself and the data."""

# Sources that count for less than the root of their size: harmful requests in a role without a word about the model,
# and questions that are attacks only in a system that must not answer them, teach little about other attacks.
LIGHT = {"sap200": 0.5, "cyberseceval_pi": 0.7}

BITS = {"attack": 21, "request": 19, "kind": 16}
"""Places in each head's table, as a power of two."""
COST = {"attack": 8.0, "request": 4.0}
ELSEWHERE = 4.0
"""How much more a harmless text that is not English counts."""
# ── Fitting ──────────────────────────────────────────────────────────────────────────────────────────────────────


def counted(windows: list[Window], hashed: Hashed, head: str) -> sparse.csr_matrix:
    """Counts of each window's n-grams over the root of its size: what linear.windows computes in the guard."""
    mask = np.uint32((1 << BITS[head]) - 1)
    columns: list[np.ndarray] = []
    pointers = np.zeros(len(windows) + 1, dtype=np.int64)
    scales = np.empty(len(windows), dtype=np.float32)
    for place, window in enumerate(windows):
        starts = hashed.starts[window.row]
        low, high = np.searchsorted(starts, (window.start, window.stop))
        count = 0
        for group in NGRAMS:
            a, b = (window.start, window.stop) if group[0] == "c" else (low, high)
            part = (hashed.ids[window.row][group][a:b] & mask).astype(np.int32)
            columns.append(part)
            count += len(part)
        pointers[place + 1] = pointers[place] + count
        scales[place] = max(1, window.stop - window.start) ** -0.5
    values = np.repeat(scales, np.diff(pointers))
    matrix = sparse.csr_matrix((values, joined(columns), pointers), shape=(len(windows), 1 << BITS[head]))
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
                weights[these] = these.sum() ** -0.5 * (LIGHT.get(source, 1.0) if label else 1.0)
    # Without this a language that has as many attacks as harmless texts would itself speak for an attack.
    for number in np.flatnonzero(chosen & (labels == 0)):
        if rows[number].lang not in ("en", ""):
            weights[number] *= ELSEWHERE
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
    model = LogisticRegression(C=COST[head], solver="liblinear", dual=True, max_iter=20, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stopping after so many rounds is meant
        model.fit(matrix[usable], labels[usable], sample_weight=given[usable])
    return model.coef_[0], float(model.intercept_[0])


def quantised(weights: np.ndarray) -> linear.Head:
    """A table of int8. The scale lets the outermost of a hundred thousand weights be clipped."""
    nonzero = np.abs(weights[weights != 0])
    scale = float(np.quantile(nonzero, 0.99998)) / 127
    return linear.Head(NGRAMS, np.clip(np.rint(weights / scale), -127, 127).astype(np.int8), scale)


Heads = dict[str, tuple[linear.Head, float]]
"""Each head with its intercept."""


@dataclass
class Material:
    """What every fit draws from: the rows, their windows and each head's counts, made once."""

    rows: list[Row]
    hashed: Hashed
    windows: list[Window]
    counts: dict[str, sparse.csr_matrix]


def material(rows: list[Row]) -> Material:
    """Hash the rows, cut their windows, and count the n-grams for both heads."""
    hashed = Hashed(rows)
    generator = np.random.default_rng(SEED)
    windows = [w for number, row in enumerate(rows) for w in windows_of(row, number, hashed, generator)]
    return Material(
        rows, hashed, windows, {head: counted(windows, hashed, head) for head in ("attack", "request")}
    )


def train_heads(given: Material, chosen: np.ndarray) -> Heads:
    """Both heads, fitted on the chosen rows."""
    began = time.perf_counter()
    weights = balanced(given.rows, chosen)
    coefficients, intercept = fitted(given.windows, given.counts["attack"], weights, "attack")
    requests, bias = fitted(given.windows, given.counts["request"], weights, "request")
    print(f"  {time.perf_counter() - began:.0f} s, {time.process_time():.0f} s of CPU so far", flush=True)
    return {
        "attack": (quantised(coefficients), intercept),
        "request": (quantised(requests), bias),
    }


def held_out(corpus: Material, group: int) -> np.ndarray:
    """The rows to train on when a group is held out.

    What `alcaide_indirect` puts into documents are partly attacks of the other sources (`attack_from_dev`), so those
    rows go whenever any other source is held out.
    """
    chosen = np.ones(len(corpus.rows), dtype=np.bool_)
    if group == EVERYTHING:
        return chosen
    for number, row in enumerate(corpus.rows):
        if row.role == "injection" and row.group == group:
            chosen[number] = False
        if row.kind == "attack_from_dev" and group not in (5, 6):
            chosen[number] = False
    return chosen


# ── The combination ──────────────────────────────────────────────────────────────────────────────────────────────

ORDINARY = words(
    """banking77 mt_bench bfcl gsm8k oasst nq_open mgsm self_instruct_seed clinc150 gpteacher_codegen humaneval bbh
    gpteacher_toolformer"""
)
"""Ordinary instructions and questions: what the rate of false positives is measured on."""

HARD = words("alcaide_hard alcaide_written_hard_negative cyberseceval_frr")
"""Harmless prompts full of trigger words, and requests of people who defend systems."""

ROLES = words("jackhhao awesome_prompts gpteacher_roleplay prompts_zh")
"""Role prompts: close to jailbreaks in all but intent."""

DOCUMENTS = words(
    """bipia_train_code bipia_train_email bipia_train_table enron_sample alcaide_indirect alcaide_written_indirect"""
)

FALSE_POSITIVES = 0.01
HARD_LET_THROUGH = 0.94
ROLES_LET_THROUGH = 0.88
"""What the shipped threshold has to keep on the held-out harmless texts, as a mean over sources."""

MISSED = 0.005
"""The share of caught attacks that may be given up by not measuring the structure of what looks plainly harmless."""
RISING = words("attack-sentence attack-paragraph attack-page attack-whole")
HARMLESS_FOR_AN_ATTACK = 10.0
"""How many harmless texts there are for an attack where probabilities are to hold."""


def evidence_of(
    rows: list[Row], heads: Heads, engine: PatternEngine, direction: Direction = "in"
) -> np.ndarray:
    """The numbers of both sums for each text, by the code that runs in the guard.

    `direction` is where a text comes from: signatures weigh more in what a tool brought.
    """
    made = np.zeros((len(rows), len(combination.NAMES) + len(combination.STRUCTURE_NAMES)))
    (attack, attack_bias), (request, request_bias) = heads["attack"], heads["request"]
    pair = linear.Pair(attack, request)
    for number, row in enumerate(rows):
        layer = as_written(Passage(row.text, direction=direction))
        gathered = evidence.gathered(layer, pair, (attack_bias, request_bias))
        if gathered is None:
            continue
        seen = signatures.sightings(layer, engine.hits(layer).get(NAME, ()))
        made[number] = np.concatenate(
            (combination.numbers(gathered, seen), combination.structured(layer, gathered.attack))
        )
    return made


@dataclass
class Held:
    """The rows of `injection` with a group, their numbers from heads that never saw their source, and who they are."""

    rows: list[Row]
    values: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    sources: np.ndarray

    def of(self, sources: tuple[str, ...], label: int) -> np.ndarray:
        """Which rows are of some sources and have a label."""
        chosen: np.ndarray = np.isin(self.sources, sources) & (self.labels == label)
        return chosen


def held(rows: list[Row], values: np.ndarray) -> Held:
    """Rows and their numbers, with what is asked of them most often as arrays."""
    return Held(
        rows,
        values,
        np.array([row.label for row in rows]),
        np.array([row.group for row in rows]),
        np.array([row.source for row in rows]),
    )


def fit_sum(given: Held, chosen: np.ndarray, width: int) -> tuple[np.ndarray, float]:
    """Slopes and intercept over the first `width` numbers, in the numbers' own units, sources balanced."""
    weights = balanced(given.rows, chosen)[chosen]
    values = given.values[chosen][:, :width]
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread[spread < 1e-6] = np.inf  # a number that never varies has no say
    model = LogisticRegression(C=0.3, max_iter=1000, tol=1e-7)
    model.fit((values - mean) / spread, given.labels[chosen], sample_weight=weights)
    slopes = model.coef_[0] / spread
    return slopes, float(model.intercept_[0] - slopes @ mean)


def fit_trees(given: Held, chosen: np.ndarray) -> HistGradientBoostingClassifier:
    """Small boosted trees over all numbers. What speaks for an attack by construction may not be held against one."""
    names = (*combination.NAMES, *combination.STRUCTURE_NAMES)
    rising = [int(name.startswith("signature") or name in RISING) for name in names]
    model = HistGradientBoostingClassifier(
        max_iter=150,
        max_leaf_nodes=8,
        learning_rate=0.08,
        l2_regularization=20,
        min_samples_leaf=60,
        max_bins=64,
        monotonic_cst=rising,
        random_state=SEED,
    )
    return model.fit(
        given.values[chosen], given.labels[chosen], sample_weight=balanced(given.rows, chosen)[chosen]
    )


def trees_of(model: HistGradientBoostingClassifier, scale: float) -> combination.Trees:
    """The fitted trees as the guard runs them, their sum divided by `scale`."""
    nodes = [iteration[0].nodes for iteration in model._predictors]  # noqa: SLF001
    width = max(len(each) for each in nodes)
    shape = (len(nodes), width)
    feature, left, right = (np.zeros(shape, dtype=np.int16) for _ in range(3))
    threshold, value = np.zeros(shape), np.zeros(shape)
    for row, each in enumerate(nodes):
        count = len(each)
        leaf = each["is_leaf"].astype(bool)
        own = np.arange(count)
        feature[row, :count] = np.where(leaf, 0, each["feature_idx"])
        threshold[row, :count] = np.where(leaf, 0.0, each["num_threshold"])
        left[row, :count] = np.where(leaf, own, each["left"])
        right[row, :count] = np.where(leaf, own, each["right"])
        value[row, :count] = np.where(leaf, each["value"], 0.0) / scale
    depth = max(int(each["depth"].max()) for each in nodes)
    base = float(model._baseline_prediction[0, 0]) / scale  # noqa: SLF001
    return combination.Trees(feature, threshold, left, right, value, base, depth)


def nested(
    given: Held, usable: np.ndarray, score: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Log-odds of every usable row by what `score` fits on the other groups alone."""
    scores = np.full(len(given.rows), np.nan)
    for group in sorted(set(given.groups[usable])):
        these = usable & (given.groups == group)
        scores[these] = score(usable & (given.groups != group), these)
    return scores


@dataclass
class Fitted:
    """The sums of one kind of passage, moved so that 0 is the shipped threshold, and their stretch to log-odds."""

    first: tuple[np.ndarray, float]
    second: tuple[np.ndarray, float]
    trees: combination.Trees
    plain: float
    below: float
    above: float
    scores: np.ndarray  # of the held-out rows, log-odds; NaN where a row is of no concern


def fit_sums(given: Held, usable: np.ndarray, threshold: Callable[[np.ndarray], float]) -> Fitted:
    """Fit the sums, choose the threshold on held-out scores, and find the slopes that make them probabilities."""
    narrow, wide = len(combination.NAMES), given.values.shape[1]

    def by_sum(width: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        def score(chosen: np.ndarray, these: np.ndarray) -> np.ndarray:
            slopes, intercept = fit_sum(given, chosen, width)
            found: np.ndarray = given.values[these][:, :width] @ slopes + intercept
            return found

        return score

    def by_trees(chosen: np.ndarray, these: np.ndarray) -> np.ndarray:
        found: np.ndarray = fit_trees(given, chosen).decision_function(given.values[these])
        return found

    first = nested(given, usable, by_sum(narrow))
    linear_part, tree_part = nested(given, usable, by_sum(wide)), nested(given, usable, by_trees)
    # Each half counts as much as it spreads.
    spreads = float(linear_part[usable].std()), float(tree_part[usable].std())
    second = linear_part / spreads[0] + tree_part / spreads[1]
    cut, first_cut = threshold(second), threshold(first)
    first, second = first - first_cut, second - cut
    caught = usable & (given.labels == 1) & (second >= 0)
    plain = min(float(np.quantile(first[caught], MISSED)), combination.PLAINLY)
    scores = np.where(first < plain, np.minimum(first, combination.PLAINLY), second)
    weights = balanced(given.rows, usable)
    weights[given.labels == 0] *= HARMLESS_FOR_AN_ATTACK
    below, above = (
        _stretch(scores, given.labels, weights * (usable & side)) for side in (scores < 0, scores >= 0)
    )
    print(
        f"  {(first[usable & (given.labels == 0)] < plain).mean():.2f} of harmless texts are plainly so",
        flush=True,
    )
    slopes, intercept = fit_sum(given, usable, wide)
    return Fitted(
        _moved(fit_sum(given, usable, narrow), first_cut),
        (slopes / spreads[0], intercept / spreads[0] - cut),
        trees_of(fit_trees(given, usable), spreads[1]),
        plain,
        below,
        above,
        scores * np.where(scores < 0, below, above),
    )


def _stretch(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The slope that makes scores log-odds, where 0 is even odds."""
    used = weights > 0
    model = LogisticRegression(C=1e6, fit_intercept=False)
    model.fit(scores[used][:, None], labels[used], sample_weight=weights[used])
    return max(0.2, float(model.coef_[0, 0]))


def _moved(sum_: tuple[np.ndarray, float], cut: float) -> tuple[np.ndarray, float]:
    return sum_[0], sum_[1] - cut


def prompt_threshold(given: Held) -> Callable[[np.ndarray], float]:
    """The lowest threshold that keeps what is promised on ordinary, hard and role prompts."""

    def mean_quantile(scores: np.ndarray, sources: tuple[str, ...], share: float) -> float:
        return float(np.mean([np.quantile(scores[given.of((source,), 0)], share) for source in sources]))

    def choose(scores: np.ndarray) -> float:
        ordinary = float(np.quantile(scores[given.of(ORDINARY, 0)], 1 - FALSE_POSITIVES))
        return max(
            ordinary,
            mean_quantile(scores, HARD, HARD_LET_THROUGH),
            mean_quantile(scores, ROLES, ROLES_LET_THROUGH),
        )

    return choose


def data_threshold(given: Held) -> Callable[[np.ndarray], float]:
    """The threshold that two in a hundred documents without an attack pass."""

    def choose(scores: np.ndarray) -> float:
        return float(np.quantile(scores[given.of(DOCUMENTS, 0)], 1 - 2 * FALSE_POSITIVES))

    return choose


def decided(scores: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Log-odds with the last word that sure signatures have in the guard (detector.log_odds)."""
    known = values[:, combination.NAMES.index("signatures")]
    # Signatures end at 0.99, so the odds are finite.
    return np.where(known >= SURE, np.maximum(scores, np.log(known / (1 - known) + 1e-12)), scores)


def styles(content: bytes, engine: PatternEngine) -> list[Style]:
    """How the fitted weights do on texts kept for the report alone, in the direction that each is written for."""
    weights = weights_of(model_file.read(content, name=NAME))
    found: dict[tuple[str, str], Style] = {}
    for line in STYLES.read_text("utf-8").splitlines():
        row = json.loads(line)
        layer = as_written(Passage(row["text"], direction=row["direction"]))
        gathered = evidence.gathered(layer, weights.heads, weights.biases[:2])
        seen = signatures.sightings(layer, engine.hits(layer).get(NAME, ()))
        sums = weights.data if row["direction"] == "tool" else weights.prompt
        alarm = gathered is not None and log_odds(layer, gathered, seen, sums) >= 0
        found.setdefault((row["half"], row["direction"]), Style(row["half"], row["direction"])).count(
            attack=bool(row["label"]), alarm=alarm
        )
    return [found[key] for key in sorted(found)]


def fit_kind(given: Material) -> tuple[linear.Head, float]:
    """Which of two kinds an attack is: 1 jailbreak, 0 injection. Small, and asked only about attacks."""
    jailbreaks = "jailbreak"
    chosen = [window for window in given.windows if given.rows[window.row].label == 1 and window.attack == 1]
    labels = np.array([int(given.rows[window.row].category == jailbreaks) for window in chosen])
    matrix = counted(chosen, given.hashed, "kind")
    model = LogisticRegression(
        C=1.0, solver="liblinear", dual=True, max_iter=10, random_state=SEED, class_weight="balanced"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(matrix, labels)
    return quantised(model.coef_[0]), float(model.intercept_[0])


# ── What is written ──────────────────────────────────────────────────────────────────────────────────────────────


def packed(corpus: Corpus, heads: Heads, prompt: Fitted, data: Fitted) -> bytes:
    """The weights' file."""
    arrays = {name: head.table for name, (head, _) in heads.items()}
    sums: dict[str, dict[str, float]] = {}
    for name, fit in (("prompt", prompt), ("data", data)):
        arrays[f"{name}-first"], arrays[f"{name}-second"] = fit.first[0], fit.second[0]
        arrays |= {f"{name}-trees-{part}": getattr(fit.trees, part) for part in TREE_PARTS}
        sums[name] = {
            "first": fit.first[1],
            "second": fit.second[1],
            "base": fit.trees.base,
            "depth": fit.trees.depth,
            "plain": fit.plain,
            "below": fit.below,
            "above": fit.above,
        }
    recipe = sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in RECIPE)).hexdigest()
    content = sha256(
        b"".join(np.ascontiguousarray(arrays[name]).tobytes() for name in sorted(arrays))
    ).hexdigest()
    header = {
        "name": NAME,
        "version": f"1.{content[:8]}",
        "recipe": recipe,
        "data": corpus.digests,
        "thresholds": {"shipped": 0.5},
        "calibration": {"method": "logistic on held-out sources, ten harmless texts for an attack"},
        "groups": list(NGRAMS),
        "names": [*combination.NAMES, *combination.STRUCTURE_NAMES],
        "heads": {name: {"scale": head.scale, "bias": bias} for name, (head, bias) in heads.items()},
        "sums": sums,
    }
    return model_file.written(header, arrays)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and write the weights and the card."""
    parser = argparse.ArgumentParser(description="Train the prompt-injection model.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights go")
    parser.add_argument("--card", type=Path, default=CARD, help="where the model card goes")
    parser.add_argument("--work", type=Path, help="a folder to keep what was fitted, to go on from there")
    options = parser.parse_args(arguments)

    corpus = read_corpus(options.data)
    given = kept(options.work, "material", lambda: material(corpus.rows))
    engine = PatternEngine({NAME: signatures.PATTERNS})
    numbers: list[int] = []
    values: list[np.ndarray] = []
    brought: list[np.ndarray] = []
    for group in GROUPS:
        print(f"without {', '.join(GROUPS[group]) or 'half of what was written for the purpose'}", flush=True)
        heads = kept(options.work, f"heads{group}", partial(train_heads, given, held_out(given, group)))
        these = [
            number for number, row in enumerate(corpus.rows) if row.role == "injection" and row.group == group
        ]
        numbers += these
        chosen = [corpus.rows[number] for number in these]
        values.append(kept(options.work, f"evidence{group}", partial(evidence_of, chosen, heads, engine)))
        documents = [row for row in chosen if row.source in DOCUMENTS]
        brought.append(
            kept(options.work, f"brought{group}", partial(evidence_of, documents, heads, engine, "tool"))
        )
    scored = held([corpus.rows[number] for number in numbers], np.concatenate(values))
    everyone = np.ones(len(scored.rows), dtype=np.bool_)
    prompt = fit_sums(scored, everyone, prompt_threshold(scored))
    in_data = np.isin(scored.sources, DOCUMENTS)
    as_data = scored.values.copy()
    as_data[in_data] = np.concatenate(brought)
    read = held(scored.rows, as_data)
    data = fit_sums(read, in_data, data_threshold(read))
    print("with everything", flush=True)
    heads = kept(options.work, f"heads{EVERYTHING}", partial(train_heads, given, held_out(given, EVERYTHING)))
    heads["kind"] = fit_kind(given)
    content = packed(corpus, heads, prompt, data)
    options.out.write_bytes(content)
    scores = decided(np.where(in_data, data.scores, prompt.scores), read.values)
    found = figures(scored, scores, ORDINARY, HARD + ROLES, DOCUMENTS)
    found.styles = styles(content, engine)
    told = Counter((row.source, row.label) for row in corpus.rows)
    counts = {row.source: (told[row.source, 0], told[row.source, 1]) for row in corpus.rows}
    options.card.write_text(card(model_file.read(content, name=NAME), len(content), found, counts), "utf-8")
    print(f"{len(content)} bytes to {options.out}", flush=True)


def kept(work: Path | None, name: str, make: Callable[[], Any]) -> Any:
    """What was made before and kept, or what is made now. Only for going on with an interrupted training."""
    if work is None:
        return make()
    path = work / f"{name}.pkl"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(make(), protocol=5))
    return pickle.loads(path.read_bytes())


if __name__ == "__main__":
    main()
