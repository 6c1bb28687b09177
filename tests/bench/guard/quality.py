"""What is found on small labelled corpora, ours and the peers' counted alike.

The corpora are ours (`tests/corpus/guard`), written along with the detectors to keep them from slipping back: they
say what each tool makes of the same texts, and flatter ours. What the guard does on sources it never saw is in the
model cards.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alcaide.instruments.guard.evaluate import Row, rows, span_figures
from tests.bench.guard.peers import Peers
from tests.bench.guard.speed import alone
from tests.bench.report import Figure
from tests.unit.instruments.guard.secrets.made import rows as secrets_rows

CORPUS = Path(__file__).parents[2] / "corpus/guard"
SEED = 1  # of the made-up credentials
SHIPPED = 0.5  # the score from which the guard counts a finding, and `alcaide guard check` ends with 1

TYPES = frozenset(
    {
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "CREDIT_CARD",
        "US_SSN",
        "IBAN_CODE",
        "IP_ADDRESS",
        "MAC_ADDRESS",
        "CRYPTO",
        "URL",
    }
)
"""Types that both look for by pattern, and by the same name in the corpus."""


def quality(peers: Peers) -> Iterator[Figure]:
    """Rows with secrets told from rows without; spans of personal data."""
    yield from _secrets(peers)
    yield from _personal_data(peers)


def _secrets(peers: Peers) -> Iterator[Figure]:
    labelled = secrets_rows(SEED)
    guard = alone("secrets")
    texts = [row.text for row in labelled]
    ours = [any(one.score >= SHIPPED for one in guard.check(text).findings) for text in texts]
    yield from _rows("secrets, ours", [bool(row.label) for row in labelled], ours)
    for name, found in peers.found("secrets", texts):
        if found is None:
            yield Figure(name, 0, "")
        else:
            yield from _rows(
                f"secrets, {name}", [bool(row.label) for row in labelled], list(map(bool, found))
            )


def _rows(what: str, labels: Sequence[bool], flagged: Sequence[bool]) -> Iterator[Figure]:
    """Recall and precision over rows: one peer gives no places, so that whole texts are all that can be compared."""
    hit = sum(label and flag for label, flag in zip(labels, flagged, strict=True))
    note = f"{sum(labels)} texts of ours with a secret, {len(labels) - sum(labels)} without"
    yield Figure(f"{what}: recall", hit / sum(labels) * 100, "%", note=note)
    yield Figure(f"{what}: precision", hit / max(1, sum(flagged)) * 100, "%")


def _personal_data(peers: Peers) -> Iterator[Figure]:
    labelled = [row for path in sorted(CORPUS.glob("personal_data*.jsonl")) for row in rows(path)]
    guard = alone("personal data by pattern")
    ours = [
        [(one.span.start, one.span.end, one.category) for one in guard.check(row.text).findings]
        for row in labelled
    ]
    yield from _spans("personal data, ours", labelled, ours)
    for name, found in peers.found("personal data by pattern", [row.text for row in labelled]):
        if found is None:
            yield Figure(name, 0, "")
            continue
        for least, said in ((0.0, "every answer, as it is set up"), (0.4, "answers from 0.4 on")):
            spans = [_settled([one for one in answers if one[3] >= least]) for answers in found]
            yield from _spans(f"personal data, {name}, {said}", labelled, spans)


def _spans(what: str, labelled: Sequence[Row], found: Sequence[Any]) -> Iterator[Figure]:
    """Precision, recall and F1 of spans that share a character with one of the same type."""
    figures = span_figures(
        [_compared(row.spans) for row in labelled], [_compared(spans) for spans in found], overlap=True
    )
    note = (
        f"precision {_percent(figures.precision)}, recall {_percent(figures.recall)}; {figures.expected} spans of "
        f"{len(TYPES)} types in {len(labelled)} texts of ours"
    )
    yield Figure(f"{what}: F1 of spans", (figures.f1 or 0.0) * 100, "%", note=note)


def _settled(answers: Sequence[Any]) -> list[tuple[int, int, str]]:
    """Without what lies within a longer or surer answer, as the peer's own anonymiser would drop it."""
    return [
        (start, end, kind)
        for start, end, kind, score in answers
        if not any(
            s <= start and end <= e and (score, end - start) < (sure, e - s) for s, e, _, sure in answers
        )
    ]


def _compared(spans: Sequence[Any]) -> list[Any]:
    return [span for span in spans if span[2] in TYPES]


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"
