"""What a folder's listing comes to, which names may be taken, and what is due: from arguments alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any

from alcaide.kernel.errors import ConfigError, InvalidInput
from alcaide.slices.supply_chain.model import Entry, Settings, Watch

_NAME = re.compile(r"[^\w.\- ]+")
MOST_MINUTES = 60 * 24 * 31


def settings(section: Mapping[str, Any]) -> Settings:
    """The `supply_chain` section. Raises ConfigError naming the setting that is wrong."""
    known = {"folders", "max_upload_mib", "keep_days"}
    for name in section:
        if name not in known:
            raise ConfigError(f"`supply_chain.{name}` is no setting; there are: {', '.join(sorted(known))}")
    folders = section.get("folders", [])
    if not isinstance(folders, list) or not all(
        isinstance(one, str) and one.startswith("/") for one in folders
    ):
        raise ConfigError("`supply_chain.folders` must be a list of absolute paths, as [/srv/models]")
    upload, keep = section.get("max_upload_mib", 2_048), section.get("keep_days", 400)
    if not isinstance(upload, int) or not 1 <= upload <= 1 << 20:
        raise ConfigError(f"`supply_chain.max_upload_mib` is `{upload}`; choose 1 to {1 << 20}")
    if not isinstance(keep, int) or not 1 <= keep <= 36_500:
        raise ConfigError(f"`supply_chain.keep_days` is `{keep}`; choose 1 to 36500")
    return Settings(tuple(folders), upload, keep)


def upload_name(given: str) -> str:
    """A name to show and to hint at the format: the last part of what was given, without what could mislead."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = _NAME.sub("_", last).strip(" .")
    return cleaned[-120:] or "upload"


def allowed(path: str, folders: Sequence[str]) -> str:
    """The path, resolved already, if it lies in a folder that may be read. Raises InvalidInput with what to do."""
    for folder in folders:
        if PurePath(path).is_relative_to(folder):
            return path
    if not folders:
        raise InvalidInput(
            "no folder of the server may be scanned yet; list some under `supply_chain: folders:` in config.yaml",
            {"path": "is in no folder that may be scanned"},
        )
    raise InvalidInput(
        f"`{path[:200]}` is in none of the folders that may be scanned: {', '.join(folders)}",
        {"path": "is in no folder that may be scanned"},
    )


def fingerprint(listing: Iterable[tuple[str, int, int]]) -> str:
    """A digest over (name, bytes, time of the last change in ns): cheap, and different once anything was written."""
    digest = hashlib.sha256()
    for name, size, changed in sorted(listing):
        digest.update(f"{name}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def changed(entries: Sequence[Entry], seen: Mapping[str, str]) -> list[Entry]:
    """What is new or different since it was last scanned."""
    return [entry for entry in entries if seen.get(entry.name) != entry.fingerprint]


def due(watch: Watch, now: datetime) -> bool:
    """Whether it is time to look into a folder again."""
    return watch.last_at is None or now - watch.last_at >= timedelta(minutes=watch.every_minutes)


def check_watch(name: str, every_minutes: int) -> str:
    """The name, cleaned. Raises InvalidInput with the fields at fault."""
    fields: dict[str, str] = {}
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > 100:
        fields["name"] = "give it a name of at most 100 characters"
    if not 1 <= every_minutes <= MOST_MINUTES:
        fields["every_minutes"] = f"choose 1 to {MOST_MINUTES:,} minutes"
    if fields:
        raise InvalidInput(next(iter(fields.values())), fields)
    return cleaned
