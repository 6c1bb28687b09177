"""The guard on its page, over the API and from the command line: the same answer, and nothing kept."""

from __future__ import annotations

import gzip
import io
import json
import re
from pathlib import Path

import pytest

from alcaide.app.cli import run
from alcaide.kernel.evidence import parse_statement
from alcaide.predicates.guard_evaluated import Bound, GuardEvaluated
from alcaide.slices.assurance import queries, rules, service

GOLDEN = Path(__file__).parent / "golden" / "guard-evaluated.json"
PAGE = Path(__file__).parents[3] / "docs" / "predicates" / "guard-evaluated.md"
# Assembled, so that no scanner takes this file for a leak.
SECRET = "AKIA" + "Q3EGRTIA7QJ5XJ2L"

OWN = """
schema: alcaide-guard-policy/1
name: strict
title: Ours
detectors:
  secrets:
rules:
  - {id: no-keys, detector: secrets, action: block, message: keys do not belong here}
"""


@pytest.fixture
def own_policy(instance):
    folder = queries.own_folder(instance)
    folder.mkdir(parents=True)
    (folder / "strict.yaml").write_text(OWN)
    return folder


def form(client, **fields):
    page = client.get("/guard").text
    token = re.search(r'name="csrf-token" content="([^"]+)"', page).group(1)
    return client.post("/guard", data=fields, headers={"X-CSRF-Token": token})


def test_a_pasted_text_comes_back_with_what_is_in_it_marked(client, own_policy):
    answer = form(client, text=f"mine is <b>{SECRET}</b>\r\nkeep it", policy="strict", direction="in")

    assert answer.status_code == 200
    assert "BLOCK" in answer.text
    assert "keys do not belong here" in answer.text
    assert re.search(
        rf'<mark class="guard-mark level-error"><a[^>]*>{SECRET}<sup>1</sup></a></mark>', answer.text
    )
    assert "<b>" + SECRET not in answer.text


def test_an_empty_text_is_said_to_be_one(client):
    answer = form(client, text="  ", policy="default")

    assert answer.status_code in (400, 422)
    assert "paste or type a text" in answer.text


def test_a_policy_that_is_not_there_is_named(client):
    answer = form(client, text="hello", policy="nonesuch")

    assert answer.status_code == 404
    assert "nonesuch" in answer.text


def test_a_policy_of_ours_that_is_broken_says_so_and_nothing_runs_under_it(client, own_policy):
    (own_policy / "strict.yaml").write_text("schema: [")

    assert "cannot be read" in client.get("/guard").text
    assert form(client, text="hello", policy="strict").status_code in (400, 422)


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "a/b", "strict\x00"])
def test_a_policys_name_is_no_path(client, own_policy, name):
    assert client.post("/api/v1/guard/check", json={"text": "x", "policy": name}).status_code in (
        403,
        404,
        422,
    )


def test_the_api_gives_the_same_answer_and_offsets(client, own_policy):
    client.headers["X-CSRF-Token"] = re.search(
        r'name="csrf-token" content="([^"]+)"', client.get("/guard").text
    ).group(1)
    text = f"é {SECRET}"
    answer = client.post("/api/v1/guard/check", json={"text": text, "policy": "strict"})

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["action"] == "block"
    assert [text[one["start"] : one["end"]] for one in body["findings"]] == [SECRET]
    assert client.get("/api/v1/guard/policies").json()[0]["name"] == "strict"


def test_looking_leaves_no_evidence(client, instance, own_policy):
    client.get("/guard")
    with instance.read() as conn:
        before = instance.ledger.checkpoint(conn)
    assert form(client, text=SECRET, policy="strict").status_code == 200
    with instance.read() as conn:
        assert instance.ledger.checkpoint(conn) == before


# ── figures on record ──


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    lines = [{"text": f"key {SECRET[:-2]}{n:02d}", "label": 1} for n in range(40, 52)]
    lines += [{"text": f"nothing secret in sentence {n}", "label": 0} for n in range(40)]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    return path


def test_an_evaluation_is_put_on_record_and_shown(client, instance, admin, rows):
    from alcaide.instruments.guard.evaluate import digest
    from alcaide.instruments.guard.evaluate import rows as read
    from alcaide.instruments.guard.trial import tried
    from alcaide.predicates.guard_evaluated import Corpus

    empty = client.get("/guard/evaluations").text
    trial = tried("secrets", read(rows), draws=50)
    corpus = Corpus(name=rows.name, sha256=digest(rows), positives=12, negatives=40)
    leaf = service.record_evaluation(instance, admin, trial, [corpus], [Bound(figure="auroc", at_least=0.9)])

    with instance.read() as conn:
        (found,) = queries.measured(conn, instance)
    assert "Not measured here yet" in empty
    assert found.leaf == leaf
    assert found.said.outcome == "passed"
    page = client.get("/guard/evaluations").text
    assert "rows.jsonl.gz" in page
    assert f"/evidence/leaves/{leaf}" in page
    assert client.get("/api/v1/guard/evaluations").json()[0]["corpora"] == ["rows.jsonl.gz"]


