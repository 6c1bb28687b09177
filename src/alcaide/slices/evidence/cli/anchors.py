"""Where checkpoints are left outside, and for whom this is the outside."""

from __future__ import annotations

from pathlib import Path

from alcaide.slices.evidence.cli.base import (
    Data,
    Format,
    anchors_app,
    say,
    say_json,
)


@anchors_app.command(name="list")
def anchors_list(*, format: Format = "table", data: Data = None) -> int:
    """List where checkpoints are left, and how that stands; exits 1 if one contradicts the log, 2 if one is behind."""
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.evidence import queries

    with open_for_cli(data) as instance, instance.read() as conn:
        states = queries.anchor_states(conn, instance, instance.clock())
        logs = queries.known_logs(conn)
    if format == "json":
        say_json(
            {
                "anchors": [
                    {
                        "name": s.anchor.name,
                        "kind": s.anchor.kind,
                        "target": s.anchor.target,
                        "outcome": s.outcome,
                        "reason": s.reason,
                        "last_size": s.anchor.last_size,
                    }
                    for s in states
                ],
                "known_logs": [{"origin": log.origin, "size": log.size} for log in logs],
            }
        )
    else:
        for s in states:
            say(
                f"{s.outcome:<8} {s.anchor.name} ({s.anchor.kind} {s.anchor.target}): size {s.anchor.last_size}"
            )
            if s.reason:
                say(f"         {s.reason}")
        for log in logs:
            say(f"witness of {log.origin}, size {log.size}")
        if not states:
            say("nothing is left outside; add a file with `alcaide evidence anchors add-file NAME PATH`")
    said = {s.outcome for s in states}
    return 1 if "failed" in said else 2 if "unknown" in said else 0


@anchors_app.command(name="add-file")
def anchors_add_file(name: str, path: Path, *, data: Data = None) -> int:
    """Leave checkpoints in a file, best on another machine's disk; lines are only ever added to it."""
    return _add_anchor(name, "file", str(path.absolute()), "", data)


@anchors_app.command(name="add-witness")
def anchors_add_witness(name: str, url: str, vkey: str, *, data: Data = None) -> int:
    """Have checkpoints cosigned by a witness (C2SP tlog-witness), such as a second Alcaide."""
    return _add_anchor(name, "witness", url, vkey, data)


def _add_anchor(name: str, kind: str, target: str, vkey: str, data: Path | None) -> int:
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        service.add_anchor(instance, cli_actor(), name, kind=kind, target=target, vkey=vkey)
    say(f"checkpoints are left at {target} from now on, every quarter of an hour while Alcaide runs")
    return 0


@anchors_app.command(name="remove")
def anchors_remove(name: str, *, data: Data = None) -> int:
    """Leave no more checkpoints there. What lies there stays."""
    from alcaide.kernel.errors import NotFound
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import queries, service

    with open_for_cli(data) as instance:
        with instance.read() as conn:
            found = next((a for a in queries.anchors(conn) if a.name == name), None)
        if found is None:
            raise NotFound(f"there is no anchor named `{name[:100]}`; see `alcaide evidence anchors list`")
        service.remove_anchor(instance, cli_actor(), found.id)
    say(f"nothing is left at {found.target} any more")
    return 0


@anchors_app.command(name="now")
def anchors_now(*, data: Data = None) -> int:
    """Leave the newest checkpoint at every anchor now; exits 1 if one of them did not take it."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import service

    with open_for_cli(data) as instance:
        done = service.anchor_now(instance, cli_actor(), force=True)
    for name, problem in done:
        say(f"{name}: {problem or 'left'}")
    if not done:
        say("there is no anchor; add one with `alcaide evidence anchors add-file NAME PATH`")
    return 1 if any(problem for _, problem in done) else 0


@anchors_app.command(name="witness-for")
def anchors_witness_for(vkey: str, *, data: Data = None) -> int:
    """Be the witness of another log, named by its verifier key."""
    from alcaide.kernel.instance import cli_actor, open_for_cli
    from alcaide.slices.evidence import queries, service

    with open_for_cli(data) as instance:
        origin = service.add_known_log(instance, cli_actor(), vkey)
        with instance.read() as conn:
            own = queries.witness_key(instance, instance.ledger.checkpoint(conn).keyid).to_text()
        url = f"{instance.config.url}/api/v1/evidence/witness"
    say(f"checkpoints of {origin} are cosigned here from now on. Tell its keeper:")
    say(f"  alcaide evidence anchors add-witness NAME {url} '{own}'")
    return 0
