"""A prefix in an S3-compatible store: each folder and object directly below it is an entry.

Whether something changed is told by ETags and sizes. What did is fetched into the quarantine, scanned and deleted.
Credentials are those of the server's environment or machine (`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`'s role…); nobody can
give any over the web, and requests go to the stores that config.yaml lists and to no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import InvalidInput, NotFound, Unavailable
from alcaide.slices.supply_chain import queries, rules
from alcaide.slices.supply_chain.model import Entry, StoreAddress
from alcaide.slices.supply_chain.service.sources.base import MOST_ENTRIES, Bringing, Brought
from alcaide.slices.supply_chain.service.sources.download import Download

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ObjectStore

    from alcaide.kernel.instance import Instance

MOST_OBJECTS = 1_000_000
PIECE = 8 << 20
"""Bytes of one request: few enough to come within its time limit over a slow line."""
_TIMEOUT = "60s"
_MISSING = "reading object stores needs the library obstore; install it with `pip install 'alcaide[s3]'`"


def open_store(address: StoreAddress) -> ObjectStore:
    """The bucket of an address. Raises Unavailable without the library, InvalidInput if the settings cannot work."""
    try:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store
    except ImportError as error:
        raise Unavailable(_MISSING) from error
    more: dict[str, Any] = {}
    if address.endpoint:
        more = {"endpoint": address.endpoint, "virtual_hosted_style_request": False}
    try:
        return S3Store(
            address.bucket,
            client_options={"timeout": _TIMEOUT, "allow_http": address.scheme == "http"},
            retry_config={"max_retries": 2},
            **more,
        )
    except (BaseError, ValueError) as error:
        raise InvalidInput(f"the store `{address}` cannot be opened: {_said(error)}") from error


class S3:
    """One bucket or a part of it. `opener` is how a store is reached."""

    def __init__(self, opener: Callable[[StoreAddress], ObjectStore] = open_store) -> None:
        self._open = opener

    def place(self, instance: Instance, text: str) -> str:
        """An address at or below a listed one."""
        address = _allowed(instance, text)
        self._open(address)
        return str(address)

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """What is directly below the prefix, from one listing of everything below it."""
        address = _allowed(instance, place)
        found: dict[str, list[tuple[str, int, int | str]]] = {}
        for name, size, tag in _objects(self._open(address), address.prefix, check):
            first, slash, _ = name.partition("/")
            if not slash and size == 0 and first in found:
                continue  # a marker for the folder of that name
            found.setdefault(first, []).append((name, size, tag))
            if len(found) > MOST_ENTRIES:
                raise InvalidInput(
                    f"more than {MOST_ENTRIES:,} entries are directly below it; watch its parts"
                )
        for first, objects in sorted(found.items()):
            if len(objects) > 1:
                objects = [one for one in objects if one[0] != first or one[1] > 0]
            yield Entry(first[:400], rules.fingerprint(objects), str(address.below(first)))

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """Fetch it, as it was listed: an object that changes in between ends the scan, and the next look asks again."""
        address = _allowed(bringing.instance, place)
        store = self._open(address)
        objects = [one for one in _objects(store, address.prefix, bringing.check) if one[0] or one[1] > 0]
        if not objects:
            raise NotFound(f"there is nothing at `{address}` any more")
        download = Download(bringing, address.prefix.rsplit("/", 1)[-1] or address.bucket)
        download.announced(sum(size for _, size, _ in objects))
        folders = {name[:at] for name, _, _ in objects for at in range(len(name)) if name[at] == "/"}
        for name, size, tag in objects:
            if size == 0 and name in folders:
                continue
            key = f"{address.prefix}/{name}".strip("/") if name else address.prefix
            download.keep(name, _pieces(store, key, size, tag))
        return Brought(download.path)


def _allowed(instance: Instance, text: str) -> StoreAddress:
    address = rules.store_address(text)
    if not address.bucket:
        raise InvalidInput(
            f"`{text[:200]}` names no bucket", {"path": "names no bucket; write https://host/bucket/prefix"}
        )
    return rules.allowed_store(address, queries.settings(instance).stores)


def _objects(store: ObjectStore, prefix: str, check: Callable[[], None]) -> Iterator[tuple[str, int, str]]:
    """(name below the prefix, bytes, ETag) of all objects; the name of one that is the prefix itself is empty."""
    import obstore
    from obstore.exceptions import BaseError

    count = 0
    try:
        if prefix:
            try:
                about = obstore.head(store, prefix)
                yield "", about["size"], about["e_tag"] or ""
            except (FileNotFoundError, obstore.exceptions.NotFoundError):
                pass
        for page in obstore.list(store, prefix or None, chunk_size=1_000):
            check()
            for one in page:
                count += 1
                if count > MOST_OBJECTS:
                    raise InvalidInput(f"more than {MOST_OBJECTS:,} objects are below it; watch its parts")
                name = one["path"][len(prefix) + 1 if prefix else 0 :]
                if name:
                    yield name, one["size"], one["e_tag"] or ""
    except (BaseError, OSError) as error:
        raise Unavailable(f"the store cannot be read: {_said(error)}") from error


def _pieces(store: ObjectStore, key: str, size: int, tag: str) -> Iterator[bytes]:
    """An object's bytes, all of one state of it."""
    import obstore
    from obstore.exceptions import BaseError

    try:
        for start in range(0, size, PIECE):
            options: GetOptions = {"range": (start, min(size, start + PIECE))}
            if tag:
                options["if_match"] = tag
            yield memoryview(obstore.get(store, key, options=options).bytes()).tobytes()
    except (BaseError, OSError) as error:
        raise Unavailable(f"`{key[-200:]}` cannot be fetched: {_said(error)}") from error


def _said(error: Exception) -> str:
    """What the store or the network says, on one line, without what a debugger would want."""
    return " ".join(str(error).split("Debug source:")[0].split())[:300]
