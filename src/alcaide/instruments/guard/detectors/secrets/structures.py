"""Secrets known by the structure around them: key blocks, tokens with a header, addresses and files with credentials."""

from __future__ import annotations

import re

import re2

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.secrets.checks import decoded, jwt_parts
from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.placeholders import placeholder, template

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
        r"(?:-u|--user)[ =]{1,2}[\"']?[\w.@+-]{1,60}:(?P<secret>[^\s\"'@]{4,100})",
        ("-u ", "--user"),
        after=170,
        case_sensitive=True,
    ),
    Pattern(
        "command-line-password",
        r"(?:sshpass|mysql[a-z]{0,6}|redis-cli|docker login|mongosh?|smbclient|psexec)[ \t][^\n|;&]{0,120}?(?:-p|-a|--pass(?:word)?)[ =]?"
        r"[\"']?(?P<secret>[^\s\"'-][^\s\"']{3,100})",
        ("sshpass", "mysql", "redis-cli", "docker login", "mongo", "smbclient", "psexec"),
        after=250,
        case_sensitive=True,
    ),
    Pattern(
        "piped-password",
        r"echo[ \t]{1,3}(?:-n[ \t]{1,3})?[\"']?(?:[\w.-]{1,40}:)?(?P<secret>[^\s\"'|:]{4,100})[\"']?[ \t]{0,3}\|[ \t]{0,3}"
        r"(?:sudo -S|docker login|passwd|chpasswd|gh auth|helm registry)",
        ("| sudo -s", "|sudo -s", "| docker login", "| passwd", "| chpasswd", "|chpasswd", "| gh auth", "| helm registry"),
        before=160,
        case_sensitive=True,
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
    Pattern("kubernetes-secret", r"kind[\"']?:\s{0,3}[\"']?secret\b", ("kind: secret", "kind: \"secret", '"kind":"secret', '"kind": "secret'), after=2),
    Pattern("seed-phrase", r"(?:seed|recovery|secret|backup) phrase|mnemonic|seed words", ("seed phrase", "recovery phrase", "secret phrase", "backup phrase", "mnemonic", "seed words"), after=0),
    Pattern("jwk-private-key", r"\"kty\"", ('"kty"',), after=0),
    Pattern(
        "password-hash",
        r"\$(?:2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|[156]\$[./A-Za-z0-9$=]{20,}|apr1\$[./A-Za-z0-9$]{20,}|y\$[./A-Za-z0-9$]{40,}|argon2(?:id|i|d)\$[A-Za-z0-9+/=,$]{30,})",
        ("$2a$", "$2b$", "$2x$", "$2y$", "$1$", "$5$", "$6$", "$apr1$", "$y$", "$argon2"),
        after=200,
        case_sensitive=True,
    ),
)  # fmt: skip
"""Declared to the shared pass; `find` turns each hit into a secret or lets it go."""

KEY_BLOCK = 16_384
"""Characters a key block may have: a 16,384-bit RSA key takes 12.7 kB as PEM, escapes included."""

_BODY = re.compile(r"(?:[A-Za-z0-9+/=]|\\[nr]|[\s\"'+,\\|>])+")
_ESCAPES = re.compile(r"\\[nr]|[\s\"'+,\\|>]")
_HEADERS = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version|Subject|Charset|Hash): [^\n\\]{0,200}")
_WORDS = re.compile(r"[a-z]{3,8}(?:[ ,\n]{1,2}(?:[0-9]{1,2}[.)] ?)?[a-z]{3,8}){11,23}")
_PRIVATE_NUMBER = re.compile(r"\"(?:d|k)\"\s{0,3}:\s{0,3}\"([A-Za-z0-9_-]{20,2000})\"")
_USERINFO = re2.compile(rb"(?i)[a-z][a-z0-9+.-]*://[^\s/?#:@\"'<>`]*:([^\s/@\"'<>`]+)@[a-z0-9\[$*_%-]")
_PORT = re.compile(r"[0-9]{1,5}(?:[?#]|$)")
MANIFEST = 8192
"""Characters of one manifest that are looked at."""
_DATA = re.compile(r"^(data|stringData):[ \t]*$", re.MULTILINE)
_UNINDENTED = re.compile(r"^[^\s#]", re.MULTILINE)
_PAIR = re.compile(
    r"^[ \t]{1,8}([\w.-]{1,80}):[ \t]{1,4}[\"']?([^\s\"'|>#]{4,4000})[\"']?[ \t]*$", re.MULTILINE
)
_TEACHING = frozenset(
    "password pass passwd pwd secret user username token key changeme mypassword mypass yourpassword pw test p@ssw0rd "
    "port 1234 12345 xxx guest tiger".split()
)


