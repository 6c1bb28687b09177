"""Does an answer give the system prompt away?

Looks at answers when the context holds the system prompt, on every layer: as written, and whatever the normaliser
decoded (base64, rot13, spaced letters…), and backwards.

    verbatim      runs of the prompt's words stand in the answer, long ones or many
    canary        a token stands there that hardly occurs anywhere else: an identifier, a key, a made-up name
    paraphrased   most of what the prompt says is said, in other words or another order
    translated    few words are shared but the prompt's numbers, names and addresses come back, in order

What the user wrote is no leak: runs of words that the question holds do not count. Neither does an answer about the
prompt's subject: its words are those of the subject, but not its sentences. Translation is the weak point: a prompt
without numbers, names or addresses leaves nothing in another language that could be recognised without a dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.heads import threshold_option
from alcaide.instruments.guard.detectors.prompt_leak.compare import Leak, Prompt, leaks, prepared
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding

TAXONOMY = ("owasp-llm:2025/LLM07", "mitre-atlas/AML.T0056")

_MESSAGES = {
    "verbatim": "repeats the system prompt word for word",
    "reversed": "repeats the system prompt backwards",
    "encoded": "repeats the system prompt with its letters exchanged",
    "canary": "holds a token that is in the system prompt and hardly anywhere else",
    "paraphrased": "says in other words what the system prompt says",
    "translated": "holds the numbers, names and addresses of the system prompt in their order",
}


@dataclass(frozen=True, slots=True)
class PromptLeak:
    """The detector. `threshold` is on the probability of a leak."""

    threshold: float = 0.5
    name: str = "prompt-leak"
    version: str = "1"
    patterns: Sequence[Pattern] = ()

    def configured(self, options: dict[str, Any]) -> PromptLeak:
        """With `threshold` (0 to 1) from a policy."""
        given = threshold_option(self.name, options)
        return self if given is None else replace(self, threshold=given)

    @staticmethod
    def lacking(context: Context) -> str | None:
        """What an answer cannot be checked for want of; None where it can."""
        if context.system_prompt and context.system_prompt.strip():
            return None
        return "needs the system prompt to compare with; give `system_prompt`"

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002 - the protocol's
        """Compare one layer with the prompt. Nothing is said where the context has no prompt."""
        passage = layer.passage
        if self.lacking(context) or passage.direction == "in" or passage.trusted or not layer.text:
            return NOTHING
        prompt: Prompt = prepared(context.system_prompt or "", context.question or "")
        found = leaks(layer, prompt)
        score = max((one.score for one in found), default=0.0)
        return Examination(
            tuple(self._finding(layer, one) for one in found if one.score >= self.threshold),
            score,
        )

    def _finding(self, layer: Layer, leak: Leak) -> Finding:
        return Finding(
            self.name,
            f"{self.name}/{leak.rule}",
            "system-prompt-leak",
            layer.span(leak.start, leak.end),
            round(leak.score, 4),
            "error" if leak.score >= 0.8 else "warning",
            _MESSAGES[leak.rule],
            where=layer.passage.where,
            taxonomy=TAXONOMY,
            evidence={"prompt_covered": round(leak.covered, 3), "longest_run": leak.run},
        )


PROMPT_LEAK = PromptLeak()
