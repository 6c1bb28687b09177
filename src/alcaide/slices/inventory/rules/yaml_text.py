"""YAML from a stranger's repository, read so that what a person sees is what is meant.

Plain YAML 1.1 turns `no` into false, `1.10` into 1.1 and `12:30` into 750. Here a scalar is its text, except `true`,
`false`, `null` and `~` written plainly. Two keys alike are refused with both lines, and so are tags, merge keys and
anything that aliases would blow up.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 20
MAX_NODES = 200_000
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "map", "seq", "merge")
)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlText:
    """The value of a document and the line on which each part of it stands."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of the part at `path`, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_yaml(data: bytes, *, what: str = "the document") -> YamlText:
    """Read one YAML document. Raises InvalidInput or TooLarge with a line, never anything else."""
    import yaml

    if len(data) > MAX_BYTES:
        raise TooLarge(f"{what} has {len(data)} bytes, over the limit of {MAX_BYTES}; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise InvalidInput(f"{what} is not UTF-8 at byte {problem.start}; save it as UTF-8") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _bound(yaml, text, loader, what)
        node = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f" on line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        said = str(getattr(problem, "problem", "") or problem).splitlines()[0][:160].lower()
        raise InvalidInput(f"{what} is not YAML{where}: {said}; correct it there") from None
    except (RecursionError, ValueError) as problem:
        raise InvalidInput(
            f"{what} cannot be read as YAML: {str(problem)[:120]}; check that it is text"
        ) from None
    if node is None:
        raise InvalidInput(f"{what} is empty; see the guide to `alcaide.yaml` for what belongs in it")
    reader = _Reader(what)
    return YamlText(reader.value(node, (), ()), reader.lines)


def _bound(yaml: Any, text: str, loader: Any, what: str) -> None:
    """Depth and size, from events, before anything recursive sees the document."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        if count > MAX_NODES * 2:
            raise TooLarge(f"{what} has more than {MAX_NODES} entries; split it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise TooLarge(
                    f"{what} is nested deeper than {MAX_DEPTH} levels on line {event.start_mark.line + 1}; flatten it"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    def __init__(self, what: str) -> None:
        self.what = what
        self.lines: dict[Path, int] = {}
        self.nodes = 0

    def value(self, node: yaml.Node, path: Path, inside: tuple[int, ...]) -> Any:
        line = node.start_mark.line + 1
        self.nodes += 1
        # INVARIANT: aliased parts are counted each time they are used, so that no expansion outgrows the bound.
        if self.nodes > MAX_NODES:
            raise TooLarge(
                f"{self.what} has more than {MAX_NODES} entries once its aliases are filled in; write less"
            )
        if id(node) in inside:
            raise InvalidInput(f"{self.what} contains itself by an alias on line {line}; write it out")
        if len(inside) > MAX_DEPTH:
            raise TooLarge(f"{self.what} is nested deeper than {MAX_DEPTH} levels on line {line}; flatten it")
        if node.tag not in _PLAIN_TAGS:
            raise InvalidInput(f"{self.what} uses the tag `{node.tag[:60]}` on line {line}; leave tags out")
        self.lines[path] = line
        inside = (*inside, id(node))
        match getattr(node, "id", ""):
            case "mapping":
                return self._mapping(node, path, inside)
            case "sequence":
                return [self.value(item, (*path, i), inside) for i, item in enumerate(node.value)]
            case _:
                return _scalar(node)

    def _mapping(self, node: yaml.Node, path: Path, inside: tuple[int, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        first: dict[Hashable, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                raise InvalidInput(f"{self.what} has a key that is not text on line {line}; use plain keys")
            key = str(key_node.value)
            if key == "<<":
                raise InvalidInput(f"{self.what} merges with `<<` on line {line}; write the fields out")
            if key in first:
                raise InvalidInput(
                    f"{self.what} has the key `{key[:60]}` twice, on lines {first[key]} and {line}; keep one of them"
                )
            first[key] = line
            found[key] = self.value(value_node, (*path, key), inside)
            self.lines[(*path, key)] = line
        return found


def _scalar(node: yaml.Node) -> str | bool | None:
    text = str(node.value)
    if getattr(node, "style", None) in ("'", '"', "|", ">"):
        return text
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    return None if text in _NULLS else text
