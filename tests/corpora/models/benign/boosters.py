"""Gradient boosting: XGBoost, LightGBM and CatBoost, in their own formats and pickled."""

import pickle

import catboost
import joblib
import lightgbm
import numpy as np
import xgboost

from tests.corpora.models.benign.recipe import add

_RNG = np.random.default_rng(3)
_X = _RNG.normal(size=(40, 4))
_Y = (_X[:, 0] > 0).astype(int)


def _xgb(kind=xgboost.XGBClassifier, target=_Y):
    return kind(n_estimators=2, max_depth=2).fit(_X, target)


def _xgb_ranker():
    return xgboost.XGBRanker(n_estimators=2, max_depth=2).fit(_X, _Y, group=[20, 20])


add("xgboost", "model.json", "a model as JSON", lambda p: _xgb().save_model(p))
add("xgboost", "model.ubj", "a model as UBJSON", lambda p: _xgb().save_model(p))
add(
    "xgboost",
    "regressor.json",
    "a regressor as JSON",
    lambda p: _xgb(xgboost.XGBRegressor, _X[:, 0]).save_model(p),
)
add("xgboost", "classifier.pkl", "a classifier, pickled", lambda p: p.write_bytes(pickle.dumps(_xgb())))
add(
    "xgboost",
    "regressor.joblib",
    "a regressor, joblib",
    lambda p: joblib.dump(_xgb(xgboost.XGBRegressor, _X[:, 0]), p),
)
add("xgboost", "ranker.pkl", "a ranker, pickled", lambda p: p.write_bytes(pickle.dumps(_xgb_ranker())))
add(
    "xgboost",
    "forest.pkl",
    "a random forest, pickled",
    lambda p: p.write_bytes(pickle.dumps(_xgb(xgboost.XGBRFClassifier))),
)
add(
    "xgboost",
    "booster.pkl",
    "a bare booster, pickled",
    lambda p: p.write_bytes(pickle.dumps(_xgb().get_booster())),
)
add(
    "xgboost",
    "config.json",
    "a booster's configuration",
    lambda p: p.write_text(_xgb().get_booster().save_config()),
)


def _lgb(kind=lightgbm.LGBMClassifier, target=_Y):
    return kind(n_estimators=2, num_leaves=3, verbose=-1).fit(_X, target)


add("lightgbm", "model.txt", "a model as text", lambda p: _lgb().booster_.save_model(str(p)))
add(
    "lightgbm",
    "model.json",
    "a model as JSON",
    lambda p: p.write_text(__import__("json").dumps(_lgb().booster_.dump_model())),
)
add("lightgbm", "classifier.pkl", "a classifier, pickled", lambda p: p.write_bytes(pickle.dumps(_lgb())))
add(
    "lightgbm",
    "regressor.joblib",
    "a regressor, joblib",
    lambda p: joblib.dump(_lgb(lightgbm.LGBMRegressor, _X[:, 0]), p),
)
add(
    "lightgbm",
    "booster.pkl",
    "a bare booster, pickled",
    lambda p: p.write_bytes(pickle.dumps(_lgb().booster_)),
)


def _cat(kind=catboost.CatBoostClassifier, target=_Y):
    return kind(iterations=2, depth=2, verbose=0, allow_writing_files=False).fit(_X, target)


add("catboost", "model.cbm", "a model in CatBoost's format", lambda p: _cat().save_model(str(p)))
add("catboost", "model.json", "a model as JSON", lambda p: _cat().save_model(str(p), format="json"))
add("catboost", "model.onnx", "a model as ONNX", lambda p: _cat().save_model(str(p), format="onnx"))
add(
    "catboost",
    "model.pmml",
    "a model as PMML",
    lambda p: _cat(catboost.CatBoostRegressor, _X[:, 0]).save_model(str(p), format="pmml"),
)
add("catboost", "classifier.pkl", "a classifier, pickled", lambda p: p.write_bytes(pickle.dumps(_cat())))
add(
    "catboost",
    "regressor.joblib",
    "a regressor, joblib",
    lambda p: joblib.dump(_cat(catboost.CatBoostRegressor, _X[:, 0]), p),
)
