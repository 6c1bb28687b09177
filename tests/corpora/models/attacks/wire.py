"""Protocol buffers, FlatBuffers and HDF5, written without the libraries: as much of each as the attacks need."""

import struct
from dataclasses import dataclass
from typing import TypeAlias

# ── Protocol buffers ─────────────────────────────────────────────────────────────────────────────────────────────


def varint(value: int) -> bytes:
    """A number in groups of seven bits."""
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """One field: a number as varint, a float in four bytes, anything else with its length."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def message(*fields: tuple[int, int | float | str | bytes]) -> bytes:
    """A message of the fields given, in that order."""
    return b"".join(field(number, value) for number, value in fields)


# ── FlatBuffers ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its fields by number. Numbers are stored as 32 bits, which readers of smaller fields accept."""

    fields: "dict[int, Flat]"


Flat: TypeAlias = "Table | list[Flat] | str | bytes | int"


def flatbuffer(root: Table, identifier: bytes) -> bytes:
    """A buffer with that root and file identifier."""
    out = bytearray(4) + identifier
    struct.pack_into("<I", out, 0, _place(out, root))
    return bytes(out)


def _place(out: bytearray, value: "Flat") -> int:
    """Appends `value`, and what it refers to behind it; returns its place."""
    out += b"\0" * (-len(out) % 4)
    if isinstance(value, Table):
        return _place_table(out, value)
    place = len(out)
    if isinstance(value, str):
        raw = value.encode()
        out += struct.pack("<I", len(raw)) + raw + b"\0"
    elif isinstance(value, bytes):
        out += struct.pack("<I", len(value)) + value
    elif isinstance(value, list):
        out += struct.pack("<I", len(value))
        _place_slots(out, value)
    else:
        raise TypeError("a bare number has no place of its own; put it in a table or a list")
    return place


def _place_table(out: bytearray, table: Table) -> int:
    numbers = sorted(table.fields)
    slots = {number: 4 + 4 * index for index, number in enumerate(numbers)}
    count = numbers[-1] + 1 if numbers else 0
    vtable = len(out)
    out += struct.pack("<2H", 4 + 2 * count, 4 + 4 * len(numbers))
    out += b"".join(struct.pack("<H", slots.get(number, 0)) for number in range(count))
    out += b"\0" * (-len(out) % 4)
    place = len(out)
    out += struct.pack("<i", place - vtable)
    _place_slots(out, [table.fields[number] for number in numbers])
    return place


def _place_slots(out: bytearray, values: "list[Flat]") -> None:
    start = len(out)
    out += b"\0" * (4 * len(values))
    for index, value in enumerate(values):
        slot = start + 4 * index
        if isinstance(value, int):
            struct.pack_into("<i", out, slot, value)
        else:
            struct.pack_into("<I", out, slot, _place(out, value) - slot)


# ── HDF5 ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _padded(raw: bytes) -> bytes:
    return raw + b"\0" * (-len(raw) % 8)


def _attribute(name: str, value: bytes) -> bytes:
    """A message of an object header: an attribute that is one string of fixed length."""
    key = name.encode() + b"\0"
    kind = struct.pack("<BBBBI", 0x13, 0, 0, 0, len(value))
    space = bytes([1, 0, 0, 0, 0, 0, 0, 0])
    body = (
        struct.pack("<BBHHH", 1, 0, len(key), len(kind), len(space))
        + _padded(key)
        + _padded(kind)
        + space
        + value
    )
    body = _padded(body)
    return struct.pack("<HHB3x", 0x000C, len(body), 0) + body


def hdf5(attributes: dict[str, bytes]) -> bytes:
    """An HDF5 file whose root group is empty and has these attributes: what a Keras model's configuration is."""
    undefined = b"\xff" * 8
    header, tree, heap, data = 96, 0, 0, 0
    table = struct.pack("<HHB3x", 0x0011, 16, 0)
    messages = b"".join(_attribute(name, value) for name, value in attributes.items())
    size = len(messages) + len(table) + 16
    tree = header + 16 + size
    # A node of the group's tree has room for 2·16 children and one key more.
    heap = tree + 24 + 8 + 32 * 16
    data = heap + 32
    end = data + 88
    count = len(attributes) + 1
    superblock = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    superblock += struct.pack("<Q", 0) + undefined + struct.pack("<Q", end) + undefined
    superblock += struct.pack("<QQII", 0, header, 1, 0) + struct.pack("<QQ", tree, heap)
    objects = struct.pack("<BBHII4x", 1, 0, count, 1, size)
    objects += table + struct.pack("<QQ", tree, heap) + messages
    node = b"TREE" + bytes([0, 0]) + struct.pack("<H", 0) + undefined * 2
    node = node.ljust(heap - tree, b"\0")
    names = b"HEAP" + bytes(4) + struct.pack("<QQQ", 88, 8, data)
    free = struct.pack("<8xQQ", 1, 80).ljust(88, b"\0")
    return (superblock + objects).ljust(tree, b"\0") + node + names + free