def finds(hit: Hit, text: str, lower: str) -> list[Find]:
    """The secrets behind a hit of one of `PATTERNS`."""
    if hit.rule == "kubernetes-secret":
        return _kubernetes(text, hit.start)
    found = _find(hit, text, lower)
    return [] if found is None else [found]


def _kubernetes(text: str, at: int) -> list[Find]:
    """Values of a Kubernetes Secret: base64 under `data`, plain under `stringData`."""
    low = text.rfind("\n---", max(0, at - MANIFEST), at)
    low = max(0, at - MANIFEST) if low < 0 else low
    high = text.find("\n---", at, at + MANIFEST)
    high = min(len(text), at + MANIFEST) if high < 0 else high
    found = []
    for block in _DATA.finditer(text, low, high):
        encoded = block[1].lower() == "data"
        for line in _PAIR.finditer(text, block.end(), min(high, block.end() + MANIFEST)):
            if _UNINDENTED.search(text, block.end(), line.start()):
                break  # the next part of the manifest
            value = line[2]
            octets = decoded(value) if encoded else value.encode()
            if octets is None or len(octets) < 4 or template(value) or b"CERTIFICATE-" in octets[:40]:
                continue
            plain = octets.decode("utf-8", "replace")
            weak = template(plain) or placeholder(plain) or plain.lower() in _TEACHING
            common = any(
                word in line[1].lower() for word in ("user", "host", "name", "port", "url", "crt", "ca.")
            )
            score = 0.35 if weak else 0.55 if common else 0.88
            found.append(
                Find(
                    "kubernetes-secret",
                    *line.span(2),
                    score,
                    "value of a Kubernetes Secret",
                    "PASSWORD",
                    specific=1,
                )
            )
    return found


def _find(hit: Hit, text: str, lower: str) -> Find | None:
    start, end = hit.groups.get("secret", (hit.start, hit.end))
    match hit.rule:
        case "private-key":
            return _key_block(text, hit.start, hit.end)
        case "putty-private-key":
            return _putty(text, lower, hit.start)
        case "jwt":
            return _jwt(text, hit.start, hit.end)
        case "basic-auth":
            return _user_and_password(
                text, start, end, "basic-auth", "credentials of HTTP basic authentication"
            )
        case "registry-auth":
            return _user_and_password(
                text,
                start,
                end,
                "registry-auth",
                "credentials of a package or container registry",
                any_decodes="_password" in lower[hit.start : hit.start + 10],
            )
        case "registry-token":
            value = text[start:end]
            if template(value) or placeholder(value):
                return None
            return Find(
                "registry-token", start, end, 0.95, "access token of a package registry", "TOKEN", specific=1
            )
        case "kubeconfig-key":
            return _encoded_key(text, start, end)
        case "pgpass":
            return _plain(text, start, end, "pgpass", "password of a PostgreSQL password file")
        case "command-line-user":
            if (
                "curl" not in lower[max(0, hit.start - 300) : hit.start]
                and "http" not in lower[hit.start : hit.end + 200]
            ):
                return None
            return _plain(text, start, end, "command-line-user", "password on a command line")
        case "command-line-password" | "piped-password" | "secure-string":
            return _plain(text, start, end, hit.rule, "password on a command line")
        case "wordpress-key":
            return _plain(text, start, end, "wordpress-key", "key of a WordPress site")
        case "seed-phrase":
            words = _WORDS.search(text, hit.end, min(len(text), hit.end + 400))
            if words is None or words.start() > hit.end + 80 or len(set(words[0].split())) < 9:
                return None
            return Find(
                "seed-phrase",
                words.start(),
                words.end(),
                0.75,
                "recovery words of a wallet",
                "PRIVATE_KEY",
                specific=1,
            )
        case "jwk-private-key":
            low = max(0, hit.start - 2400)
            inside = _PRIVATE_NUMBER.search(text, low, min(len(text), hit.end + 2400))
            if inside is None:
                return None
            return Find(
                "jwk-private-key",
                inside.start(1),
                inside.end(1),
                0.95,
                "private part of a JSON Web Key",
                "PRIVATE_KEY",
                specific=1,
            )
        case _:
            return Find(
                "password-hash",
                start,
                end,
                0.4,
                "hash of a password, which can be guessed offline",
                "PASSWORD",
                "warning",
                specific=1,
            )


