"""Made-up credentials of every format.

They are drawn from the format's own pattern, so that a new row of the tables has examples at once, and their
checksums are made to hold where a format has one. Nothing here opens any door; nothing is written down as a literal,
so that a scanner of this repository has nothing to find.
"""

from __future__ import annotations

import base64
import json
import string
from random import Random
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from alcaide.instruments.guard.detectors.secrets import checks
from alcaide.instruments.guard.detectors.secrets.formats import FORMATS, Format

_FEW = 24
"""Rounds given to a repeat without an upper limit, beyond its lower one."""
_PRINTABLE = string.ascii_letters + string.digits + "-_"


def example(format_: Format, random: Random) -> str:
    """A credential of a format (its `secret` group, where the pattern has one)."""
    return _secret(format_, matched(format_, random))


def matched(format_: Format, random: Random) -> str:
    """A text that the format's pattern matches as a whole, its checksum right."""
    return _checked(format_, _drawn(parser.parse(format_.regex), random), random)


def _secret(format_: Format, text: str) -> str:
    import re

    match = re.fullmatch(format_.regex, text)
    return match["secret"] if match is not None and "secret" in match.re.groupindex else text


def _drawn(items: Any, random: Random) -> str:
    drawn = []
    for kind, argument in items:
        if kind is op.LITERAL:
            drawn.append(chr(argument))
        elif kind is op.IN:
            drawn.append(random.choice(_members(argument)))
        elif kind is op.SUBPATTERN:
            drawn.append(_drawn(argument[-1], random))
        elif kind is op.BRANCH:
            drawn.append(_drawn(random.choice(argument[1]), random))
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT):
            low, high, body = argument
            high = low + _FEW if high is op.MAXREPEAT else int(high)
            drawn.extend(_drawn(body, random) for _ in range(random.randint(low, min(high, low + _FEW))))
        elif kind is op.NOT_LITERAL or kind is op.ANY:
            drawn.append(random.choice(_PRINTABLE))
        else:
            raise ValueError(f"no example can be drawn for {kind}")
    return "".join(drawn)


def _members(items: Any) -> str:
    negated = bool(items) and items[0][0] is op.NEGATE
    members: set[str] = set()
    for kind, argument in items:
        if kind is op.LITERAL:
            members.add(chr(argument))
        elif kind is op.RANGE:
            members.update(map(chr, range(argument[0], argument[1] + 1)))
        elif kind is op.CATEGORY:
            members.update(
                string.ascii_letters + string.digits + "_" if argument is op.CATEGORY_WORD else " "
            )
    if negated:
        return "".join(sorted(set(_PRINTABLE) - members))
    return "".join(sorted(members))


def _checked(format_: Format, text: str, random: Random) -> str:  # noqa: C901 - a case for each check
    """`text` with the checksum that the format's check asks for."""
    octets = random.randbytes
    match format_.check:
        case "crc32-base62":
            prefix, body = text.split("_", 1)
            body = body[:30]
            return f"{prefix}_{body}{checks.base62_checksum(body)}"
        case "crc32-base36" if "." in text:
            return text[:-7] + checks.base36_checksum(text[:-7])
        case "grafana":
            body = text.rpartition("_")[0]
            return f"{body}_{checks.grafana_checksum(body)}"
        case "age" | "nostr":
            human = "age-secret-key-" if format_.check == "age" else "nsec"
            made = checks.bech32(human, [random.randrange(32) for _ in range(52)])
            return made.upper() if text.isupper() else made
        case "base58check":
            return checks.base58check(bytes.fromhex("0488ade4") + octets(41) + b"\0" + octets(32))
        case "base58check!":
            return checks.base58check(b"\x80" + octets(32) + b"\x01")
        case "stellar!" | "nkey!":
            # The first octets make the letters that seeds begin with: `S` and, for NATS, the kind of key.
            first = bytes([18 << 3]) if format_.check == "stellar!" else bytes([18 << 3, 0xA0])
            seed = first + octets(32)
            return base64.b32encode(seed + checks.crc16(seed).to_bytes(2, "little")).decode().rstrip("=")
        case "google":
            return f"AIzaSy{random.choice('ABCD')}{text[7:-1]}{random.choice('AEIMQUYcgkosw048')}"
        case "discord":
            identifier = base64.b64encode(str(random.randrange(10**17, 10**18)).encode()).decode().rstrip("=")
            return ".".join((identifier, *text.split(".")[1:]))
        case "base64-json":
            return _json_token(text, random)
        case "base64-64":
            return text.split("=", 1)[0] + "=" + base64.b64encode(octets(64)).decode()
        case "intercom":
            return base64.b64encode(b"tok:" + octets(20).hex().encode()).decode()
        case _:
            return text


def _json_token(text: str, random: Random) -> str:
    inner = {"k": random.randbytes(24).hex(), "n": "build", "id": random.randrange(9)}
    encoded = base64.b64encode(json.dumps(inner, separators=(",", ":")).encode()).decode().rstrip("=")
    if text.startswith("sntrys_"):
        return f"sntrys_{encoded}_{text[-43:]}"
    if text.startswith("glc_"):
        return f"glc_{encoded}"
    return encoded


EXAMPLES = {format_.id: format_ for format_ in FORMATS}
"""Formats by identifier, for templates that ask for an example of one."""
