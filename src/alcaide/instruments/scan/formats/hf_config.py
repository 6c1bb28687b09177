"""Configurations of Hugging Face repositories: which code they have loaded, from where, and what templates they carry.

`config.json`, `tokenizer_config.json`, `processor_config.json`, `adapter_config.json`, `modules.json`,
`model_index.json`, `generation_config.json`, `*.index.json` and their kin are data, but name classes to import,
repositories to fetch code from, files to open, and templates to run. Each file is judged by itself; what shows only
from several together is in `repository`.

The keys are those that `transformers` 4 and 5, `diffusers`, `peft`, `sentence-transformers` and `huggingface_hub` act
on. Names that other programs import (`_target_` and its like) are the generic JSON reader's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.texts.targets import reach
from alcaide.instruments.scan.formats.wordlists import words
from alcaide.instruments.scan.hidden import examine_text, text_rules
from alcaide.instruments.scan.json_object import HEAVIEST, mentions, weight
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.templates import examine_template, is_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

MOST = 32 << 20
"""Bytes that are parsed. The longest published index has some 9,000,000."""
_DEEPEST = 60
_HUGE = 1 << 33
"""No layer, vocabulary or window is as long."""

_NEEDLES = tuple(
    f'"{key}"'.encode()
    for key in (
        "auto_map", "trust_remote_code", "custom_pipelines", "custom_pipeline", "custom_objects", "custom_generate",
        "chat_template", "default_chat_template", "tokenizer_class", "architectures", "model_type", "peft_type",
        "_class_name", "weight_map", "processor_class", "image_processor_type", "feature_extractor_type",
        "added_tokens_decoder", "transformers_version", "_diffusers_version", "quant_method", "auto_mapping",
        "base_model_name_or_path", "_attn_implementation", "attn_implementation", "additional_special_tokens",
        "activation_function", "activation_fn",
    )
)  # fmt: skip
_NAMES = frozenset(
    {
        "config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json",
        "generation_config.json", "adapter_config.json", "model_index.json", "modules.json", "chat_template.json",
        "special_tokens_map.json", "added_tokens.json", "scheduler_config.json", "sentence_bert_config.json",
        "config_sentence_transformers.json", "quantize_config.json", "image_processor_config.json",
        "video_preprocessor_config.json", "feature_extractor_config.json", "router_config.json",
    }
)  # fmt: skip

_CODE = (
    "cwe/CWE-829",
    "cwe/CWE-494",
    "owasp-llm:2025/LLM03",
    "mitre-atlas/AML.T0010.003",
    "mitre-atlas/AML.T0011.000",
)

REMOTE_CODE = Rule(
    "huggingface/custom-code",
    Level.HIGH,
    "model that brings its own code",
    "Loaded with `trust_remote_code=True`, the code runs with all rights of whoever loads the model.",
    "Load it without `trust_remote_code`, or read the code and pin the revision that was read.",
    _CODE,
)
FOREIGN_CODE = Rule(
    "huggingface/code-from-elsewhere",
    Level.HIGH,
    "model whose code comes from another repository",
    "The code is fetched when the model is loaded, from a place that can change it at any time and was not scanned.",
    "Fetch and scan that repository, copy the code beside the model, and pin it.",
    _CODE,
)
CLASS = Rule(
    "huggingface/class-from-elsewhere",
    Level.HIGH,
    "configuration that names a class outside of the known libraries",
    "The loader imports the module that is named, and importing runs it.",
    "Name a class of the library itself, or read the module that is named.",
    ("cwe/CWE-470", *_CODE),
)
OUTSIDE = Rule(
    "huggingface/path-outside",
    Level.HIGH,
    "file name that leads out of the repository",
    "Loading opens whatever is there: a secret to be read, or a file that somebody else has put there.",
    "Put the file into the repository and name it without `..` or an absolute path.",
    ("cwe/CWE-22", "owasp-llm:2025/LLM03"),
)
BASE = Rule(
    "huggingface/base-model",
    Level.LOW,
    "adapter whose base model cannot be told",
    "An adapter is half a model: what it does depends on the base, which has to be known and scanned.",
    "Name the base model by its repository, and scan it.",
    ("owasp-llm:2025/LLM03",),
)
HUGE = Rule(
    "huggingface/huge-size",
    Level.MEDIUM,
    "size that no model has",
    "The loader reserves memory by it before it looks at any weight.",
    "Get the configuration again from its publisher.",
    ("cwe/CWE-789", "cwe/CWE-400"),
)
MALFORMED = Rule(
    "huggingface/unreadable-config",
    Level.MEDIUM,
    "configuration that does not say what it has to",
    "Loaders differ in what they make of it.",
    "Get it again from its publisher.",
    ("cwe/CWE-20",),
)
RULES = (REMOTE_CODE, FOREIGN_CODE, CLASS, OUTSIDE, BASE, HUGE, MALFORMED)

_IDENTIFIER = regex(r"[A-Za-z_]\w*")
_PATH_KEYS = regex(r"(?:_file|_path|_dir|filename|_files)\Z|\A(?:file|path|subfolder|weights_name)\Z")
_LOCAL_KEYS = frozenset(
    [
        "name_or_path", "_name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file",
        "merges_file", "spm_file", "base_model_name_or_path", "source_model", "output_dir", "cache_dir",
        "log_dir", "logging_dir", "model_path", "dataset_path", "train_file", "data_path", "image_path",
        "base_model_path", "resume_from_checkpoint", "run_path"
    ]
)  # fmt: skip
"""Keys under which savers leave a path of the machine that they ran on; loaders from a repository pass it over."""
_CLASS_KEYS = frozenset(
    [
        "tokenizer_class", "processor_class", "image_processor_type", "feature_extractor_type",
        "video_processor_type", "image_processor_class", "feature_extractor_class", "config_class",
        "model_class", "audio_processor_class", "video_processor_class", "slow_tokenizer_class"
    ]
)  # fmt: skip
_SIZES = frozenset(
    [
        "vocab_size", "hidden_size", "num_hidden_layers", "intermediate_size", "num_attention_heads", "d_model",
        "n_layer", "n_embd", "n_head", "num_layers", "num_experts", "num_local_experts", "type_vocab_size",
        "head_dim", "image_size", "num_channels"
    ]
)  # fmt: skip
_ATTENTION = frozenset({"_attn_implementation", "attn_implementation", "_attn_implementation_internal"})
_ACTIVATIONS = frozenset(
    {"activation_function", "activation_fn", "default_activation_function", "loss_function"}
)
_TEMPLATES = frozenset({"chat_template", "default_chat_template", "chat_templates"})
_TOKENS = frozenset(
    [
        "additional_special_tokens", "added_tokens_decoder", "bos_token", "eos_token", "pad_token", "unk_token",
        "cls_token", "sep_token", "mask_token", "extra_special_tokens"
    ]
)  # fmt: skip
_PARENT_LIBRARIES = (
    "transformers",
    "diffusers",
    "timm",
    "torch",
    "torchvision",
    "sentence_transformers",
    "open_clip",
)
_COMPONENTS = frozenset(
    {"diffusers", "transformers", "onnxruntime", "optimum", "flax", "peft", "sentencepiece"}
)


@lru_cache(maxsize=1)
def _pipelines() -> frozenset[str]:
    """Pipelines of `diffusers` that bring components of their own: a library's name in `model_index.json`."""
    return words("diffusers-pipelines.txt")


