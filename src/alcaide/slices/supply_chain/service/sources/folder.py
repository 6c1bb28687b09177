"""A folder on the server: each file and folder directly in it is an entry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.slices.supply_chain import rules
from alcaide.slices.supply_chain.model import Entry
from alcaide.slices.supply_chain.service.sources import disk
from alcaide.slices.supply_chain.service.sources.base import Bringing, Brought

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance


class Folder:
    """Files and folders as they lie there; hidden ones and links are left out."""

    def place(self, instance: Instance, text: str) -> str:
        """A folder in one of those that may be read."""
        return disk.readable_folder(instance, text)

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """What lies directly in it, each with a fingerprint of everything below it."""
        folder = disk.readable_folder(instance, place)
        for child in sorted(os.scandir(folder), key=lambda one: one.name):
            check()
            if child.name.startswith(".") or child.is_symlink():
                continue
            if child.is_file(follow_symlinks=False):
                about = child.stat(follow_symlinks=False)
                found = rules.fingerprint([("", about.st_size, about.st_mtime_ns)])
            elif child.is_dir(follow_symlinks=False):
                found = rules.fingerprint(disk.listing(child.path, check))
            else:
                continue
            yield Entry(child.name[:400], found, child.path)

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """It is where it is; links in it lead to what may be read, or nowhere."""
        real = disk.readable(bringing.instance, place)
        return Brought(Path(real), disk.root_of(bringing.instance, real))
