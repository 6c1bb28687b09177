"""`alcaide scan` with its plain options, read without the command-line library: for pipelines that call it per file.

Reads no more than it is sure of. Whatever else stands there, a misspelt option, `--help`, another command, is left to
the library, whose messages are the ones people see.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alcaide.slices.supply_chain.cli.work import Asked, run

COMMANDS = ("data", "formats", "rules", "watch")
"""Words after `alcaide scan` that are commands of their own."""
FLAGS = {
    "--digests": ("digests", True),
    "--cache": ("cache", True),
    "--no-cache": ("cache", False),
    "--verbose": ("verbose", True),
    "-v": ("verbose", True),
}
CHOICES = {
    "--format": ("format", ("table", "json", "sarif", "cyclonedx")),
    "--fail-on": ("fail_on", ("low", "medium", "high", "critical")),
}
TEXTS = {"--record": "record", "--reason": "reason", "--on": "on"}
PATHS = {"--output": "output", "-o": "output", "--policy": "policy", "--data": "data"}


def scan(argv: Sequence[str]) -> int | None:
    """Run what is asked for, or None if that needs the library. `argv` begins after `scan`."""
    asked = read(argv)
    return None if asked is None else run(asked)


def read(argv: Sequence[str]) -> Asked | None:
    """The options, or None where one of them is not plainly known."""
    values: dict[str, Any] = {}
    paths: list[Path] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            if not paths and word in COMMANDS:
                return None
            paths.append(Path(word))
            continue
        name, equals, value = word.partition("=")
        if name in FLAGS and not equals:
            field, held = FLAGS[name]
            values[field] = held
            continue
        if not equals:
            if not words or words[0].startswith("-"):
                return None
            value = words.pop(0)
        known = _value(name, value)
        if known is None:
            return None
        values.update(known)
    if not paths:
        return None
    if "data" not in values and os.environ.get("ALCAIDE_DATA"):
        values["data"] = Path(os.environ["ALCAIDE_DATA"])
    return Asked(tuple(paths), **values)


def _value(name: str, value: str) -> dict[str, Any] | None:
    """An option's field and value; None if either is not plainly known."""
    if name in CHOICES and value in CHOICES[name][1]:
        return {CHOICES[name][0]: value}
    if name in TEXTS:
        return {TEXTS[name]: value}
    if name in PATHS and value:
        return {PATHS[name]: Path(value)}
    if name == "--workers" and value.isdecimal() and len(value) < 4:
        return {"workers": int(value)}
    return None
