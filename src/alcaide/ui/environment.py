"""The template environment: escaping on, missing names are errors, compiled once.

Templates come from the design system (`ui/…`) and from each slice's own folder (`<slice>/…`). A slice's folder may
hold only a folder of its own name, so no slice can replace another's template or one of the design system's.
"""

from __future__ import annotations

from pathlib import Path

import jinja2

from alcaide.ui.assets import static_globals
from alcaide.ui.current import csrf_field, csrf_token, query_with
from alcaide.ui.filters import FILTERS, diff_lines
from alcaide.ui.look import Look

UI_TEMPLATES = Path(__file__).parent / "templates"


def environment_of(look: Look) -> jinja2.Environment:
    """The environment of an application, built by its first page and kept with its look."""
    if look.environment is None:
        look.environment = build_environment(look)
    environment: jinja2.Environment = look.environment
    return environment


def build_environment(look: Look) -> jinja2.Environment:
    """An environment over the design system's templates and those of the application and its slices."""
    loaders: dict[str, jinja2.BaseLoader] = {
        name: jinja2.FileSystemLoader(folder / name)
        for name, folder in {**look.template_folders, "ui": UI_TEMPLATES}.items()
    }
    cache = None
    if look.bytecode is not None:
        # Compiled templates are code: the folder is readable and writable to this installation alone.
        look.bytecode.mkdir(mode=0o700, parents=True, exist_ok=True)
        cache = jinja2.FileSystemBytecodeCache(str(look.bytecode))
    environment = jinja2.Environment(
        loader=jinja2.PrefixLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=cache,
        auto_reload=look.watch,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        static_globals(look.assets),
        csrf_field=csrf_field,
        csrf_token=csrf_token,
        query_with=query_with,
        diff_lines=diff_lines,
    )
    return environment
