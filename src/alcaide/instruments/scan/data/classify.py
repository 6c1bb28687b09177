"""What is in every column: personal data, special categories, secrets, and instructions to a model.

Three looks, each with what it covers:

    1. The column's name and, of categories, its values are compared with word lists: all of them.
    2. Expressions for shapes that give themselves away (addresses, cards, accounts, keys) run over all rows; what
       they match is checked by its check digits, on a sample of the matches.
    3. The guard reads values: 200 first, up to `guard_values` while what it sees is rare, drawn by a hash.

A sighting says which look it is from and how many rows it stood on.
"""

# ruff: noqa: S608 - names go into SQL through `quoted`, values through `literal` or as parameters
from __future__ import annotations

import ipaddress
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alcaide.instruments.scan.data.engine import literal, quoted
from alcaide.instruments.scan.data.looker import TextLooker, kind_of, look_at_many
from alcaide.instruments.scan.data.report import ColumnProfile, Coverage, Kind, Sighting
from alcaide.instruments.scan.data.sources.table import ROW, Field, Table
from alcaide.instruments.scan.data.words import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FIRST = 200
_MATCHES = 500
_NAMES_ONLY_FOR_TEXT = frozenset(
    {"PERSON", "STREET_ADDRESS", "EMAIL_ADDRESS", "PASSWORD", "SECRET", "USERNAME"}
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B."""
    total = 0
    for index, character in enumerate(reversed(digits)):
        value = int(character)
        if index % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _digits(text: str) -> str:
    return "".join(character for character in text if character in "0123456789")


def is_card(text: str) -> bool:
    """A number in an issuer's range whose check digit holds, and not one digit over and over."""
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and len(set(digits)) > 1 and luhn(digits)


def is_iban(text: str) -> bool:
    """ISO 13616: the remainder by 97 is 1."""
    plain = "".join(text.split()).upper()
    if not 15 <= len(plain) <= 34:
        return False
    moved = plain[4:] + plain[:4]
    return moved.isalnum() and moved.isascii() and int("".join(str(int(one, 36)) for one in moved)) % 97 == 1


def is_address(text: str) -> bool:
    """An IPv4 address of a machine that could be somebody's: no network, no loopback."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast or text.endswith(".0"))


def _is_phone(text: str) -> bool:
    return 8 <= len(_digits(text)) <= 15


def _any(text: str) -> bool:
    return bool(text)


@dataclass(frozen=True, slots=True)
class Shape:
    """Something that an expression finds and a check confirms."""

    category: str
    pattern: str
    check: Callable[[str], bool] = _any


# RE2 has no look-around: the characters around are matched with it, and the check drops them.
SHAPES = (
    Shape(
        "EMAIL_ADDRESS", r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}"
    ),
    Shape("PHONE_NUMBER", r"(?:\+|\b00)[1-9][0-9]{0,3}[ ()./-]{0,3}(?:[0-9][ ()./-]{0,2}){6,13}", _is_phone),
    Shape("PHONE_NUMBER", r"(?:\([0-9]{3}\) ?|\b[0-9]{3}[.-])[0-9]{3}[.-][0-9]{4}\b", _is_phone),
    Shape(
        "CREDIT_CARD",
        r"\b[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}\b"
        r"|\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b",
        is_card,
    ),
    Shape("IBAN_CODE", r"\b[A-Z]{2}[0-9]{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b", is_iban),
    Shape(
        "IP_ADDRESS",
        r"\b(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}\b",
        is_address,
    ),
    Shape(
        "US_SSN",
        r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b",
        lambda text: text[:3] not in {"000", "666"} and text[4:6] != "00",
    ),
    Shape("MAC_ADDRESS", r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"),
    Shape(
        "secret",
        r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"
        r"|\bsk-[A-Za-z0-9_-]{32,}"
        r"|\bxox[baprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}|\bglpat-[A-Za-z0-9_-]{20}"
        r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    ),
)
_ANY_SHAPE = "|".join(f"(?:{shape.pattern})" for shape in SHAPES)


@dataclass(slots=True)
class Classified:
    """What the looks came to, beside the sightings on the columns."""

    rows: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """Some row numbers for each column and category."""
    coverage: list[Coverage] = field(default_factory=list)


def text_of(column: Field, limit: int) -> str:
    """A column's value as text, cut."""
    return f"left({column.sql if column.is_text else f'{column.sql}::VARCHAR'}, {limit})"


def readable(column: ColumnProfile, source: Field) -> bool:
    """Whether a column can hold text that says something."""
    return (
        (source.is_text or source.is_nested)
        and not source.is_vector
        and column.role not in {"empty", "embedding"}
    )


def classify(
    table: Table, columns: Sequence[ColumnProfile], sample: str, looker: TextLooker | None
) -> Classified:
    """Look into every column; sightings go onto the columns."""
    found = Classified()
    for column in columns:
        _by_words(column)
    looked = [
        (column, source)
        for column, source in zip(columns, table.columns, strict=True)
        if readable(column, source)
    ]
    for column, source in looked:
        _by_shape(table, column, source, sample, found)
    _numbers(table, columns, sample, found)
    found.coverage.append(Coverage("shapes", table.rows, table.rows))
    if looker is not None:
        _by_guard(table, looked, sample, looker, found)
    for column in columns:
        _settle(column)
    return found


def _by_words(column: ColumnProfile) -> None:
    known = words()
    named = known.by_name(column.name)[:1] if column.role != "empty" else []
    filled = column.rows - column.nulls
    for category in named:
        if category in _NAMES_ONLY_FOR_TEXT and not column.type.startswith(("VARCHAR", "ENUM")):
            continue
        if category in {"PASSWORD", "SECRET"} and (column.role == "category" or column.type != "VARCHAR"):
            continue
        kind = _kind(category)
        if kind is not None:
            column.sightings.append(Sighting(category, kind, "name", filled, 0, 0.6))
    if column.role in {"category", "text", "boolean"} and column.top and column.type == "VARCHAR":
        valued = known.by_values([value for value, _ in column.top])
        if valued is not None:
            kind = _kind(valued[0])
            if kind is not None:
                column.sightings.append(
                    Sighting(valued[0], kind, "values", filled, filled, round(valued[1], 3))
                )


def _kind(category: str) -> Kind | None:
    if category in {"SEX", "PLACE", "AGE"}:
        return "quasi-identifier"
    if category == "CRIMINAL_RECORD":
        return "special"
    return kind_of(category)


def _by_shape(table: Table, column: ColumnProfile, source: Field, sample: str, found: Classified) -> None:
    """Count the shapes: those frequent in the sample by the sample, all others by one pass over the column."""
    engine, limit = table.engine, table.engine.policy.limits.text
    text = text_of(source, limit)
    counts = engine.row(
        "SELECT count(v), "
        + ", ".join(f"count_if(regexp_matches(v, {literal(shape.pattern)}))" for shape in SHAPES)
        + f" FROM (SELECT {text} AS v FROM {sample})"
    )
    in_sample, hits = int(counts[0]), counts[1:]
    whole = in_sample >= column.rows - column.nulls
    rare: list[Shape] = []
    for shape, count in zip(SHAPES, hits, strict=True):
        if whole or count > 0.05 * in_sample:
            if count:
                _confirm(table, column, source, shape, sample, int(count), in_sample, found)
        else:
            rare.append(shape)
    if rare:
        _by_rare_shape(table, column, source, rare, found)


def _confirm(
    table: Table,
    column: ColumnProfile,
    source: Field,
    shape: Shape,
    relation: str,
    count: int,
    looked: int,
    found: Classified,
) -> None:
    """Check the matches' check digits on some of them, and write the sighting."""
    text = text_of(source, table.engine.policy.limits.text)
    matches = table.engine.rows(
        f"SELECT {quoted(ROW)}, regexp_extract({text}, {literal(shape.pattern)}) FROM {relation} "
        f"WHERE regexp_matches({text}, {literal(shape.pattern)}) ORDER BY hash({quoted(ROW)}) LIMIT {_MATCHES}"
    )
    good = [int(row) for row, match in matches if shape.check(str(match))]
    if not good:
        return
    share = len(good) / len(matches)
    if shape.category == "CREDIT_CARD" and share < 0.3:
        return  # a tenth of all numbers pass the check: these are numbers
    filled = column.rows - column.nulls
    rows = round(count * share * (filled / looked if looked else 1))
    kind = kind_of(shape.category)
    if kind is not None:
        column.sightings.append(
            Sighting(shape.category, kind, "shape", max(1, rows), looked, round(0.5 + share / 2, 3))
        )
        found.rows[column.name, shape.category].extend(sorted(good)[:200])


def _by_rare_shape(
    table: Table, column: ColumnProfile, source: Field, shapes: list[Shape], found: Classified
) -> None:
    engine = table.engine
    text = text_of(source, engine.policy.limits.text)
    pattern = "|".join(f"(?:{shape.pattern})" for shape in shapes)
    relation = f"matched_{table.columns.index(source)}"
    engine.run(
        f"CREATE TABLE {relation} AS SELECT {quoted(ROW)}, {source.sql} FROM {table.relation} "
        f"WHERE regexp_matches({text}, {literal(pattern)})"
    )
    (any_count,) = engine.row(f"SELECT count(*) FROM {relation}")
    if any_count:
        for shape in shapes:
            (count,) = engine.row(
                f"SELECT count(*) FROM {relation} WHERE regexp_matches({text}, {literal(shape.pattern)})"
            )
            if count:
                filled = column.rows - column.nulls
                _confirm(table, column, source, shape, relation, int(count), filled, found)
    engine.run(f"DROP TABLE {relation}")


def _numbers(table: Table, columns: Sequence[ColumnProfile], sample: str, found: Classified) -> None:
    """Cards that lie in a column of whole numbers."""
    for column, source in zip(columns, table.columns, strict=True):
        if not source.is_whole or not isinstance(column.maximum, float) or not 1e12 <= column.maximum < 1e19:
            continue
        values = table.engine.rows(
            f"SELECT {quoted(ROW)}, {source.sql}::VARCHAR FROM {sample} WHERE {source.sql} IS NOT NULL "
            f"ORDER BY hash({quoted(ROW)}) LIMIT {_MATCHES}"
        )
        good = [int(row) for row, value in values if is_card(str(value))]
        if values and len(good) >= 0.5 * len(values):
            filled = column.rows - column.nulls
            share = len(good) / len(values)
            column.sightings.append(
                Sighting(
                    "CREDIT_CARD", "personal", "shape", round(filled * share), len(values), round(share, 3)
                )
            )
            found.rows[column.name, "CREDIT_CARD"].extend(sorted(good))


def _by_guard(
    table: Table,
    looked: list[tuple[ColumnProfile, Field]],
    sample: str,
    looker: TextLooker,
    found: Classified,
) -> None:
    """Let the guard read, columns of free text first; each gets its share of the time that is left."""
    limits = table.engine.policy.limits
    order = {"text": 0, "conversation": 0, "nested": 1, "category": 2, "identifier": 3, "constant": 4}
    waiting = sorted(looked, key=lambda pair: order.get(pair[0].role, 5))
    left = limits.guard_seconds
    for index, (column, source) in enumerate(waiting):
        began = time.monotonic()
        share = left / (len(waiting) - index) * (3 if column.role in {"text", "nested"} else 1)
        _guard_column(table, column, source, sample, looker, found, min(left, share))
        left = max(0.0, left - (time.monotonic() - began))


def _guard_column(
    table: Table,
    column: ColumnProfile,
    source: Field,
    sample: str,
    looker: TextLooker,
    found: Classified,
    seconds: float,
) -> None:
    limits = table.engine.policy.limits
    text = text_of(source, limits.text)
    # Values, not rows: a category that repeats is read once, and counts for all its rows.
    values = table.engine.rows(
        f"SELECT v, count(*), min(r) FROM (SELECT {text} AS v, {quoted(ROW)} AS r FROM {sample}) "
        f"WHERE v IS NOT NULL AND v <> '' GROUP BY v ORDER BY hash(v) LIMIT {limits.guard_values}"
    )
    deadline = time.monotonic() + seconds
    hits: Counter[str] = Counter()
    best: dict[str, float] = {}
    values_hit: Counter[str] = Counter()
    read = rows_read = 0
    for start in range(0, len(values), _FIRST):
        batch = values[start : start + _FIRST]
        for index, seen in look_at_many(looker, [str(value) for value, _, _ in batch]):
            _, count, row = batch[index]
            for category in {category for category, score, *_ in seen if score >= 0.5}:
                hits[category] += int(count)
                values_hit[category] += 1
                found.rows[column.name, category].append(int(row))
            for category, score, *_ in seen:
                best[category] = max(score, best.get(category, 0.0))
            read += 1
            rows_read += int(count)
        frequent = hits and min(hits.values()) >= 20
        if frequent or time.monotonic() > deadline:
            break
    filled = column.rows - column.nulls
    for category, count in sorted(hits.items()):
        kind = kind_of(category)
        # One value among many is as likely the detector's mistake as a person, unless it is sure.
        alone = values_hit[category] == 1 and read > 50 and best[category] < 0.9
        if kind is not None and not (alone and kind in {"personal", "special"}):
            estimated = round(count * filled / max(1, rows_read))
            column.sightings.append(
                Sighting(
                    category,
                    kind,
                    "guard",
                    max(1, min(filled, estimated)),
                    rows_read,
                    round(best[category], 3),
                )
            )
    complete = rows_read >= filled or (column.role in {"category", "constant"} and read >= column.distinct)
    if not complete:
        found.coverage.append(
            Coverage(
                f"guard:{column.name}",
                rows_read,
                filled,
                why="the guard reads a sample of each column",
            )
        )


def _settle(column: ColumnProfile) -> None:
    """Of one category, one sighting: the surest look's. A name alone does not stand against values that were read."""
    rank = {"guard": 3, "shape": 2, "values": 2, "name": 1}
    best: dict[str, Sighting] = {}
    for sighting in column.sightings:
        known = best.get(sighting.category)
        if known is None or (rank[sighting.by], sighting.rows) > (rank[known.by], known.rows):
            best[sighting.category] = sighting
    filled = max(1, column.rows - column.nulls)
    kept = []
    for sighting in best.values():
        share = sighting.rows / filled
        # One value in a list of colours that looks like a name is no name; among random codes a few look like anything.
        listed = (
            sighting.by == "guard" and sighting.kind in {"personal", "special"} and column.role == "category"
        )
        coded = (
            column.role == "identifier"
            and sighting.by != "name"
            and sighting.kind == "personal"
            and sighting.category not in {"EMAIL_ADDRESS", "IBAN_CODE"}
        )
        if (listed and share < 0.2) or (coded and share < 0.05):
            continue
        kept.append(sighting)
    column.sightings = sorted(kept, key=lambda one: (-one.rows, one.category))
    if any(one.kind in {"personal", "secret"} for one in column.sightings):
        column.top = ()
