"""An MLflow tracking server: each version in its registry is an entry, fetched through the server itself.

What a server is asked for is in the MLflow REST API 2.0: `model-versions/search`, `model-versions/get-download-uri`,
`logged-models/<id>`, and the artifact proxy (`mlflow-artifacts`). Artifacts that the server does not hand out itself
(its artifact root is a bucket without the proxy) are not fetched; the scan says where they lie, and that place can be
watched.

The server must be listed under `stores` in config.yaml. Who asks is said by Alcaide's environment, in the variables of
MLflow's own client: `MLFLOW_TRACKING_TOKEN`, or `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.

A version is taken for unchanging: it is looked at again when its source or status changes, not when somebody replaces
files behind the server's back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from alcaide.kernel.errors import InvalidInput, NotFound, Unavailable
from alcaide.slices.supply_chain import queries, rules
from alcaide.slices.supply_chain.model import Entry, StoreAddress
from alcaide.slices.supply_chain.service.sources.base import MOST_ENTRIES, Bringing, Brought
from alcaide.slices.supply_chain.service.sources.download import MOST_FILES, Download

if TYPE_CHECKING:
    import httpx2

    from alcaide.kernel.instance import Instance

PAGE = 1_000
LARGEST_ANSWER = 32 << 20
_SECONDS = 60.0
_DEEPEST = 20
"""Folders in folders of artifacts that are gone into."""


def is_address(text: str) -> bool:
    """Whether this is a server's address, and no path."""
    return text.startswith(("http://", "https://"))


def place(instance: Instance, text: str) -> str:
    """A server that is listed."""
    return str(_allowed(instance, text))


def entries(instance: Instance, place: str, check: Callable[[], None]) -> Iterator[Entry]:
    """Each registered version, as `name/version`."""
    server = _allowed(instance, place)
    with _client(server) as client:
        token = ""
        count = 0
        while True:
            check()
            page = _get(
                client, "api/2.0/mlflow/model-versions/search", {"max_results": PAGE, "page_token": token}
            )
            for version in _objects(page, "model_versions"):
                name, number = str(version.get("name", "")), str(version.get("version", ""))
                if not name or not number.isdecimal():
                    continue
                count += 1
                if count > MOST_ENTRIES:
                    raise InvalidInput(f"the registry holds more than {MOST_ENTRIES:,} versions")
                said = [
                    str(version.get(key, "")) for key in ("source", "creation_timestamp", "status", "run_id")
                ]
                yield Entry(
                    f"{name}/{number}"[:400],
                    rules.fingerprint([("\0".join(said), 0, 0)]),
                    f"{server}#{quote(name, safe='')}/{number}",
                )
            following = page.get("next_page_token")
            if not isinstance(following, str) or not following or following == token:
                return
            token = following


def bring(place: str, bringing: Bringing) -> Brought:
    """Fetch the artifacts of one version."""
    address, _, version = place.partition("#")
    server = _allowed(bringing.instance, address)
    quoted, _, number = version.rpartition("/")
    name = unquote(quoted)
    with _client(server) as client:
        root = _root(client, name, number)
        files = list(_listed(client, root, bringing.check))
        if not files:
            raise NotFound(f"version {number} of `{name[:100]}` has no artifacts any more")
        download = Download(bringing, f"{name}-{number}")
        download.announced(sum(size for _, size in files))
        for path, _ in files:
            download.keep(path[len(root) :].strip("/"), _pieces(client, path))
    return Brought(download.path)


def _allowed(instance: Instance, text: str) -> StoreAddress:
    return rules.allowed_store(rules.store_address(text), queries.settings(instance).stores)


