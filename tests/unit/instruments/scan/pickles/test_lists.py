"""The allow-lists hold what libraries write and nothing that does harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alcaide.instruments.scan.allow import CALL, NAME, NEW, lists
from alcaide.instruments.scan.formats.pickle.conditions import CONDITIONS
from alcaide.instruments.scan.formats.pickle.verdict import Judge

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text())
"""What pickles of some 1,400 kinds of objects hold, in several protocols, by library, use and module.

Written down from the output of `tools/scan/record_callables.py`, which reads opcodes with `pickletools` and knows
nothing of the machine.
"""

_NEEDS = {"named": NAME, "made": NEW, "called": CALL}


@pytest.mark.parametrize("library", sorted(RECORDED))
def test_what_a_library_writes_is_allowed(library: str):
    judge = Judge()
    refused = [
        f"{module}.{name} ({how})"
        for how, modules in RECORDED[library].items()
        for module, names in modules.items()
        for name in names.split()
        for entry in [judge.entry(module, name, old=True)]
        if entry.kind != "allowed" or not entry.flags & _NEEDS[how]
    ]

    assert not refused


@pytest.mark.parametrize("library", sorted(lists().libraries))
def test_no_generated_list_holds_a_dangerous_name(library: str):
    known = lists()
    dangerous = [
        f"{module}.{name}"
        for module, names in known.library(library).items()
        for name in names
        if known.dangerous_name(f"{module}.{name}") is not None
        or known.dangerous_module(f"{module}.{name}") is not None
    ]

    assert not dangerous


def test_no_reviewed_name_is_dangerous_by_name():
    known = lists()
    dangerous = [
        f"{module}.{name}"
        for module, names in known.reviewed.items()
        for name in names
        if known.dangerous_name(f"{module}.{name}") is not None
    ]

    assert not dangerous


def test_every_condition_is_one_that_is_known():
    asked = {
        condition
        for names in lists().reviewed.values()
        for permission in names.values()
        for condition in (permission.condition, permission.on_build)
        if condition is not None
    }

    assert asked - {"joblib-array"} <= set(CONDITIONS)


def test_nothing_is_called_because_a_tool_said_so():
    """Generated lists allow calls of enumerations and of compiled classes only; the rest is for people to say."""
    torch = lists().library("torch")

    assert not torch["torch.nn.modules.linear"]["Linear"].flags & CALL


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("os", "system", "dangerous"),
        ("posixpath", "os.system", "dangerous"),
        ("random", "_os.system", "dangerous"),
        ("collections", "abc.sys.modules.get", "dangerous"),
        ("__builtin__", "eval", "dangerous"),
        ("commands", "getoutput", "dangerous"),
        ("numpy", "ndarray.tofile", "dangerous"),
        ("argparse", "Namespace.__init__.__globals__", "dangerous"),
        ("builtins", "getattr", "allowed"),
        ("numpy.core.multiarray", "_reconstruct", "allowed"),
        ("numpy._core.multiarray", "_reconstruct", "allowed"),
        ("sklearn.tree.tree", "DecisionTreeClassifier", "allowed"),
        ("sklearn.ensemble.forest", "RandomForestClassifier", "allowed"),
        ("my_models", "Net", "unlisted"),
    ],
)
def test_names_are_judged_by_where_they_lead(module: str, name: str, kind: str):
    assert Judge().entry(module, name, old=True).kind == kind


def test_lists_say_which_library_they_are_of():
    folder = Path(__file__).parents[5] / "src/alcaide/instruments/scan/allow/lists"

    for file in folder.glob("*.json"):
        document = json.loads(file.read_text())
        assert document["library"], file.name
        assert document["version"], file.name
