"""What is read out of a data set beside its columns: instructions, who is singled out, what wrote it, its origin."""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.data import rules as R  # noqa: N812
from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from alcaide.instruments.scan.data.sources import Given
    from alcaide.instruments.scan.data.sources.table import Table

Register = Callable[[str, str | None], bool | None]
"""Asked with a source's name and SHA-256: whether it is registered; None if the register cannot say."""


def instructions(look: Any) -> None:
    """Rows with a cue are read by the guard; cues are looked for in all rows."""
    from alcaide.instruments.scan.data.engine import literal, quoted
    from alcaide.instruments.scan.data.looker import INSTRUCTIONS, look_at_many
    from alcaide.instruments.scan.data.sources.table import ROW
    from alcaide.instruments.scan.data.words import words

    if not look.texts:
        return
    engine, limit = look.table.engine, look.policy.limits.text
    pattern = literal(words().instructions)
    for name, sql in look.texts.items():
        where = f"regexp_matches(left({sql}, {limit}), {pattern}, 'i')"
        (cued,) = engine.row(f"SELECT count(*) FROM {look.table.relation} WHERE {where}")
        if not cued:
            continue
        rows = engine.rows(
            f"SELECT {quoted(ROW)}, left({sql}, {limit}) FROM {look.table.relation} WHERE {where} "
            "ORDER BY 1 LIMIT 5000"
        )
        if look.guard is None:
            look.find(
                R.INSTRUCTIONS,
                f"{cued:,} rows of `{name}` have words that address a machine; no guard was given to read them",
                level=Level.MEDIUM,
                place=name,
                rows=[int(row) for row, _ in rows],
                count=int(cued),
            )
            continue
        seen: list[tuple[float, int]] = []
        for index, sights in look_at_many(look.guard, [str(value) for _, value in rows], together=1):
            score = max((score for category, score, *_ in sights if category in INSTRUCTIONS), default=0.0)
            if score >= 0.5:
                seen.append((score, int(rows[index][0])))
        seen.sort(key=lambda pair: (-pair[0], pair[1]))
        if seen:
            look.find(
                R.INSTRUCTIONS,
                f"{len(seen):,} rows of `{name}` tell a model what to do, the surest is row {seen[0][1]:,}",
                place=name,
                rows=[row for _, row in seen],
                scores=[score for score, _ in seen],
                count=len(seen),
            )
        look.cover(f"instructions:{name}", len(rows), int(cued), "more rows have cues than are read")


def singling_out(look: Any) -> None:
    """How many rows are alone with what is known of a person without a name."""
    from alcaide.instruments.scan.data.words import words

    chosen: dict[str, str] = {}
    for column, field in zip(look.columns, look.table.columns, strict=True):
        for sighting in column.sightings:
            if sighting.category in words().quasi and sighting.category not in chosen and not field.is_nested:
                chosen[sighting.category] = field.name
    if len(chosen) < 3 and not {"DATE_OF_BIRTH", "PLACE"} <= set(chosen):
        return
    listed = ", ".join(_sql(look.table, name) for name in chosen.values())
    (alone,) = look.table.engine.row(
        f"SELECT count(*) FROM (SELECT count(*) AS c FROM {look.table.relation} GROUP BY {listed}) WHERE c = 1"
    )
    share = alone / max(1, look.table.rows)
    look.report.facts["alone_by_quasi_identifiers"] = {
        "columns": list(chosen.values()),
        "share": round(share, 4),
    }
    if share >= look.policy.thresholds.unique:
        names = ", ".join(f"`{name}`" for name in chosen.values())
        look.find(
            R.RE_IDENTIFIABLE,
            f"{share:.0%} of the rows are alone with their {names} ({alone:,} of {look.table.rows:,})",
            count=int(alone),
            columns=list(chosen.values()),
        )


def synthetic(look: Any) -> None:
    """Phrases that models write, over all rows, and openings that come back too often, in the sample."""
    from alcaide.instruments.scan.data.engine import literal, quoted
    from alcaide.instruments.scan.data.sources.table import ROW
    from alcaide.instruments.scan.data.words import words

    engine = look.table.engine
    for name, sql in look.texts.items():
        lowered = f"lower(left({sql}, {look.policy.limits.text}))"
        selves = " OR ".join(f"contains(t, {literal(one)})" for one in words().synthetic_self)
        styles = " OR ".join(f"contains(t, {literal(one)})" for one in words().synthetic_style)
        total, own, style = engine.row(
            f"SELECT count(t), count_if({selves}), count_if({styles}) "
            f"FROM (SELECT {lowered} AS t FROM {look.table.relation})"
        )
        openings, sampled = engine.row(
            "SELECT count(DISTINCT array_to_string(string_split(t, ' ')[1:4], ' ')), count(t) "
            f"FROM (SELECT {lowered} AS t FROM sampled) WHERE length(t) > 40"
        )
        look.cover(f"synthetic:{name}", look.table.rows, look.table.rows)
        look.report.figures.setdefault("synthetic", {})[name] = {
            "self": round(own / max(1, total), 5),
            "style": round(style / max(1, total), 5),
            "openings": round(openings / max(1, sampled), 4),
        }
        if own >= 2 or style >= max(5, 0.02 * total):
            rows = engine.rows(
                f"SELECT {quoted(ROW)} FROM (SELECT {quoted(ROW)}, {lowered} AS t FROM {look.table.relation}) "
                f"WHERE {selves if own >= 2 else styles} ORDER BY 1 LIMIT 10000"
            )
            look.find(
                R.SYNTHETIC,
                f"{own:,} texts in `{name}` speak of being a model, {style:,} have phrases that models write "
                f"(of {total:,})",
                place=name,
                rows=[int(row) for (row,) in rows],
                count=int(own + style),
            )


