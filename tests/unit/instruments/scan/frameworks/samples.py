"""Models that the libraries themselves wrote, by name: see `tools/scan/build_framework_samples.py`."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

_ARCHIVE = Path(__file__).with_name("real_models.zip")


@cache
def samples(group: str) -> dict[str, bytes]:
    """All files of a group, `ordinary` or `leading-out`, by their path below it."""
    with zipfile.ZipFile(_ARCHIVE) as archive:
        return {
            name.removeprefix(f"{group}/"): archive.read(name)
            for name in archive.namelist()
            if name.startswith(f"{group}/")
        }
