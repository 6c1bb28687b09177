"""Content that acts when it is shown, opened or run, rather than being read."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.active_content.detector import ACTIVE_CONTENT, ActiveContent

__all__ = ["ACTIVE_CONTENT", "ActiveContent"]
