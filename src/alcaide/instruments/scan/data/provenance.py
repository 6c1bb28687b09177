"""Where a data set says it is from and under which licence: its card, or the fields given for it.

Read beside the data: `README.md` with YAML front matter, `dataset_info.json`, a Croissant or data-package document,
a licence file. They are a stranger's: bounded in size, parsed without tags, and believed in nothing but what they say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_MOST = 1 << 20
_FILES = (
    "README.md",
    "dataset_info.json",
    "dataset_infos.json",
    "croissant.json",
    "metadata.json",
    "datapackage.json",
    "dataset-metadata.json",
    "CITATION.cff",
)
_LICENCES = ("LICENSE", "LICENCE", "LICENSE.txt", "LICENSE.md", "COPYING", "LICENCE.txt")
_LICENCE_KEYS = ("license", "licence", "licenses", "license_name", "license_id", "lizenz")
_SOURCE_KEYS = (
    "source", "sources", "source_datasets", "origin", "homepage", "url", "creator", "author", "authors", "provenance",
    "citation", "download_url", "publisher", "collected_by", "collection", "isbasedon", "data_collection", "citeas",
    "annotations_creators",
)  # fmt: skip
_RESTRICTED = re.compile(
    r"\b(nc|nd|non.?commercial|no.?deriv\w*|research.?only|academic|all rights reserved|proprietary|other|unknown)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = frozenset(
    {
        "",
        "unknown",
        "none",
        "n/a",
        "na",
        "todo",
        "tbd",
        "[more information needed]",
        "more information needed",
    }
)


@dataclass(slots=True)
class Card:
    """What is said about a data set."""

    licence: str | None = None
    sources: list[str] = field(default_factory=list)
    """Which fields say where it is from."""
    synthetic: bool = False
    """Whether it says that some of it is made by a model."""
    files: list[str] = field(default_factory=list)

    @property
    def restricted(self) -> bool:
        """Whether its licence forbids some uses, or says nothing definite."""
        return self.licence is not None and bool(_RESTRICTED.search(self.licence.replace("-", " ")))


def card_of(folder: Path | None, given: Mapping[str, Any] | None) -> Card:
    """The card, from the fields given and from what lies in the folder; fields given win."""
    card = Card()
    if given is not None:
        _take(card, given)
    if folder is None:
        return card
    for name in _FILES:
        path = folder / name
        try:
            if not path.is_file() or path.is_symlink() or path.stat().st_size > _MOST:
                continue
            text = path.read_text("utf-8", "replace")
        except OSError:
            continue
        fields = _fields(name, text)
        if fields:
            card.files.append(name)
            _take(card, fields)
        if re.search(
            r"\bsynthetic(ally)?\b|machine.generated|generated (by|with) (gpt|an? llm|a language model)",
            text,
            re.IGNORECASE,
        ):
            card.synthetic = True
    if card.licence is None:
        for name in _LICENCES:
            path = folder / name
            if path.is_file() and not path.is_symlink():
                with path.open("r", encoding="utf-8", errors="replace") as stream:
                    card.licence = stream.readline(200).strip() or name
                card.files.append(name)
                break
    return card


def _fields(name: str, text: str) -> Mapping[str, Any]:
    """A document's fields; none if it cannot be parsed."""
    try:
        parsed = (
            json.loads(text) if name.endswith(".json") else _front_matter(text, whole=name.endswith(".cff"))
        )
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, Mapping) else {}


def _front_matter(text: str, *, whole: bool) -> Any:
    import yaml

    block = text
    if not whole:
        match = re.match(r"\A---\r?\n(.*?)\r?\n---", text, re.DOTALL)
        if match is None:
            return {}
        block = match.group(1)
    if "&" in block and "*" in block:
        return {}  # anchors: small documents that unfold into large ones
    try:
        return yaml.safe_load(block)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _take(card: Card, fields: Mapping[str, Any]) -> None:
    for layer in (fields, *(value for value in list(fields.values())[:50] if isinstance(value, Mapping))):
        for key, value in list(layer.items())[:500]:
            name = str(key).lower().removeprefix("dct:").removeprefix("sc:").replace("-", "_")
            said = _said(value)
            if said is None:
                continue
            if name in _LICENCE_KEYS and card.licence is None:
                card.licence = said
            elif name in _SOURCE_KEYS and name not in card.sources:
                card.sources.append(name)
            if "synthetic" in name and said.lower() not in {"false", "no", "0"}:
                card.synthetic = True


def _said(value: Any) -> str | None:
    """A field's value as text; None if it says nothing."""
    if isinstance(value, list):
        value = ", ".join(said for one in value[:10] if (said := _said(one)))
    elif isinstance(value, Mapping):
        value = next((said for one in value.values() if (said := _said(one))), "")
    text = str(value).strip()[:200]
    return None if text.lower() in _PLACEHOLDER else text
