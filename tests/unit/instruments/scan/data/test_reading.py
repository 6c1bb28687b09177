"""Every kind of source becomes the same rows, and what cannot be read is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from alcaide.instruments.scan.data import DataLimits, DataPolicy, scan_data
from alcaide.instruments.scan.data.engine import Engine
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level, Outcome
from tests.unit.instruments.scan.data.builders import csv, found, jsonl, sqlite, unknowns

TABLE = "name,amount,day\n" + "".join(f"thing {n % 7},{n},2024-01-{n % 28 + 1:02d}\n" for n in range(60))


def test_csv_columns_get_the_type_that_all_their_values_have(tmp_path: Path) -> None:
    report = scan_data(csv(tmp_path / "a.csv", TABLE))

    assert report.rows == 60
    assert {column.name: column.type for column in report.columns} == {
        "name": "VARCHAR",
        "amount": "BIGINT",
        "day": "DATE",
    }
    assert report.column("amount").maximum == 59.0


@pytest.mark.parametrize("name", ["a.csv.gz", "data.bin"])
def test_the_content_decides_what_a_file_is(tmp_path: Path, name: str) -> None:
    data = TABLE.encode()
    report = scan_data(csv(tmp_path / name, gzip.compress(data) if name.endswith("gz") else data))

    assert (report.kind, report.rows) == ("csv", 60)


def test_decimals_are_not_rounded_to_whole_numbers(tmp_path: Path) -> None:
    report = scan_data(csv(tmp_path / "a.csv", "n,m\n" + "".join(f"{n}.{n % 9},{n}\n" for n in range(99))))

    assert (report.column("n").type, report.column("m").type) == ("DOUBLE", "BIGINT")


def test_codes_with_leading_zeros_stay_text(tmp_path: Path) -> None:
    report = scan_data(csv(tmp_path / "a.csv", "code,n\n" + "".join(f"0{n},{n}\n" for n in range(100, 130))))

    assert report.column("code").type == "VARCHAR"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig", "cp1251", "shift_jis"])
def test_other_encodings_are_found_out(tmp_path: Path, encoding: str) -> None:
    word = {"cp1251": "Привет мир и люди", "shift_jis": "日本の時間と東京"}.get(
        encoding, "Jürgen fährt über Köln"
    )
    text = "who;where\n" + f"{word};x\n" * 30
    report = scan_data(csv(tmp_path / "a.csv", text.encode(encoding)))

    assert report.rows == 30
    assert report.column("who").length == (len(word), float(len(word)), len(word))


def test_ragged_rows_are_kept_and_said(tmp_path: Path) -> None:
    report = scan_data(csv(tmp_path / "a.csv", TABLE + "short\nlong,1,2024-01-01,4,5\n"))

    assert report.rows == 62
    assert "data/broken-rows" in found(report)
    assert report.marks["data/broken-rows"].rows == (60, 61)


def test_well_formed_rows_are_not_called_broken(tmp_path: Path) -> None:
    text = 'a,b\n1,"two, with ""quotes"""\n2,"three\nlines"\n' * 1 + "".join(f"{n},x\n" for n in range(9))

    assert "data/broken-rows" not in found(scan_data(csv(tmp_path / "a.csv", text)))


def test_nul_characters_are_said(tmp_path: Path) -> None:
    assert "data/odd-characters" in found(scan_data(csv(tmp_path / "a.csv", b"a,b\n1,x\x00y\n2,z\n3,w\n")))


def test_a_few_values_of_another_type_are_said_and_still_read(tmp_path: Path) -> None:
    rows = "".join(f"{n},x\n" for n in range(300))
    report = scan_data(csv(tmp_path / "a.csv", f"n,t\n{rows}anna@firma.example,y\n"))

    assert "data/mixed-types" in found(report)
    assert any(one.category == "EMAIL_ADDRESS" for one in report.column("n").sightings)


def test_a_line_over_the_limit_is_left_out_and_said(tmp_path: Path) -> None:
    policy = DataPolicy(limits=DataLimits(line=1 << 20))
    report = scan_data(
        csv(tmp_path / "a.csv", "a,b\n1,x\n2," + "y" * (2 << 20) + "\n3,z\n4,w\n"), policy=policy
    )

    assert "data/broken-rows" in found(report)
    assert report.outcome is not Outcome.PASSED


def test_json_lines_keep_numbers_of_broken_records(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "t": "x"}\n{broken\n[1]\n{"a": 3, "t": "y"}\n')
    report = scan_data(path)

    assert report.rows == 4
    assert report.marks["data/broken-rows"].rows == (1, 2)


def test_deeply_nested_json_is_unknown_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a":' + "[" * 50_000 + "]" * 50_000 + '}\n{"a": 1}\n')
    report = scan_data(path)

    assert report.outcome is Outcome.UNKNOWN
    assert "data/fault" not in found(report)


def test_a_json_array_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"a": 1}, {"a": 2, "b": "x"}]')

    assert scan_data(path).rows == 2


