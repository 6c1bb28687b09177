"""Libraries of statistics and of the scikit-learn family, pickled as their users do."""

# ruff: noqa: E501 - tables, one entry a line

import pickle

import category_encoders
import hmmlearn.hmm
import imblearn.ensemble
import imblearn.over_sampling
import imblearn.pipeline
import implicit.als
import joblib
import lifelines
import numpy as np
import pandas as pd
import scipy.sparse
import statsmodels.api as sm
import statsmodels.formula.api as smf
from sklearn.linear_model import LogisticRegression
from statsmodels.tsa.arima.model import ARIMA

from tests.corpora.models.benign.recipe import add
from tests.corpora.models.benign.writing import pickled_later

_RNG = np.random.default_rng(4)
_X = _RNG.normal(size=(40, 3))
_Y = (np.arange(40) % 4 == 0).astype(int)
_FRAME = pd.DataFrame(
    {"x": _X[:, 0], "y": _X[:, 1], "site": ["a", "b"] * 20, "t": np.abs(_X[:, 2]) + 0.1, "e": _Y}
)

_OBJECTS = {
    ("statsmodels", "ols.pkl", "a linear model's results"): lambda: sm.OLS(_X[:, 0], sm.add_constant(_X[:, 1:])).fit(),
    ("statsmodels", "logit.pkl", "a logistic model's results"): lambda: sm.Logit(_Y, sm.add_constant(_X)).fit(disp=0),
    ("statsmodels", "glm.pkl", "a generalised model's results"): lambda: sm.GLM(_Y, _X, family=sm.families.Binomial()).fit(),
    ("statsmodels", "formula.pkl", "a model by formula"): lambda: smf.ols("y ~ x + C(site)", _FRAME).fit(),
    ("statsmodels", "arima.pkl", "a time series model's results"): lambda: ARIMA(_X[:, 0], order=(1, 0, 0)).fit(),
    ("imbalanced-learn", "smote.pkl", "an oversampler"): lambda: imblearn.over_sampling.SMOTE(random_state=1),
    ("imbalanced-learn", "forest.pkl", "a balanced forest"): lambda: imblearn.ensemble.BalancedRandomForestClassifier(2, random_state=1).fit(_X, _Y),
    ("imbalanced-learn", "pipeline.pkl", "a pipeline with an oversampler"): lambda: imblearn.pipeline.make_pipeline(imblearn.over_sampling.RandomOverSampler(), LogisticRegression()).fit(_X, _Y),
    ("category-encoders", "target.pkl", "a target encoder"): lambda: category_encoders.TargetEncoder(cols=["site"]).fit(_FRAME[["site"]], _Y),
    ("category-encoders", "binary.pkl", "a binary encoder"): lambda: category_encoders.BinaryEncoder(cols=["site"]).fit(_FRAME[["site"]]),
    ("category-encoders", "one-hot.pkl", "a one-hot encoder"): lambda: category_encoders.OneHotEncoder(cols=["site"]).fit(_FRAME[["site"]]),
    ("lifelines", "kaplan-meier.pkl", "a survival curve"): lambda: lifelines.KaplanMeierFitter().fit(_FRAME["t"], _FRAME["e"]),
    ("lifelines", "cox.pkl", "a proportional hazards model"): lambda: lifelines.CoxPHFitter(penalizer=0.1).fit(_FRAME[["x", "t", "e"]], "t", "e"),
    ("hmmlearn", "gaussian.pkl", "a hidden Markov model"): lambda: hmmlearn.hmm.GaussianHMM(2, n_iter=3).fit(_X),
    ("hmmlearn", "categorical.pkl", "a hidden Markov model over symbols"): lambda: hmmlearn.hmm.CategoricalHMM(2, n_iter=3).fit(np.array([[0, 1, 2, 1] * 5]).T),
}  # fmt: skip
for (_library, _name, _says), _build in _OBJECTS.items():
    add(_library, _name, f"{_says}, pickled", pickled_later(_build))


def _als():
    model = implicit.als.AlternatingLeastSquares(factors=4, iterations=2, random_state=1)
    model.fit(scipy.sparse.random(12, 8, 0.3, format="csr", random_state=1), show_progress=False)
    return model


add("implicit", "als.npz", "a recommender, by its own save", lambda p: _als().save(str(p)))
add("implicit", "als.pkl", "a recommender, pickled", lambda p: p.write_bytes(pickle.dumps(_als())))
add(
    "statsmodels",
    "ols.joblib",
    "a linear model's results, joblib",
    lambda p: joblib.dump(_OBJECTS["statsmodels", "ols.pkl", "a linear model's results"](), p, compress=3),
)
