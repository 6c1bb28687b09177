"""Chat templates as files of their own: `chat_template.jinja` and what else is written in Jinja."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.hidden import text_rules
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.templates import examine_template

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_ENDINGS = (".jinja", ".jinja2", ".j2")
_TEXTS = (".txt", ".template", ".tmpl", ".tpl", ".prompt", ".chat")
_MOST = 2 << 20


def _sniff(glance: Glance) -> bool:
    name = glance.lower_name.rsplit("/", 1)[-1]
    if name.endswith(_ENDINGS):
        return glance.text is not None and not name.endswith((".yaml.j2", ".yml.j2", ".html.j2", ".sql.j2"))
    head = glance.head
    if b"{%" not in head and b"{{" not in head:
        return False
    if name.endswith(_TEXTS) or "." not in name:
        return glance.text is not None and not head.lstrip().startswith((b"{\n", b'{"', b"["))
    return head.startswith((b"{%", b"{{", b"{#")) and b"message" in head and glance.text is not None


def _examine(source: Source, context: Context) -> None:
    if source.size > _MOST:
        raise OverBudget(f"it has {source.size:,} bytes; no template has more than {_MOST:,}")
    text = source.read(0, source.size).decode("utf-8", "replace").removeprefix("\ufeff")
    declared = context.node.name.lower().endswith(_ENDINGS) or "messages" in text
    examine_template(text, context, declared=declared)


FORMATS = (Format("chat-template", "chat template", _sniff, _examine, text_rules()),)
