"""Has the files of a scan read by the machines of a Ray cluster; what comes back is what a scan here would say.

    scan(["/models"], spread=OnRay("ray://head:10001"))

Every machine must see the files under the same path, on shared storage, and have the same edition of Alcaide: another
would find other things, so it is refused. A task is a batch of files. It starts a confined process on its machine, as
a scan here does, and only bytes of the same messages travel (`message`): nothing that a stranger wrote is unpickled.

A machine that does not have a file makes it Unknown, as does one that is lost while it reads and cannot be replaced.

Ray is loaded when it is asked for and comes as the extra `ray`. Reports about its use are switched off before.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import deque
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.crew import NoWorkerError, share_out
from alcaide.instruments.scan.edition import edition
from alcaide.instruments.scan.examine import UNREADABLE
from alcaide.instruments.scan.message import (
    LENGTH,
    Request,
    Together,
    frame,
    policy_from,
    read_answer,
    values_of,
)
from alcaide.instruments.scan.model import Artifact, Finding
from alcaide.instruments.scan.scanner import ScanFailedError
from alcaide.instruments.scan.worker import unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alcaide.instruments.scan.policy import ScanPolicy

LOCAL = "ray"
"""The address that stands for a cluster of this machine alone."""
FILES = 1_000
"""Files of one task at most. Starting its process costs about half a second, as much as 250 small files."""
FEWEST = 16
BYTES = 4 << 30
"""Bytes of one task at most, a larger file aside: a task that is lost is done again from its beginning."""
AHEAD = 2
"""Tasks that wait at each processor, so that none is idle while answers travel."""
_ADDRESS = re.compile(r"ray://[A-Za-z0-9._\-\[\]:]+:[0-9]{1,5}\Z")
_MISSING = "scanning on many machines needs Ray; install it with `pip install 'alcaide[ray]'`"


class OnRay:
    """Has requests answered by a Ray cluster.

    Args:
        address: `ray://host:port` of a cluster's client server, or `ray` for one of this machine, gone after.
        tasks: how many may run at once; as many as the cluster has processors if None.
    """

    def __init__(self, address: str, tasks: int | None = None) -> None:
        if address != LOCAL and not _ADDRESS.match(address):
            raise ScanFailedError(
                f"`{address[:100]}` is no Ray cluster; write ray://host:10001, or ray for this machine"
            )
        self._address = address
        self._tasks = tasks

    def __call__(
        self,
        asked: deque[Request],
        policy: ScanPolicy,
        done: Callable[[Request, Artifact | Together], None],
        /,
    ) -> None:
        """Share the requests out, a batch at a time, and give each answer on as it comes."""
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            _share_out(ray, list(asked), policy, done, self._tasks)
        finally:
            if ours:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        try:
            if self._address == LOCAL:
                ray.init(address="local", include_dashboard=False, num_cpus=self._tasks, **quiet)
            else:
                ray.init(self._address, **quiet)
        except Exception as error:
            raise ScanFailedError(
                f"the Ray cluster `{self._address}` cannot be reached: {_one_line(error)}; check the address, that "
                "its client server listens, that Ray and Python have the same versions there, and, if it asks for a "
                "token, that RAY_AUTH_MODE=token is set here"
            ) from error


def _ray() -> Any:
    """The library, quiet about its use."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # A busy machine takes longer than the half minute that Ray waits for its own processes.
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")
    try:
        import ray
    except ImportError as error:
        raise ScanFailedError(_MISSING) from error
    return ray


def _share_out(
    ray: Any,
    asked: list[Request],
    policy: ScanPolicy,
    done: Callable[[Request, Artifact | Together], None],
    tasks: int | None,
) -> None:
    tasks = tasks or max(1, int(ray.cluster_resources().get("CPU", 1)))
    task = ray.remote(num_cpus=1, max_retries=2)(look_at_batch)
    rules, said = frame(policy), edition()
    batches = _batches(asked, tasks)
    running: dict[Any, list[Request]] = {}
    while True:
        while len(running) < tasks * AHEAD and (batch := next(batches, None)) is not None:
            running[task.remote(said, rules, [frame(request) for request in batch])] = batch
        if not running:
            return
        finished, _ = ray.wait(list(running), num_returns=1)
        for one in finished:
            batch = running.pop(one)
            for request, answer in zip(batch, _answers(ray, one, batch), strict=True):
                done(request, answer)


