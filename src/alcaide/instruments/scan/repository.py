"""What shows only from a repository as a whole: files that are missing, doubled, or belong to each other.

Each file is judged by its own format's reader, without its neighbours where that is possible. Here is the rest, once
for each scanned folder, from the names of its files and from a few of them that are small. Nothing is followed out of
the folder.

Left out: what the code in a repository does; each Python file is judged by itself, knowing whether `auto_map` names it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.context import plain, printable
from alcaide.instruments.scan.json_object import HEAVIEST, weight
from alcaide.instruments.scan.model import Finding, Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alcaide.instruments.scan.context import Folder
    from alcaide.instruments.scan.source import Source

MOST_FOLDERS = 2_000
"""Repositories within one scanned folder that are put together; a folder with more is a store of them."""
_MOST_CONFIG = 16 << 20
_MOST_CARD = 1 << 20
_MOST_CODE_FOLLOWED = 50

MISSING_WEIGHTS = Rule(
    "repository/missing-weights",
    Level.UNKNOWN,
    "weights that are not there",
    "What was not there was not scanned; whoever loads the model later fetches it from elsewhere.",
    "Fetch the missing files and scan the folder again.",
)
MISSING_CODE = Rule(
    "repository/missing-code",
    Level.LOW,
    "code that is named and not there",
    "A loader that finds no code beside the model fetches it from where the model was published.",
    "Fetch the code and scan the folder again.",
    ("cwe/CWE-829",),
)
CODE = Rule(
    "repository/custom-code",
    Level.HIGH,
    "code that is run with the model",
    "Loaded with `trust_remote_code=True`, it runs with all rights of whoever loads the model.",
    "Load the model without `trust_remote_code`, or read the code and pin the revision that was read.",
    (
        "cwe/CWE-829",
        "cwe/CWE-494",
        "owasp-llm:2025/LLM03",
        "mitre-atlas/AML.T0010.003",
        "mitre-atlas/AML.T0011.000",
    ),
)
GIT_HOOK = Rule(
    "repository/git-hook",
    Level.HIGH,
    "git would run a program of the repository's",
    "Hooks and some settings of git run programs as soon as somebody uses git in the folder.",
    "Delete the hook or the setting, or clone the repository afresh: a clone brings neither.",
    ("cwe/CWE-829", "cwe/CWE-78"),
)
HANDLER = Rule(
    "repository/endpoint-handler",
    Level.LOW,
    "handler for an inference endpoint",
    "A hosted endpoint imports and runs `handler.py` when it starts.",
    "Read it before the model is deployed to an endpoint.",
    ("cwe/CWE-829",),
)
BOTH = Rule(
    "repository/pickle-beside-safetensors",
    Level.LOW,
    "the same weights as pickle and as safetensors",
    "A pickle runs code when it is loaded, and which of the two a program prefers is up to the program.",
    "Keep the safetensors, delete the pickle.",
    ("cwe/CWE-502",),
)
STRAY = Rule(
    "repository/stray-weights",
    Level.LOW,
    "weights that the index does not name",
    "They are not loaded with the model; somebody has put them there for something else.",
    "Find out what they are for, or delete them.",
)
NO_LICENCE = Rule(
    "repository/no-licence",
    Level.LOW,
    "no licence in the model card",
    "Whether and how the model may be used is not said.",
    "Ask its publisher, and note the answer with the model.",
)
ASKS_FOR_TRUST = Rule(
    "repository/asks-for-trust",
    Level.LOW,
    "model card that has its reader run code from it",
    "Who follows its instructions loads the model with `trust_remote_code=True`.",
    "Load it without, where the library knows the model by now.",
    ("cwe/CWE-829",),
)
RULES: tuple[Rule, ...] = (
    GIT_HOOK,
    MISSING_WEIGHTS,
    MISSING_CODE,
    CODE,
    HANDLER,
    BOTH,
    STRAY,
    NO_LICENCE,
    ASKS_FOR_TRUST,
)

_MARKERS = frozenset(
    {"config.json", "tokenizer_config.json", "adapter_config.json", "model_index.json", "modules.json",
     "processor_config.json", "preprocessor_config.json", "generation_config.json"}
)  # fmt: skip
_PICKLED = regex(
    r"(?:pytorch_model|model|adapter_model|diffusion_pytorch_model)(?:[-.].*)?\.(?:bin|pt|pth|ckpt)\Z"
)
_TENSORS = regex(r"(?:model|adapter_model|diffusion_pytorch_model|pytorch_model)(?:[-.].*)?\.safetensors\Z")
_SHARD = regex(
    r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.(?:safetensors|bin|gguf|h5))\Z"
)
_TRUSTS = regex(r"trust_remote_code\s*=\s*True")


_GIT_PROGRAMS = frozenset(
    {
        "fsmonitor",
        "sshcommand",
        "hookspath",
        "pager",
        "editor",
        "askpass",
        "textconv",
        "external",
        "gitproxy",
        "command",
    }
)
"""Keys of git's settings whose value is a program, or the folder of some: git-config(1)."""


