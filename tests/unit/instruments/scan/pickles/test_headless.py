"""Pickles of the first protocols have no header: what comes first in them must not hide what they do."""

from __future__ import annotations

import io
import pickle

import pytest

from tests.unit.instruments.scan.looking import found, is_quiet, look

ACTS = b"0cos\nsystem\n(S'true'\ntR."


class Reached(Exception):
    """The unpickler came as far as the call."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        raise Reached


def comes_to_the_call(data: bytes) -> bool:
    try:
        _Unpickler(io.BytesIO(data)).load()
    except Reached:
        return True
    except Exception:  # noqa: BLE001 - whatever else stops it
        return False
    return False


LITERALS = {
    "text": lambda n: b"V" + b"A" * n + b"\n",
    "string": lambda n: b"S'" + b"A" * n + b"'\n",
    "string with quotes in it": lambda n: b'S"' + b"a\"b'" * n + b'"\n',
    "number with zeros before it": lambda n: b"I" + b"0" * n + b"1\n",
    "number after blanks": lambda n: b"I  " + b"0" * n + b"1\n",
    "number to the base of sixteen": lambda n: b"I0x" + b"0" * n + b"1\n",
    "fraction": lambda n: b"F" + b"0" * n + b"1\n",
    "infinity": lambda n: b"F-InFinity\n",
    "bytes with a length": lambda n: b"T" + n.to_bytes(4, "little") + b"a" * n,
    "text with a length": lambda n: b"X" + n.to_bytes(4, "little") + b"a" * n,
    "bytes that can be changed": lambda n: b"\x96" + n.to_bytes(8, "little") + b"a" * n,
    "list": lambda n: b"(" + b"N" * n + b"l",
    "memo": lambda n: b"Np 1_0\n",
}


@pytest.mark.parametrize("length", [1, 700, 9_000, 300_000])
@pytest.mark.parametrize("kind", LITERALS)
def test_a_call_after_a_literal_of_any_length_is_found(kind, length):
    data = LITERALS[kind](length) + ACTS

    assert comes_to_the_call(data)
    assert "pickle/dangerous-callable" in found(look(data, "notes.txt"))


def test_a_call_of_names_from_the_stack_is_found_without_a_header():
    data = b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.more"

    assert comes_to_the_call(data)
    assert "pickle/dangerous-callable" in found(look(data, "notes.txt"))


@pytest.mark.parametrize(
    "text",
    [
        "Very long lines of prose, " * 1_000,
        "V" * 20_000 + "\n" + "Next line.\n",
        "I 5 apples\nI 6 pears\n" * 900,
        "'S quoted'\n" * 900,
        "F1 drivers\nand others\n" * 900,
        "p1\ng1\n" * 5_000,
    ],
)
def test_prose_is_no_pickle_however_long_its_lines_are(text):
    artifact = look(text.encode(), "notes.txt")

    assert "pickle" not in artifact.node.formats
    assert is_quiet(artifact)
