"""`alcaide gate`: what a pipeline gets to see and the code it exits with, on a folder and against a server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import installed
from tests.slices.lifecycle.builders import ADA, LEO, imported

from alcaide.app.cli import run
from alcaide.kernel.config import Config
from alcaide.kernel.db import Database, metadata
from alcaide.kernel.evidence import Subject
from alcaide.kernel.instance import Instance, open_instance
from alcaide.slices.lifecycle import service


@pytest.fixture(autouse=True)
def these_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slices as the other tests have them, and tables straight from their declarations."""
    monkeypatch.setattr("alcaide.app.slices.manifests", installed)
    monkeypatch.setattr("alcaide.kernel.instance.upgrade", _declare)


def _declare(database: Database) -> None:
    with database.transaction() as conn:
        metadata.create_all(conn)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one system in the register; its own clock is the real one."""
    monkeypatch.delenv("ALCAIDE_URL", raising=False)
    monkeypatch.delenv("ALCAIDE_TOKEN", raising=False)
    folder = tmp_path / "data"
    with opened(folder) as instance:
        from alcaide.slices.inventory import service as inventory
        from alcaide.slices.inventory.rules.validate import system_fields

        instance.write(
            lambda tx: inventory.register_system(
                tx,
                system_fields({"name": "loan-desk", "title": "Loan desk"}),
                actor=LEO,
                reason="new",
                via="t",
            )
        )
    return folder


def opened(folder: Path) -> Any:
    from contextlib import closing

    return closing(open_instance(Config(data=folder, origin="log.test/cli"), manifests=installed()))


def gate(data: Path, *words: str) -> int:
    return run(["gate", *words, "--data", str(data)])


def approve(data: Path, to: str) -> None:
    with opened(data) as instance:
        asked = service.request_move(instance, ADA, "loan-desk", to, "ready")
        assert asked.request is not None
        service.decide(instance, LEO, "loan-desk", asked.request.id, "approved")


def test_exit_codes_tell_passed_failed_unknown_and_error_apart(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(data, "check", "loan-desk", "--to", "data") == 2
    assert gate(data, "check", "no-such", "--to", "data") == 3
    assert gate(data, "check", "loan-desk", "--to", "moon") == 3
    approve(data, "data")
    assert gate(data, "check", "loan-desk", "--to", "data") == 0
    with opened(data) as instance:
        imported(instance, "sarif", Subject("system:loan-desk", {"sha256": "a" * 64}), outcome="failed")
    assert gate(data, "check", "loan-desk", "--to", "deployment") == 1
    told = capsys.readouterr()
    assert "system:loan-desk → data: passed" in told.out
    assert "there is no system `no-such` in the register" in told.err
    assert "Traceback" not in told.out + told.err


def test_json_is_what_the_api_says(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(data, "check", "loan-desk", "--to", "data", "--format", "json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["outcome"] == "unknown"
    assert found["requirements"][0]["outcome"] == "passed"


def test_a_move_is_asked_for_and_withdrawn_from_the_console(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(data, "request", "loan-desk", "--to", "data", "--reason", "ready") == 0
    assert "asked for by" in capsys.readouterr().out
    assert gate(data, "approve", "loan-desk", "--to", "data") == 3
    assert "lifecycle-approver-is-not-requester" in capsys.readouterr().err
    assert gate(data, "withdraw", "loan-desk", "--to", "data", "--reason", "early") == 0
    assert gate(data, "withdraw", "loan-desk", "--to", "data", "--reason", "early") == 3
    assert "nobody has asked for this move" in capsys.readouterr().err
    assert gate(data, "settle", "loan-desk", "--to", "data") == 2
    assert gate(data, "back", "loan-desk", "--to", "retired", "--reason", "old") == 0


def test_a_summary_is_written_to_a_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "vsa.json"
    assert gate(data, "vsa", "loan-desk", "--to", "data", "-o", str(target)) == 3
    assert "there is no summary of a gate that is not passed" in capsys.readouterr().err
    approve(data, "data")
    assert gate(data, "vsa", "loan-desk", "--to", "data", "-o", str(target)) == 0
    assert json.loads(target.read_text())["payloadType"] == "application/vnd.in-toto+json"
    assert gate(data, "vsa", "loan-desk", "--to", "data", "-o", str(tmp_path / "no" / "x")) == 3


def test_gate_files_are_checked_before_they_are_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(
        "gates:\n  - {id: g, title: G, from: [design], to: data, approvals: [{role: approver}],\n"
        "     requirements: [{id: r, title: R, evidence: attested}]}\n"
    )
    bad.write_text("gates:\n  - id: G G\n")
    assert run(["gate", "lint", str(good)]) == 0
    assert "good.yaml: 1 gate, g (design → data)" in capsys.readouterr().out
    assert run(["gate", "lint", str(good), str(bad)]) == 1
    assert "bad.yaml:2: `gates[0].id` `G G` does not fit" in capsys.readouterr().out
    assert run(["gate", "lint", str(tmp_path / "none.yaml")]) == 3
    assert run(["gate", "lint"]) == 3


def test_the_gates_in_force_are_listed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(data, "list") == 0
    assert "to-deployment" in capsys.readouterr().out
    (data / "policies" / "gates").mkdir(parents=True)
    (data / "policies" / "gates" / "x.yaml").write_text("gates: 3")
    assert gate(data, "list", "--format", "json") == 1
    assert json.loads(capsys.readouterr().out)["problems"]
    assert gate(data, "check", "loan-desk", "--to", "data") == 3
    assert "x.yaml:1" in capsys.readouterr().err


# ── against a server ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(instance: Instance, app: Any) -> Iterator[str]:
    """The whole application on a loopback port."""
    import uvicorn

    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def token_for(instance: Instance) -> Callable[..., str]:
    """A real token of a real account with these roles."""
    from alcaide.kernel.access.actor import system_actor
    from alcaide.slices.access import service as access

    console = system_actor("cli:test", "test")

    def make(name: str, *roles: str) -> str:
        user = access.create_user(
            instance, console, email=f"{name}@example.org", name=name.title(), roles=roles, kind="service"
        )
        return access.create_token(instance, console, user_id=user.id, name="ci", scopes=["lifecycle.*"]).text

    return make


@pytest.mark.enable_socket
def test_a_pipeline_asks_a_server(
    server: str, instance: Instance, token_for: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    from alcaide.slices.inventory import service as inventory
    from alcaide.slices.inventory.rules.validate import system_fields

    instance.write(
        lambda tx: inventory.register_system(
            tx, system_fields({"name": "loan-desk", "title": "Loan desk"}), actor=LEO, reason="new", via="t"
        )
    )
    engineer, lead = token_for("ada", "ml-engineer"), token_for("leo", "security-lead")
    monkeypatch.setenv("ALCAIDE_URL", server)
    monkeypatch.delenv("ALCAIDE_TOKEN", raising=False)
    assert run(["gate", "check", "loan-desk", "--to", "data"]) == 3
    assert "ALCAIDE_TOKEN is not" in capsys.readouterr().err

    monkeypatch.setenv("ALCAIDE_TOKEN", engineer)
    assert run(["gate", "check", "loan-desk", "--to", "data"]) == 2
    assert run(["gate", "check", "none", "--to", "data"]) == 3
    assert run(["gate", "request", "loan-desk", "--to", "data", "--reason", "ready"]) == 0
    assert run(["gate", "approve", "loan-desk", "--to", "data"]) == 3
    assert "next: " in capsys.readouterr().err
    monkeypatch.setenv("ALCAIDE_TOKEN", lead)
    assert run(["gate", "reject", "loan-desk", "--to", "data", "--reason", "which purpose?"]) == 0
    assert run(["gate", "check", "loan-desk", "--to", "data"]) == 1
    assert run(["gate", "approve", "loan-desk", "--to", "data", "--reason", "seen"]) == 0
    assert run(["gate", "check", "loan-desk", "--to", "data", "--format", "json"]) == 0
    assert run(["gate", "vsa", "loan-desk", "--to", "data", "-o", str(tmp_path / "vsa.json")]) == 0
    assert run(["gate", "list"]) == 0
    assert run(["gate", "revoke", "loan-desk", "--to", "data", "--reason", "on reflection"]) == 0
    assert run(["gate", "check", "loan-desk", "--to", "data"]) == 1

    monkeypatch.setenv("ALCAIDE_TOKEN", "alc_wrong")
    assert run(["gate", "check", "loan-desk", "--to", "data"]) == 3
    assert "sign in" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_an_error_and_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ALCAIDE_TOKEN", "alc_x")
    for url in ("http://127.0.0.1:9", "ftp://127.0.0.1"):
        monkeypatch.setenv("ALCAIDE_URL", url)
        assert run(["gate", "check", "loan-desk", "--to", "data"]) == 3
        assert "ALCAIDE_URL" in capsys.readouterr().err
