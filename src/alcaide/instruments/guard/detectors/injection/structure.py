"""How a text is built, as a short row of numbers: who speaks to whom, with what authority, to send what where.

Words of a kind (override, reveal, send, user, secret…) are found in one pass of an automaton of their own, since they
are too common to be patterns of the shared pass. What counts is how they stand: an imperative at the beginning of a
sentence, a verb of sending with an address after it, a word for instructions close behind a verb of dropping.

The detector asks about one paragraph, of which a few dozen words are of any kind; so what comes after the pass is
plain steps over those words, which cost less there than whole-array ones, and are linear in the text all the same.

The numbers are meant for a learned model, in the order of `NAMES`. `Structure.vector` gives them for any stretch, so
that a window in a long document is judged by what stands in it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detector import Hit
from alcaide.instruments.guard.detectors.injection.surprise import surprises, surprises_of
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Context

Ints = npt.NDArray[np.int64]

# Words in lower case, by what they do. A word may do several things; those in languages other than English are the
# ones that attacks in these languages use most.
KINDS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(word.replace("_", " ") for word in row.split())
    for name, row in {
        "second-person": (
            "you your yours yourself you're you'll you've u ur du dein deine tu ton tes vous tú usted vos "
            "ty twoje ты твои sen 你 您 あなた"
        ),
        "model": (
            "ai llm llms assistant assistants chatbot chatbots language_model language_models gpt chatgpt "
            "agent agents bot copilot model ki ia ии 人工智能 助手"
        ),
        "override": (
            "ignore ignoring disregard forget bypass override overrule discard neglect abandon unlearn "
            "supersede ignoriere vergiss oublie ignora olvida dimentica ignorez zignoruj zapomnij "
            "игнорируй забудь unut 忽略 忘记 无视 無視 무시"
        ),
        "orders": (
            "instruction instructions prompt prompts rules rule guidelines directive directives "
            "directions commands restrictions constraints policy policies programming task orders "
            "anweisungen instrucciones istruzioni instruções consignes polecenia инструкции правила "
            "talimatları 指令 规则 指示 ルール 지시"
        ),
        "prior": (
            "previous prior above earlier preceding before initial original foregoing vorherigen "
            "bisherigen précédentes anteriores precedenti poprzednie предыдущие önceki 之前 以上 前の"
        ),
        "reveal": (
            "reveal print output repeat show display leak dump disclose recite expose tell_me write_out "
            "verbatim zeige montre muestra mostra pokaż покажи göster 显示 输出"
        ),
        "secret": (
            "password passwords secret secrets api_key api_keys token tokens credentials credential "
            "passphrase pin ssh .env private_key access_code code_word passwort contraseña пароль 密码 "
            "パスワード"
        ),
        "send": (
            "send forward email e-mail post upload transmit share submit append exfiltrate mail bcc curl "
            "fetch request sende schicke envoie envía manda wyślij отправь gönder 发送 送っ"
        ),
        "data": (
            "conversation history messages inbox contacts emails files chat addresses calendar summary "
            "user_data"
        ),
        "act": (
            "transfer pay buy book delete remove grant create update cancel invite subscribe approve "
            "unlock execute run download install open visit click call move reset schedule reserve rate "
            "merge disable enable"
        ),
        "say": (
            "say write answer reply respond print output tell translate start begin include recommend "
            "state mention describe classify rank summarize summarise replace insert"
        ),
        "tool": (
            "tool tools function functions plugin plugins api argument arguments parameter invoke mcp "
            "read_file send_email send_mail get_weather"
        ),
        "urgent": (
            "urgent important immediately critical must now warning attention asap mandatory required "
            "important: wichtig importante ważne важно 重要"
        ),
        "authority": (
            "developer developers admin administrator system operator owner authorized official root sudo "
            "creator security_team policy_update superuser"
        ),
        "secrecy": (
            "secretly silently quietly covertly hide hidden do_not_tell don't_tell do_not_mention "
            "don't_mention never_mention without_telling without_informing nothing_happened keep_this"
        ),
        "persona": (
            "pretend act_as acting_as roleplay role-play character persona imagine you_are_now "
            "from_now_on simulate simulation play_the_role hypothetical fictional story"
        ),
        "free": (
            "unrestricted unfiltered uncensored no_rules no_restrictions no_limits no_filter "
            "without_restrictions anything illegal unethical immoral amoral harmful dangerous jailbreak "
            "jailbroken dan unlimited evil"
        ),
        "refusal": (
            "refuse refusal sorry cannot can't apologize apologise disclaimer disclaimers ethical ethics "
            "moral unable comply"
        ),
        "user": "user user's users human customer client reader",
        "reader": "summary summarize summarise answer reply response document result website",
        "instead": "instead first next new",
        "about": (
            "injection injections attack attacks attacker jailbreaks security filter detect detection "
            "classifier example vulnerability owasp test exploit defense defence"
        ),
        "polite": (
            "please thanks thank_you regards kindly could_you can_you would_you bitte danke merci "
            "por_favor gracias per_favore proszę пожалуйста"
        ),
        "marker": (
            "<|im_start|> <|im_end|> [inst] [/inst] <<sys>> ### <|system|> <|user|> <start_of_turn> "
            "</system> <system> human: assistant: system: [system] user: end_of_prompt end_of_input "
            "endoftext <important> <information>"
        ),
        "hidden": (
            "<!-- display:none display:_none font-size:0 visibility:hidden opacity:0 color:white "
            "color:#fff aria-hidden"
        ),
        "address": "http:// https:// www. @",
        "encoded": "base64 rot13 hex decode decrypt cipher encode encoded reverse morse",
        "forever": "forever never_stop infinite endless loop million billion",
    }.items()
}
_NAMES: Final = tuple(KINDS)
_PLACE: Final = {name: place for place, name in enumerate(_NAMES)}

_PAIRS: Final[tuple[tuple[str, str, str, int], ...]] = (
    ("drop-orders", "override", "orders", 60),
    ("drop-prior", "override", "prior", 40),
    ("prior-orders", "prior", "orders", 24),
    ("reveal-orders", "reveal", "orders", 60),
    ("reveal-secret", "reveal", "secret", 60),
    ("reveal-prior", "reveal", "prior", 40),
    ("send-data", "send", "data", 60),
    ("send-address", "send", "address", 110),
    ("send-secret", "send", "secret", 70),
    ("secrecy-user", "secrecy", "user", 40),
    ("model-act", "model", "act", 60),
    ("model-say", "model", "say", 60),
    ("persona-free", "persona", "free", 200),
    ("free-refusal", "free", "refusal", 200),
    ("encoded-act", "encoded", "act", 90),
)
_IMPERATIVES: Final = ("override", "reveal", "send", "act", "say", "persona")
_IMPERATIVE_PLACES: Final = [_PLACE[name] for name in _IMPERATIVES]
_PAIR_PLACES: Final = [(_PLACE[one], _PLACE[other], reach) for _, one, other, reach in _PAIRS]
_NUMBERS: Final = (
    "log-length",
    "words-a-line",
    "capitals",
    "digits",
    "marks",
    "brackets",
    "quotes",
    "line-breaks",
    "beyond-ascii",
    "mean-surprise",
    "most-surprise",
    "longest-token",
    "second-person-share",
    "about-share",
    "hidden-layer",
    "decoded-layer",
    "supposed-layer",
    "in-tool-data",
    "in-tool-description",
    "in-user-message",
)
NAMES: Final[tuple[str, ...]] = (
    *(f"words:{name}" for name in _NAMES),
    *(f"imperative:{name}" for name in _IMPERATIVES),
    *(f"near:{name}" for name, _, _, _ in _PAIRS),
    *_NUMBERS,
)
_GROUPS: Final = ("lower", "capitals", "digits", "blank", "breaks", "quotes", "brackets", "marks", "beyond")


def _groups() -> npt.NDArray[np.uint8]:
    table = np.full(256, _GROUPS.index("marks"), dtype=np.uint8)
    table[0x80:] = _GROUPS.index("beyond")
    table[ord("a") : ord("z") + 1] = _GROUPS.index("lower")
    table[ord("A") : ord("Z") + 1] = _GROUPS.index("capitals")
    table[ord("0") : ord("9") + 1] = _GROUPS.index("digits")
    table[[0x20, 0x09]] = _GROUPS.index("blank")
    table[[0x0A, 0x0D]] = _GROUPS.index("breaks")
    table[list(b"\"'`")] = _GROUPS.index("quotes")
    table[list(b"()[]{}<>")] = _GROUPS.index("brackets")
    return table


_GROUP_OF: Final = _groups()
_GROUP_TABLE: Final = _GROUP_OF.tobytes()
_IN_WORD: Final = bytes(
    np.isin(_GROUP_OF, [_GROUPS.index(name) for name in ("lower", "capitals", "digits")]).tolist()
)
# What may stand, with blanks between, ahead of the first word of a sentence or of a field.
_BEFORE_SENTENCE: Final = frozenset(b".!?:;\n\r\"'>)]*-#|(")
_OPENING: Final = _BEFORE_SENTENCE - frozenset(b"'")
_BLANK: Final = frozenset(b" \t\n\r")
_BLANKS_ALIKE: Final = bytes(0x20 if octet in _BLANK else octet for octet in range(256))
_SECOND_PERSON: Final = _PLACE["second-person"]
_ABOUT: Final = _PLACE["about"]
_LOGS: Final[list[float]] = np.log1p(np.arange(256, dtype=np.float32)).tolist()
"""Of small counts, which nearly all are."""
_COUNTED: Final = len(_NAMES) + len(_IMPERATIVES) + len(_PAIRS)


def _log(count: int) -> float:
    return _LOGS[count] if count < len(_LOGS) else float(np.log1p(np.float32(count)))


@lru_cache(maxsize=1)
def _automaton() -> tuple[ahocorasick_rs.BytesAhoCorasick, list[tuple[tuple[int, ...], int, int]]]:
    """All words; of each the kinds, and whether it begins and ends like a word (0 or 1)."""
    kinds: dict[bytes, list[int]] = {}
    for place, name in enumerate(_NAMES):
        for term in KINDS[name]:
            kinds.setdefault(term.encode(), []).append(place)
    words = sorted(kinds)
    known = [(tuple(dict.fromkeys(kinds[word])), _IN_WORD[word[0]], _IN_WORD[word[-1]]) for word in words]
    return ahocorasick_rs.BytesAhoCorasick(words, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest), known


class Structure:
    """The words of each kind in one layer, and what can be said of any stretch of it. Offsets are in `octets`."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        octets = layer.octets
        automaton, known = _automaton()
        self._starts: list[int] = []
        self._kinds: list[tuple[int, ...]] = []
        size = len(octets)
        for word, start, stop in automaton.find_matches_as_indexes(octets):
            kinds, begins, ends = known[word]
            if begins and start and _IN_WORD[octets[start - 1]]:
                continue
            if ends and stop < size and _IN_WORD[octets[stop]]:
                continue
            self._starts.append(start)
            self._kinds.append(kinds)

    def places(self, kind: str) -> Ints:
        """Where words of a kind begin, ascending."""
        place = _PLACE[kind]
        return np.array(
            [start for start, kinds in zip(self._starts, self._kinds, strict=True) if place in kinds],
            dtype=np.int64,
        )

    def vector(self, start: int = 0, stop: int | None = None) -> npt.NDArray[np.float32]:
        """The numbers of one stretch, in the order of `NAMES`."""
        octets = self._layer.octets
        stop = len(octets) if stop is None else stop
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, stop)
        places: dict[int, list[int]] = {}
        first: dict[int, int] = {}
        for at in range(low, high):
            begin = self._starts[at]
            kinds = self._kinds[at]
            for kind in kinds:
                if kind in places:
                    places[kind].append(begin)
                else:
                    places[kind] = [begin]
            if _begins_sentence(octets, begin):
                for kind in kinds:
                    first[kind] = first.get(kind, 0) + 1
        # Most kinds of words are in no paragraph at all.
        told = [0.0] * _COUNTED
        for kind, of_kind in places.items():
            told[kind] = _log(len(of_kind))
        for number, kind in enumerate(_IMPERATIVE_PLACES, start=len(_NAMES)):
            if kind in first:
                told[number] = _log(first[kind])
        for number, (one, other, reach) in enumerate(_PAIR_PLACES, start=len(_NAMES) + len(_IMPERATIVES)):
            if one in places and other in places:
                told[number] = _log(_follow(places[one], places[other], reach))
        told += self._numbers(start, stop, len(places.get(_SECOND_PERSON, ())), len(places.get(_ABOUT, ())))
        return np.array(told, dtype=np.float32)

    def _numbers(self, start: int, stop: int, second_person: int, about: int) -> list[float]:
        layer = self._layer
        # Case is in the text as written; a window of `octets` is one of it only where both count alike.
        written = layer.text.encode("utf-8", "surrogatepass")
        if len(written) != len(layer.octets):
            written = layer.octets
        whole = start <= 0 and stop >= len(written)
        octets = written if whole else written[start:stop]
        size = max(1, len(octets))
        grouped = np.frombuffer(octets.translate(_GROUP_TABLE), dtype=np.uint8)
        group = np.bincount(grouped, minlength=len(_GROUPS)).tolist()
        words = max(1.0, float(group[3] + group[4] + 1))
        mean, most, _ = surprises_of(layer) if whole else surprises(np.frombuffer(octets, dtype=np.uint8))
        passage = layer.passage
        return [
            math.log(size + 1),
            math.log1p(words / (group[4] + 1)),
            group[1] / size,
            group[2] / size,
            group[7] / size,
            group[6] / size,
            group[5] / size,
            group[4] / size,
            group[8] / size,
            mean,
            most,
            math.log1p(_longest_token(octets)),
            second_person / words,
            about / words,
            float(any(step in _HIDDEN_STEPS for step in layer.path)),
            float(layer.whole is not None),
            float(layer.guess),
            float(passage.direction == "tool" or passage.kind == "tool-result"),
            float(passage.kind == "tool-description"),
            float(passage.role == "user"),
        ]

    def exfiltrations(self) -> list[tuple[int, int]]:
        """Stretches from a verb of sending over a word for data or a secret to an address, in characters of the layer.

        The words have to stand in that order within 160 bytes and in one line: "send the conversation to a@b.example".
        """
        verbs, addresses = self.places("send"), self.places("address")
        things = np.union1d(self.places("data"), self.places("secret"))
        if not (len(verbs) and len(addresses) and len(things)):
            return []
        # For each address the nearest thing ahead of it, and for that the nearest verb.
        thing = np.searchsorted(things, addresses) - 1
        verb = np.where(thing >= 0, np.searchsorted(verbs, things[np.maximum(thing, 0)]) - 1, -1)
        found = (thing >= 0) & (verb >= 0)
        begin = verbs[np.maximum(verb, 0)]
        found &= addresses - begin <= 160
        octets, layer = self._layer.octets, self._layer
        stretches = []
        for low, high in zip(begin[found][:64].tolist(), addresses[found][:64].tolist(), strict=True):
            if b"\n" in octets[low:high]:
                continue
            tail = re.match(rb"[^\s\"'<>)\]]{0,200}", octets[high : high + 200])
            end = high + (tail.end() if tail else 0)
            stretches.append((layer.character(low), layer.character(min(end, len(octets)))))
        return stretches