def _answers(ray: Any, task: Any, batch: Sequence[Request]) -> list[Artifact | Together]:
    """What a task answers to its batch; Unknown for all of it where its machine was lost."""
    try:
        answers = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise ScanFailedError(
            f"a machine of the Ray cluster cannot scan: {_one_line(error.cause or error)}; install the same version of "
            "Alcaide there"
        ) from error
    except ray.exceptions.RayError as error:
        why = f"the machine that read it was lost ({type(error).__name__})"
        return [_lost(request, why) for request in batch]
    if isinstance(answers, str):
        raise ScanFailedError(answers)
    return [read_answer(answer, request) for request, answer in zip(batch, answers, strict=True)]


def _batches(asked: Sequence[Request], tasks: int) -> Iterator[list[Request]]:
    """Requests in parts: enough for every processor, and none that would take for ever."""
    most = max(FEWEST, min(FILES, -(-len(asked) // (tasks * AHEAD))))
    batch: list[Request] = []
    held = 0
    for request in asked:
        size = 0 if request.together is not None else _size(request.path)
        if batch and (len(batch) >= most or held + size > BYTES):
            yield batch
            batch, held = [], 0
        # Another machine does not stand in the same folder.
        batch.append(
            request._replace(
                path=os.path.abspath(request.path) if request.path else "",  # noqa: PTH100 - links stay as they are
                root=os.path.abspath(request.root),  # noqa: PTH100
                within=os.path.abspath(request.within) if request.within else "",  # noqa: PTH100
            )
        )
        held += size
    if batch:
        yield batch


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - once for each file of a large scan
    except OSError:
        return 0


def look_at_batch(said: str, rules: bytes, requests: list[bytes]) -> list[bytes] | str:
    """What a task does, on its machine: look at files in a confined process. Answers in the order asked, or why not."""
    if edition() != said:
        return (
            f"machine `{os.uname().nodename}` has edition {edition()} of the scan and this one has {said}; install the "
            "same version of Alcaide there"
        )
    policy = policy_from(values_of(rules))
    asked = [Request(*values_of(request)) for request in requests]
    found: dict[int, Artifact | Together] = {}
    waiting: deque[Request] = deque()
    place: dict[int, int] = {}
    for index, request in enumerate(asked):
        if why := _not_here(request):
            found[index] = _lost(request, why)
        else:
            place[id(request)] = index
            waiting.append(request)

    def take(request: Request, answer: Artifact | Together) -> None:
        found[place[id(request)]] = answer

    temporary = tempfile.mkdtemp(prefix="alcaide-scan-")
    try:
        share_out(waiting, policy, temporary, 1, take)
    except NoWorkerError as error:
        return f"machine `{os.uname().nodename}`: {error}"
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [frame(found[index])[LENGTH.size :] for index in range(len(asked))]


def _not_here(request: Request) -> str:
    """Why files cannot be looked at together here: one of them is not there. A single file says so when it is read."""
    for name in request.together or ():
        # A backslash may stand for what UTF-8 cannot hold (`paths.sendable`).
        if "\\" not in name and not os.path.lexists(f"{request.root}/{name}"):
            return f"machine `{os.uname().nodename}` does not have `{name}`"
    return ""


def _lost(request: Request, why: str) -> Artifact | Together:
    """What a request comes to that nobody could answer."""
    if request.together is None:
        return unreadable(request.name, why)
    first = request.together[0] if request.together else ""
    message = f"the files of `{request.name or request.root}` were not looked at together: {why}"
    return Together([(first, Finding(UNREADABLE.id, UNREADABLE.level, message))])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
