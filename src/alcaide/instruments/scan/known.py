"""Lets a scan pass over files in whose bytes the same rules have looked before."""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.instruments.scan.cache import ScanCache, result_key
from alcaide.instruments.scan.digest import digest_file, digest_files, known_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alcaide.instruments.scan.folder import Target
    from alcaide.instruments.scan.model import Artifact
    from alcaide.instruments.scan.policy import ScanPolicy


class KnownResults:
    """What a scan asks before it looks, and tells after: the cache, for one policy and this edition.

    A file whose digest is not known yet is hashed first only if `digests` says so; else it is scanned, which for
    most formats reads far less of it.
    """

    def __init__(self, cache: ScanCache, policy: ScanPolicy, edition: str, *, digests: bool = False) -> None:
        self._cache = cache
        self._policy = sha256(repr(policy).encode()).hexdigest()
        self._edition = edition
        self._digests = digests
        self._beside: dict[str, str] = {}
        self._found: dict[str, str] = {}

    def prepare(self, paths: Iterable[str], workers: int | None = None) -> None:
        """Hash what is not known yet, by several threads."""
        for one in digest_files((Path(path) for path in paths), cache=self._cache, workers=workers):
            if one.sha256 is not None:
                self._found[str(one.path)] = one.sha256

    def digest_of(self, target: Target) -> str | None:
        """The digest of the file's bytes, where it is known or was asked for."""
        found = self._found.get(target.path)
        if found is None:
            path = Path(target.path)
            found = (
                digest_file(path, cache=self._cache).sha256
                if self._digests
                else known_digest(path, self._cache)
            )
        return found

    def recall(self, target: Target) -> Artifact | None:
        """What was found in these bytes, under this name, beside these neighbours where they matter."""
        digest = self.digest_of(target)
        if digest is None:
            return None
        found = self._cache.result(self._key(digest, target, ""))
        if found is None:
            found = self._cache.result(self._key(digest, target, self._neighbours(target.root)))
        if found is not None:
            found.path, found.sha256, found.seconds = target.name, digest, 0.0
        return found

    def remember(self, target: Target, artifact: Artifact) -> None:
        """Keep what was found, if it is known in which bytes."""
        # Not what was hashed before the look: only a file that is still the same now was the same in between.
        digest = artifact.sha256 or known_digest(Path(target.path), self._cache)
        if digest is not None:
            beside = self._neighbours(target.root) if artifact.looked_beside else ""
            self._cache.remember_result(self._key(digest, target, beside), artifact)

    def _key(self, digest: str, target: Target, neighbours: str) -> bytes:
        name = target.name.rsplit("/", 1)[-1] if not neighbours else target.name
        return result_key(digest, name, self._edition, self._policy, neighbours)

    def _neighbours(self, root: str) -> str:
        """One digest over the names, sizes and times of all files of a folder."""
        if root not in self._beside:
            hasher = sha256()
            for folder, folders, names in os.walk(root):
                folders.sort()
                for name in sorted(names):
                    path = f"{folder}/{name}"
                    with contextlib.suppress(OSError):
                        about = os.lstat(path)
                        line = f"{path}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ctime_ns}\n"
                        hasher.update(line.encode("utf-8", "surrogateescape"))
            self._beside[root] = hasher.hexdigest()
        return self._beside[root]
