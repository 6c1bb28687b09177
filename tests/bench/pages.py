"""Pages and API over a large register: server time, the whole application, one request after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from alcaide.app.slices import manifests
from alcaide.app.web import create_app
from alcaide.kernel.access import Actor
from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.config import Config
from alcaide.kernel.db.migrate import head_revision
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.ledger.log import Tx
from alcaide.slices.inventory.rules.validate import component_fields, system_fields, version_fields
from alcaide.slices.inventory.service import register_component, register_system
from alcaide.slices.inventory.service.parts import link_components
from alcaide.slices.inventory.service.work import Saying, record_registered
from tests.bench.report import Figure

PER_SYSTEM = 10
BOUND_MS = 150.0
REQUESTS = 120
WARM_UP = 8
KINDS = (
    "model",
    "dataset",
    "prompt",
    "agent",
    "tool",
    "tool-server",
    "vector-store",
    "service",
    "guardrail",
    "model",
)
UNITS = ("Lending", "Claims", "Support", "Logistics", "People", "Research")
WORDS = ("scoring", "triage", "summaries", "routing", "search", "forecast", "moderation", "extraction")


def seeded(cache: Path, systems: int, say: Callable[[str], None]) -> Instance:
    """An instance with a register of `systems` systems of ten components each, built once."""
    folder = cache / f"register-{systems}-{head_revision()}"  # one of an older form is of no use
    instance = open_instance(
        Config(data=folder, origin="bench.test/register"), manifests=manifests(), migrate=False
    )
    mark = folder / "seeded"
    done = int(mark.read_text()) if mark.exists() else 0
    actor, started, first = system_actor("bench", "Bench"), time.perf_counter(), done
    while done < systems:
        many = min(50, systems - done)
        instance.write(lambda tx, done=done, many=many: _systems(tx, actor, range(done, done + many)))
        done += many
        mark.write_text(str(done))
        if done % 1_000 < many:
            rate = (done - first) * (PER_SYSTEM + 1) / (time.perf_counter() - started)
            say(f"  seeding the register: {done:,} of {systems:,} systems, {rate:,.0f} entries/s")
    return instance


def _systems(tx: Tx, actor: Actor, numbers: range) -> None:
    for number in numbers:
        chance = random.Random(number)
        name = f"system-{number:05}"
        word = chance.choice(WORDS)
        system = system_fields(
            {
                "name": name,
                "title": f"{word.title()} {number}",
                "purpose": f"Does {word} for case number {number}, so that people decide sooner.",
                "owner": f"Owner {number % 300}",
                "unit": chance.choice(UNITS),
                "status": chance.choice(["proposed", "active", "active", "suspended"]),
                "exposure": chance.choice(["internal", "partners", "public"]),
                "tags": [word],
            }
        )
        detail = register_system(tx, system, actor=actor, announce=False)
        versions = [
            register_component(
                tx,
                component_fields({"kind": kind, "name": f"{word}-{kind}-{number}-{place}"}),
                version_fields({"version": "1", "digest": f"{number * 16 + place:064x}"}),
                actor=actor,
            )
            for place, kind in enumerate(KINDS)
        ]
        link_components(tx, detail, versions)
        record_registered(tx, name, Saying(actor=actor))


def pages(cache: Path, systems: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """p95 of list, search, detail and graph, for people and for programs."""
    from starlette.testclient import TestClient

    instance = seeded(cache, systems, say)
    app = create_app(instance)
    actor = Actor("user", "u-bench", "Bench", frozenset({"admin"}))
    app.state.identify = lambda _request: actor
    chance = random.Random(11)

    def some() -> str:
        return f"system-{chance.randrange(systems):05}"

    questions: tuple[tuple[str, Callable[[], str]], ...] = (
        ("first screen", lambda: "/"),
        ("list, page", lambda: "/inventory"),
        (
            "list, API",
            lambda: f"/api/v1/inventory/systems?limit=50&status={chance.choice(['active', 'proposed'])}",
        ),
        ("search, page", lambda: f"/inventory?q={chance.choice(WORDS)}+{chance.randrange(systems)}"),
        ("search, API", lambda: f"/api/v1/inventory/systems?q={chance.choice(WORDS)}"),
        ("components, page", lambda: "/inventory/components"),
        ("detail, page", lambda: f"/inventory/systems/{some()}"),
        ("detail, API", lambda: f"/api/v1/inventory/systems/{some()}"),
        ("history, page", lambda: f"/inventory/systems/{some()}/history"),
        ("graph, page", lambda: f"/inventory/systems/{some()}/graph"),
    )
    client = TestClient(app, base_url="http://127.0.0.1:8808")
    try:
        for name, address in questions:
            times, busy = [], []
            for turn in range(WARM_UP + REQUESTS):
                where = address()
                started, began = time.perf_counter(), time.process_time()
                response = client.get(where)
                took, worked = (time.perf_counter() - started) * 1000, (time.process_time() - began) * 1000
                if response.status_code != 200:
                    raise SystemExit(f"{where} answered {response.status_code}")
                if turn >= WARM_UP:
                    times.append(took)
                    busy.append(worked)
            times.sort()
            busy.sort()
            note = f"p50 {times[len(times) // 2]:.0f} ms, processor {busy[len(busy) // 2]:.0f} ms"
            p95 = times[int(len(times) * 0.95)]
            yield Figure(f"{systems:,} systems: {name}", p95, "ms p95", BOUND_MS, "most", note)
    finally:
        instance.close()
