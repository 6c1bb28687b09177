"""Passwords by what they are called: assigned, quoted, passed on a command line, or told in a sentence.

A password need not look random, so the word comes first and the value is judged afterwards: what is filled in
elsewhere, what is code, and what is only a label is let go.
"""

from __future__ import annotations

import re

from alcaide.instruments.guard.detectors.secrets.candidates import chance
from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.placeholders import lookup, placeholder, template

WORDS = (
    "passw", "passphrase", "pass_phrase", "passcode", "pwd", "_pass", "pass=", "pass:", "pass\":", "requirepass",
    "userpass", "dbpass", "identified by", "secret", "kennwort", "contraseña", "contrasena", "senha", "mot de passe",
    "wachtwoord", "hasło", "haslo", "lösenord", "losenord", "salasana", "adgangskode", "parola", "şifre", "пароль",
    "heslo", "jelszó", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "كلمة المرور", "סיסמה", "पासवर्ड",
)  # fmt: skip
"""Part of what people call a password, lower-case; declared to the shared pass."""

REACH = 280
"""Characters after the word in which its value must begin and end."""

_HEADING = re.compile(
    # The names of columns, one of them saying whose password it is.
    r"[ \t|\"']{0,4}(?:[\w .*`\"'/-]{0,32}[|\t;,]){0,12}[ *`\"']{0,3}"
    r"(?:user|login|host|name|account|system|service|server|e-?mail|url|site|ip|app|env|role|id|nutzer|benutzer|usuario|utilisateur|device)"
)
_RULER = re.compile(r"[ \t]{0,4}\|?[ \t]{0,4}:?-{2,}")
ROWS = 50
"""Rows of a table looked at under a heading."""

