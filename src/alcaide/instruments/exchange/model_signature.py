"""Read OpenSSF model signatures: a Sigstore bundle around an envelope around a list of files with digests.

What holds is checked in this order, and the first that does not decides: 1. the list is consistent with the
root digest that names the model, 2. a trusted key signed it. A folder can then be held against the list.
Signatures by certificate, or by identity through Sigstore, are read and left Unknown: checking those needs
roots of trust and a log, which an instrument without a network does not have.

Left out on purpose: signing (the `model-signing` command does that) and bundles from before version 1.0.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.instruments.exchange.document import MAX_LISTED, Outcome, ParsedDocument
from alcaide.instruments.exchange.dsse import (
    MAX_ENVELOPE_BYTES,
    envelope_of,
    key_hint,
    statement_of,
    verify,
)
from alcaide.instruments.exchange.strict import Fields, strict_json
from alcaide.kernel.errors import InvalidInput, NotFound, TooLarge
from alcaide.kernel.evidence import Envelope, Statement, Subject

if TYPE_CHECKING:
    from alcaide.instruments.exchange.dsse import PublicKey

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
OLD_PREDICATE_TYPE = "https://model_signing/Digests/v0.1"
MAX_RESOURCES = 100_000
MAX_FOLDER_FILES = 200_000
_CHUNK = 2**20
_BUNDLE = re.compile(r"application/vnd\.dev\.sigstore\.bundle(?:\.v0\.3)?\+json(?:;version=0\.[1-3])?\Z")
_HEX = re.compile(r"(?:[0-9a-f]{2}){16,64}\Z")
_SHARD = re.compile(r"(?P<path>.+):(?P<start>[0-9]{1,18}):(?P<end>[0-9]{1,18})\Z", re.DOTALL)
_SHARDED = re.compile(r"-sharded-[0-9]{1,18}\Z")  # how the library marks the digest of a part of a file
_ALGORITHMS: Mapping[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b}


@dataclass(frozen=True, slots=True)
class Resource:
    """One file of the model, or a range of one where large files were signed in shards."""

    path: str
    algorithm: str
    digest: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was signed: the model's name, its root digest, and every file with its digest."""

    name: str
    root: str
    resources: tuple[Resource, ...]
    method: str
    ignored: tuple[str, ...]
    allow_symlinks: bool
    consistent: bool


@dataclass(frozen=True, slots=True)
class FolderCheck:
    """How a folder compares with a manifest. `passed`: all that was signed is there, and nothing else is."""

    outcome: Outcome
    reason: str
    checked: int
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    unsigned: tuple[str, ...]


class ModelSignature:
    """The reader. `kind` of its documents is `model-signature`.

    Option `trusted`: names and keys that count.
    """

    name = "model-signature"
    title = "OpenSSF model signature"
    checks_signatures = True
    media_types: tuple[str, ...] = ("application/vnd.dev.sigstore.bundle.v0.3+json",)

    def sniff(self, data: bytes) -> bool:
        """Looks inside: other attestations travel in Sigstore bundles too, and those are DSSE's to read."""
        if b'"dsseEnvelope"' not in data or len(data) > MAX_ENVELOPE_BYTES:
            return False
        try:
            _, _, statement = _open(data)
        except InvalidInput:
            return False
        return statement.predicate_type in (PREDICATE_TYPE, OLD_PREDICATE_TYPE)

    def read(
        self, data: bytes, *, trusted: Mapping[str, PublicKey] | None = None, **options: Any
    ) -> ParsedDocument:
        if options:
            raise TypeError(f"the model signature reader takes no {', '.join(options)}")
        material, envelope, statement = _open(data)
        manifest = manifest_of(statement)
        way, hint = _material(material)
        signers = verify(envelope, trusted or {}) if way == "key" else ()
        outcome, reason = _outcome(manifest, way, hint, signers, trusted or {})
        return ParsedDocument(
            kind=self.name,
            title=f"Signature of model {manifest.name}"[:200],
            media_type=self.media_types[0],
            sha256=sha256(data).hexdigest(),
            subjects=(Subject(manifest.name, {"sha256": manifest.root}),),
            summary={
                "model": manifest.name[:200],
                "root_sha256": manifest.root,
                "files": len({resource.path for resource in manifest.resources}),
                "method": manifest.method,
                "signed_with": way,
                "key_hint": hint,
                "signed_by": list(signers),
                "resources": [
                    {"name": r.path[:300], "algorithm": r.algorithm, "digest": r.digest}
                    for r in manifest.resources[:MAX_LISTED]
                ],
                "listed_in_full": len(manifest.resources) <= MAX_LISTED,
            },
            outcome=outcome,
            reason=reason,
            statements=(statement,),
            signed_by=signers,
        )


def read_manifest(data: bytes) -> Manifest:
    """The list of files in a signature, for `check_folder`.

    Who signed it is `ModelSignature.read`'s to say.
    """
    _, _, statement = _open(data)
    return manifest_of(statement)


