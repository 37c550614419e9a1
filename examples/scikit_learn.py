"""
In scikit-learn
===============

A pipeline, a grid search, stacking and calibration on mixed data, beside two of scikit-learn's own classifiers.
"""

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import shoal

# Made data: text, numbers of which some are missing, and a truth value.
rng = np.random.default_rng(0)
rows = 600
X = pd.DataFrame(
    {
        "site": rng.choice(["north", "south", "west"], rows),
        "length": rng.normal(size=rows),
        "mass": rng.lognormal(size=rows),
        "wet": rng.random(rows) < 0.3,
    }
)
score = np.where(X["site"] == "north", 1.5, -1.0) * X["length"] + np.log(X["mass"]) + X["wet"]
y = np.where(score + rng.logistic(scale=0.4, size=rows) > 0.3, "present", "absent")
X.loc[rng.random(rows) < 0.1, "mass"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# shoal takes the data frame as it is; the multilayer perceptron needs columns prepared.
numbers = make_pipeline(SimpleImputer(), StandardScaler())
prepare = make_column_transformer((OneHotEncoder(), ["site", "wet"]), (numbers, ["length", "mass"]))
network = shoal.ShoalClassifier(networks=8)
trees = make_pipeline(
    make_column_transformer((OneHotEncoder(sparse_output=False), ["site"]), remainder="passthrough"),
    HistGradientBoostingClassifier(random_state=0),
)
models = {
    "shoal": network,
    "shoal in a pipeline": make_pipeline(prepare, network),
    "grid search": GridSearchCV(shoal.ShoalClassifier(networks=2), {"hidden": [(8,), (32,)], "l2": [0.0, 0.1]}, cv=3),
    "calibrated": CalibratedClassifierCV(network, cv=3),
    "stacked": StackingClassifier([("shoal", network), ("trees", trees)], LogisticRegression(), cv=3),
    "MLPClassifier": make_pipeline(prepare, MLPClassifier(max_iter=1000, random_state=0)),
    "HistGradientBoosting": trees,
}
for name, model in models.items():
    model.fit(X_train, y_train)
    probabilities = model.predict_proba(X_test)
    accuracy = accuracy_score(y_test, model.predict(X_test))
    print(f"{name:22} accuracy {accuracy:.3f}, log-loss {log_loss(y_test, probabilities):.3f}")

# %%
# What a fit says of itself, on rows that chose its networks.
print(models["shoal"].verdict_)
