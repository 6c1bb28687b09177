"""Arrow files are read by a reader of our own; lies in their headers are not followed."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.scan.data import scan_data
from alcaide.instruments.scan.data.policy import DataPolicy
from alcaide.instruments.scan.data.sources import open_source
from alcaide.instruments.scan.model import Outcome
from tests.unit.instruments.scan.data.builders import found

SAMPLE = Path(__file__).parent / "sample.arrow"
"""Made by pyarrow 24: 30 rows of each type that is read."""


def test_every_type_is_read() -> None:
    opened = open_source(SAMPLE, DataPolicy())
    with opened.engine as engine:
        types = {column.name: column.type for column in opened.table.columns}
        first = engine.rows("SELECT * EXCLUDE (__row) FROM data ORDER BY __row LIMIT 2")

    assert opened.table.rows == 30
    assert types == {
        "n": "BIGINT",
        "t": "VARCHAR",
        "f": "DOUBLE",
        "b": "BOOLEAN",
        "d": "VARCHAR",
        "w": "TIMESTAMP",
        "v": "DOUBLE[]",
        "m": "VARCHAR",
    }
    assert first[0][:3] == (0, "word 0", 0.5)
    assert first[1][1] is None


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 5000), byte=st.integers(0, 255))
def test_a_flipped_byte_never_faults(tmp_path_factory: pytest.TempPathFactory, at: int, byte: int) -> None:
    data = bytearray(SAMPLE.read_bytes())
    data[at % len(data)] = byte
    path = tmp_path_factory.mktemp("arrow") / "a.arrow"
    path.write_bytes(data)

    assert "data/fault" not in found(scan_data(path))


@settings(max_examples=12, deadline=None)
@given(share=st.floats(0.01, 0.95))
def test_a_cut_file_is_never_clean_of_unknowns_where_rows_are_missing(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    data = SAMPLE.read_bytes()
    path = tmp_path_factory.mktemp("arrow") / "a.arrow"
    path.write_bytes(data[: int(len(data) * share)])
    report = scan_data(path)

    assert "data/fault" not in found(report)
    assert report.rows == 30 or report.outcome is not Outcome.PASSED


def test_a_header_of_a_gigabyte_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(b"ARROW1\0\0" + struct.pack("<ii", -1, 1 << 30) + SAMPLE.read_bytes()[16:64])

    assert scan_data(path).outcome is Outcome.UNKNOWN


def test_values_come_out_as_they_went_in() -> None:
    opened = open_source(SAMPLE, DataPolicy())
    with opened.engine as engine:
        values = [row[0] for row in engine.rows("SELECT f FROM data ORDER BY __row")]

    assert values == list(np.arange(30) + 0.5)
