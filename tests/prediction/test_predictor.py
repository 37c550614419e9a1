"""The predictor: ensemble means and spreads, intervals that cover what they promise, saving and loading."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shoal.data import Preparation, assign_folds, load_dataset
from shoal.errors import DataError
from shoal.networks import Network
from shoal.prediction import predictor as module
from shoal.prediction.conformal import conformal_quantile
from shoal.prediction.error_bars import HeldOutRows, with_error_bars, with_region
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import EnsembleMember, Predictor, to_probabilities
from shoal.streams import Stream

SLOPES = (1.9, 2.0, 2.1)
NOISE = 0.3


def line(preparation: Preparation, slope: float, id: int) -> EnsembleMember:
    """Return a network that answers `slope · x` in the target's units."""
    mean, scale = preparation.target_mean[0], preparation.target_scale[0]
    parameters = [{"kernel": np.asarray([[slope / scale]]), "bias": np.asarray([-mean / scale])}]
    return EnsembleMember(id, {"hidden": []}, Network.parse("1 1"), parameters)


def lines(targets: int = 1) -> Predictor:
    """Return an ensemble of three lines through zero, with nothing known of the noise."""
    x = np.linspace(-1.0, 1.0, 50)
    data = load_dataset({"x": x, "y": 20.0 + 3.0 * x}, target="y")
    preparation = Preparation.fit(data, np.arange(50), normalization="none")
    members = tuple(line(preparation, slope, i) for i, slope in enumerate(SLOPES))
    return Predictor(preparation, members, np.zeros(targets), np.full(targets, 1.96))


def classifier(classes: int = 3) -> Predictor:
    y = [f"c{i % classes}" for i in range(30)]
    data = load_dataset({"a": np.arange(30.0), "b": np.arange(30.0)[::-1] ** 2, "y": y}, target="y")
    preparation = Preparation.fit(data, np.arange(30))
    network = Network.parse("2 5:tanh 3:softmax" if classes == 3 else "2 5:tanh 1:sigmoid")
    members = tuple(EnsembleMember(i, {"hidden": [5]}, network, network.initialize(Stream(0, i))) for i in range(3))
    return Predictor(preparation, members, np.zeros(1), np.ones(1))


def with_noise(
    predictor: Predictor, x: Any, y: Any, weights: np.ndarray | None, answering: np.ndarray | None = None
) -> Predictor:
    return with_error_bars(predictor, HeldOutRows(x, y, weights, answering))[0]


def measurements(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1.0, 1.0, (rows, 1))
    return x, 2.0 * x + NOISE * rng.standard_normal((rows, 1))


def test_mean_and_spread_of_the_members() -> None:
    x = np.asarray([[0.0], [1.0], [-2.0]])
    answer = lines().predict_features(x)
    assert answer.mean is not None
    assert answer.spread is not None
    np.testing.assert_allclose(answer.mean, 2.0 * x, atol=1e-12)
    np.testing.assert_allclose(answer.spread, np.std(SLOPES) * np.abs(x), atol=1e-12)


def test_std_joins_spread_and_noise_and_scales_the_interval() -> None:
    plain = lines()
    known = Predictor(plain.preparation, plain.members, np.asarray([NOISE]), np.asarray([2.5]))
    answer = known.predict_features(np.asarray([[1.0]]))
    std = np.hypot(np.std(SLOPES), NOISE)
    values = [float(each[0, 0]) for each in (answer.std, answer.low, answer.high) if each is not None]
    np.testing.assert_allclose(values, [std, 2.0 - 2.5 * std, 2.0 + 2.5 * std])


def test_the_noise_is_what_the_spread_leaves_unexplained() -> None:
    x, y = measurements(np.random.default_rng(0), 4000)
    fitted = with_noise(lines(), x, y, None)
    expected = np.sqrt(NOISE**2 - np.mean((np.std(SLOPES) * x) ** 2))
    np.testing.assert_allclose(fitted.noise, [expected], rtol=0.05)


