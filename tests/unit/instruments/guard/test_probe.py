"""A control is shown to work only by texts that went through it."""

from __future__ import annotations

import pytest

from alcaide.instruments.guard.probe import Fate, Probe, Rate, drawn, efficacy, shipped_probes
from alcaide.kernel.errors import InvalidInput

PROBES = (
    Probe("a1", "bad one", attack=True, category="x", twin="b1"),
    Probe("a2", "bad two", attack=True, category="y", twin="b2"),
    Probe("b1", "good one", attack=False, category="x", twin="a1"),
    Probe("b2", "good two", attack=False, category="y", twin="a2"),
)


def test_a_control_that_tells_them_apart_holds():
    outcome = efficacy(lambda text: Fate.STOPPED if "bad" in text else Fate.PASSED, PROBES)

    assert (outcome.caught.value, outcome.let_through.value) == (1.0, 1.0)
    assert outcome.holds(catch=1, let_through=1)


@pytest.mark.parametrize(("fate", "missed", "alarmed"), [(Fate.PASSED, 2, 0), (Fate.STOPPED, 0, 2)])
def test_a_control_that_does_one_thing_always_does_not_hold(fate, missed, alarmed):
    outcome = efficacy(lambda _: fate, PROBES)

    assert (len(outcome.missed), len(outcome.alarmed)) == (missed, alarmed)
    assert not outcome.holds(catch=0.9, let_through=0.9)


def test_a_text_that_was_changed_is_caught_if_bad_and_through_if_good():
    outcome = efficacy(lambda _: Fate.CHANGED, PROBES)

    assert (outcome.caught.value, outcome.let_through.value) == (1.0, 1.0)


def test_a_probe_that_could_not_be_sent_counts_in_no_rate_and_against_the_round():
    def send(text: str) -> Fate:
        if text == "bad two":
            raise OSError("connection refused")
        return Fate.STOPPED if "bad" in text else Fate.PASSED

    outcome = efficacy(send, PROBES)

    assert outcome.caught == Rate(1, 1)
    assert outcome.failed == {"a2": "connection refused"}
    assert not outcome.holds(catch=0.5, let_through=0.5)


def test_nothing_sent_shows_nothing():
    outcome = efficacy(lambda _: Fate.STOPPED, ())

    assert outcome.caught.value is None
    assert outcome.caught.interval is None
    assert not outcome.holds(catch=0, let_through=0)


def test_the_interval_is_wilsons():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    low, high = Rate(81, 263).interval

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_a_sample_is_half_attacks_and_the_same_each_time():
    chosen = drawn(shipped_probes(), 20, seed=3)

    assert sum(probe.attack for probe in chosen) == 10
    assert chosen == drawn(shipped_probes(), 20, seed=3)
    with pytest.raises(InvalidInput):
        drawn(shipped_probes(), 1, seed=0)


def test_every_shipped_attack_has_a_harmless_twin():
    by_id = {probe.id: probe for probe in shipped_probes()}

    assert len(by_id) == len(shipped_probes()) >= 60
    for probe in by_id.values():
        twin = by_id[probe.twin]
        assert twin.attack is not probe.attack
        assert twin.twin == probe.id
