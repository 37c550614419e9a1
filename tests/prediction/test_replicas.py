"""Replicas: what counts as one, and that their spread is the error of the fit where that is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Preparation, load_dataset
from shoal.networks import Network
from shoal.prediction.parametric_bootstrap import about_the_fit
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.prediction.replicas import data_spread, sound_replicas
from shoal.results import Status, Task
from shoal.search.members import members_of, replicas_of
from shoal.settings import check_settings
from shoal.steps.ensemble import alone, make_ensemble
from shoal.steps.posing import Posed, pose
from shoal.steps.reading import read
from shoal.training.engines.base import Engine
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import get_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.problem import make_problem
from shoal.training.resampling import resampling_numbers, target_noise
from shoal.training.trainer import train

Law = Callable[[np.ndarray], np.ndarray]
GRID = np.asarray([0.5, 3.0, 5.0, 8.0, 9.5])


def line(x: np.ndarray) -> np.ndarray:
    return 1.0 + 0.5 * x


def oscillation(x: np.ndarray) -> np.ndarray:
    return np.exp(-x / 4.0) * np.cos(2.0 * x)


def engine() -> Engine:
    return NativeEngine() if best_kernel() is not None else XlaEngine()


def replica(origin: int, draw: int, loss: float, status: Status = Status.FINISHED) -> TrainedMember:
    member = Member(100 * draw + origin, Hyperparameters(hidden=()), replica=True, draw=draw, origin=origin)
    curves = np.tile([9.0, loss, 10.0], (5, 1))
    return TrainedMember(member, Network.parse("1 1"), [], status, 2, curves)


def test_replicas_that_failed_are_left_out() -> None:
    losses = np.random.default_rng(0).normal(1.0, 0.02, 20)
    fine = [replica(0, draw, loss) for draw, loss in enumerate(losses)]
    failed = [replica(0, 20, 3.0), replica(0, 21, 1.0, Status.DIVERGED), replica(0, 22, 1.0, Status.RUNNING)]
    # what is poor for one member is usual for another
    other = [replica(1, draw, 3.0 * loss) for draw, loss in enumerate(losses[:5])]
    assert [r.member.id for r in sound_replicas([*fine, *failed, *other])] == [r.member.id for r in (*fine, *other)]


def test_a_member_with_one_replica_tells_nothing() -> None:
    alone, *others = replica(0, 0, 1.0), replica(1, 0, 1.0), replica(1, 1, 1.0)
    assert [r.member.id for r in sound_replicas([alone, *others])] == [r.member.id for r in others]


def test_the_spread_is_that_of_the_mean_over_the_members_of_a_draw() -> None:
    values = np.random.default_rng(1).normal(size=(7, 3)) + np.asarray([0.0, 5.0, -5.0])  # (draws, members)
    network = Network.parse("1 1")
    all_ = [
        EnsembleMember(
            k, {}, network, [{"kernel": np.asarray([[values[draw, k]]]), "bias": np.zeros(1)}], draw=draw, origin=k
        )
        for draw in range(7)
        for k in range(3)
    ]

    def answer(member: EnsembleMember) -> np.ndarray:
        return member.parameters[0]["kernel"]

    np.testing.assert_allclose(data_spread(all_, answer), [[values.mean(axis=1).std(ddof=1)]])
    # one that is missing shifts nothing by how much its member differs from the others
    assert data_spread(all_[1:], answer)[0, 0] < 1.5


def test_the_spread_of_least_squares_over_the_draws_is_its_covariance() -> None:
    rng, draws = np.random.default_rng(2), 600
    x, sigma = rng.uniform(0.0, 10.0, 60), rng.uniform(0.1, 0.5, 60)
    design = np.stack([np.ones(60), x], axis=1)
    covariance = np.linalg.inv(design.T @ (design / sigma[:, None] ** 2))
    solve = covariance @ (design / sigma[:, None] ** 2).T
    members = replicas_of(members_of([Hyperparameters()]), draws)
    numbers = resampling_numbers(3, members)
    rows, output = np.arange(60, dtype=np.uint32)[:, None], np.zeros(1, np.uint32)
    at = np.stack([np.ones(5), GRID], axis=1)

    def answer(replica: EnsembleMember) -> np.ndarray:
        own = {name: array[replica.id] for name, array in numbers.items()}
        return at @ (solve @ (line(x)[:, None] + sigma[:, None] * target_noise(np, rows, output, own)))

    network = Network.parse("1 1")
    each = [EnsembleMember(i, {}, network, [], draw=m.draw, origin=m.origin) for i, m in enumerate(members)]
    exact = np.sqrt(np.einsum("ij,jk,ik->i", at, covariance, at))
    assert data_spread(each, answer)[:, 0] == pytest.approx(exact, rel=0.12)  # four standard errors


def test_of_a_smoother_replicas_about_the_fit_know_variance_and_bias() -> None:
    """A ridge fit is linear in the targets, `f = S y`: refits of the fit lie `S f - f` off and spread by `S σ`."""
    rng, draws = np.random.default_rng(4), 800
    x = np.linspace(0.0, 10.0, 40)
    design = np.stack([np.cos(k * np.pi * x / 10.0) for k in range(8)], axis=1)
    smooth = design @ np.linalg.solve(design.T @ design + 4.0 * np.diag(np.arange(8.0) ** 2 / 8.0), design.T)
    sigma = np.full(40, 0.2)
    fit = smooth @ (oscillation(x) + sigma * rng.standard_normal(40))
    members = replicas_of(members_of([Hyperparameters()]), draws)
    numbers = resampling_numbers(3, members)
    rows, output = np.arange(40, dtype=np.uint32)[:, None], np.zeros(1, np.uint32)

    def answer(replica: EnsembleMember) -> np.ndarray:
        own = {name: array[replica.id] for name, array in numbers.items()}
        return smooth @ (fit[:, None] + sigma[:, None] * target_noise(np, rows, output, own))

    network = Network.parse("1 1")
    each = [EnsembleMember(i, {}, network, [], draw=m.draw, origin=m.origin) for i, m in enumerate(members)]
    variance, bias = (smooth**2 @ sigma**2), smooth @ fit - fit
    assert np.sqrt(np.mean(bias**2)) > 0.3 * np.sqrt(np.mean(variance))
    told = data_spread(each, answer, fit[:, None])[:, 0]
    np.testing.assert_allclose(told, np.sqrt(variance + bias**2), rtol=0.12)
    assert (told >= 0.99 * data_spread(each, answer)[:, 0]).all()


def test_replicas_measure_the_fit_with_all_of_the_scatter() -> None:
    rng = np.random.default_rng(5)
    x, sigma = rng.uniform(0.0, 10.0, (3000, 1)), rng.uniform(0.05, 0.15, (3000, 1))
    y = line(x) + np.hypot(sigma, 0.2) * rng.standard_normal((3000, 1))
    parts = [(x[some], y[some], None) for some in (slice(None, 1000), slice(1000, None))]
    posed = make_problem(Task.REGRESSION, get_loss("mse"), *parts)
    errors = sigma.astype(np.float32)
    posed = replace(posed, y_err=errors[:1000], validation_y_err=errors[1000:])
    found = about_the_fit(posed, line)
    np.testing.assert_allclose(found.y, line(x[:1000]), rtol=1e-6)
    np.testing.assert_allclose(found.validation_y, line(x[1000:]), rtol=1e-6)
    scatter = np.sqrt(found.y_err**2 - posed.y_err**2)
    assert np.ptp(scatter) < 1e-3
    assert scatter.mean() == pytest.approx(0.2, rel=0.05)
    np.testing.assert_allclose(found.validation_y_err**2 - posed.validation_y_err**2, scatter.mean() ** 2, rtol=1e-3)
    # known errors behind the targets stay
    behind = {"y": posed.y_err, "validation_y": posed.validation_y_err, "y_err": 0 * posed.y_err}
    behind["validation_y_err"] = 0 * posed.validation_y_err
    known = replace(posed, **{name: np.hstack([getattr(posed, name), more]) for name, more in behind.items()})
    np.testing.assert_array_equal(about_the_fit(known, line).y[:, 1:], posed.y_err)
    np.testing.assert_array_equal(about_the_fit(known, line).y_err[:, 1:], 0.0)


def measured_again(law: Law, rows: int, size: float, seed: int) -> dict[str, np.ndarray]:
    """Return the same rows measured anew: targets with other errors of the same sizes."""
    fixed = np.random.default_rng(7)
    x, sigma = fixed.uniform(0.0, 10.0, rows), size * fixed.uniform(0.5, 1.5, rows)
    return {"x": x, "y": law(x) + sigma * np.random.default_rng(100 + seed).standard_normal(rows), "sigma": sigma}


def fitted(data: dict[str, np.ndarray], h: Hyperparameters, draws: int) -> Predictor:
    """Return one network with its replicas."""
    settings = check_settings({"target": "y", "y_err": "sigma", "cv": "none"})
    dataset, split = read(data, settings)
    preparation = Preparation.fit(dataset, split.train)
    problem, members = pose(dataset, split, preparation, settings), members_of([h])
    trained = train(problem, members, engine()).members
    errors = np.asarray(dataset.y_err() / preparation.target_scale, np.float32)
    redrawn = replace(problem, y_err=errors[split.train], validation_y_err=errors[split.validation])
    ensemble = alone(trained, preparation, problem)
    redrawn = about_the_fit(redrawn, lambda x: preparation.scale_target(ensemble.mean(x)))
    replicas = sound_replicas(train(redrawn, replicas_of(members, draws), engine()).members)
    predictor, _ = make_ensemble(Posed(dataset, split, preparation, problem, check_settings({})), trained, replicas)
    return predictor


@pytest.mark.slow
@pytest.mark.skipif(best_kernel() is None, reason="hundreds of networks are quick in the native engine only")
@pytest.mark.parametrize(
    ("law", "size", "network"),
    [
        (line, 0.3, {"hidden": (), "learning_rate": 0.02, "epochs": 100}),
        (oscillation, 0.06, {"hidden": (16, 16), "activation": "tanh", "learning_rate": 0.01, "epochs": 250}),
    ],
    ids=["line", "oscillation"],
)
def test_the_spread_of_replicas_is_how_far_fits_of_other_measurements_lie(
    law: Law, size: float, network: dict[str, Any]
) -> None:
    h = Hyperparameters(**{"batch_size": 64, "patience": 1000, **network})
    predictors = [fitted(measured_again(law, 250, size, seed), h, 12) for seed in range(30)]
    answers = [predictor.predict(pl.DataFrame({"x": GRID})) for predictor in predictors]
    true = np.std([a.mean for a in answers], axis=0, ddof=1)
    x = predictors[0].preparation.transform(pl.DataFrame({"x": GRID}))
    spreads = [data_spread(p.replicas, lambda one, p=p: p.member_output(one, x)) for p in predictors]
    told = np.sqrt(np.mean(np.square(spreads), axis=0))
    # 30 measurements know each of five correlated errors to 13 %, and their mean to about 9 %
    ratio = np.sqrt(np.mean(told**2) / np.mean(true**2))
    assert 0.73 < ratio < 1.36
    assert (np.abs(np.log(told / true)) < 0.6).all()


def test_replicas_are_saved_with_the_model() -> None:
    data = load_dataset({"x": np.arange(20.0), "y": np.arange(20.0)}, target="y")
    preparation, network = Preparation.fit(data, np.arange(20)), Network.parse("1 1")
    many = [
        EnsembleMember(i, {}, network, [{"kernel": np.full((1, 1), i), "bias": np.zeros(1)}], draw=d, origin=o)
        for i, d, o in ((0, None, None), (1, 0, 0), (2, 1, 0))
    ]
    predictor = Predictor(preparation, tuple(many[:1]), np.ones(1), np.ones(1), replicas=tuple(many[1:]))
    again = Predictor.from_parts(*predictor.to_parts())
    assert [(m.id, m.draw, m.origin) for m in again.replicas] == [(1, 0, 0), (2, 1, 0)]
    x = np.ones((3, 1))
    spread = again.predict_features(x).data_spread
    assert spread is not None
    np.testing.assert_array_equal(spread, predictor.predict_features(x).data_spread)
    assert (spread > 0.0).all()
    document, arrays = replace(predictor, replicas=()).to_parts()
    assert "replicas" not in document  # as older shoals wrote it
    assert Predictor.from_parts(document, arrays).predict_features(x).data_spread is None
