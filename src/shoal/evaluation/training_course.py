"""How the losses of networks went over the epochs: where the validation loss was lowest, how far it rose, how surely.

* Curves are smoothed by a running median over a twentieth of the epochs; the end is the median of the last tenth.
  The lowest point is found on every other epoch and read on those between them, so that luck does not make it lower.
* The rise `d` has an interval of nine degrees of freedom. Its variance over the `n` validation rows is (8 P + H) / 9. H
  is the square of half of the difference between the two halves of the rows: one degree of freedom. P weighs as eight
  (the moderated t of Smyth, 2004): s min(d, s) / n below and 2 s u / n above, where `s` is the loss at its lowest, and
  half a nat for log-losses, and `u` the upper end itself: what is uncertain is the true rise, which may be large where
  few rows show none. The scatter over networks and that of the last epochs are added.

8, 1 and 2 were chosen on 280 simulated histories of 6 to 80 validation rows, whose true rise was known from 1,500 rows
(`python -m benchmarks.histories --interval 0 280`): the interval holds it in 268 (96 %), none of 53 claims is made
where the true rise is below 2 %, and 48 of 104 that are above 10 % are claimed. Of 150 others (`--interval 280 430`) it
holds 139 (93 %), with one such claim of 28, and 25 of 51 claimed. `docs/explanation/reliability.md` counts other kinds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.results import Interval

SMOOTH, END, LATE = 0.025, 0.1, 0.05
"""Shares of the epochs: to each side of a smoothed one, at the end, and at which a best epoch counts as at the end."""
LEAST, VISIBLE = 0.02, 0.1
"""In units of `s`: the least rise or fall that counts, and the least rise that is told though it may be chance."""
RESTLESS = 1 / 3
"""In units of `s`: from this change of the validation loss from one epoch to the next on, training has not settled."""
HALF_NAT = 0.5
"""`s` of a log-loss in nats: what one standard deviation of a normal distribution is worth."""
FLOOR = 0.02
"""The least `s` of other losses, as a share of the first validation loss: 0.0001 against 0.001 is no matter."""
WEIGHT, BELOW, ABOVE = 8.0, 1.0, 2.0
"""How many degrees of freedom P counts as, and its factors below and above."""
FEW = 20
"""Shorter curves are read as they are."""


@dataclass(frozen=True)
class Histories:
    """What training left of the kept networks.

    Attributes:
        train, validation: losses `(networks, epochs)`, NaN after the end of each.
        best: `(networks,)` best epochs, counted from 1.
        rows: how many validation rows there are.
        halves: validation loss of each half of them `(networks, epochs, 2)`; None: not known.
        half_nat: what half a nat is in a negative log-likelihood, whose zero means nothing; None for other losses.
        learning_rates: of the networks.
    """

    train: np.ndarray
    validation: np.ndarray
    best: np.ndarray
    rows: int
    halves: np.ndarray | None = None
    half_nat: float | None = None
    learning_rates: tuple[float, ...] = ()

    @property
    def sound(self) -> Histories:
        """Those of the networks that have finite losses; where any is negative, its zero means nothing."""
        train, validation = (np.where(np.isfinite(c), c, np.nan) for c in (self.train, self.validation))
        finite = np.isfinite(train).any(axis=1) & np.isfinite(validation).any(axis=1)
        return replace(
            self,
            train=train[finite],
            validation=validation[finite],
            best=np.asarray(self.best)[finite],
            halves=None if self.halves is None else self.halves[finite],
            half_nat=self.half_nat or (HALF_NAT if (validation < 0).any() else None),
        )


def smoothed(curve: np.ndarray) -> np.ndarray:
    """Return the running median of a curve `(epochs,)` over a twentieth of its epochs, fewer at its ends."""
    side = round(SMOOTH * len(curve))
    if not side:
        return curve
    padded = np.pad(curve, side, constant_values=np.nan)
    return np.asarray(np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, 2 * side + 1), axis=1))


def lowest(curve: np.ndarray) -> float:
    """Return the lowest smoothed loss of a curve `(epochs,)`, without the luck of single epochs.

    The lowest of many noisy epochs lies too low. So where every other epoch is lowest, the epochs between them are
    read, and the other way round.
    """
    if len(curve) < FEW:
        return float(np.nanmin(smoothed(curve)))
    first, second = smoothed(curve[::2]), smoothed(curve[1::2])
    places = min(int(np.nanargmin(first)), len(second) - 1), int(np.nanargmin(second))
    return float((second[places[0]] + first[places[1]]) / 2)


def _jitter(curve: np.ndarray) -> float:
    """Return the variance of the difference between the end of a curve and its lowest point, by its noise."""
    if len(curve) < FEW:
        return 0.0
    noise = float(np.nanvar(np.diff(curve[len(curve) // 2 :]))) / 2
    return noise * (1 / round(END * len(curve)) + 1 / (2 * round(SMOOTH * len(curve)) + 1))


def _jumps(curve: np.ndarray) -> float:
    """Return the median change from one epoch to the next in the second half of a curve; 0 of short ones."""
    return 0.0 if len(curve) < FEW else float(np.nanmedian(np.abs(np.diff(curve[len(curve) // 2 :]))))


def at_end(curve: np.ndarray) -> float:
    """Return the median of the last tenth of a curve `(epochs,)`."""
    return float(np.nanmedian(curve[-max(1, round(END * len(curve))) :]))


def known(curve: np.ndarray) -> np.ndarray:
    """Return a curve up to its last finite epoch."""
    finite = np.flatnonzero(np.isfinite(curve))
    return curve[: finite[-1] + 1] if len(finite) else curve[:0]


def scale_of(histories: Histories) -> float:
    """Return `s`: what counts as much in this loss."""
    if histories.half_nat is not None:
        return histories.half_nat
    curves = [known(curve) for curve in histories.validation]
    return float(np.mean([max(abs(np.nanmin(smoothed(c))), FLOOR * abs(c[0]), 1e-12) for c in curves]))


@dataclass(frozen=True)
class Course:
    """How losses went, means over the networks.

    Attributes:
        scale: `s`.
        epoch: at which the smoothed validation loss was lowest, the median, counted from 1.
        lowest, end: validation loss there and at the end.
        rise: from there to the end.
        train_lowest, train_end: training loss at that epoch and at the end.
        train_start: training loss of the first epoch.
        jumps: change of the validation loss from one epoch to the next, the median of the second half.
    """

    scale: float
    epoch: int
    lowest: float
    end: float
    rise: Interval
    train_lowest: float
    train_end: float
    train_start: float
    jumps: float = 0.0

    @property
    def restless(self) -> bool:
        """Whether the validation loss still jumped about when training ended."""
        return self.jumps > RESTLESS * self.scale

    @property
    def train_fell(self) -> float:
        """How far the training loss fell while the validation loss rose, in units of `s`."""
        return (self.train_lowest - self.train_end) / self.scale


def course_of(histories: Histories) -> Course:
    """Return how the losses went."""
    values, halves, jitter = [], [], []
    for i, curve in enumerate(histories.validation):
        validation = known(curve)
        epochs = len(validation)
        train, place = histories.train[i, :epochs], int(np.nanargmin(smoothed(validation)))
        low = lowest(validation)
        values.append((place + 1, low, at_end(validation), smoothed(train)[place], at_end(train), train[0]))
        if histories.halves is not None:
            halves.append([at_end(half) - smoothed(half)[place] for half in histories.halves[i, :epochs].T])
        jitter.append(_jitter(validation))
    places, lows, end, *train_losses = np.array(values).T
    scale, rises = scale_of(histories), end - lows
    more = (rises.var(ddof=1) if len(rises) > 1 else 0.0) / len(rises) + float(np.mean(jitter)) / len(rises)
    apart = float(np.subtract(*np.mean(halves, axis=0)) / 2) if halves else None
    rise = _with_interval(float(rises.mean()), scale, histories.rows, apart, more)
    at_lowest, at_last, at_first = [float(np.mean(losses)) for losses in train_losses]
    jumps = float(np.mean([_jumps(known(curve)) for curve in histories.validation]))
    epoch, losses = int(np.median(places)), (float(lows.mean()), float(end.mean()))
    return Course(scale, epoch, *losses, rise, at_lowest, at_last, at_first, jumps)


def _with_interval(rise: float, scale: float, rows: int, apart: float | None, more: float) -> Interval:
    """Return a rise with its interval; `apart` is half of the difference of the halves, `more` variance beside it."""
    from scipy.special import stdtrit

    size, per_row, share = max(rise, 0.0), scale / max(rows, 1), 1.0
    quantile = float(stdtrit(WEIGHT + 1, 0.975))
    if apart is not None:
        share, more = WEIGHT / (WEIGHT + 1), more + apart**2 / (WEIGHT + 1)
    below = quantile * float(np.sqrt(share * BELOW * per_row * min(size, scale) + more))
    k = quantile**2 * share * ABOVE * per_row  # the end at which (end - rise)² = k end + quantile² more
    above = (k + float(np.sqrt(k**2 + 4 * (k * size + quantile**2 * more)))) / 2
    return Interval(rise, rise - below, rise + above, "moderated t over validation rows")


def still_improving(histories: Histories, scale: float) -> int:
    """Count networks whose best epoch is at the end of their training, and clearly below a little earlier."""
    number = 0
    for validation, best in zip(histories.validation, histories.best, strict=True):
        curve = known(validation)
        last = len(curve) - 1
        if last < 1:
            continue
        window = max(1, round(0.1 * last))
        earlier = curve[max(0, last - 2 * window) : last - window + 1]
        falling = float(np.nanmean(earlier) - np.nanmin(curve[last - window + 1 :]))
        number += bool(best - 1 >= last - LATE * last and falling > 0.5 * LEAST * scale)
    return number
