"""Shell, batch and PowerShell scripts, and text files that start programs when they are opened."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.executables.rules import (
    DISGUISED,
    HARMFUL,
    RULES,
    SCRIPT,
    SHORTCUT,
    is_data_name,
)
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_SHELL_ENDINGS = (".sh", ".bash", ".zsh", ".ksh", ".command", ".csh")
_WINDOWS_ENDINGS = (".bat", ".cmd", ".ps1", ".psm1", ".psd1", ".vbs", ".vbe", ".wsf", ".hta", ".jse", ".sct")
_BATCH = regex(
    rb"\s*(?:@echo\s+off|@?setlocal\b|rem\s[^\n]*\r?\n\s*@?(?:echo|set|call|start)\b)", re.IGNORECASE
)
_SHEBANG = regex(rb"(?:\xef\xbb\xbf)?#!\s*/?[\w./-]*")
_PYTHON = regex(rb"(?:\xef\xbb\xbf)?#![^\n]*python")
_LONGEST = 1 << 20
_PIECE = 16_000
"""A script is judged in pieces that overlap, for the patterns look at a stretch at a time."""

_HOOKS = frozenset(
    ["post-checkout", "post-merge", "post-commit", "post-rewrite", "pre-commit", "pre-push", "pre-rebase", "commit-msg",
     "prepare-commit-msg", "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-auto-gc", "pre-merge-commit",
     "reference-transaction", "fsmonitor-watchman", "post-index-change", "pre-receive", "post-receive", "post-update"]
)  # fmt: skip
"""Names by which git finds its hooks."""

_DESKTOP = regex(
    r"^[ \t]*(?:Exec|URL|IconFile|WorkingDirectory)[ \t]*=[ \t]*(\S.*)$", re.MULTILINE | re.IGNORECASE
)
_WINDOWS_HARM = regex(
    r"wscript\.(?:shell|createobject)|activexobject\s*\(|shell\.application|adodb\.stream|msxml2\.xmlhttp|scriptlet|-encodedcommand|frombase64string"
    r"|reflection\.assembly|virtualalloc|createobject\s*\(|getobject\s*\(",
    re.IGNORECASE,
)


def _is_shell(glance: Glance) -> bool:
    head = glance.head
    if head[:2] == b"#!" or head[:5] == b"\xef\xbb\xbf#!":
        first = head[: head.find(b"\n") + 1] or head
        # A shell refuses what has a NUL in its first line, and runs what has one later.
        return _SHEBANG.match(head) is not None and not _PYTHON.match(head) and b"\0" not in first
    return glance.lower_name.endswith(_SHELL_ENDINGS) and glance.text is not None


def _is_windows(glance: Glance) -> bool:
    if glance.lower_name.endswith(_WINDOWS_ENDINGS):
        return glance.text is not None
    if glance.lower_name.endswith(".js"):
        return b"ActiveXObject" in glance.head or b"WScript." in glance.head
    return glance.head[:1] in b"@rRsS \r\n\t" and _BATCH.match(glance.head) is not None


def _is_starter(glance: Glance) -> bool:
    head = glance.head[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    return head.startswith(
        (b"[Desktop Entry]", b"[InternetShortcut]", b"[.ShellClassInfo]", b"[AutoRun]", b"[autorun]")
    )


def _examine(source: Source, context: Context) -> None:
    """Judge the commands; a script that does nothing known for harm is a script and no more."""
    text = source.read(0, _LONGEST).decode("utf-8", "replace")
    name = context.node.name
    harm = _harm(text, context)
    if is_data_name(name):
        context.find(DISGUISED, f"`{name}` is a script, under the name of data")
    if harm:
        context.find(HARMFUL, f"running `{name}` {harm}", reason=harm)
    elif name.rsplit("/", 1)[-1] in _HOOKS and not _is_ordinary(text):
        context.find(HARMFUL, f"git runs `{name}` unasked, once it lies among its hooks")
    elif not is_data_name(name):
        context.find(SCRIPT, f"`{name}` is a script")
    if source.size > _LONGEST:
        raise OverBudget(f"a script of {source.size:,} bytes is read to {_LONGEST:,} only")


def _examine_windows(source: Source, context: Context) -> None:
    _examine(source, context)
    data = source.read(0, _LONGEST)
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    if match := _WINDOWS_HARM.search(text):
        context.find(
            HARMFUL,
            f"running `{context.node.name}` reaches out of the script, by `{match[0]}`",
            level=Level.HIGH
            if "shell" in match[0].lower() or "activex" in match[0].lower()
            else Level.MEDIUM,
        )


def _is_ordinary(text: str) -> bool:
    from alcaide.instruments.scan.formats.commands import Kind, judge

    lines = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return judge(lines).kind is Kind.ORDINARY


def _harm(text: str, context: Context) -> str:
    """What a script does that is known for harm; "" if nothing."""
    from alcaide.instruments.scan.formats.commands import Kind, judge

    lines = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    for start in range(0, max(1, len(lines)), _PIECE):
        context.budget.check_time()
        judged = judge(lines[start : start + _PIECE + 2_000])
        if judged.kind is Kind.HARMFUL:
            return judged.reason
    return ""


def _examine_starter(source: Source, context: Context) -> None:
    """What opening it starts."""
    text = source.read(0, 1 << 16).decode("utf-8", "replace")
    for command in _DESKTOP.findall(text)[:5]:
        web = command.strip().lower().startswith(("https://", "http://"))
        context.find(
            SHORTCUT,
            f"opening `{context.node.name}` starts `{command.strip()[:300]}`",
            level=Level.LOW if web else Level.HIGH,
        )
    if "autorun" in text[:200].lower():
        context.find(SHORTCUT, f"`{context.node.name}` starts a program when its medium is opened")


FORMATS = (
    Format("shell", "shell script", _is_shell, _examine, RULES),
    Format("windows-script", "Windows script", _is_windows, _examine_windows, RULES),
    Format("starter", "desktop entry or shortcut", _is_starter, _examine_starter, RULES),
)
