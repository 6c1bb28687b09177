"""Read a CycloneDX bill of material: what a system is made of, according to whoever wrote the bill.

1. sniff out XML and name the way to JSON, 2. parse strictly, 3. check the head, 4. gather components and
   services, nested ones too, 5. resolve dependencies, compositions and data flows against their references,
   6. fold vulnerabilities into an outcome.

Left out on purpose: formulation, declarations, annotations and cryptographic properties, which are counted
and kept in the document but not interpreted, and the JSF signature inside a bill, which is noted and not
checked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from alcaide.instruments.exchange.cyclonedx import kinds
from alcaide.instruments.exchange.document import MAX_LISTED, Outcome, ParsedDocument, subjects_of
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence import Subject
from alcaide.kernel.ids import slug
from alcaide.kernel.strict import Fields, strict_json
from alcaide.predicates.graph import COMPONENT_KINDS, DATA_CLASSES, ComponentRef, FlowRef, SystemGraph

VERSIONS = ("1.5", "1.6", "1.7")
MAX_PARTS = 100_000
MAX_FLOWS = 50_000
_SERIAL = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_SETTLED = frozenset({"resolved", "resolved_with_pedigree", "false_positive", "not_affected"})
_GRAVE = frozenset({"critical", "high"})
_PARTIAL = frozenset({"unknown", "not_specified"})
_UNREAD = ("annotations", "formulation", "declarations", "definitions", "citations")


@dataclass(frozen=True, slots=True)
class Part:
    """One component or service of the bill. `kind` is '' for software that the register does not keep."""

    ref: str
    type: str
    kind: str
    component: ComponentRef
    properties: dict[str, tuple[str, ...]]
    fields: Fields


@dataclass(slots=True)
class _Reading:
    """What has been gathered so far. Lives for one read."""

    notes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    by_ref: dict[str, Part] = field(default_factory=dict)


class CycloneDx:
    """The reader. `kind` of its documents is `cyclonedx`."""

    name = "cyclonedx"
    title = "CycloneDX bill of material"
    media_types: tuple[str, ...] = ("application/vnd.cyclonedx+json",)

    def sniff(self, data: bytes) -> bool:
        head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
        if head.startswith(b"<"):
            return b"cyclonedx.org/schema/bom" in head
        return b'"bomFormat"' in data and b"CycloneDX" in data

    def read(self, data: bytes, **options: Any) -> ParsedDocument:
        if options:
            raise TypeError(f"the CycloneDX reader takes no {', '.join(options)}")
        if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise InvalidInput(
                "this bill of material is XML, and only CycloneDX JSON is read; convert it, for example with "
                "`cyclonedx convert --output-format json`"
            )
        bom = Fields(strict_json(data, what="the bill of material"))
        version = _check_head(bom)
        reading = _Reading()
        main = _gather(bom, reading)
        flows = tuple(_own_flows(bom)) or tuple(_foreign_flows(reading))
        components = tuple(part.component for part in reading.parts if part.kind and part is not main)
        outcome, reason, vulnerabilities = _outcome(bom, reading, main)
        graph = _graph(main, components, flows)
        for key in _UNREAD:
            if key in bom:
                reading.notes.append(f"`{key}` is kept and not interpreted")
        if "signature" in bom:
            reading.notes.append("the signature inside the bill is kept and not checked")
        return ParsedDocument(
            kind=self.name,
            title=f"Bill of material of {main.component.name if main else 'an unnamed system'}"[:200],
            media_type=self.media_types[0],
            sha256=sha256(data).hexdigest(),
            subjects=_subjects(reading, main, graph),
            summary=_summary(bom, version, reading, main, len(flows), vulnerabilities),
            outcome=outcome,
            reason=reason,
            components=components,
            flows=flows,
            graph=graph,
            notes=tuple(reading.notes[:MAX_LISTED]),
        )


def _check_head(bom: Fields) -> str:
    if bom.text("bomFormat") != "CycloneDX":
        raise InvalidInput("`bomFormat` is not `CycloneDX`; is this a bill of material of another kind?")
    version = bom.needed("specVersion", limit=20)
    if version not in VERSIONS:
        raise InvalidInput(f"CycloneDX `{version}` is not read; write it as one of {', '.join(VERSIONS)}")
    serial = bom.text("serialNumber", limit=80)
    if serial and not _SERIAL.match(serial):
        raise InvalidInput(f"`serialNumber` `{serial}` is not `urn:uuid:` and a UUID")
    number = bom.whole("version")
    if number is not None and number < 1:
        raise InvalidInput(f"`version` is {number}; the version of a bill counts from 1")
    return version


def _gather(bom: Fields, reading: _Reading) -> Part | None:
    """Fill `reading` from the component lists and service lists; returns the main component."""
    metadata = bom.object("metadata")
    main = None
    if "component" in metadata:
        main = _part(metadata.object("component"), reading, service=False)
        for nested in _nested(metadata.object("component"), "components"):
            _part(nested, reading, service=False)
    for component in _nested(bom, "components"):
        _part(component, reading, service=False)
    for service in _nested(bom, "services"):
        _part(service, reading, service=True)
    return main


def _nested(parent: Fields, key: str) -> Iterator[Fields]:
    """The list under `key` and the lists under `key` of its entries, depth first.

    The parser bounded the depth.
    """
    stack = [parent.objects(key, limit=MAX_PARTS)]
    while stack:
        for child in stack[-1]:
            yield child
            stack.append(child.objects(key, limit=MAX_PARTS))
            break
        else:
            stack.pop()


def _part(fields: Fields, reading: _Reading, *, service: bool) -> Part:
    if len(reading.parts) >= MAX_PARTS:
        raise TooLarge(f"the bill has more than {MAX_PARTS} components; split it")
    type_ = "service" if service else fields.needed("type", limit=60)
    if not service and type_ not in kinds.ALL_TYPES:
        raise InvalidInput(f"`{fields.at('type')}` `{type_}` is no component type of CycloneDX 1.7")
    properties = _properties(fields)
    kind = _kind(fields, type_, properties)
    group, name = fields.text("group", limit=500), fields.needed("name", limit=1_000)
    ours = kinds.KIND in properties
    component = ComponentRef(
        kind=kind or "software",
        name=f"{group}/{name}" if group else name,
        version=fields.text("version", limit=500) or ("" if ours else kinds.UNVERSIONED),
        digest=_digest(fields, properties),
        title=_first(properties, kinds.TITLE),
        tags=fields.texts("tags", limit=1_000, each=200),
        environments=properties.get(kinds.ENVIRONMENT, ()),
        supplier=_supplier(fields, service=service),
        licence=_licence(fields),
        source=_source(fields, properties),
    )
    part = Part(fields.text("bom-ref", limit=2_048), type_, kind, component, properties, fields)
    if part.ref:
        if part.ref in reading.by_ref:
            raise InvalidInput(
                f"`{fields.at('bom-ref')}` `{part.ref[:120]}` is used twice; each must be unique"
            )
        reading.by_ref[part.ref] = part
    reading.parts.append(part)
    return part


def _kind(fields: Fields, type_: str, properties: dict[str, tuple[str, ...]]) -> str:
    said = _first(properties, kinds.KIND)
    if said:
        if said not in COMPONENT_KINDS:
            raise InvalidInput(
                f"`{fields.at('properties')}` gives the kind `{said[:60]}`, which is none of Alcaide's"
            )
        return said
    if type_ == "service":
        return "service"
    return kinds.kind_of(
        type_, (entry.text("type", limit=60) for entry in fields.objects("data", limit=1_000))
    )


def _properties(fields: Fields) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in fields.objects("properties", limit=MAX_FLOWS):
        name = entry.text("name", limit=500)
        if name.startswith("alcaide:"):
            found[name] = (*found.get(name, ()), entry.text("value", limit=200_000))
    return found


def _first(properties: dict[str, tuple[str, ...]], name: str) -> str:
    return properties.get(name, ("",))[0]


def _digest(fields: Fields, properties: dict[str, tuple[str, ...]]) -> str | None:
    found: str | None = None
    for entry in fields.objects("hashes", limit=100):
        algorithm, content = entry.needed("alg", limit=40), entry.needed("content", limit=256)
        if algorithm != "SHA-256":
            continue
        if not _SHA256.match(content.lower()):
            raise InvalidInput(f"`{entry.at('content')}` is not a SHA-256 digest of 64 hex digits")
        if found not in (None, content.lower()):
            raise InvalidInput(
                f"`{fields.at('hashes')}` gives two different SHA-256 digests; keep the right one"
            )
        found = content.lower()
    for name in (kinds.DIGEST_BYTES, kinds.DIGEST_DESCRIPTION):
        said = _first(properties, name)
        if said and not found:
            if not _SHA256.match(said):
                raise InvalidInput(
                    f"`{fields.at('properties')}` `{name}` is not a SHA-256 digest of 64 hex digits"
                )
            found = said
    return found


def _supplier(fields: Fields, *, service: bool) -> str:
    """Who supplies it. Older bills of the same version name only a publisher or an author."""
    if service:
        return fields.object("provider").text("name", limit=500)
    return (
        fields.object("supplier").text("name", limit=500)
        or fields.object("manufacturer").text("name", limit=500)
        or fields.text("publisher", limit=500)
        or fields.text("author", limit=500)
    )


def _licence(fields: Fields) -> str:
    names = []
    for choice in fields.objects("licenses", limit=1_000):
        licence = choice.object("license")
        name = (
            choice.text("expression", limit=500)
            or licence.text("id", limit=500)
            or licence.text("name", limit=500)
        )
        if name:
            names.append(name)
    return " AND ".join(names) if len(names) <= 10 else f"{' AND '.join(names[:10])} AND …"


def _source(fields: Fields, properties: dict[str, tuple[str, ...]]) -> str:
    """Where it comes from: the first distribution, else the repository, else the package URL."""
    found: dict[str, str] = {}
    for reference in fields.objects("externalReferences", limit=10_000):
        found.setdefault(reference.needed("type", limit=60), reference.needed("url"))
    return (
        _first(properties, kinds.SOURCE)
        or found.get("distribution", "")
        or found.get("vcs", "")
        or fields.text("purl")
    )


def _own_flows(bom: Fields) -> Iterator[FlowRef]:
    """Flows as `write_mlbom` puts them: whole, and so believed over what services say of their data."""
    for text in _properties(bom).get(kinds.FLOW, ()):
        flow = Fields(strict_json(text.encode(), what=f"property `{kinds.FLOW}`"), kinds.FLOW)
        classes = flow.texts("data", limit=100, each=60)
        strange = [name for name in classes if name not in DATA_CLASSES]
        if strange:
            raise InvalidInput(
                f"property `{kinds.FLOW}` has the data class `{strange[0]}`, which is none of Alcaide's"
            )
        yield FlowRef(
            source=flow.needed("from"),
            target=flow.needed("to"),
            data_classes=classes,
            crosses_boundary=bool(flow.flag("crosses_boundary")),
            purpose=flow.text("purpose", limit=4_000),
            encrypted=flow.flag("encrypted"),
        )


def _foreign_flows(reading: _Reading) -> Iterator[FlowRef]:
    """Flows as a stranger's services declare them. A flow whose other end is not named cannot be drawn."""
    nameless = unclassified = count = 0
    for part in reading.parts:
        if part.type != "service":
            continue
        here = f"{part.kind}:{part.component.name}"
        crosses = bool(part.fields.flag("x-trust-boundary"))
        for data in part.fields.objects("data", limit=MAX_FLOWS):
            direction = data.needed("flow", limit=40)
            data_class = kinds.data_class_of(data.text("classification", limit=500))
            unclassified += not data_class
            classes = (data_class,) if data_class else ()
            purpose = data.prose("description", limit=1_000) or data.prose("name", limit=200)
            ends = [(other, here) for other in _ends(data, "source", reading) if direction != "outbound"]
            ends += [(here, other) for other in _ends(data, "destination", reading) if direction != "inbound"]
            nameless += not ends
            for source, target in ends:
                if source == target:
                    continue
                count += 1
                if count > MAX_FLOWS:
                    raise TooLarge(f"the bill has more than {MAX_FLOWS} data flows; split it")
                yield FlowRef(source, target, classes, crosses, purpose)
    if nameless:
        reading.notes.append(f"{nameless} data flows name no other end and are left out")
    if unclassified:
        reading.notes.append(f"{unclassified} data flows have a classification that is not understood")


