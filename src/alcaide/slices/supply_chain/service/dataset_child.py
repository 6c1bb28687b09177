"""The process that looks at a dataset: what to look at comes in as JSON, what was found goes out as JSON.

    python -m alcaide.slices.supply_chain.service.dataset_child TEMPORARY-FOLDER

The query engine is native code, and the data are a stranger's. So this process gives up network, new programs and
writing outside of one folder before it opens them, unless they lie in a database that has to be reached.
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import msgspec

from alcaide.instruments.guard.guard import Guard
from alcaide.instruments.guard.model import Context
from alcaide.instruments.scan.confine import confine
from alcaide.instruments.scan.data import scan_data
from alcaide.instruments.scan.data.policy import DataPolicy
from alcaide.instruments.scan.model import Level
from alcaide.slices.supply_chain.model import DataAsked

MEMORY = 8 << 30
"""Address space: the engine's gigabyte, our arrays, the guard's tables, and what is only reserved."""


class Looker:
    """The guard, as the look at data wants it: whatever it sees in a text, with the place."""

    def __init__(self) -> None:
        self._guard = Guard("default")

    def look(self, text: str) -> list[tuple[str, float, int, int]]:
        """Category or entity, score, first character, character after the last."""
        return [
            (found.entity or found.category, found.score, found.span.start, found.span.end)
            for found in self._guard.check(text, context=_context()).findings
        ]


@lru_cache(maxsize=1)
def _context() -> Context:
    """Rows are data: what in them is addressed to a model was put there by somebody else."""
    return Context(direction="tool")


def main(temporary: str) -> int:
    """Look, and say what was found."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=DataAsked)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    looker = Looker()
    looker.look("warm")  # everything is loaded before reading files is all that is left
    tempfile.tempdir = temporary
    os.environ["TMPDIR"] = temporary
    policy = DataPolicy(fail_on=Level(asked.fail_on), accepts=frozenset(asked.accepts))
    if "://" not in asked.source:
        confine(Path(temporary), policy.limits.disk, memory=MEMORY)
    report = scan_data(
        asked.source,
        reference=asked.reference or None,
        against=dict(asked.against) or None,
        labels=asked.labels or None,
        text=list(asked.text) or None,
        guard=looker,
        policy=policy,
        progress=_tell,
    )
    answer.write(msgspec.json.encode(report))
    answer.close()
    return 0


def _tell(what: str, _share: float) -> None:
    """Progress, on a line of its own."""
    sys.stderr.write(" ".join(what.split())[:300] + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
