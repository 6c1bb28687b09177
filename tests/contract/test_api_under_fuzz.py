"""The API under schemathesis: whatever fits the schema or just misses it, no answer is a fault of ours.

Only server errors are looked for here. Which statuses are right for which input is each slice's own test's matter.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from alcaide.kernel.access.actor import Actor

pytestmark = pytest.mark.slow
EXAMPLES = 4  # for each operation, valid and invalid alike


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("area", ["access", "evidence", "inventory", "lifecycle", "operations"])
def test_no_operation_answers_with_a_server_error(app: Any, admin: Actor, area: str) -> None:
    app.state.identify = lambda _request: admin
    host = {"host": "127.0.0.1:8808"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=host)
    statuses: list[int] = []
    faults: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if not operation.path.startswith(f"/api/v1/{area}"):
            continue

        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            answer = case.call(headers={**host, "authorization": "Bearer alc_x"})
            statuses.append(answer.status_code)
            if answer.status_code >= 500 and answer.status_code != 503:
                faults.append(f"{case.method} {case.formatted_path}: {answer.status_code}")

        send()
    assert any(status < 300 for status in statuses), "nothing got as far as a handler"
    assert not faults, "\n".join(faults)
