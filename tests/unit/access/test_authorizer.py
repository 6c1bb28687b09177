"""Cedar policies: deny by default, explained, and refused at the start when they cannot be meant."""

from __future__ import annotations

import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcaide.kernel.access import ANONYMOUS, Actor, Authorizer, scope_covers
from alcaide.kernel.errors import ConfigError, NotAllowed

ACTIONS = {
    "inventory.view": "see the register",
    "inventory.edit": "change it",
    "lifecycle.approve": "approve",
}
POLICIES = """
@id("view") @owner("security-lead") @next_step("ask an administrator for the viewer role")
permit (principal, action == Action::"inventory.view", resource)
when { principal.roles.containsAny(["viewer", "auditor"]) };

@id("edit-own") @owner("security-lead") @next_step("ask the owner")
permit (principal, action == Action::"inventory.edit", resource)
when { resource has owner && resource.owner == principal.id };

@id("approve") @owner("security-lead") @next_step("ask an approver")
permit (principal, action in Action::"lifecycle.*", resource)
when { principal.roles.contains("approver") };

@id("four-eyes") @owner("security-lead") @next_step("ask another approver")
forbid (principal, action == Action::"lifecycle.approve", resource)
when { resource has requester && resource.requester == principal.id };

@id("eu-only") @owner("security-lead") @next_step("ask the office there")
forbid (principal, action == Action::"inventory.edit", resource)
when { resource.hasTag("region") && resource.getTag("region") != "eu" };
"""


def an_authorizer(text=POLICIES, actions=ACTIONS):
    return Authorizer([("test.cedar", text)], actions)


def somebody(*roles, id="u-1", **more):
    return Actor("user", id, "Ada", frozenset(roles), **more)


AUTHORIZER = an_authorizer()


@pytest.mark.parametrize(
    ("actor", "action", "resource", "allowed", "rule"),
    [
        (somebody("viewer"), "inventory.view", None, True, "view"),
        (somebody(), "inventory.view", None, False, "no rule permits `inventory.view`"),
        (ANONYMOUS, "inventory.view", None, False, "no rule permits `inventory.view`"),
        (somebody("viewer"), "inventory.edit", None, False, "no rule permits `inventory.edit`"),
        (somebody(), "inventory.edit", {"owner": "u-1"}, True, "edit-own"),
        (somebody(), "inventory.edit", {"owner": "u-2"}, False, "no rule permits `inventory.edit`"),
        (somebody(), "inventory.edit", {"owner": "u-1", "region": "eu"}, True, "edit-own"),
        (somebody(), "inventory.edit", {"owner": "u-1", "region": "us"}, False, "eu-only"),
        (somebody("approver"), "lifecycle.approve", {"requester": "u-2"}, True, "approve"),
        (somebody("approver"), "lifecycle.approve", {"requester": "u-1"}, False, "four-eyes"),
        (somebody("viewer", scopes=frozenset({"inventory.*"})), "inventory.view", None, True, "view"),
        (somebody("viewer", scopes=frozenset({"lifecycle.*"})), "inventory.view", None, False, "token-scope"),
        (somebody("viewer", scopes=frozenset()), "inventory.view", None, False, "token-scope"),
        (somebody("viewer"), "inventory.nothing", None, False, "no action `inventory.nothing` is declared"),
        (somebody("approver"), "lifecycle.*", None, False, "no action `lifecycle.*` is declared"),
        (somebody("viewer"), "", None, False, "no action `` is declared"),
    ],
)
def test_what_is_allowed_and_by_which_rule(actor, action, resource, allowed, rule):
    decision = AUTHORIZER.decide(actor, action, resource)

    assert (decision.allowed, decision.rule) == (allowed, rule)
    assert decision.owner
    assert decision.next_step


def test_a_token_of_the_requester_cannot_approve_either():
    token = Actor("token", "u-1", "Ada", frozenset({"approver"}), via="t-1")

    assert AUTHORIZER.decide(token, "lifecycle.approve", {"requester": "u-1"}).rule == "four-eyes"


def test_a_denial_by_default_points_at_whoever_could_permit():
    decision = AUTHORIZER.decide(somebody(), "inventory.view")

    assert (decision.owner, decision.next_step) == (
        "security-lead",
        "ask an administrator for the viewer role",
    )


def test_require_raises_with_rule_owner_and_next_step():
    with pytest.raises(NotAllowed, match="Ada may not approve") as denied:
        AUTHORIZER.require(somebody("approver"), "lifecycle.approve", {"requester": "u-1"})

    assert (denied.value.rule, denied.value.owner) == ("four-eyes", "security-lead")
    assert denied.value.next_step == "ask another approver"
    assert AUTHORIZER.require(somebody("viewer"), "inventory.view") is None


@pytest.mark.parametrize(
    "resource", [{"owner": 7}, {"owner": ["u-1"]}, {"owner": "x" * 513}, {"owner": {"id": "u-1"}}]
)
def test_a_resource_that_is_not_plain_text_is_a_denial_and_no_error(resource):
    assert not AUTHORIZER.decide(somebody(), "inventory.edit", resource)


def test_an_attribute_that_is_none_counts_as_absent():
    assert not AUTHORIZER.decide(somebody(), "inventory.edit", {"owner": None})


