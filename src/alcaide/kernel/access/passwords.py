"""Password hashes: Argon2id, never more at once than the machine can hold.

Left out on purpose: which passwords are good enough (the access slice's `rules`).
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

from alcaide.kernel.errors import TooMany

if TYPE_CHECKING:
    from argon2 import PasswordHasher

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """RFC 9106 §4, second recommended option: 64 MiB, three passes, four lanes."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


COST = Cost()
LONGEST = 256
"""Longer passwords are refused rather than cut: a cut password is another password."""
_AT_ONCE = BoundedSemaphore(4)
"""4 × 64 MiB. Sign-ins beyond that wait; without the bound a flood of them is a memory bomb."""
_PATIENCE_SECONDS = 20


def hash_password(password: str) -> str:
    """What is stored: Argon2id with its own salt and the cost of today."""
    return _slow(lambda: _hasher(COST).hash(_normal(password)))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed.

    Takes as long when there is none, so time tells no one who exists.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    usable = stored if len(password) <= LONGEST else None
    against = usable or _hash_of_nothing(COST)
    try:
        _slow(lambda: _hasher(COST).verify(against, _normal(password[:LONGEST])))
    except (VerificationError, InvalidHashError):
        return False
    return usable is not None


def needs_rehash(stored: str) -> bool:
    """Whether the cost was raised since: the caller hashes again at the next successful sign-in."""
    return _hasher(COST).check_needs_rehash(stored)


def _normal(password: str) -> bytes:
    # NFKC: the same password typed on another keyboard or phone gives the same bytes (NIST SP 800-63B
    # §3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _slow(work: Callable[[], T]) -> T:
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise TooMany("too many sign-ins at once; try again in a minute", retry_after=60)
    try:
        return work()
    finally:
        _AT_ONCE.release()


@lru_cache(maxsize=4)
def _hasher(cost: Cost) -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(
        time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID
    )


@lru_cache(maxsize=4)
def _hash_of_nothing(cost: Cost) -> str:
    return _hasher(cost).hash(secrets.token_bytes(32))
