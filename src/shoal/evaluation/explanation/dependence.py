"""How the answer changes with one column: partial dependence, and accumulated local effects.

Partial dependence (Friedman, Ann. Stat. 29, 1189, 2001) sets the column to a value v in every row,

    PD(v) = sum_i w_i f(v, other columns of row i) / sum_i w_i.

Where columns go together, it asks about rows that cannot exist. Accumulated local effects (Apley and Zhu, J. R. Stat.
Soc. B 82, 1059, 2020) only move each row within its own interval between neighbouring values of the grid,

    ALE(z_k) = sum over intervals j <= k of the mean over their rows of f(z_j, ...) - f(z_j-1, ...), less its mean.

For columns that are independent of the others both are the same but for a constant. Categories have no order along
which effects could accumulate. f is the mean over the members before calibration, so that each curve is the mean of the
members' curves; the band is their standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.explanation.grid import filled, grid_of, nearest, rug_of
from shoal.evaluation.explanation.subject import ColumnFeatures, Subject, Tell, error_of_mean, silent
from shoal.prediction.replicas import data_spread
from shoal.short_repr import ShortRepr
from shoal.statistics.weighted import weighted_mean

ROWS_OF_REPLICAS = {"partial": 100, "accumulated": 500}
"""Rows that replicas, of which there are many, are asked about; for partial dependence once for each value."""
MOST_CURVES = 60
MISSING, OTHER = "missing", "other"

AnswerFunction = Callable[[np.ndarray], np.ndarray]
"""Prepared rows to outputs, `(..., rows, outputs)`."""


@stored("effect")
@dataclass(frozen=True, repr=False)
class EffectCurve(ShortRepr):
    """A curve over a grid, `(grid, outputs)` each.

    Attributes:
        mean: of the members.
        members: standard deviation over the members; NaN where there is one.
        rows: standard error that the finite rows leave.
        data: standard deviation over the replicas, or None without them.
    """

    mean: np.ndarray
    members: np.ndarray
    rows: np.ndarray
    data: np.ndarray | None = None


@stored("dependence")
@dataclass(frozen=True, repr=False)
class Dependence(ShortRepr):
    """How the answer changes with one column.

    Attributes:
        column: its name.
        kind: `number`, `date`, `boolean` or `category`.
        grid: `(grid,)` values, dates in days since 1970; or the names of categories.
        counts: `(grid,)` the sum of the weights of the rows that are nearest to each value.
        outputs: names of the classes, or of the target.
        partial: partial dependence.
        accumulated: accumulated local effects, whose mean is 0; None of categories.
        level: `(outputs,)` the mean answer for the rows as they are, to which accumulated effects add.
        rug: some values of the rows.
        missing: rows without a value, which take no part in accumulated effects.
        together_with: columns that go together with this one; then accumulated effects are the ones to look at.
        curves: `(rows, grid, outputs)` of single rows, or None.
    """

    column: str
    kind: str
    grid: np.ndarray | tuple[str, ...]
    counts: np.ndarray
    outputs: tuple[str, ...]
    partial: EffectCurve
    accumulated: EffectCurve | None
    level: np.ndarray
    rug: np.ndarray
    missing: int = 0
    together_with: tuple[str, ...] = ()
    curves: np.ndarray | None = None

    @property
    def effect(self) -> EffectCurve:
        """The effect that is to be looked at: the accumulated one of columns that go with others, else the partial."""
        return self.accumulated if self.together_with and self.accumulated is not None else self.partial

    @property
    def preferred(self) -> str:
        """Which of the two is to be looked at, `accumulated` or `partial`."""
        return "accumulated" if self.effect is self.accumulated else "partial"

    @property
    def spread(self) -> float:
        """The largest standard deviation over the rows of the effect that is to be looked at."""
        w, mean = np.maximum(self.counts, 0.0), self.effect.mean
        centred = mean - np.average(mean, axis=0, weights=w)
        return float(np.sqrt(np.average(centred**2, axis=0, weights=w)).max())

    def table(self) -> dict[str, Any]:
        """Return the curves as columns, one row for each output and value."""
        names, count = np.asarray(self.grid, object).astype(str), len(self.grid)

        def flat(values: np.ndarray) -> np.ndarray:
            return np.asarray(values).T.ravel()

        columns: dict[str, Any] = {
            "column": [self.column] * count * len(self.outputs),
            "output": np.repeat(np.asarray(self.outputs, object), count).tolist(),
            "value": np.tile(names, len(self.outputs)).tolist(),
            "rows": np.tile(self.counts, len(self.outputs)),
        }
        empty = np.full(self.partial.mean.shape, np.nan)
        for name, effect in (("partial", self.partial), ("accumulated", self.accumulated)):
            parts = [empty] * 3 if effect is None else [effect.mean, effect.members, effect.rows]
            for end, values in zip(("", "_members", "_rows"), parts, strict=True):
                columns[name + end] = flat(values)
            if self.partial.data is not None:
                columns[f"{name}_data"] = flat(empty if effect is None or effect.data is None else effect.data)
        return columns

    def as_dict(self) -> dict[str, Any]:
        """Return the curves as plain data for JSON."""

        def plain(effect: EffectCurve | None) -> dict[str, Any] | None:
            return None if effect is None else {name: v for name, v in vars(effect).items() if v is not None}

        return {
            "column": self.column,
            "kind": self.kind,
            "grid": self.grid,
            "counts": self.counts,
            "outputs": list(self.outputs),
            "partial_dependence": plain(self.partial),
            "accumulated_local_effects": plain(self.accumulated),
            "mean_answer": self.level,
            "missing": self.missing,
            "together_with": list(self.together_with),
            "look_at": self.preferred,
            **({} if self.curves is None else {"curves": self.curves}),
        }


def dependence(
    subject: Subject, name: str, *, together_with: Sequence[str] = (), curves: bool = False, tell: Tell = silent
) -> Dependence:
    """Return how the answer changes with a column.

    Args:
        subject: an ensemble and rows with their table; their truth need not be known.
        name: of the column.
        together_with: the columns that go together with it.
        curves: whether those of single rows are wanted, too.
        tell: hears how far the work is.

    Raises:
        SettingError: the ensemble does not predict from such a column.
        DataError: the column has fewer than two values in these rows.
    """
    column = subject.column(name)
    assert subject.table is not None
    grid: np.ndarray | tuple[str, ...]
    values, edges = np.empty(0), None
    if column.kind == "category":
        grid, features, place = _categories(subject, column)
    else:
        values = column.values(subject.table)
        edges = grid_of(values, name)
        grid = filled(edges, values)
        features, place = column.encode(grid), nearest(grid, values)
    tell(f"effect of {name}")
    counts = np.bincount(place[place >= 0], subject.w[place >= 0], minlength=len(grid))
    partial, rows_curves = _partial(subject, column, features, curves)
    accumulated = None if edges is None or column.kind == "boolean" else _accumulated(subject, column, edges)
    if accumulated is not None and edges is not None:
        accumulated = _at(accumulated, edges, np.asarray(grid))
    return Dependence(
        name,
        column.kind,
        grid,
        counts,
        subject.outputs,
        partial,
        accumulated,
        weighted_mean(subject.answers(subject.x).mean(axis=0), subject.w),
        rug_of(values),
        int(np.isnan(values).sum()),
        tuple(together_with),
        rows_curves,
    )


def _at(effect: EffectCurve, edges: np.ndarray, grid: np.ndarray) -> EffectCurve:
    """Return accumulated effects, which are linear between the edges, at the values of the grid."""

    def at(curve: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(grid, edges, output) for output in curve.T], axis=1)

    data = None if effect.data is None else at(effect.data)
    return EffectCurve(at(effect.mean), at(effect.members), at(effect.rows), data)


def _categories(subject: Subject, column: ColumnFeatures) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return the categories of a column, their features, and the place of each row among them."""
    names = [name.removeprefix(f"{column.name}=") for name in column.encoder.names]
    if getattr(column.encoder, "marker", False):
        names[-1] = MISSING
    levels = subject.x[:, column.features]
    place = np.where(levels.any(axis=1), levels.argmax(axis=1), -1)
    return tuple(names), np.eye(len(names), dtype=np.float32), place


