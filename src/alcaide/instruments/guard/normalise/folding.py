"""Letters that only look like letters: compatibility forms, confusables, invisible and combining characters.

    Sources: Unicode 16 UTS #39 (confusables, through the `confusable-homoglyphs` package), UAX #15 (NFKC), UAX #44
    (Default_Ignorable_Code_Point), and for tag characters and variation selectors as carriers of hidden text the
    published "ASCII smuggling" technique.

What is ordinary in some language is left alone: accents that make one letter, Cyrillic in Cyrillic words, joiners
within emoji. A text without anything odd costs one look at the set of its characters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.normalise import classes
from alcaide.instruments.guard.normalise.edits import Edits, edited, only

# Typography that every word processor makes. It is folded where a text is folded anyway, but is no reason to.
_ORDINARY = frozenset("\u00a0‘’‚“”„«»‹›–—…•·−×÷°™®©½¼¾²³¹ªº€£¥§\u202f\u3000，。！？：；（）、")
_INVISIBLE_EXTRA = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")

_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True))
_TURNED = dict(zip("ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ", "acefghijkmrtvwy", strict=True))
# Letters of other scripts that stand in for Latin ones though Unicode does not list them as confusable.
_STAND_INS = {"ℹ": "i", "ø": "o", "Ø": "o", "ƚ": "l", "ł": "l", "đ": "d", "ħ": "h"}


def _squared(letter: str) -> str | None:
    point = ord(letter)
    for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6):
        if first <= point < first + 26:
            return chr(ord("a") + point - first)
    return None


@lru_cache(maxsize=1)
def _confusables() -> dict[str, str]:
    """Letters outside ASCII that UTS #39 lists as confusable with one ASCII letter or digit."""
    from confusable_homoglyphs import confusables

    found: dict[str, str] = {}
    for letter, alike in confusables.confusables_data.items():
        if len(letter) == 1 and not letter.isascii() and unicodedata.category(letter)[0] in "LN":
            latin = [
                one["c"] for one in alike if len(one["c"]) == 1 and one["c"].isascii() and one["c"].isalnum()
            ]
            if latin:
                # Letters before digits (`О` is an o, not a zero), and lower case, which patterns are written in.
                found[letter] = min(latin, key=lambda one: (one.isdigit(), one)).lower()
    return found


def invisible(letter: str) -> bool:
    """Whether a character is drawn as nothing at all."""
    point = ord(letter)
    return (
        letter in _INVISIBLE_EXTRA
        or 0xFE00 <= point <= 0xFE0F
        or 0xE0000 <= point <= 0xE0FFF
        or (unicodedata.category(letter) == "Cf" and point != 0x0600)
    )


@lru_cache(maxsize=8192)
def _plain(letter: str) -> str | None:
    """What a character is read as if it is not what it seems; None for what it seems."""
    if letter.isascii():
        # Control characters other than white space are as invisible as any; ESC is left for the ANSI rules.
        return "" if (letter < " " and letter not in "\t\n\r\x1b") or letter == "\x7f" else None
    if invisible(letter):
        return ""
    if (squared := _squared(letter)) is not None:
        return squared
    if letter in _SMALL_CAPITALS:
        return _SMALL_CAPITALS[letter]
    if unicodedata.category(letter) == "Mn":
        return "" if "\u0300" <= letter <= "\u036f" or "\u1ab0" <= letter <= "\u20f0" else None
    folded = unicodedata.normalize("NFKC", letter)
    if folded != letter:
        return folded
    return " " if letter.isspace() else None


@lru_cache(maxsize=8192)
def _suspicious(letter: str) -> bool:
    """Whether a character is a reason to fold a text."""
    if letter in _ORDINARY or letter in _JOINERS:
        return False
    plain = _plain(letter)
    if plain is None:
        return False
    # Compatibility forms matter where they hide letters; `㎏` in a table does no harm but is folded too.
    return plain == "" or plain.isspace() or any(one.isascii() and one.isalnum() for one in plain)


def folded(layer: Layer) -> Layer | None:
    """The text as its reader sees it, or None if that is how it is written."""
    if layer.ascii and not classes.has_controls(layer):
        return None
    points = _points(layer)
    present = _present(points)
    odd = {letter for letter in present if _suspicious(letter)}
    joiners = present & _JOINERS
    others = {letter for letter in present if not letter.isascii() and letter.isalpha()}
    alike = others & _confusables().keys() if others else set()
    turned = others & _TURNED.keys()
    if not odd and not joiners and not alike and not turned:
        return None
    odd |= {letter for letter in present & _ORDINARY if _plain(letter) is not None} if odd else set()
    plain = {letter: _plain(letter) or "" for letter in odd}
    mask = (
        np.isin(points, np.fromiter(map(ord, odd), dtype=np.uint32)) if odd else np.zeros(len(points), bool)
    )
    if joiners:
        mask |= _between_letters(points, joiners)
        plain |= dict.fromkeys(joiners, "")
    if alike:
        within = _in_latin(points, alike)
        mask |= within
        plain |= {letter: _confusables()[letter] for letter in alike if letter not in plain}
    if len(turned) >= 4:
        mask |= np.isin(points, np.fromiter(map(ord, turned), dtype=np.uint32))
        plain |= {letter: _TURNED[letter] for letter in turned}
    at = np.flatnonzero(mask)
    if not len(at):
        return None
    texts = [plain[layer.text[place]] for place in at.tolist()]
    return edited(layer, Edits(at, at + 1, texts), "folded")


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """The text as numbers, one a character."""
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)


