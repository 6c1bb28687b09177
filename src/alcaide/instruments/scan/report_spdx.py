"""A scan as SPDX 3.0.1 JSON-LD: the AI profile for a model, the Dataset profile for a dataset.

Conformance to a profile is stated only where what it demands is known: a bill that fills in a release date to look
complete is a lie with a schema. What is missing is left out, and the profile with it; files, digests, licences,
relationships and findings (as annotations) are there in any case.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from alcaide.instruments.scan.described import (
    MAX_FILES,
    Described,
    architecture_of,
    described,
    digests_of,
    licence_reference,
    plain,
    spdx_licence,
    types_of,
)

if TYPE_CHECKING:
    from alcaide.instruments.scan.data.report import DataReport
    from alcaide.instruments.scan.model import ScanReport
    from alcaide.instruments.scan.provenance.lineage import Lineage, Origin, Relation

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
MAX_FINDINGS = 1_000
_NO_ASSERTION = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
_NAMESPACE = UUID("4e1c8f0e-7a55-5b2a-8d8e-6f2d2f1f3b90")
_RELATIONSHIPS: dict[Relation, str] = {
    "adapter-of": "dependsOn",
    "fine-tuned-from": "descendantOf",
    "merged-from": "descendantOf",
    "quantised-from": "descendantOf",
    "derived-from": "descendantOf",
    "trained-on": "trainedOn",
    "produced-by": "other",
}


def spdx(
    report: ScanReport,
    about: Described | None = None,
    *,
    lineage: Lineage | None = None,
    data: DataReport | None = None,
    moment: datetime,
) -> dict[str, Any]:
    """The document of what was scanned.

    Args:
        report: with the digests of the files, if they are to be in it; `described.as_files` makes one of a dataset.
        data: of a dataset, what is in its rows.
        about: what it is called and where it comes from; named after the file if None.
        lineage: what it was made from.
        moment: when it was scanned; the document's creation time.
    """
    return _Document(report, about or described(report), lineage, data, moment).written()


class _Document:
    """The graph as it grows: every element has its identifier from the same namespace."""

    def __init__(
        self,
        report: ScanReport,
        about: Described,
        lineage: Lineage | None,
        data: DataReport | None,
        moment: datetime,
    ) -> None:
        own, listing, root = digests_of(report)
        name = plain(f"{about.kind}:{about.name}@{about.version}")
        self._base = (
            f"urn:uuid:{uuid5(_NAMESPACE, '|'.join((name, own or listing, report.edition, _time(moment))))}"
        )
        self._report, self._about, self._lineage, self._moment = report, about, lineage, moment
        self._data = data
        self._own, self._listing, self._root = own, listing, root
        self._graph: list[dict[str, Any]] = []
        self._count = 0

    def written(self) -> dict[str, Any]:
        """The document with everything in it."""
        agent = self._add("SoftwareAgent", "agent", name="Alcaide")
        tool = self._add("Tool", "tool", name=f"alcaide {self._report.edition}".strip())
        supplier = (
            self._add("Organization", "supplier", name=plain(self._about.supplier))
            if self._about.supplier
            else ""
        )
        subject = self._subject(supplier)
        files = self._files(subject)
        self._licences(subject)
        self._origins(subject)
        self._findings(subject, files)
        inside = [one["spdxId"] for one in self._graph]
        sbom = self._add(
            "software_Sbom", "sbom", rootElement=[subject], element=inside, software_sbomType=["analyzed"]
        )
        self._add(
            "SpdxDocument",
            "document",
            name=plain(self._about.name),
            rootElement=[sbom],
            element=[one["spdxId"] for one in self._graph],
            profileConformance=self._profiles(bool(supplier)),
        )
        creation = {
            "type": "CreationInfo",
            "@id": "_:creation",
            "specVersion": "3.0.1",
            "created": _time(self._moment),
            "createdBy": [agent],
            "createdUsing": [tool],
        }
        return {"@context": CONTEXT, "@graph": [creation, *self._graph]}

    def _add(self, kind: str, identifier: str, **values: Any) -> str:
        spdx_id = f"{self._base}#{identifier}"
        kept = {name: value for name, value in values.items() if value not in (None, "", [])}
        self._graph.append({"type": kind, "spdxId": spdx_id, "creationInfo": "_:creation", **kept})
        return spdx_id

    def _relate(self, source: str, kind: str, *targets: str, comment: str = "") -> None:
        self._count += 1
        self._add(
            "Relationship",
            f"relationship-{self._count}",
            **{"from": source},
            relationshipType=kind,
            to=list(targets),
            comment=comment,
        )

    def _subject(self, supplier: str) -> str:
        about, model = self._about, self._about.kind == "model"
        digests = [_hash(self._own)] if self._own else []
        identifiers = [
            {
                "type": "ExternalIdentifier",
                "externalIdentifierType": "other",
                "identifier": f"sha256:{digest}",
                "comment": comment,
            }
            for digest, comment in (
                (self._listing, "listing digest: of the names and digests of all files"),
                (self._root, "root digest of an OpenSSF model signature"),
            )
            if digest
        ]
        architecture = architecture_of(self._report) if model else ""
        kind = "ai_AIPackage" if model else "dataset_DatasetPackage"
        return self._add(
            kind,
            "subject",
            name=plain(about.name),
            software_packageVersion=plain(about.version),
            software_downloadLocation=about.source if ":" in about.source else "",
            software_primaryPurpose="model" if model else "data",
            releaseTime=_time(about.released) if about.released else "",
            builtTime=_time(about.built) if about.built else "",
            suppliedBy=supplier,
            originatedBy=[supplier] if supplier and not model else [],
            verifiedUsing=digests,
            externalIdentifier=identifiers,
            **(
                {"ai_typeOfModel": [plain(architecture)] if architecture else []}
                if model
                else self._dataset()
            ),
        )

    def _dataset(self) -> dict[str, Any]:
        data = self._data
        if data is None:
            return {"dataset_datasetType": ["noAssertion"]}
        # Nothing seen is no proof that nothing is there.
        personal = any(column.has("personal") or column.has("special") for column in data.columns)
        return {
            "dataset_datasetType": types_of(data),
            "dataset_datasetSize": data.rows,
            "dataset_hasSensitivePersonalInformation": "yes" if personal else "noAssertion",
        }

    def _files(self, subject: str) -> dict[str, str]:
        found = {}
        for position, artifact in enumerate(self._report.artifacts[:MAX_FILES]):
            found[artifact.path] = self._add(
                "software_File",
                f"file-{position}",
                name=plain(artifact.path),
                verifiedUsing=[_hash(artifact.sha256)] if artifact.sha256 else [],
                comment=", ".join(artifact.node.formats),
            )
        if found:
            self._relate(subject, "contains", *found.values())
        return found

    def _licences(self, subject: str) -> None:
        """Both that the AI profile asks for: what is declared, if it is, and that nothing is concluded."""
        said = self._about.licence or (self._lineage.licence if self._lineage else "")
        declared = _NO_ASSERTION
        if said:
            known = spdx_licence(said)
            declared = self._add(
                "simplelicensing_LicenseExpression",
                "declared-licence",
                simplelicensing_licenseExpression=known or licence_reference(said),
                comment="" if known else f"declared as `{plain(said)}`",
            )
        self._relate(subject, "hasDeclaredLicense", declared)
        self._relate(subject, "hasConcludedLicense", _NO_ASSERTION)

    def _origins(self, subject: str) -> None:
        refs: dict[Origin, str] = {}
        for one in self._lineage.descents if self._lineage else ():
            origin = one.origin
            if origin not in refs:
                refs[origin] = self._origin(origin, len(refs))
            model_to_data = origin.kind == "dataset" and self._about.kind == "model"
            kind = _RELATIONSHIPS[one.relation]
            if kind == "trainedOn" and not model_to_data:
                kind = "other"
            self._relate(subject, kind, refs[origin], comment=f"{one.relation}, by {plain(one.said_in)}")

    def _origin(self, origin: Origin, position: int) -> str:
        dataset = origin.kind == "dataset"
        purpose = {"model": "model", "dataset": "data", "source": "source"}.get(origin.kind, "other")
        return self._add(
            "dataset_DatasetPackage" if dataset else "software_Package",
            f"origin-{position}",
            name=plain(origin.name),
            software_packageVersion=plain(origin.version),
            software_primaryPurpose=purpose,
            verifiedUsing=[_hash(origin.digest)] if len(origin.digest) == 64 else [],
            **({"dataset_datasetType": ["noAssertion"]} if dataset else {}),
        )

    def _findings(self, subject: str, files: dict[str, str]) -> None:
        for position, (artifact, finding) in enumerate(self._report.findings[:MAX_FINDINGS]):
            place = f" in {finding.place}" if finding.place else ""
            self._add(
                "Annotation",
                f"finding-{position}",
                annotationType="review",
                subject=files.get(artifact.path, subject),
                statement=plain(f"{finding.level.value} {finding.rule}{place}: {finding.message}"),
            )

    def _profiles(self, supplied: bool) -> list[str]:
        """The profiles whose demands are met; see the external properties restrictions of the two classes."""
        about = self._about
        found = ["core", "software", "simpleLicensing"]
        common = supplied and bool(about.source) and about.released is not None
        if about.kind == "model" and common and about.version:
            found.append("ai")
        if about.kind == "dataset" and common and about.built is not None:
            found.append("dataset")
        return found


def _hash(digest: str) -> dict[str, str]:
    return {"type": "Hash", "algorithm": "sha256", "hashValue": digest}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