def test_parquet_is_asked_where_it_lies_and_files_of_a_folder_are_one_table(tmp_path: Path) -> None:
    import duckdb

    for part in range(2):
        duckdb.execute(
            f"COPY (SELECT range + {10 * part} AS n, 'x' AS t FROM range(10)) TO '{tmp_path}/{part}.parquet'"
        )
    report = scan_data(tmp_path)

    assert (report.kind, report.rows) == ("parquet", 20)
    assert report.column("n").maximum == 19.0


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_damaged_parquet_is_unknown(tmp_path: Path, damage: str) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.execute(f"COPY (SELECT range AS n, 'word ' || range AS t FROM range(5000)) TO '{path}'")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        data[40:80] = b"\xff" * 40
    else:
        data = bytearray(b"PAR1")
    path.write_bytes(data)
    report = scan_data(path)

    assert report.outcome is Outcome.UNKNOWN
    assert "data/fault" not in found(report)


def test_text_is_read_by_lines(tmp_path: Path) -> None:
    report = scan_data(csv(tmp_path / "a.txt", 'one line, here\nand "another\nlast'))

    assert (report.kind, report.rows) == ("text", 3)


def test_sqlite_is_read_and_not_written(tmp_path: Path) -> None:
    path = sqlite(
        tmp_path / "a.db", "CREATE TABLE t (a INTEGER, b TEXT)", [(n, f"v{n % 3}") for n in range(50)]
    )
    before = path.read_bytes()
    report = scan_data(f"sqlite://{path}?table=t")

    assert (report.kind, report.rows) == ("sqlite", 50)
    assert path.read_bytes() == before
    assert scan_data(path).rows == 50


def test_a_table_that_is_not_there_is_unknown_and_says_which_are(tmp_path: Path) -> None:
    path = sqlite(tmp_path / "a.db", "CREATE TABLE t (a INTEGER)", [(1,)])
    report = scan_data(f"sqlite://{path}?table=orders")

    assert report.outcome is Outcome.UNKNOWN
    assert "`t`" in unknowns(report)[0]


def test_columns_in_memory() -> None:
    report = scan_data({"a": np.arange(30), "b": ["x", None, "z"] * 10, "c": [1, "x", 2.5] * 10})

    assert report.rows == 30
    assert report.column("b").nulls == 10


def test_arrays_are_read_without_pickles(tmp_path: Path) -> None:
    np.savez(tmp_path / "good.npz", n=np.arange(20), v=np.ones((20, 8)))
    np.savez(tmp_path / "bad.npz", n=np.array([object()], dtype=object), allow_pickle=True)

    assert scan_data(tmp_path / "good.npz").rows == 20
    assert scan_data(tmp_path / "bad.npz").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "source", ["/does/not/exist.csv", "ftp://host/file", "postgresql://nobody@127.0.0.1:1/none?table=t"]
)
def test_what_cannot_be_had_is_unknown(source: str) -> None:
    report = scan_data(source)

    assert report.outcome is Outcome.UNKNOWN
    assert unknowns(report)


def test_objects_over_the_network_are_unknown_without_their_reader() -> None:
    report = scan_data("s3://bucket/data.parquet")

    assert report.outcome is Outcome.UNKNOWN
    assert "httpfs" in unknowns(report)[0]


def test_a_password_in_a_url_is_not_repeated() -> None:
    assert "hunter2" not in str(scan_data("postgresql://me:hunter2@127.0.0.1:1/none").to_json())


def test_no_rows_is_not_a_pass(tmp_path: Path) -> None:
    assert scan_data(csv(tmp_path / "a.csv", "a,b\n")).outcome is not Outcome.PASSED
    assert scan_data({"a": []}).outcome is not Outcome.PASSED


def test_names_of_columns_cannot_break_out_of_a_query(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{'x" FROM y; DROP TABLE z; --': n, "it's": "v"} for n in range(30)])
    report = scan_data(path)

    assert report.rows == 30
    assert "data/fault" not in found(report)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM read_text('/etc/passwd')",
        "INSTALL httpfs",
        "ATTACH '/tmp/somewhere.db'",
        "SET enable_external_access = true",
        "COPY (SELECT 1) TO '/tmp/elsewhere.csv'",
    ],
)
def test_the_engine_opens_nothing_but_the_data(statement: str) -> None:
    with Engine(DataPolicy()) as engine, pytest.raises(Malformed):
        engine.rows(statement)


def test_the_scratch_folder_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scan_data({"a": list(range(20))})

    assert list(tmp_path.iterdir()) == []


def test_time_that_is_up_is_unknown(tmp_path: Path) -> None:
    report = scan_data({"a": list(range(20))}, policy=DataPolicy(limits=DataLimits(seconds=0)))

    assert report.outcome is Outcome.UNKNOWN
    assert any(
        finding.rule == "data/over-budget" and finding.level is Level.UNKNOWN for finding in report.findings
    )
