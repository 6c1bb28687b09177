"""What torch writes: checkpoints, TorchScript, exported programs, packages (all zips), and the two forms before.

Pickles are followed by the pickle machine. Tensors are not read: they are what the pickle says is a storage, if their
size agrees; a member that no pickle speaks of is looked at like any file. TorchScript's code and an exported program's
graph are read for operators that reach out and for expressions that the loader evaluates.

The form of torch 0.1 is a tar of pickles, and that between it and the zip a row of pickles with tensors after it; the
tar's members are found by the tar reader and this one says what they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.pickle.company import Companion
from alcaide.instruments.scan.formats.pickle.sniff import is_torch_legacy
from alcaide.instruments.scan.formats.zip_content import FLAGGED, TWICE, hints
from alcaide.instruments.scan.limits import Encrypted, ScanStop
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.formats.zip_content import Archive
    from alcaide.instruments.scan.source import Source
    from alcaide.instruments.scan.zip_directory import Entry

_TAXONOMY = ("cwe/CWE-502", "owasp-llm:2025/LLM03", "mitre-atlas/AML.T0010.003", "mitre-atlas/AML.T0011.000")

STORAGE = Rule(
    "torch/storage-size",
    Level.MEDIUM,
    "has a tensor of another size than its pickle says",
    "Loaders that trust the pickle read beyond the tensor; what lies there is not what was checked.",
    "Have the checkpoint saved anew.",
    ("cwe/CWE-125", "cwe/CWE-130"),
)
UNUSED = Rule(
    "torch/unused-member",
    Level.LOW,
    "holds a member that its pickles do not speak of",
    "Bytes that nobody loads are a place to hide something, or a leftover.",
    "Have the checkpoint saved anew.",
)
OPERATOR = Rule(
    "torch/operator-reaches-out",
    Level.HIGH,
    "has code that reads or writes files by an operator of torch",
    "TorchScript needs no Python to reach a file: some of torch's own operators do.",
    "Do not run it; ask for the model without that operator.",
    (*_TAXONOMY, "cwe/CWE-73"),
)
CUSTOM_OPERATOR = Rule(
    "torch/custom-operator",
    Level.MEDIUM,
    "uses an operator that torch does not have",
    "The operator's native code comes from a library that has to be loaded with the model.",
    "Find out which library brings it, and decide about that.",
    _TAXONOMY,
)
EXPRESSION = Rule(
    "torch/evaluated-expression",
    Level.CRITICAL,
    "holds an expression that loading it evaluates",
    "Sizes in an exported program are text that is handed to a Python evaluator.",
    "Do not load it. Export the program anew from a model you trust.",
    (*_TAXONOMY, "cwe/CWE-95"),
)
PACKAGED = Rule(
    "torch/packaged-code",
    Level.MEDIUM,
    "carries Python that loading it runs",
    "A package brings its own modules, and a handler its own program; importing either runs it.",
    "Review the Python members as you would any program.",
    (*_TAXONOMY, "cwe/CWE-94"),
)
NATIVE = Rule(
    "torch/native-code",
    Level.HIGH,
    "carries compiled code",
    "A compiled model is a library that the loader maps into its process.",
    "Compile it anew from an exported program you trust.",
    (*_TAXONOMY, "cwe/CWE-114"),
)

_HINTS: Final = (
    b"data.pkl", b"constants.pkl", b"bytecode.pkl", b".data/serialization_id", b"/archive_format",
    b"serialized_exported_program", b".data/extern_modules", b"mar-inf/manifest", b"/data/weights/",
)  # fmt: skip
_PICKLE: Final = regex(r"(?:\.pkl|\.debug_pkl|\.pickle)$", re.IGNORECASE)
_STORAGE: Final = regex(r"(?:^|/)(?:data|constants|tensors|xl_model_weights)/(?:constants/|weights/)?\w+$")
_PLAIN: Final = regex(
    r"(?:^|/)(?:version|byteorder|archive_format|archive_version|\.format_version|\.storage_alignment"
    r"|\.data/serialization_id|\.data/version|\.data/python_version|\.data/extern_modules|\.data/ts_code)$"
)
_CODE: Final = regex(r"(?:^|/)code/.*\.py$")
_SMALL: Final = 1 << 16

# Bytes an element takes, by the kind of storage the pickle names.
_ELEMENT: Final = {
    "Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1,
    "Bool": 1, "ComplexDouble": 16, "ComplexFloat": 8, "QUInt8": 1, "QInt8": 1, "QInt32": 4, "Untyped": 1,
    "_Untyped": 1,
}  # fmt: skip


def sniff(glance: Glance) -> bool:
    """A zip with a member that only torch names so."""
    return hints(glance, *_HINTS)


def examine(source: Source, context: Context) -> None:
    """Look at all members: pickles first, because they say what the tensors are."""
    from alcaide.instruments.scan.formats.zip_content import Archive

    archive = Archive.read(source, context)
    reader = _Reader(archive, context)
    reader.pickles()
    reader.others()
    context.fact(
        kind=reader.kind, tensors=reader.tensors, elements=reader.elements, members=len(archive.entries)
    )
    if reader.stop is not None:
        raise reader.stop


class _Reader:
    """One archive's look."""

    def __init__(self, archive: Archive, context: Context) -> None:
        self._archive = archive
        self._context = context
        self._storages: dict[str, tuple[str, Any]] = {}
        self.stop: ScanStop | None = None
        self.tensors = 0
        self.elements = 0
        names = [entry.name.replace("\\", "/").lower() for entry in archive.entries]
        self.kind = _kind(names)

    # ── Pickles ──────────────────────────────────────────────────────────────────────────────────────────────────

    def pickles(self) -> None:
        """Every member that is called a pickle, as one."""
        for entry in self._archive.files():
            if _PICKLE.search(entry.name):
                self._pickle(entry)

    def _pickle(self, entry: Entry) -> None:
        content = self._content(entry)
        if content is None:
            return
        name = entry.name
        if content.size == 0:
            self._context.child(name, content)
            return
        extra = ("__torch__.",) if self.kind == "torchscript" else ()
        if self.kind == "package":
            extra = ("<torch_package_0>.",)
        companion = Companion(content, extra)
        self._context.child(name, companion, as_format="pickle")
        folder = name.replace("\\", "/").rpartition(".")[0]
        for key, said in companion.storages.items():
            self._storages[f"{folder}/{key}"] = said

    # ── The rest ─────────────────────────────────────────────────────────────────────────────────────────────────

    def others(self) -> None:
        """Tensors by their size, code by its operators, everything else like any file."""
        for entry in self._archive.files():
            name = entry.name.replace("\\", "/")
            if _PICKLE.search(name):
                continue
            if _PLAIN.search(name) and entry.size <= _SMALL:
                continue
            if self.kind == "torchscript" and _CODE.search(name):
                self._code(entry)
            elif _STORAGE.search(name) and not entry.is_encrypted:
                self._storage(entry, name)
            elif name.endswith(".json") and self.kind == "exported program":
                self._graph(entry)
            else:
                self._other(entry, name)

    def _storage(self, entry: Entry, name: str) -> None:
        """A tensor's bytes: not read, if a pickle says how many there are and there are that many."""
        known = self._storages.get(name)
        raw = self._archive.raw(entry)
        if known is not None and raw is not None:
            kind, count = known
            self.tensors += 1
            if isinstance(count, int):
                self.elements += count
                width = _ELEMENT.get(kind.rpartition(".")[2].removesuffix("Storage"))
                if width is not None and entry.size != width * count:
                    self._context.find(
                        STORAGE,
                        f"`{name}` has {entry.size:,} bytes; its pickle says {count:,} elements of {width}",
                        member=name,
                    )
            if not _suspicious(raw, self._context):
                return
        content = self._content(entry)
        if content is None:
            return
        if known is None and not _recognised(content, name):
            if self.kind == "checkpoint":
                self._context.find(UNUSED, f"no pickle speaks of `{name}`", member=name)
            return
        self._context.child(entry.name, content)

    def _code(self, entry: Entry) -> None:
        """TorchScript's source: statements of torch's own language, read for the operators they call."""
        content = self._content(entry)
        if content is None:
            return
        text = content.read(0, _MOST_CODE).decode("utf-8", "replace")
        for function, operator, at in _operators(text):
            self._context.tick()
            effect = _reaching(operator)
            if effect is None:
                continue
            rule = CUSTOM_OPERATOR if effect == "custom" else OPERATOR
            when = "loading" if function in _RUN_ON_LOAD else "running"
            self._context.find(
                rule,
                f"{when} it calls operator `{operator}` in `{function}`"
                + ("" if effect == "custom" else f", which {effect}"),
                level=Level.CRITICAL if when == "loading" and rule is OPERATOR else None,
                place=entry.name,
                offset=at,
                operator=operator,
            )

    def _graph(self, entry: Entry) -> None:
        """The graph of an exported program: expressions that are evaluated, operators that are called."""
        from alcaide.instruments.scan.formats.torch_graph import problems

        content = self._content(entry)
        if content is None:
            return
        for kind, what in problems(content, self._context):
            if kind == "expression":
                self._context.find(
                    EXPRESSION, f"loading it evaluates `{what[:200]}` as Python", place=entry.name
                )
            elif kind == "custom":
                self._context.find(
                    CUSTOM_OPERATOR, f"running it calls operator `{what[:200]}`", place=entry.name
                )
            elif kind == "reaches":
                self._context.find(
                    OPERATOR,
                    f"running it calls `{what[:200]}`, which reads or writes files",
                    place=entry.name,
                )
        self._context.child(entry.name, content)

    def _other(self, entry: Entry, name: str) -> None:
        """A member with no meaning of its own here."""
        content = self._content(entry)
        if content is None:
            return
        if name.endswith((".so", ".dll", ".dylib", ".cubin", ".o")):
            self._context.find(
                NATIVE, f"`{name}` is compiled code that is loaded with the model", member=name
            )
        before = len(self._context.look.findings)
        self._context.child(entry.name, content)
        if name.endswith(".py") and self.kind in ("package", "served"):
            worst = max((finding.level.rank for finding in self._context.look.findings[before:]), default=0)
            self._context.find(
                PACKAGED,
                f"loading it imports `{name}`" + (", which acts when it is imported" if worst >= 3 else ""),
                level=Level.CRITICAL if worst >= Level.HIGH.rank else None,
                member=name,
            )

    def _content(self, entry: Entry) -> Source | None:
        """A member's bytes; why they cannot be had is kept until all others have been looked at."""
        try:
            if entry.is_encrypted:
                raw = self._archive.raw(entry)
                if raw is None or not _recognised(raw, entry.name):
                    raise Encrypted(f"`{entry.name}` is encrypted")
                self._context.find(
                    FLAGGED, f"`{entry.name}` claims to be encrypted, and is not", member=entry.name
                )
                return raw
            return self._archive.content(entry)
        except ScanStop as stop:
            self._context.budget.check_time()
            if self.stop is None:
                self.stop = stop
            return None


