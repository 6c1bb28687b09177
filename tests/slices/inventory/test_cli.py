"""`alcaide inventory` as a person or a pipeline types it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from alcaide.app import cli
from alcaide.kernel.instance import Instance
from alcaide.slices.inventory import queries

DOCUMENT = """
systems:
  - name: loan-desk
    title: Loan desk
    owner: Ada
    regions: [eu, no]
    components:
      - {kind: model, name: scorer, version: 1.10, path: model.bin}
      - prompt:greeting@4
    flows:
      - {from: Applicants, to: "model:scorer", data: [personal], crosses_boundary: yes, encrypted: true}
    environments:
      - {name: production, region: eu, deployed: ["model:scorer"]}
"""
MODEL = b"weights"


@pytest.fixture
def alcaide(instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line on the test's own instance; gives exit code and what was printed."""
    monkeypatch.setattr("alcaide.kernel.instance.open_for_cli", lambda data: nullcontext(instance))

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(["inventory", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def document(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(MODEL)
    file = tmp_path / "alcaide.yaml"
    file.write_text(DOCUMENT, encoding="utf-8")
    return file


def test_applying_twice_changes_nothing_the_second_time(alcaide: Any, document: Path, instance: Instance):
    first = alcaide("apply", str(document))
    with instance.read() as conn:
        after_one = instance.ledger.checkpoint(conn)
    second = alcaide("apply", str(document))
    with instance.read() as conn:
        after_two = instance.ledger.checkpoint(conn)

    assert first[0] == 0, first
    assert "3 create, 0 change, 0 unchanged" in first[1]
    assert "0 create, 0 change, 3 unchanged" in second[1]
    assert after_one.size == after_two.size


def test_apply_reads_what_a_person_reads(alcaide: Any, document: Path, instance: Instance):
    from hashlib import sha256

    alcaide("apply", str(document))

    with instance.read() as conn:
        detail = queries.system_detail(conn, "loan-desk")
    assert [v.subject for v in detail.components] == ["model:scorer@1.10", "prompt:greeting@4"]
    assert detail.components[0].fields.digest == sha256(MODEL).hexdigest()
    assert detail.system.fields.regions == ("eu", "no")
    assert [d.ref for d in detail.deployments] == ["model:scorer@1.10"]
    assert detail.flows[0].fields.crosses_boundary


def test_a_dry_run_tells_and_writes_nothing(alcaide: Any, document: Path, instance: Instance):
    code, out, _ = alcaide("apply", str(document), "--dry-run", "--format", "json")

    assert code == 0
    assert [item["action"] for item in json.loads(out)["items"]] == ["create"] * 3
    with instance.read() as conn:
        assert queries.find_system(conn, "loan-desk") is None


def test_a_changed_file_is_a_change_of_the_system(alcaide: Any, document: Path):
    alcaide("apply", str(document))
    (document.parent / "model.bin").write_bytes(b"other weights")

    _, out, _ = alcaide("apply", str(document), "--format", "json")

    changed = {item["subject"]: item["action"] for item in json.loads(out)["items"]}
    assert changed["model:scorer@1.10"] == "change"


def test_what_a_list_no_longer_names_is_taken_out(alcaide: Any, document: Path, instance: Instance):
    alcaide("apply", str(document))
    document.write_text(DOCUMENT.replace("      - prompt:greeting@4\n", ""), encoding="utf-8")

    code, out, _ = alcaide("apply", str(document))

    assert code == 0
    assert "components" in out
    with instance.read() as conn:
        assert len(queries.system_detail(conn, "loan-desk").components) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("systems:\n  - name: a\n    name: b\n", "on lines 2 and 3"),
        ("systems:\n  - name: a\n    ownr: x\n", "line 2"),
        ("systems:\n  - name: a\n    flows:\n      - {from: x, to: y, data: [personal]}\n", "outside"),
        (
            "systems:\n  - name: a\n    components: [{kind: model, name: m, path: ../../etc/passwd}]\n",
            "beside the document",
        ),
        ("systems: [\n", "not YAML on line"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" + "systems: []\n", "line 1"),
        ("systems: !!python/object:os.system {}\n", "tag"),
        ("", "empty"),
    ],
)
def test_a_wrong_document_is_told_with_its_place(alcaide: Any, tmp_path: Path, text: str, told: str):
    file = tmp_path / "alcaide.yaml"
    file.write_text(text, encoding="utf-8")

    code, _, err = alcaide("apply", str(file))

    assert code == 3
    assert told in err
    assert "Traceback" not in err


def test_a_bill_of_material_makes_the_round_trip(
    alcaide: Any, document: Path, tmp_path: Path, instance: Instance
):
    alcaide("apply", str(document))
    bom = tmp_path / "loan-desk.cdx.json"

    exported = alcaide("export", "loan-desk", "--format", "cyclonedx", "-o", str(bom))
    imported = alcaide("import-bom", str(bom), "--system", "copy-desk")

    assert (exported[0], imported[0]) == (0, 0), imported
    with instance.read() as conn:
        first, second = (queries.system_graph(conn, name) for name in ("loan-desk", "copy-desk"))
    assert first
    assert second
    assert [(c.subject_name, c.digest) for c in first.components] == [
        (c.subject_name, c.digest) for c in second.components
    ]
    assert first.flows == second.flows
    assert "0 create, 0 change" in alcaide("import-bom", str(bom), "--system", "loan-desk")[1]


def test_a_yaml_export_applies_as_it_is(alcaide: Any, document: Path, tmp_path: Path):
    alcaide("apply", str(document))
    out = tmp_path / "out.yaml"
    alcaide("export", "loan-desk", "--format", "yaml", "-o", str(out))

    assert "0 create, 0 change, 3 unchanged" in alcaide("apply", str(out))[1]


def test_list_show_register_and_retire(alcaide: Any):
    assert (
        alcaide("register", "chat-helper", "--owner", "Ada", "--regions", "eu,uk", "--reason", "first")[0]
        == 0
    )
    assert alcaide("register", "chat-helper")[0] == 3
    assert "chat-helper" in alcaide("list", "ada")[1]
    assert json.loads(alcaide("list", "--format", "json")[1])["total"] == 1
    assert alcaide("retire", "chat-helper", "--reason", "not used")[0] == 0
    shown = alcaide("show", "chat-helper", "--history")[1]
    assert "retired" in shown
    assert "not used" in shown
    assert "no system `ghost`" in alcaide("show", "ghost")[2]


def test_a_spreadsheet_is_planned_and_written_on_confirmation(
    alcaide: Any, tmp_path: Path, instance: Instance
):
    file = tmp_path / "systems.csv"
    file.write_text("name,title\nloan-desk,Loan desk\nBAD NAME,x\n", encoding="utf-16")
    rejected = tmp_path / "rejected.csv"

    planned = alcaide("import-csv", str(file))
    assert planned[0] == 1
    assert "nothing was written" in planned[1]
    done = alcaide("import-csv", str(file), "--confirm", "--rejected", str(rejected))

    assert done[0] == 1
    assert "BAD NAME" in rejected.read_text(encoding="utf-8-sig")
    with instance.read() as conn:
        assert queries.find_system(conn, "loan-desk") is not None


def test_a_column_means_what_the_command_line_says(alcaide: Any, tmp_path: Path):
    file = tmp_path / "theirs.csv"
    file.write_text("Tool;Chef\nLoan desk;Ada\n")

    code, _, told = alcaide("import-csv", str(file))
    assert code == 3
    assert "say what each column means" in told
    code, out, told = alcaide(
        "import-csv", str(file), "--map", "Tool=title", "--map", "#2=owner", "--confirm"
    )
    assert code == 0, told
    assert "1 to register" in out
    assert "Ada" in alcaide("show", "loan-desk")[1]
