"""Alcaide: the register, the gates and the records of an organisation's AI, in one self-hosted system.

Importing this package loads nothing but its version, so that a script, a hook or a shell completion
pays nothing for what it does not use. What can be said lives in :mod:`alcaide.predicates`, the mechanism in
:mod:`alcaide.kernel`, what people work with in :mod:`alcaide.slices`, and :mod:`alcaide.app` puts them together.
"""

__version__ = "0.1.0"
