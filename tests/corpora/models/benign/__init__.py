"""Models, tokenizers and repositories that real libraries wrote, and that must be let through.

They lie in `benign.zip` as their libraries left them; `benign.json` says of each which library, in which version,
how it was made, and its digest. `tools/scan/build_benign.py` makes both anew, from the scripts of this folder.
"""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
ARCHIVE = _HERE.parent / "benign.zip"
MANIFEST = _HERE.parent / "benign.json"


@dataclass(frozen=True, slots=True)
class Benign:
    """One artifact: a file, or the folder that a library wrote."""

    path: Path
    library: str
    version: str
    says: str
    files: tuple[str, ...]


def unpack(folder: Path) -> list[Benign]:
    """Unpacks all of them under `folder`, one folder a library."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return [
        Benign(folder / item["path"], item["library"], item["version"], item["says"], tuple(item["files"]))
        for item in json.loads(MANIFEST.read_text())
    ]
