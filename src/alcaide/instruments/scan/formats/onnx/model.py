"""ONNX models: what they read beside themselves, and which operators they need.

A runtime reads the files that tensors name as their data when a model is loaded, relative to the model's folder or from
wherever the name leads. Operators from outside ONNX run whatever library was loaded for them. Tensors in the file are
stepped over, however big; nested graphs, functions and training parts are walked like the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.formats.onnx import operators
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.wire import Message

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

EXTERNAL = Rule(
    "onnx/external-data",
    Level.CRITICAL,
    "tensors are read from outside of the model's folder",
    "Loading the model reads any file it names, and what it reads comes out as if it were weights.",
    "Do not load it; ask its maker for a model whose data lie in its own folder.",
    ("cwe/CWE-22", "cwe/CWE-73", *_TAXONOMY),
)
MEMORY = Rule(
    "onnx/memory-address",
    Level.CRITICAL,
    "tensors are read from an address in memory",
    "A runtime that takes the mark from a file reads its own process's memory there, or crashes.",
    "Do not load it: no honest tool writes such a mark to a file.",
    ("cwe/CWE-822", *_TAXONOMY),
)
SHORT = Rule(
    "onnx/external-data-short",
    Level.MEDIUM,
    "tensors lie outside of the file they are said to be in",
    "A runtime that does not check reads beyond the end of the file it mapped.",
    "Get the model and its data again, together.",
    ("cwe/CWE-125", *_TAXONOMY),
)
MISSING = Rule(
    "onnx/external-data-missing",
    Level.MEDIUM,
    "the file with its tensors is not here",
    "Whatever file of that name lies beside the model when it is loaded becomes its weights.",
    "Scan the model together with its data.",
    (*_TAXONOMY,),
)
SIZE = Rule(
    "onnx/tensor-size",
    Level.MEDIUM,
    "a tensor is not as long as its shape says",
    "A runtime that believes the shape reads beyond the data it has.",
    "Get the file again; if it comes the same, ask its maker for a well-formed one.",
    ("cwe/CWE-125", "cwe/CWE-1284", *_TAXONOMY),
)
RULES = (*operators.RULES, EXTERNAL, MEMORY, SHORT, MISSING, SIZE)

_DEPTH = 24
"""Graphs within graphs: loops and branches. Real models have up to four."""
_MEMORY_MARK = "_ORT_MEM_ADDR_"
_WIDTHS = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 14: 8, 15: 16, 16: 2}
"""Bytes of an element by `TensorProto.DataType`; types below a byte are left out."""
_NODES = 5_000_000


class _Place(NamedTuple):
    """Where a tensor's data are said to be."""

    tensor: str
    location: str
    offset: int
    length: int | None


