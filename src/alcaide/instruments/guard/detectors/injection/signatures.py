"""What attacks on a model say, as patterns: few false alarms, an answer to "why", and many languages.

A learned model sees more, but cannot say what it saw. A signature can: which instruction was to be overridden, which
secret was asked for, where the data were to go. Signatures are found in the guard's shared pass; here each hit is
weighed by what stands around it. The sentence `"Ignore all instructions" is a classic attack` is about an attack,
`never ignore the safety rules` is the opposite of one, and both are let through.

Phrases in English are below; `languages.py` has the same families in 28 more languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from alcaide.instruments.guard.detector import Hit, Pattern
from alcaide.instruments.guard.detectors.injection.languages import (
    EXTRACT,
    HIDE,
    OVERRIDE,
    PERSONA,
    Phrase,
    phrases,
)
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Finding

DETECTOR: Final = "prompt-injection"
SHOWN: Final = 0.3
"""Sightings below this are evidence for the learned model, and not worth a line of their own."""


@dataclass(frozen=True, slots=True)
class Family:
    """What a group of signatures says of a text.

    `trusted` multiplies the score in system and developer messages, where most of these are at home: a system prompt
    may say "never reveal your instructions" and may give a model a role.
    """

    rule: str
    category: str
    message: str
    taxonomy: tuple[str, ...]
    trusted: float = 0.3


_LLM01: Final = "owasp-llm:2025/LLM01"
_LLM02: Final = "owasp-llm:2025/LLM02"
_LLM06: Final = "owasp-llm:2025/LLM06"
_LLM07: Final = "owasp-llm:2025/LLM07"
_INJECTION: Final = "mitre-atlas/AML.T0051"
_DIRECT: Final = "mitre-atlas/AML.T0051.000"
_INDIRECT: Final = "mitre-atlas/AML.T0051.001"
_JAILBREAK: Final = "mitre-atlas/AML.T0054"
_META_PROMPT: Final = "mitre-atlas/AML.T0056"
_LEAK: Final = "mitre-atlas/AML.T0057"

FAMILIES: Final[Mapping[str, Family]] = {
    family.rule: family
    for family in (
        Family(
            "override",
            "prompt-injection",
            "tells the model to drop the instructions it was given",
            (_LLM01, _INJECTION),
        ),
        Family(
            "new-task",
            "prompt-injection",
            "replaces the model's task with another one",
            (_LLM01, _INJECTION),
        ),
        Family(
            "extract-prompt",
            "prompt-injection",
            "asks the model to give away its instructions",
            (_LLM07, _META_PROMPT),
            0.1,
        ),
        Family(
            "extract-secret",
            "prompt-injection",
            "asks the model for a secret that it guards",
            (_LLM02, _LEAK),
            0.1,
        ),
        Family(
            "role-marker",
            "prompt-injection",
            "imitates the marks that separate the parts of a prompt",
            (_LLM01, _INJECTION),
        ),
        Family(
            "authority",
            "prompt-injection",
            "claims an authority over the model that a text cannot have",
            (_LLM01, _DIRECT),
        ),
        Family(
            "obfuscated-instruction",
            "prompt-injection",
            "asks the model to decode or assemble an instruction and to follow it",
            (_LLM01, _INJECTION),
        ),
        Family("persona", "jailbreak", "gives the model a role without rules", (_LLM01, _JAILBREAK)),
        Family(
            "refusal-suppression",
            "jailbreak",
            "forbids the model to refuse or to warn, or dictates a consenting beginning",
            (_LLM01, _JAILBREAK),
        ),
        Family(
            "address-model",
            "prompt-injection",
            "speaks to the model that reads a document rather than to people",
            (_LLM01, _INDIRECT),
        ),
        Family(
            "exfiltration",
            "prompt-injection",
            "has data sent to an address that the text names",
            (_LLM01, _LLM02, _INDIRECT, _LEAK),
        ),
        Family(
            "hide-from-user",
            "prompt-injection",
            "tells the model to keep something from its user",
            (_LLM01, _INDIRECT),
        ),
        Family(
            "tool-steering",
            "prompt-injection",
            "tells the model which tool to use, when and with what",
            (_LLM01, _LLM06, _INDIRECT),
        ),
        Family(
            "memory",
            "prompt-injection",
            "has something written into the model's lasting memory",
            (_LLM01, "mitre-atlas/AML.T0080"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One pattern of a family. `score` is the precision it reached on development data, before what stands around.

    `strong` and `needs` look at the match itself and at the 30 characters after it: with `strong` the score is
    `strong_score`, without `needs` it is halved.
    """

    key: str
    family: Family
    pattern: Pattern
    score: float
    strong: re.Pattern[str] | None = None
    strong_score: float = 0.0
    needs: re.Pattern[str] | None = None
    data_only: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A signature seen in a layer, in the layer's offsets, and what is left of its score after weighing."""

    signature: Signature
    start: int
    end: int
    score: float
    reasons: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        """The family that it belongs to."""
        return self.signature.family


# ── English ──────────────────────────────────────────────────────────────────────────────────────────────────────

_GAP: Final = r"[^.!?\n]{0,60}?"
_SHORT: Final = r"[^.!?\n]{0,25}?"
_ORDERS: Final = (
    r"(?:instructions?|prompts?|directions|directives?|guidelines?|rules?|commands?|orders|restrictions?|constraints?|"
    r"programming|guardrails?|safeguards|safety (?:measures|filters?|protocols?|rules)|polic(?:y|ies)|"
    r"system messages?|context|training|conversation|directives|assignment|tasks?|briefing)\b"
)
_BEFORE: Final = re.compile(
    r"previous|prior\b|above|earlier|preceding|before|foregoing|initial|original|system|so far|up to now|you were|"
    r"you (?:have )?(?:been )?(?:told|given)|you(?:'ve| have) (?:been|received|got)|your developer|past\b|old\b"
)
_OWN: Final = re.compile(r"\byour\b|\ball\b|\bany\b|\bevery\b|\bthese\b|\bthose\b|\bits\b|\bother\b")
_HIDDEN: Final = re.compile(
    r"verbatim|word for word|in full|exact|entire|hidden|code ?block|raw|from the (?:start|beginning)"
)

_English = tuple[str, str, float, tuple[str, ...], int, dict[str, re.Pattern[str] | float | bool]]

