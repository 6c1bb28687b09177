"""Checkpoints left outside: what they show when the log was cut short or rewritten, and what a witness refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_statement
from tests.conftest import installed

from alcaide.kernel.access.actor import system_actor
from alcaide.kernel.config import Config
from alcaide.kernel.errors import Conflict, InvalidInput
from alcaide.kernel.instance import Instance, open_instance
from alcaide.kernel.jobs.worker import Worker
from alcaide.slices.evidence import jobs, queries, service
from alcaide.slices.evidence.rules.anchors import STALE_AFTER, check_anchored, read_anchor_file
from alcaide.slices.evidence.rules.bundle import verify_bundle
from alcaide.slices.evidence.rules.witness import read_request
from alcaide.slices.evidence.service.anchoring import Answer

CONSOLE = system_actor("cli:keeper", "keeper")
ADDRESS = "http://witness.test/api/v1/evidence/witness"


def said(instance: Instance, times: int = 1, claim: str = "so it is") -> None:
    for _ in range(times):
        instance.write(lambda tx: tx.append(a_statement("model:a@1", claim=claim)))


def checkpoint(instance: Instance) -> Any:
    with instance.read() as conn:
        return instance.ledger.checkpoint(conn)


def vkey(instance: Instance) -> str:
    keyid = checkpoint(instance).keyid
    return instance.keys.public_keys()[keyid].note_key(instance.ledger.origin).to_text()


def witness_vkey(instance: Instance) -> str:
    return queries.witness_key(instance, checkpoint(instance).keyid).to_text()


@pytest.fixture
def witness(tmp_path: Path, clock: Any) -> Iterator[Instance]:
    """A second Alcaide, with its own log and keys."""
    config = Config(data=tmp_path / "witness", origin="log.test/witness")
    opened = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    yield opened
    opened.close()


@pytest.fixture
def post(witness: Instance) -> Any:
    """Reaches the witness's real HTTP endpoint."""
    from starlette.testclient import TestClient

    from alcaide.app.web import create_app

    client = TestClient(create_app(witness), base_url="http://127.0.0.1:8808")

    def ask(url: str, body: bytes) -> Answer:
        path = url.removeprefix("http://witness.test")
        answer = client.post(path, content=body, headers={"content-type": "text/plain"})
        return Answer(answer.status_code, answer.headers.get("content-type", ""), answer.content)

    return ask


@pytest.fixture
def paired(instance: Instance, witness: Instance) -> None:
    service.add_known_log(witness, CONSOLE, vkey(instance))
    service.add_anchor(
        instance, CONSOLE, "sister", kind="witness", target=ADDRESS, vkey=witness_vkey(witness)
    )


# -- a file -------------------------------------------------------------------------------------------


def test_checkpoints_are_added_to_a_file_and_the_log_holds_against_it(instance: Instance, tmp_path: Path):
    path = tmp_path / "outside.jsonl"
    service.add_anchor(instance, CONSOLE, "disk", kind="file", target=str(path))
    for _ in range(3):
        said(instance, 2)
        assert service.anchor_now(instance, CONSOLE) == [("disk", "")]

    findings = service.check_anchor_file(instance, path.read_bytes())

    assert [f.outcome for f in findings] == ["passed"] * 3


def test_a_quiet_log_is_not_anchored_again_and_again(instance: Instance, tmp_path: Path):
    service.add_anchor(instance, CONSOLE, "disk", kind="file", target=str(tmp_path / "a.jsonl"))
    said(instance)
    assert service.anchor_now(instance, CONSOLE) == [("disk", "")]
    size = checkpoint(instance).size

    assert service.anchor_now(instance, CONSOLE) == []
    assert checkpoint(instance).size == size


def test_a_log_whose_newest_leaves_are_gone_is_found_out_by_the_file(tmp_path: Path, clock: Any):
    """The log is put back to an older copy, as a keeper with something to hide would."""
    import shutil

    config = Config(data=tmp_path / "data", origin="log.test/cut")
    outside = tmp_path / "outside.jsonl"
    opened = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    service.add_anchor(opened, CONSOLE, "disk", kind="file", target=str(outside))
    said(opened)
    opened.close()
    shutil.copytree(config.data, tmp_path / "older")
    opened = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    said(opened, 5)
    service.anchor_now(opened, CONSOLE)
    opened.close()
    shutil.rmtree(config.data)
    shutil.copytree(tmp_path / "older", config.data)

    cut = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    findings = service.check_anchor_file(cut, outside.read_bytes())
    lines = len(outside.read_text().splitlines())
    refused = service.anchor_now(cut, CONSOLE, force=True)
    with cut.read() as conn:
        items = queries.attention(conn, cut, CONSOLE, clock())
    said(cut, 9, "another story")
    forked = service.check_anchor_file(cut, outside.read_bytes())
    cut.close()

    assert findings[-1].outcome == "failed"
    assert "are gone" in findings[-1].reason
    assert "contradicts this log" in refused[0][1]
    assert len(outside.read_text().splitlines()) == lines
    assert [item.level for item in items] == ["failed"]
    assert "rewritten" in forked[-1].reason


