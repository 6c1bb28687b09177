"""`make fuzz`, or `python -m tests.fuzz [TARGET…] [--seconds 20] [--keep]`: each target for a bounded time."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import KEPT, ROOT, TARGETS, Target, seeds_of

CACHE = Path(__file__).parent / ".cache"
LONGEST_S = 30  # for one input, on a machine that is busy with other things too
MOST_MIB = 2_048
MOST_KEPT = 60  # files for a target, smallest first
MOST_BYTES = 64 * 2**10  # of the files kept for a target


def main() -> int:
    """Fuzz, say what came of it, and where what was found lies. Exit code 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(TARGETS)}; all by default")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    parser.add_argument(
        "--keep", action="store_true", help="keep one input of each new outcome in tests/corpus/fuzz"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in TARGETS]
    if unknown:
        parser.error(f"there is no target `{unknown[0]}`; choose from {', '.join(TARGETS)}")
    if importlib.util.find_spec("atheris") is None:
        print(
            "atheris is not installed; it has wheels for Linux and Python 3.11 to 3.13: pip install atheris"
        )
        return 2
    found: list[Path] = []
    for name in options.names or TARGETS:
        found += fuzz(TARGETS[name], options.seconds)
        if options.keep:
            keep(TARGETS[name])
    for path in found:
        print(f"found: {path}\n  see it again: python -m tests.fuzz.drive {path.parent.name} {path}")
    if found:
        print(
            "Once mended, keep each as tests/corpus/fuzz/TARGET/found-WHAT, so that it is tried in every test run."
        )
    return 1 if found else 0


def fuzz(target: Target, seconds: int) -> list[Path]:
    """Run one target; the inputs that broke it."""
    reached, broke = CACHE / "reached" / target.name, CACHE / "found" / target.name
    for folder in (reached, broke, KEPT / target.name):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(broke.iterdir())
    with tempfile.TemporaryDirectory() as seeds:
        for number, path in enumerate(seeds_of(target)):
            shutil.copyfile(path, Path(seeds) / f"{number}")
        for number, data in enumerate(target.made(target.max_len)):
            (Path(seeds) / f"made-{number}").write_bytes(data)
        run = drive(
            target,
            f"-max_total_time={seconds}",
            f"-max_len={target.max_len}",
            "-len_control=0",
            f"-timeout={LONGEST_S}",
            f"-rss_limit_mb={MOST_MIB}",
            f"-artifact_prefix={broke}/",
            "-print_final_stats=1",
            str(reached),
            str(KEPT / target.name),
            seeds,
        )
    tried = re.search(r"stat::number_of_executed_units:\s*(\d+)", run.stderr)
    covered = re.findall(r"cov: (\d+)", run.stderr)
    broken = sorted(set(broke.iterdir()) - before)
    how_many = f"{int(tried[1]):,}" if tried else "?"
    print(
        f"{target.name:<16} {how_many:>10} inputs, {covered[-1] if covered else '?':>5} places reached, "
        f"{'found ' + str(len(broken)) if broken else 'nothing found'}",
        flush=True,
    )
    if run.returncode and not broken:
        raise SystemExit(f"{target.name} did not run:\n{run.stdout[-2_000:]}\n{run.stderr[-4_000:]}")
    if broken:
        print(_what(run.stdout + run.stderr), flush=True)
    return broken


def keep(target: Target) -> None:
    """Keep, of all that was reached, the smallest input of each outcome: what was read, and each way of refusing."""
    smallest: dict[str, Path] = {}
    for path in (CACHE / "reached" / target.name).iterdir():
        outcome = _outcome(target, path.read_bytes())
        known = smallest.get(outcome)
        if known is None or path.stat().st_size < known.stat().st_size:
            smallest[outcome] = path
    already = {_outcome(target, path.read_bytes()) for path in (KEPT / target.name).iterdir()}
    size = 0
    for path in sorted(
        (p for said, p in smallest.items() if said not in already), key=lambda p: p.stat().st_size
    )[:MOST_KEPT]:
        size += path.stat().st_size
        if size > MOST_BYTES:
            break
        shutil.copyfile(path, KEPT / target.name / path.name[:16])


def _outcome(target: Target, data: bytes) -> str:
    """`read`, or the refusal without what it quotes."""
    try:
        target.read(data)
    except target.raises as refused:
        return re.sub(r"`[^`]*`|\d+|'[^']*'", "…", str(refused))[:80]
    except Exception as fault:  # noqa: BLE001 - told by `fuzz`; here it is one more outcome
        return type(fault).__name__
    return "read"


def drive(target: Target, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.fuzz.drive", target.name, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _what(said: str) -> str:
    """The traceback of what was found, out of all that libFuzzer prints."""
    lines = said.splitlines()
    start = next((i for i, line in enumerate(lines) if "Uncaught Python exception" in line), None)
    picked = (
        lines[start : start + 40]
        if start is not None
        else [x for x in lines if "ERROR" in x or "SUMMARY" in x]
    )
    return "\n".join(f"    {line}" for line in picked)


if __name__ == "__main__":
    sys.exit(main())
