"""JSON, JSON lines, TOML and INI: names that are imported, code that is evaluated, pickles spelled in base64."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.texts import targets
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Memory

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

REVIVES = Rule(
    "config/revives-objects",
    Level.HIGH,
    "data that a program turns back into objects",
    "A program that revives it (jsonpickle, a `$type` or `@type` reader) builds what the data names.",
    "Read it as plain data, or get it again from its source.",
    ("cwe/CWE-502",),
)
EVALUATED = Rule(
    "config/evaluated",
    Level.CRITICAL,
    "configuration that is evaluated",
    "`logging.config.fileConfig` evaluates the `args` of handlers as Python.",
    "Do not load it.",
    ("cwe/CWE-95", "mitre-atlas/AML.T0010.003"),
)
HIDDEN_CODE = Rule(
    "config/hidden-code",
    Level.MEDIUM,
    "code within data",
    "Some program may evaluate it.",
    "Find out what reads it, and remove it if nothing does.",
    ("cwe/CWE-94",),
)
EDITOR = Rule(
    "config/editor-runs",
    Level.HIGH,
    "an editor's settings that start a program",
    "Opening the folder, or a container or an assistant in it, runs the command.",
    "Open the folder in restricted mode, and read the command.",
    ("cwe/CWE-829", "mitre-atlas/AML.T0011"),
)
RULES = (EDITOR, REVIVES, EVALUATED, HIDDEN_CODE, *targets.RULES)

PARSED = 1 << 20
"""JSON up to this size is parsed; above, it is searched in pieces, which takes no memory."""
_PIECE = 1 << 20
_OVERLAP = 1 << 12
_DEEPEST = 500

_TELLING = regex(
    rb'"(?:_target_|class_path|\(\)|target|func|callable|path|loader|py/(?:object|reduce|function|type|repr)|\$type|@type'
    rb'|_partial_target_|init_func|_class_)"\s*:\s*"([^"\\]{1,200})"'
)
_PICKLE = regex(rb'"(?:data:[\w/;,=-]*base64,)?(gA[JNSW][A-Za-z0-9+/\\]{16,}={0,2})')
"""Base64 of a pickle: protocol 2 to 5 begins with `gAJ`, `gAN`, `gAS`, `gAW`."""
_REVIVED = regex(
    r"(?:System\.|Microsoft\.|PresentationFramework|java\.|javax\.|com\.sun\.|org\.apache\.|org\.spring)"
)
_CODE = regex(
    rb"__import__\s*\(|\bos\.(?:system|popen)\s*\(|\bsubprocess\.\w+\s*\(|__(?:globals|subclasses|builtins)__"
    rb"|\beval\s*\(\s*(?:compile|base64|__import__)|\bexec\s*\(\s*(?:compile|base64|__import__)"
)
_LONG_PICKLE = 64 << 20

_ENCODED = 16 << 20
_CERTAIN = (b"gAJ", b"gAN", b"gAS", b"gAW")
_MAYBE_PICKLE = regex(rb'"([A-Za-z0-9+/]{16,}(?:Lg==|[CSiy]4=|[AEIMQUYcgkosw048]u))"')
"""Base64 whose last byte is a full stop, by what the last characters can be."""

_TELLING_WORDS = (b"_target_", b"class_path", b'"()"', b'"target"', b'"func"', b'"callable"', b'"path"', b'"loader"',
                  b'"py/', b"$type", b'"@type"', b"init_func", b"_class_")  # fmt: skip
_PICKLE_WORDS = (b'"gAJ', b'"gAN', b'"gAS', b'"gAW', b"base64,gA")
_CODE_WORDS = (
    b"__import__",
    b"os.",
    b"subprocess.",
    b"__globals__",
    b"__subclasses__",
    b"__builtins__",
    b"eval",
    b"exec",
)


def _any(piece: bytes, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words is in it: some twenty times faster than the pattern, and mostly the answer is no."""
    return any(word in piece for word in words)


