"""Runs inside of a peer's environment, which has nothing of Alcaide: fickling has no command for a folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def fickling(folder: Path, report: Path) -> None:
    """The files that fickling does not find likely safe; what it cannot read is not among them."""
    from fickling import is_likely_safe

    flagged = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            if not is_likely_safe(str(path)):
                flagged.append(str(path))
        except Exception:  # noqa: BLE001 - a peer's error of whatever kind is a file it did not flag
            continue
    report.write_text(json.dumps(flagged))


if __name__ == "__main__":
    {"fickling": fickling}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
