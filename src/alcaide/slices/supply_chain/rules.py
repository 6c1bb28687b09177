"""What a listing comes to, which places and names may be taken, and what is due: from arguments alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from alcaide.kernel.errors import ConfigError, InvalidInput
from alcaide.slices.supply_chain.model import SOURCES, Entry, Settings, SourceKind, StoreAddress, Watch

_NAME = re.compile(r"[^\w.\- ]+")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}\Z")
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z"
)
MOST_MINUTES = 60 * 24 * 31
MOST_NAME = 255
"""Bytes of one part of a path that file systems take."""


def settings(section: Mapping[str, Any]) -> Settings:
    """The `supply_chain` section. Raises ConfigError naming the setting that is wrong."""
    known = {"folders", "stores", "max_upload_mib", "max_download_mib", "keep_days"}
    for name in section:
        if name not in known:
            raise ConfigError(f"`supply_chain.{name}` is no setting; there are: {', '.join(sorted(known))}")
    folders = section.get("folders", [])
    if not isinstance(folders, list) or not all(
        isinstance(one, str) and one.startswith("/") for one in folders
    ):
        raise ConfigError("`supply_chain.folders` must be a list of absolute paths, as [/srv/models]")
    return Settings(
        tuple(folders),
        _stores(section.get("stores", [])),
        _whole(section, "max_upload_mib", 2_048, 1 << 20),
        _whole(section, "max_download_mib", 20_480, 1 << 24),
        _whole(section, "keep_days", 400, 36_500),
    )


def _whole(section: Mapping[str, Any], name: str, usual: int, most: int) -> int:
    value = section.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ConfigError(f"`supply_chain.{name}` is `{value}`; choose 1 to {most}")
    return value


def _stores(given: Any) -> tuple[StoreAddress, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ConfigError(
            "`supply_chain.stores` must be a list of addresses, as [s3://models, https://minio.example:9000/models]"
        )
    try:
        return tuple(store_address(one) for one in given)
    except InvalidInput as error:
        raise ConfigError(f"`supply_chain.stores`: {error}") from error


def store_address(text: str) -> StoreAddress:
    """A place on another server: `s3://bucket/prefix`, or `https://host/bucket/prefix` where the host is another's.

    Raises InvalidInput for anything else, a user name or password in it among them: those belong to the environment.
    """

    def wrong(why: str) -> InvalidInput:
        return InvalidInput(f"`{text[:200]}` {why}", {"path": why})

    try:
        parts = urlsplit(text)
    except ValueError:
        raise wrong("is no address; write s3://bucket/prefix or https://host/bucket/prefix") from None
    if parts.scheme not in ("s3", "http", "https") or not parts.netloc:
        raise wrong("is no address; write s3://bucket/prefix or https://host/bucket/prefix")
    if "@" in parts.netloc:
        raise InvalidInput(
            "an address must not hold a user name or a password; give them to the server's environment",
            {"path": "must not hold a user name or a password"},
        )
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise wrong("must end with the prefix, without `?` and `#`")
    segments = parts.path.strip("/").split("/") if parts.path.strip("/") else []
    if any(part in ("", ".", "..") or not part.isprintable() for part in segments):
        raise wrong("has an empty part, `.` or `..` in its path; write it without")
    host = parts.netloc.lower()
    if parts.scheme == "s3":
        bucket, host = parts.netloc, ""
    else:
        if not _HOST.match(host):
            raise wrong("names no host; write https://host/bucket/prefix")
        bucket = segments.pop(0) if segments else ""
    if bucket and not _BUCKET.match(bucket):
        raise wrong("names no bucket; write s3://bucket/prefix or https://host/bucket/prefix")
    return StoreAddress(parts.scheme, host, bucket, "/".join(segments))


def allowed_store(address: StoreAddress, stores: Sequence[StoreAddress]) -> StoreAddress:
    """The address, if it is at or below a listed one. Raises InvalidInput with what to do."""
    wanted = [part for part in (address.bucket, *address.prefix.split("/")) if part]
    for store in stores:
        given = [part for part in (store.bucket, *store.prefix.split("/")) if part]
        if (store.scheme, store.host) == (address.scheme, address.host) and wanted[: len(given)] == given:
            return address
    listed = ", ".join(str(store) for store in stores)
    raise InvalidInput(
        f"`{str(address)[:200]}` is at none of the stores that may be read"
        + (f": {listed}" if listed else "; list it under `supply_chain: stores:` in config.yaml"),
        {"path": "is at no store that may be read; they are listed in config.yaml"},
    )


def local_path(name: str) -> str | None:
    """A stranger's name for a file, as a path that leads down; None where it has none.

    Kept as it is where it can be: what a report says must be found again where it came from.
    """
    parts = name.split("/")
    for part in parts:
        if part in ("", ".", "..") or len(part.encode("utf-8", "surrogateescape")) > MOST_NAME:
            return None
        if any(character < " " or character in "\\\x7f" for character in part):
            return None
    return name if len(name) <= 2_000 and len(parts) <= 50 else None


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


def fingerprint(listing: Iterable[tuple[str, int, int | str]]) -> str:
    """A digest over (name, bytes, what changes with the content): cheap, and different once anything was written.

    The third is the time of the last change in ns on a disk, the ETag in a store.
    """
    digest = hashlib.sha256()
    for name, size, changed in sorted(listing, key=lambda one: one[0]):
        digest.update(f"{name}\0{size}\0{changed}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def changed(entries: Sequence[Entry], seen: Mapping[str, str]) -> list[Entry]:
    """What is new or different since it was last scanned."""
    return [entry for entry in entries if seen.get(entry.name) != entry.fingerprint]


def due(watch: Watch, now: datetime) -> bool:
    """Whether it is time to look into a place again."""
    return watch.last_at is None or now - watch.last_at >= timedelta(minutes=watch.every_minutes)


def source_kind(text: str) -> SourceKind:
    """A kind of source, from a form. Raises InvalidInput with those there are."""
    for kind in SOURCES:
        if kind == text:
            return kind
    raise InvalidInput(f"`{text[:20]}` is no kind of place", {"kind": f"choose one of {', '.join(SOURCES)}"})


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