_QUOTES = "\"'`"
_SEPARATED = re.compile(
    r"[\w.-]{0,40}(?:\\?[\"'`]|\]|\)){0,3}[ \t]{0,12}(=>|:=|={1,3}|\?=|:|>|,|\||\(|->)[ \t]{0,12}"
)
_OPENED = re.compile(r"(?:[bBrRuUfFN@$]{0,2})(\\?[\"'`])")
_BARE = re.compile(r"[^\s\"'`<>;,&|(){}\[\]\\]{3,200}")
_VALUE_BESIDE = re.compile(
    # <add key="Password" value="…"/>; {"name": "PASSWORD", "value": "…"}; a YAML pair on the next line.
    r"[\w.-]{0,40}[\"']?\s{0,4}[,{]?\s{0,24}[\"']?(?:value|val|content|default|defaultvalue)[\"']?\s{0,4}[:=]\s{0,4}[\"']?([^\s\"'<>,}]{3,200})",
    re.IGNORECASE,
)
_TOLD = re.compile(
    r"[\w.-]{0,20}[\"'`*_)]{0,3}"
    r"(?: (?:for|to|of|on|de|del|für|pour|do|da|di)(?: [\w@.'/-]{1,40}){1,4})?"
    r"(?:[ \t]{1,3}(?:is now|is set to|set to|changed to|reset to|will be|should be|is|was|are|be|ist|lautet|est|es|é|è"
    r"|jest|to|есть|это|—)[ \t:]{1,4}|[ \t]?(?:是|为|為|は|는|：)[ \t]{0,3})"
    r"(?:still |now |just |simply |currently )?(?P<quote>[\"'`*“‘«]{0,3})(?P<value>[^\s\"'`“”‘’«»]{4,128})",
    re.IGNORECASE,
)
_FLAG = re.compile(r"[\w.-]{0,20}[ =][ \t]{0,4}([\"']?)([^\s\"']{3,128})")
_QUOTED_ARGUMENT = re.compile(
    r"\s{1,4}(?:as\s{1,4}|by\s{1,4}|to\s{1,4})?([\"'])([^\"'\n]{3,128})\1?".replace(r"\1?", "[\"']")
)
_ABOUT = re.compile(
    r"hash|polic|min_|max_|length|regex|pattern|field|label|strength|expir|_age|reset|hint|prompt|valid|_url|_path|_file"
    r"|-file|-path|changed|required|manager|problem|count|error|column|_id$|_name$|-name$|-store"
)
"""Parts of names that speak about passwords instead of being one."""
_VERSION = re.compile(r"[~^>=<v]{0,3}[0-9]+(?:\.[0-9x*]+)+")
_FOR = re.compile(
    r"[\w.-]{0,20}(?: (?:for|to|of|on|de|del|para|für|zum|zur|vom|pour|du|do|da|di|per|od|na|voor|van|от|для|к|till|til))"
    r"(?: [\w@.'/-]{1,40}){1,4}[ \t]{0,2}(?::|=|->|→)[ \t]{1,3}(?P<value>[^\s\"'`]{4,128})",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*|\(.*|\[.*)+$|\w+\(")
_LABELS = frozenset(
    "password passwd passwort passphrase pwd pass secret secrets token key apikey api_key username user login email name "
    "confirm confirmation required optional invalid incorrect wrong missing forgot reset change new old current true "
    "false none null nil undefined string text hidden hash hashed encrypted plain plaintext prompt input field form "
    "value type basic bearer oauth ldap kerberos default empty yes no on off file env stdin ask manager policy the a an "
    "and or is not in if for from with here this that protected expired reused shared same correct strong weak too "
    "at least must should can will has have was been your my our their hunter stored kept sent only also sensitive "
    "changeme redacted tiger sha256 md5 bcrypt scrypt argon2 base64 utf-8 utf8 admin root test".split()
)


def passwords(text: str, lower: str, start: int, end: int) -> list[Find]:
    """What the word at `start` to `end` names as a password: a value after it, or the cells of a column under it."""
    found = password(text, lower, start, end)
    if found is not None and found.score >= 0.5:
        return [found]
    below = _column(text, lower, start, end)
    return below or ([found] if found is not None else [])


def _column(text: str, lower: str, start: int, end: int) -> list[Find]:
    """Passwords in a table whose heading is the word: Markdown, or values separated by commas, tabs, semicolons."""
    low, high = text.rfind("\n", max(0, start - 400), start) + 1, text.find("\n", end, end + 400)
    if high < 0:
        return []
    heading = text[low:high]
    mark = next((mark for mark in "|\t;," if mark in heading), None)
    if mark is None:
        return []
    cells = heading.split(mark)
    column = text.count(mark, low, start)
    if (
        len(cells) < 2
        or any(mark in heading for mark in ":={(")
        or not _HEADING.match(heading.lower())
        or _ABOUT.search(cells[column].lower())
    ):
        return []
    at = high + 1
    if mark == "|" and not _RULER.match(text, at):
        return []
    found = []
    for _ in range(ROWS):
        stop = text.find("\n", at, at + 1000)
        line = text[at : stop if stop >= 0 else min(len(text), at + 1000)]
        row = line.split(mark)
        if len(row) != len(cells):
            break
        cell = row[column].strip(" `\"'")
        if cell.startswith("**") and cell.endswith("**"):
            cell = cell[2:-2]
        if cell.strip("-: "):
            first = text.index(cell, at + sum(map(len, row[:column])) + column)
            one = _judged(
                text, first, first + len(cell), quoted=True, secret=lower.startswith("secret", start), name=""
            )
            if one is not None:
                found.append(one)
        if stop < 0:
            break
        at = stop + 1
    return found


def password(text: str, lower: str, start: int, end: int) -> Find | None:
    """The password that the word at `start` to `end` names, if there is one and it may be real."""
    while lower[end - 1] in ':="':
        end -= 1
    if end - start == 4 and start and text[start - 1].isalpha() and lower.startswith("pass", start):
        return None  # `bypass:`, `compass=`
    rest = text[end : end + REACH]
    name = _name(text, start, end)
    if _ABOUT.search(name.lower()):
        return None
    secret = lower.startswith("secret", start)
    if beside := _VALUE_BESIDE.match(rest):
        return _judged(
            text, end + beside.start(1), end + beside.end(1), quoted=True, secret=secret, name=name
        )
    if separated := _SEPARATED.match(rest):
        found = _assigned(text, lower, start, end, separated, name, secret)
        if found is not None or separated[1] not in (":", ">", ","):
            return found
    if (
        text[max(0, start - 24) : start].rstrip("-").endswith((" ", "\t", "=", "\n", ""))
        and "--" in text[max(0, start - 24) : start]
    ):
        flag = _FLAG.match(rest)
        if flag and not flag[2].startswith("-"):
            return _judged(
                text, end + flag.start(2), end + flag.end(2), quoted=True, secret=secret, name=name
            )
    line = lower[max(0, start - 200) : start]
    tail = _tail(rest)
    if lower.startswith("requirepass", start) and rest[tail : tail + 1] == " ":
        bare = _FLAG.match(rest)
        if bare:
            return _judged(text, end + bare.start(2), end + bare.end(2), quoted=True, secret=False, name=name)
    if rest[tail : tail + 1] in (" ", "\t") and ("machine " in line or "login " in line) and not secret:
        bare = _FLAG.match(rest)
        if bare:
            return _judged(text, end + bare.start(2), end + bare.end(2), quoted=True, secret=False, name=name)
    argument = _QUOTED_ARGUMENT.match(text, end + tail)
    if argument and _argument(argument[2], lower[start : end + tail], line):
        return _judged(text, argument.start(2), argument.end(2), quoted=True, secret=secret, name=name)
    if named := _FOR.match(rest):
        return _told(text, end + named.start("value"), end + named.end("value"), quoted=False, secret=secret)
    told = _TOLD.match(rest)
    if told:
        return _told(
            text,
            end + told.start("value"),
            end + told.end("value"),
            quoted=bool(told["quote"]),
            secret=secret,
        )
    return None


def _argument(value: str, word: str, line: str) -> bool:
    """Whether what stands quoted behind the word is what it names: in SQL about users, or mixed as passwords are."""
    if word.startswith("identified by") or any(about in line for about in ("user", "role", "alter", "login")):
        return True
    return " " not in value and classes(value) >= 3 and any(letter.isdigit() for letter in value)


def _tail(rest: str) -> int:
    """How much of the word itself is still to come (`passw` + `ord`)."""
    index = 0
    while index < len(rest) and index < 40 and (rest[index].isalnum() or rest[index] in "_-."):
        index += 1
    return index


def _name(text: str, start: int, end: int) -> str:
    low = start
    while low > 0 and start - low < 40 and (text[low - 1].isalnum() or text[low - 1] in "_-."):
        low -= 1
    high = end
    while high < len(text) and high - end < 40 and (text[high].isalnum() or text[high] in "_-"):
        high += 1
    return text[low:high]


def _assigned(
    text: str, lower: str, start: int, end: int, separated: re.Match[str], name: str, secret: bool
) -> Find | None:
    separator, at = separated[1], end + separated.end()
    opened = _OPENED.match(text[at : at + 5])
    if opened:
        quote = opened[1]
        first = at + opened.end()
        last = text.find(quote, first, first + 200)
        line = text.find("\n", first, first + 200)
        if last < 0 or 0 <= line < last:
            if last < 0 and line < 0 and len(text) - first > 200:
                return None
            last = line if line >= 0 else len(text)
        if separator in (",", "(") and not any(character.isdigit() for character in text[first:last]):
            return None  # two words of a list, an argument by name
        return _judged(text, first, last, quoted=True, secret=secret, name=name)
    if separator in (",", "(", "|", "->") and separator != "|":
        return None
    if separator == ">":
        close = text.find("<", at, at + 200)
        if "<" not in text[max(0, start - 40) : start] or close < 0 or text[close : close + 2] != "</":
            return None
        return _judged(text, at, close, quoted=True, secret=secret, name=name)
    bare = _BARE.match(text, at)
    if bare is None:
        return None
    first, last = bare.span()
    if separator in ("=", "?=") and last < len(text) and text[last] in "([{":
        return None  # a call or an index
    return _judged(text, first, last, quoted=False, secret=secret, name=name)


def classes(value: str) -> int:
    """How many of lower case, upper case, digits and others `value` is made of."""
    return (
        any(letter.islower() for letter in value)
        + any(letter.isupper() for letter in value)
        + any(letter.isdigit() for letter in value)
        + any(not letter.isalnum() for letter in value)
    )


def _judged(text: str, start: int, end: int, *, quoted: bool, secret: bool, name: str) -> Find | None:
    while end > start and text[end - 1] in ".,;:?" and not quoted:
        end -= 1
    value = text[start:end]
    stripped = value.strip()
    if not 4 <= len(stripped) <= 160 or stripped != value:
        return None
    lowered = value.lower()
    words = value.split()
    if len(words) > 1 and not any(character.isdigit() for character in value):
        return None
    if len(words) > 3:
        return None
    if template(value) or lowered in _LABELS or lowered == name.lower():
        return None
    if value.startswith("\\") or (value.isupper() and "_" in value):
        return None  # an escape, the name of a variable
    if any(word in lowered for word in ("passphrase", "password", "passwd")) and not any(
        c.isdigit() for c in value
    ):
        return None
    if value.startswith(("http://", "https://", "/", "./", "../", "~/", "--")) or _VERSION.fullmatch(value):
        return None
    made_of = classes(value)
    if not quoted and (lookup(value) or _CODE.match(value)):
        return None
    if quoted and lookup(value) and (value.endswith(")") or "." in value):
        return None
    if value.isdigit() and len(value) < 6:
        return None
    if placeholder(value):
        return Find("password", start, end, 0.3, "this looks like the placeholder of a password", "PASSWORD")
    upper_name = name.isupper() and "_" in name
    if made_of >= 3:
        score = 0.88
    elif made_of == 2 and (
        any(character.isdigit() for character in value)
        or not value.replace("_", "").replace("-", "").isalpha()
    ):
        score = 0.85 if len(value) >= 8 else 0.75
    elif len(value) >= 8 and chance(value) >= 0.5 * len(value):
        score = 0.75
    elif made_of == 1 and value.isdigit():
        score = 0.6
    elif upper_name or (quoted and (made_of > 1 or len(value) >= 12)):
        score = 0.55
    else:
        score = 0.4  # a word, which may be what the password is called
    if secret:
        if len(value) < 8:
            return None
        # What is called a secret is random or at least mixed; words are names of secrets.
        score = score - 0.03 if made_of >= 2 and any(character.isdigit() for character in value) else 0.3
        if (
            "/" in value
            or lowered.startswith(("projects", "arn:"))
            or value.replace("-", "").replace("_", "").isalpha()
        ):
            return None
    return Find(
        "secret-value" if secret else "password",
        start,
        end,
        score,
        "this is named as a secret" if secret else "this is named as a password",
        "API_KEY" if secret else "PASSWORD",
        evidence={"name": name[:60]},
    )


def _told(text: str, start: int, end: int, *, quoted: bool, secret: bool) -> Find | None:
    while end > start and text[end - 1] in ".,;:?)。、，":
        end -= 1
    if text[end - 2 : end] == "**":
        end -= 2
    value = text[start:end]
    if _CODE.match(value) or any(opener in value for opener in "([{"):
        return None
    if len(value) < 4 or template(value) or value.lower() in _LABELS:
        return None
    if value.startswith(("http://", "https://", "/")):
        return None
    made_of = classes(value)
    telling = any(character.isdigit() for character in value) or any(
        not character.isalnum() and character not in "-'’/." for character in value
    )
    if not telling and not (quoted and made_of >= 2) and chance(value) < 0.5 * len(value):
        return None
    if placeholder(value):
        return Find(
            "password-told", start, end, 0.3, "this looks like the placeholder of a password", "PASSWORD"
        )
    score = 0.85 if made_of >= 3 else 0.75 if made_of == 2 else 0.5
    if secret and (len(value) < 8 or made_of < 2):
        return None
    return Find("password-told", start, end, score, "a sentence tells this password", "PASSWORD")
