"""The command line: which word leads where, and what every ending looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alcaide import __version__
from alcaide.app import cli
from alcaide.kernel.errors import Conflict, Corrupt, InvalidInput, NotAllowed


def passes() -> int:
    """Answer yes."""
    return 0


def says_no() -> int:
    """Answer no."""
    return 1


def does_not_know() -> int:
    """Answer unknown."""
    return 2


def says_nothing() -> None:
    """Do something."""


def says_true() -> bool:
    """Answer with a truth value."""
    return True


def conflicts() -> None:
    """Meet somebody else's change."""
    raise Conflict("`loan-desk` was changed by somebody else; load it again")


def is_corrupt() -> None:
    """Find a broken log."""
    raise Corrupt("leaf 7 does not match its hash")


def dislikes_fields() -> None:
    """Find fault with fields."""
    raise InvalidInput("two fields cannot be used", {"owner": "is empty", "name": "has a space"})


def is_denied() -> None:
    """Be denied."""
    raise NotAllowed(
        "`kim` may not approve", rule="not-own-request", owner="security-lead", next_step="ask a colleague"
    )


def breaks(*, secret: str = "") -> None:
    """Break."""
    raise RuntimeError(f"internal detail about {secret}")


def is_interrupted() -> None:
    """Be interrupted."""
    raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands of this file under their own names, and no data folder but a fresh one."""
    functions = (
        passes, says_no, does_not_know, says_nothing, says_true, conflicts, is_corrupt, dislikes_fields, is_denied,
        breaks, is_interrupted,
    )  # fmt: skip
    here = tuple(
        cli.Entry(f.__name__.replace("_", "-"), "for a test", f"{__name__}:{f.__name__}") for f in functions
    )
    monkeypatch.setattr(cli, "MACHINE", here)
    monkeypatch.setattr(cli, "slice_entries", lambda: ())
    monkeypatch.setenv("ALCAIDE_DATA", str(tmp_path))
    monkeypatch.delenv("ALCAIDE_DEBUG", raising=False)
    (tmp_path / "logs").mkdir()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("passes", 0),
        ("says-no", 1),
        ("does-not-know", 2),
        ("says-nothing", 0),
        ("says-true", 0),
        ("conflicts", 3),
        ("is-corrupt", 1),
        ("dislikes-fields", 3),
        ("breaks", 3),
        ("is-interrupted", 130),
    ],
)
def test_every_ending_has_its_exit_code(word, code, capsys):
    assert cli.run([word]) == code


def test_an_error_says_its_message_on_stderr_and_nothing_else(capsys):
    cli.run(["conflicts"])

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "alcaide: `loan-desk` was changed by somebody else; load it again\n"


def test_fields_at_fault_are_listed_with_their_reasons(capsys):
    cli.run(["dislikes-fields"])

    assert capsys.readouterr().err.splitlines()[1:] == ["  owner: is empty", "  name: has a space"]


def test_a_denial_teaches_rule_owner_and_next_step(capsys):
    cli.run(["is-denied"])

    assert capsys.readouterr().err.splitlines()[1:] == [
        "  rule: not-own-request",
        "  owner: security-lead",
        "  next: ask a colleague",
    ]


def test_an_unexpected_error_is_kept_in_a_file_and_never_shown(capsys, tmp_path):
    cli.run(["breaks", "--secret", "s3cret"])

    err = capsys.readouterr().err
    (kept,) = (tmp_path / "logs").glob("crash-*.log")
    assert "Traceback" not in err
    assert "s3cret" not in err
    assert str(kept) in err
    assert "RuntimeError" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_the_value_of_an_option_is_not_kept_beside_the_traceback(tmp_path):
    cli.run(["breaks", "--secret", "s3cret"])

    (kept,) = (tmp_path / "logs").glob("crash-*.log")
    assert kept.read_text().splitlines()[0].endswith("alcaide breaks --secret …")


def test_debugging_shows_the_traceback_to_whoever_asks_for_it(monkeypatch):
    monkeypatch.setenv("ALCAIDE_DEBUG", "1")

    with pytest.raises(RuntimeError):
        cli.run(["breaks"])


def test_a_misspelt_command_is_met_with_the_nearest_one(capsys):
    assert cli.run(["pases"]) == 3
    assert "Did you mean `alcaide passes`?" in capsys.readouterr().err


def test_an_option_nobody_knows_is_an_error_not_a_failed_verdict(capsys):
    assert cli.run(["passes", "--nonsense"]) == 3
    assert "alcaide passes --help" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_every_command(argv, capsys):
    assert cli.run(argv) == 0
    assert "says-no" in capsys.readouterr().out


def test_help_about_a_command_comes_from_that_command(capsys):
    assert cli.run(["help", "passes"]) == 0
    assert "Answer yes." in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["version"], ["--version"]])
def test_version_is_one_line(argv, capsys):
    assert cli.run(argv) == 0
    assert capsys.readouterr().out == f"alcaide {__version__}\n"


def test_a_reader_that_goes_away_is_no_error():
    """`alcaide … | head -1` ends quietly."""
    program = (
        "import sys\n"
        "from alcaide.app import cli\n"
        "def flood() -> None:\n"
        "    sys.stdout.write('x' * 1_000_000)\n"
        "cli.MACHINE = (cli.Entry('flood', '', '__main__:flood'),)\n"
        "sys.exit(cli.run(['flood']))\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()

    assert child.wait() == cli.EXIT_PIPE_CLOSED
    assert err == b""
