"""A bundle that somebody sent is checked on a page, over the API and in a shell, and all three say the same."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders import a_statement
from tests.slices.evidence.test_cli import shell  # noqa: F401 - a fixture
from tests.slices.evidence.test_pages import token

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import service
from alcaide.slices.evidence.rules.bundle import CHECKS, examine_bundle, read_trusted

URL = "/api/v1/evidence/bundles/verify"


@pytest.fixture
def bundle(instance: Instance, admin: Any) -> bytes:
    for claim in ("one", "two"):
        instance.write(lambda tx, claim=claim: tx.append(a_statement("model:a@1", claim=claim)))
    return service.export_bundle(instance, admin, ["model:a@1"])[1]


def altered(bundle: bytes) -> bytes:
    at = bundle.index(b'{"payload":"') + 40
    return bundle[:at] + bytes([bundle[at] ^ 1]) + bundle[at + 1 :]


def own_key(instance: Instance) -> tuple[str, str]:
    """Key id and PEM of the key that signs."""
    with instance.read() as conn:
        keyid = instance.ledger.checkpoint(conn).keyid
    public = instance.keys.public_keys()[keyid].public
    pem = Ed25519PublicKey.from_public_bytes(public).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    return keyid, pem.decode()


def asked(client: Any, content: bytes, **data: Any) -> Any:
    answer = client.post(URL, files={"file": ("b.zip", content, "application/zip")}, data=data)
    assert answer.status_code == 200, answer.text
    return answer.json()


def checked(client: Any, content: bytes, **data: Any) -> Any:
    fields = {"csrf_token": token(client.get("/evidence/bundles")), **data}
    return client.post("/evidence/bundles", files={"file": ("theirs.zip", content)}, data=fields)


def test_a_bundle_passes_by_any_way_of_naming_its_key(client: Any, instance: Instance, bundle: bytes):
    keyid, pem = own_key(instance)
    service.trust_key(instance, _admin(), "the-harbour", pem)

    for choice in ({"own": "true"}, {"named": "the-harbour"}, {"told": keyid}, {"told": f"# ours\n{pem}"}):
        said = asked(client, bundle, **choice)
        assert (said["outcome"], said["trusted"]) == ("passed", [keyid]), choice
    assert [check["name"] for check in said["checks"]] == [*CHECKS, "Trust"]
    assert {check["outcome"] for check in said["checks"]} == {"passed"}
    assert said["leaves"] == [0, 1, 2]


def _admin() -> Any:
    from tests.conftest import person

    return person("admin")


def test_a_bundle_is_unknown_while_nobody_is_trusted(client: Any, bundle: bytes):
    for choice in ({}, {"told": "ed25519:" + "ab" * 16}):
        said = asked(client, bundle, **choice)
        assert (said["outcome"], said["intact"], said["pinned"]) == ("unknown", True, False)


def test_an_altered_bundle_is_refused_at_the_check_that_finds_it_and_no_later_one_is_claimed(
    client: Any, bundle: bytes
):
    said = asked(client, altered(bundle), own="true")

    assert said["outcome"] == "failed"
    assert "leaf 0 (member" in said["reason"]
    outcomes = {check["name"]: check["outcome"] for check in said["checks"]}
    assert outcomes["Archive"] == "failed"
    assert {outcomes[name] for name in CHECKS if name != "Archive"} == {"unknown"}
    assert (said["intact"], said["leaves"], said["keys"]) == (False, [], [])


def test_the_page_shows_each_check_the_leaves_and_whose_key_signed(
    client: Any, instance: Instance, bundle: bytes
):
    page = checked(client, bundle, own="on")

    assert page.status_code == 200
    assert "Holds" in page.text
    assert "a key of this log" in page.text
    for name in (*CHECKS, "Trust"):
        assert f"<strong>{name}</strong>" in page.text
    assert "#2</span>" in page.text
    assert "theirs.zip" in page.text


def test_the_page_names_the_first_bad_member_and_escapes_what_the_bundle_says(client: Any, bundle: bytes):
    refused = checked(client, altered(bundle), own="on").text
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("<script>alert(1)</script>", b"x")

    assert "Refused" in refused
    assert "leaf 0 (member" in refused
    page = checked(client, hostile.getvalue()).text
    assert "does not belong in a bundle" in page
    assert "<script>alert" not in page


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(50_000_000))
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a bundle"),
        (b"%PDF-1.7", "not a bundle"),
        (bomb(), "compressed"),
        (b"PK\x05\x06" + bytes(6) + b"\xff\xff\xff\xff" + bytes(8), "over the limit"),
    ],
)
def test_hostile_uploads_are_refused_with_the_reason(client: Any, content: bytes, why: str):
    assert why in asked(client, content)["reason"]
    assert why in checked(client, content).text


def test_a_member_that_leads_elsewhere_is_refused_and_nothing_is_unpacked(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../escaped", b"x")
    before = sorted(tmp_path.parent.iterdir())

    assert "member `../escaped` does not belong" in asked(client, out.getvalue())["reason"]
    assert sorted(tmp_path.parent.iterdir()) == before


def test_a_key_that_cannot_be_read_is_an_error_beside_its_field(
    client: Any, instance: Instance, bundle: bytes
):
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    service.trust_key(instance, _admin(), "theirs", pem)
    service.trust_key(instance, _admin(), "gone", own_key(instance)[1])
    service.distrust_key(instance, _admin(), "gone", reason="it leaked")
    file = {"file": ("b.zip", bundle)}

    for choice, field, why in (
        ({"told": "ed25519:short"}, "told", "not a verifier key"),
        ({"told": pem}, "told", "no Ed25519 key"),
        ({"named": "theirs"}, "named", "cannot have signed a log"),
        ({"named": "gone"}, "named", "trusted no longer"),
    ):
        refused = client.post(URL, files=file, data=choice)
        assert refused.status_code in (400, 422), refused.text
        assert why in refused.json()["error"]["fields"][field]
        assert checked(client, bundle, **choice).status_code == 422
    assert client.post(URL, files=file, data={"named": "nobody"}).status_code == 404


def test_somebody_unknown_may_not_have_bundles_checked_and_a_viewer_may(client_as: Any, bundle: bytes):
    from alcaide.kernel.access.actor import Actor

    nobody = client_as(Actor("user", "u-none", "no roles", frozenset()))

    assert nobody.post(URL, files={"file": ("b.zip", bundle)}).status_code == 403
    assert asked(client_as("viewer"), bundle)["outcome"] == "unknown"


def test_the_shell_says_the_same(shell: Any, tmp_path: Path, instance: Instance, bundle: bytes):  # noqa: F811
    path = tmp_path / "b.zip"
    path.write_bytes(bundle)
    _, pem = own_key(instance)
    service.trust_key(instance, _admin(), "the-harbour", pem)
    (tmp_path / "key.pem").write_text(pem)

    assert shell("verify", str(path))[0] == 2
    assert shell("verify", str(path), "--own")[0] == 0
    assert shell("verify", str(path), "--named", "the-harbour")[0] == 0
    assert shell("verify", str(path), "--trusted", str(tmp_path / "key.pem"))[0] == 0
    assert shell("verify", str(path), "--trusted", "ed25519:mistyped")[0] == 3
    said = json.loads(shell("verify", str(path), "--own", "--format", "json")[1])
    assert said == examine_bundle(bundle, read_trusted(own_key(instance)[0])).as_json()


def test_keys_are_read_one_after_the_other_and_each_but_once():
    keyid = "ed25519:" + "0" * 32

    assert read_trusted(f"# a remark\n\n{keyid}\n {keyid} ") == (keyid,)
    with pytest.raises(InvalidInput):
        read_trusted("x" * 100_000)