def _partial(
    subject: Subject, column: ColumnFeatures, features: np.ndarray, curves: bool
) -> tuple[EffectCurve, np.ndarray | None]:
    """Return the partial dependence, and if wanted the curves of some rows."""
    few = np.unique(np.linspace(0, len(subject) - 1, min(MOST_CURVES, len(subject))).round().astype(int))
    members_means, errors, rows_answers = [], [], []
    for value in features:
        answers = subject.answers(_set(subject.x, column, value))
        ensemble = answers.mean(axis=0)
        members_means.append(weighted_mean(answers, subject.w, axis=1))
        errors.append(error_of_mean(ensemble, subject.w, subject.groups))
        rows_answers.append(ensemble[few])
    members = np.stack(members_means, axis=1)
    data = _replicas(subject, "partial", lambda few, answers: partial_dependence(answers, few, column, features))
    effect = EffectCurve(members.mean(axis=0), _deviation(members), np.stack(errors), data)
    return effect, np.stack(rows_answers, axis=1) if curves else None


def partial_dependence(
    answers: AnswerFunction, subject: Subject, column: ColumnFeatures, features: np.ndarray
) -> np.ndarray:
    """Return the partial dependence of any function of prepared rows, `(..., grid, outputs)`.

    Args:
        answers: the function.
        subject: whose rows are averaged over.
        column: which one.
        features: of the values that it is set to, `(grid, features)`.
    """
    of_values = [answers(_set(subject.x, column, value)) for value in features]
    return np.stack([weighted_mean(outputs, subject.w, axis=outputs.ndim - 2) for outputs in of_values], axis=-2)


