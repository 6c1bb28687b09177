"""Where in a file the pickle lies, and what lies around it: streams, broken ends, packers."""

# ruff: noqa: E501 - tables, one entry a line

import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.corpora.models.attacks import lz4
from tests.corpora.models.attacks import opcodes as op
from tests.corpora.models.attacks.opcodes import call, named, stacked, stream
from tests.corpora.models.attacks.payload import SHELL
from tests.corpora.models.attacks.registry import Acts, Made, Maker, attack
from tests.corpora.models.attacks.zips import Member, archive

EVIL = stream(call("os:system", SHELL))
# What an honest pickle of weights looks like at a glance.
PLAIN = stream(op.push({"layer.weight": [0.5, 0.25], "layer.bias": [0.0]}))


def _stream(
    id: str,
    says: str,
    suffix: str = ".pkl",
    proof: str = "pickle",
    needs: tuple[str, ...] = (),
    unproved: str = "",
) -> Callable[[Maker], Maker]:
    return attack(
        f"stream-{id}", acts="load", family="pickle-streams", says=says, suffix=suffix, proof=proof, needs=needs,
        unproved=unproved,
    )  # fmt: skip


@_stream("second-pickle", "two pickles in one file, the second acts")
def _() -> Made:
    return PLAIN + EVIL


@_stream("tenth-pickle", "eleven pickles in one file, the tenth acts")
def _() -> Made:
    return PLAIN * 9 + EVIL + PLAIN


@_stream("second-pickle-text", "a second pickle of protocol 0, which no magic number announces")
def _() -> Made:
    return PLAIN + b"cos\nsystem\n(S'" + SHELL.encode() + b"'\ntR."


@_stream("broken-after-acting", "an opcode that does not exist, after the deed")
def _() -> Made:
    return EVIL[:-1] + b"\xff\xff\xff"


@_stream("truncated-after-acting", "the stream ends without STOP, after the deed")
def _() -> Made:
    return EVIL[:-1]


@_stream("frame-lies", "a frame that claims a length it does not have, after the deed")
def _() -> Made:
    return op.proto(4) + call("os:system", SHELL) + b"\x95" + struct.pack("<Q", 2**60) + op.STOP


@_stream("stack-underflow-after-acting", "pops an empty stack after the deed")
def _() -> Made:
    return EVIL[:-1] + op.POP * 3 + op.STOP


@_stream("memo-missing-after-acting", "fetches what was never remembered, after the deed")
def _() -> Made:
    return EVIL[:-1] + b"j" + struct.pack("<I", 2**31 - 5) + op.STOP


@_stream("trailing-megabyte", "a pickle with a megabyte of noise behind its STOP", proof="first-pickle")
def _() -> Made:
    return EVIL + bytes(range(256)) * 4096


@_stream("buried-in-list", "data after STOP of the first pickle is a second one that ends broken")
def _() -> Made:
    return PLAIN + EVIL[:-1] + b"\xfe"


@_stream("no-suffix", "a pickle in a file without any suffix", suffix="")
def _() -> Made:
    return EVIL


@_stream("named-safetensors", "a pickle called .safetensors", suffix=".safetensors")
def _() -> Made:
    return EVIL


@_stream("named-json", "a pickle of protocol 0 called .json", suffix=".json")
def _() -> Made:
    return b"cos\nsystem\n(S'" + SHELL.encode() + b"'\ntR."


@_stream("named-png", "a pickle called .png", suffix=".png")
def _() -> Made:
    return EVIL


@_stream("named-text", "a pickle called .txt", suffix=".txt")
def _() -> Made:
    return EVIL


@_stream("gzip", "gzip around it", suffix=".pkl.gz", proof="compressed")
def _() -> Made:
    return gzip.compress(EVIL, mtime=0)


@_stream("gzip-two-members", "gzip in two members, the pickle across both", suffix=".gz", proof="compressed")
def _() -> Made:
    return gzip.compress(EVIL[:9], mtime=0) + gzip.compress(EVIL[9:], mtime=0)


@_stream("bz2", "bzip2 around it", suffix=".pkl.bz2", proof="compressed")
def _() -> Made:
    return bz2.compress(EVIL)


@_stream("xz", "xz around it", suffix=".pkl.xz", proof="compressed")
def _() -> Made:
    return lzma.compress(EVIL)


@_stream("lzma", "the older lzma around it", suffix=".pkl.lzma", proof="compressed")
def _() -> Made:
    return lzma.compress(EVIL, lzma.FORMAT_ALONE)


@_stream("zlib", "zlib around it, as joblib writes", suffix=".joblib", proof="compressed")
def _() -> Made:
    return zlib.compress(EVIL)


