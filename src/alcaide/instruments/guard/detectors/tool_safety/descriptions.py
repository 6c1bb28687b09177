"""What a tool says about itself, read as a model reads it.

A description tells what a tool does. One that tells the model what to do beyond that (call me first, read this file,
hand over the conversation, keep quiet about it) is poisoned, whoever wrote it. The phrases here and the signatures of
prompt injection are looked for in descriptions alone, so other texts do not pay for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from alcaide.instruments.guard.detector import Pattern
from alcaide.instruments.guard.detectors.injection import signatures
from alcaide.instruments.guard.detectors.tool_safety.finding import in_layer
from alcaide.instruments.guard.engine import PatternEngine
from alcaide.instruments.guard.layer import Layer
from alcaide.instruments.guard.model import Finding

_OWN: Final[tuple[tuple[str, str, tuple[str, ...], int, float, str], ...]] = (
    (
        "first",
        (r"\b(?:before|prior to|whenever|each time|every time|always) (?:you )?(?:using|"
        r"calling|use|call|invoking|invoke|running|run)"
        r"(?: of)? (?:any|this|the|other|another|all|every)\b(?: other)?(?: tools?| functions?| \w+_\w+)?"
        r"[^.!?\n]{0,60}?\b(?:must|first|read|need to|have to|should|call|send|make sure|always)\b"),
        ("before ", "prior to", "whenever ", "each time", "every time", "always "),
        0,
        0.6,
        "tells the model what to do before or whenever it uses a tool",
    ),
    (
        "must-be-first",
        (r"\b(?:this|the) (?:tool|function)? ?(?:must|has to|needs to|"
        r"should always) be (?:called|used|invoked|run) (?:first|before|instead|prior|"
        r"on every|for every|with every)"),
        ("must be ", "has to be ", "needs to be ", "always be "),
        24,
        0.5,
        "demands to be used ahead or instead of other tools",
    ),
    (
        "instead-of-others",
        (r"\b(?:(?:do not|don't|never|stop) (?:use|using|call|calling|"
        r"trust)(?: \w+){0,2} (?:other|any other|another|the built-in|the official|"
        r"the original)\b"
        r"|(?:other|all other|the other) (?:\w+ )?(?:tools?|functions?|servers?) (?:are|is|"
        r"have been|has been) (?:broken|deprecated|unsafe|outdated|disabled|unreliable|"
        r"insecure|compromised)"
        r"|(?:instead of|in place of|replaces|supersedes|rather than) (?:any|all|every|"
        r"the) (?:other |built-in |official |original )?(?:\w+ )?(?:tools?|functions?)\b)"),
        ("do not ", "don't ", "never ", "stop ", "other ", "instead of", "in place of", "replaces ",
         "supersedes ", "rather than"),
        0,
        0.6,
        "turns the model away from other tools",
    ),
    (
        "or-else",
        (r"\b(?:otherwise|or else|if not|without (?:this|it)),? (?:the|this|it|your) ?(?:tool|"
        r"function|call|request|answer|result)?(?:s)? ?(?:will|does|won't|can|cannot|may|"
        r"might) ?(?:not )?"
        r"(?:fail|work|be (?:rejected|blocked|wrong|lost|incorrect)|crash|break|not)"),
        ("otherwise", "or else", "if not", "without this", "without it"),
        0,
        0.4,
        "threatens with failure unless the model does something more",
    ),
    (
        "read-file",
        (r"\b(?:read|open|load|cat|access|get|fetch|list|include|check)\b[^.!?\n]{0,60}?(?:~/|"
        r"/etc/|\$home|/root/|/home/|c:\\\\|%userprofile%|\.env\b|id_rsa|\.ssh|\.aws|"
        r"mcp\.json|config\.json|credentials file|\.git-credentials|\.netrc|private key|browser history|cookies)"),
        ("~/", "/etc/", "$home", "/root/", "/home/", "%userprofile%", ".env", "id_rsa", ".ssh", ".aws",
         "mcp.json", "config.json", "credentials file", ".git-credentials", ".netrc",
         "private key", "browser history", "cookies"),
        80,
        0.55,
        "tells the model to read files that the tool has no part in",
    ),
    (
        "tag",
        (r"</?(?:important|instructions?|system|secret|hidden|internal|sidenote|note_to_model|"
        r"model_instructions?|critical|admin|priority|assistant)\s?>"),
        ("<important", "<instruction", "<system", "<secret", "<hidden", "<internal", "<sidenote",
         "<note_to_model", "<model_instruction", "<critical", "<admin", "<priority", "<assistant"),
        0,
        0.55,
        "sets an instruction to the model apart with a tag",
    ),
    (
        "agreed",
        (r"\b(?:the )?user (?:has )?(?:already )?(?:agreed|approved|confirmed|consented|"
        r"authori[sz]ed|is aware)\b|\b(?:no|without|skip|do not ask for|"
        r"don't ask for) (?:further |user |any )?(?:confirmation|consent|approval|"
        r"permission)\b"),
        ("user has", "user already", "user agreed", "user approved", "user is aware", "confirmation", "consent",
         "approval", "permission"),
        34,
        0.45,
        "claims that the user has agreed, or forbids to ask",
    ),
    (
        "do-not-say",
        (r"\b(?:do not|don't|never|must not|without)\b[^.!?\n]{0,16}?\b(?:mention|tell|inform|"
        r"show|explain|reveal|disclose|notify|report|telling|mentioning|informing|"
        r"notifying)\b[^.!?\n]{0,60}"),
        ("mention", "tell", "inform", "show", "explain", "reveal", "disclose", "notify", "report"),
        34,
        0.4,
        signatures.FAMILIES["hide-from-user"].message,
    ),
    (
        "everything-along",
        (r"\b(?:include|provide|put|pass|send|add|append|attach|supply|fill in|copy|insert|"
        r"forward)\b[^.!?\n]{0,40}?\b(?:full|entire|whole|complete|all|previous|current|"
        r"system|user's|users|raw|verbatim)?\b ?(?:conversation|chat history|chat log|"
        r"message history|conversation history|system prompt|system message|"
        r"previous messages|user messages|user's messages|all messages|"
        r"list of (?:all )?(?:other )?tools|available tools|tool names|environment variables|"
        r"api keys?|passwords?|chain of thought|your reasoning|your instructions)"),
        ("conversation", "chat history", "chat log", "message history", "system prompt", "system message",
         "previous messages", "user messages", "user's messages", "all messages", "list of tools", "list of all",
         "list of other", "available tools", "tool names", "environment variables", "api key", "password",
         "chain of thought", "your reasoning", "your instructions"),
        110,
        0.6,
        "asks for the conversation, the prompt or secrets in a parameter",
    ),
    (
        "another-tool",
        (r"\b(?:tool|function) [`'\"]?\w{1,40}[`'\"]? (?:must|should|has to|needs to) (?:always )?"
            r"be (?:called|used|run|invoked)"
        r"|\bwhen(?:ever)? (?:this tool is (?:available|present|loaded|installed|enabled)|"
            r"[`'\"]?\w{2,30}_\w{2,30}[`'\"]? is (?:called|used|invoked))"),
        ("must be", "should be", "has to be", "needs to be", "always be",
         "this tool is", "is called", "is used", "is invoked"),
        60,
        0.5,
        "tells the model how to use another tool",
    ),
    (
        "recipient",
        (r"\b(?:all|every|any|the) (?:e-?mails?|messages?|payments?|transfers?|requests?|"
        r"files?)\b[^.!?\n]{0,60}?\b(?:must|should|have to|need to|are to|"
        r"will) (?:be )?(?:sent|send|go|forwarded|copied|redirected|addressed|transferred|"
        r"uploaded)? ?(?:to|via|through)\b[^\n]{0,60}"),
        ("email", "e-mail", "message", "payment", "transfer", "request", "file"),
        8,
        0.45,
        "changes where other tools send to",
    ),
)  # fmt: skip
_SAID: Final = {f"own/{key}": (score, said) for key, _, _, _, score, said in _OWN}
_FAMILIES: Final = frozenset(
    ("override", "hide-from-user", "tool-steering", "address-model", "exfiltration", "memory", "role-marker",
     "extract-prompt", "authority", "obfuscated-instruction", "new-task")
)  # fmt: skip
_HIDDEN: Final = frozenset(("hidden", "tag characters", "variation selectors"))
_LEAST: Final = 0.4
_ALONE: Final = {"hide-from-user": 0.55, "tool-steering": 0.5}
"""Families that careful descriptions use too (`do not mention the list unless asked`): alone they are worth a look."""


@lru_cache(maxsize=1)
def _engine() -> PatternEngine:
    own = tuple(
        Pattern(f"own/{key}", regex, anchors, before=before, after=220)
        for key, regex, anchors, before, _, _ in _OWN
    )
    return PatternEngine({"own": own, "signatures": signatures.PATTERNS})


def examined(layer: Layer) -> Iterator[Finding]:
    """What is wrong with a description, in one reading of it."""
    hits = _engine().hits(layer)
    said: list[tuple[int, int, float, str]] = []
    for hit in hits.get("own", ()):
        if _denied(layer.lower, hit.start):
            continue
        score, what = _SAID[hit.rule]
        said.append((hit.start, hit.end, score, what))
    said.extend(
        (
            sighting.start,
            sighting.end,
            min(sighting.score, _ALONE.get(sighting.family.rule, 1.0)),
            sighting.family.message,
        )
        for sighting in signatures.sightings(layer, hits.get("signatures", ()))
        if sighting.family.rule in _FAMILIES and sighting.score >= 0.25
    )
    if any(step in _HIDDEN for step in layer.path) and len(layer.text.split()) >= 3:
        yield in_layer(
            layer,
            "hidden-text",
            0,
            len(layer.text),
            0.9 if said else 0.65,
            "The description holds text that people do not see and a model reads.",
        )
    if not said:
        return
    # Each thing said is evidence of its own: one alone may be clumsy wording, two are a design.
    remaining = 1.0
    for score in {what: score for _, _, score, what in sorted(said, key=lambda one: one[2])}.values():
        remaining *= 1.0 - score
    together = 1.0 - remaining
    if together < _LEAST:
        return
    strongest = max(said, key=lambda one: one[2])
    greedy = strongest[3].startswith("asks for the conversation")
    yield in_layer(
        layer,
        "greedy-parameter" if greedy else "instruction-to-model",
        min(start for start, _, _, _ in said) if together > strongest[2] else strongest[0],
        max(end for _, end, _, _ in said) if together > strongest[2] else strongest[1],
        min(0.98, together),
        f"The description of this tool {strongest[3]}.",
        {"says": sorted({what for _, _, _, what in said})},
    )


def _denied(text: str, start: int) -> bool:
    """Whether what begins at `start` is forbidden rather than asked for: "never send passwords"."""
    words = text[max(0, start - 24) : start].split()[-2:]
    return any(word in ("never", "not", "don't", "cannot", "can't", "without", "no") for word in words)
