"""The intrinsic scatter: recovered where it is known, zero where there is none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import optimize

from shoal.data import Preparation, load_dataset
from shoal.errors import DataError
from shoal.networks import Network
from shoal.prediction.error_bars import HeldOutRows, with_scatter
from shoal.prediction.intrinsic_scatter import MeasuredErrors, intrinsic_scatter, total_error
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.results import Interval


def drawn(seed: int, scatter: float, rows: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Return residuals and their known variance."""
    rng = np.random.default_rng(seed)
    sigma = rng.uniform(0.1, 0.4, rows)
    return np.hypot(sigma, scatter) * rng.standard_normal(rows), sigma**2


@pytest.mark.slow
def test_a_known_scatter_is_recovered_and_its_interval_covers() -> None:
    found = [intrinsic_scatter(*drawn(seed, 0.3)) for seed in range(200)]
    values = np.asarray([f.value for f in found])
    assert values.mean() == pytest.approx(0.3, abs=0.01)
    covered = np.mean([f.low <= 0.3 <= f.high for f in found])
    assert 0.91 < covered < 0.99  # 95 % with an error of 1.5 %


def test_where_there_is_none_its_interval_begins_at_zero() -> None:
    found = [intrinsic_scatter(*drawn(seed, 0.0)) for seed in range(100)]
    assert np.mean([f.low == 0.0 for f in found]) > 0.9
    assert np.median([f.value for f in found]) < 0.06
    assert all(f.high < 0.25 for f in found)


def test_it_is_where_the_likelihood_is_highest() -> None:
    residuals, variance = drawn(3, 0.2)

    def loss(s: float) -> float:
        total = variance + s**2
        return float(np.sum(residuals**2 / total + np.log(total)))

    found = intrinsic_scatter(residuals, variance)
    best = optimize.minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9})
    assert found.value == pytest.approx(best.x, abs=1e-4)
    assert loss(found.high) - loss(found.value) == pytest.approx(3.84, abs=1e-3)
    assert loss(found.low) - loss(found.value) == pytest.approx(3.84, abs=1e-3)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_it_has_the_unit_of_the_target(unit: float) -> None:
    residuals, variance = drawn(4, 0.3)
    one, other = intrinsic_scatter(residuals, variance), intrinsic_scatter(unit * residuals, unit**2 * variance)
    np.testing.assert_allclose([other.value, other.high], [unit * one.value, unit * one.high], rtol=1e-6)


def test_weights_that_are_all_alike_change_nothing() -> None:
    residuals, variance = drawn(5, 0.3)
    assert intrinsic_scatter(residuals, variance, np.full(150, 7.0)).value == pytest.approx(
        intrinsic_scatter(residuals, variance).value
    )


def test_perfect_predictions_leave_no_scatter() -> None:
    assert intrinsic_scatter(np.zeros(5), np.ones(5)) == Interval(0.0, 0.0, 0.0, "likelihood")


def test_the_total_error_joins_its_parts_and_that_of_a_new_measurement() -> None:
    rng = np.random.default_rng(6)
    x, sigma = rng.uniform(-1.0, 1.0, 400), rng.uniform(0.05, 0.2, 400)
    y = 2.0 * x + 0.3 * rng.standard_normal(400) + sigma * rng.standard_normal(400)
    preparation = Preparation.fit(load_dataset({"x": x, "y": y}, target="y"), np.arange(400), normalization="none")
    mean, scale = preparation.target_mean[0], preparation.target_scale[0]
    members = tuple(
        EnsembleMember(
            i, {}, Network.parse("1 1"), [{"kernel": np.full((1, 1), a / scale), "bias": np.asarray([-mean / scale])}]
        )
        for i, a in enumerate((1.95, 2.05))
    )
    plain = Predictor(preparation, members, np.ones(1), np.ones(1))
    known = with_scatter(plain, ("sigma",), HeldOutRows(x[:, None], y[:, None], sigma=sigma[:, None]))
    assert known.measured is not None
    assert known.measured.scatter[0].low < 0.3 < known.measured.scatter[0].high
    known = Predictor.from_parts(*known.to_parts())
    s = known.measured.values[0] if known.measured else 0.0
    told = known.predict(pl.DataFrame({"x": [0.0, 1.0]}))
    assert told.total is not None
    np.testing.assert_allclose(told.total[:, 0], [s, np.hypot(s, 0.05)])
    assert told.frame().columns == ["prediction", "std", "low", "high", "spread", "scatter", "total"]
    new = known.predict(pl.DataFrame({"x": [0.0, 1.0], "sigma": [0.4, None]}))
    assert new.total is not None
    assert new.total[0, 0] == pytest.approx(np.hypot(s, 0.4))
    assert np.isnan(new.total[1, 0])
    empty = known.predict(pl.DataFrame({"x": [0.0], "sigma": pl.Series([None], dtype=pl.Float64)}))
    np.testing.assert_allclose(empty.total, [[s]])
    with pytest.raises(
        DataError, match="column 'sigma': a measured error must be a positive number, but row 2 holds 0"
    ):
        known.predict(pl.DataFrame({"x": [0.0, 1.0], "sigma": [0.4, 0.0]}))
    assert plain.predict(pl.DataFrame({"x": [0.0]})).total is None


def test_one_column_of_errors_serves_several_targets() -> None:
    known = MeasuredErrors(("s",), (Interval(0.0, 0.0, 1.0), Interval(1.0, 0.0, 2.0)))
    np.testing.assert_array_equal(known.read(pl.DataFrame({"s": [0.5, 2.0]})), [[0.5, 0.5], [2.0, 2.0]])
    assert known.read(pl.DataFrame({"t": [0.5]})) is None
    np.testing.assert_allclose(total_error(np.full(2, 3.0), None, np.full(2, 4.0)), [5.0, 5.0])