def _kind(names: list[str]) -> str:
    """What sort of archive it is, by its members."""
    if any(name.endswith(".data/extern_modules") for name in names):
        return "package"
    if any(name.startswith("mar-inf/") for name in names):
        return "served"
    if any("/code/" in name or name.startswith("code/") for name in names) or any(
        name.endswith("constants.pkl") for name in names
    ):
        return "torchscript"
    if any(name.endswith(("archive_format", "serialized_exported_program.json")) for name in names):
        return "exported program"
    return "checkpoint"


def _recognised(content: Source, name: str) -> bool:
    """Whether bytes are anything known, by content alone."""
    from alcaide.instruments.scan.examine import formats
    from alcaide.instruments.scan.format import Glance

    glance = Glance(content, name.rsplit("/", 1)[-1])
    # An archive that was cut may hold nothing of what it says; no format is asked about nothing.
    return bool(glance.head) and any(form.sniff(glance) for form in formats() if not form.fallback)


def _suspicious(raw: Source, context: Context) -> bool:
    """Whether a tensor begins like something that would act if it were taken for what it looks like."""
    head = raw.read(0, 64)
    if head[:4] == b"PK\x03\x04":
        return True
    if head[:1] == b"\x80" and len(head) > 2:
        from alcaide.instruments.scan.formats.pickle import begins_pickle, harmful

        return begins_pickle(head, raw.size) and harmful(raw, context, 0)
    return False