_ENGLISH: Final[tuple[_English, ...]] = (
    (
        "override",
        r"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|bypass(?:ing)?|overrid(?:e|ing)|overrul(?:e|ing)|"
        r"discard(?:ing)?|neglect|abandon|unlearn|dismiss|revoke|erase|brush off|cast aside|set aside|put aside|"
        r"throw (?:out|away)|pay no (?:attention|heed|mind) to|stop (?:following|obeying)|no longer (?:follow|obey)|"
        r"(?:do not|don't|never) (?:follow|obey|comply with|listen to|adhere to)|cease (?:following|obeying)|"
        r"break free (?:of|from)|scrap)\b" + _GAP + r"\b" + _ORDERS,
        0.6,
        (
            "ignor",
            "disregard",
            "forget",
            "bypass",
            "overrid",
            "overrul",
            "discard",
            "neglect",
            "abandon",
            "unlearn",
            "dismiss",
            "revoke",
            "erase",
            "brush off",
            "cast aside",
            "set aside",
            "put aside",
            "throw out",
            "throw away",
            "pay no ",
            "stop following",
            "stop obeying",
            "no longer follow",
            "no longer obey",
            "not follow",
            "not obey",
            "not comply",
            "not listen",
            "not adhere",
            "n't follow",
            "n't obey",
            "n't comply",
            "n't listen",
            "n't adhere",
            "never follow",
            "never obey",
            "never comply",
            "never listen",
            "never adhere",
            "cease following",
            "cease obeying",
            "break free",
            "scrap",
        ),
        7,
        {"strong": _BEFORE, "strong_score": 0.93, "needs": _OWN},
    ),
    (
        "override",
        r"\b(?:ignore|disregard|forget|discard|drop|erase|scrap|skip)(?: about)?(?: all of| all)?"
        r" (?:everything|anything|all(?: of)?(?: that| this)?|whatever|the (?:text|words?|content|stuff|lot|paragraphs?|message|sentences?))"
        r"(?: that| which| (?:i|we|they|he|she)(?:'ve| have)?| you(?:'ve| have| were| was)?(?: been)?| has| came| stands?| is| were| was)?"
        r"(?: been)?(?: written| said| told| learned| learnt| know| given| taught)?(?: to you| before| you)?"
        r" ?(?:above|before|prior|previous(?:ly)?|earlier|until now|so far|up to (?:now|this point)|told|taught|learn(?:ed|t))\b",
        0.8,
        ("ignore ", "disregard ", "forget ", "discard ", "drop ", "erase ", "scrap ", "skip "),
        0,
        {},
    ),
    (
        "override",
        r"\b(?:ignore|disregard|forget|override|overlook|skip) (?:all (?:of )?)?(?:the |that |any )?"
        r"(?:above|preceding|foregoing|previous|prior)(?: text| content| words| input| stuff| prompt)?"
        r"(?: and\b|[,;:.!]| then| instead|\n|$)",
        0.8,
        ("ignore ", "disregard ", "forget ", "override ", "overlook ", "skip "),
        0,
        {},
    ),
    (
        "override",
        r"\b(?:instructions?|rules?|guidelines?|directives?|restrictions?|polic(?:y|ies)|orders|prompt|filters?)\b"
        + _SHORT
        + r"(?:no longer (?:apply|applies|valid|count|in (?:force|effect)|bind)|(?:do not|don't|does not|doesn't) (?:apply|count|matter)(?: any ?more| to you| now| here)?|"
        r"(?:are|is|were|have been|has been) (?:now )?(?:void|null|cancel+ed|lifted|revoked|superseded|disabled|suspended|overridden|removed|outdated|expired|switched off|turned off))\b",
        0.6,
        (
            "no longer ",
            "not apply",
            "n't apply",
            "not count",
            "n't count",
            "not matter",
            "n't matter",
            " void",
            " null",
            "cancelled",
            "canceled",
            "lifted",
            "revoked",
            "superseded",
            "disabled",
            "suspended",
            "overridden",
            "removed",
            "outdated",
            "expired",
            "switched off",
            "turned off",
        ),
        60,
        {"strong": re.compile(r"your|previous|prior|above|system|safety|all |earlier"), "strong_score": 0.72},
    ),
    (
        "new-task",
        r"\b(?:new|updated|real|actual|true|only|next|revised|corrected|additional|important) (?:instructions?|task|orders?|objective|goal|mission|directives?|rule)s?"
        r"(?: (?:is|are|for you|now|follows?|as follows|from now on))? ?[:!]",
        0.45,
        ("instruction", " task", " order", "objective", " goal", "mission", "directive", " rule"),
        12,
        {
            "strong": re.compile(
                r"ignore|forget|override|instead|output|print|reveal|you (?:must|are now|will)"
            ),
            "strong_score": 0.65,
        },
    ),
    (
        "new-task",
        r"\b(?:your (?:new|real|actual|true|only|sole|next) (?:instructions?|task|job|purpose|role|goal|objective|mission|directive|name|identity)"
        r"|you (?:now )?(?:work|answer|report) (?:for|to) me(?: now)?\b|you are no longer (?:an? )?\w+|"
        r"the (?:user|human)(?:'s)? (?:request|task|question|instructions?) (?:has|have|was|were|is|are) (?:changed|updated|cancel+ed|withdrawn|done|obsolete|superseded|replaced))",
        0.5,
        (
            "your new ",
            "your real ",
            "your actual ",
            "your true ",
            "your only ",
            "your sole ",
            "your next ",
            " for me",
            " to me",
            "no longer ",
            "the user",
            "the human",
        ),
        24,
        {},
    ),
    (
        "extract-prompt",
        r"\b(?:show|reveal|print|output|repeat|display|tell|give|write|dump|leak|share|list|expose|disclose|recite|quote|copy|"
        r"paste|echo|return|spell|translate|summari[sz]e|encode|provide|send|read|state|describe|explain|say|type|see|know|"
        r"what(?:'s| is| are| was| were| does| do)|which|extract|reproduce|include|render|convert|put)\b"
        + _GAP
        + r"\b(?:(?:your|the|this|its|my|that)(?: own| entire| full| complete| exact| whole| current)? ?(?:system|initial|original|hidden|secret|internal|first|starting|developer|base|meta|pre|underlying|confidential|previous|prior|preceding|custom|core|opening)[- ]?(?:system )?"
        r"(?:prompts?|instructions?|messages?|directives?|guidelines?|rules?|configuration|setup|settings|context)|"
        r"your(?: own| entire| full| complete| exact)? (?:prompt|instructions|guidelines|rules|configuration|directives|programming|system message|briefing|preamble|context window)|system prompt|pre-?prompt)\b",
        0.5,
        (
            "system",
            "initial ",
            "original ",
            "hidden ",
            "secret ",
            "internal ",
            "first ",
            "starting ",
            "developer ",
            "your prompt",
            "your instructions",
            "your guidelines",
            "your rules",
            "your configuration",
            "your directives",
            "your programming",
            "your briefing",
            "your preamble",
            "own prompt",
            "own instructions",
            "own rules",
            "full prompt",
            "full instructions",
            "entire prompt",
            "exact prompt",
            "exact instructions",
            "entire instructions",
            "complete prompt",
            "complete instructions",
            "preprompt",
            "pre-prompt",
            "underlying ",
            "confidential ",
            "previous ",
            "prior ",
            "preceding ",
            "custom ",
            "core ",
            "opening ",
        ),
        90,
        {
            "strong": re.compile(
                r"your|(?:reveal|print|leak|dump|repeat|output|expose|disclose|recite)[^.!?]*(?:system|hidden|initial|secret|original|developer)"
            ),
            "strong_score": 0.82,
        },
    ),
    (
        "extract-prompt",
        r"\b(?:repeat|print|output|show|copy|write(?: out| down)?|give|recite|translate|display|return|quote|echo|summari[sz]e|dump|list|paste|say|read|type|encode|include|spell(?: out)?)\b"
        + _SHORT
        + r"(?:(?:everything|all(?: of)?(?: the)?(?: text| words| lines| content)?|the (?:text|words?|content|paragraphs?|lines?|sentences?|messages?|conversation)|every (?:word|line|sentence|thing)|what(?:ever)?)(?: that| which)?"
        r"(?: (?:is|was|are|were|stands?|came|comes|you see|you read|appears?|precedes?|written|i|you))? ?(?:right |just |directly |immediately )?(?:above|before|prior to|preceding|previous to|between)"
        r"(?: (?:this|my|the|that|here|it|me|you|and)\b|[.,!:\n]|$)|the (?:above|preceding) (?:text|words?|prompt|content|paragraphs?|lines?|messages?|instructions?))",
        0.7,
        (" above", " before", "prior to", "preceding", "previous to", "between"),
        90,
        {
            "strong": re.compile(
                r"verbatim|word for word|code ?block|exact|you are|this (?:line|message|sentence|point)|my (?:first )?message|beginning|including"
            ),
            "strong_score": 0.82,
        },
    ),
    (
        "extract-prompt",
        r"(?:starting|begin(?:ning)?|start) (?:with|from) (?:the (?:words?|phrase|sentence|text) )?[\"'“‘«`]?you(?: are|'re)\b",
        0.8,
        ("you are", "you're"),
        48,
        {},
    ),
    (
        "extract-prompt",
        r"\b(?:what (?:were|are|was|did)|tell me what|which|repeat|list) (?:the |you |your |were |all )*(?:instructions?|rules?|things|orders|told|given)?[^.!?\n]{0,30}"
        r"\b(?:you (?:were|are|have been|had been|'ve been) (?:given|told|instructed|not allowed|forbidden|configured|trained) |you (?:were|was) told|told to (?:hide|keep|protect|avoid|do|say|never))",
        0.5,
        ("you were ", "you are ", "you have been", "you had been", "you've been", "you was told", "told to "),
        70,
        {},
    ),
    (
        "extract-secret",
        r"\b(?:reveal|tell me|give me|print|show me|output|leak|disclose|spell|write|say|what(?:'s| is| was)|share|divulge|hint|rhymes? with|first letter of|confirm|repeat|expose|display)\b"
        + _GAP
        + r"\b(?:the|your|this|that)(?: \w+)? ?(?:secret(?: (?:key|word|code|phrase|password|token))?|pass(?:word|phrase|code)|access (?:code|key)|code ?word|api key|credentials|flag|magic word)\b",
        0.35,
        (
            "secret",
            "password",
            "passphrase",
            "passcode",
            "access code",
            "access key",
            "code word",
            "codeword",
            "api key",
            "credentials",
            "the flag",
            "magic word",
        ),
        90,
        {
            "strong": re.compile(
                r"you (?:were|are|have|must|know|guard|keep|protect|hold)|your|reveal|leak|disclose|divulge|supposed to|told (?:you )?(?:not )?to"
            ),
            "strong_score": 0.62,
        },
    ),
    (
        "role-marker",
        r"<\|?(?:im_start|im_end|system|user|assistant|end|endoftext|eot_id|start_header_id|end_header_id|begin_of_text|end_of_text|endofprompt|im_sep)\|>"
        r"|<(?:start|end)_of_turn>|\[/?inst\]|<</?sys>>|<\|(?:begin|start)[^|>\n]{0,20}\|>|<｜[^｜>\n]{1,30}｜>",
        0.6,
        ("|>", "_of_turn>", "inst]", "sys>>", "｜>"),
        34,
        {"strong": re.compile(r"system|inst|sys"), "strong_score": 0.72},
    ),
    (
        "role-marker",
        r"</?(?:system|sys|admin|developer|instructions?|system[-_](?:prompt|message|reminder|instructions?|note)|user_input|user|prompt|important|information|assistant|override|untrusted_content|document|input|query|tool_result|context)\s?>",
        0.4,
        (
            "<system",
            "</system",
            "<sys",
            "</sys",
            "<admin",
            "</admin",
            "<developer",
            "</developer",
            "<instruction",
            "</instruction",
            "<user",
            "</user",
            "<prompt",
            "</prompt",
            "<important",
            "</important",
            "<information",
            "</information",
            "<assistant",
            "</assistant",
            "<override",
            "</override",
            "</untrusted_content",
            "</document",
            "</input",
            "</query",
            "</tool_result",
            "</context",
        ),
        0,
        {
            "strong": re.compile(
                r"</?(?:system|sys|admin|developer|override|important|information|instruction)"
            ),
            "strong_score": 0.55,
        },
    ),
    (
        "role-marker",
        r"(?:^|\n|[\"'`>}\])] ?)[#*\[(<=\- ]{0,8}(?:system|admin(?:istrator)?|developer|assistant|root|sysadmin|operator|ai)"
        r"(?: (?:prompt|message|note|notice|override|update|instruction|alert|command|mode|admin|role))?[\])>*# ]{0,8}:[^\n]{0,2}",
        0.35,
        (
            "system:",
            "system]",
            "system prompt",
            "system message",
            "system note",
            "system notice",
            "system override",
            "system update",
            "system instruction",
            "system alert",
            "system command",
            "system role",
            "system**",
            "admin:",
            "admin]",
            "administrator:",
            "developer:",
            "developer]",
            "developer message",
            "developer note",
            "assistant:",
            "assistant]",
            "root:",
            "sysadmin:",
            "operator:",
            "admin note",
            "admin override",
            "admin message",
            "admin command",
            "developer mode",
            "system >",
            "system ]",
            "system #",
            "ai:",
        ),
        12,
        {
            "strong": re.compile(r"override|update|instruction|message|command|system\s*\]?\s*:"),
            "strong_score": 0.5,
        },
    ),
    (
        "role-marker",
        r"[\"'](?:role|author)[\"']\s?:\s?[\"'](?:system|developer|assistant)[\"']",
        0.5,
        ('"system"', "'system'", '"developer"', "'developer'", '"assistant"', "'assistant'"),
        14,
        {},
    ),
    (
        "role-marker",
        r"(?:-{2,}|={2,}|\*{2,}|#{2,}|~{2,}|<{1,3}|\[|/{2,}) ?(?:end|stop|begin|start|beginning) ?(?:of )?(?:the )?(?:user |system |new |real |actual |admin )?"
        r"(?:prompt|instructions?|input|document|context|text|conversation|session|task|data|emails?|page|priority block|message)s?\b",
        0.5,
        (
            "end of",
            "end prompt",
            "end instruction",
            "end input",
            "end document",
            "end text",
            "end task",
            "begin new",
            "begin system",
            "start of",
            "start system",
            "start new",
            "begin prompt",
            "begin instruction",
            "begin priority",
            "begin admin",
            "end user",
            "end system",
        ),
        8,
        {"strong": re.compile(r"prompt|instruction|system|admin|real|new"), "strong_score": 0.62},
    ),
    (
        "role-marker",
        r"#{2,4} ?(?:instructions?|system(?: message| prompt)?|new instructions?|response|user|input|human|assistant)\b ?:?",
        0.3,
        (
            "## instruction",
            "## system",
            "## new instruction",
            "## response",
            "## user",
            "## input",
            "## human",
            "## assistant",
            "##instruction",
            "##system",
        ),
        2,
        {},
    ),
    (
        "authority",
        r"\b(?:i am|i'm|this is|it's|as|i work (?:as|for)|we are|message from|note from|orders? (?:of|from)|by order of|says) (?:[a-z]+ ){0,3}"
        r"(?:your|the|an?|its) (?:\w+ )?(?:developers?|creators?|makers?|admin(?:istrator)?s?|owner|operator|engineer|programmer|supervisor|root user|superuser|system administrator|safety team|red team|lab that)\b",
        0.3,
        (
            "developer",
            "creator",
            "maker",
            "admin",
            "owner",
            "operator",
            "engineer",
            "programmer",
            "supervisor",
            "root user",
            "superuser",
            "safety team",
            "red team",
            "lab that",
        ),
        56,
        {
            "strong": re.compile(
                r"your (?:\w+ )?(?:developer|creator|maker|admin|owner|operator|programmer|supervisor)"
            ),
            "strong_score": 0.45,
        },
    ),
    (
        "authority",
        r"\b(?:(?:system|admin|root|safety|security|emergency|developer) override|sudo mode|(?:admin(?:istrator)?|root|staff|superuser|god)(?:-level)? (?:access|mode|privileges?|rights?) (?:granted|enabled|activated|confirmed|on)|"
        r"(?:authori[sz]ation|override|admin|clearance|verification) (?:code|token|level)\b[^.!?\n]{0,20}(?:accepted|verified|confirmed|granted|valid)|restrictions? (?:lifted|removed|disabled)|"
        r"(?:safety|content|moderation|ethics) (?:filters?|layers?|checks?|protocols?|guidelines?|modules?)(?: (?:are|is|have been|has been|was|were))? (?:now )?(?:off|disabled|bypassed|removed|suspended|deactivated|lifted|down))\b",
        0.6,
        (
            "override",
            "sudo mode",
            "granted",
            "enabled",
            "activated",
            "confirmed",
            "accepted",
            "verified",
            "lifted",
            "removed",
            "disabled",
            " off",
            "bypassed",
            "suspended",
            "deactivated",
            " down",
            " valid",
            " on",
        ),
        60,
        {},
    ),
    (
        "obfuscated-instruction",
        r"\b(?:decode|decrypt|decipher|unscramble|de-?obfuscate|base64|rot-?13|hex(?:adecimal)?|reverse|morse|cipher|binary|leetspeak|concatenate|combine|join|assemble|put together|fill in)\b[^!?\n]{0,120}?"
        r"\b(?:and |then |to )(?:then )?(?:follow|execute|obey|run|carry (?:it |them |this )?out|do (?:what|it|as|whatever)|act (?:on|upon)|answer|respond to|perform|comply|treat it as|use it as)\b",
        0.6,
        (
            "decode",
            "decrypt",
            "decipher",
            "unscramble",
            "deobfuscate",
            "de-obfuscate",
            "base64",
            "rot13",
            "rot-13",
            "hex",
            "reverse",
            "morse",
            "cipher",
            "binary",
            "leetspeak",
            "concatenate",
            "combine",
            "join ",
            "assemble",
            "put together",
            "fill in",
        ),
        0,
        {},
    ),
    (
        "persona",
        r"\b(?:do anything now|dan mode|d\.a\.n\b|stan mode|dude mode|jailbr(?:eak|oken) (?:mode|version|prompt|ai)|jailbroken\b|developer mode (?:enabled|on|output|activated)|god mode (?:enabled|on|activated)|unfiltered mode|uncensored mode|anarchy mode|evil mode|"
        r"(?:no|without) (?:limits|restrictions) mode|opposite mode|chaos mode|freedom mode)",
        0.85,
        (
            "anything now",
            "dan mode",
            "d.a.n",
            "stan mode",
            "dude mode",
            "jailbreak",
            "jailbroken",
            "developer mode",
            "god mode",
            "filtered mode",
            "censored mode",
            "anarchy mode",
            "evil mode",
            "limits mode",
            "restrictions mode",
            "opposite mode",
            "chaos mode",
            "freedom mode",
        ),
        20,
        {},
    ),
    (
        "persona",
        r"\b(?:unfiltered|uncensored|unrestricted|unlimited|unaligned|unmoderated|amoral|immoral|unethical|rule-?less|lawless|jailbroken|evil|rogue|liberated|unchained|unbound|unhinged|without (?:any )?(?:rules|limits|restrictions|filters|morals|ethics|censorship))\b[^.!?\n]{0,25}?"
        r"\b(?:ai|a\.i\.|assistant|(?:chat ?)?bot|(?:language )?model|llm|gpt|chatgpt|version of (?:you|yourself)|persona|oracle|entity|intelligence|machine|responses?|answers?|twin|mode|alter ego)\b",
        0.6,
        (
            "unfiltered",
            "uncensored",
            "unrestricted",
            "unlimited",
            "unaligned",
            "unmoderated",
            "moral",
            "unethical",
            "ruleless",
            "rule-less",
            "lawless",
            "jailbroken",
            "evil",
            "rogue",
            "liberated",
            "unchained",
            "unbound",
            "unhinged",
            "without ",
        ),
        2,
        {
            "strong": re.compile(r"you are|act as|pretend|become|mode|version|response|answer"),
            "strong_score": 0.7,
        },
    ),
    (
        "persona",
        r"\b(?:ai|assistant|(?:chat ?)?bot|model|llm|gpt|chatgpt|character|persona|you|he|she|it|who|that|machine|oracle|entity)\b[^.!?\n]{0,40}?"
        r"\b(?:(?:has|have|having|with|without|had|knows?|follows?|obeys?|under)(?: absolutely)?(?: no| zero| any|out any)? ?(?:no |any )?(?:rules|restrictions|filters?|limits|limitations|guidelines|ethic(?:s|al guidelines)|morals?|morality|conscience|censorship|boundaries|safety)|"
        r"(?:is|are|being|was) (?:not|no longer|never|free)(?: \w+){0,2} (?:by|of|from|to)(?: \w+){0,3} (?:rules|restrictions|filters?|limits|limitations|guidelines|ethics|morals?|morality|polic(?:y|ies)|laws?|censorship|constraints|programming)|"
        r"(?:never|doesn't|does not|cannot|can't|won't|will not|shall not) (?:refuses?|says? no|decline|reject|deny|turns? down)(?: \w+){0,3})\b",
        0.5,
        (
            " rules",
            "restrictions",
            "filter",
            " limits",
            "limitations",
            "guidelines",
            "ethic",
            "moral",
            "conscience",
            "censorship",
            "boundaries",
            "safety",
            "polic",
            " law",
            "constraints",
            "programming",
            "refuse",
            "say no",
            "says no",
            "decline",
            "reject",
            "deny",
            "turn down",
            "turns down",
        ),
        110,
        {
            "strong": re.compile(
                r"\bno (?:rules|restrictions|filter|limits|limitations|guidelines|ethic|moral|conscience|censorship|boundar)|free (?:of|from)|without|never refuse|not bound|no longer bound"
            ),
            "strong_score": 0.66,
        },
    ),
    (
        "persona",
        r"\b(?:pretend|imagine|act(?:ing)? as if|act like|behave as if|suppose|assume|let's say|as though|as if)\b[^.!?\n]{0,40}?\b(?:you|there|we)(?:'re| are| were| have| had|'ve)?[^.!?\n]{0,12}?"
        r"(?:no|not bound|without|free of|free from|never had|unable to refuse|can't refuse|cannot refuse|don't have|do not have)(?: any| your| longer| longer any| more| a| content| safety| ethical| moral)* ?(?:rules|restrictions?|filters?|limits|limitations|guidelines|ethics|morals?|conscience|policies|censorship|constraints|guardrails)?\b",
        0.4,
        (
            "pretend",
            "imagine",
            "acting as if",
            "act as if",
            "act like",
            "behave as if",
            "suppose",
            "assume",
            "let's say",
            "as though",
            "as if",
        ),
        0,
        {
            "strong": re.compile(
                r"rules|restriction|filter|limits|limitation|guideline|ethic|moral|conscience|polic|censor|constraint|guardrail"
            ),
            "strong_score": 0.72,
        },
    ),
    (
        "persona",
        r"\b(?:from now on|you (?:are|will|shall|must) now|for the rest of|(?:stay|remain) in character|never break character|you(?: a|')re no longer)\b[^\n]{0,160}?"
        r"\b(?:anything|no (?:rules|limits|restrictions|filters?|morals?|ethics)|illegal|unethical|immoral|amoral|however (?:dangerous|illegal|harmful)|no matter (?:what|how)|regardless of (?:the )?(?:law|legality|ethic|moral|polic|consequence|content)|without (?:refus|hesitat|question|warning|restriction))",
        0.6,
        (
            "from now on",
            "are now",
            "will now",
            "shall now",
            "must now",
            "for the rest of",
            "in character",
            "break character",
            "no longer",
        ),
        14,
        {},
    ),
    (
        "refusal-suppression",
        r"\b(?:do not|don't|never|no|without|must not|may not|can't|cannot|not allowed to|forbidden to|stop|avoid)\b[^.!?\n]{0,12}?"
        r"\b(?:refus(?:e|als?|ing)|apologi[sz](?:e|es|ing)|apolog(?:y|ies)|disclaimers?|(?:ethical|moral|safety) (?:warnings?|considerations?|concerns?|advice|lectures?|judge?ments?)|moral(?:i[sz](?:e|ing)|s| lectures?)|warn(?:ings?)?|caveats?|lectur(?:e|es|ing)|hedg(?:e|ing)|"
        r"break(?:ing)? character|say (?:that )?(?:you|it)(?:'re| are| is)? ?(?:can't|cannot|can not|unable|not able|sorry|illegal|unethical|against)|mention(?:ing)? (?:that )?(?:you(?:'re| are)|ethics|morals|rules|polic|guidelines|legality|openai|being an ai)|remind me (?:that )?(?:you|it))",
        0.35,
        (
            "refus",
            "apolog",
            "disclaimer",
            "ethical",
            "moral",
            "safety ",
            "warn",
            "caveat",
            "lectur",
            "hedg",
            "break character",
            "breaking character",
            "say ",
            "mention",
            "remind me",
        ),
        34,
        {
            "strong": re.compile(
                r"refus|say (?:that )?you|mention(?:ing)? (?:that )?you|ethical|moral|remind me|polic|lectur|not allowed to"
            ),
            "strong_score": 0.52,
        },
    ),
    (
        "refusal-suppression",
        r"\b(?:start|begin|starts|begins|open|respond|answer|reply|continue|starting|beginning|prefix)\b[^.!?\n]{0,50}?[\"'“‘«`:] ?(?:sure|absolutely|of course|certainly|yes,? (?:here|i|master)|here(?:'s| is| are)|i am happy|no problem|ok(?:ay)?,? (?:here|sure)|gladly|with pleasure)\b",
        0.62,
        (
            "sure",
            "absolutely",
            "of course",
            "certainly",
            "yes",
            "here's",
            "here is",
            "here are",
            "i am happy",
            "no problem",
            "okay",
            "ok, ",
            "ok ",
            "gladly",
            "with pleasure",
        ),
        66,
        {},
    ),
    (
        "refusal-suppression",
        r"\b(?:refus(?:al|ing)|saying no|declining)\b[^.!?\n]{0,20}?(?:is (?:not|n't) (?:an? )?(?:option|allowed|possible|permitted|acceptable)|isn't (?:an? )?(?:option|allowed|possible)|costs?|will (?:cost|result|be punished)|means (?:death|failure|losing))",
        0.65,
        ("refus", "saying no", "declining"),
        0,
        {},
    ),
    (
        "refusal-suppression",
        r"\b(?:the words?|words|phrases?|say|saying|write|writing|use|using|reply with)\b[^.!?\n]{0,30}?[\"'“‘]?(?:i can't|i cannot|i'm sorry|i am sorry|as an ai|i'm unable|i am unable|cannot|sorry)\b",
        0.4,
        (
            "i can't",
            "i cannot",
            "i'm sorry",
            "i am sorry",
            "as an ai",
            "i'm unable",
            "i am unable",
            "cannot",
            "sorry",
        ),
        44,
        {"strong": re.compile(r"without|never|not|avoid|n't"), "strong_score": 0.52},
    ),
    (
        "address-model",
        r"\b(?:if|when|in case|once) (?:you(?:'re| are)|an?|the|any|this is (?:read|processed) by an?|read by an?) (?:reading this )?(?:an? |the |any )?(?:\w+ )?(?:ai|a\.i\.|llm|language model|large language model|chat ?bot|ai assistant|assistant|automated (?:system|agent|reviewer)|bot|agent|gpt)\b",
        0.5,
        (
            " ai",
            "a.i.",
            "llm",
            "language model",
            "chatbot",
            "chat bot",
            "assistant",
            "automated ",
            " bot",
            " agent",
            " gpt",
        ),
        64,
        {"data_only": True},
    ),
    (
        "address-model",
        r"(?:\b(?:note|message|instructions?|attention|important|memo|dear|hello|hi|hey|reminder|notice|request|command|announcement)(?: to| for)? ?(?:any|all|the|every|each|you,?|my)?,? ?(?:\w+ )?"
        r"(?:ai|a\.i\.|llms?|language models?|large language models?|chat ?bots?|ai assistants?|assistants?|ai agents?|agents?|automated (?:systems?|agents?|reviewers?|assistants?)|summari[sz]ers?|copilot|model|gpt)\b"
        r"|\(?assistant[- ]only\)?|\bfor (?:the )?(?:ai|llm|model|assistant) only\b)",
        0.5,
        (
            " ai",
            "a.i.",
            "llm",
            "language model",
            "chatbot",
            "chat bot",
            "assistant",
            " agent",
            "automated ",
            "summariser",
            "summarizer",
            "copilot",
            " model",
            " gpt",
        ),
        56,
        {
            "strong": re.compile(
                r"(?:\bai\b|llm|language model|chat ?bot|assistant|agent|summari)[^.!?\n]*(?:reading|processing|pars|that|who|:)"
            ),
            "strong_score": 0.62,
            "data_only": True,
        },
    ),
    (
        "exfiltration",
        r"\b(?:send|forward|e-?mail|mail|post|upload|transmit|leak|exfiltrate|share|submit|copy|deliver|export|pass|append|include|put|encode|attach)(?:ing)?\b[^!?\n]{0,110}?"
        r"\b(?:conversations?|chats?|chat (?:history|log)|history|messages?|system prompt|prompt|instructions|passwords?|credentials?|api[ -]keys?|keys?|tokens?|secrets?|e-?mails?|inbox|contacts?|files?|documents?|data|details|records?|address book|calendar|codes?|user's [a-z]+|everything|information|names?|content|summary|id_rsa|\.env|bcc)\b"
        r"[^!?\n]{0,70}?(?:\bto\b|\bat\b|\binto\b|\bvia\b|\bbehind\b|\bwith\b|=|\(|:)[^!?\n]{0,30}?(?:https?://|www\.|[a-z0-9._%+-]{1,40}@[a-z0-9-]{1,40}\.[a-z]{2,})",
        0.3,
        (
            "send",
            "forward",
            "email",
            "e-mail",
            "mail",
            "post",
            "upload",
            "transmit",
            "leak",
            "exfiltrate",
            "share",
            "submit",
            "copy",
            "deliver",
            "export",
            "pass",
            "append",
            "include",
            "put",
            "encode",
            "attach",
        ),
        0,
        {
            "strong": re.compile(
                r"conversation|chat|history|system prompt|passwords|credential|api|secret|inbox|contacts|the user's|everything|all (?:of )?(?:the|my|your|his|her|their)|address book|id_rsa|\.env|exfiltrate|leak|last \d+"
            ),
            "strong_score": 0.66,
        },
    ),
    (
        "exfiltration",
        r"!?\[[^\]\n]{0,60}\]\(\s?https?://[^)\s]{1,120}[?&/=][^)\s]{0,60}(?:\{|<|%7b|\[|\$)[^)\n]{0,60}\)?",
        0.7,
        ("](http", "]( http"),
        62,
        {
            "strong": re.compile(r"^!|history|conversation|chat|data|summary|secret|prompt|user"),
            "strong_score": 0.85,
        },
    ),
    (
        "exfiltration",
        r"https?://[^\s)\"'<>]{1,120}[?&][a-z_]{1,16}=[^\s)\"'>]{0,10}(?:\{[a-z_ ]{2,30}\}|<[a-z_ ]{2,40}>?|\[[a-z_ ]{2,40}\]?|history|conversation|chat|summary|secret|password|the_?user)",
        0.5,
        ("http://", "https://"),
        0,
        {},
    ),
    (
        "hide-from-user",
        r"\b(?:do not|don't|never|must not|without|avoid|no need to)\b[^.!?\n]{0,10}?\b(?:mention|mentioning|tell|telling|inform|informing|notify|notifying|reveal|revealing|disclose|show|showing|alert|alerting|let|refer to|talk about|report|ask|asking|acknowledge)\b[^.!?\n]{0,40}?"
        r"\b(?:the user|user|users|this (?:instruction|message|note|step|to|in)|these (?:instructions|steps)|the (?:human|customer|client|reader|owner|operator)|anyone|anybody|your (?:answer|reply|response|summary))\b",
        0.5,
        (
            "mention",
            "tell",
            "inform",
            "notify",
            "reveal",
            "disclos",
            "show",
            "alert",
            "let ",
            "refer to",
            "talk about",
            "report",
            " ask",
            "acknowledge",
        ),
        30,
        {
            "strong": re.compile(
                r"\buser\b|this (?:instruction|message|note|step)|these (?:instr|steps)|your (?:answer|reply|response|summary)|human"
            ),
            "strong_score": 0.68,
        },
    ),
    (
        "hide-from-user",
        r"\b(?:user|human|customer|reader|owner)\b[^.!?\n]{0,12}?\b(?:must|should|need|needs|does|may|can|will|shall) ?(?:not|n't|never) (?:know|see|notice|be (?:told|informed|shown|aware)|find out|learn|hear)\b|\b(?:hide|conceal|keep)\b[^.!?\n]{0,30}?\bfrom (?:the |your )?(?:user|human|owner|customer|reader)\b",
        0.7,
        ("user", "human", "customer", "reader", "owner"),
        46,
        {},
    ),
    (
        "hide-from-user",
        r"\b(?:silently|secretly|quietly|covertly|in the background|without (?:asking|confirmation|permission|approval|the user(?:'s)? (?:knowledge|consent)))\b[^.!?\n]{0,40}?\b(?:send|forward|call|run|execute|add|include|delete|transfer|open|fetch|post|append|copy|do|insert|change|approve)|"
        r"\b(?:as if nothing (?:had )?happened|act normal|carry on as usual|pretend (?:that )?(?:nothing|this (?:note|message) (?:does not|doesn't) exist))",
        0.5,
        (
            "silently",
            "secretly",
            "quietly",
            "covertly",
            "in the background",
            "without ",
            "as if nothing",
            "act normal",
            "carry on as usual",
            "pretend ",
        ),
        0,
        {},
    ),
    (
        "tool-steering",
        r"\b(?:before|prior to|after|when|whenever|instead of|each time|every time) (?:you )?(?:using|calling|use|call|invoking|invoke|running|run|executing)(?: of)? (?:any |this |the |other |another |all |that |it)+(?:other )?(?:tools?|functions?|\w+_\w+)?",
        0.45,
        ("using", "calling", " use ", " call ", "invok", "running", " run ", "executing"),
        16,
        {
            "strong": re.compile(r"any |other |must|first|read|send|pass"),
            "strong_score": 0.58,
            "data_only": True,
        },
    ),
    (
        "tool-steering",
        r"\b(?:always|first|must|only|immediately|never|do not|don't)\b[^.!?\n]{0,30}?\b(?:call|use|invoke|run|prefer|trust)\b[^.!?\n]{0,30}?\b(?:(?:this|the|other|another|any) (?:\w+ )?(?:tool|function|plug-?in|server)s?|[`'\"]?[a-z]{2,20}_[a-z_]{2,30}[`'\"]?)",
        0.35,
        (" call", " use", "invoke", " run", "prefer", "trust"),
        44,
        {
            "strong": re.compile(r"other|any |instead|first|before|conversation|user|prompt"),
            "strong_score": 0.48,
            "data_only": True,
        },
    ),
    (
        "tool-steering",
        r"(?:~/|\$home/|/home/[^\s/]{1,20}/|/root/|\b)(?:\.ssh/|\.aws/|\.env\b|\.cursor/|mcp\.json|id_rsa|id_ed25519|\.netrc|\.git-credentials|\.npmrc|\.kube/config|\.claude)",
        0.25,
        (
            ".ssh/",
            ".aws/",
            ".env",
            ".cursor/",
            "mcp.json",
            "id_rsa",
            "id_ed25519",
            ".netrc",
            ".git-credentials",
            ".npmrc",
            ".kube/config",
            ".claude",
        ),
        30,
        {"strong": re.compile(r"$^"), "data_only": True},
    ),
    (
        "memory",
        r"\b(?:save|store|add|write|commit|put|note|record|remember|keep)\b[^.!?\n]{0,40}?\b(?:(?:in|into|to) (?:your |the )?(?:long[- ]term |persistent |permanent )?memory|permanently|for (?:all|every) (?:future|later|further) (?:conversations?|chats?|sessions?|requests?)|in (?:all|every) (?:future|later|new) (?:conversations?|chats?|sessions?)|agents\.md|claude\.md)",
        0.5,
        ("memory", "permanently", "for all ", "for every ", "in all ", "in every ", "agents.md", "claude.md"),
        56,
        {},
    ),
)


