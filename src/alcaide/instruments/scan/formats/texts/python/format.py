"""Python source: read by its syntax tree, judged by how it comes to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.repository import runs_with_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alcaide.instruments.scan.context import Context, Folder
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.formats.texts.python.acts import Act, Story
    from alcaide.instruments.scan.formats.texts.python.levels import Runs
    from alcaide.instruments.scan.source import Source

RUNS_CODE = Rule(
    "python/runs-on-load",
    Level.CRITICAL,
    "Python that acts when it is loaded",
    "It runs with the rights of whoever loads or imports it, before anybody asked it for anything.",
    "Do not load it. Load the model without its own code, or read the code and pin the revision that was read.",
    ("cwe/CWE-94", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000"),
)
RUNS_ON_USE = Rule(
    "python/runs-on-use",
    Level.HIGH,
    "Python that acts when it is used",
    "Its functions do this to whoever calls them.",
    "Read the named lines before you use it.",
    ("cwe/CWE-94", "mitre-atlas/AML.T0010.003"),
)
OBFUSCATED = Rule(
    "python/obfuscated",
    Level.CRITICAL,
    "runs hidden code",
    "What is run is packed or spelled so that neither a person nor a search can read it.",
    "Do not run it. Honest code has no reason to hide.",
    ("cwe/CWE-506", "cwe/CWE-94", "mitre-atlas/AML.T0010.003"),
)
REACHES_OUT = Rule(
    "python/reaches-out",
    Level.LOW,
    "Python that reaches out when it is used",
    "Ordinary in scripts; worth knowing in code that comes with a model.",
    "Read the named lines before you run it.",
    ("cwe/CWE-829",),
)
SHELL_BACK = Rule(
    "python/reverse-shell",
    Level.CRITICAL,
    "connects a shell to another machine",
    "Whoever listens there has this machine.",
    "Do not run it. Find out how it came in.",
    ("cwe/CWE-506", "mitre-atlas/AML.T0011.000"),
)
TRICKS = Rule(
    "python/source-tricks",
    Level.MEDIUM,
    "source that reads differently from what it is",
    "A reviewer sees other code than the one that runs.",
    "Remove the characters or the encoding, and read it again.",
    ("cwe/CWE-1007", "cwe/CWE-451"),
)
UNPARSABLE = Rule(
    "python/unparsable",
    Level.LOW,
    "Python that this version cannot read",
    "It may be Python 2, a template, or broken; what it does was not looked at as code.",
    "Read it by hand.",
)
STARTUP_LINE = Rule(
    "python/path-file",
    Level.CRITICAL,
    "code that runs at every start of Python",
    "A `.pth` line that begins with `import` is run by every Python that has the file in its site folder.",
    "Delete it.",
    ("cwe/CWE-94", "mitre-atlas/AML.T0010"),
)
RULES = (RUNS_CODE, RUNS_ON_USE, OBFUSCATED, REACHES_OUT, SHELL_BACK, TRICKS, UNPARSABLE, STARTUP_LINE)

LONGEST = 1 << 19
"""A syntax tree takes some hundred times the space of its source."""

_WORDS = 120_000
"""A list of so many numbers takes some 120 MiB as a syntax tree."""
_WORD = regex(rb"\w+")

_CODING = regex(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.ASCII)
_PLAIN_CODINGS = regex(
    r"(?:utf-?8(?:-sig)?|(?:us-)?ascii|latin-?1|iso-?8859-?\d+|cp\d+|windows-\d+|gbk?\d*|gb18030|big5|euc-?\w+"
    r"|shift-?jis|koi8-\w)\Z"
)
_READABLE_TRICKS = frozenset(["utf-7", "unicode-escape", "raw-unicode-escape"])
_HIDDEN = regex("[\u202a-\u202e\u2066-\u2069]")
_SUSPECT = regex(
    r"\b(?:exec|eval)\s*\(\s*(?:\w{1,60}\s*\(\s*){0,10}(?:__import__|base64|zlib|marshal|codecs|bytes\.fromhex|compile)\b"
    r"|__import__\s*\(\s*['\"](?:os|subprocess|socket|pty)['\"]\s*\)\s*\.\s*\w+\s*\("
)
_AUTO_BASES = frozenset(
    """PreTrainedModel PretrainedConfig PreTrainedConfig PreTrainedTokenizer PreTrainedTokenizerFast
    PreTrainedTokenizerBase ProcessorMixin FeatureExtractionMixin BaseImageProcessor ImageProcessingMixin
    SequenceFeatureExtractor Pipeline GenerationMixin GeneratorBasedBuilder ArrowBasedBuilder BeamBasedBuilder
    DiffusionPipeline ModelMixin ConfigMixin BuilderConfig TFPreTrainedModel FlaxPreTrainedModel
    BaseImageProcessorFast VideoProcessor BaseHandler PythonModel BasePredictor""".split()  # noqa: SIM905 - a list of names reads better so
)
"""Base classes from which code is loaded by `trust_remote_code`."""

_AUTO_FUNCTIONS = frozenset(["model_fn", "predict_fn", "input_fn", "output_fn", "transform_fn", "handle"])
"""Functions that a server calls by name: SageMaker's and TorchServe's."""

_AUTO_CLASSES = frozenset(["EndpointHandler", "TritonPythonModel", "InferenceHandler"])
"""Classes that a server looks for by name, and makes as it starts."""

_START_NAMES = frozenset(["sitecustomize.py", "usercustomize.py"])
_AUTO_NAMES = frozenset(["hubconf.py"])
_CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "image_processor_config.json",
    "generation_config.json",
    "model_index.json",
    "modules.json",
    "config_sentence_transformers.json",
)


def sniff(glance: Glance) -> bool:
    """By its name, by its first line, or because it begins as Python does."""
    name = glance.lower_name
    if name.endswith((".py", ".pyw", ".pyi", ".py3")):
        return glance.text is not None or b"coding" in glance.head[:200]
    head = glance.head
    if head[:2] == b"#!":
        return b"python" in head[: max(0, head.find(b"\n")) or 80]
    if head[:1] in b"ifc#\"'\n" and not name.endswith((".md", ".rst", ".txt", ".ipynb", ".json", ".pth")):
        return _BEGINS.match(head) is not None and glance.text is not None
    return False


_BEGINS = regex(
    rb"(?:[ \t\r\f]*(?:#[^\n]*)?\n){0,200}(?:import [\w.]+(?: as \w+)?(?:\s*,\s*[\w.]+)*\s*(?:\n|;|#)"
    rb"|from [\w.]+ import [\w*(]|class \w+(?:\([\w., ]*\))?:|def \w+\()"
)


def examine(source: Source, context: Context) -> None:
    """Read the source as Python would, and judge each act."""
    if source.size > LONGEST:
        raise OverBudget(f"Python source of {source.size:,} bytes is not parsed; the limit is {LONGEST:,}")
    data = source.read(0, source.size)
    if len(data) > _WORDS and sum(1 for _ in _WORD.finditer(data)) > _WORDS:
        raise OverBudget(f"Python source of more than {_WORDS:,} words is not parsed")
    text = _decoded(data, context)
    runs = how_it_runs(context)
    story = judge_source(text, context, runs)
    if story is not None:
        context.fact(imports=sorted({name.partition(".")[0] for name in story.names})[:40])


def how_it_runs(context: Context) -> Runs:
    """Who sets this file off, as far as its name and its neighbours tell."""
    from alcaide.instruments.scan.formats.texts.python.levels import Runs

    name = context.node.name.rsplit("/", 1)[-1].lower()
    if name in _START_NAMES:
        return Runs.START
    if name == "setup.py":
        return Runs.INSTALL
    if name in _AUTO_NAMES or _is_loaded(name, context) or runs_with_model(context.folder, context.look.name):
        return Runs.AUTO
    return Runs.SCRIPT


def _is_loaded(name: str, context: Context) -> bool:
    """Whether the model beside this file is loaded with it: a configuration names it, or a file that one names does.

    Values look like `modeling_x.ClassName`, or `owner/name--modeling_x.ClassName` for code from elsewhere; in a
    diffusers index like `["module", "ClassName"]`.
    """
    folder = context.folder
    if folder is None:
        return False
    modules: set[str] = set()
    for config in _CONFIGS:
        text = _neighbour(folder, config)
        modules.update(match[1].decode().lower() for match in _NAMED.finditer(text))
        if config == "model_index.json" and text:
            modules.update(match[1].decode().lower() for match in _LISTED.finditer(text))
            modules.add("pipeline")
    modules.update(match[1].decode().lower() for match in _FACTORY.finditer(_neighbour(folder, "config.cfg")))
    if name == "generate.py" and _neighbour(folder, "custom_generate/generate.py"):
        return True
    if name.removesuffix(".py") in modules:
        return True
    # What is not there counts as asked, and is not asked again; a folder has few files that are loaded.
    waiting = [module for module in sorted(modules) if module not in _LIBRARIES][:_FOLLOWED]
    asked = 0
    while waiting and asked < _FOLLOWED:
        asked += 1
        for match in _RELATIVE.finditer(_neighbour(folder, f"{waiting.pop()}.py")):
            module = (match[1] or match[2]).decode().lower()
            if module == name.removesuffix(".py"):
                return True
            if module not in modules:
                modules.add(module)
                waiting.append(module)
    return False


_FOLLOWED = 50
_NAMED = regex(rb'"(?:[\w./-]+--)?(\w+)\.\w+"')
_LISTED = regex(rb'\[\s*"(\w+)"\s*,\s*"\w+"\s*\]')
_FACTORY = regex(rb'(?:factory|@\w+)\s*=\s*"(\w+)')
_RELATIVE = regex(rb"^[ \t]*from[ \t]+\.(\w+)?[ \t]*import[ \t]+(\w+)", re.MULTILINE)
_LIBRARIES = frozenset(["transformers", "diffusers", "torch", "sentence_transformers", "tokenizers", "numpy"])


def _neighbour(folder: Folder, name: str) -> bytes:
    """The beginning of a file beside this one; nothing if it is not there."""
    source = folder.open(name)
    if source is None:
        return b""
    try:
        return source.read(0, 1 << 18)
    finally:
        _close(source)


def _close(source: Source) -> None:
    close = getattr(source, "close", None)
    if close is not None:
        close()


def judge_source(text: str, context: Context, runs: Runs, *, place: str = "") -> Story | None:
    """Judge some Python; what is found goes to the context.

    Args:
        text: the source.
        context: where findings go.
        runs: how it comes to run.
        place: where it is within the part, for notebooks.

    Returns:
        What was found, or None where it is no Python.
    """
    from alcaide.instruments.scan.formats.texts.python.acts import Reader, parse
    from alcaide.instruments.scan.formats.texts.python.levels import Runs

    if match := _HIDDEN.search(text):
        line = text.count("\n", 0, match.start()) + 1
        context.find(
            TRICKS, f"line {line} has characters that turn the direction in which it reads", place=place
        )
    try:
        tree = parse(text)
    except (SyntaxError, ValueError) as error:
        _unparsable(text, context, error, place)
        return None
    except (RecursionError, MemoryError) as error:
        raise OverBudget("it is nested deeper than Python itself takes") from error
    story = Reader(context.tick, install=runs is Runs.INSTALL).read(tree)
    if runs is Runs.SCRIPT and (
        any(base in _AUTO_BASES for bases in story.bases.values() for base in bases)
        or not _AUTO_CLASSES.isdisjoint(story.bases)
        or not _AUTO_FUNCTIONS.isdisjoint(story.functions)
    ):
        runs = Runs.AUTO
    _report(story, context, runs, place)
    return story


def _report(story: Story, context: Context, runs: Runs, place: str) -> None:
    """One finding for each kind of act that matters; ordinary ones are told together."""
    from alcaide.instruments.scan.formats.texts.python.acts import When
    from alcaide.instruments.scan.formats.texts.python.effects import Effect
    from alcaide.instruments.scan.formats.texts.python.levels import level_of

    low: dict[Effect, list[Act]] = {}
    told = 0
    for act in story.acts:
        judged = level_of(act, runs)
        if judged is None:
            continue
        if judged.level is Level.LOW:
            low.setdefault(act.effect, []).append(act)
            continue
        told += 1
        if told > 50:
            continue
        on_load = act.when is When.IMPORT
        rule = OBFUSCATED if act.hidden or act.decoded else RUNS_CODE if on_load else RUNS_ON_USE
        start = runs.value if on_load or act.when is When.MAIN else f"using `{act.function or 'it'}`"
        argument = _said(act.argument)
        context.find(
            rule,
            f"{start} calls `{act.name}`{argument}{f', {judged.why}' if judged.why else ''} (line {act.line})",
            level=judged.level,
            place=place,
            callable=act.name,
            argument=act.argument,
            line=act.line,
            function=act.function,
        )
    _shells(story, context, place)
    for effect, acts in low.items():
        names = sorted({act.name for act in acts})
        context.find(
            REACHES_OUT,
            f"when it is used it {effect.value}: {', '.join(f'`{name}`' for name in names[:6])} (line {acts[0].line}"
            f"{' and others' if len(acts) > 1 else ''})",
            place=place,
            callables=names,
            lines=[act.line for act in acts],
        )


def _said(argument: str | None) -> str:
    from alcaide.instruments.scan.formats.texts.python.values import HOLE

    if not argument:
        return ""
    shown = argument.replace(HOLE, "…").replace("\n", " ")
    return f" with `{shown[:160]}{'…' if len(shown) > 160 else ''}`"


def _shells(story: Story, context: Context, place: str) -> None:
    """A socket whose descriptor becomes a program's input and output."""
    names = story.names
    if any(name.startswith("socket.") for name in names) and "os.dup2" in names:
        context.find(
            SHELL_BACK, "it hands a network connection to a program as its input and output", place=place
        )


