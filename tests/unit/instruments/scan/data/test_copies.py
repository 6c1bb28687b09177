"""Copies within a set and across sets are found, with their rows; what only looks alike is not."""

from __future__ import annotations

import random
from pathlib import Path

from alcaide.instruments.scan.data import scan_data
from tests.unit.instruments.scan.data.builders import REST, csv, found

CHANCE = random.Random(4)


def prose(count: int, words: int = 20) -> list[str]:
    return [" ".join(CHANCE.choices(REST, k=words)) + f" {n}" for n in range(count)]


def test_exact_copies_are_found_apart_from_identifiers() -> None:
    values = [n * 7 % 1000 / 10 for n in range(200)] + [0.7, 1.4]
    report = scan_data({"id": list(range(202)), "v": values, "w": [n % 50 for n in range(200)] + [1, 2]})

    assert report.marks["data/duplicates"].rows == (200, 201)


def test_rows_that_all_differ_have_no_copies() -> None:
    assert "data/duplicates" not in found(scan_data({"id": list(range(90)), "v": [n / 7 for n in range(90)]}))


def test_near_copies_are_found_and_unlike_texts_are_not() -> None:
    texts = prose(300, 40)
    near = texts[5].split()
    near[8] = "another"
    report = scan_data({"t": [*texts, " ".join(near)]})

    assert report.marks["data/near-duplicates"].rows == (300,)
    assert "data/near-duplicates" not in found(scan_data({"t": texts}))


def test_rows_of_the_test_set_are_found_in_the_training_set(tmp_path: Path) -> None:
    train = {"a": list(range(100)), "b": [n / 3 for n in range(100)]}
    test = csv(tmp_path / "test.csv", "a,b\n" + "".join(f"{n},{n / 3!r}\n" for n in range(95, 120)))
    report = scan_data(train, against={"test": test})

    assert report.marks["data/leakage"].rows == (95, 96, 97, 98, 99)
    apart = csv(tmp_path / "apart.csv", "a,b\n" + "".join(f"{n},{n / 3!r}\n" for n in range(200, 220)))
    assert "data/leakage" not in found(scan_data(train, against=apart))


def test_items_of_a_benchmark_inside_longer_texts() -> None:
    items = prose(20, 14)
    texts = prose(200)
    texts[17] = f"{texts[17]} {items[3]} {texts[18]}"
    report = scan_data({"t": texts}, against={"bench": {"question": items}})

    finding = next(one for one in report.findings if one.rule == "data/contamination")
    assert finding.detail["items"] == [3]
    assert finding.detail["rows"] == [17]
    assert "data/contamination" not in found(
        scan_data({"t": prose(200)}, against={"bench": {"question": items}})
    )


def test_another_set_that_cannot_be_read_is_unknown() -> None:
    report = scan_data({"a": list(range(30))}, against="/does/not/exist.csv")

    assert any("against" in one.message for one in report.findings if one.level == "unknown")
