"""Whether the effect of one column depends on another: Friedman's H statistic.

With centred partial dependences of one and of two columns (Friedman and Popescu, Ann. Appl. Stat. 2, 916, 2008, eq.
44),

    H² = sum_i w_i (PD_jk(x_i) - PD_j(x_i) - PD_k(x_i))² / sum_i w_i PD_jk(x_i)²:

the share of what both do together that neither does by itself. Where both do little the denominator is small and H is
large by chance, so the root of the mean of the numerator stands beside it: the strength, in units of the answer. With
several classes, sums go over them. Where columns go together, partial dependences ask about rows that cannot exist, and
H is to be taken with care (Inglis, Parnell and Hurley, J. Comput. Graph. Stat. 31, 766, 2022).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.explanation.scores import Estimate
from shoal.evaluation.explanation.subject import ColumnFeatures, Subject, Tell, silent
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import resampled_weights
from shoal.statistics.weighted import weighted_mean

COLUMNS = 5
"""The most important columns, of which pairs are looked at."""
ROWS = 100
"""Rows whose pairs are asked about: their square, for each pair of columns."""
RESAMPLES = 200


@stored("interaction")
@dataclass(frozen=True)
class Interaction:
    """How much of what two columns do neither does by itself: H from 0 to 1, and the strength in units of the answer.

    Errors are those of finite rows, by the bootstrap, and over the members, by the jackknife.
    """

    columns: tuple[str, str]
    h: Estimate
    strength: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Return the interaction as plain data for JSON."""
        return {"columns": list(self.columns), "h": self.h.as_dict(), "strength": self.strength.as_dict()}


@stored("interactions")
@dataclass(frozen=True, repr=False)
class Interactions(ShortRepr):
    """The interactions of the most important columns, the strongest first."""

    pairs: tuple[Interaction, ...]
    rows: int
    outputs: tuple[str, ...]

    def table(self) -> dict[str, Any]:
        """Return the interactions as columns, one row for each pair."""
        columns: dict[str, Any] = {f"column_{i + 1}": [pair.columns[i] for pair in self.pairs] for i in (0, 1)}
        for name in ("h", "strength"):
            estimates = [getattr(pair, name) for pair in self.pairs]
            columns[name] = [estimate.value for estimate in estimates]
            for part in ("error", "rows", "members"):
                columns[f"{name}_{part}"] = [getattr(estimate, part) for estimate in estimates]
        return columns

    def as_dict(self) -> dict[str, Any]:
        """Return the interactions as plain data for JSON."""
        return {"rows": self.rows, "outputs": list(self.outputs), "pairs": [pair.as_dict() for pair in self.pairs]}


def interactions(subject: Subject, names: Sequence[str], *, rows: int = ROWS, tell: Tell = silent) -> Interactions:
    """Return the interactions of each two of some columns.

    Args:
        subject: an ensemble and rows; their truth need not be known.
        names: of the columns.
        rows: how many rows stand for all, at most.
        tell: hears how far the work is.

    Raises:
        SettingError: the ensemble does not predict from such a column.
    """
    few = subject.at_most(rows)
    columns = [few.column(name) for name in names]
    single = {column.name: CrossedAnswers.of(few, [column]) for column in columns}
    weights = list(resampled_weights(len(few), few.weights, RESAMPLES, few.seed, groups=few.groups))
    resamples = np.concatenate(weights) if len(few) > 1 else np.empty((0, len(few)))
    pairs, measured = list(itertools.combinations(columns, 2)), []
    for number, (first, second) in enumerate(pairs):
        tell(f"interactions · pair {number + 1} of {len(pairs)}")
        answers = CrossedAnswers.of(few, [first, second]), single[first.name], single[second.name]
        measured.append(_interaction((first.name, second.name), answers, few.w, resamples))
    measured.sort(key=lambda pair: -pair.strength.value)
    return Interactions(tuple(measured), len(few), few.outputs)


