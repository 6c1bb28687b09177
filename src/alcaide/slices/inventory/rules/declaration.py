"""`alcaide.yaml`: what a repository says about the systems it holds, as values to compare with the register.

A field that is absent says nothing and leaves the register alone. A list that is present (`components`, `flows`,
`environments`) is the whole list: what it no longer names is taken out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.inventory.model import (
    ComponentFields,
    EnvironmentFields,
    FlowFields,
    SystemFields,
    VersionFields,
)
from alcaide.slices.inventory.rules.describe import SYSTEM_FIELDS, system_json
from alcaide.slices.inventory.rules.validate import (
    component_fields,
    component_ref,
    environment_fields,
    flow_fields,
    system_fields,
    version_fields,
)
from alcaide.slices.inventory.rules.yaml_text import Path, YamlText

MAX_PROBLEMS = 20


@dataclass(frozen=True, kw_only=True)
class ComponentWish:
    """A component version as declared. `path` names a file whose bytes the digest is of."""

    fields: ComponentFields
    version: VersionFields
    path: str = ""
    line: int = 0

    @property
    def ref(self) -> str:
        return f"{self.fields.kind}:{self.fields.name}@{self.version.version}"


@dataclass(frozen=True, kw_only=True)
class EnvironmentWish:
    """An environment as declared. `deployed` is None where the document does not say what runs there."""

    fields: EnvironmentFields
    deployed: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class SystemWish:
    """One system as declared. None for a list means that the document does not speak of it."""

    name: str
    given: Mapping[str, Any]
    line: int
    components: tuple[ComponentWish, ...] | None = None
    flows: tuple[FlowFields, ...] | None = None
    environments: tuple[EnvironmentWish, ...] | None = None

    def fields(self, current: SystemFields | None) -> SystemFields:
        """The fields of the system if this wish is granted."""
        base = system_json(current) if current else {}
        return system_fields({**base, **self.given, "name": self.name})


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """Everything a document declares."""

    systems: tuple[SystemWish, ...]
    components: tuple[ComponentWish, ...] = ()

    @property
    def wishes(self) -> tuple[ComponentWish, ...]:
        """Every component declared, shared ones first."""
        return self.components + tuple(c for system in self.systems for c in system.components or ())


def read_declaration(
    text: YamlText, schema: Mapping[str, Any], *, what: str = "`alcaide.yaml`"
) -> Declaration:
    """The declaration in a document. Raises InvalidInput naming the lines at fault, the first twenty of them.

    1. the shipped JSON Schema, which catches misspelt fields, 2. the same checks as every form.
    """
    _check_schema(text, schema, what)
    problems: list[str] = []
    shared = tuple(_components(text, ("components",), text.value.get("components"), problems) or ())
    systems: list[SystemWish] = []
    lines: dict[str, int] = {}
    for position, entry in enumerate(text.value.get("systems") or []):
        path: Path = ("systems", position)
        name = str(entry["name"])
        if name in lines:
            problems.append(
                f"line {text.line(path)}: system `{name[:64]}` is declared on line {lines[name]} already"
            )
            continue
        lines[name] = text.line(path)
        systems.append(_system(text, path, entry, problems))
    if problems:
        raise InvalidInput(
            _told(problems, what),
            {"document": f"has {len(problems)} mistake{'s' if len(problems) > 1 else ''}"},
        )
    return Declaration(systems=tuple(systems), components=shared)


def _system(text: YamlText, path: Path, entry: Mapping[str, Any], problems: list[str]) -> SystemWish:
    given = {key: entry[key] for key in SYSTEM_FIELDS if key in entry}
    try:
        system_fields({**given, "name": entry["name"]})
    except InvalidInput as problem:
        for key, why in problem.fields.items():
            problems.append(f"line {text.line((*path, key))}: `{key}` {why}")
    flows = entry.get("flows")
    environments = entry.get("environments")
    return SystemWish(
        name=str(entry["name"]),
        given=given,
        line=text.line(path),
        components=_components(text, (*path, "components"), entry.get("components"), problems),
        flows=None if flows is None else _flows(text, (*path, "flows"), flows, problems),
        environments=None
        if environments is None
        else _environments(text, (*path, "environments"), environments, problems),
    )


def _components(
    text: YamlText, path: Path, entries: Any, problems: list[str]
) -> tuple[ComponentWish, ...] | None:
    if entries is None:
        return None
    wishes: list[ComponentWish] = []
    for position, entry in enumerate(entries):
        here: Path = (*path, position)
        line = text.line(here)
        values: dict[str, Any] = {}
        if isinstance(entry, str):
            try:
                kind, name, version = component_ref(entry)
            except InvalidInput as problem:
                problems.append(f"line {line}: {problem}")
                continue
            values = {"kind": str(kind), "name": name, "version": version}
        else:
            values = dict(entry)
        try:
            fields, version_of = component_fields(values), version_fields(values)
        except InvalidInput as problem:
            for key, why in problem.fields.items():
                problems.append(f"line {text.line((*here, key))}: `{key}` {why}")
            continue
        wish = ComponentWish(fields=fields, version=version_of, path=str(values.get("path") or ""), line=line)
        if any(other.ref == wish.ref for other in wishes):
            problems.append(f"line {line}: `{wish.ref}` is listed twice; keep one")
            continue
        wishes.append(wish)
    return tuple(wishes)


def _flows(text: YamlText, path: Path, entries: Any, problems: list[str]) -> tuple[FlowFields, ...]:
    flows: list[FlowFields] = []
    for position, entry in enumerate(entries):
        values = {
            "source": entry.get("from"),
            "target": entry.get("to"),
            "data": entry.get("data"),
            "purpose": entry.get("purpose"),
            "crosses_boundary": entry.get("crosses_boundary"),
            "encrypted": entry.get("encrypted"),
        }
        try:
            fields = flow_fields(values)
        except InvalidInput as problem:
            for key, why in problem.fields.items():
                shown = {"source": "from", "target": "to"}.get(key, key)
                problems.append(f"line {text.line((*path, position, shown))}: `{shown}` {why}")
            continue
        if fields not in flows:
            flows.append(fields)
    return tuple(flows)


def _environments(
    text: YamlText, path: Path, entries: Any, problems: list[str]
) -> tuple[EnvironmentWish, ...]:
    found: list[EnvironmentWish] = []
    for position, entry in enumerate(entries):
        line = text.line((*path, position))
        try:
            fields = environment_fields(entry)
        except InvalidInput as problem:
            problems.extend(f"line {line}: `{key}` {why}" for key, why in problem.fields.items())
            continue
        if any(other.fields.name == fields.name for other in found):
            problems.append(f"line {line}: environment `{fields.name}` is listed twice; keep one")
            continue
        deployed = entry.get("deployed")
        found.append(
            EnvironmentWish(
                fields=fields, deployed=None if deployed is None else tuple(str(ref) for ref in deployed)
            )
        )
    return tuple(found)


def _check_schema(text: YamlText, schema: Mapping[str, Any], what: str) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    errors = sorted(
        Draft202012Validator(dict(schema)).iter_errors(text.value),
        key=lambda e: list(map(str, e.absolute_path)),
    )
    problems: list[str] = []
    for found in errors[:MAX_PROBLEMS]:
        error = best_match(iter([found])) or found  # of the branches of a `oneOf`, the one most nearly meant
        path: Path = tuple(error.absolute_path)
        where = ".".join(str(step) for step in path)
        said = error.message.replace("'", "`")
        problems.append(f"line {text.line(path)}: {f'`{where}` ' if where else ''}{said[:200]}")
    if problems:
        raise InvalidInput(
            _told(problems, what),
            {"document": f"has {len(problems)} mistake{'s' if len(problems) > 1 else ''}"},
        )


def _told(problems: list[str], what: str) -> str:
    shown = "\n  ".join(problems[:MAX_PROBLEMS])
    more = f"\n  and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
    return f"{what} cannot be applied:\n  {shown}{more}\ncorrect these lines and apply it again"