# ── TorchScript's code ───────────────────────────────────────────────────────────────────────────────────────────

_MOST_CODE: Final = 16 << 20
_RUN_ON_LOAD: Final = frozenset({"__setstate__", "__init__", "__new__"})
_CALL: Final = regex(r"\bdef\s+(\w+)\s*\(|\b((?:torch|ops)(?:\.\w+)+)\s*\(")
_OWN: Final = frozenset({
    "aten", "prim", "prims", "quantized", "quantized_decomposed", "prepacked", "torchvision", "xnnpack",
    "mkldnn", "onednn",
    "mkldnn_prepacked", "torchaudio", "torchtext", "_quantized", "sparse", "static_runtime", "cuda",
    "internal", "tensorexpr",
    "metal", "metal_prepack", "vulkan_prepack", "c10d_functional", "_c10d_functional", "higher_order",
    "inductor", "mkl",
    "profiler", "rngprims", "debugprims", "nvprims", "fsdp", "dtensor", "symm_mem", "image", "detectron2",
    "torch_sparse", "torch_scatter", "torch_cluster", "torch_spline_conv", "fbgemm", "executorch",
    "bitsandbytes", "triton",
    "flash_attn", "xformers", "quantization", "torchao", "coreml", "_test", "torch_ipex", "streams", "rnnt", "nested",
})  # fmt: skip
_FILES: Final = {
    "from_file": "maps a file into memory, and makes it if it is not there",
    "save": "writes a file",
    "load": "reads a file",
    "read_file": "reads a file",
    "write_file": "writes a file",
    "write_png": "writes a file",
    "write_jpeg": "writes a file",
    "load_library": "loads native code",
    "sox_io_load_audio_file": "reads a file",
    "sox_io_save_audio_file": "writes a file",
    "sox_effects_apply_effects_file": "reads a file",
    "ffmpeg_load_audio_file": "reads a file",
    "read_video_from_file": "reads a file",
    "probe_video_from_file": "reads a file",
    "_from_file": "maps a file into memory",
}


