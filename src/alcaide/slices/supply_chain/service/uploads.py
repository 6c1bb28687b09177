"""Files that people upload, until they were scanned: on disk, bounded, readable by this account only."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from alcaide.kernel.errors import TooLarge, Unavailable
from alcaide.kernel.ids import new_id
from alcaide.slices.supply_chain import queries, rules
from alcaide.slices.supply_chain.model import UPLOADS

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance


def upload_folder(instance: Instance) -> Path:
    """Where uploads wait for their scan; readable by this account only."""
    folder = instance.config.data / UPLOADS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


class Quarantined:
    """An upload on its way to disk: written piece by piece, dropped unless it is handed over to a scan."""

    def __init__(self, instance: Instance, filename: str) -> None:
        self.id = new_id()
        self.name = rules.upload_name(filename)
        self._limit = queries.settings(instance).max_upload_mib << 20
        self._folder = upload_folder(instance) / self.id
        self._folder.mkdir(mode=0o700)
        self.path = self._folder / self.name
        self._file: BinaryIO | None = self.path.open("xb")
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises TooLarge past the limit, Unavailable if the disk is full."""
        self.size += len(piece)
        if self._file is None or self.size > self._limit:
            self.drop()
            raise TooLarge(
                f"the file is larger than {self._limit >> 20:,} MiB; raise `supply_chain.max_upload_mib` in "
                "config.yaml, or scan it where it lies with `alcaide scan`"
            )
        try:
            self._file.write(piece)
        except OSError as error:
            self.drop()
            raise Unavailable(
                f"the upload cannot be kept: {(error.strerror or str(error)).lower()}"
            ) from error

    def done(self) -> None:
        """No more comes."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def drop(self) -> None:
        """Forget it."""
        self.done()
        shutil.rmtree(self._folder, ignore_errors=True)
