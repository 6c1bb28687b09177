"""R's saved data: `.rds` and `.RData`, unpacked.

R objects are data, but some kinds of them are code that runs by itself: a promise is evaluated when its value is first
looked at (CVE-2024-27322). The stream is read item by item, as R's `serialize.c` writes it, and nothing is built.
Functions, formulas and their environments are ordinary in models; a promise without a value is not.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated, Unsupported
from alcaide.instruments.scan.model import Level, Rule

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

PROMISE = Rule(
    "r/promise",
    Level.CRITICAL,
    "the data hold a promise",
    "A promise that is read from a file is evaluated as soon as somebody looks at the object: it runs any R code.",
    "Do not load it; ask for the data in a format without code, such as CSV or Parquet.",
    ("cwe/CWE-502", "cwe/CWE-94", *_TAXONOMY),
)
BYTECODE = Rule(
    "r/bytecode",
    Level.HIGH,
    "the data hold compiled code that is no function's body",
    "R evaluates compiled code wherever it evaluates an expression, and trusts it to be well-formed.",
    "Do not load it; ask for the data in a format without code.",
    ("cwe/CWE-502", *_TAXONOMY),
)
BINDING = Rule(
    "r/reserved-binding",
    Level.HIGH,
    "loading replaces something that R relies on",
    "`load` puts what the file names into the workspace, where R finds it before its own.",
    "Read such a file with `load(file, envir = new.env())`, or do not load it.",
    ("cwe/CWE-829", *_TAXONOMY),
)
FUNCTION = Rule(
    "r/function",
    Level.LOW,
    "the data hold functions",
    "A function in a model runs when the model is used.",
    "Use the model only if you would run its maker's code.",
    (*_TAXONOMY,),
)
RULES = (PROMISE, BYTECODE, BINDING, FUNCTION)

# Types of R's `serialize.c` and `Rinternals.h`.
_SYMBOL, _PAIRS, _CLOSURE, _ENVIRONMENT, _PROMISE, _CALL, _SPECIAL, _BUILTIN = 1, 2, 3, 4, 5, 6, 7, 8
_CHARACTERS, _LOGICAL, _INTEGER, _REAL, _COMPLEX, _STRINGS, _DOTS = 9, 10, 13, 14, 15, 16, 17
_LIST, _EXPRESSION, _BYTECODE, _EXTERNAL, _WEAK, _RAW, _S4 = 19, 20, 21, 22, 23, 24, 25
_WIDTHS = {_LOGICAL: 4, _INTEGER: 4, _REAL: 8, _COMPLEX: 16, _RAW: 1}
_REFERENCE, _ALTREP, _ATTRIBUTED_PAIRS, _ATTRIBUTED_CALL = 255, 238, 239, 240
_UNBOUND = 252
_SINGLES = frozenset({241, 242, 247, 251, 252, 253, 254})
"""The base and empty environments, the base namespace, the missing argument, the unbound value, the global environment
and NULL."""
_PACKAGE, _NAMESPACE, _PERSIST = 250, 249, 248
_BYTE_DEFINITION, _BYTE_REFERENCE = 244, 243
_BYTE_PAIRS = frozenset({_PAIRS, _CALL, _ATTRIBUTED_PAIRS, _ATTRIBUTED_CALL, _BYTE_DEFINITION})

_WAITING = 40_000_000
_ITEMS = 20_000_000
_RESERVED = frozenset(
    {
        *(
            "print",
            "library",
            "require",
            "source",
            "eval",
            "load",
            "readRDS",
            "cat",
            "c",
            "list",
            "data.frame",
            "predict",
        ),
        *(
            "summary",
            "function",
            ".First",
            ".Last",
            ".First.sys",
            ".Last.sys",
            "q",
            "quit",
            ".onLoad",
            ".onAttach",
        ),
        *(".libPaths", "Sys.setenv", "system", "system2"),
    }
)


def _sniff(glance: Glance) -> bool:
    head = glance.head
    if head.startswith((b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")):
        return True
    return head.startswith(
        (b"X\n\0\0\0\2\0", b"X\n\0\0\0\3\0", b"B\n\2\0\0\0", b"B\n\3\0\0\0", b"A\n2\n", b"A\n3\n")
    )


class _Items:
    """The items of one stream, in order, with a stack of what is still expected."""

    def __init__(self, source: Source, context: Context, at: int) -> None:
        self.source = source
        self.context = context
        self.at = at
        self.buffer = b""
        self.base = at

    def take(self, length: int) -> bytes:
        start = self.at - self.base
        data = self.buffer[start : start + length]
        if len(data) < length:
            self.base = self.at
            self.buffer = self.source.read(self.at, max(length, 1 << 16))
            data = self.buffer[:length]
            if len(data) < length:
                raise Truncated("the file ends within an item", self.at)
        self.at += length
        return data

    def skip(self, length: int) -> None:
        if self.at + length > self.source.size:
            raise Truncated("the file ends within an item", self.at)
        self.at += length
        if self.at - self.base > len(self.buffer):
            self.base = self.at
            self.buffer = b""

    def integer(self) -> int:
        value: int = struct.unpack(">i", self.take(4))[0]
        return value

    def length(self) -> int:
        count = self.integer()
        if count == -1:
            count = (self.integer() << 32) + (self.integer() & 0xFFFFFFFF)
        if count < 0:
            raise Malformed("a length is negative", self.at)
        return count


def examine(source: Source, context: Context) -> None:
    """Read the stream to its end."""
    head = source.read(0, 7)
    at = 0
    is_workspace = head[:2] == b"RD"
    if is_workspace:
        at = 5
        head = source.read(at, 2)
    form = head[:2]
    if form == b"A\n":
        raise Unsupported("it is written as text; save it without `ascii = TRUE`")
    if form != b"X\n":
        raise Unsupported("it is written in the byte order of the machine that made it")
    items = _Items(source, context, at + 2)
    version = items.integer()
    made_by = items.integer()
    items.integer()
    if version == 3:
        items.skip(items.length())
    elif version != 2:
        raise Malformed(f"it says version {version}, which does not exist", at + 2)
    context.fact(r_version=f"{made_by >> 16}.{made_by >> 8 & 255}.{made_by & 255}")
    reader = _Reader(items, context, is_workspace=is_workspace)
    reader.read()
    context.fact(names=reader.names[:40] or None, symbols=reader.words[:40], items=reader.count)
    if reader.functions:
        context.find(FUNCTION, f"it holds {reader.functions:,} R functions", count=reader.functions)


class _Reader:
    """Walks the items. What is expected next lies on a stack of jobs, so that nesting costs no recursion.

    A job is a role: what the next item is for. `constants` and `byte code` stand for counted lists of their own.
    """

    def __init__(self, items: _Items, context: Context, *, is_workspace: bool) -> None:
        self.items = items
        self.context = context
        self.is_workspace = is_workspace
        self.names: list[str] = []
        self.words: list[str] = []
        self.count = 0
        self.functions = 0
        self.promises = 0

    def read(self) -> None:
        """Read one item and everything in it."""
        jobs = ["top"]
        while jobs:
            self.context.tick()
            role = jobs.pop()
            if role == "constants":
                jobs.extend(["constant"] * self.few(self.items.integer()))
            elif role == "constant":
                self.constant(jobs)
            elif role == "byte language":
                self.byte_language(jobs, self.items.integer())
            else:
                self.item(jobs, role)
            if len(jobs) > _WAITING:
                raise OverBudget("too many of its items are begun at once")

    def item(self, jobs: list[str], role: str) -> None:  # noqa: C901 - a case for each of R's types
        """Read one item's own bytes, and note what it consists of."""
        self.count += 1
        if self.count > _ITEMS:
            raise OverBudget(f"it has more than {_ITEMS:,} items")
        start = self.items.at
        flags = self.items.integer()
        kind = flags & 0xFF
        if kind in _SINGLES:
            if kind == _UNBOUND and role.startswith("promised"):
                self.unevaluated(start, role)
            return
        if flags & 0x200 and kind not in (
            _PAIRS,
            _CALL,
            _CLOSURE,
            _PROMISE,
            _DOTS,
            _ENVIRONMENT,
            _ALTREP,
            _REFERENCE,
        ):
            # Attributes come after the values; of pairs they come first, see below.
            jobs.append("attributes")
        if kind == _REFERENCE:
            if flags >> 8 == 0:
                self.items.integer()
        elif kind == _SYMBOL:
            jobs.append("name" if role == "name" else "symbol")
        elif kind in (_PAIRS, _CALL, _CLOSURE, _PROMISE, _DOTS):
            self.pair(jobs, kind, role, flags)
        elif kind == _ENVIRONMENT:
            self.items.integer()
            jobs += ["attributes", "environment", "environment", "element"]
        elif kind in (_PACKAGE, _NAMESPACE, _PERSIST):
            self.items.integer()
            jobs += ["text"] * self.few(self.items.length())
        elif kind in (_SPECIAL, _BUILTIN):
            self.word(self.items.take(min(self.items.length(), 1_000)))
        elif kind == _CHARACTERS:
            length = self.items.integer()
            if length > 0:
                text = self.items.take(min(length, 4_096))
                self.items.skip(max(0, length - 4_096))
                if role in ("symbol", "name"):
                    self.word(text, is_name=role == "name")
        elif kind in _WIDTHS:
            self.items.skip(_WIDTHS[kind] * self.items.length())
        elif kind in (_STRINGS, _LIST, _EXPRESSION):
            jobs += ["environment" if role == "environment" else "element"] * self.few(self.items.length())
        elif kind == _BYTECODE:
            if role not in ("body", "constant"):
                self.context.find(BYTECODE, "it holds compiled R code outside of a function", offset=start)
            self.items.integer()
            jobs += ["constants", "code"]
        elif kind == _EXTERNAL:
            jobs += ["element", "element"]
        elif kind == _ALTREP:
            jobs += ["element", "element", "element"]
        elif kind not in (_WEAK, _S4):
            raise Malformed(f"it has an item of type {kind}, which does not exist", start)

    def pair(self, jobs: list[str], kind: int, role: str, flags: int) -> None:
        """A pair: attributes, tag, head, tail. Closures and promises are written the same way.

        The tag of a closure or promise is its environment, a promise's head its value.
        """
        bound = role == "environment"
        if kind == _CLOSURE:
            self.functions += 1
            parts = ("element", "element", "body")
        elif kind == _PROMISE:
            parts = ("element", "promised in environment" if role == "bound" else "promised", "element")
        elif kind in (_CALL, _DOTS):
            parts = ("tag", "element", "element")
        elif role == "top" and self.is_workspace:
            parts = ("name", "element", "top")
        else:
            parts = ("tag", "bound" if bound else "element", "environment" if bound else "element")
        jobs += [parts[2], parts[1]]
        if flags & 0x400:
            jobs.append(parts[0])
        if flags & 0x200:
            jobs.append("attributes")

    def constant(self, jobs: list[str]) -> None:
        """A constant of compiled code: code again, language in a form of its own, or an item."""
        kind = self.items.integer()
        if kind == _BYTECODE:
            jobs += ["constants", "code"]
        elif kind in _BYTE_PAIRS or kind == _BYTE_REFERENCE:
            self.byte_language(jobs, kind)
        else:
            jobs.append("constant item")

    def byte_language(self, jobs: list[str], kind: int) -> None:
        """Language within compiled code: pairs whose parts say their kind before themselves."""
        if kind == _BYTE_REFERENCE:
            self.items.integer()
            return
        if kind == _BYTE_DEFINITION:
            self.items.integer()
            kind = self.items.integer()
        if kind not in _BYTE_PAIRS:
            jobs.append("constant item")
            return
        jobs += ["byte language", "byte language", "tag"]
        if kind in (_ATTRIBUTED_PAIRS, _ATTRIBUTED_CALL):
            jobs.append("attributes")

    def few(self, count: int) -> int:
        """As many things as the stream can hold: each takes four bytes at least."""
        if count < 0:
            raise Malformed("a length is negative", self.items.at)
        if count * 4 > self.items.source.size - self.items.at:
            raise Truncated(
                f"a list says it has {count:,} elements, and the file ends before that", self.items.at
            )
        return count

    def word(self, data: bytes, *, is_name: bool = False) -> None:
        """A symbol. Those at the top of a workspace are what `load` puts into place."""
        text = data.decode("utf-8", "replace")
        if is_name:
            if text in _RESERVED:
                self.context.find(BINDING, f"loading it puts its own `{text}` in the place of R's", name=text)
            if len(self.names) < 1_000:
                self.names.append(text)
        elif len(self.words) < 200:
            self.words.append(text)

    def unevaluated(self, start: int, role: str) -> None:
        """A promise without a value. In a function's environment it may be an argument that was never used."""
        self.promises += 1
        if self.promises > 20:
            return
        if role == "promised":
            self.context.find(
                PROMISE, "looking at the data runs R code: it holds a promise without a value", offset=start
            )
        else:
            self.context.find(
                PROMISE,
                "calling its functions runs R code: an environment holds a promise without a value",
                offset=start,
                level=Level.HIGH,
            )


FORMATS = (Format("r-data", "R data", _sniff, examine, RULES),)
