"""What is done beside the training: baselines and libraries, in a second process where it helps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Event

import numpy as np

from shoal.evaluation.baselines.flat_features import flat_features
from shoal.evaluation.baselines.series import forecast_of
from shoal.evaluation.baselines.tabular import learn_baselines, predict_by, rows_to_learn_from
from shoal.evaluation.scoring import joined_rows, prepared_rows
from shoal.helper_process import HelperProcess, take_spare
from shoal.report import warm_up
from shoal.resources import available_cores
from shoal.results import Task
from shoal.steps.posing import Posed

# What baselines, figures and the page need, and nothing before them.
LIBRARIES = ("sklearn.linear_model", "sklearn.ensemble", "matplotlib.figure", "scipy.special", "jinja2")

ROOM_FOR_TWO = 1_500_000_000
"""Bytes with which a second process, which takes 300 to 500 MB, is no matter."""


def open_helper(memory: int | None = None) -> HelperProcess:
    """Return a second process for baselines and figures where it helps: on two cores, while libraries are not loaded.

    What a process has loaded for its first fit, later ones find. Where `memory`, the bytes that both may take, is
    little, this process does it all.
    """
    if memory is not None and memory < ROOM_FOR_TWO:
        return HelperProcess(start=False)
    spare = take_spare()
    if spare is not None:
        return spare
    loaded = sys.modules.keys() & {"jax", "sklearn.ensemble"}
    return HelperProcess(start=available_cores() > 1 and not loaded)


def learn_meanwhile(
    helper: HelperProcess, posed: Posed, *, sealed: bool = False
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Begin to fit the baselines and return the function that predicts by them; the test rows are not looked at.

    Where these are `sealed`, baselines would be scored on nothing, and none is fitted.
    """
    dataset, split, preparation, seed = posed.dataset, posed.split, posed.preparation, posed.settings.seed
    draws = posed.settings.page
    if sealed or dataset.task is Task.RECONSTRUCTION:  # its baselines need the size of the code, which is chosen later
        if draws:
            helper.do(warm_up)
        return lambda _: {}
    train, validation = (
        prepared_rows(dataset, preparation, rows, posed.teaching_weights) for rows in (split.train, split.validation)
    )
    # the baselines learn from the rows that the networks saw; with folds these are one part
    rows = train if split.folds else joined_rows(train, validation)
    of_rows = rows.y if dataset.task is Task.CLASSIFICATION and rows.y.ndim == 1 else None
    rows = rows.some(rows_to_learn_from(len(rows.x), of_rows, seed))
    helper.load("sklearn.linear_model", "sklearn.ensemble")
    classes = len(dataset.classes)
    forecast = forecast_of(preparation)
    # images become few numbers here, rather than go to the other process
    seen = flat_features(rows.x) if rows.x.ndim == 4 else (lambda x: x)
    x = seen(rows.x)
    learned = helper.do(learn_baselines, dataset.task, x, rows.y, rows.weights, classes, seed, forecast, keep=True)
    training = Event()
    if draws:
        training.set()
    learned.then(lambda: training.is_set() and helper.do(warm_up))  # nobody needs the other process before the page

    def predict(x: np.ndarray) -> dict[str, np.ndarray]:
        training.clear()
        predicted = helper.do(predict_by, learned, seen(x))
        if draws and not learned.ready:
            warm_up()  # rather than wait for the baselines only
        return predicted.result()

    return predict
