"""What can be run: a kind of job is a name, a function and its terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from alcaide.kernel.errors import ConfigError
from alcaide.kernel.jobs.context import JobContext


@dataclass(frozen=True)
class JobKind:
    """A kind of job: what it is called, what it does, when it runs by itself.

    `run` gets a `JobContext` and may return a JSON object to keep as the result. It runs in a thread of
    the worker and has to reach `ctx.step`, `ctx.progress` or `ctx.check` every few seconds: only there
    can it be cancelled, timed out or stopped. `schedule` is five-field cron in UTC. `timeout` bounds one
    attempt, not the job. `title` is what people read.
    """

    name: str
    run: Callable[[JobContext], dict[str, Any] | None]
    schedule: str | None = None
    max_attempts: int = 5
    timeout: timedelta = timedelta(hours=1)
    title: str = ""
    scheduled_payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 64:
            raise ConfigError(f"job kind `{self.name[:80]}` needs a name of 1 to 64 characters; rename it")
        if self.max_attempts < 1 or self.timeout <= timedelta():
            raise ConfigError(
                f"job kind `{self.name}` needs one attempt or more and a positive timeout; set both"
            )


def kinds_by_name(kinds: Iterable[JobKind]) -> dict[str, JobKind]:
    """The kinds under their names; two kinds of one name are a mistake of assembly, said at once."""
    found: dict[str, JobKind] = {}
    for kind in kinds:
        if kind.name in found:
            raise ConfigError(f"two job kinds are named `{kind.name}`; rename one of them")
        found[kind.name] = kind
    return found
