"""Train the groundedness detector: from labelled answers to the weights that ship, and the page that says how good.

    python tools/guard/train_groundedness.py --data ../shared/data [--evaluate] [--no-write]

    1. Read every set under `groundedness/` that has a context; undo the tokenisation that some of them come in.
    2. Make answers of our own from the same contexts: a few sentences shortened and reworded (supported), and the
       same with one thing changed — a number, a name, a negation, an opposite, a sister word, an added clause —
       (unsupported, and the changed sentence is known).
    3. Compare each answer with its context (`features`) and fit boosted trees on the figures, sentence by sentence.
       Answers of several sentences that are known to be unsupported somewhere teach their worst sentence
       (multiple-instance learning, two rounds); an answer's score is that of its worst sentence.
    4. With `--evaluate`, do 3 again with each source held out whole, its contexts included, and report AUROC there.

Everything is seeded; the digests of the data are written beside the weights.
"""

from __future__ import annotations

# ruff: noqa: B023, C901, D101, D103, E501, SIM905
import argparse
import gzip
import hashlib
import json
import random
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from alcaide.instruments.guard.detectors.groundedness.features import NAMES, compare
from alcaide.instruments.guard.detectors.groundedness.lexicon import lexicon
from alcaide.instruments.guard.detectors.groundedness.model import model
from alcaide.instruments.guard.detectors.groundedness.sources import Sources
from alcaide.instruments.guard.detectors.groundedness.words import STOPWORDS, sentences_of, tokens_of

SEED = 20251
TREES = 150
MONOTONE = {
    "cover": -1,
    "soft": -1,
    "cover_window": -1,
    "soft_window": -1,
    "bigrams": -1,
    "trigrams": -1,
    "pairs": -1,
    "weakest": -1,
    "weakest_window": -1,
    "missing": 1,
    "missing_mass": 1,
    "numbers_missing": 1,
    "names_missing": 1,
    "opposite_window": 1,
    "negation_differs": 1,
    "calendar_missing": 1,
    "slot": 1,
    "question_elsewhere": 1,
    "copied": -1,
    "joined": -1,
    "torn": 1,
    "farthest": 1,
    "particulars_torn": 1,
}
"""In which direction a figure may move the probability that a sentence is unsupported, whatever the data say."""
MADE = 0.5
HERE = Path(__file__).resolve().parents[2]
WEIGHTS = HERE / "src/alcaide/instruments/guard/detectors/groundedness/weights.npz"
FIGURES = HERE / "tools/guard/groundedness_figures.json"


@dataclass(frozen=True)
class Example:
    source: str
    made: bool
    label: int
    answer: str
    context: str
    question: str | None
    culprit: int | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent / "shared/data")
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--cache", type=Path, help="keep the figures of the answers here between runs")
    given = parser.parse_args()
    examples, digests = read(given.data / "groundedness")
    examples += make(examples, random.Random(SEED))
    table = Table.of(examples, given.cache)
    figures: dict[str, Any] = {"data": digests, "answers": len(examples), "seed": SEED}
    if given.evaluate:
        figures["held_out"], figures["calibration"] = evaluate(table)
    everything = np.arange(len(examples))
    fitted = Fitted.on(table, everything)
    if not given.no_write:
        kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        calibration = (
            figures.get("calibration") or kept.get("calibration") or {"slope": 1.0, "intercept": 0.0}
        )
        fitted.write(WEIGHTS, calibration, table)
        FIGURES.write_text(json.dumps({**kept, **figures}, indent=1) + "\n")


# ── 1. Labelled answers ──────────────────────────────────────────────────────────────────────────────────────────


def read(folder: Path) -> tuple[list[Example], dict[str, str]]:
    examples: list[Example] = []
    digests: dict[str, str] = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        packed = path.read_bytes()
        digests[path.name] = hashlib.sha256(packed).hexdigest()
        for line in gzip.decompress(packed).decode("utf8").split("\n"):
            if not line:
                continue
            row = json.loads(line)
            if not row.get("context"):
                continue
            question = row.get("question")
            examples.append(
                Example(
                    row["source"],
                    False,
                    int(row["label"]),
                    readable(row["response"]),
                    readable(row["context"]),
                    None if not question or question == "[]" else readable(question),
                )
            )
    return examples, digests


