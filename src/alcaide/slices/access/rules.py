"""What access decides by arithmetic alone: good passwords, roles from claims, when to slow a guesser down.

No database, no clock, no hashing: the service brings those.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

PASSWORD_SHORTEST = 12
PASSWORD_LONGEST = 256
_DIFFERENT_LETTERS = 6
_UNGUESSED = 5
"""After common words, runs and the person's own name are taken out, this many characters must be left over."""

# Stems at the top of every published count of leaked passwords, and words that people here would think of.
_COMMON_WORDS = (
    "password passwort passwd pass senha contrasena motdepasse wachtwoord welcome willkommen bienvenue "
    "letmein openup qwertyuiop qwertzuiop azertyuiop qwerty qwertz azerty asdfghjkl asdfgh asdf zxcvbnm "
    "zxcvb qazwsx qazwsxedc abcdefghijkl abcdef abcd abc monkey dragon football baseball basketball "
    "soccer hockey iloveyou loveyou love princess sunshine shadow master superman batman spiderman "
    "pokemon starwars trustno freedom whatever michael jessica jennifer ashley charlie daniel thomas "
    "andrew jordan harley ranger buster hunter killer tigger summer winter spring autumn monday tuesday "
    "wednesday thursday friday january february march april august september october november december "
    "hello secret changeme change default admin administrator root user guest test testing login access "
    "manager company office server system database computer internet google security cyber compliance "
    "audit governance alcaide correcthorsebatterystaple correct horse battery staple "
)
_COMMON = tuple(_COMMON_WORDS.split())
_LEET = str.maketrans("013457@$!|", "oieastasil")
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "01234567890")
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f<>\"(),:;\\\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}\Z"
)
_ROLE = re.compile(r"[a-z][a-z0-9-]{1,39}\Z")


def email_address(typed: str) -> str | None:
    """The address as it is kept and compared: trimmed, NFC, lower case. None if it cannot be one."""
    address = unicodedata.normalize("NFC", typed.strip()).lower()
    return address if len(address) <= 254 and _EMAIL.match(address) else None


def password_problems(password: str, about: Iterable[str] = ()) -> tuple[str, ...]:
    """Why `password` is not good enough, each reason one a person can act on; empty if it will do.

    Length is what counts; composition rules are left out on purpose, because they make passwords worse
    (NIST SP 800-63B §3.1.1.2). `about` is what a guesser would know: the person's name and address.
    """
    if len(password) < PASSWORD_SHORTEST:
        return (f"use at least {PASSWORD_SHORTEST} characters; four unrelated words are easy to remember",)
    if len(password) > PASSWORD_LONGEST:
        return (f"use at most {PASSWORD_LONGEST} characters",)
    problems = []
    plain = unicodedata.normalize("NFKC", password).lower()
    if len(set(plain)) < _DIFFERENT_LETTERS:
        problems.append(f"use at least {_DIFFERENT_LETTERS} different characters")
    elif len(_without_guessable(plain, about)) < _UNGUESSED:
        problems.append("this is made of words and patterns that are tried first; add words of your own")
    return tuple(problems)


def _without_guessable(plain: str, about: Iterable[str]) -> str:
    own = [word for text in about for word in re.split(r"[^a-z0-9]+", text.lower()) if len(word) >= 3]
    rest = _without_runs(re.sub(r"(.)\1{2,}", " ", plain)).translate(_LEET)
    for word in sorted({*_COMMON, *own}, key=len, reverse=True):
        rest = rest.replace(word, " ")
    # What is left of letters, and of signs other than those that people add first when they are asked for more.
    return re.sub(r"[^a-z]", "", rest) + re.sub(r"[a-z\s\d!.?*#-]", "", rest)


def _without_runs(text: str) -> str:
    """Without years, and without four or more neighbours of the alphabet, of a keyboard's row or of the digits."""
    text = re.sub(r"(19|20)\d\d", " ", text)
    for run in (*_RUNS, *(run[::-1] for run in _RUNS)):
        for length in range(len(run), 3, -1):
            for start in range(len(run) - length + 1):
                text = text.replace(run[start : start + length], " ")
    return re.sub(r"\b\d{1,3}\b", " ", text)


def plain_text(text: str, most: int) -> str:
    """Text that every database and page can hold: control characters and half surrogates become spaces."""
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cs") else letter for letter in text)[:most]


def person_name(typed: str) -> str | None:
    """A name fit to show: one line, no control characters, 1 to 120 characters."""
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    shown = all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co") for letter in name)
    return name if 0 < len(name) <= 120 and shown else None


