"""Encodings: fitted as the formula says, and members of each train side by side as they would alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import QuantileTransformer

from shoal.networks import PiecewiseEncoding, QuantileEncoding
from shoal.networks.namespace import numpy_namespace
from shoal.training.encodings import BINS, Encodings
from shoal.training.engine_choice import native_seconds
from shoal.training.engines.native import NativeEngine
from shoal.training.engines.native.cost import member_epoch
from shoal.training.engines.native.library import kernels
from shoal.training.engines.xla import XlaEngine
from shoal.training.forward import predict
from shoal.training.grouping import group_members
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member
from shoal.training.packing import by_encoding, member_network
from shoal.training.problem import Problem
from shoal.training.trainer import train

NUMBERS = ((0, None), (1, 2))
needs_kernel = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")
EACH: tuple[dict[str, Any], ...] = (
    {"hidden": (8,), "feature_encoding": "piecewise"},
    {"hidden": (8,), "l2": 1.0},
    {"hidden": (5, 6), "feature_encoding": "piecewise", "activation": "tanh", "dropout": 0.2, "l1": 0.1},
    {"hidden": (300, 160), "feature_encoding": "piecewise", "learning_rate": 0.003},
    {"hidden": (8,), "feature_encoding": "quantile", "optimizer": "nadam"},
    {"hidden": (4, 4), "feature_encoding": "quantile", "batch_size": 8},
    {"hidden": (), "feature_encoding": "piecewise", "l2": 2.0},
    {"hidden": (6,), "layers": "12:relu", "feature_encoding": "piecewise"},
)


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    """Return 500 rows: a skewed number; one that 100 rows miss, with its marker; a category and a truth value."""
    rng = np.random.default_rng(0)
    missing = np.arange(500) % 5 == 0
    steps = np.where(missing, 9.0, rng.integers(0, 4, 500))
    columns = [rng.lognormal(size=500), steps, missing, rng.random(500) < 0.5, rng.random(500) < 0.1]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def encoded(problem: Problem) -> Problem:
    return replace(problem, number_columns=((0, None), (2, None), (3, None)))


@pytest.fixture(scope="module")
def crowd(members: Any) -> list[Member]:
    return members(*({"epochs": 12, "learning_rate": 0.02, **h} for h in EACH))


def piecewise(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return equation 1 of Gorishniy et al. for numbers within the edges: ones, a part, zeros."""
    bins = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)
    part = (x - edges[bins]) / (edges[bins + 1] - edges[bins])
    below = np.arange(len(edges) - 1) < bins[:, None]
    return np.where(np.arange(len(edges) - 1) == bins[:, None], part[:, None], below)


def test_piecewise_is_its_formula_over_quantiles_of_the_rows_that_have_the_number(numbers: np.ndarray) -> None:
    (layer,) = Encodings(numbers, NUMBERS).layers("piecewise")
    said = layer.apply(numpy_namespace, {}, numbers, Any)
    skewed = np.quantile(numbers[:, 0], np.linspace(0.0, 1.0, BINS + 1), method="inverted_cdf")
    steps = np.arange(4.0)
    np.testing.assert_array_equal(said[:, :5], numbers)
    np.testing.assert_allclose(said[:, 5 : 5 + BINS], piecewise(numbers[:, 0], skewed), atol=1e-5)
    has = numbers[:, 2] == 0
    np.testing.assert_allclose(said[has, 5 + BINS :], piecewise(numbers[has, 1], steps), atol=1e-6)
    assert isinstance(layer, PiecewiseEncoding)
    assert layer.knots[1] == (0.0, 1.0, 2.0, 3.0)
    assert layer.output_shape((5,)) == (5 + BINS + 3,)


def test_quantile_is_near_the_normal_scores_of_scikit_learn(numbers: np.ndarray) -> None:
    (layer,) = Encodings(numbers, NUMBERS).layers("quantile")
    said = layer.apply(numpy_namespace, {}, numbers, Any)
    theirs = QuantileTransformer(n_quantiles=500, output_distribution="normal").fit_transform(numbers[:, :1])[:, 0]
    middle = np.abs(theirs) < 2.0
    assert np.abs(said[middle, 0] - theirs[middle]).max() < 0.1
    np.testing.assert_array_equal(said[:, 2:], numbers[:, 2:])
    assert isinstance(layer, QuantileEncoding)
    assert np.ptp(layer.values[1]) > 0.0
    assert np.unique(said[numbers[:, 2] == 0, 1]).size == 4