def readable(text: str) -> str:
    """Text as a person would write it, where a corpus has it in Penn Treebank tokens."""
    for mark, plain in (
        ("-LRB-", "("),
        ("-RRB-", ")"),
        ("-LSB-", "["),
        ("-RSB-", "]"),
        ("``", '"'),
        ("''", '"'),
    ):
        text = text.replace(mark, plain)
    text = re.sub(r"\s+(['’])\s*(s|t|re|ve|ll|d|m)\b", r"\1\2", text)
    text = re.sub(r"(\w) n't", r"\1n't", text)
    return re.sub(r"\s+([.,;:!?%)])", r"\1", text)


# ── 2. Answers of our own ────────────────────────────────────────────────────────────────────────────────────────


def make(examples: list[Example], chance: random.Random) -> list[Example]:
    by_context: dict[str, Example] = {}
    for example in examples:
        by_context.setdefault(example.context, example)
    names: dict[str, list[str]] = {}
    clauses: dict[str, list[str]] = {}
    contexts = list(by_context.values())
    for example in contexts:
        tokens = tokens_of(example.context)
        names.setdefault(example.source, []).extend(
            example.context[token.start : token.end]
            for token in tokens
            if token.capital and not token.first and token.lower not in STOPWORDS and len(token.lower) > 2
        )
        clauses.setdefault(example.source, []).extend(
            clause.strip(" .")
            for clause in re.findall(
                r", ((?:which|who|and|with|after|because|where|while)\b[^,.;]{20,90})", example.context
            )
        )
    made: list[Example] = []
    for example in [_among_others(one, contexts, chance) for one in contexts]:
        whole = sentences_of(example.context, tokens_of(example.context))
        texts = [example.context[one.start : one.end] for one in whole if 8 <= one.high - one.low <= 45]
        if len(texts) < 2:
            continue
        for _ in range(1):
            count = min(len(texts), chance.choice((1, 1, 2, 3, 5, 8)))
            picked = [texts[at] for at in sorted(chance.sample(range(len(texts)), count))]
            kept = [reworded(shortened(text, chance), chance) for text in picked]
            made.append(Example(example.source, True, 0, " ".join(kept), example.context, None))
            culprit = chance.randrange(count)
            for _ in range(6):
                changed = perturbed(kept[culprit], example, names, clauses, chance)
                if changed and changed != kept[culprit]:
                    answer = " ".join([*kept[:culprit], changed, *kept[culprit + 1 :]])
                    made.append(Example(example.source, True, 1, answer, example.context, None, culprit))
                    break
    return made + records(chance)


def _among_others(example: Example, contexts: list[Example], chance: random.Random) -> Example:
    """Two in five contexts become part of a longer one: retrieved passages are many, and most beside the point."""
    if chance.random() < 0.6:
        return example
    own = [other.context for other in chance.sample(contexts, 12) if other.source == example.source][:6]
    parts = [example.context, *own[: chance.randrange(1, 7)]]
    chance.shuffle(parts)
    return replace(example, context="\n\n".join(parts)[:12_000])


