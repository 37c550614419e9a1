"""scikit-learn's `RandomizedSearchCV` over `MLPClassifier`, one job a core, one fold: the same validation rows.

It has four activations and no dropout; the other two activations and dropout are left to those who have them.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from candidates import draw_candidates
from work import Arrays, split_set

from peers.base import available_cores
from peers.searches import within

NEEDS = ("sklearn", "joblib")
LABEL = "scikit-learn RandomizedSearchCV"
NAMES = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "silu": "relu", "gelu": "relu", "elu": "tanh"}


def settings(candidates: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """Return the candidates as `RandomizedSearchCV` takes them, each a space of one point."""
    return [
        {
            "hidden_layer_sizes": [each["hidden"]],
            "activation": [NAMES[each["activation"]]],
            "learning_rate_init": [each["learning_rate"]],
            "alpha": [each["l2"] / rows],
        }
        for each in candidates
    ]


def search(data: str, count: int, epochs: int, limit: float) -> dict[str, float]:
    """Search until the time limit."""
    rows = split_set(data)
    spaces = settings(draw_candidates(count), len(rows.x))
    return within(limit, count, 4 * available_cores(), lambda start, number: _try(rows, spaces, start, number, epochs))


def _try(rows: Arrays, spaces: list[dict[str, Any]], start: int, number: int, epochs: int) -> float:
    from joblib import parallel_config
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier

    x, y = np.concatenate([rows.x, rows.validation_x]), np.concatenate([rows.y, rows.validation_y])
    fold = PredefinedSplit(np.repeat([-1, 0], [len(rows.x), len(rows.validation_x)]))
    network = MLPClassifier(batch_size=32, max_iter=epochs, n_iter_no_change=epochs + 1, random_state=start)
    taken = spaces[start : start + number]
    tuner = RandomizedSearchCV(
        network, taken, n_iter=len(taken), scoring="neg_log_loss", cv=fold, n_jobs=available_cores(), refit=False
    )
    with warnings.catch_warnings(), parallel_config("loky", inner_max_num_threads=1):
        warnings.simplefilter("ignore")
        tuner.fit(x, y)
    return -float(tuner.best_score_)
