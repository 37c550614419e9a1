"""Which part of a single answer each column has.

Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) go in a straight line from a baseline x' to the row x,

    part of column c = integral over a from 0 to 1 of the derivative of f(x' + a (x - x')) along column c,

the derivative by central differences in float64, which needs no jax. The features of a column move together, so that
its part is the sum over them. Shapley values (Shapley, 1953; by sampling, Strumbelj and Kononenko, Knowl. Inf. Syst.
41, 647, 2014) begin at rows of the background and give them the columns of the row one after the other, in random order
and then in the reverse one; the part of a column is the mean change. They ask for no derivative and no half categories.

Both are complete: the parts add up to the answer less that of the baseline, or less the mean answer of the background.
f is the mean over the members before calibration, so that a part is the mean of the members' parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.explanation.subject import Subject, Tell, error_of_mean, silent
from shoal.short_repr import ShortRepr
from shoal.statistics.weighted import weighted_mean

METHODS = ("auto", "gradients", "shapley")
STEPS = 256
"""Places on the way from baseline to row; the derivatives of rectifiers jump."""
ORDERS = 500
"""Orders of the columns that are drawn; each is used in both directions."""
CHANGE = 1e-6
"""Of the way, for central differences: with float64 the error of a derivative is about 1e-10."""
WALKS = 2
"""The path of the stream of orders."""


@stored("attribution.parts")
@dataclass(frozen=True, repr=False)
class Attribution(ShortRepr):
    """The parts that columns have in the answer for one row.

    Attributes:
        row: its place among the rows, from 0.
        number: where it stands in the data, from 1; 0 where that is not known.
        method: `gradients` or `shapley`.
        output: the class or target that is asked about.
        columns: their names.
        values: what the row holds, as text.
        parts: `(columns,)`, the mean over the members.
        members: `(columns,)`, standard deviation over the members; NaN where there is one.
        sampling: `(columns,)`, standard error of the orders that were drawn; 0 for gradients.
        answer, baseline: the mean over the members for the row, and for the baseline or the background.
        answer_members: standard deviation of the answer over the members.
        background: what the answer is compared with, in words.
    """

    row: int
    number: int
    method: str
    output: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    parts: np.ndarray
    members: np.ndarray
    sampling: np.ndarray
    answer: float
    answer_members: float
    baseline: float
    background: str

    @property
    def residual(self) -> float:
        """What the parts do not add up to: the error of the integral, 0 for Shapley values."""
        return float(self.answer - self.baseline - self.parts.sum())

    @property
    def order(self) -> np.ndarray:
        """The columns by the size of their parts, the largest first."""
        return np.argsort(-np.abs(self.parts), kind="stable")

    def table(self) -> dict[str, Any]:
        """Return the parts as columns, the largest first."""
        order = self.order
        return {
            "column": [self.columns[i] for i in order],
            "value": [self.values[i] for i in order],
            "part": self.parts[order],
            "members": self.members[order],
            "sampling": self.sampling[order],
        }

    def as_dict(self) -> dict[str, Any]:
        """Return the parts as plain data for JSON."""
        return {
            "row": self.row + 1,
            **({"number_in_data": self.number} if self.number else {}),
            "method": self.method,
            "output": self.output,
            "answer": self.answer,
            "answer_members": self.answer_members,
            "baseline": self.baseline,
            "compared_with": self.background,
            "residual": self.residual,
            "parts": [dict(zip(self.table(), row, strict=True)) for row in zip(*self.table().values(), strict=True)],
        }


def choose_method(subject: Subject, method: str = "auto") -> str:
    """Return how parts are found: by gradients where all columns are numbers, else by Shapley values.

    Raises:
        SettingError: there is no such method.
    """
    if method not in METHODS:
        raise SettingError(f"method must be one of {listing(METHODS)}, got {method!r}.{suggest(method, METHODS)}")
    if method != "auto":
        return method
    return "gradients" if all(column.kind in ("number", "date") for column in subject.columns) else "shapley"


def attributions(
    subject: Subject, background: Subject, rows: Sequence[int], *, method: str = "auto", tell: Tell = silent
) -> tuple[Attribution, ...]:
    """Return the parts of the answers for some rows.

    Of several classes, the one is asked about that is the most probable in the row, unless one is named.

    Args:
        subject: an ensemble and rows with their table; their truth need not be known.
        background: the same ensemble and rows that are usual.
        rows: places among the rows, from 0.
        method: `gradients`, `shapley` or `auto`.
        tell: hears how far the work is.

    Raises:
        SettingError: there is no such row or method.
    """
    way = choose_method(subject, method)
    for row in rows:
        if not 0 <= row < len(subject):
            raise SettingError(f"there is no row {row + 1}: there are {len(subject):,} {subject.name}, counted from 1")
    attributed = []
    for number, row in enumerate(rows):
        tell(f"parts of the answer · row {number + 1} of {len(rows)}")
        attributed.append(_attribution(subject, background, row, way))
    return tuple(attributed)


def _attribution(subject: Subject, background: Subject, row: int, method: str) -> Attribution:
    x = subject.x[row]
    answers = subject.answers(x[None])[:, 0]  # (members, outputs)
    if answers.shape[1] > 1:
        best = subject.outputs[int(answers.mean(axis=0).argmax())]
        subject, background = replace(subject, of=best), replace(background, of=best)
        answers = subject.answers(x[None])[:, 0]
    if method == "gradients":
        baseline, text = baseline_of(background)
        parts = integrated_gradients(subject, x, baseline)
        sampling, start = np.zeros(len(subject.columns)), subject.answers(baseline[None])[:, 0]
    else:
        parts, sampling = shapley_values(subject, x, background)
        start, text = answers - parts.sum(axis=1)[:, None], f"the mean over {len(background):,} {background.name}"
    answer, several = answers[:, 0], len(answers) > 1
    return Attribution(
        row,
        0 if subject.numbers is None else int(subject.numbers[row]),
        method,
        subject.outputs[0],
        tuple(column.name for column in subject.columns),
        _shown(subject, row),
        parts.mean(axis=0),
        parts.std(axis=0) if several else np.full(parts.shape[1], np.nan),
        sampling,
        float(answer.mean()),
        float(answer.std()) if several else float("nan"),
        float(start.mean()),
        text,
    )


def _shown(subject: Subject, row: int) -> tuple[str, ...]:
    """Return what a row holds, as text."""
    if subject.table is None:
        return tuple("" for _ in subject.columns)
    values = (subject.table.get_column(column.name)[row] for column in subject.columns)
    return tuple("missing" if v is None else f"{v:.6g}" if isinstance(v, float) else str(v) for v in values)


def baseline_of(background: Subject) -> tuple[np.ndarray, str]:
    """Return the features of a usual row, `(features,)` float32, and what it is in words.

    Numbers have the median of the training rows, which the model keeps; categories are mixed as in the background.
    """
    baseline = weighted_mean(np.asarray(background.x, np.float64), background.w).astype(np.float32)
    for column in background.columns:
        if column.kind in ("number", "date"):
            baseline[column.features] = column.encode(np.asarray([getattr(column.encoder, "fill", 0.0)]))[0]
    mixed = any(column.kind not in ("number", "date") for column in background.columns)
    return baseline, "the medians of the training rows" + (f", categories as mixed in the {background.name}" * mixed)


def integrated_gradients(subject: Subject, x: np.ndarray, baseline: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """Return the parts of the columns in each member's answer, `(members, columns)`.

    Args:
        subject: an ensemble; one output is explained.
        x: the features of the row, `(features,)`.
        baseline: where the way begins.
        steps: places on the way, at the middles of as many equal parts.
    """
    exact, way = replace(subject, predictor=subject.predictor.in_float64()), np.asarray(x, np.float64) - baseline
    middles = baseline + np.outer((np.arange(steps) + 0.5) / steps, way)
    parts = []
    for column in subject.columns:
        along = np.zeros_like(way)
        along[column.features] = way[column.features]
        if not along.any():
            parts.append(np.zeros(len(subject.predictor.members)))
            continue
        ends = exact.answers(np.concatenate([middles + CHANGE * along, middles - CHANGE * along]))[..., 0]
        parts.append((ends[:, :steps] - ends[:, steps:]).mean(axis=1) / (2 * CHANGE))
    return np.stack(parts, axis=1)


def shapley_values(
    subject: Subject, x: np.ndarray, background: Subject, orders: int = ORDERS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of the columns in each member's answer, `(members, columns)`, and their sampling errors.

    Rows of the background are drawn by the size of their weights and count with the sign of them.

    Args:
        subject: an ensemble; one output is explained.
        x: the features of the row, `(features,)`.
        background: rows from which the columns that are not yet given are taken.
        orders: how many are drawn; each is walked in both directions, from the same row.
    """
    stream, count = subject.stream(WALKS), len(subject.columns)
    sizes = np.cumsum(np.abs(background.w))
    starts = np.searchsorted(sizes, stream.uniform((orders,)) * sizes[-1], side="right")
    walks = [stream.permutation(count) for _ in range(orders)]
    changes = np.empty((len(subject.predictor.members), orders, count))
    once = max(1, 65_536 // (2 * (count + 1)))
    for begin in range(0, orders, once):
        some = slice(begin, begin + once)
        rows = np.concatenate(
            [_walk(subject, x, background.x[start], way) for start, order in zip(starts[some], walks[some], strict=True)
             for way in (order, order[::-1])]
        )  # fmt: skip
        answers = subject.answers(rows)[..., 0].reshape(len(changes), -1, 2, count + 1)
        steps = np.diff(answers, axis=-1)
        for i, order in enumerate(walks[some]):
            changes[:, begin + i, order] = steps[:, i, 0] / 2
            changes[:, begin + i, order[::-1]] += steps[:, i, 1] / 2
    signs = np.sign(background.w[starts])
    return weighted_mean(changes, signs, axis=1), error_of_mean(changes.mean(axis=0), signs)


def _walk(subject: Subject, x: np.ndarray, start: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the rows on the way from one row to another, `(columns + 1, features)`, a column at a time."""
    rows = np.repeat(start[None], len(order) + 1, axis=0)
    for step, number in enumerate(order):
        features = subject.columns[number].features
        rows[step + 1 :, features] = x[features]
    return rows
