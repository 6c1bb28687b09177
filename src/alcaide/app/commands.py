"""The commands about the machine as a whole. Each loads what it needs when it runs, and nothing before."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

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
    return supervise(config, lambda line: print(line, flush=True))  # noqa: T201 - this is what a person came to read


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
    sys.stdout.write(json.dumps({"first_run_link": link}) + "\n")
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
    sys.stdout.write(text + "\n")
    return 0


def version() -> int:
    """Print the version."""
    from alcaide import __version__

    sys.stdout.write(f"alcaide {__version__}\n")
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
