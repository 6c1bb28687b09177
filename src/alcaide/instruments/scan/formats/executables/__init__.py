"""Programs where models are expected: machine code, bytecode, scripts, shortcuts."""

from alcaide.instruments.scan.formats.executables import binaries, scripts

FORMATS = (*binaries.FORMATS, *scripts.FORMATS)
