"""Is a regular expression safe to run on a backtracking engine?

The catastrophe of backtracking needs two ways to match the same characters: a repeat within a repeat, or neighbours
that can trade characters. `plainly_linear` says yes only of shapes where a look at the parse tree shows neither; the
answer no costs a little speed, since such a pattern runs on RE2 instead.

Source of the criterion: Weideman et al., "Analyzing Matching Time Behavior of Backtracking Regular Expression
Matchers by Using Ambiguity of NFA" (CIAA 2016); this is a conservative sufficient condition of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_LONG = 8
"""A repeat of at most this many rounds multiplies the work by a constant only."""


@lru_cache(maxsize=4096)
def plainly_linear(regex: str) -> bool:
    """Whether `regex` cannot take more than a small constant times linear time on a backtracking engine.

    Within one sequence at most one unbounded or long repeat may be open-ended against its follower: two long repeats
    that could match a common character make the work quadratic, a long repeat inside another exponential.
    """
    try:
        tree = parser.parse(regex)
    except (re.error, RecursionError, OverflowError):
        return False
    return _long_repeats(tree, nested=False) <= 1


def _long_repeats(items: Any, *, nested: bool) -> int:
    """How many long repeats one path through `items` can meet; 99 for a shape that is not plainly safe."""
    count = 0
    for kind, argument in items:
        if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, high, body = argument
            inner = _long_repeats(body, nested=nested or high > 1)
            long = high > _LONG or high is op.MAXREPEAT
            if long and low == high:
                # An exact count leaves no choice.
                long = False
            if inner and high > 1:
                return 99
            if long and (nested or not _single(body)):
                return 99
            count += inner + int(long)
        elif kind is op.SUBPATTERN:
            count += _long_repeats(argument[-1], nested=nested)
        elif kind is op.BRANCH:
            count += max(_long_repeats(branch, nested=nested) for branch in argument[1])
        elif kind in (op.GROUPREF, op.ASSERT, op.ASSERT_NOT, op.GROUPREF_EXISTS):
            return 99
    return count


def _single(body: Any) -> bool:
    """Whether a repeat's body is one character class, so that a round takes exactly one character."""
    return len(body) == 1 and body[0][0] in (op.IN, op.LITERAL, op.NOT_LITERAL, op.ANY)
