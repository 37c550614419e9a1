"""Strength of relations against scipy, and groups against its hierarchical clustering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

from shoal.data import Preparation, load_dataset
from shoal.evaluation.explanation.correlation import correlations, groups_above
from shoal.evaluation.explanation.subject import Subject
from shoal.prediction.predictor import Predictor


def subject_of(table: dict[str, Any], weights: np.ndarray | None = None) -> Subject:
    rows = len(next(iter(table.values())))
    data = load_dataset({**table, "y": np.arange(rows) * 1.5}, target="y")
    preparation = Preparation.fit(data, np.arange(rows))
    predictor = Predictor(preparation, (), np.zeros(1), np.ones(1))
    return Subject(predictor, preparation.transform(data.table), weights=weights)


def test_of_numbers_it_is_spearmans(rng: np.random.Generator) -> None:
    a = rng.normal(size=80)
    table = {"a": a, "b": np.exp(a) + rng.normal(size=80), "c": np.round(rng.normal(size=80) - a)}
    expected = np.abs(spearmanr(np.stack(list(table.values()), axis=1)).statistic)
    np.testing.assert_allclose(correlations(subject_of(table)), expected, atol=1e-6)


def test_a_weight_is_a_repetition(rng: np.random.Generator) -> None:
    a = rng.normal(size=60)
    table = {"a": a, "b": a + rng.normal(size=60), "c": np.where(a + rng.normal(size=60) > 0, "u", "v")}
    times = rng.integers(1, 4, 60)
    weighted = correlations(subject_of(table, times.astype(float)))
    repeated = correlations(subject_of({name: np.repeat(values, times) for name, values in table.items()}))
    assert weighted[0, 1] == pytest.approx(repeated[0, 1], abs=1e-6)
    assert weighted[0, 2] == pytest.approx(repeated[0, 2], abs=0.03)  # corrected by the effective number of rows


def test_categories_go_with_what_decides_them(rng: np.random.Generator) -> None:
    size = rng.uniform(0, 3, 300)
    name = np.asarray(["s", "m", "l"])[size.astype(int)]
    other = np.where(name == "s", "x", np.where(name == "m", "y", "z"))
    table = {"size": size, "name": name, "other": other, "chance": rng.choice(list("abcdefgh"), 300)}
    found = correlations(subject_of(table))
    assert found[0, 1] > 0.9
    assert found[1, 2] == pytest.approx(1.0, abs=1e-6)
    assert found[3, :3].max() < 0.2
    assert groups_above(found, 0.7) == [[0, 1, 2], [3]]


def test_groups_are_those_of_single_linkage(rng: np.random.Generator) -> None:
    for above in (0.3, 0.5, 0.7):
        base = rng.normal(size=(100, 4))
        found = np.abs(np.corrcoef(base @ rng.normal(size=(4, 12)), rowvar=False))
        own = {tuple(group) for group in groups_above(found, above)}
        np.fill_diagonal(found, 1.0)
        labels = fcluster(linkage(squareform(1 - found, checks=False), "single"), 1 - above, "distance")
        assert own == {tuple(np.flatnonzero(labels == label)) for label in np.unique(labels)}


def test_a_column_that_does_not_vary_in_these_rows_goes_with_none(rng: np.random.Generator) -> None:
    whole = subject_of({"a": rng.normal(size=40), "b": np.repeat([0.0, 1.0], 20), "c": np.repeat(["u", "v"], 20)})
    found = correlations(whole.taken(np.arange(20)))
    np.testing.assert_array_equal(found, np.eye(3))