class _Model:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.counts: dict[tuple[str, str], int] = {}
        self.first: dict[tuple[str, str], tuple[str, int]] = {}
        self.functions: set[tuple[str, str]] = set()
        self.places: dict[str, list[_Place]] = {}
        self.external = 0
        self.tensors = 0
        self.odd_sizes = 0

    # ── Walking ──────────────────────────────────────────────────────────────────────────────────────────────────

    def graph(self, message: Message, depth: int) -> None:
        if depth > _DEPTH:
            raise OverBudget(f"its graphs are nested more than {_DEPTH} deep")
        for number, kind, start, size in message:
            if kind != 2:
                continue
            if number == 1:
                self.node(message.message(start, size), depth)
            elif number == 5:
                self.tensor(message.message(start, size))
            elif number == 15:
                self.sparse(message.message(start, size))

    def node(self, message: Message, depth: int) -> None:
        operator = domain = name = ""
        for number, kind, start, size in message:
            if kind != 2:
                continue
            if number == 4:
                operator = message.text(start, size, 300)
            elif number == 7:
                domain = message.text(start, size, 300)
            elif number == 3:
                name = message.text(start, size, 200)
            elif number == 5:
                self.attribute(message.message(start, size), depth)
        key = (domain, operator)
        count = self.counts.get(key)
        if count is None:
            self.first[key] = (name, message.start)
            count = 0
            if len(self.counts) > 20_000:
                raise OverBudget("it has more than 20,000 kinds of operators")
        self.counts[key] = count + 1

    def attribute(self, message: Message, depth: int) -> None:
        """A node's attribute: a tensor or a graph in it is looked at."""
        for number, kind, start, size in message:
            if kind != 2:
                continue
            if number in (5, 10):
                self.tensor(message.message(start, size))
            elif number in (6, 11):
                self.graph(message.message(start, size), depth + 1)
            elif number in (22, 23):
                self.sparse(message.message(start, size))

    def sparse(self, message: Message) -> None:
        for number, kind, start, size in message:
            if kind == 2 and number in (1, 2):
                self.tensor(message.message(start, size))

    def tensor(self, message: Message) -> None:
        """Data in the file are measured; data outside are noted."""
        self.tensors += 1
        name = ""
        outside: dict[str, str] = {}
        dims: list[int] = []
        data_type = 0
        raw: int | None = None
        is_outside = False
        for number, kind, start, size in message:
            if kind == 2:
                if number == 9:
                    raw = size
                elif number == 8:
                    name = message.text(start, size, 200)
                elif number == 13:
                    key, value = _pair(message.message(start, size))
                    outside[key] = value
                elif number == 1:
                    dims.extend(_packed(message.bytes(start, size, 400)))
            elif number == 1:
                dims.append(start)
            elif number == 2:
                data_type = start
            elif number == 14:
                is_outside = start == 1
        if outside or is_outside:
            self.outside(name, outside, message.start)
        elif raw is not None and data_type in _WIDTHS:
            self.measure(name, dims, data_type, raw, message.start)

    def measure(self, name: str, dims: list[int], data_type: int, raw: int, at: int) -> None:
        count = 1
        for extent in dims:
            count *= extent
        if count * _WIDTHS[data_type] != raw and self.odd_sizes < 20:
            self.odd_sizes += 1
            self.context.find(
                SIZE,
                f"tensor `{name}` of shape {'×'.join(map(str, dims[:8])) or 'one'} has {raw:,} bytes and would need "
                f"{count * _WIDTHS[data_type]:,}",
                offset=at,
                tensor=name,
            )

    def outside(self, name: str, where: dict[str, str], at: int) -> None:
        self.external += 1
        location = where.get("location", "")
        if _MEMORY_MARK in location:
            self.context.find(
                MEMORY,
                f"loading the model reads tensor `{name}` from a memory address",
                offset=at,
                tensor=name,
            )
            return
        why = leads_out(location)
        if not location.strip():
            why = "it is empty"
        places = self.places.get(location)
        if places is None:
            if len(self.places) > 10_000:
                raise OverBudget("its tensors lie in more than 10,000 files")
            places = self.places[location] = []
            if why:
                self.context.find(
                    EXTERNAL,
                    f"loading the model reads `{location}` as tensor `{name}`: {why}",
                    offset=at,
                    tensor=name,
                    path=location,
                )
        if not why and len(places) < 100_000:
            offset, length = _integer(where.get("offset")), _integer(where.get("length"))
            places.append(_Place(name, location, offset or 0, length))
            if (offset is not None and offset < 0) or (length is not None and length < 0):
                self.context.find(
                    SHORT, f"tensor `{name}` is said to lie at a negative place", offset=at, tensor=name
                )

    # ── Judging ──────────────────────────────────────────────────────────────────────────────────────────────────

    def judge(self) -> None:
        for (domain, operator), count in self.counts.items():
            if (domain, operator) in self.functions:
                continue
            judged = operators.judge(domain, operator)
            if judged is not None:
                rule, level, what = judged
                name, at = self.first[domain, operator]
                self.context.find(
                    rule,
                    f"using the model {what}" + (f" (node `{name}`)" if name else ""),
                    offset=at,
                    level=level,
                    operator=operator,
                    domain=domain,
                    count=count,
                )
        self.neighbours()

    def neighbours(self) -> None:
        """Compare what is said of files beside the model with what is there."""
        from alcaide.instruments.scan.neighbours import beside

        for location, places in self.places.items():
            self.context.tick()
            if not places:
                continue
            found = beside(self.context, location)
            if found is None:
                continue
            state, size = found
            if state == "outside":
                self.context.find(
                    EXTERNAL,
                    f"loading the model reads `{location}` as tensor `{places[0].tensor}`: it is a link that leads "
                    "out of the folder, or no plain file",
                    path=location,
                )
            elif state == "missing":
                self.context.find(
                    MISSING,
                    f"`{location}`, in which {len(places):,} tensors lie, is not beside the model",
                    path=location,
                )
            else:
                for place in places:
                    if place.offset + (place.length or 0) > size:
                        self.context.find(
                            SHORT,
                            f"tensor `{place.tensor}` is said to lie up to byte {place.offset + (place.length or 0):,} "
                            f"of `{location}`, which has {size:,}",
                            tensor=place.tensor,
                            path=location,
                        )
                        break