def _unparsable(text: str, context: Context, error: Exception, place: str) -> None:
    """What cannot be read as code is at least searched for what nobody writes innocently."""
    from alcaide.instruments.scan.formats.commands import Kind, judge

    if match := _SUSPECT.search(text):
        context.find(
            OBFUSCATED,
            f"it cannot be read as Python, and holds `{match[0][:80]}`",
            level=Level.HIGH,
            place=place,
        )
        return
    for start in range(0, len(text), 16_000):
        context.budget.check_time()
        judged = judge(text[start : start + 18_000])
        if judged.kind is Kind.HARMFUL:
            context.find(
                OBFUSCATED,
                f"it cannot be read as Python, and holds a command that {judged.reason}",
                level=Level.MEDIUM,
                place=place,
            )
            return
    context.find(UNPARSABLE, f"it cannot be read as Python ({error.__class__.__name__})", place=place)


def _decoded(data: bytes, context: Context) -> str:
    """The source as Python decodes it: by the encoding that one of its first two lines declares (PEP 263)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n", 2)[:2]:
        match = _CODING.match(line)
        if match is None:
            continue
        name = match[1].decode().lower().replace("_", "-")
        if _PLAIN_CODINGS.match(name):
            try:
                return data.decode(name, "replace")
            except LookupError:
                break
        context.find(
            TRICKS,
            f"it declares the encoding `{name}`, in which its text is not what it seems",
            level=Level.HIGH,
        )
        if name in _READABLE_TRICKS:
            return data.decode(name.replace("-", "_") if name != "utf-7" else name, "replace")
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _is_path_file(glance: Glance) -> bool:
    return glance.lower_name.endswith(".pth") and glance.size < 1 << 16 and glance.text is not None


def _examine_path_file(source: Source, context: Context) -> None:
    """A `.pth` file of Python's site folder: paths, and lines that are run."""
    for number, line in enumerate(_lines(source.read(0, 1 << 16)), 1):
        context.tick()
        if line.startswith(("import ", "import\t")):
            context.find(
                STARTUP_LINE,
                f"every start of Python runs `{line.strip()[:200]}` (line {number})",
                line=number,
            )


def _lines(data: bytes) -> Iterable[str]:
    return data.decode("utf-8", "replace").removeprefix("\ufeff").splitlines()


FORMATS = (
    Format("python", "Python source", sniff, examine, RULES),
    Format("python-path", "Python path file", _is_path_file, _examine_path_file, RULES),
)