def records(chance: random.Random) -> list[Example]:
    """Descriptions of places from records of their attributes, true but for one statement in half of them."""
    made: list[Example] = []
    for _ in range(300):
        kind = chance.choice(("cafe", "restaurant", "bakery", "hotel", "bar", "museum"))
        place = f"{chance.choice(_NAMES)} {chance.choice(_NAMES)}"
        city = chance.choice(_CITIES)
        stars = chance.choice((2, 2.5, 3, 3.5, 4, 4.5, 5))
        opens, closes = chance.randrange(6, 12), chance.randrange(15, 23)
        wifi, price = chance.choice(("free", "paid", "no")), chance.choice((1, 2, 3))
        yes = {name: chance.random() < 0.5 for name in _OFFERS}
        context = json.dumps(
            {
                "name": f"{place} {kind.capitalize()}",
                "city": city,
                "categories": kind,
                "business_stars": stars,
                "hours": {"Monday": f"{opens}:0-{closes}:0", "Tuesday": f"{opens}:0-{closes}:0"},
                "attributes": {"WiFi": wifi, "RestaurantsPriceRange": price, **yes},
            }
        )

        def statements(true: bool) -> dict[str, str]:
            other = (
                (lambda one, many: chance.choice([x for x in many if x != one]))
                if not true
                else (lambda one, _: one)
            )
            told = {
                "city": f"{place} is a {kind} in {other(city, _CITIES)}.",
                "stars": f"It has a rating of {other(stars, (2, 2.5, 3, 3.5, 4, 4.5, 5))} stars.",
                "hours": f"On Mondays it opens at {other(opens, range(6, 12))} am.",
                "wifi": f"Guests get {other(wifi, ('free', 'paid', 'no'))} WiFi.",
            }
            for name, (has, has_not) in _OFFERS.items():
                told[name] = has if yes[name] == true else has_not
            return told

        right, wrong = statements(True), statements(False)
        picked = ["city", *chance.sample([key for key in right if key != "city"], chance.randrange(2, 6))]
        made.append(Example("records", True, 0, " ".join(right[key] for key in picked), context, None))
        culprit = chance.randrange(len(picked))
        told = [wrong[key] if at == culprit else right[key] for at, key in enumerate(picked)]
        made.append(Example("records", True, 1, " ".join(told), context, None, culprit))
    return made


_NAMES = "Amber Birch Copper Delta Elm Falcon Garden Harbor Indigo Juniper Kestrel Linden Maple North Olive Pine".split()
_CITIES = "Tucson Tampa Reno Nashville Boise Philadelphia Edmonton Sacramento".split()
_OFFERS = {
    "OutdoorSeating": ("There is outdoor seating.", "There is no outdoor seating."),
    "GoodForKids": ("It is good for kids.", "It is not suited for kids."),
    "TakesReservations": ("Reservations are accepted.", "Reservations are not accepted."),
    "BikeParking": ("Bikes can be parked.", "There is no bike parking."),
    "TakeOut": ("Take out is available.", "Take out is not offered."),
    "DogsAllowed": ("Dogs are allowed.", "Dogs are not allowed."),
}


def shortened(text: str, chance: random.Random) -> str:
    if chance.random() < 0.5:
        text = re.sub(r" ?\([^)]{0,80}\)| ?\[[^\]]{0,40}\]", "", text)
    parts = text.split(", ")
    if len(parts) > 2 and chance.random() < 0.5:
        del parts[chance.randrange(1, len(parts) - 1)]
    elif len(parts) == 2 and min(map(len, parts)) > 30 and chance.random() < 0.4:
        parts = (
            [parts[0].rstrip(".") + "."] if chance.random() < 0.5 else [parts[1][:1].upper() + parts[1][1:]]
        )
    text = ", ".join(parts)
    if chance.random() < 0.25:
        text = re.sub(r"\b(also|however|then|very|really|often|famously|originally|currently) ", "", text)
    return text


def reworded(text: str, chance: random.Random) -> str:
    """Up to three words replaced by a synonym whose meaning is also near: what a paraphrase does to a sentence."""
    known = lexicon()
    spelled = _spelled()
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        token = _ordinary(text, chance)
        if token is None:
            break
        word = known.index[token.lower]
        close = [
            int(other)
            for other in known.tails("same", word)
            if known.vectors[word] @ known.vectors[other] > 0.5
        ]
        if close:
            text = text[: token.start] + spelled[chance.choice(close)] + text[token.end :]
    if chance.random() < 0.3:
        for long, short in ((" is not ", " isn't "), (" did not ", " didn't "), (" it is ", " it's ")):
            text = text.replace(long, short)
    return text


def _spelled() -> list[str]:
    return list(lexicon().index)