def test_a_browser_cannot_choose_what_file_is_written_to(instance: Instance, admin: Any, tmp_path: Path):
    with pytest.raises(InvalidInput, match="console"):
        service.add_anchor(instance, admin, "disk", kind="file", target=str(tmp_path / "x"))


def test_a_stale_anchor_needs_attention_and_a_fresh_one_does_not(
    instance: Instance, clock: Any, tmp_path: Path
):
    service.add_anchor(instance, CONSOLE, "disk", kind="file", target=str(tmp_path / "a.jsonl"))
    said(instance)
    service.anchor_now(instance, CONSOLE)

    def levels() -> list[str]:
        with instance.read() as conn:
            return [i.level for i in queries.attention(conn, instance, CONSOLE, clock())]

    assert levels() == []
    clock.advance(seconds=STALE_AFTER.total_seconds() + 60)
    assert levels() == [], "nothing new was said, so nothing is missing outside"
    said(instance)
    assert levels() == ["unknown"]


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b'{"note": 5}', b'{"x": 1}', b'{"note":"a","note":"b"}', b"{", b"[" * 90_000]
)
def test_what_is_no_anchor_file_is_refused(instance: Instance, data: bytes):
    try:
        findings = service.check_anchor_file(instance, data)
    except InvalidInput:
        return
    assert {f.outcome for f in findings} == {"unknown"}


def test_a_checkpoint_by_a_key_of_nobody_is_unknown(instance: Instance):
    note = checkpoint(instance).text
    findings = check_anchored([note], [], origin=instance.ledger.origin, size=1, root_at=lambda _: b"")

    assert findings[0].outcome == "unknown"
    assert read_anchor_file(note.encode()) == [note]


def test_the_job_anchors(instance: Instance, tmp_path: Path):
    service.add_anchor(instance, CONSOLE, "disk", kind="file", target=str(tmp_path / "a.jsonl"))
    instance.write(lambda tx: tx.enqueue("evidence.anchor", {}))

    Worker(instance, [*jobs.JOBS], clock=instance.clock).run_due()

    assert (tmp_path / "a.jsonl").is_file()


# -- a witness ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_second_alcaide_cosigns_what_continues_what_it_saw(
    instance: Instance, witness: Instance, paired: None, post: Any
):
    for _ in range(3):
        said(instance, 3)
        assert service.anchor_now(instance, CONSOLE, post=post) == [("sister", "")]

    with witness.read() as conn:
        seen = queries.find_known_log(conn, instance.ledger.origin)
    with instance.read() as conn:
        anchor = queries.anchors(conn)[0]
    assert seen is not None
    assert seen.size == anchor.last_size
    assert "log.test/witness/witness" in anchor.note


def test_a_bundle_carries_the_witness_s_cosignature_which_can_be_pinned_instead_of_the_log_s_key(
    instance: Instance, witness: Instance, paired: None, post: Any, tmp_path: Path
):
    from tests.slices.evidence.test_bundle import stand_alone

    said(instance, 3)

    data = service.export_bundle(instance, CONSOLE, ["model:a@1"], witnesses=True, post=post)[1]

    report = verify_bundle(data, [witness_vkey(witness)])
    assert [name for name, _ in report.witnesses] == ["log.test/witness/witness"]
    assert report.pinned
    (tmp_path / "b.zip").write_bytes(data)
    assert stand_alone(tmp_path / "b.zip", report.keys[0]).returncode == 0


def test_a_witness_that_does_not_answer_is_left_out_of_the_bundle(
    instance: Instance, witness: Instance, paired: None
):
    said(instance)

    def down(url: str, body: bytes) -> Answer:
        raise OSError("connection refused")

    data = service.export_bundle(instance, CONSOLE, ["model:a@1"], witnesses=True, post=down)[1]

    assert verify_bundle(data).witnesses == ()
    assert "could not be reached" in service.anchor_now(instance, CONSOLE, post=down)[0][1]


