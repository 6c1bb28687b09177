"""Ways to write an object that several libraries share."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any


def pickled(value: object, protocol: int = pickle.DEFAULT_PROTOCOL) -> Callable[[Path], object]:
    """A maker that pickles `value`, which exists already."""
    return lambda path: path.write_bytes(pickle.dumps(value, protocol))


def pickled_later(
    build: Callable[[], Any], protocol: int = pickle.DEFAULT_PROTOCOL
) -> Callable[[Path], object]:
    """A maker that builds its object only when it is asked to write it."""
    return lambda path: path.write_bytes(pickle.dumps(build(), protocol))
