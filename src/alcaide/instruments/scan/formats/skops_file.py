"""skops files: a zip with a schema of what to build, as JSON, and arrays beside it.

skops builds only types that it or the user trusts, so what is in a schema acts when somebody trusts it without a look.
This is the look: every type the schema names is judged by the same lists as a pickle's names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.zip_content import FLAGGED, TWICE, hints
from alcaide.instruments.scan.limits import Encrypted, Malformed, OverBudget, ScanStop
from alcaide.instruments.scan.model import Level, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.formats.pickle.verdict import Entry
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("cwe/CWE-502", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

DANGEROUS = Rule(
    "skops/dangerous-type",
    Level.CRITICAL,
    "builds something that does harm",
    "Whoever trusts all the types of the file, as many examples do, builds and calls what it names.",
    "Do not load it. Get the model from a source you trust.",
    _TAXONOMY,
)
UNLISTED = Rule(
    "skops/unlisted-type",
    Level.MEDIUM,
    "builds a type that is not known to be harmless",
    "skops asks whether the type may be built; the answer cannot be given here.",
    "Find out what the type does when it is built, and trust it by its name or not at all.",
    _TAXONOMY,
)

_HINT: Final = b"schema.json"
_MOST: Final = 64 << 20
_ONLY_REFERS: Final = frozenset({"FunctionNode", "TypeNode", "PartialNode", "MethodNode", "OperatorFuncNode"})
_OPERATORS: Final = frozenset({"itemgetter", "attrgetter"})
_PLAIN: Final = frozenset({"JsonNode", "SliceNode", "BytesNode", "BytearrayNode"})


def sniff(glance: Glance) -> bool:
    """A zip with skops' schema."""
    return hints(glance, _HINT)


def examine(source: Source, context: Context) -> None:
    """Judge the schema's types, and look at every member like a file of its own."""
    from alcaide.instruments.scan.formats.zip_content import Archive

    stop: ScanStop | None = None
    archive = Archive.read(source, context)
    for entry in archive.files():
        try:
            if entry.is_encrypted:
                raise Encrypted(f"`{entry.name}` is encrypted")
            content = archive.content(entry)
            if content is not None and entry.name == "schema.json":
                _schema(content, context)
        except ScanStop as error:
            context.budget.check_time()
            stop = stop or error
            continue
        if content is not None:
            context.child(entry.name, content)
    if stop is not None:
        raise stop


def _schema(content: Source, context: Context) -> None:
    """Every type that the schema names, once."""
    from alcaide.instruments.scan.formats.pickle.verdict import Judge

    if content.size > _MOST:
        raise OverBudget(f"a schema of {content.size:,} bytes is longer than is read")
    try:
        document = json.loads(content.read(0, content.size))
    except (ValueError, RecursionError):
        raise Malformed("its schema is no JSON") from None
    if not isinstance(document, dict) or "__loader__" not in document:
        return
    judge = Judge()
    seen: set[tuple[str, str, str]] = set()
    context.fact(skops=str(document.get("_skops_version", ""))[:40], protocol=document.get("protocol"))
    for module, name, loader in _types(document, context):
        if (module, name, loader) in seen or len(seen) > 5_000:
            continue
        seen.add((module, name, loader))
        if loader in _PLAIN and module == "builtins":
            continue
        if loader == "OperatorFuncNode" and name in _OPERATORS:
            continue
        _judge(judge.entry(module, name, old=False), loader, context)


def _types(document: Any, context: Context) -> Iterator[tuple[str, str, str]]:
    """Module, name and loader of every node; for a method also its name as that of the class's."""
    waiting = [document]
    while waiting:
        context.tick()
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            module, name, loader = value.get("__module__"), value.get("__class__"), value.get("__loader__")
            if isinstance(name, str) and isinstance(loader, str):
                yield str(module), name, loader
                content = value.get("content")
                if (
                    loader == "MethodNode"
                    and isinstance(content, dict)
                    and isinstance(content.get("func"), str)
                ):
                    yield str(module), f"{name}.{content['func']}", loader
            waiting.extend(value.values())


def _judge(entry: Entry, loader: str, context: Context) -> None:
    """A type that is not known to be harmless."""
    if entry.kind == "allowed":
        return
    allowance = context.policy.allowance(entry.name, context.look.sha256)
    if allowance is not None:
        context.find(
            UNLISTED,
            f"`{entry.name}` is allowed for this file: {allowance.reason}",
            level=Level.LOW,
            place="schema.json",
            callable=entry.name,
        )
    elif entry.kind == "dangerous":
        refers = loader in _ONLY_REFERS
        context.find(
            DANGEROUS,
            f"{'using' if refers else 'loading'} it {'calls' if refers else 'builds or calls'} `{entry.name}`: "
            f"{entry.why}",
            level=Level.HIGH if refers else None,
            place="schema.json",
            callable=entry.name,
            loader=loader,
        )
    else:
        context.find(
            UNLISTED,
            f"loading it builds `{entry.name}`, which is not known to be harmless",
            place="schema.json",
            callable=entry.name,
            loader=loader,
        )


FORMATS = (Format("skops", "skops file", sniff, examine, (DANGEROUS, UNLISTED, FLAGGED, TWICE)),)
