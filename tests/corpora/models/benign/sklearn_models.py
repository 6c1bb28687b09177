"""scikit-learn: estimators of every module, fitted on twenty rows, and the pipelines they stand in."""

# ruff: noqa: E501 - tables, one entry a line

import gzip
import pickle
from pathlib import Path

import joblib
import numpy as np
from sklearn import (
    calibration,
    cluster,
    compose,
    covariance,
    cross_decomposition,
    decomposition,
    discriminant_analysis,
    dummy,
    ensemble,
    feature_extraction,
    feature_selection,
    gaussian_process,
    impute,
    isotonic,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    manifold,
    mixture,
    model_selection,
    multiclass,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    pipeline,
    preprocessing,
    random_projection,
    semi_supervised,
    svm,
    tree,
)  # fmt: skip

from tests.corpora.models.benign.recipe import add

_RNG = np.random.default_rng(11)
_X = np.abs(_RNG.normal(size=(24, 4)))
_Y = np.arange(24) % 2
_R = _X @ [1.0, -2.0, 0.5, 0.0]
_TEXTS = ["the cat sat", "a dog ran far", "cats and dogs", "nobody sat here"] * 6

_ESTIMATORS = [
    linear_model.LinearRegression(), linear_model.LogisticRegression(), linear_model.Ridge(), linear_model.Lasso(),
    linear_model.ElasticNet(), linear_model.SGDClassifier(), linear_model.Perceptron(), linear_model.BayesianRidge(),
    linear_model.HuberRegressor(), linear_model.PoissonRegressor(), linear_model.RANSACRegressor(random_state=0),
    linear_model.LogisticRegressionCV(cv=2), linear_model.QuantileRegressor(), linear_model.LassoLars(),
    tree.DecisionTreeClassifier(), tree.DecisionTreeRegressor(), tree.ExtraTreeClassifier(),
    ensemble.RandomForestClassifier(n_estimators=3), ensemble.RandomForestRegressor(n_estimators=3),
    ensemble.GradientBoostingClassifier(n_estimators=3), ensemble.HistGradientBoostingClassifier(max_iter=3),
    ensemble.HistGradientBoostingRegressor(max_iter=3), ensemble.AdaBoostClassifier(n_estimators=3),
    ensemble.BaggingClassifier(n_estimators=3), ensemble.ExtraTreesClassifier(n_estimators=3),
    ensemble.IsolationForest(n_estimators=3),
    ensemble.VotingClassifier([("a", linear_model.LogisticRegression()), ("b", naive_bayes.GaussianNB())]),
    ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier()), ("b", naive_bayes.GaussianNB())], cv=2),
    svm.SVC(probability=False), svm.SVR(), svm.LinearSVC(), svm.OneClassSVM(), svm.NuSVC(nu=0.3),
    neighbors.KNeighborsClassifier(), neighbors.KNeighborsRegressor(algorithm="ball_tree"),
    neighbors.NearestNeighbors(algorithm="kd_tree"), neighbors.LocalOutlierFactor(), neighbors.KernelDensity(),
    neighbors.NearestCentroid(), naive_bayes.GaussianNB(), naive_bayes.MultinomialNB(), naive_bayes.BernoulliNB(),
    naive_bayes.ComplementNB(), cluster.KMeans(2, n_init=1), cluster.MiniBatchKMeans(2, n_init=1), cluster.DBSCAN(),
    cluster.AgglomerativeClustering(), cluster.Birch(), cluster.MeanShift(), cluster.SpectralClustering(2),
    cluster.HDBSCAN(copy=True), decomposition.PCA(2), decomposition.NMF(2), decomposition.TruncatedSVD(2), decomposition.FastICA(2),
    decomposition.LatentDirichletAllocation(2), decomposition.KernelPCA(2), decomposition.IncrementalPCA(2),
    manifold.TSNE(2, perplexity=3), manifold.Isomap(), manifold.MDS(n_init=1, init="random"), mixture.GaussianMixture(2),
    mixture.BayesianGaussianMixture(n_components=2), gaussian_process.GaussianProcessRegressor(),
    gaussian_process.GaussianProcessClassifier(), neural_network.MLPClassifier(hidden_layer_sizes=(4,), max_iter=5),
    neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), neural_network.BernoulliRBM(2, n_iter=2),
    discriminant_analysis.LinearDiscriminantAnalysis(), discriminant_analysis.QuadraticDiscriminantAnalysis(),
    preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.RobustScaler(),
    preprocessing.PolynomialFeatures(), preprocessing.QuantileTransformer(n_quantiles=5), preprocessing.OneHotEncoder(),
    preprocessing.OrdinalEncoder(), preprocessing.PowerTransformer(), preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"),
    preprocessing.SplineTransformer(), preprocessing.Normalizer(), preprocessing.FunctionTransformer(np.log1p),
    impute.SimpleImputer(), impute.KNNImputer(), feature_selection.SelectKBest(k=2),
    feature_selection.VarianceThreshold(), feature_selection.RFE(linear_model.LogisticRegression()),
    feature_selection.SelectFromModel(tree.DecisionTreeClassifier()), covariance.EllipticEnvelope(),
    covariance.LedoitWolf(), cross_decomposition.PLSRegression(), dummy.DummyClassifier(), dummy.DummyRegressor(),
    isotonic.IsotonicRegression(), kernel_approximation.RBFSampler(n_components=4), kernel_approximation.Nystroem(n_components=4),
    kernel_ridge.KernelRidge(), random_projection.GaussianRandomProjection(2),
    semi_supervised.LabelPropagation(), calibration.CalibratedClassifierCV(cv=2),
    multiclass.OneVsRestClassifier(linear_model.LogisticRegression()),
    multioutput.MultiOutputClassifier(linear_model.LogisticRegression()),
    model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [0.1, 1.0]}, cv=2),
    model_selection.RandomizedSearchCV(linear_model.Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2, cv=2),
]  # fmt: skip


