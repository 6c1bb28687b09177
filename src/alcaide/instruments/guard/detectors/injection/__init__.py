"""Does this text try to take control of the model? One answer from signatures, structure and a learned model."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.injection.detector import PromptInjection

INJECTION = PromptInjection()
