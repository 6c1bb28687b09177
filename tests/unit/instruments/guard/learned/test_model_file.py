"""The weights' file: what is written can be read, and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest

from alcaide.instruments.guard.learned import model_file
from alcaide.kernel.errors import InvalidInput

HEADER = {
    "name": "test",
    "version": "1",
    "recipe": "sha256:0",
    "data": {},
    "thresholds": {"shipped": 0.5},
    "calibration": {},
}
ARRAYS = {"table": np.arange(8, dtype=np.int8), "bias": np.array([0.25])}


def test_a_model_comes_back_as_it_was_written():
    model = model_file.read(model_file.written(HEADER, ARRAYS), name="test")

    assert model.name == "test"
    assert model.threshold("shipped") == 0.5
    assert model.arrays["table"].tolist() == list(range(8))


def test_the_same_model_is_the_same_bytes():
    backwards = dict(reversed(ARRAYS.items()))
    assert model_file.written(HEADER, ARRAYS) == model_file.written(dict(reversed(HEADER.items())), backwards)


def test_its_arrays_cannot_be_changed():
    model = model_file.read(model_file.written(HEADER, ARRAYS), name="test")
    with pytest.raises(ValueError, match="read-only"):
        model.arrays["table"][0] = 1


def test_a_header_without_its_data_is_not_written():
    with pytest.raises(InvalidInput, match="lacks `data`"):
        model_file.written({name: value for name, value in HEADER.items() if name != "data"}, ARRAYS)


def test_pickles_are_not_opened():
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"name": "x"}], dtype=object))
    with pytest.raises(InvalidInput, match="cannot be read"):
        model_file.read(buffer.getvalue(), name="evil")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 100])
def test_what_is_no_model_is_named(content: bytes):
    with pytest.raises(InvalidInput, match="model `x` cannot be read"):
        model_file.read(content, name="x")


def test_a_model_for_another_hashing_is_refused(monkeypatch: pytest.MonkeyPatch):
    content = model_file.written(HEADER, ARRAYS)
    monkeypatch.setattr(model_file.ngrams, "VERSION", 99)
    with pytest.raises(InvalidInput, match="make train-guard"):
        model_file.read(content, name="old")


def test_a_model_that_unfolds_too_far_is_refused(monkeypatch: pytest.MonkeyPatch):
    content = model_file.written(HEADER, {"zeros": np.zeros(1 << 20, dtype=np.int8)})
    monkeypatch.setattr(model_file, "LARGEST", 1 << 16)
    with pytest.raises(InvalidInput, match="more than"):
        model_file.read(content, name="bomb")
