"""Yields by process: what each process adds to the scores of signal and background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.errors import DataError
from shoal.evaluation.cuts import Events, Selection, yields_of
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.signal import signal_class
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.scored_rows import ScoredRows
from shoal.statistics.significance import Yields
from shoal.statistics.weighted import histogram

BINS = 20
MOST_PROCESSES = 12
OTHERS = "others"


@dataclass(frozen=True)
class Process:
    """The events of one process among the test rows.

    Attributes:
        name: of the process.
        signal: whether its class is the signal.
        rows: how many.
        events, error: the sum of the weights, and `sqrt(sum w²)`, times the factor of its class.
        kept, kept_error: alike, of those behind the cut; None without one.
        bins, bin_errors: alike, in each bin of the score.
    """

    name: str
    signal: bool
    rows: int
    events: float
    error: float
    kept: float | None
    kept_error: float | None
    bins: np.ndarray
    bin_errors: np.ndarray


@dataclass(frozen=True)
class Processes:
    """The processes, background first and the smallest first within a class, as they are stacked.

    Attributes:
        column: that names them.
        edges: of the bins of the score.
        processes: see `Process`.
        scaled: whether classes are scaled to expected yields; else events are sums of weights of the test rows.
        cut: that was chosen, or None.
    """

    column: str
    edges: np.ndarray
    processes: tuple[Process, ...]
    scaled: bool
    cut: float | None


def measure(evaluation: Evaluation) -> Processes | None:
    """Return the yields by process, where a column names the processes; why there are none becomes a warning."""
    fitted, settings = evaluation.fitted, evaluation.fitted.settings.given()
    column = settings.get("process")
    if column is None:
        return None
    test, selection = evaluation[ScoredRows].parts["test"], evaluation.record(Selection)
    names = fitted.dataset.table[test.rows].get_column(column).cast(pl.String).fill_null("missing").to_list()
    try:
        events = Events.of(test, signal_class(fitted.dataset.classes, settings.get("signal")))
    except DataError as error:
        evaluation.warnings.append(f"There are no yields by {column}: {error}")
        return None
    return by_process(column, names, events, yields_of(settings), None if selection is None else selection.cut)


def by_process(
    column: str, names: Sequence[str], events: Events, yields: Yields | None, cut: float | None
) -> Processes:
    """Return the yields of events by their process.

    Args:
        column: that names the processes.
        names: the process of each event.
        events: with their scores.
        yields: to which signal and background are scaled, or None.
        cut: on the score, or None.
    """
    process, weights = np.array(names, object), np.array(events.weights, np.float64)
    if yields is not None:
        for rows, expected in ((events.signal, yields.signal), (~events.signal, yields.background)):
            weights[rows] *= expected / weights[rows].sum()
    processes = [
        _process(str(name), of_class, events.score, weights, cut, (events.signal == of_class) & (process == name))
        for of_class in (False, True)
        for name in _largest(process, weights, events.signal == of_class)
    ]
    return Processes(column, np.linspace(0.0, 1.0, BINS + 1), tuple(processes), yields is not None, cut)


def _largest(names: np.ndarray, weights: np.ndarray, rows: np.ndarray) -> list[str]:
    """Return the processes of some rows, the smallest first; many small ones are renamed in place to `others`."""
    known, process = np.unique(names[rows].astype(str), return_inverse=True)
    order = np.argsort(np.bincount(process, weights[rows], minlength=len(known)), kind="stable")
    few = [str(known[i]) for i in order]
    if len(few) <= MOST_PROCESSES:
        return few
    small = few[: len(few) - MOST_PROCESSES + 1]
    names[rows & np.isin(names.astype(str), small)] = OTHERS
    return [OTHERS, *few[len(small) :]]


def _process(
    name: str, signal: bool, score: np.ndarray, weights: np.ndarray, cut: float | None, rows: np.ndarray
) -> Process:
    score, weights = score[rows], weights[rows]
    bins, errors = histogram(score, np.linspace(0.0, 1.0, BINS + 1), weights)
    kept = weights[score >= cut] if cut is not None else None
    return Process(
        name,
        signal,
        rows=len(score),
        events=float(weights.sum()),
        error=float(np.sqrt(weights @ weights)),
        kept=None if kept is None else float(kept.sum()),
        kept_error=None if kept is None else float(np.sqrt(kept @ kept)),
        bins=bins,
        bin_errors=errors,
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return the events of each process, without the bins."""
    shown = record[Processes]
    return {
        "processes": {
            "column": shown.column,
            "scaled_to_yields": shown.scaled,
            "cut": shown.cut,
            "processes": [
                {name: value for name, value in asdict(process).items() if not name.startswith("bin")}
                for process in shown.processes
            ],
        }
    }


TOPIC = Topic(122, Processes, measure, numbers)
