"""What a scan found, as evidence about what was scanned: bound to its digests, never to a name alone."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.ids import new_id
from alcaide.predicates.artifact_scanned import MAX_FINDINGS, ArtifactScanned, ScanFinding
from alcaide.predicates.base import By, at
from alcaide.predicates.content import ITSELF, listing_digest, subjects_of_files
from alcaide.slices.supply_chain import tables
from alcaide.slices.supply_chain.model import REPORT_FINDINGS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.instruments.scan.model import Artifact, Finding, ScanReport
    from alcaide.kernel.access import Actor
    from alcaide.kernel.evidence import Subject
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.ledger.log import Tx

_MAX_FORMATS = 100


def files_of(report: ScanReport) -> list[tuple[str, str]]:
    """(path, SHA-256) of every scanned file; a single file is `.`. Empty if one could not be read to its end."""
    if any(artifact.sha256 is None for artifact in report.artifacts):
        return []
    if len(report.artifacts) == 1 and "/" not in report.artifacts[0].path:
        return [(ITSELF, report.artifacts[0].sha256 or "")]
    return [(artifact.path, artifact.sha256 or "") for artifact in report.artifacts]


def digest(report: ScanReport) -> str:
    """The digest of what was scanned: of the bytes of a file, of the listing of a folder; "" if a file has none."""
    files = files_of(report)
    if not files:
        return ""
    return files[0][1] if files[0][0] == ITSELF else listing_digest(files)


def append(
    tx: Tx, instance: Instance, by: By, report: ScanReport, subject: str, *, reason: str = ""
) -> tuple[int, str]:
    """Append the statement; returns its leaf and the name it is about.

    `subject` is a registered component, whose registered digest must be one of the scanned bytes'; a system, for those
    of its components that these bytes are; or `kind:name@version=sha256:…` for what the register does not know.

    Raises:
        InvalidInput: nothing is known under that name, or the bytes are not those it stands for.
    """
    files = files_of(report)
    if not files:
        raise InvalidInput(
            "a file could not be read to its end, so what was scanned has no digest and nothing can be said about it; "
            "make every file readable and scan again"
        )
    about, name = _about(tx.conn, instance, subject, files)
    said = ArtifactScanned(
        at=at(tx.now),
        by=by,
        reason=reason,
        edition=report.edition,
        fail_on=report.fail_on.value,
        outcome=report.outcome.value,
        counts={level: count for level, count in report.counts().items() if count},
        findings=tuple(
            _finding(artifact, finding, alone=files[0][0] == ITSELF)
            for artifact, finding in report.findings[:MAX_FINDINGS]
        ),
        findings_total=len(report.findings),
        files=len(report.artifacts),
        bytes=sum(artifact.node.size for artifact in report.artifacts),
        root=digest(report),
        formats=_formats(report),
        outcome_reason=_why(report),
        policy=report.policy,
        left_out=tuple(report.left_out[:50]),
    )
    return tx.append(said.about(about)), name


def record_report(
    instance: Instance, actor: Actor, report: ScanReport, subject: str, *, title: str, reason: str = ""
) -> tuple[str, int]:
    """Keep a report that was made here and put it on record about a subject. Returns the scan's id and the leaf.

    Raises InvalidInput as `append` does.
    """
    instance.authorizer.require(actor, "scan.record", None)
    scan_id = new_id()
    values = kept(report)

    def work(tx: Tx) -> int:
        leaf, name = append(tx, instance, By.of(actor), report, subject, reason=reason)
        tx.conn.execute(
            tables.scan.insert().values(
                id=scan_id,
                kind="artifact",
                state="done",
                origin="command",
                title=title[:400],
                place="",
                subject=name[:400],
                asked_at=tx.now,
                asked_by=actor.name[:400],
                asked_json=actor.as_json(),
                reason=reason,
                done_at=tx.now,
                leaf=leaf,
                **values,
            )
        )
        return leaf

    return scan_id, instance.write(work)


def kept(report: ScanReport) -> dict[str, Any]:
    """The columns of an ended scan."""
    from alcaide.instruments.scan.showing import report_json

    document = report_json(report)
    left = REPORT_FINDINGS
    for artifact in document["artifacts"]:
        artifact["findings"] = artifact["findings"][: max(0, left)]
        left -= len(artifact["findings"])
    return {
        "outcome": report.outcome.value,
        "counts": report.counts(),
        "files": len(report.artifacts),
        "bytes": sum(artifact.node.size for artifact in report.artifacts),
        "edition": report.edition[:60],
        "sha256": digest(report),
        "report": zlib.compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 6),
    }


def _about(
    conn: Connection, instance: Instance, text: str, files: list[tuple[str, str]]
) -> tuple[tuple[Subject, ...], str]:
    """The subjects of a statement about these bytes, and the name that was meant."""
    resolved = instance.capability("resolve-subject")(conn, instance, text)
    name = str(resolved.name) or text.strip()
    found = subjects_of_files(name, files)
    digests = [one.sha256 for one in found]
    if resolved.sha256 in digests:
        return found, name
    if name.startswith("system:"):
        graph = instance.capability("system-graph")(conn, name.removeprefix("system:"))
        parts = [one for one in graph.components if one.digest in digests] if graph is not None else []
        if parts:
            about = [one for part in parts for one in subjects_of_files(part.subject_name, files)]
            return tuple(about), name
        raise InvalidInput(
            f"no component of `{name}` has these bytes (sha256 {digests[0]}); register the version with this digest, "
            "or name the component"
        )
    raise InvalidInput(
        f"the scanned bytes are not those of `{name}`: registered is sha256 {resolved.sha256}, scanned is "
        f"{' or '.join(str(one) for one in digests)}; scan what is registered, or register what was scanned"
    )


def _finding(artifact: Artifact, finding: Finding, *, alone: bool) -> ScanFinding:
    from alcaide.instruments.scan.examine import rules

    rule = rules().get(finding.rule)
    file = ITSELF if alone else artifact.path
    print_of = f"{finding.rule}\0{file}\0{finding.place}\0{finding.message}"
    return ScanFinding(
        rule=finding.rule,
        level=finding.level.value,
        message=finding.message,
        file=file,
        place=finding.place,
        offset=finding.offset,
        fingerprint=sha256(print_of.encode("utf-8", "surrogateescape")).hexdigest()[:32],
        taxonomy=rule.taxonomy if rule is not None else (),
    )


def _formats(report: ScanReport) -> dict[str, int]:
    counted = Counter(name for artifact in report.artifacts for name in artifact.node.formats)
    return dict(sorted(counted.most_common(_MAX_FORMATS)))


def _why(report: ScanReport) -> str:
    """The worst finding in a line, where the outcome is not a pass."""
    if report.outcome.value == "passed" or not report.findings:
        return ""
    artifact, finding = report.findings[0]
    return f"`{artifact.path}`: {finding.message}"[:500]
