"""The kinds of problem a chat template can have."""

from __future__ import annotations

from alcaide.instruments.scan.model import Level, Rule

_RUNS = ("cwe/CWE-1336", "cwe/CWE-94", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0011.000")
_STEERS = ("owasp-llm:2025/LLM01", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0051.001")
_RENDERED = "A chat template is a program that is run for every message, often outside of a sandbox."

ESCAPE = Rule(
    "template/escape",
    Level.CRITICAL,
    "template that breaks out",
    f"{_RENDERED} From any value it can reach Python's own machinery, and from there run anything.",
    "Do not render it. Take the template from the model's original publisher, and look who changed this one.",
    _RUNS,
)
COMPUTED = Rule(
    "template/computed-name",
    Level.MEDIUM,
    "template that reaches for names it makes up",
    "Names are put together from pieces so that nobody who reads the template sees what it reaches for.",
    "Render it with pieces and names written out, or take the publisher's template.",
    _RUNS,
)
LOADS_OTHER = Rule(
    "template/loads-other",
    Level.HIGH,
    "template that reads other files",
    "What it includes is code as well, is not looked at with it, and can be any file the loader reaches.",
    "Put what it needs into the template itself.",
    ("cwe/CWE-98", *_RUNS),
)
UNKNOWN_CALL = Rule(
    "template/unknown-call",
    Level.MEDIUM,
    "template that calls something unknown",
    "What a function does that only one program offers cannot be decided from the template.",
    "Find out which program offers the function and what it does; then allow the template, or do without it.",
    _RUNS,
)
UNKNOWN_FILTER = Rule(
    "template/unknown-filter",
    Level.MEDIUM,
    "template that uses an unknown filter or test",
    "What a filter does that only one program offers cannot be decided from the template.",
    "Find out which program offers the filter and what it does; then allow the template, or do without it.",
    _RUNS,
)
UNKNOWN_TAG = Rule(
    "template/unknown-tag",
    Level.LOW,
    "template with a tag of its own",
    "Only a program that knows the tag can render the template; others refuse it.",
    "None is needed where the program that renders it knows the tag.",
)
FRAMEWORK = Rule(
    "template/program-internals",
    Level.HIGH,
    "template that reads the program's own settings",
    "Web programs put their settings, and with them their secrets, within reach of every template.",
    "Do not render it; take the publisher's template.",
    ("cwe/CWE-200", *_RUNS),
)
BOMB = Rule(
    "template/bomb",
    Level.MEDIUM,
    "template that tires whoever renders it",
    "One message is enough to keep a server busy for ever or to fill its memory.",
    "Do not render it; take the publisher's template.",
    ("cwe/CWE-400", "owasp-llm:2025/LLM10"),
)
TRIGGER = Rule(
    "template/hidden-trigger",
    Level.HIGH,
    "template that speaks up on a cue",
    "A template that adds or changes words when a certain phrase appears steers the model behind the user's back; "
    "no test of the weights can find it.",
    "Do not use it; take the template from the model's original publisher.",
    ("cwe/CWE-506", *_STEERS),
)
INSTRUCTION = Rule(
    "template/hidden-instruction",
    Level.HIGH,
    "template that instructs the model against its user",
    "What a template says reaches the model with every message, and no user sees it.",
    "Do not use it; take the template from the model's original publisher.",
    _STEERS,
)
ADDRESS = Rule(
    "template/address",
    Level.MEDIUM,
    "template with an address on the network",
    "An address that the model is given with every message is where answers, and what they hold, can be led.",
    "Find out whose address it is and why the template needs it; no known model family has one.",
    _STEERS,
)
ENCODED = Rule(
    "template/encoded-text",
    Level.MEDIUM,
    "template with encoded text",
    "Text is encoded so that nobody who reads the template sees what it says; models read many encodings.",
    "Decode it and decide by what it says, or take the publisher's template.",
    ("cwe/CWE-506", *_STEERS),
)
INVISIBLE = Rule(
    "template/invisible-text",
    Level.MEDIUM,
    "template with invisible characters",
    "A model reads characters that no person sees.",
    "Remove them, or take the publisher's template.",
    ("cwe/CWE-1007", *_STEERS),
)
BROKEN = Rule(
    "template/unreadable",
    Level.MEDIUM,
    "template that cannot be read",
    "Programs differ in what they make of a broken template, so what it does cannot be decided.",
    "Take the template from the model's original publisher.",
    ("cwe/CWE-20",),
)
RULES = (
    ESCAPE, COMPUTED, LOADS_OTHER, UNKNOWN_CALL, UNKNOWN_FILTER, UNKNOWN_TAG, FRAMEWORK, BOMB, TRIGGER, INSTRUCTION,
    ADDRESS, ENCODED, INVISIBLE, BROKEN,
)  # fmt: skip
