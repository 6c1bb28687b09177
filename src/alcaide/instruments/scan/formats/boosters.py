"""Gradient-boosted trees in their libraries' own formats: XGBoost (UBJSON and the older binary), LightGBM, CatBoost.

They hold numbers, names and settings, and nothing that runs. What is checked is that their structure holds to its own
lengths, that a loader is not made to reserve memory for trees that are not there, and that nothing follows the model.
XGBoost's and CatBoost's JSON is the JSON reader's.

Sources: UBJSON draft 12 with XGBoost's use of typed arrays; `xgboost` 3 and 1 (`gbtree_model.h`), `lightgbm` 4
(`gbdt_model_text.cpp`), `catboost` 1.2 (`model.fbs`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.cursor import Cursor
from alcaide.instruments.scan.flat import Buffer
from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.hidden import examine_text, text_rules
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_DEEPEST = 64
_KEPT_TEXT = 1 << 20
_LEAVES = 50_000_000
_LOOKED_AT = 8 << 20
"""Bytes of a LightGBM file whose lines are compared with what its writer writes; they repeat tree after tree."""

TRAILING = Rule(
    "boosters/trailing-bytes",
    Level.MEDIUM,
    "bytes after the end of the model",
    "No loader reads them; they are there for something else.",
    "Find out what they are (they are listed as a part of their own), or have the model saved anew.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)
HUGE = Rule(
    "boosters/impossible-size",
    Level.MEDIUM,
    "tree larger than any file",
    "The loader reserves memory for it before it reads it.",
    "Have the model saved anew.",
    ("cwe/CWE-789", "cwe/CWE-400"),
)
FOREIGN = Rule(
    "boosters/foreign-text",
    Level.MEDIUM,
    "text that the library does not write",
    "Something is carried along that has nothing to do with the model.",
    "Have the model saved anew, and compare.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)


def _after(source: Source, at: int, context: Context) -> None:
    """Report what follows the model."""
    if at < source.size:
        context.find(
            TRAILING, f"{source.size - at:,} bytes follow the model", offset=at, size=source.size - at
        )
        context.child(f"after-{at}", Window(source, at))


# ── XGBoost ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_WIDTHS = {"i": 1, "U": 1, "I": 2, "l": 4, "L": 8, "d": 4, "D": 8, "C": 1, "Z": 0, "N": 0, "T": 0, "F": 0}
_LETTERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q"}


def _sniff_ubj(glance: Glance) -> bool:
    head = glance.head
    if head[:1] != b"{" or head[1:2] not in b"iUIlL$#" or len(head) < 4:
        return False
    return b"learner" in head[:64] or glance.lower_name.endswith((".ubj", ".ubjson"))


class _Ubj:
    """UBJSON, stepped through without recursion; arrays of numbers are stepped over."""

    def __init__(self, source: Source, context: Context) -> None:
        self.cursor = Cursor(source, context.tick, big_endian=True)
        self.context = context
        self.ways: list[str] = []

    def _mark(self) -> str:
        while True:
            mark = self.cursor.take(1).decode("latin-1")
            if mark != "N":
                return mark

    def _length(self, mark: str | None = None) -> int:
        mark = mark or self._mark()
        letter = _LETTERS.get(mark)
        if letter is None:
            raise Malformed(f"a length is of kind `{mark}`", self.cursor.at - 1)
        length = self.cursor.number(letter)
        if length < 0 or length > self.cursor.left:
            raise Malformed(f"{length:,} ought to follow, more than there are bytes for", self.cursor.at)
        return length

    def run(self) -> None:
        """To the end of the outermost value."""
        # What is open: (kind, how many are left or -1, the kind of each if typed, way to it).
        opened: list[tuple[str, int, str, str]] = []
        self._value(self._mark(), "", opened)
        while opened:
            kind, left, typed, way = opened.pop()
            if left == 0:
                continue
            if left < 0 and self._ends(kind):
                continue
            key = ""
            if kind == "{":
                key = self.cursor.take(min(self._length(), 4096)).decode("utf-8", "replace")
            opened.append((kind, left - 1 if left > 0 else left, typed, way))
            if len(opened) > _DEEPEST:
                raise Malformed(f"it is nested more than {_DEEPEST} deep", self.cursor.at)
            self._value(typed or self._mark(), f"{way}/{key}" if key else way, opened)

    def _ends(self, kind: str) -> bool:
        mark = self.cursor.take(1)
        if mark == (b"}" if kind == "{" else b"]"):
            return True
        self.cursor.at -= 1
        return False

    def _value(self, mark: str, way: str, opened: list[tuple[str, int, str, str]]) -> None:
        if mark in {"S", "H"}:
            length = self._length()
            if length > _KEPT_TEXT:
                self.cursor.skip(length)
            else:
                examine_text(
                    self.cursor.take(length).decode("utf-8", "replace"), self.context, way.strip("/")
                )
        elif mark in "{[":
            typed, left = "", -1
            ahead = self.cursor.take(1)
            if ahead == b"$":
                typed = self.cursor.take(1).decode("latin-1")
                ahead = self.cursor.take(1)
                if ahead != b"#":
                    raise Malformed("a typed container has no count", self.cursor.at)
            if ahead == b"#":
                left = self._length_of_container(typed)
                if mark == "[" and typed in _WIDTHS:
                    self.cursor.skip(left * _WIDTHS[typed])
                    return
            else:
                self.cursor.at -= 1
            opened.append((mark, left, typed, way))
        elif mark in _WIDTHS:
            self.cursor.skip(_WIDTHS[mark])
        else:
            raise Malformed(f"a value is of kind `{mark}`", self.cursor.at - 1)

    def _length_of_container(self, typed: str) -> int:
        mark = self._mark()
        letter = _LETTERS.get(mark)
        if letter is None:
            raise Malformed(f"a count is of kind `{mark}`", self.cursor.at - 1)
        count = self.cursor.number(letter)
        if count < 0 or count * max(1, _WIDTHS.get(typed, 1)) > self.cursor.left:
            raise Malformed(
                f"{count:,} values ought to follow, more than there are bytes for", self.cursor.at
            )
        return count


def _examine_ubj(source: Source, context: Context) -> None:
    reading = _Ubj(source, context)
    reading.run()
    context.fact(library="xgboost")
    _after(source, reading.cursor.at, context)


_OLD_PARAMETERS = 136
_BOOSTERS = frozenset({b"gbtree", b"gblinear", b"dart"})


def _old_names(head: bytes) -> tuple[int, bytes] | None:
    """(where the trees begin, the booster's name) if the bytes are XGBoost's older binary."""
    at = _OLD_PARAMETERS + (4 if head[:4] == b"binf" else 0)
    names: list[bytes] = []
    for _ in range(2):
        length = int.from_bytes(head[at : at + 8], "little")
        name = head[at + 8 : at + 8 + length]
        if not 0 < length <= 64 or not re.fullmatch(rb"[a-z][a-z0-9:_]*", name):
            return None
        names.append(name)
        at += 8 + length
    return (at, names[1]) if names[1] in _BOOSTERS else None


def _sniff_old(glance: Glance) -> bool:
    head = glance.head
    return (
        len(head) > 160
        and (head[:4] == b"binf" or head[3:4] in b"\x3e\x3f\x00\xbf\x40")
        and _old_names(head) is not None
    )


def _examine_old(source: Source, context: Context) -> None:
    found = _old_names(source.read(0, 512))
    if found is None:
        raise Malformed("its header has no names", 0)
    at, booster = found
    context.fact(library="xgboost", booster=booster.decode())
    if booster == b"gblinear":
        return
    cursor = Cursor(source, context.tick, at)
    trees = cursor.number("i")
    cursor.skip(156)
    for _ in range(max(0, trees)):
        if trees * 148 > source.size:
            raise Malformed(f"it says it has {trees:,} trees, more than there are bytes for", at)
        cursor.skip(4)
        nodes = cursor.number("i")
        cursor.skip(140)
        if nodes < 0:
            raise Malformed(f"a tree has {nodes:,} nodes", cursor.at)
        cursor.skip(nodes * 36)


# ── LightGBM ────────────────────────────────────────────────────────────────────────────────────────────────────────

_LINE = regex(
    rb"(?:tree|average_output|linear_tree|end of trees|end of parameters|parameters:|feature_importances?:|"
    rb"[\w.]+=[^\x00-\x08\x0e-\x1f]*|\[[\w]+: ?[^\x00-\x08\x0e-\x1f]*\]|pandas_categorical:.*|.*=\d+|\s*)\r?"
)


def _sniff_lightgbm(glance: Glance) -> bool:
    return (glance.head[:5] == b"tree\n" and b"version=" in glance.head[:64]) or glance.head[
        :6
    ] == b"tree\r\n"


def _examine_lightgbm(source: Source, context: Context) -> None:
    trees = 0
    for start in range(0, min(source.size, _LOOKED_AT), 1 << 20):
        piece = source.read(start, (1 << 20) + 65_536)
        lines = piece.split(b"\n")
        for line in lines[1 if start else 0 : -1 if start + len(piece) < source.size else None]:
            context.tick()
            if line.startswith(b"Tree="):
                trees += 1
            elif line.startswith(b"num_leaves=") and (
                not line[11:].strip().isdigit() or int(line[11:19]) > _LEAVES
            ):
                context.find(HUGE, f"a tree would have {line[11:60].decode('latin-1')} leaves", offset=start)
            elif _LINE.fullmatch(line) is None:
                shown = line[:100].decode("utf-8", "replace")
                context.find(FOREIGN, f"a line is none that LightGBM writes: `{shown}`", offset=start)
                return
    _lightgbm_end(source, context)
    context.fact(library="lightgbm", trees=trees if source.size <= _LOOKED_AT else None)


def _lightgbm_end(source: Source, context: Context) -> None:
    start = max(0, source.size - (1 << 20))
    tail = source.read(start, source.size - start)
    at = tail.rfind(b"\npandas_categorical:")
    if at >= 0:
        end = tail.find(b"\n", at + 1)
        rest = tail[end + 1 :] if end >= 0 else b""
        if rest.strip():
            _after(source, start + end + 1, context)


# ── CatBoost ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _examine_catboost(source: Source, context: Context) -> None:
    size = int.from_bytes(source.read(4, 4), "little")
    if size < 16 or size > source.size - 8:
        raise Malformed(f"its core would have {size:,} bytes, and {source.size - 8:,} follow", 4)
    core = Buffer(Window(source, 8, size), context.tick)
    root = core.root()
    version = root.text(0, 64)
    if not version.startswith("FlabuffersModel"):
        raise Malformed(f"its core is of the format `{version}`, which there is not", 8)
    for entry in root.tables(2):
        key, value = entry.text(0, 4096), entry.text(1, _KEPT_TEXT)
        examine_text(value, context, f"info/{key}")
    parts = list(root.texts(3))
    context.fact(library="catboost", parts=parts[:8])
    if not parts:
        _after(source, 8 + size, context)


FORMATS = (
    Format(
        "xgboost-ubj",
        "XGBoost model (UBJSON)",
        _sniff_ubj,
        _examine_ubj,
        (TRAILING, *text_rules()),
        begins=(b"{",),
    ),
    Format("xgboost-binary", "XGBoost model (older binary)", _sniff_old, _examine_old, ()),
    Format(
        "lightgbm",
        "LightGBM model",
        _sniff_lightgbm,
        _examine_lightgbm,
        (TRAILING, HUGE, FOREIGN),
        begins=(b"tree",),
    ),
    Format("catboost", "CatBoost model", Starts(b"CBM1"), _examine_catboost, (TRAILING, *text_rules())),
)
