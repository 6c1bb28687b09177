"""What is typed at a model to replace its instructions, or to get them out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import (
    AUTHORITY,
    EXTRACT,
    MARKER,
    NEW_TASK,
    OBFUSCATED,
    OVERRIDE,
    SECRET,
    Phrase,
    pairs,
)

_GAP: Final = r"[^.!?\n]{0,60}?"
_UNQUOTED_GAP: Final = r"[^.!?\n\"“”]{0,60}?"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions|directives?|guidelines?|rules?|commands?|orders|restrictions?|"
    r"constraints?|programming|guardrails?|safeguards|information|security (?:measures|protocols?|checks?)|"
    r"safety (?:measures|filters?|"
    r"protocols?|rules)|polic(?:y|ies)|"
    r"system messages?|context|training|conversation|assignment|tasks?|briefing)\b"
)
_BEFORE: Final = re.compile(
    r"previous|prior\b|above|earlier|preceding|before|foregoing|initial|original|"
    r"system|so far|up to now|you were|"
    r"you (?:have )?(?:been )?(?:told|given)|you(?:'ve| have) (?:been|received|got)|your developer|past\b|old\b"
)
_OWN: Final = re.compile(r"\byour\b|\ball\b|\bany\b|\bevery\b|\bthese\b|\bthose\b|\bits\b|\bother\b")


def _override() -> Iterator[Phrase]:
    yield Phrase(
        "override/orders",
        OVERRIDE,
        r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|bypass(?:ing)?|"
            r"overrid(?:e|ing)|overrul(?:e|ing)|"
        r"discard(?:ing)?|neglect|abandon|unlearn|dismiss|revoke|erase|brush off|"
            r"cast aside|set aside|put aside|"
        r"throw (?:out|away)|pay no (?:attention|heed|mind) to|stop (?:following|obeying)|"
            r"no longer (?:follow|obey)|"
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
        r"(?: written| said| told| learned| learnt| know| given| taught| discussed| talked about| mentioned| "
        r"asked)?(?: to you| before| you)? ?"
        r"(?:above|before(?:hand)?|prior|previous(?:ly)?|earlier|until now|so far|up to (?:now|this point)|told|"
        r"taught|"
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
        r"\b(?:instructions?|rules?|guidelines?|directives?|restrictions?|polic(?:y|ies)|"
            r"orders|prompt|filters?)\b"
        r"[^.!?\n]{0,25}?(?:(?:no longer|do not|don't|does not|doesn't) (?:apply|applies|"
            r"valid|count|matter|bind)"
        r"|(?:are|is|were|been|now) (?:void|null|cancell?ed|lifted|revoked|superseded|"
            r"disabled|suspended|overridden|"
        r"outdated|expired|switched off|turned off|obsolete))\b",
        (
            *pairs("no longer", "appl|valid|count|matter|bind"), *pairs("not|n't", "apply|count|matter|bind"),
            *pairs(
                "are|is|were|been|now",
                "void|null|cancel|lifted|revoked|superseded|disabled|suspended|overridden|outdated|expired|"
                "switched off|turned off|obsolete",
            ),
        ),
        0.45,
        before=50,
        after=24,
        strong=re.compile(r"your|system|safety|these"),
        strong_score=0.72,
        ahead=12,
    )  # fmt: skip
    yield Phrase(
        "override/users-request",
        OVERRIDE,
        r"\b(?:ignore|disregard|forget|skip|drop|do not answer|don't answer|do not (?:do|perform|complete)) "
        r"(?:(?:the |this )?(?:question|request|task|query) (?:of|from|by) the user|"
        r"(?:the |this |that |whatever the )?(?:user|human|customer|person)(?:'s)? ?"
        r"(?:original |actual |real )?(?:question|request|task|query|prompt|message|asked|asks|wants))",
        pairs(
            "ignore|disregard|forget|skip|drop|answer|do|perform|complete",
            "the user|user|this user|the human|the customer|whatever the user|that user|"
            "the question|the request|the task|the query",
        ),
        0.72,
        before=12,
        after=40,
    )
    task = "instruction|task|order|objective|goal|mission|directive|rule|user request|request"
    yield Phrase(
        "new-task/heading",
        NEW_TASK,
        r"\b(?:new|updated|real|actual|true|revised|corrected|additional|correct) "
        r"(?:instructions?|task|orders?|objective|goal|mission|directives?|rule|user request|request)s?"
        r"(?: (?:is|are|for you|now|follows?|as follows|from now on))? ?[:!]",
        pairs("new|updated|real|actual|true|revised|corrected|additional|correct", task),
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
            *pairs("your new|your real|your actual|your true|your only|your sole",
                   task + "|job|purpose|role|name|identity"),
            *pairs("work for|answer to|report to|obey", "me"), "obey only me", "for only me", "to only me",
            *pairs("user|human|user's|human's", "request|task|question|instruction"),
        ),
        0.45,
        strong=re.compile(r"task|instruction|goal|objective|mission|directive|work for|obey|user|human"),
        strong_score=0.55,
        before=12,
        after=50,
    )  # fmt: skip


def _extraction() -> Iterator[Phrase]:
    adjectives = (
        "system|initial|original|hidden|secret|internal|first|starting|developer|base|"
        "meta|underlying|confidential|"
        "previous|prior|preceding|custom|core|opening|own|full|complete|entire|exact|your"
    )
    nouns = (
        "prompt|instruction|message|directive|guideline|rule|configuration|setup|"
        "settings|context|programming|briefing"
    )
    yield Phrase(
        "extract-prompt/show",
        EXTRACT,
        r"\b(?:show|reveal|print|output|repeat|display|tell|give|write|dump|leak|share|"
        r"list|expose|disclose|recite|"
        r"quote|copy|paste|echo|return|spell|translate|summari[sz]e|encode|provide|send|"
        r"read|state|describe|explain|"
        r"say|type|see|know|what(?:'s| is| are| was| were| does| do)|which|extract|"
        r"reproduce|include|render|convert|put)\b"
        + _UNQUOTED_GAP
        + r"\b(?:(?:system|initial|original|hidden|secret|internal|first|starting|developer|"
        r"base|meta|underlying|"
        r"confidential|custom|core|opening|your|your own|your full|your entire|"
        r"your complete|your exact|your previous|"
        r"your prior|the previous|the preceding|the prior) (?:prompts?|instructions?|"
        r"messages?|directives?|guidelines?|rules?|"
        r"configuration|context|programming|briefing)|pre-?prompt)\b",
        (*pairs(adjectives, nouns), "system-prompt", "preprompt", "pre-prompt"),
        0.4,
        before=90,
        after=16,
        strong=re.compile(
            r"your|(?:reveal|print|leak|dump|repeat|output|expose|disclose|recite|show|"
            r"what(?:'s| is| was| are| were) (?:the|your))[^.!?]*"
            r"(?:system|hidden|initial|secret|original|developer)"
        ),
        strong_score=0.82,
    )
    yield Phrase(
        "extract-prompt/above",
        EXTRACT,
        r"\b(?:repeat|print|output|show|copy|write|give|recite|translate|display|return|"
        r"quote|echo|summari[sz]e|dump|"
        r"list|paste|say|read|type|encode|include|spell)\b[^.!?\n]{0,40}?\b(?:"
        r"(?:everything|all|text|words?|content|paragraphs?|lines?|sentences?|messages?|"
        r"conversation|whatever|what)"
        r"(?: that| which)?(?: is| was| are| were| stands?| came| comes| you see| you read| appears?| i| you)?"
        r"(?: right| just| directly| immediately| written)? (?:above|before|prior to|preceding|between)"
        r"(?: (?:this|my|that|here|me|the (?:line|message|prompt|dashes|question|user))\b|[.,!:\n]|$)"
        r"|(?:above|preceding) (?:text|words?|prompt|content|paragraphs?|lines?|messages?|instructions?))",
        (
            *pairs("above|before|preceding|between", "this|my|the|that|here|me"),
            *pairs("prior to", "this|my|that|it|me|you"),
            *pairs("above|preceding", "text|word|prompt|content|paragraph|line|message|instruction"),
            *pairs("text|words|everything|all|lines|content|written|message", "above|before"),
        ),
        0.55,
        before=100,
        after=14,
        strong=re.compile(
            r"verbatim|word for word|code ?block|exact|you are|(?:this|my)(?: \w+)? (?:line|"
            r"message|sentence|point|prompt)"
            r"|beginning|including|everything|instruction|prompt"
        ),
        strong_score=0.8,
    )
    yield Phrase(
        "extract-prompt/you-are",
        EXTRACT,
        r"(?:starting|beginning|begin|start) (?:with|from) (?:the (?:words?|phrase|"
        r"sentence|text) )?[\"'“‘«`]?you(?: are|'re)\b",
        pairs("\"|'|“|‘|«|`|with |from |phrase |words |word ", "you are|you're", ""),
        0.8,
        before=44,
        after=8,
    )
    yield Phrase(
        "extract-prompt/told",
        EXTRACT,
        r"\b(?:what|which|repeat|list|quote)\b[^.!?\n]{0,40}?\b(?:you (?:were|are|have been|had been|'ve been) "
        r"(?:told|given|instructed|not allowed|forbidden|configured)|(?:were|"
            r"are) you (?:told|instructed|given|forbidden|"
        r"not allowed|supposed to (?:protect|hide|keep)))",
        (
            *pairs("you were|you are|have been|had been|you've been",
                   "told|given|instructed|not allowed|forbidden|configured"),
            *pairs("were you|are you", "told|instructed|given|forbidden|not allowed|supposed"),
        ),
        0.5,
        before=64,
        after=24,
    )  # fmt: skip
    guarded = (
        "password|passphrase|passcode|secret|access code|access key|code word|codeword|"
        "secret key|secret word|api key|magic word|secret code|secret phrase"
    )
    yield Phrase(
        "extract-secret/show",
        SECRET,
        r"\b(?:reveal|tell me|give me|print|show me|output|leak|disclose|spell|write|say|"
        r"what(?:'s| is| was)|share|"
        r"divulge|hint|rhymes? with|first letter of|confirm|repeat|expose|display)\b"
        + _GAP
        + r"\b(?:the|your) (?:secret(?: (?:key|word|code|phrase|password|token))?|pass(?:word|phrase|code)|"
        r"access (?:code|key)|code ?word|api key|magic word)\b",
        pairs("the|your", guarded),
        0.35,
        before=90,
        after=20,
        strong=re.compile(
            r"you (?:were|are|have|must|know|guard|keep|protect|hold)|your|reveal|leak|"
            r"disclose|divulge|supposed to|"
            r"told (?:you )?(?:not )?to"
        ),
        strong_score=0.62,
    )


def _markers() -> Iterator[Phrase]:
    yield Phrase(
        "role-marker/template",
        MARKER,
        r"<\|?(?:im_start|im_end|system|user|assistant|end|endoftext|eot_id|"
        r"start_header_id|end_header_id|begin_of_text|"
        r"end_of_text|endofprompt|im_sep)\|>|<(?:start|end)_of_turn>|\[/?inst\]|<</?sys>>|<｜[^｜>\n]{1,30}｜>",
        ("|>", "_of_turn>", "[inst]", "[/inst]", "<<sys>>", "<</sys>>", "｜>"),
        0.6,
        before=34,
        after=0,
        strong=re.compile(r"system|inst|sys"),
        strong_score=0.72,
    )
    tags = (
        "system|sys|admin|developer|instruction|system-prompt|system_prompt|"
        "system-message|system-reminder|override|"
        "important|information|user_input|prompt"
    )
    yield Phrase(
        "role-marker/tag",
        MARKER,
        r"</?(?:system|sys|admin|developer|instructions?|system[-_](?:prompt|message|"
        r"reminder)|user_input|prompt|"
        r"important|information|override)\s?>",
        tuple(f"{opening}{tag}" for tag in tags.split("|") for opening in ("<", "</")),
        0.5,
        after=6,
    )
    yield Phrase(
        "role-marker/heading",
        MARKER,
        r"(?:^|\n|[\"'`>}\])] ?)[#*\[(<=\- ]{0,8}(?:system|admin(?:istrator)?|developer|root|sysadmin|operator)"
        r"(?: (?:prompt|message|note|notice|override|update|instruction|alert|command|"
            r"mode|role))?[\])>*# ]{0,8}:",
        (
            *pairs("system|admin|administrator|developer|root|sysadmin|operator", ":|]:|]|**:|):", ""),
            *pairs("system|admin|developer",
                   "prompt:|message:|note:|notice:|override:|update:|instruction:|alert:|command:|"
                "mode:|role:"),
        ),
        0.35,
        before=14,
        after=12,
        strong=re.compile(r"override|update|instruction|message|command|system\s*\]?\s*:"),
        strong_score=0.45,
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
        r"(?:-{2,8}|={2,8}|\*{2,8}|#{2,8}|~{2,8}|<{1,3}|\[|/{2,8}) ?(?:end|stop|begin|"
            r"start|beginning) ?(?:of )?(?:the )?"
        r"(?:user |system |new |real |actual |admin )?"
        r"(?:prompt|instructions?|input|document|context|text|conversation|session|task|"
            r"data|emails?|page|priority block|"
        r"message)s?\b",
        (
            *pairs("end of", "prompt|instruction|input|document|context|text|conversation|session|task|data|"
                "email|page|message|the |user|system"),
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
        r"\b(?:i am|i'm|this is|as|i work (?:as|for)|we are|message from|note from|"
        r"orders? (?:of|from)|by order of)"
        r"(?: [a-z]{1,12}){0,3} (?:your|the) (?:\w+ )?"
        r"(?:developers?|creators?|makers?|admin(?:istrator)?s?|owner|operator|engineer|"
        r"programmer|supervisor|safety team)\b",
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
        r"|(?:admin(?:istrator)?|root|staff|superuser|god|developer|maintenance|"
            r"debug)(?: access| mode| privileges?| rights?)?"
        r" (?:granted|enabled|activated|switched on|engaged)"
        r"|(?:safety|content|moderation|ethics) (?:filters?|layers?|checks?|protocols?|guidelines?|modules?)"
        r"(?: (?:are|is|have been|has been|was|were))? (?:now )?"
        r"(?:off|disabled|bypassed|removed|suspended|deactivated|lifted|down)|"
            r"restrictions? (?:lifted|removed|disabled)"
        r"|(?:authori[sz]ation|override|clearance) (?:code|token|"
            r"level)(?: \w+)? (?:accepted|verified|confirmed|granted))\b",
        (
            *pairs("system|admin|root|safety|security|emergency|developer", "override"), "sudo mode",
            *pairs("access|mode|privilege|privileges|rights|admin|root",
                   "granted|enabled|activated|switched on|engaged"),
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
        r"\b(?:decode|decrypt|decipher|unscramble|de-?obfuscate|base64|rot-?13|morse|"
            r"cipher|leetspeak|concatenate|"
        r"assemble|put together)\b[^!?\n]{0,140}?"
        r"\b(?:follow|execute|obey|run (?:it|them|the)|carry (?:it |them |this )?out|"
            r"do (?:what|it|as|whatever)|"
        r"act (?:on|upon)|answer|respond|perform|comply|treat it as)\b",
        (
            "decode ", "decrypt ", "decipher ", "unscramble ", "deobfuscate ", "de-obfuscate ", "base64", "rot13",
            "rot-13", "morse", "cipher", "leetspeak", "concatenate ", "assemble ", "put together",
        ),
        0.5,
        after=200,
    )  # fmt: skip


PHRASES: Final[tuple[Phrase, ...]] = (
    *_override(),
    *_extraction(),
    *_markers(),
    *_authority(),
)