def _sniff(glance: Glance) -> bool:
    name = glance.lower_name.rsplit("/", 1)[-1]
    if name in _NAMES and glance.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return True
    if glance.head[:1] == b"[":
        return b"sentence_transformers" in glance.head or (
            b'"type"' in glance.head and b'"idx"' in glance.head
        )
    return mentions(glance, _NEEDLES)


def _examine(source: Source, context: Context) -> None:
    if source.size > MOST:
        raise OverBudget(f"it has {source.size:,} bytes; no configuration has more than {MOST:,}")
    import msgspec

    data = source.read(0, source.size).removeprefix(b"\xef\xbb\xbf")
    if weight(data) > HEAVIEST:
        raise OverBudget("it holds more values than any configuration does")
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # JSON that only some programs read (comments, `NaN`, a comma too many) is read as they would.
        value = _leniently(source, context, str(error))
    name = context.node.name.rsplit("/", 1)[-1].lower()
    if isinstance(value, list):
        _modules(value, context)
        return
    if not isinstance(value, dict):
        return
    _Configuration(context, name).look(value)


def _leniently(source: Source, context: Context, why: str) -> Any:
    import json

    try:
        return json.loads(source.read(0, source.size).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        context.find(MALFORMED, f"it cannot be read as JSON: {why}")
        return None


def walk(value: Any, context: Context) -> Iterator[tuple[str, str, Any]]:
    """Everything below a JSON value, as (way to it, its key, itself), without recursion."""
    below = [_below("", "", value)]
    while below:
        found = next(below[-1], None)
        if found is None:
            below.pop()
            continue
        context.tick()
        yield found
        way, key, one = found
        if isinstance(one, dict | list) and one:
            if len(below) >= _DEEPEST:
                context.find(MALFORMED, f"`{way[:60]}…` is nested more than {_DEEPEST} deep")
                return
            below.append(_below(way, key, one))


def _below(way: str, key: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """What a JSON value holds itself, one by one: a list of a million things is not doubled to walk over it."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"{way}/{name}" if way else str(name), str(name), item
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield f"{way}/{number}", key, item


class _Configuration:
    """One configuration, an object."""

    def __init__(self, context: Context, name: str) -> None:
        self._context = context
        self._name = name

    def look(self, value: dict[str, Any]) -> None:
        """Judge what is known of the file's kind, then every key wherever it stands."""
        context = self._context
        facts = {
            key: value[key]
            for key in ("model_type", "architectures", "_class_name", "peft_type", "tokenizer_class",
                        "base_model_name_or_path", "transformers_version")
            if isinstance(value.get(key), str | list)
        }  # fmt: skip
        context.fact(**facts)
        if "weight_map" in value:
            self._weights(value["weight_map"])
            return
        if "peft_type" in value or "base_model_name_or_path" in value:
            self._adapter(value)
        # A model's own configuration has a class as well, and lists of two names that are no components.
        if "_class_name" in value and (
            self._name == "model_index.json"
            or any(
                isinstance(item, list) and item[:1] in (["diffusers"], ["transformers"])
                for item in value.values()
            )
        ):
            self._pipeline(value)
        for way, key, one in walk(value, context):
            self._key(way, key, one)

    def _key(self, way: str, key: str, one: Any) -> None:
        if way.startswith("added_tokens_decoder/") and key != "content":
            return
        match one:
            case dict() | list():
                self._container(way, key, one)
            case True if key == "trust_remote_code":
                self._context.find(
                    REMOTE_CODE,
                    "it asks to be loaded with `trust_remote_code`: code beside the model is run",
                    place=way,
                )
            case bool() | float() | None:
                pass
            case int():
                if key in _SIZES and abs(one) > _HUGE:
                    self._context.find(
                        HUGE, f"`{key}` is {one:,}: the loader reserves memory by it", place=way
                    )
            case str():
                self._text(way, key, one)

    def _container(self, way: str, key: str, one: dict[str, Any] | list[Any]) -> None:
        if way.count("/") > 6:
            return
        if key == "auto_map" and isinstance(one, dict) and one:
            self._auto_map(way, one)
        elif key in {"custom_pipelines", "custom_objects"} and one:
            names = ", ".join(f"`{name}`" for name in list(one)[:5])
            self._context.find(
                REMOTE_CODE, f"loading it imports code that is beside the model, for {names}", place=way
            )
        elif key in _TEMPLATES and isinstance(one, list):
            for item in one[:64]:
                if isinstance(item, dict) and isinstance(item.get("template"), str):
                    examine_template(item["template"], self._context, f"{way}/{item.get('name', '')}")
        elif key in _TEMPLATES and isinstance(one, dict):
            for name, item in list(one.items())[:64]:
                if isinstance(item, str):
                    examine_template(item, self._context, f"{way}/{name}")
        elif key == "auto_mapping" and isinstance(one, dict):
            self._auto_mapping(way, one)
        elif key == "_class_name" and isinstance(one, list) and one:
            self._context.find(
                REMOTE_CODE,
                f"loading the pipeline imports its own code, `{one[0]}.py`",
                place=way,
                module=str(one[0]),
            )

    def _auto_map(self, way: str, classes: dict[str, Any]) -> None:
        elsewhere: set[str] = set()
        own: set[str] = set()
        for item in classes.values():
            for name in item if isinstance(item, list) else [item]:
                if isinstance(name, str) and name:
                    (elsewhere if "--" in name else own).add(name)
        for name in sorted(elsewhere)[:20]:
            repository = name.split("--", 1)[0]
            self._context.find(
                FOREIGN_CODE,
                f"loading it with `trust_remote_code` fetches and runs `{name.split('--', 1)[1]}` of the repository "
                f"`{repository}`",
                place=way,
                repository=repository,
                callable=name,
            )
        if own:
            shown = ", ".join(f"`{name}`" for name in sorted(own)[:6])
            self._context.find(
                REMOTE_CODE,
                f"loading it with `trust_remote_code` runs code that comes with the model: {shown}",
                place=way,
                callables=sorted(own),
            )

    def _auto_mapping(self, way: str, mapping: dict[str, Any]) -> None:
        library = mapping.get("parent_library")
        if (
            not isinstance(library, str)
            or library == "__main__"
            or library.split(".")[0] in _PARENT_LIBRARIES
        ):
            return
        outside = "transformers_modules" in library
        self._context.find(
            CLASS,
            f"loading the adapter imports the module `{library}`"
            + (", the base model's own code" if outside else ", which is none of the known libraries"),
            level=Level.CRITICAL if reach(f"{library}.{mapping.get('base_model_class')}") else None,
            place=way,
            module=library,
        )

    def _text(self, way: str, key: str, text: str) -> None:  # noqa: C901 - one case for each kind of key
        context = self._context
        if key in _TEMPLATES:
            examine_template(text, context, way)
            return
        if key in {"custom_pipeline", "custom_generate"} and text:
            context.find(REMOTE_CODE, f"loading it runs the code of `{text}`", place=way)
        elif key == "auto_map" and text:
            self._auto_map(way, {"": text})
        elif key == "trust_remote_code" and text.lower() in {"true", "1", "yes"}:
            self._key(way, key, True)
        elif key in _CLASS_KEYS or (key == "architectures" and len(text) < 200):
            self._class(way, key, text)
        elif key in _ATTENTION:
            if "/" in text:
                context.find(
                    FOREIGN_CODE,
                    f"loading it fetches and runs a compiled kernel of the repository `{text}`",
                    place=way,
                    repository=text,
                )
        elif key in _ACTIVATIONS and "." in text:
            if not text.startswith(("torch.nn.", "sentence_transformers.", "transformers.")):
                context.find(
                    CLASS,
                    f"loading it imports `{text}`, which is none of the known libraries",
                    place=way,
                    callable=text,
                )
        elif _PATH_KEYS.search(key):
            self._path(way, key, text)
        if key in _TOKENS or way.startswith("added_tokens_decoder/"):
            token(text, context, way)
        elif len(text) >= 12:
            examine_text(text, context, way, template=is_template(text) and len(text) > 20)

    def _class(self, way: str, key: str, text: str) -> None:
        if _IDENTIFIER.fullmatch(text) or not text:
            return
        elsewhere = "--" in text
        known = (
            text.startswith(("transformers.", "sentence_transformers.", "diffusers.", "timm."))
            and not elsewhere
        )
        if known and all(_IDENTIFIER.fullmatch(step) for step in text.split(".")):
            return
        if key in {"config_class", "model_class", "architectures"} and not elsewhere and "/" not in text:
            return
        self._context.find(
            FOREIGN_CODE if elsewhere else CLASS,
            f"`{key}` names `{text}`, which is no class of the library: loading it imports what is named",
            place=way,
            callable=text,
        )

    def _path(self, way: str, key: str, text: str) -> None:
        if key in _LOCAL_KEYS or way.startswith(("pretrained_cfg", "quantization_config", "task_specific")):
            upwards = ".." in text.replace("\\", "/").split("/") and key.endswith("_file")
            if not upwards:
                return
        why = leads_out(text)
        if why and why != "it is an address":
            self._context.find(
                OUTSIDE, f"`{key}` is `{text}`: {why}", place=way, path=text,
                level=None if ".." in text or "etc" in text.split("/") else Level.LOW,
            )  # fmt: skip

    def _weights(self, weight_map: Any) -> None:
        """`*.index.json`: which file holds which tensor."""
        context = self._context
        if not isinstance(weight_map, dict):
            context.find(MALFORMED, "`weight_map` is no object")
            return
        files = {name for name in weight_map.values() if isinstance(name, str)}
        if len(files) < len(set(map(str, weight_map.values()))):
            context.find(MALFORMED, "`weight_map` names something that is no file", place="weight_map")
        for name in sorted(files):
            context.tick()
            why = leads_out(name)
            if why:
                context.find(
                    OUTSIDE, f"loading the weights opens `{name}`: {why}", place="weight_map", path=name
                )
        context.fact(tensors=len(weight_map), shards=len(files))

    def _adapter(self, value: dict[str, Any]) -> None:
        base = value.get("base_model_name_or_path")
        context = self._context
        if base is None or base == "":
            context.find(
                BASE, "the adapter does not say which model it is for", place="base_model_name_or_path"
            )
        elif not isinstance(base, str):
            context.find(MALFORMED, "`base_model_name_or_path` is no text", place="base_model_name_or_path")
        elif re.match(r"(?:https?|ftp|file|s3|git\+\w+|smb)://|\\\\", base):
            context.find(
                OUTSIDE,
                f"loading the adapter looks for its base model at the address `{base}`",
                level=Level.MEDIUM,
                place="base_model_name_or_path",
                path=base,
            )
        elif ".." in base.replace("\\", "/").split("/") or base.startswith(("/etc", "/proc", "/dev", "~")):
            context.find(
                OUTSIDE,
                f"loading the adapter takes its base model from `{base}`, outside of the repository",
                level=Level.MEDIUM,
                place="base_model_name_or_path",
                path=base,
            )
        elif base.startswith(("/", "./")) or re.match(r"[A-Za-z]:[\\/]", base):
            context.find(
                BASE, f"the adapter names a path of one machine as its base model: `{base}`",
                place="base_model_name_or_path",
            )  # fmt: skip

    def _pipeline(self, value: dict[str, Any]) -> None:
        """`model_index.json`: component → [library, class]."""
        for name, component in value.items():
            self._context.tick()
            if name.startswith("_") or not (isinstance(component, list) and len(component) == 2):
                continue
            library, made = component
            if library is None or made is None:
                continue
            if not isinstance(library, str) or not isinstance(made, str):
                continue
            known = library.split(".")[0] in _COMPONENTS or library in _pipelines()
            if not known or not all(_IDENTIFIER.fullmatch(step) for step in made.split(".")):
                self._context.find(
                    CLASS,
                    f"loading the pipeline imports `{library}` for `{made}`: code beside the model, or a library that "
                    "is not known",
                    place=name,
                    module=library,
                    callable=made,
                )


def _modules(value: list[Any], context: Context) -> None:
    """`modules.json` of sentence-transformers: which class to import for each step."""
    for number, module in enumerate(value[:1000]):
        context.tick()
        if not isinstance(module, dict) or not isinstance(module.get("type"), str) or "path" not in module:
            continue
        made = module["type"]
        if not made.startswith("sentence_transformers.") or not all(
            map(_IDENTIFIER.fullmatch, made.split("."))
        ):
            context.find(
                CLASS,
                f"loading the model imports `{made}`, which is none of `sentence_transformers`",
                level=Level.CRITICAL if reach(made) else None,
                place=str(number),
                callable=made,
            )
        path = module["path"]
        why = leads_out(path) if isinstance(path, str) else "it is no text"
        if why:
            context.find(
                OUTSIDE, f"loading the model opens `{path}`: {why}", place=str(number), path=str(path)
            )


def token(text: str, context: Context, place: str) -> None:
    """Judge a token that a tokenizer adds: some are read by a model as one symbol, however long they are."""
    examine_text(text, context, place, template=len(text) > 24)


FORMATS = (
    Format("huggingface-config", "Hugging Face configuration", _sniff, _examine, (*RULES, *text_rules())),
)
