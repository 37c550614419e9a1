"""What is done with finished runs: a cut on the score is chosen, runs are compared. The data need not be read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from shoal.data import ReadOptions
from shoal.errors import DataError, RunError, SettingError, listing, suggest
from shoal.evaluation.compare import Comparison, Contender, FoldScores
from shoal.evaluation.compare import compare as compare_rows
from shoal.evaluation.overtraining import signal_class
from shoal.evaluation.record import PredictedRows
from shoal.evaluation.selection import Events, Selection, Yields
from shoal.evaluation.selection import select as select_events
from shoal.results import Task
from shoal.run import Run, load

# What decides which row is in which fold.
_DEALING = ("cv", "repeats", "seed", "group", "time", "test_size", "validation_size", "test")


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
        signal: the class that is the signal; by default the one named so, else the second.
        options: how to read text files.

    Raises:
        SettingError: the run has not two classes, or yields that make no sense.
        DataError: rows that measure no efficiency.
        RunError: the run does not keep its rows.
    """
    run = run if isinstance(run, Run) else load(run)
    yields = Yields(signal_yield, background_yield, background_uncertainty, b_reg)
    number = _signal_of(run, signal)
    seed = int(run.metrics["seed"])
    if data is None:
        choosing, quoting = (_events(run.folder.scored(part), number) for part in ("validation", "test"))
        run.folder.count_opening()
        return select_events(choosing, quoting, yields, measure=measure, seed=seed)
    whole = _scored(run, data, options)
    half = np.random.default_rng(seed).permutation(len(whole.truth)) < len(whole.truth) // 2
    choosing, quoting = (_events(_some(whole, rows), number) for rows in (half, ~half))
    names: dict[str, Any] = {"chosen_on": "one half of the rows", "quoted_on": "the other half"}
    return select_events(choosing, quoting, yields, measure=measure, seed=seed, **names)


def compare(*runs: Run | str | Path) -> Comparison:
    """Compare runs with the first of them on the test rows that they have in common.

    Args:
        runs: two or more runs or their folders, fitted on the same data with the same split.

    Raises:
        RunError: their test rows differ; the message says how to make them agree.
    """
    opened = [run if isinstance(run, Run) else load(run) for run in runs]
    names = [run.name for run in opened]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in opened]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise RunError(f"{listing(repeated)} is given more than once; name different runs")
    found = compare_rows([_contender(run, name) for run, name in zip(opened, names, strict=True)])
    for run in opened:
        run.folder.count_opening()
    return found


def _signal_of(run: Run, signal: str | None) -> int:
    classes = run.predictor.preparation.classes
    if len(classes) != 2 or run.predictor.preparation.per_step:
        what = f"{len(classes)} classes" if classes else "numbers"
        raise SettingError(f"a selection tells signal from background, two classes of rows; {run.name} predicts {what}")
    if signal is None:
        return signal_class(classes)
    if signal not in classes:
        raise SettingError(f"signal must be one of {listing(classes)}, got {signal!r}.{suggest(signal, classes)}")
    return classes.index(signal)


def _events(rows: PredictedRows, signal: int) -> Events:
    weights = np.ones(len(rows.truth)) if rows.weights is None else rows.weights
    return Events(rows.guess[:, signal], rows.truth == signal, weights)


def _some(rows: PredictedRows, which: np.ndarray) -> PredictedRows:
    weights = None if rows.weights is None else rows.weights[which]
    return PredictedRows(rows.rows[which], rows.truth[which], rows.guess[which], weights)


def _scored(run: Run, data: Any, options: ReadOptions | None) -> PredictedRows:
    """Return other rows with what the run predicts for them."""
    rows = run.labelled(data, options)
    if len(rows.y) < 20:
        raise DataError(f"{len(rows.y)} rows are too few to choose a cut on one half and quote it on the other")
    guess = run.predictor.predict_features(rows.x).probabilities
    assert guess is not None
    return PredictedRows(np.arange(len(rows.y)), rows.y, guess, rows.weights)


def _contender(run: Run, name: str) -> Contender:
    metrics, config = run.metrics, run.folder.config
    settings = config["settings"]
    dealt = {key: settings.get(key) for key in _DEALING} | {"loss": settings.get("loss")}
    return Contender(
        name,
        Task(metrics["task"]),
        str(config["data"].get("sha256")),
        tuple(metrics["target"]),
        tuple(metrics["data"]["classes"]),
        run.folder.scored("test"),
        # rolling folds learn from ever more rows, which no resampling does that the corrected t test is made for
        _fold_scores(run) if metrics["search"]["cv"] and "rolling" not in metrics["search"] else None,
        dealt,
    )


def _fold_scores(run: Run) -> FoldScores:
    """Return the scores of the networks of the best kept candidate by repeat and fold."""
    best = run.metrics["search"]["kept"][0]["candidate"]
    table = run.networks.filter(run.networks["candidate_id"] == best)
    places = zip(table["repeat"].to_list(), table["fold"].to_list(), strict=True)
    return dict(zip(places, table["score"].to_list(), strict=True))
