"""Each import contract is shown to bite: a planted violation turns exactly that contract red.

The plants go into a skeleton of the package: every module there is, emptied, plus the parts of the map that are
still to come. So a plant is the only import in sight, and the contract that breaks is the one that was meant.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"
SLICE_FILES = (
    "manifest",
    "api",
    "pages",
    "cli",
    "jobs",
    "service",
    "projection",
    "queries",
    "tables",
    "rules",
    "model",
)
STILL_TO_COME = (
    "gateway/core/exchange.py",
    "gateway/server.py",
    "instruments/guard/detectors.py",
    "instruments/scan/artifacts.py",
)


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINT, "--no-cache", "--no-logo", "--config", folder / "pyproject.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def write(package: Path, module: str, text: str) -> None:
    path = package / module
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, *path.parent.parents):
        if folder == package.parent:
            break
        (folder / "__init__.py").touch()
    path.write_text(text)


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("skeleton")
    shutil.copy(ROOT / "pyproject.toml", folder)
    package = folder / "alcaide"
    source = ROOT / "src/alcaide"
    for path in source.rglob("*.py"):
        if "migrations" not in path.parts and "node_modules" not in path.parts:
            write(package, str(path.relative_to(source)), "")
    for module in STILL_TO_COME:
        write(package, module, "")
    for name in ("left", "right"):
        for file in SLICE_FILES:
            write(package, f"slices/{name}/{file}.py", "")
    return folder


@pytest.fixture
def plant(skeleton: Path) -> Iterator[object]:
    """Write one import into one module of the skeleton, lint it, and take the import out again."""
    planted: list[tuple[Path, bool]] = []

    def planting(module: str, text: str, *more: tuple[str, str]) -> tuple[int, str]:
        for name, content in ((module, text), *more):
            path = skeleton / "alcaide" / name
            planted.append((path, path.exists()))
            write(skeleton / "alcaide", name, content + "\n")
        return lint(skeleton)

    yield planting
    for path, existed in planted:
        if existed:
            path.write_text("")
        else:
            path.unlink()


def broken(output: str) -> set[str]:
    return {line.split()[0] for line in output.splitlines() if line.rstrip().endswith("BROKEN")}


def test_the_code_as_it_is_keeps_every_contract():
    code, output = lint_the_real_tree()

    assert (code, broken(output)) == (0, set()), output


def lint_the_real_tree() -> tuple[int, str]:
    done = subprocess.run(
        [LINT, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr


def test_a_skeleton_without_a_plant_is_green(skeleton):
    code, output = lint(skeleton)

    assert code == 0, output


PLANTS = {
    "one slice imports another": (
        "slices-independent",
        "slices/left/service.py",
        "import alcaide.slices.right.queries",
    ),
    "the design system imports a slice": (
        "package-layers",
        "ui/planted.py",
        "import alcaide.slices.left.queries",
    ),
    "a slice imports the composition root": (
        "package-layers",
        "slices/left/pages.py",
        "import alcaide.app.slices",
    ),
    "the kernel imports a predicate": ("package-layers", "kernel/planted.py", "import alcaide.predicates"),
    "a predicate imports the design system": ("package-layers", "predicates/planted.py", "import alcaide.ui"),
    "the gateway imports a slice": (
        "package-layers",
        "gateway/server.py",
        "import alcaide.slices.left.rules",
    ),
    "a slice imports the gateway": (
        "package-layers",
        "slices/left/service.py",
        "import alcaide.gateway.server",
    ),
    "a package that is not on the map": ("package-layers", "planted/__init__.py", ""),
    "an instrument imports another": (
        "instruments-independent",
        "instruments/scan/artifacts.py",
        "import alcaide.instruments.guard.detectors",
    ),
    "queries call the service": (
        "slice-shape",
        "slices/left/queries.py",
        "import alcaide.slices.left.service",
    ),
    "pages call the API": ("slice-shape", "slices/left/pages.py", "import alcaide.slices.left.api"),
    "a slice grows a file nobody knows": ("slice-shape", "slices/left/planted.py", ""),
    "a rule asks the database": ("pure", "slices/left/rules.py", "import sqlalchemy"),
    "a rule reads the clock": ("pure", "slices/left/rules.py", "import time"),
    "a rule opens a socket": ("pure", "slices/left/rules.py", "import socket"),
    "a model rolls dice": ("pure", "slices/left/model.py", "import random"),
    "a policy starts a process": ("pure", "kernel/policy/planted.py", "import subprocess"),
    "evidence goes to the network": ("pure", "kernel/evidence/planted.py", "import httpx2"),
    "a predicate asks the database": ("pure", "predicates/planted.py", "import sqlalchemy.orm"),
    "the gateway's core does I/O": ("pure", "gateway/core/exchange.py", "import asyncio"),
    "the gateway imports the database": ("hot-path", "gateway/server.py", "import alcaide.kernel.db"),
    "the gateway imports SQLAlchemy": ("hot-path", "gateway/server.py", "import sqlalchemy"),
    "the gateway renders templates": ("hot-path", "gateway/server.py", "import jinja2"),
}


@pytest.mark.parametrize(("contract", "module", "text"), PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_violation_turns_its_contract_red(plant, contract, module, text):
    code, output = plant(module, text)

    assert code != 0
    assert contract in broken(output), output


def test_a_rule_cannot_reach_the_database_through_a_third_module(plant):
    code, output = plant(
        "slices/left/rules.py",
        "import alcaide.kernel.planted",
        ("kernel/planted.py", "import sqlalchemy"),
    )

    assert code != 0
    assert broken(output) == {"pure"}, output


def test_two_neighbours_cannot_import_each_other(plant):
    code, output = plant(
        "kernel/one.py",
        "import alcaide.kernel.two",
        ("kernel/two.py", "import alcaide.kernel.one"),
    )

    assert code != 0
    assert broken(output) == {"acyclic"}, output
