"""Scans files and folders: hands each file to a confined process, and makes one report of what comes back."""

from __future__ import annotations

import os
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alcaide.instruments.scan.crew import NoWorkerError, share_out
from alcaide.instruments.scan.examine import OTHER_CONTENT, formats
from alcaide.instruments.scan.folder import Target, cache_around, targets
from alcaide.instruments.scan.message import Request, Together
from alcaide.instruments.scan.model import Artifact, Finding, ScanReport
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import UnreadableError
from alcaide.instruments.scan.worker import look_at, look_at_folder, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class ScanFailedError(Exception):
    """No report could be made: a path that does not exist, or no process could be started. Says what to do."""


class Spread(Protocol):
    """Has requests answered somewhere, each once."""

    def __call__(
        self,
        asked: deque[Request],
        policy: ScanPolicy,
        done: Callable[[Request, Artifact | Together], None],
        /,
    ) -> None:
        """Call `done` with each answer as it comes. Raises ScanFailedError if nothing can be read there."""
        ...


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
    within: Path | None = None,
    expected: Mapping[str, str] | None = None,
    spread: Spread | None = None,
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
        within: links may lead to files in this folder, or in the one they lie in, and nowhere else; anywhere if None.
        expected: SHA-256 by the file's name in the report, where it came with a promise of its content. Takes digests.
        spread: has the files read elsewhere, as `on_ray` does; by processes of this machine if None.

    Returns:
        The report, its files in the order of their names.

    Raises:
        ScanFailedError: a path does not exist, or no worker can be started.
    """
    policy = policy or ScanPolicy()
    digests = digests or bool(expected)
    begun = time.perf_counter()
    report = ScanReport(edition=_edition, policy=policy.digest, fail_on=policy.fail_on)
    try:
        waiting = deque(targets([Path(path) for path in paths], report.left_out, within))
    except UnreadableError as error:
        raise ScanFailedError(str(error)) from error
    order = {target.name: index for index, target in enumerate(waiting)}
    remaining: dict[str, Target] = {}

    def done(artifact: Artifact) -> None:
        target = remaining.get(artifact.path)
        if known is not None and target is not None:
            known.remember(target, artifact)
        report.artifacts.append(artifact)
        if progress is not None:
            progress(artifact)

    for target in waiting:
        if target.problem:
            done(unreadable(target.name, target.problem))
        elif known is not None and (found := known.recall(target)) is not None:
            done(found)
        else:
            remaining[target.name] = target
    around = {
        root: str(within) if within is not None else cache_around(root)
        for root in {target.root for target in waiting}
    }
    asked = deque(
        Request(target.path, target.name, target.root, digests, within=around[target.root])
        for target in remaining.values()
    )
    asked.extend(_together([target for target in waiting if not target.problem], around))
    beside = _look(asked, policy, workers, done, spread)
    _add(beside, report.artifacts)
    _hold(report.artifacts, expected or {})
    report.artifacts.sort(key=lambda artifact: order[artifact.path])
    report.seconds = time.perf_counter() - begun
    return report


def _look(
    asked: deque[Request],
    policy: ScanPolicy,
    workers: int | None,
    done: Callable[[Artifact], None],
    spread: Spread | None,
) -> list[tuple[Request, Together]]:
    """Look at everything that is asked for; what was found in files taken together is given back."""
    beside: list[tuple[Request, Together]] = []

    def take(request: Request, answer: Artifact | Together) -> None:
        if isinstance(answer, Together):
            beside.append((request, answer))
        else:
            done(answer)

    if workers == 0:
        for request in asked:
            take(request, look_at_folder(request) if request.together else look_at(request, policy))
    elif asked and spread is not None:
        spread(asked, policy, take)
    elif asked:
        count = min(workers or os.cpu_count() or 1, max(1, len(asked) // 4), 32)
        formats()
        temporary = _temporary_folder()
        try:
            share_out(asked, policy, temporary, count, take)
        except NoWorkerError as error:
            raise ScanFailedError(str(error)) from error
        finally:
            _remove(temporary)
    return beside


def _together(targets: Sequence[Target], around: Mapping[str, str]) -> list[Request]:
    """One request for each scanned folder: its files as repositories. `name` is what their names begin with."""
    by_root: dict[str, list[Target]] = {}
    for target in targets:
        if target.inside:
            by_root.setdefault(target.root, []).append(target)
    return [
        Request(
            "",
            found[0].name.removesuffix(found[0].inside),
            root,
            together=[one.inside for one in found],
            within=around[root],
        )
        for root, found in by_root.items()
    ]


def _add(beside: Sequence[tuple[Request, Together]], artifacts: Sequence[Artifact]) -> None:
    """What was found in files taken together, to the file that each finding is about."""
    by_path = {artifact.path: artifact for artifact in artifacts}
    for request, together in beside:
        for name, finding in together.findings:
            first = (request.together or [""])[0]
            artifact = by_path.get(request.name + name) or by_path.get(request.name + first)
            if artifact is not None and finding not in artifact.findings:
                artifact.findings.append(finding)
                artifact.findings.sort(key=Finding.sort_key)


def _hold(artifacts: Sequence[Artifact], expected: Mapping[str, str]) -> None:
    """Hold each file against what its name promised; one without a digest was not read, which is said already."""
    for artifact in artifacts:
        promised = expected.get(artifact.path)
        if promised is not None and artifact.sha256 not in (None, promised):
            artifact.findings.append(
                Finding(
                    OTHER_CONTENT.id,
                    OTHER_CONTENT.level,
                    f"`{artifact.node.name}` should have the digest `{promised[:12]}…` and has "
                    f"`{str(artifact.sha256)[:12]}…`: these are other bytes than those it was named for",
                )
            )
            artifact.findings.sort(key=Finding.sort_key)


def _edition() -> str:
    """Which rules and lists this scan stands on."""
    from alcaide.instruments.scan.edition import edition

    return edition()


def _temporary_folder() -> str:
    """A new folder that only this account may enter, as `tempfile` makes them; that is slow to load."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - where the platform has its temporary files
    made = f"{folder}/alcaide-scan-{os.urandom(8).hex()}"
    try:
        os.mkdir(made, 0o700)  # noqa: PTH102 - `pathlib` is slow to load
    except OSError:
        import tempfile

        return tempfile.mkdtemp(prefix="alcaide-scan-")
    return made


def _remove(folder: str) -> None:
    """Remove a temporary folder; it is empty unless a process that used it was ended."""
    try:
        os.rmdir(folder)  # noqa: PTH106
    except OSError:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
