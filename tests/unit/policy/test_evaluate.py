"""What each part of a requirement decides: a truth table of small stories."""

from __future__ import annotations

import pytest
from tests.unit.policy.builders import (
    MODEL,
    NOON,
    SCOPE,
    SCORER,
    SYSTEM,
    TABLE,
    THIS,
    a_record,
    a_requirement,
    a_view,
    answer,
    days,
    digest_of,
    without,
)

from alcaide.kernel.clock import rfc3339
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.policy import Failed, Passed, Record, Unknown
from alcaide.kernel.policy.evaluate import Scope, SubjectRef, evaluate, keys_needed, verdict_of

PRESENT = a_requirement(outcome="present")
RUN = "https://in-toto.io/attestation/test-result/v0.1"


def test_evidence_that_is_there_passes_and_names_its_leaf() -> None:
    said = answer(PRESENT, a_record())
    assert said.verdict == Passed((0,))
    assert said.outcome == "passed"


def test_evidence_that_is_not_there_is_unknown() -> None:
    assert answer(PRESENT).verdict == Unknown("no `attested` on record")


def test_an_incomplete_view_answers_nothing() -> None:
    view = without(a_view(a_record(), a_record()), 1)
    said = evaluate(PRESENT, SCOPE, view, now=NOON)
    assert said.verdict == Unknown("evidence is incomplete: leaves are missing")


def test_a_view_built_for_other_subjects_answers_nothing() -> None:
    elsewhere = Scope(SubjectRef("system:other", digest_of("other")))
    said = evaluate(PRESENT, elsewhere, a_view(a_record()), now=NOON)
    assert isinstance(said.verdict, Unknown)


def test_every_key_that_is_needed_is_named() -> None:
    assert keys_needed([a_requirement(about={"components": {"kind": ["model"]}})], SCOPE) == {
        f"name:{SYSTEM}",
        f"name:{MODEL}",
        f"sha256:{SCORER.digest}",
    }


# ── freshness ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        (days(29), Passed((0,))),
        (days(30), Passed((0,))),
        (days(31), Unknown("it is 31 days old, and at most 30d is asked for; bring it up to date", (0,))),
        (-days(1) / 480, Passed((0,))),
    ],
)
def test_old_evidence_is_unknown(age: object, verdict: object) -> None:
    said = answer(a_requirement(outcome="present", fresh="30d"), a_record(at=NOON - age))  # type: ignore[operator]
    assert said.verdict == verdict


def test_evidence_from_the_future_is_not_believed_yet() -> None:
    said = answer(PRESENT, a_record(at=NOON + days(1)))
    assert isinstance(said.verdict, Unknown)
    assert "dated in the future" in said.reason


def test_evidence_without_a_time_is_not_fresh() -> None:
    said = answer(a_requirement(outcome="present", fresh="30d"), a_record(at=None))
    assert said.verdict == Unknown("it does not say when it happened (no `at`)", (0,))


def _with_time(text: str) -> Record:
    statement = Statement(
        (Subject(SYSTEM, {"sha256": str(THIS.digest)}),), "urn:alcaide:attested:v1", {"at": text}
    )
    return Record(0, statement, NOON, "instance")


def test_a_time_that_cannot_be_read_is_unknown() -> None:
    said = answer(PRESENT, _with_time("yesterday"))
    assert isinstance(said.verdict, Unknown)
    assert "its time cannot be read" in said.reason


def test_foreign_evidence_counts_from_when_it_was_taken_in() -> None:
    requirement = a_requirement(evidence=RUN, fresh="30d")
    imported = {"at": rfc3339(NOON - days(40))}
    stale = a_record(RUN, foreign=True, recorded_at=NOON, imported=imported, result="PASSED", at=NOON)
    fresh = a_record(RUN, foreign=True, recorded_at=NOON - days(2), result="PASSED")

    assert isinstance(answer(requirement, stale).verdict, Unknown)
    assert answer(requirement, fresh).verdict == Passed((0,))