def _ends(data: Fields, key: str, reading: _Reading) -> Iterator[str]:
    for text in data.texts(key, limit=1_000):
        part = reading.by_ref.get(text) or reading.by_ref.get(text.partition("#")[2])
        yield f"{part.kind or 'party'}:{part.component.name}" if part else f"party:{text[:200]}"


def _outcome(bom: Fields, reading: _Reading, main: Part | None) -> tuple[Outcome, str, dict[str, int]]:
    """What the bill says against itself.

    An unsettled grave vulnerability fails it; a gap leaves it unknown.
    """
    severities: Counter[str] = Counter()
    open_grave: list[str] = []
    for entry in bom.objects("vulnerabilities"):
        worst = _severity(entry)
        severities[worst] += 1
        settled = entry.object("analysis").text("state", limit=60) in _SETTLED
        if worst in _GRAVE and not settled:
            open_grave.append(entry.text("id", limit=200) or "one without an id")
    for dependency in bom.objects("dependencies"):
        dependency.needed("ref")
        dependency.texts("dependsOn")
    if open_grave:
        named = ", ".join(f"`{name}`" for name in open_grave[:3])
        return "failed", f"{len(open_grave)} open vulnerabilities rated high or critical: {named}", severities
    if not [part for part in reading.parts if part is not main]:
        return "unknown", "the bill names no component", severities
    partial = sorted(_partial(bom))
    if partial:
        return "unknown", f"the bill says of itself that it is `{partial[0]}`", severities
    return "passed", "", severities


