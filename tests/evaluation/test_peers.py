"""Statistics against scipy, scikit-learn and MAPIE, where they overlap and the tests of a module do not see to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestNeighbors

from shoal.evaluation.compare import Contender, compare_contenders, corrected_t
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.prediction.conformal import Conformal, conformal_quantile, prediction_sets
from shoal.prediction.intrinsic_scatter import intrinsic_scatter
from shoal.prediction.region import Region
from shoal.results import Task
from shoal.statistics.bootstrap import with_intervals
from shoal.statistics.metrics import METRICS
from shoal.statistics.significance import asimov_significance
from shoal.statistics.weighted import histogram

TRUTH = np.random.default_rng(0).normal(size=150)
GUESS = TRUTH + np.random.default_rng(1).standard_t(5, size=150)
OTHER = GUESS + 0.5 * np.random.default_rng(2).normal(size=150)
CLASSES = np.random.default_rng(3).integers(0, 3, 150)
SAID = np.random.default_rng(4).dirichlet([1.0, 1.0, 1.0], 150) * 0.5 + 0.5 * np.eye(3)[CLASSES]


def of_rows(name: str, truth: np.ndarray, guess: np.ndarray) -> Any:
    """Return the metric of some rows as scipy asks for it: by their places."""
    return lambda places: METRICS[name](truth[places.astype(int)], guess[places.astype(int)])


def ends_of(statistic: Any, rows: int) -> tuple[float, float, float]:
    """Return both ends of scipy's percentile interval, and the standard error."""
    how = {"method": "percentile", "n_resamples": 2000, "vectorized": False, "rng": np.random.default_rng(5)}
    found = stats.bootstrap((np.arange(rows),), statistic, **how)
    return *found.confidence_interval, found.standard_error


# the 2.5 % quantile of 2,000 resamples has an error of 0.06 standard errors, that of the difference of two 0.085
WITHIN = 4.0 * 0.085


@pytest.mark.parametrize(
    ("task", "name"), [(Task.REGRESSION, "rmse"), (Task.REGRESSION, "r2"), (Task.CLASSIFICATION, "log_loss")]
)
def test_intervals_are_those_of_scipys_percentile_bootstrap(task: Task, name: str) -> None:
    truth, guess = (TRUTH, GUESS) if task is Task.REGRESSION else (CLASSES, SAID)
    found = with_intervals(task, truth, guess)[name]
    low, high, error = ends_of(of_rows(name, truth, guess), 150)
    assert found.low == pytest.approx(low, abs=WITHIN * error)
    assert found.high == pytest.approx(high, abs=WITHIN * error)


def test_differences_of_runs_are_those_of_scipys_paired_bootstrap() -> None:
    def contender(name: str, guess: np.ndarray) -> Contender:
        rows = PredictedRows(np.arange(150), TRUTH[:, None], guess[:, None])
        return Contender(name, Task.REGRESSION, "same", ("y",), (), rows)

    found = compare_contenders([contender("a", GUESS), contender("b", OTHER)]).pairs[0].differences["rmse"]
    one, two = of_rows("rmse", TRUTH, GUESS), of_rows("rmse", TRUTH, OTHER)
    low, high, error = ends_of(lambda places: two(places) - one(places), 150)
    assert (found.low, found.high) == pytest.approx((low, high), abs=WITHIN * error)


def test_the_corrected_t_is_scipys_with_a_wider_error() -> None:
    differences = np.random.default_rng(6).normal(0.3, 1.0, 12)
    plain, found = stats.ttest_1samp(differences, 0.0), corrected_t(differences, 4, 3)
    assert found.t == pytest.approx(plain.statistic * np.sqrt((1 / 12) / (1 / 12 + 1 / 3)))
    assert found.p == pytest.approx(2.0 * stats.t.sf(abs(found.t), 11))
    low, high = plain.confidence_interval()
    assert found.difference.high - found.difference.low == pytest.approx((high - low) * plain.statistic / found.t)


@pytest.mark.parametrize("level", [0.5, 0.68, 0.9])
def test_weighted_quantiles_are_numpys_where_a_new_row_weighs_nothing(level: float) -> None:
    rng = np.random.default_rng(7)
    scores, weights = rng.exponential(size=200), rng.uniform(0.1, 3.0, 200)
    theirs = np.quantile(scores, level, weights=weights, method="inverted_cdf")
    assert conformal_quantile(scores[:, None], level, weights, 0.0)[0] == theirs