def _set(x: np.ndarray, column: ColumnFeatures, value: np.ndarray) -> np.ndarray:
    changed = x.copy()
    changed[:, column.features] = value
    return changed


def _accumulated(subject: Subject, column: ColumnFeatures, edges: np.ndarray) -> EffectCurve:
    features = column.encode(edges)

    def accumulate(rows: Subject, answers: AnswerFunction) -> tuple[np.ndarray, np.ndarray]:
        assert rows.table is not None
        values = column.values(rows.table)
        present = np.isfinite(values)
        rows = rows.taken(np.flatnonzero(present))
        return accumulated_effects(answers, rows, column, values[present], edges, features)

    curve, errors = accumulate(subject, subject.answers)
    data = _replicas(subject, "accumulated", lambda few, answers: accumulate(few, answers)[0])
    return EffectCurve(curve.mean(axis=0), _deviation(curve), errors, data)


def accumulated_effects(
    answers: AnswerFunction,
    subject: Subject,
    column: ColumnFeatures,
    values: np.ndarray,
    edges: np.ndarray,
    features: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the accumulated local effects of any function of prepared rows, and their error by the finite rows.

    Args:
        answers: the function, `(rows, features)` to `([members,] rows, outputs)`.
        subject: whose rows are moved within their intervals.
        column: which one.
        values: of the column, `(rows,)`.
        edges: of the intervals, `(grid,)` rising.
        features: of the edges.

    Returns:
        `([members,] grid, outputs)`, whose mean over the rows is 0; and `(grid, outputs)` of the mean over the members.
    """
    upper = np.clip(np.searchsorted(edges, values), 1, len(edges) - 1)
    ends = [subject.x.copy(), subject.x.copy()]
    for x, place in zip(ends, (upper - 1, upper), strict=True):
        x[:, column.features] = features[place]
    low, high = (answers(x) for x in ends)
    change = high - low
    steps, variances = [], []
    for k in range(1, len(edges)):
        inside = upper == k
        w = subject.w[inside]
        w = w if w.sum() > 0 else np.ones(len(w))  # what negative weights leave of an interval is no mean
        some = change[..., inside, :]
        steps.append(weighted_mean(some, w, axis=some.ndim - 2) if len(w) else 0.0 * change[..., 0, :])
        of_all = some if some.ndim == 2 else some.mean(axis=0)
        variances.append(error_of_mean(of_all, w) ** 2 if len(w) > 1 else np.zeros(some.shape[-1]))
    start = np.zeros_like(change[..., :1, :])
    stepped = np.stack(steps, axis=-2)
    curve = np.concatenate([start, np.cumsum(stepped, axis=-2)], axis=-2)
    above = _shares_above(values, edges, upper, subject.w)
    mean = np.tensordot(stepped, above, axes=([stepped.ndim - 2], [0]))
    return curve - mean[..., None, :], _error_of_sums(np.stack(variances), above)


def _shares_above(values: np.ndarray, edges: np.ndarray, upper: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return how much of each step the rows have behind them, in their weighted mean, `(intervals,)`.

    Between the edges the curve is linear, so that a row has the part of its own step that lies below it.
    """
    part = (values - edges[upper - 1]) / (edges[upper] - edges[upper - 1])
    count = len(edges) - 1
    inside, passed = (np.bincount(upper - 1, weights, minlength=count) for weights in (w, w * part))
    return np.asarray((np.cumsum(inside[::-1])[::-1] - inside + passed) / w.sum())


def _error_of_sums(variances: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return the error of centred sums of independent steps, `(grid, outputs)`, from the variances of the steps.

    Step j enters the curve at z_k with 1 if j <= k, less what the rows have of it in the mean.
    """
    steps = np.arange(1, len(above) + 1)
    enters = (steps[None, :] <= np.arange(len(above) + 1)[:, None]) - above[None, :]
    return np.asarray(np.sqrt(enters**2 @ variances))


def _deviation(members: np.ndarray) -> np.ndarray:
    return np.std(members, axis=0) if len(members) > 1 else np.full(members.shape[1:], np.nan)


def _replicas(subject: Subject, form: str, curve: Callable[[Subject, AnswerFunction], np.ndarray]) -> np.ndarray | None:
    """Return the spread over the replicas of a curve, or None without them."""
    if not subject.predictor.replicas:
        return None
    few, explained = subject.at_most(ROWS_OF_REPLICAS[form]), list(subject.explained)
    return data_spread(
        subject.predictor.replicas, lambda replica: curve(few, lambda x: subject.answer(replica, x)[..., explained])
    )
