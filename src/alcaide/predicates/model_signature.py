"""`https://model_signing/signature/v1.0`: the OpenSSF model signature, a list of files with digests.

Foreign: others define it. Here is what Alcaide reads of it, once, for whoever needs it. A list is consistent if the
root digest that names the model is that of the listed digests; who signed it is another question.

Left out on purpose: signatures made by the format's library before version 1.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.strict import Fields

if TYPE_CHECKING:
    from alcaide.kernel.evidence import Statement

PREDICATE_TYPE = "https://model_signing/signature/v1.0"
OLD_PREDICATE_TYPE = "https://model_signing/Digests/v0.1"
MAX_RESOURCES = 100_000
_HEX = re.compile(r"(?:[0-9a-f]{2}){16,64}\Z")
_SHARD = re.compile(r"(?P<path>.+):(?P<start>[0-9]{1,18}):(?P<end>[0-9]{1,18})\Z", re.DOTALL)
_SHARDED = re.compile(r"-sharded-[0-9]{1,18}\Z")  # how the library marks the digest of a part of a file


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

    def files(self) -> tuple[tuple[str, str], ...] | None:
        """Path and SHA-256 of every file, where that is what was signed: not of shards, nor by other algorithms."""
        if self.method != "files" or any(one.algorithm != "sha256" for one in self.resources):
            return None
        return tuple((one.path, one.digest) for one in self.resources)


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
