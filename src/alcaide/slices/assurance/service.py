"""Looking at text with the guard, and putting on record what its detectors were measured to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from alcaide.instruments.guard.evaluate import Estimate, Evaluation
from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.model import Context, Report
from alcaide.instruments.guard.passages import Given
from alcaide.instruments.guard.policy import GuardPolicy
from alcaide.instruments.guard.registry import GuardDetector
from alcaide.instruments.guard.trial import Trial
from alcaide.kernel.access import Actor
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.instance import Instance
from alcaide.kernel.ledger.log import Tx
from alcaide.predicates.base import By, at
from alcaide.predicates.guard_evaluated import Bound, Corpus, Figure, GuardEvaluated
from alcaide.slices.assurance import queries, rules
from alcaide.slices.assurance.model import MAX_TEXT, Direction


def look(
    instance: Instance,
    given: Given,
    *,
    policy: str = "default",
    direction: Direction = "in",
    context: Context | None = None,
) -> Report:
    """What the guard says of something under a policy. Nothing of it is kept.

    Raises NotFound for a policy that is not there, InvalidInput for one that is wrong and for a shape the guard does
    not know, TooLarge for a text over `MAX_TEXT`.
    """
    if isinstance(given, str) and len(given) > MAX_TEXT:
        raise TooLarge(
            f"this text has {len(given):,} characters; {MAX_TEXT:,} can be looked at here. "
            "Use `alcaide guard check FILE` for more"
        )
    guard = _guard(msgspec.json.encode(queries.policy(instance, policy)), queries.registered(instance))
    return guard.check(given, context=context or Context(direction=direction))


@lru_cache(maxsize=16)
def _guard(policy: bytes, detectors: tuple[GuardDetector, ...]) -> Guard:
    """A guard is costly to make and safe to share; a policy that was edited is another policy."""
    return Guard(msgspec.json.decode(policy, type=GuardPolicy), detectors=detectors)


def parse_bounds(wanted: Sequence[str]) -> tuple[Bound, ...]:
    """Bounds from `figure=number`. Raises InvalidInput naming the one that is neither."""
    bounds = []
    for one in wanted:
        name, _, number = one.partition("=")
        try:
            bounds.append(Bound(figure=name.strip(), at_least=float(number)))
        except ValueError as error:
            raise InvalidInput(f"`{one}` is not a bound; write it as auroc=0.97") from error
        if name.strip() not in FIGURES:
            raise InvalidInput(
                f"`{name}` is not a figure that can be asked for; there are: {', '.join(FIGURES)}"
            )
    return tuple(bounds)


FIGURES = (
    "auroc",
    "average-precision",
    "recall-at-1-percent",
    "recall-at-0.1-percent",
    "precision",
    "recall",
    "f1",
    "true-negative-rate",
    "calibration-error",
    "span-f1",
    "span-overlap-f1",
)


def figures(evaluation: Evaluation) -> Mapping[str, Estimate]:
    """The figures of an evaluation by the names of `FIGURES`."""
    cut = evaluation.at_threshold
    passed = cut.false_positive_rate
    return {
        "auroc": evaluation.auroc,
        "average-precision": evaluation.average_precision,
        "recall-at-1-percent": evaluation.recall_at_1_percent,
        "recall-at-0.1-percent": evaluation.recall_at_01_percent,
        "precision": Estimate(cut.precision),
        "recall": Estimate(cut.recall),
        "f1": Estimate(cut.f1),
        "true-negative-rate": Estimate(None if passed is None else 1 - passed),
        "calibration-error": Estimate(evaluation.calibration_error),
        "span-f1": Estimate(evaluation.spans_exact.f1 if evaluation.spans_exact else None),
        "span-overlap-f1": Estimate(evaluation.spans_overlap.f1 if evaluation.spans_overlap else None),
    }


def record_evaluation(
    instance: Instance, actor: Actor, trial: Trial, corpora: Sequence[Corpus], bounds: Sequence[Bound] = ()
) -> int:
    """Put an evaluation on record. Returns the leaf."""
    by_name = figures(trial.evaluation)
    outcome = rules.outcome(
        {name: estimate.value for name, estimate in by_name.items()}, bounds, unanswered=trial.unanswered
    )

    def work(tx: Tx) -> int:
        said = GuardEvaluated(
            at=at(tx.now),
            by=By.of(actor),
            detector=trial.detector,
            version=trial.version,
            threshold=trial.threshold,
            corpora=tuple(corpora),
            rows=trial.rows,
            figures=tuple(
                Figure(name=name, value=one.value, low=one.low, high=one.high)
                for name, one in by_name.items()
            ),
            outcome=outcome,
            bounds=tuple(bounds),
            unanswered=trial.unanswered,
        )
        return tx.append(said.about([queries.subject_of(trial.detector, trial.version)]))

    return instance.write(work)