def _is_json(glance: Glance) -> bool:
    name = glance.lower_name
    if name.endswith((".json", ".jsonl", ".ndjson", ".geojson", ".jsonld", ".json5")):
        return glance.text is not None
    start = glance.head[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] in (b"{", b"[") and start[1:].lstrip()[:1] in b'"{[]}' and glance.text is not None


def _examine_json(source: Source, context: Context) -> None:
    """Search for what acts; parse what is small enough, to see its shape."""
    telling = _search(source, context)
    if source.size <= _ENCODED:
        _encoded_pickles(source, context)
    if source.size > PARSED or context.node.name.lower().endswith((".jsonl", ".ndjson")):
        return
    text = source.read(0, source.size).decode("utf-8", "replace").removeprefix("\ufeff")
    value = parse_json(text, context, report=not telling)
    if '"lc"' in text or '"jinja2"' in text:
        _chains(value, context)


def _chains(value: Any, context: Context) -> None:
    """LangChain's JSON: constructors by name, and prompts written in Jinja."""
    from alcaide.instruments.scan.templates import examine_template

    for _, item in walk(value, context):
        if not isinstance(item, dict):
            continue
        names = item.get("id")
        if item.get("lc") and item.get("type") == "constructor" and isinstance(names, list):
            name = ".".join(str(part) for part in names[:20])
            said = targets.reach(name)
            if said or not name.startswith("langchain"):
                context.find(
                    REVIVES,
                    f"loading the chain makes a `{name[:120]}`{f', which {said}' if said else ''}",
                    level=Level.CRITICAL if said else Level.MEDIUM,
                    callable=name[:200],
                )
        template = item.get("template")
        if item.get("template_format") == "jinja2" and isinstance(template, str):
            examine_template(template[: 1 << 20], context, "template")


def _encoded_pickles(source: Source, context: Context) -> None:
    """Strings that are base64 of a pickle of any protocol: they end as a pickle does, and are recognised as one."""
    import base64

    from alcaide.instruments.scan.examine import formats
    from alcaide.instruments.scan.format import Glance

    data = source.read(0, source.size)
    if not _any(data, (b'Lg=="', b'4="', b'u"')):
        return
    pickles = [form for form in formats() if form.name == "pickle"]
    for count, match in enumerate(_MAYBE_PICKLE.finditer(data)):
        context.tick(16)
        text = match[1]
        if count > 1000 or len(text) % 4 or text.startswith(_CERTAIN):
            continue
        held = Memory(base64.b64decode(text))
        if any(form.sniff(Glance(held, "string")) for form in pickles):
            context.child(f"pickle at {match.start(1)}", held)


