"""What shows only from several files of a repository."""

import json

import pytest

from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.repository import look, runs_with_model
from alcaide.instruments.scan.source import Memory


class Folder:
    """A folder in memory."""

    def __init__(self, files):
        self._files = {name: content if isinstance(content, bytes) else json.dumps(content).encode()
                       for name, content in files.items()}  # fmt: skip

    def names(self):
        return iter(sorted(self._files))

    def open(self, name):
        return Memory(self._files[name]) if name in self._files else None


def found(files):
    folder = Folder(files)
    return {(path, finding.rule) for path, finding in look(folder, list(folder.names()))}


CARD = b"---\nlicense: apache-2.0\n---\n# A model\n"


def test_a_complete_repository_has_nothing():
    files = {
        "README.md": CARD,
        "config.json": {"model_type": "bert"},
        "model.safetensors.index.json": {"weight_map": {"a": "model-00001-of-00002.safetensors",
                                                        "b": "model-00002-of-00002.safetensors"}},
        "model-00001-of-00002.safetensors": b"x",
        "model-00002-of-00002.safetensors": b"x",
    }  # fmt: skip

    assert found(files) == set()


def test_shards_that_are_not_there_are_unknown_and_stray_ones_are_named():
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    files = {
        "model.safetensors.index.json": index,
        "model-00001-of-00002.safetensors": b"x",
        "other-00001-of-00001.safetensors": b"x",
    }

    assert found(files) == {
        ("model.safetensors.index.json", "repository/missing-weights"),
        ("other-00001-of-00001.safetensors", "repository/stray-weights"),
    }


def test_parts_of_a_gguf_that_are_not_there_are_unknown():
    files = {"sub/m-00001-of-00003.gguf": b"x", "sub/m-00003-of-00003.gguf": b"x"}
    folder = Folder(files)

    ((path, finding),) = look(folder, list(folder.names()))

    assert path == "sub/m-00001-of-00003.gguf"
    assert finding.level is Level.UNKNOWN


def test_code_that_is_named_is_high_where_it_is_and_hygiene_where_it_is_missing():
    config = {"auto_map": {"AutoModel": "modeling_x.Net"}}

    assert ("sub/modeling_x.py", "repository/custom-code") in found(
        {"sub/config.json": config, "sub/modeling_x.py": b""}
    )
    assert found({"config.json": config}) == {("config.json", "repository/missing-code")}


def test_a_pickle_beside_safetensors_a_card_without_licence_and_one_that_asks_for_trust_are_hygiene():
    files = {
        "config.json": {},
        "README.md": b"Use `AutoModel.from_pretrained('x', trust_remote_code=True)`.",
        "model.safetensors": b"x",
        "pytorch_model.bin": b"x",
        "handler.py": b"",
    }

    assert {rule for _, rule in found(files)} == {
        "repository/no-licence",
        "repository/asks-for-trust",
        "repository/pickle-beside-safetensors",
        "repository/endpoint-handler",
    }


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"a/b/config.json": {"auto_map": {"AutoModel": "net.Net"}}}, "a/b/net.py"),
        ({"modules.json": [{"path": "", "type": "net.Net"}]}, "net.py"),
        ({"model_index.json": {"unet": ["net", "Net"]}}, "unet/net.py"),
        ({"model_index.json": {"_class_name": ["net", "Net"]}}, "net.py"),
        ({"config.cfg": b"", "meta.json": {}}, "net.py"),
        ({}, "hubconf.py"),
        ({}, "custom_generate/generate.py"),
    ],
)
def test_a_file_that_is_run_with_the_model_is_known(files, path):
    assert runs_with_model(Folder(files), path)
    assert not runs_with_model(Folder({"config.json": {"model_type": "bert"}}), "net.py")


@pytest.mark.parametrize(
    "content", [b"{", b"[" * 100_000, b"\xff\xfe", b'{"auto_map": 5, "weight_map": [1]}', b"[1]", b"null"]
)
def test_a_configuration_that_is_none_is_passed_over(content):
    files = {
        "config.json": content,
        "modules.json": content,
        "model.safetensors.index.json": content,
        "README.md": content,
    }

    assert {rule for _, rule in found(files)} <= {"repository/no-licence"}
