"""YAML: tags that make a loader build objects, aliases that grow without end, names that are imported.

Read as a stream of events by the same parser that loaders use; nothing is constructed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.texts import targets
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

ACTS = Rule(
    "yaml/acting-tag",
    Level.CRITICAL,
    "a tag that makes the loader call something",
    "A loader that knows the tag calls the name in it before it returns.",
    "Load it with `yaml.safe_load` only, or get it again without such tags.",
    ("cwe/CWE-502", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000"),
)
OBJECT = Rule(
    "yaml/object-tag",
    Level.MEDIUM,
    "a tag that makes the loader build an object",
    "Building it imports a module and sets its insides; what that does depends on the module.",
    "Load it with `yaml.safe_load` only, or get it again without such tags.",
    ("cwe/CWE-502",),
)
BOMB = Rule(
    "yaml/alias-bomb",
    Level.HIGH,
    "aliases that grow without end",
    "Whoever walks what is loaded needs more time and memory than there is.",
    "Do not load it.",
    ("cwe/CWE-776", "cwe/CWE-409"),
)
RULES = (ACTS, OBJECT, BOMB, *targets.RULES)

LONGEST = 8 << 20
_EXPANDED = 10_000_000
_DEEPEST = 500
_INTERESTING = regex(
    r"(?:^|[\s\[\]{},:(-])!|[&*][\w.-]|_target_|class_path|\(\)\s*:|(?:^|\s)(?:target|func|callable|path|loader)\s*:",
    re.MULTILINE,
)
"""Without any of these there is nothing to find, and the slow look is left out."""

_PYTHON = regex(r"(?:tag:yaml\.org,2002:|!|!!)python/(?P<kind>[a-z/_]+?)(?::(?P<name>.*))?\Z")
_PLAIN_KINDS = frozenset(["none", "bool", "str", "unicode", "bytes", "int", "long", "float", "complex", "list", "tuple",
                          "dict", "set"])  # fmt: skip
_GOOD = frozenset(
    ["collections.OrderedDict", "collections.defaultdict", "collections.deque", "pathlib.Path", "pathlib.PosixPath",
     "pathlib.PurePosixPath", "pathlib.WindowsPath", "datetime.datetime", "datetime.date", "datetime.timedelta",
     "builtins.set", "builtins.frozenset", "builtins.tuple", "builtins.list", "builtins.dict", "builtins.slice",
     "builtins.complex", "builtins.range", "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "argparse.Namespace",
     "types.SimpleNamespace", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype",
     "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray", "torch.device",
     "torch.Size", "easydict.EasyDict", "omegaconf.dictconfig.DictConfig", "omegaconf.listconfig.ListConfig",
     "re.compile", "builtins.int", "builtins.str", "builtins.float", "builtins.bool", "builtins.object", "enum.Enum"]
)  # fmt: skip
"""Callables that build plain values and nothing else."""

_KNOWN_ROOTS = frozenset(
    ["torch", "torchvision", "numpy", "pandas", "sklearn", "scipy", "transformers", "datasets", "pytorch_lightning",
     "lightning", "tensorflow", "keras", "jax", "flax", "stable_baselines3", "gym", "gymnasium", "ray", "omegaconf",
     "hydra", "timm", "diffusers", "peft", "accelerate", "xgboost", "lightgbm", "catboost", "spacy", "nltk", "monai"]
)  # fmt: skip
"""Libraries whose names may be referred to: `!!python/name` imports and does not call."""

_FOREIGN = regex(
    r"(?:tag:yaml\.org,2002:|!)+(?:(?:javax?|com\.sun|org\.(?:apache|springframework))\.|ruby/|js/|php/)"
)


def sniff(glance: Glance) -> bool:
    """By its name, by its first line, or because it holds a tag of Python's."""
    if glance.lower_name.endswith((".yaml", ".yml", ".yaml.j2")) or glance.name == "MLmodel":
        return glance.text is not None
    head = glance.head
    if head.startswith((b"%YAML", b"---\n", b"---\r\n", b"--- ", b"%TAG")):
        # Markdown with a header begins so too; it is read as YAML up to where the header ends.
        return glance.text is not None
    return (b"!!python" in head or b"2002:python" in head) and glance.text is not None


def examine(source: Source, context: Context) -> None:
    """Look for tags, aliases and names, if there are any."""
    if source.size > LONGEST:
        raise OverBudget(f"YAML of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    data = source.read(0, source.size)
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace").lstrip(
        "\ufeff"
    )
    if not context.node.name.lower().endswith((".yaml", ".yml")) and text.startswith("---"):
        front, _, _ = text[3:].partition("\n---")
        text = front if "!!python" not in text[len(front) :] else text
    judge_yaml(text, context, strict=context.node.name.lower().endswith((".yaml", ".yml")))


