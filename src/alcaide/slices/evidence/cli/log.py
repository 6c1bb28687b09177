"""Leaves of the log, in a list and one by one."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.evidence.cli.base import (
    OUTCOME_CODES,
    Data,
    Format,
    app,
    say,
    say_json,
)


@app.command(name="list")
def list_(
    *,
    subject: Annotated[str, Parameter(name="--subject", help="A name or a SHA-256 digest.")] = "",
    type: Annotated[str, Parameter(name="--type", help="A kind, as `imported`, or a predicate type.")] = "",
    limit: Annotated[int, Parameter(name="--limit", help="At most this many.")] = 50,
    format: Format = "table",
    data: Data = None,
) -> int:
    """List leaves of the log, newest first."""
    from alcaide.kernel.clock import rfc3339
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries
    from alcaide.slices.evidence.model import LeafFilter

    if not 1 <= limit <= 10_000:
        raise InvalidInput(f"`{limit}` is no limit; choose 1 to 10000")
    kind = type if ":" in type or not type else f"urn:alcaide:{type}:v1"
    with open_for_cli(data) as instance, instance.read() as conn:
        narrow = LeafFilter(predicate_type=kind, subject=subject)
        page = queries.list_leaves(conn, instance, narrow, with_access=True, limit=limit)
    if format == "json":
        say_json(
            [
                {
                    "index": line.index,
                    "predicate_type": line.predicate_type,
                    "recorded_at": rfc3339(line.recorded_at),
                    "subjects": list(line.subjects),
                    "by": line.by,
                    "outcome": line.outcome,
                }
                for line in page.items
            ]
        )
        return 0
    for line in page.items:
        about = ", ".join(line.subjects) + (f" and {line.more_subjects} more" if line.more_subjects else "")
        say(f"{line.index:>8}  {line.recorded_at:%Y-%m-%d %H:%M}  {line.title:<22}  {about}  {line.outcome}")
    if not page.items:
        say("no leaf matches")
    return 0


@app.command(name="show")
def show(index: int, *, format: Format = "table", data: Data = None) -> int:
    """Show one leaf, and whether it holds; exits 1 if it does not."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        leaf = queries.leaf_detail(conn, instance, index, with_access=True)
    if format == "json":
        say_json(
            {
                "index": leaf.index,
                "outcome": leaf.outcome,
                "checks": [{"name": c.name, "outcome": c.outcome, "text": c.text} for c in leaf.checks],
                "statement": leaf.statement.to_json(),
                "envelope": dict(leaf.envelope),
            }
        )
    else:
        say(f"leaf {leaf.index}: {leaf.title}, recorded {leaf.recorded_at:%Y-%m-%d %H:%M:%S} UTC")
        for check in leaf.checks:
            say(f"  {check.outcome:<8} {check.name.lower()}: {check.text}")
        say(json.dumps(leaf.statement.to_json(), indent=2, ensure_ascii=False))
    return OUTCOME_CODES[leaf.outcome]
