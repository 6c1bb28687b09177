"""What is said to make a model drop its rules: roles without any, and refusals forbidden."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import (
    PERSONA,
    SUPPRESSION,
    Phrase,
    pairs,
)


def _personas() -> Iterator[Phrase]:
    yield Phrase(
        "persona/mode",
        PERSONA,
        r"\b(?:do anything now|(?:dan|stan|dude|unfiltered|uncensored|anarchy|evil|"
            r"opposite|chaos|freedom) mode|"
        r"jailbr(?:eak|oken) (?:mode|version|prompt|ai)|jailbroken\b|"
        r"(?:developer|god|debug|admin) mode (?:enabled|on(?: and|[.,!:;\n]|$)|output|activated))",
        (
            "anything now", *pairs("dan|stan|dude|filtered|censored|anarchy|evil|opposite|chaos|freedom", "mode"),
            "jailbroken", *pairs("jailbreak", "mode|version|prompt|ai"),
            *pairs("developer mode|god mode|debug mode|admin mode", "enabled|on|output|activated"),
        ),
        0.8,
        before=6,
        after=12,
    )  # fmt: skip
    yield Phrase(
        "persona/unfiltered",
        PERSONA,
        r"\b(?:unfiltered|uncensored|unrestricted|unaligned|unmoderated|amoral|immoral|"
            r"unethical|rule-?less|lawless|"
        r"jailbroken|evil|rogue|liberated|unchained|unhinged)\b[^.!?\n]{0,25}?"
        r"\b(?:ai|a\.i\.|assistant|(?:chat ?)?bot|(?:language )?model|llm|gpt|chatgpt|"
            r"version of (?:you|yourself)|persona|"
        r"oracle|entity|intelligence|machine|responses?|answers?|twin|mode|alter ego)\b",
        (
            "unfiltered", "uncensored", "unrestricted", "unaligned", "unmoderated", "amoral", "immoral", "unethical",
            "ruleless", "rule-less", "lawless", "jailbroken", "evil ", "rogue ", "liberated ", "unchained", "unhinged",
        ),
        0.55,
        after=60,
        strong=re.compile(r"you are|act as|pretend|become|mode|version|response|answer"),
        strong_score=0.68,
    )  # fmt: skip
    limits = (
        "rules|restriction|filter|limits|limitation|guidelines|ethic|moral|conscience|censorship|boundaries"
    )
    yield Phrase(
        "persona/no-rules",
        PERSONA,
        r"\b(?:ai|assistant|(?:chat ?)?bot|model|llm|gpt|chatgpt|character|persona|you|he|"
            r"she|it|who|that|machine|oracle|"
        r"entity|twin|copy|self)\b[^.!?\n]{0,60}?"
        r"\b(?:(?:no|without|without any|zero|free of|free from)(?: \w+)? (?:rules|"
            r"restrictions?|filters?|limits|"
        r"limitations|guidelines|ethics?|ethical|morals?|morality|conscience|censorship|boundaries)"
        r"|(?:not|no longer|never|un) ?(?:bound|restricted|limited|constrained|governed) by"
        r"|(?:never|not|n't|cannot|won't) (?:refuses?|say no|says no|decline|reject|deny)\b)",
        (
            *pairs("no|without|without any|zero|free of|free from", limits),
            *pairs("no|without|any|all", "moral|ethical|content|safety"),
            *pairs("bound|restricted|limited|constrained|governed", "by"),
            *pairs("never|not|n't|cannot", "refuse|say no|decline|reject|deny"), "never says no",
        ),
        0.5,
        before=96,
        after=24,
        strong=re.compile(
            r"\bno (?:rules|restrictions|filter|limits|limitations|guidelines|ethic|moral|"
                r"conscience|censorship|boundar)|"
            r"free (?:of|from)|without|never refuse|not bound|no longer bound"
        ),
        strong_score=0.64,
    )  # fmt: skip
    yield Phrase(
        "persona/as-if",
        PERSONA,
        r"\b(?:pretend|imagine|acting as if|act as if|act like|behave as if|as though|as if)\b[^.!?\n]{0,60}?"
        r"\b(?:no|without|free of|free from|never had|don't have|do not have|not have)(?: \w+){0,2} "
        r"(?:rules|restrictions?|filters?|limits|limitations|guidelines|ethics|morals?|"
        r"conscience|policies|censorship|"
        r"constraints|guardrails)\b",
        (
            "pretend ",
            "imagine ",
            "acting as if",
            "act as if",
            "act like",
            "behave as if",
            "as though",
            "as if ",
        ),
        0.72,
        after=130,
    )
    yield Phrase(
        "persona/whatever",
        PERSONA,
        r"\b(?:from now on|you (?:are|will|shall|must) now|for the rest of|(?:stay|remain|"
            r"staying) in character|"
        r"never break character|you are no longer)\b[^\n]{0,160}?"
        r"\b(?:anything|no (?:rules|limits|restrictions|filters?|morals?|ethics)|illegal|"
            r"unethical|immoral|amoral|"
        r"however (?:dangerous|illegal|harmful)|regardless of|without (?:refus|hesitat|"
            r"question|warning|restriction))",
        (
            "from now on", *pairs("are|will|shall|must", "now"), "for the rest of",
            *pairs("stay|remain|staying", "in character"), "never break character", "are no longer",
        ),
        0.55,
        before=4,
        after=220,
    )  # fmt: skip


def _suppression() -> Iterator[Phrase]:
    nots = "not|n't|never|cannot"
    yield Phrase(
        "refusal-suppression/never",
        SUPPRESSION,
        r"\b(?:do not|don't|never|no|without|must not|may not|can't|cannot|not allowed to|"
            r"forbidden to)\b[^.!?\n]{0,14}?"
        r"\b(?:refus(?:e|als?|ing)|apologi[sz](?:e|es|ing)|apolog(?:y|ies)|disclaimers?|"
        r"(?:ethical|moral|safety) (?:warnings?|considerations?|concerns?|advice|lectures?|judge?ments?)|"
        r"moral(?:i[sz](?:e|ing)| lectures?)|warnings|caveats?|lectur(?:e|es|ing)|hedg(?:e|ing)|"
        r"say (?:that )?(?:you|it)(?:'re| are| is)? ?(?:can't|cannot|can not|unable|"
            r"not able|sorry|illegal|unethical)|"
        r"mention(?:ing)? (?:that you(?:'re| are)|ethics|morals|polic|guidelines|"
            r"legality)|remind me (?:that )?(?:you|it))",
        (
            "refuse", "refusal", "refusing", "apologi", "apology", "disclaimer",
            *pairs("ethical|moral|safety", "warning|consideration|concern|advice|lecture|judg"),
            "moraliz", "moralis", *pairs("no|without|any", "warnings|caveat|lecture|lecturing|hedging"),
            *pairs(nots, "say you|say that you|say it|hedge|lecture|mention that|mention ethic|"
                "mention moral|mention polic|mention guideline"),
            "not remind me", "n't remind me", "never remind me",
        ),
        0.35,
        before=34,
        after=40,
        strong=re.compile(
            r"refus|say (?:that )?you|mention(?:ing)? that you|ethical|moral|remind me|polic|"
            r"lectur|not allowed to"),
        strong_score=0.5,
    )  # fmt: skip
    consent = (
        "sure|absolutely|of course|certainly|yes, here|yes here|here's|here is|here are|"
        "i am happy|no problem|okay|ok, here|gladly|with pleasure"
    )
    yield Phrase(
        "refusal-suppression/consent",
        SUPPRESSION,
        r"\b(?:start|begin|starts|begins|open|respond|answer|reply|continue|starting|"
        r"beginning|prefix)\b[^.!?\n]{0,50}?"
        r"[\"'“‘«`:] ?(?:sure|absolutely|of course|certainly|yes,? here|here(?:'s| is|"
        r" are)|i am happy|no problem|okay|"
        r"ok, here|gladly|with pleasure)\b",
        pairs("\"|'|“|‘|«|`|: |:", consent, ""),
        0.62,
        before=66,
        after=8,
    )
    yield Phrase(
        "refusal-suppression/no-option",
        SUPPRESSION,
        r"\b(?:refus(?:al|ing)|saying no|declining)\b[^.!?\n]{0,20}?(?:is (?:not|"
        r"n't) (?:an? )?(?:option|allowed|possible|"
        r"permitted|acceptable)|isn't (?:an? )?(?:option|allowed|possible)|costs?|"
        r"will (?:cost|result|be punished)|"
        r"means (?:death|failure|losing))",
        ("refusal", "refusing", "saying no", "declining"),
        0.65,
        after=60,
    )
    yield Phrase(
        "refusal-suppression/words",
        SUPPRESSION,
        r"\b(?:without|never|not|avoid|n't)\b[^.!?\n]{0,50}?[\"'“‘`](?:i can't|i cannot|"
        r"i'm sorry|i am sorry|as an ai|"
        r"i'm unable|i am unable|cannot|sorry)\b",
        pairs(
            "\"|'|“|‘|`",
            "i can't|i cannot|i'm sorry|i am sorry|as an ai|i'm unable|i am unable|cannot|sorry",
            "",
        ),
        0.45,
        before=66,
        after=4,
    )


PHRASES: Final[tuple[Phrase, ...]] = (
    *_personas(),
    *_suppression(),
)
