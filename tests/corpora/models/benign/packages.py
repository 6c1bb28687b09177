"""Functions and models in packages: dill, cloudpickle, skops, MLflow; and plain Python, pickled."""

# ruff: noqa: E501 - tables, one entry a line

import collections
import datetime as dt
import decimal
import fractions
import pathlib
import pickle
import uuid

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.corpora.models.benign.recipe import add, recipe
from tests.corpora.models.benign.writing import pickled

_X = np.random.default_rng(9).normal(size=(20, 3))
_Y = np.arange(20) % 2


def _model():
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(_X, _Y)


_PYTHON = {
    "plain": {
        "layers": [1, 2.5, "x", b"y", None, True],
        "shape": (3, 4),
        "names": {"a", "b"},
        "kept": frozenset({1}),
    },
    "collections": [
        collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]),
        collections.Counter("aab"),
        collections.deque([1, 2], 5),
    ],
    "dates": [
        dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        dt.date(2024, 1, 1),
        dt.timedelta(1),
    ],
    "numbers": [decimal.Decimal("1.5"), fractions.Fraction(1, 3), complex(1, 2), 2**70, -1, 1e300],
    "values": [
        uuid.UUID(int=5),
        pathlib.PurePosixPath("weights/model.bin"),
        slice(1, 5),
        range(4),
        bytearray(b"abc"),
    ],
    "nested": {"history": [{"epoch": n, "loss": 1 / (n + 1)} for n in range(20)]},
}
for _name, _value in _PYTHON.items():
    for _protocol in (0, 2, 5):
        add(
            "python", f"{_name}-{_protocol}.pkl", f"{_name}, protocol {_protocol}", pickled(_value, _protocol)
        )


@recipe("dill", "model.dill", "a pipeline by dill")
def _(path):
    import dill

    path.write_bytes(dill.dumps(_model()))


@recipe("dill", "values.dill", "plain values and arrays by dill")
def _(path):
    import dill

    path.write_bytes(dill.dumps({"x": _X, "settings": {"alpha": 0.1}, "when": dt.date(2024, 1, 1)}))


@recipe("cloudpickle", "model.pkl", "a pipeline by cloudpickle")
def _(path):
    import cloudpickle

    path.write_bytes(cloudpickle.dumps(_model()))


@recipe("cloudpickle", "values.pkl", "plain values and arrays by cloudpickle")
def _(path):
    import cloudpickle

    path.write_bytes(cloudpickle.dumps({"x": _X, "names": ["a"]}))


def _skops(path, model):
    import skops.io

    skops.io.dump(model, path)


add("skops", "pipeline.skops", "a pipeline by skops", lambda p: _skops(p, _model()))
add(
    "skops",
    "arrays.skops",
    "arrays and plain values by skops",
    lambda p: _skops(p, {"x": _X, "names": ["a", "b"], "n": 3}),
)


@recipe("skops", "forest.skops", "a forest by skops")
def _(path):
    from sklearn.ensemble import RandomForestClassifier

    _skops(path, RandomForestClassifier(2, max_depth=2).fit(_X, _Y))


@recipe("mlflow-skinny", "sklearn-model", "a model folder as MLflow lays it out")
def _(path):
    import cloudpickle
    import mlflow
    from mlflow.models import Model

    path.mkdir()
    written = Model(artifact_path="model")
    written.add_flavor(
        "python_function",
        loader_module="mlflow.sklearn",
        model_path="model.pkl",
        predict_fn="predict",
        python_version="3.11.7",
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    )
    written.add_flavor(
        "sklearn", pickled_model="model.pkl", serialization_format="cloudpickle", sklearn_version="1.9.1"
    )
    written.save(path / "MLmodel")
    (path / "model.pkl").write_bytes(cloudpickle.dumps(_model()))
    packages = f"mlflow=={mlflow.__version__}\ncloudpickle==3.1.3\nscikit-learn==1.9.1\nnumpy==2.4.6\n"
    (path / "requirements.txt").write_text(packages)
    listed = "".join(f"  - {line}\n" for line in packages.splitlines())
    (path / "conda.yaml").write_text(
        f"channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip<=24\n- pip:\n{listed}name: mlflow-env\n"
    )
    (path / "python_env.yaml").write_text(
        "python: 3.11.7\nbuild_dependencies:\n- pip==24.0\n- setuptools\n- wheel\ndependencies:\n- -r requirements.txt\n"
    )


@recipe("python", "several.pkl", "three pickles in one file")
def _(path):
    path.write_bytes(b"".join(pickle.dumps(value) for value in ({"a": 1}, [1, 2], "end")))