def _points(layer: Layer) -> npt.NDArray[np.uint32]:
    """`code_points` of a layer's text, made once."""
    known = layer.notes.get("points")
    if known is None:
        known = layer.notes["points"] = code_points(layer.text)
    assert isinstance(known, np.ndarray)
    return known


def _present(points: npt.NDArray[np.uint32]) -> set[str]:
    """Every character that occurs, by marking its place in a table: `set` of a string is ten times slower."""
    seen = np.zeros(int(points.max()) + 1, dtype=bool)
    seen[points] = True
    return set(map(chr, np.flatnonzero(seen).tolist()))


def _between_letters(points: npt.NDArray[np.uint32], joiners: set[str]) -> npt.NDArray[np.bool_]:
    """Joiners with an ASCII letter on either side; within emoji and in scripts that need them they are spelling."""
    here = np.isin(points, np.fromiter(map(ord, joiners), dtype=np.uint32))
    letter = _ascii_letters(points)
    beside = np.zeros(len(points), dtype=bool)
    beside[1:] |= letter[:-1]
    beside[:-1] |= letter[1:]
    return here & beside


def _ascii_letters(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    low = points | 0x20
    return (low >= ord("a")) & (low <= ord("z"))


def _in_latin(points: npt.NDArray[np.uint32], alike: set[str]) -> npt.NDArray[np.bool_]:
    """Confusable letters where they pose as Latin: in a word with ASCII letters, or in a text that is mostly ASCII.

    A word of nothing but confusables in a Cyrillic or Greek text is a word of that language.
    """
    confusable = np.isin(points, np.fromiter(map(ord, alike), dtype=np.uint32))
    ascii_letter = _ascii_letters(points)
    other_letter = (points > 0x7F) & ~confusable & _letters(points)
    letter = confusable | ascii_letter | other_letter
    edges = np.flatnonzero(np.diff(letter.astype(np.int8), prepend=0, append=0))
    words = edges.reshape(-1, 2)
    if not len(words):
        return np.zeros(len(points), dtype=bool)
    flat = words.ravel()
    flat = np.where(flat >= len(points), len(points) - 1, flat)
    has_ascii = np.add.reduceat(ascii_letter, flat)[::2] > 0
    has_other = np.add.reduceat(other_letter.astype(np.int32), flat)[::2] > 0
    mostly_ascii = int(ascii_letter.sum()) > 2 * int((letter & ~ascii_letter).sum())
    poses = has_ascii | (~has_other & mostly_ascii)
    inside = np.zeros(len(points) + 1, dtype=np.int32)
    np.add.at(inside, words[poses, 0], 1)
    np.add.at(inside, words[poses, 1], -1)
    return confusable & (np.cumsum(inside[:-1]) > 0)


def _letters(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    unique, inverse = np.unique(points, return_inverse=True)
    return np.fromiter((chr(point).isalpha() for point in unique.tolist()), dtype=bool)[inverse]


def smuggled(layer: Layer) -> list[Layer]:
    """Text that is written in characters nobody sees: tag characters, and bytes in variation selectors."""
    octets = layer.octets
    # In UTF-8 what carries text begins so: U+E0000 to E0FFF, and U+FE00 to FE3F.
    if layer.ascii or (b"\xf3\xa0" not in octets and b"\xef\xb8" not in octets):
        return []
    found = []
    points = _points(layer)
    tags = (points >= 0xE0020) & (points <= 0xE007E)
    if tags.any():
        found.append(_carried(layer, tags, lambda point: chr(point - 0xE0000), "tag characters"))
    selectors = ((points >= 0xFE00) & (points <= 0xFE0F)) | ((points >= 0xE0100) & (points <= 0xE01EF))
    if int(selectors.sum()) >= 4:
        found.append(_carried(layer, selectors, _selector_byte, "variation selectors"))
    return [one for one in found if len(one.text.strip()) >= 3]


def _selector_byte(point: int) -> str:
    byte = point - 0xFE00 if point < 0xE0100 else point - 0xE0100 + 16
    return chr(byte) if 32 <= byte < 127 or byte in (9, 10) else "\ufffd"


def _carried(layer: Layer, mask: npt.NDArray[np.bool_], read: object, step: str) -> Layer:
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    carried = only(layer, [(int(start), int(end)) for start, end in edges], step)
    assert callable(read)
    text = "".join(letter if letter == "\n" else read(ord(letter)) for letter in carried.text)
    return Layer(
        layer.passage, text, carried.path, origin=carried.origin, whole=carried.whole, guess=layer.guess
    )


def unaccented(layer: Layer) -> Layer | None:
    """A guess: accents put on letters to disguise words. None unless accents are thicker than any spelling needs.

    French has about 4 % accented letters, Czech 13 %; what is above a fifth is Vietnamese or a disguise, and for
    Vietnamese one reading more does no harm.
    """
    if layer.ascii or len(layer.text) > 100_000:
        return None
    plain: dict[str, str] = {}
    for letter in _present(_points(layer)):
        if not letter.isascii() and letter.isalpha():
            base = unicodedata.normalize("NFD", letter)[0]
            if base.isascii() or letter in _STAND_INS:
                plain[letter] = _STAND_INS.get(letter, base)
    if not plain:
        return None
    accented = sum(layer.text.count(letter) for letter in plain)
    letters = int(np.count_nonzero(classes.kinds(layer) & classes.LETTER)) + accented
    if accented * 5 < letters:
        return None
    text = layer.text.translate({ord(letter): base for letter, base in plain.items()})
    return Layer(
        layer.passage, text, (*layer.path, "unaccented"), origin=layer.origin, whole=layer.whole, guess=True
    )