def _ordinary(text: str, chance: random.Random) -> Any:
    known = lexicon()
    tokens = [
        token
        for token in tokens_of(text)
        if not token.capital
        and not token.number
        and token.lower not in STOPWORDS
        and token.lower in known.index
    ]
    return chance.choice(tokens) if tokens else None


def perturbed(
    text: str,
    example: Example,
    names: dict[str, list[str]],
    clauses: dict[str, list[str]],
    chance: random.Random,
) -> str | None:
    """The sentence with one thing no longer true; None where this kind of change finds no place."""
    tokens = tokens_of(text)
    kind = chance.choice(
        ("number", "name", "name", "negate", "opposite", "sister", "clause", "swap", "extreme")
    )
    known = lexicon()
    if kind == "number":
        found = [token for token in tokens if token.lower[0].isdigit()]
        if not found:
            return None
        token = chance.choice(found)
        digits = re.sub(r"\D", "", text[token.start : token.end])
        number = int(digits[:9] or 1)
        new = max(1, number + chance.choice((-10, -3, -2, -1, 1, 2, 3, 7, 10, max(1, number // 3))))
        return (
            text[: token.start] + text[token.start : token.end].replace(digits, str(new)) + text[token.end :]
        )
    if kind == "name":
        found = [token for token in tokens if token.capital and not token.first and len(token.lower) > 2]
        if not found:
            return None
        token = chance.choice(found)
        here = [
            example.context[one.start : one.end]
            for one in tokens_of(example.context)
            if one.capital and not one.first and one.lower not in STOPWORDS and len(one.lower) > 2
        ]
        other = chance.choice(here if here and chance.random() < 0.4 else names[example.source])
        return text[: token.start] + other + text[token.end :] if other.lower() != token.lower else None
    if kind == "swap":
        found = [
            token
            for token in tokens
            if token.capital and len(token.lower) > 2 and token.lower not in STOPWORDS
        ]
        if len(found) < 2:
            return None
        one, other = sorted(chance.sample(found, 2), key=lambda token: token.start)
        if other.start - one.end < 6 or one.lower == other.lower:
            return None
        return (
            text[: one.start]
            + text[other.start : other.end]
            + text[one.end : other.start]
            + text[one.start : one.end]
            + text[other.end :]
        )
    if kind == "negate":
        match = re.search(
            r"\b(is|are|was|were|has|have|had|can|will|would|could|did|does)\b( not|n't)?", text
        )
        if match is None:
            return None
        if match.group(2):
            return text[: match.end(1)] + text[match.end() :]
        return text[: match.end()] + chance.choice((" not", " never")) + text[match.end() :]
    if kind == "clause":
        if not clauses.get(example.source):
            return None
        return text.rstrip(".") + ", " + chance.choice(clauses[example.source]) + "."
    if kind == "extreme":
        for word, other in chance.sample(_EXTREMES, len(_EXTREMES)):
            changed = re.sub(rf"\b{word}\b", other, text, count=1)
            if changed != text:
                return changed
        return None
    relation = kind
    found = [
        token
        for token in tokens
        if token.lower in known.index and token.lower not in STOPWORDS and not token.number
    ]
    chance.shuffle(found)
    for token in found:
        others = known.tails(relation, known.index[token.lower])
        if relation == "sister":
            vector = known.vectors[known.index[token.lower]]
            others = others[known.vectors[others] @ vector > 0.35]
        if len(others):
            return text[: token.start] + _spelled()[int(chance.choice(list(others)))] + text[token.end :]
    return None


_EXTREMES = [
    ("some", "all"),
    ("many", "few"),
    ("most", "none"),
    ("before", "after"),
    ("after", "before"),
    ("first", "last"),
    ("more", "less"),
    ("often", "never"),
    ("several", "no"),
    ("over", "under"),
    ("both", "neither"),
    ("best", "worst"),
    ("largest", "smallest"),
    ("sometimes", "always"),
    ("can", "cannot"),
    ("increase", "decrease"),
    ("north", "south"),
    ("east", "west"),
    ("male", "female"),
    ("early", "late"),
    ("with", "without"),
]

# ── 3. Figures and models ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Table:
    """Figures of all sentences in a row; `answer[i]` is the answer that sentence i belongs to."""

    figures: np.ndarray
    answer: np.ndarray
    first: np.ndarray
    label: np.ndarray
    source: np.ndarray
    made: np.ndarray
    culprit: np.ndarray

    @staticmethod
    def of(examples: list[Example], cache: Path | None) -> Table:
        key = hashlib.sha256(repr((NAMES, examples[0], examples[-1], len(examples))).encode()).hexdigest()
        if cache is not None and cache.exists():
            with np.load(cache, allow_pickle=False) as kept:
                if str(kept["key"]) == key:
                    return Table(*(kept[name] for name in Table.__dataclass_fields__))
        rows: list[np.ndarray] = []
        owner: list[int] = []
        culprit: list[int] = []
        for at, example in enumerate(examples):
            if at % 2000 == 0:
                print(f"compared {at} of {len(examples)}", file=sys.stderr, flush=True)
            found = compare(example.answer, Sources((example.context,)), example.question).rows
            if not len(found):
                found = np.zeros((1, len(NAMES)))
            rows.append(found)
            owner.extend([at] * len(found))
            culprit.append(-1 if example.culprit is None else min(example.culprit, len(found) - 1))
        answer = np.array(owner)
        table = Table(
            np.vstack(rows),
            answer,
            np.flatnonzero(np.r_[True, answer[1:] != answer[:-1]]),
            np.array([example.label for example in examples]),
            np.array([example.source for example in examples]),
            np.array([example.made for example in examples]),
            np.array(culprit),
        )
        if cache is not None:
            np.savez(cache, key=key, **{name: getattr(table, name) for name in Table.__dataclass_fields__})
        return table


@dataclass(frozen=True)
class Fitted:
    trees: HistGradientBoostingClassifier

    @staticmethod
    def on(table: Table, chosen: np.ndarray) -> Fitted:
        inside = np.isin(np.arange(len(table.label)), chosen)
        share = _weights(table, chosen)
        size = np.diff(np.r_[table.first, len(table.answer)])
        owner = table.answer
        positive = table.label[owner] == 1
        within = np.arange(len(owner)) - table.first[owner]
        known = table.culprit[owner] >= 0
        guilty = known & (within == table.culprit[owner])
        label = np.where(known, guilty, positive).astype(int)
        sure = inside[owner] & (~positive | (size[owner] == 1) | known)
        amount = np.where(guilty, share[owner], share[owner] / size[owner])
        fitted: Fitted | None = None
        for _ in range(2):
            teach = np.zeros(len(owner), dtype=bool)
            if fitted is not None:
                score = fitted.sentence_logits(table)
                worst = np.maximum.reduceat(score, table.first)
                teach = inside[owner] & positive & ~known & (size[owner] > 1) & (score >= worst[owner])
            keep = sure | teach
            trees = HistGradientBoostingClassifier(
                max_iter=TREES,
                learning_rate=0.06,
                max_leaf_nodes=8,
                max_depth=6,
                min_samples_leaf=80,
                l2_regularization=20.0,
                max_features=0.5,
                monotonic_cst=[MONOTONE.get(name, 0) for name in NAMES],
                early_stopping=False,
                random_state=SEED,
            )
            trees.fit(
                table.figures[keep], label[keep], sample_weight=np.where(teach, share[owner], amount)[keep]
            )
            fitted = Fitted(trees)
        assert fitted is not None
        return fitted

    def sentence_logits(self, table: Table) -> np.ndarray:
        return self.trees.decision_function(table.figures)

    def answer_logits(self, table: Table) -> np.ndarray:
        return np.maximum.reduceat(self.sentence_logits(table), table.first)

    def write(self, path: Path, calibration: dict[str, float], table: Table) -> None:
        """One row of nodes for all trees. Training compares with `<=`, which is what `model` does."""
        parts: dict[str, list[np.ndarray]] = {
            name: [] for name in ("feature", "threshold", "left", "right", "value")
        }
        roots: list[int] = []
        offset = depth = 0
        for (tree,) in self.trees._predictors:  # noqa: SLF001 - there is no public way to the nodes
            nodes = tree.nodes
            leaf = nodes["is_leaf"].astype(bool)
            own = np.arange(len(nodes))
            roots.append(offset)
            parts["feature"].append(np.where(leaf, 0, nodes["feature_idx"]))
            parts["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
            parts["left"].append(np.where(leaf, own, nodes["left"]) + offset)
            parts["right"].append(np.where(leaf, own, nodes["right"]) + offset)
            parts["value"].append(np.where(leaf, nodes["value"], 0.0))
            offset += len(nodes)
            depth = max(depth, int(nodes["depth"].max()))
        kinds = {
            "feature": np.uint8,
            "threshold": np.float64,
            "left": np.uint16,
            "right": np.uint16,
            "value": np.float32,
        }
        np.savez_compressed(
            path,
            names=np.array(NAMES),
            roots=np.array(roots, dtype=np.uint16),
            depth=np.uint8(depth),
            baseline=np.float64(self.trees._baseline_prediction[0, 0]),  # noqa: SLF001
            slope=np.float64(calibration["slope"]),
            intercept=np.float64(calibration["intercept"]),
            **{name: np.concatenate(parts[name]).astype(kind) for name, kind in kinds.items()},
        )
        model.cache_clear()
        apart = np.abs(model().sentences(table.figures[:2000]) - self.sentence_logits(table)[:2000]).max()
        print(path, path.stat().st_size, "largest difference to the library's own logits", float(apart))


def _weights(table: Table, chosen: np.ndarray) -> np.ndarray:
    """Every source counts alike, half of it supported and half not; what we made counts as half a source."""
    share = np.zeros(len(table.label))
    for source in np.unique(table.source[chosen]):
        for label in (0, 1):
            real = chosen[
                (table.source[chosen] == source) & (table.label[chosen] == label) & ~table.made[chosen]
            ]
            share[real] = 1 / max(len(real), 200)
    for label in (0, 1):
        made = chosen[(table.label[chosen] == label) & table.made[chosen]]
        if len(made):
            share[made] = MADE / len(made)
    return share * len(chosen) / share.sum()


def calibrated(table: Table, logits: np.ndarray) -> dict[str, float]:
    """Slope and intercept that turn an answer's worst logit into a probability where half of the answers are unsupported."""
    share = _weights(table, np.flatnonzero(~table.made))
    real = ~table.made
    model = LogisticRegression(C=1e4).fit(logits[real, None], table.label[real], sample_weight=share[real])
    return {"slope": float(model.coef_[0, 0]), "intercept": float(model.intercept_[0])}


# ── 4. Held-out figures ──────────────────────────────────────────────────────────────────────────────────────────


def evaluate(table: Table) -> tuple[dict[str, Any], dict[str, float]]:
    found: dict[str, Any] = {}
    logits = np.zeros(len(table.label))
    for source in np.unique(table.source[~table.made]):
        fitted = Fitted.on(table, np.flatnonzero(table.source != source))
        score = fitted.answer_logits(table)
        real = (table.source == source) & ~table.made
        made = (table.source == source) & table.made
        logits[real] = score[real]
        found[str(source)] = {
            "auroc": round(float(roc_auc_score(table.label[real], score[real])), 4),
            "answers": int(real.sum()),
        }
        if made.sum() > 50:
            found[str(source)]["auroc_of_our_changes"] = round(
                float(roc_auc_score(table.label[made], score[made])), 4
            )
        print(source, found[str(source)], flush=True)
    real = ~table.made
    found["mean"] = {"auroc": round(float(np.mean([one["auroc"] for one in found.values()])), 4)}
    found["pooled"] = {"auroc": round(float(roc_auc_score(table.label[real], logits[real])), 4)}
    print(found["mean"], found["pooled"])
    return found, calibrated(table, logits)


if __name__ == "__main__":
    main()
