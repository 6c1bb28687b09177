"""XML: PMML models, OpenVINO's IR, and every other document.

XML harms by what its readers do on their own: fetch an external entity or document type, include another document,
blow up an entity, run a script of a stylesheet. A document is parsed here by expat with every one of these refused:
nothing is fetched, nothing expanded. What a model's own XML says beyond that (files of weights, extensions) is judged
after.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed, OverBudget, Truncated, Unsupported
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.paths import leads_out
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

_TAXONOMY = ("owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003")

EXTERNAL = Rule(
    "xml/external-entity",
    Level.CRITICAL,
    "the document fetches another",
    "A reader that resolves it opens a file or address of the document's choice and takes its content in.",
    "Do not load it; a model has no use for entities. Ask for it without a document type.",
    ("cwe/CWE-611", "cwe/CWE-918", *_TAXONOMY),
)
ENTITY = Rule(
    "xml/entity",
    Level.MEDIUM,
    "the document declares entities",
    "Entities can be nested so that a few lines become gigabytes; data formats have no use for them.",
    "Ask for the document without a document type.",
    ("cwe/CWE-776", *_TAXONOMY),
)
DOCTYPE = Rule(
    "xml/document-type",
    Level.MEDIUM,
    "the document has a document type",
    "A reader may fetch it, and what it declares changes what the document says.",
    "Ask for the document without it: the format does not use one.",
    ("cwe/CWE-611", *_TAXONOMY),
)
INCLUDE = Rule(
    "xml/include",
    Level.HIGH,
    "the document includes another",
    "A reader that follows inclusions opens the file or address and takes its content in.",
    "Ask for a document that holds all of itself.",
    ("cwe/CWE-611", "cwe/CWE-98", *_TAXONOMY),
)
SCRIPT = Rule(
    "xml/script",
    Level.HIGH,
    "the document carries a script",
    "A reader that supports it runs the script: a stylesheet's functions, or a script in a page or picture.",
    "Ask for the document without it.",
    ("cwe/CWE-94", "cwe/CWE-79", *_TAXONOMY),
)
STYLESHEET = Rule(
    "xml/stylesheet",
    Level.LOW,
    "the document names a stylesheet",
    "A browser that shows the document fetches the stylesheet.",
    "Do not open it in a browser.",
    (*_TAXONOMY,),
)
PMML_CODE = Rule(
    "pmml/foreign-code",
    Level.HIGH,
    "the model calls code that PMML does not define",
    "An evaluator with extensions looks the name up, as a class or a script of its own, and runs it on every row.",
    "Ask for a model that uses PMML's own functions alone, or run the evaluator without extensions.",
    ("cwe/CWE-470", "cwe/CWE-94", *_TAXONOMY),
)
WEIGHTS = Rule(
    "openvino/outside-weights",
    Level.MEDIUM,
    "weights lie outside of the file they are said to be in",
    "A reader that believes the offset reads beyond the weights it has.",
    "Get the model and its weights again, together.",
    ("cwe/CWE-125", *_TAXONOMY),
)
OPERATOR = Rule(
    "openvino/extension",
    Level.MEDIUM,
    "an operator from outside of OpenVINO",
    "It comes from a library of extensions that must be loaded first, which can do anything.",
    "Find out which library it belongs to, and take that library in like any other program.",
    ("cwe/CWE-829", *_TAXONOMY),
)
RULES = (EXTERNAL, ENTITY, DOCTYPE, INCLUDE, SCRIPT, STYLESHEET)

_PIECE = 1 << 18
_DEPTH = 2_000
_XINCLUDE = "http://www.w3.org/2001/XInclude"
_XSLT = "http://www.w3.org/1999/XSL/Transform"
_SCRIPTS = frozenset({"script", "jscript", "vbscript", "javascript"})
_RUNNERS = (
    "msxsl",
    "urn:schemas-microsoft-com:xslt",
    "xalan",
    "http://xml.apache.org/",
    "http://saxon.sf.net/",
    "java:",
)
"""Beginnings of namespaces by which stylesheets call into the program that runs them."""
_PUBLIC = regex(r"-//(?:W3C|Apple|Apple Computer|NLM|OASIS)//", re.IGNORECASE)
"""Document types that are well known, named by an identifier and shipped with every reader that uses them."""
_CLASS = regex(r"(?:[A-Za-z_$][\w$]*\.)+[A-Za-z_$][\w$]*\Z")
"""A name with dots, as of a Java class or method; PMML's own functions, and those defined in a model, have none."""
_LANGUAGES = ("script", "javascript", "java", "python", "groovy", "jython", "ruby", "shell", "jexl", "mvel")
_HANDLER = regex(r"on[a-z]{3,30}\Z", re.IGNORECASE)
_OPENVINO_SETS = regex(
    r"(?:opset\d{1,2}|experimental|extension_builtin|util|ie_internal_opset|type_relaxed_opset|fusion)\Z"
)


