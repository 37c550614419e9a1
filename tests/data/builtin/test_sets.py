from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shoal.data import BUILTIN, load_dataset
from shoal.data.builtin import sets
from shoal.data.builtin.generated import (
    BACKGROUND_YIELD,
    SIGNAL_YIELD,
    VARIABLES,
    damped_oscillation_truth,
    phase_transition_truth,
    signal_background_log_ratio,
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

    from shoal.data.builtin.generated import _log_density

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
    assert _log_density(x, 0) == pytest.approx(expected, rel=1e-9)
