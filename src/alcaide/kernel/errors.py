"""Errors for a person: one base class, one subclass per way of failing.

Each knows its HTTP status and its exit code, so that pages, API and command line say the same thing.
A message starts in lower case, quotes the user's input in backticks and ends with what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class AlcaideError(Exception):
    """Something a person can act on. `str(error)` is the message to show them."""

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 3
    code: ClassVar[str] = "internal"


class InvalidInput(AlcaideError):
    """What was given cannot be used. `fields` says which form or document field is at fault, and why."""

    status = 400
    code = "invalid-input"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, str] = dict(fields or {})


class TooLarge(InvalidInput):
    """The input is over a stated bound on size, depth, count or ratio."""

    status = 413
    code = "too-large"


class SignInNeeded(AlcaideError):
    """Nobody is signed in, and this needs somebody."""

    status = 401
    code = "sign-in-needed"


class NotAllowed(AlcaideError):
    """A rule denies this. Says which rule, who owns it and how to ask."""

    status = 403
    code = "not-allowed"

    def __init__(self, message: str, *, rule: str = "", owner: str = "", next_step: str = "") -> None:
        super().__init__(message)
        self.rule = rule
        self.owner = owner
        self.next_step = next_step


class NotFound(AlcaideError):
    """There is no such thing, or the asker may not know of it."""

    status = 404
    code = "not-found"


class Conflict(AlcaideError):
    """The thing was changed by somebody else, or exists already."""

    status = 409
    code = "conflict"


class TooMany(AlcaideError):
    """Too many requests; `retry_after` is in seconds."""

    status = 429
    code = "too-many"

    def __init__(self, message: str, *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Corrupt(AlcaideError):
    """Stored or received evidence does not verify: it must not be believed."""

    exit_code = 1
    code = "corrupt"


class Unavailable(AlcaideError):
    """A part that is needed is missing or does not answer; the same call may succeed later."""

    status = 503
    code = "unavailable"


class ConfigError(AlcaideError):
    """The settings or the environment do not allow a start."""

    code = "config"
