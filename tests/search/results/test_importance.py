from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from shoal.search.results.importance import hyperparameter_importance


def tried(networks: int, seed: int = 0) -> list[dict]:
    random = np.random.default_rng(seed)
    return [
        {
            "hidden": [int(random.choice([8, 16, 32]))] * int(random.integers(1, 4)),
            "activation": [str(random.choice(["relu", "tanh", "silu"]))],
            "learning_rate": float(10 ** random.uniform(-4, -1)),
            "schedule": None if random.random() < 0.5 else "cosine",
            "nesterov": bool(random.random() < 0.5),
            "batch_size": 32,
        }
        for _ in range(networks)
    ]


def test_the_hyperparameter_that_decides_comes_first_with_its_best_range():
    candidates = tried(80)
    rates = np.array([c["learning_rate"] for c in candidates])
    scores = np.abs(np.log10(rates) + 2.5) + 0.05 * np.random.default_rng(1).normal(size=80)
    found = hyperparameter_importance(candidates, scores)
    most = found[0]
    assert most.name == "learning_rate"
    assert most.share > 0.5
    low, high = (float(x) for x in most.text.removesuffix(".").split("used ")[1].split("–"))
    assert 1e-3 < low < 10**-2.5 < high < 1e-2
    assert most.text.startswith("learning_rate mattered most: the best quarter used")
    assert all(other.share < 0.2 for other in found[1:])


def test_a_category_that_decides_is_named():
    candidates = tried(60)
    scores = [0.1 if c["activation"] == ["tanh"] else 1.0 for c in candidates] + np.arange(60) * 1e-4
    most = hyperparameter_importance(candidates, scores)[0]
    assert most.name == "activation"
    assert most.share > 0.6  # the scores within the two groups are ranked too
    assert "mostly tanh (15 of 15;" in most.text


def test_hidden_is_told_as_depth_and_total_width_and_constants_are_left_out():
    candidates = tried(60)
    names = [each.name for each in hyperparameter_importance(candidates, [sum(c["hidden"]) for c in candidates])]
    assert names[0] == "total width"
    assert "depth" in names
    assert "schedule" in names
    assert "hidden" not in names
    assert "batch_size" not in names


def test_noise_explains_nothing_on_average():
    shares: list[float] = []
    claims = 0
    for seed in range(40):
        scores = np.random.default_rng(1000 + seed).normal(size=30)
        found = hyperparameter_importance(tried(30, seed), scores)
        shares += [each.share for each in found]
        claims += sum("no influence" not in each.text for each in found)
    assert np.mean(shares) < 0.05  # eta² without correction would be about 0.07
    assert np.median(shares) == 0.0
    assert claims / len(shares) < 0.12


def test_the_share_is_epsilon_squared_of_an_analysis_of_variance():
    random = np.random.default_rng(3)
    group, scores = np.arange(45) % 3, random.permutation(45) + 10.0 * (np.arange(45) % 3)
    ranks = stats.rankdata(scores)
    f = stats.f_oneway(*(ranks[group == k] for k in range(3))).statistic
    eta2 = 2 * f / (2 * f + 42)
    share = hyperparameter_importance([{"optimizer": "abc"[k]} for k in group], scores)[0].share
    assert share == pytest.approx(1 - (1 - eta2) * 44 / 42, abs=0.0051)
    assert abs(share - eta2) > 0.02  # the correction can be seen


def test_too_few_scores_say_nothing():
    assert hyperparameter_importance(tried(7), np.arange(7)) == []
    scores = np.arange(12.0)
    scores[:5] = np.nan
    assert hyperparameter_importance(tried(12), scores) == []
    assert hyperparameter_importance([], []) == []


def test_diverged_networks_rank_last_and_nan_is_left_out():
    candidates = [{"learning_rate": rate} for rate in [0.001] * 8 + [10.0] * 4 + [0.5]]
    scores = np.array([0.1, 0.2, 0.15, 0.12, 0.11, 0.13, 0.18, 0.16, *[np.inf] * 4, np.nan])
    most = hyperparameter_importance(candidates, scores)[0]
    assert most.name == "learning_rate"
    assert most.share > 0.6
    assert "mostly 0.001 (3 of 3; 67 % of all candidates)" in most.text


def test_equal_scores_unhashable_and_missing_values_are_survived():
    candidates = [{"penalties": [i % 2, 0.1], "momentum": 0.9 if i % 3 else None} for i in range(20)]
    for i in range(1, 20, 2):
        candidates[i]["extra"] = i
    found = hyperparameter_importance(candidates, np.ones(20))
    assert {each.name for each in found} == {"penalties", "momentum", "extra"}
    assert all(each.share == 0.0 for each in found)
    assert all(np.isfinite(each.share) for each in hyperparameter_importance(candidates, np.arange(20)))


def test_values_that_are_all_different_categories_cannot_explain():
    candidates = [{"initializer": f"number {i}"} for i in range(12)]
    assert hyperparameter_importance(candidates, np.arange(12))[0].share == 0.0


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="one score per candidate, got 3 and 4"):
        hyperparameter_importance(tried(3), np.arange(4))
