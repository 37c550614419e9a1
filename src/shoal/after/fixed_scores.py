"""What a model loses in fixed point: the scores of both on validation rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shoal.after.rows_of_fit import RowsOfFit
from shoal.evaluation.scoring import prepared_rows
from shoal.export.example_rows import ExampleRows, example_rows
from shoal.run import Run
from shoal.statistics.metrics import metrics_for

MOST_ROWS = 5000
GUESSES = ("probabilities", "mean", "reconstruction")


@dataclass(frozen=True)
class FixedScores:
    """Scores by the run's own metrics, by their names, in floating and in fixed point.

    Attributes:
        rows: how many were scored.
        kind: of the rows, `validation`, or with folds `training`, which some of the networks learned from.
        values: of each metric, in floating and in fixed point.
    """

    rows: int
    kind: str
    values: Mapping[str, tuple[float, float]]

    def __str__(self) -> str:
        scores = ", ".join(f"{name} {was:.4g} → {now:.4g}" for name, (was, now) in self.values.items())
        return f"On {self.rows} {self.kind} rows, in floating → fixed point: {scores}."


def seen_rows(run: Run, fit: RowsOfFit) -> tuple[np.ndarray, ExampleRows]:
    """Return places of validation rows, or with folds of training rows, and these rows."""
    rows = fit.validation(run.predictor)[0][:MOST_ROWS]
    return rows, example_rows(
        run.predictor, fit.dataset.inputs(rows), "validation" if fit.folds is None else "training"
    )


def fixed_scores(
    run: Run, fit: RowsOfFit, rows: np.ndarray, seen: ExampleRows, said: Mapping[str, np.ndarray]
) -> FixedScores:
    """Return the scores of rows.

    Args:
        run: the run.
        fit: its rows.
        rows: places of those that are scored.
        seen: the same with what shoal says of them.
        said: what fixed point says of them.
    """
    preparation = run.predictor.preparation
    prepared = prepared_rows(fit.dataset, preparation, rows, fit.dataset.weights())
    scored = prepared.scored(preparation.task)
    guess = next(name for name in GUESSES if name in said)
    metrics = {metric.name: metric for metric in (*run.wanted_metrics(), *metrics_for(preparation.task))}

    def score(name: str, values: np.ndarray) -> float:
        shape = seen.answers[guess].shape if guess != "reconstruction" else prepared.y.shape
        return float(metrics[name](scored.truth, scored.taken(np.asarray(values).reshape(shape)), scored.weights))

    values = {name: (score(name, seen.answers[guess]), score(name, said[guess])) for name in metrics}
    return FixedScores(len(rows), seen.kind, values)
