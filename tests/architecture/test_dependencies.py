"""What Alcaide runs on may be used by anybody: the licences in the run lock, as the packages declare them."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPYLEFT = re.compile(r"\bA?L?GPL|GNU|\bEUPL|\bSSPL|\bOSL-|Sleepycat", re.IGNORECASE)

# Weak copyleft, used as it is and never changed or copied: docs/adr/0008-a-guard-of-our-own.md says why.
ADMITTED = {"python-stdnum"}


def locked(name: str) -> list[str]:
    return re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / f"requirements/{name}.txt").read_text(), re.MULTILINE)


@pytest.mark.parametrize("package", locked("run"))
def test_nothing_we_run_on_is_under_a_copyleft_licence(package):
    try:
        said = " ".join(declared_by(distribution(package)))
    except PackageNotFoundError:
        pytest.skip("not for this platform")

    assert said.strip(), "says under which licence it is"
    assert not COPYLEFT.search(said) or package in ADMITTED, said


def declared_by(package: Distribution) -> list[str]:
    """What the metadata says; where it says nothing, the beginning of the licence that comes along."""
    about = package.metadata
    said = [about.get("License-Expression") or "", *(about.get("License") or "").splitlines()[:1]]
    said += [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    if any(said):
        return said
    files = [
        file for file in package.files or [] if re.match(r"LICEN[CS]E|COPYING", file.name, re.IGNORECASE)
    ]
    return [file.read_text()[:200] for file in files]


def test_the_postgresql_driver_is_in_no_lock_but_the_tests():
    assert "psycopg" not in locked("run")
    assert "psycopg" in locked("dev")


def test_no_module_needs_the_postgresql_driver():
    """It is imported when the settings name PostgreSQL: by SQLAlchemy, and inside one function of the log's."""
    importing = [
        path.relative_to(ROOT)
        for path in (ROOT / "src").rglob("*.py")
        if re.search(r"^(?:import|from) psycopg", path.read_text(), re.MULTILINE)
    ]

    assert importing == []
