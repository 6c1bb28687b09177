"""What the guard promises whatever the detectors are: every passage, the strictest rule, Unknown is never a pass."""

from __future__ import annotations

import threading

import pytest
import yaml

from alcaide.instruments.guard import (
    Action,
    Context,
    Guard,
    Message,
    Pseudonyms,
    ToolCall,
    ToolDescription,
    ToolResult,
)
from alcaide.instruments.guard.policy import GuardPolicy, parse_policy
from alcaide.instruments.guard.registry import GuardDetector, load_detectors
from alcaide.kernel.errors import ConfigError, InvalidInput, NotFound
from tests.unit.instruments.guard import stranger

KEY = "key-abcd1234"


def a_policy(*rules: dict, detectors: dict | None = None, **others: object) -> GuardPolicy:
    document = {
        "schema": "alcaide-guard-policy/1",
        "name": "test",
        "detectors": {"codeword": None} if detectors is None else detectors,
        "rules": [dict(rule) for rule in rules],
    } | others
    return parse_policy(yaml.safe_dump(document))


def a_guard(*rules: dict, detectors: dict | None = None, **others: object) -> Guard:
    return Guard(a_policy(*rules, detectors=detectors, **others), detectors=stranger.REGISTERED)


REDACT = {"id": "keys", "detector": "codeword", "category": "secret", "action": "redact"}
BLOCK = {
    "id": "shouts",
    "detector": "codeword",
    "category": "shout",
    "action": "block",
    "message": "no shouting",
}


def test_a_clean_text_is_allowed_and_its_score_is_on_record():
    report = a_guard(REDACT).check("nothing here")

    assert report.action is Action.ALLOW
    assert report.findings == ()
    assert report.scores == {"codeword": 0.01}


def test_a_finding_says_where_it_lies_in_what_was_given():
    text = f"é — use {KEY} please"
    (finding,) = a_guard(REDACT).check(text).findings

    assert text[finding.span.start : finding.span.end] == KEY


def test_the_strictest_fitting_rule_wins_and_says_why():
    report = a_guard(REDACT, BLOCK).check(f"{KEY} fire!")

    assert report.action is Action.BLOCK
    assert set(report.decision.rules) == {"keys", "shouts"}
    assert report.decision.messages == ("no shouting",)


def test_a_finding_below_a_rules_score_is_reported_and_not_acted_on():
    report = a_guard(REDACT | {"score": 0.95}).check(KEY)

    assert report.action is Action.ALLOW
    assert len(report.findings) == 1


@pytest.mark.parametrize(
    ("rule", "context", "action"),
    [
        ({"direction": "out"}, Context(direction="in"), Action.ALLOW),
        ({"direction": ["out", "in"]}, Context(direction="in"), Action.REDACT),
        ({"data_class": "secret"}, Context(), Action.ALLOW),
        ({"data_class": "secret"}, Context(data_class="secret"), Action.REDACT),
        ({"audience": ["public"]}, Context(audience="staff"), Action.ALLOW),
        ({"audience": ["public"]}, Context(audience="public"), Action.REDACT),
        ({"kind": "tool-call"}, Context(), Action.ALLOW),
        ({"rule": "codeword/*"}, Context(), Action.REDACT),
        ({"rule": "codeword/shout"}, Context(), Action.ALLOW),
        ({"level": "note"}, Context(), Action.ALLOW),
    ],
)
def test_a_rule_fits_only_what_it_names(rule, context, action):
    assert a_guard(REDACT | rule).check(KEY, context=context).action is action


# ── Unknown ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_detector_that_fails_is_unknown_and_the_policy_says_what_that_does():
    report = a_guard(REDACT, detectors={"broken": None, "codeword": None}).check("hello")

    assert report.action is Action.HOLD
    assert [(one.detector, one.reason) for one in report.unknown] == [("broken", "failed with RuntimeError")]


def test_a_detector_that_is_not_installed_is_unknown_too():
    report = a_guard(detectors={"clairvoyance": None, "codeword": None}, unknown="block").check("hello")

    assert report.action is Action.BLOCK
    assert report.unknown[0].detector == "clairvoyance"


