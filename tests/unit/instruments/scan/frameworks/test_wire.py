"""Protocol buffers, read from where they lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.instruments.scan.limits import Malformed, Truncated
from alcaide.instruments.scan.source import Memory
from alcaide.instruments.scan.wire import Message, packed
from tests.corpora.models.attacks.wire import field, message, varint


def free(_steps):
    """Pays for nothing."""


def read(data, **more):
    return Message(Memory(data), free, **more)


class Watched:
    """A source that notes what was read of it."""

    def __init__(self, data):
        self._data = data
        self.size = len(data)
        self.bytes_read = 0

    def read(self, offset, length):
        piece = self._data[offset : offset + length]
        self.bytes_read += len(piece)
        return piece


def test_fields_come_with_their_numbers_and_places():
    data = message((1, 150), (2, "testing"), (3, 1.0))

    fields = list(read(data))

    assert [(number, kind) for number, kind, _, _ in fields] == [(1, 0), (2, 2), (3, 5)]
    assert fields[0][2] == 150
    assert read(data).text(*fields[1][2:]) == "testing"


def test_big_fields_are_stepped_over_without_being_read():
    source = Watched(field(1, bytes(40 << 20)) + field(2, "after"))
    held = Message(source, free)

    (_, _, _, big), (_, _, start, size) = held

    assert big == 40 << 20
    assert held.text(start, size) == "after"
    assert source.bytes_read < 1 << 18


def test_a_message_in_a_long_message_is_read():
    inner = message((1, "name"), (2, bytes(100_000)))
    held = read(b"".join(field(1, inner) for _ in range(30)))

    names = [
        held.message(start, size).text(*held.message(start, size).last(1)[1]) for _, _, start, size in held
    ]

    assert names == ["name"] * 30


def test_of_a_repeated_field_the_last_counts():
    data = message((1, "first"), (1, "second"))

    assert read(data).text(*read(data).last(1)[1]) == "second"


def test_groups_are_stepped_over():
    group = varint(1 << 3 | 3) + field(5, "inside") + varint(1 << 3 | 4)

    assert [number for number, *_ in read(group + field(2, 1))] == [2]


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01",
        b"\x0f",
        b"\x0c",
        b"\x08" + b"\xff" * 11,
        varint(1 << 3 | 3) * 40,
    ],
    ids=["number zero", "type seven", "end of no group", "endless number", "nested groups"],
)
def test_what_is_no_message_is_malformed(data):
    with pytest.raises(Malformed):
        list(read(data, end=len(data), cut=False))


def test_a_length_that_lies_is_malformed_within_a_message_and_truncated_at_the_end_of_the_file():
    lying = varint(1 << 3 | 2) + varint(1000) + b"short"
    outer = read(field(2, lying) + field(3, 1))
    inner = next(outer.message(start, size) for number, _, start, size in outer if number == 2)

    with pytest.raises(Malformed, match="1,000 bytes"):
        list(inner)
    with pytest.raises(Truncated):
        list(read(lying))


def test_packed_numbers_come_one_by_one():
    assert list(packed(varint(1) + varint(300) + b"\x80")) == [1, 300]


@given(st.binary(max_size=400))
def test_any_bytes_are_fields_or_an_error(data):
    for cut in (True, False):
        try:
            for _, kind, start, size in read(data, end=len(data), cut=cut):
                assert kind != 2 or start + size <= len(data)
        except (Malformed, Truncated):
            pass