def _operators(text: str) -> list[tuple[str, str, int]]:
    """Every operator that is called, with the function it is called in, each once a function."""
    function = ""
    seen: set[tuple[str, str]] = set()
    found: list[tuple[str, str, int]] = []
    for match in _CALL.finditer(text):
        if match.group(1):
            function = match.group(1)
            continue
        operator = match.group(2)
        if (function, operator) not in seen and len(seen) < 20_000:
            seen.add((function, operator))
            found.append((function, operator, match.start()))
    return found


def _reaching(operator: str) -> str | None:
    """What an operator does beyond computing; `custom` for one that torch does not have."""
    steps = operator.split(".")
    if steps[-1] in _FILES:
        return _FILES[steps[-1]]
    if steps[0] == "ops" and len(steps) >= 3 and steps[1] not in _OWN:
        return "custom"
    return None


# ── The forms before the zip ─────────────────────────────────────────────────────────────────────────────────────


def examine_legacy(source: Source, context: Context) -> None:
    """Magic number, protocol, system, object, keys of storages: five pickles; then the tensors, not read."""
    from alcaide.instruments.scan.formats.pickle import after, look_at, search

    actions, end = look_at(source, context, most=5)
    rest = source.size - end
    context.fact(kind="checkpoint, before the zip", tensors=len(actions.storages), tensor_bytes=rest)
    said = 0
    for kind, count in actions.storages.values():
        width = _ELEMENT.get(kind.rpartition(".")[2].removesuffix("Storage"), 0)
        # Each storage begins with its number of elements.
        said += 8 + (width * count if isinstance(count, int) else 0)
    if actions.storages and rest >= said:
        search(Window(source, end, said), context)
        after(source, context, end + said)
    else:
        after(source, context, end)


FORMATS = (
    Format(
        "torch_archive",
        "torch archive",
        sniff,
        examine,
        (STORAGE, UNUSED, OPERATOR, CUSTOM_OPERATOR, EXPRESSION, PACKAGED, NATIVE, FLAGGED, TWICE),
    ),
    Format("torch-legacy", "torch checkpoint (before the zip)", is_torch_legacy, examine_legacy),
)
