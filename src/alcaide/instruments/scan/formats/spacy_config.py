"""spaCy's `config.cfg`: which functions are looked up by name and called when a pipeline is loaded.

A name that spaCy and its own packages register is known. Any other is registered by code that has to be imported first:
a package's entry point, or a file beside the pipeline.

Source: spaCy 3.8, its registries and built-in factories.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import OverBudget
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_MOST = 4 << 20

UNKNOWN_FUNCTION = Rule(
    "spacy/unknown-function",
    Level.HIGH,
    "pipeline that calls a function of its own",
    "The function is called when the pipeline is loaded, and is not spaCy's.",
    "Find the package or the file that registers it, and read it.",
    ("cwe/CWE-829", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003"),
)
CALLBACK = Rule(
    "spacy/callback",
    Level.HIGH,
    "pipeline that calls something back",
    "A callback has no other purpose than to run code of its own when the pipeline is made or changed.",
    "Read the function that is named, or remove the callback.",
    ("cwe/CWE-829", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003"),
)
RULES = (UNKNOWN_FUNCTION, CALLBACK)

_FUNCTION = regex(r"^\s*@(?P<registry>\w+)\s*=\s*\"(?P<name>[^\"\n]{1,200})\"", re.MULTILINE)
_FACTORY = regex(r"^\s*factory\s*=\s*\"(?P<name>[^\"\n]{1,200})\"", re.MULTILINE)
_OWN = regex(
    r"(?:spacy(?:[-_](?:legacy|transformers|curated-transformers|llm|experimental|lookups|stanza))?|thinc|prodigy|"
    r"catalogue|srsly)[.\-]|[A-Za-z_]+\.v\d+\Z"
)
_THINC = frozenset(
    ["layers", "optimizers", "schedules", "losses", "initializers", "datasets", "ops", "backends"]
)
_FACTORIES = frozenset(
    [
        "attribute_ruler", "beam_ner", "beam_parser", "curated_transformer", "doc_cleaner", "entity_linker",
        "entity_ruler", "experimental_arc_labeler", "experimental_arc_predicter",
        "experimental_biaffine_parser", "experimental_char_ner", "experimental_char_tokenizer_tagger",
        "experimental_coref", "experimental_edit_tree_lemmatizer", "future_entity_ruler",
        "experimental_span_resolver", "lemmatizer", "llm", "llm_ner", "llm_rel", "llm_spancat",
        "llm_textcat", "merge_entities", "merge_noun_chunks", "merge_subtokens", "morphologizer", "ner",
        "nn_labeller", "parser", "sentencizer", "senter", "sentiment", "span_cleaner", "span_finder",
        "span_ruler", "spancat", "spancat_singlelabel", "tagger", "textcat", "textcat_multilabel",
        "tok2vec", "token_splitter", "trainable_lemmatizer", "transformer"
    ]
)  # fmt: skip


def _sniff(glance: Glance) -> bool:
    head = glance.head
    if glance.lower_name.endswith(".cfg") or head[:1] in b"[#":
        return b"[nlp]" in head and (b"pipeline" in head or b"lang" in head) and glance.text is not None
    return False


def _examine(source: Source, context: Context) -> None:
    if source.size > _MOST:
        raise OverBudget(f"it has {source.size:,} bytes; no pipeline's configuration has more than {_MOST:,}")
    text = source.read(0, source.size).decode("utf-8", "replace")
    for match in _FUNCTION.finditer(text):
        context.tick()
        name, registry = match["name"], match["registry"]
        if name.startswith(("spacy.", "spacy-", "thinc.")):
            continue
        if registry == "callbacks":
            context.find(
                CALLBACK, f"loading the pipeline calls back `{name}`", offset=match.start(), callable=name
            )
        elif registry not in _THINC and not _OWN.match(name):
            context.find(
                UNKNOWN_FUNCTION,
                f"loading the pipeline calls the function `{name}` of the registry `{registry}`, which is not spaCy's",
                offset=match.start(),
                callable=name,
            )
    for match in _FACTORY.finditer(text):
        context.tick()
        if match["name"].rpartition(".")[2] not in _FACTORIES:
            context.find(
                UNKNOWN_FUNCTION,
                f"loading the pipeline makes the component `{match['name']}`, which is not spaCy's",
                offset=match.start(),
                callable=match["name"],
            )
    context.fact(library="spacy")


FORMATS = (Format("spacy-config", "spaCy pipeline configuration", _sniff, _examine, RULES),)
