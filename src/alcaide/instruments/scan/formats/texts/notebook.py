"""Jupyter notebooks: what their cells would run, and what their stored output would run in a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.json_object import HEAVIEST, weight
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

COMMAND = Rule(
    "notebook/harmful-command",
    Level.HIGH,
    "a cell that runs a harmful command",
    "Running all cells is what people do first with a notebook.",
    "Do not run it. Find out how it came in.",
    ("cwe/CWE-78", "mitre-atlas/AML.T0011"),
)
SCRIPT = Rule(
    "notebook/browser-script",
    Level.MEDIUM,
    "script for the browser",
    "In a trusted notebook it runs when the notebook is opened, with all that the notebook's server allows.",
    "Clear the outputs, or open it untrusted.",
    ("cwe/CWE-79", "mitre-atlas/AML.T0011"),
)
RULES = (COMMAND, SCRIPT)

LONGEST = 32 << 20
_SHELLS = frozenset(["bash", "sh", "system", "sx", "script", "cmd", "powershell", "pwsh", "zsh"])
_BROWSER = frozenset(["javascript", "js"])
_ASSIGNED = regex(r"^([ \t]{0,200})[\w\[\], .]{1,200}=[ \t]{0,20}!(.*)$")
_KERNEL = regex(
    r"(?:Jupyter|IPython)\.notebook\.kernel\.execute\s*\(|kernel\.requestExecute\s*\(|/api/(?:terminals|kernels|contents|sessions)\b"
    r"|document\.cookie|\.innerHTML\s*=\s*atob\(|\beval\s*\(\s*atob\s*\("
)
_DRAWN = 4096
"""What draws a figure in the browser is longer than this, and full of words that reach out."""
_REACHES = regex(
    r"\bfetch\s*\(|XMLHttpRequest|sendBeacon|WebSocket\s*\(|new\s+Image\s*\(|\beval\s*\(|document\.(?:cookie|location)"
    r"|window\.(?:location|open)|importScripts|\.src\s*=\s*['\"]https?:"
)
_INSTALLS = regex(r"\b(?:pip[\d.]*|uv|conda|mamba)\b.{0,200}\binstall\b")
_SCRIPTS = regex(
    r"<script\b|javascript:|\bon(?:error|load|click|mouseover|focus)\s*=|<iframe\b", re.IGNORECASE
)


def sniff(glance: Glance) -> bool:
    """JSON with cells; the name alone is enough to try."""
    if glance.lower_name.endswith(".ipynb"):
        return True
    start = glance.head[:1024].lstrip()
    return (
        start[:1] == b"{"
        and b'"cells"' in start
        and (b'"cell_type"' in glance.head or b'"nbformat"' in glance.head)
    )


def examine(source: Source, context: Context) -> None:
    """Judge every cell."""
    import json

    if source.size > LONGEST:
        raise OverBudget(f"a notebook of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    data = source.read(0, source.size)
    if weight(data) > HEAVIEST:
        raise OverBudget("it holds more values than can be read at once")
    try:
        book = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({type(error).__name__})") from error
    cells = _cells(book)
    python = str(
        _inner(book, "metadata", "kernelspec", "language")
        or _inner(book, "metadata", "language_info", "name")
        or "python"
    )
    context.fact(cells=len(cells), language=python[:40])
    code: list[str] = []
    for number, cell in enumerate(cells, 1):
        context.tick(16)
        text = _text(cell.get("source", cell.get("input")))
        if cell.get("cell_type") == "code":
            code.append(_cell(text, number, context))
            _outputs(cell.get("outputs"), number, context)
        elif match := _KERNEL.search(text):
            context.find(
                SCRIPT, f"cell {number} holds a script that uses `{match[0][:60]}`", level=Level.HIGH
            )
        elif handler := re.search(
            r"<\w+[^>]{0,400}\son(?:error|load|focus|mouseover|begin)\s*=", text, re.IGNORECASE
        ):
            context.find(
                SCRIPT,
                f"cell {number}, a text, holds `{handler[0][:60]}`",
                level=Level.HIGH,
                place=f"cell {number}",
            )
        elif re.search(r"<script\b[^>]{0,500}>\s*\S", text, re.IGNORECASE):
            context.find(
                SCRIPT, f"cell {number}, a text, holds a script for the browser", place=f"cell {number}"
            )
    if python.lower().startswith(("python", "ipython")):
        _python(code, context)


def _python(code: list[str], context: Context) -> None:
    """All cells as one file; where one does not parse, cell by cell."""
    from alcaide.instruments.scan.formats.texts.python import format as source
    from alcaide.instruments.scan.formats.texts.python.acts import parse
    from alcaide.instruments.scan.formats.texts.python.levels import Runs

    whole = "\n".join(code)
    if len(whole) > source.LONGEST:
        raise OverBudget(f"{len(whole):,} bytes of code are not parsed; the limit is {source.LONGEST:,}")
    try:
        parse(whole)
    except (SyntaxError, ValueError):
        for number, text in enumerate(code, 1):
            if text.strip():
                source.judge_source(text, context, Runs.CELL, place=f"code cell {number}")
        return
    except (RecursionError, MemoryError) as error:
        raise OverBudget("its code is nested deeper than Python itself takes") from error
    source.judge_source(whole, context, Runs.CELL)


def _cell(text: str, number: int, context: Context) -> str:
    """Judge a code cell's commands; returns its Python, with what is none taken out."""
    place = f"cell {number}"
    head = text.lstrip()
    if head.startswith("%%"):
        first, _, rest = head[2:].partition("\n")
        magic = first.split(None, 1)[0] if first.strip() else ""
        if magic in _SHELLS or magic.startswith("script"):
            _command(rest, place, context, whole=True)
            return ""
        if magic in _BROWSER or magic in ("html", "svg"):
            _browser(rest, place, context, written=True)
            return ""
        return rest if magic in ("time", "timeit", "capture", "prun") else ""
    out = []
    for line in text.split("\n"):
        bare = line.lstrip()
        indent = line[: len(line) - len(bare)]
        if bare.startswith("!"):
            _command(bare.lstrip("!"), place, context)
        elif bare.startswith("%"):
            magic, _, rest = bare.lstrip("%").partition(" ")
            if magic in _SHELLS:
                _command(rest, place, context)
            elif magic in ("run", "load", "edit", "loadpy") and "://" in rest:
                context.find(COMMAND, f"{place} runs what lies at `{rest.strip()[:160]}`", place=place)
            elif magic in ("pip", "conda", "uv", "mamba"):
                _command(f"{magic} {rest}", place, context)
        elif match := _ASSIGNED.match(line):
            _command(match[2], place, context)
        elif bare.endswith("?") or bare.startswith("?"):
            pass
        else:
            out.append(line)
            continue
        out.append(f"{indent}pass")
    return "\n".join(out)


