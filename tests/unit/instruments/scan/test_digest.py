"""Digests: right whatever the size, in parallel, remembered only while the file is the same."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from alcaide.instruments.scan import cache as module
from alcaide.instruments.scan.cache import FILE, Identity, ScanCache, result_key
from alcaide.instruments.scan.digest import PIECE, digest_file, digest_files
from alcaide.instruments.scan.folder import Target
from alcaide.instruments.scan.known import KnownResults
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node
from alcaide.instruments.scan.policy import ScanPolicy


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been written long ago."""
    monkeypatch.setattr(module, "SETTLED", -3600.0)


@pytest.fixture
def cache(tmp_path: Path) -> ScanCache:
    return ScanCache(tmp_path / "cache")


def written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_digests_are_right_at_every_size_and_come_in_the_order_asked(tmp_path: Path) -> None:
    sizes = [0, 1, 2047, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 65_536, 65_537, *range(100, 260)]
    paths = [
        written(tmp_path / f"{number:03}", os.urandom(64) * (size // 64 + 1))
        for number, size in enumerate(sizes)
    ]
    for path, size in zip(paths, sizes, strict=True):
        os.truncate(path, size)
    seen: list[tuple[int, int]] = []
    for workers in (1, 3):
        found = digest_files(paths, workers=workers, progress=lambda done, total: seen.append((done, total)))
        assert [one.path for one in found] == paths
        assert [one.sha256 for one in found] == [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths]
        assert [one.size for one in found] == sizes
        assert seen[-1] == (len(paths), len(paths))


def test_what_is_no_plain_file_is_not_read_from(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(written(tmp_path / "there", b"x"))
    found = digest_files([tmp_path / name for name in ("pipe", "folder", "missing")])
    assert [one.sha256 for one in found] == [None] * 3
    assert ["not a plain file" in one.problem for one in found] == [True, True, False]
    assert "No such file" in found[2].problem
    assert digest_file(tmp_path / "link").sha256 == hashlib.sha256(b"x").hexdigest()
    assert digest_file(tmp_path / "link", follow=False).sha256 is None


def test_a_file_that_changes_while_it_is_read_has_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "weights", b"a" * (2 * PIECE))
    real = os.readv

    def read_and_grow(descriptor: int, buffers: list[memoryview]) -> int:
        with path.open("ab") as handle:
            handle.write(b"more")
        monkeypatch.setattr(os, "readv", real)
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", read_and_grow)
    found = digest_file(path)
    assert (found.sha256, found.problem) == (None, "it changed while it was read")


@pytest.mark.usefixtures("settled")
def test_a_digest_is_reused_while_the_file_is_the_same(tmp_path: Path, cache: ScanCache) -> None:
    path = written(tmp_path / "weights", b"first")
    assert not digest_file(path, cache=cache).reused
    again = digest_file(path, cache=ScanCache(cache.folder))
    assert (again.reused, again.sha256) == (True, hashlib.sha256(b"first").hexdigest())


@pytest.mark.usefixtures("settled")
def test_a_changed_file_is_hashed_again_even_if_its_times_are_turned_back(
    tmp_path: Path, cache: ScanCache
) -> None:
    path = written(tmp_path / "weights", b"first")
    before = path.stat()
    digest_file(path, cache=cache)
    with path.open("r+b") as handle:
        handle.write(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    found = digest_file(path, cache=cache)
    assert (found.reused, found.sha256) == (False, hashlib.sha256(b"other").hexdigest())


def test_a_file_written_just_now_is_not_remembered(tmp_path: Path, cache: ScanCache) -> None:
    path = written(tmp_path / "weights", b"first")
    digest_file(path, cache=cache)
    assert not digest_file(path, cache=cache).reused


@pytest.mark.usefixtures("settled")
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path: Path, cache: ScanCache) -> None:
    path = written(tmp_path / "weights", b"first")
    digest_file(path, cache=cache)
    cache.close()
    for suffix in ("-wal", "-shm"):
        (cache.folder / (FILE + suffix)).unlink(missing_ok=True)
    (cache.folder / FILE).write_bytes(b"no database" * 1000)
    fresh = ScanCache(cache.folder)
    right = hashlib.sha256(b"first").hexdigest()
    assert [digest_file(path, cache=fresh).sha256 for _ in range(3)] == [right] * 3
    assert digest_file(path, cache=fresh).reused


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_cache_that_others_may_write_to_is_not_believed(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    assert not ScanCache(folder).usable
    folder.chmod(0o700)
    assert ScanCache(folder).usable
    (tmp_path / "link").symlink_to(folder)
    assert not ScanCache(tmp_path / "link").usable


@pytest.mark.usefixtures("settled")
def test_the_cache_is_bounded(tmp_path: Path) -> None:
    cache = ScanCache(tmp_path / "cache", max_digests=100)
    for number in range(2_101):
        cache.remember_digest(Identity(f"/f{number}", 1, 2**64 - 1, 3, 4, 5), "0" * 64)
    import sqlite3

    with sqlite3.connect(cache.folder / FILE) as conn:
        (count,) = conn.execute("SELECT count(*) FROM digest").fetchone()
    conn.close()
    assert count <= 1_100
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


def test_processes_may_share_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from alcaide.instruments.scan.cache import ScanCache\n"
        "from alcaide.instruments.scan.digest import Identity\n"
        "cache = ScanCache(Path(sys.argv[1]))\n"
        "for n in range(200):\n"
        "    cache.remember_digest(Identity(f'/{sys.argv[2]}/{n}', 1, 2, 3, 4, 5), sys.argv[2] * 64)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "cache"), name]) for name in "abc"
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    cache = ScanCache(tmp_path / "cache")
    kept = [
        cache.digest(Identity(f"/{name}/{number}", 1, 2, 3, 4, 5)) for name in "abc" for number in range(200)
    ]
    # One that found the file locked for too long goes without; what is kept is right.
    assert {one for one in kept if one} == {"a" * 64, "b" * 64, "c" * 64}


def an_artifact(name: str = "weights.bin") -> Artifact:
    child = Node("data.pkl", 3, ["pickle"], {"calls": ["os.system"]})
    finding = Finding(
        "pickle/call", Level.CRITICAL, "loading it calls `os.system`", "data.pkl", 7, {"a": [1]}
    )
    return Artifact(name, Node(name, 5, ["zip"], {"n": 1}, [child], 2), [finding], None, 0.25)


KEY = ("1" * 64, "weights.bin", "0.1+e", "p", "")


def test_a_result_comes_back_as_it_was(cache: ScanCache) -> None:
    cache.remember_result(result_key(*KEY), an_artifact())
    assert cache.result(result_key(*KEY)) == an_artifact()


@pytest.mark.parametrize("position", range(5))
def test_a_result_is_kept_for_these_bytes_name_edition_policy_and_neighbours(
    cache: ScanCache, position: int
) -> None:
    cache.remember_result(result_key(*KEY), an_artifact())
    other = tuple(f"{part}x" if place == position else part for place, part in enumerate(KEY))
    assert cache.result(result_key(*other)) is None


@pytest.mark.parametrize("rule", ["scan/over-budget", "scan/fault", "scan/unreadable"])
def test_what_depends_on_the_hour_is_not_kept(cache: ScanCache, rule: str) -> None:
    artifact = an_artifact()
    artifact.findings.append(Finding(rule, Level.UNKNOWN, "took too long"))
    cache.remember_result(result_key(*KEY), artifact)
    assert cache.result(result_key(*KEY)) is None


@pytest.mark.usefixtures("settled")
def test_a_scan_is_told_what_was_found_in_the_same_bytes_elsewhere(tmp_path: Path, cache: ScanCache) -> None:
    first = Target(str(written(tmp_path / "a" / "w.bin", b"bytes")), "w.bin", str(tmp_path / "a"))
    second = Target(str(written(tmp_path / "b" / "w.bin", b"bytes")), "deep/w.bin", str(tmp_path / "b"))
    known = KnownResults(cache, ScanPolicy(), "0.1+e")
    assert known.recall(first) is None
    known.prepare([first.path, second.path])
    known.remember(first, an_artifact("w.bin"))
    found = known.recall(second)
    assert found is not None
    assert (found.path, found.sha256) == ("deep/w.bin", hashlib.sha256(b"bytes").hexdigest())
    assert KnownResults(cache, ScanPolicy(fail_on=Level.HIGH), "0.1+e", digests=True).recall(second) is None
    assert KnownResults(cache, ScanPolicy(), "0.2+e", digests=True).recall(second) is None


@pytest.mark.usefixtures("settled")
def test_what_depends_on_the_neighbours_is_not_taken_over_beside_others(
    tmp_path: Path, cache: ScanCache
) -> None:
    first = Target(str(written(tmp_path / "a" / "w.bin", b"bytes")), "w.bin", str(tmp_path / "a"))
    second = Target(str(written(tmp_path / "b" / "w.bin", b"bytes")), "w.bin", str(tmp_path / "b"))
    written(tmp_path / "b" / "evil.py", b"import os")
    known = KnownResults(cache, ScanPolicy(), "0.1+e", digests=True)
    known.prepare([first.path, second.path])
    artifact = an_artifact("w.bin")
    artifact.looked_beside = True
    known.remember(first, artifact)
    assert known.recall(first) is not None
    assert known.recall(second) is None


@pytest.mark.usefixtures("settled")
def test_a_result_is_not_kept_for_bytes_that_changed_before_the_look(
    tmp_path: Path, cache: ScanCache
) -> None:
    target = Target(str(written(tmp_path / "w.bin", b"clean")), "w.bin", str(tmp_path))
    known = KnownResults(cache, ScanPolicy(), "0.1+e")
    known.prepare([target.path])
    Path(target.path).write_bytes(b"other")
    known.remember(target, an_artifact("w.bin"))
    Path(target.path).write_bytes(b"clean")
    assert KnownResults(cache, ScanPolicy(), "0.1+e", digests=True).recall(target) is None