def test_what_has_two_values_gets_no_bins() -> None:
    x = np.asarray([[0.0], [1.0]] * 20, np.float32)
    assert Encodings(x, ((0, None),)).layers("piecewise")[0].output_shape((1,)) == (1,)


def test_without_numbers_every_member_reads_plain_features(problem: Problem) -> None:
    member = Member(0, Hyperparameters(feature_encoding="piecewise"))
    assert problem.behind("piecewise") is problem
    assert member_network(problem, member).layers[0] == member_network(problem, Member(0, Hyperparameters())).layers[0]


def test_members_are_parted_by_their_encoding_and_rows_are_encoded_once(encoded: Problem, crowd: list[Member]) -> None:
    parts = by_encoding(encoded, crowd)
    assert [[member.id for member in part] for _, part in parts] == [[0, 2, 3, 6, 7], [1], [4, 5]]
    assert parts[1][0] is encoded
    assert [behind.inputs for behind, _ in parts] == [4 + 3 * BINS, 4, 4]
    assert by_encoding(encoded, crowd)[0][0] is parts[0][0]
    assert all(behind.input_shape == behind.validation_x.shape[1:] for behind, _ in parts)
    assert {group.problem.inputs for group in group_members(encoded, crowd)} == {4, 4 + 3 * BINS}
    for behind, (member, *_) in parts:
        assert member_epoch(encoded, member, lanes=8) == member_epoch(behind, member, lanes=8)
    sums = sum(native_seconds(behind, part, 2) for behind, part in parts)
    assert native_seconds(encoded, crowd, 2) == pytest.approx(sums)


@needs_kernel
def test_a_member_of_a_mixed_block_is_the_member_alone_and_that_of_encoded_rows(
    encoded: Problem, crowd: list[Member], assert_equal: Any
) -> None:
    for together in train(encoded, crowd, NativeEngine(2)).members:
        (alone,) = train(encoded, [together.member], NativeEngine(1)).members
        assert_equal(together, alone)
        behind = encoded.behind(together.member.hyperparameters.feature_encoding)
        (by_hand,) = train(behind, [together.member], NativeEngine(1)).members
        for name in ("train_loss", "validation_loss"):
            np.testing.assert_array_equal(getattr(together, name), getattr(by_hand, name))
        raw = predict(together.network, together.parameters, encoded.validation_x)
        np.testing.assert_array_equal(raw, predict(by_hand.network, by_hand.parameters, behind.validation_x))
        assert together.network.parameter_count == by_hand.network.parameter_count


@needs_kernel
@pytest.mark.slow
def test_both_engines_agree(encoded: Problem, crowd: list[Member], assert_equal: Any) -> None:
    few = [crowd[i] for i in (0, 1, 4)]  # a program for each size of the inputs
    by_xla = train(encoded, few, XlaEngine()).members
    for one, other in zip(train(encoded, few, NativeEngine()).members, by_xla, strict=True):
        assert_equal(one, other, rtol=2e-4, atol=2e-5)


@needs_kernel
def test_folds_encode_the_rows_once(encoded: Problem) -> None:
    folds = (np.arange(len(encoded.x)) % 2).astype(np.int32)[:, None]
    parts = {f"validation_{name}": getattr(encoded, name) for name in ("x", "y", "weights")}
    half = (np.arange(len(encoded.x)) // 2) % 2
    folded = replace(encoded, folds=folds, validation_half=half, **parts)
    behind = folded.behind("piecewise")
    assert behind.validation_x is behind.x
    h = Hyperparameters(hidden=(4,), feature_encoding="piecewise", epochs=3, batch_size=16)
    trained = train(folded, [Member(0, h, fold=0), Member(1, h, fold=1)], NativeEngine()).members
    assert all(np.isfinite(member.validation_loss).all() for member in trained)


@needs_kernel
def test_a_time_budget_meets_every_encoding_and_batch_size(encoded: Problem) -> None:
    kinds = [(encoding, size) for size in (8, 16) for encoding in ("plain", "piecewise")]
    each = [Hyperparameters(feature_encoding=encoding, batch_size=size, epochs=2) for encoding, size in kinds]
    members = [Member(i, each[i % 4]) for i in range(400)]
    engine = NativeEngine(1)
    blocks = engine.plan(encoded, members)
    assert sorted(member.id for block in blocks for member in block.members) == list(range(400))
    first = [member for block in blocks[:4] for member in block.members]
    assert len({member.hyperparameters for member in first}) == 4
    assert len(first) == 4 * engine.kernel.lanes
    assert [len(block.members) for block in blocks[4:8]] == [2 * engine.kernel.lanes] * 4
