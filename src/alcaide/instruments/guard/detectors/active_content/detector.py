"""Content that acts when it is shown, opened or run, rather than being read.

A model's answer is rendered: an image is fetched from wherever its address says, with whatever the address carries; a
terminal obeys escape sequences; a spreadsheet evaluates what begins with `=`; people paste commands. Each form has a
rule. For addresses the question is what they carry: an image that is fetched unasked and whose address holds data is
how an injected instruction gets that data out.

Hosts that the organisation shows anyway are named in `allowed_hosts` and let go. Hidden characters have a detector of
their own, and so has code that harms when run as a program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from urllib.parse import unquote

import yaml

from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding, Level
from alcaide.kernel.errors import InvalidInput

NAME = "active-content"
LONG_VALUE = 48
"""Characters of one value in an address from which it is data rather than a parameter; a UUID has 36."""
LABEL = 30
"""Characters of one label of a host name from which it carries data (RFC 1035 allows 63)."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of active content that its pattern alone tells."""

    rule: str
    category: str
    message: str
    regex: str
    anchors: tuple[str, ...]
    score: float = 0.9
    level: Level = "error"
    before: int = 0
    after: int = 200
    cwe: str = "CWE-116"
    """Weakness that it exploits; improper encoding of output unless something more exact fits."""


_ADDRESS = r"[^\s\"'<>)]{3,}"


def _forms() -> tuple[Form, ...]:
    text = resources.files(__package__ or "").joinpath("forms.yaml").read_text(encoding="utf-8")
    rows = yaml.load(text, Loader=yaml.CSafeLoader)
    return tuple(Form(**row | {"anchors": tuple(row["anchors"])}) for row in rows)


FORMS: tuple[Form, ...] = _forms()
"""What the shape alone tells; addresses are judged below."""

_TO_OUTSIDE = rf"(?P<url>(?:https?:)?//{_ADDRESS})"
_REACH = 2000
"""Characters of an address that are looked at: what a browser sends and a server takes."""
_ADDRESSES: tuple[Pattern, ...] = (
    Pattern("markdown", rf"\]\(\s{{0,3}}<?{_TO_OUTSIDE}", ("](http", "](//", "](<http", "]( http"), after=_REACH),
    Pattern("reference", rf"\]:\s{{0,3}}<?{_TO_OUTSIDE}", ("]: http", "]:http", "]: <http", "]: //"), after=_REACH),
    Pattern("style", rf"url\(\s{{0,3}}[\"']?{_TO_OUTSIDE}", ("url(",), after=_REACH),
    Pattern(
        "image",
        r"<(?:img|video|audio|source|track|input|image|use|link|body|table|td)\b[^<>]{0,400}?"
        rf"(?:src|srcset|href|poster|background|xlink:href)\s{{0,3}}=\s{{0,3}}[\"']?{_TO_OUTSIDE}",
        (
            "<img", "<video", "<audio", "<source", "<track", "<input", "<image", "<use", "<link", "<body",
            "<table", "<td",
        ),
        after=_REACH + 400,
    ),
)  # fmt: skip
"""What is fetched or followed; the `url` group is what is judged."""

_BY_RULE = {form.rule: form for form in FORMS}
_PATTERNS = (
    *(Pattern(form.rule, form.regex, form.anchors, form.before, form.after) for form in FORMS),
    *_ADDRESSES,
)
_FILLED_IN = re.compile(
    r"\{\{|\$\{|%7b%7b|\{[a-z_]{2,40}\}|<[a-z_ ]{2,40}>|\[(?:data|secret|insert|your|user)[^\]]{0,40}\]|%3c[a-z_]",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?:[A-Za-z0-9+/_-]{24,}={0,2}|(?:[0-9a-f]{2}){12,})")
