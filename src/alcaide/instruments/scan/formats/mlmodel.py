"""MLflow's `MLmodel`: which module loads the model, from which folder of code.

`mlflow.pyfunc.load_model` puts the folders under `code` on the path, imports `loader_module`, and runs a model script
where there is one: all of it before a single prediction. Loaders of MLflow itself are known; every other module is a
stranger's.

Source: MLflow 2 and 3, `mlflow/pyfunc/__init__.py` and `mlflow/models/model.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

MOST = 4 << 20
"""Bytes. Signatures with thousands of columns reach some hundred thousand."""

_CODE = (
    "cwe/CWE-829",
    "cwe/CWE-470",
    "owasp-llm:2025/LLM03",
    "mitre-atlas/AML.T0010.003",
    "mitre-atlas/AML.T0011.000",
)

LOADER = Rule(
    "mlflow/loader-module",
    Level.CRITICAL,
    "model that is loaded by a module of its own",
    "MLflow imports the module before it looks at the model, and importing runs it.",
    "Do not load it. Have the model logged with one of MLflow's own flavours.",
    _CODE,
)
CODE_PATH = Rule(
    "mlflow/code-path",
    Level.HIGH,
    "model that brings its own code",
    "MLflow puts the folder in front of the path: a module in it takes the place of any other of its name.",
    "Read the code, or have the model logged without `code_paths`.",
    _CODE,
)
SCRIPT = Rule(
    "mlflow/model-script",
    Level.CRITICAL,
    "model that is a script",
    "MLflow runs the script to get the model.",
    "Read the script before it is loaded, or have the model logged as an object.",
    _CODE,
)
OUTSIDE = Rule(
    "mlflow/path-outside",
    Level.HIGH,
    "path that leads out of the model",
    "Loading opens whatever is there, or puts it on the path of modules.",
    "Have the model logged anew; paths of a model stay inside its folder.",
    ("cwe/CWE-22", "owasp-llm:2025/LLM03"),
)
FLAVOUR = Rule(
    "mlflow/unknown-flavour",
    Level.MEDIUM,
    "flavour that is not one of MLflow's",
    "Which program loads the model, and how, cannot be told.",
    "Find the plug-in that has the flavour, and decide about it.",
    _CODE,
)
MALFORMED = Rule(
    "mlflow/unreadable",
    Level.MEDIUM,
    "MLmodel that cannot be read",
    "What loading the model would do cannot be told.",
    "Get it again from its source.",
    ("cwe/CWE-20",),
)
RULES = (LOADER, CODE_PATH, SCRIPT, OUTSIDE, FLAVOUR, MALFORMED)

_FLAVOURS = frozenset(
    [
        "python_function", "catboost", "crate", "diviner", "dspy", "fastai", "gluon", "h2o", "haystack",
        "johnsnowlabs", "keras", "langchain", "lightgbm", "llama_index", "mleap", "onnx", "openai", "paddle",
        "pmdarima", "promptflow", "prophet", "pytorch", "sentence_transformers", "shap", "sklearn", "spacy",
        "spark", "statsmodels", "tensorflow", "transformers", "xgboost", "smolagents", "autogen", "agno",
        "crewai", "bedrock", "mistral"
    ]
)  # fmt: skip
_LOADER = regex(r"mlflow\.(?:pyfunc\.(?:model|loaders\.\w+)|[a-z_]+(?:\.[a-z_]+)*)")
_PATHS = regex(
    r"(?:\A|_)(?:data|path|code|file|uri|env|conda|virtualenv|weights|checkpoint|model|config|artifacts|blob|"
    r"binary|local_path|saved_model_dir|model_path|model_data|save_format)(?:\Z|_)"
)
_LIBRARIES = frozenset(
    [
        "catboost", "cloudpickle", "dill", "dspy", "fastai", "h2o", "keras", "langchain", "langchain_core", "lightgbm",
        "lightning", "llama_index", "mlflow", "pickle", "pmdarima", "prophet", "pyspark", "pytorch_lightning",
        "sentence_transformers", "sklearn", "spacy", "statsmodels", "tensorflow", "torch", "transformers", "xgboost",
    ]
)  # fmt: skip
_SCRIPTS = frozenset({"model_code_path", "chain_script", "agent_script"})


def _sniff(glance: Glance) -> bool:
    if glance.name.rsplit("/", 1)[-1] == "MLmodel":
        return True
    head = glance.head
    if not head[:1].isalpha():
        return False
    return b"\nflavors:" in b"\n" + head and (
        b"loader_module:" in head or b"python_function:" in head or b"mlflow_version:" in head
    )


def _examine(source: Source, context: Context) -> None:
    if source.size > MOST:
        raise OverBudget(f"it has {source.size:,} bytes; no `MLmodel` has more than {MOST:,}")
    value = _load(source.read(0, source.size), context)
    if value is None:
        return
    flavours = value.get("flavors")
    if not isinstance(flavours, dict):
        context.find(MALFORMED, "it does not say which flavours the model has")
        return
    context.fact(flavors=sorted(map(str, flavours))[:20], mlflow_version=str(value.get("mlflow_version", "")))
    for name, settings in flavours.items():
        context.tick()
        if name not in _FLAVOURS:
            context.find(
                FLAVOUR,
                f"the flavour `{name}` is none of MLflow's: what loads it is not known",
                place=f"flavors/{name}",
            )
        if isinstance(settings, dict):
            _flavour(str(name), settings, context)
    for key in ("artifact_path", "saved_input_example_info", "signature"):
        _paths(value.get(key), key, context)


def _load(data: bytes, context: Context) -> dict[str, Any] | None:
    """The document, built of plain values only."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # A value takes 350 bytes while it is read. A signature is one text of JSON, with forty commas for each column.
    if (
        data.count(b"*") > 10_000
        or data.count(b"[") + data.count(b"{") > 50_000
        or data.count(b",") > 400_000
        or data.count(b"\n") > 200_000
    ):
        context.find(MALFORMED, "it has more aliases, lists or lines than any model needs")
        return None
    try:
        value = yaml.load(data, Loader=loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        context.find(MALFORMED, f"it is not the YAML that MLflow reads: {str(error).splitlines()[0]}")
        return None
    if not isinstance(value, dict):
        context.find(MALFORMED, "it is no mapping")
        return None
    return value


def _flavour(name: str, settings: dict[Any, Any], context: Context) -> None:
    place = f"flavors/{name}"
    loader = settings.get("loader_module")
    if loader is not None and not (isinstance(loader, str) and _LOADER.fullmatch(loader)):
        context.find(
            LOADER,
            f"loading the model imports the module `{loader}`, which is none of MLflow's",
            place=f"{place}/loader_module",
            module=str(loader),
        )
    code = settings.get("code")
    if code:
        context.find(
            CODE_PATH,
            f"loading the model puts the folder `{code}` in front of the path of modules",
            place=f"{place}/code",
            path=str(code),
        )
    for key in _SCRIPTS:
        if settings.get(key):
            context.find(
                SCRIPT,
                f"loading the model runs `{settings[key]}`",
                place=f"{place}/{key}",
                path=str(settings[key]),
            )
    if settings.get("trust_remote_code") is True:
        context.find(
            CODE_PATH, "loading the model runs code that comes with it (`trust_remote_code`)", place=place
        )
    for key in ("pickle_module", "keras_module", "model_class", "pipeline_class", "estimator_class"):
        module = settings.get(key)
        if isinstance(module, str) and module.split(".")[0] not in _LIBRARIES:
            context.find(
                LOADER,
                f"loading the model imports `{module}`, which is of none of the known libraries",
                place=f"{place}/{key}",
                module=module,
            )
    _paths(settings, place, context)


def _paths(value: Any, place: str, context: Context) -> None:
    """Every text below that is a path, with a bound: the value is a stranger's, and aliases can make it endless."""
    waiting = [(place, "", value, 0)]
    seen = 0
    while waiting and seen < 20_000:
        way, key, one, depth = waiting.pop()
        seen += 1
        context.tick()
        if isinstance(one, dict) and depth < 12:
            waiting.extend((f"{way}/{name}", str(name), item, depth + 1) for name, item in one.items())
        elif isinstance(one, list) and depth < 12:
            waiting.extend((way, key, item, depth + 1) for item in one[:1000])
        elif isinstance(one, str) and _PATHS.search(key):
            why = leads_out(one)
            # Where an artifact was taken from is noted as it was then; only what is inside is opened.
            if why and not (key in {"uri", "artifact_path", "model_uri", "source"} and ".." not in one):
                context.find(OUTSIDE, f"`{key}` is `{one}`: {why}", place=way, path=one)


FORMATS = (Format("mlflow-model", "MLflow model", _sniff, _examine, RULES),)
