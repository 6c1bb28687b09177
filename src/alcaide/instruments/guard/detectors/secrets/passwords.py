"""Passwords by what they are called: assigned, quoted, passed on a command line, in a table, or told in a sentence.

A password need not look random, so the word comes first and the value is judged afterwards (`values.py`): what is
filled in elsewhere, what is code, and what is only a label is let go.

Every expression here is tried at one place of a text, on a stretch of bounded length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.values import judged, mixed, told

WORDS = (
    "passw", "passphrase", "pass_phrase", "passcode", "pwd", "_pass", "pass=", "pass:", 'pass":', "requirepass",
    "userpass", "dbpass", "bindpw", "psk=", "identified by", "secret",
    "kennwort", "contraseña", "contrasena", "senha", "mot de passe",
    "wachtwoord", "hasło", "haslo", "lösenord", "losenord", "salasana", "adgangskode", "parola", "şifre", "пароль",
    "heslo", "jelszó", "密码", "密碼", "口令", "パスワード", "비밀번호", "암호", "كلمة المرور", "סיסמה", "पासवर्ड",
)  # fmt: skip
"""Part of what people call a password, lower-case; declared to the shared pass."""

REACH = 280
"""Characters after the word in which its value must begin and end."""
ROWS = 50
"""Rows of a table looked at under a heading."""

_SEPARATED = re.compile(
    r"[\w.-]{0,40}(?:\\?[\"'`]|\]|\)){0,3}[ \t]{0,12}(=>|:=|={1,3}|\?=|:|>|,|\||\(|->)[ \t]{0,12}"
)
_OPENED = re.compile(r"[bBrRuUfFN@$]{0,2}(\\?[\"'`])")
_BARE = re.compile(r"[^\s\"'`<>;,&|(){}\[\]\\]{3,200}")
_VALUE_BESIDE = re.compile(
    # <add key="Password" value="…"/>; {"name": "PASSWORD", "value": "…"}; a YAML pair on the next line.
    r"[\w.-]{0,40}[\"']?\s{0,4}[,{]?\s{0,24}[\"']?(?:value|val|content|default|defaultvalue)[\"']?\s{0,4}[:=]\s{0,4}"
    r"[\"']?([^\s\"'<>,}]{3,200})",
    re.IGNORECASE,
)
_FLAG = re.compile(r"[\w.-]{0,20}[ =][ \t]{0,4}[\"']?([^\s\"']{3,128})")
_MIXED = re.compile(r"[\w.-]{0,20}[ \t]{1,4}([^\s\"'`<>(){}\[\],;:=]{8,64})(?:[ \t]*$|[ \t]*\n|[ \t])")
_ALGORITHM = re.compile(
    r"(?:sha|aes|pbkdf|hmac|rsa|md[45]|base[0-9]|utf|oauth|ntlm|tls|ssl|v?[0-9]+\.|rfc|iso|[0-9-]+$)",
    re.IGNORECASE,
)
_QUOTED_ARGUMENT = re.compile(r"\s{1,4}(?:(?:as|by|to)\s{1,4})?[\"']([^\"'\n]{3,128})[\"']")
_TOLD = re.compile(
    r"[\w.-]{0,20}[\"'`*_)]{0,3}"
    r"(?: (?:for|to|of|on|de|del|für|pour|do|da|di)(?: [\w@.'/-]{1,40}){1,4})?"
    r"(?:[ \t]{1,3}(?:is now|is set to|set to|changed to|reset to|will be|should be|is|was|are|be|ist|lautet|est|es|é"
    r"|è|jest|to|есть|это|—)[ \t:]{1,4}|[ \t]?(?:是|为|為|は|는|：)[ \t]{0,3})"
    r"(?:still |now |just |simply |currently )?(?P<quote>[\"'`*“‘«]{0,3})(?P<value>[^\s\"'`“”‘’«»]{4,128})",
    re.IGNORECASE,
)
_TOLD_OF = re.compile(
    r"[\w.-]{0,20}"
    r"(?: (?:for|to|of|on|de|del|para|für|zum|zur|vom|pour|du|do|da|di|per|od|na|voor|van|от|для|к|till|til))"
    r"(?: [\w@.'/-]{1,40}){1,4}[ \t]{0,2}(?::|=|->|→)[ \t]{1,3}(?P<value>[^\s\"'`]{4,128})",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"hash|polic|length|regex|pattern|field|label|strength|expir|_age|reset|hint|prompt|valid|_url|_path|_file|-file"
    r"|-path|changed|required|manager|problem|count|error|column|-store|digest|sha[1235]|encrypted|sealed|template"
    r"|version|provider|rotation|endpoint|csrf|xsrf|encryption|method|algorithm|mechanism|scheme|mgr|_m(?:in|ax)_"
)
"""Parts of names that speak about passwords instead of being one."""
_IN_NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
_PASSED = re.compile(r"_pass(?!w|phrase|code|key)[a-z]")
"""`_passthru`, `_passed`: other words."""
_ENDS_ABOUT = ("_name", "-name", "_id")
_IDS = ("secret_id",)
"""A half of what Vault's machines log in with, whatever its name."""
_RESOURCE = re.compile(r"arn:aws[^\s\"']{0,110}$")
"""Amazon's name of something, its kind among others a secret."""
_SAID_OF = (
    "Id", "Ids", "Name", "Names", "Ref", "Refs", "Class", "Type", "Arn", "Uri", "Url", "Path", "File", "Store", "Label",
    "Keyname",
)  # fmt: skip
"""Names whose last word makes them something else than the secret (`secretName`), written in one."""
_FETCHED = re.compile(
    r"(?:^|[._])(?:get|fetch|read|load|find|lookup|has|is|check|verify|hash|validate|reset|forgot)[A-Z_]"
)
"""Names of calls that are given something else than the secret."""
_HEADING = re.compile(
    # The names of columns, one of them saying whose password it is.
    r"[ \t|\"']{0,4}(?:[\w .*`\"'/-]{0,32}[|\t;,]){0,12}[ *`\"']{0,3}"
    r"(?:user|login|host|name|account|system|service|server|e-?mail|url|site|ip|app|env|role|id|nutzer|benutzer"
    r"|usuario|utilisateur|device)"
)
_RULER = re.compile(r"[ \t]{0,4}\|?[ \t]{0,4}:?-{2,}")


