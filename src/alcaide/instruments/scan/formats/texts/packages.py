"""Lists of packages and what runs when they are installed: requirements, conda, pyproject, package.json, Dockerfile.

A list of packages is a list of programs to run, for installing runs code. What counts is where they come from (an
index that another decides) and whether a name only looks like the one that was meant.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

INDEX = Rule(
    "packages/other-index",
    Level.MEDIUM,
    "packages from another index",
    "Whoever runs that index decides what is installed under every name in the list.",
    "Install from the index you trust, and pin digests (`--require-hashes`).",
    ("cwe/CWE-829", "cwe/CWE-427", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.001"),
)
URL = Rule(
    "packages/direct-url",
    Level.MEDIUM,
    "a package straight from an address",
    "No index checks it, and what lies there may change from one day to the next.",
    "Take it from an index, or pin its digest or commit.",
    ("cwe/CWE-829", "cwe/CWE-494", "mitre-atlas/AML.T0010.001"),
)
INSECURE = Rule(
    "packages/insecure-transport",
    Level.MEDIUM,
    "packages without transport security",
    "Whoever sits on the way decides what is installed.",
    "Use `https://`, and remove `--trusted-host`.",
    ("cwe/CWE-319", "cwe/CWE-494"),
)
SQUAT = Rule(
    "packages/lookalike",
    Level.MEDIUM,
    "a name that looks like another",
    "Names one letter off are registered to be installed by mistake.",
    "Check which package was meant.",
    ("cwe/CWE-1357", "mitre-atlas/AML.T0010.001"),
)
HOOK = Rule(
    "packages/install-hook",
    Level.HIGH,
    "a command that runs when it is installed",
    "Installing is enough; nothing has to be started.",
    "Install without scripts (`npm ci --ignore-scripts`), and read the command.",
    ("cwe/CWE-829", "mitre-atlas/AML.T0010.001"),
)
BUILD = Rule(
    "packages/build-step",
    Level.LOW,
    "building it runs commands",
    "They run with the rights of whoever builds.",
    "Read them before you build.",
    ("cwe/CWE-829",),
)
OUTSIDE = Rule(
    "packages/file-outside",
    Level.MEDIUM,
    "takes in a file from outside of its folder",
    "Whoever builds it packs a file of their own machine into the model, which they may then publish.",
    "Put the file beside it, and name it without a way up.",
    ("cwe/CWE-22", "cwe/CWE-200"),
)
RULES = (OUTSIDE, INDEX, URL, INSECURE, SQUAT, HOOK, BUILD)

LONGEST = 1 << 20
_LINE = 2_000
"""What of a line is looked at: no package is described in more."""
_INDEXES = frozenset(
    ["pypi.org", "files.pythonhosted.org", "pypi.python.org", "download.pytorch.org", "pypi.nvidia.com",
     "pypi.ngc.nvidia.com", "data.pyg.org", "pytorch-geometric.com", "wheels.vllm.ai", "dl.fbaipublicfiles.com",
     "huggingface.github.io", "flashinfer.ai", "repo.radeon.com", "developer.intel.com", "pytorch-extension.intel.com",
     "abetlen.github.io", "whl.modelscope.cn", "us-python.pkg.dev", "conda.anaconda.org", "repo.anaconda.com",
     "alphacep.com", "girder.github.io", "packages.nvidia.com"]
)  # fmt: skip
"""Indexes whose makers the trade knows. `storage.googleapis.com` hosts many, so it counts only with jax's path."""

_FORGES = frozenset(["github.com", "gitlab.com", "huggingface.co", "bitbucket.org", "codeberg.org", "git.sr.ht",
                     "download.pytorch.org", "files.pythonhosted.org", "raw.githubusercontent.com",
                     "objects.githubusercontent.com", "modelscope.cn", "gitee.com"])  # fmt: skip

