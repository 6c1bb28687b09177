"""What a scan and the processes that read for it say to each other: JSON after a length of four bytes.

A process that reads strangers' files may have been taken over by one of them. So what it says is held to its shape
here, value by value, and can be no more than findings; JSON, unlike pickle or marshal, can hold nothing else. It is
ASCII, in which any name of a file can be written, halves of characters included.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, NamedTuple

from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node
from alcaide.instruments.scan.policy import Allowance, ScanPolicy

LENGTH = struct.Struct(">I")
LARGEST = 256 << 20
_DEEPEST = 64
"""Nodes within nodes; no policy lets a scan go as deep."""
_encode = json.JSONEncoder(separators=(",", ":"), skipkeys=True, default=str).encode
_decode = json.JSONDecoder().decode
_LEVELS = {level.value: level for level in Level}


class Request(NamedTuple):
    """One file to look at."""

    path: str
    name: str
    root: str
    digest: bool = False
    sha256: str | None = None
    together: list[str] | None = None
    """Files of the folder that are to be looked at together, as repositories; `path` and `name` then say nothing."""
    within: str = ""
    """A folder around the root whose files its links may lead to; empty if that is the root itself."""


class Together(NamedTuple):
    """What is wrong with the files of a folder taken together: each finding with the file it is about."""

    findings: list[tuple[str, Finding]]


class Ready(NamedTuple):
    """The first answer: what the process could give up."""

    system_calls: bool
    writes: bool


def frame(message: ScanPolicy | Request | Ready | Together | Artifact) -> bytes:
    """One message as it goes through a pipe."""
    values = artifact_values(message) if isinstance(message, Artifact) else message
    data = _encode(values).encode("ascii")
    return LENGTH.pack(len(data)) + data


def receive(stream: IO[bytes]) -> Any:
    """The values of one message, or None at the end of the stream."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    return _decode(data.decode("ascii")) if len(data) == length else None


def values_of(message: bytes) -> Any:
    """The values of a whole message that is at hand."""
    return _decode(message[LENGTH.size :].decode("ascii"))


def policy_from(values: Any) -> ScanPolicy:
    """The first message to a process, from who started it."""
    fail_on, limits, allowances, digest = values
    return ScanPolicy(Level(fail_on), Limits(*limits), tuple(Allowance(*one) for one in allowances), digest)


def read_answer(data: bytes, request: Request) -> Artifact | Together:
    """What a process answers to a request.

    Raises:
        ValueError: it is no answer to it.
    """
    values = _decode(data.decode("ascii"))
    if request.together is not None:
        (findings,) = _list(values, 1)
        return Together([_about(one) for one in _list(findings)])
    artifact = artifact_from(values)
    # Whatever the process says, it was asked about this file.
    artifact.path = request.name
    return artifact


def artifact_values(artifact: Artifact) -> list[Any]:
    """What was found in one file, as JSON can hold it; `artifact_from` makes it whole again."""
    return [
        artifact.path,
        _node_values(artifact.node),
        artifact.findings,
        artifact.sha256,
        artifact.seconds,
        artifact.looked_beside,
    ]


def artifact_from(values: Any) -> Artifact:
    """What was found in one file.

    Raises:
        ValueError: the values are not of this shape.
    """
    path, node, findings, sha256, seconds, beside = _list(values, 6)
    return Artifact(
        _text(path),
        _node(node, 0),
        [_finding(one) for one in _list(findings)],
        None if sha256 is None else _text(sha256),
        float(seconds) if isinstance(seconds, int | float) else 0.0,
        beside is True,
    )


def _node_values(node: Node) -> list[Any]:
    children = [_node_values(child) for child in node.children]
    return [node.name, node.size, node.formats, node.facts, children, node.left_out]


def _node(values: Any, depth: int) -> Node:
    name, size, formats, facts, children, left_out = _list(values, 6)
    if depth > _DEEPEST:
        raise ValueError("nested deeper than any scan goes")
    return Node(
        _text(name),
        _number(size),
        [_text(one) for one in _list(formats)],
        _mapping(facts),
        [_node(child, depth + 1) for child in _list(children)],
        _number(left_out),
    )


def _finding(values: Any) -> Finding:
    rule, level, message, place, offset, detail = _list(values, 6)
    if level not in _LEVELS:
        raise ValueError("no such level")
    return Finding(
        _text(rule),
        _LEVELS[level],
        _text(message),
        _text(place),
        None if offset is None else _number(offset),
        _mapping(detail),
    )


def _about(values: Any) -> tuple[str, Finding]:
    name, finding = _list(values, 2)
    return _text(name), _finding(finding)


def _list(value: Any, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise ValueError("not a list of the right length")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - one error for all that is not of the shape
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError("not a number")  # noqa: TRY004
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("not a mapping")  # noqa: TRY004
    return value
