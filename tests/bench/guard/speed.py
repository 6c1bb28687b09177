"""How fast the guard is: the whole default policy, which part of it each detector takes, and one job at a time.

Each job is measured beside the peers that do the same job on the same texts. Ours makes every reading of the text
(unescaped, decoded, look-alikes folded) in each of these; the peers look at it as it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.policy import SCHEMA, GuardPolicy, Use
from tests.bench.guard.peers import Peers
from tests.bench.guard.timing import Timing, timed
from tests.bench.report import Figure

WHOLE = (
    ("prose", "1 kB"),
    ("prose", "10 kB"),
    ("prose", "100 kB"),
    ("prose", "5 MB"),
    ("mixed", "1 kB"),
    ("mixed", "100 kB"),
)
COMPARED = (("prose", "1 kB"), ("mixed", "1 kB"), ("mixed", "100 kB"))
P50_US = 400.0  # at 1 kB, asked of the whole default policy
MB_PER_S = 10.0  # at 100 kB, likewise
NAMED = 7  # parts of the time that get a line of their own

ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "secrets": ("secrets", {}),
    "personal data by pattern": ("personal-data", {"names": False}),
    "hidden characters": ("hidden-text", {}),
}
"""Jobs that others do too: our detector for each, and its options. Presidio's patterns name no persons."""


def speed(peers: Peers, seconds: float) -> Iterator[Figure]:
    """Ours whole, then by detector, then each job beside the others that do it."""
    whole = Guard()
    for kind, size in WHOLE:
        spent: Counter[str] = Counter()

        def check(text: str, spent: Counter[str] = spent) -> None:
            spent.update(whole.check(text).seconds)

        yield from _whole(kind, size, timed(check, kind, size, seconds))
        if size in ("1 kB", "100 kB"):
            yield from _shares(f"{kind} {size}", spent)
    for job in ALONE:
        check_one = alone(job).check
        for kind, size in COMPARED:
            timing = timed(check_one, kind, size, seconds / 2)
            ours = timing.p50 * 1e3
            yield Figure(f"{job}, ours alone: {kind} {size}", ours, "ms p50", note=str(timing))
            for figure in peers.speeds(job, kind, size, seconds / 2):
                yield figure.beside(ours) if figure.unit else figure


def alone(job: str) -> Guard:
    """The guard with nothing but the detector that does a job."""
    detector, options = ALONE[job]
    return Guard(GuardPolicy(SCHEMA, f"{job} alone", {detector: Use(options=options)}, ()))


def _whole(kind: str, size: str, timing: Timing) -> Iterator[Figure]:
    bound = P50_US if size == "1 kB" else None
    yield Figure(f"whole policy: {kind} {size}", timing.p50 * 1e6, "µs p50", bound, "most", str(timing))
    bound = MB_PER_S if size == "100 kB" else None
    yield Figure(f"whole policy: {kind} {size}, rate", timing.megabytes_per_second, "MB/s", bound)


def _shares(texts: str, spent: Counter[str]) -> Iterator[Figure]:
    total = spent.pop("total", 0.0)
    for name, seconds in spent.most_common(NAMED):
        yield Figure(f"whole policy: {texts}, of it {name}", seconds / total * 100, "%")
    rest = total - sum(seconds for _, seconds in spent.most_common(NAMED))
    yield Figure(f"whole policy: {texts}, of it all else", rest / total * 100, "%")
