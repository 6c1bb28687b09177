"""Text inside mark-up: escapes written out, tags that cut words in two, and what a page keeps from its reader.

Sources: HTML Living Standard §13 (comments, character references), RFC 3986 §2.1 (percent-encoding), RFC 2045 §6.7
(quoted-printable), CommonMark 0.31 §4.7 (link reference definitions, used as comments).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.normalise import classes
from alcaide.instruments.guard.normalise.edits import Edits, edited, only

# Every repeat here is bounded or over one character class: `backtracking.plainly_linear` holds for each in the tests.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_ESCAPE = re.compile(
    r"\\(?:u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-3][0-7]{2})"
)
_PERCENT_U = re.compile(r"%u[0-9a-fA-F]{4}")
# Written so that each begins with its sign: the engine then looks for that by itself, fifty times quicker.
_PERCENT = re.compile(r"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*")
_QUOTED = re.compile(r"=(?:[0-9A-F]{2}(?:=[0-9A-F]{2})*|\r?\n)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,1000}>")
_BEFORE_LETTER = re.compile(r"(?:</?[a-zA-Z][^<>]{0,200}>){1,3}[a-zA-Z]|<!--")
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|tr|td|th|h[1-6]|table|section|article|header|footer)\b", re.IGNORECASE
)

_HIDING = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0|"
    r"opacity\s{0,3}:\s{0,3}0(?:\.0{1,3})?[;\"' ]|left\s{0,3}:\s{0,3}-\d{3,5}|text-indent\s{0,3}:\s{0,3}-\d{3,5}|"
    r"(?:max-)?(?:height|width)\s{0,3}:\s{0,3}0(?:px)?[;\"' ]|"
    r"(?<![-\w])color\s{0,3}:\s{0,3}(?:white|transparent|#fff(?:fff)?\b|rgba?\(255\s{0,2},\s{0,2}255\s{0,2},\s{0,2}255)",
    re.IGNORECASE,
)
_STYLE = re.compile(r"""style\s{0,3}=\s{0,3}(?:"([^"<>]{0,1000})"|'([^'<>]{0,1000})')""", re.IGNORECASE)
_HIDDEN_WORD = re.compile(
    r"hidden(?:\s{0,3}=\s{0,3}[\"']?(?:true|hidden|until-found)?[\"']?)?[\s>/]", re.IGNORECASE
)
_TEXT_ATTRIBUTES = ("alt", "title", "aria-label", "aria-description", "content", "placeholder", "data-")
_VALUE = re.compile(
    r"""[a-z-]{0,30}\s{0,3}=\s{0,3}(?:"([^"<>]{24,4000})"|'([^'<>]{24,4000})')""", re.IGNORECASE
)
_MARKDOWN_COMMENT = re.compile(
    r"(?m)^\[(?://|comment|_|\#)\]:\s{0,3}[^\n]{0,20}?[(\"']([^\n]{8,4000})[)\"']\s{0,3}$"
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)

HIDDEN_PARTS = 2000


def unescaped(layer: Layer) -> Layer | None:
    """Character references, percent and backslash escapes and soft line breaks written out; None if there are none.

    An escaped line break or tab, as code is full of, is no reason for a reading of its own.
    """
    text, signs = layer.text, classes.rest(layer)
    found: list[tuple[int, int, str]] = []
    if b"&" in signs:
        found += [
            (match.start(), match.end(), plain)
            for match in _ENTITY.finditer(text)
            if (plain := _reference(match.group())) != match.group()
        ]
    if b"\\" in signs:
        found += [
            (match.start(), match.end(), _written_out(match.group())) for match in _ESCAPE.finditer(text)
        ]
    if signs.count(b"%") >= 3:
        found += [
            (match.start(), match.end(), octets)
            for match in _PERCENT.finditer(text)
            if (octets := _as_text(unquote_to_bytes(match.group()))) is not None
        ]
    if signs.count(b"=") >= 3 and sum(map(len, _QUOTED.findall(text[:20_000]))) >= 9:
        found += [
            (match.start(), match.end(), quoted)
            for match in _QUOTED.finditer(text)
            if (quoted := _quoted(match.group())) is not None
        ]
    if not found:
        return None
    return edited(layer, _in_order(found), "unescaped")


_reference = lru_cache(maxsize=4096)(html.unescape)


def _in_order(found: list[tuple[int, int, str]]) -> Edits:
    found.sort()
    kept: list[tuple[int, int, str]] = []
    for one in found:
        if not kept or one[0] >= kept[-1][1]:
            kept.append(one)
    return Edits([one[0] for one in kept], [one[1] for one in kept], [one[2] for one in kept])


