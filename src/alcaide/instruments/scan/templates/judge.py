"""Says what is wrong with a chat template, from its syntax tree alone.

A node is judged by what it would reach or do when rendered *without* a sandbox: who renders a template is not ours to
know, and sandboxes have had holes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.templates import rules
from alcaide.instruments.scan.templates.reach import Reach
from alcaide.instruments.scan.templates.reading import MOST_NODES, Reading
from alcaide.instruments.scan.templates.steering import Steering
from alcaide.instruments.scan.templates.syntax import NotATemplate, parse
from alcaide.instruments.scan.templates.tiring import Tiring

if TYPE_CHECKING:
    from jinja2 import nodes

    from alcaide.instruments.scan.model import Level, Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a template."""

    rule: Rule
    message: str
    line: int | None = None
    level: Level | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """How bad it is."""
        return (self.level or self.rule.level).rank


def judge(text: str) -> list[Problem]:
    """Everything that is wrong with a template, worst first, each thing once."""
    try:
        tree = parse(text)
    except NotATemplate as error:
        return [
            Problem(
                rules.BROKEN,
                f"what the template does when it is rendered cannot be decided: {error.message}",
                error.line,
            )
        ]
    problems: dict[tuple[str, str], Problem] = {}

    def say(rule: Rule, message: str, node: nodes.Node, *, level: Level | None = None, **detail: Any) -> None:
        key = (rule.id, str(detail.get("name") or detail.get("phrase") or message[:60]))
        new = Problem(rule, message, node.lineno, level, detail)
        old = problems.get(key)
        if old is None or new.rank > old.rank:
            problems[key] = new

    reading = Reading(tree.root)
    if reading.too_many:
        say(
            rules.BROKEN,
            f"the template has more than {MOST_NODES:,} parts: what it does cannot be decided",
            tree.root,
        )
    for tag in tree.unknown_tags:
        say(rules.UNKNOWN_TAG, f"the template uses the tag `{tag}`, which Jinja has not", tree.root, name=tag)
    looks = (Reach(reading, say), Tiring(reading, say), Steering(reading, say))
    for node in reading.nodes:
        for look in looks:
            look.look(node)
    return sorted(problems.values(), key=lambda problem: -problem.rank)
