"""What surrounds models and was written by nobody's library: templates, settings, notebooks, lists, archives.

All of it is our own text, in the shapes that such files ordinarily have; it is here because scanners that look for
words (`exec`, `import`, `__`, `http`) take fright at exactly these files.
"""

# ruff: noqa: E501 - tables, one entry a line

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib

from tests.corpora.models.benign.recipe import add, recipe

_CHATML = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
_INSTRUCT = "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate user/assistant') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
_TOOLS = """{%- macro render(properties) -%}
{%- for name, fields in properties.items() %}
{{- name }}: {{ fields.type }}{% if fields.description is defined %} - {{ fields.description }}{% endif %}
{% endfor -%}
{%- endmacro -%}
{%- set state = namespace(last=-1, seen=false) -%}
{%- for message in messages[::-1] -%}
{%- if message.role == 'user' and not state.seen -%}{%- set state.last = loop.index0 -%}{%- set state.seen = true -%}{%- endif -%}
{%- endfor -%}
{%- if tools -%}
{{- '<tools>' }}
{%- for tool in tools -%}
{{- tool.function.name }}({{ render(tool.function.parameters.properties) }}){{ tool | tojson(indent=2) }}
{%- endfor -%}
{{- '</tools>' }}
{%- endif -%}
{%- for message in messages -%}
{%- if message.content is string -%}
{{- '<|' ~ message.role ~ '|>' ~ (message.content | trim) -}}
{%- else -%}
{%- for part in message.content | selectattr('type', 'equalto', 'text') -%}{{ part.text }}{%- endfor -%}
{%- endif -%}
{%- if message.tool_calls is defined and message.tool_calls is iterable -%}
{%- for call in message.tool_calls -%}{{ '<call>' ~ call.function.name ~ ' ' ~ (call.function.arguments | tojson) ~ '</call>' }}{%- endfor -%}
{%- endif -%}
{%- endfor -%}
"""
_THINKING = """{%- if messages[0]['role'] == 'system' -%}{%- set system = messages[0]['content'] -%}{%- set rest = messages[1:] -%}{%- else -%}{%- set system = 'You are a helpful assistant. Today is ' + strftime_now('%Y-%m-%d') + '.' -%}{%- set rest = messages -%}{%- endif -%}
{{- '<|system|>' + system + '<|end|>' -}}
{%- for m in rest -%}
{%- set content = m['content'].split('</think>')[-1].lstrip('\\n') if '</think>' in m['content'] else m['content'] -%}
{{- '<|' + m['role'] + '|>' + content | replace('\\t', '  ') | upper | lower + '<|end|>' -}}
{%- if not loop.last -%}{{ '\\n' }}{%- endif -%}
{%- endfor -%}
{%- if enable_thinking is defined and enable_thinking is false -%}{{ '<think></think>' }}{%- endif -%}
"""


def _js(value) -> str:
    return json.dumps(value, indent=2) + "\n"


def _tree(files):
    def make(path):
        for name, content in files.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


# ── Chat templates ───────────────────────────────────────────────────────────────────────────────────────────────

for _name, _template in {
    "chatml": _CHATML,
    "instruct": _INSTRUCT,
    "tools": _TOOLS,
    "thinking": _THINKING,
}.items():
    _config = {
        "tokenizer_class": "LlamaTokenizer",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "model_max_length": 4096,
        "chat_template": _template,
    }
    add(
        "chat-templates",
        f"{_name}",
        f"a tokenizer's configuration with a {_name} template",
        _tree({"tokenizer_config.json": _js(_config), "special_tokens_map.json": _js({"bos_token": "<s>"})}),
    )
add(
    "chat-templates",
    "file",
    "a template in a file of its own",
    _tree({"chat_template.jinja": _TOOLS, "tokenizer_config.json": _js({"eos_token": "</s>"})}),
)
add(
    "chat-templates",
    "several",
    "two templates by name",
    _tree(
        {
            "tokenizer_config.json": _js(
                {
                    "chat_template": [
                        {"name": "default", "template": _CHATML},
                        {"name": "tool_use", "template": _TOOLS},
                    ]
                }
            )
        }
    ),
)
add(
    "chat-templates",
    "processor",
    "a processor's template",
    _tree(
        {
            "processor_config.json": _js({"processor_class": "LlavaProcessor", "chat_template": _CHATML}),
            "chat_template.json": _js({"chat_template": _CHATML}),
        }
    ),
)


# ── Repositories ─────────────────────────────────────────────────────────────────────────────────────────────────

_CARD = """---
license: mit
language: [en]
tags: [text-classification]
base_model: bert-base-uncased
---

# A classifier of tickets

```python
from transformers import pipeline

classify = pipeline("text-classification", model="path/to/this")
print(classify("the printer is on fire"))
```

Run `pip install transformers torch` first. See <https://example.org/tickets> for the data.
"""