class _Repository:
    """The files of one folder, without those below."""

    __slots__ = ("below", "names")

    def __init__(self, below: str) -> None:
        self.below = below
        self.names: set[str] = set()

    def path(self, name: str) -> str:
        return f"{self.below}/{name}" if self.below else name


def look(folder: Folder, names: Sequence[str]) -> list[tuple[str, Finding]]:
    """What is wrong with the repositories in a folder, beyond what each file's own look finds.

    Args:
        folder: the scanned folder.
        names: its files, relative to it, with `/`.

    Returns:
        Findings, each with the file that it is to be reported for.
    """
    everything = frozenset(names)
    repositories: dict[str, _Repository] = {}
    for name in names:
        below, _, own = name.rpartition("/")
        if below not in repositories:
            if len(repositories) >= MOST_FOLDERS:
                continue
            repositories[below] = _Repository(below)
        repositories[below].names.add(own)
    found: list[tuple[str, Finding]] = []
    found.extend(_git(names, folder))
    for repository in repositories.values():
        found.extend(_weights(repository, folder))
        if not repository.names.isdisjoint(_MARKERS):
            found.extend(_code(repository, folder, everything))
            found.extend(_doubled(repository))
            found.extend(_card(repository, folder))
    return found


def _git(names: Sequence[str], folder: Folder) -> Iterator[tuple[str, Finding]]:
    """Hooks, and settings that name a program."""
    for name in names:
        if "/.git/hooks/" in f"/{name}":
            hook = name.rpartition("/")[2]
            yield (
                name,
                _finding(GIT_HOOK, f"git runs `{hook}` of this repository when it is used there", hook=hook),
            )
        elif f"/{name}".endswith("/.git/config"):
            for line in _text(folder, name, 1 << 18).splitlines():
                key, _, value = line.strip().partition("=")
                if key.strip().lower() in _GIT_PROGRAMS and value.strip().lower() not in (
                    "",
                    "false",
                    "true",
                ):
                    message = f"git runs `{value.strip()[:200]}`, by its setting `{key.strip()}`"
                    yield name, _finding(GIT_HOOK, message, setting=key.strip())


def _finding(rule: Rule, message: str, **detail: Any) -> Finding:
    return Finding(rule.id, rule.level, printable(message, 1_000), detail=plain(detail))


def _weights(repository: _Repository, folder: Folder) -> Iterator[tuple[str, Finding]]:
    """Are all the weights there that an index names, and that a part's own name counts?"""
    indexed: set[str] = set()
    for name in sorted(repository.names):
        if name.endswith(".index.json"):
            config = _json(folder, repository.path(name))
            weight_map = config.get("weight_map") if isinstance(config, dict) else None
            if not isinstance(weight_map, dict):
                continue
            shards = {shard for shard in weight_map.values() if isinstance(shard, str) and "/" not in shard}
            indexed |= shards
            missing = sorted(shards - repository.names)
            if missing:
                yield (
                    repository.path(name),
                    _finding(
                        MISSING_WEIGHTS,
                        f"it names {len(missing)} files that are not there: {_listed(missing)}",
                        missing=missing[:50],
                    ),
                )
    series: dict[tuple[str, int, str], set[int]] = {}
    for name in repository.names:
        match = _SHARD.match(name)
        if match is None:
            continue
        if name not in indexed and any(other.endswith(match["ending"]) for other in indexed):
            yield repository.path(name), _finding(STRAY, f"no index names `{name}`")
        series.setdefault((match["stem"], int(match["count"]), match["ending"]), set()).add(
            int(match["number"])
        )
    for (stem, count, ending), numbers in sorted(series.items()):
        first = 0 if 0 in numbers else 1
        absent = [number for number in range(first, min(count, 100_000) + first) if number not in numbers]
        if absent and ending == ".gguf":
            shown = [f"{stem}-{number:05}-of-{count:05}{ending}" for number in absent[:50]]
            present = f"{stem}-{min(numbers):05}-of-{count:05}{ending}"
            yield (
                repository.path(present),
                _finding(
                    MISSING_WEIGHTS,
                    f"{len(absent)} of {count} parts are not there: {_listed(shown)}",
                    missing=shown,
                ),
            )


def _code(
    repository: _Repository, folder: Folder, everything: frozenset[str]
) -> Iterator[tuple[str, Finding]]:
    """Which code is run with the model, and is it there?"""
    named: dict[str, str] = {}
    for config in sorted(repository.names & _MARKERS):
        value = _json(folder, repository.path(config))
        for module in _modules(value):
            named.setdefault(module, config)
    for module, config in sorted(named.items())[:_MOST_CODE_FOLLOWED]:
        path = posixpath.normpath(repository.path(module.replace(".", "/") + ".py"))
        if path in everything:
            yield (
                path,
                _finding(
                    CODE, f"`{config}` has it run when the model is loaded with its own code", by=config
                ),
            )
        else:
            yield (
                repository.path(config),
                _finding(MISSING_CODE, f"it names `{module}.py`, which is not there"),
            )
    generate = repository.path("custom_generate/generate.py")
    if generate in everything:
        yield (
            generate,
            _finding(CODE, "it is run in place of the library's own code when the model generates"),
        )
    if "handler.py" in repository.names:
        yield repository.path("handler.py"), _finding(HANDLER, "an inference endpoint runs it when it starts")


