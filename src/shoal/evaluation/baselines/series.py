"""What simple methods reach on series: random kernels for whole series, what came last for forecasts.

* most frequent / mean: predicts the shares of the classes, or the mean of each target, in the training rows.
* random kernels: convolutions with fixed kernels of three weights 2 and six weights -1 at several dilations; the
  features are the shares of steps above a bias, and a ridge regression learns from them, its penalty chosen by
  leave-one-out. As MiniRocket (Dempster, Schmidt & Webb 2021, arXiv:2012.08791), with a fifth of its features or less.
  Its decision values become probabilities through a softmax; one temperature, found on leave-one-out values, is all
  the calibration there is, so its log-loss is a crude one.
* forecasts: the last value again (persistence), the value one season before (seasonal naive), and a ridge
  regression on all values of the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.preparation import Preparation
from shoal.data.signals import PADDED
from shoal.evaluation.baselines.minirocket import Kernels
from shoal.evaluation.baselines.ridge import Ridge
from shoal.results import Task

Learned = Callable[[np.ndarray], dict[str, np.ndarray]]
"""From prepared rows to what each method predicts for them."""
MOST_ROWS = 4000
"""Kernels learn from so many training rows at most, drawn at random: more change little and take long."""
MOST_WINDOWS = 20_000
"""The same for the ridge regression on windows, neighbours of which are much alike."""
LEAST_CORRELATION = 0.2


@dataclass(frozen=True)
class Forecast:
    """What baselines need to know of windows.

    Attributes:
        channels: the channel of each target.
        mean: what was subtracted from these channels.
        scale: what they were divided by.
        horizon: how many values of each target are predicted.
        season: steps after which the targets repeat; None: to be found.
    """

    channels: tuple[int, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    horizon: int
    season: int | None = None

    def values(self, x: np.ndarray) -> np.ndarray:
        """Return `(rows, time, targets)` in their own units."""
        return np.asarray(x[:, :, list(self.channels)], np.float64) * self.scale + np.asarray(self.mean)


def forecast_of(preparation: Preparation) -> Forecast | None:
    """Return what baselines need to know of windows, or None where rows are none."""
    signals, recipe = preparation.signals, preparation.recipe
    if signals is None or recipe is None or recipe.window is None:
        return None
    at = tuple(recipe.channels.index(name) for name in recipe.target)
    mean, scale = (tuple(numbers[i] for i in at) for numbers in (signals.mean, signals.scale))
    return Forecast(at, mean, scale, recipe.horizon, recipe.season)


def learn_series_baselines(
    task: Task, x: Any, y: Any, weights: Any, classes: int, seed: int, forecast: Forecast | None = None
) -> Learned:
    """Fit simple methods on prepared series and return the function that predicts for others.

    Args:
        task: classification or regression.
        x: `(rows, time, channels)`, scaled; steps behind the end of a series hold `PADDED` in all channels.
        y: class numbers `(rows,)`, or values `(rows, targets)`.
        weights: `(rows,)` or None, not negative.
        classes: number of classes (0 in regression).
        seed: of the kernels.
        forecast: says that rows are windows that predict the next values.

    Returns:
        From prepared series to name and probabilities `(rows, classes)` or values `(rows, targets)`.

    Example:
        >>> x = np.stack([np.sin(np.arange(40) * f) for f in [0.3, 1.5] * 10])[:, :, None]
        >>> learned = learn_series_baselines(Task.CLASSIFICATION, x, [0, 1] * 10, None, 2, seed=0)
        >>> learned(x[:2])["random_kernels"].argmax(axis=1).tolist()
        [0, 1]
    """
    x = np.asarray(x, np.float32)
    taken = np.ones(len(x)) if weights is None else np.clip(np.asarray(weights, np.float64), 0.0, None)
    taken = taken if taken.sum() > 0 else np.ones(len(x))
    if forecast is not None:
        return _Forecasts(forecast, x, np.asarray(y, np.float64).reshape(len(x), -1), taken)
    if Task(task) is Task.CLASSIFICATION:
        return _Classifiers(x, np.asarray(y, np.int64), taken, classes, seed)
    return _Regressors(x, np.asarray(y, np.float64).reshape(len(x), -1), taken, seed)


class _Classifiers:
    """Most frequent class and random kernels; kept as objects, since they travel between processes."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray, classes: int, seed: int) -> None:
        self.share = np.bincount(y, weights=weights, minlength=classes) / weights.sum()
        self.present = np.unique(y[weights > 0])
        if len(self.present) < 2:
            return
        rows = _some(weights, seed)
        self.kernels = Kernels.fit(*split_padding(x[rows]), seed)
        signs = np.where(y[rows][:, None] == self.present, 1.0, -1.0)
        self.ridge = Ridge.fit(self.kernels.transform(*split_padding(x[rows])), signs, weights[rows])
        self.temperature = _temperature(self.ridge.left_out, signs.argmax(axis=1), weights[rows])
        self.doubt = 1.0 / (len(rows) + len(self.present))  # as if one more row could have been of any class

    def __call__(self, x: np.ndarray) -> dict[str, np.ndarray]:
        frequent = np.tile(self.share, (len(x), 1))
        if len(self.present) < 2:
            return {"most_frequent": frequent, "random_kernels": frequent}
        decisions = self.ridge.predict(self.kernels.transform(*split_padding(x)))
        probabilities = np.zeros_like(frequent)
        sure = _softmax(decisions / self.temperature)
        probabilities[:, self.present] = (1.0 - self.doubt) * sure + self.doubt / len(self.present)
        return {"most_frequent": frequent, "random_kernels": probabilities}


