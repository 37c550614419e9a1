"""What the members of an ensemble say on average, and how far they disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.training.heads import Described


@dataclass(frozen=True)
class Asked:
    """Which members are asked about which rows.

    Attributes:
        answering: `(members, rows)`, whether a member is asked about a row, each row of one at least; None: all are
            asked about all.
    """

    answering: np.ndarray | None = None

    def rows(self, member: int) -> Any:
        """Return the places of the rows that the member of a number is asked about."""
        return slice(None) if self.answering is None else np.flatnonzero(self.answering[member])

    def average(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Return the mean of what each member says of its rows over the members that are asked about a row."""
        if self.answering is None:
            return mean_over_members(values)
        total = np.zeros((self.answering.shape[1], *values[0].shape[1:]))
        for member, value in enumerate(values):
            total[self.rows(member)] += value
        return total / self.answering.sum(axis=0).reshape(-1, *[1] * (total.ndim - 1))

    def spread(self, values: Sequence[np.ndarray], mean: np.ndarray) -> np.ndarray:
        """Return the standard deviation about the mean over the members that are asked about a row."""
        squares = [(value - mean[self.rows(member)]) ** 2 for member, value in enumerate(values)]
        return np.asarray(np.sqrt(self.average(squares)))


EVERYONE = Asked()


def mean_over_members(values: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean of what each of several members says of the same rows."""
    return np.asarray(np.mean(values, axis=0))


@dataclass(frozen=True, kw_only=True)
class NumberAverages(Described):
    """What members say of numbers: the mean of what each describes, and how far they disagree.

    Attributes:
        spread: `(rows, ..., targets)`, the standard deviation over the members.
        input_spread: `(rows, targets)`, what the errors of the features add to that, where they have any.
    """

    spread: np.ndarray
    input_spread: np.ndarray | None = None

    @classmethod
    def of(cls, described: Sequence[Described], asked: Asked = EVERYONE) -> NumberAverages:
        """Return the averages of what each member says of the rows that it is asked about."""
        average = _averaged(described, asked.average)
        spread = asked.spread([each.mean for each in described], average.mean)
        return cls(**vars(average), spread=spread)

    @classmethod
    def of_all(cls, described: Sequence[Described], folds: Sequence[int | None]) -> NumberAverages:
        """Return the averages of what members say of the same rows, each of which belongs to a fold.

        Spread and covariance over the members are those within a fold, in the mean over the folds. The interval is
        measured on rows that only the members of one fold predict. The spread of a new row is that of as many members,
        which learned from the same rows; how much folds differ is part of the noise.
        """
        average, means = _averaged(described, mean_over_members), np.stack([each.mean for each in described])
        by_fold = [means[[fold == other for other in folds]] for fold in dict.fromkeys(folds)]
        if average.covariance is not None:
            average = replace(average, covariance=average.covariance + _covariance(by_fold))
        return cls(**vars(average), spread=np.sqrt(np.mean([each.var(axis=0) for each in by_fold], axis=0)))


def _averaged(described: Sequence[Described], average: Callable[[Sequence[np.ndarray]], np.ndarray]) -> Described:
    """Return the average of what members describe, of each part that they know of."""

    def if_known(values: Sequence[np.ndarray | None]) -> np.ndarray | None:
        known = [value for value in values if value is not None]
        return average(known) if known else None

    return Described(
        average([each.mean for each in described]),
        if_known([each.variance for each in described]),
        if_known([each.quantiles for each in described]),
        if_known([each.covariance for each in described]),
    )


def _covariance(by_fold: Sequence[np.ndarray]) -> np.ndarray:
    """Return the covariance of the targets over the members of a fold, `(rows, targets, targets)`."""
    away = [means - means.mean(axis=0) for means in by_fold]
    return np.asarray(np.mean([np.einsum("mri,mrj->rij", each, each) / len(each) for each in away], axis=0))
