"""Selecting signal by a cut on its score: efficiencies, ROC curve, and significance for yields that the user expects.

A cut at t keeps rows with a score of t or more. Of S expected signal and B expected background events it keeps
`s = S e_S(t)` and `b = B e_B(t)`, the efficiencies e being shares of the weights. The best cut of many may flatter, so
it is chosen on one part of the rows and quoted on another, with a bootstrap interval that draws signal and background
each for itself, whole groups where rows have them, and so holds the yields fixed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.errors import DataError, SettingError
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.signal import signal_class
from shoal.results import Interval, Task
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import percentile_interval, resampled_weights, resamples_for, with_intervals
from shoal.statistics.significance import MEASURES, Yields
from shoal.statistics.weighted import effective_number, negative_fraction

LEAST_EVENTS = 10.0
"""Effective background events that must be left behind a cut in the rows that choose it."""
POINTS = 200
"""Cuts in a scan at most."""
RESAMPLES = 1000


@dataclass(frozen=True)
class Events:
    """Scored rows: `score`, `signal` (true or false), `weights` of any sign and `groups` (or None), `(rows,)` each.

    Raises:
        DataError: a class has no rows, or weights that do not add up to more than zero.
    """

    score: np.ndarray
    signal: np.ndarray
    weights: np.ndarray
    groups: np.ndarray | None = None

    def __post_init__(self) -> None:
        for what, rows in (("signal", self.signal), ("background", ~self.signal)):
            if not rows.any():
                raise DataError(f"there are no rows of {what} to measure its efficiency on")
            if not (total := float(self.weights[rows].sum())) > 0:
                raise DataError(
                    f"the weights of the {what} rows add up to {total:g}; shares of them mean nothing unless the sum "
                    "is positive"
                )

    @classmethod
    def of(cls, rows: PredictedRows, signal: int) -> Events:
        """Return rows with their predictions as events; `signal` is the number of that class."""
        weights = np.ones(len(rows.truth)) if rows.weights is None else rows.weights
        return cls(rows.guess[:, signal], rows.truth == signal, weights, rows.groups)

    def above(self, cuts: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the shares of signal and background kept by each cut.

        Args:
            cuts: `(cuts,)`, rising.
            weights: other weights `(resamples, rows)`; the shares are then `(resamples, cuts)`.
        """
        w = self.weights if weights is None else weights
        # how many of the cuts each row passes, so that one sum serves all cuts
        passed = np.searchsorted(cuts, self.score, side="right")
        return self._share(passed, self.signal, w, len(cuts)), self._share(passed, ~self.signal, w, len(cuts))

    @staticmethod
    def _share(passed: np.ndarray, rows: np.ndarray, weights: np.ndarray, cuts: int) -> np.ndarray:
        table = np.atleast_2d(weights)[:, rows]
        sums = np.stack([np.bincount(passed[rows], drawn, minlength=cuts + 1) for drawn in table])
        kept = np.cumsum(sums[:, ::-1], axis=1)[:, ::-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = kept[:, 1:] / kept[:, :1]
        return share if weights.ndim == 2 else share[0]


@dataclass(frozen=True, repr=False)
class Roc(ShortRepr):
    """Shares of signal and background kept by falling cuts, each from 0 to 1, and the area with its interval."""

    cuts: np.ndarray
    signal: np.ndarray
    background: np.ndarray
    area: Interval


def roc(events: Events, seed: int = 0) -> Roc:
    """Return the ROC curve through every score, as `sklearn.metrics.roc_curve` with all its points.

    Example:
        >>> events = Events(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]), np.ones(4))
        >>> roc(events).area.value
        0.75
    """
    cuts = np.unique(events.score)
    signal, background = (np.append(share[::-1], []) for share in events.above(cuts))
    guess = np.column_stack([1.0 - events.score, events.score])
    drawing: dict[str, Any] = {
        "weights": events.weights, "seed": seed, "resamples": RESAMPLES, "groups": events.groups, "only": ("roc_auc",),
    }  # fmt: skip
    area = with_intervals(Task.CLASSIFICATION, events.signal.astype(np.int64), guess, **drawing)["roc_auc"]
    start = np.zeros(1)
    return Roc(
        np.concatenate([[np.inf], cuts[::-1]]),
        np.concatenate([start, signal]),
        np.concatenate([start, background]),
        area,
    )


@stored("scan")
@dataclass(frozen=True, repr=False)
class Scan(ShortRepr):
    """Significance against cut on some rows: each measure `(cuts,)`, with the 95 % band of the one that decides."""

    cuts: np.ndarray
    signal: np.ndarray
    background: np.ndarray
    measures: dict[str, np.ndarray]
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, repr=False)
class Selection(ShortRepr):
    """A cut chosen on some rows, and what it gives on others.

    Attributes:
        cut: keep rows with a score of it or more.
        measure: the measure that it maximises.
        chosen: the significance on the rows that chose it.
        quoted: each measure on the other rows, with its interval.
        signal_efficiency, background_efficiency, rejection: on the other rows; rejection is `1 /
        background_efficiency`. signal_events, background_events: expected behind the cut.
        scan: of the rows that chose; `quoted_scan` of the others.
        curve: the ROC curve of the other rows.
        rows: how many rows chose, and how many are quoted.
        effective, negative: effective number and negative fraction of the quoted rows, signal first.
    """

    cut: float
    measure: str
    yields: Yields
    chosen: float
    quoted: dict[str, Interval]
    signal_efficiency: Interval
    background_efficiency: Interval
    rejection: Interval
    scan: Scan
    quoted_scan: Scan
    curve: Roc
    rows: tuple[int, int]
    effective: tuple[float, float]
    negative: tuple[float, float]
    chosen_on: str = "validation rows"
    quoted_on: str = "test rows"

    @property
    def signal_events(self) -> float:
        """Expected signal events behind the cut."""
        return self.yields.signal * self.signal_efficiency.value

    @property
    def background_events(self) -> float:
        """Expected background events behind the cut."""
        return self.yields.background * self.background_efficiency.value

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON, without the curves."""
        return {
            "cut": self.cut,
            "measure": self.measure,
            "signal_yield": self.yields.signal,
            "background_yield": self.yields.background,
            "background_uncertainty": self.yields.uncertainty,
            "b_reg": self.yields.b_reg,
            "chosen_on": self.chosen_on,
            "quoted_on": self.quoted_on,
            "rows": list(self.rows),
            "significance_where_chosen": self.chosen,
            "significance": {name: value.as_dict() for name, value in self.quoted.items()},
            "signal_efficiency": self.signal_efficiency.as_dict(),
            "background_efficiency": self.background_efficiency.as_dict(),
            "background_rejection": self.rejection.as_dict(),
            "signal_events": self.signal_events,
            "background_events": self.background_events,
            "roc_auc": self.curve.area.as_dict(),
            "effective_events": dict(zip(("signal", "background"), self.effective, strict=True)),
            "negative_fraction": dict(zip(("signal", "background"), self.negative, strict=True)),
        }


def select(
    choosing: Events,
    quoting: Events,
    yields: Yields,
    *,
    measure: str = "asimov",
    seed: int = 0,
    chosen_on: str = "validation rows",
    quoted_on: str = "test rows",
) -> Selection:
    """Choose the cut on some rows and quote it on others.

    Only cuts count behind which at least ten effective background events are left, since an efficiency that is measured
    with fewer is mostly chance.

    Args:
        choosing: the rows that choose.
        quoting: the rows that quote; no row may be in both.
        yields: the expected events.
        measure: what is to be large: `asimov`, `ams`, `s/sqrt(b)` or `s/sqrt(s+b)`.
        seed: of the resamples.
        chosen_on: what the first rows are called.
        quoted_on: what the others are called.

    Raises:
        SettingError: there is no such measure.
        DataError: no cut leaves enough background.
    """
    cuts = _cuts(choosing)
    cut = choose_cut(choosing, yields, measure, cuts)
    best = scan(choosing, yields, measure, cuts, seed)
    signal, background = (quoting.weights[rows] for rows in (quoting.signal, ~quoting.signal))
    return Selection(
        cut,
        measure,
        yields,
        float(best.measures[measure][np.searchsorted(cuts, cut)]),
        *_quoted(quoting, cut, yields, seed),
        best,
        scan(quoting, yields, measure, cuts, seed),
        roc(quoting, seed),
        (len(choosing.score), len(quoting.score)),
        (effective_number(signal), effective_number(background)),
        (negative_fraction(signal), negative_fraction(background)),
        chosen_on,
        quoted_on,
    )


def _quoted(
    events: Events, cut: float, yields: Yields, seed: int
) -> tuple[dict[str, Interval], Interval, Interval, Interval]:
    """Return each significance behind a cut, both efficiencies and the rejection of background."""
    at = np.array([cut])
    (signal,), (background,) = events.above(at)
    signals, backgrounds = (shares[:, 0] for shares in drawn_shares(events, at, seed))

    def interval(of: Callable[[Any, Any], Any]) -> Interval:
        return percentile_interval(of(signal, background), of(signals, backgrounds))

    def significance(name: str) -> Interval:
        return interval(lambda s, b: yields.measure(name)(yields.signal * s, yields.background * b))

    with np.errstate(divide="ignore"):
        rejection = interval(lambda _, b: np.divide(1.0, b))
    significances = {name: significance(name) for name in MEASURES}
    return significances, interval(lambda s, _: s), interval(lambda _, b: b), rejection


def choose_cut(events: Events, yields: Yields, measure: str = "asimov", cuts: np.ndarray | None = None) -> float:
    """Return the cut with the largest significance among those that leave enough background.

    Args:
        events: the rows that choose.
        yields: the expected events.
        measure: what is to be large.
        cuts: `(cuts,)`, rising, to choose from; by default at scores of the rows.

    Raises:
        SettingError: there is no such measure.
        DataError: no cut leaves enough background events.
    """
    cuts = _cuts(events) if cuts is None else cuts
    signal, background = events.above(cuts)
    values = yields.measure(measure)(yields.signal * signal, yields.background * background)
    values = np.where(_enough(events, cuts), values, np.nan)
    if not np.isfinite(values).any():
        raise DataError(
            f"no cut leaves {LEAST_EVENTS:g} effective background events in the {len(events.score)} rows that choose "
            "it; more background rows are needed"
        )
    return float(cuts[np.nanargmax(values)])


def scan(events: Events, yields: Yields, measure: str, cuts: np.ndarray, seed: int = 0) -> Scan:
    """Return significance against cut, with the bootstrap band of one measure."""
    signal, background = events.above(cuts)
    s, b = yields.signal * signal, yields.background * background
    measures = {name: yields.measure(name)(s, b) for name in MEASURES}
    drawn = drawn_shares(events, cuts, seed)
    values = yields.measure(measure)(yields.signal * drawn[0], yields.background * drawn[1])
    known = np.isfinite(values).mean(axis=0) > 0.5
    low, high = np.full((2, len(cuts)), np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(values[:, known], [0.025, 0.975], axis=0)
    return Scan(cuts, signal, background, measures, low, high)


def _cuts(events: Events) -> np.ndarray:
    """Return where to cut: at scores of the rows, as many below as between them in share of signal and background."""
    shares = np.linspace(0.0, 1.0, POINTS // 2, endpoint=False)
    cuts = [np.quantile(events.score[rows], shares, method="lower") for rows in (events.signal, ~events.signal)]
    return np.unique(np.concatenate(cuts))


def _enough(events: Events, cuts: np.ndarray) -> np.ndarray:
    """Return which cuts leave enough effective background events."""
    score, weights = events.score[~events.signal], events.weights[~events.signal]
    left = np.array([effective_number(weights[score >= cut]) for cut in cuts])
    return left >= min(LEAST_EVENTS, effective_number(weights))


def drawn_shares(events: Events, cuts: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return resampled shares of signal and background kept, `(resamples, cuts)` each; the classes are drawn apart."""
    shares = []
    for number, rows in enumerate((events.signal, ~events.signal)):
        passed, weights = np.searchsorted(cuts, events.score[rows], side="right"), events.weights[rows]
        groups = None if events.groups is None else np.unique(events.groups[rows], return_inverse=True)[1]
        times = resamples_for(len(weights), RESAMPLES)
        chunks = resampled_weights(len(weights), weights, times, seed + number, groups=groups)
        shares.append(np.concatenate([Events._share(passed, np.ones(len(passed), bool), w, len(cuts)) for w in chunks]))
    fewer = min(len(share) for share in shares)
    return shares[0][:fewer], shares[1][:fewer]


def yields_of(settings: Mapping[str, Any]) -> Yields | None:
    """Return the yields among the settings of a fit, or None.

    Example:
        >>> yields_of({"signal_yield": 10.0, "background_yield": 100.0})
        Yields(signal=10.0, background=100.0, uncertainty=0.0, b_reg=10.0)
    """
    if settings.get("signal_yield") is None:
        return None
    uncertainty = settings.get("background_uncertainty", 0.0)
    return Yields(settings["signal_yield"], settings["background_yield"], uncertainty)


def check_selection(
    settings: Mapping[str, Any], classes: tuple[str, ...], per_step: bool = False, several: int = 0
) -> None:
    """Check that a fit which is told yields, a signal or processes tells two classes of rows apart.

    Raises:
        SettingError: it does not, or there is no such class.
    """
    if yields_of(settings) is None and settings.get("signal") is None and settings.get("process") is None:
        return
    if len(classes) != 2 or per_step:
        what = f"the classes of {several} targets" if several else f"{len(classes)} classes" if classes else "numbers"
        raise SettingError(
            f"signal, its yields and process are for two classes of rows, signal and background, but here {what}"
            f"{' of steps' if per_step else ''} are predicted; leave them out"
        )
    signal_class(classes, settings.get("signal"))
