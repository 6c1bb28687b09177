"""Pictures, sounds, documents, tables: recognised, and checked for what hides behind them."""

import io
import sqlite3
import struct
import wave
import zipfile
import zlib

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look


def a_png():
    def block(kind, data):
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    header = struct.pack(">LLBBBBB", 4, 4, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(4) for _ in range(4)))
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", header) + block(b"IDAT", rows) + block(b"IEND", b"")


def a_wav():
    held = io.BytesIO()
    with wave.open(held, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(800))
    return held.getvalue()


def a_database(tmp_path, *statements):
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path.read_bytes()


GIF = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xda\0\x08\x01\x01\0\0?\0abc\xff\0\xff\xd3\xff\xd9"
BMP = b"BM" + (62).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + b"\x28\0\0\0" + bytes(44)
PICTURES = {"png": a_png(), "gif": GIF, "jpeg": JPEG, "bmp": BMP}


def a_zip():
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.txt", "hi")
    return held.getvalue()


@pytest.mark.parametrize(("kind", "data"), PICTURES.items())
def test_pictures_are_recognised_and_quiet(kind, data):
    artifact = look(data, f"logo.{kind}")

    assert artifact.node.formats == [kind]
    assert is_quiet(artifact)


@pytest.mark.parametrize(("kind", "data"), PICTURES.items())
def test_an_archive_behind_a_picture_is_told(kind, data):
    artifact = look(data + a_zip(), f"logo.{kind}")

    assert levels(artifact, "media/trailing-bytes") == {Level.MEDIUM}
    assert {kind, "zip"} == set(artifact.node.formats)


def test_padding_behind_a_picture_is_nothing_and_what_cameras_leave_is_a_note():
    assert is_quiet(look(a_png() + bytes(100), "a.png"))
    assert levels(look(JPEG + b"SEFT camera data" * 20, "a.jpg"), "media/trailing-bytes") == {Level.LOW}


def test_a_pickle_behind_a_sound_is_looked_at():
    artifact = look(a_wav() + b"\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94.", "a.wav")

    assert levels(artifact, "media/trailing-bytes") == {Level.MEDIUM}


def test_a_picture_that_is_cut_is_unknown():
    assert "scan/truncated" in found(look(a_png()[:-20], "a.png"))


def test_a_document_that_starts_a_program_is_high():
    launch = b"%PDF-1.4\n1 0 obj<</OpenAction<</S/La#75nch/F(x.exe)>>>>endobj\n%%EOF\n"

    assert levels(look(launch, "a.pdf"), "document/active-content") == {Level.HIGH}
    assert is_quiet(look(b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n", "a.pdf"))


def test_script_in_packed_objects_of_a_document_is_found():
    packed = zlib.compress(b"5 0 <</S/JavaScript/JS(app.alert(1))>>")
    data = (
        b"%PDF-1.5\n1 0 obj<</AA 2 0 R/Type/ObjStm/Filter/FlateDecode>>stream\n"
        + packed
        + b"\nendstream endobj\n%%EOF\n"
    )

    assert "document/active-content" in found(look(data, "a.pdf"))


def test_a_database_is_quiet_and_one_that_loads_code_is_not(tmp_path):
    plain = a_database(tmp_path, "create table t(a)", "insert into t values(1)")

    assert is_quiet(look(plain, "a.db"))
    acting = plain.replace(b"CREATE TABLE t(a)", b"load_extension(a)")
    assert levels(look(acting, "a.db"), "database/loads-code") == {Level.HIGH}


def test_a_table_without_its_footer_is_unknown():
    assert "scan/truncated" in found(look(b"PAR1" + bytes(100), "a.parquet"))
    assert "scan/malformed" in found(look(b"PAR1" + bytes(8) + b"\xff\xff\xff\x00PAR1", "a.parquet"))


def test_a_table_whose_schema_names_a_pickle_is_critical():
    footer = b"arrow.py_extension_type" + bytes(20)
    data = b"PAR1" + bytes(20) + footer + len(footer).to_bytes(4, "little") + b"PAR1"

    assert levels(look(data, "a.parquet"), "table/python-objects") == {Level.CRITICAL}
