"""How soon Alcaide answers on the command line, beside an interpreter that does nothing and others of the trade."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.report import Figure

TURNS = 7
HERE = Path(sys.executable).parent
_IMPORT = "import time; t = time.perf_counter(); import alcaide; print((time.perf_counter() - t) * 1000)"


def start(peers: Path | None) -> Iterator[Figure]:
    """The best of some turns: what the machine can do, not what it did while busy with something else."""
    empty, busy = _best([sys.executable, "-c", "pass"])
    yield Figure("python -c pass", empty, "ms", note=f"the floor; processor {busy:.0f} ms")
    took = min(float(_output([sys.executable, "-c", _IMPORT])) for _ in range(TURNS))
    yield Figure("import alcaide", took, "ms", 60, "most")
    took, busy = _best([str(HERE / "alcaide"), "--help"])
    note = f"{took / empty:.1f} × python -c pass; processor {busy:.0f} ms"
    yield Figure("alcaide --help", took, "ms", 250, "most", note)
    for name, command in (
        ("pip --help", [sys.executable, "-m", "pip", "--help"]),
        ("pytest --version", [sys.executable, "-m", "pytest", "--version"]),
        ("mlflow --help", [str(peers.with_name("mlflow")), "--help"] if peers else []),
    ):
        if command:
            other, busy = _best(command, 3)
            note = f"alcaide --help takes {took / other:.2f} of it; processor {busy:.0f} ms"
            yield Figure(name, other, "ms", note=note)


def _best(command: Sequence[str], turns: int = TURNS) -> tuple[float, float]:
    """The least time by the wall clock and the least of the processor, in milliseconds."""
    times, busy = [], []
    for _ in range(turns):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        _output(command)
        times.append((time.perf_counter() - started) * 1000)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy.append((after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1000)
    return min(times), min(busy)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