def unknown_roles(roles: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Those that are not roles here, in order."""
    return tuple(sorted({role for role in roles if role not in known or not _ROLE.match(role)}))


def role_name(typed: str) -> str | None:
    """A name that a role can have: two to forty lower-case letters, digits and dashes."""
    return typed.strip() if _ROLE.match(typed.strip()) else None


def grantable(actions: Iterable[str]) -> tuple[str, ...]:
    """The actions that a role of one's own making may name.

    Not those by which rights are given, and not those about one's own account: a list of actions knows nothing of
    whose account it is, and would open everybody's.
    """
    return tuple(
        sorted(a for a in actions if not a.startswith("access.") or a in ("access.view", "access.audit"))
    )


def widens_own_role(*, own: bool, before: Collection[str], after: Collection[str]) -> tuple[str, ...]:
    """The actions that somebody is about to give themselves by widening a role that they have."""
    return tuple(sorted(set(after) - set(before))) if own else ()


def own_rise(*, own: bool, before: Collection[str], after: Collection[str]) -> tuple[str, ...]:
    """The roles that somebody is about to give to themselves. Nobody may, administrators included."""
    return tuple(sorted(set(after) - set(before))) if own else ()


def leaves_no_admin(*, was_admin: bool, stays_admin: bool, other_admins: int) -> bool:
    """Whether a change would leave nobody who can undo it."""
    return was_admin and not stays_admin and other_admins == 0


def scope_problems(scopes: Collection[str], actions: Collection[str]) -> tuple[str, ...]:
    """Scopes that name no action: a token with a misspelt scope would be refused later, so it is refused now."""
    areas = {action.partition(".")[0] for action in actions}
    verbs = {action.partition(".")[2] for action in actions}
    good = {*actions, *(f"{area}.*" for area in areas), *(f"*.{verb}" for verb in verbs), "*"}
    return tuple(sorted(set(scopes) - good))


def roles_by_claims(
    *,
    email: str,
    email_verified: bool,
    groups: Collection[str],
    group_roles: Mapping[str, Collection[str]],
    email_roles: Mapping[str, Collection[str]],
    default_roles: Collection[str],
) -> tuple[str, ...]:
    """The roles that single sign-on gives: by group, by verified address or its `@domain`, or the default ones.

    An unverified address gives nothing: a provider where people type their own address would hand out roles.
    """
    roles: set[str] = set()
    for group in groups:
        roles.update(group_roles.get(group, ()))
    if email_verified and "@" in email:
        address = email.lower()
        roles.update(email_roles.get(address, ()))
        roles.update(email_roles.get("@" + address.rpartition("@")[2], ()))
    return tuple(sorted(roles or default_roles))


@dataclass(frozen=True)
class Limit:
    """How many failures are free, and how long the waiting grows after them.

    A success forgets the failures before it, except under a key that strangers share: there it takes back
    only itself, or whoever has one account could keep signing in to it and guess at the others for ever.
    """

    free: int
    first_wait: timedelta
    longest_wait: timedelta
    forget_after: timedelta
    shared: bool = False


@dataclass(frozen=True)
class Tally:
    """Failures so far under one key."""

    failures: int = 0
    last_at: datetime | None = None
    blocked_until: datetime | None = None


FROM_HERE = Limit(5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=2))
"""One account from one address: five tries, then the wait doubles from 30 s to 15 min."""
ANYWHERE = Limit(40, timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=2), shared=True)
"""One account from all addresses together.

High and short: a stranger must not be able to lock its owner out.
"""
ADDRESS = Limit(60, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=2), shared=True)
"""One address over all accounts: an office behind one address has room, a password spray has not."""
SECOND_FACTOR = Limit(5, timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=24))
"""Six digits with three valid at a time: at two tries an hour, guessing one takes about 19 years on average."""


def after_failure(tally: Tally, limit: Limit, now: datetime) -> Tally:
    """The tally with one more failure at `now`."""
    stale = tally.last_at is None or now - tally.last_at > limit.forget_after
    failures = 1 if stale else tally.failures + 1
    over = failures - limit.free
    if over < 0:
        return Tally(failures, now, None)
    wait = min(limit.longest_wait, limit.first_wait * 2 ** min(over, 20))
    return Tally(failures, now, now + wait)


def seconds_blocked(tally: Tally, now: datetime) -> int:
    """How long a next try has to wait; 0 if it need not."""
    if tally.blocked_until is None or tally.blocked_until <= now:
        return 0
    return int((tally.blocked_until - now).total_seconds()) + 1


def address_group(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one, which is one customer."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address) + "/64"
    return str(parsed)


_BROWSERS = (
    # In this order, because each names those after it as well.
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """What a person would call this browser, for them to know their sessions by. A claim of the browser's, no more."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or agent[:60] or "unknown"


def safe_path(wanted: str | None) -> str:
    """Where to go after signing in: a path on this site, else the first page. Never another site."""
    if not wanted or len(wanted) > 500 or not wanted.startswith("/") or wanted.startswith(("//", "/\\")):
        return "/"
    if any(ord(letter) < 33 or letter == "\\" for letter in wanted):
        return "/"
    return wanted