@pytest.mark.parametrize(
    ("figures", "bounds", "unanswered", "outcome"),
    [
        ({"auroc": 1.0}, [], 0, "measured"),
        ({"auroc": 0.97}, [Bound(figure="auroc", at_least=0.97)], 0, "passed"),
        ({"auroc": 0.96}, [Bound(figure="auroc", at_least=0.97)], 0, "failed"),
        ({"auroc": None}, [Bound(figure="auroc", at_least=0.1)], 0, "failed"),
        ({}, [Bound(figure="auroc", at_least=0.1)], 0, "failed"),
        ({"auroc": 1.0}, [Bound(figure="auroc", at_least=0.5)], 3, "failed"),
    ],
)
def test_an_outcome_is_a_pass_only_if_all_that_was_asked_holds(figures, bounds, unanswered, outcome):
    assert rules.outcome(figures, bounds, unanswered=unanswered) == outcome


def test_its_golden_file_reads_as_its_predicate_and_its_page_quotes_it():
    statement = parse_statement(GOLDEN.read_bytes())
    page = PAGE.read_text()

    again = GuardEvaluated.read(statement).about(statement.subjects).to_json()
    assert json.loads(json.dumps(again)) == json.loads(GOLDEN.read_text())
    assert GOLDEN.read_text().strip() in page
    for field in GuardEvaluated.__struct_fields__:
        assert f"`{field}`" in page, field


# ── the command line ──


@pytest.fixture
def policy_file(tmp_path):
    path = tmp_path / "strict.yaml"
    path.write_text(OWN)
    return path


def test_a_clean_text_ends_with_0_and_a_finding_with_1(policy_file, capsys):
    assert run(["guard", "check", "hello there", "--policy", str(policy_file)]) == 0
    assert run(["guard", "check", f"it is {SECRET}", "--policy", str(policy_file)]) == 1
    assert "secrets/aws-access-key-id" in capsys.readouterr().out


def test_a_file_is_read_and_sarif_names_it(policy_file, tmp_path, capsys):
    path = tmp_path / "note.txt"
    path.write_bytes(b"\xff it is " + SECRET.encode())

    assert run(["guard", "check", str(path), "--policy", str(policy_file), "--format", "sarif"]) == 1
    (sarif_run,) = json.loads(capsys.readouterr().out)["runs"]
    (result,) = sarif_run["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"charOffset": 8, "charLength": 20}


def test_a_wrong_policy_or_context_ends_with_3_and_says_what_to_do(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: nothing")

    assert run(["guard", "check", "x", "--policy", str(bad)]) == 3
    assert run(["guard", "check", "x", "--policy", "nonesuch"]) == 3
    assert run(["guard", "check", "[", "--messages"]) == 3
    assert "docs/guard/policy.md" in capsys.readouterr().err


def test_redact_and_restore_undo_each_other(policy_file, tmp_path, capsys):
    policy_file.write_text(OWN.replace("action: block", "action: redact"))
    table = tmp_path / "names.json"

    assert run(["guard", "redact", f"use {SECRET}", "--policy", str(policy_file), "--table", str(table)]) == 0
    hidden = capsys.readouterr().out
    assert SECRET not in hidden
    assert table.stat().st_mode & 0o077 == 0
    assert run(["guard", "restore", hidden, "--table", str(table)]) == 0
    assert capsys.readouterr().out == f"use {SECRET}"


def test_eval_prints_figures_and_ends_with_1_below_a_bound(rows, capsys):
    assert run(["guard", "eval", str(rows), "--detector", "secrets", "--format", "json"]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["auroc"]["value"] > 0.9
    assert run(["guard", "eval", str(rows), "--detector", "secrets", "--bound", "calibration-error=2"]) == 1
    assert run(["guard", "eval", str(rows), "--detector", "nonesuch"]) == 3
    assert run(["guard", "eval", str(rows), "--bound", "beauty=1"]) == 3


def test_eval_names_the_line_that_is_not_a_row(tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "a", "label": 1}\n{"text": "b"}\n')

    assert run(["guard", "eval", str(path), "--detector", "secrets"]) == 3
    assert "line 2" in capsys.readouterr().err


def test_documents_are_fingerprinted_and_canaries_made_and_remembered(tmp_path, capsys):
    document, store, register = tmp_path / "minutes.txt", tmp_path / "fp", tmp_path / "canaries.json"
    document.write_text(
        "The board resolves that the southern quay shall be rebuilt in two phases over three years.\n" * 3
    )

    assert run(["guard", "fingerprint", str(document), "--label", "confidential", "--store", str(store)]) == 0
    assert run(["guard", "canary", "uuid", "--label", "wiki", "--register", str(register)]) == 0
    said = capsys.readouterr().out.splitlines()
    policy = tmp_path / "ours.yaml"
    policy.write_text(
        "schema: alcaide-guard-policy/1\nname: ours\ndetectors:\n  classification:\n    options:\n"
        f"      fingerprints: [{{path: {store}, sha256: {said[1].split()[-1]}}}]\n"
        f"      canaries: [{{path: {register}, sha256: {said[3].split()[-1]}}}]\n"
        "rules:\n  - {id: ours, detector: classification, action: hold}\n"
    )

    assert run(["guard", "check", f"look at {said[2]}", "--policy", str(policy)]) == 1
    assert run(["guard", "check", document.read_text(), "--policy", str(policy)]) == 1
    assert run(["guard", "check", "a different sentence altogether", "--policy", str(policy)]) == 0
    assert run(["guard", "canary", "nonsense", "--label", "x", "--register", str(register)]) == 3


def test_a_hyphen_stands_for_standard_input(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"mine is {SECRET}".encode())))

    assert run(["guard", "check", "-"]) == 1
    assert "REDACT" in capsys.readouterr().out


def test_a_mistyped_option_is_not_taken_for_a_text(capsys):
    assert run(["guard", "check", "--verbos"]) == 3
    assert "no option `--verbos`" in capsys.readouterr().err
