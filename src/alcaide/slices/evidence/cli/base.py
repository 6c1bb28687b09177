"""What the commands share: the applications they hang on, options, files in, lines out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from alcaide.kernel.errors import InvalidInput, TooLarge

app = App(name="evidence", help="What was said, and is it intact?")
keys_app = App(name="keys", help="Which keys sign here, and whose signatures count.")
anchors_app = App(
    name="anchors", help="Where checkpoints are left outside, and for whom this is the outside."
)
app.command(keys_app)
app.command(anchors_app)

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Format = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print.")]
Trusted = Annotated[
    list[str] | None,
    Parameter(
        name=["--trusted", "--key"],
        help="A key id, a verifier key, or a file of them or of public keys. May be given more than once.",
        negative="",
    ),
]

MAX_FILE = 1024 * 2**20
OUTCOME_CODES = {"passed": 0, "failed": 1, "unknown": 2}


def read_file(path: Path) -> bytes:
    """The bytes of a file. Raises TooLarge, InvalidInput."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise TooLarge(f"`{path}` is over the limit of {MAX_FILE} bytes; give a smaller file")
        return path.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"`{path}` cannot be read: {problem.strerror}; check the path") from None


def say(text: str) -> None:
    """A line for whoever reads."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """A line about what is wrong."""
    sys.stderr.write(f"alcaide: {text}\n")


def say_json(value: Any) -> None:
    """A document for whatever reads."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
