"""The digests of a thing that is one file or many, the same whoever computes them.

One file is its SHA-256. A folder has two digests, and a Statement about it names both, so that it is found by either:

- The *listing digest* binds content and names. It is the SHA-256 of what `sha256sum -z` prints for all files in the
  byte order of their paths: 64 hex digits, two spaces, the path, a NUL. Anybody can compute it with coreutils.
- The *root digest* of an OpenSSF model signature: the SHA-256 of the files' digests, as bytes, one after another, in
  the order of their paths by parts. Names are not under it: a renamed file can have the same root. It is here so that
  signatures of that format, which name a model by it, and scans meet under one subject.

Register a model under its listing digest unless the tools around it know only the root.

Neither is over what is beside the content: version control's own files, which the OpenSSF format leaves out too, and
detached signatures in the top folder, which come after what they sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Subject

Files = Sequence[tuple[str, str]]
"""Relative path with `/`, and SHA-256 in hex, of each file. A path that is not UTF-8 has surrogate escapes."""

ITSELF = "."
"""The path of a file that is the whole thing, as the OpenSSF format spells it."""

BESIDE = (".git", ".gitattributes", ".github", ".gitignore")
"""What the OpenSSF format never signs: files and folders of version control, in the top folder."""
SIGNATURES = (".sig", ".sigstore", ".sigstore.json", ".intoto.jsonl")
"""How detached signatures and attestations are called."""


def is_content(path: str) -> bool:
    """Whether a file of a folder is part of what it is known by."""
    top, _, below = path.partition("/")
    return top not in BESIDE and (bool(below) or not top.lower().endswith(SIGNATURES))


def content_of(files: Files) -> Files:
    """The files by which a folder is known; all of them if nothing else is there."""
    return [pair for pair in files if is_content(pair[0])] or files


def listing_digest(files: Files) -> str:
    """The digest that binds the content and the name of every file."""
    hasher = sha256()
    for path, digest in sorted((path.encode("utf-8", "surrogateescape"), digest) for path, digest in files):
        hasher.update(b"%s  %s\0" % (digest.encode("ascii"), path))
    return hasher.hexdigest()


def root_digest(files: Files) -> str:
    """The root digest that an OpenSSF model signature by files has."""
    ordered = sorted(files, key=lambda pair: pair[0].split("/"))
    return sha256(b"".join(bytes.fromhex(digest) for _, digest in ordered)).hexdigest()


def subjects_of_files(name: str, files: Files) -> tuple[Subject, ...]:
    """The subjects of a Statement about these files under one name: `model:fraud-scorer@3`.

    A single file given with the path `.` is named by its bytes' digest first; a folder by its listing digest first,
    over its content alone (`is_content`).
    Raises InvalidInput where there is no file, or a path is there twice.
    """
    if not files:
        raise InvalidInput("there is no file to speak about; give a folder with something in it")
    if len({path for path, _ in files}) != len(files):
        raise InvalidInput("a path is listed twice; list every file once")
    alone = len(files) == 1 and files[0][0] == ITSELF
    content = content_of(files)
    digests: Iterable[str] = (files[0][1] if alone else listing_digest(content), root_digest(content))
    return tuple(Subject(name, {"sha256": digest}) for digest in dict.fromkeys(digests))
