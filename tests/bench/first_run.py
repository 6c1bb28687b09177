"""`make run` in a fresh clone, as somebody has it who types it for the first time: until the first page is there.

Package caches are warm (uv's, npm's), as after any earlier set-up on the machine; nothing else is: no environment, no
built assets, no data.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Figure

ROOT = Path(__file__).parents[2]
GIVEN_UP_S = 300


def first_run(folder: Path) -> Iterator[Figure]:
    """Seconds from the command to a page that is served, with what the command printed last if there is none."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(clone)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "make-run.log"
    environ = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    started = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["make", "run", f"ARGS=--port {port}"],
            cwd=clone,
            env=environ,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        status = _first_page(port, process, started)
        took = time.perf_counter() - started
    finally:
        _end(process)
        shutil.rmtree(clone, ignore_errors=True)
    if status != 200:
        raise SystemExit(f"make run served no page:\n{log.read_text(errors='replace')[-2_000:]}")
    yield Figure("make run in a fresh clone, to the first page", took, "s", 60, "most", "package caches warm")


def _first_page(port: int, process: subprocess.Popen[bytes], started: float) -> int:
    while process.poll() is None and time.perf_counter() - started < GIVEN_UP_S:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as page:
                page.read()
                return int(page.status)
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop it as Ctrl-C would, with all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
