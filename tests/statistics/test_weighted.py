from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shoal.statistics.weighted import effective_number, histogram, kolmogorov_smirnov, negative_fraction

RNG = np.random.default_rng(3)


def test_equal_weights_count_each_row() -> None:
    assert effective_number(np.full(7, 3.0)) == pytest.approx(7.0)
    assert effective_number([1e-200, 1e-200]) == pytest.approx(2.0)
    assert effective_number([]) == effective_number([0.0]) == 0.0
    assert negative_fraction([1.0, -2.0, 0.0, -1.0]) == 0.5


def test_errors_of_a_histogram_are_the_scatter_of_repetitions() -> None:
    # Poisson numbers of events with weights of both signs
    sums, errors = [], []
    for _ in range(2000):
        n = RNG.poisson(60)
        weights = np.where(RNG.random(n) < 0.25, -1.0, 1.5)
        total, error = histogram(RNG.random(n), [0.0, 0.5, 1.0], weights)
        sums.append(total)
        errors.append(error**2)
    np.testing.assert_allclose(np.var(sums, axis=0), np.mean(errors, axis=0), rtol=0.1)


@pytest.mark.parametrize(("n", "m"), [(20, 35), (400, 300)])
def test_without_weights_it_is_that_of_scipy(n: int, m: int) -> None:
    a, b = RNG.normal(size=n), RNG.normal(0.2, 1.1, size=m)
    found, theirs = kolmogorov_smirnov(a, b), stats.ks_2samp(a, b)
    assert found.statistic == pytest.approx(theirs.statistic, abs=1e-14)
    assert found.p == pytest.approx(theirs.pvalue, abs=0.03)
    tied = kolmogorov_smirnov(a.round(), b.round()).statistic
    assert tied == pytest.approx(stats.ks_2samp(a.round(), b.round()).statistic, abs=1e-14)


def test_whole_weights_are_repeated_rows() -> None:
    a, b = RNG.normal(size=30), RNG.normal(size=40)
    w, v = RNG.integers(0, 4, 30), RNG.integers(1, 3, 40)
    found = kolmogorov_smirnov(a, b, w, v).statistic
    assert found == pytest.approx(stats.ks_2samp(np.repeat(a, w), np.repeat(b, v)).statistic, abs=1e-14)


@pytest.mark.parametrize("kind", ["ones", "spread", "signs"])
def test_p_values_are_uniform_where_both_samples_are_alike(kind: str) -> None:
    def weights(rows: int) -> np.ndarray | None:
        if kind == "ones":
            return None
        return RNG.lognormal(0, 0.8, rows) if kind == "spread" else np.where(RNG.random(rows) < 0.1, -1.0, 1.0)

    p = [kolmogorov_smirnov(RNG.random(300), RNG.random(150), weights(300), weights(150)).p for _ in range(500)]
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert 0.02 < np.mean(np.asarray(p) < 0.05) < 0.09


def test_what_cannot_be_compared_is_not_a_number() -> None:
    for found in (kolmogorov_smirnov([], [1.0]), kolmogorov_smirnov([1.0, 2.0], [1.0], [1.0, -1.0])):
        assert np.isnan(found.statistic)
        assert np.isnan(found.p)
