"""SLSA provenance and other in-toto statements about files at hand: signed by whom, about these bytes, built by whom.

Reads a bare envelope, one in a Sigstore bundle, or several, one a line, as build systems write them beside what they
built. Files are covered if the statement names them by digest: each of them, or the folder as a whole. What was
expected of builder and source and is not said there is Failed, since a statement that keeps silent fits anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from alcaide.instruments.scan.provenance.folder import digest_names, names_of
from alcaide.instruments.scan.provenance.trust import SignedBy, Trust, verified_by
from alcaide.instruments.scan.provenance.verifying import Verification, by_key, who_signed
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence.envelope import MAX_ENVELOPE_BYTES
from alcaide.kernel.evidence.foreign import SigstoreBundle, bundle_of, envelope_of, statement_of
from alcaide.kernel.strict import Fields, strict_json
from alcaide.predicates.content import listing_digest, root_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from alcaide.instruments.scan.provenance.folder import Links
    from alcaide.kernel.evidence import Statement

SLSA_V1 = "https://slsa.dev/provenance/v1"
SLSA_OLD = ("https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v0.1")
MAX_LINES = 200
MAX_SOURCES = 500


@dataclass(frozen=True, slots=True)
class Provenance:
    """What SLSA provenance says of a build, whichever version it is in."""

    builder: str
    build_type: str
    invocation: str
    sources: tuple[tuple[str, str], ...]
    """What it was built from: URI and SHA-256 or Git commit, "" where it gives none; the configured source first."""


def provenance_of(statement: Statement) -> Provenance | None:
    """The build a statement tells of; None if it is no SLSA provenance. Raises InvalidInput naming the field."""
    predicate = Fields(statement.predicate, "predicate")
    if statement.predicate_type == SLSA_V1:
        definition, details = predicate.object("buildDefinition"), predicate.object("runDetails")
        parameters = definition.object("externalParameters")
        workflow = parameters.object("workflow") if _is_object(parameters, "workflow") else None
        named = [
            (workflow.text("repository", limit=2_000), "") if workflow else ("", ""),
            (_text_of(parameters, "source"), ""),
        ]
        return Provenance(
            details.object("builder").text("id", limit=2_000),
            definition.text("buildType", limit=2_000),
            details.object("metadata").text("invocationId", limit=2_000),
            _sources(named, definition, "resolvedDependencies"),
        )
    if statement.predicate_type in SLSA_OLD:
        invocation = predicate.object("invocation" if "invocation" in predicate else "recipe")
        configured = invocation.object("configSource")
        named = [(configured.text("uri", limit=2_000), _digest(configured))]
        return Provenance(
            predicate.object("builder").text("id", limit=2_000),
            predicate.text("buildType", limit=2_000),
            predicate.object("metadata").text("buildInvocationId", limit=2_000),
            _sources(named, predicate, "materials"),
        )
    return None


def verify_attestation(
    path: Path,
    data: bytes,
    trust: Trust,
    *,
    now: datetime,
    builder: str = "",
    source: str = "",
    predicate_type: str = "",
    ignore: Collection[str] = (),
    links: Links = "refuse",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Hold a file or a folder against a signed statement about it.

    Of several statements the best answers: one that passes, else one that is about these files.

    Args:
        path: the file, or the folder.
        data: the envelope, the bundle, or one of these a line.
        trust: whose signatures count.
        now: when certificates must be valid, where no trusted timestamp says when it was signed.
        builder: the builder's id that must be named, exactly.
        source: the repository that it must be built from; `git+` before and `.git` or `@ref` after it do not matter.
        predicate_type: only statements of this type are looked at; any if empty.
        ignore: files of the folder that need not be covered, such as the attestation itself.
        links: what to do with symbolic links to files.
        workers: threads that hash.
        progress: told the files done and the total.

    Raises:
        InvalidInput: there is no statement in it that can be read.
        NotFound: there is nothing at `path`.
        TooLarge: it is over the limits.
    """
    files = digest_names(
        path, names_of(path, ignore=ignore, links=links), links=links, workers=workers, progress=progress
    )
    found = [
        _one(document, files, trust, now, builder, source)
        for document in _documents(data)
        if not predicate_type or document.statement.predicate_type == predicate_type
    ]
    if not found:
        wanted = f" of type `{predicate_type[:120]}`" if predicate_type else ""
        raise InvalidInput(f"there is no in-toto statement{wanted} in it; give an attestation")
    about = [one for covered, one in found if covered]
    candidates = about or [one for _, one in found]
    return next(
        one for outcome in ("passed", "failed", "unknown") for one in candidates if one.outcome == outcome
    )


@dataclass(frozen=True, slots=True)
class _Document:
    bundle: SigstoreBundle
    bundled: bool
    raw: bytes
    statement: Statement


