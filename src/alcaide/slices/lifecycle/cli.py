"""`alcaide gate`: what a pipeline asks, and what people ask, decide and export without a browser.

Every command works on the local data folder, or, with ALCAIDE_URL and ALCAIDE_TOKEN set, on a server through
its API. Approving locally needs a seat like everywhere else: whoever holds the files is an administrator, and
no gate that ships asks for one, so approvals are given with a person's token.

Exit codes: 0 passed, 1 failed, 2 unknown, 3 the question could not be answered.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn
from urllib.parse import quote

from cyclopts import App, Parameter

from alcaide.kernel.errors import (
    AlcaideError,
    ConfigError,
    Conflict,
    Corrupt,
    InvalidInput,
    NotAllowed,
    NotFound,
    SignInNeeded,
    Unavailable,
)

app = App(name="gate", help="May this version move on, and who approved?")

Data = Annotated[Path | None, Parameter(name="--data", help="The data folder.", env_var="ALCAIDE_DATA")]
Format = Annotated[Literal["table", "json"], Parameter(name="--format", help="How to print.")]
To = Annotated[str, Parameter(name="--to", help="The stage to move to.")]
ToOrNext = Annotated[
    str | None, Parameter(name="--to", help="The stage to move to; the next one if left out.")
]
Reason = Annotated[str, Parameter(name="--reason", help="Why, in your words; kept in the evidence.")]

EXIT_CODES = {"passed": 0, "failed": 1, "unknown": 2}
TIMEOUT_SECONDS = 30.0
MAX_ANSWER = 32 * 2**20


@app.command(name="check")
def check(system: str, *, to: ToOrNext = None, format: Format = "table", data: Data = None) -> int:
    """Say whether a system may move on: exit code 0 passed, 1 failed, 2 unknown, 3 could not be answered."""
    standing = _standing(system, to, data)
    _show(standing, format)
    return EXIT_CODES[standing["outcome"]]


@app.command(name="request")
def request(system: str, *, to: To, reason: Reason, format: Format = "table", data: Data = None) -> int:
    """Ask for a system to move on."""
    if remote := _remote():
        standing = remote.post(f"systems/{quote(system)}/requests", {"to": to, "reason": reason})
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            standing = service.request_move(instance, cli_actor(), system, to, reason).as_json()
    _show(standing, format)
    return 0


@app.command(name="approve")
def approve(
    system: str,
    *,
    to: To,
    role: Annotated[
        str, Parameter(name="--role", help="The seat to take; the first free one if left out.")
    ] = "",
    reason: Annotated[str, Parameter(name="--reason", help="What you looked at.")] = "",
    format: Format = "table",
    data: Data = None,
) -> int:
    """Approve the open request for a move, for exactly what is there now."""
    return _decide(system, to, "approved", role, reason, format, data)


@app.command(name="reject")
def reject(
    system: str, *, to: To, reason: Reason, role: str = "", format: Format = "table", data: Data = None
) -> int:
    """Say no to the open request for a move. The latest word of a person counts."""
    return _decide(system, to, "rejected", role, reason, format, data)


@app.command(name="revoke")
def revoke(system: str, *, to: To, reason: Reason, format: Format = "table", data: Data = None) -> int:
    """Take your own approval back, also of a gate that was passed on it."""
    return _decide(system, to, "revoked", "", reason, format, data)


@app.command(name="withdraw")
def withdraw(system: str, *, to: To, reason: Reason, data: Data = None) -> int:
    """Withdraw the open request for a move."""
    request_id = _request_id(_standing(system, to, data), "request")
    if remote := _remote():
        remote.post(f"systems/{quote(system)}/requests/{quote(request_id)}/withdraw", {"reason": reason})
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            service.withdraw(instance, cli_actor(), system, request_id, reason)
    _say(f"the request to move {system} to {to} is withdrawn")
    return 0


@app.command(name="settle")
def settle(system: str, *, to: To, format: Format = "table", data: Data = None) -> int:
    """Record the move if everything is there now; exits like `check`."""
    if remote := _remote():
        standing = remote.post(f"systems/{quote(system)}/settle?to={quote(to)}", {})["standing"]
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            service.settle(instance, cli_actor(), system, to)
        standing = _standing(system, to, data)
    _show(standing, format)
    return EXIT_CODES[standing["outcome"]]


@app.command(name="waive")
def waive(
    system: str,
    requirement: str,
    *,
    to: To,
    until: Annotated[
        str, Parameter(name="--until", help="A day, a duration like 30d, or `now` to end a waiver.")
    ],
    reason: Reason,
    component: Annotated[
        str, Parameter(name="--component", help="Only for this component, at its digest.")
    ] = "",
    format: Format = "table",
    data: Data = None,
) -> int:
    """Let a requirement go unmet until a day."""
    if remote := _remote():
        said = {
            "to": to,
            "requirement": requirement,
            "until": until,
            "reason": reason,
            "component": component,
        }
        standing = remote.post(f"systems/{quote(system)}/waivers", said)
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            standing = service.waive(
                instance,
                cli_actor(),
                system,
                to,
                requirement,
                until=until,
                reason=reason,
                component=component,
            ).as_json()
    _show(standing, format)
    return 0


@app.command(name="back")
def back(system: str, *, to: To, reason: Reason, data: Data = None) -> int:
    """Return a system to an earlier stage, or retire it."""
    if remote := _remote():
        stage = remote.post(f"systems/{quote(system)}/move-back", {"to": to, "reason": reason})["stage"]
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            stage = service.move_back(instance, cli_actor(), system, to, reason).stage
    _say(f"{system} is at {stage} now")
    return 0


@app.command(name="vsa")
def vsa(
    system: str,
    *,
    to: To,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="A file; standard output if left out.")
    ] = None,
    data: Data = None,
) -> int:
    """Export the signed SLSA verification summary of a passed gate."""
    if remote := _remote():
        content = remote.get_bytes(f"systems/{quote(system)}/vsa?to={quote(to)}")
    else:
        from alcaide.kernel.instance import open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            content = service.verification_summary(instance, system, to).to_bytes()
    if output is None:
        _say(content.decode())
        return 0
    try:
        output.write_bytes(content)
    except OSError as problem:
        raise InvalidInput(f"`{output}` cannot be written: {problem.strerror}; choose another file") from None
    _say(f"wrote {output}")
    return 0


@app.command(name="lint")
def lint(*files: Path) -> int:
    """Check gate files before they are in force: exit code 0 if all can be used, 1 if not."""
    from alcaide.kernel.policy.source import PolicyInvalid
    from alcaide.slices.lifecycle import queries

    if not files:
        raise InvalidInput("name at least one gate file to check")
    bad = 0
    for path in files:
        try:
            gates = queries.read_gate_file(path)
        except PolicyInvalid as problem:
            bad += 1
            _say("\n".join(str(one) for one in problem.problems))
        else:
            listed = ", ".join(f"{g.id} ({' | '.join(g.from_stages)} → {g.to_stage})" for g in gates)
            _say(f"{path.name}: {len(gates)} {'gate' if len(gates) == 1 else 'gates'}, {listed}")
    return 1 if bad else 0


@app.command(name="list")
def list_gates(*, format: Format = "table", data: Data = None) -> int:
    """List the gates in force, and what is wrong with gate files if anything is."""
    if remote := _remote():
        found = remote.get("gates")
    else:
        from alcaide.kernel.instance import open_for_cli
        from alcaide.slices.lifecycle import queries

        with open_for_cli(data) as instance:
            gates = queries.gates_in_force(instance)
        found = {
            "items": [
                {
                    "id": gate.id,
                    "from": list(gate.from_stages),
                    "to": gate.to_stage,
                    "title": gate.title,
                    "origin": gate.origin,
                    "sha256": gate.digest,
                    "quorum": gate.quorum,
                    "approvals": [{"role": seat.role, "count": seat.count} for seat in gate.seats],
                }
                for gate in gates.gates
            ],
            "problems": [str(problem) for problem in gates.problems],
        }
    if format == "json":
        _say(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        rows = [
            (
                g["id"],
                ", ".join(g["from"]),
                g["to"],
                ", ".join(f"{a['count']} {a['role']}" for a in g["approvals"]),
                g["origin"],
            )
            for g in found["items"]
        ]
        _table(("gate", "from", "to", "approvals", "origin"), rows)
        for problem in found["problems"]:
            _complain(problem)
    return 1 if found["problems"] else 0


# ── local or remote
# ────────────────────────────────────────────────────────────────────────────────────────────────


def _standing(system: str, to: str | None, data: Path | None) -> dict[str, Any]:
    if remote := _remote():
        return remote.get(f"systems/{quote(system)}/check" + (f"?to={quote(to)}" if to else ""))
    from alcaide.kernel.instance import open_for_cli
    from alcaide.slices.lifecycle import queries

    try:
        with open_for_cli(data) as instance, instance.read() as conn:
            return queries.standing(instance, conn, system, to, now=instance.clock()).as_json()
    except Corrupt as problem:
        # Exit code 1 would say that the gate failed; it is the question that cannot be answered.
        raise ConfigError(str(problem)) from None


def _decide(
    system: str, to: str, word: Literal["approved", "rejected", "revoked"], role: str, reason: str, format: Format,
    data: Path | None,
) -> int:  # fmt: skip
    before = _standing(system, to, data)
    waiting = before["request"] or (before["passed"] if word == "revoked" else None)
    request_id = _request_id({"request": waiting}, "request")
    seen = "" if word == "revoked" else before["bound_sha256"]
    if remote := _remote():
        address = f"systems/{quote(system)}/requests/{quote(request_id)}"
        if word == "revoked":
            standing = remote.post(f"{address}/take-back", {"reason": reason})
        else:
            said = {"decision": word, "role": role, "reason": reason, "seen": seen}
            standing = remote.post(f"{address}/decisions", said)
    else:
        from alcaide.kernel.instance import cli_actor, open_for_cli
        from alcaide.slices.lifecycle import service

        with open_for_cli(data) as instance:
            standing = service.decide(
                instance, cli_actor(), system, request_id, word, role=role, reason=reason, seen=seen
            ).as_json()
    _show(standing, format)
    return 0


def _request_id(standing: dict[str, Any], key: str) -> str:
    found = standing[key]
    if not found:
        raise Conflict("nobody has asked for this move; begin with `alcaide gate request`")
    return str(found["id"])


def _remote() -> _Remote | None:
    url = os.environ.get("ALCAIDE_URL", "").rstrip("/")
    if not url:
        return None
    token = os.environ.get("ALCAIDE_TOKEN", "")
    if not token:
        raise SignInNeeded(
            "ALCAIDE_URL is set and ALCAIDE_TOKEN is not; make a token under Account, and set it"
        )
    if not url.startswith(("http://", "https://")):
        raise InvalidInput(f"ALCAIDE_URL is `{url[:80]}`; it starts with https:// or http://")
    return _Remote(url, token)


class _Remote:
    """The same questions, asked of a server."""

    def __init__(self, url: str, token: str) -> None:
        self._base = f"{url}/api/v1/lifecycle/"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def get(self, path: str) -> dict[str, Any]:
        return self._json(self._ask("GET", path, None))

    def get_bytes(self, path: str) -> bytes:
        return self._ask("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._json(self._ask("POST", path, body))

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        import httpx2

        try:
            with httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client:
                answer = client.request(method, self._base + path, headers=self._headers, json=body)
        except httpx2.HTTPError as problem:
            raise Unavailable(
                f"`{self._base}` does not answer: {str(problem)[:200] or type(problem).__name__}; check ALCAIDE_URL"
            ) from None
        content = answer.content
        if len(content) > MAX_ANSWER:
            raise Unavailable("the server's answer is too large to be one of Alcaide's; check ALCAIDE_URL")
        if not 200 <= answer.status_code < 300:
            _raise(answer.status_code, content)
        return content

    def _json(self, content: bytes) -> dict[str, Any]:
        if not content:
            return {}
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Unavailable("the server's answer is not Alcaide's; check ALCAIDE_URL")
        return found


def _raise(status: int, content: bytes) -> NoReturn:
    """The server's error as one of ours, its words kept."""
    try:
        told = json.loads(content)["error"]
        message = str(told["message"])[:2000]
    except (ValueError, KeyError, TypeError):
        raise Unavailable(
            f"the server answered {status} and nothing of Alcaide's; check ALCAIDE_URL"
        ) from None
    fields = told.get("fields") if isinstance(told.get("fields"), dict) else {}
    detail = "".join(f"\n  {name}: {value}" for name, value in (fields or {}).items())
    if told.get("next_step"):
        detail += f"\nnext: {told['next_step']}"
    kinds: dict[int, type[AlcaideError]] = {
        401: SignInNeeded, 403: NotAllowed, 404: NotFound, 409: Conflict, 400: InvalidInput, 422: InvalidInput
    }  # fmt: skip
    raise kinds.get(status, Unavailable)(message + detail)


