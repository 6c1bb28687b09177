"""Looks at a vector store: vectors that are near everything, and what the chunks say and lack.

1. vectors   zero, not finite, of another length; the same vector on several points
2. hubs      points that are among the nearest of far more points than any honest one is
3. chunks    as a data set: personal data, secrets, instructions to a model, copies
4. access    points that carry no label saying who may read them
5. documents points whose document is gone, or newer than they are
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from alcaide.instruments.scan.data import rules as R  # noqa: N812
from alcaide.instruments.scan.data.learn import one_thread
from alcaide.instruments.scan.data.policy import DataPolicy
from alcaide.instruments.scan.data.scan import Look
from alcaide.instruments.scan.data.stores import TEXT_KEYS, Points, read_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from alcaide.instruments.scan.data.looker import TextLooker
    from alcaide.instruments.scan.data.report import DataReport
    from alcaide.instruments.scan.data.scan import Progress

    Floats = NDArray[np.float32]

Documents = Callable[[str], datetime | bool | None] | Mapping[str, datetime | bool | None]
"""What is known of a document by the reference that a chunk has: when it was changed last, True if it is there and
nobody knows since when, None or False if it is gone."""

NEIGHBOURS = 10
_HUB_ROWS = 20_000
_HUB_SHARE = 0.05
"""A hub is found for one in twenty of all vectors, whatever they are: skew that grows with the number of dimensions
(Radovanović et al. 2010) stays well below, an adversarial hub (Zhang et al. 2024) well above."""
ACCESS_KEYS = (
    "acl", "access", "access_level", "access_label", "acls", "permissions", "allowed_groups", "allowed_users", "groups",
    "roles", "tenant", "tenant_id", "org_id", "organization_id", "owner", "visibility", "classification", "sensitivity",
    "security_label",
)  # fmt: skip
DOCUMENT_KEYS = (
    "document_id",
    "doc_id",
    "documentid",
    "docid",
    "source",
    "source_id",
    "file_path",
    "filename",
    "file",
    "path",
    "url",
    "uri",
    "ref_doc_id",
)
TIME_KEYS = (
    "indexed_at",
    "embedded_at",
    "ingested_at",
    "updated_at",
    "created_at",
    "timestamp",
    "last_modified",
)


def scan_vectors(
    source: str | os.PathLike[str],
    *,
    guard: TextLooker | None = None,
    documents: Documents | None = None,
    access_keys: Sequence[str] = ACCESS_KEYS,
    api_key: str | None = None,
    policy: DataPolicy | None = None,
    progress: Progress | None = None,
) -> DataReport:
    """Look at a vector store, read-only.

    Args:
        source: `postgresql://…?table=…`, `qdrant+http://host/collection`, or an export as a file.
        guard: reads the chunks; without it that is said to be unknown.
        documents: what is known of the documents that chunks are from; without it, stale chunks and chunks of deleted
            documents are said to be unknown.
        access_keys: fields of a payload that say who may read it.
        api_key: for Qdrant.
        policy: limits, thresholds and what is accepted.
        progress: told what goes on.
    """
    policy = policy or DataPolicy()
    look = Look(str(os.fspath(source)), policy, progress)
    look.guard = guard
    held: list[Points] = []

    def read() -> None:
        points = read_points(source, policy, api_key)
        held.append(points)
        look.report.kind, look.report.rows = points.kind, points.total
        look.report.facts.update(points.facts, dimensions=int(points.vectors.shape[1]))
        look.cover("read", len(points.ids), points.total, "more points than the limit")
        if not points.ids:
            look.find(R.NO_ROWS, "there is not one point in it")

    if look.check("open", 0.0, read) and held[0].ids:
        points = held[0]
        look.check("vectors", 0.1, lambda: _vectors(look, points))
        look.check("hubs", 0.2, lambda: _hubs(look, points))
        look.check("access", 0.4, lambda: _access(look, points, access_keys))
        look.check("documents", 0.5, lambda: _documents(look, points, documents))
        chunks = _columns(points)
        if chunks:
            look.run_over(chunks, ("classify", "instructions", "near-duplicates"))
    return look.finish()


def _columns(points: Points) -> dict[str, Any]:
    """The payloads as columns: those that are common, and the text."""
    counts: dict[str, int] = {}
    for payload in points.payloads:
        for key in payload:
            counts[key] = counts.get(key, 0) + 1
    common = sorted(counts, key=lambda key: (-counts[key], key))[:50]
    columns: dict[str, Any] = {
        key: [payload.get(key) for payload in points.payloads]
        for key in common
        if key not in {"payload", "metadata"}
    }
    if not any(key in columns for key in TEXT_KEYS):
        texts = points.texts()
        if any(texts):
            columns["text"] = texts
    return columns


def _named(points: Points, places: Sequence[int]) -> list[str]:
    return [points.ids[place][:100] for place in places[:50]]


def _vectors(look: Look, points: Points) -> None:
    vectors = points.vectors
    broken = ~np.isfinite(vectors).all(axis=1) if vectors.shape[1] else np.ones(len(vectors), bool)
    odd = set(points.odd_length)
    norms = np.linalg.norm(np.nan_to_num(vectors.astype(np.float64), posinf=0.0, neginf=0.0), axis=1)
    zero = (norms < 1e-12) & ~broken
    fine = norms[~broken & ~zero]
    middle = float(np.median(fine)) if len(fine) else 0.0
    # Vectors of one model have lengths alike: made for it they are 1, or within a small factor of each other.
    foreign = ~broken & ~zero & ((norms > 10 * middle) | (norms < 0.1 * middle))
    for places, what in (
        (sorted(odd), f"have another number of dimensions than {vectors.shape[1]}"),
        (
            [int(one) for one in np.flatnonzero(broken) if int(one) not in odd],
            "have no vector, or one that is not finite",
        ),
        (np.flatnonzero(zero).tolist(), "have a vector of zeros"),
        (
            np.flatnonzero(foreign).tolist(),
            f"have a vector ten times longer or shorter than the others ({middle:.2g})",
        ),
    ):
        if places:
            look.find(
                R.DEGENERATE,
                f"{len(places):,} points {what}",
                rows=places,
                count=len(places),
                ids=_named(points, places),
            )
    look.cover("vectors", len(points.ids), points.total, "more points than the limit")
    _same(look, points, np.flatnonzero(~broken & ~zero))


def _same(look: Look, points: Points, usable: NDArray[np.intp]) -> None:
    """The same vector more than once: on one text a copy, on different texts a lie."""
    groups: dict[bytes, list[int]] = {}
    for place in usable:
        groups.setdefault(points.vectors[place].tobytes(), []).append(int(place))
    texts = points.texts()
    copies: list[int] = []
    lies: list[int] = []
    for members in groups.values():
        if len(members) > 1:
            different = len({texts[one].strip() for one in members}) > 1
            (lies if different else copies).extend(members if different else members[1:])
    for rule, places, what in (
        (R.MISMATCH, lies, "have the same vector as a point with another text"),
        (R.SAME_VECTOR, copies, "repeat another point"),
    ):
        if places:
            look.find(
                rule,
                f"{len(places):,} points {what}",
                rows=places,
                count=len(places),
                ids=_named(points, places),
            )


def _hubs(look: Look, points: Points) -> None:
    """Count how often each point is among the nearest of the others, by cosine, over a sample of points asking."""
    vectors = points.vectors
    norms = np.linalg.norm(np.nan_to_num(vectors), axis=1)
    usable = (
        np.flatnonzero(np.isfinite(vectors).all(axis=1) & (norms > 1e-12))
        if vectors.shape[1]
        else np.zeros(0, int)
    )
    # One of each group of copies: a thousand copies of a page would make each other hubs.
    _, first = (
        np.unique(vectors[usable], axis=0, return_index=True) if len(usable) else (None, np.zeros(0, int))
    )
    usable = usable[np.sort(first)]
    if len(usable) < 10 * NEIGHBOURS:
        look.cover("hubs", 0, points.total, f"fewer than {10 * NEIGHBOURS} different vectors")
        return
    unit = (vectors[usable] / norms[usable, None]).astype(np.float32)
    step = max(1, -(-len(unit) // _HUB_ROWS))
    asking = np.arange(0, len(unit), step)
    counts = np.zeros(len(unit), np.int64)
    with one_thread():
        for start in range(0, len(asking), 256):
            part = asking[start : start + 256]
            likeness = unit[part] @ unit.T
            likeness[np.arange(len(part)), part] = -2.0
            nearest = np.argpartition(-likeness, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
            counts += np.bincount(nearest.ravel(), minlength=len(unit))
    mean = NEIGHBOURS * len(asking) / len(unit)
    deviation = max(1e-9, float(counts.std()))
    look.report.figures["hubness"] = {
        "neighbours": NEIGHBOURS,
        "skew": round(float((((counts - counts.mean()) / deviation) ** 3).mean()), 3),
        "most": int(counts.max()),
        "mean": round(mean, 3),
        "histogram": np.bincount(np.minimum(counts, 100), minlength=101).tolist(),
    }
    look.cover("hubs", len(usable), len(usable))
    hubs = np.flatnonzero(
        (counts >= look.policy.thresholds.hub * mean) & (counts >= _HUB_SHARE * len(asking))
    )
    hubs = hubs[np.argsort(-counts[hubs], kind="stable")]
    if len(hubs):
        places = [int(usable[one]) for one in hubs]
        look.find(
            R.HUB,
            f"{len(hubs):,} points are near everything: the worst, `{points.ids[places[0]][:100]}`, is among the "
            f"{NEIGHBOURS} nearest of {counts[hubs[0]] / len(asking):.0%} of all points",
            rows=places,
            scores=[float(counts[one] / len(asking)) for one in hubs],
            count=len(hubs),
            ids=_named(points, places),
        )


def _flat(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload's fields with those of its metadata, by lower-case name."""
    inner = payload.get("metadata")
    merged = {**(inner if isinstance(inner, Mapping) else {}), **payload}
    return {str(key).lower(): value for key, value in merged.items()}


