"""Timing one way of looking at texts: processor time, each text looked at once, so that nothing is remembered.

Processor time because the work waits for nothing: other work on the machine shows in it only through shared caches.
Percentiles are over texts; MB/s is bytes of UTF-8 over the sum of the times. Imports nothing but the standard library,
as the peers' side runs it too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.guard.texts import mixed, prose

KINDS: dict[str, Callable[[int, int], str]] = {"prose": prose, "mixed": mixed}
SIZES = {"1 kB": 1_000, "10 kB": 10_000, "100 kB": 100_000, "5 MB": 5_000_000}
MOST = 2_000  # texts of one kind and size; enough for a 99th percentile
LEAST = 3
WARM = 5  # texts before the clock starts: models are loaded with the first


@dataclass(frozen=True)
class Timing:
    """What some texts took, in seconds."""

    p50: float
    p99: float
    clock_p50: float
    megabytes_per_second: float
    texts: int

    def __str__(self) -> str:
        return (
            f"p99 {_short(self.p99)}, by the clock p50 {_short(self.clock_p50)}, "
            f"{self.megabytes_per_second:.3g} MB/s, {self.texts:,} texts"
        )


def timed(work: Callable[[str], Any], kind: str, size: str, seconds: float) -> Timing:
    """Time `work` on fresh texts for about so many seconds, and on three of them at least."""
    make, length = KINDS[kind], SIZES[size]
    for number in range(WARM if length < 10_000 else 1):
        work(make(min(length, 10_000), -1 - number))
    busy: list[float] = []
    clock: list[float] = []
    bytes_in_all = 0
    while len(busy) < LEAST or (sum(busy) < seconds and len(busy) < MOST):
        text = make(length, len(busy))
        started, started_busy = time.perf_counter(), time.process_time()
        work(text)
        busy.append(time.process_time() - started_busy)
        clock.append(time.perf_counter() - started)
        bytes_in_all += len(text.encode())
    return Timing(_at(busy, 0.5), _at(busy, 0.99), _at(clock, 0.5), bytes_in_all / sum(busy) / 1e6, len(busy))


def _at(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _short(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1e6:,.0f} µs"
    return f"{seconds * 1e3:,.0f} ms" if seconds < 10 else f"{seconds:,.0f} s"
