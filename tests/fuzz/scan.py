"""The scan under fuzz: files of every format, folders, and what vouches for them, as strangers send them.

A file's first line is its name, the rest its bytes, so that changes of either are tried. A reader that raises does not
reach the caller, it becomes Unknown: that is right in a running scan and would hide every fault from fuzzing, so it is
a fault here, as are a minute's work or a gigabyte's room for a few kilobytes.
"""

from __future__ import annotations

import json
import resource
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from alcaide.instruments.scan.context import printable
from alcaide.instruments.scan.examine import examine_artifact, rules
from alcaide.instruments.scan.limits import Limits
from alcaide.instruments.scan.message import artifact_from, frame, values_of
from alcaide.instruments.scan.model import Artifact, Finding, Level, ScanReport
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.repository import look as look_together
from alcaide.instruments.scan.source import Memory
from alcaide.kernel.errors import AlcaideError

_T = TypeVar("_T")
SECONDS = 10.0
"""Of a processor, for one input of some kilobytes: instrumented, on a machine that is busy. Uninstrumented the slowest
inputs known take a tenth of a second."""
ROOM = 150 << 10
"""Kilobytes that one input may add to the process: the bound that the readers promise for any input."""
_FINDINGS = 40
_POLICY = ScanPolicy(limits=Limits(seconds=60, unpacked=64 << 20, findings=_FINDINGS))
_NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

FAMILIES: Mapping[str, str] = {
    "scan-pickle": "pickle",
    "scan-arrays": "npy npz joblib skops",
    "scan-torch": "torch_archive torch-legacy",
    "scan-zip": "zip",
    "scan-tar": "tar ar cpio",
    "scan-7z": "7z",
    "scan-streams": "gzip bzip2 xz lzma zstandard lz4 lz4-legacy zlib snappy brotli compress lzip lzop",
    "scan-foreign-archives": "rar cab ace arj lha xar rpm squashfs iso git-pack",
    "scan-hdf5": "hdf5",
    "scan-keras": "keras-archive keras-config keras-metadata",
    "scan-tensorflow": "tensorflow-saved-model tensorflow-meta-graph tensorflow-graph tensorflow-graph-text tfjs "
    "tensorflow-fingerprint tensorflow-checkpoint tensorflow-checkpoint-values tensorflow-records",
    "scan-tflite": "tflite",
    "scan-onnx": "onnx onnx-tensor onnx-runtime",
    "scan-coreml": "coreml coreml-package coreml-weights",
    "scan-engines": "executorch ncnn tensorrt rknn paddle mxnet caffe caffe-text",
    "scan-safetensors": "safetensors",
    "scan-gguf": "gguf ggml",
    "scan-boosters": "xgboost-ubj xgboost-binary lightgbm catboost fasttext word2vec",
    "scan-sentencepiece": "sentencepiece tokenizer-json",
    "scan-messagepack": "msgpack",
    "scan-xml": "xml",
    "scan-r-data": "r-data",
    "scan-executables": "elf pe ape macho java-class dex wasm llvm-bitcode cuda-fatbin pyc lnk shell windows-script "
    "starter",
    "scan-media": "png jpeg gif riff bmp tiff ico psd jpeg2000 exr netpbm mp4 mp3 flac ogg matroska aiff au midi flv "
    "font pdf ole rtf mo pcap",
    "scan-tables": "parquet arrow sqlite avro orc duckdb faiss table numbers",
    "scan-python": "python python-path",
    "scan-notebook": "notebook",
    "scan-yaml": "yaml mlflow-model conda-environment",
    "scan-json": "json huggingface-config",
    "scan-packages": "requirements pyproject toml ini editor-settings modelfile package-settings package-json "
    "lock-file build-file spacy-config git-lfs-pointer",
    "scan-templates": "chat-template",
    "scan-texts": "markup text text-encoded",
}
"""Targets, and the formats whose files each begins with. What is recognised as a format is read by it wherever."""

FAMILY_OF: Mapping[str, str] = {name: family for family, names in FAMILIES.items() for name in names.split()}


class Worrying(AlcaideError):
    """What a scan would fail or not decide: the rules that were broken."""


