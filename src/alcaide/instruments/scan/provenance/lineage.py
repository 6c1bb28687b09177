"""What an artifact says it was made from: its base model, what was merged, what it was trained on, which run made it.

All of it is the artifact's own word. It is worth having (the base's licence, its flaws and its recalls come along), and
it is a claim: each descent names the file that makes it, and a digest only where provenance gives one.

Read from the files that the field has for it: model and dataset cards, adapter and merge configurations, GGUF metadata,
MLflow's `MLmodel`, SLSA provenance. Each reader takes what was parsed and never fails on what is odd in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from alcaide.kernel.errors import AlcaideError
from alcaide.kernel.policy.source import read_yaml
from alcaide.kernel.strict import strict_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from alcaide.instruments.scan.model import ScanReport
    from alcaide.instruments.scan.provenance.attestation import Provenance

Relation = Literal[
    "adapter-of",
    "fine-tuned-from",
    "merged-from",
    "quantised-from",
    "derived-from",
    "trained-on",
    "produced-by",
]
Kind = Literal["model", "dataset", "run", "source"]
MAX_DESCENTS = 500
MAX_READ = 4 << 20
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,500}\Z")
_RELATIONS: Mapping[str, Relation] = {
    "adapter": "adapter-of",
    "merge": "merged-from",
    "quantized": "quantised-from",
    "quantised": "quantised-from",
    "finetune": "fine-tuned-from",
    "fine-tune": "fine-tuned-from",
}
"""`base_model_relation` of a model card."""
_QUANTISED = frozenset({"gguf", "awq", "gptq", "exl2", "bitsandbytes", "quantized", "4-bit", "8-bit", "mlx"})


@dataclass(frozen=True, slots=True)
class Origin:
    """What something comes from, as far as it is named: a repository, a path, a run."""

    kind: Kind
    name: str
    version: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Descent:
    """One step back, and which file says so."""

    relation: Relation
    origin: Origin
    said_in: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """All steps back that an artifact tells of, and what it says of itself on the way."""

    descents: tuple[Descent, ...] = ()
    licence: str = ""
    library: str = ""
    title: str = ""

    def of(self, *relations: Relation) -> tuple[Origin, ...]:
        """The origins by these relations, each once."""
        return tuple(dict.fromkeys(one.origin for one in self.descents if one.relation in relations))

    def to_json(self) -> dict[str, Any]:
        """As a statement's facts have it."""
        return {
            "descents": [
                {
                    "relation": one.relation,
                    "said_in": one.said_in,
                    "origin": {
                        name: value
                        for name in ("kind", "name", "version", "digest")
                        if (value := getattr(one.origin, name))
                    },
                }
                for one in self.descents
            ],
            **{name: value for name in ("licence", "library", "title") if (value := getattr(self, name))},
        }


def lineage_of_folder(root: Path) -> Lineage:
    """What the files of a folder say. Files that are too large, or no text, say nothing."""
    parts = [_read(root, path) for path in _told_in(root)]
    return _together(parts)


def lineage_of_report(report: ScanReport) -> Lineage:
    """What a scan's readers noted on the way: base models in GGUF metadata and adapter configurations."""
    return _together(
        Lineage(tuple(from_gguf(node.facts, artifact.path)))
        for artifact in report.artifacts
        for node in artifact.node.walk()
        if "gguf" in node.formats
    )


