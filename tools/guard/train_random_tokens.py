"""How written words and names run on, letter by letter: the table that tells a random token from an identifier.

    python tools/guard/train_random_tokens.py --data ../shared/data

Counts which letter or digit follows which inside words of harmless development texts (label 0, every task but
`secrets`) and inside the names of Python's own standard library, and writes, for each pair, how much likelier it is
in a random token than in a word (natural logarithm, in 1/16, one byte a pair). Deterministic: no sampling, no seed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import sysconfig
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
TABLE = HERE.parents[1] / "src/alcaide/instruments/guard/detectors/secrets/random_tokens.npz"
SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
RUN = re.compile(r"[A-Za-z0-9]{3,}")
PRIOR = 2.0
SCALE = 16.0


def words(data: Path) -> tuple[list[str], str]:
    """Harmless words in a fixed order, and a digest of the files that they come from."""
    digest = hashlib.sha256()
    found: list[str] = []
    for path in sorted(data.glob("*/*.jsonl.gz")):
        if path.parent.name == "secrets":
            continue
        octets = path.read_bytes()
        digest.update(octets)
        for line in gzip.decompress(octets).decode("utf-8").rstrip("\n").split("\n"):
            row = json.loads(line)
            if row.get("label") == 0:
                found.extend(RUN.findall(row["text"]))
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("*.py")):
        found.extend(RUN.findall(path.read_text(encoding="utf-8", errors="replace")))
    return found, digest.hexdigest()


def table(found: list[str]) -> np.ndarray:
    """Log-likelihood ratio random : word of each symbol given the one before (row 0: the first of a run)."""
    counts = np.full((len(SYMBOLS) + 1, len(SYMBOLS) + 1), PRIOR)
    position = {symbol: index + 1 for index, symbol in enumerate(SYMBOLS)}
    for word in found:
        before = 0
        for symbol in word.lower():
            after = position[symbol]
            counts[before, after] += 1
            before = after
    counts[:, 0] = 0
    likelihood = np.log(counts[:, 1:] / counts[:, 1:].sum(axis=1, keepdims=True))
    ratio = np.zeros_like(counts)
    ratio[:, 1:] = np.log(1 / len(SYMBOLS)) - likelihood
    return np.clip(np.rint(ratio * SCALE), -127, 127).astype(np.int8)


def main() -> None:
    """Train and write."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    found, digest = words(arguments.parse_args().data)
    np.savez_compressed(TABLE, ratio=table(found), scale=np.float32(SCALE), data_digest=np.array(digest))
    print(f"{len(found)} words, data {digest[:16]}…, written to {TABLE.name}")


if __name__ == "__main__":
    main()
