"""Honest counts: how much the best of many candidates flatters.

Each candidate is judged on several parts: the halves of the validation rows, for each of its folds and repeats. A
candidate's scores scatter about what candidate and part contribute; from that scatter, of the better half of the
candidates, comes the noise of a mean score. The choice is then repeated: the scores found are taken for the truth,
noise is added to them, the best is chosen, and how much better it looks than it is, on average, is the bias (a
parametric bootstrap, after Efron and Tibshirani 1993, ch. 6.5; compare the winner's curse). Scores that were found
scatter more than the truth, so that the bias is estimated a little too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.results import Interval, readable

DRAWS = 4000


@dataclass(frozen=True)
class Counts:
    """What was looked at, and how much the best score flatters.

    `bias` is the expected difference between the true score of the chosen candidate and the score that it was chosen
    by, with the interval of that difference over repeated choices; `noise` the standard error of one mean score beside
    the others.
    """

    candidates: int
    best: float
    noise: float
    bias: Interval

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return (
            f"The best score, {readable(self.best)}, is that of the luckiest of {self.candidates} as well: it "
            f"flatters by "
            f"about {readable(self.bias.value, 2)} (95 % of such choices: {readable(self.bias.low, 2)} to "
            f"{readable(self.bias.high, 2)}); the test scores do not."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        return {"best_score": self.best, "noise": self.noise, "bias": self.bias.as_dict()}


def count_candidates(candidates: Sequence[int], parts: Sequence[Sequence[float]]) -> Counts | None:
    """Return how much the best of the candidates flatters; None for fewer than four that can be compared.

    Args:
        candidates: the candidate of each member.
        parts: the losses of each member on the parts that judged it, lower is better; infinite if it diverged.

    Example:
        >>> random = np.random.default_rng(0)
        >>> found = count_candidates(list(range(64)), random.normal(1.0, 0.1, (64, 2)).tolist())
        >>> 0.08 < found.bias.value < 0.3, round(found.noise, 2)
        (True, 0.06)
    """
    by_candidate: dict[int, list[float]] = {}
    for candidate, losses in zip(candidates, parts, strict=True):
        by_candidate.setdefault(candidate, []).extend(losses)
    most = max((len(losses) for losses in by_candidate.values()), default=0)
    whole = [losses for losses in by_candidate.values() if len(losses) == most and np.isfinite(losses).all()]
    if len(whole) < 4 or most < 2:
        return None
    table = np.asarray(whole)
    scores = table.mean(axis=1)
    noise = _noise(table[np.argsort(scores, kind="stable")[: max(4, (len(table) + 1) // 2)]])
    random = np.random.default_rng([len(table), most])
    flattery = np.empty(DRAWS)
    for i in range(DRAWS):
        seen = scores + noise * random.standard_normal(len(scores))
        chosen = int(seen.argmin())
        flattery[i] = scores[chosen] - seen[chosen]
    low, high = np.quantile(flattery, [0.025, 0.975])
    bias = Interval(float(flattery.mean()), float(low), float(high), "parametric bootstrap")
    return Counts(len(by_candidate), float(scores.min()), noise, bias)


def _noise(table: np.ndarray) -> float:
    """Return the standard error of a row's mean, from what row and column means leave over."""
    rest = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    rows, columns = table.shape
    return float(np.sqrt((rest**2).sum() / ((rows - 1) * (columns - 1)) / columns))
