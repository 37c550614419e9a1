"""Conformal intervals and sets: how far predictions must reach to hold a stated share of new values.

A score says how far a row that trained no weight lies from its prediction: `|residual| / std` for numbers,
`1 - p(true class)` for classes. The quantile of the scores, with the correction for a finite number of rows, holds
a share `level` of new rows of the same kind, whatever the shape of the noise and however bad the networks (split
conformal; Papadopoulos et al., ECML 2002; Lei et al., JASA 113, 1094, 2018). Four refinements:

* **Folds** (CV+; Barber et al., Ann. Statist. 49, 486, 2021): a row's score is that of the members that did not learn
  from it, and a new row is asked of the members of each fold apart: the interval ends where enough of all
  `prediction of the row's fold ± score` lie inside. Guaranteed is `2 level - 1`, found is `level` or a little more.
  Not so with rolling folds, which cannot be exchanged; see `shoal.prediction.out_of_fold`.
* **Groups** (HCP; Lee, Barber and Willett, arXiv:2306.06342): rows of one group resemble each other, and a new row
  mostly comes from a new group. So each group counts alike, whatever its number of rows, and the correction is that of
  the number of groups.
* **Each group by itself** (Mondrian; Vovk, Lindsay, Nouretdinov and Gammerman, 2003): a new row of a group that has
  rows enough among those that trained no weight gets the quantile of its own group.
* **Weights** enter the quantile (Tibshirani et al., NeurIPS 2019); the new row weighs as much as the rows' effective
  number says (Kish 1965). Where weights are negative, the sum over scores need not rise: the quantile is the score
  from which on it stays above the level, which errs on the wide side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from shoal.results import Interval
from shoal.statistics.bootstrap import wilson

LEVELS = (0.5, 0.6, 0.68, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
"""For the curve of coverage."""
MOST_SCORES = 1000
"""Scores that are kept of a fold; of more rows, as many of their order statistics."""
MOST_GROUPS = 1000
"""Groups with a quantile of their own."""
BISECTIONS = 30
BEYOND = 1.5
"""With too few rows to promise anything: so many times the largest score."""


def fewest_rows(level: float) -> int:
    """Return how many rows are needed before a quantile can hold `level` of new rows.

    Example:
        >>> fewest_rows(0.95), fewest_rows(0.68)
        (19, 3)
    """
    return int(np.ceil(level / (1.0 - level) - 1e-9))


def conformal_quantile(
    scores: np.ndarray, level: float = 0.95, weights: np.ndarray | None = None, new: float | None = None
) -> np.ndarray:
    """Return, per column, the size that holds `level` of new scores with the finite-sample correction.

    Without weights it is the `ceil((n + 1) level)`-th smallest of n; if that is more than n, 1.5 times the largest.

    Args:
        scores: `(rows, columns)`.
        level: share of new rows, between 0 and 1.
        weights: of the rows, `(rows,)`, any sign; None for ones.
        new: weight of a new row; None: as the effective number of rows says, `sum w² / sum w`.

    Example:
        >>> float(conformal_quantile(np.arange(1.0, 100.0)[:, None])[0])
        95.0
        >>> float(conformal_quantile(np.arange(1.0, 9.0)[:, None], 0.5, np.repeat([3.0, 0.0], 4))[0])
        3.0
    """
    weights = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    total = float(weights.sum())
    new = total * _new_share(weights, len(scores), new)
    ordered, rising = _in_order(scores, weights)
    reached = rising >= level * (total + new) * (1 - 1e-12)
    counted = np.abs(scores[weights != 0]) if (weights != 0).any() else np.abs(scores)
    first = reached.argmax(axis=0)[None]
    quantile = np.take_along_axis(ordered, first, axis=0)[0]
    return np.where(reached.any(axis=0), quantile, BEYOND * counted.max(axis=0))


def _in_order(scores: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each column of scores in order, and the sum of the weights up to each score.

    With negative weights it is the least sum from there on, so that all larger intervals hold enough, too.
    """
    order = np.argsort(scores, axis=0, kind="stable")
    sums = np.cumsum(weights[order], axis=0)
    return np.take_along_axis(scores, order, axis=0), np.minimum.accumulate(sums[::-1], axis=0)[::-1]


