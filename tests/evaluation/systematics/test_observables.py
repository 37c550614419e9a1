from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from shoal.evaluation.systematics.observables import (
    AtCut,
    Histogram,
    Means,
    Metrics,
    Observable,
    Profile,
    Sample,
    edges_between,
    of_numbers,
    several_classes,
    two_classes,
)
from shoal.results import Task
from shoal.statistics.significance import Yields, asimov_significance

RNG = np.random.default_rng(3)


def classes_sample(rows: int = 400, weights: np.ndarray | None = None) -> Sample:
    truth = np.arange(rows) % 2
    score = 1 / (1 + np.exp(-2.0 * (truth - 0.5) - RNG.normal(size=rows)))
    guess = np.column_stack([1 - score, score])
    w = np.ones(rows) if weights is None else weights
    return Sample(truth, guess, w, w, guess)


def numbers_sample(rows: int = 400) -> Sample:
    truth = RNG.normal(size=(rows, 2))
    guess = truth + RNG.normal(size=(rows, 2)) * 0.3 + 0.1
    w = RNG.uniform(0.5, 2.0, rows)
    return Sample(truth, guess, w, w, guess)


def once(one: Observable, sample: Sample) -> dict[str, float]:
    return dict(zip(one.names, one(sample, np.ones((1, len(sample.weights))))[0], strict=True))


def repeated(sample: Sample, counts: np.ndarray) -> Sample:
    return Sample(*(np.repeat(part, counts, axis=0) for part in vars(sample).values()))


@pytest.mark.parametrize("sample", [classes_sample(), numbers_sample()], ids=["classes", "numbers"])
def test_counting_rows_is_repeating_them(sample: Sample) -> None:
    if sample.truth.ndim == 1:
        looked = two_classes(sample, ("b", "s"), 1, 8, 0.6, Yields(30, 200, 0.1))
    else:
        looked = of_numbers(sample, ("u", "v"), 6)
    counts = RNG.integers(0, 4, (3, len(sample.weights)))
    for one in looked:
        found = one(sample, counts.astype(float))
        for row, times in zip(found, counts, strict=True):
            np.testing.assert_allclose(row, list(once(one, repeated(sample, times)).values()), rtol=1e-10, atol=1e-12)


def test_metrics_are_those_of_scikit_learn() -> None:
    sample = classes_sample(weights=RNG.lognormal(size=400))
    found, w = once(Metrics(Task.CLASSIFICATION), sample), sample.weights
    score = sample.guess[:, 1]
    assert found["accuracy"] == pytest.approx(accuracy_score(sample.truth, score > 0.5, sample_weight=w))
    assert found["log_loss"] == pytest.approx(log_loss(sample.truth, score, sample_weight=w))
    assert found["roc_auc"] == pytest.approx(roc_auc_score(sample.truth, score, sample_weight=w))


def test_a_cut_keeps_shares_of_the_weights_and_of_the_yields() -> None:
    sample = classes_sample(weights=np.where(RNG.random(400) < 0.2, -0.5, 1.0))
    found = once(AtCut(0.6, 1, Yields(30.0, 200.0, 0.1)), sample)
    kept, signal, w = sample.guess[:, 1] >= 0.6, sample.truth == 1, sample.weights
    assert found["signal_efficiency"] == pytest.approx(w[kept & signal].sum() / w[signal].sum())
    assert found["background_events"] == pytest.approx(200 * w[kept & ~signal].sum() / w[~signal].sum())
    expected = asimov_significance(found["signal_events"], found["background_events"], 0.1)
    assert found["significance"] == pytest.approx(float(expected))
    assert set(once(AtCut(0.6, 1), sample)) == {"signal_efficiency", "background_efficiency"}


def test_a_rate_changes_events_and_no_efficiency() -> None:
    sample = classes_sample()
    more = Sample(sample.truth, sample.guess, np.where(sample.truth == 0, 1.2, 1.0), sample.before, sample.placed)
    cut = AtCut(0.6, 1, Yields(30.0, 200.0))
    before, after = once(cut, sample), once(cut, more)
    assert after["background_efficiency"] == pytest.approx(before["background_efficiency"])
    assert after["background_events"] == pytest.approx(1.2 * before["background_events"])
    assert after["signal_events"] == before["signal_events"]


def test_histograms_hold_the_yields_with_their_errors() -> None:
    sample = classes_sample(weights=RNG.normal(1.0, 1.0, 400))
    own = sample.truth == 1
    histogram = Histogram("s", 1, np.linspace(0.2, 0.8, 7), 30.0, 1)
    inside = np.clip(sample.guess[own, 1], 0.2, 0.8 - 1e-9)
    scale = 30.0 / sample.weights[own].sum()
    sums = np.histogram(inside, histogram.edges, weights=sample.weights[own])[0]
    squares = np.histogram(inside, histogram.edges, weights=sample.weights[own] ** 2)[0]
    assert list(once(histogram, sample).values()) == pytest.approx((scale * sums).tolist())
    assert histogram.errors(sample) == pytest.approx(abs(scale) * np.sqrt(squares))
    assert histogram.names[0] == "s[1]"


def test_several_classes_are_counted_by_the_most_probable_one() -> None:
    guess = np.eye(3)[[0, 0, 2, 2, 2]]
    sample = Sample(np.array([0, 1, 2, 1, 2]), guess, np.arange(5.0), np.arange(5.0), guess)
    counted = several_classes(sample, ("a", "b", "c"))[-1]
    assert list(once(counted, sample).values()) == [1.0, 0.0, 9.0]


def test_numbers_are_averaged_in_bins_of_the_nominal_prediction() -> None:
    sample = numbers_sample()
    moved = Sample(sample.truth, sample.guess + 0.5, sample.weights, sample.before, sample.placed)
    profile = Profile(" of u", 0, np.array([-3.0, 0.0, 3.0]))
    before, after = once(profile, sample), once(profile, moved)
    assert after["mean of u[1]"] == pytest.approx(before["mean of u[1]"] + 0.5)
    assert after["bias of u[2]"] == pytest.approx(before["bias of u[2]"] + 0.5)
    low = sample.guess[:, 0] < 0
    missed = (sample.guess - sample.truth)[low, 0]
    assert before["rmse of u[1]"] == pytest.approx(np.sqrt(np.average(missed**2, weights=sample.weights[low])))
    assert once(Means(("u", "v")), sample)["bias of v"] == pytest.approx(
        np.average((sample.guess - sample.truth)[:, 1], weights=sample.weights)
    )


def test_resamples_do_not_claim_to_be_certain_of_a_share_of_one() -> None:
    truth = np.arange(40) % 2
    sample = Sample(truth, np.eye(2)[truth], np.ones(40), np.ones(40), np.eye(2)[truth])
    errors = dict(zip(Metrics(Task.CLASSIFICATION).names, Metrics(Task.CLASSIFICATION).errors(sample), strict=True))
    assert 0.01 < errors["accuracy"] < 0.05
    assert np.isnan(errors["log_loss"])
    cut = AtCut(0.5, 1, Yields(10.0, 100.0))
    assert cut.errors(sample)[3] == pytest.approx(100.0 * cut.errors(sample)[1])
    assert 0.02 < cut.errors(sample)[1] < 0.1


def test_edges_hold_all_values_even_of_a_constant() -> None:
    assert edges_between(np.array([0.2, 0.8]), 3) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert (np.diff(edges_between(np.full(5, 3.0), 4)) > 0).all()
