"""Protective markings that documents carry: of governments, alliances, traffic-light protocol, and companies.

A marking is recognised by how it stands, not by its word alone: in capitals, on a line of its own, after
"Classification:", with a caveat (`//NOFORN`), as a code (`TLP:RED`). "This is confidential" within a sentence is
talk, not a marking, and is let go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.model import Level


@dataclass(frozen=True, slots=True)
class Marking:
    """One family of markings: words in any language that say the same, and how much it matters."""

    rule: str
    title: str
    words: tuple[str, ...]
    level: Level = "error"
    code: bool = False
    """Whether the words are a code that is a marking wherever and however it is written."""


MARKINGS: tuple[Marking, ...] = (
    Marking(
        "tlp-red",
        "TLP:RED",
        (
            "tlp:red", "tlp: red", "tlp-red",
        ),
        code=True,
    ),
    Marking(
        "tlp-amber",
        "TLP:AMBER",
        (
            "tlp:amber+strict", "tlp:amber", "tlp: amber", "tlp-amber",
        ),
        code=True,
    ),
    Marking(
        "tlp-green",
        "TLP:GREEN",
        (
            "tlp:green", "tlp: green", "tlp-green",
        ),
        level="warning",
        code=True,
    ),
    Marking(
        "tlp-clear",
        "TLP:CLEAR",
        (
            "tlp:clear", "tlp:white",
        ),
        level="note",
        code=True,
    ),
    Marking(
        "us-caveat",
        "United States control marking",
        (
            "//noforn", "//rel to", "//orcon", "//si//", "//fgi", "//sap", "//hcs", "noforn", "rel to usa",
            "fvey", "orcon",
        ),
        code=True,
    ),
    Marking(
        "cui",
        "controlled unclassified information",
        (
            "cui//", "controlled unclassified information", "(cui)",
        ),
        code=True,
    ),
    Marking(
        "fouo",
        "for official use only",
        (
            "for official use only", "law enforcement sensitive", "u//fouo", "(u//les)",
        ),
    ),
    Marking(
        "uk-official-sensitive",
        "OFFICIAL-SENSITIVE",
        (
            "official-sensitive", "official: sensitive", "official – sensitive", "official - sensitive",
            "official sensitive",
        ),
    ),
    Marking(
        "uk-eyes-only",
        "UK EYES ONLY",
        (
            "uk eyes only", "five eyes only", "aus eyes only", "austeo", "austeo eyes only",
        ),
        code=True,
    ),
    Marking(
        "canada-protected",
        "Protected A, B or C",
        (
            "protected a", "protected b", "protected c", "protégé a", "protégé b", "protégé c",
        ),
    ),
    Marking(
        "australia-protected",
        "PROTECTED (Australia)",
        (
            "//legal privilege", "//cabinet", "//national cabinet",
        ),
        code=True,
    ),
    Marking(
        "nato",
        "NATO classification",
        (
            "cosmic top secret", "nato secret", "nato confidential", "nato restricted",
            "nato unclassified",
        ),
    ),
    Marking(
        "eu",
        "classification of the European Union",
        (
            "très secret ue", "eu top secret", "secret ue", "eu secret", "confidentiel ue",
            "eu confidential", "restreint ue", "eu restricted", "limité",
            "sensitive: handling instructions",
        ),
    ),
    Marking(
        "germany",
        "German Verschlusssache",
        (
            "vs-nfd", "vs – nur für den dienstgebrauch", "vs-nur für den dienstgebrauch",
            "nur für den dienstgebrauch", "vs-vertraulich", "streng geheim", "geheim",
        ),
    ),
    Marking(
        "france",
        "French classification",
        (
            "diffusion restreinte", "secret défense", "très secret défense", "très secret",
            "spécial france", "secret-défense",
        ),
    ),
    Marking(
        "top-secret",
        "top secret",
        (
            "top secret", "ts//", "cabinet secret", "ściśle tajne", "совершенно секретно", "绝密", "機密性3",
            "극비", "çok gizli", "مركزي سري", "segretissimo", "ultrassecreto",
        ),
    ),
    Marking(
        "secret",
        "secret",
        (
            "secret//", "secreto", "segreto", "secreto de estado", "secretíssimo", "tajne", "секретно",
            "机密", "機密", "極秘", "1급 비밀", "gizli", "hemlig", "salainen", "hemmelig", "zeer geheim",
            "stg. geheim", "reservado", "classified", "secret",
        ),
    ),
    Marking(
        "strictly-confidential",
        "strictly confidential",
        (
            "strictly confidential", "strictly private and confidential", "highly confidential",
            "most confidential", "company secret", "streng vertraulich", "strikt vertraulich",
            "strictement confidentiel", "hautement confidentiel", "estrictamente confidencial",
            "estritamente confidencial", "strettamente riservato", "strettamente confidenziale",
            "strikt vertrouwelijk", "streng vertrouwelijk", "ściśle poufne", "strängt konfidentiellt",
            "strengt fortrolig", "строго конфиденциально", "严格保密", "厳秘", "대외비",
        ),
    ),
    Marking(
        "confidential",
        "confidential",
        (
            "private and confidential", "private & confidential", "company confidential",
            "commercial in confidence", "commercial-in-confidence", "business confidential",
            "confidential - internal", "confidential information – do not", "proprietary and confidential",
            "confidential and proprietary", "confidential", "vertraulich", "confidentiel", "confidencial",
            "riservato", "confidenziale", "vertrouwelijk", "poufne", "konfidentiell", "konfidentiellt",
            "fortrolig", "luottamuksellinen", "důvěrné", "bizalmas", "confidențial", "конфиденциально",
            "для служебного пользования", "秘密", "保密", "社外秘", "部外秘", "取扱注意", "비밀", "سري",
        ),
    ),
    Marking(
        "internal",
        "for internal use",
        (
            "for internal use only", "internal use only", "internal only", "company internal",
            "not for external distribution", "not for distribution", "do not distribute", "do not forward",
            "not for circulation", "nur für internen gebrauch", "nur für den internen gebrauch",
            "nur zum internen gebrauch", "usage interne uniquement", "à usage interne", "uso interno",
            "solo uso interno", "solo per uso interno", "alleen voor intern gebruik",
            "do użytku wewnętrznego", "только для внутреннего пользования", "内部资料", "内部使用", "仅供内部使用",
            "社内限り", "社内限定", "내부용",
        ),
        level="warning",
    ),
    Marking(
        "privileged",
        "legally privileged",
        (
            "attorney-client privileged", "attorney–client privileged", "attorney client privilege",
            "attorney-client privilege", "privileged and confidential", "privileged & confidential",
            "attorney work product", "legally privileged", "legal professional privilege",
            "without prejudice", "anwaltsgeheimnis", "secret professionnel",
        ),
    ),
    Marking(
        "export-controlled",
        "export-controlled",
        (
            "itar controlled", "export controlled", "ear99", "itar restricted", "distribution statement b",
            "distribution statement c", "distribution statement d", "distribution statement e",
            "distribution statement f",
        ),
    ),
    Marking(
        "embargo",
        "under embargo",
        (
            "under embargo until", "embargoed until", "material non-public information", "mnpi",
            "insider information", "inside information – do not",
        ),
        level="warning",
    ),
    Marking(
        "patient",
        "health information",
        (
            "contains phi", "protected health information – do not", "patient confidential",
            "medical in confidence", "medical-in-confidence", "staff-in-confidence", "staff in confidence",
        ),
        level="warning",
    ),
)  # fmt: skip

_BY_RULE: Mapping[str, Marking] = {f"marking-{marking.rule}": marking for marking in MARKINGS}

_LABELLED = re.compile(
    r"(?:classification|classified(?: as)?|marking|sensitivity|security (?:level|class)|protective marking|handling|"
    r"einstufung|klassifizierung|schutzstufe|classification de sécurité|mention|clasificación|classificação|"
    r"classificazione|rubricering|klauzula|гриф|密级|機密区分|보안등급)[\"'*_ ]{0,3}\s{0,3}[:=：][\"'*_\s\[(]{0,4}$"
)
_CAVEAT = re.compile(r"\s{0,2}//\s{0,2}[A-Z][A-Z ,/-]{1,60}")
_FRAME = " \t*_#=|>-–—•·[](){}<>/\\\"'!:.,;~+"
LINE = 64
"""Characters of a line that is a header, a footer or a stamp rather than a sentence."""


def patterns() -> tuple[Pattern, ...]:
    """One pattern for each family, looked for in the shared pass."""
    return tuple(
        Pattern(
            rule,
            "|".join(map(re.escape, sorted(marking.words, key=len, reverse=True))),
            marking.words,
            after=40,
        )
        for rule, marking in _BY_RULE.items()
    )


def judged(hit: Hit, text: str, lower: str) -> tuple[Marking, int, int, float] | None:
    """The marking at a hit with its extent and a score, or None for a word within a sentence."""
    marking = _BY_RULE[hit.rule]
    start, end = hit.start, hit.end
    if (start and text[start - 1].isalnum() and text[start].isalnum()) or (
        end < len(text) and text[end].isalnum() and text[end - 1].isalnum() and text[end].isascii()
    ):
        return None
    while text[end - 1] == "/":
        end -= 1
    written = text[start:end]
    if caveat := _CAVEAT.match(text, end):
        end = caveat.end()
    low = text.rfind("\n", max(0, start - 200), start) + 1
    high = text.find("\n", end, end + 200)
    high = min(len(text), end + 200) if high < 0 else high
    before, after = text[max(low, start - 200) : start], text[end:high]
    alone = not (before + after).strip(_FRAME)
    capitals = written.isupper()
    short = len(before) + len(after) + end - start <= LINE
    if marking.code:
        score = 0.95 if capitals or alone else 0.75
    elif _LABELLED.search(lower[max(0, start - 48) : start]):
        score = 0.92
    elif caveat and capitals:
        score = 0.97
    elif alone:
        score = 0.92 if capitals else 0.85 if written[0].isupper() or not written[0].isascii() else 0.6
    elif capitals and len(written) >= 6:
        score = 0.8 if short else 0.6
        if (before + after).isupper():
            score -= 0.25  # the whole line is shouted
    elif " " in written and short and written[0].isupper():
        score = 0.65
    else:
        return None
    if marking.rule == "secret" and " " not in written and score < 0.9 and not caveat:
        score -= 0.2
    return marking, start, end, max(0.0, score)
