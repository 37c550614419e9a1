from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from shoal.data import BUILTIN, load_dataset
from shoal.data.builtin import generated, sets
from shoal.data.builtin.generated import (
    BACKGROUND_YIELD,
    SIGNAL_YIELD,
    VARIABLES,
    damped_oscillation_truth,
    phase_transition_truth,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILTIN)
def test_what_is_said_of_a_set_is_true(name: str) -> None:
    dataset, said = load_dataset(name), BUILTIN[name]
    assert (dataset.rows, dataset.table.width, dataset.task_name) == (said.rows, said.columns, said.task_name)
    assert (dataset.name, dataset.source) == (name, "built in")
    assert dataset.sha256 == load_dataset(name).sha256


def test_iris() -> None:
    iris = load_dataset("iris")
    assert iris.targets == ("species",)
    assert iris.classes == ("setosa", "versicolor", "virginica")
    assert iris.features[0].name == "sepal length (cm)"
    assert np.bincount(iris.y()).tolist() == [50, 50, 50]
    # the first flower of Fisher's table
    assert iris.table.row(0) == (5.1, 3.5, 1.4, 0.2, "setosa")


def test_iris_is_the_table_of_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, _ = BUILTIN["iris"].load()
    monkeypatch.setattr(sets, "find_spec", lambda _: None)
    whole, _ = BUILTIN["iris"].load()
    assert quick.equals(whole)


def test_damped_oscillation_scatters_around_its_truth_as_its_errors_say() -> None:
    dataset = load_dataset("damped_oscillation")
    y_err = dataset.y_err()
    assert y_err is not None
    pulls = ((dataset.y() - damped_oscillation_truth(dataset.table["t"].to_numpy())[:, None]) / y_err)[:, 0]
    assert abs(pulls.mean()) < 4 / 20
    assert pulls.std() == pytest.approx(1.0, abs=0.12)
    assert y_err.max() > 3 * y_err.min()


def test_phase_transition_scatters_around_its_truth_as_its_errors_say() -> None:
    dataset = load_dataset("phase_transition")
    inputs = [dataset.table[name].to_numpy() for name in ("temperature", "field", "coupling")]
    y_err = dataset.y_err()
    assert y_err is not None
    pulls = (dataset.y() - phase_transition_truth(*inputs)) / y_err
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(1000)
    assert pulls.std(axis=0) == pytest.approx([1.0, 1.0], abs=0.1)


def test_phase_transition_solves_its_equation() -> None:
    t, h, j = np.array([0.5, 0.5, 1.5, 2.0]), np.array([0.2, -0.2, 1e-9, 0.5]), np.array([1.0, 1.0, 1.0, 0.9])
    m, energy = phase_transition_truth(t, h, j).T
    assert m == pytest.approx(np.tanh((j * m + h) / t), abs=1e-9)
    assert m[0] == -m[1] > 0.9
    assert m[2] == pytest.approx(0.0, abs=1e-6)
    assert energy == pytest.approx(-0.5 * j * m**2 - h * m)


def events() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dataset = load_dataset("signal_background")
    table, weights = dataset.table, dataset.weights()
    assert weights is not None
    return table.select(pl.col(list(VARIABLES))).to_numpy(), table["process"].to_numpy() == "signal", weights


def test_signal_background_weights_add_up_to_the_yields() -> None:
    _, signal, weights = events()
    assert weights[signal].sum() == pytest.approx(250.0)
    assert weights[~signal].sum() == pytest.approx(1000.0)
    assert signal.sum() == 2500


def log_density(x: np.ndarray, of: int) -> np.ndarray:
    """Return the logarithm of the density of signal (`of` 0) or background (`of` 1) at `(rows, 6)` events."""
    mass, lead, second, missing, eta, phi = np.asarray(x, np.float64).T
    if of == 0:
        total = -0.5 * ((mass - generated._MASS[0][0]) / generated._MASS[0][1]) ** 2 - math.log(
            generated._MASS[0][1] * math.sqrt(2 * math.pi)
        )
    else:
        above = mass >= generated._MASS[1][0]
        total = np.where(
            above, -(mass - generated._MASS[1][0]) / generated._MASS[1][1] - math.log(generated._MASS[1][1]), -np.inf
        )
    rho, (m1, s1), (m2, s2) = generated._CORRELATION[of], generated._LEAD[of], generated._SECOND[of]
    z1, z2 = (np.log(lead) - m1) / s1, (np.log(second) - m2) / s2
    total = total - (z1**2 - 2 * rho * z1 * z2 + z2**2) / (2 * (1 - rho**2)) - np.log(lead * second)
    total = total - math.log(2 * math.pi * s1 * s2 * math.sqrt(1 - rho**2))
    shape, scale = generated._MISSING[of]
    total = total + (shape - 1) * np.log(missing) - missing / scale - math.lgamma(shape) - shape * math.log(scale)
    width = generated._DELTA_ETA[of]
    total = total - 0.5 * (eta / width) ** 2 - math.log(width * math.sqrt(2 * math.pi))
    a, b = generated._DELTA_PHI[of]
    unit = phi / math.pi
    total = total + (a - 1) * np.log(unit) + (b - 1) * np.log1p(-unit) - math.log(math.pi)
    return np.asarray(total + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))


def signal_background_log_ratio(events: np.ndarray) -> np.ndarray:
    """Return `(rows,)` log of the signal density over the background density."""
    return log_density(events, 0) - log_density(events, 1)


def test_signal_background_densities_are_those_of_the_events() -> None:
    """With the true densities, the mean of p_s/p_b over background is 1, and the truth is calibrated."""
    x, signal, weights = events()
    inverse = np.exp(-signal_background_log_ratio(x[signal]))
    background = np.exp(signal_background_log_ratio(x[~signal]))
    assert background.mean() == pytest.approx(1.0, abs=4 * background.std() / 50)
    # p_b/p_s has heavy tails: bounded functions of it are compared instead
    mean = np.mean(1 / (1 + inverse)) + np.mean(background / (1 + background))
    assert mean == pytest.approx(1.0, abs=0.02)
    truth = 1 / (1 + np.exp(-signal_background_log_ratio(x)) * BACKGROUND_YIELD / SIGNAL_YIELD)
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.7), (0.7, 1.0)):
        there = (truth >= low) & (truth <= high)
        share = weights[there & signal].sum() / weights[there].sum()
        assert share == pytest.approx(np.average(truth[there], weights=weights[there]), abs=0.06)


def test_signal_background_densities_integrate_to_one() -> None:
    """Each of two densities integrates to one when sampled with a wider one; here the class mixture."""
    from scipy import stats

    x = events()[0][:200]
    lead, second, rho = np.log(x[:, 1]), np.log(x[:, 2]), 0.3
    pair = stats.multivariate_normal([4.25, 3.75], [[0.35**2, rho * 0.35**2], [rho * 0.35**2, 0.35**2]]).logpdf(
        np.stack([lead, second], axis=1)
    )
    expected = (
        stats.norm(125.0, 9.0).logpdf(x[:, 0])
        + pair
        - lead
        - second
        + stats.gamma(2.5, scale=16.0).logpdf(x[:, 3])
        + stats.norm(0.0, 1.0).logpdf(x[:, 4])
        + stats.beta(2.0, 3.0, scale=np.pi).logpdf(x[:, 5])
    )
    assert log_density(x, 0) == pytest.approx(expected, rel=1e-9)
