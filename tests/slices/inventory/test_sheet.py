"""Spreadsheets as they really come, and as somebody makes them who means harm."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.ids import slug
from alcaide.slices.inventory.model import Stage, System
from alcaide.slices.inventory.rules import sheet as sheets
from alcaide.slices.inventory.rules.delimited import write_csv
from alcaide.slices.inventory.rules.sheet import SheetPlan, plan_systems, read_sheet
from alcaide.slices.inventory.rules.validate import system_fields

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
TEXT = "name,title,owner\nloan-desk,Crédit Bureau,Zoë\n"


def a_known(name: str, **fields: str) -> System:
    return System(
        id=name,
        fields=system_fields({"name": name, **fields}),
        stage=Stage.DESIGN,
        version=1,
        digest="",
        created_at=NOON,
        updated_at=NOON,
        updated_by="",
        retired_at=None,
    )


def planned(data: bytes | str, *known: System) -> SheetPlan:
    raw = data.encode() if isinstance(data, str) else data
    return plan_systems(read_sheet(raw, "systems"), {system.name: system for system in known}, make_name=slug)


@pytest.mark.parametrize(
    ("codec", "named"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with mark"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16 without mark"),
        ("utf-16-be", "UTF-16 without mark"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
        ("latin-1", "Windows-1252"),
    ],
)
def test_every_encoding_that_spreadsheets_write_is_read(codec: str, named: str):
    plan = planned(TEXT.encode(codec))

    assert plan.sheet.encoding == named
    assert plan.rows[0].system is not None
    assert (plan.rows[0].system.title, plan.rows[0].system.owner) == ("Crédit Bureau", "Zoë")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_under_which_headers_are_known(delimiter: str):
    text = TEXT.replace(",", delimiter).replace("Crédit Bureau", "a, b; c" if delimiter not in ",;" else "x")

    plan = planned(text)

    assert plan.sheet.delimiter == delimiter
    assert plan.count("create") == 1


def test_a_declared_delimiter_counts():
    assert planned("sep=;\nname;title\nx;a,b\n").rows[0].system.title == "a,b"  # type: ignore[union-attr]


def test_line_breaks_in_quotes_belong_to_the_cell_and_lines_are_counted_right():
    plan = planned('name,purpose\none,"first\nsecond"\nBAD ONE,x\n')

    assert plan.rows[0].system is not None
    assert plan.rows[0].system.purpose == "first\nsecond"
    assert plan.rows[1].row.line == 4
    assert "not usable" in plan.rows[1].why["name"]


def test_headers_are_known_by_other_names_and_unknown_ones_are_told():
    plan = planned(
        "System Name,Business_Unit,Intended purpose,EU AI Act role,Cost centre\nx,Retail,p,Provider,77\n"
    )

    fields = plan.rows[0].system
    assert fields is not None
    assert (fields.name, fields.unit, fields.purpose, fields.role) == ("x", "Retail", "p", "provider")
    assert plan.sheet.ignored == ("Cost centre",)


def test_a_synonym_yields_to_the_fields_own_name():
    plan = planned("id,name\n77,loan-desk\n")

    assert plan.rows[0].name == "loan-desk"
    assert plan.sheet.ignored == ("id",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("\n\n\n", "empty"),
        ("colour,shape\nred,round\n", "no column is known"),
        ("owner,Owner\na,b\n", "two columns mean `owner`"),
        ("responsible,system owner\na,b\n", "two columns mean `owner`"),
        ('name,title\nx,"never closed\n', "starts on line 2"),
        ("PK\x03\x04", "no column"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_why(text: str, told: str):
    with pytest.raises(InvalidInput, match=told):
        planned(text)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PK\x03\x04\xff\xfe\x9d", "workbook"),
        (b"\xff\xfe\x00", "says it is UTF-16"),
        (b"name\n" + b"x" * (20 * 2**20), "over the limit"),
        (b"name\n" + b"x\n" * 50_001, "more than 50000 rows"),
        (",".join(f"c{i}" for i in range(101)).encode(), "101 columns"),
        (b"name\n" + b'"' + b"x" * 140_000 + b'"', "cannot be read"),
    ],
    ids=["workbook", "half a character", "bytes", "rows", "columns", "cell"],
)
def test_bounds_hold(data: bytes, told: str):
    with pytest.raises(InvalidInput, match=told):
        planned(data)


def test_a_rejected_row_says_what_is_wrong_with_every_field():
    plan = planned("name,role,exposure,status\nx,emperor,everyone,retired\ny,,,\n")

    assert set(plan.rows[0].why) == {"role", "exposure"}
    assert "`emperor` is none of" in plan.rows[0].explained
    assert plan.rows[1].action == "create"


def test_a_row_with_too_many_cells_is_not_guessed_at():
    assert (
        "4 cells where the header has 2"
        in planned("name,title\nx,Loans, credit, and more\n").rows[0].explained
    )


def test_the_second_row_of_a_name_is_rejected_with_the_line_of_the_first():
    assert planned("name\nx\ny\nx\n").rows[2].why["name"].startswith("is on line 2 already")


def test_what_is_known_is_changed_only_where_the_file_says_something():
    plan = planned(
        "name,title,owner\nx,,Bo\ny,,\n", a_known("x", title="T", owner="Ada"), a_known("y", title="Y")
    )

    assert [row.action for row in plan.rows] == ["change", "unchanged"]
    assert [(c.field, c.before, c.after) for c in plan.rows[0].changes] == [("owner", "Ada", "Bo")]


def test_a_title_makes_a_name_where_none_is_given():
    assert planned("title\nCrédit Büro 7\n").rows[0].name == "credit-buro-7"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0"])
def test_no_exported_cell_starts_a_formula_and_it_comes_back_as_it_was(cell: str):
    line = "".join(write_csv(["name", "title"], [["x", cell]]))

    written = list(csv.reader(io.StringIO(line)))[1][1]
    assert written == f"'{cell}"
    assert planned(line).rows[0].system.title == cell.strip()  # type: ignore[union-attr]


@settings(deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_plan_or_a_reason(data: bytes):
    for kind in sheets.SHEETS:
        with suppress(InvalidInput):
            sheet = read_sheet(data, kind)
            if kind == "systems":
                plan_systems(sheet, {}, make_name=slug)
            else:
                sheets.plan_components(sheet, {}, {})


@settings(deadline=None)
@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=3), max_size=8))
def test_any_text_in_cells_gives_a_plan_that_can_be_written_out_again(rows: list[list[str]]):
    text = "".join(write_csv(["name", "title", "owner"], rows))

    plan = planned(text.encode("utf-8", "surrogatepass"))

    assert plan.count("create") + plan.count("rejected") == len(plan.rows)


# ── what a person says of the columns ──────────────────────────────────────────────────────────────────────────

THEIRS = "Tool;Wofür;Chef;Nr\nLoan desk;sorts applications;Ada;4711\n"


def test_a_header_that_means_nothing_is_a_problem_to_mend_and_not_the_end():
    sheet = sheets.look_at_sheet(THEIRS.encode(), "systems")

    assert "no column is known" in sheet.problem
    assert sheet.header == ("Tool", "Wofür", "Chef", "Nr")
    assert sheet.samples(1) == ("sorts applications",)
    with pytest.raises(InvalidInput, match="no column is known"):
        read_sheet(THEIRS.encode(), "systems")


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (["title", "purpose", "owner", ""], []),
        (None, ["Tool=title", "wofür = purpose", "#3=owner"]),
        (None, ["Tool=title", "#2=Purpose", "CHEF=owner", "Nr="]),
    ],
)
def test_what_a_person_says_of_the_columns_counts(columns: list[str] | None, named: list[str]):
    sheet = read_sheet(THEIRS.encode(), "systems", columns, named)

    assert sheet.columns == ("title", "purpose", "owner", "")
    assert sheet.ignored == ("Nr",)
    row = plan_systems(sheet, {}, make_name=slug).rows[0]
    assert row.system is not None
    assert (row.name, row.system.purpose, row.system.owner) == ("loan-desk", "sorts applications", "Ada")


def test_what_is_not_spoken_of_is_guessed_and_a_guess_yields_to_what_was_said():
    text = b"name,description,notes\nx,first,second\n"

    assert read_sheet(text, "systems").columns == ("name", "purpose", "")
    assert read_sheet(text, "systems", named=["notes=purpose"]).columns == ("name", "", "purpose")


def test_two_columns_that_seem_to_mean_the_same_are_settled_by_a_person():
    text = b"name,purpose,description\nx,first,second\n"
    twice = b"owner,business owner,responsible,name\nA,B,C,x\n"

    assert read_sheet(text, "systems").columns == ("name", "purpose", "")
    assert (
        "two columns mean"
        in sheets.look_at_sheet(b"name,business owner,responsible\nx,A,B\n", "systems").problem
    )
    settled = read_sheet(twice, "systems", named=["responsible=owner"])
    assert settled.columns == ("", "", "owner", "name")


@pytest.mark.parametrize(
    ("columns", "named", "why"),
    [
        (["title"], [], "1 columns are named and the file has 4"),
        (["title", "title", "", ""], [], "two columns are said to be `title`"),
        (["rank", "", "", ""], [], "`rank` is no field; one of name"),
        (None, ["Tool"], "not like `Column=field`"),
        (None, ["=title"], "not like `Column=field`"),
        (None, ["Absent=title"], "no column `Absent`"),
        (None, ["#9=title"], "no column `#9`"),
        (None, ["Tool=digest"], "`digest` is no field"),
    ],
)
def test_what_a_person_says_wrong_of_the_columns_is_refused(
    columns: list[str] | None, named: list[str], why: str
):
    with pytest.raises(InvalidInput, match=why) as refused:
        sheets.look_at_sheet(THEIRS.encode(), "systems", columns, named)

    assert "columns" in refused.value.fields


def test_columns_of_one_name_are_told_apart_by_their_place():
    text = b"name,note,note\nx,first,second\n"

    with pytest.raises(InvalidInput, match="2 columns `note`; name one by its place"):
        read_sheet(text, "systems", named=["note=purpose"])
    assert read_sheet(text, "systems", named=["#3=purpose"]).rows[0].values["purpose"] == "second"


def test_odd_encodings_are_explained_with_columns_that_a_person_names_too():
    sheet = read_sheet(THEIRS.encode("cp1252"), "systems", named=["Wofür=title"])

    assert sheet.encoding == "Windows-1252"
    with pytest.raises(InvalidInput, match="workbook, not CSV"):
        read_sheet(b"PK\x03\x04\xff\xfe" + bytes(range(128, 256)), "systems", named=["a=title"])
