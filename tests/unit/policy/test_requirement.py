"""The language as people write it: what is taken, and what a mistake is told."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.policy.builders import a_requirement

from alcaide.kernel.errors import AlcaideError, TooLarge
from alcaide.kernel.policy.requirement import Selector, predicate_type_of, read_requirements, selects
from alcaide.kernel.policy.source import PolicyInvalid, read_yaml


def read(text: str) -> object:
    return read_requirements(read_yaml(dedent(text), "gates.yaml"))


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_short_requirement_means_the_careful_thing() -> None:
    requirement = a_requirement(evidence="attested")

    assert requirement.evidence == ("urn:alcaide:attested:v1",)
    assert requirement.about == "this"
    assert requirement.bound_to == "name"
    assert requirement.only_latest
    assert requirement.takes_from("urn:alcaide:attested:v1") == "here"
    assert requirement.takes_from("https://slsa.dev/provenance/v1") == "anywhere"


def test_evidence_about_components_is_bound_to_their_digest() -> None:
    assert a_requirement(about="components").bound_to == "digest"
    assert a_requirement(about={"deployed": {"kind": ["model"]}}).bound_to == "digest"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("attested", "urn:alcaide:attested:v1"),
        ("suite-run:v2", "urn:alcaide:suite-run:v2"),
        ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v1"),
        ("urn:example:thing", "urn:example:thing"),
    ],
)
def test_a_short_name_is_one_of_our_own_kinds_and_a_uri_is_itself(name: str, full: str) -> None:
    assert predicate_type_of(name) == full


def test_durations_are_read() -> None:
    fresh = a_requirement(fresh={"within": "12h", "at": "scan.finished"}).fresh
    assert fresh is not None
    assert (fresh.within, fresh.at) == (timedelta(hours=12), "scan.finished")


def test_a_mistake_is_told_with_file_line_path_and_what_to_do() -> None:
    found = problems(
        """\
        - id: fine
          title: Fine
          evidence: attested
        - id: Not Fine
          titel: typo
          evidence: attested
          fresh: sometimes
        """
    )

    assert found == [
        "gates.yaml:4: `[1]` lacks `title`; add it",
        found[1],
        (
            "gates.yaml:4: `[1].id` `Not Fine` does not fit: write lower-case words joined by hyphens, "
            "like `model-is-signed`"
        ),
        (
            "gates.yaml:7: `[1].fresh` `sometimes` does not fit: write a duration like `30d`, or "
            "`{within: 30d, at: scanned_at}` where the time stands in another field"
        ),
    ]
    assert "`titel` is not known here; use one of" in found[1]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("where: 'predicate.x =='", "is not a CEL expression"),
        (
            "where: 'system.x == 1'",
            "`system` is not known; a condition sees only predicate, subject, statement",
        ),
        ("where: '[1, 2].map(x, x * 2) == []'", "`map` is not taken"),
        ("fresh: 0d", "`0d` is no time at all"),
        ("outcome: {field: a, passed: [x], failed: [x]}", "`x` is both passed and failed"),
        ("outcome: green", "`green` does not fit: write `judged`"),
        ("about: everything", "`everything` does not fit: write `this`"),
        ("count: 0", "`0` does not fit: write a whole number"),
        ("match: most", "`most` is not one of all, any; pick one"),
        ("only_latest: 1", "`1` must be true or false"),
        ("evidence: Attested!", "does not fit: name a predicate"),
    ],
)
def test_each_part_is_checked(part: str, told: str) -> None:
    lines = ["- id: x", "  title: X", f"  {part}"]
    if not part.startswith("evidence"):
        lines.append("  evidence: attested")

    (found,) = problems("\n".join(lines))

    assert told in found
    assert found.startswith("gates.yaml:3: ")


def test_the_same_id_twice_is_refused() -> None:
    (found,) = problems("[{id: x, title: X, evidence: a}, {id: x, title: Y, evidence: b}]")
    assert "`x` is taken by an earlier one; rename it" in found


@pytest.mark.parametrize("text", ["", "[]", "requirements: []", "hello", "requirements: 3"])
def test_no_requirement_at_all_is_refused(text: str) -> None:
    assert "must be a list of requirements, and not an empty one" in problems(text)[0]


def test_a_key_that_stands_there_twice_is_refused_on_its_line() -> None:
    (found,) = problems("- id: a\n  title: A\n  id: b\n  evidence: x\n")
    assert found == "gates.yaml:3: `[0].id` is there twice; keep one of the two"


def test_aliases_are_refused_before_they_unfold() -> None:
    (found,) = problems("a: &a [x, x]\nb: [*a, *a]\n")
    assert found.startswith("gates.yaml:1:")
    assert "anchors and aliases are not taken" in found


def test_tags_cannot_construct_anything() -> None:
    (found,) = problems("- !!python/object/apply:os.system [true]\n")
    assert found.startswith("gates.yaml:1:")


def test_deep_and_huge_documents_are_refused() -> None:
    with pytest.raises(TooLarge, match="nested deeper than"):
        read("[" * 5000)
    with pytest.raises(TooLarge, match="characters"):
        read("# " + "x" * 300_000)


def test_words_that_old_yaml_takes_for_booleans_and_dates_stay_words() -> None:
    source = read_yaml("{a: no, b: on, c: 2026-01-01, d: 012, e: true, f: null, g: 1.5}", "x.yaml")
    assert source.value == {
        "a": "no", "b": "on", "c": "2026-01-01", "d": "012", "e": True, "f": None, "g": 1.5,
    }  # fmt: skip


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused_with_a_message(text: str) -> None:
    with suppress(AlcaideError):
        read(text)


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        (Selector(), True),
        (Selector(kinds=("model",)), True),
        (Selector(kinds=("dataset", "prompt")), False),
        (Selector(name="scor*"), True),
        (Selector(name="model:scorer"), True),
        (Selector(name="model:scorer@3"), True),
        (Selector(name="model:scorer@4"), False),
        (Selector(tag="credit"), True),
        (Selector(tag="Credit"), False),
        (Selector(environment="production", kinds=("model",)), True),
        (Selector(environment="test"), False),
    ],
)
def test_a_selector_means_what_fits_all_its_parts(selector: Selector, meant: bool) -> None:
    fits = selects(
        selector, kind="model", name="model:scorer@3", tags=("credit",), environments=("production",)
    )
    assert fits is meant
