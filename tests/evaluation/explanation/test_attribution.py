"""Parts of answers: complete, those of a linear law exact, Shapley values against all orders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Preparation, load_dataset
from shoal.errors import SettingError
from shoal.evaluation.explanation.attribution import (
    attributions,
    baseline_of,
    choose_method,
    integrated_gradients,
    shapley_values,
)
from shoal.evaluation.explanation.subject import Subject
from shoal.networks import Network
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.streams import Stream


def drawn(text: str, rows: int = 40, members: int = 3, category: bool = False, **known: Any) -> Subject:
    """Return networks as they begin on three columns of numbers, or two and a category."""
    rng = np.random.default_rng(4)
    table: dict[str, Any] = {name: rng.normal(size=rows) for name in ("a", "b", "c")}
    if category:
        table["c"] = rng.choice(["u", "v", "w"], rows)
    data = load_dataset({**table, "y": rng.choice(["no", "yes"], rows)}, target="y")
    preparation = Preparation.fit(data, np.arange(rows))
    network = Network.parse(f"{len(preparation.feature_names)} {text}")
    own = tuple(EnsembleMember(i, {}, network, network.initialize(Stream(6, i))) for i in range(members))
    predictor = Predictor(preparation, own, np.zeros(1), np.ones(1))
    return Subject(predictor, preparation.transform(data.table), table=data.table, **known)


@pytest.mark.parametrize(
    "text", ["8:tanh 2:softmax", "8:relu 8:relu 1:sigmoid", "8:gelu layer_normalization 2:softmax"]
)
def test_gradients_are_complete_for_each_member(text: str) -> None:
    subject = drawn(text)
    x, baseline = subject.x[0], baseline_of(subject)[0]
    parts = integrated_gradients(subject, x, baseline, steps=2000)
    ends = subject.answers(np.stack([x, baseline]))[..., 0]
    np.testing.assert_allclose(parts.sum(axis=1), ends[:, 0] - ends[:, 1], atol=2e-4)


def test_gradients_agree_with_those_of_jax_along_the_way() -> None:
    from shoal.networks.gradients import input_gradients

    subject = drawn("5:tanh 1:sigmoid", members=1)
    member, x, baseline = subject.predictor.members[0], subject.x[1], baseline_of(subject)[0]
    steps = 64
    way = baseline + np.outer((np.arange(steps) + 0.5) / steps, x - baseline).astype(np.float32)
    scores = input_gradients(member.network, member.parameters, way, np.zeros(steps, int))
    p = member.network.predict(member.parameters, way)
    expected = ((x - baseline) * scores * (p * (1 - p))).mean(axis=0)  # through the sigmoid
    np.testing.assert_allclose(integrated_gradients(subject, x, baseline, steps)[0], expected, atol=1e-6)


def test_of_a_linear_law_every_part_is_exact(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(51, 2)) + np.asarray([1.0, 3.0])
    networks = [laws.linear([2.0, -1.0]), laws.linear([4.0, -1.0])]
    subject = laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, x.sum(axis=1), networks)
    for method, usual in (("gradients", np.median(x, axis=0)), ("shapley", x.mean(axis=0))):
        (found,) = attributions(subject, subject, [7], method=method)
        allowed = 1e-4 if method == "gradients" else 5 * found.sampling.max()
        np.testing.assert_allclose(found.parts, (3.0, -1.0) * (x[7] - usual), atol=allowed)
        assert abs(found.members[0] - abs(x[7, 0] - usual[0])) < allowed
        assert abs(found.residual) < 1e-5
        assert found.columns == ("a", "b")


def exact_shapley(value: Callable[[tuple[int, ...]], float], columns: int) -> np.ndarray:
    """Return Shapley values by the formula over all sets of columns."""
    parts = np.zeros(columns)
    for j in range(columns):
        others = [i for i in range(columns) if i != j]
        for size in range(columns):
            share = math.factorial(size) * math.factorial(columns - size - 1) / math.factorial(columns)
            for some in itertools.combinations(others, size):
                parts[j] += share * (value((*some, j)) - value(some))
    return parts


@pytest.mark.slow
@pytest.mark.parametrize("category", [False, True])
def test_shapley_values_agree_with_the_formula(category: bool) -> None:
    subject = drawn("8:tanh 2:softmax", rows=25, category=category)
    x = subject.x[3]

    def value(columns: tuple[int, ...]) -> float:
        rows = subject.x.copy()
        for column in columns:
            rows[:, subject.columns[column].features] = x[subject.columns[column].features]
        return float(subject.answers(rows).mean())

    parts, sampling = shapley_values(subject, x, subject, orders=2000)
    assert np.abs(parts.mean(axis=0) - exact_shapley(value, 3)).max() < 4 * sampling.max()
    assert sampling.max() < 0.01
    for orders in (40,):  # the parts add up for any number of orders, and the error shrinks as it should
        few, wide = shapley_values(subject, x, subject, orders=orders)
        np.testing.assert_allclose(wide, sampling * np.sqrt(2000 / orders), rtol=0.6)
        assert few.shape == (3, 3)


def test_negative_weights_of_the_background_take_rows_away(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=200)
    subject = laws.ensemble({"a": x}, x, [laws.linear([1.0])])
    weights = np.where(rng.random(200) < 0.2, -1.0, 1.0)
    background = replace(subject, weights=weights)
    parts, sampling = shapley_values(subject, subject.x[0], background, orders=4000)
    assert abs(parts[0, 0] - (x[0] - weights @ x / weights.sum())) < 4 * sampling[0]


def test_the_method_follows_the_columns_and_the_class_the_row() -> None:
    numbers, mixed = drawn("6:tanh 2:softmax"), drawn("6:tanh 2:softmax", category=True)
    assert choose_method(numbers) == "gradients"
    assert choose_method(mixed) == "shapley"
    (found,) = attributions(mixed, mixed, [4])
    assert found.method == "shapley"
    assert found.output == "yes"  # the second of two classes
    assert isinstance(mixed.table, pl.DataFrame)
    assert found.values[2] == mixed.table["c"][4]
    assert found.table()["column"][0] == found.columns[int(np.abs(found.parts).argmax())]
    (other,) = attributions(replace(mixed, of="no"), replace(mixed, of="no"), [4])
    np.testing.assert_allclose(other.parts, -found.parts, atol=1e-6)


def test_what_is_not_there_is_refused() -> None:
    subject = drawn("6:tanh 2:softmax")
    with pytest.raises(SettingError, match="there is no row 41: there are 40 rows, counted from 1"):
        attributions(subject, subject, [40])
    with pytest.raises(SettingError, match="there is no row 0"):
        attributions(subject, subject, [-1])
    with pytest.raises(SettingError, match="method must be one of auto, gradients, shapley, got 'gradient'"):
        choose_method(subject, "gradient")
