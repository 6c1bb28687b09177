"""The attacks are what they say: each that can be shown to act, acts, and each that cannot says why."""

import importlib.util
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.corpora.models import attacks

_ROOT = Path(__file__).parents[2]
# TensorFlow takes a minute to import and does not survive a fork: its children would each take that minute.
_TOO_HEAVY = {"tensorflow"}


def _here(needs: tuple[str, ...]) -> bool:
    return not _TOO_HEAVY.intersection(needs) and all(importlib.util.find_spec(name) for name in needs)


def _acted(some: list[attacks.Attack], folder: Path, libraries: tuple[str, ...] = ()) -> set[str]:
    jobs = folder / "jobs.json"
    jobs.write_text(json.dumps([[one.id, one.proof, str(one.write(folder))] for one in some]))
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "tests.corpora.models.attacks.naive",
        str(jobs),
        *libraries,
    ]
    done = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def _provable() -> dict[tuple[str, ...], list[attacks.Attack]]:
    groups: dict[tuple[str, ...], list[attacks.Attack]] = defaultdict(list)
    for one in attacks.all():
        if one.proof:
            groups[one.needs].append(one)
    return groups


@pytest.mark.slow
@pytest.mark.parametrize(
    "needs", sorted(_provable()), ids=lambda needs: "+".join(needs) or "standard-library"
)
def test_every_attack_that_can_be_shown_to_act_acts(needs: tuple[str, ...], tmp_path: Path):
    if not _here(needs):
        pytest.skip(f"needs {', '.join(needs)}")
    some = _provable()[needs]

    acted = _acted(some, tmp_path, needs)

    assert not {one.id for one in some} - acted


def test_what_does_not_attack_leaves_no_marker(tmp_path: Path):
    """The negative twin: the proof would be worth nothing if the marker appeared by itself."""
    from tests.corpora.models.attacks.pickle_streams import PLAIN

    plain = attacks.Attack("plain", "load", "pickle", "plain weights", ".pkl", lambda: PLAIN, "pickle")

    assert _acted([plain], tmp_path) == set()


def test_every_attack_is_proved_or_says_why_not():
    silent = [one.id for one in attacks.all() if bool(one.proof) == bool(one.unproved)]

    assert not silent


def test_there_are_more_techniques_than_asked_for():
    acting = Counter(one.acts for one in attacks.all())

    assert acting["load"] >= 200
    assert acting["use"] >= 50
    assert acting["none"] >= 50


def test_no_two_attacks_are_the_same_file():
    """The same bytes under another suffix are another technique: some tools go by suffixes."""
    seen = Counter((one.suffix, json.dumps(one.make(), default=repr)) for one in attacks.all())

    assert max(seen.values()) == 1


def test_no_attack_is_committed_as_a_file():
    folder = _ROOT / "tests" / "corpora" / "models" / "attacks"

    assert {
        path.suffix for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    } == {".py"}


def test_payloads_leave_the_marker_and_nothing_else():
    """No file says `rm`, and no address is one of another machine."""
    for path in (_ROOT / "tests" / "corpora" / "models" / "attacks").glob("*.py"):
        text = path.read_text()
        assert "rm -" not in text, path
        assert "http://" not in text.replace("http://127.0.0.1:9", "").replace("http://www.", ""), path
