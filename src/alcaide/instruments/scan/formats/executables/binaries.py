"""Programs and libraries in machine code or bytecode. They are recognised and named; what they do is not decided."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.executables.rules import (
    BESIDE,
    BYTECODE,
    DISGUISED,
    INSIDE,
    LIBRARY_ENDINGS,
    RULES,
    SHORTCUT,
    ending,
    is_data_name,
)
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_ELF_TYPES = {1: "object", 2: "program", 3: "library or program", 4: "core dump"}
_MACHINES = {
    3: "x86",
    8: "MIPS",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    190: "CUDA",
    224: "AMD GPU",
    243: "RISC-V",
}
_MACHO = (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")
_APE = (b"MZqFpD='", b"jartsr='", b"APEDBG='")
"""How an actually portable executable begins: a PE that is also a shell script."""

_PYC_NAMES = regex(
    rb"[\x5a\x7a\xda\xfa\x53\x73\xf3\x61\x75\xe1\xf5]([\x01-\x20])(?:\0\0\0)?"
    rb"(system|popen|exec|eval|subprocess|socket|marshal|ctypes|urlopen|b64decode|Popen|check_output|execve|spawn)"
)
_SHORTCUT = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"


def _is_elf(glance: Glance) -> bool:
    head = glance.head
    return head[:4] == b"\x7fELF" and len(head) >= 16 and head[4] in (1, 2) and head[5] in (1, 2)


def _is_pe(glance: Glance) -> bool:
    """`MZ`, and where its header says that the real one is, one of the kinds there are."""
    head = glance.head
    if head[:2] not in (b"MZ", b"ZM") or len(head) < 64 or head.startswith(_APE):
        return False
    at = int.from_bytes(head[60:64], "little")
    inner = head[at : at + 4] if at + 4 <= len(head) else glance.source.read(at, 4)
    if inner[:2] in (b"PE", b"NE", b"LE", b"LX"):
        return True
    # A plain DOS program: header size, pages and relocation table within what is there.
    pages, header = int.from_bytes(head[4:6], "little"), int.from_bytes(head[8:10], "little")
    return b"\0" in head[2:64] and 0 < pages * 512 <= glance.size + 512 and 2 <= header <= 64


def _is_ape(glance: Glance) -> bool:
    return glance.head.startswith(_APE)


def _is_macho(glance: Glance) -> bool:
    head = glance.head
    if head[:4] in _MACHO:
        return len(head) >= 28
    # A universal binary shares its magic with Java; it counts its parts where Java has a version of 45 or more.
    return (
        head[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") and 0 < int.from_bytes(head[4:8], "big") < 30
    )


def _is_java(glance: Glance) -> bool:
    head = glance.head
    return (
        head[:4] == b"\xca\xfe\xba\xbe"
        and 45 <= int.from_bytes(head[6:8], "big") < 100
        and head[4:6] == b"\0\0"
    )


def _is_dex(glance: Glance) -> bool:
    return glance.head[:4] == b"dex\n" and glance.head[7:8] == b"\0"


def _is_pyc(glance: Glance) -> bool:
    """Two bytes of version, a line end, flags, and a code object where that version has it."""
    head = glance.head
    if head[2:4] != b"\r\n" or len(head) < 20:
        return False
    version = int.from_bytes(head[:2], "little")
    if 3000 <= version <= 3999:
        return head[16] & 0x7F == 0x63 or head[12] & 0x7F == 0x63 or head[8] & 0x7F == 0x63
    return 20121 <= version <= 62300 and head[8] == 0x63


def place(context: Context, what: str, *, known_as: frozenset[str] = LIBRARY_ENDINGS) -> None:
    """Say that a program is here: how bad that is depends on where it lies and what it is called."""
    name = context.node.name
    end = ending(name)
    if is_data_name(name):
        context.find(DISGUISED, f"`{name}` is {what}, under the name of data", program=what)
    elif context.depth and end not in known_as:
        context.find(INSIDE, f"`{name}` is {what}, and it lies in an archive", program=what)
    else:
        context.find(BESIDE, f"`{name}` is {what}; what it does cannot be decided here", program=what)


def _examine_elf(source: Source, context: Context) -> None:
    head = source.read(0, 20)
    order = "little" if head[5] == 1 else "big"
    kind = int.from_bytes(head[16:18], order)  # type: ignore[arg-type]
    machine = int.from_bytes(head[18:20], order)  # type: ignore[arg-type]
    context.fact(
        kind=_ELF_TYPES.get(kind, f"type {kind}"), machine=_MACHINES.get(machine, f"machine {machine}")
    )
    place(context, "an ELF program or library")


def _examine_wasm(_source: Source, context: Context) -> None:
    if ending(context.node.name) == "wasm" and not context.depth:
        context.find(
            BESIDE,
            f"`{context.node.name}` is WebAssembly, which runs walled off",
            level=Level.LOW,
            program="wasm",
        )
    else:
        place(context, "WebAssembly")


def _examine_pyc(source: Source, context: Context) -> None:
    """Names that it would look up, found without reading its objects: enough to say what it could do."""
    names: set[str] = set()
    data = source.read(0, 4 << 20)
    for match in _PYC_NAMES.finditer(data):
        if match[1][0] == len(match[2]):
            names.add(match[2].decode())
    name = context.node.name
    if is_data_name(name):
        context.find(DISGUISED, f"`{name}` is compiled Python, under the name of data", names=sorted(names))
        return
    said = f"; it uses {', '.join(f'`{used}`' for used in sorted(names))}" if names else ""
    context.find(
        BYTECODE,
        f"`{name}` is compiled Python{said}",
        level=Level.HIGH if names else Level.MEDIUM,
        names=sorted(names),
    )


def _examine_shortcut(source: Source, context: Context) -> None:
    """The strings of a shortcut, to show what it starts."""
    data = source.read(0, 1 << 16)
    wide = re.findall(rb"(?:[\x20-\x7e]\0){6,}", data)
    shown = " ".join(text.decode("utf-16-le") for text in wide[:5])
    context.find(SHORTCUT, f"opening `{context.node.name}` starts a program: `{shown[:300]}`")


def _simple(what: str) -> Callable[[Source, Context], None]:
    def examine(_source: Source, context: Context) -> None:
        place(context, what)

    return examine


def _examine_ape(_source: Source, context: Context) -> None:
    if context.depth or is_data_name(context.node.name):
        place(context, "a program for every system in one file", known_as=frozenset())
        return
    context.find(
        BESIDE,
        f"`{context.node.name}` is a program for every system in one file: who runs the model runs it",
        level=Level.HIGH,
        program="ape",
    )


FORMATS = (
    Format("elf", "ELF program", _is_elf, _examine_elf, RULES, begins=(b"\x7fELF",)),
    Format(
        "pe", "Windows program", _is_pe, _simple("a Windows program or library"), RULES, begins=(b"MZ", b"ZM")
    ),
    Format("ape", "actually portable executable", _is_ape, _examine_ape, RULES),
    Format("macho", "Mach-O program", _is_macho, _simple("a macOS program or library"), RULES),
    Format(
        "java-class", "Java class", _is_java, _simple("a Java class"), RULES, begins=(b"\xca\xfe\xba\xbe",)
    ),
    Format("dex", "Dalvik bytecode", _is_dex, _simple("an Android program"), RULES, begins=(b"dex\n",)),
    Format("wasm", "WebAssembly", Starts(b"\0asm"), _examine_wasm, RULES),
    Format(
        "llvm-bitcode",
        "LLVM bitcode",
        Starts(b"BC\xc0\xde", b"\xde\xc0\x17\x0b"),
        _simple("LLVM bitcode"),
        RULES,
    ),
    Format(
        "cuda-fatbin", "CUDA fat binary", Starts(b"\x50\xed\x55\xba"), _simple("a CUDA fat binary"), RULES
    ),
    Format("pyc", "Python bytecode", _is_pyc, _examine_pyc, RULES),
    Format(
        "lnk",
        "Windows shortcut",
        Starts(_SHORTCUT),
        _examine_shortcut,
        RULES,
    ),
)
