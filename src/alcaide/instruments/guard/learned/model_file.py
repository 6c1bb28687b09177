"""Weights in one file: arrays, and a header that says what they are and what they were made from.

The file is an `.npz` (a zip of `.npy`), read with pickling off, so that opening one can run nothing. Its member
`header` holds JSON: the model's name and version, the digest of its recipe, the digests of the data, the thresholds
chosen on held-out predictions and the calibration. A file is written byte for byte the same from the same arrays.

A model is read once per process and shared by all threads; its arrays are read-only.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.learned import ngrams
from alcaide.kernel.errors import InvalidInput

FORMAT: Final = "alcaide-guard-model/1"
LARGEST: Final = 64 << 20
"""Bytes a model's arrays may take when unpacked. Shipped ones take a few; more would be a mistake or an attack."""

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A model's header and arrays.

    `header` has at least `name`, `version`, `recipe` and `data` (digests), `thresholds` and `calibration`.
    """

    header: Mapping[str, Any]
    arrays: Mapping[str, Array]

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.header["name"])

    @property
    def version(self) -> str:
        """The model's version."""
        return str(self.header["version"])

    def threshold(self, name: str) -> float:
        """The score from which on something counts, chosen on held-out predictions."""
        return float(self.header["thresholds"][name])


_REQUIRED: Final = ("name", "version", "recipe", "data", "thresholds", "calibration")


def written(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """A model as the bytes of its file. `format` and the hashing's version are added to the header."""
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise InvalidInput(f"the model's header lacks `{missing[0]}`; give it before the model is written")
    full = {**header, "format": FORMAT, "ngrams": ngrams.VERSION}
    text = json.dumps(full, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()
    buffer = io.BytesIO()
    members = {name: arrays[name] for name in sorted(arrays)}
    np.savez_compressed(buffer, header=np.frombuffer(text, dtype=np.uint8), **members)  # type: ignore[arg-type]
    return buffer.getvalue()


def read(content: bytes, *, name: str) -> Model:
    """The model in a file's bytes. `name` is what errors call it.

    Raises InvalidInput for anything but a model of this format made for this hashing.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            size = sum(member.file_size for member in stored.zip.infolist())
            if size > LARGEST:
                raise InvalidInput(
                    f"model `{name}` unpacks to {size} bytes, more than the {LARGEST} allowed; train a smaller one"
                )
            arrays = {key: stored[key] for key in stored.files}
            header = json.loads(arrays.pop("header").tobytes())
    except InvalidInput:
        raise
    except (
        Exception
    ) as error:  # a zip, an .npy or JSON can be broken in as many ways as their parsers have errors
        raise InvalidInput(f"model `{name}` cannot be read: {error}; install or train it again") from error
    missing = [key for key in _REQUIRED if key not in header] if isinstance(header, dict) else ["header"]
    if missing:
        raise InvalidInput(f"model `{name}` has no `{missing[0]}` in its header; install or train it again")
    if header.get("format") != FORMAT or header.get("ngrams") != ngrams.VERSION:
        raise InvalidInput(
            f"model `{name}` was made for format `{header.get('format')}` and hashing {header.get('ngrams')}, this "
            f"release reads `{FORMAT}` and hashing {ngrams.VERSION}; train it again with `make train-guard`"
        )
    for array in arrays.values():
        array.setflags(write=False)
    return Model(header, arrays)


_reading = Lock()


@lru_cache(maxsize=32)
def _packaged(package: str, name: str) -> Model:
    return read((files(package) / name).read_bytes(), name=name)


def packaged(package: str, name: str) -> Model:
    """The model shipped as `name` in `package`, read on first use."""
    with _reading:
        return _packaged(package, name)


def digest(path: Path) -> str:
    """sha256 of a file, for the header's `data`."""
    return sha256(path.read_bytes()).hexdigest()