def rows_of_a_plane(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return x, x @ [1.0, -2.0, 0.5] + rng.standard_t(4, size=rows)


@pytest.mark.parametrize("level", [0.68, 0.8, 0.95])
def test_split_conformal_intervals_are_mapies(level: float) -> None:
    regression = pytest.importorskip("mapie.regression")
    (x, y), (x_held, y_held), (x_new, _) = (rows_of_a_plane(rows, seed) for rows, seed in ((50, 1), (120, 2), (40, 3)))
    model = LinearRegression().fit(x, y)
    mapie = regression.SplitConformalRegressor(model, confidence_level=level, prefit=True)
    guess, ends = mapie.conformalize(x_held, y_held).predict_interval(x_new)
    found = Conformal.of(np.abs(y_held - model.predict(x_held))[:, None], level)
    np.testing.assert_allclose(guess - found.quantile, ends[:, 0, 0])
    np.testing.assert_allclose(guess + found.quantile, ends[:, 1, 0])


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_intervals_of_folds_are_mapies_cv_plus(level: float) -> None:
    regression = pytest.importorskip("mapie.regression")
    (x, y), (x_new, _) = rows_of_a_plane(101, 4), rows_of_a_plane(40, 5)
    folds = KFold(5, shuffle=True, random_state=0)
    mapie = regression.CrossConformalRegressor(LinearRegression(), confidence_level=level, method="plus", cv=folds)
    _, ends = mapie.fit_conformalize(x, y).predict_interval(x_new)
    parts, means = [], []
    for fold, (train, held) in enumerate(folds.split(x)):
        model = LinearRegression().fit(x[train], y[train])
        parts.append((fold, 0, np.abs(y[held] - model.predict(x[held]))[:, None], None))
        means.append(model.predict(x_new)[:, None])
    found = Conformal.of(np.concatenate([part[2] for part in parts]), level).with_folds(parts)
    low, high = found.cross(np.stack(means), np.ones((5, 40, 1)))
    np.testing.assert_allclose(low[:, 0], ends[:, 0, 0], atol=1e-6)
    np.testing.assert_allclose(high[:, 0], ends[:, 1, 0], atol=1e-6)


@pytest.mark.parametrize("level", [0.68, 0.9])
def test_sets_of_classes_are_mapies_but_never_empty(level: float) -> None:
    classification = pytest.importorskip("mapie.classification")
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(8)
    y = rng.integers(0, 4, 500)
    x = rng.normal(size=(500, 2)) + np.array([[0, 0], [1, 0], [0, 1], [1, 1]])[y]
    model = LogisticRegression().fit(x[:100], y[:100])
    mapie = classification.SplitConformalClassifier(model, confidence_level=level, conformity_score="lac", prefit=True)
    _, sets = mapie.conformalize(x[100:400], y[100:400]).predict_set(x[400:])
    p = model.predict_proba(x[100:400])
    found = Conformal.of(1.0 - p[np.arange(300), y[100:400]][:, None], level)
    ours, theirs = prediction_sets(model.predict_proba(x[400:]), found.quantile), sets[:, :, 0]
    some = theirs.any(axis=1)
    assert some.sum() > 50
    np.testing.assert_array_equal(ours[some], theirs[some])
    assert ours.any(axis=1).all()


def profiled(s: float, b: float, sigma: float) -> float:
    """Return sqrt(q0) of the Asimov data set, n = s + b events in the signal region and m = (b / sigma)² beside it."""
    tau = b / sigma**2  # how many times the background is measured beside the signal

    def loss(background: float, signal: float) -> float:
        return -(
            stats.poisson.logpmf(round(s + b), background + signal)
            + stats.poisson.logpmf(round(tau * b), tau * background)
        )

    without = optimize.minimize_scalar(lambda h: loss(h, 0.0), bounds=(0.5 * b, b + s), method="bounded")
    return float(np.sqrt(2.0 * (without.fun - loss(b, s))))


@pytest.mark.parametrize(("s", "b", "sigma"), [(20.0, 100.0, 10.0), (50.0, 100.0, 20.0), (5.0, 400.0, 10.0)])
def test_the_asimov_significance_is_that_of_the_profile_likelihood(s: float, b: float, sigma: float) -> None:
    assert asimov_significance(s, b, sigma / b) == pytest.approx(profiled(s, b, sigma), rel=1e-4)


def test_the_intrinsic_scatter_and_its_interval_are_scipys_likelihood() -> None:
    rng = np.random.default_rng(9)
    variance = rng.uniform(0.05, 0.3, 300) ** 2
    residuals = rng.normal(size=300) * np.sqrt(variance + 0.2**2)

    def loss(s: float) -> float:
        return -stats.norm.logpdf(residuals, scale=np.sqrt(variance + s**2)).sum()

    best = optimize.minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    beyond = stats.chi2.ppf(0.95, 1) / 2.0
    ends = [optimize.brentq(lambda s: loss(s) - best.fun - beyond, *where) for where in ((1e-6, best.x), (best.x, 1.0))]
    found = intrinsic_scatter(residuals, variance)
    assert found.value == pytest.approx(best.x, rel=1e-3)
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-3)


def test_the_distance_from_the_region_is_that_of_scikit_learns_neighbours() -> None:
    rng = np.random.default_rng(10)
    rows, new = rng.normal(size=(300, 4)), rng.normal(0.0, 2.0, (50, 4))
    region = Region.of(rows.astype(np.float32), 0)
    assert region is not None
    centre, scale = rows.mean(axis=0), rows.std(axis=0)
    neighbours = NearestNeighbors(n_neighbors=region.neighbours).fit((rows - centre) / scale)
    theirs = neighbours.kneighbors((new - centre) / scale)[0].mean(axis=1)
    np.testing.assert_allclose(region.distance(new.astype(np.float32)) * region.threshold, theirs, rtol=1e-3)


def test_the_explained_variance_is_scikit_learns_variance_weighted_r2() -> None:
    rng = np.random.default_rng(11)
    truth, weights = rng.normal(size=(80, 3)) * [1.0, 5.0, 0.1], rng.uniform(0.1, 2.0, 80)
    guess = truth + rng.normal(size=(80, 3)) * [0.5, 1.0, 0.1]
    theirs = r2_score(truth, guess, sample_weight=weights, multioutput="variance_weighted")
    assert METRICS["explained_variance"](truth, guess, weights) == pytest.approx(theirs)


def test_histograms_of_weights_are_scipys_binned_sums() -> None:
    rng = np.random.default_rng(12)
    values, weights, edges = rng.uniform(size=200), rng.normal(1.0, 1.0, 200), np.linspace(0.0, 1.0, 8)
    sums, errors = histogram(values, edges, weights)
    np.testing.assert_allclose(sums, stats.binned_statistic(values, weights, "sum", edges).statistic)
    np.testing.assert_allclose(errors**2, stats.binned_statistic(values, weights**2, "sum", edges).statistic)
