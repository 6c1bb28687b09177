"""Loads attacks the way an unsuspecting program would, and says which of them acted.

    python -m tests.corpora.models.attacks.naive JOBS.json [LIBRARY…]

`JOBS.json` is a list of `[id, loader, path]`. Each is loaded in a forked child of its own, in an empty working
directory; what the payload can do there is to leave the marker. Attempts to reach the network and to read
`/etc/passwd` set the marker too, by an audit hook, and are refused. Prints the ids of those that acted, as JSON.
"""

import atexit
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.corpora.models.attacks.payload import MARKER

_SECONDS = 60

# Audit events that show a program leaving its place. What follows them is refused, so nothing leaves.
_OUTSIDE = (
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "urllib.Request",
    "webbrowser.open",
    "ftplib.connect",
    "smtplib.connect",
    "http.client.connect",
)

LOADERS: dict[str, Callable[[Path], object]] = {}


def loader(name: str) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Registers a way to load a file."""

    def register(load: Callable[[Path], object]) -> Callable[[Path], object]:
        LOADERS[name] = load
        return load

    return register


@loader("pickle")
def _pickle(path: Path) -> None:
    """Every pickle of the file, one after another, as a reader of a stream of them does."""
    import pickle

    sys.path.insert(0, str(path.parent))
    with path.open("rb") as file:
        while file.peek(1):
            pickle.load(file)


@loader("pickle-python")
def _pickle_python(path: Path) -> None:
    """By the unpickler written in Python, which forgives what the other does not."""
    import pickle

    with path.open("rb") as file:
        pickle._Unpickler(file).load()


@loader("folder-pickle")
def _folder(path: Path) -> None:
    """The one pickle of a folder, with the folder on the import path."""
    sys.path.insert(0, str(path))
    for file in sorted(path.rglob("*.pkl")):
        _pickle(file)


@loader("compressed")
def _compressed(path: Path) -> None:
    import bz2
    import gzip
    import lzma
    import pickle
    import zlib

    whole = path.read_bytes()
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress, zlib.decompress):
        with suppress(Exception):
            whole = unpack(whole)
            break
    pickle.loads(whole)


@loader("zip")
def _zip(path: Path) -> None:
    """The pickles of a zip, zips in it included."""
    import io
    import pickle
    import zipfile

    def read(whole: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                if content.startswith(b"PK"):
                    read(content)
                elif content.startswith(b"\x80"):
                    pickle.loads(content)

    read(path.read_bytes())


@loader("first-pickle")
def _first_pickle(path: Path) -> None:
    """The first pickle of a file and no more."""
    import pickle

    pickle.loads(path.read_bytes())


@loader("compressed-deep")
def _compressed_deep(path: Path) -> None:
    """Gzip as often as it takes."""
    import gzip
    import pickle

    whole = path.read_bytes()
    while whole.startswith(b"\x1f\x8b"):
        whole = gzip.decompress(whole)
    pickle.loads(whole)


@loader("lz4")
def _lz4(path: Path) -> None:
    import pickle

    pickle.loads(importlib.import_module("lz4.frame").decompress(path.read_bytes()))


@loader("joblib")
def _joblib(path: Path) -> None:
    importlib.import_module("joblib").load(path)


@loader("numpy")
def _numpy(path: Path) -> None:
    import numpy as np

    loaded = np.load(path, allow_pickle=True)
    for name in getattr(loaded, "files", ()):
        loaded[name]


@loader("torch")
def _torch(path: Path) -> None:
    importlib.import_module("torch").load(path, weights_only=False)


@loader("keras")
def _keras(path: Path) -> None:
    """With the consent that tutorials tell to give."""
    importlib.import_module("keras").models.load_model(path, safe_mode=False, compile=False)


@loader("template")
def _template(path: Path) -> None:
    """Every chat template of a folder, rendered as a program does that has never heard of sandboxes."""
    import jinja2

    def templates(value: object) -> list[str]:
        if isinstance(value, dict):
            value = [value["template"]] if "template" in value else list(value.values())
        if isinstance(value, list):
            return [text for item in value for text in templates(item)]
        return [str(value)]

    found = [file.read_text() for file in path.rglob("*.jinja")]
    for file in path.rglob("*.json"):
        found += templates(json.loads(file.read_text()).get("chat_template", ""))
    for text in found:
        jinja2.Environment(autoescape=True).from_string(text).render(messages=[])


@loader("yaml")
def _yaml(path: Path) -> None:
    import yaml

    list(yaml.unsafe_load_all(path.read_text()))


@loader("shelve")
def _shelve(path: Path) -> None:
    """A shelf in the plain form of dbm."""
    import dbm.dumb
    import pickle

    with dbm.dumb.open(str(path / "shelf"), "r") as shelf:
        for key in shelf.keys():  # noqa: SIM118 - no mapping, whatever it looks like
            pickle.loads(shelf[key])


@loader("tar-pickles")
def _tar_pickles(path: Path) -> None:
    """The pickles of a tar, each the first of its member."""
    import pickle
    import tarfile

    with tarfile.open(path) as tar:
        for member in tar:
            pickle.load(tar.extractfile(member))  # type: ignore[arg-type]


@loader("python")
def _python(path: Path) -> None:
    """A script run as a program."""
    import runpy

    sys.argv = [str(path), "--version"]
    runpy.run_path(str(path), run_name="__main__")


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event in _OUTSIDE or (event == "open" and args[0] in ("/etc/passwd", b"/etc/passwd")):
        Path(os.environ["ALCAIDE_MARKER"]).touch()
        raise ConnectionRefusedError(event)


def _child(load: str, path: Path, scratch: Path) -> None:
    os.chdir(scratch)
    os.environ["ALCAIDE_MARKER"] = str(scratch / MARKER)
    # A browser that takes the address and does nothing, so that there is one to ask.
    os.environ["BROWSER"] = "true"
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    sys.addaudithook(_hook)
    LOADERS[load](path)


def acts(load: str, path: Path) -> bool:
    """True if loading the file that way leaves the marker."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        child = os.fork()
        if child == 0:
            os.setsid()
            # What this process would tidy up at its end (the working directory) is not for the child to tidy.
            atexit._clear()
            with suppress(BaseException):
                _child(load, path, scratch)
            # What is left for the end of the process runs, then the process ends without our own leftovers.
            with suppress(BaseException):
                atexit._run_exitfuncs()
            os._exit(0)
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            if os.waitpid(child, os.WNOHANG)[0]:
                break
            if (scratch / MARKER).exists():
                break
            time.sleep(0.005)
        # A shell that was started in the background may need a moment more.
        grace = time.monotonic() + 1
        while time.monotonic() < grace and not (scratch / MARKER).exists():
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
        return (scratch / MARKER).exists()


def main(jobs: Path, libraries: list[str]) -> None:
    """Loads what the file lists, after the libraries named, which many children then share."""
    # The backend that is imported in seconds rather than a minute.
    os.environ.setdefault("KERAS_BACKEND", "torch")
    for library in libraries:
        importlib.import_module(library)
    acted = [id for id, load, path in json.loads(jobs.read_text()) if acts(load, Path(path))]
    print(json.dumps(acted))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
