"""The stratified division of rows, number for number that of scikit-learn, without its second of import time.

Reading the data is what everything waits for, so nothing slow may be loaded for it; what scikit-learn divides is
kept, since a seed names its rows.
"""

from __future__ import annotations

import numpy as np


def divide_stratified(rows: np.ndarray, strata: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows in two with every stratum in proportion, as `train_test_split(stratify=strata)` does.

    Args:
        rows: what is divided, `(rows,)`.
        strata: the stratum of each, `(rows,)`; at least two rows in each, and no more strata than rows in a part.
        count: rows in the second part.
        seed: of the random numbers, below 2³².

    Example:
        >>> first, second = divide_stratified(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), 2, seed=0)
        >>> sorted((second // 3).tolist())
        [0, 1]
    """
    random = np.random.RandomState(seed)  # the stream of scikit-learn, which NumPy keeps for ever
    _, number, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    places = np.split(np.argsort(number, kind="stable"), np.cumsum(sizes)[:-1])
    in_first = _shares(sizes, len(rows) - count, random)
    in_second = _shares(sizes - in_first, count, random)
    first, second = [], []
    for place, size, a, b in zip(places, sizes, in_first, in_second, strict=True):
        drawn = place[random.permutation(size)]
        first.append(drawn[:a])
        second.append(drawn[a : a + b])
    return rows[random.permutation(np.concatenate(first))], rows[random.permutation(np.concatenate(second))]


def _shares(sizes: np.ndarray, total: int, random: np.random.RandomState) -> np.ndarray:
    """Return how many of `total` draws fall to each stratum: in proportion, the rest to the largest remainders."""
    exact = sizes / sizes.sum() * total
    shares = np.floor(exact)
    left, remainders = int(total - shares.sum()), exact - shares
    for remainder in np.unique(remainders)[::-1]:
        if left == 0:
            break
        (tied,) = np.where(remainders == remainder)
        chosen = random.choice(tied, size=min(len(tied), left), replace=False)  # ties are broken by chance
        shares[chosen] += 1
        left -= len(chosen)
    return shares.astype(np.int64)
