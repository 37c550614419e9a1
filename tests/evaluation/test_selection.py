from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from shoal.errors import DataError, SettingError
from shoal.evaluation.cuts import Events, check_selection, choose_cut, roc, scan, select
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.topics.selection import selection_of
from shoal.statistics.significance import Yields, asimov_significance

RNG = np.random.default_rng(5)


def events(
    rows: int, rng: np.random.Generator = RNG, weights: np.ndarray | None = None, sharpness: float = 1.5
) -> Events:
    signal = rng.random(rows) < 0.4
    score = 1 / (1 + np.exp(-sharpness * (2.0 * signal - 1) - rng.normal(size=rows)))
    return Events(score, signal, np.ones(rows) if weights is None else weights)


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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_rows_that_measure_nothing_are_refused() -> None:
    with pytest.raises(DataError, match="no rows of signal"):
        Events(np.zeros(3), np.zeros(3, bool), np.ones(3))
    with pytest.raises(DataError, match="weights of the background rows add up to -1"):
        Events(np.zeros(3), np.array([True, False, False]), np.array([1.0, 1.0, -2.0]))


def test_a_cut_is_the_best_of_its_scan() -> None:
    some, yields = events(500), Yields(40, 900)
    found = scan(some, yields, "s/sqrt(s+b)", np.linspace(0.05, 0.9, 60))
    cut = choose_cut(some, yields, "s/sqrt(s+b)", found.cuts)
    left = np.array([(some.score[~some.signal] >= at).sum() for at in found.cuts])
    assert cut == found.cuts[np.nanargmax(np.where(left >= 10, found.measures["s/sqrt(s+b)"], np.nan))]


def predicted(rows: int) -> PredictedRows:
    some = events(rows)
    guess = np.column_stack([1 - some.score, some.score])
    return PredictedRows(np.arange(rows), some.signal.astype(np.int64), guess, some.weights)


def test_what_a_fit_is_told_makes_the_selection() -> None:
    parts, classes = {"validation": predicted(300), "test": predicted(200)}, ("background", "signal")
    settings = {"signal_yield": 30.0, "background_yield": 400.0, "background_uncertainty": 0.1}
    found, without = selection_of(parts, settings, classes, seed=3)
    assert found is not None
    assert not without
    choosing, quoting = (Events.of(parts[part], 1) for part in ("validation", "test"))
    expected = select(choosing, quoting, Yields(30.0, 400.0, 0.1), seed=3)
    assert found.as_dict() == expected.as_dict()
    turned, _ = selection_of(parts, {**settings, "signal": "background"}, classes, seed=3)
    assert turned is not None
    assert turned.curve.area.value == pytest.approx(found.curve.area.value)
    assert turned.cut != found.cut
    assert selection_of(parts, {}, classes, seed=3) == (None, "")


def test_rows_that_choose_nothing_are_told() -> None:
    one = predicted(50)
    only = PredictedRows(one.rows, np.ones(50, np.int64), one.guess, one.weights)
    settings = {"signal_yield": 30.0, "background_yield": 400.0}
    found, without = selection_of({"validation": only, "test": one}, settings, ("b", "s"), seed=0)
    assert found is None
    assert without == (
        "No cut was chosen for the expected yields: there are no rows of background to measure its efficiency on"
    )


@pytest.mark.parametrize(
    ("classes", "more", "message"),
    [
        (("a", "b", "c"), {}, "two classes of rows, signal and background, but here 3 classes are predicted"),
        ((), {}, "but here numbers are predicted"),
        (("a", "b"), {"signal": "A"}, "signal must be one of a, b, got 'A'"),
    ],
)
def test_yields_need_two_classes(classes: tuple[str, ...], more: dict[str, str], message: str) -> None:
    settings = {"signal_yield": 30.0, "background_yield": 400.0, **more}
    with pytest.raises(SettingError, match=message):
        check_selection(settings, classes)
    check_selection({}, classes)
