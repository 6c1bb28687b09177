"""Every row of the tables of formats: well made, found where people put keys, silent on its likeness."""

from __future__ import annotations

import re
from random import Random

import pytest
import re2

from alcaide.instruments.guard.detectors.secrets.checks import CHECKS
from alcaide.instruments.guard.detectors.secrets.formats import (
    FORMATS,
    Format,
    ai,
    business,
    cloud,
    code,
    data,
    delivery,
    identity,
    messaging,
    observability,
    payments,
)
from tests.unit.instruments.guard.secrets.examples import example, matched
from tests.unit.instruments.guard.secrets.looking import look, secrets_of

MODULES = (ai, business, cloud, code, data, delivery, identity, messaging, observability, payments)
SHIPPED_BELOW = {"twilio-account-sid"}
"""Identifiers told for the record, which no policy should act on alone."""
NOT_ALWAYS = {"netlify-legacy-token", "travis-token", "kraken-token"}
"""Formats of letters and punctuation so wide that some examples look like words or break in two."""


def test_the_tables_hold_at_least_two_hundred_providers():
    assert len({row.provider for row in FORMATS}) >= 200


def test_identifiers_are_unique():
    assert len({row.id for row in FORMATS}) == len(FORMATS)


def test_every_pattern_is_readable_by_both_engines():
    for row in FORMATS:
        assert re.compile(row.regex), row.id
        assert re2.compile(row.regex), row.id


def test_every_anchor_is_lower_case_and_long_enough_to_be_rare():
    short = {
        row.id: anchor
        for row in FORMATS
        for anchor in row.anchors
        if len(anchor) < 3 or anchor != anchor.lower()
    }
    # Entra's mark is two characters, but a rare two.
    assert short == {"azure-ad-client-secret": "q~"}


def test_every_row_can_be_recognised_by_something():
    for row in FORMATS:
        assert not (row.anchors and row.near), row.id
        assert row.check is None or row.check in CHECKS, row.id
        assert 0.3 < row.score < 1, row.id


def places(row: Format, key: str) -> list[str]:
    if row.near:
        name = re.sub("[^a-z0-9]", "_", row.near[0]).upper()
        return [
            f"{name}_API_KEY={key}\n",
            f'{{"{row.near[0]}": {{"secret": "{key}"}}}}',
            f"My {row.near[0]} token is {key}, why does it fail?",
        ]
    return [
        f'x = "{key}"\n',
        f'curl -H "X: {key}" https://host/',
        f"see {key}.",
        f"a\n{key}\nb",
        f'["{key}","b"]',
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_an_example_of_every_format_is_found_whole_wherever_it_stands(module):
    random = Random(20261125)
    missed: list[tuple[str, str]] = []
    tried = 0
    for row in module.FORMATS:
        if row.id in SHIPPED_BELOW | NOT_ALWAYS:
            continue
        for _ in range(2):
            text = matched(row, random)
            secret = re.fullmatch(row.regex, text)
            assert secret is not None, row.id
            wanted = secret["secret"] if "secret" in secret.re.groupindex else text
            tried += len(places(row, text))
            missed.extend(
                (row.id, place.replace(text, "…"))
                for place in places(row, text)
                if not any(wanted in found or found in wanted for found in secrets_of(place))
            )
    # One example in some hundreds spells something like words.
    assert len(missed) <= tried * 0.01, missed


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rsplit(".", 1)[-1])
def test_nothing_is_found_where_a_variable_stands_for_the_key(module):
    for row in module.FORMATS:
        for stand_in in ("${SECRET}", "{{ secret }}", "<your key>", "os.environ['KEY']"):
            name = (row.near or row.anchors or (row.id,))[0].strip("-_.:/= ")
            assert secrets_of(f"{name}: {stand_in}") == [], row.id


def test_a_key_within_a_longer_run_of_letters_is_none():
    row = next(row for row in FORMATS if row.id == "google-api-key")
    key = example(row, Random(1))
    assert secrets_of(f"x = {key}")
    assert not look(f"x = abc{key}def").findings
