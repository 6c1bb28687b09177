"""R's data: code that runs when somebody looks at an object."""

import gzip
import struct

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look

HEAD = b"X\n" + struct.pack(">iii", 2, 0x40301, 0x20300)
NOTHING = struct.pack(">i", 254)
UNBOUND = struct.pack(">i", 252)
TAG, ATTRIBUTES = 0x400, 0x200


def i(*numbers):
    return struct.pack(f">{len(numbers)}i", *numbers)


def characters(text):
    return i(0x40009, len(text)) + text.encode()


def symbol(name):
    return i(1) + characters(name)


def call(name, text):
    return i(6) + symbol(name) + i(2) + i(16, 1) + characters(text) + NOTHING


def promise(value=UNBOUND):
    return i(5) + value + call("system", "id")


def numbers(*values):
    return i(14, len(values)) + struct.pack(f">{len(values)}d", *values)


def pair(tag, head, tail=NOTHING):
    return i(2 | TAG) + symbol(tag) + head + tail


def environment(frame):
    return i(4, 0) + struct.pack(">i", 242) + frame + NOTHING + NOTHING


def test_numbers_and_lists_are_let_through():
    named = i(19 | ATTRIBUTES, 1) + numbers(1, 2) + pair("names", i(16, 1) + characters("weights"))

    assert is_quiet(look(HEAD + named, "m.rds"))
    assert look(HEAD + named, "m.rds").node.formats == ["r-data"]


@pytest.mark.parametrize(
    "data",
    [promise(), i(19, 2) + numbers(1) + promise(), pair("a", promise()), gzip.compress(HEAD + promise())],
    ids=["by itself", "in a list", "in pairs", "packed"],
)
def test_a_promise_without_a_value_is_critical(data):
    whole = data if data.startswith(b"\x1f\x8b") else HEAD + data

    assert levels(look(whole, "m.rds"), "r/promise") == {Level.CRITICAL}


def test_a_promise_with_a_value_is_let_through():
    assert is_quiet(look(HEAD + promise(numbers(1)), "m.rds"))


def test_an_argument_that_a_function_never_used_is_high():
    assert levels(look(HEAD + environment(pair("x", promise())), "m.rds"), "r/promise") == {Level.HIGH}


def test_a_function_is_only_said():
    closure = i(3 | TAG) + environment(NOTHING) + NOTHING + call("sum", "x")

    assert levels(look(HEAD + closure, "m.rds"), "r/function") == {Level.LOW}


def byte_code():
    code = i(13, 2, 10, 1)
    language = i(6) + symbol("f") + i(13) + i(13, 1, 5) + i(254) + NOTHING
    return i(21, 0) + code + i(2) + i(14) + numbers(1) + language


def test_compiled_code_is_a_functions_body_or_told():
    closure = i(3 | TAG) + environment(NOTHING) + NOTHING + byte_code()

    assert is_quiet(look(HEAD + closure, "m.rds"))
    assert levels(look(HEAD + byte_code(), "m.rds"), "r/bytecode") == {Level.HIGH}


def test_a_workspace_that_replaces_what_r_has_is_told():
    artifact = look(b"RDX2\n" + HEAD + pair("model", numbers(1), pair("print", numbers(1))), "m.RData")

    assert levels(artifact, "r/reserved-binding") == {Level.HIGH}
    assert artifact.node.facts["names"] == ["model", "print"]
    assert is_quiet(look(b"RDX2\n" + HEAD + pair("model", numbers(1)), "m.RData"))


def test_data_that_were_cut_are_unknown():
    assert levels(look(HEAD + numbers(1, 2, 3)[:-4], "m.rds"), "scan/truncated") == {Level.UNKNOWN}


def test_a_list_longer_than_the_file_is_bounded():
    assert "scan/truncated" in found(look(HEAD + i(19, 0x7FFFFFFF), "m.rds"))


def test_text_forms_are_said_to_be_unsupported():
    assert "scan/unsupported" in found(look(b"A\n3\n262657\n197888\n5\nUTF-8\n14\n1\n1\n", "m.rds"))