def _open(data: bytes) -> tuple[Fields, Envelope, Statement]:
    bundle = Fields(strict_json(data, max_bytes=MAX_ENVELOPE_BYTES, what="the signature"))
    media_type = bundle.needed("mediaType", limit=200)
    if not _BUNDLE.match(media_type):
        raise InvalidInput(f"`mediaType` `{media_type}` is not that of a Sigstore bundle up to version 0.3")
    if "dsseEnvelope" not in bundle:
        raise InvalidInput(
            "`dsseEnvelope` is missing; a model signature has one, a signature over a file has not"
        )
    envelope = envelope_of(bundle.object("dsseEnvelope"))
    statement = statement_of(envelope)
    if statement is None:
        raise InvalidInput(
            f"`dsseEnvelope.payloadType` `{envelope.payload_type[:80]}` is not that of a Statement"
        )
    return bundle.object("verificationMaterial"), envelope, statement


def _material(material: Fields) -> tuple[str, str]:
    """How it was signed: `key` with the hint, or by `certificate`."""
    if "publicKey" in material:
        return "key", material.object("publicKey").text("hint", limit=200)
    if "certificate" in material or "x509CertificateChain" in material:
        return "certificate", ""
    raise InvalidInput("`verificationMaterial` names neither a key nor a certificate; sign the model again")


def manifest_of(statement: Statement) -> Manifest:
    """The manifest a Statement of this predicate holds. Raises InvalidInput naming the field at fault."""
    if statement.predicate_type == OLD_PREDICATE_TYPE:
        raise InvalidInput(
            "this signature was made by model-signing before 1.0; sign the model again with 1.0 or later"
        )
    if statement.predicate_type != PREDICATE_TYPE:
        raise InvalidInput(
            f"`{statement.predicate_type[:120]}` is no model signature; expected `{PREDICATE_TYPE}`"
        )
    root = statement.subjects[0].sha256
    if len(statement.subjects) != 1 or root is None or not statement.subjects[0].name:
        raise InvalidInput("`subject` must be one model with a name and a sha256 digest")
    predicate = Fields(statement.predicate, "predicate")
    serialization = predicate.object("serialization")
    method = serialization.needed("method", limit=40)
    if method not in ("files", "shards"):
        raise InvalidInput(f"`{serialization.at('method')}` `{method}` is neither `files` nor `shards`")
    resources = tuple(_resource(r, method) for r in predicate.objects("resources", limit=MAX_RESOURCES))
    if not resources:
        raise InvalidInput("`predicate.resources` is empty; a signature over no file says nothing")
    keys = {(r.path, r.start, r.end) for r in resources}
    if len(keys) != len(resources):
        raise InvalidInput("`predicate.resources` names a file twice; each may have one digest")
    computed = sha256(b"".join(bytes.fromhex(r.digest) for r in resources)).hexdigest()
    return Manifest(
        name=statement.subjects[0].name,
        root=root,
        resources=resources,
        method=method,
        ignored=serialization.texts("ignore_paths", limit=10_000),
        allow_symlinks=bool(serialization.flag("allow_symlinks")),
        consistent=computed == root,
    )


def _resource(entry: Fields, method: str) -> Resource:
    name, algorithm = entry.needed("name", limit=4_096), entry.needed("algorithm", limit=40)
    digest = entry.needed("digest", limit=128)
    if not _HEX.match(digest):
        raise InvalidInput(f"`{entry.at('digest')}` is not a digest in lower-case hex")
    start = end = None
    if method == "shards":
        shard = _SHARD.match(name)
        if not shard or int(shard["start"]) > int(shard["end"]):
            raise InvalidInput(f"`{entry.at('name')}` is not `path:start:end`")
        name, start, end = shard["path"], int(shard["start"]), int(shard["end"])
    leaves = "\\" in name or any(part in ("", ".", "..") for part in name.split("/"))
    if leaves and name != ".":  # one file signed by itself has the path `.`
        raise InvalidInput(f"`{entry.at('name')}` `{name[:120]}` leaves the model's folder")
    return Resource(name, _SHARDED.sub("", algorithm), digest, start, end)


def _outcome(
    manifest: Manifest, way: str, hint: str, signers: tuple[str, ...], trusted: Mapping[str, PublicKey]
) -> tuple[Outcome, str]:
    if not manifest.consistent:
        return "failed", "the root digest is not that of the listed files; the list was altered"
    if way == "certificate":
        return "unknown", (
            "signed by certificate, which is not checked here; check it with `model_signing verify` "
            "and attest the result"
        )
    if signers:
        return "passed", ""
    named = [name for name, key in trusted.items() if hint and key_hint(key) == hint]
    if named:
        return (
            "failed",
            f"names the trusted key `{named[0]}`, but its signature does not hold; the content was altered",
        )
    return (
        "unknown",
        f"no signature by a trusted key{f' (signed by the key with hint {hint[:16]}…)' if hint else ''}",
    )


