"""What is looked for, and what is done about it: a policy as YAML, checked when it is read.

A rule says *for findings like these, do that*. Every rule that fits applies and the strictest answer wins, so adding
a rule can only make a policy stricter, and rules can be read in any order. A detector that cannot answer is Unknown,
and the policy says what that does; it never counts as nothing found.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from alcaide.instruments.guard.model import Action, Context, Decision, Direction, Finding, Kind, Unknowable
from alcaide.kernel.errors import InvalidInput, NotFound

SCHEMA = "alcaide-guard-policy/1"
POLICY_BYTES = 256 * 1024
"""A policy is written by hand; what is larger is not one."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one check may cost. Where a limit cuts something off, the report says so as Unknown.

    Attributes:
        seconds: wall time after which detectors that have not begun are Unknown.
        depth: encodings within encodings.
        layers: readings of one passage.
        decoded: characters that decoded layers may hold together.
        findings: findings kept of one passage, the most certain first.
    """

    seconds: float = 30.0
    depth: int = 5
    layers: int = 48
    decoded: int = 16 * 1024 * 1024
    findings: int = 5000

    def __post_init__(self) -> None:
        for name in ("seconds", "layers", "findings"):
            if getattr(self, name) <= 0:
                raise ValueError(f"`limits.{name}` must be more than 0")
        if not 0 <= self.depth <= 16:
            raise ValueError("`limits.depth` must be between 0 and 16")


class Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a policy uses one detector: where, and with which options.

    With `required`, an exchange that lacks what the detector compares with (sources, a system prompt) is Unknown;
    without, the detector does not run on it.
    """

    directions: tuple[Direction, ...] = ("in", "out", "tool")
    kinds: tuple[Kind, ...] = ("text", "message", "tool-call", "tool-result", "tool-description")
    options: dict[str, Any] = {}
    required: bool = False


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For findings like these, do that. A condition that is absent fits everything.

    `unknown` is what happens where the detector could not answer; absent, the policy's own `unknown` holds.
    `data_class` and `audience` fit only a context that names one of them.
    """

    id: str
    action: Action
    detector: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    level: tuple[Literal["note", "warning", "error"], ...] = ()
    direction: tuple[Direction, ...] = ()
    kind: tuple[Kind, ...] = ()
    data_class: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    score: float = 0.5
    unknown: Action | None = None
    reversible: bool = True
    message: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"rule `{self.id}`: `score` must be between 0 and 1")
        if not self.id:
            raise ValueError("every rule needs an `id`")

    def concerns(self, direction: Direction, kind: Kind, context: Context) -> bool:
        """Whether the rule applies to passages like this at all."""
        return (
            (not self.direction or direction in self.direction)
            and (not self.kind or kind in self.kind)
            and (not self.data_class or context.data_class in self.data_class)
            and (not self.audience or context.audience in self.audience)
        )

    def fits(self, finding: Finding) -> bool:
        """Whether a finding is one the rule is about, and certain enough."""
        return finding.score >= self.score and self.about(finding)

    def about(self, finding: Finding) -> bool:
        """Whether a finding is one the rule is about, however certain it is."""
        return (
            (not self.detector or finding.detector in self.detector)
            and (not self.category or finding.category in self.category)
            and (not self.level or finding.level in self.level)
            and (not self.rule or any(_matches(wanted, finding.rule) for wanted in self.rule))
        )


class GuardPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole policy. Detectors that it does not name do not run."""

    schema: str
    name: str
    detectors: dict[str, Use]
    rules: tuple[Rule, ...]
    title: str = ""
    unknown: Action = Action.HOLD
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(f"`schema` is `{self.schema}`; this version reads `{SCHEMA}`")
        if not self.detectors:
            raise ValueError("`detectors` names none, so nothing would be looked for")
        seen: set[str] = set()
        for rule in self.rules:
            if rule.id in seen:
                raise ValueError(f"two rules are called `{rule.id}`")
            seen.add(rule.id)
            for name in rule.detector:
                if name not in self.detectors:
                    raise ValueError(
                        f"rule `{rule.id}` is about detector `{name}`, which `detectors` does not name"
                    )

    def decide(
        self,
        findings: Iterable[tuple[Finding, Direction, Kind]],
        unknown: Iterable[Unknowable],
        context: Context,
    ) -> Decision:
        """What to do, given everything that was found and everything that could not be known.

        The strictest action of all rules that fit. More findings and more unknowns never make the answer milder.
        """
        action, rules, messages = Action.ALLOW, dict[str, None](), dict[str, None]()

        def apply(wanted: Action, why: str, message: str) -> None:
            nonlocal action
            if wanted.strictness:
                rules[why] = None
                if message:
                    messages[message] = None
            if wanted.strictness > action.strictness:
                action = wanted

        # Findings of one detector, category and rule differ in their score alone: which rules are about them is asked
        # once. A personal record has hundreds of findings of a few sorts.
        about: dict[tuple[str, str, str, str, str, str], list[Rule]] = {}
        for finding, direction, kind in findings:
            sort = (finding.detector, finding.category, finding.level, finding.rule, direction, kind)
            fitting = about.get(sort)
            if fitting is None:
                fitting = about[sort] = [
                    rule
                    for rule in self.rules
                    if rule.about(finding) and rule.concerns(direction, kind, context)
                ]
            for rule in fitting:
                if finding.score >= rule.score:
                    apply(rule.action, rule.id, rule.message)
        for one in unknown:
            own = [
                rule.unknown
                for rule in self.rules
                if one.detector in rule.detector and rule.unknown is not None
            ]
            for wanted in own or [self.unknown]:
                apply(wanted, f"unknown:{one.detector}", f"{one.detector}: {one.reason}")
        return Decision(action, tuple(rules), tuple(messages))

    def redacts(self, finding: Finding, direction: Direction, kind: Kind, context: Context) -> Rule | None:
        """The rule by which a finding is to be replaced, if it is one that can be; a lasting removal goes first."""
        if finding.entity is None:
            return None
        fitting = [
            rule
            for rule in self.rules
            if rule.action is Action.REDACT and rule.concerns(direction, kind, context) and rule.fits(finding)
        ]
        return min(fitting, key=lambda rule: rule.reversible, default=None)


