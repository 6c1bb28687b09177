"""What a format's reader works with: where it is, what it may spend, and where its findings go."""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Any, Protocol

from alcaide.instruments.scan.limits import Budget, OverBudget
from alcaide.instruments.scan.model import Finding, Level, Node, Rule
from alcaide.instruments.scan.source import Memory, Unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from alcaide.instruments.scan.policy import ScanPolicy
    from alcaide.instruments.scan.source import Source

_IN_MEMORY = 8 << 20
_as_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Folder(Protocol):
    """The folder a scanned file lies in, for formats that refer to their neighbours. Never leads out of it."""

    def names(self) -> Iterator[str]:
        """The files in and below it, as relative paths with `/`."""
        ...

    def open(self, name: str) -> Source | None:
        """One of them, or None: not there, not a plain file, or outside of the folder."""
        ...


class Look:
    """The look at one scanned file: what all parts of it share."""

    __slots__ = (
        "budget",
        "findings",
        "folder",
        "looked_beside",
        "name",
        "policy",
        "sha256",
        "suppressed",
    )

    def __init__(
        self, budget: Budget, policy: ScanPolicy, folder: Folder | None = None, sha256: str | None = None
    ) -> None:
        self.budget = budget
        self.policy = policy
        self.folder = folder
        self.sha256 = sha256
        self.findings: list[Finding] = []
        self.suppressed = 0
        self.name = ""
        """The scanned file's path as it is reported: where its neighbours are looked for."""
        self.looked_beside = False
        """Whether a reader asked for the neighbours, so that what was found depends on them."""


class Context:
    """One part of a scanned file: the file itself, or something inside of it."""

    __slots__ = ("_examine", "depth", "look", "node", "place")

    def __init__(
        self,
        look: Look,
        node: Node,
        place: str,
        depth: int,
        examine: Callable[[Source, Context, str | None], None],
    ) -> None:
        self.look = look
        self.node = node
        self.place = place
        self.depth = depth
        self._examine = examine

    @property
    def budget(self) -> Budget:
        """What is left to spend."""
        return self.look.budget

    @property
    def policy(self) -> ScanPolicy:
        """What the organisation allows."""
        return self.look.policy

    @property
    def folder(self) -> Folder | None:
        """The scanned file's neighbours; None inside of an archive, and for bytes without a folder."""
        if self.depth:
            return None
        self.look.looked_beside = True
        return self.look.folder

    def tick(self, steps: int = 1) -> None:
        """Call it in every loop whose length the file decides.

        Raises:
            OverBudget: the time is up.
        """
        self.look.budget.tick(steps)

    def find(
        self,
        rule: Rule,
        message: str,
        *,
        offset: int | None = None,
        level: Level | None = None,
        place: str | None = None,
        **detail: Any,
    ) -> None:
        """Say that something is wrong.

        Args:
            rule: which kind of problem; one of those the format declares.
            message: one sentence for a person: what would happen, names in backticks.
            offset: bytes from the start of this part.
            level: where this case is better or worse than the rule's usual one.
            place: below this part, where it is not a child of its own (`model_config/layers/3`).
            detail: JSON values for programs.
        """
        if len(self.look.findings) >= self.look.budget.limits.findings:
            self.look.suppressed += 1
            return
        where = "/".join(step for step in (self.place, printable(place or "", 1_000)) if step)
        self.look.findings.append(
            Finding(rule.id, level or rule.level, _bounded(message), where, offset, plain(detail))
        )

    def fact(self, **facts: Any) -> None:
        """Say something about this part that is no problem; JSON values only."""
        self.node.facts.update(facts)

    def child(self, name: str, source: Source, *, as_format: str | None = None) -> Node:
        """Look at something that lies inside of this part, as at a file of its own.

        Args:
            name: its name within this part, as the part calls it; may be hostile, is only shown and used as a hint.
            source: its bytes.
            as_format: what it must be read as besides what it is recognised as: a torch archive's `data.pkl` is
                a pickle, whatever it looks like.

        Raises:
            OverBudget: too many things, too deep, or the time is up.
        """
        budget = self.look.budget
        budget.take_member()
        if self.depth + 1 > budget.limits.depth:
            raise OverBudget(f"it is nested more than {budget.limits.depth} deep")
        shown = shown_name(name)
        node = Node(shown, source.size)
        below = Context(
            self.look, node, f"{self.place}/{shown}" if self.place else shown, self.depth + 1, self._examine
        )
        before = len(self.look.findings)
        self._examine(source, below, as_format)
        quiet = len(self.look.findings) == before and not node.children and not node.facts
        if quiet and len(self.node.children) >= 200:
            self.node.left_out += 1
        else:
            self.node.children.append(node)
        return node

    def unpack(self, pieces: Iterable[bytes], packed: int) -> Source:
        """What comes out of a compressed part, kept in memory while small and in an unnamed temporary file after.

        Args:
            pieces: the unpacked bytes, lazily, in pieces of at most a few MiB.
            packed: how many bytes they come from.

        Raises:
            OverBudget: more comes out than the limits allow, or than so few bytes can honestly hold.
        """
        budget = self.look.budget
        limits = budget.limits
        held: list[bytes] = []
        count = 0
        spool = None
        try:
            for piece in pieces:
                count += len(piece)
                budget.take_unpacked(len(piece))
                if count > limits.ratio_from and count > limits.ratio * max(1, packed):
                    raise OverBudget(
                        f"{packed:,} packed bytes unpack to more than {count:,}: a decompression bomb"
                    )
                if spool is None and count > _IN_MEMORY:
                    spool = _spool()
                    _write(spool, b"".join(held))
                    held.clear()
                if spool is None:
                    held.append(piece)
                else:
                    _write(spool, piece)
        except BaseException:
            if spool is not None:
                spool.close()
            raise
        if spool is None:
            return Memory(b"".join(held))
        return Unpacked(spool, count)


