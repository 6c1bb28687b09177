"""Tensors in a file that can hold nothing else: a length, a JSON header, and the bytes that the header places.

Nothing in it runs, so the worst it can do is to be read differently by two programs, to make a loader reserve memory
or read past an end, or to carry something else where no tensor is. Each byte must belong to the header or to exactly
one tensor; what does not is looked at as a file of its own. Tensors themselves are not read: a file of any size costs
its header.

Source: the format's own description and the checks of its reference implementation (`safetensors` 0.5): a header of
at most 100,000,000 bytes that begins with `{`, offsets without overlap or hole, metadata of text to text.
"""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.hidden import examine_text, text_rules
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

MOST_HEADER = 100_000_000
"""Bytes; the reference implementation refuses more."""

_LONGEST_READ = 12 << 20
"""Bytes. A shard of the largest published models has some thousand tensors, a header of 200,000 bytes; read as JSON, a
header takes ten times its size."""

_SMALL_HEADER = 1 << 20
"""Up to this size every key is compared; above, duplicates are counted first and compared only if there are any."""

_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32,
    "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
_ELEMENTS = 1 << 63

_READERS_DIFFER = ("cwe/CWE-20", "cwe/CWE-436", "owasp-llm:2025/LLM03")

DUPLICATE = Rule(
    "safetensors/duplicate-key",
    Level.MEDIUM,
    "tensor named twice",
    "One program keeps the first, another the last: what was checked is not what is loaded.",
    "Get the file again from its source, or write it anew with the `safetensors` library.",
    _READERS_DIFFER,
)
PLACES = Rule(
    "safetensors/offsets",
    Level.MEDIUM,
    "tensors that overlap, leave holes or lie outside of the file",
    "A loader that trusts the offsets reads past an end, or reads one tensor's bytes as another's; what lies in a hole "
    "is seen by nobody.",
    "Get the file again from its source, or write it anew with the `safetensors` library.",
    ("cwe/CWE-125", "cwe/CWE-1285", *_READERS_DIFFER),
)
UNUSED = Rule(
    "safetensors/unused-bytes",
    Level.MEDIUM,
    "bytes that belong to no tensor",
    "Something can be carried along that no loader of tensors ever sees: a program, or data that is to leave unseen.",
    "Find out what it is (it is listed as a part of its own), or write the file anew with the `safetensors` library.",
    ("cwe/CWE-506", *_READERS_DIFFER),
)
UNKNOWN_KIND = Rule(
    "safetensors/unknown-type",
    Level.MEDIUM,
    "tensor of an unknown type or shape",
    "How many bytes it takes cannot be checked.",
    "Update Alcaide if the type is new; else write the file anew with the `safetensors` library.",
    _READERS_DIFFER,
)
METADATA = Rule(
    "safetensors/metadata",
    Level.MEDIUM,
    "metadata that are not text",
    "The format allows text only; what else is there is read by some programs and overlooked by others.",
    "Write the file anew with the `safetensors` library.",
    _READERS_DIFFER,
)


def _sniff(glance: Glance) -> bool:
    head = glance.head
    if head[8:9] != b"{":
        return glance.lower_name.endswith(".safetensors") and not head.startswith(b"version https://git-lfs")
    if head[4:8] == b"\0\0\0\0":
        return True
    # A length that lies is still a header's; eight printable characters are some other text.
    return (
        glance.lower_name.endswith(".safetensors")
        or not head[:8].isascii()
        or not head[:8].decode().isprintable()
    )


def _examine(source: Source, context: Context) -> None:
    if source.size < 10:
        raise Malformed("it is too short to hold a header", 0)
    length = int.from_bytes(source.read(0, 8), "little")
    if length > MOST_HEADER:
        raise Malformed(
            f"its header would have {length:,} bytes; loaders that believe it reserve as much memory, and the format "
            f"allows {MOST_HEADER:,}",
            0,
        )
    if length > source.size - 8:
        raise Malformed(f"its header would have {length:,} bytes, and only {source.size - 8:,} follow", 0)
    if length > _LONGEST_READ:
        raise OverBudget(f"its header has {length:,} bytes; no model has more than {_LONGEST_READ:,}")
    raw = source.read(8, length)
    if not raw.startswith(b"{"):
        raise Malformed("its header does not begin with `{`", 8)
    header, duplicates = _header(raw)
    for name in duplicates[:20]:
        context.find(
            DUPLICATE, f"`{name}` is there twice: programs differ in which one they load", offset=8, key=name
        )
    start = 8 + length
    tensors = {name: about for name, about in header.items() if name != "__metadata__"}
    metadata = header.get("__metadata__")
    if metadata is not None:
        _metadata(metadata, context)
    places = _places(tensors, source.size - start, context)
    context.fact(
        tensors=len(tensors),
        header_bytes=length,
        metadata=dict(list(metadata.items())[:20]) if isinstance(metadata, dict) else None,
    )
    _unused(places, source, start, context)


def _header(raw: bytes) -> tuple[dict[str, Any], list[str]]:
    """The header's object and the keys that are there twice.

    A header of megabytes is read by a reader that keeps the last of two; whether there are two shows from how often
    the words `data_offsets`, `dtype` and `shape` occur, and only then is it read again by one that sees each.
    """
    if len(raw) > _SMALL_HEADER and (quick := _quick(raw)) is not None:
        return quick, []
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            seen: set[str] = set()
            for key, _ in items:
                if key in seen:
                    duplicates.append(key)
                seen.add(key)
        return made

    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise Malformed(f"its header is no UTF-8 (byte {8 + error.start:,})", 8 + error.start) from error
    except RecursionError as error:
        raise Malformed("its header is nested too deep", 8) from error
    except ValueError as error:
        raise Malformed(f"its header is no JSON: {error}", 8) from error
    if not isinstance(header, dict):
        raise Malformed("its header is no JSON object", 8)
    return header, duplicates


