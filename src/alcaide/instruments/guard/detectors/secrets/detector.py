"""Credentials in text: what they look like, whose they are, where exactly, and how sure that is.

1. Prefixed formats and structures arrive as hits of the shared pass and are checked.
2. Words for a password arrive the same way; the value after each is judged.
3. Tokens that look random are found in whole-array steps; shaped formats, providers named nearby and words for
   secrets around them say what they are.
4. Where two finds overlap, the more specific is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

from alcaide.instruments.guard.backtracking import plainly_linear
from alcaide.instruments.guard.detector import Examination, Hit, Pattern
from alcaide.instruments.guard.detectors.secrets import passwords, structures
from alcaide.instruments.guard.detectors.secrets.candidates import Candidate, candidates, chance, plain
from alcaide.instruments.guard.detectors.secrets.checks import CHECKS, aws_account
from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.formats import FORMATS, Format
from alcaide.instruments.guard.detectors.secrets.placeholders import encoded_file, placeholder, template
from alcaide.instruments.guard.detectors.secrets.published import published
from alcaide.instruments.guard.detectors.secrets.surroundings import Role, Surroundings, surroundings
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context, Finding
from alcaide.kernel.errors import InvalidInput

NAME = "secrets"
SPARSE = 0.4
"""Likelihood for chance a character below which a token is words; random tokens have 1.2 to 2.5."""
FAINT = 8.0
"""Likelihood for chance below which a run could still be an abbreviation with a number."""
CERTAIN = 12.0
"""Likelihood for chance that a name with a number in it does not reach."""
REPORTED = 0.3
"""Finds below this are not worth a line anywhere."""
TAXONOMY = ("owasp-llm:2025/LLM02", "cwe/CWE-798")

_BY_ID: Mapping[str, Format] = {format_.id: format_ for format_ in FORMATS}
_WORD = "named-password"
_STRUCTURES = frozenset(pattern.rule for pattern in structures.PATTERNS)
_PATTERNS: tuple[Pattern, ...] = (
    *(
        Pattern(
            format_.id, format_.regex, format_.anchors, format_.before, format_.after, case_sensitive=True
        )
        for format_ in FORMATS
        if format_.anchors
    ),
    *structures.PATTERNS,
    Pattern(_WORD, "|".join(re.escape(word) for word in passwords.WORDS), passwords.WORDS, after=0),
)
_HEX_LENGTHS = frozenset((32, 40, 56, 64, 96, 128))
_HEX = re.compile(r"[0-9a-fA-F]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_DIGEST_MARKS = (
    "sha256:",
    "sha512:",
    "sha384:",
    "sha256-",
    "sha512-",
    "sha384-",
    "sha1:",
    "sha256/",
    "sha512/",
    "sha1-",
    "md5:",
    "h1:",
)
"""What package managers write before a checksum: not worth looking around."""
DIGITS_ALONE = 20
"""Characters of which one at least is a letter in any key that may have letters: hexadecimal ones have none once in
12,000 times."""
_BY_LENGTH = ((20, (0.9, 0.75)), (15, (0.85, 0.6)), (10, (0.75, 0.45)), (0, (0.6, 0.3)))
"""Score of a random value from a length on, called strongly and weakly; what people name by hand is short."""
_SHARED = frozenset(
    ("sk-", "pk-", "sig_", "pat_", "prod:", "dataset-", "pa-", "fc-", "m0-", "ls__", "cs_", "sess-")
)
"""Marks that services beyond the ones listed write in front of keys of other lengths."""
_DRAWN = frozenset({"API_KEY", "TOKEN", "ACCOUNT_ID"})
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_RESOURCE = re.compile(r"arn:aws[^\s\"']{4,100}$")
_SAYS = re.compile(
    r"(?:^|[^a-z])(?:is|to|ist|lautet|est|es|è|é|token|secret|password|bearer|login|auth) $", re.IGNORECASE
)
_MEMBER = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
_OPENING = "\"'`=: "
_OF_TOKENS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/.~"


_BEFORE, _AFTER = "(?:^|[^A-Za-z0-9_+-])", "(?:$|[^A-Za-z0-9_+-])"
"""What a key may stand between: anything that could not be more of it."""


@lru_cache(maxsize=1)
def _shaped() -> tuple[Any, tuple[tuple[Format, Any], ...]]:
    """One automaton that says in a microsecond which shaped formats a token contains, and each format's own."""
    every = re2.Set.SearchSet()
    formats = []
    for format_ in FORMATS:
        if not format_.anchors and not format_.near:
            regex = f"(?:^|[^A-Za-z0-9])({format_.regex}){_AFTER}"
            every.Add(regex)
            formats.append((format_, re2.compile(regex)))
    every.Compile()
    return every, tuple(formats)


