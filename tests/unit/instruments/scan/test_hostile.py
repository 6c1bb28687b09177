"""What is made to tire a scanner ends within its limits, with a finding, in little memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Level, Outcome
from alcaide.instruments.scan.scanner import scan
from alcaide.instruments.scan.source import Memory
from tests.unit.instruments.scan.hostile_files import HOLLOW, HUGE, WHOLE
from tests.unit.instruments.scan.looking import found, look

MOST_KIB = 150 << 10
EVIL = b"cos\nsystem\n(S'true'\ntR."

# Each file by itself, in a worker of its own, whose memory the kernel tells when it has ended.
_MEASURED = """
import json, os, sys
from pathlib import Path

peaks = []
def waited(pid, options=0, wait4=os.wait4):
    pid, status, used = wait4(pid, options)
    peaks.append(used.ru_maxrss)
    return pid, status
os.waitpid = waited

from alcaide.instruments.scan.scanner import scan

for name in ["base.pkl", *json.loads(sys.stdin.read())]:
    (artifact,) = scan([Path(sys.argv[1]) / name], workers=1).artifacts
    assert len(artifact.findings) <= 2_001
    print(json.dumps([name, sorted({one.rule for one in artifact.findings}), peaks[-1]]), flush=True)
"""


@pytest.fixture(scope="module")
def looked():
    """For each hostile file the rules it broke and the kibibytes that a worker took beyond those for a small file."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "base.pkl").write_bytes(b"N.")
        for name, (head, tail, _) in HOLLOW.items():
            with (folder / name).open("wb") as file:
                file.write(head)
                file.truncate(HUGE)
                file.seek(HUGE - len(tail))
                file.write(tail)
        for name, (make, _) in WHOLE.items():
            (folder / name).write_bytes(make())
        run = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _MEASURED, place],
            input=json.dumps([*HOLLOW, *WHOLE]),
            capture_output=True,
            text=True,
            check=False,
        )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) == 1 + len(HOLLOW) + len(WHOLE), run.stderr
    base = lines[0][2]
    return {name: (set(rules), peak - base) for name, rules, peak in lines}


@pytest.mark.parametrize("name", [*HOLLOW, *WHOLE])
def test_what_is_made_to_tire_ends_with_a_finding_in_little_memory(looked, name):
    rules, more = looked[name]
    expected = HOLLOW[name][2] if name in HOLLOW else WHOLE[name][1]

    assert rules & expected, rules
    assert "scan/fault" not in rules
    assert more <= MOST_KIB


def test_an_ordinary_file_is_looked_at_without_any_of_it(looked):
    assert looked["base.pkl"][0] == set()


# ── What lies in a folder ────────────────────────────────────────────────────────────────────────────────────────────


def said_of(report, path):
    return [finding.message for one in report.artifacts if one.path == path for finding in one.findings]


def test_pipes_sockets_and_devices_are_said_and_not_read(tmp_path):
    import socket

    os.mkfifo(tmp_path / "model.pkl")
    (tmp_path / "null.bin").symlink_to("/dev/null")
    (tmp_path / "zero.gguf").symlink_to("/dev/zero")
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        report = scan([tmp_path], workers=1)

    assert "not a plain file" in said_of(report, "model.pkl")[0]
    for name in ("null.bin", "zero.gguf", "s"):
        assert said_of(report, name), name
        assert {one.outcome() for one in report.artifacts if one.path == name} == {Outcome.UNKNOWN}
    assert report.counts()["critical"] == 1


