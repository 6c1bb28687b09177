from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.slices.lifecycle.builders import gated

from alcaide.kernel.instance import Instance


@pytest.fixture
def house(
    tmp_path: Path, clock: Any, database_kind: str, request: pytest.FixtureRequest
) -> Iterator[Instance]:
    """An instance with gates and a register that the test fills."""
    url = request.getfixturevalue("postgresql_url") if database_kind == "postgresql" else ""
    with gated(tmp_path / "data", clock, url) as instance:
        yield instance
