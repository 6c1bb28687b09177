"""Compiled and packed models that are recognised by a mark: what can be said of them, and what cannot.

Some are data for an engine that only computes (ncnn, ExecuTorch programs); a TensorRT engine or an RKNN model holds
compiled code for a device, which nobody can judge from outside: that is said, and is Unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.flat import Buffer
from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.limits import Malformed, OverBudget, Unsupported
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import whole

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

OPERATOR = Rule(
    "engine/custom-operator",
    Level.MEDIUM,
    "an operator that the runtime does not have",
    "It comes from a native library or from the program that loads the model, and can do anything.",
    "Find out where it comes from, and take that in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)

# ── ExecuTorch: a FlatBuffer with `ET` and a version ─────────────────────────────────────────────────────────────────

_EXECUTORCH_OWN = regex(
    r"(?:aten|prim|prims|quantized_decomposed|quantized|torchao|llama|dim_order_ops|et_vk|cadence|cortex_m|executorch_prim|"
    r"_operator|torch_to_edge|xnnpack|higher_order|et_replay|mlx|coreml|tosa|ethos_?u|arm)(?:::|\.)?"
)


def _sniff_executorch(glance: Glance) -> bool:
    return glance.head[4:6] == b"ET" and glance.head[6:8].isdigit()


def examine_executorch(source: Source, context: Context) -> None:
    """Read the operators and delegates each execution plan needs (`program.fbs` of ExecuTorch)."""
    program = Buffer(source, context.tick).root()
    operators: dict[str, None] = {}
    delegates: dict[str, None] = {}
    for plan in program.tables(1):
        for operator in plan.tables(6):
            context.tick()
            name = operator.text(0, 200)
            if len(operators) < 5_000:
                operators[name] = None
        for delegate in plan.tables(7):
            context.tick()
            delegates[delegate.text(0, 100)] = None
    for name in operators:
        if name and not _EXECUTORCH_OWN.match(name):
            context.find(
                OPERATOR, f"using the model needs a library that brings operator `{name}`", operator=name
            )
    context.fact(operators=list(operators)[:60], delegates=list(delegates)[:20])


# ── ncnn: text with a magic number ───────────────────────────────────────────────────────────────────────────────────


def examine_ncnn(source: Source, context: Context) -> None:
    """Read the list of layers. A kind that ncnn does not have must be registered by the program."""
    data = whole(source, 16 << 20)
    if data is None:
        raise OverBudget("its list of layers is longer than 16 MiB")
    lines = data.decode("utf-8", "replace").splitlines()
    counts = lines[1].split() if len(lines) > 1 else []
    if len(counts) != 2 or not all(count.isascii() and count.isdigit() for count in counts):
        raise Malformed("it does not say how many layers it has")
    kinds: dict[str, int] = {}
    for line in lines[2:]:
        context.tick()
        kind = line.split(maxsplit=1)[:1]
        if kind and (len(kinds) < 5_000 or kind[0] in kinds):
            kinds[kind[0]] = kinds.get(kind[0], 0) + 1
    context.fact(layers=dict(sorted(kinds.items(), key=lambda pair: -pair[1])[:40]))


# ── Compiled for a device ────────────────────────────────────────────────────────────────────────────────────────────


def _sniff_tensorrt(glance: Glance) -> bool:
    return glance.head[:4] in (b"ftrt", b"ptrt") or (
        glance.lower_name.endswith((".engine", ".plan", ".trt")) and glance.head[24:28] in (b"ftrt", b"ptrt")
    )


def examine_tensorrt(_source: Source, _context: Context) -> None:
    """A TensorRT engine: code for a GPU, and perhaps plug-ins in it."""
    raise Unsupported("a TensorRT engine is compiled code; build it yourself from the model it was made of")


def _sniff_rknn(glance: Glance) -> bool:
    return glance.head[:4] == b"RKNN" or glance.head[:8] == b"CYPTRKNN"


def examine_rknn(_source: Source, _context: Context) -> None:
    """A model for Rockchip's processors, partly compiled, sometimes encrypted."""
    raise Unsupported(
        "an RKNN model is compiled for a device; build it yourself from the model it was made of"
    )


FORMATS = (
    Format("executorch", "ExecuTorch program", _sniff_executorch, examine_executorch, (OPERATOR,)),
    Format("ncnn", "ncnn network", Starts(b"7767517\n", b"7767517\r\n"), examine_ncnn),
    Format("tensorrt", "TensorRT engine", _sniff_tensorrt, examine_tensorrt),
    Format("rknn", "RKNN model", _sniff_rknn, examine_rknn),
)
