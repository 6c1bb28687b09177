"""Which language a text is in, from its script and its commonest words.

A script often names the language by itself. Among languages that share one, function words decide: every text of a
few sentences has some, nobody can write without them, and a list of twenty is checked in a glance. Letters that only
one of the candidates has count as well. A line of code, a name or three words of slang give no answer rather than a
wrong one.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

SAMPLE: Final = 2000
"""Characters looked at; more does not change the answer."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A language by its ISO 639-1 code, or `und`, and how sure that is, from 0 to 1."""

    code: str
    certainty: float


NONE: Final = Guess("und", 0.0)

_SCRIPTS: Final[tuple[tuple[str, str, str], ...]] = (
    ("ja", "\u3040", "\u30ff"),
    ("ko", "\uac00", "\ud7a3"),
    ("zh", "\u4e00", "\u9fff"),
    ("th", "\u0e00", "\u0e7f"),
    ("he", "\u0590", "\u05ff"),
    ("el", "\u0370", "\u03ff"),
    ("hi", "\u0900", "\u097f"),
    ("bn", "\u0980", "\u09ff"),
    ("ta", "\u0b80", "\u0bff"),
    ("te", "\u0c00", "\u0c7f"),
    ("ka", "\u10a0", "\u10ff"),
    ("hy", "\u0530", "\u058f"),
    ("am", "\u1200", "\u137f"),
    ("km", "\u1780", "\u17ff"),
    ("lo", "\u0e80", "\u0eff"),
    ("my", "\u1000", "\u109f"),
    ("cyrillic", "\u0400", "\u04ff"),
    ("arabic", "\u0600", "\u06ff"),
)
_SCRIPT: Final = tuple((code, re.compile(f"[{low}-{high}]")) for code, low, high in _SCRIPTS)
_LATIN: Final = re.compile("[a-zA-Z\u00c0-\u024f\u1e00-\u1eff]")
_WORD: Final = re.compile(r"[^\W\d_]+")

# The commonest short words of each language, and letters that set it apart from the others of its script.
_WORDS: Final[dict[str, str]] = {
    "en": (
        "the and of to in is that it for was with as on are this be have not you by from "
        "or an what how your can do will"
    ),
    "de": (
        "der die und das ist nicht ein eine zu den mit von für auf dem sich auch es an "
        "wie ich sie wir was bitte wird im"
    ),
    "fr": (
        "le la les des et est un une dans que qui pour pas sur au du ce il je vous ne "
        "avec plus comment quel sont aux"
    ),
    "es": "el la los las de que y en un una es por con para no se del al lo como más su cuál qué está son pero sus",
    "it": "il la di che e un una per non è in con del della le si come sono gli alla questo quale dei nel mi ho",
    "pt": "o a os as de que e do da em um uma para com não por é no na se mais como dos das qual você está ao pelo",
    "nl": "de het een en van ik is dat in niet te op voor met zijn aan er ook als maar wat hoe naar om bij je deze",
    "pl": "i w nie na się z do to jest że jak o co po od ale za czy są dla przez jego tak proszę który jaki mnie",
    "cs": "a v se na je to že s z do o jak i za ve by pro po co ale od jsem jsou nebo která jaký mi ten při",
    "sk": "a v sa na je to že s z do o ako i za vo by pre po čo ale od som sú alebo ktorá aký mi ten pri",
    "sv": "och att det i är en som på av för med den till inte har jag ett om vi så hur vad kan från eller dig mig",
    "da": (
        "og at det i er en som på af for med den til ikke har jeg et om vi så hvordan "
        "hvad kan fra eller dig mig hvor"
    ),
    "no": (
        "og at det i er en som på av for med den til ikke har jeg et om vi så hvordan "
        "hva kan fra eller deg meg hvor"
    ),
    "fi": (
        "ja on ei se että hän oli mutta ovat kun niin jos mitä miten tämä minun voi ole "
        "sen kuin myös tai minä sinun"
    ),
    "hu": "a az és hogy nem is egy van ez meg mi de ha csak kell mint már volt ezt azt ki hogyan kérem vagy lehet",
    "ro": "și de în la a nu cu o este pe că un se din pentru sunt mai ce care cum sau am lui ale fi te rog",
    "tr": "ve bir bu için de da ne ile çok gibi daha mi mı ama olarak var en nasıl kadar ben sen lütfen olan değil",
    "id": (
        "yang dan di itu dengan untuk tidak ini dari dalam akan pada saya apa ke adalah "
        "bisa kamu atau ada juga bagaimana"
    ),
    "vi": "và của là có không trong cho được một với các những này đã tôi để người bạn như thế nào khi ở từ hãy",
    "sw": "ya na wa kwa ni katika za la kuwa hii yako yangu je nini lakini kama au mimi wewe tafadhali jinsi hiyo",
    "ca": "el la els les de que i en un una és per amb no es del al com més són però què aquest seva",
    "hr": "i u je na se da za su od što kako ali ne s o koji ili biti sam molim bi kao iz ovo",
    "ru": "и в не на я что он с как это по но из за то все она так его для мы вы у о если мне бы от есть",
    "uk": "і в не на я що він з як це по але із за то все вона так його для ми ви у о якщо мені та є від або",
    "bg": "и в не на аз че той с как това по но от за да се са като какво ще го ми е или този",
    "sr": "и у је на се да за су од што како али не с о који или бити сам бих као из ово",
    "ar": "أين متى في من على إلى أن هذا ما هو لا كان التي مع عن هل كيف أو هي كل ذلك بعد يا ولا هذه ثم",
    "fa": "در به از که این را با است برای آن یک تا بر هم چه من شما چطور هر یا خود می لطفا نیست کند",
    "ur": "میں کے کی ہے اور سے کو کا نے پر یہ کہ ہیں کیا نہیں اس ایک بھی ہو تھا آپ کیسے مجھے",
}
_LETTERS: Final[dict[str, str]] = {
    "de": "ßäöü", "fr": "çœêàùû", "es": "ñ¿¡", "pt": "ãõ", "pl": "łżśćąęń", "cs": "řěů", "sk": "ľĺŕ", "sv": "åäö",
    "da": "øæ", "no": "øæ", "fi": "äö", "hu": "őű", "ro": "șțăî", "tr": "ğşıçöü",
    "vi": "đơưạảấầẩậắặẹẻếềểệịọỏốồổộớờởợụủứừửựỳỵ",
    "it": "ìò", "ca": "·", "hr": "đčž", "ru": "ыэё", "uk": "іїєґ", "bg": "ъщ", "sr": "ђћџљњј", "fa": "پچژگ",
    "ur": "ٹڈڑےں", "nl": "ĳ",
}  # fmt: skip
_CYRILLIC: Final = ("ru", "uk", "bg", "sr")
_ARABIC: Final = ("ar", "fa", "ur")
_LATIN_LANGUAGES: Final = tuple(code for code in _WORDS if code not in (*_CYRILLIC, *_ARABIC))