def _modules(value: Any) -> Iterator[str]:
    """Modules beside the model that a configuration names."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            for module in value[:1000]:
                made = module.get("type") if isinstance(module, dict) and "path" in module else None
                if (
                    isinstance(made, str)
                    and not made.startswith("sentence_transformers.")
                    and made.count(".") == 1
                ):
                    yield made.split(".")[0]
        return
    auto_map = value.get("auto_map")
    for classes in auto_map.values() if isinstance(auto_map, dict) else ():
        for name in classes if isinstance(classes, list) else [classes]:
            if isinstance(name, str) and "--" not in name and re.fullmatch(r"[\w.]+\.\w+", name):
                yield name.rpartition(".")[0]
    made = value.get("_class_name")
    if isinstance(made, list) and made and isinstance(made[0], str) and re.fullmatch(r"\w+", made[0]):
        yield made[0]
    pipelines = value.get("custom_pipelines")
    for pipeline in pipelines.values() if isinstance(pipelines, dict) else ():
        made = pipeline.get("impl") if isinstance(pipeline, dict) else None
        if isinstance(made, str) and "--" not in made and re.fullmatch(r"[\w.]+\.\w+", made):
            yield made.rpartition(".")[0]


def runs_with_model(folder: Folder | None, path: str) -> bool:
    """Whether a Python file is run when the model beside it is loaded, by the configurations beside it.

    Args:
        folder: the scanned folder.
        path: the file's name in it, or as the report calls it, which may begin with the folder's own name.
    """
    below, _, own = path.rpartition("/")
    if own == "hubconf.py" or path.endswith("custom_generate/generate.py"):
        return True
    if folder is None or not own.endswith(".py"):
        return False
    module = own.removesuffix(".py")
    for place in dict.fromkeys((below, below.partition("/")[2])):
        inside = f"{place}/" if place else ""
        for config in sorted(_MARKERS):
            value = _json(folder, inside + config)
            if any(name.rpartition(".")[2] == module for name in _modules(value)):
                return True
        above, _, component = place.rpartition("/")
        index = _json(folder, f"{above}/model_index.json" if above else "model_index.json")
        if component and isinstance(index, dict) and module in _libraries(index.get(component)):
            return True
        if folder_has(folder, inside + "meta.json") and folder_has(folder, inside + "config.cfg"):
            return True
    return False


def _libraries(component: Any) -> list[Any]:
    return component[:1] if isinstance(component, list) else []


def folder_has(folder: Folder, name: str) -> bool:
    """Whether a folder has a file."""
    source = folder.open(name)
    if source is None:
        return False
    _close(source)
    return True


def _doubled(repository: _Repository) -> Iterator[tuple[str, Finding]]:
    pickled = sorted(name for name in repository.names if _PICKLED.match(name))
    tensors = sorted(name for name in repository.names if _TENSORS.match(name))
    if pickled and tensors:
        yield (
            repository.path(pickled[0]),
            _finding(BOTH, f"`{tensors[0]}` beside it holds weights without code"),
        )


def _card(repository: _Repository, folder: Folder) -> Iterator[tuple[str, Finding]]:
    """What the model card says, and does not say."""
    if "README.md" not in repository.names:
        return
    text = _text(folder, repository.path("README.md"), _MOST_CARD)
    front = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(?:\n|\Z)", text, re.DOTALL)
    said = front is not None and re.search(r"^license\s*:\s*\S", front[1], re.MULTILINE) is not None
    if not said and not any(
        name.lower().startswith(("license", "licence", "copying")) for name in repository.names
    ):
        yield (
            repository.path("README.md"),
            _finding(NO_LICENCE, "it does not say under which licence the model is"),
        )
    if _TRUSTS.search(text):
        yield (
            repository.path("README.md"),
            _finding(ASKS_FOR_TRUST, "its instructions load the model with `trust_remote_code=True`"),
        )


def _json(folder: Folder, name: str) -> Any:
    """A small JSON file's value; None where it is none, or too long."""
    import msgspec

    data = _bytes(folder, name, _MOST_CONFIG)
    try:
        return msgspec.json.decode(data) if data and weight(data) <= HEAVIEST else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _text(folder: Folder, name: str, most: int) -> str:
    return _bytes(folder, name, most).decode("utf-8", "replace")


def _bytes(folder: Folder, name: str, most: int) -> bytes:
    source = folder.open(name)
    if source is None:
        return b""
    try:
        return source.read(0, min(source.size, most))
    except Exception:  # noqa: BLE001 - a file that cannot be read is reported by its own look
        return b""
    finally:
        _close(source)


def _close(source: Source) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:5]) + (" …" if len(names) > 5 else "")
