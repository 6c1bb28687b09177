"""E-mail addresses and telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import re2

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier
from alcaide.instruments.guard.detectors.personal_data.reading import Reading

# ── E-mail ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCAL_END = re.compile(r"[^\s@<>()\[\]{}\",:;|=/\\'`*]")
_DOMAIN = re.compile(r"[^\W_](?:[\w-]{0,62}\.){1,6}[^\W\d_]{2,24}")
_LONGEST_LOCAL = 64  # RFC 5321 §4.5.3.1.1

OBFUSCATED = Pattern(
    "email-obfuscated",
    r"\b(?P<local>(?:[a-z0-9]{1,20} dot ){0,2}[a-z0-9][a-z0-9._%+-]{0,40})"
    r"\s?(?:\(at\)|\[at\]|\{at\}|<at>|_at_|\bat\b|@)\s?"
    r"(?P<domain>[a-z0-9-]{1,40}(?:(?:\s?(?:\(dot\)|\[dot\]|\{dot\}|<dot>|_dot_|\bdot\b)\s?|"
    r"\.)[a-z0-9-]{2,24}){1,4})\b",
    ("(at)", "[at]", "{at}", "_at_", "<at>", "(dot)", "[dot]", "{dot}", " dot "),
    before=90,
    after=90,
)
"""`name at domain dot com`. Without brackets, both words must be spelt: "meet at example.com" is not an address."""


def emails(reading: Reading) -> Iterable[Candidate]:
    """E-mail addresses, international ones included (RFC 6531)."""
    text = reading.text
    reached = 0
    for at in reading.ats:
        domain = _DOMAIN.match(text, at + 1, at + 256)
        if domain is None:
            continue
        floor = max(reached, at - _LONGEST_LOCAL)
        start = at
        while start > floor and _LOCAL_END.match(text[start - 1]):
            start -= 1
        while start < at and text[start] in ".-+_":
            start += 1
        if start == at:
            continue
        reached = domain.end()
        yield Candidate(
            start,
            domain.end(),
            "EMAIL_ADDRESS",
            "email",
            0.98,
            "is an e-mail address",
            "warning",
            Tier.STRUCTURED,
            {"domain": domain[0].lower()},
        )


def obfuscated_email(hit: Hit, lower: str) -> Candidate | None:
    """An address spelt to hide from harvesters."""
    written = lower[hit.start : hit.end]
    bracketed = re.search(r"[(\[{<_](?:at|dot)[)\]}>_]", written) is not None
    if not bracketed and not (" at " in written and " dot " in written):
        return None
    ending = re.split(r"[^a-z0-9-]+", written)[-1]
    if ending not in _ENDINGS and len(ending) != 2:
        return None
    return Candidate(
        hit.start,
        hit.end,
        "EMAIL_ADDRESS",
        "email-obfuscated",
        0.9 if bracketed else 0.85,
        "spells out an e-mail address",
        "warning",
        Tier.STRUCTURED,
    )


_ENDINGS = frozenset(
    [
        "com",
        "net",
        "org",
        "edu",
        "gov",
        "mil",
        "info",
        "biz",
        "name",
        "pro",
        "app",
        "dev",
        "example",
        "test",
        "int",
        "eu",
        "io",
        "ai",
        "co",
        "me",
    ]
)

# ── Telephone ────────────────────────────────────────────────────────────────────────────────────────────────────

PHONE_WORDS = re2.compile(
    r"\b(?:tele)?phones?\b|\btel\b|\btel\.|\bmobil|\bcell\b|\bcell(?:ular)?\b|\bfax\b|\bcall(?:ed|ing|s)?\b|\bdial|"
    r"\bwhats ?app\b|\bsms\b|\btext(?:ed|ing)? (?:me|him|her|us|at|to)\b|\breach(?:ed)?\b|\bcontact\b|\bhotline\b|"
    r"\bhelpline\b|\bring\b|\bphone\b|\bdesk\b|\boffice\b|\blandline\b|\btelef|\btéléphone\b|\bportable\b|\bhandy\b|"
    r"\bdurchwahl\b|\brufnummer\b|\bcelular\b|\bmóvil\b|\bmovil\b|\bcellulare\b|\btelefoon\b|\bkomórk|\btelemóvel\b|"
    r"\bpuh(?:elin)?\b|\btlf\b|\btlf\.|\bmob\b|\bmob\.|\banswering\b|\bmessages? (?:to|from|at)\b|\bsignal\b|"
    r"\btelegram\b|\bviber\b|\bcontacto\b|電話|电话|手机|전화|тел|"
    r"\b(?:my|his|her|our|their|your|work|home) number\b|\bext\b"
)
_AFTER_WORDS = re.compile(
    r"\s?[-–(,]?\s?(?:\(?(?:office|fax|mobile|cell|home|work|desk|tel|phone|direct|main)\b)"
)
_OTHER_WORDS = re2.compile(
    r"\b(?:order|invoice|tracking|version|isbn|issn|ref|reference|account|acct|card|iban|ssn|"
    r"case|claim|policy|serial|"
    r"ticket|id|nip|pesel|tax|patent|sku|model|part|batch|lot|page|pages|years?|transaction|no|nr|doi|arxiv|rfc|"
    r"article|section|chapter|score|ratio|passport|licen[cs]e|vat|pin|code|zip|build|release|cas|ean|upc|imei|npi|"
    r"routing|sort|bsb|membership|member|employee|student|patient|mrn|bestellnummer|rechnung|kundennummer)\b"
    r"(?:\s?(?:number|no|num|nr|id|code|#))?(?:\sis)?[\s.:#=()-]{0,4}$"
)

_NANP = re.compile(r"(?:1[ .-])?(?:\([2-9]\d{2}\)[ .-]?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}")
_LOCAL_US = re.compile(r"\d{3}-\d{4}")
_INTERNATIONAL = re.compile(r"(?:\+|00|011[ -])[ .(-]{0,2}[1-9]\d{0,3}(?:[ .()/-]{0,3}\d{1,5}){1,6}")
_PARENTHESIS = re.compile(r"\(0?\d{1,5}\)[ .-]?\d{2,5}(?:[ .-]?\d{2,5}){0,3}")
_TRUNK = re.compile(r"0\d{1,4}(?:[ ./-]\d{2,8}){1,5}")
_GROUPS = re.compile(r"\d{2,5}(?:[ .-]\d{2,5}){1,4}")
_PLAIN = re.compile(r"\d{7,15}")
_DATE_LIKE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d")
_EXTENSION = re.compile(r"\s?(?:x|ext\.?|extension|poste|app\.?|durchwahl|#)\s?\d{1,6}")


def phone(
    written: str, around: tuple[str, str], start: int, text: str, preferred: frozenset[str]
) -> Candidate | None:
    """A telephone number, by the way it is written, the words beside it, and the numbering plan it would belong to.

    phonenumbers is asked only about what is written internationally or may belong to a country that the text is
    known to concern: it takes 200 µs, and a number of no known country says nothing.
    """
    start, written = _with_its_beginning(written, start, text)
    digits = sum(one.isdigit() for one in written)
    if not 6 <= digits <= 15 or _DATE_LIKE.fullmatch(written) or written[0] in ")./-":
        return None
    if written.count("(") != written.count(")"):
        return None
    before, after = around
    near = before[-44:]
    role = _AFTER_WORDS.match(after) is not None
    if digits == 6 and not role and PHONE_WORDS.search(near[-14:]) is None:
        return None
    named = role or PHONE_WORDS.search(near) is not None
    score = _by_its_look(written, digits, named=named)
    if score == 0:
        return None
    international = written.startswith(("+", "00", "011"))
    valid = (international or (bool(preferred) and digits >= 7)) and _valid(written, preferred)
    if valid:
        score = max(score, 0.97 if international else 0.8)
    elif international:
        score = min(score, 0.72)
    # What stands directly before the number says what it is, unless it is part of a telephone's own label.
    denied = _OTHER_WORDS.search(near) is not None and PHONE_WORDS.search(near[-18:]) is None
    if denied and not (international or _NANP.fullmatch(written)):
        score = min(score, 0.3)
    elif named:
        score = min(0.98, score + 0.25)
    end = start + len(written)
    extension = _EXTENSION.match(text, end, end + 16)
    if extension is not None:
        end, score = extension.end(), max(score, 0.7)
    return Candidate(
        start,
        end,
        "PHONE_NUMBER",
        "phone",
        round(score, 3),
        "is written as a telephone number" + (" and spoken of as one" if named else ""),
        "warning",
        evidence={"international": international, "valid": valid, "named": named},
    )


def _with_its_beginning(written: str, start: int, text: str) -> tuple[int, str]:
    """The number with the plus or the parenthesis that it begins with."""
    if text[start - 1 : start] == "+" or text[start - 2 : start] == "+(":
        plus = text.rindex("+", 0, start)
        return plus, text[plus:start] + written
    if written.count(")") > written.count("(") and text[start - 1 : start] == "(":
        return start - 1, "(" + written
    return start, written


def _by_its_look(written: str, digits: int, *, named: bool) -> float:
    """How often what is written so is a telephone number, before anything beside it is heard."""
    if _INTERNATIONAL.fullmatch(written) and (written[0] == "+" or digits >= 10):
        return 0.85 if written[0] == "+" else 0.6
    if _NANP.fullmatch(written):
        return 0.8
    if _PARENTHESIS.fullmatch(written):
        return 0.66
    if _TRUNK.fullmatch(written) and 8 <= digits <= 12:
        return 0.56
    if _LOCAL_US.fullmatch(written):
        return 0.45
    if _GROUPS.fullmatch(written) and written.count(".") != 1 and 6 <= digits <= 12:
        return 0.62 if named else 0.3
    if _PLAIN.fullmatch(written):
        return 0.55 if named else 0.12
    return 0.4 if named and digits >= 7 else 0.0


@lru_cache(maxsize=2048)
def _valid(written: str, regions: frozenset[str]) -> bool:
    import phonenumbers

    number = re.sub(r"^(?:00|011[ -])", "+", written) if written[0] != "+" else written
    candidates: list[str | None] = [None] if number[0] == "+" else [*sorted(regions)[:8]]
    for region in candidates:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            return True
    return False
