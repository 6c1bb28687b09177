"""A bundle holds everything, proves it to a stranger, and refuses the change of any one byte."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_statement

from alcaide.kernel.errors import AlcaideError, Corrupt, InvalidInput, NotFound, TooLarge
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import service
from alcaide.slices.evidence.rules.archive import MEMBER, read_archive, write_archive
from alcaide.slices.evidence.rules.bundle import verify_bundle

VERIFIER = Path(__file__).parents[3] / "docs/verify/verify.py"


def said(instance: Instance, *names: str) -> None:
    for name in names:
        instance.write(lambda tx, name=name: tx.append(a_statement(name, claim=f"about {name}")))


def newest_key(instance: Instance) -> str:
    with instance.read() as conn:
        return instance.ledger.checkpoint(conn).keyid


@pytest.fixture
def bundle(instance: Instance, admin: Any) -> bytes:
    said(instance, "model:a@1", "model:b@1", "model:a@1", "dataset:c@1")
    return service.export_bundle(instance, admin, ["model:a@1"])[1]


def stand_alone(path: Path, *trusted: str) -> subprocess.CompletedProcess[str]:
    options = [part for key in trusted for part in ("--trusted", key)]
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(path), *options],
        capture_output=True,
        text=True,
        check=False,
    )


def load_stand_alone() -> dict[str, Any]:
    """The verifier as a module, for sweeps that would start thousands of processes otherwise."""
    scope: dict[str, Any] = {"__name__": "verifier"}
    exec(compile(VERIFIER.read_text(), str(VERIFIER), "exec"), scope)
    return scope


def refusal_of(scope: dict[str, Any], data: bytes) -> str | None:
    try:
        scope["verify"](scope["unpack"](data))
    except SystemExit as refused:
        return str(refused)
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is a refusal
        return f"manifest.json was altered, or this is no bundle: {problem!r}"
    return None


def test_a_bundle_holds_every_leaf_about_its_subject_and_no_others_but_those_that_announce_keys(
    instance: Instance, bundle: bytes
):
    report = verify_bundle(bundle, [newest_key(instance)])

    assert [leaf.index for leaf in report.leaves] == [0, 1, 3]
    assert report.pinned


def test_a_bundle_is_intact_but_unpinned_when_no_key_was_named(bundle: bytes):
    assert not verify_bundle(bundle).pinned
    assert not verify_bundle(bundle, ["ed25519:" + "0" * 32]).pinned


def test_the_same_log_gives_the_same_bytes(instance: Instance, admin: Any, auditor: Any, bundle: bytes):
    assert service.export_bundle(instance, auditor, ["model:a@1"])[1] == bundle


def test_nothing_said_about_a_subject_makes_no_bundle(instance: Instance, admin: Any):
    with pytest.raises(NotFound, match="says nothing about"):
        service.export_bundle(instance, admin, ["model:never@1"])


def test_a_viewer_may_not_export(instance: Instance, viewer: Any, bundle: bytes):
    with pytest.raises(AlcaideError):
        service.export_bundle(instance, viewer, ["model:a@1"])


def test_the_stand_alone_verifier_is_short_and_knows_nothing_of_alcaide():
    text = VERIFIER.read_text()

    assert len(text.splitlines()) <= 150
    assert "import alcaide" not in text
    assert "from alcaide" not in text


def test_the_stand_alone_verifier_accepts_and_says_whether_the_key_is_trusted(
    tmp_path: Path, instance: Instance, bundle: bytes
):
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle)

    trusting, knowing_nobody = stand_alone(path, newest_key(instance)), stand_alone(path)

    assert trusting.returncode == 0, trusting.stderr
    assert "INTACT" in trusting.stdout
    assert knowing_nobody.returncode == 2
    assert "UNKNOWN" in knowing_nobody.stdout


def test_a_flipped_byte_in_a_leaf_is_refused_by_name(tmp_path: Path, bundle: bytes):
    at = bundle.index(b'{"payload":"') + 40
    path = tmp_path / "bundle.zip"
    path.write_bytes(bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :])

    outcome = stand_alone(path)

    assert outcome.returncode == 1
    assert "leaves/0000000000" in outcome.stderr
    with pytest.raises(Corrupt, match=r"leaf \d+ \(member"):
        verify_bundle(path.read_bytes())


def test_any_flipped_bit_of_any_member_is_refused_by_both_verifiers(bundle: bytes):
    """The members are put into an archive in good order, so that it is not the archive's sums that find it."""
    scope = load_stand_alone()
    members = read_archive(bundle)
    for name, content in members.items():
        step = max(len(content) // 60, 1)
        for at in range(0, len(content), step):
            changed = content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :]
            altered = write_archive({**members, name: changed})
            with pytest.raises((Corrupt, InvalidInput)) as caught:
                verify_bundle(altered)
            assert (
                name in str(caught.value)
                or "manifest" in str(caught.value)
                or "canonical" in str(caught.value)
            )
            why = refusal_of(scope, altered)
            assert why is not None, f"{name} at {at}"


def test_any_flipped_byte_of_the_archive_is_refused_by_both_verifiers(bundle: bytes):
    scope = load_stand_alone()
    places = {*range(0, len(bundle), 97), *range(len(bundle) - 700, len(bundle))}
    for at in sorted(places):
        altered = bundle[:at] + bytes([bundle[at] ^ 0x01]) + bundle[at + 1 :]
        with pytest.raises((Corrupt, InvalidInput, TooLarge)):
            verify_bundle(altered)
        assert refusal_of(scope, altered) is not None, at


@pytest.mark.parametrize("tail", [b"x", b"PK\x05\x06" + bytes(18)])
def test_bytes_behind_the_archive_are_refused(bundle: bytes, tail: bytes):
    with pytest.raises((Corrupt, InvalidInput)):
        verify_bundle(bundle + tail)
    assert refusal_of(load_stand_alone(), bundle + tail)


