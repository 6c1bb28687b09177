"""Opens an instance with everything that is installed: every slice and every plug-in."""

from __future__ import annotations

from alcaide.app.plugins import plugins
from alcaide.app.slices import manifests
from alcaide.kernel.config import Config
from alcaide.kernel.instance import Instance, open_instance


def open_all(config: Config) -> Instance:
    """The instance of this data folder, migrated and complete. Raises ConfigError, Corrupt, Unavailable."""
    return open_instance(config, manifests=manifests(), plugins=plugins())