_FALLBACK: Final = {_CYRILLIC: Guess("ru", 0.3), _ARABIC: Guess("ar", 0.3)}
"""A script with no word that decides: its largest language, with little certainty."""
CODES: Final = frozenset((*_WORDS, *(code for code, _, _ in _SCRIPTS if len(code) == 2)))
"""Languages that can be recognised."""


@lru_cache(maxsize=1)
def _languages_of_words() -> dict[str, tuple[str, ...]]:
    """For every function word the languages that have it."""
    found: dict[str, list[str]] = {}
    for code, words in _WORDS.items():
        for word in dict.fromkeys(words.split()):
            found.setdefault(word, []).append(code)
    return {word: tuple(codes) for word, codes in found.items()}


@lru_cache(maxsize=1)
def _languages_of_letters() -> dict[str, tuple[str, ...]]:
    """For every telling letter the languages that have it."""
    found: dict[str, list[str]] = {}
    for code, letters in _LETTERS.items():
        for letter in letters:
            found.setdefault(letter, []).append(code)
    return {letter: tuple(codes) for letter, codes in found.items()}


def language_of(text: str) -> Guess:
    """The language that most of a text's beginning is written in."""
    sample = text[:SAMPLE]
    counts = {code: len(pattern.findall(sample)) for code, pattern in _SCRIPT} if not sample.isascii() else {}
    latin = len(_LATIN.findall(sample))
    script, most = max(counts.items(), key=lambda item: item[1], default=("", 0))
    # Letters of an alphabet say less than signs of a syllabary or of Han: three letters make a word of one sign.
    if most * (1 if script in ("cyrillic", "arabic", "el", "he") else 3) < latin:
        return _by_words(sample, _LATIN_LANGUAGES)
    if not most:
        return NONE
    if script == "cyrillic":
        return _by_words(sample, _CYRILLIC)
    if script == "arabic":
        return _by_words(sample, _ARABIC)
    if script == "zh" and counts["ja"] * 12 > most:
        script = "ja"  # Japanese has kana among its Han characters; Chinese has none
    return Guess(script, min(0.99, 0.6 + most / 100))


def _by_words(sample: str, candidates: tuple[str, ...]) -> Guess:
    words = Counter(_WORD.findall(sample.lower()))
    total = sum(words.values())
    if not total:
        return NONE
    points = dict.fromkeys(candidates, 0.0)
    known = _languages_of_words()
    for word, count in words.items():
        codes = [code for code in known.get(word, ()) if code in points]
        for code in codes:
            # A word of many languages says little of each, and a single letter may be a variable.
            points[code] += min(count, 5) / len(codes) * (0.4 if len(word) == 1 and word.isascii() else 1)
    lower = "" if sample.isascii() else sample.lower()
    for letter, having in _languages_of_letters().items():
        if count := lower.count(letter):
            for code in having:
                if code in points:
                    points[code] += 0.8 * min(count, 3) / len(having)
    ranked = sorted(points.items(), key=lambda item: -item[1])
    (code, best), (_, second) = ranked[0], ranked[1]
    if best < 1:
        return _FALLBACK.get(candidates, NONE)
    density = min(1.0, best / (0.25 * total))
    return Guess(
        code, round(min(0.99, density * (0.45 + 0.55 * (best - second) / best) + 0.02 * min(best, 10)), 3)
    )
