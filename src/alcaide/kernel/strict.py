"""JSON from a stranger: read strictly, bounded in size, depth and count, with the place of every mistake.

Two readers of one document must not see two documents, or a signature covers both. So what JSON parsers
disagree about is refused: duplicate keys, NaN and infinities, numbers no IEEE double or 64-bit integer holds,
lone surrogates, other encodings. A UTF-8 byte order mark is let pass: RFC 8259 §8.1 allows that, and some
report writers put one.

`Fields` then hands out members by type, so that a document with wrong types everywhere is refused by its
first wrong field, by path, and never reaches code that trusted it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alcaide.kernel.errors import InvalidInput, TooLarge

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 64
MAX_VALUES = 5_000_000
"""A SARIF report of 25,000 results has about a million values.

At some 70 bytes each in memory, this is 350 MB.
"""
_MAX_INTEGER = 2**63 - 1
_LONGEST_NUMBER = 400  # the longest exact decimal of a finite double has 309 digits before the point

# Possessive quantifiers: a string that never ends is met once and costs one pass, not one per quote in it.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]|,|"', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\x00{", "UTF-16"), (b"{\x00", "UTF-16"))


class _Refused:
    """Stands where the parser met something that is refused, until the walk knows the path to it."""

    __slots__ = ("key", "why")

    def __init__(self, why: str, key: str = "") -> None:
        self.why = why
        self.key = key


def strict_json(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, what: str = "the document"
) -> Any:
    """The JSON value in `data`. Raises InvalidInput or TooLarge, never anything else.

    1. size, 2. encoding, 3. depth and count, before a recursive parser meets them, 4. parse, 5. walk once to
       name the path of what is refused.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"{what} has {len(data)} bytes, over the limit of {max_bytes}; send a smaller one")
    text = _decode(data, what)
    _bound(text, max_depth, what)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=lambda name: _Refused(f"`{name}` is not JSON; use a finite number or null"),
            parse_int=_integer,
            parse_float=_float,
        )
    except json.JSONDecodeError as problem:
        raise InvalidInput(
            f"{what} is not JSON: {problem.msg[:1].lower()}{problem.msg[1:]} at line {problem.lineno}, "
            f"column {problem.colno}; check that it arrived whole"
        ) from None
    except RecursionError:
        raise TooLarge(f"{what} is nested deeper than {max_depth} levels; flatten it") from None
    _walk(value, what)
    return value


def _decode(data: bytes, what: str) -> str:
    for mark, name in _ENCODINGS:
        if data.startswith(mark):
            raise InvalidInput(f"{what} is {name}; save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{what} is not UTF-8 at byte {problem.start}; save it as UTF-8") from None


def _bound(text: str, max_depth: int, what: str) -> None:
    depth = 0
    values = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first == ",":
            values += 1
        elif first in "[{":
            depth += 1
            values += 1
            if depth > max_depth:
                raise TooLarge(
                    f"{what} is nested deeper than {max_depth} levels at character {token.start()}"
                )
        elif first in "]}":
            depth -= 1
        elif token.end() - token.start() == 1:
            raise InvalidInput(
                f"{what} is not JSON: the text that starts at character {token.start()} does not end; "
                "check that it arrived whole"
            )
        if values > MAX_VALUES:
            raise TooLarge(f"{what} holds more than {MAX_VALUES} values; split it")


def _unique(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return _Refused("appears twice in one object; keep one of them", key)
        seen.add(key)
    raise AssertionError("fewer keys than pairs without a repeated key")


def _integer(digits: str) -> Any:
    if len(digits) <= 20:
        number = int(digits)
        if abs(number) <= _MAX_INTEGER:
            return number
    return _Refused(f"is the number {digits[:24]}…, beyond 64 bits; write it as text")


def _float(digits: str) -> Any:
    if len(digits) <= _LONGEST_NUMBER:
        number = float(digits)
        if math.isfinite(number):
            return number
    return _Refused(f"is the number {digits[:24]}…, beyond what a double holds; write it as text")


def _walk(root: Any, what: str) -> None:
    """Raise for the first refused thing, with its path. Iterative, and holds one iterator a level."""
    _check(root, "", what)
    stack: list[tuple[str, Iterator[tuple[Any, Any]]]] = [("", _members(root))]
    while stack:
        path, members = stack[-1]
        for key, value in members:
            here = f"{path}[{key}]" if type(key) is int else f"{path}.{key[:80]}"
            if type(key) is str and not key.isascii():
                _check(key, here, what)
            if type(value) is str:
                if not value.isascii():
                    _check(value, here, what)
            elif isinstance(value, dict | list):
                stack.append((here, _members(value)))
                break
            elif type(value) is _Refused:
                _check(value, here, what)
        else:
            stack.pop()


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list) else iter(())


