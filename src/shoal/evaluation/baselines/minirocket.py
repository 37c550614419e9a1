"""Shares of steps at which fixed convolutions of a series exceed a bias, after MiniRocket (arXiv:2012.08791)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shoal.networks.minirocket import PLACES, TAPS, draw_channels, spread_dilations

FEATURES = 2000
MANY_ROWS = 500
"""From here on half as many features do: with more rows each is worth less, and the ridge behind takes longer."""
COST = 3e8
"""Steps × kernels × dilations of the training rows at most, which is some seconds: longer data get fewer kernels."""
AT_ONCE = 100_000
SHARING = 2
"""So many kernels add up the same channels."""


@dataclass(frozen=True, eq=False)
class Kernels:
    """Dilations, biases and channels, as fitted on training rows.

    Attributes:
        dilations: steps between the taps of a kernel.
        places: `(kernels,)` numbers of the kernels used, positions in `PLACES`.
        biases: `(dilations, kernels, biases)`.
        channels: for each dilation and `SHARING` kernels the channels that they add up; None for one channel.
    """

    dilations: tuple[int, ...]
    places: np.ndarray
    biases: np.ndarray
    channels: tuple[tuple[np.ndarray, ...], ...] | None

    @classmethod
    def fit(cls, x: np.ndarray, lengths: np.ndarray, seed: int) -> Kernels:
        """Choose dilations by the length of the series, and biases as quantiles of what training rows give.

        Args:
            x: `(rows, time, channels)`, zeros behind the end of a series.
            lengths: `(rows,)` real steps of each.
            seed: of the choice of channels, rows and kernels.
        """
        rng = np.random.default_rng(seed)
        rows, steps, channels = x.shape
        dilations = spread_dilations(int(np.median(lengths)))
        cost = rows * steps * len(dilations)
        count = int(np.clip(COST / max(cost, 1), 12, len(PLACES)))
        places = np.sort(rng.permutation(len(PLACES))[:count])
        features = FEATURES if rows <= MANY_ROWS else FEATURES // 2
        each = max(1, round(features / (count * len(dilations))))
        chosen = None
        if channels > 1:
            groups = -(-count // SHARING)
            chosen = tuple(tuple(draw_channels(rng, channels) for _ in range(groups)) for _ in dilations)
        kernels = cls(dilations, places, np.zeros((len(dilations), count, each)), chosen)
        golden = (np.arange(1, count * each + 1) * (5**0.5 + 1) / 2 % 1).reshape(count, each)
        for d in range(len(dilations)):
            some = rng.choice(rows, min(rows, 16), replace=False)
            inside = np.arange(steps) < lengths[some, None]
            for k, output in enumerate(kernels._outputs(x[some], d)):
                kernels.biases[d, k] = np.quantile(output[inside], golden[k])
        return kernels

    def transform(self, x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return `(rows, features)` float32 shares of the real steps above each bias."""
        rows, steps = x.shape[:2]
        features = np.zeros((rows, *self.biases.shape), np.float32)
        once = max(1, AT_ONCE // steps)
        for begin in range(0, rows, once):
            part = slice(begin, begin + once)
            for d, dilation in enumerate(self.dilations):
                self._fill(features[part, d], x[part], lengths[part], d, dilation)
        return features.reshape(rows, -1)

    def _fill(self, features: np.ndarray, x: np.ndarray, lengths: np.ndarray, d: int, dilation: int) -> None:
        """Fill in `(rows, kernels, biases)` for one dilation."""
        steps, edge = x.shape[1], (TAPS // 2) * dilation
        wide = _Counted(lengths, steps, 0)
        # every other kernel counts only steps at which all of its taps lie within the series
        narrow = _Counted(lengths, steps, edge)
        for k, output in enumerate(self._outputs(x, d)):
            counted = narrow if (k + d) % 2 else wide
            for b, bias in enumerate(self.biases[d, k]):
                features[:, k, b] = counted.share(output > np.float32(bias))

    def _outputs(self, x: np.ndarray, d: int) -> Iterator[np.ndarray]:
        """Yield `(rows, time)` outputs of every kernel at one dilation."""
        for number, place in enumerate(self.places):
            if number % SHARING == 0 and (number == 0 or self.channels is not None):
                chosen = [0] if self.channels is None else self.channels[d][number // SHARING]
                taps = _taps(np.sum([x[:, :, c] for c in chosen], axis=0), self.dilations[d])
                base = np.sum(taps, axis=0)
            i, j, k = PLACES[place]
            output = taps[i] + taps[j]
            output += taps[k]
            output *= np.float32(3.0)
            output -= base
            yield output


class _Counted:
    """The steps that count: those that are real and so far from either end, or all real ones where none are."""

    def __init__(self, lengths: np.ndarray, steps: int, edge: int) -> None:
        edges = np.where(lengths > 2 * edge, edge, 0)
        self.count = (lengths - 2 * edges).astype(np.float32)
        self.mask: np.ndarray | None = None
        self.part = slice(None)
        if (lengths == lengths[0]).all():  # a slice is much faster than a mask
            self.part = slice(int(edges[0]), int(lengths[0] - edges[0]))
        else:
            place = np.arange(steps)
            self.mask = (place >= edges[:, None]) & (place < (lengths - edges)[:, None])

    def share(self, above: np.ndarray) -> np.ndarray:
        """Return `(rows,)` the share of the steps that count at which a mark `(rows, time)` is set."""
        if self.mask is not None:
            above &= self.mask
        marks = above[:, self.part].view(np.int8)
        return np.asarray(np.add.reduce(marks, axis=1, dtype=np.int32) / np.maximum(self.count, 1.0))


def _taps(x: np.ndarray, dilation: int) -> list[np.ndarray]:
    """Return the series as each of nine taps sees it, zeros beyond its ends."""
    steps, edge = x.shape[1], (TAPS // 2) * dilation
    wide = np.pad(x, ((0, 0), (edge, edge)))
    return [wide[:, i * dilation : i * dilation + steps] for i in range(TAPS)]