class _Word(NamedTuple):
    """A word for a password in a text, and what is asked of it again and again."""

    text: str
    lower: str
    start: int
    end: int
    name: str
    """The whole name it is part of."""
    secret: bool
    """Whether it says no more than that something is secret."""
    rest: str
    line: str
    """What stands before it, in lower case."""

    def judged(self, start: int, end: int, *, quoted: bool) -> Find | None:
        return judged(self.text, start, end, quoted=quoted, secret=self.secret, name=self.name)


def passwords(text: str, lower: str, start: int, end: int) -> list[Find]:
    """What the word at `start` to `end` names as a password: a value after it, or the cells of a column under it."""
    while lower[end - 1] in ':="':
        end -= 1
    if end - start == 4 and start and text[start - 1].isalpha() and lower.startswith("pass", start):
        return []  # `bypass:`, `compass=`
    if _PASSED.match(lower, start):
        return []
    name = _name(text, start, end)
    if text[start - 60 if start > 60 else 0 : start].rstrip(_IN_NAMES).endswith("::") and _quoted_name(
        text, end
    ):
        return []  # `"AWS::SecretsManager::Secret": …`: the name of a type, as the key of a map
    if _about(name.lower()) or name.endswith(_SAID_OF):
        return []
    if "arn:aws" in lower[max(0, start - 110) : start] and _RESOURCE.search(text, max(0, start - 110), start):
        return []
    word = _Word(
        text,
        lower,
        start,
        end,
        name,
        lower.startswith("secret", start),
        text[end : end + REACH],
        lower[max(0, start - 200) : start],
    )
    found = _beside(word)
    if found is not None and found.score >= 0.5:
        return [found]
    return _column(word) or ([found] if found is not None else [])


def _quoted_name(text: str, end: int) -> bool:
    """Whether the name that goes on at `end` ends at a quotation mark."""
    return text[end : end + 60].lstrip(_IN_NAMES)[:1] in ('"', "'")


def _about(name: str) -> bool:
    """Whether `name` speaks about passwords."""
    if name.endswith(_ENDS_ABOUT) and not name.endswith(_IDS):
        return True
    if name.endswith("key") and "pass" in name:
        return True  # under which key of a store it lies
    return _ABOUT.search(f"_{name}") is not None


def _beside(word: _Word) -> Find | None:
    """The password next to its name."""
    rest, end = word.rest, word.end
    if beside := _VALUE_BESIDE.match(rest):
        return word.judged(end + beside.start(1), end + beside.end(1), quoted=True)
    if separated := _SEPARATED.match(rest):
        found = _assigned(word, separated)
        if found is not None or separated[1] not in (":", ">", ","):
            return found
    if _takes_an_argument(word) and (flag := _FLAG.match(rest)) and not flag[1].startswith("-"):
        return word.judged(end + flag.start(1), end + flag.end(1), quoted=True)
    tail = _tail(rest)
    argument = _QUOTED_ARGUMENT.match(word.text, end + tail)
    if argument and _argument(argument[1], word, tail):
        return word.judged(*argument.span(1), quoted=True)
    if (bare := _MIXED.match(rest)) and not word.secret and _drawn(bare[1]):
        return word.judged(end + bare.start(1), end + bare.end(1), quoted=False)
    if named := _TOLD_OF.match(rest):
        return told(
            word.text, end + named.start("value"), end + named.end("value"), quoted=False, secret=word.secret
        )
    if said := _TOLD.match(rest):
        first, last = said.span("value")
        return told(word.text, end + first, end + last, quoted=bool(said["quote"]), secret=word.secret)
    return None


