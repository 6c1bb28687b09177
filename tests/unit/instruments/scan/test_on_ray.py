"""A scan by a cluster says what a scan here says, or says why it cannot."""

from __future__ import annotations

import pickle
import sys
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from alcaide.instruments.scan import on_ray
from alcaide.instruments.scan.edition import edition
from alcaide.instruments.scan.message import LENGTH, Request, Together, frame, read_answer
from alcaide.instruments.scan.model import Artifact, Level, ScanReport
from alcaide.instruments.scan.on_ray import OnRay, look_at_batch
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.scanner import ScanFailedError, scan

GOOD = pickle.dumps({"weights": [0.5]}, protocol=4)
EVIL = b"cos\nsystem\n(S'true'\ntR."


def models(tmp_path: Path) -> Path:
    """Files that fail, pass, and are judged by what lies beside them; one cannot be read."""
    folder = tmp_path / "models"
    (folder / "deep").mkdir(parents=True)
    for number in range(40):
        (folder / f"m{number:02}.pkl").write_bytes(GOOD + b"\n" * number)
    (folder / "evil.bin").write_bytes(EVIL)
    (folder / "deep" / "config.json").write_bytes(b'{"auto_map": {"AutoModel": "modeling.Model"}}')
    (folder / "deep" / "modeling.py").write_bytes(b"import os\nos.system('true')\n")
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    return folder


def said(report: ScanReport) -> Any:
    """All a report says but how long it took."""
    for artifact in report.artifacts:
        artifact.seconds = 0.0
    return report.artifacts, report.edition, report.policy, report.left_out, report.outcome


class Inline:
    """Tasks done here and now, as a machine of a cluster does them: bytes in, bytes out."""

    def __call__(self, asked: deque[Request], policy: ScanPolicy, done: Any, /) -> None:
        for batch in on_ray._batches(list(asked), 2):
            answers = look_at_batch(edition(), frame(policy), [frame(request) for request in batch])
            assert not isinstance(answers, str)
            for request, answer in zip(batch, answers, strict=True):
                done(request, read_answer(answer, request))


@pytest.mark.parametrize("digests", [True, False])
def test_batches_find_what_one_scan_finds(tmp_path, digests):
    folder = models(tmp_path)
    assert said(scan([folder], digests=digests, spread=Inline())) == said(scan([folder], digests=digests))


def test_a_relative_path_is_found_by_a_machine_that_stands_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(models(tmp_path))
    [batch, *_] = on_ray._batches([Request("m00.pkl", "m00.pkl", ".", within="..")], 1)
    assert batch[0].path == str(tmp_path / "models" / "m00.pkl")
    assert (batch[0].root, batch[0].within) == (str(tmp_path / "models"), str(tmp_path))


def test_what_a_machine_does_not_have_is_unknown_there(tmp_path):
    away = str(tmp_path / "only-on-another")
    asked = [Request(f"{away}/m.pkl", "m.pkl", away, True), Request("", "", away, together=["m.pkl"])]
    answers = look_at_batch(edition(), frame(ScanPolicy()), [frame(request) for request in asked])
    assert not isinstance(answers, str)
    alone, together = (read_answer(data, request) for data, request in zip(answers, asked, strict=True))
    assert isinstance(alone, Artifact)
    assert isinstance(together, Together)
    assert [finding.level for finding in alone.findings] == [Level.UNKNOWN]
    assert "does not have `m.pkl`" in together.findings[0][1].message
    assert together.findings[0][1].level is Level.UNKNOWN


def test_a_machine_with_other_rules_is_refused():
    answer = look_at_batch("0.0.0+other", frame(ScanPolicy()), [])
    assert isinstance(answer, str)
    assert "install the same version" in answer


def test_batches_are_bounded_by_files_and_by_bytes(tmp_path, monkeypatch):
    large = tmp_path / "large"
    large.write_bytes(b"x" * 100)
    asked = [Request(str(large), f"{number}", str(tmp_path)) for number in range(40)]
    assert [len(batch) for batch in on_ray._batches(asked, 1)] == [20, 20]
    monkeypatch.setattr(on_ray, "BYTES", 1_000)
    assert [len(batch) for batch in on_ray._batches(asked, 1)] == [10] * 4
    assert list(on_ray._batches([], 4)) == []


@pytest.mark.parametrize(
    "address", ["", "head:10001", "ray://", "ray://head", "http://head:1", "auto", "ray://h:1;x"]
)
def test_what_is_no_cluster_is_refused(address):
    with pytest.raises(ScanFailedError, match="is no Ray cluster"):
        OnRay(address)


def test_without_ray_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ScanFailedError, match=r"alcaide\[ray\]"):
        scan([models(tmp_path)], spread=OnRay("ray"))


@pytest.mark.slow
def test_a_real_cluster_finds_what_a_scan_here_finds(tmp_path):
    pytest.importorskip("ray", exc_type=ImportError)
    folder = models(tmp_path)
    here = scan([folder], digests=True)
    try:
        there = scan([folder], digests=True, spread=OnRay("ray", 2))
    except ScanFailedError as error:
        if "cannot be reached" not in str(error):
            raise
        # Ray gives its own processes fifteen seconds to start, which a loaded machine may not manage.
        pytest.skip(f"no cluster could be started here: {error}")
    assert said(there) == said(here)


def test_an_answer_is_one_message():
    data = frame(Together([]))
    assert len(data) == LENGTH.size + LENGTH.unpack(data[: LENGTH.size])[0]
