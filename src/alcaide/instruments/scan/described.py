"""What is known of a scanned thing beside the scan: its name, its supplier, its source. For bills of material."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

from alcaide.instruments.scan.model import Artifact, Node, ScanReport
from alcaide.instruments.scan.patterns import regex
from alcaide.predicates.content import ITSELF, content_of, listing_digest, root_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from alcaide.instruments.scan.data.report import DataReport

MAX_FILES = 10_000
"""Files a bill lists; one that lists fewer than there are says so."""

_OLD = {
    "gpl-3.0": "GPL-3.0-only", "gpl-2.0": "GPL-2.0-only", "agpl-3.0": "AGPL-3.0-only", "lgpl-3.0": "LGPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0",
}  # fmt: skip
_NOT_IN_A_REFERENCE = regex(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Described:
    """A model or a dataset as a bill calls it. Empty where it is not known: nothing is made up."""

    name: str
    version: str = ""
    kind: Literal["model", "dataset"] = "model"
    supplier: str = ""
    source: str = ""
    """The URL it was got from."""
    licence: str = ""
    released: datetime | None = None
    built: datetime | None = None


def described(report: ScanReport) -> Described:
    """What to call what was scanned, where nobody says: after the file, or the folder's content."""
    if len(report.artifacts) == 1:
        return Described(report.artifacts[0].node.name)
    return Described("scanned-files")


def as_files(data: DataReport) -> ScanReport:
    """A dataset that was scanned by its rows, as the one file it is: for a bill, which lists files."""
    name = data.source.replace("\\", "/").rstrip("/").rpartition("/")[2] or data.source
    artifact = Artifact(name, Node(name, data.size, [data.kind]), list(data.findings), data.sha256)
    return ScanReport([artifact], data.edition, fail_on=data.fail_on)


def sensitive_in(data: DataReport) -> list[str]:
    """The classes of personal data and secrets that were seen in it, each once, by name."""
    seen = (one for column in data.columns for one in column.sightings)
    return sorted({one.category for one in seen if one.kind in ("personal", "special", "secret")})


def types_of(data: DataReport) -> list[str]:
    """What it is made of, in the words of SPDX's `DatasetType`."""
    roles = {column.role for column in data.columns}
    found = {
        "image": data.kind == "images",
        "text": bool(roles & {"text", "conversation"}) or data.kind == "text",
        "structured": bool(roles & {"number", "category", "boolean", "time"}),
    }
    return [name for name, holds in found.items() if holds] or ["noAssertion"]


def digests_of(report: ScanReport) -> tuple[str, str, str]:
    """Of the bytes of a single file, of the listing, and the root; "" for what there is not, or is not known."""
    known = [(artifact.path, artifact.sha256) for artifact in report.artifacts if artifact.sha256]
    if not known or len(known) != len(report.artifacts):
        return "", "", ""
    if len(known) == 1 and "/" not in known[0][0]:
        return known[0][1], "", root_digest([(ITSELF, known[0][1])])
    content = content_of(known)
    return "", listing_digest(content), root_digest(content)


def architecture_of(report: ScanReport) -> str:
    """The architecture that a reader noted: `llama` of a GGUF file, `BertModel` of a configuration."""
    for artifact in report.artifacts:
        for node in artifact.node.walk():
            for key in ("architecture", "architectures", "model_type"):
                value: Any = node.facts.get(key)
                value = value[0] if isinstance(value, list) and value else value
                if isinstance(value, str) and value:
                    return value[:200]
    return ""


def spdx_licence(text: str) -> str:
    """The SPDX identifier that a licence's name means, whatever its case; "" where it means none."""
    name = text.strip().lower()
    return _licences().get(name) or _OLD.get(name, "")


@lru_cache(maxsize=1)
def _licences() -> Mapping[str, str]:
    text = files("alcaide.instruments.scan").joinpath("lists/licences.txt").read_text(encoding="utf-8")
    return {line.lower(): line for line in text.splitlines() if line and not line.startswith("#")}


def licence_reference(text: str) -> str:
    """A licence of one's own in an SPDX expression: `LicenseRef-llama3`."""
    return f"LicenseRef-{_NOT_IN_A_REFERENCE.sub('-', text.strip()).strip('-')[:100] or 'unnamed'}"


def plain(text: str) -> str:
    """Text as JSON and UTF-8 can hold it."""
    return text.encode("utf-8", "backslashreplace").decode()