def _command(command: str, place: str, context: Context, *, whole: bool = False) -> None:
    from alcaide.instruments.scan.formats.commands import Kind, judge

    if _INSTALLS.search(command):
        _installed(command, place, context)
    judged = judge(command)
    if judged.kind is Kind.HARMFUL or (judged.kind is Kind.DOUBTFUL and not whole):
        context.find(
            COMMAND,
            f"{place} runs `{command.strip()[:160]}`, which {judged.reason}",
            level=Level.HIGH if judged.kind is Kind.HARMFUL else Level.MEDIUM,
            place=place,
            command=command.strip()[:400],
        )


def _installed(command: str, place: str, context: Context) -> None:
    """Where an installation takes its packages from."""
    from alcaide.instruments.scan.formats.texts.packages import from_elsewhere

    for value in from_elsewhere(command):
        context.find(
            COMMAND,
            f"{place} installs packages from `{value[:160]}`",
            place=place,
            command=command.strip()[:400],
        )


def _browser(text: str, place: str, context: Context, *, written: bool = False) -> None:
    """Script or HTML; what only draws is ordinary."""
    if match := _KERNEL.search(text):
        context.find(
            SCRIPT, f"{place} holds a script that uses `{match[0][:60]}`", level=Level.HIGH, place=place
        )
    elif not written and len(text) < _DRAWN and _SCRIPTS.search(text) and _REACHES.search(text):
        context.find(SCRIPT, f"{place} holds a script that reaches out", level=Level.HIGH, place=place)
    elif written and re.search(r"\b(?:fetch|XMLHttpRequest|sendBeacon|WebSocket)\b|new Image\(\)", text):
        context.find(SCRIPT, f"{place} holds a script that reaches the network", place=place)


def _outputs(outputs: Any, number: int, context: Context) -> None:
    for output in outputs if isinstance(outputs, list) else []:
        data = output.get("data") if isinstance(output, dict) else None
        for kind, content in data.items() if isinstance(data, dict) else []:
            context.tick()
            if kind in ("text/html", "application/javascript", "image/svg+xml", "text/markdown"):
                text = _text(content)
                if kind == "application/javascript" and len(text) < _DRAWN:
                    text = f"<script>{text}</script>"
                _browser(text, f"the output of cell {number}", context)
                if kind == "image/svg+xml" and _SCRIPTS.search(text):
                    context.find(
                        SCRIPT, f"the drawing that cell {number} has left holds a script", level=Level.HIGH
                    )


def _cells(book: Any) -> list[dict[str, Any]]:
    """The cells, of the format before 4 too."""
    if not isinstance(book, dict):
        raise Malformed("it is no notebook")
    found: list[dict[str, Any]] = []
    for holder in [book, *_listed(book.get("worksheets"))]:
        cells = holder.get("cells") if isinstance(holder, dict) else None
        found.extend(cell for cell in _listed(cells) if isinstance(cell, dict))
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _inner(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


FORMATS = (Format("notebook", "Jupyter notebook", sniff, examine, RULES),)
