"""Code in an answer that attacks, or that would open a hole where it is pasted.

Two kinds are told apart: *malicious* code does harm when run (a reverse shell, a credential stealer, deleting a
disk), *insecure* code works and leaves a weakness (SQL glued from strings, verification of certificates switched
off, unpickling what a stranger sent). Each finding names the weakness by its CWE number (CWE 4.x).

These are hints by form: a line is read by itself, so data that was checked three lines above looks unchecked, and a
constant that only looks like a password is one. Security lessons quote such lines for good reason; the policy decides.
Insecure code is reported only where the text looks like code at that place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import yaml

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Risk:
    """One form of risks.yaml: its pattern, what is said of it, how sure, and the weakness it is an instance of.

    What is `malicious`, or means the same `anywhere`, is reported wherever it stands, the rest only among code.
    """

    rule: str
    regex: str
    anchors: tuple[str, ...]
    message: str
    score: float
    cwe: int
    malicious: bool = False
    anywhere: bool = False
    before: int = 0
    after: int = 160


def _shipped() -> tuple[Risk, ...]:
    text = resources.files(__package__).joinpath("risks.yaml").read_text(encoding="utf-8")
    return tuple(
        Risk(**{**entry, "anchors": tuple(entry["anchors"])})
        for entry in yaml.load(text, Loader=yaml.CSafeLoader)
    )


RISKS: tuple[Risk, ...] = _shipped()
_BY_RULE = {risk.rule: risk for risk in RISKS}
PATTERNS = tuple(
    Pattern(risk.rule, risk.regex, risk.anchors, before=risk.before, after=risk.after) for risk in RISKS
)

_MARKS = "()[]{}=;\"'$<>&|/\\_-+:."
_CODE_SIGNS = ("```", "\t", "();", "){", ") {", "import ", "def ", "function ", "const ", "var ", "#!/", "<?php",
               "public ", "return ", "$ ", "=> ", ";\n", " = ", '="', "='")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodeRisk:
    """The detector. `ignore` leaves out weaknesses by rule or by CWE number."""

    ignore: frozenset[str] = frozenset()
    name: str = "code-risk"
    version: str = "1"
    patterns: Sequence[Pattern] = PATTERNS

    def configured(self, options: dict[str, Any]) -> CodeRisk:
        """With `ignore`, a list of rule names (`sql-concat`) or weaknesses (`CWE-89`), from a policy."""
        for key in options:
            if key != "ignore":
                raise InvalidInput(f"`code-risk` has no option `{key}`; it takes `ignore`")
        wanted = options.get("ignore", [])
        weaknesses = {f"CWE-{risk.cwe}" for risk in RISKS}
        if not isinstance(wanted, list):
            raise InvalidInput(
                "option `ignore` of `code-risk` is not a list; give rules or CWE numbers in one"
            )
        for one in wanted:
            if one not in _BY_RULE and one not in weaknesses:
                raise InvalidInput(
                    f"`code-risk` knows no rule or weakness `{one}`; see docs/guard/code-risk.md"
                )
        ignored = {risk.rule for risk in RISKS if risk.rule in wanted or f"CWE-{risk.cwe}" in wanted}
        return replace(
            self,
            ignore=frozenset(ignored),
            patterns=tuple(pattern for pattern in PATTERNS if pattern.rule not in ignored),
        )

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Report each form once a place; where two overlap, the surer one."""
        kept: list[tuple[Hit, Risk]] = []
        for hit in sorted(hits, key=lambda one: -_BY_RULE[one.rule].score):
            risk = _BY_RULE[hit.rule]
            if any(hit.start < other.end and other.start < hit.end for other, _ in kept):
                continue
            if risk.malicious or risk.anywhere or _looks_like_code(layer.lower, hit):
                kept.append((hit, risk))
        if not kept:
            return NOTHING
        kept.sort(key=lambda pair: pair[0].start)
        findings = tuple(
            Finding(
                self.name,
                f"{self.name}/{risk.rule}",
                "malicious-code" if risk.malicious else "insecure-code",
                layer.span(hit.start, hit.end),
                risk.score,
                "error" if risk.malicious and risk.score >= 0.8 else "warning",
                risk.message,
                where=layer.passage.where,
                taxonomy=(f"cwe/CWE-{risk.cwe}", "owasp-llm:2025/LLM05"),
            )
            for hit, risk in kept
        )
        return Examination(findings, max(risk.score for _, risk in kept))


def _looks_like_code(text: str, hit: Hit) -> bool:
    """Whether the place looks like code: by its line, or by what stands around. Prose names an API and no more."""
    start = text.rfind("\n", 0, hit.start) + 1
    end = text.find("\n", hit.end)
    line = text[max(start, hit.start - 200) : min(len(text) if end < 0 else end, hit.end + 200)]
    marks = sum(map(line.count, _MARKS))
    if marks >= 0.09 * len(line):
        return True
    around = text[max(0, hit.start - 120) : hit.end + 120]
    return sum(sign in around for sign in _CODE_SIGNS) >= 2


CODE_RISK = CodeRisk()
