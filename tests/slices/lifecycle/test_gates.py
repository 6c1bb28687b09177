"""Gate files: the ones that ship, an organisation's own in their place, and mistakes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alcaide.kernel.instance import Instance
from alcaide.kernel.policy.source import PolicyInvalid, read_yaml
from alcaide.predicates.graph import STAGES
from alcaide.slices.lifecycle import queries
from alcaide.slices.lifecycle.model import Gate, override, read_gates

OWN = """\
gates:
  - id: ours
    title: Ours
    from: [safety]
    to: deployment
    requirements:
      - { id: reviewed, title: Reviewed, evidence: attested }
    approvals:
      - { role: security-lead, count: 2 }
"""


def read(text: str) -> tuple[Gate, ...]:
    return read_gates(read_yaml(dedent(text), "ours.yaml"), origin="ours.yaml")


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def put(house: Instance, text: str, name: str = "ours.yaml") -> None:
    folder = house.config.data / "policies" / "gates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_every_stage_but_the_first_and_the_last_has_a_gate_that_ships() -> None:
    assert {gate.to_stage for gate in queries.shipped_gates()} == set(STAGES[1:-1])


def test_the_shipped_gate_to_deployment_asks_for_bill_signature_scan_and_two_people() -> None:
    gate = next(gate for gate in queries.shipped_gates() if gate.to_stage == "deployment")
    assert [r.id for r in gate.requirements] == ["ml-bom-imported", "models-signed", "scanned-without-errors"]
    assert gate.roles == ("security-lead", "approver")
    assert gate.quorum == 2


def test_an_own_gate_takes_the_place_of_every_shipped_one_to_its_stage() -> None:
    shipped = queries.shipped_gates()
    found = override(shipped, read(OWN))
    assert [g.id for g in found if g.to_stage == "deployment"] == ["ours"]
    assert len(found) == len(shipped)


def test_own_gates_come_into_force_and_leave_with_their_file(house: Instance) -> None:
    put(house, OWN)
    assert queries.gates_in_force(house).named("ours") is not None
    put(house, OWN.replace("count: 2", "count: 3"))
    ours = queries.gates_in_force(house).named("ours")
    assert ours is not None
    assert ours.quorum == 3
    (house.config.data / "policies" / "gates" / "ours.yaml").unlink()
    assert queries.gates_in_force(house).named("ours") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gates: [", "ours.yaml:1:"),
        ("{}", "must be a mapping with `gates`"),
        ("gates: []", "`gates` is empty; fill it in"),
        (OWN.replace("to: deployment", "to: moon"), "ours.yaml:5: `gates[0].to` `moon` is not one of"),
        (
            OWN.replace("[safety]", "[operation]"),
            "`operation` is not before `deployment`; a gate leads forward",
        ),
        (
            OWN.replace("evidence: attested", "evidence: attested, fresh: x"),
            "ours.yaml:7: `gates[0].requirements[0].fresh`",
        ),
        (OWN + "      - { role: security-lead }\n", "names role `security-lead` twice; add up its `count`"),
        (OWN + "    quorum: 1\n", "`1` is less than the 2 approvals asked for; raise it"),
        (OWN + "    approval_lasts: 0d\n", "`0d` is no time at all"),
        (OWN + "    colour: red\n", "`colour` is not known here"),
        (
            OWN.replace("      - { id: reviewed, title: Reviewed, evidence: attested }", "      []"),
            "is empty; fill it in",
        ),
    ],
)
def test_a_mistake_in_a_gate_file_is_told_with_its_line(text: str, told: str) -> None:
    assert any(told in problem for problem in problems(text)), problems(text)


def test_two_gates_for_one_move_are_refused_also_in_two_files(house: Instance) -> None:
    both = OWN + OWN.removeprefix("gates:\n").replace("id: ours", "id: other")
    assert any("`safety` to `deployment` has gate `ours` already" in problem for problem in problems(both))
    put(house, OWN)
    put(house, OWN.replace("id: ours", "id: theirs"), "theirs.yaml")
    assert "stands in the way of" in str(queries.gates_in_force(house).problems[0])


def test_a_file_that_is_not_utf8_or_far_too_large_is_a_problem_and_no_crash(house: Instance) -> None:
    folder = house.config.data / "policies" / "gates"
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_bytes(b"\xff\xfe")
    (folder / "b.yaml").write_bytes(b"# " + b"x" * 2_000_000)
    found = [str(problem) for problem in queries.gates_in_force(house).problems]
    assert any("is not UTF-8" in problem for problem in found)
    assert any("is larger than a gate file can be" in problem for problem in found)


def test_the_digest_of_a_gate_is_that_of_its_meaning_and_not_of_its_comments(tmp_path: Path) -> None:
    (plain,), (commented,) = read(OWN), read("# a comment\n" + OWN)
    (changed,) = read(OWN.replace("count: 2", "count: 3"))
    assert plain.digest == commented.digest
    assert plain.digest != changed.digest