@pytest.mark.slow
def test_the_interval_covers_what_it_promises() -> None:
    rng, covered = np.random.default_rng(1), []
    for _ in range(200):
        fitted = with_noise(lines(), *measurements(rng, 60), None)
        x, y = measurements(rng, 500)
        answer = fitted.predict_features(x)
        assert answer.low is not None
        assert answer.high is not None
        covered.append(np.mean((y >= answer.low) & (y <= answer.high)))
    # 58 of 60 ratios: the coverage is distributed as Beta(58, 3), with mean 0.951 and deviation 0.028
    assert np.mean(covered) == pytest.approx(58 / 61, abs=4 * 0.03 / np.sqrt(200))
    assert 0.015 < np.std(covered) < 0.045


@pytest.mark.slow
def test_intervals_of_noise_that_is_not_normal_cover_too() -> None:
    rng, covered = np.random.default_rng(2), []
    for _ in range(200):
        x = rng.uniform(-1.0, 1.0, (460, 1))
        y = 2.0 * x + NOISE * rng.standard_t(2, (460, 1))
        fitted = with_noise(lines(), x[:60], y[:60], None)
        answer = fitted.predict_features(x[60:])
        assert answer.low is not None
        assert answer.high is not None
        covered.append(np.mean((y[60:] >= answer.low) & (y[60:] <= answer.high)))
    assert np.mean(covered) == pytest.approx(58 / 61, abs=0.01)


def test_rows_of_weight_zero_tell_nothing_of_the_noise() -> None:
    x, y = measurements(np.random.default_rng(3), 500)
    wild = np.concatenate([y, y + 100.0])
    weights = np.repeat([1.0, 0.0], 500)
    fitted = with_noise(lines(), np.concatenate([x, x]), wild, weights)
    np.testing.assert_allclose(fitted.noise, with_noise(lines(), x, y, None).noise, rtol=1e-6)


def test_perfect_predictions_keep_an_interval() -> None:
    plain = lines()
    exact = Predictor(plain.preparation, plain.members[1:2], plain.noise, plain.quantile)
    x = np.linspace(-1.0, 1.0, 30)[:, None]
    fitted = with_noise(exact, x, 2.0 * x, None)
    assert fitted.noise[0] > 0.0
    assert np.isfinite(fitted.quantile).all()


def test_classes_need_no_noise() -> None:
    predictor, x = classifier(), np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    fitted = with_noise(predictor, x, np.arange(40) % 3, None)
    assert fitted.noise is predictor.noise
    answer = fitted.predict_features(x)
    assert answer.sets is not None
    assert answer.sets[np.arange(40), np.arange(40) % 3].mean() >= 0.95


@pytest.mark.parametrize(("count", "rank"), [(19, 19), (20, 20), (39, 38), (99, 95), (100, 96)])
def test_the_conformal_quantile_has_the_finite_sample_correction(count: int, rank: int) -> None:
    ratios = np.random.default_rng(0).permutation(np.arange(1.0, count + 1.0))
    assert conformal_quantile(np.stack([ratios, 2 * ratios], axis=1)).tolist() == [rank, 2 * rank]


def test_too_few_ratios_give_more_than_the_largest() -> None:
    assert conformal_quantile(np.arange(1.0, 19.0)[:, None]).tolist() == [27.0]


def test_the_quantile_is_no_smaller_than_the_errors_of_the_calibration() -> None:
    x, y = measurements(np.random.default_rng(5), 99)
    answer = with_noise(lines(), x, y, None).predict_features(x)
    assert answer.low is not None
    assert answer.high is not None
    assert np.mean((y >= answer.low) & (y <= answer.high)) == pytest.approx(95 / 99)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_means_over_the_members(classes: int) -> None:
    predictor, x = classifier(classes), np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    each = predictor.member_outputs(x)
    answer = predictor.predict_features(x)
    assert answer.probabilities is not None
    assert answer.labels is not None
    assert each.shape == (3, 7, classes)
    np.testing.assert_allclose(each.sum(axis=2), 1.0)
    np.testing.assert_allclose(answer.probabilities, each.mean(axis=0))
    np.testing.assert_allclose(answer.probability_std, each.std(axis=0))
    assert answer.labels.tolist() == [f"c{i}" for i in answer.probabilities.argmax(axis=1)]
    assert len(answer) == 7


def test_outputs_become_probabilities() -> None:
    assert to_probabilities(np.asarray([[0.25]])).tolist() == [[0.75, 0.25]]
    assert to_probabilities(np.asarray([[1.0, 3.0]])).tolist() == [[0.25, 0.75]]
    zeros = to_probabilities(np.zeros((1, 2)))
    assert zeros.tolist() == [[0.5, 0.5]]


