"""Chat templates: programs in Jinja that come with a model and are run for every message.

Judged by parsing them with Jinja's parser, and never by rendering: see `judge`. What they say is judged from the same
tree: see `words`. Import `rules` for the rules alone; `judge` loads Jinja.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context

_SIGNS = ("{{", "{%", "{#")


def is_template(text: str) -> bool:
    """Whether a text has anything in it that a template engine would act on."""
    return any(sign in text for sign in _SIGNS)


def examine_template(text: str, context: Context, place: str = "", *, declared: bool = True) -> None:
    """Report what is wrong with a template.

    Args:
        text: the template.
        context: where to report.
        place: where it is, below this part: `chat_template`.
        declared: whether the file says that it is one. A text that only looks like one is reported for what it
            would do, not for being broken.
    """
    if not is_template(text) and not declared:
        return
    from alcaide.instruments.scan.templates import rules
    from alcaide.instruments.scan.templates.judge import judge

    context.budget.check_time()
    for problem in judge(text):
        if declared or (problem.rule is not rules.BROKEN and problem.rank >= rules.LOADS_OTHER.level.rank):
            context.find(
                problem.rule,
                problem.message,
                level=problem.level,
                place=place or None,
                line=problem.line,
                **problem.detail,
            )
