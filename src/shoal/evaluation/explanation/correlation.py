"""Which columns go together: the strength of a monotone relation, and groups of columns by it."""

from __future__ import annotations

import numpy as np

from shoal.evaluation.explanation.subject import ColumnFeatures, Subject
from shoal.statistics.weighted import effective_number


def correlations(subject: Subject) -> np.ndarray:
    """Return how strongly each two columns go together, `(columns, columns)`, from 0 to 1.

    Of two numbers (dates, truth values) it is |Spearman's rank correlation|; of a number and a category the correlation
    ratio of the ranks, and of two categories Cramér's V, both corrected for the number of categories (Kelley, PNAS 21,
    554, 1935; Bergsma, J. Korean Stat. Soc. 42, 323, 2013), or few rows in many categories would always go together.
    A missing value counts as the value that is put in its place. Rows count with their weights.
    """
    x, w = np.asarray(subject.x, np.float64), subject.w
    ordered = [i for i, column in enumerate(subject.columns) if column.kind != "category"]
    strength = np.eye(len(subject.columns))
    ranks = np.stack([_ranks(x[:, subject.columns[i].features.start], w) for i in ordered], axis=1) if ordered else x
    if ordered:
        strength[np.ix_(ordered, ordered)] = _of_ranks(ranks, w)
    for i, column in enumerate(subject.columns):
        if column.kind != "category":
            continue
        levels = x[:, column.features]
        for place, j in enumerate(ordered):
            strength[i, j] = strength[j, i] = _correlation_ratio(ranks[:, place], levels, w)
        for j, other in _categories(subject, i):
            strength[i, j] = strength[j, i] = _cramers_v(levels, x[:, other.features], w)
    return strength


def _categories(subject: Subject, first: int) -> list[tuple[int, ColumnFeatures]]:
    return [(j, column) for j, column in enumerate(subject.columns[:first]) if column.kind == "category"]


def _ranks(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the weight of smaller values and half of that of equal ones; without weights the mean ranks."""
    _, place = np.unique(values, return_inverse=True)
    each = np.bincount(place, w)
    return np.asarray((np.cumsum(each) - 0.5 * each)[place])


def _of_ranks(ranks: np.ndarray, w: np.ndarray) -> np.ndarray:
    centred = ranks - (w @ ranks) / w.sum()
    products = (centred * w[:, None]).T @ centred
    squares = np.diag(products)
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = np.abs(products) / np.sqrt(np.outer(squares, squares))
    strength = np.clip(np.nan_to_num(strength), 0.0, 1.0)  # a column without scatter goes with none
    np.fill_diagonal(strength, 1.0)
    return strength


def _correlation_ratio(ranks: np.ndarray, levels: np.ndarray, w: np.ndarray) -> float:
    """Return the root of the share of the scatter of ranks that lies between categories, corrected."""
    sums = w @ levels
    there = sums > 0
    centred = ranks - (w @ ranks) / w.sum()
    means = (w * centred) @ levels[:, there] / sums[there]
    n, k, total = effective_number(w), int(there.sum()), float(w @ centred**2)
    if total <= 0 or n <= k or k < 2:
        return 0.0
    share = float(sums[there] @ means**2) / total
    return float(np.sqrt(np.clip(1.0 - (1.0 - share) * (n - 1.0) / (n - k), 0.0, 1.0)))


def _cramers_v(first: np.ndarray, second: np.ndarray, w: np.ndarray) -> float:
    """Return Cramér's V of two sets of 0/1 features, corrected for what chance gives."""
    table = (first * w[:, None]).T @ second
    table = table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]
    n, (r, k) = effective_number(w), table.shape
    if min(r, k) < 2 or n <= 2:
        return 0.0
    shares = table / table.sum()
    expected = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    squared = float(((shares - expected) ** 2 / expected).sum())
    corrected = max(0.0, squared - (r - 1) * (k - 1) / (n - 1))
    rows, columns = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    return float(np.sqrt(min(1.0, corrected / max(min(rows, columns) - 1.0, 1e-12))))


def groups_above(strength: np.ndarray, above: float) -> list[list[int]]:
    """Return the columns in groups: hierarchical clustering with single linkage, cut at a correlation.

    Then no two columns of different groups go together by `above` or more, so that permuting a group as a whole tears
    no such pair apart. With complete or average linkage it would.

    Args:
        strength: how strongly each two columns go together, `(columns, columns)`.
        above: from which strength on they belong together.

    Example:
        >>> groups_above(np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.1], [0.0, 0.1, 1.0]]), 0.7)
        [[0, 1], [2]]
    """
    linked = np.asarray(strength, np.float64) >= above - 1e-12
    groups: list[list[int]] = []
    left = list(range(len(strength)))
    while left:
        group, edge = [], [left.pop(0)]
        while edge:
            group += edge
            near: np.ndarray = np.any(linked[edge], axis=0)
            edge = [i for i in left if near[i]]
            left = [i for i in left if not near[i]]
        groups.append(sorted(group))
    return groups
