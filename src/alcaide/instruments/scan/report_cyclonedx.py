"""A scan as an ML-BOM: CycloneDX 1.7 JSON, valid under the official schema.

The scanned thing is the bill's subject, with its model card and its ancestors; every file is a component with its
digest; a finding is an entry of `vulnerabilities`, affecting the file it is in. Parts that could not be looked at make
the composition incomplete: a bill that lists what it did not see as clean would be worth less than none.

Equal reports at equal times give equal documents.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from alcaide.instruments.scan.described import (
    MAX_FILES,
    Described,
    architecture_of,
    described,
    digests_of,
    plain,
    sensitive_in,
    spdx_licence,
)
from alcaide.instruments.scan.evidence import fingerprint
from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alcaide.instruments.scan.data.report import DataReport
    from alcaide.instruments.scan.model import Artifact, Finding, Rule, ScanReport
    from alcaide.instruments.scan.provenance.lineage import Lineage, Origin

MAX_FINDINGS = 5_000
_NAMESPACE = UUID("0f6b3f52-6f0b-5d5e-9d55-0d0b7c1a9f37")
"""Of the serial numbers: a bill of the same scan has the same one."""
_SEVERITY = {
    Level.CRITICAL: "critical",
    Level.HIGH: "high",
    Level.MEDIUM: "medium",
    Level.LOW: "low",
    Level.UNKNOWN: "unknown",
}
_CWE = re.compile(r"cwe/CWE-([0-9]{1,5})\Z")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,31}://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def ml_bom(
    report: ScanReport,
    about: Described | None = None,
    *,
    lineage: Lineage | None = None,
    rules: Mapping[str, Rule] | None = None,
    data: DataReport | None = None,
    moment: datetime | None = None,
) -> dict[str, Any]:
    """The bill of what was scanned.

    Args:
        report: with the digests of the files, if they are to be in it; `described.as_files` makes one of a dataset.
        data: of a dataset, what is in its rows.
        about: what it is called and where it comes from; named after the file if None.
        lineage: what it was made from.
        rules: every rule by its id, for remedies and weaknesses; those of all formats if None.
        moment: when it was scanned; the document has no time without it.
    """
    from alcaide.instruments.scan.examine import rules as all_rules

    about = about or described(report)
    known = rules if rules is not None else all_rules()
    own, listing, root = digests_of(report)
    subject = f"{about.kind}:{about.name}" + (f"@{about.version}" if about.version else "")
    files = {
        artifact.path: f"file:{position}" for position, artifact in enumerate(report.artifacts[:MAX_FILES])
    }
    datasets = lineage.of("trained-on") if lineage else ()
    origins = {f"origin:{position}": one for position, one in enumerate(_origins(lineage))}
    refs = {one: ref for ref, one in origins.items()}
    found = report.findings
    whole = len(files) == len(report.artifacts) and not report.counts().get("unknown")
    bom: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid5(_NAMESPACE, '|'.join((plain(subject), own or listing, report.edition)))}",
        "version": 1,
        "metadata": _without_empty(
            {
                "timestamp": _time(moment),
                "tools": {
                    "components": [
                        _without_empty({"type": "application", "name": "alcaide", "version": report.edition})
                    ]
                },
                "component": _subject(report, about, subject, lineage, [refs[one] for one in datasets], data),
                "properties": _properties(report, listing, root),
            }
        ),
        "components": [
            *(_file(artifact, files[artifact.path]) for artifact in report.artifacts[:MAX_FILES]),
            *(_origin(one, ref) for ref, one in origins.items() if one.kind in ("model", "dataset")),
        ],
        "dependencies": [
            {
                "ref": plain(subject),
                "dependsOn": [
                    *files.values(),
                    *(ref for ref, one in origins.items() if one.kind in ("model", "dataset")),
                ],
            }
        ],
        "compositions": [
            {"aggregate": "complete" if whole else "incomplete", "assemblies": [plain(subject)]}
        ],
        "vulnerabilities": [
            _vulnerability(artifact, finding, known, files, plain(subject))
            for artifact, finding in found[:MAX_FINDINGS]
        ],
    }
    return _without_empty(bom)


def _subject(
    report: ScanReport,
    about: Described,
    ref: str,
    lineage: Lineage | None,
    datasets: list[str],
    data: DataReport | None,
) -> dict[str, Any]:
    own = digests_of(report)[0]
    model = about.kind == "model"
    licence = about.licence or (lineage.licence if lineage else "")
    ancestors = [one for one in _origins(lineage) if one.kind == "model"] if model else []
    architecture = architecture_of(report) if model else ""
    card = _without_empty(
        {
            "modelParameters": _without_empty(
                {
                    "modelArchitecture": plain(architecture),
                    "datasets": [{"ref": one} for one in datasets],
                }
            )
        }
    )
    return _without_empty(
        {
            "type": "machine-learning-model" if model else "data",
            "bom-ref": plain(ref),
            "supplier": {"name": plain(about.supplier)} if about.supplier else None,
            "name": plain(about.name),
            "version": plain(about.version),
            "hashes": [{"alg": "SHA-256", "content": own}] if own else None,
            "licenses": [_licence(licence)] if licence else None,
            "pedigree": {"ancestors": [_ancestor(one) for one in ancestors]} if ancestors else None,
            "externalReferences": _references(about.source),
            "modelCard": card if model else None,
            "data": None if model else [_data(about, data)],
        }
    )


def _data(about: Described, data: DataReport | None) -> dict[str, Any]:
    """What a dataset holds: how many rows, and which sensitive classes were seen."""
    rows = {"properties": [{"name": "alcaide:rows", "value": str(data.rows)}]} if data else None
    return _without_empty(
        {
            "type": "dataset",
            "name": plain(about.name),
            "contents": rows,
            "sensitiveData": sensitive_in(data) if data else None,
        }
    )


def _origins(lineage: Lineage | None) -> list[Origin]:
    return list(dict.fromkeys(one.origin for one in lineage.descents)) if lineage else []


def _ancestor(origin: Origin) -> dict[str, Any]:
    return _without_empty(
        {"type": "machine-learning-model", "name": plain(origin.name), "version": plain(origin.version)}
    )


def _origin(origin: Origin, ref: str) -> dict[str, Any]:
    model = origin.kind == "model"
    return _without_empty(
        {
            "type": "machine-learning-model" if model else "data",
            "bom-ref": ref,
            "name": plain(origin.name),
            "version": plain(origin.version),
            "hashes": [{"alg": "SHA-256", "content": origin.digest}] if len(origin.digest) == 64 else None,
            "data": None if model else [{"type": "dataset", "name": plain(origin.name)}],
        }
    )


def _file(artifact: Artifact, ref: str) -> dict[str, Any]:
    return _without_empty(
        {
            "type": "file",
            "bom-ref": ref,
            "name": plain(artifact.path),
            "hashes": [{"alg": "SHA-256", "content": artifact.sha256}] if artifact.sha256 else None,
            "properties": [
                {"name": "alcaide:size", "value": str(artifact.node.size)},
                *({"name": "alcaide:format", "value": form} for form in artifact.node.formats),
            ],
        }
    )


def _vulnerability(
    artifact: Artifact, finding: Finding, rules: Mapping[str, Rule], files: Mapping[str, str], subject: str
) -> dict[str, Any]:
    rule = rules.get(finding.rule)
    weaknesses = [int(match[1]) for one in (rule.taxonomy if rule else ()) if (match := _CWE.match(one))]
    place = f" in `{finding.place}`" if finding.place else ""
    return _without_empty(
        {
            "bom-ref": f"finding:{fingerprint(artifact.path, finding)}:{_position(finding)}",
            "id": finding.rule,
            "source": {"name": "alcaide"},
            "ratings": [
                {"source": {"name": "alcaide"}, "severity": _SEVERITY[finding.level], "method": "other"}
            ],
            "cwes": weaknesses,
            "description": plain(f"{finding.message}{place}"),
            "detail": rule.why if rule else None,
            "recommendation": rule.remedy if rule else None,
            "affects": [{"ref": files.get(artifact.path, subject)}],
            "properties": [
                {"name": "alcaide:taxonomy", "value": one} for one in (rule.taxonomy if rule else ())
            ],
        }
    )


def _position(finding: Finding) -> str:
    """What tells two findings of one fingerprint apart in one bill."""
    return f"{finding.offset if finding.offset is not None else ''}:{uuid5(_NAMESPACE, plain(finding.message)).hex[:8]}"


def _properties(report: ScanReport, listing: str, root: str) -> list[dict[str, str]]:
    values = {
        "alcaide:scan:outcome": report.outcome.value,
        "alcaide:scan:fail-on": report.fail_on.value,
        "alcaide:scan:edition": report.edition,
        "alcaide:scan:policy": report.policy,
        "alcaide:digest:listing:sha256": listing,
        "alcaide:digest:root:sha256": root,
    }
    return [{"name": name, "value": value} for name, value in values.items() if value]


def _licence(text: str) -> dict[str, Any]:
    known = spdx_licence(text)
    return {"license": {"id": known} if known else {"name": plain(text)}}


def _references(source: str) -> list[dict[str, str]] | None:
    if not _URL.match(source) or _BAD_ESCAPE.search(source) or not urlsplit(source).netloc:
        return None
    return [{"type": "distribution", "url": source}]


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}
