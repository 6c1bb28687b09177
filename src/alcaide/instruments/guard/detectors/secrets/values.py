"""Whether what stands where a password would be is one, and how sure that is."""

from __future__ import annotations

import re

from alcaide.instruments.guard.detectors.secrets.candidates import chance
from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.placeholders import (
    encoded_file,
    lookup,
    placeholder,
    reference,
    template,
)

SHORTEST, LONGEST = 4, 160
TAUGHT = frozenset(
    word
    for line in (
        "p@ssw0rd p@ssw0rd! passw0rd passw0rd! pa$$w0rd pa55word hunter2 test1234 password1 password12 letmein",
        "postgres mysql mongo mongodb redis rabbitmq minio minioadmin elastic grafana guest toor oracle vagrant",
    )
    for word in line.split()
)
"""Passwords that manuals and jokes are made of, and those that services are delivered with."""
RANDOM = 0.5
"""Likelihood for chance a character from which letters alone are a password rather than words."""
DRAWN = 0.1
"""Likelihood for chance a character below which words make up a value with digits in it."""

_CODE = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*){1,8}$|[A-Za-z_$][\w$.]{0,80}[(\[]")
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}|[A-Za-z0-9]{4}(?: [A-Za-z0-9]{4}){5}")
"""Passwords that Google and WordPress draw for one application, in groups of four."""
_VERSION = re.compile(r"[~^>=<v]{0,3}[0-9]+(?:\.[0-9x*]+){1,5}")
_ADDRESS = ("http://", "https://", "/", "./", "../", "~/", "--", "\\")
_LABELS = frozenset(
    word
    for line in (
        "password passwd passwort passphrase pwd pass secret secrets token key apikey api_key username user login",
        "email name confirm confirmation required optional invalid incorrect wrong missing forgot reset change new old",
        "current true false none null nil undefined string text hidden hash hashed encrypted plain plaintext prompt",
        "input field form value type basic bearer oauth ldap kerberos default empty yes no on off file env stdin ask",
        "manager policy the a an and or is not in if for from with here this that protected expired reused shared same",
        "correct strong weak too at least must should can will has have was been your my our their hunter stored kept",
        "sent only also sensitive changeme redacted tiger sha256 md5 bcrypt scrypt argon2 base64 utf-8 utf8 admin root",
        "test",
    )
    for word in line.split()
)
"""What stands beside the word in forms, schemas and sentences."""


def classes(value: str) -> int:
    """How many of lower case, upper case, digits and others `value` is made of."""
    return (
        any(letter.islower() for letter in value)
        + any(letter.isupper() for letter in value)
        + any(letter.isdigit() for letter in value)
        + any(not letter.isalnum() for letter in value)
    )


def mixed(value: str) -> bool:
    """Whether `value` is made as rules for passwords want it: three sorts of characters, digits among them."""
    return classes(value) >= 3 and any(letter.isdigit() for letter in value)


def judged(text: str, start: int, end: int, *, quoted: bool, secret: bool, name: str) -> Find | None:
    """A value that was assigned to `name`, or None where it cannot be a password."""
    while not quoted and end > start and text[end - 1] in ".,;:?":
        end -= 1
    value = text[start:end]
    if not _possible(value, name, quoted=quoted):
        return None
    if placeholder(value) or value.lower() in TAUGHT:
        return Find("password", start, end, 0.3, "this looks like the placeholder of a password", "PASSWORD")
    score = _certainty(value, name, quoted=quoted)
    evidence = {"name": name[:60]}
    if not secret:
        return Find(
            "password", start, end, score, "this is named as a password", "PASSWORD", evidence=evidence
        )
    if len(value) < 8 or "/" in value or value.replace("-", "").replace("_", "").isalpha():
        return None  # words: the name of a secret, and where it is kept
    digits = any(letter.isdigit() for letter in value) and classes(value) >= 2
    # A secret among machines is drawn: what reads as words with a number is a name, or was never changed.
    score = score - 0.03 if digits and chance(value) >= DRAWN * len(value) else 0.3
    return Find("secret-value", start, end, score, "this is named as a secret", evidence=evidence)


def told(text: str, start: int, end: int, *, quoted: bool, secret: bool) -> Find | None:
    """A value that a sentence gives: it must look less like a word than one that was assigned."""
    while end > start and text[end - 1] in ".,;:?)。、，":
        end -= 1
    if text[end - 2 : end] == "**":
        end -= 2
    value = text[start:end]
    if len(value) < SHORTEST or template(value) or value.lower() in _LABELS or value.startswith(_ADDRESS):
        return None
    if _CODE.match(value) or any(opener in value for opener in "([{"):
        return None
    if not value.isascii() and 2 * sum(map(str.isascii, value)) < len(value) + 2:
        return None  # the rest of a sentence in a script without spaces
    made_of = classes(value)
    telling = any(letter.isdigit() or (not letter.isalnum() and letter not in "-'’/.") for letter in value)
    if not telling and not (quoted and made_of >= 2) and chance(value) < RANDOM * len(value):
        return None
    if secret and (len(value) < 8 or made_of < 2):
        return None
    if placeholder(value):
        return Find(
            "password-told", start, end, 0.3, "this looks like the placeholder of a password", "PASSWORD"
        )
    score = 0.85 if made_of >= 3 else 0.75 if made_of == 2 else 0.5
    return Find("password-told", start, end, score, "a sentence tells this password", "PASSWORD")


def _possible(value: str, name: str, *, quoted: bool) -> bool:
    lowered = value.lower()
    if not SHORTEST <= len(value) <= LONGEST or value.strip() != value or value.startswith(_ADDRESS):
        return False
    if encoded_file(value):
        return False
    if _APP_PASSWORD.fullmatch(value) and chance(value.replace(" ", "")) >= DRAWN * len(value):
        return True
    words = value.count(" ") + 1
    digit = any(letter.isdigit() for letter in value)
    if words > 3 or (words > 1 and not digit):
        return False  # a sentence
    if template(value) or lowered in _LABELS or lowered == name.lower() or reference(value):
        return False
    if (
        (value.isupper() and "_" in value)
        or _VERSION.fullmatch(value)
        or (value.isdigit() and len(value) < 6)
    ):
        return False  # the name of a variable, a version, a number
    if not digit and any(word in lowered for word in ("passphrase", "password", "passwd")):
        return False
    if quoted:
        return not (lookup(value) and (value.endswith(")") or "." in value))
    return not lookup(value) and _CODE.match(value) is None


def _certainty(value: str, name: str, *, quoted: bool) -> float:
    made_of = classes(value)
    if made_of >= 3 or _APP_PASSWORD.fullmatch(value):
        return 0.88
    if made_of == 2 and not value.replace("_", "").replace("-", "").isalpha():
        return 0.85 if len(value) >= 8 else 0.75
    if len(value) >= 8 and chance(value) >= RANDOM * len(value):
        return 0.75
    if value.isdigit():
        return 0.6
    if (name.isupper() and "_" in name) or (quoted and (made_of > 1 or len(value) >= 12)):
        return 0.55
    return 0.4  # a word, which may be what the password is called
