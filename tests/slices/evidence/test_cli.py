"""`alcaide evidence` from a shell: what it says and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.slices.evidence.signers import DIGEST, Signer, a_test_result

from alcaide.app.cli import run
from alcaide.kernel.instance import Instance

ABOUT = f"model:theirs@1=sha256:{DIGEST}"


@pytest.fixture
def shell(instance: Instance, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Runs a command on the data folder of the test's instance; exit code and output."""
    from contextlib import contextmanager

    @contextmanager
    def opened(data: Any = None) -> Any:
        yield instance

    monkeypatch.setattr("alcaide.kernel.instance.open_for_cli", opened)

    def call(*argv: str) -> tuple[int, str]:
        code = run(["evidence", *argv])
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return call


def test_a_document_comes_in_and_a_bundle_goes_out_and_is_checked(shell: Any, tmp_path: Path):
    signer = Signer()
    (tmp_path / "ci.pub").write_text(signer.pem)
    (tmp_path / "result.json").write_bytes(signer.envelope(a_test_result()))
    bundle, trusted = tmp_path / "b.zip", tmp_path / "trusted.txt"

    assert shell("keys", "trust", "their-ci", str(tmp_path / "ci.pub"))[0] == 0
    taken = shell("import", str(tmp_path / "result.json"), "--about", ABOUT, "--key", "their-ci")
    assert taken[0] == 0, taken
    assert "holds, by their-ci" in taken[1]
    assert shell("attest", ABOUT, "it was reviewed", "--until", "30d")[0] == 0
    assert shell("export", "model:theirs@1", "-o", str(bundle))[0] == 0
    keyid = json.loads(shell("keys", "list", "--format", "json")[1])["keys"][0]["keyid"]
    trusted.write_text(f"# ours\n{keyid}\n")

    assert shell("verify", str(bundle))[0] == 2
    assert shell("verify", str(bundle), "--trusted", keyid)[0] == 0
    assert shell("verify", str(bundle), "--trusted", str(trusted))[0] == 0
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    refused = shell("verify", str(bundle))
    assert refused[0] == 1
    assert "refused" in refused[1]


def test_the_whole_log_is_verified(shell: Any):
    code, said = shell("verify", "--processes", "1")

    assert (code, said.startswith("intact: 1 leaves")) == (0, True)
    assert json.loads(shell("verify", "--processes", "1", "--format", "json")[1])["intact"]


def test_leaves_are_listed_and_shown(shell: Any):
    assert "Signing key changed" in shell("list")[1]
    assert json.loads(shell("list", "--type", "key-event", "--format", "json")[1])[0]["index"] == 0
    assert shell("show", "0")[0] == 0
    assert shell("show", "7")[0] == 3
    assert shell("list", "--limit", "0")[0] == 3


def test_anchors_are_added_used_and_checked(shell: Any, tmp_path: Path):
    path = tmp_path / "outside.jsonl"

    assert shell("anchors", "now")[0] == 0
    assert shell("anchors", "add-file", "disk", str(path))[0] == 0
    assert shell("anchors", "list")[0] == 2
    assert shell("anchors", "now")[0] == 0
    assert shell("anchors", "list")[0] == 0
    assert shell("verify", "--anchors", str(path))[0] == 0
    path.write_text("nonsense\n")
    assert shell("verify", "--anchors", str(path))[0] == 2
    assert shell("anchors", "remove", "disk")[0] == 0
    assert shell("anchors", "remove", "disk")[0] == 3


def test_what_cannot_be_done_exits_with_three_and_says_why(shell: Any, tmp_path: Path):
    for argv in (
        ("import", str(tmp_path / "nowhere.json")),
        ("export", "model:nobody@1"),
        ("verify", str(tmp_path / "nowhere.zip")),
        ("attest", "model:nobody@1", "so"),
        ("attest", ABOUT, "so", "--until", "whenever"),
        ("keys", "distrust", "nobody", "--reason", "x"),
        ("anchors", "witness-for", "nonsense"),
    ):
        code, said = shell(*argv)
        assert code == 3, (argv, said)
        assert said.startswith("alcaide: ")