def test_a_leaf_left_out_is_named_even_if_the_manifest_is_signed_anew(instance: Instance, admin: Any):
    """The keeper of the key cannot hold a leaf back either: the index that the checkpoint commits to shows it."""
    from dataclasses import replace

    from alcaide.slices.evidence import queries
    from alcaide.slices.evidence.rules.bundle import build_bundle

    said(instance, "model:a@1", "model:a@1")
    with instance.read() as conn:
        whole = queries.bundle_content(conn, instance, ["model:a@1"], originals=True, with_access=True)
        signer = instance.keys.signer(instance.ledger.checkpoint(conn).keyid)
    hidden = max(whole.leaves)
    leaves = {i: leaf for i, leaf in whole.leaves.items() if i != hidden}
    subjects = {
        key: (tuple(i for i in at if i != hidden), proof) for key, (at, proof) in whole.subjects.items()
    }
    left_out = build_bundle(replace(whole, leaves=leaves), signer)
    denied = build_bundle(replace(whole, leaves=leaves, subjects=subjects), signer)

    with pytest.raises(Corrupt, match=f"leaf {hidden} about .* was left out"):
        verify_bundle(left_out)
    with pytest.raises(Corrupt, match="is not complete"):
        verify_bundle(denied)
    scope = load_stand_alone()
    assert f"leaf {hidden} about" in str(refusal_of(scope, left_out))
    assert "not all there" in str(refusal_of(scope, denied))


@pytest.mark.both_databases
def test_a_bundle_across_a_change_of_keys_is_carried_by_either_key(
    instance: Instance, admin: Any, tmp_path: Path
):
    said(instance, "model:a@1")
    before = newest_key(instance)
    service.rotate_key(instance, admin, reason="yearly")
    said(instance, "model:a@1")
    after = newest_key(instance)
    data = service.export_bundle(instance, admin, ["model:a@1"])[1]
    path = tmp_path / "b.zip"
    path.write_bytes(data)

    assert before != after
    for key in (before, after):
        assert verify_bundle(data, [key]).trusted == (key,)
        assert stand_alone(path, key).returncode == 0


def test_a_bundle_by_somebody_elses_key_is_not_pinned(bundle: bytes, instance: Instance, tmp_path: Path):
    path = tmp_path / "b.zip"
    path.write_bytes(bundle)

    assert stand_alone(path, "ed25519:" + "ab" * 16).returncode == 2


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (zipped(("../../etc/passwd", b"x")), "does not belong"),
        (zipped(("/etc/passwd", b"x")), "does not belong"),
        (zipped(("leaves/..", b"x")), "does not belong"),
        (zipped(("manifest.json", b"0" * 5_000_000), method=zipfile.ZIP_DEFLATED), "compressed"),
        (b"", "not a bundle"),
        (b"PK\x05\x06" + bytes(17), "not a bundle"),
        (b"PK\x05\x06" + bytes(6) + b"\xff\xff\xff\xff" + bytes(8), "members"),
        (b"PK\x05\x06" + bytes(8) + b"\xff\xff\xff\x7f" + bytes(6), "members"),
        (write_archive({}), "missing"),
        (
            write_archive({"manifest.json": b"[" * 100_000, "manifest.sig": b"", "checkpoint": b""}),
            "manifest",
        ),
        (
            write_archive({"manifest.json": b'{"a":1,"a":2}', "manifest.sig": b"", "checkpoint": b""}),
            "twice",
        ),
    ],
)
def test_hostile_archives_are_refused_with_the_reason(data: bytes, why: str):
    with pytest.raises((Corrupt, InvalidInput, TooLarge), match=why):
        verify_bundle(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused():
    with pytest.raises(Corrupt, match="twice"):
        verify_bundle(zipped(("checkpoint", b"one"), ("checkpoint", b"two")))


def test_a_symbolic_link_is_refused():
    info = zipfile.ZipInfo("checkpoint")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(Corrupt, match="outside its members"):
        verify_bundle(out.getvalue())


def test_member_names_are_few():
    for name in ("manifest.json", "leaves/000000000001.json", f"originals/{'a' * 64}", "checkpoint"):
        assert MEMBER.fullmatch(name)
    for name in ("leaves/1.json", "leaves/../x", "a", "manifest.json/", "checkpoint\n"):
        assert not MEMBER.fullmatch(name)


def test_a_leaf_signed_by_a_key_that_was_no_longer_in_force_is_refused_by_both_verifiers(
    instance: Instance, admin: Any
):
    """Whoever stole an old key and the machine can log what it signed, but not bundle it."""
    from alcaide.kernel.evidence import sign
    from alcaide.slices.evidence import queries
    from alcaide.slices.evidence.rules.bundle import build_bundle

    said(instance, "model:a@1")
    stolen = newest_key(instance)
    service.rotate_key(instance, admin, reason="it leaked")
    forged = a_statement("model:a@1", claim="all is well")
    envelope = sign(forged.to_bytes(), instance.keys.signer(stolen)).to_bytes()
    at = instance.write(lambda tx: tx._stage(envelope, forged))  # as nobody can from outside
    with instance.read() as conn:
        content = queries.bundle_content(conn, instance, ["model:a@1"], originals=True, with_access=True)
    data = build_bundle(content, instance.keys.signer(newest_key(instance)))

    with pytest.raises(Corrupt, match=f"leaf {at} is signed by `{stolen}`, which was not in force"):
        verify_bundle(data)
    assert f"leaf {at} is signed by `{stolen}`, which was not in force then" in str(
        refusal_of(load_stand_alone(), data)
    )
