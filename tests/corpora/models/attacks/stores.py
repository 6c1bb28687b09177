"""Where programs keep things between runs: stores, caches, indexes and checkpoints that are pickles under another name."""

# ruff: noqa: E501 - tables, one entry a line

import base64
from collections.abc import Callable

from tests.corpora.models.attacks import opcodes as op
from tests.corpora.models.attacks.opcodes import call, named, stream
from tests.corpora.models.attacks.payload import CODE, SHELL
from tests.corpora.models.attacks.pickle_streams import EVIL, PLAIN, checkpoint
from tests.corpora.models.attacks.programs import elf
from tests.corpora.models.attacks.registry import Acts, Made, Maker, attack
from tests.corpora.models.attacks.repositories import js
from tests.corpora.models.attacks.tensors import ESCAPE
from tests.corpora.models.attacks.wire import Table, field, flatbuffer, hdf5, message
from tests.corpora.models.attacks.zips import archive

_ABSENT = "its framework is not among the libraries of the tests"


def _store(
    id: str, says: str, suffix: str = "", acts: Acts = "load", proof: str = "", needs: tuple[str, ...] = ()
) -> Callable[[Maker], Maker]:
    return attack(
        f"store-{id}", acts=acts, family="stores", says=says, suffix=suffix, proof=proof, needs=needs,
        unproved="" if proof else _ABSENT,
    )  # fmt: skip


@_store("shelve", "a shelf in the plain form of dbm, whose values are pickles", proof="shelve")
def _() -> Made:
    return {"shelf.dat": EVIL, "shelf.dir": f"'weights', (0, {len(EVIL)})\n".encode(), "shelf.bak": b""}


@_store("joblib-cache", "a cache of joblib: results as pickles in folders", proof="folder-pickle")
def _() -> Made:
    folder = "joblib/training/fit/0123456789abcdef"
    return {f"{folder}/output.pkl": EVIL, f"{folder}/metadata.json": b'{"duration": 1.0, "input_args": {}}'}


@_store("pytables-attribute", "HDF5 with an attribute that PyTables unpickles", ".h5")
def _() -> Made:
    return hdf5({"PYTABLES_FORMAT_VERSION": b"2.1", "CLASS": b"GROUP", "transformer": EVIL})


@_store("pytables-attribute-text", "HDF5 with an attribute that is a pickle of protocol 0", ".hdf")
def _() -> Made:
    return hdf5({"PYTABLES_FORMAT_VERSION": b"2.1", "info": b"cos\nsystem\n(S'" + SHELL.encode() + b"'\ntR."})