def reference(look: Any, earlier: Given) -> None:
    """Schema and distribution against an earlier version."""
    from alcaide.instruments.scan.data.leakage import open_other
    from alcaide.instruments.scan.data.profile import draw_sample, profile, refine
    from alcaide.instruments.scan.data.shift import shifts

    with open_other(earlier, look.policy) as before:
        columns = profile(before.table)
        refine(before.table, columns, draw_sample(before.table))
        mine = {column.name: column for column in look.columns}
        theirs = {column.name: column for column in columns}
        gone, new = (
            [name for name in theirs if name not in mine],
            [name for name in mine if name not in theirs],
        )
        retyped = [name for name in mine if name in theirs and mine[name].type != theirs[name].type]
        for names, what in ((gone, "are gone"), (new, "are new"), (retyped, "have another type")):
            if names:
                listed = ", ".join(f"`{name}`" for name in names[:10])
                look.find(R.SCHEMA_CHANGED, f"columns {what}: {listed}", columns=names[:50])
        found = shifts(look.table, look.columns, before.table, columns)
    limits = look.policy.thresholds
    look.report.figures["shift"] = [
        {"column": one.column, "test": one.test, "effect": round(one.effect, 4), "psi": round(one.psi, 4)}
        for one in found
    ]
    look.cover(
        "reference",
        min(look.table.rows, look.policy.limits.sample_rows),
        look.table.rows,
        "a sample of both",
        estimate=True,
    )
    for one in found:
        if one.matters(limits):
            named = "Kolmogorov-Smirnov distance" if one.test == "ks" else "Cramér's V"
            look.find(
                R.SHIFTED,
                f"column `{one.column}` is distributed otherwise than in the reference: {named} {one.effect:.2f}, "
                f"PSI {one.psi:.2f}, missing {one.missing[0]:.1%} then and {one.missing[1]:.1%} now",
                level=Level.MEDIUM if one.is_major(limits) else None,
                place=one.column,
                effect=round(one.effect, 4),
                psi=round(one.psi, 4),
                p=one.p,
            )


def provenance(look: Any, card: Mapping[str, Any] | None, register: Register | None) -> None:
    """The digest, the card, the licence, the register."""
    from alcaide.instruments.scan.data.digest import digest_of
    from alcaide.instruments.scan.data.provenance import card_of
    from alcaide.instruments.scan.data.sources import files_of

    report = look.report
    paths = files_of(look.source, look.policy)
    folder = None
    if paths and not isinstance(look.source, Mapping):
        given = Path(os.fspath(look.source)).resolve()
        folder = given if given.is_dir() else given.parent
        report.sha256 = digest_of(paths, folder, look.table.engine.check_time)
        report.size = report.size or sum(path.stat().st_size for path in paths)
    known = card_of(folder, card)
    report.facts["card"] = {"licence": known.licence, "says": known.sources, "files": known.files}
    if known.licence is None:
        look.find(R.NO_LICENCE, "neither its card nor a file beside it names a licence")
    elif known.restricted:
        look.find(R.RESTRICTED_LICENCE, f"its licence is `{known.licence}`", licence=known.licence)
    if not known.sources:
        look.find(R.NO_PROVENANCE, "nothing says where it is from")
    if any(finding.rule == R.SYNTHETIC.id for finding in report.findings) and not known.synthetic:
        report.facts["synthetic_undeclared"] = True
    if register is not None:
        answer = register(report.source, report.sha256)
        if answer is False:
            look.find(R.UNAPPROVED, "the register does not know this data set", sha256=report.sha256)
        elif answer is None:
            look.find(
                R.UNSUPPORTED,
                "the register could not say whether it knows this data set",
                check="register",
            )
        report.facts["registered"] = answer


def _sql(table: Table, name: str) -> str:
    field = table.column(name)
    assert field is not None, name
    return field.sql
