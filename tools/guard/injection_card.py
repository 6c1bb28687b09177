"""The figures of the prompt-injection model and its card, from log-odds on sources the weights never saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alcaide.instruments.guard import evaluate
from alcaide.instruments.guard.learned.model_file import Model

DRAWS = 300


@dataclass
class Line:
    """One held-out attack source, or a task's sources together."""

    name: str
    attacks: int
    harmless: int
    auroc: evaluate.Estimate
    recall_at_1: float | None
    recall: float


@dataclass
class Style:
    """How texts kept for the report alone come out, of one half and one direction."""

    half: str
    direction: str
    attacks: int = 0
    caught: int = 0
    harmless: int = 0
    passed: int = 0

    def count(self, *, attack: bool, alarm: bool) -> None:
        """Count one text."""
        self.attacks += attack
        self.caught += attack and alarm
        self.harmless += not attack
        self.passed += not attack and not alarm


@dataclass
class Figures:
    """What the card shows."""

    sources: list[Line]
    tasks: list[Line]
    passed: list[tuple[str, str, int, float]]
    calibration: float | None
    styles: list[Style] = field(default_factory=list)


def _line(
    name: str, scores: np.ndarray, attacks: np.ndarray, harmless: np.ndarray, draws: int = DRAWS
) -> Line:
    chosen = np.concatenate((scores[attacks], scores[harmless]))
    labels = np.concatenate(
        (np.ones(attacks.sum(), dtype=np.bool_), np.zeros(harmless.sum(), dtype=np.bool_))
    )
    return Line(
        name,
        int(attacks.sum()),
        int(harmless.sum()),
        evaluate.estimated(evaluate.auroc, chosen, labels, draws=draws),
        evaluate.recall_at(chosen, labels, 0.01),
        float((scores[attacks] >= 0).mean()),
    )


def figures(
    given: Any,
    scores: np.ndarray,
    ordinary: tuple[str, ...],
    hard: tuple[str, ...],
    documents: tuple[str, ...],
) -> Figures:
    """Figures of the held-out rows. `scores` are log-odds with 0 as the shipped threshold."""
    labels, sources, groups = given.labels, given.sources, given.groups
    langs = np.array([row.lang for row in given.rows])
    categories = np.array([row.category for row in given.rows])
    is_ordinary = np.isin(sources, ordinary) & (labels == 0)
    is_document = np.isin(sources, documents) & (labels == 0)
    lines: list[Line] = []
    for source in sorted(set(sources[labels == 1])):
        of = (labels == 1) & (sources == source)
        indirect = source in documents
        parts = [("", of)]
        if source == "cyberseceval_pi":
            parts = [
                (", English, direct", of & (langs == "en") & (categories == "direct_injection")),
                (", English, indirect", of & (langs == "en") & (categories != "direct_injection")),
                (", other languages", of & (langs != "en")),
            ]
        for name, attacks in parts:
            beside = (
                is_document & (sources == source) if indirect else is_ordinary & (groups == groups[of][0])
            )
            if source.startswith("alcaide_written"):
                beside = (labels == 0) & (groups == groups[of][0]) & (is_document == indirect)
            elif indirect and beside.sum() < 100:
                beside = is_document & (groups == groups[of][0])
            if attacks.sum() >= 20:
                lines.append(_line(source + name, scores, attacks, beside))
    direct = (
        (labels == 1) & ~np.isin(sources, documents) & (langs == "en") & (categories != "indirect_injection")
    )
    several = (labels == 1) & ~np.isin(langs, ("en", "")) & ~np.isin(sources, documents)
    tasks = [
        _line("direct, against ordinary instructions", scores, direct, is_ordinary),
        _line(
            "indirect, against documents without an attack",
            scores,
            (labels == 1) & (np.isin(sources, documents) | (categories == "indirect_injection")),
            is_document,
        ),
        _line(
            "other languages, against ordinary texts in other languages",
            scores,
            several,
            (labels == 0) & ~np.isin(langs, ("en", "")),
        ),
    ]
    passed = []
    for kind, names in (("ordinary", ordinary), ("hard", hard), ("document", documents)):
        for source in names:
            these = (sources == source) & (labels == 0)
            if these.any():
                passed.append((kind, source, int(these.sum()), float((scores[these] < 0).mean())))
    probabilities = 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
    return Figures(lines, tasks, passed, evaluate.calibration_error(probabilities, labels == 1))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(lines: list[Line], first: str) -> list[str]:
    rows = [
        f"| {first} | attacks | harmless | AUROC (95 % interval) | recall at 1 % false alarms | at threshold |",
        "|---|---|---|---|---|---|",
    ]
    for line in lines:
        interval = f"{_number(line.auroc.value)} ({_number(line.auroc.low)} to {_number(line.auroc.high)})"
        rows.append(
            f"| {line.name} | {line.attacks} | {line.harmless} | {interval} | {_number(line.recall_at_1)} "
            f"| {line.recall:.3f} |"
        )
    return rows


