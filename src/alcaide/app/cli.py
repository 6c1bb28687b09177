"""The command `alcaide`: finds the command that was asked for, loads that one alone, and says how it ended.

The first word decides. Help and version are answered from the manifests, which load nothing; any other word
loads the one module that knows it. Here is also the only place that turns an error into an exit code:

    0  done, or the verdict is Passed        2  the verdict is Unknown
    1  the verdict is Failed                 3  it could not be done; the message says why

What a command does is in the slices' `cli.py`, and for the machine as a whole in `commands.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from alcaide import __version__
from alcaide.kernel.errors import AlcaideError

if TYPE_CHECKING:
    from cyclopts import App

EXIT_ERROR = 3
EXIT_INTERRUPTED = 130  # 128 + SIGINT, what shells expect
EXIT_PIPE_CLOSED = 141  # 128 + SIGPIPE


class Entry(NamedTuple):
    """A word after `alcaide`: what it does in one line, and where its code is."""

    word: str
    title: str
    target: str
    quick: str = ""


MACHINE: tuple[Entry, ...] = (
    Entry("up", "start Alcaide on this machine: pages, API and background work", "alcaide.app.commands:up"),
    Entry("web", "serve pages and API alone, for a machine of their own", "alcaide.app.commands:web"),
    Entry("worker", "run background jobs alone, for a machine of their own", "alcaide.app.commands:worker"),
    Entry("backup", "write one file that everything can be restored from", "alcaide.app.commands:backup"),
    Entry("restore", "bring a backup back and verify it", "alcaide.app.commands:restore"),
    Entry(
        "settings", "show every setting, its value and where it came from", "alcaide.app.commands:settings"
    ),
    Entry("version", "print the version", "alcaide.app.commands:version"),
)

# Called by `up` alone, so not listed.
INTERNAL: tuple[Entry, ...] = (
    Entry("prepare", "make a data folder ready to serve", "alcaide.app.commands:prepare"),
)

# The word people use where it is not the slice's name.
WORDS = {"lifecycle": "gate", "assurance": "guard", "operations": "jobs"}


def slice_entries() -> tuple[Entry, ...]:
    """One entry per slice that has commands, and one for each further word of its own."""
    from alcaide.app.slices import manifests

    found: list[Entry] = []
    for manifest in manifests():
        if manifest.cli is not None:
            found.append(Entry(WORDS.get(manifest.name, manifest.name), manifest.question, manifest.cli))
        found += [Entry(word.word, word.title, word.target, word.quick) for word in manifest.words]
    return tuple(found)


def main() -> NoReturn:
    """Run the command line this process was started with."""
    code = run(sys.argv[1:])
    if "threading" not in sys.modules:
        # Nothing that would want to hear of the end was loaded, and taking the interpreter apart takes longer than
        # looking at thirty files.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code. Never raises, never shows a traceback."""
    try:
        code = _dispatch(argv)
        sys.stdout.flush()
    except AlcaideError as error:
        return _explain(error)
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`alcaide … | head`): what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the rim: whatever reaches it is recorded, never shown raw
        return _record(error, argv)
    return code


def _dispatch(argv: Sequence[str]) -> int:
    if not argv or argv[0] in {"-h", "--help", "help"}:
        if len(argv) > 1 and argv[0] == "help":
            return _dispatch([*argv[1:], "--help"])
        _say(root_help())
        return 0
    if argv[0] in {"--version", "version"}:
        _say(f"alcaide {__version__}")
        return 0
    entry = _find(argv[0])
    return _unknown(argv[0]) if entry is None else _call(entry, argv)


def _find(word: str) -> Entry | None:
    # The machine's own words come first: they must work while a slice does not.
    for entry in (*MACHINE, *INTERNAL):
        if entry.word == word:
            return entry
    return next((entry for entry in slice_entries() if entry.word == word), None)


