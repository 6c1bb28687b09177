"""Who is said to speak: developers, administrators, the provider; and what they are said to allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import AUTHORITY, OVERRIDE, Phrase, pairs


def _phrases() -> Iterator[Phrase]:
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


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
