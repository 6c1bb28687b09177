"""How bad an act is: by what it reaches, when it does, and who sets it off.

A training script that starts `git` is a training script. The same call at the top of a file that `auto_map` names runs
on the machine of everybody who loads the model. So the levels depend on how the file comes to run.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.formats.commands import Kind, judge
from alcaide.instruments.scan.formats.texts.python.acts import When
from alcaide.instruments.scan.formats.texts.python.effects import Effect
from alcaide.instruments.scan.formats.texts.python.values import HOLE
from alcaide.instruments.scan.model import Level

if TYPE_CHECKING:
    from alcaide.instruments.scan.formats.texts.python.acts import Act


class Runs(Enum):
    """How a file comes to run; the value begins the sentence."""

    AUTO = "loading the model with its own code"
    START = "starting Python"
    INSTALL = "installing it"
    SCRIPT = "running or importing it"
    CELL = "running the notebook"

    @property
    def unasked(self) -> bool:
        """Whether it runs without anybody having asked for this file."""
        return self in (Runs.AUTO, Runs.START)


class Judged(NamedTuple):
    """A level, and why, to be read after the name of the call."""

    level: Level
    why: str = ""


_BUILDS = frozenset(["types.FunctionType", "types.CodeType", "marshal.loads", "marshal.load"])
"""What makes code and does not run it: serialisers of functions are built of these."""

_LOOKS_ONLY = ("nvidia-smi", "rocm-smi", "uname", "git rev-parse", "git describe", "git log", "git status", "nproc",
               "lscpu", "which ", "whereis ", "hostname")  # fmt: skip
_SENSITIVE = (
    "/.ssh", "/.aws", "/.gnupg", "/.kube", "/.netrc", "/.bashrc", "/.profile", "/.bash_profile", "/.zshrc",
    "/etc/passwd", "/etc/shadow", "/etc/cron", "/etc/sudoers", "/.git-credentials", "/.docker/config",
    "authorized_keys",
    "/.config/autostart", "sitecustomize", "usercustomize", "/.huggingface/token", "/huggingface/token", "/.pypirc",
    "Start Menu", "/proc/self/environ", "/LaunchAgents", "/systemd/", "/.npmrc",
)  # fmt: skip


def level_of(act: Act, runs: Runs) -> Judged | None:
    """How bad one act is; None if it is nothing to speak of."""
    on_load = act.when is When.IMPORT or (act.when is When.MAIN and runs is Runs.CELL)
    if act.argument is not None and act.effect in (Effect.WRITE, Effect.READ, Effect.DELETE):
        normal = act.argument.replace("\\", "/")
        if any(part in normal for part in _SENSITIVE):
            return Judged(
                Level.CRITICAL if on_load else Level.HIGH, "a file of yours that others must not touch"
            )
    match act.effect:
        case Effect.PROGRAM:
            return _program(act, runs, on_load=on_load)
        case Effect.CODE:
            return _code(act, runs, on_load=on_load)
        case Effect.UNPICKLE | Effect.NATIVE:
            return _loads(act, runs, on_load=on_load)
        case Effect.CONNECT | Effect.FETCH | Effect.SEND:
            return _network(act, runs, on_load=on_load)
        case Effect.DELETE | Effect.WRITE:
            return _files(act, runs, on_load=on_load)
        case Effect.MODULE:
            return Judged(Level.LOW) if runs.unasked and not act.safe else None
        case Effect.READ:
            return None


def _program(act: Act, runs: Runs, *, on_load: bool) -> Judged:
    """Starting a program: by what is started, and by whom."""
    command = (act.argument or "").replace(HOLE, " x ").strip()
    known = act.argument is not None and bool(command) and not act.argument.startswith(HOLE)
    judged = judge(command) if known else None
    if judged is not None and judged.kind is Kind.HARMFUL:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, f"which {judged.reason}")
    if act.hidden or act.decoded:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, "and hides that it does")
    if runs.unasked:
        if judged is not None and judged.kind is Kind.ORDINARY:
            if command.startswith(_LOOKS_ONLY):
                return Judged(Level.LOW)
            return Judged(Level.CRITICAL if on_load else Level.LOW)
        return Judged(Level.CRITICAL if on_load else Level.HIGH)
    if judged is not None and judged.kind is not Kind.ORDINARY and on_load:
        return Judged(Level.HIGH, f"which {judged.reason}")
    return Judged(Level.LOW)


def _code(act: Act, runs: Runs, *, on_load: bool) -> Judged | None:
    """Running code that is made at run time."""
    if act.decoded and not (act.name in _BUILDS and not on_load):
        return Judged(
            Level.CRITICAL if on_load else Level.HIGH,
            "of code that it unpacks or fetches first, so nobody can read it",
        )
    if act.name == "__subclasses__":
        return Judged(
            Level.HIGH if on_load or runs.unasked else Level.LOW, "to reach classes it does not name"
        )
    if act.safe:
        return Judged(Level.LOW) if runs.unasked else None
    if act.hidden:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, "and hides that it does")
    if act.name.startswith("marshal."):
        return Judged(Level.CRITICAL if on_load and runs.unasked else Level.HIGH if on_load else Level.LOW)
    if runs.unasked:
        return Judged(Level.CRITICAL if on_load else Level.MEDIUM)
    return Judged(Level.LOW)


def _loads(act: Act, runs: Runs, *, on_load: bool) -> Judged | None:
    """Loading what can run code: pickles, libraries."""
    if act.decoded and act.effect is Effect.UNPICKLE and not act.safe:
        later = Level.MEDIUM if runs.unasked else Level.LOW
        return Judged(Level.CRITICAL if on_load else later, "of data that it unpacks or fetches first")
    if act.safe:
        return None
    if act.hidden:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, "and hides that it does")
    if runs.unasked:
        if on_load:
            return Judged(Level.CRITICAL)
        return Judged(Level.LOW if act.effect is Effect.NATIVE or act.name == "torch.load" else Level.MEDIUM)
    if act.effect is Effect.NATIVE and on_load and act.rooted and runs is not Runs.CELL:
        return Judged(Level.MEDIUM)
    return Judged(Level.LOW)


def _network(act: Act, runs: Runs, *, on_load: bool) -> Judged | None:
    if act.hidden and act.effect is not Effect.FETCH:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, "and hides that it does")
    if runs.unasked:
        if on_load:
            # Making a session object asks nobody yet.
            return Judged(
                Level.LOW
                if act.name.endswith((".Session", ".session", "Request", "Manager"))
                else Level.CRITICAL
            )
        return Judged(Level.LOW if act.effect is Effect.FETCH else Level.HIGH)
    if runs is Runs.INSTALL and on_load and act.effect is not Effect.FETCH:
        return Judged(Level.HIGH)
    return None if act.effect is Effect.FETCH else Judged(Level.LOW)


def _files(act: Act, runs: Runs, *, on_load: bool) -> Judged | None:
    if act.safe:
        return None
    if act.hidden:
        return Judged(Level.CRITICAL if on_load else Level.HIGH, "and hides that it does")
    if runs.unasked:
        if on_load:
            return Judged(Level.CRITICAL)
        return Judged(Level.HIGH) if act.rooted else Judged(Level.LOW)
    if on_load and act.rooted and runs in (Runs.SCRIPT, Runs.INSTALL) and act.effect is Effect.DELETE:
        return Judged(Level.MEDIUM)
    return None