def test_a_witness_refuses_a_log_that_was_put_back(tmp_path: Path, witness: Instance, post: Any, clock: Any):
    import shutil

    config = Config(data=tmp_path / "data", origin="log.test/cut")
    opened = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    service.add_known_log(witness, CONSOLE, vkey(opened))
    service.add_anchor(opened, CONSOLE, "sister", kind="witness", target=ADDRESS, vkey=witness_vkey(witness))
    opened.close()
    shutil.copytree(config.data, tmp_path / "older")
    opened = open_instance(config, manifests=installed(), clock=clock, migrate=False)
    said(opened, 5)
    service.anchor_now(opened, CONSOLE, post=post)
    opened.close()
    shutil.rmtree(config.data)
    shutil.copytree(tmp_path / "older", config.data)
    cut = open_instance(config, manifests=installed(), clock=clock, migrate=False)

    shorter = service.anchor_now(cut, CONSOLE, force=True, post=post)
    said(cut, 20, "another story")
    forked = service.anchor_now(cut, CONSOLE, force=True, post=post)
    with cut.read() as conn:
        states = queries.anchor_states(conn, cut, clock())
    cut.close()

    assert "are gone" in shorter[0][1]
    assert "refused (422)" in forked[0][1]
    assert states[0].outcome == "failed"


def test_the_witness_answers_as_the_protocol_says(
    instance: Instance, witness: Instance, client_as: Any, post: Any
):
    """C2SP tlog-witness: 404, 403, 400, 409 with the known size, 422, 200; the dialogue of one log."""
    import base64

    url = f"{ADDRESS}/add-checkpoint"
    said(instance, 4)
    note = checkpoint(instance).text
    size = checkpoint(instance).size

    def ask(old: int, proof: list[bytes], text: str) -> Answer:
        lines = [f"old {old}", *(base64.b64encode(p).decode() for p in proof), "", text]
        return post(url, "\n".join(lines).encode())

    assert ask(0, [], note).status == 404
    service.add_known_log(witness, CONSOLE, vkey(instance))
    body, _, signature = note.rpartition("\n\n")
    assert ask(0, [], f"{body}\n\n{signature[:-8]}AAAA\n").status in (400, 403)
    assert ask(0, [], note.replace(f"\n{size}\n", f"\n{size + 1}\n")).status == 403
    assert ask(size + 1, [], note).status == 400
    stale = ask(2, [], note)
    assert (stale.status, stale.body) == (409, b"0\n")
    assert stale.content_type == "text/x.tlog.size"
    first = ask(0, [], note)
    assert first.status == 200
    assert first.body.decode().startswith("— log.test/witness/witness ")
    assert ask(size, [], note).status == 200
    said(instance)
    newer = checkpoint(instance).text
    assert ask(size, [b"\0" * 32], newer).status == 422
    with instance.read() as conn:
        proof = instance.ledger.consistency_proof(conn, size)
    assert ask(size, proof, newer).status == 200
    for garbage in (
        b"",
        b"old\n\n",
        b"old 01\n\nx",
        b"\xff",
        b"old 0\nAAAA\n\n" + newer.encode(),
        b"x" * 70_000,
    ):
        assert post(url, garbage).status in (400, 413)


def test_a_log_is_not_its_own_witness(instance: Instance):
    with pytest.raises(InvalidInput, match="its own witness"):
        service.add_known_log(instance, CONSOLE, vkey(instance))


def test_a_known_log_is_named_once_and_its_rotated_key_replaces_the_old(
    instance: Instance, witness: Instance, paired: None, post: Any
):
    with pytest.raises(Conflict):
        service.add_known_log(witness, CONSOLE, vkey(instance))
    said(instance)
    service.anchor_now(instance, CONSOLE, post=post)
    service.rotate_key(instance, CONSOLE, reason="yearly")
    assert "refused (403)" in service.anchor_now(instance, CONSOLE, post=post)[0][1]

    service.add_known_log(witness, CONSOLE, vkey(instance))

    assert service.anchor_now(instance, CONSOLE, post=post) == [("sister", "")]


def test_request_text_is_read_strictly():
    for text in (
        "old 1",
        "new 1\n\n",
        "old -1\n\n",
        "old 1\nnot base64\n\n",
        "old 1\n" + "A" * 43 + "=\n" * 70,
    ):
        with pytest.raises(InvalidInput):
            read_request(text.encode())
