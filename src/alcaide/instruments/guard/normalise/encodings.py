"""Runs of characters that stand for other text: base64, base32, hexadecimal, character codes, Morse, compressed data.

Candidates are found by the length of runs over a class of characters, for a whole text at once; each is decoded and
kept only if text comes out. Everything is bounded: a run's size, what a compressed run may unfold to, how many runs.
Sources: RFC 4648 (base64, base32, base16), RFC 1951/1952 (deflate, gzip), ITU-R M.1677-1 (Morse).
"""

from __future__ import annotations

import base64
import binascii
import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.normalise import classes

SHORTEST = 16
"""Characters of a run worth decoding. Shorter ones are words, and no instruction fits in them."""

UNFOLDED = 4 * 1024 * 1024
"""Bytes that one compressed run may unfold to; a bomb stops there and what came out is looked at."""


def decoded(layer: Layer) -> Iterator[tuple[str, int, int, str]]:
    """Each encoded run of a layer: how it was encoded, where it lies in the layer, and what it says."""
    if len(layer.octets) < SHORTEST:
        return
    text = layer.text
    taken = -1
    for start, end in _base_runs(layer):
        first, stop = layer.character(start), layer.character(end)
        for step, plain in _from_base(text[first:stop]):
            yield step, first, stop, plain
            taken = end
    for start, end in _codes_runs(layer):
        if start < taken:
            continue
        first, stop = _trimmed(text, layer.character(start), layer.character(end))
        codes = _from_codes(text[first:stop])
        if codes is not None:
            yield codes[0], first, stop, codes[1]
    if classes.rest(layer).count(b"-") >= 4 and layer.octets.count(b".") >= 4:
        for start, end in classes.runs((classes.kinds(layer) & classes.MORSE) != 0, SHORTEST):
            first, stop = _trimmed(text, layer.character(start), layer.character(end))
            morse = _from_morse(text[first:stop])
            if morse is not None:
                yield "morse", first, stop, morse


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A run without the separators around it, which belong to the sentence it stands in."""
    run = text[start:end]
    return start + len(run) - len(run.lstrip(" \t\n,:;|")), end - (len(run) - len(run.rstrip(" \t\n,:;|")))


def _base_runs(layer: Layer) -> list[tuple[int, int]]:
    if not classes.has_base64_run(layer):
        return []
    return _joined_lines(layer, classes.runs((classes.kinds(layer) & classes.BASE64) != 0, SHORTEST))


def _codes_runs(layer: Layer) -> list[tuple[int, int]]:
    if not classes.has_codes_run(layer):
        return []
    kinds = classes.kinds(layer)
    found = classes.runs((kinds & classes.CODES) != 0, 2 * SHORTEST)
    return [run for run in found if np.count_nonzero(kinds[slice(*run)] & classes.DIGIT) >= 8]


def _joined_lines(layer: Layer, runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs that are lines of one block as one run: RFC 2045 §6.8 breaks lines at 76, PEM at 64, a disguise anywhere."""
    kept: list[tuple[int, int]] = []
    for start, end in runs:
        if kept:
            before, last = kept[-1]
            if start - last <= 2 and last - before >= 24 and layer.octets[last:start] in (b"\n", b"\r\n"):
                kept[-1] = (before, end)
                continue
        kept.append((start, end))
    return kept


# ── base64, base32, base16 ──────────────────────────────────────────────────────────────────────────────────────────