@given(
    st.text(max_size=40),
    st.text(max_size=40),
    st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4),
)
def test_no_text_gets_anybody_in_or_an_error_out(actor_id, role, resource):
    actor = Actor("user", actor_id, "?", frozenset({role} - {"viewer", "auditor", "approver"}))
    try:
        actor_id.encode()
    except UnicodeEncodeError:
        return
    resource.pop("owner", None)

    assert not AUTHORIZER.decide(actor, "inventory.view", resource)
    assert not AUTHORIZER.decide(actor, "inventory.edit", resource)


def test_half_a_surrogate_is_a_denial_and_no_error():
    assert not AUTHORIZER.decide(somebody("viewer", id="\ud800"), "inventory.view", {"id": "\udfff"})


def test_every_rule_can_be_read():
    assert [rule.id for rule in AUTHORIZER.rules] == [
        "approve",
        "edit-own",
        "eu-only",
        "four-eyes",
        "role-of-own-making",
        "token-scope",
        "view",
    ]
    assert all("permit" in rule.text or "forbid" in rule.text for rule in AUTHORIZER.rules)


def test_roles_allowed_answers_for_a_matrix():
    assert AUTHORIZER.roles_allowed("inventory.view") == ("auditor", "viewer")
    assert AUTHORIZER.roles_allowed("inventory.edit") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("permit (principal, action, resource);", "lacks @id, @owner, @next_step"),
        ('@id("x") @owner("o") permit (principal, action, resource);', "policy `x`.*lacks @next_step"),
        ('@id("x") @owner("") @next_step("n") permit (principal, action, resource);', "lacks @owner"),
        ("permit (", "does not parse"),
        (POLICIES + POLICIES, "policy id `.*` .*is taken"),
        ('@id("token-scope") @owner("o") @next_step("n") permit (principal, action, resource);', "is taken"),
        (
            '@id("x") @owner("o") @next_step("n") permit (principal, action == Action::"inventory.viwe", resource);',
            "policy `x` does not fit.*unrecognized action",
        ),
        (
            '@id("x") @owner("o") @next_step("n") permit (principal, action, resource) when { principal.role == "x" };',
            "policy `x` does not fit",
        ),
        (
            '@id("x") @owner("o") @next_step("n") permit (principal, action, resource) when { resource.owner == "x" };',
            "optional attribute `owner`",
        ),
        (
            '@id("x") @owner("o") @next_step("n") permit (principal == ?principal, action, resource);',
            "template",
        ),
    ],
)
def test_a_policy_that_cannot_be_meant_stops_the_start(text, says):
    with pytest.raises(ConfigError, match=f"(?s){says}"):
        an_authorizer(text)


@pytest.mark.parametrize("action", ["inventory", "inventory.", ".view", "a.b.c", 'a."b', "a.b c", "a.*"])
def test_an_action_without_area_and_verb_stops_the_start(action):
    with pytest.raises(ConfigError, match="not of the form"):
        an_authorizer("", {action: "x"})


def test_an_installation_without_policies_allows_nothing():
    empty = Authorizer([], ACTIONS)

    assert not any(empty.decide(somebody("admin", "viewer"), action) for action in ACTIONS)


@pytest.mark.parametrize(
    ("scopes", "action", "covered"),
    [
        (["inventory.view"], "inventory.view", True),
        (["inventory.*"], "inventory.view", True),
        (["*.view"], "inventory.view", True),
        (["*"], "inventory.view", True),
        ([], "inventory.view", False),
        (["inventory"], "inventory.view", False),
        (["inv*"], "inventory.view", False),
        (["inventory.v*"], "inventory.view", False),
        (["*.*"], "inventory.view", False),
        (["*.edit", "lifecycle.*"], "inventory.view", False),
        (["*"], "", False),
        (["."], ".", False),
    ],
)
def test_what_a_scope_covers(scopes, action, covered):
    assert scope_covers(scopes, action) is covered


def test_less_scope_never_allows_more():
    wide = somebody("viewer", "approver", scopes=frozenset({"*"}))
    for scopes in ({"inventory.*"}, {"*.view"}, set()):
        narrow = somebody("viewer", "approver", scopes=frozenset(scopes))
        for action in ACTIONS:
            assert AUTHORIZER.decide(wide, action) or not AUTHORIZER.decide(narrow, action)


def test_answers_are_remembered_within_bounds():
    authorizer = an_authorizer()
    for number in range(5000):
        authorizer.decide(somebody(id=f"u-{number}"), "inventory.nothing")
    for number in range(4200):
        authorizer._answers[(number,)] = None
    authorizer.decide(somebody("viewer"), "inventory.view")

    assert len(authorizer._answers) <= 4201


def test_a_decision_takes_a_fraction_of_a_millisecond():
    # The bound in DESIGN is 0.3 ms on an idle machine; shared machines get the slack, a parse per decision does not.
    def took():
        began = time.perf_counter()
        AUTHORIZER.decide_unremembered(somebody("viewer"), "inventory.view", {"kind": "", "id": ""})
        return time.perf_counter() - began

    took()
    assert statistics.median(took() for _ in range(50)) < 0.0015
