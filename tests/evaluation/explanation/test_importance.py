"""Permutation importance against scikit-learn, against what is known, and against an explicit repetition of rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.inspection import permutation_importance as by_sklearn

from shoal.data import Preparation, load_dataset
from shoal.errors import SettingError
from shoal.evaluation.explanation.importance import ReferenceLosses, find_units, permutation_importance, permutations
from shoal.evaluation.explanation.subject import Subject
from shoal.evaluation.topics import importance as in_passing
from shoal.evaluation.topics.importance import cheap_importance
from shoal.networks import Network
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.streams import Stream


class Plane(RegressorMixin, BaseEstimator):
    """The mean of the ensemble's two planes, for scikit-learn."""

    def fit(self, x: Any, y: Any) -> Plane:
        self.fitted_ = True
        return self

    def predict(self, x: Any) -> Any:
        return 2.5 * np.asarray(x)[:, 0] + np.asarray(x)[:, 1]


def planes(laws: Any, rng: np.random.Generator, rows: int = 60, noise: float = 0.5, **known: Any) -> Subject:
    x = rng.normal(size=(rows, 2))
    y = 2.5 * x[:, 0] + x[:, 1] + noise * rng.normal(size=rows)
    networks = [laws.linear([2.0, 1.5]), laws.linear([3.0, 0.5])]
    return laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, y, networks, **known)


def test_the_same_permutations_give_the_numbers_of_scikit_learn(laws: Any, rng: np.random.Generator) -> None:
    subject = planes(laws, rng)
    table = np.asarray(subject.x, np.float64)
    assert subject.y is not None
    score = "neg_root_mean_squared_error"
    found = by_sklearn(Plane().fit(None, None), table, subject.y[:, 0], n_repeats=4, random_state=0, scoring=score)
    # as `sklearn.inspection` deals rows: every column by the same shuffles, one on top of the other
    random = np.random.RandomState(np.random.RandomState(0).randint(np.iinfo(np.int32).max + 1))
    shuffle, deals = np.arange(len(table)), [np.arange(len(table))]
    for _ in range(4):
        random.shuffle(shuffle)
        deals.append(deals[-1][shuffle])
    measured = ReferenceLosses.of(subject, np.stack(deals[1:]))
    own = [measured.importance([block]).scores["rmse"] for block in subject.columns]
    np.testing.assert_allclose([one.value for one in own], found.importances_mean, rtol=1e-5)
    np.testing.assert_allclose(
        [one.permutations for one in own], found.importances.std(axis=1, ddof=1) / 2.0, rtol=1e-4
    )


def test_of_a_perfect_model_it_is_twice_the_variance(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(400, 2)) * (1.0, 2.0)
    y = 3.0 * x[:, 0] + 0.5 * x[:, 1]
    subject = laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, y, [laws.linear([3.0, 0.5])])
    found = permutation_importance(subject, repeats=60)
    assert found.ranked == ("a", "b")
    for one, slope, column in zip(found.groups, (3.0, 0.5), x.T, strict=True):
        estimate = one.scores["mse"]
        assert abs(estimate.value - 2 * slope**2 * column.var()) < 4 * estimate.permutations
        # the law with the variance of all such rows is 2 slope² scale², which the error of rows must allow for
        assert abs(estimate.value - 2 * slope**2 * column.std().round() ** 2) < 4 * estimate.error
        assert np.isnan(estimate.members)
    assert found.score["rmse"] < 1e-5


def test_a_weight_is_a_repetition_and_a_negative_row_takes_one_away(laws: Any, rng: np.random.Generator) -> None:
    subject = planes(laws, rng, rows=40)
    times = rng.integers(1, 4, 40)
    weighted = replace(subject, weights=times.astype(float))
    repeated = subject.taken(np.repeat(np.arange(40), times))
    both = [permutation_importance(one, repeats=300) for one in (weighted, repeated)]
    for one, other in zip(*(found.groups for found in both), strict=True):
        a, b = one.scores["mse"], other.scores["mse"]
        assert abs(a.value - b.value) < 4 * np.hypot(a.permutations, b.permutations)
    # a row and its copy with the opposite weight are none
    doubled = subject.taken(np.concatenate([np.arange(40), [0, 0]]))
    cancelled = replace(doubled, weights=np.concatenate([np.ones(40), [1.0, -1.0]]))
    found = permutation_importance(cancelled, repeats=300).groups[0].scores["mse"]
    plain = permutation_importance(subject, repeats=300).groups[0].scores["mse"]
    assert abs(found.value - plain.value) < 4 * np.hypot(found.permutations, plain.permutations)


def test_columns_that_go_together_are_permuted_together_and_alone(laws: Any, rng: np.random.Generator) -> None:
    a = rng.normal(size=200)
    table = {"a": a, "copy": a + 0.05 * rng.normal(size=200), "free": rng.normal(size=200)}
    y = 2.0 * a + table["free"]
    subject = laws.ensemble(table, y, [laws.linear([1.0, 1.0, 1.0])])
    found = permutation_importance(subject)
    assert found.groups[0].columns in (("a", "copy"), ("copy", "a"))
    assert [one.columns for one in found.alone] == [("a",), ("copy",)]
    together, single = found.groups[0].scores["mse"].value, found.alone[0].scores["mse"].value
    assert together > 3.5 * single  # (1 + 1)² against 1²
    assert [alone for _, alone in found.lines] == [False, True, True, False]
    assert found.together_with("copy") == ("a",)
    assert not permutation_importance(subject, above=1.1).alone