def test_a_foreign_time_that_the_policy_names_can_only_make_evidence_older() -> None:
    requirement = a_requirement(evidence=RUN, fresh={"within": "30d", "at": "finished"})
    taken_in = NOON - days(10)

    def finished(when: object) -> object:
        record = a_record(RUN, foreign=True, recorded_at=taken_in, result="PASSED", finished=rfc3339(when))  # type: ignore[arg-type]
        return answer(requirement, record).verdict

    assert finished(NOON - days(11)) == Passed((0,))
    assert isinstance(finished(NOON - days(31)), Unknown)
    assert isinstance(finished(NOON + days(1)), Unknown)


def test_evidence_with_an_end_does_not_count_after_it() -> None:
    record = a_record(until=rfc3339(NOON + days(1)))
    assert answer(PRESENT, record).verdict == Passed((0,))
    assert isinstance(answer(PRESENT, record, now=NOON + days(1)).verdict, Unknown)


# ── outcome ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ({"result": "PASSED"}, Passed),
        ({"verdict": "passed"}, Passed),
        ({"verificationResult": "PASSED"}, Passed),
        ({"outcome": "success"}, Passed),
        ({"decision": "approved"}, Passed),
        ({"result": "FAILED"}, Failed),
        ({"result": "passed", "verdict": "failed"}, Failed),
        ({"result": "passed", "verdict": "perhaps"}, Unknown),
        ({"result": "WARNED"}, Unknown),
        ({"result": True}, Unknown),
        ({"result": {"passed": 1}}, Unknown),
        ({"colour": "green"}, Unknown),
        ({}, Unknown),
    ],
)
def test_the_usual_outcomes_are_understood_and_others_not_guessed(predicate: dict, expected: type) -> None:
    assert isinstance(answer(a_requirement(), a_record(**predicate)).verdict, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("green", Passed), ("red", Failed), ("amber", Unknown), (None, Unknown), (1, Unknown)],
)
def test_a_field_decides_by_the_values_that_are_named(value: object, expected: type) -> None:
    requirement = a_requirement(
        outcome={"field": "light.colour", "passed": ["green", True], "failed": ["red"]}
    )
    assert isinstance(answer(requirement, a_record(light={"colour": value})).verdict, expected)


def test_a_condition_decides_with_the_reason_its_author_gave() -> None:
    requirement = a_requirement(outcome={"that": "predicate.errors == 0", "else": "it found errors"})
    assert answer(requirement, a_record(errors=0)).verdict == Passed((0,))
    assert answer(requirement, a_record(errors=2)).verdict == Failed("it found errors", (0,))
    assert isinstance(answer(requirement, a_record()).verdict, Unknown)


# ── selection ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_says_which_statements_are_meant() -> None:
    requirement = a_requirement(outcome="present", where="predicate.format == 'sarif'")
    said = answer(requirement, a_record(format="sarif"), a_record(format="cyclonedx"))
    assert said.verdict == Passed((0,))
    assert isinstance(answer(requirement, a_record(format="cyclonedx")).verdict, Unknown)


def test_the_latest_that_might_be_meant_stands_in_the_way_when_it_cannot_be_read() -> None:
    requirement = a_requirement(outcome="present", where="predicate.format == 'sarif'")
    assert isinstance(answer(requirement, a_record(format="sarif"), a_record()).verdict, Unknown)
    assert answer(requirement, a_record(), a_record(format="sarif")).verdict == Passed((1,))


def test_a_bad_latest_does_not_step_aside_for_an_older_good_one() -> None:
    said = answer(a_requirement(), a_record(result="passed"), a_record(result="failed"))
    assert said.verdict == Failed("`result` is `failed`", (1,))


def test_without_only_latest_one_that_ever_passed_is_enough() -> None:
    requirement = a_requirement(only_latest=False)
    said = answer(requirement, a_record(result="passed"), a_record(result="failed"))
    assert said.verdict == Passed((0,))
    assert isinstance(answer(requirement, a_record(result="failed")).verdict, Failed)


def test_somebody_elses_statement_of_our_own_kind_does_not_count() -> None:
    forged = a_record(foreign=True, by={"id": "ada"}, result="passed")
    assert isinstance(answer(a_requirement(), forged).verdict, Unknown)
    assert answer(a_requirement(**{"from": "anywhere"}), forged).verdict == Passed((0,))
    assert isinstance(
        answer(a_requirement(**{"from": "elsewhere"}), a_record(result="passed")).verdict, Unknown
    )