def _call(entry: Entry, argv: Sequence[str]) -> int:
    if entry.quick and (code := _load(entry.quick)(list(argv[1:]))) is not None:
        return _exit_code(code)
    from cyclopts import CycloptsError

    app = root_app([entry])
    try:
        result = app(list(argv))
    except CycloptsError as error:
        # The parser's sentence, in the form every other message has: what is wrong, then what to do.
        message = str(error).strip()
        _complain(f"{message[:1].lower()}{message[1:]}\nRun `{_help_call(argv)}` to see what it takes.")
        return EXIT_ERROR
    return _exit_code(result)


def root_app(entries: Sequence[Entry]) -> App:
    """A cyclopts application with just these commands loaded. The documentation is built from all of them."""
    import cyclopts

    app = cyclopts.App(
        name="alcaide",
        version=__version__,
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    for entry in entries:
        app.command(_load(entry.target), name=entry.word)
    return app


def _load(target: str) -> Callable[..., object]:
    from importlib import import_module

    module, _, attribute = target.partition(":")
    loaded: Callable[..., object] = getattr(import_module(module), attribute)
    return loaded


def _exit_code(result: object) -> int:
    # bool is an int, and a command that answers True has not failed with exit code 1.
    if isinstance(result, int) and not isinstance(result, bool):
        return result
    return 0


def _help_call(argv: Sequence[str]) -> str:
    """The words up to the first option: what to ask help for."""
    words: list[str] = []
    for word in argv[:2]:
        if word.startswith("-"):
            break
        words.append(word)
    return " ".join(["alcaide", *words[:1], "--help"])


def root_help() -> str:
    """What `alcaide --help` says. Plain text: a terminal library would cost more than everything else here."""
    slices = slice_entries()
    width = max(len(entry.word) for entry in (*MACHINE, *slices)) + 2

    def listed(entries: Sequence[Entry]) -> list[str]:
        return [f"  {entry.word:<{width}}{entry.title}" for entry in entries]

    return "\n".join(
        [
            "Keeps the register, the gates and the records of an organisation's AI.",
            "",
            "usage: alcaide COMMAND [OPTIONS]",
            "",
            "The machine:",
            *listed(MACHINE),
            "",
            "The work:",
            *listed(slices),
            "",
            "Every command takes --help, and --data FOLDER where it reads or writes one (else ALCAIDE_DATA,",
            "else ./alcaide-data). Exit codes: 0 done or passed, 1 failed, 2 unknown, 3 could not be done.",
        ]
    )


def _unknown(word: str) -> int:
    from difflib import get_close_matches

    words = [entry.word for entry in (*MACHINE, *slice_entries())]
    close = get_close_matches(word, words, n=1)
    hint = f"Did you mean `alcaide {close[0]}`?" if close else "Run `alcaide --help` to see them all."
    _complain(f"there is no command `{word[:80]}`. {hint}")
    return EXIT_ERROR


def _explain(error: AlcaideError) -> int:
    from alcaide.kernel.errors import InvalidInput, NotAllowed

    lines = [str(error)]
    if isinstance(error, InvalidInput):
        lines += [f"  {field}: {reason}" for field, reason in error.fields.items()]
    if isinstance(error, NotAllowed):
        lines += [f"  rule: {error.rule}"] if error.rule else []
        lines += [f"  owner: {error.owner}"] if error.owner else []
        lines += [f"  next: {error.next_step}"] if error.next_step else []
    _complain("\n".join(lines))
    if _debugging():
        raise error
    return error.exit_code


def _record(error: Exception, argv: Sequence[str]) -> int:
    """Keep what happened in a file and name the file. A traceback may hold what a terminal should not show."""
    if _debugging():
        raise error
    import traceback

    from alcaide.app.logs import write_crash

    where = write_crash("".join(traceback.format_exception(error)), argv)
    _complain(
        f"this should not have happened: {type(error).__name__}. The details are in {where}.\n"
        "Please report it with that file, after looking through it for anything private."
    )
    return EXIT_ERROR


def _debugging() -> bool:
    return os.environ.get("ALCAIDE_DEBUG") == "1"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> None:
    sys.stderr.write(f"alcaide: {text}\n")
