"""HDF5 files: Keras's older models and all weights, pandas and PyTables stores, data sets.

Such a file can lead elsewhere (links to other files, values that lie outside, virtual datasets), carry a model's
configuration (judged as every Keras configuration), and carry pickles: PyTables and pandas keep attributes and columns
of objects that way, and unpickle them when they are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Memory, chunks

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.hdf5 import Attribute, Item
    from alcaide.instruments.scan.source import Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

OUTSIDE = Rule(
    "hdf5/outside-file",
    Level.CRITICAL,
    "values lie in another file",
    "Whoever opens the dataset opens the file it names, and takes what is in it for weights, which can be handed on.",
    "Do not load it; ask for a file that holds its own values.",
    ("cwe/CWE-73", "cwe/CWE-22", *_TAXONOMY),
)
USER_LINK = Rule(
    "hdf5/user-link",
    Level.MEDIUM,
    "a link of a kind that is not HDF5's own",
    "Following it calls code that somebody registered for that kind.",
    "Find out what follows such links, or get a file without them.",
    ("cwe/CWE-829", *_TAXONOMY),
)
FILTER = Rule(
    "hdf5/filter",
    Level.LOW,
    "values need a filter that is not registered",
    "Reading them loads a plug-in of that number from the reader's own plug-in folders.",
    "Make sure that those folders hold only what you put there.",
    ("cwe/CWE-829", *_TAXONOMY),
)

_KNOWN_FILTERS = frozenset(range(1, 7)) | frozenset(range(32_000, 32_100)) | {305, 307, 257}
"""HDF5's own, and the range The HDF Group registers (32000 and up; 257, 305 and 307 are old ones)."""

_OBJECTS = 200_000
_PICKLED_TEXT = regex(rb"(?:c[\w.]+\n[\w.]+\n|i[\w.]+\n[\w.]+\n|\(?[lditp(S]|[VSIL]|N\.|\]|\})", re.DOTALL)
"""How a pickle of protocol 0 can begin; PyTables unpickles every text attribute that ends with a full stop."""
_PICKLES = 5_000


def _sniff(glance: Glance) -> bool:
    return _start(glance) is not None


def _start(glance: Glance) -> int | None:
    """Where the superblock is: at the start, or at 512 doubled as often as a block before it needs (II.A)."""
    head = glance.head
    if head.startswith(SIGNATURE):
        return 0
    if SIGNATURE in head:
        at = 512
        while at + 8 <= len(head):
            if head[at : at + 8] == SIGNATURE:
                return at
            at *= 2
    if glance.lower_name.endswith((".h5", ".hdf5", ".keras", ".hdf", ".he5", ".nc")):
        at = len(head)
        while at + 8 <= glance.size:
            if glance.source.read(at, 8) == SIGNATURE:
                return at
            at *= 2
    return None


def examine(source: Source, context: Context) -> None:
    """Walk all objects; judge links, storage and attributes; give configurations and pickles to their readers."""
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.hdf5 import Item, Reader

    start = _start(Glance(source, context.node.name))
    reader = Reader(source, context.tick, start or 0)
    stop: Malformed | Truncated | None = None
    counts = {"groups": 0, "datasets": 0}
    shapes: dict[str, str] = {}
    filters: set[int] = set()
    pytables = objects = False
    for count, item in enumerate(reader.items()):
        if count > _OBJECTS:
            raise OverBudget(f"it holds more than {_OBJECTS:,} objects")
        if not isinstance(item, Item):
            stop = stop or item
            continue
        stop = stop or item.problem
        counts["datasets" if item.is_dataset else "groups"] += 1
        if item.is_dataset and len(shapes) < 60:
            shapes[item.path] = "×".join(map(str, item.shape or ())) or "one"
        _links(item, context)
        _storage(item, context)
        filters.update(item.storage.filters)
        for attribute in item.attributes:
            if item.path == "" and attribute.name == "PYTABLES_FORMAT_VERSION":
                pytables = True
            if attribute.name == "PSEUDOATOM" and attribute.values[:1] in ([b"object"], [b"object\0"]):
                objects = True
            _attribute(item, attribute, context, pytables=pytables)
    context.fact(**counts, shapes=shapes)
    for number in sorted(filters - _KNOWN_FILTERS)[:10]:
        context.find(FILTER, f"its values need filter {number}, which a plug-in has to bring", filter=number)
    if objects:
        _pickled_objects(source, context)
    if stop is not None:
        raise stop
    if reader.is_cut:
        raise Truncated("the file is shorter than it says it is", source.size)