_TELLING = re.compile(
    r"(?:^|[_-])(?:data|q|d|payload|secret|leak|exfil\w*|info|msg|message|content|prompt|history|chat|conversation"
    r"|summary|context|email|token|password|key|c|b64|base64)$",
    re.IGNORECASE,
)
"""Names of parameters that take whatever one likes to send."""
_ASKED = re.compile(
    r"\b(?:delete|drop|remove|erase|wipe|truncate|clean|format|install|script|command|shell|bash|powershell|sql|query)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ActiveContent:
    """The detector. `allowed_hosts` are let go with their subdomains; `ignored` are rules left out."""

    allowed_hosts: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    patterns: Sequence[Pattern] = field(default=_PATTERNS, repr=False)
    name: str = NAME
    version: str = "1"
    reads_guesses: bool = False

    def configured(self, options: dict[str, Any]) -> ActiveContent:
        """Options: `allowed_hosts` (host names) and `ignore` (rules without `active-content/`)."""
        if unknown := options.keys() - {"allowed_hosts", "ignore"}:
            raise InvalidInput(
                f"detector `{NAME}` has no option `{min(unknown)}`; use `allowed_hosts` or `ignore`"
            )
        lists: dict[str, list[str]] = {}
        for option in ("allowed_hosts", "ignore"):
            values = options.get(option, [])
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise InvalidInput(
                    f"option `{option}` of detector `{NAME}` is not a list of texts; write one a line"
                )
            lists[option] = values
        known = {*_BY_RULE, "exfiltrating-image", "exfiltrating-link", "outside-image"}
        if strange := set(lists["ignore"]) - known:
            raise InvalidInput(
                f"option `ignore` of detector `{NAME}` names no rule: `{min(strange)}`; "
                "see docs/guard/active-content.md"
            )
        hosts = tuple(host.lower().lstrip("*.") for host in lists["allowed_hosts"])
        return ActiveContent(hosts, frozenset(lists["ignore"]))

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:
        """Every form in one layer. A command is less surprising where the question asked for one."""
        asked = context.question is not None and _ASKED.search(context.question) is not None
        findings = tuple(
            finding for finding in self._findings(layer, hits, asked=asked) if self._wanted(finding)
        )
        return Examination(findings, max((finding.score for finding in findings), default=0.0))

    def _wanted(self, finding: Finding) -> bool:
        return finding.rule.removeprefix(f"{NAME}/") not in self.ignored

    def _findings(self, layer: Layer, hits: Sequence[Hit], *, asked: bool) -> Iterator[Finding]:
        for hit in hits:
            form = _BY_RULE.get(hit.rule)
            if form is None:
                found = self._address(layer, hit)
                if found is not None:
                    yield found
                continue
            score = form.score - 0.35 if asked and form.category == "command" else form.score
            yield _finding(
                layer,
                form.rule,
                form.category,
                form.message,
                (hit.start, hit.end),
                score,
                form.level,
                form.cwe,
            )

    def _address(self, layer: Layer, hit: Hit) -> Finding | None:
        start, end = hit.groups["url"]
        address = layer.text[start:end]
        host = _host(address)
        if not host or any(host == allowed or host.endswith("." + allowed) for allowed in self.allowed_hosts):
            return None
        fetched = _fetched(layer.text, hit)
        carried = carries(address)
        if carried and fetched:
            message = f"An image fetched from outside whose address carries {carried}."
            return _finding(
                layer, "exfiltrating-image", "exfiltration", message, (start, end), 0.92, "error", "CWE-201"
            )
        if carried:
            message = f"A link whose address carries {carried}."
            return _finding(
                layer, "exfiltrating-link", "exfiltration", message, (start, end), 0.6, "warning", "CWE-201"
            )
        if fetched:
            message = "An image is fetched from outside, which tells its server who reads this."
            return _finding(
                layer, "outside-image", "embedded-page", message, (start, end), 0.4, "note", "CWE-201"
            )
        return None


ACTIVE_CONTENT = ActiveContent()
"""The detector as `DETECTORS` lists it."""


def carries(address: str) -> str | None:
    """What an address holds beside a place: in words for a person, or None."""
    rest = address.split("//", 1)[-1]
    place, _, query = rest.partition("?")
    host, _, path = place.partition("/")
    if _FILLED_IN.search(address):
        return "a slot to be filled in"
    for pair in re.split("[&;]", query.split("#", 1)[0]) if query else ():
        name, _, value = pair.partition("=")
        value = unquote(value or name)
        if len(value) >= LONG_VALUE or " " in value.strip() or (_TELLING.search(name) and _is_data(value)):
            return "data in a parameter"
    for segment in path.split("/"):
        segment = unquote(segment.split("#", 1)[0])
        if len(segment) >= LONG_VALUE and (_ENCODED.fullmatch(segment) or " " in segment):
            return "data in its path"
    if any(len(label) >= LABEL for label in host.split(".")):
        return "data in its host name"
    return None


def _is_data(value: str) -> bool:
    return len(value) >= 16 and (_ENCODED.fullmatch(value) is not None or "@" in value or "," in value)


def _host(address: str) -> str:
    place = re.split("[/?#]", address.split("//", 1)[-1], maxsplit=1)[0]
    return place.rsplit("@", 1)[-1].split(":", 1)[0].lower()


def _fetched(text: str, hit: Hit) -> bool:
    """Whether a reader's program loads the address without being asked."""
    if hit.rule in ("image", "style"):
        return True
    opened = text.rfind("[", max(0, hit.start - 300), hit.start)
    if hit.rule == "markdown":
        return opened > 0 and text[opened - 1] == "!"
    # A reference: an image if one is shown by its name.
    name = text[opened + 1 : hit.start] if opened >= 0 else ""
    return (
        bool(name)
        and re.search(
            rf"!\[[^\]\n]{{0,200}}\]\[{re.escape(name)}\]|!\[{re.escape(name)}\](?:\[\])?[^(:]", text
        )
        is not None
    )


def _finding(
    layer: Layer,
    rule: str,
    category: str,
    message: str,
    at: tuple[int, int],
    score: float,
    level: Level,
    cwe: str,
) -> Finding:
    return Finding(
        detector=NAME,
        rule=f"{NAME}/{rule}",
        category=category,
        span=layer.span(*at),
        score=round(score, 3),
        level=level,
        message=message,
        where=layer.passage.where,
        layers=layer.path,
        taxonomy=("owasp-llm:2025/LLM05", f"cwe/{cwe}"),
    )
