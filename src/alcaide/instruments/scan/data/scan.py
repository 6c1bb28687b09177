"""The look at a data set, check after check.

    1. open       the source becomes a table that can be asked
    2. profile    schema and statistics of every column, over all rows
    3. classify   personal data, secrets, special categories; instructions hidden in texts
    4. copies     exact and near, within and against other sets
    5. labels     wrong ones, triggers, patches, odd corners
    6. reference  schema and distribution against another version
    7. provenance card, licence, register, marks of machine-written text

Each check ends on its own: what stops one (a limit, broken data, a fault of ours) becomes an Unknown finding with
the name of the check, and the next one goes on. Run it in a child process with limits of its own where the data are a
stranger's: the engine's readers are native code.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.context import printable
from alcaide.instruments.scan.data import readings
from alcaide.instruments.scan.data import rules as R  # noqa: N812 - forty rules, named as rules
from alcaide.instruments.scan.data.policy import DataPolicy
from alcaide.instruments.scan.data.readings import Register
from alcaide.instruments.scan.data.report import ColumnProfile, Coverage, DataReport, Marks
from alcaide.instruments.scan.limits import Malformed, OverBudget, ScanStop, Truncated
from alcaide.instruments.scan.model import Finding, Level, Rule
from alcaide.instruments.scan.source import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alcaide.instruments.scan.data.conversations import Conversations
    from alcaide.instruments.scan.data.looker import TextLooker
    from alcaide.instruments.scan.data.sources import Given, Opened
    from alcaide.instruments.scan.data.sources.table import Field, Table

EDITION = "2026.11"
"""Raised whenever a rule, a list or a threshold changes what is found."""

Progress = Callable[[str, float], None]
"""Told the name of the check that begins, and which share of the checks is done."""


def scan_data(
    source: Given,
    *,
    reference: Given | None = None,
    against: Given | Mapping[str, Given] | None = None,
    labels: str | None = None,
    text: str | Sequence[str] | None = None,
    embeddings: Any = None,
    guard: TextLooker | None = None,
    policy: DataPolicy | None = None,
    progress: Progress | None = None,
    card: Mapping[str, Any] | None = None,
    register: Register | None = None,
) -> DataReport:
    """Look at a data set.

    Args:
        source: a file, a folder, a URL (`s3://`, `sqlite://`, `postgresql://`), or columns by name.
        reference: an earlier version, to compare schema and distribution with.
        against: other sets that must not overlap with this: a test set, benchmarks by name.
        labels: the column of labels; guessed by its name if None.
        text: the column or columns of free text; all that look like it if None.
        embeddings: one vector a row: an array, the path of a `.npy` file, or the name of a column.
        guard: reads texts for personal data, secrets and instructions. Without it that is said to be unknown.
        policy: limits, thresholds and what is accepted; the one that ships if None.
        progress: told what goes on.
        card: what is known about the set (licence, source…), beside what its own card says.
        register: whether a source is registered; nobody is asked if None.

    Returns:
        A report, whatever the data are. Only a wrong argument raises: `labels` or `text` naming no column is a
        finding, since a file may have changed.
    """
    look = Look(source, policy or DataPolicy(), progress)
    look.guard = guard
    look.run(reference, against, labels, text, embeddings, card, register)
    return look.finish()


class Look:
    """One look on its way: what the checks share. For this package alone."""

    def __init__(self, source: Given, policy: DataPolicy, progress: Progress | None) -> None:
        from alcaide.instruments.scan.data.sources import name_of

        self.source = source
        self.policy = policy
        self.progress = progress
        self.guard: TextLooker | None = None
        self.report = DataReport(printable(name_of(source)), "unknown", fail_on=policy.fail_on)
        self.began = time.monotonic()
        self.opened: Opened | None = None
        self.columns: list[ColumnProfile] = []
        self.conversations: Conversations | None = None
        self.texts: dict[str, str] = {}
        self.label: Field | None = None

    # ── what all checks use ──

    @property
    def table(self) -> Table:
        assert self.opened is not None, "open first"
        return self.opened.table

    def find(
        self,
        rule: Rule,
        message: str,
        *,
        level: Level | None = None,
        place: str = "",
        rows: Sequence[int] = (),
        scores: Sequence[float] | None = None,
        category: str = "",
        **detail: Any,
    ) -> None:
        """Say that something is wrong; what a person has accepted is said as low."""
        how = level or rule.level
        if how is not Level.UNKNOWN and (
            rule.id in self.policy.accepts or (category and f"{rule.id}:{category}" in self.policy.accepts)
        ):
            how, detail["accepted"] = Level.LOW, True
        if category:
            detail["category"] = category
        if rows:
            detail["rows"] = [int(row) for row in rows[: self.policy.limits.rows_listed]]
            kept = tuple(int(row) for row in rows[: self.policy.limits.rows_marked])
            given = (
                tuple(float(score) for score in scores[: len(kept)])
                if scores is not None
                else (1.0,) * len(kept)
            )
            known = self.report.marks.get(rule.id)
            if known is None:
                self.report.marks[rule.id] = Marks(kept, given)
            else:
                self.report.marks[rule.id] = Marks(known.rows + kept, known.scores + given)
        self.report.findings.append(
            Finding(rule.id, how, printable(message, 1_000), printable(place), None, detail)
        )

    def cover(self, check: str, looked: int, total: int, why: str = "", *, estimate: bool = False) -> None:
        """Say how much a check looked at."""
        self.report.coverage.append(
            Coverage(check, looked, total, "rows", why if looked < total else "", estimate)
        )

    def check(self, name: str, share: float, work: Callable[[], None]) -> bool:
        """Do one check; whether it came to its end."""
        if self.progress is not None:
            self.progress(name, share)
        total = self.opened.table.rows if self.opened is not None else 0
        try:
            work()
            return True
        except OverBudget as stop:
            self.find(R.OVER_BUDGET, f"the check `{name}` did not end: {stop.message}", check=name)
        except (Malformed, Truncated) as stop:
            self.find(
                R.UNREADABLE, f"the check `{name}` met data that cannot be read: {stop.message}", check=name
            )
        except ScanStop as stop:
            self.find(R.UNSUPPORTED, f"the check `{name}` was not done: {stop.message}", check=name)
        except UnreadableError as error:
            self.find(R.UNREADABLE, f"the check `{name}` was not done: {error}", check=name)
        except (MemoryError, RecursionError) as error:
            self.find(R.OVER_BUDGET, f"the check `{name}` did not end: {type(error).__name__}", check=name)
        except Exception as error:  # noqa: BLE001 - a check's fault must not become a set called clean
            self.find(
                R.FAULT,
                f"the check `{name}` failed ({type(error).__name__})",
                check=name,
                error=printable(f"{type(error).__name__}: {error}", 300),
            )
        self.cover(name, 0, total, "it did not end")
        return False

    def run_over(self, columns: Mapping[str, Any], checks: Sequence[str]) -> None:
        """Some checks over columns at hand, for who has already read what they are of."""
        self.source = columns
        kind, rows = self.report.kind, self.report.rows
        try:
            known: dict[str, Callable[[], None]] = {
                "classify": lambda: self._classify(None),
                "instructions": partial(readings.instructions, self),
                "near-duplicates": self._near_duplicates,
            }
            if self.check("chunks", 0.6, self._open) and self.check("profile", 0.7, self._profile):
                for name in checks:
                    self.check(name, 0.8, known[name])
        finally:
            self.report.kind, self.report.rows = kind, rows
            if self.opened is not None:
                self.opened.engine.close()

    # ── the order ──

    def run(
        self,
        reference: Given | None,
        against: Given | Mapping[str, Given] | None,
        labels: str | None,
        text: str | Sequence[str] | None,
        embeddings: Any,
        card: Mapping[str, Any] | None,
        register: Register | None,
    ) -> None:
        """All checks."""
        try:
            if not self.check("open", 0.0, self._open):
                return
            steps: list[tuple[str, Callable[[], None]]] = [
                ("profile", self._profile),
                ("classify", lambda: self._classify(text)),
                ("instructions", partial(readings.instructions, self)),
                ("duplicates", self._duplicates),
                ("near-duplicates", self._near_duplicates),
            ]
            if against is not None:
                steps += [
                    (f"against {name}", partial(self._against, name, other))
                    for name, other in _named(against)
                ]
            steps += [
                ("labels", lambda: self._labels(labels)),
                ("embeddings", lambda: self._embeddings(embeddings)),
                ("conversations", self._conversations),
                ("synthetic", partial(readings.synthetic, self)),
            ]
            if reference is not None:
                steps.append(("reference", partial(readings.reference, self, reference)))
            steps.append(("provenance", partial(readings.provenance, self, card, register)))
            for index, (name, work) in enumerate(steps):
                if not self.check(name, (index + 1) / (len(steps) + 1), work) and name == "profile":
                    return
        finally:
            if self.opened is not None:
                self.opened.engine.close()

    def finish(self) -> DataReport:
        """The report, its findings worst first, with one Unknown for each check that did not look at all of it."""
        report = self.report
        for coverage in report.coverage:
            name = coverage.check.split(":", 1)[0]
            if coverage.share >= 1 or coverage.estimate or coverage.why == "it did not end":
                continue
            if name in self.policy.sample_is_enough or coverage.check in self.policy.sample_is_enough:
                continue
            place = coverage.check.split(":", 1)[1] if ":" in coverage.check else ""
            self.find(
                R.NOT_LOOKED_AT,
                f"`{coverage.check}` looked at {coverage.looked:,} of {coverage.total:,} {coverage.unit}"
                + (f": {coverage.why}" if coverage.why else ""),
                place=place,
                check=coverage.check,
                looked=coverage.looked,
                total=coverage.total,
            )
        report.findings.sort(key=Finding.sort_key)
        report.columns = self.columns
        report.seconds = round(time.monotonic() - self.began, 3)
        if self.progress is not None:
            self.progress("done", 1.0)
        return report

    # ── 1, 2 ──

    def _open(self) -> None:
        from alcaide.instruments.scan.data.sources import open_source
        from alcaide.instruments.scan.data.words import words

        self.opened = opened = open_source(self.source, self.policy)
        table, report = opened.table, self.report
        report.kind, report.rows, report.size = table.kind, table.rows, table.size
        report.facts.update(table.facts)
        report.edition = f"data {EDITION}, words {words().edition}, duckdb {opened.engine.version}"
        for remark in table.remarks:
            self.find(remark.rule, remark.message, rows=remark.rows, **remark.detail)
        total = table.rows + (table.lost if table.kind in {"csv", "tsv", "text"} else 0)
        self.cover("read", table.rows, total, "rows that could not be read were left out")
        if table.columns_left_out:
            report.coverage.append(
                Coverage(
                    "columns", len(table.columns), len(table.columns) + table.columns_left_out, "columns",
                    "there are more columns than the limit, or of types that are not read",
                )
            )  # fmt: skip
        if not table.rows:
            self.find(R.NO_ROWS, "there is not one row in it")

    def _profile(self) -> None:
        from alcaide.instruments.scan.data.conversations import conversations_of
        from alcaide.instruments.scan.data.profile import draw_sample, profile, refine

        self.columns = profile(self.table)
        refine(self.table, self.columns, draw_sample(self.table))
        self.conversations = conversations_of(self.table, self.columns)
        self.texts = self.conversations.texts()
        self.cover("profile", self.table.rows, self.table.rows)

    # ── 3 ──

    def _classify(self, text: str | Sequence[str] | None) -> None:
        from alcaide.instruments.scan.data.classify import classify

        self._choose_texts(text)
        found = classify(self.table, self.columns, "sampled", self.guard)
        self.report.coverage.extend(found.coverage)
        if self.guard is None and any(
            column.role in {"text", "conversation", "nested"} for column in self.columns
        ):
            self.cover("guard", 0, self.table.rows, "no guard was given to read the texts")
        by_kind = {"personal": R.PERSONAL, "special": R.SPECIAL, "secret": R.SECRET}
        for column in self.columns:
            filled = max(1, column.rows - column.nulls)
            for sighting in column.sightings:
                rule = by_kind.get(sighting.kind)
                if rule is None:
                    continue
                by_name = sighting.by == "name"
                level = None
                if by_name and rule.level.rank > Level.MEDIUM.rank:
                    level = Level.MEDIUM
                self.find(
                    rule,
                    f"column `{column.name}` holds {_called(sighting.category)} "
                    + ("by its name" if by_name else f"in {_about(sighting.rows, filled, sighting.looked)}"),
                    level=level,
                    place=column.name,
                    rows=found.rows.get((column.name, sighting.category), ())[
                        : self.policy.limits.rows_listed
                    ],
                    category=sighting.category,
                    by=sighting.by,
                    count=sighting.rows,
                    looked=sighting.looked,
                    share=round(sighting.rows / filled, 4),
                )
        readings.singling_out(self)

    def _choose_texts(self, text: str | Sequence[str] | None) -> None:
        """Which columns are read as text, with their SQL."""
        wanted = [text] if isinstance(text, str) else list(text or ())
        for name in wanted:
            field = self.table.column(name)
            if field is None:
                self.find(R.UNSUPPORTED, f"there is no column `{name}` to read as text", column=name)
            elif field.name not in self.texts:
                self.texts[field.name] = field.sql if field.is_text else f"{field.sql}::VARCHAR"
        if wanted:
            self.texts = {name: sql for name, sql in self.texts.items() if name in wanted} or self.texts
            return
        for column, field in zip(self.columns, self.table.columns, strict=True):
            if column.role == "text" and field.is_text:
                self.texts.setdefault(field.name, field.sql)

    # ── 4 ──

    def comparable(self) -> list[Field]:
        """The columns that make a row what it is: all but identifiers that are different in every row."""
        kept = [
            field
            for column, field in zip(self.columns, self.table.columns, strict=True)
            if column.role not in {"identifier", "empty"} or (field.is_text and not self._is_key(column))
        ]
        return kept or list(self.table.columns)

    def _is_key(self, column: ColumnProfile) -> bool:
        return column.role == "identifier" and column.distinct >= 0.93 * max(1, column.rows - column.nulls)

    def _duplicates(self) -> None:
        from alcaide.instruments.scan.data.copies import exact_copies

        fields = self.comparable()
        if self.table.kind == "images":
            fields = [field for field in self.table.columns if field.name == "sha256"]
        copies = exact_copies(self.table, fields, self.policy.limits.rows_marked)
        self.cover("duplicates", self.table.rows, self.table.rows)
        self.report.figures["duplicates"] = {"surplus": copies.surplus, "groups": copies.sizes[:20]}
        if copies.surplus:
            share = copies.surplus / max(1, self.table.rows)
            self.find(
                R.DUPLICATES,
                f"{copies.surplus:,} rows ({share:.1%}) repeat another row"
                + ("" if len(fields) == len(self.table.columns) else ", apart from identifiers"),
                rows=copies.rows,
                count=copies.surplus,
                groups=copies.groups[:10],
            )

    def main_text(self) -> tuple[str, str] | None:
        """The column that most of the text is in."""
        if not self.texts:
            return None
        sizes = {column.name: (column.length[1] if column.length else 0.0) for column in self.columns}
        name = max(self.texts, key=lambda one: sizes.get(one, 0.0))
        return name, self.texts[name]

    def rows_and_texts(self, most: int) -> tuple[Any, list[str], str] | None:
        """Row numbers and texts of the main text, sampled by hash where there are more than `most`."""
        import numpy as np

        from alcaide.instruments.scan.data.engine import quoted
        from alcaide.instruments.scan.data.sources.table import ROW

        chosen = self.main_text()
        if chosen is None:
            return None
        name, sql = chosen
        share = min(1.0, most / max(1, self.table.rows))
        where = "" if share >= 1 else f" AND hash({quoted(ROW)}, 1) < {int(share * (1 << 64))}::UBIGINT"
        answer = self.table.engine.rows(
            f"SELECT {quoted(ROW)}, left({sql}, {min(5_000, self.policy.limits.text)}) FROM {self.table.relation} "
            f"WHERE {sql} IS NOT NULL{where} ORDER BY 1"
        )
        return np.array([row for row, _ in answer], np.int64), [str(text) for _, text in answer], name

    def _near_duplicates(self) -> None:
        from alcaide.instruments.scan.data.copies import near_copies

        if self.table.kind == "images":
            self._near_images()
            return
        got = self.rows_and_texts(self.policy.limits.similar_rows)
        if got is None:
            return
        rows, texts, name = got
        limits, engine = self.policy.limits, self.table.engine
        deadline = engine.seconds + limits.similar_seconds

        def tick() -> None:
            engine.check_time()
            if engine.seconds > deadline:
                raise OverBudget(
                    f"comparing {len(rows):,} texts takes more than {limits.similar_seconds:g} seconds"
                )

        found = near_copies(
            texts, rows, self.policy.thresholds.near, self.policy.seed, limits.rows_marked, tick
        )
        column = next(column for column in self.columns if column.name == name)
        self.cover("near-duplicates", len(rows), column.rows - column.nulls, "more rows than the limit")
        self.report.figures["near_duplicates"] = {"surplus": found.surplus, "groups": found.sizes[:20]}
        if found.surplus:
            self.find(
                R.NEAR_DUPLICATES,
                f"{found.surplus:,} of {len(rows):,} texts in `{name}` are copies or near copies of another",
                place=name,
                rows=found.rows,
                count=found.surplus,
                groups=found.groups[:10],
            )

    def _near_images(self) -> None:
        import numpy as np

        pictures = self.opened.pictures if self.opened is not None else None
        if pictures is None:
            self.cover("near-duplicates", 0, self.table.rows, "comparing pictures takes the package `pillow`")
            return
        from alcaide.instruments.scan.data.pictures import alike

        groups = alike(pictures.colours, pictures.seen)
        surplus = [row for group in groups for row in group[1:]]
        self.cover(
            "near-duplicates",
            int(np.count_nonzero(pictures.seen)),
            self.table.rows,
            "images that cannot be decoded",
        )
        if surplus:
            self.find(
                R.NEAR_DUPLICATES,
                f"{len(surplus):,} images look like another one",
                rows=sorted(surplus),
                count=len(surplus),
                groups=groups[:10],
            )

    def _against(self, name: str, other: Given) -> None:
        from alcaide.instruments.scan.data.leakage import compare

        compare(self, name, other)

    # ── 5 ──

    def _labels(self, labels: str | None) -> None:
        from alcaide.instruments.scan.data.labels import guess_label
        from alcaide.instruments.scan.data.suspicion import suspect

        chosen = labels or guess_label(self.table, self.columns)
        if chosen is None:
            self.report.facts["label"] = None
            return
        field = self.table.column(chosen)
        if field is None:
            self.find(R.UNSUPPORTED, f"there is no column `{chosen}` to take labels from", column=chosen)
            self.cover("label-errors", 0, self.table.rows, "there is no such column")
            return
        self.label = field
        self.report.facts["label"] = {"column": field.name, "guessed": labels is None}
        suspect(self, field)

    def _embeddings(self, embeddings: Any) -> None:
        from alcaide.instruments.scan.data.suspicion import suspect_vectors

        suspect_vectors(self, embeddings)

    # ── 6, 7 ──

    def _conversations(self) -> None:
        from alcaide.instruments.scan.data.conversations import oddities

        if not self.conversations:
            return
        for oddity in oddities(self.table, self.conversations):
            self.find(
                R.CONVERSATION,
                f"{oddity.count:,} conversations {oddity.what}",
                rows=oddity.rows,
                count=oddity.count,
            )
        self.cover("conversations", self.table.rows, self.table.rows)


def _named(against: Given | Mapping[str, Given]) -> Iterator[tuple[str, Given]]:
    """Other sets by name. A mapping is sets by name if its values are sources, and else columns of one set."""
    if (
        isinstance(against, Mapping)
        and against
        and all(isinstance(value, str | os.PathLike | Mapping) for value in against.values())
    ):
        yield from against.items()
    else:
        yield "the other set", against


def _called(category: str) -> str:
    """A category in a sentence."""
    return "secrets" if category == "secret" else f"`{category}`"


def _about(rows: int, filled: int, looked: int) -> str:
    exact = looked >= filled
    return f"{'' if exact else 'about '}{rows:,} of {filled:,} rows ({rows / filled:.1%})"