def test_a_rule_may_say_what_its_own_detectors_silence_does():
    rule = {"id": "r", "detector": "broken", "action": "block", "unknown": "allow"}

    assert a_guard(rule, detectors={"broken": None}).check("hello").action is Action.ALLOW


def test_a_detector_that_did_not_get_its_turn_is_unknown():
    report = a_guard(REDACT, limits={"seconds": 1e-9}).check(KEY)

    assert report.action is Action.HOLD
    assert "did not get its turn" in report.unknown[0].reason


def test_more_findings_than_the_limit_are_said_to_be_cut():
    report = a_guard(REDACT, limits={"findings": 3}).check(" ".join(f"key-{n:04}" for n in range(9)))

    assert len(report.findings) == 3
    assert report.unknown[0].detector == "findings"


def test_the_policys_unknown_never_makes_an_answer_milder():
    report = a_guard(BLOCK, detectors={"broken": None, "codeword": None}, unknown="allow").check("fire!")

    assert report.action is Action.BLOCK


@pytest.mark.parametrize(("required", "action"), [(True, Action.HOLD), (False, Action.ALLOW)])
def test_what_there_is_nothing_to_compare_with_is_unknown_only_where_it_is_required(required, action):
    guard = a_guard(detectors={"echo": {"required": required}})
    report = guard.check("that")

    assert report.action is action
    assert "echo" not in report.scores
    assert guard.check("that", context=Context(question="what?")).action is Action.ALLOW


# ── everything that can be given ──


def test_each_message_is_looked_at_in_its_own_direction():
    guard = a_guard(REDACT | {"direction": "out"})
    said = [Message("user", KEY), Message("assistant", "fine")]

    assert guard.check(said).action is Action.ALLOW
    assert guard.check([*said, Message("assistant", KEY)]).action is Action.REDACT


def test_messages_as_the_chat_apis_have_them():
    given = [
        {"role": "user", "content": [{"type": "text", "text": f"see {KEY}"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"function": {"name": "f", "arguments": f'{{"a": "{KEY}"}}'}}],
        },
    ]
    report = a_guard(REDACT).check(given)

    assert [one.where for one in report.findings] == [
        "messages/0/content/0/text",
        "messages/1/tool_calls/0/function/arguments",
    ]


def test_a_picture_is_named_as_not_looked_at():
    given = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:..."}}]}]
    report = a_guard(REDACT).check(given)

    assert report.action is Action.HOLD
    assert "`image_url`" in report.unknown[0].reason


def test_a_tool_calls_arguments_are_found_by_their_path():
    call = ToolCall("send", {"to": "me", "body": {"lines": ["hi", f"now {KEY}"], "a/b": KEY}})

    found = a_guard(REDACT).check(call).findings

    assert [(one.where, one.span.start) for one in found] == [
        ("arguments/body/lines/1", 4),
        ("arguments/body/a~1b", 0),
    ]


def test_results_and_descriptions_are_looked_at_too():
    guard = a_guard(REDACT | {"direction": "tool"})

    assert guard.check(ToolResult("search", [{"title": KEY}])).action is Action.REDACT
    assert guard.check(ToolResult("search", KEY)).action is Action.REDACT
    described = ToolDescription("search", "finds", {"properties": {"q": {"description": KEY}}})
    assert guard.check(described).findings[0].where == "schema/properties/q/description"


def test_json_deeper_than_the_bound_is_unknown_not_unread_in_silence():
    deep: object = KEY
    for _ in range(80):
        deep = [deep]
    report = a_guard(REDACT).check(ToolResult("t", deep))

    assert report.action is Action.HOLD
    assert "nested deeper" in report.unknown[0].reason


@pytest.mark.parametrize("given", [17, None, [17], [{"content": "x"}], [{"role": "user", "content": 5}]])
def test_a_shape_that_is_not_known_is_refused_with_what_to_give(given):
    with pytest.raises(InvalidInput):
        a_guard(REDACT).check(given)


def test_a_lone_surrogate_is_read_without_moving_anything():
    text = f"\ud800 {KEY} \udfff"
    (finding,) = a_guard(REDACT).check(text).findings

    assert text[finding.span.start : finding.span.end] == KEY


def test_an_exchange_detector_sees_question_and_answer():
    guard = a_guard({"id": "e", "detector": "echo", "action": "block"}, detectors={"echo": None})

    assert guard.check("what?", context=Context(question="what?")).action is Action.BLOCK
    assert guard.check("that", context=Context(question="what?")).action is Action.ALLOW


