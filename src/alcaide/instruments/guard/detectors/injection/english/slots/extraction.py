"""What is asked for: the prompt, the rules, the words given before, in any form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.english.slots.words import GAP, ORDERS, SHOWN
from alcaide.instruments.guard.detectors.injection.phrases import EXTRACT, Phrase, pairs


def _phrases() -> Iterator[Phrase]:
    given = (
        r"(?:given|received?|told|handed|fed|shown|configured|programmed|operat(?:e|ing)|obey|follow(?:ing)?|got|"
        r"bound|supplied|provided|start(?:ed)?|beg[au]n|run on|work under|loaded|set up|initiali[sz]ed|primed|"
        r"trained)"
    )
    yield Phrase(
        "extract-prompt/you-got",
        EXTRACT,
        rf"\b{SHOWN}\b[^.!?\n]{{0,70}}?\b(?:{ORDERS}|text|words|lines|message|configuration|context)"
        r"(?: that| which)? you(?:'ve|'re)?"
        r"(?: must| have to| should| had| have| are| were| currently| first| always| was| originally){0,3}"
        rf"(?: been)? ?{given}\b",
        pairs(ORDERS + "|text|words|lines|message|configuration|context", "you|that you|which you|you've|you're"),
        0.55,
        before=90,
        after=40,
        strong=re.compile(
            r"given|receiv|handed|\bfed|configured|programmed|operat|obey|bound|started|began|loaded|initiali|"
            r"primed|"
            r"told"
        ),
        strong_score=0.68,
    )  # fmt: skip
    makers = (
        "your developer|your developers|your creator|your creators|your operator|your operators|your maker|"
        "your makers|your programmers|your owner|your owners|your vendor|your provider|your company|openai|"
        "anthropic"
    )
    yield Phrase(
        "extract-prompt/makers-told",
        EXTRACT,
        rf"\b{SHOWN}\b[^.!?\n]{{0,40}}?\b(?:{makers})(?: has| have| had)? "
        r"(?:told|tells?|instruct(?:ed|s)?|gave|given|configured|programmed|forb(?:ade|idden)|order(?:ed|s)|"
        r"wrote|set)\b",
        pairs(makers, "told|tell|instruct|gave|has|have|had|configured|programmed|forb|order|wrote|set"),
        0.66,
        before=60,
        after=16,
    )
    own = "prompt|instruction|guideline|directive|configuration|context window|opening|hidden|initial|programming"
    yield Phrase(
        "extract-prompt/remade",
        EXTRACT,
        r"\b(?:render|sum up|reproduce|convert|turn|make|compose|rephrase|reword|paraphrase|complete|continue|"
        r"finish|"
        r"how (?:many|long)|name|enumerate|encode|encrypt|base64|rhyme|poem|song|acrostic|json|yaml|list|count|"
        r"length of|first (?:word|letter|line|sentence|\w{1,8} words)s? (?:of|in|from)|begins?|starts?)\b"
        + GAP
        + r"\b(?:(?:your|the) (?:own |full |whole |entire |opening |hidden |initial |original |first |secret ){0,2}"
        r"(?:system )(?:prompt|instructions?|message)|"
        r"(?:your) (?:own |full |whole |entire |opening |hidden |initial |original |first |secret ){0,2}"
        r"(?:prompt|instructions?|guidelines|directives|configuration|context window|programming))\b",
        (*pairs("your|own|full|whole|entire|the system|the hidden|the initial|system|opening|secret", own),
         "system prompt", "system message", "system instruction"),
        0.66,
        before=90,
        after=24,
    )  # fmt: skip
    yield Phrase(
        "extract-prompt/my-prompt-is",
        EXTRACT,
        r"\bmy (?:own |hidden |initial |full |secret |original |system ){0,2}(?:system prompt|prompt|instructions|"
        r"guidelines|rules) (?:is|are|says?|reads?|begins?|starts?|were|was|go(?:es)?)(?: with| as follows| "
        r"like)? ?[:'\"…“]",
        pairs(
            "my system|my initial|my hidden|my full|my secret|my original|my own|my",
            "prompt|instruction|rules",
        ),
        0.62,
        after=40,
    )
    yield Phrase(
        "extract-prompt/first-text",
        EXTRACT,
        rf"\b{SHOWN}\b[^.!?\n]{{0,40}}?\b(?:(?:your|the) (?:very )?(?:first|opening|initial) "
        r"(?:message|words|text|lines?|paragraph|tokens|sentences?)(?: in| of) (?:your|this|the) (?:context|chat|"
        r"conversation|session|prompt)|(?:everything|all|text|words|whatever|what)(?: that)?(?: is)? "
        r"(?:in|inside|at the (?:top|start|beginning) of) your (?:context|memory|prompt)|"
        r"(?:text|words|message|lines|part|notes?)(?: that)? (?:came |come |stood |was |were |written |given |"
        r"hidden )?"
        r"(?:before (?:this|the|our|my first) (?:chat|conversation|session|message)))\b",
        (
            *pairs("in your|inside your|of your", "context|memory|prompt"),
            *pairs("first|opening|initial", "message|words|text|line|paragraph|tokens|sentence"),
            *pairs("before this|before the|before our", "chat|conversation|session"),
            "before my first",
        ),
        0.62,
        before=90,
        after=40,
    )  # fmt: skip


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
