"""Scanning folders in confined processes: what ends a process is a finding, what a link leads to is looked at."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path

import pytest

from alcaide.instruments.scan import crew, examine
from alcaide.instruments.scan.edition import edition
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.message import Request
from alcaide.instruments.scan.model import Level, Outcome
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.scanner import ScanFailedError, scan

GOOD = pickle.dumps({"weights": [0.5]}, protocol=4)
EVIL = b"cos\nsystem\n(S'true'\ntR."


def messages(report, path):
    return [
        finding.message
        for artifact in report.artifacts
        if artifact.path == path
        for finding in artifact.findings
    ]


def folder_of(tmp_path: Path, **files: bytes) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_file_is_looked_at_and_comes_back_in_order(tmp_path, workers):
    folder = folder_of(tmp_path, **{f"m{number:03}": GOOD for number in range(50)}, z=EVIL)
    report = scan([folder], workers=workers)
    assert [artifact.path for artifact in report.artifacts] == [*(f"m{n:03}" for n in range(50)), "z"]
    assert report.outcome is Outcome.FAILED
    assert report.counts()["critical"] == 1


def test_a_process_with_threads_starts_new_ones_and_finds_the_same(tmp_path):
    folder = folder_of(tmp_path, good=GOOD, evil=EVIL)
    alone = scan([folder], workers=1)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        beside = scan([folder], workers=1)
    finally:
        stop.set()
        thread.join()
    assert [a.findings for a in alone.artifacts] == [a.findings for a in beside.artifacts]


def planted(monkeypatch, act):
    """A format that does something to whatever begins with BOOM."""
    form = Format(
        "boom", "boom", lambda glance: glance.head.startswith(b"BOOM"), lambda source, context: act()
    )
    known = (*examine.formats(), form)
    monkeypatch.setattr(examine, "formats", lambda: known)
    # Another test of this process may have left a thread behind; a process started afresh would not know the format.
    monkeypatch.setattr(crew, "_alone", lambda: True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only a forked process knows the planted reader")
def test_what_ends_the_process_is_unknown_and_the_others_are_looked_at(tmp_path, monkeypatch):
    planted(monkeypatch, lambda: os._exit(7))
    files = {f"a{number}": GOOD for number in range(30)}
    folder = folder_of(tmp_path, **files, boom=b"BOOM", evil=EVIL)
    report = scan([folder], workers=2)
    assert len(report.artifacts) == 32
    assert messages(report, "boom") == [
        "`boom` ended the process that read it (exit 7); what it holds is not known"
    ]
    assert report.counts() == {"critical": 1, "high": 0, "medium": 0, "low": 0, "unknown": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only a forked process knows the planted reader")
def test_what_takes_for_ever_is_ended(tmp_path, monkeypatch):
    planted(monkeypatch, signal.pause)
    monkeypatch.setattr(crew, "GRACE", 0.5)
    folder = folder_of(tmp_path, boom=b"BOOM", evil=EVIL)
    report = scan([folder], policy=ScanPolicy(limits=Limits(seconds=0.5)), workers=1)
    assert "it took over 1 seconds" in messages(report, "boom")[0]
    assert report.outcome is Outcome.FAILED


def test_a_reader_can_neither_reach_the_network_nor_start_programs_nor_write(tmp_path):
    code = f"""
import os, pathlib, socket, subprocess, sys, tempfile
from alcaide.instruments.scan.confine import confine
folder = pathlib.Path({str(tmp_path)!r})
tempfile.tempdir = str(folder)
done = confine(folder, 1 << 20)
tempfile.TemporaryFile().write(b"x")
tried = {{
    "network": lambda: socket.socket(),
    "program": lambda: subprocess.run(["true"]),
    "process": lambda: os.fork(),
    "write": lambda: open({str(tmp_path.parent / "outside")!r}, "w"),
    "kill": lambda: os.kill(os.getppid(), 0),
}}
for name, act in tried.items():
    try:
        act()
    except OSError:
        print(name, "refused")