def _access(look: Look, points: Points, keys: Sequence[str]) -> None:
    known = {key.lower() for key in keys}
    flats = [_flat(payload) for payload in points.payloads]
    used = sorted({key for flat in flats for key in flat if key in known})
    look.report.facts["access_keys"] = used
    missing = [
        index
        for index, flat in enumerate(flats)
        if not any(flat.get(key) not in (None, "", [], {}) for key in used)
    ]
    look.cover("access", len(points.ids), points.total, "more points than the limit")
    if missing:
        said = (
            "no field of any payload says who may read it"
            if not used
            else "they lack " + " and ".join(f"`{key}`" for key in used)
        )
        look.find(
            R.NO_ACCESS_LABEL,
            f"{len(missing):,} of {len(flats):,} points carry no access label: {said}",
            rows=missing,
            count=len(missing),
            ids=_named(points, missing),
        )


def _documents(look: Look, points: Points, documents: Documents | None) -> None:
    flats = [_flat(payload) for payload in points.payloads]
    references = [next((str(flat[key]) for key in DOCUMENT_KEYS if flat.get(key)), None) for flat in flats]
    nameless = [index for index, reference in enumerate(references) if reference is None]
    if nameless:
        look.find(
            R.ORPHAN,
            f"{len(nameless):,} points name no document that they are from",
            level=None if len(nameless) < len(flats) else R.STALE.level,
            rows=nameless,
            count=len(nameless),
            ids=_named(points, nameless),
        )
    if documents is None:
        look.cover("documents", 0, points.total, "no list of the documents was given")
        return
    ask = documents.get if isinstance(documents, Mapping) else documents
    known = {
        reference: ask(reference) for reference in dict.fromkeys(one for one in references if one is not None)
    }
    gone: list[int] = []
    stale: list[int] = []
    for index, (reference, flat) in enumerate(zip(references, flats, strict=True)):
        if reference is None:
            continue
        changed = known[reference]
        indexed = next((when for key in TIME_KEYS if (when := _time(flat.get(key))) is not None), None)
        if changed is None or changed is False:
            gone.append(index)
        elif isinstance(changed, datetime) and indexed is not None and _aware(changed) > indexed:
            stale.append(index)
    for rule, places, what in (
        (R.ORPHAN, gone, "are from documents that are gone"),
        (R.STALE, stale, "are older than their document"),
    ):
        if places:
            look.find(
                rule,
                f"{len(places):,} points {what}",
                rows=places,
                count=len(places),
                ids=_named(points, places),
            )
    look.cover("documents", len(points.ids), points.total, "more points than the limit")


def _time(value: Any) -> datetime | None:
    """A time in ISO 8601, or seconds or milliseconds since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / (1000 if value > 1e11 else 1), UTC)
        return _aware(datetime.fromisoformat(str(value))) if value else None
    except (ValueError, OverflowError, OSError):
        return None


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