def _severity(vulnerability: Fields) -> str:
    order = ("critical", "high", "medium", "low", "info", "none")
    found = {rating.text("severity", limit=40) for rating in vulnerability.objects("ratings", limit=1_000)}
    return next((name for name in order if name in found), "unknown")


def _partial(bom: Fields) -> set[str]:
    aggregates = {entry.needed("aggregate", limit=80) for entry in bom.objects("compositions")}
    return {name for name in aggregates if name.startswith("incomplete") or name in _PARTIAL}


def _subjects(reading: _Reading, main: Part | None, graph: SystemGraph | None) -> tuple[Subject, ...]:
    found: dict[tuple[str, str], Subject] = {}
    main_subject = _main_subject(main, graph, reading.notes)
    if main_subject is not None:
        found[main_subject.name, ""] = main_subject
    for part in reading.parts:
        if part.kind and part is not main and part.component.digest:
            key = (part.component.subject_name, part.component.digest)
            found[key] = Subject(key[0], {"sha256": key[1]})
    return subjects_of(found, reading.notes)


def _main_subject(main: Part | None, graph: SystemGraph | None, notes: list[str]) -> Subject | None:
    """What the bill is about.

    The digest a bill of ours gives for its system must be that of its own content.
    """
    if main is None or graph is None:
        return None
    if kinds.SYSTEM_STATUS not in main.properties:
        component = main.component
        return Subject(component.subject_name, {"sha256": component.digest}) if component.digest else None
    if _first(main.properties, kinds.SYSTEM_DIGEST) != graph.digest:
        notes.append(
            "the digest given for the system is not that of this content; the bill was edited after export"
        )
        return None
    return graph.subject


