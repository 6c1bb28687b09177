"""Conditions over one statement, in CEL, kept harmless.

A condition sees three variables and nothing else: `predicate` (what is said), `subject` (name and digest it
is said of) and `statement` (predicate type, all subjects, who signed, whether it is foreign). No clock and no
functions of ours are given, so equal evidence gives equal answers for ever.

What a caller may rely on:

- `compile_condition` refuses what cannot be evaluated safely, with a sentence for the author of the policy.
- `holds` returns True, False, or `Undecided(reason)`; it raises nothing. A missing field, a comparison of
  unlike types and a result that is not a boolean are all Undecided, which a requirement turns into Unknown.
- Evaluation is bounded. Evidence may come from a stranger and be large, so the cost of nested loops over it
  is estimated first and refused when it is over `MAX_STEPS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from alcaide.kernel.errors import InvalidInput

VARIABLES = ("predicate", "subject", "statement")
MAX_CHARACTERS = 1000
MAX_NESTING = 40
"""Brackets deeper than this are no condition a person wrote."""
MAX_STEPS = 2_000_000
"""Some 0.4 µs a step were measured with common-expression-language 0.10, so at most about a second."""

_STRING = re.compile(
    r"""[rRbB]{0,2}('''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", re.DOTALL
)
_MACRO = re.compile(r"\.\s*(all|exists|exists_one|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_MEMBER_TEST = re.compile(r"\bin\b\s*(?=[A-Za-z_(])")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Undecided:
    """The condition has no answer for this statement, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. `loops` is how many nested passes over the evidence it may make, at worst."""

    text: str
    loops: int

    def holds(
        self, *, predicate: Mapping[str, Any], subject: Mapping[str, Any], statement: Mapping[str, Any]
    ) -> bool | Undecided:
        """Whether the condition holds of one statement and one of its subjects."""
        seen = {"predicate": plain(predicate), "subject": plain(subject), "statement": plain(statement)}
        if self.loops > 1 and _size(seen) ** self.loops > MAX_STEPS:
            return Undecided(
                f"`{self.text}` would loop {self.loops} times over evidence of {_size(seen)} parts, "
                "which is too much"
            )
        try:
            answer = _program(self.text).execute(seen)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as problem:  # noqa: BLE001 - the library's panics are not Exceptions; see the docstring
            return Undecided(f"`{self.text}` cannot be evaluated: {_cause(problem)}")
        if answer is True or answer is False:
            return bool(answer)
        return Undecided(f"`{self.text}` gives `{str(answer)[:40]}`, which is neither true nor false")


@lru_cache(maxsize=1024)
def compile_condition(text: str) -> Condition:
    """Check and compile a condition. Raises InvalidInput with what is wrong and what to write instead."""
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(f"has {len(text)} characters, over the limit of {MAX_CHARACTERS}; shorten it")
    bare = _STRING.sub(lambda found: '"' + "_" * (len(found.group()) - 2) + '"', text)
    if _deepest(bare) > MAX_NESTING:
        raise InvalidInput(
            f"is nested deeper than {MAX_NESTING} brackets; split it into several requirements"
        )
    loops = list(_loops(bare))
    if any(loop.kind == "map" for loop in loops):
        # Repeated `map` can double a value at every step; no question with a yes or no for an answer needs
        # it.
        raise InvalidInput("`map` is not taken here; ask with `all`, `exists` or `size(x.filter(…))`")
    try:
        program = _program(text)
        used = program.variables()
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as problem:  # noqa: BLE001 - see `holds`
        raise InvalidInput(f"`{text[:80]}` is not a CEL expression: {_cause(problem)}; correct it") from None
    bound = {loop.variable for loop in loops}
    unknown = [name for name in used if name not in VARIABLES and name not in bound]
    if unknown:
        raise InvalidInput(f"`{unknown[0][:40]}` is not known; a condition sees only {', '.join(VARIABLES)}")
    return Condition(text, max((loop.passes for loop in loops), default=0))


def plain(value: Any) -> Any:
    """A value made of dict and list alone, as the library wants them."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


@lru_cache(maxsize=1024)
def _program(text: str) -> Any:
    import cel

    return cel.compile(text)


@dataclass(frozen=True, slots=True)
class _Loop:
    kind: str
    variable: str
    start: int
    end: int
    passes: int


def _loops(bare: str) -> Iterator[_Loop]:
    """Every loop of an expression without its strings, with how many passes are nested at it.

    A loop over a part of what the loop around it is at (`runs.all(r, r.results.all(x, …))`) visits every part
    once and costs no further pass; a loop over anything else inside a loop multiplies.
    """
    found: list[_Loop] = []
    starts = [
        (m.start(), m.group(1), m.group(2), _root_before(bare, m.start())) for m in _MACRO.finditer(bare)
    ]
    starts += [(m.start(), "in", "", _word_at(bare, m.end())) for m in _MEMBER_TEST.finditer(bare)]
    for start, kind, variable, root in sorted(starts):
        around = [loop for loop in found if loop.start < start < loop.end]
        nearest = around[-1] if around else None
        passes = 1 if nearest is None else nearest.passes + (0 if root and root == nearest.variable else 1)
        end = _closing(bare, bare.index("(", start)) if kind != "in" else start
        loop = _Loop(kind, variable, start, end, passes)
        found.append(loop)
        yield loop


def _root_before(bare: str, dot: int) -> str:
    """The first name of the chain that ends at `dot`: `r` for `r.results[0].all(`."""
    position = dot
    while position > 0:
        before = bare[position - 1]
        if before in ")]":
            position = _opening(bare, position - 1)
        elif before.isalnum() or before in "_. ":
            position -= 1
        else:
            break
    return _word_at(bare, position)


def _word_at(bare: str, position: int) -> str:
    found = _WORD.match(bare[position:].lstrip())
    return found.group() if found else ""


def _closing(bare: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(bare)):
        depth += (bare[position] in "([{") - (bare[position] in ")]}")
        if depth == 0:
            return position
    return len(bare)


def _opening(bare: str, closing: int) -> int:
    depth = 0
    for position in range(closing, -1, -1):
        depth += (bare[position] in ")]}") - (bare[position] in "([{")
        if depth == 0:
            return position
    return 0


def _deepest(bare: str) -> int:
    depth = deepest = 0
    for character in bare:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _size(value: Any) -> int:
    """How many parts a value has, counting itself; stops counting where the answer is clear."""
    count = 0
    waiting = [value]
    while waiting and count <= MAX_STEPS:
        part = waiting.pop()
        count += 1
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return count


def _cause(problem: BaseException) -> str:
    if isinstance(problem, KeyError):
        return f"there is no field `{problem.args[0] if problem.args else '?'}`; guard it with has()"
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()] or [type(problem).__name__]
    text = lines[0]
    if "ERROR:" in str(problem):
        text = next((line for line in lines if "ERROR:" in line), text)
        text = text[text.index("ERROR:") + 6 :].strip()
    return text[:160].rstrip(".").lower()
