"""The detectors that come with Alcaide, cheapest first; `app/plugins.py` lists them as it would list a stranger's."""

from __future__ import annotations

DETECTORS: tuple[str, ...] = (
    "alcaide.instruments.guard.detectors.hidden_text:HIDDEN_TEXT",
    "alcaide.instruments.guard.detectors.secrets:SECRETS",
    "alcaide.instruments.guard.detectors.classification:CLASSIFICATION",
    "alcaide.instruments.guard.detectors.active_content:ACTIVE_CONTENT",
    "alcaide.instruments.guard.detectors.text_shape:TEXT_SHAPE",
    "alcaide.instruments.guard.detectors.tool_safety:TOOL_SAFETY",
    "alcaide.instruments.guard.detectors.personal_data:PERSONAL_DATA",
    "alcaide.instruments.guard.detectors.code_risk:CODE_RISK",
    "alcaide.instruments.guard.detectors.forbidden_topics:FORBIDDEN_TOPICS",
    "alcaide.instruments.guard.detectors.injection:INJECTION",
    "alcaide.instruments.guard.detectors.refusal:REFUSAL",
    "alcaide.instruments.guard.detectors.toxicity:TOXICITY",
    "alcaide.instruments.guard.detectors.harm:HARM",
    "alcaide.instruments.guard.detectors.prompt_leak:PROMPT_LEAK",
    "alcaide.instruments.guard.detectors.groundedness:GROUNDEDNESS",
    "alcaide.instruments.guard.detectors.transformer:TRANSFORMER",
)