def _documents(data: bytes) -> Iterator[_Document]:
    """Each signed statement in the bytes."""
    if len(data) > MAX_ENVELOPE_BYTES:
        raise TooLarge(
            f"the attestation has {len(data)} bytes, over the limit of {MAX_ENVELOPE_BYTES}; split it"
        )
    lines = [line for line in data.splitlines() if line.strip()]
    several = len(lines) > 1 and all(
        line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines
    )
    if several and len(lines) > MAX_LINES:
        raise TooLarge(
            f"{len(lines)} attestations are more than the limit of {MAX_LINES}; give those that matter"
        )
    for raw in lines if several else [data]:
        document = Fields(strict_json(raw, max_bytes=MAX_ENVELOPE_BYTES, what="the attestation"))
        bundled = "dsseEnvelope" in document
        bundle = bundle_of(document) if bundled else SigstoreBundle(envelope_of(document), "key")
        statement = statement_of(bundle.envelope)
        if statement is not None:
            yield _Document(bundle, bundled, raw, statement)


def _one(
    document: _Document,
    files: list[tuple[str, str]],
    trust: Trust,
    now: datetime,
    builder: str,
    source: str,
) -> tuple[bool, Verification]:
    statement = document.statement
    signed_by = (
        who_signed(document.bundle, document.raw, trust, now=now)
        if document.bundled
        else by_key(document.bundle, trust.keys)
    )
    provenance = provenance_of(statement)
    uncovered = _uncovered(statement, files)
    wrong = [uncovered] if uncovered else []
    wrong += _unexpected(provenance, builder, source)
    outcome, reason = _together(wrong, signed_by)
    kind: Literal["slsa-provenance", "in-toto"] = "slsa-provenance" if provenance else "in-toto"
    verification = Verification(
        kind=kind,
        outcome=outcome,
        reason=reason,
        signed_by=signed_by,
        signature_sha256=sha256(document.raw).hexdigest(),
        files=tuple(files),
        predicate_type=statement.predicate_type,
        builder=provenance.builder[:500] if provenance else "",
        source=provenance.sources[0][0][:500] if provenance and provenance.sources else "",
        verified_by=verified_by(trust, signed_by.names),
    )
    return not uncovered, verification


def _together(wrong: list[str], signed_by: SignedBy) -> tuple[Literal["passed", "failed", "unknown"], str]:
    if wrong:
        return "failed", "; ".join([*wrong, *([signed_by.reason] if signed_by.reason else [])])
    return signed_by.outcome, signed_by.reason


def _uncovered(statement: Statement, files: list[tuple[str, str]]) -> str:
    """Why the statement is not about these files; "" if it is about all of them."""
    known = {subject.sha256 for subject in statement.subjects if subject.sha256}
    if known & {listing_digest(files), root_digest(files)}:
        return ""
    missed = [path for path, digest in files if digest not in known]
    if not missed:
        return ""
    name = "the file" if missed[0] == "." else f"`{missed[0][:120]}`"
    count = f"{len(missed)} of {len(files)} files are" if len(files) > 1 else "it is"
    return f"the statement is about other bytes: {count} not among its subjects, such as {name}"


def _unexpected(provenance: Provenance | None, builder: str, source: str) -> list[str]:
    wrong = []
    if builder and (provenance is None or provenance.builder != builder):
        said = f"`{provenance.builder[:120]}`" if provenance and provenance.builder else "nobody it names"
        wrong.append(f"it was built by {said}, and not by `{builder[:120]}`")
    if source:
        plain = plain_source(source)
        named = [plain_source(uri) for uri, _ in provenance.sources] if provenance else []
        if plain not in named:
            said = f"`{named[0][:120]}`" if named else "nothing it names"
            wrong.append(f"it was built from {said}, and not from `{plain[:120]}`")
    return wrong


def plain_source(uri: str) -> str:
    """A repository without how it is fetched, and without the reference: what people mean by the same source."""
    plain = uri.strip().removeprefix("git+").partition("#")[0].rstrip("/")
    scheme, separator, rest = plain.partition("://")
    host, slash, path = (rest if separator else plain).partition("/")
    path = path.partition("@")[0].removesuffix(".git").rstrip("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}" if separator else f"{host}{slash}{path}"


def _sources(named: list[tuple[str, str]], holder: Fields, key: str) -> tuple[tuple[str, str], ...]:
    listed = holder.objects(key, limit=MAX_SOURCES) if key in holder else ()
    materials = [(one.text("uri", limit=2_000), _digest(one)) for one in listed]
    found = [pair for pair in [*named, *materials] if pair[0]]
    digests = {uri: digest for uri, digest in reversed(found) if digest}
    return tuple((uri, digests.get(uri, "")) for uri in dict.fromkeys(uri for uri, _ in found))


def _digest(fields: Fields) -> str:
    digests: Mapping[str, Any] = fields.object("digest").values if "digest" in fields else {}
    for algorithm in ("sha256", "gitCommit", "sha1"):
        value = digests.get(algorithm)
        if isinstance(value, str):
            return value[:128]
    return ""


def _is_object(fields: Fields, key: str) -> bool:
    return key in fields and isinstance(fields.values[key], dict)


def _text_of(fields: Fields, key: str) -> str:
    """Text, or the URI of a resource descriptor: build types spell their source in either way."""
    if key not in fields:
        return ""
    value = fields.values[key]
    if isinstance(value, dict):
        value = value.get("uri")
    return value[:2_000] if isinstance(value, str) else ""
