"""Whatever the bytes are: a report, no fault of ours, and never a pass for what was not read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcaide.instruments.scan.data import scan_data
from alcaide.instruments.scan.data.provenance import card_of
from alcaide.instruments.scan.data.sources.encodings import sniff_encoding
from alcaide.instruments.scan.data.tokens import corpus_of, words_of
from tests.unit.instruments.scan.data.builders import found

PIECES = st.sampled_from(
    [bytes([byte]) for byte in b'",\n\r;\t{}[]:\\\0\xff\xfea10']
    + [
        b"1.5",
        b'{"a": 1}\n',
        b'{"a": [{"role": "user", "content": null}]}\n',
        b"PAR1",
        b"\xc3\xa4",
        b"NaN",
        b"1e999",
    ]
)
BYTES = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=60).map(b"".join))


@settings(max_examples=40, deadline=None)
@given(
    data=BYTES, name=st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.txt", "a.parquet", "a.npy", "a.db"])
)
def test_any_bytes_make_a_report_without_a_fault(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("hostile") / name
    path.write_bytes(data)
    report = scan_data(path)

    faults = [one.detail for one in report.findings if one.rule == "data/fault"]
    assert faults == []
    assert report.rows or report.outcome != "passed"


@settings(max_examples=25, deadline=None)
@given(
    columns=st.dictionaries(
        st.text(max_size=8),
        st.lists(
            st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=20), st.booleans()),
            min_size=25,
            max_size=25,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_columns_make_a_report_without_a_fault(columns: dict[str, list[object]]) -> None:
    assert "data/fault" not in found(scan_data(columns))


@given(st.binary(max_size=400))
def test_an_encoding_that_decodes_is_named(head: bytes) -> None:
    name, _ = sniff_encoding(head)

    assert isinstance(head.decode(name, "replace"), str)


@given(st.lists(st.text(max_size=40), max_size=8))
def test_words_are_numbered_without_loss(texts: list[str]) -> None:
    corpus = corpus_of(texts)

    for index, text in enumerate(texts):
        ids = corpus.ids[corpus.starts[index] : corpus.starts[index + 1]]
        assert [corpus.vocabulary[one] for one in ids] == words_of(text)


@given(
    st.recursive(
        st.none() | st.text(max_size=9) | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=9,
    ).filter(lambda value: isinstance(value, dict))
)
def test_any_card_is_read(given_card: dict[str, object]) -> None:
    card_of(None, given_card)
