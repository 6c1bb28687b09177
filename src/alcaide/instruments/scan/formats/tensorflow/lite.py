"""TensorFlow Lite models: which operators they need beyond the ones that are built in.

A built-in operator computes. A custom one is a native function that the program must have registered; a "flex" one is
an operation of TensorFlow, and judged as in a graph. The zip of metadata behind a model is looked at as a zip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.flat import Buffer
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.tensorflow_operations import SOUNDS_ACTING

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.flat import Table
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

CUSTOM = Rule(
    "tflite/custom-operator",
    Level.MEDIUM,
    "an operator that is not built in",
    "A custom operator is a native function of the program or of a library it loads, and can do anything.",
    "Find out which library it belongs to, and take that library in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)
ACTING = Rule(
    "tflite/acting-operation",
    Level.HIGH,
    "a TensorFlow operation that reaches out",
    "With TensorFlow's operations linked in, a Lite model can read and write files like any graph.",
    "Use the model only if its maker can say why it needs the operation; else get one without it.",
    ("cwe/CWE-73", *_TAXONOMY),
)

_CUSTOM_CODE = 32
"""`BuiltinOperator.CUSTOM` in TensorFlow Lite's schema."""
_PLACEHOLDER = 127
"""`PLACEHOLDER_FOR_GREATER_OP_CODES`: the code is in the newer field."""
_BUILT_IN = 300
"""Built-in operators have numbers up to about 210 (schema of TensorFlow 2.21)."""

KNOWN = frozenset(
    {
        "TFLite_Detection_PostProcess",
        "edgetpu-custom-op",
        "ethos-u",
        "AudioSpectrogram",
        "Mfcc",
        "NumericVerify",
        "RFFT2D",
        "Convolution2DTransposeBias",
        "MaxPoolingWithArgmax2D",
        "MaxUnpooling2D",
        "TransformTensorBilinear",
        "TransformLandmarks",
        "Landmarks2TransformMatrix",
        "KmeansEmbeddingLookup",
        "RELU_1",
        "ONE_HOT_FLOAT",
        "Atan2",
        "Sign",
        "Ngrams",
        "TFSentencepieceTokenizeOp",
        "WhitespaceTokenize",
        "WhitespaceTokenizeWithOffsetsV2",
        "FastWordpieceTokenizeWithOffsets",
        "FastBertNormalize",
        "FastSentencepieceTokenize",
        "TFText>WhitespaceTokenizeWithOffsetsV2",
        "TFText>FastWordpieceTokenizeWithOffsets",
        "TFText>FastBertNormalize",
        "TFText>FastSentencepieceTokenize",
        "TFText>RoundRobinTrim",
        "Densify",
        "Irfft2d",
        "HashtableV2",
        "odml.rms_norm",
        "odml.scaled_dot_product_attention",
        "odml.update_kv_cache",
        "odml.update_external_kv_cache",
        "odml.group_norm",
        "PREDICT",
        "HASHTABLE_LOOKUP",
    }
)
"""Operators that ship with TensorFlow Lite, MediaPipe, TensorFlow Text and Edge TPU compilers, and only compute."""

_WORDS = regex(rb"[A-Z][A-Za-z0-9]{3,60}")


def _sniff(glance: Glance) -> bool:
    return glance.head[4:8] == b"TFL3" or (glance.lower_name.endswith(".tflite") and glance.size > 8)


def examine(source: Source, context: Context) -> None:
    """Read the operators, and what each subgraph uses."""
    buffer = Buffer(source, context.tick)
    if buffer.identifier() != b"TFL3":
        raise Malformed("it does not say that it is a TensorFlow Lite model", 4)
    model = buffer.root()
    operators: list[str] = []
    for code in model.tables(1):
        context.tick()
        operators.append(_operator(code, context))
    counts: dict[str, int] = {}
    subgraphs = 0
    for subgraph in model.tables(2):
        subgraphs += 1
        for operator in subgraph.tables(3):
            context.tick()
            index = operator.number(0, "<I")
            if index >= len(operators):
                raise Malformed("an operator refers to a code that the model does not have", operator.at)
            name = operators[index]
            counts[name] = counts.get(name, 0) + 1
            if name.startswith("Flex"):
                _flex_node(operator, name, context)
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    context.fact(
        description=model.text(3, 200) or None,
        subgraphs=subgraphs,
        operators=dict(ordered[:40]),
    )
    _buffers(model, source)


def _operator(code: Table, context: Context) -> str:
    """One entry of the list of operators the model needs."""
    number = max(code.number(3), code.number(0, "<b"))
    if number == _PLACEHOLDER:
        number = code.number(3)
    if number != _CUSTOM_CODE:
        if not 0 <= number < _BUILT_IN:
            raise Malformed(f"it needs a built-in operator {number}, which does not exist", code.at)
        return f"builtin {number}"
    name = code.text(1, 200)
    if name.startswith("Flex"):
        _judge_flex(name[4:], name, code.at, context)
    elif name not in KNOWN:
        context.find(
            CUSTOM,
            f"using the model calls a native function that the program has registered as operator `{name}`",
            offset=code.at,
            level=Level.HIGH if SOUNDS_ACTING.search(name) else None,
            operator=name,
        )
    return name or "custom"


def _judge_flex(operation: str, name: str, at: int, context: Context) -> bool:
    from alcaide.instruments.scan.tensorflow_operations import ACTING as ACTS
    from alcaide.instruments.scan.tensorflow_operations import computing

    acting = ACTS.get(operation)
    if acting is not None and not acting.ordinary:
        context.find(
            ACTING,
            f"using the model {acting.does} that it is given: operator `{name}` is TensorFlow's `{operation}`",
            offset=at,
            operation=operation,
        )
        return True
    if acting is None and operation not in computing():
        context.find(
            CUSTOM,
            f"using the model needs a TensorFlow operation `{operation}`, which TensorFlow does not have",
            offset=at,
            operator=name,
        )
        return True
    return False


def _flex_node(operator: Table, name: str, context: Context) -> None:
    """A flex operator's options hold the node that really runs, which may be another than the operator's name says."""
    from alcaide.instruments.scan.tensorflow_operations import ACTING as ACTS

    options = operator.bytes(5)
    for word in dict.fromkeys(_WORDS.findall(options)):
        operation = word.decode()
        if operation != name[4:] and operation in ACTS and not ACTS[operation].ordinary:
            _judge_flex(operation, name, operator.at, context)


def _buffers(model: Table, source: Source) -> None:
    """Values may lie behind the FlatBuffer; where they do must be in the file."""
    for buffer in model.tables(4):
        offset, size = buffer.number(1, "<Q"), buffer.number(2, "<Q")
        if offset > 1 and offset + size > source.size:
            raise Malformed(f"values are said to lie at {offset:,}, beyond the end of the file", buffer.at)


FORMATS = (Format("tflite", "TensorFlow Lite", _sniff, examine, (CUSTOM, ACTING)),)
