"""Canonical JSON has one answer on both of its paths, and strict JSON believes nobody."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence import canonical, strict_json

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | SAFE | TEXT | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_both_paths_give_the_bytes_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(VALUES)
def test_canonical_is_what_it_reads_back(value: Any) -> None:
    once = canonical(value)
    assert canonical(strict_json(once)) == once


def test_keys_sort_by_utf_16_beyond_the_basic_plane() -> None:
    # RFC 8785 §3.2.3: U+FB33 sorts after U+1F600, whose first UTF-16 unit is D83D.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        2**53,
        -(2**60),
        {1: 2},
        {"a": object()},
        b"bytes",
        "\ud800",
        {"\ud800": 1},
        {1, 2},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical(value)


def test_depth_is_bounded_both_ways() -> None:
    deep: Any = None
    for _ in range(70):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested deeper"):
        canonical(deep)
    for text in (b"[" * 100_000, b'{"a":' * 70 + b"1" + b"}" * 70):
        with pytest.raises(TooLarge):
            strict_json(text)


def test_brackets_in_strings_are_not_depth() -> None:
    text = json.dumps(["[" * 500, '\\"{' * 100]).encode()
    assert strict_json(text)[0] == "[" * 500


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a":1,"a":2}', "appears twice"),
        (b'{"a":{"b":1,"b":1}}', "appears twice"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"1" * 5000, "cannot be read"),
    ],
)
def test_strict_json_says_what_is_wrong(text: bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        strict_json(text)


@given(st.binary(max_size=200))
def test_strict_json_raises_nothing_but_its_own(data: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        strict_json(data)


def test_size_is_bounded() -> None:
    with pytest.raises(TooLarge, match="over the limit"):
        strict_json(b" " * 11, max_bytes=10)


def test_half_a_character_is_refused_and_a_whole_one_is_not():
    assert strict_json(b'{"\\ud83d\\udea2": "\\ud83d\\udea2"}') == {"\U0001f6a2": "\U0001f6a2"}
    for half in (
        b'"\\ud83d"',
        b'{"a": ["\\uDEA2\\ud83d"]}',
        b'{"\\ud800": 1}',
        b'{"\\ud800": 1, "\\ud800": 2}',
    ):
        with pytest.raises(InvalidInput) as refused:
            strict_json(half)
        str(refused.value).encode()
