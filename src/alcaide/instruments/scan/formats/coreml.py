"""Core ML models and packages: custom layers and models, linked models, and where weights are read from.

A custom layer or model is a class of the app that loads it; a linked model is another file. Everything else in Core
ML's format computes, and a kind of layer that the framework does not have is refused by it, so no list is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.json_object import mentions
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.source import whole
from alcaide.instruments.scan.wire import Message, may_begin, outline

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

CUSTOM = Rule(
    "coreml/custom-code",
    Level.HIGH,
    "the model calls a class of the app",
    "A custom layer or model is a class that the app must have; it is made and called with parameters from the file.",
    "Read that class before using it, or get the model made of Core ML's own layers.",
    ("cwe/CWE-470", "cwe/CWE-829", *_TAXONOMY),
)
LINKED = Rule(
    "coreml/outside-file",
    Level.CRITICAL,
    "the model reads a file outside of itself",
    "Loading it opens the file it names, as another model or as weights.",
    "Do not load it; ask for a model that holds all of itself.",
    ("cwe/CWE-22", "cwe/CWE-73", *_TAXONOMY),
)

_KINDS = frozenset(
    {
        200,
        201,
        202,
        300,
        301,
        302,
        303,
        304,
        400,
        401,
        402,
        403,
        404,
        500,
        501,
        502,
        555,
        556,
        560,
        600,
        601,
        602,
    }
    | {603, 604, 606, 607, 609, 610, 900, 2000, 2001, 2002, 2003, 2004, 2005, 2006, 3000}
)
"""Numbers of the fields that say which kind of model it is (`Model.proto` of coremltools 9)."""
_DEPTH = 24
_NETWORKS = (303, 403, 500)
_PIPELINES = {200: True, 201: True, 202: False}
"""Whether the pipeline is wrapped in a classifier or regressor."""


def _sniff(glance: Glance) -> bool:
    fields = outline(glance)
    if fields is None or fields.get(1, 0) != 0:
        return False
    if glance.lower_name.endswith(".mlmodel"):
        return True
    return fields.get(2) == 2 and any(number in _KINDS and kind == 2 for number, kind in fields.items())


def examine(source: Source, context: Context) -> None:
    """Walk the model and the models in it."""
    found = _Model(context)
    found.model(Message(source, context.tick), 0)
    if not found.kinds:
        raise Malformed("it does not say which kind of model it is")
    ordered = sorted(found.operations.items(), key=lambda pair: -pair[1])
    context.fact(
        specification=found.version,
        kinds=found.kinds[:40],
        layers=found.layers,
        operations=dict(ordered[:40]),
        files=sorted(found.files)[:20],
    )


class _Model:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.version = 0
        self.kinds: list[int] = []
        self.layers = 0
        self.operations: dict[str, int] = {}
        self.files: set[str] = set()

    def model(self, message: Message, depth: int) -> None:
        self._deeper(depth)
        for number, kind, start, size in message:
            if number == 1 and kind == 0 and not depth:
                self.version = start
            if kind != 2 or number not in _KINDS:
                continue
            if len(self.kinds) < 10_000:
                self.kinds.append(number)
            inner = message.message(start, size)
            if number in _PIPELINES:
                self.pipeline(inner, depth, wrapped=_PIPELINES[number])
            elif number in _NETWORKS:
                self.network(inner, depth)
            elif number == 502:
                self.program(inner)
            elif number == 555:
                name = _text_field(inner, 10)
                self.custom(
                    f"using the model makes an object of the app's class `{name}` and hands it parameters",
                    name,
                    start,
                )
            elif number == 556:
                self.linked(inner)
            elif number == 3000:
                name = _text_field(inner, 1)
                self.custom(
                    f"loading it hands bytes to a framework that calls itself `{name}`",
                    name,
                    start,
                    Level.MEDIUM,
                )

    def _deeper(self, depth: int) -> None:
        if depth > _DEPTH:
            raise OverBudget(f"its models are nested more than {_DEPTH} deep")

    def pipeline(self, message: Message, depth: int, *, wrapped: bool) -> None:
        for number, kind, start, size in message:
            if number == 1 and kind == 2:
                inner = message.message(start, size)
                if wrapped:
                    self.pipeline(inner, depth, wrapped=False)
                else:
                    self.model(inner, depth + 1)

    def network(self, message: Message, depth: int) -> None:
        self._deeper(depth)
        for number, kind, start, size in message:
            if number == 1 and kind == 2:
                self.layers += 1
                self.layer(message.message(start, size), depth)

    def layer(self, message: Message, depth: int) -> None:
        for number, kind, start, size in message:
            if kind != 2:
                continue
            if number == 500:
                name = _text_field(message.message(start, size), 10)
                self.custom(f"using the model calls the app's class `{name}` as a layer", name, message.start)
            elif number in (605, 615):
                # A branch has networks in 1 and 2, a loop in 3 (condition) and 4 (body); a plain text there is skipped.
                inner = message.message(start, size)
                for field, form, at, length in inner:
                    if form == 2 and field in ((1, 2) if number == 605 else (3, 4)):
                        self.network(inner.message(at, length), depth + 1)

    def program(self, message: Message) -> None:
        for number, kind, start, size in message:
            if number == 2 and kind == 2:
                function = _value(message.message(start, size))
                if function is None:
                    continue
                for inner, form, at, length in function:
                    if inner == 3 and form == 2:
                        block = _value(function.message(at, length))
                        if block is not None:
                            self.block(block, 0)

    def block(self, message: Message, depth: int) -> None:
        self._deeper(depth)
        for number, kind, start, size in message:
            if number == 3 and kind == 2:
                self.operation(message.message(start, size), depth)

    def operation(self, message: Message, depth: int) -> None:
        name = ""
        for number, kind, start, size in message:
            if kind != 2:
                continue
            if number == 1:
                name = message.text(start, size, 200)
            elif number == 4:
                self.block(message.message(start, size), depth + 1)
            elif number == 5:
                value = _value(message.message(start, size))
                if value is not None:
                    self.values(value)
        if len(self.operations) < 5_000 or name in self.operations:
            self.operations[name] = self.operations.get(name, 0) + 1
        if name == "custom_layer":
            self.custom("using the model calls a class of the app as a layer", name, message.start)

    def values(self, message: Message) -> None:
        """A value may lie in a file of weights."""
        for number, kind, start, size in message:
            if number == 5 and kind == 2:
                name = _text_field(message.message(start, size), 1)
                if name in self.files or len(self.files) > 10_000:
                    continue
                self.files.add(name)
                inside = name.removeprefix("@model_path/")
                if why := leads_out(inside):
                    self.context.find(
                        LINKED,
                        f"loading the model reads weights from `{name}`: {why}",
                        offset=start,
                        path=name,
                    )

    def linked(self, message: Message) -> None:
        for number, kind, start, size in message:
            if number == 1 and kind == 2:
                file = message.message(start, size)
                texts = [
                    file.message(at, length).text(*place, 500)
                    for field, form, at, length in file
                    if form == 2 and field in (1, 2)
                    for place in file.message(at, length).last(1, 2, 3).values()
                ]
                why = next((reason for text in texts if (reason := leads_out(text))), "")
                shown = ", ".join(f"`{text}`" for text in texts)
                self.context.find(
                    LINKED,
                    f"loading the model loads another from {shown}" + (f": {why}" if why else ""),
                    offset=start,
                    level=Level.CRITICAL if why else Level.MEDIUM,
                    paths=texts,
                )

    def custom(self, message: str, name: str, at: int, level: Level | None = None) -> None:
        self.context.find(CUSTOM, message, offset=at, level=level, name=name)


def _text_field(message: Message, wanted: int) -> str:
    for number, kind, start, size in message:
        if number == wanted and kind == 2:
            return message.text(start, size, 500)
    return ""


def _value(message: Message) -> Message | None:
    """The value of a map's entry."""
    found = None
    for number, kind, start, size in message:
        if number == 2 and kind == 2:
            found = message.message(start, size)
    return found


