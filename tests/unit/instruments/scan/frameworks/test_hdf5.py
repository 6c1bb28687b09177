"""HDF5: what it holds, and where it leads."""

import pickle

import pytest

from alcaide.instruments.scan.hdf5 import Item, Reader
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.source import Memory
from tests.corpora.models.attacks.wire import hdf5
from tests.unit.instruments.scan.frameworks.samples import samples
from tests.unit.instruments.scan.looking import all_places, found, levels, look

ORDINARY = samples("ordinary")
LEADING_OUT = samples("leading-out")
VERSIONS = ["earliest", "latest"]


def free(_steps=1):
    """Pays for nothing."""


def items(data):
    return {item.path: item for item in Reader(Memory(data), free).items() if isinstance(item, Item)}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_link_and_attribute_is_found(version):
    held = items(ORDINARY[f"many-{version}.h5"])

    assert {f"/many/value {index}" for index in range(300)} < held.keys()
    texts = {attribute.name: attribute.values for attribute in held[""].attributes}
    assert texts == {f"note {index}": [f"text {index}".encode()] for index in range(40)}
    assert {link.name: link.kind for link in held[""].links}["soft"] == "soft"


@pytest.mark.parametrize("version", VERSIONS)
def test_shapes_and_filters_are_read(version):
    packed = items(ORDINARY[f"many-{version}.h5"])["/packed"]

    assert packed.shape == (100,)
    assert packed.is_dataset
    assert packed.storage.kind == "chunked"
    assert packed.storage.filters == [2, 1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("place", "path", "level"),
    [
        ("link", "/etc/secret.h5", Level.CRITICAL),
        ("group/beside", "beside.h5", Level.MEDIUM),
        ("stored", "/etc/passwd", Level.CRITICAL),
        ("virtual", "../../other.h5", Level.CRITICAL),
    ],
)
def test_what_lies_in_other_files_is_told(version, place, path, level):
    artifact = look(LEADING_OUT[f"{version}.h5"], "weights.h5")

    told = {(f.place, f.detail["path"], f.level) for f in artifact.findings if f.rule == "hdf5/outside-file"}
    assert (place, path, level) in told


@pytest.mark.parametrize("version", VERSIONS)
def test_a_pickle_in_an_attribute_is_looked_at(version):
    artifact = look(LEADING_OUT[f"{version}.h5"], "weights.h5")

    assert any("os.system" in f.message and f.place == "@pickle" for f in artifact.findings)


def test_a_text_attribute_that_pytables_unpickles_is_looked_at():
    evil = b"cos\nsystem\n(S'id'\ntR."
    of_pytables = hdf5({"PYTABLES_FORMAT_VERSION": b"2.1", "title": evil})
    of_nobody = hdf5({"title": evil})

    assert "@title" in all_places(look(of_pytables, "store.h5"))
    assert "@title" not in all_places(look(of_nobody, "store.h5"))


def test_a_sentence_is_no_pickle():
    data = hdf5(
        {"PYTABLES_FORMAT_VERSION": b"2.1", "title": b"In the beginning.", "other": b"Sales of 2021."}
    )

    assert look(data, "store.h5").findings == []


def test_pickled_columns_are_looked_at():
    evil = b"\x80\x04cos\nsystem\n\x8c\x02id\x85R."
    heap = b"GCOL\x01\0\0\0" + (16 + 16 + 32 + 16).to_bytes(8, "little")
    heap += (1).to_bytes(8, "little") + len(evil).to_bytes(8, "little") + evil.ljust(32, b"\0") + bytes(16)
    data = hdf5({"PSEUDOATOM": b"object"})

    assert "pickle/dangerous-callable" in found(look(data + heap, "store.h5"))
    assert "pickle/dangerous-callable" not in found(look(hdf5({"PSEUDOATOM": b"float"}) + heap, "store.h5"))


def test_a_harmless_pickle_in_an_attribute_is_let_through():
    assert look(hdf5({"list": pickle.dumps(["a", "b"])}), "store.h5").findings == []


def test_a_file_that_was_cut_is_unknown():
    artifact = look(ORDINARY["dense.h5"][:-500], "dense.h5")

    assert levels(artifact, "scan/truncated") == {Level.UNKNOWN}


def test_what_leads_out_is_found_in_a_file_that_was_cut():
    data = LEADING_OUT["earliest.h5"]

    assert "hdf5/outside-file" in found(look(data[:-16], "weights.h5"))


def test_an_impossible_version_is_malformed():
    data = bytearray(ORDINARY["dense.h5"])
    data[8] = 9

    assert levels(look(bytes(data), "dense.h5"), "scan/malformed") == {Level.MEDIUM}