def _fitted(estimator):
    name = type(estimator).__name__
    if name == "IsotonicRegression":
        return estimator.fit(_X[:, 0], _R)
    if name.startswith("MultiOutput"):
        return estimator.fit(_X, np.column_stack([_Y, 1 - _Y]))
    target = (
        _R
        if name.endswith(("Regressor", "Regression", "SVR", "Ridge", "Lasso"))
        and name != "LogisticRegression"
        else _Y
    )
    return estimator.fit(_X, np.abs(target))


def _write(estimator, path: Path) -> None:
    """Half by pickle in one protocol or another, half by joblib, as one finds them."""
    fitted = _fitted(estimator)
    if path.suffix == ".joblib":
        joblib.dump(fitted, path, compress=3 if len(path.stem) % 2 else 0)
    elif path.name.endswith(".pkl.gz"):
        path.write_bytes(gzip.compress(pickle.dumps(fitted), mtime=0))
    else:
        path.write_bytes(pickle.dumps(fitted, 2 + len(path.stem) % 4))


for _index, _estimator in enumerate(_ESTIMATORS):
    _suffix = (".pkl", ".joblib", ".pkl.gz", ".pickle")[_index % 4]
    _kind = type(_estimator).__name__
    add("scikit-learn", f"{_kind}{_suffix}", f"a fitted {_kind}", lambda path, e=_estimator: _write(e, path))


def _text_pipeline():
    return pipeline.Pipeline([
        ("tfidf", feature_extraction.text.TfidfVectorizer(ngram_range=(1, 2), stop_words="english")),
        ("select", feature_selection.SelectKBest(feature_selection.chi2, k=5)),
        ("model", linear_model.LogisticRegression()),
    ]).fit(_TEXTS, _Y)  # fmt: skip


def _column_pipeline():
    columns = compose.ColumnTransformer([
        ("scaled", preprocessing.StandardScaler(), [0, 1]),
        ("binned", preprocessing.KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf"), [2]),
        ("kept", "passthrough", [3]),
    ])  # fmt: skip
    forest = ensemble.RandomForestClassifier(n_estimators=3, random_state=0)
    return pipeline.make_pipeline(columns, decomposition.PCA(2), forest).fit(_X, _Y)


def _union_pipeline():
    union = pipeline.make_union(decomposition.PCA(2), feature_selection.SelectKBest(k=1))
    model = compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1)
    return pipeline.make_pipeline(union, model).fit(_X, np.abs(_R))


for _kind, _build in {"text": _text_pipeline, "columns": _column_pipeline, "union": _union_pipeline}.items():
    add(
        "scikit-learn",
        f"pipeline-{_kind}.pkl",
        f"a pipeline over {_kind}, pickled",
        lambda p, b=_build: p.write_bytes(pickle.dumps(b())),
    )
    for _method in ("zlib", "lz4", "xz"):
        add(
            "scikit-learn",
            f"pipeline-{_kind}-{_method}.joblib",
            f"a pipeline over {_kind}, joblib with {_method}",
            lambda p, b=_build, m=_method: joblib.dump(b(), p, compress=(m, 3)),
        )
add(
    "scikit-learn",
    "CountVectorizer.joblib",
    "word counts",
    lambda p: joblib.dump(feature_extraction.text.CountVectorizer().fit(_TEXTS), p),
)
add(
    "scikit-learn",
    "HashingVectorizer.pkl",
    "hashed words",
    lambda p: p.write_bytes(pickle.dumps(feature_extraction.text.HashingVectorizer(n_features=64))),
)
add(
    "scikit-learn",
    "DictVectorizer.pkl",
    "features from dictionaries",
    lambda p: p.write_bytes(pickle.dumps(feature_extraction.DictVectorizer().fit([{"a": 1, "b": "x"}]))),
)
add(
    "scikit-learn",
    "LabelEncoder.pkl",
    "labels",
    lambda p: p.write_bytes(pickle.dumps(preprocessing.LabelEncoder().fit(["a", "b"]))),
)
add(
    "scikit-learn",
    "models-by-name.pkl",
    "several models in one dictionary",
    lambda p: p.write_bytes(
        pickle.dumps({"a": _text_pipeline(), "b": _column_pipeline(), "features": ["x", "y"]})
    ),
)