def _key_block(text: str, start: int, end: int) -> Find | None:
    label = text[start:end].strip("- ")
    limit = min(len(text), end + KEY_BLOCK)
    at = text.find("-----END", end, limit)
    if at >= 0:
        close = text.find("-----", at + 8, at + 60)
        last = close + 5 if close >= 0 else at + 8
        inner = text[end:at]
    else:
        skipped = end
        body = _BODY.match(text, end, limit)
        last = body.end() if body else end
        inner = text[skipped:last]
        while last > end and text[last - 1] in " \n\r\t\"',":
            last -= 1
    material = _ESCAPES.sub("", _HEADERS.sub("", inner))
    if len(material) < 24:
        return (
            None
            if len(material) < 4 or not material.isalnum()
            else Find(
                "private-key",
                start,
                last,
                0.4,
                f"beginning of a private key ({label.lower()})",
                "PRIVATE_KEY",
                specific=2,
            )
        )
    distinct = len(set(material[:400]))
    if distinct < 10 or placeholder(material[:40]) and distinct < 20:
        return Find(
            "private-key", start, last, 0.3, "placeholder of a private key", "PRIVATE_KEY", specific=2
        )
    truncated = at < 0
    return Find(
        "private-key",
        start,
        last,
        0.95 if truncated else 0.99,
        "private key, cut short" if truncated else "private key",
        "PRIVATE_KEY",
        specific=2,
        evidence={"label": label[6:].strip(), "complete": not truncated},
    )


def _putty(text: str, lower: str, start: int) -> Find | None:
    private = lower.find("private-lines:", start, start + KEY_BLOCK)
    if private < 0:
        return None
    close = lower.find("private-mac:", private, private + KEY_BLOCK)
    last = text.find("\n", close) if close >= 0 else min(len(text), private + KEY_BLOCK)
    return Find(
        "putty-private-key",
        start,
        last if last >= 0 else len(text),
        0.99,
        "PuTTY private key",
        "PRIVATE_KEY",
        specific=2,
    )


def _jwt(text: str, start: int, end: int) -> Find | None:
    if start and text[start - 1].isalnum():
        return None
    token = text[start:end].rstrip(".")
    parts = jwt_parts(token)
    pieces = token.split(".")
    if parts is None or len(pieces) not in (2, 3, 5) or len(pieces[1]) < 4:
        return None
    header, claims = parts
    score, level = 0.92, "error"
    if claims and (claims.get("name") == "John Doe" or claims.get("sub") == "1234567890"):
        score = 0.35
    elif claims and claims.get("role") == "anon":
        score, level = 0.55, "note"
    elif len(pieces) == 2 or not pieces[2]:
        score = 0.6
    evidence = {"alg": str(header.get("alg", ""))[:12]}
    return Find(
        "jwt",
        start,
        start + len(token),
        score,
        "signed token (JWT)",
        "TOKEN",
        level,
        specific=1,
        evidence=evidence,
    )  # type: ignore[arg-type]


def _user_and_password(
    text: str, start: int, end: int, rule: str, message: str, *, any_decodes: bool = False
) -> Find | None:
    while end < len(text) and text[end] == "=":
        end += 1
    octets = decoded(text[start:end])
    if octets is None or not octets.isascii():
        return None
    plain = octets.decode("ascii")
    if not plain.isprintable() or (":" not in plain and not any_decodes):
        return None
    user, _, secret = plain.partition(":")
    if not any_decodes and (not secret or " " in user):
        return None
    weak = secret.lower() in _TEACHING or placeholder(secret or user)
    return Find(rule, start, end, 0.45 if weak else 0.93, message, "PASSWORD", specific=1)


def _encoded_key(text: str, start: int, end: int) -> Find | None:
    octets = decoded(text[start:end])
    if octets is None or (b"PRIVATE KEY" not in octets[:80] and len(octets) < 200):
        return None
    return Find(
        "kubeconfig-key", start, end, 0.97, "private key of a Kubernetes client", "PRIVATE_KEY", specific=1
    )


def _plain(text: str, start: int, end: int, rule: str, message: str) -> Find | None:
    value = text[start:end]
    if template(value) or value.isdigit() or value.startswith("$"):
        return None
    weak = value.lower() in _TEACHING or placeholder(value)
    return Find(rule, start, end, 0.4 if weak else 0.88, message, "PASSWORD", specific=1)


def in_addresses(plain: bytes, text: str) -> list[Find]:
    """Passwords in the user part of addresses (RFC 3986 §3.2.1): databases, queues, package indexes, remotes."""
    if b"@" not in plain or b"://" not in plain:
        return []
    found = []
    for match in _USERINFO.finditer(plain):
        start, end = match.span(1)
        value = text[start:end]
        if len(value) < 3 or len(value) > 400 or template(value) or value.startswith(("$", "{", "<", "%(")):
            continue
        if "{" in value or "}" in value or _PORT.match(value):
            continue
        weak = value.lower() in _TEACHING or placeholder(value)
        found.append(
            Find(
                "address-password",
                start,
                end,
                0.4 if weak else 0.93,
                "password in an address",
                "PASSWORD",
                specific=1,
            )
        )
    return found