def _graph(
    main: Part | None, components: tuple[ComponentRef, ...], flows: tuple[FlowRef, ...]
) -> SystemGraph | None:
    """The system as the bill has it: exactly the one written, or for a stranger's bill a proposal."""
    if main is None:
        return None
    if kinds.SYSTEM_STATUS not in main.properties:
        name = main.component.name
        if main.kind:
            components = (main.component, *components)
        return SystemGraph(
            name=slug(name) or "unnamed", title=name, status="proposed", components=components, flows=flows
        )
    text = _first(main.properties, kinds.SYSTEM_DESCRIPTION) or "{}"
    description = Fields(strict_json(text.encode(), what=f"property `{kinds.SYSTEM_DESCRIPTION}`"))
    return SystemGraph(
        name=main.component.name,
        title=_first(main.properties, kinds.SYSTEM_TITLE),
        status=_first(main.properties, kinds.SYSTEM_STATUS),
        owner=_first(main.properties, kinds.SYSTEM_OWNER),
        description=dict(description.values),
        components=components,
        flows=flows,
    )


def _summary(
    bom: Fields,
    version: str,
    reading: _Reading,
    main: Part | None,
    flows: int,
    vulnerabilities: dict[str, int],
) -> dict[str, Any]:
    metadata = bom.object("metadata")
    by_kind = Counter(part.kind or part.type for part in reading.parts if part is not main)
    models = [_model(part) for part in reading.parts if part.kind == "model"]
    return {
        "spec_version": version,
        "serial_number": bom.text("serialNumber", limit=80),
        "made_at": metadata.text("timestamp", limit=60),
        "tools": list(_tools(metadata))[:20],
        "about": main.component.name[:200] if main else "",
        "components": len(reading.parts) - (main is not None),
        "by_kind": dict(sorted(by_kind.items())),
        "without_sha256": sum(1 for part in reading.parts if part.kind and not part.component.digest),
        "flows": flows,
        "dependencies": len(bom.items("dependencies")),
        "vulnerabilities": dict(sorted(vulnerabilities.items())),
        "models": models[:MAX_LISTED],
    }


