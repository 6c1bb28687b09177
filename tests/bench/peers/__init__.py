"""What others do with the same bytes on the same machine: installed apart, run apart, printed beside ours.

A peer runs in an environment under the bench's cache (`requirements/peers.txt`, hash-locked), started as a process of
its own: `inside.py`, which imports nothing of Alcaide. Where the environment cannot be made, as on a machine without a
network, each peer's line says so and the rest of the bench goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.bench.report import Figure

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements/peers.txt"
NAMES = ("canonicaljson", "cel-python", "jcs", "mlflow", "pymerkle", "securesystemslib")


def environment(
    cache: Path,
    say: Callable[[str], None],
    *,
    lock: Path = LOCK,
    name: str = "peers",
    options: Sequence[str] = (),
) -> Path | None:
    """The peers' Python, made on first use and whenever the lock changes; None where it cannot be."""
    folder = cache / name
    python, mark = folder / "bin/python", folder / "installed"
    if mark.exists() and mark.read_text() == lock.read_text():
        return python
    uv = str(Path(sys.executable).with_name("uv"))
    install = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(lock)]
    say(f"  installing the {name.replace('-', ' ')} into an environment of their own (once)")
    for command in (
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)],
        [*install, *options],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            say(f"  the peers are left out, as their environment cannot be made: {said[:160]}")
            return None
    mark.write_text(lock.read_text())
    return python


def versions(python: Path | None) -> dict[str, str]:
    """The peers' versions, for the head of a report."""
    if python is None:
        return dict.fromkeys(NAMES, "not installed")
    code = f"import importlib.metadata as m, json; print(json.dumps({{n: m.version(n) for n in {NAMES!r}}}))"
    found = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    return dict(json.loads(found.stdout))


def measured(python: Path | None, what: str, *arguments: object) -> Iterator[Figure]:
    """The figures that `inside.py WHAT ARGUMENTS…` prints, as it prints them; none where there is no environment."""
    if python is None:
        return
    command = [
        str(python),
        "-W",
        "ignore",
        str(Path(__file__).with_name("inside.py")),
        what,
        *map(str, arguments),
    ]
    environ = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**environ, "TZ": "UTC"}
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            yield Figure(**json.loads(line))
    _, complaint = process.communicate()
    if process.returncode:
        last = (complaint.strip().splitlines() or ["no reason given"])[-1]
        yield Figure(f"{what}: the peer did not run", 0, "", note=last[:160])
