"""How long the estimators fit beside scikit-learn's perceptrons: seconds (least of five) and their ratio."""

from __future__ import annotations

import sys
import time
import warnings
from typing import Any

from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import shoal

REPEATS = 5


def seconds(model: Any, X: Any, y: Any) -> float:
    """Return the least of several times to fit, after one fit that loads what is needed."""
    model.fit(X, y)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        model.fit(X, y)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    warnings.simplefilter("ignore", ConvergenceWarning)
    sets = {"iris": (load_iris, True), "breast cancer": (load_breast_cancer, True), "diabetes": (load_diabetes, False)}
    for name, (load, classes) in sets.items():
        X, y = load(return_X_y=True)
        ours = shoal.ShoalClassifier if classes else shoal.ShoalRegressor
        theirs = (MLPClassifier if classes else MLPRegressor)(early_stopping=classes, max_iter=1000, random_state=0)
        alone = seconds(make_pipeline(StandardScaler(), theirs), X, y)
        for networks in (1, 8):
            took = seconds(ours(networks=networks), X, y)
            print(f"{name:14} {len(X):4} rows, networks={networks}: {took:.3f} s, {took / alone:.2f} × {theirs!r}")
    print("jax loaded:", "jax" in sys.modules)


if __name__ == "__main__":
    main()
