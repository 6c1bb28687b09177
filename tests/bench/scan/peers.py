"""Other scanners, each in an environment of its own, on the same two folders.

Flagged is a case for which the scanner reports a problem that it does not call a note: for ModelScan any issue, for
picklescan a dangerous global, for fickling anything that it does not find likely safe, for ModelAudit an issue of
severity warning or critical. What a scanner could not read is not flagged. Times are of whole commands, start and all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers import ROOT, environment
from tests.bench.scan.corpora import Corpus

LONGEST = 1_800.0
NAMES = ("modelscan", "picklescan", "fickling", "modelaudit")
_PICKLESCAN = re.compile(r"^(.*): dangerous import '", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What a scanner did with a corpus."""

    scanner: str
    version: str
    seconds: float
    peak: float
    """Bytes, the largest of its processes."""
    flagged: frozenset[str]
    problem: str = ""


def installed(cache: Path, say: Callable[[str], None]) -> dict[str, Path]:
    """The peers whose environment could be made, by name."""
    pythons = {}
    for name in NAMES:
        python = environment(
            cache,
            say,
            lock=ROOT / f"requirements/scan-peers-{name}.txt",
            name=f"scan-peers-{name}",
            options=["--no-deps"],
        )
        if python is not None:
            pythons[name] = python
    return pythons


def runs(
    pythons: Mapping[str, Path], corpora: tuple[Corpus, ...], folder: Path
) -> Iterator[tuple[Corpus, Run]]:
    """Each peer on each corpus."""
    for name, python in pythons.items():
        version = _version(python, name)
        for corpus in corpora:
            yield corpus, _run(name, version, python, corpus, folder)


def timed(command: list[str], *, folder: Path, longest: float = LONGEST) -> tuple[float, float, str, str]:
    """Seconds, peak memory, what was printed, and what went wrong, of one command."""
    environ = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    # ModelAudit and others report their use where they can; there is no network here, and nothing is to be reported.
    environ |= {
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "NO_ANALYTICS": "1",
        "DO_NOT_TRACK": "1",
        "HOME": str(folder),
    }
    out = folder / "printed"
    begun = time.perf_counter()
    with out.open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, env=environ, cwd=folder)
        peak, problem = 0.0, ""
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            if time.perf_counter() - begun > longest:
                process.kill()
                problem = f"ended after {longest:,.0f} s"
            time.sleep(0.02)
    seconds = time.perf_counter() - begun
    return seconds, peak, out.read_text("utf-8", "replace"), problem


def _run(name: str, version: str, python: Path, corpus: Corpus, folder: Path) -> Run:
    report = folder / f"{name}-{corpus.name}.json"
    tool = str(python.parent / name)
    driver = str(Path(__file__).with_name("inside.py"))
    command = {
        "modelscan": [tool, "-p", str(corpus.folder), "-r", "json", "-o", str(report)],
        "picklescan": [tool, "-p", str(corpus.folder)],
        "fickling": [str(python), driver, "fickling", str(corpus.folder), str(report)],
        "modelaudit": [tool, "scan", str(corpus.folder), "--format", "json", "-o", str(report)],
    }[name]
    seconds, peak, printed, problem = timed(command, folder=folder)
    try:
        paths = _flagged(name, report, printed)
    except (OSError, ValueError, KeyError) as error:
        return Run(
            name, version, seconds, peak, frozenset(), problem or f"its report cannot be read: {error}"
        )
    found = frozenset(case for path in paths if (case := corpus.case_of(path)) is not None)
    return Run(name, version, seconds, peak, found, problem)


def _flagged(name: str, report: Path, printed: str) -> list[str]:
    """The paths that a scanner reports a problem for."""
    if name == "picklescan":
        return _PICKLESCAN.findall(printed)
    said = json.loads(report.read_text("utf-8", "replace"))
    if name == "modelscan":
        return [issue["source"] for issue in said["issues"]]
    if name == "fickling":
        return list(said)
    return [
        issue.get("location") or ""
        for issue in said["issues"]
        if str(issue.get("severity", "")).lower() in {"warning", "critical", "error"}
    ]


def _version(python: Path, name: str) -> str:
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _memory(pid: int) -> float:
    """Bytes that a process and its descendants hold, pages they share counted once."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
        children = Path(f"/proc/{pid}/task").glob("*/children")
        total += sum(_memory(int(child)) for file in children for child in file.read_text().split())
    except (OSError, ValueError):  # it ended while we looked
        return total
    return total
