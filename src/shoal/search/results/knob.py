"""One hyperparameter moved alone: the error of each score, and which are worse than the best by more than chance.

A score, the mean over a candidate's networks, scatters for two reasons: the validation rows are a sample, and the
networks differ by their seeds and, with folds, by the rows that they learned from. Both parts are estimated and added:

- rows: the variance of the mean over the rows, of each row's loss averaged over the networks that it judged. Rows that
  belong together (a group, overlapping windows) count as one.
- networks: the variance of the networks' scores over their number. Networks of different folds are judged on different
  rows, whose share in that variance is taken off, since it is counted already.

For the difference of two values the rows are the same, and their losses are subtracted row by row, so that what is hard
for both does not count. A value is called worse than the best where the difference exceeds a quantile of Student's t
(with the degrees of freedom of Welch and Satterthwaite). Which value is best was found from the same scores, so any
value might have been compared with any other: the 5 % are divided among all ordered pairs (Bonferroni). With 95 %
probability no value is called worse wrongly; where two to six made-up values are equal, in 0 to 5 of 100 searches one
is.

Folds share training rows, so that their networks are more alike than new ones would be: with folds the error is a lower
bound (Bengio and Grandvalet, JMLR 5, 1089, 2004). Where one network was trained for each value, the second part is not
known, and nothing is called worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Judged:
    """How one candidate did.

    Attributes:
        scores: of its networks, `(networks,)`.
        losses: of the validation rows, the mean over the networks that each judged, `(rows,)`.
        within: the variance of each network's score that its own rows explain, 0 where all networks have the same rows,
            `(networks,)`.
    """

    scores: np.ndarray
    losses: np.ndarray
    within: np.ndarray

    @property
    def score(self) -> float:
        """The mean over its networks."""
        return float(np.mean(self.scores))


@dataclass(frozen=True)
class Rows:
    """The validation rows that were looked at.

    Attributes:
        weights: of each, `(rows,)`.
        clusters: to what each belongs, whole numbers from 0, `(rows,)`.
        share: of all rows; the variance of a mean over all of them is this share of that over these.
    """

    weights: np.ndarray
    clusters: np.ndarray
    share: float = 1.0

    def variance(self, losses: np.ndarray) -> tuple[float, float]:
        """Return the variance of the weighted mean of losses, and its degrees of freedom."""
        total = self.weights.sum()
        beside = self.weights * (losses - (self.weights @ losses) / total)
        sums = np.bincount(self.clusters, beside)
        count = len(sums)
        if count < 2:
            return float("nan"), 0.0
        return float(self.share * count / (count - 1) * (sums**2).sum() / total**2), count - 1.0


def error_of(judged: Judged, rows: Rows) -> float:
    """Return the standard error of a score: rows and, where there are two networks or more, networks.

    Example:
        >>> rows = Rows(np.ones(4), np.arange(4))
        >>> round(error_of(Judged(np.array([1.0, 1.2]), np.array([1.0, 1.2, 1.0, 1.2]), np.zeros(2)), rows), 4)
        0.1155
    """
    return float(np.sqrt(rows.variance(judged.losses)[0] + _networks(judged)[0]))


def worse_than_best(candidates: Sequence[Judged], rows: Rows) -> list[bool]:
    """Return of each candidate whether its score is worse than the best one by more than chance."""
    from scipy.stats import t

    best = int(np.argmin([judged.score for judged in candidates]))
    level = 1.0 - (1.0 - CONFIDENCE) / max(1, len(candidates) * (len(candidates) - 1))
    called = []
    for judged in candidates:
        if judged is candidates[best] or min(len(judged.scores), len(candidates[best].scores)) < 2:
            called.append(False)
            continue
        beside = rows.variance(judged.losses - candidates[best].losses)
        parts = [beside, _networks(judged), _networks(candidates[best])]
        variance = sum(part for part, _ in parts)
        freedom = variance**2 / max(sum(part**2 / free for part, free in parts if part > 0.0 and free), 1e-300)
        difference = judged.score - candidates[best].score
        called.append(bool(variance > 0.0 and difference > t.ppf(level, freedom) * np.sqrt(variance)))
    return called


def _networks(judged: Judged) -> tuple[float, float]:
    """Return what seeds and folds add to the variance of a score, and its degrees of freedom; 0 of a single network."""
    count = len(judged.scores)
    if count < 2:
        return 0.0, 0.0
    variance = max(0.0, float(judged.scores.var(ddof=1)) - float(judged.within.mean()))
    return variance / count, count - 1.0
