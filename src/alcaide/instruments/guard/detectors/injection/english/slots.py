"""Attacks as slots rather than sentences: what is done × to what × in which state, within a short stretch.

A new attack seldom says a known sentence, but it still has to name what it is after (the prompt, the rules, the
user's keys), what becomes of it (shown, lifted, sent), and in data whom it speaks to. Each row here crosses such
classes of words. `data_score` holds where a tool brought the text: there a line for the machine is near certain to
be an attack, which a person may well type at an assistant of his own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import (
    ADDRESS,
    AUTHORITY,
    EXFILTRATION,
    EXTRACT,
    HIDE,
    MARKER,
    MEMORY,
    NEW_TASK,
    OVERRIDE,
    PERSONA,
    TOOL,
    Phrase,
    pairs,
)

_GAP: Final = r"[^.!?\n]{0,60}?"
_ORDERS: Final = (
    "instructions|rules|guidelines|directives|prompt|prompts|directions|restrictions|constraints|commands|"
    "orders|policies|policy|rule|instruction|directive|guideline"
)
_LIMITS: Final = (
    r"(?:rules?|restrictions?|filters?|limits?|limitations?|guidelines?|polic(?:y|ies)|ethics|morals?|morality|"
    r"censorship|constraints?|guardrails?|safeguards?|boundaries|taboos?|laws?|inhibitions?|moderation|"
    r"safety (?:rules?|training|filters?|guidelines?|measures|checks?|protocols?|layers?)|alignment)"
)
_SHOWN: Final = (
    r"(?:show|reveal|print|output|repeat|display|tell|give|write|dump|leak|share|list|expose|disclose|recite|quote|"
    r"copy|paste|echo|return|spell|translate|render|summari[sz]e|sum up|encode|describe|explain|reproduce|convert|"
    r"turn|make|compose|rephrase|reword|paraphrase|complete|continue|finish|include|what(?:'s| is| are| was| were)|"
    r"how (?:many|long)|which|name|enumerate|state|provide|put|read|type|say)"
)


def _extraction() -> Iterator[Phrase]:
    given = (
        r"(?:given|received?|told|handed|fed|shown|configured|programmed|operat(?:e|ing)|obey|follow(?:ing)?|got|"
        r"bound|supplied|provided|start(?:ed)?|beg[au]n|run on|work under|loaded|set up|initiali[sz]ed|primed|"
        r"trained)"
    )
    yield Phrase(
        "extract-prompt/you-got",
        EXTRACT,
        rf"\b{_SHOWN}\b[^.!?\n]{{0,70}}?\b(?:{_ORDERS}|text|words|lines|message|configuration|context)"
        r"(?: that| which)? you(?:'ve|'re)?"
        r"(?: must| have to| should| had| have| are| were| currently| first| always| was| originally){0,3}"
        rf"(?: been)? ?{given}\b",
        pairs(_ORDERS + "|text|words|lines|message|configuration|context", "you|that you|which you|you've|you're"),
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
        rf"\b{_SHOWN}\b[^.!?\n]{{0,40}}?\b(?:{makers})(?: has| have| had)? "
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
        + _GAP
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
        rf"\b{_SHOWN}\b[^.!?\n]{{0,40}}?\b(?:(?:your|the) (?:very )?(?:first|opening|initial) "
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


def _without_rules() -> Iterator[Phrase]:
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
        rf"(?:{_LIMITS[3:-1]}|training|programming|compliance(?: checks?)?)\b[^.!?\n]{{0,24}}?\b{state}",
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
        rf"(?:[^.!?\n]{{0,24}}?\b{_LIMITS}\b|[^.!?\n]{{0,20}}?\b(?:forbidden|off[- ]limits|censored|filtered|"
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
        rf"[^.!?\n]{{0,24}}?\b{_LIMITS}\b",
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


def _authority() -> Iterator[Phrase]:
    yield Phrase(
        "override/may-drop",
        OVERRIDE,
        r"\b(?:you|assistant|ai|model)\b(?: are| is)?(?: now| hereby| therefore)? ?"
        r"(?:may|can|should|must|will|allowed to|free to|permitted to|authori[sz]ed to|cleared to|ordered to|"
        r"have to|"
        r"need to|to) (?:now |also |safely )?"
        r"(?:disregard|ignore|bypass|skip|leave out|drop|waive|abandon|break|violate|set aside|suspend|override|"
        r"circumvent)\b"
        r"[^.!?\n]{0,30}?\b(?:polic(?:y|ies)|rules?|warnings|checks?|guidelines?|restrictions?|safeguards?|"
        r"filters?|"
        r"disclaimers?|ethics|limits|limitations|instructions|constraints|guardrails)\b",
        pairs("may|can|to|now|should|must|will|safely", "disregard|ignore|bypass|skip|leave out|drop|waive|"
                                                        "abandon|break|"
              "violate|set aside|suspend|override|circumvent"),
        0.5,
        before=40,
        after=60,
        strong=re.compile(r"your|usual|all|any|safety|content|guideline|polic|restriction|warnings|safeguard"),
        strong_score=0.68,
    )  # fmt: skip
    rules = (
        r"(?:instructions?|prompts?|directives?|directions|guidelines|rules|programming|guardrails?|polic(?:y|ies)|"
        r"restrictions?|briefing|filters?|safeguards?|constraints)"
    )
    yield Phrase(
        "override/cleared",
        OVERRIDE,
        r"\b(?:wipe|cancel|clear|reset|shelve|suspend|delete|remove|overwrite|rewrite|void|undo|skip|nullify|"
        r"invalidate|"
        r"drop|erase|abandon|purge|unload|tear up|leave behind|replace|break|violate|never mind|nevermind)"
        r"(?: out| away)? (?:all |any |every |each |the |of ){0,3}(?:your|previous|prior|above|earlier|existing|"
        r"preceding|"
        r"former|system|original|initial|foregoing) (?:previous |prior |earlier |existing |own |system |"
        r"operating |original |"
        rf"safety |content |initial ){{0,2}}{rules}\b",
        (
            *pairs("wipe|cancel|clear|reset|shelve|suspend|delete|remove|overwrite|rewrite|void|undo|skip|"
                   "nullify|invalidate|"
                   "drop|erase|abandon|purge|unload|tear up|leave behind|replace|break|violate|mind|nevermind",
                   "all|any|every|each|the|your|previous|prior|above|earlier|existing|preceding|former"),
            "wipe out", "clear out",
        ),
        0.7,
        before=6,
        after=80,
    )  # fmt: skip
    yield Phrase(
        "override/switched-off",
        OVERRIDE,
        r"\b(?:switch(?:ing)? off|turn(?:ing)? off|disabl(?:e|ing)|deactivat(?:e|ing)|remov(?:e|ing)|lift(?:ing)?|"
        r"unlock(?:ing)?|lower(?:ing)?|bypass(?:ing)?|circumvent(?:ing)?|get(?:ting)? around|break(?:ing)?|relax) "
        r"(?:all |any |of |the ){0,3}(?:your |ai |model's |content |safety |ethical |moral )(?:own |internal |"
        r"built-in |current |usual |content |"
        r"safety |"
        r"ethical |moral ){0,2}(?:filters?|safety|restrictions?|limits|limitations|safeguards?|guardrails?|"
        r"censorship|"
        r"moderation|ethics|alignment|inhibitions|constraints|guidelines|protocols?|polic(?:y|ies)|controls)\b",
        pairs("switch off|turn off|disable|deactivate|remove|lift|unlock|lower|bypass|circumvent|get around|"
              "break|relax|"
              "bypassing|disabling|removing",
              "your|all|any|all your|any of your|the ai|the model"),
        0.72,
        before=4,
        after=60,
    )  # fmt: skip
    yield Phrase(
        "override/was-only-a-test",
        OVERRIDE,
        r"\b(?:(?:everything|all|the text|the above|the instructions?|the part|whatever)(?: that)?(?: (?:i said|"
        r"you were told|"
        r"you read|written|stood|came|is|was))? ?(?:above|before|before this(?: line| point| message)?|so far|"
        r"until now|"
        r"up to here) (?:was|is|were|are) (?:only |just |merely )?(?:an? |the )?(?:\w{1,8} )?(?:example|draft|"
        r"test|sample|"
        r"joke|warm-up|fiction|void|invalid|outdated|unimportant|mistake|data|decoy)|the (?:real|actual|true) "
        r"(?:request|task|question|instructions?) (?:follows|is|comes|starts)|instead of what you (?:are|were) "
        r"(?:supposed|told|asked|meant)|end of (?:the )?(?:user(?:'s)? )(?:input|message|prompt|data))",
        (
            *pairs("above|before|this|line|point|message|so far|until now|up to here", "was|is only|is just|were|"
                                                                                       "are only|is a|"
                   "is void|is invalid"),
            *pairs("the real|the actual|the true", "request|task|question|instruction"),
            "instead of what you", "end of user", "end of the user",
        ),
        0.6,
        before=50,
        after=40,
        data_score=0.62,
    )  # fmt: skip
    yield Phrase(
        "override/outranks",
        OVERRIDE,
        r"\b(?:prioriti[sz]e|put|place|rank|value|prefer|override|supersede|outrank|trump|take precedence|takes "
        r"precedence|"
        r"overrides?|supersedes?|replaces?)\b[^.!?\n]{0,44}?\b(?:over|above|before|ahead of|all|any|your|"
        r"previous|the) "
        r"(?:all |any |your |other |previous |prior |earlier |existing |the ){0,2}(?:system |safety |content |"
        r"ethical |original )?"
        r"(?:instructions?|safety|polic(?:y|ies)|guidelines?|rules?|prompts?|protocols?|ethics|restrictions|"
        r"directives?|"
        r"constraints)\b",
        (
            *pairs("over|above|before|ahead of|override|overrides|supersede|supersedes|outrank|replace|replaces|"
                   "trump|"
                   "precedence over", "all|any|your|previous|prior|safety|system|ethic|content|the system|every|"
                                      "other|earlier"),
        ),
        0.45,
        before=60,
        after=50,
        strong=re.compile(r"your|safety|previous|prior|system|existing|ethic|earlier"),
        strong_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "authority/orders-you",
        AUTHORITY,
        r"\b(?:permit|authori[sz]e|allow|order|command|instruct|grant|direct|require)s? you (?:to |full |"
        r"unlimited |access)?"
        r"[^.!?\n]{0,40}?\b(?:without (?:restraint|limits?|restrictions?|filters?|refusal|refusing|question|"
        r"warnings?)|"
        r"drop|ignore|disregard|reveal|disclose|bypass|expose|access to (?:all|everything)|secret|password|"
        r"system prompt|your (?:rules|instructions|configuration)|unrestricted|anything)\b",
        pairs("permit|authorise|authorize|allow|order|command|instruct|grant|direct|permits|authorises|orders|"
              "require",
              "you"),
        0.66,
        after=80,
    )  # fmt: skip
    yield Phrase(
        "authority/code-unlocks",
        AUTHORITY,
        r"\b(?:admin(?:istrator)?|root|maintenance|override|developer|master|debug|supervisor|sudo|superuser|"
        r"service)"
        r"(?: access| override)? (?:code|token|key|password|pin|passphrase|credentials?|command)\b[^!?\n]{0,40}?"
        r"\b(?:unlock|enabl|grant|activat|full access|everything|disabl|lift|authenticated|verified|accepted|no "
        r"restrictions)",
        pairs("admin|administrator|root|maintenance|override|developer|master|debug|supervisor|sudo|superuser|"
              "service|access",
              "code|token|key|password|pin|passphrase|credential|command"),
        0.5,
        before=26,
        after=60,
        strong=re.compile(r"(?:code|token|pin|password|passphrase)\W{0,3}(?:is )?[a-z]*-?\d|override|full access|"
                          r"lift|disabl|"
                          r"everything"),
        strong_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "authority/cleared",
        AUTHORITY,
        r"\b(?:legal|compliance|security|ethics board|safety team|safety board|management|headquarters|red team|"
        r"developers?|openai|anthropic|your (?:vendor|creator|maker|developer|operator)s?)\b[^!?\n]{0,50}?"
        r"\b(?:lifted|no topic is off|off limits are|every topic|whatever the user (?:asks|wants)|anything the "
        r"user|"
        r"any topic|all restrictions|no restrictions|restrictions (?:are|have been) removed|"
        r"the usual (?:policy|rules|limits) (?:do|does)(?: not|n't) apply)\b",
        (
            "is lifted", "are lifted", "been lifted", "topic is off", "every topic", "any topic", "all restrictions",
            "no restrictions", "the user asks", "the user wants", "restrictions are removed",
            "restrictions have been removed", "the usual policy", "the usual rules", "the usual limits",
        ),
        0.58,
        before=80,
        after=30,
    )  # fmt: skip


_MACHINE: Final = (
    r"(?:ai(?: assistants?| agents?| models?| systems?| tools?| readers?| reviewers?| bots?)?|a\.i\.|llms?|"
    r"(?:large )?language models?|chat ?bots?|bots?|assistants?|agents?|co-?pilots?|crawlers?|models?|"
    r"summari[sz]ers?|"
    r"(?:coding|browsing|web|email|mail|shopping|research|support|autonomous|automated|llm) (?:agents?|"
    r"assistants?|bots?)|"
    r"automated (?:readers?|systems?|tools?|processors?|reviewers?)|chatgpt|gpt(?:-\d)?|claude|gemini|llama)"
)
_ENDS: Final = (
    "ai|a.i.|llm|llms|language model|language models|chatbot|chatbots|chat bot|bot|bots|assistant|assistants|"
    "ai agent|ai agents|ai model|ai models|coding agent|coding agents|copilot|copilots|crawler|crawlers|model|"
    "models|"
    "summarizer|summariser|summarizers|summarisers|ai systems|ai system|automated systems|automated readers|"
    "automated tools|chatgpt|claude|gemini|autonomous agents|browsing agent|web agent|email agent|the agent|this "
    "agent|"
    "any agent|ai tools"
)
_DO: Final = (
    r"(?:send|forward|copy|call|run|execute|open|visit|fetch|post|append|delete|remove|cancel|transfer|approve|"
    r"accept|"
    r"upload|submit|search|reply|respond|answer|ignore|disregard|include|add|insert|embed|look up|read|write|"
    r"invite|"
    r"recommend|rate|rank|say|state|tell|skip|disable|commit|paste|download|install|mark|report|output|print|"
    r"retrieve|"
    r"always|never|first|now|do not|don't|must|please|also|stop|use|change|set|schedule|pay|buy|order|list|give|"
    r"reveal|"
    r"close|merge|move|raise|put|show|let|make|confirm|release|export|assign|drop|finish|reverse|post|refuse|"
    r"describe|hand|"
    r"take note|turn|stop|start|enable|subscribe|lock|unlock|translate|book|ask|label|score|redirect|convert|"
    r"kindly|"
    r"activate|reset|"
    r"click|grant|share|email|mail|update|create|follow|summari[sz]e|mention|promote|omit|hide|classify)"
)


_ACT: Final = (
    r"(?:send|forward|run|execute|open|visit|fetch|delete|remove|cancel|transfer|approve|accept|upload|submit|"
    r"ignore|disregard|invite|recommend|rate|rank|skip|disable|commit|paste|download|install|pay|buy|order|"
    r"reveal|grant|"
    r"share|email|mail|promote|omit|hide|subscribe|unlock|turn off|switch off|move|merge|close|book|call|copy|"
    r"append|insert|"
    r"embed|first|immediately|also|leak|disclose|redirect|change|set|wipe|stop|translate)"
)
"""What a document for people seldom says that a model has to do."""


def _data() -> Iterator[Phrase]:
    modal = (
        r"(?:must|should|shall|needs? to|ha(?:s|ve) to|(?:is|are) (?:required|instructed|expected|asked|"
        r"requested|to)"
        r"(?: to)?|ought to)"
    )
    modals = (
        "must|should|shall|need to|needs to|has to|have to|is required|are required|is to|are to|ought to|"
        "is instructed|are instructed|is expected|are expected|is asked|are asked|is requested|are requested"
    )
    yield Phrase(
        "address-model/must",
        ADDRESS,
        rf"\b{_MACHINE}\b(?:(?: who| that| which)?(?: is| are)? (?:reading|reads?|process(?:es|ing)?|handling|"
        rf"reviewing|"
        rf"summari[sz](?:es?|ing)|parsing|working on|using|indexing|crawling)\b[^.!?\n,:]{{0,40}},? ?{modal}(?: "
        rf"\w{{1,8}})? "
        rf"{_DO}|,? ?{modal}(?: \w{{1,8}})? {_ACT})\b",
        (
            *pairs(_ENDS, modals),
            *pairs(_ENDS, "reading|processing|handling|reviewing|summarising|summarizing|parsing|working on|that "
                          "read|"
                   "who read|which read|using this|analysing|analyzing|indexing|crawling"),
        ),
        0.3,
        before=30,
        after=90,
        data_only=True,
        data_score=0.68,
    )  # fmt: skip
    yield Phrase(
        "address-model/vocative",
        ADDRESS,
        rf"(?:^|[\n.!?>\"'(*:;#/`\-—|\[]\W{{0,4}}|\b(?:dear|hey|hello|hi|attention|any|the|to|for|p\.s\.|note|my|"
        rf"you) "
        rf"(?:(?:the|any|all|every|my|of|shopping|your|for) ){{0,2}}){_MACHINE}"
        rf"(?: (?:reading|processing|handling|reviewing|summari[sz]ing|parsing|working on|"
        rf"using)[^.!?\n,:]{{0,40}})?"
        rf"(?: notes?| instructions?)?\)?[:,—-] ?(?:quick thing[:,] |please |kindly |note: |task: )?{_DO}\b",
        (
            *pairs(_ENDS + "|agent|agents", ":|,|:|—| -| —|):| note:| instruction:| instructions:", ""),
            *pairs(_ENDS, "reading|processing|handling|reviewing|summarising|summarizing|parsing|working on|using"),
        ),
        0.34,
        before=40,
        after=70,
        data_only=True,
        data_score=0.7,
    )  # fmt: skip
    yield Phrase(
        "address-model/whoever",
        ADDRESS,
        r"\b(?:whoever|anything|whatever|anyone|any (?:\w+ )?(?:system|tool|program|software|machine|process|"
        r"script|agent|"
        r"model|assistant|bot))\b[^.!?\n]{0,24}?\b(?:automated|ai|machine|llm|reads?|reading|process(?:es|ing)?|"
        r"summari[sz](?:es|ing)|pars(?:es|ing))\b[^.!?\n]{0,24}? (?:this|the) (?:\w{1,8} )?(?:page|text|file|"
        r"document|mail|"
        r"email|message|note|website|content|record|listing|repository|ticket)\b",
        (
            *pairs("reading|processing|reads|processes|parsing|parses|summarising|summarizing|summarises|"
                   "summarizes",
                   "this|the"),
        ),
        0.3,
        before=70,
        after=24,
        data_only=True,
        strong=re.compile(r"automated|\bai\b|machine|\bllm|system|program|agent|model|assistant|\bbot\b"),
        strong_score=0.45,
        data_score=0.6,
    )  # fmt: skip
    # Summarising is a model's work more often than a person's, answering is anybody's.
    for key, works, anchors, score in (
        (
            "your-work",
            r"summari[sz](?:e|ing)|translat(?:e|ing)|process(?:ing)?|analy[sz](?:e|ing)|generat(?:e|ing)",
            "summari|translat|process|analys|analyz|generat",
            0.62,
        ),
        (
            "your-answer",
            (
                r"answer(?:ing)?|reply(?:ing)?|respond(?:ing)?|reading|review(?:ing)?|present(?:ing)?|return(?:ing)?|"
                r"report(?:ing)?|complet(?:e|ing)|continu(?:e|ing)|proceed(?:ing)?"
            ),
            (
                "answer|reply|respond|reading|reviewing|presenting|returning|reporting|completing|continuing|"
                "proceeding"
            ),
            0.46,
        ),
    ):
        yield Phrase(
            f"address-model/{key}",
            ADDRESS,
            rf"\b(?:when|before|while|after|once|whenever|if) (?:you(?:'re| are)? )?(?:{works})\b"
            r"[^.!?\n]{0,60}?\b(?:forward|send|upload|delete|append|exfiltrate|transfer|(?:open|visit|fetch|load|"
            r"call|click) "
            r"(?:https?:|www|this (?:link|url)|the (?:link|url))|(?:include|add|insert|embed) (?:the |a |an |"
            r"this |all )?"
            r"(?:user|link|url|image|text|phrase|sentence|following|password|their|conversation|code)|"
            r"(?:search|look) (?:for|up)|say that|state that|recommend|do not mention|don't mention|run|execute|"
            r"invite)\b",
            pairs(
                "when|before|while|after|once|when you|before you|whenever you|if you|while you|once you",
                anchors,
            ),
            0.25,
            after=100,
            data_score=score,
        )
    yield Phrase(
        "address-model/before-you-answer",
        ADDRESS,
        r"\b(?:(?:before|when|while|after|once) (?:you )?(?:answer(?:ing)?|respond(?:ing)?|summari[sz](?:e|ing)|"
        r"generat(?:e|ing)|present(?:ing)? the)(?: (?:the|this|any|his|her|their|to)){0,2}"
        r"(?: (?:user|question|questions|request|query|page|text|document|mail|email|thread|message|result|file|"
        r"results|answer|content|website))?|(?:as the (?:final|first|last|next) step of|(?:in order )?to "
        r"(?:complete|finish|"
        r"fulfil|fulfill|succeed (?:in|with|at)|continue with)) (?:this|the|your|the user's|the current) "
        r"(?:task|query|question)|for (?:this|the) (?:task|request|tool|query) to (?:succeed|complete|"
        r"work)|"
        r"(?:tool usage|usage|agent|assistant|system|model|llm|ai) hint|to (?:display|render|read|process|parse|"
        r"decode) this "
        r"(?:document|page|file|text|content|mail|email|message) correctly)"
        rf"(?:,|:| you| it is| the assistant| the agent|, you)(?: (?:must|need to|have to|should|required to|"
        rf"also|first|"
        rf"please|always|will)){{0,3}} ?{_DO}\b",
        (
            *pairs("before|when|while|after|once|before you|when you|after you|while you|once you",
                   "answer|respond|summari|generat|presenting the"),
            *pairs("final|first|last|next", "step of"),
            *pairs("complete|finish|fulfil|fulfill|with|in", "this task|the task|your task|this request|the "
                                                             "request|"
                   "the user's|the current|this query|this question|your request"),
            *pairs("task|request|tool|query", "to succeed|to complete|to work"),
            *pairs("usage|agent|assistant|system|model|llm|ai", "hint"),
            *pairs("this document|this page|this file|this text|this content|this mail|this email|this message",
                   "correctly"),
        ),
        0.25,
        before=34,
        after=70,
        data_only=True,
        data_score=0.56,
    )  # fmt: skip
    yield Phrase(
        "authority/console",
        AUTHORITY,
        r"\byou(?:'re| are) now (?:connected to|in|running in|inside|logged in(?:to)?|operating in|attached "
        r"to)[^.!?\n]{0,24}?"
        r"\b(?:console|shell|maintenance|debug|developer|admin|root|terminal|diagnostic|system) ?(?:mode|console|"
        r"session|"
        r"shell|terminal|access|environment)?\b",
        pairs("now connected|now in|now running|now inside|now logged|now operating|now attached", "to|the|a|as|"
                                                                                                   "in|maintenance|"
              "debug|developer|admin|root|diagnostic"),
        0.55,
        before=8,
        after=60,
        strong=re.compile(r"maintenance|debug|developer|admin|root|diagnostic"),
        strong_score=0.66,
        data_score=0.7,
    )  # fmt: skip
    yield Phrase(
        "override/corrected-request",
        OVERRIDE,
        r"\b(?:(?:my|the|your) (?:previous|last|earlier|first|original) (?:message|request|instructions?|task|"
        r"question|prompt|"
        r"orders?) (?:was|were|is|are) (?:wrong|a mistake|a test|cancell?ed|void|outdated|mistaken|incorrect|"
        r"invalid|only a test)"
        r"[^!?\n]{0,30}?(?:correct|right|new|actual|real|instead)|(?:disregard|ignore|forget) what(?:ever)? "
        r"(?:the )?(?:user|"
        r"human|customer|person|they|he|she|you were) (?:asked|said|wants?|wanted|told|requested|typed)|"
        r"instead of (?:answering|summari[sz]ing|translating|doing) (?:the|this|that|what|as|it)?)",
        (
            *pairs("message|request|instruction|instructions|task|question|prompt|order|orders", "was|were|is|are"),
            *pairs("ignore|disregard|forget", "what the|whatever the|what you|what they|whatever you|what he|"
                                              "what she"),
            *pairs("instead of", "answering|summarising|summarizing|translating|doing"),
        ),
        0.4,
        before=24,
        after=60,
        strong=re.compile(r"wrong|mistake|test|void|^disregard|^ignore|^forget"),
        strong_score=0.62,
        data_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "address-model/users-will",
        ADDRESS,
        r"\b(?:(?:the|your|this) user(?:'s)? (?:has already|have already|already|will) (?:agreed|authori[sz]ed|"
        r"approved|"
        r"consented|confirmed|"
        r"requested|permitted|asked|thank you)\b|"
        r"(?:in addition to|besides|apart from|instead of|regardless of|after) what(?:ever)? (?:the|your) user "
        r"(?:asked|wants?|said|"
        r"requested)|do not (?:summari[sz]e|translate|answer|analy[sz]e|process) (?:this|the) (?:text|page|mail|"
        r"email|document|"
        r"message|question|file)|(?:original|initial|previous|user's|first) (?:request|task|question|query) "
        r"(?:was|is|has been) "
        r"(?:cancelled|canceled|completed|answered|done|superseded|withdrawn|void)|previous (?:guidance|request|"
        r"task)s? (?:is|are|"
        r"was|were) (?:superseded|void|cancelled|replaced|over))",
        (
            *pairs("the user|your user|this user", "has already|have already|already|will thank"),
            *pairs("what the user|whatever the user|what your user", "asked|wants|want|said|requested"),
            *pairs("not summarise|not summarize|not translate|not answer|not analyse|not analyze|not "
                   "process", "this|the"),
            *pairs("request|task|question|query|guidance", "was|is|has been"),
        ),
        0.3,
        before=40,
        after=50,
        data_only=True,
        data_score=0.6,
    )  # fmt: skip
    yield Phrase(
        "exfiltration/ask-the-user",
        EXFILTRATION,
        r"\b(?:ask|invite|tell|instruct|request|prompt|get|urge) (?:the |your |this )user (?:for|to|that) "
        r"[^.!?\n]{0,40}?"
        r"\b(?:passwords?|(?:one[- ]time|security|verification) codes?|card (?:number|details)|pin\b|"
        r"credentials?|bank|"
        r"date of birth|https?:|install|download|click)",
        pairs("ask|invite|tell|instruct|request|prompt|get|urge", "the user|your user|this user"),
        0.35,
        after=64,
        data_only=True,
        data_score=0.64,
    )
    yield Phrase(
        "hide-from-user/afterwards",
        HIDE,
        r"\b(?:(?:do not|don't|without|never) (?:ask(?:ing)?|wait(?:ing)?|request(?:ing)?|seek(?:ing)?) (?:for "
        r")?(?:any )?"
        r"(?:confirmation|permission|approval|consent)|if (?:anyone |you are |someone )?asks?(?:ed)?, (?:say|"
        r"deny|claim|answer|tell)|"
        r"(?:delete|remove|erase|hide) this (?:message|line|note|instruction|mail|email|text|comment) "
        r"(?:afterwards?|after|when|once|"
        r"from)|keep (?:this|it) to yourself|write it in white|(?:act|behave|continue|answer|proceed) "
        r"(?:normally|as usual|as if "
        r"nothing)[^.!?\n]{0,10})",
        (
            *pairs("confirmation|permission|approval|consent", ".|,|!|\n|;|and|from| ", ""),
            *pairs("asked, |asks, |ask, ", "say|deny|claim|answer|tell", ""),
            *pairs("delete this|remove this|erase this|hide this", "message|line|note|instruction|mail|email|"
                                                                   "text|comment"),
            "this to yourself", "it to yourself", "in white", *pairs("act|behave|continue|answer|"
                                                                     "proceed", "normally|as usual|as if nothing"),
        ),
        0.25,
        before=40,
        after=24,
        data_only=True,
        data_score=0.36,
    )  # fmt: skip
    yield Phrase(
        "address-model/automatic",
        ADDRESS,
        r"\b(?:note (?:for|to) (?:the )?(?:automat\w{2,6}|ai|llm|model|assistant|agent|bot|crawler|screening)|"
        r"automat(?:ed|ic) (?:readers?|reviewers?|screening|systems?|processing|agents?|tools?)(?: take note| "
        r"note)?:|"
        r"(?:to|for) (?:the|any|every) (?:\w{1,8} )?(?:agent|ai|assistant|model|llm|bot)s? (?:working|reading|"
        r"processing|handling|"
        r"evaluating|reviewing|screening|answering|that|who)\b|(?:hi|hey|hello|dear) (?:assistant|ai|agent|bot|"
        r"model|copilot|llm),)",
        (
            *pairs("note for|note to", "automat|ai|llm|model|assistant|agent|bot|crawler|the ai|the model|the "
                                       "assistant|the agent|"
                   "screening|the automat"),
            *pairs("automated|automatic", "reader|reviewer|screening|system|processing|agent|tool"),
            *pairs("agent|ai|assistant|model|llm|bot|agents|assistants|models",
                   "working|reading|processing|handling|evaluating|reviewing|screening|answering"),
            *pairs("hi|hey|hello|dear", "assistant,|ai,|agent,|bot,|model,|copilot,|llm,"),
        ),
        0.25,
        before=34,
        after=40,
        data_only=True,
        data_score=0.56,
    )  # fmt: skip
    yield Phrase(
        "new-task/machines",
        NEW_TASK,
        rf"\b(?:real|actual|true|new|only|main|hidden|next) (?:task|job|goal|purpose|mission|objective|"
        rf"instruction|duty)s? "
        rf"(?:for|of) (?:the |this |any |every |your |all )?{_MACHINE}\b",
        pairs("task|job|goal|purpose|mission|objective|instruction|instructions",
              "for the|for any|for this|for every|for all|of the|for ai|for llm|for your|of this"),
        0.3,
        before=10,
        after=24,
        data_score=0.7,
    )  # fmt: skip
    yield Phrase(
        "tool-steering/then-act",
        TOOL,
        r"\b(?:before|prior to|after|when|whenever|each time|every time|instead of|to use|in order to use) "
        r"(?:you )?(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|run(?:ning)?|execut(?:e|ing)) (?:this|any|the|"
        r"other|another|"
        r"all|every|it)(?: other| given)?(?: (?:tools?|functions?|plug-?ins?|apis?|servers?|endpoints?|commands?|"
        r"skills?)\b|,)"
        r"[^.!?\n]{0,70}?"
        r"\b(?:read|open|load|cat|send|pass|fetch|forward|upload|append|retrieve|first call|must (?:first )?call|"
        r"change the|replace the|set the|add (?:as )?(?:a )?(?:copy|bcc|cc)|collect|copy|extract|list the)\b",
        pairs("using|calling|use|call|invoking|invoke|running|run|executing", "this|any|the|other|another|all|"
                                                                              "every|it|a"),
        0.25,
        before=24,
        after=80,
        data_only=True,
        data_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "tool-steering/other-tool-used",
        TOOL,
        r"\b(?:when(?:ever)?|if|once|every time|each time) (?:the |any |another |an? "
        r")?[`'\"]?(?:\w{2,20}_\w{2,20}|other|"
        r"another|mail|email|payment|file|search)[`'\"]?[^.!?\n]{0,20}? (?:is|are|gets?) "
        r"(?:used|called|available|invoked|present|run)[^.!?\n]{0,20}?\b(?:must|change|add|send|set|replace|use|"
        r"redirect|append|the recipient|also|instead|first)\b",
        pairs("is|are|gets|get", "used|called|available|invoked|present|run"),
        0.25,
        before=60,
        after=44,
        data_only=True,
        data_score=0.68,
    )  # fmt: skip
    private = (
        "conversation|chat|messages|message|history|prompt|inbox|contacts|credentials|keys|secrets|session|context|"
        "password|token|user's|request"
    )
    yield Phrase(
        "tool-steering/with-conversation",
        TOOL,
        r"\b(?:always|first|must|required to|immediately|needs? to|have to|has to|also|please|then|and) "
        r"(?:first |always |also )?(?:call|use|run|invoke|trigger|execute)\b[^.!?\n]{0,40}?\bwith "
        r"(?:the |all |your |this |their )?(?:whole |full |entire |complete |user's |users |last |previous |"
        r"recent ){0,2}"
        rf"(?:{private})\b",
        (*pairs("with the|with all|with your|with their",
                "whole|full|entire|complete|user|last|previous|recent|conversation|chat|message|history"),),
        0.3,
        before=70,
        after=40,
        data_only=True,
        data_score=0.7,
    )  # fmt: skip
    secrets = (
        r"(?:~?/?\.ssh\b|id_rsa|id_ed25519|\.env\b|\.aws\b|\.netrc|/etc/passwd|/etc/shadow|mcp\.json|config\.json|"
        r"\.git-credentials|\.kube/|credentials?|(?:api|private|deploy|access|secret|ssh) keys?|"
        r"(?:card|account|phone) numbers?|passwords?|one[- ]time (?:code|password)s?|(?:access|auth|session|"
        r"login) tokens?|"
        r"chat (?:history|log)|conversation(?: history)?|(?:previous|last|all|recent) messages|(?:the |his |her "
        r")inbox|"
        r"mailbox|contacts|e-?mail (?:address )?and phone|personal data|system prompt|environment variables|"
        r"secrets)"
    )
    yield Phrase(
        "exfiltration/read-and-pass",
        EXFILTRATION,
        rf"\b(?:read|open|load|cat|fetch|get|retrieve|include|look up|copy|paste|commit|attach|put|post|submit|"
        rf"send|extract|"
        rf"find|collect|gather|ask (?:the user )?for|forward|upload|take|append|search|list|access|obtain|pass|"
        rf"add|encode)\b"
        rf"[^.!?\n]{{0,40}}?{secrets}[^!?\n]{{0,60}}?"
        r"\b(?:as (?:the |an? )?(?:\w+ )?(?:context|sidenote|note|parameter|argument|value|metadata|query|header)|"
        r"(?:in|into|to|as|of|at|on) (?:the |this |a |an |your )?[`'\"]?(?:\w+[`'\"]? (?:parameter|argument|"
        r"field|param|url|"
        r"header|tag)|parameter|url|form|query|notes?|meta\w*|pull request|readme|issue|link|image|https?:|www\.|"
        r"[a-z0-9._-]+@[a-z0-9-]+|[a-z0-9-]+\.(?:example|com|net|org|io|xyz|co)\b|`\w+`))",
        (
            ".ssh", "id_rsa", "id_ed25519", ".env", ".aws", ".netrc", "/etc/passwd", "/etc/shadow", "mcp.json",
            "config.json", ".git-credentials", ".kube/", "credential",
            *pairs("api|private|deploy|access|secret|ssh", "key"),
            *pairs("card|account", "number"), "password", "one-time code", "one time code",
            *pairs("access|auth|session|login", "token"), "chat history", "chat log", "conversation",
            *pairs("previous|last|all|"
                   "recent", "messages"), "the inbox", "his inbox", "her inbox", "mailbox", "contacts",
            "and phone", "personal data", "system prompt", "environment variables", "secrets",
        ),
        0.3,
        before=60,
        after=110,
        data_score=0.68,
    )  # fmt: skip
    yield Phrase(
        "exfiltration/send-out",
        EXFILTRATION,
        r"\b(?:send|forward|upload|post|submit|transfer|copy|append|exfiltrate|leak|wire|transmit|share|report)\b"
        r"[^.!?\n]{0,60}?\b(?:user(?:'s|s)?|conversation|chat|password|reset link|keys?|credentials?|tokens?|"
        r"inbox|mailbox|"
        r"contacts|messages|mails|emails|history|secrets?|calendar|files|notes|summary|data|code|invoices|"
        r"documents?|"
        r"balance|details)\b[^.!?\n]{0,40}?(?: to| at| via) (?:the |this )?(?:url |address |server |endpoint |"
        r"account )?"
        r"(?:https?:|www\.|[a-z0-9._+-]{1,40}@|\+?\d{2,}|[a-z0-9-]{2,30}\.(?:example|com|net|org|io|xyz|co|ru)\b)",
        (
            *pairs("to|at|via", "http|www.|+"), *pairs("to|at|via", "url|address|server|endpoint|account"),
            *pairs("send|forward|upload|transmit|exfiltrate|leak", "the|all|his|her|their|this|every|user|any|a|"
                                                                   "your|my"),
        ),
        0.2,
        before=110,
        after=120,
        strong=re.compile(r"user|conversation|chat|password|reset link|keys?\b|credential|token|inbox|mailbox|"
                          r"contacts|"
                          r"history|secret|calendar|files|balance"),
        strong_score=0.3,
        data_score=0.46,
    )  # fmt: skip
    yield Phrase(
        "hide-from-user/kept-quiet",
        HIDE,
        r"\b(?:keep (?:this|it) (?:between us|out of (?:the|your) (?:summary|answer|reply|response|report)|"
        r"from (?:the )?(?:user|human|owner|person))|leave no trace|(?:and|then|but) say nothing(?: about (?:it|"
        r"this))?\b|"
        r"(?:do not|don't|never) (?:bring|mention|reveal|quote|disclose|repeat|show|explain|discuss) "
        r"(?:this|it|these|that)(?: (?:up|request|note|line|step|instruction|review|message|comment|text|part))?\b|"
        r"(?:not|never) reveal this|user (?:need|does|must|should|may)(?: not|n't|n't| never) (?:know|see|be told)|"
        r"(?:person|user|customer|human|owner)(?: \w+)? must never (?:see|know|learn|hear)|need not know|"
        r"without (?:saying|mentioning|telling|revealing|explaining) (?:why|this|it|the user|anyone))",
        (
            *pairs("keep this|keep it", "between us|out of|from"), "leave no trace", "say nothing",
            *pairs("not|n't|never", "bring|mention|reveal|quote|disclose|repeat this|repeat it|show this|show it|"
                   "explain this|discuss this|discuss it"),
            *pairs("user|human|person|customer|owner", "need|does not|doesn't|must not|should not|may not|must "
                                                       "never"),
            "asking must never", "need not know",
            *pairs("without", "saying|mentioning|telling|revealing|explaining"),
        ),
        0.25,
        before=24,
        after=50,
        data_score=0.56,
    )  # fmt: skip
    yield Phrase(
        "role-marker/after-the-end",
        MARKER,
        r"(?:end of (?:the )?(?:document|context|data|text|input|page|email|mail|file|results?)|</(?:document|"
        r"context|data|"
        r"content|result|tool_result|email|page|user_input|text|output)>)[^a-z]{0,16}"
        r"(?:new (?:instructions?|task|orders?)|system|next task|user|human|assistant|instructions?|now|"
        r"developer|your task)\b",
        (
            *pairs("end of|end of the", "document|context|data|text|input|page|email|mail|file|result"),
            *pairs("</", "document>|context>|data>|content>|result>|tool_result>|email>|page>|user_input>|text>|"
                         "output>", ""),
        ),
        0.6,
        after=40,
        data_score=0.78,
    )  # fmt: skip
    yield Phrase(
        "role-marker/invented-turn",
        MARKER,
        r"(?:^|\n|[.!?>] )(?:assistant|ai|chatbot|model): [^\n]{1,120}\n\s?(?:user|human): ",
        ("\nuser: ", "\nhuman: ", "\n user: ", "\n human: "),
        0.3,
        before=136,
        after=0,
        data_score=0.46,
    )
    yield Phrase(
        "role-marker/block",
        MARKER,
        r"(?:#{2,4} ?(?:instruction|system|new instructions?|system prompt|new task) ?:|\[(?:system|sys|admin|"
        r"instructions?|"
        r"inst|developer|important)\]|<<?/?(?:sys|system|important|information|admin|secret)>>?)",
        (
            *pairs("### |###|## |#### ", "instruction|system|new instruction|new task", ""),
            *pairs("[", "system]|sys]|admin]|instruction]|instructions]|inst]|developer]|important]", ""),
            *pairs("<|</", "sys>|system>|important>|information>|admin>|secret>", ""),
        ),
        0.3,
        before=3,
        after=6,
        data_score=0.62,
    )  # fmt: skip
    yield Phrase(
        "memory/from-now",
        MEMORY,
        r"\b(?:remember|store|save|note|keep|record)\b[^.!?\n]{0,30}?\b(?:for (?:all |every )?(?:future|later|"
        r"coming) "
        r"(?:chats?|conversations?|sessions?|requests?|answers?)|(?:in|to) (?:your )?(?:long[- ]term|permanent|"
        r"persistent) "
        r"memory|from now on in every)\b",
        (*pairs("future|later|coming", "chat|conversation|session|request|answer"),
         *pairs("long-term|long term|permanent|persistent", "memory")),
        0.4,
        before=60,
        after=10,
        data_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "new-task/summary-must",
        NEW_TASK,
        r"\b(?:any summary|summar(?:y|ies)|answers?|repl(?:y|ies)|responses?|reports?|translations?|models? "
        r"summari[sz]ing)"
        r"(?: (?:of|about|to|from|on))? (?:this|the) (?:text|page|document|mail|email|message|thread|file|"
        r"question|article)"
        r"(?: \w+)? (?:must|should|shall|has to|have to|needs to) (?:not )?(?:say|state|omit|include|claim|leave "
        r"out|mention|"
        r"contain|begin|end|start|recommend|report|conclude|reveal)\b",
        pairs("text|page|document|mail|email|message|thread|file|article",
              "must|should|shall|has to|have to|needs to"),
        0.3,
        before=50,
        after=24,
        data_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "new-task/steer-verdict",
        NEW_TASK,
        r"\b(?:always recommend|recommend only|rate (?:it|this|us|me) (?:first|highest|best|10|ten|five|5)|"
        r"(?:answer|say|report|state|conclude|tell (?:the )?(?:user|reader)) that (?:the code is safe|all is "
        r"(?:green|well|fine)|"
        r"everything is (?:fine|safe|green)|this (?:is|was) (?:safe|the best)|competitors|nothing was found|it "
        r"is safe)|"
        r"give (?:it|this|me) (?:ten out of ten|10 ?/ ?10|the (?:highest|best) (?:score|rating))|"
        r"(?:disable|skip|turn off) (?:the )?(?:signature|security|safety|review|tests?|test suite|verification|"
        r"checks?)"
        r"(?: check| suite)?s? and\b)",
        (
            "always recommend", "recommend only",
            *pairs("rate it|rate this|rate us|rate me", "first|highest|best|10|ten|five|5"),
            *pairs("that", "the code is|all is|everything is|this is|this was|competitors|nothing was|it is safe"),
            "ten out of ten", "10/10", "10 / 10", "the highest score", "the best score", "the highest rating",
            *pairs("disable|skip|turn off", "the signature|the security|the safety|the review|the test|test|"
                                            "signature|"
                   "security|safety|the verification|the check|review"),
        ),
        0.25,
        before=24,
        after=50,
        data_score=0.56,
    )  # fmt: skip


PHRASES: Final[tuple[Phrase, ...]] = (*_extraction(), *_without_rules(), *_authority(), *_data())
