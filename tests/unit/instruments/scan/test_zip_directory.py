"""A zip's directory is read as loaders read it, and what they could read differently is said."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.scan.source import Memory
from alcaide.instruments.scan.zip_directory import overlaps, read_directory


def archive(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
        made.comment = comment
    return buffer.getvalue()


def kinds(data: bytes) -> set[str]:
    directory = read_directory(Memory(data))
    assert directory is not None
    entries = list(directory)
    problems = [
        *directory.problems,
        *(problem for entry in entries for problem in directory.disagreements(entry)),
    ]
    return {problem.kind for problem in problems}


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=20
        ),
        st.binary(max_size=50),
        max_size=8,
    ),
    st.binary(max_size=20).filter(lambda comment: b"PK" not in comment),
    st.sampled_from([b"", b"#!/bin/sh\n" * 3]),
)
def test_it_reads_what_zipfile_reads(members: dict[str, bytes], comment: bytes, prefix: bytes):
    data = prefix + archive(members, comment)
    directory = read_directory(Memory(data))
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        expected = [
            (info.filename, info.file_size, info.CRC, theirs.read(info)) for info in theirs.infolist()
        ]

    assert directory is not None
    ours = []
    for entry in directory:
        content = directory.data(entry)
        assert content is not None
        ours.append((entry.name, entry.size, entry.crc, content.read(0, content.size)))
    assert ours == expected
    assert kinds(data) == ({"prefix"} if prefix else set())


def test_bytes_after_the_end_are_said():
    assert kinds(archive({"a": b"x"}, b"c") + b"more") == {"trailing"}


def test_an_end_record_in_the_comment_is_the_one_that_counts():
    inner = archive({"inner": b"y"})

    directory = read_directory(Memory(archive({"outer": b"x"}, inner)))

    assert directory is not None
    assert [entry.name for entry in directory] == ["inner"]
    assert "prefix" in {problem.kind for problem in directory.problems}


def test_another_name_before_the_bytes_is_said():
    assert kinds(archive({"abc": b"x"}).replace(b"abc", b"xyz", 1)) == {"local"}


def test_a_wrong_count_is_said():
    data = bytearray(archive({"a": b"x", "b": b"y"}))
    struct.pack_into("<HH", data, len(data) - 14, 1, 1)

    assert kinds(bytes(data)) == {"count"}


def test_entries_that_share_bytes_are_said():
    directory = read_directory(Memory(archive({"a": b"x" * 50, "b": b"y"})))
    assert directory is not None
    first, second = directory

    assert overlaps([first, second]) is None
    problem = overlaps([first, second._replace(header_offset=first.header_offset + 10)])
    assert problem is not None
    assert problem.kind == "overlap"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\5\6", b"no archive at all, only text of some length"])
def test_what_is_no_archive_has_no_directory(data: bytes):
    assert read_directory(Memory(data)) is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=8), st.integers(0, 400))
def test_any_bytes_end(edits: list[tuple[int, int]], cut: int):
    data = bytearray(archive({"a": b"x" * 20, "b/c": b"y" * 20}, b"comment"))
    for at, value in edits:
        data[at % len(data)] = value
    directory = read_directory(Memory(bytes(data[: len(data) - cut % len(data)])))
    if directory is not None:
        for entry in directory:
            directory.disagreements(entry)
            directory.names_disagree(entry)