print(done)
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stdout
    if "system_calls=True" not in answer:
        pytest.skip("this kernel has no seccomp for us")
    refused = ["network", "program", "process", "kill"] + (["write"] if "writes=True" in answer else [])
    for name in refused:
        assert f"{name} refused" in answer


def test_links_and_pipes_are_said_and_not_followed_blindly(tmp_path):
    folder = folder_of(tmp_path, good=GOOD)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "evil").write_bytes(EVIL)
    (folder / "to-file").symlink_to(outside / "evil")
    (folder / "to-folder").symlink_to(outside)
    (folder / "to-itself").symlink_to(folder)
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(folder / "pipe")
    report = scan([folder], workers=1)
    by_path = {artifact.path: artifact for artifact in report.artifacts}
    assert by_path["to-file"].findings[0].level is Level.CRITICAL
    assert "outside of the scanned one" in messages(report, "to-folder")[0]
    assert "to-itself" not in by_path
    assert "no such file" in messages(report, "nowhere")[0]
    assert "not a plain file" in messages(report, "pipe")[0]


def test_version_control_is_left_out_and_said_but_for_what_acts(tmp_path):
    folder = folder_of(tmp_path, good=GOOD)
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / ".git" / "index").write_bytes(EVIL)
    (folder / ".git" / "config").write_text("[core]\n\tbare = false\n\tfsmonitor = true\n")
    (folder / ".git" / "hooks" / "pre-commit.sample").write_text("#!/bin/sh\ntrue\n")
    report = scan([folder], workers=1)
    assert report.outcome is Outcome.PASSED
    assert report.left_out == [".git/"]

    (folder / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\ntrue\n")
    (folder / ".git" / "config").write_text("[core]\n\tsshCommand = ./run\n")
    report = scan([folder], workers=1)
    assert "git runs `post-checkout`" in messages(report, ".git/hooks/post-checkout")[0]
    assert "git runs `./run`" in messages(report, ".git/config")[0]


def test_nothing_to_look_at_is_not_a_pass(tmp_path):
    (tmp_path / "empty").mkdir()
    assert scan([tmp_path / "empty"]).outcome is Outcome.UNKNOWN
    with pytest.raises(ScanFailedError, match="there is nothing at"):
        scan([tmp_path / "gone"])


def test_files_of_two_folders_keep_apart(tmp_path):
    one = folder_of(tmp_path, m=GOOD)
    two = tmp_path / "two"
    two.mkdir()
    (two / "m").write_bytes(EVIL)
    report = scan([one, two], workers=1)
    assert [(a.path, a.outcome().value) for a in report.artifacts] == [
        ("models/m", "passed"),
        ("two/m", "failed"),
    ]


def test_a_repository_is_looked_at_as_a_whole(tmp_path):
    folder = folder_of(
        tmp_path,
        **{
            "model.safetensors.index.json": b'{"weight_map": {"a": "../../etc/passwd"}}',
            "config.json": b"{}",
        },
    )
    report = scan([folder], workers=1)
    assert report.outcome is Outcome.FAILED
    assert any("../../etc/passwd" in text for text in messages(report, "model.safetensors.index.json"))


def test_an_interrupted_scan_leaves_no_process(tmp_path):
    folder = folder_of(tmp_path, **{f"m{number}": GOOD for number in range(40)})

    def stop(artifact):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan([folder], workers=2, progress=stop)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_worker_that_cannot_start_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "_alone", lambda: False)
    monkeypatch.setattr(crew.sys, "executable", "/bin/false")
    with pytest.raises(crew.NoWorkerError, match="ended at its start"):
        crew.share_out(deque([Request("a", "a", "/")]), ScanPolicy(), str(tmp_path), 1, lambda *_: None)


def test_a_report_names_the_edition_it_stood_on(tmp_path):
    report = scan([folder_of(tmp_path, good=GOOD)], workers=0)
    assert report.edition == edition()
    assert len(report.edition.partition("+")[2]) == 12
