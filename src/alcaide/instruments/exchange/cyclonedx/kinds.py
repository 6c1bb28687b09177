"""Which kind of component is which type of CycloneDX, and the names of the properties that carry the rest.

CycloneDX has models, data and services; it has no agents, tools or guardrails. Those go out as the nearest
type with their kind in a property, so that any reader sees something true and this one loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

TYPES = {
    "model": "machine-learning-model",
    "dataset": "data",
    "prompt": "data",
    "agent": "application",
    "tool": "application",
    "tool-server": "application",
    "vector-store": "application",
    "guardrail": "application",
}
"""Kind to `component.type`. A `service` is not here: CycloneDX keeps services in a list of their own."""

DATA_TYPES = {"dataset": "dataset", "prompt": "configuration"}
"""Kind to `component.data[].type` for those that go out as data."""

ALL_TYPES = frozenset(
    [
        "application",
        "framework",
        "library",
        "container",
        "platform",
        "operating-system",
        "device",
        "device-driver",
        "firmware",
        "file",
        "machine-learning-model",
        "data",
        "cryptographic-asset",
    ]
)
"""Every `component.type` of CycloneDX 1.7; earlier versions have fewer."""

KIND = "alcaide:kind"
TITLE = "alcaide:title"
ENVIRONMENT = "alcaide:environment"
SOURCE = "alcaide:source"
DIGEST_BYTES = "alcaide:digest:sha256"
DIGEST_DESCRIPTION = "alcaide:digest:description:sha256"
FLOW = "alcaide:flow"
SYSTEM_TITLE = "alcaide:system:title"
SYSTEM_STATUS = "alcaide:system:status"
SYSTEM_OWNER = "alcaide:system:owner"
SYSTEM_DESCRIPTION = "alcaide:system:description"
SYSTEM_DIGEST = "alcaide:system:digest:sha256"
ORIGIN = "alcaide:origin"

UNVERSIONED = "unversioned"
"""Stands for the version of a component whose bill gives none, so that its name still says so."""

_CLASSES = {
    "public": "public",
    "internal": "internal",
    "confidential": "confidential",
    "personal": "personal",
    "pii": "personal",
    "special-category": "special-category",
    "phi": "special-category",
    "secret": "secret",
}


def kind_of(type_: str, data_types: Iterable[str]) -> str:
    """The register's kind of a component of a stranger's bill.

    '' for software, which the register does not keep.
    """
    if type_ == "machine-learning-model":
        return "model"
    if type_ == "data":
        types = set(data_types)
        return "dataset" if not types or "dataset" in types else ""
    return ""


def data_class_of(classification: str) -> str:
    """The data class a free-text classification means; '' where that would be a guess."""
    return _CLASSES.get("-".join(classification.lower().replace("_", " ").split()), "")
