"""The figures: what is found, what is flagged wrongly, how long it takes, how much memory it needs."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.bench.report import Figure
from tests.bench.scan.corpora import Corpus, laid_out
from tests.bench.scan.peers import Run, runs, timed

LARGE = 10 << 30
MANY = 100_000


def scan(
    folder: Path, pythons: Mapping[str, Path], say: Callable[[str], None], *, scale: float = 1.0
) -> Iterator[Figure]:
    """Both corpora, ours and the peers', then what is large. `scale` shrinks the latter."""
    attacks, benign = laid_out(folder / "corpora")
    ours = {corpus.name: _ours(corpus, folder) for corpus in (attacks, benign)}
    yield from _quality("Alcaide", attacks, benign, ours, bounds=True)
    whole = sum(run.seconds for run in ours.values())
    size = attacks.bytes + benign.bytes
    yield Figure(
        "both corpora, whole command", whole, "s", note=f"{size / whole / 1e6:.1f} MB/s, {size / 1e6:.1f} MB"
    )
    peak = max(run.peak for run in ours.values()) / 2**20
    yield Figure("  peak memory, all processes", peak, "MB", note="the bound is on what is large, below")
    by_name: dict[str, dict[str, Run]] = {}
    for corpus, run in runs(pythons, (attacks, benign), folder):
        by_name.setdefault(run.scanner, {})[corpus.name] = run
        if len(by_name[run.scanner]) == 2:
            yield from _peer(run.scanner, attacks, benign, by_name[run.scanner], whole)
    yield from large(folder, say, scale=scale)


def _ours(corpus: Corpus, folder: Path) -> Run:
    """`alcaide scan` on a corpus: a case is flagged from medium on."""
    report = folder / f"alcaide-{corpus.name}.json"
    tool = str(Path(sys.executable).with_name("alcaide"))
    command = [tool, "scan", str(corpus.folder), "--format", "json", "--output", str(report)]
    seconds, peak, printed, problem = timed(command, folder=folder)
    if not report.exists():
        raise SystemExit(f"alcaide scan failed: {printed[-500:]}")
    said = json.loads(report.read_text())
    flagged = set()
    for artifact in said["artifacts"]:
        if artifact["outcome"] == "failed" and (case := corpus.case_of(artifact["path"])):
            flagged.add(case)
    return Run("Alcaide", "", seconds, peak, frozenset(flagged), problem)


def _quality(
    name: str, attacks: Corpus, benign: Corpus, by: Mapping[str, Run], *, bounds: bool = False
) -> Iterator[Figure]:
    acting = attacks.cases - attacks.skipped
    found = len(acting & by["attacks"].flagged)
    wrong = sorted(benign.cases & by["benign"].flagged)
    note = f"{found} of {len(acting)} that act"
    yield Figure(
        f"{name}: attacks found", found / len(acting) * 100, "%", 98.5 if bounds else None, note=note
    )
    note = f"{len(wrong)} of {len(benign.cases)}" + (f": {', '.join(wrong[:3])}" if bounds and wrong else "")
    share = len(wrong) / len(benign.cases) * 100
    yield Figure(f"{name}: benign flagged", share, "%", 0 if bounds else None, "most", note)


def _peer(name: str, attacks: Corpus, benign: Corpus, by: Mapping[str, Run], ours: float) -> Iterator[Figure]:
    titled = f"{name} {by['attacks'].version}"
    problems = "; ".join(run.problem for run in by.values() if run.problem)
    yield from _quality(titled, attacks, benign, by)
    whole = sum(run.seconds for run in by.values())
    least = {"modelaudit": 20.0, "picklescan": 2.0}.get(name)
    note = f"{whole:.1f} s against our {ours:.1f} s" + (f"; {problems}" if problems else "")
    yield Figure(f"{titled}: its time, in ours", whole / ours, "times", least, note=note)
    peak = max(run.peak for run in by.values()) / 2**20
    yield Figure(f"{titled}: peak memory", peak, "MB")


# ── What is large ─────────────────────────────────────────────────────────────────────────────────────


