"""NumPy arrays: `.npy` files and `.npz` archives of them.

An array of objects is a header with a pickle after it. A header is a Python literal; old readers evaluated it, so one
that is anything else is a finding. Of plain arrays only the length is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.pickle.arrays import code_size
from alcaide.instruments.scan.formats.zip_content import FLAGGED, TWICE, hints
from alcaide.instruments.scan.limits import Encrypted, Malformed, ScanStop, Truncated
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

HEADER = Rule(
    "numpy/header-code",
    Level.CRITICAL,
    "has a header that is no literal",
    "Readers that evaluate the header run what it says; NumPy did until 1.9, and copies of its reader still do.",
    "Do not load it. Save the array anew.",
    ("cwe/CWE-95", "cwe/CWE-502", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0011.000"),
)
OBJECTS = Rule(
    "numpy/object-array",
    Level.LOW,
    "holds objects",
    "An array of objects is a pickle; loading it needs `allow_pickle=True`, which then holds for every array.",
    "Save it as an array of numbers or text.",
    ("cwe/CWE-502",),
)
LENGTH = Rule(
    "numpy/length",
    Level.LOW,
    "is longer than its header says",
    "Bytes after the array are for somebody else.",
    "Save the array anew.",
    ("cwe/CWE-20",),
)

_MAGIC: Final = b"\x93NUMPY"
_LONGEST_HEADER: Final = 1 << 20
_NPZ: Final = b".npy"


def sniff(glance: Glance) -> bool:
    """The magic of an array."""
    return glance.head[:6] == _MAGIC


def examine(source: Source, context: Context) -> None:
    """Look at one array."""
    head = source.read(0, 12)
    if len(head) < 12:
        raise Truncated("it ends within the first bytes")
    major = head[6]
    if major not in (1, 2, 3):
        raise Malformed(f"version {major} of the format is not known", 6)
    width = 2 if major == 1 else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    start = 8 + width + length
    if start > source.size:
        raise Truncated(f"a header of {length:,} bytes reaches beyond the end", 8)
    if length > _LONGEST_HEADER:
        raise Malformed(f"a header of {length:,} bytes is longer than any honest one", 8)
    text = source.read(8 + width, length).decode("utf-8" if major == 3 else "latin-1", "replace")
    header = _header(text, context)
    if header is None:
        return
    dtype, shape = header["descr"], header["shape"]
    size, objects = _item(dtype)
    context.fact(dtype=str(dtype)[:200], shape=list(shape)[:16], objects=objects)
    if objects:
        from alcaide.instruments.scan.formats.pickle import after, look_at

        context.find(OBJECTS, "it is an array of objects, which is a pickle", offset=start)
        _, end = look_at(source, context, start=start, most=1)
        after(source, context, end)
        return
    count = 1
    for axis in shape:
        count *= axis
    if size is None:
        return
    end = start + count * size
    if end > source.size:
        raise Truncated(f"an array of {count:,} items reaches beyond the end", start)
    if end < source.size:
        from alcaide.instruments.scan.formats.pickle import after, begins_pickle

        if begins_pickle(source.read(end, 8192), source.size - end):
            context.child("after the array", Window(source, end), as_format="pickle")
        else:
            context.find(LENGTH, f"{source.size - end:,} bytes follow the array", offset=end)
            after(source, context, end)


def _header(text: str, context: Context) -> dict[str, Any] | None:
    """The header as the literal it must be; None, with a finding, if it is something else.

    Raises:
        Malformed: it is a literal of another kind.
    """
    import ast

    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Malformed("its header is no Python literal", 10) from None
    try:
        header = ast.literal_eval(tree)
    except (ValueError, TypeError, RecursionError, MemoryError):
        context.find(HEADER, f"evaluating its header runs `{text.strip()[:200]}`", offset=10)
        return None
    shape = header.get("shape") if isinstance(header, dict) else None
    if (
        not isinstance(header, dict)
        or "descr" not in header
        or not isinstance(shape, tuple)
        or not all(type(axis) is int and 0 <= axis < 1 << 62 for axis in shape)
    ):
        raise Malformed("its header does not describe an array", 10)
    return header


def _item(dtype: Any, depth: int = 0) -> tuple[int | None, bool]:
    """Bytes of one item as far as they can be told, and whether objects are in it."""
    if depth > 20:
        raise Malformed("its type is nested too deeply", 10)
    if isinstance(dtype, str):
        # `O` in any spelling is an array of objects; a spelling that is not known may be one.
        return code_size(dtype) or (None, "O" in dtype)
    if isinstance(dtype, list):
        parts = [_field(field, depth) for field in dtype]
        sizes = [size for size, _ in parts]
        total = None if None in sizes else sum(size for size in sizes if size is not None)
        return total, any(objects for _, objects in parts)
    if isinstance(dtype, tuple) and len(dtype) == 2:
        # `(base, shape)`, or a type with metadata.
        if isinstance(dtype[1], dict):
            return _item(dtype[0], depth + 1)
        return _field(("", dtype[0], dtype[1]), depth)
    raise Malformed("its type is none that NumPy writes", 10)


def _field(field: Any, depth: int) -> tuple[int | None, bool]:
    """One field of a structured type: name, type and perhaps a shape."""
    if not isinstance(field, tuple) or len(field) not in (2, 3):
        raise Malformed("its type is none that NumPy writes", 10)
    size, objects = _item(field[1], depth + 1)
    count = 1
    if len(field) == 3:
        for axis in field[2] if isinstance(field[2], tuple) else (field[2],):
            if type(axis) is not int or axis < 0:
                raise Malformed("its type is none that NumPy writes", 10)
            count *= axis
    return None if size is None else size * count, objects


def sniff_npz(glance: Glance) -> bool:
    """A zip with a `.npy` member."""
    return hints(glance, _NPZ)


def examine_npz(source: Source, context: Context) -> None:
    """Look at every member like a file of its own."""
    from alcaide.instruments.scan.formats.zip_content import Archive

    stop: ScanStop | None = None
    archive = Archive.read(source, context)
    for entry in archive.files():
        try:
            content = archive.raw(entry) if entry.is_encrypted else archive.content(entry)
            if entry.is_encrypted:
                if content is None or content.read(0, 6) != _MAGIC:
                    raise Encrypted(f"`{entry.name}` is encrypted")
                context.find(FLAGGED, f"`{entry.name}` claims to be encrypted, and is not", member=entry.name)
        except ScanStop as error:
            context.budget.check_time()
            stop = stop or error
            continue
        if content is None:
            continue
        if entry.name.endswith(".npy") and content.read(0, 6) != _MAGIC:
            # NumPy hands out such a member as plain bytes; some readers unpickle what has no magic.
            context.child(entry.name, content, as_format="pickle" if content.read(0, 1) == b"\x80" else None)
        else:
            context.child(entry.name, content)
    if stop is not None:
        raise stop


FORMATS = (
    Format("npy", "NumPy array", sniff, examine, (HEADER, OBJECTS, LENGTH)),
    Format("npz", "NumPy archive", sniff_npz, examine_npz, (FLAGGED, TWICE)),
)
