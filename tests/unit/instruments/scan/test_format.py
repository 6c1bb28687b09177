"""Formats that are asked only about what may begin as they do: what that must never lose."""

import random

import pytest

from alcaide.instruments.scan.examine import formats
from alcaide.instruments.scan.format import Format, Glance, Starts
from alcaide.instruments.scan.source import Memory
from tests.corpora.models import attacks


def form(**fields):
    return Format("x", "X", fields.pop("sniff", lambda _: True), lambda *_: None, **fields)


def test_a_format_without_a_beginning_of_its_own_is_asked_about_everything():
    assert form().may_begin(b"\0\0")
    assert form().may_begin(b"a")


@pytest.mark.parametrize("asked", [form(begins=(b"PK\3\4",)), form(sniff=Starts(b"PK\3\4"))])
def test_a_format_with_one_is_asked_about_nothing_else(asked):
    assert asked.may_begin(b"PK")
    assert not asked.may_begin(b"PA")


def test_what_is_recognised_is_asked_about(tmp_path):
    """For whatever its sniff says yes to, a format must say that it may begin so: also with two bytes changed."""
    limited = [one for one in formats() if one.begins or isinstance(one.sniff, Starts)]
    chance = random.Random(4)
    for attack in attacks.all():
        attack.write(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()[:20_000]
        for begin in (data[:2], chance.randbytes(2)):
            glance = Glance(Memory(begin + data[2:]), path.name)
            for one in limited:
                if glance.size and not one.may_begin(glance.head[:2]):
                    assert not one.sniff(glance), (one.name, path.name)
