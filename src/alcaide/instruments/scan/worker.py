"""The process that reads strangers' files: it answers one request after another until its input ends.

    python -m alcaide.instruments.scan.worker TEMPORARY-FOLDER

Requests and answers are messages (`message`) on its standard input and output. The process gives up network, new
programs and writing before it reads its first file (`confine`). If it dies, its parent knows which file it was reading.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.instruments.scan.confine import confine
from alcaide.instruments.scan.context import shown_name
from alcaide.instruments.scan.examine import CHANGED, FAULT, UNREADABLE, examine_artifact, formats
from alcaide.instruments.scan.folder import Directory
from alcaide.instruments.scan.message import Ready, Request, Together, frame, policy_from, receive
from alcaide.instruments.scan.model import Artifact, Finding, Node
from alcaide.instruments.scan.source import File, UnreadableError

if TYPE_CHECKING:
    from alcaide.instruments.scan.policy import ScanPolicy


def look_at_folder(request: Request) -> Together:
    """Look at the files of a folder together; a reader's fault is a finding here as everywhere."""
    from alcaide.instruments.scan.repository import look

    names = request.together or []
    try:
        return Together(look(Directory(request.root, request.within), names))
    except Exception as error:  # noqa: BLE001 - must not become a folder called clean
        reason = f"looking at the files of `{request.name}` together failed ({type(error).__name__})"
        return Together([(names[0], Finding(FAULT.id, FAULT.level, reason))])


def look_at(request: Request, policy: ScanPolicy, folders: dict[str, Directory] | None = None) -> Artifact:
    """Look at one file, in this process; whatever is wrong with it or with reading it is a finding."""
    begun = time.perf_counter()
    if folders is None:
        folder = Directory(request.root, request.within)
    elif (known := folders.get(request.root)) is None:
        folders.clear()
        folder = folders[request.root] = Directory(request.root, request.within)
    else:
        folder = known
    try:
        with File(request.path) as source:
            sha256 = request.sha256
            if sha256 is None and (request.digest or policy.needs_digest):
                sha256 = _digest(source)
            artifact = examine_artifact(source, request.name, policy=policy, folder=folder, sha256=sha256)
            if source.changed():
                artifact.findings.append(
                    Finding(
                        CHANGED.id, CHANGED.level, f"`{artifact.node.name}` was written to while it was read"
                    )
                )
    except UnreadableError as error:
        artifact = unreadable(request.name, str(error))
    artifact.seconds = time.perf_counter() - begun
    return artifact


def unreadable(name: str, why: str) -> Artifact:
    """What a file comes to that could not be opened."""
    short = shown_name(name.rsplit("/", 1)[-1])
    finding = Finding(UNREADABLE.id, UNREADABLE.level, f"`{short}` was not looked at: {why}")
    return Artifact(name, Node(short, 0), [finding])


def _digest(source: File) -> str:
    """SHA-256 of a file, hex."""
    import hashlib

    os.lseek(source.fileno(), 0, os.SEEK_SET)
    with os.fdopen(os.dup(source.fileno()), "rb", buffering=0) as stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise UnreadableError(f"it cannot be read: {(error.strerror or str(error)).lower()}") from error


def serve(requests: int, answers: int, temporary: str) -> int:
    """Answer until the requests end; the arguments are descriptors and the one folder that may be written to."""
    with os.fdopen(requests, "rb") as incoming, os.fdopen(answers, "wb") as outgoing:
        hello = receive(incoming)
        if hello is None:
            return 0
        policy = policy_from(hello)
        os.environ["TMPDIR"] = temporary
        if "tempfile" in sys.modules:  # a process that was forked may have looked up its folder already
            vars(sys.modules["tempfile"])["tempdir"] = temporary
        formats()
        confinement = confine(Path(temporary), policy.limits.unpacked + (1 << 20))
        outgoing.write(frame(Ready(confinement.system_calls, confinement.writes)))
        outgoing.flush()
        folders: dict[str, Directory] = {}
        while (values := receive(incoming)) is not None:
            request = Request(*values)
            if request.together is not None:
                outgoing.write(frame(look_at_folder(request)))
            else:
                outgoing.write(frame(look_at(request, policy, folders)))
            outgoing.flush()
    return 0


def main(temporary: str) -> int:
    """Serve standard input and output."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    return serve(os.dup(0), answers, temporary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