def _start(glance: Glance) -> str:
    """The text it begins with, if that is markup."""
    head = glance.head
    if head[:1] not in (b"<", b"\xef", b"\xff", b"\xfe", b"\0", b" ", b"\n", b"\r", b"\t"):
        return ""
    if head[:4] in (b"<\0?\0", b"<\0!\0"):
        return head.decode("utf-16-le", "replace")
    if head[:4] in (b"\0<\0?", b"\0<\0!"):
        return head.decode("utf-16-be", "replace")
    text = glance.text
    if text is None:
        # A document may be in another eight-bit encoding, which its first line names.
        return head[:200].decode("latin-1") if head.startswith(b"<?xml") else ""
    return text.lstrip()


def _sniff(glance: Glance) -> bool:
    text = _start(glance)
    if not text.startswith("<"):
        return False
    if text.startswith(("<?xml", "<PMML", "<net ")):
        return True
    lower = text[:8192].lower()
    if "<html" in lower or lower.startswith("<!doctype html"):
        return False
    if text.startswith(("<!DOCTYPE", "<!--", "<?")):
        return "<!DOCTYPE" in text or glance.lower_name.endswith((".xml", ".pmml", ".xsl", ".xslt", ".svg"))
    if "xmlns" in text or "<!ENTITY" in text:
        return True
    return glance.lower_name.endswith((".xml", ".pmml", ".xsl", ".xslt", ".xsd", ".svg"))


