"""A detector as somebody outside would write it: what it finds is plain, so that tests are about the guard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Passage, Span
from alcaide.instruments.guard.registry import GuardDetector
from alcaide.kernel.errors import InvalidInput


class Codeword:
    """Finds `key-` and up to sixty figures or letters, and says it is a secret."""

    name = "codeword"
    version = "1"
    patterns: Sequence[Pattern] = (
        Pattern("codeword/key", r"key-[a-z0-9]{4,60}", ("key-",), after=60),
        Pattern("codeword/shout", r"fire!", ("fire!",)),
    )

    def __init__(self, score: float = 0.9) -> None:
        self.score = score

    def configured(self, options: dict[str, Any]) -> Codeword:
        unknown = options.keys() - {"score"}
        if unknown:
            raise InvalidInput(f"detector `codeword` has no option `{min(unknown)}`; it has `score`")
        return Codeword(**options)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        found = tuple(
            Finding(
                detector=self.name,
                rule=hit.rule,
                category="secret" if hit.rule.endswith("key") else "shout",
                span=layer.span(hit.start, hit.end),
                score=self.score,
                level="error",
                message="a code word",
                entity="SECRET" if hit.rule.endswith("key") else None,
            )
            for hit in hits
        )
        return Examination(found, max((one.score for one in found), default=0.01))


class Broken:
    """Fails whenever it is asked."""

    name = "broken"
    version = "1"
    patterns: Sequence[Pattern] = ()

    def configured(self, options: dict[str, Any]) -> Broken:
        return self

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        raise RuntimeError("out of order")


class Echo:
    """Compares an answer with the question: finds the whole answer if it is the same."""

    name = "echo"
    version = "1"

    def configured(self, options: dict[str, Any]) -> Echo:
        return self

    def lacking(self, context: Context) -> str | None:
        return "there is no question to compare with; hand it over" if context.question is None else None

    def examine_exchange(self, passages: Sequence[Passage], context: Context) -> Examination:
        same = [one for one in passages if one.text == context.question]
        return Examination(
            tuple(
                Finding(
                    self.name, "echo/same", "echo", Span(0, len(one.text)), 0.8, "warning", "it only echoes"
                )
                for one in same
            ),
            0.8 if same else 0.1,
        )


CODEWORD = Codeword()
BROKEN = Broken()
ECHO = Echo()

REGISTERED = tuple(GuardDetector(f"{__name__}:{name}") for name in ("CODEWORD", "BROKEN", "ECHO"))
