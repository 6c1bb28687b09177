"""Panels."""

PANELS = ()
