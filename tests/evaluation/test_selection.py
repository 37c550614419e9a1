from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from shoal.errors import DataError, SettingError
from shoal.evaluation.selection import (
    Events,
    Yields,
    ams_significance,
    asimov_significance,
    counting_significance,
    roc,
    scan,
    select,
    simple_significance,
)

RNG = np.random.default_rng(5)


def events(
    rows: int, rng: np.random.Generator = RNG, weights: np.ndarray | None = None, sharpness: float = 1.5
) -> Events:
    signal = rng.random(rows) < 0.4
    score = 1 / (1 + np.exp(-sharpness * (2.0 * signal - 1) - rng.normal(size=rows)))
    return Events(score, signal, np.ones(rows) if weights is None else weights)


def test_formulas_against_numbers_computed_by_hand() -> None:
    assert simple_significance(12.0, 36.0) == pytest.approx(2.0)
    assert counting_significance(12.0, 24.0) == pytest.approx(2.0)
    # Cowan et al. 2011, eq. 97
    assert asimov_significance(5.0, 1.0) == pytest.approx(math.sqrt(2 * (6 * math.log(6) - 5)))
    # Cowan 2012: s, b and sigma as he writes them
    s, b, sigma = 20.0, 100.0, 15.0
    v = sigma**2
    expected = math.sqrt(
        2
        * (
            (s + b) * math.log((s + b) * (b + v) / (b**2 + (s + b) * v))
            - b**2 / v * math.log(1 + v * s / (b * (b + v)))
        )
    )
    assert asimov_significance(s, b, 0.15) == pytest.approx(expected, rel=1e-12)
    assert ams_significance(s, b) == pytest.approx(math.sqrt(2 * (130 * math.log(1 + 20 / 110) - 20)))


def test_limits_of_the_formulas() -> None:
    assert asimov_significance(1.0, 1e6) == pytest.approx(1e-3, rel=1e-3)
    assert asimov_significance(30.0, 1e6, 1e-6) == pytest.approx(float(asimov_significance(30.0, 1e6)), rel=1e-3)
    # s / sqrt(b + sigma^2) for s << b
    assert asimov_significance(10.0, 1e4, 0.05) == pytest.approx(10 / math.sqrt(1e4 + 500**2), rel=2e-3)
    assert np.isnan(asimov_significance(3.0, 0.0))
    assert np.isnan(simple_significance(3.0, -1.0))
    assert asimov_significance(-2.0, 100.0) < 0


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    some = events(400, weights=RNG.lognormal(size=400))
    found = roc(some)
    background, signal, cuts = roc_curve(some.signal, some.score, sample_weight=some.weights, drop_intermediate=False)
    np.testing.assert_allclose(found.cuts, cuts)
    np.testing.assert_allclose(found.signal, signal, atol=1e-12)
    np.testing.assert_allclose(found.background, background, atol=1e-12)
    area = roc_auc_score(some.signal, some.score, sample_weight=some.weights)
    assert found.area.value == pytest.approx(area)
    assert found.area.low < area < found.area.high


def test_whole_weights_are_repeated_rows() -> None:
    weights = RNG.integers(1, 4, 300)
    some = events(300, weights=weights.astype(float))
    repeated = Events(np.repeat(some.score, weights), np.repeat(some.signal, weights), np.ones(weights.sum()))
    cuts = np.linspace(0.05, 0.95, 19)
    for one, other in zip(some.above(cuts), repeated.above(cuts), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    yields = Yields(50, 1000, 0.1)
    one, other = (scan(each, yields, "asimov", cuts).measures for each in (some, repeated))
    np.testing.assert_allclose(one["asimov"], other["asimov"], atol=1e-12)


def test_negative_weights_are_as_good_as_events_taken_away() -> None:
    some = events(300)
    doubled = Events(
        np.concatenate([some.score, some.score[:50], some.score[:50]]),
        np.concatenate([some.signal, some.signal[:50], some.signal[:50]]),
        np.concatenate([np.ones(350), -np.ones(50)]),
    )
    cuts = np.linspace(0.05, 0.95, 19)
    for one, other in zip(some.above(cuts), doubled.above(cuts), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    found = select(some, doubled, Yields(20, 400))
    assert found.negative[0] > 0
    assert found.effective[0] < doubled.signal.sum()


def test_the_cut_is_chosen_on_one_part_and_quoted_on_the_other() -> None:
    choosing, quoting = events(800), events(900)
    yields = Yields(30, 2000, 0.1)
    found = select(choosing, quoting, yields)
    (signal,), (background,) = quoting.above(np.array([found.cut]))
    assert found.signal_efficiency.value == signal
    assert found.rejection.value == pytest.approx(1 / background)
    expected = float(asimov_significance(30 * signal, 2000 * background, 0.1))
    assert found.quoted["asimov"].value == pytest.approx(expected)
    assert found.chosen <= np.nanmax(found.scan.measures["asimov"])
    assert (choosing.score[~choosing.signal] >= found.cut).sum() >= 10
    for value in (*found.quoted.values(), found.signal_efficiency, found.rejection):
        assert value.low <= value.value <= value.high
    assert found.as_dict()["rows"] == [800, 900]
    left = np.array([(choosing.score[~choosing.signal] >= cut).sum() for cut in found.scan.cuts])
    enough = left >= 10
    other = select(choosing, quoting, yields, measure="s/sqrt(s+b)")
    assert other.chosen == pytest.approx(np.nanmax(np.where(enough, other.scan.measures["s/sqrt(s+b)"], np.nan)))


def test_the_interval_holds_the_truth() -> None:
    yields, inside = Yields(30, 3000), []
    whole = events(200_000, np.random.default_rng(1))
    for seed in range(30):
        rng = np.random.default_rng(100 + seed)
        found = select(events(400, rng), events(400, rng), yields)
        (signal,), (background,) = whole.above(np.array([found.cut]))
        truth = float(asimov_significance(30 * signal, 3000 * background))
        inside.append(found.quoted["asimov"].low <= truth <= found.quoted["asimov"].high)
    assert np.mean(inside) >= 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": 0.0, "background": 1.0}, "signal_yield must be a positive number of expected events, got 0.0"),
        ({"signal": 1.0, "background": float("nan")}, "background_yield must be a positive"),
        ({"signal": 1.0, "background": 1.0, "uncertainty": 10.0}, "background_uncertainty is relative"),
        ({"signal": 1.0, "background": 1.0, "uncertainty": -0.1}, "background_uncertainty must be zero or positive"),
    ],
)
def test_yields_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Yields(**options)


def test_rows_that_measure_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="no rows of signal"):
        Events(np.zeros(3), np.zeros(3, bool), np.ones(3))
    with pytest.raises(DataError, match="weights of the background rows add up to -1"):
        Events(np.zeros(3), np.array([True, False, False]), np.array([1.0, 1.0, -2.0]))
    with pytest.raises(SettingError, match=r"measure must be one of asimov.*Did you mean 'asimov'"):
        Yields(1, 1).measure("asimow")