def _check(value: Any, path: str, what: str) -> None:
    if isinstance(value, _Refused):
        where = f"{path}.{value.key[:80]}" if value.key else path
        raise InvalidInput(f"{what}: `{_printable(where.lstrip('.')) or 'the whole'}` {value.why}")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            where = _printable(path.lstrip(".")) or "the whole"
            raise InvalidInput(
                f"{what}: `{where}` holds half a character (a lone surrogate); remove it"
            ) from None


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[-200:]


class Fields:
    """A JSON object of a document together with its path.

    Members come out typed, or the path is named as wrong.

    A missing member and a null are the same: the default. That is how writers of these formats treat them.
    """

    __slots__ = ("path", "values")

    def __init__(self, values: Any, path: str = "") -> None:
        if not isinstance(values, dict):
            raise InvalidInput(f"`{path or 'the document'}` must be an object, not {_kind(values)}")
        self.values: Mapping[str, Any] = values
        self.path = path

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def text(self, key: str, default: str = "", *, limit: int = 2_048) -> str:
        """Text of at most `limit` characters; longer is refused, as a cut name would be another name."""
        value = self._typed(key, str, "text")
        if value is None:
            return default
        if not value.isprintable() and _CONTROL.search(value):
            raise InvalidInput(f"`{self.at(key)}` holds control characters; remove them")
        if len(value) > limit:
            raise TooLarge(
                f"`{self.at(key)}` has {len(value)} characters, over the limit of {limit}; shorten it"
            )
        return str(value)

    def prose(self, key: str, *, limit: int = 2_000) -> str:
        """Text for people, cut at `limit` with an ellipsis: nothing is decided by it."""
        value = _CONTROL.sub(" ", self._typed(key, str, "text") or "")
        return value if len(value) <= limit else value[: limit - 1] + "…"

    def needed(self, key: str, *, limit: int = 2_048) -> str:
        found = self.text(key, limit=limit)
        if not found.strip():
            raise InvalidInput(f"`{self.at(key)}` is missing; it must say something")
        return found

    def flag(self, key: str) -> bool | None:
        value = self._typed(key, bool, "true or false")
        return None if value is None else bool(value)

    def number(self, key: str) -> float | int | None:
        value = self.values.get(key)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise InvalidInput(f"`{self.at(key)}` must be a number, not {_kind(value)}")

    def whole(self, key: str) -> int | None:
        value = self.number(key)
        if value is None or isinstance(value, int):
            return value
        raise InvalidInput(f"`{self.at(key)}` must be a whole number")

    def object(self, key: str) -> Fields:
        """The object under `key`, or an empty one."""
        value = self.values.get(key)
        return Fields({} if value is None else value, self.at(key))

    def objects(self, key: str, *, limit: int = 100_000) -> Iterator[Fields]:
        """The objects of the list under `key`; none if there is no list."""
        for position, value in enumerate(self.items(key, limit=limit)):
            yield Fields(value, f"{self.at(key)}[{position}]")

    def texts(self, key: str, *, limit: int = 100_000, each: int = 2_048) -> tuple[str, ...]:
        return tuple(self._text_items(key, limit, each))

    def items(self, key: str, *, limit: int = 100_000) -> list[Any]:
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise InvalidInput(f"`{self.at(key)}` must be a list, not {_kind(value)}")
        if len(value) > limit:
            raise TooLarge(f"`{self.at(key)}` has {len(value)} entries, over the limit of {limit}; split it")
        return value

    def _text_items(self, key: str, limit: int, each: int) -> Iterator[str]:
        for position, value in enumerate(self.items(key, limit=limit)):
            if not isinstance(value, str):
                raise InvalidInput(f"`{self.at(key)}[{position}]` must be text, not {_kind(value)}")
            if len(value) > each:
                raise TooLarge(
                    f"`{self.at(key)}[{position}]` has {len(value)} characters, over the limit of {each}"
                )
            yield value

    def _typed(self, key: str, kind: Callable[..., Any], called: str) -> Any:
        value = self.values.get(key)
        if value is not None and type(value) is not kind:
            raise InvalidInput(f"`{self.at(key)}` must be {called}, not {_kind(value)}")
        return value


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