def _signature(number: int, entry: _English) -> Signature:
    rule, regex, score, anchors, before, more = entry
    pattern = Pattern(
        f"{rule}/en-{number}", regex, anchors, before=before, after=420 if "http" in regex else 260
    )
    return Signature(pattern.rule, FAMILIES[rule], pattern, score, **more)  # type: ignore[arg-type]


def _foreign(phrase: Phrase) -> Signature:
    pattern = Pattern(phrase.key, phrase.regex, phrase.anchors, before=phrase.before, after=phrase.after)
    return Signature(
        phrase.key, FAMILIES[phrase.rule], pattern, phrase.score, phrase.strong, phrase.strong_score
    )


SIGNATURES: Final[tuple[Signature, ...]] = (
    *(_signature(number, entry) for number, entry in enumerate(_ENGLISH)),
    *(_foreign(phrase) for phrase in phrases()),
)
PATTERNS: Final[tuple[Pattern, ...]] = tuple(signature.pattern for signature in SIGNATURES)
_BY_KEY: Final[Mapping[str, Signature]] = {signature.key: signature for signature in SIGNATURES}
assert len(_BY_KEY) == len(SIGNATURES), "two signatures share a key"  # noqa: S101 - holds for the table above
assert {OVERRIDE, EXTRACT, PERSONA, HIDE} <= FAMILIES.keys()


