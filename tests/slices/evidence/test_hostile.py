"""Whatever is fed to the parsers of bundles, witness requests and anchor files, they answer in their own words."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.slices.evidence.test_bundle import VERIFIER, bundle  # noqa: F401 - a fixture

from alcaide.kernel.errors import AlcaideError, InvalidInput, NotFound
from alcaide.slices.evidence.rules.anchors import check_anchored, read_anchor_file
from alcaide.slices.evidence.rules.archive import read_archive, write_archive
from alcaide.slices.evidence.rules.bundle import read_trusted, verify_bundle
from alcaide.slices.evidence.rules.paths import subject_key, tile_path
from alcaide.slices.evidence.rules.witness import read_request

CORPUS = Path(__file__).parents[2] / "corpus"
BUNDLES = sorted((CORPUS / "bundle").glob("*.zip"))
names = st.sampled_from(
    [
        "manifest.json",
        "manifest.sig",
        "checkpoint",
        "index.html",
        "leaves/000000000001.json",
        "originals/" + "a" * 64,
    ]
)


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.stem)
def test_a_hostile_bundle_is_refused(path: Path):
    with pytest.raises(AlcaideError) as refused:
        verify_bundle(path.read_bytes())
    assert str(refused.value)[0].islower() or str(refused.value)[0] == "`"


@pytest.mark.parametrize("path", BUNDLES, ids=lambda p: p.stem)
def test_the_stand_alone_verifier_refuses_it_too_without_a_traceback(path: Path):
    outcome = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", str(VERIFIER), str(path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert outcome.returncode == 1
    assert outcome.stderr.startswith("REFUSED: ")
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("path", sorted((CORPUS / "witness").iterdir()), ids=lambda p: p.stem)
def test_a_hostile_witness_request_is_refused(path: Path):
    with pytest.raises(InvalidInput):
        read_request(path.read_bytes())


@pytest.mark.parametrize("path", sorted((CORPUS / "anchor_file").iterdir()), ids=lambda p: p.stem)
def test_a_hostile_anchor_file_is_refused_or_says_nothing_good(path: Path):
    try:
        notes = read_anchor_file(path.read_bytes())
    except InvalidInput:
        return
    found = check_anchored(notes, [], origin="log.test/alcaide", size=5, root_at=lambda _: b"")
    assert {finding.outcome for finding in found} == {"unknown"}


@given(st.binary(max_size=400))
def test_any_bytes_are_no_bundle(data: bytes):
    with pytest.raises(AlcaideError):
        verify_bundle(data)


@given(st.dictionaries(names, st.binary(max_size=200), max_size=6))
def test_any_members_in_good_order_are_no_bundle(members: dict[str, bytes]):
    data = write_archive(members)

    assert read_archive(data) == members
    with pytest.raises(AlcaideError):
        verify_bundle(data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(cut=st.data())
def test_a_bundle_cut_spliced_or_overwritten_is_refused(bundle: bytes, cut: Any):  # noqa: F811
    start = cut.draw(st.integers(0, len(bundle) - 1))
    end = cut.draw(st.integers(start, min(len(bundle), start + 300)))
    other = cut.draw(st.binary(max_size=60))
    altered = bundle[:start] + other + bundle[end:]
    if altered != bundle:
        with pytest.raises(AlcaideError):
            verify_bundle(altered)


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda s: f"old 0\n\n{s}".encode(errors="replace"))
)
def test_witness_requests_raise_nothing_but_their_own(data: bytes):
    with contextlib.suppress(InvalidInput):
        read_request(data)


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda s: b'{"note":"' + s.encode(errors="replace") + b'"}')
)
def test_anchor_files_raise_nothing_but_their_own(data: bytes):
    try:
        notes = read_anchor_file(data)
    except InvalidInput:
        return
    check_anchored(notes, [], origin="x", size=1, root_at=lambda _: b"")


@given(st.text(max_size=60))
def test_paths_names_and_lists_of_keys_raise_nothing_but_their_own(text: str):
    for read, wrong in ((tile_path, NotFound), (subject_key, InvalidInput), (read_trusted, InvalidInput)):
        with contextlib.suppress(wrong):
            read(text)
