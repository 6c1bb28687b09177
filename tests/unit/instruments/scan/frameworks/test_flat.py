"""FlatBuffers, every offset checked."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.instruments.scan.flat import Buffer
from alcaide.instruments.scan.limits import ScanStop
from alcaide.instruments.scan.source import Memory
from tests.corpora.models.attacks.wire import Table, flatbuffer


def free(_steps):
    """Pays for nothing."""


def a_buffer(root):
    return Buffer(Memory(flatbuffer(root, b"TEST")), free)


def test_fields_are_found_by_their_slots():
    root = a_buffer(Table({0: 7, 2: "text", 3: [Table({0: 1}), Table({0: 2})], 5: b"raw"})).root()

    assert root.number(0) == 7
    assert root.number(1, default=9) == 9
    assert root.text(2) == "text"
    assert [table.number(0) for table in root.tables(3)] == [1, 2]
    assert root.bytes(5) == b"raw"
    assert root.text(40) == ""


def test_strings_of_a_list_are_read():
    assert list(a_buffer(Table({0: ["a", "bc"]})).root().texts(0)) == ["a", "bc"]


@pytest.mark.parametrize("offset", [0x7FFFFFF0, 0xFFFFFFFF])
def test_a_root_out_of_the_file_is_told(offset):
    with pytest.raises(ScanStop):
        Buffer(Memory(struct.pack("<I", offset) + bytes(60)), free).root()


def test_a_list_longer_than_the_file_is_told():
    data = bytearray(flatbuffer(Table({0: [1, 2, 3]}), b"TEST"))
    at = data.index(struct.pack("<IIII", 3, 1, 2, 3))
    data[at : at + 4] = struct.pack("<I", 1 << 30)

    with pytest.raises(ScanStop, match="1,073,741,824 elements"):
        list(Buffer(Memory(bytes(data)), free).root().tables(0))


@given(st.binary(min_size=8, max_size=300))
def test_any_bytes_are_tables_or_an_error(data):
    try:
        root = Buffer(Memory(data), free).root()
        for slot in range(6):
            root.text(slot)
            for table in root.tables(slot):
                table.number(0)
    except ScanStop:
        pass
