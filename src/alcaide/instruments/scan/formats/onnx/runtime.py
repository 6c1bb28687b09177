"""ONNX Runtime's own format: a model that was prepared for one runtime, as a FlatBuffer.

The same questions as of ONNX: which operators, and where the data lie. See `ort.fbs` in ONNX Runtime for the slots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.flat import Buffer
from alcaide.instruments.scan.formats.onnx import operators
from alcaide.instruments.scan.limits import Malformed, OverBudget

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.flat import Table
    from alcaide.instruments.scan.source import Source

_DEPTH = 24


def examine(source: Source, context: Context) -> None:
    """Walk the graph and the graphs in its nodes."""
    buffer = Buffer(source, context.tick)
    if buffer.identifier() != b"ORTM":
        raise Malformed("it does not say that it is a model of ONNX Runtime", 4)
    session = buffer.root()
    model = session.table(1)
    graph = model.table(7) if model is not None else None
    if model is None or graph is None:
        raise Malformed("there is no graph in it")
    counts: dict[tuple[str, str], int] = {}
    _graph(graph, counts, context, 0)
    for (domain, operator), count in counts.items():
        judged = operators.judge(domain, operator)
        if judged is not None:
            rule, level, what = judged
            context.find(
                rule, f"using the model {what}", level=level, operator=operator, domain=domain, count=count
            )
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    context.fact(
        runtime=session.text(0, 40),
        nodes=sum(counts.values()),
        operators={f"{domain}:{name}" if domain else name: count for (domain, name), count in ordered[:40]},
    )


def _graph(graph: Table, counts: dict[tuple[str, str], int], context: Context, depth: int) -> None:
    if depth > _DEPTH:
        raise OverBudget(f"its graphs are nested more than {_DEPTH} deep")
    for node in graph.tables(2):
        context.tick()
        key = (node.text(2, 300), node.text(5, 300))
        if len(counts) > 20_000:
            raise OverBudget("it has more than 20,000 kinds of operators")
        counts[key] = counts.get(key, 0) + 1
        for attribute in node.tables(10):
            inner = attribute.table(7)
            if inner is not None:
                _graph(inner, counts, context, depth + 1)
            for inner in attribute.tables(12):
                _graph(inner, counts, context, depth + 1)
