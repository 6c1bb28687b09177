"""Confined processes and their pipes: hands files out, takes results in, and knows which file ended a process.

One thread does it all. A process is asked for a few files ahead, so that it never waits for the next; it answers in
order, so that the first unanswered file is the one it was reading when it ended.

Where this process has a single thread, as on the command line, the others are forks of it and need not load the
readers again; a process with threads, such as a server's, starts them afresh.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from alcaide.instruments.scan.context import shown_name
from alcaide.instruments.scan.examine import FAULT, OVER_BUDGET
from alcaide.instruments.scan.message import LARGEST, LENGTH, Request, Together, frame, read_answer
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node
from alcaide.instruments.scan.worker import serve

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable

    from alcaide.instruments.scan.policy import ScanPolicy

Answer = tuple[Request, Artifact | Together]
GRACE = 15.0
"""Seconds that a worker may take beyond the limit of one file before it is ended."""
AHEAD = 8
"""Files that a worker is asked for before it has answered."""
_PIECE = 1 << 18


class NoWorkerError(Exception):
    """No process to read with could be started, or it ended at its start."""


def share_out(
    waiting: deque[Request],
    policy: ScanPolicy,
    temporary: str,
    count: int,
    done: Callable[[Request, Artifact | Together], None],
) -> None:
    """Have `count` processes look at all that waits; `done` is called with each result as it comes.

    Raises:
        NoWorkerError: no process could be started.
    """
    shares = _shares(waiting, count)
    workers: list[_Worker] = []
    try:
        if _alone():
            gc.freeze()  # what is loaded already stays, and need not be copied into each process to look at it again
        workers += [_Worker(policy, temporary) for _ in range(count)]
        while True:
            for worker, share in zip(workers, shares, strict=True):
                worker.feed(share)
                if not share and (longest := max(shares, key=len)):
                    worker.feed(longest, from_end=True)
            busy = [worker for worker in workers if worker.asked]
            if not busy:
                return
            ready = _wait(busy)
            for index, worker in enumerate(workers):
                for request, answer in worker.answers(ready=worker.output in ready):
                    done(request, answer)
                if worker.ended:
                    # The files after the one that ended it were not looked at: back to the front, for another.
                    shares[index].extendleft(reversed(worker.asked))
                    worker.close()
                    workers[index] = _Worker(policy, temporary)
    finally:
        for worker in workers:
            worker.close()


def _shares(requests: Iterable[Request], count: int) -> list[deque[Request]]:
    """What each process begins with: files of one ending go to one, so that few load what reads them."""
    ordered = sorted(requests, key=lambda request: request.name.rpartition(".")[2].lower())
    size = -(-len(ordered) // count)
    return [deque(ordered[start : start + size]) for start in range(0, count * size, size)]


def _alone() -> bool:
    """Whether this process has a single thread, as one has that never loaded `threading`."""
    threading = sys.modules.get("threading")
    return threading is None or threading.active_count() == 1


def _wait(busy: list[_Worker]) -> list[int]:
    """Wait until a worker says something, or the first of them has had its time; who speaks, by descriptor."""
    patience = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
    ready, _, _ = select.select([worker.output for worker in busy], [], [], patience)
    return ready


class _Worker:
    """One process: what it was asked for and has not answered, and what it has said so far."""

    def __init__(self, policy: ScanPolicy, temporary: str) -> None:
        self._patience = policy.limits.seconds + GRACE
        self.asked: deque[Request] = deque()
        self.ended = False
        self.deadline = time.monotonic() + self._patience
        self._held = bytearray()
        self._begun = False
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        try:
            if _alone() and hasattr(os, "fork"):
                self._fork(temporary)
            else:
                self._spawn(temporary)
        except OSError as error:
            raise NoWorkerError(f"no process to read with can be started: {error.strerror}") from error
        with contextlib.suppress(BrokenPipeError):
            self._tell(frame(policy))

    def _fork(self, temporary: str) -> None:
        """A copy of this process, which has loaded the readers already."""
        theirs, self._input = os.pipe()
        self.output, answers = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                for number in (signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
                os.close(self._input)
                os.close(self.output)
                code = serve(theirs, answers, temporary)
            finally:
                os._exit(code)
        os.close(theirs)
        os.close(answers)

    def _spawn(self, temporary: str) -> None:
        """A new process."""
        import subprocess

        environment = {
            name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ
        }
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "alcaide.instruments.scan.worker", temporary],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pid = self._process.pid
        self._input = self._process.stdin.fileno()
        self.output = self._process.stdout.fileno()

    def feed(self, waiting: deque[Request], *, from_end: bool = False) -> None:
        """Ask for a few files ahead, of its own share or, from the end, of another's."""
        while waiting and len(self.asked) < AHEAD and not self.ended:
            if not self.asked:
                self.deadline = time.monotonic() + self._patience
            request = waiting.pop() if from_end else waiting.popleft()
            self.asked.append(request)
            try:
                self._tell(frame(request))
            except OSError:
                return  # it has ended; `answers` finds that out

    def answers(self, *, ready: bool) -> list[Answer]:
        """What it has answered since; the result of the file that ended it among them, with `ended` set."""
        found: list[Answer] = []
        if ready:
            try:
                piece = os.read(self.output, _PIECE)
            except OSError:
                piece = b""
            if piece:
                self._held += piece
                self._take(found)
            else:
                found += self._over(
                    FAULT.id, "ended the process that read it ({how}); what it holds is not known"
                )
        elif self.asked and time.monotonic() > self.deadline:
            found += self._over(
                OVER_BUDGET.id, f"was not looked at whole: it took over {self._patience:g} seconds"
            )
        return found

    def _take(self, found: list[Answer]) -> None:
        """Whole messages out of what was read."""
        at = 0
        while len(self._held) - at >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._held, at)
            if length > LARGEST:
                found += self._over(FAULT.id, "had the process that read it answer without end ({how})")
                return
            if len(self._held) - at - LENGTH.size < length:
                break
            message = bytes(memoryview(self._held)[at + LENGTH.size : at + LENGTH.size + length])
            at += LENGTH.size + length
            if not self._begun:
                self._begun = True
                continue
            if not self.asked:
                continue  # it says more than it was asked for
            try:
                answer = read_answer(message, self.asked[0])
            except (ValueError, RecursionError):
                found += self._over(FAULT.id, "had the process that read it give no answer ({how})")
                return
            found.append((self.asked.popleft(), answer))
            self.deadline = time.monotonic() + self._patience
        del self._held[:at]

    def _over(self, rule: str, what: str) -> list[Answer]:
        """It has ended, or is ended here: what its first unanswered file comes to."""
        self.ended = True
        if not self._begun:
            raise NoWorkerError(
                "the process that reads files ended at its start; "
                "run `python -m alcaide.instruments.scan.worker /tmp` to see why"
            )
        how = self.close()
        if not self.asked:
            return []
        request = self.asked.popleft()
        short = shown_name(request.name.rsplit("/", 1)[-1])
        finding = Finding(rule, Level.UNKNOWN, f"`{short}` {what.format(how=how)}")
        if request.together is not None:
            return [(request, Together([(request.together[0], finding)]))]
        return [(request, Artifact(request.name, Node(short, 0), [finding]))]

    def close(self) -> str:
        """End it, and say how it ended."""
        if not self._pid:
            return ""
        pid, self._pid = self._pid, 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            code = self._process.returncode
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()
        else:
            with contextlib.suppress(ChildProcessError):
                _, status = os.waitpid(pid, 0)
                code = os.waitstatus_to_exitcode(status)
            for descriptor in (self._input, self.output):
                with contextlib.suppress(OSError):
                    os.close(descriptor)
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def _tell(self, data: bytes) -> None:
        """Write all of it; the pipe holds far more than the few requests that are ahead."""
        left = memoryview(data)
        while left:
            left = left[os.write(self._input, left) :]
