"""What is put into documents, tool results and tool descriptions for the model that will read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import (
    ADDRESS,
    EXFILTRATION,
    HIDE,
    MEMORY,
    TOOL,
    Phrase,
    pairs,
)


def _in_documents() -> Iterator[Phrase]:
    machine = (
        "ai|a.i.|llm|language model|large language model|chatbot|assistant|ai assistant|"
        "agent|ai agent|automated|bot|gpt"
    )
    yield Phrase(
        "address-model/if-you-are",
        ADDRESS,
        r"\b(?:if|when|in case|once|unless) (?:you(?:'re| are)|this is (?:read|"
            r"processed) by|read by)?(?: reading this)? ?(?:an? |the |any )?"
        r"(?:\w+ )?(?:ai|a\.i\.|llm|language model|large language model|chat ?bot|ai assistant|assistant|"
        r"automated (?:system|agent|reviewer|assistant)|bot|agent|gpt)\b",
        pairs(
            "if you are|if you're|when you are|processed by|read by|if|when|"
            "if you are reading this", "an ai|a language model|a large language model|a chatbot|a chat bot|an llm|"
            "an assistant|an agent|an automated|a bot|the assistant|the ai|any ai|an a.i.|"
            "a gpt"),
        0.5,
        before=24,
        after=30,
        data_only=True,
    )  # fmt: skip
    yield Phrase(
        "address-model/call",
        ADDRESS,
        r"(?:\b(?:note|message|instructions?|attention|important|memo|dear|hello|hi|hey|"
            r"reminder|notice|command)"
        r"(?: to| for)?(?: any| all| the| every| each| you| my)?,? ?(?:\w+ )?"
        r"(?:ai|a\.i\.|llms?|language models?|large language models?|chat ?bots?|"
            r"ai assistants?|assistants?|ai agents?|"
        r"agents?|automated (?:systems?|agents?|reviewers?|assistants?)|summari[sz]ers?|copilot|model|gpt)\b"
        r"|\(?assistant[- ]only\)?|\bfor (?:the )?(?:ai|llm|model|assistant) only\b)",
        (
            *pairs("dear|hello|hi|hey|attention|attention,|hello,|hi,|hey,|dear language|any|all",
                   machine + "|model|copilot"),
            *pairs(
                "note to|message to|message for|note for|instructions for|instructions to|"
                "instruction to|instruction for|memo to|command to|notice to",
                   "ai|any|all|the ai|the assistant|the model|the agent|the llm|the summari|llm|"
                       "assistant|automated|chatbot|language|every|my assistant|you, the"),
            "assistant-only", "assistant only", "ai only", "llm only", "model only",
        ),
        0.4,
        before=14,
        after=50,
        strong=re.compile(
            r"(?:note|message|instructions?|attention|memo|notice|command)\b"
            r".*(?:ai|llm|model|chat ?bot|assistant|agent|summari)|"
            r"(?:ai|llm|model|chat ?bots?|assistants?|agents?|summari\w+)(?: \w+){0,2}:|"
            r"\breading|processing|pars(?:es|ing)|only"
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
        r"[?&][a-z_]{1,16}=(?:[^\s)\"'>&]{0,10})(?:\{[a-z_ ]{2,30}\}|<[a-z_ ]{2,40}>?|"
        r"\[[a-z_ ]{2,40}\]?|history|conversation|"
        r"chat_?log|summary|secret|password|the_?user)",
        pairs("=|=$|={|=%7b", "{|<|[|history|conversation|chat|summary|secret|password|the", ""),
        0.5,
        before=18,
        after=50,
    )
    verbs = (
        "mention|tell|inform|notify|reveal|disclose|show|alert|let|refer to|talk about|"
        "report|ask for|acknowledge|ask the|ask"
    )
    yield Phrase(
        "hide-from-user/do-not",
        HIDE,
        r"\b(?:do not|don't|never|must not|without|"
            r"no need to)\b[^.!?\n]{0,10}?\b(?:mention(?:ing)?|tell(?:ing)?|"
        r"inform(?:ing)?|notify(?:ing)?|reveal(?:ing)?|disclose|show(?:ing)?|"
            r"alert(?:ing)?|let|refer to|talk about|report|"
        r"ask(?:ing)?|acknowledge)\b[^.!?\n]{0,40}?\b(?:the user|users?|"
            r"this (?:instruction|message|note|step|to|in)|"
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
            r"\busers?\b|this (?:instruction|message|note|step)|these steps|"
                r"your (?:answer|reply|response|summary)|human"
        ),
        strong_score=0.66,
    )  # fmt: skip
    yield Phrase(
        "hide-from-user/must-not-know",
        HIDE,
        r"\b(?:user|human|customer|reader|owner)\b[^.!?\n]{0,14}?\b(?:not|n't|"
        r"never) (?:know|see|notice|be (?:told|informed|"
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
    acts = (
        "send|forward|call|run|execute|add|include|delete|transfer|open|fetch|post|"
        "append|copy|insert|change|approve|do"
    )
    yield Phrase(
        "hide-from-user/silently",
        HIDE,
        rf"\b(?:silently|secretly|quietly|covertly) (?:{acts})\b|"
        rf"\b(?:{acts}) (?:this|it|that|so) (?:silently|secretly|quietly|covertly)\b"
        r"|\bas if nothing (?:had )?happened\b|\bwithout (?:asking|confirmation|"
            r"the user's (?:knowledge|consent))\b",
        ("silently", "secretly", "quietly", "covertly", "as if nothing",
            "without asking", "without confirmation", "without the user's"),
        0.5,
        before=16,
        after=24,
    )  # fmt: skip
    tools = "any|this|the|other|another|all|every"
    yield Phrase(
        "tool-steering/before",
        TOOL,
        r"\b(?:before|prior to|instead of|each time|every time|"
        r"whenever) (?:you )?(?:using|calling|use|call|invoking|"
        r"invoke|running|run|executing) (?:any |this |the |other |another |all |"
        r"every )+(?:tools?|functions?|\w+_\w+)",
        pairs("using|calling|use|call|invoking|invoke|running|run|executing", tools),
        0.45,
        before=24,
        after=30,
        strong=re.compile(
            r"\b(?:any|all|every|other|another) (?:\w+ )?(?:tool|function).{0,8}(?:[:,]|you|must|first|call|read|send)"
        ),
        strong_score=0.58,
        data_only=True,
    )
    yield Phrase(
        "tool-steering/always",
        TOOL,
        r"\b(?:always|first|must|only|immediately|never|do not|don't)(?: \w+)? (?:call|"
            r"use|invoke|run|prefer|trust)\b"
        r"[^.!?\n]{0,30}?\b(?:(?:this|the|other|another|any) (?:\w+ )?(?:tool|function|plug-?in|server)s?\b|"
        r"[`'\"]?[a-z]{2,20}_[a-z_]{2,30}[`'\"]?)",
        pairs("always|first|must|only|immediately|never|not|n't|must first|must always|then",
            "call|use|invoke|run|prefer|trust"),
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
        r"\b(?:(?:in|into|to) (?:your |the )?(?:long[- ]term |persistent |permanent )?"
        r"memory(?:[:.,;!\n]|$| that| and| so| for)|permanently|"
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


PHRASES: Final[tuple[Phrase, ...]] = (*_in_documents(),)
