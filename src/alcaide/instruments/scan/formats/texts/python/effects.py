"""What calling a name of Python reaches: a program, code, the network, memory, files.

Names are the full ones after imports and tricks are taken away (`os.system`, `builtins.exec`). A name that is not here
reaches nothing that counts, as far as one file can tell: what a library does inside is that library's scan.
"""

from __future__ import annotations

from enum import Enum


class Effect(Enum):
    """What a call reaches; the value is how it is said: "importing it …"."""

    PROGRAM = "starts a program"
    CODE = "runs code that it makes"
    UNPICKLE = "loads data that can run code"
    NATIVE = "loads a library of machine code"
    CONNECT = "opens a connection"
    FETCH = "fetches from the network"
    SEND = "sends to the network"
    DELETE = "deletes or moves files"
    WRITE = "writes a file"
    READ = "reads a file"
    MODULE = "imports what it names at run time"


def _each(effect: Effect, names: str) -> dict[str, Effect]:
    return dict.fromkeys(names.split(), effect)


_EXEC = "execl execle execlp execlpe execv execve execvp execvpe"
_SPAWN = "spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp"
_VERBS = "get head options request"
_PUTS = "post put patch delete"

EFFECTS: dict[str, Effect] = {
    **{
        f"{module}.{name}": Effect.PROGRAM
        for module in ("os", "posix", "nt")
        for name in f"system popen startfile {_EXEC} {_SPAWN}".split()
    },
    **{
        f"subprocess.{name}": Effect.PROGRAM
        for name in ("run", "call", "Popen", "check_call", "check_output", "getoutput", "getstatusoutput")
    },
    **_each(
        Effect.PROGRAM,
        "pty.spawn commands.getoutput commands.getstatusoutput popen2.popen2 platform.popen _posixsubprocess.fork_exec "
        "asyncio.create_subprocess_exec asyncio.create_subprocess_shell pexpect.run pexpect.spawn invoke.run "
        "distutils.spawn.spawn webbrowser.open webbrowser.open_new webbrowser.open_new_tab pip.main "
        "pip._internal.main pip._internal.cli.main.main IPython.get_ipython().system get_ipython().system "
        "get_ipython().getoutput sh.bash sh.sh fabric.api.local _winapi.CreateProcess",
    ),
    **_each(
        Effect.CODE,
        "builtins.exec builtins.eval builtins.execfile code.interact code.InteractiveInterpreter "
        "code.InteractiveConsole code.compile_command types.FunctionType types.CodeType marshal.loads marshal.load "
        "runpy.run_path runpy.run_module runpy._run_code imp.load_source imp.load_compiled imp.load_dynamic "
        "timeit.timeit timeit.repeat cProfile.run cProfile.runctx profile.run pdb.run bdb.Bdb pdb.runeval "
        "trace.Trace test.support.run_code zipimport.zipimporter idlelib.pyshell.main lib2to3.pgen2.pgen "
        "numexpr.evaluate asteval.Interpreter pandas.eval importlib.machinery.SourceFileLoader "
        "importlib.machinery.SourcelessFileLoader importlib.machinery.ExtensionFileLoader site.addsitedir "
        "get_ipython().run_cell get_ipython().ex get_ipython().run_line_magic",
    ),
    **_each(
        Effect.UNPICKLE,
        "pickle.load pickle.loads pickle.Unpickler _pickle.load _pickle.loads _pickle.Unpickler cPickle.load "
        "cPickle.loads dill.load dill.loads cloudpickle.load cloudpickle.loads joblib.load pandas.read_pickle "
        "shelve.open jsonpickle.decode yaml.unsafe_load yaml.unsafe_load_all yaml.load yaml.load_all yaml.full_load "
        "sklearn.externals.joblib.load torch.load numpy.load skops.io.load pickle5.load pickle5.loads",
    ),
    **_each(
        Effect.NATIVE,
        "ctypes.CDLL ctypes.PyDLL ctypes.WinDLL ctypes.OleDLL ctypes.cdll.LoadLibrary ctypes.windll.LoadLibrary "
        "ctypes.pydll.LoadLibrary ctypes.LibraryLoader torch.ops.load_library torch.classes.load_library "
        "tensorflow.load_op_library tensorflow.load_library torch.utils.cpp_extension.load "
        "torch.utils.cpp_extension.load_inline _ctypes.dlopen numpy.ctypeslib.load_library",
    ),
    **_each(
        Effect.CONNECT,
        "socket.socket socket.create_connection socket.create_server socket.socketpair ssl.wrap_socket "
        "telnetlib.Telnet ftplib.FTP ftplib.FTP_TLS smtplib.SMTP smtplib.SMTP_SSL paramiko.SSHClient "
        "socketserver.TCPServer http.server.HTTPServer xmlrpc.client.ServerProxy asyncio.open_connection "
        "websocket.create_connection websockets.connect socket.gethostbyname socket.getaddrinfo "
        "dns.resolver.resolve imaplib.IMAP4 poplib.POP3 nntplib.NNTP",
    ),
    **_each(
        Effect.FETCH,
        "urllib.request.urlopen urllib.request.urlretrieve urllib.urlopen urllib.urlretrieve urllib2.urlopen "
        "urllib.request.build_opener urllib.request.Request requests.Session requests.session httpx.Client "
        "httpx.AsyncClient httpx.stream aiohttp.ClientSession aiohttp.request http.client.HTTPConnection "
        "http.client.HTTPSConnection httplib.HTTPConnection urllib3.PoolManager urllib3.request wget.download "
        "gdown.download pycurl.Curl torch.hub.load torch.hub.load_state_dict_from_url "
        "torch.hub.download_url_to_file tensorflow.keras.utils.get_file keras.utils.get_file",
    ),
    **{f"{module}.{verb}": Effect.FETCH for module in ("requests", "httpx") for verb in _VERBS.split()},
    **{f"{module}.{verb}": Effect.SEND for module in ("requests", "httpx") for verb in _PUTS.split()},
    **_each(
        Effect.DELETE,
        "os.remove os.unlink os.rmdir os.removedirs os.rename os.renames os.replace os.truncate os.chmod os.chown "
        "os.symlink os.link shutil.rmtree shutil.move shutil.chown os.kill os.killpg os.setuid os.chroot "
        "signal.pthread_kill",
    ),
    **_each(
        Effect.WRITE,
        "builtins.open io.open codecs.open os.open pathlib.Path.write_text pathlib.Path.write_bytes",
    ),
    **_each(
        Effect.MODULE,
        "builtins.__import__ importlib.import_module importlib.__import__ importlib.util.spec_from_file_location "
        "importlib.util.module_from_spec importlib.reload pydoc.locate pkgutil.resolve_name",
    ),
}
"""The full names that count."""

DECODERS = frozenset(
    """base64.b64decode base64.b32decode base64.b16decode base64.b85decode base64.a85decode base64.decodebytes
    base64.standard_b64decode base64.urlsafe_b64decode base64.decodestring binascii.unhexlify binascii.a2b_base64
    binascii.a2b_hex bytes.fromhex bytearray.fromhex codecs.decode codecs.getdecoder zlib.decompress bz2.decompress
    lzma.decompress gzip.decompress marshal.loads marshal.load builtins.chr cryptography.fernet.Fernet
    quopri.decodestring""".split()  # noqa: SIM905 - a list of names reads better so
)
"""What turns unreadable bytes into readable ones: harmless, unless what comes out is run."""
