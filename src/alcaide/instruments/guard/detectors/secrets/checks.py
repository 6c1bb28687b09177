"""Checksums and structures that credentials carry, by name: each says yes, no, or cannot tell.

A no is not proof that a token is harmless (it may be cut, or its issuer may have changed the scheme), so it lowers a
score and does not silence a finding. Only a check whose name ends in `!` decides alone: it guards shapes that have
nothing else to be recognised by.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

Outcome = bool | None

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def base62_checksum(body: str) -> str:
    """CRC-32 of `body` in base 62, six digits: what GitHub and npm end their tokens with."""
    value = zlib.crc32(body.encode("ascii"))
    digits = ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        digits = BASE62[digit] + digits
    return digits


def _crc32_base62(token: str) -> Outcome:
    body = token.split("_", 1)[1]
    if len(body) != 36:
        return None
    return base62_checksum(body[:-6]) == body[-6:]


def base36_checksum(body: str) -> str:
    """CRC-32 of `body` in base 36, seven digits: what GitLab's routable tokens end with."""
    value = zlib.crc32(body.encode("ascii"))
    digits = ""
    for _ in range(7):
        value, digit = divmod(value, 36)
        digits = BASE36[digit] + digits
    return digits


def _crc32_base36(token: str) -> Outcome:
    if "." not in token:
        return None
    return True if base36_checksum(token[:-7]) == token[-7:] else None


def _crc32_hex(token: str) -> Outcome:
    # Eight hexadecimal digits at the end, over everything before them.
    return True if f"{zlib.crc32(token[:-8].encode('ascii')):08X}" == token[-8:].upper() else None


def _atlassian(token: str) -> Outcome:
    body, _, checksum = token.rpartition("=")
    return True if f"{zlib.crc32(body.encode('ascii')):08X}" == checksum else None


def grafana_checksum(body: str) -> str:
    """CRC-32 of a service account token's body in hexadecimal."""
    return f"{zlib.crc32(body.encode('ascii')):08x}"


def _grafana(token: str) -> Outcome:
    body, _, checksum = token.rpartition("_")
    return True if grafana_checksum(body) == checksum.lower() else None


def aws_account(key_id: str) -> str | None:
    """The account number inside an AWS access key id, or None for an id of the older kind or no base 32 at all.

    The sixteen characters after the prefix are base 32; of the ten octets, the first six without their highest and
    their lowest seven bits are the account.
    """
    try:
        octets = base64.b32decode(key_id[4:])
    except (binascii.Error, ValueError):
        return None
    account = (int.from_bytes(octets[:6], "big") & 0x7FFFFFFFFF80) >> 7
    return f"{account:012d}" if account < 10**12 else None


def _aws_key_id(key_id: str) -> Outcome:
    return True if aws_account(key_id) else None


_GOOGLE_LAST = frozenset("AEIMQUYcgkosw048")


def _google(key: str) -> Outcome:
    # Base 64 of 29 octets, of which the first begin alike in every key: its 39th character carries four bits.
    return key[4:6] == "Sy" and key[6] in "ABCD" and key[-1] in _GOOGLE_LAST


