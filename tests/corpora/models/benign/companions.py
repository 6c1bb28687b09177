"""Libraries that keep company with scikit-learn and torch: studies, tables, graphs."""

import pickle

import networkx as nx
import numpy as np

from tests.corpora.models.benign.recipe import recipe

_RNG = np.random.default_rng(12)
_X = _RNG.normal(size=(40, 4)).astype("f4")
_Y = np.arange(40) % 2


@recipe("networkx", "graph.pkl", "a graph with attributes, pickled")
def _(path):
    graph = nx.karate_club_graph()
    path.write_bytes(pickle.dumps([graph, nx.DiGraph([(1, 2)]), nx.MultiGraph([(1, 2)])]))


@recipe("mlxtend", "stacking.pkl", "a stack of models, pickled")
def _(path):
    from mlxtend.classifier import EnsembleVoteClassifier
    from sklearn.linear_model import LogisticRegression

    path.write_bytes(
        pickle.dumps(EnsembleVoteClassifier([LogisticRegression(), LogisticRegression()]).fit(_X, _Y))
    )


@recipe("optuna", "study.pkl", "a study of settings, pickled")
def _(path):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    study.enqueue_trial({"x": 1.0})
    study.add_trial(
        optuna.trial.create_trial(
            value=1.0, params={"x": 1.0}, distributions={"x": optuna.distributions.FloatDistribution(0, 2)}
        )
    )
    path.write_bytes(pickle.dumps(study))


@recipe("skorch", "net.pkl", "a torch network in scikit-learn's clothes, pickled")
def _(path):
    import torch
    from skorch import NeuralNetClassifier

    net = NeuralNetClassifier(
        torch.nn.Linear,
        module__in_features=4,
        module__out_features=2,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
    )
    path.write_bytes(pickle.dumps(net.fit(_X, _Y.astype("i8"))))


@recipe("polars", "frame.pkl", "a polars table, pickled")
def _(path):
    import polars as pl

    path.write_bytes(pickle.dumps(pl.DataFrame({"a": [1, 2], "b": ["x", None]})))


@recipe("xarray", "dataset.pkl", "a labelled array, pickled")
def _(path):
    import xarray as xr

    path.write_bytes(pickle.dumps(xr.Dataset({"t": (("x", "y"), _X[:4, :4])}, coords={"x": [1, 2, 3, 4]})))