def _matches(wanted: str, rule: str) -> bool:
    return rule.startswith(wanted[:-1]) if wanted.endswith("*") else rule == wanted


def parse_policy(text: str | bytes, *, name: str = "policy") -> GuardPolicy:
    """Read a policy from YAML. Raises InvalidInput saying which field is wrong and how.

    YAML aliases are refused: with them a small file can describe a document of any size.
    """
    if len(text) > POLICY_BYTES:
        raise InvalidInput(
            f"`{name}` is larger than {POLICY_BYTES // 1024} KiB; a guard policy is a short file"
        )
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise InvalidInput(f"`{name}` uses YAML aliases; write the values out")
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"`{name}` is not readable YAML: {_one_line(error)}; correct it and try again"
        ) from error
    try:
        return msgspec.convert(_listed(document), GuardPolicy)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidInput(
            f"`{name}` is not a guard policy: {_one_line(error)}; see docs/guard/policy.md"
        ) from error


def _listed(document: Any) -> Any:
    """One word may stand where a list of words is meant."""
    if not isinstance(document, dict):
        return document
    rules = document.get("rules")
    if not isinstance(rules, list):
        return document
    many = ("detector", "category", "rule", "level", "direction", "kind", "data_class", "audience")
    return document | {
        "rules": [
            {key: [value] if key in many and isinstance(value, str) else value for key, value in rule.items()}
            if isinstance(rule, dict)
            else rule
            for rule in rules
        ],
        "detectors": {
            key: {} if value is None else value for key, value in (document.get("detectors") or {}).items()
        }
        if isinstance(document.get("detectors") or {}, dict)
        else document["detectors"],
    }


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def shipped_policies() -> tuple[str, ...]:
    """Names of the policies that come with Alcaide."""
    folder = resources.files("alcaide.instruments.guard") / "policies"
    return tuple(
        sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    )


@lru_cache(maxsize=32)
def shipped_policy(name: str) -> GuardPolicy:
    """A policy that comes with Alcaide, by name. Raises NotFound, listing the names there are."""
    if name not in shipped_policies():
        raise NotFound(
            f"no guard policy `{name}` comes with Alcaide; there are: {', '.join(shipped_policies())}"
        )
    text = (resources.files("alcaide.instruments.guard") / "policies" / f"{name}.yaml").read_bytes()
    return parse_policy(text, name=f"{name}.yaml")


def find_policy(wanted: str) -> GuardPolicy:
    """A policy by the name of a shipped one or by the path of a file. Raises NotFound or InvalidInput."""
    path = Path(wanted)
    if path.suffix in {".yaml", ".yml"} or "/" in wanted:
        try:
            with path.open("rb") as file:
                text = file.read(POLICY_BYTES + 1)
        except OSError as error:
            raise NotFound(
                f"policy `{wanted}` cannot be read: {error.strerror}; give the path of a YAML file"
            ) from error
        return parse_policy(text, name=path.name)
    return shipped_policy(wanted)
