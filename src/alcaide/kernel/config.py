"""Settings: one YAML file in the data folder, each overridable by one environment variable.

Every setting says what it is for; `alcaide settings` and `docs/reference/settings.md` are made from here.
A section (`oidc:`, `intake:`, …) belongs to the slice of that name, which reads and checks it itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from alcaide.kernel.errors import ConfigError

CONFIG_FILE = "config.yaml"
MAX_CONFIG_BYTES = 1_000_000
DEFAULT_DATA = "alcaide-data"
SECTIONS = ("oidc", "sign_in", "intake", "evidence", "operations", "inventory", "lifecycle", "supply_chain")


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that differs between two installations. Immutable once loaded."""

    data: Path = field(
        metadata={"doc": "The one folder that holds everything: database, keys, logs, policies."}
    )
    database_url: str = _setting("", "Where state and ledger live; empty means SQLite in the data folder.")
    host: str = _setting("127.0.0.1", "The address to listen on; loopback unless a proxy stands in front.")
    port: int = _setting(8808, "The port to listen on.")
    public_url: str = _setting(
        "", "The address people use, as https://alcaide.example.org; empty means host and port."
    )
    allowed_hosts: str = _setting("", "More host names to answer to, separated by commas.")
    origin: str = _setting(
        "", "The log's name in its checkpoints; fixed once the log exists. Empty means made on first run."
    )
    organisation: str = _setting("", "What this organisation is called on pages and reports.")
    public_log: bool = _setting(False, "Whether tiles and entries of the log are served without sign-in.")
    passphrase: str = field(
        default="", repr=False, metadata={"doc": "Opens the signing keys; better given by file."}
    )
    passphrase_file: str = _setting(
        "", "A file whose first line is the passphrase that opens the signing keys."
    )
    worker_threads: int = _setting(2, "How many background jobs run at once.")
    max_upload_mib: int = _setting(64, "The largest request body taken, in MiB.")
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, metadata={"doc": ""})

    @property
    def url(self) -> str:
        """Where people reach this instance."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def keys_dir(self) -> Path:
        return self.data / "keys"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data / 'alcaide.db'}"

    def section(self, name: str) -> Mapping[str, Any]:
        """A slice's own settings; empty if none were given."""
        return self.sections.get(name, {})

    def secret(self) -> str | None:
        """The passphrase of the signing keys, if one is set. Raises ConfigError if its file is unreadable."""
        if self.passphrase:
            return self.passphrase
        if not self.passphrase_file:
            return None
        try:
            first = Path(self.passphrase_file).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(f"passphrase file `{self.passphrase_file}` cannot be read: {problem}") from None
        if not first:
            raise ConfigError(
                f"passphrase file `{self.passphrase_file}` is empty; write the passphrase on its first line"
            )
        return first


def load_config(data: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Settings of the data folder. Precedence: environment, then file, then default.

    The folder is `data`, else ALCAIDE_DATA, else `./alcaide-data`; it need not exist yet.
    """
    environ = os.environ if environ is None else environ
    folder = Path(data or environ.get("ALCAIDE_DATA") or DEFAULT_DATA).resolve()
    values: dict[str, Any] = dict(_from_file(folder / CONFIG_FILE))
    sections = {name: values.pop(name) for name in SECTIONS if name in values}
    for name, section in sections.items():
        if not isinstance(section, Mapping):
            raise ConfigError(f"setting `{name}` in `{folder / CONFIG_FILE}` must be a mapping of settings")
    known = {f.name: f for f in fields(Config) if f.name not in ("data", "sections")}
    for name in values:
        if name not in known:
            raise ConfigError(f"`{name}` in `{folder / CONFIG_FILE}` is no setting; see `alcaide settings`")
    for name in known:
        if (text := environ.get(f"ALCAIDE_{name.upper()}")) is not None:
            values[name] = text
    checked = {name: _typed(name, value, known[name].default) for name, value in values.items()}
    config = Config(data=folder, sections=sections, **checked)
    _check(config)
    return config


def _from_file(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    import yaml

    try:
        raw = path.read_bytes()
        document = yaml.safe_load(raw) if len(raw) <= MAX_CONFIG_BYTES else None
    except (OSError, yaml.YAMLError) as problem:
        raise ConfigError(f"settings file `{path}` cannot be read: {problem}") from None
    if document is None and not raw.strip():
        return {}
    if not isinstance(document, Mapping):
        raise ConfigError(f"settings file `{path}` must be a mapping of settings, as `port: 8808`")
    return document


def _typed(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        text = str(value).strip().lower()
        if text in ("1", "true", "yes", "on", "0", "false", "no", "off", ""):
            return text in ("1", "true", "yes", "on")
        raise ConfigError(f"setting `{name}` is `{value}`; write true or false")
    if isinstance(default, int):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise ConfigError(f"setting `{name}` is `{value}`; write a whole number") from None
    if isinstance(value, Mapping | list):
        raise ConfigError(f"setting `{name}` must be text")
    return "" if value is None else str(value)


def _check(config: Config) -> None:
    if not 0 <= config.port <= 65_535:
        raise ConfigError(f"setting `port` is `{config.port}`; choose one from 1 to 65535")
    if config.public_url and urlsplit(config.public_url).scheme not in ("http", "https"):
        raise ConfigError(
            f"setting `public_url` is `{config.public_url}`; it starts with https:// or http://"
        )
    if not 1 <= config.worker_threads <= 64:
        raise ConfigError(f"setting `worker_threads` is `{config.worker_threads}`; choose 1 to 64")
    if not 1 <= config.max_upload_mib <= 1024:
        raise ConfigError(f"setting `max_upload_mib` is `{config.max_upload_mib}`; choose 1 to 1024")
