"""Ensembles that know the law: networks whose weights are set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from shoal.data import Preparation, load_dataset
from shoal.evaluation.explanation.subject import Subject
from shoal.networks import Dense, Network
from shoal.prediction.predictor import EnsembleMember, Predictor


def square(xp: Any, z: Any) -> Any:
    return z * z


def linear(weights: Sequence[float]) -> tuple[Network, list[dict[str, np.ndarray]]]:
    """Return `sum_j weights_j x_j`."""
    kernel = np.asarray(weights, np.float64)[:, None]
    return Network([Dense(1)], len(kernel)), [{"kernel": kernel, "bias": np.zeros(1)}]


def product(first: int, second: int, others: Sequence[float]) -> tuple[Network, list[dict[str, np.ndarray]]]:
    """Return `x_first x_second + sum_j others_j x_j`, by ((a + b)² - (a - b)²) / 4 and ((c + 1)² - (c - 1)²) / 4."""
    inputs = len(others)
    kernel, bias = np.zeros((inputs, 4)), np.asarray([0.0, 0.0, 1.0, -1.0])
    kernel[first, :2], kernel[second, :2] = 1.0, (1.0, -1.0)
    kernel[:, 2] = kernel[:, 3] = others
    last = {"kernel": np.asarray([[0.25], [-0.25], [0.25], [-0.25]]), "bias": np.zeros(1)}
    return Network([Dense(4, activation=square), Dense(1)], inputs), [{"kernel": kernel, "bias": bias}, last]


def ensemble(
    table: dict[str, Any],
    y: np.ndarray,
    networks: Sequence[tuple[Network, list[dict[str, np.ndarray]]]],
    rows: slice = slice(None),
    **known: Any,
) -> Subject:
    """Return an ensemble of networks that see numbers as they are, and the rows of a table."""
    data = load_dataset({**table, "y": y}, target="y", task="regression")
    preparation = Preparation.fit(data, np.arange(len(y)), normalization="none")
    preparation = replace(preparation, target_mean=np.zeros(1), target_scale=np.ones(1))
    members = tuple(EnsembleMember(i, {}, *one) for i, one in enumerate(networks))
    predictor = Predictor(preparation, members, np.zeros(1), np.ones(1))
    own = pl.DataFrame(table)[rows]
    return Subject(predictor, preparation.transform(own), table=own, y=np.asarray(y)[rows][:, None], **known)


@pytest.fixture
def laws() -> SimpleNamespace:
    return SimpleNamespace(linear=linear, product=product, ensemble=ensemble)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
