"""Archives and compressed files: what lies in them is looked at like a file of its own.

Besides its content an archive has its own ways to do harm: names and links that lead outside of where it is unpacked,
bombs, members that overlap or are there twice, and a story that differs from program to program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.archives import foreign, plain_zip, streams, tar
from alcaide.instruments.scan.formats.archives.rules import RULES

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source


def _is_seven_zip(glance: Glance) -> bool:
    return glance.head.startswith(b"7z\xbc\xaf'\x1c")


def _examine_seven_zip(source: Source, context: Context) -> None:
    from alcaide.instruments.scan.formats.archives.seven_zip import examine

    examine(source, context)


FORMATS = (
    *plain_zip.FORMATS,
    *tar.FORMATS,
    *streams.FORMATS,
    Format("7z", "7z archive", _is_seven_zip, _examine_seven_zip, RULES),
    *foreign.FORMATS,
)