@dataclass(frozen=True)
class CrossedAnswers:
    """Answers for all rows that have some columns of each row in turn.

    Attributes:
        ensemble: `(points, rows, outputs)`, the mean over the members; a point is the row whose columns were taken.
        members: `(members, points, outputs)`, of each member the mean over the rows.
    """

    ensemble: np.ndarray
    members: np.ndarray

    @classmethod
    def of(cls, subject: Subject, columns: Sequence[ColumnFeatures]) -> CrossedAnswers:
        """Ask about every row with the columns of every other."""
        count, ensemble, members = len(subject), [], []
        for some in subject.pieces(count):
            points = subject.x[some]
            x = np.tile(subject.x, (len(points), 1))
            for column in columns:
                x[:, column.features] = np.repeat(points[:, column.features], count, axis=0)
            answers = subject.answers(x)
            answers = answers.reshape(len(answers), len(points), count, -1)
            ensemble.append(answers.mean(axis=0))
            members.append(weighted_mean(answers, subject.w, axis=2))
        return cls(np.concatenate(ensemble), np.concatenate(members, axis=1))

    def resampled(self, weights: np.ndarray) -> np.ndarray:
        """Return the partial dependence under many weights of the rows, `(resamples, points, outputs)`."""
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = weights / weights.sum(axis=1, keepdims=True)
        return np.asarray(np.tensordot(shares, self.ensemble, axes=([1], [1])))

    def without_each(self) -> np.ndarray:
        """Return the partial dependence of the ensemble without each member, `(members, points, outputs)`."""
        return np.asarray((self.members.sum(axis=0) - self.members) / max(len(self.members) - 1, 1))


def _interaction(
    names: tuple[str, str],
    answers: tuple[CrossedAnswers, CrossedAnswers, CrossedAnswers],
    w: np.ndarray,
    resamples: np.ndarray,
) -> Interaction:
    """Return the interaction of two columns from the answers of both together, of the first and of the second."""
    both, first, second = answers
    values = friedman_h(both.members.mean(axis=0), first.members.mean(axis=0), second.members.mean(axis=0), w)
    members = rows = np.full((2, 0), np.nan)
    if len(both.members) > 1:
        members = friedman_h(both.without_each(), first.without_each(), second.without_each(), w)
    if len(resamples):
        both_rows, first_rows, second_rows = (answer.resampled(resamples) for answer in answers)
        rows = friedman_h(both_rows, first_rows, second_rows, resamples)
    jackknife = np.sqrt(max(members.shape[1] - 1, 0)) * _scatter(members)
    h, strength = (
        Estimate(float(values[i]), float(_scatter(rows, ddof=1)[i]), members=float(jackknife[i])) for i in (0, 1)
    )
    return Interaction(names, h, strength)


def _scatter(values: np.ndarray, ddof: int = 0) -> np.ndarray:
    """Return the standard deviation of both numbers over what is finite, `(2,)`; NaN where that is less than two."""
    kept = [row[np.isfinite(row)] for row in values]
    return np.asarray([float(row.std(ddof=ddof)) if len(row) > 1 else np.nan for row in kept])


def friedman_h(both: np.ndarray, first: np.ndarray, second: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return H and the strength of an interaction from partial dependences at the same points.

    Args:
        both: partial dependence of the two columns together, `(..., points, outputs)`.
        first: of the first column.
        second: of the second.
        w: weights of the points, `(points,)` or `(..., points)`.

    Returns:
        `(2, ...)`: H, which is NaN where the two columns do nothing, and the strength.

    Example:
        >>> x, z = np.meshgrid([-1.0, 1.0], [-1.0, 1.0])
        >>> product, flat = (x * z).reshape(-1, 1), np.zeros((4, 1))
        >>> friedman_h(product, flat, flat, np.ones(4)).tolist()
        [1.0, 1.0]
    """
    shares = (w / w.sum(axis=-1, keepdims=True))[..., None]

    def centred(values: np.ndarray) -> np.ndarray:
        return np.asarray(values - (shares * values).sum(axis=-2, keepdims=True))

    both = centred(both)
    rest = both - centred(first) - centred(second)
    numerator, denominator = ((shares * values**2).sum(axis=(-2, -1)) for values in (rest, both))
    with np.errstate(invalid="ignore", divide="ignore"):
        h = np.sqrt(np.maximum(numerator, 0.0) / np.where(denominator > 0, denominator, np.nan))
    return np.stack([h, np.sqrt(np.maximum(numerator, 0.0))])
