"""What a pickle does is told, whatever road its opcodes take."""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict

import pytest

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.policy import Allowance, ScanPolicy
from alcaide.instruments.scan.source import Memory
from tests.unit.instruments.scan.pickles.programs import (
    call,
    found,
    long_bytes,
    look,
    messages,
    named,
    stacked,
    stream,
    text,
    worst,
)

SYSTEM = named("os", "system")
PLAIN = {
    "weights": [0.5, 1, None, True, b"x" * 400, "y" * 5_000],
    "shape": (3, 4),
    "tags": {"a"},
    "n": 10**50,
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_of_every_protocol_is_clean(protocol: int):
    artifact = look(pickle.dumps([PLAIN, OrderedDict(a=1)], protocol=protocol), "x.bin")

    assert "pickle" in artifact.node.formats
    assert not artifact.findings


def test_a_call_is_named_with_its_arguments():
    said = messages(stream(call(SYSTEM, text("touch x"))))

    assert "calls `os.system` with `'touch x'`: it starts programs" in said


def test_a_name_that_is_only_fetched_is_said_to_be_fetched():
    assert "fetches `os.system`" in messages(stream(SYSTEM))


def test_what_was_done_before_the_stream_broke_was_done():
    findings = found(stream(call(SYSTEM, text("x")))[:-1] + b"\xff\xff")

    assert [finding.rule for finding in findings] == ["pickle/dangerous-callable", "scan/malformed"]


def test_what_was_done_before_the_stream_ended_was_done():
    findings = found(stream(call(SYSTEM, text("x")))[:-1])

    assert [finding.rule for finding in findings] == ["pickle/dangerous-callable", "scan/truncated"]


def test_nothing_is_done_by_a_stream_that_breaks_first():
    findings = found(b"\x80\x04" + text("os") + b"0000" + call(SYSTEM, text("x")) + b".")

    assert [finding.rule for finding in findings] == ["scan/malformed"]


def test_a_second_pickle_after_stop_is_read():
    assert worst(pickle.dumps(1) + stream(call(SYSTEM, text("x")))) is Level.CRITICAL


def test_a_pickle_hidden_in_bytes_after_stop_is_found():
    assert worst(pickle.dumps(1) + b"padding \x80\x04" + call(SYSTEM, text("x")) + b".") is Level.CRITICAL


def test_bytes_after_stop_that_are_nothing_are_hygiene():
    assert worst(pickle.dumps([1, 2]) + b"\x01\x02\x03 leftovers") is Level.LOW


def test_white_space_after_stop_is_nothing():
    assert worst(pickle.dumps([1, 2], protocol=0) + b"\n\n") is None


def test_a_name_from_the_memo_of_a_loop_is_followed():
    kept = text("os") + b"\x94" + b"0" + text("system") + b"\x94" + b"0"

    assert worst(stream(kept, b"h\x00h\x01\x93", b"(" + text("x") + b"tR")) is Level.CRITICAL


def test_a_name_nobody_can_compute_is_not_decided():
    computed = call(named("uuid", "UUID"), text("x"))
    finding = found(stream(computed, text("system"), b"\x93"))[0]

    assert (finding.rule, finding.level) == ("pickle/computed-name", Level.MEDIUM)


def test_an_unlisted_class_that_is_only_made_is_not_decided():
    finding = found(stream(stacked("my_models.net", "Net"), b")\x81"))[0]

    assert (finding.rule, finding.level) == ("pickle/unlisted-callable", Level.MEDIUM)


def test_a_call_into_a_library_that_nobody_knows_is_critical():
    assert worst(stream(call(stacked("my_models.net", "Net")))) is Level.CRITICAL


def test_an_allowance_holds_for_its_digest_and_no_other():
    data = stream(call(SYSTEM, text("x")))
    policy = ScanPolicy(allowances=(Allowance("os.system", "a" * 64, "it is a test", "me"),))

    allowed = look(data, policy=policy, sha256="a" * 64).findings
    other = look(data, policy=policy, sha256="b" * 64).findings

    assert [(finding.rule, finding.level) for finding in allowed] == [("pickle/allowed-callable", Level.LOW)]
    assert other[0].level is Level.CRITICAL


def test_extension_codes_are_only_known_to_the_loader():
    assert found(stream(b"\x82\x07"))[0].rule == "pickle/extension"


def test_build_on_a_class_changes_the_program():
    planted = named("argparse", "Namespace") + b"}" + text("x") + b"K\x01sb"

    assert found(stream(planted))[0].rule == "pickle/patches"


def test_setting_a_method_of_an_instance_is_said():
    instance = named("argparse", "Namespace") + b")\x81"
    planted = b"}" + text("append") + named("collections", "OrderedDict") + b"sb"

    assert found(stream(instance, planted))[0].rule == "pickle/planted-method"


def test_plain_state_is_nothing():
    instance = named("argparse", "Namespace") + b")\x81"

    assert worst(stream(instance, b"}" + text("learning_rate") + b"K\x01sb")) is None


def test_a_partial_may_not_change_its_function():
    made = call(named("functools", "partial"), named("builtins", "len"))
    changed = b"(" + named("builtins", "abs") + b")}Ntb"

    assert "replaced by `builtins.abs`" in messages(stream(made, changed))


def test_a_scipy_distribution_may_not_bring_its_own_template():
    made = (
        named("scipy.stats._distn_infrastructure", "rv_continuous") + b")\x81}" + text("_parse_arg_template")
    )
    honest = "def _parse_args(self,  loc=0, scale=1):\n    return (), loc, scale\n"

    assert worst(stream(made, text(honest), b"sb")) is None
    assert worst(stream(made, text("print(1)"), b"sb")) is Level.CRITICAL


@pytest.mark.parametrize(
    "written", ["text to read.\n", "Is this a model? No.\n", "(c) 2026\n", "I\n", "N.B. this\n", "]\n", "{}"]
)
def test_text_is_no_pickle_by_accident(written: str):
    assert "pickle" not in look(written.encode(), "notes.txt").node.formats


def test_a_memo_number_of_billions_costs_nothing_and_is_said():
    data = stream(b"K\x01r" + struct.pack("<I", 2**31))

    assert found(data)[0].rule == "pickle/memo-bomb"


class _Huge:
    """A pickle of a gigabyte, of which only the ends exist."""

    def __init__(self, head: bytes, hole: int, tail: bytes) -> None:
        self._head, self._hole, self._tail = head, hole, tail
        self.size = len(head) + hole + len(tail)
        self.read_bytes = 0

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        self.read_bytes += length
        view = bytearray(length)
        for start, part in ((0, self._head), (len(self._head) + self._hole, self._tail)):
            low, high = max(offset, start), min(offset + length, start + len(part))
            if low < high:
                view[low - offset : high - offset] = part[low - start : high - start]
        return bytes(view)


def test_a_gigabyte_of_payload_is_skipped():
    source = _Huge(b"\x80\x04" + long_bytes(1 << 30), 1 << 30, b"0" + call(SYSTEM, text("x")) + b".")

    artifact = examine_artifact(source, "huge.pkl")

    assert artifact.findings[0].rule == "pickle/dangerous-callable"
    assert source.read_bytes < 8 << 20


def test_a_length_that_lies_is_truncation_not_memory():
    assert found(b"\x80\x04" + long_bytes(1 << 60) + b"abc.")[0].rule == "scan/truncated"


def test_a_million_opcodes_of_nothing_end():
    assert worst(b"\x80\x02" + b"N0" * 500_000 + call(SYSTEM, text("x")) + b".") is Level.CRITICAL


def test_deep_nesting_is_no_recursion():
    data = b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b"."

    assert "scan/fault" not in {finding.rule for finding in found(data)}


def test_a_tree_of_calls_out_of_few_bytes_ends():
    """`map` over a `partial` of `map` over …: each level has twenty times the calls of the one above."""
    items = b"](" + b"K\x01" * 20 + b"e"
    function = named("builtins", "len")
    for _ in range(15):
        function = call(named("functools", "partial"), named("builtins", "map"), function)
    artifact = look(stream(call(named("builtins", "map"), function, b"](" + items * 20 + b"e")))

    assert artifact.findings[0].level is Level.CRITICAL


def test_text_that_doubles_without_end_is_not_held():
    double = named("operator", "add") + b"h\x00h\x00\x86Rq\x00"
    artifact = look(stream(text("x" * 200) + b"q\x00", double * 60, SYSTEM))

    assert "pickle/dangerous-callable" in {finding.rule for finding in artifact.findings}


def test_self_containing_lists_end():
    knot = b"]\x94h\x00a" * 50

    assert "scan/fault" not in {finding.rule for finding in found(stream(knot, call(SYSTEM, b"h\x00")))}


def test_a_nested_pickle_is_looked_at_where_it_lies():
    inner = stream(call(SYSTEM, text("x")))
    outer = stream(call(named("pickle", "loads"), b"C" + bytes([len(inner)]) + inner))
    artifact = look(outer)

    assert any(finding.place == "pickle in pickle" for finding in artifact.findings)


def test_the_call_graph_is_a_fact():
    artifact = look(pickle.dumps(OrderedDict(a=1), protocol=4))

    (called,) = artifact.node.facts["calls"]
    assert (called["callable"], called["how"], called["verdict"]) == (
        "collections.OrderedDict",
        "reduce",
        "allowed",
    )


def test_stream_of_pickles_counts_them():
    buffer = io.BytesIO()
    for number in range(5):
        pickle.dump(number, buffer)

    assert examine_artifact(Memory(buffer.getvalue()), "x").node.facts["pickles"] == 5
