"""A `.keras` archive: a configuration, weights as HDF5, and assets, in a zip.

The archive's parts are looked at by the zip format, each as what its content is. What is left to do here is the part
whose meaning comes from its name: `config.json` is what loading reads, whatever it looks like.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Glance
from alcaide.instruments.scan.formats.keras.config import LONGEST, parse
from alcaide.instruments.scan.formats.keras.names import is_keras, names
from alcaide.instruments.scan.limits import ScanStop
from alcaide.instruments.scan.source import Memory, whole
from alcaide.instruments.scan.zip_directory import DEFLATED, STORED, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source


def is_configuration(glance: Glance) -> bool:
    """Whether JSON that mentions classes is a Keras configuration: its own object is one of Keras's, or says so."""
    data = whole(glance.source, LONGEST)
    if data is None:
        return True
    try:
        value = parse(data)
    except (ScanStop, RecursionError):
        head = glance.head
        return b'"class_name"' in head and b'"config"' in head
    if not isinstance(value, dict):
        return False
    class_name = value.get("class_name")
    if not isinstance(class_name, str) or "config" not in value:
        return False
    module = value.get("module")
    return (
        "module" in value
        or "registered_name" in value
        or "keras_version" in value
        or (isinstance(module, str) and is_keras(module))
        or class_name in names().classes
        or class_name in ("Lambda", "function", "__lambda__")
    )


def examine(source: Source, context: Context) -> None:
    """Read `config.json` as a configuration if the zip format does not recognise it as one by itself."""
    directory = read_directory(source)
    if directory is None:
        return
    for entry in directory:
        context.tick()
        name = entry.name
        if name == "metadata.json" and entry.size < 1 << 16:
            _metadata(directory.data(entry), entry.method, context)
        if name != "config.json" or entry.is_encrypted or entry.method not in (STORED, DEFLATED):
            continue
        window = directory.data(entry)
        if window is None:
            continue
        unpacked: Source = window
        if entry.method == DEFLATED:
            unpacked = context.unpack(_inflate(window), entry.packed)
        from alcaide.instruments.scan.formats.keras import FORMATS

        own = FORMATS[1]
        if not own.sniff(Glance(unpacked, name)):
            context.child(name, unpacked, as_format=own.name)


def _metadata(window: Source | None, method: int, context: Context) -> None:
    if window is None or method != STORED:
        return
    try:
        value = json.loads(window.read(0, window.size))
    except ValueError:
        return
    version = value.get("keras_version") if isinstance(value, dict) else None
    if isinstance(version, str):
        context.fact(keras=version[:40])


def _inflate(window: Source) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-15)
    at = 0
    while piece := window.read(at, 1 << 16):
        at += len(piece)
        try:
            out = inflater.decompress(piece, 1 << 20)
            while out:
                yield out
                out = inflater.decompress(inflater.unconsumed_tail, 1 << 20)
        except zlib.error:
            return


__all__ = ["Memory", "examine", "is_configuration"]
