"""Lists every global that the benign pickles really name, by library and by how it is reached.

    .venv/bin/python -m tools.scan.record_callables [FOLDER…]

Prints JSON: for each library, `[module, name, how, files]` with `how` one of `called` (REDUCE, OBJ, INST), `made`
(NEWOBJ, NEWOBJ_EX) and `named` (every one of them; those with nothing else are used as plain values). Without
arguments it reads the benign corpus; folders given instead are read as `FOLDER/LIBRARY/…`. Nothing is unpickled:
opcodes are walked with `pickletools.genops`, over a stack of plain values, names, and results nobody computed.
"""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import math
import pickletools
import sys
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from tests.corpora.models import benign


@dataclass(frozen=True, slots=True)
class Named:
    """A global that the pickle names."""

    module: str
    name: str


@dataclass(slots=True)
class Result:
    """What came of a call: nobody ran it, so it is what was called with what."""

    of: Any
    args: Any
    state: Any = None


_MARK = object()
_WRAPPERS = ("joblib.numpy_pickle", "NumpyArrayWrapper")


class Walk:
    """One pickle, walked: a stack of plain values, names, and results nobody computed."""

    def __init__(self, stream: io.BytesIO) -> None:
        self.stream = stream
        self.uses: set[tuple[str, str, str]] = set()
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> None:
        """Plays the pickle to its STOP, over the array bytes that joblib writes among the opcodes."""
        resume = True
        while resume:
            resume = False
            for opcode, argument, _place in pickletools.genops(self.stream):
                self._step(opcode.name, argument)
                if opcode.name == "BUILD" and self._wrapper(self.stack[-1]):
                    self._over_array(self.stack[-1].state)
                    resume = True
                    break

    @staticmethod
    def _wrapper(value: Any) -> bool:
        return isinstance(value, Result) and value.of == Named(*_WRAPPERS)

    def _over_array(self, state: dict[str, Any]) -> None:
        kind = np.dtype(state["dtype"].args[0])
        if kind.hasobject:
            inner = Walk(self.stream)
            inner.run()
            self.uses |= inner.uses
            return
        if state.get("numpy_array_alignment_bytes"):
            self.stream.seek(self.stream.read(1)[0], io.SEEK_CUR)
        self.stream.seek(math.prod(state["shape"]) * kind.itemsize, io.SEEK_CUR)

    def _items(self) -> list[Any]:
        """What lies above the last mark, taken with it."""
        place = (
            len(self.stack) - 1 - next(i for i, value in enumerate(reversed(self.stack)) if value is _MARK)
        )
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _use(self, what: Any, how: str) -> None:
        if isinstance(what, Named):
            self.uses.add((what.module, what.name, how))

    def _call(self, of: Any, args: Any, how: str) -> None:
        self._use(of, how)
        self.stack.append(Result(of, args))

    def _name(self, module: str, name: str) -> None:
        self.stack.append(Named(module, name))
        self._use(self.stack[-1], "named")

    def _step(self, opcode: str, argument: Any) -> None:  # noqa: C901 - one line an opcode
        stack = self.stack
        match opcode:
            case "GLOBAL":
                self._name(*argument.split(" ", 1))
            case "STACK_GLOBAL":
                name, module = stack.pop(), stack.pop()
                self._name(str(module), str(name))
            case "INST":
                items = self._items()
                self._name(*argument.split(" ", 1))
                self._call(stack.pop(), items, "called")
            case "OBJ":
                items = self._items()
                self._call(items[0], items[1:], "called")
            case "REDUCE":
                args, of = stack.pop(), stack.pop()
                self._call(of, args, "called")
            case "NEWOBJ":
                args, of = stack.pop(), stack.pop()
                self._call(of, args, "made")
            case "NEWOBJ_EX":
                stack.pop()
                args, of = stack.pop(), stack.pop()
                self._call(of, args, "made")
            case "BUILD":
                state = stack.pop()
                if isinstance(stack[-1], Result):
                    stack[-1].state = state
            case "MARK":
                stack.append(_MARK)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[int(argument)])
            case "DUP":
                stack.append(stack[-1])
            case "POP" | "BINPERSID":
                stack.pop()
                if opcode == "BINPERSID":
                    stack.append(None)
            case "POP_MARK":
                self._items()
            case "TUPLE" | "FROZENSET":
                stack.append(tuple(self._items()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(opcode[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "EMPTY_TUPLE":
                stack.append(())
            case "LIST":
                stack.append(self._items())
            case "DICT":
                items = self._items()
                stack.append(_pairs(items))
            case "EMPTY_LIST" | "EMPTY_SET":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "APPENDS" | "ADDITEMS":
                self._items()
            case "SETITEMS":
                pairs = _pairs(self._items())
                if isinstance(stack[-1], dict):
                    stack[-1] |= pairs
            case "APPEND":
                stack.pop()
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                if isinstance(stack[-1], dict):
                    stack[-1] |= _pairs([key, value])
            case "NONE" | "PERSID" | "NEXT_BUFFER":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(opcode == "NEWTRUE")
            case "PROTO" | "FRAME" | "STOP" | "READONLY_BUFFER":
                pass
            case _:
                stack.append(argument)


def _pairs(items: list[Any]) -> dict[str, Any]:
    """A dictionary of the entries whose key is a text; the others are of no use here."""
    return {key: value for key, value in zip(items[::2], items[1::2], strict=True) if isinstance(key, str)}


def walked(whole: bytes) -> set[tuple[str, str, str]]:
    """What the pickles of a stretch use, one after another until something is no pickle.

    Raises ValueError or IndexError if not even the first can be walked to its end.
    """
    stream = io.BytesIO(whole)
    walk = Walk(stream)
    walk.run()
    uses = walk.uses
    with contextlib.suppress(ValueError, IndexError, StopIteration, KeyError, AttributeError, TypeError):
        while stream.tell() < len(whole):
            walk = Walk(stream)
            walk.run()
            uses |= walk.uses
    return uses


_PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"\x1f\x8b": gzip.decompress,
    b"BZh": bz2.decompress,
    b"\xfd7zXZ": lzma.decompress,
    b"]\0\0": lzma.decompress,
    b"x": zlib.decompress,
    b'\x04"M\x18': lambda whole: import_module("lz4.frame").decompress(whole),
}
# Archives in archives: a corpus of ordinary models has no more than this.
_DEPTH = 6


def pickles(whole: bytes, depth: int = 0) -> Iterator[bytes]:
    """The stretches of a file that may be pickles: itself, zip members, what a packer hides, object arrays."""
    if depth > _DEPTH:
        return
    if whole.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            for name in archive.namelist():
                yield from pickles(archive.read(name), depth + 1)
        return
    for magic, unpack in _PACKERS.items():
        if whole.startswith(magic):
            with contextlib.suppress(ValueError, OSError, zlib.error, lzma.LZMAError, RuntimeError):
                yield from pickles(unpack(whole), depth + 1)
                return
    if whole.startswith(b"\x93NUMPY"):
        whole = whole[10 + int.from_bytes(whole[8:10], "little") :]
    if whole[:1] in (b"\x80", b"c", b"("):
        yield whole


def recorded(folder: Path) -> dict[str, dict[tuple[str, str, str], int]]:
    """For each library's folder: how many files use a global, and how."""
    counts: dict[str, dict[tuple[str, str, str], int]] = defaultdict(lambda: defaultdict(int))
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        uses: set[tuple[str, str, str]] = set()
        for stretch in pickles(file.read_bytes()):
            try:
                uses |= walked(stretch)
            except (ValueError, IndexError, KeyError, AttributeError, TypeError, StopIteration) as reason:
                if stretch.startswith(b"\x80"):
                    print(f"not walked: {file.relative_to(folder)} ({reason})", file=sys.stderr)
        for use in uses:
            counts[file.relative_to(folder).parts[0]][use] += 1
    return counts


def main(folders: list[str]) -> None:
    """Prints what the folders' pickles use, or the benign corpus's."""
    with tempfile.TemporaryDirectory() as name:
        if not folders:
            benign.unpack(Path(name))
        lines = {
            library: [[*use, count] for use, count in sorted(uses.items())]
            for folder in folders or [name]
            for library, uses in recorded(Path(folder)).items()
        }
    print(json.dumps(lines, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