def _tools(metadata: Fields) -> Iterator[str]:
    """The list of 1.4 and the object of 1.5 are both valid until today."""
    tools = metadata.values.get("tools")
    if isinstance(tools, list):
        entries = list(metadata.objects("tools", limit=1_000))
    else:
        both = metadata.object("tools")
        entries = [*both.objects("components", limit=1_000), *both.objects("services", limit=1_000)]
    for tool in entries:
        name, version = tool.text("name", limit=200), tool.text("version", limit=100)
        yield f"{name} {version}".strip()


def _model(part: Part) -> dict[str, Any]:
    """What a person wants to see of a model card. The card itself stays in the document."""
    card = part.fields.object("modelCard")
    parameters = card.object("modelParameters")
    considerations = card.object("considerations")
    metrics = card.object("quantitativeAnalysis").objects("performanceMetrics", limit=10_000)
    return {
        "name": part.component.name[:200],
        "version": part.component.version[:100],
        "task": parameters.prose("task", limit=200),
        "approach": parameters.object("approach").prose("type", limit=100),
        "architecture": parameters.prose("modelArchitecture", limit=200)
        or parameters.prose("architectureFamily", limit=200),
        "datasets": len(parameters.items("datasets", limit=10_000)),
        "metrics": [
            {
                "type": m.prose("type", limit=100),
                "value": _words(m.values.get("value")),
                "slice": m.prose("slice", limit=100),
            }
            for m in metrics
        ][:20],
        "use_cases": [text[:300] for text in considerations.texts("useCases", limit=1_000, each=20_000)][:10],
        "limitations": [
            text[:300] for text in considerations.texts("technicalLimitations", limit=1_000, each=20_000)
        ][:10],
    }


def _words(value: Any) -> str:
    return str(value)[:60] if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
