"""What lies beside a scanned file under a name that the file gives."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context


def beside(context: Context, location: str) -> tuple[str, int] | None:
    """How it is with a neighbour: ("there", size), ("missing", 0), or ("outside", 0) for a link that leads away.

    None where it cannot be known: inside of archives, or if the file has no folder. The name is relative to the folder
    the scanned file is in, and must not lead out by itself (see `paths.leads_out`).
    """
    folder = context.folder
    if folder is None:
        return None
    below = posixpath.dirname(context.look.name)
    names = [posixpath.normpath(posixpath.join(below, location.replace("\\", "/")))]
    # The report's name for a file starts with the folder it was found in where several were scanned at once.
    if "/" in names[0]:
        names.append(names[0].split("/", 1)[1])
    if below:
        names.append(posixpath.normpath(location.replace("\\", "/")))
    for name in names:
        source = folder.open(name)
        if source is not None:
            size = source.size
            close = getattr(source, "close", None)
            if close is not None:
                close()
            return "there", size
    wanted = frozenset(names)
    if any(name in wanted for name in folder.names()):
        return "outside", 0
    return "missing", 0
