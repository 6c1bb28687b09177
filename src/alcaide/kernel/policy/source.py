"""Policy files as people write them: YAML in, plain values out, and every complaint with file, path and line.

A policy that is misread is worse than one that is refused, so the YAML taken here is a small part of YAML:
mappings, lists, text, numbers, `true`, `false` and `null`. Not taken: anchors and aliases (a short file can
unfold to a huge one), tags, duplicate keys (two readers would see two policies), and the old spellings of
booleans and dates (`no` is the text "no").

Left out on purpose: reading files. Text comes in; `name` says where it came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from alcaide.kernel.errors import InvalidInput, TooLarge

MAX_CHARACTERS = 262_144
"""A gate file of a large organisation is some 20 kB; this is ten times that and still parses in under a
second.
"""
MAX_DEPTH = 24
MAX_PROBLEMS = 20
"""More problems than this in one file have one cause; the rest is noise."""

Path = tuple[str | int, ...]

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})\Z")
_FLOAT = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}\Z")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a policy file, placed so that an editor can jump there."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f" `{self.path}`" if self.path else ""
        return f"{self.file}:{self.line}:{where} {self.message}"


class PolicyInvalid(InvalidInput):
    """A policy file cannot be used; `problems` lists why, in the order of the file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(str(problem) for problem in self.problems)
        super().__init__(
            lines, {f"{problem.file}:{problem.line}": problem.message for problem in self.problems}
        )


@dataclass(frozen=True)
class Source:
    """A parsed policy document that still knows on which line each of its parts stands."""

    file: str
    value: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of the part at `path`, or of the nearest part around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        return Problem(self.file, self.line(path), spell(path), message)


def spell(path: Path) -> str:
    """`("gates", 0, "requirements", 1)` as `gates[0].requirements[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_yaml(text: str, file: str) -> Source:
    """Parse one policy document. Raises PolicyInvalid naming the line, or TooLarge; never anything else."""
    if len(text) > MAX_CHARACTERS:
        raise TooLarge(
            f"{file}: has {len(text)} characters, over the limit of {MAX_CHARACTERS}; split it into several"
        )
    import yaml

    lines: dict[Path, int] = {}
    try:
        _refuse_hostile(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = None if node is None else _plain_value(node, (), lines, file)
    except yaml.MarkedYAMLError as wrong:
        mark: Any = wrong.problem_mark or wrong.context_mark
        what = " ".join(str(wrong.problem or wrong.context or "cannot be read").split())
        raise _one(
            file, mark.line + 1 if mark else 1, "", f"is not YAML: {what}; check the indentation"
        ) from None
    except yaml.YAMLError:
        raise _one(file, 1, "", "holds characters that YAML does not take; save it as UTF-8 text") from None
    return Source(file, value, lines)


def _refuse_hostile(text: str, file: str) -> None:
    """Look over the document without building it: no aliases, no nesting a recursive reader dies of."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        start: Any = event.start_mark
        line = start.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _one(file, line, "", "anchors and aliases are not taken; write the part out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise TooLarge(f"{file}:{line}: is nested deeper than {MAX_DEPTH} levels; flatten it")


def _one(file: str, line: int, path: str, message: str) -> PolicyInvalid:
    return PolicyInvalid([Problem(file, line, path, message)])


def _plain_value(node: Any, path: Path, lines: dict[Path, int], file: str) -> Any:
    import yaml

    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, path, line, file)
    if isinstance(node, yaml.SequenceNode):
        return [_plain_value(item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        at = key_node.start_mark.line + 1
        if not isinstance(key, str) or not key:
            raise _one(file, at, spell(path), "has a key that is not a word; write `name: value`")
        if key in found:
            raise _one(file, at, spell((*path, key)), "is there twice; keep one of the two")
        lines[(*path, key)] = at
        found[key] = _plain_value(value_node, (*path, key), lines, file)
    return found


def _scalar(node: Any, path: Path, line: int, file: str) -> Any:
    text = str(node.value)
    if node.style is not None:
        return text
    if not node.tag.startswith("tag:yaml.org,2002:"):
        raise _one(file, line, spell(path), f"tag `{node.tag[:60]}` is not taken; remove it")
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def check_against(
    source: Source, schema: Mapping[str, Any], *, at: Path = (), value: Any = None
) -> list[Problem]:
    """What JSON Schema (draft 2020-12) finds wrong with the document.

    Where `value` is given, only it is checked; it stands in the document at the path `at`.
    """
    found = sorted(
        _validator(_Frozen(schema)).iter_errors(source.value if value is None and not at else value),
        key=lambda error: (
            source.line((*at, *error.absolute_path)),
            [str(part) for part in error.absolute_path],
        ),
    )
    return [
        source.problem((*at, *error.absolute_path), message)
        for error in found[:MAX_PROBLEMS]
        for message in _say(error)
    ]


class _Frozen:
    """A schema as the key of a cache: those that ship are loaded once and kept, so identity will do."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen) and other.schema is self.schema


@lru_cache(maxsize=16)
def _validator(frozen: _Frozen) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    own = requirement_schema()
    registry: Any = Registry().with_resource(own["$id"], DRAFT202012.create_resource(own))
    return Draft202012Validator(frozen.schema, registry=registry)


@lru_cache(maxsize=1)
def requirement_schema() -> Mapping[str, Any]:
    """The schema of one requirement, as shipped. Part of the code though it is written as data."""
    import json

    text = resources.files(__package__).joinpath("requirement.schema.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _say(error: Any) -> list[str]:
    """One sentence a person can act on, per schema error. The alternatives of oneOf/anyOf say their title."""
    got = _shown(error.instance)
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return [f"lacks `{name}`; add it" for name in missing][:1] or [error.message]
        case "additionalProperties" | "unevaluatedProperties":
            known = sorted(error.schema.get("properties", {}))
            extra = sorted(set(error.instance) - set(known))
            return [f"`{name}` is not known here; use one of {', '.join(known)}" for name in extra]
        case "enum":
            return [
                f"{got} is not one of {', '.join(str(value) for value in error.validator_value)}; pick one"
            ]
        case "const":
            return [f"{got} must be `{error.validator_value}`; write that"]
        case "type":
            wanted = error.validator_value
            wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
            return [f"{got} must be {_article(wanted)}; correct it"]
        case "minItems" | "minLength" | "minProperties":
            return ["is empty; fill it in"]
        case "maxLength" | "maxItems":
            return [f"is longer than {error.validator_value}; shorten it"]
        case "minimum" | "maximum":
            bound = "at least" if error.validator == "minimum" else "at most"
            return [f"{got} must be {bound} {error.validator_value}; correct it"]
        case "uniqueItems":
            return ["names something twice; keep one"]
        case "pattern" | "oneOf" | "anyOf" | "format" | "not":
            hint = error.schema.get("description", error.message)
            return [f"{got} does not fit: {hint}"]
        case _:
            return [f"{error.message[:160]}; correct it"]


def _shown(value: Any) -> str:
    return f"`{str(value)[:60]}`"


def _article(kind: str) -> str:
    names = {
        "object": "a mapping",
        "array": "a list",
        "string": "text",
        "integer": "a whole number",
        "boolean": "true or false",
    }
    return " or ".join(names.get(part, part) for part in kind.split(" or "))