@lru_cache(maxsize=1024)
def _near(regex: str) -> Any:
    regex = f"{_BEFORE}({regex}){_AFTER}"
    return re.compile(regex) if plainly_linear(regex) else re2.compile(regex)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The detector. `ignored` are rules left out; `allowed` are digests' worth of exact values known to be harmless."""

    ignored: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    patterns: Sequence[Pattern] = field(default=_PATTERNS, repr=False)
    name: str = NAME
    version: str = "1"
    reads_guesses: bool = False
    """A text turned round or shifted by thirteen letters holds random tokens that were words."""

    def configured(self, options: dict[str, Any]) -> Secrets:
        """Options: `ignore` (rule identifiers without `secrets/`), `allow` (values that are no secrets here)."""
        unknown = options.keys() - {"ignore", "allow"}
        if unknown:
            raise InvalidInput(f"detector `secrets` has no option `{min(unknown)}`; use `ignore` or `allow`")
        lists = {}
        for option in ("ignore", "allow"):
            values = options.get(option, [])
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                raise InvalidInput(
                    f"option `{option}` of detector `secrets` is not a list of texts; write one a line"
                )
            lists[option] = frozenset(values)
        known = {
            *_BY_ID,
            *_STRUCTURES,
            "password",
            "password-told",
            "secret-value",
            "address-password",
            "named-key",
        }
        if strange := lists["ignore"] - known:
            raise InvalidInput(
                f"option `ignore` of detector `secrets` names no rule: `{min(strange)}`; "
                "see docs/guard/secrets.md"
            )
        kept = tuple(pattern for pattern in _PATTERNS if pattern.rule not in lists["ignore"])
        return Secrets(lists["ignore"], lists["allow"], kept)

    def examine(self, layer: Layer, hits: Sequence[Hit], context: Context) -> Examination:  # noqa: ARG002
        """Every credential in one layer."""
        text, lower = layer.text, layer.lower
        finds = list(self._finds(layer, hits, text, lower))
        kept = _apart([find for find in finds if find.score >= REPORTED and self._wanted(find, text)])
        kept = [_weighed(find, text[find.start : find.end]) for find in kept]
        findings = tuple(_finding(find, layer) for find in kept)
        return Examination(findings, max((find.score for find in kept), default=0.0))

    def _wanted(self, find: Find, text: str) -> bool:
        return find.rule not in self.ignored and text[find.start : find.end] not in self.allowed

    def _finds(self, layer: Layer, hits: Sequence[Hit], text: str, lower: str) -> Iterator[Find]:
        reached = -1
        passed: dict[str, int] = {}
        for hit in hits:
            if hit.rule == _WORD:
                if hit.start >= reached:
                    for found in passwords.passwords(text, lower, hit.start, hit.end):
                        reached = max(reached, found.end)
                        yield found
            elif hit.rule in _STRUCTURES:
                if hit.start >= passed.get(hit.rule, 0):
                    found_there, passed[hit.rule] = structures.finds(hit, text, lower)
                    yield from found_there
            else:
                prefixed = _prefixed(_BY_ID[hit.rule], hit, text, lower)
                if prefixed is not None:
                    yield prefixed
        octets = plain(layer)
        yield from structures.in_addresses(octets, text)
        for candidate in candidates(octets):
            yield from _random(candidate, text, lower)


SECRETS = Secrets()
"""The detector as `DETECTORS` lists it."""


# ── Prefixed formats ─────────────────────────────────────────────────────────────────────────────────────────────


def _prefixed(format_: Format, hit: Hit, text: str, lower: str) -> Find | None:
    start, end = hit.groups.get("secret", (hit.start, hit.end))
    if not _apart_from_words(text, hit.start, end):
        return None
    return _of_format(format_, text, lower, start, end, None)


