"""`tokenizer.json` of the `tokenizers` library: a vocabulary, and the steps by which text becomes tokens.

Nothing in it runs. What it can do is to change what a model reads: tokens added that stand for whole instructions or
for characters nobody sees, two tokens of one number, rewriting of text by a pattern, and patterns that take exponential
time. The vocabulary itself, megabytes of it, is stepped over by a JSON reader that builds nothing of it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.hf_config import token, walk
from alcaide.instruments.scan.hidden import text_rules
from alcaide.instruments.scan.limits import Malformed, OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

MOST = 80 << 20
"""Bytes. The largest published one has some 35,000,000."""

SAME_NUMBER = Rule(
    "tokenizer/same-number",
    Level.MEDIUM,
    "two added tokens of one number",
    "The model cannot tell them apart: what one is allowed to say, the other says as well.",
    "Take the tokenizer from the model's original publisher.",
    ("cwe/CWE-436", "owasp-llm:2025/LLM03"),
)
UNKNOWN_STEP = Rule(
    "tokenizer/unknown-step",
    Level.MEDIUM,
    "step that the library does not have",
    "What becomes of a text cannot be told.",
    "Update Alcaide if the step is new; else take the tokenizer from the model's original publisher.",
    ("owasp-llm:2025/LLM03",),
)
REWRITES = Rule(
    "tokenizer/rewrites-words",
    Level.HIGH,
    "tokenizer that changes words",
    "The model reads other words than were written, and no one sees it.",
    "Take the tokenizer from the model's original publisher.",
    ("cwe/CWE-506", "owasp-llm:2025/LLM03"),
)
SLOW_PATTERN = Rule(
    "tokenizer/slow-pattern",
    Level.MEDIUM,
    "pattern that takes exponential time",
    "One message is enough to keep whoever tokenizes it busy for ever.",
    "Take the tokenizer from the model's original publisher.",
    ("cwe/CWE-1333", "owasp-llm:2025/LLM10"),
)

_STEPS = frozenset(
    [
        "BPE", "WordPiece", "WordLevel", "Unigram", "BertNormalizer", "ByteLevel", "Lowercase", "NFC", "NFD", "NFKC",
        "NFKD", "Nmt", "Precompiled", "Prepend", "Replace", "Sequence", "Strip", "StripAccents", "BertPreTokenizer",
        "CharDelimiterSplit", "Digits", "FixedLength", "Metaspace", "Punctuation", "Split", "UnicodeScripts",
        "Whitespace", "WhitespaceSplit", "BertProcessing", "RobertaProcessing", "TemplateProcessing", "BPEDecoder",
        "ByteFallback", "CTC", "Fuse",
    ]
)  # fmt: skip
_NESTED_REPEAT = regex(r"\((?:\?:)?(?:\\?[\w.]|\[[^\]]+\])[+*]\)[+*]")


def _sniff(glance: Glance) -> bool:
    head = glance.head
    if head[:1] != b"{" and head.lstrip()[:1] != b"{":
        return False
    if glance.lower_name.endswith("tokenizer.json"):
        return True
    return b'"version"' in head[:200] and b'"truncation"' in head[:2000] and b'"padding"' in head


@lru_cache(maxsize=1)
def _shapes() -> tuple[type, type]:
    """What is read of a tokenizer, and of its model: all else is stepped over."""
    import msgspec

    own = msgspec.defstruct("Model", [("type", Any, None)])
    steps = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    return msgspec.defstruct(
        "Tokenizer", [*((step, Any, None) for step in steps), ("model", msgspec.Raw, msgspec.Raw(b"{}"))]
    ), own


def _examine(source: Source, context: Context) -> None:
    if source.size > MOST:
        raise OverBudget(f"it has {source.size:,} bytes; no tokenizer has more than {MOST:,}")
    import msgspec

    whole, own = _shapes()
    try:
        tokenizer: Any = msgspec.json.decode(source.read(0, source.size), type=whole)
        model: Any = msgspec.json.decode(tokenizer.model, type=own)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"it is not the JSON of a tokenizer: {error}") from error
    added = tokenizer.added_tokens if isinstance(tokenizer.added_tokens, list) else []
    context.fact(model=model.type, added_tokens=len(added))
    if isinstance(model.type, str) and model.type not in _STEPS:
        context.find(
            UNKNOWN_STEP,
            f"the model is of kind `{model.type}`, which the library does not have",
            place="model",
        )
    _added(added, context)
    for place in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        _steps(getattr(tokenizer, place), place, context)


def _added(added: list[Any], context: Context) -> None:
    numbers: dict[int, str] = {}
    for item in added:
        context.tick()
        if not isinstance(item, dict) or not isinstance(item.get("content"), str):
            continue
        text, number = item["content"], item.get("id")
        if isinstance(number, int):
            other = numbers.setdefault(number, text)
            if other != text:
                context.find(
                    SAME_NUMBER,
                    f"`{other}` and `{text}` are both token {number:,}",
                    place="added_tokens",
                    id=number,
                )
        if len(text) >= 12:
            token(text, context, f"added_tokens/{number}")


def _steps(value: Any, place: str, context: Context) -> None:
    if not isinstance(value, dict):
        return
    for way, key, one in [("", "", value), *walk(value, context)]:
        if key == "type" and isinstance(one, str) and way.count("/") % 2 == 0 and one not in _STEPS:
            context.find(UNKNOWN_STEP, f"`{one}` is no step of the library", place=f"{place}/{way}")
        if key == "Regex" and isinstance(one, str) and _NESTED_REPEAT.search(one):
            context.find(
                SLOW_PATTERN, f"the pattern `{one[:120]}` repeats what is repeated", place=f"{place}/{way}"
            )
        if isinstance(one, dict) and one.get("type") == "Replace":
            _replaced(one, f"{place}/{way}".rstrip("/"), context)


def _replaced(step: dict[str, Any], place: str, context: Context) -> None:
    """Replacing signs and spaces is ordinary; words for words is not."""
    pattern = step.get("pattern")
    old = (
        next((text for text in pattern.values() if isinstance(text, str)), "")
        if isinstance(pattern, dict)
        else ""
    )
    new = step.get("content")
    if isinstance(new, str) and re.search(r"[^\W\d_]{3,}", new) and re.search(r"[^\W\d_]{3,}", old):
        context.find(REWRITES, f"the model reads `{new[:100]}` for `{old[:100]}`", place=place)


FORMATS = (
    Format(
        "tokenizer-json",
        "tokenizer of the `tokenizers` library",
        _sniff,
        _examine,
        (SAME_NUMBER, UNKNOWN_STEP, REWRITES, SLOW_PATTERN, *text_rules()),
    ),
)