def shown_name(name: str) -> str:
    """A name as it can be shown, at most 240 characters; what is too long is cut in its middle: endings are hints."""
    text = printable(name, 10 * len(name) + 1)
    return text if len(text) <= 240 else f"{text[:180]}…{text[-59:]}"


def printable(text: str, most: int = 240) -> str:
    """A name as it can be shown: no control, bidi or surrogate characters, not longer than `most`."""
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
        )
    return text if len(text) <= most else text[: most - 1] + "…"


def writable(node: Node) -> None:
    """Make sure that a node can be sent and written: no halves of characters, no numbers beyond 64 bits."""
    for each in node.walk():
        try:
            if each.facts:
                _as_json(each.facts).encode()
        except (ValueError, TypeError, RecursionError):
            each.facts = plain(each.facts)


def _spool() -> IO[bytes]:
    """An unnamed temporary file, which lives as long as the source that reads it."""
    import tempfile

    try:
        return tempfile.TemporaryFile(buffering=0)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OverBudget(f"its unpacked bytes do not fit into the temporary folder: {reason}") from error


def _write(spool: IO[bytes], piece: bytes) -> None:
    """Add to a temporary file."""
    try:
        left = memoryview(piece)
        while left:
            left = left[spool.write(left) :]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OverBudget(f"its unpacked bytes do not fit into the temporary folder: {reason}") from error


def _bounded(message: str) -> str:
    return printable(message, 1_000)


def plain(detail: dict[str, Any]) -> dict[str, Any]:
    """Details as JSON can hold them: strings made printable and cut, containers cut to 50 things."""
    return {name: _plain_value(value, 0) for name, value in detail.items() if value is not None}


def _plain_value(value: Any, depth: int) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON has no other way to write these
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else str(value)[:60]
    if isinstance(value, str):
        return printable(value, 500)
    if isinstance(value, bytes):
        return printable(value[:200].decode("latin-1"), 500)
    if depth >= 4:
        return "…"
    if isinstance(value, dict):
        return {
            printable(str(key), 200): _plain_value(item, depth + 1) for key, item in list(value.items())[:50]
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(item, depth + 1) for item in list(value)[:50]]
    return printable(str(value), 200)
