"""Looks at one part: asks each format whether the bytes are its own, and lets every one that says yes read them."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from alcaide.instruments.scan.context import Context, Look, shown_name, writable
from alcaide.instruments.scan.format import Format, Glance
from alcaide.instruments.scan.limits import (
    Budget,
    Encrypted,
    Malformed,
    OverBudget,
    ScanStop,
    Truncated,
    Unsupported,
)
from alcaide.instruments.scan.model import Artifact, Finding, Level, Node, Rule
from alcaide.instruments.scan.paths import sendable
from alcaide.instruments.scan.policy import ScanPolicy
from alcaide.instruments.scan.source import HEAD, UnreadableError

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Folder
    from alcaide.instruments.scan.source import Source

_UNSEEN = "What was not looked at can hold anything."

MALFORMED = Rule(
    "scan/malformed",
    Level.MEDIUM,
    "violates its own format",
    "Programs differ in what they make of broken bytes: the checker sees one thing, the loader another.",
    "Get the file again from its source; if it comes the same, ask its maker for a well-formed one.",
    ("cwe/CWE-20", "cwe/CWE-436"),
)
TRUNCATED = Rule(
    "scan/truncated",
    Level.UNKNOWN,
    "ends too early",
    "A loader may act on the part that is there before it notices. " + _UNSEEN,
    "Get the file again, whole.",
    ("cwe/CWE-20",),
)
ENCRYPTED = Rule(
    "scan/encrypted",
    Level.UNKNOWN,
    "encrypted",
    _UNSEEN,
    "Scan it again, decrypted.",
)
UNSUPPORTED = Rule(
    "scan/unsupported",
    Level.UNKNOWN,
    "not readable here",
    _UNSEEN,
    "Convert it to a format that is supported (`alcaide scan --formats` lists them), or decide about it by hand.",
)
OVER_BUDGET = Rule(
    "scan/over-budget",
    Level.UNKNOWN,
    "too big to look at whole",
    _UNSEEN + " Bombs are made to tire scanners.",
    "Raise the limit in the scan policy if the file is honest, and scan it again.",
    ("cwe/CWE-409", "cwe/CWE-400"),
)
UNREADABLE = Rule(
    "scan/unreadable",
    Level.UNKNOWN,
    "cannot be read",
    _UNSEEN,
    "Make it readable, and scan it again.",
)
CHANGED = Rule(
    "scan/changed",
    Level.UNKNOWN,
    "written to while it was read",
    "What was looked at and what lies there now are not the same bytes.",
    "Scan it again when nobody writes to it.",
    ("cwe/CWE-367",),
)
OTHER_CONTENT = Rule(
    "scan/other-content",
    Level.MEDIUM,
    "not the content that was promised",
    "It was named by the digest of other bytes: somebody changed it, or its copy is damaged.",
    "Get it again from its source, and find out who could write to this copy.",
    ("cwe/CWE-345", "cwe/CWE-353"),
)
UNRECOGNISED = Rule(
    "scan/unrecognised",
    Level.UNKNOWN,
    "no known format",
    _UNSEEN,
    "Find out what it is and what reads it, then decide by hand.",
)
FAULT = Rule(
    "scan/fault",
    Level.UNKNOWN,
    "the scanner failed",
    "A file that makes a scanner fail may have been made to.",
    "Please report it, with the file if it can be shared; until then decide by hand.",
)
MORE = Rule(
    "scan/more-findings",
    Level.LOW,
    "more findings than are listed",
    "Many findings can bury the one that matters; the worst are listed first.",
    "Mend what is listed, and scan again.",
)
RULES = (
    MALFORMED,
    TRUNCATED,
    ENCRYPTED,
    UNSUPPORTED,
    OVER_BUDGET,
    UNREADABLE,
    CHANGED,
    OTHER_CONTENT,
    UNRECOGNISED,
    FAULT,
    MORE,
)

_STOPS: dict[type[ScanStop], Rule] = {
    Malformed: MALFORMED,
    Truncated: TRUNCATED,
    Encrypted: ENCRYPTED,
    Unsupported: UNSUPPORTED,
    OverBudget: OVER_BUDGET,
}


@lru_cache(maxsize=1)
def formats() -> tuple[Format, ...]:
    """All formats that are recognised, in the order they are asked."""
    package = "alcaide.instruments.scan.formats"
    names: tuple[str, ...] = import_module(package).MODULES
    return tuple(form for name in names for form in import_module(f"{package}.{name}").FORMATS)


@lru_cache(maxsize=1024)
def _asked(first: bytes) -> tuple[Format, ...]:
    """Those, but for the fallback ones, whose files may begin with these two bytes."""
    return tuple(form for form in formats() if not form.fallback and form.may_begin(first))


@lru_cache(maxsize=1)
def rules() -> dict[str, Rule]:
    """Every rule by its id: those of the scan itself, then each format's."""
    known = {rule.id: rule for rule in RULES}
    beside: tuple[Rule, ...] = import_module("alcaide.instruments.scan.repository").RULES
    for rule in (*beside, *(rule for form in formats() for rule in form.rules)):
        if known.setdefault(rule.id, rule) != rule:
            raise AssertionError(f"two rules are called `{rule.id}`")
    return known


