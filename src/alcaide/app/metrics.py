"""Numbers for Prometheus: how requests went, how large the log is, how old its last checkpoint, what jobs do.

Request figures are counted as they happen. The others are read from the database when somebody scrapes, so they
are never older than the scrape; if they cannot be read, `alcaide_up` is 0 and they are absent, not zero.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from alcaide import __version__

if TYPE_CHECKING:
    from datetime import datetime

    from alcaide.app.health import LogState
    from alcaide.kernel.instance import Instance
    from alcaide.slices.operations.model import Verification

log = logging.getLogger("alcaide.metrics")

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Around the bound that pages and API are held to, 150 ms at the 95th percentile.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One registry per application, so that two of them in one process, as in tests, do not share numbers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "alcaide_request_seconds",
            "Time from the request's arrival to the end of its response.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._responses = Counter(
            "alcaide_responses",
            "Responses by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. The route is the template, never the path: paths are unbounded and carry names."""
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
        self._seconds.labels(known, route).observe(seconds)
        self._responses.labels(known, route, str(status or 499)).inc()

    def watch(self, instance: Instance) -> None:
        """Also report what the database knows."""
        self.registry.register(_FromDatabase(instance))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _FromDatabase(Collector):
    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def describe(self) -> Iterable[Metric]:
        # Told in advance, or registering would read the database.
        return []

    def collect(self) -> Iterator[Metric]:
        from alcaide.app.health import jobs_by_state, log_state
        from alcaide.slices.operations.queries import verifications

        up = GaugeMetricFamily("alcaide_up", "1 if the database answers.", labels=["version"])
        try:
            with self.instance.read() as conn:
                state = log_state(self.instance, conn)
                jobs = jobs_by_state(conn)
                verified = next(iter(verifications(conn, 1)), None)
        except Exception:
            log.exception("the database does not answer a scrape")
            up.add_metric([__version__], 0)
            yield up
            return
        up.add_metric([__version__], 1)
        yield up
        yield from _of_the_log(state)
        if verified is not None:
            yield from _of_the_verification(verified, self.instance.clock())
        by_state = GaugeMetricFamily("alcaide_jobs", "Background jobs by state.", labels=["state"])
        for name, count in sorted(jobs.items()):
            by_state.add_metric([name], count)
        yield by_state


def _of_the_log(state: LogState) -> Iterator[Metric]:
    yield GaugeMetricFamily("alcaide_ledger_leaves", "Statements in the ledger.", value=state.size)
    if state.checkpoint_age is not None:
        yield GaugeMetricFamily(
            "alcaide_ledger_checkpoint_age_seconds",
            "Seconds since the newest checkpoint was signed.",
            value=state.checkpoint_age.total_seconds(),
        )


def _of_the_verification(latest: Verification, now: datetime) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "alcaide_ledger_intact",
        "1 if the latest verification from the first leaf on found the log intact.",
        value=int(latest.intact),
    )
    yield GaugeMetricFamily(
        "alcaide_ledger_verified_age_seconds",
        "Seconds since the log was last verified from the first leaf on.",
        value=max((now - latest.finished_at).total_seconds(), 0),
    )
