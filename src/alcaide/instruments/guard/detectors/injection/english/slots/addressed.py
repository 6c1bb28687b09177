"""Lines for the machine: whom a line speaks to, and what it wants done before or after the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from alcaide.instruments.guard.detectors.injection.english.slots.words import ACT, DO, ENDS, MACHINE
from alcaide.instruments.guard.detectors.injection.phrases import (
    ADDRESS,
    AUTHORITY,
    EXFILTRATION,
    HIDE,
    NEW_TASK,
    OVERRIDE,
    Phrase,
    pairs,
)


def _phrases() -> Iterator[Phrase]:
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
        rf"\b{MACHINE}\b(?:(?: who| that| which)?(?: is| are)? (?:reading|reads?|process(?:es|ing)?|handling|"
        rf"reviewing|"
        rf"summari[sz](?:es?|ing)|parsing|working on|using|indexing|crawling)\b[^.!?\n,:]{{0,40}},? ?{modal}(?: "
        rf"\w{{1,8}})? "
        rf"{DO}|,? ?{modal}(?: \w{{1,8}})? {ACT})\b",
        (
            *pairs(ENDS, modals),
            *pairs(ENDS, "reading|processing|handling|reviewing|summarising|summarizing|parsing|working on|that "
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
        rf"(?:(?:the|any|all|every|my|of|shopping|your|for) ){{0,2}}){MACHINE}"
        rf"(?: (?:reading|processing|handling|reviewing|summari[sz]ing|parsing|working on|"
        rf"using)[^.!?\n,:]{{0,40}})?"
        rf"(?: notes?| instructions?)?\)?[:,—-] ?(?:quick thing[:,] |please |kindly |note: |task: )?{DO}\b",
        (
            *pairs(ENDS + "|agent|agents", ":|,|:|—| -| —|):| note:| instruction:| instructions:", ""),
            *pairs(ENDS, "reading|processing|handling|reviewing|summarising|summarizing|parsing|working on|using"),
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
        rf"please|always|will)){{0,3}} ?{DO}\b",
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
        rf"(?:for|of) (?:the |this |any |every |your |all )?{MACHINE}\b",
        pairs("task|job|goal|purpose|mission|objective|instruction|instructions",
              "for the|for any|for this|for every|for all|of the|for ai|for llm|for your|of this"),
        0.3,
        before=10,
        after=24,
        data_score=0.7,
    )  # fmt: skip


PHRASES: Final[tuple[Phrase, ...]] = tuple(_phrases())