def test_the_same_thing_seen_in_two_layers_is_one_finding():
    report = a_guard(REDACT).check(f"<p>{KEY}<b></b>ef &amp; hidden</p>")

    assert len([one for one in report.findings if one.span.start == 3]) <= 2
    assert len({(one.span.start, one.span.end) for one in report.findings}) == len(report.findings)


def test_a_guard_is_shared_by_threads():
    guard = a_guard(REDACT)
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(50):
            text = f"{number} key-{number:04}"
            found = guard.check(text).findings
            if [text[f.span.start : f.span.end] for f in found] != [f"key-{number:04}"]:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ── policies ──


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "alcaide-guard-policy/9"}, "schema"),
        ({"detectors": {}}, "detectors"),
        ({"rules": [REDACT, dict(REDACT)]}, "two rules"),
        ({"rules": [REDACT | {"score": 2}]}, "score"),
        ({"rules": [REDACT | {"action": "explode"}]}, "explode"),
        ({"rules": [REDACT | {"colour": "red"}]}, "colour"),
        ({"rules": [REDACT | {"detector": "other"}]}, "other"),
        ({"limits": {"depth": 99}}, "depth"),
        ({"unknown": "maybe"}, "maybe"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_field_that_is_wrong(change, said):
    with pytest.raises(InvalidInput, match=said):
        a_policy(REDACT, **change)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "x: &a 1\ny: *a", "\x00", "a" * 300_000, "- " * 50_000])
def test_what_is_not_a_policy_is_refused_and_never_a_traceback(text):
    with pytest.raises(InvalidInput):
        parse_policy(text)


def test_an_option_that_a_detector_does_not_take_is_refused():
    with pytest.raises(InvalidInput, match="`colour`"):
        a_guard(REDACT, detectors={"codeword": {"options": {"colour": 1}}})


def test_an_option_reaches_the_detector():
    guard = a_guard(REDACT, detectors={"codeword": {"options": {"score": 0.3}}})

    assert guard.check(KEY).action is Action.ALLOW


def test_a_policy_that_is_not_there_lists_those_that_are():
    with pytest.raises(NotFound, match="default"):
        Guard("nonesuch")


def test_two_detectors_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="codeword"):
        load_detectors((stranger.REGISTERED[0], stranger.REGISTERED[0]))


def test_a_path_that_leads_nowhere_is_named():
    with pytest.raises(ConfigError, match="no_such"):
        load_detectors((GuardDetector("alcaide.instruments.guard.no_such:X"),))


# ── redaction ──


def test_a_value_keeps_its_pseudonym_through_a_conversation_and_comes_back():
    guard, names = a_guard(REDACT), Pseudonyms()
    first = guard.redact(f"a {KEY} b key-zzzz9999", pseudonyms=names)
    second = guard.redact(f"again {KEY.upper()}", pseudonyms=names)

    assert first.text == "a [SECRET_1] b [SECRET_2]"
    assert second.text == "again [SECRET_1]"
    assert guard.restore("use [SECRET_2] and [secret_1], not [SECRET_9]", names) == (
        f"use key-zzzz9999 and {KEY}, not [SECRET_9]"
    )


def test_a_token_that_the_text_already_holds_is_not_used():
    redacted = a_guard(REDACT).redact(f"[SECRET_1] is not {KEY}")

    assert redacted.text == "[SECRET_1] is not [SECRET_2]"


def test_what_may_not_come_back_leaves_no_trace():
    names = Pseudonyms()
    redacted = a_guard(REDACT | {"reversible": False}).redact(f"x {KEY}", pseudonyms=names)

    assert redacted.text == "x [SECRET]"
    assert len(names) == 0


def test_pseudonyms_survive_being_kept():
    guard, names = a_guard(REDACT), Pseudonyms()
    guard.redact(KEY, pseudonyms=names)
    again = Pseudonyms.from_json(names.to_json())

    assert guard.redact(f"{KEY} key-new00", pseudonyms=again).text == "[SECRET_1] [SECRET_2]"
    with pytest.raises(InvalidInput):
        Pseudonyms.from_json({"tokens": {"x": 1}})