def test_only_the_named_signers_count() -> None:
    requirement = a_requirement(evidence=RUN, signed_by=["lab"])
    lab = a_record(RUN, foreign=True, signed_by="lab", result="PASSED")
    other = a_record(RUN, foreign=True, signed_by="other", result="PASSED")
    assert answer(requirement, lab, other).verdict == Passed((0,))
    assert isinstance(answer(requirement, other).verdict, Unknown)


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_evidence_about_a_component_counts_by_digest_whatever_it_calls_it() -> None:
    requirement = a_requirement(about={"components": {"kind": ["model"]}}, outcome="present")
    renamed = SubjectRef("weights.safetensors", SCORER.digest)
    assert answer(requirement, a_record(about=renamed)).verdict == Passed((0,))


def test_evidence_about_other_bytes_under_the_same_name_does_not_count_and_says_so() -> None:
    requirement = a_requirement(about={"components": {"kind": ["model"]}}, outcome="present")
    before = SubjectRef(MODEL, digest_of("scorer, before"))

    said = answer(requirement, a_record(about=before))

    assert said.verdict == Unknown(
        f"the `attested` on record is about digest {digest_of('scorer, before')[:12]}, "
        f"and it is now {str(SCORER.digest)[:12]}",
        (0,),
    )


def test_a_component_without_a_digest_is_unknown() -> None:
    nameless = Scope(THIS, (SubjectRef("service:api@1", None, kind="service"),))
    said = answer(a_requirement(about="components", outcome="present"), scope=nameless)
    assert "no digest is on record for it" in said.reason


def test_no_component_to_ask_about_is_not_a_pass() -> None:
    requirement = a_requirement(about={"components": {"kind": ["agent"]}}, outcome="present")
    assert isinstance(answer(requirement).verdict, Unknown)


# ── subjects ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_means_every_component_and_any_means_one() -> None:
    one = a_record(about=SCORER)
    every = answer(a_requirement(about="components", outcome="present"), one)
    some = answer(a_requirement(about="components", outcome="present", match="any"), one)

    assert every.verdict == Unknown("dataset:loans@1: no `attested` on record")
    assert some.verdict == Passed((0,))
    assert [s.outcome for s in every.subjects] == ["passed", "unknown"]


def test_deployed_means_components_that_run_somewhere() -> None:
    requirement = a_requirement(about="deployed", outcome="present")
    assert answer(requirement, a_record(about=SCORER)).verdict == Passed((0,))
    nowhere = Scope(THIS, (TABLE,))
    assert isinstance(answer(requirement, scope=nowhere).verdict, Unknown)


# ── count ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_statement_twice_is_one() -> None:
    requirement = a_requirement(count=2)
    twice = answer(requirement, a_record(result="passed"), a_record(result="passed"))
    assert twice.verdict == Unknown("1 of 2 statements on record", (1,))
    two = answer(requirement, a_record(result="passed"), a_record(result="passed", note="again"))
    assert two.verdict == Passed((0, 1))


def test_people_are_counted_once_each_by_their_latest_word() -> None:
    requirement = a_requirement(count={"at_least": 2, "by": "people"})
    ada, bo = a_record(result="passed", by="ada"), a_record(result="passed", by="bo")
    ada_again = a_record(result="passed", by="ada", note="again")

    assert isinstance(answer(requirement, ada, ada_again).verdict, Unknown)
    assert answer(requirement, ada, bo, ada_again).verdict == Passed((1, 2))
    assert isinstance(answer(requirement, ada, bo, a_record(result="failed", by="ada")).verdict, Failed)


def test_a_foreign_statement_names_no_person() -> None:
    requirement = a_requirement(count={"at_least": 1, "by": "people"}, **{"from": "anywhere"})
    claimed = a_record(foreign=True, by={"id": "ada"}, result="passed")
    assert isinstance(answer(requirement, claimed).verdict, Unknown)


def test_an_installation_that_rotates_its_key_is_still_one_signer() -> None:
    requirement = a_requirement(count={"at_least": 2, "by": "signers"})
    old, new = a_record(result="passed", signed_by="key-1"), a_record(result="passed", signed_by="key-2")
    assert isinstance(answer(requirement, old, new).verdict, Unknown)


