"""The commands about the machine as a whole. Each loads what it needs when it runs, and nothing before."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from alcaide.kernel.clock import utcnow
from alcaide.kernel.config import CONFIG_FILE, Config, load_config
from alcaide.kernel.errors import ConfigError

Data = Annotated[Path | None, Parameter(help="The data folder; else ALCAIDE_DATA, else ./alcaide-data.")]


def up(*, data: Data = None, host: str | None = None, port: int | None = None) -> int:
    """Start Alcaide on this machine: pages, API and background work.

    Makes the data folder on first run, brings its database to the newest form, starts what one machine needs and
    keeps it running until Ctrl-C. Prints the address, and on first run the link that makes the first account.

    Args:
        host: The address to listen on; loopback unless a proxy stands in front.
        port: The port to listen on; 0 takes a free one.
    """
    from alcaide.app.logs import configure_logging
    from alcaide.app.up import up as supervise

    config = _with(load_config(data), host=host, port=port)
    configure_logging("up", config.data)
    return supervise(config, _say)


def web(*, data: Data = None, host: str | None = None, port: int | None = None) -> int:
    """Serve pages and API alone, without background jobs.

    For an installation whose web and worker run apart, each kept running by a service manager.

    Args:
        host: The address to listen on.
        port: The port to listen on.
    """
    from alcaide.app.logs import configure_logging
    from alcaide.app.serve import serve
    from alcaide.app.up import watch_lifeline

    config = _with(load_config(data), host=host, port=port)
    configure_logging("web", config.data)
    watch_lifeline()
    return serve(config)


def worker(*, data: Data = None, threads: int | None = None) -> int:
    """Run background jobs alone, without pages.

    Over PostgreSQL any number of workers share the work; over SQLite one is enough, and `alcaide up` runs it.

    Args:
        threads: How many jobs run at once.
    """
    from alcaide import __version__
    from alcaide.app.instance import open_all
    from alcaide.app.logs import configure_logging
    from alcaide.app.up import watch_lifeline
    from alcaide.kernel.jobs.worker import Worker
    from alcaide.kernel.slice import load

    config = load_config(data)
    configure_logging("worker", config.data)
    instance = open_all(config)
    try:
        kinds = [kind for manifest in instance.manifests if manifest.jobs for kind in load(manifest.jobs)]
        running = Worker(instance, kinds, threads=threads or config.worker_threads, version=__version__)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: running.stop())
        watch_lifeline()
        return running.run()
    finally:
        instance.close()


def prepare(*, address: str, data: Data = None) -> int:
    """Make a data folder ready to serve and print the first-run link as JSON.

    Args:
        address: Where people will reach this instance.
    """
    from alcaide.app.instance import open_all
    from alcaide.app.logs import configure_logging
    from alcaide.slices.access.service.links import first_run_link

    config = load_config(data)
    configure_logging("prepare", config.data)
    instance = open_all(config)
    try:
        link = first_run_link(instance, address)
    finally:
        instance.close()
    _say(json.dumps({"first_run_link": link}))
    return 0


def backup(output: Path | None = None, *, data: Data = None, without_secret: bool = False) -> int:
    """Write one file that everything can be restored from, while Alcaide runs.

    The database, signing keys (sealed as they lie on the disk), policies and settings go in; logs do not. Keep the
    file as you keep keys: with the secret inside, it can sign.

    Args:
        output: The file to write, which must not exist; else one named by the time, in the data folder's `backups`.
        without_secret: Leave out the file that seals the keys. What is restored can then prove its past, but not
            sign until its key is rotated.
    """
    from alcaide.app.instance import open_all
    from alcaide.kernel.backup import create_backup

    config = _existing(load_config(data))
    path = output or config.data / "backups" / f"alcaide-{utcnow():%Y%m%dT%H%M%SZ}.zip"
    if output is None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
    instance = open_all(config)
    try:
        with _progress() as progress:
            report = create_backup(instance, path, with_secret=not without_secret, progress=progress)
    finally:
        instance.close()
    sealed = "with the secret that opens its keys" if report.holds_secret else "its keys need your passphrase"
    _say(f"{report.path}: {report.log_size:,} statements, {report.size / 1e6:,.1f} MB, {sealed}")
    return 0


def restore(file: Path, *, data: Data = None, database_url: str | None = None) -> int:
    """Bring a backup back into an empty data folder, and verify the whole log before it counts.

    A backup made by an older version is migrated. It may move between SQLite and PostgreSQL on the way.

    Args:
        file: The backup.
        database_url: Where to put the database, which must be empty; `sqlite` for a file in the data folder. Else
            where the backup's settings say.
    """
    from alcaide.app.slices import manifests
    from alcaide.kernel.backup import restore_backup

    folder = load_config(data).data
    with _progress() as progress:
        report = restore_backup(
            file, folder, manifests=manifests(), database_url=database_url, progress=progress
        )
    _say(
        f"{report.data}: {report.log_size:,} statements as of {report.made_at:%Y-%m-%d %H:%M} UTC, all verified"
    )
    if report.revision_before != report.revision_now:
        _say(f"the database was migrated from {report.revision_before} to {report.revision_now}")
    if report.cannot_sign is not None:
        _say(f"it cannot sign yet: {report.cannot_sign}")
    return 0


def settings(*, data: Data = None, format: Literal["table", "json"] = "table") -> int:
    """Show every setting, its value and where it came from. Secrets are named, not shown.

    Args:
        format: How to print them.
    """
    from alcaide.app.settings import describe, table

    config = load_config(data)
    rows = describe(config, os.environ)
    if format == "json":
        text = json.dumps([dataclasses.asdict(row) for row in rows], indent=2, ensure_ascii=False)
    else:
        text = f"file: {config.data / CONFIG_FILE}\n\n{table(rows)}"
    _say(text)
    return 0


def version() -> int:
    """Print the version."""
    from alcaide import __version__

    _say(f"alcaide {__version__}")
    return 0


def _with(config: Config, *, host: str | None, port: int | None) -> Config:
    if port is not None and not 0 <= port <= 65_535:
        raise ConfigError(f"port `{port}` does not exist; choose one from 1 to 65535")
    changes: dict[str, str | int] = {}
    if host is not None:
        changes["host"] = host
    if port is not None:
        changes["port"] = port
    return dataclasses.replace(config, **changes)  # type: ignore[arg-type]


def _existing(config: Config) -> Config:
    if not config.data.is_dir():
        raise ConfigError(f"there is no data folder `{config.data}`; run `alcaide up` first, or give --data")
    return config


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """One line on the terminal that is written over, at most ten times a second; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _fraction, _note: None
        return
    last = 0.0

    def show(fraction: float, note: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 0.1 or fraction >= 1:
            last = now
            sys.stderr.write(f"\r\x1b[K{fraction:4.0%}  {note[:70]}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write("\r\x1b[K")
