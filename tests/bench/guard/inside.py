"""The peers' side, run with a peer's Python: `inside PEER speed JOB KIND SIZE SECONDS` or `inside PEER find JOB FILE`.

Each peer is set up as its documentation says for texts in memory, and set up once, before the clock starts. Imports
nothing of Alcaide.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import logging
import os
import sys
import tempfile
import types
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.guard.timing import timed

Found = list[list[Any]]
"""What was found in a text: `[start, end, type, score]` each, or only a `[type]` where the peer gives no place."""


def detect_secrets(job: str, lasting: ExitStack) -> tuple[str, Callable[[str], Found]]:
    """All its plug-ins and filters with their defaults, on a file, as LLM Guard runs it too.

    Its `scan_line` takes text in memory, but in that mode its entropy plug-ins report every token and leave the
    judgement to the reader. The files lie in memory where the machine has such a place.
    """
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    settings = lasting.enter_context(default_settings())
    assert settings.plugins, "its plug-ins are there"
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

    def look(text: str) -> Found:
        with tempfile.NamedTemporaryFile("w", dir=place, encoding="utf-8") as file:
            file.write(text)
            file.flush()
            return [[secret.type] for secret in scan_file(file.name)]

    return f"detect-secrets {importlib.metadata.version('detect-secrets')}", look


def llm_guard(job: str, lasting: ExitStack) -> tuple[str, Callable[[str], Found]]:
    """One of its scanners that look without a model.

    Its packages import every scanner at once, and with them torch and transformers; the two modules are imported past
    that.
    """
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    root = importlib.util.find_spec("llm_guard")
    assert root is not None
    assert root.submodule_search_locations is not None
    for name, path in (
        ("llm_guard", Path(root.submodule_search_locations[0])),
        ("llm_guard.input_scanners", Path(root.submodule_search_locations[0]) / "input_scanners"),
    ):
        package: Any = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
    module = {"secrets": "secrets", "hidden characters": "invisible_text"}[job]
    scanners = importlib.import_module(f"llm_guard.input_scanners.{module}")
    scanner = scanners.Secrets() if job == "secrets" else scanners.InvisibleText()
    version = importlib.metadata.version("llm-guard")

    def look(text: str) -> Found:
        return [] if scanner.scan(text)[1] else [[job]]

    return f"LLM Guard {version} {type(scanner).__name__}", look


def presidio(job: str, lasting: ExitStack) -> tuple[str, Callable[[str], Found]]:
    """Its recognisers for English that work by pattern, with their context words.

    Its names and places come from a spaCy model that would have to be downloaded. Words for the context are cut by
    spaCy's tokeniser alone, lower-cased in place of their lemmas.
    """
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    logging.disable(logging.CRITICAL)
    # It would fetch the list of public suffixes; a copy comes with the package.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

    class Words(NlpEngine):  # type: ignore[misc]
        """A tokeniser in the place of a model."""

        def __init__(self) -> None:
            self.words = spacy.blank("en")
            self.words.max_length = 10**8

        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> Any:
            document = self.words.make_doc(text)
            lemmas = [token.lower_ for token in document]
            return NlpArtifacts([], document, [token.idx for token in document], lemmas, self, language)

        def process_batch(self, texts: Any, language: str, **_: Any) -> Any:
            for text in texts:
                yield text, self.process_text(text, language)

        def is_stopword(self, word: str, language: str) -> bool:
            return bool(self.words.vocab[word].is_stop)

        def is_punct(self, word: str, language: str) -> bool:
            return bool(self.words.vocab[word].is_punct)

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("SpacyRecognizer")
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Words(), supported_languages=["en"])

    def look(text: str) -> Found:
        return [[one.start, one.end, one.entity_type, one.score] for one in analyzer.analyze(text, "en")]

    return f"Presidio {importlib.metadata.version('presidio-analyzer')} patterns", look


PEERS = {"detect-secrets": detect_secrets, "llm-guard": llm_guard, "presidio": presidio}


def main(peer: str, what: str, job: str, *arguments: str) -> None:
    """Print one line of JSON."""
    with ExitStack() as lasting:
        name, look = PEERS[peer](job, lasting)
        if what == "speed":
            kind, size, seconds = arguments
            timing = timed(look, kind, size, float(seconds))
            line: dict[str, Any] = {
                "what": f"{job}, {name}: {kind} {size}",
                "value": timing.p50 * 1e3,
                "unit": "ms p50",
                "note": str(timing),
            }
        else:
            texts = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
            line = {"what": name, "found": [look(text) for text in texts]}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