def _tensors(names) -> bytes:
    header, place = {"__metadata__": {"format": "pt"}}, 0
    for name in names:
        header[name] = {"dtype": "F32", "shape": [2, 4], "data_offsets": [place, place + 32]}
        place += 32
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw)) + raw + bytes(place)


_BERT = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "id2label": {"0": "A", "1": "B"},
    "torch_dtype": "float32",
    "transformers_version": "4.40.0",
}
add("repositories", "classifier", "a repository as one publishes it", _tree({
    "README.md": _CARD, "config.json": _js(_BERT), "model.safetensors": _tensors(["bert.w", "classifier.w"]),
    "tokenizer_config.json": _js({"do_lower_case": True, "tokenizer_class": "BertTokenizer"}), "vocab.txt": "[PAD]\n[UNK]\nthe\nprinter\nexec\nimport\n",
    "special_tokens_map.json": _js({"unk_token": "[UNK]"}), ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
    "generation_config.json": _js({"max_length": 20, "transformers_version": "4.40.0"}),
}))  # fmt: skip
add("repositories", "sharded", "weights in two shards with their index", _tree({
    "config.json": _js(_BERT), "model-00001-of-00002.safetensors": _tensors(["a"]), "model-00002-of-00002.safetensors": _tensors(["b"]),
    "model.safetensors.index.json": _js({"metadata": {"total_size": 64}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}),
}))  # fmt: skip
add("repositories", "diffusion", "a diffusion pipeline's index with its parts", _tree({
    "model_index.json": _js({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.27.0", "unet": ["diffusers", "UNet2DConditionModel"], "scheduler": ["diffusers", "DDIMScheduler"], "safety_checker": [None, None]}),
    "unet/config.json": _js({"_class_name": "UNet2DConditionModel", "sample_size": 8}), "unet/diffusion_pytorch_model.safetensors": _tensors(["conv"]),
    "scheduler/scheduler_config.json": _js({"_class_name": "DDIMScheduler", "beta_start": 0.0001}),
}))  # fmt: skip
add("repositories", "adapter", "an adapter and what it was trained from", _tree({
    "adapter_config.json": _js({"peft_type": "LORA", "base_model_name_or_path": "mistral-7b", "r": 8, "target_modules": ["q_proj"], "auto_mapping": None}),
    "adapter_model.safetensors": _tensors(["base_model.model.q_proj.lora_A.weight"]), "README.md": _CARD,
}))  # fmt: skip
add("repositories", "sentence-encoder", "a sentence encoder's modules", _tree({
    "modules.json": _js([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]),
    "1_Pooling/config.json": _js({"word_embedding_dimension": 8, "pooling_mode_mean_tokens": True}), "config.json": _js(_BERT), "model.safetensors": _tensors(["w"]),
}))  # fmt: skip


# ── Settings ─────────────────────────────────────────────────────────────────────────────────────────────────────

_YAML = {
    "training": "model:\n  name: resnet18\n  pretrained: false\noptimizer: &opt\n  name: adamw\n  lr: 3.0e-4\nfinetune:\n  <<: *opt\n  lr: 1e-5\npaths: [data/train, data/val]\n",
    "hydra": "defaults:\n- model: small\n- _self_\nmodel:\n  _target_: torch.nn.Linear\n  in_features: 4\n  out_features: 2\noptimizer:\n  _target_: torch.optim.AdamW\n  _partial_: true\n  lr: 0.001\n",
    "detector": "train: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\nbackbone:\n  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 3, C2f, [128, true]]\n",
    "environment": "name: train\nchannels: [conda-forge, nodefaults]\ndependencies:\n- python=3.11\n- pip\n- pip:\n  - torch==2.1.0\n  - transformers>=4.40\n",
    "compose": "services:\n  serve:\n    image: tritonserver:24.01\n    command: tritonserver --model-repository=/models\n    ports: ['8000:8000']\n",
    "several": "a: 1\n---\nb: !!str 2\nwhen: 2024-01-01\nbinary: !!binary aGVsbG8=\n",
}  # fmt: skip
for _name, _text in _YAML.items():
    add("settings", f"{_name}.yaml", f"YAML: {_name}", lambda p, t=_text: p.write_text(t))

_REQUIREMENTS = {
    "pinned": "numpy==1.26.4\ntorch==2.1.0  # pinned for the export\nscikit-learn==1.4.2\n",
    "ranges": "numpy>=1.24,<3\npandas~=2.2\ntransformers[torch]>=4.40; python_version >= '3.9'\n-r base.txt\n-c constraints.txt\n",
    "hashes": "joblib==1.4.2 \\\n    --hash=sha256:06d478d5674cbc267e7496a410ee875abd68e4340feff4490bcb7afb88060ae6\n",
}  # fmt: skip
for _name, _text in _REQUIREMENTS.items():
    add("settings", f"{_name}/requirements.txt", f"requirements: {_name}", lambda p, t=_text: p.write_text(t))
add(
    "settings",
    "project",
    "a project's own settings",
    _tree(
        {
            "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "tickets"\nversion = "1.0"\ndependencies = ["numpy>=1.26"]\n',
            "src/tickets/__init__.py": '"""Tickets."""\n',
        }
    ),
)


# ── Notebooks ────────────────────────────────────────────────────────────────────────────────────────────────────


def _notebook(*cells):
    listed = []
    for source, outputs in cells:
        if source.startswith("#"):
            listed.append(
                {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}
            )
        else:
            listed.append(
                {
                    "cell_type": "code",
                    "execution_count": 1,
                    "metadata": {},
                    "outputs": outputs,
                    "source": source.splitlines(keepends=True),
                }
            )
    return _js(
        {
            "cells": listed,
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


_TABLE = {
    "output_type": "execute_result",
    "execution_count": 1,
    "metadata": {},
    "data": {
        "text/plain": ["   a\n", "0  1"],
        "text/html": [
            '<div><table border="1" class="dataframe"><tr><th>a</th></tr><tr><td>1</td></tr></table></div>'
        ],
    },
}
add(
    "notebooks",
    "training.ipynb",
    "a training, with a table in its output",
    lambda p: p.write_text(
        _notebook(
            ("# Train\nA *small* model.", []),
            ("%matplotlib inline\nimport pandas as pd\nfrom sklearn.linear_model import Ridge\n", []),
            ("frame = pd.DataFrame({'a': [1]})\nframe.head()\n", [_TABLE]),
            (
                "model = Ridge().fit(frame, [1])\nmodel.score(frame, [1])\n",
                [{"output_type": "stream", "name": "stdout", "text": ["1.0\n"]}],
            ),
        )
    ),
)
add(
    "notebooks",
    "evaluation.ipynb",
    "an evaluation by torch, in evaluation mode",
    lambda p: p.write_text(
        _notebook(
            ("# Evaluate", []),
            (
                "import torch\nmodel = torch.nn.Linear(2, 1)\nmodel.eval()\nwith torch.no_grad():\n    model(torch.ones(1, 2))\n",
                [],
            ),
        )
    ),
)


# ── Archives, pictures, tables ───────────────────────────────────────────────────────────────────────────────────


def _zip(files) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def _tar(files, mode="w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as out:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


_FILES = {
    "model/config.json": _js(_BERT).encode(),
    "model/model.safetensors": _tensors(["w"]),
    "model/README.md": _CARD.encode(),
}
add("archives", "model.zip", "a repository in a zip", lambda p: p.write_bytes(_zip(_FILES)))
add("archives", "model.tar", "a repository in a tar", lambda p: p.write_bytes(_tar(_FILES)))
add(
    "archives",
    "model.tar.gz",
    "a repository in a packed tar",
    lambda p: p.write_bytes(gzip.compress(_tar(_FILES), mtime=0)),
)
add(
    "archives",
    "nested.zip",
    "a zip in a zip",
    lambda p: p.write_bytes(_zip({"inner.zip": _zip(_FILES), "notes.txt": b"see inner.zip"})),
)
add(
    "archives",
    "data.csv.gz",
    "a packed table",
    lambda p: p.write_bytes(gzip.compress(b"a,b\n1,2\n" * 50, mtime=0)),
)


@recipe("pictures", "gradient.png", "a picture")
def _(path):
    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = b"".join(b"\0" + bytes((x * 8 + y) % 256 for x in range(32)) for y in range(32))
    head = struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@recipe("settings", "regression.pmml", "a regression in PMML")
def _(path):
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">\n'
        '<Header><Application name="tests" version="1"/></Header>\n<DataDictionary numberOfFields="2">'
        '<DataField name="x" optype="continuous" dataType="double"/><DataField name="y" optype="continuous" dataType="double"/>'
        '</DataDictionary>\n<RegressionModel functionName="regression"><MiningSchema><MiningField name="x"/>'
        '<MiningField name="y" usageType="target"/></MiningSchema><RegressionTable intercept="1">'
        '<NumericPredictor name="x" coefficient="2"/></RegressionTable></RegressionModel>\n</PMML>\n'
    )


add(
    "settings",
    "words.txt",
    "a vocabulary with words that frighten",
    lambda p: p.write_text("import\nexec\neval\nos.system\nsubprocess\n__globals__\npickle\n"),
)
add("settings", "merges.txt", "merges of a BPE", lambda p: p.write_text("#version: 0.2\nĠ t\nh e\nĠt he\n"))
add(
    "settings",
    "conversation.jsonl",
    "conversations to train on",
    lambda p: p.write_text(
        '{"messages": [{"role": "user", "content": "how do I call os.system?"}, {"role": "assistant", "content": "better use subprocess.run"}]}\n'
        * 5
    ),
)
