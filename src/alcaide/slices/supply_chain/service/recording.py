"""What a scan found, as evidence about what was scanned: bound to its digests, never to a name alone."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.evidence import artifact_scanned, files_of
from alcaide.instruments.scan.examine import rules
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement
from alcaide.kernel.ids import new_id
from alcaide.predicates.base import By
from alcaide.predicates.content import ITSELF, listing_digest, subjects_of_files
from alcaide.slices.supply_chain import tables
from alcaide.slices.supply_chain.model import REPORT_FINDINGS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alcaide.instruments.scan.model import ScanReport
    from alcaide.instruments.scan.provenance.verifying import Verification
    from alcaide.kernel.access import Actor
    from alcaide.kernel.evidence import Subject
    from alcaide.kernel.instance import Instance
    from alcaide.kernel.ledger.log import Tx


def digest(report: ScanReport) -> str:
    """The digest of what was scanned: of the bytes of a file, of the listing of a folder; "" if a file has none."""
    if not report.artifacts or any(artifact.sha256 is None for artifact in report.artifacts):
        return ""
    files = files_of(report)
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
    about, name = _about(tx.conn, instance, subject, files_of(report))
    first, *also = about
    said = artifact_scanned(report, first.name, moment=tx.now, by=by, reason=reason, rules=rules())
    known = {(one.name, one.sha256) for one in said.subjects}
    more = tuple(one for one in also if (one.name, one.sha256) not in known)
    return tx.append(Statement((*said.subjects, *more), said.predicate_type, said.predicate)), name


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


def trusted_pems(instance: Instance, conn: Connection) -> dict[str, bytes]:
    """The keys and certificates whose signatures count here, in PEM, by name."""
    found: dict[str, bytes] = instance.capability("trusted-signers")(conn)
    return found


def record_verification(
    instance: Instance, actor: Actor, found: Verification, subject: str, *, reason: str = ""
) -> int:
    """Put on record that files were held against a signature. Returns the leaf.

    Raises InvalidInput if nothing is known under that name, or the files are not those it stands for.
    """
    instance.authorizer.require(actor, "scan.record", None)

    def work(tx: Tx) -> int:
        about, _ = _about(tx.conn, instance, subject, list(found.files))
        return tx.append(found.statement(about[0].name, moment=tx.now, by=By.of(actor), reason=reason))

    return instance.write(work)