def decoded(text: str) -> bytes | None:
    """Base 64 of either alphabet, with or without padding; None if it is none."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def decoded_json(text: str) -> Any:
    """The JSON object inside base 64, or None."""
    octets = decoded(text)
    if octets is None or not octets.startswith(b"{"):
        return None
    try:
        return json.loads(octets)
    except (ValueError, RecursionError):
        return None


def _base64_json(token: str) -> Outcome:
    body = token[token.find("eyJ") :] if "eyJ" in token else token.split("_", 1)[-1]
    if body.startswith("eyJ") and "_" in body:
        body = body.rsplit("_", 1)[0]
    return isinstance(decoded_json(body), dict)


def _base64_64(token: str) -> Outcome:
    octets = decoded(token)
    return octets is not None and len(octets) == 64


def _macaroon(token: str) -> Outcome:
    octets = decoded(token.removeprefix("pypi-")[: len(token) - 5 - (len(token) - 5) % 4])
    # Version 2 of the binary format: 2, then field 1 (the location) and its length.
    return octets is not None and octets[:2] == b"\x02\x01" and b"pypi.org" in octets[:24]


def _discord(token: str) -> Outcome:
    octets = decoded(token.split(".", 1)[0])
    return octets is not None and octets.isdigit()


def _intercom(token: str) -> Outcome:
    octets = decoded(token)
    return octets is not None and octets.startswith(b"tok:")


def _bech32_polymod(values: list[int]) -> int:
    generators = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for index, generator in enumerate(generators):
            checksum ^= generator if top >> index & 1 else 0
    return checksum


def _bech32_expanded(human: str) -> list[int]:
    return [ord(letter) >> 5 for letter in human] + [0] + [ord(letter) & 31 for letter in human]


def bech32(human: str, payload: list[int]) -> str:
    """`payload` (groups of five bits) as BIP 173 writes it."""
    polymod = _bech32_polymod(_bech32_expanded(human) + payload + [0] * 6) ^ 1
    checksum = [polymod >> 5 * (5 - index) & 31 for index in range(6)]
    return human + "1" + "".join(BECH32[value] for value in payload + checksum)


def _bech32(token: str) -> Outcome:
    human, _, tail = token.lower().rpartition("1")
    if any(letter not in BECH32 for letter in tail):
        return False
    return _bech32_polymod(_bech32_expanded(human) + [BECH32.index(letter) for letter in tail]) == 1


def base58check(octets: bytes) -> str:
    """`octets` and four octets of their double SHA-256 in base 58."""
    octets += hashlib.sha256(hashlib.sha256(octets).digest()).digest()[:4]
    value, text = int.from_bytes(octets, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = BASE58[digit] + text
    return "1" * (len(octets) - len(octets.lstrip(b"\0"))) + text


def _base58check(token: str) -> Outcome:
    value = 0
    for letter in token:
        digit = BASE58.find(letter)
        if digit < 0:
            return False
        value = value * 58 + digit
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    body, checksum = octets[:-4], octets[-4:]
    return hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4] == checksum


def crc16(octets: bytes) -> int:
    """CRC-16/XMODEM, which Stellar and NATS end their keys with."""
    value = 0
    for octet in octets:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1 & 0xFFFF
    return value


def _base32_crc16(token: str) -> Outcome:
    try:
        octets = base64.b32decode(token + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        return False
    return crc16(octets[:-2]) == int.from_bytes(octets[-2:], "little")


_JWT = re.compile(r"(eyJ[A-Za-z0-9_-]+)\.(eyJ[A-Za-z0-9_-]*|[A-Za-z0-9_-]+)?")


def jwt_parts(token: str) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
    """Header and claims of a JSON Web Token (RFC 7519), the claims None where encrypted; None if it is not one."""
    match = _JWT.match(token)
    if match is None:
        return None
    header = decoded_json(match[1])
    if not isinstance(header, dict) or not ({"alg", "enc", "typ"} & header.keys()):
        return None
    claims = decoded_json(match[2]) if match[2] else None
    return header, claims if isinstance(claims, dict) else None


CHECKS: Mapping[str, Callable[[str], Outcome]] = {
    "crc32-base62": _crc32_base62,
    "crc32-base36": _crc32_base36,
    "crc32-hex": _crc32_hex,
    "atlassian": _atlassian,
    "grafana": _grafana,
    "google": _google,
    "aws-key-id": _aws_key_id,
    "base64-json": _base64_json,
    "base64-64": _base64_64,
    "macaroon": _macaroon,
    "discord": _discord,
    "intercom": _intercom,
    "age": _bech32,
    "nostr": _bech32,
    "base58check": _base58check,
    "base58check!": _base58check,
    "stellar!": _base32_crc16,
    "nkey!": _base32_crc16,
}
"""Every check by the name that the tables of formats use."""
