"""What a start may not load. Importing the package or asking for help costs nothing but Python itself.

The bounds (60 ms and 250 ms on an idle machine) are measured by `make bench`; what breaks them is a heavy import, and
that is what can be tested on a busy one.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = frozenset(
    {
        "alembic",
        "argon2",
        "asyncio",
        "cedarpy",
        "cel",
        "cryptography",
        "cyclopts",
        "email",
        "fastapi",
        "httpx2",
        "jinja2",
        "joserfc",
        "jsonschema",
        "model_signing",
        "msgspec",
        "prometheus_client",
        "psycopg",
        "pydantic",
        "rich",
        "sqlalchemy",
        "sqlite3",
        "starlette",
        "uvicorn",
        "yaml",
    }
)


def loaded_by(program: str) -> set[str]:
    """What is in memory after `program`, by top-level name."""
    report = (
        "\nimport json, sys; sys.stderr.write(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program + report], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "program",
    [
        "import alcaide",
        "import alcaide.kernel.slice",
        "from alcaide.app.slices import manifests; manifests()",
        "from alcaide.app import cli; cli.run(['--help'])",
        "from alcaide.app import cli; cli.run(['--version'])",
    ],
)
def test_nothing_heavy_is_loaded(program):
    assert loaded_by(program) & HEAVY == set()


def test_the_design_system_loads_no_template_engine_before_the_first_page():
    assert "jinja2" not in loaded_by("import alcaide.ui")


def test_the_supervisor_loads_no_database():
    """It stays in memory for as long as Alcaide runs."""
    assert loaded_by("import alcaide.app.up") & {"sqlalchemy", "fastapi", "cryptography", "alembic"} == set()


def test_evidence_and_policy_load_no_database():
    """The rules can be replayed, and a bundle verified, where there is none."""
    loaded = loaded_by("import alcaide.kernel.policy, alcaide.kernel.evidence, alcaide.predicates")

    assert loaded & {"sqlalchemy", "fastapi", "starlette"} == set()