def examine(source: Source, context: Context, as_format: str | None = None) -> None:
    """Look at one part. Whatever happens in a format's reader ends here, as a finding."""
    if source.size == 0:
        context.node.formats.append("empty")
        return
    try:
        glance = Glance(source, context.node.name)
        if len(glance.head) < min(source.size, HEAD):
            context.find(CHANGED, f"`{context.node.name}` was cut while it was read")
            return
        own = [form for form in _asked(glance.head[:2]) if form.sniff(glance)]
        if as_format is not None and all(form.name != as_format for form in own):
            own += [form for form in formats() if form.name == as_format]
        if not own:
            own = [form for form in formats() if form.fallback and form.sniff(glance)][:1]
    except UnreadableError as error:
        context.find(UNREADABLE, f"`{context.node.name}` was not looked at: {error}")
        return
    except ScanStop:
        raise
    except Exception as error:  # noqa: BLE001 - as in `_read`: a fault must not end the scan
        context.find(
            FAULT,
            f"recognising `{context.node.name}` failed ({type(error).__name__})",
            error=f"{type(error).__name__}: {error}",
        )
        return
    if not own:
        context.find(
            UNRECOGNISED,
            f"`{context.node.name}` is in no format that is known here",
            head=glance.head[:16].hex(),
        )
        return
    context.node.formats.extend(form.name for form in own)
    for form in own:
        _read(form, source, context)


def _read(form: Format, source: Source, context: Context) -> None:
    """Let one format's reader look."""
    name = context.node.name
    try:
        form.examine(source, context)
    except OverBudget as stop:
        # Time and totals are the whole file's: what is beside this part cannot be paid for either.
        context.find(OVER_BUDGET, f"`{name}` was not looked at whole: {stop.message}", offset=stop.offset)
        if context.depth:
            context.budget.check_time()
    except ScanStop as stop:
        rule = next(rule for kind, rule in _STOPS.items() if isinstance(stop, kind))
        context.find(rule, f"`{name}` as {form.title}: {stop.message}", offset=stop.offset)
    except UnreadableError as error:
        context.find(UNREADABLE, f"`{name}` was not looked at whole: {error}")
    except (MemoryError, RecursionError) as error:
        context.find(
            OVER_BUDGET,
            f"`{name}` was not looked at whole: {type(error).__name__} in the {form.title} reader",
        )
    except Exception as error:  # noqa: BLE001 - a reader's fault must not become a file called clean, nor end the scan
        context.find(
            FAULT,
            f"the {form.title} reader failed on `{name}` ({type(error).__name__})",
            error=f"{type(error).__name__}: {error}",
        )


def examine_artifact(
    source: Source,
    name: str,
    *,
    policy: ScanPolicy | None = None,
    folder: Folder | None = None,
    sha256: str | None = None,
) -> Artifact:
    """Look at one file, in this process.

    Args:
        source: its bytes.
        name: its path as it is to be reported; the last part is a hint for the formats.
        policy: limits and allowances; the one that ships if None.
        folder: its neighbours, for formats that refer to them.
        sha256: its digest, if known; allowances need it.
    """
    policy = policy or ScanPolicy()
    look = Look(Budget(policy.limits, source.size), policy, folder, sha256)
    look.name = name
    node = Node(shown_name(name.rsplit("/", 1)[-1]), source.size)
    context = Context(look, node, "", 0, examine)
    try:
        examine(source, context)
    except OverBudget as stop:
        context.find(OVER_BUDGET, f"`{node.name}` was not looked at whole: {stop.message}")
    findings = sorted(look.findings, key=Finding.sort_key)
    if look.suppressed:
        findings.append(
            Finding(MORE.id, MORE.level, f"{look.suppressed:,} more findings in `{node.name}` are not listed")
        )
    writable(node)
    return Artifact(sendable(name), node, findings, sha256, looked_beside=look.looked_beside)