def mixed(rows: int = 80) -> tuple[Subject, pl.DataFrame]:
    """Return a classifier of a category and a number with missing values, as its weights happen to be."""
    rng = np.random.default_rng(3)
    colour = rng.choice(["red", "green", "blue"], rows)
    size = [None if i % 7 == 0 else float(v) for i, v in enumerate(rng.normal(size=rows))]
    data = load_dataset({"colour": colour, "size": size, "y": np.where(colour == "red", "yes", "no")}, target="y")
    preparation = Preparation.fit(data, np.arange(rows))
    assert preparation.feature_names[-1] == "size is missing"
    network = Network.parse(f"{len(preparation.feature_names)} 6:tanh 2:softmax")
    members = tuple(EnsembleMember(i, {}, network, network.initialize(Stream(1, i))) for i in range(3))
    predictor = Predictor(preparation, members, np.zeros(1), np.ones(1))
    return Subject(predictor, preparation.transform(data.table), table=data.table, y=data.y()), data.table


@pytest.mark.parametrize("column", ["colour", "size"])
def test_features_of_a_column_move_as_if_the_table_were_permuted(column: str) -> None:
    subject, table = mixed()
    deals = permutations(subject, 1)
    block = subject.column(column)
    x = subject.x.copy()
    x[:, block.features] = x[deals[0]][:, block.features]
    shuffled = table.with_columns(table.get_column(column).gather(deals[0]))
    np.testing.assert_array_equal(subject.predictor.preparation.transform(shuffled), x)
    found = ReferenceLosses.of(subject, deals).importance([block])
    truth, before, after = subject.y, subject.predictor.predict(table), subject.predictor.predict(shuffled)
    assert truth is not None
    losses = [-np.log(np.asarray(p.probabilities)[np.arange(len(truth)), truth]).mean() for p in (after, before)]
    assert found.scores["log_loss"].value == pytest.approx(losses[0] - losses[1], rel=1e-6)
    right = [(np.asarray(p.probabilities).argmax(axis=1) == truth).mean() for p in (before, after)]
    assert found.scores["accuracy"].value == pytest.approx(right[0] - right[1])


def test_rows_are_asked_of_the_members_that_did_not_learn_from_them(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=30)
    slopes = (1.0, 2.0, 3.0, 4.0)  # of two candidates with two folds each
    subject = laws.ensemble({"a": x}, 2.0 * x, [laws.linear([slope]) for slope in slopes])
    members = tuple(replace(m, fold=i % 2) for i, m in enumerate(subject.predictor.members))
    fold = np.arange(30) % 2
    predictor = replace(subject.predictor, members=members)
    subject = replace(subject, predictor=predictor, answering=np.stack([fold == m.fold for m in members]))
    assert find_units(subject) == ((0, 1), (2, 3))
    found = permutation_importance(subject, repeats=1)
    slope = np.where(fold == 0, 2.0, 3.0)  # the means over both candidates
    deal = permutations(subject, 1)[0]
    truth = np.mean((slope * x[deal] - 2 * x) ** 2) - np.mean((slope * x - 2 * x) ** 2)
    assert found.groups[0].scores["mse"].value == pytest.approx(truth, rel=1e-4)
    assert np.isfinite(found.groups[0].scores["mse"].members)


def test_the_error_over_members_is_the_jackknife(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=50)
    networks = [laws.linear([slope]) for slope in (0.5, 1.0, 1.6)]
    subject = laws.ensemble({"a": x}, x, networks)
    deals = permutations(subject, 3)
    whole = ReferenceLosses.of(subject, deals).importance(subject.columns).scores["mse"]
    without = []
    for left in range(3):
        others = tuple(m for m in subject.predictor.members if m.id != left)
        fewer = replace(subject, predictor=replace(subject.predictor, members=others))
        without.append(ReferenceLosses.of(fewer, deals).importance(fewer.columns).scores["mse"].value)
    assert whole.members == pytest.approx(np.sqrt(2 / 3 * np.sum((without - np.mean(without)) ** 2)), rel=1e-5)
    assert whole.error == pytest.approx(np.sqrt(whole.rows**2 + whole.permutations**2 + whole.members**2))


def test_importance_in_passing_takes_few_rows_and_leaves_what_is_dear(
    laws: Any, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = planes(laws, rng, rows=700)
    found = cheap_importance(subject)
    assert found is not None
    assert found.rows == 500
    monkeypatch.setattr(in_passing, "MULTIPLICATIONS", 1e4)
    assert cheap_importance(subject) is None


def test_what_makes_no_sense_is_refused(laws: Any, rng: np.random.Generator) -> None:
    subject = planes(laws, rng)
    with pytest.raises(SettingError, match="repeats must be 1 or more, got 0"):
        permutation_importance(subject, repeats=0)
    with pytest.raises(SettingError, match="group_above is a correlation above 0"):
        permutation_importance(subject, above=0.0)
    with pytest.raises(SettingError, match="column 'c' is none that the networks predict from; those are a, b"):
        subject.column("c")
    with pytest.raises(SettingError, match="of: expected the target y, got 'z'"):
        _ = replace(subject, of="z").explained
