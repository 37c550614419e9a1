"""Partial dependence against scikit-learn, accumulated local effects against what is known, bands over members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import partial_dependence as by_sklearn

from shoal.data import Preparation, load_dataset
from shoal.errors import DataError
from shoal.evaluation.explanation.dependence import dependence
from shoal.evaluation.explanation.grid import POINTS, filled, grid_of
from shoal.evaluation.explanation.subject import Subject, error_of_mean
from shoal.networks import Network
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.streams import Stream


class Ensemble(RegressorMixin, BaseEstimator):
    """The ensemble of a subject, for scikit-learn."""

    def __init__(self, subject: Subject | None = None) -> None:
        self.subject = subject

    def fit(self, x: Any, y: Any) -> Ensemble:
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> Any:
        assert self.subject is not None
        return self.subject.answers(np.asarray(x, np.float32)).mean(axis=0)[:, 0]


def curved(rng: np.random.Generator, rows: int = 50, members: int = 3, **known: Any) -> Subject:
    """Return networks as they begin, and rows whose first column has nine values."""
    a, b = rng.integers(0, 9, rows) / 4.0, rng.normal(size=rows)
    data = load_dataset({"a": a, "b": b, "y": a + b}, target="y", task="regression")
    preparation = replace(Preparation.fit(data, np.arange(rows)), target_mean=np.zeros(1), target_scale=np.ones(1))
    network = Network.parse("2 6:tanh 1")
    own = tuple(EnsembleMember(i, {}, network, network.initialize(Stream(5, i))) for i in range(members))
    predictor = Predictor(preparation, own, np.zeros(1), np.ones(1))
    return Subject(predictor, preparation.transform(data.table), table=data.table, y=data.y(), **known)


def test_partial_dependence_and_single_rows_are_those_of_scikit_learn(rng: np.random.Generator) -> None:
    subject = curved(rng)
    weights = rng.uniform(0.5, 2.0, len(subject))
    table = np.asarray(subject.x, np.float64)
    model = Ensemble(subject).fit(table, None)
    options: dict[str, Any] = {"kind": "both", "grid_resolution": 100, "method": "brute"}
    expected = by_sklearn(model, table, [0], **options)
    found = dependence(subject, "a", curves=True)
    np.testing.assert_allclose(found.partial.mean[:, 0], expected.average[0], rtol=1e-5)
    assert found.curves is not None
    np.testing.assert_allclose(found.curves[:, :, 0], expected.individual[0], rtol=1e-4, atol=1e-6)
    options["kind"] = "average"
    expected = by_sklearn(model, table, [0], sample_weight=weights, **options)
    weighted = dependence(replace(subject, weights=weights), "a")
    np.testing.assert_allclose(weighted.partial.mean[:, 0], expected.average[0], rtol=1e-5)


def test_the_band_is_the_deviation_over_the_members(rng: np.random.Generator) -> None:
    subject = curved(rng)
    alone = []
    for member in subject.predictor.members:
        one = replace(subject, predictor=replace(subject.predictor, members=(member,)))
        alone.append(dependence(one, "a"))
    found = dependence(subject, "a")
    for form in ("partial", "accumulated"):
        curves = [getattr(one, form).mean for one in alone]
        np.testing.assert_allclose(getattr(found, form).mean, np.mean(curves, axis=0), atol=1e-7)
        np.testing.assert_allclose(getattr(found, form).members, np.std(curves, axis=0), atol=1e-7)
        assert np.isnan(getattr(alone[0], form).members).all()


def test_of_a_sum_both_are_the_summand(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(300, 2))
    subject = laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, x.sum(axis=1), [laws.linear([2.0, -1.0])])
    found = dependence(subject, "a")
    grid = np.asarray(found.grid, float)
    assert POINTS <= len(grid) <= 2 * POINTS
    np.testing.assert_allclose(found.partial.mean[:, 0], 2.0 * grid - x[:, 1].mean(), atol=1e-5)
    assert found.accumulated is not None
    centred = found.accumulated.mean[:, 0] - 2.0 * grid
    np.testing.assert_allclose(centred, centred[0], atol=1e-5)
    np.testing.assert_allclose(found.accumulated.rows, 0.0, atol=1e-5)  # all rows have the same effect


def test_accumulated_effects_know_of_the_other_column_where_partial_dependence_does_not(
    laws: Any, rng: np.random.Generator
) -> None:
    """Of a product of columns with correlation r, ALE rises as r z²/2 (Apley and Zhu 2020, section 2); PD is flat."""
    correlation = 0.9
    a, b = rng.normal(size=(2, 20_000))
    b = correlation * a + np.sqrt(1 - correlation**2) * b
    subject = laws.ensemble({"a": a, "b": b}, a * b, [laws.product(0, 1, [0.0, 0.0])])
    found = dependence(subject, "a", together_with=("b",))
    assert found.preferred == "accumulated"
    assert found.accumulated is not None
    grid = np.asarray(found.grid, float)
    inner = np.abs(grid) < 1.5
    expected = correlation * grid**2 / 2
    curve = found.accumulated.mean[:, 0]
    difference = (curve - expected)[inner]
    assert np.abs(difference - difference.mean()).max() < 0.03
    assert np.abs(found.partial.mean[inner, 0] - grid[inner] * b.mean()).max() < 1e-3
    # its mean over the rows is zero
    assert abs(np.interp(a, grid, curve).mean()) < 1e-5


@pytest.mark.slow
def test_the_error_of_accumulated_effects_is_as_wide_as_the_scatter(laws: Any, rng: np.random.Generator) -> None:
    edges, found = np.linspace(-2.0, 2.0, 5), []
    for _ in range(200):
        a, b = rng.uniform(-2, 2, 200).round(), rng.normal(size=200)
        subject = laws.ensemble({"a": a, "b": b}, a * b, [laws.product(0, 1, [0.0, 0.0])])
        effect = dependence(subject, "a").accumulated
        assert effect is not None
        assert len(effect.mean) == len(edges)
        found.append((effect.mean[:, 0], effect.rows[:, 0]))
    means, errors = (np.stack(each) for each in zip(*found, strict=True))
    ratio = np.sqrt((errors**2).mean(axis=0)) / means.std(axis=0)
    assert (ratio > 0.8).all()
    assert (ratio < 1.2).all()


def test_a_weight_is_a_repetition_of_a_row(rng: np.random.Generator) -> None:
    subject, times = curved(rng), rng.integers(1, 4, 50)
    weighted = dependence(replace(subject, weights=times.astype(float)), "a")
    repeated = dependence(subject.taken(np.repeat(np.arange(50), times)), "a")
    assert weighted.accumulated is not None
    assert repeated.accumulated is not None
    np.testing.assert_allclose(weighted.partial.mean, repeated.partial.mean, rtol=1e-5)
    np.testing.assert_allclose(weighted.accumulated.mean, repeated.accumulated.mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(weighted.counts, repeated.counts)
    cancelled = subject.taken(np.append(np.arange(50), [3, 3]))
    cancelled = replace(cancelled, weights=np.append(np.ones(50), [1.0, -1.0]))
    np.testing.assert_allclose(
        dependence(cancelled, "a").partial.mean, dependence(subject, "a").partial.mean, rtol=1e-5
    )


def table_of_kinds(rows: int = 60) -> Subject:
    rng = np.random.default_rng(2)
    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 12, 31), "1d", eager=True).gather_every(6).head(rows)
    colour = [None if i % 9 == 0 else str(c) for i, c in enumerate(rng.choice(["red", "blue"], rows))]
    size = [None if i % 10 == 0 else float(i) for i in range(rows)]
    data = load_dataset(
        {"day": days, "colour": colour, "flag": rng.random(rows) < 0.3, "size": size, "y": rng.normal(size=rows)},
        target="y",
    )
    preparation = Preparation.fit(data, np.arange(rows))
    network = Network.parse(f"{len(preparation.feature_names)} 4:tanh 1")
    members = tuple(EnsembleMember(i, {}, network, network.initialize(Stream(8, i))) for i in range(2))
    return Subject(
        Predictor(preparation, members, np.zeros(1), np.ones(1)), preparation.transform(data.table), table=data.table
    )


def test_every_kind_of_column_is_set_as_in_the_table() -> None:
    subject = table_of_kinds()
    expected = {
        "day": (subject.table["day"], pl.lit(pl.Series([18262]).cast(pl.Date)[0])),  # type: ignore[index]
        "colour": (None, pl.lit("red")),
        "flag": (None, pl.lit(True)),
        "size": (None, pl.lit(1.0)),
    }
    place = {"day": 0, "colour": 1, "flag": 1, "size": 0}
    for name, (_, value) in expected.items():
        found = dependence(subject, name)
        assert subject.table is not None
        changed = subject.table.with_columns(value.alias(name))
        mean = np.asarray(subject.predictor.predict(changed).mean).mean()
        assert found.partial.mean[place[name], 0] == pytest.approx(mean, rel=1e-5)
    assert dependence(subject, "colour").grid == ("blue", "red", "missing")
    assert dependence(subject, "colour").accumulated is None
    assert dependence(subject, "colour", together_with=("size",)).preferred == "partial"
    assert dependence(subject, "flag").accumulated is None
    assert dependence(subject, "size").missing == 6
    assert dependence(subject, "day").counts.sum() == 60


def test_replicas_give_a_band_of_their_own(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=80)
    subject = laws.ensemble({"a": x}, x, [laws.linear([1.0])])
    slopes = (0.8, 0.9, 1.0, 1.1, 1.2)
    network, _ = laws.linear([1.0])
    replicas = tuple(
        EnsembleMember(9 + k, {}, network, laws.linear([slope])[1], draw=k, origin=0) for k, slope in enumerate(slopes)
    )
    found = dependence(replace(subject, predictor=replace(subject.predictor, replicas=replicas)), "a")
    grid = np.asarray(found.grid, float)
    assert found.partial.data is not None
    assert found.accumulated is not None
    assert found.accumulated.data is not None
    np.testing.assert_allclose(found.partial.data[:, 0], np.abs(grid) * np.std(slopes, ddof=1), rtol=1e-4, atol=1e-6)
    assert set(found.table()) >= {"partial", "partial_members", "partial_rows", "partial_data", "accumulated_data"}
    steps = np.abs(grid - x.mean()) * np.std(slopes, ddof=1)
    np.testing.assert_allclose(found.accumulated.data[:, 0], steps, atol=0.03)


def test_the_error_of_a_mean() -> None:
    values = np.asarray([[1.0], [2.0], [4.0], [7.0]])
    assert error_of_mean(values, np.ones(4))[0] == pytest.approx(values.std(ddof=1) / 2)
    both = error_of_mean(np.repeat(values, 2, axis=0), np.ones(8), np.repeat(np.arange(4), 2))
    assert both[0] == pytest.approx(values.std(ddof=1) / 2)


def test_whole_numbers_stay_whole_and_one_value_has_no_effect() -> None:
    grid = grid_of(np.repeat(np.arange(100.0), 3), "n")
    np.testing.assert_array_equal(grid, grid.round())
    assert (grid[0], grid[-1], len(grid)) == (0.0, 99.0, POINTS)
    assert 5.0 in filled(np.asarray([0.0, 10.0]), np.arange(11.0))
    few = np.asarray([0.0, 7.0])
    np.testing.assert_array_equal(filled(few, few), few)  # no value in between occurs
    with pytest.raises(DataError, match="column 'n' has 1 value in these rows; an effect needs two at least"):
        grid_of(np.ones(5), "n")