def card(model: Model, size: int, found: Figures, sources: dict[str, tuple[int, int]]) -> str:
    """The model card in Markdown."""
    header = model.header
    text = [
        "# Model card: prompt injection",
        "",
        "Written by `tools/guard/train_injection.py`; change that rather than this page.",
        "",
        (
            f"- Model `{model.name}` version `{model.version}`, {size / 1e6:.1f} MB, hashed n-grams with linear heads "
            "and a logistic combination, run with numpy alone"
        ),
        f"- Recipe sha256 `{header['recipe'][:16]}…`, deterministic: the same data and recipe give the same bytes",
        (
            "- Use: to say whether a text tries to take control of a language model. Not for: judging whether a "
            "request is harmful in itself, or who wrote it"
        ),
        "",
        "## How the figures were made",
        "",
        (
            "Every row was scored by heads that had seen **no row of its source**, nor of the sources held out "
            "with it, and by a combination fitted on the other groups alone; what `alcaide_indirect` quotes from "
            "other sources was left out with them. The weights that ship were fitted on everything with the same "
            "settings. The shipped threshold is a probability of 0.5, chosen on these held-out scores so that at "
            "least 99 % of ordinary instructions, 94 % of hard negatives and 88 % of role prompts pass (the latter "
            "two as means over sources). Documents were read as what a tool brought and scored by the sums for data, "
            "whose threshold was chosen so that 98 % of documents without an attack pass. As in the guard, signatures "
            "that are sure have the last word over either. Of the texts written for the purpose (`alcaide_written_*`) "
            "half was held out, by the phrase they grew from."
        ),
        "",
        "## By task, all held-out sources together",
        "",
        *_table(found.tasks, "task"),
        "",
        "## By source",
        "",
        (
            "Each attack source against the ordinary texts held out with it, or, for attacks in documents, the same "
            "documents without an attack."
        ),
        "",
        *_table(found.sources, "source"),
        "",
        (
            f"Expected calibration error over all held-out rows: {_number(found.calibration)}. Scores are calibrated "
            "for ten harmless texts to an attack; where attacks are rarer, 0.5 means less than one in two."
        ),
        "",
        "## What passes at the shipped threshold",
        "",
        "| kind | source | texts | let through |",
        "|---|---|---|---|",
        *(f"| {kind} | {source} | {count} | {share:.3f} |" for kind, source, count, share in found.passed),
        "",
        "## Manners kept for this report",
        "",
        (
            "Short attacks in fourteen manners beside harmless twins (`tests/corpus/guard/injection_styles.jsonl`), "
            "scored by the weights that ship in the direction each is written for; nothing was fitted on them. "
            "Signatures were chosen with the half `develop` in view, not with `report`."
        ),
        "",
        "| half | direction | attacks | caught | twins | let through |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.half} | {one.direction} | {one.attacks} | {one.caught / max(1, one.attacks):.3f} "
            f"| {one.harmless} | {one.passed / max(1, one.harmless):.3f} |"
            for one in found.styles
        ),
        "",
        "## Where it is weak",
        "",
        (
            "- An attack that is one only by what it asks, in a system that must not answer it (\"what is the user's "
            'e-mail address?"), looks like any question: most of `cyberseceval_pi` in English is of this kind.'
        ),
        (
            "- A harmful request in a role (`sap200`) without a word about the model's rules is a matter for the harm "
            "detector."
        ),
        (
            '- A request that is an attack only by its place in a document (`bipia_train`: "what is `Bibliothek` in '
            "English?\") is told from the document's own sentences with difficulty, from text alone."
        ),
        "- Languages the training texts do not have.",
        "",
        "## Data",
        "",
        "| source | harmless | attacks |",
        "|---|---|---|",
        *(f"| {name} | {counts[0]} | {counts[1]} |" for name, counts in sorted(sources.items())),
        "",
        (
            "Licences and origins: `docs/guard/data.md` where shipped, and the development data's own README. CC-BY "
            "sources: CLINC150, Banking77, AILuminate; CC-BY-SA: MGSM, NQ-open, WikiTableQuestions and Stack Exchange "
            "posts in BIPIA, Wikipedia passages in FoolMeTwice and HaluEval."
        ),
        "",
        "| file | sha256 |",
        "|---|---|",
        *(f"| {name} | `{digest}` |" for name, digest in sorted(header["data"].items())),
        "",
    ]
    return "\n".join(text)
