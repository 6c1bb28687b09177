"""Text and bytes that a pickle computes, computed within bounds: joined, decoded, unpacked.

Only functions of the standard library that have no effect besides their result, on values that are at hand, and never
for a result longer than a bound: what a pickle asks for may be a row of gigabytes.
"""

# ruff: noqa: ARG001 - the functions of the table have one signature, whatever each needs of it

from __future__ import annotations

import binascii
import codecs
import contextlib
import zlib
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle.values import PLAIN, Blob, Table, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alcaide.instruments.scan.formats.pickle.actions import Actions

    Compute = Callable[[Actions, tuple[Any, ...], int, Table | None], Any]

NOTHING: Final = Unknown("not computed")
LONGEST: Final = 1 << 16
"""Characters or bytes that a computed value may have."""

UNPACKED: Final = 16 << 20


def plain(args: Iterable[Any]) -> bool:
    """Whether all of these are values at hand, or lists of such."""
    return all(
        arg.__class__ in PLAIN
        or (arg.__class__ in (list, tuple) and all(part.__class__ in PLAIN for part in arg))
        for arg in args
    )


def bounded(value: Any) -> Any:
    """A computed value, if it is one the machine can hold."""
    if value.__class__ is bytearray:
        value = bytes(value)
    if value.__class__ in (str, bytes):
        return value if len(value) <= UNPACKED else NOTHING
    if value.__class__ is int:
        return value if value.bit_length() < 1 << 12 else NOTHING
    if value.__class__ in PLAIN or value.__class__ is slice:
        return value
    if value.__class__ in (list, tuple) and plain(value):
        return value[:LONGEST]
    return NOTHING


SAFE_TEXT: Final = frozenset({
    "join", "replace", "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "split",
    "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "casefold", "splitlines", "encode", "decode",
    "translate", "format", "hex", "find", "index", "__getitem__", "__add__", "__str__", "__format__", "fromhex",
})  # fmt: skip


def method(actions: Actions, of: Any, name: str, args: tuple[Any, ...], offset: int) -> Any:
    """A method of a plain string, called."""
    if of.__class__ is Blob:
        of = whole(of)
    if of.__class__ not in (str, bytes) or name not in SAFE_TEXT or not plain(args) or len(of) > UNPACKED:
        return NOTHING
    if name in ("encode", "decode"):
        return coded(of, args[0] if args else "utf-8", name)
    if name == "format":
        return _formatted(of, args) if of.__class__ is str else NOTHING
    if (
        name in ("replace", "join", "translate")
        and sum(len(a) for a in args if hasattr(a, "__len__")) > LONGEST
    ):
        return NOTHING
    if name == "replace" and (len(of) + 1) * (len(args[1]) if len(args) > 1 else 1) > UNPACKED:
        return NOTHING
    try:
        return bounded(getattr(of, name)(*args))
    except (TypeError, ValueError, IndexError, KeyError, LookupError, AttributeError):
        return NOTHING


def _formatted(text: str, args: tuple[Any, ...]) -> Any:
    """`str.format` for fields that are only numbers: anything more could ask for a width of gigabytes."""
    if len(text) > LONGEST or ":" in text or "!" in text or "." in text or "[" in text:
        return NOTHING
    try:
        return bounded(text.format(*args))
    except (ValueError, IndexError, KeyError):
        return NOTHING