def _apart_from_words(text: str, start: int, end: int) -> bool:
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        return False
    if start == 0 or not text[start - 1].isalnum() or not text[start].isalnum():
        return True
    # `\nghp_…` inside a string literal, `%3Dghp_…` inside an address.
    before = text[max(0, start - 3) : start]
    return before[-2:-1] == "\\" or before[:1] == "%"


def _of_format(
    format_: Format, text: str, lower: str, start: int, end: int, around: Surroundings | None
) -> Find | None:
    secret = text[start:end]
    score = format_.score
    evidence: dict[str, Any] = {"provider": format_.provider}
    if format_.check:
        outcome = CHECKS[format_.check](secret)
        if outcome is False and format_.check.endswith("!"):
            return None
        if outcome is not None:
            evidence["check"] = "holds" if outcome else "fails"
            score = max(score, 0.99) if outcome else min(score, 0.8)
        if format_.check == "aws-key-id" and (account := aws_account(secret)):
            evidence["account"] = account
    if placeholder(secret) or (len(secret) >= DIGITS_ALONE and _bare_digits(format_, secret)):
        score = min(score, 0.35)
    elif evidence.get("check") != "holds" and format_.kind in _DRAWN and _worded(secret):
        score = min(score, 0.4)
    elif score < 0.9:
        around = around or surroundings(lower, start, end)
        if around.role is Role.SECRET:
            score = min(0.95, score + 0.1)
        elif around.role is Role.OTHER and around.linked:
            score -= 0.3
    message = f"{format_.title} of {format_.provider}"
    return Find(format_.id, start, end, score, message, format_.kind, format_.level, 2, evidence)


def _bare_digits(format_: Format, secret: str) -> bool:
    """Whether a key that may hold letters has none after its mark."""
    body = secret[len(mark) :] if secret.startswith(mark := _mark(format_)) else secret
    return len(body) >= DIGITS_ALONE and body.isdigit() and ("a-" in format_.regex or "A-Z" in format_.regex)


@lru_cache(maxsize=2048)
def _mark(format_: Format) -> str:
    """The characters that every key of a format begins with."""
    return re.match(r"(?:[A-Za-z0-9_=/|:-]|\\\.)*", format_.regex)[0].replace("\\", "")  # type: ignore[index]


def _worded(secret: str) -> bool:
    """Whether a key's letters follow each other as in words: an identifier that happens to begin like a key."""
    body = secret[max(secret.rfind(mark, 0, 16) for mark in "-_.") + 1 :]
    if len(body) < 16 or _HEX.fullmatch(body[-16:]) or 2 * sum(map(str.isdigit, body)) > len(body):
        return False
    return chance(body) < 0 and chance(secret) < 0


# ── Tokens that look random ──────────────────────────────────────────────────────────────────────────────────────


def _random(candidate: Candidate, text: str, lower: str) -> Iterator[Find]:
    if text[max(0, candidate.start - 7) : candidate.start].lower().endswith(_DIGEST_MARKS):
        return
    wide = text[candidate.wide_start : candidate.wide_end]
    every, formats = _shaped()
    for index in sorted(every.Match(wide) or ()):
        format_, regex = formats[index]
        match = regex.search(wide)
        if match is None:
            continue
        start, end = (offset + candidate.wide_start for offset in match.span(1))
        found = _of_format(format_, text, lower, start, end, None)
        if found is not None:
            yield found
            return
    start, end = _token(text, candidate)
    around = surroundings(lower, start, end)
    if around.role is None and not around.formats:
        return
    yield from _of_provider(candidate, text, around)
    found = _named(text, start, end, around, candidate)
    if found is not None:
        yield found


