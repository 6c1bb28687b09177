"""One running Alcaide: settings, database, ledger, keys, rules, and what the slices offer each other.

Opened once per process and handed to services by the three skins. Opening migrates the database, makes
the log on first run and checks the head's signature: an instance that opens has a log to be believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from importlib import import_module, resources
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from alcaide.kernel.access.actor import Actor, system_actor
from alcaide.kernel.access.authorizer import Authorizer
from alcaide.kernel.clock import utcnow
from alcaide.kernel.config import Config, load_config
from alcaide.kernel.db import Database, metadata, open_database
from alcaide.kernel.db.migrate import upgrade
from alcaide.kernel.errors import ConfigError
from alcaide.kernel.ids import new_id
from alcaide.kernel.ledger.keys import KeyStore
from alcaide.kernel.ledger.log import Ledger, Tx
from alcaide.kernel.policy.view import EvidenceView
from alcaide.kernel.slice import Manifest, Panel, load
from alcaide.kernel.unfinished_restore import check_finished

T = TypeVar("T")


class Instance:
    """The parts of a running Alcaide. Safe to share between threads; one per process."""

    def __init__(
        self,
        config: Config,
        database: Database,
        ledger: Ledger,
        manifests: Sequence[Manifest],
        plugins: Sequence[Any] = (),
        clock: Callable[[], datetime] = utcnow,
    ) -> None:
        self.config = config
        self.db = database
        self.ledger = ledger
        self.keys = ledger.keys
        self.manifests = tuple(manifests)
        self.plugins = tuple(plugins)
        self.clock = clock

    def read(self) -> Any:
        """A connection on one consistent snapshot, as a context manager."""
        return self.db.read()

    def write(self, work: Callable[[Tx], T]) -> T:
        """Run a unit of work; see `Ledger.write`."""
        return self.ledger.write(work)

    def view(
        self, conn: Connection, keys: Collection[str], predicate_types: Collection[str] | None = None
    ) -> EvidenceView:
        return self.ledger.view(conn, keys, predicate_types)

    @cached_property
    def authorizer(self) -> Authorizer:
        """The access rules of every slice, loaded when first asked."""
        return load_authorizer(self.manifests)

    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """Every slice's panels, in order."""
        found = [panel for m in self.manifests if m.panels for panel in load(m.panels)]
        return tuple(sorted(found, key=lambda p: (p.place, p.order, p.title)))

    def plugins_like(self, protocol: type[T]) -> tuple[T, ...]:
        """The plug-ins that fit a runtime-checkable protocol, in the order of the list."""
        return tuple(plugin for plugin in self.plugins if isinstance(plugin, protocol))

    def capability(self, name: str) -> Callable[..., Any]:
        """The one function that answers a neutral question. Raises ConfigError if no slice offers it."""
        for manifest in self.manifests:
            if path := manifest.capabilities.get(name):
                found: Callable[..., Any] = load(path)
                return found
        raise ConfigError(f"no part of this installation offers `{name}`")

    def close(self) -> None:
        self.ledger.close()
        self.db.close()


def load_authorizer(manifests: Sequence[Manifest]) -> Authorizer:
    """Every `policies/*.cedar` of the slices, checked against the actions their manifests declare."""
    texts: list[tuple[str, str]] = []
    for manifest in manifests:
        folder = resources.files(manifest.package) / "policies"
        if folder.is_dir():
            texts += [
                (f"{manifest.name}/{file.name}", file.read_text(encoding="utf-8"))
                for file in sorted(folder.iterdir(), key=lambda f: f.name)
                if file.name.endswith(".cedar")
            ]
    return Authorizer(texts, {action.name: action.title for m in manifests for action in m.actions})


def import_tables(manifests: Sequence[Manifest]) -> None:
    """Have every table declared on the one MetaData."""
    import alcaide.kernel.jobs.tables
    import alcaide.kernel.ledger.tables  # noqa: F401

    for manifest in manifests:
        if manifest.tables:
            import_module(manifest.tables)


def open_instance(
    config: Config,
    *,
    manifests: Sequence[Manifest],
    plugins: Sequence[Any] = (),
    clock: Callable[[], datetime] = utcnow,
    migrate: bool = True,
) -> Instance:
    """Open the data folder, making it on first run. Raises ConfigError, Corrupt, Unavailable.

    A database that a restore was cut off in is refused before anything is done with it.

    `migrate=False` creates tables straight from the declarations: for tests that open many instances.
    """
    prepare_folder(config.data)
    import_tables(manifests)
    database = open_database(config.database)
    try:
        check_finished(database, lambda keyid: KeyStore(config.keys_dir, None).public_key(keyid) is not None)
        if migrate:
            upgrade(database)
        else:
            with database.transaction() as conn:
                metadata.create_all(conn)
        keys = KeyStore(config.keys_dir, config.secret())
        ledger = Ledger(database, keys, _origin(config), clock)
        ledger.initialise()
        instance = Instance(config, database, ledger, manifests, plugins, clock)
        for manifest in manifests:
            if manifest.start:
                load(manifest.start)(instance)
    except BaseException:
        database.close()
        raise
    return instance


def prepare_folder(data: Path) -> None:
    """Make the data folder, readable by its owner only."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(
            f"data folder `{data}` cannot be made: {problem.strerror}; give another with --data"
        ) from None
    if not os.access(data, os.W_OK):
        raise ConfigError(f"data folder `{data}` is not writable; give another with --data")


def _origin(config: Config) -> str:
    """The log's name: the setting, else one made once and kept beside the keys.

    A name need not resolve to anything (C2SP asks that it be unique); two instances must not share one.
    """
    path = config.keys_dir / "origin"
    if path.is_file():
        kept = path.read_text(encoding="utf-8").strip()
        if config.origin and config.origin != kept:
            raise ConfigError(
                f"the log is named `{kept}`, so setting `origin` cannot be `{config.origin}`; remove it"
            )
        return kept
    origin = config.origin or f"alcaide.local/{new_id()}"
    if any(c.isspace() for c in origin) or "+" in origin or len(origin) > 200:
        raise ConfigError(
            f"setting `origin` is `{origin}`; use a name without spaces or `+`, as `log.example.org/ai`"
        )
    config.keys_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(origin + "\n", encoding="utf-8")
    try:
        os.link(temporary, path)  # the first of two processes wins
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    finally:
        temporary.unlink()
    return origin


@contextmanager
def open_for_cli(data: Path | str | None = None) -> Iterator[Instance]:
    """The instance a command works on: the local data folder, with every slice. Closed afterwards.

    Raises ConfigError if there is no such folder: a command other than `up` does not make one by mistake.
    """
    config = load_config(data)
    if not config.data.is_dir():
        raise ConfigError(f"there is no data folder `{config.data}`; run `alcaide up` first, or give --data")
    instance = open_instance(config, manifests=installed_manifests(), plugins=installed_plugins())
    try:
        yield instance
    finally:
        instance.close()


def installed_manifests() -> tuple[Manifest, ...]:
    """Every slice's manifest, from the composition root's list; found at run time, never imported here."""
    found: tuple[Manifest, ...] = import_module("alcaide.app.slices").manifests()
    return found


def installed_plugins() -> tuple[Any, ...]:
    """Every plug-in of the composition root's list, found in the same way."""
    found: tuple[Any, ...] = import_module("alcaide.app.plugins").plugins()
    return found


def cli_actor() -> Actor:
    """Whoever types a command here holds the keys anyway; evidence names their account on this machine."""
    import getpass

    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    return system_actor(f"cli:{account}", account)