def from_card(card: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """A model card's or dataset card's front matter."""
    tags = {str(tag).lower() for tag in _listed(card.get("tags"))}
    bases = list(_names(card.get("base_model")))
    relation = _RELATIONS.get(str(card.get("base_model_relation", "")).lower())
    if relation is None:
        if tags & {"merge", "mergekit"} or len(bases) > 1:
            relation = "merged-from"
        elif tags & {"adapter", "lora", "peft"} or str(card.get("library_name", "")).lower() == "peft":
            relation = "adapter-of"
        elif tags & _QUANTISED:
            relation = "quantised-from"
        else:
            relation = "derived-from"
    for name in bases:
        yield Descent(relation, Origin("model", name), said_in)
    for name in _names(card.get("datasets")):
        yield Descent("trained-on", Origin("dataset", name), said_in)
    for name in _names(card.get("source_datasets")):
        if name not in ("original", "extended"):  # words of the dataset card's own vocabulary
            yield Descent("derived-from", Origin("dataset", name.removeprefix("extended|")), said_in)


def from_adapter(config: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """PEFT's `adapter_config.json`."""
    revision = config.get("revision")
    for name in _names(config.get("base_model_name_or_path")):
        yield Descent(
            "adapter-of", Origin("model", name, revision if isinstance(revision, str) else ""), said_in
        )


def from_config(config: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """Transformers' `config.json`: where it was loaded from when it was saved, and whether it was quantised since."""
    quantised = isinstance(config.get("quantization_config"), dict)
    for name in _names(config.get("_name_or_path")):
        yield Descent("quantised-from" if quantised else "derived-from", Origin("model", name), said_in)


def from_merge(config: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """A `mergekit_config.yml`, in any of the forms in which it names models."""
    for name in _names(config.get("base_model")):
        yield Descent("merged-from", Origin("model", name), said_in)
    waiting: list[Any] = [config.get("models"), config.get("slices")]
    seen = 0
    while waiting and seen < 10_000:
        seen += 1
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            for name in _names(value.get("model")):
                yield Descent("merged-from", Origin("model", name.partition("+")[0]), said_in)
            waiting.extend(value.get(key) for key in ("sources", "models"))


def from_gguf(facts: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """Metadata of a GGUF file: bases and datasets it names."""
    for key in ("base_model", "base_models", "source"):
        for name in _names(facts.get(key)):
            yield Descent("quantised-from", Origin("model", _repository(name)), said_in)
    for name in _names(facts.get("datasets")):
        yield Descent("trained-on", Origin("dataset", _repository(name)), said_in)


def from_mlmodel(model: Mapping[str, Any], said_in: str) -> Iterator[Descent]:
    """MLflow's `MLmodel`: the run that logged it."""
    for name in _names(model.get("run_id")):
        made = model.get("utc_time_created")
        yield Descent("produced-by", Origin("run", name, made[:40] if isinstance(made, str) else ""), said_in)


def from_provenance(provenance: Provenance, said_in: str) -> Iterator[Descent]:
    """SLSA provenance: the build, and what went into it, with digests."""
    if provenance.invocation or provenance.builder:
        yield Descent("produced-by", Origin("run", provenance.invocation or provenance.builder), said_in)
    for uri, digest in provenance.sources:
        kind: Kind = "model" if "huggingface.co/" in uri and "/datasets/" not in uri else "source"
        if "/datasets/" in uri:
            kind = "dataset"
        yield Descent("derived-from", Origin(kind, uri, digest=digest), said_in)


def front_matter(text: str) -> Mapping[str, Any]:
    """The YAML between two lines of dashes at a card's start; empty where there is none that can be read."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].strip() != "---":
        return {}
    for end, line in enumerate(lines[1:5_000], start=1):
        if line.strip() == "---":
            return _yaml("\n".join(lines[1:end]), "README.md")
    return {}


_READERS = {
    "adapter_config.json": from_adapter,
    "config.json": from_config,
    "mergekit_config.yml": from_merge,
    "mergekit_config.yaml": from_merge,
    "MLmodel": from_mlmodel,
}


def _told_in(root: Path) -> list[str]:
    """The files worth reading, in the folder and one below: adapters often lie there."""
    wanted = {"README.md", *_READERS}
    found = [name for name in sorted(wanted) if (root / name).is_file()]
    try:
        below = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink())[
            :200
        ]
    except OSError:
        below = []
    found += [
        f"{folder}/{name}"
        for folder in below
        for name in sorted(_READERS)
        if (root / folder / name).is_file()
    ]
    return found[:400]


def _read(root: Path, path: str) -> Lineage:
    name = path.rpartition("/")[2]
    try:
        with (root / path).open("rb") as file:
            data = file.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            return Lineage()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return Lineage()
    if name == "README.md":
        card = front_matter(text)
        return Lineage(
            tuple(from_card(card, path)),
            _word(card.get("license")),
            _word(card.get("library_name")),
            _word(card.get("pretty_name")),
        )
    document = _json(data) if name.endswith(".json") else _yaml(text, name)
    return Lineage(tuple(_READERS[name](document, path)))


def _json(data: bytes) -> Mapping[str, Any]:
    try:
        value = strict_json(data, max_bytes=MAX_READ)
    except AlcaideError:
        return {}
    return value if isinstance(value, dict) else {}


def _yaml(text: str, name: str) -> Mapping[str, Any]:
    try:
        value = read_yaml(text, name).value
    except AlcaideError:
        return {}
    return value if isinstance(value, dict) else {}


def _together(parts: Iterable[Lineage]) -> Lineage:
    parts = list(parts)
    seen: dict[tuple[Relation, Origin], Descent] = {}
    for part in parts:
        for one in part.descents:
            seen.setdefault((one.relation, one.origin), one)
    # A vague "derived" beside a precise word for the same origin says nothing more.
    precise = {(one.origin.kind, one.origin.name) for one in seen.values() if one.relation != "derived-from"}
    kept = [
        one
        for one in seen.values()
        if one.relation != "derived-from" or (one.origin.kind, one.origin.name) not in precise
    ]
    first = {
        name: next((v for p in parts if (v := getattr(p, name))), "")
        for name in ("licence", "library", "title")
    }
    return Lineage(tuple(kept[:MAX_DESCENTS]), **first)


def _names(value: Any) -> Iterator[str]:
    """The names in a value that may be one or a list of them."""
    for one in _listed(value)[:100]:
        if isinstance(one, str) and _NAME.match(one.strip()):
            yield one.strip()


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return value if isinstance(value, list) else [value]


def _repository(url: str) -> str:
    """`owner/name` of a hub's address; other addresses as they are."""
    return url.removeprefix("https://huggingface.co/").removeprefix("datasets/").rstrip("/") or url


def _word(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""
