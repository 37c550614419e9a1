"""scikit-learn's `MLPClassifier`, one at a time and in joblib's processes.

It computes no validation loss unless it stops early, and then from rows of its own choice: here it does without.
"""

from __future__ import annotations

import time
import warnings
from typing import Any

from work import Arrays, Work, arrays_of

from peers.base import Peer, Timing, available_cores, in_processes, one_epoch


def _fit(work: Work, rows: Arrays, seed: int) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        work.hidden,
        activation=work.activation,
        alpha=0.0,
        batch_size=work.batch_size,
        learning_rate_init=work.learning_rate,
        max_iter=work.epochs,
        n_iter_no_change=work.epochs + 1,  # all epochs are trained
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows.x, rows.y)


def _loss(model: Any, rows: Arrays) -> float:
    from sklearn.metrics import log_loss

    return float(log_loss(rows.validation_y, model.predict_proba(rows.validation_x)))


def train(work: Work, population: int) -> Timing:
    """Train networks one after the other."""
    rows = arrays_of(work)
    _fit(one_epoch(work), rows, 0)  # its modules are imported
    began = time.perf_counter()
    models = [_fit(work, rows, seed) for seed in range(population)]
    return Timing(time.perf_counter() - began, 0.0, _loss(models[0], rows))


def train_in_processes(work: Work, population: int) -> Timing:
    """Train networks in a process for each core; starting the processes counts as compiling."""
    rows = arrays_of(work)
    warm_up = [(one_epoch(work), rows, seed) for seed in range(available_cores())]
    models, seconds, started = in_processes(_fit, warm_up, [(work, rows, seed) for seed in range(population)])
    return Timing(seconds, started, _loss(models[0], rows))


SERIAL = Peer("sklearn", "scikit-learn", ("sklearn",), train, validates=False)
PROCESSES = Peer(
    "sklearn_joblib",
    "scikit-learn in joblib",
    ("sklearn", "joblib"),
    train_in_processes,
    together=True,
    validates=False,
)
