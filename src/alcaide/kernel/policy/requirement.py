"""The requirement language: one question to the ledger, as a frozen value read from YAML.

A requirement says which evidence, about which subjects, how fresh and with what outcome. Gates, controls and
programme steps all use this one language, so that a person learns it once and three properties need proving
once.

Two of its words are easily confused, and the difference is what keeps it honest:

- `where` *selects*: it says which statements are meant at all ("SARIF reports, not bills of materials").
- `outcome` *judges*: it says whether a statement that is meant speaks for or against.

With "the latest speaks", a judgement written into `where` would let a bad report step aside for an older good
one.

Left out on purpose: answering (`evaluate.py`) and reading files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from alcaide.kernel.clock import parse_duration
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.policy.cel import Condition, compile_condition
from alcaide.kernel.policy.source import (
    Path,
    PolicyInvalid,
    Problem,
    Source,
    check_against,
    requirement_schema,
)

OWN_PREFIX = "urn:alcaide:"
_SHORT_NAME = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)(?::(v[1-9][0-9]*))?\Z")

About = Literal["this", "components", "deployed"]
Origin = Literal["here", "elsewhere", "anywhere"]
CountBy = Literal["statements", "signers", "people"]


@dataclass(frozen=True, slots=True)
class Selector:
    """Which components are meant. Every part that is given must fit; none given means all."""

    kinds: tuple[str, ...] = ()
    name: str | None = None
    tag: str | None = None
    environment: str | None = None

    def __str__(self) -> str:
        parts = [
            " or ".join(self.kinds),
            f"named `{self.name}`" if self.name else "",
            f"tagged `{self.tag}`" if self.tag else "",
            f"in `{self.environment}`" if self.environment else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old evidence may be, and in which field of the predicate its time stands (None: the usual `at`)."""

    within: timedelta
    text: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The evidence names its own outcome in one of the shapes that are widely used."""


@dataclass(frozen=True, slots=True)
class Present:
    """Being on record is enough: for evidence that has no outcome, such as an import."""


@dataclass(frozen=True, slots=True)
class FieldSays:
    """A field decides by value; a value in neither list is Unknown."""

    field: str
    passed: tuple[str | bool | int, ...]
    failed: tuple[str | bool | int, ...]


@dataclass(frozen=True, slots=True)
class ConditionSays:
    """A condition decides; `otherwise` is the reason to show where it does not hold."""

    condition: Condition
    otherwise: str = ""


OutcomeRule = Judged | Present | FieldSays | ConditionSays


@dataclass(frozen=True)
class Requirement:
    """One question. `document` is what was written, for its digest and for showing it."""

    id: str
    title: str
    evidence: tuple[str, ...]
    why: str = ""
    about: About = "this"
    selector: Selector = Selector()
    origin: Origin | None = None
    signed_by: frozenset[str] | None = None
    bound_to: Literal["digest", "name"] = "digest"
    fresh: Freshness | None = None
    where: Condition | None = None
    outcome: OutcomeRule = Judged()
    at_least: int = 1
    count_by: CountBy = "statements"
    match: Literal["all", "any"] = "all"
    only_latest: bool = True
    waivable: bool = True
    document: Mapping[str, Any] | None = None

    def takes_from(self, predicate_type: str) -> Origin:
        """Whose statements count.

        Alcaide's own kinds count only when written here, unless the policy says otherwise: a stranger whose
        key is trusted for provenance must not be able to send in an approval.
        """
        if self.origin is not None:
            return self.origin
        return "here" if predicate_type.startswith(OWN_PREFIX) else "anywhere"


def predicate_type_of(name: str) -> str:
    """`attested` as `urn:alcaide:attested:v1`, `attested:v2` likewise; a full URI as it is."""
    short = _SHORT_NAME.match(name)
    return f"{OWN_PREFIX}{short[1]}:{short[2] or 'v1'}" if short else name


def selects(
    selector: Selector, *, kind: str, name: str, tags: Sequence[str], environments: Sequence[str]
) -> bool:
    """Whether a component is meant.

    `name` may be written with or without its kind: `fraud-*` or `model:fraud-*`.
    """
    if selector.kinds and kind not in selector.kinds:
        return False
    if selector.name is not None:
        bare = name.partition(":")[2]
        unversioned = bare.rpartition("@")[0] or bare
        spelled = (name, bare, unversioned, f"{kind}:{unversioned}")
        if not any(fnmatchcase(candidate, selector.name) for candidate in spelled):
            return False
    if selector.tag is not None and selector.tag not in tags:
        return False
    return selector.environment is None or selector.environment in environments


def read_requirements(source: Source) -> tuple[Requirement, ...]:
    """A list of requirements, or a mapping with `requirements`. Raises PolicyInvalid."""
    value, at = source.value, ()
    if isinstance(value, dict) and "requirements" in value:
        return parse_requirements(source, ("requirements",), value["requirements"])
    return parse_requirements(source, at, value)


def parse_requirements(source: Source, at: Path, value: Any) -> tuple[Requirement, ...]:
    """The requirements in a list that stands in `source` at a path.

    Raises PolicyInvalid with every problem found.
    """
    if not isinstance(value, list) or not value:
        raise PolicyInvalid(
            [source.problem(at, "must be a list of requirements, and not an empty one; add one")]
        )
    problems: list[Problem] = []
    found: list[Requirement] = []
    for position, entry in enumerate(value):
        where = (*at, position)
        wrong = check_against(source, requirement_schema(), at=where, value=entry)
        if wrong:
            problems += wrong
            continue
        try:
            requirement = _requirement(source, where, entry)
        except PolicyInvalid as problem:
            problems += problem.problems
            continue
        if any(other.id == requirement.id for other in found):
            problems.append(
                source.problem((*where, "id"), f"`{requirement.id}` is taken by an earlier one; rename it")
            )
        found.append(requirement)
    if problems:
        raise PolicyInvalid(problems)
    return tuple(found)


def _requirement(source: Source, at: Path, entry: Mapping[str, Any]) -> Requirement:
    about, selector = _about(entry.get("about", "this"))
    named = entry["evidence"]
    count = entry.get("count", 1)
    at_least: int = count if isinstance(count, int) else count["at_least"]
    count_by: CountBy = "statements" if isinstance(count, int) else count.get("by", "statements")
    return Requirement(
        id=entry["id"],
        title=entry["title"],
        why=entry.get("why", ""),
        evidence=tuple(predicate_type_of(name) for name in ([named] if isinstance(named, str) else named)),
        about=about,
        selector=selector,
        origin=entry.get("from"),
        signed_by=frozenset(entry["signed_by"]) if "signed_by" in entry else None,
        # A system's digest changes whenever anything is registered under it, its own evidence included; what
        # binds a decision to the system as it stands is the gate, which approvals are bound to.
        bound_to=entry.get("bound_to", "name" if about == "this" else "digest"),
        fresh=_fresh(source, (*at, "fresh"), entry.get("fresh")),
        where=_condition(source, (*at, "where"), entry.get("where")),
        outcome=_outcome(source, (*at, "outcome"), entry.get("outcome", "judged")),
        at_least=at_least,
        count_by=count_by,
        match=entry.get("match", "all"),
        only_latest=entry.get("only_latest", True),
        waivable=entry.get("waivable", True),
        document=entry,
    )


def _about(value: Any) -> tuple[About, Selector]:
    if isinstance(value, str):
        return value, Selector()  # type: ignore[return-value]  # the schema lets only these three words through
    ((about, selector),) = value.items()
    return about, Selector(
        kinds=tuple(selector.get("kind", ())),
        name=selector.get("name"),
        tag=selector.get("tag"),
        environment=selector.get("environment"),
    )


def _fresh(source: Source, at: Path, value: Any) -> Freshness | None:
    if value is None:
        return None
    text, field = (value, None) if isinstance(value, str) else (value["within"], value.get("at"))
    try:
        within = parse_duration(text)
    except InvalidInput as problem:
        raise PolicyInvalid([source.problem(at, str(problem))]) from None
    if within <= timedelta(0):
        raise PolicyInvalid([source.problem(at, f"`{text}` is no time at all; write a duration like `30d`")])
    return Freshness(within, text, field)


def _condition(source: Source, at: Path, text: str | None) -> Condition | None:
    if text is None:
        return None
    try:
        return compile_condition(text)
    except InvalidInput as problem:
        raise PolicyInvalid([source.problem(at, str(problem))]) from None


def _outcome(source: Source, at: Path, value: Any) -> OutcomeRule:
    if value == "judged":
        return Judged()
    if value == "present":
        return Present()
    if "that" in value:
        condition = _condition(source, (*at, "that"), value["that"])
        assert condition is not None  # the schema asks for text here
        return ConditionSays(condition, value.get("else", ""))
    both = [str(v) for v in value["passed"] if v in value.get("failed", ())]
    if both:
        raise PolicyInvalid(
            [source.problem(at, f"`{both[0]}` is both passed and failed; keep it in one list")]
        )
    return FieldSays(value["field"], tuple(value["passed"]), tuple(value.get("failed", ())))
