"""Other guards, installed apart and asked on the same texts: detect-secrets, Presidio's patterns, LLM Guard's scanners.

LLM Guard brings a fork of detect-secrets under the same module name, so it has an environment of its own. It also asks
for torch and transformers, several gigabytes, which only its model scanners use. Those need weights from a model hub
and cannot run without a network, so both are left out of its lock, and so are those scanners: what is compared is
`Secrets` and `InvisibleText`, which look without a model.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.peers import ROOT, environment
from tests.bench.report import Figure

JOBS: Mapping[str, Sequence[str]] = {
    "secrets": ("detect-secrets", "llm-guard"),
    "personal data by pattern": ("presidio",),
    "hidden characters": ("llm-guard",),
}
"""Which peers do which of our jobs."""

_LOCKS = {
    "detect-secrets": "guard-peers",
    "presidio": "guard-peers",
    "llm-guard": "guard-peers-llm-guard",
}


class Peers:
    """The peers that could be installed."""

    def __init__(self, pythons: Mapping[str, Path]) -> None:
        self._pythons = pythons

    @classmethod
    def installed(cls, cache: Path, say: Callable[[str], None]) -> Peers:
        """Each in its environment, made on first use and whenever its lock changes."""
        pythons = {}
        for name in dict.fromkeys(_LOCKS.values()):
            # Without looking for dependencies: the lock holds all that is wanted, and for LLM Guard less than it asks.
            python = environment(
                cache, say, lock=ROOT / f"requirements/{name}.txt", name=name, options=["--no-deps"]
            )
            if python is not None:
                pythons[name] = python
        return cls(pythons)

    @classmethod
    def none(cls) -> Peers:
        """Ours alone."""
        return cls({})

    def speeds(self, job: str, kind: str, size: str, seconds: float) -> Iterator[Figure]:
        """How long each peer that does this job takes for the texts that ours was timed on."""
        for peer in JOBS[job]:
            for line in self._asked(peer, "speed", job, kind, size, seconds):
                yield Figure(**line)

    def found(self, job: str, texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """What each peer that does this job finds in some texts: its name and version, and a list for each text.

        The list is None where the peer did not run, and the name then says why.
        """
        for peer in JOBS[job]:
            with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
                json.dump(list(texts), file)
                file.flush()
                for line in self._asked(peer, "find", job, file.name):
                    yield line.get("what", ""), line.get("found")

    def _asked(self, peer: str, *arguments: object) -> Iterator[dict[str, Any]]:
        python = self._pythons.get(_LOCKS[peer])
        if python is None:
            return
        environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        done = subprocess.run(
            [str(python), "-W", "ignore", "-m", "tests.bench.guard.inside", peer, *map(str, arguments)],
            cwd=ROOT,
            env={**environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"what"')]
        if done.returncode or not lines:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            lines = [{"what": f"{peer}: did not run", "value": 0, "unit": "", "note": said[:160]}]
        yield from lines
