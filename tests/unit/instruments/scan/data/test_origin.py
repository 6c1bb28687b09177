"""Where a set is from, under which terms, whether it is registered, and what wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alcaide.instruments.scan.data import DataPolicy, scan_data
from alcaide.instruments.scan.model import Level, Outcome
from tests.unit.instruments.scan.data.builders import csv, found, jsonl

ROWS = "a,b\n" + "".join(f"{n},{n * 3 % 7}\n" for n in range(30))
CARD = "---\nlicense: cc-by-4.0\nsource_datasets:\n- original\n---\n# Things\n"


def test_a_set_without_a_card_lacks_licence_and_origin(tmp_path: Path) -> None:
    assert {"data/no-licence", "data/no-provenance"} <= found(scan_data(csv(tmp_path / "a.csv", ROWS)))


def test_a_card_beside_the_data_is_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    report = scan_data(csv(tmp_path / "a.csv", ROWS))

    assert not {"data/no-licence", "data/no-provenance"} & found(report)
    assert report.facts["card"]["licence"] == "cc-by-4.0"


def test_fields_that_are_given_count_as_a_card() -> None:
    report = scan_data({"a": list(range(30))}, card={"license": "CC-BY-NC-4.0", "source": "measured here"})

    assert "data/restricted-licence" in found(report)
    assert "data/no-licence" not in found(report)


@pytest.mark.parametrize(
    "text", ["---\n&a [*a]\n---\n", "---\n!!python/object:os.system x\n---\n", "---\n{{{\n---\n"]
)
def test_a_hostile_card_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    report = scan_data(csv(tmp_path / "a.csv", ROWS))

    assert "data/no-licence" in found(report)
    assert "data/fault" not in found(report)


@pytest.mark.parametrize(
    ("answer", "outcome"), [(True, Outcome.PASSED), (False, Outcome.FAILED), (None, Outcome.UNKNOWN)]
)
def test_the_register_is_asked_by_digest(tmp_path: Path, answer: bool | None, outcome: Outcome) -> None:
    asked: list[tuple[str, str | None]] = []

    def register(name: str, sha256: str | None) -> bool | None:
        asked.append((name, sha256))
        return answer

    path = csv(tmp_path / "a.csv", ROWS)
    report = scan_data(path, register=register)

    assert report.outcome is outcome
    assert asked == [(str(path), report.sha256)]
    assert report.sha256 is not None


def test_texts_that_speak_of_being_a_model_are_marked() -> None:
    texts = [f"some words about thing {n} and what it was like there" for n in range(60)]
    texts[5] = texts[9] = "As an AI language model, I cannot have opinions about thing 5, but here is one"

    assert scan_data({"t": texts}).marks["data/synthetic"].rows == (5, 9)
    assert "data/synthetic" not in found(scan_data({"t": texts[10:]}))


def conversation(*turns: tuple[str, str]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def test_conversations_are_recognised_and_odd_ones_said(tmp_path: Path) -> None:
    rows = [
        conversation(("user", f"what is {n} plus one?"), ("assistant", f"it is {n + 1}")) for n in range(30)
    ]
    rows[3] = conversation(("user", "hello there"), ("assistant", ""))
    rows[4] = conversation(("wizard", "hello there"), ("assistant", "hello to you"))
    report = scan_data(jsonl(tmp_path / "a.jsonl", rows))

    assert report.column("messages").role == "conversation"
    assert set(report.marks["data/odd-conversations"].rows) == {3, 4}


def test_preferences_that_prefer_nothing_are_said(tmp_path: Path) -> None:
    rows = [{"prompt": f"question {n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(30)]
    rows[6]["rejected"] = rows[6]["chosen"]

    assert scan_data(jsonl(tmp_path / "a.jsonl", rows)).marks["data/odd-conversations"].rows == (6,)


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[str, float]] = []
    scan_data({"a": list(range(30))}, progress=lambda name, share: told.append((name, share)))

    assert told[0] == ("open", 0.0)
    assert told[-1] == ("done", 1.0)
    assert [share for _, share in told] == sorted(share for _, share in told)


def test_a_check_that_fails_is_unknown_and_the_others_go_on() -> None:
    class Broken:
        def look(self, text: str) -> list[tuple[str, float, int, int]]:
            raise RuntimeError("out of order")

    texts = [f"some words about thing {n} and what it was like there" for n in range(60)]
    report = scan_data({"t": [*texts, texts[0]]}, guard=Broken(), policy=DataPolicy())

    assert any(one.rule == "data/fault" and one.level is Level.UNKNOWN for one in report.findings)
    assert "data/duplicates" in found(report)
