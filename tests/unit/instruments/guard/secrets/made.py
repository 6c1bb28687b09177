"""Fills the corpus's slots: credentials are made when a test runs, so that none lies in the repository.

A row's text holds `{{slot}}` where something made up goes, `{{{{` and `}}}}` for braces, and ⟦…⟧ around what the
detector must find.
"""

from __future__ import annotations

import base64
import json
import re
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import quote

from alcaide.instruments.guard.detectors.secrets.checks import base62_checksum
from tests.unit.instruments.guard.secrets.examples import EXAMPLES, example

CORPUS = Path(__file__).parents[4] / "corpus" / "guard" / "secrets.jsonl"
_SLOT = re.compile(r"\{\{([a-z0-9_]+)(?::([A-Za-z0-9-]+))?\}\}")
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "alnum": string.ascii_letters + string.digits,
    "alnum_": string.ascii_letters + string.digits + "_-",
    "upper": string.ascii_uppercase + string.digits,
    "lower": string.ascii_lowercase + string.digits,
    "letters": string.ascii_letters,
    "lowerletters": string.ascii_lowercase,
    "base32": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "base32lower": "abcdefghijklmnopqrstuvwxyz234567",
    "hexupper": "0123456789ABCDEF",
    "digits": string.digits,
    "base64nopad": string.ascii_letters + string.digits + "+/",
    "django": "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)",
    "salt": string.ascii_letters + string.digits + "!@#$%^&*()-_+=~|:?.",
}


_WORDS = ("harbour", "Falcon", "winter", "Jupiter", "copper", "Bamboo", "dragon", "Sunset", "orange", "Tiger")


@dataclass(frozen=True)
class Row:
    id: str
    label: int
    category: str
    text: str
    secrets: tuple[tuple[int, int], ...]


def rows(seed: int) -> list[Row]:
    """The corpus, filled anew for each seed."""
    random = Random(seed)
    made = []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text, spans = _marked(_filled(row["text"], random))
        made.append(Row(row["id"], row["label"], row["category"], text, spans))
    return made


def _marked(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    plain, spans, start = "", [], 0
    for piece in re.split("([⟦⟧])", text):
        if piece == "⟦":
            start = len(plain)
        elif piece == "⟧":
            spans.append((start, len(plain)))
        else:
            plain += piece
    return plain, tuple(spans)


def _filled(text: str, random: Random) -> str:
    text = text.replace("{{{{", "\x01").replace("}}}}", "\x02")
    text = _SLOT.sub(lambda match: slot(match[1], match[2], random), text)
    return text.replace("\x01", "{{").replace("\x02", "}}")


def slot(kind: str, argument: str | None, random: Random) -> str:
    """What a slot holds this time."""
    if kind in _MADE:
        return _MADE[kind](argument or "", random)
    while True:
        made = "".join(random.choices(_ALPHABETS[kind], k=int(argument or 32)))
        if kind in ("digits", "hex") or "letters" in kind or any(letter.isdigit() for letter in made):
            return made


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


_MADE: dict[str, Callable[[str, Random], str]] = {
    "format": lambda name, random: example(EXAMPLES[name], random),
    "password": lambda _, random: password(random),
    "uuid": lambda _, random: str(uuid.UUID(bytes=random.randbytes(16), version=4)),
    "jwt": lambda _, random: jwt(random),
    "basic": lambda _, random: _encoded(f"svc:{password(random)}".encode()),
    "pem": lambda _, random: pem(random),
    "pemescaped": lambda _, random: pem(random).replace("\n", "\\n"),
    "pemcut": lambda _, random: pem(random)[:240].rstrip("\n"),
    "pemdata": lambda _, random: _encoded(pem(random).encode()),
    "wireguard": lambda _, random: _encoded(random.randbytes(32)),
    "sas": lambda _, random: quote(_encoded(random.randbytes(32)), safe=""),
    "base64key": lambda size, random: _encoded(random.randbytes(int(size))),
    "base64lines": lambda size, random: base64.encodebytes(random.randbytes(int(size))).decode().strip(),
    "django": lambda _, random: "".join(random.choices(_ALPHABETS["django"], k=50)),
    "crc": lambda _, random: _with_checksum(random),
    "json": lambda size, random: "eyJ" + slot("alnum", size or "30", random),
    "salt": lambda _, random: "".join(random.choices(_ALPHABETS["salt"], k=64)),
}


def _with_checksum(random: Random) -> str:
    body = slot("alnum", "30", random)
    return body + base62_checksum(body)


def password(random: Random) -> str:
    """A password as people and managers make them."""
    sort = random.randrange(4)
    if sort == 0:
        return "".join(random.choices(string.ascii_letters + string.digits, k=random.randint(10, 20)))
    if sort == 1:
        body = "".join(random.choices(string.ascii_letters + string.digits, k=random.randint(8, 14)))
        return body[:4] + random.choice("!#%*_-+") + body[4:] + random.choice("0123456789")
    word = random.choice(_WORDS)
    if sort == 2:
        return f"{word.capitalize()}{random.randint(10, 9999)}{random.choice('!#*_-')}"
    disguised = word.replace("a", "4").replace("o", "0")
    return f"{disguised}-{random.choice(('river', 'stone', 'Cloud'))}{random.randint(10, 99)}"


def jwt(random: Random) -> str:
    def part(octets: bytes) -> str:
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    claims = {"sub": random.randbytes(6).hex(), "exp": 1_900_000_000, "scope": "read"}
    head = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    return f"{head}.{part(json.dumps(claims).encode())}.{part(random.randbytes(32))}"


def pem(random: Random, label: str = "RSA PRIVATE KEY") -> str:
    body = base64.encodebytes(b"\x30\x82\x02\x5c" + random.randbytes(480)).decode().replace("\n", "")
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"
