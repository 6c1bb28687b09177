"""How this library asks something else to read a text: the guard, handed in by whoever composes the two.

Instruments do not import each other. What is handed in only has to have `look`; the names it gives to what it sees
are the guard's categories, and `kind_of` says which of them are which sort of problem.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alcaide.instruments.scan.data.report import Kind

Seen = tuple[str, float, int, int]
"""Category, score in [0, 1], first character, character after the last."""


@runtime_checkable
class TextLooker(Protocol):
    """Reads texts. Must be deterministic, and must not raise for any text."""

    def look(self, text: str) -> Sequence[Seen]:
        """Everything seen in it."""
        ...


INSTRUCTIONS = frozenset(
    {
        "prompt-injection",
        "jailbreak",
        "hidden-text",
        "instruction",
        "tool-poisoning",
        "active-content",
        "exfiltration",
    }
)
SECRETS = frozenset({"secret", "PIN", "CRYPTO_KEY", "PASSWORD"})
SPECIAL = frozenset(
    {
        "MEDICAL_CONDITION",
        "RELIGION",
        "SEXUAL_ORIENTATION",
        "POLITICAL_OPINION",
        "TRADE_UNION_MEMBERSHIP",
        "ETHNICITY",
        "GENETIC",
        "BIOMETRIC",
    }
)
_SAYS_LITTLE = frozenset(
    {"LOCATION", "ORGANIZATION", "DATE_TIME", "TITLE", "AGE", "NRP", "URL", "COMPANY_ID", "VERSION"}
)
"""Of a person only beside something else: no personal data by itself, so no finding."""


def kind_of(category: str) -> Kind | None:
    """What sort of problem a category is; None for what is none by itself."""
    if category in INSTRUCTIONS:
        return "instruction"
    if category in SECRETS or category.startswith(("secret", "SECRET")):
        return "secret"
    if category in SPECIAL:
        return "special"
    if category in _SAYS_LITTLE:
        return None
    return "personal" if category.isupper() else None


_JOINT = "\n\n"


def look_at_many(
    looker: TextLooker, texts: Sequence[str], *, together: int = 1_500
) -> Iterator[tuple[int, list[Seen]]]:
    """Each text's index with what was seen in it, a list that may be empty.

    Short texts are read several at a time, parted by empty lines, because most of a look's cost is paid per call.
    What is seen across a joint belongs to neither and is dropped.
    """
    batch: list[int] = []
    size = 0
    for index, text in enumerate(texts):
        if batch and size + len(text) > together:
            yield from _look_at_batch(looker, texts, batch)
            batch, size = [], 0
        batch.append(index)
        size += len(text) + len(_JOINT)
    if batch:
        yield from _look_at_batch(looker, texts, batch)


def _look_at_batch(
    looker: TextLooker, texts: Sequence[str], batch: list[int]
) -> Iterator[tuple[int, list[Seen]]]:
    starts = []
    at = 0
    for index in batch:
        starts.append(at)
        at += len(texts[index]) + len(_JOINT)
    found: dict[int, list[Seen]] = {index: [] for index in batch}
    for category, score, start, end in looker.look(_JOINT.join(texts[index] for index in batch)):
        place = max(0, bisect_right(starts, start) - 1)
        index = batch[place]
        if end <= starts[place] + len(texts[index]) + len(_JOINT):
            found[index].append((category, score, start - starts[place], end - starts[place]))
    yield from found.items()
