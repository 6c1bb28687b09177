"""A scan's findings as SARIF 2.1.0, for code hosts, editors and every other viewer.

| here | in SARIF |
|---|---|
| critical, high | level `error`, security severity 9.5 and 8.0 |
| medium | level `warning`, 5.5 |
| low | level `note`, 2.0 |
| unknown | kind `review` (§3.27.9: with no level), and a notification that the tool did not see everything |

A result carries the fingerprint that stays the same from scan to scan; its rule carries why and what to do; the rule's
taxonomy identifiers are in `taxonomies`, which results do not repeat. Equal reports give equal documents.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from alcaide.instruments.scan.evidence import fingerprint
from alcaide.instruments.scan.model import Level, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alcaide.instruments.scan.data.report import DataReport
    from alcaide.instruments.scan.model import Artifact, Finding, ScanReport

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
"""What GitHub takes of one run; the worst come first, and a notification says what is left out."""
MAX_ARTIFACTS = 20_000
_LEVELS = {
    Level.CRITICAL: ("error", "9.5"),
    Level.HIGH: ("error", "8.0"),
    Level.MEDIUM: ("warning", "5.5"),
    Level.LOW: ("note", "2.0"),
    Level.UNKNOWN: ("none", ""),
}
_TAXONOMIES = {
    "cwe": ("CWE", "Common Weakness Enumeration", "MITRE", "https://cwe.mitre.org/"),
    "owasp-llm": (
        "OWASP-LLM",
        "OWASP Top 10 for Large Language Model Applications",
        "OWASP",
        "https://genai.owasp.org/llm-top-10/",
    ),
    "mitre-atlas": ("MITRE-ATLAS", "MITRE ATLAS", "MITRE", "https://atlas.mitre.org/"),
}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def sarif(report: ScanReport, *, rules: Mapping[str, Rule] | None = None) -> dict[str, Any]:
    """The document of a scan of files.

    Args:
        report: what was found.
        rules: every rule by its id; those of all formats if None.
    """
    from alcaide.instruments.scan.examine import rules as all_rules

    found = [(artifact.path, finding) for artifact, finding in report.findings]
    places = {artifact.path: index for index, artifact in enumerate(report.artifacts[:MAX_ARTIFACTS])}
    run = _run(found, rules if rules is not None else all_rules(), report.edition, places)
    run["artifacts"] = [_artifact(artifact) for artifact in report.artifacts[:MAX_ARTIFACTS]]
    run["properties"] = {
        "outcome": report.outcome.value,
        "failOn": report.fail_on.value,
        "counts": report.counts(),
        **({"policy": report.policy} if report.policy else {}),
        **({"leftOut": list(report.left_out[:50])} if report.left_out else {}),
    }
    return _document(run, "alcaide/scan/")


def data_sarif(report: DataReport, *, rules: Mapping[str, Rule] | None = None) -> dict[str, Any]:
    """The document of a scan of a dataset. Rows are named by number, as in the report; no value is repeated."""
    from alcaide.instruments.scan.data.rules import all_rules

    found = sorted(report.findings, key=lambda finding: finding.sort_key())
    run = _run(
        [(report.source, finding) for finding in found],
        rules if rules is not None else all_rules(),
        report.edition,
        {report.source: 0},
    )
    hashes = {"hashes": {"sha-256": report.sha256}} if report.sha256 else {}
    length = {"length": report.size} if report.size else {}
    run["artifacts"] = [{"location": {"uri": _uri(report.source)}, **length, **hashes}]
    run["properties"] = {
        "outcome": report.outcome.value,
        "failOn": report.fail_on.value,
        "counts": report.counts(),
        "rows": report.rows,
    }
    return _document(run, "alcaide/scan-data/")


def _document(run: dict[str, Any], category: str) -> dict[str, Any]:
    run["automationDetails"] = {"id": category}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _run(
    found: list[tuple[str, Finding]], known: Mapping[str, Rule], edition: str, places: Mapping[str, int]
) -> dict[str, Any]:
    kept = found[:MAX_RESULTS]
    used = sorted({finding.rule for _, finding in kept})
    index = {rule: position for position, rule in enumerate(used)}
    rules = [known.get(rule) or _stand_in(rule, kept) for rule in used]
    taxonomies = _Taxonomies(rules)
    unseen = sum(finding.level is Level.UNKNOWN for _, finding in found)
    notices = []
    if unseen:
        notices.append(f"{unseen} parts were not looked at whole: they are neither clean nor found to be bad")
    if len(found) > len(kept):
        notices.append(f"{len(found) - len(kept)} more findings are not listed; the worst {len(kept)} are")
    return {
        "tool": {
            "driver": {
                "name": "Alcaide",
                "version": edition or "0",
                "rules": [_rule(rule, taxonomies) for rule in rules],
                **({"supportedTaxonomies": taxonomies.references()} if taxonomies.components else {}),
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                **(
                    {
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": text}} for text in notices
                        ]
                    }
                    if notices
                    else {}
                ),
            }
        ],
        **({"taxonomies": taxonomies.components} if taxonomies.components else {}),
        "columnKind": "unicodeCodePoints",
        "results": [_result(path, finding, index, places) for path, finding in kept],
    }


def _rule(rule: Rule, taxonomies: _Taxonomies) -> dict[str, Any]:
    level, severity = _LEVELS[rule.level]
    relationships = taxonomies.relationships(rule)
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.replace("/", "-").split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why or rule.title},
        "help": {
            "text": f"{rule.why}\n\n{rule.remedy}".strip() or rule.title,
            "markdown": f"{rule.why}\n\n**What to do:** {rule.remedy}" if rule.remedy else rule.why,
        },
        "defaultConfiguration": {"level": level},
        **({"relationships": relationships} if relationships else {}),
        "properties": {
            "tags": ["security", *rule.taxonomy],
            "problem.severity": {"error": "error", "warning": "warning"}.get(level, "recommendation"),
            **({"security-severity": severity} if severity else {}),
        },
    }


def _result(
    path: str, finding: Finding, index: Mapping[str, int], places: Mapping[str, int]
) -> dict[str, Any]:
    undecided = finding.level is Level.UNKNOWN
    level, severity = _LEVELS[finding.level]
    message = f"{finding.place}: {finding.message}" if finding.place else finding.message
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "kind": "review" if undecided else "fail",
        "level": level,
        "message": {"text": _visible(message), "markdown": _visible(message)},
        "locations": [_location(path, finding, places)],
        "fingerprints": {"alcaide/v1": fingerprint(path, finding)},
        "partialFingerprints": {"alcaide/v1": fingerprint(path, finding)},
        "properties": {
            "level": finding.level.value,
            **({"security-severity": severity} if severity else {}),
            **({"offset": finding.offset} if finding.place and finding.offset is not None else {}),
            **({"detail": dict(finding.detail)} if finding.detail else {}),
        },
    }


def _location(path: str, finding: Finding, places: Mapping[str, int]) -> dict[str, Any]:
    where: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if path in places:
        where["artifactLocation"]["index"] = places[path]
    line = finding.detail.get("line")
    if not finding.place and isinstance(line, int) and not isinstance(line, bool) and line > 0:
        where["region"] = {"startLine": line}
    elif not finding.place and finding.offset is not None:
        where["region"] = {"byteOffset": finding.offset, "byteLength": 0}
    location: dict[str, Any] = {"physicalLocation": where}
    if finding.place:
        location["logicalLocations"] = [{"fullyQualifiedName": _visible(finding.place), "kind": "member"}]
    return location


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "location": {"uri": _uri(artifact.path)},
        "length": artifact.node.size,
        **({"hashes": {"sha-256": artifact.sha256}} if artifact.sha256 else {}),
        **({"properties": {"formats": list(artifact.node.formats)}} if artifact.node.formats else {}),
    }


def _stand_in(rule: str, found: list[tuple[str, Finding]]) -> Rule:
    """A rule that is not in the list: of an extension that is not here. Its findings count all the same."""
    first = next(finding for _, finding in found if finding.rule == rule)
    return Rule(rule, first.level, rule.replace("/", ": ").replace("-", " "), first.message, "")


class _Taxonomies:
    """The taxonomies that rules refer to, each with the entries that are used."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        used: dict[str, set[str]] = {}
        for rule in rules:
            for identifier in rule.taxonomy:
                scheme, _, entry = identifier.partition("/")
                if entry:
                    used.setdefault(scheme, set()).add(entry)
        self._index = {
            (scheme, entry): (place, position)
            for place, scheme in enumerate(sorted(used))
            for position, entry in enumerate(sorted(used[scheme]))
        }
        self._names = {scheme: self._described(scheme)["name"] for scheme in used}
        self.components = [
            {**self._described(scheme), "taxa": [{"id": entry} for entry in sorted(used[scheme])]}
            for scheme in sorted(used)
        ]

    @staticmethod
    def _described(scheme: str) -> dict[str, Any]:
        key, _, edition = scheme.partition(":")
        name, title, organisation, uri = _TAXONOMIES.get(key, (key, key, "", ""))
        return {
            "name": name,
            "fullName": f"{title} {edition}".strip(),
            **({"version": edition} if edition else {}),
            **({"organization": organisation, "informationUri": uri} if uri else {}),
            "isComprehensive": False,
        }

    def references(self) -> list[dict[str, Any]]:
        """How the tool says that it uses them."""
        return [{"name": one["name"], "index": place} for place, one in enumerate(self.components)]

    def relationships(self, rule: Rule) -> list[dict[str, Any]]:
        """A rule's entries."""
        found = []
        for identifier in rule.taxonomy:
            scheme, _, entry = identifier.partition("/")
            if (scheme, entry) in self._index:
                place, position = self._index[scheme, entry]
                found.append(
                    {
                        "target": {
                            "id": entry,
                            "index": position,
                            "toolComponent": {"name": self._names[scheme], "index": place},
                        },
                        "kinds": ["relevant"],
                    }
                )
        return found


def _uri(path: str) -> str:
    """A path as a reference: relative ones stay relative, absolute ones name the scheme."""
    if _SCHEME.match(path):
        return quote(path, safe="/:@?=&%+,;~-._")
    spelled = quote(os.fsencode(path), safe="/~-._")
    return f"file://{spelled}" if path.startswith("/") else spelled or "."


def _visible(text: str) -> str:
    """Text as JSON and UTF-8 can hold it."""
    return text.encode("utf-8", "backslashreplace").decode()