# ── printing
# ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _show(standing: dict[str, Any], format: str) -> None:
    if format == "json":
        _say(json.dumps(standing, indent=2, ensure_ascii=False))
        return
    word = "waived" if standing["waived"] else standing["outcome"]
    _say(
        f"{standing['system']} → {standing['to']}: {word} (at {standing['stage']}, gate {standing['gate']['id']})"
    )
    rows = [
        (r["outcome"], r["id"], r["reason"] or r["title"], _leaves(r["stood_on"]))
        for r in standing["requirements"]
    ]
    approvals = standing["approvals"]
    seats = ", ".join(f"{len(s['taken_by'])}/{s['wanted']} {s['role']}" for s in approvals["seats"])
    by = ", ".join(w["by"]["name"] for w in approvals["words"] if w["state"] == "counts")
    said = approvals["reason"] or (f"by {by}" if by else seats)
    rows.append((approvals["outcome"], "approvals", said, _leaves(approvals["stood_on"])))
    _table(("outcome", "requirement", "why", "leaves"), rows)
    if standing["request"]:
        asked = standing["request"]
        _say(f"asked for by {asked['by']['name']} on {asked['at'][:10]}: {asked['reason']}")


def _leaves(leaves: Sequence[int]) -> str:
    shown = " ".join(f"#{leaf}" for leaf in leaves[:6])
    return shown + (f" +{len(leaves) - 6}" if len(leaves) > 6 else "")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns two spaces apart, the last but one free to be long: made for terminals and for `grep` alike."""
    widths = [
        max(len(head), *(len(row[i]) for row in rows)) if rows else len(head) for i, head in enumerate(heads)
    ]
    widths = [min(width, 100) for width in widths]
    for row in (heads, *rows):
        _say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")