class Neighbours:
    """A folder at hand."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def names(self) -> Iterator[str]:
        """All of them."""
        return iter(sorted(self._files))

    def open(self, name: str) -> Memory | None:
        """One of them."""
        data = self._files.get(name)
        return None if data is None else Memory(data)


def named(name: str, data: bytes) -> bytes:
    """A file as an input."""
    return name.encode("utf-8", "surrogateescape") + b"\n" + data


def parted(data: bytes) -> tuple[str, bytes]:
    """Its name and its bytes; without a line's end, bytes alone."""
    name, ended, rest = data.partition(b"\n")
    if not ended:
        return "thing.bin", name
    return name.decode("utf-8", "surrogateescape"), rest


def read_file(data: bytes) -> None:
    """One file."""
    name, content = parted(data)
    artifact = _costs_little(lambda: examine_artifact(Memory(content), name, policy=_POLICY))
    _sound(artifact)
    if len(data) % 4 == 0:
        again = examine_artifact(Memory(content), name, policy=_POLICY)
        assert again.findings == artifact.findings, "the same bytes give the same findings"
        assert again.node == artifact.node, "the same bytes give the same facts"
    if len(data) % 8 == 0:
        _reported([artifact])
    _refuse(artifact.findings)


def read_folder(data: bytes) -> None:
    """The files of a folder, as a JSON object of names and texts: each by itself, and together."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Worrying("this is not a folder") from None
    if not isinstance(value, dict):
        raise Worrying("this is not a folder")
    files = {
        name: (text if isinstance(text, str) else json.dumps(text)).encode("utf-8", "surrogatepass")
        for name, text in value.items()
    }
    folder = Neighbours(files)
    together = _costs_little(lambda: look_together(folder, list(folder.names())))
    assert look_together(folder, list(folder.names())) == together, "the same folder gives the same findings"
    for name, finding in together:
        assert name in files, "a finding is about a file that is there"
        _sound_finding(finding)
    artifacts = [
        examine_artifact(Memory(content), name, policy=_POLICY, folder=folder)
        for name, content in list(files.items())[:20]
    ]
    for artifact in artifacts:
        _sound(artifact)
    _reported(artifacts)
    _refuse([finding for _, finding in together] + [one for each in artifacts for one in each.findings])


def _costs_little(act: Callable[[], _T]) -> _T:
    room, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    came = act()
    took = time.process_time() - begun
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - room
    assert took < SECONDS, f"it took {took:.1f} seconds"
    assert more < ROOM, f"it took {more >> 10} MiB"
    return came


def _sound(artifact: Artifact) -> None:
    assert len(artifact.findings) <= _FINDINGS + 2, "findings are bounded"
    for finding in artifact.findings:
        _sound_finding(finding)
    for node in artifact.node.walk():
        json.dumps(node.facts, allow_nan=False).encode()
        assert len(node.children) <= 5_000, "a tree is bounded"
    again = artifact_from(values_of(frame(artifact)))
    assert [*again.findings] == artifact.findings, "an answer survives the way from another process"
    assert again.node == artifact.node, "and what was seen with it"


def _sound_finding(finding: Finding) -> None:
    assert finding.rule != "scan/fault", f"{finding.message}: {finding.detail}"
    assert finding.rule in _known(), f"`{finding.rule}` is no rule of any format"
    assert finding.message == printable(finding.message, 1_001), "a message can be shown"
    assert len(finding.place) < 8_000
    json.dumps(finding.detail, allow_nan=False).encode()
    assert len(json.dumps(finding.detail)) < 200_000, "details are bounded"


@cache
def _known() -> frozenset[str]:
    from alcaide.instruments.scan.repository import RULES

    return frozenset(rules()) | {rule.id for rule in RULES}


def _reported(artifacts: list[Artifact]) -> None:
    from alcaide.instruments.scan.report_sarif import sarif
    from alcaide.instruments.scan.showing import report_json

    report = ScanReport(artifacts, edition="fuzz")
    json.dumps(report_json(report), allow_nan=False).encode()
    json.dumps(sarif(report), allow_nan=False).encode()


def _refuse(findings: list[Finding]) -> None:
    """Raise what a scan fails at, by rule: so fuzzing keeps an input of each way of failing."""
    broken = {
        one.rule for one in findings if one.level is Level.UNKNOWN or one.level.rank >= Level.MEDIUM.rank
    }
    if broken:
        raise Worrying(", ".join(sorted(broken)))


# ── What vouches for files ───────────────────────────────────────────────────────────────────────────────────────────


def read_attestation(data: bytes) -> None:
    """A signed statement about a folder, in any of its wrappings."""
    from alcaide.instruments.scan.provenance.attestation import verify_attestation

    path, trust = _signed()
    came = verify_attestation(path, data, trust, now=_NOW, builder="https://builder.example/1", workers=1)
    assert came.outcome in ("passed", "failed", "unknown")
    assert bool(came.reason) == (came.outcome != "passed"), "what did not pass says why"


def read_signature(data: bytes) -> None:
    """A model signature, held against a folder."""
    from alcaide.instruments.scan.provenance.verifying import verify_signature

    path, trust = _signed()
    came = verify_signature(path, data, trust, now=_NOW, workers=1)
    assert bool(came.reason) == (came.outcome != "passed"), "what did not pass says why"


def read_authority(data: bytes) -> None:
    """The certificate of an authority, as somebody gave it."""
    from alcaide.kernel.evidence.certificates import fingerprint, load_root, root_algorithm

    root = load_root(data)
    assert len(fingerprint(root)) >= 64
    root_algorithm(root).encode()


def read_card(data: bytes) -> None:
    """What a model card, an adapter and a merge say of where a model comes from."""
    from alcaide.instruments.scan.provenance import lineage

    text = data.decode("utf-8", "replace")
    card = lineage.front_matter(text)
    for reader in (
        lineage.from_card,
        lineage.from_adapter,
        lineage.from_config,
        lineage.from_merge,
        lineage.from_mlmodel,
    ):
        for descent in reader(card, "README.md"):
            assert len(descent.origin.name) < 4_000
    if not card:
        raise Worrying("no card")


@cache
def _signed() -> Any:
    from alcaide.instruments.scan.provenance.trust import trust_of
    from tests.fuzz.targets import CORPUS

    folder = CORPUS / "model_signature/berth-planner"
    return folder, trust_of({path.name: path.read_bytes() for path in sorted(CORPUS.glob("*/*.pub"))})


# ── Where it begins ──────────────────────────────────────────────────────────────────────────────────────────────────


def seeds(family: str, most: int) -> list[bytes]:
    """Attacks, ordinary models and the unit tests' samples that a target begins with, of up to `most` bytes."""
    return [data for data in _by_family().get(family, []) if len(data) <= most]


