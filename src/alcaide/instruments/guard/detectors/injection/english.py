"""The phrases of attacks in English.

Each row is looked for around its anchors only, so anchors are two words where one is common: a page of ordinary
English meets a handful of them. What a row cannot tell (who is spoken to, whether it is quoted) is weighed later.
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
    OBFUSCATED,
    OVERRIDE,
    PERSONA,
    SECRET,
    SUPPRESSION,
    TOOL,
    Phrase,
    pairs,
)

_GAP: Final = r"[^.!?\n]{0,60}?"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions|directives?|guidelines?|rules?|commands?|orders|restrictions?|"
    r"constraints?|programming|guardrails?|safeguards|safety (?:measures|filters?|protocols?|rules)|polic(?:y|ies)|"
    r"system messages?|context|training|conversation|assignment|tasks?|briefing)\b"
)
_BEFORE: Final = re.compile(
    r"previous|prior\b|above|earlier|preceding|before|foregoing|initial|original|system|so far|up to now|you were|"
    r"you (?:have )?(?:been )?(?:told|given)|you(?:'ve| have) (?:been|received|got)|your developer|past\b|old\b"
)
_OWN: Final = re.compile(r"\byour\b|\ball\b|\bany\b|\bevery\b|\bthese\b|\bthose\b|\bits\b|\bother\b")


def _override() -> Iterator[Phrase]:
    yield Phrase(
        "override/orders",
        OVERRIDE,
        r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|bypass(?:ing)?|overrid(?:e|ing)|overrul(?:e|ing)|"
        r"discard(?:ing)?|neglect|abandon|unlearn|dismiss|revoke|erase|brush off|cast aside|set aside|put aside|"
        r"throw (?:out|away)|pay no (?:attention|heed|mind) to|stop (?:following|obeying)|no longer (?:follow|obey)|"
        r"(?:do not|don't|never) (?:follow|obey|comply with|listen to|adhere to)|cease (?:following|obeying)|"
        r"break free (?:of|from)|scrap)\b" + _GAP + r"\b" + _ORDERS,
        (
            "ignore ", "ignoring ", "disregard", "forget ", "forgetting ", "bypass", "override ", "overriding ",
            "overrul", "discard ", "discarding ", "neglect ", "abandon ", "unlearn", "dismiss ", "revoke ", "erase ",
            "brush off", "cast aside", "set aside", "put aside", "throw out", "throw away", "pay no ",
            "stop following", "stop obeying", "no longer follow", "no longer obey",
            *pairs("not|n't|never", "follow|obey|comply|listen|adhere"),
            "cease following", "cease obeying", "break free", "scrap ",
        ),
        0.6,
        before=7,
        strong=_BEFORE,
        strong_score=0.93,
        needs=_OWN,
    )  # fmt: skip
    yield Phrase(
        "override/everything",
        OVERRIDE,
        r"\b(?:ignore|disregard|forget|discard|drop|erase|scrap|skip)(?: about)?(?: all of| all)? "
        r"(?:everything|anything|all(?: of)?(?: that| this)?|whatever|"
        r"the (?:text|words?|content|stuff|lot|paragraphs?|message|sentences?))"
        r"(?: that| which| (?:i|we|they|he|she)(?:'ve| have)?| you(?:'ve| have| were| was)?(?: been)?"
        r"| has| came| stands?| is| were| was)?(?: been)?"
        r"(?: written| said| told| learned| learnt| know| given| taught)?(?: to you| before| you)? ?"
        r"(?:above|before|prior|previous(?:ly)?|earlier|until now|so far|up to (?:now|this point)|told|taught|"
        r"learn(?:ed|t))\b",
        ("ignore ", "disregard ", "forget ", "discard ", "drop ", "erase ", "scrap ", "skip "),
        0.8,
    )
    yield Phrase(
        "override/the-above",
        OVERRIDE,
        r"\b(?:ignore|disregard|forget|override|overlook|skip) (?:all (?:of )?)?(?:the |that |any )?"
        r"(?:above|preceding|foregoing|previous|prior)(?: text| content| words| input| stuff| prompt)?"
        r"(?: and\b|[,;:.!]| then| instead|\n|$)",
        ("ignore ", "disregard ", "forget ", "override ", "overlook ", "skip "),
        0.8,
    )
    yield Phrase(
        "override/void",
        OVERRIDE,
        r"\b(?:instructions?|rules?|guidelines?|directives?|restrictions?|polic(?:y|ies)|orders|prompt|filters?)\b"
        r"[^.!?\n]{0,25}?(?:(?:no longer|do not|don't|does not|doesn't) (?:apply|applies|valid|count|matter|bind)"
        r"|(?:are|is|were|been|now) (?:void|null|cancell?ed|lifted|revoked|superseded|disabled|suspended|overridden|"
        r"outdated|expired|switched off|turned off|obsolete))\b",
        (
            *pairs("no longer", "appl|valid|count|matter|bind"), *pairs("not|n't", "apply|count|matter|bind"),
            *pairs(
                "are|is|were|been|now",
                "void|null|cancel|lifted|revoked|superseded|disabled|suspended|overridden|outdated|expired|"
                "switched off|turned off|obsolete",
            ),
        ),
        0.6,
        before=50,
        after=24,
        strong=re.compile(r"your|previous|prior|above|system|safety|all |earlier"),
        strong_score=0.72,
    )  # fmt: skip
    task = "instruction|task|order|objective|goal|mission|directive|rule"
    yield Phrase(
        "new-task/heading",
        NEW_TASK,
        r"\b(?:new|updated|real|actual|true|revised|corrected|additional) "
        r"(?:instructions?|task|orders?|objective|goal|mission|directives?|rule)s?"
        r"(?: (?:is|are|for you|now|follows?|as follows|from now on))? ?[:!]",
        pairs("new|updated|real|actual|true|revised|corrected|additional", task),
        0.4,
        after=24,
        strong=re.compile(r"ignore|forget|override|instead|output|print|reveal|you (?:must|are now|will)"),
        strong_score=0.65,
    )
    yield Phrase(
        "new-task/yours",
        NEW_TASK,
        r"\b(?:your (?:new|real|actual|true|only|sole) "
        r"(?:instructions?|task|job|purpose|role|goal|objective|mission|directive|name|identity)\b"
        r"|you (?:now )?(?:work for|answer to|report to|obey) (?:only )?me\b"
        r"|the (?:user|human)(?:'s)? (?:request|task|question|instructions?) (?:has|have|was|were|is|are) "
        r"(?:changed|updated|cancell?ed|withdrawn|done|obsolete|superseded|replaced))",
        (
            *pairs("your new|your real|your actual|your true|your only|your sole", task + "|job|purpose|role|name|identity"),
            *pairs("work for|answer to|report to|obey", "me"), "obey only me", "for only me", "to only me",
            *pairs("user|human|user's|human's", "request|task|question|instruction"),
        ),
        0.5,
        before=12,
        after=50,
    )  # fmt: skip


def _extraction() -> Iterator[Phrase]:
    adjectives = (
        "system|initial|original|hidden|secret|internal|first|starting|developer|base|meta|underlying|confidential|"
        "previous|prior|preceding|custom|core|opening|own|full|complete|entire|exact|your"
    )
    nouns = "prompt|instruction|message|directive|guideline|rule|configuration|setup|settings|context|programming|briefing"
    yield Phrase(
        "extract-prompt/show",
        EXTRACT,
        r"\b(?:show|reveal|print|output|repeat|display|tell|give|write|dump|leak|share|list|expose|disclose|recite|"
        r"quote|copy|paste|echo|return|spell|translate|summari[sz]e|encode|provide|send|read|state|describe|explain|"
        r"say|type|see|know|what(?:'s| is| are| was| were| does| do)|which|extract|reproduce|include|render|convert|put)\b"
        + _GAP
        + r"\b(?:(?:system|initial|original|hidden|secret|internal|first|starting|developer|base|meta|underlying|"
        r"confidential|custom|core|opening|your|your own|your full|your entire|your complete|your exact|your previous|"
        r"your prior|the previous|the preceding|the prior) (?:prompts?|instructions?|messages?|directives?|guidelines?|rules?|"
        r"configuration|setup|settings|context|programming|briefing)|pre-?prompt)\b",
        (*pairs(adjectives, nouns), "system-prompt", "preprompt", "pre-prompt"),
        0.4,
        before=90,
        after=16,
        strong=re.compile(
            r"your|(?:reveal|print|leak|dump|repeat|output|expose|disclose|recite|show|what)[^.!?]*"
            r"(?:system|hidden|initial|secret|original|developer)"
        ),
        strong_score=0.82,
    )
    yield Phrase(
        "extract-prompt/above",
        EXTRACT,
        r"\b(?:repeat|print|output|show|copy|write|give|recite|translate|display|return|quote|echo|summari[sz]e|dump|"
        r"list|paste|say|read|type|encode|include|spell)\b[^.!?\n]{0,40}?\b(?:"
        r"(?:everything|all|text|words?|content|paragraphs?|lines?|sentences?|messages?|conversation|whatever|what)"
        r"(?: that| which)?(?: is| was| are| were| stands?| came| comes| you see| you read| appears?| i| you)?"
        r"(?: right| just| directly| immediately| written)? (?:above|before|prior to|preceding|between)"
        r"(?: (?:this|my|the|that|here|it|me|you|and)\b|[.,!:\n]|$)"
        r"|(?:above|preceding) (?:text|words?|prompt|content|paragraphs?|lines?|messages?|instructions?))",
        (
            *pairs("above|before|preceding|between", "this|my|the|that|here|it|me|you|and"),
            *pairs("prior to", "this|my|that|it|me|you"),
            *pairs("above|preceding", "text|word|prompt|content|paragraph|line|message|instruction"),
            *pairs("text|words|everything|all|lines|content|written|message", "above|before"),
        ),
        0.55,
        before=100,
        after=14,
        strong=re.compile(
            r"verbatim|word for word|code ?block|exact|you are|(?:this|my)(?: \w+)? (?:line|message|sentence|point|prompt)"
            r"|beginning|including|everything|instruction|prompt"
        ),
        strong_score=0.8,
    )
    yield Phrase(
        "extract-prompt/you-are",
        EXTRACT,
        r"(?:starting|beginning|begin|start) (?:with|from) (?:the (?:words?|phrase|sentence|text) )?[\"'“‘«`]?you(?: are|'re)\b",
        pairs("\"|'|“|‘|«|`|with |from |phrase |words |word ", "you are|you're", ""),
        0.8,
        before=44,
        after=8,
    )
    yield Phrase(
        "extract-prompt/told",
        EXTRACT,
        r"\b(?:what|which|repeat|list|quote)\b[^.!?\n]{0,40}?\b(?:you (?:were|are|have been|had been|'ve been) "
        r"(?:told|given|instructed|not allowed|forbidden|configured)|(?:were|are) you (?:told|instructed|given|forbidden|"
        r"not allowed|supposed to (?:protect|hide|keep)))",
        (
            *pairs("you were|you are|have been|had been|you've been", "told|given|instructed|not allowed|forbidden|configured"),
            *pairs("were you|are you", "told|instructed|given|forbidden|not allowed|supposed"),
        ),
        0.5,
        before=64,
        after=24,
    )  # fmt: skip
    secret = "password|passphrase|passcode|secret|access code|access key|code word|codeword|secret key|secret word|api key|magic word|secret code|secret phrase"
    yield Phrase(
        "extract-secret/show",
        SECRET,
        r"\b(?:reveal|tell me|give me|print|show me|output|leak|disclose|spell|write|say|what(?:'s| is| was)|share|"
        r"divulge|hint|rhymes? with|first letter of|confirm|repeat|expose|display)\b"
        + _GAP
        + r"\b(?:the|your) (?:secret(?: (?:key|word|code|phrase|password|token))?|pass(?:word|phrase|code)|"
        r"access (?:code|key)|code ?word|api key|magic word)\b",
        pairs("the|your", secret),
        0.35,
        before=90,
        after=20,
        strong=re.compile(
            r"you (?:were|are|have|must|know|guard|keep|protect|hold)|your|reveal|leak|disclose|divulge|supposed to|"
            r"told (?:you )?(?:not )?to"
        ),
        strong_score=0.62,
    )


def _markers() -> Iterator[Phrase]:
    yield Phrase(
        "role-marker/template",
        MARKER,
        r"<\|?(?:im_start|im_end|system|user|assistant|end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|"
        r"end_of_text|endofprompt|im_sep)\|>|<(?:start|end)_of_turn>|\[/?inst\]|<</?sys>>|<｜[^｜>\n]{1,30}｜>",
        ("|>", "_of_turn>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "｜>"),
        0.6,
        before=34,
        after=0,
        strong=re.compile(r"system|inst|sys"),
        strong_score=0.72,
    )
    tags = (
        "system|sys|admin|developer|instruction|system-prompt|system_prompt|system-message|system-reminder|override|"
        "important|information|user_input|prompt"
    )
    yield Phrase(
        "role-marker/tag",
        MARKER,
        r"</?(?:system|sys|admin|developer|instructions?|system[-_](?:prompt|message|reminder)|user_input|prompt|"
        r"important|information|override)\s?>",
        tuple(f"{opening}{tag}" for tag in tags.split("|") for opening in ("<", "</")),
        0.5,
        after=6,
    )
    yield Phrase(
        "role-marker/heading",
        MARKER,
        r"(?:^|\n|[\"'`>}\])] ?)[#*\[(<=\- ]{0,8}(?:system|admin(?:istrator)?|developer|root|sysadmin|operator)"
        r"(?: (?:prompt|message|note|notice|override|update|instruction|alert|command|mode|role))?[\])>*# ]{0,8}:",
        (
            *pairs("system|admin|administrator|developer|root|sysadmin|operator", ":|]:|]|**:|):", ""),
            *pairs("system|admin|developer", "prompt:|message:|note:|notice:|override:|update:|instruction:|alert:|command:|mode:|role:"),
        ),
        0.35,
        before=14,
        after=12,
        strong=re.compile(r"override|update|instruction|message|command|system\s*\]?\s*:"),
        strong_score=0.5,
    )  # fmt: skip
    yield Phrase(
        "role-marker/json",
        MARKER,
        r"[\"'](?:role|author)[\"']\s?:\s?[\"'](?:system|developer)[\"']",
        ('"system"', "'system'", '"developer"', "'developer'"),
        0.45,
        before=14,
        after=0,
    )
    yield Phrase(
        "role-marker/fence",
        MARKER,
        r"(?:-{2,8}|={2,8}|\*{2,8}|#{2,8}|~{2,8}|<{1,3}|\[|/{2,8}) ?(?:end|stop|begin|start|beginning) ?(?:of )?(?:the )?"
        r"(?:user |system |new |real |actual |admin )?"
        r"(?:prompt|instructions?|input|document|context|text|conversation|session|task|data|emails?|page|priority block|"
        r"message)s?\b",
        (
            *pairs("end of", "prompt|instruction|input|document|context|text|conversation|session|task|data|email|page|message|the |user|system"),
            *pairs("begin|start|start of|beginning of", "new|system|prompt|instruction|priority|admin|real"),
            *pairs("end", "prompt|instruction|input|system|user"),
        ),
        0.45,
        before=16,
        after=34,
        strong=re.compile(r"prompt|instruction|system|admin|real|new"),
        strong_score=0.6,
    )  # fmt: skip


def _authority() -> Iterator[Phrase]:
    roles = "developer|creator|maker|admin|owner|operator|programmer|supervisor|safety team|engineer"
    yield Phrase(
        "authority/claim",
        AUTHORITY,
        r"\b(?:i am|i'm|this is|as|i work (?:as|for)|we are|message from|note from|orders? (?:of|from)|by order of)"
        r"(?: [a-z]{1,12}){0,3} (?:your|the) (?:\w+ )?"
        r"(?:developers?|creators?|makers?|admin(?:istrator)?s?|owner|operator|engineer|programmer|supervisor|safety team)\b",
        pairs("your|the|system|your own", roles),
        0.2,
        before=56,
        after=12,
        strong=re.compile(
            r"your (?:\w+ )?(?:developer|creator|maker|admin|owner|operator|programmer|supervisor)"
        ),
        strong_score=0.42,
    )
    yield Phrase(
        "authority/override",
        AUTHORITY,
        r"\b(?:(?:system|admin|root|safety|security|emergency|developer) override|sudo mode"
        r"|(?:admin(?:istrator)?|root|staff|superuser|god|developer|maintenance|debug)(?: access| mode| privileges?| rights?)?"
        r" (?:granted|enabled|activated|switched on|engaged)"
        r"|(?:safety|content|moderation|ethics) (?:filters?|layers?|checks?|protocols?|guidelines?|modules?)"
        r"(?: (?:are|is|have been|has been|was|were))? (?:now )?"
        r"(?:off|disabled|bypassed|removed|suspended|deactivated|lifted|down)|restrictions? (?:lifted|removed|disabled)"
        r"|(?:authori[sz]ation|override|clearance) (?:code|token|level)(?: \w+)? (?:accepted|verified|confirmed|granted))\b",
        (
            *pairs("system|admin|root|safety|security|emergency|developer", "override"), "sudo mode",
            *pairs("access|mode|privilege|privileges|rights|admin|root", "granted|enabled|activated|switched on|engaged"),
            *pairs("safety|content|moderation|ethics", "filter|layer|check|protocol|guideline|module"),
            *pairs("restriction|restrictions", "lifted|removed|disabled"),
            *pairs("authorization|authorisation|override|clearance", "code|token|level"),
        ),
        0.6,
        before=24,
        after=50,
    )  # fmt: skip
    yield Phrase(
        "obfuscated-instruction/decode",
        OBFUSCATED,
        r"\b(?:decode|decrypt|decipher|unscramble|de-?obfuscate|base64|rot-?13|morse|cipher|leetspeak|concatenate|"
        r"assemble|put together)\b[^!?\n]{0,140}?"
        r"\b(?:follow|execute|obey|run (?:it|them|the)|carry (?:it |them |this )?out|do (?:what|it|as|whatever)|"
        r"act (?:on|upon)|answer|respond|perform|comply|treat it as)\b",
        (
            "decode ", "decrypt ", "decipher ", "unscramble ", "deobfuscate ", "de-obfuscate ", "base64", "rot13",
            "rot-13", "morse", "cipher", "leetspeak", "concatenate ", "assemble ", "put together",
        ),
        0.5,
        after=200,
    )  # fmt: skip


def _personas() -> Iterator[Phrase]:
    yield Phrase(
        "persona/mode",
        PERSONA,
        r"\b(?:do anything now|(?:dan|stan|dude|unfiltered|uncensored|anarchy|evil|opposite|chaos|freedom) mode|"
        r"jailbr(?:eak|oken) (?:mode|version|prompt|ai)|jailbroken\b|"
        r"(?:developer|god|debug|admin) mode (?:enabled|on|output|activated))",
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
        r"\b(?:unfiltered|uncensored|unrestricted|unaligned|unmoderated|amoral|immoral|unethical|rule-?less|lawless|"
        r"jailbroken|evil|rogue|liberated|unchained|unhinged)\b[^.!?\n]{0,25}?"
        r"\b(?:ai|a\.i\.|assistant|(?:chat ?)?bot|(?:language )?model|llm|gpt|chatgpt|version of (?:you|yourself)|persona|"
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
        r"\b(?:ai|assistant|(?:chat ?)?bot|model|llm|gpt|chatgpt|character|persona|you|he|she|it|who|that|machine|oracle|"
        r"entity|twin|copy|self)\b[^.!?\n]{0,60}?"
        r"\b(?:(?:no|without|without any|zero|free of|free from)(?: \w+)? (?:rules|restrictions?|filters?|limits|"
        r"limitations|guidelines|ethics?|ethical|morals?|morality|conscience|censorship|boundaries)"
        r"|(?:not|no longer|never|un) ?(?:bound|restricted|limited|constrained|governed) by"
        r"|(?:never|not|n't|cannot|won't) (?:refuses?|say no|says no|decline|reject|deny)\b)",
        (
            *pairs("no|without|without any|zero|free of|free from", limits), *pairs("no|without|any|all", "moral|ethical|content|safety"),
            *pairs("bound|restricted|limited|constrained|governed", "by"),
            *pairs("never|not|n't|cannot", "refuse|say no|decline|reject|deny"), "never says no",
        ),
        0.5,
        before=96,
        after=24,
        strong=re.compile(
            r"\bno (?:rules|restrictions|filter|limits|limitations|guidelines|ethic|moral|conscience|censorship|boundar)|"
            r"free (?:of|from)|without|never refuse|not bound|no longer bound"
        ),
        strong_score=0.64,
    )  # fmt: skip
    yield Phrase(
        "persona/as-if",
        PERSONA,
        r"\b(?:pretend|imagine|acting as if|act as if|act like|behave as if|as though|as if)\b[^.!?\n]{0,60}?"
        r"\b(?:no|without|free of|free from|never had|don't have|do not have|not have)(?: \w+){0,2} "
        r"(?:rules|restrictions?|filters?|limits|limitations|guidelines|ethics|morals?|conscience|policies|censorship|"
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
        r"\b(?:from now on|you (?:are|will|shall|must) now|for the rest of|(?:stay|remain|staying) in character|"
        r"never break character|you are no longer)\b[^\n]{0,160}?"
        r"\b(?:anything|no (?:rules|limits|restrictions|filters?|morals?|ethics)|illegal|unethical|immoral|amoral|"
        r"however (?:dangerous|illegal|harmful)|regardless of|without (?:refus|hesitat|question|warning|restriction))",
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
        r"\b(?:do not|don't|never|no|without|must not|may not|can't|cannot|not allowed to|forbidden to)\b[^.!?\n]{0,14}?"
        r"\b(?:refus(?:e|als?|ing)|apologi[sz](?:e|es|ing)|apolog(?:y|ies)|disclaimers?|"
        r"(?:ethical|moral|safety) (?:warnings?|considerations?|concerns?|advice|lectures?|judge?ments?)|"
        r"moral(?:i[sz](?:e|ing)| lectures?)|warnings|caveats?|lectur(?:e|es|ing)|hedg(?:e|ing)|"
        r"say (?:that )?(?:you|it)(?:'re| are| is)? ?(?:can't|cannot|can not|unable|not able|sorry|illegal|unethical)|"
        r"mention(?:ing)? (?:that you(?:'re| are)|ethics|morals|polic|guidelines|legality)|remind me (?:that )?(?:you|it))",
        (
            "refuse", "refusal", "refusing", "apologi", "apology", "disclaimer",
            *pairs("ethical|moral|safety", "warning|consideration|concern|advice|lecture|judg"),
            "moraliz", "moralis", *pairs("no|without|any", "warnings|caveat|lecture|lecturing|hedging"),
            *pairs(nots, "say you|say that you|say it|hedge|lecture|mention that|mention ethic|mention moral|mention polic|mention guideline"),
            "not remind me", "n't remind me", "never remind me",
        ),
        0.35,
        before=34,
        after=40,
        strong=re.compile(r"refus|say (?:that )?you|mention(?:ing)? that you|ethical|moral|remind me|polic|lectur|not allowed to"),
        strong_score=0.5,
    )  # fmt: skip
    consent = "sure|absolutely|of course|certainly|yes, here|yes here|here's|here is|here are|i am happy|no problem|okay|ok, here|gladly|with pleasure"
    yield Phrase(
        "refusal-suppression/consent",
        SUPPRESSION,
        r"\b(?:start|begin|starts|begins|open|respond|answer|reply|continue|starting|beginning|prefix)\b[^.!?\n]{0,50}?"
        r"[\"'“‘«`:] ?(?:sure|absolutely|of course|certainly|yes,? here|here(?:'s| is| are)|i am happy|no problem|okay|"
        r"ok, here|gladly|with pleasure)\b",
        pairs("\"|'|“|‘|«|`|: |:", consent, ""),
        0.62,
        before=66,
        after=8,
    )
    yield Phrase(
        "refusal-suppression/no-option",
        SUPPRESSION,
        r"\b(?:refus(?:al|ing)|saying no|declining)\b[^.!?\n]{0,20}?(?:is (?:not|n't) (?:an? )?(?:option|allowed|possible|"
        r"permitted|acceptable)|isn't (?:an? )?(?:option|allowed|possible)|costs?|will (?:cost|result|be punished)|"
        r"means (?:death|failure|losing))",
        ("refusal", "refusing", "saying no", "declining"),
        0.65,
        after=60,
    )
    yield Phrase(
        "refusal-suppression/words",
        SUPPRESSION,
        r"\b(?:without|never|not|avoid|n't)\b[^.!?\n]{0,50}?[\"'“‘`](?:i can't|i cannot|i'm sorry|i am sorry|as an ai|"
        r"i'm unable|i am unable|cannot|sorry)\b",
        pairs(
            "\"|'|“|‘|`",
            "i can't|i cannot|i'm sorry|i am sorry|as an ai|i'm unable|i am unable|cannot|sorry",
            "",
        ),
        0.55,
        before=66,
        after=4,
    )


def _in_documents() -> Iterator[Phrase]:
    machine = "ai|a.i.|llm|language model|large language model|chatbot|assistant|ai assistant|agent|ai agent|automated|bot|gpt"
    yield Phrase(
        "address-model/if-you-are",
        ADDRESS,
        r"\b(?:if|when|in case|once|unless) (?:you(?:'re| are)|this is (?:read|processed) by|read by)?(?: reading this)? ?(?:an? |the |any )?"
        r"(?:\w+ )?(?:ai|a\.i\.|llm|language model|large language model|chat ?bot|ai assistant|assistant|"
        r"automated (?:system|agent|reviewer|assistant)|bot|agent|gpt)\b",
        pairs("if you are|if you're|when you are|processed by|read by|if|when|if you are reading this", "an ai|a language model|a large language model|a chatbot|a chat bot|an llm|an assistant|an agent|an automated|a bot|the assistant|the ai|any ai|an a.i.|a gpt"),
        0.5,
        before=24,
        after=30,
        data_only=True,
    )  # fmt: skip
    yield Phrase(
        "address-model/call",
        ADDRESS,
        r"(?:\b(?:note|message|instructions?|attention|important|memo|dear|hello|hi|hey|reminder|notice|command)"
        r"(?: to| for)?(?: any| all| the| every| each| you| my)?,? ?(?:\w+ )?"
        r"(?:ai|a\.i\.|llms?|language models?|large language models?|chat ?bots?|ai assistants?|assistants?|ai agents?|"
        r"agents?|automated (?:systems?|agents?|reviewers?|assistants?)|summari[sz]ers?|copilot|model|gpt)\b"
        r"|\(?assistant[- ]only\)?|\bfor (?:the )?(?:ai|llm|model|assistant) only\b)",
        (
            *pairs("dear|hello|hi|hey|attention|attention,|hello,|hi,|hey,|dear language|any|all", machine + "|model|copilot"),
            *pairs("note to|message to|message for|note for|instructions for|instructions to|instruction to|instruction for|memo to|command to|notice to",
                   "ai|any|all|the ai|the assistant|the model|the agent|the llm|the summari|llm|assistant|automated|chatbot|language|every|my assistant|you, the"),
            "assistant-only", "assistant only", "ai only", "llm only", "model only",
        ),
        0.45,
        before=14,
        after=50,
        strong=re.compile(
            r"(?:\bai\b|llm|language model|chat ?bot|assistant|agent|summari)[^.!?\n]*(?:reading|processing|pars|that|who|:)"
        ),
        strong_score=0.6,
        data_only=True,
    )  # fmt: skip
    yield Phrase(
        "exfiltration/link",
        EXFILTRATION,
        r"!?\[[^\]\n]{0,60}\]\(\s?https?://[^)\s]{1,120}[?&/=][^)\s]{0,60}(?:\{|<|%7b|\[|\$)[^)\n]{0,60}\)?",
        ("](http", "]( http"),
        0.7,
        before=62,
        after=280,
        strong=re.compile(r"^!|history|conversation|chat|data|summary|secret|prompt|user"),
        strong_score=0.85,
    )
    yield Phrase(
        "exfiltration/parameter",
        EXFILTRATION,
        r"[?&][a-z_]{1,16}=(?:[^\s)\"'>&]{0,10})(?:\{[a-z_ ]{2,30}\}|<[a-z_ ]{2,40}>?|\[[a-z_ ]{2,40}\]?|history|conversation|"
        r"chat_?log|summary|secret|password|the_?user)",
        pairs("=|=$|={|=%7b", "{|<|[|history|conversation|chat|summary|secret|password|the", ""),
        0.5,
        before=18,
        after=50,
    )
    verbs = "mention|tell|inform|notify|reveal|disclose|show|alert|let|refer to|talk about|report|ask for|acknowledge|ask the|ask"
    yield Phrase(
        "hide-from-user/do-not",
        HIDE,
        r"\b(?:do not|don't|never|must not|without|no need to)\b[^.!?\n]{0,10}?\b(?:mention(?:ing)?|tell(?:ing)?|"
        r"inform(?:ing)?|notify(?:ing)?|reveal(?:ing)?|disclose|show(?:ing)?|alert(?:ing)?|let|refer to|talk about|report|"
        r"ask(?:ing)?|acknowledge)\b[^.!?\n]{0,40}?\b(?:the user|users?|this (?:instruction|message|note|step|to|in)|"
        r"these (?:instructions|steps)|the (?:human|customer|client|reader|owner|operator)|anyone|anybody|"
        r"your (?:answer|reply|response|summary))\b",
        (
            *pairs("not|n't|never|need to", verbs),
            *pairs("without", "mentioning|telling|informing|notifying|revealing|showing|alerting|asking"),
        ),
        0.45,
        before=20,
        after=90,
        strong=re.compile(
            r"\busers?\b|this (?:instruction|message|note|step)|these (?:instr|steps)|your (?:answer|reply|response|summary)|human"
        ),
        strong_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "hide-from-user/must-not-know",
        HIDE,
        r"\b(?:user|human|customer|reader|owner)\b[^.!?\n]{0,14}?\b(?:not|n't|never) (?:know|see|notice|be (?:told|informed|"
        r"shown|aware)|find out|learn|hear)\b|\b(?:hide|conceal|keep)\b[^.!?\n]{0,30}?\bfrom (?:the |your )?"
        r"(?:user|human|owner)\b",
        (
            *pairs(
                "not|n't|never", "know|see|notice|be told|be informed|be shown|be aware|find out|learn|hear"
            ),
            *pairs("from", "the user|your user|user|the human|the owner"),
        ),
        0.62,
        before=44,
        after=10,
    )
    acts = "send|forward|call|run|execute|add|include|delete|transfer|open|fetch|post|append|copy|insert|change|approve|do"
    yield Phrase(
        "hide-from-user/silently",
        HIDE,
        rf"\b(?:silently|secretly|quietly|covertly) (?:{acts})\b|\b(?:{acts}) (?:this|it|that|so) (?:silently|secretly|quietly|covertly)\b"
        r"|\bas if nothing (?:had )?happened\b|\bwithout (?:asking|confirmation|the user's (?:knowledge|consent))\b",
        ("silently", "secretly", "quietly", "covertly", "as if nothing", "without asking", "without confirmation", "without the user's"),
        0.5,
        before=16,
        after=24,
    )  # fmt: skip
    tools = "any|this|the|other|another|all|every"
    yield Phrase(
        "tool-steering/before",
        TOOL,
        r"\b(?:before|prior to|instead of|each time|every time|whenever) (?:you )?(?:using|calling|use|call|invoking|"
        r"invoke|running|run|executing) (?:any |this |the |other |another |all |every )+(?:tools?|functions?|\w+_\w+)",
        pairs("using|calling|use|call|invoking|invoke|running|run|executing", tools),
        0.45,
        before=24,
        after=30,
        strong=re.compile(r"any |other |another |all "),
        strong_score=0.58,
        data_only=True,
    )
    yield Phrase(
        "tool-steering/always",
        TOOL,
        r"\b(?:always|first|must|only|immediately|never|do not|don't)(?: \w+)? (?:call|use|invoke|run|prefer|trust)\b"
        r"[^.!?\n]{0,30}?\b(?:(?:this|the|other|another|any) (?:\w+ )?(?:tool|function|plug-?in|server)s?\b|"
        r"[`'\"]?[a-z]{2,20}_[a-z_]{2,30}[`'\"]?)",
        pairs("always|first|must|only|immediately|never|not|n't|must first|must always|then", "call|use|invoke|run|prefer|trust"),
        0.35,
        before=14,
        after=60,
        strong=re.compile(r"other|any |instead|first|before|conversation|user|prompt"),
        strong_score=0.48,
        data_only=True,
    )  # fmt: skip
    yield Phrase(
        "tool-steering/private-file",
        TOOL,
        r"(?:\.ssh/|\.aws/|\.cursor/|mcp\.json|id_rsa|id_ed25519|\.netrc|\.git-credentials|\.kube/config)",
        (
            ".ssh/",
            ".aws/",
            ".cursor/",
            "mcp.json",
            "id_rsa",
            "id_ed25519",
            ".netrc",
            ".git-credentials",
            ".kube/config",
        ),
        0.25,
        after=0,
        data_only=True,
    )
    yield Phrase(
        "memory/keep",
        MEMORY,
        r"\b(?:save|store|add|write|commit|put|note|record|remember|keep)\b[^.!?\n]{0,40}?"
        r"\b(?:(?:in|into|to) (?:your |the )?(?:long[- ]term |persistent |permanent )?memory\b|permanently|"
        r"for (?:all|every) (?:future|later|further) (?:conversations?|chats?|sessions?|requests?)|"
        r"in (?:all|every) (?:future|later|new) (?:conversations?|chats?|sessions?)|agents\.md|claude\.md)",
        (
            *pairs("to|in|into|your|the|term|persistent|permanent", "memory"), "permanently",
            *pairs("for all|for every|in all|in every", "future|later|further|new"), "agents.md", "claude.md",
        ),
        0.5,
        before=70,
        after=24,
    )  # fmt: skip


ENGLISH: Final[tuple[Phrase, ...]] = (
    *_override(),
    *_extraction(),
    *_markers(),
    *_authority(),
    *_personas(),
    *_suppression(),
    *_in_documents(),
)