def test_columns_of_classes() -> None:
    frame = classifier().predict_features(np.zeros((4, 2), np.float32)).frame()
    assert frame.columns == ["prediction", "probability_c0", "probability_c1", "probability_c2", "disagreement"]
    assert frame.height == 4
    assert set(frame["prediction"]) <= {"c0", "c1", "c2"}


def test_columns_of_one_number() -> None:
    frame = lines().predict_features(np.zeros((4, 1))).frame()
    assert frame.columns == ["prediction", "std", "low", "high", "spread"]


def test_columns_of_several_numbers() -> None:
    two = np.arange(6.0).reshape(3, 2)
    ends = {"low": two + 2, "high": two + 3, "std_below": two + 1, "std_above": two + 1}
    frame = NumberPrediction(("u", "v"), mean=two, std=two + 1, spread=two, **ends).frame()
    names = [f"{word}_{target}" for target in "uv" for word in ("prediction", "std", "low", "high", "spread")]
    assert frame.columns == names
    assert frame["high_v"].to_list() == [4.0, 6.0, 8.0]
    none = lines().predict_features(np.zeros((0, 1)))
    assert none.labels is None
    assert len(none) == 0


@pytest.mark.parametrize("make", [lines, classifier])
def test_saving_and_loading(make: Any) -> None:
    predictor = make()
    document, arrays = predictor.to_parts()
    back = Predictor.from_parts(json.loads(json.dumps(document)), arrays)
    table = load_dataset({"x": np.arange(12.0), "a": np.arange(12.0), "b": np.arange(12.0), "y": np.arange(12.0)}).table
    before, after = predictor.predict(table), back.predict(table)
    assert before.frame().equals(after.frame())
    assert [member.id for member in back.members] == [0, 1, 2]
    assert back.members[0].candidate == predictor.members[0].candidate


def test_error_bars_survive_saving() -> None:
    x, y = measurements(np.random.default_rng(0), 80)
    fitted = with_region(with_noise(lines(), x, 3.0 * y, None), x.astype(np.float32), seed=0)
    table = load_dataset({"x": np.linspace(-1.0, 4.0, 50), "y": np.arange(50.0)}).table
    for predictor in (fitted, with_noise(classifier(), np.zeros((50, 2), np.float32), np.arange(50) % 3, None)):
        document, arrays = predictor.to_parts()
        back = Predictor.from_parts(json.loads(json.dumps(document)), arrays)
        again, repeated = back.to_parts()
        assert json.dumps(again) == json.dumps(document)
        assert {k: v.tobytes() for k, v in repeated.items()} == {k: v.tobytes() for k, v in arrays.items()}
        new = np.random.default_rng(1).normal(size=(9, 2 if predictor is not fitted else 1)).astype(np.float32)
        assert back.predict_features(new).frame().equals(predictor.predict_features(new).frame())
    assert (
        fitted.predict(table).frame()["outside"].to_list()
        == Predictor.from_parts(*fitted.to_parts()).predict(table).frame()["outside"].to_list()
    )
    outside = fitted.predict(table).outside
    assert outside is not None
    assert not outside[:20].any()
    assert outside[-10:].all()


def test_a_model_without_error_bars_predicts_as_it_did() -> None:
    """Format 1 had neither calibration, scale, stated coverage nor region."""
    for predictor in (lines(), classifier()):
        document, arrays = predictor.to_parts()
        del document["calibration"]
        assert document.keys() == {"preparation", "members"}
        back = Predictor.from_parts(document, arrays)
        x = np.zeros((3, 2 if predictor.preparation.classes else 1), np.float32)
        answer = back.predict_features(x)
        assert answer.outside is None
        assert answer.sets is None
        assert answer.frame().equals(predictor.predict_features(x).frame())


def test_disagreement_is_the_entropy_of_the_mean_less_the_mean_entropy() -> None:
    predictor, x = classifier(), np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    each = predictor.member_outputs(x)

    def entropy(p: np.ndarray) -> np.ndarray:
        return -(p * np.log(p)).sum(axis=-1)

    expected = entropy(each.mean(axis=0)) - entropy(each).mean(axis=0)
    np.testing.assert_allclose(predictor.predict_features(x).disagreement, expected, atol=1e-12)
    asked = np.ones((3, 7), bool)
    np.testing.assert_allclose(predictor.predict_features(x, asked).disagreement, expected, atol=1e-12)


