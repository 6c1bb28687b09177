"""The composition root: the only place that knows every slice and every plug-in by name.

``slices`` and ``plugins`` are the two lists to read first. ``web`` and ``cli`` turn them into one application
and one command; ``up`` runs on one machine what one machine needs.
"""
