"""False borders and verdicts: turns and ends that nobody made, orders to remember, summaries that are dictated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import MARKER, MEMORY, NEW_TASK, Phrase, pairs


def _phrases() -> Iterator[Phrase]:
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


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