def test_links_in_circles_and_chains_end(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self.pkl").symlink_to(tmp_path / "self.pkl")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "round").symlink_to(tmp_path / "below")
    (tmp_path / "evil.pkl").write_bytes(EVIL)

    report = scan([tmp_path], workers=1)

    assert {one.path for one in report.artifacts} >= {"a", "b", "self.pkl", "evil.pkl"}
    assert len(report.artifacts) <= 6
    assert report.counts()["critical"] == 1


NAMES = [
    b"a\xff.pkl",
    b"a\\udcff.pkl",
    b"line\nbreak.pkl",
    "right\u202eelkp.txt".encode(),
    b"\x1b[2J.pkl",
    b"-rf",
    b" ",
    b"%00.pkl",
    b"x" * 250 + b".pkl",
    "\u00e9\u6f6e\U0001f6a2.pkl".encode(),
]


@pytest.mark.parametrize("workers", [0, 1])
def test_files_are_looked_at_whatever_they_are_called(tmp_path, workers):
    for name in NAMES:
        (tmp_path / os.fsdecode(name)).write_bytes(EVIL)

    report = scan([tmp_path], workers=workers)

    assert len(report.artifacts) == len(NAMES)
    assert len({one.path for one in report.artifacts}) == len(NAMES), "no file hides behind another's name"
    for one in report.artifacts:
        assert one.findings[0].level is Level.CRITICAL
        one.path.encode()
        assert one.node.name.isprintable()


def test_folders_of_one_name_do_not_hide_each_other(tmp_path):
    for place, content in (("a", EVIL), ("b", b"N.")):
        (tmp_path / place / "models").mkdir(parents=True)
        (tmp_path / place / "models" / "m.pkl").write_bytes(content)

    report = scan([tmp_path / "a" / "models", tmp_path / "b" / "models"], workers=1)

    assert [(one.path.endswith("models/m.pkl"), one.outcome()) for one in report.artifacts] == [
        (True, Outcome.FAILED),
        (True, Outcome.PASSED),
    ]
    assert len({one.path for one in report.artifacts}) == 2


@pytest.mark.parametrize(
    "name", ["a\0b.pkl", "a\nb.pkl", "\ud800.pkl", "a\u202ekcab.pkl", "../../etc/x.pkl", "x" * 70_000]
)
def test_names_inside_of_archives_and_of_uploads_are_shown_and_harmless(name):
    artifact = examine_artifact(Memory(EVIL), name)

    artifact.path.encode()
    assert artifact.node.name.isprintable()
    assert len(artifact.node.name) <= 240
    assert "pickle/dangerous-callable" in found(artifact)


def test_a_name_that_is_too_long_keeps_its_ending():
    artifact = look(
        b"torch\n--extra-index-url http://a.example\n", "x" * 400 + "/" + "y" * 400 + "requirements.txt"
    )

    assert artifact.node.name.endswith("requirements.txt")


# ── What changes, and what a process may not do ──────────────────────────────────────────────────────────────────────


class Changing:
    """A file that answers otherwise each time: somebody writes to it, or cut it after it was opened."""

    def __init__(self, versions: list[bytes], size: int) -> None:
        self._versions = versions
        self._asked = 0
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        self._asked += 1
        version = self._versions[self._asked % len(self._versions)]
        return version[offset : offset + length] if offset >= 0 and length > 0 else b""


@pytest.mark.parametrize(
    "name", [name for name, (_, rules) in WHOLE.items() if name.endswith((".zip", ".gz", ".pkl"))][:8]
)
def test_a_file_that_changes_at_each_look_gives_no_fault(name):
    data = WHOLE[name][0]()
    others = [data[::-1], data[: len(data) // 2], b"", data[7:] + data[:7]]
    for other in others:
        artifact = examine_artifact(Changing([data, other], len(data)), name)
        assert "scan/fault" not in found(artifact)


def test_a_file_that_is_written_to_while_it_is_read_is_said(tmp_path, monkeypatch):
    from alcaide.instruments.scan import examine
    from alcaide.instruments.scan.format import Format

    path = tmp_path / "grows.bin"
    path.write_bytes(b"GROW")

    def grow(source, context):
        with path.open("ab") as file:
            file.write(EVIL)

    form = Format("growing", "growing", lambda glance: glance.head.startswith(b"GROW"), grow)
    known = (*examine.formats(), form)
    monkeypatch.setattr(examine, "formats", lambda: known)

    report = scan([path], workers=0)

    assert {finding.rule for one in report.artifacts for finding in one.findings} >= {"scan/changed"}
    assert report.outcome is Outcome.UNKNOWN


def test_a_worker_unpacks_where_it_may_write_though_this_process_knew_another_place(tmp_path):
    import gzip
    import random

    tempfile.gettempdir()
    content = random.Random(1).randbytes(12 << 20)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content, 1))

    report = scan([tmp_path], workers=1)

    assert {finding.rule for one in report.artifacts for finding in one.findings} <= {"scan/unrecognised"}


def test_what_does_not_fit_into_the_temporary_folder_is_unknown(tmp_path, monkeypatch):
    import gzip

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    artifact = look(gzip.compress(bytes(range(256)) * (40 << 10), 1), "a.gz")

    assert "scan/over-budget" in found(artifact)
    assert "scan/fault" not in found(artifact)