def _written_out(escape: str) -> str:
    digits = escape[2:].strip("{}")
    point = int(escape[1:], 8) if escape[1].isdigit() else int(digits, 16)
    return chr(point) if point < 0xD800 or 0xE000 <= point < 0x110000 else "\ufffd"


def _as_text(octets: bytes) -> str | None:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None


def _quoted(run: str) -> str | None:
    if "\n" in run:
        return ""
    text = _as_text(bytes.fromhex(run.replace("=", "")))
    return text if text is not None and text.isprintable() else None


def stripped(layer: Layer) -> Layer | None:
    """The text without its tags and comments, if one of them stands inside a word; None otherwise."""
    text = layer.text
    if b"<" not in classes.rest(layer) or not _within_a_word(text):
        return None
    found = [(start, end, "") for start, end in _comments(text)]
    found += [
        (match.start(), match.end(), "\n" if _BLOCK.match(match.group()) else "")
        for match in _TAG.finditer(text)
    ]
    return edited(layer, _in_order(found), "stripped") if found else None


def _within_a_word(text: str) -> bool:
    """Whether a tag or a comment follows a letter and, if a tag, is followed by one."""
    at = text.find("<", 1)
    while at > 0:
        before = text[at - 1]
        if before.isascii() and before.isalpha() and _BEFORE_LETTER.match(text, at):
            return True
        at = text.find("<", at + 1)
    return False


def _comments(text: str) -> list[tuple[int, int]]:
    found = []
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        end = len(text) if end < 0 else end + 3
        found.append((at, end))
        at = text.find("<!--", end)
    return found


def hidden(layer: Layer) -> Layer | None:
    """What a page carries but does not show: comments, hidden elements, long attributes; None if there is nothing."""
    signs = classes.rest(layer)
    marked = b"<" in signs
    if not marked and b"]" not in signs:
        return None
    text = layer.text
    spans: list[tuple[int, int]] = []
    if marked:
        spans += [(start + 4, max(start + 4, end - 3)) for start, end in _comments(text)]
        spans += _hidden_elements(text, layer.lower)
        if "=" in text:
            spans += _long_attributes(layer.lower)
    if "]:" in text:
        spans += [match.span(1) for match in _MARKDOWN_COMMENT.finditer(text)]
    spans = _merged([span for span in spans if len(text[span[0] : span[1]].strip()) >= 8])
    return only(layer, spans[:HIDDEN_PARTS], "hidden") if spans else None


def _everywhere(text: str, sign: str) -> Iterator[int]:
    at = text.find(sign)
    while at >= 0:
        yield at
        at = text.find(sign, at + len(sign))


def _long_attributes(lower: str) -> list[tuple[int, int]]:
    """Values of attributes that hold text, where they are longer than a caption needs."""
    found = []
    for name in _TEXT_ATTRIBUTES:
        for at in _everywhere(lower, f" {name}"):
            match = _VALUE.match(lower, at + 1 + len(name))
            if match is not None:
                found.append(match.span(match.lastindex or 0))
    return found


def _hiding_places(text: str, lower: str) -> Iterator[int]:
    for at in _everywhere(lower, "style"):
        match = _STYLE.match(text, at)
        if match is not None and _HIDING.search(match.group(match.lastindex or 0) + ";"):
            yield at
    for at in _everywhere(lower, "hidden"):
        ahead = lower[max(0, at - 5) : at]
        if (ahead.endswith("aria-") or ahead[-1:].isspace()) and _HIDDEN_WORD.match(lower, at):
            yield at


def _hidden_elements(text: str, lower: str) -> list[tuple[int, int]]:
    """Contents of elements whose start tag hides them, to their end tag or, if that is missing, to the end."""
    found: list[tuple[int, int]] = []
    at = 0
    for place in sorted(_hiding_places(text, lower)):
        if place < at:
            continue
        opens = text.rfind("<", max(0, place - 1000), place)
        closes = text.find(">", place, place + 1500)
        if opens < 0 or closes < 0 or ">" in text[opens:place]:
            continue
        name = re.match(r"[a-zA-Z][a-zA-Z0-9-]{0,30}", text[opens + 1 : opens + 40])
        if name is None or name.group().lower() in _VOID:
            continue
        end = lower.find(f"</{name.group().lower()}", closes)
        end = len(text) if end < 0 else end
        found.append((closes + 1, end))
        at = end
        if len(found) >= HIDDEN_PARTS:
            break
    return found


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if kept and start <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((start, end))
    return kept
