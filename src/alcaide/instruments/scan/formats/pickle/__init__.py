"""Pickles, protocols 0 to 5: what loading them would import and call, told without loading them.

A file is read as a stream of pickles, as loaders that call `pickle.load` again do; what follows the last is looked at
for what it is. Libraries that embed pickles (joblib, NumPy, torch) come here through `look_at`.
"""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING, Final

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.pickle.company import Companion
from alcaide.instruments.scan.formats.pickle.rules import DANGEROUS, MEMO, RULES, TRAILING
from alcaide.instruments.scan.formats.pickle.sniff import begins_pickle, is_pickle
from alcaide.instruments.scan.limits import Malformed, OverBudget, ScanStop, Truncated
from alcaide.instruments.scan.source import HEAD, Memory, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.formats.pickle.actions import Actions
    from alcaide.instruments.scan.formats.pickle.values import Made
    from alcaide.instruments.scan.source import Source

_MOST_PICKLES: Final = 10_000
_SEARCHED: Final = 1 << 20
"""Bytes after the last pickle that are searched for a pickle at an odd place."""


def examine(source: Source, context: Context) -> None:
    """Look at a file that is one pickle or several."""
    companion = source if isinstance(source, Companion) else None
    actions, end = look_at(source, context, extra=companion.extra if companion is not None else ())
    if companion is not None:
        companion.storages.update(actions.storages)
    after(source, context, end)


def look_at(
    source: Source,
    context: Context,
    *,
    start: int = 0,
    most: int = _MOST_PICKLES,
    extra: tuple[str, ...] = (),
) -> tuple[Actions, int]:
    """Follow the pickles from `start`, say what is wrong with them, and give back what they do and where they end.

    Args:
        source: the bytes.
        context: where findings go.
        start: where the first begins.
        most: how many are read, if another follows each time.
        extra: prefixes of names that are harmless here and nowhere else.

    Raises:
        Malformed: the first broke; what it did before that has been said.
        Truncated: it ended before its STOP; the same.
    """
    # What is kept of a pickle is many small things and hardly any garbage: looking for cycles takes a third of the
    # time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _followed(source, context, start, most, extra)
    finally:
        if collecting:
            gc.enable()


def _followed(
    source: Source, context: Context, start: int, most: int, extra: tuple[str, ...]
) -> tuple[Actions, int]:
    """The pickles of a stream, one after another, and what is nested in them."""
    # Loaded when the first pickle is met: most files are none.
    from alcaide.instruments.scan.formats.pickle.actions import Actions
    from alcaide.instruments.scan.formats.pickle.machine import Machine
    from alcaide.instruments.scan.formats.pickle.report import report
    from alcaide.instruments.scan.formats.pickle.verdict import Judge

    actions = Actions(Judge(extra), context)
    actions.on_array = _arrays(source, context, actions)
    at, pickles = start, 0
    stop: ScanStop | None = None
    while pickles < most:
        machine = Machine(source, context, actions)
        before = (len(actions.records), len(actions.troubles))
        try:
            at = machine.run(at)
        except OverBudget as error:
            stop = error
        except (Malformed, Truncated) as error:
            # What follows a whole pickle and breaks without having done anything is some other bytes.
            if not pickles or (len(actions.records), len(actions.troubles)) != before:
                stop = error
                at = source.size
        else:
            pickles += 1
        if machine.memo_bomb is not None:
            index, where = machine.memo_bomb
            context.find(
                MEMO,
                f"it numbers something {index:,} in its memo at byte {where:,}",
                offset=where,
                index=index,
            )
        if stop is not None or machine.stopped != at or at >= source.size:
            break
        if not begins_pickle(source.read(at, HEAD), source.size - at):
            break
    report(actions, context, pickles=pickles)
    for name, data in actions.nested:
        inner = Memory(data) if isinstance(data, bytes) else Window(source, data.offset, data.length)
        context.child(name, inner, as_format="pickle")
    if stop is not None:
        raise stop
    return actions, at


def _arrays(source: Source, context: Context, actions: Actions) -> Callable[[Made, int], int]:
    """What the machine does at an array that joblib wrote into the stream."""

    def onward(wrapper: Made, offset: int) -> int:
        from alcaide.instruments.scan.formats.pickle.arrays import array_extent
        from alcaide.instruments.scan.formats.pickle.machine import Machine
        from alcaide.instruments.scan.formats.pickle.values import Blob

        _, end, objects = array_extent(wrapper, source, offset)
        if not objects:
            # A plain unpickler knows nothing of arrays and reads on here.
            length = min(source.size - offset, _SEARCHED)
            if harmful(Window(source, offset, length), context, 0):
                actions.nest("array read as opcodes", Blob(source, offset, length, text=False))
            return end
        hook, actions.on_array = actions.on_array, None
        protocol = actions.protocol
        try:
            return Machine(source, context, actions).run(offset)
        finally:
            actions.on_array = hook
            actions.protocol = protocol

    return onward


def after(source: Source, context: Context, end: int) -> None:
    """Look at what follows the last pickle of a file."""
    rest = source.size - end
    if rest <= 0:
        return
    window = Window(source, end)
    head = window.read(0, 1 << 16)
    if not head.strip(b"\0 \t\r\n"):
        if rest > len(head):
            context.find(TRAILING, f"{rest:,} bytes follow the pickle", offset=end)
        return
    from alcaide.instruments.scan.examine import formats
    from alcaide.instruments.scan.format import Glance

    glance = Glance(window, "after the pickle")
    if glance.head and any(form.sniff(glance) for form in formats() if not form.fallback):
        context.child("after the pickle", window)
        return
    search(window, context)
    context.find(TRAILING, f"{rest:,} bytes follow the pickle, in no format that is known here", offset=end)


def search(window: Window, context: Context) -> None:
    """Pickles that begin somewhere in the bytes after the end: said only if they do known harm."""
    data = window.read(0, _SEARCHED)
    at = data.find(b"\x80")
    tries = 0
    while at >= 0 and tries < 200:
        context.tick()
        if at + 2 < len(data) and 2 <= data[at + 1] <= 5 and begins_pickle(data[at : at + 64], len(data)):
            tries += 1
            if harmful(window, context, at):
                context.child(f"pickle at byte {at}", Window(window, at), as_format="pickle")
                return
        at = data.find(b"\x80", at + 1)


def harmful(source: Source, context: Context, at: int) -> bool:
    """Whether the opcodes from `at` fetch a name that is known to do harm."""
    from alcaide.instruments.scan.formats.pickle.actions import Actions
    from alcaide.instruments.scan.formats.pickle.machine import Machine
    from alcaide.instruments.scan.formats.pickle.verdict import Judge

    actions = Actions(Judge(), context)
    with contextlib.suppress(Malformed, Truncated):
        Machine(source, context, actions).run(at)
    return any(entry.kind == "dangerous" for entry, _ in actions.fetched.values())


FORMATS = (Format("pickle", "pickle", is_pickle, examine, RULES),)

__all__ = ["DANGEROUS", "FORMATS", "Companion", "after", "begins_pickle", "harmful", "look_at", "search"]