def _quick(raw: bytes) -> dict[str, Any] | None:
    """A long header's object, or None if it has to be read with care."""
    import msgspec

    try:
        header = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"its header is no JSON: {error}", 8) from error
    if not isinstance(header, dict):
        return None
    metadata = header.get("__metadata__", {})
    notes = raw.count(b'"__metadata__"')
    # What is in the metadata is few words, and is compared word by word where its part of the header can be told.
    if notes > 1 or (notes == 1 and (not isinstance(metadata, dict) or len(metadata) > 1)):
        return None
    words = (b'"data_offsets"', b'"dtype"', b'"shape"')
    return header if all(raw.count(word) == len(header) - notes for word in words) else None


def _no_constant(name: str) -> None:
    raise ValueError(f"`{name}` is no JSON")


def _metadata(metadata: Any, context: Context) -> None:
    if not isinstance(metadata, dict):
        context.find(METADATA, "`__metadata__` is no object of text", offset=8)
        return
    for key, value in metadata.items():
        context.tick()
        if not isinstance(value, str):
            context.find(
                METADATA, f"`__metadata__` says something other than text for `{key}`", offset=8, key=key
            )
        else:
            examine_text(value, context, f"__metadata__/{key}")


def _places(tensors: dict[str, Any], available: int, context: Context) -> list[tuple[int, int, str]]:
    """Where each tensor lies, checked against its type and shape and the bytes that there are."""
    places: list[tuple[int, int, str]] = []
    for name, about in tensors.items():
        context.tick()
        place = _ordinary(about) or _place(name, about, context)
        if place is None:
            continue
        begin, end = place
        if end > available:
            context.find(
                PLACES,
                f"the tensor `{name}` would end at byte {end:,} of {available:,}: a loader that trusts this reads "
                "past the end",
                tensor=name,
            )
            continue
        places.append((begin, end, name))
    places.sort()
    return places


def _ordinary(about: Any) -> tuple[int, int] | None:
    """Where a tensor lies that has nothing odd about it: nearly all of them, some hundred thousand in a file."""
    try:
        begin, end = offsets = about["data_offsets"]
        shape = about["shape"]
        kinds = set(map(type, shape))
        if (
            len(about) == 3
            and type(offsets) is type(shape) is list
            and type(begin) is type(end) is int
            and (kinds == {int} or not kinds)
            and 0 <= begin <= end
            and len(shape) <= 64
            and (not shape or min(shape) >= 0)
            and prod(shape) * _BITS[about["dtype"]] == (end - begin) * 8
            and end < _ELEMENTS
        ):
            return begin, end
    except (KeyError, TypeError, ValueError):
        pass
    return None


def _place(name: str, about: Any, context: Context) -> tuple[int, int] | None:
    if not isinstance(about, dict) or set(about) != {"dtype", "shape", "data_offsets"}:
        context.find(
            UNKNOWN_KIND, f"`{name}` does not say type, shape and offsets, and nothing else", tensor=name
        )
        return None
    offsets, shape, kind = about["data_offsets"], about["shape"], about["dtype"]
    if not (isinstance(offsets, list) and len(offsets) == 2 and all(_is_size(offset) for offset in offsets)):
        context.find(PLACES, f"the tensor `{name}` has no two offsets", tensor=name)
        return None
    begin, end = offsets
    if begin > end:
        context.find(PLACES, f"the tensor `{name}` would end before it begins", tensor=name)
        return None
    bits = _BITS.get(kind) if isinstance(kind, str) else None
    if bits is None or not isinstance(shape, list) or not all(_is_size(side) for side in shape):
        context.find(UNKNOWN_KIND, f"the tensor `{name}` has a type or shape that is not known", tensor=name)
        return begin, end
    elements = 1
    for side in shape:
        elements *= side
        if elements > _ELEMENTS:
            context.find(
                PLACES,
                f"the tensor `{name}` would have more elements than can be counted: an overflow",
                tensor=name,
            )
            return begin, end
    if elements * bits != (end - begin) * 8:
        context.find(
            PLACES,
            f"the tensor `{name}` needs {(elements * bits + 7) // 8:,} bytes and is given {end - begin:,}",
            tensor=name,
        )
    return begin, end


def _is_size(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 64


def _unused(places: list[tuple[int, int, str]], source: Source, start: int, context: Context) -> None:
    """Overlaps, and what lies between and after the tensors."""
    reached, last = 0, ""
    gaps: list[tuple[int, int]] = []
    for begin, end, name in places:
        context.tick()
        if begin < reached and end > begin:
            context.find(
                PLACES,
                f"the tensors `{last}` and `{name}` overlap: writing one would change the other",
                tensor=name,
            )
        elif begin > reached:
            gaps.append((reached, begin))
        if end > reached:
            reached, last = end, name
    if start + reached < source.size:
        gaps.append((reached, source.size - start))
    for number, (begin, end) in enumerate(gaps):
        where = (
            "after the last tensor"
            if number == len(gaps) - 1 and end == source.size - start
            else "between tensors"
        )
        context.find(
            UNUSED,
            f"{end - begin:,} bytes lie {where} and belong to none",
            offset=start + begin,
            size=end - begin,
        )
        if number < 64:
            context.child(f"unused-{start + begin}", Window(source, start + begin, end - begin))


FORMATS = (
    Format(
        "safetensors",
        "safetensors",
        _sniff,
        _examine,
        (DUPLICATE, PLACES, UNUSED, UNKNOWN_KIND, METADATA, *text_rules()),
    ),
)
