"""Evidence under a key that was compromised is Unknown; and nobody gains by hiding that it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.policy.builders import (
    NOON,
    SCOPE,
    THIS,
    a_record,
    a_requirement,
    a_view,
    days,
    digest_of,
    without,
)
from tests.unit.policy.test_properties import SHIPPED

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.policy import EvidenceView, Failed, Passed, Record, Unknown
from alcaide.kernel.policy.evaluate import evaluate
from alcaide.kernel.policy.requirement import Requirement
from alcaide.kernel.policy.signers import signer_keys

KEY = digest_of("their key")
OTHER_KEY = digest_of("another key")
VOUCHED = {"verified_by": [{"name": "their-ci", "sha256": KEY}]}
IMPORTED = a_requirement(evidence="imported", outcome="judged")
FOREIGN = a_requirement(evidence="https://in-toto.io/attestation/test-result/v0.1", outcome="judged")


def taken_in(at: datetime = NOON, outcome: str = "passed", **more: Any) -> Record:
    return a_record("imported", at=at, outcome=outcome, signature="trusted", kind="dsse", **(VOUCHED | more))


def kept(at: datetime = NOON) -> Record:
    """Their envelope, as it lies in the log beside the import that took it in."""
    return a_record(
        "https://in-toto.io/attestation/test-result/v0.1",
        foreign=True,
        recorded_at=at,
        imported={"at": rfc3339(at), **VOUCHED},
        said={"result": "PASSED"},
    )


def key_said(event: str = "distrusted", *, key: str = KEY, foreign: bool = False, **more: Any) -> Record:
    record = a_record("trusted-key", at=NOON, foreign=foreign, event=event, name="their-ci", **more)
    about = Statement(
        (Subject("trusted-key:their-ci", {"sha256": key}),), record.predicate_type, record.predicate
    )
    return replace(record, statement=about)


def seen(*records: Record, looked_up: bool = True) -> EvidenceView:
    view = a_view(*records)
    return replace(view, keys=view.keys | signer_keys(records)) if looked_up else view


def said_of(requirement: Requirement, view: EvidenceView) -> Any:
    return evaluate(requirement, SCOPE, view, now=NOON + days(1)).verdict


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ((), Passed((0,))),
        ((key_said("trusted"),), Passed((0,))),
        ((key_said(),), Passed((0,))),
        ((key_said(because="out-of-use"),), Passed((0,))),
        ((key_said(because="compromised", since=rfc3339(NOON + days(1))),), Passed((0,))),
        ((key_said(because="compromised", foreign=True),), Passed((0,))),
        ((key_said(because="compromised", key=OTHER_KEY),), Passed((0,))),
    ],
)
def test_evidence_stays_that_came_before_the_compromise_or_under_a_key_that_was_not(
    key: tuple[Record, ...], verdict: Any
) -> None:
    assert said_of(IMPORTED, seen(taken_in(), *key)) == verdict


@pytest.mark.parametrize("since", [NOON, NOON - days(1), None, "perhaps"])
@pytest.mark.parametrize(("requirement", "record"), [(IMPORTED, taken_in()), (FOREIGN, kept())])
def test_evidence_that_came_in_since_is_unknown_and_names_the_leaf_that_says_why(
    requirement: Requirement, record: Record, since: Any
) -> None:
    when = {} if since is None else {"since": since if isinstance(since, str) else rfc3339(since)}

    verdict = said_of(requirement, seen(record, key_said(because="compromised", **when)))

    assert isinstance(verdict, Unknown)
    assert "key `their-ci`, which signed it, was compromised" in verdict.reason
    assert verdict.stood_on == (0, 1)


def test_a_no_under_a_compromised_key_is_as_little_worth_as_a_yes() -> None:
    compromised = key_said(because="compromised")

    assert isinstance(said_of(IMPORTED, seen(taken_in(outcome="failed"))), Failed)
    assert isinstance(said_of(IMPORTED, seen(taken_in(outcome="failed"), compromised)), Unknown)


def test_evidence_signed_anew_by_another_key_counts() -> None:
    anew = taken_in(NOON + days(0.5), verified_by=[{"name": "their-new-ci", "sha256": OTHER_KEY}])

    assert said_of(IMPORTED, seen(taken_in(), key_said(because="compromised"), anew)) == Passed((2,))


def test_a_view_in_which_nobody_looked_for_the_signers_key_answers_nothing() -> None:
    verdict = said_of(IMPORTED, seen(taken_in(), looked_up=False))

    assert verdict == Unknown(
        "whether key `their-ci`, which signed it, is still believed was not looked up", (0,)
    )


def test_what_nobody_else_signed_needs_no_look() -> None:
    assert signer_keys([a_record(), taken_in(verified_by=[])]) == frozenset()
    assert said_of(IMPORTED, seen(taken_in(verified_by=[]), looked_up=False)) == Passed((0,))


# ── the three properties, over every requirement that ships ──────────────────────────────────────────────────────


def story_for(requirement: Requirement, *, since: datetime = NOON) -> list[Record]:
    """One vouched import and one vouched envelope of each kind that it asks for, and the key's end."""
    found = [
        replace(
            a_record(
                kind,
                about=about,
                said={"outcome": "passed", "kind": document, "named": [about.name], **VOUCHED},
            ),
            imported={"at": rfc3339(NOON), **VOUCHED},
            foreign=foreign,
        )
        for kind in requirement.evidence
        for about in (THIS, *SCOPE.components)
        for document in ("cyclonedx", "sarif", "model-signature")
        for foreign in (False, True)
    ]
    return [*found, key_said(because="compromised", since=rfc3339(since))]


SWEPT = [pytest.param(r, id=name) for name, r in SHIPPED]


@pytest.mark.parametrize("requirement", SWEPT)
def test_less_evidence_never_helps_whoever_hides_the_end_of_a_key(requirement: Requirement) -> None:
    records = story_for(requirement)
    view = seen(*records)
    last = len(records) - 1
    under_it = {i for i, record in enumerate(records) if signer_keys([record])}

    assert not isinstance(said_of(requirement, without(view, last)), Passed)
    unlooked = said_of(requirement, seen(*records[:last], looked_up=False))
    assert not (isinstance(unlooked, Passed) and under_it & set(unlooked.stood_on))


@pytest.mark.parametrize("requirement", SWEPT)
def test_replay_gives_the_same_answer_with_keys_that_ended(requirement: Requirement) -> None:
    once, again = (
        evaluate(requirement, SCOPE, seen(*story_for(requirement)), now=NOON).as_json() for _ in range(2)
    )

    assert once == again
    # A key's end later than everything changes nothing; one before it never makes a pass.
    later = evaluate(requirement, SCOPE, seen(*story_for(requirement, since=NOON + days(9))), now=NOON)
    never = evaluate(requirement, SCOPE, seen(*story_for(requirement)[:-1]), now=NOON)
    assert later.verdict == never.verdict


@pytest.mark.parametrize("requirement", SWEPT)
def test_a_pass_never_stands_on_what_came_in_under_a_compromised_key(requirement: Requirement) -> None:
    records = story_for(requirement)
    under_it = {i for i, r in enumerate(records) if signer_keys([r])}

    verdict = evaluate(requirement, SCOPE, seen(*records), now=NOON).verdict

    assert not (isinstance(verdict, Passed) and under_it & set(verdict.stood_on))
