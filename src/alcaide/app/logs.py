"""Logs: one JSON object a line in the data folder, and a line for a person where a person is looking.

Every process writes files of its own (`web.jsonl`, `worker.jsonl`, `up.jsonl`), so that rotation needs no lock
between them. What goes into a line is what somebody passed as `extra={"fields": {…}}` plus time, level, logger
and message; values are never taken from request bodies, cookies or headers.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from logging.handlers import RotatingFileHandler
from pathlib import Path

from alcaide.kernel.clock import rfc3339, utcnow
from alcaide.kernel.errors import ConfigError

# Five files of 10 MB each: about 250,000 requests, and bounded whatever happens.
MAX_BYTES = 10_000_000
KEPT_FILES = 4


class JsonLines(logging.Formatter):
    """One JSON object a line. A traceback goes into the field `exception`, so a line stays a line."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": rfc3339(utcnow()),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line.update({key: value for key, value in fields.items() if key not in line})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class ForPeople(logging.Formatter):
    """`04:10:00 web  message key=value`, for a terminal. No traceback: the file beside it has that."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None) or {}
        tail = "".join(f" {key}={value}" for key, value in fields.items())
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        message = f"{utcnow():%H:%M:%S} {self.process:<7}{level}{record.getMessage()}{tail}"
        if record.exc_info and record.exc_info[1] is not None:
            message += f" ({type(record.exc_info[1]).__name__}; see the log file)"
        return message


def configure_logging(process: str, data_dir: Path) -> Path:
    """Send everything this process logs to its file, and what matters to stderr. Returns the file's path.

    stderr gets people's lines on a terminal and JSON lines otherwise, where a service manager collects them.
    Requests that went well stay in the file.
    """
    folder = data_dir / "logs"
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise ConfigError(
            f"cannot write logs to `{folder}` ({problem.strerror}); give another --data"
        ) from None
    path = folder / f"{process}.jsonl"
    to_file = RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    to_file.setFormatter(JsonLines(process))
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(ForPeople(process) if sys.stderr.isatty() else JsonLines(process))
    to_stderr.addFilter(_worth_a_glance)
    root = logging.getLogger()
    root.handlers[:] = [to_file, to_stderr]
    root.setLevel(logging.INFO)
    # Migrations report each step at INFO and the server repeats what the access log says.
    for chatty in ("alembic", "uvicorn.error", "uvicorn.access", "httpx2", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return path


def _worth_a_glance(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name != "alcaide.access"


def write_crash(text: str, argv: Sequence[str]) -> Path:
    """Keep the story of an unexpected error. Options' values are left out: they may be secrets."""
    shape = [word if word.startswith("-") else "…" for word in argv[1:]]
    story = f"{rfc3339(utcnow())} alcaide {' '.join([*argv[:1], *shape])}\n{text}\n"
    name = f"crash-{utcnow():%Y%m%dT%H%M%S}-{os.getpid()}.log"
    for folder in (_data_logs(argv), Path(tempfile.gettempdir())):
        try:
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(story)
        return folder / name
    return Path(os.devnull)


def _data_logs(argv: Sequence[str]) -> Path:
    data = os.environ.get("ALCAIDE_DATA") or "alcaide-data"
    for position, word in enumerate(argv):
        if word == "--data" and position + 1 < len(argv):
            data = argv[position + 1]
        elif word.startswith("--data="):
            data = word.removeprefix("--data=")
    return Path(data) / "logs"
