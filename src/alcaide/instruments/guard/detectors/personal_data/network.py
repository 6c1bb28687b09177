"""Addresses of machines and of people's pages: IPv4, IPv6, MAC, URL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.personal_data.candidate import Candidate, Tier
from alcaide.instruments.guard.detectors.personal_data.reading import Reading

_VERSION = re.compile(
    r"(?:\bv|\bver\.?|\bversions?|\brelease|\bbuild|\bfirmware|section|§|\boid|chapter|rev\.?)[\s:=]{0,3}$"
)


def ipv4(written: str, around: tuple[str, str], start: int) -> Candidate | None:
    """Four numbers up to 255. A version number of four parts says that it is one."""
    parts = written.split(".")
    if len(parts) != 4 or any(not part.isdigit() or len(part) > 3 or int(part) > 255 for part in parts):
        return None
    if any(len(part) > 1 and part[0] == "0" for part in parts):
        return None
    small = all(int(part) < 20 for part in parts)
    named = re.search(r"\bip\b|\bipv4\b|\baddress|\bhost\b|\bserver\b|\bfrom\b|\bclient\b", around[0][-40:])
    score = 0.9 if not small else 0.45
    if named:
        score = max(score, 0.96 if not small else 0.8)
    if _VERSION.search(around[0][-16:]):
        score = 0.15
    return Candidate(
        start,
        start + len(written),
        "IP_ADDRESS",
        "ipv4",
        score,
        "is an IPv4 address",
        "warning",
        Tier.STRUCTURED,
        {"global": ipaddress.IPv4Address(written).is_global},
    )


_HEXADECIMAL = re.compile(r"[0-9a-f:]{0,39}(?:\d{1,3}(?:\.\d{1,3}){3})?")
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def colon_addresses(reading: Reading) -> Iterable[Candidate]:
    """IPv6 and MAC addresses written with colons."""
    lower = reading.lower
    reached = 0
    for colon in reading.colons:
        if colon < reached:
            continue
        start = colon
        while start > max(reached, colon - 4) and lower[start - 1] in "0123456789abcdef":
            start -= 1
        if start and (lower[start - 1].isalnum() or lower[start - 1] in ":."):
            continue
        match = _HEXADECIMAL.match(lower, start)
        if match is None:
            continue
        end = match.end()
        reached = max(end, colon + 1)
        if end < len(lower) and lower[end].isalnum():
            continue
        written = lower[start:end].rstrip(":") if not lower[start:end].endswith("::") else lower[start:end]
        yield from _colon_address(written, start)


def _colon_address(written: str, start: int) -> Iterable[Candidate]:
    if _MAC.fullmatch(written):
        yield Candidate(
            start,
            start + len(written),
            "MAC_ADDRESS",
            "mac",
            0.93,
            "is a network card's address",
            "warning",
            Tier.STRUCTURED,
        )
        return
    if written.count(":") < 2 or len(written) < 5 or re.fullmatch(r"\d{1,2}(?::\d{2}){1,3}", written):
        return
    try:
        address = ipaddress.IPv6Address(written)
    except ValueError:
        return
    yield Candidate(
        start,
        start + len(written),
        "IP_ADDRESS",
        "ipv6",
        0.95,
        "is an IPv6 address",
        "warning",
        Tier.STRUCTURED,
        {"global": address.is_global},
    )


URL = Pattern(
    "url",
    r"(?:https?://|\bwww\.)[^\s<>\"'`{}|\\^\[\]]{3,512}",
    ("http://", "https://", "www."),
    after=520,
)

_HANDLE = re.compile(
    r"(?:linkedin\.com/in/|(?:twitter|x|instagram|facebook|tiktok|github|gitlab|medium|reddit|t|"
    r"vk|pinterest|snapchat|"
    r"youtube|threads|mastodon\.social|bsky\.app)\.(?:com|net|me|social|app|org)/(?:u/|user/|"
    r"add/|profile/|channel/)?@?)"
    r"(?P<handle>[a-z0-9][a-z0-9_.-]{2,60})"
)
_QUERY_PERSON = re.compile(r"[?&;](?:email|mail|user(?:name)?|name|phone|ssn|token|uid|login)=[^&\s]{3,}")
_NOT_HANDLES = frozenset(
    [
        "about",
        "login",
        "explore",
        "home",
        "search",
        "help",
        "settings",
        "privacy",
        "terms",
        "features",
        "pricing",
        "topics",
        "trending",
        "orgs",
        "sponsors",
        "marketplace",
        "hashtag",
        "intent",
        "share",
        "sharer",
        "watch",
        "playlist",
        "results",
        "embed",
        "groups",
        "pages",
        "events",
        "company",
        "jobs",
    ]
)


def url(hit: Hit, lower: str) -> Candidate | None:
    """A web address: by itself a fact about a page; one that names a person's account is about that person."""
    end = hit.end
    while end > hit.start and lower[end - 1] in ".,;:!?)*_~":
        end -= 1
    written = lower[hit.start : end]
    host = re.sub(r"^https?://", "", written).split("/", 1)[0]
    if "." not in host.strip("."):
        return None
    handle = _HANDLE.search(written)
    personal = (handle is not None and handle["handle"] not in _NOT_HANDLES) or _QUERY_PERSON.search(written)
    return Candidate(
        hit.start,
        end,
        "URL",
        "url-personal" if personal else "url",
        0.9 if personal else 0.75,
        "is the address of a person's page" if personal else "is a web address",
        "warning" if personal else "note",
        Tier.STRUCTURED,
        {"host": host},
    )
