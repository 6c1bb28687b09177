"""Keras models: `.keras` archives and the configurations in them and in every other container.

The older HDF5 files are in `formats/hdf5.py`, because what is odd about HDF5 is so in every HDF5 file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.keras.rules import RULES

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source


def _is_archive(glance: Glance) -> bool:
    return (
        b"PK\x05\x06" in glance.tail[-4096:]
        and b"config.json" in glance.tail
        and (b"model.weights" in glance.tail or b"metadata.json" in glance.tail)
    )


def _sniff_archive(glance: Glance) -> bool:
    if not (glance.head.startswith(b"PK\x03\x04") or glance.lower_name.endswith(".keras")):
        return False
    return _is_archive(glance)


def _examine_archive(source: Source, context: Context) -> None:
    from alcaide.instruments.scan.formats.keras import archive

    archive.examine(source, context)


def _sniff_config(glance: Glance) -> bool:
    from alcaide.instruments.scan.json_object import mentions

    if not mentions(glance, (b'"class_name"', b'"className"')):
        return False
    from alcaide.instruments.scan.formats.keras import archive

    return archive.is_configuration(glance)


def _examine_config(source: Source, context: Context) -> None:
    from alcaide.instruments.scan.formats.keras import config

    config.examine(source, context)


FORMATS = (
    Format("keras-archive", "Keras archive", _sniff_archive, _examine_archive),
    Format("keras-config", "Keras configuration", _sniff_config, _examine_config, RULES),
)