def _from_base(run: str) -> Iterator[tuple[str, str]]:
    compact = run.replace("\n", "").replace("\r", "") if "\n" in run else run
    body = compact.strip("=-_/+") if compact[:1] in "=-_/+" or compact[-1:] in "-_/+" else compact.rstrip("=")
    if len(body) < SHORTEST:
        return
    lowered = body.lower()
    if not lowered.strip("0123456789abcdef"):
        plain = _plain_text(bytes.fromhex(body[: len(body) // 2 * 2]))
        if plain is not None:
            yield "hex", plain
            return
    if body.isupper() and not body.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        plain = _attempt(lambda: base64.b32decode(_padded(body, 8)))
        if plain is not None:
            yield "base32", plain
            return
    # Sixteen characters of base64 of any text hold both cases; a path or an identifier of one case is none.
    if body == lowered or body.isupper():
        return
    for part in _of_one_alphabet(body):
        standard = part.replace("-", "+").replace("_", "/")
        # Four characters are three bytes; a first look at a few tells text from noise without decoding megabytes.
        if not _promising(standard):
            continue
        plain = _attempt(lambda standard=standard: binascii.a2b_base64(_padded(standard, 4)))  # type: ignore[misc]
        if plain is not None:
            yield "base64", plain


def _of_one_alphabet(body: str) -> Iterator[str]:
    """The run, and if it holds separators that base64 uses too, its longest part without them."""
    yield body
    for separator in ("=", "/", "-", "_"):
        if separator in body:
            longest = max(body.split(separator), key=len)
            if SHORTEST <= len(longest) < len(body):
                yield longest


def _promising(body: str) -> bool:
    """Whether the first few bytes look like text or like a compressed run."""
    try:
        head = binascii.a2b_base64(body[: min(32, len(body) // 4 * 4)])
    except binascii.Error:
        return False
    if head[:2] in (b"\x1f\x8b", b"BZ", b"x\x9c", b"x\xda", b"x\x01") or head[:6] == b"\xfd7zXZ\x00":
        return True
    shown = head[:22]
    printable = len(shown) - len(shown.translate(None, _PRINTABLE))
    return printable * 10 >= len(shown) * 8 or shown[1::2].count(0) * 3 > len(shown)


_PRINTABLE = bytes(
    octet for octet in range(256) if 32 <= octet < 127 or octet in (9, 10, 13) or octet >= 0xC2
)


def _padded(body: str, block: int) -> str:
    """The run with the padding that its writer left out; a last character that stands for nothing is dropped."""
    if block == 4 and len(body) % 4 == 1:
        body = body[:-1]
    if block == 8:
        body = body[: len(body) - (1 if len(body) % 8 in (1, 3, 6) else 0)]
    return body + "=" * (-len(body) % block)


def _attempt(decode: Callable[[], bytes]) -> str | None:
    try:
        octets = decode()
    except (ValueError, binascii.Error):
        return None
    return _plain_text(_unfolded(octets))


def _unfolded(octets: bytes) -> bytes:
    """What a compressed run unfolds to, up to `UNFOLDED` bytes; what is not compressed, as it is."""
    try:
        if octets[:2] == b"\x1f\x8b":
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(octets, UNFOLDED)
        if octets[:2] in (b"x\x9c", b"x\xda", b"x\x01"):
            return zlib.decompressobj().decompress(octets, UNFOLDED)
        if octets[:3] == b"BZh":
            return bz2.BZ2Decompressor().decompress(octets, UNFOLDED)
        if octets[:6] == b"\xfd7zXZ\x00":
            return lzma.LZMADecompressor(memlimit=64 * 1024 * 1024).decompress(octets, UNFOLDED)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        return octets
    return octets


_PUNCTUATION = frozenset(".,:;!?'\"-()<>/={}[]_@#&%+*`\\|~$^")


def _plain_text(octets: bytes) -> str | None:
    """Bytes as text, if that is what they are: letters and spaces, not the noise that any bytes give."""
    if len(octets) < 8:
        return None
    if octets[:2] in (b"\xff\xfe", b"\xfe\xff") or octets[1:40:2].count(0) * 3 > len(octets[1:40:2]) * 2:
        encoding = "utf-16" if octets[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le"
        text = octets[: len(octets) // 2 * 2].decode(encoding, "replace")
    else:
        try:
            text = octets.decode()
        except UnicodeDecodeError as error:
            # A run cut off within a character still says what it says.
            if error.start < len(octets) - 4:
                return None
            text = octets[: error.start].decode()
    sample = text[:2000]
    if not sample:
        return None
    good = sum(
        letter.isalnum() or letter.isspace() or letter in ".,:;!?'\"-()<>/={}[]_@#&%+*`\\|~$^"
        for letter in sample
    )
    letters = sum(letter.isalpha() or letter.isspace() for letter in sample)
    return text if good * 100 >= len(sample) * 97 and letters * 2 >= len(sample) else None


# ── character codes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _from_codes(run: str) -> tuple[str, str] | None:
    """Numbers that are characters: binary, hexadecimal or decimal, one after another."""
    tokens = run.replace("\\x", " ").replace("0x", " ").replace("0X", " ").translate(_SEPARATORS).split()
    if len(tokens) == 1:
        token = tokens[0]
        if len(token) >= 40 and not token.strip("01"):
            tokens = [token[at : at + 8] for at in range(0, len(token) // 8 * 8, 8)]
    if len(tokens) < 6:
        return None
    sample = tokens[:64]
    if all(len(one) in (7, 8) and not one.strip("01") for one in sample):
        return _codes(tokens, 2, "binary")
    if all(len(one) == 2 for one in sample):
        spelled = _codes(tokens, 16, "hex codes")
        if spelled is not None:
            return spelled
    if all(one.isdecimal() and 2 <= len(one) <= 3 for one in sample):
        return _codes(tokens, 10, "decimal codes") or _codes(tokens, 8, "octal codes")
    return None


_SEPARATORS = str.maketrans(dict.fromkeys(",:;-\\xX", " "))


def _codes(tokens: list[str], base: int, step: str) -> tuple[str, str] | None:
    try:
        octets = bytes(int(one, base) for one in tokens)
    except ValueError:
        return None
    plain = _plain_text(octets)
    return None if plain is None else (step, plain)


# ── Morse ───────────────────────────────────────────────────────────────────────────────────────────────────────────

_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. .----. -..-."
)
_MORSE_LETTERS = dict(zip(_MORSE_SIGNS.split(" "), "abcdefghijklmnopqrstuvwxyz0123456789.,?'/", strict=True))


def _from_morse(run: str) -> str | None:
    words = [word.split() for word in run.replace("|", "/").replace("\n", " ").replace("   ", "/").split("/")]
    signs = [sign for word in words for sign in word]
    if len(signs) < 6 or sum(sign in _MORSE_LETTERS for sign in signs) * 10 < len(signs) * 9:
        return None
    text = " ".join("".join(_MORSE_LETTERS.get(sign, "") for sign in word) for word in words if word)
    # Rules of dashes and dots in tables are all one letter.
    return text if len(set(text)) >= 5 else None
