"""An archive may come from a stranger: whatever its bytes are, it is refused with a sentence."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alcaide.kernel.backup import archive
from alcaide.kernel.backup.archive import new_archive, open_archive, safe_name
from alcaide.kernel.errors import AlcaideError, Conflict, Corrupt, InvalidInput, TooLarge

SHA_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def described(**sizes):
    return json.dumps(
        {"members": {name: {"size": size, "sha256": SHA_OF_NOTHING} for name, size in sizes.items()}}
    )


def a_zip(path, members, *, compress=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compress) as zipped:
        for name, content in members:
            zipped.writestr(name, content)
    return path


def read_all(path, **more):
    with open_archive(path, **more) as opened:
        opened.check_all()
        return dict(opened.members)


def test_what_is_written_reads_back(tmp_path):
    with new_archive(tmp_path / "a.backup") as writer:
        writer.add("data/a/b.txt", [b"one", b"two"])
        writer.add("data/empty", [])
        writer.finish({"format": "x"})

    with open_archive(tmp_path / "a.backup") as opened:
        assert b"".join(opened.read("data/a/b.txt")) == b"onetwo"
        assert b"".join(opened.read("data/empty")) == b""
        assert opened.manifest["format"] == "x"


def test_an_interrupted_archive_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_archive(tmp_path / "a.backup") as writer:
        writer.add("data/a", [b"x"])
        raise KeyboardInterrupt

    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_not_written_over(tmp_path):
    (tmp_path / "a.backup").write_text("precious")

    with pytest.raises(Conflict), new_archive(tmp_path / "a.backup"):
        pass
    assert (tmp_path / "a.backup").read_text() == "precious"


@pytest.mark.parametrize(
    "name",
    [
        "../keys/secret",
        "data/../../etc/passwd",
        "/etc/passwd",
        "data//x",
        "data/./x",
        "data/.hidden",
        "C:/x",
        "data\\..\\x",
        "data/x\n",
        "data/x\x7f",
        "",
        "data/",
        "a/" * 20 + "x",
        "x" * 300,
    ],
)
def test_a_name_that_could_leave_its_folder_is_refused(tmp_path, name):
    assert not safe_name(name)
    path = a_zip(tmp_path / "a", [(name or "/", b""), ("manifest.json", described())])

    with pytest.raises(AlcaideError):
        read_all(path)


def test_a_link_is_refused(tmp_path):
    entry = zipfile.ZipInfo("data/link")
    entry.external_attr = (0o120777) << 16
    path = a_zip(tmp_path / "a", [(entry, b"/etc/passwd"), ("manifest.json", described(**{"data/link": 11}))])

    with pytest.raises(InvalidInput, match="data folder"):
        read_all(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(tmp_path):
    path = a_zip(tmp_path / "a", [("x", b""), ("x", b""), ("manifest.json", described(x=0))])

    with pytest.raises(InvalidInput, match="twice"):
        read_all(path)


def test_names_that_differ_in_case_only_are_refused(tmp_path):
    path = a_zip(tmp_path / "a", [("x", b""), ("X", b""), ("manifest.json", described(x=0, X=0))])

    with pytest.raises(InvalidInput, match="twice"):
        read_all(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = a_zip(tmp_path / "a", [("x", b"\0" * 20_000_000), ("manifest.json", described(x=20_000_000))])

    with pytest.raises(TooLarge, match="250 times"), open_archive(path):
        pass


def test_more_than_the_allowed_total_is_refused(tmp_path):
    path = a_zip(
        tmp_path / "a",
        [("x", b"x" * 5_000), ("manifest.json", described(x=5_000))],
        compress=zipfile.ZIP_STORED,
    )

    with pytest.raises(TooLarge, match="over the limit"):
        read_all(path, max_total=5_000)


def test_members_that_share_bytes_are_refused(tmp_path):
    """The overlapping bomb: two directory entries, one content."""
    path = a_zip(
        tmp_path / "a", [("x", b"x" * 100), ("y", b"y" * 100), ("manifest.json", described(x=100, y=100))]
    )
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    content[second + 42 : second + 46] = struct.pack("<I", 0)
    path.write_bytes(content)

    with pytest.raises(InvalidInput, match="overlaps"):
        read_all(path)


def test_a_size_that_lies_is_noticed(tmp_path):
    """The directory claims fewer bytes than deflate gives."""
    path = a_zip(tmp_path / "a", [("x", b"x" * 3_000), ("manifest.json", described(x=100))])
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 100)
    path.write_bytes(content)

    with pytest.raises(Corrupt):
        read_all(path)


def test_more_members_than_allowed_are_refused_before_the_directory_is_read(tmp_path, monkeypatch):
    path = a_zip(tmp_path / "a", [*((f"m{n}", b"") for n in range(5)), ("manifest.json", described())])
    monkeypatch.setattr(archive, "MAX_MEMBERS", 4)
    monkeypatch.setattr(zipfile, "ZipFile", None)

    with pytest.raises(TooLarge, match="more than 4"), open_archive(path):
        pass


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"members": []}',
        '{"members": {"x": 1}}',
        '{"members": {}, "members": {}}',
        "[" * 500,
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path, manifest):
    path = a_zip(tmp_path / "a", [("x", b""), ("manifest.json", manifest)])

    with pytest.raises(AlcaideError):
        read_all(path)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(AlcaideError):
        read_all(tmp_path / "a")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidInput, match="no such file"):
        read_all(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def sound():
    target = io.BytesIO()
    parts = {"data/a": b"hello " * 50, "tables/t.jsonl": b"[1]\n[2]\n"}
    members = {}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            import hashlib

            zipped.writestr(name, content)
            members[name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        zipped.writestr("manifest.json", json.dumps({"members": members}))
    return target.getvalue(), members


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_altered_bytes_are_refused_or_change_nothing(sound, tmp_path, data):
    """Any byte of the file may change: either a sentence says no, or every member is what it was."""
    content, members = sound
    altered = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del altered[data.draw(st.integers(0, len(altered))) :]
    path = tmp_path / "a"
    path.write_bytes(altered)

    try:
        found = read_all(path)
    except AlcaideError as problem:
        said = str(problem)
        assert said[0].islower() or said[0] == "`"
    else:
        assert found == members


@pytest.mark.parametrize("content", [b"[1]\n[2]", b"\n\n", b""])
def test_lines_end_where_they_end(tmp_path, content):
    with new_archive(tmp_path / "a") as writer:
        writer.add("t", [content])
        writer.finish({})

    with open_archive(tmp_path / "a") as opened:
        if content and not content.endswith(b"\n"):
            with pytest.raises(Corrupt, match="middle of a line"):
                list(opened.lines("t", 100))
        else:
            assert list(opened.lines("t", 100)) == content.split(b"\n")[:-1]


def test_a_line_without_end_is_not_held_in_memory(tmp_path):
    with new_archive(tmp_path / "a") as writer:
        writer.add("t", [zlib.compress(bytes(n % 251 for n in range(50_000)), 0)] * 20)
        writer.finish({})

    with open_archive(tmp_path / "a") as opened, pytest.raises(TooLarge, match="line over"):
        list(opened.lines("t", 10))
