from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alcaide.kernel.instance import Instance
from tests.slices.lifecycle.builders import gated


@pytest.fixture
def house(
    tmp_path: Path, clock: Any, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Instance]:
    """An instance with gates and a register that the test fills."""
    url = request.getfixturevalue("postgresql_url") if database_kind == "postgresql" else ""
    with gated(tmp_path / "data", clock, url) as instance:
        yield instance
