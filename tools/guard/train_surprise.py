"""Count which three characters follow each other in ordinary text: the table behind "this looks like noise".

    python tools/guard/train_surprise.py --data ../shared/data

Only harmless rows of the injection data and of our own texts are counted, so nothing of an attack is
learned, and of those none that are written in a code. The table is a function of those files
alone: there is no seed. It is written to the guard's package data.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detectors.injection.surprise import CLASSES, UNIT, classes

HERE = Path(__file__).parent
TARGET = HERE.parent.parent / "src/alcaide/instruments/guard/detectors/injection/surprise.npy"
LONGEST = 4000
"""Characters counted of one row, so that a few long documents do not speak for everybody."""


def harmless(data: Path) -> Iterator[str]:
    """Every harmless text, in a fixed order."""
    for path in sorted((data / "injection").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from _texts(lines)
    for path in sorted((HERE / "texts").glob("injection_*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from _texts(lines)


def _texts(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        row = json.loads(line)
        if row["label"] == 0 and row["category"] != "benign_encoded":
            yield row["text"][:LONGEST]


def counted(texts: Iterator[str]) -> npt.NDArray[np.float64]:
    """How often each three classes follow each other."""
    counts = np.zeros(CLASSES**3)
    for text in texts:
        row = classes(np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)).astype(np.int64)
        if len(row) >= 3:
            triples = (row[:-2] * CLASSES + row[1:-1]) * CLASSES + row[2:]
            counts += np.bincount(triples, minlength=CLASSES**3)
    return counts.reshape(CLASSES, CLASSES, CLASSES)


def table(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """Surprise in 1/UNIT bits, smoothed by interpolation with pairs and single classes (Jelinek and Mercer 1980)."""
    single = counts.sum(axis=(0, 1)) + 1
    pair = counts.sum(axis=0) + 1e-9
    one = single / single.sum()
    two = pair / pair.sum(axis=1, keepdims=True)
    seen = counts.sum(axis=2, keepdims=True)
    three = counts / np.maximum(seen, 1)
    trust = seen / (seen + 50)
    probability = trust * 0.95 * three + (1 - trust * 0.95) * (0.9 * two[None] + 0.1 * one[None, None])
    bits: npt.NDArray[np.int8] = np.clip(np.rint(-np.log2(probability) * UNIT), 0, 127).astype(np.int8)
    return bits


def main() -> None:
    """Count, and write the table."""
    arguments = argparse.ArgumentParser(description="train the surprise table")
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    counts = counted(harmless(arguments.parse_args().data))
    np.save(TARGET, table(counts), allow_pickle=False)
    print(f"{TARGET.name}: {int(counts.sum())} places counted, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