def _pair(message: Message) -> tuple[str, str]:
    key = value = ""
    for number, kind, start, size in message:
        if kind == 2 and number == 1:
            key = message.text(start, size, 100)
        elif kind == 2 and number == 2:
            value = message.text(start, size)
    return key, value


def _packed(data: bytes) -> list[int]:
    from alcaide.instruments.scan.wire import packed

    return list(packed(data))


def _integer(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text[:24])
    except ValueError:
        return -1


def examine(source: Source, context: Context) -> None:  # noqa: C901 - a case for each field
    """Walk the model: functions' names first, because a node may call one that comes after it."""
    message = Message(source, context.tick)
    model = _Model(context)
    facts: dict[str, str] = {}
    opsets: list[str] = []
    graphs = 0
    metadata: list[str] = []
    for number, kind, start, size in message:
        if kind == 2 and number == 25:
            model.functions.add(_function_name(message.message(start, size)))
    for number, kind, start, size in message:
        context.tick()
        if kind == 0 and number == 1:
            facts["ir_version"] = str(start)
        if kind != 2:
            continue
        if number == 7:
            graphs += 1
            model.graph(message.message(start, size), 0)
        elif number == 25:
            _function(message.message(start, size), model)
        elif number == 20:
            part = message.message(start, size)
            for inner, inner_kind, at, length in part:
                if inner_kind == 2 and inner in (1, 2):
                    model.graph(part.message(at, length), 1)
        elif number == 8:
            opsets.append(_opset(message.message(start, size)))
        elif number in (2, 3):
            facts["producer" if number == 2 else "producer_version"] = message.text(start, size, 100)
        elif number == 14 and len(metadata) < 40:
            metadata.append(_pair(message.message(start, size))[0])
    if not graphs and not model.functions:
        raise Malformed("there is no graph in it")
    model.judge()
    ordered = sorted(model.counts.items(), key=lambda pair: -pair[1])
    context.fact(
        **facts,
        opsets=opsets[:20],
        nodes=sum(model.counts.values()),
        tensors=model.tensors,
        external=model.external,
        files=list(model.places)[:40],
        operators={f"{domain}:{name}" if domain else name: count for (domain, name), count in ordered[:40]},
        metadata=metadata,
    )


def examine_tensor(source: Source, context: Context) -> None:
    """Look at a tensor by itself: its data may lie elsewhere, like those of a model's."""
    model = _Model(context)
    model.tensor(Message(source, context.tick))
    model.neighbours()


def _opset(message: Message) -> str:
    domain, version = "", 0
    for number, kind, start, size in message:
        if number == 1 and kind == 2:
            domain = message.text(start, size, 200)
        elif number == 2 and kind == 0:
            version = start
    return f"{domain or 'ai.onnx'} {version}"


def _function_name(message: Message) -> tuple[str, str]:
    name = domain = ""
    for number, kind, start, size in message:
        if kind == 2 and number == 1:
            name = message.text(start, size, 300)
        elif kind == 2 and number == 10:
            domain = message.text(start, size, 300)
    return domain, name


def _function(message: Message, model: _Model) -> None:
    for number, kind, start, size in message:
        if kind == 2 and number == 7:
            model.node(message.message(start, size), 1)
        elif kind == 2 and number == 11:
            model.attribute(message.message(start, size), 1)