def _drawn(value: str) -> bool:
    """Whether a value behind the bare word (`auth password X`) is made as passwords are and names nothing."""
    digits = sum(map(str.isdigit, value))
    return mixed(value) and digits >= 2 and not _ALGORITHM.match(value) and "/" not in value


def _assigned(word: _Word, separated: re.Match[str]) -> Find | None:
    text, separator, at = word.text, separated[1], word.end + separated.end()
    if opened := _OPENED.match(text[at : at + 5]):
        return _quoted(word, separator, at + opened.end(), opened[1])
    if separator in (",", "(", "->"):
        return None
    if separator == ">":
        close = text.find("<", at, at + 200)
        if "<" not in word.line[-40:] or close < 0 or text[close : close + 2] != "</":
            return None
        return word.judged(at, close, quoted=True)
    bare = _BARE.match(text, at)
    if bare is None or (separator in ("=", "?=") and text[bare.end() : bare.end() + 1] in ("(", "[", "{")):
        return None  # nothing, a call, an index
    return word.judged(*bare.span(), quoted=False)


def _quoted(word: _Word, separator: str, first: int, quote: str) -> Find | None:
    text = word.text
    last = text.find(quote, first, first + 200)
    line = text.find("\n", first, first + 200)
    if line >= 0 and (last < 0 or line < last):
        last = line  # a quote that is never closed
    elif last < 0:
        if len(text) - first > 200:
            return None
        last = len(text)
    if separator == "(" and (_FETCHED.search(word.name) or "." in text[word.end : first]):
        return None  # `get_password("billing")`, `password.encode("utf-8")`
    if separator in (",", "(") and not any(character.isdigit() for character in text[first:last]):
        return None  # two words of a list, an argument by name
    return word.judged(first, last, quoted=True)


def _takes_an_argument(word: _Word) -> bool:
    """`--password X`, `machine … password X`, `requirepass X`."""
    if "--" in word.line[-24:] and word.line.rstrip("-").endswith((" ", "\t", "=", "\n", "")):
        return True
    tail = _tail(word.rest)
    if word.rest[tail : tail + 1] not in (" ", "\t") or word.secret:
        return False
    return (
        "machine " in word.line or "login " in word.line or word.lower.startswith("requirepass", word.start)
    )


def _argument(value: str, word: _Word, tail: int) -> bool:
    """Whether what stands quoted behind the word is what it names: in SQL about users, or mixed as passwords are."""
    if word.lower.startswith("identified by", word.start, word.end + tail):
        return True
    if any(about in word.line for about in ("user", "role", "alter", "login")):
        return True
    return " " not in value and mixed(value)


def _column(word: _Word) -> list[Find]:
    """Passwords in a table whose heading is the word: Markdown, or values parted by tabs, semicolons, commas."""
    text, start = word.text, word.start
    low, high = text.rfind("\n", max(0, start - 400), start) + 1, text.find("\n", word.end, word.end + 400)
    if high < 0:
        return []
    heading = text[low:high]
    mark = next((mark for mark in "|\t;," if mark in heading), None)
    if mark is None or any(other in heading for other in ":={(") or not _HEADING.match(heading.lower()):
        return []
    if mark == "|" and not _RULER.match(text, high + 1):
        return []
    cells, column = heading.split(mark), text.count(mark, low, start)
    return [] if _about(cells[column].lower()) else _cells(word, high + 1, mark, len(cells), column)


def _cells(word: _Word, at: int, mark: str, columns: int, column: int) -> list[Find]:
    found, text = [], word.text
    for _ in range(ROWS):
        stop = text.find("\n", at, at + 1000)
        row = text[at : stop if stop >= 0 else min(len(text), at + 1000)].split(mark)
        if len(row) != columns:
            break
        cell = row[column].strip(" `\"'")
        if cell.startswith("**") and cell.endswith("**"):
            cell = cell[2:-2]
        if cell.strip("-: "):
            first = text.index(cell, at + sum(map(len, row[:column])) + column)
            one = judged(text, first, first + len(cell), quoted=True, secret=word.secret, name="")
            if one is not None:
                found.append(one)
        if stop < 0:
            break
        at = stop + 1
    return found


def _tail(rest: str) -> int:
    """How much of the name is still to come (`passw` + `ord`)."""
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
