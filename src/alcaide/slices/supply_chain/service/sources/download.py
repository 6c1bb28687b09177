"""Files of another server on their way to a scan: in the quarantine, bounded, deleted after."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from alcaide.kernel.errors import InvalidInput, TooLarge, Unavailable
from alcaide.slices.supply_chain import queries, rules
from alcaide.slices.supply_chain.service.sources.base import Bringing

MOST_FILES = 100_000
SPARE = 1 << 30
"""Bytes of the disk that stay free: the ledger lies on it too."""


class Download:
    """A folder that fills up to the limit of the settings, and no further."""

    def __init__(self, bringing: Bringing, title: str) -> None:
        self._bringing = bringing
        self._limit = queries.settings(bringing.instance).max_download_mib << 20
        bringing.folder.mkdir(mode=0o700, parents=True)
        self.path = bringing.folder / rules.upload_name(title)
        self._files = 0
        self._size = 0

    def announced(self, size: int) -> None:
        """So much is to come. Raises TooLarge, or Unavailable if the disk has no room, before anything is fetched."""
        if size > self._limit:
            raise TooLarge(
                f"it has {size >> 20:,} MiB, which is more than {self._limit >> 20:,}; raise "
                "`supply_chain.max_download_mib` in config.yaml"
            )
        free = shutil.disk_usage(self._bringing.folder).free
        if size + SPARE > free:
            raise Unavailable(
                f"it has {size >> 20:,} MiB, and the disk has {free >> 20:,} left; make room, and scan it again"
            )

    def keep(self, name: str, pieces: Iterable[bytes | memoryview]) -> None:
        """Write one file; "" is the thing itself.

        Raises TooLarge past the limit, InvalidInput for a name that is none.
        """
        path = self._target(name)
        self._files += 1
        if self._files > MOST_FILES:
            raise TooLarge(f"it has more than {MOST_FILES:,} files; watch its parts")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as file:
                for piece in pieces:
                    self._bringing.check()
                    self._size += len(piece)
                    if self._size > self._limit:
                        self.announced(self._size)
                    file.write(piece)
                    self._bringing.tell(f"fetched {self._size >> 20:,} MiB, {self._files:,} files")
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidInput(
                f"`{name[:200]}` is both a file and a folder there, which no disk can hold; rename one"
            ) from error
        except OSError as error:
            raise Unavailable(f"it cannot be kept here: {(error.strerror or str(error)).lower()}") from error

    def _target(self, name: str) -> Path:
        if not name:
            return self.path
        cleaned = rules.local_path(name)
        if cleaned is None:
            raise InvalidInput(f"`{name[:200]}` is no name for a file on this server; rename it there")
        return self.path / cleaned