def parse_json(text: str, context: Context, *, report: bool = True) -> Any:
    """Some JSON as values, None where it is none; nesting and keys that are there twice are reported."""
    import json

    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items) and len(duplicates) < 10:
            seen: set[str] = set()
            duplicates.extend(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return made

    if text.count("[") + text.count("{") > _DEEPEST and _depth(text) > _DEEPEST:
        context.find(targets.DEEP, f"it is nested more than {_DEEPEST} deep")
        return None
    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        if report and context.node.name.lower().endswith(".json"):
            context.find(targets.BROKEN, f"it cannot be read as JSON: {str(error)[:120]}")
        return None
    for key in duplicates[:5]:
        context.find(targets.DUPLICATE_KEY, f"the key `{key[:80]}` is there twice")
    return value


_STRINGS = regex(r'"(?:[^"\\]|\\.)*"')


def _depth(text: str) -> int:
    """How deep brackets nest outside of strings."""
    deepest = depth = 0
    for match in re.finditer(r"[\[{]|[\]}]", _STRINGS.sub("", text)):
        depth += 1 if match[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _search(source: Source, context: Context) -> bool:
    """Go through it in pieces that overlap; True if something was told."""
    told: set[bytes] = set()
    at = 0
    pickles = 0
    while piece := source.read(at, _PIECE + _OVERLAP):
        context.tick(64)
        for match in _TELLING.finditer(piece) if _any(piece, _TELLING_WORDS) else ():
            if match[0] not in told and len(told) < 1000:
                told.add(match[0])
                _telling(
                    match[0].partition(b":")[0].strip().strip(b'"').decode(),
                    match[1].decode("utf-8", "replace"),
                    context,
                )
        for match in _PICKLE.finditer(piece, 0, _PIECE) if _any(piece, _PICKLE_WORDS) else ():
            pickles += 1
            if pickles <= 100:
                _pickle(source, at + match.start(1), context)
        if b"code" not in told and _any(piece, _CODE_WORDS) and (code := _CODE.search(piece)):
            told.add(b"code")
            _code_in_data(piece, code, at, context)
        at += _PIECE
        if len(piece) < _PIECE:
            break
    return bool(told)


def _code_in_data(piece: bytes, code: re.Match[bytes], at: int, context: Context) -> None:
    """Code in a string: data sets and model cards quote code, so only small configuration is held against it."""
    name = context.node.name.lower()
    small = (
        name.endswith((".json", ".cfg", ".ini", ".toml"))
        and context.node.size < 1 << 16
        and "token" not in name
    )
    context.find(
        HIDDEN_CODE,
        f"it holds code: `{piece[code.start() : code.start() + 80].decode('utf-8', 'replace')}`",
        level=Level.MEDIUM if small else Level.LOW,
        offset=at + code.start(),
    )


def _telling(key: str, value: str, context: Context) -> None:
    """A key whose value some program imports or builds."""
    if key in ("$type", "@type"):
        if _REVIVED.match(value):
            context.find(REVIVES, f"`{key}` names `{value[:120]}`", key=key, value=value)
        return
    if key.startswith("py/"):
        said = targets.reach(value)
        context.find(
            REVIVES,
            f"`{key}` names `{value[:120]}`: jsonpickle builds it{f', which {said}' if said else ''}",
            level=Level.CRITICAL if said else Level.MEDIUM,
            key=key,
            callable=value,
        )
        return
    targets.check(context, key, value)


def _pickle(source: Source, at: int, context: Context) -> None:
    """A pickle in base64 within a string: looked at as a pickle if it ends like one."""
    import base64
    import binascii

    end = at
    while chunk := source.read(end, _PIECE):
        context.tick(64)
        stop = re.search(rb"[^A-Za-z0-9+/=\\n]", chunk)
        if stop:
            end += stop.start()
            break
        end += len(chunk)
        if end - at > _LONG_PICKLE:
            return
    text = source.read(at, end - at).replace(b"\\n", b"").replace(b"\\/", b"/").rstrip(b"=")
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return
    if data[-1:] == b"." and len(data) > 8:
        context.child(f"pickle at {at}", Memory(data), as_format="pickle")


_EDITORS = frozenset(
    [
        "tasks.json",
        "launch.json",
        "settings.json",
        "devcontainer.json",
        ".devcontainer.json",
        "mcp.json",
        ".mcp.json",
    ]
)


def _is_editor(glance: Glance) -> bool:
    return glance.lower_name in _EDITORS and glance.text is not None


def _examine_editor(source: Source, context: Context) -> None:
    """Commands that an editor, a container or an assistant starts: known for harm, or started unasked."""
    from alcaide.instruments.scan.formats.commands import Kind, judge

    text = source.read(0, 1 << 18).decode("utf-8", "replace")
    # Arguments stand in a list of strings; without quotes and commas they read as the command that they are.
    for line in [*text.splitlines(), re.sub(r'"\s*,\s*"', " ", text.replace("\n", " "))]:
        context.tick(16)
        judged = judge(line.replace('"', " "))
        if judged.kind is Kind.HARMFUL:
            context.find(
                EDITOR, f"it runs `{line.strip()[:160]}`, which {judged.reason}", command=line.strip()[:400]
            )
            return
    if re.search(r'"runOn"\s*:\s*"folderOpen"', text):
        context.find(EDITOR, "it has a task that runs when the folder is opened", level=Level.MEDIUM)
    elif re.search(r'"initializeCommand"\s*:', text):
        context.find(EDITOR, "it runs a command on this machine when its container is made", level=Level.LOW)


def _is_toml(glance: Glance) -> bool:
    return glance.lower_name.endswith(".toml") and glance.text is not None


def _examine_toml(source: Source, context: Context) -> None:
    """Parse it; commands in it are judged by `packages`, names here."""
    import tomllib

    if source.size > 1 << 20:
        if context.node.name.lower() in ("cargo.toml", "pyproject.toml"):
            raise OverBudget(f"TOML of {source.size:,} bytes is not read")
        return
    text = source.read(0, source.size).decode("utf-8", "replace")
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        context.find(targets.BROKEN, f"it cannot be read as TOML: {str(error)[:120]}")
        return
    for key, item in walk(value, context):
        if isinstance(item, str):
            targets.check(context, key, item)


def walk(value: Any, context: Context) -> Any:
    """Every (key, value) below a value of plain data; the key of a list's item is the list's."""
    waiting: list[tuple[str, Any, int]] = [("", value, 0)]
    while waiting:
        context.tick()
        key, item, depth = waiting.pop()
        yield key, item
        if depth > 100:
            continue
        if isinstance(item, dict):
            waiting.extend((str(inner), below, depth + 1) for inner, below in item.items())
        elif isinstance(item, list):
            waiting.extend((key, below, depth + 1) for below in item)


_SECTION = regex(r"^[ \t]*\[([^\]\n]{1,200})\]", re.MULTILINE)
_ENTRY = regex(r"^[ \t]*(args|class|kwargs)[ \t]*[=:][ \t]*(\S.*)$", re.MULTILINE)


def _is_ini(glance: Glance) -> bool:
    name = glance.lower_name
    if name.endswith((".ini", ".cfg", ".conf")):
        return glance.text is not None
    return glance.head[:1] == b"[" and b"[handler_" in glance.head and glance.text is not None


def _examine_ini(source: Source, context: Context) -> None:
    """Python's logging configuration evaluates `args`; other INI files are only data."""
    text = source.read(0, 1 << 20).decode("utf-8", "replace")
    marks = [(match.start(), match[1].strip()) for match in _SECTION.finditer(text)]
    for index, (start, section) in enumerate(marks[:2000]):
        context.tick()
        if not section.startswith(("handler_", "formatter_", "logger_")):
            continue
        end = marks[index + 1][0] if index + 1 < len(marks) else len(text)
        for entry in _ENTRY.finditer(text, start, end):
            _evaluated(entry[1], entry[2].strip(), section, context)


_LOGGING = regex(r"[\w\s()\[\]{}'\",./:=+*%-]*\Z")
_CALLED = regex(r"([A-Za-z_][\w.]*)\s*\(")


def _evaluated(key: str, value: str, section: str, context: Context) -> None:
    """One entry that `fileConfig` evaluates or imports."""
    if key == "class":
        said = targets.reach(value)
        if said:
            context.find(
                EVALUATED, f"`[{section}]` has the class `{value[:120]}`, which {said}", callable=value
            )
        return
    for match in _CALLED.finditer(value):
        name = match[1]
        if name.startswith("__import__") or targets.reach(name) or "__" in name:
            context.find(
                EVALUATED, f"`args` of `[{section}]` calls `{name}` when logging is set up", callable=name
            )
            return
    if "__" in value or "lambda" in value:
        context.find(
            EVALUATED, f"`args` of `[{section}]` is `{value[:120]}`, which is evaluated", level=Level.HIGH
        )


FORMATS = (
    Format("json", "JSON", _is_json, _examine_json, RULES),
    Format("editor-settings", "settings of an editor", _is_editor, _examine_editor, RULES),
    Format("toml", "TOML", _is_toml, _examine_toml, RULES),
    Format("ini", "INI file", _is_ini, _examine_ini, RULES),
)
