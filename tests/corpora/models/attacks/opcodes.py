"""An assembler for pickles: each function returns the opcodes that push one thing on the stack.

`pickle.dumps` writes what it likes; an attacker writes opcodes. So does this module, and it checks nothing.
"""

import struct
from typing import Any, TypeAlias

MARK, STOP, POP, POP_MARK, DUP = b"(", b".", b"0", b"1", b"2"
NONE, TRUE, FALSE = b"N", b"\x88", b"\x89"
EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET = b")", b"]", b"}", b"\x8f"
TUPLE, TUPLE1, TUPLE2, TUPLE3, LIST, DICT = b"t", b"\x85", b"\x86", b"\x87", b"l", b"d"
APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS = b"a", b"e", b"s", b"u", b"\x90"
REDUCE, BUILD, NEWOBJ, NEWOBJ_EX, OBJ, STACK_GLOBAL = b"R", b"b", b"\x81", b"\x92", b"o", b"\x93"
MEMOIZE, BINPERSID, FROZENSET = b"\x94", b"Q", b"\x91"

Value: TypeAlias = "str | int | float | bytes | bool | tuple[Value, ...] | list[Any] | dict[Any, Any] | None"


class Code(bytes):
    """Opcodes that push one value, to tell them from bytes that are a value."""


def proto(version: int) -> bytes:
    """The header from protocol 2 on."""
    return b"\x80" + bytes([version])


def text(value: str) -> Code:
    """A text string, in the shortest form that protocol 4 has."""
    raw = value.encode()
    if len(raw) < 256:
        return Code(b"\x8c" + bytes([len(raw)]) + raw)
    return Code(b"X" + struct.pack("<I", len(raw)) + raw)


def raw(value: bytes) -> Code:
    """A byte string."""
    if len(value) < 256:
        return Code(b"C" + bytes([len(value)]) + value)
    return Code(b"B" + struct.pack("<I", len(value)) + value)


def number(value: int) -> Code:
    """A whole number."""
    if 0 <= value < 256:
        return Code(b"K" + bytes([value]))
    if -(2**31) <= value < 2**31:
        return Code(b"J" + struct.pack("<i", value))
    size = value.bit_length() // 8 + 1
    return Code(b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True))


def push(value: Value) -> Code:
    """Any value made of the simple ones; opcodes are passed through."""
    match value:
        case Code():
            return value
        case None:
            return Code(NONE)
        case bool():
            return Code(TRUE if value else FALSE)
        case int():
            return number(value)
        case float():
            return Code(b"G" + struct.pack(">d", value))
        case str():
            return text(value)
        case bytes():
            return raw(value)
        case tuple():
            return Code(MARK + b"".join(map(push, value)) + TUPLE)
        case list():
            return Code(EMPTY_LIST + MARK + b"".join(map(push, value)) + APPENDS)
        case dict():
            return Code(EMPTY_DICT + MARK + b"".join(push(k) + push(v) for k, v in value.items()) + SETITEMS)


def named(module: str, name: str) -> Code:
    """A global by the GLOBAL opcode, whose two names are lines."""
    return Code(b"c" + module.encode() + b"\n" + name.encode() + b"\n")


def stacked(module: Value, name: Value) -> Code:
    """A global by STACK_GLOBAL: either name may be the result of opcodes."""
    return Code(push(module) + push(name) + STACK_GLOBAL)


def call(function: Code | str, *args: Value) -> Code:
    """A call by REDUCE; a function given as `module:name` is pushed by GLOBAL."""
    if isinstance(function, str):
        function = named(*function.split(":"))
    return Code(function + push(args) + REDUCE)


def method(qualified: str, of: Code, *args: Value) -> Code:
    """A call of a method by its dotted name (`module:Class.method`), with the object as first argument."""
    return call(stacked(*qualified.split(":")), of, *args)


def attribute(of: Code, name: str) -> Code:
    """An attribute of what is already there, by `builtins.getattr`."""
    return call("builtins:getattr", of, name)


def put(index: int) -> bytes:
    """Remembers the top of the stack."""
    return b"q" + bytes([index]) if index < 256 else b"r" + struct.pack("<I", index)


def get(index: int) -> Code:
    """Pushes what was remembered."""
    return Code(b"h" + bytes([index]) if index < 256 else b"j" + struct.pack("<I", index))


def stream(*parts: bytes, version: int = 4) -> bytes:
    """A whole pickle."""
    return proto(version) + b"".join(parts) + STOP


def framed(body: bytes) -> bytes:
    """A whole pickle of protocol 4 with its one frame, as `pickle.dumps` lays it out."""
    body += STOP
    return proto(4) + b"\x95" + struct.pack("<Q", len(body)) + body
