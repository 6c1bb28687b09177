"""Makes `src/alcaide/instruments/scan/allow/lists/*.json` from the libraries that are installed beside the interpreter.

    PYTHON tools/scan/build_allow_lists.py [--only sklearn] [--why sklearn.svm._classes.SVC]

`allow_libraries.json` names the libraries; run it with an interpreter that has them. Their Python files are read, not
imported: a class gets onto the list as `new` if none of the methods that an unpickler or the interpreter calls by
themselves (`__setstate__`, `__new__`, `__del__`, `append`, …), its own or inherited, does anything that reaches out;
members of enumerations are found by calling the class, so those are `call`. Functions get onto it as `name`, for
estimators that keep one, if nothing in their body reaches out. Compiled modules have no text to read: of a few
libraries they are imported and asked.

What is called with arguments is never put on a list by this tool: that is reviewed by people, in `reviewed.json`.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.metadata
import inspect
import json
import re
import sys
import warnings
from collections import defaultdict
from pathlib import Path

SITE = Path(next(path for path in sys.path if path.endswith("site-packages")))
OUT = Path(__file__).resolve().parents[2] / "src/alcaide/instruments/scan/allow/lists"

# By top-level module: whether its functions are listed, and the parts of it that are left out.
LIBRARIES = json.loads((Path(__file__).parent / "allow_libraries.json").read_text())

# Compiled modules of these are imported; of the modules left out, some read files in their constructors.
COMPILED = (
    "sklearn",
    "scipy",
    "pandas",
    "numpy",
    "statsmodels",
    "spacy",
    "thinc",
    "gensim",
    "hmmlearn",
    "implicit",
)
_COMPILED_LEFT_OUT = (
    "_test",
    "parsers",
    "sas",
    "_libs.json",
    "_libs.ops_dispatch",
    "messagestream",
    "_highs",
    "f2py",
)

_ACTING = re.compile(r"load|open|read|write|run|exec|eval|save|dump|path|file|download|parse")
"""Compiled functions have no source to look at; those with such names are left to people."""

_BY_THEMSELVES = frozenset({
    "__setstate__", "__new__", "__del__", "__getattr__", "__getattribute__", "__hash__", "__eq__", "append", "extend",
    "add", "__setitem__", "__setattr__", "update", "__init_subclass__", "__set_name__",
})  # fmt: skip
_OUT = frozenset({
    "open", "exec", "eval", "compile", "__import__", "import_module", "system", "popen", "Popen", "run_module", "call",
    "check_call", "check_output", "remove", "unlink", "rmtree", "rmdir", "mkdir", "makedirs", "rename", "urlopen",
    "urlretrieve",
    "loads", "load", "load_module", "CDLL", "load_library", "load_model", "from_file", "from_pretrained", "download",
    "NamedTemporaryFile", "mkdtemp", "mkstemp", "TemporaryDirectory", "Thread", "Process", "Pool", "socket", "connect",
    "fromfile", "tofile", "memmap", "savetxt", "loadtxt", "genfromtxt", "read_csv", "to_csv", "write_text", "read_text",
    "write_bytes", "read_bytes", "run", "kill", "putenv", "execfile", "render", "from_string", "dlopen", "get_file",
    "sympify", "parse_expr", "lambdify", "dmatrices", "dmatrix", "get_matrices", "deserialize_graph",
    "_exec_with_source", "_forward_from_src", "load_state_dict_from_url", "instantiate", "locate",
})  # fmt: skip
_OUT_MODULES = frozenset({
    "os", "subprocess", "shutil", "socket", "requests", "urllib", "pickle", "cloudpickle", "dill", "marshal", "ctypes",
    "tempfile", "importlib", "runpy", "joblib", "multiprocessing", "threading", "sqlite3", "httpx",
})  # fmt: skip
_HARMLESS_OF_OUT_MODULES = frozenset({
    "os.path.join", "os.path.basename", "os.path.splitext", "os.path.dirname", "os.environ.get", "os.getpid",
    "threading.Lock", "threading.RLock", "threading.local", "threading.get_ident", "urllib.parse.urlparse",
    "importlib.util.find_spec", "importlib.metadata.version", "os.path.exists", "os.path.isfile", "os.path.isdir",
})  # fmt: skip
_ENUMERATIONS = frozenset(
    {
        "Enum",
        "IntEnum",
        "StrEnum",
        "Flag",
        "IntFlag",
        "ExplicitEnum",
        "EnumWithContains",
        "StrEnumWithContains",
    }
)


def main() -> None:
    """Write a list for every library that is installed."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--only", action="append", help="one top-level module")
    options.add_argument("--why", help="say why a full name is or is not on the list")
    chosen = options.parse_args()
    sys.setrecursionlimit(5_000)
    danger = Danger()
    distributions = importlib.metadata.packages_distributions()
    OUT.mkdir(exist_ok=True)
    for top, library in sorted(LIBRARIES.items()):
        if chosen.only and top not in chosen.only:
            continue
        distribution = next(iter(distributions.get(top, ())), None)
        if distribution is None:
            continue
        version = importlib.metadata.version(distribution)
        names = listed(
            top,
            functions=library["functions"],
            left_out=tuple(library["left_out"]),
            danger=danger,
            why=chosen.why,
        )
        document = {"library": distribution, "version": version, "names": names}
        (OUT / f"{top}.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
        count = sum(len(words.split()) for kinds in names.values() for words in kinds.values())
        print(f"{top} {version}: {count} names in {len(names)} modules")


class Danger:
    """What the list written by people says is dangerous: never on a generated list."""

    def __init__(self) -> None:
        document = json.loads((OUT.parent / "dangerous.json").read_text())
        self.names = {name for names in document["names"].values() for name in names}
        self.modules = {name for names in document["modules"].values() for name in names}
        self.methods = set(document["methods"])

    def forbids(self, module: str, name: str) -> bool:
        """Whether a name may not be listed."""
        path = f"{module}.{name}"
        if path in self.names or name.rpartition(".")[2] in self.methods:
            return True
        while path:
            path = path.rpartition(".")[0]
            if path in self.modules:
                return True
        return False


Kinds = dict[str, dict[str, set[str]]]
Classes = dict[str, list[tuple[str, str, ast.ClassDef]]]


def listed(
    top: str, *, functions: bool, left_out: tuple[str, ...], danger: Danger, why: str | None
) -> dict[str, dict[str, str]]:
    """The names of one library by module and kind."""
    root = SITE / top
    files = sorted(root.rglob("*.py")) if root.is_dir() else [SITE / f"{top}.py"]
    classes: Classes = defaultdict(list)
    kinds: Kinds = defaultdict(lambda: defaultdict(set))
    imports: dict[str, set[str]] = {}
    for file in files:
        module = _module(file)
        if not _skipped(module, left_out):
            imports[module] = _read(file, module, classes, kinds, functions, danger, why)
    acting = _acting(classes, imports)
    for definitions in classes.values():
        for module, qualified, node in definitions:
            full = f"{module}.{qualified}"
            reason = acting.get(full)
            if reason is None and _makes_classes(node):
                reason = "it makes classes"
            if reason is None and not danger.forbids(module, qualified):
                kinds[module]["call" if _is_enumeration(node, classes) else "new"].add(qualified)
            elif why == full:
                print(f"not listed: {reason or 'it is on the list of dangerous names'}")
    if top in COMPILED:
        _add_compiled(root, left_out, danger, kinds)
    if top in ("numpy", "scipy"):
        _add_functions(top, danger, kinds)
    return {
        module: {kind: " ".join(sorted(names)) for kind, names in sorted(found.items()) if names}
        for module, found in sorted(kinds.items())
        if any(found.values())
    }


def _read(
    file: Path, module: str, classes: Classes, kinds: Kinds, functions: bool, danger: Danger, why: str | None
) -> set[str]:
    """One file's classes and harmless functions, noted; what it imports is given back."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    imported = _imported(tree)
    kinds[module]["new"] |= {name for name in _made_classes(tree.body) if not danger.forbids(module, name)}
    for kind, qualified, node in _definitions(tree.body, ""):
        if kind == "class":
            classes[node.name].append((module, qualified, node))
        elif functions and not danger.forbids(module, qualified):
            reason = reaches_out(node, imported)
            if reason is None:
                kinds[module]["name"].add(qualified)
            elif why == f"{module}.{qualified}":
                print(f"not listed: it uses {reason}")
    return imported


def _module(file: Path) -> str:
    parts = file.relative_to(SITE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _skipped(module: str, left_out: tuple[str, ...]) -> bool:
    parts = module.split(".")
    return (
        any(module == part or module.startswith(part) for part in left_out)
        or "tests" in parts
        or "test" in parts
        or parts[-1] in ("conftest", "setup", "__main__")
    )


def _definitions(body: list[ast.stmt], prefix: str):  # type: ignore[no-untyped-def]
    """Classes and functions of a module as pickles can name them: not those inside of functions."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield "class", prefix + node.name, node
            yield from (
                (kind, name, inner)
                for kind, name, inner in _definitions(node.body, f"{prefix}{node.name}.")
                if kind == "class"
            )
        elif isinstance(node, ast.FunctionDef):
            yield "function", prefix + node.name, node
        elif isinstance(node, ast.If):
            yield from _definitions(node.body, prefix)
            yield from _definitions(node.orelse, prefix)
        elif isinstance(node, ast.Try):
            yield from _definitions(node.body, prefix)
            for handler in node.handlers:
                yield from _definitions(handler.body, prefix)


def _imported(tree: ast.Module) -> set[str]:
    """Top-level modules that a file imports anywhere: a variable called `requests` is no library."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module.partition(".")[0], *(alias.name for alias in node.names)}
    return found


_MAKERS = frozenset({"namedtuple", "_make_tuple_bunch", "make_dataclass", "NamedTuple"})


def _made_classes(body: list[ast.stmt]) -> set[str]:
    """Classes that a module makes by a call, as named tuples are."""
    return {
        target.id
        for node in body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and _dotted(node.value.func).rpartition(".")[2] in _MAKERS
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def reaches_out(node: ast.AST, imported: set[str] | None = None) -> str | None:
    """What in a piece of code reads, writes, runs or connects; None if nothing is seen to."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            dotted = _dotted(part.func)
            last = dotted.rpartition(".")[2]
            first = dotted.partition(".")[0]
            if last in _OUT and dotted not in _HARMLESS_OF_OUT_MODULES:
                return f"`{dotted}`"
            if (
                first in _OUT_MODULES
                and "." in dotted
                and dotted not in _HARMLESS_OF_OUT_MODULES
                and (imported is None or first in imported)
            ):
                return f"`{dotted}`"
            if (
                dotted == "getattr"
                and len(part.args) > 1
                and isinstance(part.args[0], ast.Name)
                and part.args[0].id in _OUT_MODULES | {"builtins", "sys"}
            ):
                return f"`getattr` of `{part.args[0].id}`"
        elif isinstance(part, ast.Import | ast.ImportFrom):
            module = part.module if isinstance(part, ast.ImportFrom) else part.names[0].name
            if module and module.partition(".")[0] in _OUT_MODULES - {"threading"}:
                return f"an import of `{module}`"
    return None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _acting(
    classes: dict[str, list[tuple[str, str, ast.ClassDef]]], imports: dict[str, set[str]]
) -> dict[str, str]:
    """Classes that reach out in a method nobody has to call, with the reason; also by inheritance, by simple name."""
    reasons: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for simple, definitions in classes.items():
        for module, qualified, node in definitions:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name in _BY_THEMSELVES:
                    reason = reaches_out(method, imports.get(module))
                    if reason is not None:
                        said = f"`{method.name}` uses {reason}"
                        reasons[f"{module}.{qualified}"] = said
                        by_name.setdefault(simple, f"its base `{simple}` does: {said}")
    changed = True
    while changed:
        changed = False
        for simple, definitions in classes.items():
            for module, qualified, node in definitions:
                full = f"{module}.{qualified}"
                if full in reasons:
                    continue
                for base in node.bases:
                    name = _dotted(base).rpartition(".")[2]
                    if name in by_name and name != simple:
                        reasons[full] = by_name[name]
                        by_name.setdefault(simple, by_name[name])
                        changed = True
                        break
    return reasons


def _makes_classes(node: ast.ClassDef) -> bool:
    """Whether the class is a metaclass: an instance of it is a class, with what methods it is given."""
    return any(
        _dotted(base).rpartition(".")[2] in ("type", "ABCMeta", "EnumMeta", "EnumType")
        or _dotted(base).endswith(("Meta", "MetaClass", "Metaclass"))
        for base in node.bases
    )


def _is_enumeration(node: ast.ClassDef, classes: dict[str, list[tuple[str, str, ast.ClassDef]]]) -> bool:
    """Whether the class is an enumeration, by its bases."""
    names = [_dotted(base).rpartition(".")[2] for base in node.bases]
    if any(name in _ENUMERATIONS for name in names):
        return True
    return any(
        _dotted(base).rpartition(".")[2] in _ENUMERATIONS
        for name in names
        for _, _, parent in classes.get(name, ())
        for base in parent.bases
    )


def _add_compiled(
    root: Path, left_out: tuple[str, ...], danger: Danger, kinds: dict[str, dict[str, set[str]]]
) -> None:
    """Extension classes, which are called by the pickles of their own making, and Cython's unpicklers."""
    for file in sorted(root.rglob("*.so")):
        module = ".".join(file.relative_to(SITE).parts)[: -len(file.name)] + file.name.partition(".")[0]
        if _skipped(module, left_out) or any(part in module for part in _COMPILED_LEFT_OUT):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                loaded = importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a module that does not import here has no names to list
            print(f"  {module}: {error}", file=sys.stderr)
            continue
        for name, value in vars(loaded).items():
            if danger.forbids(module, name):
                continue
            if name.startswith("__pyx_unpickle_") or name == "newObj":
                kinds[module]["function"].add(name)
            elif type(value).__name__ == "cython_function_or_method" and not _ACTING.search(name):
                kinds[module]["name"].add(name)
            elif (
                isinstance(value, type)
                and value.__module__ == module
                and not issubclass(value, BaseException)
            ):
                kinds[module]["call"].add(name)


def _add_functions(top: str, danger: Danger, kinds: dict[str, dict[str, set[str]]]) -> None:
    """Functions of the public modules, compiled ones among them, under every name a pickle gives them."""
    import numpy as np

    if top == "numpy":
        modules = [np, np.linalg, np.fft, np._core._multiarray_umath, np._core.umath]  # noqa: SLF001
    else:
        import scipy.special
        import scipy.stats

        modules = [scipy.special, scipy.special._ufuncs, scipy.special._special_ufuncs]  # noqa: SLF001
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith("__") or danger.forbids(module.__name__, name):
                continue
            if isinstance(value, np.ufunc):
                kinds[module.__name__]["name"].add(name)
            elif _is_harmless_function(value, top) and not danger.forbids(value.__module__, name):
                kinds[module.__name__]["name"].add(name)
                kinds[value.__module__]["name"].add(name)


def _is_harmless_function(value: object, top: str) -> bool:
    """Whether it is a function of the library whose source reaches nowhere."""
    if not callable(value) or isinstance(value, type):
        return False
    source = _source(value)
    return (
        source is not None
        and getattr(value, "__module__", "").partition(".")[0] == top
        and reaches_out(source) is None
    )


def _source(value: object) -> ast.AST | None:
    """The parsed source of a function."""
    try:
        text = inspect.getsource(inspect.unwrap(value))  # type: ignore[arg-type]
        return ast.parse(inspect.cleandoc("\n" + text))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None


if __name__ == "__main__":
    main()
