"""A cut on the score of a finished run, chosen for the yields that are expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shoal.after.opening import as_run
from shoal.data import ReadOptions
from shoal.errors import DataError, SettingError
from shoal.evaluation.cuts import Events, Selection
from shoal.evaluation.cuts import select as select_events
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.signal import signal_class
from shoal.run import Run
from shoal.statistics.significance import Yields


def select(
    run: Run | str | Path,
    data: Any = None,
    *,
    signal_yield: float,
    background_yield: float,
    background_uncertainty: float = 0.0,
    b_reg: float = 10.0,
    measure: str = "asimov",
    signal: str | None = None,
    options: ReadOptions | None = None,
) -> Selection:
    """Choose a cut on the score of a run with two classes for the yields that are expected.

    Without `data` the cut is chosen on the validation rows and quoted on the test rows, as the run keeps them. Other
    labelled data, which no network learned from, are divided: one half at random chooses, the other is quoted.

    Args:
        run: a run or its folder.
        data: other rows with targets (and weights), as for `Run.evaluate`.
        signal_yield: expected signal events before the cut.
        background_yield: expected background events before the cut.
        background_uncertainty: relative uncertainty of the background, e.g. 0.1.
        b_reg: background added in the AMS.
        measure: what the cut shall make large: `asimov`, `ams`, `s/sqrt(b)` or `s/sqrt(s+b)`.
        signal: the class that is the signal; by default that of the fit, or the one named so, else the second.
        options: how to read text files.

    Raises:
        SettingError: the run has not two classes, or yields that make no sense.
        DataError: rows that measure no efficiency.
        RunError: the run does not keep its rows.
    """
    run = as_run(run)
    yields = Yields(signal_yield, background_yield, background_uncertainty, b_reg)
    number = signal_of(run, signal)
    seed = int(run.metrics["seed"])
    if data is None:
        choosing, quoting = (Events.of(run.folder.scored(part), number) for part in ("validation", "test"))
        run.count_opening("select")
        return select_events(choosing, quoting, yields, measure=measure, seed=seed)
    predicted = _predicted(run, data, options)
    half = _half(predicted, seed)
    choosing, quoting = (Events.of(_some(predicted, rows), number) for rows in (half, ~half))
    names: dict[str, Any] = {"chosen_on": "one half of the rows", "quoted_on": "the other half"}
    return select_events(choosing, quoting, yields, measure=measure, seed=seed, **names)


def signal_of(run: Run, signal: str | None) -> int:
    """Return the number of the signal class: the one named, or that of the fit, or whose name says so.

    Raises:
        SettingError: the run does not tell two classes of rows apart, or there is no such class.
    """
    classes = run.predictor.preparation.classes
    if len(classes) != 2 or run.predictor.preparation.per_step:
        what = f"{len(classes)} classes" if classes else "numbers"
        raise SettingError(f"a selection tells signal from background, two classes of rows; {run.name} predicts {what}")
    return signal_class(classes, signal or run.folder.config["settings"].get("signal"))


def _half(rows: PredictedRows, seed: int) -> np.ndarray:
    """Return which rows are in a random half, `(rows,)`; rows of one group are in the same."""
    units = np.arange(len(rows.truth)) if rows.groups is None else rows.groups
    count = int(units.max()) + 1
    return np.asarray(np.random.default_rng(seed).permutation(count) < count // 2)[units]


def _some(rows: PredictedRows, which: np.ndarray) -> PredictedRows:
    weights, groups = (None if each is None else each[which] for each in (rows.weights, rows.groups))
    return PredictedRows(rows.rows[which], rows.truth[which], rows.guess[which], weights, groups)


def _predicted(run: Run, data: Any, options: ReadOptions | None) -> PredictedRows:
    """Return other rows with what the run predicts for them."""
    rows = run.labelled(data, options)
    if len(rows.y) < 20:
        raise DataError(f"{len(rows.y)} rows are too few to choose a cut on one half and quote it on the other")
    guess = run.predictor.predict_features(rows.x).probabilities
    assert guess is not None
    return PredictedRows(np.arange(len(rows.y)), rows.y, guess, rows.weights, rows.groups)