class _Regressors:
    """Mean and random kernels."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray, seed: int) -> None:
        self.mean = np.average(y, axis=0, weights=weights)
        rows = _some(weights, seed)
        self.kernels = Kernels.fit(*split_padding(x[rows]), seed)
        self.ridge = Ridge.fit(self.kernels.transform(*split_padding(x[rows])), y[rows], weights[rows])

    def __call__(self, x: np.ndarray) -> dict[str, np.ndarray]:
        values = self.ridge.predict(self.kernels.transform(*split_padding(x)))
        return {"mean": np.tile(self.mean, (len(x), 1)), "random_kernels": values}


class _Forecasts:
    """Persistence, seasonal naive and ridge on the window."""

    def __init__(self, forecast: Forecast, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
        self.forecast = forecast
        self.season = forecast.season or find_season(forecast.values(x))
        rows = _some(weights, 0, MOST_WINDOWS)
        self.ridge = Ridge.fit(_flat(x[rows]), y[rows], weights[rows])

    def __call__(self, x: np.ndarray) -> dict[str, np.ndarray]:
        values, horizon = self.forecast.values(x), self.forecast.horizon
        predicted = {"persistence": _at(values, [-1] * horizon)}
        if self.season is not None:
            predicted["seasonal_naive"] = _at(values, [k % self.season - self.season for k in range(horizon)])
        return {**predicted, "ridge_on_window": self.ridge.predict(_flat(x))}


def split_padding(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return series with zeros behind their end, and their lengths `(rows,)`."""
    padding = (x == np.float32(PADDED)).all(axis=2)
    return np.where(padding[:, :, None], np.float32(0.0), x), x.shape[1] - padding.sum(axis=1)


def find_season(values: np.ndarray) -> int | None:
    """Return the lag at which the end of a window is most like what came before, or None without a season.

    Over all windows, the correlation of the last step with the one so many steps earlier is the autocorrelation of
    the series. It must first have fallen to a minimum, and rise by `LEAST_CORRELATION` above it to a peak.

    Args:
        values: `(rows, time, targets)`; the first target counts.

    Example:
        >>> wave = np.sin(np.arange(300) * 2 * np.pi / 12)
        >>> find_season(np.lib.stride_tricks.sliding_window_view(wave, 30)[:, :, None])
        12
    """
    windows = values[:, ::-1, 0] - values[:, :, 0].mean(axis=0)[::-1]
    norms = np.sqrt((windows**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        lags = (windows * windows[:, :1]).sum(axis=0) / (norms * norms[0])
    lags = np.nan_to_num(lags)
    rising = np.flatnonzero(np.diff(lags) > 0)
    if not len(rising):
        return None
    low = int(rising[0])
    inner = np.arange(low + 1, len(lags) - 1)
    peaks = inner[(lags[inner] >= lags[inner - 1]) & (lags[inner] > lags[inner + 1])]
    if not len(peaks):
        return None
    best = int(peaks[lags[peaks].argmax()])
    return best if lags[best] >= LEAST_CORRELATION and lags[best] - lags[:best].min() >= LEAST_CORRELATION else None


def _at(values: np.ndarray, places: list[int]) -> np.ndarray:
    """Return `(rows, targets × places)`: for each target the values at some steps."""
    return values[:, places, :].transpose(0, 2, 1).reshape(len(values), -1)


def _flat(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float64).reshape(len(x), -1)


def _some(weights: np.ndarray, seed: int, most: int = MOST_ROWS) -> np.ndarray:
    rows = np.flatnonzero(weights > 0)
    return rows if len(rows) <= most else np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _softmax(decisions: np.ndarray) -> np.ndarray:
    powers = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _temperature(decisions: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    """Return the temperature of least log-loss on decision values that no row had a say in itself."""
    grid = np.logspace(-2, 1, 31)
    picked = [_softmax(decisions / t)[np.arange(len(y)), y] for t in grid]
    losses = [float((weights * -np.log(np.clip(p, 1e-12, None))).sum()) for p in picked]
    return float(grid[int(np.argmin(losses))])
