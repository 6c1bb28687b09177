from __future__ import annotations

from collections.abc import Iterator

import pytest

from alcaide.kernel.instance import Instance, open_instance
from alcaide.slices.operations.manifest import MANIFEST


@pytest.fixture
def instance(config, clock) -> Iterator[Instance]:
    """An Alcaide with this slice alone: it needs no other."""
    opened = open_instance(config, manifests=(MANIFEST,), clock=clock, migrate=False)
    yield opened
    opened.close()