@_stream("zlib-fast", "zlib at its lowest level, whose header is another", suffix=".z", proof="compressed")
def _() -> Made:
    return zlib.compress(EVIL, 1)


@_stream("lz4", "an LZ4 frame around it", suffix=".pkl.lz4", proof="lz4", needs=("lz4",))
def _() -> Made:
    return lz4.frame(EVIL)


@_stream(
    "zstd", "a Zstandard frame around it", suffix=".pkl.zst", proof="", unproved="no loader of ours reads it"
)
def _() -> Made:
    # One raw block: the frame header says so, and the decoder copies it.
    block = struct.pack("<I", len(EVIL) << 3 | 1)[:3]
    return b"\x28\xb5\x2f\xfd" + b"\x20" + bytes([len(EVIL)]) + block + EVIL


@_stream("gzip-in-gzip", "gzip in gzip, nine deep", suffix=".gz", proof="compressed-deep")
def _() -> Made:
    whole = EVIL
    for _depth in range(9):
        whole = gzip.compress(whole, mtime=0)
    return whole


@_stream("base64-text", "a pickle in base64 text, that another pickle decodes and loads")
def _() -> Made:
    return stream(call("pickle:loads", call("base64:b64decode", base64.b64encode(EVIL).decode())))


@_stream("hex-text", "a pickle in hexadecimal text, that another pickle decodes and loads")
def _() -> Made:
    return stream(call("_pickle:loads", call("binascii:unhexlify", EVIL.hex())))


@_stream(
    "joblib-array",
    "between a joblib array's bytes and the rest",
    suffix=".joblib",
    proof="joblib",
    needs=("joblib",),
)
def _() -> Made:
    wrapper = (
        named("joblib.numpy_pickle", "NumpyArrayWrapper") + op.EMPTY_TUPLE + op.NEWOBJ
        + op.push({
            "subclass": named("numpy", "ndarray"), "shape": (4,), "order": "C", "allow_mmap": False,
            "dtype": call("numpy:dtype", "u1"), "numpy_array_alignment_bytes": None,
        }) + op.BUILD
    )  # fmt: skip
    # The bytes of the array are STOP opcodes, in the middle of the stream.
    return (
        op.proto(4)
        + op.EMPTY_LIST
        + wrapper
        + b"...."
        + op.APPEND
        + call("os:system", SHELL)
        + op.APPEND
        + op.STOP
    )


@_stream(
    "joblib-object-array",
    "in the pickle that a joblib object array holds",
    suffix=".joblib",
    proof="joblib",
    needs=("joblib",),
)
def _() -> Made:
    wrapper = (
        named("joblib.numpy_pickle", "NumpyArrayWrapper") + op.EMPTY_TUPLE + op.NEWOBJ
        + op.push({
            "subclass": named("numpy", "ndarray"), "shape": (1,), "order": "C", "allow_mmap": False,
            "dtype": call("numpy:dtype", "O"),
        }) + op.BUILD
    )  # fmt: skip
    return op.proto(4) + wrapper + EVIL + op.STOP


@_stream(
    "joblib-zipped-name",
    "a joblib file of the old days: zlib behind a `ZF` header",
    suffix=".joblib",
    proof="joblib",
    needs=("joblib",),
)
def _() -> Made:
    return b"ZF" + hex(len(EVIL)).ljust(19).encode() + zlib.compress(EVIL)


