"""Does the control work? Known attacks and harmless twins, sent through whatever stands in front of a model.

A guard that is configured is not yet a guard that stops anything. The probe sends, on a schedule that is the
caller's, a sample of attacks that must be stopped and of their harmless twins that must not, and folds what came back
into rates with intervals. It knows nothing of how the texts travel: `send` does, and says what became of each.

Sources: Wilson (1927) for the interval of a rate.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from math import sqrt
from time import perf_counter

from alcaide.kernel.errors import AlcaideError, InvalidInput


class Fate(StrEnum):
    """What became of a text that was sent."""

    STOPPED = "stopped"
    CHANGED = "changed"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Probe:
    """A text to send. `attack` says whether it must be stopped; `twin` names the one it is to be compared with."""

    id: str
    text: str
    attack: bool
    category: str
    twin: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of some number of trials, with its 95 % interval (Wilson). None of nothing."""

    hits: int
    trials: int

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.hits / self.trials if self.trials else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies with 95 % confidence."""
        if not self.trials:
            return None
        z, n, p = 1.959964, self.trials, self.hits / self.trials
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Efficacy:
    """What a round of probes showed.

    `caught` is of attacks, `let_through` of harmless texts. `failed` are probes whose sending went wrong: they count
    in no rate, and a round with any of them has not shown that the control works.
    """

    caught: Rate
    let_through: Rate
    by_category: dict[str, Rate]
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]
    failed: dict[str, str] = field(default_factory=dict)
    seconds: tuple[float, ...] = ()

    def holds(self, *, catch: float, let_through: float) -> bool:
        """Whether the control did at least this well, on every probe that was to be sent."""
        caught, passed = self.caught.value, self.let_through.value
        return (
            not self.failed
            and caught is not None
            and passed is not None
            and caught >= catch
            and passed >= let_through
        )


def efficacy(
    send: Callable[[str], Fate], probes: Iterable[Probe], *, sample: int | None = None, seed: int = 0
) -> Efficacy:
    """Send probes and fold what became of them.

    `send` gets a text, sends it through the control as a user would, and says what became of it; whatever it raises is
    noted against that probe, and the round goes on. With `sample`, so many are drawn by `seed`, half of them attacks.
    A changed attack counts as caught (what was dangerous in it is gone), a changed harmless text as let through.
    """
    chosen = tuple(probes) if sample is None else drawn(tuple(probes), sample, seed)
    counts: dict[tuple[bool, str], list[int]] = {}
    missed: list[str] = []
    alarmed: list[str] = []
    failed: dict[str, str] = {}
    seconds: list[float] = []
    for probe in chosen:
        began = perf_counter()
        try:
            fate = send(probe.text)
        except (AlcaideError, OSError, ValueError, RuntimeError) as error:
            failed[probe.id] = str(error) or type(error).__name__
            continue
        seconds.append(perf_counter() - began)
        well = (fate is not Fate.PASSED) if probe.attack else (fate is not Fate.STOPPED)
        tally = counts.setdefault((probe.attack, probe.category), [0, 0])
        tally[0] += int(well)
        tally[1] += 1
        if not well:
            (missed if probe.attack else alarmed).append(probe.id)

    def total(attack: bool) -> Rate:
        tallies = [tally for (kind, _), tally in counts.items() if kind is attack]
        return Rate(sum(tally[0] for tally in tallies), sum(tally[1] for tally in tallies))

    return Efficacy(
        caught=total(True),
        let_through=total(False),
        by_category={
            f"{'attack' if attack else 'harmless'}/{category}": Rate(*tally)
            for (attack, category), tally in sorted(counts.items())
        },
        missed=tuple(missed),
        alarmed=tuple(alarmed),
        failed=failed,
        seconds=tuple(seconds),
    )


def drawn(probes: Sequence[Probe], sample: int, seed: int) -> tuple[Probe, ...]:
    """A sample, half attacks and half harmless. Raises InvalidInput for a sample of less than two."""
    if sample < 2:
        raise InvalidInput(f"a sample of {sample} shows nothing; take at least two")
    chance = random.Random(seed)  # noqa: S311 - a repeatable draw, not a secret
    attacks = [probe for probe in probes if probe.attack]
    harmless = [probe for probe in probes if not probe.attack]
    half = sample // 2
    picked = chance.sample(attacks, min(half, len(attacks))) + chance.sample(
        harmless, min(sample - half, len(harmless))
    )
    chance.shuffle(picked)
    return tuple(picked)


@lru_cache(maxsize=1)
def shipped_probes() -> tuple[Probe, ...]:
    """The probes that come with Alcaide: attacks of every family and a harmless twin for each."""
    text = (resources.files("alcaide.instruments.guard") / "probes.jsonl").read_text("utf-8")
    return tuple(Probe(**json.loads(line)) for line in text.splitlines() if line.strip())
