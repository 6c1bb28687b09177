"""Secrets known by what stands around them: tokens with a header, addresses, command lines, files of credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import re2

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.secrets import keyblocks
from alcaide.instruments.guard.detectors.secrets.candidates import chance
from alcaide.instruments.guard.detectors.secrets.checks import decoded, jwt_parts
from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.formats.format import Level
from alcaide.instruments.guard.detectors.secrets.placeholders import placeholder, reference, template

_HEADERS = (
    "authorization", "x-api-key", "api-key", "x-auth-token", "x-access-token", "private-token", "x-auth-key",
    "x-jfrog-art-api",
)  # fmt: skip
"""Headers of HTTP that hold credentials and nothing else."""

PATTERNS: tuple[Pattern, ...] = (
    Pattern(
        "private-key",
        r"-{4,5} ?begin [a-z0-9 ]{0,28}private key(?: block)? ?-{4,5}",
        ("private key-----", "private key block-----", "private key ----"),
        before=44,
        after=0,
    ),
    Pattern("putty-private-key", r"putty-user-key-file-[0-9]:", ("putty-user-key-file-",), after=4),
    Pattern("jwt", r"eyJ[A-Za-z0-9_.%-]{24,}", ("eyj",), after=4096, case_sensitive=True),
    Pattern(
        "basic-auth",
        r"(?i:basic)(?:\s|%20){1,4}(?P<secret>[A-Za-z0-9+/_-]{8,})",
        ("basic ", "basic%20"),
        after=400,
        case_sensitive=True,
    ),
    Pattern(
        "registry-auth",
        r"(?i:\"auth\"|_auth|_password)\s{0,3}[:=]\s{0,3}\"?(?P<secret>[A-Za-z0-9+/]{8,}={0,2})",
        ('"auth"', "_auth", "_password"),
        after=400,
        case_sensitive=True,
    ),
    Pattern(
        "registry-token",
        r"(?i:_authtoken)\s{0,3}[:=]\s{0,3}[\"']?(?P<secret>[^\s\"'<>]{8,})",
        ("_authtoken",),
        after=400,
        case_sensitive=True,
    ),
    Pattern(
        "kubeconfig-key",
        r"(?i:client-key-data|tls\.key)[\"']?:\s{0,4}[\"']?(?P<secret>[A-Za-z0-9+/]{40,}={0,2})",
        ("client-key-data", "tls.key"),
        after=4096,
        case_sensitive=True,
    ),
    Pattern(
        "pgpass",
        r"[\w.*-]{2,60}:5432:[\w*-]{1,40}:[\w.-]{1,40}:(?P<secret>[^\s:]{4,60})",
        (":5432:",),
        before=60,
        after=160,
        case_sensitive=True,
    ),
    Pattern(
        "command-line-user",
        r"(?:curl|wget|https?|xh)(?:[ \t][^|;]{0,300}?)?[ \t](?:-[a-zA-Z]{0,5}[ua]|--user|--proxy-user|--auth)[ =]{0,2}"
        r"[\"']?(?:[\w.@+%$\\-]{0,60}[\"']?:[\"']?(?P<secret>[^\s\"']{3,100})"
        r"|(?P<token>[\w.-]{16,100}):(?:[xX]?[\"'\s]|$))",
        ("curl ", "wget ", "http --", "http -a", "https -a", "xh -a"),
        after=500,
        case_sensitive=True,
    ),
    Pattern(
        "bundler-credentials",
        r"(?:BUNDLE_[A-Z0-9_]{1,60}__[A-Z]{2,12}|bundle config (?:set )?(?:--?[a-z]{1,12} ){0,2}[\w-]{1,40}"
        r"(?:\.[\w-]{1,40}){1,4})[\"']?[ \t]{0,3}(?:[:=]>?|[ \t])[ \t]{0,3}[\"']?(?P<secret>[\w.-]{3,60}:[\w.-]{4,80})",
        ("bundle_", "bundle config "),
        after=260,
        case_sensitive=True,
    ),
    Pattern(
        "command-line-password",
        r"(?:sshpass|mysql[a-z]{0,6}|redis-cli|docker login|mongosh?|smbclient|psexec|az login|ldap[a-z]{3,9}"
        r"|keytool|7za?|unzip|xfreerdp|plink|pscp|sqlcmd|mosquitto_[a-z]{3})[ \t](?:[^\n|;&]{0,120}?[ \t])?"
        r"(?:-p|-a|-w|-pw|-P|/p:|-storepass|-keypass|--pass(?:word)?|-U[ ]?[\w.@\\/-]{1,40}%)[ =]?"
        r"[\"']?(?P<secret>[^\s\"'-][^\s\"']{3,100})",
        (
            "sshpass", "mysql", "redis-cli", "docker login", "mongo", "smbclient", "psexec", "az login", "ldapsearch",
            "ldapmodify", "ldapadd", "ldapwhoami", "ldappasswd", "ldapdelete", "keytool ", "7z ", "7za ", "unzip ",
            "xfreerdp", "plink ", "pscp ", "sqlcmd", "mosquitto_",
        ),
        after=250,
        case_sensitive=True,
    ),
    Pattern(
        "piped-password",
        r"echo[ \t]{1,3}(?:-n[ \t]{1,3})?[\"']?(?:[\w.-]{1,40}:)?(?P<secret>[^\s\"'|:]{4,100})[\"']?[ \t]{0,3}\|"
        r"[ \t]{0,3}(?:sudo -S|docker login|passwd|chpasswd|gh auth|helm registry)",
        ("| sudo -s", "|sudo -s", "| docker login", "| passwd", "| chpasswd", "|chpasswd", "| gh auth", "| helm reg"),
        before=160,
        case_sensitive=True,
    ),
    Pattern(
        "authorization-header",
        r"(?i:(?:proxy-)?authorization|x-api-key|api-key|x-auth-token|x-access-token|private-token|x-auth-key|x-jfrog-art-api)"
        r"[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
        r"(?:(?i:bearer|token|basic|api-?key|key|bot|jwt|oauth|app|digest|splunk|genie-?key|negotiate)[ =]{1,2})?"
        r"(?P<secret>[A-Za-z0-9][A-Za-z0-9_+/=.:~-]{9,160})",
        tuple(f"{header}{mark}" for header in _HEADERS for mark in (":", '"', "'", "=")),
        after=210,
        case_sensitive=True,
    ),
    Pattern(
        "user-and-password",
        r"auth\s{0,2}=\s{0,2}\(\s{0,2}[\"'][^\"'\n]{1,60}[\"'],\s{0,2}[\"'](?P<secret>[^\"'\n]{4,100})[\"']\s{0,2}\)",
        ("auth=(", "auth = ("),
        after=200,
        case_sensitive=True,
    ),
    Pattern(
        "wifi-password",
        r"wifi:(?:[sth]:[^;\n]{0,64};){1,4}p:(?P<secret>[^;\n]{8,63});",
        ("wifi:s:", "wifi:t:", "wifi:h:"),
        after=240,
    ),
    Pattern(
        "secure-string",
        r"(?i:convertto-securestring)[ \t]{1,3}(?:(?i:-string)[ \t]{1,3})?[\"'](?P<secret>[^\"'\n$]{4,120})[\"']",
        ("convertto-securestring",),
        after=160,
        case_sensitive=True,
    ),
    Pattern(
        "wordpress-key",
        r"(?:(?:SECURE_)?AUTH|LOGGED_IN|NONCE)_(?:KEY|SALT)[\"']\s{0,6},\s{0,6}[\"'](?P<secret>[^'\"\n]{30,100})",
        ("auth_key", "auth_salt", "logged_in_key", "logged_in_salt", "nonce_key", "nonce_salt"),
        before=7,
        after=130,
        case_sensitive=True,
    ),
    Pattern(
        "kubernetes-secret",
        r"kind[\"']?:\s{0,3}[\"']?secret\b",
        ("kind: secret", 'kind: "secret', '"kind":"secret', '"kind": "secret'),
        after=2,
    ),
    Pattern(
        "seed-phrase",
        r"(?:seed|recovery|secret|backup) phrase|mnemonic|seed words",
        ("seed phrase", "recovery phrase", "secret phrase", "backup phrase", "mnemonic", "seed words"),
        after=0,
    ),
    Pattern("jwk-private-key", r"\"kty\"", ('"kty"',), after=0),
    Pattern(
        "password-hash",
        r"\$(?:2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|[156]\$[./A-Za-z0-9$=]{20,}|apr1\$[./A-Za-z0-9$]{20,}"
        r"|y\$[./A-Za-z0-9$]{40,}|argon2(?:id|i|d)\$[A-Za-z0-9+/=,$]{30,})",
        ("$2a$", "$2b$", "$2x$", "$2y$", "$1$", "$5$", "$6$", "$apr1$", "$y$", "$argon2"),
        after=200,
        case_sensitive=True,
    ),
)  # fmt: skip
"""Declared to the shared pass; `finds` turns each hit into a secret or lets it go."""

SIGNATURE = 22
"""Characters of base64 that the shortest signature of a token has; HS256 has 43, some cut it in half."""
MANIFEST = 8192
"""Characters of one manifest that are looked at."""

_SEED = re.compile(r"[a-z]{3,8}(?:[ ,\n]{1,2}(?:[0-9]{1,2}[.)] ?)?[a-z]{3,8}){11,23}")
_USERINFO = re2.compile(rb"(?i)[a-z][a-z0-9+.-]*://[^\s/?#:@\"'<>`]*:([^\s/@\"'<>`]+)@[a-z0-9\[$*_%-]")
_PORT = re.compile(r"[0-9]{1,5}(?:[?#]|$)")
_PAIR = re.compile(r"[ \t]{1,8}([\w.-]{1,80}):[ \t]{1,4}[\"']?([^\s\"'|>#]{4,4000})[\"']?[ \t]*")
_COMMON = ("user", "host", "name", "port", "url", "crt", "ca.")
"""Parts of names in a manifest whose values are rarely the secret itself."""
_TEACHING = frozenset(
    word
    for line in (
        "password pass passwd pwd secret user username token key changeme mypassword mypass yourpassword pw test",
        "p@ssw0rd port 1234 12345 xxx guest tiger",
    )
    for word in line.split()
)
"""What manuals write for a password."""


def finds(hit: Hit, text: str, lower: str) -> tuple[list[Find], int]:
    """The secrets behind a hit of one of `PATTERNS`, and up to where further hits of its rule would say the same."""
    if hit.rule == "kubernetes-secret":
        return _kubernetes(text, hit.start)
    found = _READERS[hit.rule](hit, text, lower)
    return ([], hit.start + 1) if found is None else ([found], found.end)


def in_addresses(plain: bytes, text: str) -> list[Find]:
    """Passwords in the user part of addresses (RFC 3986 §3.2.1): databases, queues, package indexes, remotes."""
    if b"@" not in plain or b"://" not in plain:
        return []
    found = []
    for match in _USERINFO.finditer(plain):
        start, end = match.span(1)
        value = text[start:end]
        if not 3 <= len(value) <= 400 or template(value) or value.startswith(("$", "<", "%(")):
            continue
        if "{" in value or "}" in value or _PORT.match(value) or _variable(value):
            continue
        if plain.endswith(b"/" + value.encode("ascii", "replace") + b":", 0, start):
            continue  # user and password alike: how every manual and every fresh installation has it
        found.append(_told(value, start, end, "address-password", "password in an address"))
    return found


def _told(value: str, start: int, end: int, rule: str, message: str) -> Find:
    weak = value.lower() in _TEACHING or placeholder(value)
    return Find(rule, start, end, 0.4 if weak else 0.92, message, "PASSWORD", specific=1)


def _plain(hit: Hit, text: str, message: str) -> Find | None:
    start, end = hit.groups["secret"]
    value = text[start:end]
    if template(value) or reference(value) or value.isdigit() or value.startswith("$") or _variable(value):
        return None
    if text[max(0, start - len(value) - 2) : start].endswith(
        tuple(f"{before}{value}:" for before in " '\"=u")
    ):
        return None  # `-u admin:admin`
    return _told(value, start, end, hit.rule, message)


def _variable(value: str) -> bool:
    """Whether `value` is the name of a variable: `API_TOKEN`, `PASSWORD`."""
    return value.isupper() and value.replace("_", "").isalpha()


def _bundler(hit: Hit, text: str) -> Find | None:
    """What Bundler shows a package source: user and password, together the secret."""
    found = _plain(hit, text, "credentials of a package source")
    if found is not None and text[found.start : found.end].rpartition(":")[2].lower() in _TEACHING:
        return None
    return found


def _user(hit: Hit, text: str) -> Find | None:
    """`user:password` on a command line, or a token alone in the place of the user."""
    if "secret" in hit.groups:
        return _plain(hit, text, "password on a command line")
    start, end = hit.groups["token"]
    value = text[start:end]
    if template(value) or _variable(value) or chance(value) < 0.4 * len(value):
        return None
    return _told(value, start, end, hit.rule, "token on a command line")


def _header(hit: Hit, text: str) -> Find | None:
    """What a header for credentials holds: its place says what it is, though it looks less random than most keys."""
    if hit.start and text[hit.start - 1].isalnum():
        return None  # `AggregationAuthorization`
    start, end = hit.groups["secret"]
    value = text[start:end].rstrip(".:")
    drawn = any(map(str.isdigit, value)) and any(map(str.isalpha, value)) and chance(value) >= 0
    if not drawn or template(value) or reference(value) or placeholder(value) or value.startswith("eyJ"):
        return None
    message = "credentials in a header"
    return Find(hit.rule, start, start + len(value), 0.6, message, "TOKEN", evidence={"length": len(value)})


def _jwt(hit: Hit, text: str, _lower: str) -> Find | None:
    start = hit.start
    if start and text[start - 1].isalnum():
        return None
    token = text[start : hit.end].rstrip(".")
    parts = jwt_parts(token)
    pieces = token.split(".")
    if parts is None or len(pieces) not in (2, 3, 5) or len(pieces[1]) < 4:
        return None
    header, claims = parts
    if len(pieces) > 2 and 0 < len(pieces[2]) < SIGNATURE and len(pieces) == 3:
        return None
    score, level = _of_claims(claims or {}, signed=len(pieces) > 2 and bool(pieces[2]))
    evidence = {"alg": str(header.get("alg", ""))[:12]}
    end = start + len(token)
    return Find("jwt", start, end, score, "signed token (JWT)", "TOKEN", level, specific=1, evidence=evidence)


def _of_claims(claims: dict[str, object], *, signed: bool) -> tuple[float, Level]:
    if claims.get("name") == "John Doe" or claims.get("sub") == "1234567890":
        return 0.35, "error"  # the token that every manual shows
    if claims.get("role") == "anon":
        return 0.55, "note"  # made to be public
    return (0.92 if signed else 0.6), "error"


def _basic(hit: Hit, text: str, _lower: str) -> Find | None:
    return _user_and_password(hit, text, "credentials of HTTP basic authentication", alone=False)


def _registry(hit: Hit, text: str, lower: str) -> Find | None:
    alone = lower.startswith("_password", hit.start)
    return _user_and_password(hit, text, "credentials of a package or container registry", alone=alone)


def _user_and_password(hit: Hit, text: str, message: str, *, alone: bool) -> Find | None:
    """Base64 of `user:password`, or of the password `alone`."""
    start, end = hit.groups["secret"]
    while end < len(text) and text[end] == "=":
        end += 1
    octets = decoded(text[start:end])
    if octets is None or not octets.isascii():
        return None
    plain = octets.decode("ascii")
    user, colon, secret = plain.partition(":")
    if not plain.isprintable() or not (alone or (colon and secret and " " not in user)):
        return None
    return _told(secret or user, start, end, hit.rule, message)


def _registry_token(hit: Hit, text: str, _lower: str) -> Find | None:
    start, end = hit.groups["secret"]
    if template(text[start:end]) or placeholder(text[start:end]):
        return None
    message = "access token of a package registry"
    return Find("registry-token", start, end, 0.95, message, "TOKEN", specific=1)


def _encoded_key(hit: Hit, text: str, _lower: str) -> Find | None:
    start, end = hit.groups["secret"]
    octets = decoded(text[start:end])
    if octets is None or (b"PRIVATE KEY" not in octets[:80] and len(octets) < 200):
        return None
    message = "private key of a Kubernetes client"
    return Find("kubeconfig-key", start, end, 0.97, message, "PRIVATE_KEY", specific=1)


def _seed(hit: Hit, text: str, _lower: str) -> Find | None:
    words = _SEED.search(text, hit.end, min(len(text), hit.end + 400))
    if words is None or words.start() > hit.end + 80 or len(set(words[0].split())) < 9:
        return None
    return Find("seed-phrase", *words.span(), 0.75, "recovery words of a wallet", "PRIVATE_KEY", specific=1)


def _hash(hit: Hit, _text: str, _lower: str) -> Find | None:
    message = "hash of a password, which can be guessed offline"
    return Find("password-hash", hit.start, hit.end, 0.4, message, "PASSWORD", "warning", specific=1)


def _kubernetes(text: str, at: int) -> tuple[list[Find], int]:
    """Values of a Kubernetes Secret: base64 under `data`, plain under `stringData`."""
    low = max(text.rfind("\n---", max(0, at - MANIFEST), at), at - MANIFEST, 0)
    high = text.find("\n---", at, at + MANIFEST)
    high = min(len(text), at + MANIFEST) if high < 0 else high
    found = []
    block = ""
    start = low
    for line in text[low:high].split("\n"):
        if line and not line[0].isspace():
            block = line.rstrip() if line.rstrip() in ("data:", "stringData:") else ""
        elif block and (pair := _PAIR.fullmatch(line)) is not None:
            one = _value(pair, start, encoded=block == "data:")
            if one is not None:
                found.append(one)
        start += len(line) + 1
    return found, high


def _value(line: re.Match[str], at: int, *, encoded: bool) -> Find | None:
    value = line[2]
    octets = decoded(value) if encoded else value.encode()
    if octets is None or len(octets) < 4 or template(value) or b"CERTIFICATE-" in octets[:40]:
        return None
    plain = octets.decode("utf-8", "replace")
    if template(plain) or placeholder(plain) or plain.lower() in _TEACHING:
        score = 0.35
    else:
        score = 0.55 if any(word in line[1].lower() for word in _COMMON) else 0.88
    message = "value of a Kubernetes Secret"
    start, end = line.span(2)
    return Find("kubernetes-secret", at + start, at + end, score, message, "PASSWORD", specific=1)


_READERS: Mapping[str, Callable[[Hit, str, str], Find | None]] = {
    "private-key": lambda hit, text, _: keyblocks.armoured(text, hit.start, hit.end),
    "putty-private-key": lambda hit, text, lower: keyblocks.putty(text, lower, hit.start),
    "jwk-private-key": lambda hit, text, _: keyblocks.web_key(text, hit.start, hit.end),
    "jwt": _jwt,
    "basic-auth": _basic,
    "registry-auth": _registry,
    "registry-token": _registry_token,
    "kubeconfig-key": _encoded_key,
    "pgpass": lambda hit, text, _: _plain(hit, text, "password of a PostgreSQL password file"),
    "command-line-user": lambda hit, text, _: _user(hit, text),
    "bundler-credentials": lambda hit, text, _: _bundler(hit, text),
    "command-line-password": lambda hit, text, _: _plain(hit, text, "password on a command line"),
    "piped-password": lambda hit, text, _: _plain(hit, text, "password on a command line"),
    "authorization-header": lambda hit, text, _: _header(hit, text),
    "user-and-password": lambda hit, text, _: _plain(hit, text, "password of HTTP authentication"),
    "wifi-password": lambda hit, text, _: _plain(hit, text, "password of a wireless network"),
    "secure-string": lambda hit, text, _: _plain(hit, text, "password in a script"),
    "wordpress-key": lambda hit, text, _: _plain(hit, text, "key of a WordPress site"),
    "seed-phrase": _seed,
    "password-hash": _hash,
}