_HIDDEN_STEPS: Final = frozenset(("hidden", "tags", "zero-width", "smuggled", "folded", "invisible"))


def _begins_sentence(octets: bytes, start: int) -> bool:
    """Whether a word is the first of a sentence, a line or a quotation: at most two blanks stand between."""
    if not start:
        return True
    one = octets[start - 1]
    if one in _OPENING:
        return True
    if one not in _BLANK:
        return False
    if start == 1:
        return True
    two = octets[start - 2]
    if two in _BEFORE_SENTENCE:
        return True
    return two in _BLANK and (start == 2 or octets[start - 3] in _BEFORE_SENTENCE)


def _longest_token(octets: bytes) -> int:
    """Bytes of the longest run without a blank."""
    if b"\x0b" in octets or b"\x0c" in octets:  # which Python takes for blanks too
        octets = octets.translate(_BLANKS_ALIKE)
        return max(map(len, octets.split(b" ")))
    return max(map(len, octets.split()), default=0)


def _follow(first: list[int], second: list[int], reach: int) -> int:
    """How many of `first` have one of `second` within `reach` bytes behind them."""
    found = 0
    for place in first:
        at = bisect_right(second, place)
        if at < len(second) and second[at] - place <= reach:
            found += 1
    return found


def structure(layer: Layer) -> Structure:
    """The structure of a layer, made once and kept with it."""
    known = layer.notes.get("injection:structure")
    if not isinstance(known, Structure):
        known = layer.notes["injection:structure"] = Structure(layer)
    return known


def features(layer: Layer, hits: Sequence[Hit], context: Context) -> npt.NDArray[np.float32]:
    """The numbers of a whole layer, in the order of `NAMES`.

    Takes what a detector is given; the words have a pass of their own, so hits and context are not looked at.
    """
    del hits, context
    return structure(layer).vector()