def large(folder: Path, say: Callable[[str], None], *, scale: float) -> Iterator[Figure]:
    """A long safetensors file and a long torch archive, sparse on disk; many small files; hashing."""
    size = int(LARGE * scale)
    for name, path in (
        ("safetensors", _safetensors(folder / "long.safetensors", size)),
        ("torch archive", _torch(folder / "long.pt", size)),
    ):
        seconds, peak, _, _ = _command([str(path)], folder)
        what = f"{name} of {size / 2**30:.3g} GiB, structure"
        yield Figure(what, seconds, "s", 1.0, "most", "the whole command, start and all")
        yield Figure("  peak memory, all processes", peak / 2**20, "MB", 150, "most")
    yield from _hashing(folder, size // 5)
    yield from _many(folder, int(MANY * scale), say)


def _command(arguments: list[str], folder: Path) -> tuple[float, float, str, str]:
    tool = str(Path(sys.executable).with_name("alcaide"))
    return timed(
        [tool, "scan", *arguments, "--no-cache", "--format", "json", "--output", os.devnull], folder=folder
    )


def _safetensors(path: Path, size: int) -> Path:
    """One tensor after another up to a size; the bytes are a hole in the file."""
    each = 64 << 20
    entries, at = {}, 0
    while at + each <= size:
        entries[f"model.layers.{len(entries)}.weight"] = {
            "dtype": "F16",
            "shape": [each // 2],
            "data_offsets": [at, at + each],
        }
        at += each
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + at)
    return path


def _torch(path: Path, size: int) -> Path:
    """A torch archive with stored members, whose tensor bytes are a hole in the file."""
    from tests.bench.scan.torch_archive import state_dict

    return state_dict(path, size)


def _hashing(folder: Path, size: int) -> Iterator[Figure]:
    """Digests of files as fast as the machine hashes at all, with as many threads as it has processors."""
    count = 8
    files = folder / "hashed"
    files.mkdir()
    block = os.urandom(1 << 20)
    for number in range(count):
        _safetensors(files / f"{number}.safetensors", max(64 << 20, size // count))
        with (files / f"{number}.safetensors").open("r+b") as file:
            start = 4096
            file.seek(start)
            for _ in range(max(1, size // count // len(block)) - 1):
                file.write(block)
    whole = sum(path.stat().st_size for path in files.iterdir())
    for path in files.iterdir():  # both read from memory, so that hashing is what is compared
        path.read_bytes()
    raw = whole / _raw_hashing(files)
    seconds, _, _, _ = _command([str(files), "--digests"], folder)
    rate = whole / seconds
    note = f"{rate / 1e6:,.0f} MB/s with start and structure; {raw / 1e6:,.0f} MB/s raw"
    yield Figure("digests of a folder", rate / raw * 100, "% of raw parallel SHA-256", 80, note=note)


def _raw_hashing(files: Path) -> float:
    """Seconds for the same files with nothing but SHA-256, in threads."""
    waiting = list(files.iterdir())

    def work() -> None:
        while waiting:
            try:
                path = waiting.pop()
            except IndexError:
                return
            with path.open("rb", buffering=0) as file:
                hashlib.file_digest(file, "sha256")

    begun = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(os.cpu_count() or 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def _many(folder: Path, count: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """Many small files of several kinds."""
    import pickle

    say(f"  writing {count:,} small files")
    many = folder / "many"
    kinds = (
        ("pkl", pickle.dumps({"weights": [0.5] * 20, "name": "x"}, protocol=4)),
        ("json", json.dumps({"model_type": "bert", "hidden_size": 128, "layers": list(range(30))}).encode()),
        ("txt", b"a few words about this model, and a few more.\n" * 10),
        ("py", b"import math\n\n\ndef area(radius):\n    return math.pi * radius**2\n"),
    )
    for number in range(count):
        if number % 1_000 == 0:
            (many / f"{number // 1_000}").mkdir(parents=True)
        suffix, data = kinds[number % len(kinds)]
        (many / f"{number // 1_000}" / f"{number}.{suffix}").write_bytes(data)
    seconds, peak, _, _ = _command([str(many)], folder)
    yield Figure(
        f"{count:,} small files", count / seconds, "files/s", 500, note="pickles, JSON, text and Python"
    )
    yield Figure("  peak memory, all processes", peak / 2**20, "MB", note="the report of all files in memory")
