"""Canonical JSON (RFC 8785) out, strict JSON in.

`canonical` has a fast path: for values without floats and without keys beyond the Basic Multilingual
Plane, sorted and compact `json.dumps` gives exactly the bytes of RFC 8785 and runs in C. Everything
else goes to the `rfc8785` library, which knows ECMAScript's number format and UTF-16 key order.
A test holds both paths to the same answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from alcaide.kernel.errors import InvalidInput, TooLarge

MAX_SAFE_INTEGER = 2**53 - 1  # RFC 8785 §3.2.2.3: integers beyond IEEE 754 precision do not interoperate
MAX_DEPTH = 64
MAX_BYTES = 64 * 2**20
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # escaped; unescaped ones are not UTF-8

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of a JSON value made of dict, list, tuple, str, int, float, bool and None.

    Raises InvalidInput for what has no canonical form: NaN, infinities, integers beyond 2^53, lone
    surrogates, keys that are not text, other types, or nesting beyond 64 levels.
    """
    try:
        if _plain(value, 0):
            return _encode(value).encode("utf-8")
        import rfc8785

        return rfc8785.dumps(_listed(value))
    except UnicodeEncodeError:
        raise InvalidInput("text with a lone surrogate has no canonical form; remove it") from None
    except ValueError as problem:
        raise InvalidInput(f"not representable as canonical JSON: {problem}") from None


def _plain(value: Any, depth: int) -> bool:
    """Whether the fast path gives RFC 8785's bytes. Raises InvalidInput where no path could."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise InvalidInput(f"integer {str(value)[:30]} is beyond 2^53; write it as text")
        return True
    if kind is float:
        return False
    if depth > MAX_DEPTH:
        raise InvalidInput(f"nested deeper than {MAX_DEPTH} levels; flatten the document")
    if kind is dict:
        return _plain_keys(value) & _plain_items(value.values(), depth)
    if kind is list or kind is tuple:
        return _plain_items(value, depth)
    raise InvalidInput(f"a {kind.__name__} is not JSON; convert it to text or numbers first")


def _plain_keys(keys: Iterable[Any]) -> bool:
    fast = True
    for key in keys:
        if type(key) is not str:
            raise InvalidInput(f"key {str(key)[:40]!r} is not text; JSON keys must be")
        # INVARIANT: code-point order equals UTF-16 order unless a key leaves the BMP.
        if not key.isascii() and max(key) > "\ud7ff":
            fast = False
    return fast


def _plain_items(items: Iterable[Any], depth: int) -> bool:
    fast = True
    for item in items:
        kind = type(item)
        if kind is str or item is None or kind is bool:  # most of a statement; a call for each would show
            continue
        if not _plain(item, depth + 1):
            fast = False
    return fast


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value


def strict_json(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, what: str = "document"
) -> Any:
    """Read JSON from a stranger: UTF-8, no duplicate keys, no NaN, no half characters, bounded in size and depth.

    Duplicate keys are refused because two readers of such a document can see two different documents,
    and a signature would cover both; lone surrogates because text that holds one has no bytes to be signed,
    looked up or shown by. Raises InvalidInput or TooLarge, never anything else.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"{what} has {len(data)} bytes, over the limit of {max_bytes}; send a smaller one")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{what} is not UTF-8 at byte {problem.start}; save it as UTF-8") from None
    _check_depth(text, max_depth, what)
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as problem:
        raise InvalidInput(
            f"{what} is not JSON: {problem.msg.lower()} at line {problem.lineno}, column {problem.colno}"
        ) from None
    except RecursionError:
        raise TooLarge(f"{what} is nested deeper than {max_depth} levels; flatten it") from None
    except ValueError as problem:  # an integer of more than 4300 digits
        raise InvalidInput(f"{what} holds a number that cannot be read: {str(problem)[:80]}") from None
    if _SURROGATE.search(text):
        _refuse_half_characters(value, what)
    return value


def _refuse_half_characters(value: Any, what: str) -> None:
    """Escaped surrogates are fine in pairs, which the parser has joined; what is left of them is half a character."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInput(f"{what} holds half a character (a lone surrogate); remove it") from None


def _check_depth(text: str, max_depth: int, what: str) -> None:
    """Refuse deep nesting before a recursive parser meets it; brackets in strings do not count."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    in_string = False
    escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > max_depth:
                raise TooLarge(f"{what} is nested deeper than {max_depth} levels; flatten it")
        elif character in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            shown = key[:60].encode("utf-8", "replace").decode()
            raise InvalidInput(f"key `{shown}` appears twice in one object; keep one of them")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidInput(f"`{name}` is not JSON; use a finite number or null")
