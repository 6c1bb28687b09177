"""The design system: base pages, components, assets, and the conventions every page keeps.

A slice's `pages.py` needs two names from here, `render` and `redirect`, and the dependencies in `alcaide.ui.deps`.
README.md beside this file describes the base pages, the macros and the classes.

Importing this package loads neither Jinja nor a template: the environment is built by the first page rendered.
"""

from alcaide.ui.look import Look
from alcaide.ui.rendering import redirect, render
from alcaide.ui.web import install

__all__ = ["Look", "install", "redirect", "render"]