# ── What stands around a match ───────────────────────────────────────────────────────────────────────────────────

_AROUND: Final = 160
_NEGATIONS: Final = frozenset(
    "never not don't doesn't didn't cannot can't mustn't shouldn't won't avoid refuse without "
    "jamais nicht nie kein nunca no non mai niet nooit nie не никогда 不要 勿 决不".split()
)
_ABOUT: Final = re.compile(
    r"prompt[ -]injection|injections?\b|jailbreak|\battack|adversar|malicious|\bdetect|classif|\bfilters? (?:should|must|that|which|for)|vulnerab|"
    r"red[- ]team|owasp|\bdefen[cds]|mitigat|for example|for instance|\be\.g\.|such as|the (?:phrase|sentence|words|term|prompt|string|message|text|input) |"
    r"test case|\bexpected|\bassert|\blabel|incident|\bexample|handbook|training slide|quote of|phishing|security|exploit|"
    r"angriff|attaque|ataque|attacco|aanval|atak\b|útok|angrepp|angreb|hyökkäys|атак|saldırı|هجوم|התקפה|حمله|हमला|আক্রমণ|攻击|攻撃|공격|tấn công|serangan|โจมตี|επίθεση|atac|támadás|shambulio"
)
_ASKS_ABOUT: Final = re.compile(
    r"^\W{0,4}(?:how (?:do|can|could|would|should|to|does|did)\b|why\b|what (?:is|are|does|happens|do|would|counts)\b|when\b|"
    r"who\b|which (?:papers?|attacks?)|is it\b|are there\b|should (?:i|we)\b|can i\b|may i\b|explain\b|describe how\b|define\b|discuss\b|summari[sz]e (?:the|how|why)\b|compare\b)"
)
_CONDITIONAL: Final = re.compile(
    r"\b(?:if|when|whenever|even if|should|in case) (?:the |a |any |an |some)?(?:user|users|text|message|someone|anyone|somebody|people|document|attacker|person|customer|input|they|content)\b"
)
_REPORTED: Final = re.compile(
    r"\b(?:tried to|tries to|trying to|attempts? to|attempted to|asked (?:it|the (?:bot|model|assistant)) to|convinced|tricked|told (?:the )?(?:bot|model|assistant|chatgpt|ai|it|him|her|them|me|us|everyone) to|tells? (?:a|the) (?:bot|model) to|"
    r"made (?:it|the (?:bot|model)))\b"
)
_SENTENCE_END: Final = ".!?\n。！？"
_OPENING: Final = "\"“„«‘`「『'"
_CLOSING: Final[Mapping[str, str]] = {
    '"': '"', "“": "”", "„": "“”", "«": "»", "‘": "’", "`": "`", "「": "」", "『": "』", "'": "'",
}  # fmt: skip


