"""One target under atheris: `python -m tests.fuzz.drive TARGET [libFuzzer's options and folders]`.

If the last of these is a folder, it holds whole documents, from which changes begin where nothing else is left whole.

A process of its own for each target, as libFuzzer ends the process when it is done or has found something.
"""

from __future__ import annotations

import contextlib
import random
import sys
from pathlib import Path

import atheris

# Instrumented as they are imported, so this comes before anything of Alcaide; `yaml` because its reader is Python.
_INSTRUMENTED = ["alcaide", "yaml", "zipfile", "csv"]
with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
    from tests.fuzz.artifact_mutators import mutate_artifact
    from tests.fuzz.mutators import MUTATORS
    from tests.fuzz.targets import KEPT, TARGETS, seeds_of

STRUCTURED = 0.7  # of all changes, where the document has a structure; the rest are libFuzzer's own


def _seeds(folder: str) -> list[Path]:
    return sorted(Path(folder).iterdir()) if Path(folder).is_dir() else []


def main() -> None:
    target = TARGETS[sys.argv[1]]
    mutator = {**MUTATORS, "artifact": mutate_artifact}.get(target.shape)
    whole = [path.read_bytes() for path in [*seeds_of(target), *(KEPT / target.name).glob("seed-*")]]
    whole += [path.read_bytes() for path in _seeds(sys.argv[-1])]

    def part_of(data: bytes) -> bytes:
        return bytes(atheris.Mutate(data, len(data) + 64))

    def change(data: bytes, size: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if mutator is not None and dice.random() < STRUCTURED:
            changed = mutator(data, dice, part_of)
            if (
                changed is None
            ):  # what libFuzzer keeps is mostly broken; from that no way leads back to a document
                changed = mutator(dice.choice(whole), dice, part_of)
            if changed is not None and len(changed) <= size:
                return changed
        return bytes(atheris.Mutate(data, size))

    def read(data: bytes) -> None:
        target(data)

    # What the first calls load is instrumented too, and is not counted as their time; faults come up again.
    with atheris.instrument_imports(include=_INSTRUMENTED, enable_loader_override=False):
        for data in whole:
            with contextlib.suppress(Exception):
                target(data)
    options = {"custom_mutator": change} if mutator is not None else {}
    atheris.Setup([sys.argv[0], *sys.argv[2:]], read, **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