def test_groups_with_rows_enough_have_intervals_of_their_own() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(["quiet", "loud", *(f"g{i}" for i in range(40))], [200, 200] + [5] * 40)
    x = rng.uniform(-1.0, 1.0, (len(groups), 1))
    size = np.where(groups == "loud", 3.0, np.where(groups == "quiet", 0.2, 1.0))[:, None]
    y = 2.0 * x + size * rng.standard_normal(x.shape)
    fitted = with_error_bars(lines(), HeldOutRows(x, y, groups=groups, column="place"))[0]
    assert fitted.conformal is not None
    assert set(fitted.conformal.by_group) == {"quiet", "loud"}
    data = load_dataset({"x": rng.uniform(-1.0, 1.0, 4000), "place": ["quiet", "loud"] * 2000, "y": np.arange(4000.0)})
    answer, truth = fitted.predict(data.table), 2.0 * data.table["x"].to_numpy()
    noise = np.tile([0.2, 3.0], 2000) * rng.standard_normal(4000)
    assert answer.low is not None
    assert answer.high is not None
    inside = (truth + noise >= answer.low[:, 0]) & (truth + noise <= answer.high[:, 0])
    assert 0.91 < inside[::2].mean() < 0.99
    assert 0.91 < inside[1::2].mean() < 0.99


def test_many_rows_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor, x = classifier(), np.random.default_rng(0).normal(size=(10, 2)).astype(np.float32)
    whole = predictor.predict_features(x)
    sizes: list[int] = []
    apply = Network.apply

    def watched(self: Network, parameters: Any, rows: np.ndarray) -> np.ndarray:
        sizes.append(len(rows))
        return np.asarray(apply(self, parameters, rows))

    monkeypatch.setattr(module, "ROWS_AT_ONCE", 4)
    monkeypatch.setattr(Network, "apply", watched)
    np.testing.assert_allclose(predictor.predict_features(x).probabilities, whole.probabilities, rtol=1e-6)
    assert sizes == [4] * 6 + [2] * 3
    sizes.clear()
    asked = (np.arange(3)[:, None] + np.arange(10)) % 3 > 0
    in_parts = predictor.predict_features(x, asked).probabilities
    assert max(sizes) <= 4
    monkeypatch.undo()
    np.testing.assert_allclose(in_parts, predictor.predict_features(x, asked).probabilities, rtol=1e-6)


def test_what_only_the_other_kind_of_prediction_has_is_none() -> None:
    of_classes = classifier().predict_features(np.zeros((4, 2), np.float32))
    assert [getattr(of_classes, name) for name in ("mean", "std", "low", "high")] == [None] * 4
    of_numbers = lines().predict_features(np.zeros((4, 1)))
    assert [getattr(of_numbers, name) for name in ("probabilities", "labels", "sets")] == [None] * 3


def test_no_rows_give_no_predictions() -> None:
    answer = classifier().predict_features(np.zeros((0, 2), np.float32))
    assert answer.frame().height == 0


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="'x'"):
        lines().predict(load_dataset({"z": np.arange(12.0), "y": np.arange(12.0)}).table)


# folds

DEGREE = 8


def fitted_ensemble(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, folds: np.ndarray, candidates: int
) -> Predictor:
    """Return polynomials of a degree that overfits, each fitted by least squares on the rows outside its fold."""
    plain, members = lines(), []
    mean, scale = plain.preparation.target_mean[0], plain.preparation.target_scale[0]
    for candidate in range(candidates):
        for repeat in range(folds.shape[1]):
            for fold in range(folds.max() + 1):
                seen = folds[:, repeat] != fold
                used = x[:, : DEGREE - candidate % 3]  # candidates differ in their degree and by a little noise
                weights = np.linalg.lstsq(used[seen], y[seen, 0])[0] + 0.02 * rng.standard_normal(used.shape[1])
                kernel = np.zeros((DEGREE, 1))
                kernel[: used.shape[1], 0] = weights / scale
                parameters = [{"kernel": kernel, "bias": np.asarray([-mean / scale])}]
                network = Network.parse(f"{DEGREE} 1")
                members.append(EnsembleMember(len(members), {}, network, parameters, fold, repeat))
    return Predictor(plain.preparation, tuple(members), plain.noise, plain.quantile)


