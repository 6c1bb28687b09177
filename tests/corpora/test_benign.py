"""The benign corpus is what its manifest says, and stays broad and small."""

import hashlib
import json
import zipfile
from pathlib import Path

from tests.corpora.models import benign


def test_every_file_is_the_one_that_was_written(tmp_path: Path):
    entries = json.loads(benign.MANIFEST.read_text())
    benign.unpack(tmp_path)

    for entry in entries:
        for name, digest in entry["files"].items():
            assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest, name


def test_the_archive_holds_nothing_that_the_manifest_does_not_name():
    entries = json.loads(benign.MANIFEST.read_text())

    with zipfile.ZipFile(benign.ARCHIVE) as archive:
        assert sorted(archive.namelist()) == sorted(name for entry in entries for name in entry["files"])


def test_it_is_broad_and_small(tmp_path: Path):
    models = benign.unpack(tmp_path)

    assert len(models) >= 180
    assert len({model.library for model in models}) >= 18
    assert benign.ARCHIVE.stat().st_size < 8_000_000
    assert all(model.path.exists() for model in models)