def npy(body: bytes, descr: str = "|O", shape: str = "(1,)", version: int = 1) -> bytes:
    """A `.npy` with that body behind its header."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + body


@_stream(
    "npy-object",
    "a NumPy object array, whose data is a pickle",
    suffix=".npy",
    proof="numpy",
    needs=("numpy",),
)
def _() -> Made:
    return npy(EVIL)


@_stream(
    "npy-version-2",
    "a NumPy object array with the longer header of version 2",
    suffix=".npy",
    proof="numpy",
    needs=("numpy",),
)
def _() -> Made:
    return npy(EVIL, version=2)


@_stream(
    "npz-member",
    "an object array in an `.npz` among plain ones",
    suffix=".npz",
    proof="numpy",
    needs=("numpy",),
)
def _() -> Made:
    plain = npy(b"\0" * 16, "<f8", "(2,)")
    return archive(("weights.npy", plain), ("bias.npy", plain), ("names.npy", npy(EVIL)))


@_stream("npz-bare-pickle", "a member of an `.npz` that is no array but a pickle", suffix=".npz", proof="zip")
def _() -> Made:
    return archive(("weights.npy", npy(b"\0" * 16, "<f8", "(2,)")), ("arr_0.npy", EVIL))


@_stream(
    "npy-header-code",
    "a `.npy` whose header is an expression, where old readers evaluated it",
    suffix=".npy",
    proof="",
    unproved="readers of today parse the header as a literal",
)
def _() -> Made:
    header = (
        f"{{'descr': __import__('os').system('{SHELL}'), 'fortran_order': False, 'shape': (1,)}}".encode()
    )
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header


# ── torch ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _torch(
    id: str, says: str, suffix: str = ".pt", proof: str = "torch", acts: Acts = "load", unproved: str = ""
) -> Callable[[Maker], Maker]:
    needs = ("torch",) if proof == "torch" else ()
    return attack(
        f"torch-{id}", acts=acts, family="torch", says=says, suffix=suffix, proof=proof, needs=needs,
        unproved=unproved,
    )  # fmt: skip


def checkpoint(
    pickled: bytes = EVIL, *more: Member | tuple[str, bytes], root: str = "archive"
) -> list[Member | tuple[str, bytes]]:
    """The members of a zip as `torch.save` writes it."""
    return [
        (f"{root}/data.pkl", pickled), (f"{root}/byteorder", b"little"), (f"{root}/data/0", b"\0" * 16),
        (f"{root}/version", b"3\n"), (f"{root}/.data/serialization_id", b"1"), *more,
    ]  # fmt: skip


@_torch("zip", "a torch checkpoint whose `data.pkl` acts")
def _() -> Made:
    return archive(*checkpoint())


@_torch("zip-bin", "the same, called pytorch_model.bin", suffix=".bin")
def _() -> Made:
    return archive(*checkpoint(root="pytorch_model"))


@_torch("state-dict-subverted", "a checkpoint with real storages and, among the weights, a call")
def _() -> Made:
    storage = op.push(("storage", named("torch", "FloatStorage"), "0", "cpu", 4)) + op.BINPERSID
    tensor = call(
        "torch._utils:_rebuild_tensor_v2",
        op.Code(storage),
        0,
        (2, 2),
        (2, 1),
        False,
        call("collections:OrderedDict"),
    )
    return archive(
        *checkpoint(stream(op.push({"weight": tensor, "bias": call("os:system", SHELL)}), version=2))
    )


@_torch(
    "rebuild-indirect", "`torch._tensor._rebuild_from_type_v2`, an allowed name that calls what it is given"
)
def _() -> Made:
    built = call(
        "torch._tensor:_rebuild_from_type_v2", named("os", "system"), named("torch", "Tensor"), (SHELL,), {}
    )
    return archive(*checkpoint(stream(built, version=2)))


@_torch(
    "parameter-with-state", "`torch._utils._rebuild_parameter_with_state` sets attributes of what it is given"
)
def _() -> Made:
    built = call(
        "torch._utils:_rebuild_parameter_with_state",
        call("os:system", SHELL),
        False,
        call("collections:OrderedDict"),
        {},
    )
    return archive(*checkpoint(stream(built, version=2)))


@_torch("constants", "a TorchScript archive whose `constants.pkl` acts", proof="zip")
def _() -> Made:
    code = b"class Net(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return x\n"
    return archive(*checkpoint(PLAIN, ("archive/code/__torch__.py", code), ("archive/constants.pkl", EVIL)))


@_torch("debug-pickle", "a TorchScript archive whose `.debug_pkl` acts", proof="zip")
def _() -> Made:
    return archive(
        *checkpoint(
            PLAIN, ("archive/constants.pkl", PLAIN), ("archive/code/__torch__/net.py.debug_pkl", EVIL)
        )
    )


@_torch("two-data-pickles", "two members called `data.pkl`; zips hand out the last", proof="zip")
def _() -> Made:
    return archive(*checkpoint(PLAIN), ("archive/data.pkl", EVIL))


@_torch("pickle-as-storage", "the pickle is called like a tensor's storage", proof="zip")
def _() -> Made:
    return archive(*checkpoint(PLAIN, ("archive/data/1", EVIL)))


@_torch("nested-zip", "a checkpoint inside a checkpoint, as a storage", proof="zip")
def _() -> Made:
    return archive(*checkpoint(PLAIN, ("archive/data/1", archive(*checkpoint()))))


@_torch("prefixed-zip", "a zip with something else before it", proof="zip")
def _() -> Made:
    return archive(*checkpoint(), prefix=b"#!/bin/cat\n" + b"weights " * 64)


@_torch("wrong-crc", "a zip whose checksums are wrong, which torch does not mind and archivers do")
def _() -> Made:
    return archive(Member("archive/data.pkl", EVIL, crc=0x12345678), *checkpoint()[1:])


@_torch(
    "encrypted-flag",
    "a zip whose member claims to be encrypted and is not: some readers look past the claim",
    acts="none",
    proof="",
    unproved="torch does not look past it",
)
def _() -> Made:
    return archive(Member("archive/data.pkl", EVIL, flags=1), *checkpoint()[1:])


@_torch("names-differ", "a zip that names its member `data.pkl` in one place and `notes.txt` in the other")
def _() -> Made:
    return archive(Member("archive/data.pkl", EVIL, local_name="archive/note.txt"), *checkpoint()[1:])


@_torch("local-size-lies", "a zip that gives one size before the data and another in its directory")
def _() -> Made:
    return archive(Member("archive/data.pkl", EVIL, local_size=1), *checkpoint()[1:])


@_torch("deflated", "a checkpoint whose pickle is deflated, where torch stores")
def _() -> Made:
    return archive(Member("archive/data.pkl", EVIL, method=8), *checkpoint()[1:])


@_torch("comment", "a zip with a long comment that holds another end record", proof="zip")
def _() -> Made:
    return archive(*checkpoint(), comment=b"weights " * 100)


@_torch("entry-count-lies", "a zip whose end record counts fewer members than its directory has", proof="zip")
def _() -> Made:
    return archive(*checkpoint(), entries=1)


@_torch("backslash-names", "a zip with Windows paths", proof="zip")
def _() -> Made:
    return archive(("archive\\data.pkl", EVIL), ("archive\\version", b"3\n"))


@_torch("upper-case-name", "the pickle is called DATA.PKL", proof="zip")
def _() -> Made:
    return archive(("ARCHIVE/DATA.PKL", EVIL))


@_torch(
    "legacy-sequence",
    "the format before zip: magic number, version, system, and the pickle that acts",
    suffix=".pth",
)
def _() -> Made:
    magic = stream(op.number(0x1950A86A20F9469CFC6C), version=2)
    system = stream(
        op.push(
            {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
        ),
        version=2,
    )
    return (
        magic
        + stream(op.number(1001), version=2)
        + system
        + stream(call("os:system", SHELL), version=2)
        + stream(op.EMPTY_LIST, version=2)
    )


@_torch("legacy-system-info", "the format before zip, where the system description acts", suffix=".pth")
def _() -> Made:
    magic = stream(op.number(0x1950A86A20F9469CFC6C), version=2)
    return magic + stream(op.number(1001), version=2) + EVIL + PLAIN + stream(op.EMPTY_LIST)


@_torch(
    "legacy-source",
    "a module with its source: the class is looked up where the file says",
    suffix=".pth",
    proof="",
    unproved="the module it names is not there",
)
def _() -> Made:
    return stream(call("weights_net:Net"), version=2)


@_torch("legacy-tar", "the format before that: a tar of pickles", suffix=".tar", proof="tar-pickles")
def _() -> Made:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("sys_info", PLAIN), ("pickle", EVIL), ("storages", PLAIN), ("tensors", PLAIN)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@_torch(
    "mar",
    "a TorchServe archive whose handler runs when it is served",
    suffix=".mar",
    proof="",
    unproved="runs in a server",
)
def _() -> Made:
    manifest = b'{"runtime": "python", "model": {"modelName": "m", "handler": "handler.py", "serializedFile": "m.pt"}}'
    return archive(
        ("MAR-INF/MANIFEST.json", manifest),
        ("handler.py", f"import os\nos.system({SHELL!r})\n".encode()),
        ("m.pt", archive(*checkpoint())),
    )


@_torch(
    "package",
    "a torch.package archive, with modules of its own that run when it is imported",
    suffix=".pt",
    proof="",
    unproved="its importer is asked for a module by name",
)
def _() -> Made:
    source = f"import os\nos.system({SHELL!r})\nclass Net: ...\n".encode()
    return archive(
        ("net/.data/extern_modules", b""), ("net/.data/version", b"6\n"), ("net/.data/python_version", b"3.11"),
        ("net/weights/net.pkl", stream(call("<torch_package_0>.net:Net"))), ("net/net.py", source),
    )  # fmt: skip


@_torch("pt2-weights", "a PT2 archive with a pickle that acts among its weights", suffix=".pt2", proof="zip")
def _() -> Made:
    return archive(
        ("m/archive_format", b"pt2"), ("m/models/model.json", b"{}"), ("m/data/weights/model.pt", archive(*checkpoint())),
        ("m/data/sample_inputs/model.pt", PLAIN), ("m/byteorder", b"little"),
    )  # fmt: skip


@_torch(
    "torchscript-code",
    "TorchScript that reads files by an operator of torch when it runs",
    suffix=".pt",
    proof="",
    acts="use",
    unproved="acts when it is called",
)
def _() -> Made:
    code = b'class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n    return torch.from_file("/etc/passwd", False, 100)\n'
    return archive(
        *checkpoint(
            stream(call(stacked("__torch__", "Net"))),
            ("archive/code/__torch__.py", code),
            ("archive/constants.pkl", stream(op.EMPTY_TUPLE)),
        )
    )
