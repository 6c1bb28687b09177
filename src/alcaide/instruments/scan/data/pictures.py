"""Images that look alike: a difference hash of the small grey copy, compared in bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS_APART = 6
"""Of 128: re-encoding and scaling move a few; different pictures differ in about 64."""


def fingerprints(colours: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """128 bits an image: whether brightness rises from one cell to the next, across and down."""
    count = len(colours)
    grey = colours.astype(np.float32).mean(axis=3)
    cells = grey.reshape(count, 8, 4, 8, 4).mean(axis=(2, 4))
    across = cells > np.roll(cells, 1, axis=2)
    down = cells > np.roll(cells, 1, axis=1)
    found: NDArray[np.bool_] = np.concatenate([across.reshape(count, -1), down.reshape(count, -1)], axis=1)
    return found


def alike(colours: NDArray[np.uint8], seen: NDArray[np.bool_]) -> list[list[int]]:
    """Groups of images that look alike, each sorted; the largest first.

    Two alike images share at least one of eight bands of 16 bits unless all eight differ, which takes more bits than
    are allowed to. Images that are nearly even (blank pages) have no fingerprint and are left to the exact copies.
    """
    bits = fingerprints(colours)
    even = colours.reshape(len(colours), -1).std(axis=1) < 4
    usable = np.flatnonzero(seen & ~even)
    parent = {int(one): int(one) for one in usable}

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    packed = np.packbits(bits, axis=1).view(np.uint16)
    for band in range(packed.shape[1]):
        order = usable[np.argsort(packed[usable, band], kind="stable")]
        values = packed[order, band]
        starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        for start, end in zip(starts, np.append(starts[1:], len(order)), strict=True):
            bucket = order[start:end]
            if len(bucket) < 2:
                continue
            for place, one in enumerate(bucket[:2_000]):
                others = bucket[place + 1 : place + 2_001]
                close = others[(bits[others] != bits[one]).sum(axis=1) <= _BITS_APART]
                for other in close:
                    a, b = root(int(one)), root(int(other))
                    if a != b and _same(colours[int(one)], colours[int(other)]):
                        parent[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for one in parent:
        groups.setdefault(root(one), []).append(one)
    return sorted(
        (sorted(group) for group in groups.values() if len(group) > 1),
        key=lambda group: (-len(group), group[0]),
    )


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether the small copies differ by little: fingerprints of drawings and digits agree too easily."""
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean()) <= 6.0
