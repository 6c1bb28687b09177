"""Runs a pickle symbolically: every opcode does what it does to memo, marks and stack, and nothing is ever called.

It follows CPython's two unpicklers, and where they differ it does what the more forgiving one does: a stream counts as
acting if any loader would act on it. What a pickle did before it broke, it did; so the run ends with a reason and the
calls up to there stand.

Long payloads are skipped, not read, and containers, memo and strings are bounded, so a pickle of any size takes little
memory. Which names are harmless is not known here (`verdict`), nor what follows from a call (`evaluate`).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle import literals
from alcaide.instruments.scan.formats.pickle.actions import Actions
from alcaide.instruments.scan.formats.pickle.values import (
    LONGEST_TEXT,
    MOST_ITEMS,
    PLAIN,
    Blob,
    Global,
    Group,
    Made,
    Numbers,
    Persistent,
    Table,
    Unknown,
    extend,
)
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

_CHUNK: Final = 1 << 19
_PAD: Final = b"\xff" * 640
"""Follows the last byte of a stream in the buffer: 0xff is no opcode, so the loop needs no look at the end."""

_ROOM: Final = 320
"""No opcode with its short argument is longer; longer arguments are looked at one by one."""

_MOST_STACK: Final = 3_000_000
_MOST_LISTS: Final = 800_000
"""Lists and dictionaries on the stack, each of which takes as much room here as ten numbers."""
_MOST_MEMO: Final = 8_000_000
_MEMO_KEPT: Final = 500_000
"""Memo entries that are kept whole; of later ones, plain values are forgotten."""

_LISTS_KEPT: Final = 200_000
"""Memo entries of which lists are kept too; of later ones, those that hold plain values alone are forgotten."""

_LONGEST_LINE: Final = 1 << 16
_RUN_FROM: Final = 1_500

# Numbers and truth values between a mark and the opcode that takes them: read by the regular-expression engine, where
# nobody needs each of them. Possessive, so that a long run costs no memory.
_RUN: Final = regex(rb"(?:K[\s\S]|M[\s\S]{2}|J[\s\S]{4}|G[\s\S]{8}|[N\x88\x89]){160,}+(?=[et])")

_NUMBERS: Final = frozenset(b"KMJGN\x88\x89")

_U4 = struct.Struct("<I").unpack_from
_I4 = struct.Struct("<i").unpack_from
_U8 = struct.Struct("<Q").unpack_from
_F8 = struct.Struct(">d").unpack_from

_FORGOTTEN = Unknown("it was forgotten, in a memo of that many entries")
_LISTS: Final = frozenset({list, tuple, Table, Group})


def _plain_items(value: Any, most: int = MOST_ITEMS * 2) -> list[Any] | tuple[Any, ...] | None:
    """What a list, tuple, dictionary or set holds; None for anything else, and for what is longer."""
    kind = value.__class__
    if kind is list or kind is tuple:
        items = value
    elif kind is Table:
        items = value.flat
    elif kind is Group:
        items = value.items
    else:
        return None
    return items if len(items) <= most else None


def _is_plain(items: list[Any] | tuple[Any, ...]) -> bool:
    """Whether nothing acts among items, nor among those of the few short lists among a few of them."""
    for one in items:
        if one.__class__ not in PLAIN and one is not _FORGOTTEN:
            inner = _plain_items(one, 8) if len(items) <= 8 else None
            if inner is None or not all(below.__class__ in PLAIN for below in inner):
                return False
    return True


class Machine:
    """One pickle, from its first opcode to its STOP."""

    def __init__(self, source: Source, context: Context, actions: Actions) -> None:
        self._source = source
        self._context = context
        self.actions = actions
        self.size = source.size
        self.protocol = 0
        self.persistent = 0
        self.stopped = -1
        """Where the pickle ended, if it did."""
        self.memo_bomb: tuple[int, int] | None = None
        self._at = 0
        self._base = 0
        self._data = b""
        self._soft = 0
        self._memo: list[Any] = []
        self._far: dict[int, Any] = {}
        self._compacted = 0
        self._emptied = 0

    # ── Bytes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill(self, at: int, need: int = 0) -> bytes:
        """The buffer from `at` on: all of a short rest, else a chunk that holds at least `need` bytes."""
        self._context.tick(2048)
        rest = self.size - at
        if rest <= 0:
            if at > self.size:
                raise Truncated("an opcode's argument reaches beyond the end", self.size)
            self._base, self._data, self._soft = at, _PAD, len(_PAD)
            return _PAD
        length = max(_CHUNK, need)
        data = self._source.read(at, length)
        if len(data) >= rest or not data:
            self._data, self._soft = data + _PAD, len(data) + len(_PAD)
        else:
            self._data, self._soft = data, max(1, len(data) - _ROOM)
        self._base = at
        self._compact()
        return self._data

    def _compact(self) -> None:
        """Let go of what a very long memo holds beside names that may still be fetched."""
        memo = self._memo
        if len(memo) + len(self._far) > _MOST_MEMO:
            raise OverBudget(f"it remembers more than {_MOST_MEMO:,} things")
        if len(memo) > _LISTS_KEPT:
            for index in range(max(self._emptied, _LISTS_KEPT), len(memo)):
                items = _plain_items(memo[index])
                if items is not None:
                    self._context.tick(len(items) + 1)
                    if _is_plain(items):
                        memo[index] = _FORGOTTEN
            self._emptied = len(memo)
        if len(memo) <= _MEMO_KEPT:
            return
        for index in range(max(self._compacted, _MEMO_KEPT), len(memo)):
            if memo[index].__class__ in (str, bytes, int, float):
                memo[index] = _FORGOTTEN
        self._compacted = len(memo)

    def _line(self, pos: int) -> tuple[bytes, int]:
        """A line of the text protocol without its end, and the position after it."""
        end = self._data.find(b"\n", pos)
        if end < 0 or self._base + end >= self.size:
            at = self._base + pos
            data = self._fill(at, _LONGEST_LINE)
            pos = 0
            end = data.find(b"\n")
            if end < 0 or at + end >= self.size:
                return self._long_line(at)
        return self._data[pos:end], end + 1

    def _long_line(self, at: int) -> tuple[bytes, int]:
        """The beginning of a line too long to hold, found by looking for its end chunk by chunk."""
        first = b""
        start = at
        while piece := self._source.read(at, _CHUNK):
            self._context.tick(64)
            first = first or piece[:LONGEST_TEXT]
            end = piece.find(b"\n")
            if end >= 0:
                self._fill(at + end + 1)
                # A string that is cut is still one: it hides nothing that comes after it.
                return first + first[:1] if first[:1] in (b"'", b'"') else first, 0
            at += len(piece)
        raise Truncated("a line has no end", start)

    # ── The run ──────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, start: int = 0) -> int:
        """Follow the opcodes from `start` to STOP and give back the position after it.

        Raises:
            Truncated: the stream ends before its STOP.
            Malformed: an opcode that no unpickler can execute.
        """
        try:
            return self._run(start)
        except IndexError:
            raise Malformed("it takes from a stack that is empty", self._here()) from None
        except UnicodeDecodeError:
            # A kind of ValueError, with a reason of its own.
            raise self._broken("a string is not UTF-8") from None
        except (ValueError, struct.error):
            raise self._broken("a number cannot be read") from None

    def _here(self) -> int:
        return min(self._at, self.size)

    def _broken(self, what: str) -> Malformed | Truncated:
        """Malformed, or truncated if the argument that could not be read reaches into the end."""
        if self.size - self._at < _ROOM and self._base + len(self._data) - len(_PAD) >= self.size:
            return Truncated(f"it ends in the middle ({what})", self._here())
        return Malformed(what, self._here())

    def _run(self, start: int) -> int:  # noqa: C901 - one branch an opcode, in one loop for speed
        self._at = start
        data = self._fill(start)
        pos = 0
        soft = self._soft
        stack: list[Any] = []
        marks: list[list[Any]] = []
        memo = self._memo
        far = self._far
        push = stack.append
        actions = self.actions
        try:
            while True:
                if pos >= soft:
                    data = self._fill(self._base + pos)
                    pos, soft = 0, self._soft
                    if len(stack) > _MOST_STACK or len(marks) > _MOST_STACK:
                        raise OverBudget(f"its stack grows beyond {_MOST_STACK:,} things")
                    if (
                        len(stack) > _MOST_LISTS
                        and sum(one.__class__ in _LISTS for one in stack) > _MOST_LISTS
                    ):
                        raise OverBudget(f"its stack grows beyond {_MOST_LISTS:,} lists")
                op = data[pos]
                pos += 1
                # Most frequent first, as counted over models of the usual libraries.
                if op == 0x94:  # MEMOIZE
                    if far:
                        self._put(len(memo) + len(far), stack[-1], self._base + pos)
                    else:
                        memo.append(stack[-1])
                elif op == 0x71:  # BINPUT
                    index = data[pos]
                    pos += 1
                    if index == len(memo) and not far:
                        memo.append(stack[-1])
                    else:
                        self._put(index, stack[-1], self._base + pos)
                elif op == 0x8C:  # SHORT_BINUNICODE
                    end = pos + 1 + data[pos]
                    push(data[pos + 1 : end].decode("utf-8", "surrogatepass"))
                    pos = end
                elif op == 0x4B:  # BININT1
                    push(data[pos])
                    pos += 1
                elif op == 0x68:  # BINGET
                    index = data[pos]
                    pos += 1
                    push(memo[index] if index < len(memo) else self._get(index))
                elif op == 0x58:  # BINUNICODE
                    (length,) = _U4(data, pos)
                    pos += 4
                    if length <= LONGEST_TEXT and pos + length < soft:
                        push(data[pos : pos + length].decode("utf-8", "surrogatepass"))
                        pos += length
                    else:
                        self._at = self._base + pos
                        push(self._payload(self._at, length, text=True))
                        pos += length
                elif op == 0x47:  # BINFLOAT
                    push(_F8(data, pos)[0])
                    pos += 8
                elif op == 0x28:  # MARK
                    run = _RUN.match(data, pos) if data[pos] in _NUMBERS else None
                    if run is not None and run.end() - pos > _RUN_FROM and run.end() < soft:
                        # What follows is taken by APPENDS or TUPLE at once; only how many there are matters.
                        numbers = Numbers(run.end() - pos)
                        pos = run.end() + 1
                        if data[pos - 1] == 0x65:
                            target = stack[-1]
                            if target.__class__ is list:
                                extend(target, [numbers])
                            else:
                                self._at = self._base + pos
                                actions.append(target, [numbers], self._at)
                        else:
                            push((numbers,))
                    else:
                        marks.append(stack)
                        stack = []
                        push = stack.append
                elif op == 0x4A:  # BININT
                    push(_I4(data, pos)[0])
                    pos += 4
                elif op == 0x4D:  # BININT2
                    push(data[pos] | data[pos + 1] << 8)
                    pos += 2
                elif op == 0x4E:  # NONE
                    push(None)
                elif op == 0x75:  # SETITEMS
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    self._at = self._base + pos
                    self._set(stack[-1], items)
                elif op == 0x73:  # SETITEM
                    value = stack.pop()
                    key = stack.pop()
                    self._at = self._base + pos
                    self._set(stack[-1], [key, value])
                elif op == 0x85:  # TUPLE1
                    stack[-1] = (stack[-1],)
                elif op == 0x86:  # TUPLE2
                    second = stack.pop()
                    stack[-1] = (stack[-1], second)
                elif op == 0x87:  # TUPLE3
                    third = stack.pop()
                    second = stack.pop()
                    stack[-1] = (stack[-1], second, third)
                elif op == 0x74:  # TUPLE
                    made = tuple(stack) if len(stack) <= MOST_ITEMS else _cut(stack)
                    stack = marks.pop()
                    push = stack.append
                    push(made)
                elif op == 0x65:  # APPENDS
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    target = stack[-1]
                    if target.__class__ is list:
                        extend(target, items)
                    else:
                        self._at = self._base + pos
                        actions.append(target, items, self._at)
                elif op == 0x61:  # APPEND
                    item = stack.pop()
                    target = stack[-1]
                    if target.__class__ is list:
                        if len(target) < MOST_ITEMS:
                            target.append(item)
                        else:
                            extend(target, [item])
                    else:
                        self._at = self._base + pos
                        actions.append(target, [item], self._at)
                elif op == 0x52:  # REDUCE
                    args = stack.pop()
                    self._at = self._base + pos
                    stack[-1] = actions.call(stack[-1], args, "reduce", self._at - 1)
                elif op == 0x62:  # BUILD
                    state = stack.pop()
                    self._at = self._base + pos
                    onward = actions.build(stack[-1], state, self._at)
                    if onward is not None:
                        data = self._fill(onward)
                        pos, soft = 0, self._soft
                elif op == 0x81:  # NEWOBJ
                    args = stack.pop()
                    self._at = self._base + pos
                    stack[-1] = actions.new(stack[-1], args, None, self._at - 1)
                elif op == 0x93:  # STACK_GLOBAL
                    name = stack.pop()
                    module = stack.pop()
                    self._at = self._base + pos
                    push(actions.fetch(module, name, self._at - 1))
                elif op == 0x63:  # GLOBAL
                    self._at = self._base + pos
                    (module, name), pos = self._two_lines(pos)
                    data, soft = self._data, self._soft
                    push(actions.fetch(module, name, self._at - 1))
                elif op == 0x7D:  # EMPTY_DICT
                    push(Table())
                elif op == 0x5D:  # EMPTY_LIST
                    push([])
                elif op == 0x29:  # EMPTY_TUPLE
                    push(())
                elif op == 0x88:  # NEWTRUE
                    push(True)
                elif op == 0x89:  # NEWFALSE
                    push(False)
                elif op == 0x6A:  # LONG_BINGET
                    (index,) = _U4(data, pos)
                    pos += 4
                    push(memo[index] if index < len(memo) else self._get(index))
                elif op == 0x72:  # LONG_BINPUT
                    (index,) = _U4(data, pos)
                    pos += 4
                    if index == len(memo) and not far:
                        memo.append(stack[-1])
                    else:
                        self._put(index, stack[-1], self._base + pos)
                elif op in _PAYLOADS:
                    width, text = _PAYLOADS[op]
                    length = int.from_bytes(data[pos : pos + width], "little", signed=op == 0x54)
                    pos += width
                    self._at = self._base + pos
                    if length < 0:
                        raise Malformed("a string says it has a negative length", self._at)
                    if length <= LONGEST_TEXT and pos + length < soft:
                        raw = data[pos : pos + length]
                        push(_decoded(raw, text))
                        pos += length
                    else:
                        # Where it reaches beyond the buffer, the next turn of the loop reads on after it.
                        push(self._payload(self._at, length, text=text != "bytes"))
                        pos += length
                elif op == 0x2E:  # STOP
                    self._at = self._base + pos
                    if self._at > self.size:
                        raise Truncated("it ends before its STOP", self.size)
                    stack[-1]
                    actions.result = stack[-1]
                    self.stopped = self._at
                    return self._at
                elif op == 0x80:  # PROTO
                    self._at = self._base + pos
                    version = data[pos]
                    pos += 1
                    if version > 5:
                        raise Malformed(f"it claims protocol {version}, which no unpickler knows", self._at)
                    self.protocol = version
                    actions.protocol = version
                elif op == 0x95:  # FRAME
                    (length,) = _U8(data, pos)
                    pos += 8
                    if self._base + pos + length > self.size:
                        actions.frame_beyond = self._base + pos - 9
                elif op == 0x30:  # POP
                    if stack:
                        stack.pop()
                    else:
                        stack = marks.pop()
                        push = stack.append
                elif op == 0x31:  # POP_MARK
                    stack = marks.pop()
                    push = stack.append
                elif op == 0x32:  # DUP
                    push(stack[-1])
                elif op == 0x8F:  # EMPTY_SET
                    push(Group([]))
                elif op == 0x90:  # ADDITEMS
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    self._at = self._base + pos
                    if stack[-1].__class__ is Group:
                        stack[-1].add(items)
                        self._hashed(items)
                    elif items:  # without any, both unpicklers leave it alone
                        actions.add_items(stack[-1], items, self._at)
                elif op == 0x91:  # FROZENSET
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    self._at = self._base + pos
                    self._hashed(items)
                    push(Group(items))
                elif op == 0x6C:  # LIST
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    made_list: list[Any] = []
                    extend(made_list, items)
                    push(made_list)
                elif op == 0x64:  # DICT
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    self._at = self._base + pos
                    table = Table()
                    self._set(table, items)
                    push(table)
                elif op == 0x92:  # NEWOBJ_EX
                    kwargs = stack.pop()
                    args = stack.pop()
                    self._at = self._base + pos
                    stack[-1] = actions.new(stack[-1], args, kwargs, self._at - 1)
                elif op == 0x6F:  # OBJ
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    self._at = self._base + pos
                    push(actions.instantiate(items[0], tuple(items[1:]), self._at - 1))
                elif op == 0x69:  # INST
                    self._at = self._base + pos
                    (module, name), pos = self._two_lines(pos)
                    data, soft = self._data, self._soft
                    items = stack
                    stack = marks.pop()
                    push = stack.append
                    made_by = actions.fetch(module, name, self._at - 1)
                    push(actions.instantiate(made_by, tuple(items), self._at - 1))
                elif op == 0x51:  # BINPERSID
                    self.persistent += 1
                    stack[-1] = actions.persistent(stack[-1])
                elif op == 0x50:  # PERSID
                    self._at = self._base + pos
                    line, pos = self._line(pos)
                    data, soft = self._data, self._soft
                    self.persistent += 1
                    push(Persistent(line.decode("ascii", "replace")))
                elif op in _LINES:
                    self._at = self._base + pos
                    line, pos = self._line(pos)
                    data, soft = self._data, self._soft
                    if op == 0x70:  # PUT
                        self._put(literals.index(line), stack[-1], self._base + pos)
                    elif op == 0x67:  # GET
                        push(self._get(literals.index(line)))
                    else:
                        push(_LINES[op](line))
                elif op == 0x8A or op == 0x8B:  # LONG1, LONG4
                    width = 1 if op == 0x8A else 4
                    length = data[pos] if width == 1 else _I4(data, pos)[0]
                    pos += width
                    self._at = self._base + pos
                    if length < 0:
                        raise Malformed("a number says it has a negative length", self._at)
                    if length <= 256:
                        push(int.from_bytes(data[pos : pos + length], "little", signed=True))
                        pos += length
                    else:
                        if self._at + length > self.size:
                            raise Truncated("a number reaches beyond the end", self._at)
                        push(Unknown("a very large number"))
                        pos += length
                elif op in _EXTENSIONS:
                    width = _EXTENSIONS[op]
                    code = int.from_bytes(data[pos : pos + width], "little")
                    pos += width
                    self._at = self._base + pos
                    push(actions.extension(code, self._at))
                elif op == 0x97:  # NEXT_BUFFER
                    push(Persistent("out-of-band buffer"))
                elif op == 0x98:  # READONLY_BUFFER
                    stack[-1]
                else:
                    self._at = self._base + pos - 1
                    if self._at >= self.size:
                        raise Truncated("it ends before its STOP", self.size)
                    raise Malformed(f"byte 0x{op:02x} is no opcode", self._at)
        except (IndexError, ValueError, struct.error):
            self._at = self._base + min(pos, len(data))
            raise

    # ── Pieces of it ─────────────────────────────────────────────────────────────────────────────────────────────

    def _payload(self, at: int, length: int, *, text: bool) -> Blob:
        """A long string, left where it is."""
        if at + length > self.size:
            raise Truncated(f"a string of {length:,} bytes reaches beyond the end", at)
        return Blob(self._source, at, length, text=text)

    def _two_lines(self, pos: int) -> tuple[tuple[str, str], int]:
        """Module and name, on a line each."""
        module, pos = self._line(pos)
        name, pos = self._line(pos)
        return (module.decode("utf-8"), name.decode("utf-8")), pos

    def _put(self, index: int, value: Any, at: int) -> None:
        """Remember a value out of turn."""
        memo = self._memo
        if index < len(memo):
            memo[index] = value
            return
        if index == len(memo) and index not in self._far and not self._far:
            memo.append(value)
            return
        # No pickler numbers higher than it has written opcodes; CPython makes room for all the numbers below.
        if index > at and index >= 1 << 20 and (self.memo_bomb is None or index > self.memo_bomb[0]):
            self.memo_bomb = (index, at)
        self._far[index] = value

    def _get(self, index: int) -> Any:
        """What was remembered under a number."""
        if 0 <= index < len(self._memo):
            return self._memo[index]
        try:
            return self._far[index]
        except KeyError:
            raise Malformed(f"it asks for memo entry {index}, which was never made", self._here()) from None

    def _set(self, target: Any, items: list[Any]) -> None:
        """SETITEMS on a dictionary, or on something else that has `__setitem__`."""
        if len(items) & 1:
            items = items[:-1]
        if target.__class__ is not Table:
            self.actions.set_items(target, items, self._at)
            return
        target.update(items)
        self._hashed(items[::2])

    def _hashed(self, keys: list[Any]) -> None:
        """Keys and members are hashed: for those of a class that the pickle itself made, that is a call."""
        if Made not in set(map(type, keys)):
            return
        for key in keys:
            if key.__class__ is Made and key.callable.__class__ is not Global:
                self.actions.special(key, "__hash__", (), self._at)


def _cut(items: list[Any]) -> tuple[Any, ...]:
    """A long tuple, bounded."""
    kept: list[Any] = []
    extend(kept, items)
    return tuple(kept)


def _decoded(raw: bytes, text: str) -> str | bytes:
    if text == "bytes":
        return raw
    if text == "utf-8":
        return raw.decode("utf-8", "surrogatepass")
    # STRING of Python 2: text to one unpickler, bytes to another.
    return raw.decode("latin-1")


# Opcodes with a length before their bytes: width of the length, and what the bytes are.
_PAYLOADS: Final = {
    0x43: (1, "bytes"),  # SHORT_BINBYTES
    0x42: (4, "bytes"),  # BINBYTES
    0x8E: (8, "bytes"),  # BINBYTES8
    0x96: (8, "bytes"),  # BYTEARRAY8
    0x55: (1, "string"),  # SHORT_BINSTRING
    0x54: (4, "string"),  # BINSTRING
    0x8D: (8, "utf-8"),  # BINUNICODE8
}

# Opcodes with a line of text. PUT and GET are handled where they are met.
_LINES: Final[dict[int, Any]] = {
    0x49: literals.int_,
    0x4C: literals.long,
    0x53: literals.string,
    0x46: literals.float_,
    0x56: literals.unicode,
    0x70: None,
    0x67: None,
}

_EXTENSIONS: Final = {0x82: 1, 0x83: 2, 0x84: 4}