class _Document:
    """What one document says, told by expat."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.root = ""
        self.depth = 0
        self.elements = 0
        self.entities = 0
        self.reported: set[str] = set()
        self.layers: dict[str, int] = {}
        self.constants: list[tuple[str, int, int]] = []
        self.models: dict[str, int] = {}
        self.doctype: tuple[str, str | None, str | None, bool] | None = None
        self.layer = ""

    def find_once(
        self, rule: Rule, message: str, key: str, level: Level | None = None, **detail: Any
    ) -> None:
        if key not in self.reported and len(self.reported) < 200:
            self.reported.add(key)
            self.context.find(rule, message, level=level, **detail)

    # ── What expat tells ─────────────────────────────────────────────────────────────────────────────────────────

    def start_doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        self.doctype = (name, system, public, bool(internal))
        if system and not (public and _PUBLIC.match(public)):
            self.find_once(
                EXTERNAL,
                f"reading it fetches its document type from `{system}`",
                f"doctype {system}",
                level=Level.CRITICAL if leads_out(system) else Level.MEDIUM,
                path=system,
            )

    def entity(
        self,
        name: str,
        is_parameter: int,
        value: str | None,
        _base: str | None,
        system: str | None,
        _public: str | None,
        _notation: str | None,
    ) -> None:
        self.context.tick()
        self.entities += 1
        if system is not None:
            what = "parameter entity" if is_parameter else "entity"
            self.find_once(
                EXTERNAL,
                f"reading it takes in `{system}` as {what} `{name}`",
                f"entity {system}",
                path=system,
                entity=name,
            )
        elif value is not None:
            inner = len(re.findall(r"[&%]#?\w+;", value))
            if inner >= 2 or "<!ENTITY" in value or "SYSTEM" in value:
                self.find_once(
                    ENTITY,
                    f"entity `{name}` is made of {inner} others, which can be nested to fill the memory",
                    f"nested {name[:20]}" if len(self.reported) < 5 else "nested",
                    level=Level.HIGH,
                    entity=name,
                )

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: C901 - a case for each kind of element
        self.context.tick()
        self.elements += 1
        self.depth += 1
        if self.depth > _DEPTH:
            raise OverBudget(f"its elements are nested more than {_DEPTH:,} deep")
        space, _, local = name.rpartition(" ")
        if self.depth == 1:
            self.root = local
        lower = local.lower()
        if space.startswith(_XINCLUDE) and lower == "include":
            path = attributes.get("href", "")
            self.find_once(INCLUDE, f"reading it takes in `{path}`", f"include {path}", path=path)
        elif space.startswith(_XSLT) and lower in ("include", "import"):
            path = attributes.get("href", "")
            self.find_once(
                INCLUDE, f"applying it takes in the stylesheet `{path}`", f"include {path}", path=path
            )
        elif lower in _SCRIPTS or any(space.startswith(runner) for runner in _RUNNERS):
            self.find_once(
                SCRIPT, f"it carries a script, in an element `{local}`", f"script {lower}", element=local
            )
        elif space.startswith(_XSLT) and self.depth == 1:
            for value in attributes.values():
                if any(value.startswith(runner) for runner in _RUNNERS):
                    self.find_once(SCRIPT, f"it is a stylesheet that calls into `{value}`", f"runner {value}")
        for key, value in attributes.items():
            bare = key.rpartition(" ")[2]
            if _HANDLER.match(bare) and self.root.lower() in ("svg", "html"):
                self.find_once(
                    SCRIPT, f"element `{local}` runs a script when it is shown (`{bare}`)", f"handler {bare}"
                )
            elif value[:11].lower() == "javascript:":
                self.find_once(SCRIPT, f"element `{local}` leads to a script (`{bare}`)", f"link {bare}")
        if self.root == "net":
            self.openvino(lower, attributes)
        elif self.root == "PMML":
            if self.depth == 2:
                self.models[local] = self.models.get(local, 0) + 1
            self.pmml_code(lower, attributes)
            if lower == "tablelocator" or (lower == "extension" and leads_out(attributes.get("value", ""))):
                where = attributes.get("value", "") or str(attributes)
                self.find_once(
                    INCLUDE,
                    f"it takes data from outside: `{where[:200]}`",
                    f"locator {where[:80]}",
                    level=Level.MEDIUM,
                )

    def pmml_code(self, name: str, attributes: dict[str, str]) -> None:
        """Functions and extensions that only a program behind the evaluator can give a meaning to."""
        if name == "apply" and _CLASS.match(function := attributes.get("function", "")):
            self.find_once(
                PMML_CODE,
                f"scoring calls `{function[:200]}`, a class and no function of PMML",
                f"apply {function[:80]}",
            )
        elif name == "extension":
            said = " ".join(attributes.get(key, "") for key in ("extender", "name")).lower()
            words = said.replace("-", " ").split()
            language = next((one for one in _LANGUAGES if one in words), "")
            if language:
                self.find_once(PMML_CODE, f"it has an extension in `{language}`", f"extension {language}")

    def openvino(self, name: str, attributes: dict[str, str]) -> None:
        if name == "layer":
            kind, version = attributes.get("type", ""), attributes.get("version", "")
            self.layer = attributes.get("name", "")
            if len(self.layers) < 5_000 or kind in self.layers:
                self.layers[kind] = self.layers.get(kind, 0) + 1
            if version and not _OPENVINO_SETS.match(version):
                self.find_once(
                    OPERATOR,
                    f"using the model needs a library that brings operator `{version}:{kind}`",
                    f"layer {version} {kind}",
                    operator=kind,
                )
        elif name == "data" and "offset" in attributes and "size" in attributes:
            try:
                offset, size = int(attributes["offset"][:24]), int(attributes["size"][:24])
            except ValueError:
                self.find_once(WEIGHTS, f"weights of layer `{self.layer}` lie at no number", "weights number")
                return
            if len(self.constants) < 500_000:
                self.constants.append((self.layer, offset, size))

    def end(self, _name: str) -> None:
        self.depth -= 1

    def instruction(self, target: str, data: str) -> None:
        if target == "xml-stylesheet":
            self.find_once(STYLESHEET, f"showing it fetches a stylesheet: `{data[:200]}`", "stylesheet")
        elif target in ("php", "python", "asp"):
            self.find_once(SCRIPT, f"it carries a script for `{target}`", f"instruction {target}")

    def external(self, _context: str, _base: str | None, system: str | None, _public: str | None) -> int:
        self.find_once(EXTERNAL, f"reading it takes in `{system}`", f"entity {system}", path=system)
        return 1


def examine(source: Source, context: Context) -> None:
    """Parse the document and judge what it would make a reader do."""
    from xml.parsers import expat

    document = _Document(context)
    # Spaces cannot be in names, so one between a namespace and a name splits them for certain.
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.UseForeignDTD(False)
    parser.StartDoctypeDeclHandler = document.start_doctype
    parser.EntityDeclHandler = document.entity
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.ProcessingInstructionHandler = document.instruction
    parser.ExternalEntityRefHandler = document.external
    # With a default handler, expat hands internal entities over instead of expanding them.
    parser.DefaultHandler = _nothing
    at = 0
    try:
        while piece := source.read(at, _PIECE):
            at += len(piece)
            context.budget.check_time()
            parser.Parse(piece, at >= source.size)
        if at < source.size:
            raise Truncated("the file ends too early", at)
    except expat.ExpatError as error:
        _finish(document, context)
        message = expat.ErrorString(error.code)
        offset = parser.ErrorByteIndex
        if error.code in (3, 5, 13):
            # No element, a token or a tag that does not end: the document was cut.
            raise Truncated(f"the document ends too early ({message})", offset) from error
        raise Malformed(f"it is not well-formed: {message}, in line {error.lineno}", offset) from error
    except LookupError as error:
        _finish(document, context)
        raise Malformed("it names an encoding that there is not") from error
    except ValueError as error:
        # Encodings of several bytes a character, which other parsers know.
        _finish(document, context)
        raise Unsupported(f"its encoding is not read here ({error})") from error
    _finish(document, context)


def _nothing(_text: str) -> None:
    """What no other handler takes."""


def _finish(document: _Document, context: Context) -> None:
    """Judge what only the whole document tells."""
    facts: dict[str, Any] = {"root": document.root[:80], "elements": document.elements}
    if document.doctype is not None:
        name, system, public, internal = document.doctype
        known = bool(public and _PUBLIC.match(public)) and not document.entities
        harmless = name.lower() in ("svg", "plist", "html") and not document.entities and not internal
        if not (known or harmless or document.reported):
            context.find(
                DOCTYPE,
                f"it has a document type `{name}`" + (" with declarations of its own" if internal else ""),
                level=None if document.root in ("PMML", "net") or document.entities else Level.LOW,
                system=system,
            )
        if document.entities:
            facts["entities"] = document.entities
            if not any(key.startswith(("nested", "entity")) for key in document.reported):
                context.find(ENTITY, f"it declares {document.entities:,} entities", count=document.entities)
    if document.root == "PMML":
        facts["models"] = document.models
    elif document.root == "net":
        facts["layers"] = dict(sorted(document.layers.items(), key=lambda pair: -pair[1])[:40])
        _weights(document, context)
    context.fact(**facts)


def _weights(document: _Document, context: Context) -> None:
    """Compare OpenVINO's constants with the file of weights beside the model, `NAME.bin`."""
    from alcaide.instruments.scan.neighbours import beside

    name = context.node.name.rsplit(".", 1)[0] + ".bin"
    found = beside(context, name) if document.constants else None
    for layer, offset, size in document.constants:
        context.tick()
        if offset < 0 or size < 0 or (found is not None and found[0] == "there" and offset + size > found[1]):
            context.find(
                WEIGHTS,
                f"weights of layer `{layer}` are said to lie at {offset:,}, {size:,} bytes long"
                + (f", and `{name}` has {found[1]:,}" if found is not None else ""),
                layer=layer,
            )
            return


FORMATS = (Format("xml", "XML", _sniff, examine, (*RULES, PMML_CODE, WEIGHTS, OPERATOR)),)