def _of_provider(candidate: Candidate, text: str, around: Surroundings) -> Iterator[Find]:
    low = max(0, candidate.wide_start - 24)  # some have a number and a bar in front
    window = text[low : candidate.wide_end + 1]
    for format_ in around.formats:
        match = _near(format_.regex).search(window)
        if match is None:
            continue
        start, end = (offset + low for offset in match.span(1))
        if start > candidate.start or end < candidate.end:
            continue
        secret = text[start:end]
        plainer = _HEX.fullmatch(secret) is not None or _UUID.fullmatch(secret) is not None
        if around.role is Role.SECRET:
            score = format_.score if around.linked or not plainer else 0.6
        elif around.role in (Role.KEY, Role.IDENTIFIER):
            score = format_.score - 0.12 if around.linked else 0.55
        elif around.role is Role.OTHER:
            score = 0.25 if around.word not in format_.title else 0.75
        else:
            score = (0.5 if plainer else 0.6) - (0 if format_.id in around.assigned else 0.12)
        if placeholder(secret):
            score = min(score, 0.35)
        evidence = {"provider": format_.provider, "word": around.word}
        message = f"{format_.title} of {format_.provider}"
        # Where the name alone is near, what another reading says for sure goes first.
        specific = 1 if score >= 0.5 or around.role is not None else 0
        yield Find(format_.id, start, end, score, message, format_.kind, format_.level, specific, evidence)
        return


def _token(text: str, candidate: Candidate) -> tuple[int, int]:
    """The candidate's run with what belongs to the token: inner punctuation and padding, no name before `=` or `:`."""
    start, end = candidate.start, candidate.end
    start = candidate.wide_start + len(text[candidate.wide_start : start].rstrip(_OF_TOKENS))
    end = candidate.wide_end - len(text[end : candidate.wide_end].lstrip(_OF_TOKENS))
    while end > candidate.end and text[end - 1] in ".~":
        end -= 1
    # Base 64 may begin with `/` or `+` where a value begins; elsewhere they belong to a path or to what is around.
    value = start > 0 and text[start - 1] in _OPENING
    while start < candidate.start and (text[start] in ".-" or (text[start] in "/+" and not value)):
        start += 1
    padding = end
    while padding < candidate.wide_end and text[padding] == "=" and padding - end < 2:
        padding += 1
    if padding > end and (padding == candidate.wide_end or text[padding] not in _OF_TOKENS):
        end = padding
    # A quoted value is the secret as a whole, odd characters included.
    if start and text[start - 1] in "\"'`" and end < len(text) and text[end] != text[start - 1]:
        close = text.find(text[start - 1], end, end + 60)
        if close >= 0 and not any(character.isspace() for character in text[end:close]):
            end = close
    return start, end