def test_two_signers_are_two() -> None:
    requirement = a_requirement(evidence=RUN, count={"at_least": 2, "by": "signers"})
    one = a_record(RUN, foreign=True, signed_by="lab-1", result="PASSED")
    two = a_record(RUN, foreign=True, signed_by="lab-2", result="PASSED")
    assert answer(requirement, one, two).verdict == Passed((0, 1))
    assert isinstance(answer(requirement, one, one).verdict, Unknown)


# ── waivers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def a_waiver(**parts: object) -> object:
    said = {"requirement": "asked", "until": rfc3339(NOON + days(7)), "reason": "vendor is late", **parts}
    return a_record("waived", **said)  # type: ignore[arg-type]


def test_a_waiver_counts_as_met_and_leaves_the_verdict_as_it_is() -> None:
    said = answer(PRESENT, a_waiver())

    assert said.verdict == Unknown("no `attested` on record")
    assert said.counts_as == Passed((0,))
    assert said.outcome == "waived"
    assert said.waivers[0].index == 0
    assert said.reason.startswith("waived by Ada until 2026-06-08: vendor is late")
    assert verdict_of([said]) == Passed((0,))


@pytest.mark.parametrize(
    "waiver",
    [
        a_waiver(until=rfc3339(NOON)),
        a_waiver(until="some day"),
        a_waiver(until=None),
        a_waiver(requirement="another"),
        a_waiver(requirement_digest=digest_of("as it was written before")),
        a_waiver(component="model"),
        a_record("waived", at=NOON + days(1), requirement="asked", until=rfc3339(NOON + days(7))),
        a_record("waived", foreign=True, at=NOON, requirement="asked", until=rfc3339(NOON + days(7))),
        a_record("waived", about=SCORER, requirement="asked", until=rfc3339(NOON + days(7))),
    ],
    ids=[
        "ended",
        "no date",
        "no end",
        "other",
        "rewritten",
        "unreadable",
        "future",
        "foreign",
        "other subject",
    ],
)
def test_a_waiver_that_does_not_fit_waives_nothing(waiver: object) -> None:
    assert answer(PRESENT, waiver).outcome == "unknown"


def test_the_latest_waiver_speaks_so_one_that_ends_at_once_takes_it_back() -> None:
    assert answer(PRESENT, a_waiver(), a_waiver(until=rfc3339(NOON))).outcome == "unknown"
    assert answer(PRESENT, a_waiver(until=rfc3339(NOON)), a_waiver()).outcome == "waived"


def test_a_waiver_for_one_component_is_bound_to_its_digest() -> None:
    requirement = a_requirement(about="components", outcome="present")
    attested = a_record(about=SCORER)

    def waived(digest: str | None) -> str:
        component = {"name": TABLE.name, "sha256": digest}
        return answer(requirement, attested, a_waiver(component=component)).outcome

    assert waived(TABLE.digest) == "waived"
    assert waived(digest_of("other bytes")) == "unknown"
    assert waived(None) == "unknown"


def test_some_requirements_cannot_be_waived() -> None:
    assert answer(a_requirement(outcome="present", waivable=False), a_waiver()).outcome == "unknown"


def test_a_met_requirement_is_passed_even_with_a_waiver() -> None:
    assert answer(PRESENT, a_record(), a_waiver()).outcome == "passed"


def test_no_requirement_at_all_is_unknown() -> None:
    assert isinstance(verdict_of([]), Unknown)


def test_an_explanation_opens_to_its_leaves() -> None:
    requirement = a_requirement(about={"components": {"kind": ["model"]}})
    said = answer(requirement, a_record(about=SCORER, result="failed")).as_json()

    assert said["outcome"] == "failed"
    assert said["stood_on"] == [0]
    assert said["subjects"][0]["leaves"] == [
        {
            "index": 0,
            "predicate_type": "urn:alcaide:attested:v1",
            "at": "2026-06-01T12:00:00.000000Z",
            "outcome": "failed",
            "reason": "`result` is `failed`",
        }
    ]