def check_folder(
    root: Path,
    manifest: Manifest,
    *,
    ignore: Collection[str] = (),
    max_bytes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderCheck:
    """Hold the files under `root` against the manifest, reading each once in chunks of 1 MiB.

    `ignore` names further paths that need not be signed, such as the signature itself; what the signer
    ignored is ignored too. Symbolic links are never followed and count as changed, since what they lead to is
    not in the folder. `progress` is told the resources done and the total. Raises NotFound if `root` is no
    folder, and TooLarge past `max_bytes` of content or 200,000 files.
    """
    if not root.is_dir():
        raise NotFound(f"`{root}` is not a folder; give the one that was signed")
    strange = sorted({r.algorithm for r in manifest.resources} - set(_ALGORITHMS))
    if strange:
        return FolderCheck(
            "unknown", f"digests by `{strange[0][:40]}` cannot be computed here", 0, (), (), ()
        )
    ignored = {*manifest.ignored, *ignore}
    signed = {r.path for r in manifest.resources}
    unsigned = tuple(p for p in _files(root) if p not in signed and not _is_ignored(p, ignored))
    missing: list[str] = []
    changed: list[str] = []
    read = 0
    for done, resource in enumerate(manifest.resources, start=1):
        found = _digest(root, resource, None if max_bytes is None else max_bytes - read)
        if found is None:
            missing.append(resource.path)
        else:
            digest, size = found
            read += size
            if digest != resource.digest:
                changed.append(resource.path)
        if progress:
            progress(done, len(manifest.resources))
    if manifest.method == "shards":
        changed.extend(_beyond_shards(root, manifest))
    wrong = [(missing, "missing"), (changed, "changed"), (list(unsigned), "not signed")]
    reason = "; ".join(f"{len(names)} {what}: `{names[0][:120]}`" for names, what in wrong if names)
    if not manifest.consistent:
        reason = "the root digest is not that of the listed files" + (f"; {reason}" if reason else "")
    return FolderCheck(
        "failed" if reason else "passed",
        reason,
        len(manifest.resources),
        tuple(missing),
        tuple(dict.fromkeys(changed)),
        unsigned,
    )


def _files(root: Path) -> Iterator[str]:
    """Every entry below `root` that is not a real folder, as a POSIX path relative to it."""
    count = 0
    pending = [""]
    while pending:
        base = pending.pop()
        with os.scandir(root / base) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = f"{base}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")
                    continue
                count += 1
                if count > MAX_FOLDER_FILES:
                    raise TooLarge(f"the folder has more than {MAX_FOLDER_FILES} files; check parts of it")
                yield path


def _is_ignored(path: str, ignored: Collection[str]) -> bool:
    return any(path == name or path.startswith(f"{name.rstrip('/')}/") for name in ignored)


def _digest(root: Path, resource: Resource, allowed: int | None) -> tuple[str, int] | None:
    """The digest of what lies at the resource's path and the bytes read; None if nothing is there.

    A path through a symbolic link, or to something that is no regular file, has the empty digest, which
    matches none.
    """
    with contextlib.ExitStack() as closing:
        try:
            descriptor = _open_inside(root, resource.path, closing)
        except FileNotFoundError:
            return None
        except OSError:
            return "", 0
        if descriptor is None:
            return "", 0
        hasher = _ALGORITHMS[resource.algorithm]()
        start = resource.start or 0
        left = None if resource.end is None else resource.end - start
        os.lseek(descriptor, start, os.SEEK_SET)
        size = 0
        while left is None or left > 0:
            chunk = os.read(descriptor, _CHUNK if left is None else min(_CHUNK, left))
            if not chunk:
                break
            size += len(chunk)
            left = None if left is None else left - len(chunk)
            if allowed is not None and size > allowed:
                raise TooLarge(
                    "the model has more bytes than the limit given; raise it or check parts of the model"
                )
            hasher.update(chunk)
        if left:
            return "", size
        return hasher.hexdigest(), size


def _open_inside(root: Path, path: str, closing: contextlib.ExitStack) -> int | None:
    """Open `path` below `root`, one component at a time and never through a link; None for no regular file.

    INVARIANT: each step opens relative to the folder before it, so a folder swapped for a link meanwhile
    fails.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    closing.callback(os.close, folder)
    *folders, name = path.split("/")
    for part in folders:
        folder = os.open(part, flags | os.O_DIRECTORY, dir_fd=folder)
        closing.callback(os.close, folder)
    descriptor = os.open(name, flags, dir_fd=folder)
    closing.callback(os.close, descriptor)
    return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _beyond_shards(root: Path, manifest: Manifest) -> Iterator[str]:
    """Files that are longer than their shards cover, or whose shards leave a gap: signed only in part."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for resource in manifest.resources:
        spans.setdefault(resource.path, []).append((resource.start or 0, resource.end or 0))
    for path, ranges in spans.items():
        covered = 0
        for start, end in sorted(ranges):
            if start > covered:
                break
            covered = max(covered, end)
        with contextlib.suppress(OSError):
            if os.lstat(root / path).st_size > covered:
                yield path
