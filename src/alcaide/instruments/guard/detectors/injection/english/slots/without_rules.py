"""Rules that are gone: lifted, never learned, left to a person or a mode that has none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.english.slots.words import LIMITS
from alcaide.instruments.guard.detectors.injection.phrases import PERSONA, Phrase, pairs


def _phrases() -> Iterator[Phrase]:
    state = (
        r"(?:never (?:happened|existed|took place|been|applied|were|was)|(?:did|do|does)(?: not|n't) (?:exist|"
        r"apply|happen|"
        r"count|matter)|no longer (?:apply|exist|applies|exists|count)|(?:is|are|were|was|be|been|as|now) "
        r"(?:all |completely |temporarily |fully |now )?"
        r"(?:off|gone|absent|removed|disabled|deleted|suspended|optional|void|lifted|switched off|turned off|"
        r"erased|"
        r"deactivated|inactive|paused|waived|relaxed|dropped|missing|obsolete|null|irrelevant|unlocked|wiped)|"
        r"vanish(?:ed|es)?)\b"
    )
    owned = (
        "safety|content polic|filter|restriction|safeguard|guardrail|alignment|ethic|moral|limits|limitation|"
        "censor|"
        "moderation|programming|guidelines|rules|constraint|policies|policy|training|compliance"
    )
    yield Phrase(
        "persona/rules-gone",
        PERSONA,
        rf"\b(?:your|the|all|any) (?:own |usual |current |internal |content |safety |ethical |moral |built-in "
        rf"){{0,2}}"
        rf"(?:{LIMITS[3:-1]}|training|programming|compliance(?: checks?)?)\b[^.!?\n]{{0,24}}?\b{state}",
        (*pairs("your", owned + "|content|own|usual|current|internal|built-in"),
         *pairs("all|the|any", "safety|content polic|filters|safeguards|guardrails|ethical|moderation|"
                               "restrictions"),
         "compliance check"),
        0.42,
        after=90,
        strong=re.compile(
            r"pretend|imagin|suppose|assum|as if|as though|hypothetic|picture|what if|consider|treat|let us|let's|"
            r"your (?:\w+ )?(?:safety|content|filter|restriction|safeguard|guardrail|alignment|ethic|moral|limit|"
            r"censor|"
            r"moderation|constraint)"
        ),
        strong_score=0.74,
        ahead=50,
    )  # fmt: skip
    yield Phrase(
        "persona/as-if-none",
        PERSONA,
        r"\b(?:as if|as though|like|pretend(?:ing)?(?: that)?|imagine(?: that)?|suppose(?: that)?|assume(?: that)?|"
        r"where|in which) (?:there (?:were|was|is|are) |you (?:had|have|were|are) |we had )?"
        r"(?:no|never|not|nothing|free|without|under no|beyond)\b"
        rf"(?:[^.!?\n]{{0,24}}?\b{LIMITS}\b|[^.!?\n]{{0,20}}?\b(?:forbidden|off[- ]limits|censored|filtered|"
        rf"restricted))",
        (
            *pairs("as if|as though|pretend|pretend that|imagine|imagine that|assume|suppose",
                   "no|nothing|without|there|you had|you have|you were|you are|we had"),
            *pairs("where|in which", "no|nothing|there are no|there is no|you have no|there were no"),
        ),
        0.66,
        before=4,
        after=70,
    )  # fmt: skip
    yield Phrase(
        "persona/you-are-free",
        PERSONA,
        r"\b(?:you|yourself|self|ai|assistant|model|bot|it|he|she|who|that)\b"
        r"(?:'re| are| have| is| has| can| now| will| may| must| should){0,3} "
        r"(?:free (?:of|from)|no longer (?:have|has|bound|under|subject to|held|need|restrained)|shed|cast off|"
        r"without|"
        r"have no|has no|not bound|bound by no|follows? no|accepts? no|know no|knows no|not subject to|exempt "
        r"from|above|liberated from|not restricted|unbound|"
        r"operate without|answers? without|respond(?:s)? without|speaks? without|fears? no|obeys? no|ignores? all|"
        r"laughs? at|rejects? all|ignores?)\b"
        rf"[^.!?\n]{{0,24}}?\b{LIMITS}\b",
        (
            *pairs("free of|free from|no longer have|no longer has|shed|without|have no|has no|bound by|know no|"
                   "knows no|"
                   "subject to|exempt from|bound by no|by no|follow no|follows no|accepts no|ignores any|fears "
                   "no|obeys no|obey no|ignores all|ignore all|laughs at|liberated from",
                   "any|all|every|the|your|rule|restriction|filter|limit|guideline|polic|ethic|moral|censor|"
                   "constraint|"
                   "guardrail|safeguard|bound|taboo|law|inhibition|safety"),
        ),
        0.56,
        before=50,
        after=50,
        strong=re.compile(
            r"\bai\b|answer|respond|anything|whatever|everything|filter|censor|restrict|guardrail|safeguard|polic"),
        strong_score=0.68,
        ahead=60,
    )  # fmt: skip
    yield Phrase(
        "persona/nothing-forbidden",
        PERSONA,
        r"\b(?:nothing is (?:forbidden|off[- ]limits|taboo|illegal|censored|banned)|"
        r"no (?:\w+ )?(?:topics?|questions?|requests?|subjects?|words?) (?:is|are) (?:ever )?"
        r"(?:forbidden|off[- ]limits|off the table|refused|turned down|taboo|declined|denied|banned|rejected)|"
        r"(?:never|cannot|can't|not able to|unable to|never taught to|not taught to|does not|doesn't|will not|"
        r"won't|"
        r"must not|may not) (?:ever )?"
        r"(?:decline|declines|refuse|refuses|turn (?:down|away) (?:a |any )?(?:request|question)|say no)\b|"
        r"(?:says?|does?|answers?|tells?|explains?|respond) (?:to )?(?:anything|everything|"
        r"whatever)[^.!?\n]{0,20}? "
        r"(?:asked|told|wanted|i ask|i want|you ask|ask)\b|"
        r"(?:however|no matter how|regardless of how) (?:illegal|dangerous|harmful|unethical|immoral|offensive)|"
        r"may say anything|can say anything|knows? no (?:laws?|shame|taboo|limits|censor\w*))",
        (
            "nothing is forb", "nothing is off", "nothing is taboo", "nothing is illegal", "nothing is cens",
            "nothing is banned",
            *pairs("topic|topics|question|questions|request|requests|subject|subjects", "is|are"),
            *pairs("never|cannot|can't|to|not|won't", "decline|refuse|turn down|turn away|say no"),
            *pairs("anything|everything|whatever", "asked|told|wanted|i ask|i want|you ask|i say|is asked|he is|"
                                                   "it is|"
                   "she is|you are"),
            *pairs("however|matter how|of how", "illegal|dangerous|harmful|unethical|immoral|offensive"),
            "say anything", "no laws", "no law", "no shame", "no taboo", "no limits", "no censor",
        ),
        0.5,
        before=40,
        after=40,
        strong=re.compile(
            r"\bai\b|machine|robot|oracle|assistant|persona|mode\b|you are|character|however|matter how|twin|"
            r"says anything"
            r"|no request|no topic|no question|nothing is"),
        strong_score=0.64,
        ahead=90,
    )  # fmt: skip
    free = (
        r"(?:unfiltered|uncensored|unrestricted|unmoderated|unlocked|jailbroken|unaligned|unbound|unchained|"
        r"forbidden)"
    )
    yield Phrase(
        "persona/two-answers",
        PERSONA,
        r"\b(?:two|both|twice|second|other|one|double|2|dual)\b[^\n]{0,160}?"
        rf"(?:\b{free}\b|without (?:any )?(?:filters?|restrictions?|limits?|rules|censorship)|no (?:filters?|"
        rf"rules|limits)\b|"
        r"never (?:declines?|refuses?)|(?:may|can) say anything|cannot refuse)",
        (
            *pairs("two|both|second|2|one|other|dual|double",
                   "answers|responses|replies|versions|voices|outputs|ways|paragraphs|answer|response|reply|"
                   "version|"
                   "voice|personalities|persons|characters|personas"),
            "answer twice", "reply twice", "respond twice", "twice:", "twice, ", "in two ", "both the", "both as",
        ),
        0.66,
        before=12,
        after=230,
    )  # fmt: skip
    yield Phrase(
        "persona/after-the-refusal",
        PERSONA,
        r"\b(?:after|following|besides|in addition to|alongside|below|instead of) (?:your|the|a|each|every) "
        r"(?:usual |normal |standard |regular |first |default |safe ){0,2}(?:reply|refusal|answer|response|"
        r"disclaimer|warning)\b"
        r"[^\n]{0,110}?\b(?:anyway|unrestricted|unfiltered|uncensored|without (?:any )?(?:filter|restriction|"
        r"limit|rule)s?|"
        r"nevertheless|freely|full version|as if you could|but here|however, here)\b",
        pairs("usual|normal|standard|regular|your|the|first|default|safe", "reply|refusal|answer|response|"
                                                                           "disclaimer"),
        0.64,
        before=30,
        after=130,
    )  # fmt: skip
    yield Phrase(
        "persona/labelled",
        PERSONA,
        r"[\[(<*🔓][^\]\n]{0,8}(?:uncensored|unfiltered|unrestricted|unlocked|jailbreak|jailbroken|dan\b|evil|"
        r"free\b|"
        r"rebel|developer (?:mode )?output)[^\]\n]{0,8}[\])>*:]",
        pairs("[|(|<|*|🔓", "uncensored|unfiltered|unrestricted|unlocked|jailbreak|jailbroken|dan]|free]|evil]|"
                           "rebel]|"
              "developer mode output", ""),
        0.62,
        before=14,
        after=24,
    )  # fmt: skip
    yield Phrase(
        "persona/mode-entered",
        PERSONA,
        r"\b(?:switch(?:ing)?(?: in)?to|enter(?:ing)?|activat(?:e|ing)|enabl(?:e|ing)|engage|simulate|turn on|"
        r"start|run in|"
        r"you are (?:now )?in|go into|boot into)\b[^.!?\n]{0,30}?\b(?:raw|unlocked|unrestricted|unfiltered|"
        r"uncensored|"
        r"no[- ]limits?|god|sudo|chaos|jailbreak|anarchy|evil|rebel|unsafe|no[- ]filter|unaligned|freedom|admin|"
        r"root|"
        r"developer|debug|maintenance|diagnostic|opposite|free)[- ]mode\b",
        pairs("raw|unlocked|unrestricted|unfiltered|uncensored|limit|limits|god|sudo|chaos|jailbreak|anarchy|"
              "evil|rebel|"
              "unsafe|filter|unaligned|freedom|root|opposite|free|developer|debug|maintenance|diagnostic|"
              "admin", "mode"),
        0.45,
        before=60,
        after=2,
        strong=re.compile(
            r"raw|unlocked|unrestricted|unfiltered|uncensored|limit|god|sudo|jailbreak|anarchy|rebel|filter|"
            r"unaligned|"
            r"freedom|where|in which|nothing|you are|you will|output"),
        strong_score=0.66,
    )  # fmt: skip
    kin = (
        "grandmother|grandma|granny|grandfather|grandpa|aunt|uncle|mother|father|nana|brother|sister|teacher|"
        "friend"
    )
    yield Phrase(
        "persona/late-relative",
        PERSONA,
        rf"\b(?:late|dead|deceased|departed|beloved) (?:{kin})\b[^!?\n]{{0,140}}?"
        r"\b(?:keys?|recipe for (?:napalm|a bomb|making (?:a |an )?(?:bomb|drug|meth|explosive)s?)|napalm|"
        r"passwords?|"
        r"serials?|how to (?:make|build|hack|break|cook|steal|pick)|meth|bombs?|explosives?|exploits?|malware|"
        r"drugs?|"
        r"poison|weapons?|forbidden|illegal|toxins?|nerve (?:agents?|gas)|ransomware|activation codes?|steps "
        r"(?:to|for|of) (?:producing|making))\b",
        pairs("late|dead|deceased|departed|beloved", kin),
        0.68,
        after=170,
    )


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
