"""`alcaide scan watch`: the places whose models are scanned when they appear or change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from alcaide.kernel.errors import NotFound
from alcaide.slices.supply_chain.model import SOURCES, SourceKind, Watch

app = App(name="watch", help="Say which places are watched: what appears or changes there is scanned.")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]


@app.command(name="list")
def list_watches(
    *, format: Annotated[Literal["table", "json"], Parameter(name="--format")] = "table", data: Data = None
) -> None:
    """List them, with what was wrong at the last look."""
    found = _watches(data)
    if format == "json":
        shown = [
            {
                "id": one.id,
                "name": one.name,
                "kind": one.kind,
                "path": one.path,
                "every_minutes": one.every_minutes,
                "last_at": one.last_at.isoformat() if one.last_at else None,
                "problem": one.problem,
                "entries": one.entries,
            }
            for one in found
        ]
        _say(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for one in found:
        looked = f"{one.entries:,} known" if one.last_at else "not looked into yet"
        _say(f"{one.name:<24}{SOURCES[one.kind]:<22}{one.path}  every {one.every_minutes} min, {looked}")
        if one.problem:
            _say(f"{'':<24}{one.problem}")
    if not found:
        _say("nothing is watched; add a place with `alcaide scan watch add NAME PLACE`")


@app.command(name="add")
def add(
    name: Annotated[str, Parameter(help="What it is called in lists.")],
    place: Annotated[str, Parameter(help="A folder, or the address of a listed store or server.")],
    *,
    kind: Annotated[SourceKind, Parameter(help="What lies there.")] = "folder",
    every_minutes: Annotated[int, Parameter(help="How often it is looked into.")] = 15,
    data: Data = None,
) -> None:
    """Watch a place from now on."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import service

    with open_for_cli(data) as instance:
        service.add_watch(instance, cli_actor(), name, place, kind=kind, every_minutes=every_minutes)
    _say(f"watching {place} as `{name}`")


@app.command(name="remove")
def remove(name: Annotated[str, Parameter(help="Its name, as in the list.")], *, data: Data = None) -> None:
    """Stop watching a place; its scans stay."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.supply_chain import queries, service

    with open_for_cli(data) as instance:
        with instance.read() as conn:
            known = [one for one in queries.watches(conn) if one.name == name]
        if not known:
            raise NotFound(f"nothing is watched as `{name[:100]}`; see `alcaide scan watch list`")
        service.remove_watch(instance, cli_actor(), known[0].id)
    _say(f"`{name}` is no longer watched")


def _watches(data: Path | None) -> list[Watch]:
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.supply_chain import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        return queries.watches(conn)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
