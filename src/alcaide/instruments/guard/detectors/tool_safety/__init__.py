"""Tools that talk to the model, pose as other tools or change once let through; calls that carry data out."""

from __future__ import annotations

from alcaide.instruments.guard.detectors.tool_safety.detector import ToolSafety

TOOL_SAFETY = ToolSafety()

__all__ = ["TOOL_SAFETY", "ToolSafety"]