_OPTION = regex(
    r"^\s*(?:-i|-f|-r|-c|-e|--(?:index-url|pypi-url|extra-index-url|find-links|trusted-host|editable|requirement|constraint))"
    r"(?:\s*=\s*|\s+)(\S+)"
)
_NAME = regex(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:@\s*(\S+)|[<>=!~;,\s(]|$)")
_URL = regex(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git|ftp|file)://\S+", re.IGNORECASE)


def _is_requirements(glance: Glance) -> bool:
    name = glance.lower_name
    return (
        name.endswith((".txt", ".in"))
        and ("requirement" in name or name.startswith(("constraints", "reqs")) or name == "packages.txt")
        and glance.text is not None
    )


def _examine_requirements(source: Source, context: Context) -> None:
    if source.size > LONGEST:
        raise OverBudget(f"a list of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    text = source.read(0, source.size).decode("utf-8", "replace").removeprefix("\ufeff").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), 1):
        context.tick(4)
        bare = re.split(r"(?:^|\s)#", line[:_LINE], maxsplit=1)[0].strip()
        if bare:
            requirement(bare, context, f"line {number}")


def requirement(line: str, context: Context, place: str) -> None:
    """Judge one line as pip reads it."""
    match = _OPTION.match(line)
    if match:
        _option(line.strip().split("=", 1)[0].split()[0], match[1].strip("\"'"), context, place)
        return
    named = _NAME.match(line)
    url = _URL.search(line)
    if url:
        direct_url(url[0].strip("\"',;"), context, place)
    elif line.startswith(("/", "file:", "~")) or re.match(
        r"^\.{1,2}[/\\].*\.(?:whl|zip|tar\.\w+|tgz)\b", line
    ):
        context.find(
            URL, f"it installs `{line[:120]}` from this machine's files", level=Level.LOW, place=place
        )
    if named and not line.lower().startswith(("http", "git+", "file:")):
        lookalike(named[1], context, place)
    elif not line.isascii() and not url:
        context.find(SQUAT, f"`{line[:80]}` has letters that no package's name has", place=place)


def _option(option: str, value: str, context: Context, place: str) -> None:
    """An option that changes where packages come from."""
    if option in ("-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"):
        index(value, context, place, option)
    elif option == "--trusted-host":
        context.find(
            INSECURE, f"`--trusted-host {value[:120]}` accepts any certificate", place=place, host=value
        )
    elif option in ("-e", "--editable"):
        if "://" in value:
            direct_url(value, context, place)
    elif option in ("-r", "--requirement", "-c", "--constraint") and "://" in value:
        index(value, context, place, option)


def from_elsewhere(command: str) -> list[str]:
    """Indexes of an installing command that are not known, and those asked without transport security."""
    found = []
    for match in _COMMAND_OPTION.finditer(command):
        value = match[1].strip("\"'")
        parts = _split(value)
        host = (parts.hostname or "").lower() if parts else ""
        if match[0].lstrip().startswith("--trusted-host") or (
            "://" in value and (not _is_known(host, parts) or value.lower().startswith("http://"))
        ):
            found.append(value)
    return found


_COMMAND_OPTION = regex(
    r"(?:^|\s)(?:-i|-f|--(?:index-url|extra-index-url|find-links|trusted-host|default-index|index))(?:\s*=\s*|\s+)(\S+)"
)


def _is_known(host: str, parts: Any) -> bool:
    """Whether an index is one that the trade knows."""
    return (
        host in _INDEXES
        or any(host.endswith(f".{name}") for name in ("pkg.dev", "nvidia.com"))
        or (
            parts is not None
            and host == "storage.googleapis.com"
            and parts.path.startswith(("/jax", "/libtpu"))
        )
    )


def index(value: str, context: Context, place: str, option: str) -> None:
    """Judge the address of an index."""
    if "://" not in value and not value.startswith("//"):
        return
    parts = _split(value)
    host = (parts.hostname or "").lower() if parts else ""
    known = _is_known(host, parts)
    if parts is not None and (parts.username or parts.password):
        context.find(
            INDEX, f"`{option}` names an index with a password in its address", place=place, host=host
        )
    elif not known and not value.startswith("${"):
        context.find(INDEX, f"`{option}` takes packages from `{host or value[:80]}`", place=place, host=host)
    if value.lower().startswith("http://") and host not in ("localhost", "127.0.0.1"):
        context.find(INSECURE, f"`{value[:120]}` is asked without transport security", place=place, host=host)


def direct_url(value: str, context: Context, place: str) -> None:
    """Judge an address that a package is taken from."""
    parts = _split(value)
    host = (parts.hostname or "").lower() if parts else ""
    scheme = value.partition("://")[0].lower().rpartition("+")[2]
    if scheme in ("http", "git", "ftp"):
        context.find(
            INSECURE, f"`{value[:160]}` is fetched without transport security", place=place, host=host
        )
    elif scheme == "file":
        context.find(
            URL, f"it installs `{value[:160]}` from this machine's files", level=Level.LOW, place=place
        )
    else:
        known = host in _FORGES or host in _INDEXES
        context.find(
            URL,
            f"it installs from `{value[:160]}`",
            level=Level.LOW if known else Level.MEDIUM,
            place=place,
            host=host,
        )


def _split(value: str) -> Any:
    try:
        parts = urlsplit(value.partition("+")[2] if re.match(r"(?:git|hg|svn|bzr)\+", value) else value)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def lookalike(name: str, context: Context, place: str) -> None:
    """Judge a package's name: one letter away from a popular one, and not itself known."""
    plain = re.sub(r"[-_.]+", "-", name.lower())
    meant = resembles(plain)
    if meant:
        context.find(
            SQUAT,
            f"`{name[:80]}` looks like `{meant}`, and is not known",
            place=place,
            package=name,
            meant=meant,
        )


@lru_cache(maxsize=4096)
def resembles(plain: str) -> str:
    """The popular package that a name imitates; "" if it imitates none or is known itself."""
    if len(plain) < 5 or len(plain) > 60 or plain in _popular():
        return ""
    near: str = ""
    if (twin := _squeezed().get(plain.replace("-", ""))) is not None:
        near = twin
    else:
        for shorter in (plain, *_shortened(plain)):
            candidates = _by_deletion().get(shorter, ())
            near = next((name for name in candidates if name != plain and _one_off(plain, name)), "")
            if near:
                break
    return "" if not near or plain in _known() else near


def _shortened(name: str) -> Iterable[str]:
    return (name[:at] + name[at + 1 :] for at in range(len(name)))


def _one_off(one: str, other: str) -> bool:
    """Whether one letter more, less, other, or two swapped make the one the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    left, right = one[start:], other[start:]
    if left[1:] == right[1:] or left[1:] == right or left == right[1:]:
        # A last digit is a version (`psycopg2`, `httpx2`), not a slip.
        return not (one[-1:].isdigit() or other[-1:].isdigit())
    return len(left) > 1 and left[0] == right[1:2] and right[0] == left[1] and left[2:] == right[2:]


@lru_cache(maxsize=1)
def _popular() -> frozenset[str]:
    from alcaide.instruments.scan.formats.wordlists import words

    return words("popular_packages.txt")


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    from alcaide.instruments.scan.formats.wordlists import words

    return words("known_packages.txt")


@lru_cache(maxsize=1)
def _squeezed() -> dict[str, str]:
    return {name.replace("-", ""): name for name in _popular() if len(name) >= 6}


@lru_cache(maxsize=1)
def _by_deletion() -> dict[str, list[str]]:
    """Each popular name under itself and under itself less one letter: two names one letter apart share an entry."""
    table: dict[str, list[str]] = {}
    for name in sorted(_popular()):
        if len(name) < 5:
            continue
        for key in (name, *_shortened(name)):
            table.setdefault(key, []).append(name)
    return table


def _is_conda(glance: Glance) -> bool:
    name = glance.lower_name
    return (
        name.endswith((".yaml", ".yml"))
        and ("conda" in name or name.startswith(("environment", "env.")) or name == "python_env.yaml")
        and b"dependencies" in glance.head
        and glance.text is not None
    )


_CONDA_ITEM = regex(r"^(\s*)-\s*(.+?)\s*(?:\s#.*)?$")
_KEY = regex(r"^(\s*)(?:-\s*)?(\w+)\s*:\s*(.*)$")


def _examine_conda(source: Source, context: Context) -> None:
    """Read by lines: `channels`, `dependencies`, and `pip` in it."""
    if source.size > LONGEST:
        raise OverBudget(f"a list of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    section = ""
    for number, line in enumerate(source.read(0, source.size).decode("utf-8", "replace").splitlines(), 1):
        context.tick(4)
        place = f"line {number}"
        line = line[:_LINE]
        key = _KEY.match(line)
        if key and not key[3]:
            section = key[2] if key[2] != "dependencies" or section != "pip" else section
            continue
        item = _CONDA_ITEM.match(line)
        if item is None:
            section = "" if line[:1].strip() else section
            continue
        value = item[2].strip("\"'")
        if section == "channels" and "://" in value:
            index(value, context, place, "channels")
        elif section == "pip" or (section.endswith("dependencies") and "://" in value):
            requirement(value, context, place)


def _is_pyproject(glance: Glance) -> bool:
    return glance.lower_name in ("pyproject.toml", "pipfile") and glance.text is not None


def _examine_pyproject(source: Source, context: Context) -> None:
    """Dependencies, indexes, and what builds it."""
    import tomllib

    if source.size > LONGEST:
        raise OverBudget(f"TOML of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    try:
        value = tomllib.loads(source.read(0, source.size).decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return
    build = value.get("build-system")
    if isinstance(build, dict) and build.get("backend-path"):
        context.find(BUILD, "it is built by a program of its own (`backend-path`)", place="build-system")
    _pyproject_tree(value, context)


def _pyproject_tree(value: dict[str, Any], context: Context) -> None:
    from alcaide.instruments.scan.formats.commands import Kind, judge
    from alcaide.instruments.scan.formats.texts.json_text import walk

    for key, item in walk(value, context):
        if not isinstance(item, str):
            continue
        if key in ("requires", "dependencies", "dev", "test", "all") and len(item) < 500:
            requirement(item, context, key)
        elif (
            key in ("url", "index-url", "extra-index-url", "find-links")
            and "://" in item
            and "github" not in item
        ):
            # `url` is an index in `tool.uv.index`, `tool.poetry.source`, `source`; elsewhere it is a home page.
            if key != "url" or _names_index(value, item):
                index(item, context, key, key)
        elif key in ("git", "path") and "://" in item:
            direct_url(item, context, key)
        elif judge(item).kind is Kind.HARMFUL:
            context.find(HOOK, f"`{key}` runs `{item[:160]}`", place=key, command=item[:400])


def _names_index(value: dict[str, Any], url: str) -> bool:
    tool = value.get("tool")
    places = [value.get("source")]
    if isinstance(tool, dict):
        places.extend(
            inner.get(name)
            for inner in tool.values()
            if isinstance(inner, dict)
            for name in ("index", "source", "sources")
        )
    return any(
        isinstance(place, list) and any(isinstance(i, dict) and i.get("url") == url for i in place)
        for place in places
    )


_PIP_CONFIG = regex(
    r"^[ \t]*(index-url|extra-index-url|find-links|trusted-host|index_url|proxy)[ \t]*=[ \t]*(\S.*)$",
    re.MULTILINE,
)


def _is_pip_config(glance: Glance) -> bool:
    return glance.lower_name in (
        "pip.conf",
        "pip.ini",
        ".pypirc",
        "uv.toml",
        ".npmrc",
        ".condarc",
        "setup.cfg",
    ) and (glance.text is not None)


def _examine_pip_config(source: Source, context: Context) -> None:
    text = source.read(0, LONGEST).decode("utf-8", "replace")
    for match in _PIP_CONFIG.finditer(text):
        for value in match[2].split():
            if match[1] == "trusted-host":
                context.find(
                    INSECURE, f"`trusted-host` accepts any certificate of `{value[:120]}`", host=value
                )
            elif match[1] != "proxy":
                index(value.strip("\"'"), context, "", match[1])
    for match in re.finditer(r"^[ \t]*(?:@\w+:)?registry[ \t]*=[ \t]*(\S+)", text, re.MULTILINE):
        parts = _split(match[1])
        if parts is None or parts.hostname not in (
            "registry.npmjs.org",
            "npm.pkg.github.com",
            "registry.yarnpkg.com",
        ):
            context.find(INDEX, f"`registry` takes packages from `{match[1][:120]}`")


_HOOKS = ("preinstall", "install", "postinstall", "prepare", "preprepare", "prepublish", "dependencies")
_HOOK_PROGRAMS = regex(
    r"^(?:npx\s+|npm\s+(?:run|exec)\s+|yarn\s+|pnpm\s+|cross-env\s+\S+\s+)*"
    r"(?:husky|node-gyp|node-gyp-build|prebuild-install|tsc|patch-package|ngcc|lerna|simple-git-hooks|is-ci|rimraf"
    r"|opencollective|webpack|rollup|vite|next|playwright install|electron-builder|build|lint|test|compile|prepare"
    r"|install|bootstrap|node-pre-gyp|cmake-js|nuxt|svelte-kit|turbo|lefthook|only-allow)\b[\w\s:./=-]*"
    r"(?:(?:\|\||&&)\s*(?:true|exit 0|echo [\w\s]*|(?:npm run|yarn|pnpm)\s[\w:-]+))*\s*$"
)


def _is_package_json(glance: Glance) -> bool:
    return glance.lower_name == "package.json" and glance.text is not None


def _examine_package_json(source: Source, context: Context) -> None:
    import json

    from alcaide.instruments.scan.formats.commands import Kind, judge

    if source.size > LONGEST:
        raise OverBudget(f"JSON of {source.size:,} bytes is not read; the limit is {LONGEST:,}")
    try:
        value = json.loads(source.read(0, source.size).decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({type(error).__name__})") from error
    scripts = value.get("scripts") if isinstance(value, dict) else None
    for name, command in scripts.items() if isinstance(scripts, dict) else []:
        if not isinstance(command, str):
            continue
        judged = judge(command)
        if judged.kind is Kind.HARMFUL:
            context.find(
                HOOK,
                f"`{name}` runs `{command[:160]}`, which {judged.reason}",
                level=Level.CRITICAL if name in _HOOKS else Level.HIGH,
                place=name,
                command=command[:400],
            )
        elif name in _HOOKS:
            ordinary = _HOOK_PROGRAMS.match(command) is not None
            context.find(
                HOOK,
                f"installing it runs `{command[:160]}` (`{name}`)",
                level=Level.LOW if ordinary else Level.MEDIUM,
                place=name,
                command=command[:400],
            )


_LOCKS = frozenset(
    ["poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "package-lock.json", "yarn.lock", "pylock.toml"]
)
_LOCKED = regex(
    r"(?:\b(?:url|registry|git)\"?\s*[=:]|\bresolved\"?:?)\s*\"((?:git\+)?[a-z]+://[^\"\s]{1,500})\""
)
_LOCK_HOSTS = frozenset(
    ["registry.npmjs.org", "registry.yarnpkg.com", "codeload.github.com", "npm.pkg.github.com"]
)


def _is_lock(glance: Glance) -> bool:
    return glance.lower_name in _LOCKS and glance.text is not None


def _examine_lock(source: Source, context: Context) -> None:
    """A lock file pins digests: what counts is only whether an address in it is one that nobody knows."""
    told: set[str] = set()
    at = 0
    while piece := source.read(at, LONGEST + 1024):
        context.tick(64)
        for match in _LOCKED.finditer(piece.decode("utf-8", "replace")):
            parts = _split(match[1])
            host = (parts.hostname or "").lower() if parts else match[1][:80]
            if host in told or len(told) > 100:
                continue
            told.add(host)
            if match[1].lower().startswith("http://"):
                context.find(INSECURE, f"`{match[1][:160]}` is fetched without transport security", host=host)
            elif host not in _FORGES and host not in _LOCK_HOSTS and not _is_known(host, parts):
                context.find(URL, f"it installs from `{match[1][:160]}`", host=host)
        at += LONGEST


def _is_build_file(glance: Glance) -> bool:
    name = glance.lower_name
    return (
        name
        in (
            "dockerfile",
            "containerfile",
            "makefile",
            "justfile",
            "procfile",
            "jenkinsfile",
            ".gitlab-ci.yml",
        )
        or name.endswith((".dockerfile", ".mk"))
        or name.startswith("dockerfile.")
    ) and glance.text is not None


def _examine_build_file(source: Source, context: Context) -> None:
    """Nothing of it runs unless somebody builds: what it would do is told once."""
    from alcaide.instruments.scan.formats.commands import Kind, judge

    text = source.read(0, LONGEST).decode("utf-8", "replace").replace("\\\n", " ")
    for number, line in enumerate(text.splitlines(), 1):
        context.tick(16)
        if line.lstrip().startswith("#"):
            continue
        judged = judge(line)
        if judged.kind is Kind.HARMFUL:
            installs = "downloads" in judged.reason and "http://" not in line
            context.find(
                BUILD,
                f"building it runs `{line.strip()[:160]}`, which {judged.reason}",
                level=Level.LOW if installs else Level.HIGH,
                place=f"line {number}",
                command=line.strip()[:400],
            )


def _is_modelfile(glance: Glance) -> bool:
    return glance.lower_name.startswith("modelfile") and b"FROM" in glance.head and glance.text is not None


def _examine_modelfile(source: Source, context: Context) -> None:
    """Ollama's build file: which files it takes in."""
    text = source.read(0, LONGEST).decode("utf-8", "replace")
    for match in re.finditer(r"^[ \t]*(FROM|ADAPTER)[ \t]+(\S+)", text, re.MULTILINE | re.IGNORECASE):
        path = match[2].strip("\"'")
        if ".." in path.split("/") or path.startswith(("/", "~")):
            context.find(OUTSIDE, f"`{match[1].upper()}` takes in `{path[:160]}`", path=path[:400])


FORMATS = (
    Format("modelfile", "Modelfile", _is_modelfile, _examine_modelfile, RULES),
    Format("requirements", "list of requirements", _is_requirements, _examine_requirements, RULES),
    Format("conda-environment", "conda environment", _is_conda, _examine_conda, RULES),
    Format("pyproject", "pyproject or Pipfile", _is_pyproject, _examine_pyproject, RULES),
    Format("package-settings", "settings of a package installer", _is_pip_config, _examine_pip_config, RULES),
    Format("package-json", "package.json", _is_package_json, _examine_package_json, RULES),
    Format("lock-file", "lock file of packages", _is_lock, _examine_lock, RULES),
    Format("build-file", "build file", _is_build_file, _examine_build_file, RULES),
)
