"""Canonical JSON, DSSE and policy decisions: ours, the libraries below ours called bare, and others.

All of it is work of one core that waits for nothing, and is counted by processor time, ours and the peers' alike.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from alcaide.app.slices import manifests
from alcaide.kernel.access import Actor
from alcaide.kernel.config import Config
from alcaide.kernel.evidence import canonical, sign, verify
from alcaide.kernel.instance import open_instance
from alcaide.kernel.policy.cel import compile_condition
from tests.bench.ledger import a_statement
from tests.bench.peers import measured
from tests.bench.report import Figure
from tests.fuzz.keys import fuzz_signer

AT = "2026-06-01T12:00:00Z"
FLOATS = {"scores": [number / 7 for number in range(200)], "at": AT, "name": "suite"}
CONDITION = "predicate.runs.all(r, r.results.all(x, x.level != 'error')) && predicate.tool == 'scanner'"
REPORT = {
    "tool": "scanner",
    "runs": [{"results": [{"level": "note", "rule": f"R{n}"} for n in range(20)]}] * 2,
}


def formats(folder: Path, peers: Path | None, seconds: float) -> Iterator[Figure]:
    """Documents a second, each beside what others make of the same document."""
    import rfc8785

    statement = a_statement(7, AT)
    plain, floats = folder / "statement.json", folder / "floats.json"
    plain.write_bytes(statement.to_bytes())
    floats.write_bytes(canonical(FLOATS))
    ours: dict[str, float] = {}
    for kind, document in (("statement", statement.to_json()), ("floats", FLOATS)):
        ours[kind] = rate(lambda document=document: canonical(document), seconds)
        yield Figure(
            f"canonical JSON, ours: {kind}",
            ours[kind],
            "documents/s",
            note=f"{_size(document)} bytes, RFC 8785",
        )
        bare = rate(lambda document=document: rfc8785.dumps(document), seconds)
        yield Figure(
            f"rfc8785 {_version('rfc8785')}: {kind}", bare, "documents/s", note=_times(ours[kind], bare)
        )
    for figure in measured(peers, "canonical", seconds, plain, floats):
        yield figure.beside(ours[figure.what.rpartition(": ")[2]])

    signer, payload = fuzz_signer(), statement.to_bytes()
    ours["sign"] = rate(lambda: sign(payload, signer), seconds)
    yield Figure("DSSE, ours: sign", ours["sign"], "envelopes/s", note="Ed25519")
    envelope, keys = sign(payload, signer), {signer.keyid: _public(signer.public)}
    ours["verify"] = rate(lambda: verify(envelope, keys), seconds)
    yield Figure("DSSE, ours: verify", ours["verify"], "envelopes/s")
    for figure in measured(peers, "dsse", seconds, plain):
        yield figure.beside(ours[figure.what.rpartition(", ")[2]])


def policy(folder: Path, peers: Path | None, seconds: float) -> Iterator[Figure]:
    """Decisions a second: a condition over a predicate, and whether somebody may do something."""
    import cel

    document = folder / "predicate.json"
    document.write_text(json.dumps(REPORT))
    condition = compile_condition(CONDITION)
    subject: dict[str, Any] = {"name": "model:a@1", "digest": {}}
    about = {"type": "t", "signers": []}
    ours = rate(lambda: condition.holds(predicate=REPORT, subject=subject, statement=about), seconds)
    yield Figure("condition over a predicate, ours", ours, "answers/s", note="bounded and three-valued")
    program = cel.compile(CONDITION)
    bare = rate(lambda: program.execute({"predicate": REPORT}), seconds)
    name = f"common-expression-language {_version('common-expression-language')}"
    yield Figure(f"{name}: the same, called bare", bare, "answers/s", note=_times(ours, bare))
    for figure in measured(peers, "cel", seconds, CONDITION, document):
        yield figure.beside(ours)

    instance = open_instance(Config(data=folder / "data", origin="bench.test/log"), manifests=manifests())
    try:
        authorizer = instance.authorizer
        actor, resource = Actor("user", "u", "U", frozenset({"ml-engineer"})), {"kind": "", "id": ""}
        asked = rate(lambda: authorizer.decide_unremembered(actor, "inventory.view", resource), seconds)
        note = f"Cedar over {len(authorizer.rules)} policies, not remembered"
        yield Figure("may somebody see the register", asked, "decisions/s", note=note)
        kept = rate(lambda: authorizer.decide(actor, "inventory.view"), seconds)
        note = _times(kept, asked, "an answer not remembered")
        yield Figure("the same, asked again", kept, "decisions/s", note=note)
    finally:
        instance.close()


def rate(work: Callable[[], Any], seconds: float) -> float:
    """Calls a second of processor time: nothing here waits, so other work on the machine need not show in it."""
    count, started = 0, time.process_time()
    while (took := time.process_time() - started) < seconds:
        for _ in range(20):
            work()
        count += 20
    return count / took


def _times(ours: float, theirs: float, name: str = "it") -> str:
    return f"ours is {ours / theirs:.2g} × {name}" if theirs else ""


def _size(document: Any) -> int:
    return len(canonical(document))


def _public(raw: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw)


def _version(name: str) -> str:
    import importlib.metadata

    return importlib.metadata.version(name)
