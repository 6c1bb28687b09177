"""A folder of images whose sub-folders are their labels.

Every file is hashed and its header read by the bytes: format, width and height. What the picture looks like (a small
grey copy, for near duplicates and patches) takes the package `pillow`; without it that is said, not guessed.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data.engine import Engine
from alcaide.instruments.scan.data.rules import BROKEN_ROWS
from alcaide.instruments.scan.data.sources.memory import read_columns
from alcaide.instruments.scan.data.sources.table import Remark, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"})
SIDE = 32
"""Pixels of the side of the small copy that is kept of every image."""
_PIXELS_MOST = 64 << 20
_BYTES_MOST = 64 << 20


@dataclass(slots=True)
class Pictures:
    """The small copies: one row an image, in the order of the table."""

    colours: NDArray[np.uint8]
    """n × SIDE × SIDE × 3, each image scaled to the square."""
    seen: NDArray[np.bool_]
    """Which images could be decoded."""
    corners: NDArray[np.uint8]
    """n × 4 × 6 × 6 × 3: the corners in the image's own pixels, where patches are put."""


def size_of(head: bytes) -> tuple[str, int, int] | None:
    """Format, width and height by the first bytes of an image; None if it is none of those known."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        width, height = struct.unpack_from(">II", head, 16)
        return "png", width, height
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        width, height = struct.unpack_from("<HH", head, 6)
        return "gif", width, height
    if head.startswith(b"BM") and len(head) >= 26:
        width, height = struct.unpack_from("<ii", head, 18)
        return "bmp", width, abs(height)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and len(head) >= 30:
        return _size_of_webp(head)
    if head.startswith(b"\xff\xd8"):
        return _size_of_jpeg(head)
    return None


def _size_of_webp(head: bytes) -> tuple[str, int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        return "webp", 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return "webp", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return "webp", width & 0x3FFF, height & 0x3FFF
    return None


def _size_of_jpeg(head: bytes) -> tuple[str, int, int] | None:
    at = 2
    while at + 9 < len(head):
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", head, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return "jpeg", width, height
        at += 2 + max(2, length)
    return "jpeg", 0, 0


def read_images(engine: Engine, root: Path, paths: Sequence[Path]) -> tuple[Table, Pictures | None]:
    """One row an image: `path`, `label`, `size`, `sha256`, `format`, `width`, `height`."""
    import numpy as np

    drawing = find_spec("PIL") is not None
    columns: dict[str, list[Any]] = {
        name: [] for name in ("path", "label", "size", "sha256", "format", "width", "height")
    }
    count = len(paths)
    pictures = (
        Pictures(
            np.zeros((count, SIDE, SIDE, 3), np.uint8),
            np.zeros(count, bool),
            np.zeros((count, 4, 6, 6, 3), np.uint8),
        )
        if drawing
        else None
    )
    broken = []
    for index, path in enumerate(paths):
        engine.check_time()
        inside = path.relative_to(root)
        data = _bytes_of(path)
        about = size_of(data) if data is not None else None
        if about is None:
            broken.append(index)
        for name, value in zip(
            columns,
            (
                inside.as_posix(),
                inside.parts[-2] if len(inside.parts) > 1 else None,
                len(data) if data is not None else None,
                hashlib.sha256(data).hexdigest() if data is not None else None,
                about[0] if about else None,
                about[1] if about else None,
                about[2] if about else None,
            ),
            strict=True,
        ):
            columns[name].append(value)
        if (
            pictures is not None
            and data is not None
            and about is not None
            and about[1] * about[2] <= _PIXELS_MOST
        ):
            _draw(pictures, index, data)
    table = read_columns(engine, columns, "images")
    table.paths = paths
    table.facts["pixels"] = pictures is not None
    undrawn = [] if pictures is None else [index for index in range(count) if not pictures.seen[index]]
    bad = sorted({*broken, *undrawn})
    if bad:
        table.remarks.append(
            Remark(
                BROKEN_ROWS,
                f"{len(bad):,} files are no images that can be decoded, the first is "
                f"`{paths[bad[0]].relative_to(root).as_posix()}`",
                {"count": len(bad)},
                tuple(bad[:50]),
            )
        )
    return table, pictures


def _bytes_of(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > _BYTES_MOST:
            return None
        return path.read_bytes()
    except OSError:
        return None


def _draw(pictures: Pictures, index: int, data: bytes) -> None:
    """The small copy and the corners. A decoder that fails leaves the image unseen, which is said."""
    import io
    import warnings

    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "GIF", "BMP", "WEBP")) as image:
                colours = image.convert("RGB")
                width, height = colours.size
                small = colours.resize((SIDE, SIDE), Image.Resampling.BOX)
                pictures.colours[index] = np.asarray(small)
                for corner, (left, top) in enumerate(
                    ((0, 0), (width - 6, 0), (0, height - 6), (width - 6, height - 6))
                ):
                    if width >= 6 and height >= 6:
                        pictures.corners[index, corner] = np.asarray(
                            colours.crop((left, top, left + 6, top + 6))
                        )
    except Exception:  # noqa: BLE001 - decoders of a stranger's bytes raise whatever they like; the image stays unseen
        return
    pictures.seen[index] = True
