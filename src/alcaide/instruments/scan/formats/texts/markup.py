"""HTML, SVG and XML: scripts that run when they are opened, and entities that read files or grow without end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.model import Level, Rule

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
ENTITY = Rule(
    "markup/external-entity",
    Level.HIGH,
    "an entity that leads outside",
    "A parser that resolves it reads a file of this machine or asks an address, and puts the answer into the data.",
    "Parse it with entities switched off, or get it again without them.",
    ("cwe/CWE-611",),
)
BOMB = Rule(
    "markup/entity-bomb",
    Level.HIGH,
    "entities that grow without end",
    "A parser that resolves them runs out of memory.",
    "Parse it with entities switched off.",
    ("cwe/CWE-776",),
)
RULES = (IMAGE_SCRIPT, SCRIPT, APPLICATION, ENTITY, BOMB)

_PIECE = 1 << 20
_OVERLAP = 4096
_MOST = 64 << 20
_SCRIPT = re.compile(
    rb"<\s*(?:\w+:)?script\b(?![^>]*type\s*=\s*[\"']application/(?:ld\+)?json)|\bjavascript\s*:|\son\w{3,20}\s*=\s*[\"']"
    rb"|<\s*(?:\w+:)?foreignObject\b[\s\S]{0,500}<\s*(?:iframe|script|object|embed)|<\s*(?:iframe|object|embed)\b"
    rb"|data:text/html|<\s*(?:set|animate)\b[^>]{0,300}attributeName\s*=\s*[\"'](?:xlink:)?href",
    re.IGNORECASE,
)
_APPLICATION = re.compile(rb"<\s*hta:application\b|ActiveXObject\s*\(|<script[^>]*vbscript", re.IGNORECASE)
_ENTITY = re.compile(
    rb"<!ENTITY\s+(%\s+)?([\w.:-]+)\s+(?:(SYSTEM|PUBLIC)\b[^>]{0,400}|[\"']([^\"']*)[\"'])", re.IGNORECASE
)
_DOCTYPE = re.compile(rb"<!DOCTYPE\s+[^>\[]*\b(?:SYSTEM)\s+[\"']([^\"']{1,300})[\"']", re.IGNORECASE)


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
    return start.startswith(
        (
            b"<!doctype",
            b"<html",
            b"<?xml",
            b"<svg",
            b"<head",
            b"<body",
            b"<script",
            b"<!--",
            b"<hta:",
            b"<!entity",
            b"<pmml",
        )
    ) or glance.lower_name.endswith((".html", ".htm", ".xhtml", ".svg", ".xml", ".hta", ".pmml", ".vue"))


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
    context.fact(kind="SVG" if svg and not html else "HTML" if html else "XML")
    _entities(head, context)
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
            context.find(
                IMAGE_SCRIPT if svg and not html else SCRIPT,
                f"it holds `{_shown(found)}`, which runs when it is opened",
                offset=at + found.start(),
            )
        at += _PIECE


def _shown(match: re.Match[bytes]) -> str:
    return match[0][:60].decode("utf-8", "replace").strip()


def _entities(head: bytes, context: Context) -> None:
    """What the document type declares."""
    sizes: dict[bytes, int] = {}
    for count, match in enumerate(_ENTITY.finditer(head)):
        context.tick()
        if count > 10_000:
            break
        if match[3]:
            context.find(
                ENTITY,
                f"the entity `{match[2].decode('utf-8', 'replace')[:60]}` is read from outside: `{_shown(match)}`",
                offset=match.start(),
            )
            continue
        text = match[4] or b""
        size = len(text)
        for used in re.findall(rb"[&%]([\w.:-]+);", text)[:10_000]:
            size += sizes.get(used, 1)
        sizes[match[2]] = min(size, 1 << 60)
        if size > 10_000_000:
            context.find(
                BOMB,
                f"the entity `{match[2].decode('utf-8', 'replace')[:60]}` stands for {size:,} characters or more",
            )
            break
    if outer := _DOCTYPE.search(head[:8192]):
        outside = outer[1].decode("utf-8", "replace")
        if not outside.startswith(
            ("http://www.w3.org", "https://www.w3.org", "http://www.dmg.org", "about:legacy-compat")
        ):
            context.find(
                ENTITY,
                f"its document type is read from `{outside[:120]}`",
                level=Level.MEDIUM,
                offset=outer.start(),
            )


FORMATS = (Format("markup", "HTML, SVG or XML", _is_markup, _examine, RULES),)
