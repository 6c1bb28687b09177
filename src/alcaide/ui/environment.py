"""The template environment: escaping on, missing names are errors, compiled once.

Templates come from the design system (`ui/…`) and from each slice's own folder (`<slice>/…`). A slice's folder may
hold only a folder of its own name, so no slice can replace another's template or one of the design system's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.ui.assets import Assets, static_globals
from alcaide.ui.filters import FILTERS, diff_lines
from alcaide.ui.rendering import csrf_field, csrf_token, query_with

if TYPE_CHECKING:
    from jinja2 import Environment

UI_TEMPLATES = Path(__file__).parent / "templates"


def build_environment(
    folders: Mapping[str, Path], assets: Assets, *, bytecode: Path | None = None, watch: bool = False
) -> Environment:
    """The environment for the design system and `folders` (slice name → its templates folder).

    `bytecode` is a folder only this installation writes to; compiled templates are kept there between starts.
    `watch` looks for changed templates at every render, for those who write them.
    """
    import jinja2

    loaders: dict[str, jinja2.BaseLoader] = {
        name: jinja2.FileSystemLoader(folder / name) for name, folder in {"ui": UI_TEMPLATES, **folders}.items()
    }
    cache = None
    if bytecode is not None:
        bytecode.mkdir(mode=0o700, parents=True, exist_ok=True)
        cache = jinja2.FileSystemBytecodeCache(str(bytecode))
    environment = jinja2.Environment(
        loader=jinja2.PrefixLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        bytecode_cache=cache,
        auto_reload=watch,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        static_globals(assets),
        csrf_field=csrf_field,
        csrf_token=csrf_token,
        query_with=query_with,
        diff_lines=diff_lines,
    )
    return environment