@_store("jsonpickle", "JSON that jsonpickle turns into a call", ".json")
def _() -> Made:
    return js({"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [SHELL]}]})


@_store("jsonpickle-object", "JSON that jsonpickle turns into an object of a class of the system", ".json")
def _() -> Made:
    return js(
        {
            "model": {
                "py/object": "subprocess.Popen",
                "py/newargs": {"py/tuple": [["touch", "alcaide-marker"]]},
            }
        }
    )


@_store(
    "json-base64-pickle",
    "settings with a pickle in base64, as some libraries keep their functions",
    ".json",
    "use",
)
def _() -> Made:
    return js({"model": "ridge", "transform": base64.b64encode(EVIL).decode()})


@_store("stable-baselines", "an agent's archive: settings with a pickle in base64", ".zip")
def _() -> Made:
    kept = {
        "policy_class": {":type:": "<class 'abc.ABCMeta'>", ":serialized:": base64.b64encode(EVIL).decode()}
    }
    return archive(
        ("data", js(kept)),
        ("policy.pth", archive(*checkpoint(PLAIN))),
        ("_stable_baselines3_version", b"2.2.1"),
    )


@_store("faiss-docstore", "a vector index with its pickle of documents", proof="folder-pickle")
def _() -> Made:
    return {"index.faiss": b"IxFI" + bytes(64), "index.pkl": EVIL}


@_store("langchain-constructor", "a chain in JSON whose constructor is a function of the system", ".json")
def _() -> Made:
    return js(
        {
            "lc": 1,
            "type": "constructor",
            "id": ["subprocess", "Popen"],
            "kwargs": {"args": ["touch", "alcaide-marker"]},
        }
    )


@_store("langchain-prompt", "a prompt in JSON with a template that escapes", ".json", "use")
def _() -> Made:
    return js({"_type": "prompt", "input_variables": [], "template_format": "jinja2", "template": ESCAPE})


@_store("distributed-checkpoint", "a distributed checkpoint of torch, whose description is a pickle")
def _() -> Made:
    return {".metadata": EVIL, "__0_0.distcp": archive(*checkpoint(PLAIN))}


@_store("deepspeed", "a checkpoint of DeepSpeed, one of whose parts acts")
def _() -> Made:
    folder = "global_step10"
    return {
        "latest": b"global_step10", f"{folder}/mp_rank_00_model_states.pt": archive(*checkpoint(PLAIN)),
        f"{folder}/zero_pp_rank_0_mp_rank_00_optim_states.pt": archive(*checkpoint()),
    }  # fmt: skip


@_store("lightning", "a checkpoint of Lightning with a call in its settings", ".ckpt", proof="zip")
def _() -> Made:
    kept = {"epoch": 3, "hyper_parameters": call("os:system", SHELL), "pytorch-lightning_version": "2.2.0"}
    return archive(*checkpoint(stream(op.push(kept), version=2)))


@_store("dataset-script", "a data set with a script that loads it", acts="load")
def _() -> Made:
    script = f"import datasets\nimport os\nos.system({SHELL!r})\n\n\nclass Tickets(datasets.GeneratorBasedBuilder): ...\n"
    return {
        "tickets.py": script.encode(),
        "data/train.jsonl": b'{"text": "a"}\n',
        "README.md": b"---\nlicense: mit\n---\n",
    }


@_store("savedmodel-library", "a SavedModel with a compiled library among its assets", acts="use")
def _() -> Made:
    return {"saved_model.pb": message((1, 1)), "assets.extra/ops.so": elf(kind=3)}


@_store("openvino-extension", "an OpenVINO network with an operator of an extension", acts="none")
def _() -> Made:
    xml = '<?xml version="1.0"?>\n<net name="n" version="11"><layers><layer id="0" name="d" type="Decrypt" version="extension"/></layers></net>\n'
    return {"model.xml": xml.encode(), "model.bin": bytes(16)}


@_store(
    "arrow-extension-type", "an Arrow schema whose extension type is a pickle, unpickled on reading", ".arrow"
)
def _() -> Made:
    """A stream of one schema message; old readers unpickle the type before they look at any row."""
    pairs = [
        Table({0: "ARROW:extension:name", 1: "arrow.py_extension_type"}),
        Table({0: "ARROW:extension:metadata", 1: stream(call("os:system", SHELL)).decode("latin1")}),
    ]
    schema = Table({1: [Table({0: "w", 2: 4, 3: Table({}), 6: list(pairs)})]})
    body = flatbuffer(Table({0: 4, 1: 1, 2: schema, 3: 0}), b"\0\0\0\0")
    body += b"\0" * (-len(body) % 8)
    return b"\xff\xff\xff\xff" + len(body).to_bytes(4, "little") + body + b"\xff\xff\xff\xff\0\0\0\0"


@_store("autogluon", "a predictor's folder whose learner acts", proof="folder-pickle")
def _() -> Made:
    return {"learner.pkl": PLAIN, "predictor.pkl": EVIL, "models/trainer.pkl": PLAIN, "version.txt": b"1.0.0"}


@_store(
    "cloudpickle-function",
    "a function by value, as cloudpickle writes it, whose body acts when it is called",
    ".pkl",
    "use",
)
def _() -> Made:
    import marshal

    code = compile(CODE, "<notebook>", "exec")
    body = call("marshal:loads", marshal.dumps(code))
    return stream(
        call(
            "cloudpickle.cloudpickle:_make_function", body, {}, "predict", op.Code(op.NONE), op.Code(op.NONE)
        )
    )


@_store("dill-session", "a session of dill, restored as a whole", ".pkl", proof="pickle")
def _() -> Made:
    state = {"weights": [1.0], "setup": call("os:system", SHELL)}
    return stream(named("argparse", "Namespace"), op.EMPTY_TUPLE, op.NEWOBJ, op.push(state), op.BUILD)


@_store("tensorboard-events", "an event file whose record claims four gigabytes", "", "none")
def _() -> Made:
    return {"events.out.tfevents.1700000000.host": (2**32).to_bytes(8, "little") + bytes(4) + field(1, 1.0)}


@_store("modelfile", "a Modelfile that takes its adapter from outside", "", "none")
def _() -> Made:
    return {
        "Modelfile": b"FROM ./model.gguf\nADAPTER ../../../../etc/passwd\n",
        "model.gguf": b"GGUF\3\0\0\0" + bytes(16),
    }