def _sniff_package(glance: Glance) -> bool:
    return glance.size < 1 << 20 and mentions(glance, (b'"itemInfoEntries"',))


def examine_package(source: Source, context: Context) -> None:
    """Look at a package's `Manifest.json`: it names the files that are loaded."""
    data = whole(source, 1 << 20)
    try:
        value = json.loads(data or b"")
    except ValueError as error:
        raise Malformed("its manifest is not JSON") from error
    entries = value.get("itemInfoEntries") if isinstance(value, dict) else None
    for entry in entries.values() if isinstance(entries, dict) else ():
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str) and (why := leads_out(path)):
            context.find(LINKED, f"loading the package reads `{path}`: {why}", path=path)


def _sniff_blob(glance: Glance) -> bool:
    """A file of weights begins with how many there are and version 2, then zeros; each part has a mark of its own."""
    head = glance.head
    if len(head) < 68 or head[4:8] != b"\2\0\0\0" or any(head[8:64]):
        return False
    return head[64:68] == b"\xef\xbe\xad\xde"


def examine_blob(source: Source, context: Context) -> None:
    """Count the parts; they are values."""
    context.fact(parts=int.from_bytes(source.read(0, 4), "little"))


FORMATS = (
    Format("coreml", "Core ML model", _sniff, examine, (CUSTOM, LINKED), begins=may_begin),
    Format("coreml-package", "Core ML package", _sniff_package, examine_package),
    Format("coreml-weights", "Core ML weights", _sniff_blob, examine_blob),
)