def judge_yaml(text: str, context: Context, *, strict: bool = True) -> None:
    """Judge some YAML; what is found goes to the context."""
    if not _INTERESTING.search(text):
        return
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    walker = _Walker(context)
    try:
        for event in yaml.parse(text, Loader=loader):
            context.tick()
            walker.event(event, yaml)
    except (yaml.YAMLError, ValueError) as error:
        if "!!python/" in text and not walker.told:
            context.find(
                OBJECT,
                "it holds tags of Python's (`!!python/…`) and cannot be read whole",
                level=Level.MEDIUM,
            )
        elif strict:
            first = str(error).partition("\n")[0]
            context.find(targets.BROKEN, f"it cannot be read as YAML: {first[:120]}")


class _Walker:
    """Follows the events of one stream."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._stack: list[list[Any]] = []
        """For each open collection: is it a mapping, the key that waits for its value, how much it is, its anchor."""
        self._weights: dict[str, int] = {}
        self.told = False
        self._bombed = False

    def event(self, event: Any, yaml: Any) -> None:
        """Take in one event."""
        tag = getattr(event, "tag", None)
        if tag:
            self._tag(str(tag), event.start_mark.line + 1)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if len(self._stack) > _DEEPEST:
                self._context.find(targets.DEEP, f"it is nested more than {_DEEPEST} deep")
                raise OverBudget(f"it is nested more than {_DEEPEST} deep")
            self._stack.append([isinstance(event, yaml.MappingStartEvent), None, 1, event.anchor])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            _, _, weight, anchor = self._stack.pop()
            if anchor:
                self._weights[anchor] = weight
            self._value(None, weight, event)
        elif isinstance(event, yaml.ScalarEvent):
            if event.anchor:
                self._weights[event.anchor] = 1
            self._value(event.value, 1, event)
        elif isinstance(event, yaml.AliasEvent):
            self._value(None, self._weights.get(event.anchor, 1), event)

    def _value(self, text: str | None, weight: int, event: Any) -> None:
        """A finished node within whatever is open."""
        if not self._stack:
            return
        above = self._stack[-1]
        above[2] = min(above[2] + weight, _EXPANDED * 10)
        if above[2] > _EXPANDED and not self._bombed:
            self._bombed = True
            self._context.find(
                BOMB,
                f"its aliases stand for more than {_EXPANDED:,} values (line {event.start_mark.line + 1})",
            )
        if not above[0]:
            return
        if above[1] is None:
            above[1] = text if text is not None else "?"
        else:
            if text is not None:
                targets.check(self._context, above[1], text, place=f"line {event.start_mark.line + 1}")
            above[1] = None

    def _tag(self, tag: str, line: int) -> None:
        """Judge one tag."""
        context = self._context
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        if _FOREIGN.match(tag):
            self.told = True
            context.find(
                ACTS,
                f"a loader of its own language builds `{shown[:120]}` for it (line {line})",
                tag=shown,
                line=line,
            )
            return
        match = _PYTHON.match(tag)
        if match is None:
            return
        self.told = True
        kind, name = match["kind"].rstrip("/"), (match["name"] or "").strip()
        if kind in _PLAIN_KINDS:
            return
        said = targets.reach(name)
        acts = kind in ("object/apply", "object/new")
        standard = name.partition(".")[0] in _standard_library() and name not in _GOOD
        if said or (acts and standard):
            verb = "calls" if acts else "builds" if kind == "object" else "imports"
            context.find(
                ACTS,
                f"an unsafe loader {verb} `{name[:120]}` for it{f', which {said}' if said else ''} (line {line})",
                tag=shown,
                callable=name[:200],
                line=line,
            )
        elif name in _GOOD or (kind == "name" and name.partition(".")[0] in _KNOWN_ROOTS):
            context.find(
                OBJECT,
                f"`{shown[:160]}` names what is known to be harmless (line {line})",
                level=Level.LOW,
                tag=shown,
                line=line,
            )
        else:
            context.find(
                OBJECT,
                f"an unsafe loader imports and {'calls' if acts else 'builds'} `{name[:120]}` for it; "
                f"what that does cannot be decided here (line {line})",
                tag=shown,
                line=line,
            )


def _standard_library() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


FORMATS = (Format("yaml", "YAML", sniff, examine, RULES),)
