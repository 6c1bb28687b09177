"""The peers' side, run with the peers' Python: `inside.py merkle|dsse|canonical|cel|register …`, a figure a line.

Each peer is set up as its documentation says, and where a setting makes it faster without costing durability
(SQLite's write-ahead log) it gets that too.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = ("scoring", "triage", "summaries", "routing", "search", "forecast", "moderation", "extraction")
BATCH = 500


def tell(what: str, value: float, unit: str, note: str = "") -> None:
    print(json.dumps({"what": what, "value": value, "unit": unit, "note": note}), flush=True)


def busy_rate(work: Callable[[], Any], seconds: float) -> float:
    """Calls a second of processor time, as the bench counts ours where nothing waits."""
    count, started = 0, time.process_time()
    while (took := time.process_time() - started) < seconds:
        for _ in range(20):
            work()
        count += 20
    return count / took


def rate(work: Callable[[], Any], seconds: float, each: int = 1) -> float:
    """Calls a second of the clock on the wall, where a disk is waited for."""
    count, started = 0, time.perf_counter()
    while (took := time.perf_counter() - started) < seconds:
        work()
        count += each
    return count / took


def named(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"


def merkle(folder: str, seconds: str, sample: str, leaves: str) -> None:
    """pymerkle's log on SQLite: unsigned, no index of subjects, no checkpoint signed."""
    from pymerkle import SqliteTree, verify_inclusion

    entry, name = Path(sample).read_bytes(), named("pymerkle")
    tree = SqliteTree(str(Path(folder) / "pymerkle.db"))
    tree.con.execute("PRAGMA journal_mode=WAL")
    tree.con.execute("PRAGMA synchronous=FULL")
    value = rate(lambda: tree.append_entries([entry] * BATCH), float(seconds), BATCH)
    tell(f"{name}: batches of {BATCH}", value, "entries/s", "the same bytes, unsigned and without an index")
    value = rate(lambda: tree.append_entry(entry), float(seconds))
    tell(f"{name}: one writer, waiting", value, "entries/s", "a commit each")
    while tree.get_size() < int(leaves):
        tree.append_entries([entry] * min(5_000, int(leaves) - tree.get_size()))
    size, chance, times = tree.get_size(), random.Random(7), []
    for _ in range(30):
        index = chance.randrange(1, size + 1)
        started = time.perf_counter()
        proof = tree.prove_inclusion(index, size)
        times.append((time.perf_counter() - started) * 1000)
        verify_inclusion(tree.get_leaf(index), tree.get_state(size), proof)
    times.sort()
    tell(
        f"{name}: inclusion proof at {size:,}", times[len(times) // 2], "ms p50", f"worst {times[-1]:.0f} ms"
    )


def dsse(seconds: str, payload: str) -> None:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner

    content, name = Path(payload).read_bytes(), named("securesystemslib")
    signer = CryptoSigner.generate_ed25519()

    def make() -> Envelope:
        envelope = Envelope(content, "application/vnd.in-toto+json", {})
        envelope.sign(signer)
        return envelope

    tell(f"{name}: DSSE, sign", busy_rate(make, float(seconds)), "envelopes/s")
    envelope = make()
    value = busy_rate(lambda: envelope.verify([signer.public_key], 1), float(seconds))
    tell(f"{name}: DSSE, verify", value, "envelopes/s")


def canonical(seconds: str, plain: str, floats: str) -> None:
    import canonicaljson
    import jcs

    for kind, path in (("statement", plain), ("floats", floats)):
        document = json.loads(Path(path).read_bytes())
        value = busy_rate(lambda document=document: jcs.canonicalize(document), float(seconds))
        tell(f"{named('jcs')}: {kind}", value, "documents/s", "RFC 8785")
        value = busy_rate(
            lambda document=document: canonicaljson.encode_canonical_json(document), float(seconds)
        )
        tell(
            f"{named('canonicaljson')}: {kind}",
            value,
            "documents/s",
            "Matrix's form: other floats and key order",
        )


def cel(seconds: str, expression: str, document: str) -> None:
    import celpy
    from celpy.adapter import json_to_cel

    environment = celpy.Environment()
    program = environment.program(environment.compile(expression))
    value = json.loads(Path(document).read_bytes())
    found = busy_rate(lambda: program.evaluate({"predicate": json_to_cel(value)}), float(seconds))
    tell(f"{named('cel-python')}: condition over a predicate", found, "answers/s")


def register(folder: str, models: str, requests: str) -> None:
    """MLflow's model registry with as many models as we have systems, and as many versions as we have components."""
    many, store = int(models), Path(folder) / f"mlflow-{models}"
    store.mkdir(parents=True, exist_ok=True)
    uri = f"sqlite:///{store / 'mlflow.db'}"
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(store / "artifacts"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "bench",
    }
    logging.disable(logging.WARNING)
    fill(uri, many, store / "filled")
    from mlflow.server import app

    client, chance, name = app.test_client(), random.Random(11), named("mlflow")
    base = "/api/2.0/mlflow/registered-models"
    questions: tuple[tuple[str, Callable[[], tuple[str, dict[str, str]]]], ...] = (
        ("list, API", lambda: (f"{base}/search", {"max_results": "50"})),
        (
            "search, API",
            lambda: (
                f"{base}/search",
                {"max_results": "50", "filter": f"name LIKE '%{chance.choice(WORDS)}%'"},
            ),
        ),
        ("detail, API", lambda: (f"{base}/get", {"name": model_name(chance.randrange(many))})),
    )
    for what, ask in questions:
        times, busy = [], []
        for turn in range(8 + int(requests)):
            path, query = ask()
            started, began = time.perf_counter(), time.process_time()
            answer = client.get(path, query_string=query)
            took, worked = (time.perf_counter() - started) * 1000, (time.process_time() - began) * 1000
            if answer.status_code != 200:
                raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:100]}")
            if turn >= 8:
                times.append(took)
                busy.append(worked)
        times.sort()
        busy.sort()
        size = f"{many:,} registered models, {many * 10:,} versions"
        note = f"p50 {times[len(times) // 2]:.0f} ms, processor {busy[len(busy) // 2]:.0f} ms; {size}"
        tell(f"{name} model registry: {what}", times[int(len(times) * 0.95)], "ms p95", note)


def model_name(number: int) -> str:
    return f"{WORDS[number % len(WORDS)]}-{number:05}"


def fill(uri: str, many: int, mark: Path) -> None:
    """Rows as the registry's own calls would write them, in bulk; kept between runs."""
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModel
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(uri)
    if mark.exists():
        return
    for first in range(0, many, 500):
        with store.ManagedSessionMaker() as session:
            for number in range(first, min(first + 500, many)):
                name = model_name(number)
                said = f"Does {name} for case number {number}, so that people decide sooner."
                session.add(
                    SqlRegisteredModel(
                        name=name, description=said, last_updated_time=1_780_000_000_000 + number
                    )
                )
                session.add_all(
                    SqlModelVersion(
                        name=name, version=version, description=said, source=f"s3://models/{name}/{version}"
                    )
                    for version in range(1, 11)
                )
    mark.touch()


if __name__ == "__main__":
    {"merkle": merkle, "dsse": dsse, "canonical": canonical, "cel": cel, "register": register}[sys.argv[1]](
        *sys.argv[2:]
    )
