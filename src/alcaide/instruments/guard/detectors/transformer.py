"""A classifier that the organisation brings along, as one more detector.

Slow beside the built-in ones (tens of milliseconds a text), so it is in no shipped policy: name it in one of your own,
with the folder, its digest and which of the model's labels are bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput, TooLarge


class TransformerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a policy says of it.

    Attributes:
        folder: where `model.onnx`, `tokenizer.json` and `config.json` are.
        sha256: the folder's digest, from `alcaide guard pin FOLDER`.
        labels: the model's labels that are findings, each with the category it is reported as.
        threshold: probability from which on a finding is reported.
        batch: windows classified at once.
        windows: windows of one text at most; a longer text is Unknown rather than half read.
        seconds: time for one text, asked between batches; what does not fit is Unknown.
        threads: of onnxruntime.
    """

    folder: str
    sha256: str
    labels: dict[str, str]
    threshold: float = 0.5
    batch: int = 8
    windows: int = 64
    seconds: float = 2.0
    threads: int = 1


class Transformer:
    """Runs a local ONNX text classifier of the organisation's choice."""

    name = "transformer"
    version = "1"
    patterns: Sequence[Pattern] = ()
    reads_guesses = False

    def __init__(self, options: TransformerOptions | None = None) -> None:
        self._options = options

    def configured(self, options: dict[str, Any]) -> Transformer:
        """With the policy's options. Raises InvalidInput for those that are wrong or missing."""
        try:
            return Transformer(msgspec.convert(options, TransformerOptions))
        except msgspec.ValidationError as error:
            raise InvalidInput(f"detector `transformer`: {error}; see docs/guard/transformer.md") from error

    @property
    def threshold(self) -> float:
        """Probability from which on a finding is reported."""
        return self._options.threshold if self._options else 0.5

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        """Raises ConfigError, Corrupt, TooLarge or Unavailable where it cannot answer; that becomes Unknown."""
        from alcaide.instruments.guard.transformer import load_classifier

        if self._options is None:
            raise InvalidInput("detector `transformer` needs options: folder, sha256 and labels")
        wanted = self._options
        classifier = load_classifier(wanted.folder, wanted.sha256, wanted.threads)
        missing = wanted.labels.keys() - set(classifier.labels)
        if missing:
            raise InvalidInput(
                f"the classifier has no label `{min(missing)}`; it has {', '.join(classifier.labels)}"
            )
        if not layer.text.strip():
            return NOTHING
        # Sixteen characters a token is more than any script needs: what is longer need not be tokenised to be refused.
        pieces = (
            classifier.pieces(layer.text)
            if len(layer.text) <= wanted.windows * classifier.longest * 16
            else None
        )
        if pieces is None or len(pieces) > wanted.windows:
            raise TooLarge(f"the text is longer than {wanted.windows} windows of the classifier")
        findings: list[Finding] = []
        highest = 0.0
        at = 0
        rows = classifier.within(pieces, batch=wanted.batch, seconds=wanted.seconds)
        for piece, row in zip(pieces, rows, strict=True):
            at = max(at, layer.text.find(piece, at))
            for label, category in wanted.labels.items():
                score = float(row[classifier.labels.index(label)])
                highest = max(highest, score)
                if score >= wanted.threshold:
                    findings.append(
                        Finding(
                            detector=self.name,
                            rule=f"{self.name}/{label.lower()}",
                            category=category,
                            span=layer.span(at, at + len(piece)),
                            score=score,
                            level="error",
                            message=f"the classifier calls this `{label}`",
                            evidence={"model": classifier.digest},
                        )
                    )
        return Examination(tuple(findings), highest)


TRANSFORMER = Transformer()
