"""Sounds and films: recognised; those that state their length are checked for what lies behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.media.ends import after
from alcaide.instruments.scan.formats.media.rules import RULES

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source


def _examine_boxes(source: Source, context: Context) -> None:
    """MP4 and its kin: a row of boxes, each with its length."""
    at = 0
    while at + 8 <= source.size:
        context.tick(16)
        head = source.read(at, 16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            return
        if length < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in kind):
            break
        if at + length > source.size:
            # A film that was cut plays up to there.
            return
        at += length
    after(context, source, at, "the film", tolerant=True)


def _is_mpeg_audio(glance: Glance) -> bool:
    """An MPEG frame header that leads to a second one, or a tag before it."""
    head = glance.head
    if head[:3] == b"ID3":
        return len(head) > 10 and head[3] < 5
    first = _frame(head[:4])
    return first > 0 and _frame(head[first : first + 4]) > 0 and len(head) > first + 4


_RATES = {3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)}
_SAMPLES = (44100, 48000, 32000, 0)


def _frame(head: bytes) -> int:
    """Length of an MPEG-1 or -2 layer III frame, 0 if it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    version = head[1] >> 3 & 3
    rate, sample = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or not 0 < rate < 15 or sample == 3:
        return 0
    if version == 3:
        kbits, frequency, factor = _RATES[3][rate], _SAMPLES[sample], 144
    else:
        kbits = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[rate]
        frequency, factor = _SAMPLES[sample] // (2 if version == 2 else 4), 72
    return factor * kbits * 1000 // frequency + (head[2] >> 1 & 1)


def _nothing(_source: Source, _context: Context) -> None:
    """Recognised; no end is marked in it."""


FORMATS = (
    Format("mp4", "MP4 film or HEIF picture", lambda glance: glance.head[4:8] == b"ftyp", _examine_boxes, RULES),
    Format("mp3", "MP3 sound", _is_mpeg_audio, _nothing, RULES),
    Format("flac", "FLAC sound", Starts(b"fLaC"), _nothing, RULES),
    Format("ogg", "Ogg sound or film", Starts(b"OggS\0"), _nothing, RULES),
    Format("matroska", "Matroska or WebM film", Starts(b"\x1a\x45\xdf\xa3"), _nothing),
    Format("aiff", "AIFF sound", lambda glance: glance.head[:4] == b"FORM" and glance.head[8:11] == b"AIF", _nothing),
    Format("au", "Sun sound", Starts(b".snd\0\0"), _nothing),
    Format("midi", "MIDI", Starts(b"MThd\0\0\0\6"), _nothing),
    Format("flv", "Flash film", Starts(b"FLV\1"), _nothing),
    Format(
        "font", "font",
        Starts(b"\0\1\0\0\0", b"OTTO\0", b"wOFF", b"wOF2", b"ttcf\0"), _nothing,
    ),
)  # fmt: skip
