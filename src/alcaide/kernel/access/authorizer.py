"""May this actor do that? Cedar policies decide, deny by default, and every answer can be explained.

How a slice writes its rules: `cedar_example.md` beside this file is the template to copy. In short:

    @id("inventory-view")
    @owner("security-lead")
    @next_step("ask an administrator for the viewer role")
    permit (principal, action == Action::"inventory.view", resource)
    when { principal.roles.containsAny(["admin", "security-lead", "auditor", "viewer"]) };

What a caller may rely on:

- A policy set either loads whole and valid or not at all: it parses, every policy carries `@id`, `@owner` and
  `@next_step`, ids are unique, and Cedar's validator in strict mode accepts it against the schema and the
  actions that the manifests declare. A misspelt role is the one mistake this cannot see, and it can only
  deny.
- `decide` never raises for a question it cannot answer. An unknown action, an unusable resource, an
  evaluation
  error in any policy: each is a denial.
- Policies do not change while an `Authorizer` lives, so equal questions have equal answers and are
  remembered.

Left out on purpose: who the actor is (the access slice), and what is shown to a person who was denied (the
pages).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from threading import Lock
from typing import Any

from alcaide.kernel.access.actor import ROLES, Actor
from alcaide.kernel.errors import ConfigError, NotAllowed

_REQUIRED_ANNOTATIONS = ("id", "owner", "next_step")
_RESOURCE_ATTRIBUTES = frozenset({"kind", "id", "owner", "deputy", "requester", "author", "state", "stage"})
_REMEMBERED_ANSWERS = 4096
"""A page asks some twenty questions per view; this holds the menus of some two hundred people at once in ~2 MB."""
_LONGEST_VALUE = 512
"""Resource attributes are names, ids and states. Longer is a mistake or an attack, and is denied unread."""


@dataclass(frozen=True)
class Decision:
    """The answer, and for a denial everything the person needs to go on: which rule, whose it is, what to do next."""

    allowed: bool
    rule: str
    owner: str
    next_step: str

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True)
class Rule:
    """One policy as a reader sees it: for the page that lists the rules in force."""

    id: str
    owner: str
    next_step: str
    effect: str
    text: str


class Authorizer:
    """The policies of one installation, parsed once."""

    def __init__(self, policy_texts: Iterable[tuple[str, str]], actions: Mapping[str, str]) -> None:
        """`policy_texts` are (name for messages, Cedar text) pairs; `actions` maps each declared action to its title.

        The kernel's own rules (token scopes) are always part of the set.
        """
        import cedarpy

        self._cedar = cedarpy
        self.actions: Mapping[str, str] = dict(actions)
        own = resources.files(__package__)
        texts = [
            ("kernel.cedar", own.joinpath("policies/kernel.cedar").read_text(encoding="utf-8")),
            *policy_texts,
        ]
        policies = _gather(texts, cedarpy.policies_to_json_str)
        schema = own.joinpath("schema.cedarschema").read_text(encoding="utf-8") + _action_schema(self.actions)
        as_json = json.dumps({"staticPolicies": policies, "templates": {}, "templateLinks": []})
        # The validator's own names for policies are positions, so it is asked about each policy alone: the
        # message then names the rule that its author has to mend.
        for rule_id, policy in policies.items():
            alone = json.dumps({"staticPolicies": {rule_id: policy}, "templates": {}, "templateLinks": []})
            checked = cedarpy.validate_policies(cedarpy.policies_from_json_str(alone), schema)
            if not checked.validation_passed:
                raise ConfigError(
                    f"policy `{rule_id}` does not fit the schema: {checked.errors[0].error}; "
                    "correct the policy file, or declare the action in the slice's manifest"
                )
        self._policies = cedarpy.PolicySet.from_json_str(as_json)
        self._schema = cedarpy.Schema.from_str(schema)
        self._rules = {rule_id: _rule(rule_id, policy, cedarpy) for rule_id, policy in policies.items()}
        self._candidates = {action: _speaking_of(action, policies) for action in self.actions}
        self._answers: OrderedDict[tuple[Any, ...], Decision] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def load(cls, texts: Mapping[str, str], actions: Mapping[str, str] | Iterable[str]) -> Authorizer:
        """From named texts and declared actions; actions without titles are called by their names."""
        titled = dict(actions) if isinstance(actions, Mapping) else {action: action for action in actions}
        return cls(texts.items(), titled)

    @property
    def rules(self) -> tuple[Rule, ...]:
        return tuple(self._rules[rule_id] for rule_id in sorted(self._rules))

    def decide(self, actor: Actor, action: str, resource: Mapping[str, str] | None = None) -> Decision:
        """Whether `actor` may do `action` to `resource`; `None` asks about the action in general."""
        if action not in self.actions:
            return Decision(
                False,
                f"no action `{action}` is declared",
                "administrator",
                "report this to the administrator",
            )
        about = _plain(resource)
        if about is None or not _is_text("".join((actor.id, actor.via or "", *actor.roles, *actor.granted))):
            return Decision(
                False,
                "who asks or what about could not be read",
                "administrator",
                "report this to the administrator",
            )
        key = (
            actor.kind,
            actor.id,
            actor.via,
            actor.roles,
            actor.scopes,
            actor.granted,
            action,
            tuple(sorted(about.items())),
        )
        with self._lock:
            known = self._answers.get(key)
            if known is not None:
                self._answers.move_to_end(key)
                return known
        decision = self.decide_unremembered(actor, action, about)
        with self._lock:
            self._answers[key] = decision
            if len(self._answers) > _REMEMBERED_ANSWERS:
                self._answers.popitem(last=False)
        return decision

    def require(self, actor: Actor, action: str, resource: Mapping[str, str] | None = None) -> None:
        """Return if allowed; otherwise raise `NotAllowed` carrying the rule, its owner and the next step."""
        decision = self.decide(actor, action, resource)
        if not decision.allowed:
            raise NotAllowed(
                f"{actor.name} may not {self.actions.get(action, action)}: {decision.rule}. "
                f"{_sentence(decision.next_step)}",
                rule=decision.rule,
                owner=decision.owner,
                next_step=decision.next_step,
            )

    def roles_allowed(self, action: str) -> tuple[str, ...]:
        """Which of the shipped roles alone would suffice for `action` in general: for matrices and for denials."""
        return tuple(role for role in ROLES if self.decide(_holder_of(role), action).allowed)

    def decide_unremembered(self, actor: Actor, action: str, about: Mapping[str, str]) -> Decision:
        """Ask Cedar. Public so that the bench can time the decision itself and not the memory of one."""
        request, entities = _question(actor, action, about)
        result = self._cedar.is_authorized(request, self._policies, entities, self._schema)
        reasons = sorted(result.diagnostics.reasons)
        # INVARIANT: an error in any policy denies. Cedar skips a policy that errs, and a skipped forbid would
        # permit.
        if result.decision is self._cedar.Decision.Allow and not result.diagnostics.errors:
            rule = self._rules[reasons[0]]
            return Decision(True, rule.id, rule.owner, rule.next_step)
        if result.diagnostics.errors:
            return Decision(
                False, "a policy could not be evaluated", "administrator", "report this to the administrator"
            )
        if reasons:
            rule = self._rules[reasons[0]]
            return Decision(False, rule.id, rule.owner, rule.next_step)
        return self._nothing_permits(action)

    def _nothing_permits(self, action: str) -> Decision:
        """Nobody forbade it; nobody permitted it either. The rules that could have say whom to ask."""
        for rule_id in self._candidates[action]:
            rule = self._rules[rule_id]
            if rule.effect == "permit":
                return Decision(False, f"no rule permits `{action}`", rule.owner, rule.next_step)
        return Decision(
            False,
            f"no rule permits `{action}`",
            "administrator",
            "ask an administrator to add a policy for it",
        )


def load_policy_text(package: str, name: str) -> tuple[str, str]:
    """`policies/<name>.cedar` of a package, ready for `Authorizer`.

    A missing file is a broken installation.
    """
    path = resources.files(package).joinpath("policies", f"{name}.cedar")
    if not path.is_file():
        raise ConfigError(f"policy file `{name}.cedar` of `{package}` is missing; reinstall Alcaide")
    return f"{name}.cedar", path.read_text(encoding="utf-8")


def _gather(texts: Iterable[tuple[str, str]], to_json: Any) -> dict[str, dict[str, Any]]:
    gathered: dict[str, dict[str, Any]] = {}
    for name, text in texts:
        try:
            parsed = json.loads(to_json(text))
        except ValueError as problem:
            raise ConfigError(
                f"policy file `{name}` does not parse: {problem}; correct it and start again"
            ) from problem
        if parsed.get("templates"):
            raise ConfigError(
                f"policy file `{name}` has a template (`?principal`); write a whole policy instead"
            )
        for policy in parsed["staticPolicies"].values():
            annotations = policy.get("annotations") or {}
            missing = [a for a in _REQUIRED_ANNOTATIONS if not (annotations.get(a) or "").strip()]
            if missing:
                which = annotations.get("id") or "without an id"
                raise ConfigError(
                    f"policy `{which}` in `{name}` lacks @{', @'.join(missing)}; add it before the policy"
                )
            if annotations["id"] in gathered:
                raise ConfigError(
                    f"policy id `{annotations['id']}` in `{name}` is taken; rename one of the two"
                )
            gathered[annotations["id"]] = policy
    return gathered


def _action_schema(actions: Mapping[str, str]) -> str:
    """Each action in two groups, by slice and by verb, so that a policy can speak of `inventory.*` or `*.view`."""
    lines: list[str] = []
    groups: set[str] = set()
    for action in sorted(actions):
        area, dot, verb = action.partition(".")
        if (
            not (area and dot and verb)
            or "." in verb
            or not action.replace(".", "").replace("-", "").replace("_", "").isalnum()
        ):
            raise ConfigError(
                f"action `{action}` is not of the form `<slice>.<verb>`; rename it in the manifest"
            )
        groups.update((f"{area}.*", f"*.{verb}"))
        lines.append(
            f'action "{action}" in [Action::"{area}.*", Action::"*.{verb}"] '
            "appliesTo { principal: [Principal], resource: [Resource], context: { in_scope: Bool, action: String } };"
        )
    return "\n" + "\n".join([f'action "{group}";' for group in sorted(groups)] + lines) + "\n"


def _plain(resource: Mapping[str, Any] | None) -> dict[str, str] | None:
    about = {"kind": "", "id": ""}
    for name, value in (resource or {}).items():
        if value is None:
            continue
        if not isinstance(value, str) or len(value) > _LONGEST_VALUE or not _is_text(name + value):
            return None
        about[name] = value
    return about


def _is_text(value: str) -> bool:
    """Half a surrogate is no text: Cedar cannot be asked about it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _question(actor: Actor, action: str, about: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    principal = {"type": "Principal", "id": f"{actor.kind}:{actor.via or actor.id}"}
    target = {"type": "Resource", "id": f"{about['kind']}:{about['id']}"}
    entities = [
        {
            "uid": principal,
            "attrs": {
                "id": actor.id,
                "kind": actor.kind,
                "roles": sorted(actor.roles),
                "granted": sorted(actor.granted),
            },
            "parents": [],
        },
        {
            "uid": target,
            "attrs": {name: value for name, value in about.items() if name in _RESOURCE_ATTRIBUTES},
            "tags": {name: value for name, value in about.items() if name not in _RESOURCE_ATTRIBUTES},
            "parents": [],
        },
    ]
    request = {
        "principal": principal,
        "action": {"type": "Action", "id": action},
        "resource": target,
        "context": {"in_scope": actor.in_scope(action), "action": action},
    }
    return request, json.dumps(entities)


def _rule(rule_id: str, policy: Mapping[str, Any], cedar: Any) -> Rule:
    alone = json.dumps({"staticPolicies": {rule_id: policy}, "templates": {}, "templateLinks": []})
    notes = policy["annotations"]
    return Rule(
        rule_id, notes["owner"], notes["next_step"], policy["effect"], cedar.policies_from_json_str(alone)
    )


def _speaking_of(action: str, policies: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The policies whose scope names `action` itself, before those that name a group, before those that name all."""
    area, _, verb = action.partition(".")
    ranked: list[tuple[int, str]] = []
    for rule_id, policy in policies.items():
        scope = policy["action"]
        named = [scope["entity"]] if "entity" in scope else list(scope.get("entities", ()))
        ids = {entity.get("__entity", entity)["id"] for entity in named}
        if action in ids:
            ranked.append((0, rule_id))
        elif ids & {f"{area}.*", f"*.{verb}"}:
            ranked.append((1, rule_id))
        elif scope["op"] == "All":
            ranked.append((2, rule_id))
    return tuple(rule_id for _, rule_id in sorted(ranked))


def _holder_of(role: str) -> Actor:
    return Actor("user", f"any-{role}", f"a {role}", frozenset({role}))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