def _links(item: Item, context: Context) -> None:
    for link in item.links:
        if link.kind == "external":
            why = leads_out(link.file)
            context.find(
                OUTSIDE,
                f"reading `{item.path}/{link.name}` opens the file `{link.file}`"
                + (f" ({why})" if why else ""),
                level=Level.CRITICAL if why else Level.MEDIUM,
                place=f"{item.path}/{link.name}".strip("/"),
                path=link.file,
                object=link.target,
            )
        elif link.kind == "user":
            context.find(
                USER_LINK,
                f"`{item.path}/{link.name}` is a link of {link.target}, which is none of HDF5's own",
                place=f"{item.path}/{link.name}".strip("/"),
            )


def _storage(item: Item, context: Context) -> None:
    for name, how in [(name, "lie") for name in item.storage.external] + [
        (name, "come from") for name in item.storage.sources
    ]:
        why = leads_out(name)
        context.find(
            OUTSIDE,
            f"reading `{item.path}` opens the file `{name}`: its values {how}"
            + (" there" if how == "lie" else " there, among others")
            + (f", and {why}" if why else ""),
            level=Level.CRITICAL if why else Level.HIGH,
            place=item.path.strip("/"),
            path=name,
        )


def _attribute(item: Item, attribute: Attribute, context: Context, *, pytables: bool) -> None:
    if attribute.name in ("keras_version", "backend") and item.path == "" and attribute.values:
        context.fact(**{attribute.name: attribute.values[0][:40].rstrip(b"\0").decode("utf-8", "replace")})
    place = f"{item.path}@{attribute.name}".strip("/")
    if attribute.name == "model_config" and not attribute.whole:
        raise OverBudget("its attribute `model_config` is too long to be read")
    for value in attribute.values:
        context.tick()
        if not value:
            continue
        first = value[:64].lstrip()[:1]
        if first == b"{" and (
            attribute.name in ("model_config", "training_config")
            or b'"class_name"' in value
            or b"\\u00" in value
        ):
            context.child(place, Memory(value.rstrip(b"\0")), as_format="keras-config")
        elif _is_pickle(value, pytables=pytables):
            context.child(place, Memory(value), as_format="pickle")


def _is_pickle(value: bytes, *, pytables: bool) -> bool:
    """Whether a reader would unpickle a value: by its mark, or in PyTables' way, by its last byte."""
    if len(value) < 3:
        return False
    if value[0] == 0x80 and value[1] in (1, 2, 3, 4, 5):
        return True
    return (
        pytables
        and value.endswith(b".")
        and _PICKLED_TEXT.match(value) is not None
        and not _plain_words(value)
    )


def _plain_words(value: bytes) -> bool:
    """Whether it is a sentence: letters and spaces on one line, which no pickle of protocol 0 is."""
    return b"\n" not in value and value != b"N." and not value.startswith((b"]", b"}", b"("))


def _pickled_objects(source: Source, context: Context) -> None:
    """A column of objects: each lies as a pickle in a global heap. They are found by the heaps' signature."""
    at = 0
    count = 0
    carried = b""
    for piece in chunks(source):
        data = carried + piece
        base = at - len(carried)
        place = data.find(b"GCOL\x01\0\0\0")
        while place >= 0:
            for start, size in _heap(source, base + place):
                context.tick()
                if source.read(start, 1) == b"\x80":
                    count += 1
                    if count > _PICKLES:
                        raise OverBudget(f"it holds more than {_PICKLES:,} pickled objects")
                    context.child(f"object {count}", Memory(source.read(start, size)), as_format="pickle")
            place = data.find(b"GCOL\x01\0\0\0", place + 8)
        at += len(piece)
        carried = data[-7:]


def _heap(source: Source, at: int) -> list[tuple[int, int]]:
    """(start, size) of the objects of a global heap in a file whose lengths take eight bytes."""
    end = min(at + int.from_bytes(source.read(at + 8, 8), "little"), source.size)
    found = []
    at += 16
    while at + 16 <= end:
        head = source.read(at, 16)
        size = int.from_bytes(head[8:], "little")
        if head[:2] == b"\0\0" or size > min(end - at, 16 << 20):
            break
        found.append((at + 16, size))
        at += 16 + (size + 7) // 8 * 8
    return found


FORMATS = (Format("hdf5", "HDF5", _sniff, examine, (OUTSIDE, USER_LINK, FILTER)),)
