"""From what a pickle does to findings for a person, and to the call graph that the page draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.formats.pickle import rules
from alcaide.instruments.scan.formats.pickle.evaluate import COMPUTE
from alcaide.instruments.scan.formats.pickle.values import show_arguments
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.formats.pickle.actions import Actions, Record
    from alcaide.instruments.scan.formats.pickle.verdict import Entry

_ACTING: Final = regex(
    r"(?:^|_)(?:run|exec|execute|eval|system|shell|popen|spawn|command|cmd|unpickle|loads?|download|fetch|urlopen|import"
    r"|open|write|save|dump|remove|delete|unlink|install|invoke|kill|request|send|connect|instantiate|locate)(?:_|$)"
)
"""A function that nobody here knows and that is called by such a name is not waiting to be used."""

_SHOWN: Final = 200
"""Calls and names that the facts hold."""


def report(actions: Actions, context: Context, *, pickles: int) -> bool:
    """Say everything that was found, the worst last to be forgotten; whether anything was."""
    before = len(context.look.findings)
    by_name: dict[str, list[Record]] = {}
    for record in actions.records.values():
        if record.entry.kind != "allowed":
            by_name.setdefault(record.entry.name, []).append(record)
    entries = sorted(
        (pair for pair in actions.fetched.values() if pair[0].kind != "allowed"),
        key=lambda pair: pair[0].kind != "dangerous",
    )
    for entry, offset in entries:
        records = by_name.pop(entry.name, [])
        if entry.kind == "dangerous":
            _dangerous(context, entry, records, offset)
        else:
            _unlisted(context, entry, records, offset)
    for trouble in actions.troubles:
        rule = rules.BY_ID[trouble.rule]
        if trouble.name and _allowed(context, trouble.name, trouble.offset):
            continue
        context.find(
            rule,
            trouble.message,
            offset=trouble.offset,
            level=trouble.level,
            callable=trouble.name or None,
            **trouble.detail,
        )
    if actions.frame_beyond is not None:
        context.find(
            rules.FRAME,
            "a frame says it is longer than what is left of the file",
            offset=actions.frame_beyond,
        )
    _facts(actions, context, pickles)
    return len(context.look.findings) > before


def _dangerous(context: Context, entry: Entry, records: list[Record], offset: int) -> None:
    """A name that is known to do harm."""
    if _allowed(context, entry.name, offset):
        return
    rule = rules.CARRIED if entry.effect == "carries" else rules.DANGEROUS
    seen: set[tuple[str, str]] = set()
    for record in records:
        for at, arguments, through in record.examples:
            if (arguments, through) in seen:
                continue
            seen.add((arguments, through))
            # What calls it is a harmless-looking name for a person to look for in the file.
            way = f" through `{through}`" if through else ""
            given = f" with `{arguments}`" if arguments else ""
            verb = {"new": "makes", "result": "calls the result of"}.get(record.how, "calls")
            context.find(
                rule,
                f"loading it {verb} `{entry.name}`{given}{way}: {entry.why}",
                offset=at,
                callable=entry.name,
                arguments=arguments,
                how=record.how,
                effect=entry.effect,
                times=record.count if record.count > 1 else None,
            )
    if not records:
        context.find(
            rule,
            f"loading it fetches `{entry.name}`: {entry.why}",
            offset=offset,
            callable=entry.name,
            how="fetch",
            effect=entry.effect,
        )


def _unlisted(context: Context, entry: Entry, records: list[Record], offset: int) -> None:
    """A name that nothing is known about."""
    module = entry.name.partition(".")[0]
    beside = _beside(context, module)
    if beside is not None:
        context.find(
            rules.BESIDE,
            f"loading it imports `{beside}`, which lies beside it, for `{entry.name}`",
            offset=offset,
            callable=entry.name,
            member=beside,
        )
        return
    if _allowed(context, entry.name, offset):
        return
    if records:
        record = records[0]
        at, arguments, through = record.examples[0] if record.examples else (record.offset, "", "")
        way = f" through `{through}`" if through else ""
        if record.how == "new":
            said = f"loading it makes a `{entry.name}`{way}, which is not known to be harmless"
        else:
            given = f" with `{arguments}`" if arguments else ""
            said = f"loading it calls `{entry.name}`{given}{way}, which is not known to be harmless"
        acts = _acts(entry, record.how)
        context.find(
            rules.UNLISTED,
            said + acts,
            offset=at,
            level=Level.CRITICAL if acts else None,
            callable=entry.name,
            arguments=arguments or None,
            how=record.how,
        )
    else:
        context.find(
            rules.UNLISTED,
            f"loading it imports `{entry.name}`, which is not known to be harmless",
            offset=offset,
            callable=entry.name,
            how="fetch",
        )


def _acts(entry: Entry, how: str) -> str:
    """Why a call of an unlisted name is as bad as a known one, as the end of a sentence; "" if it is not."""
    if how == "new" or entry.name in COMPUTE:
        return ""
    if entry.effect == "unknown":
        # Whatever is installed under that name runs: a library nobody vouches for, or one that is yet to be planted.
        return ", in a library that nobody here knows"
    if entry.effect == "standard":
        return ": no model needs that part of Python's library to be loaded"
    if _ACTING.search(entry.name.rpartition(".")[2]) is not None:
        return ", and whose name says that it acts"
    return ""


def _beside(context: Context, module: str) -> str | None:
    """The file or package of that name in the folder that the scanned file lies in."""
    folder = context.look.folder
    if folder is None or not module.isidentifier():
        return None
    for name in (f"{module}.py", f"{module}/__init__.py"):
        if folder.open(name) is not None:
            return name
    return None


def _allowed(context: Context, name: str, offset: int) -> bool:
    """Whether a person has allowed this name for this file; then that is said instead."""
    allowance = context.policy.allowance(name, context.look.sha256)
    if allowance is None:
        return False
    by = f" by {allowance.by}" if allowance.by else ""
    context.find(
        rules.ALLOWED,
        f"`{name}` is allowed for this file{by}: {allowance.reason}",
        offset=offset,
        callable=name,
    )
    return True


def _facts(actions: Actions, context: Context, pickles: int) -> None:
    """The call graph, bounded: what is dangerous first."""
    order = {"dangerous": 0, "unlisted": 1, "allowed": 2}
    records = sorted(actions.records.values(), key=lambda record: order[record.entry.kind])[:_SHOWN]
    calls: list[dict[str, Any]] = [
        {
            "callable": record.entry.name,
            "how": record.how,
            "times": record.count,
            "arguments": (record.examples[0][1] if record.examples else show_arguments(record.args))[:200],
            "through": record.examples[0][2] if record.examples else "",
            "offset": record.offset,
            "verdict": record.entry.kind,
        }
        for record in records
    ]
    names = sorted(actions.fetched.values(), key=lambda pair: (order[pair[0].kind], pair[0].name))[:_SHOWN]
    context.fact(
        protocol=actions.protocol,
        pickles=pickles,
        calls=calls,
        globals=[{"name": entry.name, "verdict": entry.kind} for entry, _ in names],
    )
