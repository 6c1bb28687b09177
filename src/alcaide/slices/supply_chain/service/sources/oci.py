"""An OCI image layout on disk: each manifest of its index is an entry.

    oci-layout  index.json -> blobs/sha256/<manifest> -> blobs/sha256/<config>, blobs/sha256/<layer>…

Models are kept in such layouts by ORAS, ModelPack and others: a layer is a file, named by an annotation, or an archive.
Manifests are held against the digest that names them before they are read, every blob while it is read. What the index
names by another algorithm than SHA-256 is not scanned, and said.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.supply_chain import rules
from alcaide.slices.supply_chain.model import Entry
from alcaide.slices.supply_chain.service.sources import disk
from alcaide.slices.supply_chain.service.sources.base import MOST_ENTRIES, Bringing, Brought

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

LARGEST_MANIFEST = 4 << 20
"""Registries take manifests up to 4 MiB (OCI distribution specification 1.1)."""
MOST_BLOBS = 10_000
_DEEPEST = 4
"""Indexes in indexes: one level is common (one manifest for each platform), more is not."""
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})\Z")
_REF = "org.opencontainers.image.ref.name"
_TITLES = ("org.opencontainers.image.title", "org.cncf.model.filepath")
"""Annotations by which a layer says which file it is (ORAS; ModelPack)."""


class OciLayout:
    """A folder with `oci-layout` and `index.json`."""

    def place(self, instance: Instance, text: str) -> str:
        """A layout in one of the folders that may be read."""
        real = disk.readable_folder(instance, text)
        if not Path(real, "index.json").is_file():
            raise InvalidInput(
                f"`{text[:200]}` is no OCI layout: it has no `index.json`",
                {"path": "has no index.json; give the folder of the layout"},
            )
        return real

    def entries(self, instance: Instance, place: str, check: Callable[[], None]) -> Iterable[Entry]:
        """Each manifest, by the name its index gives it, or its digest."""
        layout = Path(disk.readable_folder(instance, place))
        index = disk.small_json(disk.small(layout / "index.json", LARGEST_MANIFEST), "index.json")
        taken: set[str] = set()
        for name, digest in _manifests(layout, index, "", _DEEPEST, check):
            short = digest[7:19]
            shown = name or short
            if shown in taken:
                shown = f"{shown}@{short}"
            if shown in taken:
                continue
            taken.add(shown)
            if len(taken) > MOST_ENTRIES:
                raise InvalidInput(f"the index names more than {MOST_ENTRIES:,} manifests")
            yield Entry(shown[:400], _fingerprint(layout, digest), f"{layout}#{digest}")

    def bring(self, place: str, bringing: Bringing) -> Brought:
        """A folder of links to the blobs, under the names that the manifest gives them."""
        folder, _, digest = place.rpartition("#")
        layout = Path(disk.readable_folder(bringing.instance, folder))
        manifest = _manifest(layout, digest)
        view = bringing.folder / "manifest"
        view.mkdir(mode=0o700, parents=True)
        expected: dict[str, str] = {}
        for name, hexadecimal in _files(manifest):
            bringing.check()
            path = view / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(layout / "blobs" / "sha256" / hexadecimal)
            expected[name] = hexadecimal
        if not expected:
            raise InvalidInput("the manifest names no layers; there is nothing to scan")
        return Brought(view, layout, expected)


def _manifests(
    layout: Path, index: Mapping[str, Any], named: str, deeper: int, check: Callable[[], None]
) -> Iterator[tuple[str, str]]:
    """(name, digest) of every manifest that an index leads to."""
    for descriptor in _list(index, "manifests"):
        check()
        digest = descriptor.get("digest")
        if not isinstance(digest, str):
            continue
        name = _annotation(descriptor, _REF) or named
        platform = descriptor.get("platform")
        if isinstance(platform, dict):
            parts = [str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key)]
            name = f"{name} {'/'.join(parts)}".strip()
        if str(descriptor.get("mediaType", "")).endswith((".index.v1+json", ".list.v2+json")):
            if deeper == 0:
                raise InvalidInput(f"the layout nests indexes more than {_DEEPEST} deep")
            inner = disk.small_json(_blob(layout, digest), digest)
            yield from _manifests(layout, inner, name, deeper - 1, check)
        else:
            yield " ".join(name.split()), digest[:200]


def _fingerprint(layout: Path, digest: str) -> str:
    """The digest says all there should be; the blobs' sizes and times tell whether somebody wrote to them since."""
    listing: list[tuple[str, int, int | str]] = [(digest, 0, 0)]
    try:
        blobs = [hexadecimal for _, hexadecimal in _files(_manifest(layout, digest))]
    except InvalidInput as error:
        # The scan that is asked for says it to people.
        return rules.fingerprint([*listing, (str(error), -1, 0)])
    for blob in blobs:
        try:
            about = (layout / "blobs" / "sha256" / blob).lstat()
            listing.append((blob, about.st_size, about.st_mtime_ns))
        except OSError:
            listing.append((blob, -1, 0))
    return rules.fingerprint(listing)


def _manifest(layout: Path, digest: str) -> dict[str, Any]:
    return disk.small_json(_blob(layout, digest), digest)


def _blob(layout: Path, digest: str) -> bytes:
    """A short blob, if it has the digest that names it."""
    hexadecimal = _hex(digest)
    content = disk.small(layout / "blobs" / "sha256" / hexadecimal, LARGEST_MANIFEST)
    if hashlib.sha256(content).hexdigest() != hexadecimal:
        raise InvalidInput(
            f"the manifest `{digest[:19]}…` is not what its digest says; copy the layout again from its source"
        )
    return content


def _files(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of each blob of a manifest: paths lead down, and none is in another's way."""
    blobs = [*_list(manifest, "layers"), *_list(manifest, "blobs")]
    if len(blobs) > MOST_BLOBS:
        raise InvalidInput(f"the manifest names more than {MOST_BLOBS:,} blobs")
    config = manifest.get("config")
    if isinstance(config, dict):
        yield "config.json", _hex(config.get("digest"))
    taken, inner = {"config.json"}, set[str]()
    for number, descriptor in enumerate(blobs, 1):
        hexadecimal = _hex(descriptor.get("digest"))
        titles = [_annotation(descriptor, title) for title in _TITLES]
        name = next((path for path in map(rules.local_path, filter(None, titles)) if path), "")
        steps = {name[:at] for at in range(len(name)) if name[at] == "/"}
        if not name or name in taken or name in inner or steps & taken:
            name, steps = f"layer-{number:05}-{hexadecimal[:12]}", set()
        taken.add(name)
        inner |= steps
        yield name, hexadecimal


def _hex(digest: object) -> str:
    known = _DIGEST.match(digest) if isinstance(digest, str) else None
    if known is None:
        raise InvalidInput(
            f"the layout names a blob by `{str(digest)[:80]}`; only sha256 digests are checked"
        )
    return known[1]


def _list(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _annotation(descriptor: Mapping[str, Any], name: str) -> str:
    known = descriptor.get("annotations")
    value = known.get(name) if isinstance(known, dict) else None
    return value if isinstance(value, str) else ""