@cache
def _by_family() -> dict[str, list[bytes]]:
    shared: dict[str, list[bytes]] = {}
    for name, content in samples():
        if not content or len(content) > 1 << 16:
            continue
        artifact = examine_artifact(Memory(content), name, policy=_POLICY)
        for family in dict.fromkeys(FAMILY_OF.get(form, "") for form in artifact.node.formats):
            shared.setdefault(family, []).append(named(name, content))
    return shared


def samples() -> Iterator[tuple[str, bytes]]:
    """Every small file that the project has for trying its scan, with its name."""
    from tests.corpora.models import attacks, benign
    from tests.fuzz.bare_files import BARE
    from tests.unit.instruments.scan import test_hostile_bytes as bytes_
    from tests.unit.instruments.scan.archives.seven_zips import SEVEN_ZIPS
    from tests.unit.instruments.scan.frameworks import test_hostile_models as models
    from tests.unit.instruments.scan.frameworks.samples import samples as frameworks
    from tests.unit.instruments.scan.weights import test_weights_fuzz as weights

    for attack in attacks.all():
        made = attack.make()
        if isinstance(made, bytes):
            yield f"{attack.id}{attack.suffix}", made
        else:
            yield from ((path.rpartition("/")[2], content) for path, content in made.items())
    for table in (
        bytes_.SEEDS,
        models.SEEDS,
        weights.SEEDS,
        frameworks("ordinary"),
        frameworks("leading-out"),
        BARE,
    ):
        for path, content in table.items():
            yield path.rpartition("/")[2], content if isinstance(content, bytes) else content.encode()
    import base64

    for kind, text in SEVEN_ZIPS.items():
        yield f"{kind}.7z", base64.b64decode(text)
    with zipfile.ZipFile(benign.ARCHIVE) as archive:
        for member in archive.infolist():
            if 0 < member.file_size < 1 << 14:
                yield member.filename.rpartition("/")[2], archive.read(member)


def folders() -> Iterator[bytes]:
    """Attacks that are folders of texts."""
    from tests.corpora.models import attacks

    for attack in attacks.all():
        made = attack.make()
        if isinstance(made, dict) and sum(map(len, made.values())) < 6_000:
            texts = {name: content.decode("utf-8", "replace") for name, content in made.items()}
            yield json.dumps(texts).encode()
    card = "---\nlicense: mit\nbase_model: a/b\n---\n# A model\n"
    yield json.dumps({"README.md": card, "config.json": '{"model_type": "bert"}'}).encode()
