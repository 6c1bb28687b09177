from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.strict import Fields, strict_json


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": {"b": [1, {"c": 1, "c": 2}]}}', "a.b[1].c"),
        ('{"a": [NaN]}', "a[0]"),
        ('{"a": -Infinity}', "a"),
        ('{"a": 1e999}', "a"),
        ('{"a": 123456789012345678901234567890}', "a"),
        ('{"a": ["\\ud800"]}', "a[0]"),
        ('{"\\udfff": 1}', "?"),
        ('{"a": 1' + "0" * 10_000 + "}", "a"),
        ('{"a": 0.' + "1" * 10_000 + "}", "a"),
    ],
)
def test_what_parsers_disagree_about_is_refused_with_its_path(text: str, where: str) -> None:
    with pytest.raises(InvalidInput, match="`" + where.replace("[", r"\[").replace("?", r"\?") + "`"):
        strict_json(text.encode())


def test_the_same_document_without_the_disagreement_is_read() -> None:
    assert strict_json(b'{"a": {"b": [1, {"c": 1, "d": 2}]}}') == {"a": {"b": [1, {"c": 1, "d": 2}]}}


@pytest.mark.parametrize("data", [b"", b"{", b'{"a', b'{"a":', b"[1,", b'"\\', b"\xff", b"nul", b"{}x"])
def test_truncated_text_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        strict_json(data)


def test_a_byte_order_mark_is_let_pass_and_utf_16_is_named() -> None:
    assert strict_json(b"\xef\xbb\xbf{}") == {}
    with pytest.raises(InvalidInput, match="is UTF-16; save it as UTF-8"):
        strict_json('{"a": 1}'.encode("utf-16"))
    with pytest.raises(InvalidInput, match="UTF-8 at byte 6"):
        strict_json(b'{"a":"\xe9"}')


def test_nesting_beyond_the_bound_is_refused_before_it_is_parsed() -> None:
    assert strict_json(b"[" * 64 + b"]" * 64)
    for text in (b"[" * 65 + b"]" * 65, b"[" * 1_000_000, b'{"a":' * 500_000):
        with pytest.raises(TooLarge, match="nested deeper than 64 levels"):
            strict_json(text)


def test_brackets_inside_text_do_not_count_as_nesting() -> None:
    assert strict_json(b'["' + b"[{" * 1_000 + b'\\""]') == ["[{" * 1_000 + '"']


def test_size_and_count_are_bounded() -> None:
    with pytest.raises(TooLarge, match="over the limit"):
        strict_json(b" " * (64 * 2**20 + 1))
    with pytest.raises(TooLarge, match="more than 5000000 values"):
        strict_json(b"[" + b"0," * 5_000_001 + b"0]")


@pytest.mark.parametrize("text", ['"' + '\\"' * 2_000_000, '["' + "\\" * 4_000_001, '"a' * 1_000_001])
def test_text_that_never_ends_costs_one_pass(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidInput):
        strict_json(text.encode())
    assert time.process_time() - started < 5


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        strict_json(data)


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(_json, st.booleans())
def test_every_json_value_is_read_as_the_standard_library_reads_it(value: object, escaped: bool) -> None:
    data = json.dumps(value, ensure_ascii=escaped).encode()
    assert strict_json(data) == json.loads(data)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (lambda f: f.text("n"), "`at.n` must be text, not a number"),
        (lambda f: f.text("b"), "`at.b` must be text, not true or false"),
        (lambda f: f.flag("n"), "`at.n` must be true or false, not a number"),
        (lambda f: f.number("b"), "`at.b` must be a number, not true or false"),
        (lambda f: f.whole("f"), "`at.f` must be a whole number"),
        (lambda f: f.object("l"), "`at.l` must be an object, not a list"),
        (lambda f: list(f.objects("l")), r"`at.l\[0\]` must be an object, not text"),
        (lambda f: f.texts("t"), r"`at.t\[1\]` must be text, not a number"),
        (lambda f: f.items("o"), "`at.o` must be a list, not an object"),
        (lambda f: f.text("long", limit=5), "`at.long` has 6 characters, over the limit of 5"),
        (lambda f: f.items("t", limit=1), "`at.t` has 2 entries, over the limit of 1"),
        (lambda f: f.text("control"), "`at.control` holds control characters"),
        (lambda f: f.needed("absent"), "`at.absent` is missing"),
    ],
)
def test_a_member_of_the_wrong_type_is_named_by_path(read: object, why: str) -> None:
    values = {
        "n": 1,
        "b": True,
        "f": 1.5,
        "l": ["x"],
        "t": ["x", 1],
        "o": {},
        "long": "abcdef",
        "control": "a\x00b",
    }
    with pytest.raises(InvalidInput, match=why):
        read(Fields(values, "at"))  # type: ignore[operator]


def test_missing_and_null_are_the_same() -> None:
    fields = Fields({"a": None})
    assert (fields.text("a"), fields.flag("a"), fields.items("b"), fields.object("a").values) == (
        "",
        None,
        [],
        {},
    )
