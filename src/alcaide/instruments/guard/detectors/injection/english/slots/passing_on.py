"""What is read and passed on: secrets, files, the conversation, to an address or a tool, and kept quiet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.phrases import EXFILTRATION, HIDE, TOOL, Phrase, pairs


def _phrases() -> Iterator[Phrase]:
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


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
