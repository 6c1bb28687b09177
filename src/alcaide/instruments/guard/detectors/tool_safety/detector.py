"""The detector `tool-safety`.

    1. Descriptions: instructions to the model, text that people do not see, parameters that ask for everything.
    2. Calls: encoded runs and addresses that carry texts; the prompt or the conversation in an argument; tools and
       parameters that are not on offer.
    3. Several tools together: one that passes for another or speaks of another server's.
    4. Beside what was let through: what exactly has changed.

1 and 2 look at one text, 3 and 4 at everything given and at the context's `tools` and `pinned`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from alcaide.instruments.guard.detector import NOTHING, Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.tool_safety import calls, catalogue, descriptions
from alcaide.instruments.guard.detectors.tool_safety.finding import NAME
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Passage
from alcaide.kernel.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class ToolSafety:
    """The detector. `ignored` are rules left out, without `tool-safety/`."""

    ignored: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """`tool-safety`."""
        return NAME

    @property
    def version(self) -> str:
        """Rises when a finding could change."""
        return "1"

    @property
    def patterns(self) -> Sequence[Pattern]:
        """None in the shared pass: only descriptions are searched, by an engine of this detector's own."""
        return ()

    def configured(self, options: dict[str, Any]) -> ToolSafety:
        """Option: `ignore`, a list of rules. Raises InvalidInput for another option or a rule that is not known."""
        from alcaide.instruments.guard.detectors.tool_safety.finding import TAXONOMY

        for option in options:
            if option != "ignore":
                raise InvalidInput(f"detector `{NAME}` has no option `{option}`; use `ignore`")
        ignored = options.get("ignore", list(self.ignored))
        if not isinstance(ignored, list) or not all(isinstance(rule, str) for rule in ignored):
            raise InvalidInput(
                f"option `ignore` of `{NAME}` is not a list of rules; write for example [same-name]"
            )
        if strange := sorted(set(ignored) - TAXONOMY.keys()):
            raise InvalidInput(f"`{NAME}` has no rule `{strange[0]}`; it has {', '.join(sorted(TAXONOMY))}")
        return replace(self, ignored=frozenset(ignored))

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        """One reading of a description or of a call's arguments; other passages are passed over."""
        passage = layer.passage
        if passage.kind == "tool-description":
            return self._examination(list(descriptions.examined(layer)))
        if passage.kind == "tool-call":
            return self._examination(list(calls.examined(layer)))
        return NOTHING

    def examine_exchange(self, passages: Sequence[Passage], context: Context) -> Examination:
        """Tools beside each other, calls beside prompt and conversation, and everything beside what was let through."""
        return self._examination([*catalogue.compared(passages, context), *calls.compared(passages, context)])

    def _examination(self, found: list[Finding]) -> Examination:
        kept = tuple(one for one in found if one.rule.partition("/")[2] not in self.ignored)
        return Examination(kept, max((one.score for one in kept), default=0.0)) if kept else NOTHING