@contextmanager
def _client(server: StoreAddress) -> Iterator[httpx2.Client]:
    """A client for one server, never redirected to another: that one is not listed."""
    import httpx2

    headers = {}
    auth: tuple[str, str] | None = None
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    elif user := os.environ.get("MLFLOW_TRACKING_USERNAME"):
        auth = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
    with httpx2.Client(
        base_url=f"{server}/", headers=headers, auth=auth, timeout=_SECONDS, follow_redirects=False
    ) as client:
        try:
            yield client
        except httpx2.HTTPError as error:
            raise Unavailable(f"`{server}` cannot be read: {' '.join(str(error).split())[:200]}") from error


def _get(client: httpx2.Client, path: str, params: dict[str, Any]) -> dict[str, Any]:
    """One answer of the API."""
    held = bytearray()
    with client.stream("GET", path, params={key: value for key, value in params.items() if value}) as answer:
        for piece in answer.iter_bytes():
            held += piece
            if len(held) > LARGEST_ANSWER:
                raise InvalidInput(f"the server answers `{path}` with more than {LARGEST_ANSWER >> 20} MiB")
        _well(answer.status_code, path)
    try:
        found = msgspec.json.decode(bytes(held))
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(
            f"the server does not answer `{path}` as MLflow does; check the address"
        ) from error
    return found if isinstance(found, dict) else {}


def _well(status: int, path: str) -> None:
    if status in (401, 403):
        raise Unavailable(
            f"the server refuses `{path[:100]}` ({status}); set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD in Alcaide's environment"
        )
    if status != 200:
        raise Unavailable(f"the server answers `{path[:100]}` with {status}")


def _root(client: httpx2.Client, name: str, number: str) -> str:
    """The folder of a version's artifacts, as the server's artifact proxy calls it."""
    said = _get(
        client, "api/2.0/mlflow/model-versions/get-download-uri", {"name": name, "version": number}
    ).get("artifact_uri")
    if isinstance(said, str) and said.startswith("models:/m-"):
        logged = said.removeprefix("models:/").split("/", 1)[0]
        info = _get(client, f"api/2.0/mlflow/logged-models/{quote(logged, safe='')}", {}).get("model")
        about = info.get("info") if isinstance(info, dict) else None
        said = about.get("artifact_uri") if isinstance(about, dict) else None
    parts = urlsplit(said) if isinstance(said, str) else urlsplit("")
    root = unquote(parts.path).strip("/")
    if parts.scheme != "mlflow-artifacts" or rules.local_path(root) is None:
        raise InvalidInput(
            f"the server does not hand the artifacts out itself: they lie at `{str(said)[:200]}`; watch that place, or "
            "start the server with `--serve-artifacts`"
        )
    return root


def _listed(client: httpx2.Client, root: str, check: Callable[[], None]) -> Iterator[tuple[str, int]]:
    """(path, bytes) of every file below a folder of artifacts."""
    waiting = [root]
    count = 0
    while waiting:
        check()
        folder = waiting.pop()
        answer = _get(client, "api/2.0/mlflow-artifacts/artifacts", {"path": folder})
        for one in _objects(answer, "files"):
            # Its name is told relative to the folder that was asked for.
            last = str(one.get("path", "")).rsplit("/", 1)[-1]
            path = f"{folder}/{last}"
            count += 1
            if (
                rules.local_path(last) is None
                or count > MOST_FILES
                or path.count("/") > root.count("/") + _DEEPEST
            ):
                raise InvalidInput(
                    f"`{path[:200]}` cannot be kept here: too many, too deep, or no name for a file"
                )
            if one.get("is_dir") is True:
                waiting.append(path)
            else:
                yield path, _size(one.get("file_size"))


def _pieces(client: httpx2.Client, path: str) -> Iterable[bytes]:
    with client.stream("GET", f"api/2.0/mlflow-artifacts/artifacts/{quote(path)}") as answer:
        _well(answer.status_code, path)
        yield from answer.iter_bytes(1 << 20)


def _objects(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _size(value: object) -> int:
    """Bytes, which JSON may tell as a text (64 bits do not fit its numbers everywhere)."""
    if isinstance(value, str) and value.isdecimal():
        return int(value[:19])
    return value if isinstance(value, int) and value > 0 else 0
