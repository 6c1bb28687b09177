"""Every byte of a bundle, flipped one after the other: both verifiers refuse, and say where.

The bundle is about one digest, so that it is small enough to sweep whole. First each byte of each member, put into an
archive in good order so that it is not the archive's sums that find it; then each byte of the archive as it lies on a
disk, its headers, time stamps and directory too.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.builders import NOON
from tests.slices.evidence.test_bundle import load_stand_alone, refusal_of

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.errors import Corrupt, InvalidInput, TooLarge
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.instance import Instance
from alcaide.slices.evidence import service
from alcaide.slices.evidence.rules.archive import read_archive, write_archive
from alcaide.slices.evidence.rules.bundle import verify_bundle

DIGEST = "5f" * 32
STATEMENT = Statement(
    (Subject("", {"sha256": DIGEST}),),
    "urn:alcaide:attested:v1",
    {"at": rfc3339(NOON), "claim": "it was read"},
)


@pytest.fixture
def tiny(instance: Instance, admin: Any) -> bytes:
    """A bundle of two leaves: the one that announces the key, and one claim."""
    instance.write(lambda tx: tx.append(STATEMENT))
    return service.export_bundle(instance, admin, [f"sha256:{DIGEST}"])[1]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


def refusal(data: bytes) -> str | None:
    try:
        verify_bundle(data)
    except (Corrupt, InvalidInput, TooLarge) as problem:
        return str(problem)
    return None


@pytest.mark.slow
def test_every_flipped_byte_of_every_member_is_refused_by_both_verifiers_naming_it(tiny: bytes):
    scope = load_stand_alone()
    members = read_archive(tiny)
    assert set(members) >= {"manifest.json", "manifest.sig", "checkpoint", "leaves/000000000001.json"}
    for name, content in members.items():
        # A changed signature of the manifest and a changed manifest cannot be told apart: both are named.
        named = "manifest" if name.startswith("manifest.") else name
        for at in range(len(content)):
            altered = write_archive({**members, name: flipped(content, at)})
            for why in (refusal(altered), refusal_of(scope, altered)):
                assert why is not None, f"{name} at {at}"
                assert named in why, f"{name} at {at}: {why}"


@pytest.mark.slow
def test_every_flipped_byte_of_the_file_is_refused_by_both_verifiers(tiny: bytes):
    """None is without a meaning: an archive of these members has one spelling, time stamps and all."""
    scope = load_stand_alone()
    for at in range(len(tiny)):
        altered = flipped(tiny, at)
        assert refusal(altered) is not None, at
        assert refusal_of(scope, altered) is not None, at
