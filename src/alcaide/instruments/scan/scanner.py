"""Scans files and folders: hands each file to a confined process, and makes one report of what comes back."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alcaide.instruments.scan.edition import edition
from alcaide.instruments.scan.examine import FAULT, OVER_BUDGET
from alcaide.instruments.scan.folder import Target, targets
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node, ScanReport
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import UnreadableError
from alcaide.instruments.scan.worker import Hello, Ready, Request, look_at, receive, send, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

GRACE = 15.0
"""Seconds that a worker may take beyond the limit of one file before it is ended."""


class ScanFailedError(Exception):
    """No report could be made: a path that does not exist, or no process could be started. Says what to do."""


class Known(Protocol):
    """Remembers what was found in which bytes, so that nothing is looked at twice."""

    def recall(self, target: Target) -> Artifact | None:
        """What was found in this file by this edition and policy, if its bytes were seen before."""
        ...

    def remember(self, target: Target, artifact: Artifact) -> None:
        """Keep what was found."""
        ...


def scan(
    paths: Sequence[Path | str],
    *,
    policy: ScanPolicy | None = None,
    digests: bool = False,
    workers: int | None = None,
    known: Known | None = None,
    progress: Callable[[Artifact], None] | None = None,
) -> ScanReport:
    """Look at every file at or below the given paths.

    Args:
        paths: files and folders.
        policy: limits, allowances and how bad fails; the one that ships if None.
        digests: also take each file's SHA-256, which reads all of it.
        workers: confined processes to read with; as many as there are processors if None. 0 reads in this process,
            for the use of other programs that confine themselves.
        known: remembers earlier results.
        progress: called with each file's result as it comes, from one thread at a time.

    Returns:
        The report, its files in the order of their names.

    Raises:
        ScanFailedError: a path does not exist, or no worker can be started.
    """
    policy = policy or ScanPolicy()
    begun = time.perf_counter()
    report = ScanReport(edition=edition(), policy=policy.digest, fail_on=policy.fail_on)
    try:
        waiting = deque(targets([Path(path) for path in paths], report.left_out))
    except UnreadableError as error:
        raise ScanFailedError(str(error)) from error
    order = {target.name: index for index, target in enumerate(waiting)}
    lock = threading.Lock()

    def done(artifact: Artifact) -> None:
        with lock:
            report.artifacts.append(artifact)
            if progress is not None:
                progress(artifact)

    remaining: deque[Target] = deque()
    for target in waiting:
        if target.problem:
            done(unreadable(target.name, target.problem))
        elif known is not None and (found := known.recall(target)) is not None:
            done(found)
        else:
            remaining.append(target)
    if workers == 0:
        for target in remaining:
            done(_kept(known, target, look_at(_request(target, digests), policy)))
    elif remaining:
        count = min(workers or os.cpu_count() or 1, max(1, len(remaining) // 4), 32)
        _share_out(remaining, policy, digests, count, lambda target, found: done(_kept(known, target, found)))
    report.artifacts.sort(key=lambda artifact: order[artifact.path])
    report.seconds = time.perf_counter() - begun
    return report


def _kept(known: Known | None, target: Target, artifact: Artifact) -> Artifact:
    if known is not None:
        known.remember(target, artifact)
    return artifact


def _request(target: Target, digests: bool) -> Request:
    return Request(target.path, target.name, target.root, digests)


def _share_out(
    waiting: deque[Target],
    policy: ScanPolicy,
    digests: bool,
    count: int,
    done: Callable[[Target, Artifact], None],
) -> None:
    """Let `count` workers take from the queue until it is empty."""
    failures: list[BaseException] = []
    temporary = tempfile.mkdtemp(prefix="alcaide-scan-")

    def serve() -> None:
        try:
            _serve(waiting, policy, digests, temporary, done)
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
            failures.append(error)
            waiting.clear()

    threads = [threading.Thread(target=serve, name=f"scan-{index}") for index in range(count)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:
        waiting.clear()
        for thread in threads:
            thread.join()
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    if failures:
        raise failures[0]


def _serve(
    waiting: deque[Target],
    policy: ScanPolicy,
    digests: bool,
    temporary: str,
    done: Callable[[Target, Artifact], None],
) -> None:
    """One worker after another, until the queue is empty; a new one only where the last one ended."""
    worker: _Worker | None = None
    try:
        while True:
            try:
                target = waiting.popleft()
            except IndexError:
                return
            if worker is None:
                worker = _Worker(policy, temporary)
            artifact = worker.look(_request(target, digests))
            if worker.ended:
                worker.close()
                worker = None
            done(target, artifact)
    finally:
        if worker is not None:
            worker.close()


class _Worker:
    """A confined process, and the two pipes to it."""

    def __init__(self, policy: ScanPolicy, temporary: str) -> None:
        environment = {
            name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ
        }
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._patience = policy.limits.seconds + GRACE
        self.ended = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-m", "alcaide.instruments.scan.worker", temporary],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ScanFailedError(f"no process to read with can be started: {error.strerror}") from error
        try:
            send(self._stdin, Hello(policy))
            ready = receive(self._stdout, Ready) if self._answers() else None
        except OSError:
            ready = None
        if ready is None:
            self.close()
            raise ScanFailedError(
                "the process that reads files ended at its start; "
                "run `python -m alcaide.instruments.scan.worker /tmp` to see why"
            )

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def _answers(self) -> bool:
        """Whether something comes within the time."""
        ready, _, _ = select.select([self._stdout], [], [], self._patience)
        return bool(ready)

    def look(self, request: Request) -> Artifact:
        """Have it look at one file; if that ends it, that is what the file comes to."""
        try:
            send(self._stdin, request)
            if not self._answers():
                self.ended = True
                return _ended(
                    request,
                    OVER_BUDGET.id,
                    f"was not looked at whole: it took over {self._patience:g} seconds",
                )
            artifact: Artifact | None = receive(self._stdout, Artifact)
        except OSError:
            artifact = None
        if artifact is None:
            self.ended = True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            code = self._process.returncode
            how = f"signal {-code}" if code is not None and code < 0 else f"exit {code}"
            return _ended(
                request, FAULT.id, f"ended the process that read it ({how}); what it holds is not known"
            )
        return artifact

    def close(self) -> None:
        """End it."""
        self._process.kill()
        for pipe in (self._stdin, self._stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


def _ended(request: Request, rule: str, what: str) -> Artifact:
    short = request.name.rsplit("/", 1)[-1]
    return Artifact(request.name, Node(short, 0), [Finding(rule, Level.UNKNOWN, f"`{short}` {what}")])
