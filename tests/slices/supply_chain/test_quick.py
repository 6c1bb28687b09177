"""The quick reading of `alcaide scan` agrees with the library's, and leaves to it what it is not sure of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alcaide.app.cli import run
from alcaide.slices.supply_chain.cli import quick, scan, work


def library(monkeypatch: pytest.MonkeyPatch, argv: list[str]) -> work.Asked:
    """What the command-line library makes of it."""
    seen: list[Any] = []

    def keep(asked: work.Asked) -> int:
        seen.append(asked)
        return 0

    monkeypatch.setattr(scan, "run", keep)
    scan.app(argv, result_action="return_value", exit_on_error=False, print_error=False)
    return seen[0]


@pytest.mark.parametrize(
    "argv",
    [
        ["a"],
        ["a", "b/c", "--format", "json"],
        ["--format=sarif", "a", "-o", "out"],
        ["a", "--output", "out", "--fail-on", "high", "--workers", "3"],
        ["a", "--record", "model:x@1", "--reason", "why not", "--data", "d"],
        ["a", "--policy", "p.yaml", "--digests", "--no-cache", "-v"],
        ["a", "--verbose", "--cache", "--format", "cyclonedx"],
        ["a", "--on", "ray://head:10001", "--workers", "8"],
        ["a", "--on=ray"],
    ],
)
def test_both_read_the_same(monkeypatch, argv):
    monkeypatch.delenv("ALCAIDE_DATA", raising=False)
    assert quick.read(argv) == library(monkeypatch, argv)


def test_the_data_folder_of_the_environment_is_read_by_both(monkeypatch):
    monkeypatch.setenv("ALCAIDE_DATA", "/srv/alcaide")
    assert quick.read(["a"]) == library(monkeypatch, ["a"])
    assert quick.read(["a"]).data == Path("/srv/alcaide")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--help"],
        ["a", "--help"],
        ["data", "x.csv"],
        ["formats"],
        ["rules", "--format", "json"],
        ["a", "--fromat", "json"],
        ["a", "--format", "xml"],
        ["a", "--workers", "many"],
        ["a", "--workers", "-1"],
        ["a", "--record"],
        ["a", "--digests=yes"],
    ],
)
def test_what_it_is_not_sure_of_is_left_to_the_library(argv):
    assert quick.read(argv) is None


def test_every_option_of_the_library_is_read(monkeypatch):
    known = {*quick.FLAGS, *quick.CHOICES, *quick.TEXTS, *quick.PATHS, "--workers"}
    options = {
        name
        for argument in scan.app.assemble_argument_collection()
        for name in argument.parameter.name or ()
        if name.startswith("-")
    }
    assert options
    assert options - {"--paths"} <= known | {"--no-cache"}


def test_commands_are_told_from_paths():
    assert set(quick.COMMANDS) >= {name for name in scan.app if not name.startswith("-")}


def test_a_misspelt_option_is_explained(capsys):
    assert run(["scan", "a", "--fromat", "json"]) == 3
    assert "alcaide scan --help" in capsys.readouterr().err