def alike(groups: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return weights of rows so that each group counts one, shared among its rows by their own weights.

    Example:
        >>> alike(np.array([4, 4, 7]), None).tolist()
        [0.5, 0.5, 1.0]
    """
    _, group = np.unique(groups, return_inverse=True)
    weights = np.ones(len(groups)) if weights is None else np.asarray(weights, np.float64)
    sums = np.bincount(group, weights)
    sums = np.where(sums > 0, sums, np.inf)  # a group whose weights cancel tells nothing
    return weights / sums[group]


@dataclass(frozen=True)
class FoldScores:
    """The scores of the rows of one fold of one repeat, for CV+.

    Attributes:
        fold, repeat: those of the members that predict them.
        scores: `(scores, targets)`, each column sorted.
        mass: `(scores, targets)`, the share of all rows' weight up to each score.
    """

    fold: int
    repeat: int
    scores: np.ndarray
    mass: np.ndarray

    @classmethod
    def of(cls, fold: int, repeat: int, scores: np.ndarray, shares: np.ndarray) -> FoldScores:
        """Return the scores in order; of many, some that leave those between them out of what lies below."""
        ordered, mass = _in_order(scores, shares)
        if len(scores) > MOST_SCORES:
            some = np.linspace(0, len(scores) - 1, MOST_SCORES).round().astype(np.int64)
            ordered, mass = ordered[some], mass[some]
        return cls(fold, repeat, ordered, mass)

    def below(self, sizes: np.ndarray) -> np.ndarray:
        """Return the share of all weight with scores up to sizes `(..., targets)`."""
        out = np.empty(sizes.shape)
        for i in range(sizes.shape[-1]):
            mass = np.concatenate([[0.0], self.mass[:, i]])
            out[..., i] = mass[np.searchsorted(self.scores[:, i], sizes[..., i], side="right")]
        return out


@dataclass(frozen=True)
class Conformal:
    """The quantiles of scores by which predictions reach out.

    Attributes:
        level: share of new values that is to be held.
        quantile: `(targets,)` half width of the interval in units of `std`; of classes `(1,)`, and a set holds the
            classes of probability `1 - quantile` and more.
        how: how it was made, a clause.
        promised: whether there were rows (or groups) enough to promise the level.
        column: whose value says to which group a row belongs.
        by_group: quantile `(targets,)` of each group with rows enough of its own.
        folds: what CV+ needs, one entry for each fold of each repeat.
        share: of the weight in `folds` that an end of the interval must leave inside, with its correction.
        levels, curve: other levels, and their quantiles `(levels, targets)`, for the figure of coverage.
    """

    level: float
    quantile: np.ndarray
    how: str = ""
    promised: bool = True
    column: str | None = None
    by_group: dict[str, np.ndarray] = field(default_factory=dict)
    folds: tuple[FoldScores, ...] = ()
    share: float = 1.0
    levels: tuple[float, ...] = ()
    curve: np.ndarray = field(default_factory=lambda: np.empty((0, 1)))

    @classmethod
    def of(
        cls,
        scores: np.ndarray,
        level: float,
        weights: np.ndarray | None = None,
        groups: np.ndarray | None = None,
        column: str | None = None,
        what: str = "groups",
    ) -> Conformal:
        """Return the quantiles of scores of rows that trained no weight.

        Args:
            scores: `(rows, targets)`.
            level: share of new rows to hold.
            weights: of the rows, or None.
            groups: `(rows,)` group of each row, text or numbers; None where each row stands for itself.
            column: the name of the column of the groups; None where new rows do not say theirs.
            what: what the groups are.
        """
        rows, what = len(scores), "rows" if groups is None else what
        count, need = rows if groups is None else len(np.unique(groups)), fewest_rows(level)
        promised, used, new = count >= need, weights, None
        how = f"the conformal quantile of {rows:,} {'steps' if what == 'series' else 'rows'} that trained no weight"
        by_group: dict[str, np.ndarray] = {}
        if groups is not None:
            used, new = alike(groups, weights), 1.0 if promised else 0.0
            how += f", where each of {count:,} {what} counts alike"
            by_group = {} if column is None else _by_group(scores, level, weights, groups)
        if not promised:
            how += f" (no promise: for {level:.4g} at least {need:,} {what} would be needed)"
        levels = tuple(share for share in LEVELS if count >= fewest_rows(share))
        curve = [conformal_quantile(scores, share, used, new) for share in levels]
        return cls(
            level,
            conformal_quantile(scores, level, used, new),
            how,
            promised,
            column,
            by_group,
            share=level * (1.0 + _new_share(used, rows, new)),
            levels=levels,
            curve=np.reshape(curve, (len(levels), scores.shape[1])),
        )

    def with_folds(self, parts: Sequence[tuple[int, int, np.ndarray, np.ndarray | None]]) -> Conformal:
        """Return the same with what CV+ needs.

        Args:
            parts: fold, repeat, scores `(rows, targets)` and weights `(rows,)` or None, of each fold of each repeat.
        """
        weights = [np.ones(len(part[2])) if part[3] is None else np.asarray(part[3], np.float64) for part in parts]
        total = sum(float(w.sum()) for w in weights)
        folds = [FoldScores.of(*part[:3], w / total) for part, w in zip(parts, weights, strict=True)]
        how = f"{self.how}, taken by the members of each fold apart (CV+)"
        return replace(self, folds=tuple(folds), how=how)

    def with_remark(self, remark: str) -> Conformal:
        """Return the same, with something more to say of how it was made."""
        return replace(self, how=f"{self.how}, {remark}") if remark else self

    def quantiles(self, groups: Sequence[str | None] | None, shape: tuple[int, ...]) -> np.ndarray:
        """Return the quantile for predictions of a shape `(rows, ..., targets)`: that of each row's group, if known."""
        if groups is None or not self.by_group:
            return self.quantile
        rows = np.stack([self.by_group.get(group or "", self.quantile) for group in groups])
        return rows.reshape(len(rows), *[1] * (len(shape) - 2), -1)

    def knows(self, groups: Sequence[str | None] | None, shape: tuple[int, ...]) -> np.ndarray:
        """Return which rows are of a group with a quantile of its own, to go with predictions of a shape."""
        known = np.asarray([group in self.by_group for group in groups or [None] * shape[0]], bool)
        return known.reshape(-1, *[1] * (len(shape) - 1))

    def cross(
        self, means: np.ndarray, stds: np.ndarray, above: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends of the CV+ interval.

        Args:
            means: of the members of each fold of each repeat, `(folds, rows, ..., targets)`, in the order of `folds`.
            stds: their standard deviations, alike.
            above: those of values above the mean, where they are others.
        """
        return -self._upper(-means, stds), self._upper(means, stds if above is None else above)

    def _upper(self, means: np.ndarray, stds: np.ndarray) -> np.ndarray:
        """Return the least value below which enough of all `mean + score * std` lie."""
        scores = np.concatenate([part.scores for part in self.folds])
        masses = np.concatenate([np.diff(part.mass, axis=0, prepend=0.0) for part in self.folds])
        pooled = [_reached(s, m, self.share) for s, m in zip(scores.T, masses.T, strict=True)]
        ends = means + np.asarray(pooled) * stds
        low, high = ends.min(axis=0), ends.max(axis=0)  # of equal sizes in all folds, the end lies between these
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            parts = zip(self.folds, means, stds, strict=True)
            held = np.sum([part.below((middle - mean) / std) for part, mean, std in parts], axis=0)
            enough = held >= self.share * (1 - 1e-12)
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return high

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return all but `quantile` as plain data and named arrays."""
        arrays = {"curve": self.curve}
        document: dict[str, Any] = {name: getattr(self, name) for name in ("level", "how", "promised", "column")}
        document |= {"share": self.share, "levels": list(self.levels), "groups": list(self.by_group)}
        if self.by_group:
            arrays["by_group"] = np.stack(list(self.by_group.values()))
        document["folds"] = [[part.fold, part.repeat] for part in self.folds]
        for i, part in enumerate(self.folds):
            arrays |= {f"folds/{i}/scores": part.scores, f"folds/{i}/mass": part.mass}
        return document, arrays

    @classmethod
    def from_parts(cls, document: dict[str, Any], arrays: dict[str, np.ndarray], quantile: np.ndarray) -> Conformal:
        """Return what `to_parts` described."""
        names = ("level", "how", "promised", "column", "share")
        where = enumerate(document["folds"])
        parts = [FoldScores(k, r, arrays[f"folds/{i}/scores"], arrays[f"folds/{i}/mass"]) for i, (k, r) in where]
        groups = document["groups"]
        return cls(
            quantile=quantile,
            by_group=dict(zip(groups, arrays["by_group"], strict=True)) if groups else {},
            folds=tuple(parts),
            levels=tuple(document["levels"]),
            curve=arrays["curve"],
            **{name: document[name] for name in names},
        )


def _by_group(
    scores: np.ndarray, level: float, weights: np.ndarray | None, groups: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the quantile of each group that has rows enough, the largest groups first if they are many."""
    names, group, counts = np.unique(groups, return_inverse=True, return_counts=True)
    large = np.flatnonzero(counts >= fewest_rows(level))
    large = large[np.argsort(-counts[large], kind="stable")][:MOST_GROUPS]
    quantiles = {}
    for i in np.sort(large):
        rows = group == i
        taken = None if weights is None else weights[rows]
        if taken is None or taken.sum() > 0:
            quantiles[str(names[i])] = conformal_quantile(scores[rows], level, taken)
    return quantiles


def _new_share(weights: np.ndarray | None, rows: int, new: float | None) -> float:
    """Return the weight of a new row as a share of that of all rows."""
    if weights is None:
        return 1.0 / rows
    total = float(weights.sum())
    return (float((weights**2).sum()) / total if new is None else new) / total


def _reached(scores: np.ndarray, masses: np.ndarray, share: float) -> float:
    """Return the least score up to which so much weight lies; 1.5 times the largest where there is not so much."""
    ordered, rising = _in_order(scores, masses)
    reached = rising >= share * (1 - 1e-12)
    return float(ordered[reached.argmax()] if reached.any() else BEYOND * scores.max())


def prediction_sets(probabilities: np.ndarray, quantile: float | np.ndarray) -> np.ndarray:
    """Return which classes each row's set holds, `(..., classes)`: those of probability `1 - quantile` and more.

    These are the smallest sets on average (LAC; Sadinle, Lei and Wasserman, JASA 114, 223, 2019). The most probable
    class is always there, so that no set is empty.

    Example:
        >>> prediction_sets(np.array([[0.9, 0.1], [0.55, 0.45]]), 0.6).tolist()
        [[True, False], [True, True]]
    """
    best = probabilities >= probabilities.max(axis=-1, keepdims=True)
    return np.asarray((probabilities >= 1.0 - quantile - 1e-12) | best)


def coverage(inside: np.ndarray, weights: np.ndarray | None = None, groups: np.ndarray | None = None) -> Interval:
    """Return the share of values inside their intervals, with Wilson's 95 % interval (1927) of that share.

    Weights make n rows count as `(sum w)^2 / sum w^2` (Kish 1965). Rows of one group are no independent trials: as
    many count as the scatter of the share from group to group says, at least as many as there are groups. The values
    of several targets of one row count as one.

    Args:
        inside: `(rows,)` or `(rows, targets)` true or false.
        weights: of the rows, any sign; the share is drawn into [0, 1].
        groups: `(rows,)` numbers.
    """
    each = np.asarray(inside, np.float64).reshape(len(inside), -1).mean(axis=1)
    weights = np.ones(len(each)) if weights is None else np.asarray(weights, np.float64)
    total, squares = weights.sum(), (weights**2).sum()
    if not total > 0:
        return Interval(float("nan"), float("nan"), float("nan"), "wilson")
    share = float(np.clip((weights * each).sum() / total, 0.0, 1.0))
    rows = float(total**2 / squares)
    if groups is not None:
        rows = _independent(each - share, weights / total, groups, share, rows)
    return Interval(share, *wilson(share, rows), "wilson")


def _independent(off: np.ndarray, shares: np.ndarray, groups: np.ndarray, share: float, rows: float) -> float:
    """Return the number of independent trials behind a share whose rows come in groups."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, shares * off)
    few = 1.0 / float((np.bincount(group, shares) ** 2).sum())
    variance = float((sums**2).sum()) * len(sums) / max(len(sums) - 1, 1)
    return float(np.clip(share * (1 - share) / variance, few, rows)) if variance > 0 else few