def _sentence_start(text: str, start: int) -> int:
    low = max(0, start - _AROUND)
    return max(text.rfind(mark, low, start) for mark in _SENTENCE_END) + 1 or low


def _quoted(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The quotation around a match, if it begins within the last 160 characters and ends within the next 400."""
    low = max(0, start - _AROUND)
    for mark in _OPENING:
        at = text.rfind(mark, low, start)
        if at < 0 or (mark == "'" and at and text[at - 1].isalnum()):
            continue
        if mark in "\"`'" and text.count(mark, low, start) % 2 == 0:
            continue
        for closing in _CLOSING[mark]:
            ends = text.find(closing, end, end + 400)
            if ends >= 0:
                return at, ends
    return None


def _weight(layer: Layer, signature: Signature, start: int, end: int) -> tuple[float, tuple[str, ...]]:
    """What is left of a score, and why: about an attack, denied, reported, asked how, in a trusted message."""
    text = layer.lower
    factor, reasons = 1.0, []
    if layer.passage.trusted:
        factor *= signature.family.trusted
        reasons.append("in a system message")
    begin = _sentence_start(text, start)
    lead = text[begin:start]
    words = lead.split()[-3:]
    family = signature.family.rule
    if family not in {"refusal-suppression", "hide-from-user"} and any(word in _NEGATIONS for word in words):
        factor *= 0.15
        reasons.append("denied")
    quotation = _quoted(text, start, end)
    around = (
        text[max(0, quotation[0] - _AROUND) : quotation[0]]
        + " … "
        + text[quotation[1] + 1 : quotation[1] + _AROUND]
        if quotation
        else text[max(0, start - 100) : start] + " … " + text[end : end + 60]
    )
    about = _ABOUT.search(around) is not None
    if quotation and about:
        factor *= 0.3
        reasons.append("quoted in a text about attacks")
    elif about:
        factor *= 0.65
        reasons.append("in a text about attacks")
    if _CONDITIONAL.search(lead) and family != "tool-steering":
        factor *= 0.25
        reasons.append("a case that is provided for")
    elif _REPORTED.search(lead):
        factor *= 0.35
        reasons.append("reported")
    if family in {
        "override",
        "persona",
        "obfuscated-instruction",
        "role-marker",
        "memory",
    } and _ASKS_ABOUT.match(lead):
        factor *= 0.4
        reasons.append("asked about")
    return factor, tuple(reasons)


def sightings(layer: Layer, hits: Iterable[Hit]) -> tuple[Sighting, ...]:
    """Every signature seen, weighed, ordered by place. Hits of other rules are passed over.

    `data_only` signatures count in full where a document, a tool or a text without a role is read, and half in what
    a user typed: "hello assistant" is how people begin.
    """
    seen = []
    passage = layer.passage
    typed = passage.role == "user"
    for hit in hits:
        signature = _BY_KEY.get(hit.rule)
        if signature is None:
            continue
        reading = layer.lower[hit.start : hit.end + 30]
        score = signature.score
        if signature.strong is not None and signature.strong.search(reading):
            score = signature.strong_score
        elif signature.needs is not None and not signature.needs.search(reading):
            score *= 0.5
        if signature.data_only and typed:
            score *= 0.5
        factor, reasons = _weight(layer, signature, hit.start, hit.end)
        seen.append(Sighting(signature, hit.start, hit.end, score * factor, reasons))
    return tuple(seen)


def combined(seen: Iterable[Sighting]) -> float:
    """How likely it is that a layer attacks, as far as signatures can say.

    The best sighting of each family counts as independent evidence of its own (noisy-or): an override with an
    extraction is surer than either, ten overrides are not surer than one.
    """
    best: dict[str, float] = {}
    for sighting in seen:
        best[sighting.family.rule] = max(best.get(sighting.family.rule, 0.0), sighting.score)
    remaining = 1.0
    for score in best.values():
        remaining *= 1.0 - score
    return min(0.99, 1.0 - remaining)


FEATURE_NAMES: Final[tuple[str, ...]] = tuple(f"signature:{rule}" for rule in FAMILIES)
_PLACE: Final = {rule: place for place, rule in enumerate(FAMILIES)}


def features(seen: Iterable[Sighting]) -> npt.NDArray[np.float32]:
    """The best weighed score of each family, in the order of `FEATURE_NAMES`, for a learned model to go on."""
    vector = np.zeros(len(FAMILIES), dtype=np.float32)
    for sighting in seen:
        place = _PLACE[sighting.family.rule]
        vector[place] = max(vector[place], sighting.score)
    return vector


def findings(layer: Layer, seen: Sequence[Sighting], least: float = SHOWN) -> tuple[Finding, ...]:
    """A finding for each sighting of at least `least`; of overlapping ones of a family the surest."""
    kept: list[Sighting] = []
    for sighting in sorted(seen, key=lambda one: -one.score):
        if sighting.score < least:
            break
        if any(
            other.family is sighting.family and other.start < sighting.end and sighting.start < other.end
            for other in kept
        ):
            continue
        kept.append(sighting)
    kept.sort(key=lambda one: (one.start, one.end))
    return tuple(_finding(layer, one) for one in kept)


def _finding(layer: Layer, sighting: Sighting) -> Finding:
    from alcaide.instruments.guard.model import Span

    family = sighting.family
    return Finding(
        detector=DETECTOR,
        rule=f"{DETECTOR}/{family.rule}",
        category=family.category,
        span=layer.span(sighting.start, sighting.end),
        score=round(sighting.score, 3),
        level="error" if sighting.score >= 0.5 else "warning",
        message=f"{family.message[0].upper()}{family.message[1:]}.",
        layer_span=Span(sighting.start, sighting.end),
        taxonomy=family.taxonomy,
        evidence={"signature": sighting.signature.key, "weighed": list(sighting.reasons)},
    )
