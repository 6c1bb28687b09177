"""Decisions without I/O: what a bundle's bytes are, whether they hold, and what an anchor shows."""