def of_class(kind: type, name: str) -> Compute:
    """A method of a string called through its class: `str.join('', [...])`."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        if name == "fromhex":
            with contextlib.suppress(ValueError, TypeError):
                return bounded(bytes.fromhex(args[-1])) if args and args[-1].__class__ is str else NOTHING
            return NOTHING
        if not args or args[0].__class__ not in (kind, Blob):
            return NOTHING
        return method(actions, args[0], name, args[1:], offset)

    return compute


_TEXT_CODECS: Final = frozenset({
    "utf8", "utf16", "utf32", "utf7", "ascii", "latin1", "iso88591", "rot13", "hex", "hexcodec", "base64",
    "base64codec", "unicodeescape", "rawunicodeescape", "idna", "punycode", "cp437", "cp1252", "utf16le", "utf16be",
    "utf32le", "utf32be", "uu", "uucodec", "quopri", "quopricodec", "zlib", "zlibcodec", "zip", "bz2", "bz2codec",
    "utf8sig", "charmap", "mbcs", "l1", "8859", "cp850", "unicodeescapes",
})  # fmt: skip


def coded(value: Any, encoding: Any, way: str) -> Any:
    """`codecs.encode` and `codecs.decode` for codecs of the standard library, decompression bounded."""
    if encoding.__class__ is not str or value.__class__ not in (str, bytes):
        return NOTHING
    plain_name = encoding.lower().replace("-", "").replace("_", "").replace(" ", "")
    if plain_name not in _TEXT_CODECS:
        return NOTHING
    if way == "decode" and plain_name in ("zlib", "zlibcodec", "zip"):
        return inflated(value)
    if way == "decode" and plain_name in ("bz2", "bz2codec"):
        return unpacked("bz2", value)
    try:
        coder: Any = codecs.encode if way == "encode" else codecs.decode
        return bounded(coder(value, encoding))
    except (TypeError, ValueError, LookupError, AttributeError, AssertionError, binascii.Error):
        return NOTHING


def codec(way: str) -> Compute:
    """`codecs.encode` or `codecs.decode`."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        if not args:
            return NOTHING
        return coded(whole(args[0]), args[1] if len(args) > 1 else "utf-8", way)

    return compute


def whole(value: Any) -> Any:
    """A long string, read up to a bound."""
    if value.__class__ is Blob and value.length <= UNPACKED:
        data = value.start(UNPACKED)
        return data.decode("utf-8", "surrogatepass") if value.text else data
    return value


def inflated(value: Any, bits: int = 15) -> Any:
    """A zlib or gzip stream, unpacked up to the bound."""
    if value.__class__ is not bytes:
        return NOTHING
    try:
        return bounded(zlib.decompressobj(bits).decompress(value, UNPACKED))
    except zlib.error:
        return NOTHING


def unpacked(kind: str, value: Any) -> Any:
    """A bzip2, xz or LZMA stream, unpacked up to the bound."""
    if value.__class__ is not bytes:
        return NOTHING
    import bz2
    import lzma

    try:
        if kind == "bz2":
            return bounded(bz2.BZ2Decompressor().decompress(value, UNPACKED))
        return bounded(lzma.LZMADecompressor(memlimit=64 << 20).decompress(value, UNPACKED))
    except (OSError, ValueError, EOFError, lzma.LZMAError):
        return NOTHING


def decompressed(kind: str) -> Compute:
    """`zlib.decompress` and its like."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        value = whole(args[0]) if args else None
        if kind == "zlib":
            return inflated(value, args[1] if len(args) > 1 and args[1].__class__ is int else 15)
        if kind == "gzip":
            return inflated(value, 31)
        return unpacked(kind, value)

    return compute


def pure(function: Callable[..., Any]) -> Compute:
    """A function without side effects, on plain values no longer than the bound."""

    def compute(actions: Actions, args: tuple[Any, ...], offset: int, kwargs: Table | None) -> Any:
        args = tuple(whole(arg) for arg in args)
        if not plain(args) or kwargs is not None:
            return NOTHING
        if sum(len(arg) for arg in args if arg.__class__ in (str, bytes)) > UNPACKED:
            return NOTHING
        try:
            return bounded(function(*args))
        except Exception:  # noqa: BLE001 - whatever the real one raises, here it only means that nothing is known
            return NOTHING

    return compute


def to_bytes(*args: Any) -> Any:
    """`bytes(...)`, but never a row of zeros of a length that the pickle chose."""
    if len(args) == 1 and args[0].__class__ is int:
        return NOTHING
    if len(args) == 2 and args[0].__class__ is str:
        return coded(args[0], args[1], "encode")
    return bytes(*args)


def times(left: Any, right: Any) -> Any:
    """A string repeated, if the result is short."""
    size = len(left) * right if right.__class__ is int and left.__class__ in (str, bytes) else LONGEST + 1
    return left * right if size <= LONGEST else NOTHING


def to_slice(*args: Any) -> Any:
    """`slice(...)`."""
    return slice(*args)


def to_text(*args: Any) -> Any:
    """`str(...)` of a plain value, or of bytes in an encoding."""
    if len(args) >= 2 and args[0].__class__ is bytes:
        return coded(args[0], args[1], "decode")
    return str(args[0]) if args and args[0].__class__ in PLAIN else NOTHING
