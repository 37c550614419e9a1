"""Which hyperparameters mattered: how much of the scatter of the scores each one explains by itself.

Scores are replaced by their ranks (one bad score shall not decide), numbers are put into at most four
quantile bins, and the share of the ranks' variance that lies between the bins is the correlation ratio eta²
(Kruskal and Wallis, 1952, use the same sum). Since eta² is positive for pure noise, the unbiased epsilon²
(Kelley, 1935) is returned:

    epsilon² = (between - (k - 1) * within / (n - k)) / total,

0 on average for noise, cut at 0. Combinations of hyperparameters are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.results import readable

BINS = 4
FEWEST = 8
"""Fewer scores than this say nothing."""


@dataclass(frozen=True)
class HyperparameterImportance:
    """How much of the scatter of the scores one hyperparameter explains by itself.

    Attributes:
        name: of the hyperparameter.
        share: of the ranked scores' variance, from 0 to 1.
        finding: what follows its name in a sentence.
    """

    name: str
    share: float
    finding: str

    @property
    def text(self) -> str:
        """The finding as a sentence."""
        return self.name + self.finding


def hyperparameter_importance(candidates: Sequence[Mapping[str, Any]], scores: Any) -> list[HyperparameterImportance]:
    """Return how much each hyperparameter mattered, the most important first.

    Args:
        candidates: hyperparameters of each by name; `hidden` (a list of widths) counts as `depth` and
            `total width`. Values that never change are left out.
        scores: `(candidates,)`, lower is better. An infinite score (it diverged) ranks last; NaN is
            left out.

    Returns:
        An empty list if there are fewer than 8 finite scores.

    Example:
        >>> tried = [{"learning_rate": 0.001 * (1 + i), "batch_size": 8 * (1 + i % 2)} for i in range(40)]
        >>> most = hyperparameter_importance(tried, np.arange(40))[0]
        >>> most.share, most.text
        (0.93, 'learning_rate mattered most: the best quarter used 0.002–0.009.')
    """
    scores = np.asarray(scores, np.float64)
    if len(candidates) != len(scores):
        raise ValueError(f"expected one score per candidate, got {len(candidates)} and {len(scores)}")
    if np.isfinite(scores).sum() < FEWEST:
        return []
    known = np.flatnonzero(~np.isnan(scores))
    ranks = _ranks(scores[known])
    described = [_described(candidates[int(i)]) for i in known]
    names = list(dict.fromkeys(name for candidate in described for name in candidate))
    measured = []
    for name in names:
        values = [candidate.get(name) for candidate in described]
        bins = _bins(values)
        if len(np.unique(bins)) > 1:
            measured.append((name, _share(bins, ranks), _noise(bins), values))
    measured.sort(key=lambda item: (-item[1], names.index(item[0])))
    best = np.argsort(ranks, kind="stable")[: max(2, len(ranks) // 4)]
    return [
        HyperparameterImportance(name, round(share, 2), _finding(share, share > noise, i == 0, values, best))
        for i, (name, share, noise, values) in enumerate(measured)
    ]


def _described(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the candidate with `hidden` as depth and total width, and other lists as text."""
    described: dict[str, Any] = {}
    for name, value in candidate.items():
        if name == "hidden" and isinstance(value, (list, tuple)):
            described |= {"depth": len(value), "total width": int(sum(value))}
        elif isinstance(value, (list, tuple)):
            described[name] = ", ".join(map(str, value))
        elif isinstance(value, (dict, set)):
            described[name] = str(value)
        else:
            described[name] = value.item() if isinstance(value, np.generic) else value
    return described


def _ranks(scores: np.ndarray) -> np.ndarray:
    """Return ranks from 0, ties at their mean."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and bool(np.isfinite(value))


def _bins(values: Sequence[Any]) -> np.ndarray:
    """Return a bin number for each value: quantiles of numbers, one bin for each other value."""
    numbers = np.array([v for v in values if _is_number(v)], np.float64)
    few = len(np.unique(numbers)) <= BINS
    inner = np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]) if len(numbers) else numbers
    edges = np.unique(numbers) if few else np.unique(inner)
    labels = {text: i for i, text in enumerate(sorted({str(v) for v in values if not _is_number(v)}))}
    return np.array([int(np.searchsorted(edges, v)) if _is_number(v) else BINS + 1 + labels[str(v)] for v in values])


def _share(bins: np.ndarray, ranks: np.ndarray) -> float:
    """Return epsilon² of the ranks between the bins, cut at 0."""
    _, group, counts = np.unique(bins, return_inverse=True, return_counts=True)
    n, k = len(ranks), len(counts)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if n - k < 2 or total == 0:
        return 0.0
    means = np.bincount(group, weights=ranks) / counts
    between = float((counts * (means - ranks.mean()) ** 2).sum())
    within = max(total - between, 0.0)
    return max(0.0, (between - (k - 1) * within / (n - k)) / total)


def _noise(bins: np.ndarray) -> float:
    """Return the share that noise reaches about once in twenty: twice its standard deviation."""
    n, k = len(bins), len(np.unique(bins))
    return 2 * float(np.sqrt(2 * (k - 1))) / max(n - 1, 1)


def _finding(share: float, clear: bool, first: bool, values: Sequence[Any], best: np.ndarray) -> str:
    if not clear:
        return f": no influence that {len(values)} candidates can show."
    used = _used([values[i] for i in best], values)
    if first:
        return f" mattered most: the best quarter used {used}."
    return f" explains {100 * share:.0f} % of the ranking: the best quarter used {used}."


def _used(chosen: Sequence[Any], values: Sequence[Any]) -> str:
    """Return the range of numbers, or the commonest value, e.g. `relu (7 of 10; 31 % of all)`."""
    if all(_is_number(v) for v in values) and len(set(values)) > BINS:
        low, high = np.quantile(np.array(chosen, np.float64), [0.1, 0.9], method="nearest")
        return f"{readable(low, 2)}–{readable(high, 2)}" if low != high else readable(low, 2)
    value, count = Counter(map(str, chosen)).most_common(1)[0]
    share = sum(str(v) == value for v in values) / len(values)
    return f"mostly {value} ({count} of {len(chosen)}; {100 * share:.0f} % of all candidates)"
