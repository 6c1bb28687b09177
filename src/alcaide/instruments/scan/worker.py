"""The process that reads strangers' files: it answers one request after another until its input ends.

    python -m alcaide.instruments.scan.worker TEMPORARY-FOLDER

Requests and answers are MessagePack after a length of four bytes. The process gives up network, new programs and
writing before it reads its first file (`confine`). If it dies, its parent knows which file it was reading.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import msgspec

from alcaide.instruments.scan.confine import Confinement, confine
from alcaide.instruments.scan.context import shown_name
from alcaide.instruments.scan.examine import CHANGED, FAULT, UNREADABLE, examine_artifact, formats
from alcaide.instruments.scan.folder import Directory
from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Artifact, Finding, Node
from alcaide.instruments.scan.paths import unpacked
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import File, UnreadableError

_LENGTH = struct.Struct(">I")
LARGEST_MESSAGE = 256 << 20


class Hello(msgspec.Struct, tag="hello"):
    """The first message to a worker."""

    policy: ScanPolicy


class Request(msgspec.Struct, tag="request"):
    """One file to look at. `path` and `root` are packed: what lies on a disk need not have a name in UTF-8."""

    path: str
    name: str
    root: str
    digest: bool = False
    sha256: str | None = None
    together: list[str] | None = None
    """Files of the folder that are to be looked at together, as repositories; `path` and `name` then say nothing."""


class Ready(msgspec.Struct, tag="ready"):
    """The first message from a worker."""

    system_calls: bool
    writes: bool


def frame(message: Any) -> bytes:
    """One message as it goes through a pipe."""
    data = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(data)) + data


def receive(stream: IO[bytes], kind: Any) -> Any:
    """Read one message, or None at the end of the stream.

    Raises:
        msgspec.ValidationError: it is of another kind.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > LARGEST_MESSAGE:
        return None
    data = stream.read(length)
    return msgspec.msgpack.decode(data, type=kind) if len(data) == length else None


class Together(msgspec.Struct, tag="together"):
    """What is wrong with the files of a folder taken together: each finding with the file it is about."""

    findings: list[tuple[str, Finding]]


def look_at_folder(request: Request) -> Together:
    """Look at the files of a folder together; a reader's fault is a finding here as everywhere."""
    from alcaide.instruments.scan.repository import look

    names = request.together or []
    try:
        return Together(look(Directory(unpacked(request.root)), names))
    except Exception as error:  # noqa: BLE001 - must not become a folder called clean
        reason = f"looking at the files of `{request.name}` together failed ({type(error).__name__})"
        return Together([(names[0], Finding(FAULT.id, FAULT.level, reason))])


def look_at(request: Request, policy: ScanPolicy, folders: dict[str, Directory] | None = None) -> Artifact:
    """Look at one file, in this process; whatever is wrong with it or with reading it is a finding."""
    begun = time.perf_counter()
    if folders is None:
        folder = Directory(unpacked(request.root))
    elif (known := folders.get(request.root)) is None:
        folders.clear()
        folder = folders[request.root] = Directory(unpacked(request.root))
    else:
        folder = known
    try:
        with File(unpacked(request.path)) as source:
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
    os.lseek(source.fileno(), 0, os.SEEK_SET)
    with os.fdopen(os.dup(source.fileno()), "rb", buffering=0) as stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise UnreadableError(f"it cannot be read: {(error.strerror or str(error)).lower()}") from error


def serve(requests: int, answers: int, temporary: str) -> int:
    """Answer until the requests end; the arguments are descriptors and the one folder that may be written to."""
    with os.fdopen(requests, "rb") as incoming, os.fdopen(answers, "wb") as outgoing:
        hello = receive(incoming, Hello)
        if hello is None:
            return 0
        tempfile.tempdir = temporary
        formats()
        limits: Limits = hello.policy.limits
        confinement: Confinement = confine(Path(temporary), limits.unpacked + (1 << 20))
        outgoing.write(frame(Ready(confinement.system_calls, confinement.writes)))
        outgoing.flush()
        folders: dict[str, Directory] = {}
        while (request := receive(incoming, Request)) is not None:
            if request.together is not None:
                outgoing.write(frame(look_at_folder(request)))
            else:
                outgoing.write(frame(look_at(request, hello.policy, folders)))
            outgoing.flush()
    return 0


def main(temporary: str) -> int:
    """Serve standard input and output."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    return serve(os.dup(0), answers, temporary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
