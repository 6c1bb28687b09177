"""HTML and SVG: scripts that run when they are opened. What their document type declares is looked at as XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.executables.rules import ending, is_data_name
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

IMAGE_SCRIPT = Rule(
    "markup/image-with-script",
    Level.HIGH,
    "a picture that runs script",
    "Opened in a browser or a viewer that knows script, it acts as the page it is shown on.",
    "Show it as a raster image, or remove the script.",
    ("cwe/CWE-79",),
)
SCRIPT = Rule(
    "markup/script",
    Level.LOW,
    "a page with script",
    "It runs in the browser of whoever opens it.",
    "Open it in a browser without sign-ins.",
    ("cwe/CWE-79",),
)
APPLICATION = Rule(
    "markup/application",
    Level.HIGH,
    "a page that runs as a program",
    "Opened on Windows it has all the rights of whoever opens it.",
    "Do not open it.",
    ("cwe/CWE-79", "mitre-atlas/AML.T0011"),
)
RULES = (IMAGE_SCRIPT, SCRIPT, APPLICATION)

_MARKUP_ENDINGS = frozenset(["html", "svg", "xml", "md", "txt", "rst"])
_PIECE = 1 << 20
_OVERLAP = 4096
_MOST = 64 << 20
_SCRIPT = regex(
    rb"<\s*(?:\w+:)?script\b(?![^>]{0,300}type\s*=\s*[\"']application/(?:ld\+)?json)|\bjavascript\s*:|\son\w{3,20}\s*=\s*[\"']"
    rb"|<\s*(?:\w+:)?foreignObject\b[\s\S]{0,500}<\s*(?:iframe|script|object|embed)|<\s*(?:iframe|object|embed)\b"
    rb"|data:text/html|<\s*(?:set|animate)\b[^>]{0,300}attributeName\s*=\s*[\"'](?:xlink:)?href",
    re.IGNORECASE,
)
_APPLICATION = regex(rb"<\s*hta:application\b|ActiveXObject\s*\(|<script[^>]{0,300}vbscript", re.IGNORECASE)


def _starts(glance: Glance) -> bytes:
    head = glance.head[:1024]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:300].lower()


def _is_markup(glance: Glance) -> bool:
    if glance.head[:1] not in b"<\xef\xff\xfe \t\r\n":
        return False
    start = _starts(glance)
    if not start.startswith(b"<"):
        return False
    if start.startswith((b"<!doctype html", b"<html", b"<svg", b"<head", b"<body", b"<script", b"<hta:")):
        return True
    if glance.lower_name.endswith((".html", ".htm", ".xhtml", ".svg", ".hta", ".vue")):
        return True
    head = glance.head.lower()
    return b"<svg" in head or b"<html" in head or b":svg" in head


def _examine(source: Source, context: Context) -> None:
    """Search it in pieces; entities stand at the beginning."""
    head = source.read(0, _PIECE)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    start = head[:4096].lower()
    svg = b"<svg" in start or b"<!doctype svg" in start
    html = (
        b"<html" in start
        or b"<!doctype html" in start
        or context.node.name.lower().endswith((".html", ".htm"))
    )
    context.fact(kind="SVG" if svg and not html else "HTML")
    at, told = 0, False
    while at < min(source.size, _MOST):
        context.tick(256)
        piece = head if at == 0 else source.read(at, _PIECE + _OVERLAP)
        if not piece:
            break
        if program := _APPLICATION.search(piece):
            context.find(APPLICATION, f"it uses `{_shown(program)}`", offset=at + program.start())
            return
        found = None if told or not (svg or html) else _SCRIPT.search(piece)
        if found:
            told = True
            disguised = is_data_name(context.node.name) and ending(context.node.name) not in _MARKUP_ENDINGS
            if disguised:
                context.find(
                    APPLICATION, "it is a page with script, under the name of data", offset=at + found.start()
                )
            context.find(
                IMAGE_SCRIPT if svg and not html else SCRIPT,
                f"it holds `{_shown(found)}`, which runs when it is opened",
                offset=at + found.start(),
            )
        at += _PIECE


def _shown(match: re.Match[bytes]) -> str:
    return match[0][:60].decode("utf-8", "replace").strip()


FORMATS = (Format("markup", "HTML or SVG", _is_markup, _examine, RULES),)