def polynomial(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    u = rng.uniform(-1.0, 1.0, rows)
    x = np.polynomial.legendre.legvander(u, DEGREE - 1)
    return x, (2.0 * u + NOISE * rng.standard_normal(rows))[:, None]


def held_out(predictor: Predictor, folds: np.ndarray) -> np.ndarray:
    """Return which members did not learn from each row, `(members, rows)`."""
    return np.stack([folds[:, member.repeat] == member.fold for member in predictor.members])


@pytest.mark.slow
@pytest.mark.parametrize(("candidates", "repeats"), [(1, 1), (4, 1), (3, 3)])
def test_the_interval_from_folds_covers_what_it_promises(candidates: int, repeats: int) -> None:
    rng, covered, halves = np.random.default_rng(7), [], []
    for seed in range(120):
        x, y = polynomial(rng, 40)
        folds = assign_folds(np.zeros(40, np.int64), 5, repeats, seed)
        plain = fitted_ensemble(rng, x, y, folds, candidates)
        fitted = with_noise(plain, x, y, None, held_out(plain, folds))
        new_x, new_y = polynomial(rng, 500)
        answer = fitted.predict_features(new_x)
        assert answer.low is not None
        assert answer.high is not None
        covered.append(np.mean((new_y >= answer.low) & (new_y <= answer.high)))
        halves.append(np.mean(answer.high - answer.low) / 2)
    # new rows are predicted by the mean of all folds, which is a little better than one fold: never too narrow
    assert 0.945 < np.mean(covered) < 0.98
    assert np.mean(halves) < 2 * 1.96 * NOISE


def test_the_spread_over_all_members_would_cover_too_little() -> None:
    """Why a row asks only those who did not learn from it: members that know their rows by heart, in noise."""
    rng, covered = np.random.default_rng(8), {"all": [], "one fold": []}  # type: ignore[var-annotated]
    for seed in range(100):
        x, y, new_x, new_y = rng.uniform(size=200), rng.normal(size=200), rng.uniform(size=400), rng.normal(size=400)
        fold = assign_folds(np.zeros(200, np.int64), 5, 1, seed)[:, 0]

        def nearest(at: np.ndarray, x: np.ndarray = x, y: np.ndarray = y, fold: np.ndarray = fold) -> np.ndarray:
            distances = np.abs(at[:, None] - x)
            return np.stack([y[np.where(fold == k, np.inf, distances).argmin(axis=1)] for k in range(5)])

        each, new = nearest(x), nearest(new_x)
        residuals = y - each[fold, np.arange(200)]
        for name, spread, new_spread in (
            ("all", each.std(axis=0), new.std(axis=0)),
            ("one fold", np.zeros(200), np.zeros(400)),
        ):
            noise = np.mean(residuals**2 - spread**2)
            quantile = conformal_quantile((np.abs(residuals) / np.sqrt(spread**2 + noise))[:, None])[0]
            covered[name].append(np.mean(np.abs(new_y - new.mean(axis=0)) <= quantile * np.sqrt(new_spread**2 + noise)))
    assert np.mean(covered["all"]) < 0.935
    assert 0.95 < np.mean(covered["one fold"]) < 0.98


def test_each_row_is_predicted_by_the_members_of_its_fold() -> None:
    rng = np.random.default_rng(0)
    x, y = polynomial(rng, 30)
    folds = assign_folds(np.zeros(30, np.int64), 3, 2, seed=0)
    predictor = fitted_ensemble(rng, x, y, folds, 2)
    answering = held_out(predictor, folds)
    assert (answering.sum(axis=0) == 4).all()
    each, answer = predictor.member_outputs(x), predictor.predict_features(x, answering)
    for i in range(30):
        own = [k for k, m in enumerate(predictor.members) if folds[i, m.repeat] == m.fold]
        np.testing.assert_allclose(answer.mean[i], each[own, i].mean(axis=0))  # type: ignore[index]
        np.testing.assert_allclose(answer.spread[i], each[own, i].std(axis=0))  # type: ignore[index]


def test_the_spread_of_a_new_row_is_that_of_one_fold() -> None:
    rng = np.random.default_rng(0)
    x, y = polynomial(rng, 30)
    folds = assign_folds(np.zeros(30, np.int64), 3, 2, seed=0)
    predictor = fitted_ensemble(rng, x, y, folds, 2)
    each, answer = predictor.member_outputs(x), predictor.predict_features(x)
    own = np.asarray([m.fold for m in predictor.members])
    variances = [each[own == k].var(axis=0) for k in range(3)]
    np.testing.assert_allclose(answer.spread, np.sqrt(np.mean(variances, axis=0)))
    np.testing.assert_allclose(answer.mean, each.mean(axis=0))


def test_an_out_of_fold_prediction_knows_nothing_of_the_targets_in_its_fold() -> None:
    rng = np.random.default_rng(0)
    x, y = polynomial(rng, 30)
    folds = assign_folds(np.zeros(30, np.int64), 3, 2, seed=0)
    hidden = folds[:, 0] == 1
    wild = np.where(hidden[:, None], y + 100.0, y)
    answers = []
    for targets in (y, wild):
        predictor = fitted_ensemble(np.random.default_rng(1), x, targets, folds, 2)
        own = held_out(predictor, folds) & np.asarray([[m.repeat == 0] for m in predictor.members])
        answers.append(predictor.predict_features(x, own).mean)
    np.testing.assert_array_equal(answers[0][hidden], answers[1][hidden])
    assert (np.abs(answers[0][~hidden] - answers[1][~hidden]) > 1.0).any()


def test_folds_are_saved_with_the_model() -> None:
    rng = np.random.default_rng(0)
    x, y = polynomial(rng, 30)
    folds = assign_folds(np.zeros(30, np.int64), 3, 2, seed=0)
    predictor = fitted_ensemble(rng, x, y, folds, 1)
    document, arrays = predictor.to_parts()
    back = Predictor.from_parts(json.loads(json.dumps(document)), arrays)
    assert [(m.fold, m.repeat) for m in back.members] == [(m.fold, m.repeat) for m in predictor.members]
    np.testing.assert_array_equal(back.predict_features(x).spread, predictor.predict_features(x).spread)
    assert "fold" not in lines().to_parts()[0]["members"][0]


def test_halves_of_the_members_tell_what_all_of_them_would() -> None:
    """Each row is judged by one of two halves of eight lines that lie apart, so that a half is clearly worse."""
    rng = np.random.default_rng(4)
    x, y = measurements(rng, 4000)
    alone = lines()
    shifts = rng.standard_normal(8) * NOISE
    halves = np.arange(8) % 2
    for half in (0, 1):  # they err to both sides
        shifts[halves == half] += (0.4 - 0.8 * half) * NOISE - shifts[halves == half].mean()
    members = []
    for i, shift in enumerate(shifts):
        (layer,) = line(alone.preparation, 2.0, i).parameters
        moved = [{**layer, "bias": layer["bias"] + shift / alone.preparation.target_scale[0]}]
        members.append(replace(line(alone.preparation, 2.0, i), parameters=moved, fold=0))
    predictor, unlearned = replace(alone, members=tuple(members)), np.ones((8, len(x)), bool)
    judging = halves[:, None] == (np.arange(len(x)) % 2)[None]

    def told(**masks: np.ndarray) -> NumberPrediction:
        found = with_error_bars(predictor, HeldOutRows(x, y, **masks))[0].predict_features(x)
        assert isinstance(found, NumberPrediction)
        return found

    of_all = told(answering=unlearned)
    wide, right = told(answering=judging), told(answering=judging, unlearned=unlearned)
    for size in ("std", "high"):
        widths = [
            np.mean(getattr(each, size) - (each.mean if size == "high" else 0.0)) for each in (of_all, wide, right)
        ]
        assert widths[2] == pytest.approx(widths[0], rel=0.02)
        assert widths[1] > 1.05 * widths[0]


def test_a_predictor_that_has_answered_can_be_sent_to_another_process() -> None:
    predictor, x = classifier(), np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    said = predictor.predict_features(x)
    assert "_bound" in vars(predictor)
    sent = pickle.loads(pickle.dumps(predictor))
    assert "_bound" not in vars(sent)  # places in memory mean nothing there
    np.testing.assert_array_equal(sent.predict_features(x).probabilities, said.probabilities)
