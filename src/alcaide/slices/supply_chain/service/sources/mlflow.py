"""MLflow, on disk or over HTTP: each version in its registry is an entry, and each model and run that is in none.

    mlruns/models/<name>/version-1/meta.yaml        where a registered version's artifacts lie
    mlruns/<experiment>/models/m-…/artifacts        a logged model
    mlruns/<experiment>/<run>/artifacts             what a run left

Only `meta.yaml` says where artifacts lie, and only a place that may be read anyway is gone to. What lies elsewhere (in
a bucket, on another machine) is an entry whose scan says so. A server is read as `mlflow_server` tells.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.supply_chain import rules
from alcaide.slices.supply_chain.model import Entry
from alcaide.slices.supply_chain.service.sources import disk, mlflow_server
from alcaide.slices.supply_chain.service.sources.base import MOST_ENTRIES, Bringing, Brought

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

LARGEST_META = 256 << 10
"""A version's description is in it, which people write."""
_META = "meta.yaml"


class Mlflow:
    """A tracking folder (`mlruns`), or the address of a tracking server."""

    def place(self, instance: Instance, text: str) -> str:
        """A folder that holds experiments or a registry; a server that is listed."""
        if mlflow_server.is_address(text):
            return mlflow_server.place(instance, text)
        real = disk.readable_folder(instance, text)
        if next(iter(_metas(Path(real))), None) is None and any(Path(real).iterdir()):
            raise InvalidInput(
                f"`{text[:200]}` holds no experiment and no registered model; give the tracking folder, often `mlruns`",
                {"path": "holds no experiment and no registered model; give the tracking folder"},
            )
        return real

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """Registered versions as `name/version`; the rest as `experiment/model` and `experiment/run`."""
        if mlflow_server.is_address(place):
            yield from mlflow_server.entries(instance, place, check)
            return
        root = Path(disk.readable_folder(instance, place))
        met: set[str] = set()
        for name, where in _artifacts(root):
            check()
            if where in met:
                continue
            met.add(where)
            if len(met) > MOST_ENTRIES:
                raise InvalidInput(f"the folder holds more than {MOST_ENTRIES:,} models and runs")
            try:
                files: list[tuple[str, int, int | str]] = [
                    *disk.listing(disk.readable(instance, where), check)
                ]
            except InvalidInput as error:
                # An entry all the same: its scan says to people why it cannot be looked at.
                files = [(str(error), -1, 0)]
            if files:
                yield Entry(name[:400], rules.fingerprint(files), where)

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """The folder of artifacts, or what a server sends of them."""
        if mlflow_server.is_address(place):
            return mlflow_server.bring(place, bringing)
        if "://" in place:
            raise InvalidInput(
                f"its artifacts lie at `{place[:200]}`, which is not on this server; watch that place"
            )
        real = disk.readable(bringing.instance, place)
        return Brought(Path(real), disk.root_of(bringing.instance, real))


def _metas(root: Path) -> Iterator[Path]:
    """What makes a folder a tracking folder."""
    for pattern in (f"*/{_META}", f"models/*/{_META}"):
        yield from root.glob(pattern)


def _artifacts(root: Path) -> Iterator[tuple[str, str]]:
    """(name, path or address) of what lies in it, the registered versions first."""
    for model in _folders(root / "models"):
        for version in _folders(model):
            if (version / _META).is_file() and version.name.startswith("version-"):
                about = disk.small_yaml(disk.small(version / _META, LARGEST_META), str(version / _META))
                yield f"{model.name}/{version.name.removeprefix('version-')}", _version(root, about)
    for experiment in _folders(root):
        for model in _folders(experiment / "models"):
            if (model / _META).is_file():
                yield f"{experiment.name}/{model.name}", str(model / "artifacts")
        for run in _folders(experiment):
            if (run / _META).is_file() and run.name != "models":
                yield f"{experiment.name}/{run.name}", _path(_run(run), run)


def _run(run: Path) -> Any:
    about = disk.small_yaml(disk.small(run / _META, LARGEST_META), str(run / _META))
    return about.get("artifact_uri")


def _version(root: Path, about: dict[str, Any]) -> str:
    """Where a registered version's artifacts lie."""
    source = about.get("storage_location") or about.get("source")
    if isinstance(source, str) and source.startswith("models:/m-"):
        wanted = PurePosixPath(source.removeprefix("models:/")).parts[0]
        for experiment in _folders(root):
            if (experiment / "models" / wanted / _META).is_file():
                return str(experiment / "models" / wanted / "artifacts")
    return _path(source, root)


def _path(uri: Any, beside: Path) -> str:
    """A file's address as a path; another address as it is."""
    if not isinstance(uri, str) or not uri or len(uri) > 4_096:
        raise InvalidInput(f"`{beside.name[:80]}` does not say where its artifacts lie")
    if uri.startswith("/"):
        return os.path.normpath(uri)
    parts = urlsplit(uri)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return os.path.normpath(unquote(parts.path))
    return uri if "://" in uri else f"unknown://{uri}"


def _folders(path: Path) -> list[Path]:
    """The folders directly in a folder, without links and hidden ones; none where it is not there."""
    try:
        found = [child for child in os.scandir(path) if child.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [
        Path(child.path)
        for child in sorted(found, key=lambda child: child.name)
        if not child.name.startswith(".")
    ]
