"""Paths and keys as people write them: what a subject on a command line means, and C2SP tile paths. Pure."""

from __future__ import annotations

import re

from alcaide.kernel.errors import InvalidInput, NotFound

_HEX = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})\Z")
_PART = re.compile(r"[0-9]{3}\Z")
MAX_NAME = 2048


def subject_key(text: str) -> str:
    """The index key of a subject that somebody named: a digest as `sha256:…`, anything else as a name."""
    cleaned = text.strip()
    if digest := _HEX.match(cleaned):
        return f"sha256:{digest[1].lower()}"
    cleaned = cleaned.removeprefix("name:")
    if not cleaned or len(cleaned) > MAX_NAME or any(ord(c) < 0x20 for c in cleaned):
        raise InvalidInput(
            f"`{cleaned[:80]}` names no subject; give a name like `system:loan-desk` or `model:fraud-scorer@3`, "
            "or a SHA-256 digest"
        )
    return f"name:{cleaned}"


def label_of(key: str) -> str:
    """An index key as a person reads it."""
    return key.removeprefix("name:")


def tile_path(path: str) -> tuple[int, int]:
    """(index, width) of `x001/x234/067` or `000.p/12`, the end of a tile's path (C2SP tlog-tiles).

    One spelling each: `067` is no name for `x000/067`. Raises NotFound otherwise, as there is no such resource.
    """
    wrong = NotFound(f"there is no tile `{path[:60]}`; a path looks like `x001/067` or `067.p/12`")
    body, partial, width = path.partition(".p/")
    parts = body.split("/")
    digits = [part.removeprefix("x") for part in parts]
    spelled = all(part.startswith("x") for part in parts[:-1]) and not parts[-1].startswith("x")
    if not spelled or len(parts) > 6 or not all(_PART.match(one) for one in digits):
        raise wrong
    if len(parts) > 1 and digits[0] == "000":
        raise wrong
    if not partial:
        return int("".join(digits)), 256
    if not width.isascii() or not width.isdigit() or width.startswith("0") or not 1 <= int(width[:4]) <= 255:
        raise wrong
    return int("".join(digits)), int(width)


def tile_name(index: int) -> str:
    """The path of a tile's index: groups of three digits, all but the last with an `x`."""
    groups = []
    while True:
        index, low = divmod(index, 1000)
        groups.append(f"{low:03d}")
        if not index:
            break
    groups.reverse()
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
