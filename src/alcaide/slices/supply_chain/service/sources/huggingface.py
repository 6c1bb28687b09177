"""A cache or mirror of a model hub as `huggingface_hub` keeps it: each snapshot is an entry.

    models--org--name/refs/main  blobs/<digest>  snapshots/<revision>/config.json -> ../../blobs/<digest>

The files of a snapshot are links into the blobs. They are followed inside the cache and nowhere else. A blob whose name
is a SHA-256 (large files are named so) is held against it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.supply_chain import rules
from alcaide.slices.supply_chain.model import Entry
from alcaide.slices.supply_chain.service.sources import disk
from alcaide.slices.supply_chain.service.sources.base import Bringing, Brought

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

_REPOSITORY = re.compile(r"(models|datasets|spaces)--(.+)\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class HuggingFace:
    """The `hub` folder of a cache."""

    def place(self, instance: Instance, text: str) -> str:
        """A folder that holds repositories, or is empty still."""
        real = disk.readable_folder(instance, text)
        names = [child.name for child in os.scandir(real) if not child.name.startswith(".")]
        if names and not any(_REPOSITORY.match(name) for name in names):
            raise InvalidInput(
                f"`{text[:200]}` holds no `models--…` folder; give the `hub` folder of the cache, or watch it as a "
                "folder",
                {"path": "holds no `models--…` folder; give the `hub` folder of the cache"},
            )
        return real

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """Each snapshot that has files, as `org/name@revision`."""
        hub = disk.readable_folder(instance, place)
        for repository in _folders(hub):
            known = _REPOSITORY.match(repository.name)
            if known is None:
                continue
            name = known[2].replace("--", "/", 1)
            if known[1] != "models":
                name = f"{known[1]}/{name}"
            for snapshot in _folders(f"{repository.path}/snapshots"):
                check()
                files = list(disk.listing(snapshot.path, check, within=hub))
                if files:
                    yield Entry(f"{name}@{snapshot.name}"[:400], rules.fingerprint(files), snapshot.path)

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """The snapshot; the cache bounds its links."""
        real = Path(disk.readable_folder(bringing.instance, place))
        if len(real.parents) < 3 or real.parent.name != "snapshots":
            raise InvalidInput(f"`{place[:200]}` is no snapshot of a cache; scan it as a folder")
        hub = real.parents[2]
        disk.readable(bringing.instance, str(hub))
        return Brought(real, hub, dict(_promised(real)))


def _folders(path: str) -> list[os.DirEntry[str]]:
    """The folders directly in a folder, without links; none where it is not there."""
    try:
        found = [child for child in os.scandir(path) if child.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(found, key=lambda child: child.name)


def _promised(snapshot: Path) -> Iterator[tuple[str, str]]:
    """Path in the snapshot and SHA-256, for the files whose blob is named by it."""
    for base, _, names in os.walk(snapshot):
        for name in names:
            path = Path(base, name)
            if path.is_symlink():
                blob = path.readlink().name
                if _SHA256.match(blob):
                    yield path.relative_to(snapshot).as_posix(), blob
