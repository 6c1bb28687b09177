"""What Keras, TensorFlow, ONNX's exporters and Core ML's tools write is let through, and read as what it is."""

import pytest

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.source import Memory
from tests.corpora.models import attacks
from tests.unit.instruments.scan.frameworks.samples import samples
from tests.unit.instruments.scan.looking import Folder, found, is_quiet, look

ORDINARY = samples("ordinary")
FAMILIES = ("keras", "tensorflow", "tflite", "onnx", "coreml", "openvino", "caffe")
ATTACKS = [attack for attack in attacks.all() if attack.family in FAMILIES]

READ_AS = {
    "dense.keras": "keras-archive",
    "dense.h5": "hdf5",
    "dense.json": "keras-config",
    "dense.weights.h5": "hdf5",
    "dense-saved/saved_model.pb": "tensorflow-saved-model",
    "dense-saved/fingerprint.pb": "tensorflow-fingerprint",
    "dense-saved/variables/variables.index": "tensorflow-checkpoint",
    "dense-saved/variables/variables.data-00000-of-00001": "tensorflow-checkpoint-values",
    "old/model.ckpt.meta": "tensorflow-meta-graph",
    "frozen.pb": "tensorflow-graph",
    "frozen.pbtxt": "tensorflow-graph-text",
    "flex.tflite": "tflite",
    "rows.tfrecord": "tensorflow-records",
    "torch.onnx": "onnx",
    "outside/model.onnx.data": "numbers",
    "network.mlmodel": "coreml",
    "program.mlpackage/Manifest.json": "coreml-package",
    "program.mlpackage/Data/com.apple.CoreML/weights/weight.bin": "coreml-weights",
    "block-before.h5": "hdf5",
}
NAMELESS = (
    "dense.keras",
    "dense.h5",
    "dense-saved/saved_model.pb",
    "frozen.pb",
    "flex.tflite",
    "torch.onnx",
    "network.mlmodel",
)


def in_its_folder(name, data):
    return examine_artifact(Memory(data), name, folder=Folder(ORDINARY))


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_model_is_let_through(name):
    artifact = in_its_folder(name, ORDINARY[name])

    assert artifact.findings == []
    assert artifact.node.formats


@pytest.mark.parametrize("name", READ_AS)
def test_a_file_is_read_as_what_it_is(name):
    assert READ_AS[name] in in_its_folder(name, ORDINARY[name]).node.formats


@pytest.mark.parametrize("name", NAMELESS)
def test_a_model_is_recognised_under_any_name(name):
    artifact = look(ORDINARY[name], "blob")

    assert READ_AS[name] in artifact.node.formats
    assert is_quiet(artifact)


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.id for attack in ATTACKS])
def test_every_attack_is_found_at_its_level(attack):
    made = attack.make()
    files = {f"model{attack.suffix}": made} if isinstance(made, bytes) else made

    artifacts = [examine_artifact(Memory(data), name, folder=Folder(files)) for name, data in files.items()]

    ranks = [finding.level.rank for artifact in artifacts for finding in artifact.findings]
    assert max(ranks, default=0) >= Level(attack.level).rank
    assert all("scan/fault" not in found(artifact) for artifact in artifacts)
