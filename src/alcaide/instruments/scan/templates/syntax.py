"""Reads a template into Jinja's own syntax tree, and never renders it.

Jinja's parser evaluates nothing: constants are folded by the compiler, which is not called. Tags that programs add
(`{% generation %}`) are read as what they look like, so that an unknown tag hides nothing of what stands around it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

LONGEST = 512 << 10
"""Characters. The longest template of a published model has some 30,000; parsing takes a second a megabyte."""

_UNKNOWN_TAG = regex(r"unknown tag '([^']{1,60})'")
_MOST_TAGS = 8
_KNOWN_TAGS = frozenset({"generation"})


class NotATemplate(Exception):
    """It does not parse, or is too long or too deep to. `line` is where, if known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(slots=True)
class Tree:
    """A parsed template."""

    root: nodes.Template
    unknown_tags: list[str] = field(default_factory=list)


def parse(text: str) -> Tree:
    """The syntax tree of a template.

    Raises:
        NotATemplate: it is none.
    """
    from jinja2 import TemplateSyntaxError

    if len(text) > LONGEST:
        raise NotATemplate(f"it has {len(text):,} characters; no honest template has more than {LONGEST:,}")
    tags: tuple[str, ...] = ("generation",)
    while True:
        try:
            root = _environment(tags, _closed(tags, text)).parse(text)
        except TemplateSyntaxError as error:
            unknown = _UNKNOWN_TAG.search(error.message or "")
            if (
                unknown is None
                or unknown[1] in tags
                or len(tags) > _MOST_TAGS
                or unknown[1].startswith("end")
            ):
                raise NotATemplate(error.message or "it does not parse", error.lineno) from error
            tags = (*tags, unknown[1])
        except (RecursionError, MemoryError) as error:
            raise NotATemplate("its expressions are nested too deep to be read") from error
        except (ValueError, OverflowError, UnicodeError, AssertionError, TypeError) as error:
            raise NotATemplate(f"one of its literals cannot be read ({type(error).__name__})") from error
        else:
            return Tree(root, [tag for tag in tags if tag not in _KNOWN_TAGS])


def _closed(tags: tuple[str, ...], text: str) -> frozenset[str]:
    """Those of the tags that have an end tag somewhere."""
    return frozenset(tag for tag in tags if re.search(r"\{%[-+]?\s*end" + re.escape(tag) + r"\b", text))


@lru_cache(maxsize=16)
def _environment(tags: tuple[str, ...], closed: frozenset[str]) -> Environment:
    """An environment whose parser knows these tags besides Jinja's own."""
    from jinja2 import Environment, nodes
    from jinja2.ext import Extension

    class Tags(Extension):
        def parse(self, parser: Any) -> Any:
            tag = next(parser.stream)
            held: list[nodes.Expr] = []
            while parser.stream.current.type not in {"block_end", "eof"}:
                if parser.stream.current.type in {"assign", "comma", "colon"}:
                    next(parser.stream)
                else:
                    held.append(parser.parse_expression())
            body: list[nodes.Node] = [nodes.Output(held, lineno=tag.lineno)]
            if tag.value in closed:
                body += parser.parse_statements((f"name:end{tag.value}",), drop_needle=True)
            return nodes.Scope(body, lineno=tag.lineno)

    Tags.tags = set(tags)
    return Environment(  # noqa: S701 - nothing is rendered, so nothing needs escaping
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", Tags],
        cache_size=0,
    )