def _named(text: str, start: int, end: int, around: Surroundings, candidate: Candidate) -> Find | None:
    """A random value tied to a word for a secret, of no provider we know."""
    if around.role not in (Role.SECRET, Role.KEY) or not around.linked:
        return None
    secret = text[start:end]
    length = len(secret)
    if _of_something_else(text, start, end, secret):
        return None
    digits_alike = length >= 20 and _HEX.fullmatch(secret) is not None and not secret.isdigit()
    density = 2 * SPARSE if digits_alike else chance(secret) / length
    if density < SPARSE or (density < 2 * SPARSE and secret.count("/") > 2 + length // 24):
        return None  # a name with a number in it, a path
    score = _by_shape(secret, strong=around.role is Role.SECRET)
    if digits_alike and around.role is Role.KEY and around.word != "key":
        score -= 0.1  # `FirebaseAuth: 0f…` in a list of checksums
    if (candidate.chance < FAINT and not digits_alike) or density < 2 * SPARSE:
        score -= 0.2
    if around.word == "key" and (length < 24 or density < 1) and not _ends_a_name(text, start):
        score -= 0.2
    if candidate.chance < CERTAIN and (length < 12 or _MEMBER.fullmatch(secret)):
        score -= 0.3  # `flex2sdk`, `ec.SECP256R1`
    if _UUID.fullmatch(secret) and _in_a_sentence(text, start):
        score -= 0.3  # `API key 0f…-… was deleted`
    if placeholder(secret):
        score = min(score, 0.3)
    message = f"random value called “{around.word}”"
    return Find("named-key", start, end, score, message, evidence={"word": around.word})


def _of_something_else(text: str, start: int, end: int, secret: str) -> bool:
    """Whether the value says of itself, or what touches it says, that it is an address, a file, a digest, a cipher."""
    if "://" in text[max(0, start - 3) : end] or template(secret) or _ADDRESS.fullmatch(secret):
        return True
    if secret.startswith(_DIGEST_MARKS) or encoded_file(secret):
        return True
    if "/" in secret and _UUID.fullmatch(secret.rpartition("/")[2]):
        return True  # the path of something
    before = text[max(0, start - 110) : start]
    return (
        before.endswith(("ENC(", "ENC["))
        or "encrypteddata" in before.lower()
        or ("arn:aws" in before and _RESOURCE.search(before) is not None)
    )


def _by_shape(secret: str, *, strong: bool) -> float:
    """How likely a value tied to a word is a secret: hashes and identifiers look random too.

    `strong` words say secret, token, API key; weaker ones key, session, login.
    """
    length = len(secret)
    if _UUID.fullmatch(secret):
        return 0.75 if strong else 0.4
    if length in _HEX_LENGTHS and _HEX.fullmatch(secret):
        return 0.82 if strong else 0.55
    return next(by[not strong] for least, by in _BY_LENGTH if length >= least)


def _in_a_sentence(text: str, start: int) -> bool:
    """Whether the token stands behind a noun, with nothing that says the one is the other."""
    before = text[max(0, start - 24) : start]
    return before[-1:] == " " and before[-2:-1].isalnum() and not _SAYS.search(before)


def _ends_a_name(text: str, start: int) -> bool:
    """Whether the word `key` before the token ends a longer name (`signingKey`), rather than being one of a map."""
    before = text[max(0, start - 60) : start].lower()
    at = before.rfind("key")
    return at > 0 and (before[at - 1].isalnum() or before[at - 1] in "_-?&")


def _weighed(find: Find, secret: str) -> Find:
    """A find after what only its whole value tells: that its issuer prints it, or that no key is so short."""
    if published(secret):
        return replace(find, score=min(find.score, 0.35), evidence={**find.evidence, "published": True})
    if find.specific == 0 and (short := _cut_short(secret)) is not None:
        return replace(find, score=min(find.score, 0.45), evidence={**find.evidence, "short_for": short})
    return find


def _cut_short(secret: str) -> str | None:
    """The provider whose mark `secret` bears without being as long as any key of theirs: cut, or made up."""
    for length, marks in _marks():
        found = marks.get(secret[:length])
        if found is not None:
            return found[1] if len(secret) < found[0] else None
    return None


@lru_cache(maxsize=1)
def _marks() -> tuple[tuple[int, Mapping[str, tuple[int, str]]], ...]:
    """Marks that tell a provider for sure, the longest first, each with the length of its shortest key."""
    shortest: dict[str, tuple[int, str]] = {}
    for format_ in FORMATS:
        mark = _mark(format_)
        if format_.near or len(mark) < 3 or mark.lower() not in format_.anchors or mark in _SHARED:
            continue
        least = int(parser.parse(format_.regex).getwidth()[0])
        known = shortest.get(mark)
        shortest[mark] = (least, format_.provider) if known is None else min(known, (least, format_.provider))
    lengths = sorted({len(mark) for mark in shortest}, reverse=True)
    return tuple(
        (size, {mark: told for mark, told in shortest.items() if len(mark) == size}) for size in lengths
    )


# ── Findings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _apart(finds: list[Find]) -> list[Find]:
    """No two on the same characters: the more specific stays, of those the likelier, of those the longer."""
    kept: list[Find] = []
    taken: list[tuple[int, int]] = []
    for find in sorted(finds, key=lambda find: (-find.specific, -find.score, find.start - find.end)):
        if not _overlaps(taken, find.start, find.end):
            kept.append(find)
            _insert(taken, (find.start, find.end))
    return sorted(kept, key=lambda find: find.start)


def _overlaps(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    index = bisect_left(taken, (start, end))
    return (index < len(taken) and taken[index][0] < end) or (index > 0 and taken[index - 1][1] > start)


def _insert(taken: list[tuple[int, int]], span: tuple[int, int]) -> None:
    insort(taken, span)


def _finding(find: Find, layer: Layer) -> Finding:
    return Finding(
        detector=NAME,
        rule=f"{NAME}/{find.rule}",
        category="secret",
        span=layer.span(find.start, find.end),
        score=round(find.score, 3),
        level=find.level,
        message=find.message[0].upper() + find.message[1:] + ".",
        where=layer.passage.where,
        layers=layer.path,
        taxonomy=TAXONOMY,
        entity=find.kind,
        evidence=find.evidence,
    )
